"""Markdown, and how values are written for people."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from lenadose.explanation.criteria_met import Value
from lenadose.terms.dosage import format_decimal
from lenadose.terms.provenance import ASSUMED_BY, Provenance


def value(given: Value) -> str:
    """Write a value for people; what is not known is said to be unknown."""
    match given:
        case None:
            return "unknown"
        case bool():
            return "yes" if given else "no"
        case Decimal():
            return format_decimal(given)
        case _:
            return str(given)


def escape(text: str) -> str:
    """Write what a record says so that Markdown shows it as it is."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>&!~|" else each for each in text)


def field_label(field: str) -> str:
    """Give the name of a field for people: CLASI activity, not clasi_activity."""
    return field.removeprefix("patient.").replace("_", " ").replace("clasi", "CLASI")


def source(provenance: Provenance) -> str:
    """Write where something comes from: its tag, who says so, and the words."""
    who = (
        "" if provenance.source in (provenance.tag.label, ASSUMED_BY) else f", {provenance.source}"
    )
    return f"{provenance.tag.label}{who}: {provenance.words}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Write a table in Markdown."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell or '–' for cell in row)} |"
