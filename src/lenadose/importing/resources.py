"""FHIR R4 resources: their parts, the patient that each is of, and references among them."""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from lenadose.formats.fhir_codes import PATIENT_ID
from lenadose.importing.files import Document
from lenadose.importing.readings import day_of
from lenadose.terms.errors import Fault, LenadoseError, describe, fault, with_article

Data = Mapping[str, object]

_LOCAL = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]*)?")
_SERVER = re.compile(r"https?://(.*/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]*)?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

_OTHER_VERSIONS = (
    ("MedicationStatement", "medication", "R5"),
    ("MedicationAdministration", "medication", "R5"),
    ("MedicationDispense", "medication", "R5"),
    ("MedicationRequest", "medication", "R5"),
    ("AdverseEvent", "code", "R5"),
    ("AdverseEvent", "status", "R5"),
    ("AdverseEvent", "occurrenceDateTime", "R5"),
    ("Encounter", "actualPeriod", "R5"),
    ("Observation", "context", "STU3"),
    ("MedicationAdministration", "notGiven", "STU3"),
    ("MedicationStatement", "taken", "STU3"),
    ("MedicationDispense", "notDone", "STU3"),
    ("Encounter", "patient", "DSTU2"),
    ("Condition", "patient", "DSTU2"),
    ("MedicationStatement", "patient", "DSTU2"),
)
"""Elements that resources of other versions of FHIR have, and those of R4 do not."""

_ONCE_CODES = ("clinicalStatus", "verificationStatus")
"""Elements of a Condition that were codes before R4: read as R4, a refuted one would be there."""


@frozen
class Resource:
    """A resource with its place, and what it is contained in."""

    place: str
    type: str
    data: Data
    url: str | None = None
    holder: Document | None = None

    @property
    def id(self) -> str | None:
        """Its logical id."""
        return text(self.data, "id")

    @property
    def name(self) -> str | None:
        """Its type and id: Patient/1."""
        return f"{self.type}/{self.id}" if self.id else None


def resource_of(document: Document) -> Resource | Fault:
    """Return a document as a resource, or why it is none of FHIR R4."""
    kind = document.data.get("resourceType")
    if isinstance(kind, Fault):
        return kind
    if not isinstance(kind, str):
        if "visits" in document.data:
            fix = "nothing to do: it is a course already"
            return Fault("", "is not FHIR but a course of this library", fix)
        return Fault("", "is not FHIR: it has no resourceType", "give FHIR R4 resources as JSON")
    for type, element, version in _OTHER_VERSIONS:
        if kind == type and element in document.data:
            reason = f"is FHIR {version}: {type}.{element} is not in R4"
            return Fault("", reason, "convert it to FHIR R4")
    for element in _ONCE_CODES if kind == "Condition" else ():
        if isinstance(document.data.get(element), str):
            reason = f"is FHIR STU3 or older: Condition.{element} is a code, not a CodeableConcept"
            return Fault("", reason, "convert it to FHIR R4")
    return Resource(document.place, kind, document.data, document.url, document.holder)


def modifier_of(resource: Resource) -> Fault | None:
    """Return why the meaning of a resource is not known; None if nothing in it changes that.

    FHIR forbids to use a resource with a modifierExtension, or with implicitRules, that a program
    does not know: it may say that a dose was not taken. What it contains is judged by itself.
    """
    if text(resource.data, "implicitRules"):
        return Fault("", "its implicitRules are not known here", "give it without them")
    waiting: list[object] = [
        {key: value for key, value in resource.data.items() if key != "contained"}
    ]
    while waiting:
        match waiting.pop():
            case {"modifierExtension": _}:
                reason = "it has a modifierExtension, which may change what it means"
                return Fault("", reason, "give it without one, if it means the same")
            case dict() as each:
                waiting += each.values()
            case list() as each:
                waiting += each
    return None


# Parts of a resource: one of another type is as if it were not there


def text(data: Data, key: str) -> str | None:
    """Return a text of an element; None if there is none."""
    value = data.get(key)
    return value if isinstance(value, str) and value.strip() else None


def part(data: Data, key: str) -> Data:
    """Return an object of an element; an empty one if there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def parts(data: Data, key: str) -> list[Data]:
    """Return the objects of a list."""
    value = data.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def codes_of(concept: Data) -> list[tuple[str, str]]:
    """Return the system and the code of each coding of a CodeableConcept."""
    codings = ((text(each, "system"), text(each, "code")) for each in parts(concept, "coding"))
    return [(system, code) for system, code in codings if system and code]


def label_of(concept: Data) -> str | None:
    """Return the text of a CodeableConcept, or the display of its first coding with one."""
    displays = (text(each, "display") for each in parts(concept, "coding"))
    return text(concept, "text") or next((display for display in displays if display), None)


def extension(data: Data, url: str) -> Data:
    """Return the extension of a URL; an empty one if there is none."""
    return next((each for each in parts(data, "extension") if each.get("url") == url), {})


# The resources together


@frozen
class Index:
    """Resources by what references name them, and the ids of patients as courses give them."""

    by_name: Mapping[str, Resource]
    by_url: Mapping[str, Resource]
    doubled: Mapping[str, tuple[Resource, ...]]
    reports: Mapping[str, tuple[Resource, ...]]
    """The DiagnosticReports that list an Observation, by the key of it."""

    def resolve(self, resource: Resource, holder: Data, element: str) -> Resource | None:
        """Return the resource that an element of a resource refers to; None for none.

        `holder` is the resource, or the part of it that has the element.
        """
        reference = text(part(holder, element), "reference")
        return None if reference is None else self.named(resource, reference)

    def named(self, resource: Resource, reference: str) -> Resource | None:
        """Return the resource that a reference in another names; `#id` is contained in it.

        A relative reference names a resource of the server that its own resource is of, where that
        is known: the same id on another server is another resource.
        """
        if reference.startswith("#"):
            outer = resource.holder
            place, data = (outer.place, outer.data) if outer else (resource.place, resource.data)
            for each in parts(data, "contained"):
                kind = text(each, "resourceType")
                if each.get("id") == reference[1:] and kind:
                    return Resource(f"{place}{reference}", kind, each, holder=outer)
            return None
        if reference in self.by_url:
            return self.by_url[reference]
        local = _LOCAL.fullmatch(reference)
        found = self.by_name.get(f"{local[1]}/{local[2]}") if local else None
        own = resource.holder.url if resource.holder else resource.url
        server = _server_of(reference) or _server_of(own)
        if found is None or server in (None, _server_of(found.url) or server):
            return found
        return None

    def key(self, resource: Resource) -> str:
        """Return what identifies a resource among all."""
        if resource.holder is not None:
            return f"{resource.holder.place}#{resource.id}"
        if "#" in resource.place:
            return resource.place
        return resource.name or resource.url or resource.place

    def patient(self, resource: Resource, element: str = "subject") -> str:
        """Return the key of the patient that a resource is of; raises CallError for none."""
        written = text(part(resource.data, element), "reference")
        if written is None:
            reason = f"no reference to a patient in {element}"
            raise fault("", reason, f"give {element}.reference")
        found = self.named(resource, written)
        if found is not None:
            if found.type != "Patient":
                raise _of_another(found.type)
            return self.key(found)
        local = _LOCAL.fullmatch(written)
        if local is None or f"{local[1]}/{local[2]}" in self.by_name:
            reason = f"the reference {describe(written)} names no resource that was given"
            raise fault("", reason, "give the Patient, with the fullUrl that is referred to")
        if local[1] != "Patient":
            raise _of_another(local[1])
        return f"Patient/{local[2]}"

    def patient_id(self, key: str) -> str | None:
        """Return the id of a patient in a course: its own identifier, else the logical id."""
        found = self.by_name.get(key) or self.by_url.get(key)
        if found is not None:
            for identifier in parts(found.data, "identifier"):
                value = text(identifier, "value")
                if identifier.get("system") == PATIENT_ID and value:
                    return value
            return found.id
        return key.removeprefix("Patient/")


def _server_of(url: str | None) -> str | None:
    """Return the base of a URL of a resource, whatever its scheme; None for another URL."""
    server = _SERVER.fullmatch(url) if url else None
    return server[1].casefold() if server else None


def _of_another(kind: str) -> LenadoseError:
    return fault("", f"it is of {with_article(kind)}, not of a patient", "nothing to do")


def index_of(resources: Sequence[Resource]) -> Index:
    """Return the index of resources."""
    by_name: dict[str, Resource] = {}
    by_url: dict[str, Resource] = {}
    same: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.holder is not None:
            continue
        if key := resource.name or resource.url:
            same[key].append(resource)
        if resource.name:
            by_name.setdefault(resource.name, resource)
        if resource.url:
            by_url.setdefault(resource.url, resource)
    doubled = {key: tuple(each) for key, each in same.items() if len(each) > 1}
    index = Index(by_name, by_url, doubled, {})
    reports: dict[str, list[Resource]] = defaultdict(list)
    for report in resources:
        if report.type == "DiagnosticReport":
            for key in _listed(index, report, report.data, "result"):
                reports[key].append(report)
    return Index(by_name, by_url, doubled, {key: tuple(each) for key, each in reports.items()})


def _listed(index: Index, report: Resource, data: Data, element: str) -> Iterator[str]:
    """Yield the keys of the Observations that a report lists, also as members of another."""
    waiting, seen = [(data, element)], set()
    while waiting:
        holder, name = waiting.pop()
        for each in parts(holder, name):
            reference = text(each, "reference")
            found = index.named(report, reference) if reference else None
            key = None if found is None else index.key(found)
            if found is not None and key is not None and key not in seen:
                seen.add(key)
                yield key
                waiting.append((found.data, "hasMember"))


def is_same(one: Resource, other: Resource) -> bool:
    """Return whether two resources say the same, whatever their narrative and their version."""
    return _canonical(one.data) == _canonical(other.data)


def _canonical(data: Data) -> str:
    said = {key: value for key, value in data.items() if key not in ("text", "meta")}
    return json.dumps(said, sort_keys=True, default=str)


# Days


def effective_day(data: Data) -> dt.date | None:
    """Return the day of a resource; None if it has none. Raises CallError for one not plain."""
    written = text(data, "effectiveDateTime") or text(data, "effectiveInstant")
    if written is not None:
        return day_of(written)
    if "effectiveTiming" in data:
        raise fault("", "effectiveTiming is not one day", "give effectiveDateTime")
    period = part(data, "effectivePeriod")
    if not period:
        return None
    start, end = period_of(period)
    if start is None or (end is not None and end != start):
        raise fault("", "effectivePeriod is not one day", "give effectiveDateTime")
    return start


def period_of(period: Data) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day of a period; raises CallError."""
    start, end = text(period, "start"), text(period, "end")
    return (day_of(start) if start else None), (day_of(end) if end else None)
