"""Courses as pictures: a patient's way in time, several courses side by side, and the way through the phases.

Every picture can be read without colour: what differs, differs in shape, line or hatching too. It carries its text
alternative, and the same decisions give the same file, byte for byte.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import groupby, pairwise
from math import inf
from pathlib import Path as FilePath
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from attrs import frozen
from matplotlib import get_data_path, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from ..course import ACTIVITY, Result
from ..dosing import Dosage, Level, plain
from ..errors import fault
from ..intervals import add_months
from ..machine import Decision, apply
from ..observation import Why
from ..protocol import Protocol
from ..reasons import safety_cause
from ..render import NOT_A_DEVICE, advice, moves
from ..state import State, newer
from ..units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, PRINTED, Quantity
from ..vocabulary import ON_TREATMENT, Action, Phase, Position, Response, Safety

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The palette of Okabe and Ito, told apart by people with any colour vision; grey for what stands behind.
BLACK, ORANGE, BLUE, GREEN, VERMILLION, GREY = "#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#595959"

_SETTINGS: dict[Any, object] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a text is as wide on every machine
    "font.size": 8,
    "text.parse_math": False,  # what a record says is shown as it is, dollar signs too
    "svg.hashsalt": "lenadose",
    "svg.fonttype": "path",
    "hatch.linewidth": 0.5,
    "axes.unicode_minus": False,
}

Key = Line2D | Patch
"""An entry of the legend."""


def _style() -> AbstractContextManager[None]:
    return rc_context(_SETTINGS)


def _key(label: str, line: str = "", **style: Any) -> Line2D:
    return Line2D([], [], linestyle=line, label=label, **style)  # type: ignore[arg-type]  # any of its styles is a text


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
"""How a decision is marked: shape (a question mark where it is empty), colour, and whether it is filled."""


HATCHES = {Phase.INTERRUPTED: "////", Phase.OFF_TREATMENT: "..", Phase.DISCONTINUED: "xxxx"}
"""The phases without drug, and how the time in them is hatched."""


@frozen(eq=False)
class Picture:
    """A figure with its title and its text alternative, which says in words all that the figure shows."""

    figure: Figure
    title: str
    alt: str

    def svg(self) -> str:
        """Give the picture as SVG, its title and text alternative inside."""
        content = BytesIO()
        with _style():
            FigureCanvasSVG(self.figure).print_figure(
                content, format="svg", metadata={"Date": None, "Creator": "lenadose", "Title": _xml(self.title)}
            )
        described = f"</title>\n <desc>{escape(_xml(self.alt))}</desc>"
        text = content.getvalue().decode("utf-8").replace("</title>", described, 1)
        return text.replace("<svg ", '<svg role="img" ', 1)

    def png(self) -> bytes:
        """Give the picture as PNG, at 200 dots an inch."""
        content = BytesIO()
        with _style():
            FigureCanvasAgg(self.figure).print_figure(
                content, dpi=200, metadata={"Software": "lenadose", "Title": self.title, "Description": self.alt}
            )
        return content.getvalue()


def save(picture: Picture, path: str | FilePath) -> None:
    """Write a picture to a file, .svg or .png; raises CallError for another ending or where it cannot be written."""
    where = FilePath(path)
    match where.suffix.lower():
        case ".svg":
            content = picture.svg().encode("utf-8")
        case ".png":
            content = picture.png()
        case _:
            raise fault(str(path), "is neither a .svg nor a .png file", "name the file by what is to be drawn in it")
    try:
        where.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fault(str(path), reason, "give a path that can be written") from None


def _xml(text: str) -> str:
    """Leave out what no XML can hold."""
    return "".join(each for each in text if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff"))


# What is drawn


@frozen
class _Span:
    """The time from a visit to the next one (after the last, to when that is due), and what holds in it."""

    begin: date
    end: date
    phase: Phase
    level: Level | None
    is_open: bool
    taken: Dosage | None
    is_reported: bool
    missed: int
    ceiling: Level | None
    start: int | None
    worse_from: int | None
    partial_to: int | None


def _spans(decisions: Sequence[Decision]) -> Iterator[_Span]:
    for decision, following in pairwise(decisions):
        seen = following.seen
        reported = following.visit.dosage_taken
        taken = reported.dosage if reported else decision.dosage
        yield _span(
            decision,
            seen.before,
            seen.phase,
            following.visit.date,
            taken,
            reported is not None,
            following.visit.doses_missed or 0,
        )
    last = decisions[-1]
    yield _span(last, apply(last), last.phase_after, _end(last), last.dosage, False, 0)


def _span(
    decision: Decision, after: State, phase: Phase, end: date, taken: Dosage | None, is_reported: bool, missed: int
) -> _Span:
    protocol = decision.protocol
    start = after.start.activity if after.start else None
    lowest = after.lowest.activity if after.lowest else None

    def response(activity: int) -> Response:
        least = activity if lowest is None else min(lowest, activity)
        return protocol.response.of(phase, activity, start, least, None)

    scores = range(ACTIVITY[0], ACTIVITY[1] + 1) if after.start and phase is not Phase.DISCONTINUED else ()
    worse = next((each for each in scores if response(each) is Response.WORSE), None)
    partial = next((each for each in reversed(scores) if response(each) is Response.PARTIAL), None)
    is_open = decision.level is None and decision.action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    return _Span(
        decision.visit.date,
        end,
        phase,
        decision.level,
        is_open and phase in ON_TREATMENT,
        taken,
        is_reported,
        missed,
        after.ceiling if after.dose else protocol.ladder.top,
        start,
        worse,
        partial,
    )


def _end(last: Decision) -> date:
    return last.next_visit.due if last.next_visit else last.visit.date + timedelta(days=14)


_SKIN = {
    Response.COMPLETE: "complete response",
    Response.PARTIAL: "partial response",
    Response.NONE: "no response",
    Response.WORSE: "worse",
    Response.NOT_ASSESSED: "skin not assessed",
}


def why(decision: Decision) -> str:
    """Say a decision in a few words, with what led to it: "interrupt: neutrophils 0.8 × 10⁹/L"."""
    facts, asked = decision.facts, decision.case.conditions
    if facts.safety is not Safety.ACCEPTABLE and ("safety" in asked or facts.safety is Safety.CAUTION):
        unknown = [gap for gap in decision.seen.gaps if gap.field != "clasi_activity"]
        many = facts.safety is Safety.NOT_ASSESSED and len(unknown) > 1
        cause = f"{len(unknown)} facts missing" if many else safety_cause(decision.seen)
    elif "response" in asked:
        cause = "relapse" if is_relapse(decision) else _SKIN[facts.response]
    elif "timing" in asked and decision.seen.due_on is not None:
        cause = facts.timing.said
    elif facts.position in (Position.ABOVE_CEILING, Position.OFF_LADDER, Position.NONE) and "position" in asked:
        cause = f"level {facts.position.said}"
    else:
        cause = ""
    return f"{decision.action.said}: {cause}" if cause else decision.action.said


def is_relapse(decision: Decision) -> bool:
    """Tell whether the disease came back in the taper or after the finish."""
    return decision.facts.response is Response.WORSE and decision.facts.phase in (Phase.TAPER, Phase.OFF_TREATMENT)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Give places in order, as near as can be to those wanted, each at least a gap after the one before."""
    pools: list[tuple[float, int]] = []
    for index, each in enumerate(wanted):
        mean, size = each - index * gap, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    flat = [mean for mean, size in pools for _ in range(size)]
    return [each + index * gap for index, each in enumerate(flat)]


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf").get_charmap())


def _drawn(text: str, width: int = 200) -> str:
    """Write what a record says so that it can be drawn: on one line, a sign that the font does not have as ?."""
    return shorten("".join(each if ord(each) in _glyphs() else "?" for each in text), width, placeholder=" …")


@cache
def _inches(text: str, size: float) -> float:
    """Give the width of a text in bold, in inches."""
    if not text.strip():
        return 0.0
    bold = FontProperties(family="DejaVu Sans", weight="bold", size=size)
    across = TextPath((0, 0), text, prop=bold).vertices[:, 0]
    return float(across.max() - across.min()) / 72


# The course of one patient

_LEFT, _RIGHT, _PLOT = 1.45, 1.3, 5.25  # inches: beside the plots, and their usual width
_LABEL = 0.15  # inches from one label to the next


@frozen
class _Axis:
    """Calendar time on paper: the first day, the days shown, and how many inches they take."""

    first: date
    days: int
    width: float

    def at(self, day: date) -> int:
        """Give the place of a day."""
        return (day - self.first).days

    @property
    def per_inch(self) -> float:
        """The days in an inch."""
        return self.days / self.width


def draw_course(decisions: Sequence[Decision]) -> Picture:
    """Draw the course of a patient, from the decisions that `replay` gives.

    Under one calendar: every decision with its action and why, the dosage as steps, CLASI activity with the score at
    the start and the limits of the response, and neutrophils, platelets and creatinine clearance with theirs.
    """
    with _style():
        return _course(decisions)


def _course(decisions: Sequence[Decision]) -> Picture:
    last, protocol = decisions[-1], decisions[-1].protocol
    # A result can be older than the first visit.
    days = [result.on for each in decisions for result in each.visit.counted if result is not None]
    first = min([decisions[0].visit.date, *days])
    width = max(_PLOT, (len(decisions) + 1) * _LABEL)
    axis = _Axis(first, max((_end(last) - first).days, 14), width)
    labels = [_drawn(why(each), 46) for each in decisions]
    strip = 0.45 + max(_inches(each, 7.5) for each in labels)
    heights = (strip, 0.3 + 0.3 * len(protocol.ladder.levels), 2.1, 0.85, 0.85, 0.85)
    notes = _notes(protocol, int((_LEFT + width + _RIGHT) * 18))
    foot = 1.45 + 0.11 * notes.count("\n")
    total = 0.5 + sum(heights) + 0.14 * len(heights) + foot
    figure = Figure(figsize=(_LEFT + width + _RIGHT, total))
    patient = last.seen.patient.id
    title = (
        f"{patient or 'A patient'}: {len(decisions)} visit{'s' * (len(decisions) > 1)} from {decisions[0].visit.date}"
    )
    figure.text(0.01, 1 - 0.1 / total, _drawn(title, 80), size=11, weight="bold", va="top")
    panels = _panels(figure, axis, heights, total, _LEFT, total - 0.42)
    strip_of, dosage, skin, *counts = panels
    _draw_labels(strip_of, axis, decisions, labels, strip)
    spans = tuple(_spans(decisions))
    used = _draw_dosage(dosage, axis, protocol, spans)
    used |= _draw_skin(skin, axis, decisions, spans)
    for place, panel in enumerate(counts):
        used |= _draw_count(panel, axis, decisions, place)
    for panel in panels:
        used |= _draw_time(panel, axis, decisions, spans)
    _name_phases(dosage, axis, spans)
    _date_ticks(panels, axis)
    _draw_legend(figure, used, foot - 0.5, total, _LEFT + width + _RIGHT)
    figure.text(0.01, 0.06 / total, notes, size=6.5, va="bottom", color=GREY)
    return Picture(figure, title, "\n".join(_course_in_words(decisions)))


def _draw_legend(figure: Figure, used: Mapping[str, Key], top: float, total: float, wide: float) -> None:
    figure.legend(
        handles=list(used.values()),
        loc="upper left",
        bbox_to_anchor=(0.01, top / total),
        ncol=max(1, int(wide / 2.5)),
        fontsize=7,
        frameon=False,
        handlelength=2.6,
        columnspacing=1.2,
        borderaxespad=0,
    )


def _notes(protocol: Protocol, width: int) -> str:
    words = f"{protocol.id} {protocol.version}, sha256 {protocol.hash[:12]}. {protocol.evidence} {NOT_A_DEVICE}"
    return fill(_drawn(words, 4000), width)


def _panels(
    figure: Figure, axis: _Axis, heights: Sequence[float], total: float, left: float, top: float
) -> list["Axes"]:
    """Lay panels under one another, from a place on the page in inches downwards."""
    panels: list[Axes] = []
    wide = figure.get_figwidth()
    for height in heights:
        panel = figure.add_axes((left / wide, (top - height) / total, axis.width / wide, height / total))
        panel.set_xlim(-0.1 * axis.per_inch, axis.days + 0.1 * axis.per_inch)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelbottom=False, labelsize=7.5)
        panels.append(panel)
        top -= height + 0.14
    return panels


def _draw_labels(
    panel: "Axes", axis: _Axis, decisions: Sequence[Decision], labels: Sequence[str], height: float
) -> None:
    """Mark every decision, and write it above its mark."""
    panel.set_ylim(0, height)
    panel.set_axis_off()
    days = [axis.at(each.visit.date) for each in decisions]
    gap = _LABEL * axis.per_inch
    places = spread(days, gap)
    # All labels stay above the plot, however many visits lie near its ends.
    shift = max(-places[0], 0) or min(axis.days - places[-1], 0)
    for decision, day, wanted, label in zip(decisions, days, places, labels, strict=True):
        place = wanted + shift
        shape, colour, is_filled = MARKS[decision.action]
        panel.plot([day, day, place], [0.0, 0.17, 0.3], color=GREY, linewidth=0.6, clip_on=False)
        panel.plot(
            [day],
            [0.09],
            marker=shape or _question(),
            linestyle="",
            color=colour,
            clip_on=False,
            markerfacecolor=colour if is_filled else "white",
            markersize=6 if shape else 11,
            markeredgewidth=1 if shape else 0,
        )
        weight = "normal" if decision.action in (Action.CONTINUE, Action.OBSERVE) else "bold"
        panel.text(place, 0.34, label, rotation=90, size=7.5, ha="center", va="bottom", weight=weight)


def _draw_time(panel: "Axes", axis: _Axis, decisions: Sequence[Decision], spans: Sequence[_Span]) -> dict[str, Key]:
    """Rule a line for every visit, and hatch the time without drug."""
    used: dict[str, Key] = {}
    for each in decisions if panel.axison else ():
        panel.axvline(axis.at(each.visit.date), color="#D0D0D0", linewidth=0.5, zorder=0)
    for span in spans if panel.axison else ():
        hatch = HATCHES.get(span.phase)
        if hatch is not None:
            panel.axvspan(
                axis.at(span.begin),
                axis.at(span.end),
                facecolor="#F0F0F0",
                edgecolor="#9A9A9A",
                hatch=hatch,
                linewidth=0,
                zorder=-1,
            )
            used[span.phase.said] = Patch(
                facecolor="#F0F0F0", edgecolor="#9A9A9A", hatch=hatch, label=f"{span.phase.said}: no drug"
            )
    return used


def _name_phases(panel: "Axes", axis: _Axis, spans: Sequence[_Span]) -> None:
    """Write the phases without drug into the time they take, where there is room."""
    for phase, group in groupby(spans, lambda each: each.phase):
        run = list(group)
        begin, end = axis.at(run[0].begin), axis.at(run[-1].end)
        if phase in HATCHES and (end - begin) / axis.per_inch > _inches(phase.said, 7) + 0.05:
            panel.text(
                (begin + end) / 2,
                panel.get_ylim()[1],
                phase.said,
                size=7,
                weight="bold",
                ha="center",
                va="top",
                bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            )


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


def _draw_dosage(
    panel: "Axes", axis: _Axis, protocol: Protocol, spans: Sequence[_Span], marked: bool = True
) -> dict[str, Key]:
    used: dict[str, Key] = {}

    def line(name: str, style: str, width: float, colour: str, x: Sequence[float], y: Sequence[float]) -> None:
        panel.plot(x, y, style, linewidth=width, color=colour, solid_capstyle="butt", dash_capstyle="butt")
        used[name] = _key(name, style, linewidth=width, color=colour)

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
            panel.text(sum(x) / 2, 0.12, "?", size=9, weight="bold", ha="center")
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
            panel.text(sum(x) / 2, y + 0.12, str(span.taken), size=6.5, ha="center")
        if span.missed and marked:
            panel.text(sum(x) / 2, y - 0.14, f"{span.missed} missed", size=6.5, ha="center", va="top")
        if span.ceiling != protocol.ladder.top and span.phase is not Phase.DISCONTINUED and marked:
            top = _height(protocol, span.ceiling.dosage if span.ceiling else None) + 0.3
            line("ceiling: nothing above is allowed", "-", 1.2, VERMILLION, x, (top, top))
    return used


_LIMITS = {
    "start": "B, the score at the start of the course",
    "worse": "worse, from this score on",
    "partial": "partial response, up to this score",
}


def _draw_skin(
    panel: "Axes", axis: _Axis, decisions: Sequence[Decision], spans: Sequence[_Span], marked: bool = True
) -> dict[str, Key]:
    used: dict[str, Key] = {}
    complete_at = decisions[-1].protocol.response.complete_at.value
    scored = [(axis.at(each.visit.date), each.visit.clasi_activity, each) for each in decisions]
    heights = [activity for _, activity, _ in scored if activity is not None]
    heights += [each.worse_from for each in spans if each.worse_from is not None]
    top = max([10, *heights]) * 1.3
    panel.set_ylim(-0.04 * top, top)
    limits: dict[str, tuple[float, str]] = {}
    for name, field, style, colour, words in (
        ("start", "start", "--", BLACK, "B, at the start: {}"),
        ("worse", "worse_from", "-.", VERMILLION, "worse: {} or more"),
        ("partial", "partial_to", ":", GREEN, "partial: {} or less"),
    ):
        for span in spans:
            value = getattr(span, field)
            if value is not None:
                panel.plot((axis.at(span.begin), axis.at(span.end)), (value, value), style, color=colour, linewidth=1.2)
                used[name] = _key(_LIMITS[name], style, color=colour, linewidth=1.2)
                limits[name] = (value, words.format(value))
            elif name in limits:
                del limits[name]
    panel.axhline(complete_at, color=BLACK, linewidth=1.2)
    limits["complete"] = (complete_at, f"complete: {complete_at}")
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    if marked:
        _write_limits(panel, limits.values())
        panel.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
    known = [(x, activity) for x, activity, _ in scored if activity is not None]
    for (x0, before), (x1, after) in pairwise(known):
        between = any(activity is None for x, activity, _ in scored if x0 < x < x1)
        panel.plot((x0, x1), (before, after), ":" if between else "-", color=BLUE, linewidth=1, zorder=2)
    written, was_worse = -99.0, False
    for index, (x, activity, decision) in enumerate(scored):
        relapse = is_relapse(decision)
        worse = decision.facts.response is Response.WORSE and decision.facts.phase is not Phase.DISCONTINUED
        name = "relapse" if relapse else "worse"
        if activity is None:
            judged = decision.visit.judgement
            said = f"? judged {judged.response.said}" if judged else "?"
            panel.text(x, top * 0.9, said, size=8, weight="bold", ha="center", va="center")
            used["missing"] = _missing()
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
        half = _inches(label, size) / 2 * axis.per_inch
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
                bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.8 * worse},
            )
            written = place + half
        was_worse = worse
        if worse:
            meant = "relapse in the taper or off the drug" if relapse else "worse"
            used[name] = _key(meant, marker="D", color=VERMILLION, markeredgecolor=BLACK, markersize=6)
    used["score"] = _key("a score (CLASI activity)", "-", marker="o", color=BLUE, markersize=4.5, linewidth=1)
    return used


@cache
def _question() -> Path:
    """Give a question mark as a shape."""
    drawn = TextPath((0, 0), "?", prop=FontProperties(family="DejaVu Sans", weight="bold", size=10))
    low, high = drawn.get_extents().get_points()
    return Path(drawn.vertices - (low + high) / 2, drawn.codes)


def _missing() -> Line2D:
    return _key("missing, or too old to count", marker=_question(), color=BLACK, markeredgewidth=0, markersize=9)


def _inches_high(panel: "Axes") -> float:
    figure = panel.get_figure(root=True)
    assert figure is not None
    return float(panel.get_position().height * figure.get_size_inches()[1])


def _write_limits(panel: "Axes", limits: Iterable[tuple[float, str]]) -> None:
    """Write limits beside a panel, none over another."""
    low, high = panel.get_ylim()
    gap = 0.115 * (high - low) / _inches_high(panel)
    ordered = sorted(limits)
    for (value, words), place in zip(ordered, spread([value for value, _ in ordered], gap), strict=True):
        panel.annotate(
            words,
            (1.0, value),
            (1.02, place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            size=6.5,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": GREY, "shrinkA": 0, "shrinkB": 0},
        )


@frozen
class _Limit:
    """A limit of a result: what lies `below` it, how its line is drawn, and the mark of a result below it."""

    below: Decimal
    words: str
    line: str
    mark: str


def _limits(protocol: Protocol) -> tuple[tuple[Quantity, tuple[_Limit, ...]], ...]:
    """Give the three results in the order of `Visit.counted`, each with its limits, the graver one first."""
    safety = protocol.safety

    def of(graver: Decimal, milder: Decimal, words: str = "caution") -> tuple[_Limit, ...]:
        return _Limit(graver, "interrupt", "-", "s"), _Limit(milder, words, "--", "^")

    return (
        (NEUTROPHILS, of(safety.neutrophils.interrupt_below.value, safety.neutrophils.caution_below.value)),
        (PLATELETS, of(safety.platelets.interrupt_below.value, safety.platelets.caution_below.value)),
        (
            CREATININE_CLEARANCE,
            of(safety.clearance_interrupt_below.value, safety.clearance_lowers_below.value, "lower ceiling"),
        ),
    )


def _draw_count(panel: "Axes", axis: _Axis, decisions: Sequence[Decision], place: int) -> dict[str, Key]:
    used: dict[str, Key] = {}
    quantity, limits = _limits(decisions[-1].protocol)[place]
    results: dict[date, Result] = {}
    for decision in decisions:
        result = decision.visit.counted[place]
        if result is not None:
            results[result.on] = newer(results.get(result.on, result), result)
    shown = [(axis.at(on), float(results[on].amount), results[on].amount) for on in sorted(results)]
    top = max([2 * float(limits[-1].below), *(amount for _, amount, _ in shown)]) * 1.45
    panel.set_ylim(0, top)
    for limit in limits:
        panel.axhline(float(limit.below), linestyle=limit.line, color=VERMILLION, linewidth=1)
    _write_limits(panel, [(float(each.below), f"{each.words}: below {plain(each.below)}") for each in limits])
    panel.plot([x for x, _, _ in shown], [amount for _, amount, _ in shown], "-", color=BLUE, linewidth=1)
    for x, amount, exact in shown:
        below = next((each for each in limits if exact < each.below), None)
        style: dict[str, Any] = {"color": BLUE, "markersize": 4}
        if below is not None:
            style = {"color": VERMILLION, "markersize": 6}
            panel.annotate(
                plain(exact), (x, amount), (0, 5), textcoords="offset points", size=7, weight="bold", ha="center"
            )
            words = f"below the limit: {below.words}"
            used[words] = _key(words, marker=below.mark, markeredgecolor=BLACK, **style)
        mark = below.mark if below else "o"
        panel.plot([x], [amount], mark, markeredgecolor=BLACK, markeredgewidth=0.5, zorder=3, clip_on=False, **style)
    for decision in decisions:
        gap = next((each for each in decision.seen.gaps if each.field == quantity.name), None)
        if gap is not None:
            said = "?" if gap.why is Why.ABSENT else "? old"
            panel.text(axis.at(decision.visit.date), top * 0.88, said, size=8, weight="bold", ha="center", va="center")
            used["missing"] = _missing()
    called = quantity.name.replace("_", "\n").capitalize()
    panel.set_ylabel(f"{called}\n({PRINTED[quantity.unit]})", size=7.5)
    return used


def _date_ticks(panels: Sequence["Axes"], axis: _Axis) -> None:
    """Date the axis below the last panel: days while they are few, then the first days of months."""
    panel = panels[-1]
    most = max(3, int(axis.width / 0.8))
    steps = [7, 14, 28]
    days = next((each for each in steps if axis.days / each <= most), None)
    if days is not None:
        dates = [axis.first + timedelta(days=each) for each in range(0, axis.days + 1, days)]
        words = [each.isoformat() for each in dates]
        panel.set_xlabel("date (year-month-day)", size=7.5)
    else:
        month = axis.first.replace(day=1)
        step = next(
            (each for each in (1, 2, 3, 6) if axis.days / (30 * each) <= most), 12 * -(-axis.days // (365 * most))
        )
        months = [add_months(month, each) for each in range(0, axis.days // 28 + 2, step)]
        dates = [each for each in months if 0 <= axis.at(each) <= axis.days]
        words = [f"{each:%Y-%m}" for each in dates]
        panel.set_xlabel("date (year-month; a mark is the first day of a month)", size=7.5)
    for each in panels:
        each.set_xticks([axis.at(day) for day in dates], words)
    panel.tick_params(labelbottom=True)


def _course_in_words(decisions: Sequence[Decision]) -> Iterator[str]:
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    yield f"The course of {patient or 'a patient'} by the protocol {protocol.id} {protocol.version}, visit by visit."
    for each in decisions:
        visit = each.visit
        shown = [f"CLASI activity {'missing' if visit.clasi_activity is None else visit.clasi_activity}"]
        shown.append(f"response {each.facts.response.said}{' (relapse)' if is_relapse(each) else ''}")
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            given = getattr(visit, name)
            if given is not None:
                shown.append(f"{name.replace('_', ' ')} {given}")
        shown += [
            f"{gap.field.replace('_', ' ')} {gap.why.said}" for gap in each.missing if gap.field != "clasi_activity"
        ]
        if visit.dosage_taken is not None:
            shown.append(f"took {visit.dosage_taken.dosage or 'nothing'}")
        if visit.doses_missed:
            shown.append(f"{visit.doses_missed} doses missed")
        yield f"{visit.date}: {', '.join(shown)}. Decision: {advice(each)} ({why(each)}); then {each.phase_after.said}."
    yield NOT_A_DEVICE


# Several courses

_COLUMN, _GAP = 2.75, 0.3  # inches: a column, and the space between two
_MOST = 4  # columns side by side; more courses begin a new row


def draw_courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    """Draw several courses side by side, each under its name, on one scale of weeks and one of CLASI activity.

    Raises CallError where there is no course.
    """
    if not courses:
        raise fault("courses", "there are none", "give at least one, under its name")
    with _style():
        return _courses(courses)


def _courses(courses: Mapping[str, Sequence[Decision]]) -> Picture:
    named = [(_drawn(name, 42), tuple(decisions)) for name, decisions in courses.items()]
    columns = min(len(named), _MOST)
    rows = -(-len(named) // columns)
    days = max(max((_end(each[-1]) - each[0].visit.date).days, 14) for _, each in named)
    longest = max(len(each) for _, each in named)
    column = max(_COLUMN, (longest + 1) * _LABEL)
    labels = [[_drawn(each.action.said) for each in decisions] for _, decisions in named]
    heights = (0.45 + max(_inches(each, 7.5) for words in labels for each in words), 1.3, 1.9)
    protocols = {each[-1].protocol.hash: each[-1].protocol for _, each in named}
    wide = _LEFT + columns * column + (columns - 1) * _GAP + 0.35
    notes = "\n".join(_notes(each, int(wide * 18)) for each in protocols.values())
    foot = 1.0 + 0.11 * notes.count("\n")
    block = 0.35 + sum(heights) + 0.14 * len(heights) + 0.45
    total = rows * block + foot
    figure = Figure(figsize=(wide, total))
    used: dict[str, Key] = {}
    skins: list[Axes] = []
    for index, ((name, decisions), words) in enumerate(zip(named, labels, strict=True)):
        row, place = divmod(index, columns)
        axis = _Axis(decisions[0].visit.date, days, column)
        left, top = _LEFT + place * (column + _GAP), total - row * block - 0.35
        figure.text(left / wide, (top + 0.3) / total, name, size=9, weight="bold", va="top")
        panels = _panels(figure, axis, heights, total, left, top)
        strip, dosage, skin = panels
        spans = tuple(_spans(decisions))
        _draw_labels(strip, axis, decisions, words, heights[0])
        first = place == 0
        used |= _draw_dosage(dosage, axis, decisions[-1].protocol, spans, first)
        used |= _draw_skin(skin, axis, decisions, spans, False)
        if first:
            skin.set_ylabel("CLASI activity\n(points, 0 to 70)", size=7.5)
        for panel in panels:
            used |= _draw_time(panel, axis, decisions, spans)
        step = next((each for each in (2, 4, 8, 13, 26, 52) if days / 7 / each <= column / 0.4), 104)
        weeks = range(0, days // 7 + 1, step)
        for panel in (dosage, skin):
            panel.set_xticks([7 * each for each in weeks], list(map(str, weeks)))
        skin.tick_params(labelbottom=True)
        skin.set_xlabel("weeks since the first visit", size=7.5)
        skins.append(skin)
    top = max(each.get_ylim()[1] for each in skins)
    for each in skins:
        each.set_ylim(-0.04 * top, top)
    _draw_legend(figure, used, foot - 0.1, total, wide)
    figure.text(0.01, 0.06 / total, notes, size=6.5, va="bottom", color=GREY)
    title = f"{len(named)} course{'s' * (len(named) > 1)}: {', '.join(courses)}"
    alt = "\n".join(
        f"{name}: {line}" if index == 0 else line
        for name, each in courses.items()
        for index, line in enumerate(_course_in_words(each))
    )
    return Picture(figure, title, alt)


# The phases

_PLACES = {
    Phase.BEFORE_START: (1.0, 3.75),
    Phase.TITRATION: (3.9, 3.75),
    Phase.TAPER: (7.7, 3.75),
    Phase.OFF_TREATMENT: (10.9, 3.75),
    Phase.INTERRUPTED: (5.8, 6.65),
    Phase.DISCONTINUED: (5.8, 1.05),
}
"""Where a phase stands on the page, in inches."""

_BOX = 1.55
"""How wide the box of a phase is, in inches."""

_BENDS = {
    (Phase.BEFORE_START, Phase.TITRATION): (0.0, 0.5, 0.24),
    (Phase.TITRATION, Phase.TAPER): (-0.1, 0.4, 0.3),
    (Phase.TAPER, Phase.TITRATION): (-0.1, 0.6, -0.22),
    (Phase.TITRATION, Phase.OFF_TREATMENT): (0.38, 0.62, 0.0),
    (Phase.OFF_TREATMENT, Phase.TITRATION): (0.38, 0.35, 0.3),
    (Phase.TAPER, Phase.OFF_TREATMENT): (0.0, 0.5, 0.24),
    (Phase.TITRATION, Phase.INTERRUPTED): (-0.15, 0.6, 0.0),
    (Phase.INTERRUPTED, Phase.TITRATION): (-0.15, 0.58, 0.0),
    (Phase.TAPER, Phase.INTERRUPTED): (0.15, 0.5, 0.0),
    (Phase.TITRATION, Phase.DISCONTINUED): (0.1, 0.5, 0.0),
    (Phase.TAPER, Phase.DISCONTINUED): (-0.1, 0.5, 0.0),
    (Phase.INTERRUPTED, Phase.DISCONTINUED): (0.0, 0.83, 0.0),
}
"""How far the arrow between two phases is bent, where along it the rows are written, and how far above it, in inches.

Only other protocols have arrows between other phases; those are bent a little.
"""


def draw_phases(protocol: Protocol, decisions: Sequence[Decision] = ()) -> Picture:
    """Draw the phases of a protocol and the rows that lead from one to another; with decisions, the way they took."""
    with _style():
        return _phases(protocol, decisions)


def _phases(protocol: Protocol, decisions: Sequence[Decision]) -> Picture:
    rows = moves(protocol)
    way = tuple(_way(decisions))
    figure = Figure(figsize=(12, 8.2))
    page = figure.add_axes((0, 0, 1, 1))
    page.set_xlim(0, 12)
    page.set_ylim(0, 8.2)
    page.set_axis_off()
    boxes = {phase: _draw_phase(page, phase, rows.pop((phase, phase), []), way) for phase in Phase}
    steps: dict[tuple[Phase, Phase], list[_Step]] = {}
    for each in way:
        if each.before is not each.after:
            steps.setdefault((each.before, each.after), []).append(each)
    for edge in sorted({*rows, *steps}, key=lambda edge: (edge in steps, edge[0].rank, edge[1].rank)):
        _draw_move(page, boxes, edge, rows.get(edge, []), steps.get(edge, []), bool(decisions))
    patient = decisions[-1].seen.patient.id or "a patient" if decisions else None
    title = f"The phases of {protocol.id}" + (f" and the way of {patient}" if patient else "")
    page.text(0.15, 8.05, _drawn(title, 90), size=12, weight="bold", va="top")
    if decisions:
        page.text(0.15, 7.75, "Bold and thick: the way taken, with its dates. Grey: other ways.", size=8, va="top")
    page.text(0.15, 0.08, _notes(protocol, 200), size=6.5, va="bottom", color=GREY)
    return Picture(figure, title, "\n".join(_phases_in_words(protocol, decisions, way)))


@frozen
class _Step:
    """A step of a course: the row that applied, or that the patient did something else; the phase before and after."""

    name: str
    on: date
    before: Phase
    after: Phase


def _way(decisions: Sequence[Decision]) -> Iterator[_Step]:
    for each in decisions:
        before, phase, day = each.seen.before.phase, each.seen.phase, each.visit.date
        if before is not phase:
            yield _Step("not as advised", day, before, phase)
        yield _Step(each.rule.id, day, phase, each.phase_after)


def _draw_phase(page: "Axes", phase: Phase, rows: Sequence[str], way: Sequence[_Step]) -> FancyBboxPatch:
    """Draw a phase as a box, with the rows that stay in it; those met are in bold, with how often."""
    x, y = _PLACES[phase]
    times = Counter(each.name for each in way if each.before is each.after is phase)
    height = 0.42 + 0.13 * len(rows)
    box = FancyBboxPatch(
        (x - _BOX / 2, y - height / 2),
        _BOX,
        height,
        boxstyle="round,pad=0.04",
        facecolor="white",
        edgecolor=BLACK,
        linewidth=2.2 if any(phase in (each.before, each.after) for each in way) else 1,
        zorder=2,
    )
    page.add_patch(box)
    page.text(x, y + height / 2 - 0.06, phase.said, size=9.5, weight="bold", ha="center", va="top", zorder=3)
    for index, row in enumerate(rows):
        words = f"{row} ×{times[row]}" if times[row] > 1 else row
        page.text(
            x,
            y + height / 2 - 0.32 - 0.13 * index,
            words,
            size=7,
            ha="center",
            va="top",
            zorder=3,
            weight="bold" if times[row] else "normal",
            color=BLACK if times[row] or not way else GREY,
        )
    return box


def _draw_move(
    page: "Axes",
    boxes: Mapping[Phase, FancyBboxPatch],
    edge: tuple[Phase, Phase],
    rows: Sequence[str],
    steps: Sequence[_Step],
    is_way: bool,
) -> None:
    """Draw an arrow from a phase to another, with the rows that lead there."""
    (x0, y0), (x1, y1) = (_PLACES[each] for each in edge)
    bend, along, above = _BENDS.get(edge, (0.2, 0.5, 0.0))
    colour = BLACK if steps or not is_way else "#A0A0A0"
    page.add_patch(
        FancyArrowPatch(
            (x0, y0),
            (x1, y1),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=14,
            patchA=boxes[edge[0]],
            patchB=boxes[edge[1]],
            shrinkA=2,
            shrinkB=3,
            color=colour,
            zorder=4 if steps else 1,
            linewidth=2.6 if steps else 0.9,
            linestyle="-" if rows else "--",
        )
    )
    middle = ((x0 + x1) / 2 + bend * (y1 - y0), (y0 + y1) / 2 - bend * (x1 - x0))
    near, bent, far = (1 - along) ** 2, 2 * along * (1 - along), along**2
    place = (near * x0 + bent * middle[0] + far * x1, near * y0 + bent * middle[1] + far * y1 + above)
    dates: dict[str, list[str]] = {}
    for step in steps:
        dates.setdefault(step.name, []).append(str(step.on))
    words = [line for name, days in dates.items() for line in (name, *days)]
    bold = len(words)
    words += [each for each in rows if each not in dates]
    for index, each in enumerate(words):
        page.text(
            place[0],
            place[1] + 0.065 * (len(words) - 1) - 0.13 * index,
            each,
            size=7,
            ha="center",
            va="center",
            weight="bold" if index < bold else "normal",
            zorder=5,
            color=BLACK if index < bold or not is_way else GREY,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )


def _phases_in_words(protocol: Protocol, decisions: Sequence[Decision], way: Sequence[_Step]) -> Iterator[str]:
    yield f"The phases of the protocol {protocol.id} {protocol.version}, and the rows that lead from one to another."
    for (before, after), names in moves(protocol).items():
        yield (
            f"{before.said} to {after.said}: {', '.join(names)}."
            if before is not after
            else (f"Staying in {before.said}: {', '.join(names)}.")
        )
    if decisions:
        yield "The way taken:"
        for step in way:
            to = "" if step.after is step.before else f" to {step.after.said}"
            yield f"{step.name}, {step.on}: {step.before.said}{to}."
    yield NOT_A_DEVICE
