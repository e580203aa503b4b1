"""Cells are read as strictly as those of a course."""

from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import pyarrow as pa
from tests.support.patients import DAY0
from tests.support.tables import answers, course_rows, refusals, rows_with, three_patients

from lenadose import DocumentError
from lenadose.cohort import decide, decisions
from lenadose.cohort.columns import COLUMNS, faults_of

SOUND = {
    "patient": ["a"],
    "date": ["2026-01-05"],
    "clasi_activity": ["11"],
    **{
        name: [value]
        for name, value in (
            ("neutrophils", "3.2"),
            ("platelets", "240"),
            ("creatinine_clearance", "95"),
        )
    },
    "neutrophils_unit": ["10*9/L"],
    "platelets_unit": ["10*9/L"],
    "creatinine_clearance_unit": ["mL/min"],
    "adverse_events": ["[]"],
    "able_to_become_pregnant": ["false"],
}


def test_a_test_whose_date_is_null_is_of_the_day_of_the_visit() -> None:
    tests = ['[{"result": "positive"}]', '[{"result": "positive", "date": null}]']
    rules = [
        decide(pa.table({**SOUND, "pregnancy_tests": [each]}))["rule"].to_pylist() for each in tests
    ]
    assert rules == [["unfit-to-start"], ["unfit-to-start"]]


@pytest.mark.parametrize(
    "text", ["0.99999999999999999999", "1e-400", "-1e-400", "1e400", "1.4999999999999999"]
)
def test_a_number_that_other_programs_would_change_is_refused(text) -> None:
    decided = decide(pa.table({**SOUND, "neutrophils": [text]}))
    assert decided["action"].to_pylist() == [None]
    assert "neutrophils" in decided["refused"].to_pylist()[0]


def test_a_row_that_no_record_can_be_is_not_decided_even_if_no_fault_is_found(monkeypatch) -> None:
    monkeypatch.setattr(decisions, "faults_of", lambda row, before: [])
    decided = decide(pa.table({**SOUND, "clasi_activity": ["99"]}))
    assert decided["action"].to_pylist() == [None]
    assert decided["refused"].to_pylist()[0].startswith("row: ")


def test_a_decimal_is_read_by_its_digits() -> None:
    exact = pa.table({**SOUND, "neutrophils": pa.array([Decimal("3.20")])})
    assert decide(exact)["rule"].to_pylist() == ["start"]
    many = pa.table({**SOUND, "neutrophils": pa.array([Decimal("0.99999999999999999999")])})
    assert "neutrophils" in decide(many)["refused"].to_pylist()[0]


def test_a_table_without_visits_has_a_result_without_rows() -> None:
    for names in (["patient", "date"], [each.name for each in COLUMNS]):
        empty = pa.table({name: pa.array([], pa.null()) for name in names})
        assert decide(empty).num_rows == 0


def test_patient_and_date_are_enough_to_be_asked_for_the_rest() -> None:
    (row,) = answers(pa.table({"patient": ["p"], "date": [DAY0]}))
    assert (row["rule"], row["action"]) == ("ask-before-start", "request-data")
    assert {
        row[f"missing_{field}"] for field in ("adverse_events", "neutrophils", "clasi_activity")
    } == {"absent"}


@pytest.mark.parametrize(
    ("cells", "messages"),
    [
        (
            {"patient": ["p"], "visit": ["2026-01-05"]},
            ["visit: unknown column; known: ", "date: the column is missing"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "neutrofils": [3]},
            ["neutrofils: unknown column; did you mean neutrophil"],
        ),
        ({"patient": ["p"], "date": [7]}, ["date: a column of int64; give dates"]),
        (
            {"patient": [1.5], "date": [DAY0]},
            ["patient: a column of double; give text or whole numbers"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "neutrophils": [True]},
            ["neutrophils: a column of bool; give numbers"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "judgement": [1]},
            ["judgement: a column of int64; give one of improved"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "regular_cycles": [1]},
            ["regular_cycles: a column of int64; give true"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "subtype": [1]},
            ["subtype: a column of int64; give text"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "adverse_events": [["rash"]]},
            ["adverse_events: a column of list<"],
        ),
        (
            {"patient": ["p"], "date": [DAY0], "adverse_events": [[{"name": "rash"}]]},
            ["adverse_events.name: unknown key; "],
        ),
    ],
)
def test_a_wrong_column_is_refused_by_name(cells: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(DocumentError) as error:
        decide(pa.table(cells))
    lines = str(error.value).splitlines()
    assert len(lines) == len(messages)
    for line, begins in zip(lines, messages, strict=True):
        assert line.startswith(begins)


def test_a_column_in_which_all_is_missing_may_be_of_any_kind() -> None:
    """pandas reads such a column of a CSV file as one of numbers."""
    rows = course_rows(three_patients()[:1])
    typed = pa.Table.from_pylist(rows)
    for name in ("judgement", "subtype", "regular_cycles", "pregnancy_tests", "neutrophils_date"):
        assert typed[name].null_count == len(typed)
        typed = typed.set_column(
            typed.column_names.index(name), name, pa.nulls(len(typed), pa.float64())
        )
    assert decide(typed) == decide(pa.Table.from_pylist(rows))


NASTY: list[Any] = [float("nan"), -1.0, 0.5, 1e300, 1e-300, 2.0**63]


@pytest.mark.parametrize(
    "name", [each.name for each in COLUMNS if "number" in each.holds and each.name != "patient"]
)
def test_no_number_that_a_course_is_refused_for_passes(name: str) -> None:
    for value in NASTY:
        rows = rows_with(6, **{name: value})
        for row in rows:
            row[name] = None if row[name] is None else float(row[name])
        row = {**rows[6]}
        faults = faults_of(row, rows[5]["date"])
        reason = refusals(rows)[6]
        assert (reason is not None) == bool(faults), (value, reason, faults)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pregnancy_tests", "["),
        ("pregnancy_tests", "{}"),
        ("pregnancy_tests", "[1]"),
        ("pregnancy_tests", '[{"result": 1}]'),
        ("pregnancy_tests", '[{"result": "negative", "date": ""}]'),
        ("adverse_events", "["),
        ("adverse_events", "[1]"),
        ("neutrophils_date", "2026-13-01"),
        ("neutrophils_date", "20260105"),
    ],
)
def test_text_that_a_course_file_could_not_hold_is_refused(name: str, text: str) -> None:
    decided = decide(pa.table({**SOUND, name: [text]}))
    assert decided["action"].to_pylist() == [None]
    assert decided["refused"].to_pylist()[0].startswith(name)


def test_a_field_that_no_entry_of_a_list_has_may_be_left_out() -> None:
    tests = pa.array([[{"result": "positive"}]])
    assert decide(pa.table({**SOUND, "pregnancy_tests": tests}))["rule"][0].as_py() == (
        "unfit-to-start"
    )


def test_lists_without_any_type_are_lists_of_nothing() -> None:
    (refused, asked) = answers(
        pa.table({"patient": [1, 2], "date": [DAY0] * 2, "adverse_events": [[None], []]})
    )
    assert refused["refused"].startswith("adverse_events[0]: null is not an object")
    assert (asked["refused"], asked["missing_adverse_events"]) == (None, None)
