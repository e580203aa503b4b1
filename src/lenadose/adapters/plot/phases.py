"""The phases as a diagram: a box for each, an arrow with its rows for each way between two, and a patient's way."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from attrs import frozen
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from ...machine import Decision
from ...protocol import Protocol
from ...render import NOT_A_DEVICE, moves
from ...vocabulary import Phase
from .paper import BLACK, GREY, Picture, drawn, in_style, notes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    with in_style():
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
    page.text(0.15, 8.05, drawn(title, 90), size=12, weight="bold", va="top")
    if decisions:
        page.text(0.15, 7.75, "Bold and thick: the way taken, with its dates. Grey: other ways.", size=8, va="top")
    page.text(0.15, 0.08, notes_of(protocol, 200), size=6.5, va="bottom", color=GREY)
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
