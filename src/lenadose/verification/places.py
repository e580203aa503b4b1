"""The finite abstraction of a patient: states, visits and decisions without numbers and dates."""

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
"""The patient of every course made here; only the pregnancy tests asked for depend on it."""


@frozen(cache_hash=True)
class AbstractState:
    """Where a patient stands when the next visit begins.

    `level` is the one held (in an interruption the one before), `ceiling` the highest that harm has
    left, `standing` the gravest of the events that count for good. `trial` is how it stands unless
    the visit shows a response.
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
    """The finite content of a visit: response, safety, a lowered ceiling, a lasting mark.

    A danger leaves a mark when it counts for good, or when it is a harm that lowers the ceiling for
    good.
    """

    response: Response
    safety: Safety
    lowered: bool = False
    mark: bool = False


_DANGER = (Safety.STOP, Safety.INTERRUPT)
# Before a start only a judgement can show partial or worse: what a score alone can show comes
# first.
_PLAIN_FIRST = (
    Response.NONE,
    Response.PARTIAL,
    Response.COMPLETE,
    Response.MILD,
    Response.WORSE,
    Response.NOT_ASSESSED,
)
ABSTRACT_VISITS = tuple(
    AbstractVisit(response, safety, lowered, mark)
    for response, safety, lowered in product(_PLAIN_FIRST, reversed(Safety), (False, True))
    for mark in ((False, True) if safety in _DANGER else (False,))
)
"""Every abstract visit, the plain and well ones first."""


@frozen
class AbstractDecision:
    """The decision of the table on an abstract visit in a state."""

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
    """Return the decision of the table, without any number or date."""
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
    """A state on a day after certain visits; `seen` is a visit on that day that shows nothing."""

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
    """Return the abstract state of a patient at a visit that shows nothing yet."""
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
    """Return the worst safety of the events on record that count for good."""
    worst = Safety.ACCEPTABLE
    for event in seen.findings.ongoing:
        if event.criterion.lasts is Lasts.FOR_GOOD:
            worst = worse_of(worst, event.criterion.safety)
    return worst


def course_of(witness: Witness, *last: Visit) -> Course:
    """Return the course of visits that leads to a witness, with the visits after it."""
    return Course((*witness.visits, *last), PATIENT, witness.seen.protocol.id)
