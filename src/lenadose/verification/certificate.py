"""A certificate of the laws, with the shortest course of visits for each one violated."""

from operator import itemgetter

from attrs import frozen

from lenadose.engine.machine import replay
from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.verification.absent import absent
from lenadose.verification.explore import Progress, StateSpace, reach
from lenadose.verification.laws import LAWS, Law
from lenadose.verification.places import course_of
from lenadose.verification.violation import Violation


@frozen
class Counterexample:
    """A violated law as a course of visits whose last one shows it, with the rows involved.

    `other` is the same course with another last visit, where the law compares two; a row that
    cannot be reached has no course.
    """

    words: str
    rules: tuple[str, ...]
    course: Course | None
    other: Course | None = None


@frozen
class Verdict:
    """The result of a law: how much was checked, and the counterexample, if any."""

    law: Law
    situations: int
    states: int
    transitions: int
    counterexample: Counterexample | None

    @property
    def holds(self) -> bool:
        """Whether the law holds."""
        return self.counterexample is None


@frozen(slots=False)
class Certificate:
    """A proof about exactly this protocol, and its extent.

    A situation is six facts; a state a place in which a patient can be met, reached by a real
    course of visits; a transition what the table says there to one thing that a visit can show.
    """

    protocol: Protocol
    verdicts: tuple[Verdict, ...]
    situations: int
    states: int
    transitions: int
    absent: tuple[str, ...]
    """Criteria, visits and actions that the protocol does not have, so no law speaks of them."""

    @property
    def holds(self) -> bool:
        """Whether every law holds."""
        return all(verdict.holds for verdict in self.verdicts)


def verify(protocol: Protocol | str, progress: Progress | None = None) -> Certificate:
    """Check every law over every reachable state and all that a visit can show there.

    *protocol* may be the id of a built-in one. *progress* is called while states are searched for,
    which is nearly all of the time, with the number looked at and the number known so far. Raises
    CallError for an unknown id.
    """
    protocol = protocol_of(protocol)
    space = reach(protocol, progress)
    decisions = [
        decision for by_visit in space.decisions.values() for decision in by_visit.values()
    ]
    return Certificate(
        protocol,
        tuple(check_law(law, space) for law in LAWS),
        len({id(decision.match) for decision in decisions}),
        len(space.witnesses),
        len(decisions),
        tuple(absent(space)),
    )


def check_law(law: Law, space: StateSpace) -> Verdict:
    """Check a law over the state space; the shortest counterexample is kept."""
    situations, states, transitions = set(), set(), 0
    violations: list[tuple[int, Violation]] = []
    for place, match, violation in law.check(space):
        transitions += 1
        states.add(place)
        if match is not None:
            situations.add(id(match))
        if violation is not None:
            violations.append(
                (len(violation.visits) or len(space.witnesses[place].visits) + 1, violation)
            )
    violations.sort(key=itemgetter(0))
    counterexamples = (_show(space, violation) for _, violation in violations)
    first = next((example for example in counterexamples if example is not None), None)
    return Verdict(law, len(situations), len(states), transitions, first)


def _show(space: StateSpace, violation: Violation) -> Counterexample | None:
    """Return a violation as a course of visits, or None where no visit can show it."""
    if violation.visits:
        first = next(iter(space.witnesses.values()))
        course = course_of(first, *violation.visits)
        rules = dict.fromkeys(decision.rule.id for decision in replay(course, space.protocol))
        return Counterexample(violation.words, tuple(rules), course)
    if violation.decision is None:
        return Counterexample(violation.words, violation.rules, None)
    courses = []
    for decision in (violation.decision, violation.other):
        if decision is not None:
            witness = space.witnesses[decision.place]
            seen = space.realize(witness, decision.showing)
            if seen is None:
                return None
            courses.append(course_of(witness, seen.visit))
    rules = dict.fromkeys(
        decision.match.rule.id for decision in (violation.decision, violation.other) if decision
    )
    return Counterexample(violation.words, tuple(rules), *courses)
