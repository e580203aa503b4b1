"""Patients and visits for the tests: well unless said otherwise."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from lenadose import (
    AdverseEvent,
    Decision,
    DosageTaken,
    Judgement,
    Measurement,
    Patient,
    PregnancyTest,
    Visit,
    begin,
    get_protocol,
    step,
)
from lenadose.engine.state import State
from lenadose.protocol.protocol import Protocol
from lenadose.record.visit import JudgedResponse, TestResult

DAY0 = date(2026, 1, 5)
STERILE = Patient(age=50, able_to_become_pregnant=False)
FERTILE = Patient(age=30, able_to_become_pregnant=True, regular_cycles=True)
PROTOCOL = get_protocol()


def day(number: int) -> date:
    """The date so many days after the first visit of most tests."""
    return DAY0 + timedelta(days=number)


def count(value: Any, on: date | None = None) -> Measurement:
    return Measurement(value, "10*9/L", on)


def clearance(value: Any, on: date | None = None) -> Measurement:
    return Measurement(value, "mL/min", on)


def negative(*days: int) -> tuple[PregnancyTest, ...]:
    return tuple(PregnancyTest(TestResult.NEGATIVE, day(each)) for each in days)


def event(term: str, grade: int | None = None, resolved: bool | None = None) -> AdverseEvent:
    return AdverseEvent(term, grade, None if grade is None else "5.0", resolved)


def took(mg: Any, every_days: int | None = 1) -> DosageTaken:
    return DosageTaken(mg, every_days if mg else None)


def judged(response: str) -> Judgement:
    return Judgement(JudgedResponse(response), "seen by the clinician")


def seen(number: int, activity: int | None, **changes: Any) -> Visit:
    """A visit on a day, all known and well but for the changes; `field=None` leaves a field out."""
    shown: dict[str, Any] = {
        "neutrophils": count(3),
        "platelets": count(240),
        "creatinine_clearance": clearance(95),
        "adverse_events": (),
        **changes,
    }
    return Visit(day(number), clasi_activity=activity, **shown)


def walk(
    visits: Iterable[Visit], patient: Patient = STERILE, protocol: Protocol = PROTOCOL
) -> list[Decision]:
    """The decisions at each of the visits."""
    state = begin(protocol, patient)
    decisions = []
    for visit in visits:
        decision, state = step(protocol, state, visit)
        decisions.append(decision)
    return decisions


def begin_and(visits: Iterable[Visit], patient: Patient = STERILE) -> State:
    """The state after the visits."""
    state = begin(PROTOCOL, patient)
    for visit in visits:
        _, state = step(PROTOCOL, state, visit)
    return state


def rules(visits: Iterable[Visit], patient: Patient = STERILE) -> list[str]:
    """The rows that applied at each of the visits."""
    return [decision.rule.id for decision in walk(visits, patient)]
