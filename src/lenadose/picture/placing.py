"""Where things go: days on a calendar, and labels beside one another without overlap."""

from collections.abc import Sequence
from datetime import date

from attrs import frozen

from lenadose.terms.interval import add_months

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def short_date(day: date) -> str:
    """Return a day without its year: "06 Jan", whatever the language of the machine."""
    return f"{day.day:02} {MONTHS[day.month - 1]}"


def long_date(day: date) -> str:
    """Return a day with its year: "06 Jan 2026"."""
    return f"{short_date(day)} {day.year}"


@frozen
class Calendar:
    """Calendar time across a page: the first day at `left`, and `days` days on to `right`.

    The panels begin at `edge`, a little before the first day.
    """

    first: date
    days: int
    edge: float
    right: float

    @property
    def left(self) -> float:
        """The place of the first day."""
        return self.edge + 12

    def at(self, day: date) -> float:
        """Return the place of a day, in points."""
        return self.left + (day - self.first).days / self.days * (self.right - self.left)

    def months(self, gap: float) -> Sequence[date]:
        """Return first days of months at least *gap* points apart; the step divides a year."""
        month = self.first.replace(day=1)
        per_month = (self.right - self.left) / self.days * 28
        years = range(12, 12 * 200, 12)
        step = next(step for step in (1, 2, 3, 6, *years) if step * per_month >= gap)
        # A step of several months falls on January.
        begin = month.replace(month=1) if step > 1 else month
        if step > 12:
            begin = begin.replace(year=begin.year - begin.year % (step // 12) or 1)
        many = ((self.first - begin).days + self.days) // (28 * step) + 2
        days = (add_months(begin, step * index) for index in range(many))
        return [day for day in days if 0 <= (day - self.first).days <= self.days]


def spread(
    wanted: Sequence[float], widths: Sequence[float], low: float, high: float
) -> list[float]:
    """Return middles for boxes in order, as near as possible to those wanted, side by side.

    All lie between *low* and *high* if the widths together leave room.
    """
    offsets: list[float] = []
    total = 0.0
    for width in widths:
        offsets.append(total + width / 2)
        total += width
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        mean, size = place - offset, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    flat = [max(low, min(mean, high - total)) for mean, size in pools for _ in range(size)]
    return [place + offset for place, offset in zip(flat, offsets, strict=True)]
