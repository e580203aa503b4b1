"""The panels of a course, on one calendar: the places of days, the labels and the limits."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from attrs import frozen
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lenadose.engine.machine import Decision
from lenadose.plot.segments import Segment
from lenadose.plot.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILLION,
    LegendEntry,
    inches,
    question_mark,
    spread_out,
)
from lenadose.terms.facts import Action, Phase
from lenadose.terms.interval import add_months

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL = 0.15  # inches from one label to the next

MARKS: dict[Action, tuple[str, str, bool]] = {
    Action.START: (">", GREEN, True),
    Action.CONTINUE: ("o", GREY, True),
    Action.ESCALATE: ("^", BLUE, True),
    Action.REDUCE: ("v", BLUE, True),
    Action.FINISH: ("D", GREEN, True),
    Action.OBSERVE: ("o", GREY, False),
    Action.INTERRUPT: ("s", ORANGE, True),
    Action.RESUME: (">", BLACK, False),
    Action.DISCONTINUE: ("X", VERMILLION, True),
    Action.REQUEST_DATA: ("", BLACK, True),
    Action.PRESCRIBER_DECIDES: ("P", BLACK, False),
}
"""The mark of an action: shape (a question mark if empty), colour, and whether it is filled."""

HATCHES = {Phase.INTERRUPTED: "////", Phase.OFF_TREATMENT: "..", Phase.DISCONTINUED: "xxxx"}
"""The phases without drug, and their hatching."""


@frozen
class Axis:
    """Calendar time on paper: the first day, the days shown, and how many inches they take."""

    first: date
    days: int
    width: float

    def at(self, day: date) -> int:
        """Return the place of a day."""
        return (day - self.first).days

    @property
    def per_inch(self) -> float:
        """The days in an inch."""
        return self.days / self.width


def lay_panels(
    figure: Figure, axis: Axis, heights: Sequence[float], total: float, left: float, top: float
) -> list["Axes"]:
    """Lay panels under one another, from a place on the page in inches downwards."""
    panels: list[Axes] = []
    wide = figure.get_figwidth()
    for height in heights:
        panel = figure.add_axes(
            (left / wide, (top - height) / total, axis.width / wide, height / total)
        )
        panel.set_xlim(-0.1 * axis.per_inch, axis.days + 0.1 * axis.per_inch)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelbottom=False, labelsize=7.5)
        panels.append(panel)
        top -= height + 0.14
    return panels


def draw_labels(
    panel: "Axes", axis: Axis, decisions: Sequence[Decision], labels: Sequence[str], height: float
) -> None:
    """Mark every decision, and write it above its mark."""
    panel.set_ylim(0, height)
    panel.set_axis_off()
    days = [axis.at(decision.visit.date) for decision in decisions]
    gap = LABEL * axis.per_inch
    places = spread_out(days, gap)
    # All labels stay above the plot, however many visits lie near its ends.
    shift = max(-places[0], 0) or min(axis.days - places[-1], 0)
    for decision, day, wanted, label in zip(decisions, days, places, labels, strict=True):
        place = wanted + shift
        shape, colour, is_filled = MARKS[decision.action]
        panel.plot([day, day, place], [0.0, 0.17, 0.3], color=GREY, linewidth=0.6, clip_on=False)
        panel.plot(
            [day],
            [0.09],
            marker=shape or question_mark(),
            linestyle="",
            color=colour,
            clip_on=False,
            markerfacecolor=colour if is_filled else "white",
            markersize=6 if shape else 11,
            markeredgewidth=1 if shape else 0,
        )
        weight = "normal" if decision.action in (Action.CONTINUE, Action.OBSERVE) else "bold"
        panel.text(
            place, 0.34, label, rotation=90, size=7.5, ha="center", va="bottom", weight=weight
        )


def draw_time(
    panel: "Axes", axis: Axis, decisions: Sequence[Decision], segments: Sequence[Segment]
) -> dict[str, LegendEntry]:
    """Draw a line at every visit, and hatch the time without drug."""
    used: dict[str, LegendEntry] = {}
    for decision in decisions if panel.axison else ():
        panel.axvline(axis.at(decision.visit.date), color="#D0D0D0", linewidth=0.5, zorder=0)
    for segment in segments if panel.axison else ():
        hatch = HATCHES.get(segment.phase)
        if hatch is not None:
            panel.axvspan(
                axis.at(segment.begin),
                axis.at(segment.end),
                facecolor="#F0F0F0",
                edgecolor="#9A9A9A",
                hatch=hatch,
                linewidth=0,
                zorder=-1,
            )
            used[segment.phase.label] = Patch(
                facecolor="#F0F0F0",
                edgecolor="#9A9A9A",
                hatch=hatch,
                label=f"{segment.phase.label}: no drug",
            )
    return used


def name_phases(panel: "Axes", axis: Axis, segments: Sequence[Segment]) -> None:
    """Write the names of the phases without drug into their time, where there is room."""
    for phase, group in groupby(segments, lambda segment: segment.phase):
        run = list(group)
        begin, end = axis.at(run[0].begin), axis.at(run[-1].end)
        if phase in HATCHES and (end - begin) / axis.per_inch > inches(phase.label, 7) + 0.05:
            panel.text(
                (begin + end) / 2,
                panel.get_ylim()[1],
                phase.label,
                size=7,
                weight="bold",
                ha="center",
                va="top",
                bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            )


def write_limits(panel: "Axes", limits: Iterable[tuple[float, str]]) -> None:
    """Write limits beside a panel, without overlap."""
    low, high = panel.get_ylim()
    gap = 0.115 * (high - low) / _inches_high(panel)
    ordered = sorted(limits)
    for (value, words), place in zip(
        ordered, spread_out([value for value, _ in ordered], gap), strict=True
    ):
        panel.annotate(
            words,
            (1.0, value),
            (1.02, place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            size=6.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "linewidth": 0.4,
                "color": GREY,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )


def _inches_high(panel: "Axes") -> float:
    figure = panel.get_figure(root=True)
    assert figure is not None
    return float(panel.get_position().height * figure.get_size_inches()[1])


def date_ticks(panels: Sequence["Axes"], axis: Axis) -> None:
    """Date the axis below the last panel: single days if they are few, else months."""
    last = panels[-1]
    most = max(3, int(axis.width / 0.8))
    steps = [7, 14, 28]
    days = next((step for step in steps if axis.days / step <= most), None)
    if days is not None:
        dates = [axis.first + timedelta(days=day) for day in range(0, axis.days + 1, days)]
        words = [day.isoformat() for day in dates]
        last.set_xlabel("date (year-month-day)", size=7.5)
    else:
        month = axis.first.replace(day=1)
        step = next(
            (months for months in (1, 2, 3, 6) if axis.days / (30 * months) <= most),
            12 * -(-axis.days // (365 * most)),
        )
        months = [add_months(month, count) for count in range(0, axis.days // 28 + 2, step)]
        dates = [day for day in months if 0 <= axis.at(day) <= axis.days]
        words = [f"{day:%Y-%m}" for day in dates]
        last.set_xlabel("date (year-month; a mark is the first day of a month)", size=7.5)
    for panel in panels:
        panel.set_xticks([axis.at(day) for day in dates], words)
    last.tick_params(labelbottom=True)
