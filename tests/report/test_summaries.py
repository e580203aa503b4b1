"""The summaries of `verify` and `diff`: one screen, from which nothing that counts is missing."""

import json
import re
from itertools import islice
from pathlib import Path

import pytest
from attrs import evolve
from tests.support.patients import PROTOCOL
from tests.support.verified import certificate, comparison

from lenadose import get_protocol, load_protocol
from lenadose.cli.main import main
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.rules import RuleTable
from lenadose.report.summaries import certificate_summary, comparison_summary
from lenadose.terms.facts import Action
from lenadose.verification.certificate import verify
from lenadose.verification.compare import Comparison, Difference, compare
from lenadose.verification.disagreements import disagreements

PENN = get_protocol("penn-2012")


@pytest.fixture(scope="module")
def found() -> Comparison:
    """The first kinds of disagreement of the two regimens, which are found within a second."""
    first = tuple(islice(disagreements(PROTOCOL, PENN), 60))
    numbers = tuple(Difference(f"intervals.number_{index}", "4", "6") for index in range(12))
    return Comparison(PROTOCOL, PENN, first, numbers, (Difference("title", "one", "other"),))


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_certificate_is_ten_lines(id: str) -> None:
    text = certificate_summary(certificate(id))
    lines = text.splitlines()
    assert lines[0] == f"{get_protocol(id).name}: all 15 laws hold"
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 80
    words = " ".join(text.split())
    assert f"({certificate(id).states})" in words
    assert f"({certificate(id).transitions} answers" in words
    assert get_protocol(id).hash in words
    assert "not a medical device" in words


def test_a_broken_law_and_what_is_absent_are_named() -> None:
    rows = tuple(
        evolve(row, action=Action.ESCALATE) if row.id == "persist" else row
        for row in PROTOCOL.table.rules
    )
    broken = verify(evolve(PROTOCOL, table=RuleTable(rows), notices=()))
    words = " ".join(certificate_summary(broken).split())
    assert "of 15 laws broken Broken: 1 on-ladder" in words
    for verdict in broken.verdicts:
        assert (f"{verdict.law.number} {verdict.law.name}" in words) == (not verdict.holds)
    assert f"does not have: {'; '.join(broken.absent)}." in words


def test_the_command_shows_broken_laws_with_their_courses(
    capsys, monkeypatch, tmp_path: Path
) -> None:
    data = json.loads(json.dumps(PROTOCOL.data)) | {"id": "mine"}
    (row,) = [row for row in data["rules"] if row["id"] == "persist"]
    row["action"] = "escalate"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data), "utf-8")
    broken = verify(load_protocol(path))
    monkeypatch.setattr("lenadose.verification.certificate.verify", lambda *_: broken)
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("mine 2.0.0: ")
    assert "## Law 1, on-ladder, is broken" in out
    assert "| 2026-01-05 | CLASI 11" in out
    assert "```json" not in out
    assert main(["verify", str(path), "--full"]) == 1
    full = capsys.readouterr().out
    assert full.startswith("# mine 2.0.0: ")
    assert "| 15 in-its-phase |" in full
    assert "```json" in full


def test_every_kind_is_counted_in_one_group(found: Comparison) -> None:
    text = comparison_summary(found)
    groups = re.findall(r"^(.+): (?:(\d+) kinds?|none)$", text, re.MULTILINE)
    counts = {name: int(count or 0) for name, count in groups}
    dosed = [each for each in found.disagreements if each.one.dosage != each.other.dosage]
    seen = [each for each in found.disagreements if each.about == "next visit"]
    assert counts == {
        "Dosed otherwise": len(dosed),
        "Answered otherwise, with the same dosage or none": 60 - len(dosed) - len(seen),
        "Only seen otherwise": len(seen),
    }
    assert all(counts.values())
    parts = [int(count) for count in re.findall(r"^ +(\d+)  \S", text, re.MULTILINE)]
    assert sum(parts) == 60


def test_the_groups_say_which_protocol_gives_more_and_sees_sooner(found: Comparison) -> None:
    for each in found.disagreements:
        text = comparison_summary(evolve(found, disagreements=(each,), numbers=()))
        a, b = each.one, each.other
        (words,) = re.findall(r"^    1  (.+?)  +A  ", text, re.MULTILINE)
        if each.about == "next visit":
            assert a.next_visit is not None
            assert b.next_visit is not None
            assert a.next_visit.due != b.next_visit.due
            sooner = "A" if a.next_visit.due < b.next_visit.due else "B"
            assert words == f"sooner by {sooner}"
        elif a.dosage == b.dosage:
            assert words == "another action"
        elif a.dosage is None or b.dosage is None:
            assert words == f"only by {'B' if a.dosage is None else 'A'}"
        else:
            assert words == f"more by {'A' if a.dosage.daily_mg > b.dosage.daily_mg else 'B'}"


def test_a_comparison_fits_a_screen_and_says_what_it_leaves_out(found: Comparison) -> None:
    text = comparison_summary(found)
    lines = text.splitlines()
    assert lines[0].startswith("cortes-hernandez-2012 2.0.0 (A) and penn-2012 2.0.0 (B): they ")
    assert len(lines) <= 42
    assert max(map(len, lines)) <= 80
    assert "Numbers and rows that differ (A | B): 12" in text
    assert "  and 4 more" in text
    assert "Only other words: 1 place\n" in text
    assert "not a medical device" in text


def test_protocols_that_decide_alike_have_a_short_summary() -> None:
    text = comparison_summary(compare(PROTOCOL, evolve(PROTOCOL, title="Another title")))
    assert "the same in behaviour, not in wording" in " ".join(text.split())
    assert "otherwise" not in text
    assert "Only other words: 1 place\n" in text
    text = comparison_summary(compare(PROTOCOL, PROTOCOL))
    assert "Only other words: none\n" in text


def test_numbers_that_change_no_decision_are_reported_as_such(found: Comparison) -> None:
    text = comparison_summary(evolve(found, disagreements=()))
    assert "their numbers differ" in text
    assert "No course of visits was found" in text


def test_the_command_prints_the_summary_or_all_of_it(capsys, monkeypatch, found) -> None:
    monkeypatch.setattr("lenadose.verification.compare.compare", lambda *_: found)
    assert main(["diff", *BUILT_IN]) == 1
    assert capsys.readouterr().out == comparison_summary(found)
    assert main(["diff", *BUILT_IN, "--full"]) == 1
    assert "### 60. " in capsys.readouterr().out
    assert main(["diff", *BUILT_IN, "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["disagreements"]) == 60


@pytest.mark.slow
def test_all_disagreements_of_the_two_regimens_fit_a_screen() -> None:
    text = comparison_summary(comparison())
    assert len(text.splitlines()) <= 42
    assert max(map(len, text.splitlines())) <= 80
