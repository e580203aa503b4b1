"""The cells of some columns, read strictly into arrays.

A cell that a record refuses is read as missing, and its row marked as suspect.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from re import Pattern
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lenadose.cohort.calendar import EPOCH, FIRST_DAY, LAST_DAY, Flags, Ints
from lenadose.cohort.columns import is_blank, read_number
from lenadose.formats.reader import unknown_key
from lenadose.terms.errors import PRINTABLE, DocumentError, Fault
from lenadose.terms.facts import Term

Floats: TypeAlias = npt.NDArray[np.floating]

_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)


class Cells:
    """The cells of a block of rows by the names of their columns; a column left out is missing.

    `suspect` are the rows with a cell that a record may refuse; they are read one by one.
    """

    def __init__(self, columns: Mapping[str, pa.Array], count: int) -> None:
        self._columns, self.count = columns, count
        self.suspect = np.zeros(count, bool)

    def __getitem__(self, name: str) -> pa.Array:
        """Return a column; one without any value has no type, as in pandas it is that of floats."""
        cells = self._columns.get(name)
        if cells is None or cells.null_count == self.count:
            return pa.nulls(self.count)
        return cells

    def numbers(self, name: str) -> tuple[Floats, Flags]:
        """Return numbers, and which are given; text that is not a number is infinite."""
        cells = self[name]
        if pa.types.is_decimal(cells.type) or pa.types.is_float32(cells.type):
            # By their shortest digits: as floats of double precision some would be other numbers.
            cells = cells.cast(pa.string())
        if is_text(cells.type):
            values = map_text(cells, read_number, np.nan, np.inf)
            return values, ~np.isnan(values)
        if not pa.types.is_null(cells.type) and not _is_any(cells.type, _NUMBERS):
            raise wrong_type(name, cells.type, "numbers")
        return _values(cells.cast(pa.float64(), safe=False), 0.0), is_given(cells)

    def whole_numbers(self, name: str, bounds: tuple[int, int], missing: int) -> Ints:
        """Return whole numbers within bounds."""
        values, known = self.numbers(name)
        fine = is_whole(values, bounds)
        self.suspect |= known & ~fine
        return np.where(known & fine, values, missing).astype(np.int32)

    def days(self, name: str, required: Flags | None = None) -> Ints:
        """Return dates as ordinals, 0 for a missing one; only *required* ones must be sound."""
        days, wrong = read_days(name, self[name])
        self.suspect |= wrong if required is None else wrong & required
        return days

    def terms(self, name: str, kind: type[Term]) -> Ints:
        """Return the terms of a closed list as their ranks plus 1, 0 for a missing one."""
        codes = read_words(name, self[name], [term.label for term in kind])
        self.suspect |= codes < -1
        return np.maximum(codes, -1) + 1

    def truths(self, name: str) -> Ints:
        """Return true and false as 1 and 0, -1 where it is missing."""
        cells = self[name]
        if pa.types.is_boolean(cells.type):
            return np.where(is_given(cells), _values(cells, False), np.int8(-1))
        if not pa.types.is_null(cells.type) and not is_text(cells.type):
            raise wrong_type(name, cells.type, "true or false")
        values = {"true": 1, "false": 0}
        truths = map_text(cells, lambda text: values.get(text.strip().lower()), -1, -2)
        self.suspect |= truths == -2
        return np.where(truths < 0, -1, truths)

    def texts(self, name: str, shown: Pattern[str] = PRINTABLE) -> Flags:
        """Return which texts are given; one that cannot be *shown* makes its row suspect."""
        cells = self[name]
        if not pa.types.is_null(cells.type) and not is_text(cells.type):
            raise wrong_type(name, cells.type, "text")
        texts = map_text(cells, lambda text: 1 if shown.match(text) else None, 0, -1)
        self.suspect |= texts < 0
        return texts > 0


# Arrow


def is_text(kind: pa.DataType) -> bool:
    """Return whether cells hold text, or categories of text."""
    return _is_any(kind.value_type if pa.types.is_dictionary(kind) else kind, _TEXTS)


def _is_any(kind: pa.DataType, tests: Iterable[Callable[[pa.DataType], bool]]) -> bool:
    return any(test(kind) for test in tests)


def wrong_type(column: str, kind: pa.DataType, holds: str) -> DocumentError:
    """Return the error for a column of the wrong type."""
    return DocumentError((Fault(column, f"a column of {kind}", f"give {holds}"),))


def is_given(cells: pa.Array) -> Flags:
    """Return which cells are not missing."""
    return np.asarray(cells.is_valid().to_numpy(zero_copy_only=False))


def _values(cells: pa.Array, missing: object) -> npt.NDArray[Any]:
    """Return the values of cells, and *missing* for a missing one."""
    return np.asarray(cells.fill_null(missing).to_numpy(zero_copy_only=False))


def distinct(cells: pa.Array) -> tuple[Ints, list[Any]]:
    """Return the place of each cell among the distinct values, and these; missing is the last."""
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    values = [*cells.dictionary.to_pylist(), None]
    return _values(cells.indices.cast(pa.int64()), len(values) - 1), values


def map_text(
    cells: pa.Array, read: Callable[[str], float | None], missing: float, wrong: float
) -> npt.NDArray[Any]:
    """Read each distinct text once; a blank one is *missing*, one read as None is *wrong*."""
    places, texts = distinct(cells)
    values = []
    for text in texts:
        value = missing if is_blank(text) else read(text)
        values.append(wrong if value is None else value)
    return np.array(values).take(places)


# Words and days


def read_words(
    name: str, cells: pa.Array, words: list[str], respell: Callable[[str], str] = str
) -> Ints:
    """Return the places of words in a list, -1 for a missing one and -2 for an unknown one.

    Other spellings are first *respelled* as in the list.
    """
    if not pa.types.is_null(cells.type) and not is_text(cells.type):
        raise wrong_type(name, cells.type, f"one of {', '.join(words)}")
    places = {word: place for place, word in enumerate(words)}
    return map_text(cells, lambda text: places.get(respell(text)), -1, -2)


def read_days(name: str, cells: pa.Array) -> tuple[Ints, Flags]:
    """Return dates as ordinals, 0 for a missing or a wrong one, and which are wrong."""
    kind = cells.type
    if is_text(kind) or pa.types.is_null(kind):
        days = map_text(cells, _ordinal, 0, -1)
        wrong = days < 0
    elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        times = cells.to_numpy(zero_copy_only=False)
        dates, missing = times.astype("datetime64[D]"), np.isnat(times)
        days = np.where(missing, 0, dates.astype(np.int64) + EPOCH)
        # A time of the day is not part of a date: only midnight is read.
        wrong = ~missing & ((dates != times) | (days < FIRST_DAY) | (days > LAST_DAY))
    else:
        raise wrong_type(name, kind, "dates")
    return np.where(wrong, 0, days).astype(np.int32), wrong


def _ordinal(text: str) -> int | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Other ways to write a date in ISO 8601 are not read in a course either.
    fine = day.isoformat() == text and FIRST_DAY <= day.toordinal() <= LAST_DAY
    return day.toordinal() if fine else None


def is_whole(values: Floats, bounds: tuple[int, int]) -> Flags:
    """Return which values are whole numbers within bounds."""
    whole: Flags = (values >= bounds[0]) & (values <= bounds[1]) & (values == np.floor(values))
    return whole


# Lists


def check_lists(name: str, cells: pa.Array, fields: tuple[str, ...]) -> None:
    """Check that cells are lists of objects with some fields."""
    kind = cells.type
    if not _is_any(kind, _LISTS) or not (
        pa.types.is_struct(kind.value_type) or pa.types.is_null(kind.value_type)
    ):
        holds = f"lists of objects with {', '.join(fields)}, or the same as JSON text"
        raise wrong_type(name, kind, holds)
    keys = [field.name for field in kind.value_type] if pa.types.is_struct(kind.value_type) else []
    faults = [unknown_key(key, fields).within(name) for key in keys if key not in fields]
    if faults:
        raise DocumentError(faults)


def list_lengths(cells: pa.Array) -> Ints:
    """Return the length of each list, 0 for a missing one."""
    return _values(cells.value_lengths(), 0)


def entry_field(entries: pa.Array, name: str) -> pa.Array:
    """Return a field of the entries of lists."""
    if not pa.types.is_struct(entries.type) or entries.type.get_field_index(name) < 0:
        return pa.nulls(len(entries))
    return entries.flatten()[entries.type.get_field_index(name)]
