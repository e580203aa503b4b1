"""The arguments for and against each action: the facts that its row requires, met or not.

They come from the table and the criteria. A fact that a case admits is an argument for its action,
any other fact one against it, each with the criteria behind it.
"""

from collections.abc import Iterable
from functools import cached_property

from attrs import frozen

from lenadose.engine.machine import Decision, require_decision
from lenadose.explanation.criteria_met import EvaluatedCriterion, checks
from lenadose.explanation.fact_phrases import describe_fact
from lenadose.protocol.rules import Case, Rule
from lenadose.terms.facts import Action, Term


@frozen
class Argument:
    """A fact that a case requires: its term here, the terms that are admitted, and the criteria."""

    fact: str
    shown: Term
    admitted: tuple[Term, ...]
    words: str
    criteria: tuple[EvaluatedCriterion, ...]

    @property
    def speaks_for(self) -> bool:
        """Whether it is an argument for the action."""
        return self.shown in self.admitted


@frozen(slots=False)
class Candidate:
    """An action of some row for this phase, with its case that is nearest to the facts."""

    action: Action
    rule: Rule
    case: Case
    arguments: tuple[Argument, ...]

    @cached_property
    def in_favour(self) -> tuple[Argument, ...]:
        """The arguments for the action."""
        return tuple(argument for argument in self.arguments if argument.speaks_for)

    @cached_property
    def against(self) -> tuple[Argument, ...]:
        """The arguments against it; none against the action that is advised."""
        return tuple(argument for argument in self.arguments if not argument.speaks_for)


def for_and_against(decision: Decision) -> tuple[Candidate, ...]:
    """Return every action for this phase with its arguments, the fewest against first.

    Of several rows and cases of an action, the one with the fewest facts against it counts, of
    equal ones the first in the table.
    """
    require_decision(decision)
    criteria = tuple(checks(decision.seen))
    nearest: dict[Action, Candidate] = {}
    for row in decision.protocol.table.rules:
        for case in row.cases:
            if decision.facts.phase in case.phase:
                candidate = Candidate(
                    row.action, row, case, tuple(_arguments(decision, case, criteria))
                )
                if row.action not in nearest or len(candidate.against) < len(
                    nearest[row.action].against
                ):
                    nearest[row.action] = candidate
    return tuple(sorted(nearest.values(), key=lambda candidate: len(candidate.against)))


def _arguments(
    decision: Decision, case: Case, criteria: tuple[EvaluatedCriterion, ...]
) -> Iterable[Argument]:
    for fact, admitted in case.conditions.items():
        shown: Term = getattr(decision.facts, fact)
        if fact != "phase" or case.conditions.keys() == {"phase"}:
            yield Argument(
                fact,
                shown,
                admitted,
                describe_fact(decision, fact),
                _criteria(shown, admitted, criteria),
            )


def _criteria(
    shown: Term, admitted: tuple[Term, ...], criteria: tuple[EvaluatedCriterion, ...]
) -> tuple[EvaluatedCriterion, ...]:
    """Return the criteria that made the fact; where none did, those that could have changed it.

    For the action these are the criteria of terms that its case does not admit, against it those
    of terms that it admits.
    """
    of_fact = [criterion for criterion in criteria if isinstance(criterion.word, type(shown))]
    made = tuple(
        criterion for criterion in of_fact if criterion.word is shown and criterion.makes_its_word
    )
    speaks_for = shown in admitted
    return made or tuple(
        criterion
        for criterion in of_fact
        if criterion.word is not shown and (criterion.word in admitted) != speaks_for
    )
