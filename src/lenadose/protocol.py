"""A protocol whole: ladder, intervals, criteria, decision table and citation, with the hash of its content."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any

from attrs import Attribute, AttrsInstance, field, fields, frozen

from .advice import Advice, NextVisit, advise
from .criteria import CountLimits, ResponseCriteria, SafetyCriteria
from .dosing import DoseLadder, Level, plain
from .errors import Fault
from .intervals import Interval
from .provenance import Provenance, Sourced, within
from .rules import Case, Match, Rule, RuleTable
from .sound import Consistent, each_prose, name, prose, twice
from .vocabulary import SET_NAMES, Word


def _says(words: str) -> dict[str, str]:
    return {"words": words, "unit": ""}


@frozen
class Intervals(Consistent):
    """The spans of time of a protocol."""

    first_assessment: Sourced[Interval] = field(metadata=_says("first assessment at a level"))
    review: Sourced[Interval] = field(metadata=_says("review in titration afterwards"))
    taper_step: Sourced[Interval] = field(metadata=_says("one step of the taper"))
    trial: Sourced[Interval] = field(
        metadata=_says("trial of therapy, since the later of the start and the last partial or complete response")
    )
    trial_at_level: Sourced[Interval] = field(metadata=_says("the part of the trial of therapy spent at this level"))
    resumable: Sourced[Interval] = field(metadata=_says("longest interruption that may simply be resumed"))
    surveillance: Sourced[tuple[Interval, ...]] = field(metadata=_says("visits after the finish"))
    soon: Sourced[Interval] = field(metadata=_says("next visit after a question, an interruption or with caution"))
    after_discontinuation: Sourced[Interval] = field(metadata=_says("visit after discontinuation"))
    late_after: Sourced[Interval] = field(
        metadata=_says("a visit is late when it comes more than this after it was due")
    )
    supply: Sourced[Interval] = field(metadata=_says("longest supply on one prescription"))
    missed_share: Sourced[Fraction] = field(
        validator=within(0, 1),
        metadata=_says(
            "share of an interval's doses: once more were missed, the days missed are added to the interval"
        ),
    )

    @classmethod
    def contradictions(cls, known: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse visits after the finish that do not come one after another."""
        visits = known["surveillance"].value if "surveillance" in known else ()
        for index, (earlier, later) in enumerate(pairwise(visits), 1):
            if later.usual_days <= earlier.usual_days:
                place = f"surveillance.value[{index}]"
                yield Fault(place, f"{later} is not later than {earlier}", "give the visits in their order")


@frozen
class Note:
    """A choice of the protocol that is neither a rule nor a number, and where it comes from."""

    id: str = field(validator=name)
    words: str = field(validator=prose)
    provenance: Provenance


@frozen
class Source:
    """A publication or document that the protocol rests on, and how sure its facts are."""

    id: str = field(validator=prose)
    citation: str = field(validator=prose)
    confidence: str = field(validator=prose)


@frozen(slots=False, cache_hash=True)
class Protocol(Consistent):
    """A dosing protocol as data. Everything it decides is in here, and its `hash` names exactly this content."""

    id: str = field(validator=name)
    version: str = field(validator=prose)
    title: str = field(validator=prose)
    sources: tuple[Source, ...]
    evidence: str = field(validator=prose)
    """The limits of the evidence, printed with every recommendation."""
    unchecked: tuple[str, ...] = field(validator=each_prose)
    """What the protocol does not check and the prescriber must."""
    ladder: DoseLadder
    intervals: Intervals
    response: ResponseCriteria
    safety: SafetyCriteria
    notes: tuple[Note, ...]
    table: RuleTable = field(metadata={"key": "rules"})
    """The rows; in data they are the `rules`."""
    # What was worked out before; each is the same however often it is.
    _visits: dict[date, NextVisit] = field(init=False, eq=False, repr=False, factory=dict)
    _advised: dict[tuple[int, int, int], Advice] = field(init=False, eq=False, repr=False, factory=dict)

    @classmethod
    def contradictions(cls, known: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse two sources or notes of one name, and a ceiling that is no level of the ladder."""
        for each in ("sources", "notes"):
            yield from twice(each, (entry.id for entry in known.get(each, ())))
        if "ladder" in known and "safety" in known:
            ceiling = known["safety"].clearance_ceiling.value
            if ceiling not in known["ladder"].levels:
                mend = "give a level of the ladder"
                yield Fault("safety.clearance_ceiling.value", f"{ceiling} is not a level", mend)

    def visit_due(self, due: date) -> NextVisit:
        """Give the next visit that is due on a day; each is worked out once."""
        found = self._visits.get(due)
        if found is None:
            found = self._visits[due] = NextVisit(due, due, self.intervals.late_after.value.after(due))
        return found

    def advise(self, match: Match, held: Level | None, ceiling: Level | None) -> Advice:
        """Give what follows from a situation with a level held and a ceiling; each is worked out once."""
        key = (match.number, -1 if held is None else held.rank, -1 if ceiling is None else ceiling.rank)
        found = self._advised.get(key)
        if found is None:
            # By their ranks, so that no level but those of this ladder is ever advised.
            levels = (*self.ladder.levels, None)
            found = self._advised[key] = advise(self.ladder, match, levels[key[1]], levels[key[2]])
        return found

    @cached_property
    def data(self) -> dict[str, object]:
        """The whole protocol as plain data: the content that the hash is taken of."""
        return {key_of(each): _plain(getattr(self, each.name)) for each in fields(Protocol) if each.init}

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the content, as hexadecimal digits."""
        content = json.dumps(self.data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return sha256(content.encode("ascii")).hexdigest()

    @cached_property
    def ledger(self) -> tuple["Entry", ...]:
        """Every rule and number of the protocol with where it comes from, in the order of the protocol."""
        return tuple(_entries(self))


@frozen
class Entry:
    """A line of the ledger: a rule, a number or a choice, what it says, and where it comes from."""

    id: str
    words: str
    value: str
    provenance: Provenance


def key_of(attribute: "Attribute[Any]") -> str:
    """Give the key that a field has in data."""
    return str(attribute.metadata.get("key", attribute.name))


def say(value: object) -> str:
    """Write a value of a protocol for people: "4 weeks", "5 mg once daily", "1/2"."""
    match value:
        case tuple():
            return " to ".join(map(say, value)) if len(value) == 2 else ", ".join(map(say, value))
        case Word():
            return value.said
        case _:
            return str(value)


def _numbers(prefix: str, group: AttrsInstance) -> Iterator[Entry]:
    for attribute in fields(type(group)):
        value = getattr(group, attribute.name)
        name = f"{prefix}.{attribute.name}"
        if isinstance(value, Sourced):
            unit = attribute.metadata["unit"]
            said = f"{say(value.value)} {unit}".strip()
            yield Entry(name, attribute.metadata["words"], said, value.provenance)
        elif isinstance(value, CountLimits):
            for entry in _numbers(name, value):
                yield Entry(entry.id, f"{attribute.name}: {entry.words}", entry.value, entry.provenance)


def _entries(protocol: Protocol) -> Iterator[Entry]:
    for level in protocol.ladder.levels:
        yield Entry(f"ladder.{level.rank}", f"dose level {level.rank}", str(level), level.provenance)
    yield from _numbers("intervals", protocol.intervals)
    yield from _numbers("response", protocol.response)
    yield from _numbers("safety", protocol.safety)
    yield Entry("safety.not_asked", "adverse events not asked about", "not assessed", protocol.safety.not_asked)
    for event in (protocol.safety.positive_test, *protocol.safety.events):
        words = "a positive pregnancy test" if event is protocol.safety.positive_test else event.words
        yield Entry(f"event.{event.id}", words, f"{event.safety.said}, {event.lasts.said}", event.provenance)
    for note in protocol.notes:
        yield Entry(f"note.{note.id}", note.words, "", note.provenance)
    for row in protocol.table.rules:
        for case in row.cases:
            yield Entry(case_name(row, case), conditions(case), row.action.said, case.provenance)


def case_name(row: Rule, case: Case) -> str:
    """Give the ledger's name of a case: `rule.persist`, or `rule.begin-taper.2` where the row has two."""
    return f"rule.{row.id}" + (f".{row.cases.index(case) + 1}" if len(row.cases) > 1 else "")


def conditions(case: Case) -> str:
    """Say a case in words, as the sheet does: "titration; OK, below the top, due, response none or worse"."""
    said = {name: _said(name, words) for name, words in case.conditions.items()}
    phase = said.pop("phase", "any phase")
    order = ("safety", "position", "timing", "response", "trial")
    rest = ", ".join(said[name] for name in order if name in said)
    return f"{phase}; {rest}" if rest else phase


def _said(name: str, words: tuple[Word, ...]) -> str:
    known = SET_NAMES.get(frozenset(words))
    if known is not None:
        return known
    either = " or ".join(word.said for word in words)
    return either if name in ("phase", "timing") else f"{'level' if name == 'position' else name} {either}"


def _plain(value: Any) -> object:
    """Turn a value of a protocol into plain data; a level outside its ladder is named by its rank."""
    match value:
        case None | bool() | int() | str():
            return value
        case Word():
            return value.code
        case Decimal():
            return plain(value)
        case Fraction():
            return str(value)
        case Interval():
            return {value.unit.code: value.count}
        case Level():
            return value.rank
        case RuleTable():
            return _plain(value.rules)
        case DoseLadder():
            levels = [{"dosage": _plain(each.dosage), "provenance": _plain(each.provenance)} for each in value.levels]
            return {"levels": levels, "start": value.start.rank}
        case Case():
            when = {name: [word.code for word in words] for name, words in value.conditions.items()}
            return {"when": when, "provenance": _plain(value.provenance)}
        case tuple():
            return [_plain(each) for each in value]
    return {each.name: _plain(getattr(value, each.name)) for each in fields(type(value)) if each.init}
