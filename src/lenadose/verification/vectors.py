"""Courses by which another implementation shows that it decides alike.

A pair of rules is two rows of which the second can apply at the visit after the first. Each pair
that can occur has a shortest course.
"""

from collections.abc import Iterator
from itertools import pairwise

from attrs import frozen

from lenadose.engine.machine import Decision, apply, replay
from lenadose.record.course import Course
from lenadose.verification.explore import StateSpace, clock_signature, decisions_at, next_visits
from lenadose.verification.places import AbstractState, AbstractVisit, Witness, abstract, course_of

Pair = tuple[str, str]
"""The ids of two rows: the second applies at the visit after the first."""


@frozen(eq=False)
class _Found:
    """A pair of rules: the decision by the first, and what the visit after it shows."""

    witness: Witness
    decision: Decision
    place: AbstractState
    showing: AbstractVisit


def pairs(space: StateSpace) -> dict[Pair, Course]:
    """Return every pair of rules that can follow each other, each with a shortest course."""
    found: dict[Pair, _Found] = {}
    following: dict[tuple[object, ...], tuple[AbstractState, ...]] = {}
    rows = {
        place: {each.match.rule.id: showing for showing, each in reversed(answers.items())}
        for place, answers in space.decisions.items()
    }
    for witness in space.explored:
        for decision in decisions_at(space.scenarios, witness):
            state = apply(decision)
            key = clock_signature(space.protocol, state)
            if key not in following:
                met = (
                    abstract(seen).place for _, seen in next_visits(space.protocol, decision, state)
                )
                following[key] = tuple(dict.fromkeys(met))
            for place in following[key]:
                for row, showing in rows[place].items():
                    found.setdefault(
                        (decision.rule.id, row), _Found(witness, decision, place, showing)
                    )
    return {pair: _course(space, each) for pair, each in sorted(found.items())}


def _course(space: StateSpace, found: _Found) -> Course:
    decision = found.decision
    for _, empty in next_visits(space.protocol, decision, apply(decision)):
        witness = abstract(empty, found.witness, decision.visit)
        if witness.place == found.place:
            seen = space.realize(witness, found.showing)
            if seen is not None:
                return course_of(witness, seen.visit)
    raise AssertionError("a place that was met is met again")  # pragma: no cover


def covering(space: StateSpace) -> Iterator[tuple[Course, tuple[Decision, ...]]]:
    """Yield courses that together contain every pair, the longest first, none of them redundant."""
    shortest = pairs(space)
    left = set(shortest)
    by_length = sorted(shortest.items(), key=lambda each: (-len(each[1].visits), each[0]))
    for pair, course in by_length:
        if pair in left:
            decisions = replay(course, space.protocol)
            rules = [each.rule.id for each in decisions]
            left -= set(pairwise(rules))
            yield course, decisions
