"""The visits of a table, read strictly into arrays.

A row that no record may be able to hold is marked as suspect; whether it is at fault, and in which
words, is left to the readers of a course.
"""

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.cells import (
    Cells,
    Floats,
    check_lists,
    distinct,
    entry_field,
    is_given,
    is_text,
    is_whole,
    list_lengths,
    read_days,
    read_words,
)
from lenadose.cohort.columns import is_blank
from lenadose.cohort.events import NOT_ASKED, EventEffects, event_effects
from lenadose.cohort.lookup import (
    NO_SCORE,
    NOT_GIVEN,
    NOTHING,
    WELL,
    DosageTable,
    bands,
    dosage_numbers,
    dosage_table,
)
from lenadose.formats.reader import parse
from lenadose.protocol.protocol import Protocol
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.fields import SEEN, is_reason
from lenadose.record.visit import (
    ACTIVITY,
    AGE,
    DAMAGE,
    MISSED,
    Antiphospholipid,
    JudgedResponse,
    TestResult,
    event_contradictions,
)
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage
from lenadose.terms.errors import DIGITS, DocumentError, LenadoseError
from lenadose.terms.numbers import decimal
from lenadose.terms.units import QUANTITIES, Quantity, ucum


class Rows(NamedTuple):
    """The visits of some patients, one entry for each row; results are as in `lookup.WELL`.

    `amounts` are the results in the units used inside. Of tests it holds the day of the newest one
    that a row reports, 0 for none. The facts of the patient, `able` and those after it, are -1
    where nothing is said; so is `missed`. `suspect` are rows that no record may be able to hold.
    """

    day: Ints
    activity: Ints
    neutrophils: Ints
    platelets: Ints
    clearance: Ints
    negative_test: Ints
    positive_test: Ints
    events: Ints
    judged: Ints
    taken: Ints
    missed: Ints
    stopped: Flags
    able: Ints
    regular: Ints
    antiphospholipid: Ints
    subtype: Ints
    suspect: Flags
    # The negative tests one by one, with the rows that report them.
    tests: Ints
    test_rows: Ints
    amounts: tuple[Floats, Floats, Floats]


class Reader:
    """Reads the visits of some patients at a time, and numbers the dosages and lists it meets."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._dosages = dosage_numbers(protocol)
        self._lists: dict[tuple[AdverseEvent, ...] | None, int] = {None: NOT_ASKED}

    def dosages(self) -> DosageTable:
        """Return what the machine asks of the dosages met so far."""
        return dosage_table(self._protocol, self._dosages)

    def effects(self) -> EventEffects:
        """Return what the lists of adverse events met so far do."""
        return event_effects(self._protocol.safety, self.lists())

    def lists(self) -> tuple[tuple[AdverseEvent, ...] | None, ...]:
        """Return the lists of adverse events met so far, by their numbers."""
        return tuple(self._lists)

    def read(self, table: pa.Table) -> Rows:
        """Read the visits of a table."""
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        cells = Cells(columns, table.num_rows)
        day = cells.days("date")
        judged = cells.terms("judgement", JudgedResponse)
        cells.suspect |= (day == 0) | ((judged > 0) != cells.texts("judgement_reason", _IN_LINES))
        # These drive no decision, but a record that holds an invalid one cannot be read either.
        cells.whole_numbers("clasi_damage", DAMAGE, 0)
        cells.whole_numbers("age", AGE, 0)
        test_rows, tests, negative = self._tests(cells, day)
        neutrophils, platelets, clearance = (
            self._results(quantity, cells, day) for quantity in QUANTITIES.values()
        )
        return Rows(
            day=day,
            activity=cells.whole_numbers("clasi_activity", ACTIVITY, NO_SCORE),
            neutrophils=neutrophils[0],
            platelets=platelets[0],
            clearance=clearance[0],
            negative_test=_newest(test_rows[negative], tests[negative], cells.count),
            positive_test=_newest(test_rows[~negative], tests[~negative], cells.count),
            events=self._events(cells),
            judged=judged,
            taken=self._taken(cells),
            missed=cells.whole_numbers("doses_missed", MISSED, -1),
            stopped=cells.texts("stopped", _IN_LINES),
            able=cells.truths("able_to_become_pregnant"),
            regular=cells.truths("regular_cycles"),
            antiphospholipid=cells.terms("antiphospholipid", Antiphospholipid) - 1,
            subtype=_numbers_of_texts(cells["subtype"], cells.texts("subtype", SEEN)),
            suspect=cells.suspect,
            tests=tests[negative],
            test_rows=test_rows[negative],
            amounts=(neutrophils[1], platelets[1], clearance[1]),
        )

    def _results(self, quantity: Quantity, cells: Cells, day: Ints) -> tuple[Ints, Floats]:
        """Read results, each as one number of its day and its band, and their amounts."""
        name, units = quantity.name, list(quantity.factors)
        values, known = cells.numbers(name)
        unit = read_words(f"{name}_unit", cells[f"{name}_unit"], units, ucum)
        of_unit = np.array([bands(self._protocol.safety, quantity, unit) for unit in units]).T
        same_day, danger, low, most = of_unit.take(np.maximum(unit, 0), axis=1)
        band = WELL + (values < low).astype(np.int8) + (values < danger)
        own_day = cells.days(f"{name}_date", known)
        on = np.where(own_day > 0, own_day, day)
        fine = (unit >= 0) & is_measurable(values) & (values <= most) & (on <= day)
        cells.suspect |= known & ~fine
        results: Ints = (on << 3 | band << 1 | (values < same_day)) * known
        # A count per µL is a whole number: divided, it is the nearest float, as if read so.
        parts = np.array([float(1 / quantity.factors[unit]) for unit in units])
        return results, values / parts.take(np.maximum(unit, 0))

    def _taken(self, cells: Cells) -> Ints:
        """Read the dosages taken, as their numbers."""
        taken = np.full(cells.count, NOT_GIVEN, np.int32)
        amounts, known = cells.numbers("dosage_taken_mg")
        intervals, with_interval = cells.numbers("dosage_taken_every_days")
        rows = np.flatnonzero(known | with_interval)
        mg, every = amounts[rows], intervals[rows]
        fine = known[rows] & is_measurable(mg) & (mg >= MG[0]) & (mg <= MG[1])
        fine &= np.where(with_interval[rows], is_whole(every, EVERY_DAYS), mg == 0)
        cells.suspect[rows[~fine]] = True
        taken[rows[fine & (mg == 0)]] = NOTHING
        some = np.flatnonzero(fine & (mg > 0))
        pairs, places = np.unique(mg[some] + 1j * every[some], return_inverse=True)
        numbers = [
            self._dosage_number(decimal(pair.real), int(pair.imag)) for pair in pairs.tolist()
        ]
        taken[rows[some]] = np.array(numbers, np.int32)[places]
        return taken

    def _dosage_number(self, mg: Any, every_days: int) -> int:
        return self._dosages.setdefault(Dosage(mg, every_days), len(self._dosages))

    # Lists

    def _events(self, cells: Cells) -> Ints:
        """Read lists of adverse events, as their numbers."""
        column = cells["adverse_events"]
        if is_text(column.type) or pa.types.is_null(column.type):
            places, texts = distinct(column)
            lists = [None if _is_null(text) else _parsed_events(text) for text in texts]
        else:
            check_lists("adverse_events", column, ("term", "grade", "ctcae", "resolved"))
            places, lists = _listed_events(column)
        numbers: Ints = np.array([self._list_number(events) for events in lists])[places]
        cells.suspect |= numbers < 0
        return np.where(numbers < 0, NOT_ASKED, numbers)

    def _list_number(self, events: tuple[AdverseEvent | None, ...] | None) -> int:
        """Return the number of a list of adverse events, -1 for one that no record can hold."""
        if events is None:
            return NOT_ASKED
        sound = tuple(event for event in events if event is not None)
        if any(event_contradictions(sound)):
            return -1
        return -1 if sound != events else self._lists.setdefault(sound, len(self._lists))

    def _tests(self, cells: Cells, day: Ints) -> tuple[Ints, Ints, Flags]:
        """Read pregnancy tests one by one: their rows, their days, and which are negative."""
        column = cells["pregnancy_tests"]
        if is_text(column.type) or pa.types.is_null(column.type):
            places, texts = distinct(column)
            lists = [None if _is_null(text) else _test_entries(text) for text in texts]
            unreadable = [
                entries is None and not _is_null(text)
                for entries, text in zip(lists, texts, strict=True)
            ]
            cells.suspect |= np.array(unreadable)[places]
            column = pa.array(lists, _TESTS).take(pa.array(places))
        else:
            check_lists("pregnancy_tests", column, ("result", "date"))
        rows = np.repeat(np.arange(cells.count), list_lengths(column))
        entries = column.flatten()
        words = [result.label for result in TestResult]
        results = read_words("pregnancy_tests.result", entry_field(entries, "result"), words)
        on, wrong = read_days("pregnancy_tests.date", entry_field(entries, "date"))
        on = np.where((on == 0) & ~wrong, day[rows], on)
        fine = (results >= 0) & (on > 0) & (on <= day[rows])
        cells.suspect[rows[~fine]] = True
        return rows[fine], on[fine], results[fine] == TestResult.NEGATIVE.rank


_IN_LINES = re.compile(is_reason.keywords["pattern"])
"""A text that can be shown, in one line or more."""

_TESTS = pa.list_(pa.struct([("result", pa.string()), ("date", pa.string())]))


def is_measurable(values: Floats) -> Flags:
    """Return which numbers a record can hold: not negative, and not too small to write."""
    measurable: Flags = (values == 0) | (values >= 10.0 ** -(DIGITS + 1))
    return measurable


def _numbers_of_texts(cells: pa.Array, given: Flags) -> Ints:
    """Return texts as numbers, equal ones alike, and -1 for a missing one."""
    return np.where(given, distinct(cells)[0], -1).astype(np.int32)


def _newest(rows: Ints, days: Ints, count: int) -> Ints:
    """Return the newest day of each row, 0 without one."""
    newest = np.zeros(count, np.int32)
    np.maximum.at(newest, rows, days)
    return newest


def _is_null(text: str | None) -> bool:
    """Return whether a list as JSON text is missing; null is the same as a cell left out."""
    return text is None or text.strip() in ("", "null")


def _parsed(text: str) -> object:
    """Return a list read from JSON text, False where the text is not one."""
    try:
        entries = parse(text)
    except DocumentError:
        return False
    return entries if isinstance(entries, list) else False


def _event(entry: Any) -> AdverseEvent | None:
    """Read an adverse event, None for an entry that is not one."""
    if not isinstance(entry, dict):
        return None
    known = {key: value for key, value in entry.items() if value is not None}
    grade = known.get("grade")
    if isinstance(grade, float) and grade.is_integer():
        known["grade"] = int(grade)
    try:
        return AdverseEvent(**known)
    except (LenadoseError, TypeError):
        return None


def _parsed_events(text: str) -> tuple[AdverseEvent | None, ...]:
    """Read adverse events from JSON text."""
    entries = _parsed(text)
    return tuple(map(_event, entries)) if isinstance(entries, list) else (None,)


def _listed_events(column: pa.Array) -> tuple[Ints, list[tuple[AdverseEvent | None, ...] | None]]:
    """Return the place of each list of adverse events among the distinct ones, and these."""
    entries, lengths = column.flatten(), list_lengths(column)
    kinds, firsts = _kinds(entries)
    events = [_event(entries[first].as_py()) for first in firsts.tolist()]
    rows, ends, of_entries = np.flatnonzero(lengths), np.cumsum(lengths), kinds.tolist()
    slices = zip((ends - lengths)[rows].tolist(), ends[rows].tolist(), strict=True)
    numbers: dict[tuple[int, ...], int] = {}
    # Missing is the first, and the empty list the second.
    places = is_given(column).astype(np.int64)
    places[rows] = [
        numbers.setdefault(tuple(of_entries[begin:end]), len(numbers) + 2) for begin, end in slices
    ]
    return places, [None, (), *(tuple(events[kind] for kind in kinds) for kinds in numbers)]


def _kinds(entries: pa.Array) -> tuple[Ints, Ints]:
    """Number the entries of lists, equal ones alike, and return the first entry of each number."""
    fields = entries.flatten() if pa.types.is_struct(entries.type) else ()
    firsts, kinds = np.unique(is_given(entries), return_index=True, return_inverse=True)[1:]
    for places, values in map(distinct, fields):
        keys = kinds * len(values) + places
        firsts, kinds = np.unique(keys, return_index=True, return_inverse=True)[1:]
    return kinds, firsts


def _test_entries(text: str) -> list[dict[str, str]] | None:
    """Read pregnancy tests from JSON text, None for text that is not a list of them."""
    entries, parsed = [], _parsed(text)
    if not isinstance(parsed, list):
        return None
    for entry in parsed:
        if not isinstance(entry, dict):
            return None
        known = {key: value for key, value in entry.items() if value is not None}
        texts = all(isinstance(value, str) and not is_blank(value) for value in known.values())
        if not texts or not {"result"} <= known.keys() <= {"result", "date"}:
            return None
        entries.append(known)
    return entries
