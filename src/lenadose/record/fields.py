"""How the fields of a record are checked."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from attrs import Attribute, frozen

from lenadose.terms.errors import DIGITS, PRINTABLE, CallError, describe, fault
from lenadose.terms.facts import W
from lenadose.terms.validation import Validated

Check = Callable[[Any, "Attribute[Any]", Any], None]
YEARS = (1900, 2199)


def decimal(value: object, place: str = "") -> Decimal:
    """Read a number exactly as it is written.

    Raises CallError for what is not a finite number, and for one that other programs would change: a number is
    written back unchanged, so it must be the same as a float.
    """
    fix = f"write it with at most {DIGITS} digits"
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**DIGITS:
            raise fault(place, f"a whole number of more than {DIGITS} digits", fix)
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise fault(place, f"{describe(value)} is not a number", "give a number")
    if not value.is_finite():
        raise fault(
            place, f"{value} is not a finite number", "give a number, or leave the entry out"
        )
    if value and (abs(value.adjusted()) > DIGITS or Decimal(repr(float(value))) != value):
        raise fault(place, f"{describe(value)} is not the same number in other programs", fix)
    return value


def _value(given: Decimal | float) -> Decimal:
    return decimal(given, "value")


def _amount(given: Decimal | float) -> Decimal:
    return decimal(given, "mg")


def one_of(kind: type[W], given: object) -> W | None:
    """Give the word of a list that is said so, or None."""
    return next(
        (
            word
            for word in kind
            if given is word or (isinstance(given, str) and given == word.label)
        ),
        None,
    )


def _range(what: str, least: object, most: object) -> str:
    return f"{what} from {least} to {most}"


def _required(kind: type, said: str) -> Check:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        # A datetime is a date and a bool an int to Python, but not to a reader of the record.
        if not isinstance(value, kind) or (
            isinstance(value, bool | dt.datetime) and kind is not bool
        ):
            raise fault(attribute.name, f"{describe(value)} is not {said}", f"give {said}")

    return check


def _optional(check: Check) -> Check:
    def unless_missing(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None:
            check(instance, attribute, value)

    return unless_missing


def _is(kind: type, said: str) -> Check:
    return _optional(_required(kind, said))


def _whole(least: int, most: int, what: str) -> Check:
    fix = f"give {_range(f'{what}, a whole number', least, most)}"

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise fault(attribute.name, f"{describe(value)} is not a whole number", fix)
        if not least <= value <= most:
            raise fault(attribute.name, f"{describe(value)} is outside its range", fix)

    return _optional(check)


def _many(kind: type, said: str) -> Check:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, tuple):
            raise fault(
                attribute.name,
                f"{describe(value)} is not a tuple",
                "give a tuple, empty if there were none",
            )
        for index, each in enumerate(value):
            if not isinstance(each, kind):
                raise fault(
                    f"{attribute.name}[{index}]", f"{describe(each)} is not {said}", f"give {said}"
                )

    return _optional(check)


def _text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, str):
        raise fault(
            attribute.name, f"{describe(value)} is not a text", "give a text, between quotes"
        )
    if not PRINTABLE.match(value):
        raise fault(
            attribute.name,
            f"{describe(value)} holds a character that cannot be shown",
            "take it out",
        )


def _words(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    _text(instance, attribute, value)
    if not str(value).strip():
        raise fault(attribute.name, "is empty", "write it in words, or leave the whole entry out")


def _day(instance: object, attribute: "Attribute[Any]", value: dt.date) -> None:
    _required(dt.date, "a date")(instance, attribute, value)
    if not YEARS[0] <= value.year <= YEARS[1]:
        raise fault(
            attribute.name, f"{value} is no date of a record", _range("give a year", *YEARS)
        )


@frozen
class RecordPart(Validated):
    """A part of a record: what is unknown is left out of it, and its faults are the caller's."""

    error = CallError


def _each(entries: object) -> Iterator[tuple[int, object]]:
    """Give the entries of a list with their places; a reader may know only some, or parts of them."""
    return enumerate(entries if isinstance(entries, tuple) else ())
