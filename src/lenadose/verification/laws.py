"""The laws of section 6 of PROTOCOL.md, which hold for a protocol in every reachable state.

Each law is a function that goes over all that is reached and gives, one by one, what it looked at, with a breach
where the law does not hold.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations

from attrs import frozen

from lenadose.engine.machine import Decision, apply, recommend
from lenadose.engine.missing import SAFETY_FINDINGS, combined
from lenadose.engine.observe import worse_of
from lenadose.protocol.protocol import case_id
from lenadose.protocol.rules import MatchedRule
from lenadose.record.visit import Visit
from lenadose.terms.dosage import Level
from lenadose.terms.facts import (
    OK,
    ON_LADDER,
    ON_TREATMENT,
    TREATED,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.verification.explore import StateSpace
from lenadose.verification.places import AbstractDecision, AbstractState, AbstractVisit, Witness

MOST_MG_A_DAY = Decimal(10)
DANGER = frozenset({Safety.STOP, Safety.INTERRUPT})
_OFF_DRUG = frozenset(Phase) - TREATED
_KNOWN_RESPONSES = tuple(each for each in Response if each is not Response.NOT_ASSESSED)


@frozen
class Violation:
    """A violation of a law: a sentence, and the decision or the visits that show it."""

    words: str
    decision: AbstractDecision | None = None
    other: AbstractDecision | None = None
    visits: tuple[Visit, ...] = ()
    """The whole course of visits, where only several visits show the violation."""
    rules: tuple[str, ...] = ()
    """The row that no visit leads to."""


Checks = Iterator[tuple[AbstractState, MatchedRule | None, Violation | None]]
"""The state checked, the situation there (None: the state as a whole), and the violation."""


@frozen
class Law:
    """A law of the protocol sheet, and the function that checks it."""

    number: int
    name: str
    words: str
    check: Callable[[StateSpace], Checks]


def _each(test: Callable[[AbstractDecision], str | None]) -> Callable[[StateSpace], Checks]:
    """Return a check that looks at one decision at a time."""

    def check(space: StateSpace) -> Checks:
        for answers in space.decisions.values():
            for each in answers.values():
                words = test(each)
                yield each.place, each.match, None if words is None else Violation(words, each)

    return check


def _mg(level: Level | None) -> Decimal:
    return level.dosage.daily_mg if level else Decimal(0)


_GIVES = frozenset({Action.START, Action.CONTINUE, Action.ESCALATE, Action.REDUCE, Action.RESUME})


def _on_ladder_within_limits(each: AbstractDecision) -> str | None:
    level, ceiling = each.level, each.ceiling
    if level is None:
        return f"{each.action.label}, and no level to give" if each.action in _GIVES else None
    if ceiling is None or level.rank > ceiling.rank:
        return f"{level}, and at most {ceiling or 'no drug'} is allowed"
    if level.dosage.daily_mg > MOST_MG_A_DAY:
        return f"{level} is more than {MOST_MG_A_DAY} mg a day"
    return None


def _one_step(each: AbstractDecision) -> str | None:
    held, level = each.place.level, each.level
    if each.action is Action.FINISH and held is not None and held.rank:
        return f"from {held} to no drug in one decision"
    if held is None or level is None:
        return None
    if each.place.phase is Phase.INTERRUPTED and level.rank > held.rank:
        return f"{level} after an interruption at {held}"
    to_ceiling = each.ceiling is not None and level.rank == each.ceiling.rank < held.rank
    if abs(level.rank - held.rank) > 1 and not to_ceiling:
        return f"from {held} to {level} in one decision"
    return None


def _known_before_more(each: AbstractDecision) -> str | None:
    facts = each.match.facts
    if each.action is Action.ESCALATE:
        if facts.response is Response.NOT_ASSESSED:
            return "escalate without a known response"
        if facts.safety is not Safety.ACCEPTABLE:
            return f"escalate with safety {facts.safety.label}"
    if each.action in (Action.START, Action.RESUME) and facts.safety not in OK:
        return f"{each.action.label} with safety {facts.safety.label}"
    return None


def _rise_after_interval(each: AbstractDecision) -> str | None:
    facts, held, level = each.match.facts, each.place.level, each.level
    if facts.phase not in ON_TREATMENT or held is None or level is None or level.rank <= held.rank:
        return None
    if facts.response not in (Response.NONE, Response.WORSE):
        return f"the dose rises with response {facts.response.label}"
    if facts.timing is Timing.BEFORE_DUE and not (
        facts.phase is Phase.TAPER and facts.response is Response.WORSE
    ):
        return "the dose rises before the interval is over"
    return None


def _danger_acted_on(each: AbstractDecision) -> str | None:
    facts = each.match.facts
    if facts.safety not in DANGER:
        return None
    if facts.phase in ON_TREATMENT:
        needed = Action.DISCONTINUE if facts.safety is Safety.STOP else Action.INTERRUPT
        return (
            None
            if each.action is needed
            else f"{each.action.label} with a known danger ({facts.safety.label})"
        )
    return f"{each.level} with a known danger ({facts.safety.label})" if each.level else None


def _no_drug_unassessed(each: AbstractDecision) -> str | None:
    unassessed = each.match.facts.safety is Safety.NOT_ASSESSED
    return f"{each.level} with safety not assessed" if unassessed and each.level else None


def _reduction_needs_response(space: StateSpace) -> Checks:
    needs = space.protocol.response.reduction_needs.value

    def test(each: AbstractDecision) -> str | None:
        facts, held, level = each.match.facts, each.place.level, each.level
        reduces = each.action is Action.REDUCE or (
            facts.phase in ON_TREATMENT
            and held is not None
            and level is not None
            and level.rank < held.rank
        )
        finishes = each.action is Action.FINISH
        if facts.response.rank <= needs.rank or not (finishes or reduces):
            return None
        if facts.position is Position.ABOVE_CEILING and not finishes:
            return None
        return f"{each.action.label} with response {facts.response.label}, and not to come down to a ceiling"

    yield from _each(test)(space)


_PHASES: Mapping[Action, frozenset[Phase]] = {
    **dict.fromkeys((Action.CONTINUE, Action.ESCALATE, Action.REDUCE, Action.FINISH), ON_TREATMENT),
    Action.START: frozenset({Phase.BEFORE_START, Phase.OFF_TREATMENT}),
    Action.RESUME: frozenset({Phase.INTERRUPTED}),
    **dict.fromkeys((Action.INTERRUPT, Action.DISCONTINUE), TREATED),
    Action.OBSERVE: _OFF_DRUG,
    **dict.fromkeys(
        (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES), frozenset(Phase) - {Phase.DISCONTINUED}
    ),
}


def _in_its_phase(each: AbstractDecision) -> str | None:
    phase = each.match.facts.phase
    return (
        None if phase in _PHASES[each.action] else f"{each.action.label} in the phase {phase.label}"
    )


def _by(
    answers: Mapping[AbstractVisit, AbstractDecision], *same: str
) -> Iterator[dict[AbstractVisit, AbstractDecision]]:
    """Yield the decisions in groups with the *same* fields; marks make no difference."""
    groups: dict[tuple[object, ...], dict[AbstractVisit, AbstractDecision]] = {}
    for showing, each in answers.items():
        if (
            not showing.mark
            or AbstractVisit(showing.response, showing.safety, showing.lowered) not in answers
        ):
            groups.setdefault(tuple(getattr(showing, name) for name in same), {})[showing] = each
    yield from groups.values()


def _at_most(
    other: AbstractDecision, more: AbstractDecision, words: str
) -> tuple[AbstractState, MatchedRule, Violation | None]:
    """Check that one decision gives no more drug than another."""
    holds = _mg(more.level) <= _mg(other.level)
    return (
        more.place,
        more.match,
        None if holds else Violation(f"{more.level} {words}", more, other),
    )


def _less(each: AbstractDecision) -> str:
    return str(each.level or "no drug")


def _caution_monotone(space: StateSpace) -> Checks:
    for answers in space.decisions.values():
        for group in _by(answers, "response", "lowered"):
            known = [
                each for showing, each in group.items() if showing.safety is not Safety.NOT_ASSESSED
            ]
            for one, other in combinations(known, 2):
                if {one.showing.safety, other.showing.safety} == DANGER:
                    continue  # neither of them is the better one for the dose
                worse, better = sorted((one, other), key=lambda each: each.showing.safety.rank)
                words = f"with safety {worse.showing.safety.label}, {_less(better)} with {better.showing.safety.label}"
                yield _at_most(better, worse, words)
        for group in _by(answers, "response"):
            yield from _not_more_than_known(group, "safety", Safety.NOT_ASSESSED)
        for group in _by(answers, "safety", "lowered"):
            yield from _not_more_than_known(group, "response", Response.NOT_ASSESSED)


def _not_more_than_known(
    group: Mapping[AbstractVisit, AbstractDecision], fact: str, unknown: Term
) -> Checks:
    known = [each for showing, each in group.items() if getattr(showing, fact) is not unknown]
    for showing, each in group.items():
        if getattr(showing, fact) is unknown and known:
            most = max(known, key=lambda one: _mg(one.level))
            words = f"with {fact} not assessed, and no answer to it gives more than {_less(most)}"
            yield _at_most(most, each, words)


def _lacks_benefit(each: AbstractDecision) -> bool:
    """Return whether lack of benefit ends treatment: no gain in the whole trial, or worse."""
    facts = each.match.facts
    long_enough = facts.trial is TherapeuticTrial.EXHAUSTED or facts.response is Response.WORSE
    return each.action is Action.DISCONTINUE and facts.safety in OK and long_enough


def _response_monotone(space: StateSpace) -> Checks:
    for answers in space.decisions.values():
        for group in _by(answers, "safety", "lowered"):
            known = [
                each
                for showing, each in group.items()
                if showing.response is not Response.NOT_ASSESSED
            ]
            for better, worse in combinations(
                sorted(known, key=lambda each: each.showing.response.rank), 2
            ):
                if _lacks_benefit(worse):
                    continue
                words = f"with response {better.showing.response.label}, {_less(worse)} with {worse.showing.response.label}"
                yield _at_most(worse, better, words)


def _asks_exactly_when_it_matters(space: StateSpace) -> Checks:
    for place, answers in space.decisions.items():
        for showing, each in answers.items():
            asks = each.action is Action.REQUEST_DATA
            if showing.safety is Safety.NOT_ASSESSED:
                if place.phase in TREATED:
                    words = f"{each.action.label}, and unassessed safety is not asked about"
                    yield place, each.match, None if asks else Violation(words, each)
                elif place.ongoing is Safety.ACCEPTABLE:
                    yield from _asks_off_drug(space, place, each)
                continue
            actions = {each.action}
            if showing.response is Response.NOT_ASSESSED:
                actions = {
                    space.decide(
                        place, AbstractVisit(response, showing.safety, showing.lowered)
                    ).action
                    for response in _can_be(place.phase)
                }
            yield place, each.match, _held_against(each, actions)


def _can_be(phase: Phase) -> tuple[Response, ...]:
    """Return what a missing score can turn out to show; before a start nothing is compared."""
    return (Response.COMPLETE, Response.NONE) if phase is Phase.BEFORE_START else _KNOWN_RESPONSES


def _asks_off_drug(space: StateSpace, place: AbstractState, each: AbstractDecision) -> Checks:
    """Check off the drug, where it depends on what is missing: try every set of missing facts."""
    showing = each.showing
    responses = (
        _can_be(place.phase) if showing.response is Response.NOT_ASSESSED else (showing.response,)
    )
    decided: dict[frozenset[tuple[Safety, bool]], set[Action]] = {}
    for completions in _COMPLETIONS:
        if completions not in decided:
            decided[completions] = {
                space.decide(place, AbstractVisit(response, safety, lowered)).action
                for safety, lowered in completions
                for response in responses
            }
        yield place, each.match, _held_against(each, decided[completions])


_COMPLETIONS = tuple(
    frozenset((worse_of(known, safety), lowered) for safety, lowered, _ in found)
    for size in range(1, len(SAFETY_FINDINGS) + 1)
    for missing in combinations(SAFETY_FINDINGS, size)
    for found in [
        combined(tuple((*each, None) for each in SAFETY_FINDINGS[name]) for name in missing)
    ]
    for known in (Safety.CAUTION, Safety.ACCEPTABLE)
)
"""All that each set of missing safety facts can be, with the known facts cautious or not."""


def _held_against(each: AbstractDecision, actions: set[Action]) -> Violation | None:
    asks = each.action is Action.REQUEST_DATA
    if asks == (len(actions) > 1):
        return None
    if asks:
        return Violation("data is requested, and no answer would change the action", each)
    said = " or ".join(sorted(action.label for action in actions))
    return Violation(
        f"{each.action.label} without asking, though the answer decides between {said}", each
    )


def _all_reachable(space: StateSpace) -> Checks:
    start = next(iter(space.witnesses))
    for row in space.protocol.table.rules:
        for case in row.cases:
            each, source = space.reached.get((row, case)), case.provenance
            if each is None:
                yield (
                    start,
                    None,
                    Violation(
                        f"{case_id(row, case)}: no course of visits reaches it", rules=(row.id,)
                    ),
                )
            elif not (source.source.strip() and source.words.strip()):
                yield (
                    each.place,
                    each.match,
                    Violation(f"{case_id(row, case)}: has no source or no words", each),
                )
            else:
                yield each.place, each.match, None


def _some_way_off(space: StateSpace) -> Checks:
    """Search backwards from the states that one visit leads off treatment from."""
    before: dict[AbstractState, set[AbstractState]] = {}
    for place, follow in space.successors.items():
        for each in follow:
            before.setdefault(each, set()).add(place)
    found = {
        place for place in space.successors if place.phase not in TREATED or place in space.exits
    }
    edge = list(found)
    while edge:
        new = before.get(edge.pop(), set()) - found
        found |= new
        edge += new
    for place in space.successors:
        words = "no course of visits leads off treatment from here"
        first = next(iter(space.decisions[place].values()))
        yield place, None, None if place in found else Violation(words, first)


def _taper_ends(space: StateSpace) -> Checks:
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


def _no_benefit_ends(space: StateSpace) -> Checks:
    """Walk from every start, without response at each due visit, with every caution."""
    walked = set()
    for place, witness in space.witnesses.items():
        if place.phase in TREATED:
            continue
        for showing, each in space.decisions[place].items():
            start = (each.ceiling, each.level)
            if each.action is not Action.START or start in walked:
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
            handed_over = (
                response is Response.WORSE and decision.action is Action.PRESCRIBER_DECIDES
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
    found = []
    for key, way_there in ways[()].items():
        back = _ways(turns, key).get(key)
        if back is not None:
            found.append(way_there + back)
    return min(found, key=len, default=None)


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


LAWS = (
    Law(
        1,
        "on-ladder",
        "The dosage after any decision is on the ladder, at most the ceiling, at most 10 mg a day; an action that "
        "gives drug has a level to give.",
        _each(_on_ladder_within_limits),
    ),
    Law(
        2,
        "one-step",
        "On treatment a decision moves the level by at most one; stopping, withholding and coming down to a ceiling "
        "aside; to finish is one step below the lowest. Resumption is never above the level before.",
        _each(_one_step),
    ),
    Law(
        3,
        "known-before-more",
        "Escalate needs a known response and known, acceptable safety; start and resume need safety known and free of "
        "danger.",
        _each(_known_before_more),
    ),
    Law(
        4,
        "full-interval",
        "The dose rises for lack of response only, and only after the full interval at the level; sooner only back "
        "from a relapse in taper.",
        _each(_rise_after_interval),
    ),
    Law(
        5,
        "danger-first",
        "On treatment a known stop fact discontinues and a known interrupt fact interrupts; off it neither lets "
        "treatment start.",
        _each(_danger_acted_on),
    ),
    Law(
        6,
        "no-blind-supply",
        "With safety not assessed no dosage is recommended.",
        _each(_no_drug_unassessed),
    ),
    Law(
        7,
        "caution-monotone",
        "All else equal, worse safety never means more drug; a missing fact never means more drug than the most that "
        "some completion of it gives.",
        _caution_monotone,
    ),
    Law(
        8,
        "response-monotone",
        "All else equal, a better response never means more drug, save where lack of benefit ends treatment.",
        _response_monotone,
    ),
    Law(
        9,
        "reduction-needs-response",
        "A reduction, the last one to no drug included, needs the response that the protocol names for it, or a "
        "ceiling below the dose.",
        _reduction_needs_response,
    ),
    Law(
        10,
        "taper-ends",
        "Always complete and safe, seen when due, on the ladder, from titration or taper: off treatment within as many "
        "decisions as there are levels.",
        _taper_ends,
    ),
    Law(
        11,
        "no-benefit-ends",
        "From a start, with safety without danger and the ceiling unchanged, response none at every due visit: "
        "discontinued within a bounded number of visits; worse: discontinued or with the prescriber.",
        _no_benefit_ends,
    ),
    Law(
        12,
        "some-way-off",
        "From every place some course of visits leads off treatment.",
        _some_way_off,
    ),
    Law(
        13,
        "asks-when-it-matters",
        "Data is requested exactly when some completion of the missing inputs would change the action; save that a "
        "known danger is acted on at once, a judgement leaves no score missing, and on treatment or interrupted "
        "unassessed safety is always asked about.",
        _asks_exactly_when_it_matters,
    ),
    Law(
        14,
        "all-reachable",
        "Every row and every case is reachable; each carries its tag and its source.",
        _all_reachable,
    ),
    Law(15, "in-its-phase", "An action occurs only in its phases.", _each(_in_its_phase)),
)
"""The laws, in the order of the sheet."""
