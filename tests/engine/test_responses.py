"""Test decisions on response, patient by patient: a mild start, improvement, relapse."""

import pytest
from tests.support.patients import (
    PROTOCOL,
    count,
    day,
    event,
    judged,
    rules,
    seen,
    took,
    walk,
)

from lenadose.terms.facts import Action, Phase, Response

FIVE = PROTOCOL.ladder.levels[1]
TAPERED = [seen(0, 20), seen(28, 0)]
FINISHED = [*TAPERED, seen(56, 0)]


@pytest.mark.parametrize(
    ("activity", "rule", "tested"),
    [
        (0, "nothing-to-treat", "ask-before-start"),
        (1, "too-mild-to-start", "too-mild-to-start"),
        (3, "too-mild-to-start", "too-mild-to-start"),
        (4, "start", "ask-before-start"),
    ],
)
def test_a_course_begins_at_a_score_of_4(activity: int, rule: str, tested: str) -> None:
    assert rules([seen(0, activity)]) == [rule]
    assert rules([seen(0, activity, neutrophils=None)]) == [tested]
    for word in ("improved", "not improved", "worse"):
        assert rules([seen(0, activity, judgement=judged(word))]) == [rule]
    assert rules([seen(0, activity, neutrophils=count(0.9))]) == ["unfit-to-start"]


def test_too_mild_a_score_is_left_to_the_prescriber_without_drug() -> None:
    decisions = walk([seen(0, 3), seen(7, 4)])
    assert decisions[0].action is Action.PRESCRIBER_DECIDES
    assert (decisions[0].dosage, decisions[0].phase_after) == (None, Phase.BEFORE_START)
    assert decisions[0].next_visit is not None
    assert decisions[0].next_visit.latest == day(7)
    assert decisions[1].action is Action.START


@pytest.mark.parametrize("start", [4, 5, 6, 7, 11])
def test_at_a_due_visit_a_score_below_4_is_sustained(start: int) -> None:
    assert [rules([seen(0, start), seen(28, activity)])[-1] for activity in (1, 3)] == [
        "sustain"
    ] * 2
    fallen = "sustain" if start >= 8 else "escalate"
    assert rules([seen(0, start), seen(28, 4)])[-1] == fallen


def test_no_rise_below_4_raises_the_dose_but_a_judgement_does() -> None:
    visits = [seen(0, 5), seen(14, 0)]
    assert rules([*visits, seen(28, 3)])[-1] == "sustain"
    assert rules([*visits, seen(28, 4)])[-1] == "escalate"
    assert rules([*visits, seen(28, 3, judgement=judged("not improved"))])[-1] == "escalate"


@pytest.mark.parametrize(
    ("activity", "judgement", "in_taper", "off_treatment"),
    [
        (1, None, "await-month", "surveillance"),
        (2, None, "await-month", "surveillance"),
        (3, None, "await-month", "surveillance"),
        (4, None, "relapse-in-taper", "relapse-off-drug"),
        (1, "worse", "relapse-in-taper", "surveillance"),
        (2, "worse", "relapse-in-taper", "surveillance"),
        (3, "worse", "relapse-in-taper", "surveillance"),
        (4, "worse", "relapse-in-taper", "relapse-off-drug"),
        (4, "not improved", "await-month", "surveillance"),
        (4, "improved", "await-month", "surveillance"),
        (None, "worse", "ask-relapse", "ask-before-restart"),
        (None, "not improved", "await-month", "surveillance"),
        (None, None, "ask-relapse", "ask-before-restart"),
        (0, "worse", "await-month", "surveillance"),
    ],
)
def test_a_rise_after_a_complete_response(
    activity: int | None, judgement: str | None, in_taper: str, off_treatment: str
) -> None:
    word = judged(judgement) if judgement else None
    assert rules([*TAPERED, seen(40, activity, judgement=word)])[-1] == in_taper
    assert rules([*FINISHED, seen(70, activity, judgement=word)])[-1] == off_treatment


def test_back_at_the_score_of_the_start_is_a_relapse_whatever_the_rise() -> None:
    tapered = [seen(0, 5), seen(28, 5), seen(56, 0), seen(60, 2)]
    raised = [*tapered, seen(64, 3, dosage_taken=took(10))]  # the lowest since the rise is 2
    assert rules([*raised, seen(68, 4)])[-1] == "await-month"
    assert rules([*raised, seen(68, 5)])[-1] == "relapse-not-to-raise"


def test_a_relapse_in_taper_is_the_new_baseline() -> None:
    decisions = walk([*TAPERED, seen(40, 7), seen(68, 7), seen(96, 3)])
    assert [each.rule.id for each in decisions[2:]] == ["relapse-in-taper", "escalate", "sustain"]
    relapse, after, later = decisions[2:]
    assert (relapse.dosage, relapse.phase_after) == (FIVE.dosage, Phase.TITRATION)
    assert after.facts.response is Response.NONE  # 7 of 20 would be a partial response
    assert after.seen.baseline is not None
    assert (after.seen.baseline.on, after.seen.baseline.activity) == (day(40), 7)
    assert later.facts.response is Response.PARTIAL


def test_a_relapse_in_taper_begins_the_trial_of_therapy_anew() -> None:
    visits = [*TAPERED, seen(40, 9), seen(68, 9), seen(96, 9)]
    decisions = walk([*visits, seen(123, 9), seen(124, 9)])
    assert [each.rule.id for each in decisions[3:]] == [
        "escalate",
        "persist",
        "await-assessment",
        "no-benefit",
    ]


def test_a_relapse_whose_rise_was_not_taken_is_the_new_baseline_all_the_same() -> None:
    decision = walk([*TAPERED, seen(40, 7), seen(68, 7, dosage_taken=took(5, 2))])[-1]
    assert decision.seen.baseline is not None
    assert decision.seen.baseline.activity == 7
    assert decision.facts.response is Response.NONE


def test_without_benefit_a_dose_that_cannot_be_raised_is_the_prescribers() -> None:
    tired = {"adverse_events": (event("fatigue", 2),), "doses_missed": 0}
    visits = [seen(0, 11), *(seen(28 * n, 11, **tired) for n in (1, 2, 3))]
    decisions = walk(visits)
    assert [each.rule.id for each in decisions[1:]] == [
        "escalation-waits",
        "escalation-waits",
        "no-benefit-not-to-raise",
    ]
    assert decisions[-1].dosage == FIVE.dosage
