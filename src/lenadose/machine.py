"""The machine: from a state and a visit to a decision, and from the decision to the next state.

observe    a visit is turned into facts             (observation.py)
recommend  the one row that matches, made concrete: dosage, next visit, phase
apply      the next state: the only place where an advised change of level takes place
step       all three
replay     the same over a course, on one record that is closed only where somebody asks for a state
"""

from datetime import date, timedelta
from functools import cached_property

from attrs import field, frozen

from .advice import Advice, Return
from .advice import NextVisit as NextVisit
from .advice import level_after as level_after
from .advice import phase_after_advice as phase_after_advice
from .course import SENSORY_NEUROPATHY, Course, Patient, Visit
from .dosing import Dosage, Level, lower
from .errors import CallError
from .missing import missing, obtain_first, possible_actions
from .observation import Gap, Observation, look, observe
from .protocol import Protocol
from .protocols import DEFAULT, get_protocol
from .quick import quick
from .rules import Case, Rule
from .state import (
    Dose,
    Harm,
    Known,
    Record,
    Score,
    Start,
    State,
    begin,
    close,
    make_dose,
    make_last,
    make_score,
    open_again,
)
from .vocabulary import Action, Facts, Phase, Safety, Timing

_START, _CONTINUE, _ESCALATE, _REDUCE = Action.START, Action.CONTINUE, Action.ESCALATE, Action.REDUCE
_INTERRUPTED, _OFF_TREATMENT = Phase.INTERRUPTED, Phase.OFF_TREATMENT
_DUE, _HARM = Timing.DUE, Safety.INTERRUPT
_SOON, _WHEN_DUE, _NEVER = Return.SOON, Return.WHEN_DUE, Return.NEVER
_REVIEW, _FIRST_ASSESSMENT, _TAPER_STEP = Return.REVIEW, Return.FIRST_ASSESSMENT, Return.TAPER_STEP
_AFTER_DISCONTINUATION = Return.AFTER_DISCONTINUATION
_TOMORROW = timedelta(days=1)


@frozen(slots=False, eq=False, repr=False)
class Replayed:
    """A course that was replayed: what its decisions rest on is worked out once one of them is asked for it."""

    protocol: Protocol
    patient: Patient | None
    visits: tuple[Visit, ...]

    @cached_property
    def seen(self) -> dict[date, Observation]:
        """What each visit showed, by its day."""
        state, found = begin(self.protocol, self.patient), {}
        for visit in self.visits:
            found[visit.date] = seen = observe(self.protocol, state, visit)
            state = apply(recommend(seen))
        return found


@frozen(weakref_slot=False)
class Decision:
    """What is advised at a visit, and when the patient is to be seen next.

    Two decisions are equal when they advise the same at the same visit; what they rest on is `seen`. Words are
    rendered elsewhere, on request.
    """

    visit: Visit
    advice: Advice
    next_visit: NextVisit | None
    _rests_on: Observation | Replayed = field(eq=False, repr=False)

    @property
    def seen(self) -> Observation:
        """What the visit showed, and all that the decision rests on."""
        found = self._rests_on
        return found if isinstance(found, Observation) else found.seen[self.visit.date]

    @property
    def protocol(self) -> Protocol:
        """The protocol that decided."""
        return self._rests_on.protocol

    @property
    def facts(self) -> Facts:
        """The six words that decided."""
        return self.advice.match.facts

    @property
    def rule(self) -> Rule:
        """The row that applied."""
        return self.advice.match.rule

    @property
    def case(self) -> Case:
        """The case of the row that applied, with where it comes from."""
        return self.advice.match.case

    @property
    def action(self) -> Action:
        """The action of the row."""
        return self.advice.match.rule.action

    @property
    def level(self) -> Level | None:
        """The level until the next visit, or None for no drug."""
        return self.advice.level

    @property
    def dosage(self) -> Dosage | None:
        """The dosage until the next visit, or None for none."""
        level = self.advice.level
        return None if level is None else level.dosage

    @property
    def phase_after(self) -> Phase:
        """The phase that the decision leads to."""
        return self.advice.phase_after

    @property
    def missing(self) -> tuple[Gap, ...]:
        """Every field of the visit that is absent or stale, in the order in which to ask."""
        return missing(self.seen)

    @property
    def possible_actions(self) -> frozenset[Action]:
        """Exactly the actions that some completion of what is missing leads to; one when all is known."""
        return possible_actions(self.seen)

    @property
    def obtain_first(self) -> str | None:
        """The missing field that narrows the possible actions most, or None where none can change the action."""
        return obtain_first(self.seen)


make_decision = quick(Decision)


def recommend(seen: Observation) -> Decision:
    """Decide: the action of the one row that matches, with its dosage, the phase after it and the next visit."""
    protocol, visit, dose = seen.protocol, seen.visit, seen.dose
    advice = protocol.advise(seen.match, None if dose is None else dose.level, seen.ceiling)
    return make_decision(
        visit, advice, _come_back(protocol, visit.date, advice, seen.due_on, seen.before.finished_on), seen
    )


def _come_back(
    protocol: Protocol, day: date, advice: Advice, due_on: date | None, finished_on: date | None
) -> NextVisit | None:
    """Give when the patient is to be seen after a decision of that day."""
    returns, intervals = advice.returns, protocol.intervals
    if returns is _NEVER:
        return None
    if returns is _WHEN_DUE:
        due = due_on
    elif returns is _REVIEW:
        due = intervals.review.value.after(day)
    elif returns is _FIRST_ASSESSMENT:
        due = intervals.first_assessment.value.after(day)
    elif returns is _TAPER_STEP:
        due = intervals.taper_step.value.after(day)
    elif returns is _SOON:
        soon = intervals.soon.value.after(day)
        return NextVisit(day + _TOMORROW, soon, soon)
    elif returns is _AFTER_DISCONTINUATION:
        due = intervals.after_discontinuation.value.after(day)
    else:
        since = finished_on or day
        due = next((on for each in intervals.surveillance.value if (on := each.after(since)) > day), None)
    return None if due is None else protocol.visit_due(due)


def apply(decision: Decision) -> State:
    """Give the state after a decision: what was advised takes place, and what was found is remembered."""
    return _state_after(decision.seen, decision)


def _state_after(seen: Observation, decision: Decision) -> State:
    record = open_again(seen.before)
    _write(
        record,
        seen.protocol,
        seen.visit,
        decision.advice,
        decision.next_visit,
        seen.dose,
        seen.known,
        seen.lowest,
        seen.responded_on,
        seen.interrupted_on,
    )
    return close(record)


def _write(
    record: Record,
    protocol: Protocol,
    visit: Visit,
    advice: Advice,
    next_visit: NextVisit | None,
    dose: Dose | None,
    known: Known,
    lowest: Score | None,
    responded_on: date | None,
    interrupted_on: date | None,
) -> None:
    """Write on a record what a visit showed and what was advised, from what the patient came with."""
    match, level, day, activity = advice.match, advice.level, visit.date, visit.clasi_activity
    action, phase, phase_after = match.rule.action, match.facts.phase, advice.phase_after
    record.last = make_last(
        day,
        activity,
        level,
        None if next_visit is None else next_visit.due,
        advice.hands_over,
        None if action is _START else dose,
        lowest,
        interrupted_on,
    )
    if level is not None and advice.gives:
        if action is _START or dose is None:
            record.start, responded_on, record.finished_on = Start(day, activity, _neuropathy(visit)), None, None
            dose = make_dose(level, day, day, day)
        elif action is _CONTINUE:
            if match.facts.timing is _DUE:
                dose = make_dose(level, dose.since, day, dose.watched_from, reviewed=True)
        else:
            watched_from = dose.watched_from if action is _REDUCE else day
            dose = make_dose(level, dose.since if level.rank == dose.level.rank else day, day, watched_from)
        if action is _START or action is _ESCALATE:
            lowest = None if activity is None else make_score(activity, day)
        interrupted_on = None
    elif dose is not None and phase_after is _INTERRUPTED:
        if phase is not _INTERRUPTED:
            interrupted_on = day
            dose = make_dose(dose.level, dose.since, dose.interval_from, dose.watched_from)
        causes = _harm_in(protocol, known)
        if causes:
            ceiling = lower(record.ceiling, protocol.ladder.below(dose.level))
            if ceiling != record.ceiling:
                record.ceiling = ceiling
                record.harms += (Harm(dose.level, day, causes),)
    elif phase_after is _OFF_TREATMENT and phase is not _OFF_TREATMENT:
        record.finished_on = day
    record.phase, record.known, record.dose, record.lowest = phase_after, known, dose, lowest
    record.responded_on, record.interrupted_on = responded_on, interrupted_on


def harm_in(seen: Observation) -> tuple[str, ...]:
    """Give the counts and events of a visit for which the level is not given again: no evaluation, no clearance."""
    return _harm_in(seen.protocol, seen.known)


def _harm_in(protocol: Protocol, known: Known) -> tuple[str, ...]:
    safety = protocol.safety
    counts = (("neutrophils", known.neutrophils, safety.neutrophils), ("platelets", known.platelets, safety.platelets))
    low = (f"{name} {count.given}" for name, count, limits in counts if count and limits.of(count.amount) is _HARM)
    events = dict.fromkeys(str(each.event) for each in known.standing if each.criterion.harm)
    return (*low, *events)


def _neuropathy(visit: Visit) -> int:
    """Give the grade of sensory neuropathy at a visit, 0 without one."""
    return max(
        (event.grade or 0 for event in visit.adverse_events or () if event.name == SENSORY_NEUROPATHY), default=0
    )


def step(protocol: Protocol, state: State, visit: Visit) -> tuple[Decision, State]:
    """Decide on a visit and give the state after it; raises CallError for a visit that cannot follow the state."""
    seen = observe(protocol, state, visit)
    decision = recommend(seen)
    return decision, _state_after(seen, decision)


def replay(course: Course, by: Protocol | None = None) -> tuple[Decision, ...]:
    """Give the decision at every visit of a course, by the protocol that the course names unless another is given.

    Raises CallError, with the place, for a protocol that is not known and for more doses missed than there were.
    """
    by = by or get_protocol(course.protocol or DEFAULT)
    rests_on = Replayed(by, course.patient, course.visits)
    record = open_again(begin(by, course.patient))
    decisions = []
    for index, visit in enumerate(course.visits):
        try:
            match, dose, known, lowest, responded_on, interrupted_on, ceiling, due_on, _ = look(by, record, visit)
        except CallError as error:
            raise CallError(each.within(f"visits[{index}]") for each in error.faults) from None
        advice = by.advise(match, None if dose is None else dose.level, ceiling)
        next_visit = _come_back(by, visit.date, advice, due_on, record.finished_on)
        decisions.append(make_decision(visit, advice, next_visit, rests_on))
        _write(record, by, visit, advice, next_visit, dose, known, lowest, responded_on, interrupted_on)
    return tuple(decisions)
