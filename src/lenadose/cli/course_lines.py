"""A course in a terminal: two lines a visit, or more where 80 columns are not enough."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from lenadose.cli.terminal import TerminalConsole
from lenadose.engine.machine import Decision
from lenadose.explanation.fact_phrases import cause
from lenadose.explanation.headlines import HEADLINES, headline
from lenadose.explanation.rationale import rationale
from lenadose.formats.files import format_path
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import EvidenceLevel

_MARGIN = 12
"""The columns of the date, and of the score below it."""

_LEAST = 24
"""In a terminal with fewer columns than this beside the date, lines are cut by the terminal."""


def print_decisions(
    decisions: tuple[Decision, ...], path: str | None = None, console: Console | None = None
) -> None:
    """Print the decision at every visit, with its cause, row and next visit; *path* heads it."""
    console = console or TerminalConsole()
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    # Text, not markup: what a record says is shown as it is.
    if path is not None:
        console.print(Text(format_path(path), "bold"))
    console.print(Text(f"{patient or 'a patient'}: {protocol.id} {protocol.version}", "bold"))
    for decision in decisions:
        console.print()
        for line in _visit(decision, max(console.width - _MARGIN, _LEAST)):
            console.print(line, soft_wrap=True)
    console.print()


def print_limits(protocols: Iterable[Protocol], console: Console | None = None) -> None:
    """Print the limits of each protocol that decided, once, and the notice."""
    console = console or TerminalConsole()
    by_hash = {protocol.hash: protocol for protocol in protocols}
    for protocol in by_hash.values():
        console.print(Text(f"{protocol.title}. {protocol.evidence}"))
        console.print(Text(f"sha256 {protocol.hash}"), soft_wrap=True)
    if by_hash:
        console.print(Text(NOT_A_DEVICE))


def _visit(decision: Decision, width: int) -> Iterator[Text]:
    """Yield the lines of a visit: the date, the advice and the next visit; score, cause and row."""
    score = decision.visit.clasi_activity
    margins = [str(decision.visit.date), "no CLASI" if score is None else f"CLASI {score}"]
    for line in _lines(decision, width):
        yield Text.assemble(f"{margins.pop(0) if margins else '':<{_MARGIN}}", line)
    for left in margins:
        yield Text(left)


def _lines(decision: Decision, width: int) -> Iterator[Text]:
    """Yield the words of a visit: on the right of the first lines that have room, what follows."""
    said = [*_wrapped(_headline(decision), width)]
    for warning in rationale(decision).urgent:
        said += _wrapped(Text(f"! {warning}", "bold"), width)
    said += _wrapped(Text(cause(decision)), width) if cause(decision) else []
    beside = [Text(_next_visit(decision)), Text(_row(decision))]
    if width - min(line.cell_len for line in said) < 2 + beside[0].cell_len:
        said.append(beside.pop(0))  # no line has room for it
    for line in said:
        room = width - line.cell_len - 2
        if beside and beside[0].cell_len <= room:
            blanks = " " * (width - line.cell_len - beside[0].cell_len)
            yield Text.assemble(line, blanks, beside.pop(0))
        else:
            yield line
    for text in beside:
        text.align("right", max(width, text.cell_len))
        yield text


def _headline(decision: Decision) -> Text:
    """Return the headline in bold; only the sign is in colour, for no colour suits every screen."""
    text, head = Text(), HEADLINES[decision.action]
    text.append(headline(decision), "bold")
    text.stylize(head.colour, 0, len(head.sign))
    return text


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    for line in text.wrap(Console(width=width), width):
        line.rstrip()
        yield line


def _row(decision: Decision) -> str:
    """Return the row with its evidence, and that of the level if the trial does not state it."""
    words, level = f"{decision.rule.id}, {decision.case.provenance.tag.label}", decision.level
    if level is None or level.provenance.tag is EvidenceLevel.STATED:
        return words
    return f"{words}; level {level.provenance.tag.label}"


def _next_visit(decision: Decision) -> str:
    window = decision.next_visit
    return f"next {window.earliest} to {window.latest}" if window else "no next visit"
