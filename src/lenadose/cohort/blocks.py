"""The rows of a table by patient and date, in blocks that hold all visits of their patients."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute

from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.cells import is_text, read_days, wrong_type
from lenadose.cohort.frames import to_arrow


class Block(NamedTuple):
    """The rows of some patients, each patient's by date.

    `begins` are the places within the block where the patients begin; `nameless` are the patients
    that are not known.
    """

    rows: Ints
    begins: Ints
    nameless: Flags


def blocks(frame: nw.DataFrame[Any], size: int) -> Iterator[Block]:
    """Yield blocks of about *size* rows, or of one patient who has more."""
    order, begins, nameless = _sorted(to_arrow(frame.select("patient", "date")))
    ends = np.append(begins[1:], len(order))
    first = 0
    while first < len(begins):
        last = int(np.searchsorted(ends, begins[first] + size, "right"))
        last = max(last, first + 1)
        yield Block(
            order[begins[first] : ends[last - 1]],
            begins[first:last] - begins[first],
            nameless[first:last],
        )
        first = last


def _sorted(table: pa.Table) -> tuple[Ints, Ints, Flags]:
    """Return the rows by patient and date, where each patient begins, and which are not known."""
    ids = _patients(table.column("patient").combine_chunks()).dictionary_encode()
    count = len(ids.dictionary)
    patient = ids.indices.fill_null(-1).to_numpy().astype(np.int64)
    # A visit without a patient is nobody's: each stands alone.
    unknown = np.flatnonzero(patient < 0)
    patient[unknown] = count + np.arange(len(unknown))
    days, _ = read_days("date", table.column("date").combine_chunks())
    # On rows that are in order already, this sort takes next to no time.
    order = np.argsort(patient << 32 | days, kind="stable")
    patient = patient[order]
    begins = np.flatnonzero(np.diff(patient, prepend=-1))
    return order, begins, patient[begins] >= count


def _patients(ids: pa.Array) -> pa.Array:
    """Return the patients of rows, as text or whole numbers; a blank one is missing."""
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    if pa.types.is_integer(kind):
        return ids.cast(kind)
    if not is_text(kind) and not pa.types.is_null(kind):
        raise wrong_type("patient", kind, "text or whole numbers")
    texts = ids.cast(pa.large_string())
    blank = pa.compute.equal(pa.compute.utf8_trim_whitespace(texts), "")
    return pa.compute.if_else(blank, pa.scalar(None, texts.type), texts)


def as_slice(rows: Ints) -> Ints | slice:
    """Return rows as a slice where they lie together: then nothing is copied."""
    first = int(rows[0]) if len(rows) else 0
    last = first + len(rows)
    return slice(first, last) if np.array_equal(rows, np.arange(first, last)) else rows
