"""Days without drug, the end of treatment and the bounds of the next visit, redone by hand."""

from datetime import date

from hypothesis import given, settings
from tests.support.patients import (
    FERTILE,
    STERILE,
    clearance,
    count,
    day,
    event,
    negative,
    seen,
    took,
    walk,
)

from lenadose import Decision, Patient, Visit, alternatives, explain, rationale, replay
from lenadose.explanation.alternatives import Alternative
from lenadose.explanation.change_cost import Feasibility
from lenadose.explanation.criteria_met import EvaluatedCriterion
from lenadose.explanation.options import Options
from lenadose.explanation.phrases import smallest_changes
from lenadose.explanation.rationale import GAPS
from lenadose.terms.facts import ON_TREATMENT, Action, Phase
from lenadose.terms.interval import Interval, Unit
from lenadose.testing import courses

TESTED = {"pregnancy_tests": negative(-12, 0)}


def last(*visits: Visit, patient: Patient = STERILE) -> Decision:
    return walk(visits, patient)[-1]


def worked_out(decision: Decision) -> dict[str, tuple[object, str]]:
    return {each.name: (each.value, each.working) for each in rationale(decision).arithmetic}


def compared(decision: Decision) -> dict[str, EvaluatedCriterion]:
    return {each.id: each for each in rationale(decision).criteria}


def relied_on(decision: Decision) -> set[str]:
    return {each.id for each in rationale(decision).relied_on}


def falls_due(decision: Decision, field: str = "pregnancy_tests") -> tuple[object, ...]:
    due = {each.field: each.days for each in rationale(decision).monitoring_due}
    return due.get(field, ())


def change(decision: Decision, action: Action) -> Alternative:
    return next(each for each in alternatives(decision) if each.action is action)


# Days without drug


@settings(max_examples=100)
@given(courses(longest=6))
def test_an_absence_can_be_told_from_what_is_printed(course) -> None:
    for decision in replay(course):
        gap, before = compared(decision).get("intervals.longest_gap"), decision.seen.before
        if gap is None:
            continue
        assert before.treatment.phase in ON_TREATMENT
        assert (decision.facts.phase is Phase.INTERRUPTED) == gap.met
        assert gap.met == (gap.value > 7)  # type: ignore[operator]
        figures = worked_out(decision)
        until, _ = figures["drug to take until"]
        assert (decision.visit.date > until) == ("days without drug" in figures)  # type: ignore[operator]
        if not gap.met and before.treatment.dose is not None:
            held = before.treatment.dose.days_missed
            missed = max(0, (decision.visit.date - until).days)  # type: ignore[operator]
            assert figures["days missed"][0] == held + missed


def test_within_the_supply_no_day_is_without_drug() -> None:
    kept = last(seen(0, 11), seen(35, 9))
    supply, gap = compared(kept)["intervals.supply"], compared(kept)["intervals.longest_gap"]
    assert (supply.value, supply.threshold, supply.met) == (day(35), str(day(35)), True)
    assert (gap.value, gap.threshold, gap.met) == (0, "7 days", False)
    assert worked_out(kept)["drug to take until"] == (
        day(35),
        f"the later of 28 days from {day(0)} and the latest day of the next visit planned then, "
        f"{day(35)}",
    )
    assert "days without drug" not in worked_out(kept)


def test_a_short_absence_is_missed_days_and_a_longer_one_an_interruption() -> None:
    short, long = last(seen(0, 11), seen(42, 9)), last(seen(0, 11), seen(43, 9))
    assert worked_out(short)["days without drug"] == (
        7,
        f"since {day(35)}, not more than 7 days: missed days",
    )
    assert worked_out(long)["days without drug"] == (
        8,
        f"since {day(35)}, more than 7 days: interrupted",
    )
    assert (compared(short)["intervals.longest_gap"].met, short.facts.phase) == (
        False,
        Phase.TITRATION,
    )
    assert (compared(long)["intervals.longest_gap"].met, long.facts.phase) == (
        True,
        Phase.INTERRUPTED,
    )
    page = explain(long)
    assert "| interrupted: days without drug more than | 8 | 7 days | yes | assumed |" in page


def test_without_drug_advised_the_days_count_from_the_visit_before() -> None:
    unknown = seen(28, 9, adverse_events=None)
    decision = last(seen(0, 11), unknown, seen(32, 9))
    assert worked_out(decision)["drug to take until"] == (
        day(28),
        f"no drug was advised on {day(28)}",
    )
    assert compared(decision)["intervals.longest_gap"].value == 4
    assert "intervals.supply" not in compared(decision)


def test_a_word_on_what_was_taken_ends_the_count() -> None:
    for told in ({"doses_missed": 0}, {"dosage_taken": took(5)}, {"stopped": "wish"}):
        decision = last(seen(0, 11), seen(60, 9, **told))
        assert not {"intervals.supply", "intervals.longest_gap"} & compared(decision).keys()
        assert "drug to take until" not in worked_out(decision)
    off_ladder = (seen(0, 11), seen(28, 9, dosage_taken=took(7.5)), seen(90, 9))
    assert "drug to take until" not in worked_out(last(*off_ladder))


def test_the_ledger_names_how_an_absence_was_told() -> None:
    kept, away = last(seen(0, 11), seen(28, 9)), last(seen(0, 11), seen(60, 9))
    told = last(seen(0, 11), seen(28, 9, doses_missed=0))
    for decision in (kept, away):
        assert relied_on(decision) >= {*GAPS, "note.days-without-drug"}
    assert "intervals.longest_gap" not in relied_on(told)
    # An interruption that began before the last visit may have been told by silence.
    low = {"neutrophils": count(0.9)}
    waiting = last(seen(0, 11), seen(60, 9, **low), seen(63, 9, **low))
    assert relied_on(waiting) >= set(GAPS)
    by_advice = last(seen(0, 11), seen(7, 9, **low), seen(14, 9))
    assert "intervals.longest_gap" not in relied_on(by_advice)


def test_a_visit_that_was_kept_or_a_word_on_the_doses_undoes_an_absence() -> None:
    away = last(seen(0, 11), seen(60, 9))
    assert away.action is Action.RESUME
    assert smallest_changes(away, change(away, Action.ESCALATE)) == (
        f"not after {day(42)} (18 days earlier) and not before {day(28)} [past]"
    )
    said = Options(away).fields["doses_missed"]
    assert {option.value for option in said} == {0, 33}
    assert {option.means for option in said} == {Feasibility.PAST}
    kept = Options(last(seen(0, 11), seen(28, 9))).fields["doses_missed"]
    assert 0 not in {option.value for option in kept}
    told = last(seen(0, 11), seen(60, 9, doses_missed=2))
    assert smallest_changes(told, change(told, Action.RESUME)) == (
        "doses missed not reported instead of 2 [past]"
    )
    taken = last(seen(0, 11), seen(60, 9, dosage_taken=took(5)))
    assert smallest_changes(taken, change(taken, Action.RESUME)) == (
        "dosage taken not reported instead of 5 mg once daily [past]"
    )


def test_nobody_waits_past_the_supply() -> None:
    decision = last(seen(0, 11), seen(28, 11))
    (taken,) = change(decision, Action.RESUME).changes
    assert (taken.field, taken.means) == ("dosage_taken", Feasibility.PAST)


def test_an_excluded_suspicion_and_a_resolved_bleeding_lead_back_to_treatment() -> None:
    suspected = {"adverse_events": (event("suspected thromboembolism"),)}
    waiting = last(seen(0, 11), seen(7, 11, **suspected), seen(10, 11, adverse_events=()))
    assert waiting.action is Action.INTERRUPT
    assert smallest_changes(waiting, change(waiting, Action.RESUME)) == (
        "suspected thromboembolism, resolved and no adverse events instead of none "
        "[what the patient shows]"
    )
    # A missed period asks for a new test too.
    missed = seen(7, 11, pregnancy_tests=negative(5), adverse_events=(event("missed period"),))
    untested = last(seen(0, 11, **TESTED), missed, seen(10, 11), patient=FERTILE)
    back = change(untested, Action.RESUME).changes
    assert {each.field for each in back} == {"adverse_events", "pregnancy_tests"}


# The pregnancy tests


def test_when_tests_begin_anew_stands_among_the_criteria() -> None:
    visits = [
        seen(0, 11, **TESTED),
        seen(28, 11, pregnancy_tests=negative(28), neutrophils=count(0.9)),
    ]
    for on, anew in ((56, False), (57, True)):
        decision = last(*visits, seen(on, 11, pregnancy_tests=negative(on)), patient=FERTILE)
        criterion = compared(decision)["safety.tests_anew_after"]
        assert (criterion.value, criterion.threshold) == (on - 28, "28 days")
        assert criterion.met is anew
        assert ("safety.first_test" in compared(decision)) is anew
    # What the prescriber decided on is compared as of the visit that it was left to.
    answer = seen(64, 11, pregnancy_tests=negative(64), dosage_taken=took(5))
    asked = seen(57, 11, pregnancy_tests=negative(46, 57))
    resumed = last(*visits, asked, answer, patient=FERTILE)
    assert compared(resumed)["safety.tests_anew_after"].value == 29
    assert compared(resumed)["safety.test_age_early"].value == 0
    assert "safety.tests_anew_after" not in compared(last(*visits, seen(57, 11)))


def test_the_ledger_names_when_tests_begin_anew_after_a_resumption_only() -> None:
    started = [seen(0, 11, **TESTED), seen(7, 11, pregnancy_tests=negative(7))]
    assert "safety.tests_anew_after" not in relied_on(last(*started, patient=FERTILE))
    low = seen(14, 11, pregnancy_tests=negative(14), neutrophils=count(0.9))
    back = seen(21, 11, pregnancy_tests=negative(21))
    later = seen(28, 11, pregnancy_tests=negative(28))
    resumed = [*started, low, back, later]
    assert "safety.tests_anew_after" in relied_on(last(*resumed, patient=FERTILE))
    assert "safety.tests_anew_after" not in relied_on(last(*resumed))


def test_the_test_four_weeks_after_the_last_dose_falls_due() -> None:
    start, on_it = seen(0, 11, **TESTED), negative(28)
    stopped = seen(28, 11, pregnancy_tests=on_it, stopped="wish")
    ended = last(start, stopped, patient=FERTILE)
    assert falls_due(ended) == (day(56),)
    assert falls_due(last(start, stopped)) == ()
    assert falls_due(last(start, stopped, seen(56, 11), patient=FERTILE)) == ()
    # Drug that was taken afterwards moves it.
    taken = seen(40, 11, dosage_taken=took(5))
    assert falls_due(last(start, stopped, taken, seen(47, 11), patient=FERTILE)) == (day(68),)
    pregnant = seen(40, 11, adverse_events=(event("pregnancy"),))
    assert falls_due(last(start, stopped, pregnant, seen(47, 11), patient=FERTILE)) == ()


def test_in_an_interruption_the_test_after_the_last_dose_falls_due_too() -> None:
    low = {"neutrophils": count(0.9)}
    visits = [
        seen(0, 11, **TESTED),
        seen(28, 11, pregnancy_tests=negative(28), **low),
        seen(50, 11, pregnancy_tests=negative(50), **low),
    ]
    assert falls_due(last(*visits, patient=FERTILE)) == (day(56),)
    # Afterwards the two tests of a start are asked for.
    assert falls_due(last(*visits, seen(57, 11, **low), patient=FERTILE)) == ()


def test_tests_are_early_ones_after_the_start_of_a_course_not_after_a_relapse() -> None:
    def tested(on: int, activity: int) -> Visit:
        return seen(on, activity, pregnancy_tests=negative(on))

    visits = [seen(0, 11, **TESTED), tested(28, 0), tested(58, 7)]
    relapse = last(*visits, patient=FERTILE)
    assert relapse.rule.id == "relapse-in-taper"
    assert falls_due(relapse) == (day(86),)
    assert falls_due(relapse, "neutrophils")[0] == day(65)


# The end of treatment


def test_the_end_of_treatment_and_of_pregnancy_prevention_is_worked_out() -> None:
    start = seen(0, 11, **TESTED)
    stopped = seen(28, 11, pregnancy_tests=negative(28), stopped="wish")
    figures = worked_out(last(start, stopped, patient=FERTILE))
    assert figures["end of treatment"] == (day(28), "at this visit")
    assert figures["end of pregnancy prevention"] == (
        day(56),
        f"4 weeks from the end of treatment, {day(28)}",
    )
    later = worked_out(last(start, stopped, seen(30, 11), patient=FERTILE))
    assert later["end of treatment"] == (day(28), "as of an earlier visit")
    assert later["next visit due"][1].startswith(f"4 weeks from {day(28)}: ")
    taken = last(start, stopped, seen(40, 11, dosage_taken=took(5)), patient=FERTILE)
    assert worked_out(taken)["end of treatment"] == (
        day(40),
        "moved to this visit: 5 mg once daily was taken",
    )
    unable = worked_out(last(start, stopped))
    assert "end of treatment" in unable
    assert "end of pregnancy prevention" not in unable
    assert "end of treatment" not in worked_out(last(start, seen(28, 9)))


# The next visit


def how_next(decision: Decision) -> str:
    return worked_out(decision)["next visit due"][1]


def test_the_next_visit_says_why_it_comes_sooner() -> None:
    question = "next visit after a question, an interruption or with caution"
    finished = [seen(0, 11), seen(28, 0), seen(58, 0)]
    danger = last(*finished, seen(72, 0, neutrophils=count(0.4)))
    assert how_next(danger) == (
        f"7 days from {day(72)}: {question}; sooner because of neutrophils 0.4 × 10⁹/L"
    )
    taken = last(*finished, seen(72, 0, dosage_taken=took(5)))
    assert how_next(taken).endswith("; sooner because of 5 mg once daily taken, not advised")
    # A question comes as soon without a danger.
    asked = last(seen(0, 11), seen(7, 11, neutrophils=count(0.4)))
    assert how_next(asked) == f"7 days from {day(7)}: {question}"


def test_before_a_start_the_next_visit_is_when_both_tests_can_have_been_done() -> None:
    (none,) = walk([seen(0, 11)], FERTILE)
    assert how_next(none) == (
        f"14 days from {day(0)}: both pregnancy tests can have been done by then, "
        f"the first of them on {day(0)}"
    )
    (first,) = walk([seen(0, 11, pregnancy_tests=negative(-3))], FERTILE)
    assert how_next(first).startswith(f"14 days from {day(-3)}: both pregnancy tests")
    assert first.next_visit is not None
    assert (first.next_visit.earliest, first.next_visit.due) == (day(7), day(11))
    assert relied_on(first) >= {"safety.first_test"}


def test_in_an_interruption_the_next_visit_is_bounded_by_simple_resumption() -> None:
    low = {"neutrophils": count(0.9)}
    waiting = last(seen(0, 11), seen(28, 11, **low), seen(50, 11, **low))
    assert how_next(waiting) == (
        f"28 days from {day(28)}, the last day on which the interruption may simply be resumed; "
        f"without that {day(57)}: next visit after a question, an interruption or with caution"
    )
    assert relied_on(waiting) >= {"intervals.resumable"}


@settings(max_examples=100)
@given(courses(longest=6))
def test_the_day_that_is_named_for_the_next_visit_is_the_one_that_is_due(course) -> None:
    for decision in replay(course):
        if decision.next_visit is None:
            continue
        words = how_next(decision)
        if words.startswith("when the interval"):
            assert decision.next_visit.due == decision.seen.due_on
            continue
        length, rest = words.split(" from ", 1)
        since = date.fromisoformat(rest.removeprefix("the finish on ")[:10])
        number, unit = length.split(" ")
        interval = Interval(int(number), Unit(f"{unit.rstrip('s')}s"))
        assert interval.after(since) == decision.next_visit.due


# What else the ledger names


def test_the_choices_that_a_decision_rests_on_are_named() -> None:
    relapse = [seen(0, 11), seen(28, 0), seen(58, 7)]
    assert "note.relapse-baseline" in relied_on(last(*relapse))
    assert "note.relapse-baseline" in relied_on(last(*relapse, seen(86, 6)))
    assert "note.relapse-baseline" not in relied_on(last(*relapse[:2]))
    stopped = seen(28, 9, stopped="wish")
    assert "note.stopped" in relied_on(last(seen(0, 11), stopped))
    assert "note.stopped" not in relied_on(last(seen(0, 11), stopped, seen(56, 9)))
    missed = seen(28, 9, pregnancy_tests=negative(28), adverse_events=(event("missed period"),))
    over = {"adverse_events": (event("missed period", resolved=True),)}
    back = seen(35, 9, pregnancy_tests=negative(35), **over)
    voided = "note.tests-before-missed-period"
    assert voided in relied_on(last(seen(0, 11, **TESTED), missed, back, patient=FERTILE))
    assert voided not in relied_on(last(seen(0, 11), missed, back))
    assert "note.sustained-without-end" in relied_on(last(seen(0, 11), seen(28, 5)))
    assert "note.sustained-without-end" not in relied_on(last(seen(0, 11), seen(28, 9)))


def test_what_lowers_the_ceiling_is_named() -> None:
    kidneys = last(seen(0, 11, creatinine_clearance=clearance(45)))
    assert relied_on(kidneys) >= {"safety.clearance_ceiling", "note.clearance-age"}
    low = [seen(0, 11), seen(7, 11, neutrophils=count(0.9))]
    assert relied_on(last(*low)) >= {"note.harm-lowers-ceiling", "note.single-count"}
    both = last(*low, seen(14, 11, creatinine_clearance=clearance(45)))
    assert relied_on(both) >= {"note.harm-lowers-ceiling", "safety.clearance_ceiling"}
    assert "note.single-count" not in relied_on(both)
    headache = last(seen(0, 11), seen(7, 11, adverse_events=(event("headache", 3),)))
    assert "note.single-count" not in relied_on(headache)
    assert "note.harm-lowers-ceiling" in relied_on(headache)
    well = relied_on(last(seen(0, 11)))
    assert not well & {"note.harm-lowers-ceiling", "safety.clearance_ceiling", "note.clearance-age"}


def test_unknown_cycles_matter_only_where_tests_are_asked_for() -> None:
    unable = Patient(able_to_become_pregnant=False)
    assert "note.unknown-patient" not in relied_on(last(seen(0, 11), patient=unable))
    assert "note.unknown-patient" in relied_on(last(seen(0, 11), patient=Patient()))
    assert "note.unknown-patient" not in relied_on(last(seen(0, 11), patient=FERTILE))
