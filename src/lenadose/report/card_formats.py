"""The card of a decision as text of a fixed width, as Markdown and as HTML."""

from collections.abc import Iterator
from html import escape as escape_html
from textwrap import wrap
from typing import TYPE_CHECKING

from attrs import frozen

from lenadose.explanation.calculations import printed_date
from lenadose.explanation.headlines import HEADLINES
from lenadose.report.markdown import escape, unbroken
from lenadose.terms.facts import Action

if TYPE_CHECKING:
    from lenadose.report.card import Card

WIDTH, LINES = 80, 18
"""The room of a card as text: columns, and lines at most."""

HYPOTHETICAL = "hypothetical; not a medical device"

_LABEL = 14


def card_text(card: "Card", width: int = WIDTH, lines: int = LINES) -> str:
    """Return a card as text, each line at most *width* columns; at most *lines* where it can be.

    What would change the decision gives way first, then the ends of what is not checked and of the
    source, then those of the limits and of the other lines, and last of warnings and cause.
    """
    shown = len(card.changes)
    rooms = [
        _Room(shown),
        *(_Room(changes) for changes in range(shown - 1, 1, -1)),
        *(_Room(min(shown, changes), 2, 1) for changes in (2, 1)),
        *(_Room(min(shown, changes), 1, 1) for changes in (1, 0)),
        *(_Room(0, 1, 1, 1, line) for line in (9, 2, 1)),
        *(_Room(0, 1, 1, 1, 1, prose) for prose in (3, 2, 1)),
    ]
    for room in rooms:
        text = [line.rstrip() for line in _text(card, width, room)]
        if len(text) <= lines:
            break
    return "\n".join(text)


@frozen
class _Room:
    """The changes that are shown, and the most lines of each of the other parts."""

    changes: int
    source: int = 9
    unchecked: int = 9
    limits: int = 9
    line: int = 9
    prose: int = 9


def _text(card: "Card", width: int, room: _Room) -> Iterator[str]:
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield from _two_sided(whose, HYPOTHETICAL, width)
    yield from _two_sided(card.headline, card.before, width)
    for warning in card.warnings:
        yield from _wrapped(f"! {warning}", width, 2, room.prose)
    yield from _wrapped(card.why, width, 0, room.prose)
    for line in card.lines:
        yield from _labelled(line.label, line.words, width, room.line)
    for number, change in enumerate(card.changes[: room.changes]):
        label = "" if number else _changes_label(card)
        yield from _labelled(label, f"{change.label} → {change.words}", width)
    most = {"Source": room.source, "Not checked": room.unchecked, "Limits": room.limits}
    for line in card.origin:
        yield from _labelled(line.label, line.words, width, most.get(line.label))


def _changes_label(card: "Card") -> str:
    return "Answers" if card.action is Action.REQUEST_DATA else "If today"


def _two_sided(left: str, right: str, width: int) -> Iterator[str]:
    gap = width - len(left) - len(right) - 1
    if gap > 1:
        yield f" {left}{' ' * gap}{right}"
    else:
        yield from _wrapped(left, width, 2)
        yield from _wrapped(right, width, 2)


def _wrapped(words: str, width: int, indent: int, most: int | None = None) -> Iterator[str]:
    yield from wrap(
        words,
        width,
        initial_indent=" ",
        subsequent_indent=" " * (1 + indent),
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )


def _labelled(label: str, words: str, width: int, most: int | None = None) -> Iterator[str]:
    yield from wrap(
        words,
        width,
        initial_indent=f" {label:<{_LABEL - 1}}",
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )


def card_markdown(card: "Card") -> str:
    """Return a card as Markdown."""
    return "\n".join(_markdown(card)) + "\n"


def _markdown(card: "Card") -> Iterator[str]:
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield f"# {escape(card.headline)}"
    yield ""
    yield f"{escape(whose)} · {escape(card.before)} · *{HYPOTHETICAL}*"
    yield ""
    for warning in card.warnings:
        yield f"**! {escape(warning)}**"
        yield ""
    yield escape(card.why)
    yield ""
    for line in card.lines:
        yield f"- {line.label}: {escape(line.words)}"
    if card.changes:
        yield f"- {_changes_label(card)}:"
        for change in card.changes:
            yield f"  - {escape(change.label)} → {escape(change.words)}"
    for line in card.origin:
        yield f"- {line.label}: {escape(line.words)}"


def card_html(card: "Card") -> str:
    """Return a card as HTML, without scripts, in the colours of the page around it.

    It is XHTML too, of the elements that the narrative of a FHIR resource may have.
    """
    return "".join(_html(card))


_CARD = "max-width:46em;padding:.4em .9em;border:1px solid #8886;line-height:1.4;text-align:left"
_CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;border:0;background:none"


def _html_text(words: str) -> str:
    return unbroken(escape_html(words))


def _html(card: "Card") -> Iterator[str]:
    colour = HEADLINES[card.action].colour
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield f'<div class="lenadose-card" style="{_CARD};border-left:.5em solid {colour}">'
    yield f"<div><small>{_html_text(whose)} · {HYPOTHETICAL}</small></div>"
    yield (
        f'<div><strong style="font-size:1.25em">{_html_text(card.headline)}</strong>'
        f" <small>{_html_text(card.before)}</small></div>"
    )
    for warning in card.warnings:
        yield f"<div><strong>! {_html_text(warning)}</strong></div>"
    yield f"<div>{_html_text(card.why)}</div>"
    yield '<table style="border-collapse:collapse;margin:.4em 0;font-size:.93em">'
    changes = [f"{change.label} → {change.words}" for change in card.changes]
    rows = [(line.label, [line.words]) for line in card.lines]
    rows += [(_changes_label(card), changes)] if changes else []
    rows += [(line.label, [line.words]) for line in card.origin]
    for label, words in rows:
        cell = "<br/>".join(map(_html_text, words))
        yield (
            f'<tr style="background:none"><th scope="row" style="{_CELL};white-space:nowrap">'
            f'{label}</th><td style="{_CELL}">{cell}</td></tr>'
        )
    yield "</table></div>"
