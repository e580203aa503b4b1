"""An independent reading of the sheet: it decides as by hand, and the library as it does."""

from collections import Counter
from datetime import date

import pytest

from lenadose import Decision, begin, get_protocol, read_course, replay, step
from lenadose.engine.machine import same_day_dangers
from lenadose.formats.decision_json import decision_data
from lenadose.terms.facts import Phase
from lenadose.terms.units import QUANTITIES
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


FIELDS = (
    "action",
    "rule",
    "dosage",
    "next_visit",
    "facts",
    "phase_after",
    "missing",
    "tag",
    "same_day",
)


def by_library(decision: Decision) -> JSON:
    """A decision of the library, as the independent reading writes it."""
    data = decision_data(decision)
    level = decision.level
    dosage = level and {"mg": level.dosage.mg, "every_days": level.dosage.every_days}
    told = {name: data[name] for name in ("action", "rule", "next_visit", "phase_after", "missing")}
    return {
        **told,
        "facts": dict(data["facts"]),  # type: ignore[arg-type]
        "dosage": dosage,
        "tag": decision.case.provenance.tag.code,
        "same_day": bool(same_day_dangers(decision.seen)),
    }


def gaps(missing: list[JSON]) -> list[tuple[str, ...]]:
    """Return what is missing and why.

    Where one pregnancy test of two is known, the sheet does not say whether the other is absent or
    stale, so the reason is left out.
    """
    return [
        (gap["field"],) if gap["field"] == "pregnancy_tests" else (gap["field"], gap["why"])
        for gap in missing
    ]


def settled(told: JSON, decision: Decision) -> JSON:
    """Return the part of a decision on which the sheet has only one reading."""
    facts = dict(told["facts"])
    kept = {**{name: told[name] for name in FIELDS}, "facts": facts}
    kept["missing"] = gaps(told["missing"])
    if decision.facts.phase is Phase.DISCONTINUED:
        del kept["missing"], facts["safety"]  # whether tests are needed after the end
    clearance = decision.seen.findings.creatinine_clearance
    if clearance is not None and (
        clearance.amount < 30 or "creatinine_clearance" in str(told["missing"])
    ):
        del facts["position"]  # whether such a clearance lowers the ceiling
    return kept


def is_open(decision: Decision, results: set[tuple[str, date]]) -> bool:
    """Whether a visit calls for a choice that the sheet leaves open, so that courses may part.

    These are: a dosage other than the one advised (what of the change that was not made counts),
    and two results of one day at different visits.
    """
    visit, previous = decision.visit, decision.seen.before.previous
    dates = {(name, one.on) for name in QUANTITIES for one in visit.results(name)}
    again = bool(dates & results)
    results |= dates
    advised = previous.advised.dosage if previous and previous.advised else None
    taken = visit.dosage_taken
    return again or (taken is not None and taken.dosage != advised)


def agreed_visits(seeds: range) -> int:
    """Count the visits on which library and independent reading agree in all that is settled."""
    count = 0
    for seed in seeds:
        document: JSON = random_course(seed)
        course, protocol = read_course(document), get_protocol(document["protocol"])
        state, results = begin(protocol, course.patient), set[tuple[str, date]]()
        for visit, told in zip(course.visits, decide(document, protocol.id), strict=True):
            decision, state = step(protocol, state, visit)
            if is_open(decision, results):
                break
            ours = settled(by_library(decision), decision)
            assert ours == settled(told, decision), (seed, visit.date)
            count += 1
    return count


def test_the_library_decides_random_courses_as_the_independent_reading_does() -> None:
    assert agreed_visits(range(200)) > 1000


@pytest.mark.slow
def test_the_library_decides_ten_thousand_visits_as_the_independent_reading_does() -> None:
    assert agreed_visits(range(200, 2600)) > 10_000


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_the_library_decides_the_boundary_courses_as_by_hand(case: Case) -> None:
    _, course, expected = case
    decision = replay(read_course(course))[-1]
    ours, hand = by_library(decision), dict(expected)
    if "facts" in hand:
        ours["facts"] = {name: ours["facts"][name] for name in hand["facts"]}
    if "missing" in hand:
        ours["missing"], hand["missing"] = gaps(ours["missing"]), gaps(hand["missing"])
    hand.pop("ceiling", None)
    assert {name: ours[name] for name in hand} == hand
