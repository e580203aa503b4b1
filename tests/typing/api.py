"""A user's program with every public name, for the type checkers; it is checked, never run."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import lenadose
from lenadose import (
    Action,
    AdverseEvent,
    Alternative,
    Band,
    CallError,
    Card,
    Course,
    Decision,
    DocumentError,
    Dosage,
    DosageTaken,
    Facts,
    Fault,
    Judgement,
    LenadoseError,
    Measurement,
    Patient,
    Phase,
    PregnancyTest,
    Protocol,
    ProtocolError,
    Rationale,
    State,
    Visit,
    alternatives,
    apply,
    bands,
    begin,
    card,
    course_data,
    decision_data,
    explain,
    for_and_against,
    get_protocol,
    load_course,
    load_protocol,
    observe,
    parse_course,
    rationale,
    read_course,
    read_decision,
    read_protocol,
    read_state,
    recommend,
    replay,
    same_advice,
    state_data,
    step,
)


def record() -> Course:
    day = dt.date(2026, 1, 5)
    visit = Visit(
        day,
        clasi_activity=11,
        clasi_damage=None,
        neutrophils=Measurement(Decimal("3.2"), "10*9/L"),
        platelets=Measurement(240, "10*9/L", dt.date(2026, 1, 4)),
        creatinine_clearance=Measurement(95.5, "mL/min"),
        pregnancy_tests=(PregnancyTest("negative", day),),
        adverse_events=(AdverseEvent("insomnia", 1, "5.0"),),
        dosage_taken=DosageTaken(5, every_days=1),
        doses_missed=0,
        judgement=Judgement("improved", "fewer lesions"),
    )
    patient = Patient(id="p-1", age=40, able_to_become_pregnant=False)
    return Course((visit,), patient, "cortes-hernandez-2012")


def first_day() -> Course:
    """Return a course as an engineer writes it on the first day."""
    visit = Visit(
        "2026-01-05",
        clasi_activity=11,
        neutrophils=(3.2, "10*9/L"),
        platelets=[(240, "10*9/L", "2026-01-02"), (Decimal(231), "10*9/L")],
        creatinine_clearance=(95, "mL/min", dt.date(2026, 1, 4)),
        pregnancy_tests=["negative", ("negative", "2025-12-24"), PregnancyTest("negative")],
        adverse_events=[],
    )
    events = [("rash", 3, "5.0"), ("insomnia", 1, "5.0")]
    later = Visit(
        dt.date(2026, 2, 2),
        adverse_events=events,
        dosage_taken=(5, 1),
        judgement=("improved", "fewer lesions"),
    )
    Visit("2026-03-02", adverse_events=("pregnancy",), dosage_taken=0, pregnancy_tests=())
    Visit("2026-03-02", adverse_events=(AdverseEvent("pregnancy"),), dosage_taken=Dosage(2.5))
    assert_type(later.adverse_events, tuple[AdverseEvent, ...] | None)
    assert_type(later.dosage_taken, DosageTaken | None)
    assert_type(later.judgement, Judgement | None)
    assert_type(visit.pregnancy_tests, tuple[PregnancyTest, ...] | None)
    assert_type(visit.neutrophils, Measurement | tuple[Measurement, ...] | None)
    course = Course([visit], Patient(age=55))
    assert_type(course.visits, tuple[Visit, ...])
    return course.with_visit(later)


def refused_by_type_checkers() -> None:
    """Hold the calls of which a type checker sees that they are wrong."""
    Visit("2026-01-05", clasi=11)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Visit("2026-01-05", neutrophils=3.2)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Visit("2026-01-05", judgement=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Visit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    replay(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def stored(decision: Decision) -> None:
    data = state_data(apply(decision))
    assert_type(read_state(data, "penn-2012"), State)
    assert_type(read_state(data, decision.protocol), State)
    assert_type(read_decision(decision_data(decision)), Decision)
    assert_type(read_decision(decision_data(decision), decision.protocol), Decision)
    assert_type(same_advice(decision, decision.what_if(clasi_activity=1)), bool)
    assert_type(same_advice(decision_data(decision), decision), bool)


def files(path: Path) -> None:
    assert_type(load_course(path), Course)
    assert_type(load_course(str(path)), Course)
    assert_type(parse_course("{}"), Course)
    assert_type(parse_course(b"{}"), Course)
    assert_type(read_course(course_data(record())), Course)
    assert_type(load_protocol(path), Protocol)
    assert_type(read_protocol(get_protocol().data), Protocol)


def decide(course: Course) -> None:
    protocol = get_protocol("penn-2012")
    assert_type(protocol.id, str)
    assert_type(replay(course), tuple[Decision, ...])
    assert_type(replay(course, protocol), tuple[Decision, ...])
    assert_type(replay(course, "penn-2012"), tuple[Decision, ...])
    assert_type(begin("penn-2012"), State)
    state = begin(protocol, course.patient)
    assert_type(state, State)
    for visit in course.visits:
        decision, state = step(protocol, state, visit)
        assert_type(decision, Decision)
        assert_type(state, State)
        assert_type(recommend(observe(protocol, state, visit)), Decision)
        assert_type(apply(decision), State)


def read(decision: Decision) -> None:
    assert_type(decision.action, Action)
    assert_type(decision.dosage, Dosage | None)
    assert_type(decision.facts, Facts)
    assert_type(decision.phase_after, Phase)
    assert_type(decision.visit, Visit)
    assert_type(decision.visit.date, dt.date)
    assert_type(decision.rule.id, str)
    assert_type(decision.action is Action.ESCALATE, bool)
    assert_type(decision.facts.phase.label, str)
    if decision.dosage is not None:
        assert_type(decision.dosage.mg, Decimal)
        assert_type(decision.dosage.every_days, int)


def explained(decision: Decision) -> None:
    assert_type(explain(decision), str)
    assert_type(card(decision), Card)
    assert_type(bands(decision, "neutrophils"), tuple[Band, ...])
    assert_type(rationale(decision), Rationale)
    assert_type(rationale(decision).reason, str)
    assert_type(alternatives(decision), tuple[Alternative, ...])
    for alternative in alternatives(decision):
        assert_type(alternative.action, Action)
    for candidate in for_and_against(decision):
        assert_type(candidate.action, Action)
    assert_type(decision_data(decision)["action"] == "escalate", bool)


def errors(path: Path) -> tuple[Fault, ...]:
    try:
        replay(load_course(path), load_protocol(path))
    except (DocumentError, ProtocolError) as error:
        return error.faults
    except CallError as error:
        assert_type(error.faults[0].place, str)
        assert_type(error.faults[0].reason, str)
        assert_type(error.faults[0].fix, str)
    except LenadoseError as error:
        return error.faults
    return ()


def version() -> str:
    return lenadose.__version__
