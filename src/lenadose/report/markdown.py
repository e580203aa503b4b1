"""Markdown, and values written for people."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from lenadose.explanation.criteria_met import Value
from lenadose.terms.dosage import format_decimal
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


def escape(text: str) -> str:
    """Return text from a record escaped, so that Markdown shows it as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>&!~|" else sign for sign in text)


def field_label(field: str) -> str:
    """Return the name of a field for people: CLASI activity, not clasi_activity."""
    return field.removeprefix("patient.").replace("_", " ").replace("clasi", "CLASI")


def cite(provenance: Provenance) -> str:
    """Return where something comes from: the evidence level, the source and the words."""
    label = provenance.tag.label
    source = "" if provenance.source in (label, ASSUMED_BY) else f", {provenance.source}"
    return f"{label}{source}: {provenance.words}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell or '–' for cell in row)} |"
