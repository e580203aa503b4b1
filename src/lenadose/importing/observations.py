"""Findings from Observations: results, scores, pregnancy tests, and what has codes of our own."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from attrs import frozen

from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json, number
from lenadose.importing import readings
from lenadose.importing.findings import (
    CREATININE,
    NO_EVENTS,
    UNREADABLE,
    WEIGHT,
    Finding,
    Note,
    Used,
    unneeded,
    unusable,
)
from lenadose.importing.mapping import ImportMapping, Values
from lenadose.importing.readings import Source
from lenadose.importing.resources import (
    Data,
    Index,
    Resource,
    codes_of,
    effective_day,
    label_of,
    modifier_of,
    part,
    parts,
    period_of,
    text,
)
from lenadose.record.visit import ResultField
from lenadose.terms.errors import Fault, LenadoseError, describe, fault
from lenadose.terms.numbers import decimal
from lenadose.terms.units import ucum

_JUDGEMENT, _STOPPED, _PROTOCOL = "judgement", "stopped", "protocol"
_OF_VISIT = (
    "clasi_activity",
    "clasi_damage",
    "doses_missed",
    _JUDGEMENT,
    _STOPPED,
    NO_EVENTS,
    UNREADABLE,
)
_FACTS = ("age", "able_to_become_pregnant", "regular_cycles", "subtype", "antiphospholipid")

FIELDS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{code.key: name for name, known in codes.RESULT_CODES.items() for code in known},
        **{code.key: "pregnancy_tests" for code in codes.PREGNANCY_TEST_CODES},
        codes.CREATININE.key: CREATININE,
        codes.BODY_WEIGHT.key: WEIGHT,
        codes.CLASI_ACTIVITY.key: "clasi_activity",
        codes.CLASI_DAMAGE.key: "clasi_damage",
        codes.DOSES_MISSED.key: "doses_missed",
        codes.JUDGEMENT.key: _JUDGEMENT,
        codes.TREATMENT_ENDED.key: _STOPPED,
        codes.ADVERSE_EVENTS.key: NO_EVENTS,
        codes.UNREADABLE.key: UNREADABLE,
        codes.PROTOCOL.key: _PROTOCOL,
        codes.AGE.key: "patient.age",
        codes.ABLE_TO_BECOME_PREGNANT.key: "patient.able_to_become_pregnant",
        codes.REGULAR_CYCLES.key: "patient.regular_cycles",
        codes.SUBTYPE.key: "patient.subtype",
        codes.ANTIPHOSPHOLIPID.key: "patient.antiphospholipid",
    }
)
"""The field that an Observation of each code is of."""

_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_OUTCOMES = MappingProxyType(
    {
        codes.POSITIVE.key: "positive",
        codes.NEGATIVE.key: "negative",
        (_INTERPRETATION, "POS"): "positive",
        (_INTERPRETATION, "NEG"): "negative",
    }
)
_LEFT_OUT = ("entered-in-error", "cancelled", "registered")
_FINAL = ("final", "amended", "corrected", "preliminary")
_NOT_MEASURED = ("not-performed", "not-asked", "asked-declined", "not-applicable")
_ESTIMATE = re.compile(r"\begfr\b|glomerular filtration|ckd-epi|mdrd", re.IGNORECASE)


@frozen
class ObservationReader:
    """Reads Observations, each with its components."""

    index: Index
    mapping: ImportMapping

    def read(
        self, resource: Resource, source: Source, encounter: Resource | None
    ) -> Iterator[Finding | Note]:
        """Yield the findings of an Observation, or a note why there is none."""
        data = resource.data
        told = list(self._of_status(resource))
        holders = [data, *parts(data, "component")]
        fields = {index: self._fields(part(each, "code")) for index, each in enumerate(holders)}
        if told and any(fields.values()):
            yield from told
            return
        if not any(fields.values()):
            yield unneeded(resource.place, *self._not_used(part(data, "code")))
            return
        try:
            on = effective_day(data)
        except LenadoseError as error:
            yield unusable(
                resource.place, f"effective: {error.faults[0].reason}", error.faults[0].fix
            )
            return
        for index, holder in enumerate(holders):
            if len(fields[index]) > 1:
                reason = f"its codes mean {' and '.join(fields[index])}"
                yield unusable(resource.place, reason, "keep the code that is true")
            elif fields[index]:
                yield from self._read(resource, holder, source, fields[index][0], on, encounter)

    def _of_status(self, resource: Resource) -> Iterator[Note]:
        status = resource.data.get("status")
        if status in _LEFT_OUT:
            yield unneeded(resource.place, f"its status is {status}")
        elif status not in _FINAL:
            reason = f"its status is {describe(status)}" if status else "it has no status"
            yield unusable(resource.place, reason, "give the final result")

    def _fields(self, concept: Data) -> tuple[str, ...]:
        own = {(each.system, each.code): each.field for each in self.mapping.fhir.codes}
        known = {**FIELDS, **own}
        found = dict.fromkeys(known[key] for key in codes_of(concept) if key in known)
        return tuple(name for name in found if name not in ("positive", "negative", "lenalidomide"))

    def _not_used(self, concept: Data) -> tuple[str, str]:
        for key in codes_of(concept):
            if key in codes.NOT_COCKCROFT_GAULT:
                reason = f"{key[1]} is {codes.NOT_COCKCROFT_GAULT[key]}"
                return f"{reason}, not a clearance after Cockcroft and Gault", "give that one"
        label = label_of(concept)
        displays = [text(each, "display") or "" for each in parts(concept, "coding")]
        if any(map(_ESTIMATE.search, (label or "", *displays))):
            reason = (
                f"{describe(label)} is an estimated rate, not a clearance after Cockcroft and Gault"
            )
            return reason, "give that one"
        shown = describe(label or next((code for _, code in codes_of(concept)), None))
        fix = "if a course needs it, name its code in a mapping file"
        return f"the code of {shown} is none that a course needs", fix

    def _read(
        self,
        resource: Resource,
        holder: Data,
        source: Source,
        field: str,
        on: dt.date | None,
        encounter: Resource | None,
    ) -> Iterator[Finding | Note]:
        if field == _PROTOCOL or field.startswith("patient."):
            yield self._fact(holder, source, field)
            return
        start, end = _days_of(encounter)
        if field in _OF_VISIT:
            is_of_encounter = start is not None and (on in (None, start) or end == start)
            visit = start if is_of_encounter else on
            if visit is None:
                yield unusable(
                    resource.place,
                    f"{readings.label_of_field(field)}: no date",
                    "give effectiveDateTime",
                )
                return
            if is_of_encounter and encounter is not None:
                yield Used(encounter.place, f"the day of the visit of {visit}")
            yield from self._of_visit(resource, holder, source, field, visit)
            return
        how = ""
        if on is None:
            report, on = self._day_of_report(resource)
            if on is None or report is None:
                reason = "neither it nor one report that lists it has a date"
                words = f"{readings.label_of_field(field)}: {reason}"
                yield unusable(resource.place, words, "give effectiveDateTime")
                return
            how = f" (undated; its day is that of {report.name or 'its report'})"
            yield Used(report.place, f"the day of the undated results that it lists, {on}")
        for found in self._result(resource, holder, source, field, on, start):
            if isinstance(found, Finding):
                yield Finding(
                    found.place,
                    found.patient,
                    found.field,
                    found.words + how + _said(resource),
                    found.value,
                    found.on,
                    visit=found.visit,
                    fault=found.fault,
                )
            else:
                yield found

    def _day_of_report(self, resource: Resource) -> tuple[Resource | None, dt.date | None]:
        """Return the report that lists an Observation, and its day, where there is one day."""
        days: dict[dt.date, Resource] = {}
        for report in self.index.reports.get(self.index.key(resource), ()):
            if report.data.get("status") in _LEFT_OUT or modifier_of(report):
                continue
            try:
                day = effective_day(report.data)
            except LenadoseError:
                return None, None
            if day is not None:
                days[day] = report
        if len(days) != 1:
            return None, None
        ((day, report),) = days.items()
        return report, day

    # Values

    def _fact(self, holder: Data, source: Source, field: str) -> Finding:
        name = field.removeprefix("patient.")
        value = _plain_value(holder)
        concept = part(holder, "valueCodeableConcept")
        if name == "antiphospholipid":
            try:
                value = self._outcome(concept) or value
            except LenadoseError as error:
                return source.finding(field, name, fault=error.faults[0])
        if name == "age" and value is not None:
            return readings.age(source, value)
        if field == _PROTOCOL:
            is_text = isinstance(value, str)
            found = None if is_text else Fault("", "no text", "give the id of a protocol")
        else:
            found = readings.fault_of_fact(name, value)
            if value is None:
                found = Fault("", "it has no value", "give it, or leave the Observation out")
        words = f"{readings.label_of_field(name)}: {describe(value)}"
        return source.finding(field, words, None if found else value, fault=found)

    def _of_visit(
        self, resource: Resource, holder: Data, source: Source, field: str, visit: dt.date
    ) -> Iterator[Finding | Note]:
        absent = _absent_reason(holder)
        if absent in _NOT_MEASURED:
            yield unneeded(
                resource.place, f"{readings.label_of_field(field)}: its value is absent, {absent}"
            )
            return
        concept = part(holder, "valueCodeableConcept")
        if field == NO_EVENTS:
            if codes.NONE.key in codes_of(concept):
                yield source.finding(NO_EVENTS, "no adverse events", on=visit, visit=visit)
            else:
                reason = "adverse events were asked about, with an answer that is not none"
                found = Fault("", reason, "give the events, or none")
                yield source.finding(
                    "adverse_events", "adverse events", on=visit, visit=visit, fault=found
                )
            return
        if field == UNREADABLE:
            named = text(holder, "valueString")
            names = [each.label for each in ResultField]
            if named in names:
                words = f"a result that cannot be read: {readings.label_of_field(named)}"
                yield source.finding(UNREADABLE, words, named, on=visit, visit=visit)
            else:
                found = Fault("", "it names no field of results", f"name one of {', '.join(names)}")
                yield readings.unreadable(source, field, "", found, on=visit, visit=visit)
            return
        value: Json
        if field == _JUDGEMENT:
            value = self._judgement(holder)
        elif field == _STOPPED:
            value = text(holder, "valueString")
        else:
            try:
                value = _whole(holder, self.mapping.values)
            except LenadoseError as error:
                yield readings.unreadable(source, field, "", error, on=visit, visit=visit)
                return
        if value is None:
            found = Fault("", "it has no value that can be read", "give the value")
            yield readings.unreadable(source, field, "", found, on=visit, visit=visit)
        else:
            yield readings.of_visit(source, field, value, on=visit, visit=visit)

    def _judgement(self, holder: Data) -> Json:
        known = {code.key: judged.label for judged, code in codes.JUDGEMENTS.items()}
        said = [
            known[key] for key in codes_of(part(holder, "valueCodeableConcept")) if key in known
        ]
        reasons = [
            text(each, "valueString")
            for each in parts(holder, "component")
            if codes.REASON.key in codes_of(part(each, "code"))
        ]
        judgement: dict[str, Json] = {}
        if said:
            judgement["response"] = said[0]
        if reasons and reasons[0]:
            judgement["reason"] = reasons[0]
        return judgement

    def _result(
        self,
        resource: Resource,
        holder: Data,
        source: Source,
        field: str,
        on: dt.date,
        visit: dt.date | None,
    ) -> Iterator[Finding | Note]:
        absent = _absent_reason(holder)
        if absent in _NOT_MEASURED:
            yield unneeded(
                resource.place, f"{readings.label_of_field(field)}: its value is absent, {absent}"
            )
            return
        values = self.mapping.values
        try:
            if absent is not None:
                reason = f"its value is absent, {describe(absent)}"
                raise fault("", reason, "give the value as it was reported")
            if field == "pregnancy_tests":
                outcome = self._outcome(part(holder, "valueCodeableConcept"))
                if outcome is None:
                    said = label_of(part(holder, "valueCodeableConcept"))
                    said = said or text(holder, "valueString")
                    if said is None:
                        reason = "it has no coded result, and a number is never read as one"
                        raise fault("", reason, "give valueCodeableConcept")
                    yield readings.pregnancy_test(source, said, values, on=on, visit=visit)
                    return
                yield readings.pregnancy_test(source, outcome, values, on=on, visit=visit)
                return
            amount, comparator, unit = _quantity(holder)
        except LenadoseError as error:
            yield readings.unreadable(source, field, "", error, on=on, visit=visit)
            return
        yield readings.result(
            source, field, amount, unit, values, on=on, comparator=comparator, visit=visit
        )

    def _outcome(self, concept: Data) -> str | None:
        """Return positive or negative by the codes of a result; None for neither.

        Raises CallError for both.
        """
        own = {
            (each.system, each.code): each.field
            for each in self.mapping.fhir.codes
            if each.field in ("positive", "negative")
        }
        known = {**_OUTCOMES, **own}
        found = {known[key] for key in codes_of(concept) if key in known}
        if len(found) > 1:
            raise fault("", "its codes mean positive and negative", "keep the code that is true")
        return found.pop() if found else None


def _days_of(encounter: Resource | None) -> tuple[dt.date | None, dt.date | None]:
    if encounter is None or encounter.data.get("status") in ("entered-in-error", "cancelled"):
        return None, None
    try:
        return period_of(part(encounter.data, "period"))
    except LenadoseError:
        return None, None


def _said(resource: Resource) -> str:
    return ", preliminary," if resource.data.get("status") == "preliminary" else ""


def _absent_reason(holder: Data) -> str | None:
    """Return why a value is absent; None if a value is there or nothing is said."""
    concept = part(holder, "dataAbsentReason")
    if not concept:
        return None
    return next((code for _, code in codes_of(concept)), None) or label_of(concept) or "unknown"


def _plain_value(holder: Data) -> Json:
    for key in ("valueInteger", "valueBoolean", "valueString"):
        value = holder.get(key)
        if isinstance(value, bool | int | str):
            return value
    return None


def _whole(holder: Data, values: Values) -> Json:
    """Return a whole number without a unit of its own; raises CallError for another value."""
    value = holder.get("valueInteger")
    quantity = part(holder, "valueQuantity")
    if quantity:
        unit = text(quantity, "code") or text(quantity, "unit") or "1"
        unit = readings.translated(unit, values.units) or unit
        if unit.strip("{}").casefold() not in ("1", "score", "points", "point", "doses", "dose"):
            fix = "give {score}, or translate the unit in a mapping file"
            raise fault("", f"{describe(unit)} is not the unit of a score", fix)
        if "comparator" in quantity:
            raise fault("", "it is only a bound", "give the value")
        value = quantity.get("value")
    if isinstance(value, Fault):
        raise fault("", value.reason, value.fix)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise fault("", f"{describe(value)} is not a number", "give valueInteger")
    return number(decimal(value))


def _quantity(holder: Data) -> tuple[Decimal | int, str | None, str]:
    """Return the value, the comparator and the unit of a valueQuantity; raises CallError.

    The code counts before the unit, where it is of UCUM; a unit that means the same is kept as it
    was recorded.
    """
    quantity = part(holder, "valueQuantity")
    value = quantity.get("value")
    if isinstance(value, Fault):
        raise fault("", value.reason, value.fix)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        given = next((key for key in holder if key.startswith("value")), None)
        reason = "it has no value" if given is None else f"{given} holds no number"
        raise fault("", reason, "give valueQuantity with value and unit")
    unit, code = text(quantity, "unit"), text(quantity, "code")
    if quantity.get("system") != codes.UCUM:
        code = None
    if code is not None and (unit is None or ucum(unit) != ucum(code)):
        unit = code
    comparator = quantity.get("comparator")
    if comparator is not None and not isinstance(comparator, str):
        raise fault(
            "", f"the comparator {describe(comparator)} is not known", "give <, <=, > or >="
        )
    return value, comparator, unit or ""
