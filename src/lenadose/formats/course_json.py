"""A course as JSON: read strictly, written back unchanged."""

import datetime as dt
import re
from collections.abc import Container
from decimal import Decimal
from functools import cache
from pathlib import Path

from attrs import fields

from lenadose.formats.files import faults_in, load
from lenadose.formats.reader import Reader, parse
from lenadose.protocol.builtin import unknown_protocol
from lenadose.record.course import Course
from lenadose.record.fields import one_of
from lenadose.terms.errors import DocumentError, Fault, LenadoseError, describe, fault
from lenadose.terms.facts import Term
from lenadose.terms.numbers import decimal

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""The values that JSON can hold."""

DATE = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)"

# Reading


def load_course(path: str | Path, protocols: Container[str] | None = None) -> Course:
    """Read a course from a file.

    Raises DocumentError with every fault, the file in front of each.
    """
    content = load(path, "course")
    with faults_in(path):
        return parse_course(content, protocols)


def parse_course(text: str | bytes, protocols: Container[str] | None = None) -> Course:
    """Read a course from JSON text; raises DocumentError with every fault."""
    return read_course(parse(text), protocols)


def read_course(document: object, protocols: Container[str] | None = None) -> Course:
    """Read a course from data as `json.loads` returns it; raises DocumentError with every fault.

    Dates and tuples, which a program may have made of the data, are read too. With `protocols`,
    naming any other is a fault too.
    """
    faults: list[Fault] = []
    named = document.get("protocol") if isinstance(document, dict) else None
    if protocols is not None and isinstance(named, str) and named not in protocols:
        faults.append(unknown_protocol(named))
    try:
        course: Course = record_reader().read(Course, document)
    except LenadoseError as error:
        faults += (fault if fault.place else fault.within("course") for fault in error.faults)
    if faults:
        raise DocumentError(faults)
    return course


@cache
def record_reader() -> Reader:
    """Return the reader of a course and its parts."""
    # The fields themselves look at whole numbers, at texts, and at true and false.
    return Reader(
        {int: _as_is, Decimal: decimal, dt.date: read_date, str: _as_is, bool: _as_is}, _term
    )


def _as_is(value: object) -> object:
    return value


def read_date(value: object) -> dt.date:
    """Read a date as data has it: "2026-01-05"."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise fault("", f"there is no {value}", "check the day and the month") from None
    raise fault("", f"{describe(value)} is not a date", 'write it as "2026-01-05"')


def _term(value: object, kind: type[Term]) -> Term:
    term = one_of(kind, value)
    if term is None:
        fix = f"write one of {', '.join(term.label for term in kind)}"
        raise fault("", f"{describe(value)} is not known", fix)
    return term


# Writing


def course_data(course: Course) -> dict[str, Json]:
    """Return a course as the data it is read from, without its unknown facts.

    Raises CallError for anything else.
    """
    if not isinstance(course, Course):
        raise fault("course", f"{describe(course)} is not a course", "give a Course")
    data = plain_record(course)
    assert isinstance(data, dict)
    return {key: data[key] for key in ("protocol", "patient", "visits") if key in data}


def plain_record(value: object) -> Json:
    """Return a recorded value as plain data, without what is not known."""
    match value:
        case Term():
            return value.label
        case dt.date():
            return value.isoformat()
        case Decimal():
            return number(value)
        case tuple():
            return [plain_record(member) for member in value]
        case bool() | int() | str():
            return value
    parts = (
        (attribute.name, getattr(value, attribute.name))
        for attribute in fields(type(value))  # type: ignore[arg-type]  # the rest are attrs classes
        if attribute.init
    )
    return {name: plain_record(part) for name, part in parts if part is not None}


def number(value: Decimal) -> int | float:
    """Return a decimal of up to 15 digits as a JSON number, exactly."""
    return int(value) if value == value.to_integral_value() else float(value)
