"""Checks of the fields of a record."""

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Any

from attrs import Attribute, frozen
from attrs.validators import and_, instance_of, matches_re, not_, optional

from lenadose.terms.errors import DIGITS, TEXT, CallError, describe, fault
from lenadose.terms.facts import Term, W
from lenadose.terms.validation import Check, Validated, Validator, members

YEARS = (1900, 2199)


def decimal(value: object, place: str = "") -> Decimal:
    """Read a number exactly as it is written.

    Raises CallError for anything but a finite number, and for one that other programs would change:
    a number is written back unchanged, so it must be the same as a float.
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


def measured_value(value: Decimal | float) -> Decimal:
    """Read the value of a measurement."""
    return decimal(value, "value")


def amount_in_mg(mg: Decimal | float) -> Decimal:
    """Read the amount of a dosage."""
    return decimal(mg, "mg")


def one_of(kind: type[W], value: object) -> W | None:
    """Return the term of a list that a value is, or is the label of; None if there is none."""
    if isinstance(value, str):
        return next((term for term in kind if term.label == value), None)
    return value if isinstance(value, kind) else None


def is_term(kind: type[Term]) -> Check:
    """Check that a value is a term of a list."""
    labels = [term.label for term in kind]
    description = f"one of {', '.join(labels)}"
    test = (instance_of(kind), f"{{}} is not {description}", f"give {description}")
    return Check(test, enum=labels)


def is_part(kind: type, description: str) -> Check:
    """Check that a value is a part of a record."""
    return Check((instance_of(kind), f"{{}} is not {description}", f"give {description}"))


def list_of(kind: type, description: str) -> Validator:
    """Check that a value is a tuple of parts of a record, or missing."""
    is_tuple = Check(
        (instance_of(tuple), "{} is not a tuple", "give a tuple, empty if there were none")
    )
    return optional(and_(is_tuple, members(is_part(kind, description))))


is_flag = Check(
    (instance_of(bool), "{} is not true or false", "give true or false"), type="boolean"
)
"""Check that a value is true or false."""

_TEXT_TESTS = (
    (instance_of(str), "{} is not a text", "give a text, between quotes"),
    (matches_re(TEXT), "{} holds a character that cannot be shown", "take it out"),
)

is_text = Check(*_TEXT_TESTS, type="string", pattern=TEXT)
"""Check that a value is a text that can be shown."""

# What is not shown, or turns the text around: a soft hyphen, a joiner, a filler, an override.
_INVISIBLE = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff0-\ufffb"
)
_HIDDEN = re.compile(
    rf"[{_INVISIBLE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


@frozen
class _IsSeen:
    """A validator of a text of which every character is seen, and that passes another check."""

    text: Check

    @property
    def keywords(self) -> dict[str, Any]:
        """The text as JSON Schema describes it."""
        return {**self.text.keywords, "pattern": rf"^[^{_INVISIBLE}]*$(?!\n)"}

    def __call__(self, instance: object, attribute: "Attribute[Any]", value: Any) -> None:
        """Check a text; raise CallError naming the character that cannot be seen."""
        if isinstance(value, str) and (hidden := _HIDDEN.search(value)):
            reason = f"holds {_character(hidden[0])}"
            raise fault(attribute.name, reason, "write it without")
        self.text(instance, attribute, value)


def _character(character: str) -> str:
    """Return the name and the number of a character: "a soft hyphen (U+00AD)"."""
    if "\ud800" <= character <= "\udfff":
        words = "half of a surrogate pair"
    else:
        control = {"\t": "tab", "\n": "line break", "\r": "line break"}.get(
            character, "control character"
        )
        name = unicodedata.name(character, control).lower()
        words = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    return f"{words} (U+{ord(character):04X})"


is_wording = Check(
    *_TEXT_TESTS,
    (matches_re(r".*\S.*"), "is empty", "write it in words, or leave the whole entry out"),
    type="string",
    pattern=TEXT,
    allOf=[{"pattern": r"\S"}],
)
"""Check that a value is a text that can be shown and is not blank."""

is_id = _IsSeen(is_text)
"""Check that an identifier is a text of which every character is seen."""

is_name = _IsSeen(is_wording)
"""Check that a term is a text that is not blank and of which every character is seen."""


def _in_years(_: object, attribute: "Attribute[Any]", day: dt.date) -> None:
    if not YEARS[0] <= day.year <= YEARS[1]:
        reason = f"year must be {YEARS[0]} to {YEARS[1]}, got {day}"
        raise fault(attribute.name, reason, "check the year")


# A datetime is a date to Python, but not to a reader of the record.
_is_date = Check(
    (
        and_(instance_of(dt.date), not_(instance_of(dt.datetime))),
        "{} is not a date",
        "give a date",
    )
)

is_day: Validator = and_(_is_date, _in_years)
"""Check that a value is a date, in the years that a record can hold."""


@frozen
class RecordPart(Validated):
    """A part of a record: unknown facts are left out of it, and its faults are the caller's."""

    error = CallError
