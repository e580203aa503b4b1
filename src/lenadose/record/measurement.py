"""A measured value, its unit and the day it was taken; refused where no patient has it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen
from attrs.validators import optional

from lenadose.record.fields import (
    RecordPart,
    day_or_none,
    explains_calls,
    is_day,
    is_term,
    is_text,
    measured_value,
    one_of,
)
from lenadose.terms.dosage import format_decimal
from lenadose.terms.errors import CallError, Fault, LenadoseError, describe
from lenadose.terms.facts import Term
from lenadose.terms.numbers import is_integral, plain
from lenadose.terms.units import (
    CREATININE_CLEARANCE,
    PER_MICROLITRE,
    PRINTED,
    Quantity,
    is_per_body_surface,
    two_meanings,
    ucum,
)


class Comparator(Term):
    """How a result that is only a bound compares with the value that is given."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


def _comparator(value: Comparator | str | None) -> Comparator | None:
    return one_of(Comparator, value) or value  # type: ignore[return-value]  # validated next


@explains_calls
@frozen
class Measurement(RecordPart):
    """A measured value in its unit; without a date it was taken at the visit.

    With a `comparator` (<, <=, >, >=) the value is a bound, as laboratories print it: < 0.5.
    """

    noun = "a measurement"
    example = 'Measurement(3.2, "10*9/L")'

    value: Decimal = field(converter=measured_value)
    unit: str = field(validator=is_text)
    date: dt.date | None = field(default=None, converter=day_or_none, validator=optional(is_day))
    comparator: Comparator | None = field(
        default=None, converter=_comparator, validator=optional(is_term(Comparator))
    )

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a bound that no value is below."""
        if self.comparator is Comparator.BELOW and self.value <= 0:
            yield Fault("value", "no value is below it", "give the value as it was reported")

    def __str__(self) -> str:
        bound = f"{self.comparator.label} " if self.comparator else ""
        return f"{bound}{format_decimal(self.value)} {PRINTED.get(self.unit, self.unit)}"


@frozen
class Result:
    """A measured value as it counts: in the unit used inside, on its day, with the measurement.

    The `amount` of a bound is the bound itself, until the limits of a protocol tell what it means:
    then it is the lowest amount that the bound allows.
    """

    amount: Decimal
    on: dt.date
    given: Measurement

    def value_in(self, quantity: Quantity) -> Decimal | str:
        """Return the value in the unit used inside, as it is printed: "< 0.5" for a bound."""
        comparator = self.given.comparator
        if comparator is None:
            return self.amount
        bound = quantity.amount(self.given.value, self.given.unit)
        return f"{comparator.label} {format_decimal(bound)}"


Given = Measurement | Sequence[object]
"""A result as it may be given: a measurement, (3.2, "10*9/L"), or a list of either."""


def measured(value: Given | None) -> Measurement | tuple[Measurement, ...] | None:
    """Read a result, or a list of results; a value with its unit is a measurement."""
    if not isinstance(value, list | tuple):
        return value  # type: ignore[return-value]  # validated next
    try:
        if _is_pair(value):
            return Measurement(*value)
        return tuple(
            Measurement(*part) if isinstance(part, list | tuple) and _is_pair(part) else part
            for part in value
        )
    except LenadoseError:
        return tuple(value)


def _is_pair(value: Sequence[object]) -> bool:
    return 2 <= len(value) <= 4 and isinstance(value[1], str)


@frozen
class IsMeasured:
    """A validator of results: each in an accepted unit, with a value that some patient has."""

    quantity: Quantity

    def __call__(self, instance: object, attribute: "Attribute[Any]", value: Any) -> None:
        """Check a result or a list of results; raise CallError with every fault."""
        faults: list[Fault] = []
        name = attribute.name
        if isinstance(value, tuple) and any(
            isinstance(part, Measurement | list | tuple) for part in value
        ):
            for index, part in enumerate(value):
                faults += (fault.within(f"{name}[{index}]") for fault in self._faults(part))
        else:
            faults += (fault.within(name) for fault in self._faults(value))
        if faults:
            raise CallError(faults)

    def _faults(self, value: Any) -> Iterable[Fault]:
        if isinstance(value, list | tuple) and _is_pair(value):
            # It could not be read as a measurement: say why.
            try:
                value = Measurement(*value)
            except LenadoseError as error:
                return error.faults
        if isinstance(value, Measurement):
            return _measured_faults(self.quantity, value)
        if isinstance(value, tuple) and not value:
            return ()
        accepted = " or ".join(self.quantity.factors)
        example = f'(3.2, "{self.quantity.unit}")'
        if isinstance(plain(value), int | float | Decimal) and not isinstance(value, bool):
            reason = f"a bare number, {describe(plain(value))}"
            fix = f"give the unit with it, {accepted}, as in {example}"
            return (Fault("", reason, fix),)
        if isinstance(value, tuple) and one_of(Comparator, value[0]):
            fix = f'give it as Measurement(0.5, "{self.quantity.unit}", comparator="<")'
            return (Fault("", "a bound begins with its value", fix),)
        reason = f"{describe(value)} is not a value with its unit"
        if isinstance(value, tuple):
            reason = "holds no value with its unit"
        return (Fault("", reason, f"give it as {example}"),)


def _measured_faults(quantity: Quantity, measured: Measurement) -> Iterator[Fault]:
    """Yield a fault for a unit that is not accepted, and for a value that no patient has."""
    value, unit = measured.value, measured.unit
    accepted = " or ".join(quantity.factors)
    is_accepted = quantity.factor(unit) is not None
    if value < 0:
        yield Fault("", f"{value} is negative", "give the value as it was reported")
    if not is_accepted:
        reason, fix = f"{describe(unit)} is not a unit accepted here", f"give {accepted}"
        if meanings := two_meanings(unit):
            reason = f"{describe(unit)} could mean {' or '.join(meanings)}"
        elif is_per_body_surface(unit) and quantity is CREATININE_CLEARANCE:
            reason = f"{describe(unit)} is a rate per body surface, another quantity"
            fix = f"give the clearance after Cockcroft and Gault, in {accepted}"
        yield Fault("", reason, fix)
    elif quantity.amount(value, unit) > quantity.largest:
        per_microlitre = PER_MICROLITRE in quantity.factors and quantity.factor(unit) == 1
        hint = f'; a count per µL has the unit "{PER_MICROLITRE}"' if per_microlitre else ""
        limit = f"{quantity.largest} {PRINTED[quantity.unit]}"
        reason = f"no patient has {measured} (at most {limit})"
        yield Fault("", reason, f"check the value and its unit{hint}")
    elif ucum(unit) == PER_MICROLITRE and not is_integral(value):
        reason = f"{measured} is a count per µL with a fraction"
        yield Fault("", reason, "did you mean 10*3/uL?")


def measured_in(quantity: Quantity, amount: Decimal, unit: str) -> Measurement:
    """Return an amount in a unit, or in the quantity's own where it would be a fraction per µL."""
    factor = quantity.factor(unit)
    if factor is None or (ucum(unit) == PER_MICROLITRE and not is_integral(amount / factor)):
        return Measurement(amount, quantity.unit)
    return Measurement(amount / factor, unit)
