"""Broken protocols made by machine, each different from a sound one in one place."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from attrs import evolve, fields, frozen

from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule, RuleTable
from lenadose.protocol.safety import CountLimits, EventCriterion
from lenadose.terms.errors import LenadoseError
from lenadose.terms.facts import DIMENSIONS, Action, Phase, Term, possible_terms
from lenadose.terms.interval import Interval
from lenadose.terms.provenance import Sourced


@frozen
class Mutant:
    """A protocol broken in one place: the kind of change, its words, and how to build it.

    `build` raises LenadoseError where the protocol cannot be built.
    """

    kind: str
    words: str
    build: Callable[[], Protocol]


def mutants(protocol: Protocol) -> Iterator[Mutant]:
    """Yield a protocol with each row deleted, cell, action and threshold changed in turn."""
    yield from structural(protocol)
    yield from wrong_actions(protocol)
    yield from moved_thresholds(protocol)


def _with_rows(protocol: Protocol, rows: tuple[Rule, ...]) -> Callable[[], Protocol]:
    return lambda: evolve(protocol, table=RuleTable(rows))


def structural(protocol: Protocol) -> Iterator[Mutant]:
    """Yield each row deleted, and each cell widened or narrowed by one term."""
    rows = protocol.table.rules
    for index, row in enumerate(rows):
        others = rows[:index], rows[index + 1 :]
        yield Mutant("row deleted", row.id, _with_rows(protocol, (*others[0], *others[1])))
        for number, case in enumerate(row.cases):
            for name, words in zip((each for each, _ in DIMENSIONS), case.words, strict=True):
                for word in _counting(case, name):
                    describe_change = partial(evolve, case, **{name: words ^ {word}})()
                    cases = (*row.cases[:number], describe_change, *row.cases[number + 1 :])
                    kind = "cell narrowed" if word in words else "cell widened"
                    said = f"{row.id}, case {number + 1}: {name} {word.label}"
                    rows_now = (*others[0], evolve(row, cases=cases), *others[1])
                    yield Mutant(kind, said, _with_rows(protocol, rows_now))


def _counting(case: Case, name: str) -> Iterator[Term]:
    """Return the terms of a fact that change the possible situations of a case."""
    place = [each for each, _ in DIMENSIONS].index(name)
    for word in DIMENSIONS[place][1]:
        for phase in Phase:
            box = [
                words & known
                for words, known in zip(case.words, possible_terms(phase).values(), strict=True)
            ]
            box[place] = frozenset({word}) & possible_terms(phase)[name]
            if all(box):
                yield word
                break


def wrong_actions(protocol: Protocol) -> Iterator[Mutant]:
    """Yield each case with each other action; the rest of its row keeps its own."""
    rows = protocol.table.rules
    for index, row in enumerate(rows):
        for number, case in enumerate(row.cases):
            rest = tuple(each for each in row.cases if each is not case)
            name = f"{row.id}-{number + 1}" if rest else row.id
            for action in Action:
                if action is not row.action:
                    describe_change = Rule(name, action, (case,))
                    kept = (evolve(row, cases=rest),) if rest else ()
                    rows_now = (*rows[:index], describe_change, *kept, *rows[index + 1 :])
                    said = f"{name}: {row.action.label} becomes {action.label}"
                    yield Mutant("action replaced", said, _with_rows(protocol, rows_now))


def moved_thresholds(protocol: Protocol) -> Iterator[Mutant]:
    """Yield each number moved by one step down and up."""
    for group in ("intervals", "response", "safety"):
        for place, describe_change in _moved(getattr(protocol, group)):
            yield Mutant(
                "threshold moved", f"{group}.{place}", _built(protocol, group, describe_change)
            )


def _built(
    protocol: Protocol, group: str, describe_change: Callable[[], Any]
) -> Callable[[], Protocol]:
    return lambda: partial(evolve, protocol, **{group: describe_change()})()


def _moved(value: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each number of a group moved, with its place and the new value in words."""
    for each in fields(type(value)):
        found = getattr(value, each.name)
        if isinstance(found, Sourced):
            for moved in _steps(found.value):
                said = ", ".join(map(str, moved)) if isinstance(moved, tuple) else moved
                yield (
                    f"{each.name} {said}",
                    partial(evolve, value, **{each.name: evolve(found, value=moved)}),
                )
        elif isinstance(found, CountLimits):
            for place, describe_change in _moved(found):
                yield f"{each.name}.{place}", _nested(value, each.name, describe_change)
        elif each.name == "events":
            for index, criterion in enumerate(found):
                for grade in _steps(criterion.least_grade):
                    events = (
                        *found[:index],
                        evolve(criterion, least_grade=grade),
                        *found[index + 1 :],
                    )
                    yield f"{_event(criterion)} {grade}", partial(evolve, value, events=events)


def _event(criterion: EventCriterion) -> str:
    return f"events.{criterion.id}.least_grade"


def _nested(value: Any, name: str, describe_change: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: evolve(value, **{name: describe_change()})


def _steps(value: object) -> Iterator[object]:
    """Yield a number one step lower and one step higher, as far as there are such numbers."""
    match value:
        case Interval():
            if value.count > 1:
                yield evolve(value, count=value.count - 1)
            yield evolve(value, count=value.count + 1)
        case bool() | Term() | None:
            return
        case int():
            if value:
                yield value - 1
            yield value + 1
        case Decimal():
            step = Decimal(1) if value >= 10 else Decimal("0.1")
            yield value - step
            yield value + step
        case Fraction():
            if value:
                yield value / 2
            if value < 1:
                yield min(Fraction(1), value * 3 / 2 if value else Fraction(1, 10))
        case tuple():
            for index, each in enumerate(value):
                for moved in _steps(each):
                    yield (*value[:index], moved, *value[index + 1 :])


def is_refused(mutant: Mutant) -> bool:
    """Return whether a broken protocol cannot even be built."""
    try:
        mutant.build()
    except LenadoseError:
        return True
    return False
