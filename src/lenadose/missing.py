"""What is not known at a visit, which actions are still possible, and which one fact to obtain first.

A missing fact is completed in every way it can be; what is known is kept. So the set of actions is exact: each one
follows from some completion, and no other one does.
"""

from collections.abc import Iterable, Mapping

from .course import ACTIVITY
from .dosing import lower
from .observation import Gap, Observation, ceiling_of, graver, position_of, safety_of
from .state import Known
from .vocabulary import ON_TREATMENT, Action, Phase, Response, Safety, Trial, situation_number

_WITH_POSITION = ON_TREATMENT | {Phase.INTERRUPTED}

# What a missing fact can turn out to be: the safety it stands for, the ceiling it sets, or the response it shows.
Finding = tuple[Safety, bool, Response | None]

ORDER = ("adverse_events", "pregnancy_tests", "neutrophils", "platelets", "creatinine_clearance", "clasi_activity")
"""Where several facts are equally worth obtaining, the first of these."""

_COUNT = (Safety.INTERRUPT, Safety.CAUTION, Safety.ACCEPTABLE)
SAFETY_FINDINGS: Mapping[str, tuple[tuple[Safety, bool], ...]] = {
    "adverse_events": tuple((safety, False) for safety in (Safety.STOP, *_COUNT)),
    "pregnancy_tests": ((Safety.STOP, False), (Safety.ACCEPTABLE, False)),
    "neutrophils": tuple((safety, False) for safety in _COUNT),
    "platelets": tuple((safety, False) for safety in _COUNT),
    "creatinine_clearance": ((Safety.INTERRUPT, True), (Safety.ACCEPTABLE, True), (Safety.ACCEPTABLE, False)),
}
"""The completions of each missing safety fact: what it allows, and whether it lowers the ceiling."""


def missing(seen: Observation) -> tuple[Gap, ...]:
    """Give every field of the visit that is absent or stale, in the order in which to ask."""
    return tuple(sorted(seen.gaps, key=lambda gap: ORDER.index(gap.field)))


def _findings(seen: Observation, field: str) -> tuple[Finding, ...]:
    """Give all that a missing field can turn out to be, each kind once."""
    if field != "clasi_activity":
        return tuple((safety, lowers, None) for safety, lowers in SAFETY_FINDINGS[field])
    judged = seen.visit.judgement.response if seen.visit.judgement else None
    start = seen.start.activity if seen.start else None
    lowest = seen.lowest.activity if seen.lowest else None
    responses = {
        seen.protocol.response.of(
            seen.phase, activity, start, activity if lowest is None else min(lowest, activity), judged
        )
        for activity in range(ACTIVITY[0], ACTIVITY[1] + 1)
    }
    return tuple((Safety.ACCEPTABLE, False, response) for response in Response if response in responses)


def combined(kinds: Iterable[tuple[Finding, ...]]) -> set[Finding]:
    """Give all that several missing fields can turn out to be together, each kind once."""
    together: set[Finding] = {(Safety.ACCEPTABLE, False, None)}
    for findings in kinds:
        together = {
            (graver(safety, found), lowers or lowered, response or skin)
            for safety, lowers, response in together
            for found, lowered, skin in findings
        }
    return together


def _actions(seen: Observation, completions: Iterable[Finding]) -> frozenset[Action]:
    """Give the actions that follow from the completions of all that is missing; what is known is kept."""
    protocol, facts = seen.protocol, seen.facts
    absent = {gap.field for gap in seen.gaps}
    # A stale value no longer counts, and a new list of events takes the place of the last one.
    known = Known(
        None if "neutrophils" in absent else seen.known.neutrophils,
        None if "platelets" in absent else seen.known.platelets,
        None if "creatinine_clearance" in absent else seen.known.clearance,
        standing=tuple(each for each in seen.known.standing if each.event is None or "adverse_events" not in absent),
    )
    certain = safety_of(protocol.safety, known, unknown=False)
    ceiling = ceiling_of(protocol.safety, seen.before.ceiling, known)
    actions = set()
    for safety, lowers, skin in completions:
        response = skin or facts.response
        improved = response in (Response.COMPLETE, Response.PARTIAL)
        position = facts.position
        if seen.dose is not None and seen.phase in _WITH_POSITION:
            allowed = lower(ceiling, protocol.safety.clearance_ceiling.value) if lowers else ceiling
            position = position_of(seen.phase, seen.dose.level, seen.dose.off_ladder is None, allowed)
        number = situation_number(
            facts.phase,
            response,
            graver(certain, safety),
            facts.timing,
            Trial.RUNNING if improved else facts.trial,
            position,
        )
        actions.add(protocol.table.match(number).rule.action)
    return frozenset(actions)


def possible_actions(seen: Observation) -> frozenset[Action]:
    """Give exactly the actions that follow from some completion of what is missing; one when all is known."""
    return _actions(seen, combined(_findings(seen, gap.field) for gap in seen.gaps))


def obtain_first(seen: Observation) -> str | None:
    """Give the missing field that narrows the possible actions most, whatever it turns out to be, or None.

    The narrower field is the one that leaves the fewest actions in its least helpful case; where several are
    equally worth obtaining, the first in `ORDER`. None where nothing that is missing can change the action.
    """
    if len(possible_actions(seen)) == 1:
        return None
    findings = {gap.field: _findings(seen, gap.field) for gap in missing(seen)}

    def left(field: str) -> int:
        others = [found for name, found in findings.items() if name != field]
        return max(len(_actions(seen, combined([*others, (finding,)]))) for finding in findings[field])

    return min(findings, key=left)
