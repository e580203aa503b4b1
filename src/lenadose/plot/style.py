"""The parts that all pictures share: colours, letters, legend, notes and the file."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from io import BytesIO
from pathlib import Path as FilePath
from textwrap import fill, shorten
from typing import Any
from xml.sax.saxutils import escape

from attrs import frozen
from matplotlib import get_data_path, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from lenadose.formats.files import format_path, open_output
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.errors import fault

# The palette of Okabe and Ito, which people with any colour vision can tell apart; grey is for the
# background.
BLACK, ORANGE, BLUE, GREEN, VERMILLION, GREY = (
    "#000000",
    "#E69F00",
    "#0072B2",
    "#009E73",
    "#D55E00",
    "#595959",
)

HALO = (withStroke(linewidth=2, foreground="white"),)
"""A halo around words written among lines, so that no line crosses a letter."""

_SETTINGS: dict[Any, object] = {
    # The font comes with matplotlib, so that a text is equally wide on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.parse_math": False,  # what a record says is shown as it is, even dollar signs
    "svg.hashsalt": "lenadose",
    "svg.fonttype": "path",
    "hatch.linewidth": 0.5,
    "axes.unicode_minus": False,
}

LegendEntry = Line2D | Patch
"""An entry of the legend."""


@frozen(eq=False)
class Picture:
    """A figure with its title and its text alternative: what the figure shows, in words."""

    figure: Figure
    title: str
    alt: str

    def svg(self) -> str:
        """Return the picture as SVG, with its title and text alternative."""
        content = BytesIO()
        with in_style():
            FigureCanvasSVG(self.figure).print_figure(
                content,
                format="svg",
                metadata={"Date": None, "Creator": "lenadose", "Title": _xml(self.title)},
            )
        described = f"</title>\n <desc>{escape(_xml(self.alt))}</desc>"
        text = content.getvalue().decode("utf-8").replace("</title>", described, 1)
        return text.replace("<svg ", '<svg role="img" ', 1)

    def png(self) -> bytes:
        """Return the picture as PNG, at 200 dots per inch."""
        content = BytesIO()
        with in_style():
            FigureCanvasAgg(self.figure).print_figure(
                content,
                dpi=200,
                metadata={"Software": "lenadose", "Title": self.title, "Description": self.alt},
            )
        return content.getvalue()


def save(picture: Picture, path: str | FilePath) -> None:
    """Write a picture to a .svg or .png file.

    Raises CallError for another suffix, or if the file cannot be written.
    """
    where = FilePath(path)
    match where.suffix.lower():
        case ".svg":
            content = picture.svg().encode("utf-8")
        case ".png":
            content = picture.png()
        case _:
            raise fault(
                format_path(path),
                "is neither a .svg nor a .png file",
                "give the path of a .svg or .png file",
            )
    try:
        with open_output(where) as file:
            file.write(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fault(format_path(path), reason, "give a path that can be written") from None


def _xml(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return "".join(
        sign for sign in text if sign in "\t\n" or (sign >= " " and sign not in "\ufffe\uffff")
    )


def in_style() -> AbstractContextManager[None]:
    """Draw with the settings of this module, whatever the user's settings of matplotlib."""
    return rc_context(_SETTINGS)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf").get_charmap())


def drawable(text: str, width: int = 200) -> str:
    """Return text from a record on one line, with ? for every character the font lacks."""
    return shorten(
        "".join(sign if ord(sign) in _glyphs() else "?" for sign in text), width, placeholder=" …"
    )


@cache
def inches(text: str, size: float) -> float:
    """Return the width of a text in bold, in inches."""
    if not text.strip():
        return 0.0
    bold = FontProperties(family="DejaVu Sans", weight="bold", size=size)
    across = TextPath((0, 0), text, prop=bold).vertices[:, 0]
    return float(across.max() - across.min()) / 72


def spread_out(wanted: Sequence[float], gap: float) -> list[float]:
    """Return places in order, as near as possible to those wanted, at least `gap` apart."""
    pools: list[tuple[float, int]] = []
    for index, place in enumerate(wanted):
        mean, size = place - index * gap, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    flat = [mean for mean, size in pools for _ in range(size)]
    return [place + index * gap for index, place in enumerate(flat)]


@cache
def question_mark() -> Path:
    """Return a question mark as a shape."""
    outline = TextPath(
        (0, 0), "?", prop=FontProperties(family="DejaVu Sans", weight="bold", size=10)
    )
    low, high = outline.get_extents().get_points()
    return Path(outline.vertices - (low + high) / 2, outline.codes)


def legend_entry(label: str, line: str = "", **style: Any) -> Line2D:
    """Return an entry of the legend: a line, a mark or both, with its meaning."""
    return Line2D([], [], linestyle=line, label=label, **style)  # type: ignore[arg-type]


def missing_marker() -> Line2D:
    """Return the entry of the legend for missing values."""
    return legend_entry(
        "missing, or too old to count",
        marker=question_mark(),
        color=BLACK,
        markeredgewidth=0,
        markersize=9,
    )


def draw_legend(
    figure: Figure, used: Mapping[str, LegendEntry], top: float, total: float, wide: float
) -> None:
    """Write the legend in columns, downwards from `top`, in inches from the bottom of the page."""
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


def notes_of(protocol: Protocol, width: int) -> str:
    """Return the notes below a picture: the protocol, its evidence, and the disclaimer."""
    identity = f"{protocol.id} {protocol.version}, sha256 {protocol.hash[:12]}"
    return fill(drawable(f"{identity}. {protocol.evidence} {NOT_A_DEVICE}", 4000), width)
