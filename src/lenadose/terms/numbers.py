"""Numbers as they may be given, read exactly as they are written."""

import re
from decimal import Decimal
from numbers import Integral, Real
from typing import SupportsFloat

from lenadose.terms.errors import DIGITS, describe, fault

Number = SupportsFloat
"""A number as it may be given: Python's own, a Decimal, or one of numpy."""


_AS_PRINTED = ("{:.15e}", "{:.16e}")
"""How programs print a float that do not look for its shortest digits: with 16 or 17."""


def plain(value: object) -> object:
    """Return a number or a truth value of another library as Python's own; all else as it is."""
    if isinstance(value, bool | int | Decimal) or type(value) is float:
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        # A number of single precision is its own shortest digits, not those of the double.
        try:
            return Decimal(str(value))
        except ArithmeticError:
            return value
    # A truth value of numpy is no bool, and is known without importing numpy by its item.
    item = getattr(value, "item", None)
    return plain(item()) if callable(item) and getattr(value, "shape", None) == () else value


def decimal(value: object, place: str = "") -> Decimal:
    """Read a number exactly as it is written.

    A number is written back as the same number, so it must be the same as a float: its shortest
    digits, or those that a program prints of it with 16 or 17 digits, are read as the shortest.
    Raises CallError for anything but a finite number, and for one that is no float.
    """
    value = plain(value)
    fix = f"write it with at most {DIGITS} digits"
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10 ** (DIGITS + 2):
            raise fault(place, f"a whole number of more than {DIGITS + 2} digits", fix)
        value = Decimal(value)
    if not isinstance(value, Decimal):
        number = isinstance(value, str) and re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", value)
        fix = "write it without quotes" if number else "give a number"
        raise fault(place, f"{describe(value)} is not a number", fix)
    if not value.is_finite():
        raise fault(
            place, f"{value} is not a finite number", "give a number, or leave the entry out"
        )
    if not value:
        return value
    if abs(value.adjusted()) <= DIGITS + 1:
        as_float = float(value)
        shortest = Decimal(repr(as_float))
        if value == shortest:
            return value
        if any(value == Decimal(printed.format(as_float)) for printed in _AS_PRINTED):
            return shortest
    raise fault(place, f"{describe(value)} is not the same number in other programs", fix)


def is_integral(value: Decimal) -> bool:
    """Return whether a number is whole, whatever precision a program has set."""
    return value == value.to_integral_value()


def whole_number(value: Number | None) -> int | None:
    """Read a whole number of any type: 11, 11.0 and those of numpy are the same."""
    number = plain(value)
    match number:
        case float() if number.is_integer():
            return int(number)
        # The digits of a huge exponent would fill the memory.
        case Decimal() if (
            number.is_finite() and number.adjusted() <= DIGITS and is_integral(number)
        ):
            return int(number)
    return number  # type: ignore[return-value]  # validated next
