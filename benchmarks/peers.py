"""The protocol's table as other tools take it; every row is made from the protocol's data, none is written twice.

Each maker gives a function from the six facts of a visit to the id of the row that applies. A state machine keeps the
phase itself; it is told the phase first where the patient has moved by what was taken.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import leads_to
from lenadose.terms.facts import DIMENSIONS, Facts, Phase, possible_terms

Decide = Callable[[Facts], str]
NAMES = [name for name, _ in DIMENSIONS]


@frozen
class Row:
    """A case of the table in one phase, in plain words: the row's id, the phase after it, and the words it admits."""

    rule: str
    phase: str
    phase_after: str
    when: dict[str, list[str]]


def rows(protocol: Protocol) -> Iterator[Row]:
    """Give each case of each row, once for every phase that it admits."""
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
    """Give each case of each row once: the row's id, and the words that it admits of each fact that it restricts."""
    for rule in protocol.table.rules:
        for case in rule.cases:
            yield (
                rule.id,
                {name: [word.code for word in words] for name, words in case.conditions.items()},
            )


def format_decimal(facts: Facts) -> dict[str, str]:
    """Give the facts in plain words, as a tool that knows nothing of lenadose takes them."""
    return {
        "phase": facts.phase.code,
        "response": facts.response.code,
        "safety": facts.safety.code,
        "timing": facts.timing.code,
        "trial": facts.trial.code,
        "position": facts.position.code,
    }


def by_hand(protocol: Protocol) -> Decide:
    """Write the function that one would write by hand: the phase first, then one `if` after another."""
    code = [
        "def decide(facts):",
        "    phase, response, safety = facts.phase.code, facts.response.code, facts.safety.code",
    ]
    code += [
        "    timing, trial, position = facts.timing.code, facts.trial.code, facts.position.code"
    ]
    for phase in Phase:
        code.append(f"    if phase == {phase.code!r}:")
        for row in rows(protocol):
            if row.phase == phase.code:
                test = (
                    " and ".join(f"{name} in {tuple(words)!r}" for name, words in row.when.items())
                    or "True"
                )
                code += [f"        if {test}:", f"            return {row.rule!r}"]
    names: dict[str, Any] = {}
    exec("\n".join(code), names)
    return names["decide"]


def _admits(name: str, words: list[str]) -> Callable[[dict[str, str]], bool]:
    def admits(facts: dict[str, str]) -> bool:
        return facts[name] in words

    return admits


def with_transitions(protocol: Protocol) -> Decide:
    """Write the table as transitions of the phases, each with its conditions, which are asked in turn."""
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
        told = format_decimal(facts)
        if patient.state != told["phase"]:
            machine.set_state(told["phase"])
        patient.visit(told)
        return patient.rule

    return decide


def with_statemachine(protocol: Protocol) -> Decide:
    """Write the table as a StateMachine of python-statemachine, one guarded transition for each case and phase."""
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
        told = format_decimal(facts)
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
    """Write the table as a decision table of zen-engine, compiled once."""
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
        return decision.evaluate(format_decimal(facts))["result"]["rule"]

    return decide


def with_rule_engine(protocol: Protocol) -> Decide:
    """Write each case as an expression of rule-engine, compiled once; they are asked in turn."""
    import rule_engine

    compiled = []
    for rule, when in cases(protocol):
        tests = [f"{name} in {json.dumps(words)}" for name, words in when.items()]
        compiled.append((rule_engine.Rule(" and ".join(tests)), rule))

    def decide(facts: Facts) -> str:
        told = format_decimal(facts)
        return next(rule for expression, rule in compiled if expression.matches(told))

    return decide


class Node:
    """A peer in node, in a process of its own: it is given all facts at once, and times itself."""

    def __init__(
        self, node: str, folder: Path, which: str, protocol: Protocol, facts: list[Facts]
    ) -> None:
        """Start it, with the table and the facts."""
        script = Path(__file__).with_name("peers.mjs")
        field_label = [node, str(script), str(folder), which]
        self.process = subprocess.Popen(
            field_label, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        table = [
            {"rule": r.rule, "phase": r.phase, "after": r.phase_after, "when": r.when}
            for r in rows(protocol)
        ]
        each = [{"rule": rule, "when": when} for rule, when in cases(protocol)]
        given = {
            "rows": table,
            "cases": each,
            "phases": [p.code for p in Phase],
            "facts": [*map(format_decimal, facts)],
        }
        self.version: str = self._ask(given)

    def _ask(self, asked: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"node ended: {self.process.args}")
        return json.loads(line)

    def answers(self) -> list[str]:
        """Give the row of each situation."""
        return self._ask("answers")

    def seconds(self, loops: int) -> float:
        """Give the time that it took to decide on all of them so many times."""
        return self._ask(loops)

    def end(self) -> None:
        """End the process."""
        self.process.communicate()
