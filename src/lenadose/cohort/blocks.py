"""The rows of a table by patient and date, in blocks that hold all visits of their patients."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute
from attrs import evolve

from lenadose.cohort.calendar import Ints
from lenadose.cohort.cells import is_text, read_days, wrong_type
from lenadose.cohort.frames import read_arrow
from lenadose.record.course import MOST_VISITS, too_many_visits
from lenadose.record.visit import Patient
from lenadose.terms.errors import Fault, LenadoseError, describe

# Blanks, controls, and letters and marks that leave no mark.
_UNSEEN = (
    r"[\pZ\pC\x{034f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2800}\x{3164}"
    r"\x{fe00}-\x{fe0f}\x{ffa0}\x{e0100}-\x{e01ef}]"
)
_NAMELESS = Fault("patient", "is missing", "say whose visit it is")


class Block(NamedTuple):
    """The rows of some patients, each patient's by date.

    `begins` are the places within the block where the patients begin; `unknown` are the patients
    whose id names nobody for certain, by their numbers in the block. Each visit of a patient with
    too many is a patient of its own, and unknown.
    """

    rows: Ints
    begins: Ints
    unknown: dict[int, Fault]


def blocks(frame: nw.DataFrame[Any], size: int) -> Iterator[Block]:
    """Yield blocks of about *size* rows, or of one patient who has more."""
    order, begins, unknown = read_arrow(frame.select("patient", "date"), _sorted)
    ends = np.append(begins[1:], len(order))
    first = 0
    while first < len(begins):
        last = int(np.searchsorted(ends, begins[first] + size, "right"))
        last = max(last, first + 1)
        yield Block(
            order[begins[first] : ends[last - 1]],
            begins[first:last] - begins[first],
            {number - first: unknown[number] for number in range(first, last) if number in unknown},
        )
        first = last


def _sorted(table: pa.Table) -> tuple[Ints, Ints, dict[int, Fault]]:
    """Return the rows by patient and date, where each patient begins, and the unknown patients."""
    ids = _patients(table.column("patient").combine_chunks()).dictionary_encode()
    count = len(ids.dictionary)
    patient = ids.indices.fill_null(-1).to_numpy().astype(np.int64)
    visits = np.bincount(patient[patient >= 0], minlength=count)
    # A visit without a patient is nobody's, and so many are not of one: each stands alone.
    unknown = (patient < 0) | (np.append(visits, 0)[patient] > MOST_VISITS)
    alone = np.flatnonzero(unknown)
    crowds = patient[alone]
    patient[alone] = count + np.arange(len(alone))
    days, _ = read_days("date", table.column("date").combine_chunks())
    # On rows that are in order already, this sort takes next to no time.
    order = np.argsort(patient << 32 | days, kind="stable")
    patient = patient[order]
    begins = np.flatnonzero(np.diff(patient, prepend=-1))
    first_alone = len(begins) - len(alone)
    faults = {
        int(np.searchsorted(patient[begins], id)): fault
        for id, fault in _doubtful(ids.dictionary).items()
        if visits[id] <= MOST_VISITS
    }
    for place, crowd in enumerate(crowds.tolist(), first_alone):
        faults[place] = _NAMELESS if crowd < 0 else _crowd(int(visits[crowd]))
    return order, begins, faults


def _crowd(visits: int) -> Fault:
    """Return the fault of a patient with too many visits."""
    return evolve(too_many_visits(visits), place="patient")


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


def _doubtful(ids: pa.Array) -> dict[int, Fault]:
    """Return the faults of ids that cannot be told apart by the eye, by their places."""
    if not is_text(ids.type):
        return {}
    faults = {}
    seen = pyarrow.compute.replace_substring_regex(ids, _UNSEEN, "")
    places = seen.dictionary_encode().indices.to_numpy()
    twins = (np.bincount(places) > 1)[places]
    hidden = pyarrow.compute.match_substring_regex(ids, _UNSEEN).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(twins | hidden).tolist():
        id = ids[place].as_py()
        try:
            Patient(id)
        except LenadoseError as error:
            faults[place] = evolve(error.faults[0], place="patient")
        else:
            if twins[place]:
                reason = f"another id differs from {describe(id)} only in what is not seen"
                faults[place] = Fault("patient", reason, "write it alike in all rows")
    return faults


def as_slice(rows: Ints) -> Ints | slice:
    """Return rows as a slice where they lie together: then nothing is copied."""
    first = int(rows[0]) if len(rows) else 0
    last = first + len(rows)
    return slice(first, last) if np.array_equal(rows, np.arange(first, last)) else rows
