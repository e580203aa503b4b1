"""The machine: from a state and a visit to a decision, and from the decision to the next state.

observe    a visit becomes facts (observe.py)
recommend  the one row that matches, made concrete: dosage, next visit, phase
apply      the next state: the only place where an advised change takes place
step       all three
replay     step, over a course
"""

from datetime import date, timedelta

from attrs import evolve, field, frozen

from lenadose.engine.intake import tests_begin_anew
from lenadose.engine.missing import missing, obtain_first, possible_actions
from lenadose.engine.observe import (
    MissingField,
    Observation,
    limits_met,
    needs_two_tests,
    observe,
)
from lenadose.engine.state import (
    Baseline,
    CurrentLevel,
    DatedScore,
    DoseLimitingEvent,
    OngoingEvent,
    PreviousVisit,
    State,
    Treatment,
    begin,
)
from lenadose.protocol.advice import Advice, Effects, FollowUp, VisitWindow
from lenadose.protocol.builtin import DEFAULT, get_protocol, protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule
from lenadose.protocol.safety import Limit
from lenadose.record.course import Course
from lenadose.record.event_terms import PREGNANCY, SENSORY_NEUROPATHY
from lenadose.record.visit import Visit
from lenadose.terms.dosage import Dosage, Level, lower_of
from lenadose.terms.errors import CallError, describe, fault
from lenadose.terms.facts import TREATED, Action, Facts, Phase, Safety


@frozen
class Decision:
    """The advice at a visit, and when the patient is to be seen next.

    `seen` is all that the decision rests on. `follow_up` is the rule for the next visit and
    `next_visit` when the patient is to be seen next, None for never. Two decisions are equal when
    they advise the same at the same visit.
    """

    seen: Observation = field(eq=lambda seen: seen.visit, repr=False)
    advice: Advice
    follow_up: FollowUp
    next_visit: VisitWindow | None

    @property
    def visit(self) -> Visit:
        """The visit."""
        return self.seen.visit

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

    def what_if(self, **changes: object) -> "Decision":
        """Return the decision on the same visit with some fields changed: clasi_activity=1.

        Fields are given as Visit takes them; None is unknown. Raises CallError for a field that a
        visit does not have, and for a visit that cannot be or cannot follow the one before.
        """
        visit = evolve(self.seen.visit, **changes)  # type: ignore[arg-type]  # each field checks itself
        return recommend(observe(self.seen.protocol, self.seen.before, visit))

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


def require_decision(value: object) -> None:
    """Check that a value is a decision; raise CallError for anything else, such as all of them."""
    if not isinstance(value, Decision):
        fix = "give one decision, such as replay(course)[-1]"
        raise fault("decision", f"{describe(value)} is not a decision", fix)


def recommend(seen: Observation) -> Decision:
    """Return the decision: the one row that matches, with its dosage, phase and next visit."""
    held = seen.treatment.dose.level if seen.treatment.dose else None
    advice = seen.protocol.advise(seen.match, held, seen.ceiling)
    soon = same_day_dangers(seen) or seen.unadvised
    follow_up = FollowUp.SOON if soon else advice.follow_up
    return Decision(seen, advice, follow_up, visit_window(seen, advice, follow_up))


def same_day_dangers(seen: Observation) -> tuple[OngoingEvent | Limit, ...]:
    """Return the events and limits of counts for which a same-day assessment is due.

    An event that stops treatment calls for it when it is new. A pregnancy is one event, whether it
    was reported or shown by a test.
    """
    safety = seen.protocol.safety

    def identity(event: OngoingEvent) -> tuple[str, str]:
        return ("" if event.name == PREGNANCY else event.criterion.id, event.name)

    known = {identity(event) for event in seen.before.findings.ongoing}
    events = {
        identity(event): event
        for event in reversed(seen.findings.ongoing)
        if event.name in safety.same_day_terms
        or (event.criterion.safety is Safety.STOP and identity(event) not in known)
    }
    limits = (limit for limit in limits_met(safety, seen.findings) if limit.same_day)
    return (*reversed(events.values()), *limits)


def visit_window(seen: Observation, advice: Advice, follow_up: FollowUp) -> VisitWindow | None:
    """Return when the patient is to be seen next, None for never."""
    day, intervals = seen.visit.date, seen.protocol.intervals
    due = follow_up_date(seen, follow_up)
    if due is None:
        return None
    if follow_up is FollowUp.SOON:
        window = VisitWindow(day + timedelta(days=1), due, due)
        if awaits_two_tests(seen, advice):
            window = _window_for_tests(seen)
    else:
        window = VisitWindow(due, due, intervals.late_after.value.after(due))
    if advice.phase_after is Phase.INTERRUPTED:
        # Not later than the last day on which the interruption may simply be resumed.
        since = day if advice.effects.interrupts else seen.treatment.interrupted_on or day
        last = intervals.resumable.value.after(since)
        if last > day:
            window = VisitWindow(window.earliest, min(window.due, last), min(window.latest, last))
    return window


def awaits_two_tests(seen: Observation, advice: Advice) -> bool:
    """Return whether data is requested and the two pregnancy tests of a start are missing.

    A danger of the same day, and drug taken without advice, do not wait for them.
    """
    return (
        advice.match.rule.action is Action.REQUEST_DATA
        and any(missing.field == "pregnancy_tests" for missing in seen.missing_fields)
        and needs_two_tests(seen.protocol.safety, seen.treatment, seen.visit.date)
        and not same_day_dangers(seen)
        and seen.unadvised is None
    )


def _window_for_tests(seen: Observation) -> VisitWindow:
    """Return when both pregnancy tests can have been done, the first of them now at the latest."""
    day, (earliest, latest) = seen.visit.date, seen.protocol.safety.first_test.value
    tests = seen.findings.negative_tests
    first = next((on for on in tests if latest.after(on) > day), day)
    return VisitWindow(
        max(earliest.after(first), day + timedelta(days=1)),
        latest.after(first),
        latest.after(first),
    )


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
            since = seen.treatment.ended_on or day
            end = intervals.after_discontinuation.value.after(since)
            return end if end > day else None
        case FollowUp.SURVEILLANCE:
            since = seen.before.finished_on or day
            planned = (visit.after(since) for visit in intervals.surveillance.value)
            return next((due for due in planned if due > day), None)
        case FollowUp.NEVER:
            return None
    return interval.value.after(day)


def apply(decision: Decision) -> State:
    """Return the state after *decision*, assuming the advice is followed."""
    require_decision(decision)
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
        _baseline_after(decision),
        day if effects.finishes else finished_on,
        limiting_events,
        PreviousVisit(
            day,
            activity,
            decision.next_visit,
            advice,
            _came_with(seen, effects, treatment),
            _is_handed_over(decision) and lower_of(ceiling, seen.ceiling) is not None,
        ),
    )


def _baseline_after(decision: Decision) -> Baseline | None:
    seen, effects = decision.seen, decision.advice.effects
    baseline = seen.before.baseline
    if not effects.new_baseline:
        return baseline
    neuropathy = baseline.neuropathy if baseline and not effects.starts else _neuropathy(seen.visit)
    return Baseline(seen.visit.date, seen.visit.clasi_activity, neuropathy)


def _came_with(seen: Observation, effects: Effects, after: Treatment) -> Treatment:
    if effects.starts:
        return evolve(seen.treatment, dose=None)
    # A relapse is the new baseline even if its rise of the dose is not taken.
    return evolve(seen.treatment, nadir=after.nadir) if effects.new_baseline else seen.treatment


def _is_handed_over(decision: Decision) -> bool:
    """Return whether the prescriber is to decide on a resumption; a question leaves it so."""
    previous = decision.seen.before.previous
    waits = decision.action is Action.REQUEST_DATA and decision.phase_after is Phase.INTERRUPTED
    return decision.advice.hands_over or bool(waits and previous and previous.handed_over)


def _treatment_after(decision: Decision) -> Treatment:
    seen, advice, effects = decision.seen, decision.advice, decision.advice.effects
    now, day, activity = seen.treatment, seen.visit.date, seen.visit.clasi_activity
    resumes_late = decision.action is Action.RESUME and tests_begin_anew(
        seen.protocol.safety, now.no_drug_since, day
    )
    dose, nadir = now.dose, now.nadir
    if effects.starts and advice.level:
        dose = CurrentLevel(advice.level, day, day, day, day)
    elif dose and (effects.new_interval or effects.interrupts):
        dose = CurrentLevel(
            advice.level if effects.new_level and advice.level else dose.level,
            day if effects.new_since else dose.since,
            day if effects.new_interval else dose.interval_from,
            day if effects.new_watch else dose.watched_from,
            day if resumes_late else dose.tests_from,
            effects.reviews,
        )
    if effects.new_nadir:
        nadir = None if activity is None else DatedScore(activity, day)
    without_drug = advice.level is None and advice.phase_after in TREATED
    interrupted_on = day if effects.interrupts else now.interrupted_on
    return Treatment(
        advice.phase_after,
        dose,
        nadir,
        None if effects.new_baseline else now.responded_on,
        now.no_drug_since or day if without_drug else None,
        interrupted_on if advice.phase_after is Phase.INTERRUPTED else None,
        None if effects.starts else day if effects.ends else now.ended_on,
    )


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


def step(protocol: Protocol | str, state: State, visit: Visit) -> tuple[Decision, State]:
    """Decide on a visit and return the decision with the state after it.

    *protocol* may be the id of a built-in one. Raises CallError for a visit that cannot follow the
    state.
    """
    decision = recommend(observe(protocol, state, visit))
    return decision, apply(decision)


def replay(course: Course, by: Protocol | str | None = None) -> tuple[Decision, ...]:
    """Return the decision at every visit, by the protocol that the course names or by *by*.

    *by* may be the id of a built-in one. Raises CallError, with the place, for an unknown protocol
    and more doses missed than there were.
    """
    if not isinstance(course, Course):
        raise fault("course", f"{describe(course)} is not a course", "give a Course")
    by = get_protocol(course.protocol or DEFAULT) if by is None else protocol_of(by)
    state, decisions = begin(by, course.patient), []
    for index, visit in enumerate(course.visits):
        try:
            decision, state = step(by, state, visit)
        except CallError as error:
            raise CallError(fault.within(f"visits[{index}]") for fault in error.faults) from None
        decisions.append(decision)
    return tuple(decisions)
