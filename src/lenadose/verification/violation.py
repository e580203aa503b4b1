"""Violations of a law, and how a check reports what it looked at."""

from collections.abc import Iterator

from attrs import frozen

from lenadose.protocol.rules import MatchedRule
from lenadose.record.visit import Visit
from lenadose.verification.places import AbstractDecision, AbstractState


@frozen
class Violation:
    """A violation of a law: a sentence, and the decision or the visits that show it."""

    words: str
    decision: AbstractDecision | None = None
    other: AbstractDecision | None = None
    visits: tuple[Visit, ...] = ()
    """The whole course of visits, where only several visits show the violation."""
    rules: tuple[str, ...] = ()
    """The row that no visit leads to."""


Checks = Iterator[tuple[AbstractState, MatchedRule | None, Violation | None]]
"""The state checked, the situation there (None: the state as a whole), and the violation."""
