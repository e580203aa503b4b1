"""The machine: from a state and a visit to a decision, and from the decision to the next state.

observe    a visit is turned into facts             (observation.py)
recommend  the one row that matches, made concrete: dosage, next visit, phase
apply      the next state: the only place where an advised change of level takes place
step       all three
"""

from datetime import date, timedelta
from functools import cached_property

from attrs import frozen

from .course import SENSORY_NEUROPATHY, Course, Visit
from .dosing import Dosage, DoseLadder, Level, lower
from .errors import CallError
from .missing import missing, obtain_first, possible_actions
from .observation import Gap, Observation, observe
from .protocol import Protocol
from .protocols import DEFAULT, get_protocol
from .rules import Case, Match, Rule
from .state import Dose, Harm, Last, Score, Start, State, begin
from .vocabulary import OK, ON_LADDER, Action, Facts, Phase, Safety, Timing

_START, _CONTINUE, _ESCALATE, _REDUCE = Action.START, Action.CONTINUE, Action.ESCALATE, Action.REDUCE
_INTERRUPT, _RESUME = Action.INTERRUPT, Action.RESUME
_DISCONTINUE, _REQUEST_DATA, _PRESCRIBER = Action.DISCONTINUE, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES
_TITRATION, _TAPER, _INTERRUPTED = Phase.TITRATION, Phase.TAPER, Phase.INTERRUPTED
_OFF_TREATMENT = Phase.OFF_TREATMENT
_DUE, _CAUTION, _HARM = Timing.DUE, Safety.CAUTION, Safety.INTERRUPT


@frozen(slots=False)
class NextVisit:
    """When the patient is to be seen next: not before `earliest`, on `due`, at the latest on `latest`."""

    earliest: date
    due: date
    latest: date


@frozen(slots=False)
class Decision:
    """What is advised at a visit: action, level until the next visit (None: no drug), next visit, phase after it.

    The rule and the facts are those of the observation it rests on; words are rendered elsewhere, on request.
    """

    seen: Observation
    level: Level | None
    next_visit: NextVisit | None
    phase_after: Phase

    @property
    def visit(self) -> Visit:
        """The visit that was decided on."""
        return self.seen.visit

    @property
    def protocol(self) -> Protocol:
        """The protocol that decided."""
        return self.seen.protocol

    @property
    def facts(self) -> Facts:
        """The six words that decided."""
        return self.seen.match.facts

    @property
    def rule(self) -> Rule:
        """The row that applied."""
        return self.seen.match.rule

    @property
    def case(self) -> Case:
        """The case of the row that applied, with where it comes from."""
        return self.seen.match.case

    @property
    def action(self) -> Action:
        """The action of the row."""
        return self.seen.match.rule.action

    @property
    def dosage(self) -> Dosage | None:
        """The dosage until the next visit, or None for none."""
        return self.level.dosage if self.level else None

    @property
    def missing(self) -> tuple[Gap, ...]:
        """Every field of the visit that is absent or stale, in the order in which to ask."""
        return missing(self.seen)

    @cached_property
    def possible_actions(self) -> frozenset[Action]:
        """Exactly the actions that some completion of what is missing leads to; one when all is known."""
        return possible_actions(self.seen)

    @cached_property
    def obtain_first(self) -> str | None:
        """The missing field that narrows the possible actions most, or None where none can change the action."""
        return obtain_first(self.seen)


def recommend(seen: Observation) -> Decision:
    """Decide: the action of the one row that matches, with its dosage, the phase after it and the next visit."""
    match, held = seen.match, seen.dose.level if seen.dose else None
    level = level_after(seen.protocol.ladder, match, held, seen.ceiling)
    phase_after = phase_after_advice(match, held, level)
    return Decision(seen, level, _next_visit(seen, match.rule.action, phase_after), phase_after)


def level_after(ladder: DoseLadder, match: Match, held: Level | None, ceiling: Level | None) -> Level | None:
    """Give the level until the next visit, from the one held; one step at most, save down to a ceiling."""
    action = match.rule.action
    if action is _START:
        return lower(ladder.start, ceiling)
    if held is None:
        return None
    if action is _CONTINUE:
        return held
    if action is _ESCALATE:
        return ladder.above(held)
    if action is _REDUCE:
        return lower(ladder.below(held), ceiling)
    if action is _RESUME:
        return lower(held, ceiling)
    if action is _REQUEST_DATA or action is _PRESCRIBER:
        facts = match.facts
        goes_on = facts.phase is _TITRATION or facts.phase is _TAPER
        if goes_on and facts.safety in OK and facts.position in ON_LADDER:
            return held
    return None


def phase_after_advice(match: Match, held: Level | None, level: Level | None) -> Phase:
    """Give the phase after a decision; without a level to give, or a course to end, it stays as it is."""
    after = match.leads_to
    on_treatment = after is _TITRATION or after is _TAPER
    return match.facts.phase if (level if on_treatment else held) is None else after


def _next_visit(seen: Observation, action: Action, phase_after: Phase) -> NextVisit | None:
    protocol, day = seen.protocol, seen.visit.date
    intervals = protocol.intervals
    goes_on = phase_after is _TITRATION or phase_after is _TAPER
    if (
        action is _INTERRUPT
        or action is _REQUEST_DATA
        or action is _PRESCRIBER
        or (goes_on and seen.match.facts.safety is _CAUTION)
    ):
        soon = intervals.soon.value.after(day)
        return NextVisit(day + timedelta(days=1), soon, soon)
    if goes_on:
        if action is _CONTINUE and seen.match.facts.timing is not _DUE:
            due = seen.due_on
        elif phase_after is _TAPER:
            due = intervals.taper_step.value.after(day)
        else:
            due = (intervals.review if action is _CONTINUE else intervals.first_assessment).value.after(day)
    elif action is _DISCONTINUE:
        due = intervals.after_discontinuation.value.after(day)
    elif phase_after is _OFF_TREATMENT:
        finished_on = seen.before.finished_on or day
        due = next((on for each in intervals.surveillance.value if (on := each.after(finished_on)) > day), None)
    else:
        due = None
    if due is None:
        return None
    return NextVisit(due, due, intervals.late_after.value.after(due))


def apply(decision: Decision) -> State:
    """Give the state after a decision: what was advised takes place, and what was found is remembered."""
    seen, action, level = decision.seen, decision.action, decision.level
    before, visit, dose, day = seen.before, seen.visit, seen.dose, seen.visit.date
    activity = visit.clasi_activity
    phase_after = decision.phase_after
    start, lowest, responded_on = before.start, seen.lowest, seen.responded_on
    finished_on, interrupted_on = before.finished_on, seen.interrupted_on
    ceiling, harms = before.ceiling, before.harms
    if level is not None and action is not _REQUEST_DATA and action is not _PRESCRIBER:
        if action is _START or dose is None:
            start, responded_on, finished_on = Start(day, activity, _neuropathy(visit)), None, None
            dose = Dose(level, day, day, day)
        elif action is _CONTINUE:
            if seen.match.facts.timing is _DUE:
                dose = Dose(level, dose.since, day, dose.watched_from, reviewed=True)
        else:
            watched_from = dose.watched_from if action is _REDUCE else day
            dose = Dose(level, dose.since if level == dose.level else day, day, watched_from)
        if action is _START or action is _ESCALATE:
            lowest = None if activity is None else Score(activity, day)
        interrupted_on = None
    elif dose is not None and phase_after is _INTERRUPTED:
        if seen.phase is not _INTERRUPTED:
            interrupted_on = day
            dose = Dose(dose.level, dose.since, dose.interval_from, dose.watched_from)
        causes = harm_in(seen)
        if causes:
            ceiling = lower(ceiling, seen.protocol.ladder.below(dose.level))
            if ceiling != before.ceiling:
                harms += (Harm(dose.level, day, causes),)
    elif phase_after is _OFF_TREATMENT and seen.phase is not _OFF_TREATMENT:
        finished_on = day
    next_visit = decision.next_visit
    last = Last(
        day,
        activity,
        level,
        next_visit.due if next_visit else None,
        action is _PRESCRIBER and phase_after is _INTERRUPTED,
        None if action is _START else seen.dose,
        seen.lowest,
        seen.interrupted_on,
    )
    return State(
        before.patient,
        ceiling,
        phase_after,
        seen.known,
        start,
        dose,
        lowest,
        responded_on,
        interrupted_on,
        finished_on,
        harms,
        last,
    )


def harm_in(seen: Observation) -> tuple[str, ...]:
    """Give the counts and events of a visit for which the level is not given again: no evaluation, no clearance."""
    safety, known = seen.protocol.safety, seen.known
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
    decision = recommend(observe(protocol, state, visit))
    return decision, apply(decision)


def replay(course: Course, by: Protocol | None = None) -> tuple[Decision, ...]:
    """Give the decision at every visit of a course, by the protocol that the course names unless another is given.

    Raises CallError, with the place, for a protocol that is not known and for more doses missed than there were.
    """
    by = by or get_protocol(course.protocol or DEFAULT)
    state = begin(by, course.patient)
    decisions = []
    for index, visit in enumerate(course.visits):
        try:
            decision, state = step(by, state, visit)
        except CallError as error:
            raise CallError(each.within(f"visits[{index}]") for each in error.faults) from None
        decisions.append(decision)
    return tuple(decisions)
