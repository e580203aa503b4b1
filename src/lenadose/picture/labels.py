"""The labels of the decisions: each above its visit, on lanes, so that none crosses another."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve, frozen

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
) -> tuple[list[PlacedLabel], list[Label]]:
    """Return the labels on at most so many lanes, and those that have found no room.

    Where room is short the causes are cut, then labels are left out: first questions, then changes
    of the dosage, and dangers and the newest decision last.
    """
    full, short = (list(labels_of(decisions, brief=brief)) for brief in (False, True))
    left = list(range(len(full)))
    while left:
        for labels, width in ((full, 200.0), (short, 200.0), *((short, w) for w in _CUTS)):
            placed = _place(calendar, [labels[index] for index in left], most, width)
            if placed is not None:
                return placed, [each for index, each in enumerate(full) if index not in left]
        # What counts least goes; of two of one weight the one with less room around it.
        left.remove(min(left, key=lambda index: _worth(calendar, short, left, index)))
    return [], full


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

    A label stands above every other whose line would cross it.
    """
    boxed: list[PlacedLabel] = []
    for label in reversed(labels):
        x = calendar.at(label.first.visit.date)
        lines = (
            cut(f"{short_date(label.first.visit.date)}: {label.headline}", 400, 8, bold=True),
            cut(label.why, width, 8) if label.why else "",
        )
        wide = max(text_width(lines[0], 8, bold=True), text_width(lines[1], 8))
        lefts = (x - 1, calendar.right - wide, x - wide + 1)
        boxes = (
            PlacedLabel(label, x, left, left + wide, 0, lines)
            for left in lefts
            if calendar.edge <= left <= min(x, calendar.right - wide + 0.1)
        )
        free = (box for box in boxes if not any(_above(box, b) and _above(b, box) for b in boxed))
        box = next(free, None)
        if box is None:
            return None
        boxed.append(box)
    return _on_lanes(boxed, most)


def _above(one: PlacedLabel, other: PlacedLabel) -> bool:
    """Return whether the line of *other* would cross *one*, unless that stands above it."""
    return one.left - 2 < other.x < one.right + 2


def _on_lanes(boxed: Sequence[PlacedLabel], most: int) -> list[PlacedLabel] | None:
    """Return labels on the lowest lanes that keep their order, or None."""
    placed: list[PlacedLabel] = []
    waiting = list(boxed)
    while waiting:
        # What stands above another comes after it; of several the rightmost is the lowest.
        ready = (
            box
            for box in waiting
            if not any(_above(box, other) for other in waiting if other is not box)
        )
        box = next(ready, None)
        if box is None:
            return None
        waiting.remove(box)
        lowest = max((other.lane + 1 for other in placed if _above(box, other)), default=0)
        forbidden = {
            other.lane
            for other in placed
            if other.left < box.right + _GAP and box.left < other.right + _GAP
        }
        lane = next((lane for lane in range(lowest, most) if lane not in forbidden), None)
        if lane is None:
            return None
        placed.append(evolve(box, lane=lane))
    return sorted(placed, key=lambda box: box.x)


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
