"""Test decisions on counts, clearance, adverse events and pregnancy tests, patient by patient."""

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.support.patients import (
    FERTILE,
    PROTOCOL,
    clearance,
    count,
    day,
    event,
    negative,
    rules,
    seen,
    took,
    walk,
)

from lenadose import (
    Patient,
)
from lenadose.engine.observe import MissingReason
from lenadose.record.visit import PregnancyTest, TestResult
from lenadose.terms.facts import Phase, Safety

LOWEST, FIVE, TEN = PROTOCOL.ladder.levels
POSITIVE = PregnancyTest(TestResult.POSITIVE)


# Ceiling


@pytest.mark.parametrize(
    ("value", "rule", "level"),
    [
        (29, "interrupt-for-harm", None),
        (30, "persist", FIVE),
        (59, "persist", FIVE),
        (60, "escalate", TEN),
    ],
)
def test_clearance_below_60_caps_the_dose_and_below_30_interrupts(
    value: int, rule: str, level: object
) -> None:
    decision = walk([seen(0, 11), seen(28, 11, creatinine_clearance=clearance(value))])[-1]
    assert (decision.rule.id, decision.level) == (rule, level)


def test_a_fallen_clearance_brings_the_dose_down_and_a_risen_one_lets_it_rise() -> None:
    visits = [
        seen(0, 11),
        seen(28, 11),
        seen(40, 11, creatinine_clearance=clearance(45)),
        seen(68, 11),
        seen(70, 11),
    ]
    visits[3] = seen(68, 11, creatinine_clearance=clearance(70))
    decisions = walk(visits)
    assert [each.rule.id for each in decisions[2:4]] == ["lower-to-ceiling", "escalate"]
    assert decisions[2].dosage == FIVE.dosage
    assert decisions[2].phase_after is Phase.TITRATION


def test_coming_down_two_levels_to_a_ceiling_is_one_decision() -> None:
    low = {"neutrophils": count(0.9)}
    visits = [seen(0, 11), seen(7, 11, **low), seen(14, 11, **low), seen(50, 11)]
    decisions = walk([*visits, seen(57, 11, dosage_taken=took(10))])
    assert [each.rule.id for each in decisions[3:]] == ["interruption-too-long", "lower-to-ceiling"]
    assert decisions[-1].dosage == LOWEST.dosage


def test_a_low_clearance_or_an_evaluation_is_no_harm() -> None:
    for trouble, over in (
        ({"creatinine_clearance": clearance(20)}, {}),
        (
            {"adverse_events": (event("missed period"),)},
            {"adverse_events": (event("Missed Period ", resolved=True),)},
        ),
    ):
        decision = walk([seen(0, 11), seen(7, 11, **trouble), seen(14, 11, **over)])[-1]
        assert (decision.rule.id, decision.dosage) == ("resume", FIVE.dosage)
        assert decision.seen.before.limiting_events == ()


def test_a_second_course_starts_at_most_at_the_ceiling_that_harm_left() -> None:
    visits = [
        seen(0, 11),
        seen(7, 11, platelets=count(49)),
        seen(14, 11),
        seen(42, 0),
        seen(56, 9),
    ]
    decisions = walk(visits)
    assert [each.rule.id for each in decisions[1:]] == [
        "interrupt-for-harm",
        "resume",
        "taper-end",
        "relapse-off-drug",
    ]
    assert decisions[-1].dosage == LOWEST.dosage


# Safety


@pytest.mark.parametrize(
    ("field", "value", "safety"),
    [
        ("neutrophils", "0.999", Safety.INTERRUPT),
        ("neutrophils", "1.0", Safety.CAUTION),
        ("neutrophils", "1.499", Safety.CAUTION),
        ("neutrophils", "1.5", Safety.ACCEPTABLE),
        ("platelets", "49.9", Safety.INTERRUPT),
        ("platelets", "50", Safety.CAUTION),
        ("platelets", "74.9", Safety.CAUTION),
        ("platelets", "75", Safety.ACCEPTABLE),
        ("creatinine_clearance", "29.9", Safety.INTERRUPT),
        ("creatinine_clearance", "30", Safety.ACCEPTABLE),
    ],
)
def test_the_edges_of_the_results(field: str, value: str, safety: Safety) -> None:
    given = clearance(Decimal(value)) if field == "creatinine_clearance" else count(Decimal(value))
    assert walk([seen(0, 11, **{field: given})])[-1].facts.safety is safety


@pytest.mark.parametrize(
    ("reported", "safety"),
    [
        (event("insomnia", 1), Safety.ACCEPTABLE),
        (event("insomnia", 2), Safety.CAUTION),
        (event("insomnia", 3), Safety.INTERRUPT),
        (event("insomnia", 4), Safety.STOP),
        (event("insomnia", 5), Safety.STOP),
        (event(" RASH ", 2), Safety.CAUTION),
        (event("rash", 3), Safety.INTERRUPT),
        (event("rash", 4), Safety.STOP),
        (event("bullous rash"), Safety.STOP),
        (event("angioedema", 1), Safety.STOP),
        (event("venous thromboembolism"), Safety.STOP),
        (event("pregnancy"), Safety.STOP),
        (event("febrile neutropenia"), Safety.INTERRUPT),
        (event("febrile neutropenia", 4), Safety.STOP),
        (event("missed period"), Safety.INTERRUPT),
        (event("missed period", resolved=True), Safety.ACCEPTABLE),
        (event("abnormal vaginal bleeding"), Safety.INTERRUPT),
        (event("systemic lupus flare"), Safety.INTERRUPT),
        (event("peripheral sensory neuropathy", 1), Safety.ACCEPTABLE),
        (event("peripheral sensory neuropathy", 2), Safety.INTERRUPT),
    ],
)
def test_what_an_event_on_treatment_means(reported, safety: Safety) -> None:
    assert walk([seen(0, 11), seen(7, 11, adverse_events=(reported,))])[-1].facts.safety is safety


@pytest.mark.parametrize(("on", "rule"), [(12, "resume"), (47, "interruption-too-long")])
def test_a_suspected_thromboembolism_interrupts_until_it_is_excluded(on: int, rule: str) -> None:
    term = "suspected thromboembolism"
    suspected = [seen(0, 11), seen(7, 11, adverse_events=(event(term),))]
    reported = walk(suspected)[-1]
    assert (reported.rule.id, reported.dosage) == ("interrupt-for-harm", None)
    assert rules([*suspected, seen(9, 11)])[-1] == "remain-interrupted"
    excluded = walk([*suspected, seen(on, 11, adverse_events=(event(term, resolved=True),))])[-1]
    assert excluded.rule.id == rule
    assert excluded.seen.before.limiting_events == ()
    assert excluded.seen.ceiling == TEN


def test_a_suspicion_that_proves_true_ends_treatment() -> None:
    visits = [
        seen(0, 11),
        seen(7, 11, adverse_events=(event("suspected thromboembolism"),)),
        seen(9, 11, adverse_events=(event("venous thromboembolism"),)),
    ]
    assert rules(visits)[-1] == "stop-for-harm"


@pytest.mark.parametrize(
    "term",
    [
        "alanine aminotransferase increased",
        "aspartate aminotransferase increased",
        "blood bilirubin increased",
    ],
)
def test_liver_enzymes_and_bilirubin_interrupt_from_grade_2_and_lower_the_ceiling(
    term: str,
) -> None:
    assert rules([seen(0, 11), seen(7, 11, adverse_events=(event(term, 1),))])[-1] == (
        "await-assessment"
    )
    decisions = walk([seen(0, 11), seen(7, 11, adverse_events=(event(term, 2),)), seen(14, 11)])
    assert [each.rule.id for each in decisions[1:]] == ["interrupt-for-harm", "resume"]
    assert decisions[-1].dosage == LOWEST.dosage


def test_a_neuropathy_that_was_there_at_the_start_is_only_a_caution() -> None:
    old = (event("peripheral sensory neuropathy", 2),)
    decisions = walk([seen(0, 11, adverse_events=old), seen(7, 11, adverse_events=old)])
    assert [each.facts.safety for each in decisions] == [Safety.CAUTION, Safety.CAUTION]


@pytest.mark.parametrize(("age", "known"), [(7, True), (8, False)])
@pytest.mark.parametrize("on", [10, 56])
def test_a_count_is_good_for_a_week_in_the_first_eight_weeks(
    on: int, age: int, known: bool
) -> None:
    visits = [seen(0, 11), seen(on, 5, neutrophils=count(3, day(on - age)), doses_missed=0)]
    assert (walk(visits)[-1].facts.safety is Safety.ACCEPTABLE) is known


@pytest.mark.parametrize(("age", "known"), [(28, True), (29, False)])
def test_a_count_is_good_for_four_weeks_afterwards_and_before_a_start(
    age: int, known: bool
) -> None:
    old = count(240, day(57 - age))
    decision = walk([seen(0, 11), seen(57, 5, platelets=old, doses_missed=0)])[-1]
    assert (decision.facts.safety is Safety.ACCEPTABLE) is known
    before = walk([seen(0, 11, platelets=count(240, day(-age)))])[-1]
    assert (before.rule.id == "start") is known


@pytest.mark.parametrize("again", ["rise", "resumption"])
def test_after_a_rise_or_a_resumption_counts_are_weekly_again(again: str) -> None:
    visits = [seen(0, 11), seen(28, 5), seen(56, 5), seen(84, 5)]
    if again == "rise":
        visits.append(seen(112, 11))
    else:
        visits += [seen(100, 5, adverse_events=(event("missed period"),))]
        visits += [seen(112, 5, adverse_events=(event("missed period", resolved=True),))]
    assert (
        walk([*visits, seen(130, 5, neutrophils=count(3, day(122)))])[-1].facts.safety
        is Safety.NOT_ASSESSED
    )


def test_a_clearance_is_good_for_six_calendar_months() -> None:
    visits = [seen(0, 11, creatinine_clearance=clearance(95, date(2025, 8, 31)))]
    again = seen(54, 5, creatinine_clearance=None, doses_missed=0)
    assert again.date == date(2026, 2, 28)
    assert rules([*visits, again])[-1] == "sustain"
    late = walk([*visits, evolve(again, date=date(2026, 3, 1))])[-1]
    assert [(gap.field, gap.why) for gap in late.missing] == [
        ("creatinine_clearance", MissingReason.STALE)
    ]


def test_a_dangerous_result_counts_until_a_newer_one_and_is_not_missing() -> None:
    low = [seen(0, 11), seen(7, 11, neutrophils=count(0.9), creatinine_clearance=clearance(20))]
    bare = walk([*low, seen(100, 11, neutrophils=None, creatinine_clearance=None)])[-1]
    assert bare.rule.id == "remain-interrupted"
    assert bare.missing == ()
    older = walk([*low, seen(100, 11, neutrophils=count(3, day(6)))])[-1]
    assert older.facts.safety is Safety.INTERRUPT


def test_of_two_counts_on_one_day_the_lower_one_counts() -> None:
    for first, then in (("0.9", "3"), ("3", "0.9")):
        visits = [seen(0, 11, neutrophils=count(Decimal(first)))]
        again = seen(1, 11, neutrophils=count(Decimal(then), day(0)))
        assert walk([*visits, again])[-1].facts.safety is Safety.INTERRUPT


def test_a_grave_event_counts_until_a_newer_list() -> None:
    ill = [seen(0, 11), seen(7, 11, adverse_events=(event("insomnia", 3), event("fatigue", 2)))]
    silent = walk([*ill, seen(14, 11, adverse_events=None)])[-1]
    assert (silent.rule.id, silent.missing) == ("remain-interrupted", ())
    assert rules([*ill, seen(14, 11, adverse_events=())])[-1] == "resume"


def test_a_moderate_event_does_not_answer_for_the_next_visit() -> None:
    decision = walk(
        [
            seen(0, 11),
            seen(7, 11, adverse_events=(event("fatigue", 2),)),
            seen(14, 11, adverse_events=None),
        ]
    )[-1]
    assert decision.rule.id == "ask-safety"


def test_each_open_question_is_closed_by_its_own_resolution() -> None:
    both = (event("missed period"), event("abnormal vaginal bleeding"))
    one = (event("missed period", resolved=True),)
    visits = [seen(0, 11), seen(7, 11, adverse_events=both), seen(10, 11, adverse_events=one)]
    assert rules(visits)[-1] == "remain-interrupted"
    over = (event("abnormal vaginal bleeding", resolved=True),)
    assert rules([*visits, seen(12, 11, adverse_events=over)])[-1] == "resume"


def test_a_thrombosis_before_the_start_is_remembered() -> None:
    visits = [
        seen(0, 11, adverse_events=(event("venous thromboembolism"),)),
        seen(30, 11),
        seen(60, 11, adverse_events=None),
    ]
    assert rules(visits) == ["unfit-to-start"] * 3


# Pregnancy tests


@pytest.mark.parametrize(
    ("first", "second", "starts"),
    [
        (-9, 0, False),
        (-10, 0, True),
        (-14, 0, True),
        (-15, 0, False),
        (-12, -1, True),
        (-12, -2, False),
    ],
)
def test_a_start_needs_two_negative_tests(first: int, second: int, starts: bool) -> None:
    decision = walk([seen(0, 11, pregnancy_tests=negative(first, second))], FERTILE)[-1]
    assert (decision.rule.id == "start") is starts


@pytest.mark.parametrize(
    ("regular", "on", "age", "known"),
    [
        (True, 28, 7, True),
        (True, 28, 8, False),
        (True, 29, 8, True),
        (True, 57, 28, True),
        (True, 57, 29, False),
        (False, 57, 14, True),
        (False, 57, 15, False),
        (None, 57, 15, False),
    ],
)
def test_tests_are_weekly_to_day_28_then_every_four_or_two_weeks(
    regular: bool | None, on: int, age: int, known: bool
) -> None:
    patient = Patient(regular_cycles=regular)
    visits = [
        seen(0, 11, pregnancy_tests=negative(-12, 0)),
        seen(on, 5, pregnancy_tests=negative(on - age), doses_missed=0),
    ]
    decision = walk(visits, patient)[-1]
    assert ("pregnancy_tests" not in [gap.field for gap in decision.missing]) is known


def test_tests_reported_out_of_order_are_put_in_order() -> None:
    early = seen(0, None, pregnancy_tests=negative(0))
    assert rules([early, seen(1, 11, pregnancy_tests=negative(-11, 0, 1))], FERTILE)[-1] == "start"


def test_a_positive_test_counts_until_its_end_is_reported() -> None:
    visits = [
        seen(0, 11, pregnancy_tests=(POSITIVE,)),
        seen(20, 11, pregnancy_tests=negative(10, 20)),
    ]
    assert rules(visits, FERTILE) == ["unfit-to-start", "unfit-to-start"]
    over = seen(
        40,
        11,
        pregnancy_tests=negative(28, 40),
        adverse_events=(event("pregnancy", resolved=True),),
    )
    assert rules([*visits, over], FERTILE)[-1] == "start"


def test_a_pregnancy_reported_ended_ends_the_tests_before_that_day_only() -> None:
    ended = (event("pregnancy", resolved=True),)
    old = PregnancyTest(TestResult.POSITIVE, day(10))
    visits = [seen(0, 11, pregnancy_tests=negative(0))]
    assert (
        rules([*visits, seen(20, 11, pregnancy_tests=(old,), adverse_events=ended)], FERTILE)[-1]
        == "ask-before-start"
    )
    assert (
        rules([*visits, seen(20, 11, pregnancy_tests=(POSITIVE,), adverse_events=ended)], FERTILE)[
            -1
        ]
        == "unfit-to-start"
    )


def test_a_positive_test_from_before_the_reported_end_no_longer_counts() -> None:
    ended = (event("pregnancy", resolved=True),)
    visits = [
        seen(0, 11, pregnancy_tests=(POSITIVE,)),
        seen(31, 11, pregnancy_tests=negative(19, 31), adverse_events=ended),
        seen(33, 11, pregnancy_tests=(PregnancyTest(TestResult.POSITIVE, day(15)), *negative(33))),
    ]
    assert rules(visits, FERTILE) == ["unfit-to-start", "start", "await-assessment"]


def test_a_pregnancy_on_treatment_ends_it_even_where_none_was_thought_possible() -> None:
    assert rules([seen(0, 11), seen(7, 11, pregnancy_tests=(POSITIVE,))])[-1] == "stop-for-harm"


def test_a_missed_period_ends_the_tests_from_before_it() -> None:
    over = (event("missed period", resolved=True),)
    missed = (event("missed period"),)
    start = seen(0, 11, pregnancy_tests=negative(-12, 0))

    def resumed(at_report: tuple[int, ...], after: tuple[int, ...]) -> str:
        reported = seen(20, 11, adverse_events=missed, pregnancy_tests=negative(*at_report))
        back = seen(22, 11, adverse_events=over, pregnancy_tests=negative(*after))
        return rules([start, reported, back], FERTILE)[-1]

    assert resumed((19,), ()) == "ask-before-resuming"
    assert resumed((19,), (18, 19)) == "ask-before-resuming"
    assert resumed((20,), ()) == "resume"
    assert resumed((19,), (21,)) == "resume"


def test_abnormal_bleeding_ends_the_tests_before_a_start_too() -> None:
    bleeding = (event("abnormal vaginal bleeding"),)
    over = (event("abnormal vaginal bleeding", resolved=True),)
    visits = [
        seen(0, 11, pregnancy_tests=negative(-4), adverse_events=bleeding),
        seen(6, 11, pregnancy_tests=negative(6), adverse_events=over),
        seen(12, 11, pregnancy_tests=negative(12)),
        seen(16, 11, pregnancy_tests=negative(16)),
    ]
    assert rules(visits, FERTILE) == ["unfit-to-start", *["ask-before-start"] * 2, "start"]


def test_a_missed_period_that_goes_on_ends_no_newer_test() -> None:
    missed = (event("missed period"),)
    visits = [
        seen(0, 11, pregnancy_tests=negative(-12, 0)),
        seen(20, 11, adverse_events=missed, pregnancy_tests=negative(20)),
        seen(24, 11, adverse_events=missed),
        seen(26, 11, adverse_events=(event("missed period", resolved=True),)),
    ]
    assert rules(visits, FERTILE)[-1] == "resume"
