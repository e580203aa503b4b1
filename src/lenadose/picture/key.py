"""The key below a picture: what its fills and signs mean, as far as they occur in it."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from lenadose.picture.layout import INK, Area, Dash, Hatch, Item, Text
from lenadose.picture.marks import action_mark
from lenadose.picture.text_width import text_width
from lenadose.terms.facts import Action

KEY_LINE = 9.6
"""The height of a line of the key."""

_SWATCH = 14.0


@frozen
class Swatch:
    """A fill with its outline."""

    fill: str
    edge: str = INK
    dash: Dash = "solid"
    hatch: Hatch = ""
    hatch_colour: str = ""


@frozen
class KeyEntry:
    """The meaning of a swatch or of the mark of an action; of a sign that the words begin with."""

    words: str
    sign: Swatch | Action | None = None

    @property
    def indent(self) -> float:
        """The room that the sign takes before the words."""
        match self.sign:
            case None:
                return 0
            case Swatch():
                return _SWATCH + 4
            case Action():
                return 11


def on_lines(
    entries: Iterable[KeyEntry], left: float, right: float
) -> Sequence[Sequence[tuple[float, KeyEntry]]]:
    """Return the entries of a key on lines, each with its place."""
    lines: list[list[tuple[float, KeyEntry]]] = []
    x = right
    for entry in entries:
        width = entry.indent + text_width(entry.words, 8)
        if x + width > right:
            lines.append([])
            x = left
        lines[-1].append((x, entry))
        x += width + 14
    return lines


def draw_key(lines: Sequence[Sequence[tuple[float, KeyEntry]]], top: float) -> Iterator[Item]:
    """Yield the lines of a key."""
    for index, line in enumerate(lines):
        y = top + KEY_LINE * index
        for x, entry in line:
            match entry.sign:
                case Swatch(fill, edge, dash, hatch, colour):
                    yield Area("key", x, y, x + _SWATCH, y + 7.5, fill, edge, dash, hatch, colour)
                case Action() as action:
                    yield action_mark("key", action, x + 4, y + 4, 3.6)
            yield Text("key", x + entry.indent, y + 7, entry.words)
