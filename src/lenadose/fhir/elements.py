"""Parts of FHIR R4 resources, and the entries of a Bundle with their ids."""

import datetime as dt
from uuid import NAMESPACE_URL, UUID, uuid5

from attrs import frozen

from lenadose.formats.course_json import Json
from lenadose.formats.fhir_codes import UCUM, Code
from lenadose.terms.errors import fault

Resource = dict[str, Json]

_IDS = uuid5(NAMESPACE_URL, "https://lenadose.example/fhir")


@frozen
class Entry:
    """A resource with the URL by which others in its Bundle refer to it."""

    url: str
    resource: Resource

    @property
    def reference(self) -> Json:
        """A reference to the resource."""
        return {"reference": self.url}


@frozen
class Ids:
    """The ids of resources: the same for the same course, day, kind and place in it."""

    root: UUID

    @classmethod
    def of(cls, *names: str) -> "Ids":
        """Return the ids below some names."""
        return cls(uuid5(_IDS, "\n".join(names)))

    def entry(self, resource: Resource, *names: str) -> Entry:
        """Return a resource as an entry, with the id of its type and of these names."""
        kind = str(resource["resourceType"])
        id = str(uuid5(self.root, "\n".join((kind, *names))))
        return Entry(f"urn:uuid:{id}", {"resourceType": kind, "id": id, **resource})


def coding(code: Code) -> Json:
    """Return a code as a Coding."""
    return {"system": code.system, "code": code.code, "display": code.display}


def concept(*codes: Code, text: str | None = None) -> Json:
    """Return codes that mean the same as a CodeableConcept, with its words for people."""
    concept: dict[str, Json] = {"coding": [coding(code) for code in codes]}
    return concept if text is None else {**concept, "text": text}


def quantity(value: Json, unit: str, code: str) -> dict[str, Json]:
    """Return a Quantity: the unit as it is printed, and its code in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def instant(moment: dt.date | dt.datetime) -> str:
    """Return a moment as FHIR writes an instant; of a day its begin in UTC.

    Raises CallError for a time without its zone.
    """
    if not isinstance(moment, dt.datetime):
        return f"{moment.isoformat()}T00:00:00Z"
    if moment.utcoffset() is None:
        raise fault("recorded", "a time without its zone", "give it with tzinfo, such as UTC")
    return moment.isoformat()


def bundle(ids: Ids, entries: list[Entry]) -> Resource:
    """Return a Bundle of the type collection."""
    made = ids.entry({"resourceType": "Bundle", "type": "collection"}).resource
    return {
        **made,
        "entry": [{"fullUrl": entry.url, "resource": entry.resource} for entry in entries],
    }
