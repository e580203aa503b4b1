"""The notices of a protocol are printed where they apply, and change nothing."""

import pytest
from attrs import evolve
from tests.support.paths import EXAMPLES
from tests.support.patients import (
    FERTILE,
    PROTOCOL,
    STERILE,
    count,
    day,
    event,
    negative,
    seen,
    took,
    walk,
)

from lenadose import Decision, Patient, PregnancyTest, explain, load_course, rationale, replay
from lenadose.explanation.notices import notices_of
from lenadose.formats.decision_json import decision_data
from lenadose.protocol.builtin.notices import NOTICES
from lenadose.protocol.notices import Occasion
from lenadose.record.visit import TestResult
from lenadose.terms.errors import ProtocolError

FIRST = (seen(0, 11, pregnancy_tests=negative(-12, 0)),)


def occasions(decision: Decision) -> set[Occasion]:
    return {notice.when for notice in notices_of(decision)}


def pregnant(number: int) -> dict:
    return {"pregnancy_tests": (PregnancyTest(TestResult.POSITIVE, day(number)),)}


STORIES = {
    Occasion.FIRST_CAPSULE: (
        [seen(0, 11)],
        [seen(0, 11, neutrophils=count(0.9))],
    ),
    Occasion.LOW_PLATELETS: (
        [seen(0, 11, platelets=count(74))],
        [seen(0, 11, platelets=count(75))],
    ),
    Occasion.SMALL_RISE: (
        [seen(0, 11), seen(28, 0), seen(40, 2)],
        [seen(0, 11), seen(28, 0), seen(40, 1)],
    ),
    Occasion.TAPER: (
        [seen(0, 11), seen(28, 0)],
        [seen(0, 11), seen(28, 3)],
    ),
    Occasion.PREGNANCY: (
        [seen(0, 11), seen(7, 11, adverse_events=(event("pregnancy"),))],
        [seen(0, 11), seen(7, 11, adverse_events=(event("missed period"),))],
    ),
    Occasion.EXPOSURE: (
        [seen(0, 11), seen(7, 11, **pregnant(7))],
        [seen(0, 11, **pregnant(0))],
    ),
    Occasion.PREGNANT_THOUGH_UNABLE: (
        [seen(0, 11, **pregnant(0))],
        [seen(0, 11, pregnancy_tests=negative(0))],
    ),
    Occasion.TAKEN_THOUGH_NONE_ADVISED: (
        [seen(0, 11), seen(7, 11, neutrophils=count(0.9)), seen(14, 11, dosage_taken=took(5))],
        [seen(0, 11), seen(7, 11, neutrophils=count(0.9)), seen(14, 11, dosage_taken=took(0))],
    ),
}
"""For each occasion a course that ends with it, and one beside it that does not."""


@pytest.mark.parametrize("occasion", STORIES, ids=lambda occasion: occasion.name.lower())
def test_a_notice_is_printed_where_it_applies_and_not_beside_it(occasion: Occasion) -> None:
    with_it, without = STORIES[occasion]
    assert occasion in occasions(walk(with_it)[-1])
    assert occasion not in occasions(walk(without)[-1])


def test_of_whom_the_patient_is_two_occasions_depend() -> None:
    panniculitis = Patient(able_to_become_pregnant=False, subtype="Lupus profundus")
    assert Occasion.PANNICULITIS in occasions(walk(FIRST, panniculitis)[-1])
    wide = Patient(able_to_become_pregnant=False, subtype="ｐanniculitis")
    assert Occasion.PANNICULITIS in occasions(walk(FIRST, wide)[-1])
    assert Occasion.PANNICULITIS not in occasions(walk(FIRST)[-1])
    assert Occasion.PREGNANCY_TESTS in occasions(walk(FIRST, FERTILE)[-1])
    assert Occasion.PREGNANCY_TESTS not in occasions(walk(FIRST, STERILE)[-1])


def test_every_occasion_has_a_story_and_a_notice() -> None:
    assert {*STORIES, Occasion.PANNICULITIS, Occasion.PREGNANCY_TESTS} == set(Occasion)
    assert {notice.when for notice in NOTICES} == set(Occasion)


def test_before_the_first_capsule_is_every_start_and_what_the_prescriber_decides_of_one() -> None:
    long = [seen(0, 11), seen(7, 11, neutrophils=count(0.9)), seen(40, 11)]
    restart = [seen(0, 11), seen(28, 0), seen(59, 0), seen(73, 9)]
    for rule, visits in (
        ("start", [seen(0, 11)]),
        ("too-mild-to-start", [seen(0, 3)]),
        ("interruption-too-long", long),
        ("relapse-off-drug", restart),
    ):
        decision = walk(visits)[-1]
        assert decision.rule.id == rule
        assert Occasion.FIRST_CAPSULE in occasions(decision)
    for visits in ([seen(0, 0)], [seen(0, None)], [seen(0, 11), seen(28, 11)]):
        assert Occasion.FIRST_CAPSULE not in occasions(walk(visits)[-1])


@pytest.mark.parametrize(("rise", "printed"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_rise_of_two_or_three_points_meets_a_published_definition(rise, printed) -> None:
    for visits in ([seen(0, 11), seen(28, 0)], [seen(0, 11), seen(28, 0), seen(59, 0)]):
        last = 40 if len(visits) == 2 else 73
        decision = walk([*visits, seen(last, rise)])[-1]
        assert (Occasion.SMALL_RISE in occasions(decision)) is printed
    titration = walk([seen(0, 11), seen(28, 6), seen(56, 6 + rise)])[-1]
    assert Occasion.SMALL_RISE not in occasions(titration)


def test_a_notice_is_printed_once_with_its_source_and_how_sure_it_is() -> None:
    for path in sorted((EXAMPLES / "courses").glob("*.json")):
        for decision in replay(load_course(path)):
            page, told = explain(decision), notices_of(decision)
            data = decision_data(decision)["notices"]
            assert data == [
                {
                    "id": notice.id,
                    "words": notice.words,
                    "source": notice.source,
                    "confidence": notice.confidence.code,
                }
                for notice in told
            ]
            assert rationale(decision).notices == told
            for notice in told:
                words = f"{notice.words[1:]} ({notice.source}; {notice.confidence.label})"
                assert page.count(words) == 1


def test_a_pregnancy_is_referred_and_the_exposure_reported_at_once() -> None:
    decision = walk([seen(0, 11), seen(7, 11, **pregnant(7))])[-1]
    assert "; ".join(rationale(decision).urgent) == (
        "same-day assessment: positive pregnancy test; "
        "refer to an obstetrician (label; memory); "
        "report the exposure if drug was taken (label; memory)"
    )
    again = walk([seen(0, 11), seen(7, 11, **pregnant(7)), seen(12, 11)])[-1]
    assert rationale(again).urgent == ()


def test_a_protocol_without_notices_decides_the_same_and_prints_none() -> None:
    silent = evolve(PROTOCOL, notices=())
    assert silent.decision_hash == PROTOCOL.decision_hash
    assert silent.hash != PROTOCOL.hash
    (decision,) = walk([seen(0, 11)], protocol=silent)
    assert "## Notices" not in explain(decision)
    assert decision_data(decision)["notices"] == []


def test_two_notices_of_one_name_are_refused() -> None:
    with pytest.raises(ProtocolError, match="notices"):
        evolve(PROTOCOL, notices=(*NOTICES, NOTICES[0]))
    assert evolve(PROTOCOL, notices=NOTICES) == PROTOCOL


def test_sources_of_notices_are_listed() -> None:
    listed = {source.id for source in PROTOCOL.sources} | {"this record"}
    cited = {source for notice in NOTICES for source in notice.source.split(", ")}
    assert cited <= listed
