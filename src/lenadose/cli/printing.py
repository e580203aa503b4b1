"""Printing of data, pages and cards, and the progress of a long task."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from lenadose.terms.errors import CallError, fault

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType

    from lenadose.report.card import Card


def print_data(data: object) -> None:
    """Print data as JSON."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def print_page(markdown: str) -> None:
    """Print Markdown: formatted in a terminal, unchanged into a file or a pipe."""
    if sys.stdout.isatty():
        _with_rich("terminal").print_page(markdown)
    else:
        print(markdown, end="")


def print_card(card: "Card") -> None:
    """Print a card: its headline underlined by colour in a terminal, plain text elsewhere."""
    if sys.stdout.isatty():
        _with_rich("terminal").print_card(card)
    else:
        print(card)


def course_lines() -> "ModuleType":
    """Return the module that prints a course, which needs rich."""
    return _with_rich("course_lines")


def _with_rich(name: str) -> "ModuleType":
    from importlib import import_module

    try:
        return import_module(f"lenadose.cli.{name}")
    except ModuleNotFoundError:
        raise fault(
            "rich", "is not installed, and tables need it", "install lenadose[cli], or add --json"
        ) from None


def progress_of(
    words: str, *, is_search: bool
) -> "AbstractContextManager[Callable[[int, int], None] | None]":
    """Show progress if standard error is a terminal and rich is installed."""
    from contextlib import nullcontext, suppress

    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(CallError):
            return _with_rich("terminal").progress_of(words, is_search=is_search)  # type: ignore[no-any-return]  # of a module
    return nullcontext()
