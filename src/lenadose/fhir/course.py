"""A course as FHIR R4 resources, which `lenadose import` reads back as the same course.

`lenadose.formats.fhir_codes` documents how each part is written.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from attrs import frozen

from lenadose.fhir.elements import Entry, Ids, Resource, bundle, concept, quantity
from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json, course_data, number, plain_record
from lenadose.formats.fhir_codes import Code
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.course import Course
from lenadose.record.measurement import Measurement
from lenadose.record.visit import DosageTaken, Judgement, Patient, PregnancyTest, Visit
from lenadose.terms.errors import fault
from lenadose.terms.units import QUANTITIES, ucum

_CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_OUTCOMES = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
_AMBULATORY = Code(_CLASSES, "AMB", "ambulatory")
_OUTCOME_RESOLVED = Code(_OUTCOMES, "resolved", "Resolved")

FIELD_CODES: Mapping[str, Code] = MappingProxyType(
    {
        **{name: known[0] for name, known in codes.RESULT_CODES.items()},
        "clasi_activity": codes.CLASI_ACTIVITY,
        "clasi_damage": codes.CLASI_DAMAGE,
        "pregnancy_tests": codes.PREGNANCY_TEST,
        "adverse_events": codes.ADVERSE_EVENTS,
        "doses_missed": codes.DOSES_MISSED,
        "judgement": codes.JUDGEMENT,
        "stopped": codes.TREATMENT_ENDED,
    }
)
"""The code under which each field of a visit is written, and asked for."""

_FACTS = (
    ("age", codes.AGE, "valueInteger"),
    ("able_to_become_pregnant", codes.ABLE_TO_BECOME_PREGNANT, "valueBoolean"),
    ("regular_cycles", codes.REGULAR_CYCLES, "valueBoolean"),
    ("subtype", codes.SUBTYPE, "valueString"),
    ("antiphospholipid", codes.ANTIPHOSPHOLIPID, "valueString"),
)
_WHOLE = ("clasi_activity", "clasi_damage", "doses_missed")


Found = tuple[str, dt.date, object]
"""The content of a resource: the field of the visit, the day, and the recorded value."""


@frozen
class CourseResources:
    """The resources of a course: the patient, all of them, and by the day of their visit."""

    ids: Ids
    patient: Entry
    facts: tuple[Entry, ...]
    visits: Mapping[dt.date, tuple[Entry, ...]]
    """Of each visit the Encounter first."""
    found: Mapping[Found, Entry]
    """The results, tests and events: by the field, the day, and what was recorded."""

    @property
    def entries(self) -> list[Entry]:
        """All resources, in order."""
        return [self.patient, *self.facts, *(e for visit in self.visits.values() for e in visit)]


def course_bundle(course: Course) -> Resource:
    """Return a course as a Bundle of FHIR R4.

    Its ids depend on the patient's id and on the day, the kind and the place of each resource, so
    that they stay when the course goes on. Raises CallError for an id that FHIR does not allow.
    """
    resources = course_resources(course)
    return bundle(resources.ids, resources.entries)


def course_resources(course: Course) -> CourseResources:
    """Return the resources of a course; raises CallError for an id that FHIR does not allow."""
    data = course_data(course)
    patient = course.patient or Patient()
    if patient.id is not None and not patient.id.strip():
        raise fault(
            "patient.id", "is blank, which FHIR does not allow", "give an id, or leave it out"
        )
    # Without an id, the first visit tells patients apart.
    whose = patient.id or json.dumps([data.get("patient"), plain_record(course.visits[0])])
    ids = Ids.of("course", whose)
    writer = _Writer(ids, _person(ids, patient))
    facts = [*writer.facts(patient, course.protocol)]
    visits: dict[dt.date, tuple[Entry, ...]] = {}
    found: dict[Found, Entry] = {}
    before = None
    for visit in course.visits:
        written = [*writer.visit(visit, before)]
        visits[visit.date] = tuple(entry for _, entry in written)
        found |= {key: entry for key, entry in written if key is not None}
        before = visit.date
    return CourseResources(ids, writer.patient, tuple(facts), visits, found)


def _person(ids: Ids, patient: Patient) -> Entry:
    if patient.id is not None:
        identifier: Json = [{"system": codes.PATIENT_ID, "value": patient.id}]
        return ids.entry({"resourceType": "Patient", "identifier": identifier})
    # A logical id would be read back as the id of the patient.
    made = ids.entry({"resourceType": "Patient"})
    return Entry(made.url, {"resourceType": "Patient"})


@frozen
class _Writer:
    ids: Ids
    patient: Entry

    def facts(self, patient: Patient, protocol: str | None) -> Iterator[Entry]:
        """Yield the facts of the patient, and the protocol of the course."""
        if protocol is not None:
            yield self._observation(codes.PROTOCOL, {"valueString": protocol}, {})
        for name, code, kind in _FACTS:
            value = getattr(patient, name)
            if value is not None:
                yield self._observation(code, {kind: plain_record(value)}, {})

    def visit(self, visit: Visit, before: dt.date | None) -> Iterator[tuple[Found | None, Entry]]:
        """Yield the Encounter of a visit, and then what was found at it, each with its key."""
        day = visit.date.isoformat()
        encounter = self.ids.entry(
            {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {
                    "system": _AMBULATORY.system,
                    "code": _AMBULATORY.code,
                    "display": _AMBULATORY.display,
                },
                "type": [concept(codes.VISIT)],
                "subject": self.patient.reference,
                "period": {"start": day, "end": day},
            },
            day,
        )
        yield None, encounter
        at: Resource = {"encounter": encounter.reference, "effectiveDateTime": day}
        for name in _WHOLE:
            value = getattr(visit, name)
            if value is not None:
                yield None, self._observation(FIELD_CODES[name], {"valueInteger": value}, at)
        for name in QUANTITIES:
            for place, result in enumerate(visit.results(name)):
                on = {**at, "effectiveDateTime": result.on.isoformat()}
                entry = self._observation(FIELD_CODES[name], _measured(result.given), on, place)
                yield (name, result.on, result.given), entry
        for place, test in enumerate(visit.pregnancy_tests or ()):
            entry = self._test(test, at, place)
            yield ("pregnancy_tests", test.date or visit.date, test.result), entry
        if visit.adverse_events == ():
            none: Resource = {"valueCodeableConcept": concept(codes.NONE)}
            yield None, self._observation(codes.ADVERSE_EVENTS, none, at)
        for place, event in enumerate(visit.adverse_events or ()):
            entry = self._event(event, day, encounter, place)
            yield ("adverse_events", visit.date, event), entry
        if visit.dosage_taken is not None:
            yield None, self._taken(visit.dosage_taken, before, day, encounter)
        if visit.judgement is not None:
            yield None, self._judgement(visit.judgement, at)
        if visit.stopped is not None:
            yield None, self._observation(codes.TREATMENT_ENDED, {"valueString": visit.stopped}, at)
        for place, field in enumerate(visit.unreadable or ()):
            value = {"valueString": field.label}
            yield None, self._observation(codes.UNREADABLE, value, at, place)

    def _observation(self, code: Code, value: Resource, at: Resource, place: int = 0) -> Entry:
        return self.ids.entry(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": concept(code),
                "subject": self.patient.reference,
                **at,
                **value,
            },
            *(_reference(at), code.code, str(place)),
        )

    def _test(self, test: PregnancyTest, at: Resource, place: int) -> Entry:
        value: Resource = {"valueCodeableConcept": concept(codes.TEST_RESULTS[test.result])}
        on = at if test.date is None else {**at, "effectiveDateTime": test.date.isoformat()}
        return self._observation(codes.PREGNANCY_TEST, value, on, place)

    def _judgement(self, judgement: Judgement, at: Resource) -> Entry:
        value: Resource = {
            "valueCodeableConcept": concept(codes.JUDGEMENTS[judgement.response]),
            "component": [{"code": concept(codes.REASON), "valueString": judgement.reason}],
        }
        return self._observation(codes.JUDGEMENT, value, at)

    def _event(self, event: AdverseEvent, day: str, encounter: Entry, place: int) -> Entry:
        extensions: list[Json] = []
        if event.grade is not None:
            extensions.append({"url": codes.GRADE, "valueInteger": event.grade})
        if event.ctcae is not None:
            extensions.append({"url": codes.EDITION, "valueString": event.ctcae})
        resource: Resource = {
            "resourceType": "AdverseEvent",
            **({"extension": extensions} if extensions else {}),
            "actuality": "actual",
            "event": {"text": event.term},
            "subject": self.patient.reference,
            "encounter": encounter.reference,
            "date": day,
        }
        if event.resolved:
            resource["outcome"] = concept(_OUTCOME_RESOLVED, codes.RESOLVED)
        return self.ids.entry(resource, day, str(place))

    def _taken(
        self, taken: DosageTaken, before: dt.date | None, day: str, encounter: Entry
    ) -> Entry:
        resource: Resource = {
            "resourceType": "MedicationStatement",
            "status": "not-taken" if taken.dosage is None else "completed",
            "medicationCodeableConcept": concept(codes.LENALIDOMIDE),
            "subject": self.patient.reference,
            "context": encounter.reference,
            "effectivePeriod": {"start": str(before), "end": day},
        }
        if taken.dosage is not None:
            resource["dosage"] = [
                dosage_instruction(number(taken.dosage.mg), taken.dosage.every_days)
            ]
        return self.ids.entry(resource, day)


def dosage_instruction(mg: Json, every_days: int) -> dict[str, Json]:
    """Return a dosage as a Dosage of FHIR: so many mg, once in so many days."""
    return {
        "timing": {"repeat": {"frequency": 1, "period": every_days, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": quantity(mg, "mg", "mg")}],
    }


def _measured(given: Measurement) -> Resource:
    value = quantity(number(given.value), given.unit, ucum(given.unit))
    if given.comparator is not None:
        value["comparator"] = given.comparator.label
    return {"valueQuantity": value}


def _reference(at: Resource) -> str:
    encounter = at.get("encounter")
    return str(encounter["reference"]) if isinstance(encounter, dict) else ""
