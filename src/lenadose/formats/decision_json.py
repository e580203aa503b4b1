"""Courses and decisions as JSON: a course is read strictly and written back unchanged, a decision is written whole.

Every fault of a document is reported, each with its place, the reason and the mend.
"""

from collections.abc import Iterator
from decimal import Decimal

from lenadose.engine.machine import Decision
from lenadose.explanation.alternatives import Alternative, alternative, alternatives
from lenadose.explanation.arguments import Argument, for_and_against
from lenadose.explanation.phrases import describe_change, describe_unreachable
from lenadose.explanation.rationale import Rationale, rationale
from lenadose.explanation.sensitivity import HOW_COUNTED, stakes
from lenadose.formats.course_json import Json, _recorded, number
from lenadose.formats.reader import LARGEST as LARGEST
from lenadose.formats.reader import parse as parse
from lenadose.protocol.advice import VisitWindow
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS, Action, EvidenceLevel
from lenadose.terms.provenance import Provenance


def decision_data(decision: Decision) -> dict[str, Json]:
    """Give a decision whole, as plain data: what was decided, on which facts, and every reason for it."""
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
            {"field": each.field, "dates": [str(day) for day in each.days]}
            for each in why.monitoring_due
        ],
        "limits": decision.protocol.evidence,
        "notice": NOT_A_DEVICE,
    }


def contrast_data(decision: Decision, action: Action | None = None) -> dict[str, Json]:
    """Give a decision as plain data with every other action, or one alone: its least changes and the arguments."""
    if action is None:
        others = alternatives(decision)
    else:
        others = () if action is decision.action else (alternative(decision, action),)
    return {
        **decision_data(decision),
        "alternatives": [_alternative(decision, other) for other in others],
        "arguments": [
            {
                "action": each.action.code,
                "rule": each.rule.id,
                "for": [_argument(argument) for argument in each.in_favour],
                "against": [_argument(argument) for argument in each.against],
            }
            for each in for_and_against(decision)
            if action in (None, each.action)
        ],
    }


def _alternative(decision: Decision, other: Alternative) -> Json:
    """Write an alternative: `to` is what to write under `field` in the visit, null where it is to be left out."""
    return {
        "action": other.action.code,
        "reachable": other.reachable,
        "changes": [
            {
                "field": each.field,
                "from": None if each.before is None else _recorded(each.before),
                "to": None if each.after is None else _recorded(each.after),
                "means": each.means.code,
                "words": describe_change(decision, other, each),
            }
            for each in other.changes
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
                "id": each.id,
                "value": _value(each.value),
                "threshold": each.threshold,
                "met": each.met,
            }
            for each in argument.criteria
        ],
    }


def replay_data(protocol: Protocol, decisions: tuple[Decision, ...]) -> dict[str, Json]:
    """Give the decisions on a course as plain data, with the protocol that made them."""
    return {**identity(protocol), "decisions": [decision_data(each) for each in decisions]}


def identity(protocol: Protocol) -> dict[str, Json]:
    """Give what names exactly this protocol."""
    return {"protocol": {"id": protocol.id, "version": protocol.version, "hash": protocol.hash}}


def ledger_data(protocol: Protocol) -> dict[str, Json]:
    """Give all that a protocol says and the trial does not state, and what each would change, as plain data."""
    situations = sum(1 for _ in protocol.table.situations())
    return {
        **identity(protocol),
        "notice": NOT_A_DEVICE,
        "counted": HOW_COUNTED.format(situations=situations),
        "assumptions": [
            {
                "id": each.entry.id,
                "words": each.entry.words,
                "value": each.entry.value,
                **_provenance(each.entry.provenance),
                "changes": each.words,
                "situations": each.situations,
            }
            for each in stakes(protocol)
            if each.entry.provenance.tag is not EvidenceLevel.STATED
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
    for each in why.inputs:
        yield {
            "kind": "input",
            "field": each.field,
            "value": _value(each.value),
            "unit": each.unit,
            "date": each.on.isoformat(),
            "age_days": each.age_days,
        }
    for figure in why.arithmetic:
        yield {
            "kind": "arithmetic",
            "name": figure.name,
            "value": _value(figure.value),
            "unit": figure.unit,
            "working": figure.working,
        }
    for check in why.criteria:
        yield {
            "kind": "criterion",
            "id": check.id,
            "words": check.words,
            "value": _value(check.value),
            "threshold": check.threshold,
            "working": check.working,
            "unit": check.unit,
            "met": check.met,
            "tag": check.provenance.tag.code,
            "source": check.provenance.source,
        }
    for notice in why.notices:
        yield {"kind": "notice", "id": notice.id, "words": notice.words}


def _value(value: object) -> Json:
    match value:
        case Decimal():
            return number(value)
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
