"""One decision: from a state and a visit to what is advised, beside what a user would otherwise pick."""

from functools import partial
from importlib.util import find_spec
from typing import Any

import measure
import peers
from attrs import frozen
from courses import PROTOCOL, Meeting, meetings
from nodes import node_folder

from lenadose import Decision, apply, observe, recommend, step

Answer = tuple[Any, ...]


@frozen(slots=False)
class Small:
    """A small frozen object: the least that a call can give."""

    earliest: object
    due: object
    latest: object


def small(value: object) -> Small:
    """Make one object: with the call, the floor of any decision."""
    return Small(value, value, value)


def answer(decision: Decision, rule: str) -> Answer:
    """Give what every contender must give: the row, the action, the dosage and the next visit."""
    return rule, decision.action, decision.dosage, decision.next_visit


def with_state(met: list[Meeting]) -> list[Answer]:
    """Decide by `step`, at each visit."""
    found = []
    for each in met:
        decision, _ = step(PROTOCOL, each.state, each.visit)
        found.append(answer(decision, decision.rule.id))
    return found


def without_state(met: list[Meeting]) -> list[Decision]:
    """Decide, and leave the next state aside."""
    return [recommend(observe(PROTOCOL, each.state, each.visit)) for each in met]


def by_peer(decide: peers.Decide, met: list[Meeting]) -> list[Answer]:
    """Let a peer find the row; all else is done as `step` does it."""
    found = []
    for each in met:
        seen = observe(PROTOCOL, each.state, each.visit)
        rule = decide(seen.facts)
        decision = recommend(seen)
        apply(decision)
        found.append(answer(decision, rule))
    return found


PEERS = {
    "hand-written function": (None, peers.by_hand, "one `if` after another, the phase first", None),
    "transitions": ("transitions", peers.with_transitions, "a transition for each case, its conditions in turn", 8),
    "python-statemachine": ("statemachine", peers.with_statemachine, "a guarded transition for each case", 100),
    "zen-engine": ("zen", peers.with_zen, "a decision table, hit policy *first*, compiled once", 6),
    "rule-engine": ("rule_engine", peers.with_rule_engine, "an expression for each case, compiled once", None),
}
IN_NODE = {
    "xstate": ("guarded transitions; `getNextSnapshot` from a snapshot made beforehand", None),
    "cql-execution": ("one `Case` in ELM made from the table; the facts are its parameters", 30),
}

WORDS = """\
Every visit of the patients in `examples/`, each with the state in which the patient came to it. lenadose decides by
`step`: it observes the visit, finds the row, works out dosage and dates, and gives the next state. The peers in
Python find the row: they are given the table, made from the protocol's data, and the six facts in words. What comes
before and after it, observing the visit, dosage, dates and the next state, is the same code for all, lenadose's own;
so no peer is charged for a slower one. The peers in node are given all facts beforehand and do nothing but find the
row: less work than any other. Every row, action, dosage and next visit that is timed was first compared with `step`.
The floor is one call of a Python function that makes one frozen attrs object of three fields."""


def part(quick: bool) -> measure.Part:
    """Time one decision."""
    met = meetings()
    times = partial(measure.Contender, units=len(met))
    expected = with_state(met)
    contenders = [
        times("lenadose", "`step`", lambda: with_state(met)),
        times("lenadose again", "the same once more: what differs is noise", lambda: with_state(met)),
    ]
    alone = times(
        "lenadose, the decision alone", "`recommend(observe(...))`, no next state", lambda: without_state(met)
    )
    measure.check([alone], [step(PROTOCOL, each.state, each.visit)[0] for each in met])
    skipped = {}
    for name, (module, write, words, _) in PEERS.items():
        if module is not None and (quick or find_spec(module) is None):
            skipped[name] = "not installed"
            continue
        contenders.append(times(name, words, partial(by_peer, write(PROTOCOL), met)))
    measure.check(contenders, expected)

    in_node, versions = [], {}
    seen = [observe(PROTOCOL, each.state, each.visit) for each in met]
    for name, (words, _) in IN_NODE.items():
        node, folder = ("", None) if quick else node_folder()
        if folder is None:
            skipped[name] = "node was not at hand"
            continue
        peer = peers.Node(node, folder, name, PROTOCOL, [each.facts for each in seen])
        versions[name] = peer.version
        in_node.append(peer)
        contender = times(name, words, peer.answers, seconds=peer.seconds)
        measure.check([contender], [each.match.rule.id for each in seen])
        contenders.append(contender)

    floor = times("the floor", "one call, one object", lambda: [small(each) for each in met])
    contenders += [alone, floor]
    laps = measure.race(contenders, rounds=3 if quick else 41)
    for each in in_node:
        each.end()

    targets = []
    for name, least in [(n, p[3]) for n, p in PEERS.items()] + [(n, p[1]) for n, p in IN_NODE.items()]:
        if least is None:
            continue
        if name in skipped:
            targets.append(measure.not_measured("one decision", name, skipped[name], least=least))
        else:
            targets.append(measure.at_least("one decision", name, measure.ratio(laps, name), least))
    floors = measure.ratio(laps, alone.name, floor.name)
    targets.append(
        measure.at_most("one decision, the next state left aside", floor.name, floors, 6, unit="floors", note=BOUND)
    )
    versions |= measure.versions("lenadose", "attrs", "transitions", "python-statemachine", "zen-engine", "rule-engine")
    return measure.Part("One decision", WORDS, [measure.table(TITLE, "visit", contenders, laps)], targets, versions)


TITLE = "Visits of the examples, one at a time"
BOUND = """\
The objects that the answer is made of come first: what is known, the observation and the decision are three, so \
three floors or a little less before anything is compared. The rest are the comparisons of dates and decimals, and the \
calls between the functions that a reader can follow. Fewer objects, or a compiled extension, would move it."""

if __name__ == "__main__":
    measure.tell(part)
