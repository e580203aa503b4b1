"""Every example is a patient, and the library says to each what was worked out by hand from the
protocol sheet.
"""

import json

import pytest
from tests.support.paths import EXAMPLES

from lenadose.engine.machine import replay
from lenadose.formats.course_json import course_data, load_course
from lenadose.protocol.builtin import BUILT_IN, DEFAULT, get_protocol
from lenadose.protocol.protocol import conditions
from lenadose.protocol.rules import Rule

NAMES = sorted(path.stem for path in (EXAMPLES / "courses").glob("*.json"))
BY = {name: load_course(EXAMPLES / "courses" / f"{name}.json").protocol for name in NAMES}


def told(name: str) -> dict:
    return json.loads((EXAMPLES / "decisions" / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_library_says_what_was_worked_out_by_hand(name: str) -> None:
    decisions = replay(load_course(EXAMPLES / "courses" / f"{name}.json"))
    said = [
        {
            "visit": str(each.visit.date),
            "rule": each.rule.id,
            "action": each.action.code,
            "dosage": str(each.dosage) if each.dosage else None,
            "next_visit": str(each.next_visit.due) if each.next_visit else None,
            "phase_after": each.phase_after.code,
        }
        for each in decisions
    ]
    assert said == told(name)["decisions"]


def rows_seen(protocol: str) -> set[str]:
    """The rows that the patients of a protocol meet, as worked out by hand."""
    return {
        decision["rule"]
        for name in NAMES
        if BY[name] == protocol
        for decision in told(name)["decisions"]
    }


def test_every_row_of_the_table_has_a_patient() -> None:
    assert rows_seen(DEFAULT) == {row.id for row in get_protocol().table.rules}


@pytest.mark.parametrize("protocol", sorted(set(BUILT_IN) - {DEFAULT}))
def test_every_row_that_another_protocol_has_for_itself_has_a_patient(protocol: str) -> None:
    shared = {when(row) for row in get_protocol().table.rules}
    rows = get_protocol(protocol).table.rules
    own = {row.id for row in rows if when(row) not in shared}
    assert own
    assert own <= rows_seen(protocol) <= {row.id for row in rows}


def when(row: Rule) -> tuple[str, ...]:
    """A row's name and the situations that it applies to."""
    return row.id, row.action.code, *map(conditions, row.cases)


@pytest.mark.parametrize("name", NAMES)
def test_a_course_is_written_back_unchanged(name: str) -> None:
    path = EXAMPLES / "courses" / f"{name}.json"
    assert course_data(load_course(path)) == json.loads(path.read_text("utf-8"))
