"""Observe: a visit becomes six finite facts.

Numbers and dates end here. The numbers that a fact rests on stay beside it, for the rationale.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from attrs import evolve, frozen

from lenadose.engine.intake import reconcile_intake, tests_begin_anew
from lenadose.engine.state import (
    Baseline,
    CurrentLevel,
    DatedScore,
    Findings,
    OngoingEvent,
    State,
    Treatment,
    update_findings,
)
from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import MatchedRule
from lenadose.protocol.safety import Limit, SafetyCriteria
from lenadose.record.event_terms import PREGNANCY
from lenadose.record.visit import Patient, Visit
from lenadose.terms.dosage import Dosage, Level, lower_of
from lenadose.terms.errors import CallError, Fault, describe, fault
from lenadose.terms.facts import (
    GAIN,
    ON_TREATMENT,
    TREATED,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.units import CREATININE_CLEARANCE, QUANTITIES


class MissingReason(Term):
    """Why a field of the visit is missing."""

    ABSENT = "absent"
    STALE = "stale"


@frozen
class MissingField:
    """A field of the visit that is missing: never given, or too old to count."""

    field: str
    why: MissingReason


@frozen
class Observation:
    """The six facts of one visit, and all that they rest on.

    `before` is the state that the visit was met in. `treatment` and `findings` are as of this
    visit, after what was taken and with what was found. `ceiling` is the highest level allowed now,
    None if none is. `due_on` is when the interval is over, None where none runs.
    """

    protocol: Protocol
    before: State
    visit: Visit
    match: MatchedRule
    treatment: Treatment
    findings: Findings
    ceiling: Level | None
    due_on: date | None
    missing_fields: tuple[MissingField, ...]

    @property
    def facts(self) -> Facts:
        """The six facts that decide."""
        return self.match.facts

    @property
    def unadvised(self) -> Dosage | None:
        """A dosage that was taken since the visit before in a phase without drug."""
        taken, previous = self.visit.dosage_taken, self.before.previous
        if taken is None or taken.dosage is None or self.before.treatment.phase in ON_TREATMENT:
            return None
        on_ladder = self.protocol.ladder.level_of(taken.dosage) is not None
        # What the prescriber resumed was advised.
        return None if previous and previous.handed_over and on_ladder else taken.dosage

    @property
    def phase(self) -> Phase:
        """The phase as of this visit, after what was taken."""
        return self.match.facts.phase

    @property
    def baseline(self) -> Baseline | None:
        """The start of the course."""
        return self.before.baseline

    @property
    def patient(self) -> Patient:
        """The patient."""
        return self.before.patient


def observe(protocol: Protocol | str, state: State, visit: Visit) -> Observation:
    """Turn a visit into facts; what was taken since the visit before moves the treatment first.

    *protocol* may be the id of a built-in one. Raises CallError for a state of another protocol, a
    visit that is not after the one before, a dosage taken before the first visit, and more doses
    missed than there were.
    """
    protocol = protocol_of(protocol)
    if not isinstance(state, State):
        fix = "give what begin, step or read_state returned"
        raise fault("state", f"{describe(state)} is not a state", fix)
    if not isinstance(visit, Visit):
        raise fault("visit", f"{describe(visit)} is not a visit", f"give it as {Visit.example}")
    if of_another := wrong_protocol(state.protocol_name, state.decision_hash, protocol):
        raise CallError((of_another.within("state"),))
    taken = reconcile_intake(protocol, state, visit)
    baseline, day, phase = state.baseline, visit.date, taken.phase
    findings = update_findings(
        protocol.safety, state.findings, visit, baseline.neuropathy if baseline else None
    )
    met = limits_met(protocol.safety, findings)
    ceiling = ceiling_of(protocol.safety, state.ceiling, met)
    response = protocol.response.of(
        phase,
        visit.clasi_activity,
        baseline.activity if baseline else None,
        taken.nadir.activity if taken.nadir else None,
        visit.judgement.response if visit.judgement else None,
    )
    missing = _missing_safety_fields(protocol, state, taken, findings, met, visit)
    safety = safety_of(met, findings.ongoing, unknown=bool(missing))
    if response is Response.NOT_ASSESSED:
        missing += (MissingField("clasi_activity", MissingReason.ABSENT),)
    treatment = Treatment(
        phase,
        taken.dose,
        _nadir(taken.nadir, visit),
        day if phase in TREATED and response in GAIN else taken.responded_on,
        taken.no_drug_since,
        taken.interrupted_on,
        taken.ended_on,
    )
    due_on = None
    if treatment.dose and phase in ON_TREATMENT:
        due_on = interval_end(protocol, phase, treatment.dose)
    match = _match(protocol, treatment, baseline, day, due_on, response, safety, ceiling)
    return Observation(protocol, state, visit, match, treatment, findings, ceiling, due_on, missing)


def wrong_protocol(name: str, decision_hash: str, protocol: Protocol) -> Fault | None:
    """Return the fault of a state whose protocol decides otherwise than *protocol*, or None."""
    if decision_hash == protocol.decision_hash:
        return None
    return Fault(
        "",
        f"belongs to {name} ({decision_hash[:8]}), which decides "
        f"otherwise than {protocol.name} ({protocol.decision_hash[:8]})",
        "continue it under its own protocol, or replay the course under the other",
    )


def hypothetical(
    seen: Observation, response: Response, safety: Safety, ceiling: Level | None
) -> MatchedRule:
    """Return the row that would apply to this visit with another response, safety and ceiling."""
    before, treatment = seen.before, seen.treatment
    if response not in GAIN:
        # The gain that this visit showed is not there either.
        treatment = evolve(treatment, responded_on=before.treatment.responded_on)
    return _match(
        seen.protocol,
        treatment,
        before.baseline,
        seen.visit.date,
        seen.due_on,
        response,
        safety,
        ceiling,
    )


def _match(
    protocol: Protocol,
    treatment: Treatment,
    baseline: Baseline | None,
    day: date,
    due_on: date | None,
    response: Response,
    safety: Safety,
    ceiling: Level | None,
) -> MatchedRule:
    """Return the row for a response, a safety and a ceiling, with the treatment as of *day*."""
    phase, dose = treatment.phase, treatment.dose
    timing, trial, position = Timing.DUE, TherapeuticTrial.RUNNING, Position.NONE
    if dose and baseline and phase in TREATED:
        if phase is Phase.INTERRUPTED:
            is_due = _is_too_long(protocol, treatment.interrupted_on, day)
        else:
            is_due = due_on is not None and day >= due_on
        timing = Timing.DUE if is_due else Timing.BEFORE_DUE
        gain_on = day if response in GAIN else treatment.responded_on
        if _is_exhausted(protocol, gain_on or baseline.on, dose.since, day):
            trial = TherapeuticTrial.EXHAUSTED
        position = position_of(phase, dose.level, dose.off_ladder is None, ceiling)
    return protocol.table.match(phase, response, safety, timing, trial, position)


def _is_too_long(protocol: Protocol, since: date | None, day: date) -> bool:
    """Return whether an interruption is too long to be simply resumed."""
    return since is not None and protocol.intervals.resumable.value.is_over(since, day)


def _is_exhausted(protocol: Protocol, gain_on: date, level_since: date, day: date) -> bool:
    """Return whether the trial of therapy is over, as a whole and at this level."""
    intervals = protocol.intervals
    return (
        intervals.trial.value.after(gain_on) <= day
        and intervals.trial_at_level.value.after(level_since) <= day
    )


def _nadir(nadir: DatedScore | None, visit: Visit) -> DatedScore | None:
    activity = visit.clasi_activity
    if activity is None or (nadir is not None and activity >= nadir.activity):
        return nadir
    return DatedScore(activity, visit.date)


def interval_name(phase: Phase, dose: CurrentLevel) -> str:
    """Return the name of the interval that runs."""
    if phase is Phase.TAPER:
        return "taper_step"
    return "review" if dose.reviewed else "first_assessment"


def interval_end(protocol: Protocol, phase: Phase, dose: CurrentLevel) -> date:
    """Return the day on which the interval is over.

    The days missed are added once they are more than their share of the interval.
    """
    intervals = protocol.intervals
    if phase is Phase.TAPER:
        interval = intervals.taper_step.value
    else:
        interval = (intervals.review if dose.reviewed else intervals.first_assessment).value
    end = interval.after(dose.interval_from)
    share = intervals.missed_share.value
    length = (end - dose.interval_from).days
    if dose.days_missed * share.denominator > length * share.numerator:
        end += timedelta(days=dose.days_missed)
    return end


def position_of(phase: Phase, held: Level, on_ladder: bool, ceiling: Level | None) -> Position:
    """Return where the level held stands; in an interruption, the level to resume at."""
    level: Level | None = held
    if phase is Phase.INTERRUPTED:
        level = lower_of(held, ceiling)
    elif not on_ladder:
        return Position.OFF_LADDER
    if level is None:
        return Position.NONE
    if ceiling is None or level.rank > ceiling.rank:
        return Position.ABOVE_CEILING
    if level.rank == ceiling.rank:
        return Position.HIGHEST if level.rank else Position.ONLY
    return Position.MIDDLE if level.rank else Position.LOWEST


def limits_met(safety: SafetyCriteria, findings: Findings) -> tuple[Limit, ...]:
    """Return the limits that the newest results are below."""
    return tuple(
        [
            limit
            for limit in safety.limits
            if (result := findings.result(limit.quantity)) and limit.is_met(result.amount)
        ]
    )


def ceiling_of(safety: SafetyCriteria, left: Level | None, met: Iterable[Limit]) -> Level | None:
    """Return the highest level allowed: *left* by dose-limiting events, and by the limits met."""
    for limit in met:
        if limit.shows is Position.ABOVE_CEILING:
            return lower_of(left, safety.clearance_ceiling.value)
    return left


def safety_of(met: Iterable[Limit], ongoing: Iterable[OngoingEvent], unknown: bool) -> Safety:
    """Return the first that applies of stop, interrupt, not assessed, caution and acceptable.

    *met* are the limits that results are below, *ongoing* the events that count. A known danger
    counts even when other facts are missing (*unknown*).
    """
    worst = Safety.NOT_ASSESSED if unknown else Safety.ACCEPTABLE
    for limit in met:
        if isinstance(limit.shows, Safety):
            worst = worse_of(worst, limit.shows)
    for event in ongoing:
        worst = worse_of(worst, event.criterion.safety)
    return worst


def worse_of(one: Safety, other: Safety) -> Safety:
    """Return the worse of two, the one that applies first."""
    return one if one.rank <= other.rank else other


def _missing_safety_fields(
    protocol: Protocol,
    state: State,
    treatment: Treatment,
    findings: Findings,
    met: tuple[Limit, ...],
    visit: Visit,
) -> tuple[MissingField, ...]:
    """Return the safety facts that are missing or too old.

    A danger that still counts is known, not missing.
    """
    safety, day, dose = protocol.safety, visit.date, treatment.dose
    missing: list[MissingField] = []
    if visit.adverse_events is None and not any(
        ongoing.is_danger and ongoing.event for ongoing in findings.ongoing
    ):
        missing.append(MissingField("adverse_events", MissingReason.ABSENT))
    untested = tests_missing(safety, state.patient, treatment, findings, day)
    if untested is not None:
        missing.append(MissingField("pregnancy_tests", untested))
    dangers = [limit.quantity for limit in met if limit.shows is Safety.INTERRUPT]
    counts_age = safety.counts_age_on(day, dose.watched_from if dose else None)
    for quantity in QUANTITIES:
        result = findings.result(quantity)
        is_clearance = quantity == CREATININE_CLEARANCE.name
        age = safety.clearance_age.value if is_clearance else counts_age
        if result is None:
            missing.append(MissingField(quantity, MissingReason.ABSENT))
        elif age.is_over(result.on, day) and quantity not in dangers:
            missing.append(MissingField(quantity, MissingReason.STALE))
    return tuple(missing)


def tests_missing(
    safety: SafetyCriteria,
    patient: Patient,
    treatment: Treatment,
    findings: Findings,
    day: date,
) -> MissingReason | None:
    """Return why a pregnancy test required on this day is missing, or None.

    A known pregnancy needs no test.
    """
    if patient.able_to_become_pregnant is False or treatment.phase is Phase.DISCONTINUED:
        return None
    why = _tests_missing(safety, patient, treatment, findings.negative_tests, day)
    if why and any(ongoing.name == PREGNANCY for ongoing in findings.ongoing):
        return None
    return why


def needs_two_tests(safety: SafetyCriteria, treatment: Treatment, day: date) -> bool:
    """Return whether the two pregnancy tests of a start are required on this day."""
    if treatment.phase is Phase.INTERRUPTED:
        return tests_begin_anew(safety, treatment.no_drug_since, day)
    return treatment.dose is None or treatment.phase is Phase.OFF_TREATMENT


def _tests_missing(
    safety: SafetyCriteria,
    patient: Patient,
    treatment: Treatment,
    negative: tuple[date, ...],
    day: date,
) -> MissingReason | None:
    if not negative:
        return MissingReason.ABSENT
    if treatment.dose is None or needs_two_tests(safety, treatment, day):
        if safety.second_test_age.value.is_over(negative[-1], day):
            return MissingReason.STALE
        earliest, latest = safety.first_test.value
        in_time = (earliest.after(on) <= day and not latest.is_over(on, day) for on in negative)
        return None if any(in_time) else MissingReason.ABSENT
    age = safety.test_age_on(day, treatment.dose.tests_from, patient)
    return MissingReason.STALE if age.is_over(negative[-1], day) else None
