"""A protocol laid out in arrays."""

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

from attrs import evolve, fields_dict
from tests.support.tables import table, three_patients

from lenadose import LenadoseError, get_protocol
from lenadose.cohort import decide
from lenadose.cohort.lookup import AdviceArrays
from lenadose.protocol.advice import Effects
from lenadose.terms.interval import Interval, Unit


def test_a_window_of_tests_of_more_than_a_year_is_refused() -> None:
    protocol = get_protocol()
    window = evolve(
        protocol.safety.first_test, value=(Interval(1, Unit.DAYS), Interval(13, Unit.MONTHS))
    )
    with pytest.raises(LenadoseError, match="more than a year old; decide its courses one by one"):
        decide(
            table(three_patients()),
            evolve(protocol, safety=evolve(protocol.safety, first_test=window)),
        )


def test_every_effect_of_a_decision_is_looked_up() -> None:
    assert set(fields_dict(Effects)) <= set(AdviceArrays._fields)
