"""The strategies keep their promise, and the checks can fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from tests.support.hostile_documents import GARBLED, SPOILED, hostile_documents
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL

from lenadose import (
    DocumentError,
    LenadoseError,
    Protocol,
    course_data,
    decision_data,
    explain,
    get_protocol,
    load_course,
    load_protocol,
    parse_course,
    read_course,
    read_protocol,
    replay,
)
from lenadose.protocol.rules import RuleTable
from lenadose.report.verification import comparison_page
from lenadose.terms.facts import Action, Timing
from lenadose.testing import courses, protocols
from lenadose.testing.checks import check_protocol, coverage, walks
from lenadose.testing.courses import facts, patients, visits
from lenadose.verification.certificate import verify
from lenadose.verification.compare import compare

SLOW = settings(suppress_health_check=list(HealthCheck))
"""What is drawn from a protocol that was drawn takes long, and that is no fault."""

HEALTHY = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[],
    phases=[Phase.generate],
    derandomize=True,
    database=None,
)
"""The settings that docs/testing.md names: with them every health check passes.

The checks are made on the first ten examples.
"""


def with_action(row: str, action: Action) -> Protocol:
    rows = (
        evolve(each, action=action if each.id == row else each.action)
        for each in PROTOCOL.table.rules
    )
    return evolve(PROTOCOL, table=RuleTable(tuple(rows)))


# Strategies


@given(facts())
def test_every_situation_drawn_is_a_possible_one(situation) -> None:
    assert PROTOCOL.table.rule_for(situation)


@given(patients())
def test_every_patient_drawn_can_be_written_down(patient) -> None:
    document = {"patient": course_data_of(patient), "visits": [{"date": "2026-01-05"}]}
    assert read_course(document).patient == patient


def course_data_of(patient) -> object:
    from tests.support.patients import DAY0

    from lenadose import Course, Visit

    return course_data(Course((Visit(DAY0),), patient)).get("patient", {})


@given(visits())
def test_every_first_visit_drawn_is_decided(visit) -> None:
    from lenadose import begin, step

    decision, _ = step(PROTOCOL, begin(PROTOCOL), visit)
    assert decision.rule in PROTOCOL.table.rules


@given(courses())
def test_every_course_drawn_is_accepted_by_the_protocol_that_it_names(course) -> None:
    assert len(replay(course)) == len(course.visits)
    assert parse_course(json.dumps(course_data(course))) == course


@pytest.mark.slow
def test_courses_reach_nearly_every_rule() -> None:
    """Courses move: in some hundreds all but the rarest rows of the table apply."""
    left = {row.id for row in PROTOCOL.table.rules}

    @settings(
        max_examples=800,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(courses(PROTOCOL))
    def walk(course) -> None:
        left.difference_update(each.rule.id for each in replay(course, PROTOCOL))

    walk()
    assert len(left) <= 6


@settings(HEALTHY)
@given(courses())
def test_courses_pass_the_health_checks(course) -> None:
    assert course.visits


@settings(HEALTHY)
@given(protocols())
def test_every_protocol_drawn_is_written_and_read_back_the_same(protocol: Protocol) -> None:
    read = read_protocol(json.loads(json.dumps(protocol.data)))
    assert read == protocol
    assert read.hash == protocol.hash


@settings(SLOW, max_examples=8)
@given(st.data())
def test_any_protocol_decides_any_of_its_courses(data) -> None:
    protocol = data.draw(protocols())
    course = data.draw(courses(protocol, longest=5))
    for decision in replay(course, protocol):
        assert decision_data(decision)["rule"] in {row.id for row in protocol.table.rules}
        assert protocol.hash in explain(decision)
        assert decision.action in decision.possible_actions or decision.missing


@settings(SLOW, max_examples=4)
@given(protocols())
def test_whatever_is_wrong_with_a_protocol_is_shown_by_a_course_that_replays(
    protocol: Protocol,
) -> None:
    for verdict in verify(protocol).verdicts:
        shown = verdict.counterexample
        for course in (shown.course, shown.other) if shown else ():
            if shown and course is not None:
                read = parse_course(json.dumps(course_data(course)))
                assert replay(read, protocol)[-1].rule.id in shown.rules


def test_the_strategy_draws_protocols_that_no_law_forbids_and_such_as_laws_do() -> None:
    def keeps_first_law(protocol: Protocol) -> bool:
        return verify(protocol).verdicts[0].holds

    quick = settings(max_examples=200, phases=[Phase.generate], database=None, deadline=None)
    for wanted in (True, False):
        found = find(
            # Of a larger one Hypothesis refuses the repr.
            protocols().filter(lambda each: len(repr(each)) < 30_000),
            lambda each, wanted=wanted: keeps_first_law(each) is wanted,
            settings=quick,
        )
        assert keeps_first_law(found) is wanted


# Hostile documents


def refusal(text: str | bytes) -> LenadoseError:
    """The error with which a document is refused; it is never decided."""
    with pytest.raises(LenadoseError) as refused:
        replay(parse_course(text))
    return refused.value


@settings(max_examples=100)
@given(hostile_documents())
def test_no_hostile_document_is_decided_and_each_is_told_its_place(text: str | bytes) -> None:
    for each in refusal(text).faults:
        assert each.place
        assert each.reason
        assert each.fix
        assert "\n" not in str(each)


@pytest.mark.parametrize("way", [*SPOILED, *GARBLED])
def test_each_way_to_spoil_a_document_is_refused_by_itself(way: str) -> None:
    """A valid course is spoiled: without the spoiling it is decided."""

    @settings(max_examples=10)
    @given(st.data())
    def spoil(data) -> None:
        document = course_data(data.draw(courses(PROTOCOL, longest=2)))
        assert replay(read_course(document))
        if way in GARBLED:
            assert refusal(GARBLED[way](data.draw, json.dumps(document)))
        else:
            SPOILED[way](data.draw, document)
            assert refusal(json.dumps(document))

    spoil()


def test_a_course_that_is_right_is_not_refused() -> None:
    with pytest.raises(pytest.fail.Exception):
        refusal((ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json").read_bytes())


# One line for a protocol


@pytest.mark.parametrize("name", ["cortes-hernandez-2012", "penn-2012"])
def test_a_built_in_protocol_passes_in_one_line(name: str) -> None:
    check_protocol(get_protocol(name))


def test_a_broken_protocol_fails_with_a_patient_for_each_broken_law() -> None:
    broken = with_action("escalation-waits", Action.ESCALATE)
    with pytest.raises(AssertionError) as failed:
        check_protocol(broken)
    told = str(failed.value)
    for verdict in verify(broken).verdicts:
        assert (
            f"## Law {verdict.law.number}, {verdict.law.name}, is broken" in told
        ) is not verdict.holds
    assert "10 mg once daily | `escalation-waits` |" in told
    course = parse_course(told.split("```json\n")[1].split("```")[0])
    assert replay(course, broken)[-1].rule.id == "escalation-waits"


FIVE_LINES = """
from lenadose import load_protocol
from lenadose.testing import check_protocol

def test_mine():
    check_protocol(load_protocol("mine.json"))
"""


@pytest.mark.parametrize(("row", "passes"), [(None, True), ("sustain", False)])
def test_five_lines_are_a_test_of_a_protocol_outside(
    tmp_path: Path, row: str | None, passes: bool
) -> None:
    data = json.loads(json.dumps(PROTOCOL.data))
    data["id"] = "mine"
    for each in data["rules"]:
        if each["id"] == row:
            each["action"] = "escalate"
    (tmp_path / "mine.json").write_text(json.dumps(data), "utf-8")
    (tmp_path / "test_mine.py").write_text(FIVE_LINES, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode == 0) is passes, done.stdout
    assert ("is broken" in done.stdout) is not passes


# Walks under laws of one's own


def run(test) -> None:
    # What is found is not made shorter here: that takes long, and is Hypothesis' own work.
    quick = settings(max_examples=60, deadline=None, database=None, derandomize=True)
    test.settings = settings(quick, phases=[Phase.generate])
    test("runTest").runTest()


def test_a_walk_passes_where_the_law_holds() -> None:
    seen = []

    def at_most_ten(decisions) -> None:
        seen.append(decisions[-1])
        assert decisions[-1].dosage is None or decisions[-1].dosage.daily_mg <= 10

    run(walks(PROTOCOL, at_most_ten))
    assert len({each.rule.id for each in seen}) > 10


def test_a_walk_finds_the_course_that_breaks_a_law_and_tells_it_as_a_patient() -> None:
    def never_ten(decisions) -> None:
        assert decisions[-1].dosage is None or decisions[-1].dosage.daily_mg < 10

    with pytest.raises(AssertionError) as failed:
        run(walks(PROTOCOL, never_ten))
    told = "\n".join(failed.value.__notes__)
    course = parse_course(told.split("```json\n")[1].split("```")[0])
    assert [str(each.dosage) == "10 mg once daily" for each in replay(course)].index(True) == len(
        course.visits
    ) - 1


CI_VARIABLES = {"CI", "BUILD_NUMBER"}

BROKEN_WALK = """
from lenadose import load_protocol
from lenadose.terms.facts import Action, Timing
from lenadose.testing import walks

def rises_when_due(decisions):
    last = decisions[-1]
    assert last.action is not Action.ESCALATE or last.facts.timing is Timing.DUE

TestMine = walks(load_protocol("mine.json"), rises_when_due)
"""


def test_a_walk_that_fails_is_shown_on_a_screen_with_a_shortest_course(tmp_path: Path) -> None:
    """A protocol that raises the dose before a visit is due: two visits show it."""
    broken = with_action("await-assessment", Action.ESCALATE)
    data = {**json.loads(json.dumps(broken.data)), "id": "mine"}
    (tmp_path / "mine.json").write_text(json.dumps(data), "utf-8")
    (tmp_path / "test_mine.py").write_text(BROKEN_WALK, "utf-8")
    (tmp_path / "conftest.py").write_text(
        "from hypothesis import settings\n"
        "settings.register_profile('same', derandomize=True, database=None)\n"
        "settings.load_profile('same')\n",
        "utf-8",
    )
    # In CI pytest prints a failure twice, as it is read from a log and not on a screen.
    screen = {name: value for name, value in os.environ.items() if name not in CI_VARIABLES}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=screen,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    shown = done.stdout.splitlines()
    assert len(shown) < 50
    begins = next(place for place, line in enumerate(shown) if "```json" in line)
    ends = next(place for place, line in enumerate(shown) if line.endswith("```"))
    text = "".join(line.removeprefix("E") for line in shown[begins + 1 : ends])
    course = parse_course(text)
    assert len(course.visits) == 2
    decision = replay(course, load_protocol(tmp_path / "mine.json"))[-1]
    assert (decision.action, decision.facts.timing) == (Action.ESCALATE, Timing.BEFORE_DUE)


# Coverage


def test_coverage_counts_rules_and_pairs_and_names_what_is_left() -> None:
    paths = (ROOT / "examples" / "courses").glob("*.json")
    given_courses = [
        course for path in paths if (course := load_course(path)).protocol == PROTOCOL.id
    ]
    found = coverage(PROTOCOL, given_courses)
    assert found.rules_left == ()
    assert found.rules["start"] >= 20
    assert found.pairs["start", "escalate"] >= 5
    assert 300 < len(found.pairs_left) < len(found.shortest)
    assert set(found.pairs) | set(found.pairs_left) == set(found.shortest)
    report = str(found)
    assert f"{len(found.shortest) - len(found.pairs_left)} of {len(found.shortest)}" in report
    assert all(f"`{row.id}`" in report for row in PROTOCOL.table.rules)


def test_the_courses_that_are_left_close_the_gap() -> None:
    nothing = coverage(PROTOCOL, [])
    assert len(nothing.rules_left) == len(PROTOCOL.table.rules)
    whole = coverage(PROTOCOL, nothing.shortest.values())
    assert (whole.rules_left, whole.pairs_left) == ((), ())


def test_a_course_that_cannot_be_replayed_has_no_coverage() -> None:
    from tests.support.patients import DAY0, day

    from lenadose import CallError, Course, Visit

    course = Course((Visit(DAY0), Visit(day(28), doses_missed=3)))
    with pytest.raises(CallError, match=r"visits\[1\]\.doses_missed"):
        coverage(PROTOCOL, [course])


# Comparing any two


@settings(SLOW, max_examples=2)
@given(st.data())
def test_any_two_protocols_are_compared(data) -> None:
    table = data.draw(st.sampled_from(PROTOCOL.table.rules))
    other = with_action(table.id, data.draw(st.sampled_from(Action)))
    found = compare(PROTOCOL, other)
    for each in found.disagreements[:5]:
        assert replay(each.course, PROTOCOL)[-1].rule.id == each.one.rule.id
        assert replay(each.course, other)[-1].rule.id == each.other.rule.id
    assert comparison_page(found)


def test_a_refusal_is_no_decision() -> None:
    with pytest.raises(DocumentError):
        parse_course("{}")
