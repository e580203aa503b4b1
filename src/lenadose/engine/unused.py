"""Results and events of a visit that change nothing: the older ones and the slight ones."""

from attrs import frozen

from lenadose.engine.bounds import lowest_amount
from lenadose.engine.observe import Observation
from lenadose.protocol.safety import Limit
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.measurement import Result
from lenadose.terms.facts import Safety
from lenadose.terms.units import QUANTITIES


@frozen
class UnusedResult:
    """A result that was reported and not used, beside the newer or lower one that counts.

    `dangers` are the limits of an interruption or a same-day assessment that it is below.
    """

    quantity: str
    result: Result
    used: Result
    dangers: tuple[Limit, ...]


def unused_results(seen: Observation) -> tuple[UnusedResult, ...]:
    """Return the results of a visit that do not count, in the order in which they were given."""
    unused = []
    for quantity in QUANTITIES:
        used = seen.findings.result(quantity)
        for result in seen.visit.results(quantity):
            if used is not None and (result.on, result.given) != (used.on, used.given):
                amount = lowest_amount(result)
                dangers = tuple(
                    limit
                    for limit in seen.protocol.safety.limits
                    if limit.quantity == quantity
                    and (limit.same_day or limit.shows is Safety.INTERRUPT)
                    and limit.is_met(amount)
                )
                unused.append(UnusedResult(quantity, result, used, dangers))
    return tuple(unused)


def unused_events(seen: Observation) -> tuple[AdverseEvent, ...]:
    """Return the events of a visit that no criterion meets, and resolved ones that did not count.

    They are recorded and printed; they change no fact.
    """
    baseline, before = seen.baseline, {event.name for event in seen.before.findings.ongoing}
    neuropathy = baseline.neuropathy if baseline else None
    return tuple(
        event
        for event in seen.visit.adverse_events or ()
        if (
            event.name not in before
            if event.resolved
            else not any(
                criterion.applies(event, neuropathy) for criterion in seen.protocol.safety.events
            )
        )
    )
