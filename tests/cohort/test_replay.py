"""A cohort is decided as its patients are, one by one: every column is what `replay` says."""

import os
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import pyarrow as pa
import pyarrow.compute
from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import random_cohorts
from tests.support.mutation import moved_thresholds
from tests.support.tables import decision_row, table

from lenadose import Course, LenadoseError, Protocol, get_protocol, replay
from lenadose.cohort import decide
from lenadose.protocol.builtin import BUILT_IN
from lenadose.terms.dosage import Dosage, DoseLadder, Level
from lenadose.terms.interval import Interval, Unit
from lenadose.terms.provenance import Sourced
from lenadose.testing import courses

MANY = int(os.environ.get("LENADOSE_COHORT_VISITS", "4000"))
"""Visits of the comparison with `replay`; with 1000000, which takes minutes, it is complete."""


def assert_equal(courses: Iterable[Course], visits: pa.Table, protocol: Protocol) -> set[str]:
    """Hold a cohort against its courses, in every column; give the rows that applied."""
    decided = decide(visits, protocol).drop_columns(["patient", "date"])
    rows = (row for batch in decided.to_batches(max_chunksize=20_000) for row in batch.to_pylist())
    count = 0
    for course in courses:
        for decision in replay(course, protocol):
            assert next(rows) == decision_row(decision), (course, decision.visit)
            count += 1
    assert count == len(decided)
    return set(decided.column("rule").to_pylist())


@pytest.mark.parametrize("id", BUILT_IN)
def test_whatever_a_record_holds_a_cohort_is_decided_as_its_patients_are(id: str) -> None:
    protocol = get_protocol(id)

    @settings(max_examples=settings().max_examples // 6)
    @given(st.lists(courses(protocol), min_size=1, max_size=4))
    def holds(drawn: list[Course]) -> None:
        assert_equal(drawn, table(drawn), protocol)

    holds()


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_cohort_in_which_every_row_applies_is_decided_as_its_patients_are(id: str) -> None:
    protocol = get_protocol(id)
    made_up = random_cohorts.cohort(max(MANY, 60_000), seed=5, protocol=protocol)
    # Of every row some patients, for some rows seldom apply; and as many others as time allows.
    of_row: dict[str, list[int]] = {}
    for patient, row in zip(
        made_up["patient"].to_pylist(), decide(made_up, protocol)["rule"].to_pylist(), strict=True
    ):
        met = of_row.setdefault(row, [])
        if len(met) < 5 and patient not in met:
            met.append(patient)
    others = made_up["patient"][:MANY].to_pylist()
    chosen = made_up.filter(
        pa.compute.is_in(made_up["patient"], pa.array(sorted({*others}.union(*of_row.values()))))
    )
    applied = assert_equal(random_cohorts.records(chosen), chosen, protocol)
    assert applied == {row.id for row in protocol.table.rules}


def test_protocols_with_other_numbers_decide_cohorts_by_them() -> None:
    mutants = [
        list(moved_thresholds(get_protocol(id)))[place::14] for place, id in enumerate(BUILT_IN)
    ]
    for mutant in (each for some in mutants for each in some):
        try:
            protocol = mutant.build()
        except LenadoseError:
            continue
        made_up = random_cohorts.cohort(250, seed=3, protocol=protocol)
        assert_equal(random_cohorts.records(made_up), made_up, protocol)


def in_months(group: Any) -> Any:
    """A group of numbers whose intervals are all of one or more calendar months."""

    def longer(interval: Interval) -> Interval:
        return Interval(max(1, round(interval.usual_days / 30)), Unit.MONTHS)

    changes = {
        each.name: evolve(value, value=longer(value.value))
        for each in fields(type(group))
        if isinstance(value := getattr(group, each.name), Sourced)
        and isinstance(value.value, Interval)
    }
    return evolve(group, **changes)


def test_a_protocol_in_calendar_months_with_five_levels_decides_cohorts() -> None:
    protocol = get_protocol()
    provenance = protocol.ladder.top.provenance
    levels = tuple(
        Level(rank, Dosage(Decimal(mg), often), provenance)
        for rank, (mg, often) in enumerate([("2.5", 2), ("5", 2), ("5", 1), ("10", 1), ("15", 1)])
    )
    safety = in_months(protocol.safety)
    protocol = evolve(
        protocol,
        ladder=DoseLadder(levels, levels[2]),
        intervals=in_months(protocol.intervals),
        safety=evolve(safety, clearance_ceiling=evolve(safety.clearance_ceiling, value=levels[2])),
    )
    made_up = random_cohorts.cohort(2000, seed=9, protocol=protocol)
    assert_equal(random_cohorts.records(made_up), made_up, protocol)
