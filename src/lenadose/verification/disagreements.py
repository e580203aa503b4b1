"""The disagreements of two protocols, found by walking both side by side.

Both get the same visits, at the thresholds and on the boundary days of both, until their advice
differs.
"""

from collections import deque
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import product

from attrs import evolve, frozen

from lenadose.engine.intake import supplied_until
from lenadose.engine.machine import Decision, apply
from lenadose.engine.state import State, begin
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.visit import DosageTaken, Visit
from lenadose.terms.errors import CallError
from lenadose.terms.facts import TREATED
from lenadose.terms.interval import Interval, at_most_days
from lenadose.verification.explore import (
    DaysAhead,
    EmptyVisit,
    Progress,
    boundary_days,
    clock_signature,
    day_and_next,
    gap_days,
    what_can_be_taken,
)
from lenadose.verification.paired_visits import USUAL, Pair, PairedVisits
from lenadose.verification.places import DAY0, PATIENT, abstract


@frozen
class Disagreement:
    """A kind of disagreement: a shortest course to it, and both decisions on its last visit.

    `about` is what differs first: the action, the dosage, or the next visit.
    """

    about: str
    course: Course
    one: Decision
    other: Decision


def disagreements(
    one: Protocol, other: Protocol, progress: Progress | None = None
) -> Iterator[Disagreement]:
    """Walk both side by side, breadth first, until their advice differs.

    *progress* is called after each pair of states with the number of pairs looked at and the number
    known so far.
    """
    visits_of = PairedVisits(one, other)
    kinds: set[tuple[object, ...]] = set()
    patients = [PATIENT]
    if one.safety.test_age_irregular.value != other.safety.test_age_irregular.value:
        patients.append(evolve(PATIENT, regular_cycles=False))
    ahead = deque(
        Pair(begin(one, patient), begin(other, patient), Visit(DAY0), ()) for patient in patients
    )
    known: set[tuple[object, ...]] = set()
    effects = set()
    empty_visit = cache(Visit)  # the same days come again and again
    looked_at = 0
    while ahead:
        pair = ahead.popleft()
        looked_at += 1
        for a, b in visits_of.decisions(pair):
            visits = (*pair.visits, a.visit)
            about = _parted(a, b)
            if about is not None and (kind := (about, a.rule.id, b.rule.id)) not in kinds:
                kinds.add(kind)
                yield Disagreement(about, Course(visits, pair.one.patient), a, b)
            if about is not None and about != "next visit":
                continue
            states = apply(a), apply(b)
            baseline, before = states[0].baseline, pair.one.baseline
            if pair.only_scores and baseline != before:
                continue  # a second course, or a relapse, says nothing new about scores
            only_scores = pair.only_scores or bool(
                baseline and not before and baseline.activity != USUAL
            )
            effect = (
                pair.one.patient,
                clock_signature(one, states[0]),
                clock_signature(other, states[1]),
                *_scored(states[0], only_scores),
            )
            if effect in effects:
                continue
            effects.add(effect)
            pairs = _following((one, other), (a, b), states, visits, only_scores, empty_visit)
            for key, following in pairs:
                if key not in known:
                    known.add(key)
                    ahead.append(following)
        if progress is not None:
            progress(looked_at, looked_at + len(ahead))


def _parted(a: Decision, b: Decision) -> str | None:
    """Return in what two decisions on the same visit differ first, or None."""
    if a.action is not b.action:
        return "action"
    if a.dosage != b.dosage:
        return "dosage"
    return "next visit" if a.next_visit != b.next_visit else None


def _scored(state: State, only_scores: bool) -> tuple[int | None, ...]:
    """Return the baseline score and the nadir, where only scores are varied."""
    start, nadir = state.baseline, state.treatment.nadir
    return (start.activity, nadir.activity) if only_scores and start and nadir else ()


def _following(
    protocols: tuple[Protocol, Protocol],
    decisions: tuple[Decision, Decision],
    states: tuple[State, State],
    visits: tuple[Visit, ...],
    only_scores: bool,
    empty_visit: EmptyVisit,
) -> Iterator[tuple[tuple[object, ...], Pair]]:
    """Yield the next visit on each day on which a clock of either protocol changes.

    Each comes with a key: pairs with the same key stand alike.
    """
    last = decisions[0].visit.date
    tomorrow = last + timedelta(days=1)
    can_take: list[DosageTaken | None] = [None]
    if not only_scores:
        for protocol, decision, state in zip(protocols, decisions, states, strict=True):
            can_take += what_can_be_taken(protocol, decision, state)
    # What ends on such a day no abstract state says: its name distinguishes it.
    endings = (*_ages(*protocols, last), *_ends_since(*protocols, states))
    due = [decision.next_visit.due for decision in decisions if decision.next_visit]
    for taken, missed in (
        *((dosage, None) for dosage in dict.fromkeys(can_take)),
        *((None, doses) for doses in _can_miss(*protocols)),
    ):
        ahead = [
            DaysAhead(protocol, state, tomorrow, taken, missed, empty_visit)
            for protocol, state in zip(protocols, states, strict=True)
        ]
        days: dict[date, list[object]] = {tomorrow: []}
        for of_one in ahead:
            gaps = day_and_next(gap_days(of_one.protocol, of_one.state))
            days |= {day: [] for day in (*boundary_days(of_one.first), *gaps)}
        days |= {day: [] for day in due}
        for name, day in endings:
            days.setdefault(day, []).append(name)
        for day in sorted(day for day in days if day >= tomorrow):
            try:
                places = [abstract(of_one.seen_on(day)).place for of_one in ahead]
            except CallError:
                continue  # more doses missed than there were
            scores = _scored(states[0], only_scores)
            key = (states[0].patient, missed, *places, *days[day], only_scores, *scores)
            empty = empty_visit(day, dosage_taken=taken, doses_missed=missed)
            yield key, Pair(*states, empty, visits, only_scores)


def _can_miss(one: Protocol, other: Protocol) -> Iterator[int]:
    """Yield the numbers of missed doses on both sides of a line that the two draw differently."""
    shares = {protocol.intervals.missed_share.value for protocol in (one, other)}
    lengths = {at_most_days(protocol.intervals.first_assessment.value) for protocol in (one, other)}
    if len(shares) > 1:
        for share, length in product(shares, lengths):
            yield int(share * length)
            yield int(share * length) + 1


Ending = tuple[tuple[str, Interval, int], date]
"""The name of a period, its length, the days since its last day; and the day."""


_AGES = (
    "counts_age_early",
    "counts_age",
    "clearance_age",
    "test_age_early",
    "test_age",
    "test_age_irregular",
)


def _ages(one: Protocol, other: Protocol, day: date) -> Iterator[Ending]:
    """Yield the days around which results of *day* expire, where the two differ in that."""
    for name in _AGES:
        yield from _ends(
            name, {getattr(protocol.safety, name).value for protocol in (one, other)}, day
        )


def _ends_since(one: Protocol, other: Protocol, states: tuple[State, State]) -> Iterator[Ending]:
    """Yield the days around the ends of close watch and surveillance, where the two differ."""
    for state in states:
        if state.treatment.dose is not None and state.baseline is not None:
            for name, since in (
                ("counts_early", state.treatment.dose.watched_from),
                ("tests_early", state.treatment.dose.tests_from),
            ):
                yield from _ends(
                    name, {getattr(protocol.safety, name).value for protocol in (one, other)}, since
                )
        if state.previous is not None and state.treatment.phase in TREATED:
            without_drug = state.treatment.no_drug_since or min(
                supplied_until(protocol, state.previous) for protocol in (one, other)
            )
            anew = {protocol.safety.tests_anew_after.value for protocol in (one, other)}
            yield from _ends("tests_anew_after", anew, without_drug)
        if state.finished_on is not None:
            planned = [set(protocol.intervals.surveillance.value) for protocol in (one, other)]
            if planned[0] != planned[1]:
                yield from _ends("surveillance", planned[0] | planned[1], state.finished_on)


def _ends(name: str, spans: Collection[Interval], since: date) -> Iterator[Ending]:
    for span, late in product(spans if len(spans) > 1 else (), (0, 1)):
        yield (name, span, late), span.after(since) + timedelta(days=late)
