"""Cards of CDS Hooks: the decision on a patient's record, and orders compared with it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from uuid import UUID, uuid5

from attrs import frozen

from lenadose.engine.machine import Decision, replay, same_day_dangers
from lenadose.explanation.headlines import QUESTIONS, advice
from lenadose.explanation.why import field_words, why
from lenadose.fhir.course import FIELD_CODES
from lenadose.fhir.decision import canonical, proposed_dosage
from lenadose.fhir.elements import coding, concept
from lenadose.formats import fhir_codes as codes
from lenadose.formats.course_json import Json
from lenadose.formats.fhir_codes import Code
from lenadose.report.card import card
from lenadose.report.card_formats import card_markdown
from lenadose.report.markdown import escape
from lenadose.serve.hooks import (
    NotObtained,
    Record,
    Request,
    is_treated,
    read_request,
    record_of,
)
from lenadose.serve.orders import Order, orders_of
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.errors import CallError, LenadoseError
from lenadose.terms.facts import Safety

LONGEST = 139
"""The characters that a summary may have: fewer than 140."""

_DANGERS = (Safety.STOP, Safety.INTERRUPT)

OVERRIDE_REASONS = tuple(
    Code(codes.OVERRIDE_REASONS, code, display)
    for code, display in (
        ("record-incomplete", "The record is not complete, or wrong"),
        ("clinical-judgement", "Clinical judgement"),
        ("patient-preference", "Wish of the patient"),
        ("other-regimen", "Another regimen is followed"),
        ("already-done", "Already done"),
    )
)
"""The reasons for which a card may be overridden."""


class Refused(CallError):
    """The faults of a record from which no course can be made."""


@frozen
class Service:
    """A service: the hook that calls it, its words, and what it does with a request."""

    hook: str
    title: str
    description: str


_COMPARED = (
    "Compares an order of lenalidomide with a published trial's protocol for cutaneous lupus: it "
    f"agrees, or it differs and why. {NOT_A_DEVICE}"
)
SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "lenadose-patient-view": Service(
            "patient-view",
            "Lenalidomide in cutaneous lupus: next step",
            "Shows what a published trial's protocol advises at this visit, why, and what to "
            f"obtain. {NOT_A_DEVICE}",
        ),
        "lenadose-order-select": Service(
            "order-select", "Lenalidomide in cutaneous lupus: selected order", _COMPARED
        ),
        "lenadose-order-sign": Service(
            "order-sign", "Lenalidomide in cutaneous lupus: order to sign", _COMPARED
        ),
    }
)
"""The services by their ids."""


def _codes(*known: Code) -> str:
    return ",".join(f"{code.system}|{code.code}" for code in known)


_PATIENT = "{{context.patientId}}"
PREFETCH: Mapping[str, str] = MappingProxyType(
    {
        "patient": f"Patient/{_PATIENT}",
        "encounter": "Encounter/{{context.encounterId}}",
        "visits": f"Encounter?patient={_PATIENT}&type={_codes(codes.VISIT)}",
        "observations": f"Observation?patient={_PATIENT}&code="
        + _codes(
            *(code for known in codes.RESULT_CODES.values() for code in known),
            *codes.PREGNANCY_TEST_CODES,
            codes.CREATININE,
            codes.BODY_WEIGHT,
            codes.CLASI_ACTIVITY,
            codes.CLASI_DAMAGE,
            codes.ADVERSE_EVENTS,
            codes.DOSES_MISSED,
            codes.JUDGEMENT,
            codes.TREATMENT_ENDED,
            codes.UNREADABLE,
            codes.PROTOCOL,
            codes.AGE,
            codes.ABLE_TO_BECOME_PREGNANT,
            codes.REGULAR_CYCLES,
            codes.SUBTYPE,
            codes.ANTIPHOSPHOLIPID,
        ),
        "events": f"AdverseEvent?subject=Patient/{_PATIENT}",
        "conditions": f"Condition?patient={_PATIENT}",
        "statements": f"MedicationStatement?patient={_PATIENT}",
        "administrations": f"MedicationAdministration?patient={_PATIENT}",
        "dispenses": f"MedicationDispense?patient={_PATIENT}",
    }
)
"""The queries that a client is asked to make before it calls, by their keys."""


def discovery() -> dict[str, Json]:
    """Return what the discovery endpoint answers."""
    return {
        "services": [
            {
                "hook": service.hook,
                "title": service.title,
                "description": service.description,
                "id": id,
                "prefetch": dict(PREFETCH),
            }
            for id, service in SERVICES.items()
        ]
    }


def respond(service: Service, document: object) -> dict[str, Json]:
    """Return the cards for a request.

    Raises CallError for a request that is none, NotObtained for one without a record, and Refused
    for a record that cannot be used: each of them before anything is recommended.
    """
    request = read_request(document, service.hook)
    orders: tuple[Order, ...] = ()
    if service.hook != "patient-view":
        orders = orders_of(request, service.hook)
        if not orders:
            return {"cards": []}
    try:
        record = record_of(request)
        decisions = replay(record.course) if record.course else ()
    except NotObtained:
        raise
    except LenadoseError as error:
        raise Refused(error.faults) from None
    if record.course is None or not (orders or is_treated(record.course)):
        return {"cards": [*_without_record(request, orders)]}
    decision = next(
        (each for each in decisions if str(each.visit.date) == record.day), decisions[-1]
    )
    writer = _Cards(request, record, decision)
    if service.hook == "patient-view":
        return {"cards": [writer.next_step()]}
    return {"cards": [writer.order(order, place) for place, order in enumerate(orders)]}


def _without_record(request: Request, orders: tuple[Order, ...]) -> Iterator[dict[str, Json]]:
    for place, _ in enumerate(orders):
        yield {
            "uuid": _uuid(request, "order", str(place)),
            "summary": "Lenalidomide: not compared, because the record holds no visit",
            "detail": "Record the CLASI activity of a visit. " + NOT_A_DEVICE,
            "indicator": "warning",
            "source": {"label": "lenadose (hypothetical; not a medical device)"},
            "overrideReasons": [coding(reason) for reason in OVERRIDE_REASONS],
        }


def _uuid(request: Request, *names: str) -> str:
    """Return an id that is the same for the same call: the service keeps nothing."""
    return str(uuid5(UUID(request.instance), "\n".join(names)))


@frozen
class _Cards:
    request: Request
    record: Record
    decision: Decision

    def next_step(self) -> dict[str, Json]:
        """Return the card of the decision, with the missing facts as what to obtain."""
        decision = self.decision
        made = self._card(f"{decision.visit.date}: {advice(decision)}", "", self._indicator())
        fields = [gap.field for gap in decision.missing]
        if len(decision.possible_actions) > 1 and fields:
            made["suggestions"] = [self._to_obtain(field) for field in fields]
            made["selectionBehavior"] = "any"
        return made

    def order(self, order: Order, place: int) -> dict[str, Json]:
        """Return the card of an order: it agrees, or it differs and why."""
        decision, is_question = self.decision, self.decision.action in QUESTIONS
        indicator = self._indicator()
        advised, words = f"advised: {_lowered(advice(decision))}", ""
        is_same = order.unreadable is None and order.dosage == decision.dosage
        if is_same and not is_question:
            summary = f"Agrees; {advised}"
        else:
            ordered = f"ordered {order.dosage or 'nothing'}"
            summary = f"{'As now' if is_same else 'Differs'}: {ordered}; {advised}"
            if order.unreadable is not None:
                summary = f"Not compared; {advised}"
                why_not = f"{order.unreadable.reason}; {order.unreadable.fix}"
                words = f"The dosage of the order cannot be read: {why_not}."
            indicator = "warning" if indicator == "info" else indicator
            is_danger = decision.dosage is None and decision.facts.safety in _DANGERS
            is_drug = order.dosage is not None or order.unreadable is not None
            indicator = "critical" if is_danger and is_drug else indicator
        made = self._card(summary, words, indicator, "order", str(place))
        suggestions = [] if is_same else [*self._changes(order, place)]
        if suggestions:
            made["suggestions"] = suggestions
            made["selectionBehavior"] = "at-most-one"
        return made

    def _card(self, summary: str, words: str, indicator: str, *names: str) -> dict[str, Json]:
        decision, protocol = self.decision, self.decision.protocol
        left_out = [f"- {escape(each)}" for each in self.record.left_out]
        detail = [f"{escape(words)}\n"] if words else []
        detail.append(card_markdown(card(decision)))
        if left_out:
            detail += ["Left out of the record:\n", *left_out]
        detail.append(f"\n{NOT_A_DEVICE}")
        action = Code(codes.ACTIONS, decision.action.code, decision.action.label)
        return {
            "uuid": _uuid(self.request, *(names or ("card",))),
            "summary": summary if len(summary) <= LONGEST else f"{summary[: LONGEST - 1]}…",
            "detail": "\n".join(detail),
            "indicator": indicator,
            "source": {
                "label": f"{protocol.id} {protocol.version} (hypothetical; not a medical device)",
                "topic": coding(action),
            },
            "overrideReasons": [coding(reason) for reason in OVERRIDE_REASONS],
        }

    def _indicator(self) -> str:
        """Return the urgency: critical is what calls for an assessment on the same day."""
        if same_day_dangers(self.decision.seen):
            return "critical"
        is_danger = self.decision.facts.safety in (*_DANGERS, Safety.CAUTION)
        return "warning" if is_danger or self.decision.action in QUESTIONS else "info"

    def _to_obtain(self, field: str) -> Json:
        words = f"Obtain {field_words(field)}"
        request, decision = self.request, self.decision
        encounter = request.encounter
        resource: Json = {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "code": concept(FIELD_CODES[field], text=field_words(field)),
            "subject": {"reference": f"Patient/{request.patient}"},
            **({"encounter": {"reference": f"Encounter/{encounter}"}} if encounter else {}),
            "authoredOn": decision.visit.date.isoformat(),
            "instantiatesCanonical": [canonical(decision.protocol)],
        }
        return {
            "label": words,
            "uuid": _uuid(request, "obtain", field),
            "isRecommended": field == decision.obtain_first,
            "actions": [{"type": "create", "description": words, "resource": resource}],
        }

    def _changes(self, order: Order, place: int) -> Iterator[Json]:
        """Yield the change by which an order would agree; none for one without an id."""
        decision, name = self.decision, order.name
        if name is None:
            return
        dosage = decision.dosage
        if dosage is None:
            words = f"Remove the order: {why(decision)}"
            action: Json = {
                "type": "delete",
                "description": words,
                "resourceId": name,
            }
            label = "Remove the order"
        else:
            changed = {key: value for key, value in order.resource.items() if key != _SUPPLY}
            changed["dosageInstruction"] = [proposed_dosage(dosage)]
            label = f"Change the order to {dosage}"
            words = f"{label}; check the capsules, and state the supply anew"
            action = {"type": "update", "description": words, "resource": changed}
        yield {
            "label": label,
            "uuid": _uuid(self.request, "change", str(place)),
            "isRecommended": decision.action not in QUESTIONS,
            "actions": [action],
        }


_SUPPLY = "dispenseRequest"
"""The element of an order that holds its supply, which is that of the dosage before."""


def _lowered(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"
