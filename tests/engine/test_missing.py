"""What is missing: the possible actions are exactly those of all completions, tried one by one."""

from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from tests.support.patients import (
    DAY0,
    FERTILE,
    PROTOCOL,
    STERILE,
    clearance,
    count,
    day,
    event,
    judged,
    negative,
    seen,
    walk,
)

from lenadose import Decision, Patient, Visit, begin, replay, step
from lenadose.engine.missing import ORDER
from lenadose.engine.observe import MissingReason
from lenadose.record.visit import PregnancyTest, TestResult
from lenadose.terms.facts import ON_TREATMENT, Action, Phase, Safety
from lenadose.testing import courses

MISSED = (event("missed period"),)
HISTORIES = {
    "before start": [],
    "at the first level": [seen(0, 11)],
    "at the highest level": [seen(0, 11), seen(28, 11)],
    "in the taper": [seen(0, 11), seen(28, 11), seen(56, 0)],
    "at the end of the taper": [seen(0, 11), seen(28, 0)],
    "interrupted": [seen(0, 11), seen(30, 5, neutrophils=count(0.9))],
    "interrupted at the lowest": [seen(0, 11), seen(28, 0), seen(40, 5, neutrophils=count(0.9))],
    "interrupted for an evaluation": [seen(0, 11), seen(30, 5, adverse_events=MISSED)],
    "off treatment": [seen(0, 11), seen(28, 0), seen(56, 0)],
    "discontinued": [seen(0, 11), seen(28, 5, adverse_events=(event("angioedema"),))],
    "with caution before": [
        seen(0, 11),
        seen(28, 5, neutrophils=count(1.2), adverse_events=(event("fatigue", 2),)),
    ],
    "with a low clearance before": [
        seen(0, 11),
        seen(28, 11),
        seen(56, 11, creatinine_clearance=clearance(45)),
    ],
}
FIELDS = (
    "clasi_activity",
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "adverse_events",
    "pregnancy_tests",
)


def completions(decision: Decision, field: str) -> list[object]:
    """Every kind of value that a missing field can turn out to have."""
    on = decision.visit.date
    match field:
        case "clasi_activity":
            return list(range(71))
        case "neutrophils":
            return [count(0.5), count(1.2), count(3)]
        case "platelets":
            return [count(20), count(60), count(240)]
        case "creatinine_clearance":
            return [clearance(20), clearance(45), clearance(95)]
        case "pregnancy_tests":
            number = (on - DAY0).days
            return [negative(number - 12, number), (PregnancyTest(TestResult.POSITIVE),)]
        case _:
            terms = [(), ("fatigue", 2), ("insomnia", 3), ("missed period",), ("anaphylaxis",)]
            return [(event(*each),) if each else () for each in terms]


def by_trial(state, decision: Decision) -> set[Action]:
    """The actions of every completion, each decided by the machine itself."""
    fields = [gap.field for gap in decision.missing]
    found = set()
    for values in product(*(completions(decision, field) for field in fields)):
        complete = evolve(decision.visit, **dict(zip(fields, values, strict=True)))
        decided, _ = step(PROTOCOL, state, complete)
        # Tests from before a missed period no longer count; it is a danger of its own.
        voided = {"pregnancy_tests"} if MISSED in values else set()
        assert {gap.field for gap in decided.missing} <= voided
        found.add(decided.action)
    return found


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("gap", [1, 20, 28, 60])
@pytest.mark.parametrize("judgement", [None, "improved", "not improved", "worse"])
def test_the_possible_actions_are_those_of_all_completions(
    history: str, gap: int, judgement: str | None
) -> None:
    visits = HISTORIES[history]
    on = (visits[-1].date - DAY0).days + gap if visits else 0
    for patient in (
        (STERILE, FERTILE) if history in ("before start", "off treatment") else (STERILE,)
    ):
        state = begin(PROTOCOL, patient)
        for visit in visits:
            tests = negative((visit.date - DAY0).days - 12, (visit.date - DAY0).days)
            state = step(PROTOCOL, state, evolve(visit, pregnancy_tests=tests))[1]
        for left_out in [
            (),
            *((each,) for each in FIELDS),
            FIELDS[:2],
            FIELDS[3:],
            FIELDS[1:4],
            FIELDS[:1] + FIELDS[4:],
        ]:
            shown = {field: None for field in left_out if field != "clasi_activity"}
            if patient is FERTILE and "pregnancy_tests" not in left_out:
                shown["pregnancy_tests"] = negative(on - 12, on)
            activity = None if "clasi_activity" in left_out else 5
            visit = seen(on, activity, judgement=judged(judgement) if judgement else None, **shown)
            decision, _ = step(PROTOCOL, state, visit)
            assert decision.possible_actions == by_trial(state, decision)
            check_request(decision)


def check_request(decision: Decision) -> None:
    """Data is requested exactly when a completion would change the action; a known danger is acted
    on at once.
    """
    open_question = len(decision.possible_actions) > 1
    off = decision.facts.phase is Phase.OFF_TREATMENT
    danger = decision.facts.safety in (Safety.STOP, Safety.INTERRUPT) and not off
    asked = decision.action is Action.REQUEST_DATA
    unassessed = (
        decision.facts.safety is Safety.NOT_ASSESSED
        and decision.facts.phase in ON_TREATMENT | {Phase.INTERRUPTED}
    )
    assert asked == ((open_question and not danger) or unassessed), decision
    if not asked:
        assert decision.action in decision.possible_actions
    assert (decision.obtain_first is None) == (not open_question)
    if decision.obtain_first is not None:
        assert decision.obtain_first in [gap.field for gap in decision.missing]


@given(courses(PROTOCOL))
def test_data_is_requested_exactly_when_it_would_change_the_action(course) -> None:
    for decision in replay(course):
        check_request(decision)
        assert len({gap.field for gap in decision.missing}) == len(decision.missing)


def test_a_visit_of_which_nothing_is_known() -> None:
    decision = walk([Visit(day(0))], Patient())[-1]
    assert decision.action is Action.REQUEST_DATA
    assert [gap.field for gap in decision.missing] == list(ORDER)
    assert {gap.why for gap in decision.missing} == {MissingReason.ABSENT}
    assert decision.possible_actions == {Action.START, Action.OBSERVE, Action.PRESCRIBER_DECIDES}


def test_a_missing_count_leaves_what_the_events_say() -> None:
    ill = (event("insomnia", 3),)
    decision = walk([seen(0, 11), seen(28, 11, neutrophils=None, adverse_events=ill)])[-1]
    assert decision.action is Action.INTERRUPT
    assert decision.possible_actions == {Action.INTERRUPT}
    assert decision.obtain_first is None
    unasked = walk([seen(0, 11), seen(28, 11, neutrophils=count(0.9), adverse_events=None)])[-1]
    assert unasked.action is Action.INTERRUPT
    assert unasked.possible_actions == {Action.INTERRUPT, Action.DISCONTINUE}
    assert unasked.obtain_first == "adverse_events"


def test_the_fact_to_obtain_first_narrows_most_in_its_least_helpful_case() -> None:
    both = walk([seen(0, 11), seen(28, None, neutrophils=count(3, day(0)))])[-1]
    assert [gap.field for gap in both.missing] == ["neutrophils", "clasi_activity"]
    # Either leaves three actions at worst; counts come before the score.
    assert both.obtain_first == "neutrophils"
