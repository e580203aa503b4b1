"""A certificate names what its protocol does not have at all."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from tests.support.patients import PROTOCOL
from tests.support.verified import certificate, state_space

from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import CountLimits
from lenadose.report.verification import certificate_data, certificate_page
from lenadose.terms.facts import Action, Safety
from lenadose.terms.provenance import Sourced, assumed
from lenadose.verification.absent import absent

WHY = assumed("a test")
NOTHING = Sourced(Decimal(0), WHY)


def safety(**changes: Any) -> Protocol:
    return evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, **changes))


def without(fact: Safety) -> Protocol:
    events = PROTOCOL.safety.events
    return safety(events=tuple(event for event in events if event.safety is not fact))


NO_NEUTROPHILS = safety(
    neutrophils=CountLimits(NOTHING, NOTHING), neutrophils_same_day_below=NOTHING
)


def acting(instead: dict[Action, Action]) -> Protocol:
    rules = tuple(
        evolve(row, action=instead.get(row.action, row.action)) for row in PROTOCOL.table.rules
    )
    return evolve(PROTOCOL, table=evolve(PROTOCOL.table, rules=rules))


def words_of(protocol: Protocol) -> list[str]:
    from lenadose.verification.explore import reach

    return list(absent(reach(protocol)))


@pytest.mark.parametrize("id", BUILT_IN)
def test_the_built_in_protocols_lack_nothing(id: str) -> None:
    assert list(absent(state_space(id))) == []
    built = certificate(id)
    assert certificate_data(built)["absent"] == []
    assert "does not have" not in certificate_page(built)


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (safety(events=()), "no criterion for any adverse event"),
        (without(Safety.STOP), "no adverse event stops treatment"),
        (without(Safety.INTERRUPT), "no adverse event interrupts treatment"),
        (
            safety(positive_test=evolve(PROTOCOL.safety.positive_test, safety=Safety.CAUTION)),
            "a positive pregnancy test neither stops nor interrupts treatment",
        ),
        (NO_NEUTROPHILS, "no neutrophils interrupt treatment: the limit is 0"),
        (NO_NEUTROPHILS, "no neutrophils call for caution: the limit is 0"),
        (NO_NEUTROPHILS, "no neutrophils ask for an assessment on the same day: the limit is 0"),
        (
            safety(platelets=CountLimits(NOTHING, PROTOCOL.safety.platelets.caution_below)),
            "no platelets interrupt treatment: the limit is 0",
        ),
        (
            safety(clearance_interrupt_below=NOTHING),
            "no creatinine clearance interrupts treatment: the limit is 0",
        ),
        (
            safety(clearance_interrupt_below=NOTHING, clearance_lowers_below=NOTHING),
            "no creatinine clearance lowers the ceiling: the limit is 0",
        ),
        (
            evolve(PROTOCOL, response=evolve(PROTOCOL.response, mild_below=Sourced(0, WHY))),
            "no score is too mild to start for",
        ),
        (
            evolve(PROTOCOL, intervals=evolve(PROTOCOL.intervals, surveillance=Sourced((), WHY))),
            "no visits after the end of treatment",
        ),
        (evolve(PROTOCOL, unchecked=()), "no check that is left to the prescriber"),
        (evolve(PROTOCOL, notices=()), "no notice for the reader of a decision"),
        (acting({Action.START: Action.OBSERVE}), "no start: the drug is never given"),
        (acting({Action.ESCALATE: Action.CONTINUE}), "no rise of the dose"),
        (acting({Action.REDUCE: Action.CONTINUE}), "no reduction of the dose"),
        (acting({Action.INTERRUPT: Action.CONTINUE}), "no interruption"),
        (
            acting({Action.DISCONTINUE: Action.PRESCRIBER_DECIDES}),
            "no end of treatment for harm or lack of benefit",
        ),
        (acting({Action.FINISH: Action.CONTINUE}), "no end of treatment after a response"),
        (
            acting({Action.RESUME: Action.PRESCRIBER_DECIDES}),
            "no resumption after an interruption",
        ),
    ],
)
def test_what_is_not_there_is_named(protocol: Protocol, words: str) -> None:
    assert any(line.startswith(words) for line in words_of(protocol)), words_of(protocol)


def test_it_is_printed_on_the_certificate() -> None:
    from lenadose.verification.certificate import verify

    shown = verify(evolve(PROTOCOL, notices=()))
    assert shown.holds
    assert certificate_data(shown)["absent"] == ["no notice for the reader of a decision"]
    assert "- no notice for the reader of a decision" in certificate_page(shown).splitlines()
