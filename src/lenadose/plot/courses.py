"""Several courses as one picture: side by side, each under its name, on one scale of weeks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from lenadose.engine.machine import Decision
from lenadose.plot.activity import draw_skin
from lenadose.plot.alt_text import course_in_words
from lenadose.plot.course import LEFT
from lenadose.plot.dosage import draw_dosage
from lenadose.plot.layout import LABEL, Axis, draw_labels, draw_time, lay_panels
from lenadose.plot.segments import end_of, spans_of
from lenadose.plot.style import GREY, Key, Picture, draw_legend, drawn, in_style, inches, notes_of
from lenadose.terms.errors import fault

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMN, _GAP = 2.75, 0.3  # inches: a column, and the space between two
_MOST = 4  # columns side by side; more courses begin a new row


def draw_courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    """Draw several courses side by side, each under its name, on one scale of weeks and one of CLASI activity.

    Raises CallError where there is no course.
    """
    if not courses:
        raise fault("courses", "there are none", "give at least one, under its name")
    with in_style():
        return _courses(courses)


def _courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    named = [(drawn(name, 42), tuple(decisions)) for name, decisions in courses.items()]
    columns = min(len(named), _MOST)
    rows = -(-len(named) // columns)
    days = max(max((end_of(each[-1]) - each[0].visit.date).days, 14) for _, each in named)
    longest = max(len(each) for _, each in named)
    column = max(_COLUMN, (longest + 1) * LABEL)
    labels = [[drawn(each.action.label) for each in decisions] for _, decisions in named]
    heights = (0.45 + max(inches(each, 7.5) for words in labels for each in words), 1.3, 1.9)
    protocols = {each[-1].protocol.hash: each[-1].protocol for _, each in named}
    wide = LEFT + columns * column + (columns - 1) * _GAP + 0.35
    notes = "\n".join(notes_of(each, int(wide * 18)) for each in protocols.values())
    foot = 1.0 + 0.11 * notes.count("\n")
    block = 0.35 + sum(heights) + 0.14 * len(heights) + 0.45
    total = rows * block + foot
    figure = Figure(figsize=(wide, total))
    used: dict[str, Key] = {}
    skins: list[Axes] = []
    for index, ((name, decisions), words) in enumerate(zip(named, labels, strict=True)):
        row, place = divmod(index, columns)
        axis = Axis(decisions[0].visit.date, days, column)
        left, top = LEFT + place * (column + _GAP), total - row * block - 0.35
        figure.text(left / wide, (top + 0.3) / total, name, size=9, weight="bold", va="top")
        panels = lay_panels(figure, axis, heights, total, left, top)
        strip, dosage, skin = panels
        spans = tuple(spans_of(decisions))
        draw_labels(strip, axis, decisions, words, heights[0])
        first = place == 0
        used |= draw_dosage(dosage, axis, decisions[-1].protocol, spans, first)
        used |= draw_skin(skin, axis, decisions, spans, False)
        if first:
            skin.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
        for panel in panels:
            used |= draw_time(panel, axis, decisions, spans)
        step = next(
            (each for each in (2, 4, 8, 13, 26, 52) if days / 7 / each <= column / 0.4), 104
        )
        weeks = range(0, days // 7 + 1, step)
        for panel in (dosage, skin):
            panel.set_xticks([7 * each for each in weeks], list(map(str, weeks)))
        skin.tick_params(labelbottom=True)
        skin.set_xlabel("weeks since the first visit", size=7.5)
        skins.append(skin)
    top = max(each.get_ylim()[1] for each in skins)
    for each in skins:
        each.set_ylim(-0.04 * top, top)
    draw_legend(figure, used, foot - 0.1, total, wide)
    figure.text(0.01, 0.06 / total, notes, size=6.5, va="bottom", color=GREY)
    title = f"{len(named)} course{'s' * (len(named) > 1)}: {', '.join(courses)}"
    alt = "\n".join(
        f"{name}: {line}" if index == 0 else line
        for name, each in courses.items()
        for index, line in enumerate(course_in_words(each))
    )
    return Picture(figure, title, alt)
