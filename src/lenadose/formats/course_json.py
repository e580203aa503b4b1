"""A course as JSON: read strictly, written back unchanged."""

import datetime as dt
import re
from collections.abc import Container
from decimal import Decimal
from functools import cache
from pathlib import Path

from attrs import fields
from cattrs import Converter

from lenadose.formats.reader import load, make_converter, parse, read_record
from lenadose.protocol.builtin import unknown_protocol
from lenadose.record.course import Course
from lenadose.record.fields import decimal, one_of
from lenadose.record.visit import Measurement
from lenadose.terms.errors import DocumentError, Fault, LenadoseError, describe, fault
from lenadose.terms.facts import Term

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON can hold."""

DATE = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)"

# Reading


def load_course(path: str | Path, protocols: Container[str] | None = None) -> Course:
    """Read a course from a file; raises DocumentError for what cannot be read, with every fault."""
    return parse_course(load(path, "course"), protocols)


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


@cache
def _reader() -> Converter:
    """Give the converter that reads a course: each kind of value strictly, each record completely."""
    converter = make_converter(_word)

    def measurement(given: object, _: object) -> Measurement:
        if isinstance(given, int | float | Decimal) and not isinstance(given, bool):
            fix = 'give the value with its unit: {"value": ..., "unit": ...}'
            raise fault("", f"a bare number, {describe(given)}", fix)
        return read_record(converter, Measurement, given)

    converter.register_structure_hook(Measurement, measurement)
    converter.register_structure_hook(dt.date, _date)
    converter.register_structure_hook(Decimal, lambda given, _: decimal(given))
    # In JSON 11 and 11.0 are the same number.
    converter.register_structure_hook(
        int,
        lambda given, _: int(given) if isinstance(given, float) and given.is_integer() else given,
    )
    # The checks of the fields themselves look at texts and at true and false.
    for format_decimal in (str, bool):
        converter.register_structure_hook(format_decimal, lambda given, _: given)
    return converter


def _date(given: object, _: object) -> dt.date:
    if isinstance(given, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return dt.date.fromisoformat(given)
        except ValueError:
            raise fault("", f"there is no {given}", "check the day and the month") from None
    raise fault("", f"{describe(given)} is not a date", 'write it as "2026-01-05"')


def _word(given: object, kind: type[Term]) -> Term:
    word = one_of(kind, given)
    if word is None:
        raise fault(
            "",
            f"{describe(given)} is not known",
            f"write one of {', '.join(each.label for each in kind)}",
        )
    return word


# Writing


def course_data(course: Course) -> dict[str, Json]:
    """Give a course as the data it is read from; what is unknown is left out."""
    data = _recorded(course)
    assert isinstance(data, dict)
    return {key: data[key] for key in ("protocol", "patient", "visits") if key in data}


def _recorded(value: object) -> Json:
    match value:
        case Term():
            return value.label
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
