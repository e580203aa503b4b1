"""The record in Python: every value is checked when it is made, and the fault names its place."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from tests.support.patients import DAY0, count, event, seen

from lenadose import (
    AdverseEvent,
    CallError,
    Course,
    DosageTaken,
    Judgement,
    Measurement,
    Patient,
    PregnancyTest,
    Visit,
)
from lenadose.record.visit import Antiphospholipid, JudgedResponse, TestResult
from lenadose.terms.errors import describe


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: Visit("2026-01-05"), "date"),
        (lambda: Visit(datetime(2026, 1, 5)), "date"),  # noqa: DTZ001  # a moment is no date, with or without a zone
        (lambda: Visit(date(1899, 12, 31)), "date"),
        (lambda: Visit(DAY0, clasi_activity=71), "clasi_activity"),
        (lambda: Visit(DAY0, clasi_activity=True), "clasi_activity"),
        (lambda: Visit(DAY0, clasi_activity=10**5000), "clasi_activity"),
        (lambda: Visit(DAY0, neutrophils=3), "neutrophils"),
        (lambda: Visit(DAY0, neutrophils="3"), "neutrophils"),
        (lambda: Visit(DAY0, neutrophils=Measurement(1500, "10*9/L")), "neutrophils"),
        (lambda: Visit(DAY0, creatinine_clearance=count(95)), "creatinine_clearance"),
        (lambda: Visit(DAY0, neutrophils=count(3, date(2026, 1, 6))), "neutrophils.date"),
        (lambda: Visit(DAY0, adverse_events="none"), "adverse_events"),
        (lambda: Visit(DAY0, adverse_events=[event("insomnia", 1)]), "adverse_events"),
        (lambda: Visit(DAY0, adverse_events=("insomnia",)), "adverse_events[0]"),
        (lambda: Visit(DAY0, pregnancy_tests=(5,)), "pregnancy_tests[0]"),
        (lambda: Visit(DAY0, dosage_taken=5), "dosage_taken"),
        (lambda: Visit(DAY0, judgement="worse"), "judgement"),
        (lambda: Measurement(float("nan"), "10*9/L"), "value"),
        (lambda: Measurement(10**15, "10*9/L"), "value"),
        (lambda: Measurement(Decimal("Infinity"), "10*9/L"), "value"),
        (lambda: Measurement("3", "10*9/L"), "value"),
        (lambda: Measurement(True, "10*9/L"), "value"),
        (lambda: Measurement(3, 9), "unit"),
        (lambda: PregnancyTest("weak"), "result"),
        (lambda: AdverseEvent(5), "term"),
        (lambda: AdverseEvent("insomnia"), "grade"),
        (lambda: AdverseEvent("insomnia", 2), "ctcae"),
        (lambda: AdverseEvent("insomnia", 2, "1.0"), "ctcae"),
        (lambda: AdverseEvent("neutropenia", 2, "5.0"), "term"),
        (lambda: AdverseEvent("insomnia", 2, "5.0", resolved=True), "resolved"),
        (lambda: DosageTaken(5), "every_days"),
        (lambda: DosageTaken(101, 1), "mg"),
        (lambda: DosageTaken("5", 1), "mg"),
        (lambda: Judgement("better", "seen"), "response"),
        (lambda: Judgement(JudgedResponse.WORSE, "  "), "reason"),
        (lambda: Patient(age=17), "age"),
        (lambda: Patient(able_to_become_pregnant=1), "able_to_become_pregnant"),
        (lambda: Patient(antiphospholipid="unknown"), "antiphospholipid"),
        (lambda: Patient(id="a\nb"), "id"),
        (lambda: Course(()), "visits"),
        (lambda: Course((seen(0, 11), seen(0, 11))), "visits[1].date"),
        (lambda: Course((seen(0, 11),), patient=5), "patient"),
        (lambda: Course((5,)), "visits[0]"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_place(make, place: str) -> None:
    with pytest.raises(CallError) as refused:
        make()
    assert [fault.place for fault in refused.value.faults][:1] == [place]
    assert all(fault.reason and fault.fix for fault in refused.value.faults)


def test_a_count_a_thousand_times_too_large_says_which_unit_it_has() -> None:
    with pytest.raises(CallError, match='a count per µL has the unit "/uL"'):
        Visit(DAY0, neutrophils=Measurement(1500, "10*9/L"))
    with pytest.raises(
        CallError,
        match=r"no patient has 301 mL/min \(at most 300 mL/min\); check the value and its unit$",
    ):
        Visit(DAY0, creatinine_clearance=Measurement(301, "mL/min"))


@pytest.mark.parametrize(
    ("value", "unit"), [(1000, "/uL"), (1, "10*9/L"), ("1.000", "10*3/uL"), (1.0, "10*9/L")]
)
def test_counts_convert_exactly(value: object, unit: str) -> None:
    given = Decimal(value) if isinstance(value, str) else value
    counted = Visit(DAY0, neutrophils=Measurement(given, unit)).counted[0]
    assert counted is not None
    assert counted.amount == Decimal(1)
    assert counted.on == DAY0


def test_a_dosage_taken_of_nothing_is_none() -> None:
    assert DosageTaken(0).dosage is None
    assert str(DosageTaken(Decimal("5.0"), 2).dosage) == "5 mg every other day"


def test_a_value_in_a_message_is_cut_and_made_safe() -> None:
    assert describe("a\x1b[31m") == "'a\\x1b[31m'"
    assert describe(True) == "true"
    assert describe(JudgedResponse.WORSE) == "'worse'"
    assert len(describe("x" * 1000)) == 60
    assert describe(10**5000) == "a whole number of many digits"
    assert [describe(each) for each in (None, [], {}, 1.5, seen)] == [
        "null",
        "a list",
        "an object",
        "1.5",
        "a function",
    ]


def test_a_word_may_be_given_as_it_is_said() -> None:
    assert PregnancyTest("negative").result is TestResult.NEGATIVE
    assert Judgement("not improved", "no change").response is JudgedResponse.NOT_IMPROVED
    assert Patient(antiphospholipid="positive").antiphospholipid is Antiphospholipid.POSITIVE
