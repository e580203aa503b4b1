"""The panel of the skin: every score of CLASI activity, and the limits of the responses."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from lenadose.engine.machine import Decision
from lenadose.explanation.fact_phrases import is_relapse
from lenadose.plot.layout import Axis, write_limits
from lenadose.plot.segments import Segment
from lenadose.plot.style import (
    BLACK,
    BLUE,
    GREEN,
    HALO,
    VERMILLION,
    LegendEntry,
    inches,
    legend_entry,
    missing_marker,
)
from lenadose.terms.facts import Phase, Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LIMITS = (
    ("start", "--", BLACK, "B: {}", "B, the score at the start or a relapse in taper"),
    ("worse_from", "-.", VERMILLION, "worse: {} or more", "worse, from this score on"),
    ("partial_to", ":", GREEN, "partial: {} or less", "partial response, up to this score"),
)
"""The limits: the field of a segment, line, colour, and the words at the line and in the legend."""


def draw_skin(
    panel: "Axes",
    axis: Axis,
    decisions: Sequence[Decision],
    segments: Sequence[Segment],
    marked: bool = True,
) -> dict[str, LegendEntry]:
    """Draw the scores with the limits of the response; `marked` adds the words beside the panel."""
    scores = [decision.visit.clasi_activity for decision in decisions]
    heights = [*scores, *(segment.worse_from for segment in segments)]
    top = max([10, *(height for height in heights if height is not None)]) * 1.3
    panel.set_ylim(-0.04 * top, top)
    used, limits = _draw_limits(panel, axis, segments)
    complete_at = decisions[-1].protocol.response.complete_at.value
    panel.axhline(complete_at, color=BLACK, linewidth=1.2)
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    if marked:
        write_limits(panel, [*limits, (complete_at, f"complete: {complete_at}")])
        panel.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
    return used | _draw_scores(panel, axis, decisions, top)


def _draw_limits(
    panel: "Axes", axis: Axis, segments: Sequence[Segment]
) -> tuple[dict[str, LegendEntry], list[tuple[float, str]]]:
    """Draw the limits while they hold; also return those that hold at the end, with their words."""
    used: dict[str, LegendEntry] = {}
    last: list[tuple[float, str]] = []
    for field, style, colour, words, meaning in _LIMITS:
        for segment in segments:
            value = getattr(segment, field)
            if value is not None:
                panel.plot(
                    (axis.at(segment.begin), axis.at(segment.end)),
                    (value, value),
                    style,
                    color=colour,
                    linewidth=1.2,
                )
                used[field] = legend_entry(meaning, style, color=colour, linewidth=1.2)
        value = getattr(segments[-1], field)
        if value is not None:
            last.append((value, words.format(value)))
    return used, last


def _draw_scores(
    panel: "Axes", axis: Axis, decisions: Sequence[Decision], top: float
) -> dict[str, LegendEntry]:
    """Mark every score, and write it above its mark if there is room or it became worse."""
    used: dict[str, LegendEntry] = {}
    scored = [
        (axis.at(decision.visit.date), decision.visit.clasi_activity, decision)
        for decision in decisions
    ]
    known = [(x, activity) for x, activity, _ in scored if activity is not None]
    for (x0, before), (x1, after) in pairwise(known):
        between = any(activity is None for x, activity, _ in scored if x0 < x < x1)
        panel.plot(
            (x0, x1), (before, after), ":" if between else "-", color=BLUE, linewidth=1, zorder=2
        )
    written, was_worse = -99.0, False
    for index, (x, activity, decision) in enumerate(scored):
        relapse = is_relapse(decision)
        worse = (
            decision.facts.response is Response.WORSE
            and decision.facts.phase is not Phase.DISCONTINUED
        )
        name = "relapse" if relapse else "worse"
        if activity is None:
            judged = decision.visit.judgement
            words = f"? judged {judged.response.label}" if judged else "?"
            # The question mark stands at the visit and the words after it, unless they would end
            # beyond the page.
            place = min(
                x - inches("?", 8) / 2 * axis.per_inch, axis.days - inches(words, 8) * axis.per_inch
            )
            panel.text(
                place, top * 0.9, words, size=8, weight="bold", va="center", path_effects=HALO
            )
            used["missing"] = missing_marker()
            continue
        shape, size = ("D", 7.5) if worse else ("o", 4.5)
        panel.plot(
            [x],
            [activity],
            shape,
            markersize=size,
            color=VERMILLION if worse else BLUE,
            markeredgecolor=BLACK,
            markeredgewidth=0.6,
            zorder=3,
        )
        becomes_worse = worse and not was_worse
        label, size = (f"{name} {activity}", 7.5) if becomes_worse else (str(activity), 6.5)
        half = inches(label, size) / 2 * axis.per_inch
        if x - half > written or becomes_worse:
            # A word is as wide as some weeks: keep it on the page, and off the mark of the next
            # score.
            following = scored[index + 1][0] if becomes_worse and index + 1 < len(scored) else inf
            place = max(half, min(x, following - half - 0.1 * axis.per_inch))
            panel.annotate(
                label,
                (place, activity),
                (0, 6),
                textcoords="offset points",
                size=size,
                ha="center",
                zorder=4,
                weight="bold" if worse else "normal",
                path_effects=HALO,
            )
            written = place + half
        was_worse = worse
        if worse:
            meaning = "relapse in the taper or off the drug" if relapse else "worse"
            used[name] = legend_entry(
                meaning, marker="D", color=VERMILLION, markeredgecolor=BLACK, markersize=6
            )
    used["score"] = legend_entry(
        "a score (CLASI activity)", "-", marker="o", color=BLUE, markersize=4.5, linewidth=1
    )
    return used
