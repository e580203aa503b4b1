"""The record in Python: every value is checked when it is made, and the fault names its place."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from tests.support.patients import DAY0, count, event, seen

from lenadose import (
    AdverseEvent,
    CallError,
    Course,
    DosageTaken,
    Judgement,
    LenadoseError,
    Measurement,
    Patient,
    PregnancyTest,
    Visit,
    get_protocol,
    parse_course,
    replay,
)
from lenadose.record.visit import Antiphospholipid, JudgedResponse, TestResult
from lenadose.terms.errors import describe


def test_a_course_has_at_most_ten_thousand_visits() -> None:
    visits = [Visit(date.fromordinal(DAY0.toordinal() + number)) for number in range(10_001)]
    assert len(Course(visits[1:]).visits) == 10_000
    with pytest.raises(CallError, match=r"^visits: 10001 visits are too many for one patient "):
        Course(visits)


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: Visit("5.1.2026"), "date"),
        (lambda: Visit("2026-02-30"), "date"),
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
        (lambda: Visit(DAY0, adverse_events=[event("insomnia", 1), 5]), "adverse_events[1]"),
        (lambda: Visit(DAY0, neutrophils=(3.2, "G/L")), "neutrophils"),
        (lambda: Visit(DAY0, neutrophils=("3.2", "10*9/L")), "neutrophils.value"),
        (lambda: Visit(DAY0, neutrophils=[(3.2, "10*9/L"), 3]), "neutrophils[1]"),
        (lambda: Visit(DAY0, neutrophils=[(3.2, "10*9/L"), (3, "%")]), "neutrophils[1]"),
        (lambda: Visit(DAY0, neutrophils=[count(3, date(2026, 1, 6))]), "neutrophils[0].date"),
        (lambda: Measurement(0, "10*9/L", comparator="<"), "value"),
        (lambda: Measurement(1, "10*9/L", comparator="~"), "comparator"),
        (lambda: Visit(DAY0, adverse_events=("insomnia",)), "adverse_events[0].grade"),
        (lambda: Visit(DAY0, pregnancy_tests=(5,)), "pregnancy_tests[0]"),
        (lambda: Visit(DAY0, dosage_taken=5), "dosage_taken.every_days"),
        (lambda: Visit(DAY0, judgement="worse"), "judgement.reason"),
        (lambda: Measurement(float("nan"), "10*9/L"), "value"),
        (lambda: Measurement(10**17, "10*9/L"), "value"),
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
    assert [describe(each) for each in (None, [], (), {}, 1.5, seen)] == [
        "null",
        "a list",
        "a tuple",
        "an object",
        "1.5",
        "a function",
    ]


def test_a_word_may_be_given_as_it_is_said() -> None:
    assert PregnancyTest("negative").result is TestResult.NEGATIVE
    assert Judgement("not improved", "no change").response is JudgedResponse.NOT_IMPROVED
    assert Patient(antiphospholipid="positive").antiphospholipid is Antiphospholipid.POSITIVE


# Every form in which a value may be given


class Scalar:
    """A truth value as numpy has it."""

    shape = ()

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


def test_lists_dates_as_text_and_short_results_are_what_they_mean() -> None:
    short = Visit(
        "2026-01-05",
        neutrophils=(3.2, "10*9/L"),
        platelets=[(240, "10*9/L", "2026-01-02"), Measurement(Decimal(231), "10*9/L")],
        pregnancy_tests=[PregnancyTest("negative", "2026-01-04")],
        adverse_events=[],
    )
    assert short == Visit(
        DAY0,
        neutrophils=Measurement(3.2, "10*9/L"),
        platelets=(count(240, date(2026, 1, 2)), count(231)),
        pregnancy_tests=(PregnancyTest(TestResult.NEGATIVE, date(2026, 1, 4)),),
        adverse_events=(),
    )
    assert Course([short]) == Course((short,))
    assert hash(Course([short])) == hash(Course((short,)))


def test_numbers_and_truth_values_of_numpy_are_read_as_they_print() -> None:
    visit = Visit(DAY0, clasi_activity=np.int64(11), neutrophils=(np.float32(3.2), "10*9/L"))
    assert visit == Visit(DAY0, clasi_activity=11, neutrophils=count(Decimal("3.2")))
    assert type(visit.clasi_activity) is int
    assert Visit(DAY0, clasi_activity=np.float64(11)).clasi_activity == 11
    assert Visit(DAY0, clasi_activity=Decimal("11.0")).clasi_activity == 11
    assert Measurement(np.float64(0.1), "10*9/L").value == Decimal("0.1")
    assert Measurement(np.array(5), "10*9/L").value == 5
    assert Patient(able_to_become_pregnant=np.True_).able_to_become_pregnant is True
    assert AdverseEvent("pregnancy", resolved=Scalar(False)).resolved is False
    for wrong in (np.float64("nan"), Decimal("sNaN"), np.array([1, 2]), Fraction(1, 3), 10.5):
        with pytest.raises(CallError):
            Visit(DAY0, clasi_activity=wrong)
        with pytest.raises(CallError):
            Visit(DAY0, neutrophils=(wrong, "/uL"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("84.72222222222223", "84.72222222222223"),
        ("3.2000000000000002", "3.2"),
        ("0.10000000000000001", "0.1"),
        ("2.8999999999999999", "2.9"),
        ("1.4999999999999999", None),
        ("0.1000000000000000055511151231257827", None),
        ("12345678901234567", None),
    ],
)
def test_a_number_of_17_digits_is_read_where_a_program_prints_a_float_so(
    written: str, value: str | None
) -> None:
    if value is None:
        with pytest.raises(CallError, match="not the same number in other programs"):
            Measurement(Decimal(written), "10*9/L")
    else:
        assert Measurement(Decimal(written), "10*9/L").value == Decimal(value)
        assert float(value) == float(written)


def test_of_several_results_the_newest_counts_and_of_one_day_the_lower() -> None:
    visit = Visit(
        DAY0,
        neutrophils=[
            (0.8, "10*9/L", "2025-12-20"),
            (3.2, "10*9/L", "2026-01-02"),
            (2900, "/uL", "2026-01-02"),
        ],
        platelets=[],
    )
    assert [result.amount for result in visit.results("neutrophils")] == [
        Decimal("0.8"),
        Decimal("3.2"),
        Decimal("2.9"),
    ]
    newest, platelets, _ = visit.counted
    assert newest is not None
    assert (newest.amount, newest.on) == (Decimal("2.9"), date(2026, 1, 2))
    assert platelets is None
    assert visit.results("platelets") == ()


def test_a_line_break_in_a_reason_is_a_blank() -> None:
    judgement = Judgement("worse", "new lesions\r\non the\tscalp")
    assert judgement.words == "new lesions on the scalp"
    assert judgement.reason == "new lesions\r\non the\tscalp"
    with pytest.raises(CallError, match="cannot be shown"):
        Judgement("worse", "new\x1b lesions")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: parse_course(5), "course: 5 is not text; give the text of a course"),
        (lambda: replay(None), "course: null is not a course; give a Course"),
        (lambda: get_protocol([]), "protocol: a list is not known; known: "),
    ],
)
def test_a_call_with_something_else_is_refused_on_one_line(call, said: str) -> None:
    with pytest.raises(LenadoseError) as refused:
        call()
    assert str(refused.value).startswith(said)
