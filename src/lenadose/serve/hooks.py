"""A CDS Hooks request read: the patient, the record, and the course that is made of it."""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from attrs import frozen

from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import read_course
from lenadose.importing.courses import import_resources
from lenadose.importing.findings import LeftOut
from lenadose.importing.readings import day_of
from lenadose.importing.resources import Data, part, parts, text
from lenadose.protocol.builtin import BUILT_IN
from lenadose.record.course import Course
from lenadose.terms.errors import CallError, Fault, LenadoseError, describe, fault

EXTENSION = "example.lenadose.course"
"""The key of `extension` under which a request may give the course itself."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_SHOWN = 20
"""So many records that were left out are named on a card."""


class NotObtained(CallError):
    """A fault of a request that lacks the record: the client could not obtain it."""


@frozen
class Request:
    """A request: which call it is, whose patient it is about, its context and its record."""

    instance: str
    patient: str
    encounter: str | None
    context: Data
    prefetch: Mapping[str, object]
    course: object
    """The course as data, where the request gives it; None where it is in `prefetch`."""


@frozen
class Record:
    """The course of a request, the day of the visit to decide on, and what was left out of it.

    `course` is None where the record holds nothing of a patient under this treatment.
    """

    course: Course | None
    day: str | None
    left_out: tuple[str, ...]


def read_request(document: object, hook: str) -> Request:
    """Return a request of a hook; raises CallError with every fault."""
    if not isinstance(document, dict):
        reason = f"{describe(document)} is not an object"
        raise CallError((refusal("request", document, reason, "send a CDS Hooks request"),))
    faults: list[Fault] = []

    def required(place: str, value: object, is_valid: Callable[[str], object], what: str) -> str:
        if isinstance(value, str) and is_valid(value):
            return value
        reason = "is missing" if value is None else f"{describe(value)} is not {what}"
        faults.append(refusal(place, value, reason, f"give {what}"))
        return ""

    required("hook", document.get("hook"), hook.__eq__, f"the hook of this service, {hook}")
    instance = required("hookInstance", document.get("hookInstance"), _is_uuid, "a UUID")
    context = _object(document, "context", faults)
    patient = required(
        "context.patientId", context.get("patientId"), _ID.fullmatch, "the id of a Patient"
    )
    encounter = context.get("encounterId")
    if encounter is not None:
        required("context.encounterId", encounter, _ID.fullmatch, "the id of an Encounter")
    prefetch = _object(document, "prefetch", faults)
    extension = _object(document, "extension", faults)
    if faults:
        raise CallError(faults)
    return Request(
        instance,
        patient,
        encounter if isinstance(encounter, str) else None,
        context,
        prefetch,
        extension.get(EXTENSION),
    )


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _object(document: Mapping[str, object], key: str, faults: list[Fault]) -> dict[str, object]:
    value = document.get(key)
    if isinstance(value, dict):
        return value
    if value is not None or key == "context":
        reason = "is missing" if value is None else f"{describe(value)} is not an object"
        faults.append(refusal(key, value, reason, "give an object, between { and }"))
    return {}


def refusal(place: str, value: object, reason: str, fix: str) -> Fault:
    """Return why a value is refused: what is wrong with its JSON, if anything is, else `reason`."""
    return value.within(place) if isinstance(value, Fault) else Fault(place, reason, fix)


# The record


def record_of(request: Request) -> Record:
    """Return the record of a request.

    Raises NotObtained for a request without one, and LenadoseError for one that is refused.
    """
    if request.course is not None:
        return _given(request)
    patient = request.prefetch.get("patient")
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        fix = f"prefetch it, or give extension.{EXTENSION}"
        raise NotObtained((refusal("prefetch.patient", patient, "there is no Patient", fix),))
    id = patient.get("id")
    if id != request.patient:
        reason = f"{describe(id)} is not the patient of the context"
        fix = f"prefetch Patient/{request.patient}"
        raise CallError((refusal("prefetch.patient.id", id, reason, fix),))
    resources = {
        f"prefetch.{key}": _at_visit(_obtained(f"prefetch.{key}", value), request)
        for key, value in request.prefetch.items()
        if value is not None
    }
    imported = import_resources(resources)
    courses = list(imported.courses.values())
    if imported.faults and not _has_no_visit(imported.faults):
        raise CallError(imported.faults)
    if len(courses) + imported.refused > 1:
        reason = f"it holds {len(courses) + imported.refused} patients"
        raise fault("prefetch", reason, f"prefetch the record of {request.patient} only")
    left_out = [
        str(note)
        for record in imported.records
        for note in record.notes
        if isinstance(note, LeftOut) and note.needed
    ]
    if len(left_out) > _SHOWN:
        left_out = [*left_out[:_SHOWN], f"and {len(left_out) - _SHOWN} more"]
    return Record(courses[0] if courses else None, _day(request), tuple(left_out))


def _given(request: Request) -> Record:
    place = f"extension.{EXTENSION}"
    try:
        course = read_course(request.course, BUILT_IN)
    except LenadoseError as error:
        raise CallError(each.within(place) for each in error.faults) from None
    whose = course.patient.id if course.patient else None
    if whose not in (None, request.patient):
        reason = f"{describe(whose)} is not the patient of the context"
        raise fault(f"{place}.patient.id", reason, f"give {request.patient}, or leave it out")
    return Record(course, _day(request), ())


def _has_no_visit(faults: tuple[Fault, ...]) -> bool:
    return all(each.reason.startswith("no visit") for each in faults)


def _obtained(place: str, value: object) -> Data:
    """Return what was prefetched; raise NotObtained for what the client could not obtain whole."""
    if not isinstance(value, dict):
        reason = f"{describe(value)} is not a resource"
        raise CallError((refusal(place, value, reason, "give a resource or null"),))
    if value.get("resourceType") == "OperationOutcome":
        raise NotObtained((Fault(place, "the query failed", "obtain it, or leave the key out"),))
    if any(text(link, "relation") == "next" for link in parts(value, "link")):
        reason = "is one page of several, and the others may hold what decides"
        raise NotObtained((Fault(place, reason, "give all of them in one Bundle"),))
    return value


def _at_visit(value: Data, request: Request) -> Data:
    """Return a prefetched resource or Bundle in which the encounter of the context is a visit."""
    entries = value.get("entry")
    if isinstance(entries, list):
        marked = [
            {**entry, "resource": _visit(entry["resource"], request)}
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
            else entry
            for entry in entries
        ]
        return {**value, "entry": marked}
    return _visit(value, request)


def _visit(resource: Data, request: Request) -> Data:
    if not _is_of_context(resource, request):
        return resource
    visit = {"coding": [{"system": codes.VISIT.system, "code": codes.VISIT.code}]}
    return {**resource, "type": [*parts(resource, "type"), visit]}


def _is_of_context(resource: Data, request: Request) -> bool:
    return (
        resource.get("resourceType") == "Encounter"
        and request.encounter is not None
        and resource.get("id") == request.encounter
    )


def _day(request: Request) -> str | None:
    """Return the day of the encounter of the context; None without one in the prefetched data."""
    for value in request.prefetch.values():
        given = value if isinstance(value, dict) else {}
        for each in (given, *(part(entry, "resource") for entry in parts(given, "entry"))):
            start = text(part(each, "period"), "start")
            if _is_of_context(each, request) and start is not None:
                return day_of(start).isoformat()
    return None


def is_treated(course: Course) -> bool:
    """Return whether a record is of this treatment: by a score, a judgement, a dosage or a subtype.

    Blood counts and encounters alone say nothing of it: every patient of a hospital has them.
    """
    fields = ("clasi_activity", "clasi_damage", "judgement", "dosage_taken", "doses_missed")
    return bool(course.patient and course.patient.subtype) or any(
        getattr(visit, name) is not None for visit in course.visits for name in (*fields, "stopped")
    )
