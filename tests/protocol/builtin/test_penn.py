"""The second protocol, `penn-2012`: its rules, its differences from the first, and its laws."""

from decimal import Decimal
from itertools import product

import pytest
from attrs import evolve
from tests.support.patients import (
    PROTOCOL,
    STERILE,
    clearance,
    count,
    day,
    event,
    judged,
    seen,
    took,
    walk,
)

from lenadose import Decision, explain, get_protocol, rationale
from lenadose.protocol.protocol import case_id
from lenadose.terms.facts import (
    ABOVE_BOTTOM,
    BOTTOM,
    OK,
    ON_LADDER,
    ON_TREATMENT,
    Action,
    EvidenceLevel,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    Timing,
    possible_terms,
)

PENN = get_protocol("penn-2012")
TABLE = PENN.table
LADDER = list(map(str, PENN.ladder.levels))
EVERY_OTHER_DAY, FIVE, TEN = LADDER


def penn(*visits) -> list[Decision]:
    return walk(visits, protocol=PENN)


def rule_and_dosage(decision: Decision) -> tuple[str, str | None]:
    return decision.rule.id, str(decision.dosage) if decision.dosage else None


def action(facts: Facts, **changes) -> Action:
    return TABLE.rule_for(evolve(facts, **changes)).action


# The four sentences that the regimen states.


def test_treatment_begins_at_5_mg_once_daily() -> None:
    (start,) = penn(seen(0, 20))
    assert rule_and_dosage(start) == ("start", FIVE)
    assert (start.case.provenance.tag, start.case.provenance.source) == (
        EvidenceLevel.STATED,
        "PENN12",
    )


def test_the_first_assessment_comes_after_6_weeks() -> None:
    start, early, late = penn(seen(0, 20), seen(41, 5), seen(42, 5))
    assert start.next_visit is not None
    assert start.next_visit.due == day(42)
    assert rule_and_dosage(early) == ("await-assessment", FIVE)
    assert late.action is Action.REDUCE


@pytest.mark.parametrize("activity", [0, 1, 12])
def test_a_responder_comes_down_to_5_mg_every_other_day(activity: int) -> None:
    decision = penn(seen(0, 20), seen(42, activity))[-1]
    assert rule_and_dosage(decision) == ("begin-taper", EVERY_OTHER_DAY)
    assert decision.case.provenance.tag is EvidenceLevel.ASSUMED  # the 8 points are inferred
    assert "stated (PENN12)" in decision.case.provenance.words
    assert decision.phase_after is Phase.TAPER


@pytest.mark.parametrize("activity", [13, 16, 20, 24])
def test_the_others_go_up_to_10_mg_once_daily(activity: int) -> None:
    decision = penn(seen(0, 20), seen(42, activity))[-1]
    assert rule_and_dosage(decision) == ("escalate", TEN)
    assert "stated (PENN12)" in decision.case.provenance.words


# The same patient, two answers.


@pytest.mark.parametrize(
    ("start", "now", "first", "second"),
    [
        (20, 14, ("sustain", FIVE), ("escalate", TEN)),
        (20, 10, ("sustain", FIVE), ("begin-taper", EVERY_OTHER_DAY)),
        (7, 2, ("sustain", FIVE), ("escalate", TEN)),
        (60, 50, ("escalate", TEN), ("begin-taper", EVERY_OTHER_DAY)),
    ],
)
def test_the_two_protocols_answer_the_same_patient_differently(start, now, first, second) -> None:
    visits = (seen(0, start), seen(42, now))
    answers = [walk(visits, protocol=protocol)[-1] for protocol in (PROTOCOL, PENN)]
    assert list(map(rule_and_dosage, answers)) == [first, second]
    for answer in answers:
        assert f"Protocol `{answer.protocol.id}` {answer.protocol.version}" in explain(answer)


def test_at_4_weeks_only_the_first_protocol_decides() -> None:
    visits = (seen(0, 20), seen(28, 20))
    assert rule_and_dosage(walk(visits)[-1]) == ("escalate", TEN)
    assert rule_and_dosage(penn(*visits)[-1]) == ("await-assessment", FIVE)


# What it assumes beyond.


def test_the_reduced_dose_is_kept_while_the_fall_lasts_and_ended_once_clear() -> None:
    decisions = penn(*(seen(42 * n, activity) for n, activity in enumerate((20, 12, 11, 12, 0))))
    assert [rule_and_dosage(decision) for decision in decisions[2:]] == [
        ("maintain", EVERY_OTHER_DAY),
        ("maintain", EVERY_OTHER_DAY),
        ("taper-end", None),
    ]


def test_from_10_mg_a_response_comes_down_level_by_level() -> None:
    decisions = penn(
        *(seen(42 * n, activity) for n, activity in enumerate((20, 16, 12, 13, 12, 12)))
    )
    assert [rule_and_dosage(decision) for decision in decisions[1:]] == [
        ("escalate", TEN),
        ("begin-taper", FIVE),
        ("pause-taper", FIVE),
        ("taper-step", EVERY_OTHER_DAY),
        ("maintain", EVERY_OTHER_DAY),
    ]


def test_a_response_at_the_lowest_level_in_titration_is_kept_there() -> None:
    rash = (event("rash", 3),)
    decisions = penn(
        seen(0, 20),
        seen(14, 18, adverse_events=rash),
        seen(21, 17, dosage_taken=took(0)),
        seen(63, 11),
    )
    assert [rule_and_dosage(decision) for decision in decisions[2:]] == [
        ("resume", EVERY_OTHER_DAY),
        ("maintain", EVERY_OTHER_DAY),
    ]
    assert decisions[-1].facts.phase is Phase.TITRATION


@pytest.mark.parametrize(
    ("start", "now", "response"), [(7, 1, "none"), (7, 0, "complete"), (8, 1, "none")]
)
def test_from_a_low_start_only_a_complete_response_counts(
    start: int, now: int, response: str
) -> None:
    assert penn(seen(0, start), seen(42, now))[-1].facts.response.label == response


def test_a_judgement_of_improved_reduces_the_dose() -> None:
    decision = penn(seen(0, 20), seen(42, 18, judgement=judged("improved")))[-1]
    assert rule_and_dosage(decision) == ("begin-taper", EVERY_OTHER_DAY)
    assert "by the scores alone the response would be none" in explain(decision)


def test_a_lowered_ceiling_gives_a_level_of_this_ladder() -> None:
    decisions = penn(seen(0, 20), seen(42, 20), seen(70, 20, creatinine_clearance=clearance(50)))
    assert rule_and_dosage(decisions[-1]) == ("lower-to-ceiling", FIVE)
    assert decisions[-1].level is not None
    assert decisions[-1].level.provenance.source == "PENN12"


# Where it all comes from.


def test_what_is_stated_is_stated_by_penn() -> None:
    stated = [entry for entry in PENN.ledger if entry.provenance.tag is EvidenceLevel.STATED]
    assert {entry.provenance.source for entry in stated} == {"PENN12"}
    assert {entry.id for entry in stated} == {
        "ladder.0",
        "ladder.1",
        "ladder.2",
        "rule.start.1",
        "safety.highest_daily_dose",
    }


def test_what_the_first_trial_states_is_here_never_stated_and_a_label_stays_a_label() -> None:
    for entry in PENN.ledger:
        assert (
            entry.provenance.tag is not EvidenceLevel.STATED or entry.provenance.source != "CH12"
        ), entry.id
        assert "stated (CH12)" not in entry.provenance.words, entry.id
        assert "in the trial " not in entry.provenance.words, entry.id
    complete = PENN.response.complete_at.provenance
    assert (complete.tag, complete.source) == (EvidenceLevel.ADAPTED, "CH12")
    labels = {entry.id for entry in PROTOCOL.ledger if entry.provenance.tag is EvidenceLevel.LABEL}
    assert labels == {
        entry.id for entry in PENN.ledger if entry.provenance.tag is EvidenceLevel.LABEL
    }


def test_every_source_that_is_named_is_listed() -> None:
    listed = {source.id for source in PENN.sources} | {"decided here"}
    assert {
        source for entry in PENN.ledger for source in entry.provenance.source.split(", ")
    } <= listed


def test_the_limits_of_the_evidence_are_those_of_penn() -> None:
    page = explain(penn(seen(0, 20), seen(42, 14))[-1])
    assert "series of 5 patients" in page
    assert "off-label" in page
    assert "15 women" not in page
    assert (
        "Penn's own partial" in {note.id: note.words for note in PENN.notes}["partial-is-responder"]
    )
    assert "a fall of 4 points, changes no dose" in page


@pytest.mark.parametrize("start", [20, 7])
def test_no_share_is_held_against_a_fall_where_none_is_asked_for(start: int) -> None:
    criteria = rationale(penn(seen(0, start), seen(42, 3))[-1]).criteria
    partial = {
        criterion.id.removeprefix("response.")
        for criterion in criteria
        if criterion.words.startswith("partial: ")
    }
    assert partial == {"partial_points"}
    assert all(
        criterion.threshold != "0" or criterion.id == "response.complete_at"
        for criterion in criteria
    )


# The table, over all of its situations.

SITUATIONS = [match.facts for match in TABLE.situations()]


def test_there_are_1780_situations_and_each_has_one_row() -> None:
    every = [Facts(*words) for phase in Phase for words in product(*possible_terms(phase).values())]  # type: ignore[arg-type]
    assert len(every) == len(SITUATIONS) == 1780
    for facts in every:
        assert TABLE.rule_for(facts) in TABLE.rules


def test_a_reduction_needs_the_response_that_the_protocol_names_or_a_ceiling() -> None:
    least = PENN.response.reduction_needs.value
    assert least is Response.PARTIAL
    for facts in SITUATIONS:
        if action(facts) is Action.REDUCE:
            assert facts.response.rank <= least.rank or facts.position is Position.ABOVE_CEILING


def drug(facts: Facts) -> int:
    """Return the change of level that the action brings: 1, 0, -1, or -9 for no drug at all."""
    match action(facts):
        case Action.ESCALATE:
            return 1
        case Action.REDUCE:
            return -1
        case Action.CONTINUE | Action.REQUEST_DATA | Action.PRESCRIBER_DECIDES:
            return 0 if facts.safety in OK else -9
        case _:
            return -9


def test_a_better_response_never_means_more_drug_but_where_lack_of_benefit_ends_treatment() -> None:
    known = (Response.COMPLETE, Response.PARTIAL, Response.NONE, Response.WORSE)
    for facts in SITUATIONS:
        if (
            facts.phase in ON_TREATMENT
            and facts.response in known[1:]
            and TABLE.rule_for(facts).id != "no-benefit"
        ):
            better = known[facts.response.rank - 1]
            if TABLE.rule_for(evolve(facts, response=better)).id != "no-benefit":
                assert drug(evolve(facts, response=better)) <= drug(facts), facts


def test_worse_safety_never_means_more_drug() -> None:
    for facts in SITUATIONS:
        if (
            facts.phase in ON_TREATMENT
            and facts.safety is Safety.ACCEPTABLE
            and facts.position in ON_LADDER
        ):
            by_safety = [drug(evolve(facts, safety=safety)) for safety in Safety]
            assert by_safety == sorted(by_safety), facts


def test_a_score_is_asked_for_exactly_where_it_would_change_the_action() -> None:
    for facts in SITUATIONS:
        if facts.response is Response.NOT_ASSESSED and facts.safety is not Safety.NOT_ASSESSED:
            answers = {
                action(facts, response=response)
                for response in possible_terms(facts.phase)["response"] - {Response.NOT_ASSESSED}
            }
            asked = action(facts) is Action.REQUEST_DATA
            assert asked == (len(answers) > 1), facts


def test_complete_and_safe_at_due_visits_ends_treatment_within_as_many_decisions_as_levels() -> (
    None
):
    for phase, position, safety in product(ON_TREATMENT, ON_LADDER, OK):
        facts = next(
            situation
            for situation in SITUATIONS
            if (situation.phase, situation.position, situation.safety) == (phase, position, safety)
            and situation.response is Response.COMPLETE
            and situation.timing is Timing.DUE
        )
        assert action(facts) is (Action.FINISH if position in BOTTOM else Action.REDUCE)
        assert (position in BOTTOM) != (position in ABOVE_BOTTOM)
    visits = [seen(0, 20), *(seen(42 * n, 18 if n == 1 else 0) for n in range(1, 5))]
    assert [rule_and_dosage(decision)[1] for decision in penn(*visits)[1:]] == [
        TEN,
        FIVE,
        EVERY_OTHER_DAY,
        None,
    ]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({}, "no-benefit"), ({"neutrophils": count(Decimal("1.2"))}, "no-benefit-not-to-raise")],
)
def test_no_response_at_every_due_visit_ends_treatment_or_is_for_the_prescriber(
    changes, rule: str
) -> None:
    visits = (seen(42 * n, 19, doses_missed=0, **changes) for n in range(1, 4))
    assert rule in [decision.rule.id for decision in penn(seen(0, 20), *visits)]


def test_every_case_is_met_by_some_patient() -> None:
    """The tests above meet every case that the first protocol does not have."""
    high, low = seen(42, 20), seen(42, 10)
    met = {
        case_id(decision.rule, decision.case).removeprefix("rule.")
        for visits in (
            (seen(0, 20), low, seen(63, 10), seen(84, 10)),
            (seen(0, 20), high, seen(84, 10), seen(126, 13), seen(168, 10)),
        )
        for decision in walk(visits, STERILE, PENN)
    }
    assert met >= {
        "begin-taper.1",
        "begin-taper.2",
        "taper-step",
        "maintain",
        "await-review",
        "pause-taper",
    }
