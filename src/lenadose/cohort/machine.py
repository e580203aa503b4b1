"""The machine over arrays: one visit of each of many patients, from the state to the advice.

The same as `lenadose.engine` does with one patient, under the same names; which row applies and
what follows from it is looked up.
"""

import numpy as np

from lenadose.cohort.calendar import Flags, Ints, after, first_within
from lenadose.cohort.events import NOT_ASKED, EventEffects
from lenadose.cohort.lookup import (
    NOT_GIVEN,
    NOTHING,
    SCORES,
    WEIGHTS,
    AdviceArrays,
    DosageTable,
    ProtocolArrays,
)
from lenadose.cohort.state import (
    Baseline,
    Decisions,
    Findings,
    Observation,
    PreviousVisit,
    State,
    Treatment,
    Visits,
    choose,
    map_arrays,
    take_rows,
)
from lenadose.protocol.protocol import Protocol
from lenadose.terms.facts import Phase, Position, Response, TherapeuticTrial, Timing


def step(
    arrays: ProtocolArrays,
    effects: EventEffects,
    dosages: DosageTable,
    state: State,
    visit: Visits,
    first: bool,
) -> tuple[Decisions, State]:
    """Decide on a visit of each patient, and return the decisions with the states after it."""
    if first:
        treatment, scheduled = state.treatment, np.zeros_like(visit.day)
    else:
        treatment, scheduled = reconcile_intake(dosages, state, visit)
    seen = observe(arrays, effects, state, treatment, visit)
    answer = arrays.answers[seen.situation, treatment.level + 1, seen.ceiling + 1]
    advice = take_rows(arrays.advice, answer)
    off = advice.phase_after == Phase.OFF_TREATMENT.rank
    finished_on = np.where(state.finished_on > 0, state.finished_on, visit.day)
    anchor = np.where(off, finished_on, seen.due_on)
    decisions = Decisions(seen.situation, answer, anchor, scheduled, seen.missing)
    return decisions, apply(arrays, effects, state, visit, seen, advice)


# Observe


def is_on_treatment(phase: Ints) -> Flags:
    """Return whether each phase is on treatment."""
    on_treatment: Flags = (phase == Phase.TITRATION.rank) | (phase == Phase.TAPER.rank)
    return on_treatment


def reconcile_intake(dosages: DosageTable, state: State, visit: Visits) -> tuple[Treatment, Ints]:
    """Return the treatment moved to what was taken since the visit before, as of that visit.

    The second array is the number of doses scheduled since then.
    """
    now, previous, taken = state.treatment, state.previous, visit.taken
    # The numbers of the levels' dosages are their ranks.
    dosage = np.where(taken >= 0, taken, previous.advised)
    days, every = visit.day - previous.on, dosages.every_days.take(np.maximum(dosage, 0))
    scheduled = np.where(dosage >= 0, -(-days // every), 0)
    treated = is_on_treatment(now.phase)
    lost = np.where(previous.advised >= 0, visit.missed * every, days)
    treatment = now._replace(
        days_missed=now.days_missed + lost * treated,
        interrupted_on=now.interrupted_on * ~treated,
    )
    rows = np.flatnonzero(taken != NOT_GIVEN)
    if len(rows):
        treatment = map_arrays(np.copy, treatment)
        moved = follow_dosage(dosages, take_rows(state, rows), take_rows(visit, rows))
        for column, values in zip(treatment, moved, strict=True):
            column[rows] = values
    return treatment, scheduled


def follow_dosage(dosages: DosageTable, state: State, visit: Visits) -> Treatment:
    """Return the treatment of patients of whom it was reported what was taken."""
    now, taken = state.treatment, np.maximum(visit.taken, 0)
    nothing, treated = visit.taken == NOTHING, is_on_treatment(now.phase)
    same = treated & (visit.taken == np.where(now.off_ladder >= 0, now.off_ladder, now.level))
    stays = now._replace(
        days_missed=now.days_missed + visit.missed * dosages.every_days[taken] * same,
        interrupted_on=now.interrupted_on * ~treated,
    )
    resumes = ~treated & state.previous.hands_over & ~nothing & (dosages.level[taken] >= 0)
    resumes &= (state.ceiling >= 0) & (now.level >= 0)
    switches = (treated & ~nothing & ~same) | resumes
    treatment = choose(switches, switch_level(dosages, state, visit), stays)
    return choose(treated & nothing, _interrupted_by_patient(state), treatment)


def _came_with(state: State) -> Treatment:
    """Return the treatment that the patient came with at the visit before, or else has now.

    What was advised and not taken has not been held.
    """
    came_with = state.previous.came_with
    return choose(came_with.level >= 0, came_with, state.treatment)


def _interrupted_by_patient(state: State) -> Treatment:
    """Return the treatment after nothing was taken: interrupted as of the visit before."""
    came, previous = _came_with(state), state.previous
    since = previous.came_with.interrupted_on
    return came._replace(
        phase=np.full_like(came.phase, Phase.INTERRUPTED.rank),
        reviewed=np.zeros_like(came.reviewed),
        days_missed=np.zeros_like(came.days_missed),
        off_ladder=np.full_like(came.off_ladder, -1),
        interrupted_on=np.where(since > 0, since, previous.on),
    )


def switch_level(dosages: DosageTable, state: State, visit: Visits) -> Treatment:
    """Return the treatment moved to a dosage taken instead of the one advised.

    A rise begins as an advised one would, and a resumption too.
    """
    held, previous, phase = _came_with(state), state.previous, state.treatment.phase
    taken = np.maximum(visit.taken, 0)
    level = dosages.level[taken]
    before = np.maximum(np.where(held.off_ladder >= 0, held.off_ladder, held.level), 0)
    rose = dosages.daily_rank[taken] > dosages.daily_rank[before]
    days_missed = visit.missed * dosages.every_days[taken]
    off_ladder = held._replace(
        phase=np.where(is_on_treatment(phase), phase, Phase.TITRATION.rank),
        watched_from=np.where(rose | previous.hands_over, previous.on, held.watched_from),
        days_missed=held.days_missed + days_missed,
        off_ladder=taken,
        nadir=np.where(rose, previous.activity, held.nadir),
        interrupted_on=np.zeros_like(previous.on),
    )
    on_ladder = off_ladder._replace(
        level=level,
        since=np.where(previous.hands_over & (taken == before), held.since, previous.on),
        interval_from=previous.on,
        reviewed=np.zeros_like(held.reviewed),
        days_missed=days_missed,
        off_ladder=np.full_like(level, -1),
    )
    return choose(level >= 0, on_ladder, off_ladder)


def observe(
    arrays: ProtocolArrays,
    effects: EventEffects,
    state: State,
    treatment: Treatment,
    visit: Visits,
) -> Observation:
    """Turn a visit into facts, with the treatment moved to what was taken before."""
    protocol, day, phase = arrays.protocol, visit.day, treatment.phase
    ongoing = update_findings(arrays, effects, state, visit)
    ceiling = ceiling_of(protocol, state.ceiling, visit.findings)
    nadir = np.minimum(treatment.nadir, visit.activity)
    response = response_of(arrays, phase, visit, state.baseline.activity, nadir)
    missing = _missing_fields(arrays, treatment, state.baseline, ongoing, visit, response)
    unknown: Flags = np.any(missing[:-1] > 0, axis=0)
    safety = safety_of(arrays, ongoing, visit.findings, unknown)

    on_treatment = is_on_treatment(phase)
    interrupted = phase == Phase.INTERRUPTED.rank
    treated = on_treatment | interrupted
    gained = treated & (response <= Response.PARTIAL.rank)
    gain_on = np.where(gained, day, state.gain_on)
    due_on = interval_end(protocol, treatment)
    intervals = protocol.intervals
    paused_on = treatment.interrupted_on
    resumable = (paused_on == 0) | (paused_on >= first_within(intervals.resumable.value, day))
    waits = (on_treatment & (day < due_on)) | (interrupted & resumable)
    exhausted = treated & (after(intervals.trial.value, gain_on) <= day)
    exhausted &= after(intervals.trial_at_level.value, treatment.since) <= day
    position = arrays.positions[
        interrupted.astype(np.intp),
        (treatment.off_ladder >= 0).astype(np.intp),
        np.maximum(treatment.level, 0),
        ceiling + 1,
    ]
    situation = (
        phase * WEIGHTS[Phase.TITRATION]
        + response * WEIGHTS[Response.PARTIAL]
        + safety
        + ~waits * WEIGHTS[Timing.DUE]
        + exhausted * WEIGHTS[TherapeuticTrial.EXHAUSTED]
        + np.where(treated, position, WEIGHTS[Position.NONE])
    )
    treatment = treatment._replace(nadir=nadir)
    return Observation(situation, treatment, ongoing, gain_on, ceiling, due_on, missing)


def update_findings(
    arrays: ProtocolArrays, effects: EventEffects, state: State, visit: Visits
) -> Ints:
    """Return the events that count from this visit on."""
    adds = effects.adds[visit.events, state.baseline.neuropathy + 1]
    positive = visit.findings.positive_test * arrays.events.positive_test
    return (state.ongoing & effects.keeps[visit.events]) | adds | positive


def interval_end(protocol: Protocol, treatment: Treatment) -> Ints:
    """Return the day on which the interval is over.

    The days missed are added once they are more than their share of the interval.
    """
    intervals, begun, missed = protocol.intervals, treatment.interval_from, treatment.days_missed
    titration = np.where(
        treatment.reviewed,
        after(intervals.review.value, begun),
        after(intervals.first_assessment.value, begun),
    )
    taper = treatment.phase == Phase.TAPER.rank
    end = np.where(taper, after(intervals.taper_step.value, begun), titration)
    share = intervals.missed_share.value
    return end + missed * (missed * share.denominator > (end - begun) * share.numerator)


def ceiling_of(protocol: Protocol, left: Ints, findings: Findings) -> Ints:
    """Return the highest level allowed now: *left* by dose-limiting events, and by clearance."""
    lowered = np.minimum(left, protocol.safety.clearance_ceiling.value.rank)
    return np.where(findings.clearance_low, lowered, left)


def response_of(
    arrays: ProtocolArrays, phase: Ints, visit: Visits, baseline: Ints, nadir: Ints
) -> Ints:
    """Return the rank of the response, from the scores and a judgement."""
    titration = (phase == Phase.TITRATION.rank) | (phase == Phase.INTERRUPTED.rank)
    scores = ((~titration * SCORES + visit.activity) * SCORES + baseline) * SCORES + nadir
    response: Ints = arrays.judged[phase, visit.judged, arrays.responses.take(scores)]
    return response


def safety_of(arrays: ProtocolArrays, ongoing: Ints, findings: Findings, unknown: Flags) -> Ints:
    """Return the weight of the first of stop, interrupt, not assessed, caution and acceptable."""
    masks = arrays.events
    stops, interrupts = (ongoing & masks.stops) != 0, (ongoing & masks.interrupts) != 0
    worst = np.where(stops, 3, np.where(interrupts, 2, (ongoing & masks.cautions) != 0))
    return arrays.safeties[(worst * 2 + unknown) * 32 + findings.results]


def _missing_fields(
    arrays: ProtocolArrays,
    treatment: Treatment,
    baseline: Baseline,
    ongoing: Ints,
    visit: Visits,
    response: Ints,
) -> Ints:
    """Return which fields are missing or too old, and why."""
    safety, masks, findings = arrays.protocol.safety, arrays.events, visit.findings
    watched = treatment.watched_from >= first_within(safety.counts_early.value, visit.day)
    early = baseline.on >= first_within(safety.tests_early.value, visit.day)
    starts = (baseline.on == 0) | (treatment.phase == Phase.OFF_TREATMENT.rank)
    tests = np.where(early, findings.tests_early, findings.tests)
    tests = np.where(starts, findings.tests_before_start, tests)
    tested = treatment.phase != Phase.DISCONTINUED.rank
    not_asked = (visit.events == NOT_ASKED) & ((ongoing & masks.reported_dangers) == 0)
    return np.stack(
        [
            not_asked,
            tests * (tested & ((ongoing & masks.pregnancy) == 0)),
            np.where(watched, findings.neutrophils_early, findings.neutrophils),
            np.where(watched, findings.platelets_early, findings.platelets),
            findings.creatinine_clearance,
            response == Response.NOT_ASSESSED.rank,
        ],
        dtype=np.int8,
    )


# After a decision


def apply(
    arrays: ProtocolArrays,
    effects: EventEffects,
    state: State,
    visit: Visits,
    seen: Observation,
    advice: AdviceArrays,
) -> State:
    """Return the state after a decision, assuming the advice is followed."""
    day, now, before = visit.day, seen.treatment, state.baseline
    starts, restarts = advice.starts, advice.new_interval | advice.interrupts
    treatment = Treatment(
        phase=advice.phase_after,
        level=np.where(advice.new_level, advice.level, now.level),
        since=np.where(advice.new_since, day, now.since),
        interval_from=np.where(advice.new_interval, day, now.interval_from),
        watched_from=np.where(advice.new_watch, day, now.watched_from),
        reviewed=advice.reviews | (now.reviewed & ~restarts),
        days_missed=now.days_missed * ~restarts,
        off_ladder=np.where(restarts, -1, now.off_ladder),
        nadir=np.where(advice.new_nadir, visit.activity, now.nadir),
        interrupted_on=np.where(advice.interrupts, day, now.interrupted_on) * ~advice.gives,
    )
    limited = advice.limits_dose & dose_limiting_causes(arrays, seen, visit)
    return State(
        treatment,
        ceiling=np.where(limited, np.minimum(state.ceiling, now.level - 1), state.ceiling),
        ongoing=seen.ongoing,
        baseline=Baseline(
            np.where(starts, day, before.on),
            np.where(starts, visit.activity, before.activity),
            np.where(starts, effects.neuropathy[visit.events], before.neuropathy),
        ),
        gain_on=np.where(starts, day, seen.gain_on),
        finished_on=np.where(advice.finishes, day, state.finished_on) * ~starts,
        previous=PreviousVisit(
            day,
            visit.activity,
            advice.level,
            advice.hands_over,
            now._replace(level=np.where(starts, -1, now.level)),
        ),
    )


def dose_limiting_causes(arrays: ProtocolArrays, seen: Observation, visit: Visits) -> Flags:
    """Return whether a count or an event is one for which the level is not given again."""
    limits: Flags = visit.findings.count_danger | ((seen.ongoing & arrays.events.limits_dose) != 0)
    return limits
