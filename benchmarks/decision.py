"""One decision, from the facts of a visit or from the visit itself, beside what a user would otherwise pick."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec

import measure
import peers
from attrs import frozen
from courses import PROTOCOL, Witness, meetings
from nodes import node_folder

from lenadose import Decision, State, apply, observe, recommend, step
from lenadose.engine.machine import make_decision
from lenadose.engine.observe import Observation, make_observation
from lenadose.engine.state import close, make_dose, make_known, make_last, make_score, open_again

Decided = tuple[str, Decision]
Stepped = tuple[str, Decision, State]


@frozen(slots=False)
class Small:
    """A small frozen object: the least that a call can give."""

    earliest: object
    due: object
    latest: object


def small(value: object) -> Small:
    """Make one object: with the call, the floor of any decision."""
    return Small(value, value, value)


def from_facts(seen: list[Observation]) -> list[Decided]:
    """Find the row for the facts of each visit, and decide."""
    find = PROTOCOL.table.rule_for
    return [(find(each.facts).id, recommend(each)) for each in seen]


def from_facts_by(find: peers.Decide, seen: list[Observation]) -> list[Decided]:
    """Let a peer find the row; what follows from it is made as `recommend` makes it."""
    return [(find(each.facts), recommend(each)) for each in seen]


def by_step(met: list[Witness]) -> list[Stepped]:
    """Decide by `step`, at each visit."""
    found = []
    for each in met:
        decision, state = step(PROTOCOL, each.state, each.visit)
        found.append((decision.rule.id, decision, state))
    return found


def by_step_with(find: peers.Decide, met: list[Witness]) -> list[Stepped]:
    """Let a peer find the row; all else is done as `step` does it."""
    found = []
    for each in met:
        seen = observe(PROTOCOL, each.state, each.visit)
        rule = find(seen.facts)
        decision = recommend(seen)
        found.append((rule, decision, apply(decision)))
    return found


def only_objects(decisions: list[Decision]) -> list[State]:
    """Make the objects that a visit needs, from values that are there: the part that no reading and comparing takes."""
    found = []
    for each in decisions:
        seen = each.seen
        known = make_known(None, None, None, (), (), None)
        score = make_score(0, each.visit.date)
        shown = make_observation(
            PROTOCOL,
            seen.before,
            each.visit,
            seen.match,
            seen.treatment.dose,
            known,
            score,
            None,
            None,
            None,
            None,
            (),
        )
        decision = make_decision(each.visit, each.advice, each.next_visit, shown)
        record = open_again(seen.before)
        record.treatment.dose = make_dose(each.advice.level, None, None, None)  # type: ignore[arg-type]  # any value takes as long
        record.previous = make_last(
            decision.visit.date, None, None, None, False, record.treatment.dose, score, None
        )
        found.append(close(record))
    return found


PEERS: dict[str, tuple[str | None, Callable[..., peers.Decide], str, float | None]] = {
    "hand-written function": (None, peers.by_hand, "one `if` after another, the phase first", None),
    "transitions": (
        "transitions",
        peers.with_transitions,
        "a transition for each case, its conditions in turn",
        8,
    ),
    "python-statemachine": (
        "statemachine",
        peers.with_statemachine,
        "a guarded transition for each case",
        100,
    ),
    "zen-engine": ("zen", peers.with_zen, "a decision table, hit policy *first*, compiled once", 6),
    "rule-engine": (
        "rule_engine",
        peers.with_rule_engine,
        "an expression for each case, compiled once",
        None,
    ),
}
IN_NODE: dict[str, tuple[str, float | None]] = {
    "xstate": ("guarded transitions; `getNextSnapshot` from a snapshot made beforehand", None),
    "cql-execution": ("one `Case` in ELM made from the table; the facts are its parameters", 30),
}
AGAIN = "the same once more: what differs is noise"

WORDS = """\
Every visit of the patients in `examples/`, each with the state in which the patient came to it, in three scopes:

- *From the facts*: the six facts of a visit are there, and what is advised is wanted. lenadose looks the row up by one
  whole number and makes the decision: level, dosage, phase and next visit. The peers in Python find the row; they are
  given the table, made from the protocol's data, and what follows from the row is made by the same code for all.
- *The whole visit*: from the visit as it was recorded to the next state, by `step`. The peers find the row; all else,
  observing the visit, dosage, dates and the next state, is lenadose's own code for all, so that no peer is charged for
  a slower one. It stands on both sides of the ratio.
- *The row alone*: the facts are there, and the name of the row is wanted.

The peers in node do nothing but find the row, in any scope: less work than any other. Every row, decision and state
that is timed was first compared with `step`. The floor is one call of a Python function that makes one frozen attrs
object of three fields."""


def part(quick: bool) -> measure.Part:
    """Time one decision in its three scopes."""
    met = meetings()
    expected = by_step(met)
    decisions, rows = [each[1] for each in expected], [each[0] for each in expected]
    seen = [observe(PROTOCOL, each.state, each.visit) for each in met]
    facts = [each.facts for each in seen]
    times = partial(measure.Contender, units=len(met))
    find = PROTOCOL.table.rule_for
    deciding = [
        times("lenadose", "`table.rule_for`, then `recommend`", lambda: from_facts(seen)),
        times("lenadose again", AGAIN, lambda: from_facts(seen)),
    ]
    visiting = [
        times("lenadose", "`step`", lambda: by_step(met)),
        times("lenadose again", AGAIN, lambda: by_step(met)),
    ]
    finding = [times("lenadose", "`table.rule_for`", lambda: [find(each).id for each in facts])]
    skipped = {}
    for name, (module, write, words, _) in PEERS.items():
        if module is not None and (quick or find_spec(module) is None):
            skipped[name] = "not installed"
            continue
        peer = write(PROTOCOL)
        deciding.append(times(name, words, partial(from_facts_by, peer, seen)))
        visiting.append(times(name, words, partial(by_step_with, peer, met)))
        finding.append(times(name, words, partial(lambda peer: [*map(peer, facts)], peer)))
    measure.check(deciding, list(zip(rows, decisions, strict=True)))
    measure.check(visiting, expected)

    in_node, versions = [], {}
    for name, (words, _) in IN_NODE.items():
        node, folder = ("", None) if quick else node_folder()
        if folder is None:
            skipped[name] = "node was not at hand"
            continue
        process = peers.Node(node, folder, name, PROTOCOL, facts)
        versions[name] = process.version
        in_node.append(process)
        for scope in (deciding, visiting, finding):
            scope.append(times(name, words, process.answers, seconds=process.seconds))
    measure.check(finding, rows)

    floor = times("the floor", "one call, one object", lambda: [small(each) for each in met])
    deciding.append(floor)
    alone = [
        times(
            "observe",
            "its part: the facts of a visit",
            lambda: [observe(PROTOCOL, m.state, m.visit) for m in met],
        ),
        times("recommend", "its part: the decision", lambda: [*map(recommend, seen)]),
        times("apply", "its part: the next state", lambda: [*map(apply, decisions)]),
        times(
            "its objects",
            "made from values that are there, nothing compared",
            lambda: only_objects(decisions),
        ),
        floor,
    ]
    rounds = 3 if quick else 21
    decided = measure.race(deciding, rounds)
    visited = measure.race(visiting + alone, rounds)
    found = measure.race(finding, rounds)
    for process in in_node:
        process.end()

    targets = []
    for what, laps, note in (
        ("one decision, from the facts", decided, ""),
        ("the whole visit", visited, _bound(visited)),
    ):
        for name, least in [(n, p[3]) for n, p in PEERS.items()] + [
            (n, p[1]) for n, p in IN_NODE.items()
        ]:
            if least is None:
                continue
            if name in skipped:
                targets.append(measure.not_measured(what, name, skipped[name], least=least))
            else:
                targets.append(
                    measure.at_least(what, name, measure.ratio(laps, name), least, note=note)
                )
        floors = measure.ratio(laps, "lenadose", floor.name)
        targets.append(measure.at_most(what, floor.name, floors, 6, unit="floors", note=note))
    versions |= measure.versions(
        "lenadose", "attrs", "transitions", "python-statemachine", "zen-engine", "rule-engine"
    )
    tables = [
        measure.table("From the facts", "decision", deciding, decided),
        measure.table("The whole visit", "visit", visiting + alone, visited),
        measure.table("The row alone", "row", finding, found),
    ]
    return measure.Part("One decision", WORDS, tables, targets, versions)


def _bound(laps: Mapping[str, list[float]]) -> str:
    """Say what bounds the whole visit, in shares of it as they were measured."""

    def share(name: str) -> str:
        return f"{measure.ratio(laps, name).median:.0%}"

    return (
        f"`observe` alone takes {share('observe')} of a visit, making the objects {share('its objects')}: neither is "
        "the finding of a row, and both stand on the peer's side too. The rest is reading values and "
        "comparing dates and decimals. Fewer values in a state, and whole numbers in the place of dates and decimals, "
        "would move it, at the cost of what a reader can check; compiling the same code by Cython did little."
    )


if __name__ == "__main__":
    measure.tell(part)
