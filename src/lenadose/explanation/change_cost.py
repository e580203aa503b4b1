"""How near another situation is: what the changes on the way to it cost, added up and compared.

A cost is one number. Its digits are how many fields are changed, how hard the changes are to bring about, which fields
they are, and how far each of them goes. So the cost of two ways together is the sum, and of two ways the one that costs
less is nearer.
"""

from collections.abc import Callable
from typing import TypeVar

from lenadose.terms.facts import Term

FIELDS = (
    "date",
    "clasi_activity",
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "adverse_events",
    "pregnancy_tests",
    "judgement",
    "doses_missed",
    "dosage_taken",
)
"""The fields of a visit that can change an action; of two equal sets of changes the one in earlier fields is nearer."""


class Feasibility(Term):
    """How a change can come about; the first two are in somebody's hands.

    By waiting for a day; by obtaining a result or an answer that is missing or too old; by the clinician's own
    judgement; by what the patient shows; not any more, because it lies in the past.
    """

    WAIT = "wait"
    OBTAIN = "obtain"
    JUDGE = "judge"
    SHOWN = "shown"
    PAST = "past"


_PLACE = {name: place for place, name in enumerate(FIELDS)}
_HARD = {
    Feasibility.WAIT: 0,
    Feasibility.OBTAIN: 0,
    Feasibility.SHOWN: 1,
    Feasibility.JUDGE: 2,
    Feasibility.PAST: 3,
}
_BITS = 11

Cost = tuple[int, tuple[tuple[str, int], ...]]
"""What the changes cost, and for each field changed the number of the option that it takes."""

AS_IT_IS: Cost = (0, ())
"""The way on which nothing changes."""

K = TypeVar("K")
L = TypeVar("L")
M = TypeVar("M")


def change(name: str, option: int, distance: int, means: Feasibility) -> Cost:
    """Give the way on which one field takes another option, so far from what it holds."""
    place = _PLACE[name]
    fields = (((1 << 5) + _HARD[means]) << len(FIELDS)) + (1 << place)
    far = min(distance, (1 << _BITS) - 1) << _BITS * (len(FIELDS) - 1 - place)
    return (fields << _BITS * len(FIELDS)) + far, ((name, option),)


def both(one: Cost, other: Cost) -> Cost:
    """Give the way on which the changes of two are made."""
    return one[0] + other[0], one[1] + other[1]


def keep(best: dict[K, Cost], key: K, way: Cost) -> None:
    """Keep a way if it is the nearest so far."""
    if key not in best or way[0] < best[key][0]:
        best[key] = way


def together(
    some: dict[K, Cost], others: dict[L, Cost], join: Callable[[K, L], M]
) -> dict[M, Cost]:
    """Put two parts of a visit together: for each thing that they can come to, the nearest way."""
    best: dict[M, Cost] = {}
    for key, way in some.items():
        for other, other_way in others.items():
            keep(best, join(key, other), both(way, other_way))
    return best
