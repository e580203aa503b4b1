"""The machine, told as patients: one story a rule of time, dose or record, at its boundaries."""

from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve
from tests.support.patients import (
    PROTOCOL,
    STERILE,
    count,
    day,
    event,
    judged,
    rules,
    seen,
    took,
    walk,
)

from lenadose import (
    CallError,
    Course,
    Visit,
    apply,
    begin,
    observe,
    recommend,
    replay,
    step,
)
from lenadose.terms.facts import Action, Phase, Position, Response, Safety, TherapeuticTrial, Timing

LOWEST, FIVE, TEN = PROTOCOL.ladder.levels


# Time


@pytest.mark.parametrize(
    ("on", "rule"), [(27, "await-assessment"), (28, "escalate"), (40, "escalate")]
)
def test_the_first_assessment_is_on_day_28_and_not_before(on: int, rule: str) -> None:
    assert rules([seen(0, 11), seen(on, 11, doses_missed=0)])[-1] == rule


def test_a_review_runs_from_the_last_assessment_and_not_from_an_early_visit() -> None:
    decisions = walk([seen(0, 11), seen(28, 5), seen(40, 5), seen(55, 5), seen(56, 5)])
    assert [each.rule.id for each in decisions[1:]] == [
        "sustain",
        "await-assessment",
        "await-assessment",
        "sustain",
    ]
    assert [each.next_visit.due for each in decisions if each.next_visit] == list(
        map(day, (28, 56, 56, 56, 84))
    )


def test_a_question_at_a_due_visit_leaves_it_due() -> None:
    decisions = walk([seen(0, 11), seen(28, None), seen(30, 5)])
    assert [each.rule.id for each in decisions] == ["start", "ask-response", "sustain"]
    assert decisions[1].dosage == FIVE.dosage
    assert decisions[1].next_visit is not None
    assert (decisions[1].next_visit.earliest, decisions[1].next_visit.due) == (day(29), day(35))


def test_days_after_a_decision_without_a_dosage_count_as_missed() -> None:
    asked = [seen(0, 11), seen(14, 11, adverse_events=None)]
    assert walk(asked)[-1].dosage is None
    late = walk([*asked, seen(21, 11)])[-1]
    assert late.seen.due_on == day(35)  # 7 of 28 is more than a fifth
    assert walk([*asked, seen(19, 11)])[-1].seen.due_on == day(28)  # 5 of 28 is not
    said = walk([*asked, seen(21, 11, dosage_taken=took(5))])[-1]
    assert said.seen.due_on == day(28)


@pytest.mark.parametrize(("missed", "due"), [(5, 28), (6, 34)])
def test_missed_doses_lengthen_the_interval_once_they_are_more_than_a_fifth(
    missed: int, due: int
) -> None:
    assert walk([seen(0, 11), seen(28, 11, doses_missed=missed)])[-1].seen.due_on == day(due)


def test_missed_doses_add_up_over_the_visits_of_an_interval() -> None:
    visits = [seen(0, 11), seen(14, 11, doses_missed=3), seen(28, 11, doses_missed=3)]
    assert walk(visits)[-1].seen.due_on == day(34)
    assert rules(visits)[-1] == "await-assessment"


def test_a_dose_every_other_day_is_two_days_of_treatment() -> None:
    tapered = [seen(0, 11), seen(28, 0)]
    step_end = walk(tapered)[-1].next_visit
    assert step_end is not None
    assert step_end.due == date(2026, 3, 2)  # one calendar month after 2 February, 28 days
    assert walk([*tapered, seen(56, 0, doses_missed=2)])[-1].rule.id == "taper-end"
    assert walk([*tapered, seen(56, 0, doses_missed=3)])[-1].rule.id == "await-month"


def test_a_missed_dose_is_one_of_those_there_were() -> None:
    visits = [seen(0, 11), seen(28, 0)]
    walk([*visits, seen(56, 0, doses_missed=14)])
    with pytest.raises(CallError, match="doses_missed: 15 missed of 14 since the visit before"):
        walk([*visits, seen(56, 0, doses_missed=15)])
    with pytest.raises(CallError, match="1 missed of 0"):
        walk([seen(0, None), seen(28, 11, doses_missed=1)])
    walk([seen(0, 11), seen(28, 11, doses_missed=28, dosage_taken=took(0))])


@pytest.mark.parametrize(("after", "rule"), [(28, "resume"), (29, "interruption-too-long")])
def test_an_interruption_of_28_days_may_simply_be_resumed(after: int, rule: str) -> None:
    ill = seen(10, 11, adverse_events=(event("insomnia", 3),))
    assert rules([seen(0, 11), ill, seen(10 + after, 11)])[-1] == rule


def test_the_trial_of_therapy_ends_after_12_weeks_8_of_them_at_the_level() -> None:
    visits = [seen(0, 11), seen(28, 11), seen(56, 11)]
    assert walk([*visits, seen(83, 11)])[-1].facts.trial is TherapeuticTrial.RUNNING
    assert rules([*visits, seen(84, 11)])[-1] == "no-benefit"
    late = [
        seen(0, 11),
        seen(40, 11, doses_missed=0),
    ]  # at 10 mg from day 40 on: 8 weeks end on day 96
    assert walk([*late, seen(95, 11, doses_missed=0)])[-1].facts.trial is TherapeuticTrial.RUNNING
    assert walk([*late, seen(96, 11, doses_missed=0)])[-1].facts.trial is TherapeuticTrial.EXHAUSTED


def test_a_response_starts_the_trial_of_therapy_again() -> None:
    visits = [seen(0, 11), seen(28, 11), seen(56, 5), seen(84, 8)]
    assert walk(visits)[-1].facts.response is Response.NONE
    assert walk(visits)[-1].facts.trial is TherapeuticTrial.RUNNING
    later = [seen(139, 8, doses_missed=0), seen(140, 8)]
    assert [each.facts.trial for each in walk([*visits, *later])[-2:]] == [
        TherapeuticTrial.RUNNING,
        TherapeuticTrial.EXHAUSTED,
    ]


def test_the_trial_runs_on_in_an_interruption_and_the_interval_begins_anew() -> None:
    visits = [
        seen(0, 11),
        seen(28, 11),
        seen(50, 11, adverse_events=(event("missed period"),)),
        seen(60, 11, adverse_events=(event("missed period", resolved=True),)),
        seen(87, 11),
        seen(88, 11),
    ]
    decisions = walk(visits)
    assert [each.rule.id for each in decisions[2:]] == [
        "interrupt-for-harm",
        "resume",
        "await-assessment",
        "no-benefit",
    ]
    assert decisions[3].dosage == TEN.dosage
    assert decisions[3].next_visit is not None
    assert decisions[3].next_visit.due == day(88)


def test_surveillance_follows_its_dates_and_ends_after_a_year() -> None:
    finish = walk([seen(0, 11), seen(28, 0), seen(56, 0)])[-1]
    assert finish.action is Action.FINISH
    state = apply(finish)
    due = []
    while finish.next_visit is not None:
        due.append(finish.next_visit.due)
        finish, state = step(PROTOCOL, state, Visit(finish.next_visit.due, clasi_activity=0))
        assert finish.rule.id == "surveillance"
    assert due == [
        date(2026, 3, 16),
        date(2026, 3, 30),
        date(2026, 4, 27),
        date(2026, 6, 2),
        date(2026, 9, 2),
        date(2026, 12, 2),
        date(2027, 3, 2),
    ]


def test_visits_come_in_order() -> None:
    with pytest.raises(
        CallError, match="date: 2026-01-05 is not after the visit before, of 2026-01-05"
    ):
        walk([seen(0, 11), seen(0, 11)])


def test_caution_brings_the_patient_back_within_a_week_only_while_treated() -> None:
    mild = (event("insomnia", 2),)
    decisions = walk(
        [
            seen(0, 11, adverse_events=mild),
            seen(7, 11),
            seen(28, 0),
            seen(56, 0, adverse_events=mild),
        ]
    )
    assert [each.facts.safety for each in decisions] == [
        Safety.CAUTION,
        Safety.ACCEPTABLE,
        Safety.ACCEPTABLE,
        Safety.CAUTION,
    ]
    visits = [each.next_visit for each in decisions]
    assert visits[0] is not None
    assert (visits[0].earliest, visits[0].due, visits[0].latest) == (day(1), day(7), day(7))
    assert visits[3] is not None
    assert visits[3].due == day(70)


# Dose: the state follows the patient


def test_another_level_taken_moves_the_state_as_of_the_visit_before() -> None:
    decision = walk([seen(0, 11), seen(28, 11), seen(50, 11, dosage_taken=took(5))])[-1]
    assert decision.dosage == FIVE.dosage
    assert decision.seen.treatment.dose is not None
    assert decision.seen.treatment.dose.since == day(28)


def test_a_rise_by_the_patient_begins_like_an_advised_one() -> None:
    visits = [seen(0, 11), seen(28, 3), seen(40, 9)]
    decision = walk([*visits, seen(56, 9, dosage_taken=took(10))])[-1]
    assert decision.seen.treatment.nadir is not None
    assert (decision.seen.treatment.nadir.activity, decision.seen.treatment.nadir.on) == (
        9,
        day(40),
    )
    assert decision.seen.treatment.dose is not None
    assert decision.seen.treatment.dose.watched_from == day(40)
    assert decision.facts.position is Position.HIGHEST
    unseen = walk([seen(0, 11), seen(28, None), seen(35, 9, dosage_taken=took(10))])[-1]
    assert unseen.seen.treatment.nadir is not None
    assert unseen.seen.treatment.nadir.on == day(35)


def test_a_level_that_was_advised_and_never_taken_was_not_held() -> None:
    escalated = [seen(0, 20), seen(28, 20, dosage_taken=took(5))]
    for visits in (
        [seen(42, 20, dosage_taken=took(2.5)), seen(49, 20, dosage_taken=took(0))],
        [seen(42, 20, dosage_taken=took(0))],
    ):
        assert walk([*escalated, *visits])[-1].dosage == FIVE.dosage
    harmed = seen(42, 20, dosage_taken=took(0), neutrophils=count(0.9))
    decisions = walk([*escalated, harmed, seen(49, 20)])
    assert [each.rule.id for each in decisions[2:]] == ["remain-interrupted", "resume"]
    assert decisions[-1].dosage == LOWEST.dosage
    assert decisions[-1].seen.before.limiting_events[0].level == FIVE


def test_a_rise_that_was_advised_and_never_taken_leaves_the_lowest_score() -> None:
    visits = [seen(0, 20), seen(14, 4), seen(28, 14), seen(56, 14, dosage_taken=took(5))]
    assert rules(visits)[-2:] == ["escalate", "escalate"]
    assert walk(visits)[-1].facts.response is Response.WORSE


def test_a_reduction_that_was_advised_and_not_taken_is_no_rise_afterwards() -> None:
    visits = [
        seen(0, 20),
        seen(28, 20),
        seen(56, 5),
        seen(84, 0),
        seen(115, 0, dosage_taken=took(10)),
    ]
    decision = walk(visits)[-1]
    assert decision.facts.position is Position.HIGHEST
    assert decision.seen.treatment.dose is not None
    assert (decision.seen.treatment.dose.since, decision.seen.treatment.dose.watched_from) == (
        day(84),
        day(28),
    )


def test_a_start_that_was_not_taken_is_resumed_at_the_level_of_the_start() -> None:
    assert walk([seen(0, 20), seen(14, 20, dosage_taken=took(0))])[-1].dosage == FIVE.dosage
    again = [seen(0, 9), seen(28, 0), seen(56, 0), seen(90, 9), seen(97, 9, dosage_taken=took(0))]
    assert [each.rule.id for each in walk(again)[-2:]] == ["relapse-off-drug", "resume"]
    assert walk(again)[-1].dosage == FIVE.dosage


def test_a_resumption_that_was_not_taken_has_not_ended_the_interruption() -> None:
    visits = [
        seen(0, 20),
        seen(28, 20, neutrophils=count(0.9)),
        seen(50, 20),
        seen(57, 20, dosage_taken=took(0)),
    ]
    assert rules(visits)[-2:] == ["resume", "interruption-too-long"]


def test_the_dosage_advised_and_taken_changes_nothing() -> None:
    told, silent = (
        walk([seen(0, 11), seen(28, 11, **more)])[-1] for more in ({"dosage_taken": took(5)}, {})
    )
    assert told.seen.treatment.dose == silent.seen.treatment.dose


def test_off_the_ladder_the_prescriber_decides_until_a_level_is_reported() -> None:
    visits = [
        seen(0, 11),
        seen(7, 11, dosage_taken=took(Decimal("7.5"))),
        seen(14, 11),
        seen(21, 11, dosage_taken=took(Decimal("7.5")), doses_missed=2),
        seen(28, 11, dosage_taken=took(5)),
    ]
    decisions = walk(visits)
    assert [each.rule.id for each in decisions] == [
        "start",
        *["dosage-off-ladder"] * 3,
        "await-assessment",
    ]
    assert [each.dosage for each in decisions[1:4]] == [None] * 3
    assert decisions[-1].seen.treatment.dose is not None
    assert decisions[-1].seen.treatment.dose.since == day(
        21
    )  # back on a level, as of the visit before


def test_harm_off_the_ladder_counts_against_the_last_level() -> None:
    off = seen(7, 11, dosage_taken=took(15))
    decisions = walk([seen(0, 11), off, seen(14, 11, neutrophils=count(0.9)), seen(21, 11)])
    assert [each.rule.id for each in decisions[2:]] == ["interrupt-for-harm", "resume"]
    assert decisions[-1].dosage == LOWEST.dosage


def test_a_patient_who_took_nothing_is_interrupted_since_the_visit_before_without_harm() -> None:
    nothing = seen(28, 11, dosage_taken=took(0))
    decision = walk([seen(0, 11), nothing])[-1]
    assert (decision.rule.id, decision.dosage) == ("resume", FIVE.dosage)
    assert apply(decision).ceiling == TEN
    assert rules([seen(0, 11), evolve(nothing, date=day(29))])[-1] == "interruption-too-long"


def test_harm_found_in_an_interruption_without_harm_lowers_the_ceiling() -> None:
    decisions = walk(
        [seen(0, 11), seen(7, 11, dosage_taken=took(0), neutrophils=count(0.9)), seen(14, 11)]
    )
    assert [each.rule.id for each in decisions[1:]] == ["remain-interrupted", "resume"]
    assert decisions[-1].dosage == LOWEST.dosage


def test_after_an_interruption_too_long_the_prescriber_may_resume_at_a_level() -> None:
    ill = seen(10, 11, adverse_events=(event("missed period"),))
    well = (event("missed period", resolved=True),)
    too_long = [seen(0, 11), ill, seen(40, 11, adverse_events=well)]
    assert rules(too_long)[-1] == "interruption-too-long"
    resumed = walk([*too_long, seen(50, 11, dosage_taken=took(10))])[-1]
    assert (resumed.rule.id, resumed.dosage) == ("await-assessment", TEN.dosage)
    assert resumed.seen.treatment.dose is not None
    assert (resumed.seen.treatment.dose.since, resumed.seen.treatment.dose.watched_from) == (
        day(40),
        day(40),
    )
    same = walk([*too_long, seen(50, 11, dosage_taken=took(5))])[-1]
    assert same.seen.treatment.dose is not None
    assert (same.seen.treatment.dose.since, same.seen.treatment.dose.interval_from) == (
        day(0),
        day(40),
    )
    for not_a_level in ({"dosage_taken": took(15)}, {}, {"dosage_taken": took(0)}):
        assert rules([*too_long, seen(50, 11, **not_a_level)])[-1] == "interruption-too-long"


def test_the_prescriber_may_answer_over_a_question_in_between() -> None:
    ill = seen(10, 11, adverse_events=(event("missed period"),))
    well = (event("missed period", resolved=True),)
    too_long = [seen(0, 11), ill, seen(40, 11, adverse_events=well)]
    asked = [*too_long, seen(45, 11, adverse_events=None)]
    assert rules(asked)[-2:] == ["interruption-too-long", "ask-before-resuming"]
    resumed = walk([*asked, seen(50, 11, dosage_taken=took(5))])[-1]
    assert (resumed.rule.id, resumed.facts.phase) == ("await-assessment", Phase.TITRATION)
    asked_twice = [*asked, seen(47, 11, adverse_events=None)]
    assert rules([*asked_twice, seen(50, 11, dosage_taken=took(5))])[-1] == "await-assessment"
    assert rules([*asked, seen(50, 11)])[-1] == "interruption-too-long"


def test_only_after_an_interruption_too_long_may_the_prescriber_resume() -> None:
    ill = (event("missed period"),)
    visits = [seen(0, 11), seen(10, 11, adverse_events=ill), seen(20, 11, adverse_events=None)]
    decision = walk([*visits, seen(25, 11, dosage_taken=took(5), adverse_events=ill)])[-1]
    assert (decision.rule.id, decision.facts.phase) == ("remain-interrupted", Phase.INTERRUPTED)


def test_where_no_level_is_left_the_prescriber_cannot_resume() -> None:
    low = {"neutrophils": count(0.9)}
    visits = [
        seen(0, 11),
        seen(7, 11, **low),
        seen(14, 11),
        seen(21, 11, **low),
        seen(60, 11),
        seen(67, 11, dosage_taken=took(5, 2)),
    ]
    assert rules(visits) == [
        "start",
        "interrupt-for-harm",
        "resume",
        "interrupt-for-harm",
        "interruption-too-long",
        "interruption-too-long",
    ]
    assert rules([*visits[:4], seen(28, 11)])[-1] == "no-level-left"


def test_drug_taken_without_advice_changes_no_phase() -> None:
    finished = [seen(0, 11), seen(28, 0), seen(56, 0)]
    decision = walk([*finished, seen(70, 0, dosage_taken=took(5))])[-1]
    assert decision.facts.phase is Phase.OFF_TREATMENT
    assert (
        walk([seen(0, None), seen(7, None, dosage_taken=took(5))])[-1].facts.phase
        is Phase.BEFORE_START
    )


def test_a_record_begins_before_treatment() -> None:
    for more in ({"dosage_taken": took(5)}, {"doses_missed": 1}):
        with pytest.raises(CallError, match="nothing comes before the first visit"):
            walk([seen(0, 11, **more)])


# An end of treatment, by the patient or the prescriber


@pytest.mark.parametrize(
    "visits",
    [
        [seen(0, 11)],
        [seen(0, 11), seen(28, 11), seen(40, 0)],
        [seen(0, 11), seen(28, 0)],
        [seen(0, 11), seen(28, 11, adverse_events=(event("missed period"),))],
        [seen(0, 11), seen(28, 11, adverse_events=None)],
    ],
)
def test_treatment_that_was_stopped_is_discontinued_at_that_visit(visits: list[Visit]) -> None:
    treated = [*visits, seen(50, 11, stopped="wishes to have a child")]
    decisions = walk([*treated, seen(60, 11), seen(77, 11), seen(78, 11)])
    assert [each.rule.id for each in decisions[-4:]] == ["ended"] * 4
    assert decisions[-4].facts.phase is Phase.DISCONTINUED
    assert [each.dosage for each in decisions[-4:]] == [None] * 4
    assert [each.next_visit and each.next_visit.due for each in decisions[-4:]] == [
        day(78),
        day(78),
        day(78),
        None,
    ]


def test_a_stop_with_a_new_danger_is_seen_again_within_a_week() -> None:
    clot = (event("venous thromboembolism"),)
    stopped = seen(20, 11, stopped="a swollen leg", adverse_events=clot)
    decision = walk([seen(0, 11), stopped])[-1]
    assert decision.rule.id == "ended"
    assert decision.next_visit is not None
    assert decision.next_visit.latest == day(27)


@pytest.mark.parametrize(
    "visits",
    [
        [],
        [seen(0, 0)],
        [seen(0, 11), seen(28, 0), seen(56, 0)],
        [seen(0, 11), seen(7, 11, adverse_events=(event("anaphylaxis"),))],
        [seen(0, 11), seen(7, 11, stopped="once")],
    ],
)
def test_what_is_not_being_treated_cannot_be_stopped(visits: list[Visit]) -> None:
    walk([*visits, seen(70, 11)])
    with pytest.raises(CallError, match="stopped: nothing is being treated"):
        walk([*visits, seen(70, 11, stopped="moves away")])


# The whole machine


def test_step_is_observe_recommend_and_apply() -> None:
    state = begin(PROTOCOL, STERILE)
    visit = seen(0, 11)
    decision = recommend(observe(PROTOCOL, state, visit))
    assert (decision, apply(decision)) == step(PROTOCOL, state, visit)
    assert state == begin(PROTOCOL, STERILE)


def test_replay_is_step_over_the_visits_and_names_the_visit_at_fault() -> None:
    visits = (seen(0, 11), seen(28, 11), seen(56, 11, doses_missed=28))
    assert list(replay(Course(visits, STERILE))) == walk(visits)
    with pytest.raises(CallError, match=r"visits\[2\].doses_missed: 28 missed of 27"):
        replay(
            Course(
                (
                    seen(0, 11),
                    seen(28, None, adverse_events=None),
                    seen(55, 11, dosage_taken=took(5), doses_missed=28),
                )
            )
        )


def test_replay_reads_a_course_by_the_protocol_it_names() -> None:
    with pytest.raises(CallError, match="protocol: 'other' is not known"):
        replay(Course((seen(0, 11),), protocol="other"))
    assert replay(Course((seen(0, 11),), protocol="other"), by=PROTOCOL)[0].protocol is PROTOCOL


def test_every_phase_answers_every_visit() -> None:
    ended = walk(
        [
            seen(0, 11),
            seen(7, 11, adverse_events=(event("anaphylaxis"),)),
            Visit(day(20)),
            Visit(day(400)),
        ]
    )
    assert [each.rule.id for each in ended[1:]] == ["stop-for-harm", "ended", "ended"]


def test_nothing_to_treat_needs_no_next_visit() -> None:
    decision = walk([seen(0, 0)])[-1]
    assert (decision.rule.id, decision.next_visit) == ("nothing-to-treat", None)


def test_the_facts_without_meaning_off_treatment_have_one_value() -> None:
    for decision in walk([seen(0, 0), seen(1, 11), seen(29, 0), seen(57, 0), seen(90, 0)]):
        if decision.facts.phase in (Phase.BEFORE_START, Phase.OFF_TREATMENT):
            assert (decision.facts.timing, decision.facts.trial, decision.facts.position) == (
                Timing.DUE,
                TherapeuticTrial.RUNNING,
                Position.NONE,
            )


def test_a_judged_response_needs_no_score_on_treatment() -> None:
    assert rules([seen(0, 11), seen(28, None, judgement=judged("not improved"))])[-1] == "escalate"
    assert rules([seen(0, None, judgement=judged("worse"))])[-1] == "ask-before-start"
