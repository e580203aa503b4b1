"""The laws hold for every built-in protocol; each can fail, with a counterexample."""

import os
import subprocess
import sys
from collections import defaultdict
from functools import cache

import pytest
from attrs import evolve
from tests.support.mutation import is_refused, structural
from tests.support.patients import PROTOCOL
from tests.support.verified import certificate as certificate_of_built_in
from tests.support.verified import state_space

from lenadose import ProtocolError, course_data, get_protocol, parse_course, read_course, replay
from lenadose.engine.machine import apply
from lenadose.engine.observe import observe
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import RuleTable
from lenadose.report.verification import certificate_page
from lenadose.terms.facts import (
    TREATED,
    Action,
    EvidenceLevel,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
)
from lenadose.terms.provenance import Provenance
from lenadose.verification.certificate import Certificate, check_law, verify
from lenadose.verification.explore import clock_signature, decisions_at, next_visits, reach
from lenadose.verification.laws import LAWS
from lenadose.verification.places import AbstractState, abstract


def with_actions(changes: dict[str, Action], protocol: Protocol = PROTOCOL) -> Protocol:
    """The protocol with other actions for some of its rows."""
    rows = (evolve(row, action=changes.get(row.id, row.action)) for row in protocol.table.rules)
    return evolve(protocol, table=RuleTable(tuple(rows)))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_law_holds_for_every_protocol(name: str) -> None:
    certificate = certificate_of_built_in(name)
    assert [each.law.name for each in certificate.verdicts if not each.holds] == []
    assert [each.law.number for each in certificate.verdicts] == list(range(1, 16))
    assert (certificate.situations, certificate.states, certificate.transitions) == (
        1360,
        176,
        11856,
    )
    for each in certificate.verdicts:
        assert each.transitions >= 26, each.law.name


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_not_reached_cannot_be(name: str) -> None:
    """A response restarts the trial; no taper goes on below harm at the second lowest level."""
    found = {
        each.match.facts
        for answers in state_space(name).decisions.values()
        for each in answers.values()
    }

    def cannot_be(facts: Facts) -> bool:
        gain = facts.response in (Response.COMPLETE, Response.PARTIAL)
        only_in_taper = facts.phase is Phase.TAPER and facts.position is Position.ONLY
        return (gain and facts.trial is TherapeuticTrial.EXHAUSTED) or only_in_taper

    every = {each.facts for each in get_protocol(name).table.situations()}
    assert every - found == {facts for facts in every if cannot_be(facts)}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_patients_who_stand_alike_can_be_met_alike(name: str) -> None:
    """States with the same signature have the same next states, whatever is taken."""
    protocol = get_protocol(name)
    following: dict[tuple[object, ...], set[frozenset[AbstractState]]] = defaultdict(set)
    for witness in state_space(name).explored:
        for decision in decisions_at(state_space(name).scenarios, witness):
            state = apply(decision)
            places = frozenset(
                abstract(observe(protocol, state, evolve(alike.visit, date=day))).place
                for _, day, alike in next_visits(protocol, decision, state)
            )
            following[clock_signature(protocol, state)].add(places)
    assert len(following) > 200
    assert {len(each) for each in following.values()} == {1}


NO_END = {
    "stop-for-harm": Action.INTERRUPT,
    "no-benefit": Action.CONTINUE,
    "no-level-left": Action.PRESCRIBER_DECIDES,
    "taper-end": Action.CONTINUE,
}
BROKEN: dict[int, dict[str, Action]] = {
    1: {"persist": Action.ESCALATE},
    2: {"begin-taper": Action.FINISH},
    3: {"escalation-waits": Action.ESCALATE},
    4: {"await-assessment": Action.ESCALATE},
    5: {"interrupt-for-harm": Action.CONTINUE},
    6: {"ask-safety": Action.CONTINUE},
    7: {"interrupt-for-harm": Action.CONTINUE},
    8: {"sustain": Action.ESCALATE},
    9: {"pause-taper": Action.REDUCE},
    10: {"taper-end": Action.CONTINUE},
    11: {"no-benefit": Action.CONTINUE},
    12: NO_END,
    13: {"ask-response": Action.CONTINUE},
    14: {"start": Action.OBSERVE},
    15: {"surveillance": Action.CONTINUE},
}


@cache
def certificate_of(number: int) -> Certificate:
    return verify(with_actions(BROKEN[number]))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_each_law_can_fail_and_shows_a_patient(law) -> None:
    certificate = certificate_of(law.number)
    assert not certificate.holds
    verdict = certificate.verdicts[law.number - 1]
    assert not verdict.holds
    shown = verdict.counterexample
    assert shown is not None
    assert shown.words
    rows = {row.id for row in certificate.protocol.table.rules}
    assert shown.rules
    assert set(shown.rules) <= rows
    if law.number == 14:
        assert shown.course is None
        assert "no course of visits reaches it" in shown.words
        return
    assert shown.course is not None
    # A real course file: it is written, read again, and decided by the broken protocol as
    # the words say.
    assert read_course(course_data(shown.course)) == shown.course
    last = replay(shown.course, certificate.protocol)[-1]
    assert last.rule.id in shown.rules
    assert CLAIMS[law.number](last)


CLAIMS = {
    1: lambda last: last.level is not None and last.level.rank > last.seen.ceiling.rank,
    2: lambda last: last.action is Action.FINISH and last.seen.treatment.dose.level.rank > 0,
    3: lambda last: last.action is Action.ESCALATE and last.facts.safety is Safety.CAUTION,
    4: lambda last: (
        last.level.rank > last.seen.treatment.dose.level.rank and last.visit.date < last.seen.due_on
    ),
    5: lambda last: last.action is Action.CONTINUE and last.facts.safety is Safety.INTERRUPT,
    6: lambda last: last.dosage is not None and last.facts.safety is Safety.NOT_ASSESSED,
    7: lambda last: last.dosage is not None and last.facts.safety is Safety.INTERRUPT,
    8: lambda last: last.action is Action.ESCALATE and last.facts.response is Response.PARTIAL,
    9: lambda last: (
        last.action is Action.REDUCE and last.facts.response in (Response.PARTIAL, Response.NONE)
    ),
    10: lambda last: (
        last.facts.response is Response.COMPLETE and last.phase_after is not Phase.OFF_TREATMENT
    ),
    11: lambda last: (
        last.facts.response is Response.NONE and last.phase_after is not Phase.DISCONTINUED
    ),
    12: lambda last: last.phase_after in TREATED,
    13: lambda last: last.missing and last.action is Action.CONTINUE,
    15: lambda last: last.action is Action.CONTINUE and last.facts.phase is Phase.OFF_TREATMENT,
}


def test_a_law_that_compares_shows_both_patients() -> None:
    shown = certificate_of(8).verdicts[7].counterexample
    assert shown is not None
    assert shown.course is not None
    assert shown.other is not None
    assert shown.course.visits[:-1] == shown.other.visits[:-1]
    more, less = (
        replay(each, certificate_of(8).protocol)[-1] for each in (shown.course, shown.other)
    )
    assert more.facts.response.rank < less.facts.response.rank
    assert more.level.rank > less.level.rank


def test_the_counterexample_is_the_shortest_course() -> None:
    """The lack of a response is first seen at the second visit, its end from the fourth on."""
    lengths = {
        law: len(shown.course.visits)
        for law in (3, 8, 11)
        if (shown := certificate_of(law).verdicts[law - 1].counterexample) and shown.course
    }
    assert lengths == {3: 2, 8: 2, 11: 5}


def test_a_case_without_words_is_no_source() -> None:
    row = PROTOCOL.table.rules[0]
    silent = Provenance(EvidenceLevel.ASSUMED, "decided here", "said")
    object.__setattr__(silent, "words", " ")  # such a value cannot be built
    rows = (
        evolve(row, cases=(evolve(row.cases[0], provenance=silent),)),
        *PROTOCOL.table.rules[1:],
    )
    law = LAWS[13]
    verdict = check_law(law, reach(evolve(PROTOCOL, table=RuleTable(rows))))
    assert verdict.counterexample is not None
    assert "has no source or no words" in verdict.counterexample.words


def test_a_level_above_the_highest_daily_dose_that_the_protocol_states_is_found() -> None:
    from decimal import Decimal

    from lenadose.terms.dosage import Dosage, DoseLadder
    from lenadose.terms.provenance import Sourced, assumed

    low, start, top = PROTOCOL.ladder.levels
    ladder = DoseLadder((low, start, evolve(top, dosage=Dosage(Decimal(15)))), start)
    higher = evolve(PROTOCOL, ladder=ladder)
    shown = verify(higher).verdicts[0].counterexample
    assert shown is not None
    assert shown.words == "15 mg once daily is more than 10 mg a day"
    highest = Sourced(Decimal(15), assumed("a test"))
    stating = evolve(higher, safety=evolve(higher.safety, highest_daily_dose=highest))
    certificate = verify(stating)
    assert certificate.verdicts[0].holds
    assert "the highest daily dose that the protocol states, 15 mg a day" in certificate_page(
        certificate
    )


def test_a_law_about_what_no_visit_can_show_is_not_broken() -> None:
    """Without a band of caution only events show it: the search finds no other visit."""
    safety = PROTOCOL.safety
    limits = {
        name: evolve(getattr(safety, name), caution_below=getattr(safety, name).interrupt_below)
        for name in ("neutrophils", "platelets")
    }
    events = tuple(each for each in safety.events if each.safety is not Safety.CAUTION)
    calm = evolve(
        with_actions({"escalation-waits": Action.ESCALATE}),
        safety=evolve(safety, events=events, **limits),
    )
    certificate = verify(calm)
    assert certificate.verdicts[2].holds
    unreached = certificate.verdicts[13].counterexample
    assert unreached is not None
    assert {"escalation-waits", "start"} <= set(unreached.rules)
    assert "escalation-waits" in unreached.words


@pytest.mark.parametrize("share", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_structural_mutants_are_refused_when_built(share: int) -> None:
    every = list(structural(PROTOCOL))
    assert len(every) == 1078
    every = every[::share]
    assert [each.words for each in every if not is_refused(each)] == []
    with pytest.raises(ProtocolError):
        every[0].build()


def test_building_a_protocol_reads_its_course_file_again() -> None:
    shown = certificate_of(3).verdicts[2].counterexample
    assert shown is not None
    assert shown.course is not None
    import json

    again = parse_course(json.dumps(course_data(shown.course)))
    assert [each.rule.id for each in replay(again, certificate_of(3).protocol)] == [
        "start",
        "escalation-waits",
    ]


def test_a_certificate_is_the_same_bytes_each_time() -> None:
    """Whatever the order in which a set comes: also where laws are broken."""
    program = (
        "from tests.verification.test_laws import certificate_of;"
        "from lenadose.report.verification import certificate_data, certificate_page;"
        "certificate = certificate_of(12);"
        "print(certificate_page(certificate), certificate_data(certificate))"
    )
    pages = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    (page,) = pages
    assert b"**no**" in page
    assert b"seconds" not in page
