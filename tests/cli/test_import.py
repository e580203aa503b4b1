"""The command `import`: its exit codes, what it prints, and output that is whole or not there."""

import json
from pathlib import Path

import pytest
from tests.support.paths import ROOT

from lenadose import load_course
from lenadose.cli.importing import file_names
from lenadose.cli.main import main

EXAMPLES = ROOT / "examples" / "import"
VISITS = str(ROOT / "examples" / "cohort" / "visits.csv")


def test_a_course_file_is_written_for_each_patient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "courses"
    # Exit 1: a count of 3500 × 10⁹/L is no patient's.
    assert main(["import", VISITS, "-o", str(out)]) == 1
    assert sorted(path.name for path in out.iterdir()) == ["p-01.json", "p-02.json", "p-03.json"]
    assert all(load_course(path).visits for path in out.iterdir())
    printed = capsys.readouterr()
    assert "8 records: 8 used, 0 left out" in printed.out
    assert "not a medical device" in printed.out
    assert "row 7: left out: neutrophils 3500 10*9/L" in printed.err


def test_explain_names_every_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, mapping = str(EXAMPLES / "sdtm"), str(EXAMPLES / "sdtm.toml")
    call = ["import", source, "--map", mapping, "-o", str(tmp_path / "out"), "--explain"]
    assert main(call) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "35 records: 30 used, 5 left out" in lines
    named = {line.partition(": ")[2].partition(":")[0] for line in lines if "/sdtm/" in line}
    assert named == {f"row {number}" for number in range(1, 19)}


def test_data_is_printed_with_the_accounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    main(["import", VISITS, "-o", out, "--json", "--explain"])
    data = json.loads(capsys.readouterr().out)
    assert data["patients"]["p-01"] == "p-01.json"
    assert data["used"] + data["left_out"] == data["records"] == len(data["accounts"])


def test_one_patient_may_be_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "course.json"
    assert main(["import", str(EXAMPLES / "fhir" / "bundle.json"), "-o", str(out)]) == 0
    assert load_course(out).visits
    assert main(["import", VISITS, "-o", str(out)]) == 2
    assert "is one file, and there are 3 courses" in capsys.readouterr().err


def test_what_cannot_be_found_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "no such file or directory; give the path of an input file" in printed.err
    assert "1 record: 0 used, 1 left out" in printed.out


def test_a_folder_with_files_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "older.json").write_text("{}")
    assert main(["import", VISITS, "-o", str(tmp_path)]) == 2
    assert "is a folder that is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["older.json"]


def test_an_empty_folder_is_used_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    main(["import", VISITS, "-o", str(out)])
    assert len([*out.iterdir()]) == 3
    assert [*tmp_path.iterdir()] == [out]


def test_nothing_is_written_over_the_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", VISITS, "-o", VISITS]) == 2
    assert "is the input" in capsys.readouterr().err


def test_without_a_course_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "other.csv"
    table.write_text("a,b\n1,2\n")
    out = tmp_path / "out"
    assert main(["import", str(table), "-o", str(out)]) == 2
    assert not out.exists()
    error = capsys.readouterr().err
    assert "no table of the mapping has its columns" in error
    assert "nothing was written" in error
    assert main(["import", str(tmp_path / "none.csv"), "-o", str(out)]) == 2


def test_names_of_files_are_safe_and_no_two_alike() -> None:
    names = file_names(["p-01", "P-01", "../x", "..", ".hidden", "a b/ü", "x" * 400, "x" * 401])
    assert names[:2] == ["p-01.json", "P-01-2.json"]
    assert len({name.casefold() for name in names}) == len(names)
    assert not any("/" in name or name.startswith(".") or len(name) > 200 for name in names)
