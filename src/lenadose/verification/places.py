"""A place: what matters of a patient's past when the next visit begins."""

from datetime import date
from itertools import product

from attrs import frozen

from lenadose.engine.observe import Observation, position_of, worse_of
from lenadose.protocol.advice import level_after, phase_after_advice
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import MatchedRule
from lenadose.protocol.safety import Lasts
from lenadose.record.course import Course
from lenadose.record.visit import Patient, Visit
from lenadose.terms.dosage import Level, lower_of
from lenadose.terms.facts import (
    GAIN,
    TREATED,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)

DAY0 = date(2026, 1, 5)
PATIENT = Patient("counterexample", age=40, able_to_become_pregnant=True, regular_cycles=True)
"""The patient of every course that is made here; what she is changes no fact but the pregnancy tests asked for."""


@frozen(cache_hash=True)
class AbstractState:
    """Where a patient stands when the next visit begins.

    `level` is the one held (in an interruption the one before), `ceiling` the highest that harm has left, `standing`
    the gravest of the events that count for good. `trial` is how it stands unless the visit shows a response.
    """

    phase: Phase
    level: Level | None
    on_ladder: bool
    ceiling: Level | None
    ongoing: Safety
    timing: Timing
    trial: TherapeuticTrial


@frozen(cache_hash=True)
class AbstractVisit:
    """What a visit shows: the response, safety, whether clearance lowers the ceiling, and whether it leaves a mark.

    A danger leaves a mark when it counts for good, or when it is a harm that lowers the ceiling for good.
    """

    response: Response
    safety: Safety
    lowered: bool = False
    mark: bool = False


_DANGER = (Safety.STOP, Safety.INTERRUPT)
# Before a start only a judgement can show partial or worse: what a score alone can show comes first.
_PLAIN_FIRST = (
    Response.NONE,
    Response.PARTIAL,
    Response.COMPLETE,
    Response.WORSE,
    Response.NOT_ASSESSED,
)
ABSTRACT_VISITS = tuple(
    AbstractVisit(response, safety, lowered, mark)
    for response, safety, lowered in product(_PLAIN_FIRST, reversed(Safety), (False, True))
    for mark in ((False, True) if safety in _DANGER else (False,))
)
"""All that a visit can show, what is plain and well before what is not."""


@frozen
class AbstractDecision:
    """What the table says in a place to what a visit shows."""

    place: "AbstractState"
    showing: AbstractVisit
    match: MatchedRule
    ceiling: Level | None
    level: Level | None
    phase_after: Phase

    @property
    def action(self) -> Action:
        """The action of the row."""
        return self.match.rule.action


def decide(protocol: Protocol, place: AbstractState, showing: AbstractVisit) -> AbstractDecision:
    """Give what the table says in a place to what a visit shows; numbers and dates are out of sight here."""
    ceiling = (
        lower_of(place.ceiling, protocol.safety.clearance_ceiling.value)
        if showing.lowered
        else place.ceiling
    )
    position, trial = Position.NONE, place.trial
    if place.phase in TREATED and place.level is not None:
        position = position_of(place.phase, place.level, place.on_ladder, ceiling)
        if showing.response in GAIN:
            trial = TherapeuticTrial.RUNNING
    match = protocol.table.match(
        place.phase, showing.response, showing.safety, place.timing, trial, position
    )
    level = level_after(protocol.ladder, match, place.level, ceiling)
    return AbstractDecision(
        place, showing, match, ceiling, level, phase_after_advice(match, place.level, level)
    )


@frozen(eq=False)
class Witness:
    """A place on a certain day, after certain visits; `seen` is a visit on that day that shows nothing."""

    place: AbstractState
    seen: Observation
    before: "Witness | None" = None
    visit_before: Visit | None = None

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits that lead here."""
        if self.before is None or self.visit_before is None:
            return ()
        return (*self.before.visits, self.visit_before)


def abstract(
    seen: Observation, before: Witness | None = None, visit_before: Visit | None = None
) -> Witness:
    """Give the place of a patient who is met at a visit that shows nothing yet."""
    dose, facts = seen.treatment.dose, seen.facts
    place = AbstractState(
        seen.phase,
        dose.level if dose and seen.phase in TREATED else None,
        dose is None or seen.phase not in TREATED or dose.off_ladder is None,
        seen.before.ceiling,
        worst_for_good(seen),
        facts.timing,
        facts.trial,
    )
    return Witness(place, seen, before, visit_before)


def worst_for_good(seen: Observation) -> Safety:
    """Give the gravest of the events on record that count for good."""
    found = Safety.ACCEPTABLE
    for each in seen.findings.ongoing:
        if each.criterion.lasts is Lasts.FOR_GOOD:
            found = worse_of(found, each.criterion.safety)
    return found


def course_of(witness: Witness, *last: Visit) -> Course:
    """Give the course of visits that leads to a meeting, and what is shown there and after it."""
    return Course((*witness.visits, *last), PATIENT, witness.seen.protocol.id)
