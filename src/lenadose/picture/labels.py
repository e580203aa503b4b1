"""The labels of the decisions: each above its visit, on lanes, so that none crosses another."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.picture.layout import GREY, INK, Item, Line, Text
from lenadose.picture.placing import Calendar, short_date
from lenadose.picture.text_width import cut, text_width
from lenadose.picture.words import Label, labels_of

LANE = 22.0
"""The height of a lane: two lines of 8 points, and the space to the next."""

_GAP = 5.0


@frozen
class PlacedLabel:
    """A label on the page: its visit, the left end of its box, its lane, and its two lines."""

    label: Label
    x: float
    left: float
    right: float
    lane: int
    lines: tuple[str, str]


def place_labels(
    calendar: Calendar, decisions: Sequence[Decision], most: int
) -> tuple[list[PlacedLabel], int]:
    """Return the labels on at most so many lanes, and how many have found no room.

    Where room is short the causes are cut, then labels are left out: first questions, then changes
    of the dosage, and dangers and the newest decision last.
    """
    full, short = (list(labels_of(decisions, brief=brief)) for brief in (False, True))
    left = list(range(len(full)))
    while left:
        for labels, width in ((full, 200.0), (short, 200.0), *((short, w) for w in _CUTS)):
            placed = _place(calendar, [labels[index] for index in left], most, width)
            if placed is not None:
                return placed, len(full) - len(left)
        # What counts least goes; of two of one weight the one with less room around it.
        left.remove(min(left, key=lambda index: _worth(calendar, short, left, index)))
    return [], len(full)


_CUTS = (170.0, 145.0, 120.0, 100.0, 85.0)  # points to which a cause is cut where room is short


def _worth(
    calendar: Calendar, labels: Sequence[Label], left: Sequence[int], index: int
) -> tuple[bool, int, float]:
    at = [calendar.at(label.first.visit.date) for label in labels]
    room = min((abs(at[other] - at[index]) for other in left if other != index), default=0.0)
    return index == len(labels) - 1, labels[index].weight, room


def _place(
    calendar: Calendar, labels: Sequence[Label], most: int, width: float
) -> list[PlacedLabel] | None:
    """Return the labels on lanes, from the right to the left; None if there are too few lanes.

    A label stands above every later one whose line would cross it.
    """
    placed: list[PlacedLabel] = []
    for label in reversed(labels):
        x = calendar.at(label.first.visit.date)
        lines = (
            cut(f"{short_date(label.first.visit.date)}: {label.headline}", 400, 8, bold=True),
            cut(label.why, width, 8) if label.why else "",
        )
        wide = max(text_width(lines[0], 8, bold=True), text_width(lines[1], 8))
        left = max(0.0, min(x - 1, calendar.right - wide))
        right = left + wide
        lowest = 0
        forbidden: set[int] = set()
        highest = most
        for other in placed:
            if other.left < right + _GAP and left < other.right + _GAP:
                forbidden.add(other.lane)
            if left - 2 < other.x < right + 2:
                lowest = max(lowest, other.lane + 1)
            if other.left - 2 < x < other.right + 2:
                highest = min(highest, other.lane)
        lane = next((lane for lane in range(lowest, highest) if lane not in forbidden), None)
        if lane is None:
            return None
        placed.append(PlacedLabel(label, x, left, right, lane, lines))
    return placed[::-1]


def draw_labels(placed: Iterable[PlacedLabel], bottom: float, base: float) -> Iterator[Item]:
    """Yield the labels above *bottom*, each with its line down to the baseline of the steps."""
    for each in placed:
        below = bottom - each.lane * LANE
        lines = [line for line in each.lines if line]
        yield Line("leader", ((each.x, below - 0.5), (each.x, base)), GREY, 0.7)
        first = below - 3.5 - 9.2 * (len(lines) - 1)
        for index, line in enumerate(lines):
            y = first + 9.2 * index
            yield Text("label", each.left, y, line, bold=index == 0, colour=GREY if index else INK)
