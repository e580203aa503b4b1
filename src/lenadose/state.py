"""Where a patient stands between two visits: the phase, the dose, the marks of the course, and what is known."""

from datetime import date

from attrs import define, frozen

from .course import PREGNANCY, AdverseEvent, Patient, Result, TestResult, Visit
from .criteria import EventCriterion, Lasts, SafetyCriteria
from .dosing import Dosage, Level
from .protocol import Protocol
from .quick import quick
from .vocabulary import Phase, Safety

_NEGATIVE = TestResult.NEGATIVE
_TESTS_KEPT = 366  # one a day: none older can fall into the days before a start


@frozen
class Standing:
    """A reported event, or a positive pregnancy test (`event` is None), that still counts under a criterion."""

    criterion: EventCriterion
    since: date
    event: AdverseEvent | None = None

    @property
    def name(self) -> str:
        """The term under which it is reported resolved."""
        return self.event.name if self.event else PREGNANCY

    @property
    def is_danger(self) -> bool:
        """Whether it stops or interrupts treatment."""
        return self.criterion.safety in (Safety.STOP, Safety.INTERRUPT)


@frozen(weakref_slot=False)
class Known:
    """The newest results, all events that still count, and when a pregnancy was last reported ended."""

    neutrophils: Result | None = None
    platelets: Result | None = None
    clearance: Result | None = None
    negative_tests: tuple[date, ...] = ()
    standing: tuple[Standing, ...] = ()
    pregnancy_ended: date | None = None


@frozen(weakref_slot=False)
class Start:
    """The start of a course: its date, CLASI activity then (*B*), and the grade of sensory neuropathy then."""

    on: date
    activity: int | None
    neuropathy: int


@frozen(weakref_slot=False)
class Score:
    """A CLASI activity and its date."""

    activity: int
    on: date


@frozen(weakref_slot=False)
class Dose:
    """The level held (in an interruption the level before) and the clocks that run with it.

    `off_ladder` is a dosage taken that is no level. `since` is the last change of level; the interval runs from
    `interval_from`, and is a review once `reviewed`. Counts are watched closely from `watched_from` on: the last
    start, resumption or rise.
    """

    level: Level
    since: date
    interval_from: date
    watched_from: date
    reviewed: bool = False
    days_missed: int = 0
    off_ladder: Dosage | None = None


@frozen(weakref_slot=False)
class Last:
    """The visit before: its date, CLASI activity, the level advised until now, and when this visit is due.

    `handed_over` says that the protocol gave no answer in an interruption, so that the prescriber may resume.
    `dose`, `lowest` and `interrupted_on` are those that the patient came with, before the advice of that visit: a
    change that was advised and not made has not taken place. At a start no dose was held.
    """

    on: date
    activity: int | None
    advised: Level | None
    due: date | None
    handed_over: bool
    dose: Dose | None
    lowest: Score | None
    interrupted_on: date | None


@frozen
class Harm:
    """A count or an event that interrupted treatment at a level, or was found while it was interrupted."""

    level: Level
    on: date
    causes: tuple[str, ...]


@define(weakref_slot=False, eq=False, init=False)
class Record:
    """All that the next decision needs of the past, while it is being written.

    `ceiling` is the highest level that harm has left, None where it has left none.
    """

    patient: Patient
    ceiling: Level | None
    phase: Phase = Phase.BEFORE_START
    known: Known = Known()
    start: Start | None = None
    dose: Dose | None = None
    lowest: Score | None = None
    responded_on: date | None = None
    interrupted_on: date | None = None
    finished_on: date | None = None
    harms: tuple[Harm, ...] = ()
    last: Last | None = None


@frozen(weakref_slot=False)
class State(Record):
    """All that the next decision needs of the past; it changes only by `apply`."""


# What is made at many visits.
make_known, make_dose, make_score, make_last = quick(Known), quick(Dose), quick(Score), quick(Last)


def open_again(state: State) -> Record:
    """Give a record to write on, from where a state stands."""
    record = Record()
    record.patient = state.patient
    record.ceiling = state.ceiling
    record.phase = state.phase
    record.known = state.known
    record.start = state.start
    record.dose = state.dose
    record.lowest = state.lowest
    record.responded_on = state.responded_on
    record.interrupted_on = state.interrupted_on
    record.finished_on = state.finished_on
    record.harms = state.harms
    record.last = state.last
    return record


def close(record: Record) -> State:
    """Give the state that a record has come to; nothing is written on it any more."""
    record.__class__ = State
    return record  # type: ignore[return-value]  # the line above


def begin(protocol: Protocol, patient: Patient | None = None) -> State:
    """Give the state of a patient before the first visit; without a patient nothing is known of them."""
    return State(patient or Patient(), protocol.ladder.top)


def newer(old: Result, new: Result) -> Result:
    """Give the newest of two results; of two on the same day the lower one counts."""
    if new.on < old.on or (new.on == old.on and new.amount >= old.amount):
        return old
    return new


def learn(safety: SafetyCriteria, known: Known, visit: Visit, neuropathy_at_start: int | None) -> Known:
    """Add what a visit showed to what was known: newest results, recent tests, events that count from now on."""
    neutrophils, platelets, clearance = visit.counted
    # Usually each visit brings results newer than all before it; only otherwise is there anything to compare.
    old = known.neutrophils
    if old is not None and (neutrophils is None or neutrophils.on <= old.on):
        neutrophils = old if neutrophils is None else newer(old, neutrophils)
    old = known.platelets
    if old is not None and (platelets is None or platelets.on <= old.on):
        platelets = old if platelets is None else newer(old, platelets)
    old = known.clearance
    if old is not None and (clearance is None or clearance.on <= old.on):
        clearance = old if clearance is None else newer(old, clearance)
    standing, ended = known.standing, known.pregnancy_ended
    events = visit.adverse_events
    if events or (standing and events is not None):
        standing = _replace_list(safety, standing, visit.date, events, neuropathy_at_start)
        if any(event.resolved and event.name == PREGNANCY for event in events):
            ended = visit.date
    negative = known.negative_tests
    if visit.tests:
        negative, positive = _sort_tests(safety, negative, ended, visit)
        standing += positive
    if (
        neutrophils is known.neutrophils
        and platelets is known.platelets
        and clearance is known.clearance
        and negative is known.negative_tests
        and standing is known.standing
        and ended is known.pregnancy_ended
    ):
        return known
    return make_known(neutrophils, platelets, clearance, negative, standing, ended)


def _sort_tests(
    safety: SafetyCriteria, negative: tuple[date, ...], ended: date | None, visit: Visit
) -> tuple[tuple[date, ...], tuple[Standing, ...]]:
    """Give the dates of the negative tests that can still matter, the newest last, and the positive ones."""
    positive: tuple[Standing, ...] = ()
    for day, result in visit.tests:
        if result is _NEGATIVE:
            if not negative or day > negative[-1]:
                negative += (day,)
            elif day not in negative:
                negative = tuple(sorted((*negative, day)))
        elif ended is None or day >= ended:
            # A pregnancy reported ended ends the tests before that day, whenever they are reported.
            positive += (Standing(safety.positive_test, day),)
    return negative[-_TESTS_KEPT:], positive


def _replace_list(
    safety: SafetyCriteria,
    standing: tuple[Standing, ...],
    day: date,
    events: tuple[AdverseEvent, ...],
    neuropathy_at_start: int | None,
) -> tuple[Standing, ...]:
    """Put a new list of events in the place of the last one; what counts for longer stays."""
    over = {event.name for event in events if event.resolved}
    kept = tuple(
        each
        for each in standing
        if each.criterion.lasts is Lasts.FOR_GOOD or (each.criterion.lasts is Lasts.RESOLVED and each.name not in over)
    )
    already = {(each.criterion.id, each.name) for each in kept}
    return kept + tuple(
        Standing(criterion, day, event)
        for event in events
        if not event.resolved
        for criterion in safety.events
        if criterion.applies(event, neuropathy_at_start) and (criterion.id, event.name) not in already
    )
