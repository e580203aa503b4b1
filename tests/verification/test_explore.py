"""The states of `reach` are those of real patients, and so are the pairs of rules."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, note, settings
from tests.support.verified import shortest_pairs, state_space

from lenadose import Course, Decision, Visit, course_data, get_protocol, observe, recommend, replay
from lenadose.protocol.builtin import BUILT_IN
from lenadose.testing import courses
from lenadose.verification.places import (
    AbstractDecision,
    AbstractState,
    AbstractVisit,
    abstract,
    decide,
)
from lenadose.verification.scenarios import leaves_mark


def place_of(decision: Decision) -> AbstractState:
    """The place in which the visit was met: what was taken counts, what was shown does not yet."""
    visit = decision.visit
    empty = Visit(
        visit.date,
        dosage_taken=visit.dosage_taken,
        doses_missed=visit.doses_missed,
        stopped=visit.stopped,
    )
    return abstract(observe(decision.protocol, decision.seen.before, empty)).place


def showing_of(decision: Decision) -> AbstractVisit:
    """The abstract visit."""
    clearance, facts = decision.seen.findings.creatinine_clearance, decision.facts
    lowers_below = decision.protocol.safety.clearance_lowers_below.value
    lowered = clearance is not None and clearance.amount < lowers_below
    return AbstractVisit(facts.response, facts.safety, lowered, leaves_mark(decision.seen))


def assert_is(expected: AbstractDecision, decision: Decision) -> None:
    """The real decision is the one that was expected."""
    assert expected.match is decision.seen.match
    assert expected.level == decision.level
    assert expected.ceiling == decision.seen.ceiling
    assert expected.phase_after is decision.phase_after


RARE = 400
"""Enough courses to show what one in a hundred shows."""


@pytest.mark.parametrize("examples", [60, pytest.param(RARE, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_decision_on_any_course_is_one_of_a_reachable_state(name: str, examples: int) -> None:
    protocol, space = get_protocol(name), state_space(name)
    following = set(shortest_pairs(name))

    @settings(max_examples=max(examples, settings().max_examples if examples == RARE else 0))
    @given(courses(protocol))
    def holds(course: Course) -> None:
        note(json.dumps(course_data(course)))
        decisions = replay(course, protocol)
        for decision in decisions:
            place, showing = place_of(decision), showing_of(decision)
            assert place in space.witnesses
            assert showing in space.decisions[place]
            assert_is(decide(protocol, place, showing), decision)
        assert following.issuperset(pairwise(each.rule.id for each in decisions))

    holds()


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_answer_can_be_had_by_a_real_visit(name: str) -> None:
    space, tried = state_space(name), 0
    for place, decisions in space.decisions.items():
        for showing, expected in decisions.items():
            seen = space.realize(space.witnesses[place], showing)
            assert seen is not None, expected
            assert_is(expected, recommend(seen))
            tried += 1
    assert tried > 10_000
