"""Protocols drawn at random: any that can be built, whatever it advises; few of them keep the laws.

A table is cut in two again and again until its pieces are the cases, so exactly one case fits every
situation.
"""

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from attrs import evolve, fields
from hypothesis import strategies as st

from lenadose.protocol.builtin import BUILT_IN, get_protocol
from lenadose.protocol.notices import Confidence, Notice, Occasion
from lenadose.protocol.protocol import Intervals, Note, Protocol, Source
from lenadose.protocol.response import ResponseCriteria
from lenadose.protocol.rules import Case, Rule, RuleTable
from lenadose.protocol.safety import CountLimits, EventCriterion, Lasts, SafetyCriteria
from lenadose.record.adverse_event import GRADE
from lenadose.record.event_names import event_name, term_fault
from lenadose.record.event_terms import KNOWN_TERMS, RESOLVABLE, SENSORY_NEUROPATHY
from lenadose.record.visit import ACTIVITY
from lenadose.terms.dosage import MG, Dosage, DoseLadder, Level
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    EvidenceLevel,
    Phase,
    Response,
    Safety,
    Term,
    possible_terms,
)
from lenadose.terms.interval import Interval, Unit
from lenadose.terms.provenance import ASSUMED_BY, Provenance, Sourced
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, Quantity
from lenadose.testing.courses import WORDS, or_missing

T = TypeVar("T")

_MOST_CASES = 24

_names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,11}", fullmatch=True)


@cache
def _listed() -> tuple[Source, ...]:
    """Return the sources that a drawn protocol may cite: those of the built-in tables too."""
    sources = {source.id: source for id in BUILT_IN for source in get_protocol(id).sources}
    return tuple(sources.values())


_sources = st.deferred(lambda: st.sampled_from(_listed()))
_cited = st.lists(_sources, min_size=1, max_size=2).map(
    lambda sources: ", ".join(source.id for source in sources)
)
# A protocol has some fifty of them, and they decide nothing: with one of its own for each number,
# a protocol would take longer to draw than the health checks of Hypothesis allow.
_some_provenances = st.shared(
    st.lists(
        st.builds(Provenance, st.sampled_from(EvidenceLevel), _cited, WORDS)
        | st.builds(Provenance, st.just(EvidenceLevel.ASSUMED), st.just(ASSUMED_BY), WORDS),
        min_size=1,
        max_size=4,
    ),
    key="lenadose.testing.protocols",
)
_provenances = st.builds(
    lambda some, place: some[place % len(some)], _some_provenances, st.integers(0, 3)
)
_notices = st.builds(
    Notice, _names, st.sampled_from(Occasion), WORDS, _cited, st.sampled_from(Confidence)
)
_spans = st.builds(Interval, st.integers(1, 60), st.sampled_from(Unit))


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Draw any protocol that can be built.

    On a busy machine ten of them take longer than the second that Hypothesis allows by default:
    `@settings(deadline=None)` allows 30.
    """
    ladder = draw(_ladders())
    return Protocol(
        id=draw(_names),
        version=draw(WORDS),
        title=draw(WORDS),
        sources=tuple(
            Source(source.id, source.id, draw(WORDS)) for source in draw(st.permutations(_listed()))
        ),
        evidence=draw(WORDS),
        unchecked=tuple(draw(st.lists(WORDS, max_size=2))),
        ladder=ladder,
        intervals=draw(_intervals()),
        response=draw(_response_criteria()),
        safety=draw(_safety_criteria(ladder)),
        notes=draw(_each_named(st.builds(Note, _names, WORDS, _provenances))),
        notices=draw(_each_named(_notices)),
        table=draw(tables()),
    )


@st.composite
def tables(draw: st.DrawFn) -> RuleTable:
    """Draw any decision table: a built-in one with changed actions, or one cut at random."""
    if draw(st.booleans()):
        rows = list(draw(st.sampled_from([get_protocol(id).table.rules for id in BUILT_IN])))
        for index in draw(st.lists(st.integers(0, len(rows) - 1), max_size=3)):
            rows[index] = evolve(rows[index], action=draw(st.sampled_from(Action)))
        return RuleTable(tuple(draw(st.permutations(rows))))
    pieces = [tuple(frozenset[Term](kind) for _, kind in DIMENSIONS)]
    for _ in range(draw(st.integers(0, _MOST_CASES - 1))):
        index = draw(st.integers(0, len(pieces) - 1))
        pieces[index : index + 1] = draw(_halves(pieces[index]))
    rules: list[Rule] = []
    for piece in pieces:
        case = Case(draw(_provenances), *piece)  # type: ignore[arg-type]  # the sets come in the order of the facts
        joins = draw(st.booleans())
        if rules and joins:
            rules[-1] = evolve(rules[-1], cases=(*rules[-1].cases, case))
        else:
            rules.append(Rule(f"row-{len(rules)}", draw(st.sampled_from(Action)), (case,)))
    return RuleTable(tuple(rules))


Piece = tuple[frozenset[Term], ...]
"""The words that a case admits, for each fact."""


@st.composite
def _halves(draw: st.DrawFn, piece: Piece) -> tuple[Piece, ...]:
    """Cut a piece in two by one fact, each part with a possible situation; or leave it whole."""
    fact = draw(st.integers(0, len(DIMENSIONS) - 1))
    words = [word for word in DIMENSIONS[fact][1] if word in piece[fact]]
    first = frozenset(draw(st.sets(st.sampled_from(words))))
    halves = tuple(
        (*piece[:fact], half, *piece[fact + 1 :]) for half in (first, piece[fact] - first)
    )
    return halves if all(map(_is_possible, halves)) else (piece,)


def _is_possible(piece: Piece) -> bool:
    return any(
        all(
            words & known
            for words, known in zip(piece, possible_terms(phase).values(), strict=True)
        )
        for phase in Phase
    )


def _each_named(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw a few, each with an id of its own."""
    return st.lists(strategy, max_size=2, unique_by=lambda each: each.id).map(tuple)


def _sourced(draw: st.DrawFn, strategy: st.SearchStrategy[T]) -> Sourced[T]:
    """Draw a number or another value, with its provenance."""
    return Sourced(draw(strategy), draw(_provenances))


@cache
def _numbers(most: Decimal) -> st.SearchStrategy[Decimal]:
    """Draw a number from 0 as it is written: with up to two decimals, the small ones more often."""
    return st.builds(
        lambda number, scale: min(most, Decimal(number) / scale),
        st.integers(0, 3000),
        st.sampled_from([1, 10, 100]),
    )


@st.composite
def _ladders(draw: st.DrawFn) -> DoseLadder:
    """Draw one to four levels and a start."""
    dosages = draw(
        st.lists(
            st.builds(
                Dosage,
                st.integers(1, 40).map(lambda each: Decimal(each) * Decimal("2.5")),
                st.integers(1, 4),
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda each: each.daily_mg,
        )
    )
    ordered = sorted(dosages, key=lambda each: each.daily_mg)
    levels = tuple(Level(rank, dosage, draw(_provenances)) for rank, dosage in enumerate(ordered))
    return DoseLadder(levels, draw(st.sampled_from(levels)))


@st.composite
def _intervals(draw: st.DrawFn) -> Intervals:
    spans: dict[str, Any] = {each.name: _sourced(draw, _spans) for each in fields(Intervals)}
    visits = draw(st.lists(_spans, max_size=4, unique_by=lambda each: each.usual_days))
    after_the_finish = tuple(sorted(visits, key=lambda each: each.usual_days))
    spans["surveillance"] = Sourced(after_the_finish, draw(_provenances))
    spans["missed_share"] = _sourced(draw, _shares)
    return Intervals(**spans)


_shares = st.builds(Fraction, st.integers(0, 12), st.integers(12, 30)) | st.sampled_from(
    [Fraction(0), Fraction(1)]
)


@st.composite
def _response_criteria(draw: st.DrawFn) -> ResponseCriteria:
    points = st.integers(0, 12) | st.integers(*ACTIVITY)
    return ResponseCriteria(
        complete_at=_sourced(draw, st.just(0) | points),
        mild_below=_sourced(draw, points),
        worse_points=_sourced(draw, points),
        worse_share=_sourced(draw, _shares),
        partial_points=_sourced(draw, points),
        partial_share=_sourced(draw, _shares),
        partial_below=_sourced(draw, points),
        reduction_needs=_sourced(draw, st.sampled_from(Response)),
    )


@st.composite
def _limits(draw: st.DrawFn, quantity: Quantity) -> tuple[Sourced[Decimal], Sourced[Decimal]]:
    """Draw two limits, the graver one first."""
    numbers = _numbers(quantity.largest)
    worse_of, milder = sorted((draw(numbers), draw(numbers)))
    return Sourced(worse_of, draw(_provenances)), Sourced(milder, draw(_provenances))


@st.composite
def _safety_criteria(draw: st.DrawFn, ladder: DoseLadder) -> SafetyCriteria:
    interrupt_below, lowers_below = draw(_limits(CREATININE_CLEARANCE))
    positive = EventCriterion(
        "positive-test",
        draw(_dangers),
        draw(st.sampled_from(Lasts)),
        draw(_provenances),
        terms=RESOLVABLE[:1],
    )
    ages = {
        name: _sourced(draw, _spans)
        for name in (
            "clearance_age",
            "counts_age_early",
            "counts_early",
            "counts_age",
            "second_test_age",
            "test_age_early",
            "tests_early",
            "test_age",
            "test_age_irregular",
            "tests_anew_after",
        )
    }
    first: st.SearchStrategy[Any] = st.tuples(_spans, _spans).map(
        lambda pair: tuple(sorted(pair, key=lambda each: each.usual_days))
    )
    events = st.lists(_event_criteria(), max_size=6, unique_by=lambda each: each.id)
    return SafetyCriteria(
        neutrophils=CountLimits(*draw(_limits(NEUTROPHILS))),
        platelets=CountLimits(*draw(_limits(PLATELETS))),
        neutrophils_same_day_below=_sourced(draw, _numbers(NEUTROPHILS.largest)),
        clearance_interrupt_below=interrupt_below,
        clearance_lowers_below=lowers_below,
        clearance_ceiling=_sourced(draw, st.sampled_from(ladder.levels)),
        first_test=_sourced(draw, first),
        highest_daily_dose=_sourced(draw, st.just(Decimal(MG[1])) | _numbers(Decimal(MG[1]))),
        positive_test=positive,
        not_asked=draw(_provenances),
        events=tuple(each for each in draw(events) if each.id != positive.id),
        same_day_terms=tuple(draw(st.lists(_terms, max_size=2, unique=True))),
        **ages,
    )


_dangers = st.sampled_from([Safety.STOP, Safety.INTERRUPT, Safety.CAUTION])


def _is_recordable(term: str) -> bool:
    return term == event_name(term) and term_fault(term) is None


_terms = st.sampled_from(KNOWN_TERMS) | WORDS.filter(_is_recordable)


@st.composite
def _event_criteria(draw: st.DrawFn) -> EventCriterion:
    """Draw a criterion of adverse events: by term, by grade or by both."""
    lasts = draw(st.sampled_from(Lasts))
    above_start = draw(st.booleans()) and lasts is not Lasts.RESOLVED
    known = st.sampled_from(RESOLVABLE) if lasts is Lasts.RESOLVED else _terms
    terms = draw(
        st.lists(known, min_size=1 if lasts is Lasts.RESOLVED else 0, max_size=3, unique=True)
    )
    grade = draw(st.integers(*GRADE) if not terms else or_missing(st.integers(*GRADE)))
    safety = draw(_dangers)
    return EventCriterion(
        draw(_names),
        safety,
        lasts,
        draw(_provenances),
        terms=(SENSORY_NEUROPATHY,) if above_start else tuple(terms),
        least_grade=grade,
        above_start=above_start,
        harm=safety is Safety.INTERRUPT and draw(st.booleans()),
        voids_tests=lasts is Lasts.RESOLVED and draw(st.booleans()),
    )
