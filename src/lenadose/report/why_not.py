"""The pages on other actions: the arguments, and the smallest change that leads to each."""

from collections.abc import Iterable, Iterator

from lenadose.engine.machine import Decision, recommend
from lenadose.explanation.alternatives import Alternative, alternative, alternatives
from lenadose.explanation.arguments import Argument, for_and_against
from lenadose.explanation.headlines import advice
from lenadose.explanation.phrases import describe_argument, smallest_changes
from lenadose.explanation.rationale import rationale
from lenadose.protocol.protocol import conditions
from lenadose.report.card import card
from lenadose.report.card_formats import card_markdown
from lenadose.report.decision import all_reasons, criterion_row, limits
from lenadose.report.markdown import cite, escape, markdown_table, sentence
from lenadose.terms.facts import Action


def explain_contrast(decision: Decision) -> str:
    """Return the full page with the arguments and the smallest change for each other action."""
    reasons = all_reasons(decision, _contrast(decision))
    return "\n".join((card_markdown(card(decision)), *reasons)) + "\n"


def explain_why_not(decision: Decision, action: Action) -> str:
    """Return the page on one action: its arguments, and the smallest change that leads to it."""
    return "\n".join(_why_not(decision, action)) + "\n"


_ELSE = "All else stays as it was at this visit; so do the visits before it."


def _contrast(decision: Decision) -> Iterator[str]:
    """Yield every other action with the smallest change that leads to it, and the arguments."""
    others = alternatives(decision)
    yield "## What would lead to another action"
    yield ""
    if others[0].reachable:
        yield f"The least that would have to change, also in the past. {_ELSE}"
        yield ""
        yield from markdown_table(
            ("for", "the least that would have to change"),
            (
                (other.action.label, _smallest_changes(decision, other))
                for other in others
                if other.reachable
            ),
        )
    else:
        yield "No other action can be reached, whatever this visit had shown."
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
    yield ""


def _smallest_changes(decision: Decision, alternative: Alternative) -> str:
    return escape(smallest_changes(decision, alternative))


def _argued(arguments: Iterable[Argument]) -> str:
    return escape(" ".join(map(sentence, map(describe_argument, arguments))))


def _why_not(decision: Decision, action: Action) -> Iterator[str]:
    grounds = rationale(decision)
    same = decision.action is action
    yield f"# {decision.visit.date}: {'why' if same else 'why not'} {action.label}"
    yield ""
    if grounds.urgent:
        yield f"**{escape('; '.join(grounds.urgent))}**"
        yield ""
    yield f"Advised is {advice(decision)}. {escape(grounds.reason)}"
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
    yield from limits(decision.protocol)


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
        yield (*first, *criterion_row(criterion)[:-1])
        first = ("", "")
