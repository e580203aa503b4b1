"""Words of a record or of a protocol file are shown as they are wherever they leave the library."""

import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

pytest.importorskip("markdown_it", reason="needs lenadose[notebook]")

from attrs import evolve
from markdown_it import MarkdownIt
from rich.console import Console
from tests.support.patients import PROTOCOL, seen
from tests.support.verified import certificate, comparison

from lenadose import Course, Patient, Protocol, explain, read_protocol, replay
from lenadose.cli import course_lines, terminal
from lenadose.record.adverse_event import AdverseEvent
from lenadose.report.course import course_page
from lenadose.report.markdown import escape, escape_line
from lenadose.report.protocol import assumptions, protocol_page
from lenadose.report.verification import certificate_page, comparison_page
from lenadose.report.why_not import explain_contrast, explain_why_not
from lenadose.terms.facts import Action
from lenadose.verification.compare import Comparison, Difference

EVIL = "![x](http://evil/x.png) <img src=x> [l](http://evil) <http://evil> `c` *e* ~~s~~ &lt;"
WORDS = ("title", "version", "citation", "words")

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def hostile_words(data: object) -> object:
    """The data of a protocol, with something for a browser in its words."""
    if isinstance(data, dict):
        return {
            key: f"{EVIL} {value}"
            if key in WORDS and isinstance(value, str)
            else named(value)
            if key == "source"
            else hostile_words(value)
            for key, value in data.items()
        }
    return [hostile_words(entry) for entry in data] if isinstance(data, list) else data


def named(source: str) -> str:
    """The name of a source, which is the same wherever it is cited."""
    for known in PROTOCOL.sources:
        source = source.replace(known.id, f"<img>{known.id}![x](http://evil)")
    return source


@cache
def hostile_protocol() -> Protocol:
    data: Any = hostile_words(PROTOCOL.data)
    data |= {"evidence": f"# {EVIL}", "unchecked": [f"1. {EVIL}"]}
    for source in data["sources"]:
        source |= {"id": named(source["id"]), "confidence": EVIL}
    return read_protocol(data)


def course() -> Course:
    event = AdverseEvent(f"odd {EVIL}", 2, "5.0")
    visits = (seen(0, 11), seen(28, 10, adverse_events=(event,)))
    return Course(visits, Patient(id=EVIL, age=40, able_to_become_pregnant=False, subtype=EVIL))


def pages() -> Iterator[tuple[str, Callable[[], str]]]:
    protocol = hostile_protocol
    yield "protocol", lambda: protocol_page(protocol())
    yield "assumptions", lambda: assumptions(protocol())
    yield "decision", lambda: explain(replay(course(), protocol())[-1])
    yield "contrast", lambda: explain_contrast(replay(course(), protocol())[-1])
    yield (
        "why not",
        lambda: explain_why_not(replay(course(), protocol())[-1], Action.ESCALATE),
    )
    yield "course", lambda: course_page(replay(course(), protocol()))
    yield (
        "certificate",
        lambda: certificate_page(evolve(certificate(PROTOCOL.id), protocol=protocol())),
    )
    yield "comparison", lambda: comparison_page(hostile_comparison())


def hostile_comparison() -> Comparison:
    found = comparison()
    wording = (Difference("title", EVIL, EVIL),)
    return evolve(found, one=hostile_protocol(), other=hostile_protocol(), wording=wording)


def marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    # Two protocols are compared in half a minute.
    return (pytest.mark.slow,) if name == "comparison" else ()


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=name, marks=marks(name)) for name, page in pages()]
)
def test_no_word_of_a_protocol_or_a_record_is_markup(page: Callable[[], str]) -> None:
    text = page()
    assert "evil" in text
    own = {"em_open", "strong_open", "code_inline", "text", "softbreak", "em_close", "strong_close"}
    headings = 0
    for token in _MARKDOWN.parse(text):
        headings += token.type == "heading_open"
        assert token.type not in ("html_block", "code_block", "lheading_open"), token
        for part in token.children or ():
            assert part.type in own, (part.type, token.content)
            if part.type in ("code_inline", "em_open"):
                assert "evil" not in part.content
    assert headings == len(re.findall("^#+ ", text, re.MULTILINE))


@pytest.mark.parametrize(
    "text", ["# h", "- l", "+ l", "1. l", "12) l", "=====", "---", "    code", "> q", "```"]
)
def test_a_line_begins_no_block(text: str) -> None:
    kinds = {token.type for token in _MARKDOWN.parse(f"words\n\n{escape_line(text)}\n")}
    assert kinds == {"paragraph_open", "inline", "paragraph_close"}
    plain = _MARKDOWN.renderInline(escape(text))
    assert "<" not in plain.replace("&lt;", "").replace("&gt;", "")


def test_escaping_changes_no_word_of_the_built_in_protocol() -> None:
    for entry in PROTOCOL.ledger:
        assert escape(entry.words) == entry.words


def test_in_a_terminal_words_are_no_markup() -> None:
    console = Console(file=io.StringIO(), width=400, no_color=True)
    markup = "[bold red]x[/] [link=http://evil]l[/link]"
    visits = (seen(0, 11), seen(28, 10, adverse_events=(AdverseEvent(markup, 2, "5.0"),)))
    decisions = replay(
        Course(visits, Patient(id=markup, able_to_become_pregnant=False)),
        evolve(PROTOCOL, title=markup, evidence=markup),
    )
    course_lines.print_decisions(decisions, console=console)
    course_lines.print_limits([decisions[-1].protocol], console)
    terminal.print_page(explain(decisions[-1]), console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert printed.count(markup) >= 4
    assert "\x1b]8" not in printed


def test_in_a_notebook_no_word_becomes_an_element() -> None:
    pytest.importorskip("IPython", reason="needs lenadose[notebook]")
    from lenadose.notebook import show_decision, show_picture, show_protocol
    from lenadose.plot import draw_course

    decisions = replay(course(), hostile_protocol())
    picture = draw_course(decisions)
    shown = (show_protocol(hostile_protocol()), show_decision(decisions[-1]))
    for html in (*shown, picture.svg().split("<metadata>")[0]):
        assert not re.search(r"<(img|a|script|iframe|object)\b", html)
    assert show_picture(picture).count("<img") == 1
    assert "<img src=x>" not in show_picture(picture)
