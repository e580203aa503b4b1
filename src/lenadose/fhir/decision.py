"""A decision as FHIR R4 resources: proposals of the status draft, which order nothing.

- GuidanceResponse: the row that applied, why, what is missing, and the card as its narrative;
- RequestGroup: the action, with what it proposes;
- MedicationRequest: the dosage until the next visit; where the drug is withheld, a request of
  `doNotPerform`;
- ServiceRequest: a count or a test that falls due before the next visit, with its days;
- Appointment: from the earliest to the latest day of the next visit;
- DetectedIssue: an event or a result that stops or interrupts treatment, or calls for caution;
- Provenance: the protocol, its version and its hash.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision, same_day_dangers
from lenadose.engine.observe import limits_met
from lenadose.engine.state import OngoingEvent
from lenadose.explanation.calculations import danger_name, printed_date
from lenadose.explanation.headlines import QUESTIONS, headline
from lenadose.explanation.rationale import MonitoringDue, rationale
from lenadose.explanation.why import field_words, why
from lenadose.fhir.course import (
    FIELD_CODES,
    CourseResources,
    course_resources,
    dosage_instruction,
)
from lenadose.fhir.elements import Entry, Ids, Resource, bundle, coding, concept, instant, quantity
from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json, number
from lenadose.formats.fhir_codes import Code
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import Limit
from lenadose.record.course import Course
from lenadose.record.visit import TestResult
from lenadose.report.card import card
from lenadose.report.card_formats import card_html
from lenadose.report.markdown import cite
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import describe, fault
from lenadose.terms.facts import Action, Safety

_WITHHELD = (Action.INTERRUPT, Action.DISCONTINUE, Action.FINISH)
"""The actions that withhold the drug; others without a dosage only do not propose one."""

_SEVERITIES = MappingProxyType(
    {Safety.STOP: "high", Safety.INTERRUPT: "moderate", Safety.CAUTION: "low"}
)


def decision_bundle(
    course: Course, decisions: Sequence[Decision], recorded: dt.datetime | None = None
) -> Resource:
    """Return a course and decisions on its visits as a Bundle of FHIR R4.

    *decisions* are of `replay(course)`: all, or some. *recorded* is when they were made, by default
    the begin of the day of each visit: no clock is read. Raises CallError for a decision that is
    not on the course, and for a protocol that is not built in, because it does not say of what drug
    it is.
    """
    resources = course_resources(course)
    entries = resources.entries
    software = _software(resources.ids)
    entries.append(software)
    for decision in decisions:
        protocol = decision.protocol
        if protocol.id not in BUILT_IN:
            reason = f"{describe(protocol.id)} does not say of what drug it is, and FHIR must"
            raise fault("protocol", reason, f"use {' or '.join(BUILT_IN)}")
        if decision.visit not in course.visits:
            reason = f"the decision of {decision.visit.date} is on no visit of the course"
            raise fault("decisions", reason, "give decisions of replay(course)")
        entries += _Writer.of(resources, decision, software).entries(recorded)
    return bundle(resources.ids, entries)


def canonical(protocol: Protocol) -> str:
    """Return the canonical URL of a protocol, with its version."""
    return f"{codes.PROTOCOLS}/{protocol.id}|{protocol.version}"


def narrative(html: str) -> Json:
    """Return a narrative of HTML that is XHTML too."""
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{html}</div>',
    }


def _software(ids: Ids) -> Entry:
    return ids.entry(
        {
            "resourceType": "Device",
            "status": "active",
            "deviceName": [{"name": "lenadose", "type": "user-friendly-name"}],
            "version": [{"value": version("lenadose")}],
            "note": [{"text": NOT_A_DEVICE}],
        },
        version("lenadose"),
    )


@frozen
class _Writer:
    resources: CourseResources
    decision: Decision
    software: Entry
    about: Resource
    """The elements by which each resource names the patient and the visit."""

    @classmethod
    def of(cls, resources: CourseResources, decision: Decision, software: Entry) -> "_Writer":
        encounter = resources.visits[decision.visit.date][0]
        about = {"subject": resources.patient.reference, "encounter": encounter.reference}
        return cls(resources, decision, software, about)

    @property
    def day(self) -> str:
        return self.decision.visit.date.isoformat()

    @property
    def canonical(self) -> str:
        return canonical(self.decision.protocol)

    def entries(self, recorded: dt.datetime | None) -> list[Entry]:
        """Return the resources of the decision."""
        proposed = [*self._proposed()]
        group = self._group(proposed)
        issues = [*self._issues()]
        guidance = self._guidance(group)
        made = [guidance, group, *(entry for _, entry in proposed), *issues]
        return [*made, self._provenance(made, recorded)]

    def _entry(self, kind: str, elements: Resource, *names: str) -> Entry:
        protocol = self.decision.protocol
        key = (self.day, protocol.id, protocol.version, protocol.hash, *names)
        return self.resources.ids.entry({"resourceType": kind, **elements}, *key)

    def _guidance(self, group: Entry) -> Entry:
        decision = self.decision
        status = "success"
        if len(decision.possible_actions) > 1:
            status = "data-requested"
        if decision.action is Action.REQUEST_DATA:
            status = "data-required"
        protocol, missing = decision.protocol, [gap.field for gap in decision.missing]
        missing.sort(key=lambda field: field != decision.obtain_first)
        notes = [notice.words for notice in rationale(decision).notices]
        words = (*notes, protocol.evidence, NOT_A_DEVICE)
        elements: Resource = {
            "text": narrative(card_html(card(decision))),
            "moduleCanonical": self.canonical,
            "status": status,
            **self.about,
            "occurrenceDateTime": self.day,
            "performer": self.software.reference,
            "reasonCode": [self._row()],
            "note": [{"text": each} for each in words],
            "result": group.reference,
        }
        if missing:
            elements["dataRequirement"] = [requirement(field) for field in missing]
        return self._entry("GuidanceResponse", elements)

    def _row(self) -> Json:
        rule, protocol = self.decision.rule, self.decision.protocol
        row: Json = {
            "system": f"{codes.ROWS}/{protocol.id}",
            "version": protocol.version,
            "code": rule.id,
        }
        return {"coding": [row], "text": why(self.decision)}

    def _group(self, proposed: Sequence[tuple[str, Entry]]) -> Entry:
        decision = self.decision
        action = Code(codes.ACTIONS, decision.action.code, decision.action.label)
        elements: Resource = {
            "instantiatesCanonical": [self.canonical],
            "status": "draft",
            "intent": "proposal",
            "priority": "urgent" if same_day_dangers(decision.seen) else "routine",
            "code": concept(action, text=headline(decision)),
            **self.about,
            "authoredOn": self.day,
            "author": self.software.reference,
            "reasonCode": [self._row()],
            "note": [{"text": NOT_A_DEVICE}],
        }
        if proposed:
            cited: Json = {"type": "citation", "citation": cite(decision.case.provenance)}
            elements["action"] = [
                {"title": title, "documentation": [cited], "resource": entry.reference}
                for title, entry in proposed
            ]
        return self._entry("RequestGroup", elements)

    def _proposed(self) -> Iterator[tuple[str, Entry]]:
        decision = self.decision
        if decision.dosage is not None:
            yield headline(decision), self._entry("MedicationRequest", self._dosage())
        elif decision.action in _WITHHELD:
            withheld = {"doNotPerform": True, **self._medication()}
            yield headline(decision), self._entry("MedicationRequest", withheld)
        for due in rationale(decision).monitoring_due:
            words = f"{field_words(due.field)}: {', '.join(map(printed_date, due.days))}"
            yield words, self._entry("ServiceRequest", self._service(due), due.field)
        visit = decision.next_visit
        if visit is not None:
            words = f"Next visit: due {printed_date(visit.due)}"
            asked: Resource = {
                "status": "proposed",
                "description": words,
                "supportingInformation": [self.about["encounter"]],
                "participant": [
                    {"actor": self.resources.patient.reference, "status": "needs-action"}
                ],
                "requestedPeriod": [
                    {"start": visit.earliest.isoformat(), "end": visit.latest.isoformat()}
                ],
            }
            yield words, self._entry("Appointment", asked)

    def _medication(self) -> Resource:
        return {
            "instantiatesCanonical": [self.canonical],
            "status": "draft",
            "intent": "proposal",
            "medicationCodeableConcept": concept(codes.LENALIDOMIDE, text="Lenalidomide"),
            **self.about,
            "authoredOn": self.day,
            "requester": self.software.reference,
            "reasonCode": [self._row()],
            "note": [{"text": NOT_A_DEVICE}],
        }

    def _dosage(self) -> Resource:
        decision = self.decision
        assert decision.dosage is not None
        made: Resource = {
            **self._medication(),
            "dosageInstruction": [proposed_dosage(decision.dosage)],
        }
        until = QUESTIONS.get(decision.action)
        if until is not None:
            notes: Json = [{"text": f"Unchanged {until}."}, {"text": NOT_A_DEVICE}]
            made["note"] = notes
        supply = rationale(decision).supply
        if supply is not None:
            days: Json = quantity(supply.days, "days", "d")
            made["dispenseRequest"] = {"expectedSupplyDuration": days}
        return made

    def _service(self, due: MonitoringDue) -> Resource:
        days: list[Json] = [day.isoformat() for day in due.days]
        return {
            "instantiatesCanonical": [self.canonical],
            "status": "draft",
            "intent": "proposal",
            "code": concept(FIELD_CODES[due.field], text=field_words(due.field)),
            **self.about,
            **({"occurrenceDateTime": days[0]} if len(days) == 1 else {}),
            **({"occurrenceTiming": {"event": days}} if len(days) > 1 else {}),
            "authoredOn": self.day,
            "requester": self.software.reference,
        }

    def _issues(self) -> Iterator[Entry]:
        """Yield the dangers of the visit; an event that meets several criteria once, the worst."""
        seen = self.decision.seen
        # Of a count it is another limit that calls for a same-day assessment.
        urgent = {danger_name(seen, danger) for danger in same_day_dangers(seen)}
        written = set()
        for safety, severity in _SEVERITIES.items():
            for danger in _dangers(self.decision, safety):
                name = danger_name(seen, danger)
                if name in written:
                    continue
                written.add(name)
                words = f"{safety.label}: {name}"
                if isinstance(danger, Limit):
                    words += f", below {danger.below.value}"
                if name in urgent:
                    words += "; same-day assessment"
                elements: Resource = {
                    "status": "final",
                    "code": {"text": name},
                    "severity": "high" if name in urgent else severity,
                    "patient": self.about["subject"],
                    "identifiedDateTime": self.day,
                    "author": self.software.reference,
                    "detail": words,
                }
                implicated = self._implicated(danger)
                if implicated is not None:
                    elements["implicated"] = [implicated.reference]
                yield self._entry("DetectedIssue", elements, name)

    def _implicated(self, danger: OngoingEvent | Limit) -> Entry | None:
        """Return the resource of the event or the result; None where it is not of this course."""
        found = self.resources.found
        if isinstance(danger, Limit):
            result = self.decision.seen.findings.result(danger.quantity)
            return found.get((danger.quantity, result.on, result.given)) if result else None
        if danger.event is None:
            return found.get(("pregnancy_tests", danger.since, TestResult.POSITIVE))
        return found.get(("adverse_events", danger.since, danger.event))

    def _provenance(self, made: Sequence[Entry], recorded: dt.datetime | None) -> Entry:
        protocol = self.decision.protocol
        named: Json = {
            "identifier": {"system": codes.PROTOCOL_HASH, "value": protocol.hash},
            "display": f"{protocol.id} {protocol.version}, sha256 {protocol.hash}",
        }
        elements: Resource = {
            "target": [entry.reference for entry in made],
            "occurredDateTime": self.day,
            "recorded": instant(recorded or self.decision.visit.date),
            "policy": [self.canonical],
            "agent": [{"who": self.software.reference}],
            "entity": [{"role": "source", "what": named}],
        }
        return self._entry("Provenance", elements)


def _dangers(decision: Decision, safety: Safety) -> Iterator[OngoingEvent | Limit]:
    """Yield the results and events that show so much of a danger."""
    seen = decision.seen
    for limit in limits_met(seen.protocol.safety, seen.findings):
        if limit.shows is safety:
            yield limit
    for event in seen.findings.ongoing:
        if event.criterion.safety is safety:
            yield event


def proposed_dosage(dosage: Dosage) -> dict[str, Json]:
    """Return a dosage as a Dosage of FHIR, with its text."""
    text = f"{dosage}, by mouth"
    return {"text": text, **dosage_instruction(number(dosage.mg), dosage.every_days)}


def requirement(field: str) -> Json:
    """Return a field of the visit that is missing as a DataRequirement."""
    known: tuple[Code, ...] = codes.RESULT_CODES.get(field, (FIELD_CODES[field],))
    if field == "adverse_events":
        return {"type": "AdverseEvent"}
    if field == "pregnancy_tests":
        known = codes.PREGNANCY_TEST_CODES
    asked: list[Json] = [coding(code) for code in known]
    return {"type": "Observation", "codeFilter": [{"path": "code", "code": asked}]}
