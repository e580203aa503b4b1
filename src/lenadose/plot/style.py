"""What every picture shares: its colours and letters, its legend and its notes, and the file that it is written to."""

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

from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.errors import fault

# The palette of Okabe and Ito, told apart by people with any colour vision; grey for what stands behind.
BLACK, ORANGE, BLUE, GREEN, VERMILLION, GREY = (
    "#000000",
    "#E69F00",
    "#0072B2",
    "#009E73",
    "#D55E00",
    "#595959",
)

HALO = (withStroke(linewidth=2, foreground="white"),)
"""Around what is written among lines, so that none of them crosses a letter."""

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


@frozen(eq=False)
class Picture:
    """A figure with its title and its text alternative, which says in words all that the figure shows."""

    figure: Figure
    title: str
    alt: str

    def svg(self) -> str:
        """Give the picture as SVG, its title and text alternative inside."""
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
        """Give the picture as PNG, at 200 dots an inch."""
        content = BytesIO()
        with in_style():
            FigureCanvasAgg(self.figure).print_figure(
                content,
                dpi=200,
                metadata={"Software": "lenadose", "Title": self.title, "Description": self.alt},
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
            raise fault(
                str(path),
                "is neither a .svg nor a .png file",
                "name the file by what is to be drawn in it",
            )
    try:
        where.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fault(str(path), reason, "give a path that can be written") from None


def _xml(text: str) -> str:
    """Leave out what no XML can hold."""
    return "".join(
        each for each in text if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff")
    )


def in_style() -> AbstractContextManager[None]:
    """Draw with these settings of matplotlib, whatever others are set."""
    return rc_context(_SETTINGS)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf").get_charmap())


def drawn(text: str, width: int = 200) -> str:
    """Write what a record says so that it can be drawn: on one line, a sign that the font does not have as ?."""
    return shorten(
        "".join(each if ord(each) in _glyphs() else "?" for each in text), width, placeholder=" …"
    )


@cache
def inches(text: str, size: float) -> float:
    """Give the width of a text in bold, in inches."""
    if not text.strip():
        return 0.0
    bold = FontProperties(family="DejaVu Sans", weight="bold", size=size)
    across = TextPath((0, 0), text, prop=bold).vertices[:, 0]
    return float(across.max() - across.min()) / 72


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
def question() -> Path:
    """Give a question mark as a shape."""
    outline = TextPath(
        (0, 0), "?", prop=FontProperties(family="DejaVu Sans", weight="bold", size=10)
    )
    low, high = outline.get_extents().get_points()
    return Path(outline.vertices - (low + high) / 2, outline.codes)


def key(label: str, line: str = "", **style: Any) -> Line2D:
    """Give an entry of the legend: a line, a mark or both, and what it means."""
    return Line2D([], [], linestyle=line, label=label, **style)  # type: ignore[arg-type]  # any of its styles is a text


def missing() -> Line2D:
    """Give the entry of the legend for what is missing."""
    return key(
        "missing, or too old to count",
        marker=question(),
        color=BLACK,
        markeredgewidth=0,
        markersize=9,
    )


def draw_legend(
    figure: Figure, used: Mapping[str, Key], top: float, total: float, wide: float
) -> None:
    """Write a legend of what was used, in columns, from a place on the page in inches downwards."""
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
    """Give what stands below every picture: the protocol, and the limits of its evidence and of this software."""
    words = f"{protocol.id} {protocol.version}, sha256 {protocol.hash[:12]}. {protocol.evidence} {NOT_A_DEVICE}"
    return fill(drawn(words, 4000), width)
