"""Which result counts, and what a bound means among the limits of a protocol."""

from collections.abc import Iterable
from decimal import Decimal

from attrs import evolve

from lenadose.protocol.safety import Limit
from lenadose.record.measurement import Comparator, Measurement, Result
from lenadose.record.visit import Visit
from lenadose.terms.errors import CallError, Fault
from lenadose.terms.facts import Safety
from lenadose.terms.units import PRINTED, QUANTITIES


def newest_result(
    limits: Iterable[Limit], known: Result | None, visit: Visit, quantity: str
) -> Result | None:
    """Return the newest of the result known before and those of a visit; of one day the lower.

    Where the visit says that a result cannot be read, the one known before counts only if it is a
    danger. Raises CallError for a bound that leaves open which fact it shows.
    """
    of_quantity = [limit for limit in limits if limit.quantity == quantity]
    if known and visit.is_unreadable(quantity):
        known = known if _is_danger(of_quantity, known) else None
    results = visit.results(quantity)
    if not results:
        return known
    last = max((result.on for result in (*results, *((known,) if known else ()))), default=None)
    newest = known if known and known.on == last else None
    is_list = not isinstance(getattr(visit, quantity), Measurement)
    for index, result in enumerate(results):
        if result.on == last:
            place = f"{quantity}[{index}]" if is_list else quantity
            newest = newer(newest, bound_as_amount(of_quantity, result, place))
    return newest


def newer(old: Result | None, new: Result | None) -> Result | None:
    """Return the newer of two results; of two on the same day the lower one counts."""
    if old is None or new is None:
        return new or old
    if new.on < old.on or (new.on == old.on and new.amount >= old.amount):
        return old
    return new


def lowest_amount(result: Result) -> Decimal:
    """Return the lowest amount that a result allows: 0 for a bound from above."""
    return Decimal(0) if _is_from_above(result) else result.amount


def bound_as_amount(limits: Iterable[Limit], result: Result, place: str) -> Result:
    """Return a bound as the lowest amount that it allows; another result as it is.

    That amount lies on the side of every limit on which the bound is known to lie; of a bound that
    proves an interruption what is open about lower limits counts as passed. Raises CallError for a
    bound that leaves a limit between two facts open.
    """
    if result.given.comparator is None:
        return result
    deciding = [limit for limit in limits if limit.shows is not None]
    is_open = {limit.id: _leaves_open(result, limit.below.value) for limit in deciding}
    proves_interruption = _is_from_above(result) and any(
        limit.shows is Safety.INTERRUPT and limit.below.value > 0 and not is_open[limit.id]
        for limit in deciding
    )
    left_open = [limit for limit in deciding if is_open[limit.id]]
    if left_open and not proves_interruption:
        unit = PRINTED[QUANTITIES[left_open[0].quantity].unit]
        names = " and ".join(f"{limit.below.value} {unit} ({limit.words})" for limit in left_open)
        reason = f"{result.given} leaves open on which side of {names} it lies"
        raise CallError((Fault(place, reason, "give the value, or measure again"),))
    return evolve(result, amount=lowest_amount(result))


def _is_danger(limits: Iterable[Limit], result: Result) -> bool:
    return any(
        limit.shows is Safety.INTERRUPT and limit.is_met(lowest_amount(result)) for limit in limits
    )


def _is_from_above(result: Result) -> bool:
    return result.given.comparator in (Comparator.BELOW, Comparator.AT_MOST)


def _leaves_open(result: Result, limit: Decimal) -> bool:
    """Return whether a bound allows amounts both below a limit and not below it."""
    match result.given.comparator:
        case Comparator.BELOW:
            return 0 < limit < result.amount
        case Comparator.AT_MOST:
            return 0 < limit <= result.amount
        case _:
            return limit > result.amount
