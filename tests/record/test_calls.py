"""What an engineer types on the first day works, and a wrong call says how to write it."""

import inspect
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from attrs import evolve, fields

from lenadose import (
    AdverseEvent,
    CallError,
    Course,
    Dosage,
    DosageTaken,
    Judgement,
    Measurement,
    Patient,
    PregnancyTest,
    Visit,
    begin,
    course_data,
    explain,
    get_protocol,
    replay,
    step,
)
from lenadose.cohort import decide
from lenadose.record.visit import JudgedResponse, TestResult
from lenadose.verification.compare import compare

DAY = "2026-01-05"
PART_CLASSES = (
    Patient,
    Visit,
    Course,
    Measurement,
    PregnancyTest,
    AdverseEvent,
    DosageTaken,
    Judgement,
)


def course() -> Course:
    """Return a course of one visit at which treatment starts."""
    visit = Visit(
        DAY,
        clasi_activity=11,
        neutrophils=(3.2, "10*9/L"),
        platelets=(240, "10*9/L"),
        creatinine_clearance=(95, "mL/min"),
        adverse_events=[],
    )
    return Course([visit], Patient(age=55, able_to_become_pregnant=False))


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("neutrophils", (3.2, "10*9/L"), Measurement(Decimal("3.2"), "10*9/L")),
        ("neutrophils", [3.2, "10*9/L"], Measurement(Decimal("3.2"), "10*9/L")),
        ("pregnancy_tests", ["negative"], (PregnancyTest(TestResult.NEGATIVE),)),
        ("pregnancy_tests", (TestResult.POSITIVE,), (PregnancyTest("positive"),)),
        (
            "pregnancy_tests",
            [("negative", "2026-01-04"), ["negative", date(2025, 12, 24)], ("positive", None)],
            (
                PregnancyTest("negative", date(2026, 1, 4)),
                PregnancyTest("negative", date(2025, 12, 24)),
                PregnancyTest("positive"),
            ),
        ),
        ("adverse_events", ["pregnancy"], (AdverseEvent("pregnancy"),)),
        ("adverse_events", (("rash", 3, "5.0"),), (AdverseEvent("rash", 3, "5.0"),)),
        ("adverse_events", [["rash", np.int64(3), "5.0"]], (AdverseEvent("rash", 3, "5.0"),)),
        ("adverse_events", [("rash", 3.0, "5.0")], (AdverseEvent("rash", 3, "5.0"),)),
        ("adverse_events", [("angioedema", 2)], (AdverseEvent("angioedema", 2),)),
        ("adverse_events", [], ()),
        ("dosage_taken", (5, 1), DosageTaken(Decimal(5), 1)),
        ("dosage_taken", [2.5, 2], DosageTaken(Decimal("2.5"), 2)),
        ("dosage_taken", Dosage(5, 2), DosageTaken(Decimal(5), 2)),
        ("dosage_taken", 0, DosageTaken(Decimal(0))),
        ("dosage_taken", np.float64(0), DosageTaken(Decimal(0))),
        ("judgement", ("improved", "seen"), Judgement(JudgedResponse.IMPROVED, "seen")),
        ("judgement", [JudgedResponse.WORSE, "seen"], Judgement("worse", "seen")),
        ("clasi_activity", np.int32(11), 11),
    ],
)
def test_a_short_form_is_held_as_the_strict_value(name: str, given: object, held: object) -> None:
    value = getattr(Visit(DAY, **{name: given}), name)  # type: ignore[arg-type]
    assert value == held
    assert type(value) is type(held)
    assert hash(value) == hash(held)


def test_a_dosage_holds_exact_numbers() -> None:
    assert repr(Dosage(2.5, np.int64(2))) == repr(Dosage(Decimal("2.5"), 2))
    assert type(Dosage(np.float32(2.5)).mg) is Decimal


EVENT = 'as in ("rash", 3, "5.0")'
DAILY = "(5, 1) for 5 mg once daily"

WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Dosage("３.２"), "mg: '３.２' is not a number; give a number"),  # type: ignore[arg-type]
    *(
        (
            lambda array=array: Visit(DAY, neutrophils=array),
            'neutrophils: a ndarray is not a value with its unit; give it as (3.2, "10*9/L")',
        )
        for array in (np.array([]), np.array([3.2, 3.4]))
    ),
    (lambda: Visit("05.01.2026"), "date: '05.01.2026' is not a date; give it as \"2026-01-05\""),
    (
        lambda: Visit(datetime(2026, 1, 5)),  # noqa: DTZ001
        "date: a datetime is not a date; give its day, as .date() returns it",
    ),
    (
        lambda: Visit(),  # type: ignore[call-arg]
        'date: is missing; give it, as in Visit("2026-01-05", clasi_activity=11)',
    ),
    (
        lambda: Visit(DAY, clasi=11),  # type: ignore[call-arg]
        "clasi: is no field of a visit; did you mean clasi_activity or clasi_damage?",
    ),
    (
        lambda: Visit(DAY, neutrophil=(3, "/uL")),  # type: ignore[call-arg]
        "neutrophil: is no field of a visit; did you mean neutrophils?",
    ),
    (
        lambda: Patient(sex="f"),  # type: ignore[call-arg]
        "sex: is no field of a patient; known: id, age, able_to_become_pregnant, regular_cycles, "
        "subtype, antiphospholipid",
    ),
    (
        lambda: Visit(DAY, date=DAY),  # type: ignore[misc]
        "date: is given twice, by place and by name; give it once",
    ),
    (
        lambda: PregnancyTest("negative", DAY, 5),  # type: ignore[call-arg]
        "3 values for 2 fields of a pregnancy test; give them by name: result, date",
    ),
    (
        lambda: Visit(DAY, neutrophils=3.2),  # type: ignore[arg-type]
        "neutrophils: a bare number, 3.2; give the unit with it, 10*9/L or 10*3/uL or /uL, "
        'as in (3.2, "10*9/L")',
    ),
    (
        lambda: Visit(DAY, neutrophils="3.2 10*9/L"),
        "neutrophils: '3.2 10*9/L' is not a value with its unit; give it as (3.2, \"10*9/L\")",
    ),
    (
        lambda: Visit(DAY, neutrophils=("10*9/L", 3.2)),
        'neutrophils: holds no value with its unit; give it as (3.2, "10*9/L")',
    ),
    (
        lambda: Visit(DAY, neutrophils=("3.2", "10*9/L")),
        "neutrophils.value: '3.2' is not a number; write it without quotes",
    ),
    (
        lambda: Visit(DAY, neutrophils=("<", 0.5, "10*9/L")),
        "neutrophils: a bound begins with its value; "
        'give it as Measurement(0.5, "10*9/L", comparator="<")',
    ),
    (
        lambda: Visit(DAY, adverse_events="rash"),
        "adverse_events: 'rash' is not a list; "
        'give a list: [("rash", 3, "5.0")], or [] if there were none',
    ),
    (
        lambda: Visit(DAY, adverse_events=["rash"]),
        f"adverse_events[0].grade: is missing for 'rash'; give the CTCAE grade from 1 to 5, {EVENT}"
        f'\nadverse_events[0].ctcae: is missing; give the edition of CTCAE: "5.0", {EVENT}',
    ),
    (
        lambda: Visit(DAY, adverse_events=[("rash", 3)]),
        "adverse_events[0].ctcae: a grade without its edition; "
        f'give the edition of CTCAE: "5.0", {EVENT}',
    ),
    (
        lambda: Visit(DAY, adverse_events=("rash", 3)),
        "adverse_events: is an adverse event, not a list of them; "
        'put it into a list: [("rash", 3, "5.0")]',
    ),
    (
        lambda: Visit(DAY, adverse_events=[("rash", "3", "5.0")]),
        "adverse_events[0].grade: '3' is not a whole number; "
        "give the grade, a whole number from 1 to 5",
    ),
    (
        lambda: Visit(DAY, adverse_events=[{"term": "rash"}]),  # type: ignore[list-item]
        'adverse_events[0]: an object is not an adverse event; give it as ("rash", 3, "5.0")',
    ),
    (
        lambda: Visit(DAY, adverse_events=AdverseEvent("pregnancy")),  # type: ignore[arg-type]
        "adverse_events: an AdverseEvent is not a list; "
        'give a list: [("rash", 3, "5.0")], or [] if there were none',
    ),
    (
        lambda: Visit(DAY, pregnancy_tests=["neg"]),
        "pregnancy_tests[0].result: 'neg' is not one of negative, positive; "
        "give one of negative, positive",
    ),
    (
        lambda: Visit(DAY, pregnancy_tests=("negative", DAY)),
        "pregnancy_tests: is a pregnancy test, not a list of them; "
        'put it into a list: [("negative", "2026-01-05")]',
    ),
    (
        lambda: Visit(DAY, pregnancy_tests=[("negative", "5.1.2026")]),
        "pregnancy_tests[0].date: '5.1.2026' is not a date; give it as \"2026-01-05\"",
    ),
    (
        lambda: Visit(DAY, dosage_taken=5),
        "dosage_taken.every_days: an amount without its frequency; "
        f"give 1 for daily, 2 for every other day, as in {DAILY}",
    ),
    (
        lambda: Visit(DAY, dosage_taken="none"),  # type: ignore[arg-type]
        "dosage_taken: 'none' is not a dosage in mg and days, or 0 for nothing; "
        f"give it as {DAILY}",
    ),
    (
        lambda: Visit(DAY, judgement="improved"),
        'judgement.reason: is missing; give it, as in ("improved", "fewer lesions")',
    ),
    (
        lambda: Visit(DAY, judgement=True),  # type: ignore[arg-type]
        'judgement: true is not a judgement; give it as ("improved", "fewer lesions")',
    ),
    (
        lambda: Measurement(3.2),  # type: ignore[call-arg]
        'unit: is missing; give it, as in Measurement(3.2, "10*9/L")',
    ),
    (lambda: Dosage("5"), "mg: '5' is not a number; write it without quotes"),  # type: ignore[arg-type]
    (
        lambda: Course(Visit(DAY)),  # type: ignore[arg-type]
        'visits: a Visit is not a list; give a list: [Visit("2026-01-05", clasi_activity=11)]',
    ),
    (
        lambda: Course([Visit(DAY)], 55),  # type: ignore[arg-type]
        "patient: 55 is not a patient; give it as Patient(age=55)",
    ),
    (
        lambda: course().with_visit(DAY),  # type: ignore[arg-type]
        "visits[1]: '2026-01-05' is not a visit; "
        'give it as Visit("2026-01-05", clasi_activity=11)',
    ),
    (
        lambda: course().with_visit(Visit(DAY)),
        "visits[1].date: two visits on 2026-01-05; give the visits in order, one a day",
    ),
    (
        lambda: course().with_visit(Visit("2026-01-12", doses_missed=9)),
        "visits[1].doses_missed: 9 missed of 7 since the visit before; count them again",
    ),
    (
        lambda: begin("penn"),
        "protocol: 'penn' is not known; did you mean penn-2012? "
        "known: cortes-hernandez-2012, penn-2012",
    ),
    (
        lambda: replay(course(), "mine.toml"),
        "protocol: 'mine.toml' is a path, not an id; "
        "read the file with load_protocol, and give what it returns",
    ),
    (
        lambda: begin(Patient()),  # type: ignore[arg-type]
        "protocol: a Patient is not a protocol; give a Protocol, or the id of a built-in one: "
        "cortes-hernandez-2012, penn-2012",
    ),
    (
        lambda: begin("penn-2012", 55),  # type: ignore[arg-type]
        "patient: 55 is not a patient; give a Patient",
    ),
    (
        lambda: step("penn-2012", Visit(DAY), begin("penn-2012")),  # type: ignore[arg-type]
        "state: a Visit is not a state; give what begin, step or read_state returned",
    ),
    (
        lambda: step("penn-2012", begin("penn-2012"), DAY),  # type: ignore[arg-type]
        "visit: '2026-01-05' is not a visit; give it as Visit(\"2026-01-05\", clasi_activity=11)",
    ),
    (
        lambda: explain(replay(course())),  # type: ignore[arg-type]
        "decision: a tuple is not a decision; give one decision, such as replay(course)[-1]",
    ),
    (
        lambda: course_data(Visit(DAY)),  # type: ignore[arg-type]
        "course: a Visit is not a course; give a Course",
    ),
    (
        lambda: replay(course())[-1].what_if(clasi=1),
        "clasi: is no field of a visit; did you mean clasi_activity or clasi_damage?",
    ),
    (
        lambda: evolve(Visit(DAY), clasi=1),  # type: ignore[call-arg]
        "clasi: is no field of a visit; did you mean clasi_activity or clasi_damage?",
    ),
]


@pytest.mark.parametrize(("call", "said"), WRONG)
def test_a_wrong_call_says_how_to_write_it(call: Callable[[], object], said: str) -> None:
    with pytest.raises(CallError) as refused:
        call()
    assert str(refused.value) == said


@pytest.mark.parametrize("kind", PART_CLASSES)
def test_every_class_still_shows_its_arguments(kind: type) -> None:
    names = [each.alias for each in fields(kind) if each.init]
    assert list(inspect.signature(kind).parameters) == names


class Broken:
    """A number of another library that cannot be read."""

    shape = ()

    def item(self) -> int:
        raise TypeError("a fault of its own")


def test_a_fault_of_a_value_is_not_taken_for_a_wrong_call() -> None:
    with pytest.raises(TypeError, match="a fault of its own"):
        Patient(age=Broken())  # type: ignore[arg-type]


def test_a_visit_more_makes_another_course() -> None:
    first = course()
    later = Visit("2026-02-02", clasi_activity=10)
    longer = first.with_visit(later)
    assert longer == Course((*first.visits, later), first.patient)
    assert len(first.visits) == 1


def test_another_finding_leads_to_the_decision_on_the_visit_with_it() -> None:
    longer = course().with_visit(
        Visit("2026-02-02", clasi_activity=10, neutrophils=(2.9, "10*9/L"), adverse_events=[])
    )
    last = replay(longer)[-1]
    assert last.what_if() == last
    other = last.what_if(platelets=(231, "10*9/L"), clasi_activity=0)
    visit = evolve(longer.visits[-1], platelets=(231, "10*9/L"), clasi_activity=0)
    assert other == replay(Course((longer.visits[0], visit), longer.patient))[-1]
    assert other.seen.before is last.seen.before
    assert (last.action.code, other.action.code) == ("request-data", "reduce")
    assert last.what_if(date="2026-01-20").facts.timing is not last.facts.timing
    with pytest.raises(CallError, match=r"^date: 2026-01-01 is not after the visit before"):
        last.what_if(date="2026-01-01")


def test_a_protocol_may_be_named_by_its_id() -> None:
    penn = get_protocol("penn-2012")
    assert replay(course(), "penn-2012") == replay(course(), penn)
    assert replay(course(), "penn-2012")[0].protocol is penn
    assert begin("penn-2012") == begin(penn)
    visit = course().visits[0]
    assert step("penn-2012", begin(penn), visit) == step(penn, begin(penn), visit)
    assert compare("penn-2012", penn).same
    with pytest.raises(CallError, match="'penn' is not known"):
        compare("penn-2012", "penn")


def test_a_cohort_takes_a_protocol_by_its_id() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"patient": ["p"], "date": [DAY], "clasi_activity": [11]})
    assert decide(frame, "penn-2012").equals(decide(frame, get_protocol("penn-2012")))
