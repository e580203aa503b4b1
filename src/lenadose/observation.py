"""A visit is turned into finite facts: what was taken, what is known now, and the six words that decide.

Numbers and dates end here. What a fact rests on stays beside it, so that a reason can be given later.
"""

from datetime import date, timedelta

from attrs import frozen

from .course import PREGNANCY, Patient, Visit, before_treatment, doses_between, too_many_missed
from .criteria import SafetyCriteria
from .dosing import Dosage, Level, lower
from .errors import CallError, fault
from .protocol import Protocol
from .quick import quick
from .rules import Match
from .state import Dose, Known, Last, Record, Score, Start, State, learn, make_dose, make_score
from .vocabulary import Facts, Phase, Position, Response, Safety, Timing, Trial, Word, situation_number

# Members are bound to names of the module where every decision passes: an attribute of an Enum class costs ten
# times as much.
_TITRATION, _TAPER = Phase.TITRATION, Phase.TAPER
_INTERRUPTED, _OFF_TREATMENT, _DISCONTINUED = Phase.INTERRUPTED, Phase.OFF_TREATMENT, Phase.DISCONTINUED
_COMPLETE, _PARTIAL, _UNKNOWN = Response.COMPLETE, Response.PARTIAL, Response.NOT_ASSESSED
_INTERRUPT, _NOT_ASSESSED = Safety.INTERRUPT, Safety.NOT_ASSESSED
_ACCEPTABLE = Safety.ACCEPTABLE
_BEFORE_DUE, _DUE = Timing.BEFORE_DUE, Timing.DUE
_RUNNING, _EXHAUSTED = Trial.RUNNING, Trial.EXHAUSTED
_LOWEST, _MIDDLE, _HIGHEST, _ONLY = Position.LOWEST, Position.MIDDLE, Position.HIGHEST, Position.ONLY
_ABOVE_CEILING, _OFF_LADDER, _NO_LEVEL = Position.ABOVE_CEILING, Position.OFF_LADDER, Position.NONE


class Why(Word):
    """Why a fact is missing."""

    ABSENT = "absent"
    STALE = "stale"


@frozen
class Gap:
    """A field of the visit that is missing: never given, or too old to count."""

    field: str
    why: Why


@frozen(weakref_slot=False)
class Observation:
    """What one visit shows: its facts, and all that they rest on.

    `before` is the state the visit was met in; the other fields are as of this visit, after what was taken
    (`dose`) and with what was found (`known`, `lowest`, `responded_on`). `ceiling` is the highest level
    allowed now, None if none is. `due_on` is when the interval is over, None where none runs.
    """

    protocol: Protocol
    before: State
    visit: Visit
    match: Match
    dose: Dose | None
    known: Known
    lowest: Score | None
    responded_on: date | None
    interrupted_on: date | None
    ceiling: Level | None
    due_on: date | None
    gaps: tuple[Gap, ...]

    @property
    def facts(self) -> Facts:
        """The six words that decide."""
        return self.match.facts

    @property
    def phase(self) -> Phase:
        """The phase, as of this visit, after what was taken."""
        return self.match.facts.phase

    @property
    def start(self) -> Start | None:
        """The start of the course."""
        return self.before.start

    @property
    def patient(self) -> Patient:
        """The patient."""
        return self.before.patient


_observation = quick(Observation)

Sight = tuple[
    Match,
    Dose | None,
    Known,
    Score | None,
    date | None,
    date | None,
    Level | None,
    date | None,
    tuple[Gap, ...],
]
"""The fields of an observation from `match` on."""


def observe(protocol: Protocol, state: State, visit: Visit) -> Observation:
    """Turn a visit into facts; the dosage taken moves the state first.

    Raises CallError for a visit that is not after the one before, a dosage taken before the first visit, and more
    doses missed than there were.
    """
    match, dose, known, lowest, responded_on, interrupted_on, ceiling, due_on, gaps = look(protocol, state, visit)
    return _observation(
        protocol, state, visit, match, dose, known, lowest, responded_on, interrupted_on, ceiling, due_on, gaps
    )


def look(protocol: Protocol, state: Record, visit: Visit) -> Sight:
    """Give what a visit shows, as `observe` does, for a record that is still being written."""
    day, start, safety_criteria = visit.date, state.start, protocol.safety
    phase, dose, lowest, interrupted_on = _follow(protocol, state, visit)
    known = learn(safety_criteria, state.known, visit, start.neuropathy if start is not None else None)
    ceiling = ceiling_of(safety_criteria, state.ceiling, known)

    activity, judgement = visit.clasi_activity, visit.judgement
    if activity is not None and (lowest is None or activity < lowest.activity):
        lowest = make_score(activity, day)
    response = protocol.response.of(
        phase,
        activity,
        start.activity if start is not None else None,
        lowest.activity if lowest is not None else None,
        judgement.response if judgement is not None else None,
    )

    gaps = _gaps(safety_criteria, state.patient, phase, start, dose, known, visit)
    safety = safety_of(safety_criteria, known, bool(gaps))
    if response is _UNKNOWN:
        gaps += (_NO_SCORE,)

    responded_on = state.responded_on
    due_on: date | None = None
    timing, trial, position = _DUE, _RUNNING, _NO_LEVEL
    if dose is not None and start is not None and (phase is _TITRATION or phase is _TAPER or phase is _INTERRUPTED):
        if response is _COMPLETE or response is _PARTIAL:
            responded_on = day
        if phase is _INTERRUPTED:
            too_long = interrupted_on is not None and protocol.intervals.resumable.value.is_over(interrupted_on, day)
            timing = _DUE if too_long else _BEFORE_DUE
        else:
            due_on = interval_end(protocol, phase, dose)
            timing = _DUE if day >= due_on else _BEFORE_DUE
        trial = _EXHAUSTED if _is_exhausted(protocol, responded_on or start.on, dose.since, day) else _RUNNING
        position = position_of(phase, dose.level, dose.off_ladder is None, ceiling)
    match = protocol.table.match(situation_number(phase, response, safety, timing, trial, position))
    return match, dose, known, lowest, responded_on, interrupted_on, ceiling, due_on, gaps


def _follow(protocol: Protocol, state: Record, visit: Visit) -> tuple[Phase, Dose | None, Score | None, date | None]:
    """Let the state follow the patient: move to what was taken since the visit before, as of that visit."""
    last, dose, phase = state.last, state.dose, state.phase
    taken, missed = visit.dosage_taken, visit.doses_missed or 0
    if last is None:
        if taken is not None or missed:
            raise CallError((before_treatment("doses_missed" if taken is None else "dosage_taken"),))
        return phase, dose, state.lowest, state.interrupted_on
    if visit.date <= last.on:
        raise fault("date", f"{visit.date} is not after the visit before, of {last.on}", "give the visits in order")
    if taken is None and not missed and (last.advised is not None or (phase is not _TITRATION and phase is not _TAPER)):
        return phase, dose, state.lowest, state.interrupted_on
    advised = last.advised.dosage if last.advised else None
    dosage = taken.dosage if taken else None
    if missed:
        there_were = doses_between(last.on, visit.date, dosage or advised)
        if missed > there_were:
            raise CallError((too_many_missed(missed, there_were),))

    if dose is not None and (phase is _TITRATION or phase is _TAPER):
        if taken is None:
            days = missed * advised.every_days if advised else (visit.date - last.on).days
            return phase, _miss(dose, days), state.lowest, None
        if dosage is None:
            # Off the ladder or on it, the last level held is the one to resume at; a resumption that was not made
            # has not ended the interruption.
            held = last.dose or dose
            stopped = make_dose(held.level, held.since, held.interval_from, held.watched_from)
            return _INTERRUPTED, stopped, last.lowest if last.dose else state.lowest, last.interrupted_on or last.on
        if dosage == (dose.off_ladder or dose.level.dosage):
            return phase, _miss(dose, missed * dosage.every_days), state.lowest, None
        return phase, *_take(protocol, state, last, dose, dosage, missed), None
    if (
        dose is not None
        and last.handed_over
        and dosage is not None
        and protocol.ladder.level_of(dosage) is not None
        and ceiling_of(protocol.safety, state.ceiling, state.known) is not None
    ):
        return _TITRATION, *_take(protocol, state, last, dose, dosage, missed), None
    return phase, dose, state.lowest, state.interrupted_on


def _take(
    protocol: Protocol, state: Record, last: Last, dose: Dose, dosage: Dosage, missed: int
) -> tuple[Dose, Score | None]:
    """Move to a dosage taken instead of the one advised, as of the visit before.

    What was advised and not taken has not been held: the move is from the dose that the patient came with then. A
    rise begins as an advised one would, and a resumption too.
    """
    held, lowest = (last.dose, last.lowest) if last.dose else (dose, state.lowest)
    before = held.off_ladder or held.level.dosage
    missed *= dosage.every_days
    rose = dosage.daily_mg > before.daily_mg
    if rose:
        lowest = None if last.activity is None else make_score(last.activity, last.on)
    watched_from = last.on if rose or last.handed_over else held.watched_from
    level = protocol.ladder.level_of(dosage)
    if level is None:
        missed += held.days_missed
        return make_dose(
            held.level, held.since, held.interval_from, watched_from, held.reviewed, missed, dosage
        ), lowest
    since = held.since if last.handed_over and dosage == before else last.on
    return make_dose(level, since, last.on, watched_from, days_missed=missed), lowest


def _miss(dose: Dose, days: int) -> Dose:
    if not days:
        return dose
    return make_dose(
        dose.level,
        dose.since,
        dose.interval_from,
        dose.watched_from,
        dose.reviewed,
        dose.days_missed + days,
        dose.off_ladder,
    )


def interval_name(phase: Phase, dose: Dose) -> str:
    """Give the name of the interval that runs: a step of the taper, the first assessment at the level, or a review."""
    if phase is _TAPER:
        return "taper_step"
    return "review" if dose.reviewed else "first_assessment"


def interval_end(protocol: Protocol, phase: Phase, dose: Dose) -> date:
    """Give the day on which the interval is over; the days missed are added once they are more than their share."""
    intervals = protocol.intervals
    if phase is _TAPER:
        interval = intervals.taper_step.value
    else:
        interval = (intervals.review if dose.reviewed else intervals.first_assessment).value
    end = interval.after(dose.interval_from)
    missed = dose.days_missed
    if missed:
        share = intervals.missed_share.value
        if missed * share.denominator > (end - dose.interval_from).days * share.numerator:
            end += timedelta(days=missed)
    return end


def _is_exhausted(protocol: Protocol, last_gain: date, level_since: date, day: date) -> bool:
    """Tell whether the trial of therapy has been long enough, as a whole and at this level."""
    intervals = protocol.intervals
    return intervals.trial.value.after(last_gain) <= day and intervals.trial_at_level.value.after(level_since) <= day


def position_of(phase: Phase, held: Level, on_ladder: bool, ceiling: Level | None) -> Position:
    """Tell where the level held stands; in an interruption, the level to resume at."""
    level = held
    if phase is _INTERRUPTED:
        resumed = lower(held, ceiling)
        if resumed is None:
            return _NO_LEVEL
        level = resumed
    elif not on_ladder:
        return _OFF_LADDER
    if ceiling is None or level.rank > ceiling.rank:
        return _ABOVE_CEILING
    if level.rank == ceiling.rank:
        return _HIGHEST if level.rank else _ONLY
    return _MIDDLE if level.rank else _LOWEST


def ceiling_of(safety: SafetyCriteria, left_by_harm: Level | None, known: Known) -> Level | None:
    """Give the highest level allowed now: what harm has left, and what the newest clearance allows."""
    clearance = known.clearance
    if clearance is not None and clearance.amount < safety.clearance_lowers_below.value:
        return lower(left_by_harm, safety.clearance_ceiling.value)
    return left_by_harm


def safety_of(safety: SafetyCriteria, known: Known, unknown: bool) -> Safety:
    """Give the first that applies of stop, interrupt, not assessed, caution and acceptable.

    A known danger counts even when other facts are missing (`unknown`).
    """
    found = _NOT_ASSESSED if unknown else _ACCEPTABLE
    neutrophils, platelets, clearance = known.neutrophils, known.platelets, known.clearance
    if neutrophils is not None and neutrophils.amount < safety.neutrophils.caution_below.value:
        found = graver(found, safety.neutrophils.of(neutrophils.amount))
    if platelets is not None and platelets.amount < safety.platelets.caution_below.value:
        found = graver(found, safety.platelets.of(platelets.amount))
    if clearance is not None and clearance.amount < safety.clearance_interrupt_below.value:
        found = graver(found, _INTERRUPT)
    for each in known.standing:
        found = graver(found, each.criterion.safety)
    return found


def graver(one: Safety, other: Safety) -> Safety:
    """Give the graver of two, the first that applies."""
    return one if one.rank <= other.rank else other


_ABSENT, _STALE = Why.ABSENT, Why.STALE
_NO_SCORE = Gap("clasi_activity", _ABSENT)
_NOT_ASKED = Gap("adverse_events", _ABSENT)


def _gap(field: str, last: object) -> Gap:
    return Gap(field, _ABSENT if last is None else _STALE)


def _gaps(
    safety: SafetyCriteria,
    patient: Patient,
    phase: Phase,
    start: Start | None,
    dose: Dose | None,
    known: Known,
    visit: Visit,
) -> tuple[Gap, ...]:
    """Give the safety facts that are missing or too old; a danger that still counts is known, not missing."""
    gaps: tuple[Gap, ...] = ()
    day = visit.date
    if visit.adverse_events is None and not any(each.is_danger and each.event for each in known.standing):
        gaps = (_NOT_ASKED,)
    untested = tests_missing(safety, patient, phase, start, known, day)
    if untested is not None:
        gaps += (Gap("pregnancy_tests", untested),)
    # A result taken at the visit itself, the usual case, is never too old.
    count = known.neutrophils
    if count is None or (
        count.on is not day
        and safety.counts_age_on(day, dose.watched_from if dose else None).is_over(count.on, day)
        and count.amount >= safety.neutrophils.interrupt_below.value
    ):
        gaps += (_gap("neutrophils", count),)
    count = known.platelets
    if count is None or (
        count.on is not day
        and safety.counts_age_on(day, dose.watched_from if dose else None).is_over(count.on, day)
        and count.amount >= safety.platelets.interrupt_below.value
    ):
        gaps += (_gap("platelets", count),)
    clearance = known.clearance
    if clearance is None or (
        clearance.on is not day
        and safety.clearance_age.value.is_over(clearance.on, day)
        and clearance.amount >= safety.clearance_interrupt_below.value
    ):
        gaps += (_gap("creatinine_clearance", clearance),)
    return gaps


def tests_missing(
    safety: SafetyCriteria, patient: Patient, phase: Phase, start: Start | None, known: Known, day: date
) -> Why | None:
    """Tell why a pregnancy test required on this day is missing, or None; a known pregnancy needs no test."""
    if patient.able_to_become_pregnant is False or phase is _DISCONTINUED:
        return None
    negative = known.negative_tests
    before_start = start is None or phase is _OFF_TREATMENT
    why: Why | None = None
    if not negative:
        why = _ABSENT
    elif before_start:
        earliest, latest = safety.first_test.value
        if safety.second_test_age.value.is_over(negative[-1], day):
            why = _STALE
        elif not any(earliest.after(on) <= day and not latest.is_over(on, day) for on in negative):
            why = _ABSENT
    elif start is not None and safety.test_age_on(day, start.on, patient).is_over(negative[-1], day):
        why = _STALE
    if why is not None and any(each.name == PREGNANCY for each in known.standing):
        return None
    return why
