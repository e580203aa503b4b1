"""Errors: each fault with its place, its reason and its fix; nothing is ever guessed."""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches

from attrs import evolve, frozen

from lenadose.terms.facts import Term

DIGITS = 15
"""A number of at most 15 digits is the same in decimal and in the floats of other programs."""

# Nothing that could write over a terminal or turn a line around, nothing that cannot be seen, and
# no half of a surrogate pair, which cannot be written. Python's $ alone would let a last line feed
# pass.
TEXT = (
    r"^[^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]*"
    r"$(?!\n)"
)
PRINTABLE = re.compile(TEXT)


@frozen
class Fault:
    """One thing wrong: where it is, why it cannot be used, and what to write instead."""

    place: str
    reason: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.reason}; {self.fix}"

    def within(self, outer: str) -> "Fault":
        """Return the fault as seen from outside: `neutrophils` becomes `visits[3].neutrophils`."""
        if not self.place:
            return evolve(self, place=outer)
        return evolve(self, place=f"{outer}{'' if self.place.startswith('[') else '.'}{self.place}")


class LenadoseError(ValueError):
    """A value, call or document that cannot be used; `faults` holds each fault as data."""

    faults: tuple[Fault, ...]

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type["LenadoseError"], tuple[tuple[Fault, ...]]]:
        # An exception is by default made again from its message.
        return type(self), (self.faults,)


class ProtocolError(LenadoseError):
    """A fault of the author: a protocol, or a part of one, that is not valid."""


class CallError(LenadoseError):
    """A fault of the caller: a value, a visit or a call that cannot be used."""


class DocumentError(LenadoseError):
    """A fault of a document: a file or text that cannot be read as what it should be."""


def fault(place: str, reason: str, fix: str) -> CallError:
    """Return the error of a single fault of the caller."""
    return CallError((Fault(place, reason, fix),))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the fix for an unknown name: those of which it begins a word, one like it, or all."""
    names = tuple(known)
    near = [each for each in names if len(name) > 2 and f"_{name}" in f"_{each}"]
    near = near or get_close_matches(name[:60], names, 1)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"


def with_article(name: str) -> str:
    """Return a name after "a" or "an"."""
    return f"{'an' if name[:1] in tuple('AEIOUaeiou') else 'a'} {name}"


def describe(value: object) -> str:
    """Return a value as a message shows it, on one line and cut where it is long."""
    match value:
        case Term():
            text = repr(value.label)
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case str():
            text = repr(value) if PRINTABLE.match(value) else ascii(value)
        case Decimal() | float():
            text = str(value).removesuffix(".0")
        case int():
            text = str(value) if abs(value) < 10**DIGITS else "a whole number of many digits"
        case list():
            text = "a list"
        case dict():
            text = "an object"
        case _:
            text = with_article(type(value).__name__)
    return text if len(text) <= 60 else f"{text[:57]}..."
