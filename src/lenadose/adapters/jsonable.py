"""Courses and decisions as JSON: a course is read strictly and written back unchanged, a decision is written whole.

Every fault of a document is reported, each with its place, the reason and the mend.
"""

import datetime as dt
import json
import re
from collections.abc import Container, Iterable, Iterator
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, get_args

from attrs import NOTHING, Attribute, fields, frozen, has
from cattrs import Converter

from ..course import DIGITS, Course, Measurement, decimal, one_of, shown
from ..errors import DocumentError, Fault, LenadoseError, fault
from ..machine import Decision, NextVisit
from ..protocol import Protocol
from ..protocols import unknown_protocol
from ..provenance import Provenance
from ..reasons import Rationale, rationale
from ..render import NOT_A_DEVICE
from ..vocabulary import DIMENSIONS, Action, Tag, Word

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON can hold."""

T = TypeVar("T")

DATE = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)"
LARGEST = 4_000_000
"""The largest document that is read, in bytes; a course of a lifetime of visits is much smaller."""
MOST_FAULTS = 1000
"""With more faults than this in one list the rest of it is not looked at."""


# Reading


@frozen
class _Refused:
    """Stands in a document where a value could not be read, until its place is known."""

    reason: str
    mend: str


class _Partly(DocumentError):
    """A record or a list of which only a part could be read, with that part: it may contradict other parts."""

    def __init__(self, faults: Iterable[Fault], read: object) -> None:
        super().__init__(faults)
        self.read = read


def load_course(path: str | Path, protocols: Container[str] | None = None) -> Course:
    """Read a course from a file; raises DocumentError for what cannot be read, with every fault."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "is no path").lower()
        place = shown(str(path))[1:-1] or '""'
        raise DocumentError((Fault(place, reason, "give the path of a course file"),)) from None
    return parse_course(content, protocols)


def parse_course(text: str | bytes, protocols: Container[str] | None = None) -> Course:
    """Read a course from JSON text; raises DocumentError for what cannot be read, with every fault."""
    return read_course(parse(text), protocols)


def read_course(document: object, protocols: Container[str] | None = None) -> Course:
    """Read a course from data as `json.loads` gives it; raises DocumentError with every fault.

    With `protocols`, a course that names another one is a fault too.
    """
    faults: list[Fault] = []
    named = document.get("protocol") if isinstance(document, dict) else None
    if protocols is not None and isinstance(named, str) and named not in protocols:
        faults.append(unknown_protocol(named))
    try:
        course: Course = _reader().structure(document, Course)
    except LenadoseError as error:
        faults += (each if each.place else each.within("course") for each in error.faults)
    if faults:
        raise DocumentError(faults)
    return course


def parse(text: str | bytes) -> object:
    """Read JSON text, numbers exactly as they are written; raises DocumentError naming line and column."""
    if len(text) > LARGEST:
        raise DocumentError((Fault("course", f"more than {LARGEST} bytes", "give one course, with its visits"),))
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=lambda word: _Refused(f"{word} is not a finite number", "leave it out if it is not known"),
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise DocumentError((Fault(f"byte {error.start}", "is not UTF-8", "save the file as UTF-8"),)) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError((Fault(place, f"is not JSON: {error.msg.lower()}", "mend the JSON there"),)) from None
    except RecursionError:
        mend = "give a course as the schema describes it"
        raise DocumentError((Fault("course", "is nested too deeply", mend),)) from None


def _number(text: str) -> object:
    try:
        number = decimal(Decimal(text)) if len(text) <= 40 else None
    except (ArithmeticError, LenadoseError):
        number = None
    if number is None:
        return _Refused("a number that other programs would change", f"write it with at most {DIGITS} digits")
    # A whole number may be written 11 or 11.0, in JSON they are the same.
    return int(number) if number == number.to_integral_value() else number


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        found[key] = _Refused("is given twice", "keep one of the two") if key in found else value
    return found


@cache
def _reader() -> Converter:
    """Give the converter that reads a course: each kind of value strictly, each record completely."""
    converter = Converter(detailed_validation=False)

    def record(kind: type[T]) -> Any:
        return lambda given, _: _read_record(converter, kind, given)

    def entries(kind: Any) -> Any:
        entry = get_args(kind)[0]
        return lambda given, _: _read_entries(converter, entry, given)

    converter.register_structure_hook_factory(has, record)
    converter.register_structure_hook_factory(lambda kind: getattr(kind, "__origin__", None) is tuple, entries)
    converter.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Word), _word)
    converter.register_structure_hook(dt.date, _date)
    converter.register_structure_hook(Decimal, lambda given, _: decimal(given))
    # In JSON 11 and 11.0 are the same number.
    converter.register_structure_hook(
        int, lambda given, _: int(given) if isinstance(given, float) and given.is_integer() else given
    )
    # The checks of the fields themselves look at texts and at true and false.
    for plain in (str, bool):
        converter.register_structure_hook(plain, lambda given, _: given)
    return converter


def _read_record(converter: Converter, kind: type[T], given: object) -> T:
    """Read a record: unknown and missing keys, every field by its kind and its own check, then contradictions."""
    # Every kind that is read is a Recorded, which the converter's hooks cannot tell the type checker.
    attributes = {each.name: each for each in fields(kind) if each.init}  # type: ignore[arg-type]
    if isinstance(given, _Refused):
        raise fault("", given.reason, given.mend)
    if kind is Measurement and isinstance(given, int | float | Decimal) and not isinstance(given, bool):
        raise fault("", f"a bare number, {shown(given)}", 'give the value with its unit: {"value": ..., "unit": ...}')
    if not isinstance(given, dict):
        raise fault("", f"{shown(given)} is not an object", f"give an object with {', '.join(attributes)}")
    faults = [_unknown_key(key, attributes) for key in given if key not in attributes]
    read: dict[str, object] = {}
    for name, each in attributes.items():
        try:
            if name in given:
                read[name] = _read_field(converter, each, given[name])
            elif each.default is NOTHING:
                raise fault(name, "is missing", "give it")
            else:
                read[name] = each.default
        except LenadoseError as error:
            faults += error.faults
            if isinstance(error, _Partly):
                read[name] = error.read
    faults += kind.contradictions(read)  # type: ignore[attr-defined]
    if faults:
        raise _Partly(faults, SimpleNamespace(**read))
    return kind(**read)


def _unknown_key(key: object, known: Iterable[str]) -> Fault:
    near = get_close_matches(str(key), known, 1)
    mend = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return Fault(shown(key).strip("'") or '""', "unknown key", mend)


def _read_field(converter: Converter, attribute: "Attribute[Any]", given: object) -> object:
    """Read a field by its kind, then hold it against the check that the field itself carries."""
    name = attribute.name
    try:
        if given is None:
            optional = attribute.default is not NOTHING
            raise fault("", "null is not a value", "leave the key out if it is not known" if optional else "give it")
        if isinstance(given, _Refused):
            raise fault("", given.reason, given.mend)
        value = converter.structure(given, attribute.type)  # type: ignore[arg-type]
    except _Partly as error:
        raise _Partly((each.within(name) for each in error.faults), error.read) from None
    except LenadoseError as error:
        raise DocumentError(each.within(name) for each in error.faults) from None
    if attribute.validator is not None:
        attribute.validator(None, attribute, value)
    return value


def _read_entries(converter: Converter, kind: type[T], given: object) -> tuple[T, ...]:
    if not isinstance(given, list):
        raise fault("", f"{shown(given)} is not a list", f"give a list of {kind.__name__.lower()}s")
    faults: list[Fault] = []
    read: list[object] = []
    for index, each in enumerate(given):
        try:
            read.append(converter.structure(each, kind))
        except LenadoseError as error:
            faults += [fault.within(f"[{index}]") for fault in error.faults]
            read.append(error.read if isinstance(error, _Partly) else None)
            if len(faults) > MOST_FAULTS:
                faults.append(Fault(f"[{index + 1}]", "not looked at any more", "mend the faults before it"))
                break
    if faults:
        raise _Partly(faults, tuple(read))
    return tuple(read)  # type: ignore[arg-type]  # without a fault every entry was read


def _date(given: object, _: object) -> dt.date:
    if isinstance(given, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return dt.date.fromisoformat(given)
        except ValueError:
            raise fault("", f"there is no {given}", "check the day and the month") from None
    raise fault("", f"{shown(given)} is not a date", 'write it as "2026-01-05"')


def _word(given: object, kind: type[Word]) -> Word:
    word = one_of(kind, given)
    if word is None:
        raise fault("", f"{shown(given)} is not known", f"write one of {', '.join(each.said for each in kind)}")
    return word


# Writing


def course_data(course: Course) -> dict[str, Json]:
    """Give a course as the data it is read from; what is unknown is left out."""
    data = _recorded(course)
    assert isinstance(data, dict)
    return {key: data[key] for key in ("protocol", "patient", "visits") if key in data}


def _recorded(value: object) -> Json:
    match value:
        case Word():
            return value.said
        case dt.date():
            return value.isoformat()
        case Decimal():
            return number(value)
        case tuple():
            return [_recorded(each) for each in value]
        case bool() | int() | str():
            return value
    given = ((each.name, getattr(value, each.name)) for each in fields(type(value)) if each.init)  # type: ignore[arg-type]
    return {name: _recorded(each) for name, each in given if each is not None}


def number(value: Decimal) -> int | float:
    """Give a decimal of up to 15 digits as a JSON number, exactly."""
    return int(value) if value == value.to_integral_value() else float(value)


def decision_data(decision: Decision) -> dict[str, Json]:
    """Give a decision whole, as plain data: what was decided, on which facts, and every reason for it."""
    why = rationale(decision)
    next_visit = decision.next_visit
    return {
        **identity(decision.protocol),
        "patient": decision.seen.patient.id,
        "visit": decision.visit.date.isoformat(),
        "action": decision.action.code,
        "rule": decision.rule.id,
        "dosage": None
        if decision.dosage is None
        else {
            "mg": number(decision.dosage.mg),
            "every_days": decision.dosage.every_days,
            "text": str(decision.dosage),
        },
        "next_visit": None if next_visit is None else _dates_of(next_visit),
        "provenance": _provenance(decision.case.provenance),
        "facts": {name: getattr(decision.facts, name).code for name, _ in DIMENSIONS},
        "phase_after": decision.phase_after.code,
        "missing": [{"field": gap.field, "why": gap.why.code} for gap in decision.missing],
        "possible_actions": [action.code for action in Action if action in decision.possible_actions],
        "obtain_first": decision.obtain_first,
        "reasons": list(_reasons(why)),
        "reason": why.reason,
        "assumptions": [entry.id for entry in why.assumptions],
        "supply": None
        if why.supply is None
        else {
            "days": why.supply.days,
            "days_to_next_visit": why.supply.days_to_next_visit,
            "shortfall": why.supply.shortfall,
        },
        "falls_due": [{"field": each.field, "dates": [str(day) for day in each.days]} for each in why.falls_due],
        "limits": decision.protocol.evidence,
        "notice": NOT_A_DEVICE,
    }


def replay_data(protocol: Protocol, decisions: tuple[Decision, ...]) -> dict[str, Json]:
    """Give the decisions on a course as plain data, with the protocol that made them."""
    return {**identity(protocol), "decisions": [decision_data(each) for each in decisions]}


def identity(protocol: Protocol) -> dict[str, Json]:
    """Give what names exactly this protocol."""
    return {"protocol": {"id": protocol.id, "version": protocol.version, "hash": protocol.hash}}


def ledger_data(protocol: Protocol) -> dict[str, Json]:
    """Give all that a protocol says and the trial does not state, as plain data."""
    return {
        **identity(protocol),
        "notice": NOT_A_DEVICE,
        "assumptions": [
            {"id": each.id, "words": each.words, "value": each.value, **_provenance(each.provenance)}
            for each in protocol.ledger
            if each.provenance.tag is not Tag.STATED
        ],
    }


def _dates_of(next_visit: NextVisit) -> dict[str, Json]:
    return {
        "earliest": next_visit.earliest.isoformat(),
        "due": next_visit.due.isoformat(),
        "latest": next_visit.latest.isoformat(),
    }


def _provenance(provenance: Provenance) -> dict[str, Json]:
    return {"tag": provenance.tag.code, "source": provenance.source, "words": provenance.words}


def _reasons(why: Rationale) -> Iterator[Json]:
    for each in why.inputs:
        yield {
            "kind": "input",
            "field": each.field,
            "value": _value(each.value),
            "unit": each.unit,
            "date": each.on.isoformat(),
            "age_days": each.age_days,
        }
    for figure in why.arithmetic:
        yield {
            "kind": "arithmetic",
            "name": figure.name,
            "value": _value(figure.value),
            "unit": figure.unit,
            "working": figure.working,
        }
    for check in why.criteria:
        yield {
            "kind": "criterion",
            "id": check.id,
            "words": check.words,
            "value": _value(check.value),
            "threshold": check.threshold,
            "working": check.working,
            "unit": check.unit,
            "met": check.met,
            "tag": check.provenance.tag.code,
            "source": check.provenance.source,
        }
    for notice in why.notices:
        yield {"kind": "notice", "id": notice.id, "words": notice.words}


def _value(value: object) -> Json:
    match value:
        case Decimal():
            return number(value)
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
