"""The results and events of each visit that were not used, by `lenadose.engine.unused`."""

from collections.abc import Sequence

import numpy as np

from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.cells import Floats
from lenadose.cohort.events import awaited_bits, awaited_names
from lenadose.cohort.reader import Rows
from lenadose.cohort.state import Decisions
from lenadose.engine.unused import is_unused
from lenadose.protocol.safety import SafetyCriteria
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.event_terms import SENSORY_NEUROPATHY
from lenadose.terms.units import QUANTITIES

Lists = Sequence[tuple[AdverseEvent, ...] | None]


def not_used(
    safety: SafetyCriteria, lists: Lists, rows: Rows, patient: Ints, decisions: Decisions
) -> tuple[Ints, list[str]]:
    """Return the results and events of each visit that change nothing, as the places of texts.

    The first text is the empty one. *lists* are the lists of adverse events by their numbers,
    *patient* is the patient of each row.
    """
    places, events = _unused_events(safety, lists, rows.events, decisions)
    place = patient.astype(np.int64) << 32
    given = (rows.neutrophils, rows.platelets, rows.clearance)
    for bit, (result, amounts) in enumerate(zip(given, rows.amounts, strict=True)):
        unused = _unused_results(place | result >> 3, amounts, result > 0)
        places += unused.astype(np.int64) << bit + _EVENTS
    kinds, places = np.unique(places, return_inverse=True) if places.any() else ([0], places)
    texts = [
        "; ".join(
            [name for bit, name in enumerate(QUANTITIES) if kind >> bit + _EVENTS & 1]
            + events[kind & (1 << _EVENTS) - 1]
        )
        for kind in map(int, kinds)
    ]
    return places, texts


_EVENTS = 40
"""Bits for the place of a text about events; a bit for each quantity is above them."""


def _unused_results(key: Ints, amounts: Floats, known: Flags) -> Flags:
    """Return which results are older than the newest, or of one day with a lower one before them.

    *key* is the patient and the day of each.
    """
    newest = np.maximum.accumulate(np.where(known, key, 0))
    unused: Flags = known & (key < newest)
    # The others follow each other by patient and day.
    rows = np.flatnonzero(known & ~unused)
    again = np.diff(key[rows]) == 0
    if again.any():
        rows = rows[np.append(again, False) | np.append(False, again)]
        day = np.unique(key[rows], return_inverse=True)[1]
        lower = np.unique(-amounts[rows], return_inverse=True)[1]
        place = day * len(rows) + lower
        unused[rows] = place < np.maximum.accumulate(place)
    return unused


def _unused_events(
    safety: SafetyCriteria, lists: Lists, numbers: Ints, decisions: Decisions
) -> tuple[Ints, list[list[str]]]:
    """Return the events that change nothing, as places among lists of them; the first is empty."""
    places = np.zeros(len(numbers), np.int64)
    rows = np.flatnonzero(np.array([bool(events) for events in lists])[numbers])
    found: list[list[str]] = [[]]
    if len(rows):
        # Only these depend on what was before.
        ends = np.array([_ends(events or ()) for events in lists])
        compared = np.array(
            [any(event.name == SENSORY_NEUROPATHY for event in events or ()) for events in lists]
        )
        number = numbers[rows]
        awaited = decisions.ongoing[rows] & ends[number]
        neuropathy = np.where(compared[number], decisions.neuropathy[rows], -1)
        cases, of_rows = np.unique(
            np.stack([number, awaited, neuropathy]), axis=1, return_inverse=True
        )
        for case in cases.T.tolist():
            events, names = lists[case[0]] or (), awaited_names(case[1])
            grade = None if case[2] < 0 else case[2]
            found.append([str(event) for event in events if is_unused(safety, event, names, grade)])
        empty = np.array([not events for events in found])
        at = of_rows.reshape(-1) + 1
        places[rows] = np.where(empty[at], 0, at)
    return places, found


def _ends(events: tuple[AdverseEvent, ...]) -> int:
    """Return the bits of the events that a list may report resolved."""
    bits = 0
    for event in events:
        if event.resolved:
            bits |= awaited_bits(event.name)
    return bits
