"""Decisions as JSON, with their rationale, their alternatives, and the ledger of the protocol."""

from collections.abc import Iterator
from decimal import Decimal

from lenadose.engine.machine import Decision
from lenadose.explanation.alternatives import Alternative, alternative, alternatives
from lenadose.explanation.arguments import Argument, for_and_against
from lenadose.explanation.phrases import describe_change, describe_unreachable
from lenadose.explanation.rationale import Rationale, rationale
from lenadose.explanation.sensitivity import HOW_COUNTED, stakes
from lenadose.formats.course_json import Json, number, plain_record
from lenadose.formats.state_json import state_data
from lenadose.protocol.advice import VisitWindow
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS, Action, EvidenceLevel
from lenadose.terms.provenance import Provenance


def decision_data(decision: Decision) -> dict[str, Json]:
    """Return a decision as plain data, with its facts and every reason for it.

    `basis` holds all that it was decided on, the state before and the visit: see `read_decision`.
    """
    why = rationale(decision)
    next_visit, possible = decision.next_visit, decision.possible_actions
    return {
        **identity(decision.protocol),
        "patient": decision.seen.patient.id,
        "visit": decision.visit.date.isoformat(),
        "action": decision.action.code,
        "rule": decision.rule.id,
        "dosage": None
        if decision.dosage is None
        else {
            "mg": number(decision.dosage.mg),
            "every_days": decision.dosage.every_days,
            "text": str(decision.dosage),
        },
        "next_visit": None if next_visit is None else _dates_of(next_visit),
        "provenance": _provenance(decision.case.provenance),
        "facts": {name: getattr(decision.facts, name).code for name, _ in DIMENSIONS},
        "phase_after": decision.phase_after.code,
        "missing": [{"field": gap.field, "why": gap.why.code} for gap in decision.missing],
        "possible_actions": [action.code for action in Action if action in possible],
        "obtain_first": decision.obtain_first,
        "reasons": list(_reasons(why)),
        "reason": why.reason,
        "assumptions": [entry.id for entry in why.assumptions],
        "supply": None
        if why.supply is None
        else {
            "days": why.supply.days,
            "days_to_next_visit": why.supply.days_to_next_visit,
            "shortfall": why.supply.shortfall,
        },
        "falls_due": [
            {"field": due.field, "dates": [str(day) for day in due.days]}
            for due in why.monitoring_due
        ],
        "notices": [
            {
                "id": notice.id,
                "words": notice.words,
                "source": notice.source,
                "confidence": notice.confidence.code,
            }
            for notice in why.notices
        ],
        "limits": decision.protocol.evidence,
        "notice": NOT_A_DEVICE,
        "basis": {
            "state": state_data(decision.seen.before),
            "visit": plain_record(decision.visit),
        },
    }


def contrast_data(decision: Decision, action: Action | None = None) -> dict[str, Json]:
    """Return a decision as plain data, with its alternatives and the arguments for each action.

    *action* limits both to one action.
    """
    if action is None:
        others = alternatives(decision)
    else:
        others = () if action is decision.action else (alternative(decision, action),)
    return {
        **decision_data(decision),
        "alternatives": [_alternative(decision, other) for other in others],
        "arguments": [
            {
                "action": candidate.action.code,
                "rule": candidate.rule.id,
                "for": [_argument(argument) for argument in candidate.in_favour],
                "against": [_argument(argument) for argument in candidate.against],
            }
            for candidate in for_and_against(decision)
            if action in (None, candidate.action)
        ],
    }


def _alternative(decision: Decision, other: Alternative) -> Json:
    """Format an alternative: `to` goes under `field` in the visit, which null leaves out."""
    return {
        "action": other.action.code,
        "reachable": other.reachable,
        "changes": [
            {
                "field": change.field,
                "from": None if change.before is None else plain_record(change.before),
                "to": None if change.after is None else plain_record(change.after),
                "means": change.means.code,
                "words": describe_change(decision, other, change),
            }
            for change in other.changes
        ],
        "why": None if other.reachable else describe_unreachable(decision, other.action),
    }


def _argument(argument: Argument) -> Json:
    return {
        "fact": argument.fact,
        "shown": argument.shown.code,
        "admitted": [word.code for word in argument.admitted],
        "words": argument.words,
        "criteria": [
            {
                "id": criterion.id,
                "value": _value(criterion.value),
                "threshold": criterion.threshold,
                "met": criterion.met,
            }
            for criterion in argument.criteria
        ],
    }


def replay_data(protocol: Protocol, decisions: tuple[Decision, ...]) -> dict[str, Json]:
    """Return the decisions on a course as plain data, with their protocol."""
    return {**identity(protocol), "decisions": [decision_data(decision) for decision in decisions]}


def identity(protocol: Protocol) -> dict[str, Json]:
    """Return the identity of a protocol: id, version and hash."""
    return {"protocol": {"id": protocol.id, "version": protocol.version, "hash": protocol.hash}}


def ledger_data(protocol: Protocol) -> dict[str, Json]:
    """Return all that a protocol assumes, and the effect of each assumption, as plain data."""
    situations = sum(1 for _ in protocol.table.situations())
    return {
        **identity(protocol),
        "notice": NOT_A_DEVICE,
        "counted": HOW_COUNTED.format(situations=situations),
        "assumptions": [
            {
                "id": row.entry.id,
                "words": row.entry.words,
                "value": row.entry.value,
                **_provenance(row.entry.provenance),
                "changes": row.words,
                "situations": row.situations,
            }
            for row in stakes(protocol)
            if row.entry.provenance.tag is not EvidenceLevel.STATED
        ],
    }


def _dates_of(next_visit: VisitWindow) -> dict[str, Json]:
    return {
        "earliest": next_visit.earliest.isoformat(),
        "due": next_visit.due.isoformat(),
        "latest": next_visit.latest.isoformat(),
    }


def _provenance(provenance: Provenance) -> dict[str, Json]:
    return {"tag": provenance.tag.code, "source": provenance.source, "words": provenance.words}


def _reasons(why: Rationale) -> Iterator[Json]:
    for entry in why.inputs:
        yield {
            "kind": "input",
            "field": entry.field,
            "value": _value(entry.value),
            "unit": entry.unit,
            "date": entry.on.isoformat(),
            "age_days": entry.age_days,
        }
    for calculation in why.arithmetic:
        yield {
            "kind": "arithmetic",
            "name": calculation.name,
            "value": _value(calculation.value),
            "unit": calculation.unit,
            "working": calculation.working,
        }
    for criterion in why.criteria:
        yield {
            "kind": "criterion",
            "id": criterion.id,
            "words": criterion.words,
            "value": _value(criterion.value),
            "threshold": criterion.threshold,
            "working": criterion.working,
            "unit": criterion.unit,
            "met": criterion.met,
            "tag": criterion.provenance.tag.code,
            "source": criterion.provenance.source,
        }
    for message in why.messages:
        yield {"kind": "notice", "id": message.id, "words": message.words}


def _value(value: object) -> Json:
    if isinstance(value, Decimal):
        return number(value)
    return value if isinstance(value, int | str | None) else str(value)
