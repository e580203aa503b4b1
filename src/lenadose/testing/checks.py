"""Tests of a protocol: the laws, random walks under laws of your own, and coverage."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from unittest import TestCase

from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from lenadose.engine.machine import Decision, replay, step
from lenadose.engine.state import begin
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.visit import Visit
from lenadose.report.markdown import markdown_table
from lenadose.report.verification import broken_laws, course_block, course_table
from lenadose.terms.errors import LenadoseError
from lenadose.terms.facts import TREATED, Safety
from lenadose.terms.facts import Phase as TreatmentPhase
from lenadose.testing.courses import or_missing, patients, stock_of, visit_after
from lenadose.verification.certificate import verify
from lenadose.verification.explore import reach
from lenadose.verification.vectors import Pair, pairs

Law = Callable[[tuple[Decision, ...]], object]
"""A law of your own: a function of the decisions of a course so far, the newest last.

It raises AssertionError where they violate it.
"""


def check_protocol(protocol: Protocol) -> None:
    """Check all laws; raise AssertionError with a course of visits for each one violated."""
    certificate = verify(protocol)
    if not certificate.holds:
        raise AssertionError("\n".join(broken_laws(certificate)))


def walks(protocol: Protocol, *laws: Law) -> type[TestCase]:
    """Return a test that walks random patients through a protocol and checks the laws.

    `TestMine = walks(protocol, my_law)`; `TestMine.settings` are its Hypothesis settings. A course
    that breaks a law is shrunk to the shortest and shown as a patient.
    """
    walk = _walks(protocol)

    class Walk(TestCase):
        # Most walks end early, so there are more of them. What takes long is to draw them, and to
        # trace which lines of the engine only those run that break a law.
        settings = settings(
            max_examples=5 * settings().max_examples,
            deadline=None,
            phases=[phase for phase in settings().phases if phase is not Phase.explain],
            suppress_health_check=[*settings().suppress_health_check, HealthCheck.too_slow],
        )

        def runTest(self) -> None:  # the name of unittest
            __tracebackhide__ = True  # of pytest: the law that fails is what is to be seen

            @self.settings
            @given(walk)
            def keeps_the_laws(walk: _Walk) -> None:
                __tracebackhide__ = True
                broken = _broken(laws, walk.decisions)
                if broken is not None:
                    shortest = _shortest(protocol, laws, broken)
                    note("\n".join(_described(protocol, shortest)))
                    for law in laws:
                        law(shortest)

            keeps_the_laws()

    return Walk


_LONGEST = 50
"""The most visits of a walk."""

_goes_on = st.integers(0, 99).map(bool)


class _Walk:
    """The decisions of a walk; they are shown where a law fails, so the repr is short."""

    def __init__(self, decisions: tuple[Decision, ...]) -> None:
        self.decisions = decisions

    def __repr__(self) -> str:
        return "<a walk; the shortest is below>"


def _walks(protocol: Protocol) -> st.SearchStrategy[_Walk]:
    """Draw a walk, which mostly ends early where nothing is treated any more."""
    stock = stock_of(protocol)

    @st.composite
    def walk(draw: st.DrawFn) -> _Walk:
        state, decisions = begin(protocol, draw(or_missing(patients()))), list[Decision]()
        while len(decisions) < _LONGEST:
            decision, state = step(protocol, state, draw(visit_after(stock, state)))
            decisions.append(decision)
            # Nothing is treated any more, mostly for good.
            ended = state.treatment.phase is TreatmentPhase.DISCONTINUED or (
                decision.facts.safety is Safety.STOP and state.treatment.phase not in TREATED
            )
            # Asked at each visit, and not how many there are: so the last ones can be left out.
            if not draw(_goes_on) or (ended and draw(st.integers(0, 2))):
                break
        return _Walk(tuple(decisions))

    return walk()


def _broken(laws: Iterable[Law], decisions: tuple[Decision, ...]) -> tuple[Decision, ...] | None:
    """Return the decisions up to the first one with which they break a law, None if they do not."""
    for count in range(1, len(decisions) + 1):
        try:
            for law in laws:
                law(decisions[:count])
        except AssertionError:
            return decisions[:count]
    return None


def _shortest(
    protocol: Protocol, laws: Iterable[Law], broken: tuple[Decision, ...]
) -> tuple[Decision, ...]:
    """Return decisions that break a law of which no visit can be left out.

    Nor can one be if the visits after it come as much earlier as it came after the one before.
    """
    visits = [each.visit for each in broken]
    for place, visit in enumerate(visits[:-1]):
        since = visit.date - visits[place - 1].date if place else timedelta(0)
        for earlier in (timedelta(0), since):
            try:
                rest = [evolve(each, date=each.date - earlier) for each in visits[place + 1 :]]
                course = Course((*visits[:place], *rest), broken[0].seen.patient)
                shorter = _broken(laws, tuple(replay(course, protocol)))
            except LenadoseError:
                continue
            if shorter is not None:
                return _shortest(protocol, laws, shorter)
    return broken


def _described(protocol: Protocol, decisions: tuple[Decision, ...]) -> Iterator[str]:
    """Yield a course as a table, then as a file."""
    visits: tuple[Visit, ...] = tuple(each.visit for each in decisions)
    course = Course(visits, decisions[0].seen.patient, protocol.id)
    yield from course_table(protocol, course)
    yield ""
    yield from course_block(course)


@frozen(slots=False)
class Coverage:
    """How often each rule, and each pair of rules that can follow each other, applies."""

    protocol: Protocol
    rules: Mapping[str, int]
    pairs: Mapping[Pair, int]

    @cached_property
    def shortest(self) -> Mapping[Pair, Course]:
        """A shortest course for every pair of rules that can follow each other."""
        return pairs(reach(self.protocol))

    @property
    def rules_left(self) -> tuple[str, ...]:
        """The rules that apply in no course."""
        return tuple(row.id for row in self.protocol.table.rules if row.id not in self.rules)

    @property
    def pairs_left(self) -> tuple[Pair, ...]:
        """The pairs of rules that can follow each other and do so in no course."""
        return tuple(pair for pair in self.shortest if pair not in self.pairs)

    def __str__(self) -> str:
        return "\n".join(_report(self)) + "\n"


def coverage(protocol: Protocol, courses: Iterable[Course]) -> Coverage:
    """Count the rules, and the pairs of consecutive rules, that apply in courses.

    Printed, the result is a report.

    Raises CallError for a course that cannot be replayed under the protocol.
    """
    rules: Counter[str] = Counter()
    following: Counter[Pair] = Counter()
    for course in courses:
        applied = [each.rule.id for each in replay(course, protocol)]
        rules.update(applied)
        following.update(pairwise(applied))
    return Coverage(protocol, rules, following)


def _report(found: Coverage) -> Iterator[str]:
    """Yield which rules apply how often, and which rule never follows which."""
    rows, possible = found.protocol.table.rules, found.shortest
    yield f"# Coverage of the courses: {found.protocol.id} {found.protocol.version}"
    yield ""
    yield f"Rules: {len(rows) - len(found.rules_left)} of {len(rows)}. "
    shown = len(possible) - len(found.pairs_left)
    yield f"Pairs of rules that can follow each other: {shown} of {len(possible)}."
    yield ""
    left: dict[str, list[str]] = {}
    for one, other in found.pairs_left:
        left.setdefault(one, []).append(f"`{other}`")
    yield from markdown_table(
        ("rule", "applied", "never followed by"),
        (
            (f"`{row.id}`", str(found.rules.get(row.id, 0)), ", ".join(left.get(row.id, ())))
            for row in rows
        ),
    )
