"""How kinds of tables hold their columns: Arrow, and what is made of it; pandas without Arrow in between."""

from functools import lru_cache
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pyarrow as pa
from attrs import frozen

from lenadose.cohort.lookup import Flags, Ints
from lenadose.terms.errors import DocumentError, Fault


def arrow_of(given: nw.DataFrame[Any]) -> pa.Table:
    """Give a table as one of Arrow, without a copy of what it holds as numbers."""
    if not given.implementation.is_pandas():
        return given.to_arrow()
    frame: Any = given.to_native()
    return pa.table({name: _held(name, frame[name]) for name in given.columns})


def _held(name: str, series: Any) -> pa.Array:
    """Give a column of pandas, or tell why Arrow cannot hold it."""
    try:
        return _column(series)
    except (pa.ArrowException, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise DocumentError((Fault(name, reason, "give a column of one kind of value"),)) from None


def _column(series: Any) -> pa.Array:
    """Give a column of pandas: several times as fast as Arrow does, which looks for what is missing cell by cell."""
    kind = series.dtype
    if kind == "category":
        codes = series.cat.codes.to_numpy()
        return pa.DictionaryArray.from_arrays(
            _arrow(codes, codes >= 0), pa.array(series.cat.categories)
        )
    if kind == np.float64:
        values = series.to_numpy()
        return _arrow(values, ~np.isnan(values))
    if isinstance(kind, np.dtype) and kind.kind == "M":
        values = np.ascontiguousarray(series.to_numpy())
        return _arrow(values.view(np.int64), ~np.isnat(values)).view(
            pa.timestamp(np.datetime_data(kind)[0])
        )
    if kind == np.int64:
        return _arrow(series.to_numpy(), None)
    return pa.array(series, from_pandas=True)


def _arrow(values: Any, known: Flags | None) -> pa.Array:
    """Give an array as Arrow holds it, without a copy where it lies in one piece."""
    values = np.ascontiguousarray(values)
    if known is not None and known.all():
        known = None
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(values.dtype), len(values), [valid, pa.py_buffer(values)]
    )


# What is made


class FrameBackend(Protocol):
    """How a kind of table holds the columns of a result."""

    def words(self, numbers: Ints, words: tuple[str, ...]) -> Any:
        """Give words by their numbers, none for -1."""

    def numbers(self, values: Any, known: Flags | None) -> Any:
        """Give numbers where they are known, everywhere for None."""

    def days(self, days: Ints, known: Flags) -> Any:
        """Give days since 1970, where they are known."""

    def texts(self, texts: pa.Array) -> Any:
        """Give texts, of which seldom two are alike."""


class Arrow:
    """Words are dictionaries, days dates."""

    def words(self, numbers: Ints, words: tuple[str, ...]) -> pa.Array:
        """Give words by their numbers, none for -1."""
        return pa.DictionaryArray.from_arrays(
            _arrow(numbers, numbers >= 0), pa.array(words, pa.string())
        )

    def numbers(self, values: Any, known: Flags | None) -> pa.Array:
        """Give numbers where they are known, everywhere for None."""
        return _arrow(values, known)

    def days(self, days: Ints, known: Flags) -> pa.Array:
        """Give days since 1970, where they are known."""
        return _arrow(days, known).view(pa.date32())

    def texts(self, texts: pa.Array) -> pa.Array:
        """Give texts, of which seldom two are alike."""
        return texts


@frozen
class Pandas:
    """Words are categories, days `datetime64`; whole numbers of which some are missing would be floats: so they are
    always."""

    pandas: Any

    def words(self, numbers: Ints, words: tuple[str, ...]) -> Any:
        """Give words by their numbers, none for -1."""
        return self.pandas.Categorical.from_codes(numbers, dtype=_categories(self.pandas, words))

    def numbers(self, values: Any, known: Flags | None) -> Any:
        """Give numbers where they are known, everywhere for None."""
        return (
            values.astype(np.float64, copy=False)
            if known is None
            else np.where(known, values, np.nan)
        )

    def days(self, days: Ints, known: Flags) -> Any:
        """Give days since 1970, where they are known."""
        found = (days * np.int64(86_400_000)).view("datetime64[ms]")
        if not known.all():
            found[~known] = np.datetime64("NaT")
        return found

    def texts(self, texts: pa.Array) -> Any:
        """Give texts, of which seldom two are alike."""
        # Without the index of its own that pandas would lay them out by.
        return texts.to_pandas().array


@lru_cache(maxsize=64)
def _categories(pandas: Any, words: tuple[str, ...]) -> Any:
    """Give the kind of a column of some words; pandas looks long at each that is made."""
    return pandas.CategoricalDtype(words)
