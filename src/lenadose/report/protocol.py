"""A protocol as a page: the sheet, the decision table, the diagram, the assumptions."""

from collections.abc import Iterable, Iterator

from lenadose.explanation.sensitivity import HOW_COUNTED, Sensitivity, stakes
from lenadose.protocol.protocol import Protocol, case_id, conditions
from lenadose.protocol.rules import Case
from lenadose.report.markdown import source, table
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import SET_NAMES, EvidenceLevel, Phase, Term


def sheet(protocol: Protocol) -> str:
    """Write the protocol sheet in Markdown: ladder and intervals, criteria, and the decision table."""
    return "\n".join(_sheet(protocol)) + "\n"


def _sheet(protocol: Protocol) -> Iterator[str]:
    yield f"# {protocol.title}"
    yield ""
    yield f"Protocol `{protocol.id}` {protocol.version}, sha256 `{protocol.hash}`. {NOT_A_DEVICE}"
    yield ""
    yield protocol.evidence
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
        yield from table(
            ("id", "what", "value", "source"),
            ((f"`{each.id}`", each.words, each.value, source(each.provenance)) for each in entries),
        )
    yield "\n## Decision table\n"
    yield f"Exactly one row applies to every possible visit; the order means nothing. {_legend()}\n"
    yield from table(("row", "when", "action", "source"), _rows(protocol))
    yield "\n## Sources\n"
    for each in protocol.sources:
        yield f"- {each.id}: {each.citation} ({each.confidence})"
    yield "\n## Not checked by the protocol\n"
    for words in protocol.unchecked:
        yield f"- {words}"


def _rows(protocol: Protocol) -> Iterator[tuple[str, ...]]:
    for row in protocol.table.rules:
        for case in row.cases:
            name = f"`{case_id(row, case).removeprefix('rule.')}`"
            yield name, conditions(case), row.action.label, source(case.provenance)


def _legend(sets: Iterable[frozenset[Term]] = SET_NAMES) -> str:
    """Say what the names of sets in the table stand for."""
    named = (
        f"*{SET_NAMES[words]}*: {' or '.join(word.label for word in sorted(words, key=lambda word: word.rank))}"
        for words in sets
    )
    return "; ".join(named) + "."


def _sets_of(case: Case) -> str:
    """Say what the names of sets in a case stand for, in brackets."""
    named = [words for words in case.words if words in SET_NAMES]
    return f" ({_legend(named).removesuffix('.')})" if named else ""


def decision_table(protocol: Protocol) -> str:
    """Write the decision table alone, short enough for a first page: row, when, action, tag."""
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
    return "\n".join(table(("row", "when", "action", "tag"), rows)) + f"\n\n{_legend()}\n"


def moves(protocol: Protocol) -> dict[tuple[Phase, Phase], list[str]]:
    """Give, for every phase and the phase after it, the rows that lead from the one to the other."""
    edges: dict[tuple[Phase, Phase], list[str]] = {}
    for match in protocol.table.situations():
        edge = (match.facts.phase, match.leads_to)
        if match.rule.id not in (names := edges.setdefault(edge, [])):
            names.append(match.rule.id)
    return edges


def diagram(protocol: Protocol) -> str:
    """Draw the phases and the rows that lead from one to another, as a Mermaid state diagram."""
    edges = moves(protocol)
    lines = ["stateDiagram-v2", f"    [*] --> {_node(Phase.BEFORE_START)}"]
    for phase in Phase:
        # The rows that stay in a phase stand inside it: as loops they would cover the other arrows.
        staying = "<br/>".join(edges.pop((phase, phase), []))
        lines.append(f"    {_node(phase)} : <b>{phase.label}</b><br/>{staying}")
    lines += [
        f"    {_node(a)} --> {_node(b)} : {'<br/>'.join(names)}" for (a, b), names in edges.items()
    ]
    return "\n".join(lines) + "\n"


def _node(phase: Phase) -> str:
    return phase.code.replace("-", "_")


def assumptions(protocol: Protocol) -> str:
    """Write the page that a clinician signs: all that the trial does not state, weakest first, and what it changes."""
    situations = sum(1 for _ in protocol.table.situations())
    lines = [
        f"# What {protocol.id} {protocol.version} assumes",
        "",
        f"{protocol.title}. {NOT_A_DEVICE}",
        "",
        protocol.evidence,
        "",
        HOW_COUNTED.format(situations=situations),
    ]
    counted = stakes(protocol)
    for tag, title in (
        (
            EvidenceLevel.ASSUMED,
            "Assumed: nobody says; decided here, may be decided otherwise locally",
        ),
        (EvidenceLevel.ADAPTED, "Adapted: from another study or population"),
        (EvidenceLevel.LABEL, "Label: for other indications"),
    ):
        of_tag = [each for each in counted if each.entry.provenance.tag is tag]
        lines += ["", f"## {title} ({len(of_tag)})"]
        for prefixes, group in LEDGER_GROUPS:
            of_group = [each for each in of_tag if each.entry.id.partition(".")[0] in prefixes]
            if of_group:
                lines += ["", f"### {group}", ""]
                lines += table(
                    ("id", "what", "value", "source", "otherwise it changes"),
                    map(_stake_row, of_group),
                )
    lines += [
        "",
        "## Sources",
        "",
        *(f"- {each.id}: {each.citation} ({each.confidence})" for each in protocol.sources),
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
"""How the lines of the ledger are grouped, by the first word of their id."""


def _stake_row(stake: Sensitivity) -> tuple[str, ...]:
    entry, provenance = stake.entry, stake.entry.provenance
    words = (
        provenance.words
        if provenance.tag is EvidenceLevel.ASSUMED
        else f"{provenance.source}: {provenance.words}"
    )
    situations = (
        f" in {stake.situations} situation{'' if stake.situations == 1 else 's'}"
        if stake.situations
        else ""
    )
    return f"`{entry.id}`", entry.words, entry.value, words, f"{stake.words}{situations}"
