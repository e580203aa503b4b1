"""Patients walk from visit to visit: all that have a first visit, then all that have a second, and so on."""

from typing import Any, NamedTuple

import numpy as np

from lenadose.cohort.lookup import NOT_GIVEN, DosageTable, Ints, ProtocolArrays
from lenadose.cohort.machine import (
    POSITIVE,
    TEST_GAPS,
    Arrival,
    Lists,
    Seldom,
    State,
    Visits,
    begin,
    follow_advice,
    follow_dosage,
    step,
)


class Replayed(NamedTuple):
    """What was found and advised at each visit; `answer` is -1 where nothing was decided."""

    situation: Ints
    gaps: Ints
    answer: Ints
    anchor: Ints
    too_many: Ints


def walk(
    packed: ProtocolArrays, lists: Lists, dosages: DosageTable, visits: Visits, number: Any
) -> Replayed:
    """Decide on visits that lie patient by patient; `number` counts each patient's visits from 0."""
    packed = _as_arrays(packed)
    heads = np.flatnonzero(number == 0)
    count = np.diff(np.append(heads, len(number)))
    # The patients with the most visits first: those that have a visit more are then always the first so many.
    order = np.argsort(-count, kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    begins = np.append(0, np.cumsum(np.bincount(number)))
    place = begins.take(number) + np.repeat(rank, count)
    laid = Visits(*(_laid(each, place) for each in visits))
    found = Replayed(*(np.empty(len(place), np.int32) for _ in Replayed._fields))
    seldom = _seldom(lists, visits)
    state = begin(packed, len(order), seldom.events)
    for first, last in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
        visit = Visits(*(each[first:last] for each in laid))
        if last - first < len(state.phase):
            state = _first(state, last - first)
        state, *told = _step(packed, lists, dosages, state, visit, seldom, first == 0)
        for column, values in zip(found, told, strict=True):
            column[first:last] = values
    return Replayed(*(_taken(each, place) for each in found))


def _seldom(lists: Lists, visits: Visits) -> Seldom:
    """Tell what any of the visits reports or lacks."""
    positive, untested = 1 << POSITIVE, (1 << 6) - 1 << TEST_GAPS
    return Seldom(
        missed=bool(visits.missed.any()),
        judged=bool(visits.judged.any()),
        taken=bool((visits.taken != NOT_GIVEN).any()),
        events=bool(lists.adds.any() or (visits.known & positive).any()),
        untested=bool((visits.known & untested).any()),
    )


def _as_arrays(values: Any) -> Any:
    """Give a nest of numbers and arrays with each number as an array: so numpy takes it at once, step after step."""
    if isinstance(values, tuple):
        return type(values)(*map(_as_arrays, values))
    return np.array(values, np.int32) if isinstance(values, int) else values


def _laid(column: Any, place: Any) -> Any:
    """Put a column in the order of the walk; what is the same everywhere lies anyhow."""
    if _is_constant(column):
        return column
    laid = np.empty_like(column)
    laid[place] = column
    return laid


def _taken(laid: Any, place: Any) -> Any:
    """Give a column back in the order of the visits."""
    return laid if _is_constant(laid) else laid.take(place)


def _is_constant(column: Any) -> bool:
    return bool((column[:100] == column[:1]).all() and (column == column[:1]).all())


def _each(values: Any, rows: Any) -> Any:
    """Give some rows of a nest of arrays."""
    if isinstance(values, tuple):
        return type(values)(*[_each(each, rows) for each in values])
    if not values.ndim:
        return values
    return values[rows] if isinstance(rows, slice) else values.take(rows)


def _first(state: State, count: int) -> State:
    """Give the state of the first so many; of the visit before, only what is asked of all of them is cut."""
    last, some = state.last, slice(count)
    cut = last._replace(on=last.on[some], advised=last.advised[some])
    return State._make([*(_each(each, some) for each in state[:-1]), cut])


def _write(into: Any, rows: Any, values: Any) -> None:
    """Write other values into some rows of a nest of arrays."""
    if isinstance(into, tuple):
        for each, value in zip(into, values, strict=True):
            _write(each, rows, value)
    else:
        into[rows] = values


def _step(
    packed: ProtocolArrays,
    lists: Lists,
    dosages: DosageTable,
    state: State,
    visit: Visits,
    seldom: Seldom,
    first: bool,
) -> tuple[Any, ...]:
    """Decide on a visit of each of many patients; what is seldom reported costs only where it is."""
    if first:
        came = Arrival(
            state.phase,
            state.dose,
            state.nadir,
            state.interrupted_on,
            visit.missed * 0,
        )
    else:
        came = follow_advice(dosages, state, visit, seldom.missed)
        taken = np.flatnonzero(visit.taken != NOT_GIVEN) if seldom.taken else ()
        if len(taken):
            # In place: each array of a state that was applied is its own, and `came` takes over from it.
            _write(came, taken, follow_dosage(dosages, _each(state, taken), _each(visit, taken)))
    return *step(packed, lists, state, came, visit, seldom), came.too_many


def end_at_faults(walked: Replayed, patient: Ints) -> None:
    """Leave undecided what comes after more doses missed than there were."""
    if not walked.too_many.any():
        return
    faulty = np.flatnonzero(walked.too_many)
    who, where = np.unique(patient[faulty], return_index=True)
    ends = np.full(int(patient[-1]) + 1, len(patient))
    ends[who] = faulty[where]
    rows = np.arange(len(patient))
    walked.answer[rows >= ends[patient]] = -1
    walked.too_many[rows > ends[patient]] = 0
