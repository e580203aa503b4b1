"""Findings from what FHIR says of lenalidomide taken, where dose and timing are plain."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType

from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json, number
from lenadose.importing.findings import DOSE, Finding, Note, unneeded
from lenadose.importing.mapping import ImportMapping
from lenadose.importing.readings import (
    DRUG,
    Source,
    day_of,
    dosage_words,
    fault_of_dosage,
    translated,
)
from lenadose.importing.resources import (
    Data,
    Index,
    Resource,
    codes_of,
    effective_day,
    part,
    parts,
    period_of,
    text,
)
from lenadose.terms.errors import LenadoseError, describe, fault
from lenadose.terms.numbers import decimal

_DAYS = MappingProxyType({"d": 1, "wk": 7})
_LONGEST = 400
"""The longest supply, and the longest duration of a timing, that is believed."""
_BOUNDS = ("boundsPeriod", "boundsDuration")
_TAKEN = MappingProxyType(
    {
        "MedicationStatement": ("active", "completed", "stopped"),
        "MedicationAdministration": ("completed", "in-progress", "stopped"),
        "MedicationDispense": ("completed",),
    }
)
_NOT_TAKEN = MappingProxyType(
    {"MedicationStatement": ("not-taken",), "MedicationAdministration": ("not-done",)}
)


def read(
    resource: Resource,
    source: Source,
    visit: dt.date | None,
    index: Index,
    mapping: ImportMapping,
) -> Iterator[Finding | Note]:
    """Yield the dosage that a resource says was taken, or a note why it says none."""
    data = resource.data
    if not is_lenalidomide(resource, index, mapping):
        yield unneeded(
            resource.place,
            "neither a name nor a code of the drug is known here as lenalidomide",
            "if it is lenalidomide, name its code in a mapping file",
        )
        return
    status = data.get("status")
    is_none = status in _NOT_TAKEN.get(resource.type, ())
    if not is_none and status not in _TAKEN[resource.type]:
        yield unneeded(
            resource.place, f"its status, {describe(status)}, does not say that it was taken"
        )
        return
    on: dt.date | None = None
    until: dt.date | None = None
    field, found = "dosage_taken", None
    value: Json = None
    try:
        on, until, ongoing = _days(resource)
        if is_none:
            value = {"mg": 0}
        elif resource.type == "MedicationAdministration":
            field = DOSE
            value = {"mg": _milligrams(part(data, "dosage").get("dose"), mapping)}
        else:
            value = dosage_of(resource, mapping)
            _check_bounds(part(_instructions(resource)[0], "timing"), on, until)
        if on is None and visit is None:
            raise fault("", "no date", "give the days on which it was taken")
        found = fault_of_dosage(value) if field != DOSE else None
    except LenadoseError as error:
        ongoing, found = False, error.faults[0]
    words = "lenalidomide"
    if found is None and isinstance(value, dict):
        words += f" {value['mg']} mg" if field == DOSE else f" taken: {dosage_words(value)}"
    yield source.finding(
        field,
        words,
        None if found else value,
        on=on or visit,
        until=until,
        ongoing=ongoing,
        visit=visit,
        fault=found,
    )


def is_lenalidomide(resource: Resource, index: Index, mapping: ImportMapping) -> bool:
    """Return whether the medication of a resource is lenalidomide, by its codes or its name."""
    data = resource.data
    concepts = [part(data, "medicationCodeableConcept")]
    medication = index.resolve(resource, data, "medicationReference")
    if medication is not None:
        concepts.append(part(medication.data, "code"))
        concepts += [
            part(each, "itemCodeableConcept") for each in parts(medication.data, "ingredient")
        ]
    known = {code.key for code in codes.LENALIDOMIDE_CODES}
    known |= {
        (each.system, each.code) for each in mapping.fhir.codes if each.field == "lenalidomide"
    }
    names = [text(part(data, "medicationReference"), "display")]
    for concept in concepts:
        if not known.isdisjoint(codes_of(concept)):
            return True
        names += [
            text(concept, "text"),
            *(text(each, "display") for each in parts(concept, "coding")),
        ]
    return any(name and DRUG.search(name) for name in names)


def _days(resource: Resource) -> tuple[dt.date | None, dt.date | None, bool]:
    """Return the first and the last day, and whether there is none yet; raises CallError."""
    data = resource.data
    if resource.type == "MedicationDispense":
        handed = text(data, "whenHandedOver")
        if handed is None:
            raise fault("", "no whenHandedOver", "give the day on which it was handed over")
        supply = part(data, "daysSupply")
        days = supply.get("value")
        unit = text(supply, "code") or text(supply, "unit")
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _LONGEST:
            raise fault("", "no daysSupply of whole days", "give daysSupply in days")
        if unit not in ("d", "day", "days"):
            raise fault("", f"daysSupply in {describe(unit)}", "give daysSupply in days")
        first = day_of(handed)
        return first, first + dt.timedelta(days - 1), False
    period = part(data, "effectivePeriod")
    if resource.type == "MedicationAdministration" or not period:
        on = effective_day(data)
        return on, None, False
    start, end = period_of(period)
    if end is None and data.get("status") != "active":
        raise fault("", "no end of the time in which it was taken", "give effectivePeriod.end")
    return start, end, end is None


def _instructions(resource: Resource) -> list[Data]:
    is_statement = resource.type == "MedicationStatement"
    return parts(resource.data, "dosage" if is_statement else "dosageInstruction")


def dosage_of(resource: Resource, mapping: ImportMapping) -> Json:
    """Return the dosage of the one instruction of a resource; raises CallError for another."""
    instructions = _instructions(resource)
    if len(instructions) != 1:
        raise fault("", f"{len(instructions)} dosages", "give one, with dose and timing")
    (instruction,) = instructions
    doses = parts(instruction, "doseAndRate")
    if len(doses) != 1:
        raise fault("", f"{len(doses)} doses", "give one doseQuantity in mg")
    if instruction.get("asNeededBoolean") is True or "asNeededCodeableConcept" in instruction:
        raise fault("", "the drug is taken as needed", "give the days on which it was taken")
    milligrams = _milligrams(doses[0].get("doseQuantity"), mapping)
    if milligrams == 0:
        return {"mg": 0}
    return {"mg": milligrams, "every_days": _every_days(part(instruction, "timing"), mapping)}


def _milligrams(quantity: object, mapping: ImportMapping) -> Json:
    if not isinstance(quantity, dict):
        raise fault("", "no dose", "give the dose in mg")
    value = quantity.get("value")
    unit = quantity.get("code") if quantity.get("system") == codes.UCUM else quantity.get("unit")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise fault("", "a dose without a number", "give the dose in mg")
    if not isinstance(unit, str) or translated(unit, mapping.values.units) != "mg":
        raise fault("", f"a dose in {describe(unit)}", "give the dose in mg")
    if "comparator" in quantity:
        raise fault("", "a dose that is only a bound", "give the dose in mg")
    return number(decimal(value))


def _every_days(timing: Data, mapping: ImportMapping) -> int:
    """Return the days from one dose to the next; raises CallError if they are not plain."""
    known = mapping.values.every_days
    coded = {known[code] for _, code in codes_of(part(timing, "code")) if code in known}
    repeat = part(timing, "repeat")
    others = set(repeat) - {"frequency", "period", "periodUnit", *_BOUNDS}
    period, unit = repeat.get("period"), text(repeat, "periodUnit")
    said = set(coded)
    if set(repeat) - set(_BOUNDS) or not coded:
        is_plain = not others and repeat.get("frequency", 1) == 1 and unit in _DAYS
        if not is_plain or not isinstance(period, int) or isinstance(period, bool):
            raise _not_plain()
        assert unit is not None
        said.add(period * _DAYS[unit])
    if len(said) != 1 or "event" in timing:
        raise _not_plain()
    return said.pop()


def _not_plain() -> LenadoseError:
    reason = "its timing is not one dose in so many days"
    return fault("", reason, "give timing.repeat")


def _check_bounds(timing: Data, on: dt.date | None, until: dt.date | None) -> None:
    """Check that a timing holds on all days on which a dosage was taken; raises CallError."""
    repeat = part(timing, "repeat")
    start, end = period_of(part(repeat, "boundsPeriod"))
    duration = part(repeat, "boundsDuration")
    if duration and on is not None:
        many = duration.get("value")
        days = _DAYS.get(text(duration, "code") or text(duration, "unit") or "")
        if not isinstance(many, int) or isinstance(many, bool) or days is None:
            raise _not_plain()
        if not 1 <= many <= _LONGEST:
            raise _not_plain()
        end = on + dt.timedelta(many * days - 1)
    is_late = start is not None and on is not None and start > on
    if is_late or (end is not None and (until is None or end < until)):
        reason = "the bounds of its timing are not the days on which it was taken"
        raise fault("", reason, "give one dosage with the days on which it was taken")
