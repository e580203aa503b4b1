"""The outlook after a decision: the advice at the next visit, for each response it can show.

It is decided by the protocol's own table on the state after the decision, with safety acceptable
and the drug taken as advised.
"""

from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType

from attrs import evolve, frozen

from lenadose.engine.machine import Decision, apply, recommend
from lenadose.engine.observe import Observation, hypothetical, limits_met, observe
from lenadose.explanation.calculations import in_days, printed_date
from lenadose.explanation.headlines import brief
from lenadose.protocol.safety import Lasts
from lenadose.record.visit import ACTIVITY, Visit
from lenadose.terms.dosage import Level
from lenadose.terms.facts import Action, Phase, Response, Safety
from lenadose.terms.units import PRINTED, QUANTITIES


@frozen
class NextStep:
    """The advice at the next visit, in brief, for some responses; none are named where all do."""

    responses: tuple[Response, ...]
    advice: str


def next_steps(decision: Decision) -> tuple[NextStep, ...]:
    """Return the advice when the next visit is due, grouped by what it advises.

    Empty where no further visit is planned, and where the question of this one comes first.
    """
    due = decision.next_visit.due if decision.next_visit else None
    if due is None or decision.action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES):
        return ()
    missed = 0 if decision.level else None
    seen = observe(decision.protocol, apply(decision), Visit(due, doses_missed=missed))
    steps: dict[tuple[Action, Level | None], tuple[str, list[Response]]] = {}
    responses = _possible_responses(seen)
    for response in responses:
        match = hypothetical(seen, response, Safety.ACCEPTABLE, seen.ceiling)
        after = recommend(evolve(seen, match=match))
        words, given = steps.setdefault((after.action, after.level), (brief(after), []))
        given.append(response)
    if len(steps) == 1:
        return (NextStep((), words),)
    return tuple(NextStep(tuple(given), words) for words, given in steps.values())


def _possible_responses(seen: Observation) -> tuple[Response, ...]:
    """Return the responses that some score shows at a visit."""
    criteria, start = seen.protocol.response, seen.baseline
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
    shown = {
        criteria.of(seen.phase, score, start.activity if start else None, nadir, None)
        for score in range(ACTIVITY[0], ACTIVITY[1] + 1)
    }
    return tuple(response for response in Response if response in shown)


_SUSPICIONS = MappingProxyType(
    {
        "suspected thromboembolism": "thromboembolism",
        "missed period": "pregnancy",
        "abnormal vaginal bleeding": "pregnancy",
    }
)
"""The suspicion behind each reported term: "resolved" means that it is excluded."""


def ends_of_danger(decision: Decision) -> tuple[str, ...]:
    """Return what ends the dangers of an interruption: "neutrophils are 1.0 × 10⁹/L or more"."""
    return tuple(dict.fromkeys(_ends(decision.seen)))


def _ends(seen: Observation) -> Iterator[str]:
    for limit in limits_met(seen.protocol.safety, seen.findings):
        if limit.shows is Safety.INTERRUPT:
            name = limit.quantity.replace("_", " ")
            verb = "is" if name.endswith("clearance") else "are"
            unit = PRINTED[QUANTITIES[limit.quantity].unit]
            yield f"{name} {verb} {limit.below.value} {unit} or more"
    for ongoing in seen.findings.ongoing:
        if ongoing.criterion.safety is Safety.INTERRUPT:
            if ongoing.criterion.lasts is not Lasts.RESOLVED:
                yield f"{ongoing.name} is no longer reported"
            elif ongoing.name in _SUSPICIONS:
                yield f"{_SUSPICIONS[ongoing.name]} is excluded (recorded as resolved)"
            else:
                yield f"{ongoing.name} is reported resolved"


def last_day_to_resume(decision: Decision) -> str | None:
    """Return until when an interruption may simply be resumed, and who decides after it."""
    since = apply(decision).treatment.interrupted_on
    if decision.phase_after is not Phase.INTERRUPTED or since is None:
        return None
    last = decision.protocol.intervals.resumable.value.after(since)
    day = max(last, decision.visit.date) + timedelta(days=1)
    seen = observe(decision.protocol, apply(decision), Visit(day))
    responses = {
        hypothetical(seen, response, Safety.ACCEPTABLE, seen.ceiling).rule.action
        for response in _possible_responses(seen)
    }
    if responses != {Action.PRESCRIBER_DECIDES}:
        return None
    return f"after {printed_date(last)} ({in_days((last - since).days)}) the prescriber decides"
