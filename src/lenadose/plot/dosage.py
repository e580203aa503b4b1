"""The panel of the dosage: what was taken and what was advised, as steps, and the ceiling."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from lenadose.plot.layout import Axis
from lenadose.plot.segments import Segment
from lenadose.plot.style import BLACK, BLUE, GREY, HALO, VERMILLION, Key, key
from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import Dosage
from lenadose.terms.facts import Phase

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_dosage(
    panel: "Axes", axis: Axis, protocol: Protocol, spans: Sequence[Segment], marked: bool = True
) -> dict[str, Key]:
    """Draw the dosages as steps; unless `marked`, without the names of the levels, missed doses and ceiling."""
    used: dict[str, Key] = {}

    def line(
        name: str, style: str, width: float, colour: str, x: Sequence[float], y: Sequence[float]
    ) -> None:
        panel.plot(
            x, y, style, linewidth=width, color=colour, solid_capstyle="butt", dash_capstyle="butt"
        )
        used[name] = key(name, style, linewidth=width, color=colour)

    levels = protocol.ladder.levels
    panel.set_yticks(range(len(levels) + 1), ["no drug", *map(str, levels)] if marked else [])
    panel.set_ylim(-0.35, len(levels) + 0.6)
    panel.grid(axis="y", color="#D0D0D0", linewidth=0.5)
    before: float | None = None
    for index, span in enumerate(spans):
        x = (axis.at(span.begin), axis.at(span.end))
        y = _height(protocol, span.taken)
        advised = _height(protocol, span.level.dosage if span.level else None)
        if span.is_reported and advised != y and not span.is_open:
            line("advised, not taken", ":", 1.5, VERMILLION, x, (advised, advised))
        if span.is_open:
            line("no dosage recommended until answered", ":", 2.5, GREY, x, (0, 0))
            panel.text(sum(x) / 2, 0.12, "?", size=9, weight="bold", ha="center", path_effects=HALO)
        if span.is_open and not span.is_reported:
            y = 0.0
        elif index == len(spans) - 1:
            line("advised until the next visit", "--", 2.5, BLACK, x, (y, y))
        elif span.is_reported or span.taken is None:
            line("taken, as reported; or no drug advised", "-", 3, BLUE, x, (y, y))
        else:
            line("advised; what was taken was not reported", "-.", 2.5, BLUE, x, (y, y))
        if before is not None and before != y:
            panel.plot((x[0], x[0]), (before, y), color=BLUE, linewidth=1)
        before = y
        if span.taken is not None and protocol.ladder.level_of(span.taken) is None:
            panel.text(
                sum(x) / 2,
                y + 0.12,
                str(span.taken),
                size=6.5,
                ha="center",
                va="bottom",
                path_effects=HALO,
            )
        if span.missed and marked:
            panel.text(
                sum(x) / 2,
                y - 0.14,
                f"{span.missed} missed",
                size=6.5,
                ha="center",
                va="top",
                path_effects=HALO,
            )
        if span.ceiling != protocol.ladder.top and span.phase is not Phase.DISCONTINUED and marked:
            top = _height(protocol, span.ceiling.dosage if span.ceiling else None) + 0.3
            line("ceiling: nothing above is allowed", "-", 1.2, VERMILLION, x, (top, top))
    return used


def _height(protocol: Protocol, dosage: Dosage | None) -> float:
    """Give the height of a dosage: 0 for none, 1 and up for the levels, between them for one that is no level."""
    if dosage is None:
        return 0.0
    level = protocol.ladder.level_of(dosage)
    if level is not None:
        return level.rank + 1.0
    rungs = [Decimal(0), *(each.dosage.daily_mg for each in protocol.ladder.levels)]
    for rank, (low, high) in enumerate(pairwise(rungs)):
        if dosage.daily_mg < high:
            return rank + float((dosage.daily_mg - low) / (high - low))
    return len(rungs) - 0.5
