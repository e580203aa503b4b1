"""The columns of a table of visits: what each may hold, read strictly into arrays.

A cell that no record could hold makes its row suspect; whether it is at fault, and with which words, is then told by
the readers of a course, so that a table is refused for what a course is refused for.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from attrs import frozen

from lenadose.cohort.lookup import (
    FIRST_DAY,
    LAST_DAY,
    NO_SCORE,
    NOT_ASKED,
    NOT_GIVEN,
    NOTHING,
    WELL,
    Dosages,
    Flags,
    Ints,
    after,
    bands,
    listed,
)
from lenadose.cohort.machine import Lists, where
from lenadose.formats.course_json import read_course
from lenadose.formats.reader import parse, unknown_key
from lenadose.protocol.protocol import Protocol
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.fields import decimal
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
from lenadose.terms.errors import DIGITS, PRINTABLE, DocumentError, Fault, LenadoseError, describe
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, QUANTITIES, Quantity

Floats: TypeAlias = Any


@frozen
class Column:
    """A column: its name, what it holds in words, and where a course has the same (`place`)."""

    name: str
    holds: str
    place: str
    words: str


def _quantity(quantity: Quantity, words: str) -> tuple[Column, ...]:
    name, units = quantity.name, " or ".join(f"`{unit}`" for unit in quantity.factors)
    return (
        Column(name, "number", f"{name}.value", f"{words}; it needs its unit"),
        Column(f"{name}_unit", "text", f"{name}.unit", f"the UCUM unit of `{name}`: {units}"),
        Column(
            f"{name}_date",
            "date",
            f"{name}.date",
            f"when `{name}` was taken; the day of the visit if it is missing",
        ),
    )


COLUMNS = (
    Column("patient", "text or whole number", "patient.id", "whose visit it is; required"),
    Column("date", "date", "date", "the day of the visit; required"),
    Column(
        "clasi_activity",
        "whole number",
        "clasi_activity",
        f"CLASI activity, {ACTIVITY[0]} to {ACTIVITY[1]}",
    ),
    Column(
        "clasi_damage",
        "whole number",
        "clasi_damage",
        f"CLASI damage, {DAMAGE[0]} to {DAMAGE[1]}; drives no decision",
    ),
    *_quantity(NEUTROPHILS, "neutrophil count"),
    *_quantity(PLATELETS, "platelet count"),
    *_quantity(CREATININE_CLEARANCE, "creatinine clearance, Cockcroft–Gault"),
    Column(
        "pregnancy_tests",
        "list, or JSON text",
        "pregnancy_tests",
        "tests with `result` (negative or positive) and, if another day than that of the visit, `date`",
    ),
    Column(
        "adverse_events",
        "list, or JSON text",
        "adverse_events",
        "events with `term`, `grade`, `ctcae`, `resolved`; an empty list says that there were none, a missing one that "
        "nobody asked",
    ),
    Column(
        "dosage_taken_mg",
        "number",
        "dosage_taken.mg",
        f"mg taken since the visit before, {MG[0]} to {MG[1]}; 0 is none",
    ),
    Column(
        "dosage_taken_every_days",
        "whole number",
        "dosage_taken.every_days",
        "how often: 1 daily, 2 every other day",
    ),
    Column("doses_missed", "whole number", "doses_missed", "doses missed since the visit before"),
    Column(
        "judgement",
        "text",
        "judgement.response",
        "the clinician's judgement: improved, not improved or worse",
    ),
    Column("judgement_reason", "text", "judgement.reason", "the reason for it; required with it"),
    Column("age", "whole number", "patient.age", f"years, {AGE[0]} or more"),
    Column(
        "able_to_become_pregnant",
        "true or false",
        "patient.able_to_become_pregnant",
        "the same in all visits of a patient; missing counts as able",
    ),
    Column(
        "regular_cycles",
        "true or false",
        "patient.regular_cycles",
        "the same in all visits of a patient; missing counts as irregular",
    ),
    Column("subtype", "text", "patient.subtype", "of the disease; drives no decision"),
    Column(
        "antiphospholipid",
        "text",
        "patient.antiphospholipid",
        "negative or positive; drives no decision",
    ),
)
"""Every column that is read. All but the first two may be left out, and any cell of the others may be missing."""

NAMES = tuple(each.name for each in COLUMNS)
REQUIRED = ("patient", "date")

_EPOCH = date(1970, 1, 1).toordinal()
_NEVER = np.int32(LAST_DAY + 1_000_000)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
_LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)


def columns_of(names: Iterable[str]) -> None:
    """Refuse a table with columns that are not known, and one without patient or date."""
    names = tuple(names)
    faults = [
        Fault(name, "unknown column", unknown_key(name, NAMES).fix)
        for name in names
        if name not in NAMES
    ]
    faults += (
        Fault(name, "the column is missing", "give it") for name in REQUIRED if name not in names
    )
    if faults:
        raise DocumentError(faults)


class VisitArrays(NamedTuple):
    """The visits of some patients as arrays, one entry a row; `packed` says what the numbers stand for.

    `suspect` are rows that no record may be able to hold. `able` and `regular` are 1, 0, or -1 where nothing is said.
    """

    day: Ints
    score: Ints
    neutrophils: Ints
    platelets: Ints
    clearance: Ints
    negative_test: Ints
    positive_test: Ints
    events: Ints
    judged: Ints
    taken: Ints
    missed: Ints
    able: Ints
    regular: Ints
    suspect: Flags
    # The negative tests one by one, with the rows that report them.
    tests: Ints
    test_rows: Ints


# Cells


def is_text(kind: pa.DataType) -> bool:
    """Tell whether cells hold text, or categories of text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        each(kind)
        for each in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _wrong(column: str, kind: pa.DataType, holds: str) -> DocumentError:
    return DocumentError((Fault(column, f"a column of {kind}", f"give {holds}"),))


def _stored(cells: pa.Array) -> Any:
    """Give the numbers or truths of a column as they are stored; those of missing cells are any."""
    if not len(cells):
        return np.zeros(0, cells.type.to_pandas_dtype())
    stored = cells.buffers()[1]
    if pa.types.is_boolean(cells.type):
        return _bits(stored, cells)
    return np.frombuffer(stored, cells.type.to_pandas_dtype())[
        cells.offset : cells.offset + len(cells)
    ]


def _known(cells: pa.Array) -> Flags:
    """Tell which cells are not missing."""
    if cells.null_count == 0:
        return np.ones(len(cells), bool)
    return _bits(cells.buffers()[0], cells)


def _bits(stored: Any, cells: pa.Array) -> Flags:
    end = cells.offset + len(cells)
    # Four times as fast as by way of Arrow.
    return np.unpackbits(np.frombuffer(stored, np.uint8), count=end, bitorder="little")[
        cells.offset :
    ].view(bool)


def _or_else(known: Flags, values: Ints, missing: int) -> Ints:
    """Give values, or what stands for a missing one; both of one kind, which may be narrow."""
    return (values - missing) * known + missing


def _coded(cells: pa.Array) -> tuple[Ints, list[Any]]:
    """Give the number of each cell in the list of all that there are, -1 for a missing one, and the list."""
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    found = _stored(cells.indices)
    if found.dtype.kind == "u":
        found = found.astype(np.int64)
    if cells.indices.null_count:
        found = _or_else(_known(cells.indices), found, -1)
    values = cells.dictionary.to_pylist()
    if None in values:
        found = np.where(found == values.index(None), -1, found)
    return found, values


def _distinct(keys: Ints) -> tuple[Any, Any]:
    """Give where each key is first met, and the number of each entry's key among them."""
    found = pa.array(keys).dictionary_encode()
    place = _stored(found.indices)
    firsts = np.empty(len(found.dictionary), np.int64)
    # The last to be written is the first that is met.
    firsts[place[::-1]] = np.arange(len(keys) - 1, -1, -1)
    return firsts, place


def _mapped(cells: pa.Array, read: Callable[[str], Any], missing: Any, bad: Any, kind: Any) -> Any:
    """Read each text once; a blank one is missing."""
    numbers, texts = _coded(cells)
    values = []
    for text in texts:
        value = missing if text is None or not text.strip() else read(text)
        values.append(bad if value is None else value)
    return np.array([*values, missing], kind).take(numbers)


class Reader:
    """Reads the visits of some patients at a time; lists of events and dosages are numbered as they are met."""

    def __init__(self, protocol: Protocol) -> None:
        self._safety = protocol.safety
        self._dosages = Dosages(protocol)
        self._first_test = protocol.safety.first_test.value
        self._lists: dict[tuple[AdverseEvent, ...] | None, int] = {}
        self._told = [listed(protocol.safety, None)]
        self._lists[None] = NOT_ASKED
        self._events_met: dict[tuple[Any, ...], AdverseEvent | None] = {}
        self._number_list(())

    def dosages(self) -> Any:
        """Give what the machine asks of the dosages met so far."""
        return self._dosages.table()

    def lists(self) -> Lists:
        """Give what the lists of adverse events met so far do."""
        return Lists(
            np.array([each.keeps for each in self._told], np.int32),
            np.array([each.adds for each in self._told], np.int32).ravel(),
            np.array([each.neuropathy for each in self._told], np.int32),
            np.array([each.ends_pregnancy for each in self._told], bool),
        )

    def read(self, table: pa.Table) -> VisitArrays:
        """Read the visits of a table."""
        count = table.num_rows
        suspect = np.zeros(count, bool)
        given = {name: _whole(table.column(name)) for name in table.column_names}
        zeros = np.zeros(count, np.int32)

        def whole(name: str, bounds: tuple[int, int], missing: int) -> Ints:
            if name not in given:
                return zeros if missing == 0 else np.full(count, missing, np.int32)
            return _wholes(name, given[name], bounds, missing, suspect)

        def words(name: str, kind: Any, missing: int = 0) -> Ints:
            if name not in given:
                return zeros if missing == 0 else np.full(count, missing, np.int32)
            return _words(
                name, given[name], {each.label: each.rank + 1 for each in kind}, missing, suspect
            )

        day = _days("date", given["date"], suspect)
        _suspect(suspect, day == 0)
        neutrophils, platelets, clearance = (
            self._result(quantity, given, day, suspect) for quantity in QUANTITIES.values()
        )
        negative, positive, tests, test_rows = self._tests(
            given.get("pregnancy_tests"), day, suspect
        )
        judged = words("judgement", JudgedResponse)
        _reasons(given.get("judgement_reason"), judged, suspect)
        whole("clasi_damage", DAMAGE, 0)
        whole("age", AGE, AGE[0])
        words("antiphospholipid", Antiphospholipid)
        if "subtype" in given:
            _said("subtype", given["subtype"], suspect)
        return VisitArrays(
            day,
            whole("clasi_activity", ACTIVITY, NO_SCORE),
            neutrophils,
            platelets,
            clearance,
            negative,
            positive,
            self._events(given.get("adverse_events"), count, suspect),
            judged,
            self._taken(given, count, suspect),
            whole("doses_missed", MISSED, 0),
            _truths("able_to_become_pregnant", given, count, suspect),
            _truths("regular_cycles", given, count, suspect),
            suspect,
            tests,
            test_rows,
        )

    def first_tests(self, rows: VisitArrays, visit: Any) -> Flags:
        """Tell for each row whether a negative test known by then was done when the first one is asked for.

        `visit` counts each patient's rows from 0.
        """
        earliest, latest = self._first_test
        row, begins, ends = rows.test_rows, after(earliest, rows.tests), after(latest, rows.tests)
        found = np.zeros(len(visit), bool)
        # The day of the patient's next visit, if there is one. Most are weeks away, after the last day that counts.
        soon = np.append(where(visit[1:] > 0, rows.day[1:], _NEVER), _NEVER)
        now = rows.day.take(row)
        while len(row):
            found[row[(now >= begins) & (now <= ends)]] = True
            now = soon.take(row)
            some = np.flatnonzero(now <= ends)
            row, now, begins, ends = (
                row.take(some) + 1,
                now.take(some),
                begins.take(some),
                ends.take(some),
            )
        return found

    def _result(
        self, quantity: Quantity, given: Mapping[str, pa.Array], day: Ints, suspect: Flags
    ) -> Ints:
        """Read results: each as one number, of its day and its band."""
        name, limits = quantity.name, self._safety.limits_of(quantity.name)
        if name not in given:
            return np.zeros(len(day), np.int32)
        values, known = _numbers(name, given[name])
        units = tuple(quantity.factors)
        if f"{name}_unit" in given:
            numbers = {unit: index for index, unit in enumerate(units)}
            unit = _words(f"{name}_unit", given[f"{name}_unit"], numbers, -1, None)
        else:
            unit = np.full(len(day), -1, np.int8)
        # One unit is usual; the others are looked at where they are.
        usual = int(np.bincount(np.maximum(unit[:1000], 0), minlength=1).argmax())
        band, fine = _banded(values, bands(quantity, units[usual], limits))
        others = known & (unit != usual)
        if others.any():
            fine &= unit >= 0
            for index, each in enumerate(units):
                rows = np.flatnonzero(others & (unit == index)) if index != usual else ()
                if len(rows):
                    band[rows], fine[rows] = _banded(values[rows], bands(quantity, each, limits))
        on = day
        if f"{name}_date" in given:
            own = _days(f"{name}_date", given[f"{name}_date"], suspect, known)
            on = where(own > 0, own, day)
            fine &= on <= day
        _suspect(suspect, known & ~fine)
        return (on << 2 | band) * known

    def _taken(self, given: Mapping[str, pa.Array], count: int, suspect: Flags) -> Ints:
        """Read the dosages taken, as their numbers."""
        taken = np.full(count, NOT_GIVEN, np.int32)
        amounts = given.get("dosage_taken_mg")
        often = given.get("dosage_taken_every_days")
        if amounts is None and often is None:
            return taken
        none = pa.nulls(count)
        mg, known = _numbers("dosage_taken_mg", none if amounts is None else amounts)
        every, told = _numbers("dosage_taken_every_days", none if often is None else often)
        rows = np.flatnonzero(known | told)
        mg, known, every, told = (each.take(rows) for each in (mg, known, every, told))
        fine = known & (mg >= MG[0]) & (mg <= MG[1]) & ((mg == 0) | (mg >= 10.0**-DIGITS))
        fine &= np.where(told, _is_whole(every, EVERY_DAYS), mg == 0)
        suspect[rows[~fine]] = True
        taken[rows[fine & (mg == 0)]] = NOTHING
        some = np.flatnonzero(fine & (mg > 0))
        if len(some):
            mg, every = mg.take(some), every.take(some).astype(np.int64)
            firsts, place = _distinct(_distinct(mg)[1] * np.int64(EVERY_DAYS[1] + 1) + every)
            kinds = zip(mg.take(firsts).tolist(), every.take(firsts).tolist(), strict=True)
            numbers = [
                self._dosages.number(Dosage(decimal(amount), often)) for amount, often in kinds
            ]
            taken[rows.take(some)] = np.array(numbers, np.int32).take(place)
        return taken

    # Lists

    def _number_list(self, events: tuple[AdverseEvent, ...]) -> int | None:
        """Give the number of a list of adverse events, None for one that contradicts itself."""
        number = self._lists.get(events)
        if number is None:
            if any(event_contradictions(events)):
                return None
            number = self._lists[events] = len(self._told)
            self._told.append(listed(self._safety, events))
        return number

    def _event(self, given: Any) -> AdverseEvent | None:
        """Read an adverse event, None for what is none; each kind once."""
        kind = tuple(given.items()) if isinstance(given, dict) else ()
        if kind not in self._events_met:
            self._events_met[kind] = _event(given)
        return self._events_met[kind]

    def _events(self, cells: pa.Array | None, count: int, suspect: Flags) -> Ints:
        """Read lists of adverse events, as their numbers."""
        if cells is None or pa.types.is_null(cells.type):
            return np.full(count, NOT_ASKED, np.int32)
        if is_text(cells.type):

            def read(text: str) -> int | None:
                entries = _entries(text)
                events = None if entries is None else tuple(_event(each) for each in entries)
                # That none is in it the type checker does not see.
                return None if events is None or None in events else self._number_list(events)  # type: ignore[arg-type]

            found = _mapped(cells, read, NOT_ASKED, -1, np.int32)
        else:
            found = self._listed_events(cells)
        _suspect(suspect, found < 0)
        return np.maximum(found, 0)

    def _listed_events(self, cells: pa.Array) -> Ints:
        lengths, flat = _flattened("adverse_events", cells, ("term", "grade", "ctcae", "resolved"))
        found = (lengths >= 0).astype(np.int32)
        if len(flat):
            # Each kind of event is looked at once.
            firsts, place = _distinct(_kinds(flat))
            events = [self._event(entry) for entry in flat.take(pa.array(firsts)).to_pylist()]
            alone = [
                _or_bad(None if each is None else self._number_list((each,))) for each in events
            ]
            some = np.flatnonzero(lengths > 0)
            many = lengths.take(some)
            begins = np.cumsum(many) - many
            found[some] = np.array(alone, np.int32).take(place.take(begins))
            several: dict[tuple[int, ...], int] = {}
            for index in np.flatnonzero(many > 1).tolist():
                key = tuple(place[begins[index] : begins[index] + many[index]].tolist())
                if key not in several:
                    together = tuple(events[each] for each in key)
                    several[key] = _or_bad(
                        None if None in together else self._number_list(together)
                    )
                found[some[index]] = several[key]
        return found

    def _tests(
        self, cells: pa.Array | None, day: Ints, suspect: Flags
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Read pregnancy tests: the newest negative and positive of each row, and every negative one with its row."""
        none = np.zeros(0, np.int32)
        negative, positive = np.zeros(len(day), np.int32), np.zeros(len(day), np.int32)
        if cells is None or pa.types.is_null(cells.type):
            return negative, positive, none, none
        lengths, results, on = _tests_of(cells)
        rows = np.repeat(np.arange(len(day)), np.maximum(lengths, 0))
        visit = day.take(rows)
        on = where(on == 0, visit, on)
        wrong = (results < 0) | (on > visit) | (on < FIRST_DAY)
        suspect[rows[wrong]] = True
        suspect[lengths < -1] = True
        shows = np.flatnonzero((results == TestResult.POSITIVE.rank) & ~wrong)
        _newest(positive, rows.take(shows), on.take(shows))
        if len(shows) or wrong.any():
            shows = np.flatnonzero((results == TestResult.NEGATIVE.rank) & ~wrong)
            rows, on = rows.take(shows), on.take(shows)
        _newest(negative, rows, on)
        return negative, positive, on, rows


def _newest(found: Ints, rows: Any, on: Ints) -> None:
    """Write the newest day of each row, of days that lie row by row."""
    if len(rows):
        begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        found[rows.take(begins)] = np.maximum.reduceat(on, begins)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Give a column in one piece; where all is missing its kind says nothing: in pandas it is that of numbers."""
    if column.null_count == len(column):
        return pa.nulls(len(column))
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _suspect(suspect: Flags, more: Flags) -> None:
    """Mark more rows that no record may be able to hold."""
    np.logical_or(suspect, more, out=suspect)


def _or_bad(number: int | None) -> int:
    return -1 if number is None else number


def _banded(values: Floats, limits: tuple[float, float, float]) -> tuple[Ints, Flags]:
    """Give the bands of results, and which of them a patient can have."""
    danger, low, most = limits
    fine = (values >= 0) & (values <= most)
    tiny = values < 10.0**-DIGITS
    if tiny.any():
        fine &= ~tiny | (values == 0)
    return WELL + (values < low).view(np.int8) + (values < danger).view(np.int8), fine


def _is_whole(values: Floats, bounds: tuple[int, int]) -> Flags:
    return (values >= bounds[0]) & (values <= bounds[1]) & (values == np.floor(values))


def _numbers(name: str, cells: pa.Array) -> tuple[Floats, Flags]:
    """Read numbers, and tell which cells are not missing; what is no number is beyond all bounds."""
    if pa.types.is_decimal(cells.type):
        # By their digits: as floats some would be other numbers.
        cells = cells.cast(pa.string())
    kind = cells.type
    if is_text(kind):
        values = _mapped(cells, _number, np.nan, np.inf, np.float64)
        return values, ~np.isnan(values)
    if not any(each(kind) for each in _NUMBERS):
        raise _wrong(name, kind, "numbers")
    if pa.types.is_null(kind):
        return np.zeros(len(cells)), np.zeros(len(cells), bool)
    if not pa.types.is_float64(kind):
        cells = cells.cast(pa.float64(), safe=False)
    return _stored(cells), _known(cells)


def _wholes(
    name: str, cells: pa.Array, bounds: tuple[int, int], missing: int, suspect: Flags
) -> Ints:
    """Read whole numbers; suspect are those out of their bounds."""
    if pa.types.is_integer(cells.type):
        numbers, known = _stored(cells), _known(cells)
        fine = (numbers >= bounds[0]) & (numbers <= bounds[1])
    else:
        numbers, known = _numbers(name, cells)
        fine = _is_whole(numbers, bounds)
    _suspect(suspect, known & ~fine)
    fine &= known
    with np.errstate(invalid="ignore"):  # of what is not fine nothing is kept
        found = numbers.astype(np.int32)
    return found if fine.all() else where(fine, found, missing)


def _number(text: str) -> float | None:
    """Read a number, None for what is none or would not be the same number to other programs."""
    text = text.strip()
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    exact = Decimal(text)
    found = float(exact)
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    return (
        found if len(digits) <= DIGITS and isfinite(found) and (found != 0 or not digits) else None
    )


def _days(name: str, cells: pa.Array, suspect: Flags, counts: Flags | None = None) -> Ints:
    """Read dates as ordinals, 0 for a missing one; suspect where there is no such day, among the rows that count."""
    kind = cells.type
    if is_text(kind):
        found = _mapped(cells, _ordinal, 0, -1, np.int32)
    elif pa.types.is_null(kind):
        return np.zeros(len(cells), np.int32)
    elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        found = _ordinals(cells)
    else:
        raise _wrong(name, kind, "dates")
    if len(found) and (found.min() < FIRST_DAY or found.max() > LAST_DAY):
        wrong = ((found < FIRST_DAY) & (found != 0)) | (found > LAST_DAY)
        if wrong.any():
            _suspect(suspect, wrong if counts is None else wrong & counts)
            found = where(wrong, 0, found)
    return found


def _ordinals(cells: pa.Array) -> Ints:
    """Give dates as ordinals, 0 for a missing one and -1 where there is no such day."""
    kind, epoch = cells.type, np.int32(_EPOCH)
    if pa.types.is_date32(kind):
        found = _stored(cells.view(pa.int32())) + epoch
    else:
        # A time of the day is no part of a date: only midnight is read.
        unit = pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else pa.timestamp("ms")
        ticks, stored = _TICKS[unit.unit], _stored(cells.cast(unit).view(pa.int64()))
        days = stored // ticks
        fine = (days * ticks == stored) & (days > -_EPOCH) & (days <= LAST_DAY - _EPOCH)
        found = days.astype(np.int32) + epoch
        if not fine.all():
            found = where(fine, found, -1)
    return found * _known(cells) if cells.null_count else found


def days_of(cells: pa.Array) -> Ints:
    """Read the dates of visits alone, 0 where there is none."""
    return _days("date", cells, np.zeros(len(cells), bool))


_TICKS = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def _ordinal(text: str) -> int | None:
    try:
        found = date.fromisoformat(text).toordinal() if _ISO.fullmatch(text) else -1
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def _words(
    name: str, cells: pa.Array, known: Mapping[str, int], missing: int, suspect: Flags | None
) -> Ints:
    """Read words of a closed list, as their numbers."""
    if pa.types.is_null(cells.type):
        return np.full(len(cells), missing, np.int8)
    if not is_text(cells.type):
        raise _wrong(name, cells.type, f"one of {', '.join(known)}")
    found = _mapped(cells, lambda text: known.get(text, -2), missing, -2, np.int8)
    unknown = found == -2
    if not unknown.any():
        return found
    if suspect is not None:
        _suspect(suspect, unknown)
    return np.where(unknown, np.int8(missing), found)


def _truths(name: str, given: Mapping[str, pa.Array], count: int, suspect: Flags) -> Ints:
    """Read true and false as 1 and 0, -1 where it is missing."""
    cells = given.get(name)
    if cells is None or pa.types.is_null(cells.type):
        return np.full(count, -1, np.int8)
    if pa.types.is_boolean(cells.type):
        return _or_else(_known(cells), _stored(cells).view(np.int8), -1)
    if not is_text(cells.type):
        raise _wrong(name, cells.type, "true or false")
    found = _mapped(
        cells, lambda text: {"true": 1, "false": 0}.get(text.strip().lower()), -1, -2, np.int8
    )
    _suspect(suspect, found == -2)
    return np.maximum(found, -1)


def _said(name: str, cells: pa.Array, suspect: Flags) -> Flags:
    """Tell which texts are given; suspect are those that cannot be shown."""
    if pa.types.is_null(cells.type):
        return np.zeros(len(cells), bool)
    if not is_text(cells.type):
        raise _wrong(name, cells.type, "text")
    found = _mapped(cells, lambda text: 1 if PRINTABLE.match(text) else -1, 0, -1, np.int8)
    _suspect(suspect, found < 0)
    return np.asarray(found > 0)


def _reasons(cells: pa.Array | None, judged: Ints, suspect: Flags) -> None:
    """Hold judgements against their reasons: neither is given without the other."""
    if cells is None:
        _suspect(suspect, judged > 0)
    else:
        _suspect(suspect, (judged > 0) != _said("judgement_reason", cells, suspect))


# Lists in cells


def _entries(text: str) -> list[Any] | None:
    """Read a list of objects from JSON text, None where it is none."""
    try:
        found = parse(text)
    except DocumentError:
        return None
    return found if isinstance(found, list) else None


def _event(given: Any) -> AdverseEvent | None:
    """Read an adverse event, None for what is none."""
    if not isinstance(given, dict):
        return None
    known = {key: value for key, value in given.items() if value is not None}
    grade = known.get("grade")
    if isinstance(grade, float) and grade.is_integer():
        known["grade"] = int(grade)
    try:
        return AdverseEvent(**known)
    except (LenadoseError, TypeError):
        return None


def _flattened(name: str, cells: pa.Array, fields: Sequence[str]) -> tuple[Ints, pa.Array]:
    """Give the length of each list, -1 for a missing one, and all entries one after another."""
    kind = cells.type
    if not any(each(kind) for each in _LISTS) or not (
        pa.types.is_struct(kind.value_type) or pa.types.is_null(kind.value_type)
    ):
        raise _wrong(
            name, kind, f"lists of objects with {', '.join(fields)}, or the same as JSON text"
        )
    if pa.types.is_struct(kind.value_type):
        faults = [
            unknown_key(field.name, fields).within(name)
            for field in kind.value_type
            if field.name not in fields
        ]
        if faults:
            raise DocumentError(faults)
    lengths = _stored(cells.value_lengths())
    return _or_else(_known(cells), lengths, -1) if cells.null_count else lengths, cells.flatten()


def _kinds(flat: pa.Array) -> Ints:
    """Number the entries of lists so that equal ones have the same number."""
    found = (~_known(flat)).astype(np.int64)
    if pa.types.is_struct(flat.type):
        for index in range(flat.type.num_fields):
            numbers, values = _coded(flat.field(index))
            found = found * (len(values) + 1) + (numbers + np.int64(1))
    return found


def _tests_of(cells: pa.Array) -> tuple[Ints, Ints, Ints]:
    """Give how many tests each row has (less than -1: unreadable), their results (-1: none) and days (0: not said)."""
    if is_text(cells.type):
        numbers, texts = _coded(cells)
        lists: list[list[tuple[int, int]] | None] = []
        lengths = []
        for text in texts:
            entries = [] if text is None or not text.strip() else _entries(text)
            read = None if entries is None else [_test(each) for each in entries]
            fine = read is not None and None not in read
            lengths.append(len(read) if read is not None and fine else -2)
            # What is fine holds no None: the type checker does not see it.
            lists.append(read if fine else [])  # type: ignore[arg-type]
        length = np.array([*lengths, 0], np.int32)[numbers]
        flat = np.array([each for read in lists for each in read or ()], np.int32).reshape(-1, 2)
        begins = np.cumsum([0, *(len(read or ()) for read in lists)])[numbers]
        many = np.maximum(length, 0)
        place = np.arange(many.sum()) + np.repeat(begins - (np.cumsum(many) - many), many)
        return length, flat[place, 0], flat[place, 1]
    lengths, entries = _flattened("pregnancy_tests", cells, ("result", "date"))
    if not len(entries) or not pa.types.is_struct(entries.type):
        return lengths, np.full(len(entries), -1, np.int32), np.zeros(len(entries), np.int32)
    names = [field.name for field in entries.type]
    unreadable = np.zeros(len(entries), bool)
    results = np.full(len(entries), -1, np.int32)
    if "result" in names:
        known = {each.label: each.rank for each in TestResult}
        results = _words("pregnancy_tests.result", _field(entries, "result"), known, -1, None)
    on = np.zeros(len(entries), np.int32)
    if "date" in names:
        on = _days("pregnancy_tests.date", _field(entries, "date"), unreadable)
    return lengths, np.where(unreadable, -1, results), on


def _field(entries: pa.Array, name: str) -> pa.Array:
    found = entries.field(name)
    return pa.compute.if_else(entries.is_valid(), found, None) if entries.null_count else found


def _test(given: Any) -> tuple[int, int] | None:
    """Read a pregnancy test as the rank of its result and its day, 0 where none is said."""
    if not isinstance(given, dict):
        return None
    known = {key: value for key, value in given.items() if value is not None}
    if not {"result"} <= known.keys() <= {"result", "date"}:
        return None
    result = next((each.rank for each in TestResult if each.label == known["result"]), None)
    on = (
        _ordinal(known["date"])
        if isinstance(known.get("date"), str)
        else (None if "date" in known else 0)
    )
    return None if result is None or on is None else (result, on)


# Faults


def faults_of(row: Mapping[str, Any], before: date | None) -> list[Fault]:
    """Tell what a course is refused for that holds the visit of a row, after another one; none where it is sound.

    The places are the columns.
    """
    faults = [
        Fault(
            f"{name}_unit",
            f"is missing: a bare number, {describe(row[name])}",
            f"give {' or '.join(each.factors)}",
        )
        for each in QUANTITIES.values()
        if not _is_missing(row.get(name := each.name)) and _is_missing(row.get(f"{name}_unit"))
    ]
    lost = {each.place.removesuffix("_unit") for each in faults}
    document: dict[str, Any] = {}
    for column in COLUMNS:
        value = row.get(column.name)
        if _is_missing(value) or column.name == "patient" or _quantity_of(column) in lost:
            continue
        if column.place in _JSON and isinstance(value, str):
            try:
                value = parse(value)
            except DocumentError as error:
                faults += (Fault(column.name, each.reason, each.fix) for each in error.faults)
                continue
        *parts, last = column.place.split(".")
        inner = document
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = _plain(value, column)
    for each in QUANTITIES.values():
        if "value" not in document.get(each.name, {"value": 0}):
            del document[each.name]
    patient = document.pop("patient", {})
    visits = [{"date": before.isoformat()}] if before is not None else []
    try:
        read_course({"visits": [*visits, document], "patient": patient})
    except LenadoseError as error:
        faults += (_placed(each) for each in error.faults)
    return faults


_JSON = ("pregnancy_tests", "adverse_events")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _quantity_of(column: Column) -> str:
    return column.place.split(".")[0]


def _plain(value: Any, column: Column) -> Any:
    """Give a cell as a course file would hold it."""
    match value:
        case date():
            return value.isoformat().removesuffix("T00:00:00")
        case str():
            if "number" in column.holds:
                number = _number(value)
                return value if number is None else number
            if column.holds == "true or false":
                return {"true": True, "false": False}.get(value.strip().lower(), value)
            return value
        case list():
            return [_plain(each, column) for each in value]
        case dict():
            return {key: _plain(each, column) for key, each in value.items() if each is not None}
    return value


def _placed(each: Fault) -> Fault:
    """Give a fault of a course as one of a table: its place is a column."""
    place = re.sub(r"^visits\[\d+\]\.", "", each.place)
    for column in COLUMNS:
        if place == column.place or place.startswith((f"{column.place}.", f"{column.place}[")):
            return Fault(column.name + place.removeprefix(column.place), each.reason, each.fix)
    named = next((column.name for column in COLUMNS if column.place.startswith(f"{place}.")), place)
    return Fault(named, each.reason, each.fix)
