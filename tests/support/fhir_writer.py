"""A course as FHIR resources, written after the list in `lenadose.formats.fhir_codes`."""

from typing import Any

from lenadose import Course, course_data
from lenadose.formats import fhir_codes as codes
from lenadose.formats.fhir_codes import Code
from lenadose.record.visit import JudgedResponse, TestResult
from lenadose.terms.units import QUANTITIES, ucum

Data = dict[str, Any]


def concept(code: Code) -> Data:
    return {"coding": [{"system": code.system, "code": code.code, "display": code.display}]}


def observation(code: Code, value: Data, **more: Any) -> Data:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code),
        "subject": {"reference": "urn:uuid:patient"},
        **value,
        **more,
    }


def bundle(course: Course) -> Data:
    """Return a Bundle of a course."""
    data: Data = course_data(course)  # type: ignore[assignment]  # plain data
    patient: Data = data.get("patient", {})
    resources: list[tuple[str | None, Data]] = []
    person: Data = {"resourceType": "Patient"}
    if "id" in patient:
        person["identifier"] = [{"system": codes.PATIENT_ID, "value": patient["id"]}]
    resources.append(("urn:uuid:patient", person))
    if "protocol" in data:
        value = {"valueString": data["protocol"]}
        resources.append((None, observation(codes.PROTOCOL, value)))
    for key, code, kind in (
        ("age", codes.AGE, "valueInteger"),
        ("able_to_become_pregnant", codes.ABLE_TO_BECOME_PREGNANT, "valueBoolean"),
        ("regular_cycles", codes.REGULAR_CYCLES, "valueBoolean"),
        ("subtype", codes.SUBTYPE, "valueString"),
        ("antiphospholipid", codes.ANTIPHOSPHOLIPID, "valueString"),
    ):
        if key in patient:
            resources.append((None, observation(code, {kind: patient[key]})))
    before = None
    for visit in data["visits"]:
        resources += _visit(visit, before)
        before = visit["date"]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {**({"fullUrl": url} if url else {}), "resource": resource}
            for url, resource in resources
        ],
    }


def _visit(visit: Data, before: str | None) -> list[tuple[str | None, Data]]:
    day = visit["date"]
    url = f"urn:uuid:visit-{day}"
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [concept(codes.VISIT)],
        "subject": {"reference": "urn:uuid:patient"},
        "period": {"start": day},
    }
    at = {"encounter": {"reference": url}, "effectiveDateTime": day}
    found: list[Data] = []
    for key, code in (
        ("clasi_activity", codes.CLASI_ACTIVITY),
        ("clasi_damage", codes.CLASI_DAMAGE),
        ("doses_missed", codes.DOSES_MISSED),
    ):
        if key in visit:
            found.append(observation(code, {"valueInteger": visit[key]}, **at))
    for name in QUANTITIES:
        results = visit.get(name, [])
        for each in results if isinstance(results, list) else [results]:
            quantity = {
                "value": each["value"],
                "unit": each["unit"],
                "system": codes.UCUM,
                "code": ucum(each["unit"]),
            }
            if "comparator" in each:
                quantity["comparator"] = each["comparator"]
            when = {**at, "effectiveDateTime": each.get("date", day)}
            code = codes.RESULT_CODES[name][0]
            found.append(observation(code, {"valueQuantity": quantity}, **when))
    for test in visit.get("pregnancy_tests", []):
        coded = codes.TEST_RESULTS[
            next(each for each in TestResult if each.label == test["result"])
        ]
        when = {**at, "effectiveDateTime": test.get("date", day)}
        value = {"valueCodeableConcept": concept(coded)}
        found.append(observation(codes.PREGNANCY_TEST, value, **when))
    if visit.get("adverse_events") == []:
        value = {"valueCodeableConcept": concept(codes.NONE)}
        found.append(observation(codes.ADVERSE_EVENTS, value, **at))
    found += (_event(each, day, url) for each in visit.get("adverse_events", []))
    if "dosage_taken" in visit:
        found.append(_taken(visit["dosage_taken"], before, day, url))
    if "judgement" in visit:
        judged = visit["judgement"]
        kind = next(each for each in JudgedResponse if each.label == judged["response"])
        value = {
            "valueCodeableConcept": concept(codes.JUDGEMENTS[kind]),
            "component": [{"code": concept(codes.REASON), "valueString": judged["reason"]}],
        }
        found.append(observation(codes.JUDGEMENT, value, **at))
    if "stopped" in visit:
        found.append(observation(codes.TREATMENT_ENDED, {"valueString": visit["stopped"]}, **at))
    return [(url, encounter), *((None, each) for each in found)]


def _event(event: Data, day: str, url: str) -> Data:
    extensions = []
    if "grade" in event:
        extensions.append({"url": codes.GRADE, "valueInteger": event["grade"]})
    if "ctcae" in event:
        extensions.append({"url": codes.EDITION, "valueString": event["ctcae"]})
    resource: Data = {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "event": {"text": event["term"]},
        "subject": {"reference": "urn:uuid:patient"},
        "encounter": {"reference": url},
        "date": day,
        "extension": extensions,
    }
    if event.get("resolved"):
        resource["outcome"] = concept(codes.RESOLVED)
    return resource


def _taken(taken: Data, before: str | None, day: str, url: str) -> Data:
    statement: Data = {
        "resourceType": "MedicationStatement",
        "status": "completed" if taken["mg"] else "not-taken",
        "medicationCodeableConcept": concept(codes.LENALIDOMIDE),
        "subject": {"reference": "urn:uuid:patient"},
        "context": {"reference": url},
        "effectivePeriod": {"start": before, "end": day},
    }
    if taken["mg"]:
        dose = {"value": taken["mg"], "unit": "mg", "system": codes.UCUM, "code": "mg"}
        repeat = {"frequency": 1, "period": taken["every_days"], "periodUnit": "d"}
        statement["dosage"] = [
            {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}
        ]
    return statement
