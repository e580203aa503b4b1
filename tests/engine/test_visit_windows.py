"""When the patient is to be seen next: after dangers, stops and questions, and in interruptions."""

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from tests.support import second_reading as again
from tests.support.patients import (
    DAY0,
    FERTILE,
    PROTOCOL,
    begin_and,
    clearance,
    count,
    day,
    event,
    negative,
    rules,
    seen,
    took,
    walk,
)

from lenadose import Decision, Visit, step
from lenadose.engine.machine import same_day_dangers
from lenadose.record.visit import PregnancyTest, TestResult
from lenadose.terms.facts import Phase

PHASES: dict[Phase, list[Visit]] = {
    Phase.BEFORE_START: [seen(0, 0)],
    Phase.TITRATION: [seen(0, 11)],
    Phase.TAPER: [seen(0, 11), seen(28, 11), seen(56, 0)],
    Phase.INTERRUPTED: [seen(0, 11), seen(7, 11, adverse_events=(event("missed period"),))],
    Phase.OFF_TREATMENT: [seen(0, 11), seen(28, 0), seen(56, 0)],
    Phase.DISCONTINUED: [seen(0, 11), seen(7, 11, stopped="moves away")],
}
"""Visits that lead to each phase."""
DANGERS: dict[str, dict[str, Any]] = {
    "neutrophils": {"neutrophils": count(0.49)},
    "febrile neutropenia": {"adverse_events": (event("febrile neutropenia"),)},
    "suspicion": {"adverse_events": (event("suspected thromboembolism"),)},
    "thromboembolism": {"adverse_events": (event("venous thromboembolism"),)},
    "grade 4": {"adverse_events": (event("insomnia", 4),)},
    "pregnancy": {"adverse_events": (event("pregnancy"),)},
    "positive test": {"pregnancy_tests": (PregnancyTest(TestResult.POSITIVE),)},
}
"""Findings that ask for a same-day assessment at the visit at which they are new."""
MILDER: dict[str, dict[str, Any]] = {
    "neutrophils": {"neutrophils": count(0.5)},
    "clearance": {"creatinine_clearance": clearance(20)},
    "grade 3": {"adverse_events": (event("insomnia", 3),)},
    "nothing": {},
}


def window(decision: Decision) -> tuple[date, date, date]:
    assert decision.next_visit is not None
    planned = decision.next_visit
    return planned.earliest, planned.due, planned.latest


def after(phase: Phase, days: int = 3, **shown: Any) -> Decision:
    """The decision some days after the visits that lead to a phase, in that phase."""
    visits = PHASES[phase]
    number = (visits[-1].date - DAY0).days + days
    return walk([*visits, seen(number, visits[-1].clasi_activity, **shown)])[-1]


# Dangers


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_danger_of_the_same_day_is_seen_again_within_a_week(phase: Phase, danger: str) -> None:
    decision = after(phase, **DANGERS[danger])
    assert decision.facts.phase is phase
    assert same_day_dangers(decision.seen)
    assert window(decision) == again.window_soon(decision.visit.date)


@pytest.mark.parametrize("finding", MILDER)
@pytest.mark.parametrize("phase", PHASES)
def test_another_finding_is_no_danger_of_the_same_day(phase: Phase, finding: str) -> None:
    assert same_day_dangers(after(phase, **MILDER[finding]).seen) == ()


@pytest.mark.parametrize("term", ["venous thromboembolism", "pregnancy"])
def test_what_stopped_treatment_before_is_no_new_danger(term: str) -> None:
    stopped = [seen(0, 11), seen(7, 11, adverse_events=(event(term),))]
    for reported in ((), (event(term),)):
        decision = walk([*stopped, seen(14, 11, adverse_events=reported)])[-1]
        assert same_day_dangers(decision.seen) == ()
        assert window(decision) == (day(35), day(35), day(42))


def test_each_event_of_the_sheet_asks_for_the_same_day_or_not() -> None:
    for term, grade in (
        ("febrile neutropenia", None),
        ("suspected thromboembolism", None),
        ("angioedema", 1),
        ("missed period", None),
        ("rash", 3),
        ("rash", 4),
    ):
        decision = walk([seen(0, 11), seen(7, 11, adverse_events=(event(term, grade),))])[-1]
        assert bool(same_day_dangers(decision.seen)) is again.same_day(term, grade), term


# After a stop


def test_after_a_stop_for_harm_the_patient_comes_within_a_week_and_after_four_weeks() -> None:
    harmed = [seen(0, 11), seen(7, 11, adverse_events=(event("anaphylaxis"),))]
    assert window(walk(harmed)[-1]) == (day(8), day(14), day(14))
    for on in range(8, 60):
        decision = walk([*harmed, seen(on, 11)])[-1]
        due = None if decision.next_visit is None else decision.next_visit.due
        assert (decision.rule.id, due) == ("ended", again.visit_after_the_end(day(7), day(on)))


def test_the_visit_four_weeks_after_the_end_stays_planned_from_visit_to_visit() -> None:
    visits = [
        seen(0, 11),
        seen(7, 11, adverse_events=(event("anaphylaxis"),)),
        *(seen(on, None) for on in (14, 34, 35, 36)),
    ]
    due = [each.next_visit and each.next_visit.due for each in walk(visits)[2:]]
    assert due == [day(35), day(35), None, None]


def test_after_another_end_of_treatment_the_patient_comes_after_four_weeks() -> None:
    no_benefit = walk([seen(0, 11), seen(28, 11), seen(56, 11), seen(84, 11)])[-1]
    assert no_benefit.rule.id == "no-benefit"
    assert window(no_benefit) == (day(112), day(112), day(119))
    low = {"neutrophils": count(0.9)}
    visits = [seen(0, 11), seen(7, 11, **low), seen(14, 11), seen(21, 11, **low), seen(28, 11)]
    assert rules(visits)[-1] == "no-level-left"
    assert window(walk(visits)[-1]) == (day(56), day(56), day(63))


# In an interruption


@pytest.mark.parametrize(
    ("after_days", "due"), [(20, 27), (21, 28), (22, 28), (27, 28), (28, 35), (29, 36)]
)
def test_an_interruption_is_seen_again_while_it_may_simply_be_resumed(
    after_days: int, due: int
) -> None:
    trouble = {"adverse_events": (event("missed period"),)}
    visits = [seen(0, 11), seen(10, 11, **trouble), seen(10 + after_days, 11, **trouble)]
    decision = walk(visits)[-1]
    assert decision.rule.id == "remain-interrupted"
    assert window(decision) == (day(11 + after_days), day(10 + due), day(10 + due))
    assert window(decision) == again.window_soon(day(10 + after_days), day(10))


@pytest.mark.parametrize(("on", "due"), [(30, 37), (37, 38), (38, 45)])
def test_a_question_in_an_interruption_leaves_the_last_day_too(on: int, due: int) -> None:
    over = event("missed period", resolved=True)
    visits = [
        seen(0, 11),
        seen(10, 11, adverse_events=(event("missed period"),)),
        seen(on, 11, adverse_events=(over,), neutrophils=count(3, day(0)), platelets=None),
    ]
    decision = walk(visits)[-1]
    assert decision.rule.id == "ask-before-resuming"
    assert window(decision) == (day(on + 1), day(due), day(due))


# Pregnancy tests before a start


@pytest.mark.parametrize(
    ("ages", "earliest", "latest"),
    [
        ((), 10, 14),
        ((0,), 10, 14),
        ((5,), 5, 9),
        ((9,), 1, 5),
        ((10,), 1, 4),
        ((13,), 1, 1),
        ((14,), 10, 14),
        ((15,), 10, 14),
        ((5, 0), 5, 9),
        ((13, 5), 1, 1),
        ((15, 5), 5, 9),
    ],
)
def test_a_start_with_tests_missing_is_planned_when_both_can_have_been_done(
    ages: tuple[int, ...], earliest: int, latest: int
) -> None:
    tests = negative(*(-each for each in ages))
    decision = walk([seen(0, 11, pregnancy_tests=tests)], FERTILE)[-1]
    assert decision.rule.id == "ask-before-start"
    assert window(decision) == (day(earliest), day(latest), day(latest))


def test_tests_of_10_and_14_days_ago_start_with_one_of_today() -> None:
    for age, starts in ((9, False), (10, True), (14, True), (15, False)):
        tests = negative(-age, 0)
        decision = walk([seen(0, 11, pregnancy_tests=tests)], FERTILE)[-1]
        assert (decision.rule.id == "start") is starts


def test_the_visit_for_the_tests_is_that_of_the_sheet_and_starts_there() -> None:
    """With up to two tests; with one of the visit and one of the window treatment starts."""
    for ages in (each for n in range(3) for each in combinations(range(18), n)):
        visit = seen(0, 11, pregnancy_tests=negative(*(-each for each in ages)))
        decision = walk([visit], FERTILE)[-1]
        if again.tests_suffice_at_start(ages):
            assert decision.rule.id == "start"
            continue
        planned = again.window_for_tests(DAY0, [day(-each) for each in ages])
        assert window(decision) == planned, ages
        earliest, _, latest = ((each - DAY0).days for each in planned)
        for on in (earliest, latest):
            shown = seen(on, 11, pregnancy_tests=negative(0, on))
            assert rules([visit, shown], FERTILE)[-1] == "start", (ages, on)


def test_before_a_restart_the_tests_are_waited_for_too() -> None:
    tested = {"pregnancy_tests": negative(-12, 0)}
    visits = [seen(0, 11, **tested), seen(28, 0, pregnancy_tests=negative(28))]
    visits += [seen(56, 0, pregnancy_tests=negative(56)), seen(90, 11)]
    decision = walk(visits, FERTILE)[-1]
    assert decision.rule.id == "ask-before-restart"
    assert window(decision) == (day(100), day(104), day(104))


def test_after_more_than_28_days_without_drug_the_tests_are_waited_for_too() -> None:
    visits = [seen(0, 11, pregnancy_tests=negative(-12, 0))]
    longer, shorter = (
        walk([*visits, seen(on, 11, pregnancy_tests=negative(on - 40))], FERTILE)[-1]
        for on in (64, 63)
    )
    assert longer.rule.id == shorter.rule.id == "ask-before-resuming"
    assert window(longer) == (day(74), day(78), day(78))
    assert window(shorter) == (day(64), day(70), day(70))


def test_another_question_before_a_start_is_asked_again_within_a_week() -> None:
    tested = seen(0, 11, pregnancy_tests=negative(-12, 0), neutrophils=None)
    assert window(walk([tested], FERTILE)[-1]) == (day(1), day(7), day(7))


# Drug taken in a phase without drug


@pytest.mark.parametrize(
    "phase",
    [Phase.BEFORE_START, Phase.INTERRUPTED, Phase.OFF_TREATMENT, Phase.DISCONTINUED],
)
def test_drug_that_was_not_advised_changes_no_phase_and_is_seen_again_within_a_week(
    phase: Phase,
) -> None:
    decision = after(phase, dosage_taken=took(5), adverse_events=())
    assert decision.facts.phase is phase
    assert decision.seen.unadvised == took(5).dosage
    assert window(decision) == again.window_soon(decision.visit.date)
    nothing = after(phase, dosage_taken=took(0), adverse_events=())
    assert nothing.seen.unadvised is None
    assert nothing.next_visit == after(phase, adverse_events=()).next_visit


def test_drug_that_was_not_advised_does_not_wait_for_the_tests_of_a_start() -> None:
    decision = walk([seen(0, 11), seen(3, 11, dosage_taken=took(5))], FERTILE)[-1]
    assert decision.rule.id == "ask-before-start"
    assert window(decision) == again.window_soon(day(3))


def test_what_the_prescriber_resumed_and_then_stopped_was_advised() -> None:
    over = (event("missed period", resolved=True),)
    visits = [*PHASES[Phase.INTERRUPTED], seen(40, 11, adverse_events=over)]
    assert rules(visits)[-1] == "interruption-too-long"
    decision = walk([*visits, seen(50, 11, dosage_taken=took(5), stopped="moves away")])[-1]
    assert decision.rule.id == "ended"
    assert decision.seen.unadvised is None
    assert window(decision) == (day(78), day(78), day(85))


def test_drug_taken_after_the_end_moves_the_end_of_pregnancy_prevention() -> None:
    visits = [*PHASES[Phase.DISCONTINUED], seen(20, 11, dosage_taken=took(5))]
    for on, due in ((27, 48), (47, 48), (48, None)):
        decision, _ = step(PROTOCOL, begin_and(visits), seen(on, 11))
        assert (decision.next_visit and decision.next_visit.due) == (due and day(due))


def test_caution_after_a_decision_without_drug_leaves_the_plan() -> None:
    mild = {"adverse_events": (event("insomnia", 2),)}
    assert window(after(Phase.TITRATION, **mild)) == (day(4), day(10), day(10))
    decision = after(Phase.OFF_TREATMENT, **mild)
    assert window(decision) == (day(70), day(70), day(77))
    assert decision.visit.date + timedelta(days=11) == day(70)
