"""The arguments for and against each action that could be advised here: the facts that its row asks for, met or not.

They are read off the table and the criteria, not written by hand: a fact that a case admits speaks for its action, a
fact that it does not admit speaks against it, each with the criteria behind it.
"""

from collections.abc import Iterable
from functools import cached_property

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.explanation.criteria_met import EvaluatedCriterion, checks
from lenadose.explanation.fact_phrases import describe_fact
from lenadose.protocol.rules import Case, Rule
from lenadose.terms.facts import Action, Term


@frozen
class Argument:
    """A fact that a case asks for: what it is here, the words that the case admits, and the criteria behind it."""

    fact: str
    shown: Term
    admitted: tuple[Term, ...]
    words: str
    criteria: tuple[EvaluatedCriterion, ...]

    @property
    def speaks_for(self) -> bool:
        """Whether it speaks for the action."""
        return self.shown in self.admitted


@frozen(slots=False)
class Candidate:
    """An action that some row of this phase gives, with the case of it that is nearest to what was found."""

    action: Action
    rule: Rule
    case: Case
    arguments: tuple[Argument, ...]

    @cached_property
    def in_favour(self) -> tuple[Argument, ...]:
        """The arguments for the action."""
        return tuple(each for each in self.arguments if each.speaks_for)

    @cached_property
    def against(self) -> tuple[Argument, ...]:
        """The arguments against it; none against the one that is advised."""
        return tuple(each for each in self.arguments if not each.speaks_for)


def for_and_against(decision: Decision) -> tuple[Candidate, ...]:
    """Give every action of the rows of this phase with the arguments for and against it, the fewest against first.

    An action can have several rows and cases; the one with the fewest facts against it is given, of equal ones the
    first in the table.
    """
    looked_at = tuple(checks(decision.seen))
    nearest: dict[Action, Candidate] = {}
    for row in decision.protocol.table.rules:
        for case in row.cases:
            if decision.facts.phase in case.phase:
                found = Candidate(
                    row.action, row, case, tuple(_arguments(decision, case, looked_at))
                )
                if row.action not in nearest or len(found.against) < len(
                    nearest[row.action].against
                ):
                    nearest[row.action] = found
    return tuple(sorted(nearest.values(), key=lambda each: len(each.against)))


def _arguments(
    decision: Decision, case: Case, looked_at: tuple[EvaluatedCriterion, ...]
) -> Iterable[Argument]:
    for fact, admitted in case.conditions.items():
        shown: Term = getattr(decision.facts, fact)
        if fact != "phase" or case.conditions.keys() == {"phase"}:
            yield Argument(
                fact,
                shown,
                admitted,
                describe_fact(decision, fact),
                _criteria(shown, admitted, looked_at),
            )


def _criteria(
    shown: Term, admitted: tuple[Term, ...], looked_at: tuple[EvaluatedCriterion, ...]
) -> tuple[EvaluatedCriterion, ...]:
    """Give the criteria that made the fact what it is; where none did, those that would have made it otherwise.

    For the action these are the ones of words that its case does not admit, against it those of words that it does.
    """
    of_fact = [each for each in looked_at if isinstance(each.word, type(shown))]
    made = tuple(each for each in of_fact if each.word is shown and each.makes_its_word)
    speaks_for = shown in admitted
    return made or tuple(
        each for each in of_fact if each.word is not shown and (each.word in admitted) != speaks_for
    )
