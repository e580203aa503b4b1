"""A cohort is decided as its patients are, one by one: every column is what `step` says, or a row is refused."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenadose import Course, Protocol, get_protocol, replay
from lenadose.mutants import moved_thresholds
from lenadose.protocols import BUILT_IN
from lenadose.testing import courses
from tables import course_rows, told

pa = pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")
pytest.importorskip("numpy", reason="needs lenadose[cohort]")
pytest.importorskip("narwhals", reason="needs lenadose[cohort]")

from lenadose.adapters.cohort import decide  # noqa: E402  # only where the extra is installed


def table(courses: Iterable[Course]) -> "pa.Table":
    return pa.Table.from_pylist(course_rows(courses))


def decided(courses: list[Course], protocol: Protocol) -> None:
    """Hold a cohort against its courses, in every column."""
    answers = decide(table(courses), protocol).drop_columns(["patient", "date"]).to_pylist()
    expected = [told(decision) for course in courses for decision in replay(course, protocol)]
    assert answers == expected


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_cohort_is_decided_as_its_patients_are(id: str) -> None:
    protocol = get_protocol(id)

    @settings(max_examples=60)
    @given(st.lists(courses(protocol), min_size=1, max_size=5))
    def holds(drawn: list[Course]) -> None:
        decided(drawn, protocol)

    holds()
