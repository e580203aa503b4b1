"""The labels of the decisions: each above its visit, on lanes, so that none crosses another."""

from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType

from attrs import evolve, frozen

from lenadose.engine.machine import Decision
from lenadose.picture.layout import GREY, Item, Line, Text
from lenadose.picture.placing import Calendar, short_date
from lenadose.picture.text_width import cut, text_width
from lenadose.picture.words import Label, labels_of

_LANES = MappingProxyType({2: 22.0, 1: 11.5})
"""The height of a lane for labels of two lines, and of one: 8 points, and the space between."""

_GAP = 5.0
_MOST = 40  # labels; more never fit


@frozen
class PlacedLabel:
    """A label on the page: its visit, the ends of its box, its lane, and its words.

    The cause stands below the headline in a label of two lines, and else beside it.
    """

    label: Label
    x: float
    left: float
    right: float
    lane: int
    headline: str
    cause: str
    lines: int

    @property
    def height(self) -> float:
        """The height of the lanes up to the top of this one."""
        return (self.lane + 1) * _LANES[self.lines]


def place_labels(
    calendar: Calendar, decisions: Sequence[Decision], room: float
) -> tuple[list[PlacedLabel], list[Label]]:
    """Return the labels on lanes in so much room, and those that have found none.

    Where room is short, causes are cut, then set beside the headline; then labels are left out:
    questions first, then changes of the dosage, and dangers, stops and the newest decision last.
    """
    full, short = (list(labels_of(decisions, brief=brief)) for brief in (False, True))
    # Of too many the newest stay, and of those before it what counts most.
    last = len(full) - 1
    ranked = sorted(range(len(full)), key=lambda index: (index == last, full[index].weight, index))
    left = sorted(ranked[-_MOST:])
    while left:
        hidden = [each for index, each in enumerate(full) if index not in left]
        for labels, lines, width in (
            *((full, 2, 200.0), *((short, 2, width) for width in (200.0, 170, 145, 120, 100))),
            *((short, 1, width) for width in (150.0, 0)),
        ):
            most = max(1, int(room // _LANES[lines]))
            shown = [labels[index] for index in left]
            widths = [width] * len(left)
            placed = _place(calendar, shown, lines, most, widths)
            if placed is not None:
                return _with_causes(calendar, shown, lines, most, widths) or placed, hidden
        # What counts least goes; of two of one weight the one with less room around it.
        left.remove(min(left, key=lambda index: _worth(calendar, short, left, index)))
    return [], full


def _with_causes(
    calendar: Calendar, labels: Sequence[Label], lines: int, most: int, widths: Sequence[float]
) -> list[PlacedLabel] | None:
    """Return the labels with as much of the causes as there is room for, dangers first."""
    found, best = None, list(widths)
    for index in sorted(range(len(labels)), key=lambda index: -labels[index].weight):
        for width in (width for width in (200.0, 150, 110, 80) if width > best[index]):
            tried = [*best[:index], width, *best[index + 1 :]]
            placed = _place(calendar, labels, lines, most, tried)
            if placed is not None:
                found, best = placed, tried
                break
    return found


def _worth(
    calendar: Calendar, labels: Sequence[Label], left: Sequence[int], index: int
) -> tuple[bool, int, float]:
    at = [calendar.at(label.first.visit.date) for label in labels]
    room = min((abs(at[other] - at[index]) for other in left if other != index), default=0.0)
    return index == len(labels) - 1, labels[index].weight, room


def _place(
    calendar: Calendar, labels: Sequence[Label], lines: int, most: int, widths: Sequence[float]
) -> list[PlacedLabel] | None:
    """Return the labels on lanes, from the right to the left; None if there are too few lanes.

    A label stands above every other whose line would cross it. *widths* are those of the causes.
    """
    boxed: list[PlacedLabel] = []
    for label, width in reversed(list(zip(labels, widths, strict=True))):
        x = calendar.at(label.first.visit.date)
        headline = f"{short_date(label.first.visit.date)}: {label.headline}"
        cause = cut(label.why, width, 8) if label.why and width else ""
        first, second = text_width(headline, 8, bold=True), text_width(cause, 8)
        wide = max(first, second) if lines > 1 else first + second + (_GAP if cause else 0)
        lefts = (x - 1, calendar.right - wide, x - wide + 1)
        boxes = (
            PlacedLabel(label, x, left, left + wide, 0, headline, cause, lines)
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
        below = bottom - each.height + _LANES[each.lines]
        yield Line("leader", ((each.x, below - 0.5), (each.x, base)), GREY, 0.7)
        y = below - 3.5
        if each.lines > 1 and each.cause:
            yield Text("label", each.left, y - 9.2, each.headline, bold=True)
            yield Text("label", each.left, y, each.cause, colour=GREY)
            continue
        yield Text("label", each.left, y, each.headline, bold=True)
        if each.cause:
            beside = each.left + text_width(each.headline, 8, bold=True) + _GAP
            yield Text("label", beside, y, each.cause, colour=GREY)
