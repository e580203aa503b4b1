"""A course written as FHIR is read back equal."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.fhir import as_fhir_holds, check_bundle, read_back
from tests.support.paths import EXAMPLES, ROOT

from lenadose import CallError, Course, Patient, Visit, load_course, replay
from lenadose.fhir.course import course_bundle
from lenadose.fhir.decision import decision_bundle
from lenadose.record.visit import ResultField
from lenadose.testing import courses

COURSES = sorted((EXAMPLES / "courses").glob("*.json"))


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_an_example_is_read_back_equal_also_among_decisions(path: Path) -> None:
    course = load_course(path)
    assert read_back(course_bundle(course)) == as_fhir_holds(course)
    assert read_back(decision_bundle(course, replay(course))) == as_fhir_holds(course)


@settings(max_examples=100)
@given(courses())
def test_a_random_course_is_read_back_equal(course: Course) -> None:
    _check_round_trip(course)


@settings(max_examples=25)
@given(courses(), st.sets(st.sampled_from(ResultField)))
def test_what_cannot_be_read_is_read_back(course: Course, fields: set[ResultField]) -> None:
    *before, last = course.visits
    _check_round_trip(evolve(course, visits=(*before, evolve(last, unreadable=[*fields] or None))))


@pytest.mark.slow
@settings(max_examples=1000)
@given(courses())
def test_a_thousand_random_courses_are_read_back_equal(course: Course) -> None:
    _check_round_trip(course)


def _check_round_trip(course: Course) -> None:
    expected = as_fhir_holds(course)
    # An id that is blank, which FHIR does not allow, is taken out beforehand.
    written = Course(course.visits, expected.patient, course.protocol)
    bundle = course_bundle(written)
    check_bundle(bundle)
    assert read_back(bundle) == expected


def test_a_blank_id_is_refused_because_fhir_cannot_hold_it() -> None:
    course = Course([Visit("2026-01-05")], Patient(id=" "))
    with pytest.raises(CallError, match=r"patient\.id: is blank"):
        course_bundle(course)


def test_ids_are_the_same_each_time_and_stay_when_the_course_goes_on() -> None:
    course = load_course(EXAMPLES / "courses" / "relapse-in-taper.json")
    begun = Course(course.visits[:2], course.patient, course.protocol)
    whole = json.dumps(course_bundle(course))
    assert whole == json.dumps(course_bundle(course))
    entries = [json.dumps(entry) for entry in course_bundle(begun)["entry"]]  # type: ignore[union-attr]  # a list
    assert len(entries) > 10
    assert all(entry in whole for entry in entries)


def test_two_patients_have_no_id_in_common() -> None:
    visits = [Visit("2026-01-05", clasi_activity=11)]
    one, other = (
        course_bundle(Course(visits, patient))
        for patient in (Patient(id="p-01"), Patient(id="p-02"))
    )
    urls = [{entry["fullUrl"] for entry in bundle["entry"]} for bundle in (one, other)]  # type: ignore[index, union-attr]  # lists
    assert not urls[0] & urls[1]
    without = [
        course_bundle(Course([Visit(day, clasi_activity=11)]))
        for day in (dt.date(2026, 1, 5), dt.date(2026, 1, 6))
    ]
    assert without[0]["id"] != without[1]["id"]


def test_the_page_shows_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "howto" / "fhir.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    check_bundle(names["bundle"])
    check_bundle(names["of_the_course_alone"])
