"""A picture and its files: SVG and PNG, the same under every style and locale."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

import matplotlib.style
from attrs import frozen
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from lenadose.formats.files import format_path, open_output
from lenadose.picture.layout import Layout
from lenadose.plot.draw import draw
from lenadose.terms.errors import fault

_SETTINGS: Mapping[Any, object] = MappingProxyType(
    {
        # The font comes with matplotlib, so that a text is equally wide on every machine.
        "font.family": "DejaVu Sans",
        "text.parse_math": False,  # what a record says is shown as it is, even dollar signs
        "text.hinting": "none",  # letters are as wide as the layout takes them to be
        "svg.hashsalt": "lenadose",
        "svg.fonttype": "path",
        "hatch.linewidth": 0.5,
    }
)


@frozen(eq=False)
class Picture:
    """A picture as data and as a figure, with its text alternative: what it shows, in words."""

    layout: Layout
    figure: Figure

    @property
    def title(self) -> str:
        """The title: what holds now, and why."""
        return self.layout.title

    @property
    def alt(self) -> str:
        """The picture in words."""
        return self.layout.alt

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

    def png(self, scale: int = 1) -> bytes:
        """Return the picture as PNG at the dots per inch of its page, or so many times as many."""
        content = BytesIO()
        with in_style():
            FigureCanvasAgg(self.figure).print_figure(
                content,
                dpi=self.layout.dpi * scale,
                metadata={"Software": "lenadose", "Title": self.title, "Description": self.alt},
            )
        return content.getvalue()


def save(picture: Picture, path: str | Path) -> None:
    """Write a picture to a .svg or .png file.

    Raises CallError for another suffix, or if the file cannot be written.
    """
    where = Path(path)
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
    """Draw with the settings of this module, whatever the style and settings of the user."""
    return matplotlib.style.context(dict(_SETTINGS), after_reset=True)


def picture_of(layout: Layout) -> Picture:
    """Return a layout drawn by matplotlib."""
    with in_style():
        return Picture(layout, draw(layout))
