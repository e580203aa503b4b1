"""A cohort is decided as its patients are, one by one: every column is what `step` says, or a row is refused."""

import datetime as dt
import json
import os
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mutation import moved_thresholds
from tests.support.patients import DAY0, STERILE, seen
from tests.support.tables import course_rows, told, visit_row

from lenadose import Course, DocumentError, LenadoseError, Protocol, get_protocol, replay
from lenadose.cli.main import main
from lenadose.protocol.builtin import BUILT_IN
from lenadose.terms.dosage import Dosage, DoseLadder, Level
from lenadose.terms.interval import Interval, Unit, add_months
from lenadose.terms.provenance import Sourced
from lenadose.testing import courses

for extra in ("numpy", "narwhals", "pyarrow"):
    pytest.importorskip(extra, reason="needs lenadose[cohort]")

import numpy as np  # noqa: E402  # these are only where the extra is installed
import pyarrow as pa  # noqa: E402
import pyarrow.compute  # noqa: E402
import pyarrow.csv  # noqa: E402
import pyarrow.parquet  # noqa: E402
from tests.support.paths import ROOT

from lenadose.cohort import decide
from lenadose.cohort import calendar, columns, decisions
from lenadose.cohort.columns import COLUMNS  # noqa: E402
from lenadose.cohort.results import RESULTS  # noqa: E402
from tests.support import random_cohorts as cohorts

MANY = int(os.environ.get("LENADOSE_COHORT_VISITS", "4000"))
"""Visits made up for the comparison with `step`; set it to 1000000 for the whole proof, which takes minutes."""


def table(courses: Iterable[Course]) -> "pa.Table":
    return pa.Table.from_pylist(course_rows(courses), schema=None)


def answers(visits: "pa.Table", protocol: Protocol | None = None) -> list[dict[str, Any]]:
    return decide(visits, protocol).drop_columns(["patient", "date"]).to_pylist()


def assert_equal(courses: Iterable[Course], visits: "pa.Table", protocol: Protocol) -> set[str]:
    """Hold a cohort against its courses, in every column; give the rows that applied."""
    decided = decide(visits, protocol).drop_columns(["patient", "date"])
    given = (row for batch in decided.to_batches(max_chunksize=20_000) for row in batch.to_pylist())
    count = 0
    for course in courses:
        for decision in replay(course, protocol):
            assert next(given) == told(decision), (course, decision.visit)
            count += 1
    assert count == len(decided)
    return set(decided.column("rule").to_pylist())


# Equality


@pytest.mark.parametrize("id", BUILT_IN)
def test_whatever_a_record_holds_a_cohort_is_decided_as_its_patients_are(id: str) -> None:
    protocol = get_protocol(id)

    @settings(max_examples=settings().max_examples // 6)
    @given(st.lists(courses(protocol), min_size=1, max_size=4))
    def holds(drawn: list[Course]) -> None:
        assert_equal(drawn, table(drawn), protocol)

    holds()


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_cohort_in_which_every_row_applies_is_decided_as_its_patients_are(id: str) -> None:
    protocol = get_protocol(id)
    made_up = cohorts.cohort(max(MANY, 60_000), seed=5, protocol=protocol)
    # A row that seldom applies is seldom met: of every row some patients, and as many others as there is time for.
    of_row: dict[str, list[int]] = {}
    for patient, row in zip(
        made_up["patient"].to_pylist(), decide(made_up, protocol)["rule"].to_pylist(), strict=True
    ):
        met = of_row.setdefault(row, [])
        if len(met) < 5 and patient not in met:
            met.append(patient)
    others = made_up["patient"][:MANY].to_pylist()
    chosen = made_up.filter(
        pa.compute.is_in(made_up["patient"], pa.array(sorted({*others}.union(*of_row.values()))))
    )
    applied = assert_equal(cohorts.records(chosen), chosen, protocol)
    assert applied == {row.id for row in protocol.table.rules}


def test_protocols_with_other_numbers_decide_cohorts_by_them() -> None:
    describe_change = [
        list(moved_thresholds(get_protocol(id)))[place::14] for place, id in enumerate(BUILT_IN)
    ]
    for mutant in (each for some in describe_change for each in some):
        try:
            protocol = mutant.build()
        except LenadoseError:
            continue
        made_up = cohorts.cohort(250, seed=3, protocol=protocol)
        assert_equal(cohorts.records(made_up), made_up, protocol)


def in_months(group: Any) -> Any:
    """A group of numbers whose intervals are all of one or more calendar months."""

    def longer(interval: Interval) -> Interval:
        return Interval(max(1, round(interval.usual_days / 30)), Unit.MONTHS)

    changes = {
        each.name: evolve(value, value=longer(value.value))
        for each in fields(type(group))
        if isinstance(value := getattr(group, each.name), Sourced)
        and isinstance(value.value, Interval)
    }
    return evolve(group, **changes)


def test_a_protocol_in_calendar_months_with_five_levels_decides_cohorts() -> None:
    protocol = get_protocol()
    provenance = protocol.ladder.top.provenance
    levels = tuple(
        Level(rank, Dosage(Decimal(mg), often), provenance)
        for rank, (mg, often) in enumerate([("2.5", 2), ("5", 2), ("5", 1), ("10", 1), ("15", 1)])
    )
    safety = in_months(protocol.safety)
    protocol = evolve(
        protocol,
        ladder=DoseLadder(levels, levels[2]),
        intervals=in_months(protocol.intervals),
        safety=evolve(safety, clearance_ceiling=evolve(safety.clearance_ceiling, value=levels[2])),
    )
    made_up = cohorts.cohort(2000, seed=9, protocol=protocol)
    assert_equal(cohorts.records(made_up), made_up, protocol)


def test_months_are_added_as_the_calendar_does() -> None:
    days = np.arange(calendar.FIRST_DAY, calendar.LAST_DAY + 1, dtype=np.int32)
    for months in (1, 6, 11, 1000):
        added = calendar.add_months(days, months)
        for index in range(0, len(days), 1 if months == 1 else 37):
            assert dt.date.fromordinal(int(added[index])) == add_months(
                dt.date.fromordinal(int(days[index])), months
            )


def test_a_window_of_tests_of_more_than_a_year_is_refused() -> None:
    protocol = get_protocol()
    window = evolve(
        protocol.safety.first_test, value=(Interval(1, Unit.DAYS), Interval(13, Unit.MONTHS))
    )
    with pytest.raises(LenadoseError, match="more than a year old; decide its courses one by one"):
        decide(table(three()), evolve(protocol, safety=evolve(protocol.safety, first_test=window)))


# Frames


@pytest.fixture(scope="module")
def visits() -> "pa.Table":
    return cohorts.cohort(600, seed=1)


def test_a_result_is_of_the_kind_of_table_that_was_given(visits) -> None:
    expected = answers(visits)
    assert decide(visits).column_names == [each.name for each in RESULTS]
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(visits)
    decided = decide(frame)
    assert isinstance(decided, polars.DataFrame)
    assert decided.drop("patient", "date").to_dicts() == expected
    assert decided["patient"].equals(frame["patient"])


def test_a_pandas_frame_keeps_its_index(visits) -> None:
    pandas = pytest.importorskip("pandas")
    frame = visits.to_pandas(date_as_object=False)
    frame.index = [f"row {each}" for each in range(len(frame))]
    decided = decide(frame)
    assert list(decided.index) == list(frame.index)
    for row, right in zip(
        decided.drop(columns=["patient", "date"]).to_dict("records"), answers(visits), strict=True
    ):
        format_decimal = {
            name: None if pandas.isna(value) else value for name, value in row.items()
        }
        days = {
            name: value and value.date()
            for name, value in format_decimal.items()
            if name.startswith("next_visit")
        }
        assert {**format_decimal, **days} == right
    assert decide(frame.iloc[:0]).dtypes.equals(decided.dtypes)
    assert list(frame.columns) == visits.column_names


@pytest.mark.parametrize("index", [[0, 1], [1, 0], ["x", "y"], [7, 8], [0, 0], [1, 1]])
def test_a_refused_row_of_pandas_is_marked_whatever_the_index(index) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"patient": ["a", "b"], "date": ["2026-01-05"] * 2, "clasi_activity": [99, 10]}, index
    )
    decided = decide(frame)
    assert decided["refused"].notna().tolist() == [True, False]
    assert decided["action"].isna().tolist() == [True, False]
    assert list(decided.index) == index


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


def test_a_blank_patient_is_nobody() -> None:
    decided = decide(
        pa.table({"patient": ["", " ", "a"], "date": ["2026-01-05", "2026-02-05", "2026-01-05"]})
    )
    assert [each and each.split(":")[0] for each in decided["refused"].to_pylist()] == [
        "patient",
        "patient",
        None,
    ]


def test_what_arrow_cannot_hold_is_refused_in_one_line() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"patient": ["a", "b"], "date": ["2026-01-05"] * 2})
    mixed = pandas.Series([3.2, "<0.1"], dtype=object)
    for odd in (
        {"neutrophils": mixed},
        {"patient": mixed},
        {"patient": [(1, 2), (3, 4)]},
        {"patient": [True, False]},
    ):
        with pytest.raises(DocumentError, match=f"^{next(iter(odd))}: ") as refused:
            decide(frame.assign(**odd))
        assert "\n" not in str(refused.value)
    view = pa.table(
        {"patient": ["a", "b", "a"], "subtype": pa.array(list("xyz"), pa.string_view())}
    )
    days = pa.array(["2026-01-05", "2026-01-05", "2026-02-05"])
    with pytest.raises(DocumentError, match="columns"):
        decide(view.append_column("date", days))


def test_a_pandas_frame_may_hold_its_columns_in_any_of_its_ways(visits) -> None:
    pandas = pytest.importorskip("pandas")
    frame = visits.to_pandas(date_as_object=False)
    numbers = ["clasi_activity", "neutrophils", "platelets", "creatinine_clearance"]
    # One array whose columns do not lie in one piece; numbers, words and days of pandas' other kinds; nothing known.
    array = np.ascontiguousarray(frame[numbers].to_numpy(np.float64))
    strided = pandas.DataFrame(array, columns=numbers, copy=False)
    assert not strided["platelets"].to_numpy().flags.c_contiguous
    ways = {
        **{name: strided[name] for name in numbers},
        "neutrophils_unit": frame["neutrophils_unit"].astype("string"),
        "platelets_unit": frame["platelets_unit"].astype(object),
        "doses_missed": frame["doses_missed"].astype("Int64"),
        "date": frame["date"].astype("datetime64[ns]"),
        "judgement": pandas.Categorical([None] * len(frame)),
        "judgement_reason": pandas.Series([None] * len(frame), dtype=object),
    }
    format_decimal = visits
    for name in ("judgement", "judgement_reason"):
        format_decimal = format_decimal.set_column(
            format_decimal.column_names.index(name), name, pa.nulls(len(format_decimal))
        )
    decided = decide(frame.assign(**ways))
    assert decided.drop(columns=["patient", "date"]).equals(
        decide(format_decimal.to_pandas(date_as_object=False)).drop(columns=["patient", "date"])
    )
    assert decided["rule"].tolist() == decide(format_decimal)["rule"].to_pylist()


def test_rows_may_lie_in_any_order(visits) -> None:
    order = np.random.default_rng(4).permutation(len(visits))
    mixed = decide(visits.take(pa.array(order)))
    assert mixed.to_pylist() == decide(visits).take(pa.array(order)).to_pylist()


def test_blocks_change_nothing(visits, monkeypatch) -> None:
    whole, told = decide(visits), list[tuple[int, int]]()
    monkeypatch.setattr(decisions, "BLOCK", 50)
    assert decide(visits, progress=lambda done, total: told.append((done, total))) == whole
    assert len(told) > 5
    assert told[-1] == (len(visits), len(visits))
    assert told == sorted(told)


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
    ("given", "said"),
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
def test_a_wrong_column_is_refused_by_name(given: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(DocumentError) as error:
        decide(pa.table(given))
    lines = str(error.value).splitlines()
    assert len(lines) == len(said)
    for line, begins in zip(lines, said, strict=True):
        assert line.startswith(begins)


def test_a_column_that_is_there_twice_is_refused() -> None:
    duplicates = pa.table(
        [pa.array(["p"]), pa.array([DAY0]), pa.array([DAY0])], ["patient", "date", "date"]
    )
    with pytest.raises(DocumentError, match="columns: two have the same name; keep one of the two"):
        decide(duplicates)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DocumentError, match="columns: two have the same name"):
        decide(pandas.DataFrame([["p", DAY0, DAY0]], columns=["patient", "date", "date"]))


def test_a_column_in_which_all_is_missing_may_be_of_any_kind() -> None:
    """pandas reads such a column of a CSV file as one of numbers."""
    rows = course_rows(three()[:1])
    typed = pa.Table.from_pylist(rows)
    for name in ("judgement", "subtype", "regular_cycles", "pregnancy_tests", "neutrophils_date"):
        assert typed[name].null_count == len(typed)
        typed = typed.set_column(
            typed.column_names.index(name), name, pa.nulls(len(typed), pa.float64())
        )
    assert decide(typed) == decide(pa.Table.from_pylist(rows))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(
        LenadoseError, match="a dict is not a table; give a pandas, polars or Arrow table"
    ):
        decide({"patient": ["p"]})


# Rows


def three() -> list[Course]:
    """Three patients alike, of four visits each."""
    return [Course(tuple(seen(28 * each, 11, judgement=None) for each in range(4)), STERILE)] * 3


def describe_change(row: int, **cells: Any) -> list[dict[str, Any]]:
    rows = course_rows(three())
    rows[row].update(cells)
    return rows


def refused(rows: list[dict[str, Any]]) -> list[str | None]:
    """Why each row is refused; what is refused has no decision, and what has one is not refused."""
    decided = answers(pa.Table.from_pylist(rows))
    for row in decided:
        assert (row["action"] is None) == (row["refused"] is not None)
        if row["refused"] is not None:
            kept = {"protocol", "limits", "refused"}
            assert {value for name, value in row.items() if name not in kept} == {None}
    return [row["refused"] for row in decided]


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"clasi_activity": 71},
        "clasi_activity: 71 is outside its range; give CLASI activity, a whole number from 0 to 70",
    ),
    ({"clasi_damage": -1}, "clasi_damage: -1 is outside its range; "),
    (
        {"neutrophils": 1500.0},
        "neutrophils: no patient has 1500 × 10⁹/L (at most 100 × 10⁹/L); check the value",
    ),
    ({"neutrophils": -1.0}, "neutrophils: -1.0 is negative; "),
    ({"neutrophils": float("inf")}, "neutrophils: Infinity is not a finite number; "),
    ({"neutrophils": float("nan")}, "neutrophils: NaN is not a finite number; "),
    ({"neutrophils": 1e-20}, "neutrophils: 1E-20 is not the same number in other programs; "),
    (
        {"neutrophils_unit": None},
        "neutrophils_unit: is missing: a bare number, 3.0; give 10*9/L or 10*3/uL or /uL",
    ),
    (
        {"platelets_unit": "G/L"},
        "platelets: 'G/L' is not a unit accepted here; give 10*9/L or 10*3/uL or /uL",
    ),
    (
        {"platelets_date": dt.date(2026, 12, 1)},
        "platelets_date: 2026-12-01 is after the visit of 2026-03-02; ",
    ),
    (
        {"platelets_date": dt.date(1850, 1, 1)},
        "platelets_date: 1850-01-01 is no date of a record; ",
    ),
    (
        {"pregnancy_tests": [{"result": "maybe", "date": None}]},
        "pregnancy_tests[0].result: 'maybe' is not known; ",
    ),
    (
        {"pregnancy_tests": [{"result": "negative", "date": dt.date(2027, 1, 1)}]},
        "pregnancy_tests[0].date: 2027-01-01",
    ),
    (
        {"adverse_events": [{"term": "neutropenia", "grade": 3, "ctcae": "5.0"}]},
        "adverse_events[0].term: neutropenia",
    ),
    (
        {"adverse_events": [{"term": "insomnia"}]},
        "adverse_events[0].grade: is missing for 'insomnia'; ",
    ),
    (
        {"adverse_events": [{"term": "pregnancy"}, {"term": "pregnancy", "resolved": True}]},
        "adverse_events[0]: 'pregnancy' is also listed as resolved; keep the one that is true",
    ),
    ({"dosage_taken_mg": 5.0}, "dosage_taken_every_days: an amount without its frequency; "),
    ({"dosage_taken_every_days": 1}, "dosage_taken_mg: is missing; give it"),
    (
        {"dosage_taken_mg": 101.0, "dosage_taken_every_days": 1},
        "dosage_taken_mg: 101 is outside its range; ",
    ),
    (
        {"dosage_taken_mg": 5.0, "dosage_taken_every_days": 0},
        "dosage_taken_every_days: 0 is outside its range; ",
    ),
    (
        {"doses_missed": 29},
        "doses_missed: 29 missed of 28 since the visit before; count them again",
    ),
    ({"judgement": "better", "judgement_reason": "seen"}, "judgement: 'better' is not known; "),
    ({"judgement": "worse"}, "judgement_reason: is missing; give it"),
    ({"judgement_reason": "seen"}, "judgement: is missing; give it"),
    ({"age": 17}, "age: 17 is outside its range; "),
    ({"subtype": "a\nb"}, "subtype: 'a\\nb' holds a character that cannot be shown; take it out"),
    ({"antiphospholipid": "perhaps"}, "antiphospholipid: 'perhaps' is not known; "),
    (
        {"able_to_become_pregnant": True},
        "able_to_become_pregnant: is not what another visit of the patient says; ",
    ),
    (
        {"date": dt.date(2026, 2, 2)},
        "date: two visits of the patient on 2026-02-02; give the visits in order, one a day",
    ),
]
FOLLOWS = "patient: the earlier visit of {} was refused; fix that one first"


@pytest.mark.parametrize(("cells", "said"), BAD)
def test_a_bad_row_is_refused_with_what_follows_it_and_nothing_else(
    cells: dict[str, Any], said: str
) -> None:
    """The third visit of the second patient is bad."""
    reasons = refused(describe_change(6, **cells))
    assert reasons[6] is not None
    assert reasons[6].startswith(said)
    assert reasons[7] == FOLLOWS.format(cells.get("date", "2026-03-02"))
    # Of two visits on one day neither can be told to be the first.
    duplicates = "date" in cells
    assert [index for index, each in enumerate(reasons) if each is not None] == (
        [5, 6, 7] if duplicates else [6, 7]
    )


def test_a_row_is_refused_for_every_fault_in_it() -> None:
    reason = refused(describe_change(6, clasi_activity=71, judgement="worse"))[6]
    assert reason is not None
    assert [each.split(":")[0] for each in reason.split(" | ")] == [
        "clasi_activity",
        "judgement_reason",
    ]


def test_before_the_first_visit_nothing_was_taken_or_missed() -> None:
    for cells, column in (
        ({"doses_missed": 1}, "doses_missed"),
        ({"dosage_taken_mg": 0.0}, "dosage_taken_mg"),
    ):
        reasons = refused(describe_change(4, **cells))
        assert reasons[4] == (
            f"{column}: nothing comes before the first visit; leave it out: a record begins before treatment"
        )
        assert [each is None for each in reasons] == [True] * 4 + [False] * 4 + [True] * 4


def test_a_visit_without_a_date_or_a_patient_leaves_nothing_certain_that_it_may_belong_to() -> None:
    undated = refused(describe_change(6, date=None))
    assert undated[6] == "date: is missing; give it"
    assert [undated[each] for each in (4, 5, 7)] == [
        "patient: the earlier visit without a date was refused; fix that one first"
    ] * 3
    assert undated[:4] == undated[8:] == [None] * 4
    nameless = refused(describe_change(6, patient=None))
    assert nameless[6] == "patient: is missing; say whose visit it is"
    assert [each for each in nameless if each] == [nameless[6]]


NASTY: list[Any] = [float("nan"), -1.0, 0.5, 1e300, 1e-300, 2.0**63]


@pytest.mark.parametrize(
    "name", [each.name for each in COLUMNS if "number" in each.holds and each.name != "patient"]
)
def test_no_number_that_a_course_is_refused_for_passes(name: str) -> None:
    for value in NASTY:
        rows = describe_change(6, **{name: value})
        for row in rows:
            row[name] = None if row[name] is None else float(row[name])
        row = {**rows[6]}
        faults = columns.faults_of(row, rows[5]["date"])
        reason = refused(rows)[6]
        assert (reason is not None) == bool(faults), (value, reason, faults)


# Files


def written(visits: "pa.Table", path: Path) -> str:
    """A table as CSV, its lists as JSON text."""
    rows = visits.to_pylist()
    for row in rows:
        for name in ("pregnancy_tests", "adverse_events"):
            entries = row[name]
            if entries is not None:
                kept = [
                    {key: value for key, value in each.items() if value is not None}
                    for each in entries
                ]
                row[name] = json.dumps(kept, default=str)
    format_decimal = pa.Table.from_pylist(rows, schema=None)
    pyarrow.csv.write_csv(format_decimal, path)
    return str(path)


def test_from_csv_and_parquet_the_command_decides_the_same(visits, tmp_path: Path, capsys) -> None:
    pyarrow.parquet.write_table(visits, tmp_path / "visits.parquet")
    written(visits, tmp_path / "visits.csv")
    expected = answers(visits)
    for kind in ("csv", "parquet"):
        out = str(tmp_path / f"out.{kind}.parquet")
        assert main(["cohort", str(tmp_path / f"visits.{kind}"), "-o", out]) == 0
        assert (
            pyarrow.parquet.read_table(out).drop_columns(["patient", "date"]).to_pylist()
            == expected
        )
        told_on, errors = capsys.readouterr()
        assert told_on.startswith(
            f"{len(visits)} visits, 0 refused, by cortes-hernandez-2012 1.0.0, sha256 "
        )
        assert "not a medical device" in told_on
        assert errors == ""


def test_the_command_tells_refused_rows_and_keeps_the_others(tmp_path: Path, capsys) -> None:
    path = written(
        pa.Table.from_pylist(describe_change(6, clasi_activity=71)), tmp_path / "visits.csv"
    )
    text = Path(path).read_text("utf-8").replace("71", "n/a")
    Path(path).write_text(text, "utf-8")
    out = str(tmp_path / "out.csv")
    assert main(["cohort", path, "-o", out, "--protocol", "penn-2012", "--json"]) == 1
    told_on, errors = capsys.readouterr()
    assert json.loads(told_on)["refused"] == 2
    assert errors.splitlines() == [
        "'1', 2026-03-02: clasi_activity: 'n/a' is not a whole number; "
        "give CLASI activity, a whole number from 0 to 70",
        f"'1', 2026-03-30: {FOLLOWS.format('2026-03-02')}",
    ]
    rows = pyarrow.csv.read_csv(out).to_pylist()
    assert [row["rule"] or None for row in rows][4:8] == ["start", "await-assessment", None, None]
    assert {row["protocol"].split()[0] for row in rows} == {"penn-2012"}


def test_the_command_tells_no_more_than_a_page_of_refused_rows(tmp_path: Path, capsys) -> None:
    rows = [{**visit_row(seen(each, 9), "p"), "age": 3} for each in range(30)]
    path = written(pa.Table.from_pylist(rows), tmp_path / "visits.csv")
    assert main(["cohort", path, "-o", str(tmp_path / "out.csv")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 21
    assert errors[-1] == "10 more are in the column refused"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "none.csv",
            None,
            "none.csv: no such file or directory; give the path of a table of visits",
        ),
        (
            "visits.txt",
            b"patient,date\n",
            "visits.txt: not named as a Parquet or CSV file; name it .parquet or .csv",
        ),
        ("visits.csv", b"", "visits.csv: "),
        (
            "visits.csv",
            b"patient,date\np,2026-01-05,1\n",
            "visits.csv: CSV parse error: Expected 2 columns, got 3",
        ),
        ("visits.csv", b"patient,date\n\xff,2026-01-05\n", "visits.csv: "),
        ("visits.csv", b"patient,day\np,2026-01-05\n", "day: unknown column; "),
        ("visits.parquet", b"PAR1", "visits.parquet: "),
    ],
)
def test_a_file_that_is_no_table_is_one_line(
    tmp_path: Path, capsys, monkeypatch, name: str, content: bytes | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    assert main(["cohort", name, "-o", "out.csv"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith(said)
    assert "Traceback" not in err


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, capsys) -> None:
    path = written(table(three()), tmp_path / "visits.csv")
    for out in (
        "out.txt",
        str(tmp_path / "none" / "out.csv"),
        str(tmp_path / "none" / "out.parquet"),
    ):
        assert main(["cohort", path, "-o", out]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_the_extra_the_command_asks_for_it(capsys, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "lenadose.cohort", None)
    assert main(["cohort", "visits.csv", "-o", "out.csv"]) == 2
    assert capsys.readouterr().err.splitlines()[0].endswith("install lenadose[cohort]")


# The page


def test_the_python_of_the_page_prints_what_the_page_says(monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "cohort.md").read_text("utf-8")
    names: dict[str, Any] = {}
    parts = re.findall(r"```python\n(.+?)```.*?```text\n(.+?)```", page, re.DOTALL)
    assert len(parts) == page.count("```python") == 2
    for code, printed in parts:
        if "dask" in code:
            pytest.importorskip("dask.dataframe", reason="needs lenadose[dask]")
        exec(code, names)
        assert capsys.readouterr().out == printed


# Beyond one machine


def test_over_partitions_a_cohort_is_decided_the_same(visits) -> None:
    pytest.importorskip("dask.dataframe", reason="needs lenadose[dask]")
    import dask
    import dask.dataframe as dd
    import pandas as pd

    from lenadose.cohort import dask as cohort_dask

    frame = visits.to_pandas(date_as_object=False)
    with dask.config.set({"dataframe.convert-string": False, "scheduler": "threads"}):
        parts = cohort_dask.decide(
            dd.from_pandas(frame.sample(frac=1, random_state=1), npartitions=3, sort=False)
        )
        assert parts.npartitions == 3
        pd.testing.assert_frame_equal(parts.compute().sort_index(), decide(frame))
        with pytest.raises(LenadoseError, match="is not a Dask data frame"):
            cohort_dask.decide(frame)
        with pytest.raises(DocumentError, match="neutrofils: unknown column"):
            cohort_dask.decide(
                dd.from_pandas(frame.rename(columns={"neutrophils": "neutrofils"}), npartitions=2)
            )
