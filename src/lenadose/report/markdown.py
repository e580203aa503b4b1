"""Markdown, and values written for people."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from lenadose.explanation.criteria_met import Value
from lenadose.protocol.rules import Case
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import SET_NAMES, Term
from lenadose.terms.provenance import ASSUMED_BY, Provenance


def format_value(value: Value) -> str:
    """Return a value written for people; None is "unknown"."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format_decimal(value)
        case _:
            return str(value)


def amount(value: Value, unit: str) -> str:
    """Return a value with its unit: "1 day", "3 days", "45 mL/min"; a value alone if unknown."""
    if value is None:
        return format_value(value)
    return f"{format_value(value)} {unit_of(value, unit)}".strip()


def unit_of(value: Value, unit: str) -> str:
    """Return a unit as it stands beside a value; words are singular after 1, none after unknown."""
    if value is None:
        return ""
    words = unit in ("days", "doses", "points", "years")
    return unit.removesuffix("s") if words and value == 1 else unit


def escape(text: str) -> str:
    """Return text of a record or a protocol escaped, so that Markdown shows it as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>&!~|" else sign for sign in text)


def escape_line(text: str) -> str:
    """Return text escaped that begins a line: no heading, no list, no block of code."""
    return re.sub(r"^(?:(?=[-#+=])|([0-9]+)(?=[.)]\s))", r"\1\\", escape(text.strip()))


def field_label(field: str) -> str:
    """Return the name of a field for people: CLASI activity, not clasi_activity."""
    return field.removeprefix("patient.").replace("_", " ").replace("clasi", "CLASI")


def cite(provenance: Provenance) -> str:
    """Return where something comes from: the evidence level, the source and the words."""
    label = provenance.tag.label
    source = "" if provenance.source in (label, ASSUMED_BY) else f", {escape(provenance.source)}"
    return f"{label}{source}: {escape(provenance.words)}"


_DAY = re.compile(
    r"\d{4}-\d{2}-\d{2}|\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
)


def unbroken(html: str) -> str:
    """Return escaped text as HTML in which no date is broken over two lines."""
    return _DAY.sub(r'<span style="white-space:nowrap">\g<0></span>', html)


def sentence(words: str) -> str:
    """Return words as a sentence: a capital first, a full stop last."""
    return f"{words[:1].upper()}{words[1:]}."


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell or '–' for cell in row)} |"


def set_legend(sets: Iterable[frozenset[Term]] = SET_NAMES) -> str:
    """Return what the names of sets in the table stand for."""
    return "; ".join(f"*{SET_NAMES[terms]}*: {_any_of(terms)}" for terms in sets) + "."


def _any_of(terms: frozenset[Term]) -> str:
    return " or ".join(term.label for term in sorted(terms, key=lambda term: term.rank))


def sets_in(case: Case) -> str:
    """Return what the names of sets in a case stand for, in brackets."""
    named = [terms for terms in case.words if terms in SET_NAMES]
    return f" ({set_legend(named).removesuffix('.')})" if named else ""
