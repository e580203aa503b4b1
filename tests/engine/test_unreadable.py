"""A result that cannot be read: what was known of its field no longer counts, but for a danger."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.patients import FERTILE, PROTOCOL, STERILE, count, negative, seen

from lenadose import CallError, Course, Visit, card, explain, replay
from lenadose.engine.observe import MissingReason
from lenadose.record.visit import ResultField
from lenadose.terms.facts import Action, Safety
from lenadose.terms.units import QUANTITIES
from lenadose.testing import courses


@pytest.mark.parametrize("field", QUANTITIES)
def test_a_result_of_a_visit_before_no_longer_counts(field: str) -> None:
    """Day 63 is late enough for the counts of day 56 to count at it, and the clearance of day 0."""
    before = [seen(0, 11), seen(28, 11), seen(56, 4)]
    silent = evolve(seen(63, 11), **dict.fromkeys(QUANTITIES))
    known = replay(Course([*before, silent], STERILE), PROTOCOL)[-1]
    assert known.seen.findings.result(field) is not None
    lost = replay(Course([*before, evolve(silent, unreadable=[field])], STERILE), PROTOCOL)[-1]
    assert lost.seen.findings.result(field) is None
    assert (field, MissingReason.ABSENT) in {(each.field, each.why) for each in lost.missing}
    assert lost.facts.safety is Safety.NOT_ASSESSED
    assert "no longer counts" in explain(lost)


def test_a_negative_test_of_a_visit_before_no_longer_counts() -> None:
    before = [
        seen(0, 11, pregnancy_tests=negative(-12, 0)),
        seen(14, 11, pregnancy_tests=negative(14)),
    ]
    silent = seen(17, 11, pregnancy_tests=None)
    known = replay(Course([*before, silent], FERTILE), PROTOCOL)[-1]
    assert "pregnancy_tests" not in {each.field for each in known.missing}
    lost = replay(
        Course([*before, evolve(silent, unreadable=["pregnancy_tests"])], FERTILE), PROTOCOL
    )[-1]
    assert "pregnancy_tests" in {each.field for each in lost.missing}
    assert "cannot be read: pregnancy tests; the negative one of" in explain(lost)


def test_a_danger_counts_until_a_newer_result_replaces_it() -> None:
    low = [seen(0, 11), seen(28, 11, neutrophils=count(0.8))]
    visit = seen(35, 11, neutrophils=None, unreadable=["neutrophils"])
    decision = replay(Course([*low, visit], STERILE), PROTOCOL)[-1]
    assert decision.facts.safety is Safety.INTERRUPT
    assert "0.8 × 10⁹/L of 2026-02-02, a danger, still counts" in explain(decision)
    better = seen(42, 11)
    assert replay(Course([*low, visit, better], STERILE), PROTOCOL)[-1].facts.safety is (
        Safety.ACCEPTABLE
    )


def test_a_result_of_the_visit_itself_counts() -> None:
    visit = seen(28, 11, unreadable=["platelets"])
    decision = replay(Course([seen(0, 11), visit], STERILE), PROTOCOL)[-1]
    assert decision.facts.safety is Safety.ACCEPTABLE


@given(courses(), st.sets(st.sampled_from([each.label for each in ResultField]), min_size=1))
def test_what_cannot_be_read_never_leads_to_more_drug(course: Course, fields: set[str]) -> None:
    """Beside a visit without the field, one that names it asks, or gives no more than before."""
    *before, last = course.visits
    bare = evolve(last, **{**dict.fromkeys(fields), "unreadable": None})
    silent = replay(evolve(course, visits=(*before, bare)))[-1]
    lost = replay(evolve(course, visits=(*before, evolve(bare, unreadable=sorted(fields)))))[-1]
    assert {each.field for each in lost.missing} >= {each.field for each in silent.missing}
    assert lost.action in {silent.action, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES}
    lost_mg, silent_mg = (each.dosage.daily_mg if each.dosage else 0 for each in (lost, silent))
    assert lost_mg <= silent_mg


def test_the_card_says_why_the_field_is_asked_for() -> None:
    visit = seen(28, 11, creatinine_clearance=None, unreadable=["creatinine_clearance"])
    decision = replay(Course([seen(0, 11), visit], STERILE), PROTOCOL)[-1]
    assert decision.action is Action.REQUEST_DATA
    obtain = next(line for line in card(decision).lines if line.label == "Obtain first")
    assert obtain.words == "creatinine clearance (one was reported that cannot be read)"


@pytest.mark.parametrize(
    ("given_value", "words"),
    [
        (["neutrophil"], "unreadable[0]: 'neutrophil' is not one of neutrophils, platelets"),
        (["platelets", 3], "unreadable[1]: 3 is not one of"),
        ("neutrophils", "unreadable: 'neutrophils' is not a list; give a list of neutrophils"),
    ],
)
def test_another_field_is_refused(given_value: object, words: str) -> None:
    with pytest.raises(CallError) as refused:
        Visit("2026-01-05", unreadable=given_value)  # type: ignore[arg-type]  # that is refused
    assert words in str(refused.value)
