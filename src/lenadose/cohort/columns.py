"""The columns of a table of visits, and the faults of a row in the words of a course's readers.

A table is refused for what a course is refused for, with its columns as the places.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import frozen

from lenadose.formats.course_json import read_course
from lenadose.formats.reader import MOST_FAULTS, parse, unknown_key
from lenadose.record.visit import ACTIVITY, AGE, DAMAGE
from lenadose.terms.dosage import MG
from lenadose.terms.errors import PRINTABLE, DocumentError, Fault, LenadoseError, describe
from lenadose.terms.numbers import decimal
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, QUANTITIES, Quantity


@frozen
class Column:
    """A column: its name, the type that it holds, and its place in a course."""

    name: str
    holds: str
    place: str
    words: str


def _visit(name: str, holds: str, words: str, place: str = "") -> Column:
    return Column(name, holds, place or name, words)


def _patient(name: str, holds: str, words: str) -> Column:
    return Column(name, holds, f"patient.{name}", words)


def _quantity(quantity: Quantity, words: str) -> tuple[Column, ...]:
    name, units = quantity.name, " or ".join(f"`{unit}`" for unit in quantity.factors)
    taken = f"when `{name}` was taken; the day of the visit if it is missing"
    return (
        Column(name, "number", f"{name}.value", f"{words}; it needs its unit"),
        Column(f"{name}_unit", "text", f"{name}.unit", f"the UCUM unit of `{name}`: {units}"),
        Column(f"{name}_date", "date", f"{name}.date", taken),
    )


_WHOLE, _LIST, _TRUTH = "whole number", "list, or JSON text", "true or false"

COLUMNS = (
    Column("patient", "text or whole number", "patient.id", "whose visit it is; required"),
    _visit("date", "date", "the day of the visit; required"),
    _visit("clasi_activity", _WHOLE, f"CLASI activity, {ACTIVITY[0]} to {ACTIVITY[1]}"),
    _visit("clasi_damage", _WHOLE, f"CLASI damage, {DAMAGE[0]} to {DAMAGE[1]}; drives no decision"),
    *_quantity(NEUTROPHILS, "neutrophil count"),
    *_quantity(PLATELETS, "platelet count"),
    *_quantity(CREATININE_CLEARANCE, "creatinine clearance, Cockcroft–Gault"),
    _visit(
        "pregnancy_tests",
        _LIST,
        "tests with `result` (negative or positive) and, if another day than that of the visit, "
        "`date`",
    ),
    _visit(
        "adverse_events",
        _LIST,
        "events with `term`, `grade`, `ctcae`, `resolved`; an empty list says that there were "
        "none, a missing one that nobody asked",
    ),
    _visit(
        "dosage_taken_mg",
        "number",
        f"mg taken since the visit before, {MG[0]} to {MG[1]}; 0 is none",
        "dosage_taken.mg",
    ),
    _visit(
        "dosage_taken_every_days",
        _WHOLE,
        "how often: 1 daily, 2 every other day",
        "dosage_taken.every_days",
    ),
    _visit("doses_missed", _WHOLE, "doses missed since the visit before"),
    _visit(
        "judgement",
        "text",
        "the clinician's judgement: improved, not improved or worse",
        "judgement.response",
    ),
    _visit("judgement_reason", "text", "the reason for it; required with it", "judgement.reason"),
    _visit("stopped", "text", "that treatment was ended, and why"),
    _patient("age", _WHOLE, f"years, {AGE[0]} or more"),
    _patient(
        "able_to_become_pregnant",
        _TRUTH,
        "the same in all visits of a patient; missing counts as able",
    ),
    _patient(
        "regular_cycles", _TRUTH, "the same in all visits of a patient; missing counts as irregular"
    ),
    _patient("subtype", "text", "of the disease; drives no decision"),
    _patient("antiphospholipid", "text", "negative or positive; drives no decision"),
)
"""Every column that is read. Only patient and date are required; any other cell may be missing."""

NAMES = tuple(column.name for column in COLUMNS)
REQUIRED = ("patient", "date")


def check_columns(names: Iterable[str]) -> None:
    """Check that a table has no unknown column, and those that are required."""
    names = tuple(names)
    unknown = [(number, name) for number, name in enumerate(names, 1) if name not in NAMES]
    faults = [
        Fault(_place(name, number), "unknown column", unknown_key(name, NAMES).fix)
        for number, name in unknown[:MOST_FAULTS]
    ]
    if len(unknown) > MOST_FAULTS:
        reason = f"{len(unknown) - MOST_FAULTS} more are unknown"
        faults.append(Fault("columns", reason, "fix the faults before it"))
    faults += (
        Fault(name, "the column is missing", "give it") for name in REQUIRED if name not in names
    )
    if faults:
        raise DocumentError(faults)


def _place(name: object, number: int) -> str:
    """Return the name of a column, or its place if it has no name that can be shown.

    In pandas a name may be a number, or a tuple.
    """
    is_shown = isinstance(name, str) and name.strip() and PRINTABLE.match(name)
    return str(name) if is_shown else f"column {number}"


def is_blank(value: object) -> bool:
    """Return whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def read_number(text: str) -> float | None:
    """Return a number from text, None for anything that other programs would not read alike."""
    number = _exact(text)
    try:
        return None if number is None else float(decimal(number))
    except LenadoseError:
        return None


def _exact(text: str) -> Decimal | None:
    text = text.strip()
    return Decimal(text) if len(text) <= 40 and _NUMBER.fullmatch(text) else None


# Faults


def faults_of(row: Mapping[str, object], before: date | None) -> list[Fault]:
    """Return the faults of a course that holds the visit of a row, after another one.

    The places are the columns.
    """
    document, faults = _document(row)
    patient = document.pop("patient", {})
    visits = [{"date": before.isoformat()}] if before is not None else []
    try:
        read_course({"visits": [*visits, document], "patient": patient})
    except LenadoseError as error:
        faults += map(_at_column, error.faults)
    return faults


def _document(row: Mapping[str, object]) -> tuple[dict[str, Any], list[Fault]]:
    """Return a row as the data of a course file, and the faults that a course cannot have."""
    document: dict[str, Any] = {}
    faults: list[Fault] = []
    for quantity in QUANTITIES.values():
        name, unit = quantity.name, f"{quantity.name}_unit"
        if not is_blank(row.get(name)) and is_blank(row.get(unit)):
            reason = f"is missing: a bare number, {describe(row[name])}"
            faults.append(Fault(unit, reason, f"give {' or '.join(quantity.factors)}"))
    # A result without its number or its unit is not one.
    absent = {
        name for name in QUANTITIES if is_blank(row.get(name)) or is_blank(row.get(f"{name}_unit"))
    }
    for column in COLUMNS:
        value = row.get(column.name)
        *groups, key = column.place.split(".")
        if is_blank(value) or column.name == "patient" or not absent.isdisjoint(groups):
            continue
        if column.holds == _LIST and isinstance(value, str):
            try:
                value = parse(value)
            except DocumentError as error:
                faults += (Fault(column.name, each.reason, each.fix) for each in error.faults)
                continue
            if value is None:  # as in a course: the key is left out
                continue
        values: dict[str, Any] = document
        for group in groups:
            values = values.setdefault(group, {})
        values[key] = _plain(value, column)
    return document, faults


def _plain(value: object, column: Column) -> object:
    """Return a cell as it is written in a course file."""
    match value:
        case date():
            return value.isoformat().removesuffix("T00:00:00")
        case str() if "number" in column.holds:
            number = _exact(value)
            return value if number is None else number
        case str() if column.holds == _TRUTH:
            return {"true": True, "false": False}.get(value.strip().lower(), value)
        case list():
            return [_plain(entry, column) for entry in value]
        case dict():
            return {key: _plain(field, column) for key, field in value.items() if field is not None}
    return value


def _at_column(fault: Fault) -> Fault:
    """Return a fault of a course as one of a table: its place is a column."""
    place = re.sub(r"^visits\[\d+\]\.", "", fault.place)
    for column in COLUMNS:
        if place == column.place or place.startswith((f"{column.place}.", f"{column.place}[")):
            name = column.name + place.removeprefix(column.place)
            return Fault(name, fault.reason, fault.fix)
    columns = (column.name for column in COLUMNS if column.place.startswith(f"{place}."))
    return Fault(next(columns, place), fault.reason, fault.fix)
