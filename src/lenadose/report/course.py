"""The page of a course in Markdown: the decisions at all its visits."""

from collections.abc import Iterable, Iterator, Sequence

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import advice
from lenadose.explanation.rationale import rationale
from lenadose.report.markdown import escape, escape_line, markdown_table
from lenadose.terms.disclaimer import NOT_A_DEVICE


def course_page(decisions: Sequence[Decision]) -> str:
    """Return the page of a course: its decisions with rule and reason, and the limits."""
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    lines = [
        f"# {escape(patient or 'A patient')}, {len(decisions)} visit{'s' * (len(decisions) > 1)}",
        "",
        f"{escape_line(protocol.title)} (`{protocol.id}` {escape(protocol.version)}).",
        "",
        *course_rows(decisions),
        "",
        f"{escape_line(protocol.evidence)} {NOT_A_DEVICE} sha256 `{protocol.hash}`",
    ]
    return "\n".join(lines) + "\n"


def _advice_cell(decision: Decision) -> str:
    same_day = "; ".join(rationale(decision).urgent)
    return f"{advice(decision)}. **{escape(same_day)}**" if same_day else advice(decision)


def course_rows(decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield the decisions on a course as a table, one row for each visit."""
    return markdown_table(
        ("visit", "decision", "rule", "next visit", "reason"),
        (
            (
                str(decision.visit.date),
                _advice_cell(decision),
                f"`{decision.rule.id}` ({decision.case.provenance.tag.label})",
                next_visit(decision),
                escape(rationale(decision).reason),
            )
            for decision in decisions
        ),
    )


def next_visit(decision: Decision) -> str:
    """Format when the patient is to be seen next."""
    visit = decision.next_visit
    if visit is None:
        return "none"
    if visit.earliest == visit.due:
        return f"{visit.due}, at the latest {visit.latest}"
    return f"from {visit.earliest}, at the latest {visit.latest}"
