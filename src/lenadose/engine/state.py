"""Where a patient stands between two visits."""

from datetime import date

from attrs import frozen

from lenadose.engine.bounds import newest_result
from lenadose.protocol.advice import Advice, VisitWindow
from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import EventCriterion, Lasts, SafetyCriteria
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.event_terms import PREGNANCY
from lenadose.record.measurement import Result
from lenadose.record.visit import Patient, TestResult, Visit
from lenadose.terms.dosage import Dosage, Level
from lenadose.terms.errors import describe, fault
from lenadose.terms.facts import Phase, Safety
from lenadose.terms.units import QUANTITIES

_TESTS_KEPT = 366  # one a day: none older can fall into the days before a start


@frozen
class OngoingEvent:
    """An adverse event, or a positive pregnancy test (`event` is None), that still counts."""

    criterion: EventCriterion
    since: date
    event: AdverseEvent | None = None

    @property
    def name(self) -> str:
        """The term under which it is reported resolved."""
        return self.event.name if self.event else PREGNANCY

    @property
    def is_danger(self) -> bool:
        """True for an event that stops or interrupts treatment."""
        return self.criterion.safety in (Safety.STOP, Safety.INTERRUPT)


@frozen
class Findings:
    """The newest results, the events that still count, and the last reported end of a pregnancy.

    `negative_tests` are the days of negative pregnancy tests, the newest last; those from before
    `tests_count_from` no longer count.
    """

    neutrophils: Result | None = None
    platelets: Result | None = None
    creatinine_clearance: Result | None = None
    negative_tests: tuple[date, ...] = ()
    ongoing: tuple[OngoingEvent, ...] = ()
    pregnancy_ended: date | None = None
    tests_count_from: date | None = None

    def result(self, quantity: str) -> Result | None:
        """Return the newest result of a quantity, by its name."""
        result: Result | None = getattr(self, quantity)
        return result


@frozen
class Baseline:
    """The baseline: CLASI activity (*B*, 0 to 70) and its date, at a start or a relapse in taper.

    `neuropathy` is the grade of sensory neuropathy (0 to 5) at the start of the course.
    """

    on: date
    activity: int | None
    neuropathy: int


@frozen
class DatedScore:
    """A CLASI activity score, 0 to 70, and its date."""

    activity: int
    on: date


@frozen
class CurrentLevel:
    """The level held (in an interruption the level before it) and the clocks that run with it.

    `since` is the last change of level. The interval runs from `interval_from`; it is a review once
    `reviewed`, a first assessment before. Counts are watched closely from `watched_from` on: the
    last start, resumption or rise. Pregnancy tests are early ones from `tests_from` on: the start,
    or the last resumption before which they began anew. `off_ladder` is a dosage taken that is no
    level.
    """

    level: Level
    since: date
    interval_from: date
    watched_from: date
    tests_from: date
    reviewed: bool = False
    days_missed: int = 0
    off_ladder: Dosage | None = None


@frozen
class Treatment:
    """Where treatment stands: the phase, the level held, and the dates that the criteria look at.

    `nadir` is the lowest CLASI activity since the baseline or the last rise of the dose (*M*).
    `no_drug_since` is the day after which no drug was taken: in an interruption and, on treatment,
    in a shorter gap. An interruption that begins after such a gap is counted from its own day,
    `interrupted_on`. `ended_on` is the end of treatment, or the last day on which drug was taken
    after it.
    """

    phase: Phase = Phase.BEFORE_START
    dose: CurrentLevel | None = None
    nadir: DatedScore | None = None
    responded_on: date | None = None
    no_drug_since: date | None = None
    interrupted_on: date | None = None
    ended_on: date | None = None


@frozen
class PreviousVisit:
    """The visit before: what was seen and advised, and the treatment that the patient came with.

    A change that was advised and not made has not taken place, so the treatment before the advice
    is kept. At a start the patient came without a dose. `handed_over`: the prescriber was to decide
    whether to resume, then or at a visit before it, and only a question came in between.
    """

    on: date
    activity: int | None
    next_visit: VisitWindow | None
    advice: Advice
    came_with: Treatment
    handed_over: bool

    @property
    def advised(self) -> Level | None:
        """The level advised until this visit, or None for no drug."""
        return self.advice.level


@frozen
class DoseLimitingEvent:
    """A count or event that interrupted treatment at a level, or was found while interrupted."""

    level: Level
    on: date
    causes: tuple[str, ...]


@frozen
class State:
    """All that the next decision needs of the past; it changes only by `apply`.

    `decision_hash` is the hash of what its protocol decides. `ceiling` is the highest level that
    dose-limiting events have left, None where they have left none.
    """

    protocol_name: str
    decision_hash: str
    patient: Patient
    ceiling: Level | None
    treatment: Treatment = Treatment()
    findings: Findings = Findings()
    baseline: Baseline | None = None
    finished_on: date | None = None
    limiting_events: tuple[DoseLimitingEvent, ...] = ()
    previous: PreviousVisit | None = None


def begin(protocol: Protocol | str, patient: Patient | None = None) -> State:
    """Return the state of a patient before the first visit; by default nothing is known of them.

    *protocol* may be the id of a built-in one. Raises CallError for an unknown id, and for anything
    but a patient.
    """
    protocol = protocol_of(protocol)
    if not isinstance(patient, Patient | None):
        raise fault("patient", f"{describe(patient)} is not a patient", "give a Patient")
    return State(protocol.name, protocol.decision_hash, patient or Patient(), protocol.ladder.top)


def update_findings(
    safety: SafetyCriteria, findings: Findings, visit: Visit, neuropathy_at_start: int | None
) -> Findings:
    """Carry the findings forward: newest results, recent tests, events that count from now on.

    Raises CallError for a result that is a bound and leaves open which fact it shows.
    """
    negative, ongoing = findings.negative_tests, findings.ongoing
    ended, count_from = findings.pregnancy_ended, findings.tests_count_from
    events = visit.adverse_events
    if events or (ongoing and events is not None):
        ongoing = _replace_events(safety, ongoing, visit.date, events, neuropathy_at_start)
        if any(event.resolved and event.name == PREGNANCY for event in events):
            ended = visit.date
        if any(event.criterion.voids_tests and event.since == visit.date for event in ongoing):
            count_from = visit.date
            negative = tuple(on for on in negative if on >= count_from)
    if visit.is_unreadable("pregnancy_tests"):
        negative = ()
    if visit.tests:
        negative, positive = _sort_tests(safety, negative, ended, count_from, visit)
        ongoing += positive
    neutrophils, platelets, clearance = (
        newest_result(safety.limits, findings.result(quantity), visit, quantity)
        for quantity in QUANTITIES
    )
    return Findings(
        neutrophils,
        platelets,
        clearance,
        negative,
        ongoing,
        ended,
        count_from,
    )


def _sort_tests(
    safety: SafetyCriteria,
    negative: tuple[date, ...],
    ended: date | None,
    count_from: date | None,
    visit: Visit,
) -> tuple[tuple[date, ...], tuple[OngoingEvent, ...]]:
    """Return the days of the negative tests that can still matter, and the positive tests."""
    days = set(negative)
    positive: tuple[OngoingEvent, ...] = ()
    for day, result in visit.tests:
        if result is TestResult.NEGATIVE:
            if count_from is None or day >= count_from:
                days.add(day)
        elif ended is None or day >= ended:
            # A pregnancy reported ended ends the tests before that day, whenever they are reported.
            positive += (OngoingEvent(safety.positive_test, day),)
    return tuple(sorted(days))[-_TESTS_KEPT:], positive


def _replace_events(
    safety: SafetyCriteria,
    ongoing: tuple[OngoingEvent, ...],
    day: date,
    events: tuple[AdverseEvent, ...],
    neuropathy_at_start: int | None,
) -> tuple[OngoingEvent, ...]:
    """Replace the last list of events by a new one, keeping what counts for longer."""
    resolved = {event.name for event in events if event.resolved}
    kept = tuple(
        old
        for old in ongoing
        if old.criterion.lasts is Lasts.FOR_GOOD
        or (old.criterion.lasts is Lasts.RESOLVED and old.name not in resolved)
    )
    already = {(old.criterion.id, old.name) for old in kept}
    return kept + tuple(
        OngoingEvent(criterion, day, event)
        for event in events
        if not event.resolved
        for criterion in safety.events
        if criterion.applies(event, neuropathy_at_start)
        and (criterion.id, event.name) not in already
    )
