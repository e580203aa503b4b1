"""The answers for a cohort: what was decided at each row, as numbers while they are gathered, as a table in the end."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from attrs import frozen

from lenadose.cohort.frames import Arrow, FrameBackend, Pandas
from lenadose.cohort.lookup import (
    LEVEL_BITS,
    PHASE_BITS,
    PHASE_SHIFT,
    RETURN_BITS,
    RETURN_SHIFT,
    SITUATION_NUMBERS,
    WEIGHTS,
    Ints,
    after,
)
from lenadose.cohort.machine import MISSING_FIELDS, where
from lenadose.cohort.replay import Replayed
from lenadose.engine.observe import MissingReason
from lenadose.protocol.advice import FollowUp
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.errors import Fault
from lenadose.terms.facts import DIMENSIONS, Action, Phase

_SAME = ("protocol", "limits")
"""Columns that say the same in every row."""

_EPOCH = date(1970, 1, 1).toordinal()


@frozen
class ResultColumn:
    """A column of the result: its name and what it says."""

    name: str
    words: str


RESULTS = (
    ResultColumn("patient", "as given"),
    ResultColumn("date", "as given"),
    ResultColumn("action", "what is advised, or missing where the row was refused"),
    ResultColumn("dosage", "the dosage until the next visit; missing for none"),
    ResultColumn("dosage_mg", "its amount in mg"),
    ResultColumn("dosage_every_days", "the days from one dose to the next"),
    ResultColumn("rule", "the row that applied"),
    ResultColumn("next_visit_earliest", "not before this day"),
    ResultColumn("next_visit_due", "the day of the next visit; missing for none"),
    ResultColumn("next_visit_latest", "at the latest on this day"),
    *(ResultColumn(name, f"the {name} that decided") for name, _ in DIMENSIONS),
    ResultColumn("phase_after", "the phase that the visit leads to"),
    *(
        ResultColumn(f"missing_{field}", f"`absent` or `stale`, where `{field}` is missing")
        for field in MISSING_FIELDS
    ),
    ResultColumn("protocol", "the protocol that decided: its name, version and SHA-256"),
    ResultColumn("limits", "the limits of its evidence, and of this software"),
    ResultColumn(
        "refused",
        "why nothing is decided at this visit: place, reason and mend; missing where it was decided",
    ),
)
"""Every column of the result, in order."""


class ResultBuilder:
    """The answers as they grow: what was decided, as numbers, and why the rest was refused."""

    def __init__(self, protocol: Protocol, total: int) -> None:
        self._protocol = protocol
        self._total = total
        self._words = _words(protocol)
        self._told: dict[str, Ints] = {
            name: np.full(total, -1, np.int8 if len(words) < 128 else np.int16)
            for name, words in self._words.of.items()
            if name not in _SAME
        }
        self._days = {name: np.zeros(total, np.int32) for name in ("earliest", "due", "latest")}
        self._refused: dict[int, str] = {}

    def tell(self, rows: Any, told: Replayed, day: Ints) -> None:
        """Write what was decided beside its rows."""
        answer, situation, gaps = (
            told.answer,
            told.situation.astype(np.intp),
            told.gaps.astype(np.int16),
        )
        self._told["level"][rows] = (answer & (1 << LEVEL_BITS) - 1).astype(np.int8) - np.int8(1)
        self._told["phase_after"][rows] = answer >> PHASE_SHIFT & (1 << PHASE_BITS) - 1
        for name, table in self._words.by_situation.items():
            self._told[name][rows] = table.take(situation)
        for index, name in enumerate(MISSING_FIELDS):
            self._told[f"missing_{name}"][rows] = (gaps >> 2 * index & 3) - 1
        days = self._next_visit(answer >> RETURN_SHIFT & (1 << RETURN_BITS) - 1, day, told.anchor)
        for name, values in zip(("earliest", "due", "latest"), days, strict=True):
            self._days[name][rows] = values

    def _next_visit(self, by: Ints, day: Ints, anchor: Ints) -> tuple[Ints, Ints, Ints]:
        """Give the days of the next visits, 0 where there is none."""
        intervals = self._protocol.intervals
        counted = {
            FollowUp.SOON: intervals.soon,
            FollowUp.TAPER_STEP: intervals.taper_step,
            FollowUp.REVIEW: intervals.review,
            FollowUp.FIRST_ASSESSMENT: intervals.first_assessment,
            FollowUp.AFTER_DISCONTINUATION: intervals.after_discontinuation,
        }
        days = np.zeros(len(FollowUp), np.int32)
        for each, interval in counted.items():
            days[each.rank] = interval.value.days or 0
        due = day + days.take(by)
        for each, interval in counted.items():
            if interval.value.days is None:
                rows = np.flatnonzero(by == each.rank)
                due[rows] = after(interval.value, day.take(rows))
        rows = np.flatnonzero(by == FollowUp.SURVEILLANCE.rank)
        now, anchored = day.take(rows), anchor.take(rows)
        later = np.zeros(len(rows), np.int32)
        for span in reversed(intervals.surveillance.value):
            on = after(span, anchored)
            later = where(on > now, on, later)
        due[rows] = later
        due = where(by == FollowUp.WHEN_DUE.rank, anchor, due) * (by != FollowUp.NEVER.rank)
        soon, none = by == FollowUp.SOON.rank, due == 0
        latest = where(soon | none, due, after(intervals.late_after.value, where(none, day, due)))
        return where(soon, day + 1, due), due, latest

    def refuse(self, rows: Any, reasons: Mapping[int, str], left: Iterable[int], day: Ints) -> None:
        """Mark the rows that are not decided: with their own reason, or with the row before that was refused."""
        last: int | None = None
        for row in left:
            if row in reasons:
                self._refused[int(rows[row])] = reasons[row]
                last = row
            else:
                assert last is not None
                which = f"of {date.fromordinal(int(day[last]))}" if day[last] else "without a date"
                told = Fault(
                    "patient", f"the earlier visit {which} was refused", "mend that one first"
                )
                self._refused[int(rows[row])] = str(told)

    # The table

    def beside(self, given: nw.DataFrame[Any]) -> Any:
        """Give the result as a table of the caller's kind; what was kept for a column is let go with it."""
        if given.implementation.is_pandas():
            pandas: Any = given.implementation.to_native_namespace()
            frame = given.to_native()
            own = {name: frame[name] for name in ("patient", "date")}
            return pandas.DataFrame(
                own | self._columns(Pandas(pandas)), index=frame.index, copy=False
            )
        arrow = pa.table(self._columns(Arrow()))
        columns = nw.from_arrow(arrow, backend=given.implementation)
        return (
            given.select("patient", "date")
            .with_columns(*(columns[name] for name in arrow.column_names))
            .to_native()
        )

    def _columns(self, kind: FrameBackend) -> dict[str, Any]:
        """Give all columns but patient and date."""
        level = self._told.pop("level")
        none, given = self._days["due"] == 0, level >= 0
        if given.all():
            given = None

        def column(name: str) -> Any:
            match name:
                case "dosage":
                    return kind.words(level, self._words.of["level"])
                case "dosage_mg" | "dosage_every_days":
                    table = self._words.amounts if name == "dosage_mg" else self._words.often
                    return kind.numbers(table.take(level), given)
                case "refused":
                    return kind.texts(self._reasons())
                case _ if name in _SAME:
                    return kind.words(np.zeros(self._total, np.int8), self._words.of[name])
                case _ if name.startswith("next_visit_"):
                    days = self._days.pop(name.removeprefix("next_visit_"))
                    days -= _EPOCH
                    return kind.days(days, ~none)
            return kind.words(self._told.pop(name), self._words.of[name])

        return {each.name: column(each.name) for each in RESULTS[2:]}

    def _reasons(self) -> pa.Array:
        """Give why each row was refused."""
        if not self._refused:
            return pa.nulls(self._total, pa.string())
        refused = dict(sorted(self._refused.items()))
        number = {reason: index for index, reason in enumerate(dict.fromkeys(refused.values()))}
        numbers = np.full(self._total, -1, np.int32)
        numbers[list(refused)] = [number[reason] for reason in refused.values()]
        return pa.array(list(number), pa.string()).take(pa.array(numbers, mask=numbers < 0))


class _Words:
    """The words that stand for the numbers, and the tables that give the numbers of a situation."""

    def __init__(self, protocol: Protocol) -> None:
        rules, levels = protocol.table.rules, protocol.ladder.levels
        self.of: dict[str, tuple[str, ...]] = {
            "action": tuple(each.code for each in Action),
            "rule": tuple(each.id for each in rules),
            "level": tuple(str(each) for each in levels),
            "phase_after": tuple(each.code for each in Phase),
            **{name: tuple(each.code for each in kind) for name, kind in DIMENSIONS},
            **{
                f"missing_{name}": tuple(each.code for each in MissingReason)
                for name in MISSING_FIELDS
            },
            "protocol": (f"{protocol.id} {protocol.version} {protocol.hash}",),
            "limits": (f"{protocol.evidence} {NOT_A_DEVICE}",),
        }
        # The last is that of no level, -1.
        self.amounts = np.array([*(float(each.dosage.mg) for each in levels), np.nan])
        self.often = np.array([*(each.dosage.every_days for each in levels), 0])
        number = {row.id: index for index, row in enumerate(rules)}
        self.by_situation = {
            name: np.full(SITUATION_NUMBERS, -1, np.int8 if len(self.of[name]) < 128 else np.int16)
            for name in ("rule", "action", *(name for name, _ in DIMENSIONS))
        }
        for match in protocol.table.situations():
            at = sum(WEIGHTS[getattr(match.facts, name)] for name, _ in DIMENSIONS)
            self.by_situation["rule"][at] = number[match.rule.id]
            self.by_situation["action"][at] = match.rule.action.rank
            for name, _ in DIMENSIONS:
                self.by_situation[name][at] = getattr(match.facts, name).rank


@lru_cache(maxsize=8)
def _words(protocol: Protocol) -> _Words:
    return _Words(protocol)
