"""The protocol: ladder, intervals, criteria, table and sources, with the hash of its content."""

import json
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cache, cached_property, partial
from hashlib import sha256
from itertools import pairwise
from typing import Any

from attrs import Attribute, AttrsInstance, field, fields, frozen

from lenadose.protocol.advice import Advice, advise
from lenadose.protocol.notices import Notice
from lenadose.protocol.response import ResponseCriteria
from lenadose.protocol.rules import Case, MatchedRule, Rule, RuleTable
from lenadose.protocol.safety import CountLimits, SafetyCriteria
from lenadose.terms.dosage import DoseLadder, Level, format_decimal
from lenadose.terms.errors import Fault, describe
from lenadose.terms.facts import SET_NAMES, Term
from lenadose.terms.interval import Interval
from lenadose.terms.provenance import UNLISTED, Provenance, Sourced, within
from lenadose.terms.validation import (
    Validated,
    duplicates,
    is_identifier,
    is_single_line,
    members,
)


def _says(words: str) -> dict[str, str]:
    return {"words": words, "unit": ""}


@frozen
class Intervals(Validated):
    """The intervals of a protocol."""

    first_assessment: Sourced[Interval] = field(metadata=_says("first assessment at a level"))
    review: Sourced[Interval] = field(metadata=_says("review in titration afterwards"))
    taper_step: Sourced[Interval] = field(metadata=_says("one step of the taper"))
    trial: Sourced[Interval] = field(
        metadata=_says(
            "trial of therapy, since the later of the start and the last partial or complete "
            "response"
        )
    )
    trial_at_level: Sourced[Interval] = field(
        metadata=_says("the part of the trial of therapy spent at this level")
    )
    resumable: Sourced[Interval] = field(
        metadata=_says("longest interruption that may simply be resumed")
    )
    surveillance: Sourced[tuple[Interval, ...]] = field(metadata=_says("visits after the finish"))
    soon: Sourced[Interval] = field(
        metadata=_says("next visit after a question, an interruption or with caution")
    )
    longest_gap: Sourced[Interval] = field(
        metadata=_says(
            "longest run of days without drug that counts as missed days; a longer one is an "
            "interruption"
        )
    )
    after_discontinuation: Sourced[Interval] = field(metadata=_says("visit after discontinuation"))
    late_after: Sourced[Interval] = field(
        metadata=_says("a visit is late when it comes more than this after it was due")
    )
    supply: Sourced[Interval] = field(metadata=_says("longest supply on one prescription"))
    missed_share: Sourced[Fraction] = field(
        validator=within(0, 1),
        metadata=_says(
            "share of an interval's doses: once more were missed, the days missed are added to the "
            "interval"
        ),
    )

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for visits after the finish that do not come one after another."""
        for index, (earlier, later) in enumerate(pairwise(self.surveillance.value), 1):
            if later.usual_days <= earlier.usual_days:
                reason = f"{later} is not later than {earlier}"
                yield Fault(
                    f"surveillance.value[{index}]", reason, "give the visits in their order"
                )


@frozen
class Note:
    """A choice of the protocol that is neither a rule nor a number, with its provenance."""

    id: str = field(validator=is_identifier)
    words: str = field(validator=is_single_line)
    provenance: Provenance


@frozen
class Source(Validated):
    """A publication or document that the protocol rests on, and how sure its facts are."""

    id: str = field(validator=is_single_line)
    citation: str = field(validator=is_single_line)
    confidence: str = field(validator=is_single_line)

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for an id that cannot be cited."""
        if self.id in UNLISTED or self.id != self.id.strip() or "," in self.id:
            reason = f"{describe(self.id)} cannot be cited"
            fix = f"give a name without commas and outer blanks, not {', '.join(sorted(UNLISTED))}"
            yield Fault("id", reason, fix)


@frozen(slots=False, cache_hash=True)
class Protocol(Validated):
    """A dosing protocol as data: all that it decides; its `hash` names exactly this content."""

    id: str = field(validator=is_identifier)
    version: str = field(validator=is_single_line)
    title: str = field(validator=is_single_line)
    sources: tuple[Source, ...]
    evidence: str = field(validator=is_single_line)
    """The limits of the evidence, printed with every recommendation."""
    unchecked: tuple[str, ...] = field(validator=members(is_single_line))
    """The checks that are left to the prescriber."""
    ladder: DoseLadder
    intervals: Intervals
    response: ResponseCriteria
    safety: SafetyCriteria
    notes: tuple[Note, ...]
    notices: tuple[Notice, ...]
    """Facts printed with a decision where they apply; they change no action."""
    table: RuleTable = field(metadata={"key": "rules"})
    """The rows; in data they are the `rules`."""

    def contradictions(self) -> Iterator[Fault]:
        """Yield faults for a name given twice, a ceiling off the ladder, a source not listed."""
        yield from duplicates("sources", (source.id for source in self.sources))
        yield from duplicates("notes", (note.id for note in self.notes))
        yield from duplicates("notices", (notice.id for notice in self.notices))
        ceiling = self.safety.clearance_ceiling.value
        if ceiling not in self.ladder.levels:
            reason = f"{ceiling} is not a level"
            yield Fault("safety.clearance_ceiling.value", reason, "give a level of the ladder")
        yield from _not_listed(self.data, [source.id for source in self.sources])

    def __reduce__(self) -> tuple[type["Protocol"], tuple[object, ...]]:
        # Rebuilt from its parts: a cached hash does not hold in another process.
        return Protocol, tuple(getattr(self, part.name) for part in fields(Protocol))

    @cached_property
    def advise(self) -> Callable[[MatchedRule, Level | None, Level | None], Advice]:
        """The advice that follows from a situation, the level held and the ceiling.

        There are finitely many answers, so each is worked out once.
        """
        return cache(partial(advise, self.ladder))

    @property
    def data(self) -> dict[str, object]:
        """The whole protocol as plain data: the content that the hash is taken of."""
        return {
            data_key(part): _plain(getattr(self, part.name))
            for part in fields(Protocol)
            if part.init
        }

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of the content, as hexadecimal digits."""
        return _digest(self.data)

    @cached_property
    def decision_hash(self) -> str:
        """The SHA-256 of what the protocol decides: not its words, sources or version."""
        return _digest(_without_words({**self.data, "id": ""}))

    @property
    def name(self) -> str:
        """The id and the version, as they are printed."""
        return f"{self.id} {self.version}"

    @cached_property
    def ledger(self) -> tuple["LedgerEntry", ...]:
        """Every rule and number with its provenance, in the order of the protocol."""
        return tuple(_entries(self))


def _not_listed(data: object, listed: Collection[str], place: str = "") -> Iterator[Fault]:
    """Yield a fault for each source that is cited somewhere in the data and is not listed."""
    match data:
        case {"source": str(source), **rest}:
            at = f"{place}.source"
            for cited in map(str.strip, source.split(",")):
                if cited not in listed and cited not in UNLISTED:
                    near = get_close_matches(cited[:60], listed, 1)
                    fix = "list it among the sources, or cite one of them"
                    if near:
                        fix = f"did you mean {near[0]}? Or list it among the sources"
                    yield Fault(at, f"{describe(cited)} is not among the sources", fix)
            yield from _not_listed(rest, listed, place)
        case dict():
            for key, value in data.items():
                yield from _not_listed(value, listed, f"{place}.{key}" if place else key)
        case list():
            for index, member in enumerate(data):
                id = member.get("id") if isinstance(member, dict) else None
                at = f"[{index}]" if id is None else f".{id}"
                yield from _not_listed(member, listed, f"{place}{at}")


@frozen
class LedgerEntry:
    """A line of the ledger: a rule, a number or a choice, with its value and its provenance."""

    id: str
    words: str
    value: str
    provenance: Provenance


_WORDS = frozenset(
    {
        "provenance",
        "words",
        "title",
        "sources",
        "evidence",
        "unchecked",
        "notes",
        "notices",
        "version",
    }
)
"""The keys of a protocol's data that decide nothing."""


def _without_words(data: object) -> object:
    if isinstance(data, dict):
        return {key: _without_words(data[key]) for key in data if key not in _WORDS}
    return [_without_words(entry) for entry in data] if isinstance(data, list) else data


def _digest(data: object) -> str:
    content = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(content.encode("ascii")).hexdigest()


def data_key(attribute: "Attribute[Any]") -> str:
    """Return the key that a field has in data."""
    return str(attribute.metadata.get("key", attribute.name))


def say(value: object) -> str:
    """Return a value of a protocol for people: "4 weeks", "5 mg once daily", "1/2"."""
    match value:
        case tuple():
            return " to ".join(map(say, value)) if len(value) == 2 else ", ".join(map(say, value))
        case Term():
            return value.label
        case _:
            return str(value)


def _numbers(prefix: str, group: AttrsInstance) -> Iterator[LedgerEntry]:
    for attribute in fields(type(group)):
        value = getattr(group, attribute.name)
        name = f"{prefix}.{attribute.name}"
        if isinstance(value, Sourced):
            unit = attribute.metadata["unit"]
            said = f"{say(value.value)} {unit}".strip()
            yield LedgerEntry(name, attribute.metadata["words"], said, value.provenance)
        elif isinstance(value, CountLimits):
            for entry in _numbers(name, value):
                yield LedgerEntry(
                    entry.id, f"{attribute.name}: {entry.words}", entry.value, entry.provenance
                )


def _entries(protocol: Protocol) -> Iterator[LedgerEntry]:
    for level in protocol.ladder.levels:
        yield LedgerEntry(
            f"ladder.{level.rank}", f"dose level {level.rank}", str(level), level.provenance
        )
    yield from _numbers("intervals", protocol.intervals)
    yield from _numbers("response", protocol.response)
    yield from _numbers("safety", protocol.safety)
    yield LedgerEntry(
        "safety.not_asked",
        "adverse events not asked about",
        "not assessed",
        protocol.safety.not_asked,
    )
    for event in (protocol.safety.positive_test, *protocol.safety.events):
        words = (
            "a positive pregnancy test" if event is protocol.safety.positive_test else event.words
        )
        yield LedgerEntry(
            f"event.{event.id}",
            words,
            f"{event.safety.label}, {event.lasts.label}",
            event.provenance,
        )
    for note in protocol.notes:
        yield LedgerEntry(f"note.{note.id}", note.words, "", note.provenance)
    for row in protocol.table.rules:
        for case in row.cases:
            yield LedgerEntry(
                case_id(row, case), conditions(case), row.action.label, case.provenance
            )


def case_id(row: Rule, case: Case) -> str:
    """Return the ledger id of a case: `rule.persist`, or `rule.begin-taper.2` of two."""
    return f"rule.{row.id}" + (f".{row.cases.index(case) + 1}" if len(row.cases) > 1 else "")


def conditions(case: Case) -> str:
    """Return a case in words: "titration; OK, below the top, due, response none or worse"."""
    said = {name: _said(name, words) for name, words in case.conditions.items()}
    phase = said.pop("phase", "any phase")
    order = ("safety", "position", "timing", "response", "trial")
    rest = ", ".join(said[name] for name in order if name in said)
    return f"{phase}; {rest}" if rest else phase


def _said(name: str, words: tuple[Term, ...]) -> str:
    known = SET_NAMES.get(frozenset(words))
    if known is not None:
        return known
    either = " or ".join(word.label for word in words)
    return (
        either
        if name in ("phase", "timing")
        else f"{'level' if name == 'position' else name} {either}"
    )


def _plain(value: Any) -> object:
    """Return a value of a protocol as plain data; a level is named by its dosage."""
    match value:
        case None | bool() | int() | str():
            return value
        case Term():
            return value.code
        case Decimal():
            return format_decimal(value)
        case Fraction():
            return str(value)
        case Interval():
            return {value.unit.code: value.count}
        case Level():
            return _plain(value.dosage)
        case RuleTable():
            return _plain(value.rules)
        case DoseLadder():
            levels = [
                {"dosage": _plain(level.dosage), "provenance": _plain(level.provenance)}
                for level in value.levels
            ]
            return {"levels": levels, "start": _plain(value.start)}
        case Case():
            when = {name: [word.code for word in words] for name, words in value.conditions.items()}
            return {"when": when, "provenance": _plain(value.provenance)}
        case tuple():
            return [_plain(member) for member in value]
    return {
        part.name: _plain(getattr(value, part.name)) for part in fields(type(value)) if part.init
    }
