"""The finite words of a dosing protocol: the facts of a visit and the actions.

After `observe`, nothing but these words decides.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import TypeVar

from attrs import frozen


class Term(Enum):
    """One word out of a closed list.

    `label` is the word for people, "not assessed"; `code` the word in data, "not-assessed"; `rank`
    its place in the list, from 0.
    """

    label: str
    code: str
    rank: int

    # A member is one object; Enum would hash its name again, some twenty times a decision.
    __hash__ = object.__hash__

    def __init__(self, label: str) -> None:
        self.label, self.code = label, label.replace(" ", "-")
        self.rank = len(type(self).__members__)


class Phase(Term):
    """Where the patient stands in the protocol."""

    BEFORE_START = "before start"
    TITRATION = "titration"
    TAPER = "taper"
    INTERRUPTED = "interrupted"
    OFF_TREATMENT = "off treatment"
    DISCONTINUED = "discontinued"


class Response(Term):
    """The response of the skin, from the best to the unknown; mild is seen before a start only."""

    COMPLETE = "complete"
    MILD = "mild"
    PARTIAL = "partial"
    NONE = "none"
    WORSE = "worse"
    NOT_ASSESSED = "not assessed"


class Safety(Term):
    """The finding on safety, from the gravest to the best; the first that applies counts."""

    STOP = "stop"
    INTERRUPT = "interrupt"
    NOT_ASSESSED = "not assessed"
    CAUTION = "caution"
    ACCEPTABLE = "acceptable"


class Timing(Term):
    """Whether the interval is over; in an interruption, whether it is too long to be resumed."""

    BEFORE_DUE = "before due"
    DUE = "due"


class TherapeuticTrial(Term):
    """Whether the trial of therapy has been long enough to say that the drug does not help."""

    RUNNING = "running"
    EXHAUSTED = "exhausted"


class Position(Term):
    """Where the level, or the one to resume at, stands between the lowest and the ceiling."""

    LOWEST = "lowest"
    MIDDLE = "middle"
    HIGHEST = "highest"
    ONLY = "only"
    ABOVE_CEILING = "above ceiling"
    OFF_LADDER = "off ladder"
    NONE = "none"


class Action(Term):
    """The next action about the drug."""

    START = "start"
    CONTINUE = "continue"
    ESCALATE = "escalate"
    REDUCE = "reduce"
    FINISH = "finish"
    OBSERVE = "observe"
    INTERRUPT = "interrupt"
    RESUME = "resume"
    DISCONTINUE = "discontinue"
    REQUEST_DATA = "request-data"
    PRESCRIBER_DECIDES = "prescriber-decides"


class EvidenceLevel(Term):
    """How well a rule or a number is founded, from the best to the weakest."""

    STATED = "stated"
    LABEL = "label"
    ADAPTED = "adapted"
    ASSUMED = "assumed"


W = TypeVar("W", bound=Term)

ON_TREATMENT = frozenset({Phase.TITRATION, Phase.TAPER})
OK = frozenset({Safety.CAUTION, Safety.ACCEPTABLE})
ON_LADDER = frozenset({Position.LOWEST, Position.MIDDLE, Position.HIGHEST, Position.ONLY})
TOP = frozenset({Position.HIGHEST, Position.ONLY})
BELOW_TOP = frozenset({Position.LOWEST, Position.MIDDLE})
BOTTOM = frozenset({Position.LOWEST, Position.ONLY})
ABOVE_BOTTOM = frozenset({Position.MIDDLE, Position.HIGHEST})

SET_NAMES: Mapping[frozenset[Term], str] = MappingProxyType(
    {
        OK: "OK",
        ON_LADDER: "on the ladder",
        TOP: "at the top",
        BELOW_TOP: "below the top",
        BOTTOM: "at the bottom",
        ABOVE_BOTTOM: "above the bottom",
        frozenset({Position.NONE}): "no level left",
    }
)
"""The names of sets of words where a table is printed."""

DIMENSIONS: tuple[tuple[str, type[Term]], ...] = (
    ("phase", Phase),
    ("response", Response),
    ("safety", Safety),
    ("timing", Timing),
    ("trial", TherapeuticTrial),
    ("position", Position),
)
"""The six facts of a situation, in the order of the table."""


@frozen
class Facts:
    """One situation: all that decides, in six words."""

    phase: Phase
    response: Response
    safety: Safety
    timing: Timing
    trial: TherapeuticTrial
    position: Position


@cache
def possible_terms(phase: Phase) -> dict[str, frozenset[Term]]:
    """Return the words that each fact can take in a phase; a fact without meaning there has one."""
    words: dict[str, frozenset[Term]] = {name: frozenset(kind) for name, kind in DIMENSIONS}
    words["phase"] = frozenset({phase})
    if phase is not Phase.BEFORE_START:
        words["response"] = frozenset(Response) - {Response.MILD}
    if phase in ON_TREATMENT:
        words["position"] = frozenset(Position) - {Position.NONE}
    elif phase is Phase.INTERRUPTED:
        words["position"] = ON_LADDER | {Position.NONE}
    else:
        words["timing"] = frozenset({Timing.DUE})
        words["trial"] = frozenset({TherapeuticTrial.RUNNING})
        words["position"] = frozenset({Position.NONE})
    return words


TREATED = frozenset({Phase.TITRATION, Phase.TAPER, Phase.INTERRUPTED})
GAIN = frozenset({Response.COMPLETE, Response.PARTIAL})
