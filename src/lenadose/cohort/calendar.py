"""Intervals over arrays of days, counted as `date.toordinal` does; 0 is no day."""

from datetime import date
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lenadose.record.fields import YEARS
from lenadose.terms.interval import COUNT, Interval

Ints: TypeAlias = npt.NDArray[np.integer]
Flags: TypeAlias = npt.NDArray[np.bool_]

FIRST_DAY, LAST_DAY = date(YEARS[0], 1, 1).toordinal(), date(YEARS[1], 12, 31).toordinal()
EPOCH = date(1970, 1, 1).toordinal()


def add_months(days: Ints, months: int) -> Ints:
    """Return the same days of the month *months* later, or the last day of a shorter month."""
    dates = (days - EPOCH).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    moved = month + np.timedelta64(months, "M")
    begins = moved.astype("datetime64[D]")
    next_begins = (moved + np.timedelta64(1, "M")).astype("datetime64[D]")
    last = next_begins - begins - np.timedelta64(1, "D")
    later = begins + np.minimum(dates - month.astype("datetime64[D]"), last)
    return np.asarray(later.astype(np.int64) + EPOCH, np.int32)


def after(interval: Interval, days: Ints) -> Ints:
    """Return the days that lie an interval after *days*."""
    if interval.days is not None:
        return days + np.int32(interval.days)
    return _later(days, interval.count)


def first_within(interval: Interval, days: Ints) -> Ints:
    """Return, for each of *days*, the first day that lies at most an interval before it."""
    if interval.days is not None:
        return days - np.int32(interval.days)
    earlier = _later(days, -interval.count)
    # From the last day of a short month the interval can end too early: the next day is the first.
    too_early = _later(earlier, interval.count) < days
    return np.where(too_early, earlier + 1, earlier)


def _later(days: Ints, months: int) -> Ints:
    first, last = _CALENDAR
    return _calendar(months).take(np.clip(days, first, last) - first)


_CALENDAR = FIRST_DAY - 31 * COUNT[1], LAST_DAY + 31 * COUNT[1]
"""The days of records, and those that the longest interval leads to."""


@lru_cache(maxsize=64)
def _calendar(months: int) -> Ints:
    # Looked up, because it takes ten times as long to work out.
    return add_months(np.arange(_CALENDAR[0], _CALENDAR[1] + 1), months)
