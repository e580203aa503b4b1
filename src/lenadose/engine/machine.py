"""The machine: from a state and a visit to a decision, and from the decision to the next state.

observe    a visit becomes facts (observe.py)
recommend  the one row that matches, made concrete: dosage, next visit, phase
apply      the next state: the only place where an advised change takes place
step       all three
replay     step, over a course
"""

from datetime import date, timedelta

from attrs import evolve, field, frozen

from lenadose.engine.missing import missing, obtain_first, possible_actions
from lenadose.engine.observe import MissingField, Observation, limits_met, observe
from lenadose.engine.state import (
    Baseline,
    CurrentLevel,
    DatedScore,
    DoseLimitingEvent,
    PreviousVisit,
    State,
    Treatment,
    begin,
)
from lenadose.protocol.advice import Advice, FollowUp, VisitWindow
from lenadose.protocol.builtin import DEFAULT, get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule
from lenadose.record.course import Course
from lenadose.record.event_terms import SENSORY_NEUROPATHY
from lenadose.record.visit import Visit
from lenadose.terms.dosage import Dosage, Level, lower_of
from lenadose.terms.errors import CallError, describe, fault
from lenadose.terms.facts import Action, Facts, Phase


@frozen
class Decision:
    """The advice at a visit, and when the patient is to be seen next.

    `seen` is all that the decision rests on. `due` is the day of the next visit, None for never.
    Two decisions are equal when they advise the same at the same visit.
    """

    seen: Observation = field(eq=lambda seen: seen.visit, repr=False)
    advice: Advice
    due: date | None

    @property
    def visit(self) -> Visit:
        """The visit."""
        return self.seen.visit

    @property
    def next_visit(self) -> VisitWindow | None:
        """When the patient is to be seen next."""
        if self.due is None:
            return None
        if self.advice.follow_up is FollowUp.SOON:
            return VisitWindow(self.visit.date + timedelta(days=1), self.due, self.due)
        late_after = self.protocol.intervals.late_after.value
        return VisitWindow(self.due, self.due, late_after.after(self.due))

    @property
    def protocol(self) -> Protocol:
        """The protocol that decided."""
        return self.seen.protocol

    @property
    def facts(self) -> Facts:
        """The six facts that decided."""
        return self.advice.match.facts

    @property
    def rule(self) -> Rule:
        """The row that applied."""
        return self.advice.match.rule

    @property
    def case(self) -> Case:
        """The case of the row that applied, with its provenance."""
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
        """The dosage until the next visit, or None for no drug."""
        return self.advice.level.dosage if self.advice.level else None

    @property
    def phase_after(self) -> Phase:
        """The phase that the decision leads to."""
        return self.advice.phase_after

    @property
    def missing(self) -> tuple[MissingField, ...]:
        """Every field of the visit that is absent or stale, in the order in which to ask."""
        return missing(self.seen)

    @property
    def possible_actions(self) -> frozenset[Action]:
        """The actions that some completion of the missing facts leads to; one when all is known."""
        return possible_actions(self.seen)

    @property
    def obtain_first(self) -> str | None:
        """The missing field that narrows the possible actions most, or None."""
        return obtain_first(self.seen)


def recommend(seen: Observation) -> Decision:
    """Return the decision: the one row that matches, with its dosage, phase and next visit."""
    held = seen.treatment.dose.level if seen.treatment.dose else None
    advice = seen.protocol.advise(seen.match, held, seen.ceiling)
    return Decision(seen, advice, follow_up_date(seen, advice.follow_up))


def follow_up_date(seen: Observation, follow_up: FollowUp) -> date | None:
    """Return the day of the next visit, None for never."""
    day, intervals = seen.visit.date, seen.protocol.intervals
    match follow_up:
        case FollowUp.SOON:
            interval = intervals.soon
        case FollowUp.WHEN_DUE:
            return seen.due_on
        case FollowUp.FIRST_ASSESSMENT:
            interval = intervals.first_assessment
        case FollowUp.REVIEW:
            interval = intervals.review
        case FollowUp.TAPER_STEP:
            interval = intervals.taper_step
        case FollowUp.AFTER_DISCONTINUATION:
            interval = intervals.after_discontinuation
        case FollowUp.SURVEILLANCE:
            since = seen.before.finished_on or day
            planned = (visit.after(since) for visit in intervals.surveillance.value)
            return next((due for due in planned if due > day), None)
        case FollowUp.NEVER:
            return None
    return interval.value.after(day)


def apply(decision: Decision) -> State:
    """Return the state after *decision*, assuming the advice is followed."""
    seen, advice, effects = decision.seen, decision.advice, decision.advice.effects
    before, treatment = seen.before, _treatment_after(decision)
    day, activity = seen.visit.date, seen.visit.clasi_activity
    ceiling, limiting_events = before.ceiling, before.limiting_events
    if effects.limits_dose and treatment.dose and (causes := dose_limiting_causes(seen)):
        level = treatment.dose.level
        ceiling = lower_of(ceiling, seen.protocol.ladder.below(level))
        if ceiling != before.ceiling:
            limiting_events += (DoseLimitingEvent(level, day, causes),)
    finished_on = None if effects.starts else before.finished_on
    return State(
        before.protocol_name,
        before.decision_hash,
        before.patient,
        ceiling,
        treatment,
        seen.findings,
        Baseline(day, activity, _neuropathy(seen.visit)) if effects.starts else before.baseline,
        day if effects.finishes else finished_on,
        limiting_events,
        PreviousVisit(
            day,
            activity,
            decision.due,
            advice,
            evolve(seen.treatment, dose=None) if effects.starts else seen.treatment,
        ),
    )


def _treatment_after(decision: Decision) -> Treatment:
    seen, advice, effects = decision.seen, decision.advice, decision.advice.effects
    now, day, activity = seen.treatment, seen.visit.date, seen.visit.clasi_activity
    dose, nadir, interrupted_on = now.dose, now.nadir, now.interrupted_on
    if effects.starts and advice.level:
        dose = CurrentLevel(advice.level, day, day, day)
    elif dose and (effects.new_interval or effects.interrupts):
        dose = CurrentLevel(
            advice.level if effects.new_level and advice.level else dose.level,
            day if effects.new_since else dose.since,
            day if effects.new_interval else dose.interval_from,
            day if effects.new_watch else dose.watched_from,
            effects.reviews,
        )
    if effects.new_nadir:
        nadir = None if activity is None else DatedScore(activity, day)
    if effects.interrupts:
        interrupted_on = day
    elif effects.gives:
        interrupted_on = None
    responded_on = None if effects.starts else now.responded_on
    return Treatment(advice.phase_after, dose, nadir, responded_on, interrupted_on)


def dose_limiting_causes(seen: Observation) -> tuple[str, ...]:
    """Return the counts and events of a visit for which the level is not given again."""
    findings = seen.findings
    low = [
        f"{limit.quantity} {result.given}"
        for limit in limits_met(seen.protocol.safety, findings)
        if limit.limits_dose and (result := findings.result(limit.quantity))
    ]
    limiting = (ongoing for ongoing in findings.ongoing if ongoing.criterion.harm)
    events = dict.fromkeys(str(ongoing.event) for ongoing in limiting)
    return (*low, *events)


def _neuropathy(visit: Visit) -> int:
    """Return the grade of sensory neuropathy at a visit, 0 without one."""
    events = visit.adverse_events or ()
    return max(
        (event.grade or 0 for event in events if event.name == SENSORY_NEUROPATHY), default=0
    )


def step(protocol: Protocol, state: State, visit: Visit) -> tuple[Decision, State]:
    """Decide on a visit and return the decision with the state after it.

    Raises CallError for a visit that cannot follow the state.
    """
    decision = recommend(observe(protocol, state, visit))
    return decision, apply(decision)


def replay(course: Course, by: Protocol | None = None) -> tuple[Decision, ...]:
    """Return the decision at every visit, by the protocol that the course names or by *by*.

    Raises CallError, with the place, for an unknown protocol and more doses missed than there were.
    """
    if not isinstance(course, Course):
        raise fault("course", f"{describe(course)} is not a course", "give a Course")
    by = by or get_protocol(course.protocol or DEFAULT)
    state, decisions = begin(by, course.patient), []
    for index, visit in enumerate(course.visits):
        try:
            decision, state = step(by, state, visit)
        except CallError as error:
            raise CallError(fault.within(f"visits[{index}]") for fault in error.faults) from None
        decisions.append(decision)
    return tuple(decisions)
