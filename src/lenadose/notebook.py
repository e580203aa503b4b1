"""Rich display of what the library returns: decisions, courses, protocols, pictures and the rest.

    %load_ext lenadose.notebook

The pages are those of the command line, turned into HTML: without scripts, in the colours of the
page around them, light or dark. Text from a record stays text.
"""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from html import escape as escape_html
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from lenadose.engine.machine import Decision, replay
from lenadose.engine.state import State
from lenadose.explanation.alternatives import Alternative
from lenadose.explanation.rationale import Rationale
from lenadose.plot.style import Picture
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.visit import Patient, Visit
from lenadose.report.card import card
from lenadose.report.card_formats import card_html
from lenadose.report.course import course_page
from lenadose.report.decision import all_reasons, explain
from lenadose.report.markdown import escape, unbroken
from lenadose.report.protocol import protocol_page
from lenadose.report.record import alternatives_page, patient_page, state_page, visit_page
from lenadose.report.verification import certificate_page, comparison_page, course_block
from lenadose.terms.errors import LenadoseError
from lenadose.verification.certificate import Certificate
from lenadose.verification.compare import Comparison

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from markdown_it.token import Token

STYLE = """<style>
.lenadose { max-width: 64em; line-height: 1.45; color: inherit; background: none; }
.lenadose h1 { font-size: 1.25em; margin: 0.4em 0; padding: 0; }
.lenadose h2, .lenadose h3, .lenadose summary { font-size: 1em; font-weight: bold;
  margin: 0.7em 0 0.3em; padding: 0; }
.lenadose h2::after, .lenadose h3::after { content: none; }
.lenadose summary { cursor: pointer; }
.lenadose table { border-collapse: collapse; margin: 0.4em 0; font-size: 0.9em; display: block;
  overflow-x: auto; }
.lenadose th, .lenadose td { border: 1px solid #8888; padding: 0.25em 0.5em; color: inherit;
  text-align: left !important; vertical-align: top; background: none; white-space: normal;
  min-width: 5.7em; max-width: 36em; }
.lenadose tr { background: none; }
.lenadose code { color: inherit; background: #8882; padding: 0 0.2em; overflow-wrap: break-word; }
.lenadose pre { color: inherit; background: #8882; padding: 0.5em; overflow-x: auto; }
.lenadose pre code { background: none; padding: 0; }
.lenadose img { background: white; max-width: 100%; height: auto; }
</style>"""
"""The colours are those of the page around, and translucent greys.

Jupyter aligns the cells of other tables to the right by a rule that weighs more than one of ours.
"""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def _render_text(tokens: "Sequence[Token]", place: int, *_: object) -> str:
    return unbroken(escape_html(tokens[place].content))


# Not by a class: some viewers of notebooks leave styles out.
_MARKDOWN.renderer.rules["text"] = _render_text  # type: ignore[attr-defined]  # the renderer is the one of HTML


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Register the values of the library with IPython, as HTML and as plain text."""
    formatters: Any = shell.display_formatter.formatters  # type: ignore[union-attr]
    for kind, page in _PAGES.items():
        formatters["text/plain"].for_type(kind, _printer(page))
    for kind, show in _HTML.items():
        formatters["text/html"].for_type(kind, show)
    # What `replay` and `alternatives` return are tuples; every other tuple is printed as before.
    print_tuple = formatters["text/plain"].lookup_by_type(tuple)

    def show_in_words(value: Any, printer: Any, cycle: bool) -> None:
        page = _tuple(value)
        if page is None:
            print_tuple(value, printer, cycle)
        else:
            printer.text(page)

    formatters["text/plain"].for_type(tuple, show_in_words)
    formatters["text/html"].for_type(tuple, show_tuple)


def _printer(page: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    return lambda value, printer, cycle: printer.text(page(value))


def show_decision(decision: Decision) -> str:
    """Return a decision as HTML: its card, and below it all reasons, folded."""
    reasons = html("\n".join(all_reasons(decision)), ())
    shown = card_html(card(decision))
    return f"{shown}<details><summary>All reasons</summary>{reasons}</details>"


def show_course(course: Course) -> str:
    """Return a course as HTML: its visits with the decisions of the protocol that it names."""
    return html(_course(course))


def show_tuple(value: tuple[object, ...]) -> str | None:
    """Return decisions of one protocol, or alternatives, as HTML; None for any other tuple."""
    page = _tuple(value)
    return None if page is None else html(page)


def _tuple(value: tuple[Any, ...]) -> str | None:
    if value and all(isinstance(each, Decision) for each in value):
        by_one = len({each.protocol.name for each in value}) == 1
        return course_page(value) if by_one else None
    if value and all(isinstance(each, Alternative) for each in value):
        return alternatives_page(value)
    return None


def show_protocol(protocol: Protocol) -> str:
    """Return a protocol as HTML: its decision table, with the rest folded."""
    return html(protocol_page(protocol), ("Decision table",))


def show_certificate(certificate: Certificate) -> str:
    """Return a certificate as HTML."""
    return html(certificate_page(certificate))


def show_comparison(comparison: Comparison) -> str:
    """Return a comparison as HTML, with the differences folded."""
    return html(comparison_page(comparison), ())


def show_picture(picture: Picture) -> str:
    """Return a picture as HTML, with its text alternative."""
    data = b64encode(picture.png(scale=2)).decode("ascii")
    width = round(picture.figure.get_figwidth() * 96)
    alt = escape_html(picture.alt)
    image = f'<img width="{width}" alt="{alt}" src="data:image/png;base64,{data}">'
    return f'<div class="lenadose">{STYLE}{image}</div>'


def html(markdown: str, unfolded: Collection[str] | None = None) -> str:
    """Return a page as HTML, with all sections folded but those `unfolded`; None folds nothing."""
    tokens = _MARKDOWN.parse(markdown)
    body = "".join(_fold(tokens, unfolded)) if unfolded is not None else _render(tokens)
    return f'<div class="lenadose">{STYLE}\n{body}</div>'


def _render(tokens: "Sequence[Token]") -> str:
    return str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _fold(tokens: "Sequence[Token]", unfolded: Collection[str]) -> "Iterator[str]":
    begins = [
        place
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    yield _render(tokens[: begins[0] if begins else len(tokens)])
    for begin, end in pairwise([*begins, len(tokens)]):
        title = tokens[begin + 1].content
        if title in unfolded:
            yield _render(tokens[begin:end])
        else:
            body = _render(tokens[begin + 3 : end])
            yield f"<details><summary>{escape_html(title)}</summary>\n{body}</details>\n"


def _course(course: Course) -> str:
    try:
        return course_page(replay(course))
    except LenadoseError as error:
        # A course may name a protocol that is not built in; show it as it was recorded.
        return "\n".join(
            (
                "# Course without decisions",
                "",
                escape(str(error)),
                "",
                *course_block(course),
                "",
            )
        )


def _rationale(grounds: Rationale) -> str:
    return explain(grounds.decision)


_PAGES: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        Decision: lambda decision: str(card(decision)),
        Course: _course,
        Protocol: protocol_page,
        Certificate: certificate_page,
        Comparison: comparison_page,
        Picture: lambda picture: picture.alt,
        Rationale: _rationale,
        Visit: visit_page,
        Patient: patient_page,
        State: state_page,
    }
)
_HTML: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        Decision: show_decision,
        Course: show_course,
        Protocol: show_protocol,
        Certificate: show_certificate,
        Comparison: show_comparison,
        Picture: show_picture,
        Rationale: lambda grounds: show_decision(grounds.decision),
        Visit: lambda visit: html(visit_page(visit)),
        Patient: lambda patient: html(patient_page(patient)),
        State: lambda state: html(state_page(state)),
    }
)
