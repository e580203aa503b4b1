"""What version 2.0.0 of the sheet decides, told as patients, on both sides of each boundary."""

from datetime import date
from typing import Any

import pytest
from attrs import evolve
from tests.support.patients import (
    FERTILE,
    STERILE,
    clearance,
    count,
    day,
    event,
    judged,
    negative,
    rules,
    seen,
    took,
    walk,
)

from lenadose import CallError, Decision, Visit
from lenadose.engine.machine import apply
from lenadose.record.visit import PregnancyTest, TestResult
from lenadose.terms.facts import Phase, Response

UNASKED: dict[str, Any] = {"adverse_events": None}
SUSPECTED = (event("suspected thromboembolism"),)
EXCLUDED = (event("suspected thromboembolism", resolved=True),)
MISSED = (event("missed period"),)
OVER = (event("missed period", resolved=True),)
POSITIVE = (PregnancyTest(TestResult.POSITIVE),)


def window(decision: Decision) -> tuple[date, date, date] | None:
    visit = decision.next_visit
    return None if visit is None else (visit.earliest, visit.due, visit.latest)


def days(*numbers: int) -> tuple[date, ...]:
    return tuple(map(day, numbers))


# Scores


@pytest.mark.parametrize(("score", "rule"), [(3, "too-mild-to-start"), (4, "start")])
def test_a_score_below_4_is_too_mild_to_start(score: int, rule: str) -> None:
    assert rules([seen(0, score)]) == [rule]


def test_a_mild_score_asks_for_no_safety_data_and_a_danger_goes_before_it() -> None:
    decision = walk([seen(0, 3, **UNASKED)])[-1]
    assert decision.rule.id == "too-mild-to-start"
    assert len(decision.possible_actions) == 1
    assert rules([seen(0, 3, neutrophils=count(0.9))]) == ["unfit-to-start"]
    assert rules([seen(0, 3, judgement=judged("worse"))]) == ["too-mild-to-start"]


@pytest.mark.parametrize(("score", "rule"), [(3, "sustain"), (4, "escalate")])
def test_at_a_due_visit_a_score_below_4_is_a_partial_response(score: int, rule: str) -> None:
    assert rules([seen(0, 5), seen(28, score)])[-1] == rule


@pytest.mark.parametrize(
    ("score", "word", "rule"),
    [
        (1, None, "await-month"),
        (2, None, "await-month"),
        (3, None, "await-month"),
        (4, None, "relapse-in-taper"),
        (1, "worse", "relapse-in-taper"),
        (3, "worse", "relapse-in-taper"),
        (4, "improved", "await-month"),
        (None, "worse", "ask-relapse"),
        (None, "improved", "await-month"),
    ],
)
def test_a_rise_in_taper(score: int | None, word: str | None, rule: str) -> None:
    judgement = judged(word) if word else None
    assert rules([seen(0, 11), seen(28, 0), seen(40, score, judgement=judgement)])[-1] == rule


@pytest.mark.parametrize(
    ("score", "word", "rule"),
    [
        (1, None, "surveillance"),
        (2, None, "surveillance"),
        (3, None, "surveillance"),
        (4, None, "relapse-off-drug"),
        (3, "worse", "surveillance"),
        (4, "worse", "relapse-off-drug"),
        (4, "improved", "surveillance"),
        (None, "worse", "ask-before-restart"),
        (None, "not improved", "surveillance"),
    ],
)
def test_a_rise_off_treatment(score: int | None, word: str | None, rule: str) -> None:
    judgement = judged(word) if word else None
    visits = [seen(0, 11), seen(28, 0), seen(56, 0), seen(70, score, judgement=judgement)]
    assert rules(visits)[-1] == rule


def test_a_relapse_in_taper_is_the_new_baseline() -> None:
    relapse = [seen(0, 11), seen(28, 0), seen(40, 7)]
    decision = walk(relapse)[-1]
    assert (decision.rule.id, str(decision.dosage)) == ("relapse-in-taper", "5 mg once daily")
    state = apply(decision)
    assert state.baseline is not None
    assert (state.baseline.on, state.baseline.activity) == (day(40), 7)
    # Against the old baseline of 11 the same score would be called a partial response.
    later = walk([*relapse, seen(68, 7)])[-1]
    assert (later.facts.response, later.rule.id) == (Response.NONE, "escalate")
    assert walk([*relapse, seen(68, 3)])[-1].rule.id == "sustain"
    # The trial of therapy begins with the relapse: it ends 12 weeks later, on day 124.
    top = [*relapse, seen(68, 7)]
    assert walk([*top, seen(123, 7, doses_missed=0)])[-1].rule.id == "persist"
    assert walk([*top, seen(124, 7, doses_missed=0)])[-1].rule.id == "no-benefit"


def test_a_relapse_is_the_baseline_even_if_its_rise_was_not_taken() -> None:
    kept = seen(68, 7, dosage_taken=took(5, 2))
    decision = walk([seen(0, 11), seen(28, 0), seen(40, 7), kept])[-1]
    assert decision.facts.response is Response.NONE
    assert decision.seen.treatment.nadir is not None
    assert decision.seen.treatment.nadir.activity == 7


def test_without_benefit_and_with_caution_below_the_top_the_prescriber_decides() -> None:
    tired = (event("fatigue", 2),)
    visits = [
        seen(0, 11),
        *(seen(28 * n, 11, adverse_events=tired, doses_missed=0) for n in (1, 2)),
    ]
    assert rules([*visits, seen(83, 11, adverse_events=tired, doses_missed=0)])[-1] == (
        "await-assessment"
    )
    decision = walk([*visits, seen(84, 11, adverse_events=tired, doses_missed=0)])[-1]
    assert decision.rule.id == "no-benefit-not-to-raise"
    assert str(decision.dosage) == "5 mg once daily"


# Days without drug


@pytest.mark.parametrize(("after", "phase"), [(7, Phase.TITRATION), (8, Phase.INTERRUPTED)])
def test_more_than_7_days_after_a_decision_without_a_dosage_are_an_interruption(
    after: int, phase: Phase
) -> None:
    asked = [seen(0, 11), seen(14, 11, **UNASKED)]
    decision = walk([*asked, seen(14 + after, 11)])[-1]
    assert decision.facts.phase is phase
    assert decision.seen.treatment.no_drug_since == day(14)
    if phase is Phase.TITRATION:
        assert decision.seen.due_on == day(35)  # the 7 days are missed ones


def test_days_without_drug_in_a_row_add_up_over_questions() -> None:
    asked = [seen(0, 11), seen(14, 11, **UNASKED), seen(18, 11, **UNASKED)]
    assert walk([*asked, seen(21, 11)])[-1].facts.phase is Phase.TITRATION
    late = walk([*asked, seen(22, 11)])[-1]
    assert late.facts.phase is Phase.INTERRUPTED
    assert late.seen.treatment.no_drug_since == day(14)
    # A word about what was taken breaks the row.
    said = walk([*asked[:2], seen(18, 11, dosage_taken=took(5), **UNASKED), seen(25, 11)])[-1]
    assert said.facts.phase is Phase.TITRATION


@pytest.mark.parametrize(("on", "phase"), [(42, Phase.TITRATION), (43, Phase.INTERRUPTED)])
def test_a_visit_not_kept_is_an_interruption_after_7_days(on: int, phase: Phase) -> None:
    # Due on day 28, at the latest on day 35.
    silent = walk([seen(0, 11), seen(on, 11)])[-1]
    assert silent.facts.phase is phase
    assert silent.seen.treatment.no_drug_since == day(35)
    for word in ({"doses_missed": 0}, {"dosage_taken": took(5)}):
        assert walk([seen(0, 11), seen(on, 11, **word)])[-1].rule.id == "escalate"


def test_one_prescription_outlasts_a_visit_that_was_due_earlier() -> None:
    # With caution the next visit is due within 7 days; the supply lasts 28.
    tired = seen(7, 11, adverse_events=(event("fatigue", 2),))
    assert walk([seen(0, 11), tired, seen(42, 11)])[-1].facts.phase is Phase.TITRATION
    late = walk([seen(0, 11), tired, seen(43, 11)])[-1]
    assert late.facts.phase is Phase.INTERRUPTED
    assert late.seen.treatment.no_drug_since == day(35)


def test_after_half_a_year_of_silence_the_prescriber_decides() -> None:
    decision = walk([seen(0, 11), seen(183, 11)])[-1]
    assert (decision.rule.id, decision.dosage) == ("interruption-too-long", None)
    assert apply(decision).limiting_events == ()  # an absence is no harm


def test_the_interruption_by_silence_may_be_resumed_for_28_days() -> None:
    assert rules([seen(0, 11), seen(63, 11)])[-1] == "resume"
    assert rules([seen(0, 11), seen(64, 11)])[-1] == "interruption-too-long"


def test_off_the_ladder_silence_means_that_the_dosage_goes_on() -> None:
    off = [seen(0, 11), seen(14, 11, dosage_taken=took(7.5))]
    assert rules([*off, seen(60, 11)])[-1] == "dosage-off-ladder"


# Dangers


@pytest.mark.parametrize(("after", "rule"), [(5, "resume"), (40, "interruption-too-long")])
def test_a_suspicion_that_is_excluded(after: int, rule: str) -> None:
    visits = [seen(0, 11), seen(10, 11, adverse_events=SUSPECTED)]
    interrupted = walk(visits)[-1]
    assert (interrupted.rule.id, interrupted.next_visit and interrupted.next_visit.due) == (
        "interrupt-for-harm",
        day(17),
    )
    excluded = walk([*visits, seen(10 + after, 11, adverse_events=EXCLUDED)])[-1]
    assert excluded.rule.id == rule
    assert apply(excluded).limiting_events == ()  # a suspicion is no harm
    assert rules([*visits, seen(15, 11)])[-1] == "remain-interrupted"


@pytest.mark.parametrize(
    ("term", "grade", "rule"),
    [
        ("alanine aminotransferase increased", 1, "escalate"),
        ("alanine aminotransferase increased", 2, "interrupt-for-harm"),
        ("blood bilirubin increased", 2, "interrupt-for-harm"),
        ("fatigue", 2, "escalation-waits"),
    ],
)
def test_liver_enzymes_of_grade_2_interrupt(term: str, grade: int, rule: str) -> None:
    assert rules([seen(0, 11), seen(28, 11, adverse_events=(event(term, grade),))])[-1] == rule


IN_EVERY_PHASE: dict[str, list[Visit]] = {
    "before start": [],
    "titration": [seen(0, 11)],
    "taper": [seen(0, 11), seen(28, 0)],
    "interrupted": [seen(0, 11), seen(20, 11, creatinine_clearance=clearance(20))],
    "off treatment": [seen(0, 11), seen(28, 0), seen(56, 0)],
    "discontinued": [seen(0, 11), seen(28, 0, stopped="wish of the patient")],
}


@pytest.mark.parametrize("phase", IN_EVERY_PHASE)
@pytest.mark.parametrize(
    "danger",
    [
        {"adverse_events": (event("angioedema"),)},
        {"adverse_events": (event("sepsis", 4),)},
        {"adverse_events": SUSPECTED},
        {"adverse_events": (event("febrile neutropenia"),)},
        {"neutrophils": count(0.4)},
        {"pregnancy_tests": POSITIVE},
    ],
    ids=["stop", "grade 4", "suspicion", "fever", "count", "pregnancy"],
)
def test_a_danger_of_the_same_day_brings_the_next_visit_within_7_days(
    phase: str, danger: dict[str, Any]
) -> None:
    before = IN_EVERY_PHASE[phase]
    on = (before[-1].date - day(0)).days + 3 if before else 0
    decision = walk([*before, seen(on, 0, **danger)])[-1]
    assert decision.facts.phase.label == phase
    assert window(decision) == days(on + 1, on + 7, on + 7)


def test_a_danger_that_is_no_longer_new_does_not() -> None:
    visits = [seen(0, 11), seen(7, 11, adverse_events=(event("angioedema"),))]
    again = walk([*visits, seen(10, 11, adverse_events=(event("angioedema"),))])[-1]
    assert window(again) == days(35, 35, 42)
    another = walk([*visits, seen(10, 11, adverse_events=(event("anaphylaxis"),))])[-1]
    assert window(another) == days(11, 17, 17)
    positive = [seen(0, 11), seen(7, 11, pregnancy_tests=POSITIVE)]
    reported = walk([*positive, seen(10, 11, adverse_events=(event("pregnancy"),))])[-1]
    assert window(reported) == days(35, 35, 42)


# Pregnancy tests


def test_tests_from_before_a_missed_period_no_longer_count() -> None:
    start = seen(0, 11, pregnancy_tests=negative(-12, 0))
    missed = seen(5, 11, adverse_events=MISSED, pregnancy_tests=negative(4))
    older = [start, missed, seen(8, 11, adverse_events=OVER)]
    asked = walk(older, FERTILE)[-1]
    assert asked.rule.id == "ask-before-resuming"
    assert [gap.field for gap in asked.missing] == ["pregnancy_tests"]
    newer = [start, missed, seen(8, 11, adverse_events=OVER, pregnancy_tests=negative(5))]
    assert rules(newer, FERTILE)[-1] == "resume"
    # One from before, reported afterwards, does not count either.
    late = [start, missed, seen(8, 11, adverse_events=OVER, pregnancy_tests=negative(4))]
    assert rules(late, FERTILE)[-1] == "ask-before-resuming"


def test_after_28_days_without_drug_two_tests_and_weekly_ones_begin_anew() -> None:
    start = seen(0, 11, pregnancy_tests=negative(-12, 0))
    low = seen(40, 11, doses_missed=0, neutrophils=count(0.9), pregnancy_tests=negative(40))
    one, two = negative(68), negative(58, 69)
    assert rules([start, low, seen(68, 11, pregnancy_tests=one)], FERTILE)[-1] == "resume"
    alone = seen(69, 11, pregnancy_tests=negative(69))
    assert rules([start, low, alone], FERTILE)[-1] == "ask-before-resuming"
    both = [start, low, seen(69, 11, pregnancy_tests=two)]
    assert rules(both, FERTILE)[-1] == "interruption-too-long"
    # The prescriber resumes: tests are weekly again, as of that visit.
    resumed = seen(77, 11, dosage_taken=took(5))
    decision = walk([*both, resumed], FERTILE)[-1]
    assert [gap.field for gap in decision.missing] == ["pregnancy_tests"]
    tested = evolve(resumed, pregnancy_tests=negative(77))
    assert walk([*both, tested], FERTILE)[-1].missing == ()


# The next visit


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ((), (10, 14, 14)),  # the first of the two is taken today
        ((-5,), (5, 9, 9)),
        ((-9,), (1, 5, 5)),
        ((-10,), (1, 4, 4)),
        ((-13,), (1, 1, 1)),
        ((-14,), (10, 14, 14)),  # too old to be the first of the two at a later visit
        ((-15,), (10, 14, 14)),
        ((-15, -9, -5), (1, 5, 5)),  # the oldest that can still be the first
    ],
)
def test_the_next_visit_is_when_both_pregnancy_tests_can_have_been_done(
    tests: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    decision = walk([seen(0, 11, pregnancy_tests=negative(*tests))], FERTILE)[-1]
    assert decision.rule.id == "ask-before-start"
    assert window(decision) == days(*expected)


def test_without_tests_missing_a_question_before_a_start_waits_a_week() -> None:
    decision = walk([seen(0, 11, neutrophils=None)])[-1]
    assert window(decision) == days(1, 7, 7)


@pytest.mark.parametrize(
    ("after", "due"),
    [(20, 27), (21, 28), (25, 28), (27, 28), (28, 35), (29, 36)],
)
def test_in_an_interruption_the_next_visit_is_at_most_on_the_last_day_to_resume(
    after: int, due: int
) -> None:
    ill = (event("insomnia", 3),)
    visits = [seen(0, 11), seen(10, 11, adverse_events=ill)]
    decision = walk([*visits, seen(10 + after, 11, adverse_events=ill)])[-1]
    assert decision.rule.id == "remain-interrupted"
    assert window(decision) == days(11 + after, 10 + due, 10 + due)


def test_after_a_stop_the_visit_four_weeks_later_stays_planned_until_it_is_past() -> None:
    stopped = [seen(0, 11), seen(7, 11, adverse_events=(event("angioedema"),))]
    assert window(walk(stopped)[-1]) == days(8, 14, 14)
    for on, expected in ((14, (35, 35, 42)), (34, (35, 35, 42)), (35, None), (36, None)):
        decision = walk([*stopped, seen(on, 11)])[-1]
        assert window(decision) == (None if expected is None else days(*expected))
    no_benefit = walk([seen(0, 11), seen(28, 11), seen(56, 11), seen(84, 11)])[-1]
    assert window(no_benefit) == days(112, 112, 119)


# The patient ends treatment, or takes drug that was not advised


@pytest.mark.parametrize("phase", ["titration", "taper", "interrupted"])
def test_treatment_that_was_stopped_is_discontinued_at_that_visit(phase: str) -> None:
    before = IN_EVERY_PHASE[phase]
    on = (before[-1].date - day(0)).days + 3
    decision = walk([*before, seen(on, 11, stopped="wish of the patient")])[-1]
    assert (decision.rule.id, decision.dosage) == ("ended", None)
    assert decision.facts.phase is Phase.DISCONTINUED
    assert window(decision) == days(on + 28, on + 28, on + 35)
    assert walk([*before, decision.visit, seen(on + 28, 11)])[-1].next_visit is None


@pytest.mark.parametrize("phase", ["before start", "off treatment", "discontinued"])
def test_nothing_is_stopped_where_nothing_is_treated(phase: str) -> None:
    before = IN_EVERY_PHASE[phase]
    on = (before[-1].date - day(0)).days + 3 if before else 0
    with pytest.raises(CallError, match=r"^stopped: nothing is being treated; leave it out$"):
        walk([*before, seen(on, 11, stopped="wish of the patient")])


@pytest.mark.parametrize("phase", ["off treatment", "discontinued"])
def test_drug_taken_after_the_end_moves_the_end_of_pregnancy_prevention(phase: str) -> None:
    before = IN_EVERY_PHASE[phase]
    on = (before[-1].date - day(0)).days + 10
    taken = walk([*before, seen(on, 0, dosage_taken=took(5))])[-1]
    assert taken.facts.phase.label == phase
    assert window(taken) == days(on + 1, on + 7, on + 7)
    assert taken.seen.treatment.ended_on == day(on)
    if phase == "discontinued":
        after = walk([*before, taken.visit, seen(on + 7, 0)])[-1]
        assert window(after) == days(on + 28, on + 28, on + 35)


def test_the_prescribers_answer_counts_over_a_question_in_between() -> None:
    ill = seen(10, 11, adverse_events=(event("insomnia", 3),))
    handed_over = [seen(0, 11), ill, seen(40, 11)]
    asked = seen(45, 11, **UNASKED)
    assert rules([*handed_over, asked])[-2:] == ["interruption-too-long", "ask-before-resuming"]
    decision = walk([*handed_over, asked, seen(50, 11, dosage_taken=took(5))])[-1]
    assert decision.facts.phase is Phase.TITRATION
    assert decision.seen.treatment.dose is not None
    assert decision.seen.treatment.dose.interval_from == day(45)
    # A danger in between withdraws it: then drug that was taken was not advised.
    low = seen(45, 11, neutrophils=count(0.9))
    refused = walk([*handed_over, low, seen(50, 11, dosage_taken=took(5))])[-1]
    assert refused.facts.phase is Phase.INTERRUPTED


def test_the_patients_of_every_phase_stand_in_it() -> None:
    for phase, visits in IN_EVERY_PHASE.items():
        if visits:
            assert walk(visits, STERILE)[-1].phase_after.label == phase
