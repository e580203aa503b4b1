"""Two protocols compared: alike, alike but for words, or with a shortest course to a difference."""

from fractions import Fraction

import pytest
from attrs import evolve
from tests.support.mutation import moved_thresholds
from tests.support.patients import PROTOCOL
from tests.support.verified import comparison

from lenadose import get_protocol, replay
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import RuleTable
from lenadose.report.verification import comparison_data, comparison_page
from lenadose.terms.facts import Action
from lenadose.terms.provenance import Sourced, assumed
from lenadose.verification.compare import Comparison, compare
from lenadose.verification.disagreements import disagreements

PENN = get_protocol("penn-2012")


def with_row(name: str, **changes: object) -> Protocol:
    rows = tuple(evolve(row, **changes) if row.id == name else row for row in PROTOCOL.table.rules)
    return evolve(PROTOCOL, table=RuleTable(rows))


@pytest.fixture(scope="module")
def found() -> Comparison:
    return comparison()


def test_a_protocol_is_the_same_as_itself() -> None:
    same = compare(PROTOCOL, PROTOCOL)
    assert same.same
    assert (same.disagreements, same.numbers, same.wording) == ((), (), ())
    assert comparison_page(same).startswith(
        "# cortes-hernandez-2012 2.0.0 and cortes-hernandez-2012 2.0.0: the same\n"
    )


def test_words_alone_are_no_other_behaviour() -> None:
    row = next(row for row in PROTOCOL.table.rules if row.id == "persist")
    cases = (evolve(row.cases[0], provenance=assumed("because it was decided so here")),)
    reworded = with_row("persist", cases=cases, id="persevere")
    reworded = evolve(reworded, title="Another title", version="1.0.1")
    compared = compare(PROTOCOL, reworded)
    assert compared.same
    assert compared.disagreements == compared.numbers == ()
    places = {each.place for each in compared.wording}
    assert {"title", "version", "rules.persist.action", "rules.persevere.action"} <= places
    assert any(
        each.place.startswith("rules.persevere.cases[0].provenance") for each in compared.wording
    )
    assert "the same in behaviour, not in wording" in comparison_page(compared)


def test_a_row_written_as_two_is_the_same() -> None:
    row = next(row for row in PROTOCOL.table.rules if row.id == "sustain")
    nadir, rest = (
        sorted(row.cases[0].position, key=lambda word: word.rank)[:1],
        row.cases[0].position,
    )
    split = (
        evolve(row.cases[0], position=frozenset(nadir)),
        evolve(row.cases[0], position=rest - frozenset(nadir)),
    )
    compared = compare(PROTOCOL, with_row("sustain", cases=split))
    assert compared.same
    assert {each.place.partition("[")[0] for each in compared.wording} == {"rules.sustain.cases"}


def test_another_action_is_found_with_its_shortest_course() -> None:
    compared = compare(PROTOCOL, with_row("persist", action=Action.PRESCRIBER_DECIDES))
    assert not compared.same
    assert [each.place for each in compared.numbers] == ["rules.persist"]
    assert {
        (each.about, each.one.rule.id, each.other.rule.id) for each in compared.disagreements
    } == {("action", "persist", "persist")}
    # At 10 mg, or earlier where 5 mg is the highest level allowed: the second visit.
    assert len(compared.disagreements[0].course.visits) == 2


def test_every_disagreement_of_the_two_regimens_is_one(found: Comparison) -> None:
    assert len(found.disagreements) >= 40
    for each in found.disagreements:
        one, other = replay(each.course, PROTOCOL), replay(each.course, PENN)
        assert (one[-1].action, one[-1].dosage) == (each.one.action, each.one.dosage)
        assert (other[-1].action, other[-1].dosage) == (each.other.action, each.other.dosage)
        differ = {
            "action": one[-1].action is not other[-1].action,
            "dosage": one[-1].dosage != other[-1].dosage,
            "next visit": one[-1].next_visit != other[-1].next_visit,
        }
        assert differ[each.about]
        before = zip(one[:-1], other[:-1], strict=True)
        assert all((a.action, a.dosage) == (b.action, b.dosage) for a, b in before)


def test_kinds_are_told_once_and_the_shortest_first(found: Comparison) -> None:
    kinds = [(each.about, each.one.rule.id, each.other.rule.id) for each in found.disagreements]
    assert len(set(kinds)) == len(kinds)
    lengths = [len(each.course.visits) for each in found.disagreements]
    assert lengths == sorted(lengths)


def test_the_sentence_that_tells_the_regimens_apart_is_among_them(found: Comparison) -> None:
    """A fall of 4 to 7 points: the same dosage in one, 10 mg in the other."""
    assert any(
        (str(each.one.dosage), str(each.other.dosage)) == ("5 mg once daily", "10 mg once daily")
        for each in found.disagreements
    )


ALIKE = ("safety.events.rash-grade-4.least_grade 5",)
"""A rash of grade 4 is an event of grade 4."""


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, marks=[pytest.mark.slow] if index % 36 else [], id=mutant.words)
        for index, mutant in enumerate(moved_thresholds(PROTOCOL))
        if index % 6 == 0
    ],
)
def test_a_number_that_is_moved_is_found(mutant) -> None:
    other = mutant.build()
    first = next(iter(disagreements(PROTOCOL, other)), None)
    if mutant.words.startswith(ALIKE):
        assert first is None
        return
    assert first is not None
    one, two = replay(first.course, PROTOCOL)[-1], replay(first.course, other)[-1]
    assert (one.action, one.dosage, one.next_visit) != (two.action, two.dosage, two.next_visit)


def test_a_number_that_changes_no_decision_is_reported_as_such() -> None:
    events = tuple(
        evolve(event, least_grade=5) if event.id == "rash-grade-4" else event
        for event in PROTOCOL.safety.events
    )
    compared = compare(PROTOCOL, evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, events=events)))
    assert not compared.same
    assert compared.disagreements == ()
    assert [(each.place, each.one, each.other) for each in compared.numbers] == [
        ("safety.events.rash-grade-4.least_grade", "4", "5")
    ]
    page = comparison_page(compared)
    assert "their numbers differ" in page
    assert "No course of visits was found" in page


def test_doses_missed_are_part_of_the_comparison() -> None:
    share = Sourced(Fraction(1, 4), PROTOCOL.intervals.missed_share.provenance)
    other = evolve(PROTOCOL, intervals=evolve(PROTOCOL.intervals, missed_share=share))
    first = next(iter(disagreements(PROTOCOL, other)))
    assert any(visit.doses_missed for visit in first.course.visits)


def test_the_page_and_the_data_hold_both_answers_and_both_sources(found: Comparison) -> None:
    page, data = comparison_page(found), comparison_data(found)
    assert data["same"] is False
    assert [each["id"] for each in data["protocols"]] == [PROTOCOL.id, PENN.id]  # type: ignore[index, union-attr]
    assert len(data["disagreements"]) == len(found.disagreements)  # type: ignore[arg-type]
    for each in found.disagreements:
        for decision in (each.one, each.other):
            assert decision.case.provenance.words in page
