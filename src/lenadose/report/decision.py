"""Words and pictures made from data: the rationale of a decision, the protocol sheet, the diagram, the ledger.

Everything here is Markdown (or Mermaid inside it), rendered last; nothing is ever parsed out of it.
"""

from collections.abc import Iterable, Iterator, Sequence

from lenadose.engine.machine import Decision, recommend
from lenadose.explanation.alternatives import (
    Alternative,
    alternative,
    alternatives,
    nearest_alternative,
)
from lenadose.explanation.arguments import Argument, for_and_against
from lenadose.explanation.criteria_met import EvaluatedCriterion
from lenadose.explanation.phrases import describe_argument, smallest_changes
from lenadose.explanation.rationale import InputUsed, Rationale, rationale
from lenadose.protocol.protocol import Protocol, conditions
from lenadose.report.markdown import _sentence, escape, field_label
from lenadose.report.markdown import cite as source
from lenadose.report.markdown import format_value as value
from lenadose.report.markdown import markdown_table as table
from lenadose.report.protocol import _sets_of
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS, Action, EvidenceLevel
from lenadose.terms.units import PRINTED


def explain(decision: Decision) -> str:
    """Tell a decision and all that it rests on, in Markdown; with it the decision can be redone by hand."""
    nearest = _nearest(decision, nearest_alternative(decision))
    return "\n".join(_page(rationale(decision), nearest)) + "\n"


def explain_contrast(decision: Decision) -> str:
    """Tell a decision as `explain` does, with every other action: the arguments, and the least that would change."""
    return "\n".join(_page(rationale(decision), _contrast(decision))) + "\n"


def explain_why_not(decision: Decision, action: Action) -> str:
    """Tell why a decision is not another action: the arguments for and against it, and the least that would change."""
    return "\n".join(_why_not(decision, action)) + "\n"


def advice(decision: Decision) -> str:
    """Write the action with the dosage until the next visit; a level that the trial does not state says so."""
    if decision.level is None:
        open_question = decision.action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
        return f"{decision.action.label}: {'no dosage recommended until answered' if open_question else 'no drug'}"
    tag = decision.level.provenance.tag
    return f"{decision.action.label}: {decision.level}{'' if tag is EvidenceLevel.STATED else f' [{tag.label} level]'}"


def urgent(decision: Decision) -> str:
    """Write what asks for an assessment on the same day, or nothing."""
    return next(
        (each.words for each in rationale(decision).notices if each.id == "same-day-assessment"), ""
    )


def _page(why: Rationale, contrast: Iterator[str]) -> Iterator[str]:
    decision = why.decision
    protocol, seen = decision.protocol, decision.seen
    yield f"# {decision.visit.date}: {advice(decision)}"
    yield ""
    if urgent(decision):
        yield f"**{escape(urgent(decision))}**"
        yield ""
    yield escape(_sentence(why.reason))
    yield ""
    if seen.patient.id:
        yield f"- Patient: {escape(seen.patient.id)}"
    yield f"- Rule: `{decision.rule.id}` ({source(decision.case.provenance)})"
    yield f"- It applies when: {conditions(decision.case)}{_sets_of(decision.case)}"
    yield f"- Facts: {', '.join(f'{name} {getattr(decision.facts, name).label}' for name, _ in DIMENSIONS)}"
    ladder = protocol.ladder
    yield (
        f"- Levels: {' < '.join(map(str, ladder.levels))}; a course starts at {ladder.start}; allowed now: up to "
        f"{seen.ceiling or 'none'}"
    )
    yield f"- Phase after: {decision.phase_after.label}"
    yield f"- Next visit: {next_visit(decision)}"
    if why.supply is not None:
        short = f", {why.supply.shortfall} days short" if why.supply.shortfall else ""
        yield f"- Supply: at most {why.supply.days} days; {why.supply.days_to_next_visit} days to the next visit{short}"
    for due in why.monitoring_due:
        yield f"- Falls due: {field_label(due.field)} on {', '.join(map(str, due.days))}"
    for notice in (each for each in why.notices if each.id != "same-day-assessment"):
        yield f"- {notice.words[:1].upper()}{escape(notice.words[1:])}"
    if decision.missing:
        yield ""
        yield "## Missing"
        yield ""
        for gap in decision.missing:
            yield f"- {field_label(gap.field)}: {gap.why.label}"
        possible, first = decision.possible_actions, decision.obtain_first
        yield f"- Still possible: {', '.join(action.label for action in Action if action in possible)}"
        if first:
            yield f"- Obtain first: {field_label(first)}"
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
        (
            (each.name, f"{value(each.value)} {each.unit}".strip(), each.working)
            for each in why.arithmetic
        ),
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
            (
                each.words,
                escape(value(each.value)),
                _threshold(each),
                value(each.met),
                each.provenance.tag.label,
            )
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


def _nearest(decision: Decision, nearest: Alternative | None) -> Iterator[str]:
    """Yield the nearest other action with the smallest change that leads to it."""
    yield "## What would have to change"
    yield ""
    if nearest:
        yield f"For the nearest other action, {nearest.action.label}: {_least(decision, nearest)}. {_ELSE}"
    else:
        yield "No other action can be reached, whatever this visit had shown."


def _contrast(decision: Decision) -> Iterator[str]:
    """Write every other action with the least that would have to change for it, and the arguments."""
    others = alternatives(decision)
    yield from _nearest(decision, others[0] if others[0].reachable else None)
    yield ""
    yield from table(
        ("for", "the least that would have to change"),
        ((each.action.label, _least(decision, each)) for each in others if each.reachable),
    )
    yield ""
    for each in others:
        if not each.reachable:
            yield f"- {each.action.label}: {_least(decision, each)}"
    yield ""
    yield "## For and against"
    yield ""
    yield from table(
        ("action", "row", "for", "against"),
        (
            (each.action.label, f"`{each.rule.id}`", _argued(each.in_favour), _argued(each.against))
            for each in for_and_against(decision)
        ),
    )


def _least(decision: Decision, alternative: Alternative) -> str:
    return escape(smallest_changes(decision, alternative))


def _argued(arguments: Iterable[Argument]) -> str:
    return escape(" ".join(map(_sentence, map(describe_argument, arguments))))


def _why_not(decision: Decision, action: Action) -> Iterator[str]:
    protocol = decision.protocol
    same = decision.action is action
    yield f"# {decision.visit.date}: {'why' if same else 'why not'} {action.label}"
    yield ""
    if urgent(decision):
        yield f"**{escape(urgent(decision))}**"
        yield ""
    yield f"Advised is {advice(decision)}. {escape(_sentence(rationale(decision).reason))}"
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
        other = alternative(decision, action)
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
    first = ("for" if argument.speaks_for else "against", escape(describe_argument(argument)))
    applying = [each for each in argument.criteria if each.makes_its_word]
    if len(argument.criteria) > _MANY and not applying:
        yield (
            *first,
            f"none of the {len(argument.criteria)} criteria that would make it otherwise applies",
            "",
            "",
            "",
        )
        return
    if not argument.criteria:
        yield *first, "", "", "", ""
    for each in argument.criteria:
        yield *first, each.words, escape(value(each.value)), _threshold(each), value(each.met)
        first = ("", "")


def next_visit(decision: Decision) -> str:
    """Write when the patient is to be seen next."""
    visit = decision.next_visit
    if visit is None:
        return "none"
    if visit.earliest == visit.due:
        return f"{visit.due}, at the latest {visit.latest}"
    return f"from {visit.earliest}, at the latest {visit.latest}"


def _input_row(given: InputUsed) -> tuple[str, ...]:
    # Who the patient is has no date of its own.
    dated = (
        ("", "") if given.field.startswith("patient.") else (str(given.on), f"{given.age_days} d")
    )
    return (
        field_label(given.field),
        escape(value(given.value)),
        PRINTED.get(given.unit, given.unit),
        *dated,
    )


def _threshold(check: EvaluatedCriterion) -> str:
    # A threshold that is itself a span or a date carries its unit.
    bare = check.threshold[-1:].isdigit()
    said = f"{check.threshold} {check.unit}".strip() if bare else check.threshold
    return f"{said} ({check.working})" if check.working else said


def course_page(decisions: Sequence[Decision]) -> str:
    """Write a course in Markdown: the decision at every visit with its rule and reason, and the limits."""
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    lines = [
        f"# {escape(patient or 'A patient')}, {len(decisions)} visit{'s' * (len(decisions) > 1)}",
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
                advice(each) + (f". **{escape(urgent(each))}**" if urgent(each) else ""),
                f"`{each.rule.id}` ({each.case.provenance.tag.label})",
                next_visit(each),
                escape(rationale(each).reason),
            )
            for each in decisions
        ),
    )
