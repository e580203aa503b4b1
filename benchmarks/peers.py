"""The decision table as other tools take it, made from the protocol's data.

Each maker returns a function from the six facts of a visit to the id of the row that applies. A
state machine keeps the phase itself; it is set first where what was taken has moved the patient.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import leads_to
from lenadose.terms.facts import DIMENSIONS, Facts, Phase, possible_terms

Decide = Callable[[Facts], str]
NAMES = [name for name, _ in DIMENSIONS]


@frozen
class Row:
    """A case of the table in one phase, in plain words."""

    rule: str
    phase: str
    phase_after: str
    when: dict[str, list[str]]


def rows(protocol: Protocol) -> Iterator[Row]:
    """Yield each case of each row, once for every phase that it admits."""
    for rule in protocol.table.rules:
        for case in rule.cases:
            when = {
                name: [word.code for word in words]
                for name, words in case.conditions.items()
                if name != "phase"
            }
            for phase in Phase:
                if phase in case.phase:
                    (after,) = {
                        leads_to(rule.action, phase, p)
                        for p in case.position & possible_terms(phase)["position"]
                    }
                    yield Row(rule.id, phase.code, after.code, when)


def cases(protocol: Protocol) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each case of each row: the id, and the words admitted of each restricted fact."""
    for rule in protocol.table.rules:
        for case in rule.cases:
            yield (
                rule.id,
                {name: [word.code for word in words] for name, words in case.conditions.items()},
            )


def in_words(facts: Facts) -> dict[str, str]:
    """Return the facts in plain words, as a tool that knows nothing of lenadose takes them."""
    return {
        "phase": facts.phase.code,
        "response": facts.response.code,
        "safety": facts.safety.code,
        "timing": facts.timing.code,
        "trial": facts.trial.code,
        "position": facts.position.code,
    }


def _admits(name: str, words: list[str]) -> Callable[[dict[str, str]], bool]:
    def admits(facts: dict[str, str]) -> bool:
        return facts[name] in words

    return admits


def with_transitions(protocol: Protocol) -> Decide:
    """Return the table as guarded transitions between the phases."""
    from transitions import Machine

    class Patient:
        rule = ""

    patient = Patient()

    def told(rule: str) -> Callable[[dict[str, str]], None]:
        def tell(facts: dict[str, str]) -> None:
            patient.rule = rule

        return tell

    machine = Machine(
        patient,
        [each.code for each in Phase],
        initial=Phase.BEFORE_START.code,
        auto_transitions=False,
    )
    for row in rows(protocol):
        conditions = [_admits(name, words) for name, words in row.when.items()]
        machine.add_transition(
            "visit", row.phase, row.phase_after, conditions=conditions, after=told(row.rule)
        )

    def decide(facts: Facts) -> str:
        told = in_words(facts)
        if patient.state != told["phase"]:
            machine.set_state(told["phase"])
        patient.visit(told)
        return patient.rule

    return decide


def with_statemachine(protocol: Protocol) -> Decide:
    """Return the table as a StateMachine, one guarded transition for each case and phase."""
    from statemachine import State, StateMachine

    states = {
        each: State(each.code, value=each.code, initial=each is Phase.BEFORE_START)
        for each in Phase
    }
    by_code = {each.code: state for each, state in states.items()}
    body: dict[str, Any] = {each.name.lower(): state for each, state in states.items()}
    visit: Any = None
    for row in rows(protocol):
        leads = by_code[row.phase].to(
            by_code[row.phase_after], cond=_guard(row), on=_telling(row.rule)
        )
        visit = leads if visit is None else visit | leads
    body["visit"] = visit
    body["rule"] = ""
    machine = type("Patient", (StateMachine,), body)()

    def decide(facts: Facts) -> str:
        told = in_words(facts)
        if machine.current_state_value != told["phase"]:
            machine.current_state_value = told["phase"]
        machine.visit(facts=told)
        return machine.rule

    return decide


def _guard(row: Row) -> Callable[[dict[str, str]], bool]:
    def applies(facts: dict[str, str]) -> bool:
        return all(facts[name] in words for name, words in row.when.items())

    return applies


def _telling(rule: str) -> Callable[[Any], None]:
    def tell(machine: Any) -> None:
        machine.rule = rule

    return tell


def with_zen(protocol: Protocol) -> Decide:
    """Return the table as a decision table of zen-engine, compiled once."""
    import zen

    columns = [{"id": name, "name": name, "field": name} for name in NAMES]
    cells = [
        {
            "_id": str(number),
            **{name: ", ".join(map(json.dumps, when.get(name, []))) for name in NAMES},
            "rule": json.dumps(rule),
        }
        for number, (rule, when) in enumerate(cases(protocol))
    ]
    table = {
        "hitPolicy": "first",
        "inputs": columns,
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {
            "id": "table",
            "name": "table",
            "type": "decisionTableNode",
            "content": {**table, "rules": cells},
        },
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    decision = zen.ZenEngine().create_decision(
        zen.ZenDecisionContent(json.dumps({"nodes": nodes, "edges": edges}))
    )

    def decide(facts: Facts) -> str:
        return decision.evaluate(in_words(facts))["result"]["rule"]

    return decide


PEERS = {
    "transitions": with_transitions,
    "python-statemachine": with_statemachine,
    "zen-engine": with_zen,
}
"""The maker of each peer; it raises ImportError where the peer is not installed."""
