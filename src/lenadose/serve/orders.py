"""Orders of lenalidomide in a request, and how each compares with a decision."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from attrs import field, frozen

from lenadose.formats.course_json import Json, number
from lenadose.importing.files import Document
from lenadose.importing.mapping import load_mapping
from lenadose.importing.medications import dosage_of, is_lenalidomide
from lenadose.importing.resources import (
    Resource,
    index_of,
    modifier_of,
    part,
    parts,
    resource_of,
    text,
)
from lenadose.record.visit import DosageTaken
from lenadose.serve.hooks import Request
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import CallError, Fault, LenadoseError, describe, fault

_ENDED = ("cancelled", "completed", "entered-in-error", "stopped")


@frozen
class Order:
    """An order of lenalidomide: its dosage, or why that cannot be read.

    `dosage` is None for 0 mg and where it cannot be read, which `unreadable` says.
    """

    resource: Mapping[str, Json] = field(repr=False)
    dosage: Dosage | None
    unreadable: Fault | None = None

    @property
    def name(self) -> str | None:
        """Its type and id, by which it can be changed; None without an id."""
        id = self.resource.get("id")
        return f"MedicationRequest/{id}" if isinstance(id, str) else None


def orders_of(request: Request, hook: str) -> tuple[Order, ...]:
    """Return the orders of lenalidomide among the draft orders; of order-select those selected.

    Raises CallError for a context without draft orders, for an order of another patient, and for
    one of another version of FHIR.
    """
    drafts = request.context.get("draftOrders")
    if not isinstance(drafts, dict) or drafts.get("resourceType") != "Bundle":
        raise fault("context.draftOrders", "is no Bundle", "give the draft orders as a Bundle")
    selected: list[object] | None = None
    if hook == "order-select":
        given = request.context.get("selections")
        if not isinstance(given, list):
            raise fault("context.selections", "is no list", "give the ids of the selected orders")
        selected = [str(each).rpartition("/")[2] for each in given]
    resources: list[Resource] = []
    for place, entry in enumerate(parts(drafts, "entry")):
        at, url = f"context.draftOrders.entry[{place}]", text(entry, "fullUrl")
        document = Document(at, part(entry, "resource"), url)
        found = resource_of(document)
        if isinstance(found, Resource):
            resources.append(found)
        elif document.data.get("resourceType") == "MedicationRequest":
            raise CallError((found.within(document.place),))
    return tuple(_orders(request, resources, selected))


def _orders(
    request: Request, resources: list[Resource], selected: list[object] | None
) -> Iterator[Order]:
    index, mapping = index_of(resources), load_mapping()
    for resource in resources:
        data = resource.data
        if (
            resource.type != "MedicationRequest"
            or (selected is not None and data.get("id") not in selected)
            or data.get("status") in _ENDED
            or data.get("doNotPerform") is True
            or not is_lenalidomide(resource, index, mapping)
        ):
            continue
        whose = text(part(data, "subject"), "reference")
        if whose is None or whose.rpartition("Patient/")[2] != request.patient:
            reason = f"{describe(whose)} is not the patient of the context"
            raise fault(f"{resource.place}.subject", reason, f"give Patient/{request.patient}")
        plain = _plain(data, resource.place)
        assert isinstance(plain, dict)
        unclear = modifier_of(resource)
        if unclear is not None:
            yield Order(plain, None, unclear)
            continue
        try:
            taken = dosage_of(resource, mapping)
            assert isinstance(taken, dict)
            yield Order(plain, DosageTaken(**taken).dosage)  # type: ignore[arg-type]  # of the same names
        except LenadoseError as error:
            yield Order(plain, None, error.faults[0])


def _plain(value: object, place: str) -> Json:
    """Return a part of a request as JSON can write it; raises CallError for a number it cannot."""
    match value:
        case Fault():
            raise CallError((value.within(place),))
        case Decimal():
            return number(value)
        case dict():
            return {str(key): _plain(each, place) for key, each in value.items()}
        case list():
            return [_plain(each, place) for each in value]
        case str() | int() | None:
            return value
    raise AssertionError(f"{type(value)} is not of JSON")
