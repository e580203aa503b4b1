"""JSON Schema of the documents, derived from the classes that they are read into.

The relations between two parts of a course (the order of dates, a result after its visit...) are
beyond a schema; the reader checks them too, and the comment of the schema lists them.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from itertools import chain
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin

from attrs import NOTHING, Attribute, fields

from lenadose.engine.missing import ORDER
from lenadose.engine.observe import MissingReason
from lenadose.engine.state import PreviousVisit, State, Treatment
from lenadose.explanation.change_cost import FIELDS, Feasibility
from lenadose.formats.based_on import BY_NAME, IDENTITY, WHOLE
from lenadose.formats.course_json import DATE, Json, number
from lenadose.formats.protocol_file import FRACTION, CaseInFile, DosageInFile, LadderInFile
from lenadose.formats.reader import DECIMAL
from lenadose.formats.state_json import LARGEST_COUNT, PreviousInFile
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.notices import Confidence
from lenadose.protocol.protocol import Protocol, data_key
from lenadose.protocol.rules import Case, Rule, RuleTable
from lenadose.protocol.safety import EventCriterion
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.course import Course
from lenadose.record.event_names import DASHES
from lenadose.record.event_terms import MEASURED, RESOLVABLE, UNGRADED
from lenadose.record.measurement import Comparator, IsMeasured, Measurement
from lenadose.record.other_names import OTHER_NAMES
from lenadose.record.visit import DosageTaken, Visit
from lenadose.terms.dosage import Dosage, DoseLadder, Level
from lenadose.terms.facts import DIMENSIONS, Action, EvidenceLevel, Phase, Term
from lenadose.terms.interval import Interval, Unit, is_length
from lenadose.terms.provenance import Provenance, Sourced, within
from lenadose.terms.units import PER_MICROLITRE, QUANTITIES, SPELLINGS, Quantity
from lenadose.terms.validation import PROSE

Schema = dict[str, Json]
Shapes = Mapping[Any, Schema]
"""The schemas of the types that a document writes in a way of its own."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _date() -> Schema:
    return {"type": "string", "pattern": DATE, "format": "date"}


def _boolean() -> Schema:
    return {"type": "boolean"}


def _text() -> Schema:
    return {"type": "string"}


def _hash() -> Schema:
    return {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _copied(make: Callable[[], Schema]) -> Callable[[], Schema]:
    """Hand out copies: parts of a schema stand in several places of it, and in the checks."""

    @wraps(make)
    def copied() -> Schema:
        return deepcopy(make())

    return copied


def _object(properties: Schema, required: Iterable[str] | None = None) -> Schema:
    """Return the schema of an object with these keys alone, all of them required unless named."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties if required is None else required),
        "properties": properties,
    }


def _list(items: Json) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _codes(kind: type[Term]) -> Schema:
    return {"enum": [term.code for term in kind]}


# From the classes


def _part(kind: type, shapes: Shapes) -> Schema:
    """Return the schema of an attrs class, from its fields, their types and their validators."""
    attributes = [attribute for attribute in fields(kind) if attribute.init]
    return _object(
        {data_key(attribute): _field(attribute, shapes) for attribute in attributes},
        [data_key(attribute) for attribute in attributes if attribute.default is NOTHING],
    )


def _field(attribute: "Attribute[Any]", shapes: Shapes) -> Schema:
    # The validators of attrs hold what they make optional in an attribute of this name.
    check = getattr(attribute.validator, "validator", attribute.validator)
    if isinstance(check, IsMeasured):
        measured = _measured(check.quantity)
        return {"anyOf": [measured, _list(measured), {"type": "null"}]}
    shape, keywords = _shape(attribute.type, shapes), getattr(check, "keywords", {})
    if isinstance(check, within):
        properties: Any = shape["properties"]
        properties = {**properties, "value": _narrowed(properties["value"], keywords)}
        shape = {**shape, "properties": properties}
    else:
        shape = _narrowed(shape, keywords)
    is_optional = attribute.default is None or NoneType in get_args(attribute.type)
    return _or_null(shape) if is_optional else shape


def _narrowed(shape: Any, keywords: Schema) -> Schema:
    """Return a schema with more keywords; a number that may also be a text has them as a number."""
    if "anyOf" in shape:
        exact, *texts = shape["anyOf"]
        return {"anyOf": [{**exact, **keywords}, *texts]}
    return {**shape, **keywords}


def _shape(kind: Any, shapes: Shapes) -> Schema:
    """Return the schema of a type."""
    if kind in shapes:
        return shapes[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (kind,) = (argument for argument in arguments if argument is not NoneType)
        return _shape(kind, shapes)
    if origin is Sourced:
        value = _shape(arguments[0], shapes)
        return _object({"value": value, "provenance": shapes[Provenance]})
    if origin is frozenset:
        return {**_list(_shape(arguments[0], shapes)), "minItems": 1, "uniqueItems": True}
    if origin is tuple:
        several = _list(_shape(arguments[0], shapes))
        if arguments[-1] is ...:
            return several
        return {**several, "minItems": len(arguments), "maxItems": len(arguments)}
    return _codes(kind) if issubclass(kind, Term) else _part(kind, shapes)


def _measured(quantity: Quantity) -> Schema:
    """Return the schema of a measurement: for each unit its own range."""
    below_nothing: Schema = {
        "required": ["comparator"],
        "properties": {"comparator": {"const": Comparator.BELOW.label}, "value": {"maximum": 0}},
    }
    return {
        "description": "A value with its unit; without a date it was taken at the visit; with a "
        "comparator it is a bound",
        "not": below_nothing,
        "oneOf": [
            _object(
                {
                    "value": {
                        "type": "integer" if unit == PER_MICROLITRE else "number",
                        "minimum": 0,
                        "maximum": number(quantity.largest / factor),
                    },
                    "unit": {"type": "string", "pattern": rf"^\s*({SPELLINGS[unit]})\s*$"},
                    "date": _or_null(_date()),
                    "comparator": _or_null({"enum": [term.label for term in Comparator]}),
                },
                ("value", "unit"),
            )
            for unit, factor in quantity.factors.items()
        ],
    }


# The course


def _term(names: Iterable[str]) -> Schema:
    """Return the schema of a term out of a list, without regard to case, blanks and dashes."""
    alike = {" ": r"\s+", "-": f"[{DASHES}]"}
    any_case = (
        "".join(f"[{c.upper()}{c}]" if c.isalpha() else alike.get(c) or re.escape(c) for c in name)
        for name in names
    )
    return {"pattern": rf"^\s*({'|'.join(any_case)})\s*$"}


def _required(*keys: str) -> Schema:
    """Return the schema of an object with keys that are not null."""
    known: Schema = {"not": {"type": "null"}}
    return {"required": list(keys), "properties": dict.fromkeys(keys, known)}


def _if(key: str, condition: Schema, then: Schema) -> Schema:
    return {"if": {"properties": {key: condition}}, "then": then}


@_copied
def course_schema() -> Schema:
    """Return the JSON Schema of a course file."""
    # The checks of the fields describe these types in full.
    shapes: dict[Any, Schema] = {int: {}, str: {}, bool: {}, Decimal: {}, dt.date: _date()}
    event = _part(AdverseEvent, shapes)
    other_names = (name for _, names in OTHER_NAMES for name in names)
    not_a_term: Schema = {"not": _term((*chain(*MEASURED.values()), *other_names))}
    event["allOf"] = [
        {"properties": {"term": not_a_term}},
        _if("term", {"not": _term(UNGRADED)}, _required("grade", "ctcae")),
        _if(
            "term",
            {"not": _term(RESOLVABLE)},
            {"properties": {"resolved": {"enum": [False, None]}}},
        ),
    ]
    dosage = _part(DosageTaken, shapes)
    dosage["allOf"] = [_if("mg", {"exclusiveMinimum": 0}, _required("every_days"))]
    shapes |= {AdverseEvent: {"$ref": "#/$defs/event"}, DosageTaken: dosage}
    visit = _part(Visit, shapes)
    shapes[Visit] = {"$ref": "#/$defs/visit"}
    course = _part(Course, shapes)
    first: Schema = {
        "properties": {"dosage_taken": {"type": "null"}, "doses_missed": {"maximum": 0}},
    }
    visits: Schema = {
        "minItems": 1,
        "prefixItems": [{"allOf": [shapes[Visit], first]}],
    }
    return {
        "$schema": _DIALECT,
        "title": "lenadose course",
        "description": "The protocol, the patient, and the visits in order of their dates.",
        "$comment": "The reader also refuses: dates that do not increase, a result dated after its "
        "visit, more doses missed than there were, an event both present and resolved, a term that "
        "nearly is a known one or names a kind of one, a key given twice, a number that is not the "
        "same as a float; the commands also an unknown protocol.",
        **course,
        "allOf": [{"properties": {"visits": visits}}],
        "$defs": {"visit": visit, "event": event},
    }


# The protocol


@_copied
def protocol_schema() -> Schema:
    """Return the JSON Schema of a protocol file, JSON or TOML, as `show --as json` prints it."""
    exact: Schema = {"type": "string", "pattern": DECIMAL}
    amount: Schema = {"anyOf": [{"type": "number", "minimum": 0}, exact]}
    share: Schema = {"anyOf": [{"type": "number"}, exact, {"type": "string", "pattern": FRACTION}]}
    shapes: dict[Any, Schema] = {
        str: {"type": "string", "pattern": PROSE},
        bool: _boolean(),
        int: {"type": "integer"},
        Decimal: amount,
        Fraction: share,
    }
    shapes[Interval] = {
        "oneOf": [
            _object({unit.code: {**is_length.keywords, "description": unit.label}}) for unit in Unit
        ]
    }
    provenance = _part(Provenance, shapes)
    shapes[Provenance] = {"$ref": "#/$defs/provenance"}
    shapes[Dosage] = shapes[Level] = _part(DosageInFile, shapes)
    shapes[DoseLadder] = _part(LadderInFile, shapes)
    shapes[Case] = _part(CaseInFile, shapes)
    shapes[RuleTable] = {**_list(_part(Rule, shapes)), "minItems": 1}
    whole = _part(Protocol, shapes)
    return {
        "$schema": _DIALECT,
        "title": "lenadose protocol",
        "description": "A dosing protocol: ladder, intervals, criteria, and the decision table; "
        "or what differs from the built-in protocol that it is based on.",
        "$comment": "The reader also refuses: a situation with no row or with two, a row that "
        "never applies, levels that do not rise, a dosage that is not a level, limits and ages "
        "the wrong way round, two parts of one name, numbers out of range written as text, "
        "adverse events under terms that no course can hold or that are never a danger, a "
        "criterion that every event or none can meet, a source that is cited and not listed, a "
        "number that differs from its base and keeps the provenance of that.",
        "type": "object",
        "if": {"required": ["based_on"]},
        "then": {"$ref": "#/$defs/based_on"},
        "else": {"$ref": "#/$defs/whole"},
        "$defs": {
            "provenance": provenance,
            "whole": whole,
            "based_on": _based_on(whole),
        },
    }


def _based_on(whole: Schema) -> Schema:
    """Return the schema of a file that holds only what differs from a built-in protocol."""
    differing = _differing(whole, "")
    parts = rf"^({'|'.join(map(re.escape, BY_NAME))})\..+$"
    properties: Schema = {
        "based_on": {"enum": list(BUILT_IN)},
        "without": {
            **_list({"type": "string", "pattern": parts}),
            "description": "The parts of the base that are left out: rules.escalate",
        },
    }
    return _object({**properties, **differing["properties"]}, ("based_on", *IDENTITY))


def _differing(schema: Any, place: str) -> Any:
    """Return the schema of a part of which a file may give any keys, or none."""
    if "properties" not in schema:
        return {key: value for key, value in schema.items() if key != "minItems"}
    properties = {}
    for key, value in schema["properties"].items():
        at = f"{place}.{key}" if place else key
        properties[key] = value if key in WHOLE else _differing(value, at)
    return _object(properties, ())


# The state


@_copied
def state_schema() -> Schema:
    """Return the JSON Schema of a state, as `state_data` writes it."""
    shapes: dict[Any, Schema] = {
        str: _text(),
        bool: _boolean(),
        int: {"type": "integer", "minimum": 0, "maximum": LARGEST_COUNT},
        Decimal: {"type": "number", "minimum": 0},
        dt.date: _date(),
        AdverseEvent: {"$ref": "#/$defs/event"},
        Measurement: {"anyOf": [_measured(quantity) for quantity in QUANTITIES.values()]},
        EventCriterion: {**_text(), "description": "The id of a criterion of the protocol"},
    }
    shapes[Dosage] = shapes[Level] = _part(DosageInFile, shapes)
    shapes[Treatment] = {"$ref": "#/$defs/treatment"}
    shapes[PreviousVisit] = _part(PreviousInFile, shapes)
    state = _part(State, shapes)
    properties: Any = state["properties"]
    properties["decision_hash"] = _hash()
    del shapes[Treatment]
    return {
        "$schema": _DIALECT,
        "title": "lenadose state",
        "description": "All that the next decision needs of the past, for one protocol.",
        "$comment": "The reader also refuses: another protocol than the one of the hash, a dosage "
        "that is not a level, an unknown criterion, advice that does not follow from its facts, a "
        "date after the last visit, a treatment without its level and baseline.",
        **state,
        "$defs": {
            "event": course_schema()["$defs"]["event"],  # type: ignore[index, call-overload]
            "treatment": _part(Treatment, shapes),
        },
    }


# The decision, which is written by hand


@_copied
def decision_schema() -> Schema:
    """Return the JSON Schema of a decision, as `next --json` and `replay --json` print it."""
    days: Schema = {"type": "integer"}
    value: Schema = {"type": ["string", "number", "boolean", "null"]}
    action, tag = _codes(Action), _codes(EvidenceLevel)
    field: Schema = {"enum": list(ORDER)}
    met = _or_null(_boolean())

    def texts(*names: str) -> Schema:
        return dict.fromkeys(names, _text())

    def reason(kind: str, properties: Schema) -> Schema:
        return _object({"kind": {"const": kind}, **properties})

    measured = {**texts("unit"), "value": value}
    criterion = {**measured, **texts("id", "words", "threshold", "working", "source")}
    reasons: list[Json] = [
        reason("input", {**measured, **texts("field"), "date": _date(), "age_days": days}),
        reason("arithmetic", {**measured, **texts("name", "working")}),
        reason("criterion", {**criterion, "met": met, "tag": tag}),
        reason("notice", texts("id", "words")),
    ]
    positive: Schema = {"type": "number", "exclusiveMinimum": 0}
    dosage = {**texts("text"), "mg": positive, "every_days": {**days, "minimum": 1}}
    supply: Schema = dict.fromkeys(("days", "days_to_next_visit", "shortfall"), days)
    properties: Schema = {
        **texts("rule", "reason", "limits", "notice"),
        "protocol": _object({**texts("id", "version"), "hash": _hash()}),
        "patient": _or_null(_text()),
        "visit": _date(),
        "action": action,
        "dosage": _or_null(_object(dosage)),
        "next_visit": _or_null(_object(dict.fromkeys(("earliest", "due", "latest"), _date()))),
        "provenance": _object({**texts("source", "words"), "tag": tag}),
        "facts": _object({name: _codes(kind) for name, kind in DIMENSIONS}),
        "phase_after": _codes(Phase),
        "missing": _list(_object({"field": field, "why": _codes(MissingReason)})),
        "possible_actions": {**_list(action), "minItems": 1, "uniqueItems": True},
        "obtain_first": _or_null(field),
        "reasons": _list({"oneOf": reasons}),
        "assumptions": _list(_text()),
        "supply": _or_null(_object(supply)),
        "notices": _list(
            _object({**texts("id", "words", "source"), "confidence": _codes(Confidence)})
        ),
        "falls_due": _list(_object({**texts("field"), "dates": _list(_date())})),
        "basis": _object({"state": {"$ref": "#/$defs/state"}, "visit": {"$ref": "#/$defs/visit"}}),
    }
    state = state_schema()
    visits: Any = course_schema()["$defs"]
    states: Any = state.pop("$defs")
    contrast = _contrast(action, _object({**texts("id", "threshold"), "value": value, "met": met}))
    return {
        "$schema": _DIALECT,
        "title": "lenadose decision",
        "description": "The advice at one visit, the facts, and every reason for it.",
        "$comment": "`alternatives` and `arguments` are those of `explain --json`.",
        **_object({**properties, **contrast}, properties),
        "$defs": {**visits, **states, "state": state},
    }


def _contrast(action: Schema, criterion: Schema) -> Schema:
    """Return the schemas of the alternatives and arguments, which `explain` adds to a decision."""

    def change(name: str) -> Schema:
        recorded = _or_null({"$ref": f"#/$defs/visit/properties/{name}"})
        description = "The value to write under the field in the visit; null: leave it out"
        return _object(
            {
                "field": {"const": name},
                "from": recorded,
                "to": {**recorded, "description": description},
                "means": _codes(Feasibility),
                "words": _text(),
            }
        )

    why = {
        **_or_null(_text()),
        "description": "Why the action cannot be reached; null where it can",
    }
    alternative: Schema = {
        "action": action,
        "reachable": _boolean(),
        "changes": _list({"oneOf": [change(name) for name in FIELDS]}),
        "why": why,
    }
    argument = _object(
        {
            "fact": {"enum": [name for name, _ in DIMENSIONS]},
            "shown": _text(),
            "admitted": {**_list(_text()), "minItems": 1},
            "words": _text(),
            "criteria": _list(criterion),
        }
    )
    sides = dict.fromkeys(("for", "against"), _list(argument))
    return {
        "alternatives": _list(_object(alternative)),
        "arguments": _list(_object({"action": action, "rule": _text(), **sides})),
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = MappingProxyType(
    {
        "course": course_schema,
        "decision": decision_schema,
        "state": state_schema,
        "protocol": protocol_schema,
    }
)
"""The schemas by the name of their document."""
