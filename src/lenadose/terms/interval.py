"""Spans of time between visits: days, weeks and calendar months, added forward to a real date."""

from calendar import isleap
from datetime import date, timedelta

from attrs import field, frozen
from attrs.validators import and_, ge, le

from lenadose.terms.facts import Term
from lenadose.terms.validation import Check, is_whole

COUNT = (1, 1000)


class Unit(Term):
    """The unit of an interval; weeks and months do not convert."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def add_months(day: date, months: int) -> date:
    """Return the same day of the month some calendar months later, or its last day if shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    longest = 29 if month == 1 and isleap(year) else _LENGTHS[month]
    return date(year, month + 1, min(day.day, longest))


def months_between(earlier: date, later: date) -> str:
    """Return the calendar months and further days between two days: "5 months 12 days"."""
    # Imported here: reasons need it, decisions do not.
    from dateutil.relativedelta import relativedelta

    span = relativedelta(later, earlier)
    months = 12 * span.years + span.months
    return (
        f"{months} month{'' if months == 1 else 's'} {span.days} day{'' if span.days == 1 else 's'}"
    )


_LENGTH = "interval length must be {} to {}, got {{}}".format(*COUNT)
is_length = Check(
    (and_(is_whole, ge(COUNT[0]), le(COUNT[1])), _LENGTH, "give a whole number"),
    type="integer",
    minimum=COUNT[0],
    maximum=COUNT[1],
)
"""Check that a value is the length of an interval."""


@frozen
class Interval:
    """A number of days, weeks or calendar months, 1 to 1000.

    `days` is its number of days, None for months, whose length depends on where they begin.
    """

    count: int = field(validator=is_length)
    unit: Unit
    days: int | None = field(init=False, eq=False, repr=False)
    _span: timedelta = field(init=False, eq=False, repr=False)

    @days.default
    def _count_days(self) -> int | None:
        return (
            None if self.unit is Unit.MONTHS else self.count * (7 if self.unit is Unit.WEEKS else 1)
        )

    @_span.default
    def _measure(self) -> timedelta:
        """Return the length; for months, the shortest possible."""
        return timedelta(days=28 * self.count if self.days is None else self.days)

    @property
    def usual_days(self) -> float:
        """Its usual length in days, to compare intervals by: a month is a twelfth of a year."""
        return self.count * 30.4375 if self.days is None else self.days

    def after(self, day: date) -> date:
        """Return the date this long after `day`; one addition, never month upon month."""
        return add_months(day, self.count) if self.days is None else day + self._span

    def is_over(self, since: date, day: date) -> bool:
        """Return whether more than this has passed from `since` to `day`."""
        # Usually not even the shortest months have passed, and the calendar need not be asked.
        return day - since > self._span and (
            self.days is not None or day > add_months(since, self.count)
        )

    def __str__(self) -> str:
        return f"{self.count} {self.unit.label if self.count > 1 else self.unit.label[:-1]}"


def days(count: int) -> Interval:
    """Return an interval of days."""
    return Interval(count, Unit.DAYS)


def weeks(count: int) -> Interval:
    """Return an interval of weeks."""
    return Interval(count, Unit.WEEKS)


def months(count: int) -> Interval:
    """Return an interval of calendar months."""
    return Interval(count, Unit.MONTHS)


def at_most_days(interval: Interval) -> int:
    """Return the greatest number of days that an interval can be."""
    return interval.days or 31 * interval.count
