"""A state as JSON: written whole, and read back under the protocol that it belongs to."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from attrs import AttrsInstance, evolve, fields, frozen

from lenadose.engine.bounds import lowest_amount
from lenadose.engine.observe import wrong_protocol
from lenadose.engine.state import PreviousVisit, State, Treatment
from lenadose.formats.course_json import Json, number, plain_record, read_date
from lenadose.formats.protocol_file import DosageInFile
from lenadose.formats.reader import Reader
from lenadose.protocol.advice import Advice, VisitWindow
from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import EventCriterion
from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.record.measurement import Measurement
from lenadose.record.visit import ACTIVITY, MISSED, Patient
from lenadose.terms.dosage import Dosage, Level
from lenadose.terms.errors import (
    PRINTABLE,
    DocumentError,
    Fault,
    LenadoseError,
    describe,
    fault,
)
from lenadose.terms.facts import TREATED, Facts, Phase, Term
from lenadose.terms.numbers import decimal
from lenadose.terms.units import QUANTITIES

LARGEST_COUNT = MISSED[1]
"""The largest whole number in a state: the days that can have been missed."""


@frozen
class PreviousInFile:
    """The visit before as data: its advice by the facts and the dosage that it follows from."""

    on: dt.date
    activity: int | None
    next_visit: VisitWindow | None
    facts: Facts
    dosage: Level | None
    came_with: Treatment
    handed_over: bool


# Writing


def state_data(state: State) -> dict[str, Json]:
    """Return a state as plain data, with the hash of what its protocol decides.

    Levels are named by their dosage, criteria by their id. Raises CallError for anything else.
    """
    if not isinstance(state, State):
        raise fault("state", f"{describe(state)} is not a state", "give what step returned")
    data = _plain(state)
    assert isinstance(data, dict)
    return data


def _plain(value: Any) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case Patient() | Measurement() | AdverseEvent():
            return plain_record(value)
        case Term():
            return value.code
        case dt.date():
            return value.isoformat()
        case Decimal():
            return number(value)
        case tuple():
            return [_plain(member) for member in value]
        case Level():
            return _plain(value.dosage)
        case EventCriterion():
            return value.id
        case PreviousVisit(advice=advice):
            value = PreviousInFile(
                value.on,
                value.activity,
                value.next_visit,
                advice.match.facts,
                advice.level,
                value.came_with,
                value.handed_over,
            )
    return {part.name: _plain(getattr(value, part.name)) for part in fields(type(value))}


# Reading


def read_state(document: object, protocol: Protocol | str) -> State:
    """Read a state from data as `json.loads` returns it, under the protocol that it belongs to.

    *protocol* may be the id of a built-in one. Raises DocumentError with every fault: a state of a
    protocol that decides otherwise, and one that `state_data` cannot have written.
    """
    protocol = protocol_of(protocol)
    if isinstance(document, dict):
        name, decision_hash = document.get("protocol_name"), document.get("decision_hash")
        if isinstance(name, str) and isinstance(decision_hash, str):
            of_another = wrong_protocol(name, decision_hash, protocol)
            if of_another:
                raise DocumentError((of_another.within("state"),))
    try:
        state: State = _StateReader(protocol).read(State, document)
    except LenadoseError as error:
        raise DocumentError(
            each if each.place else each.within("state") for each in error.faults
        ) from None
    faults = tuple(_contradictions(state))
    if faults:
        raise DocumentError(faults)
    return state


class _StateReader(Reader):
    """Reads a state; levels, criteria and advice are those of the protocol."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(
            {
                str: _text,
                bool: _flag,
                int: _count,
                Decimal: decimal,
                dt.date: read_date,
                Dosage: self._dosage,
                Level: self._level,
                EventCriterion: self._criterion,
                PreviousVisit: self._previous,
            },
            _term,
        )
        self._protocol = protocol

    def _dosage(self, document: object) -> Dosage:
        shape = self.read(DosageInFile, document)
        return Dosage(shape.mg, shape.every_days)

    def _level(self, document: object) -> Level:
        dosage = self._dosage(document)
        level = self._protocol.ladder.level_of(dosage)
        if level is None:
            levels = ", ".join(map(str, self._protocol.ladder.levels))
            raise fault("", f"{dosage} is not a level", f"give the dosage of a level: {levels}")
        return level

    def _criterion(self, id: object) -> EventCriterion:
        safety = self._protocol.safety
        for criterion in (safety.positive_test, *safety.events):
            if criterion.id == id:
                return criterion
        raise fault("", f"{describe(id)} is no criterion of the protocol", "give the id of one")

    def _previous(self, document: object) -> PreviousVisit:
        shape: PreviousInFile = self.read(PreviousInFile, document)
        return PreviousVisit(
            shape.on,
            shape.activity,
            shape.next_visit,
            self._advice(shape),
            shape.came_with,
            shape.handed_over,
        )

    def _advice(self, shape: PreviousInFile) -> Advice:
        """Return the advice of a visit; the ceiling then matters only for the level it led to."""
        facts, ladder = shape.facts, self._protocol.ladder
        try:
            match = self._protocol.table.match(
                facts.phase,
                facts.response,
                facts.safety,
                facts.timing,
                facts.trial,
                facts.position,
            )
        except KeyError:
            fix = "give the facts as state_data wrote them"
            raise fault("facts", "no visit has these six facts", fix) from None
        held = shape.came_with.dose.level if shape.came_with.dose else None
        for ceiling in (None, *ladder.levels):
            advice = self._protocol.advise(match, held, ceiling)
            if advice.level == shape.dosage:
                return advice
        reason = f"{shape.dosage or 'no drug'} is not what the row {match.rule.id} advises"
        raise fault("dosage", reason, "give the dosage as state_data wrote it")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise fault("", f"{describe(value)} is not a text", "give a text, between quotes")
    if not PRINTABLE.match(value):
        raise fault("", "holds a character that cannot be shown", "take it out")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise fault("", f"{describe(value)} is not true or false", "give true or false")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        fix = f"give a whole number from 0 to {LARGEST_COUNT}"
        raise fault("", f"{describe(value)} is not such a number", fix)
    return value


def _term(value: object, kind: type[Term]) -> Term:
    for term in kind:
        if term.code == value:
            return term
    fix = f"write one of {', '.join(term.code for term in kind)}"
    raise fault("", f"{describe(value)} is not known", fix)


def _contradictions(state: State) -> Iterator[Fault]:
    """Yield a fault for each part of a state that no course leads to."""
    fix = "give the state as state_data wrote it"
    treatment, previous = state.treatment, state.previous
    if previous is None and treatment.phase is not Phase.BEFORE_START:
        yield Fault("previous", "there is none, and treatment has begun", fix)
    if treatment.phase in TREATED and (treatment.dose is None or state.baseline is None):
        reason = f"{treatment.phase.label} without a level and a baseline"
        yield Fault("treatment", reason, fix)
    if (treatment.phase is Phase.INTERRUPTED) is (treatment.interrupted_on is None):
        yield Fault("treatment.interrupted_on", "does not fit the phase", fix)
    for quantity, units in QUANTITIES.items():
        result = state.findings.result(quantity)
        if result is not None:
            given = result.given
            amount = units.amount(given.value, given.unit) if units.factor(given.unit) else None
            if amount is None or result.amount != lowest_amount(evolve(result, amount=amount)):
                reason = f"{result.amount} is not what {given} comes to"
                yield Fault(f"findings.{quantity}.amount", reason, fix)
    scores = {
        "baseline.activity": state.baseline.activity if state.baseline else None,
        "treatment.nadir.activity": treatment.nadir.activity if treatment.nadir else None,
        "previous.activity": previous.activity if previous else None,
    }
    for place, score in scores.items():
        if score is not None and score > ACTIVITY[1]:
            yield Fault(place, f"{score} is outside its range", fix)
    if state.baseline and state.baseline.neuropathy > GRADE[1]:
        reason = f"{state.baseline.neuropathy} is outside its range"
        yield Fault("baseline.neuropathy", reason, fix)
    last = previous.on if previous else dt.date.min
    for place, day in _days_seen(state):
        if day > last:
            yield Fault(place, f"{day} is after the last visit", fix)


def _days_seen(state: State) -> Iterator[tuple[str, dt.date]]:
    """Yield every date of a state that lies at the last visit or before it, with its place."""
    findings = state.findings
    groups: dict[str, AttrsInstance | None] = {
        "": state,
        "baseline": state.baseline,
        "treatment": state.treatment,
        "treatment.dose": state.treatment.dose,
        "treatment.nadir": state.treatment.nadir,
        "findings": findings,
        **{f"findings.{quantity}": findings.result(quantity) for quantity in QUANTITIES},
        **{f"findings.ongoing[{i}]": each for i, each in enumerate(findings.ongoing)},
        **{f"limiting_events[{i}]": each for i, each in enumerate(state.limiting_events)},
    }
    for index, day in enumerate(findings.negative_tests):
        yield f"findings.negative_tests[{index}]", day
    for place, group in groups.items():
        for part in fields(type(group)) if group is not None else ():
            day = getattr(group, part.name)
            if isinstance(day, dt.date):
                yield f"{place}.{part.name}".removeprefix("."), day
