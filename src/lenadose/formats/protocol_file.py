"""Protocols as JSON or TOML files, read as strictly as protocols are built, with the same checks.

The data is that of `lenadose show --as json`, or what differs from a built-in protocol. Its words
are from closed lists, and nothing is evaluated.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path

from attrs import evolve, field, frozen
from attrs.validators import and_, gt, le

from lenadose.formats.based_on import base_of, inherited, whole_document
from lenadose.formats.files import faults_in, format_path, load
from lenadose.formats.reader import DECIMAL, Reader, exact, parse, parse_toml, unknown_key
from lenadose.protocol.builtin import BUILT_IN, get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule, RuleTable
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, DoseLadder, Level
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
from lenadose.terms.numbers import decimal
from lenadose.terms.provenance import Provenance
from lenadose.terms.validation import Check, duplicates, not_empty, whole

FRACTION = r"^[0-9]{1,6}/0*[1-9][0-9]{0,5}$(?!\n)"
"""How a fraction is written as text."""


def load_protocol(path: str | Path) -> Protocol:
    """Read a protocol from a .toml or .json file.

    Raises DocumentError with every fault, the file in front of each.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".toml", ".json"):
        fix = "name the file by what is written in it, .toml or .json"
        raise DocumentError((Fault(format_path(path), "is neither a .toml nor a .json file", fix),))
    content = load(path, "protocol")
    with faults_in(path):
        return parse_protocol(content, toml=suffix == ".toml")


def parse_protocol(text: str | bytes, toml: bool = False) -> Protocol:
    """Read a protocol from JSON text, or from TOML text; raises DocumentError with every fault."""
    return read_protocol(parse_toml(text, "protocol") if toml else parse(text, "protocol"))


def read_protocol(document: object) -> Protocol:
    """Read a protocol from data as `json.loads` returns it; raises DocumentError with every fault.

    A protocol read from `Protocol.data` is equal to the first and has the same hash.
    """
    try:
        base = base_of(document)
        if base is not None:
            assert isinstance(document, dict)
            document = whole_document(document, base)
        protocol: Protocol = _ProtocolReader().read(Protocol, document)
        faults = tuple(inherited(protocol.data, base.data, "")) if base is not None else ()
        if faults:
            raise DocumentError(faults)
        _check_name(protocol)
    except LenadoseError as error:
        raise DocumentError(
            fault if fault.place else fault.within("protocol") for fault in error.faults
        ) from None
    return protocol


def _check_name(protocol: Protocol) -> None:
    """Check that a protocol is not taken for a built-in one, whose decisions it does not make."""
    if protocol.id in BUILT_IN:
        built = get_protocol(protocol.id)
        if protocol.version == built.version and protocol.hash != built.hash:
            reason = f"{protocol.name} is built in, with other content"
            raise fault("version", reason, "give the file an id or a version of its own")


# A file writes some values in another shape than the classes they are read into.


_is_amount = Check(
    (
        and_(gt(MG[0]), le(MG[1])),
        "{} is outside its range",
        f"give more than {MG[0]} mg, at most {MG[1]}",
    ),
    exclusiveMinimum=MG[0],
    maximum=MG[1],
)


@frozen
class DosageInFile:
    """A dosage as a file writes it: without a default, as a frequency left out is not daily."""

    mg: Decimal = field(validator=_is_amount)
    every_days: int = field(validator=whole(*EVERY_DAYS, "the days from one dose to the next"))


@frozen
class LevelInFile:
    """A level as a file writes it: its place in the list is its rank."""

    dosage: Dosage
    provenance: Provenance


@frozen
class LadderInFile:
    """A ladder as a file writes it: the start is named by its dosage."""

    levels: tuple[LevelInFile, ...] = field(validator=not_empty)
    start: Dosage


@frozen
class WhenInFile:
    """The facts of a case as a file writes them: one that is left out admits any word."""

    phase: frozenset[Phase] = frozenset(Phase)
    response: frozenset[Response] = frozenset(Response)
    safety: frozenset[Safety] = frozenset(Safety)
    timing: frozenset[Timing] = frozenset(Timing)
    trial: frozenset[TherapeuticTrial] = frozenset(TherapeuticTrial)
    position: frozenset[Position] = frozenset(Position)


@frozen
class CaseInFile:
    """A case as a file writes it."""

    when: WhenInFile
    provenance: Provenance


class _ProtocolReader(Reader):
    """Reads one protocol; keeps the levels of its ladder, which other parts name by dosage."""

    def __init__(self) -> None:
        sets = {frozenset[kind]: self._admitted(kind) for _, kind in DIMENSIONS}  # type: ignore[valid-type]
        super().__init__(
            {
                **sets,
                Interval: _interval,
                Dosage: self._dosage,
                DoseLadder: self._ladder,
                Level: self._level,
                Case: self._case,
                RuleTable: self._table,
                Decimal: exact,
                Fraction: _fraction,
                int: _whole,
                str: _text,
                bool: _flag,
            },
            _term,
        )
        self._levels: tuple[Level, ...] = ()

    def _dosage(self, document: object) -> Dosage:
        shape = self.read(DosageInFile, document)
        return Dosage(shape.mg, shape.every_days)

    def _ladder(self, document: object) -> DoseLadder:
        shape = self.read(LadderInFile, document)
        self._levels = tuple(
            Level(rank, level.dosage, level.provenance) for rank, level in enumerate(shape.levels)
        )
        start = self._level_of(shape.start, "start")
        return DoseLadder(self._levels, start)

    def _level(self, document: object) -> Level | None:
        dosage = self.read(Dosage, document)
        # The ladder is read first; one that could not be read has reported its own faults.
        return self._level_of(dosage) if self._levels else None

    def _level_of(self, dosage: Dosage, place: str = "") -> Level:
        for level in self._levels:
            if level.dosage == dosage:
                return level
        fix = f"give the dosage of a level: {', '.join(map(str, self._levels))}"
        raise fault(place, f"{dosage} is not a level", fix)

    def _case(self, document: object) -> Case:
        shape = self.read(CaseInFile, document)
        return Case(shape.provenance, *(getattr(shape.when, name) for name, _ in DIMENSIONS))

    def _table(self, document: object) -> RuleTable:
        rules = self.read_list(Rule, document)
        try:
            return RuleTable(rules)
        except ProtocolError as error:
            # The table names its faults from the protocol downwards, as the reader will again.
            raise ProtocolError(
                evolve(fault, place=fault.place.removeprefix("rules").removeprefix("."))
                for fault in error.faults
            ) from None

    def _admitted(self, kind: type[Term]) -> Callable[[object], frozenset[Term]]:
        """Return the function that reads the words a cell of the table admits."""

        def read(document: object) -> frozenset[Term]:
            terms: tuple[Term, ...] = self.read_list(kind, document)
            if not terms:
                fix = "give a word, or leave the fact out to admit any"
                raise fault("", "nothing would fit an empty list", fix)
            faults = tuple(duplicates("", (term.code for term in terms), "keep one of the two"))
            if faults:
                raise DocumentError(faults)
            return frozenset(terms)

        return read


def _term(value: object, kind: type[Term]) -> Term:
    """Read a term by its code."""
    codes = {term.code: term for term in kind}
    term = codes.get(value) if isinstance(value, str) else None
    if term is None:
        near = get_close_matches(value[:60], codes, 1) if isinstance(value, str) else ()
        fix = f"did you mean {near[0]}?" if near else f"known: {', '.join(codes)}"
        raise fault("", f"{describe(value)} is not known", fix)
    return term


def _interval(document: object) -> Interval:
    fix = 'give a number of one unit: {"weeks": 4}'
    if not isinstance(document, dict):
        raise fault("", f"{describe(document)} is not an interval", fix)
    units = {unit.code: unit for unit in Unit}
    faults = [unknown_key(key, units) for key in document if key not in units]
    if faults:
        raise DocumentError(faults)
    if len(document) != 1:
        raise fault("", f"an interval of {len(document)} units", fix)
    ((code, count),) = document.items()
    try:
        if isinstance(count, Fault):
            raise DocumentError((count,))
        if count is None:
            raise fault("", "null is not a value", "give it")
        return Interval(_whole(count), units[code])
    except LenadoseError as error:
        # The number is written at the unit.
        raise DocumentError(evolve(fault, place=code) for fault in error.faults) from None


def _fraction(value: object) -> Fraction:
    if isinstance(value, str) and re.match(FRACTION, value):
        return Fraction(value)
    if isinstance(value, str) and not re.match(DECIMAL, value):
        raise fault("", f"{describe(value)} is not a fraction", 'write it as "1/5"')
    return Fraction(exact(value))


def _whole(value: object) -> int:
    if isinstance(value, str):
        raise fault("", f"{describe(value)} is not a whole number", "write it without quotes")
    number = decimal(value)
    if number != number.to_integral_value():
        raise fault("", f"{describe(value)} is not a whole number", "give a whole number")
    return int(number)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise fault("", f"{describe(value)} is not a text", "give a text, between quotes")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise fault("", f"{describe(value)} is not true or false", "give true or false")
    return value
