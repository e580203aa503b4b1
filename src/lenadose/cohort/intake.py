"""Reconcile the intake over arrays, as `lenadose.engine.intake` does for one patient."""

import numpy as np

from lenadose.cohort.calendar import Flags, Ints, after, first_within
from lenadose.cohort.lookup import NOT_GIVEN, NOTHING, DosageTable
from lenadose.cohort.state import (
    PreviousVisit,
    State,
    Treatment,
    Visits,
    choose,
    map_arrays,
    take_rows,
)
from lenadose.protocol.protocol import Protocol
from lenadose.terms.facts import Phase


def is_on_treatment(phase: Ints) -> Flags:
    """Return whether each phase is on treatment."""
    on_treatment: Flags = (phase == Phase.TITRATION.rank) | (phase == Phase.TAPER.rank)
    return on_treatment


def is_treated(phase: Ints) -> Flags:
    """Return whether each phase is on treatment or interrupted."""
    treated: Flags = is_on_treatment(phase) | (phase == Phase.INTERRUPTED.rank)
    return treated


def reconcile_intake(
    protocol: Protocol, dosages: DosageTable, state: State, visit: Visits
) -> tuple[Treatment, Ints]:
    """Return the treatment moved to what was taken since the visit before, as of that visit.

    The second array is the number of doses scheduled since then.
    """
    now, previous, taken = state.treatment, state.previous, visit.taken
    # The numbers of the levels' dosages are their ranks.
    dosage = np.where(taken >= 0, taken, previous.advised)
    days, every = visit.day - previous.on, dosages.every_days.take(np.maximum(dosage, 0))
    scheduled = np.where(dosage >= 0, -(-days // every), 0)
    treated = is_on_treatment(now.phase)
    word = (visit.missed >= 0) & (previous.advised >= 0)
    lost = visit.missed * every * (treated & word)
    treatment = now._replace(days_missed=now.days_missed + lost)
    silent = treated & ~word & (taken == NOT_GIVEN) & (now.off_ladder < 0)
    treatment = _without_word(protocol, treatment, state, visit.day, silent)
    rows = np.flatnonzero(taken != NOT_GIVEN)
    if len(rows):
        treatment = map_arrays(np.copy, treatment)
        moved = follow_dosage(protocol, dosages, take_rows(state, rows), take_rows(visit, rows))
        for column, values in zip(treatment, moved, strict=True):
            column[rows] = values
    return treatment, scheduled


def _without_word(
    protocol: Protocol, now: Treatment, state: State, day: Ints, silent: Flags
) -> Treatment:
    """Return the treatment after visits that do not say what was taken."""
    until = supplied_until(protocol, state.previous)
    gap = (day - until) * (silent & (day > until))
    since = np.where(now.no_drug_since > 0, now.no_drug_since, until)
    too_long = (gap > 0) & (since < first_within(protocol.intervals.longest_gap.value, day))
    missed = now._replace(
        days_missed=now.days_missed + gap,
        no_drug_since=np.where(gap > 0, since, now.no_drug_since),
    )
    return choose(too_long, _interrupted(now, since), missed)


def supplied_until(protocol: Protocol, previous: PreviousVisit) -> Ints:
    """Return the last day on which there was drug to take after a visit, unless more is said."""
    supplied = after(protocol.intervals.supply.value, previous.on)
    return np.where(previous.advised >= 0, np.maximum(supplied, previous.latest), previous.on)


def _interrupted(held: Treatment, since: Ints) -> Treatment:
    """Return an interruption since a day; on the ladder or off it, the last level is kept."""
    return held._replace(
        phase=np.full_like(held.phase, Phase.INTERRUPTED.rank),
        reviewed=np.zeros_like(held.reviewed),
        days_missed=np.zeros_like(held.days_missed),
        off_ladder=np.full_like(held.off_ladder, -1),
        no_drug_since=since,
        interrupted_on=since,
        ended_on=np.zeros_like(held.ended_on),
    )


def stop(treatment: Treatment, stopped: Flags, day: Ints) -> Treatment:
    """Return the treatment ended at visits at which the patient or the prescriber stopped it."""
    return treatment._replace(
        phase=np.where(stopped, Phase.DISCONTINUED.rank, treatment.phase),
        no_drug_since=treatment.no_drug_since * ~stopped,
        interrupted_on=treatment.interrupted_on * ~stopped,
        ended_on=np.where(stopped, day, treatment.ended_on),
    )


def follow_dosage(
    protocol: Protocol, dosages: DosageTable, state: State, visit: Visits
) -> Treatment:
    """Return the treatment of patients of whom it was reported what was taken."""
    now, taken = state.treatment, np.maximum(visit.taken, 0)
    missed = np.maximum(visit.missed, 0)
    nothing, treated = visit.taken == NOTHING, is_on_treatment(now.phase)
    same = treated & (visit.taken == np.where(now.off_ladder >= 0, now.off_ladder, now.level))
    after_end = ~treated & ~nothing & (now.ended_on > 0)
    paused = ~nothing & (now.phase == Phase.INTERRUPTED.rank)
    stays = now._replace(
        days_missed=now.days_missed + missed * dosages.every_days[taken] * same,
        no_drug_since=np.where(paused, visit.day, now.no_drug_since * ~treated),
        ended_on=np.where(after_end, visit.day, now.ended_on),
    )
    resumes = ~treated & state.previous.handed_over & ~nothing & (dosages.level[taken] >= 0)
    resumes &= now.level >= 0
    switches = (treated & ~nothing & ~same) | resumes
    treatment = choose(switches, switch_level(protocol, dosages, state, visit), stays)
    came, previous = _came_with(state), state.previous
    before = previous.came_with
    no_drug_since = np.where(before.no_drug_since > 0, before.no_drug_since, previous.on)
    since = np.where(before.interrupted_on > 0, before.interrupted_on, no_drug_since)
    interrupted = _interrupted(came, since)._replace(no_drug_since=no_drug_since)
    return choose(treated & nothing, interrupted, treatment)


def _came_with(state: State) -> Treatment:
    """Return the treatment that the patient came with at the visit before, or else has now.

    What was advised and not taken has not been held.
    """
    came_with = state.previous.came_with
    return choose(came_with.level >= 0, came_with, state.treatment)


def switch_level(
    protocol: Protocol, dosages: DosageTable, state: State, visit: Visits
) -> Treatment:
    """Return the treatment moved to a dosage taken instead of the one advised.

    A rise begins as an advised one would, and a resumption too.
    """
    held, previous, now = _came_with(state), state.previous, state.treatment
    taken = np.maximum(visit.taken, 0)
    level = dosages.level[taken]
    before = np.maximum(np.where(held.off_ladder >= 0, held.off_ladder, held.level), 0)
    rose = dosages.daily_rank[taken] > dosages.daily_rank[before]
    days_missed = np.maximum(visit.missed, 0) * dosages.every_days[taken]
    anew = tests_begin_anew(protocol, now.no_drug_since, previous.on)
    off_ladder = held._replace(
        phase=np.where(is_on_treatment(now.phase), now.phase, Phase.TITRATION.rank),
        watched_from=np.where(rose | previous.handed_over, previous.on, held.watched_from),
        tests_from=np.where(previous.handed_over & anew, previous.on, held.tests_from),
        days_missed=held.days_missed + days_missed,
        off_ladder=taken,
        nadir=np.where(rose, previous.activity, held.nadir),
        no_drug_since=np.zeros_like(previous.on),
        interrupted_on=np.zeros_like(previous.on),
        ended_on=np.zeros_like(previous.on),
    )
    on_ladder = off_ladder._replace(
        level=level,
        since=np.where(previous.handed_over & (taken == before), held.since, previous.on),
        interval_from=previous.on,
        reviewed=np.zeros_like(held.reviewed),
        days_missed=days_missed,
        off_ladder=np.full_like(level, -1),
    )
    return choose(level >= 0, on_ladder, off_ladder)


def tests_begin_anew(protocol: Protocol, no_drug_since: Ints, day: Ints) -> Flags:
    """Return whether pregnancy tests begin anew, as at a start, after so long without drug."""
    first = first_within(protocol.safety.tests_anew_after.value, day)
    anew: Flags = (no_drug_since > 0) & (no_drug_since < first)
    return anew
