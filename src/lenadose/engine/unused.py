"""Results and events of a visit that change nothing: the older ones and the slight ones."""

from collections.abc import Container
from datetime import date
from decimal import Decimal

from attrs import frozen

from lenadose.engine.bounds import lowest_amount
from lenadose.engine.observe import Observation
from lenadose.protocol.safety import Lasts, Limit, SafetyCriteria
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.event_terms import PREGNANCY
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
    """Return the results of a visit that do not count, in the order in which they were given.

    The one that counts may have been given before: in another unit it is still the same.
    """
    unused = []
    for quantity in QUANTITIES:
        used = seen.findings.result(quantity)
        for result in seen.visit.results(quantity):
            if used is not None and _as_read(result, quantity) != _as_read(used, quantity):
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


def _as_read(result: Result, quantity: str) -> tuple[date, Decimal | str]:
    return result.on, result.value_in(QUANTITIES[quantity])


def unused_events(seen: Observation) -> tuple[AdverseEvent, ...]:
    """Return the events of a visit that no criterion meets, and resolved ones that end nothing.

    They are recorded and printed; they change no fact.
    """
    baseline = seen.baseline
    neuropathy = baseline.neuropathy if baseline else None
    awaited = {
        event.name
        for event in seen.before.findings.ongoing
        if event.criterion.lasts is Lasts.RESOLVED
    }
    return tuple(
        event
        for event in seen.visit.adverse_events or ()
        if is_unused(seen.protocol.safety, event, awaited, neuropathy)
    )


def is_unused(
    safety: SafetyCriteria,
    event: AdverseEvent,
    awaited: Container[str],
    neuropathy_at_start: int | None,
) -> bool:
    """Return whether an event changes nothing; *awaited* are those that count until resolved."""
    if event.resolved:
        # The end of a pregnancy also ends what tests from before it say, if reported later.
        return event.name not in awaited and event.name != PREGNANCY
    return not any(criterion.applies(event, neuropathy_at_start) for criterion in safety.events)
