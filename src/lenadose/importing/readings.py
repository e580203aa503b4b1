"""Findings from values as they are recorded, the same for tables and FHIR."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from attrs import evolve, frozen

from lenadose.formats.course_json import Json, number, read_course
from lenadose.importing.clearance import CREATININE_UNITS, WEIGHT_UNITS
from lenadose.importing.dangers import fault_of, is_danger
from lenadose.importing.findings import CREATININE, WEIGHT, Finding
from lenadose.importing.mapping import Values
from lenadose.record.fields import YEARS
from lenadose.record.visit import DosageTaken
from lenadose.terms.errors import Fault, LenadoseError, describe, fault
from lenadose.terms.numbers import decimal
from lenadose.terms.units import QUANTITIES, is_per_body_surface, ucum

UNITS = MappingProxyType({CREATININE: CREATININE_UNITS, WEIGHT: WEIGHT_UNITS})
"""The units of what only a clearance is worked out from."""

DRUG = re.compile(r"\b(l[eé]nalidomid(e|a|um)?|revlimid)\b", re.IGNORECASE)
"""The drug in a text, by its name in several languages or by the brand of its first maker."""

_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9:.,+\-Z]*)?")
_PARTIAL = re.compile(r"[0-9]{4}(-[0-9]{2}(-(--|[0-9]{2})?)?|-{1,3})?([T ].*)?")
_NUMBER = re.compile(r"([<>≤≥]=?)?\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_COMPARATORS = MappingProxyType({"<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">="})


@frozen
class Source:
    """Where a finding comes from: the record, and the patient that it is of."""

    place: str
    patient: str

    def finding(self, field: str, words: str, value: Json = None, **more: object) -> Finding:
        """Return a finding of this record."""
        return Finding(self.place, self.patient, field, words, value, **more)  # type: ignore[arg-type]  # of the same names


def folded(text: str) -> str:
    """Return a word as words of a mapping are compared: without regard to case and outer blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def among(text: str, words: Sequence[str]) -> bool:
    """Return whether a text is one of the words of a mapping."""
    return folded(text) in map(folded, words)


def translated(text: str, words: Mapping[str, str]) -> str | None:
    """Return what a mapping says that a text means; None if it says nothing."""
    key = folded(text)
    return next((meant for word, meant in words.items() if folded(word) == key), None)


def label_of_field(field: str) -> str:
    """Return a field of a course for people: "CLASI activity"."""
    return field.replace("_", " ").replace("clasi", "CLASI")


# Days


def day_of(text: str, patterns: Sequence[str] | None = None) -> dt.date:
    """Return the day of a date or a date-time, as it is written; raises CallError.

    Without `patterns` only ISO dates are read, as FHIR has them.
    """
    day: dt.date | None = None
    if iso := _ISO.fullmatch(text):
        try:
            day = dt.date.fromisoformat(iso[1])
        except ValueError:
            raise fault("", f"there is no {iso[1]}", "check the day and the month") from None
    for pattern in patterns or () if day is None else ():
        try:
            day = dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007  # the day as written
            break
        except (ValueError, re.error):
            continue
    if day is None:
        if _PARTIAL.fullmatch(text):
            reason = f"{describe(text)} is not a whole date"
            raise fault("", reason, "give the day too, as in 2026-01-05")
        fix = "write it as 2026-01-05"
        if patterns is not None:
            fix += ", or give its pattern in a mapping file as values.dates"
        raise fault("", f"{describe(text)} is not a date", fix)
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise fault("", f"year must be {YEARS[0]} to {YEARS[1]}, got {day}", "check the year")
    return day


# Results


def read_number(text: str, decimal_mark: str = ".") -> tuple[str | None, Decimal]:
    """Return the comparator and the number of a printed result; raises CallError."""
    written = text.strip()
    if decimal_mark == ",":
        written = written.replace(",", ".") if "." not in written else ""
    parts = _NUMBER.fullmatch(written) if len(written) <= 40 else None
    if parts is None:
        fix = "give the number"
        if "," in text:
            fix = 'give the number; for a decimal comma write decimal = "," into a mapping file'
        raise fault("", f"{describe(text)} is not a number", fix)
    return (_COMPARATORS[parts[1]] if parts[1] else None), Decimal(parts[2])


def result(
    source: Source,
    field: str,
    amount: Decimal | int,
    unit: str,
    values: Values,
    *,
    on: dt.date,
    comparator: str | None = None,
    visit: dt.date | None = None,
) -> Finding:
    """Return a finding of a count, a clearance, a creatinine or a weight."""
    label = label_of_field(field)
    meant = translated(unit, values.units)
    words = f"{label} {comparator or ''}{_shown(amount)} {_printed(unit)}".rstrip()
    if meant is not None and ucum(unit) == unit != meant:
        words += f" (read as {meant})"
    unit = meant if meant is not None and ucum(unit) == unit else unit
    found: Fault | None = None
    value: dict[str, Json] = {}
    try:
        value = {"value": number(decimal(amount)), "unit": unit}
        if comparator:
            value["comparator"] = comparator
    except LenadoseError as error:
        found = error.faults[0]
    if found is None:
        found = _fault_of_input(field, value) if field in UNITS else None
        if field not in UNITS:
            found = _unit_missing(unit) or fault_of(field, value, on)
            is_known = QUANTITIES[field].factor(unit) is not None or is_per_body_surface(unit)
            if found is not None and unit.strip() and not is_known:
                fix = f"{found.fix}, or translate the unit in a mapping file"
                found = Fault("", found.reason, fix)
    return source.finding(field, words, None if found else value, on=on, visit=visit, fault=found)


def _unit_missing(unit: str) -> Fault | None:
    if unit.strip():
        return None
    return Fault(
        "",
        "a number without its unit",
        "give its unit, or, for a table, state it in a mapping file",
    )


def _fault_of_input(field: str, value: Mapping[str, Json]) -> Fault | None:
    unit = str(value["unit"])
    if unit not in UNITS[field]:
        known = " or ".join(UNITS[field])
        reason = f"{describe(unit)} is not a unit accepted here" if unit else "has no unit"
        return Fault("", reason, f"give {known}, or translate it in a mapping file")
    if "comparator" in value:
        return Fault("", "is only a bound", "give the value")
    return None


def unreadable(
    source: Source,
    field: str,
    shown: str,
    error: Fault | LenadoseError,
    *,
    on: dt.date,
    visit: dt.date | None = None,
) -> Finding:
    """Return the finding of a result that cannot be read."""
    found = error.faults[0] if isinstance(error, LenadoseError) else error
    words = f"{label_of_field(field)} {shown}".rstrip()
    return source.finding(
        field, words, on=on, visit=visit, fault=Fault("", found.reason, found.fix)
    )


def pregnancy_test(
    source: Source, text: str, values: Values, *, on: dt.date, visit: dt.date | None = None
) -> Finding:
    """Return a finding of a pregnancy test whose result is a word."""
    for outcome, words in (("positive", values.positive), ("negative", values.negative)):
        if among(text, words):
            read = "" if folded(text) == outcome else f" ({_printed(text)})"
            value: Json = {"result": outcome}
            return source.finding(
                "pregnancy_tests", f"pregnancy test {outcome}{read}", value, on=on, visit=visit
            )
    reason = f"{describe(text)} is not a result of a pregnancy test"
    fix = "give negative or positive, or translate it in a mapping file; a number is never read"
    return unreadable(source, "pregnancy_tests", "", Fault("", reason, fix), on=on, visit=visit)


def of_visit(
    source: Source, field: str, value: Json, *, on: dt.date, visit: dt.date | None = None
) -> Finding:
    """Return a finding of a field of which a visit has one value, or a list of events."""
    found = fault_of(field, value, visit or on)
    words = f"{label_of_field(field)} {_value_words(value)}"
    return source.finding(field, words, None if found else value, on=on, visit=visit, fault=found)


def _value_words(value: Json) -> str:
    match value:
        case dict():
            return ", ".join(_value_words(part) for part in value.values())
        case int() | float() | str():
            return _printed(str(value)) if isinstance(value, str) else str(value)
    return describe(value)


# Events


def event(
    source: Source,
    term: str,
    grade: Json,
    edition: str | None,
    values: Values,
    *,
    on: dt.date,
    until: dt.date | None = None,
    ongoing: bool = False,
    visit: dt.date | None = None,
    resolved: bool = False,
) -> Finding:
    """Return a finding of an adverse event; a term is translated by the mapping only."""
    meant = translated(term, values.terms)
    value: dict[str, Json] = {"term": meant or term}
    if grade is not None:
        value["grade"] = grade
        edition = edition or values.ctcae
    if edition:
        value["ctcae"] = edition
    if resolved:
        value["resolved"] = True
    words = f"adverse event {describe(term)}"
    if meant:
        words += f", translated by the mapping to {describe(meant)}"
    if grade is not None:
        words += f"{',' if meant else ''} grade {_value_words(grade)}"
    words += f", from {on}" + (f" to {until}" if until else ", ongoing" if ongoing else "")
    found = fault_of("adverse_events", value, visit or on)
    if found is None and until is not None and until < on:
        found = Fault("", f"it ended on {until}, before it began", "check both dates")
    if found is not None:
        fix = found.fix if meant else f"{found.fix}, or translate the term in a mapping file"
        found = Fault("", found.reason, fix)
    return source.finding(
        "adverse_events",
        words,
        None if found else value,
        on=on,
        until=until if not found or (until and until >= on) else None,
        ongoing=ongoing,
        visit=visit,
        fault=found,
    )


def of_unknown_end(event: Finding, fault: Fault) -> Iterator[Finding]:
    """Yield the findings of an event of which only the end cannot be read, for a reason.

    Whether it is still there is not known; a danger was there on the day on which it began.
    """
    if is_danger(event):
        yield evolve(event, until=None, ongoing=False)
    yield evolve(event, value=None, until=None, ongoing=True, fault=event.fault or fault)


def _shown(amount: Decimal | int) -> str:
    text = str(amount)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _printed(text: str) -> str:
    """Return a text as it is where it can be shown on one line, else escaped."""
    return describe(text)[1:-1] if text else ""


# Dosages, and facts of the patient


def fault_of_dosage(value: Json) -> Fault | None:
    """Return why a dosage cannot be what was taken before a visit; None if it can."""
    return fault_of("dosage_taken", value, dt.date(YEARS[1], 1, 1))


def dosage_words(value: Json) -> str:
    """Return a dosage that can have been taken for people: "5 mg once daily"."""
    assert isinstance(value, dict)
    taken = DosageTaken(**value).dosage  # type: ignore[arg-type]  # checked before
    return "nothing" if taken is None else str(taken)


def age(source: Source, value: Json) -> Finding:
    """Return a finding of an age; of one outside the protocol the patient is refused later."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    has_unit = isinstance(value, str) and value[:1].isdigit()
    found = None if is_number or has_unit else fault_of_fact("age", value)
    return source.finding("patient.age", f"age {_value_words(value)}", value, fault=found)


def fault_of_fact(name: str, value: Json) -> Fault | None:
    """Return why a course cannot hold a fact of the patient; None if it can."""
    return _first_fault({"visits": [{"date": "2000-01-01"}], "patient": {name: value}})


def _first_fault(document: Json) -> Fault | None:
    try:
        read_course(document)
    except LenadoseError as error:
        first = error.faults[0]
        return Fault("", f"{first.place.rpartition('.')[2]}: {first.reason}", first.fix)
    return None
