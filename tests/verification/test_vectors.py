"""The vectors, which another implementation must decide alike."""

import json
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.paths import ROOT
from tests.support.verified import shortest_pairs

from lenadose import decision_data, get_protocol, read_course, replay
from lenadose.protocol.builtin import BUILT_IN


@cache
def vectors(name: str) -> list[dict]:
    told = json.loads(
        (ROOT / "tests" / "verification" / "vectors" / f"{name}.json").read_text("utf-8")
    )
    assert told["protocol"] == {
        "id": name,
        "version": get_protocol(name).version,
        "hash": get_protocol(name).hash,
    }
    return told["vectors"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_library_decides_every_vector_as_it_stands_there(name: str) -> None:
    assert len(vectors(name)) > 400
    for each in vectors(name):
        decisions = replay(read_course(each["course"]), get_protocol(name))
        assert len(decisions) == len(each["decisions"])
        for decision, told in zip(decisions, each["decisions"], strict=True):
            said = decision_data(decision)
            assert {key: said[key] for key in told} == told, each["name"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_rule_and_every_pair_of_rules_is_among_them(name: str) -> None:
    courses = [[each["rule"] for each in vector["decisions"]] for vector in vectors(name)]
    assert {rule for rules in courses for rule in rules} == {
        row.id for row in get_protocol(name).table.rules
    }
    every = set(shortest_pairs(name))
    assert len(every) > 400
    assert {pair for rules in courses for pair in pairwise(rules)} >= every


def test_a_pair_is_shown_by_a_course_that_ends_with_it() -> None:
    for (one, other), course in shortest_pairs(get_protocol().id).items():
        assert [each.rule.id for each in replay(course)][-2:] == [one, other]


@pytest.mark.slow
def test_the_vectors_are_what_the_table_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "vectors.py", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
