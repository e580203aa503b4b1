"""The full page of a decision in Markdown: all that is needed to redo it by hand."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from lenadose.engine.machine import Decision
from lenadose.explanation.bands import SHOWN_AT_A_VISIT, Band, bands, outcome
from lenadose.explanation.criteria_met import EvaluatedCriterion
from lenadose.explanation.fact_phrases import why_missing
from lenadose.explanation.headlines import brief
from lenadose.explanation.rationale import AT_ONCE, InputUsed, Rationale, rationale
from lenadose.explanation.why import field_words
from lenadose.protocol.protocol import LedgerEntry, Protocol, conditions
from lenadose.report.card import card
from lenadose.report.card_formats import card_markdown
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
from lenadose.terms.units import PRINTED, QUANTITIES


def explain(decision: Decision) -> str:
    """Return the full page of a decision, in Markdown: the card, and then all that it rests on."""
    return "\n".join((card_markdown(card(decision)), *all_reasons(decision))) + "\n"


def all_reasons(decision: Decision, contrast: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines of the page below the card, with those of *contrast* before the notices."""
    grounds = rationale(decision)
    yield from _row(grounds)
    yield from _seen(grounds)
    yield from _missing(decision)
    yield "## Arithmetic"
    yield ""
    yield from markdown_table(
        ("figure", "value", "how"),
        (
            (figure.name, escape(amount(figure.value, figure.unit)), escape(figure.working))
            for figure in grounds.arithmetic
        ),
    )
    yield ""
    yield "## Criteria that decide"
    yield ""
    yield (
        "Response is the first that applies of complete, mild, worse, partial and none; safety the "
        "first of stop, interrupt, not assessed, caution and acceptable. Of a response with "
        "several lines all must be met, unless a line says or."
    )
    yield ""
    yield from _by_topic(grounds.deciding)
    yield from _bands(decision)
    yield from contrast
    yield from _notices(grounds)
    decides = grounds.deciding_assumptions
    yield from _assumptions("Assumptions that decide here", decides)
    others = [entry for entry in grounds.assumptions if entry not in decides]
    yield from _assumptions("Other assumptions relied on", others)
    yield from _sources(grounds)
    yield "## Criteria that say no, or decide nothing here"
    yield ""
    yield from _by_topic([each for each in grounds.criteria if each not in grounds.deciding])
    yield from limits(decision.protocol)


def _row(grounds: Rationale) -> Iterator[str]:
    """Yield the row and its facts, and the levels."""
    decision, protocol = grounds.decision, grounds.decision.protocol
    yield "## The row"
    yield ""
    yield f"- Action: {decision.action.label}"
    yield f"- It applies when: {conditions(decision.case)}{sets_in(decision.case)}"
    facts = (f"{name} {getattr(decision.facts, name).label}" for name, _ in DIMENSIONS)
    yield f"- Facts: {', '.join(facts)}"
    levels = " < ".join(map(str, protocol.ladder.levels))
    yield f"- Levels: {'; '.join((levels, *_allowed(grounds)))}"
    if decision.level is not None:
        yield f"- This level: {cite(decision.level.provenance)}"
    yield f"- Phase after: {decision.phase_after.label}"
    supply = grounds.supply
    if supply is not None and not supply.shortfall:
        most, until = (amount(days, "days") for days in (supply.days, supply.days_to_next_visit))
        yield f"- Supply: at most {most}; {until} to the next visit"
    yield ""


def _allowed(grounds: Rationale) -> Iterator[str]:
    """Yield the level at which a course begins, and the highest allowed after the decision."""
    decision, ladder = grounds.decision, grounds.decision.protocol.ladder
    if decision.action is Action.START:
        yield f"this course starts at {decision.level}"
    elif decision.phase_after in (Phase.BEFORE_START, Phase.OFF_TREATMENT):
        level = lower_of(ladder.start, grounds.ceiling_after)
        yield f"a course would start at {level}" if level else "no level is left to start at"
    if decision.phase_after in TREATED:
        level = grounds.ceiling_after
        yield f"allowed from now on: up to {level}" if level else "no level is left to resume at"


def _seen(grounds: Rationale) -> Iterator[str]:
    """Yield every input with the value before it, and what is to be said about them."""
    decision = grounds.decision
    yield "## What was seen"
    yield ""
    yield from markdown_table(
        ("input", "value", "unit", "date", "age", "before"),
        ((*_input_row(used), _before(decision, used)) for used in grounds.inputs),
    )
    yield ""
    said = [each for each in grounds.messages if each.id != "same-day-assessment"]
    for message in said:
        yield f"- {message.words[:1].upper()}{escape(message.words[1:])}"
    yield ""


def _input_row(used: InputUsed) -> tuple[str, ...]:
    # Who the patient is has no date of its own.
    dated = ("", "") if used.field.startswith("patient.") else (str(used.on), f"{used.age_days} d")
    return (
        field_label(used.field),
        escape(format_value(used.value)),
        PRINTED.get(used.unit, unit_of(used.value, used.unit)),
        *dated,
    )


def _before(decision: Decision, used: InputUsed) -> str:
    """Return the value before, its date, and whether the new one is higher or lower."""
    before, now = decision.seen.before, decision.seen.findings
    old: int | Decimal | None = None
    new: int | Decimal | None = None
    on: date | None = None
    if used.field == "clasi_activity" and before.previous is not None:
        old, new, on = before.previous.activity, decision.visit.clasi_activity, before.previous.on
    elif used.field in QUANTITIES:
        known, newest = before.findings.result(used.field), now.result(used.field)
        if known is not None and newest is not None and known.on < newest.on:
            old, new, on = known.amount, newest.amount, known.on
    if old is None or new is None:
        return ""
    trend = "down from" if new < old else "up from" if new > old else "unchanged from"
    return f"{trend} {format_value(old)} on {on}"


def _missing(decision: Decision) -> Iterator[str]:
    """Yield what is missing, and what each answer would lead to."""
    if not decision.missing:
        return
    yield "## Missing"
    yield ""
    for gap in decision.missing:
        answers = _answers(bands(decision, gap.field))
        yield f"- {field_label(gap.field)}: {why_missing(decision.visit, gap)}. {answers}"
    possible, first = decision.possible_actions, decision.obtain_first
    labels = (action.label for action in Action if action in possible)
    yield f"- Still possible: {', '.join(labels)}"
    if first:
        yield f"- Obtain first: {field_label(first)}"
    yield ""


def _answers(found: tuple[Band, ...]) -> str:
    return " · ".join(map(_leads_to, found))


def _bands(decision: Decision) -> Iterator[str]:
    """Yield what each value of the fields of this visit would lead to."""
    yield "## What would change it"
    yield ""
    yield "Each with all else at this visit as it is; in bold what the visit shows."
    yield ""
    missing, idle = {gap.field for gap in decision.missing}, []
    for field in SHOWN_AT_A_VISIT:
        found = bands(decision, field)
        if field in missing or not found:
            continue
        if {outcome(band.decision) for band in found} == {outcome(decision)}:
            idle.append(field_words(field))
            continue
        shown = (f"**{_leads_to(band)}**" if band.holds else _leads_to(band) for band in found)
        yield f"- {field_words(field)}: {' · '.join(shown)}"
    if idle:
        yield f"- No value would change it: {', '.join(idle)}"
    yield ""


def _leads_to(band: Band) -> str:
    same_day = ", same-day assessment" if outcome(band.decision)[2] else ""
    return f"{escape(band.words)} → {brief(band.decision)}{same_day}"


_TOPICS = (
    ("Skin", ("response.",)),
    ("Adverse events", ("event.", "safety.not_asked")),
    ("Dates", ("intervals.",)),
    ("Pregnancy tests", ("safety.first_test", "safety.second_test", "safety.test")),
    ("Counts and clearance", ("safety.",)),
)
"""The topics of criteria, and how the ids of each begin; the first that fits counts."""


def _topic(criterion: EvaluatedCriterion) -> str:
    return next(topic for topic, begins in _TOPICS if criterion.id.startswith(begins))


def _by_topic(criteria: Iterable[EvaluatedCriterion]) -> Iterator[str]:
    """Yield criteria in a table for each topic."""
    topics: dict[str, list[EvaluatedCriterion]] = {topic: [] for topic, _ in _TOPICS}
    for criterion in criteria:
        topics[_topic(criterion)].append(criterion)
    if not any(topics.values()):
        yield "None: the row asks for no more than that no safety criterion is met."
        yield ""
    for topic, found in topics.items():
        if found:
            yield f"### {topic}"
            yield ""
            yield from markdown_table(
                ("criterion", "value", "threshold", "met", "tag"), map(criterion_row, found)
            )
            yield ""


def criterion_row(criterion: EvaluatedCriterion) -> tuple[str, ...]:
    """Return the cells of a criterion: its words, value, threshold, whether met, and its tag."""
    return (
        escape(criterion.words),
        escape(_value(criterion)),
        _threshold(criterion),
        format_value(criterion.met),
        criterion.provenance.tag.label,
    )


def _value(criterion: EvaluatedCriterion) -> str:
    # A fall that is none: the figures are in the arithmetic.
    below = isinstance(criterion.value, int) and criterion.value < 0
    return "below 0" if below else format_value(criterion.value)


def _threshold(criterion: EvaluatedCriterion) -> str:
    # A threshold that is an interval or a date carries its unit.
    bare = criterion.threshold[-1:].isdigit() and criterion.unit
    threshold = criterion.threshold
    if bare:
        threshold = amount(Decimal(threshold), criterion.unit)
    return f"{threshold} ({criterion.working})" if criterion.working else threshold


def _notices(grounds: Rationale) -> Iterator[str]:
    told = [notice for notice in grounds.notices if notice.when not in AT_ONCE]
    if not told:
        return
    yield "## Notices"
    yield ""
    yield "They change no action. Each with its source, and how sure it is."
    yield ""
    for notice in told:
        said = f"{notice.words} ({notice.source}; {notice.confidence.label})"
        yield f"- {sentence(escape(said))}"
    yield ""


def _assumptions(title: str, entries: Iterable[LedgerEntry]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    lines = [
        f"- `{entry.id}` {escape(f'{entry.words}: {entry.value}' if entry.value else entry.words)} "
        f"({cite(entry.provenance)})"
        for entry in entries
    ]
    yield from lines or ["None."]
    yield ""


def _sources(grounds: Rationale) -> Iterator[str]:
    """Yield every source that the page cites, once."""
    cited = {
        name
        for provenance in (
            *(entry.provenance for entry in grounds.relied_on),
            grounds.decision.case.provenance,
            *([grounds.decision.level.provenance] if grounds.decision.level else []),
        )
        for name in provenance.source.split(", ")
    }
    cited |= {name for notice in grounds.notices for name in notice.source.split(", ")}
    sources = [each for each in grounds.decision.protocol.sources if each.id in cited]
    if not sources:
        return
    yield "## Sources"
    yield ""
    for source in sources:
        yield "- " + escape_line(escape(f"{source.id}: {source.citation} ({source.confidence})"))
    yield ""


def limits(protocol: Protocol) -> Iterator[str]:
    """Yield the limits of the evidence, and which protocol it is."""
    yield "## Limits"
    yield ""
    yield escape_line(protocol.evidence)
    yield NOT_A_DEVICE
    yield ""
    yield f"Protocol `{protocol.id}` {escape(protocol.version)}, sha256 `{protocol.hash}`"
