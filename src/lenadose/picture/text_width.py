"""The width of a text on the page, and texts cut to a width."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import MappingProxyType

from lenadose.picture.advances import BOLD, REGULAR

_UNKNOWN = 1000  # a character that is not in the table is taken to be as wide as it is high


def _table(runs: Iterable[str]) -> dict[str, int]:
    widths: dict[str, int] = {}
    for run in runs:
        first, _, rest = run.partition(": ")
        widths |= {chr(int(first) + index): int(width) for index, width in enumerate(rest.split())}
    return widths


_WIDTHS = MappingProxyType(
    {False: MappingProxyType(_table(REGULAR)), True: MappingProxyType(_table(BOLD))}
)


@lru_cache(maxsize=10_000)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in DejaVu Sans, in points, as *size* is."""
    widths = _WIDTHS[bold]
    return sum(widths.get(sign, _UNKNOWN) for sign in text) * size / 1000


def cut(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text on one line, cut at a word to a width in points; "…" stands for the rest."""
    line = " ".join(text.split())
    widths = _WIDTHS[bold]
    rest = sum(widths[sign] for sign in " …")
    total = whole_words = letters = 0
    # A text may be of a million letters: none is looked at beyond the width.
    for place, sign in enumerate(line):
        if sign == " " and (total + rest) * size / 1000 <= width:
            whole_words = place
        total += widths.get(sign, _UNKNOWN)
        if (total + rest) * size / 1000 <= width:
            letters = place + 1
        if total * size / 1000 > width:
            kept = line[: whole_words or letters]
            return f"{kept} …" if kept else "…"
    return line


def wrap(text: str, width: float, size: float, most: int, *, bold: bool = False) -> Sequence[str]:
    """Return a text in at most so many lines of a width in points; the last one is cut."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        count = 1
        while (
            count < len(words)
            and text_width(" ".join(words[: count + 1]), size, bold=bold) <= width
        ):
            count += 1
        lines.append(cut(" ".join(words[:count]), width, size, bold=bold))
        words = words[count:]
    if words:
        lines.append(cut(" ".join(words), width, size, bold=bold))
    return lines
