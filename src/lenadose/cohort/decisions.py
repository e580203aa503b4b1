"""The decision at every visit of a cohort, block by block."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar, cast

import narwhals as nw
import numpy as np
import pyarrow as pa

from lenadose.cohort.blocks import Block, as_slice, blocks
from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.carry_forward import NegativeTests, carry_forward
from lenadose.cohort.columns import NAMES, check_columns, faults_of
from lenadose.cohort.frames import beside, read_arrow, row_of, without_index
from lenadose.cohort.lookup import NOT_GIVEN, protocol_arrays
from lenadose.cohort.reader import Reader, Rows
from lenadose.cohort.replay import replay
from lenadose.cohort.results import ResultBuilder
from lenadose.cohort.state import Decisions, Visits
from lenadose.cohort.unused import not_used
from lenadose.protocol.builtin import DEFAULT, protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import nothing_to_stop, too_many_missed
from lenadose.terms.errors import DocumentError, Fault, fault

Frame = TypeVar("Frame")

BLOCK = 1 << 18
"""Rows decided together: many, so that a call counts for many visits, but few enough that what is
worked out on the way does not grow with the table."""


def decide(
    frame: Frame,
    protocol: Protocol | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Frame:
    """Return the decision at every visit of a cohort, row by row and as the same kind of table.

    *frame* is a pandas or polars data frame or an Arrow table with the columns of `COLUMNS`, its
    rows in any order; the result has the columns of `RESULTS`. *protocol* may be the id of a
    built-in one. *progress* is called with the number of rows done and of all rows. Raises
    CallError for anything but a table, and DocumentError for columns that are unknown, missing, or
    of the wrong type.
    """
    try:
        visits = nw.from_native(cast(Any, frame), eager_only=True)
    except TypeError:
        reason = f"a {type(frame).__name__} is not a table"
        raise fault("frame", reason, "give a pandas, polars or Arrow table") from None
    except nw.exceptions.DuplicateError:
        faults = (Fault("columns", "two have the same name", "keep one of the two"),)
        raise DocumentError(faults) from None
    visits = without_index(visits)
    check_columns(visits.columns)
    try:
        return cast(Frame, _decide(visits, protocol_of(protocol or DEFAULT), progress))
    except (pa.ArrowException, OverflowError) as error:
        # Arrow does not always name the column that it cannot handle, nor one with a day that
        # Python has no date for.
        reason = str(error).splitlines()[0]
        faults = (Fault("columns", reason, "give each column as one kind of value"),)
        raise DocumentError(faults) from None


def _decide(
    visits: nw.DataFrame[Any],
    protocol: Protocol,
    progress: Callable[[int, int], None] | None,
) -> Any:
    reader, results = Reader(protocol), ResultBuilder(protocol, len(visits))
    read = visits.select([name for name in NAMES if name in visits.columns])
    done = 0
    for block in blocks(visits, BLOCK):
        rows, table = read_arrow(
            read[as_slice(block.rows)], lambda table: (reader.read(table), table)
        )
        _decide_block(block, table, rows, protocol, reader, results)
        done += len(block.rows)
        if progress is not None:
            progress(done, len(visits))
    return beside(visits, results.table())


def _decide_block(
    block: Block,
    table: pa.Table,
    rows: Rows,
    protocol: Protocol,
    reader: Reader,
    results: ResultBuilder,
) -> None:
    """Decide on all visits of a block, and write the decisions and the refused rows."""
    total = len(table)
    counts = np.diff(np.append(block.begins, total))
    patient = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(total) - block.begins[patient]
    able = _first_given(rows.able, block.begins)[patient]
    regular = _first_given(rows.regular, block.begins)[patient]
    unsound = {**_contradictory(rows, block.begins), **block.unknown}
    reasons = _refused(table, rows, number, patient, unsound)

    effects = reader.effects()
    findings = carry_forward(
        protocol.safety, effects, rows, patient, block.begins, able != 0, regular == 1
    )
    visits = Visits(
        np.arange(total),
        rows.day,
        rows.activity,
        rows.events,
        rows.judged,
        rows.taken,
        rows.missed,
        rows.stopped,
        findings,
    )
    arrays, tests = protocol_arrays(protocol), NegativeTests(rows, patient)
    decisions = replay(arrays, effects, reader.dosages(), tests, visits, number)
    ends = _ends(rows, number, patient, block.begins, decisions, reasons)
    decided = np.arange(total) < ends[patient]
    unused = not_used(protocol.safety, reader.lists(), rows, patient, decisions)
    results.write(block.rows, decisions, decided, *unused)
    results.refuse(block.rows, _reasons_of_all(rows.day, ~decided, reasons))


def _first_given(values: Ints, begins: Ints) -> Ints:
    """Return the first value that is given of each patient, or -1."""
    places = np.where(values >= 0, np.arange(len(values)), len(values))
    firsts = np.minimum.reduceat(places, begins) if len(begins) else begins
    return np.append(values, -1)[firsts]


def _contradictory(rows: Rows, begins: Ints) -> dict[int, Fault]:
    """Return the faults of patients of whom two visits say different things, by their numbers."""
    faults = {}
    for name, values in (
        ("subtype", rows.subtype),
        ("antiphospholipid", rows.antiphospholipid),
        ("regular_cycles", rows.regular),
        ("able_to_become_pregnant", rows.able),
    ):
        lowest = np.minimum.reduceat(
            np.where(values >= 0, values, np.iinfo(values.dtype).max), begins
        )
        reason = "two visits of the patient contradict each other"
        fault = Fault(name, reason, "give the same in all visits")
        differs = np.maximum.reduceat(values, begins) > lowest
        faults.update(dict.fromkeys(np.flatnonzero(differs).tolist(), fault))
    return faults


def _refused(
    table: pa.Table, rows: Rows, number: Ints, patient: Ints, unsound: dict[int, Fault]
) -> dict[int, str]:
    """Return the reason of each row that cannot be read, or cannot follow the one before.

    All rows of an *unsound* patient have that patient's fault.
    """
    day = rows.day
    duplicates = np.zeros(len(day), bool)
    duplicates[1:] = (number[1:] > 0) & (day[1:] == day[:-1]) & (day[1:] > 0)
    duplicates[:-1] |= duplicates[1:]
    early = (number == 0) & ((rows.taken != NOT_GIVEN) | (rows.missed > 0))
    suspect = rows.suspect | duplicates | early
    of_unsound = np.isin(patient, list(unsound)) if unsound else np.zeros_like(suspect)
    reasons = {}
    for row in np.flatnonzero(suspect | of_unsound).tolist():
        of_patient = unsound.get(int(patient[row]))
        # Without knowing whose they are, rows do not follow each other.
        if of_patient is not None and (of_patient.place == "patient" or not suspect[row]):
            reasons[row] = str(of_patient)
            continue
        ordinal = int(day[row])
        follows = number[row] > 0 and ordinal > 0
        before = min(int(day[row - 1]) or ordinal - 1, ordinal - 1) if follows else 0
        faults = faults_of(row_of(table, row), date.fromordinal(before) if before else None)
        if of_patient is not None:
            faults.append(of_patient)
        if duplicates[row]:
            reason = f"two visits of the patient on {date.fromordinal(ordinal)}"
            faults.append(Fault("date", reason, "give the visits in order, one a day"))
        if not faults:
            # A row that no record can hold is never decided on, whether its fault is found or not.
            fix = "give its cells as a course file would hold them"
            faults.append(Fault("row", "it cannot be read", fix))
        reasons[row] = " | ".join(map(str, faults))
    return reasons


def _ends(
    rows: Rows,
    number: Ints,
    patient: Ints,
    begins: Ints,
    decisions: Decisions,
    reasons: dict[int, str],
) -> Ints:
    """Return the first row of each patient that is not decided.

    With more doses missed than scheduled, or an end of treatment where there is none, it gets its
    reason here, if nothing is wrong before it.
    """
    total = len(number)
    too_many = (rows.missed > decisions.scheduled) & (number > 0)
    broken = too_many | (rows.stopped & decisions.untreated)
    broken[list(reasons)] = True
    ends = np.full(len(begins), total)
    for row in np.flatnonzero(broken)[::-1].tolist():
        ends[patient[row]] = row
    for row in ends[ends < total].tolist():
        if row not in reasons and too_many[row]:
            missed, scheduled = int(rows.missed[row]), int(decisions.scheduled[row])
            reasons[row] = str(too_many_missed(missed, scheduled))
        elif row not in reasons:
            reasons[row] = str(nothing_to_stop())
    return ends


def _reasons_of_all(day: Ints, undecided: Flags, reasons: dict[int, str]) -> dict[int, str]:
    """Return the reason of each undecided row: its own, or that an earlier visit was refused."""
    # The first undecided row of a patient always has a reason of its own.
    refused, last = {}, 0
    for row in np.flatnonzero(undecided).tolist():
        if row in reasons:
            refused[row], last = reasons[row], row
        else:
            reason = "a visit whose date cannot be read may come before this one"
            if day[last]:
                reason = f"the earlier visit of {date.fromordinal(int(day[last]))} was refused"
            refused[row] = str(Fault("patient", reason, "fix that one first"))
    return refused
