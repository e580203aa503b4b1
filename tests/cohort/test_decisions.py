"""A row that cannot be read is refused with what follows it, and nothing else."""

import datetime as dt
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import numpy as np
import pyarrow as pa
from tests.support.tables import FOLLOWS, refusals, rows_with

from lenadose.cohort import (
    decide,
    decisions,
)


def test_a_blank_patient_is_nobody() -> None:
    decided = decide(
        pa.table({"patient": ["", " ", "a"], "date": ["2026-01-05", "2026-02-05", "2026-01-05"]})
    )
    assert [each and each.split(":")[0] for each in decided["refused"].to_pylist()] == [
        "patient",
        "patient",
        None,
    ]


def test_rows_may_lie_in_any_order(visits) -> None:
    order = np.random.default_rng(4).permutation(len(visits))
    mixed = decide(visits.take(pa.array(order)))
    assert mixed.to_pylist() == decide(visits).take(pa.array(order)).to_pylist()


def test_blocks_change_nothing(visits, monkeypatch) -> None:
    whole, steps = decide(visits), list[tuple[int, int]]()
    monkeypatch.setattr(decisions, "BLOCK", 50)
    assert decide(visits, progress=lambda done, total: steps.append((done, total))) == whole
    assert len(steps) > 5
    assert steps[-1] == (len(visits), len(visits))
    assert steps == sorted(steps)


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"clasi_activity": 71},
        "clasi_activity: 71 is outside its range; give CLASI activity, a whole number from 0 to 70",
    ),
    ({"clasi_damage": -1}, "clasi_damage: -1 is outside its range; "),
    (
        {"neutrophils": 1500.0},
        "neutrophils: no patient has 1500 × 10⁹/L (at most 100 × 10⁹/L); check the value",
    ),
    ({"neutrophils": -1.0}, "neutrophils: -1.0 is negative; "),
    ({"neutrophils": float("inf")}, "neutrophils: Infinity is not a finite number; "),
    ({"neutrophils": float("nan")}, "neutrophils: NaN is not a finite number; "),
    ({"neutrophils": 1e-20}, "neutrophils: 1E-20 is not the same number in other programs; "),
    (
        {"neutrophils_unit": None},
        "neutrophils_unit: is missing: a bare number, 3; give 10*9/L or 10*3/uL or /uL",
    ),
    (
        {"platelets_unit": "G/L"},
        "platelets: 'G/L' could mean giga per litre (10*9/L) or grams per litre; give 10*9/L or",
    ),
    (
        {"platelets_date": dt.date(2026, 12, 1)},
        "platelets_date: 2026-12-01 is after the visit of 2026-03-02; ",
    ),
    (
        {"platelets_date": dt.date(1850, 1, 1)},
        "platelets_date: year must be 1900 to 2199, got 1850-01-01; ",
    ),
    (
        {"pregnancy_tests": [{"result": "maybe", "date": None}]},
        "pregnancy_tests[0].result: 'maybe' is not known; ",
    ),
    (
        {"pregnancy_tests": [{"result": "negative", "date": dt.date(2027, 1, 1)}]},
        "pregnancy_tests[0].date: 2027-01-01",
    ),
    (
        {"adverse_events": [{"term": "neutropenia", "grade": 3, "ctcae": "5.0"}]},
        "adverse_events[0].term: 'neutropenia'",
    ),
    (
        {"adverse_events": [{"term": "insomnia"}]},
        "adverse_events[0].grade: is missing for 'insomnia'; ",
    ),
    (
        {"adverse_events": [{"term": "pregnancy"}, {"term": "pregnancy", "resolved": True}]},
        "adverse_events[0]: 'pregnancy' is also listed as resolved; keep the one that is true",
    ),
    ({"dosage_taken_mg": 5.0}, "dosage_taken_every_days: an amount without its frequency; "),
    ({"dosage_taken_every_days": 1}, "dosage_taken_mg: is missing; give it"),
    (
        {"dosage_taken_mg": 101.0, "dosage_taken_every_days": 1},
        "dosage_taken_mg: 101 is outside its range; ",
    ),
    (
        {"dosage_taken_mg": 5.0, "dosage_taken_every_days": 0},
        "dosage_taken_every_days: 0 is outside its range; ",
    ),
    (
        {"doses_missed": 29},
        "doses_missed: 29 missed of 28 since the visit before; count them again",
    ),
    ({"judgement": "better", "judgement_reason": "seen"}, "judgement: 'better' is not known; "),
    ({"judgement": "worse"}, "judgement_reason: is missing; give it"),
    ({"judgement_reason": "seen"}, "judgement: is missing; give it"),
    ({"age": 17}, "age: 17 is outside its range; "),
    ({"subtype": "a\nb"}, "subtype: holds a line break (U+000A); take it out"),
    ({"antiphospholipid": "perhaps"}, "antiphospholipid: 'perhaps' is not known; "),
    (
        {"date": dt.date(2026, 2, 2)},
        "date: two visits of the patient on 2026-02-02; give the visits in order, one a day",
    ),
]


@pytest.mark.parametrize(("cells", "message"), BAD)
def test_a_bad_row_is_refused_with_what_follows_it_and_nothing_else(
    cells: dict[str, Any], message: str
) -> None:
    """The third visit of the second patient is bad."""
    reasons = refusals(rows_with(6, **cells))
    assert reasons[6] is not None
    assert reasons[6].startswith(message)
    assert reasons[7] == FOLLOWS.format(cells.get("date", "2026-03-02"))
    # Of two visits on one day neither can be told to be the first.
    duplicates = "date" in cells
    assert [index for index, each in enumerate(reasons) if each is not None] == (
        [5, 6, 7] if duplicates else [6, 7]
    )


def test_a_row_is_refused_for_every_fault_in_it() -> None:
    reason = refusals(rows_with(6, clasi_activity=71, judgement="worse"))[6]
    assert reason is not None
    assert [each.split(":")[0] for each in reason.split(" | ")] == [
        "clasi_activity",
        "judgement_reason",
    ]


def test_before_the_first_visit_nothing_was_taken_or_missed() -> None:
    for cells, column in (
        ({"doses_missed": 1}, "doses_missed"),
        ({"dosage_taken_mg": 0.0}, "dosage_taken_mg"),
    ):
        reasons = refusals(rows_with(4, **cells))
        assert reasons[4] == (
            f"{column}: nothing comes before the first visit; "
            "leave it out: a record begins before treatment"
        )
        assert [each is None for each in reasons] == [True] * 4 + [False] * 4 + [True] * 4


def test_a_visit_without_a_date_or_a_patient_leaves_nothing_certain_that_it_may_belong_to() -> None:
    undated = refusals(rows_with(6, date=None))
    assert undated[6] == "date: is missing; give it"
    assert [undated[each] for each in (4, 5, 7)] == [
        "patient: a visit whose date cannot be read may come before this one; fix that one first"
    ] * 3
    assert undated[:4] == undated[8:] == [None] * 4
    nameless = refusals(rows_with(6, patient=None))
    assert nameless[6] == "patient: is missing; say whose visit it is"
    assert [each for each in nameless if each] == [nameless[6]]
