"""A mapping: which columns, codes, units and words of a table or of FHIR mean what.

It is a TOML file; `builtin.toml` beside this module is one, for CDISC SDTM and for the table that
`lenadose cohort` reads. What a mapping file says comes before what is built in.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from attrs.validators import in_, optional

from lenadose.formats.files import faults_in, load
from lenadose.formats.reader import Reader, parse_toml, unknown_key
from lenadose.record.adverse_event import CTCAE_EDITIONS
from lenadose.record.fields import RecordPart
from lenadose.terms.dosage import EVERY_DAYS
from lenadose.terms.errors import Fault, LenadoseError, describe, fault
from lenadose.terms.facts import Term
from lenadose.terms.validation import Check, duplicates

T = TypeVar("T")
Texts = Mapping[str, str]
Numbers = Mapping[str, int]

TEST_FIELDS = (
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "pregnancy_tests",
    "creatinine",
    "weight",
    "clasi_activity",
    "clasi_damage",
    "doses_missed",
)
"""The fields that a test of a laboratory table, or a code of an Observation, may be."""

_CODE_FIELDS = (*TEST_FIELDS, "positive", "negative", "lenalidomide")

_PATIENT = (
    "age",
    "age_unit",
    "birth_date",
    "sex",
    "able_to_become_pregnant",
    "regular_cycles",
    "subtype",
    "antiphospholipid",
)
_MEASURED = tuple(
    f"{name}{part}"
    for name in ("neutrophils", "platelets", "creatinine_clearance", "creatinine", "weight")
    for part in ("", "_unit", "_date")
)

COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "results": (
            ("patient", "date", "test", "value"),
            ("unit", "comparator", "status", "specimen"),
        ),
        "visits": (
            ("patient", "date"),
            (
                "clasi_activity",
                "clasi_damage",
                *_MEASURED,
                "pregnancy_tests",
                "pregnancy_test",
                "pregnancy_test_date",
                "adverse_events",
                "no_adverse_events",
                "dosage_taken_mg",
                "dosage_taken_every_days",
                "doses_missed",
                "judgement",
                "judgement_reason",
                "stopped",
                *_PATIENT,
            ),
        ),
        "events": (("patient", "date", "term"), ("verbatim", "end", "grade", "ctcae")),
        "dosages": (("patient", "date", "mg"), ("unit", "every_days", "end", "drug")),
        "patients": (("patient",), _PATIENT),
    }
)
"""The kinds of rows, each with the columns that it needs and those that it may have."""


def _read_only(value: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(dict(value))


_is_kind = Check((in_(COLUMNS), "{} is not a kind of rows", f"write one of {', '.join(COLUMNS)}"))
_is_edition = Check(
    (
        in_(CTCAE_EDITIONS),
        "{} is not an edition of CTCAE",
        f"give one of {', '.join(CTCAE_EDITIONS)}",
    )
)
_is_mark = Check((in_((".", ",")), "{} is not a decimal mark", 'give "." or ","'))
_is_field = Check(
    (in_(_CODE_FIELDS), "{} is not a field", f"give one of {', '.join(_CODE_FIELDS)}")
)


@frozen
class Table(RecordPart):
    """How the rows of a table are read.

    `rows` is a key of `COLUMNS`, and `columns` names the column of the table for each of its
    columns. Of several tables the first fits that has all of these columns and whose `file`, a
    pattern such as "lb*.csv", and `where`, the values of some columns, are those of the row.
    `tests` says which field a test is, `units` the unit of a field that has no column for it, and
    `lenient` that the table may be without the columns that this kind of rows does not need.
    """

    rows: str = field(validator=_is_kind)
    columns: Texts = field(converter=_read_only, hash=False)
    file: str | None = None
    where: Texts = field(factory=dict, converter=_read_only, hash=False)
    tests: Texts = field(factory=dict, converter=_read_only, hash=False)
    units: Texts = field(factory=dict, converter=_read_only, hash=False)
    lenient: bool = False

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a column that is missing or not known, and for an unknown field."""
        needed, others = COLUMNS[self.rows]
        known = (*needed, *others)
        for name in needed:
            if name not in self.columns:
                yield Fault(f"columns.{name}", "is missing", "name the column of the table")
        for name in self.columns:
            if name not in known:
                yield unknown_key(name, known).within("columns")
        for name, meant in self.tests.items():
            if meant not in TEST_FIELDS:
                reason = f"{describe(meant)} is not a field"
                fix = f"write one of {', '.join(TEST_FIELDS)}"
                yield Fault(f"tests.{name}", reason, fix)
        if self.rows == "results" and not self.tests:
            yield Fault("tests", "is missing", "say which test is which field")
        for name in self.units:
            if f"{name}_unit" not in _MEASURED and name != "dosage_taken":
                yield Fault(f"units.{name}", "is not a field with a unit", "leave it out")


@frozen
class Values(RecordPart):
    """How cells are read, and what words in them mean; words are compared without regard to case.

    `dates` are patterns of strptime such as "%d/%m/%Y"; ISO dates are always read. Of a date-time
    the day counts that is written, in the time zone in which it is written. `ctcae` is the edition
    of all grades that have none of their own. `blood` are words of a specimen of blood: counts and
    creatinine of another, such as urine, are not read.
    """

    missing: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    female: tuple[str, ...] = ()
    male: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    blood: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    decimal: str = field(default=".", validator=_is_mark)
    delimiter: str = ","
    ctcae: str | None = field(default=None, validator=optional(_is_edition))
    units: Texts = field(factory=dict, converter=_read_only, hash=False)
    terms: Texts = field(factory=dict, converter=_read_only, hash=False)
    every_days: Numbers = field(factory=dict, converter=_read_only, hash=False)

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a word with two meanings, and for a part that cannot be used."""
        for one, other in (("yes", "no"), ("female", "male"), ("positive", "negative")):
            first = {word.casefold() for word in getattr(self, one)}
            for index, word in enumerate(getattr(self, other)):
                if word.casefold() in first:
                    yield Fault(f"{other}[{index}]", f"is also {one}", "keep one of the two")
        for index, pattern in enumerate(self.dates):
            if "%d" not in pattern or not re.search("%[mbB]", pattern) or "%Y" not in pattern:
                reason = f"{describe(pattern)} has no day, no month or no year of four digits"
                yield Fault(f"dates[{index}]", reason, 'write it as "%d/%m/%Y"')
        if len(self.delimiter) != 1:
            yield Fault("delimiter", "is not one sign", 'give ",", ";" or "\\t"')
        for name, days in self.every_days.items():
            if not EVERY_DAYS[0] <= days <= EVERY_DAYS[1]:
                yield Fault(f"every_days.{name}", f"{days} is outside its range", "1 is daily")


@frozen
class MappedCode(RecordPart):
    """A code of a FHIR resource: its system, the code, and what it is here."""

    system: str
    code: str
    field: str = field(validator=_is_field)


@frozen
class Fhir(RecordPart):
    """The meanings of local codes, and the URL of the extension that holds a CTCAE grade."""

    codes: tuple[MappedCode, ...] = ()
    grade: str | None = None

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a code with two meanings."""
        yield from duplicates("codes", (f"{code.system}|{code.code}" for code in self.codes))


@frozen
class ImportMapping(RecordPart):
    """A mapping file: tables, values and FHIR."""

    table: tuple[Table, ...] = ()
    values: Values = Values()
    fhir: Fhir = Fhir()


def load_mapping(path: str | Path | None = None) -> ImportMapping:
    """Return the built-in mapping, after that of a file if one is given.

    Raises DocumentError with every fault.
    """
    if path is None:
        return _built_in()
    content = load(path, "mapping")
    with faults_in(path):
        return _together(read_mapping(parse_toml(content, "mapping")), _built_in())


def read_mapping(document: object) -> ImportMapping:
    """Return a mapping from parsed TOML; raises LenadoseError with every fault."""
    mapping: ImportMapping = _reader().read(ImportMapping, document)
    return mapping


@cache
def _built_in() -> ImportMapping:
    text = Path(__file__).with_name("builtin.toml").read_bytes()
    return read_mapping(parse_toml(text, "mapping"))


def _together(own: ImportMapping, built_in: ImportMapping) -> ImportMapping:
    """Return two mappings as one; of what both say the first counts."""
    merged: dict[str, Any] = {}
    lists = ("yes", "no", "female", "male", "positive", "negative", "blood", "missing", "dates")
    for name in lists:
        said = getattr(own.values, name)
        opposite = {"yes": "no", "female": "male", "positive": "negative"}
        opposite |= {other: one for one, other in opposite.items()}
        against = {word.casefold() for word in getattr(own.values, opposite.get(name, ""), ())}
        others = getattr(built_in.values, name)
        merged[name] = (*said, *(word for word in others if word.casefold() not in against))
    for name in ("units", "terms", "every_days"):
        merged[name] = {**getattr(built_in.values, name), **getattr(own.values, name)}
    values = evolve(own.values, **merged)
    return ImportMapping((*own.table, *built_in.table), values, own.fhir)


@cache
def _reader() -> Reader:
    kinds = {str: _text, bool: _truth, Texts: _texts, Numbers: _numbers}
    return Reader(kinds, _no_term)


def _no_term(value: object, kind: type[Term]) -> Term:
    raise NotImplementedError(kind)  # a mapping holds none


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise fault("", f"{describe(value)} is not a text", 'write it between quotes: "-99"')
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise fault("", f"{describe(value)} is not true or false", "write true or false")
    return value


def _texts(value: object) -> Texts:
    return {key: _entry(key, _text, each) for key, each in _pairs(value)}


def _numbers(value: object) -> Numbers:
    return {key: _entry(key, _whole, each) for key, each in _pairs(value)}


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise fault("", f"{describe(value)} is not a whole number", "give a whole number")
    return value


def _pairs(value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        raise fault("", f"{describe(value)} is not a table", "write it as { name = ... }")
    yield from value.items()


def _entry(key: str, read: Callable[[object], T], value: object) -> T:
    try:
        return read(value)
    except LenadoseError as error:
        raise type(error)(
            each.within(re.sub(r"[^\w-]", "?", key)) for each in error.faults
        ) from None
