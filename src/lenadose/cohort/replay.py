"""Patients go from visit to visit together: all first visits, then all second ones, and so on."""

from itertools import pairwise
from operator import itemgetter

import numpy as np

from lenadose.cohort.calendar import Ints
from lenadose.cohort.events import EventEffects
from lenadose.cohort.lookup import DosageTable, ProtocolArrays
from lenadose.cohort.machine import (
    Decisions,
    MissingFields,
    Visits,
    begin,
    map_arrays,
    step,
    take_rows,
)


def replay(
    arrays: ProtocolArrays,
    effects: EventEffects,
    dosages: DosageTable,
    visits: Visits,
    number: Ints,
) -> Decisions:
    """Decide on visits that lie patient by patient; *number* counts each patient's visits from 0."""
    total = len(number)
    heads = np.flatnonzero(number == 0)
    counts = np.diff(np.append(heads, total))
    # The patients with the most visits first: those with one more are always the first so many.
    rank = np.empty(len(heads), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(heads))
    begins = np.append(0, np.cumsum(np.bincount(number)))
    order = np.empty(total, np.int64)
    order[begins[number] + np.repeat(rank, counts)] = np.arange(total)

    missing = MissingFields(*(np.empty(total, np.int8) for _ in MissingFields._fields))
    decisions = Decisions(*(np.empty(total, np.int32) for _ in range(4)), missing)
    state = begin(arrays, len(heads))
    for first, last in pairwise(begins):
        rows = order[first:last]
        state = map_arrays(itemgetter(slice(len(rows))), state)
        decided, state = step(arrays, effects, dosages, state, take_rows(visits, rows), first == 0)
        for column, values in zip(_columns(decisions), _columns(decided), strict=True):
            column[rows] = values
    return decisions


def _columns(decisions: Decisions) -> tuple[Ints, ...]:
    return (*decisions[:-1], *decisions.missing)
