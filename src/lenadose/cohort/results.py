"""The result of a cohort: gathered as numbers, block by block, and put into a table at the end."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from attrs import frozen

from lenadose.cohort.blocks import as_slice
from lenadose.cohort.calendar import EPOCH, Flags, Ints
from lenadose.cohort.lookup import SITUATION_NUMBERS, protocol_arrays
from lenadose.cohort.state import MISSING_FIELDS, Decisions
from lenadose.engine.observe import MissingReason
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS, Action, Phase, Term


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
    ResultColumn(
        "not_used",
        "what was given and changes nothing: results older than the newest or not the lowest of "
        "their day, events that no criterion meets; missing where there is none",
    ),
    ResultColumn("protocol", "the protocol that decided: its name, version and SHA-256"),
    ResultColumn("limits", "the limits of its evidence, and of this software"),
    ResultColumn(
        "refused",
        "why nothing is decided at this visit: place, reason and fix; missing where it was decided",
    ),
)
"""Every column of the result, in order."""


class ResultBuilder:
    """The decisions of a cohort, and the reasons of the rows that are refused."""

    def __init__(self, protocol: Protocol, total: int) -> None:
        self._protocol = protocol
        self._total = total
        self._situation = np.full(total, -1, np.int32)
        self._advice = np.full(total, -1, np.int32)
        # The earliest day, the day due and the latest day of the next visit; 0 for none.
        self._next_visit = np.zeros((3, total), np.int32)
        self._missing = np.zeros((len(MISSING_FIELDS), total), np.int8)
        # The texts about what was not used, by their places; the first is the empty one.
        self._not_used = np.zeros(total, np.int32)
        self._texts = {"": 0}
        self._refused: dict[int, str] = {}

    def write(
        self,
        rows: Ints,
        decisions: Decisions,
        decided: Flags,
        not_used: Ints,
        texts: Sequence[str],
    ) -> None:
        """Write the decisions of a block, at those of its rows that are decided.

        *not_used* are the places of *texts*, one for each decision.
        """
        kept = slice(None) if decided.all() else decided
        at, advice = as_slice(rows[kept]), decisions.advice[kept]
        self._situation[at] = decisions.situation[kept]
        self._advice[at] = advice
        self._missing[:, at] = decisions.missing[:, kept]
        self._next_visit[:, at] = decisions.next_visit[:, kept]
        places = [self._texts.setdefault(text, len(self._texts)) for text in texts]
        self._not_used[at] = np.array(places, np.int32)[not_used[kept]]

    def refuse(self, rows: Ints, reasons: Mapping[int, str]) -> None:
        """Mark rows of a block as refused, each with its reason."""
        self._refused.update({int(rows[row]): reason for row, reason in reasons.items()})

    def table(self) -> pa.Table:
        """Return every column but patient and date."""
        protocol, advice = self._protocol, protocol_arrays(self._protocol).advice
        levels = protocol.ladder.levels
        level = np.append(advice.level, -1)[self._advice]
        phase_after = np.append(advice.phase_after, -1)[self._advice]
        amounts = np.array([float(each.dosage.mg) for each in levels])
        intervals = np.array([each.dosage.every_days for each in levels])
        columns = {
            "dosage": _words(level, map(str, levels)),
            "dosage_mg": pa.array(amounts[level], mask=level < 0),
            "dosage_every_days": pa.array(intervals[level], mask=level < 0),
            "phase_after": _terms(phase_after, Phase),
            **self._situation_columns(),
            **dict(zip(_NEXT_VISIT, map(_days, self._next_visit), strict=True)),
            **{
                f"missing_{name}": _terms(reason - 1, MissingReason)
                for name, reason in zip(MISSING_FIELDS, self._missing, strict=True)
            },
            "not_used": _texts(self._not_used - 1, list(self._texts)[1:]),
            "protocol": self._constant(f"{protocol.id} {protocol.version} {protocol.hash}"),
            "limits": self._constant(f"{protocol.evidence} {NOT_A_DEVICE}"),
            "refused": self._reasons(),
        }
        return pa.table({column.name: columns[column.name] for column in RESULTS[2:]})

    def _situation_columns(self) -> dict[str, pa.Array]:
        """Return the rule, the action and the six facts."""
        rules, situation = self._protocol.table.rules, self._situation
        rule = np.append(protocol_arrays(self._protocol).rules, -1).take(situation)
        actions = np.array([*(row.action.rank for row in rules), -1])
        columns = {"rule": _words(rule, [row.id for row in rules])}
        columns["action"] = _terms(actions.take(rule), Action)
        ranks = np.unravel_index(
            np.arange(SITUATION_NUMBERS), [len(kind) for _, kind in DIMENSIONS]
        )
        for (name, kind), of_situation in zip(DIMENSIONS, ranks, strict=True):
            columns[name] = _terms(np.append(of_situation, -1).take(situation), kind)
        return columns

    def _constant(self, text: str) -> pa.Array:
        return _words(np.zeros(self._total, np.int8), [text])

    def _reasons(self) -> pa.Array:
        reasons = list(dict.fromkeys(self._refused.values()))
        places = {reason: place for place, reason in enumerate(reasons)}
        numbers = np.full(self._total, -1, np.int32)
        for row, reason in self._refused.items():
            numbers[row] = places[reason]
        return _texts(numbers, reasons)


_NEXT_VISIT = ("next_visit_earliest", "next_visit_due", "next_visit_latest")


def _texts(places: Ints, texts: Sequence[str]) -> pa.Array:
    """Return texts by their places, missing for -1: however many there are, and in any order."""
    return pa.array(texts, pa.string()).take(pa.array(places, mask=places < 0))


def _words(places: Ints, words: Iterable[str]) -> pa.Array:
    """Return words by their places, missing for -1."""
    texts = pa.array(words, pa.string())
    kind = np.int8 if len(texts) < 128 else np.int16
    indices = pa.array(places.astype(kind), mask=places < 0)
    return pa.DictionaryArray.from_arrays(indices, texts)


def _terms(ranks: Ints, kind: type[Term]) -> pa.Array:
    return _words(ranks, [term.code for term in kind])


def _days(days: Ints) -> pa.Array:
    return pa.array((days - EPOCH).astype(np.int32), mask=days == 0).cast(pa.date32())
