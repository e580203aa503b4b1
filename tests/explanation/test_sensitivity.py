"""A changed number changes only decisions that name it, and the situations that are counted."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given, settings
from tests.support.mutation import moved_thresholds, wrong_actions
from tests.support.patients import (
    FERTILE,
    PROTOCOL,
    STERILE,
    clearance,
    count,
    event,
    seen,
    walk,
)

from lenadose import (
    CallError,
    Decision,
    Dosage,
    LenadoseError,
    Patient,
    begin,
    rationale,
    recommend,
    replay,
    step,
)
from lenadose.engine.observe import observe
from lenadose.engine.state import (
    Baseline,
    CurrentLevel,
    DatedScore,
    PreviousVisit,
    State,
    Treatment,
)
from lenadose.explanation.sensitivity import stakes
from lenadose.protocol.advice import Advice, Effects, FollowUp, VisitWindow
from lenadose.protocol.builtin import BUILT_IN, get_protocol
from lenadose.protocol.protocol import Protocol, case_id
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.course import Course
from lenadose.record.visit import (
    JudgedResponse,
    Judgement,
    PregnancyTest,
    TestResult,
    Visit,
)
from lenadose.report.protocol import assumptions
from lenadose.terms.facts import ON_TREATMENT, Action, Facts, Phase, Safety
from lenadose.terms.interval import days, weeks
from lenadose.testing import courses


def line_of(words: str) -> str:
    """The line of the ledger that a moved number stands in."""
    place = words.split(" ")[0]
    return f"event.{place.split('.')[2]}" if place.startswith("safety.events.") else place


def moved(protocol: Protocol) -> Iterator[tuple[str, Protocol]]:
    """A protocol with each of its numbers moved, and the line of the ledger that it stands in."""
    for mutant in moved_thresholds(protocol):
        try:
            yield line_of(mutant.words), mutant.build()
        except LenadoseError:
            continue


MOVED = {id: tuple(moved(get_protocol(id))) for id in BUILT_IN}


@pytest.mark.parametrize("id", BUILT_IN)
def test_every_number_of_the_ledger_is_moved(id: str) -> None:
    # A level, a response and a question are no numbers, and an event without a grade has none.
    protocol = get_protocol(id)
    graded = {f"event.{each.id}" for each in protocol.safety.events if each.least_grade}
    others = {"response.reduction_needs", "safety.clearance_ceiling", "safety.not_asked"}
    numbers = {
        each.id
        for each in protocol.ledger
        if each.id.split(".")[0] in ("intervals", "response", "safety")
    } - others
    assert {line for line, _ in MOVED[id]} == numbers | graded


def given_out(decision: Decision) -> tuple[Action, object, VisitWindow | None]:
    return decision.action, decision.dosage, decision.next_visit


def names(decision: Decision, line: str) -> bool:
    return line in {each.id for each in rationale(decision).relied_on}


@settings(max_examples=60)
@given(courses(longest=8))
def test_a_number_moved_changes_only_decisions_whose_ledger_names_it(course: Course) -> None:
    # From the same past: a decision after one that differs has another past.
    protocol = get_protocol(course.protocol or PROTOCOL.id)
    decisions = replay(course, protocol)
    for line, other in MOVED[protocol.id]:
        state = begin(other, course.patient)
        for decision in decisions:
            try:
                changed, state = step(other, state, decision.visit)
            except CallError:
                break  # the other number has already led to fewer doses than were missed
            if given_out(changed) != given_out(decision):
                assert names(decision, line), (line, decision.visit.date)
                break


@settings(max_examples=60)
@given(courses(longest=8))
def test_on_the_same_state_a_number_moved_changes_only_decisions_whose_ledger_names_it(
    course: Course,
) -> None:
    protocol = get_protocol(course.protocol or PROTOCOL.id)
    for decision in replay(course, protocol)[-3:]:
        for line, other in MOVED[protocol.id]:
            changed = recommend(observe(other, under(other, decision.seen.before), decision.visit))
            assert given_out(changed) == given_out(decision) or names(decision, line), (
                line,
                decision.visit.date,
            )


def test_not_every_decision_names_every_number() -> None:
    started, kept = walk([seen(0, 11), seen(14, 9)])
    for line in (
        "intervals.resumable",
        "intervals.surveillance",
        "safety.first_test",
        "intervals.taper_step",
    ):
        assert not names(started, line)
        assert not names(kept, line)
    assert names(kept, "intervals.first_assessment")
    assert not names(kept, "intervals.review")


def test_the_latest_day_of_the_next_visit_and_the_end_of_surveillance_are_relied_on() -> None:
    start, *_, last = walk([seen(0, 11), seen(28, 0), seen(56, 0), seen(500, 0)])
    assert names(start, "intervals.late_after")
    assert last.next_visit is None
    assert names(last, "intervals.surveillance")


# What each line would change, by trial: states made so that each clock changes today or tomorrow

TODAY = date(2026, 6, 1)
NEGATIVE = TestResult.NEGATIVE
IRREGULAR = Patient(age=30, able_to_become_pregnant=True, regular_cycles=False)
DAY = timedelta(days=1)
LEVELS = PROTOCOL.ladder.levels
HELD_UNDER = ((1, 2), (0, 2), (2, 2), (0, 0), (1, 1), (2, 1), (1, None))
"""A level for each position, with the ceiling that harm has left."""
SKINS: tuple[dict[str, object], ...] = (
    {"clasi_activity": 0},
    *({"clasi_activity": 9, "judgement": Judgement(each, "seen")} for each in JudgedResponse),
    {},
)
OTHERWISE = ((event("rash", 4),), (event("headache", 3),), (event("fatigue", 2),), (), None)


ENDS = {Phase.TITRATION: 28, Phase.TAPER: 31, Phase.INTERRUPTED: 29}
"""The days after which an interval, a month before the first of June or an interruption is over."""


def states(
    phase: Phase, start_activity: int, nadir: int, patient: Patient, tests_from: date
) -> Iterator[State]:
    """Yield patients in a phase at every level and ceiling, on the days around each clock."""
    if phase is Phase.BEFORE_START:
        yield begin(PROTOCOL, patient)
        return
    treated = phase in ENDS
    match = next(PROTOCOL.table.situations())
    clocks = product((ENDS[phase] - 1, ENDS[phase]), (83, 84)) if treated else ((28, 84),)
    for since, gain in clocks:
        for held, left in HELD_UNDER if treated else HELD_UNDER[:1]:
            for off in (None, Decimal("7.5")) if phase in ON_TREATMENT and held == 2 else (None,):
                start = Baseline(TODAY - gain * DAY, start_activity, 0)
                ran_from = TODAY - since * DAY
                long_ago = TODAY - 200 * DAY
                dose = CurrentLevel(LEVELS[held], long_ago, ran_from, long_ago, tests_from)
                dose = dose if off is None else evolve(dose, off_ladder=Dosage(off))
                advice = Advice(match, LEVELS[held], phase, Effects(), False, FollowUp.REVIEW)
                came_with = Treatment(phase, dose, DatedScore(nadir, ran_from))
                yield State(
                    PROTOCOL.name,
                    PROTOCOL.decision_hash,
                    patient,
                    None if left is None else LEVELS[left],
                    Treatment(
                        phase,
                        dose,
                        DatedScore(nadir, TODAY - 5 * DAY),
                        None,
                        *([TODAY - since * DAY] * 2 if phase is Phase.INTERRUPTED else ()),
                    ),
                    baseline=start,
                    finished_on=TODAY - 60 * DAY if phase is Phase.OFF_TREATMENT else None,
                    previous=PreviousVisit(
                        TODAY - 5 * DAY,
                        12,
                        VisitWindow(TODAY, TODAY, TODAY + 7 * DAY),
                        advice,
                        came_with,
                        False,
                    ),
                )


Shown = dict[str, object]
WELL: Shown = {
    "neutrophils": count(3),
    "platelets": count(240),
    "creatinine_clearance": clearance(95),
}


def under(protocol: Protocol, state: State) -> State:
    """Return the same state under another protocol."""
    return evolve(state, protocol_name=protocol.name, decision_hash=protocol.decision_hash)


def by_trial(
    others: list[Protocol],
    findings: Iterable[Shown] = ({},),
    skins: tuple[Shown, ...] = SKINS,
    start: int = 20,
    nadir: int = 9,
    lists: tuple[tuple[AdverseEvent, ...] | None, ...] = OTHERWISE,
    patient: Patient = STERILE,
    tests_from: date = date(2025, 1, 1),
) -> set[Facts]:
    """Return the situations for which two protocols advise different actions."""
    found = set()
    for phase in Phase:
        for state in states(phase, start, nadir, patient, tests_from):
            for skin, events, shown in product(skins, lists, findings):
                visit = Visit(TODAY, **{**WELL, **skin, "adverse_events": events, **shown})  # type: ignore[arg-type]
                match = observe(PROTOCOL, state, visit).match
                for other in others:
                    again = observe(other, under(other, state), visit).match
                    if again.rule.action is not match.rule.action:
                        found |= {match.facts, again.facts}
    return found


def scored(other: Protocol, *scores: tuple[int, int, int]) -> set[Facts]:
    """The same for scores: the activity at the start, the lowest, and now."""
    sides = (
        by_trial([other], skins=({"clasi_activity": now},), start=b, nadir=m)
        for b, m, now in scores
    )
    return set().union(*sides)


def with_safety(**changes: object) -> Protocol:
    moved = {
        name: evolve(getattr(PROTOCOL.safety, name), value=value) for name, value in changes.items()
    }
    return evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, **moved))


def with_count(name: str, limit: str, value: Decimal) -> Protocol:
    limits = getattr(PROTOCOL.safety, name)
    moved = evolve(limits, **{limit: evolve(getattr(limits, limit), value=value)})
    return evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, **{name: moved}))


def with_intervals(**changes: object) -> Protocol:
    moved = {
        name: evolve(getattr(PROTOCOL.intervals, name), value=value)
        for name, value in changes.items()
    }
    return evolve(PROTOCOL, intervals=evolve(PROTOCOL.intervals, **moved))


def with_response(**changes: object) -> Protocol:
    moved = {
        name: evolve(getattr(PROTOCOL.response, name), value=value)
        for name, value in changes.items()
    }
    return evolve(PROTOCOL, response=evolve(PROTOCOL.response, **moved))


def without_event(id: str) -> Protocol:
    kept = tuple(each for each in PROTOCOL.safety.events if each.id != id)
    return evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, events=kept))


def with_event(grade: int) -> list[Shown]:
    """The event, and none, beside all else that safety can hang on."""
    counts = {
        Safety.INTERRUPT: count(0.5),
        Safety.CAUTION: count(1.2),
        Safety.NOT_ASSESSED: None,
        Safety.ACCEPTABLE: count(3),
    }
    lists = ((), (event("headache", grade),), (event("headache", grade), event("rash", 4)))
    return [
        {"neutrophils": each, "adverse_events": some}
        for each, some in product(counts.values(), lists)
    ]


def old(days_ago: int) -> date:
    return TODAY - days_ago * DAY


def negatives(*days_ago: int) -> list[Shown]:
    """Negative tests so many days ago."""
    return [{"pregnancy_tests": tuple(PregnancyTest(NEGATIVE, old(each)) for each in days_ago)}]


TherapeuticTrial = Callable[[], set[Facts]]
BY_TRIAL: dict[str, TherapeuticTrial] = {
    "safety.neutrophils.interrupt_below": lambda: by_trial(
        [with_count("neutrophils", "interrupt_below", Decimal(each)) for each in ("0.9", "1.1")],
        [{"neutrophils": count(each)} for each in (0.95, 1.05)],
    ),
    "safety.platelets.caution_below": lambda: by_trial(
        [with_count("platelets", "caution_below", Decimal(each)) for each in (70, 80)],
        [{"platelets": count(each)} for each in (73, 77)],
    ),
    "safety.clearance_interrupt_below": lambda: by_trial(
        [with_safety(clearance_interrupt_below=Decimal(each)) for each in (25, 35)],
        # Of a low clearance either side of the limit lies in the band that lowers the ceiling.
        [{"creatinine_clearance": clearance(each)} for each in (28, 32)],
    ),
    "safety.clearance_lowers_below": lambda: by_trial(
        [with_safety(clearance_lowers_below=Decimal(each)) for each in (55, 65)],
        [{"creatinine_clearance": clearance(each)} for each in (58, 62)],
    ),
    "safety.counts_age": lambda: by_trial(
        [with_safety(counts_age=days(each)) for each in (25, 31)],
        [{"platelets": count(amount, old(age))} for amount, age in product((240, 60), (27, 30))],
    ),
    "safety.first_test": lambda: by_trial(
        [with_safety(first_test=(days(10), days(each))) for each in (13, 15)],
        [*negatives(14, 0), *negatives(15, 0)],
        patient=FERTILE,
    ),
    "safety.second_test_age": lambda: by_trial(
        [with_safety(second_test_age=days(2))], negatives(12, 2), patient=FERTILE
    ),
    "safety.test_age": lambda: by_trial(
        [with_safety(test_age=days(27))], negatives(28), patient=FERTILE
    ),
    "safety.test_age_irregular": lambda: by_trial(
        [with_safety(test_age_irregular=days(13))], negatives(14), patient=IRREGULAR
    ),
    "safety.test_age_early": lambda: by_trial(
        [with_safety(test_age_early=days(6))], negatives(7), patient=FERTILE, tests_from=old(20)
    ),
    "safety.tests_early": lambda: by_trial(
        [with_safety(tests_early=days(19))], negatives(14), patient=FERTILE, tests_from=old(20)
    ),
    "intervals.first_assessment": lambda: by_trial(
        [with_intervals(first_assessment=days(each)) for each in (27, 29)], [{}]
    ),
    "intervals.taper_step": lambda: by_trial(
        [with_intervals(taper_step=days(each)) for each in (20, 40)]
    ),
    "intervals.resumable": lambda: by_trial(
        [with_intervals(resumable=days(each)) for each in (27, 29)]
    ),
    "intervals.trial": lambda: by_trial([with_intervals(trial=weeks(each)) for each in (11, 13)]),
    "response.complete_at": lambda: by_trial(
        [with_response(complete_at=9)], skins=(*SKINS, {"clasi_activity": 2})
    ),
    "response.worse_points": lambda: scored(
        with_response(worse_points=70), (20, 5, 13), (10, 5, 9)
    ),
    "response.worse_share": lambda: scored(
        with_response(worse_share=Fraction(1)), (20, 5, 13), (10, 5, 9)
    ),
    "response.partial_points": lambda: scored(with_response(partial_points=5), (10, 5, 6)),
    "response.partial_share": lambda: scored(
        with_response(partial_share=Fraction(3, 10)), (20, 15, 16)
    ),
    "response.partial_below": lambda: scored(with_response(partial_below=6), (6, 5, 5)),
    "response.mild_below": lambda: by_trial([with_response(mild_below=10)]),
    "event.grade-4": lambda: by_trial([without_event("grade-4")], with_event(4), lists=(None,)),
    "event.grade-2": lambda: by_trial([without_event("grade-2")], with_event(2), lists=(None,)),
}


@pytest.mark.parametrize("line", BY_TRIAL)
def test_a_number_changes_as_many_situations_as_are_found_by_trial(line: str) -> None:
    counted = {each.entry.id: each.situations for each in stakes(PROTOCOL)}
    assert len(BY_TRIAL[line]()) == counted[line]


@pytest.mark.parametrize(
    ("anew", "two", "newest"), [(14, 255, 624), (28, 135, 624), (40, 135, 744)]
)
def test_in_an_interruption_it_depends_on_its_length_which_tests_count(
    anew: int, two: int, newest: int
) -> None:
    # One that may simply be resumed lasts up to 28 days.
    other = with_safety(tests_anew_after=days(anew))
    counted = {each.entry.id: each.situations for each in stakes(other)}
    assert (counted["safety.first_test"], counted["safety.test_age"]) == (two, newest)


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_row_counts_the_situations_that_change_with_its_action(id: str) -> None:
    protocol = get_protocol(id)
    counted = {each.entry.id.removeprefix("rule."): each.situations for each in stakes(protocol)}
    names = {
        case_id(row, case).removeprefix("rule.")
        for row in protocol.table.rules
        for case in row.cases
    }
    for mutant in wrong_actions(protocol):
        row = mutant.words.split(":")[0]
        name = row if row in names else f"{row[:-2]}.{row[-1]}"
        if name not in names:
            continue  # one other action of each row is enough
        names.remove(name)
        other = mutant.build().table
        pairs = zip(protocol.table.situations(), other.situations(), strict=True)
        assert (
            sum(one.rule.action is not another.rule.action for one, another in pairs)
            == counted[name]
        )
    assert not names


@pytest.mark.parametrize("id", BUILT_IN)
def test_what_changes_no_action_says_what_it_changes_instead(id: str) -> None:
    protocol = get_protocol(id)
    for each in stakes(protocol):
        assert (each.words == "the action") == bool(each.situations)
        is_reading = each.entry.id.startswith("note.") or each.entry.id in (
            "intervals.longest_gap",
            "intervals.supply",
            "intervals.late_after",
        )
        assert (each.situations is None) == is_reading
    page = assumptions(protocol)
    assert "Situations are counted out of the 1780" in page
    assert all(each.citation in page for each in protocol.sources)
