"""Reads documents strictly and completely: every fault is told, with its place, the reason and the mend."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, get_args

from attrs import NOTHING, Attribute, fields, frozen, has
from cattrs import Converter

from lenadose.protocol.protocol import data_key
from lenadose.record.fields import RecordPart, decimal
from lenadose.terms.errors import (
    DIGITS,
    PRINTABLE,
    DocumentError,
    Fault,
    LenadoseError,
    describe,
    fault,
)
from lenadose.terms.facts import Term
from lenadose.terms.validation import NAME, Validated

T = TypeVar("T")

LARGEST = 4_000_000
"""The largest document that is read, in bytes; a course of a lifetime of visits is much smaller."""
MOST_FAULTS = 1000
"""With more faults than this in one list the rest of it is not looked at."""

_DEEP = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){100}""")
_TOLD = re.compile(r"(.*?)(?: \(at (line \d+, column \d+|end of document)\))?", re.DOTALL)


@frozen
class Unreadable:
    """Stands in a document where a value could not be read, until its place is known."""

    reason: str
    fix: str


class PartiallyRead(DocumentError):
    """A record or a list of which only a part could be read, with that part: it may contradict other parts."""

    def __init__(self, faults: Iterable[Fault], read: object) -> None:
        super().__init__(faults)
        self.read = read


# Text


def format_path(path: str | Path) -> str:
    """Write a path as it was given, on one line."""
    text = str(path)
    return (text if PRINTABLE.match(text) else ascii(text)[1:-1]) or '""'


def load(path: str | Path, what: str) -> bytes:
    """Give the content of a file, one byte more than is read at most; raises DocumentError where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "is no path").lower()
        raise _refusal(format_path(path), reason, f"give the path of a {what} file") from None


def parse(text: str | bytes, what: str = "course") -> object:
    """Read JSON text, numbers exactly as they are written; raises DocumentError naming line and column."""
    text = _decode(text, what)
    try:
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=lambda word: Unreadable(
                f"{word} is not a finite number", "leave it out if it is not known"
            ),
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _refusal(place, f"is not JSON: {error.msg.lower()}", "mend the JSON there") from None
    except RecursionError:
        raise _too_deep(what) from None


def parse_toml(text: str | bytes, what: str) -> object:
    """Read TOML text, numbers exactly as they are written; raises DocumentError naming line and column."""
    text = _decode(text, what)
    # The parser takes a time that grows with the square of the depth of a key.
    if _DEEP.search(text):
        raise _too_deep(what)
    try:
        return tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        # Only since Python 3.14 the error holds line and column in any other form.
        told = _TOLD.fullmatch(str(error))
        assert told is not None
        words = " ".join(told[1].split())
        reason = f"is not TOML: {words[:1].lower()}{words[1:100]}"
        raise _refusal(told[2] or what, reason, "mend the TOML there") from None
    except ValueError:
        raise _refusal(
            what, "holds a number of thousands of digits", f"write at most {DIGITS} digits"
        ) from None
    except RecursionError:
        raise _too_deep(what) from None


def _decode(text: str | bytes, what: str) -> str:
    if len(text) > LARGEST:
        raise _refusal(what, f"more than {LARGEST} bytes", f"give one {what} alone")
    try:
        return text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refusal(f"byte {error.start}", "is not UTF-8", "save the file as UTF-8") from None


def _too_deep(what: str) -> DocumentError:
    return _refusal(what, "is nested too deeply", f"give a {what} as the schema describes it")


def _refusal(place: str, reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault(place, reason, fix),))


def _number(text: str) -> object:
    if text.lstrip("+-") in ("nan", "inf"):
        return Unreadable(f"{text} is not a finite number", "leave it out if it is not known")
    try:
        number = decimal(Decimal(text)) if len(text) <= 40 else None
    except (ArithmeticError, LenadoseError):
        number = None
    if number is None:
        return Unreadable(
            "a number that other programs would change", f"write it with at most {DIGITS} digits"
        )
    # A whole number may be written 11 or 11.0, in JSON they are the same.
    return int(number) if number == number.to_integral_value() else number


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        found[key] = Unreadable("is given twice", "keep one of the two") if key in found else value
    return found


# Structure


def make_converter(word: Callable[[object, type[Term]], Term]) -> Converter:
    """Give a converter that reads records and lists completely, and words as `word` does."""
    converter = Converter(detailed_validation=False)

    def record(kind: type[T]) -> Any:
        return lambda given, _: read_record(converter, kind, given)

    def entries(kind: Any) -> Any:
        entry, *more = get_args(kind)
        count = None if more == [...] else 1 + len(more)
        return lambda given, _: read_list(converter, entry, given, count)

    converter.register_structure_hook_factory(has, record)
    converter.register_structure_hook_factory(
        lambda kind: getattr(kind, "__origin__", None) is tuple, entries
    )
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, Term), word
    )
    return converter


def read_record(
    converter: Converter, kind: type[T], given: object, types: Mapping[str, Any] | None = None
) -> T:
    """Read a record: unknown and missing keys, every field by its kind and its own check, then contradictions.

    `types` names the kinds of fields that the class leaves open.
    """
    # Every kind that is read is an attrs class, which the converter's hooks cannot tell the type checker.
    attributes = {data_key(each): each for each in fields(kind) if each.init}  # type: ignore[arg-type]
    if isinstance(given, Unreadable):
        raise fault("", given.reason, given.fix)
    if not isinstance(given, dict):
        raise fault(
            "",
            f"{describe(given)} is not an object",
            f"give an object with {', '.join(attributes)}",
        )
    # In a record null is refused: what is not known is left out of it, as in all that a patient's file says.
    recorded = issubclass(kind, RecordPart)
    faults = [unknown_key(key, attributes) for key in given if key not in attributes]
    read: dict[str, object] = {}
    for key, each in attributes.items():
        try:
            if key not in given and each.default is NOTHING:
                raise fault(key, "is missing", "give it")
            if key not in given or (given[key] is None is each.default and not recorded):
                read[each.name] = each.default
            else:
                read[each.name] = read_field(converter, each, given[key], (types or {}).get(key))
        except LenadoseError as error:
            faults += error.faults
            # What could be read of a part of a record is held against the other parts; a protocol's parts are whole.
            if isinstance(error, PartiallyRead) and recorded:
                read[each.name] = error.read
    if issubclass(kind, Validated):
        faults += kind.contradictions(read)
    if faults:
        raise PartiallyRead(faults, SimpleNamespace(**read))
    return kind(**read)


def unknown_key(key: object, known: Iterable[str]) -> Fault:
    """Refuse a key by name, with the nearest that is known."""
    near = get_close_matches(str(key)[:60], known, 1)
    fix = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return Fault(describe(key).strip("'") or '""', "unknown key", fix)


def read_field(
    converter: Converter, attribute: "Attribute[Any]", given: object, kind: Any = None
) -> object:
    """Read a field by its kind, then hold it against the check that the field itself carries."""
    key = data_key(attribute)
    try:
        if given is None:
            optional = attribute.default is not NOTHING
            raise fault(
                "",
                "null is not a value",
                "leave the key out if it is not known" if optional else "give it",
            )
        value = _structure(converter, given, kind or attribute.type)
    except PartiallyRead as error:
        raise PartiallyRead((each.within(key) for each in error.faults), error.read) from None
    except LenadoseError as error:
        raise DocumentError(each.within(key) for each in error.faults) from None
    if attribute.validator is not None:
        attribute.validator(None, attribute, value)
    return value


def read_list(
    converter: Converter, kind: type[T], given: object, count: int | None = None
) -> tuple[T, ...]:
    """Read a list, of so many entries if there is a count; an entry with a name of its own is called by it."""
    if not isinstance(given, list):
        raise fault("", f"{describe(given)} is not a list", "give a list, between [ and ]")
    if count is not None and len(given) != count:
        raise fault("", f"a list of {len(given)}", f"give a list of {count}")
    faults: list[Fault] = []
    read: list[object] = []
    for index, each in enumerate(given):
        try:
            read.append(_structure(converter, each, kind))
        except LenadoseError as error:
            faults += [fault.within(_entry(each, index)) for fault in error.faults]
            read.append(error.read if isinstance(error, PartiallyRead) else None)
            if len(faults) > MOST_FAULTS:
                faults.append(
                    Fault(f"[{index + 1}]", "not looked at any more", "mend the faults before it")
                )
                break
    if faults:
        raise PartiallyRead(faults, tuple(read))
    return tuple(read)  # type: ignore[arg-type]  # without a fault every entry was read


def _entry(given: object, index: int) -> str:
    id = given.get("id") if isinstance(given, dict) else None
    return id if isinstance(id, str) and len(id) <= 60 and re.match(NAME, id) else f"[{index}]"


def _structure(converter: Converter, given: object, kind: Any) -> Any:
    if isinstance(given, Unreadable):
        raise fault("", given.reason, given.fix)
    return converter.structure(given, kind)
