"""For each visit of a cohort: which results and adverse events were given and not used."""

import datetime as dt
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import pyarrow as pa
from tests.support.patients import DAY0, PROTOCOL, STERILE, count, event, seen
from tests.support.tables import answers, course_rows, decision_row

from lenadose import Course, Visit, replay


def not_used(*visits: Visit) -> list[str | None]:
    """Return the `not_used` column of a cohort of one patient, after comparing it with `replay`."""
    course = Course(visits, STERILE)
    rows = answers(pa.Table.from_pylist(course_rows([course])))
    assert rows == [decision_row(decision) for decision in replay(course, PROTOCOL)]
    return [row["not_used"] for row in rows]


def on(number: int) -> dt.date:
    return DAY0 + dt.timedelta(days=number)


def test_where_all_counts_nothing_is_said() -> None:
    assert not_used(seen(0, 11), seen(28, 11), Visit(on(56))) == [None, None, None]


def test_a_result_older_than_the_newest_is_not_used() -> None:
    old = {"neutrophils": count(0.4, on(-3)), "platelets": count(200, on(-1))}
    assert not_used(seen(0, 11), seen(28, 11, **old), seen(56, 11)) == [
        None,
        "neutrophils; platelets",
        None,
    ]


def test_of_one_day_the_lower_result_counts_whichever_came_first() -> None:
    for values, said in (
        ((3, 4, 2, 2, 3), [None, "neutrophils", None, None, "neutrophils"]),
        ((3, 3, 3), [None, None, None]),
        ((1.2, 1.3, 0.9), [None, "neutrophils", None]),
    ):
        visits = [
            seen(28 * place, 11, neutrophils=count(value, DAY0))
            for place, value in enumerate(values)
        ]
        assert not_used(*visits) == said


@pytest.mark.parametrize("value", ["0.1", "1.1", "2.003", "2.9", "3.217", "4.35", "99.999"])
def test_the_same_result_in_another_unit_is_the_one_that_counts(value: str) -> None:
    thousand = str(round(float(value) * 1000))
    rows: list[dict[str, Any]] = [
        {
            "patient": "a",
            "date": day,
            "neutrophils": number,
            "neutrophils_unit": unit,
            "neutrophils_date": "2026-01-05",
        }
        for day, number, unit in (
            ("2026-01-05", value, "10*9/L"),
            ("2026-01-06", thousand, "/uL"),
            ("2026-01-07", value, "K/uL"),
            ("2026-01-08", f"{value}1", "10*9/L"),
        )
    ]
    said = [row["not_used"] for row in answers(pa.Table.from_pylist(rows))]
    assert said == [None, None, None, "neutrophils"]


def test_events_that_change_nothing_are_named() -> None:
    mild, grave = event("insomnia", 1), event("rash", 3)
    over = event("missed period", resolved=True)
    assert not_used(
        seen(0, 11, adverse_events=(mild, over)),
        seen(28, 11, adverse_events=(grave, event("missed period"))),
        seen(35, 11, adverse_events=(over,)),
        seen(42, 11, adverse_events=(over,), platelets=count(200, on(-9))),
    ) == [
        "insomnia, grade 1 (CTCAE 5.0); missed period, resolved",
        None,
        None,
        "platelets; missed period, resolved",
    ]


def test_neuropathy_is_compared_with_its_grade_at_the_start() -> None:
    numb = event("peripheral sensory neuropathy", 1), event("fatigue", 2)
    worse = event("peripheral sensory neuropathy", 2)
    said = not_used(
        seen(0, 11, adverse_events=numb),
        seen(28, 11, adverse_events=(*numb, worse)),
        seen(35, 11, adverse_events=numb),
    )
    slight = "peripheral sensory neuropathy, grade 1 (CTCAE 5.0)"
    assert said == [slight, slight, slight]


def test_the_end_of_a_pregnancy_counts_whether_it_was_known_or_not() -> None:
    over = event("pregnancy", resolved=True)
    assert not_used(seen(0, 11), seen(28, 11, adverse_events=(over,))) == [None, None]


def test_of_many_different_texts_each_is_told() -> None:
    terms = [f"one thing of very many {number}" for number in range(33_000)]
    rows = [
        {
            "patient": place,
            "date": "2026-01-05",
            "adverse_events": [{"term": term, "grade": 1, "ctcae": "5.0"}],
        }
        for place, term in enumerate(terms)
    ]
    said = [row["not_used"] for row in answers(pa.Table.from_pylist(rows))]
    assert said == [f"{term}, grade 1 (CTCAE 5.0)" for term in terms]
