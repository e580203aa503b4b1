"""The columns of a table of visits, and the faults of a row in the words of a course's readers.

A table is refused for what a course is refused for, with columns as the places.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from attrs import frozen

from lenadose.formats.course_json import read_course
from lenadose.formats.reader import parse, unknown_key
from lenadose.record.visit import ACTIVITY, AGE, DAMAGE
from lenadose.terms.dosage import MG
from lenadose.terms.errors import DIGITS, DocumentError, Fault, LenadoseError, describe
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, QUANTITIES, Quantity


@frozen
class Column:
    """A column: its name, what it holds in words, and where a course has the same (`place`)."""

    name: str
    holds: str
    place: str
    words: str


def _quantity(quantity: Quantity, words: str) -> tuple[Column, ...]:
    name, units = quantity.name, " or ".join(f"`{unit}`" for unit in quantity.factors)
    return (
        Column(name, "number", f"{name}.value", f"{words}; it needs its unit"),
        Column(f"{name}_unit", "text", f"{name}.unit", f"the UCUM unit of `{name}`: {units}"),
        Column(
            f"{name}_date",
            "date",
            f"{name}.date",
            f"when `{name}` was taken; the day of the visit if it is missing",
        ),
    )


COLUMNS = (
    Column("patient", "text or whole number", "patient.id", "whose visit it is; required"),
    Column("date", "date", "date", "the day of the visit; required"),
    Column(
        "clasi_activity",
        "whole number",
        "clasi_activity",
        f"CLASI activity, {ACTIVITY[0]} to {ACTIVITY[1]}",
    ),
    Column(
        "clasi_damage",
        "whole number",
        "clasi_damage",
        f"CLASI damage, {DAMAGE[0]} to {DAMAGE[1]}; drives no decision",
    ),
    *_quantity(NEUTROPHILS, "neutrophil count"),
    *_quantity(PLATELETS, "platelet count"),
    *_quantity(CREATININE_CLEARANCE, "creatinine clearance, Cockcroft–Gault"),
    Column(
        "pregnancy_tests",
        "list, or JSON text",
        "pregnancy_tests",
        "tests with `result` (negative or positive) and, if another day than that of the visit, `date`",
    ),
    Column(
        "adverse_events",
        "list, or JSON text",
        "adverse_events",
        "events with `term`, `grade`, `ctcae`, `resolved`; an empty list says that there were none, a missing one that "
        "nobody asked",
    ),
    Column(
        "dosage_taken_mg",
        "number",
        "dosage_taken.mg",
        f"mg taken since the visit before, {MG[0]} to {MG[1]}; 0 is none",
    ),
    Column(
        "dosage_taken_every_days",
        "whole number",
        "dosage_taken.every_days",
        "how often: 1 daily, 2 every other day",
    ),
    Column("doses_missed", "whole number", "doses_missed", "doses missed since the visit before"),
    Column(
        "judgement",
        "text",
        "judgement.response",
        "the clinician's judgement: improved, not improved or worse",
    ),
    Column("judgement_reason", "text", "judgement.reason", "the reason for it; required with it"),
    Column("age", "whole number", "patient.age", f"years, {AGE[0]} or more"),
    Column(
        "able_to_become_pregnant",
        "true or false",
        "patient.able_to_become_pregnant",
        "the same in all visits of a patient; missing counts as able",
    ),
    Column(
        "regular_cycles",
        "true or false",
        "patient.regular_cycles",
        "the same in all visits of a patient; missing counts as irregular",
    ),
    Column("subtype", "text", "patient.subtype", "of the disease; drives no decision"),
    Column(
        "antiphospholipid",
        "text",
        "patient.antiphospholipid",
        "negative or positive; drives no decision",
    ),
)
"""Every column that is read. All but the first two may be left out, and any cell of the others may be missing."""

NAMES = tuple(each.name for each in COLUMNS)
REQUIRED = ("patient", "date")


def check_columns(names: Iterable[str]) -> None:
    """Refuse a table with columns that are not known, and one without patient or date."""
    names = tuple(names)
    faults = [
        Fault(name, "unknown column", unknown_key(name, NAMES).fix)
        for name in names
        if name not in NAMES
    ]
    faults += (
        Fault(name, "the column is missing", "give it") for name in REQUIRED if name not in names
    )
    if faults:
        raise DocumentError(faults)


def read_number(text: str) -> float | None:
    """Read a number, None for what is none or would not be the same number to other programs."""
    text = text.strip()
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    exact = Decimal(text)
    found = float(exact)
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    return (
        found if len(digits) <= DIGITS and isfinite(found) and (found != 0 or not digits) else None
    )


def faults_of(row: Mapping[str, Any], before: date | None) -> list[Fault]:
    """Tell what a course is refused for that holds the visit of a row, after another one; none where it is sound.

    The places are the columns.
    """
    faults = [
        Fault(
            f"{name}_unit",
            f"is missing: a bare number, {describe(row[name])}",
            f"give {' or '.join(each.factors)}",
        )
        for each in QUANTITIES.values()
        if not is_blank(row.get(name := each.name)) and is_blank(row.get(f"{name}_unit"))
    ]
    lost = {each.place.removesuffix("_unit") for each in faults}
    document: dict[str, Any] = {}
    for column in COLUMNS:
        value = row.get(column.name)
        if is_blank(value) or column.name == "patient" or _quantity_of(column) in lost:
            continue
        if column.place in _JSON and isinstance(value, str):
            try:
                value = parse(value)
            except DocumentError as error:
                faults += (Fault(column.name, each.reason, each.fix) for each in error.faults)
                continue
        *parts, last = column.place.split(".")
        inner = document
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = _plain(value, column)
    for each in QUANTITIES.values():
        if "value" not in document.get(each.name, {"value": 0}):
            del document[each.name]
    patient = document.pop("patient", {})
    visits = [{"date": before.isoformat()}] if before is not None else []
    try:
        read_course({"visits": [*visits, document], "patient": patient})
    except LenadoseError as error:
        faults += (_placed(each) for each in error.faults)
    return faults


_JSON = ("pregnancy_tests", "adverse_events")


def is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _quantity_of(column: Column) -> str:
    return column.place.split(".")[0]


def _plain(value: Any, column: Column) -> Any:
    """Give a cell as a course file would hold it."""
    match value:
        case date():
            return value.isoformat().removesuffix("T00:00:00")
        case str():
            if "number" in column.holds:
                number = read_number(value)
                return value if number is None else number
            if column.holds == "true or false":
                return {"true": True, "false": False}.get(value.strip().lower(), value)
            return value
        case list():
            return [_plain(each, column) for each in value]
        case dict():
            return {key: _plain(each, column) for key, each in value.items() if each is not None}
    return value


def _placed(each: Fault) -> Fault:
    """Give a fault of a course as one of a table: its place is a column."""
    place = re.sub(r"^visits\[\d+\]\.", "", each.place)
    for column in COLUMNS:
        if place == column.place or place.startswith((f"{column.place}.", f"{column.place}[")):
            return Fault(column.name + place.removeprefix(column.place), each.reason, each.fix)
    named = next((column.name for column in COLUMNS if column.place.startswith(f"{place}.")), place)
    return Fault(named, each.reason, each.fix)
