"""One patient after another, compiled by numba: the functions of `stepping`, on numbers instead of arrays."""

from functools import cache
from types import FunctionType
from typing import Any

import numba
import numpy as np

from .packed import FLAG_SHIFT, NO_SCORE, NOT_GIVEN, DosageTable, Packed
from .stepping import BEFORE_START, Came, Dose, Last, Lists, Seldom, Start, State, Visits, step
from .walking import Walked


def _flags(answer: Any) -> Any:
    bits = answer >> FLAG_SHIFT
    first = (bits & 1, bits >> 1 & 1, bits >> 2 & 1, bits >> 3 & 1, bits >> 4 & 1, bits >> 5 & 1)
    return (*first, bits >> 6 & 1, bits >> 7 & 1, bits >> 8 & 1, bits >> 9 & 1, bits >> 10 & 1, bits >> 11 & 1)


_SCALAR = {
    "where": lambda condition, this, other: this if condition else other,
    "wide": lambda narrow: np.int64(narrow),
    "pick": lambda table, index: table[index],
    "flags": _flags,
}
_FUNCTIONS = (
    *("after", "first_within", "learn", "is_treated", "ceiling_of", "response_of", "tests_missing", "_gaps"),
    *("safety_of", "interval_end", "position_of", "_too_many", "observe", "follow_advice", "follow_dosage"),
    *("recommend", "anchor_of", "harm_in", "apply", "step"),
)
"""What is compiled, what calls another after it."""


def walk(packed: Packed, lists: Lists, dosages: DosageTable, visits: Visits, number: Any) -> Walked:
    """Decide on visits that lie patient by patient; `number` counts each patient's visits from 0."""
    found = Walked(*(np.empty(len(number), np.int32) for _ in Walked._fields))
    begins = np.flatnonzero(number == 0)
    _one_by_one()(packed, lists, dosages, visits, np.append(begins, len(number)), found)
    return found


@cache
def _one_by_one() -> Any:
    """Give the function that lets patients walk one by one, compiled when it is first called and kept on disk."""
    names: dict[str, Any] = {**step.__globals__}
    for name in _SCALAR:
        names[name] = numba.njit(_SCALAR[name])
    # The same code is compiled with other meanings of those four; what it calls was compiled before it.
    for name in _FUNCTIONS:
        function = names[name]
        names[name] = numba.njit(FunctionType(function.__code__, names, name, function.__defaults__), cache=True)
    follow_advice, follow_dosage, step_one = names["follow_advice"], names["follow_dosage"], names["step"]
    unscored, not_given, before_start = np.int64(NO_SCORE), NOT_GIVEN, np.int64(BEFORE_START)

    @numba.njit(nogil=True, cache=True)
    def one_by_one(packed: Any, lists: Any, dosages: Any, visits: Any, begins: Any, found: Any) -> None:
        no_day, no, none = np.int64(0), np.int64(0), np.int64(-1)
        everything = Seldom(True, True, True, True, True)
        for index in range(len(begins) - 1):
            dose = Dose(none, no_day, no_day, no_day, no, no_day, none)
            state = State(
                before_start,
                np.int64(packed.top),
                no_day,
                Start(no_day, unscored, none),
                dose,
                unscored,
                no_day,
                no_day,
                no_day,
                Last(no_day, unscored, none, no, dose, unscored, no_day),
            )
            for row in range(begins[index], begins[index + 1]):
                visit = Visits(
                    np.int64(visits.day[row]),
                    np.int64(visits.score[row]),
                    np.int64(visits.known[row]),
                    np.int64(visits.events[row]),
                    np.int64(visits.judged[row]),
                    np.int64(visits.taken[row]),
                    np.int64(visits.missed[row]),
                )
                if row == begins[index]:
                    came = Came(state.phase, state.dose, state.lowest, state.interrupted_on, no_day)
                elif visit.taken != not_given:
                    came = follow_dosage(dosages, state, visit)
                else:
                    came = follow_advice(dosages, state, visit, True)
                state, situation, gaps, answer, anchor = step_one(packed, lists, state, came, visit, everything)
                found.situation[row] = situation
                found.gaps[row] = gaps
                found.answer[row] = answer
                found.anchor[row] = anchor
                found.too_many[row] = came.too_many

    return one_by_one
