"""A cohort: the decision at every visit of many patients at once, from a table with one row for each visit.

    decisions = decide(visits)                # a pandas, polars or Arrow table in, a table of the same kind out

The rules are those of the protocol, looked up in arrays; the answers are those of `lenadose.step`, visit by visit. A
row that cannot be read comes back marked, with its reason, and so does what follows it in that patient's record;
other patients are untouched.
"""

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import narwhals as nw
import numpy as np
import pyarrow as pa
from attrs import frozen

from ...advice import Return
from ...course import too_many_missed
from ...errors import DocumentError, Fault, fault
from ...observation import Why
from ...protocol import Protocol
from ...protocols import get_protocol
from ...render import NOT_A_DEVICE
from ...vocabulary import DIMENSIONS, SITUATION_NUMBERS, Action, Phase
from .columns import COLUMNS as COLUMNS
from .columns import NAMES, Reader, Rows, columns_of, days_of, faults_of
from .packed import (
    LEVEL_BITS,
    NOT_GIVEN,
    PHASE_BITS,
    PHASE_SHIFT,
    RETURN_BITS,
    RETURN_SHIFT,
    Flags,
    Ints,
    after,
    pack,
)
from .stepping import GAPS, People, Visits, where
from .walking import Walked, end_at_faults, walk

Frame = TypeVar("Frame")

BLOCK = 1 << 18
"""Rows looked at together: enough that a call counts for many visits, few enough that they stay in the cache."""

ENOUGH = 1 << 22
"""Visits from which on compiling gains more than it costs."""

_SAME = ("protocol", "limits")
"""Columns that say the same in every row."""

_EPOCH = date(1970, 1, 1).toordinal()


@frozen
class Given:
    """A column of the result: its name and what it says."""

    name: str
    words: str


RESULTS = (
    Given("patient", "as given"),
    Given("date", "as given"),
    Given("action", "what is advised, or missing where the row was refused"),
    Given("dosage", "the dosage until the next visit; missing for none"),
    Given("dosage_mg", "its amount in mg"),
    Given("dosage_every_days", "the days from one dose to the next"),
    Given("rule", "the row that applied"),
    Given("next_visit_earliest", "not before this day"),
    Given("next_visit_due", "the day of the next visit; missing for none"),
    Given("next_visit_latest", "at the latest on this day"),
    *(Given(name, f"the {name} that decided") for name, _ in DIMENSIONS),
    Given("phase_after", "the phase that the visit leads to"),
    *(Given(f"missing_{field}", f"`absent` or `stale`, where `{field}` is missing") for field in GAPS),
    Given("protocol", "the protocol that decided: its name, version and SHA-256"),
    Given("limits", "the limits of its evidence, and of this software"),
    Given("refused", "why nothing is decided at this visit: place, reason and mend; missing where it was decided"),
)
"""Every column of the result, in order."""


def decide(frame: Frame, protocol: Protocol | None = None, progress: Callable[[int, int], None] | None = None) -> Frame:
    """Give the decision at every visit of a cohort, one row for each row given, in the same order and kind of table.

    `frame` is a pandas or polars data frame or an Arrow table with the columns of `COLUMNS`, in any order of its rows;
    the result has the columns of `RESULTS`. `progress` is told how many rows of how many are done. Raises CallError for
    what is no table, DocumentError for columns that are not known, are missing, or hold another kind of value.
    """
    try:
        given = nw.from_native(cast(Any, frame), eager_only=True)
    except TypeError:
        raise fault("frame", f"a {type(frame).__name__} is no table", "give a pandas, polars or Arrow table") from None
    except nw.exceptions.DuplicateError:
        raise DocumentError((Fault("columns", "two have the same name", "keep one of the two"),)) from None
    columns_of(given.columns)
    by = protocol or get_protocol()
    cohort = _Cohort(given, by)
    done = 0
    for block in _blocks(given):
        cohort.decide(block)
        done += len(block.rows)
        if progress is not None:
            progress(done, len(given))
    return cast(Frame, cohort.result())


def _walk_of(visits: int) -> Callable[..., Walked]:
    """Give what lets so many visits be walked: compiled, if numba is installed and it is worth it."""
    if visits < ENOUGH or find_spec("numba") is None:
        return walk
    from .compiled import walk as compiled

    return compiled


# Patients


@frozen(eq=False)
class _Block:
    """The rows of some patients, each patient's by date: their places in the table, and where each patient begins."""

    rows: Any
    begins: Any
    nameless: Flags


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
        rows = np.arange(a, b) if order is None else order[a:b]
        yield _Block(rows, begins[first:last] - a, nameless[first:last])
        first = last


def _runs(given: nw.DataFrame[Any]) -> tuple[Any, Flags] | None:
    """Give where each patient's rows begin and which patients have no name; None where the rows are not in order."""
    begins, names, nameless = [], [], []
    before: tuple[Any, int] | None = None
    for first in range(0, len(given), 4 * BLOCK):
        ids, day = _ids_and_days(given[first : first + 4 * BLOCK])
        changes = np.ones(len(day), bool)
        same = pa.compute.equal(ids[1:], ids[:-1]).fill_null(False)
        changes[1:] = ~same.to_numpy(zero_copy_only=False)
        if before is not None:
            changes[0] = before[0] is None or ids[0].as_py() != before[0]
        if (~changes & (day < np.append(before[1] if before else 0, day[:-1]))).any():
            return None
        heads = np.flatnonzero(changes)
        begins.append(heads + first)
        names.append(ids.take(pa.array(heads)))
        nameless.append(names[-1].is_null().to_numpy(zero_copy_only=False))
        before = ids[-1].as_py(), int(day[-1])
    named = pa.chunked_array(names, names[0].type if names else pa.string()).drop_null()
    if len(named) != len(named.unique()):
        return None
    return _joined(begins, np.int64), _joined(nameless, bool)


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _ids_and_days(given: nw.DataFrame[Any]) -> tuple[pa.Array, Ints]:
    table = given.select("patient", "date").to_arrow()
    ids = table.column("patient").combine_chunks()
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    if pa.types.is_floating(kind):
        raise DocumentError((Fault("patient", f"a column of {kind}", "give text or whole numbers"),))
    if kind != ids.type or pa.types.is_null(kind) or pa.types.is_string_view(kind):
        ids = ids.cast(pa.large_string() if not pa.types.is_integer(kind) else kind)
    return ids, days_of(table.column("date").combine_chunks())


def _sorted(given: nw.DataFrame[Any]) -> tuple[Any, Any, Flags]:
    """Give the rows by patient and date, where each patient begins, and which have no name."""
    parts = [_ids_and_days(given[first : first + 4 * BLOCK]) for first in range(0, len(given), 4 * BLOCK)]
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
    """The result as it grows: what was decided, as numbers, and why the rest was refused."""

    def __init__(self, given: nw.DataFrame[Any], protocol: Protocol) -> None:
        self._given = given
        self._protocol = protocol
        self._packed = pack(protocol)
        self._walk = _walk_of(len(given))
        self._reader = Reader(protocol)
        self._names = [name for name in given.columns if name in NAMES]
        self._words = _words(protocol)
        total = len(given)
        self._told: dict[str, Ints] = {
            name: np.full(total, -1, np.int8 if len(words) < 128 else np.int16)
            for name, words in self._words.of.items()
            if name not in _SAME
        }
        self._days = {name: np.zeros(total, np.int32) for name in ("earliest", "due", "latest")}
        self._refused: dict[int, str] = {}

    def decide(self, block: _Block) -> None:
        """Decide on all visits of a block."""
        rows = block.rows
        in_order = rows[-1] - rows[0] == len(rows) - 1 and (len(rows) < 2 or bool((np.diff(rows) == 1).all()))
        place: Any = slice(int(rows[0]), int(rows[-1]) + 1) if in_order else rows
        table = self._given.select(self._names)[place].to_arrow().select(self._names)
        shown = self._reader.read(table)
        counts = np.diff(np.append(block.begins, len(rows)))
        patient = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        visit = np.arange(len(rows)) - np.repeat(block.begins, counts)
        able, regular = (_of_patient(each, block.begins, counts) for each in (shown.able, shown.regular))
        changes = {
            name: (said >= 0) & (said != np.repeat(each, counts))
            for name, said, each in (
                ("able_to_become_pregnant", shown.able, able),
                ("regular_cycles", shown.regular, regular),
            )
        }
        reasons = self._faults(table, shown, visit, np.repeat(block.nameless, counts), changes)
        told, kept = self._walked(shown, reasons, patient, visit, People(able != 0, regular == 1))
        for index in np.flatnonzero(told.too_many):
            row, there_were = int(kept[index]), int(told.too_many[index]) - 1
            reasons[row] = str(too_many_missed(int(shown.missed[row]), there_were))
        decided = told.answer >= 0
        if not decided.all():
            kept, told = kept[decided], Walked(*(each[decided] for each in told))
        if len(kept) < len(rows):
            self._refuse(rows, reasons, np.delete(np.arange(len(rows)), kept), shown.day)
            place, day = rows[kept], shown.day[kept]
        else:
            day = shown.day
        self._tell(place, told, day)

    def _walked(
        self, shown: Rows, reasons: dict[int, str], patient: Ints, visit: Any, people: People
    ) -> tuple[Walked, Any]:
        """Let the patients walk as far as nothing is at fault; give what was found and the rows it was found at."""
        first_test = self._reader.first_tests(shown, visit)
        kept = np.arange(len(patient))
        if reasons:
            ends = np.full(len(people.tested), len(patient))
            for row in sorted(reasons, reverse=True):
                ends[patient[row]] = visit[row]
            kept = np.flatnonzero(visit < ends[patient])
        visits = Visits(
            shown.day,
            shown.score,
            shown.neutrophils,
            shown.platelets,
            shown.clearance,
            shown.negative_test,
            shown.positive_test,
            first_test,
            shown.events,
            shown.judged,
            shown.taken,
            shown.missed,
        )
        if reasons:
            visits, patient, visit = Visits(*(each[kept] for each in visits)), patient[kept], visit[kept]
        lists, dosages = self._reader.lists(), self._reader.dosages()
        told = self._walk(self._packed, lists, dosages, people, visits, patient, visit)
        end_at_faults(told, patient)
        return told, kept

    def _faults(
        self, table: pa.Table, shown: Rows, visit: Any, nameless: Flags, changes: dict[str, Flags]
    ) -> dict[int, str]:
        """Give the reason of each row that cannot be read, or cannot follow the one before."""
        twice = np.zeros(len(visit), bool)
        twice[1:] = (visit[1:] > 0) & (shown.day[1:] == shown.day[:-1]) & (shown.day[1:] > 0)
        twice[:-1] |= twice[1:]
        early = (visit == 0) & ((shown.taken != NOT_GIVEN) | (shown.missed > 0))
        suspect = shown.suspect | twice | early | nameless
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
            if twice[row]:
                words = f"two visits of the patient on {date.fromordinal(day)}"
                faults.append(Fault("date", words, "give the visits in order, one a day"))
            faults += (
                Fault(name, "is not what another visit of the patient says", "give the same in all visits")
                for name, each in changes.items()
                if each[row]
            )
            if faults:
                reasons[row] = " | ".join(map(str, faults))
        return reasons

    def _tell(self, rows: Any, told: Walked, day: Ints) -> None:
        """Write what was decided beside its rows."""
        answer, situation = told.answer, told.situation
        self._told["level"][rows] = (answer & (1 << LEVEL_BITS) - 1) - 1
        self._told["phase_after"][rows] = answer >> PHASE_SHIFT & (1 << PHASE_BITS) - 1
        for name, table in self._words.by_situation.items():
            self._told[name][rows] = table.take(situation)
        for index, name in enumerate(GAPS):
            self._told[f"missing_{name}"][rows] = (told.gaps >> 2 * index & 3) - 1
        earliest, due, latest = self._next_visit(answer >> RETURN_SHIFT & (1 << RETURN_BITS) - 1, day, told.anchor)
        self._days["earliest"][rows], self._days["due"][rows], self._days["latest"][rows] = earliest, due, latest

    def _next_visit(self, by: Ints, day: Ints, anchor: Ints) -> tuple[Ints, Ints, Ints]:
        """Give the days of the next visits, 0 where there is none."""
        intervals = self._protocol.intervals
        counted = {
            Return.SOON: intervals.soon,
            Return.TAPER_STEP: intervals.taper_step,
            Return.REVIEW: intervals.review,
            Return.FIRST_ASSESSMENT: intervals.first_assessment,
            Return.AFTER_DISCONTINUATION: intervals.after_discontinuation,
        }
        days = np.zeros(len(Return), np.int32)
        for each, interval in counted.items():
            days[each.rank] = interval.value.days or 0
        due = day + days.take(by)
        for each, interval in counted.items():
            if interval.value.days is None:
                rows = np.flatnonzero(by == each.rank)
                due[rows] = after(interval.value, day[rows])
        rows = np.flatnonzero(by == Return.SURVEILLANCE.rank)
        later = np.zeros(len(rows), np.int32)
        for span in reversed(intervals.surveillance.value):
            on = after(span, anchor[rows])
            later = where(on > day[rows], on, later)
        due[rows] = later
        due = where(by == Return.WHEN_DUE.rank, anchor, due) * (by != Return.NEVER.rank)
        soon, none = by == Return.SOON.rank, due == 0
        latest = where(soon | none, due, after(intervals.late_after.value, where(none, day, due)))
        return where(soon, day + 1, due), due, latest

    def _refuse(self, rows: Any, reasons: dict[int, str], left: Any, day: Ints) -> None:
        """Mark the rows that are not decided: with their own reason, or with the row before that was refused."""
        last: int | None = None
        for row in left.tolist():
            if row in reasons:
                self._refused[int(rows[row])] = reasons[row]
                last = row
            else:
                assert last is not None
                which = f"of {date.fromordinal(int(day[last]))}" if day[last] else "without a date"
                told = Fault("patient", f"the earlier visit {which} was refused", "mend that one first")
                self._refused[int(rows[row])] = str(told)

    # The result

    def result(self) -> Any:
        """Give the result as a table of the caller's kind; what was kept for a column is let go with it."""
        found = self._given.select("patient", "date")
        names = [each.name for each in RESULTS[2:]]
        columns = nw.from_arrow(
            pa.table({name: self._column(name) for name in names}), backend=self._given.implementation
        )
        return found.with_columns(*(columns[name] for name in names)).to_native()

    def _column(self, name: str) -> pa.Array:
        match name:
            case "refused":
                if not self._refused:
                    return pa.nulls(len(self._given), pa.string())
                number = {reason: index for index, reason in enumerate(dict.fromkeys(self._refused.values()))}
                numbers = np.full(len(self._given), -1, np.int32)
                numbers[list(self._refused)] = [number[reason] for reason in self._refused.values()]
                return pa.array(list(number), pa.string()).take(pa.array(numbers, mask=numbers < 0))
            case "dosage_mg":
                mg = [float(level.dosage.mg) for level in self._protocol.ladder.levels]
                return self._by_level(np.array([*mg, np.nan]))
            case "dosage_every_days":
                often = self._by_level(
                    np.array([*(each.dosage.every_days for each in self._protocol.ladder.levels), 0])
                )
                # In pandas whole numbers of which some are missing are floats: so they are always.
                return often.cast(pa.float64()) if self._given.implementation.is_pandas_like() else often
            case _ if name.startswith("next_visit_"):
                days = self._days.pop(name.removeprefix("next_visit_"))
                none = days == 0
                days -= _EPOCH
                dates = _cells(days, none).view(pa.date32())
                # As dates alone they would be objects in pandas.
                return dates.cast(pa.timestamp("ms")) if self._given.implementation.is_pandas_like() else dates
        told: Ints
        if name in _SAME:
            told = np.zeros(len(self._given), np.int8)
        else:
            told = self._told["level" if name == "dosage" else name]
        words = self._words.of["level" if name == "dosage" else name]
        return pa.DictionaryArray.from_arrays(_cells(told, told < 0), pa.array(words, pa.string()))

    def _by_level(self, values: Any) -> pa.Array:
        level = self._told["level"]
        return _cells(values.take(level), level < 0)


def _cells(values: Any, missing: Flags) -> pa.Array:
    return pa.array(values, mask=missing if missing.any() else None)


class _Words:
    """The words that stand for the numbers, and the tables that give the numbers of a situation."""

    def __init__(self, protocol: Protocol) -> None:
        rules = protocol.table.rules
        self.of: dict[str, list[str]] = {
            "action": [each.code for each in Action],
            "rule": [each.id for each in rules],
            "level": [str(each) for each in protocol.ladder.levels],
            "phase_after": [each.code for each in Phase],
            **{name: [each.code for each in kind] for name, kind in DIMENSIONS},
            **{f"missing_{name}": [each.code for each in Why] for name in GAPS},
            "protocol": [f"{protocol.id} {protocol.version} {protocol.hash}"],
            "limits": [f"{protocol.evidence} {NOT_A_DEVICE}"],
        }
        number = {row.id: index for index, row in enumerate(rules)}
        self.by_situation = {
            name: np.full(SITUATION_NUMBERS, -1, np.int16)
            for name in ("rule", "action", *(name for name, _ in DIMENSIONS))
        }
        for match in protocol.table.situations():
            at = sum(getattr(match.facts, name).weight for name, _ in DIMENSIONS)
            self.by_situation["rule"][at] = number[match.rule.id]
            self.by_situation["action"][at] = match.rule.action.rank
            for name, _ in DIMENSIONS:
                self.by_situation[name][at] = getattr(match.facts, name).rank


@lru_cache(maxsize=8)
def _words(protocol: Protocol) -> _Words:
    return _Words(protocol)


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
