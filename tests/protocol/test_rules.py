"""The table decides every situation exactly once, or it cannot be built."""

from itertools import product

import pytest
from attrs import evolve
from tests.support.patients import PROTOCOL

from lenadose import ProtocolError
from lenadose.protocol.rules import RuleTable, case, rule
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
    possible_terms,
)
from lenadose.terms.provenance import assumed

RULES = PROTOCOL.table.rules


def situations() -> list[Facts]:
    return [Facts(*words) for phase in Phase for words in product(*possible_terms(phase).values())]  # type: ignore[arg-type]


def test_there_are_1780_situations_and_each_has_one_row() -> None:
    every = situations()
    assert len(every) == 1780 == sum(1 for _ in PROTOCOL.table.situations())
    for facts in every:
        applying = [
            row
            for row in RULES
            for row_case in row.cases
            if all(
                getattr(facts, name) in words
                for (name, _), words in zip(DIMENSIONS, row_case.words, strict=True)
            )
        ]
        assert [PROTOCOL.table.rule_for(facts)] == applying


def test_an_impossible_situation_has_no_row() -> None:
    facts = Facts(
        Phase.BEFORE_START,
        Response.NONE,
        Safety.STOP,
        Timing.BEFORE_DUE,
        TherapeuticTrial.RUNNING,
        Position.LOWEST,
    )
    with pytest.raises(KeyError):
        PROTOCOL.table.rule_for(facts)


@pytest.mark.parametrize("row", RULES, ids=lambda row: row.id)
def test_a_row_left_out_is_a_gap_that_is_named(row) -> None:
    with pytest.raises(ProtocolError, match="no row applies to: phase "):
        RuleTable(tuple(other for other in RULES if other is not row))


@pytest.mark.parametrize("row", RULES, ids=lambda row: row.id)
def test_a_case_written_twice_overlaps_and_both_rows_are_named(row) -> None:
    again = evolve(row, id="again", cases=row.cases[:1])
    with pytest.raises(ProtocolError) as raised:
        RuleTable((*RULES, again))
    fault = raised.value.faults[0]
    assert fault.place == f"rules.{row.id}.cases[0]"
    assert "rules.again.cases[0] applies as well to: phase " in fault.reason


def test_two_rows_of_one_name_are_refused() -> None:
    start = next(row for row in RULES if row.id == "start")
    with pytest.raises(ProtocolError, match=r"rules\.escalate: two rows have this name"):
        RuleTable((*(row for row in RULES if row.id != "start"), evolve(start, id="escalate")))


def test_a_row_without_a_case_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"rules\.idle: the row has no case"):
        RuleTable((*RULES, rule("idle", Action.OBSERVE)))


def test_a_case_that_no_situation_fits_is_refused() -> None:
    never = rule(
        "never", Action.OBSERVE, case(assumed("?"), Phase.BEFORE_START, position=Position.LOWEST)
    )
    with pytest.raises(
        ProtocolError, match=r"rules.never.cases\[0\]: no possible situation fits it"
    ):
        RuleTable((*RULES, never))


def test_a_case_names_only_the_facts_that_it_restricts() -> None:
    ended = next(row for row in RULES if row.id == "ended").cases[0]
    assert ended.conditions == {"phase": (Phase.DISCONTINUED,)}
    assert case(assumed("any")).conditions == {}


def test_every_case_carries_its_tag_source_and_words() -> None:
    for row in RULES:
        for row_case in row.cases:
            assert row_case.provenance.source
            assert row_case.provenance.words
