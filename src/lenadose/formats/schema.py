"""JSON Schema of the documents, made from the same lists and ranges that the reader checks against.

What relates two parts of a course (the order of dates, a result after its visit...) is beyond a schema; the reader
checks it too, and the schema's comment lists it.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args, get_origin

from attrs import NOTHING, fields

from lenadose.engine.missing import ORDER
from lenadose.engine.observe import MissingReason
from lenadose.explanation.change_cost import FIELDS, Feasibility
from lenadose.formats.course_json import DATE, Json, number
from lenadose.formats.protocol_file import DECIMAL, FRACTION
from lenadose.protocol.protocol import Protocol, data_key
from lenadose.record.adverse_event import (
    COUNT_TERMS,
    CTCAE_EDITIONS,
    GRADE,
    OTHER_NAMES,
    RESOLVABLE,
    UNGRADED,
)
from lenadose.record.visit import (
    ACTIVITY,
    AGE,
    DAMAGE,
    MISSED,
    Antiphospholipid,
    JudgedResponse,
    TestResult,
)
from lenadose.terms.dosage import EVERY_DAYS, MG, Level
from lenadose.terms.errors import TEXT
from lenadose.terms.facts import DIMENSIONS, Action, EvidenceLevel, Phase, Term
from lenadose.terms.interval import COUNT, Interval, Unit
from lenadose.terms.provenance import Provenance, Sourced
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, Quantity
from lenadose.terms.validation import NAME, PROSE, is_identifier

Schema = dict[str, Json]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string", "pattern": TEXT}
_WORDS: Schema = {**_TEXT, "allOf": [{"pattern": r"\S"}]}
_DATE: Schema = {"type": "string", "pattern": DATE, "format": "date"}
_BOOLEAN: Schema = {"type": "boolean"}


def _object(required: Iterable[str], properties: Schema, **more: Json) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
        **more,
    }


def _list(items: Json) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _whole(least: int, most: int, unit: str) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, "description": unit}


def _said(kind: type[Term]) -> Schema:
    return {"enum": [word.label for word in kind]}


def _codes(kind: type[Term]) -> Schema:
    return {"enum": [word.code for word in kind]}


def _measured(quantity: Quantity) -> Schema:
    """Give the schema of a value: for each unit its own range."""
    return {
        "description": "A value with its unit; without a date it was taken at the visit",
        "oneOf": [
            _object(
                ("value", "unit"),
                {
                    "value": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": number(quantity.largest / factor),
                    },
                    "unit": {"const": unit},
                    "date": _DATE,
                },
            )
            for unit, factor in quantity.factors.items()
        ],
    }


def _term(names: Iterable[str]) -> Schema:
    """Give the schema of a term out of a list, without regard to case and outer blanks."""
    any_case = ("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in name) for name in names)
    return {"pattern": rf"^\s*({'|'.join(any_case)})\s*$"}


def course_schema() -> Schema:
    """Give the JSON Schema of a course file."""
    event = _object(
        ("term",),
        {
            "term": {**_WORDS, "not": _term((*COUNT_TERMS, *OTHER_NAMES))},
            "grade": _whole(*GRADE, "CTCAE grade"),
            "ctcae": {"enum": list(CTCAE_EDITIONS)},
            "resolved": _BOOLEAN,
        },
        allOf=[
            {
                "if": {"properties": {"term": {"not": _term(UNGRADED)}}},
                "then": {"required": ["grade", "ctcae"]},
            },
            {
                "if": {"properties": {"term": {"not": _term(RESOLVABLE)}}},
                "then": {"properties": {"resolved": {"const": False}}},
            },
        ],
    )
    visit = _object(
        ("date",),
        {
            "date": _DATE,
            "clasi_activity": _whole(*ACTIVITY, "CLASI activity, points"),
            "clasi_damage": _whole(*DAMAGE, "CLASI damage, points; recorded only"),
            "neutrophils": _measured(NEUTROPHILS),
            "platelets": _measured(PLATELETS),
            "creatinine_clearance": _measured(CREATININE_CLEARANCE),
            "pregnancy_tests": _list(
                _object(("result",), {"result": _said(TestResult), "date": _DATE})
            ),
            "adverse_events": {
                **_list({"$ref": "#/$defs/event"}),
                "description": "Left out: nobody asked. Empty: there were none",
            },
            "dosage_taken": _object(
                ("mg",),
                {
                    "mg": {
                        "type": "number",
                        "minimum": MG[0],
                        "maximum": MG[1],
                        "description": "mg",
                    },
                    "every_days": _whole(*EVERY_DAYS, "days from one dose to the next"),
                },
                allOf=[
                    {
                        "if": {"properties": {"mg": {"exclusiveMinimum": 0}}},
                        "then": {"required": ["every_days"]},
                    }
                ],
            ),
            "doses_missed": _whole(*MISSED, "doses"),
            "judgement": _object(
                ("response", "reason"), {"response": _said(JudgedResponse), "reason": _WORDS}
            ),
        },
    )
    first: Schema = {
        "not": {"required": ["dosage_taken"]},
        "properties": {"doses_missed": {"maximum": 0}},
    }
    return {
        "$schema": _DIALECT,
        "title": "lenadose course",
        "description": "A record: the protocol it is read by, the patient, and the visits in order of their dates.",
        "$comment": "The reader also refuses: dates that do not increase, a result dated after its visit, more doses "
        "missed than there were, an event both present and resolved, a term that is all but one of the known ones, a "
        "key given twice, a number that is not the same as a float; the commands also a protocol that is not known.",
        **_object(
            ("visits",),
            {
                "protocol": _WORDS,
                "patient": _object(
                    (),
                    {
                        "id": _TEXT,
                        "age": _whole(*AGE, "years"),
                        "able_to_become_pregnant": _BOOLEAN,
                        "regular_cycles": _BOOLEAN,
                        "subtype": _WORDS,
                        "antiphospholipid": _said(Antiphospholipid),
                    },
                ),
                "visits": {
                    "type": "array",
                    "minItems": 1,
                    "prefixItems": [{"allOf": [{"$ref": "#/$defs/visit"}, first]}],
                    "items": {"$ref": "#/$defs/visit"},
                },
            },
        ),
        "$defs": {"visit": visit, "event": event},
    }


def decision_schema() -> Schema:
    """Give the JSON Schema of a decision, as `next --json` prints it and `replay --json` lists it."""
    text: Schema = {"type": "string"}
    days: Schema = {"type": "integer"}
    value: Schema = {"type": ["string", "number", "boolean", "null"]}

    def reason(kind: str, **properties: Json) -> Schema:
        return _object(("kind", *properties), {"kind": {"const": kind}, **properties})

    properties: Schema = {
        "protocol": _object(
            ("id", "version", "hash"),
            {"id": text, "version": text, "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
        ),
        "patient": _or_null(text),
        "visit": _DATE,
        "action": _codes(Action),
        "rule": text,
        "dosage": _or_null(
            _object(
                ("mg", "every_days", "text"),
                {
                    "mg": {"type": "number", "exclusiveMinimum": 0},
                    "every_days": _whole(*EVERY_DAYS, "days"),
                    "text": text,
                },
            )
        ),
        "next_visit": _or_null(
            _object(
                ("earliest", "due", "latest"), {"earliest": _DATE, "due": _DATE, "latest": _DATE}
            )
        ),
        "provenance": _object(
            ("tag", "source", "words"),
            {"tag": _codes(EvidenceLevel), "source": text, "words": text},
        ),
        "facts": _object(
            (name for name, _ in DIMENSIONS), {name: _codes(kind) for name, kind in DIMENSIONS}
        ),
        "phase_after": _codes(Phase),
        "missing": _list(
            _object(
                ("field", "why"), {"field": {"enum": list(ORDER)}, "why": _codes(MissingReason)}
            )
        ),
        "possible_actions": {**_list(_codes(Action)), "minItems": 1, "uniqueItems": True},
        "obtain_first": _or_null({"enum": list(ORDER)}),
        "reason": text,
        "reasons": _list(
            {
                "oneOf": [
                    reason("input", field=text, value=value, unit=text, date=_DATE, age_days=days),
                    reason("arithmetic", name=text, value=value, unit=text, working=text),
                    reason(
                        "criterion",
                        id=text,
                        words=text,
                        value=value,
                        threshold=text,
                        working=text,
                        unit=text,
                        met=_or_null(_BOOLEAN),
                        tag=_codes(EvidenceLevel),
                        source=text,
                    ),
                    reason("notice", id=text, words=text),
                ]
            }
        ),
        "assumptions": _list(text),
        "supply": _or_null(
            _object(
                ("days", "days_to_next_visit", "shortfall"),
                {"days": days, "days_to_next_visit": days, "shortfall": days},
            )
        ),
        "falls_due": _list(_object(("field", "dates"), {"field": text, "dates": _list(_DATE)})),
        "limits": text,
        "notice": text,
    }
    return {
        "$schema": _DIALECT,
        "title": "lenadose decision",
        "description": "What is advised at one visit, on which facts, and every reason for it.",
        "$comment": "`alternatives` and `arguments` are those of `explain --json`.",
        **_object(properties, {**properties, **_contrast()}),
        "$defs": course_schema()["$defs"],
    }


def _contrast() -> Schema:
    """Give the schemas of the alternatives and the arguments, which `explain` adds to a decision."""
    text: Schema = {"type": "string"}
    change: list[Json] = [
        _object(
            ("field", "from", "to", "means", "words"),
            {
                "field": {"const": name},
                "from": _or_null({"$ref": f"#/$defs/visit/properties/{name}"}),
                "to": {
                    **_or_null({"$ref": f"#/$defs/visit/properties/{name}"}),
                    "description": "What to write under the field in the visit; null: leave it out",
                },
                "means": _codes(Feasibility),
                "words": text,
            },
        )
        for name in FIELDS
    ]
    argument = _object(
        ("fact", "shown", "admitted", "words", "criteria"),
        {
            "fact": {"enum": [name for name, _ in DIMENSIONS]},
            "shown": text,
            "admitted": {**_list(text), "minItems": 1},
            "words": text,
            "criteria": _list(
                _object(
                    ("id", "value", "threshold", "met"),
                    {
                        "id": text,
                        "value": {"type": ["string", "number", "boolean", "null"]},
                        "threshold": text,
                        "met": _or_null(_BOOLEAN),
                    },
                )
            ),
        },
    )
    return {
        "alternatives": _list(
            _object(
                ("action", "reachable", "changes", "why"),
                {
                    "action": _codes(Action),
                    "reachable": _BOOLEAN,
                    "changes": _list({"oneOf": change}),
                    "why": {
                        **_or_null(text),
                        "description": "Why the action cannot be reached; null where it can",
                    },
                },
            )
        ),
        "arguments": _list(
            _object(
                ("action", "rule", "for", "against"),
                {
                    "action": _codes(Action),
                    "rule": text,
                    "for": _list(argument),
                    "against": _list(argument),
                },
            )
        ),
    }


def protocol_schema() -> Schema:
    """Give the JSON Schema of a protocol file, JSON or TOML, as `show --as json` prints it."""
    provenance = _part(Provenance)
    when: Schema = {name: _shape(frozenset[kind]) for name, kind in DIMENSIONS}  # type: ignore[valid-type]
    dosage = _object(
        ("mg", "every_days"),
        {
            "mg": {
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": MG[0], "maximum": MG[1]},
                    _EXACT_TEXT,
                ]
            },
            "every_days": _whole(*EVERY_DAYS, "days from one dose to the next"),
        },
    )
    level = _object(("dosage", "provenance"), {"dosage": dosage, "provenance": _PROVENANCE})
    ladder = _object(
        ("levels", "start"),
        {"levels": {**_list(level), "minItems": 1}, "start": {"type": "integer", "minimum": 0}},
    )
    case = _object(("when", "provenance"), {"when": _object((), when), "provenance": _PROVENANCE})
    rule = _object(
        ("id", "action", "cases"), {"id": _NAME, "action": _codes(Action), "cases": _list(case)}
    )
    whole = _part(Protocol, ladder=ladder, rules={**_list(rule), "minItems": 1})
    return {
        "$schema": _DIALECT,
        "title": "lenadose protocol",
        "description": "A dosing protocol: ladder, intervals, criteria, and the rows of its decision table.",
        "$comment": "The reader also refuses: a situation with no row or with two, a row that never applies, levels "
        "that do not rise, a rank that is no level, limits and ages the wrong way round, two parts of one name, "
        "numbers out of range written as text, adverse events under terms that no course can hold or that are never a "
        "danger, a criterion that every event or none can meet.",
        **whole,
        "$defs": {"provenance": provenance},
    }


_NAME: Schema = {"type": "string", "pattern": NAME}
_PROSE: Schema = {"type": "string", "pattern": PROSE}
_EXACT_TEXT: Schema = {"type": "string", "pattern": DECIMAL}
_PROVENANCE: Schema = {"$ref": "#/$defs/provenance"}
_EXACT: dict[Any, Schema] = {
    str: _PROSE,
    bool: _BOOLEAN,
    # The numbers of a protocol that are whole and sourced are points of CLASI activity.
    int: _whole(*ACTIVITY, "points"),
    int | None: _or_null(_whole(*GRADE, "CTCAE grade")),
    Decimal: {"anyOf": [{"type": "number", "minimum": 0}, _EXACT_TEXT]},
    Fraction: {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            _EXACT_TEXT,
            {"type": "string", "pattern": FRACTION},
        ]
    },
    Interval: {
        "oneOf": [_object((unit.code,), {unit.code: _whole(*COUNT, unit.label)}) for unit in Unit]
    },
    Level: {"type": "integer", "minimum": 0, "description": "the rank of a level"},
    Provenance: _PROVENANCE,
}


def _part(kind: type, **known: Json) -> Schema:
    """Give the schema of a part of a protocol, field by field; `known` are those of another shape in a file."""
    given = [each for each in fields(kind) if each.init]
    return _object(
        (data_key(each) for each in given if each.default is NOTHING),
        {
            data_key(each): known.get(data_key(each))
            or (_NAME if each.validator is is_identifier else _shape(each.type))
            for each in given
        },
    )


def _shape(kind: Any) -> Schema:
    """Give the schema of a kind of value, as a protocol file writes it."""
    if kind in _EXACT:
        return _EXACT[kind]
    inner = get_args(kind)
    match get_origin(kind):
        case None if issubclass(kind, Term):
            return _codes(kind)
        case None:
            return _part(kind)
        case origin if origin is Sourced:
            return _object(
                ("value", "provenance"), {"value": _shape(inner[0]), "provenance": _PROVENANCE}
            )
        case origin if origin is frozenset:
            return {**_list(_shape(inner[0])), "minItems": 1, "uniqueItems": True}
    several = _list(_shape(inner[0]))
    return (
        several if inner[-1] is ... else {**several, "minItems": len(inner), "maxItems": len(inner)}
    )


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "course": course_schema,
    "decision": decision_schema,
    "protocol": protocol_schema,
}
"""The schemas by the name of their document."""
