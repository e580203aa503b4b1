"""One odd row loses nobody else's, and nothing of a table is lost or guessed."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from tests.support.patients import DAY0
from tests.support.tables import answers, course_rows, three_patients

from lenadose import DocumentError
from lenadose.cli.main import main
from lenadose.cohort import blocks, decide
from lenadose.cohort.files import read_table, write_table

TWO: dict[str, Any] = {"patient": ["a", "b"], "date": ["2026-01-05", "2026-01-05"]}
RASH = {"term": "rash", "grade": 2, "ctcae": "5.0"}


def reasons(columns: dict[str, Any] | pa.Table) -> list[str | None]:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    found: list[str | None] = decide(table)["refused"].to_pylist()
    return found


def from_pandas(**columns: Any) -> list[str | None]:
    """The reasons of a pandas frame whose columns hold objects."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {name: pandas.Series(values, dtype=object) for name, values in {**TWO, **columns}.items()}
    )
    decided = decide(frame)
    assert list(decided["patient"]) == list(frame["patient"])
    return [None if reason != reason else reason for reason in decided["refused"]]


def only_the_first(found: list[str | None], begins: str) -> None:
    first, *others = found
    assert first is not None
    assert first.startswith(begins)
    assert "\n" not in first
    assert set(others) == {None}


# Files


@pytest.mark.parametrize("offset", range(18))
def test_a_line_break_between_quotes_stays_in_its_cell(tmp_path: Path, offset: int) -> None:
    """At whatever place of a block of the reader: today's is of 1 MiB."""
    block = pyarrow.csv.ReadOptions().block_size
    head = "patient,date,judgement,judgement_reason\n"
    cell = 'z,2026-01-05,not improved,"new\nz2,2026-01-06,"\n'
    line = "p-{:08},2026-01-05,,\n"
    size = len(line.format(0))
    # The quoted part lies over the border, with the break before, at or after it.
    before = (block - len(head) - len(cell)) // size
    padding = block - len(head) - before * size - offset - 18
    rows = [line.format(number) for number in range(before - 3)]
    rows.append(f"q{'x' * (padding + 3 * size - 16)},2026-01-05,,\n")
    tail = [line.format(10_000_000 + number) for number in range(5)]
    path = tmp_path / "visits.csv"
    path.write_text("".join([head, *rows, cell, *tail]), "utf-8")
    assert abs(path.read_text("utf-8").index("new\n") - block) < 40
    read = read_table(str(path))
    assert len(read) == len(rows) + 1 + len(tail)
    assert "z2" not in read["patient"].to_pylist()
    place = read["patient"].to_pylist().index("z")
    assert read["judgement_reason"][place].as_py() == "new\nz2,2026-01-06,"
    assert decide(read.slice(place, 1))["refused"].to_pylist() == [None]


def test_the_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TWO, index=[7, 9])
    frame.to_csv(tmp_path / "visits.csv")
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame), tmp_path / "visits.parquet")
    assert "__index_level_0__" in read_table(str(tmp_path / "visits.parquet")).column_names
    for table in (
        read_table(str(tmp_path / "visits.csv")),
        read_table(str(tmp_path / "visits.parquet")),
        pandas.read_csv(tmp_path / "visits.csv"),
    ):
        assert [str(id) for id in decide(table)["patient"]] == TWO["patient"]


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"": ["x", "y"], **TWO}, "column 1"),
        ({"": [1, 1], **TWO}, "column 1"),
        ({**TWO, "": [0, 1]}, "column 3"),
        ({**TWO, "a\x00": [0, 1]}, "column 3"),
    ],
)
def test_what_is_no_index_is_named_by_its_place(columns: dict[str, Any], place: str) -> None:
    with pytest.raises(DocumentError, match=f"^{place}: unknown column; known: patient, "):
        decide(pa.table(columns))


@pytest.mark.parametrize("name", [0, ("a", "b")])
def test_a_name_of_pandas_that_is_no_text_is_named_by_its_place(name: object) -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DocumentError, match=r"^column 3: unknown column; known: patient, "):
        decide(pandas.DataFrame({**TWO, name: [0, 1]}))


def test_of_many_unknown_columns_some_are_named() -> None:
    for count, last in ((1000, "x999: unknown column; "), (1002, "columns: 2 more are unknown; ")):
        with pytest.raises(DocumentError) as error:
            decide(pa.table({**TWO, **{f"x{number}": [0, 1] for number in range(count)}}))
        assert str(error.value.faults[-1]).startswith(last)


# Rows


def test_more_visits_than_one_patient_has_are_refused_before_any_is_decided() -> None:
    many = [(DAY0 + dt.timedelta(days=number)).isoformat() for number in range(10_001)]
    found = reasons(
        {"patient": [*["crowd"] * 10_001, "b"], "date": [*many, "2026-01-05"], "age": [50] * 10_002}
    )
    assert set(found[:-1]) == {
        "patient: 10001 visits are too many for one patient (at most 10000); "
        "give the visits of each patient by themselves"
    }
    assert found[-1] is None


@pytest.mark.parametrize("most", [1, 2, 3])
def test_patients_with_too_many_visits_lose_no_others(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(blocks, "MOST_VISITS", most)
    ids = ["c", "a", "b", "b", "d\u200b", "c", "b", None, "a", "e", "e "]
    dates = [f"2026-01-{number:02}" for number in range(10, 21)]
    counts = {"a": 2, "b": 3, "c": 2}
    for id, reason in zip(ids, reasons({"patient": ids, "date": dates}), strict=True):
        if id is None:
            assert reason == "patient: is missing; say whose visit it is"
        elif id in counts:
            fault = f"patient: {counts[id]} visits are too many for one patient "
            assert (reason is not None) is (counts[id] > most)
            assert reason is None or reason.startswith(fault)
        else:
            assert reason is not None
            assert reason.startswith("patient: ")
            assert "visits" not in reason


def test_a_list_of_structs_of_polars_is_read() -> None:
    polars = pytest.importorskip("polars")
    for events in ([[RASH], []], polars.Series([[RASH], []], dtype=polars.Object)):
        tests = [[{"result": "positive", "date": dt.date(2026, 1, 5)}], None]
        frame = polars.DataFrame({**TWO, "adverse_events": events, "pregnancy_tests": tests})
        decided = decide(frame)
        assert decided["refused"].to_list() == [None, None]
        assert decided["missing_adverse_events"].to_list() == [None, None]
        assert decided["rule"][0] == "unfit-to-start"


@pytest.mark.parametrize("name", ["date", "neutrophils_date"])
@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date32()])
def test_a_date_that_python_has_none_for_loses_its_row_only(
    tmp_path: Path, capsys, name: str, kind: pa.DataType
) -> None:
    late = 2**40 if pa.types.is_timestamp(kind) else 2**30
    day = 1_767_571_200 if pa.types.is_timestamp(kind) else 20_458
    integers = pa.int64() if pa.types.is_timestamp(kind) else pa.int32()
    days = pa.array([late, day], integers).cast(kind)
    columns = {
        **TWO,
        "neutrophils": [3.2, 3.2],
        "neutrophils_unit": ["10*9/L"] * 2,
        name: days,
    }
    only_the_first(reasons(columns), f"{name}: ")
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "visits.parquet")
    out = str(tmp_path / "out.csv")
    assert main(["cohort", str(tmp_path / "visits.parquet"), "-o", out]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f": {name}: " in line


@pytest.mark.parametrize(
    ("name", "values", "begins"),
    [
        ("adverse_events", [[None], []], "adverse_events[0]: null is not an object"),
        ("adverse_events", [[None], [RASH]], "adverse_events[0]: null is not an object"),
        ("adverse_events", [["rash"], [RASH]], "adverse_events[0]: 'rash' is not an object"),
        ("adverse_events", [[{**RASH, "grade": "x"}], [RASH]], "adverse_events[0].grade: 'x'"),
        ("adverse_events", [[{**RASH, "term": "\ud800"}], [RASH]], "adverse_events: "),
        ("clasi_activity", [2**70, 11], "clasi_activity: "),
        ("clasi_activity", ["n/a", 11], "clasi_activity: 'n/a' is not a whole number"),
        ("clasi_damage", [dt.date(2026, 1, 5), 1.0], "clasi_damage: '2026-01-05'"),
        ("able_to_become_pregnant", ["perhaps", True], "able_to_become_pregnant: 'perhaps'"),
        ("date", ["?", np.datetime64("2026-01-05")], "date: '?' is not a date"),
        ("date", ["\ud800", "2026-01-05"], "date: "),
        ("patient", ["\ud800", "b"], "patient: holds a control character"),
        ("subtype", ["\ud800", "discoid"], "subtype: "),
    ],
)
def test_an_object_that_no_other_row_is_like_loses_its_row_only(
    name: str, values: list[Any], begins: str
) -> None:
    only_the_first(from_pandas(**{name: values}), begins)


@pytest.mark.parametrize("name", ["patient", "date", "subtype", "neutrophils", "adverse_events"])
def test_bytes_that_are_no_text_lose_their_row_only(name: str) -> None:
    good = {"patient": "b", "date": "2026-01-05", "neutrophils": "3", "adverse_events": "[]"}
    kept = good.get(name, "cd").encode()
    texts = pa.array([b"\xff\xfe", kept], pa.binary())
    offsets, content = texts.buffers()[1:]
    invalid = pa.Array.from_buffers(pa.string(), 2, [None, offsets, content])
    units = {"neutrophils_unit": ["10*9/L"] * 2}
    only_the_first(reasons({**TWO, **units, name: invalid}), name)


@pytest.mark.parametrize("hidden", ["\u00ad", "\u200d", "\U000e0041"])
def test_a_subtype_with_a_character_that_is_not_seen_loses_its_row_only(hidden: str) -> None:
    only_the_first(reasons({**TWO, "subtype": [f"pannic{hidden}ulitis", "discoid"]}), "subtype")


def test_an_id_of_bytes_that_are_no_text_is_written_as_text(tmp_path: Path) -> None:
    ids = pa.array([b"\xff-1", None, b"b"]).view(pa.string())
    visits = pa.table({"patient": ids, "date": ["2026-01-05"] * 3})
    write_table(decide(visits), str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text("utf-8").count("\ufffd-1") == 1


# Patients


@pytest.mark.parametrize(
    "other", ["p 1", " p1", "p1\t", "p\u00ad1", "p\u200b1", "p\u00a01", "p1\u3164"]
)
def test_ids_that_differ_only_in_what_is_not_seen_are_refused(other: str) -> None:
    found = reasons({"patient": ["q", "p1", other, "P1"], "date": ["2026-01-05"] * 4})
    assert found[0] is found[3] is None
    assert found[1] == (
        "patient: another id differs from 'p1' only in what is not seen; write it alike in all rows"
    )
    assert found[2] is not None
    assert found[2].startswith("patient: ")


@pytest.mark.parametrize("id", ["p\u202e1", "p\u200d1", "p\u00ad1", "\u200b"])
def test_an_id_with_a_character_that_is_not_seen_is_refused_alone(id: str) -> None:
    only_the_first(reasons({**TWO, "patient": [id, "Zoë 1"]}), "patient: holds ")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("able_to_become_pregnant", [None, True, False]),
        ("regular_cycles", [True, None, False]),
        ("subtype", ["discoid", "tumid", "discoid"]),
        ("antiphospholipid", ["negative", None, "positive"]),
    ],
)
def test_facts_that_contradict_each_other_refuse_their_patient(
    name: str, values: list[Any]
) -> None:
    days = ["2026-01-05", "2026-02-05", "2026-03-05"]
    columns = {"patient": ["b"] * 3 + ["a"] * 3, "date": days * 2, name: values * 2}
    columns[name] = [values[2]] * 3 + values
    expected = f"{name}: two visits of the patient contradict each other; give the same in all"
    found = reasons(columns)
    assert found[:3] == [None] * 3
    for reason in found[3:]:
        assert reason is not None
        assert reason.startswith(expected)


def test_a_patient_may_grow_older() -> None:
    days = ["2026-01-05", "2026-02-05"]
    assert reasons({"patient": ["a"] * 2, "date": days, "age": [54, 55]}) == [None, None]


def test_a_row_of_an_unsound_patient_tells_its_own_faults_too() -> None:
    days = ["2026-01-05", "2026-02-05"]
    columns = {"patient": ["a"] * 2, "date": days, "subtype": ["x", "y"], "age": [3, 40]}
    first, second = reasons(columns)
    assert first is not None
    assert [fault.split(":")[0] for fault in first.split(" | ")] == ["age", "subtype"]
    assert second is not None
    assert second.startswith("subtype: ")


def test_a_row_of_nobody_has_one_fault() -> None:
    missed = [1, 1, None]
    columns = {"patient": [None, " ", "a"], "date": ["2026-01-05"] * 3, "doses_missed": missed}
    assert reasons(columns) == ["patient: is missing; say whose visit it is"] * 2 + [None]


# Cells


@pytest.mark.parametrize("name", ["adverse_events", "pregnancy_tests"])
def test_null_as_a_list_is_a_list_left_out(name: str) -> None:
    null, without = answers(pa.table({**TWO, name: [" null", None]}))
    assert null == without
    assert null[f"missing_{name}"] == "absent"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("3.2", True),
        ("3.2000000000000002", True),
        ("0.30000000000000004", True),
        ("2.9999999999999996", True),
        ("1e-16", True),
        ("1.4999999999999999", False),
        ("0.99999999999999999999", False),
    ],
)
def test_a_number_is_read_alike_in_every_kind_of_table(text: str, read: bool) -> None:
    from decimal import Decimal

    from lenadose import read_course
    from lenadose.formats.course_json import parse_course

    units = {"neutrophils_unit": ["10*9/L"] * 2}
    measured = f'{{"value": {text}, "unit": "10*9/L"}}'
    document = f'{{"visits": [{{"date": "2026-01-05", "neutrophils": {measured}}}]}}'
    for cells in ([text, "3"], pa.array([Decimal(text), Decimal(3)])):
        assert (reasons({**TWO, **units, "neutrophils": cells})[0] is None) == read
    if read:
        (visit,) = parse_course(document).visits
        assert reasons({**TWO, **units, "neutrophils": [float(text), 3.0]}) == [None, None]
        assert read_course(json.loads(document)).visits == (visit,)
    else:
        with pytest.raises(DocumentError):
            parse_course(document)


def test_a_number_of_single_precision_is_its_own_digits() -> None:
    """1.1 is 1.10000002 as a double: above a limit of 1.1, and no number of a record."""
    counts = {"platelets": pa.array([1.1, 50.0], pa.float32()), "platelets_unit": ["10*9/L"] * 2}
    exact = {**counts, "platelets": [1.1, 50.0]}
    assert answers(pa.table({**TWO, **counts})) == answers(pa.table({**TWO, **exact}))


def test_units_are_read_in_the_spellings_of_a_course() -> None:
    spelled = ["x10^9/L", "k/µl"]
    exact = ["10*9/L", "10*3/uL"]
    found = [
        answers(pa.table({**TWO, "platelets": [40, 40], "platelets_unit": units}))
        for units in (spelled, exact)
    ]
    assert found[0] == found[1]
    assert found[0][0]["refused"] is None


def test_a_reason_may_have_lines() -> None:
    judged = {"judgement": ["worse"] * 2, "judgement_reason": ["new\nlesions", "new\x1blesions"]}
    fine, wrong = reasons({**TWO, **judged})
    assert fine is None
    assert wrong is not None
    assert wrong.startswith("judgement_reason: ")


# Many tables

BAD: tuple[tuple[str, Any], ...] = (
    ("date", None),
    ("date", "2026-02-30"),
    ("date", "\ud800"),
    ("date", "12026-01-05"),
    ("patient", None),
    ("patient", "\u200b"),
    ("patient", "\ud800"),
    ("clasi_activity", 71),
    ("clasi_activity", "eleven"),
    ("clasi_activity", 2**80),
    ("clasi_activity", float("inf")),
    ("clasi_damage", -1),
    ("neutrophils", 3500),
    ("neutrophils", "<0.5"),
    ("neutrophils", "1.4999999999999999"),
    ("neutrophils_unit", "g/L"),
    ("neutrophils_date", dt.date(2199, 1, 1)),
    ("platelets_unit", None),
    ("platelets", "\ud800"),
    ("creatinine_clearance_unit", "mL/min/1.73m2"),
    ("pregnancy_tests", [None]),
    ("pregnancy_tests", "["),
    ("pregnancy_tests", [{"result": "unclear"}]),
    ("adverse_events", [None]),
    ("adverse_events", ["rash"]),
    ("adverse_events", [{"term": "neutropenia", "grade": 3, "ctcae": "5.0"}]),
    ("adverse_events", [{"term": "\ud800", "grade": 3, "ctcae": "5.0"}]),
    ("adverse_events", {"term": "rash"}),
    ("dosage_taken_mg", 5),
    ("dosage_taken_every_days", 0),
    ("doses_missed", 10**6),
    ("judgement", "better"),
    ("judgement_reason", "because"),
    ("stopped", "\x1b[2J"),
    ("age", 3),
    ("able_to_become_pregnant", "no"),
    ("regular_cycles", 2),
    ("subtype", "\x00"),
    ("antiphospholipid", "both"),
)


def random_table(generator: np.random.Generator) -> list[dict[str, Any]]:
    """The visits of one to four patients, in any order."""
    people = three_patients()[:1] * int(generator.integers(1, 5))
    rows = course_rows(people)
    kept = [row for row in rows if row["date"] == DAY0 or generator.random() < 0.6]
    return [kept[place] for place in generator.permutation(len(kept))]


def odd_tables(count: int, seed: int) -> None:
    """Check that one bad row in each of so many tables changes nothing for other patients."""
    pandas = pytest.importorskip("pandas")
    generator = np.random.default_rng(seed)
    names = list(course_rows(three_patients()[:1])[0])

    def decided(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        columns = {name: pandas.Series([row[name] for row in rows], dtype=object) for name in names}
        answer = decide(pandas.DataFrame(columns)).drop(columns=["patient", "date"])
        return [
            {name: None if value != value or value is pandas.NaT else value for name, value in row}
            for row in (each.items() for each in answer.to_dict("records"))
        ]

    for number in range(count):
        rows = random_table(generator)
        bad = int(generator.integers(len(rows)))
        name, value = BAD[number % len(BAD)]
        whose = rows[bad]["patient"]
        others = [row for row in rows if row["patient"] != whose]
        found = decided([*rows[:bad], {**rows[bad], name: value}, *rows[bad + 1 :]])
        assert found[bad]["refused"] is not None, (seed, number)
        assert found[bad]["action"] is None, (seed, number)
        kept = [row for row, given in zip(found, rows, strict=True) if given["patient"] != whose]
        assert kept == (decided(others) if others else []), (seed, number)


def test_one_bad_row_changes_nothing_for_others() -> None:
    odd_tables(3 * len(BAD), 1)


# Ten thousand tables in the long profile, a thousand otherwise; in parts, for two processes.
PARTS = 4
TABLES = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1_000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_one_bad_row_changes_nothing_for_others_in_thousands_of_tables(part: int) -> None:
    odd_tables(TABLES // PARTS, 2 + part)
