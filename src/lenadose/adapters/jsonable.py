"""Courses and decisions as JSON: a course is read strictly and written back unchanged, a decision is written whole.

Every fault of a document is reported, each with its place, the reason and the mend.
"""

import datetime as dt
import re
from collections.abc import Container, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

from attrs import fields
from cattrs import Converter

from ..contrast import Alternative, alternatives
from ..course import Course, Measurement, decimal, one_of
from ..errors import DocumentError, Fault, LenadoseError, fault, shown
from ..machine import Decision, NextVisit
from ..protocol import Protocol
from ..protocols import unknown_protocol
from ..provenance import Provenance
from ..reasons import Rationale, rationale
from ..render import NOT_A_DEVICE
from ..stakes import HOW_COUNTED, stakes
from ..vocabulary import DIMENSIONS, Action, Tag, Word
from ..weighing import Argument, for_and_against
from ..wording import changed, why_unreachable
from .reading import LARGEST as LARGEST
from .reading import load, read_record, reader_of
from .reading import parse as parse

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON can hold."""

DATE = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$(?!\n)"

# Reading


def load_course(path: str | Path, protocols: Container[str] | None = None) -> Course:
    """Read a course from a file; raises DocumentError for what cannot be read, with every fault."""
    return parse_course(load(path, "course"), protocols)


def parse_course(text: str | bytes, protocols: Container[str] | None = None) -> Course:
    """Read a course from JSON text; raises DocumentError for what cannot be read, with every fault."""
    return read_course(parse(text), protocols)


def read_course(document: object, protocols: Container[str] | None = None) -> Course:
    """Read a course from data as `json.loads` gives it; raises DocumentError with every fault.

    With `protocols`, a course that names another one is a fault too.
    """
    faults: list[Fault] = []
    named = document.get("protocol") if isinstance(document, dict) else None
    if protocols is not None and isinstance(named, str) and named not in protocols:
        faults.append(unknown_protocol(named))
    try:
        course: Course = _reader().structure(document, Course)
    except LenadoseError as error:
        faults += (each if each.place else each.within("course") for each in error.faults)
    if faults:
        raise DocumentError(faults)
    return course


@cache
def _reader() -> Converter:
    """Give the converter that reads a course: each kind of value strictly, each record completely."""
    converter = reader_of(_word)

    def measurement(given: object, _: object) -> Measurement:
        if isinstance(given, int | float | Decimal) and not isinstance(given, bool):
            mend = 'give the value with its unit: {"value": ..., "unit": ...}'
            raise fault("", f"a bare number, {shown(given)}", mend)
        return read_record(converter, Measurement, given)

    converter.register_structure_hook(Measurement, measurement)
    converter.register_structure_hook(dt.date, _date)
    converter.register_structure_hook(Decimal, lambda given, _: decimal(given))
    # In JSON 11 and 11.0 are the same number.
    converter.register_structure_hook(
        int, lambda given, _: int(given) if isinstance(given, float) and given.is_integer() else given
    )
    # The checks of the fields themselves look at texts and at true and false.
    for plain in (str, bool):
        converter.register_structure_hook(plain, lambda given, _: given)
    return converter


def _date(given: object, _: object) -> dt.date:
    if isinstance(given, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return dt.date.fromisoformat(given)
        except ValueError:
            raise fault("", f"there is no {given}", "check the day and the month") from None
    raise fault("", f"{shown(given)} is not a date", 'write it as "2026-01-05"')


def _word(given: object, kind: type[Word]) -> Word:
    word = one_of(kind, given)
    if word is None:
        raise fault("", f"{shown(given)} is not known", f"write one of {', '.join(each.said for each in kind)}")
    return word


# Writing


def course_data(course: Course) -> dict[str, Json]:
    """Give a course as the data it is read from; what is unknown is left out."""
    data = _recorded(course)
    assert isinstance(data, dict)
    return {key: data[key] for key in ("protocol", "patient", "visits") if key in data}


def _recorded(value: object) -> Json:
    match value:
        case Word():
            return value.said
        case dt.date():
            return value.isoformat()
        case Decimal():
            return number(value)
        case tuple():
            return [_recorded(each) for each in value]
        case bool() | int() | str():
            return value
    given = ((each.name, getattr(value, each.name)) for each in fields(type(value)) if each.init)  # type: ignore[arg-type]
    return {name: _recorded(each) for name, each in given if each is not None}


def number(value: Decimal) -> int | float:
    """Give a decimal of up to 15 digits as a JSON number, exactly."""
    return int(value) if value == value.to_integral_value() else float(value)


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
        "falls_due": [{"field": each.field, "dates": [str(day) for day in each.days]} for each in why.falls_due],
        "limits": decision.protocol.evidence,
        "notice": NOT_A_DEVICE,
    }


def contrast_data(decision: Decision, action: Action | None = None) -> dict[str, Json]:
    """Give a decision as plain data with every other action, or one alone: its least changes and the arguments."""
    return {
        **decision_data(decision),
        "alternatives": [
            _alternative(decision, each) for each in alternatives(decision) if action in (None, each.action)
        ],
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


def _alternative(decision: Decision, alternative: Alternative) -> Json:
    """Write an alternative: `to` is what to write under `field` in the visit, null where it is to be left out."""
    return {
        "action": alternative.action.code,
        "reachable": alternative.reachable,
        "changes": [
            {
                "field": each.field,
                "from": None if each.before is None else _recorded(each.before),
                "to": None if each.after is None else _recorded(each.after),
                "means": each.means.code,
                "words": changed(decision, alternative, each),
            }
            for each in alternative.changes
        ],
        "why": None if alternative.reachable else why_unreachable(decision, alternative.action),
    }


def _argument(argument: Argument) -> Json:
    return {
        "fact": argument.fact,
        "shown": argument.shown.code,
        "admitted": [word.code for word in argument.admitted],
        "words": argument.words,
        "criteria": [
            {"id": each.id, "value": _value(each.value), "threshold": each.threshold, "met": each.met}
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
            if each.entry.provenance.tag is not Tag.STATED
        ],
    }


def _dates_of(next_visit: NextVisit) -> dict[str, Json]:
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
