"""How far a change may go: the range of values that lead to the same action."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from attrs import evolve, frozen

from lenadose.engine.machine import recommend
from lenadose.engine.observe import Observation, observe
from lenadose.explanation.alternatives import Alternative, Change
from lenadose.explanation.options import HORIZON, FieldValue, Options
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import doses_between
from lenadose.record.fields import YEARS
from lenadose.record.measurement import Measurement, measured_in
from lenadose.record.visit import ACTIVITY
from lenadose.terms.errors import CallError
from lenadose.terms.units import QUANTITIES


@frozen
class ValueRange:
    """The values around a changed one that lead to the same action with the other changes.

    `least` and `most` belong to it, None is unbounded. The `most` of a result is a limit that the
    result stays below.
    """

    least: date | int | Decimal | None
    most: date | int | Decimal | None


def value_range(alternative: Alternative, change: Change) -> ValueRange | None:
    """Return the values around a changed one that keep the action; None for unordered values."""
    seen = alternative.seen
    assert seen is not None
    protocol, visit, value = seen.protocol, seen.visit, change.after

    def leads_there(other: FieldValue) -> bool:
        try:
            changed_visit = evolve(visit, **{change.field: other})  # type: ignore[arg-type]  # a field by name
            again = observe(protocol, seen.before, changed_visit)
        except CallError:
            return False
        return again.match.rule.action is alternative.action

    if isinstance(value, Measurement):
        return _band(protocol, change.field, value, leads_there)
    if isinstance(value, int):
        return ValueRange(*_run(value, *_range(seen, change.field), leads_there))
    if isinstance(value, date):
        last = seen.before.previous
        results = chain.from_iterable(map(visit.results, QUANTITIES))
        dated = [result.given.date for result in results if result.given.date]
        dated += [test.date for test in visit.pregnancy_tests or () if test.date]
        earliest = max([value - HORIZON, *dated, *([last.on + timedelta(days=1)] if last else [])])
        latest = min(value + HORIZON, date(YEARS[1], 12, 31))
        # Between two turning days, which come with the days beside them, all days do the same.
        turning = Options(recommend(seen)).turning_days(seen) | {earliest, value, latest}
        days = sorted(day for day in turning if earliest <= day <= latest)
        first, final = _run(
            days.index(value), 0, len(days) - 1, lambda index: leads_there(days[index])
        )
        return ValueRange(
            None if first is None else days[first], None if final is None else days[final]
        )
    return None


def _run(
    value: int, least: int, most: int, leads_there: Callable[[int], bool]
) -> tuple[int | None, int | None]:
    """Return the first and the last value of the run around one, None for an end of the range."""
    first, last = value, value
    while first > least and leads_there(first - 1):
        first -= 1
    while last < most and leads_there(last + 1):
        last += 1
    return (None if first == least else first), (None if last == most else last)


def _range(seen: Observation, name: str) -> tuple[int, int]:
    if name == "clasi_activity":
        return ACTIVITY
    last, taken = seen.before.previous, seen.visit.dosage_taken
    advised = last.advised.dosage if last and last.advised else None
    return 0, doses_between(
        last.on, seen.visit.date, (taken.dosage if taken else None) or advised
    ) if last else 0


def _band(
    protocol: Protocol, name: str, value: Measurement, leads_there: Callable[[Measurement], bool]
) -> ValueRange:
    """Return the limits of the results that keep the action; between two limits all do the same."""
    quantity = QUANTITIES[name]
    amount = quantity.amount(value.value, value.unit)
    limits = sorted({Decimal(0), *protocol.safety.limits_of(name)})
    place = max(index for index, limit in enumerate(limits) if limit <= amount)
    first, last = _run(
        place,
        0,
        len(limits) - 1,
        lambda index: leads_there(measured_in(quantity, limits[index], value.unit)),
    )
    return ValueRange(
        None if first is None else limits[first], None if last is None else limits[last + 1]
    )
