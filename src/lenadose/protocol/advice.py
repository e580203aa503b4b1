"""The advice that follows from a situation: level, phase after it, effects and next visit.

All of it is finite: it depends on the row that matches, the level held and the ceiling, and on no
number or date.
"""

from datetime import date

from attrs import frozen

from lenadose.protocol.rules import MatchedRule
from lenadose.terms.dosage import DoseLadder, Level, lower_of
from lenadose.terms.facts import (
    OK,
    ON_LADDER,
    ON_TREATMENT,
    TREATED,
    Action,
    Phase,
    Safety,
    Term,
    Timing,
)


class FollowUp(Term):
    """The rule for the next visit: an interval from the day of the visit, or another."""

    SOON = "soon"
    WHEN_DUE = "when the interval that runs is over"
    FIRST_ASSESSMENT = "first assessment"
    REVIEW = "review"
    TAPER_STEP = "taper step"
    AFTER_DISCONTINUATION = "after discontinuation"
    SURVEILLANCE = "surveillance"
    NEVER = "never"


@frozen
class VisitWindow:
    """When the patient is to be seen next: not before `earliest`, on `due`, not after `latest`."""

    earliest: date
    due: date
    latest: date


@frozen(kw_only=True)
class Effects:
    """How a decision changes the treatment, as of its visit: which clocks restart, what is set.

    `starts`: a course begins. `new_baseline`: the score of the visit is the one that later ones
    are compared with, at a start and at a relapse. `new_level` sets the level, `new_since` restarts
    the days at the level, `new_interval` the interval, `new_watch` the close watch of counts,
    `new_nadir` the lowest score. `reviews`: the next interval is a review. `interrupts`: an
    interruption begins. `limits_dose`: what is found now can lower the ceiling. `finishes`: the
    taper ends. `ends`: treatment ends, for whatever reason.
    """

    starts: bool = False
    new_baseline: bool = False
    new_level: bool = False
    new_since: bool = False
    new_interval: bool = False
    new_watch: bool = False
    new_nadir: bool = False
    reviews: bool = False
    interrupts: bool = False
    limits_dose: bool = False
    finishes: bool = False
    ends: bool = False


@frozen
class Advice:
    """The advice in a situation.

    `level` is the level until the next visit, None for no drug. `hands_over` says that the
    prescriber may resume an interruption.
    """

    match: MatchedRule
    level: Level | None
    phase_after: Phase
    effects: Effects
    hands_over: bool
    follow_up: FollowUp


def advise(
    ladder: DoseLadder, match: MatchedRule, held: Level | None, ceiling: Level | None
) -> Advice:
    """Return what follows from a situation with a level held and a ceiling."""
    level = level_after(ladder, match, held, ceiling)
    after = phase_after_advice(match, held, level)
    hands_over = match.rule.action is Action.PRESCRIBER_DECIDES and after is Phase.INTERRUPTED
    effects = effects_of(match, held, level, after)
    return Advice(match, level, after, effects, hands_over, _follow_up(match, after))


def level_after(
    ladder: DoseLadder, match: MatchedRule, held: Level | None, ceiling: Level | None
) -> Level | None:
    """Return the level until the next visit.

    It is at most one step from *held*, unless a ceiling is lower.
    """
    action = match.rule.action
    if action is Action.START:
        return lower_of(ladder.start, ceiling)
    if held is None:
        return None
    match action:
        case Action.CONTINUE:
            return held
        case Action.ESCALATE:
            return ladder.above(held)
        case Action.REDUCE:
            return lower_of(ladder.below(held), ceiling)
        case Action.RESUME:
            return lower_of(held, ceiling)
        case Action.REQUEST_DATA | Action.PRESCRIBER_DECIDES:
            facts = match.facts
            goes_on = (
                facts.phase in ON_TREATMENT and facts.safety in OK and facts.position in ON_LADDER
            )
            return held if goes_on else None
        case Action.FINISH | Action.OBSERVE | Action.INTERRUPT | Action.DISCONTINUE:
            return None


def phase_after_advice(match: MatchedRule, held: Level | None, level: Level | None) -> Phase:
    """Return the phase after a decision.

    It stays as it is without a level to give, or without a course to end.
    """
    after = match.leads_to
    return match.facts.phase if (level if after in ON_TREATMENT else held) is None else after


def effects_of(
    match: MatchedRule, held: Level | None, level: Level | None, after: Phase
) -> Effects:
    """Return how a decision changes the treatment."""
    action, facts = match.rule.action, match.facts
    asks = action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    if level is None or asks:
        if held is not None and after is Phase.INTERRUPTED:
            return Effects(interrupts=facts.phase is not Phase.INTERRUPTED, limits_dose=True)
        ends = facts.phase in TREATED and after not in TREATED
        return Effects(finishes=ends and after is Phase.OFF_TREATMENT, ends=ends)
    if action is Action.CONTINUE:
        due = facts.timing is Timing.DUE
        return Effects(new_interval=due, reviews=due)
    starts = action is Action.START
    relapse = action is Action.ESCALATE and facts.phase is Phase.TAPER
    return Effects(
        starts=starts,
        new_baseline=starts or relapse,
        new_level=True,
        new_since=starts or level != held,
        new_interval=True,
        new_watch=action is not Action.REDUCE,
        new_nadir=starts or action is Action.ESCALATE,
    )


def _follow_up(match: MatchedRule, after: Phase) -> FollowUp:
    action, facts = match.rule.action, match.facts
    goes_on = after in ON_TREATMENT
    asks = action in (Action.INTERRUPT, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    for_harm = action is Action.DISCONTINUE and facts.safety is Safety.STOP
    if asks or for_harm or (goes_on and facts.safety is Safety.CAUTION):
        return FollowUp.SOON
    if goes_on:
        if action is Action.CONTINUE and facts.timing is not Timing.DUE:
            return FollowUp.WHEN_DUE
        if after is Phase.TAPER:
            return FollowUp.TAPER_STEP
        return FollowUp.REVIEW if action is Action.CONTINUE else FollowUp.FIRST_ASSESSMENT
    if after is Phase.DISCONTINUED:
        return FollowUp.AFTER_DISCONTINUATION
    return FollowUp.SURVEILLANCE if after is Phase.OFF_TREATMENT else FollowUp.NEVER
