"""Read documents strictly and completely: every fault is reported, with its place and its fix.

A small reader of attrs classes. Values check themselves; the reader walks a document by the types
of their fields, and adds to each fault its place.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from attrs import NOTHING, fields, has

from lenadose.formats.files import LARGEST
from lenadose.protocol.protocol import data_key
from lenadose.record.fields import RecordPart
from lenadose.terms.errors import (
    DIGITS,
    DocumentError,
    Fault,
    LenadoseError,
    describe,
    fault,
    nearest,
)
from lenadose.terms.facts import Term
from lenadose.terms.numbers import decimal
from lenadose.terms.validation import NAME

Read = Callable[[Any], Any]
"""A function that reads one value of a document."""

MOST_FAULTS = 1000
"""With more faults than this in one list the rest of the list is not read."""

DECIMAL = r"^[0-9]{1,15}(\.[0-9]{1,15})?$(?!\n)"
"""How an exact number is written as text."""

# No key begins after a backslash: else a line of escaped quotes would be searched from each one.
_DEEP = re.compile(
    r"""(?<![\w\\-])(?:(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*\.[ \t]*){20}"""
)
_TOML_ERROR = re.compile(r"(.*?)(?: \(at (line \d+, column \d+|end of document)\))?", re.DOTALL)


# Text


def parse(text: str | bytes, what: str = "course", largest: int = LARGEST) -> object:
    """Read JSON text, numbers exactly as they are written; a value that cannot be is a Fault.

    Raises DocumentError naming line and column, and for a text of more than `largest` bytes.
    """
    text = _decode(text, what, largest)
    try:
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_number,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        # The words of Python lead to the place: "unterminated string starting at".
        words = error.msg.lower().removesuffix(" at").removesuffix(" starting")
        raise _refusal(
            place, f"is not JSON: {words}", f"fix the JSON at line {error.lineno}"
        ) from None
    except RecursionError:
        raise _too_deep(what) from None


def parse_toml(text: str | bytes, what: str) -> object:
    """Read TOML text, numbers exactly as they are written; see `parse`."""
    text = _decode(text, what)
    # The parser takes a time that grows with the square of the depth of a key.
    if _DEEP.search(text):
        raise _too_deep(what)
    try:
        return tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        # Only since Python 3.14 the error holds line and column in any other form.
        parts = _TOML_ERROR.fullmatch(str(error))
        assert parts is not None
        words = " ".join(parts[1].split())
        reason = f"is not TOML: {words[:1].lower()}{words[1:100]}"
        raise _refusal(parts[2] or what, reason, "fix the TOML there") from None
    except ValueError:
        raise _refusal(
            what, "holds a number of thousands of digits", f"write at most {DIGITS} digits"
        ) from None
    except RecursionError:
        raise _too_deep(what) from None


def _decode(text: str | bytes, what: str, largest: int = LARGEST) -> str:
    if not isinstance(text, str | bytes):
        raise _refusal(what, f"{describe(text)} is not text", f"give the text of a {what}")
    if len(text) > largest:
        raise _refusal(what, f"more than {largest} bytes", f"give one {what} per file")
    try:
        return text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refusal(f"byte {error.start}", "is not UTF-8", "save the file as UTF-8") from None


def _too_deep(what: str) -> DocumentError:
    return _refusal(what, "is nested too deeply", f"give a {what} as the schema describes it")


def _refusal(place: str, reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault(place, reason, fix),))


def _number(text: str) -> object:
    if text.lstrip("+-").lower() in ("nan", "inf", "infinity"):
        return Fault("", f"{text} is not a finite number", "leave it out if it is not known")
    try:
        number = decimal(Decimal(text)) if len(text) <= 40 else None
    except (ArithmeticError, LenadoseError):
        number = None
    if number is None:
        fix = f"write it with at most {DIGITS} digits"
        return Fault("", "a number that other programs would change", fix)
    # A whole number may be written 11 or 11.0: in JSON they are the same.
    return int(number) if number == number.to_integral_value() else number


def exact(value: object) -> Decimal:
    """Read a number, which may be written as text to be exact."""
    if isinstance(value, str):
        if not re.match(DECIMAL, value):
            raise fault("", f"{describe(value)} is not a number", 'write it as "1.5"')
        value = Decimal(value)
    return decimal(value)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys: set[str] = set()
        for key, _ in pairs:
            if key in keys:
                members[key] = Fault("", "is there twice", "keep one of the two")
            keys.add(key)
    return members


# Structure


class Reader:
    """Reads values by their types: attrs classes, tuples, terms, and `kinds` by their functions.

    In a part of a record null is the same as a key left out.
    """

    def __init__(
        self, kinds: Mapping[Any, Read], read_term: Callable[[object, type[Term]], Term]
    ) -> None:
        self._reads = dict(kinds)
        self._read_term = read_term

    def read(self, kind: Any, value: object) -> Any:
        """Read a value; raise LenadoseError with every fault."""
        if isinstance(value, Fault):
            raise DocumentError((value,))
        return self.reading(kind)(value)

    def reading(self, kind: Any) -> Read:
        """Return the function that reads values of a type, made when it is first asked for."""
        read = self._reads.get(kind)
        if read is None:
            read = self._reads[kind] = self._make(kind)
        return read

    def _make(self, kind: Any) -> Read:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is UnionType:
            one, *lists = (argument for argument in arguments if argument is not NoneType)
            if lists:
                (several,) = lists
                return lambda value: self.read(
                    several if isinstance(value, list | tuple) else one, value
                )
            return self.reading(one)
        if origin is tuple:
            count = None if arguments[-1] is ... else len(arguments)
            return lambda value: self.read_list(arguments[0], value, count)
        if origin is not None and has(origin):
            # The one type variable of a class is the type of its `value`.
            return self._record(origin, {"value": arguments[0]})
        if issubclass(kind, Term):
            return lambda value: self._read_term(value, kind)
        return self._record(kind, {})

    def _record(self, kind: Any, types: Mapping[str, Any]) -> Read:
        """Return the function that reads an object as an attrs class."""
        attributes = {
            data_key(attribute): attribute for attribute in fields(kind) if attribute.init
        }
        reads = {
            key: self.reading(types.get(key, attribute.type))
            for key, attribute in attributes.items()
        }
        null_allowed = not issubclass(kind, RecordPart)
        optional = {
            key for key, attribute in attributes.items() if NoneType in get_args(attribute.type)
        }

        def read(document: object) -> Any:
            if not isinstance(document, dict):
                raise _not_an_object(document, tuple(attributes))
            values: dict[str, Any] = {}
            faults: dict[str, list[Fault]] = {}
            for key, attribute in attributes.items():
                value = document.get(key, NOTHING)
                if value is NOTHING or (value is None and not null_allowed):
                    if attribute.default is NOTHING:
                        faults[key] = [Fault(key, "is missing", "give it")]
                elif type(value) is Fault:
                    faults[key] = [value.within(key)]
                elif value is not None or key in optional:
                    try:
                        values[attribute.name] = None if value is None else reads[key](value)
                    except LenadoseError as error:
                        faults[key] = [fault.within(key) for fault in error.faults]
                elif attribute.default is not None:
                    fix = "give it"
                    if attribute.default is not NOTHING:
                        fix = "leave the key out if it is not known"
                    faults[key] = [Fault(key, "null is not a value", fix)]
            unknown = unknown_keys(document, attributes)
            of_the_whole: tuple[Fault, ...] = ()
            if not faults and not unknown:
                try:
                    return kind(**values)
                except LenadoseError as error:
                    of_the_whole = error.faults
            # Making a value stops at the first field that is not sound: look at the others too.
            for key, attribute in attributes.items():
                if attribute.name in values and attribute.validator is not None:
                    try:
                        value = values[attribute.name]
                        if attribute.converter is not None:
                            value = attribute.converter(value)
                        attribute.validator(kind, attribute, value)
                    except LenadoseError as error:
                        faults[key] = list(error.faults)
            of_fields = [fault for key in attributes for fault in faults.get(key, ())]
            raise DocumentError(unknown + of_fields or of_the_whole)

        return read

    def read_list(self, kind: Any, document: object, count: int | None = None) -> tuple[Any, ...]:
        """Read a list, of exactly `count` members if given; a member with an id is named by it."""
        if not isinstance(document, list | tuple):
            raise fault("", f"{describe(document)} is not a list", "give a list, between [ and ]")
        if count is not None and len(document) != count:
            raise fault("", f"a list of {len(document)}", f"give a list of {count}")
        faults: list[Fault] = []
        members = []
        for index, member in enumerate(document):
            try:
                members.append(self.read(kind, member))
            except LenadoseError as error:
                faults += [fault.within(_member(member, index)) for fault in error.faults]
                if len(faults) > MOST_FAULTS:
                    rest = f"[{index + 1}]"
                    faults.append(Fault(rest, "not read any further", "fix the faults before it"))
                    break
        if faults:
            raise DocumentError(faults)
        return tuple(members)


def unknown_keys(keys: Iterable[object], known: Collection[str]) -> list[Fault]:
    """Return the faults of the keys that are not known, of no more than MOST_FAULTS."""
    unknown = [key for key in keys if key not in known]
    faults = [unknown_key(key, known) for key in unknown[:MOST_FAULTS]]
    if len(unknown) > MOST_FAULTS:
        reason = f"and {len(unknown) - MOST_FAULTS} more unknown keys"
        faults.append(Fault("", reason, "fix the faults before it"))
    return faults


def unknown_key(key: object, known: Iterable[str]) -> Fault:
    """Return the fault of an unknown key, with the nearest known one."""
    return Fault(describe(key).strip("'") or '""', "unknown key", nearest(str(key), known))


def _member(document: object, index: int) -> str:
    id = document.get("id") if isinstance(document, dict) else None
    return id if isinstance(id, str) and len(id) <= 60 and re.match(NAME, id) else f"[{index}]"


def _not_an_object(document: object, keys: tuple[str, ...]) -> LenadoseError:
    is_number = isinstance(document, int | float | Decimal) and not isinstance(document, bool)
    if is_number and "unit" in keys:
        fix = 'give the value with its unit: {"value": ..., "unit": ...}'
        return fault("", f"a bare number, {describe(document)}", fix)
    fix = f"give an object with {', '.join(keys)}"
    return fault("", f"{describe(document)} is not an object", fix)
