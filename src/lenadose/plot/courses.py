"""Several courses as one picture: side by side, each under its name, on one scale of weeks."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from lenadose.engine.machine import Decision
from lenadose.plot.activity import draw_skin
from lenadose.plot.alt_text import course_in_words
from lenadose.plot.course import LEFT
from lenadose.plot.dosage import draw_dosage
from lenadose.plot.layout import LABEL, Axis, draw_labels, draw_time, lay_panels
from lenadose.plot.segments import end_of, segments_of
from lenadose.plot.style import (
    GREY,
    LegendEntry,
    Picture,
    draw_legend,
    drawable,
    in_style,
    inches,
    notes_of,
)
from lenadose.terms.errors import fault

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMN, _GAP = 2.75, 0.3  # inches: a column, and the space between two
_MOST = 4  # columns side by side; more courses begin a new row


def draw_courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    """Draw several courses side by side, each under its name, on the same scales.

    Raises CallError if there is no course.
    """
    if not courses:
        raise fault("courses", "there are none", "give at least one, under its name")
    with in_style():
        return _courses(courses)


def _courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    named = [(drawable(name, 42), tuple(decisions)) for name, decisions in courses.items()]
    columns = min(len(named), _MOST)
    rows = -(-len(named) // columns)
    days = max(
        max((end_of(decisions[-1]) - decisions[0].visit.date).days, 14) for _, decisions in named
    )
    longest = max(len(decisions) for _, decisions in named)
    column = max(_COLUMN, (longest + 1) * LABEL)
    labels = [[drawable(decision.action.label) for decision in decisions] for _, decisions in named]
    heights = (
        0.45 + max(inches(label, 7.5) for label in chain.from_iterable(labels)),
        1.3,
        1.9,
    )
    last = [decisions[-1].protocol for _, decisions in named]
    protocols = {protocol.hash: protocol for protocol in last}
    wide = LEFT + columns * column + (columns - 1) * _GAP + 0.35
    notes = "\n".join(notes_of(protocol, int(wide * 18)) for protocol in protocols.values())
    foot = 1.0 + 0.11 * notes.count("\n")
    block = 0.35 + sum(heights) + 0.14 * len(heights) + 0.45
    total = rows * block + foot
    figure = Figure(figsize=(wide, total))
    used: dict[str, LegendEntry] = {}
    skins: list[Axes] = []
    for index, ((name, decisions), words) in enumerate(zip(named, labels, strict=True)):
        row, place = divmod(index, columns)
        axis = Axis(decisions[0].visit.date, days, column)
        left, top = LEFT + place * (column + _GAP), total - row * block - 0.35
        figure.text(left / wide, (top + 0.3) / total, name, size=9, weight="bold", va="top")
        panels = lay_panels(figure, axis, heights, total, left, top)
        strip, dosage, skin = panels
        segments = tuple(segments_of(decisions))
        draw_labels(strip, axis, decisions, words, heights[0])
        first = place == 0
        used |= draw_dosage(dosage, axis, decisions[-1].protocol, segments, first)
        used |= draw_skin(skin, axis, decisions, segments, False)
        if first:
            skin.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
        for panel in panels:
            used |= draw_time(panel, axis, decisions, segments)
        step = next(
            (weeks for weeks in (2, 4, 8, 13, 26, 52) if days / 7 / weeks <= column / 0.4), 104
        )
        weeks = range(0, days // 7 + 1, step)
        for panel in (dosage, skin):
            panel.set_xticks([7 * week for week in weeks], list(map(str, weeks)))
        skin.tick_params(labelbottom=True)
        skin.set_xlabel("weeks since the first visit", size=7.5)
        skins.append(skin)
    top = max(skin.get_ylim()[1] for skin in skins)
    for skin in skins:
        skin.set_ylim(-0.04 * top, top)
    draw_legend(figure, used, foot - 0.1, total, wide)
    figure.text(0.01, 0.06 / total, notes, size=6.5, va="bottom", color=GREY)
    title = f"{len(named)} course{'s' * (len(named) > 1)}: {', '.join(courses)}"
    alt = "\n".join(
        f"{name}: {line}" if index == 0 else line
        for name, decisions in courses.items()
        for index, line in enumerate(course_in_words(decisions))
    )
    return Picture(figure, title, alt)
