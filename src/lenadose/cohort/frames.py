"""Tables of any kind as Arrow, and a result as a table of the caller's kind."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import narwhals as nw
import pyarrow as pa

from lenadose.terms.errors import DocumentError, Fault

T = TypeVar("T")

_INDEX = re.compile("__index_level_[0-9]+__")
"""How pandas names its index in a Parquet file."""

UNREADABLE = "\0"
"""Replaces half a surrogate pair, which is no character; the reader refuses it with its place."""


def without_index(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Return a table without the index of pandas: numbers of rows, in a first column unnamed."""
    index = [name for name in frame.columns if _INDEX.fullmatch(str(name))]
    if frame.columns[:1] in ([""], ["Unnamed: 0"]):
        numbers = frame[frame.columns[0]]
        if not len(frame) or (numbers.dtype.is_integer() and numbers.n_unique() == len(frame)):
            index.append(frame.columns[0])
    return frame.drop(index)


def read_arrow(frame: nw.DataFrame[Any], read: Callable[[pa.Table], T]) -> T:
    """Return what is read from a table as an Arrow table.

    Raises DocumentError for a column that cannot be read. Where a column of objects is of the wrong
    kind, one row may have made it so: it is then read as text, row by row.
    """
    columns = {name: _column(frame, name) for name in frame.columns}
    try:
        return read(pa.table(columns))
    except DocumentError:
        objects = [name for name in frame.columns if frame[name].dtype == nw.Object]
        for name in objects:
            if name != "patient":
                columns[name] = _text_column(frame, name)
        if not objects:
            raise
    return read(pa.table(columns))


def _column(frame: nw.DataFrame[Any], name: str) -> pa.Array:
    """Return a column; one with values of several kinds is a column of text.

    So a value that Arrow cannot hold loses its own row only.
    """
    try:
        cells = frame[name].to_arrow()
        cells.validate(full=True)
        if not pa.types.is_fixed_size_binary(cells.type):  # the objects of polars, by their places
            return cells
    except (pa.ArrowException, OverflowError, UnicodeError):
        pass
    return _text_column(frame, name)


def _text_column(frame: nw.DataFrame[Any], name: str) -> pa.Array:
    try:
        return pa.array([_as_text(value) for value in _values(frame, name)], pa.string())
    except (pa.ArrowException, TypeError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        raise DocumentError((Fault(name, reason, "give a column of one kind of value"),)) from None


def _values(frame: nw.DataFrame[Any], name: str) -> list[Any]:
    if frame.implementation.is_pyarrow():
        column = frame[name].to_native()
        if not pa.types.is_nested(column.type):
            # The bytes of text that is not UTF-8.
            return list(column.cast(pa.string()).cast(pa.binary()).to_pylist())
    return frame[name].to_list()


def _as_text(value: object) -> str | None:
    """Return a cell as it is written in a CSV file, None if it is missing."""
    match value:
        case None:
            return None
        case bytes():
            return _as_text(value.decode("utf-8", "surrogateescape"))
        case str():
            return re.sub("[\ud800-\udfff]", UNREADABLE, value)
        case bool():
            return str(value).lower()
        case float():
            return None if value != value else str(value).removesuffix(".0")
        case dt.date():
            return str(value.isoformat()).removesuffix("T00:00:00")
        case list() | dict():
            return _as_text(json.dumps(value, ensure_ascii=False, default=_plain))
    if hasattr(value, "tolist"):  # an array of numpy
        return _as_text(value.tolist())
    return None if type(value).__name__ in ("NAType", "NaTType") else _as_text(str(value))


def _plain(value: object) -> object:
    return value.tolist() if hasattr(value, "tolist") else _as_text(value)


def row_of(table: pa.Table, row: int) -> dict[str, object]:
    """Return a row by the names of its columns."""
    return {name: _cell(table.column(name)[row]) for name in table.column_names}


def _cell(cell: pa.Scalar) -> object:
    """Return a cell; one with a date that Python has no date for as text."""
    try:
        return cell.as_py()
    except (pa.ArrowException, OverflowError, ValueError):
        pass
    try:
        return cell.cast(pa.string()).as_py()
    except (pa.ArrowException, OverflowError, ValueError):
        return UNREADABLE


def beside(frame: nw.DataFrame[Any], result: pa.Table) -> Any:
    """Return patient and date of a table with a result beside them, as a table of the same kind."""
    own = frame.select("patient", "date")
    if not frame.implementation.is_pandas():
        columns = nw.from_arrow(result, backend=frame.implementation)
        return own.with_columns(*(columns[name] for name in result.column_names)).to_native()
    # Numbers of which some are missing are floats in pandas: so they always are.
    place = result.column_names.index("dosage_every_days")
    days = result.column(place).cast(pa.float64())
    result = result.set_column(place, "dosage_every_days", days)
    answers = result.to_pandas(date_as_object=False)
    return own.to_native().assign(**{name: answers[name].array for name in answers})
