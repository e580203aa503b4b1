"""Laws about courses of visits: what can be reached, and where a walk ends.

Each check goes over the reachable states and yields, one by one, what it looked at.
"""

from collections import deque
from collections.abc import Mapping

from lenadose.engine.machine import Decision, apply, recommend
from lenadose.protocol.protocol import case_id
from lenadose.protocol.rules import Case, Rule
from lenadose.terms.facts import (
    ON_LADDER,
    ON_TREATMENT,
    TREATED,
    Action,
    Phase,
    Response,
    Safety,
    Timing,
)
from lenadose.verification.explore import StateSpace
from lenadose.verification.places import AbstractState, AbstractVisit, Witness
from lenadose.verification.violation import Checks, Violation


def all_reachable(space: StateSpace) -> Checks:
    """Check that every case has its source and is reached; name all those that are not at once."""
    start = next(iter(space.witnesses))
    unreached: list[tuple[Rule, Case]] = []
    for row in space.protocol.table.rules:
        for case in row.cases:
            decision, source = space.reached.get((row, case)), case.provenance
            if decision is None:
                unreached.append((row, case))
            elif not (source.source.strip() and source.words.strip()):
                yield (
                    decision.place,
                    decision.match,
                    Violation(f"{case_id(row, case)}: has no source or no words", decision),
                )
            else:
                yield decision.place, decision.match, None
    if unreached:
        names = ", ".join(case_id(row, case) for row, case in unreached)
        rows = tuple(dict.fromkeys(row.id for row, _ in unreached))
        yield start, None, Violation(f"{names}: no course of visits reaches it", rules=rows)


def some_way_off(space: StateSpace) -> Checks:
    """Search backwards from the states that one visit leads off treatment from."""
    before: dict[AbstractState, set[AbstractState]] = {}
    for place, follow in space.successors.items():
        for state in follow:
            # That the patient can end treatment at any time is no merit of the protocol.
            if state.phase in TREATED or place.phase not in TREATED:
                before.setdefault(state, set()).add(place)
    leaving = {
        place for place in space.successors if place.phase not in TREATED or place in space.exits
    }
    edge = list(leaving)
    while edge:
        new = before.get(edge.pop(), set()) - leaving
        leaving |= new
        edge += new
    for place in space.successors:
        words = "no course of visits leads off treatment from here"
        first = next(iter(space.decisions[place].values()))
        yield place, None, None if place in leaving else Violation(words, first)


def taper_ends(space: StateSpace) -> Checks:
    """Walk from every state on treatment, complete and safe at each visit, with every caution."""
    levels = len(space.protocol.ladder.levels)
    walked = set()
    for place, witness in space.witnesses.items():
        start = (place.phase, place.level, place.ceiling)
        if place.phase not in ON_TREATMENT or place.timing is not Timing.DUE or start in walked:
            continue
        walked.add(start)
        for lowered in (False, True):
            position = space.decide(
                place, AbstractVisit(Response.COMPLETE, Safety.ACCEPTABLE, lowered)
            )
            if position.match.facts.position in ON_LADDER:
                yield from _walk_to_the_end(space, witness, lowered, levels, levels)


def _walk_to_the_end(
    space: StateSpace, witness: Witness, lowered: bool, left: int, levels: int
) -> Checks:
    for safety in (Safety.ACCEPTABLE, Safety.CAUTION):
        seen = space.realize(witness, AbstractVisit(Response.COMPLETE, safety, lowered))
        if seen is None:
            continue
        decision = recommend(seen)
        ended = decision.phase_after is Phase.OFF_TREATMENT
        words = f"complete and safe {levels} times when due, and still {decision.phase_after.label}"
        violation = (
            None if ended or left > 1 else Violation(words, visits=(*witness.visits, seen.visit))
        )
        yield witness.place, seen.match, violation
        if not ended and left > 1:
            after = space.meet_when_due(decision, witness)
            yield from _walk_to_the_end(space, after, lowered, left - 1, levels)


def no_benefit_ends(space: StateSpace) -> Checks:
    """Walk from every start, without response at each due visit, with every caution."""
    walked = set()
    for place, witness in space.witnesses.items():
        if place.phase in TREATED:
            continue
        for showing, decision in space.decisions[place].items():
            start = (decision.ceiling, decision.level)
            if decision.action is not Action.START or start in walked:
                continue
            seen = space.realize(witness, showing)
            if seen is None:
                continue
            walked.add(start)
            first = space.meet_when_due(recommend(seen), witness)
            for response in (Response.NONE, Response.WORSE):
                yield from _walk_without_benefit(space, first, response, showing.lowered)


def _walk_without_benefit(
    space: StateSpace, first: Witness, response: Response, lowered: bool
) -> Checks:
    """Follow every path; one that leads elsewhere or comes back violates the law."""
    met: dict[_Key, Witness] = {(): first}
    turns: dict[_Key, dict[Safety, _Key]] = {}
    ahead = deque(met)
    while ahead:
        here = ahead.popleft()
        turns[here] = {}
        for safety in (Safety.ACCEPTABLE, Safety.CAUTION):
            seen = space.realize(met[here], AbstractVisit(response, safety, lowered))
            if seen is None:
                continue
            decision = recommend(seen)
            handed_over = decision.action is Action.PRESCRIBER_DECIDES and (
                response is Response.WORSE or safety is Safety.CAUTION
            )
            ended = decision.phase_after is Phase.DISCONTINUED or handed_over
            violation = None
            if not ended and decision.phase_after not in TREATED:
                words = f"response {response.label} when due leads to {decision.phase_after.label}"
                violation = Violation(words, visits=(*met[here].visits, seen.visit))
            yield met[here].place, seen.match, violation
            if not ended and violation is None:
                key = turns[here][safety] = _standing(decision)
                if key not in met:
                    met[key] = space.meet_when_due(decision, met[here])
                    ahead.append(key)
    circle = _shortest_circle(turns)
    if circle is not None:
        witness = first
        for safety in circle:
            seen = space.realize(witness, AbstractVisit(response, safety, lowered))
            assert seen is not None  # it was made on the way
            witness = space.meet_when_due(recommend(seen), witness)
        words = f"response {response.label} at every due visit, and no end to it"
        yield first.place, None, Violation(words, visits=witness.visits)


_Key = tuple[object, ...]


def _standing(decision: Decision) -> _Key:
    """Return where a walk stands after a decision; an expired clock runs no further."""
    state, day, intervals = apply(decision), decision.visit.date, decision.protocol.intervals
    dose, start = state.treatment.dose, state.baseline
    assert dose is not None
    assert start is not None
    exhausted_on = intervals.trial.value.after(state.treatment.responded_on or start.on)
    long_enough_on = intervals.trial_at_level.value.after(dose.since)
    return (
        state.treatment.phase,
        dose.level,
        state.ceiling,
        dose.reviewed,
        dose.interval_from == day,
        max(0, (exhausted_on - day).days),
        max(0, (long_enough_on - day).days),
    )


def _shortest_circle(turns: Mapping[_Key, Mapping[Safety, _Key]]) -> list[Safety] | None:
    """Return the turns of the shortest path that comes back to a state, or None."""
    ways = {(): _ways(turns, ())}
    ways[()][()] = []
    circles = []
    for key, way_there in ways[()].items():
        back = _ways(turns, key).get(key)
        if back is not None:
            circles.append(way_there + back)
    return min(circles, key=len, default=None)


def _ways(turns: Mapping[_Key, Mapping[Safety, _Key]], start: _Key) -> dict[_Key, list[Safety]]:
    """Return the shortest path of at least one turn from *start* to everything reachable."""
    ways: dict[_Key, list[Safety]] = {}
    ahead: deque[tuple[_Key, list[Safety]]] = deque([(start, [])])
    while ahead:
        here, way = ahead.popleft()
        for safety, there in turns.get(here, {}).items():
            if there not in ways:
                ways[there] = [*way, safety]
                ahead.append((there, ways[there]))
    return ways
