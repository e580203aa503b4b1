"""Decisions and pages in a terminal: tables that can be read at 80 columns and without colour."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import HEADLINES, advice
from lenadose.explanation.rationale import rationale
from lenadose.protocol.protocol import Protocol
from lenadose.report.card import WIDTH, Card, card_text
from lenadose.report.course import next_visit
from lenadose.terms.disclaimer import NOT_A_DEVICE


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a reader that stops early to the caller; rich would exit as if a check failed."""
        raise BrokenPipeError


class _Table(TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Break a word that is wider than its column; rich would cut ids short."""
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class _Page(Markdown):
    elements: ClassVar = {**Markdown.elements, "table_open": _Table}


def print_page(markdown: str, console: Console | None = None) -> None:
    """Print a page of Markdown."""
    (console or _Console()).print(_Page(markdown, hyperlinks=False))


def print_card(card: Card, console: Console | None = None) -> None:
    """Print a card, its headline in the colour of the action and its warnings in bold."""
    console = console or _Console()
    text = Text(card_text(card, min(console.width, WIDTH)))
    text.highlight_words([card.headline], f"bold {HEADLINES[card.action].colour}")
    text.highlight_regex(r"(?m)^ ! .*$", "bold")
    console.print(text)


def print_decisions(
    protocol: Protocol, decisions: tuple[Decision, ...], console: Console | None = None
) -> None:
    """Print the decision at every visit, with its dosage, rule, reason and next visit."""
    console = console or _Console()
    title = f"{protocol.title} ({protocol.id} {protocol.version})"
    patient = decisions[-1].seen.patient.id
    # Text, not markup: what a record says is shown as it is.
    table = Table(
        title=Text(f"{patient}: {title}" if patient else title),
        title_justify="left",
        show_lines=True,
    )
    table.add_column("visit", no_wrap=True)
    table.add_column(Text("decision; rule [tag]; next visit"), ratio=4, overflow="fold")
    table.add_column("reason", ratio=5, overflow="fold")
    for decision in decisions:
        rule = f"{decision.rule.id} [{decision.case.provenance.tag.label}]"
        table.add_row(
            Text(str(decision.visit.date)),
            Text.assemble(
                (advice(decision), "bold"),
                ("".join(f"\n{said}" for said in rationale(decision).urgent), "bold underline"),
                f"\n{rule}\nnext visit {next_visit(decision)}",
            ),
            Text(rationale(decision).reason),
        )
    console.print(table)
    console.print(Text(f"\n{protocol.evidence}\n{NOT_A_DEVICE}\nsha256 {protocol.hash}"))


@contextmanager
def progress_of(words: str) -> Iterator[Callable[[int, int], None]]:
    """Show on standard error how much of a long task is done, and clear it at the end."""
    columns = (
        TextColumn(words),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
