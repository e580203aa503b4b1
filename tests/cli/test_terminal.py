"""Output in a terminal: tables that cut no id, and progress bars of long tasks."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.paths import EXAMPLES
from tests.support.patients import PROTOCOL

from lenadose import explain, load_course, replay
from lenadose.cli.main import main
from lenadose.cli.terminal import print_page
from lenadose.report.course import course_page
from lenadose.report.protocol import assumptions, protocol_page

COURSE = EXAMPLES / "courses" / "neutropenia-at-10-mg.json"
PAGES: dict[str, Callable[[], str]] = {
    "assumptions": lambda: assumptions(PROTOCOL),
    "protocol": lambda: protocol_page(PROTOCOL),
    "decision": lambda: explain(replay(load_course(COURSE))[2]),
    "course": lambda: course_page(replay(load_course(COURSE))),
}


def printed(page: str, width: int) -> str:
    out = io.StringIO()
    print_page(page, Console(file=out, width=width, no_color=True))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", PAGES)
def test_no_id_is_cut(name: str, width: int) -> None:
    page = PAGES[name]()
    text = printed(page, width)
    ids = {id for id in re.findall(r"`([^`\s]+)`", page) if len(id) < 60}  # not the hash
    assert len(ids) > 2
    assert [id for id in ids if id not in text] == []
    assert max(map(len, text.splitlines())) <= width


WIDE = """\
| patient | row | why |
| --- | --- | --- |
| `a-patient-with-a-long-id` | `interruption-too-long` | after so long it is asked again |
| `p-2` | `escalate` | |
"""


def test_a_table_has_columns_as_wide_as_their_longest_words() -> None:
    lines = printed(WIDE, 80).splitlines()
    (first,) = [line for line in lines if "a-patient" in line]
    assert first.split() == [
        "a-patient-with-a-long-id",
        "interruption-too-long",
        *("after", "so", "long", "it", "is", "asked"),
    ]
    lines = printed(WIDE, 60).splitlines()
    (first,) = [line for line in lines if "a-patient" in line]
    assert first.split() == ["a-patient-with-a-long-id", "interruption-too-long", "after", "so"]


def test_a_table_too_wide_for_its_longest_words_is_printed_row_by_row() -> None:
    assert [line.rstrip() for line in printed(WIDE, 50).strip().splitlines()] == [
        "patient: a-patient-with-a-long-id",
        "  row: interruption-too-long",
        "  why: after so long it is asked again",
        "",
        "patient: p-2",
        "  row: escalate",
        "  why:",
    ]


@pytest.mark.slow
def test_a_search_shows_its_progress_in_a_terminal_and_nowhere_else(capsys, monkeypatch) -> None:
    assert main(["verify", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["verify", "--json"]) == 0
    shown, progress = capsys.readouterr()
    assert json.loads(shown) == json.loads(out)
    assert "states looked at, of those known" in progress
    assert re.search(r"\d+/\d+", progress)


def test_a_comparison_and_a_cohort_show_their_progress(capsys, monkeypatch, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    mine = tmp_path / "mine.toml"
    assert main(["new", str(mine)]) == 0
    assert main(["diff", PROTOCOL.id, str(mine)]) == 0
    visits = tmp_path / "visits.csv"
    visits.write_text("patient,date\na,2026-01-05\n", "utf-8")
    assert main(["cohort", str(visits), "-o", str(tmp_path / "out.csv")]) == 0
    progress = capsys.readouterr().err
    assert "states looked at" in progress
    assert "visits" in progress
