"""Findings from FHIR R4 resources."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json
from lenadose.importing import medications, observations
from lenadose.importing.files import Document
from lenadose.importing.findings import (
    BIRTH_DATE,
    NO_EVENTS,
    SEX,
    VISIT,
    Finding,
    Note,
    Used,
    unneeded,
    unusable,
)
from lenadose.importing.mapping import ImportMapping
from lenadose.importing.readings import Source, day_of, event, of_unknown_end, translated
from lenadose.importing.resources import (
    Data,
    Index,
    Resource,
    codes_of,
    extension,
    index_of,
    is_same,
    label_of,
    modifier_of,
    part,
    parts,
    period_of,
    resource_of,
    text,
)
from lenadose.record.event_names import event_name, term_fault
from lenadose.record.event_terms import KNOWN_TERMS
from lenadose.terms.errors import Fault, LenadoseError, describe, with_article

Read = Iterator[Finding | Note]


@frozen
class FhirFindings:
    """Findings of resources, and notes; faults and ids of patients, by their keys.

    `owners` are the patients of resources, by the places of these.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    faults: Mapping[str, tuple[Fault, ...]]
    ids: Mapping[str, str | None]
    owners: Mapping[str, str]


def read_resources(documents: Sequence[Document], mapping: ImportMapping) -> FhirFindings:
    """Return what resources say of their patients; each of them has a finding or a note."""
    findings: list[Finding] = []
    notes: list[Note] = []
    faults: dict[str, list[Fault]] = {}
    resources: list[Resource] = []
    others: list[tuple[Document, Fault]] = []
    for document in documents:
        resource = resource_of(document)
        if isinstance(resource, Resource):
            resources.append(resource)
            continue
        notes.append(unusable(document.place, resource.reason, resource.fix))
        others.append((document, resource))
    index = index_of(resources)
    for document, fault in others:
        named = Resource(document.place, "", document.data, document.url, document.holder)
        patient = _patient_of(named, index)
        if patient is not None:
            faults.setdefault(patient, []).append(fault.within(document.place))
    dropped = _doubled(index, notes, faults)
    reader = _Reader(index, mapping)
    for resource in resources:
        if resource.place not in dropped:
            for found in reader.read(resource):
                if isinstance(found, Finding):
                    findings.append(found)
                else:
                    notes.append(found)
    for resource in resources:
        for patient, fault in _strangers(resource, index):
            faults.setdefault(patient, []).append(fault)
    patients = dict.fromkeys([*(each.patient for each in findings), *faults])
    return FhirFindings(
        tuple(findings),
        tuple(_used_elsewhere(resources, findings, notes, index)),
        {key: tuple(each) for key, each in faults.items()},
        {key: index.patient_id(key) for key in patients},
        {each.place: key for each in resources if (key := _patient_of(each, index)) is not None},
    )


def _doubled(index: Index, notes: list[Note], faults: dict[str, list[Fault]]) -> set[str]:
    """Return the places of resources that are there twice; two that differ are a fault."""
    dropped = set()
    for key, (first, *others) in index.doubled.items():
        for other in others:
            dropped.add(other.place)
            if is_same(first, other):
                notes.append(unneeded(other.place, f"the same as {first.place}"))
                continue
            reason = f"two resources are {key} and differ ({first.place})"
            notes.append(unusable(other.place, reason, "keep the one that is true"))
            for each in (first, other):
                patient = _patient_of(each, index)
                if patient is not None:
                    found = Fault(other.place, reason, "keep the one that is true")
                    known = faults.setdefault(patient, [])
                    known += [] if found in known else [found]
    return dropped


def _patient_of(resource: Resource, index: Index) -> str | None:
    if resource.type == "Patient":
        return index.key(resource)
    for element in ("subject", "patient"):
        try:
            return index.patient(resource, element)
        except LenadoseError:
            continue
    return None


def _strangers(resource: Resource, index: Index) -> Iterator[tuple[str, Fault]]:
    """Yield a fault for both patients where a resource refers to a resource of another one."""
    patient = _patient_of(resource, index)
    if patient is None:
        return
    linked = [part(resource.data, name) for name in ("encounter", "context")]
    for name in ("result", "hasMember", "derivedFrom"):
        linked += parts(resource.data, name)
    for link in linked:
        reference = text(link, "reference")
        other = index.named(resource, reference) if reference else None
        its = _patient_of(other, index) if other is not None else None
        if its is not None and its != patient:
            reason = f"is of {patient}, and refers to {reference} of {its}"
            fault = Fault(resource.place, reason, "give each patient resources of its own")
            yield patient, fault
            yield its, fault


def _used_elsewhere(
    resources: Sequence[Resource],
    findings: Sequence[Finding],
    notes: Sequence[Note],
    index: Index,
) -> Iterator[Note]:
    """Yield the notes, those of what only other resources use among them."""
    yield from notes
    known = {note.place for note in notes} | {finding.place for finding in findings}
    for resource in resources:
        if resource.place in known:
            continue
        match resource.type:
            case "Patient":
                yield Used(resource.place, "the patient")
            case "Encounter":
                yield unneeded(resource.place, "by itself it is no visit")
            case "DiagnosticReport":
                yield unneeded(resource.place, "its results are read from their Observations")
            case _:
                kind = with_article(describe(resource.type)[1:-1])
                yield unneeded(resource.place, f"a course needs nothing of {kind}")


def _unclear(finding: Finding, fault: Fault) -> Finding:
    """Return a finding of a resource of which it is not known what it means."""
    field = "adverse_events" if finding.field == NO_EVENTS else finding.field
    return evolve(finding, field=field, value=None, fault=finding.fault or fault)


@frozen
class _Reader:
    """Reads one resource at a time."""

    index: Index
    mapping: ImportMapping

    def read(self, resource: Resource) -> Read:
        """Yield the findings of a resource; nothing for one that is not used by itself."""
        readers: dict[str, Callable[[Resource, Source], Read]] = {
            "Patient": self._patient,
            "Encounter": self._encounter,
            "Observation": self._observation,
            "Condition": self._condition,
            "AdverseEvent": self._adverse_event,
            "MedicationStatement": self._medication,
            "MedicationAdministration": self._medication,
            "MedicationDispense": self._medication,
        }
        if resource.type in ("MedicationRequest", "ServiceRequest"):
            yield unneeded(resource.place, "an order does not say what was done or taken")
        read = readers.get(resource.type)
        if read is None:
            return
        try:
            if resource.type == "Patient":
                patient = self.index.key(resource)
            else:
                patient = self.index.patient(resource)
        except LenadoseError as error:
            fault = error.faults[0]
            is_person = "not of a patient" not in fault.reason
            note = unusable if is_person and resource.type != "Encounter" else unneeded
            yield note(resource.place, fault.reason, fault.fix)
            return
        modifier = modifier_of(resource)
        source = Source(resource.place, patient)
        if modifier is None:
            yield from read(resource, source)
        elif resource.type in ("Patient", "Encounter"):
            yield unusable(resource.place, modifier.reason, modifier.fix)
        else:
            for found in read(resource, source):
                yield _unclear(found, modifier) if isinstance(found, Finding) else found

    # Facts of the patient

    def _patient(self, resource: Resource, source: Source) -> Read:
        born, gender = resource.data.get("birthDate"), resource.data.get("gender")
        if born is not None:
            try:
                day = day_of(born if isinstance(born, str) else describe(born))
                yield source.finding(BIRTH_DATE, f"born {day}", day.isoformat())
            except LenadoseError as error:
                yield source.finding(BIRTH_DATE, "birth date", fault=error.faults[0])
        if gender in ("female", "male"):
            yield source.finding(SEX, str(gender), str(gender))

    # Visits

    def _encounter(self, resource: Resource, source: Source) -> Read:
        kinds = [code for each in parts(resource.data, "type") for code in codes_of(each)]
        if codes.VISIT.key not in kinds:
            return
        try:
            start, _ = period_of(part(resource.data, "period"))
        except LenadoseError as error:
            yield unusable(resource.place, error.faults[0].reason, error.faults[0].fix)
            return
        if start is None:
            yield unusable(resource.place, "a visit without a date", "give period.start")
        elif resource.data.get("status") in ("entered-in-error", "cancelled"):
            yield unneeded(resource.place, f"its status is {resource.data['status']}")
        else:
            yield source.finding(VISIT, f"visit of {start}", on=start, visit=start)

    def _encounter_of(self, resource: Resource) -> Resource | None:
        for element in ("encounter", "context"):
            encounter = self.index.resolve(resource, resource.data, element)
            if encounter is not None and encounter.type == "Encounter":
                return encounter
        return None

    def _own_visit(self, resource: Resource) -> dt.date | None:
        """Return the day of the encounter of a resource if it is a visit of a course."""
        encounter = self._encounter_of(resource)
        kinds = parts(encounter.data, "type") if encounter else []
        if encounter is None or codes.VISIT.key not in [
            code for each in kinds for code in codes_of(each)
        ]:
            return None
        try:
            return period_of(part(encounter.data, "period"))[0]
        except LenadoseError:
            return None

    def _observation(self, resource: Resource, source: Source) -> Read:
        reader = observations.ObservationReader(self.index, self.mapping)
        yield from reader.read(resource, source, self._encounter_of(resource))

    def _medication(self, resource: Resource, source: Source) -> Read:
        visit = self._own_visit(resource)
        yield from medications.read(resource, source, visit, self.index, self.mapping)

    # Events

    def _adverse_event(self, resource: Resource, source: Source) -> Read:
        if resource.data.get("actuality") == "potential":
            yield unneeded(resource.place, "a potential event did not happen")
            return
        outcomes = codes_of(part(resource.data, "outcome"))
        known = {code for _, code in outcomes}
        yield self._event(
            resource,
            source,
            part(resource.data, "event"),
            text(resource.data, "date") or text(resource.data, "detected"),
            ongoing=not known.isdisjoint(("ongoing", "recovering")),
            visit=self._own_visit(resource),
            resolved=codes.RESOLVED.key in outcomes,
        )

    def _event(
        self,
        resource: Resource,
        source: Source,
        concept: Data,
        began: str | None,
        *,
        until: dt.date | None = None,
        ongoing: bool,
        visit: dt.date | None = None,
        resolved: bool = False,
    ) -> Finding:
        """Return the finding of an event; one without a term, a day or a grade has a fault."""
        label = label_of(concept)
        words = f"adverse event {describe(label)}" if label else "adverse event"
        try:
            on = day_of(began) if began is not None else visit
        except LenadoseError as error:
            return source.finding("adverse_events", words, visit=visit, fault=error.faults[0])
        if label is None or on is None:
            is_condition = resource.type == "Condition"
            if label is None:
                what, element = "term", "code.text" if is_condition else "event.text"
            else:
                what, element = "date", "onsetDateTime" if is_condition else "date"
            missing = Fault("", f"an event without a {what}", f"give {element}")
            return source.finding(
                "adverse_events", words, on=on, until=until, visit=visit, fault=missing
            )
        return event(
            source,
            label,
            self._grade(resource.data),
            text(extension(resource.data, codes.EDITION), "valueString"),
            self.mapping.values,
            on=on,
            until=until,
            ongoing=ongoing,
            visit=visit,
            resolved=resolved,
        )

    def _grade(self, data: Data) -> Json:
        """Return the CTCAE grade of an extension; a severity is none."""
        urls = [codes.GRADE, *([self.mapping.fhir.grade] if self.mapping.fhir.grade else [])]
        for url in urls:
            found = extension(data, url)
            value = found.get("valueInteger", found.get("valueCode", found.get("valueString")))
            for _, code in codes_of(part(found, "valueCodeableConcept")):
                value = code
            if isinstance(value, str):
                return int(value) if re.fullmatch("[1-5]", value) else value
            if isinstance(value, int):
                return value
        return None

    def _condition(self, resource: Resource, source: Source) -> Read:
        data = resource.data
        concept = part(data, "code")
        status = {code for _, code in codes_of(part(data, "verificationStatus"))}
        if status & {"refuted", "entered-in-error"}:
            yield unneeded(resource.place, f"it is {', '.join(sorted(status))}")
            return
        subtype = next(
            (codes.SUBTYPES[key] for key in codes_of(concept) if key in codes.SUBTYPES), None
        )
        if subtype is not None:
            yield source.finding("patient.subtype", f"subtype {subtype}", subtype)
            return
        label = label_of(concept)
        term = label and (translated(label, self.mapping.values.terms) or label)
        is_event = term is not None and (
            self._grade(data) is not None
            or event_name(term) in KNOWN_TERMS
            or term_fault(event_name(term)) is not None
        )
        if not is_event:
            yield unneeded(resource.place, f"the condition {describe(label)} has no CTCAE grade")
            return
        if status & {"unconfirmed", "provisional", "differential"}:
            on = self._onset(data)
            reason = f"the condition {describe(label)} is only {', '.join(sorted(status))}"
            fault = Fault("", reason, "confirm or refute it, or record it as suspected")
            yield source.finding(
                "adverse_events", "adverse event", on=on, ongoing=True, fault=fault
            )
            return
        clinical = {code for _, code in codes_of(part(data, "clinicalStatus"))}
        ended = text(data, "abatementDateTime") or text(part(data, "abatementPeriod"), "end")
        until: dt.date | None = None
        no_end: Fault | None = None
        try:
            until = day_of(ended) if ended is not None else None
        except LenadoseError as error:
            no_end = Fault("", f"abatement: {error.faults[0].reason}", error.faults[0].fix)
        if ended is None and not clinical.isdisjoint(("resolved", "inactive", "remission")):
            no_end = Fault("", "it ended on a day that is not known", "give abatementDateTime")
        began = text(data, "onsetDateTime") or text(part(data, "onsetPeriod"), "start")
        event = self._event(
            resource,
            source,
            concept,
            began or text(data, "recordedDate"),
            until=until,
            ongoing=until is None and no_end is None,
        )
        if not began and event.on:
            recorded = " (without an onset; the day is that on which it was recorded)"
            event = evolve(event, words=event.words + recorded)
        yield from [event] if no_end is None else of_unknown_end(event, no_end)

    def _onset(self, data: Data) -> dt.date | None:
        try:
            return day_of(text(data, "onsetDateTime") or text(data, "recordedDate") or "")
        except LenadoseError:
            return None
