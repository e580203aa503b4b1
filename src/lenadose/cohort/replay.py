"""Patients go from visit to visit together: all first visits, then all second ones, and so on."""

from itertools import pairwise
from operator import itemgetter

import numpy as np

from lenadose.cohort.calendar import Ints
from lenadose.cohort.carry_forward import NegativeTests
from lenadose.cohort.events import EventEffects
from lenadose.cohort.lookup import DosageTable, ProtocolArrays
from lenadose.cohort.machine import step
from lenadose.cohort.state import Decisions, Visits, begin, map_arrays, take_rows


def replay(
    arrays: ProtocolArrays,
    effects: EventEffects,
    dosages: DosageTable,
    tests: NegativeTests,
    visits: Visits,
    number: Ints,
) -> Decisions:
    """Decide on visits that lie patient by patient.

    *number* counts the visits of each patient from 0.
    """
    total = len(number)
    heads = np.flatnonzero(number == 0)
    counts = np.diff(np.append(heads, total))
    # The patients with the most visits first: those with one more are always the first so many.
    rank = np.empty(len(heads), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(heads))
    begins = np.append(0, np.cumsum(np.bincount(number)))
    place = begins[number] + np.repeat(rank, counts)
    order = np.empty_like(place)
    order[place] = np.arange(total)
    state, steps = begin(arrays.protocol, len(heads)), []
    for first, last in pairwise(begins):
        visit = take_rows(visits, order[first:last])
        state = map_arrays(itemgetter(slice(last - first)), state)
        decisions, state = step(arrays, effects, dosages, tests, state, visit, first == 0)
        steps.append(decisions)
    columns = (np.concatenate(parts, axis=-1) for parts in zip(*steps, strict=True))
    return Decisions(*(column.take(place, axis=-1) for column in columns))
