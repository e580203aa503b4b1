"""Reconcile the intake: move the treatment to what was taken since the visit before.

The state follows the patient, not the advice: another dosage, nothing, days without drug, and the
end of treatment by the patient or the prescriber are all told by the visit, or by its silence.
"""

from datetime import date

from attrs import evolve

from lenadose.engine.state import CurrentLevel, DatedScore, PreviousVisit, State, Treatment
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import SafetyCriteria
from lenadose.record.course import (
    before_treatment,
    doses_between,
    nothing_to_stop,
    too_many_missed,
)
from lenadose.record.visit import Visit
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import CallError, fault
from lenadose.terms.facts import ON_TREATMENT, TREATED, Phase


def reconcile_intake(protocol: Protocol, state: State, visit: Visit) -> Treatment:
    """Return the treatment moved to what was taken since the visit before, as of that visit.

    Raises CallError for a visit that is not after the one before, a dosage taken before the first
    visit, more doses missed than there were, and an end of treatment where there is none.
    """
    treatment = _follow_patient(protocol, state, visit)
    if visit.stopped is None:
        return treatment
    if treatment.phase not in TREATED:
        raise CallError((nothing_to_stop(),))
    return evolve(
        treatment,
        phase=Phase.DISCONTINUED,
        no_drug_since=None,
        interrupted_on=None,
        ended_on=visit.date,
    )


def _follow_patient(protocol: Protocol, state: State, visit: Visit) -> Treatment:
    previous, now, dose = state.previous, state.treatment, state.treatment.dose
    taken, missed = visit.dosage_taken, visit.doses_missed
    if previous is None:
        if taken or missed:
            raise CallError((before_treatment("dosage_taken" if taken else "doses_missed"),))
        return now
    if visit.date <= previous.on:
        reason = f"{visit.date} is not after the visit before, of {previous.on}"
        raise fault("date", reason, "give the visits in order")
    advised = previous.advised.dosage if previous.advised else None
    dosage = taken.dosage if taken else None
    if missed and missed > (scheduled := doses_between(previous.on, visit.date, dosage or advised)):
        raise CallError((too_many_missed(missed, scheduled),))
    if dose is None or now.phase not in ON_TREATMENT:
        return _without_treatment(protocol, state, previous, visit, dosage)
    if taken is None:
        if missed is not None and advised:
            return add_missed_days(now, dose, missed * advised.every_days)
        # Off the ladder, a silent visit means that the dosage goes on.
        return now if dose.off_ladder else _without_word(protocol, now, dose, previous, visit.date)
    now = evolve(now, no_drug_since=None)
    if dosage is None:
        return _interrupted_by_patient(now, dose, previous)
    if dosage == (dose.off_ladder or dose.level.dosage):
        return add_missed_days(now, dose, (missed or 0) * dosage.every_days)
    return switch_level(protocol, now, dose, previous, dosage, missed or 0)


def _without_treatment(
    protocol: Protocol,
    state: State,
    previous: PreviousVisit,
    visit: Visit,
    dosage: Dosage | None,
) -> Treatment:
    """Return the treatment where none is going on; only the prescriber's answer changes its phase.

    Drug that was taken without advice moves the end of treatment, and the days without drug begin
    anew.
    """
    now = state.treatment
    if dosage is None:
        return now
    if previous.handed_over and now.dose and protocol.ladder.level_of(dosage):
        resumed = evolve(now, phase=Phase.TITRATION)
        return switch_level(protocol, resumed, now.dose, previous, dosage, visit.doses_missed or 0)
    if now.phase is Phase.INTERRUPTED:
        return evolve(now, no_drug_since=visit.date)
    return evolve(now, ended_on=visit.date) if now.ended_on else now


def _without_word(
    protocol: Protocol, now: Treatment, dose: CurrentLevel, previous: PreviousVisit, day: date
) -> Treatment:
    """Return the treatment after a visit that does not say what was taken.

    The days on which there was no drug to take are missed, and more of them in a row than the
    longest gap are an interruption.
    """
    until = supplied_until(protocol, previous)
    if day <= until:
        return now
    since = now.no_drug_since or until
    if protocol.intervals.longest_gap.value.is_over(since, day):
        return _interrupted(now, dose, now.nadir, since)
    missed = add_missed_days(now, dose, (day - until).days)
    return evolve(missed, no_drug_since=since)


def supplied_until(protocol: Protocol, previous: PreviousVisit) -> date:
    """Return the last day on which there was drug to take after a visit, unless more is said."""
    if previous.advised is None:
        return previous.on
    until = protocol.intervals.supply.value.after(previous.on)
    return max(until, previous.next_visit.latest) if previous.next_visit else until


def add_missed_days(now: Treatment, dose: CurrentLevel, days: int) -> Treatment:
    """Return the treatment with the days added on which no dose was taken."""
    return evolve(now, dose=evolve(dose, days_missed=dose.days_missed + days)) if days else now


def _interrupted_by_patient(
    now: Treatment, dose: CurrentLevel, previous: PreviousVisit
) -> Treatment:
    """Return the treatment after nothing was taken: interrupted as of the visit before.

    A resumption that was advised and not taken has not ended the interruption.
    """
    came = previous.came_with if previous.came_with.dose else now
    before = previous.came_with
    since = before.interrupted_on or before.no_drug_since or previous.on
    interrupted = _interrupted(now, came.dose or dose, came.nadir, since)
    return evolve(interrupted, no_drug_since=before.no_drug_since or previous.on)


def _interrupted(
    now: Treatment, held: CurrentLevel, nadir: DatedScore | None, since: date
) -> Treatment:
    """Return an interruption since a day; on the ladder or off it, the last level is kept."""
    kept = evolve(held, reviewed=False, days_missed=0, off_ladder=None)
    return Treatment(Phase.INTERRUPTED, kept, nadir, now.responded_on, since, since)


def switch_level(
    protocol: Protocol,
    now: Treatment,
    dose: CurrentLevel,
    previous: PreviousVisit,
    dosage: Dosage,
    missed: int,
) -> Treatment:
    """Return the treatment moved to a dosage taken instead of the one advised.

    What was advised and not taken has not been held: the move is from the dose that the patient
    came with at the visit before. A rise begins as an advised one would, and a resumption too.
    """
    came = previous.came_with if previous.came_with.dose else now
    held, nadir = came.dose or dose, came.nadir
    before = held.off_ladder or held.level.dosage
    resumes = previous.handed_over
    rose = dosage.daily_mg > before.daily_mg
    if rose:
        activity = previous.activity
        nadir = None if activity is None else DatedScore(activity, previous.on)
    watched_from = previous.on if rose or resumes else held.watched_from
    tests_from = held.tests_from
    if resumes and tests_begin_anew(protocol.safety, now.no_drug_since, previous.on):
        tests_from = previous.on
    days_missed = missed * dosage.every_days
    level = protocol.ladder.level_of(dosage)
    if level is None:
        moved = evolve(
            held,
            watched_from=watched_from,
            days_missed=held.days_missed + days_missed,
            off_ladder=dosage,
        )
    else:
        since = held.since if resumes and dosage == before else previous.on
        moved = CurrentLevel(
            level, since, previous.on, watched_from, tests_from, days_missed=days_missed
        )
    return Treatment(now.phase, moved, nadir, now.responded_on)


def tests_begin_anew(safety: SafetyCriteria, no_drug_since: date | None, day: date) -> bool:
    """Return whether pregnancy tests begin anew, as at a start, after so long without drug."""
    return no_drug_since is not None and safety.tests_anew_after.value.is_over(no_drug_since, day)
