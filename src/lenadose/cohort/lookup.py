"""A protocol laid out in arrays: the row for every situation, what follows from it, and every threshold as a number.

Nothing here decides. Each array is filled by the protocol's own rows and criteria, one entry for each of the finitely
many things that can be asked, so that a cohort is looked up and the rows stay the only source. Days are counted as
`date.toordinal` does; 0 is no day.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lenadose.engine.observe import position_of
from lenadose.protocol.advice import advise
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import ResponseCriteria
from lenadose.protocol.rules import MatchedRule
from lenadose.protocol.safety import EventCriterion, Lasts, SafetyCriteria
from lenadose.record.adverse_event import (
    GRADE,
    PREGNANCY,
    RESOLVABLE,
    SENSORY_NEUROPATHY,
    AdverseEvent,
)
from lenadose.record.fields import YEARS
from lenadose.record.visit import ACTIVITY, JudgedResponse
from lenadose.terms.dosage import Dosage, Level
from lenadose.terms.errors import fault
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval
from lenadose.terms.units import Quantity

# Arrays of whole numbers and of truths; a single one each where numba compiles the same code, which no type of numpy
# can say.
Ints: TypeAlias = Any
Flags: TypeAlias = Any


def _weights() -> tuple[dict[Term, int], int]:
    """Return what each term adds to the number of a situation, and how many numbers there are."""
    weights: dict[Term, int] = {}
    unit = 1
    for _, kind in reversed(DIMENSIONS):
        weights.update({term: term.rank * unit for term in kind})
        unit *= len(kind)
    return weights, unit


WEIGHTS, SITUATION_NUMBERS = _weights()
"""Situations are numbered in mixed radix over the ranks of their six terms."""


FIRST_DAY, LAST_DAY = date(YEARS[0], 1, 1).toordinal(), date(YEARS[1], 12, 31).toordinal()
NO_SCORE = ACTIVITY[1] + 1
"""Stands for a score that is missing: above every score, so that the lowest of two is the one that is known."""
SCORES = NO_SCORE + 1

UNKNOWN, DANGER, LOW, WELL = 0, 3, 2, 1
"""Bands of a result. A result is one number, its day times four and its band: of two the greater counts, which is
the newer one, and on one day the lower value. For clearance `LOW` lowers the ceiling, `DANGER` interrupts too."""

NOT_GIVEN, NOTHING = -1, -2
"""Stand in the place of the number of a dosage taken: not reported; nothing was taken."""

NOT_ASKED = 0
"""The number of the list of adverse events where there is none; 1 is the empty list."""


class IntervalArrays(NamedTuple):
    """An interval: its days, or for calendar months (`days` is -1) two calendars, from the first day that counts on.

    `after` gives the day this long after each day; `first` the first day from which not more than this has passed.
    """

    days: int
    after: Ints
    first: Ints


class ProtocolArrays(NamedTuple):
    """All that a protocol says, as arrays and numbers."""

    levels: int
    top: int
    # What follows from a situation, a level held and a ceiling; see `SETS_LEVEL`.
    answers: Ints
    # The weights of the words of the six facts in the number of a situation.
    phase_weight: int
    response_weight: int
    due: int
    exhausted: int
    positions: Ints
    no_position: int
    # Response by kind of phase, score, score at the start and lowest; with a judgement.
    responses: Ints
    judged: Ints
    # Safety by the bands of the results, what is missing, and the gravest event.
    safeties: Ints
    clearance_ceiling: int
    # Events that count, one bit for each way to count.
    stops: int
    interrupts: int
    cautions: int
    harms: int
    known_dangers: int
    pregnant: int
    positive: int
    missed_numerator: int
    missed_denominator: int
    first_assessment: IntervalArrays
    review: IntervalArrays
    taper_step: IntervalArrays
    trial: IntervalArrays
    trial_at_level: IntervalArrays
    resumable: IntervalArrays
    clearance_age: IntervalArrays
    counts_age_early: IntervalArrays
    counts_early: IntervalArrays
    counts_age: IntervalArrays
    second_test_age: IntervalArrays
    test_age_early: IntervalArrays
    tests_early: IntervalArrays
    test_age: IntervalArrays
    test_age_irregular: IntervalArrays


LEVEL_BITS, PHASE_BITS, RETURN_BITS = 7, 3, 3
PHASE_SHIFT = LEVEL_BITS
RETURN_SHIFT = PHASE_SHIFT + PHASE_BITS
FLAG_SHIFT, FLAGS = RETURN_SHIFT + RETURN_BITS, 12
(
    SETS_LEVEL,
    SETS_SINCE,
    SETS_INTERVAL,
    SETS_WATCH,
    SETS_LOWEST,
    REVIEWS,
    STARTS,
    FINISHES,
    INTERRUPTS,
    ENDS_PAUSE,
) = (1 << FLAG_SHIFT + bit for bit in range(FLAGS - 2))
MARKS_HARM, HANDS_OVER = 1 << FLAG_SHIFT + FLAGS - 2, 1 << FLAG_SHIFT + FLAGS - 1
"""What an answer says, beside the level (plus 1, 0 for none), the phase after it and when the patient is to come back:
whether the level changes, its day, its interval, the close watch over counts and the lowest score begin today, whether
the interval is now a review, a course starts or finishes, an interruption begins or ends, harm found lowers the
ceiling, and the prescriber may resume."""


@lru_cache(maxsize=8)
def pack(protocol: Protocol) -> ProtocolArrays:
    """Lay a protocol out in arrays; raises CallError for a window of pregnancy tests that reaches back over a year."""
    safety, intervals, levels = protocol.safety, protocol.intervals, len(protocol.ladder.levels)
    if levels >= 1 << LEVEL_BITS:
        raise fault(
            "protocol",
            f"a ladder of {levels} levels",
            f"a cohort takes at most {(1 << LEVEL_BITS) - 1}",
        )
    if safety.first_test.value[1].usual_days > 365:
        # The machine keeps a year of tests; here a window is looked up among all of them.
        fix = "decide its courses one by one, with replay"
        raise fault("protocol", "the first pregnancy test may be more than a year old", fix)
    share = intervals.missed_share.value
    bits = [(bit, each) for bit, each in enumerate(_STANDINGS)]
    positive = safety.positive_test
    sign = 1 << len(_STANDINGS)

    def mask(*kinds: str, positive_too: bool) -> int:
        return sum(1 << bit for bit, each in bits if each.kind in kinds) + (
            sign if positive_too else 0
        )

    return ProtocolArrays(
        levels=levels,
        top=protocol.ladder.top.rank,
        answers=_answers(protocol),
        phase_weight=WEIGHTS[Phase.TITRATION],
        response_weight=WEIGHTS[Response.PARTIAL],
        due=WEIGHTS[Timing.DUE],
        exhausted=WEIGHTS[TherapeuticTrial.EXHAUSTED],
        positions=_positions(protocol),
        no_position=WEIGHTS[Position.NONE],
        responses=_responses(protocol.response),
        judged=_judged(protocol.response),
        safeties=_safeties(),
        clearance_ceiling=safety.clearance_ceiling.value.rank,
        stops=mask("stop", positive_too=positive.safety is Safety.STOP),
        interrupts=mask("interrupt", "harm", positive_too=positive.safety is Safety.INTERRUPT),
        cautions=mask("caution", positive_too=positive.safety is Safety.CAUTION),
        harms=mask("harm", positive_too=positive.harm),
        known_dangers=mask("stop", "interrupt", "harm", positive_too=False),
        pregnant=sum(1 << bit for bit, each in bits if each.name == PREGNANCY) + sign,
        positive=sign,
        missed_numerator=share.numerator,
        missed_denominator=share.denominator,
        **{name: _span(getattr(intervals, name).value) for name in _INTERVALS},
        **{name: _span(getattr(safety, name).value) for name in _AGES},
    )


_INTERVALS = ("first_assessment", "review", "taper_step", "trial", "trial_at_level", "resumable")
_AGES = (
    "clearance_age",
    "counts_age_early",
    "counts_early",
    "counts_age",
    "second_test_age",
    "test_age_early",
    "tests_early",
    "test_age",
    "test_age_irregular",
)

# Intervals


def _span(interval: Interval) -> IntervalArrays:
    if interval.days is not None:
        return IntervalArrays(interval.days, np.zeros(0, np.int32), np.zeros(0, np.int32))
    after, first = _calendar(interval.count)
    return IntervalArrays(-1, after, first)


@lru_cache(maxsize=64)
def _calendar(months: int) -> tuple[Ints, Ints]:
    after = add_months(np.arange(FIRST_DAY, LAST_DAY + 1, dtype=np.int32), months)
    days = np.arange(FIRST_DAY, LAST_DAY + 1, dtype=np.int32)
    return after, (np.searchsorted(after, days) + FIRST_DAY).astype(np.int32)


def add_months(days: Ints, months: int) -> Ints:
    """Give the same days of the month that many calendar months later, or the last day of a shorter month."""
    epoch = date(1970, 1, 1).toordinal()
    dates = (days - epoch).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    begins = (month + months).astype("datetime64[D]")
    last = (month + (months + 1)).astype("datetime64[D]") - begins - 1
    later = begins + np.minimum(dates - month.astype("datetime64[D]"), last)
    return (later.astype(np.int64) + epoch).astype(np.int32)


def after(interval: Interval, days: Ints) -> Ints:
    """Give the days this long after others."""
    if interval.days is not None:
        return days + np.int32(interval.days)
    if len(days) and days.min() >= FIRST_DAY and days.max() <= LAST_DAY:
        return _calendar(interval.count)[0].take(days - FIRST_DAY)
    return add_months(days, interval.count)


# Rows


def _answers(protocol: Protocol) -> Ints:
    """Give, for each situation, level held and ceiling (none first), what follows from it."""
    held = (None, *protocol.ladder.levels)
    found = np.full((SITUATION_NUMBERS, len(held), len(held)), -1, np.int32)
    for match in protocol.table.situations():
        number = _number(match)
        for (i, level), (j, ceiling) in product(enumerate(held), enumerate(held)):
            found[number, i, j] = _answer(protocol, match, level, ceiling)
    return found.ravel()


def _number(match: MatchedRule) -> int:
    facts = match.facts
    words = (facts.phase, facts.response, facts.safety, facts.timing, facts.trial, facts.position)
    return sum(WEIGHTS[word] for word in words)


def _answer(
    protocol: Protocol, match: MatchedRule, held: Level | None, ceiling: Level | None
) -> int:
    """Return what follows from a situation, packed into bits."""
    advice = advise(protocol.ladder, match, held, ceiling)
    effects, level = advice.effects, advice.level
    told = 0 if level is None else level.rank + 1
    told |= advice.phase_after.rank << PHASE_SHIFT
    told |= advice.follow_up.rank << RETURN_SHIFT
    told |= HANDS_OVER if advice.hands_over else 0
    for flag, applies in (
        (STARTS, effects.starts),
        (ENDS_PAUSE, effects.gives),
        (SETS_LEVEL, effects.new_level),
        (SETS_SINCE, effects.new_since),
        (SETS_INTERVAL, effects.new_interval),
        (SETS_WATCH, effects.new_watch),
        (SETS_LOWEST, effects.new_nadir),
        (REVIEWS, effects.reviews),
        (INTERRUPTS, effects.interrupts),
        (MARKS_HARM, effects.limits_dose),
        (FINISHES, effects.finishes),
    ):
        told |= flag if applies else 0
    return told


def _positions(protocol: Protocol) -> Ints:
    """Give the weight of the position by kind of phase, on or off the ladder, level held and ceiling (none first)."""
    levels = protocol.ladder.levels
    return np.array(
        [
            WEIGHTS[position_of(phase, level, on_ladder, ceiling)]
            for phase in (Phase.TITRATION, Phase.INTERRUPTED)
            for on_ladder in (True, False)
            for level in levels
            for ceiling in (None, *levels)
        ],
        np.int32,
    )


# Criteria


@lru_cache(maxsize=8)
def _responses(criteria: ResponseCriteria) -> Ints:
    """Give the response without a judgement, by kind of phase, score, score at the start and lowest score.

    The lowest counts the score itself, so that it is never above it.
    """
    found = np.full((2, SCORES, SCORES, SCORES), Response.NOT_ASSESSED.rank, np.int8)
    for kind, phase in enumerate((Phase.TITRATION, Phase.TAPER)):
        for now in range(NO_SCORE):
            found[kind, now] = criteria.of(phase, now, None, now, None).rank
            if now <= criteria.complete_at.value:
                continue
            for start in range(NO_SCORE):
                found[kind, now, start, : now + 1] = [
                    criteria.of(phase, now, start, nadir, None).rank for nadir in range(now + 1)
                ]
    return found.ravel()


def _judged(criteria: ResponseCriteria) -> Ints:
    """Give the response by phase, judgement (none first) and the response without it."""

    def of(phase: Phase, judgement: JudgedResponse | None, shown: Response) -> Response:
        if shown is Response.COMPLETE or (judgement is None and shown is not Response.NOT_ASSESSED):
            return shown
        # A judgement replaces any other response alike: that to the highest score stands for all.
        now = None if shown is Response.NOT_ASSESSED else ACTIVITY[1]
        return criteria.of(phase, now, None, now, judgement)

    return np.array(
        [
            of(phase, judgement, shown).rank
            for phase in Phase
            for judgement in (None, *JudgedResponse)
            for shown in Response
        ],
        np.int32,
    )


_BANDS = {
    UNKNOWN: Safety.ACCEPTABLE,
    WELL: Safety.ACCEPTABLE,
    LOW: Safety.CAUTION,
    DANGER: Safety.INTERRUPT,
}
GRAVEST = (Safety.ACCEPTABLE, Safety.CAUTION, Safety.INTERRUPT, Safety.STOP)
"""What the events that count allow, by the number that stands for it."""


def _safeties() -> Ints:
    """Give the weight of safety by the gravest event, what is missing, clearance, platelets and neutrophils."""
    return np.array(
        [
            WEIGHTS[
                min(
                    event,
                    Safety.NOT_ASSESSED if unknown else Safety.ACCEPTABLE,
                    Safety.INTERRUPT if clearance else Safety.ACCEPTABLE,
                    _BANDS[platelets],
                    _BANDS[neutrophils],
                    key=lambda safety: safety.rank,
                )
            ]
            for event in GRAVEST
            for unknown in (False, True)
            for clearance in (False, True)
            for platelets in range(4)
            for neutrophils in range(4)
        ],
        np.int32,
    )


def bands(
    quantity: Quantity, unit: str, limits: tuple[Decimal, Decimal]
) -> tuple[float, float, float]:
    """Give the limits, and the largest value that a patient has, as numbers in the unit of a result."""
    factor = quantity.factors[unit]
    danger, low, most = (float(each / factor) for each in (*limits, quantity.largest))
    return danger, low, most


# Events


class OngoingEvent(NamedTuple):
    """One way in which an event counts: what follows ("harm" interrupts, and is found), how long, under which name."""

    kind: str
    lasts: Lasts
    name: str | None


_KINDS = ("caution", "interrupt", "harm", "stop")
_STANDINGS = tuple(
    OngoingEvent(kind, lasts, name)
    for kind, lasts in product(_KINDS, Lasts)
    for name in (RESOLVABLE if lasts is Lasts.RESOLVED else (PREGNANCY, None))
)
_BIT = {each: bit for bit, each in enumerate(_STANDINGS)}
NEUROPATHY_GRADES: tuple[int | None, ...] = (None, *range(GRADE[1] + 1))
"""The grade of neuropathy at the start: none known, or none to 5."""


class Listed(NamedTuple):
    """What a list of adverse events does: what it leaves standing of before, what it adds for each grade of neuropathy
    at the start, the grade of neuropathy that it shows, and whether it ends a pregnancy."""

    keeps: int
    adds: tuple[int, ...]
    neuropathy: int
    ends_pregnancy: bool


def listed(safety: SafetyCriteria, events: Sequence[AdverseEvent] | None) -> Listed:
    """Tell what a list of adverse events does, None where nobody asked; what counts is what the criteria say."""
    if events is None:
        return Listed((1 << len(_STANDINGS) + 1) - 1, (0,) * len(NEUROPATHY_GRADES), 0, False)
    over = {event.name for event in events if event.resolved}
    keeps = sum(
        1 << bit for bit, each in enumerate(_STANDINGS) if _outlasts(each.lasts, each.name, over)
    )
    if _outlasts(safety.positive_test.lasts, PREGNANCY, over):
        keeps |= 1 << len(_STANDINGS)
    neuropathy = max(
        (event.grade or 0 for event in events if event.name == SENSORY_NEUROPATHY), default=0
    )
    # The grade at the start matters to a neuropathy alone.
    grades = NEUROPATHY_GRADES if neuropathy else (None,)
    adds = tuple(_bits(safety.events, events, grade) for grade in grades)
    adds *= len(NEUROPATHY_GRADES) // len(grades)
    return Listed(keeps, adds, neuropathy, PREGNANCY in over)


def _outlasts(lasts: Lasts, name: str | None, over: set[str]) -> bool:
    return lasts is Lasts.FOR_GOOD or (lasts is Lasts.RESOLVED and name not in over)


def _bits(
    criteria: Iterable[EventCriterion], events: Sequence[AdverseEvent], neuropathy: int | None
) -> int:
    """Give the ways in which the events of a list count, as bits."""
    found = 0
    for event in events:
        if not event.resolved:
            for each in criteria:
                if each.applies(event, neuropathy):
                    found |= 1 << _BIT[_standing(each, event)]
    return found


def _standing(criterion: EventCriterion, event: AdverseEvent) -> OngoingEvent:
    named = event.name if criterion.lasts is Lasts.RESOLVED or event.name == PREGNANCY else None
    return OngoingEvent("harm" if criterion.harm else criterion.safety.code, criterion.lasts, named)


# Dosages


class Dosages:
    """The dosages taken, numbered as they are met; the first are the levels of the ladder."""

    def __init__(self, protocol: Protocol) -> None:
        self._known: dict[Dosage, int] = {}
        self._levels = {level.dosage: level.rank for level in protocol.ladder.levels}
        for dosage in self._levels:
            self.number(dosage)

    def number(self, dosage: Dosage) -> int:
        """Give the number of a dosage."""
        return self._known.setdefault(dosage, len(self._known))

    def table(self) -> "DosageTable":
        """Give what the machine asks of the dosages met so far."""
        daily = sorted({each.daily_mg for each in self._known})
        order = {amount: rank for rank, amount in enumerate(daily)}
        return DosageTable(
            np.array([self._levels.get(each, -1) for each in self._known], np.int32),
            np.array([each.every_days for each in self._known], np.int32),
            np.array([order[each.daily_mg] for each in self._known], np.int32),
        )


class DosageTable(NamedTuple):
    """For each dosage its level (-1: none), the days from one dose to the next, and its place by daily amount."""

    level: Ints
    every_days: Ints
    daily: Ints
