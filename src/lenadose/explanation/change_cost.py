"""How near another situation is: the cost of each change, to be added up and compared.

A cost is one number. Its digits are how many fields are changed, how hard the changes are to bring
about, which fields they are, and how far each of them goes. So the cost of two changes is the sum,
and of two sets of changes the cheaper one is nearer.
"""

from types import MappingProxyType

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
"""The fields of a visit that can change an action; between equals the earlier field is nearer."""


class Feasibility(Term):
    """How a change can come about.

    By waiting for a day; by obtaining a result or an answer that is missing or too old; by the
    clinician's own judgement; by what the patient shows; not any more, because it lies in the past.
    """

    WAIT = "wait"
    OBTAIN = "obtain"
    JUDGE = "judge"
    SHOWN = "shown"
    PAST = "past"


_PLACE = MappingProxyType({name: place for place, name in enumerate(FIELDS)})
_DIFFICULTY = MappingProxyType(
    {
        Feasibility.WAIT: 0,
        Feasibility.OBTAIN: 0,
        Feasibility.SHOWN: 1,
        Feasibility.JUDGE: 2,
        Feasibility.PAST: 3,
    }
)
_NOBODY_WAITS = 4
_BITS = 11
"""The bits of a distance: more than the days of a year, and than the doses missed in one."""


def change_cost(name: str, distance: int, means: Feasibility, nobody_waits: bool = False) -> int:
    """Return the cost of changing one field by a distance.

    A day beyond the next visit or the supply is one that nobody waits for, though it is to come.
    """
    place = _PLACE[name]
    difficulty = _NOBODY_WAITS if nobody_waits else _DIFFICULTY[means]
    fields = (((1 << 5) + difficulty) << len(FIELDS)) + (1 << place)
    far = min(distance, (1 << _BITS) - 1) << _BITS * (len(FIELDS) - 1 - place)
    return (fields << _BITS * len(FIELDS)) + far
