"""Days on which there was no drug to take: a few are missed, more of them are an interruption."""

from itertools import product
from typing import Any

import pytest
from tests.support import second_reading as again
from tests.support.patients import (
    FERTILE,
    PROTOCOL,
    STERILE,
    begin_and,
    count,
    day,
    event,
    negative,
    rules,
    seen,
    took,
    walk,
)

from lenadose import CallError, Decision, observe
from lenadose.terms.facts import Phase, Position, Timing

LOWEST, FIVE, TEN = PROTOCOL.ladder.levels
UNASKED: dict[str, Any] = {"adverse_events": None}
UNSUPPLIED = [seen(0, 11), seen(14, 11, **UNASKED)]
"""A start, and a visit after 14 days that leaves the patient without a dosage."""


def window(decision: Decision) -> tuple[object, ...]:
    assert decision.next_visit is not None
    planned = decision.next_visit
    return planned.earliest, planned.due, planned.latest


# After a decision without a dosage


def test_up_to_7_days_after_a_decision_without_a_dosage_are_missed_and_8_interrupt() -> None:
    assert walk(UNSUPPLIED)[-1].dosage is None
    missed, interrupted = (walk([*UNSUPPLIED, seen(on, 11)])[-1] for on in (21, 22))
    assert (missed.facts.phase, missed.rule.id) == (Phase.TITRATION, "await-assessment")
    assert missed.seen.due_on == day(35)
    assert (interrupted.facts.phase, interrupted.rule.id) == (Phase.INTERRUPTED, "resume")
    assert interrupted.dosage == FIVE.dosage


def test_a_word_about_what_was_taken_answers_for_the_days() -> None:
    for on, dosage in product((21, 22, 60), (took(5), took(10))):
        decision = walk([*UNSUPPLIED, seen(on, 11, dosage_taken=dosage)])[-1]
        assert decision.facts.phase is Phase.TITRATION
        assert decision.seen.treatment.no_drug_since is None


def test_doses_missed_say_nothing_where_no_dosage_was_advised() -> None:
    assert rules([*UNSUPPLIED, seen(22, 11, doses_missed=0)])[-1] == "resume"
    with pytest.raises(CallError, match="1 missed of 0"):
        walk([*UNSUPPLIED, seen(22, 11, doses_missed=1)])


def test_days_in_a_row_are_counted_over_several_visits() -> None:
    asked_again = [*UNSUPPLIED, seen(18, 11, **UNASKED)]
    assert walk([*asked_again, seen(21, 11)])[-1].facts.phase is Phase.TITRATION
    interrupted = walk([*asked_again, seen(22, 11)])[-1]
    assert interrupted.facts.phase is Phase.INTERRUPTED
    assert interrupted.seen.treatment.no_drug_since == day(14)


def test_a_supply_in_between_ends_the_row() -> None:
    supplied = [*UNSUPPLIED, seen(20, 11), seen(26, 11, **UNASKED)]
    assert walk([*supplied, seen(33, 11)])[-1].facts.phase is Phase.TITRATION
    assert walk([*supplied, seen(34, 11)])[-1].facts.phase is Phase.INTERRUPTED


@pytest.mark.parametrize(("on", "rule"), [(42, "resume"), (43, "interruption-too-long")])
def test_the_28_days_run_from_the_first_of_the_days_without_drug(on: int, rule: str) -> None:
    assert rules([*UNSUPPLIED, seen(on, 11)])[-1] == rule


# After a visit that was not kept


def test_up_to_7_days_past_a_visit_not_kept_are_missed_and_8_interrupt() -> None:
    start = walk([seen(0, 11)])[-1]
    assert window(start) == (day(28), day(28), day(35))
    in_time, missed, interrupted = (walk([seen(0, 11), seen(on, 11)])[-1] for on in (35, 42, 43))
    assert (in_time.rule.id, in_time.seen.due_on) == ("escalate", day(28))
    assert (missed.rule.id, missed.seen.due_on) == ("escalate", day(35))
    assert (interrupted.rule.id, interrupted.dosage) == ("resume", FIVE.dosage)


@pytest.mark.parametrize("said", [{"doses_missed": 0}, {"dosage_taken": took(5)}])
@pytest.mark.parametrize("on", [42, 43, 182])
def test_a_word_about_doses_answers_for_a_visit_not_kept(on: int, said: dict[str, Any]) -> None:
    decision = walk([seen(0, 11), seen(on, 11, **said)])[-1]
    assert (decision.rule.id, decision.seen.due_on) == ("escalate", day(28))


@pytest.mark.parametrize(("on", "rule"), [(63, "resume"), (64, "interruption-too-long")])
def test_a_patient_away_for_longer_is_not_simply_resumed(on: int, rule: str) -> None:
    assert rules([seen(0, 11), seen(on, 11)])[-1] == rule


def test_a_visit_planned_within_a_week_leaves_the_supply_of_28_days() -> None:
    visits = [seen(0, 11, neutrophils=count(1.2))]
    assert window(walk(visits)[-1]) == (day(1), day(7), day(7))
    assert walk([*visits, seen(35, 11)])[-1].facts.phase is Phase.TITRATION
    assert walk([*visits, seen(36, 11)])[-1].facts.phase is Phase.INTERRUPTED


def test_half_a_year_of_silence_raises_no_dose() -> None:
    for visits in (
        [seen(0, 20)],
        [seen(0, 20), seen(28, 0)],
        [seen(0, 20), seen(28, 20)],
    ):
        decision = walk([*visits, seen(210, 20)])[-1]
        assert (decision.rule.id, decision.dosage) == ("interruption-too-long", None)
        assert decision.facts.phase is Phase.INTERRUPTED
        assert decision.facts.timing is Timing.DUE
        assert window(decision) == (day(211), day(217), day(217))


def test_off_the_ladder_a_silent_visit_means_that_the_dosage_goes_on() -> None:
    off = [seen(0, 11), seen(7, 11, dosage_taken=took(15)), seen(40, 11)]
    decision = walk(off)[-1]
    assert decision.facts.position is Position.OFF_LADDER
    assert decision.facts.phase is Phase.TITRATION


# What such an interruption is


def test_an_absence_is_no_harm_and_lowers_no_ceiling() -> None:
    decision = walk([seen(0, 11), seen(28, 11), seen(80, 11)])[-1]
    assert (decision.rule.id, decision.dosage) == ("resume", TEN.dosage)
    assert decision.seen.before.limiting_events == ()


def test_harm_found_after_an_absence_counts_against_the_last_level() -> None:
    decisions = walk(
        [seen(0, 11), seen(28, 11), seen(80, 11, neutrophils=count(0.9)), seen(84, 11)]
    )
    assert [each.rule.id for each in decisions[2:]] == ["remain-interrupted", "resume"]
    assert decisions[-1].dosage == FIVE.dosage


def test_after_an_absence_the_interval_begins_anew_and_the_trial_has_run_on() -> None:
    decisions = walk([seen(0, 11), seen(28, 11), seen(80, 11), seen(107, 11), seen(108, 11)])
    assert [each.rule.id for each in decisions[2:]] == ["resume", "await-assessment", "no-benefit"]


def test_an_absence_in_taper_is_resumed_in_titration() -> None:
    decisions = walk([seen(0, 11), seen(28, 0), seen(75, 0)])
    assert [each.rule.id for each in decisions[1:]] == ["begin-taper", "resume"]
    assert decisions[-1].phase_after is Phase.TITRATION
    assert decisions[-1].dosage == LOWEST.dosage


def test_the_days_are_those_of_the_sheet() -> None:
    """A start and a visit with or without a dosage after it, and every day up to the tenth week."""
    for unasked, on in product((False, True), range(15, 85)):
        visits = [seen(0, 11), seen(14, 11, **(UNASKED if unasked else {}))]
        state, latest = begin_and(visits, STERILE), walk(visits)[-1].next_visit
        assert latest is not None
        until, days = again.days_without_drug(day(14), not unasked, latest.latest, day(on), False)
        now = observe(PROTOCOL, state, seen(on, 11))
        if again.interrupted_by_absence([days]):
            assert now.facts.phase is Phase.INTERRUPTED, on
            assert now.treatment.no_drug_since == until
            due = again.interruption_too_long(until, day(on))
            assert now.facts.timing is (Timing.DUE if due else Timing.BEFORE_DUE)
        else:
            end = again.interval_end(day(0), Phase.TITRATION, days)
            assert now.facts.phase is Phase.TITRATION, on
            assert now.facts.timing is again.timing(end, day(on))


# Pregnancy tests, after more than 28 days without drug


@pytest.mark.parametrize("newest", [35, 49, 63])
def test_after_28_days_without_drug_the_newest_test_is_enough(newest: int) -> None:
    visits = [seen(0, 11, pregnancy_tests=negative(-12, 0))]
    back = seen(63, 11, pregnancy_tests=negative(newest))
    assert rules([*visits, back], FERTILE)[-1] == "resume"


@pytest.mark.parametrize(
    ("tests", "rule"),
    [
        ((64,), "ask-before-resuming"),
        ((55, 64), "ask-before-resuming"),
        ((54, 64), "interruption-too-long"),
        ((50, 63), "interruption-too-long"),
        ((50, 62), "ask-before-resuming"),
        ((49, 64), "ask-before-resuming"),
    ],
)
def test_after_29_days_without_drug_both_tests_of_a_start_are_needed(
    tests: tuple[int, ...], rule: str
) -> None:
    visits = [seen(0, 11, pregnancy_tests=negative(-12, 0))]
    assert rules([*visits, seen(64, 11, pregnancy_tests=negative(*tests))], FERTILE)[-1] == rule


@pytest.mark.parametrize(("age", "known"), [(7, True), (8, False)])
def test_after_29_days_without_drug_tests_are_weekly_again(age: int, known: bool) -> None:
    over = (event("missed period", resolved=True),)
    visits = [
        seen(0, 11, pregnancy_tests=negative(-12, 0)),
        seen(28, 5, pregnancy_tests=negative(28)),
        seen(40, 5, pregnancy_tests=negative(40), adverse_events=(event("missed period"),)),
        seen(80, 5, pregnancy_tests=negative(68, 80), adverse_events=over),
        seen(90, 5, dosage_taken=took(5), pregnancy_tests=negative(90)),
        seen(108, 5, pregnancy_tests=negative(108 - age)),
    ]
    decisions = walk(visits, FERTILE)
    assert [each.rule.id for each in decisions[3:5]] == [
        "interruption-too-long",
        "await-assessment",
    ]
    assert ("pregnancy_tests" not in {gap.field for gap in decisions[-1].missing}) is known


@pytest.mark.xfail(
    strict=True, reason="an interruption for harm forgets the days without drug before it"
)
def test_days_without_drug_before_an_interruption_count_towards_the_28() -> None:
    visits = [
        seen(0, 11, pregnancy_tests=negative(-12, 0)),
        seen(14, 11, pregnancy_tests=negative(14), **UNASKED),
        seen(20, 11, pregnancy_tests=negative(20), adverse_events=(event("insomnia", 3),)),
        seen(45, 11, pregnancy_tests=negative(45)),
    ]
    assert rules(visits[:3], FERTILE)[-1] == "interrupt-for-harm"
    assert rules(visits, FERTILE)[-1] == "ask-before-resuming"  # 31 days after the last dose
