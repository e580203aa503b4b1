"""What every part of a protocol must be, built in or read from a file: named, worded, free of contradictions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from attrs import Attribute, fields, frozen

from lenadose.terms.errors import TEXT, Fault, LenadoseError, ProtocolError, describe

NAME = r"^[a-z0-9][a-z0-9-]*$(?!\n)"
"""A name: it stands in tables, diagrams and places, and is told apart by case nowhere."""

# A bar would begin another cell of the table in which the words are printed.
PROSE = TEXT.replace("[^", r"(?=.*\S)[^|", 1)
"""Words of a protocol: not blank, on one line, and fit for a cell of a table."""

_NAME, _PROSE = re.compile(NAME), re.compile(PROSE)


@frozen
class Validated:
    """A value whose fields can contradict each other; building it raises its `error` with every contradiction."""

    error: ClassVar[type[LenadoseError]] = ProtocolError

    @classmethod
    def contradictions(cls, known: Mapping[str, Any]) -> Iterator[Fault]:
        """Give each contradiction between the fields that are known."""
        return iter(())

    def __attrs_post_init__(self) -> None:
        own: type = type(self)
        faults = tuple(self.contradictions({name: getattr(self, name) for name in _given(own)}))
        if faults:
            raise self.error(faults)


@cache
def _given(kind: type[Any]) -> tuple[str, ...]:
    """Give the names of the fields that a value is made from."""
    return tuple(each.name for each in fields(kind) if each.init)


def refused(place: str, reason: str, fix: str) -> ProtocolError:
    """Make the error for a single fault of the author."""
    return ProtocolError((Fault(place, reason, fix),))


def is_identifier(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse what is no name."""
    if not isinstance(value, str) or not _NAME.match(value):
        fix = "write it in small letters, digits and hyphens: grade-3"
        raise refused(attribute.name, f"{describe(value)} is not a name", fix)


def is_single_line(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse words that are empty or would break the table in which they are printed."""
    if not isinstance(value, str) or not value.strip():
        raise refused(attribute.name, f"{describe(value)} says nothing", "write it in words")
    if not _PROSE.match(value):
        fix = "write it on one line, without | and what cannot be shown"
        raise refused(attribute.name, "holds a character that breaks a table", fix)


def all_single_line(_: object, attribute: "Attribute[Any]", value: tuple[object, ...]) -> None:
    """Refuse a list in which some words are empty or would break a table."""
    faults: list[Fault] = []
    for index, each in enumerate(value):
        try:
            is_single_line(_, attribute, each)
        except ProtocolError as error:
            faults += [
                Fault(f"{fault.place}[{index}]", fault.reason, fault.fix) for fault in error.faults
            ]
    if faults:
        raise ProtocolError(faults)


def not_empty(_: object, attribute: "Attribute[Any]", value: tuple[object, ...]) -> None:
    """Refuse an empty list."""
    if not value:
        raise refused(attribute.name, "there are none", "give at least one")


def duplicates(
    place: str, names: Iterable[str], fix: str = "give each a name of its own"
) -> Iterator[Fault]:
    """Give a fault for each name of a list that was there before."""
    seen: set[str] = set()
    for index, each in enumerate(names):
        if each in seen:
            yield Fault(f"{place}[{index}]", f"{describe(each)} is there twice", fix)
        seen.add(each)
