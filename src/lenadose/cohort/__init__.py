"""A cohort: the decision at every visit of many patients at once, from a table with one row for each visit.

    decisions = decide(visits)                # a pandas, polars or Arrow table in, a table of the same kind out

The rules are those of the protocol, looked up in arrays; the answers are those of `lenadose.step`, visit by visit. A
row that cannot be read comes back marked, with its reason, and so does what follows it in that patient's record;
other patients are untouched.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, TypeVar, cast

import narwhals as nw
import numpy as np
import pyarrow as pa
from attrs import frozen

from lenadose.cohort.carry_forward import Results, carry_forward
from lenadose.cohort.frames import arrow_of
from lenadose.cohort.lookup import NOT_GIVEN, Flags, Ints, pack
from lenadose.cohort.machine import Visits
from lenadose.cohort.reader import COLUMNS as COLUMNS
from lenadose.cohort.reader import (
    NAMES,
    Reader,
    VisitArrays,
    columns_of,
    days_of,
    faults_of,
    is_text,
)
from lenadose.cohort.replay import Replayed, end_at_faults, walk
from lenadose.cohort.results import RESULTS as RESULTS
from lenadose.cohort.results import ResultBuilder
from lenadose.protocol.builtin import get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import too_many_missed
from lenadose.terms.errors import DocumentError, Fault, fault

Frame = TypeVar("Frame")

BLOCK = 1 << 18
"""Rows looked at together: enough that a call counts for many visits, few enough that they stay in the cache."""


def decide(
    frame: Frame,
    protocol: Protocol | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Frame:
    """Give the decision at every visit of a cohort, one row for each row given, in the same order and kind of table.

    `frame` is a pandas or polars data frame or an Arrow table with the columns of `COLUMNS`, in any order of its rows;
    the result has the columns of `RESULTS`. `progress` is told how many rows of how many are done. Raises CallError for
    what is no table, DocumentError for columns that are not known, are missing, or hold another kind of value.
    """
    try:
        given = nw.from_native(cast(Any, frame), eager_only=True)
    except TypeError:
        raise fault(
            "frame", f"a {type(frame).__name__} is no table", "give a pandas, polars or Arrow table"
        ) from None
    except nw.exceptions.DuplicateError:
        raise DocumentError(
            (Fault("columns", "two have the same name", "keep one of the two"),)
        ) from None
    columns_of(given.columns)
    try:
        return cast(Frame, _decided(given, protocol or get_protocol(), progress))
    except pa.ArrowException as error:
        # Of what Arrow itself cannot hold or do no column is told.
        reason = str(error).splitlines()[0]
        raise DocumentError(
            (Fault("columns", reason, "give each column as one kind of value"),)
        ) from None


def _decided(
    given: nw.DataFrame[Any], protocol: Protocol, progress: Callable[[int, int], None] | None
) -> Any:
    # What is small becomes Arrow once; of what is large there is never more than some blocks twice.
    visits = given if len(given) > BLOCK else nw.from_native(arrow_of(given))
    cohort = _Cohort(visits, protocol)
    done = 0
    for count in map(cohort.decide, _blocks(visits)):
        done += count
        if progress is not None:
            progress(done, len(given))
    return cohort.answers.beside(given)


# Patients


@frozen(eq=False)
class _Block:
    """The rows of some patients, each patient's by date: their places in the table, and where each patient begins."""

    rows: Any
    begins: Any
    nameless: Flags

    @property
    def places(self) -> Any:
        """The places one by one."""
        return (
            np.arange(self.rows.start, self.rows.stop)
            if isinstance(self.rows, slice)
            else self.rows
        )


def _blocks(given: nw.DataFrame[Any]) -> Iterator[_Block]:
    """Give the rows of some patients at a time; rows in order are taken as they lie."""
    total = len(given)
    found = _runs(given)
    order, begins, nameless = _sorted(given) if found is None else (None, *found)
    ends = np.append(begins[1:], total)
    first = 0
    while first < len(begins):
        last = int(np.searchsorted(ends, begins[first] + BLOCK, "right"))
        last = max(last, first + 1)
        a, b = int(begins[first]), int(ends[last - 1])
        yield _Block(
            slice(a, b) if order is None else order[a:b],
            begins[first:last] - a,
            nameless[first:last],
        )
        first = last


def _runs(given: nw.DataFrame[Any]) -> tuple[Any, Flags] | None:
    """Give where each patient's rows begin and which patients have no name; None where the rows are not in order."""
    begins, names = [], []
    before: tuple[Any, int] | None = None
    for first in range(0, len(given), 4 * BLOCK):
        ids, day = _ids_and_days(given[first : first + 4 * BLOCK])
        changes = np.append(True, _differ(ids))
        if before is not None:
            changes[0] = before[0] is None or ids[0].as_py() != before[0]
        if (~changes & (day < np.append(before[1] if before else 0, day[:-1]))).any():
            return None
        heads = np.flatnonzero(changes)
        begins.append(heads + first)
        names.append(ids.take(pa.array(heads)))
        before = ids[-1].as_py(), int(day[-1])
    named = pa.chunked_array(names, names[0].type if names else pa.string())
    nameless = named.is_null().to_numpy()
    if len(named.drop_null().unique()) != len(named) - named.null_count:
        return None
    return np.concatenate(begins) if begins else np.zeros(0, np.int64), nameless


def _differ(ids: pa.Array) -> Flags:
    """Tell which patients are not the one of the row before."""
    if pa.types.is_integer(ids.type) and ids.null_count == 0:
        numbers = ids.to_numpy()
        return np.asarray(numbers[1:] != numbers[:-1])
    return np.asarray(
        ~pa.compute.equal(ids[1:], ids[:-1]).fill_null(False).to_numpy(zero_copy_only=False)
    )


def _ids_and_days(given: nw.DataFrame[Any]) -> tuple[pa.Array, Ints]:
    table = arrow_of(given.select("patient", "date"))
    ids = table.column("patient").combine_chunks()
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    if not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise DocumentError(
            (Fault("patient", f"a column of {kind}", "give text or whole numbers"),)
        )
    if kind != ids.type or pa.types.is_null(kind) or pa.types.is_string_view(kind):
        ids = ids.cast(pa.large_string() if not pa.types.is_integer(kind) else kind)
    if not pa.types.is_integer(ids.type):
        blank = pa.compute.equal(pa.compute.utf8_trim_whitespace(ids), "")
        ids = pa.compute.if_else(blank, pa.scalar(None, ids.type), ids)
    return ids, days_of(table.column("date").combine_chunks())


def _sorted(given: nw.DataFrame[Any]) -> tuple[Any, Any, Flags]:
    """Give the rows by patient and date, where each patient begins, and which have no name."""
    parts = [
        _ids_and_days(given[first : first + 4 * BLOCK]) for first in range(0, len(given), 4 * BLOCK)
    ]
    ids = pa.chunked_array([each for each, _ in parts]).combine_chunks().dictionary_encode()
    day = np.concatenate([each for _, each in parts])
    del parts
    number = ids.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    # A visit without a patient is nobody's: each stands alone.
    alone = np.flatnonzero(number < 0)
    number = number.copy()
    number[alone] = len(ids.dictionary) + np.arange(len(alone))
    order = np.lexsort((day, number)).astype(np.int32)
    number = number[order]
    begins = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    return order, begins, number[begins] >= len(ids.dictionary)


# Decisions


class _Cohort:
    """The visits of a cohort with the answers as they are found, block by block."""

    def __init__(self, given: nw.DataFrame[Any], protocol: Protocol) -> None:
        self._given = given
        self._packed = pack(protocol)
        self._reader = Reader(protocol)
        self._names = [name for name in given.columns if name in NAMES]
        self.answers = ResultBuilder(protocol, len(given))

    def decide(self, block: _Block) -> int:
        """Decide on all visits of a block; give how many there are."""
        table = arrow_of(self._given.select(self._names)[block.rows]).select(self._names)
        total = len(table)
        shown = self._reader.read(table)
        counts = np.diff(np.append(block.begins, total))
        patient = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        visit = np.arange(total) - np.repeat(block.begins, counts)
        able, regular = (
            _of_patient(each, block.begins, counts) for each in (shown.able, shown.regular)
        )
        changes = {
            name: (said >= 0) & (said != np.repeat(each, counts))
            for name, said, each in (
                ("able_to_become_pregnant", shown.able, able),
                ("regular_cycles", shown.regular, regular),
            )
        }
        reasons = self._faults(table, shown, visit, np.repeat(block.nameless, counts), changes)
        tested, cycles = np.repeat(able != 0, counts), np.repeat(regular == 1, counts)
        told, kept = self._walked(shown, reasons, patient, visit, tested, cycles)
        for index in np.flatnonzero(told.too_many):
            row, there_were = int(kept[index]), int(told.too_many[index]) - 1
            reasons[row] = str(too_many_missed(int(shown.missed[row]), there_were))
        if not reasons:
            self.answers.tell(block.rows, told, shown.day)
            return total
        decided = told.answer >= 0
        kept, told = kept[decided], Replayed(*(each[decided] for each in told))
        self.answers.refuse(
            block.places, reasons, np.delete(np.arange(total), kept).tolist(), shown.day
        )
        self.answers.tell(block.places[kept], told, shown.day[kept])
        return total

    def _walked(
        self,
        shown: VisitArrays,
        reasons: dict[int, str],
        patient: Ints,
        visit: Any,
        tested: Flags,
        regular: Flags,
    ) -> tuple[Replayed, Any]:
        """Let the patients walk as far as nothing is at fault; give what was found and the rows it was found at."""
        lists = self._reader.lists()
        results = Results(
            shown.day,
            shown.neutrophils,
            shown.platelets,
            shown.clearance,
            shown.negative_test,
            shown.positive_test,
            self._reader.first_tests(shown, visit),
            shown.events,
        )
        known = carry_forward(self._packed, lists, results, patient, tested, regular)
        visits = Visits(
            shown.day, shown.score, known, shown.events, shown.judged, shown.taken, shown.missed
        )
        kept = np.arange(len(patient))
        if reasons:
            ends = np.full(int(patient[-1]) + 1, len(patient))
            for row in sorted(reasons, reverse=True):
                ends[patient[row]] = visit[row]
            kept = np.flatnonzero(visit < ends[patient])
            visits, patient, visit = (
                Visits(*(each[kept] for each in visits)),
                patient[kept],
                visit[kept],
            )
        told = walk(self._packed, lists, self._reader.dosages(), visits, visit)
        end_at_faults(told, patient)
        return told, kept

    def _faults(
        self,
        table: pa.Table,
        shown: VisitArrays,
        visit: Any,
        nameless: Flags,
        changes: dict[str, Flags],
    ) -> dict[int, str]:
        """Give the reason of each row that cannot be read, or cannot follow the one before."""
        duplicates = np.zeros(len(visit), bool)
        duplicates[1:] = (visit[1:] > 0) & (shown.day[1:] == shown.day[:-1]) & (shown.day[1:] > 0)
        duplicates[:-1] |= duplicates[1:]
        early = (visit == 0) & ((shown.taken != NOT_GIVEN) | (shown.missed > 0))
        suspect = shown.suspect | duplicates | early | nameless
        for each in changes.values():
            suspect |= each
        reasons = {}
        for row in np.flatnonzero(suspect).tolist():
            given = table.slice(row, 1).to_pylist()[0]
            day = int(shown.day[row])
            follows = visit[row] > 0 and day > 0
            before = min(int(shown.day[row - 1]) or day - 1, day - 1) if follows else 0
            faults = faults_of(given, date.fromordinal(before) if before else None)
            if nameless[row]:
                faults.append(Fault("patient", "is missing", "say whose visit it is"))
            if duplicates[row]:
                words = f"two visits of the patient on {date.fromordinal(day)}"
                faults.append(Fault("date", words, "give the visits in order, one a day"))
            faults += (
                Fault(
                    name,
                    "is not what another visit of the patient says",
                    "give the same in all visits",
                )
                for name, each in changes.items()
                if each[row]
            )
            if not faults:
                # What no record can hold is never decided on, with its fault found or not.
                faults.append(
                    Fault(
                        "row",
                        "it cannot be read",
                        "give its cells as a course file would hold them",
                    )
                )
            reasons[row] = " | ".join(map(str, faults))
        return reasons


def _of_patient(values: Ints, begins: Any, counts: Any) -> Ints:
    """Give the first value that is known of each patient, or -1."""
    found = values[begins]
    if (values == values[0]).all() or (np.repeat(found, counts) == values).all():
        return found
    found = np.full(len(begins), -1, np.int8)
    known = np.flatnonzero(values >= 0)
    patient = np.repeat(np.arange(len(begins)), counts)
    # The last to be written is the first that is known.
    found[patient[known[::-1]]] = values[known[::-1]]
    return found
