"""The marks of the decisions."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import HEADLINES
from lenadose.picture.layout import (
    INK,
    WHITE,
    Boxes,
    Item,
    Line,
    Mark,
    Shape,
    Text,
    mark,
)
from lenadose.terms.facts import Action

ORDINARY = (Action.CONTINUE, Action.OBSERVE)
"""The actions after which all goes on: a tick stands for them."""


@frozen
class ActionMark:
    """An action in a picture: as a past event, and the shape of its mark, a "?" without one."""

    past: str
    shape: Shape | None
    is_filled: bool = True


ACTIONS: Mapping[Action, ActionMark] = MappingProxyType(
    {
        Action.START: ActionMark("Started", "right"),
        Action.CONTINUE: ActionMark("Continued", "circle"),
        Action.ESCALATE: ActionMark("Raised", "up"),
        Action.REDUCE: ActionMark("Lowered", "down"),
        Action.FINISH: ActionMark("Finished", "diamond"),
        Action.OBSERVE: ActionMark("Observed", "circle", is_filled=False),
        Action.INTERRUPT: ActionMark("Interrupted", "square"),
        Action.RESUME: ActionMark("Resumed", "right", is_filled=False),
        Action.DISCONTINUE: ActionMark("Discontinued", "cross"),
        Action.REQUEST_DATA: ActionMark("Data requested", None),
        Action.PRESCRIBER_DECIDES: ActionMark("Handed to the prescriber", "plus", is_filled=False),
    }
)
"""The mark of each action, in the colour of its headline; no two are the same without colour."""


def action_mark(role: str, action: Action, x: float, y: float, size: float) -> Mark | Text:
    """Return the mark of an action with its middle at a place; *size* is half its width."""
    known = ACTIONS[action]
    if known.shape is None:
        return Text(
            role, x, y + size, HEADLINES[action].sign, 2.5 * size, "middle", True, halo=True
        )
    fill = HEADLINES[action].colour if known.is_filled else WHITE
    return mark(role, known.shape, x, y, size, fill)


def action_name(action: Action) -> str:
    """Return the headline of an action without the dosage that follows it: "raise"."""
    return HEADLINES[action].words.removesuffix(" to").removesuffix(" at").lower()


def draw_marks(
    decisions: Sequence[Decision], visits: Sequence[float], y: float, size: float
) -> Iterator[Item]:
    """Yield a mark for each decision, and a tick where all goes on.

    A question whose sign would cover another mark has a tick too.
    """
    made = [
        (
            x,
            None
            if decision.action in ORDINARY
            else action_mark("decision", decision.action, x, y, size),
        )
        for decision, x in zip(decisions, visits, strict=True)
    ]
    written = Boxes(
        (x - size, y - size, x + size, y + size) for x, sign in made if isinstance(sign, Mark)
    )
    for x, sign in made:
        if sign is None or (isinstance(sign, Text) and written.overlap(sign.box, 0.3)):
            yield Line("visit", ((x, y - 2.5), (x, y + 2.5)), INK, 1)
            continue
        if isinstance(sign, Text):
            written.add(sign.box)
        yield sign
