"""The headline of a decision: what to do about the drug now, in the same words everywhere."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.terms.facts import Action, Phase


@frozen
class Headline:
    """The words for an action, a sign that says the same without words, and a colour.

    The colour, from the palette of Okabe and Ito, is that of what happens to the dose: more, the
    same, less, none, nothing to dose, a question. It only underlines sign and words.
    """

    sign: str
    words: str
    colour: str


_MORE, _SAME, _LESS = "#0072B2", "#009E73", "#E69F00"
_NONE, _NOTHING, _QUESTION = "#D55E00", "#595959", "#CC79A7"

HEADLINES: Mapping[Action, Headline] = MappingProxyType(
    {
        Action.START: Headline("▶", "Start at", _MORE),
        Action.CONTINUE: Headline("=", "Continue", _SAME),
        Action.ESCALATE: Headline("▲", "Raise to", _MORE),
        Action.REDUCE: Headline("▼", "Lower to", _LESS),
        Action.FINISH: Headline("✓", "Finish", _LESS),
        Action.OBSERVE: Headline("○", "Observe", _NOTHING),
        Action.INTERRUPT: Headline("■", "Interrupt", _NONE),
        Action.RESUME: Headline("▶", "Resume at", _MORE),
        Action.DISCONTINUE: Headline("✕", "Discontinue for good", _NONE),
        Action.REQUEST_DATA: Headline("?", "Ask first", _QUESTION),
        Action.PRESCRIBER_DECIDES: Headline("?", "Prescriber decides", _QUESTION),
    }
)
"""The headline of each action."""

QUESTIONS: Mapping[Action, str] = MappingProxyType(
    {Action.REQUEST_DATA: "until answered", Action.PRESCRIBER_DECIDES: "until then"}
)
"""The actions that leave the dosage open, and how long it goes on unchanged."""

OPEN = "no dosage advised until answered"
"""The words for a question without a dosage that goes on."""


def advice(decision: Decision) -> str:
    """Return what to do about the drug: "Raise to 10 mg once daily", "Interrupt: no drug".

    A question is never put as if the protocol had chosen the dosage that goes on until then:
    "Ask first; until answered unchanged, 5 mg once daily".
    """
    return _join(decision, _words(decision))


def headline(decision: Decision) -> str:
    """Return the same with the sign, and the action in capitals: "▲ RAISE TO 10 mg once daily"."""
    return f"{HEADLINES[decision.action].sign} {_join(decision, _words(decision).upper())}"


def _words(decision: Decision) -> str:
    """Return the words for the action; an interruption that goes on does not begin."""
    goes_on = decision.action is Action.INTERRUPT and decision.seen.phase is Phase.INTERRUPTED
    return "Stay interrupted" if goes_on else HEADLINES[decision.action].words


def _join(decision: Decision, words: str) -> str:
    until = QUESTIONS.get(decision.action)
    if until is not None:
        return f"{words}; {f'{until} unchanged, {decision.level}' if decision.level else OPEN}"
    return f"{words} {decision.level}" if decision.level else f"{words}: no drug"


def brief(decision: Decision) -> str:
    """Return what to do in the fewest words, for a list: "raise to 10 mg once daily", "ask first".

    A question is not answered by the dosage that goes on until then.
    """
    words = _words(decision)
    level = f" {decision.level}" if decision.level and decision.action not in QUESTIONS else ""
    return f"{words[:1].lower()}{words[1:]}{level}"
