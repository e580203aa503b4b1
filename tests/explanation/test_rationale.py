"""The rationale: from what it holds, and nothing else, the decision can be redone by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from tests.support.patients import (
    FERTILE,
    PROTOCOL,
    clearance,
    count,
    day,
    event,
    judged,
    negative,
    seen,
    took,
    walk,
)

from lenadose import (
    Decision,
    Patient,
    Visit,
    alternatives,
    apply,
    explain,
    observe,
    rationale,
    replay,
)
from lenadose.explanation.fact_phrases import why_missing
from lenadose.explanation.headlines import headline
from lenadose.explanation.rationale import Rationale
from lenadose.record.visit import Antiphospholipid
from lenadose.report.card import card
from lenadose.report.markdown import escape
from lenadose.report.why_not import explain_contrast
from lenadose.terms.facts import (
    OK,
    ON_LADDER,
    ON_TREATMENT,
    TREATED,
    Action,
    EvidenceLevel,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)
from lenadose.testing import courses


def redo(why: Rationale) -> tuple[Response, Safety, Timing, TherapeuticTrial]:
    """Work out the facts from the criteria that are printed, as a reader with a pencil would."""
    met: dict[str, list[bool | None]] = {}
    for check in why.criteria:
        met.setdefault(check.id, []).append(check.met)
    phase = why.decision.facts.phase
    return _response(why, met, phase), _safety(why), _timing(met, phase), _trial(met)


def _response(why: Rationale, met: dict[str, list[bool | None]], phase: Phase) -> Response:
    said = [str(each.value).split(":")[0] for each in why.inputs if each.field == "judgement"]
    relapse = phase in (Phase.TAPER, Phase.OFF_TREATMENT)
    if met["response.complete_at"] == [True]:
        return Response.COMPLETE
    if met["response.complete_at"] == [None] and (
        not said or phase is Phase.BEFORE_START or (relapse and said == ["worse"])
    ):
        return Response.NOT_ASSESSED
    if met.get("response.mild_below") == [True]:
        return Response.MILD
    worse = met.get("response.worse_points", [])
    # Off treatment a judgement of worse needs enough activity, the last line of worse.
    too_low = phase is Phase.OFF_TREATMENT and said == ["worse"] and not worse[-1]
    if said and not too_low:
        words = {
            "improved": Response.PARTIAL,
            "not improved": Response.NONE,
            "worse": Response.WORSE,
        }
        return words[said[0]]
    if "response.partial_points" not in met:
        return Response.NONE
    lost = worse + met.get("response.worse_share", [])
    if worse and (worse[0] or all(worse[1:]) if relapse else all(lost)):
        return Response.WORSE
    both = all(met[f"response.{name}"] == [True] for name in ("partial_points", "partial_share"))
    low = met.get("response.partial_below") == [True]
    return Response.PARTIAL if both or low else Response.NONE


def _safety(why: Rationale) -> Safety:
    for safety in (Safety.STOP, Safety.INTERRUPT):
        if any(check.met and check.words.startswith(f"{safety.label}: ") for check in why.criteria):
            return safety
    if any(gap.field != "clasi_activity" for gap in why.decision.missing):
        return Safety.NOT_ASSESSED
    caution = any(check.met and check.words.startswith("caution: ") for check in why.criteria)
    return Safety.CAUTION if caution else Safety.ACCEPTABLE


def _timing(met: dict[str, list[bool | None]], phase: Phase) -> Timing:
    if phase in ON_TREATMENT:
        names = ("intervals.taper_step", "intervals.review", "intervals.first_assessment")
        (due,) = next(met[name] for name in names if name in met)
    else:
        (due,) = met.get("intervals.resumable", [True])
    return Timing.DUE if due else Timing.BEFORE_DUE


def _trial(met: dict[str, list[bool | None]]) -> TherapeuticTrial:
    over = [*met.get("intervals.trial", [False]), *met.get("intervals.trial_at_level", [False])]
    return TherapeuticTrial.EXHAUSTED if all(over) else TherapeuticTrial.RUNNING


@given(courses(PROTOCOL))
def test_the_facts_can_be_worked_out_again_from_what_is_printed(course) -> None:
    for decision in replay(course):
        why = rationale(decision)
        facts = decision.facts
        assert redo(why) == (facts.response, facts.safety, facts.timing, facts.trial)


def redo_level(why: Rationale) -> tuple[Position, str | None]:
    """Work out the position and the dosage from the printed figures and the ladder."""
    decision = why.decision
    told = {each.name: (str(each.value), each.working) for each in why.arithmetic}
    ladder = [str(level) for level in decision.protocol.ladder.levels]
    allowed = told["ceiling"][0]
    ceiling = -1 if allowed == "no level" else ladder.index(allowed)
    held = None
    if "level before" in told:
        held = ladder.index(told["level before"][0])
    elif "days at this level" in told:
        held = ladder.index(told["days at this level"][1].split(" since ")[0])
    stands = min(held, ceiling) if held is not None and "level before" in told else held
    if stands is None or stands < 0:
        position = Position.NONE
    elif "taken" in told:
        position = Position.OFF_LADDER
    elif stands > ceiling:
        position = Position.ABOVE_CEILING
    elif stands == ceiling:
        position = Position.HIGHEST if stands else Position.ONLY
    else:
        position = Position.MIDDLE if stands else Position.LOWEST
    match decision.action:
        case Action.START:
            level = min(ladder.index(str(decision.protocol.ladder.start)), ceiling)
        case Action.CONTINUE:
            level = held if held is not None else -1
        case Action.ESCALATE:
            level = min((held or 0) + 1, len(ladder) - 1)
        case Action.REDUCE:
            level = min((held or 0) - 1, ceiling)
        case Action.RESUME:
            level = -1 if stands is None else stands
        case Action.REQUEST_DATA | Action.PRESCRIBER_DECIDES:
            fits = (
                position in ON_LADDER
                and decision.facts.safety in OK
                and decision.facts.phase in ON_TREATMENT
            )
            level = held if fits and held is not None else -1
        case _:
            level = -1
    return position, ladder[level] if level >= 0 else None


@settings(max_examples=60)
@given(courses(PROTOCOL))
def test_the_position_and_the_dosage_can_be_worked_out_again_from_what_is_printed(course) -> None:
    for decision in replay(course):
        said = None if decision.dosage is None else str(decision.dosage)
        assert redo_level(rationale(decision)) == (decision.facts.position, said)


@given(courses(PROTOCOL))
def test_what_was_relied_on_is_every_unstated_criterion_looked_at_and_the_row(course) -> None:
    entries = {entry.id: entry for entry in PROTOCOL.ledger}
    for decision in replay(course):
        why = rationale(decision)
        relied_on = {entry.id for entry in why.assumptions}
        assert all(entry.provenance.tag is not EvidenceLevel.STATED for entry in why.assumptions)
        for check in why.criteria:
            assert entries[check.id].provenance == check.provenance
            assert (check.id in relied_on) == (check.provenance.tag is not EvidenceLevel.STATED)
        row = [name for name in entries if name.startswith(f"rule.{decision.rule.id}")]
        unstated = decision.case.provenance.tag is not EvidenceLevel.STATED
        assert bool(relied_on & set(row)) == unstated


@settings(max_examples=60)
@given(courses(PROTOCOL))
def test_a_page_says_the_advice_its_rule_every_input_and_the_limits(course) -> None:
    decision = replay(course)[-1]
    page = explain(decision)
    assert page.startswith(f"# {headline(decision)}\n")
    for part in (
        decision.rule.id,
        decision.protocol.hash,
        "15 women",
        "off-label",
        "not a medical device",
    ):
        assert part in page
    for line in card(decision).lines:
        assert f"- {line.label}: {escape(line.words)}\n" in page
    for gap in decision.missing:
        assert f": {why_missing(decision.visit, gap)}. " in page
    contrast = explain_contrast(decision)
    nearest = alternatives(decision)[0]
    told = f"| {nearest.action.label} | " if nearest.reachable else "No other action can be"
    assert told in contrast


def test_inputs_carry_unit_date_and_age() -> None:
    decision = walk(
        [seen(0, 11), seen(28, 9, neutrophils=count(Decimal("3.20"), day(25)), doses_missed=2)]
    )[-1]
    inputs = {each.field: each for each in rationale(decision).inputs}
    neutrophils = inputs["neutrophils"]
    assert (neutrophils.value, neutrophils.unit, neutrophils.on, neutrophils.age_days) == (
        Decimal("3.20"),
        "10*9/L",
        day(25),
        3,
    )
    assert (inputs["clasi_activity"].value, inputs["clasi_activity"].unit) == (9, "points")
    assert (inputs["doses_missed"].value, inputs["doses_missed"].unit) == (2, "doses")
    assert inputs["adverse_events"].value == "none"
    assert inputs["patient.antiphospholipid"].value == "unknown"
    assert inputs["patient.age"].unit == "years"


def test_an_event_of_an_earlier_visit_that_still_counts_is_told_with_its_age() -> None:
    ill = seen(7, 11, adverse_events=(event("insomnia", 3),))
    decision = walk([seen(0, 11), ill, seen(14, 11, adverse_events=None)])[-1]
    told = [each for each in rationale(decision).inputs if each.field == "adverse_events"]
    assert [(each.value, each.on, each.age_days) for each in told] == [
        ("insomnia, grade 3 (CTCAE 5.0)", day(7), 7)
    ]


def figures(decision: Decision) -> dict[str, object]:
    return {each.name: each.value for each in rationale(decision).arithmetic}


def test_the_arithmetic_is_that_of_the_sheet() -> None:
    visits = [seen(0, 11), seen(28, 3), seen(56, 7, doses_missed=6)]
    decision = walk(visits)[-1]
    told = figures(decision)
    assert (told["A, now"], told["B, baseline"], told["M, best"], told["B - A"], told["A - M"]) == (
        7,
        11,
        3,
        4,
        4,
    )
    assert (told["days at this level"], told["days missed"], told["due"]) == (56, 6, day(62))
    assert told["trial of therapy exhausted"] == day(28 + 84)  # since the partial response
    working = {each.name: each.working for each in rationale(decision).arithmetic}
    assert working["B - A"] == "fall since the start: 36.4 % of B"
    assert working["A - M"] == "rise above the lowest: 50.0 % of the gain B - M, 8"
    assert working["due"].endswith("4 weeks from 2026-02-02 and 6 days that were missed")


def test_the_arithmetic_of_an_interruption_names_its_cause_and_its_length() -> None:
    decision = walk(
        [seen(0, 11), seen(28, 11), seen(40, 11, neutrophils=count(0.9)), seen(47, 11)]
    )[-1]
    told = figures(decision)
    assert told["days interrupted"] == 7
    assert (told["ceiling"], told["earlier harm"]) == ("5 mg once daily", "neutrophils 0.9 × 10⁹/L")
    working = {each.name: each.working for each in rationale(decision).arithmetic}
    assert working["ceiling"] == "neutrophils 0.9 × 10⁹/L at 10 mg once daily"


@settings(max_examples=60)
@given(courses(PROTOCOL))
def test_the_arithmetic_says_how_the_next_visit_comes_about(course) -> None:
    for decision in replay(course):
        told = [each for each in rationale(decision).arithmetic if each.name == "next visit due"]
        assert [each.value for each in told] == (
            [decision.next_visit.due] if decision.next_visit else []
        )
        assert all(each.working for each in told)


def test_an_interruption_tells_the_level_before_and_the_one_to_resume_at() -> None:
    decision = walk(
        [seen(0, 11), seen(28, 11), seen(40, 11, neutrophils=count(0.9)), seen(47, 11)]
    )[-1]
    told = {each.name: (each.value, each.working) for each in rationale(decision).arithmetic}
    assert told["level before"] == (
        "10 mg once daily",
        "to resume at: 5 mg once daily, the lower of it and the ceiling",
    )
    assert told["next visit due"][1] == "4 weeks from 2026-02-21: first assessment at a level"
    assert (
        "*OK*: caution or acceptable; *on the ladder*: lowest or middle or highest or only"
        in explain(decision)
    )


def test_off_the_ladder_the_taken_dosage_and_the_level_held_are_told_apart() -> None:
    decision = walk([seen(0, 11), seen(28, 11, dosage_taken=took(2.5))])[-1]
    told = {each.name: (each.value, each.working) for each in rationale(decision).arithmetic}
    assert told["taken"][0] == "2.5 mg once daily"
    assert told["days at this level"] == (28, "5 mg once daily since 2026-01-05")


def test_a_threshold_is_a_number_with_its_working() -> None:
    decision = walk([seen(0, 11), seen(28, 9)])[-1]
    share = [each for each in rationale(decision).criteria if each.id == "response.partial_share"]
    assert [(each.threshold, each.working, each.met) for each in share] == [
        ("2.2", "1/5 of B, 11", False)
    ]
    assert "| 2.2 points (1/5 of B, 11) |" in explain(decision)


def test_an_event_that_the_criteria_do_not_know_is_said_to_be_judged_by_its_grade() -> None:
    told = messages(
        walk([seen(0, 11), seen(7, 11, adverse_events=(event("insomnia", 2), event("rash", 1)))])[
            -1
        ]
    )
    assert told["unknown-terms"].endswith("being unknown here: insomnia, grade 2 (CTCAE 5.0)")


def test_worse_says_how_far_above_the_lowest() -> None:
    decision = walk([seen(0, 12), seen(28, 0), seen(40, 9)])[-1]
    assert rationale(decision).reason.startswith(
        "The skin is worse (CLASI 9, up 9 from the lowest, 0; 12 at the start)"
    )


def test_the_ceiling_names_a_low_clearance() -> None:
    decision = walk([seen(0, 11), seen(28, 11, creatinine_clearance=clearance(45))])[-1]
    (ceiling,) = [each for each in rationale(decision).arithmetic if each.name == "ceiling"]
    assert (ceiling.value, ceiling.working) == (
        "5 mg once daily",
        "creatinine clearance 45 mL/min, below 60 mL/min",
    )


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        (27, "1 day early"),
        (28, "on time"),
        (35, "7 days after it was due"),
        (36, "8 days after it was due, late"),
    ],
)
def test_a_visit_is_late_after_more_than_seven_days_and_early_on_any_day_before(
    on: int, verdict: str
) -> None:
    decision = walk([seen(0, 11), seen(on, 11)])[-1]
    (due,) = [each for each in rationale(decision).arithmetic if each.name == "this visit was due"]
    assert due.working == verdict
    late = [each.met for each in rationale(decision).criteria if each.id == "intervals.late_after"]
    assert late == [on > 35]


def messages(decision: Decision) -> dict[str, str]:
    return {each.id: each.words for each in rationale(decision).messages}


@pytest.mark.parametrize(
    "danger",
    [
        {"neutrophils": count(0.49)},
        *({"adverse_events": (event(term),)} for term in PROTOCOL.safety.same_day_terms),
    ],
)
def test_danger_asks_for_same_day_assessment(danger: dict) -> None:
    told = messages(walk([seen(0, 11), seen(7, 11, **danger)])[-1])
    assert told["same-day-assessment"].startswith("same-day assessment: ")
    assert "same-day-assessment" not in messages(
        walk([seen(0, 11), seen(7, 11, neutrophils=count(0.5))])[-1]
    )


def test_what_was_taken_and_not_advised_is_printed() -> None:
    told = messages(walk([seen(0, 11), seen(28, 11, dosage_taken=took(10))])[-1])
    assert (
        told["not-advised"]
        == "10 mg once daily was taken since the visit before; advised was 5 mg once daily"
    )
    finished = walk([seen(0, 11), seen(28, 0), seen(58, 0), seen(72, 0, dosage_taken=took(5))])[-1]
    assert messages(finished)["not-advised"].endswith("advised was no drug")
    nothing = messages(walk([seen(0, 11), seen(28, 11, dosage_taken=took(0))])[-1])
    assert (
        nothing["not-advised"]
        == "nothing was taken since the visit before; advised was 5 mg once daily"
    )
    assert "not-advised" not in messages(
        walk([seen(0, 11), seen(28, 11, dosage_taken=took(5))])[-1]
    )


def test_a_judgement_is_printed_beside_what_the_scores_give() -> None:
    told = messages(walk([seen(0, 11), seen(28, 5, judgement=judged("not improved"))])[-1])
    assert told["judgement"] == (
        "judged not improved (seen by the clinician); "
        "by the scores alone the response would be partial"
    )


def test_panniculitis_antibodies_and_what_is_not_checked_are_printed() -> None:
    patient = Patient(subtype="Lupus Panniculitis", antiphospholipid=Antiphospholipid.POSITIVE)
    told = messages(walk([seen(0, 11)], patient)[-1])
    assert "- Lupus panniculitis: 2 of 2 did not respond (KINDLE16; read).\n" in explain(
        walk([seen(0, 11)], patient)[-1]
    )
    assert told["antiphospholipid"].startswith("antiphospholipid antibodies: positive")
    assert "contraception" in told["not-checked"]
    assert messages(walk([seen(0, 11)])[-1])["antiphospholipid"].startswith(
        "antiphospholipid antibodies: unknown"
    )


def test_a_month_outlasts_a_prescription() -> None:
    decision = walk([seen(0, 11), seen(60, 0, doses_missed=0)])[-1]
    supply = rationale(decision).supply
    assert supply is not None
    assert (supply.days, supply.days_to_next_visit, supply.shortfall) == (28, 31, 3)
    assert "3 days before the next visit is due" in explain(decision)
    start = rationale(walk([seen(0, 11)])[-1]).supply
    assert start is not None
    assert start.shortfall == 0
    assert rationale(walk([Visit(day(0))])[-1]).supply is None


def test_counts_and_tests_that_fall_due_are_printed_with_their_dates() -> None:
    start = walk([seen(0, 11, pregnancy_tests=negative(-12, 0))], FERTILE)[-1]
    weekly = (day(7), day(14), day(21), day(28))
    # The test of day 21 is still good on day 28, and after that for four weeks.
    assert {each.field: each.days for each in rationale(start).monitoring_due} == {
        "neutrophils": weekly,
        "platelets": weekly,
        "pregnancy_tests": weekly[:3],
    }
    assert rationale(walk([seen(0, 0)])[-1]).monitoring_due == ()


@given(courses(PROTOCOL, longest=4))
def test_what_falls_due_is_enough_until_that_day_and_no_longer(course) -> None:
    for decision in replay(course):
        state = apply(decision)
        for due in rationale(decision).monitoring_due:
            # The test four weeks after the last dose is asked for whatever else is recent.
            last_dose = state.treatment.ended_on or state.treatment.no_drug_since
            of_tests = due.field == "pregnancy_tests"
            others = [on for on in due.days if not of_tests or on - timedelta(days=28) != last_dose]
            assert decision.phase_after in TREATED or not others
            if not others:
                continue
            first = others[0]
            if decision.facts.safety in (Safety.STOP, Safety.INTERRUPT):
                continue  # a danger counts until a newer result, however old it is
            assert first >= decision.visit.date
            assert not stale(state, first, due.field)
            # What is missing at the visit falls due there, also on the last day it is asked for.
            missing = first == decision.visit.date and is_missing(decision, due.field)
            assert missing or stale(state, first + timedelta(days=1), due.field)


def is_missing(decision: Decision, field: str) -> bool:
    return field in [gap.field for gap in decision.missing]


def stale(state, on: date, field: str) -> bool:
    return (
        field in [gap.field for gap in observe(PROTOCOL, state, Visit(on)).missing_fields]
        if on > state.previous.on
        else False
    )


def test_the_reason_is_one_sentence_with_the_figures() -> None:
    decision = walk([seen(0, 11), seen(28, 10)])[-1]
    assert rationale(decision).reason == (
        "There is no response (CLASI 10, down 1, 9.1 %, from 11 at the start); 4 weeks since "
        "5 Jan 2026 are over; safety is acceptable (neutrophils 3, platelets 240 × 10⁹/L)."
    )
    ended = walk([seen(0, 11), seen(7, 11, adverse_events=(event("rash", 4),)), seen(20, 11)])
    reason = "Rash, grade 4 (CTCAE 5.0): a reason to stop for good."
    assert rationale(ended[1]).reason == reason
    assert rationale(ended[2]).reason == "Treatment ended for good on 12 Jan 2026."
    low = walk([seen(0, 11), seen(7, 11, creatinine_clearance=clearance(20))])[-1]
    assert rationale(low).reason == (
        "Creatinine clearance 20 mL/min, below 30 mL/min: a reason to interrupt."
    )
    said = walk([seen(0, 11), seen(28, None, judgement=judged("improved"))])[-1]
    assert "The response is partial (judged improved)" in rationale(said).reason


def test_what_is_missing_and_still_possible_is_said() -> None:
    page = explain(walk([seen(0, 11), seen(28, None, neutrophils=count(3, day(1)))])[-1])
    assert "- neutrophils: stale. below 0.5 × 10⁹/L → interrupt, same-day assessment · " in page
    assert "- CLASI activity: absent. any score → ask first\n" in page
    assert "- Obtain first: neutrophils\n" in page
    assert evolve(PROTOCOL, version="2").hash not in page
