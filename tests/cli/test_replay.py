"""`lenadose replay` and `next`: two lines a visit, signs before colours, several courses."""

import io
import json
import os
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.paths import EXAMPLES
from tests.support.patients import PROTOCOL

from lenadose import Decision, get_protocol, load_course, rationale, replay
from lenadose.cli.course_lines import print_decisions, print_limits
from lenadose.cli.main import main
from lenadose.explanation.fact_phrases import cause
from lenadose.explanation.headlines import HEADLINES, headline
from lenadose.terms.facts import EvidenceLevel

COURSES = sorted((EXAMPLES / "courses").glob("*.json"))
ONE, OTHER = (
    str(EXAMPLES / "courses" / f"{name}.json")
    for name in ("neutropenia-at-10-mg", "relapse-in-taper")
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def printed(decisions: tuple[Decision, ...], width: int, **options: object) -> str:
    """Return a course as a terminal of this width shows it."""
    out = io.StringIO()
    print_decisions(decisions, console=Console(file=out, width=width, **options))  # type: ignore[arg-type]
    return out.getvalue()


def visits(text: str) -> list[list[str]]:
    """Return the lines of each visit."""
    return [block.splitlines() for block in text.split("\n\n") if block[:4].isdigit()]


def in_terminal(decisions: tuple[Decision, ...], **environment: str) -> str:
    """Return what a terminal with many colours gets."""
    options = {"force_terminal": True, "color_system": "truecolor", "_environ": environment}
    return printed(decisions, 80, **options)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_every_visit_says_what_to_do_why_and_when_and_cuts_nothing(path: Path, width: int) -> None:
    decisions = replay(load_course(path))
    text = printed(decisions, width)
    assert max(map(len, text.splitlines())) <= width
    for decision, lines in zip(decisions, visits(text), strict=True):
        words = " ".join(" ".join(lines).split())
        assert lines[0].startswith(f"{decision.visit.date}  {HEADLINES[decision.action].sign} ")
        assert f"{decision.rule.id}, {decision.case.provenance.tag.label}" in words
        score = decision.visit.clasi_activity
        assert lines[1].startswith("no CLASI" if score is None else f"CLASI {score}")
        window = decision.next_visit
        assert (
            f"next {window.earliest} to {window.latest}" if window else "no next visit"
        ) in words
        if width >= 80:  # else a long one is broken between its words
            assert headline(decision) in lines[0]
            assert any(cause(decision) in line for line in lines)


def test_a_visit_takes_two_lines_at_80_columns_if_its_words_fit_beside_each_other() -> None:
    room, fitting = 80 - len("2025-01-01  "), 0
    decisions = [decision for path in COURSES for decision in replay(load_course(path))]
    for decision in decisions:
        (lines,) = visits(printed((decision,), 80))
        row = f"{decision.rule.id}, {decision.case.provenance.tag.label}"
        if decision.level and decision.level.provenance.tag is not EvidenceLevel.STATED:
            row += f"; level {decision.level.provenance.tag.label}"
        assert row in " ".join(" ".join(lines).split())
        window = "next 2025-01-01 to 2025-01-08" if decision.next_visit else "no next visit"
        fits = (
            not rationale(decision).urgent
            and len(f"{headline(decision)}  {window}") <= room
            and len(f"{cause(decision)}  {row}") <= room
        )
        assert fits == (len(lines) == 2)
        fitting += fits
    assert fitting / len(decisions) > 0.8


def test_colour_adds_nothing_but_colour() -> None:
    for path in COURSES:
        decisions = replay(load_course(path))
        coloured, plain = in_terminal(decisions), printed(decisions, 80)
        assert "\x1b[" in coloured
        assert "\x1b[" not in plain
        assert ANSI.sub("", coloured) == plain
        assert "38;2;" not in in_terminal(decisions, NO_COLOR="1")


def test_only_the_sign_is_in_colour() -> None:
    for path in COURSES:
        text = in_terminal(replay(load_course(path)))
        signs = {head.sign for head in HEADLINES.values()}
        assert set(re.findall(r"\x1b\[[0-9;]*38;2;[0-9;]*m(.*?)\x1b\[0m", text)) <= signs


def test_the_limits_of_a_protocol_stand_once_below_all_courses() -> None:
    out = io.StringIO()
    print_limits([PROTOCOL, PROTOCOL, get_protocol("penn-2012")], Console(file=out, width=200))
    assert out.getvalue().count(PROTOCOL.hash) == 1
    assert out.getvalue().count("sha256") == 2
    assert out.getvalue().count("not a medical device") == 1


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    return (code, *capsys.readouterr())


def test_several_courses_are_printed_in_order_each_under_its_file(capsys) -> None:
    code, out, err = run(capsys, "replay", ONE, OTHER)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines.index(ONE) < lines.index(OTHER)
    assert len(visits(out)) == sum(len(load_course(path).visits) for path in (ONE, OTHER))
    code, out, err = run(capsys, "next", ONE, OTHER)
    assert (code, err) == (0, "")
    assert (
        out.index(f"{ONE}:") < out.index("OBSERVE") < out.index(f"{OTHER}:") < out.index("FINISH")
    )


@pytest.mark.parametrize("command", ["replay", "next"])
def test_data_of_several_courses_is_a_list_of_what_each_gives_alone(capsys, command: str) -> None:
    alone = [json.loads(run(capsys, command, path, "--json")[1]) for path in (ONE, OTHER)]
    assert all("course" not in data for data in alone)
    code, out, _ = run(capsys, command, ONE, OTHER, "--json")
    assert code == 0
    listed = json.loads(out)
    assert [data.pop("course") for data in listed] == [ONE, OTHER]
    assert listed == alone


def test_data_of_one_course_has_two_keys(capsys) -> None:
    assert list(json.loads(run(capsys, "replay", ONE, "--json")[1])) == ["protocol", "decisions"]


@pytest.mark.parametrize("command", ["replay", "next"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "data"])
def test_a_refused_course_hides_no_other(
    capsys, tmp_path: Path, command: str, form: list[str]
) -> None:
    bad, gone = tmp_path / "bad.json", tmp_path / "gone.json"
    bad.write_text('{"visits": [{"date": "2026-02-30"}, {"date": "2026-01-01", "clasi": 3}]}')
    code, out, err = run(capsys, command, str(bad), ONE, str(gone), OTHER, *form)
    assert code == 2
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        [str(bad), "visits[0].date"],
        [str(bad), "visits[1].clasi"],
        [str(gone), "no such file or directory; give the path of a course file"],
    ]
    if form:
        assert [data["course"] for data in json.loads(out)] == [ONE, OTHER]
    else:
        assert out.index("OBSERVE") < out.index("FINISH")
        assert run(capsys, command, ONE, OTHER)[1] == out
    code, out, err = run(capsys, command, str(bad), str(gone), *form)
    assert (code, out, len(err.splitlines())) == (2, "[]\n" if form else "", 3)


def test_standard_input_is_one_course_among_others_and_is_read_once(capsys, monkeypatch) -> None:
    content = Path(OTHER).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, _ = run(capsys, "replay", ONE, "-", "--json")
    assert code == 0
    assert [data["course"] for data in json.loads(out)] == [ONE, "-"]
    code, out, err = run(capsys, "replay", "-", ONE, "-")
    assert (code, out) == (2, "")
    assert err == "-: is given more than once; give files: standard input can be read only once\n"


def test_a_protocol_that_is_refused_is_one_line_for_all_courses(capsys) -> None:
    code, out, err = run(capsys, "replay", ONE, OTHER, "--protocol", "penn")
    assert (code, out, err.count("\n")) == (2, "", 1)
    code, out, _ = run(capsys, "replay", ONE, OTHER, "--protocol", "penn-2012")
    assert code == 0
    assert out.count("penn-2012 2.0.0") == 2


def test_a_path_is_shown_on_one_line(capsys, tmp_path: Path) -> None:
    odd = tmp_path / "a\nb\x1b[31m.json"
    odd.write_bytes(Path(ONE).read_bytes())
    code, out, _ = run(capsys, "replay", os.fspath(odd), OTHER)
    assert code == 0
    assert "\x1b" not in out
    assert r"a\nb\x1b[31m.json" in "".join(out.splitlines())
