"""Checks of FHIR resources that need no library of FHIR."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from attrs import evolve

from lenadose import Course, DosageTaken, Measurement, Patient, PregnancyTest, Visit
from lenadose.formats.reader import parse
from lenadose.importing.courses import import_resources

Data = dict[str, Any]

XHTML = "{http://www.w3.org/1999/xhtml}"
NARRATIVE_ELEMENTS = {"div", "p", "b", "strong", "small", "span", "br", "table", "tr", "th", "td"}
"""Elements of HTML 4 that a narrative may have, as far as cards use them."""


def resources_of(bundle: Data, kind: str) -> list[Data]:
    return [
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    ]


def check_bundle(bundle: Data) -> None:
    """Check that ids and URLs are unique, references resolve, and narratives are XHTML."""
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    ids = [entry["resource"]["id"] for entry in bundle["entry"] if "id" in entry["resource"]]
    assert len({*ids, bundle["id"]}) == len(ids) + 1
    named = list(references(bundle))
    assert named
    assert set(named) <= set(urls)
    for entry in bundle["entry"]:
        if "text" in entry["resource"]:
            check_narrative(entry["resource"]["text"]["div"])


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "reference" in part:
            yield part["reference"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def check_narrative(div: str) -> None:
    root = ElementTree.fromstring(div)
    assert root.tag == f"{XHTML}div"
    assert {element.tag.removeprefix(XHTML) for element in root.iter()} <= NARRATIVE_ELEMENTS
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes <= {"class", "style", "scope"}
    assert "".join(root.itertext()).strip()


def read_back(bundle: Data) -> Course:
    """Return the course of a Bundle as `lenadose import` reads it; nothing needed is left out."""
    given = parse(json.dumps(bundle).encode(), "resource", 10**8)
    imported = import_resources({"bundle": given})
    assert imported.is_whole, (imported.faults, imported.records)
    (course,) = imported.courses.values()
    return course


def as_fhir_holds(course: Course) -> Course:
    """Return a course without what says nothing: FHIR does not tell these from each other.

    The date of a result that is that of its visit; a list of one result, or of none; a result that
    is given twice; how often nothing was taken; that an event is not resolved; a patient of whom
    nothing is known, or with a blank id.
    """
    patient = course.patient
    if patient is not None and patient.id is not None and not patient.id.strip():
        patient = evolve(patient, id=None)
    return Course(
        [_visit(visit) for visit in course.visits],
        None if patient == Patient() else patient,
        course.protocol,
    )


def _visit(visit: Visit) -> Visit:
    changes: dict[str, Any] = {
        name: _results(getattr(visit, name), visit)
        for name in ("neutrophils", "platelets", "creatinine_clearance", "pregnancy_tests")
    }
    if visit.dosage_taken is not None and visit.dosage_taken.dosage is None:
        changes["dosage_taken"] = DosageTaken(0)
    if visit.adverse_events:
        changes["adverse_events"] = [
            evolve(event, resolved=event.resolved or None) for event in visit.adverse_events
        ]
    return evolve(visit, **changes)


def _results(given: Any, visit: Visit) -> Any:
    several = given if isinstance(given, tuple) else () if given is None else (given,)
    results: list[Measurement | PregnancyTest] = [
        evolve(result, date=None if result.date == visit.date else result.date)
        for result in several
    ]
    distinct = tuple(dict.fromkeys(results))
    if not distinct:
        return None
    is_one = len(distinct) == 1 and isinstance(distinct[0], Measurement)
    return distinct[0] if is_one else distinct
