"""Lists of adverse events as numbers: what each list does to the events that count, as bits.

An event can count in finitely many ways, one bit for each; the criteria of the protocol say which
of them applies.
"""

from collections.abc import Callable, Sequence
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


_ONGOING = tuple(
    OngoingEvent(safety, limits_dose, lasts, name)
    for safety in (Safety.CAUTION, Safety.INTERRUPT, Safety.STOP)
    for limits_dose in ((False, True) if safety is Safety.INTERRUPT else (False,))
    for lasts in Lasts
    for name in (RESOLVABLE if lasts is Lasts.RESOLVED else (PREGNANCY, None))
)
_BITS = {event: 1 << bit for bit, event in enumerate(_ONGOING)}
_POSITIVE_TEST = 1 << len(_ONGOING)


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
    )


class EventEffects(NamedTuple):
    """The effect of each list of adverse events, in the order of their numbers.

    `keeps` are the events of before that go on, `adds` the events that begin, by the grade of
    neuropathy at the start of the course (none known first).
    """

    keeps: Ints
    adds: Ints
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
        np.array([_neuropathy(events) for events in given], np.int32),
        np.array([PREGNANCY in _resolved(events) for events in given]),
    )


_GRADES = (None, *range(GRADE[1] + 1))


def _resolved(events: Sequence[AdverseEvent]) -> set[str]:
    return {event.name for event in events if event.resolved}


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


def _adds(safety: SafetyCriteria, events: Sequence[AdverseEvent], grade: int | None) -> int:
    """Return the bits of the events that count from a list on."""
    bits = 0
    for event in events:
        for criterion in safety.events:
            if not event.resolved and criterion.applies(event, grade):
                bits |= _BITS[_ongoing(criterion, event)]
    return bits


def _ongoing(criterion: EventCriterion, event: AdverseEvent) -> OngoingEvent:
    named = criterion.lasts is Lasts.RESOLVED or event.name == PREGNANCY
    name = event.name if named else None
    return OngoingEvent(criterion.safety, criterion.harm, criterion.lasts, name)


def _neuropathy(events: Sequence[AdverseEvent]) -> int:
    """Return the grade of sensory neuropathy, 0 without one."""
    grades = (event.grade or 0 for event in events if event.name == SENSORY_NEUROPATHY)
    return max(grades, default=0)
