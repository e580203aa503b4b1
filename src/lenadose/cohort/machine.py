"""The machine over arrays: one visit of each of many patients, from the state to the advice.

The same as `lenadose.engine` does with one patient, under the same names; which row applies and
what follows from it is looked up.
"""

import numpy as np

from lenadose.cohort.calendar import Flags, Ints, after, first_within
from lenadose.cohort.carry_forward import NegativeTests, missing_reason
from lenadose.cohort.events import NOT_ASKED, EventEffects
from lenadose.cohort.intake import (
    is_on_treatment,
    is_treated,
    reconcile_intake,
    stop,
    tests_begin_anew,
)
from lenadose.cohort.lookup import (
    SCORES,
    UNITS,
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
    take_rows,
)
from lenadose.protocol.advice import FollowUp
from lenadose.protocol.protocol import Protocol
from lenadose.record.visit import JudgedResponse
from lenadose.terms.facts import Phase, Position, Response, TherapeuticTrial, Timing


def step(
    arrays: ProtocolArrays,
    effects: EventEffects,
    dosages: DosageTable,
    tests: NegativeTests,
    state: State,
    visit: Visits,
    first: bool,
) -> tuple[Decisions, State]:
    """Decide on a visit of each patient, and return the decisions with the states after it."""
    if first:
        treatment, scheduled = state.treatment, np.zeros_like(visit.day)
    else:
        treatment, scheduled = reconcile_intake(arrays.protocol, dosages, state, visit)
    untreated = ~is_treated(treatment.phase)
    treatment = stop(treatment, visit.stopped & ~untreated, visit.day)
    seen = observe(arrays, effects, dosages, tests, state, treatment, visit)
    answer = arrays.answers[seen.situation, treatment.level + 1, seen.ceiling + 1]
    advice = take_rows(arrays.advice, answer)
    next_visit = visit_window(arrays.protocol, tests, state, visit, seen, advice)
    decisions = Decisions(
        seen.situation,
        answer,
        next_visit,
        scheduled,
        untreated,
        seen.missing,
        state.ongoing,
        state.baseline.neuropathy,
    )
    return decisions, apply(arrays, effects, state, visit, seen, advice, next_visit[2])


# Observe


def observe(
    arrays: ProtocolArrays,
    effects: EventEffects,
    dosages: DosageTable,
    tests: NegativeTests,
    state: State,
    treatment: Treatment,
    visit: Visits,
) -> Observation:
    """Turn a visit into facts, with the treatment moved to what was taken before."""
    protocol, day, phase = arrays.protocol, visit.day, treatment.phase
    ongoing, count_from = update_findings(arrays, effects, state, visit)
    ceiling = ceiling_of(protocol, state.ceiling, visit.findings)
    nadir = np.minimum(treatment.nadir, visit.activity)
    response = response_of(arrays, phase, visit, state.baseline.activity, nadir)
    two_tests = needs_two_tests(protocol, treatment, day)
    untested = _tests_missing(protocol, tests, treatment, visit, count_from, two_tests)
    missing = _missing_fields(arrays, treatment, ongoing, visit, untested, response)
    unknown: Flags = np.any(missing[:-1] > 0, axis=0)
    safety = safety_of(arrays, ongoing, visit.findings, unknown)

    on_treatment, treated = is_on_treatment(phase), is_treated(phase)
    interrupted = phase == Phase.INTERRUPTED.rank
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
        phase * UNITS[Phase]
        + response * UNITS[Response]
        + safety
        + ~waits * WEIGHTS[Timing.DUE]
        + exhausted * WEIGHTS[TherapeuticTrial.EXHAUSTED]
        + np.where(treated, position, WEIGHTS[Position.NONE])
    )
    masks = arrays.events
    pregnant = ((ongoing & masks.pregnancy) != 0) & ((state.ongoing & masks.pregnancy) == 0)
    pregnant &= (ongoing & masks.pregnancy & masks.stops) != 0
    same_day = visit.findings.same_day | visit.findings.new_stop | pregnant
    same_day |= (ongoing & masks.same_day) != 0
    unadvised = (visit.taken >= 0) & ~is_on_treatment(state.treatment.phase)
    on_ladder = dosages.level.take(np.maximum(visit.taken, 0)) >= 0
    unadvised &= ~(state.previous.handed_over & on_ladder)
    return Observation(
        situation,
        treatment._replace(nadir=nadir),
        ongoing,
        count_from,
        gain_on,
        ceiling,
        due_on,
        missing,
        two_tests,
        same_day,
        unadvised,
    )


def update_findings(
    arrays: ProtocolArrays, effects: EventEffects, state: State, visit: Visits
) -> tuple[Ints, Ints]:
    """Return the events that count from this visit on, and from when on pregnancy tests do."""
    kept = state.ongoing & effects.keeps[visit.events]
    adds = effects.adds[visit.events, state.baseline.neuropathy + 1]
    positive = visit.findings.positive_test * arrays.events.positive_test
    voids = (effects.voids[visit.events] & ~kept) != 0
    return kept | adds | positive, np.where(voids, visit.day, state.tests_count_from)


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
    scores = ((phase * SCORES + visit.activity) * SCORES + baseline) * SCORES + nadir
    # Off treatment a judgement of worse counts only with enough activity for a relapse.
    relapse = (phase == Phase.OFF_TREATMENT.rank) & (visit.judged == JudgedResponse.WORSE.rank + 1)
    too_low = relapse & (visit.activity < arrays.protocol.response.worse_points.value)
    judged = visit.judged * ~too_low
    response: Ints = arrays.judged[phase, judged, arrays.responses.take(scores)]
    return response


def safety_of(arrays: ProtocolArrays, ongoing: Ints, findings: Findings, unknown: Flags) -> Ints:
    """Return the weight of the first of stop, interrupt, not assessed, caution and acceptable."""
    masks = arrays.events
    stops, interrupts = (ongoing & masks.stops) != 0, (ongoing & masks.interrupts) != 0
    worst = np.where(stops, 3, np.where(interrupts, 2, (ongoing & masks.cautions) != 0))
    return arrays.safeties[(worst * 2 + unknown) * 32 + findings.results]


def needs_two_tests(protocol: Protocol, treatment: Treatment, day: Ints) -> Flags:
    """Return whether the two pregnancy tests of a start are required on this day."""
    anew = tests_begin_anew(protocol, treatment.no_drug_since, day)
    off = (treatment.level < 0) | (treatment.phase == Phase.OFF_TREATMENT.rank)
    two: Flags = np.where(treatment.phase == Phase.INTERRUPTED.rank, anew, off)
    return two


def _tests_missing(
    protocol: Protocol,
    tests: NegativeTests,
    treatment: Treatment,
    visit: Visits,
    count_from: Ints,
    two_tests: Flags,
) -> Ints:
    """Return why a pregnancy test that is required is missing, 0 where none is."""
    safety, day, findings = protocol.safety, visit.day, visit.findings
    newest = findings.negative_test * (findings.negative_test >= count_from)
    early = treatment.tests_from >= first_within(safety.tests_early.value, day)
    oldest_fresh = np.where(
        findings.regular,
        first_within(safety.test_age.value, day),
        first_within(safety.test_age_irregular.value, day),
    )
    oldest_fresh = np.where(early, first_within(safety.test_age_early.value, day), oldest_fresh)
    second = first_within(safety.second_test_age.value, day)
    stale = missing_reason(newest < np.where(two_tests, second, oldest_fresh), newest)
    # Two tests come before a start: a first one that was never done is absent, not stale.
    earliest, latest = safety.first_test.value
    first = tests.oldest(visit.row, np.maximum(first_within(latest, day), count_from))
    no_first = two_tests & ((first == 0) | (after(earliest, first) > day))
    required = findings.tested & (treatment.phase != Phase.DISCONTINUED.rank)
    missing: Ints = np.where(stale > 0, stale, no_first) * required
    return missing


def _missing_fields(
    arrays: ProtocolArrays,
    treatment: Treatment,
    ongoing: Ints,
    visit: Visits,
    untested: Ints,
    response: Ints,
) -> Ints:
    """Return which fields are missing or too old, and why."""
    safety, masks, findings = arrays.protocol.safety, arrays.events, visit.findings
    watched = treatment.watched_from >= first_within(safety.counts_early.value, visit.day)
    not_asked = (visit.events == NOT_ASKED) & ((ongoing & masks.reported_dangers) == 0)
    return np.stack(
        [
            not_asked,
            untested * ((ongoing & masks.pregnancy) == 0),
            np.where(watched, findings.neutrophils_early, findings.neutrophils),
            np.where(watched, findings.platelets_early, findings.platelets),
            findings.creatinine_clearance,
            response == Response.NOT_ASSESSED.rank,
        ],
        dtype=np.int8,
    )


# After a decision


def visit_window(
    protocol: Protocol,
    tests: NegativeTests,
    state: State,
    visit: Visits,
    seen: Observation,
    advice: AdviceArrays,
) -> Ints:
    """Return the earliest days, the days due and the latest days of next visits, 0 for never."""
    day, intervals = visit.day, protocol.intervals
    soon = seen.same_day | seen.unadvised | (advice.follow_up == FollowUp.SOON.rank)
    follow_up = np.where(soon, FollowUp.SOON.rank, advice.follow_up)
    due = follow_up_dates(protocol, state, seen, follow_up, day)
    earliest = np.where(soon, day + 1, due)
    latest = np.where(soon | (due == 0), due, after(intervals.late_after.value, due))
    awaits = advice.asks & (seen.missing[1] > 0) & seen.two_tests
    awaits &= ~(seen.same_day | seen.unadvised)
    rows = np.flatnonzero(awaits)
    if len(rows):
        begins, ends = protocol.safety.first_test.value
        since = np.maximum(first_within(ends, day[rows] + 1), seen.tests_count_from[rows])
        first = tests.oldest(visit.row[rows], since)
        first = np.where(first > 0, first, day[rows])
        earliest[rows] = np.maximum(after(begins, first), day[rows] + 1)
        due[rows] = latest[rows] = after(ends, first)
    paused_on = seen.treatment.interrupted_on
    paused_on = np.where(advice.interrupts | (paused_on == 0), day, paused_on)
    last = after(intervals.resumable.value, paused_on)
    bounded = (advice.phase_after == Phase.INTERRUPTED.rank) & (last > day)
    due, latest = (np.where(bounded, np.minimum(days, last), days) for days in (due, latest))
    return np.stack([earliest, due, latest])


def follow_up_dates(
    protocol: Protocol, state: State, seen: Observation, follow_up: Ints, day: Ints
) -> Ints:
    """Return the days of next visits, 0 for never."""
    intervals = protocol.intervals
    due = np.where(follow_up == FollowUp.WHEN_DUE.rank, seen.due_on, 0)
    for kind, interval in (
        (FollowUp.SOON, intervals.soon),
        (FollowUp.TAPER_STEP, intervals.taper_step),
        (FollowUp.REVIEW, intervals.review),
        (FollowUp.FIRST_ASSESSMENT, intervals.first_assessment),
    ):
        rows = np.flatnonzero(follow_up == kind.rank)
        due[rows] = after(interval.value, day[rows])
    rows = np.flatnonzero(follow_up == FollowUp.AFTER_DISCONTINUATION.rank)
    ended_on = seen.treatment.ended_on[rows]
    ended_on = np.where(ended_on > 0, ended_on, day[rows])
    end = after(intervals.after_discontinuation.value, ended_on)
    due[rows] = end * (end > day[rows])
    rows = np.flatnonzero(follow_up == FollowUp.SURVEILLANCE.rank)
    finished_on = np.where(state.finished_on[rows] > 0, state.finished_on[rows], day[rows])
    for planned_after in reversed(intervals.surveillance.value):
        planned = after(planned_after, finished_on)
        due[rows] = np.where(planned > day[rows], planned, due[rows])
    return due


def apply(
    arrays: ProtocolArrays,
    effects: EventEffects,
    state: State,
    visit: Visits,
    seen: Observation,
    advice: AdviceArrays,
    latest: Ints,
) -> State:
    """Return the state after a decision, assuming the advice is followed."""
    day, now, before = visit.day, seen.treatment, state.baseline
    starts, restarts = advice.starts, advice.new_interval | advice.interrupts
    no_drug_since = np.where(now.no_drug_since > 0, now.no_drug_since, day)
    interrupted_on = np.where(advice.interrupts, day, now.interrupted_on)
    without_drug = (advice.level < 0) & is_treated(advice.phase_after)
    anew = tests_begin_anew(arrays.protocol, now.no_drug_since, day)
    treatment = Treatment(
        phase=advice.phase_after,
        level=np.where(advice.new_level, advice.level, now.level),
        since=np.where(advice.new_since, day, now.since),
        interval_from=np.where(advice.new_interval, day, now.interval_from),
        watched_from=np.where(advice.new_watch, day, now.watched_from),
        tests_from=np.where(starts | (advice.resumes & anew), day, now.tests_from),
        reviewed=advice.reviews | (now.reviewed & ~restarts),
        days_missed=now.days_missed * ~restarts,
        off_ladder=np.where(restarts, -1, now.off_ladder),
        nadir=np.where(advice.new_nadir, visit.activity, now.nadir),
        no_drug_since=no_drug_since * without_drug,
        interrupted_on=interrupted_on * (advice.phase_after == Phase.INTERRUPTED.rank),
        ended_on=np.where(advice.ends, day, now.ended_on) * ~starts,
    )
    limited = advice.limits_dose & dose_limiting_causes(arrays, seen, visit)
    ceiling = np.where(limited, np.minimum(state.ceiling, now.level - 1), state.ceiling)
    waits = advice.asks & (advice.phase_after == Phase.INTERRUPTED.rank)
    handed_over = advice.hands_over | (waits & state.previous.handed_over)
    relapse = advice.new_baseline & ~starts
    return State(
        treatment,
        ceiling=ceiling,
        ongoing=seen.ongoing,
        baseline=Baseline(
            np.where(advice.new_baseline, day, before.on),
            np.where(advice.new_baseline, visit.activity, before.activity),
            np.where(starts, effects.neuropathy[visit.events], before.neuropathy),
        ),
        gain_on=np.where(advice.new_baseline, day, seen.gain_on),
        finished_on=np.where(advice.finishes, day, state.finished_on) * ~starts,
        tests_count_from=seen.tests_count_from,
        previous=PreviousVisit(
            day,
            visit.activity,
            advice.level,
            latest,
            handed_over & (np.minimum(ceiling, seen.ceiling) >= 0),
            now._replace(
                level=np.where(starts, -1, now.level),
                nadir=np.where(relapse, treatment.nadir, now.nadir),
            ),
        ),
    )


def dose_limiting_causes(arrays: ProtocolArrays, seen: Observation, visit: Visits) -> Flags:
    """Return whether a count or an event is one for which the level is not given again."""
    limits: Flags = visit.findings.count_danger | ((seen.ongoing & arrays.events.limits_dose) != 0)
    return limits
