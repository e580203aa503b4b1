"""A protocol file of the reader's own: what is found about it, step by step."""

import json
from itertools import takewhile
from typing import Any

import pytest

from lenadose import get_protocol, replay
from lenadose.formats.course_json import read_course
from lenadose.formats.protocol_file import parse_protocol
from lenadose.verification.compare import compare, differences
from lenadose.walk.own_protocol import check_own_protocol, in_each_unit

HEAD = """\
based_on = "cortes-hernandez-2012"
id = "mine"
version = "0.1"
title = "My own"
"""
THREE_WEEKS = f"""{HEAD}
[intervals.review]
value = {{ weeks = 3 }}
provenance = {{ tag = "assumed", source = "decided here", words = "seen every three weeks" }}
"""
BLIND = f"""{HEAD}
[[rules]]
id = "ask-response"
action = "escalate"
[[rules.cases]]
when.phase = ["titration"]
when.response = ["not-assessed"]
when.safety = ["caution", "acceptable"]
when.timing = ["due"]
when.position = ["lowest", "middle", "highest", "only"]
provenance = {{ tag = "assumed", source = "decided here", words = "raise anyway" }}
"""


def findings(text: str, until: str = "done") -> list[dict[str, Any]]:
    """Return the findings as JSON holds them, up to a step."""
    found = takewhile(lambda each: each["step"] != until, check_own_protocol("mine.toml", text))
    return [json.loads(json.dumps(each)) for each in found]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id = x", "mine.toml: line 1, column 6: is not TOML: invalid value; fix the TOML there"),
        ('based_on = "penn"', "mine.toml: based_on: 'penn' is not a built-in protocol; "),
        (HEAD.replace("0.1", " "), "mine.toml: version: "),
        ("", "mine.toml: "),
    ],
)
def test_a_file_that_cannot_be_used_gives_its_faults_and_nothing_else(
    text: str, fault: str
) -> None:
    (found,) = findings(text)
    assert found["step"] == "fault"
    assert found["faults"][0].startswith(fault)
    assert all("\n" not in each for each in found["faults"])


def test_a_file_with_nothing_of_its_own_decides_as_its_base() -> None:
    read, laws, differing = findings(HEAD)
    assert (read["id"], read["name"], read["base"]) == (
        "mine",
        "mine 0.1",
        get_protocol().name,
    )
    assert laws["holds"]
    assert len(laws["laws"]) == 15
    assert differing["numbers"] == []
    assert [each["place"] for each in differing["wording"]] == ["id", "version", "title"]


def test_a_number_that_differs_is_named_with_both_values() -> None:
    *_, differing = findings(THREE_WEEKS, until="disagreement")
    assert differing["numbers"] == [{"place": "intervals.review.weeks", "values": ["4", "3"]}]


def test_a_disagreement_comes_with_a_course_on_which_the_two_part() -> None:
    steps = check_own_protocol("mine.toml", THREE_WEEKS)
    found = next(each for each in steps if each["step"] == "disagreement")
    course = read_course(found["course"])
    both = [
        replay(course, protocol)[-1]
        for protocol in (get_protocol(), parse_protocol(THREE_WEEKS, toml=True))
    ]
    assert [each.rule.id for each in both] == [each["rule"] for each in found["decisions"]]
    assert both[0].next_visit != both[1].next_visit
    assert found["about"] == "next visit"
    one, other = (each["next_visit"] for each in found["decisions"])
    assert one != other


def test_a_broken_law_comes_with_its_shortest_course() -> None:
    laws = findings(BLIND, until="differences")[-1]
    assert not laws["holds"]
    broken = {each["name"]: each["counterexample"] for each in laws["laws"] if not each["holds"]}
    shown = broken["known-before-more"]
    course = read_course(shown["course"])
    decisions = replay(course, parse_protocol(BLIND, toml=True))
    assert len(decisions) == len(shown["visits"]) == 2
    assert decisions[-1].rule.id == shown["visits"][-1]["rule"] == "ask-response"
    assert shown["visits"][-1]["advice"].startswith("Raise to")
    assert "no score" in shown["visits"][-1]["shown"]


def test_the_differences_are_those_of_a_comparison() -> None:
    one, other = get_protocol(), parse_protocol(HEAD, toml=True)
    compared = compare(one, other)
    assert differences(one, other) == (compared.numbers, compared.wording)


def test_a_finding_is_in_the_readers_unit_and_what_is_quoted_stays() -> None:
    words = "raise anyway below 1.0 × 10⁹/L"
    read, laws, differing = findings(BLIND.replace("raise anyway", words), until="disagreement")
    shown = in_each_unit(laws)
    assert shown["per-litre"] == laws
    text = json.dumps(shown["per-microlitre"], ensure_ascii=False)
    assert "neutrophils 3000 /µL" in text
    assert "10⁹" not in text
    assert "10*9/L" in text  # the course is the same
    for each in (read, differing):
        assert in_each_unit(each) == {"per-litre": each, "per-microlitre": each}
    assert words in json.dumps(differing, ensure_ascii=False)
