"""A picture as data: areas, lines, marks and texts at places on a page, and nothing of how to draw.

Places and sizes are in points (1/72 inch), from the upper left corner to the right and down. Every
program that can fill a polygon and write a line of text can draw a layout: areas first, then lines,
marks and texts.
"""

from collections.abc import Iterable, Mapping
from math import cos, floor, pi, sin
from types import MappingProxyType
from typing import Literal

from attrs import frozen

from lenadose.picture.text_width import text_width

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

Hatch = Literal["", "diagonal", "dots", "cross"]
Dash = Literal["solid", "dashed", "dotted"]
Anchor = Literal["start", "middle", "end"]
Shape = Literal["right", "up", "down", "diamond", "square", "cross", "plus", "circle"]


@frozen
class Page:
    """A page: width and height in points, and the dots per inch of a PNG."""

    width: float
    height: float
    dpi: int


SCREEN = Page(900, 525, 96)
"""A screen of 1200 by 700 pixels."""

A5 = Page(595.28, 419.53, 300)
"""A5 landscape, to print."""

# The palette of Okabe and Ito, darkened where it is the colour of words; people with any colour
# vision can tell it apart. Fills differ in lightness too, so that they differ in grey.
INK, GREY, RULE, WHITE = "#1A1A1A", "#595959", "#D9D9D9", "#FFFFFF"
DANGER, CAUTION, GOOD = "#A83200", "#7A5600", "#00694D"


@frozen
class Area:
    """A filled rectangle; `edge` is the colour of its outline, empty for none."""

    role: str
    left: float
    top: float
    right: float
    bottom: float
    fill: str
    edge: str = ""
    dash: Dash = "solid"
    hatch: Hatch = ""
    hatch_colour: str = ""


@frozen
class Line:
    """A line through points."""

    role: str
    points: tuple[Point, ...]
    colour: str = INK
    width: float = 0.8
    dash: Dash = "solid"


@frozen
class Mark:
    """A small filled shape, given by its corners."""

    role: str
    corners: tuple[Point, ...]
    fill: str
    edge: str = INK


@frozen
class Text:
    """A line of text at its baseline; a halo in white keeps lines off its letters."""

    role: str
    x: float
    y: float
    words: str
    size: float = 8
    anchor: Anchor = "start"
    bold: bool = False
    colour: str = INK
    halo: bool = False

    @property
    def box(self) -> Box:
        """The box that the text takes on the page, by the widths of DejaVu Sans."""
        width = text_width(self.words, self.size, bold=self.bold)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.76 * self.size, left + width, self.y + 0.24 * self.size


Item = Area | Line | Mark | Text


@frozen
class Layout:
    """A picture as data: the page, a title, the picture in words, and what is drawn."""

    width: float
    height: float
    dpi: int
    title: str
    alt: str
    areas: tuple[Area, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]


def lay_out(page: Page, title: str, alt: str, items: Iterable[Item]) -> Layout:
    """Return a layout of items in the order in which they cover each other."""
    drawn = tuple(items)
    return Layout(
        page.width,
        page.height,
        page.dpi,
        title,
        alt,
        tuple(item for item in drawn if isinstance(item, Area)),
        tuple(item for item in drawn if isinstance(item, Line)),
        tuple(item for item in drawn if isinstance(item, Mark)),
        tuple(item for item in drawn if isinstance(item, Text)),
    )


def overlap(one: Box, other: Box, gap: float = 0) -> bool:
    """Return whether two boxes are less than *gap* points apart."""
    return (
        one[0] < other[2] + gap
        and other[0] < one[2] + gap
        and one[1] < other[3] + gap
        and other[1] < one[3] + gap
    )


class Boxes:
    """Boxes on a page, each found by its place among any number of others."""

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        self._strips: dict[int, list[Box]] = {}
        for box in boxes:
            self.add(box)

    def add(self, box: Box) -> None:
        """Put one more box on the page."""
        for strip in self._strips_of(box, 0):
            self._strips.setdefault(strip, []).append(box)

    def overlap(self, box: Box, gap: float = 0) -> bool:
        """Return whether some box is less than *gap* points from another one."""
        return any(
            overlap(box, other, gap)
            for strip in self._strips_of(box, gap)
            for other in self._strips.get(strip, ())
        )

    @staticmethod
    def _strips_of(box: Box, gap: float) -> range:
        return range(floor((box[0] - gap) / _STRIP), floor((box[2] + gap) / _STRIP) + 1)


_STRIP = 8
"""The width, in points, of the strips of a page by which boxes are found."""

_THIN = 0.36  # half the width of an arm of a cross
_CROSS = (
    *((-_THIN, -1.0), (_THIN, -1.0), (_THIN, -_THIN), (1.0, -_THIN), (1.0, _THIN), (_THIN, _THIN)),
    *(
        (_THIN, 1.0),
        (-_THIN, 1.0),
        (-_THIN, _THIN),
        (-1.0, _THIN),
        (-1.0, -_THIN),
        (-_THIN, -_THIN),
    ),
)
_SHAPES: Mapping[Shape, tuple[Point, ...]] = MappingProxyType(
    {
        "right": ((-0.8, -1), (1, 0), (-0.8, 1)),
        "up": ((-1, 0.8), (0, -1), (1, 0.8)),
        "down": ((-1, -0.8), (0, 1), (1, -0.8)),
        "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
        "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
        "plus": _CROSS,
        "cross": tuple(((x - y) * 0.75, (x + y) * 0.75) for x, y in _CROSS),
        "circle": tuple((cos(turn * pi / 10), sin(turn * pi / 10)) for turn in range(20)),
    }
)
"""The corners of each shape, about its middle and one unit from it."""


def mark(
    role: str, shape: Shape, x: float, y: float, size: float, fill: str, edge: str = INK
) -> Mark:
    """Return a mark of a shape with its middle at a place; *size* is half its width."""
    corners = tuple((round(x + a * size, 3), round(y + b * size, 3)) for a, b in _SHAPES[shape])
    return Mark(role, corners, fill, edge)
