"""The changes lead to the action, no smaller set of one or two does, and none is left out."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest
from attrs import evolve
from hypothesis import given, settings
from jsonschema import Draft202012Validator, FormatChecker
from tests.support.paths import ROOT
from tests.support.patients import (
    FERTILE,
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
    AdverseEvent,
    Decision,
    DosageTaken,
    Judgement,
    PregnancyTest,
    alternatives,
    load_course,
    replay,
)
from lenadose.engine.observe import observe
from lenadose.explanation.alternatives import (
    Alternative,
    Change,
    alternative,
)
from lenadose.explanation.change_cost import FIELDS, Feasibility
from lenadose.explanation.change_range import value_range
from lenadose.explanation.options import HORIZON
from lenadose.explanation.phrases import describe_change, smallest_changes
from lenadose.formats.course_json import course_data, read_course
from lenadose.formats.decision_json import contrast_data
from lenadose.formats.schema import decision_schema
from lenadose.protocol.builtin import get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.event_terms import RESOLVABLE
from lenadose.record.measurement import Measurement
from lenadose.record.visit import JudgedResponse, TestResult
from lenadose.terms.errors import CallError
from lenadose.terms.facts import Action, Phase, Safety
from lenadose.terms.interval import days, months
from lenadose.testing import courses

COURSES = sorted((ROOT / "examples" / "courses").glob("*.json"))
NEGATIVE, POSITIVE = PregnancyTest(TestResult.NEGATIVE), PregnancyTest(TestResult.POSITIVE)
DAY = timedelta(days=1)
EVENTS = (
    event("fatigue", 1),
    event("fatigue", 2),
    event("headache", 3),
    event("headache", 4),
    event("rash", 4),
    event("pregnancy"),
    event("missed period"),
    event("angioedema"),
    event("venous thromboembolism"),
    event("febrile neutropenia"),
    event("peripheral sensory neuropathy", 2),
    event("peripheral sensory neuropathy", 3),
    event("systemic lupus flare"),
)


def shown_tests(decision: Decision, on: date) -> list[object]:
    """Return the pregnancy tests that a visit on a day can show."""
    own = tuple(
        each for each in decision.visit.pregnancy_tests or () if each.result is TestResult.NEGATIVE
    )
    first = PregnancyTest(TestResult.NEGATIVE, on - 12 * DAY)
    return [None, (), (NEGATIVE,), (*own, NEGATIVE), (first, NEGATIVE), (POSITIVE,)]


def values(decision: Decision) -> dict[str, list[object]]:
    """All that each field can hold, written without a look at how the library looks for it."""
    visit, last = decision.visit, decision.seen.before.previous
    ongoing = {each.name for each in decision.seen.before.findings.ongoing}
    over: list[tuple[AdverseEvent, ...]] = [
        tuple(event(name, resolved=True) for name in names)
        for size in range(len(RESOLVABLE) + 1)
        for names in combinations([each for each in RESOLVABLE if each in ongoing], size)
    ]
    lists = [(*some, *new) for some in over for new in ((), *((each,) for each in EVENTS))]
    told_twice = [len({each.name for each in some}) < len(some) for some in lists]
    first = last.on + DAY if last else visit.date - 30 * DAY
    first = max(first, visit.date - HORIZON)
    levels = [
        DosageTaken(each.dosage.mg, each.dosage.every_days)
        for each in decision.protocol.ladder.levels
    ]
    return {
        "date": [first + number * DAY for number in range((visit.date + HORIZON - first).days + 1)],
        "clasi_activity": [None, *range(71)],
        "neutrophils": [None, *map(count, (0.4, 0.9, 1, 1.4, 1.5, 3))],
        "platelets": [None, *map(count, (20, 49, 50, 74, 75, 240))],
        "creatinine_clearance": [None, *map(clearance, (20, 29, 30, 59, 60, 95))],
        "adverse_events": [
            None,
            *(some for some, duplicates in zip(lists, told_twice, strict=True) if not duplicates),
        ],
        "pregnancy_tests": shown_tests(decision, visit.date),
        "judgement": [None, *(Judgement(each, "seen") for each in JudgedResponse)],
        "doses_missed": [None, *range(60)],
        "dosage_taken": [None, *levels, took(0), took(2.5), took(7.5), took(20), took(2.5, 2)],
    }


def said(decision: Decision, changes: dict[str, object]) -> Action | None:
    """Return the action on the visit with changes, None if there can be no such visit."""
    protocol, before = decision.protocol, decision.seen.before
    try:
        return observe(protocol, before, evolve(decision.visit, **changes)).match.rule.action
    except CallError:
        return None


def told(decision: Decision) -> dict[Action, Alternative]:
    """Return every other action, after checking that it needs each of its changes."""
    others = {each.action: each for each in alternatives(decision)}
    assert others.keys() | {decision.action} == set(Action)
    assert decision.action not in others
    for each in others.values():
        assert each.reachable == bool(each.changes)
        for size in range(len(each.changes)):
            for some in combinations(each.changes, size):
                assert said(decision, applied(some)) is not each.action
        if each.reachable:
            assert said(decision, applied(each.changes)) is each.action
    return others


def applied(changes: tuple[Change, ...]) -> dict[str, object]:
    return {each.field: each.after for each in changes}


def singly(decision: Decision) -> Iterator[tuple[dict[str, object], Action | None]]:
    """Every value of every field alone."""
    for name, some in values(decision).items():
        for each in some:
            yield {name: each}, said(decision, {name: each})


def in_pairs(decision: Decision) -> Iterator[tuple[dict[str, object], Action | None]]:
    """Every pair of values of two fields, of days and numbers those in reach of the clocks."""
    some = values(decision)
    visit = decision.visit
    some["date"] = [each for each in some["date"] if -10 <= (each - visit.date).days <= 40]  # type: ignore[operator]
    some["clasi_activity"] = [None, *range(24)]
    some["doses_missed"] = [0, 1, 5, 6, 7, 14, 28]
    for one, other in combinations(FIELDS, 2):
        for first in some[one]:
            on = first if isinstance(first, date) else visit.date
            for second in shown_tests(decision, on) if other == "pregnancy_tests" else some[other]:
                changes = {one: first, other: second}
                yield changes, said(decision, changes)


def at_random(decision: Decision, number: int) -> Iterator[tuple[dict[str, object], Action | None]]:
    """Sets of changes drawn at random, of two to eight fields."""
    draw, some = Random(1), values(decision)
    for _ in range(number):
        names = draw.sample(FIELDS, draw.randint(2, 8))
        changes = {name: draw.choice(some[name]) for name in names if name != "pregnancy_tests"}
        if "pregnancy_tests" in names:
            on = changes.get("date", decision.visit.date)
            assert isinstance(on, date)
            changes["pregnancy_tests"] = draw.choice(shown_tests(decision, on))
        yield changes, said(decision, changes)


def beaten(
    others: dict[Action, Alternative], tried: Iterator[tuple[dict[str, object], Action | None]]
) -> list[tuple[Action, dict[str, object]]]:
    """Return the changes found by trial that are fewer than those given, or reach the unreachable.

    Three and more are given as found: only one or two can be too few to beat.
    """
    return [
        (action, changes)
        for changes, action in tried
        if action in others
        and (
            not others[action].reachable
            or (len(changes) <= 2 and len(changes) < len(others[action].changes))
        )
    ]


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_of_every_example_no_smaller_set_of_changes_leads_to_an_action(path: Path) -> None:
    decision = replay(load_course(path))[-1]
    others = told(decision)
    assert beaten(others, singly(decision)) == []
    assert beaten(others, at_random(decision, 100)) == []


@settings(max_examples=40)
@given(courses(longest=6))
def test_of_any_course_no_smaller_set_of_changes_leads_to_an_action(course: Course) -> None:
    decision = replay(course)[-1]
    others = told(decision)
    assert beaten(others, singly(decision)) == []
    assert beaten(others, at_random(decision, 30)) == []


def another_protocol() -> Protocol:
    """Return a protocol where pregnancy is a caution, two limits are equal, and clocks differ."""
    protocol = get_protocol()
    safety, intervals = protocol.safety, protocol.intervals
    events = [
        evolve(each, safety=Safety.CAUTION) if each.id == "pregnancy" else each
        for each in safety.events
    ]
    return evolve(
        protocol,
        id="of-ones-own",
        intervals=evolve(
            intervals,
            taper_step=evolve(intervals.taper_step, value=days(5)),
            first_assessment=evolve(intervals.first_assessment, value=months(2)),
        ),
        safety=evolve(
            safety,
            positive_test=evolve(safety.positive_test, safety=Safety.CAUTION),
            events=tuple(events),
            clearance_interrupt_below=evolve(safety.clearance_interrupt_below, value=Decimal(60)),
            clearance_age=evolve(safety.clearance_age, value=days(20)),
        ),
    )


@settings(max_examples=15)
@given(courses(another_protocol(), longest=6))
def test_under_a_protocol_of_ones_own_no_smaller_set_of_changes_leads_to_an_action(
    course: Course,
) -> None:
    decision = replay(course, another_protocol())[-1]
    others = told(decision)
    assert beaten(others, singly(decision)) == []
    assert beaten(others, at_random(decision, 30)) == []


STORIES = {
    "due": [seen(0, 11), seen(28, 9)],
    "at the highest, low": [seen(0, 11), seen(28, 11), seen(40, 11, neutrophils=count(0.9))],
    "score and counts missing": [seen(0, 11), seen(28, None, neutrophils=None, platelets=None)],
}


@pytest.mark.parametrize("story", STORIES)
def test_no_pair_of_changes_leads_where_more_are_said_to_be_needed(story: str) -> None:
    decision = walk(STORIES[story])[-1]
    assert beaten(told(decision), in_pairs(decision)) == []


def test_where_an_action_is_not_reachable_no_combination_of_all_fields_leads_to_it() -> None:
    # The lowest level is the only one left: there is nothing to escalate to.
    low = seen(14, 11, neutrophils=count(0.9))
    decision = walk([seen(0, 11), low, seen(21, 11), seen(49, 9)])[-1]
    assert (decision.facts.phase, decision.facts.position.label) == (Phase.TITRATION, "only")
    others = told(decision)
    unreachable = {each for each in Action if each in others and not others[each].reachable}
    assert unreachable == {Action.START, Action.ESCALATE, Action.OBSERVE}
    grid = {
        "date": [day(35), day(48), day(77), day(120), day(270)],
        "clasi_activity": [0, 3, 9, 30, None],
        "neutrophils": [count(0.9), count(1.2), count(3)],
        "creatinine_clearance": [clearance(20), None],
        "adverse_events": [(), (event("rash", 4),), (event("headache", 3),), None],
        "judgement": [None, judged("worse")],
        "doses_missed": [0, 7],
        "dosage_taken": [None, took(5, 2), took(5), took(10), took(0), took(7.5)],
    }
    found = {said(decision, dict(zip(grid, some, strict=True))) for some in product(*grid.values())}
    assert not found & unreachable
    assert found >= set(others) - unreachable


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_changes_as_data_written_into_the_course_file_give_the_action(path: Path) -> None:
    course = load_course(path)
    decision = replay(course)[-1]
    data = json.loads(json.dumps(contrast_data(decision)))
    schema = Draft202012Validator(
        json.loads(json.dumps(decision_schema())), format_checker=FormatChecker()
    )
    assert list(schema.iter_errors(data)) == []
    for each in data["alternatives"]:
        document = course_data(course)
        visit = document["visits"][-1]  # type: ignore[index, call-overload]
        for change in each["changes"]:
            assert change["from"] == visit.get(change["field"])
            visit.pop(change["field"], None)
            if change["to"] is not None:
                visit[change["field"]] = change["to"]
        again = replay(read_course(document))[-1]
        assert again.action.code == (each["action"] if each["reachable"] else data["action"])


def least(decision: Decision, action: Action) -> str:
    return smallest_changes(
        decision, next(each for each in alternatives(decision) if each.action is action)
    )


def test_numbers_are_told_with_their_edges() -> None:
    decision = walk([seen(0, 11), seen(28, 9)])[-1]
    assert decision.action is Action.ESCALATE
    assert (
        least(decision, Action.CONTINUE)
        == "CLASI activity 1 to 7 instead of 9 [what the patient shows]"
    )
    assert (
        least(decision, Action.REDUCE) == "CLASI activity 0 instead of 9 [what the patient shows]"
    )
    low = "neutrophils below 1 × 10⁹/L instead of 3 × 10⁹/L [what the patient shows]"
    assert least(decision, Action.INTERRUPT) == low
    kept = walk([seen(0, 12), seen(28, 8)])[-1]
    assert (
        least(kept, Action.ESCALATE)
        == "CLASI activity 9 or more instead of 8 [what the patient shows]"
    )


def test_a_day_to_wait_for_is_told_with_the_days_to_it() -> None:
    decision = walk([seen(0, 11), seen(25, 11)])[-1]
    assert least(decision, Action.ESCALATE).startswith("not before 2026-02-02 (3 days from now)")
    assert alternatives(decision)[0].action is Action.ESCALATE


def test_a_count_is_told_between_its_limits() -> None:
    decision = walk([seen(0, 11), seen(28, 11, neutrophils=count(1.2))])[-1]
    assert least(decision, Action.ESCALATE).startswith(
        "neutrophils at least 1.5 × 10⁹/L instead of 1.2 × 10⁹/L"
    )
    low = walk([seen(0, 11), seen(28, 11, neutrophils=Measurement(900, "/uL"))])[-1]
    (change,) = next(each for each in alternatives(low) if each.action is Action.CONTINUE).changes
    assert change.after == Measurement(1000, "/uL")
    assert least(low, Action.CONTINUE).startswith(
        "neutrophils at least 1 and below 1.5 × 10⁹/L instead of 900 /µL"
    )


def test_why_an_action_cannot_be_reached_is_said() -> None:
    decision = walk([seen(0, 11), seen(28, 9)])[-1]
    assert least(decision, Action.START) == (
        "not reachable from here: the phase is titration or interrupted; the action belongs to "
        "before start and off treatment"
    )
    ended = walk([seen(0, 11), seen(7, 11, adverse_events=(event("angioedema"),)), seen(20, 11)])[
        -1
    ]
    assert not any(each.reachable for each in alternatives(ended))


@pytest.mark.parametrize(
    ("visits", "action", "means"),
    [
        ([seen(0, 11), seen(25, 11)], Action.ESCALATE, {Feasibility.WAIT}),
        ([seen(0, 11), seen(28, 11, adverse_events=None)], Action.ESCALATE, {Feasibility.OBTAIN}),
        (
            [seen(0, 11), seen(28, 11, neutrophils=count(3, day(1)))],
            Action.ESCALATE,
            {Feasibility.OBTAIN},
        ),
        ([seen(0, 11), seen(28, 11)], Action.CONTINUE, {Feasibility.SHOWN}),
        ([seen(0, 11), seen(28, 11)], Action.RESUME, {Feasibility.PAST}),
        ([seen(0, 11), seen(28, 11)], Action.REQUEST_DATA, {Feasibility.PAST}),
        (
            # The clearance is too old the day after tomorrow, with drug to take until then.
            [
                seen(0, 11, creatinine_clearance=clearance(95, day(-151))),
                seen(32, 11, creatinine_clearance=None),
            ],
            Action.REQUEST_DATA,
            {Feasibility.WAIT},
        ),
        (
            # It is too old in half a year, but nobody waits that long without drug.
            [seen(0, 11), seen(28, 11, creatinine_clearance=None)],
            Action.REQUEST_DATA,
            {Feasibility.PAST},
        ),
    ],
)
def test_what_can_be_waited_for_or_obtained_is_told_apart(
    visits: list, action: Action, means: set[Feasibility]
) -> None:
    other = next(each for each in alternatives(walk(visits)[-1]) if each.action is action)
    assert {each.means for each in other.changes} == means


def test_a_test_of_days_before_the_visit_can_no_longer_be_made() -> None:
    decision = walk([seen(0, 11, pregnancy_tests=(NEGATIVE,))], FERTILE)[-1]
    start = next(each for each in alternatives(decision) if each.action is Action.START)
    assert [(each.field, each.means) for each in start.changes] == [
        ("pregnancy_tests", Feasibility.PAST)
    ]
    second = walk([seen(0, 11, pregnancy_tests=negative(-12))], FERTILE)[-1]
    start = next(each for each in alternatives(second) if each.action is Action.START)
    assert [(each.field, each.means) for each in start.changes] == [
        ("pregnancy_tests", Feasibility.OBTAIN)
    ]
    assert start.changes[0].after == (*negative(-12), NEGATIVE)


@pytest.mark.parametrize("path", COURSES[::2], ids=lambda path: path.stem)
def test_every_value_of_a_run_that_is_told_gives_the_action_and_the_next_one_does_not(
    path: Path,
) -> None:
    decision = replay(load_course(path))[-1]
    for other in alternatives(decision):
        for change in other.changes:
            run = value_range(other, change)
            assert describe_change(decision, other, change)
            if run is None:
                continue
            for value in values(decision)[change.field]:
                amount = value.value if isinstance(value, Measurement) else value
                if amount is None:
                    continue
                low = run.least is None or run.least <= amount  # type: ignore[operator]
                high = (
                    run.most is None
                    or amount < run.most
                    or (amount == run.most and not isinstance(amount, Decimal))
                )  # type: ignore[operator]
                action = said(decision, {**applied(other.changes), change.field: value})
                if low and high and action is not None:
                    assert action is other.action, (other, value)
                if isinstance(amount, date | int) and amount in beside(run.least, run.most):
                    assert action is not other.action, (other, value)


def beside(least: object, most: object) -> list[object]:
    """The values next to a run, on its outside."""
    step = DAY if isinstance(least or most, date) else 1
    return [
        *([least - step] if least is not None else []),
        *([most + step] if most is not None else []),
    ]  # type: ignore[operator]


@pytest.mark.parametrize("path", COURSES[::3], ids=lambda path: path.stem)
def test_one_alternative_alone_is_the_same_as_among_all(path: Path) -> None:
    decision = replay(load_course(path))[-1]
    others = alternatives(decision)
    assert tuple(alternative(decision, each.action) for each in others) == others


def test_penn_is_contrasted_by_its_own_table() -> None:
    penn = get_protocol("penn-2012")
    decision = walk([seen(0, 20), seen(42, 13)], protocol=penn)[-1]
    assert decision.action is Action.ESCALATE
    assert (
        least(decision, Action.REDUCE)
        == "CLASI activity 12 or less instead of 13 [what the patient shows]"
    )
