"""Nothing that is handed out can be changed underneath."""

import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from types import MappingProxyType

import pytest
from attrs import fields, has

import lenadose
from lenadose import course_data, decision_data, get_protocol, load_course, rationale, replay
from lenadose.explanation.alternatives import alternatives
from lenadose.explanation.arguments import for_and_against
from lenadose.formats.decision_json import ledger_data
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL
from tests.support.verified import certificate, comparison

COURSE = load_course(ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json")


def changeable(value: object, place: str, seen: set[int]) -> Iterator[str]:
    """Yield the places of lists, dicts and sets below a value that could be changed."""
    if id(value) in seen or isinstance(value, Enum | type):
        return
    seen.add(id(value))
    match value:
        case list() | dict() | set() | bytearray():
            yield place
        case tuple() | frozenset():
            for number, member in enumerate(value):
                yield from changeable(member, f"{place}[{number}]", seen)
        case MappingProxyType():
            for key, member in value.items():
                yield from changeable(member, f"{place}[{key}]", seen)
        case _ if has(type(value)):
            names = [field.name for field in fields(type(value))]
            names += [name for name in dir(type(value)) if not name.startswith("_")]
            for name in dict.fromkeys(names):
                # What is worked out anew each time may be anyone's.
                part = getattr(value, name)
                if not callable(part) and part is getattr(value, name):
                    yield from changeable(part, f"{place}.{name}", seen)


@pytest.mark.slow
def test_no_verdict_holds_what_could_be_changed() -> None:
    assert list(changeable(certificate(PROTOCOL.id), "certificate", set())) == []
    assert list(changeable(comparison(), "comparison", set())) == []


@pytest.mark.parametrize("name", ["protocol", "course", "decisions", "explanations"])
def test_no_value_holds_what_could_be_changed(name: str) -> None:
    decisions = replay(COURSE)
    values = {
        "protocol": PROTOCOL,
        "course": COURSE,
        "decisions": decisions,
        "explanations": tuple(
            (rationale(decision), tuple(alternatives(decision)), tuple(for_and_against(decision)))
            for decision in decisions
        ),
    }
    assert list(changeable(values[name], name, set())) == []


def test_the_built_in_protocols_cannot_be_exchanged() -> None:
    assert list(changeable(BUILT_IN, "built in", set())) == []
    assert list(changeable(dict(BUILT_IN), "built in", set())) == ["built in"]


def constants() -> Iterator[tuple[str, object]]:
    """The values of every module of the library by their places, and those of its classes."""
    for found in pkgutil.walk_packages(lenadose.__path__, "lenadose."):
        if found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            # An extra that is not installed, such as dask; a module of our own must be there.
            if (error.name or "lenadose").startswith("lenadose"):
                raise
            continue
        for name, value in vars(module).items():
            if not name.startswith("__"):  # what Python itself keeps there, and `__all__`
                yield f"{found.name}.{name}", value
            if isinstance(value, type) and value.__module__ == found.name:
                for own, part in vars(value).items():
                    # Enums and named tuples keep theirs under such names.
                    if not own.startswith("_"):
                        yield f"{found.name}.{name}.{own}", part


def test_no_module_or_class_holds_what_could_be_changed() -> None:
    seen: set[int] = set()
    found = [(place, value) for place, value in constants() if not callable(value)]
    assert {"lenadose.terms.units.QUANTITIES", "lenadose.cohort.results.RESULTS"} <= {
        place for place, _ in found
    }
    assert [each for place, value in found for each in changeable(value, place, seen)] == []


def test_what_could_be_changed_is_found() -> None:
    assert list(changeable(([1], frozenset({2}), MappingProxyType({"a": {}})), "x", set())) == [
        "x[0]",
        "x[2][a]",
    ]


def emptied(data: object) -> None:
    """Take everything out of data."""
    if isinstance(data, dict | list):
        for member in data.values() if isinstance(data, dict) else data:
            emptied(member)
        data.clear()


@pytest.mark.parametrize("document", SCHEMAS)
def test_a_schema_that_is_changed_is_the_same_again(document: str) -> None:
    first = repr(SCHEMAS[document]())
    emptied(SCHEMAS[document]())
    assert repr(SCHEMAS[document]()) == first


def test_data_that_is_changed_changes_no_value() -> None:
    decision = replay(COURSE)[-1]
    hash_before = get_protocol().hash
    for make in (
        lambda: get_protocol().data,
        lambda: course_data(COURSE),
        lambda: decision_data(decision),
        lambda: ledger_data(PROTOCOL),
    ):
        first = repr(make())
        emptied(make())
        assert repr(make()) == first
    assert get_protocol().hash == hash_before == replay(COURSE)[-1].protocol.hash
    assert get_protocol().ledger is PROTOCOL.ledger
