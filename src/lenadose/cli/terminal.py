"""Pages and tables in a terminal: at 60 columns and without colour they say the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import ClassVar, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text
from rich.theme import Theme

from lenadose.explanation.headlines import HEADLINES
from lenadose.report.card import Card
from lenadose.report.card_formats import WIDTH, card_text


class TerminalConsole(Console):
    """A console that is not left when its reader stops early."""

    def on_broken_pipe(self) -> None:
        """Leave a reader that stops early to the caller; rich would exit as if a check failed."""
        raise BrokenPipeError


class _Table(TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Make each column as wide as its longest word; rich would cut ids to even out columns.

        Where that is too wide, each row is a paragraph, one line a column.
        """
        for part in super().__rich_console__(console, options):
            if not isinstance(part, Table):
                yield part
                continue
            widths = _widths(console, part, options.max_width)
            if widths is None:
                yield from _paragraphs(part)
                continue
            for column, width in zip(part.columns, widths, strict=True):
                column.width = width
                column.overflow = "fold"
            yield part


def _widths(console: Console, table: Table, width: int) -> list[int] | None:
    """Return the width of each column, None where their longest words do not fit."""
    needs = [_need(console, column) for column in table.columns]
    free = width - sum(least for least, _ in needs) - 2 * len(needs)
    if free < 0:
        return None
    widths = [least for least, _ in needs]
    # What is left goes where it saves most: the column with the most lines first.
    for _ in range(free):
        gains = [
            most / have if most > have else 0 for have, (_, most) in zip(widths, needs, strict=True)
        ]
        if not any(gains):
            break
        widths[gains.index(max(gains))] += 1
    return widths


def _need(console: Console, column: Column) -> tuple[int, int]:
    """Return the width of the longest word of a column, and of its longest cell."""
    measured = [console.measure(cell) for cell in (column.header, *column.cells)]
    return max(each.minimum for each in measured), max(each.maximum for each in measured)


def _paragraphs(table: Table) -> Iterator[Text | Padding]:
    """Yield each row of a table as lines, the first of which begins at the margin."""
    for number, row in enumerate(zip(*(column.cells for column in table.columns), strict=True)):
        if number:
            yield Text()
        for index, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            # In a page each cell is a text.
            line = Text(": ").join((cast(Text, column.header), cast(Text, cell)))
            yield Padding(line, (0, 0, 0, 2 if index else 0))


class _Page(Markdown):
    elements: ClassVar = MappingProxyType(  # type: ignore[assignment]  # rich only reads it
        {**Markdown.elements, "table_open": _Table}
    )


_THEME = Theme({"markdown.code": "bold"})
"""Ids are in bold; rich would put them on black, whatever the background."""


def print_page(markdown: str, console: Console | None = None) -> None:
    """Print a page of Markdown."""
    console = console or TerminalConsole()
    with console.use_theme(_THEME):
        console.print(_Page(markdown, hyperlinks=False))


def print_card(card: Card, console: Console | None = None) -> None:
    """Print a card: headline and warnings in bold, only the sign in the colour of the action."""
    console = console or TerminalConsole()
    text = Text(card_text(card, min(console.width, WIDTH)))
    text.highlight_words([card.headline], "bold")
    # Not the words: yellow is hard to read on white, and blue on black.
    sign = text.plain.find(card.headline)
    text.stylize(HEADLINES[card.action].colour, sign, sign + 1)
    text.highlight_regex(r"(?m)^ ! .*$", "bold")
    console.print(text)


@contextmanager
def progress_of(words: str, *, is_search: bool) -> Iterator[Callable[[int, int], None]]:
    """Show on standard error how much of a long task is done, and clear it at the end.

    Of a search, whose total grows, the time so far is shown; of other tasks the time left.
    """
    columns = (
        TextColumn(words),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("so far:" if is_search else "left:"),
        TimeElapsedColumn() if is_search else TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
