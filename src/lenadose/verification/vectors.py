"""Courses by which another implementation shows that it decides alike: every rule, and every rule after every other.

A pair of rules is two rows of which the second can apply at the visit after the first. Each pair that can occur has a
shortest course.
"""

from collections.abc import Iterator
from itertools import pairwise

from attrs import frozen

from lenadose.engine.machine import Decision, apply, replay
from lenadose.record.course import Course
from lenadose.verification.explore import StateSpace, clocks, decisions_at, next_visits
from lenadose.verification.places import AbstractState, AbstractVisit, Witness, course_of, meet

Pair = tuple[str, str]
"""The ids of two rows: the second applies at the visit after the first."""


@frozen(eq=False)
class _Found:
    """Where a pair was found: the decision by the first row, and what the visit after it shows."""

    meeting: Witness
    decision: Decision
    place: AbstractState
    showing: AbstractVisit


def pairs(reached: StateSpace) -> dict[Pair, Course]:
    """Give every pair of rules that can follow each other, each with a shortest course that ends with it."""
    found: dict[Pair, _Found] = {}
    following: dict[tuple[object, ...], tuple[AbstractState, ...]] = {}
    rows = {
        place: {each.match.rule.id: showing for showing, each in reversed(answers.items())}
        for place, answers in reached.answers.items()
    }
    for meeting in reached.walked:
        for decision in decisions_at(reached.shows, meeting):
            state = apply(decision)
            key = clocks(reached.protocol, state)
            if key not in following:
                met = (
                    meet(seen).place for _, seen in next_visits(reached.protocol, decision, state)
                )
                following[key] = tuple(dict.fromkeys(met))
            for place in following[key]:
                for row, showing in rows[place].items():
                    found.setdefault(
                        (decision.rule.id, row), _Found(meeting, decision, place, showing)
                    )
    return {pair: _course(reached, each) for pair, each in sorted(found.items())}


def _course(reached: StateSpace, found: _Found) -> Course:
    decision = found.decision
    for _, empty in next_visits(reached.protocol, decision, apply(decision)):
        meeting = meet(empty, found.meeting, decision.visit)
        if meeting.place == found.place:
            seen = reached.realize(meeting, found.showing)
            if seen is not None:
                return course_of(meeting, seen.visit)
    raise AssertionError("a place that was met is met again")  # pragma: no cover


def covering(reached: StateSpace) -> Iterator[tuple[Course, tuple[Decision, ...]]]:
    """Give courses that together hold every pair, the longest first, and none whose pairs the others hold already."""
    shortest = pairs(reached)
    left = set(shortest)
    by_length = sorted(shortest.items(), key=lambda each: (-len(each[1].visits), each[0]))
    for pair, course in by_length:
        if pair in left:
            decisions = replay(course, reached.protocol)
            rules = [each.rule.id for each in decisions]
            left -= set(pairwise(rules))
            yield course, decisions
