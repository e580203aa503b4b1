"""The headline of a decision: what to do about the drug now, in the same words everywhere."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.terms.facts import Action


@frozen
class Headline:
    """The words for an action, and a sign that says the same without words."""

    sign: str
    words: str


HEADLINES: Mapping[Action, Headline] = MappingProxyType(
    {
        Action.START: Headline("▶", "Start at"),
        Action.CONTINUE: Headline("=", "Continue"),
        Action.ESCALATE: Headline("▲", "Raise to"),
        Action.REDUCE: Headline("▼", "Lower to"),
        Action.FINISH: Headline("✓", "Finish"),
        Action.OBSERVE: Headline("○", "Observe"),
        Action.INTERRUPT: Headline("■", "Interrupt"),
        Action.RESUME: Headline("▶", "Resume at"),
        Action.DISCONTINUE: Headline("✕", "Discontinue"),
        Action.REQUEST_DATA: Headline("?", "Ask first"),
        Action.PRESCRIBER_DECIDES: Headline("?", "Prescriber decides"),
    }
)
"""The headline of each action."""

_UNTIL = {Action.REQUEST_DATA: "until answered", Action.PRESCRIBER_DECIDES: "until then"}
"""How long what goes on at a question goes on."""

OPEN = "no dosage until answered"
"""The words for a question without a dosage that goes on."""


def advice(decision: Decision) -> str:
    """Return what to do about the drug: "Raise to 10 mg once daily", "Interrupt: no drug".

    A question is never put as if the protocol had chosen the dosage that goes on until then:
    "Ask first; until answered unchanged, 5 mg once daily".
    """
    return _join(decision, HEADLINES[decision.action].words)


def headline(decision: Decision) -> str:
    """Return the same with the sign, and the action in capitals: "▲ RAISE TO 10 mg once daily"."""
    head = HEADLINES[decision.action]
    return f"{head.sign} {_join(decision, head.words.upper())}"


def _join(decision: Decision, words: str) -> str:
    until = _UNTIL.get(decision.action)
    if until is not None:
        return f"{words}; {f'{until} unchanged, {decision.level}' if decision.level else OPEN}"
    return f"{words} {decision.level}" if decision.level else f"{words}: no drug"
