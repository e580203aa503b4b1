"""Missing data: the actions that are still possible, and the one fact to obtain first.

A missing fact is completed in every way it can be, and the known facts are kept. So the set of
actions is exact: each follows from some completion, and no other does.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from lenadose.engine.observe import (
    MissingField,
    Observation,
    ceiling_of,
    hypothetical,
    limits_met,
    safety_of,
    worse_of,
)
from lenadose.engine.state import Findings
from lenadose.record.visit import ACTIVITY
from lenadose.terms.dosage import lower_of
from lenadose.terms.facts import (
    Action,
    Response,
    Safety,
)

# A completion of a missing fact: the safety and response that it shows, and whether it lowers the
# ceiling.
Finding = tuple[Safety, bool, Response | None]

ORDER = (
    "adverse_events",
    "pregnancy_tests",
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "clasi_activity",
)
"""Where several facts are equally worth obtaining, the first of these."""

_COUNT = (Safety.INTERRUPT, Safety.CAUTION, Safety.ACCEPTABLE)
SAFETY_FINDINGS: Mapping[str, tuple[tuple[Safety, bool], ...]] = MappingProxyType(
    {
        "adverse_events": tuple((safety, False) for safety in (Safety.STOP, *_COUNT)),
        "pregnancy_tests": ((Safety.STOP, False), (Safety.ACCEPTABLE, False)),
        "neutrophils": tuple((safety, False) for safety in _COUNT),
        "platelets": tuple((safety, False) for safety in _COUNT),
        "creatinine_clearance": (
            (Safety.INTERRUPT, True),
            (Safety.ACCEPTABLE, True),
            (Safety.ACCEPTABLE, False),
        ),
    }
)
"""The completions of each safety fact: the safety, and whether the ceiling is lowered."""


def missing(seen: Observation) -> tuple[MissingField, ...]:
    """Return every field of the visit that is absent or stale, in the order in which to ask."""
    return tuple(sorted(seen.missing_fields, key=lambda gap: ORDER.index(gap.field)))


def _findings(seen: Observation, field: str) -> tuple[Finding, ...]:
    """Return the completions of a missing field, each kind once."""
    if field != "clasi_activity":
        return tuple((safety, lowers, None) for safety, lowers in SAFETY_FINDINGS[field])
    judged = seen.visit.judgement.response if seen.visit.judgement else None
    start = seen.baseline.activity if seen.baseline else None
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
    responses = {
        seen.protocol.response.of(
            seen.phase,
            activity,
            start,
            nadir,
            judged,
        )
        for activity in range(ACTIVITY[0], ACTIVITY[1] + 1)
    }
    return tuple(
        (Safety.ACCEPTABLE, False, response) for response in Response if response in responses
    )


def combined(kinds: Iterable[tuple[Finding, ...]]) -> set[Finding]:
    """Return the joint completions of several missing fields, each kind once."""
    together: set[Finding] = {(Safety.ACCEPTABLE, False, None)}
    for findings in kinds:
        together = {
            (worse_of(safety, found), lowers or lowered, response or skin)
            for safety, lowers, response in together
            for found, lowered, skin in findings
        }
    return together


def _actions(seen: Observation, completions: Iterable[Finding]) -> frozenset[Action]:
    """Return the actions that follow from the completions; known facts are kept."""
    protocol = seen.protocol
    absent = {gap.field for gap in seen.missing_fields}
    # A stale value no longer counts, and a new list of events replaces the last one.
    known = Findings(
        None if "neutrophils" in absent else seen.findings.neutrophils,
        None if "platelets" in absent else seen.findings.platelets,
        None if "creatinine_clearance" in absent else seen.findings.creatinine_clearance,
        ongoing=tuple(
            each
            for each in seen.findings.ongoing
            if each.event is None or "adverse_events" not in absent
        ),
    )
    met = limits_met(protocol.safety, known)
    certain = safety_of(met, known.ongoing, unknown=False)
    ceiling = ceiling_of(protocol.safety, seen.before.ceiling, met)
    actions = set()
    for safety, lowers, response in completions:
        limit = protocol.safety.clearance_ceiling.value
        match = hypothetical(
            seen,
            response or seen.facts.response,
            worse_of(certain, safety),
            lower_of(ceiling, limit) if lowers else ceiling,
        )
        actions.add(match.rule.action)
    return frozenset(actions)


def possible_actions(seen: Observation) -> frozenset[Action]:
    """Return exactly the actions that some completion leads to; one when all is known."""
    if not seen.missing_fields:
        return frozenset({seen.match.rule.action})
    return _actions(seen, combined(_findings(seen, gap.field) for gap in seen.missing_fields))


def obtain_first(seen: Observation) -> str | None:
    """Return the missing field that narrows the possible actions most, or None.

    It is the one that leaves the fewest actions in its least helpful case; of several, the first in
    `ORDER`. None where nothing that is missing can change the action.
    """
    if not seen.missing_fields:
        return None
    findings = {gap.field: _findings(seen, gap.field) for gap in missing(seen)}
    if len(_actions(seen, combined(findings.values()))) == 1:
        return None

    def left(field: str) -> int:
        others = [found for name, found in findings.items() if name != field]
        return max(
            len(_actions(seen, combined([*others, (finding,)]))) for finding in findings[field]
        )

    return min(findings, key=left)
