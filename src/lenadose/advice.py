"""What follows from a situation: the level until the next visit, the phase after it, and when to come back.

All of it is finite: it depends on the row that matches, the level held and the ceiling, and on no number or date.
"""

from datetime import date

from attrs import frozen

from .dosing import DoseLadder, Level, lower
from .rules import Match
from .vocabulary import OK, ON_LADDER, ON_TREATMENT, Action, Phase, Safety, Timing, Word


class Return(Word):
    """When the patient is to come back: the interval that runs from the day of the visit, or what else tells."""

    SOON = "soon"
    WHEN_DUE = "when the interval that runs is over"
    FIRST_ASSESSMENT = "first assessment"
    REVIEW = "review"
    TAPER_STEP = "taper step"
    AFTER_DISCONTINUATION = "after discontinuation"
    SURVEILLANCE = "surveillance"
    NEVER = "never"


@frozen
class NextVisit:
    """When the patient is to be seen next: not before `earliest`, on `due`, at the latest on `latest`."""

    earliest: date
    due: date
    latest: date


@frozen
class Advice:
    """What is advised in a situation: made once, and shared by all decisions that it fits.

    `level` is that until the next visit, None for no drug. `gives` says that the decision itself gives it; a question
    or the prescriber's decision only lets it go on. `hands_over` says that the prescriber may resume an interruption.
    """

    match: Match
    level: Level | None
    phase_after: Phase
    gives: bool
    hands_over: bool
    returns: Return


def advise(ladder: DoseLadder, match: Match, held: Level | None, ceiling: Level | None) -> Advice:
    """Give what follows from a situation with a level held and a ceiling."""
    action = match.rule.action
    asks = action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    level = level_after(ladder, match, held, ceiling)
    phase_after = phase_after_advice(match, held, level)
    hands_over = action is Action.PRESCRIBER_DECIDES and phase_after is Phase.INTERRUPTED
    returns = _returns(match, phase_after)
    return Advice(match, level, phase_after, level is not None and not asks, hands_over, returns)


def level_after(ladder: DoseLadder, match: Match, held: Level | None, ceiling: Level | None) -> Level | None:
    """Give the level until the next visit, from the one held; one step at most, save down to a ceiling."""
    action = match.rule.action
    if action is Action.START:
        return lower(ladder.start, ceiling)
    if held is None:
        return None
    if action is Action.CONTINUE:
        return held
    if action is Action.ESCALATE:
        return ladder.above(held)
    if action is Action.REDUCE:
        return lower(ladder.below(held), ceiling)
    if action is Action.RESUME:
        return lower(held, ceiling)
    if action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES):
        facts = match.facts
        if facts.phase in ON_TREATMENT and facts.safety in OK and facts.position in ON_LADDER:
            return held
    return None


def phase_after_advice(match: Match, held: Level | None, level: Level | None) -> Phase:
    """Give the phase after a decision; without a level to give, or a course to end, it stays as it is."""
    after = match.leads_to
    return match.facts.phase if (level if after in ON_TREATMENT else held) is None else after


def _returns(match: Match, phase_after: Phase) -> Return:
    action, facts = match.rule.action, match.facts
    goes_on = phase_after in ON_TREATMENT
    if action in (Action.INTERRUPT, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES) or (
        goes_on and facts.safety is Safety.CAUTION
    ):
        return Return.SOON
    if goes_on:
        if action is Action.CONTINUE and facts.timing is not Timing.DUE:
            return Return.WHEN_DUE
        if phase_after is Phase.TAPER:
            return Return.TAPER_STEP
        return Return.REVIEW if action is Action.CONTINUE else Return.FIRST_ASSESSMENT
    if action is Action.DISCONTINUE:
        return Return.AFTER_DISCONTINUATION
    return Return.SURVEILLANCE if phase_after is Phase.OFF_TREATMENT else Return.NEVER
