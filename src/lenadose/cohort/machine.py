"""The machine over arrays: one visit of each of many patients, or of one, from what was known to what is advised.

What `observation.py` and `machine.py` do with a state and a visit, written for arrays, function by function and under
the same names; which row applies and what follows from it is looked up. `where`, `wide`, `pick` and `flags` are all
that differs between many patients at once, as arrays, and one patient at a time, as numbers that numba compiles: see
`compiled.py`.
"""

from typing import Any, NamedTuple

import numpy as np

from lenadose.cohort.lookup import (
    FIRST_DAY,
    FLAG_SHIFT,
    FLAGS,
    LEVEL_BITS,
    NEUROPATHY_GRADES,
    NO_SCORE,
    NOT_ASKED,
    NOTHING,
    PHASE_BITS,
    PHASE_SHIFT,
    SCORES,
    DosageTable,
    Flags,
    IntervalArrays,
    Ints,
    ProtocolArrays,
)
from lenadose.record.visit import JudgedResponse
from lenadose.terms.facts import Phase, Response

BEFORE_START, _TITRATION, _TAPER = Phase.BEFORE_START.rank, Phase.TITRATION.rank, Phase.TAPER.rank
_INTERRUPTED, _OFF_TREATMENT = Phase.INTERRUPTED.rank, Phase.OFF_TREATMENT.rank
_DISCONTINUED = Phase.DISCONTINUED.rank
_PARTIAL, _NOT_ASSESSED = Response.PARTIAL.rank, Response.NOT_ASSESSED.rank
_LEVEL_MASK, _PHASE_MASK = (1 << LEVEL_BITS) - 1, (1 << PHASE_BITS) - 1

_GRADES, _JUDGEMENTS, _RESPONSES = len(NEUROPATHY_GRADES), len(JudgedResponse) + 1, len(Response)

MISSING_FIELDS = (
    "adverse_events",
    "pregnancy_tests",
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "clasi_activity",
)
"""The fields of a visit that can be missing, two bits for each: 1 absent, 2 stale."""
SCORE_GAP, CLEARANCE_GAP = (
    2 * MISSING_FIELDS.index("clasi_activity"),
    2 * MISSING_FIELDS.index("creatinine_clearance"),
)
COUNTS_GAP, TESTS_GAP = (
    2 * MISSING_FIELDS.index("neutrophils"),
    2 * MISSING_FIELDS.index("pregnancy_tests"),
)

CLEARANCE_LOW, COUNT_DANGER, POSITIVE, COUNT_GAPS, TEST_GAPS = 5, 6, 7, 8, 16
"""Bits of what is known at a visit, see `knowing`. The lowest five are the bands of neutrophils and platelets and
whether clearance is a danger; then whether clearance lowers the ceiling, a count is a danger, a positive test counts.
Two bits for each gap follow, as in `GAPS`: of neutrophils and platelets, usually and under the close watch; of
pregnancy tests, usually, early in a course and before a start; of clearance."""
_BANDS = (1 << CLEARANCE_LOW) - 1


class Lists(NamedTuple):
    """For each list of adverse events what it does, as `packed.Listed`; in `adds` its grades lie side by side."""

    keeps: Ints
    adds: Ints
    neuropathy: Ints
    ends_pregnancy: Flags


class Visits(NamedTuple):
    """What a visit of each patient showed; `known` is what is known at it, see `COUNT_DANGER`."""

    day: Ints
    score: Ints
    known: Ints
    events: Ints
    judged: Ints
    taken: Ints
    missed: Ints


class Seldom(NamedTuple):
    """Whether any visit reports doses missed, a judgement, a dosage taken, or an event that counts, or lacks a test.

    What is so of no visit costs nothing.
    """

    missed: bool
    judged: bool
    taken: bool
    events: bool
    untested: bool


class Baseline(NamedTuple):
    """The start of a course; `neuropathy` is -1 before a first one."""

    on: Ints
    score: Ints
    neuropathy: Ints


class CurrentLevel(NamedTuple):
    """The level held (-1: none) and its clocks; `taking` is the number of a dosage that is no level, or -1.

    `reviewed` is 1 or 0.
    """

    level: Ints
    since: Ints
    interval_from: Ints
    watched_from: Ints
    reviewed: Ints
    days_missed: Ints
    taking: Ints


class PreviousVisit(NamedTuple):
    """The visit before, with the dose (level -1: none) that the patient came with then; `handed_over` is 1 or 0."""

    on: Ints
    score: Ints
    advised: Ints
    handed_over: Ints
    dose: CurrentLevel
    nadir: Ints
    interrupted_on: Ints


class State(NamedTuple):
    """All that the next decision needs of the past; 0 is no day, -1 no level.

    The trial of therapy runs from `gain_on`: the last response, or the start of the course.
    """

    phase: Ints
    ceiling: Ints
    ongoing: Ints
    """The events that count, and positive tests."""
    start: Baseline
    dose: CurrentLevel
    nadir: Ints
    gain_on: Ints
    interrupted_on: Ints
    finished_on: Ints
    last: PreviousVisit


class Arrival(NamedTuple):
    """How the patient came: what was taken has moved the state, as of the visit before.

    `too_many` is one more than the doses there were, where more were missed, else 0.
    """

    phase: Ints
    dose: CurrentLevel
    nadir: Ints
    interrupted_on: Ints
    too_many: Ints


class Observed(NamedTuple):
    """What a visit shows: the number of its situation, what is missing, and what both rest on."""

    situation: Ints
    gaps: Ints
    nadir: Ints
    gain_on: Ints
    ceiling: Ints
    due_on: Ints


def where(condition: Any, this: Any, other: Any) -> Any:
    """Give the one number where a condition holds, else the other; one of them at least is an array.

    A condition that is asked more than once is better made wide before.
    """
    # Twice as fast as np.where, which branches; in place, because what is not written again stays in the cache.
    found = this - other
    found *= condition.astype(np.int32, copy=False)
    found += other
    return found


def wide(narrow: Any) -> Any:
    """Give whole numbers with room to reckon with; a condition as 1 or 0."""
    return narrow.astype(np.int32, copy=False)


def pick(table: Any, index: Any) -> Any:
    """Look up in a table."""
    # Three times as fast as table[index] where the index is narrow.
    return table.take(index)


_BITS = np.arange(FLAG_SHIFT, FLAG_SHIFT + FLAGS, dtype=np.int32)[:, np.newaxis]


def flags(answer: Any) -> Any:
    """Tell one after another, as 1 or 0, what an answer says; see `packed.SETS_LEVEL`."""
    return answer >> _BITS & 1


# intervals.py


def after(span: IntervalArrays, day: Any) -> Any:
    """Give the day this long after another; where there is none, some day."""
    if span.days >= 0:
        return day + span.days
    return pick(span.after, np.maximum(day, FIRST_DAY) - FIRST_DAY)


def first_within(span: IntervalArrays, day: Any) -> Any:
    """Give the first day from which not more than this has passed until `day`."""
    if span.days >= 0:
        return day - span.days
    return pick(span.first, day - FIRST_DAY)


# state.py


def begin(packed: ProtocolArrays, count: int, events: bool) -> State:
    """Give the state of so many patients before their first visits; without events, one nothing stands for all."""

    def each(value: int) -> Ints:
        return np.full(count, value, np.int32)

    none, no_day, no, unscored = each(-1), each(0), each(0), each(NO_SCORE)
    dose = CurrentLevel(none, no_day, no_day, no_day, no, no_day, none)
    return State(
        each(BEFORE_START),
        each(packed.top),
        no_day if events else np.zeros((), np.int32),
        Baseline(no_day, unscored, none),
        dose,
        unscored,
        no_day,
        no_day,
        no_day,
        PreviousVisit(no_day, unscored, none, no, dose, unscored, no_day),
    )


def update_findings(
    packed: ProtocolArrays,
    lists: Lists,
    ongoing: Any,
    visit: Visits,
    neuropathy_at_start: Any,
    events: bool,
) -> Any:
    """Add what a visit reported to the events that count from now on."""
    if not events:
        return ongoing
    adds = pick(lists.adds, visit.events * _GRADES + neuropathy_at_start + 1)
    positive = (visit.known >> POSITIVE & 1) * packed.positive
    return (ongoing & pick(lists.keeps, visit.events)) | adds | positive


# observation.py


def observe(
    packed: ProtocolArrays, state: State, came: Arrival, ongoing: Any, visit: Visits, seldom: Seldom
) -> Observed:
    """Turn a visit into facts; how the patient came and which events count was settled first."""
    day, phase, dose, start = visit.day, came.phase, came.dose, state.start
    ceiling = ceiling_of(packed, state.ceiling, visit.known)
    nadir = np.minimum(came.nadir, visit.score)
    response = response_of(packed, phase, visit, start.score, nadir, seldom.judged)
    gaps = _gaps(packed, phase, start.on, dose.watched_from, ongoing, visit, seldom.untested)
    safety = safety_of(packed, ongoing, visit.known, gaps != 0)
    gaps = gaps | (wide(response == _NOT_ASSESSED) << SCORE_GAP)

    interrupted, treated = phase == _INTERRUPTED, is_treated(phase)
    gain_on = where((response <= _PARTIAL) & (treated | interrupted), day, state.gain_on)
    due_on = interval_end(packed, phase, dose)
    too_long = (came.interrupted_on > 0) & (
        came.interrupted_on < first_within(packed.resumable, day)
    )
    waits = (treated & (day < due_on)) | (interrupted & ~too_long)
    exhausted = (treated | interrupted) & (after(packed.trial, gain_on) <= day)
    exhausted = exhausted & (after(packed.trial_at_level, dose.since) <= day)
    situation = (
        phase * packed.phase_weight
        + response * packed.response_weight
        + safety
        + wide(~waits) * packed.due
        + wide(exhausted) * packed.exhausted
        + position_of(packed, treated, interrupted, dose, ceiling)
    )
    return Observed(situation, gaps, nadir, gain_on, ceiling, due_on)


def is_treated(phase: Any) -> Any:
    """Tell whether a phase is one on treatment."""
    return (phase == _TITRATION) | (phase == _TAPER)


def follow_advice(dosages: DosageTable, state: State, visit: Visits, some_missed: bool) -> Arrival:
    """Let the state follow a patient of whom nobody said what was taken: the advised dosage, but for doses missed."""
    last, dose, treated = state.last, state.dose, wide(is_treated(state.phase))
    days, advised, too_many = visit.day - last.on, wide(last.advised >= 0), visit.missed * 0
    lost = days * (1 - advised)
    if some_missed:
        every = pick(dosages.every_days, np.maximum(last.advised, 0))
        lost = where(advised, visit.missed * every, days)
        too_many = _too_many(visit.missed, -(-days // every) * advised)
    missed = dose.days_missed + lost * treated
    return Arrival(
        state.phase,
        CurrentLevel(
            dose.level,
            dose.since,
            dose.interval_from,
            dose.watched_from,
            dose.reviewed,
            missed,
            dose.taking,
        ),
        state.nadir,
        state.interrupted_on * (1 - treated),
        too_many,
    )


def _too_many(missed: Any, there_were: Any) -> Any:
    return where(missed > there_were, there_were + 1, 0)


def follow_dosage(dosages: DosageTable, state: State, visit: Visits) -> Arrival:
    """Let the state follow a patient of whom it is known what was taken, as of the visit before."""
    last, dose, treated = state.last, state.dose, is_treated(state.phase)
    nothing, taken = visit.taken == NOTHING, np.maximum(visit.taken, 0)
    given = where(nothing, last.advised, taken)
    every = pick(dosages.every_days, np.maximum(given, 0))
    too_many = _too_many(visit.missed, where(given >= 0, -(-(visit.day - last.on) // every), 0))

    level, missed = pick(dosages.level, taken), visit.missed * pick(dosages.every_days, taken)
    on_ladder, handed = level >= 0, last.handed_over
    same = treated & (visit.taken == where(dose.taking >= 0, dose.taking, dose.level))
    stops = treated & nothing
    resumes = ~treated & handed & ~nothing & on_ladder & (state.ceiling >= 0) & (dose.level >= 0)
    moves = (treated & ~nothing & ~same) | resumes

    # What was advised and not taken has not been held: the move is from the dose that the patient came with then.
    came = last.dose.level >= 0
    held = CurrentLevel(
        where(came, last.dose.level, dose.level),
        where(came, last.dose.since, dose.since),
        where(came, last.dose.interval_from, dose.interval_from),
        where(came, last.dose.watched_from, dose.watched_from),
        (came & last.dose.reviewed) | (~came & dose.reviewed),
        where(came, last.dose.days_missed, dose.days_missed),
        where(came, last.dose.taking, dose.taking),
    )
    nadir = where(came, last.nadir, state.nadir)
    before = np.maximum(where(held.taking >= 0, held.taking, held.level), 0)
    rose = pick(dosages.daily, taken) > pick(dosages.daily, before)
    kept = moves & ~on_ladder
    leaves = moves | stops
    since = where(on_ladder & ~(handed & (taken == before)), last.on, held.since)
    missed_now = where(same, dose.days_missed + missed, dose.days_missed)
    return Arrival(
        where(stops, _INTERRUPTED, where(resumes, _TITRATION, state.phase)),
        CurrentLevel(
            where(leaves, where(moves & on_ladder, level, held.level), dose.level),
            where(leaves, where(stops, held.since, since), dose.since),
            where(
                leaves, where(moves & on_ladder, last.on, held.interval_from), dose.interval_from
            ),
            where(
                leaves,
                where(moves & (rose | handed), last.on, held.watched_from),
                dose.watched_from,
            ),
            (kept & held.reviewed) | (~leaves & dose.reviewed),
            where(leaves, where(moves, missed, 0) + where(kept, held.days_missed, 0), missed_now),
            where(leaves, where(kept, taken, -1), dose.taking),
        ),
        where(leaves, where(moves & rose, last.score, nadir), state.nadir),
        where(
            stops,
            where(last.interrupted_on > 0, last.interrupted_on, last.on),
            where(treated | resumes, 0, state.interrupted_on),
        ),
        too_many,
    )


def interval_end(packed: ProtocolArrays, phase: Any, dose: CurrentLevel) -> Any:
    """Give the day on which the interval is over; the days missed are added once they are more than their share."""
    begun, missed = dose.interval_from, dose.days_missed
    titration = where(
        dose.reviewed, after(packed.review, begun), after(packed.first_assessment, begun)
    )
    end = where(phase == _TAPER, after(packed.taper_step, begun), titration)
    much = missed * packed.missed_denominator > (end - begun) * packed.missed_numerator
    return end + missed * wide(much)


def position_of(
    packed: ProtocolArrays, treated: Any, interrupted: Any, dose: CurrentLevel, ceiling: Any
) -> Any:
    """Give the weight of where the level held stands; in an interruption, of the level to resume at."""
    levels = packed.levels
    kind = wide(interrupted) * 2 + wide(dose.taking >= 0)
    found = pick(
        packed.positions, (kind * levels + np.maximum(dose.level, 0)) * (levels + 1) + ceiling + 1
    )
    return where(treated | interrupted, found, packed.no_position)


def ceiling_of(packed: ProtocolArrays, left_by_harm: Any, known: Any) -> Any:
    """Give the highest level allowed now: what harm has left, and what the newest clearance allows."""
    return where(
        known >> CLEARANCE_LOW & 1, np.minimum(left_by_harm, packed.clearance_ceiling), left_by_harm
    )


def response_of(
    packed: ProtocolArrays, phase: Any, visit: Visits, start: Any, nadir: Any, judgements: bool
) -> Any:
    """Give the response, from the scores and a judgement."""
    kind = wide((phase != _TITRATION) & (phase != _INTERRUPTED))
    shown = wide(
        pick(packed.responses, ((kind * SCORES + visit.score) * SCORES + start) * SCORES + nadir)
    )
    if judgements:
        return pick(packed.judged, (phase * _JUDGEMENTS + visit.judged) * _RESPONSES + shown)
    return shown


def safety_of(packed: ProtocolArrays, ongoing: Any, known: Any, unknown: Any) -> Any:
    """Give the weight of the first that applies of stop, interrupt, not assessed, caution and acceptable."""
    gravest = wide((ongoing & packed.cautions) != 0)
    gravest = np.maximum(gravest, wide((ongoing & packed.interrupts) != 0) * 2)
    gravest = np.maximum(gravest, wide((ongoing & packed.stops) != 0) * 3)
    return pick(packed.safeties, (known & _BANDS) | wide(unknown) << 5 | gravest << 6)


def _gaps(
    packed: ProtocolArrays,
    phase: Any,
    started: Any,
    watched_from: Any,
    ongoing: Any,
    visit: Visits,
    untested: bool,
) -> Any:
    """Give the safety facts that are missing or too old, two bits for each; see `GAPS`."""
    known = visit.known
    early = wide(watched_from >= first_within(packed.counts_early, visit.day))
    not_asked = (visit.events == NOT_ASKED) & ((ongoing & packed.known_dangers) == 0)
    gaps = (
        wide(not_asked)
        | (known >> (COUNT_GAPS + 4 * early) & 15) << COUNTS_GAP
        | (known >> (TEST_GAPS + 6) & 3) << CLEARANCE_GAP
    )
    if untested:
        return gaps | tests_missing(packed, phase, started, ongoing, visit) << TESTS_GAP
    return gaps


def tests_missing(
    packed: ProtocolArrays, phase: Any, started: Any, ongoing: Any, visit: Visits
) -> Any:
    """Tell why a pregnancy test required on this day is missing; a known pregnancy needs no test."""
    before_start = (started == 0) | (phase == _OFF_TREATMENT)
    early = started >= first_within(packed.tests_early, visit.day)
    which = np.maximum(wide(before_start) * 2, wide(early))
    needed = (phase != _DISCONTINUED) & ((ongoing & packed.pregnant) == 0)
    return (visit.known >> (TEST_GAPS + 2 * which) & 3) * wide(needed)


# machine.py


def recommend(packed: ProtocolArrays, came: Arrival, seen: Observed) -> Any:
    """Decide: what follows from the situation, the level held and the ceiling."""
    levels = packed.levels + 1
    return pick(
        packed.answers, (seen.situation * levels + came.dose.level + 1) * levels + seen.ceiling + 1
    )


def anchor_of(state: State, seen: Observed, answer: Any, day: Any) -> Any:
    """Give the day that a running interval ends on, or, off treatment, the day of the finish."""
    off = (answer >> PHASE_SHIFT & _PHASE_MASK) == _OFF_TREATMENT
    return where(off, where(state.finished_on > 0, state.finished_on, day), seen.due_on)


def apply(
    packed: ProtocolArrays,
    lists: Lists,
    state: State,
    came: Arrival,
    ongoing: Any,
    visit: Visits,
    seen: Observed,
    answer: Any,
) -> State:
    """Give the state after a decision: what was advised takes place, and what was found is remembered."""
    day, dose, start = visit.day, came.dose, state.start
    (
        sets_level,
        sets_since,
        begins,
        sets_watch,
        sets_lowest,
        reviews,
        starts,
        finishes,
        interrupts,
        ends_pause,
        marks_harm,
        hands_over,
    ) = flags(answer)
    anew = begins | interrupts
    goes_on = 1 - anew
    advised = (answer & _LEVEL_MASK) - 1
    harmed = marks_harm & dose_limiting_causes(packed, ongoing, visit.known)
    gain_on = where(starts, day, seen.gain_on)
    came_with = CurrentLevel(
        where(starts, -1, dose.level),
        dose.since,
        dose.interval_from,
        dose.watched_from,
        dose.reviewed,
        dose.days_missed,
        dose.taking,
    )
    return State(
        answer >> PHASE_SHIFT & _PHASE_MASK,
        where(harmed, np.minimum(state.ceiling, dose.level - 1), state.ceiling),
        ongoing,
        Baseline(
            where(starts, day, start.on),
            where(starts, visit.score, start.score),
            where(starts, pick(lists.neuropathy, visit.events), start.neuropathy),
        ),
        CurrentLevel(
            where(sets_level, advised, dose.level),
            where(sets_since, day, dose.since),
            where(begins, day, dose.interval_from),
            where(sets_watch, day, dose.watched_from),
            reviews | (dose.reviewed & goes_on),
            dose.days_missed * goes_on,
            where(anew, -1, dose.taking),
        ),
        where(sets_lowest, visit.score, seen.nadir),
        gain_on,
        where(interrupts, day, came.interrupted_on) * (1 - ends_pause),
        where(finishes, day, state.finished_on) * (1 - starts),
        PreviousVisit(
            day,
            visit.score,
            advised,
            hands_over,
            came_with,
            seen.nadir,
            came.interrupted_on,
        ),
    )


def dose_limiting_causes(packed: ProtocolArrays, ongoing: Any, known: Any) -> Any:
    """Tell whether a count or an event is a harm for which the level is not given again."""
    return (known >> COUNT_DANGER & 1) | wide((ongoing & packed.harms) != 0)


def step(
    packed: ProtocolArrays, lists: Lists, state: State, came: Arrival, visit: Visits, seldom: Seldom
) -> tuple[State, Any, Any, Any, Any]:
    """Decide on a visit: give the state after it, the situation, what is missing, the answer, and `anchor_of`."""
    ongoing = update_findings(
        packed, lists, state.ongoing, visit, state.start.neuropathy, seldom.events
    )
    seen = observe(packed, state, came, ongoing, visit, seldom)
    answer = recommend(packed, came, seen)
    after_it = apply(packed, lists, state, came, ongoing, visit, seen, answer)
    return (
        after_it,
        seen.situation,
        seen.gaps,
        answer,
        anchor_of(state, seen, answer, visit.day),
    )
