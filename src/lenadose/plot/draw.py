"""A layout drawn by matplotlib."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from matplotlib import get_data_path
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke

from lenadose.picture.layout import Area, Dash, Hatch, Layout, Text

_DASHES: Mapping[Dash, Literal["-"] | tuple[float, tuple[float, ...]]] = MappingProxyType(
    {
        "solid": "-",
        "dashed": (0, (4, 2)),
        "dotted": (0, (1, 2)),
    }
)
_HATCHES: Mapping[Hatch, str] = MappingProxyType(
    {"": "", "diagonal": "//", "dots": "..", "cross": "xx"}
)
_ALIGNED = MappingProxyType({"start": "left", "middle": "center", "end": "right"})
_HALO = (withStroke(linewidth=2, foreground="white"),)


def draw(layout: Layout) -> Figure:
    """Return a figure of the size of a layout, with all that it holds."""
    figure = Figure(figsize=(layout.width / 72, layout.height / 72), facecolor="white")
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, layout.width), ylim=(layout.height, 0))
    page.set_axis_off()
    for area in layout.areas:
        _draw_area(page, area)
    for line in layout.lines:
        x, y = zip(*line.points, strict=True)
        page.add_line(
            Line2D(
                x,
                y,
                linewidth=line.width,
                linestyle=_DASHES[line.dash],
                color=line.colour,
                solid_capstyle="butt",
                dash_capstyle="butt",
                solid_joinstyle="miter",
                zorder=2,
            )
        )
    for mark in layout.marks:
        page.add_patch(
            Polygon(mark.corners, facecolor=mark.fill, edgecolor=mark.edge, linewidth=0.7, zorder=3)
        )
    for text in layout.texts:
        _draw_text(page, text)
    return figure


def _draw_area(page: Axes, area: Area) -> None:
    place = (area.left, area.top), area.right - area.left, area.bottom - area.top
    page.add_patch(Rectangle(*place, facecolor=area.fill, edgecolor="none", linewidth=0, zorder=1))
    if area.hatch:
        page.add_patch(
            Rectangle(
                *place,
                fill=False,
                edgecolor=area.hatch_colour,
                hatch=_HATCHES[area.hatch],
                linewidth=0,
                zorder=1,
            )
        )
    if area.edge:
        page.add_patch(
            Rectangle(
                *place,
                fill=False,
                edgecolor=area.edge,
                linewidth=0.7,
                linestyle=_DASHES[area.dash],
                zorder=1,
            )
        )


def _draw_text(page: Axes, text: Text) -> None:
    page.text(
        text.x,
        text.y,
        drawable(text.words),
        size=text.size,
        weight="bold" if text.bold else "normal",
        color=text.colour,
        ha=_ALIGNED[text.anchor],
        va="baseline",
        path_effects=_HALO if text.halo else None,
        zorder=4,
    )


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf").get_charmap())


def drawable(text: str) -> str:
    """Return a text with ? for every character that the font lacks."""
    return "".join(sign if ord(sign) in _glyphs() else "?" for sign in text)
