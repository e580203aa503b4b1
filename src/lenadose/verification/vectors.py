"""Courses by which another implementation shows that it decides alike.

A pair of rules is two rows of which the second can apply at the visit after the first. Each pair
that can occur has a shortest course.
"""

from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter

from attrs import evolve

from lenadose.engine.machine import Decision, apply, replay
from lenadose.engine.observe import observe
from lenadose.record.course import Course
from lenadose.verification.explore import StateSpace, Step, next_visits
from lenadose.verification.places import AbstractState, AbstractVisit, abstract, course_of

Pair = tuple[str, str]
"""The ids of two rows: the second applies at the visit after the first."""


def pairs(space: StateSpace) -> dict[Pair, Course]:
    """Return every pair of rules that can follow each other, each with a shortest course."""
    rows = {
        place: {row.match.rule.id: visit for visit, row in reversed(decisions.items())}
        for place, decisions in space.decisions.items()
    }
    candidates: dict[Pair, list[tuple[Step, AbstractState, AbstractVisit]]] = {}
    for step in space.steps:
        rule = step.decision.rule.id
        for place in step.following:
            for row, visit in rows[place].items():
                candidates.setdefault((rule, row), []).append((step, place, visit))
    return {
        pair: next(course for where in steps if (course := _course(space, *where)) is not None)
        for pair, steps in sorted(candidates.items(), key=itemgetter(0))
    }


def _course(
    space: StateSpace, step: Step, place: AbstractState, visit: AbstractVisit
) -> Course | None:
    """Return a course that ends with a visit in a state, or None where no visit shows it there."""
    decision = step.decision
    state = apply(decision)
    for _, day, alike in next_visits(space.protocol, decision, state):
        empty = observe(space.protocol, state, evolve(alike.visit, date=day))
        witness = abstract(empty, step.witness, decision.visit)
        if witness.place == place:
            seen = space.realize(witness, visit)
            if seen is not None:
                return course_of(witness, seen.visit)
    return None


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
