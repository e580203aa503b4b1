"""Protocols as files: a protocol written as JSON or TOML is read as strictly as it is built, and meets the same checks.

The data is what `lenadose show --as json` prints. Its words are those of closed lists; nothing in it is evaluated.
"""

import re
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from attrs import evolve, field, fields, frozen
from cattrs import Converter

from lenadose.formats.reader import (
    format_path,
    load,
    make_converter,
    parse,
    parse_toml,
    read_field,
    read_list,
    read_record,
    unknown_key,
)
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule, RuleTable
from lenadose.record.fields import decimal
from lenadose.terms.dosage import Dosage, DoseLadder, Level, out_of_range
from lenadose.terms.errors import (
    DocumentError,
    Fault,
    LenadoseError,
    ProtocolError,
    describe,
    fault,
)
from lenadose.terms.facts import (
    DIMENSIONS,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval, Unit
from lenadose.terms.provenance import Provenance, Sourced
from lenadose.terms.validation import duplicates, not_empty

DECIMAL = r"^[0-9]{1,15}(\.[0-9]{1,15})?$(?!\n)"
FRACTION = r"^[0-9]{1,6}/0*[1-9][0-9]{0,5}$(?!\n)"
"""How an exact number and a fraction are written as text."""


def load_protocol(path: str | Path) -> Protocol:
    """Read a protocol from a .toml or .json file; raises DocumentError with every fault, the file in front of each."""
    place, suffix = format_path(path), Path(path).suffix.lower()
    if suffix not in (".toml", ".json"):
        fix = "name the file by what is written in it, .toml or .json"
        raise DocumentError((Fault(place, "is neither a .toml nor a .json file", fix),))
    content = load(path, "protocol")
    try:
        return parse_protocol(content, toml=suffix == ".toml")
    except DocumentError as error:
        raise DocumentError(
            evolve(each, place=f"{place}: {each.place}") for each in error.faults
        ) from None


def parse_protocol(text: str | bytes, toml: bool = False) -> Protocol:
    """Read a protocol from JSON text, or from TOML text; raises DocumentError with every fault."""
    return read_protocol(parse_toml(text, "protocol") if toml else parse(text, "protocol"))


def read_protocol(document: object) -> Protocol:
    """Read a protocol from data as `json.loads` gives it; raises DocumentError with every fault.

    What is read from `Protocol.data` is equal to that protocol and has the same hash.
    """
    try:
        protocol: Protocol = _reader().structure(document, Protocol)
    except LenadoseError as error:
        raise DocumentError(
            each if each.place else each.within("protocol") for each in error.faults
        ) from None
    return protocol


# Where a file says something in another way than the values it is read into, its own shape stands here.


@frozen
class _Dosage:
    mg: Decimal
    every_days: int
    """Without a default: a frequency that nobody wrote is not daily."""


@frozen
class _Level:
    dosage: Dosage
    provenance: Provenance


@frozen
class _Ladder:
    levels: tuple[_Level, ...] = field(validator=not_empty)
    start: int


@frozen
class _When:
    phase: frozenset[Phase] = frozenset(Phase)
    response: frozenset[Response] = frozenset(Response)
    safety: frozenset[Safety] = frozenset(Safety)
    timing: frozenset[Timing] = frozenset(Timing)
    trial: frozenset[TherapeuticTrial] = frozenset(TherapeuticTrial)
    position: frozenset[Position] = frozenset(Position)


@frozen
class _Case:
    when: _When
    provenance: Provenance


def _reader() -> Converter:
    """Give the converter that reads one protocol; it keeps the levels of the ladder, by which a ceiling is named."""
    converter = make_converter(_word)
    levels: list[Level] = []

    def dosage(given: object, _: object) -> Dosage:
        read = read_record(converter, _Dosage, given)
        made = Dosage(read.mg, read.every_days)
        faults = tuple(out_of_range(made))
        if faults:
            raise ProtocolError(faults)
        return made

    def ladder(given: object, _: object) -> DoseLadder:
        read = read_record(converter, _Ladder, given)
        levels.extend(
            Level(rank, each.dosage, each.provenance) for rank, each in enumerate(read.levels)
        )
        if not 0 <= read.start < len(levels):
            raise _no_level("start", read.start, levels)
        return DoseLadder(tuple(levels), levels[read.start])

    def level(given: object, _: object) -> Level | None:
        rank = _whole(given)
        # The ladder comes before what names its levels; one that could not be read has told its own faults.
        if levels and not 0 <= rank < len(levels):
            raise _no_level("", rank, levels)
        return levels[rank] if levels else None

    def case(given: object, _: object) -> Case:
        read = read_record(converter, _Case, given)
        return Case(read.provenance, *(getattr(read.when, name) for name, _ in DIMENSIONS))

    def table(given: object, _: object) -> RuleTable:
        rules = read_list(converter, Rule, given)
        try:
            return RuleTable(rules)
        except ProtocolError as error:
            # The table names its faults from the protocol downwards, as the reader will name them again.
            inner = (
                evolve(each, place=each.place.removeprefix("rules").removeprefix("."))
                for each in error.faults
            )
            raise ProtocolError(inner) from None

    def words(given: object, kind: Any) -> frozenset[Term]:
        return _words(converter, given, kind)

    def sourced(kind: Any) -> Any:
        return lambda given, _: read_record(converter, Sourced, given, {"value": get_args(kind)[0]})

    converter.register_structure_hook_factory(
        lambda kind: getattr(kind, "__origin__", None) is Sourced, sourced
    )
    converter.register_structure_hook_func(
        lambda kind: getattr(kind, "__origin__", None) is frozenset, words
    )
    converter.register_structure_hook(Interval, lambda given, _: _interval(converter, given))
    converter.register_structure_hook(Dosage, dosage)
    converter.register_structure_hook(DoseLadder, ladder)
    converter.register_structure_hook(Level, level)
    converter.register_structure_hook(Case, case)
    converter.register_structure_hook(RuleTable, table)
    converter.register_structure_hook(Decimal, lambda given, _: _exact(given))
    converter.register_structure_hook(Fraction, lambda given, _: _fraction(given))
    converter.register_structure_hook(int, lambda given, _: _whole(given))
    converter.register_structure_hook(str, lambda given, _: _text(given))
    converter.register_structure_hook(bool, lambda given, _: _yes_or_no(given))
    return converter


def _no_level(place: str, rank: int, levels: list[Level]) -> LenadoseError:
    return fault(
        place,
        f"there is no level {describe(rank)}",
        f"give the rank of a level, from 0 to {len(levels) - 1}",
    )


def _word(given: object, kind: type[Term]) -> Term:
    """Read a word by its code."""
    codes = {word.code: word for word in kind}
    word = codes.get(given) if isinstance(given, str) else None
    if word is None:
        near = get_close_matches(given[:60], codes, 1) if isinstance(given, str) else ()
        fix = f"did you mean {near[0]}?" if near else f"known: {', '.join(codes)}"
        raise fault("", f"{describe(given)} is not known", fix)
    return word


def _words(converter: Converter, given: object, kind: Any) -> frozenset[Term]:
    """Read what a cell of the table admits."""
    words: tuple[Term, ...] = read_list(converter, get_args(kind)[0], given)
    if not words:
        raise fault(
            "", "nothing would fit an empty list", "give a word, or leave the fact out to admit any"
        )
    faults = tuple(duplicates("", (word.code for word in words), "keep one of the two"))
    if faults:
        raise DocumentError(faults)
    return frozenset(words)


def _interval(converter: Converter, given: object) -> Interval:
    fix = 'give a number of one unit: {"weeks": 4}'
    if not isinstance(given, dict):
        raise fault("", f"{describe(given)} is no interval", fix)
    units = {unit.code: unit for unit in Unit}
    faults = [unknown_key(key, units) for key in given if key not in units]
    if faults:
        raise DocumentError(faults)
    if len(given) != 1:
        raise fault("", f"an interval of {len(given)} units", fix)
    ((code, count),) = given.items()
    # Told at the unit, where the number is written.
    number = read_field(converter, fields(Interval).count.evolve(name=code), count)
    assert isinstance(number, int)
    return Interval(number, units[code])


def _exact(given: object) -> Decimal:
    if isinstance(given, str):
        if not re.match(DECIMAL, given):
            raise fault("", f"{describe(given)} is not a number", 'write it as "1.5"')
        given = Decimal(given)
    return decimal(given)


def _fraction(given: object) -> Fraction:
    if isinstance(given, str) and re.match(FRACTION, given):
        return Fraction(given)
    if isinstance(given, str) and not re.match(DECIMAL, given):
        raise fault("", f"{describe(given)} is not a fraction", 'write it as "1/5"')
    return Fraction(_exact(given))


def _whole(given: object) -> int:
    if isinstance(given, str):
        raise fault("", f"{describe(given)} is not a whole number", "write it without quotes")
    number = decimal(given)
    if number != number.to_integral_value():
        raise fault("", f"{describe(given)} is not a whole number", "give a whole number")
    return int(number)


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise fault("", f"{describe(given)} is not a text", "give a text, between quotes")
    return given


def _yes_or_no(given: object) -> bool:
    if not isinstance(given, bool):
        raise fault("", f"{describe(given)} is not true or false", "give true or false")
    return given
