"""The independent reading decides the boundary courses as they were worked out by hand."""

from collections import Counter

import pytest
from tests.support.independent_reading import JSON, decide
from tests.support.random_courses import PROTOCOLS, random_course
from tests.support.reading_cases import Case, cases


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_a_boundary_course_is_decided_as_by_hand(case: Case) -> None:
    _, course, expected = case
    decision = decide(course, course["protocol"])[-1]
    assert {name: decision[name] for name in expected} == expected


def test_random_courses_reach_every_rule_of_both_protocols() -> None:
    found: dict[str, Counter[str]] = {protocol: Counter() for protocol in PROTOCOLS}
    for seed in range(600):
        course: JSON = random_course(seed)
        rules = [one["rule"] for one in decide(course, course["protocol"])]
        found[course["protocol"]].update(rules)
    assert [len(rules) for rules in found.values()] == [37, 37]


def test_a_seed_gives_the_same_course_each_time() -> None:
    assert random_course(7) == random_course(7) != random_course(8)
