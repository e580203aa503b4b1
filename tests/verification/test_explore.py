"""The states of `reach` are those of real patients, and so are the pairs of rules."""

import json
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, note, settings

from lenadose import Course, Decision, Visit, course_data, get_protocol, observe, recommend, replay
from lenadose.protocol.builtin import BUILT_IN
from lenadose.testing import courses
from lenadose.verification.explore import StateSpace, reach
from lenadose.verification.places import (
    AbstractDecision,
    AbstractState,
    AbstractVisit,
    abstract,
    decide,
)
from lenadose.verification.scenarios import leaves_mark
from lenadose.verification.vectors import pairs


@cache
def state_space(id: str) -> StateSpace:
    """The state space of a built-in protocol."""
    return reach(get_protocol(id))


def place_of(decision: Decision) -> AbstractState:
    """The place in which the visit was met: what was taken counts, what was shown does not yet."""
    visit = decision.visit
    empty = Visit(visit.date, dosage_taken=visit.dosage_taken, doses_missed=visit.doses_missed)
    return abstract(observe(decision.protocol, decision.seen.before, empty)).place


def showing_of(decision: Decision) -> AbstractVisit:
    """The abstract visit."""
    clearance, facts = decision.seen.findings.clearance, decision.facts
    lowers_below = decision.protocol.safety.clearance_lowers_below.value
    lowered = clearance is not None and clearance.amount < lowers_below
    return AbstractVisit(facts.response, facts.safety, lowered, leaves_mark(decision.seen))


def assert_is(told: AbstractDecision, decision: Decision) -> None:
    """The real decision is the one that was told."""
    assert told.match is decision.seen.match
    assert told.level == decision.level
    assert told.ceiling == decision.seen.ceiling
    assert told.phase_after is decision.phase_after


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_decision_on_any_course_is_the_answer_of_a_place_that_is_reached(name: str) -> None:
    protocol, space = get_protocol(name), state_space(name)

    following = set(pairs(space))

    # What one course in a hundred shows must not be missed.
    @settings(max_examples=max(400, settings().max_examples))
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
    for place, answers in space.decisions.items():
        for showing, told in answers.items():
            seen = space.realize(space.witnesses[place], showing)
            assert seen is not None, told
            assert_is(told, recommend(seen))
            tried += 1
    assert tried > 10_000
