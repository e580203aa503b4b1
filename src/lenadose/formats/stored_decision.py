"""Decisions that were stored as JSON: read back by deciding again, and compared by their advice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import evolve

from lenadose.engine.machine import Decision, recommend
from lenadose.engine.observe import observe
from lenadose.formats.course_json import Json, record_reader
from lenadose.formats.decision_json import decision_data
from lenadose.formats.reader import unknown_keys
from lenadose.formats.state_json import read_state
from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.record.visit import Visit
from lenadose.terms.errors import DocumentError, Fault, LenadoseError, describe, fault

ADVICE = ("visit", "action", "dosage", "next_visit", "falls_due", "obtain_first")
"""The keys of a decision that say what is to be done."""

SAME_DAY = "same-day-assessment"
"""The message that asks for an assessment on the same day, which is advice too."""

_WORDS = frozenset({"text", "words", "working", "reason", "limits", "notice"})
"""The keys of a decision whose values are prose; its wording may change without a new decision."""


def read_decision(document: object, protocol: Protocol | str | None = None) -> Decision:
    """Read a decision from data that `decision_data` wrote, as `json.loads` returns it.

    It is decided again from its basis, by the built-in protocol of its id or by *protocol*. Raises
    DocumentError if a protocol with another hash decided, and if what is stored differs from what
    is decided now in anything but words.
    """
    data = _object(document)
    named = data.get("protocol")
    identity = named if isinstance(named, dict) else {}
    by = protocol_of(protocol if protocol is not None else _id(identity))
    if identity.get("hash") != by.hash:
        name = f"{describe(identity.get('id'))} {describe(identity.get('version'))}"
        reason = f"{name} is not {by.name} with the hash {by.hash[:8]}"
        fix = "read it by the protocol that decided, or decide again and compare with same_advice"
        raise DocumentError((Fault("decision.protocol", reason, fix),))
    basis = data.get("basis")
    if not isinstance(basis, dict) or set(basis) != {"state", "visit"}:
        fix = "give the state and the visit as decision_data wrote them"
        raise DocumentError((Fault("decision.basis", "is not a state and a visit", fix),))
    with _faults_within("decision.basis.state"):
        state = read_state(basis["state"], by)
    with _faults_within("decision.basis.visit"):
        visit: Visit = record_reader().read(Visit, basis["visit"])
        decision = recommend(observe(by, state, visit))
    again = decision_data(decision)
    faults = unknown_keys(data, again)
    for key, value in again.items():
        if key not in data:
            faults.append(Fault(key, "is missing", "give it as decision_data wrote it"))
        elif key not in _WORDS and _without_words(data[key]) != _without_words(value):
            reason = f"differs from what {by.name} decides on the basis that is given"
            faults.append(Fault(key, reason, "give the decision as decision_data wrote it"))
    if faults:
        raise DocumentError(each.within("decision") for each in faults)
    return decision


def same_advice(old: Decision | Mapping[str, object], new: Decision | Mapping[str, object]) -> bool:
    """Return whether two decisions advise the same, whatever the protocol and the words.

    Compared are the date of the visit, the action, the dosage, the window of the next visit, the
    blood and pregnancy tests that fall due, what to obtain first, and whether an assessment is due
    on the same day; not the rule, the facts, the reasons and the notices. Each may be a decision or
    the data that `decision_data` wrote, also of a protocol that is not there any more. Raises
    CallError for anything else.
    """
    return _advice(old, "old") == _advice(new, "new")


def _advice(given: Decision | Mapping[str, object], place: str) -> dict[str, object]:
    data = decision_data(given) if isinstance(given, Decision) else given
    if not isinstance(data, Mapping):
        fix = "give a Decision, or the data that decision_data wrote"
        raise fault(place, f"{describe(data)} is not a decision", fix)
    missing = [key for key in (*ADVICE, "reasons") if key not in data]
    if missing:
        fix = "give it whole, as decision_data wrote it"
        raise fault(f"{place}.{missing[0]}", "is missing", fix)
    reasons = data["reasons"]
    ids = [each.get("id") for each in reasons] if isinstance(reasons, list) else []
    advice = {key: _without_words(data[key]) for key in ADVICE}
    return {**advice, SAME_DAY: SAME_DAY in ids}


@contextmanager
def _faults_within(place: str) -> Iterator[None]:
    """Add a place in front of every fault; that of the whole part is its place alone."""
    part = place.rpartition(".")[2]
    try:
        yield
    except LenadoseError as error:
        raise DocumentError(
            evolve(each, place=place) if each.place == part else each.within(place)
            for each in error.faults
        ) from None


def _object(document: object) -> dict[str, Json]:
    if not isinstance(document, dict):
        fix = "give the data that decision_data wrote"
        raise DocumentError((Fault("decision", f"{describe(document)} is not an object", fix),))
    return document


def _id(identity: dict[str, Json]) -> str:
    id = identity.get("id")
    if not isinstance(id, str):
        fix = "give the protocol as decision_data wrote it"
        raise DocumentError((Fault("decision.protocol.id", "is not a text", fix),))
    return id


def _without_words(data: object) -> object:
    if isinstance(data, dict):
        return {key: _without_words(data[key]) for key in data if key not in _WORDS}
    return [_without_words(entry) for entry in data] if isinstance(data, list) else data
