"""The panel of the dosage: taken and advised, as steps, and the ceiling."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from lenadose.explanation.headlines import OPEN
from lenadose.plot.layout import Axis
from lenadose.plot.segments import Segment
from lenadose.plot.style import (
    BLACK,
    BLUE,
    GREY,
    HALO,
    VERMILLION,
    LegendEntry,
    inches,
    legend_entry,
)
from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import Dosage
from lenadose.terms.facts import Phase

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_dosage(
    panel: "Axes", axis: Axis, protocol: Protocol, segments: Sequence[Segment], marked: bool = True
) -> dict[str, LegendEntry]:
    """Draw the dosages as steps; `marked` adds level names, missed doses and the ceiling."""
    used: dict[str, LegendEntry] = {}

    def line(
        name: str, style: str, width: float, colour: str, x: Sequence[float], y: Sequence[float]
    ) -> None:
        panel.plot(
            x, y, style, linewidth=width, color=colour, solid_capstyle="butt", dash_capstyle="butt"
        )
        used[name] = legend_entry(name, style, linewidth=width, color=colour)

    levels = protocol.ladder.levels
    panel.set_yticks(range(len(levels) + 1), ["no drug", *map(str, levels)] if marked else [])
    panel.set_ylim(-0.35, len(levels) + 0.6)
    panel.grid(axis="y", color="#D0D0D0", linewidth=0.5)
    _mark_questions(panel, axis, segments)
    before: float | None = None
    for index, segment in enumerate(segments):
        x = (axis.at(segment.begin), axis.at(segment.end))
        y = _height(protocol, segment.taken)
        advised = _height(protocol, segment.level.dosage if segment.level else None)
        if segment.is_reported and advised != y and not segment.is_open:
            line("advised, not taken", ":", 1.5, VERMILLION, x, (advised, advised))
        if segment.is_open:
            line(OPEN, ":", 2.5, GREY, x, (0, 0))
        is_shown = segment.is_reported or not segment.is_open
        if segment.is_unchanged and not segment.is_reported:
            line("unchanged until answered", ":", 2.5, BLACK, x, (y, y))
        elif is_shown and index == len(segments) - 1:
            line("advised until the next visit", "--", 2.5, BLACK, x, (y, y))
        elif is_shown and (segment.is_reported or segment.taken is None):
            line("taken, as reported; or no drug to take", "-", 3, BLUE, x, (y, y))
        elif is_shown:
            line("advised; what was taken was not reported", "-.", 2.5, BLUE, x, (y, y))
        if is_shown and before is not None and before != y:
            panel.plot((x[0], x[0]), (before, y), color=BLUE, linewidth=1)
        before = y if is_shown else None
        if segment.taken is not None and protocol.ladder.level_of(segment.taken) is None:
            panel.text(
                sum(x) / 2,
                y + 0.12,
                str(segment.taken),
                size=6.5,
                ha="center",
                va="bottom",
                path_effects=HALO,
            )
        if segment.missed and marked:
            panel.text(
                sum(x) / 2,
                y - 0.14,
                f"{segment.missed} missed",
                size=6.5,
                ha="center",
                va="top",
                path_effects=HALO,
            )
        is_lowered = segment.ceiling != protocol.ladder.top
        if is_lowered and segment.phase is not Phase.DISCONTINUED and marked:
            top = _height(protocol, segment.ceiling.dosage if segment.ceiling else None) + 0.3
            line("ceiling: nothing above is allowed", "-", 1.2, VERMILLION, x, (top, top))
    return used


def _mark_questions(panel: "Axes", axis: Axis, segments: Sequence[Segment]) -> None:
    """Write a question mark over each run of open segments, where there is room."""
    width = inches("?", 9) * axis.per_inch
    written = -width
    for is_open, run in groupby(segments, lambda segment: segment.is_open):
        days = [axis.at(day) for segment in run for day in (segment.begin, segment.end)]
        place = (days[0] + days[-1]) / 2
        if is_open and place - written >= width:
            panel.text(place, 0.12, "?", size=9, weight="bold", ha="center", path_effects=HALO)
            written = place


def _height(protocol: Protocol, dosage: Dosage | None) -> float:
    """Return the height of a dosage: 0 for none, 1 and up for the levels, or between two levels."""
    if dosage is None:
        return 0.0
    level = protocol.ladder.level_of(dosage)
    if level is not None:
        return level.rank + 1.0
    rungs = [Decimal(0), *(level.dosage.daily_mg for level in protocol.ladder.levels)]
    for rank, (low, high) in enumerate(pairwise(rungs)):
        if dosage.daily_mg < high:
            return rank + float((dosage.daily_mg - low) / (high - low))
    return len(rungs) - 0.5
