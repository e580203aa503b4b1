"""Intervals over arrays are those of single dates."""

import datetime as dt

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import numpy as np

from lenadose.cohort import calendar
from lenadose.terms.interval import Interval, Unit, add_months


def test_months_are_added_as_the_calendar_does() -> None:
    days = np.arange(calendar.FIRST_DAY, calendar.LAST_DAY + 1, dtype=np.int32)
    for months in (1, 6, 11, 1000):
        added = calendar.add_months(days, months)
        for index in range(0, len(days), 1 if months == 1 else 37):
            assert dt.date.fromordinal(int(added[index])) == add_months(
                dt.date.fromordinal(int(days[index])), months
            )


@pytest.mark.parametrize("interval", [Interval(28, Unit.DAYS), Interval(1, Unit.MONTHS)])
def test_the_first_day_within_an_interval_is_the_first_from_which_it_is_not_over(interval) -> None:
    days = dt.date(2023, 11, 1).toordinal() + np.arange(800, dtype=np.int32)
    for first, day in zip(
        calendar.first_within(interval, days).tolist(), days.tolist(), strict=True
    ):
        on = dt.date.fromordinal(day)
        assert interval.after(dt.date.fromordinal(first)) >= on
        assert interval.after(dt.date.fromordinal(first - 1)) < on
