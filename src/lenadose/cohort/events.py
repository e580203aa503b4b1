"""Lists of adverse events as numbers: what each list does to the events that count, as bits.

An event can count in finitely many ways, one bit for each; the criteria of the protocol say which
of them applies.
"""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lenadose.cohort.calendar import Flags, Ints
from lenadose.protocol.safety import EventCriterion, Lasts, SafetyCriteria
from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.record.event_terms import PREGNANCY, RESOLVABLE, SENSORY_NEUROPATHY
from lenadose.terms.facts import Safety

NOT_ASKED = 0
"""The number of the list of adverse events where there is none."""


class OngoingEvent(NamedTuple):
    """One way in which an event counts; `limits_dose` says that the level is not given again."""

    safety: Safety
    limits_dose: bool
    lasts: Lasts
    name: str | None
    same_day: bool = False


_ONGOING = tuple(
    OngoingEvent(safety, limits_dose, lasts, name, same_day)
    for safety in (Safety.CAUTION, Safety.INTERRUPT, Safety.STOP)
    for limits_dose in ((False, True) if safety is Safety.INTERRUPT else (False,))
    for lasts in Lasts
    for name in (RESOLVABLE if lasts is Lasts.RESOLVED else (PREGNANCY, None))
    for same_day in ((False, True) if name is None else (False,))
)
_BITS = MappingProxyType({event: 1 << bit for bit, event in enumerate(_ONGOING)})
_POSITIVE_TEST = 1 << len(_ONGOING)


def awaited_bits(name: str) -> int:
    """Return the bits of the events of a name that count until they are reported resolved."""
    return sum(bit for event, bit in _BITS.items() if _is_awaited(event) and event.name == name)


def awaited_names(bits: int) -> set[str]:
    """Return the names of the events among some that count until they are reported resolved."""
    awaited = (event.name for event, bit in _BITS.items() if bits & bit and _is_awaited(event))
    return {name for name in awaited if name is not None}


def _is_awaited(event: OngoingEvent) -> bool:
    return event.lasts is Lasts.RESOLVED


class EventMasks(NamedTuple):
    """The bits of the events that have something in common; a positive test is one of them.

    `reported_dangers` leaves it out: it is not an adverse event that somebody asked about.
    """

    stops: int
    interrupts: int
    cautions: int
    limits_dose: int
    reported_dangers: int
    pregnancy: int
    positive_test: int
    same_day: int


def event_masks(safety: SafetyCriteria) -> EventMasks:
    """Return the bits of the events of each kind."""
    positive = safety.positive_test

    def mask(holds: Callable[[OngoingEvent], bool], of_test: bool) -> int:
        bits = sum(bit for event, bit in _BITS.items() if holds(event))
        return bits + (_POSITIVE_TEST if of_test else 0)

    return EventMasks(
        mask(lambda event: event.safety is Safety.STOP, positive.safety is Safety.STOP),
        mask(lambda event: event.safety is Safety.INTERRUPT, positive.safety is Safety.INTERRUPT),
        mask(lambda event: event.safety is Safety.CAUTION, positive.safety is Safety.CAUTION),
        mask(lambda event: event.limits_dose, positive.harm),
        mask(lambda event: event.safety is not Safety.CAUTION, False),
        mask(lambda event: event.name == PREGNANCY, True),
        _POSITIVE_TEST,
        mask(
            lambda event: event.same_day or event.name in safety.same_day_terms,
            PREGNANCY in safety.same_day_terms,
        ),
    )


class EventEffects(NamedTuple):
    """The effect of each list of adverse events, in the order of their numbers.

    `keeps` are the events of before that go on, `adds` the events that begin, by the grade of
    neuropathy at the start of the course (none known first). Those of `voids` make earlier
    pregnancy tests count no longer. `stops` are the events that stop treatment, but for a
    pregnancy: each its criterion, its name, and how long it counts; `resolved` are the names of
    those that are over.
    """

    keeps: Ints
    adds: Ints
    voids: Ints
    stops: tuple[dict[tuple[str, str], Lasts], ...]
    resolved: tuple[frozenset[str], ...]
    neuropathy: Ints
    ends_pregnancy: Flags


def event_effects(
    safety: SafetyCriteria, lists: Sequence[Sequence[AdverseEvent] | None]
) -> EventEffects:
    """Return what lists of adverse events do; None is a list that nobody asked for."""
    given = [events or () for events in lists]
    return EventEffects(
        np.array([_keeps(safety, events) for events in lists], np.int64),
        np.array([_adds_by_grade(safety, events) for events in given], np.int64),
        np.array([_adds(safety, events, None, voids_tests=True) for events in given], np.int64),
        tuple(_stops(safety, events) for events in given),
        tuple(map(_resolved, given)),
        np.array([_neuropathy(events) for events in given], np.int32),
        np.array([PREGNANCY in _resolved(events) for events in given]),
    )


_GRADES = (None, *range(GRADE[1] + 1))


def _resolved(events: Sequence[AdverseEvent]) -> frozenset[str]:
    return frozenset(event.name for event in events if event.resolved)


def _stops(safety: SafetyCriteria, events: Sequence[AdverseEvent]) -> dict[tuple[str, str], Lasts]:
    return {
        (criterion.id, event.name): criterion.lasts
        for event in events
        if not event.resolved and event.name != PREGNANCY
        for criterion in safety.events
        if criterion.safety is Safety.STOP and criterion.applies(event, None)
    }


def new_stops(effects: EventEffects, events: Ints, begins: Ints) -> Flags:
    """Return the visits at which an event that stops treatment is new; see `EventEffects.stops`.

    The visits lie patient by patient, and *begins* are the places where the patients begin. Few
    patients have such an event, and these are followed one by one.
    """
    is_new = np.zeros(len(events), bool)
    has_stops = np.array([bool(stops) for stops in effects.stops])[events]
    ends = np.append(begins[1:], len(events))
    patients = np.unique(np.searchsorted(begins, np.flatnonzero(has_stops), "right")) - 1
    for patient in patients.tolist():
        known: dict[tuple[str, str], Lasts] = {}
        for row in range(begins[patient], ends[patient]):
            number = int(events[row])
            if number == NOT_ASKED:
                continue
            stops, resolved = effects.stops[number], effects.resolved[number]
            is_new[row] = bool(stops.keys() - known.keys())
            kept = {
                key: lasts
                for key, lasts in known.items()
                if lasts is Lasts.FOR_GOOD or (lasts is Lasts.RESOLVED and key[1] not in resolved)
            }
            known = kept | stops
    return is_new


def _keeps(safety: SafetyCriteria, events: Sequence[AdverseEvent] | None) -> int:
    """Return the bits of the events that still count after a list."""
    if events is None:
        return 2 * _POSITIVE_TEST - 1
    resolved = _resolved(events)

    def outlasts(lasts: Lasts, name: str | None) -> bool:
        return lasts is Lasts.FOR_GOOD or (lasts is Lasts.RESOLVED and name not in resolved)

    bits = sum(bit for event, bit in _BITS.items() if outlasts(event.lasts, event.name))
    return bits + (_POSITIVE_TEST if outlasts(safety.positive_test.lasts, PREGNANCY) else 0)


def _adds_by_grade(safety: SafetyCriteria, events: Sequence[AdverseEvent]) -> list[int]:
    if not _neuropathy(events):  # no other event is compared with the start
        return [_adds(safety, events, None)] * len(_GRADES)
    return [_adds(safety, events, grade) for grade in _GRADES]


def _adds(
    safety: SafetyCriteria,
    events: Sequence[AdverseEvent],
    grade: int | None,
    voids_tests: bool = False,
) -> int:
    """Return the bits of the events that count from a list on, or of those that void tests."""
    bits = 0
    for event in events:
        for criterion in safety.events:
            counts = criterion.voids_tests or not voids_tests
            if counts and not event.resolved and criterion.applies(event, grade):
                bits |= _BITS[_ongoing(safety, criterion, event)]
    return bits


def _ongoing(
    safety: SafetyCriteria, criterion: EventCriterion, event: AdverseEvent
) -> OngoingEvent:
    if criterion.lasts is Lasts.RESOLVED or event.name == PREGNANCY:
        return OngoingEvent(criterion.safety, criterion.harm, criterion.lasts, event.name)
    same_day = event.name in safety.same_day_terms
    return OngoingEvent(criterion.safety, criterion.harm, criterion.lasts, None, same_day)


def _neuropathy(events: Sequence[AdverseEvent]) -> int:
    """Return the grade of sensory neuropathy, 0 without one."""
    grades = (event.grade or 0 for event in events if event.name == SENSORY_NEUROPATHY)
    return max(grades, default=0)
