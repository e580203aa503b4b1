"""Laws about single situations: each decision alone, or compared with others in its state.

Each check goes over the reachable states and yields, one by one, what it looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from itertools import combinations
from types import MappingProxyType

from lenadose.engine.missing import SAFETY_FINDINGS, combined
from lenadose.engine.observe import worse_of
from lenadose.protocol.rules import MatchedRule
from lenadose.terms.dosage import Level, format_decimal
from lenadose.terms.facts import (
    OK,
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
from lenadose.verification.places import AbstractDecision, AbstractState, AbstractVisit
from lenadose.verification.violation import Checks, Violation

DANGER = frozenset({Safety.STOP, Safety.INTERRUPT})
_OFF_DRUG = frozenset(Phase) - TREATED


def each_decision(test: Callable[[AbstractDecision], str | None]) -> Callable[[StateSpace], Checks]:
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


def on_ladder_within_limits(space: StateSpace) -> Checks:
    """Check that each level is on the ladder, at most the ceiling, at most the highest dose."""
    highest = space.protocol.safety.highest_daily_dose.value
    return each_decision(partial(_within_limits, highest))(space)


def _within_limits(highest: Decimal, each: AbstractDecision) -> str | None:
    level, ceiling = each.level, each.ceiling
    if level is None:
        return f"{each.action.label}, and no level to give" if each.action in _GIVES else None
    if ceiling is None or level.rank > ceiling.rank:
        return f"{level}, and at most {ceiling or 'no drug'} is allowed"
    if level.dosage.daily_mg > highest:
        return f"{level} is more than {format_decimal(highest)} mg a day"
    return None


def one_step(each: AbstractDecision) -> str | None:
    """Check that the level moves by at most one."""
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


def known_before_more(each: AbstractDecision) -> str | None:
    """Check that more drug needs a known response and safety."""
    facts = each.match.facts
    if each.action is Action.ESCALATE:
        if facts.response is Response.NOT_ASSESSED:
            return "escalate without a known response"
        if facts.safety is not Safety.ACCEPTABLE:
            return f"escalate with safety {facts.safety.label}"
    if each.action in (Action.START, Action.RESUME) and facts.safety not in OK:
        return f"{each.action.label} with safety {facts.safety.label}"
    return None


def rise_after_interval(each: AbstractDecision) -> str | None:
    """Check that the dose rises only for lack of response and after the interval."""
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


def danger_acted_on(each: AbstractDecision) -> str | None:
    """Check that a known danger stops or interrupts treatment."""
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


def no_drug_unassessed(each: AbstractDecision) -> str | None:
    """Check that no drug is given with safety not assessed."""
    unassessed = each.match.facts.safety is Safety.NOT_ASSESSED
    return f"{each.level} with safety not assessed" if unassessed and each.level else None


def reduction_needs_response(space: StateSpace) -> Checks:
    """Check that a reduction follows a response, or comes down to a ceiling."""
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
        words = f"{each.action.label} with response {facts.response.label}"
        return f"{words}, and not to come down to a ceiling"

    yield from each_decision(test)(space)


_PHASES: Mapping[Action, frozenset[Phase]] = MappingProxyType(
    {
        **dict.fromkeys(
            (Action.CONTINUE, Action.ESCALATE, Action.REDUCE, Action.FINISH), ON_TREATMENT
        ),
        Action.START: frozenset({Phase.BEFORE_START, Phase.OFF_TREATMENT}),
        Action.RESUME: frozenset({Phase.INTERRUPTED}),
        **dict.fromkeys((Action.INTERRUPT, Action.DISCONTINUE), TREATED),
        Action.OBSERVE: _OFF_DRUG,
        **dict.fromkeys(
            (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES),
            frozenset(Phase) - {Phase.DISCONTINUED},
        ),
    }
)


def in_its_phase(each: AbstractDecision) -> str | None:
    """Check that an action occurs only in its phases."""
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


def caution_monotone(space: StateSpace) -> Checks:
    """Check that worse or unknown safety never means more drug."""
    for answers in space.decisions.values():
        for group in _by(answers, "response", "lowered"):
            known = [
                each for showing, each in group.items() if showing.safety is not Safety.NOT_ASSESSED
            ]
            for one, other in combinations(known, 2):
                if {one.showing.safety, other.showing.safety} == DANGER:
                    continue  # neither of them is the better one for the dose
                worse, better = sorted((one, other), key=lambda each: each.showing.safety.rank)
                words = (
                    f"with safety {worse.showing.safety.label}, "
                    f"{_less(better)} with {better.showing.safety.label}"
                )
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


def response_monotone(space: StateSpace) -> Checks:
    """Check that a better response never means more drug."""
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
                words = (
                    f"with response {better.showing.response.label}, "
                    f"{_less(worse)} with {worse.showing.response.label}"
                )
                yield _at_most(worse, better, words)


def asks_exactly_when_it_matters(space: StateSpace) -> Checks:
    """Check that data is requested exactly when it would change the action."""
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
    if phase is Phase.BEFORE_START:
        return (Response.COMPLETE, Response.MILD, Response.NONE)
    return (Response.COMPLETE, Response.PARTIAL, Response.NONE, Response.WORSE)


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
