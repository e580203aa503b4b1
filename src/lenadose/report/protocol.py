"""A protocol as a page, with its decision table, its diagram and its assumptions."""

from collections.abc import Iterator

from lenadose.explanation.sensitivity import HOW_COUNTED, Sensitivity, stakes
from lenadose.protocol.protocol import Protocol, case_id, conditions
from lenadose.report.markdown import cite, escape, escape_line, markdown_table, set_legend
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import EvidenceLevel, Phase


def protocol_page(protocol: Protocol) -> str:
    """Return the protocol as Markdown: ladder, intervals, criteria and the decision table."""
    return "\n".join(_protocol_page(protocol)) + "\n"


def _protocol_page(protocol: Protocol) -> Iterator[str]:
    yield f"# {escape(protocol.title)}"
    yield ""
    version = escape(protocol.version)
    yield f"Protocol `{protocol.id}` {version}, sha256 `{protocol.hash}`. {NOT_A_DEVICE}"
    yield ""
    yield escape_line(protocol.evidence)
    for prefix, title in (
        ("ladder", "Ladder"),
        ("intervals", "Intervals"),
        ("response", "Response"),
        ("safety", "Safety"),
        ("event", "Adverse events"),
        ("note", "Choices"),
    ):
        yield f"\n## {title}\n"
        entries = [entry for entry in protocol.ledger if entry.id.startswith(f"{prefix}.")]
        yield from markdown_table(
            ("id", "what", "value", "source"),
            (
                (f"`{entry.id}`", escape(entry.words), escape(entry.value), cite(entry.provenance))
                for entry in entries
            ),
        )
    yield "\n## Decision table\n"
    exactly_one = "Exactly one row applies to every possible visit; the order has no meaning."
    yield f"{exactly_one} {set_legend()}\n"
    yield from markdown_table(("row", "when", "action", "source"), _rows(protocol))
    yield "\n## Sources\n"
    yield from _sources(protocol)
    yield "\n## Notices\n"
    yield from markdown_table(
        ("id", "printed", "words", "source", "confidence"),
        (
            (
                f"`{notice.id}`",
                notice.when.label,
                escape(notice.words),
                escape(notice.source),
                notice.confidence.label,
            )
            for notice in protocol.notices
        ),
    )
    yield "\n## Not checked by the protocol\n"
    for words in protocol.unchecked:
        yield f"- {escape_line(words)}"


def _rows(protocol: Protocol) -> Iterator[tuple[str, ...]]:
    for row in protocol.table.rules:
        for case in row.cases:
            name = f"`{case_id(row, case).removeprefix('rule.')}`"
            yield name, conditions(case), row.action.label, cite(case.provenance)


def _sources(protocol: Protocol) -> Iterator[str]:
    for source in protocol.sources:
        yield "- " + escape_line(f"{source.id}: {source.citation} ({source.confidence})")


def decision_table(protocol: Protocol) -> str:
    """Return the decision table alone, short enough for a first page: row, when, action, tag."""
    rows = (
        (
            f"`{case_id(row, case).removeprefix('rule.')}`",
            conditions(case),
            row.action.label,
            case.provenance.tag.label,
        )
        for row in protocol.table.rules
        for case in row.cases
    )
    return (
        "\n".join(markdown_table(("row", "when", "action", "tag"), rows)) + f"\n\n{set_legend()}\n"
    )


def transitions(protocol: Protocol) -> dict[tuple[Phase, Phase], list[str]]:
    """Return the ids of the rows that lead from each phase to each phase after it."""
    edges: dict[tuple[Phase, Phase], list[str]] = {}
    for match in protocol.table.situations():
        edge = (match.facts.phase, match.leads_to)
        if match.rule.id not in (names := edges.setdefault(edge, [])):
            names.append(match.rule.id)
    return edges


def diagram(protocol: Protocol) -> str:
    """Return the phases, and the rows between them, as a Mermaid state diagram."""
    edges = transitions(protocol)
    lines = ["stateDiagram-v2", f"    [*] --> {_node(Phase.BEFORE_START)}"]
    for phase in Phase:
        # The rows that stay in a phase stand inside it: as loops they would cover the other arrows.
        staying = "<br/>".join(edges.pop((phase, phase), []))
        lines.append(f"    {_node(phase)} : <b>{phase.label}</b><br/>{staying}")
    lines += [
        f"    {_node(before)} --> {_node(after)} : {'<br/>'.join(names)}"
        for (before, after), names in edges.items()
    ]
    return "\n".join(lines) + "\n"


def _node(phase: Phase) -> str:
    return phase.code.replace("-", "_")


def assumptions(protocol: Protocol) -> str:
    """Return the page a clinician signs: everything the trial does not state, and its effect.

    The weakest evidence comes first.
    """
    situations = sum(1 for _ in protocol.table.situations())
    lines = [
        f"# Assumptions of {protocol.id} {escape(protocol.version)}",
        "",
        f"{escape_line(protocol.title)}. {NOT_A_DEVICE}",
        "",
        escape_line(protocol.evidence),
        "",
        HOW_COUNTED.format(situations=situations),
    ]
    sensitivities = stakes(protocol)
    for tag, title in (
        (
            EvidenceLevel.ASSUMED,
            "Assumed: not in any source; decided here, and open to local decision",
        ),
        (EvidenceLevel.ADAPTED, "Adapted: from another study or population"),
        (EvidenceLevel.LABEL, "Label: for other indications"),
    ):
        of_tag = [row for row in sensitivities if row.entry.provenance.tag is tag]
        lines += ["", f"## {title} ({len(of_tag)})"]
        for prefixes, group in LEDGER_GROUPS:
            of_group = [row for row in of_tag if row.entry.id.partition(".")[0] in prefixes]
            if of_group:
                lines += ["", f"### {group}", ""]
                lines += markdown_table(
                    ("id", "what", "value", "source", "another value changes"),
                    map(_sensitivity_row, of_group),
                )
    lines += [
        "",
        "## Sources",
        "",
        *_sources(protocol),
    ]
    lines += [
        "",
        f"sha256 `{protocol.hash}`",
        "",
        "Reviewed by: ____________________  Date: ____________",
    ]
    return "\n".join(lines) + "\n"


LEDGER_GROUPS = (
    (("ladder", "intervals"), "Levels and intervals"),
    (("response",), "Response"),
    (("safety", "event"), "Safety"),
    (("note",), "Reading a record"),
    (("rule",), "Rows of the decision table"),
)
"""The headings of the ledger, with the first words of the ids below them."""


def _sensitivity_row(sensitivity: Sensitivity) -> tuple[str, ...]:
    entry, provenance = sensitivity.entry, sensitivity.entry.provenance
    words = (
        provenance.words
        if provenance.tag is EvidenceLevel.ASSUMED
        else f"{provenance.source}: {provenance.words}"
    )
    situations = (
        f" in {sensitivity.situations} situation{'' if sensitivity.situations == 1 else 's'}"
        if sensitivity.situations
        else ""
    )
    told = (entry.words, entry.value, words, f"{sensitivity.words}{situations}")
    return f"`{entry.id}`", *map(escape, told)
