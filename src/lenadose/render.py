"""Words and pictures made from data: the rationale of a decision, the protocol sheet, the diagram, the ledger.

Everything here is Markdown (or Mermaid inside it), rendered last; nothing is ever parsed out of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from .checks import Check, Value
from .contrast import Alternative, alternatives
from .dosing import plain
from .machine import Decision, recommend
from .protocol import Protocol, case_name, conditions
from .provenance import ASSUMED_BY, Provenance
from .reasons import Input, Rationale, rationale
from .rules import Case
from .stakes import HOW_COUNTED, Stake, stakes
from .units import PRINTED
from .vocabulary import DIMENSIONS, SET_NAMES, Action, Phase, Tag, Word
from .weighing import Argument, for_and_against
from .wording import argued, least_changes

NOT_A_DEVICE = "Research and education software, not a medical device. Hypothetical use only; not for clinical use."


def explain(decision: Decision) -> str:
    """Tell a decision and all that it rests on, in Markdown; with it the decision can be redone by hand."""
    return "\n".join(_page(rationale(decision), _nearest(decision))) + "\n"


def explain_contrast(decision: Decision) -> str:
    """Tell a decision as `explain` does, with every other action: the arguments, and the least that would change."""
    return "\n".join(_page(rationale(decision), _contrast(decision))) + "\n"


def explain_why_not(decision: Decision, action: Action) -> str:
    """Tell why a decision is not another action: the arguments for and against it, and the least that would change."""
    return "\n".join(_why_not(decision, action)) + "\n"


def value(given: Value) -> str:
    """Write a value for people; what is not known is said to be unknown."""
    match given:
        case None:
            return "unknown"
        case bool():
            return "yes" if given else "no"
        case Decimal():
            return plain(given)
        case _:
            return str(given)


def verbatim(text: str) -> str:
    """Write what a record says so that Markdown shows it as it is."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>&!~|" else each for each in text)


def called(field: str) -> str:
    """Give the name of a field for people: CLASI activity, not clasi_activity."""
    return field.removeprefix("patient.").replace("_", " ").replace("clasi", "CLASI")


def source(provenance: Provenance) -> str:
    """Write where something comes from: its tag, who says so, and the words."""
    who = "" if provenance.source in (provenance.tag.said, ASSUMED_BY) else f", {provenance.source}"
    return f"{provenance.tag.said}{who}: {provenance.words}"


def advice(decision: Decision) -> str:
    """Write the action with the dosage until the next visit; a level that the trial does not state says so."""
    if decision.level is None:
        open_question = decision.action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
        return f"{decision.action.said}: {'no dosage recommended until answered' if open_question else 'no drug'}"
    tag = decision.level.provenance.tag
    return f"{decision.action.said}: {decision.level}{'' if tag is Tag.STATED else f' [{tag.said} level]'}"


def urgent(decision: Decision) -> str:
    """Write what asks for an assessment on the same day, or nothing."""
    return next((each.words for each in rationale(decision).notices if each.id == "same-day-assessment"), "")


def _page(why: Rationale, contrast: Iterator[str]) -> Iterator[str]:
    decision = why.decision
    protocol, seen = decision.protocol, decision.seen
    yield f"# {decision.visit.date}: {advice(decision)}"
    yield ""
    if urgent(decision):
        yield f"**{verbatim(urgent(decision))}**"
        yield ""
    yield verbatim(_sentence(why.reason))
    yield ""
    if seen.patient.id:
        yield f"- Patient: {verbatim(seen.patient.id)}"
    yield f"- Rule: `{decision.rule.id}` ({source(decision.case.provenance)})"
    yield f"- It applies when: {conditions(decision.case)}{_sets_of(decision.case)}"
    yield f"- Facts: {', '.join(f'{name} {getattr(decision.facts, name).said}' for name, _ in DIMENSIONS)}"
    ladder = protocol.ladder
    yield (
        f"- Levels: {' < '.join(map(str, ladder.levels))}; a course starts at {ladder.start}; allowed now: up to "
        f"{seen.ceiling or 'none'}"
    )
    yield f"- Phase after: {decision.phase_after.said}"
    yield f"- Next visit: {next_visit(decision)}"
    if why.supply is not None:
        short = f", {why.supply.shortfall} days short" if why.supply.shortfall else ""
        yield f"- Supply: at most {why.supply.days} days; {why.supply.days_to_next_visit} days to the next visit{short}"
    for due in why.falls_due:
        yield f"- Falls due: {called(due.field)} on {', '.join(map(str, due.days))}"
    for notice in (each for each in why.notices if each.id != "same-day-assessment"):
        yield f"- {notice.words[:1].upper()}{verbatim(notice.words[1:])}"
    if decision.missing:
        yield ""
        yield "## Missing"
        yield ""
        for gap in decision.missing:
            yield f"- {called(gap.field)}: {gap.why.said}"
        possible, first = decision.possible_actions, decision.obtain_first
        yield f"- Still possible: {', '.join(action.said for action in Action if action in possible)}"
        if first:
            yield f"- Obtain first: {called(first)}"
    yield ""
    yield from contrast
    yield ""
    yield "## What was seen"
    yield ""
    yield from table(("input", "value", "unit", "date", "age"), map(_input_row, why.inputs))
    yield ""
    yield "## Arithmetic"
    yield ""
    yield from table(
        ("figure", "value", "how"),
        ((each.name, f"{value(each.value)} {each.unit}".strip(), each.working) for each in why.arithmetic),
    )
    yield ""
    yield "## Criteria"
    yield ""
    yield (
        "Response is the first that applies of complete, worse, partial and none; safety the first of stop, interrupt, "
        "not assessed, caution and acceptable. Of a response with several lines all must be met, unless a line says or."
    )
    yield ""
    yield from table(
        ("criterion", "value", "threshold", "met", "tag"),
        (
            (each.words, verbatim(value(each.value)), _threshold(each), value(each.met), each.provenance.tag.said)
            for each in why.criteria
        ),
    )
    yield ""
    yield "## Leaned on, and not stated"
    yield ""
    for entry in why.assumptions:
        yield f"- `{entry.id}` {entry.words}{f': {entry.value}' if entry.value else ''} ({source(entry.provenance)})"
    yield ""
    yield from _limits(protocol)


def _limits(protocol: Protocol) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield protocol.evidence
    yield NOT_A_DEVICE
    yield ""
    yield f"Protocol `{protocol.id}` {protocol.version}, sha256 `{protocol.hash}`"


_ELSE = "All else stays as it was at this visit; so do the visits before it."


def _nearest(decision: Decision) -> Iterator[str]:
    """Write the nearest other action and the least that would have to change for it."""
    nearest = alternatives(decision)[0]
    yield "## What would have to change"
    yield ""
    if nearest.reachable:
        yield f"For the nearest other action, {nearest.action.said}: {_least(decision, nearest)}. {_ELSE}"
    else:
        yield "No other action can be reached, whatever this visit had shown."


def _contrast(decision: Decision) -> Iterator[str]:
    """Write every other action with the least that would have to change for it, and the arguments."""
    others = alternatives(decision)
    yield from _nearest(decision)
    yield ""
    yield from table(
        ("for", "the least that would have to change"),
        ((each.action.said, _least(decision, each)) for each in others if each.reachable),
    )
    yield ""
    for each in others:
        if not each.reachable:
            yield f"- {each.action.said}: {_least(decision, each)}"
    yield ""
    yield "## For and against"
    yield ""
    yield from table(
        ("action", "row", "for", "against"),
        (
            (each.action.said, f"`{each.rule.id}`", _argued(each.in_favour), _argued(each.against))
            for each in for_and_against(decision)
        ),
    )


def _least(decision: Decision, alternative: Alternative) -> str:
    return verbatim(least_changes(decision, alternative))


def _argued(arguments: Iterable[Argument]) -> str:
    return verbatim(" ".join(map(_sentence, map(argued, arguments))))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _why_not(decision: Decision, action: Action) -> Iterator[str]:
    protocol = decision.protocol
    same = decision.action is action
    yield f"# {decision.visit.date}: {'why' if same else 'why not'} {action.said}"
    yield ""
    if urgent(decision):
        yield f"**{verbatim(urgent(decision))}**"
        yield ""
    yield f"Advised is {advice(decision)}. {verbatim(_sentence(rationale(decision).reason))}"
    yield ""
    yield f"Rule: `{decision.rule.id}` ({source(decision.case.provenance)})"
    candidate = next((each for each in for_and_against(decision) if each.action is action), None)
    if candidate is not None:
        yield ""
        yield "## For and against"
        yield ""
        yield (
            f"The row nearest to what was found is `{candidate.rule.id}` ({source(candidate.case.provenance)}). It "
            f"applies when: {conditions(candidate.case)}."
        )
        yield ""
        yield from table(
            ("argument", "fact", "criterion", "value", "threshold", "met"),
            (row for each in candidate.arguments for row in _argument_rows(each)),
        )
    if not same:
        yield ""
        yield "## What would have to change"
        yield ""
        other = next(each for each in alternatives(decision) if each.action is action)
        yield f"{_sentence(_least(decision, other))}{f' {_ELSE}' if other.reachable else ''}"
        if other.seen is not None:
            yield ""
            yield f"Then `{other.seen.match.rule.id}` applies: {advice(recommend(other.seen))}."
    yield ""
    yield from _limits(protocol)


_MANY = 5
"""More criteria than these, none of which applies, are told in one line; the page of the decision lists them all."""


def _argument_rows(argument: Argument) -> Iterator[tuple[str, ...]]:
    """Write an argument: what it is, and beside it and below the criteria behind it."""
    first = ("for" if argument.speaks_for else "against", verbatim(argued(argument)))
    applying = [each for each in argument.criteria if each.makes_its_word]
    if len(argument.criteria) > _MANY and not applying:
        yield *first, f"none of the {len(argument.criteria)} criteria that would make it otherwise applies", "", "", ""
        return
    if not argument.criteria:
        yield *first, "", "", "", ""
    for each in argument.criteria:
        yield *first, each.words, verbatim(value(each.value)), _threshold(each), value(each.met)
        first = ("", "")


def next_visit(decision: Decision) -> str:
    """Write when the patient is to be seen next."""
    visit = decision.next_visit
    if visit is None:
        return "none"
    if visit.earliest == visit.due:
        return f"{visit.due}, at the latest {visit.latest}"
    return f"from {visit.earliest}, at the latest {visit.latest}"


def _input_row(given: Input) -> tuple[str, ...]:
    # Who the patient is has no date of its own.
    dated = ("", "") if given.field.startswith("patient.") else (str(given.on), f"{given.age_days} d")
    return called(given.field), verbatim(value(given.value)), PRINTED.get(given.unit, given.unit), *dated


def _threshold(check: Check) -> str:
    # A threshold that is itself a span or a date carries its unit.
    bare = check.threshold[-1:].isdigit()
    said = f"{check.threshold} {check.unit}".strip() if bare else check.threshold
    return f"{said} ({check.working})" if check.working else said


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Write a table in Markdown."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell or '–' for cell in row)} |"


def course_page(decisions: Sequence[Decision]) -> str:
    """Write a course in Markdown: the decision at every visit with its rule and reason, and the limits."""
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    lines = [
        f"# {verbatim(patient or 'A patient')}, {len(decisions)} visit{'s' * (len(decisions) > 1)}",
        "",
        f"{protocol.title} (`{protocol.id}` {protocol.version}).",
        "",
        *course_rows(decisions),
        "",
        f"{protocol.evidence} {NOT_A_DEVICE} sha256 `{protocol.hash}`",
    ]
    return "\n".join(lines) + "\n"


def course_rows(decisions: Iterable[Decision]) -> Iterator[str]:
    """Write the decisions on a course as a table: visit, decision, rule with its tag, next visit, reason."""
    return table(
        ("visit", "decision", "rule", "next visit", "reason"),
        (
            (
                str(each.visit.date),
                advice(each) + (f". **{verbatim(urgent(each))}**" if urgent(each) else ""),
                f"`{each.rule.id}` ({each.case.provenance.tag.said})",
                next_visit(each),
                verbatim(rationale(each).reason),
            )
            for each in decisions
        ),
    )


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
            name = f"`{case_name(row, case).removeprefix('rule.')}`"
            yield name, conditions(case), row.action.said, source(case.provenance)


def _legend(sets: Iterable[frozenset[Word]] = SET_NAMES) -> str:
    """Say what the names of sets in the table stand for."""
    named = (
        f"*{SET_NAMES[words]}*: {' or '.join(word.said for word in sorted(words, key=lambda word: word.rank))}"
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
        (f"`{case_name(row, case).removeprefix('rule.')}`", conditions(case), row.action.said, case.provenance.tag.said)
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
        lines.append(f"    {_node(phase)} : <b>{phase.said}</b><br/>{staying}")
    lines += [f"    {_node(a)} --> {_node(b)} : {'<br/>'.join(names)}" for (a, b), names in edges.items()]
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
        (Tag.ASSUMED, "Assumed: nobody says; decided here, may be decided otherwise locally"),
        (Tag.ADAPTED, "Adapted: from another study or population"),
        (Tag.LABEL, "Label: for other indications"),
    ):
        of_tag = [each for each in counted if each.entry.provenance.tag is tag]
        lines += ["", f"## {title} ({len(of_tag)})"]
        for prefixes, group in LEDGER_GROUPS:
            of_group = [each for each in of_tag if each.entry.id.partition(".")[0] in prefixes]
            if of_group:
                lines += ["", f"### {group}", ""]
                lines += table(("id", "what", "value", "source", "otherwise it changes"), map(_stake_row, of_group))
    lines += ["", "## Sources", "", *(f"- {each.id}: {each.citation} ({each.confidence})" for each in protocol.sources)]
    lines += ["", f"sha256 `{protocol.hash}`", "", "Reviewed by: ____________________  Date: ____________"]
    return "\n".join(lines) + "\n"


LEDGER_GROUPS = (
    (("ladder", "intervals"), "Levels and intervals"),
    (("response",), "Response"),
    (("safety", "event"), "Safety"),
    (("note",), "Reading a record"),
    (("rule",), "Rows of the decision table"),
)
"""How the lines of the ledger are grouped, by the first word of their id."""


def _stake_row(stake: Stake) -> tuple[str, ...]:
    entry, provenance = stake.entry, stake.entry.provenance
    words = provenance.words if provenance.tag is Tag.ASSUMED else f"{provenance.source}: {provenance.words}"
    situations = f" in {stake.situations} situation{'' if stake.situations == 1 else 's'}" if stake.situations else ""
    return f"`{entry.id}`", entry.words, entry.value, words, f"{stake.words}{situations}"
