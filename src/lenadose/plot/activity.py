"""The panel of the skin: every score of CLASI activity, and the scores from which on the response is another."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from lenadose.engine.machine import Decision
from lenadose.plot.alt_text import is_relapse
from lenadose.plot.layout import Axis, write_limits
from lenadose.plot.segments import Segment
from lenadose.plot.style import BLACK, BLUE, GREEN, HALO, VERMILLION, Key, inches, key, missing
from lenadose.terms.facts import Phase, Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LIMITS = (
    ("start", "--", BLACK, "B, at the start: {}", "B, the score at the start of the course"),
    ("worse_from", "-.", VERMILLION, "worse: {} or more", "worse, from this score on"),
    ("partial_to", ":", GREEN, "partial: {} or less", "partial response, up to this score"),
)
"""The limits, by the field of a span that holds them: line, colour, and the words beside it and in the legend."""


def draw_skin(
    panel: "Axes",
    axis: Axis,
    decisions: Sequence[Decision],
    spans: Sequence[Segment],
    marked: bool = True,
) -> dict[str, Key]:
    """Draw the scores with the limits of the response; unless `marked`, nothing is written beside the panel."""
    heights = [
        each.visit.clasi_activity for each in decisions if each.visit.clasi_activity is not None
    ]
    heights += [each.worse_from for each in spans if each.worse_from is not None]
    top = max([10, *heights]) * 1.3
    panel.set_ylim(-0.04 * top, top)
    used, limits = _draw_limits(panel, axis, spans)
    complete_at = decisions[-1].protocol.response.complete_at.value
    panel.axhline(complete_at, color=BLACK, linewidth=1.2)
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    if marked:
        write_limits(panel, [*limits, (complete_at, f"complete: {complete_at}")])
        panel.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
    return used | _draw_scores(panel, axis, decisions, top)


def _draw_limits(
    panel: "Axes", axis: Axis, spans: Sequence[Segment]
) -> tuple[dict[str, Key], list[tuple[float, str]]]:
    """Draw the limits while they hold; give those that hold at the end, too, with their words."""
    used: dict[str, Key] = {}
    last: list[tuple[float, str]] = []
    for field, style, colour, words, meaning in _LIMITS:
        for span in spans:
            value = getattr(span, field)
            if value is not None:
                panel.plot(
                    (axis.at(span.begin), axis.at(span.end)),
                    (value, value),
                    style,
                    color=colour,
                    linewidth=1.2,
                )
                used[field] = key(meaning, style, color=colour, linewidth=1.2)
        value = getattr(spans[-1], field)
        if value is not None:
            last.append((value, words.format(value)))
    return used, last


def _draw_scores(
    panel: "Axes", axis: Axis, decisions: Sequence[Decision], top: float
) -> dict[str, Key]:
    """Mark every score and write it above its mark, where there is room; that it became worse is always told."""
    used: dict[str, Key] = {}
    scored = [(axis.at(each.visit.date), each.visit.clasi_activity, each) for each in decisions]
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
            said = f"? judged {judged.response.label}" if judged else "?"
            # The question mark stands at the visit, and the words after it, unless they end beyond the page.
            place = min(
                x - inches("?", 8) / 2 * axis.per_inch, axis.days - inches(said, 8) * axis.per_inch
            )
            panel.text(
                place, top * 0.9, said, size=8, weight="bold", va="center", path_effects=HALO
            )
            used["missing"] = missing()
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
        comes_back = worse and not was_worse
        label, size = (f"{name} {activity}", 7.5) if comes_back else (str(activity), 6.5)
        half = inches(label, size) / 2 * axis.per_inch
        if x - half > written or comes_back:
            # A word is as wide as some weeks: it ends before the mark of the next score, and begins on the page.
            following = scored[index + 1][0] if comes_back and index + 1 < len(scored) else inf
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
            meant = "relapse in the taper or off the drug" if relapse else "worse"
            used[name] = key(
                meant, marker="D", color=VERMILLION, markeredgecolor=BLACK, markersize=6
            )
    used["score"] = key(
        "a score (CLASI activity)", "-", marker="o", color=BLUE, markersize=4.5, linewidth=1
    )
    return used
