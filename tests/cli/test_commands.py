"""The command line: its output, its exit codes, and its errors of one line."""

import io
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL

from lenadose import load_course, replay
from lenadose.cli import course_lines, terminal
from lenadose.cli.main import main
from lenadose.explanation.headlines import headline
from lenadose.formats.schema import SCHEMAS
from lenadose.report.card import card
from lenadose.report.protocol import assumptions
from lenadose.terms.facts import Action

COURSE = str(ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json")


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def errors(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_replay_prints_every_decision_with_its_limits(capsys) -> None:
    out = output(capsys, "replay", COURSE)
    for decision in replay(load_course(COURSE)):
        assert str(decision.visit.date) in out
        assert headline(decision) in out
        assert f"{decision.rule.id}, {decision.case.provenance.tag.label}" in out
    assert "not a medical device" in out
    assert PROTOCOL.hash in out


def test_replay_as_data_is_the_protocol_and_one_decision_a_visit(capsys) -> None:
    data = json.loads(output(capsys, "replay", COURSE, "--json"))
    assert data["protocol"] == {
        "id": PROTOCOL.id,
        "version": PROTOCOL.version,
        "hash": PROTOCOL.hash,
    }
    assert [decision["rule"] for decision in data["decisions"]] == [
        decision.rule.id for decision in replay(load_course(COURSE))
    ]
    assert json.loads(output(capsys, "next", COURSE, "--json")) == data["decisions"][-1]


def test_next_prints_the_card_of_the_last_visit(capsys) -> None:
    out = output(capsys, "next", COURSE)
    assert out == f"{card(replay(load_course(COURSE))[-1])}\n"
    assert len(out.splitlines()) <= 18


def test_next_prints_the_last_decision_in_full(capsys) -> None:
    out = output(capsys, "next", COURSE, "--full")
    for heading in (
        "## What was seen",
        "## Arithmetic",
        "## Criteria",
        "## Assumptions that decide here",
        "## Limits",
    ):
        assert heading in out
    assert out.startswith("# ○ OBSERVE: no drug")


def test_explain_is_the_page_of_a_visit_with_every_other_action(capsys) -> None:
    last = output(capsys, "explain", COURSE)
    assert last.startswith("# ○ OBSERVE: no drug")
    assert "No other action can be reached" in last
    page = output(capsys, "explain", COURSE, "--visit", "2025-03-10")
    assert page.startswith("# ▲ RAISE TO 10 mg once daily")
    for part in (
        "## What would lead to another action",
        "## For and against",
        "## Arithmetic",
        "## Criteria",
        "## Limits",
    ):
        assert part in page
    assert "| continue | CLASI activity 1 to 12 instead of 15 " in page
    assert "- start: not reachable from here: the phase is titration or interrupted" in page


def test_explain_as_data_is_the_decision_with_its_alternatives_and_arguments(capsys) -> None:
    data = json.loads(output(capsys, "explain", COURSE, "--visit", "2025-03-10", "--json"))
    replayed = json.loads(output(capsys, "replay", COURSE, "--json"))["decisions"]
    assert {key: data[key] for key in data if key not in ("alternatives", "arguments")} in replayed
    assert len(data["alternatives"]) == len(Action) - 1
    nearest = data["alternatives"][0]
    assert (nearest["action"], nearest["reachable"], nearest["why"]) == ("continue", True, None)
    (change,) = nearest["changes"]
    assert (change["field"], change["from"], change["to"]) == ("clasi_activity", 15, 12)
    assert data["arguments"][0]["action"] == "escalate"
    assert data["arguments"][0]["against"] == []


def test_why_not_tells_of_one_action(capsys) -> None:
    where = ("explain", COURSE, "--visit", "2025-03-21", "--why-not")
    page = output(capsys, *where, "escalate")
    assert page.startswith("# 2025-03-21: why not escalate\n")
    assert (
        "| against | safety interrupt (neutrophils 0.9 × 10⁹/L); it would have to be acceptable |"
        in page
    )
    assert "neutrophils at least 1.5 × 10⁹/L instead of 0.9 × 10⁹/L" in page
    assert "not a medical device" in page
    assert "Not reachable from here: the phase is titration or interrupted" in output(
        capsys, *where, "start"
    )
    assert output(capsys, *where, "interrupt").startswith("# 2025-03-21: why interrupt\n")
    data = json.loads(output(capsys, *where, "escalate", "--json"))
    assert [alternative["action"] for alternative in data["alternatives"]] == ["escalate"]
    assert [candidate["action"] for candidate in data["arguments"]] == ["escalate"]


def test_explain_reads_a_course_by_another_protocol(capsys) -> None:
    page = output(capsys, "explain", COURSE, "--visit", "2025-02-10", "--protocol", "penn-2012")
    assert "Protocol `penn-2012`" in page


def test_a_course_is_read_from_standard_input(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(COURSE).read_bytes())))
    assert "remain-interrupted" in output(capsys, "replay", "-")


def test_show_prints_sheet_diagram_and_data(capsys) -> None:
    sheet = output(capsys, "show")
    for row in PROTOCOL.table.rules:
        assert f"`{row.id}" in sheet
    diagram = output(capsys, "show", PROTOCOL.id, "--as", "mermaid")
    assert diagram.startswith("stateDiagram-v2\n")
    assert "taper --> titration : relapse-in-taper" in diagram
    data = json.loads(output(capsys, "show", "--as", "json"))
    assert data == json.loads(output(capsys, "show", "--json"))
    assert [row["id"] for row in data["rules"]] == [row.id for row in PROTOCOL.table.rules]
    assert data["rules"][-1]["cases"][0]["when"] == {"phase": ["discontinued"]}


def test_assumptions_prints_all_that_is_not_stated(capsys) -> None:
    page = output(capsys, "assumptions")
    data = json.loads(output(capsys, "assumptions", "--json"))["assumptions"]
    for entry in PROTOCOL.ledger:
        listed = entry.provenance.tag.label != "stated"
        assert (f"| `{entry.id}` |" in page) == listed
        assert (entry.id in [assumption["id"] for assumption in data]) == listed


@pytest.mark.parametrize("document", SCHEMAS)
def test_schema_prints_a_schema(capsys, document: str) -> None:
    assert json.loads(output(capsys, "schema", document)) == json.loads(
        json.dumps(SCHEMAS[document]())
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["replay", "none.json"],
            "none.json: no such file or directory; give the path of a course file",
        ),
        (["replay", str(ROOT)], f"{ROOT}: is a directory; give the path of a course file"),
        (
            ["replay"],
            "call: the following arguments are required: COURSE; see lenadose replay --help",
        ),
        (["hold"], "call: argument COMMAND: invalid choice: 'hold'"),
        ([], "call: the following arguments are required: COMMAND; see lenadose --help"),
        (
            ["show", "cortes-hernandez"],
            "protocol: 'cortes-hernandez' is not known; did you mean cortes-hernandez-2012?",
        ),
        (["show", "--as", "pdf"], "call: argument --as: invalid choice: 'pdf'"),
        (
            ["explain", COURSE, "--visit", "2025-03-11"],
            "--visit: there is no visit on '2025-03-11'; give the date of one",
        ),
        (
            ["explain", COURSE, "--visit", "last"],
            "--visit: there is no visit on 'last'; give the date of one",
        ),
        (
            ["explain", COURSE, "--why-not", "escalat"],
            "--why-not: unknown action 'escalat'; did you mean escalate?",
        ),
        (
            ["explain", COURSE, "--why-not", "hold"],
            "--why-not: unknown action 'hold'; known: start, continue,",
        ),
        (
            ["explain", "none.json"],
            "none.json: no such file or directory; give the path of a course file",
        ),
    ],
)
def test_a_wrong_call_is_one_line(capsys, arguments: list[str], expected: str) -> None:
    (line,) = errors(capsys, *arguments)
    assert line.startswith(expected)


def test_every_fault_of_a_course_is_a_line(capsys, tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    path.write_text(
        '{"protocol": "penn", "visits": '
        '[{"date": "2026-02-30"}, {"date": "2026-01-01", "clasi": 3}]}'
    )
    lines = errors(capsys, "next", str(path))
    assert {line.split(": ")[0] for line in lines} == {str(path)}
    places = ["protocol", "visits[0].date", "visits[1].clasi"]
    assert [line.split(": ")[1] for line in lines] == places


def test_a_fault_that_only_the_machine_sees_names_its_visit(capsys, tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    path.write_text(
        '{"visits": [{"date": "2026-01-05"}, {"date": "2026-01-12", "doses_missed": 1}]}'
    )
    assert errors(capsys, "replay", str(path)) == [
        f"{path}: visits[1].doses_missed: 1 missed of 0 since the visit before; count them again"
    ]


def test_without_rich_the_table_asks_for_it_and_data_still_works(capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "lenadose.cli.course_lines", None)
    (line,) = errors(capsys, "replay", COURSE)
    assert (
        line == "rich: is not installed, and tables need it; install lenadose[cli], or add --json"
    )
    assert output(capsys, "replay", COURSE, "--json")


def test_in_a_terminal_pages_are_formatted(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = output(capsys, "next", COURSE, "--full")
    assert "## Arithmetic" not in out
    assert "Arithmetic" in out
    (headline,) = [
        line for line in output(capsys, "next", COURSE).splitlines() if "OBSERVE" in line
    ]
    assert "no drug" in headline


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_fits_its_terminal_without_colour(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    decisions = replay(load_course(COURSE))
    course_lines.print_decisions(decisions, console=console)
    course_lines.print_limits([PROTOCOL], console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    # A hash is one word, which a terminal breaks and a reader can still copy whole.
    assert max(len(line) for line in lines if not line.startswith("sha256 ")) <= width
    assert "\x1b[3" not in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_page_cuts_no_word_of_its_tables(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    terminal.print_page(assumptions(PROTOCOL), console)
    assert "…" not in console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, console.file.getvalue().splitlines())) <= width  # type: ignore[attr-defined]


def test_what_a_record_says_is_no_markup(tmp_path: Path, capsys) -> None:
    path = tmp_path / "course.json"
    path.write_text(
        '{"visits": [{"date": "2026-01-05", "adverse_events": '
        '[{"term": "[red]odd|term[/]", "grade": 3, "ctcae": "5.0"}]}]}'
    )
    assert "[red]odd|term[/]" in output(capsys, "replay", str(path)).replace("\n", "")
    assert r"\[red\]odd\|term\[/\]" in output(capsys, "next", str(path), "--full")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1, column 1: is not JSON: expecting value; fix the JSON at line 1"),
        ('{"patient": {"id": "Zoë"}}'.encode("latin-1"), "byte 22: is not UTF-8; save the file"),
        (b" " * 5_000_000, "course: more than 4000000 bytes; give one course per file"),
        (b"[" * 100_000, "course: is nested too deeply; give a course as the schema describes"),
        (b"{}", "visits: is missing; give it"),
    ],
)
def test_the_file_stands_first_in_each_of_its_faults(
    capsys, monkeypatch, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "course.json"
    path.write_bytes(content)
    (line,) = errors(capsys, "replay", str(path))
    assert line.startswith(f"{path}: {reason}")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    (line,) = errors(capsys, "replay", "-")
    assert line.startswith(f"-: {reason}")


@pytest.mark.parametrize("locale", ["C", "POSIX", "nosuch"])
@pytest.mark.parametrize("encoding", [None, "ascii", "latin-1"])
def test_output_is_utf_8_whatever_the_locale_says(tmp_path: Path, locale, encoding) -> None:
    path = tmp_path / "course.json"
    path.write_text('{"patient": {"id": "Zoë"}, "visits": [{"date": "2026-01-05"}]}', "utf-8")
    env = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    env |= {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    if encoding is not None:
        env["PYTHONIOENCODING"] = encoding
    for form, kept in (("--json", '"patient": "Zoë"'), (None, "Zoë: ")):
        done = subprocess.run(
            [sys.executable, "-m", "lenadose", "replay", str(path), *([form] if form else [])],
            capture_output=True,
            env=env,
            check=True,
        )
        assert kept in done.stdout.decode("utf-8")
        assert done.stderr == b""


def test_an_interrupted_command_ends_with_130_and_one_line(tmp_path: Path) -> None:
    pipe = tmp_path / "course"
    os.mkfifo(pipe)
    waits = subprocess.Popen(
        [sys.executable, "-m", "lenadose", "replay", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A job in the background ignores the signal, and so would its children.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )
    with pipe.open("wb"):  # which the command has opened, too
        waits.send_signal(signal.SIGINT)
        out, err = waits.communicate()
    assert (waits.returncode, out) == (130, b"")
    assert err == b"interrupted: the command did not finish; run it again\n"


@pytest.mark.parametrize("arguments", [["show", "--json"], ["verify", "--help"], ["show"]])
def test_a_reader_that_stops_early_is_silent(arguments: list[str]) -> None:
    run = f"{sys.executable} -m lenadose {' '.join(arguments)}"
    script = f"set -o pipefail; ({run}) | true"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (141, b"", b"")


def test_danger_and_a_level_that_is_not_stated_stand_in_the_table_and_on_the_page(
    capsys, tmp_path: Path
) -> None:
    path = tmp_path / "course.json"
    path.write_text(
        '{"patient": {"id": "p-7"}, "visits": '
        '[{"date": "2026-01-05", "neutrophils": {"value": 400, "unit": "/uL"}}]}'
    )
    for command in ("replay", "next"):
        out = " ".join(output(capsys, command, str(path)).replace("│", " ").split())
        assert "! same-day assessment:" in out.lower()
        assert "? PRESCRIBER DECIDES; no dosage" in out
        assert "p-7" in out
    path = ROOT / "examples" / "courses" / "complete-response-and-taper.json"
    assert "begin-taper, stated; level adapted" in output(capsys, "replay", str(path))
    taper = replay(load_course(path))
    reduced = next(decision for decision in taper if decision.action is Action.REDUCE)
    (source,) = [line.words for line in card(reduced).origin if line.label == "Source"]
    assert source.endswith("; 5 mg every other day: adapted")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_closed_or_full_place_is_one_line(form: list[str]) -> None:
    run = f"{sys.executable} -m lenadose replay"
    for shell, expected in (
        (f"{run} - {' '.join(form)} <&-", b"-: standard input is closed"),
        (f"{run} {COURSE} {' '.join(form)} >&-", b"standard output: is closed"),
        (
            f"{run} {COURSE} {' '.join(form)} >/dev/full",
            b"standard output: no space left on device",
        ),
        (f"{run} --help >/dev/full", b"standard output: no space left on device"),
        (f"{run} nosuch {' '.join(form)} 2>&-", b""),
    ):
        done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, cwd=ROOT, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.startswith(expected)
        assert done.stderr.count(b"\n") == (1 if expected else 0)


def test_a_table_cut_short_by_its_reader_is_silent() -> None:
    script = f"set -o pipefail; {sys.executable} -m lenadose replay {COURSE} | true"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_wrong_argument_is_shown_on_one_line(capsys) -> None:
    (line,) = errors(capsys, "show", "--as", "a\nb\x1b[31m" + "c" * 1000)
    assert "\x1b" not in line
    assert len(line) < 400


def modules_after(*arguments: str) -> set[str]:
    """Return the modules that are loaded after a command has run in a fresh Python."""
    code = "import sys; from lenadose.cli.main import main\ntry: main(sys.argv[1:])\nfinally: "
    code += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_a_command_imports_only_what_it_uses() -> None:
    help_only = modules_after("--help")
    assert {name for name in help_only if name.startswith("lenadose")} == {
        "lenadose",
        "lenadose.cli",
        "lenadose.cli.main",
        "lenadose.cli.streams",
    }
    assert not {"attr", "typing", "json"} & help_only
    unused = {"rich", "lenadose.verification", "lenadose.formats.schema", "lenadose.plot"}
    assert not unused & modules_after("next", COURSE)
    assert "lenadose.report.decision" not in modules_after("next", COURSE, "--json")
