"""A state and a decision are written as JSON, read back the same, and refused when altered."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from tests.support.paths import ROOT

from lenadose import (
    CallError,
    Course,
    Decision,
    DocumentError,
    Patient,
    State,
    Visit,
    apply,
    begin,
    decision_data,
    get_protocol,
    load_course,
    read_decision,
    read_state,
    replay,
    same_advice,
    state_data,
    step,
)
from lenadose.formats.decision_json import contrast_data
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN
from lenadose.testing import courses

STATE = Draft202012Validator(SCHEMAS["state"](), format_checker=FormatChecker())
DECISION = Draft202012Validator(SCHEMAS["decision"](), format_checker=FormatChecker())

EXAMPLES = [
    decision
    for path in sorted((ROOT / "examples" / "courses").glob("*.json"))
    for decision in replay(load_course(path))
]
BEFORE = {decision.rule.id: decision for decision in EXAMPLES}
AT_START = BEFORE["start"]
LATER = BEFORE["begin-taper"]


def as_json(data: object) -> Any:
    return json.loads(json.dumps(data))


def states_of(decisions: tuple[Decision, ...]) -> Iterator[State]:
    for decision in decisions:
        yield decision.seen.before
        yield apply(decision)


def test_every_state_of_the_examples_is_written_and_read_back_the_same() -> None:
    for decision in EXAMPLES:
        for state in states_of((decision,)):
            data = as_json(state_data(state))
            STATE.validate(data)
            assert read_state(data, decision.protocol) == state


@pytest.mark.parametrize("id", BUILT_IN)
@settings(max_examples=40)
@given(data=st.data())
def test_a_read_state_goes_on_as_replay_does(id: str, data: st.DataObject) -> None:
    course = data.draw(courses(get_protocol(id)))
    state = begin(id, course.patient)
    for visit, expected in zip(course.visits, replay(course, id), strict=True):
        written = as_json(state_data(state))
        STATE.validate(written)
        again = read_state(written, id)
        assert again == state
        decision, state = step(id, again, visit)
        assert decision == expected
        assert decision.seen == expected.seen


@settings(max_examples=25)
@given(courses())
def test_a_decision_is_read_back_as_the_same_decision(course: Course) -> None:
    for decision in replay(course):
        data = as_json(decision_data(decision))
        DECISION.validate(data)
        again = read_decision(data)
        assert again == decision
        assert again.seen == decision.seen
        assert decision_data(again) == data


def changed(data: Any, path: str, value: object) -> Any:
    """Return a copy of some data with another value at a dotted path; ... takes the key out."""
    data = as_json(data)
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    part = data
    for key in way:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("more", 1, "more: unknown key; known: "),
        ("ceiling", ..., "ceiling: is missing; give it"),
        ("ceiling", {"mg": 7, "every_days": 1}, "ceiling: 7 mg once daily is not a level; give"),
        ("ceiling", {"mg": 5}, "ceiling.every_days: is missing; give it"),
        ("decision_hash", "0" * 64, "state: belongs to cortes-hernandez-2012 2.0.0 (00000000), "),
        ("decision_hash", 5, "decision_hash: 5 is not a text"),
        ("protocol_name", "a\x1bb", "protocol_name: holds a character that cannot be shown"),
        ("patient.age", 7, "patient.age: 7 is outside its range"),
        ("treatment.phase", "resting", "treatment.phase: 'resting' is not known; write one of "),
        ("treatment.phase", "before start", "treatment.phase: 'before start' is not known"),
        ("treatment.phase", "interrupted", "treatment.interrupted_on: does not fit the phase"),
        ("treatment.dose", None, "treatment: titration without a level and a baseline"),
        ("treatment.dose.since", "2099-01-01", "treatment.dose.since: 2099-01-01 is after the la"),
        ("treatment.dose.since", "1.1.2025", "treatment.dose.since: '1.1.2025' is not a date"),
        ("treatment.dose.days_missed", -1, "treatment.dose.days_missed: -1 is not such a number"),
        ("treatment.dose.days_missed", True, "treatment.dose.days_missed: true is not such a nu"),
        ("treatment.dose.reviewed", 1, "treatment.dose.reviewed: 1 is not true or false"),
        ("treatment.nadir.activity", 71, "treatment.nadir.activity: 71 is outside its range"),
        ("findings.neutrophils.amount", 9, "findings.neutrophils.amount: 9 is not what "),
        ("findings.neutrophils.given.unit", "%", "findings.neutrophils.amount: "),
        ("findings.ongoing", [{"criterion": "none", "since": "2025-01-01", "event": None}],
         "findings.ongoing[0].criterion: 'none' is no criterion of the protocol"),
        ("findings.negative_tests", ["2099-01-01"], "findings.negative_tests[0]: 2099-01-01 is a"),
        ("baseline", None, "treatment: titration without a level and a baseline"),
        ("baseline.neuropathy", 6, "baseline.neuropathy: 6 is outside its range"),
        ("previous", None, "previous: there is none, and treatment has begun"),
        ("previous.dosage", {"mg": 25, "every_days": 1}, "previous.dosage: 25 mg once daily is n"),
        ("previous.dosage", {"mg": 10, "every_days": 1}, "previous.dosage: 10 mg once daily is no"),
        ("previous.facts.position", "lowest", "previous.facts: no visit has these six facts"),
        ("previous.activity", 99, "previous.activity: 99 is outside its range"),
    ],
)  # fmt: skip
def test_an_altered_state_is_refused_at_its_place(path: str, value: object, said: str) -> None:
    state = apply(AT_START)
    assert read_state(as_json(state_data(state)), AT_START.protocol) == state
    with pytest.raises(DocumentError) as refused:
        read_state(changed(state_data(state), path, value), AT_START.protocol)
    assert any(str(fault).startswith(said) for fault in refused.value.faults), refused.value


@pytest.mark.parametrize("document", [None, [], 5, "{}"])
def test_what_is_no_state_and_no_decision_is_refused(document: object) -> None:
    with pytest.raises(DocumentError, match=r"^state: .* is not an object"):
        read_state(document, "penn-2012")
    with pytest.raises(DocumentError, match=r"^decision: .* is not an object"):
        read_decision(document)
    with pytest.raises(CallError, match=r"^state: "):
        state_data(document)  # type: ignore[arg-type]
    with pytest.raises(CallError, match=r"^old: .* is not a decision"):
        same_advice(document, AT_START)  # type: ignore[arg-type]


def test_a_state_of_another_protocol_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"^state: belongs to cortes-hernandez-2012 2"):
        read_state(state_data(AT_START.seen.before), "penn-2012")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("action", "escalate", "decision.action: differs from what cortes-hernandez-2012 2.0.0 "),
        ("dosage", None, "decision.dosage: differs"),
        ("dosage.mg", 2.5, "decision.dosage: differs"),
        ("next_visit.latest", "2099-01-01", "decision.next_visit: differs"),
        ("reasons.0.value", 5, "decision.reasons: differs"),
        ("possible_actions", [], "decision.possible_actions: differs"),
        ("rule", ..., "decision.rule: is missing"),
        ("more", 1, "decision.more: unknown key"),
        ("basis", ..., "decision.basis: is not a state and a visit"),
        ("basis.visit.clasi_activity", 71, "decision.basis.visit.clasi_activity: 71 is outside"),
        ("basis.visit.clasi_activity", 3, "decision.action: differs"),
        ("basis.state.ceiling", 5, "decision.basis.state.ceiling: 5 is not an object"),
        ("protocol.hash", "0" * 64, "decision.protocol: 'cortes-hernandez-2012' '2.0.0' is not "),
        ("protocol.id", "penn", "protocol: 'penn' is not known; did you mean penn-2012?"),
        ("protocol", None, "decision.protocol.id: is not a text"),
    ],
)
def test_an_altered_decision_is_refused(path: str, value: object, said: str) -> None:
    data = changed(decision_data(AT_START), path, value)
    with pytest.raises((DocumentError, CallError)) as refused:
        read_decision(data)
    assert str(refused.value).startswith(said), refused.value


def test_other_words_for_the_same_decision_are_read() -> None:
    for path in ("reason", "dosage.text", "limits", "provenance.words"):
        data = changed(decision_data(AT_START), path, "said otherwise")
        assert read_decision(data) == AT_START


def test_a_decision_with_its_alternatives_is_not_read_in_part() -> None:
    with pytest.raises(DocumentError, match=r"decision.alternatives: unknown key"):
        read_decision(as_json(contrast_data(LATER)))


@given(courses())
@settings(max_examples=20)
def test_advice_is_the_same_as_itself_whether_it_is_data_or_a_decision(course: Course) -> None:
    for decision in replay(course):
        data = as_json(decision_data(decision))
        assert same_advice(decision, data)
        assert same_advice(data, decision)


DIFFERENT: list[tuple[str, Callable[[Decision], Decision]]] = [
    ("action", lambda decision: decision.what_if(clasi_activity=1)),
    ("visit and its window", lambda decision: decision.what_if(date="2025-12-30")),
    ("obtain first", lambda decision: decision.what_if(neutrophils=None)),
]


def test_advice_differs_by_what_is_to_be_done() -> None:
    course = Course(
        [
            Visit(
                "2025-12-29",
                clasi_activity=11,
                neutrophils=(3.2, "10*9/L"),
                platelets=(240, "10*9/L"),
                creatinine_clearance=(95, "mL/min"),
                adverse_events=[],
            )
        ],
        Patient(able_to_become_pregnant=False),
    )
    (decision,) = replay(course)
    for what, change in DIFFERENT:
        assert not same_advice(decision, change(decision)), what
    assert same_advice(decision, decision.what_if(clasi_activity=12))
    assert same_advice(decision, decision.what_if(clasi_damage=3))
    (by_penn,) = replay(course, "penn-2012")
    assert by_penn.action is decision.action
    data = decision_data(decision)
    for path in ("dosage.mg", "next_visit.due", "falls_due", "obtain_first"):
        assert not same_advice(decision, changed(data, path, "another")), path
    urgent = {"kind": "notice", "id": "same-day-assessment", "words": "x"}
    assert not same_advice(decision, changed(data, "reasons.0", urgent))
    assert same_advice(decision, changed(data, "rule", "another"))
    assert same_advice(decision, changed(data, "protocol.hash", "another"))
    with pytest.raises(CallError, match=r"^new.falls_due: is missing"):
        same_advice(decision, changed(data, "falls_due", ...))
