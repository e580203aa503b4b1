"""Checks of the fields of a record."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import wraps
from typing import Any, ClassVar, Protocol, Self, TypeVar

from attrs import NOTHING, Attribute, evolve, fields, frozen
from attrs.validators import and_, instance_of, matches_re, not_, optional

from lenadose.terms.errors import (
    TEXT,
    CallError,
    Fault,
    LenadoseError,
    describe,
    fault,
    nearest,
)
from lenadose.terms.facts import Term, W
from lenadose.terms.numbers import Number, decimal, plain
from lenadose.terms.validation import Check, Validated, Validator, members

YEARS = (1900, 2199)

ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

T = TypeVar("T")


class SupportsItem(Protocol):
    """A truth value of numpy."""

    def item(self) -> bool:
        """Return it as Python's own."""


def measured_value(value: Number) -> Decimal:
    """Read the value of a measurement."""
    return decimal(value, "value")


# What a record is made of may be given in other forms. A converter returns anything else as it is,
# of whatever type: the validator of the field refuses it and names its place ("validated next").


def truth(value: bool | SupportsItem | None) -> bool | None:
    """Read a truth value of any type."""
    return plain(value)  # type: ignore[return-value]  # validated next


def day(value: dt.date | str) -> dt.date:
    """Read a date, or its text: "2026-01-05"."""
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise fault("date", f"there is no {value}", "check the day and the month") from None
    return value  # type: ignore[return-value]  # validated next


def day_or_none(value: dt.date | str | None) -> dt.date | None:
    """Read a date, if there is one."""
    return None if value is None else day(value)


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
_ALL_INVISIBLE = rf"{_INVISIBLE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_HIDDEN = re.compile(f"[{_ALL_INVISIBLE}]")
SEEN = re.compile(rf"[^{_ALL_INVISIBLE}]*\Z")
"""A text of which every character is seen."""


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
            raise fault(attribute.name, reason, "take it out")
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

_IN_LINES = (
    TEXT.replace(r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f")
    .replace(r"\u007f-\u009f", r"\u007f-\u0084\u0086-\u009f")
    .replace(r"\u2028-\u202e", r"\u202a-\u202e")
)

is_reason = Check(
    (instance_of(str), "{} is not a text", "give a text, between quotes"),
    (matches_re(_IN_LINES), "{} holds a character that cannot be shown", "take it out"),
    (matches_re(r"(?s).*\S.*"), "is empty", "write it in words, or leave the whole entry out"),
    type="string",
    pattern=_IN_LINES,
    allOf=[{"pattern": r"\S"}],
)
"""Check that a value is a text that can be shown, in one line or more, and is not blank."""

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
    (instance_of(dt.date), "{} is not a date", 'give it as "2026-01-05"'),
    (not_(instance_of(dt.datetime)), "{} is not a date", "give its day, as .date() returns it"),
)

is_day: Validator = and_(_is_date, _in_years)
"""Check that a value is a date, in the years that a record can hold."""


@frozen
class RecordPart(Validated):
    """A part of a record: unknown facts are left out of it, and its faults are the caller's."""

    error = CallError
    noun: ClassVar[str] = "a part of a record"
    """How a message calls it: "an adverse event"."""
    example: ClassVar[str] = ""
    """How it is given, as a message shows it."""

    @classmethod
    def arguments(cls, value: object) -> tuple[object, ...] | None:
        """Return the arguments that a short form stands for; None for what is no short form."""
        return None

    @classmethod
    def of(cls, value: object) -> Self:
        """Return a part, or the one that a short form stands for.

        Raises CallError with every fault, for a missing argument with an example.
        """
        if isinstance(value, cls):
            return value
        arguments = cls.arguments(value)
        if arguments is None:
            reason = f"{describe(value)} is not {cls.noun}"
            raise fault("", reason, f"give it as {cls.example}")
        try:
            return cls(*arguments)
        except CallError as error:
            left_out = {attribute.name for attribute in fields(cls)[len(arguments) :]}
            raise CallError(
                evolve(each, fix=f"{each.fix}, as in {cls.example}")
                if each.place in left_out and cls.example not in each.fix
                else each
                for each in error.faults
            ) from None


P = TypeVar("P", bound=RecordPart)


def part(kind: type[P], value: object) -> P:
    """Read a part of a record, which may be given in its short form."""
    try:
        return kind.of(value)
    except LenadoseError:
        return value  # type: ignore[return-value]  # validated next


def parts(kind: type[P], value: object) -> tuple[P, ...]:
    """Read a list or a tuple of parts of a record."""
    if not isinstance(value, list | tuple):
        return value  # type: ignore[return-value]  # validated next
    try:
        return tuple([kind.of(each) for each in value])
    except LenadoseError:
        return tuple(value)


def is_part(kind: type[RecordPart]) -> Validator:
    """Check that a value is a part of a record, or missing."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        faults = _faults_of(kind, value)
        if faults:
            raise CallError(each.within(attribute.name) for each in faults)

    return optional(check)


def list_of(kind: type[RecordPart]) -> Validator:
    """Check that a value is a tuple of parts of a record, or missing."""

    def check(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, tuple):
            fix = f"give a list: [{kind.example}]"
            if attribute.default is None:
                fix += ", or [] if there were none"
            raise fault(attribute.name, f"{describe(value)} is not a list", fix)
        faults = [
            each.within(f"{attribute.name}[{index}]")
            for index, member in enumerate(value)
            for each in _faults_of(kind, member)
        ]
        if faults and kind.arguments(value) is not None:
            fix = f"put it into a list: [{kind.example}]"
            raise fault(attribute.name, f"is {kind.noun}, not a list of them", fix)
        if faults:
            raise CallError(faults)

    return optional(check)


def terms_of(kind: type[Term]) -> Validator:
    """Check that a value is a tuple of terms, or missing."""
    check = members(is_term(kind))

    def check_list(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, tuple):
            names = ", ".join(term.label for term in kind)
            fix = f"give a list of {names}"
            raise fault(attribute.name, f"{describe(value)} is not a list", fix)
        check(instance, attribute, value)

    return optional(check_list)


def _faults_of(kind: type[RecordPart], value: object) -> tuple[Fault, ...]:
    """Return why a value could not be read as a part of a record."""
    try:
        kind.of(value)
    except LenadoseError as error:
        return error.faults
    return ()


def explains_calls(kind: type[T]) -> type[T]:
    """Have a class refuse a wrong name of an argument as it refuses a wrong value: with the fix."""
    make = kind.__init__

    @wraps(make)
    def __init__(self: T, *given: object, **named: object) -> None:
        try:
            make(self, *given, **named)
        except TypeError:
            faults = tuple(_wrong_arguments(kind, len(given), named))
            if not faults:
                raise
            raise CallError(faults) from None

    kind.__init__ = __init__  # type: ignore[method-assign, assignment]  # but for the error the same
    return kind


def _wrong_arguments(kind: Any, given: int, named: dict[str, object]) -> Iterator[Fault]:
    """Yield a fault for each argument that a class does not have, lacks, or has twice."""
    defaults = {each.alias: each.default for each in fields(kind) if each.init}
    names = tuple(defaults)
    if given > len(names):
        reason = f"{given} values for {len(names)} fields of {kind.noun}"
        yield Fault("", reason, f"give them by name: {', '.join(names)}")
    for name in named:
        if name not in defaults:
            yield Fault(name, f"is no field of {kind.noun}", nearest(name, names))
        elif name in names[:given]:
            yield Fault(name, "is given twice, by place and by name", "give it once")
    for name in names[given:]:
        if defaults[name] is NOTHING and name not in named:
            yield Fault(name, "is missing", f"give it, as in {kind.example}")
