"""CDS Hooks requests for the tests."""

import json
from typing import Any
from uuid import UUID

from lenadose import Course, course_data
from lenadose.fhir.course import course_bundle
from lenadose.serve.hooks import EXTENSION

Data = dict[str, Any]

VIEW, SELECT, SIGN = (
    f"/cds-services/lenadose-{name}" for name in ("patient-view", "order-select", "order-sign")
)
HOOKS = {VIEW: "patient-view", SELECT: "order-select", SIGN: "order-sign"}
INSTANCE = str(UUID(int=1))


def request(path: str, patient: str, orders: list[Data] | None = None, **more: Any) -> Data:
    """Return a request to a service for a patient; without a record."""
    context: Data = {"userId": "Practitioner/1", "patientId": patient}
    if path != VIEW:
        entries = [{"resource": order} for order in orders or []]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if path == SELECT:
        names = [f"{order['resourceType']}/{order.get('id')}" for order in orders or []]
        context["selections"] = names
    return {"hook": HOOKS[path], "hookInstance": INSTANCE, "context": context, **more}


def with_course(path: str, course: Course, orders: list[Data] | None = None) -> Data:
    """Return a request that gives the course itself."""
    patient = course.patient.id if course.patient and course.patient.id else "p"
    return request(path, patient, orders, extension={EXTENSION: course_data(course)})


def prefetched(course: Course, patient: str = "p") -> Data:
    """Return a course as an EHR prefetches it: resources with its own ids, in Bundles."""
    bundle: Any = course_bundle(course)
    kinds: dict[str, list[Data]] = {}
    names = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/"
        + (patient if entry["resource"]["resourceType"] == "Patient" else entry["fullUrl"][9:])
        for entry in bundle["entry"]
    }
    for entry in bundle["entry"]:
        text = json.dumps(entry["resource"])
        for url, name in names.items():
            text = text.replace(url, name)
        resource = json.loads(text)
        resource["id"] = names[entry["fullUrl"]].partition("/")[2]
        kinds.setdefault(resource["resourceType"], []).append(resource)
    (person,) = kinds.pop("Patient")
    person.pop("identifier", None)
    keys = {
        "Encounter": "visits",
        "Observation": "observations",
        "AdverseEvent": "events",
        "MedicationStatement": "statements",
    }
    return {
        "patient": person,
        **{
            keys[kind]: {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [{"resource": each} for each in found],
            }
            for kind, found in kinds.items()
        },
    }


def order(mg: float, every_days: int = 1, id: str = "o1", patient: str = "p", **more: Any) -> Data:
    """Return a draft order of lenalidomide."""
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Lenalidomide"},
        "subject": {"reference": f"Patient/{patient}"},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": every_days, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}],
            }
        ],
        **more,
    }
