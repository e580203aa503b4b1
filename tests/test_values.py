"""Values and errors survive pickle, copy, deepcopy and another process, equal and whole."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields, has

from lenadose import (
    CallError,
    Course,
    DocumentError,
    Fault,
    LenadoseError,
    Protocol,
    ProtocolError,
    decision_data,
    get_protocol,
    load_course,
    replay,
    step,
)
from lenadose.engine.machine import Decision, apply
from lenadose.engine.state import begin
from lenadose.protocol.builtin import BUILT_IN
from lenadose.terms.dosage import DoseLadder
from lenadose.terms.units import QUANTITIES
from tests.support.paths import ROOT

COURSES = sorted((ROOT / "examples" / "courses").glob("*.json"))

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": lambda value: (
        tuple(map(copy.copy, value)) if isinstance(value, tuple) else copy.copy(value)
    ),
    "deepcopy": copy.deepcopy,
}

ERRORS = [
    kind((Fault("visits[0].date", "is missing", "give it"), Fault("", "is wrong", "fix it")))
    for kind in (LenadoseError, ProtocolError, CallError, DocumentError)
]


def decisions_on(path: Path) -> tuple[Course, tuple[Decision, ...]]:
    course = load_course(path)
    return course, replay(course)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("id", BUILT_IN)
def test_a_protocol_survives(id: str, way: str) -> None:
    protocol = get_protocol(id)
    again: Protocol = WAYS[way](protocol)
    assert again == protocol
    assert hash(again) == hash(protocol)
    assert (again.id, again.hash, again.data) == (protocol.id, protocol.hash, protocol.data)
    assert [entry.id for entry in again.ledger] == [entry.id for entry in protocol.ledger]
    assert list(again.table.situations()) == list(protocol.table.situations())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_a_course_its_decisions_and_its_states_survive(path: Path, way: str) -> None:
    course, decisions = decisions_on(path)
    again = WAYS[way](course)
    assert again == course
    assert hash(again) == hash(course)
    again = WAYS[way](decisions)
    assert again == decisions
    assert [*map(decision_data, again)] == [*map(decision_data, decisions)]
    states = tuple(map(apply, decisions))
    again = WAYS[way](states)
    assert again == states
    assert [*map(hash, again)] == [*map(hash, states)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives(error: LenadoseError, way: str) -> None:
    again = WAYS[way](error)
    assert type(again) is type(error)
    assert again.faults == error.faults
    assert str(again) == str(error)


def test_every_error_class_is_tried() -> None:
    def subclasses(kind: type[LenadoseError]) -> set[type[LenadoseError]]:
        found = {kind}.union(*map(subclasses, kind.__subclasses__()))
        # Those of the service become an answer there, and leave it never.
        return {each for each in found if not each.__module__.startswith("lenadose.serve")}

    assert subclasses(LenadoseError) == {type(error) for error in ERRORS}


@pytest.mark.parametrize("way", WAYS)
def test_a_quantity_survives(way: str) -> None:
    for quantity in QUANTITIES.values():
        assert WAYS[way](quantity) == quantity
        assert hash(WAYS[way](quantity)) == hash(quantity)


def test_values_survive_another_process(tmp_path: Path) -> None:
    """Another process hashes text another way: what it is handed must be whole there, and here."""
    values = [
        *map(get_protocol, BUILT_IN),
        *(value for path in COURSES for value in decisions_on(path)),
        [apply(decisions_on(path)[1][-1]) for path in COURSES],
    ]
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(pickle.dumps((values, ERRORS)))
    code = """
import pickle, sys
from lenadose import get_protocol
values, errors = pickle.load(open(sys.argv[1], "rb"))
assert values[0] == get_protocol(values[0].id) and values[0] in {get_protocol(values[0].id)}
text = "visits[0].date: is missing; give it\\nis wrong; fix it"
assert [str(error) for error in errors] == [text] * 4
pickle.dump((values, errors), open(sys.argv[2], "wb"))
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(there), str(back)]
    subprocess.run(command, check=True)
    again, errors = pickle.loads(back.read_bytes())
    assert again == values
    assert [error.faults for error in errors] == [error.faults for error in ERRORS]


def assert_nothing_can_change(value: object, seen: set[int]) -> None:
    assert not isinstance(value, list | dict | set | bytearray), value
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, tuple | frozenset):
        for member in value:
            assert_nothing_can_change(member, seen)
    elif has(type(value)):
        for attribute in fields(type(value)):  # type: ignore[arg-type]
            assert_nothing_can_change(getattr(value, attribute.name), seen)


@pytest.mark.parametrize("path", COURSES, ids=lambda path: path.stem)
def test_a_frozen_value_holds_nothing_that_can_change(path: Path) -> None:
    course, decisions = decisions_on(path)
    assert_nothing_can_change((course, decisions, apply(decisions[-1])), set())


# A state belongs to what its protocol decides


def test_a_state_is_not_continued_under_another_protocol() -> None:
    course, _ = decisions_on(COURSES[0])
    protocol, other = get_protocol("cortes-hernandez-2012"), get_protocol("penn-2012")
    _, state = step(protocol, begin(protocol, course.patient), course.visits[0])
    with pytest.raises(CallError) as refused:
        step(other, state, course.visits[1])
    assert protocol.name in str(refused.value)
    assert other.name in str(refused.value)


def test_a_state_is_not_continued_under_a_ladder_with_one_more_level() -> None:
    course, _ = decisions_on(COURSES[0])
    protocol = get_protocol("cortes-hernandez-2012")
    _, state = step(protocol, begin(protocol, course.patient), course.visits[0])
    levels = protocol.ladder.levels[:-1]
    other = evolve(protocol, id="shorter", ladder=DoseLadder(levels, protocol.ladder.start))
    with pytest.raises(CallError, match="shorter"):
        step(other, state, course.visits[1])


def test_a_state_is_continued_under_the_same_protocol_in_other_words() -> None:
    course, decisions = decisions_on(COURSES[0])
    protocol = get_protocol("cortes-hernandez-2012")
    reworded = evolve(protocol, version="9.9", title="Reworded", evidence="Other words.")
    assert reworded.hash != protocol.hash
    _, state = step(protocol, begin(protocol, course.patient), course.visits[0])
    decision, _ = step(reworded, state, course.visits[1])
    assert decision.action is decisions[1].action
