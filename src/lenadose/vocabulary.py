"""The finite words of a dosing protocol: what a visit can show and what can be advised.

The words are those of PROTOCOL.md, section 1; a member's value is how it is said aloud, its `code` how it is
written in data. After `observe` nothing but these words decides.
"""

from enum import Enum
from functools import cache
from typing import TypeVar

from attrs import frozen


class Word(Enum):
    """One word out of a closed list; `rank` is its place in that list.

    `said` is the word as it is said aloud, "not assessed"; `code` as it is written in data, "not-assessed". `weight` is
    what it adds to the number of a situation, for a word of one of the six facts.
    """

    said: str
    code: str
    rank: int
    weight: int

    # A word is one object, and is looked up millions of times: the hash of its name would be a call in Python.
    __hash__ = object.__hash__

    def __init__(self, said: str) -> None:
        self.said, self.code = said, said.replace(" ", "-")
        self.rank = len(type(self).__members__)


class Phase(Word):
    """Where the patient stands in the protocol."""

    BEFORE_START = "before start"
    TITRATION = "titration"
    TAPER = "taper"
    INTERRUPTED = "interrupted"
    OFF_TREATMENT = "off treatment"
    DISCONTINUED = "discontinued"


class Response(Word):
    """What the skin shows, from the best to the unknown."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"
    WORSE = "worse"
    NOT_ASSESSED = "not assessed"


class Safety(Word):
    """What safety allows, from the gravest to the best; the first that applies counts."""

    STOP = "stop"
    INTERRUPT = "interrupt"
    NOT_ASSESSED = "not assessed"
    CAUTION = "caution"
    ACCEPTABLE = "acceptable"


class Timing(Word):
    """Whether the interval has run out; in an interruption, whether it has lasted too long to be simply resumed."""

    BEFORE_DUE = "before due"
    DUE = "due"


class Trial(Word):
    """Whether the trial of therapy has been long enough to say that the drug does not help."""

    RUNNING = "running"
    EXHAUSTED = "exhausted"


class Position(Word):
    """Where the level (in an interruption the level to resume at) stands between the lowest and the ceiling."""

    LOWEST = "lowest"
    MIDDLE = "middle"
    HIGHEST = "highest"
    ONLY = "only"
    ABOVE_CEILING = "above ceiling"
    OFF_LADDER = "off ladder"
    NONE = "none"


class Action(Word):
    """What is to be done next about the drug."""

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


class Tag(Word):
    """How well a rule or a number is founded, from the best to the weakest."""

    STATED = "stated"
    LABEL = "label"
    ADAPTED = "adapted"
    ASSUMED = "assumed"


W = TypeVar("W", bound=Word)

ON_TREATMENT = frozenset({Phase.TITRATION, Phase.TAPER})
OK = frozenset({Safety.CAUTION, Safety.ACCEPTABLE})
ON_LADDER = frozenset({Position.LOWEST, Position.MIDDLE, Position.HIGHEST, Position.ONLY})
TOP = frozenset({Position.HIGHEST, Position.ONLY})
BELOW_TOP = frozenset({Position.LOWEST, Position.MIDDLE})
BOTTOM = frozenset({Position.LOWEST, Position.ONLY})
ABOVE_BOTTOM = frozenset({Position.MIDDLE, Position.HIGHEST})

SET_NAMES: dict[frozenset[Word], str] = {
    OK: "OK",
    ON_LADDER: "on the ladder",
    TOP: "at the top",
    BELOW_TOP: "below the top",
    BOTTOM: "at the bottom",
    ABOVE_BOTTOM: "above the bottom",
    frozenset({Position.NONE}): "no level left",
}
"""What a set of words is called where a table is printed."""

DIMENSIONS: tuple[tuple[str, type[Word]], ...] = (
    ("phase", Phase),
    ("response", Response),
    ("safety", Safety),
    ("timing", Timing),
    ("trial", Trial),
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
    trial: Trial
    position: Position


def situation_number(
    phase: Phase, response: Response, safety: Safety, timing: Timing, trial: Trial, position: Position
) -> int:
    """Number a situation: mixed radix over the ranks of its six words, 0 to 4199."""
    return phase.weight + response.weight + safety.weight + timing.weight + trial.weight + position.weight


def _weigh() -> int:
    """Give each word of the six facts its weight, from the last fact to the first; give the number of numbers."""
    unit = 1
    for _, kind in reversed(DIMENSIONS):
        for word in kind:
            word.weight = word.rank * unit
        unit *= len(kind)
    return unit


SITUATION_NUMBERS = _weigh()


@cache
def region(phase: Phase) -> dict[str, frozenset[Word]]:
    """Give the words each fact can take in a phase; a fact without meaning there has one fixed word."""
    words: dict[str, frozenset[Word]] = {name: frozenset(kind) for name, kind in DIMENSIONS}
    words["phase"] = frozenset({phase})
    if phase in ON_TREATMENT:
        words["position"] = frozenset(Position) - {Position.NONE}
    elif phase is Phase.INTERRUPTED:
        words["position"] = ON_LADDER | {Position.NONE}
    else:
        words["timing"] = frozenset({Timing.DUE})
        words["trial"] = frozenset({Trial.RUNNING})
        words["position"] = frozenset({Position.NONE})
    return words
