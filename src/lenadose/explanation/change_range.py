"""How far a change may go: the run of values around a changed one that lead to the same action."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from attrs import evolve, frozen

from lenadose.engine.observe import Observation, observe
from lenadose.explanation.alternatives import Alternative, Change
from lenadose.explanation.options import HORIZON, FieldValue
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import doses_between
from lenadose.record.fields import YEARS
from lenadose.record.visit import ACTIVITY, Measurement
from lenadose.terms.errors import CallError
from lenadose.terms.units import QUANTITIES


@frozen
class ValueRange:
    """The run of values around a changed one that lead to the same action, the other changes made.

    `least` and `most` belong to it, and None is no bound; but for a result `most` is the limit that it is below.
    """

    least: date | int | Decimal | None
    most: date | int | Decimal | None


def span(alternative: Alternative, change: Change) -> ValueRange | None:
    """Give the run of values around a changed one for which the action stays; None for what has no order."""
    seen = alternative.seen
    assert seen is not None
    protocol, visit, value = seen.protocol, seen.visit, change.after

    def leads_there(other: FieldValue) -> bool:
        try:
            changed_visit = evolve(visit, **{change.field: other})  # type: ignore[arg-type]  # a field by its name
            again = observe(protocol, seen.before, changed_visit)
        except CallError:
            return False  # so many doses were not there to miss by then
        return again.match.rule.action is alternative.action

    if isinstance(value, Measurement):
        return _band(protocol, change.field, value, leads_there)
    if isinstance(value, int):
        return ValueRange(*_run(value, *_range(seen, change.field), leads_there))
    if isinstance(value, date):
        last = seen.before.previous
        dated = [each.on for each in visit.counted if each and each.given.date]
        dated += [each.date for each in visit.pregnancy_tests or () if each.date]
        earliest = max([value - HORIZON, *dated, *([last.on + timedelta(days=1)] if last else [])])
        first, end = earliest.toordinal(), min(value + HORIZON, date(YEARS[1], 12, 31)).toordinal()
        run = _run(value.toordinal(), first, end, lambda day: leads_there(date.fromordinal(day)))
        return ValueRange(*(None if each is None else date.fromordinal(each) for each in run))
    return None


def _run(
    value: int, least: int, most: int, leads_there: Callable[[int], bool]
) -> tuple[int | None, int | None]:
    """Give the first and the last of the run that a value stands in, None for one that goes to the end."""
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
    """Give the limits between which a result leads to the action; between two limits all results do the same."""
    factor = QUANTITIES[name].factors[value.unit]
    limits = sorted({Decimal(0), *protocol.safety.limits_of(name)})
    place = max(index for index, each in enumerate(limits) if each <= value.value * factor)
    first, last = _run(
        place,
        0,
        len(limits) - 1,
        lambda index: leads_there(Measurement(limits[index] / factor, value.unit)),
    )
    return ValueRange(
        None if first is None else limits[first], None if last is None else limits[last + 1]
    )
