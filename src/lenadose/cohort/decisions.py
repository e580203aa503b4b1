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
from lenadose.cohort.frames import beside, to_arrow
from lenadose.cohort.lookup import NOT_GIVEN, protocol_arrays
from lenadose.cohort.reader import Reader, Rows
from lenadose.cohort.replay import replay
from lenadose.cohort.results import ResultBuilder
from lenadose.cohort.state import Decisions, Visits
from lenadose.protocol.builtin import get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import nothing_to_stop, too_many_missed
from lenadose.terms.errors import DocumentError, Fault, fault

Frame = TypeVar("Frame")

BLOCK = 1 << 18
"""Rows decided together: many, so that a call counts for many visits, but few enough that what is
worked out on the way does not grow with the table."""


def decide(
    frame: Frame,
    protocol: Protocol | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Frame:
    """Return the decision at every visit of a cohort, row by row and as the same kind of table.

    *frame* is a pandas or polars data frame or an Arrow table with the columns of `COLUMNS`, its
    rows in any order; the result has the columns of `RESULTS`. *progress* is called with the number
    of rows done and of all rows. Raises CallError for anything but a table, and DocumentError for
    columns that are unknown, missing, or of the wrong type.
    """
    try:
        visits = nw.from_native(cast(Any, frame), eager_only=True)
    except TypeError:
        reason = f"a {type(frame).__name__} is not a table"
        raise fault("frame", reason, "give a pandas, polars or Arrow table") from None
    except nw.exceptions.DuplicateError:
        faults = (Fault("columns", "two have the same name", "keep one of the two"),)
        raise DocumentError(faults) from None
    check_columns(visits.columns)
    try:
        return cast(Frame, _decide(visits, protocol or get_protocol(), progress))
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
        _decide_block(block, to_arrow(read[as_slice(block.rows)]), protocol, reader, results)
        done += len(block.rows)
        if progress is not None:
            progress(done, len(visits))
    return beside(visits, results.table())


def _decide_block(
    block: Block, table: pa.Table, protocol: Protocol, reader: Reader, results: ResultBuilder
) -> None:
    """Decide on all visits of a block, and write the decisions and the refused rows."""
    rows, total = reader.read(table), len(table)
    counts = np.diff(np.append(block.begins, total))
    patient = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(total) - block.begins[patient]
    able = _first_given(rows.able, block.begins)[patient]
    regular = _first_given(rows.regular, block.begins)[patient]
    reasons = _refused(table, rows, number, block.nameless[patient], able, regular)

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
    results.write(block.rows, decisions, decided)
    results.refuse(block.rows, _reasons_of_all(rows.day, ~decided, reasons))


def _first_given(values: Ints, begins: Ints) -> Ints:
    """Return the first value that is given of each patient, or -1."""
    places = np.where(values >= 0, np.arange(len(values)), len(values))
    firsts = np.minimum.reduceat(places, begins) if len(begins) else begins
    return np.append(values, -1)[firsts]


def _refused(
    table: pa.Table, rows: Rows, number: Ints, nameless: Flags, able: Ints, regular: Ints
) -> dict[int, str]:
    """Return the reason of each row that cannot be read, or cannot follow the one before."""
    day = rows.day
    duplicates = np.zeros(len(day), bool)
    duplicates[1:] = (number[1:] > 0) & (day[1:] == day[:-1]) & (day[1:] > 0)
    duplicates[:-1] |= duplicates[1:]
    changes = {
        "able_to_become_pregnant": (rows.able >= 0) & (rows.able != able),
        "regular_cycles": (rows.regular >= 0) & (rows.regular != regular),
    }
    early = (number == 0) & ((rows.taken != NOT_GIVEN) | (rows.missed > 0))
    suspect = rows.suspect | duplicates | early | nameless
    suspect |= np.logical_or.reduce(list(changes.values()))
    reasons = {}
    for row in np.flatnonzero(suspect).tolist():
        ordinal = int(day[row])
        follows = number[row] > 0 and ordinal > 0
        before = min(int(day[row - 1]) or ordinal - 1, ordinal - 1) if follows else 0
        cells = table.slice(row, 1).to_pylist()[0]
        faults = faults_of(cells, date.fromordinal(before) if before else None)
        if nameless[row]:
            faults.append(Fault("patient", "is missing", "say whose visit it is"))
        if duplicates[row]:
            reason = f"two visits of the patient on {date.fromordinal(ordinal)}"
            faults.append(Fault("date", reason, "give the visits in order, one a day"))
        for name, changed in changes.items():
            if changed[row]:
                reason = "is not what another visit of the patient says"
                faults.append(Fault(name, reason, "give the same in all visits"))
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
            on = f"of {date.fromordinal(int(day[last]))}" if day[last] else "without a date"
            reason = f"the earlier visit {on} was refused"
            refused[row] = str(Fault("patient", reason, "fix that one first"))
    return refused
