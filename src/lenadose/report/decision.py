"""The pages of a decision and of a course, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from lenadose.engine.machine import Decision, recommend
from lenadose.explanation.alternatives import (
    Alternative,
    alternative,
    alternatives,
    nearest_alternative,
)
from lenadose.explanation.arguments import Argument, for_and_against
from lenadose.explanation.calculations import in_days
from lenadose.explanation.criteria_met import EvaluatedCriterion
from lenadose.explanation.headlines import advice
from lenadose.explanation.phrases import describe_argument, smallest_changes
from lenadose.explanation.rationale import InputUsed, Rationale, rationale
from lenadose.protocol.notices import Notice, Occasion
from lenadose.protocol.protocol import Protocol, conditions
from lenadose.report.markdown import (
    amount,
    cite,
    escape,
    escape_line,
    field_label,
    format_value,
    markdown_table,
    sentence,
    sets_in,
    unit_of,
)
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.dosage import lower_of
from lenadose.terms.facts import DIMENSIONS, TREATED, Action, Phase
from lenadose.terms.units import PRINTED


def explain(decision: Decision) -> str:
    """Return the page of a decision: all that is needed to redo it by hand, in Markdown."""
    nearest = _nearest(decision, nearest_alternative(decision))
    return "\n".join(_page(rationale(decision), nearest)) + "\n"


def explain_contrast(decision: Decision) -> str:
    """Return the page of a decision with the arguments and the smallest change for each action."""
    return "\n".join(_page(rationale(decision), _contrast(decision))) + "\n"


def explain_why_not(decision: Decision, action: Action) -> str:
    """Return the page on one action: its arguments, and the smallest change that leads to it."""
    return "\n".join(_why_not(decision, action)) + "\n"


def urgent(decision: Decision) -> str:
    """Return the reasons for an assessment on the same day, and what else cannot wait."""
    why = rationale(decision)
    same_day = (said.words for said in why.messages if said.id == "same-day-assessment")
    at_once = (_sourced(notice) for notice in why.notices if notice.when in _AT_ONCE)
    return "; ".join((*same_day, *at_once))


_AT_ONCE = (Occasion.PREGNANCY, Occasion.EXPOSURE)
"""The occasions of notices that stand beside a same-day assessment."""


def _sourced(notice: Notice) -> str:
    return f"{notice.words} ({notice.source}; {notice.confidence.label})"


def _page(why: Rationale, contrast: Iterator[str]) -> Iterator[str]:
    decision = why.decision
    protocol, seen = decision.protocol, decision.seen
    yield f"# {decision.visit.date}: {advice(decision)}"
    yield ""
    if urgent(decision):
        yield f"**{escape(urgent(decision))}**"
        yield ""
    yield escape(sentence(why.reason))
    yield ""
    if seen.patient.id:
        yield f"- Patient: {escape(seen.patient.id)}"
    yield f"- Rule: `{decision.rule.id}` ({cite(decision.case.provenance)})"
    yield f"- It applies when: {conditions(decision.case)}{sets_in(decision.case)}"
    facts = (f"{name} {getattr(decision.facts, name).label}" for name, _ in DIMENSIONS)
    yield f"- Facts: {', '.join(facts)}"
    yield f"- Levels: {'; '.join((' < '.join(map(str, protocol.ladder.levels)), *_allowed(why)))}"
    yield f"- Phase after: {decision.phase_after.label}"
    yield f"- Next visit: {next_visit(decision)}"
    if why.supply is not None:
        supply = why.supply
        short = f", {in_days(supply.shortfall)} short" if supply.shortfall else ""
        next_in = f"{in_days(supply.days_to_next_visit)} to the next visit"
        yield f"- Supply: at most {in_days(supply.days)}; {next_in}{short}"
    for due in why.monitoring_due:
        yield f"- Falls due: {field_label(due.field)} on {', '.join(map(str, due.days))}"
    for message in why.messages:
        if message.id != "same-day-assessment":
            yield f"- {message.words[:1].upper()}{escape(message.words[1:])}"
    if decision.missing:
        yield ""
        yield "## Missing"
        yield ""
        for gap in decision.missing:
            yield f"- {field_label(gap.field)}: {gap.why.label}"
        possible, first = decision.possible_actions, decision.obtain_first
        labels = (action.label for action in Action if action in possible)
        yield f"- Still possible: {', '.join(labels)}"
        if first:
            yield f"- Obtain first: {field_label(first)}"
    yield ""
    yield from contrast
    yield ""
    told = [notice for notice in why.notices if notice.when not in _AT_ONCE]
    if told:
        yield "## Notices"
        yield ""
        yield "They change no action. Each with its source, and how sure it is."
        yield ""
        for notice in told:
            yield f"- {sentence(escape(_sourced(notice)))}"
        yield ""
    yield "## What was seen"
    yield ""
    yield from markdown_table(
        ("input", "value", "unit", "date", "age"), map(_input_row, why.inputs)
    )
    yield ""
    yield "## Arithmetic"
    yield ""
    yield from markdown_table(
        ("figure", "value", "how"),
        (
            (figure.name, escape(amount(figure.value, figure.unit)), escape(figure.working))
            for figure in why.arithmetic
        ),
    )
    yield ""
    yield "## Criteria"
    yield ""
    yield (
        "Response is the first that applies of complete, mild, worse, partial and none; safety the "
        "first of stop, interrupt, not assessed, caution and acceptable. Of a response with "
        "several lines all must be met, unless a line says or."
    )
    yield ""
    yield from markdown_table(
        ("criterion", "value", "threshold", "met", "tag"),
        (
            (
                escape(criterion.words),
                escape(_value(criterion)),
                _threshold(criterion),
                format_value(criterion.met),
                criterion.provenance.tag.label,
            )
            for criterion in why.criteria
        ),
    )
    yield ""
    yield "## Relied on, not stated by the trial"
    yield ""
    for entry in why.assumptions:
        number = f": {entry.value}" if entry.value else ""
        yield f"- `{entry.id}` {escape(entry.words + number)} ({cite(entry.provenance)})"
    yield ""
    yield from _limits(protocol)


def _allowed(why: Rationale) -> Iterator[str]:
    """Yield the level at which a course begins, and the highest allowed after the decision."""
    decision, ladder = why.decision, why.decision.protocol.ladder
    if decision.action is Action.START:
        yield f"this course starts at {decision.level}"
    elif decision.phase_after in (Phase.BEFORE_START, Phase.OFF_TREATMENT):
        level = lower_of(ladder.start, why.ceiling_after)
        yield f"a course would start at {level}" if level else "no level is left to start at"
    if decision.phase_after in TREATED:
        level = why.ceiling_after
        yield f"allowed from now on: up to {level}" if level else "no level is left to resume at"


def _limits(protocol: Protocol) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield escape_line(protocol.evidence)
    yield NOT_A_DEVICE
    yield ""
    yield f"Protocol `{protocol.id}` {escape(protocol.version)}, sha256 `{protocol.hash}`"


_ELSE = "All else stays as it was at this visit; so do the visits before it."


def _nearest(decision: Decision, nearest: Alternative | None) -> Iterator[str]:
    """Yield the nearest other action with the smallest change that leads to it."""
    yield "## What would have to change"
    yield ""
    if nearest:
        changes = _smallest_changes(decision, nearest)
        yield f"For the nearest other action, {nearest.action.label}: {changes}. {_ELSE}"
    else:
        yield "No other action can be reached, whatever this visit had shown."


def _contrast(decision: Decision) -> Iterator[str]:
    """Yield every other action with the smallest change that leads to it, and the arguments."""
    others = alternatives(decision)
    yield from _nearest(decision, others[0] if others[0].reachable else None)
    yield ""
    yield from markdown_table(
        ("for", "the least that would have to change"),
        (
            (other.action.label, _smallest_changes(decision, other))
            for other in others
            if other.reachable
        ),
    )
    yield ""
    for other in others:
        if not other.reachable:
            yield f"- {other.action.label}: {_smallest_changes(decision, other)}"
    yield ""
    yield "## For and against"
    yield ""
    yield from markdown_table(
        ("action", "row", "for", "against"),
        (
            (
                candidate.action.label,
                f"`{candidate.rule.id}`",
                _argued(candidate.in_favour),
                _argued(candidate.against),
            )
            for candidate in for_and_against(decision)
        ),
    )


def _smallest_changes(decision: Decision, alternative: Alternative) -> str:
    return escape(smallest_changes(decision, alternative))


def _argued(arguments: Iterable[Argument]) -> str:
    return escape(" ".join(map(sentence, map(describe_argument, arguments))))


def _why_not(decision: Decision, action: Action) -> Iterator[str]:
    protocol = decision.protocol
    same = decision.action is action
    yield f"# {decision.visit.date}: {'why' if same else 'why not'} {action.label}"
    yield ""
    if urgent(decision):
        yield f"**{escape(urgent(decision))}**"
        yield ""
    yield f"Advised is {advice(decision)}. {escape(sentence(rationale(decision).reason))}"
    yield ""
    yield f"Rule: `{decision.rule.id}` ({cite(decision.case.provenance)})"
    candidates = {candidate.action: candidate for candidate in for_and_against(decision)}
    candidate = candidates.get(action)
    if candidate is not None:
        yield ""
        yield "## For and against"
        yield ""
        yield (
            f"The row nearest to the facts is `{candidate.rule.id}` "
            f"({cite(candidate.case.provenance)}). It applies when: "
            f"{conditions(candidate.case)}."
        )
        yield ""
        yield from markdown_table(
            ("argument", "fact", "criterion", "value", "threshold", "met"),
            (row for argument in candidate.arguments for row in _argument_rows(argument)),
        )
    if not same:
        yield ""
        yield "## What would have to change"
        yield ""
        other = alternative(decision, action)
        rest = f" {_ELSE}" if other.reachable else ""
        yield f"{sentence(_smallest_changes(decision, other))}{rest}"
        if other.seen is not None:
            yield ""
            yield f"Then `{other.seen.match.rule.id}` applies: {advice(recommend(other.seen))}."
    yield ""
    yield from _limits(protocol)


_MANY = 5
"""More criteria, none of which applies, take one line; the page of the decision lists all."""


def _argument_rows(argument: Argument) -> Iterator[tuple[str, ...]]:
    """Yield the rows of an argument, one for each criterion behind it."""
    first = ("for" if argument.speaks_for else "against", escape(describe_argument(argument)))
    applying = any(criterion.makes_its_word for criterion in argument.criteria)
    if len(argument.criteria) > _MANY and not applying:
        yield (
            *first,
            f"none of the {len(argument.criteria)} criteria that would change it applies",
            "",
            "",
            "",
        )
        return
    if not argument.criteria:
        yield *first, "", "", "", ""
    for criterion in argument.criteria:
        yield (
            *first,
            escape(criterion.words),
            escape(_value(criterion)),
            _threshold(criterion),
            format_value(criterion.met),
        )
        first = ("", "")


def next_visit(decision: Decision) -> str:
    """Format when the patient is to be seen next."""
    visit = decision.next_visit
    if visit is None:
        return "none"
    if visit.earliest == visit.due:
        return f"{visit.due}, at the latest {visit.latest}"
    return f"from {visit.earliest}, at the latest {visit.latest}"


def _input_row(used: InputUsed) -> tuple[str, ...]:
    # Who the patient is has no date of its own.
    dated = ("", "") if used.field.startswith("patient.") else (str(used.on), f"{used.age_days} d")
    return (
        field_label(used.field),
        escape(format_value(used.value)),
        PRINTED.get(used.unit, unit_of(used.value, used.unit)),
        *dated,
    )


def _value(check: EvaluatedCriterion) -> str:
    # A fall that is none: the figures are in the arithmetic.
    below = isinstance(check.value, int) and check.value < 0
    return "below 0" if below else format_value(check.value)


def _threshold(check: EvaluatedCriterion) -> str:
    # A threshold that is an interval or a date carries its unit.
    bare = check.threshold[-1:].isdigit() and check.unit
    threshold = amount(Decimal(check.threshold), check.unit) if bare else check.threshold
    return f"{threshold} ({check.working})" if check.working else threshold


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
    same_day = urgent(decision)
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
