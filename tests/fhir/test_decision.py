"""A decision written as FHIR: proposals, each with what it rests on."""

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from tests.support.fhir import check_bundle, resources_of
from tests.support.paths import EXAMPLES
from tests.support.rows import courses_to_rows

from lenadose import CallError, Course, Patient, Visit, get_protocol, load_course, replay
from lenadose.fhir.course import FIELD_CODES
from lenadose.fhir.decision import decision_bundle
from lenadose.formats.protocol_file import load_protocol
from lenadose.protocol.builtin import BUILT_IN
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import Action

COURSES = sorted((EXAMPLES / "courses").glob("*.json"))


def last_of(course: Course) -> Any:
    return decision_bundle(course, replay(course)[-1:])


def example(name: str) -> Course:
    return load_course(EXAMPLES / "courses" / f"{name}.json")


@cache
def replayed(path: Path) -> Any:
    """Return the Bundle of an example with all decisions on it."""
    course = load_course(path)
    return decision_bundle(course, replay(course))


def only(bundle: Any, kind: str) -> Any:
    (resource,) = resources_of(bundle, kind)
    return resource


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_row_is_valid_by_models_of_others(name: str) -> None:
    rows = courses_to_rows(name)
    assert {row.id for row in get_protocol(name).table.rules} <= {
        id.removeprefix("rule.").partition(".")[0] for id in rows
    }
    for course in rows.values():
        bundle = last_of(course)
        Bundle.model_validate(bundle)
        check_bundle(bundle)


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_every_example_is_valid_by_models_of_others(path: Path) -> None:
    bundle = replayed(path)
    Bundle.model_validate(bundle)
    check_bundle(bundle)
    guidance = resources_of(bundle, "GuidanceResponse")
    assert len(guidance) == len(load_course(path).visits)


def test_the_models_of_others_refuse_what_is_wrong() -> None:
    bundle = last_of(example("missed-doses"))
    for kind, element in (
        ("GuidanceResponse", "moduleCanonical"),
        ("RequestGroup", "intent"),
        ("MedicationRequest", "medicationCodeableConcept"),
        ("ServiceRequest", "subject"),
        ("Appointment", "participant"),
        ("Provenance", "recorded"),
    ):
        broken = json.loads(json.dumps(bundle))
        del resources_of(broken, kind)[0][element]
        with pytest.raises(ValueError, match="validation error"):
            Bundle.model_validate(broken)


def test_a_broken_bundle_is_noticed() -> None:
    for find, put in (
        ('"reference": "urn:uuid:', '"reference": "urn:uuid:0'),
        ("<div ", "<b><div "),
    ):
        broken = json.dumps(last_of(example("missed-doses"))).replace(find, put, 1)
        with pytest.raises((AssertionError, SyntaxError)):
            check_bundle(json.loads(broken))


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_a_bundle_says_what_was_decided(path: Path) -> None:
    course = load_course(path)
    for decision in replay(course):
        bundle: Any = decision_bundle(course, (decision,))
        guidance, group = only(bundle, "GuidanceResponse"), only(bundle, "RequestGroup")
        day = str(decision.visit.date)
        assert guidance["occurrenceDateTime"] == group["authoredOn"] == day
        assert guidance["reasonCode"][0]["coding"][0]["code"] == decision.rule.id
        assert group["code"]["coding"][0]["code"] == decision.action.code
        assert (guidance["status"] == "data-required") is (decision.action is Action.REQUEST_DATA)
        assert len(guidance.get("dataRequirement", [])) == len(decision.missing)
        medications = resources_of(bundle, "MedicationRequest")
        if decision.dosage is not None:
            (proposed,) = medications
            (instruction,) = proposed["dosageInstruction"]
            assert instruction["text"] == f"{decision.dosage}, by mouth"
            dose = instruction["doseAndRate"][0]["doseQuantity"]
            assert (dose["value"], dose["code"]) == (decision.dosage.mg, "mg")
            assert instruction["timing"]["repeat"]["period"] == decision.dosage.every_days
            assert "doNotPerform" not in proposed
        else:
            assert all(each["doNotPerform"] is True for each in medications)
            assert not any("dosageInstruction" in each for each in medications)
        windows = [each["requestedPeriod"] for each in resources_of(bundle, "Appointment")]
        visit = decision.next_visit
        assert windows == (
            [[{"start": str(visit.earliest), "end": str(visit.latest)}]] if visit else []
        )
        recorded = only(bundle, "Provenance")
        assert recorded["recorded"] == f"{day}T00:00:00Z"
        named = recorded["entity"][0]["what"]["identifier"]["value"]
        assert named == decision.protocol.hash


def test_nothing_goes_out_as_an_order_or_without_the_notice() -> None:
    for path in COURSES:
        bundle = replayed(path)
        for kind in ("MedicationRequest", "ServiceRequest", "RequestGroup"):
            for resource in resources_of(bundle, kind):
                assert (resource["status"], resource["intent"]) == ("draft", "proposal")
        for kind in ("MedicationRequest", "RequestGroup", "GuidanceResponse", "Device"):
            for resource in resources_of(bundle, kind):
                assert NOT_A_DEVICE in [note["text"] for note in resource["note"]]


def test_no_code_of_rxnorm_is_guessed() -> None:
    assert "rxnorm" not in json.dumps(last_of(example("missed-doses")))


def test_what_falls_due_is_asked_for_on_its_days() -> None:
    bundle = last_of(example("missed-doses"))
    asked = {each["code"]["text"]: each for each in resources_of(bundle, "ServiceRequest")}
    days = ["2025-09-23", "2025-09-30", "2025-10-07", "2025-10-14"]
    assert asked["neutrophils"]["occurrenceTiming"]["event"] == days
    assert asked["neutrophils"]["code"]["coding"][0]["code"] == FIELD_CODES["neutrophils"].code


def test_what_is_missing_is_required_the_first_to_obtain_first() -> None:
    course = Course([Visit("2026-01-05", clasi_activity=11)])
    (decision,) = replay(course)
    required = only(last_of(course), "GuidanceResponse")["dataRequirement"]
    assert len(required) == len(decision.missing) > 3
    assert decision.obtain_first == "adverse_events"
    assert required[0] == {"type": "AdverseEvent"}
    asked = [each["codeFilter"][0] for each in required[1:]]
    assert all(each["path"] == "code" for each in asked)
    assert {"2106-3", "751-8", "777-3"} <= {code["code"] for each in asked for code in each["code"]}


def test_a_danger_names_its_resource() -> None:
    bundle = last_of(
        Course(
            [
                Visit(
                    "2026-01-05",
                    clasi_activity=11,
                    neutrophils=(0.4, "10*9/L"),
                    platelets=[(60, "10*9/L")],
                    adverse_events=["venous thromboembolism"],
                )
            ],
            Patient(id="p", age=40, able_to_become_pregnant=False),
        )
    )
    issues = {each["code"]["text"]: each for each in resources_of(bundle, "DetectedIssue")}
    assert set(issues) == {"neutrophils 0.4 × 10⁹/L", "platelets 60 × 10⁹/L"} | {
        "venous thromboembolism"
    }
    kinds = {}
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    for name, issue in issues.items():
        (named,) = issue["implicated"]
        kinds[name.split()[0]] = (issue["severity"], by_url[named["reference"]]["resourceType"])
    assert kinds == {
        "neutrophils": ("high", "Observation"),
        "platelets": ("low", "Observation"),
        "venous": ("high", "AdverseEvent"),
    }


def test_the_time_of_the_record_may_be_given_with_its_zone() -> None:
    course = example("missed-doses")
    moment = dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC)
    bundle: Any = decision_bundle(course, replay(course), moment)
    assert {each["recorded"] for each in resources_of(bundle, "Provenance")} == {
        "2026-01-05T09:30:00+00:00"
    }
    with pytest.raises(CallError, match="a time without its zone"):
        decision_bundle(course, replay(course), dt.datetime(2026, 1, 5, 9, 30))  # noqa: DTZ001  # what is refused


def test_the_drug_of_another_protocol_is_not_guessed() -> None:
    protocol = load_protocol(EXAMPLES / "protocols" / "methotrexate.toml")
    course = Course([Visit("2026-01-05", clasi_activity=11)])
    with pytest.raises(CallError, match="does not say of what drug it is"):
        decision_bundle(course, replay(course, protocol))


def test_a_decision_on_another_course_is_refused() -> None:
    course = example("missed-doses")
    with pytest.raises(CallError, match="is on no visit of the course"):
        decision_bundle(course, replay(example("relapse-in-taper")))


def test_markup_of_a_record_does_not_reach_the_narrative() -> None:
    course = Course(
        [Visit("2026-01-05", clasi_activity=11)], Patient(id="<script>alert(1)</script>&\"'")
    )
    bundle = last_of(course)
    check_bundle(bundle)
    assert "<script" not in only(bundle, "GuidanceResponse")["text"]["div"]
