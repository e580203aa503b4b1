"""Tables as files, and the command that decides on them."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from tests.support.paths import ROOT
from tests.support.patients import seen
from tests.support.tables import FOLLOWS, answers, rows_with, table, three_patients, visit_row

from lenadose.cli.main import main
from lenadose.cohort import decide
from lenadose.cohort.files import read_table, write_table


def written(visits: pa.Table, path: Path) -> str:
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
    plain = pa.Table.from_pylist(rows, schema=None)
    pyarrow.csv.write_csv(plain, path)
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
        out_text, errors = capsys.readouterr()
        assert out_text.startswith(
            f"{len(visits)} visits, 0 refused, by cortes-hernandez-2012 2.0.0, sha256 "
        )
        assert "not a medical device" in out_text
        assert errors == ""


def test_the_command_tells_refused_rows_and_keeps_the_others(tmp_path: Path, capsys) -> None:
    path = written(pa.Table.from_pylist(rows_with(6, clasi_activity=71)), tmp_path / "visits.csv")
    text = Path(path).read_text("utf-8").replace("71", "n/a")
    Path(path).write_text(text, "utf-8")
    out = str(tmp_path / "out.csv")
    assert main(["cohort", path, "-o", out, "--protocol", "penn-2012", "--json"]) == 1
    out_text, errors = capsys.readouterr()
    assert json.loads(out_text)["refused"] == 2
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
    ("name", "content", "message"),
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
        *(
            ("visits.csv", content, "visits.csv: is not UTF-8; save it as UTF-8")
            for content in (
                "patient,date\nä,2026-01-05\n".encode("latin-1"),
                "patient,date,ä\np,2026-01-05,\n".encode("latin-1"),
                "patient,date,subtype\np,2026-01-05,ä\n".encode("latin-1"),
                "patient,date\np,2026-01-05\n".encode("utf-16"),
            )
        ),
        (
            "visits.csv",
            b"patient,date,\np,2026-01-05,x\n",
            "visits.csv: column 3: unknown column; ",
        ),
        ("visits.csv", b"patient,day\np,2026-01-05\n", "visits.csv: day: unknown column; "),
        *(
            (
                "visits.csv",
                b"patient,date,stopped\na,2026-01-05,\n" + rows,
                f"visits.csv: line {line}: the quotes of a cell do not end with it; close them",
            )
            for rows, line in (
                (b'b,2026-01-05,"x\nc,2026-01-05,\n', 3),
                (b'b,2026-01-05,"x\nc,2026-01-05,"y"\n', 3),
                (b'b,2026-01-05,"x\n"\nc,2026-01-05,"' + b"y" * 200_000 + b"\nd,2026-01-05,\n", 5),
            )
        ),
        ("visits.parquet", b"PAR1", "visits.parquet: "),
    ],
)
def test_a_file_that_is_no_table_is_one_line(
    tmp_path: Path, capsys, monkeypatch, name: str, content: bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    assert main(["cohort", name, "-o", "out.csv"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith(message)
    assert "Traceback" not in err


def test_quotes_that_end_with_their_cell_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_bytes(
        b'\xef\xbb\xbfpatient,date,subtype,stopped\n"a",2026-01-05,5" x,"x ""y"",\nz"\r\n'
        b'b,2026-01-05,,""\n'
    )
    rows = read_table(str(path)).to_pylist()
    assert [(row["patient"], row["stopped"]) for row in rows] == [("a", 'x "y",\nz'), ("b", None)]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, capsys) -> None:
    path = written(table(three_patients()), tmp_path / "visits.csv")
    for out in (
        "out.txt",
        str(tmp_path / "none" / "out.csv"),
        str(tmp_path / "none" / "out.parquet"),
    ):
        assert main(["cohort", path, "-o", out]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_spreadsheet_runs_no_cell_and_each_id_can_be_told(tmp_path: Path) -> None:
    ids = ["=1+1", "+1", "-1", "@a", "\t=1", "'a", "''a", "a=1", "Zoë", "1", ""]
    visits = pa.table({"patient": ids, "date": ["=cmd", *["2026-01-05"] * 10]})
    write_table(decide(visits), str(tmp_path / "out.csv"))
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r\n")]
    assert [row["patient"].removeprefix("'") for row in rows[:7]] == ids[:7]
    assert [row["patient"] for row in rows[7:]] == ids[7:]
    assert rows[0]["date"] == "'=cmd"
    write_table(decide(visits), str(tmp_path / "out.parquet"))
    kept = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert kept["patient"].to_pylist() == ids
    numbers = pa.table({"patient": [-1], "date": ["2026-01-05"]})
    write_table(decide(numbers), str(tmp_path / "out.csv"))
    assert "\n-1," in (tmp_path / "out.csv").read_text("utf-8")


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
