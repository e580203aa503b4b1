"""Strategies for patients, visits and courses: valid by construction, biased to movement.

A visit is mostly well, often shows one of the protocol's own dangers, and now and then anything
that can be recorded. A course is walked while it is drawn, so that it keeps to what was advised: it
is accepted under its protocol.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import product
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import evolve, frozen
from hypothesis import assume
from hypothesis import strategies as st

from lenadose.engine.machine import step
from lenadose.engine.observe import Observation, interval_end, observe
from lenadose.engine.state import State, begin
from lenadose.protocol.builtin import BUILT_IN, get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.adverse_event import CTCAE_EDITIONS, GRADE, AdverseEvent
from lenadose.record.course import Course, doses_between
from lenadose.record.event_names import term_fault
from lenadose.record.event_terms import KNOWN_TERMS, RESOLVABLE, UNGRADED
from lenadose.record.fields import YEARS
from lenadose.record.measurement import Measurement, measured_in
from lenadose.record.visit import (
    ACTIVITY,
    AGE,
    DAMAGE,
    Antiphospholipid,
    DosageTaken,
    JudgedResponse,
    Judgement,
    Patient,
    PregnancyTest,
    TestResult,
    Visit,
)
from lenadose.terms.dosage import EVERY_DAYS, MG
from lenadose.terms.facts import (
    DIMENSIONS,
    ON_TREATMENT,
    TREATED,
    Facts,
    Phase,
    Response,
    Safety,
    possible_terms,
)
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, Quantity
from lenadose.verification.explore import gap_days
from lenadose.verification.places import DAY0
from lenadose.verification.scenarios import Change, Scenarios, scenarios

T = TypeVar("T")

# Text with a line break, a bar or a character that cannot be shown has its own tests.
WORDS = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["C", "Mn", "Zl", "Zp"],
        exclude_characters="|\u115f\u1160\u2800\u3164\uffa0",
    ),
    min_size=1,
    max_size=12,
).filter(str.strip)
"""Words as a record and a protocol accept them."""

_EARLIEST, _LATEST = date(YEARS[0], 1, 1), date(YEARS[1], 12, 31)


@cache
def one_in(number: int) -> st.SearchStrategy[bool]:
    """Draw True one time in *number*; the simplest value is False."""
    return st.integers(1, number).map(lambda drawn: drawn == number)


@st.composite
def or_missing(draw: st.DrawFn, strategy: st.SearchStrategy[T]) -> T | None:
    """Draw from a strategy, or a quarter of the time None."""
    return draw(strategy) if draw(_QUARTERS) else None


_QUARTERS = st.integers(0, 3)


def facts() -> st.SearchStrategy[Facts]:
    """Draw any possible situation."""
    return st.sampled_from(_situations())


@cache
def _situations() -> tuple[Facts, ...]:
    ranks = [{word: word.rank for word in kind} for _, kind in DIMENSIONS]
    return tuple(
        Facts(*situation)  # type: ignore[arg-type]  # the words come in the order of the facts
        for phase in Phase
        for situation in product(
            *(
                sorted(words, key=rank.__getitem__)
                for words, rank in zip(possible_terms(phase).values(), ranks, strict=True)
            )
        )
    )


def patients() -> st.SearchStrategy[Patient]:
    """Draw any patient, of whom anything may be unknown."""
    return st.builds(
        Patient,
        id=or_missing(WORDS | st.just("")),
        age=or_missing(st.integers(*AGE)),
        able_to_become_pregnant=st.sampled_from([None, False, False, True]),
        regular_cycles=or_missing(st.booleans()),
        subtype=or_missing(WORDS),
        antiphospholipid=or_missing(st.sampled_from(Antiphospholipid)),
    )


def visits(
    protocol: Protocol | None = None, after: State | None = None
) -> st.SearchStrategy[Visit]:
    """Draw any visit that can follow a state; without a state, any first visit."""
    protocol = protocol or get_protocol()
    return visit_after(stock_of(protocol), after or begin(protocol))


def courses(protocol: Protocol | None = None, longest: int = 8) -> st.SearchStrategy[Course]:
    """Draw any course of up to so many visits that is valid under a protocol.

    Without one it is valid under the built-in protocol that it names, as `replay(course)` takes it.
    """
    if protocol is None:
        return st.one_of([courses(get_protocol(id), longest) for id in BUILT_IN])
    stock = stock_of(protocol)

    @st.composite
    def course(draw: st.DrawFn) -> Course:
        patient = draw(or_missing(patients()))
        state, shown = begin(protocol, patient), list[Visit]()
        for _ in range(draw(st.integers(1, longest) | st.just(longest))):
            visit = draw(visit_after(stock, state))
            shown.append(visit)
            _, state = step(protocol, state, visit)
            if state.treatment.phase is Phase.DISCONTINUED and draw(st.integers(0, 2)):
                break
        # A course that names no protocol is read by the default one.
        named = (
            draw(st.sampled_from([protocol.id, None]))
            if protocol is get_protocol()
            else protocol.id
        )
        return Course(tuple(shown), patient, named)

    return course()


@frozen(eq=False)
class Stock:
    """The strategies that the visits under a protocol are drawn from."""

    scenarios: Scenarios
    changes: st.SearchStrategy[Change]
    taken: st.SearchStrategy[DosageTaken]


def stock_of(protocol: Protocol) -> Stock:
    """Collect the strategies; dangers that count for good are rarer than others."""
    shows = scenarios(protocol)
    kinds: dict[Safety, list[Change]] = {each: [] for each in reversed(Safety)}
    for (safety, _, _), changes in shows.changes.items():
        kinds[safety] += changes
    often = [
        st.sampled_from(changes)
        for safety, changes in kinds.items()
        if changes
        for _ in range(_OFTEN[safety])
    ]
    return Stock(shows, st.sampled_from(often).flatmap(lambda each: each), _dosages_taken(protocol))


_OFTEN = MappingProxyType(
    {
        Safety.ACCEPTABLE: 2,
        Safety.CAUTION: 4,
        Safety.NOT_ASSESSED: 2,
        Safety.INTERRUPT: 4,
        Safety.STOP: 1,
    }
)


@st.composite
def visit_after(draw: st.DrawFn, stock: Stock, state: State) -> Visit:
    """Draw any visit that can follow a state, mostly at the thresholds of a protocol."""
    protocol, last = stock.scenarios.protocol, state.previous
    taken, missed = None, None
    if last is None:
        day = draw(_any_first_day) if draw(one_in(4)) else DAY0
    else:
        assume(last.on < _LATEST)
        day = (
            draw(_any_day_after(last.on))
            if draw(one_in(4))
            else draw(st.sampled_from(_likely_days(protocol, state)))
        )
        taken = draw(stock.taken) if draw(one_in(8)) else None
    seen = observe(protocol, state, Visit(day, dosage_taken=taken))
    if last is not None and draw(one_in(4)):
        dosage = (taken.dosage if taken else None) or (
            last.advised.dosage if last.advised else None
        )
        most = doses_between(last.on, day, dosage)
        missed = draw(st.integers(0, most) | st.sampled_from([most // 5, min(most, most // 5 + 1)]))
        seen = observe(protocol, state, Visit(day, dosage_taken=taken, doses_missed=missed))
    well: Change = {
        **stock.scenarios.well,
        "clasi_activity": None if draw(one_in(12)) else draw(_scores(seen)),
    }
    # Before a start nothing happens while the patient is not well: there that is more seldom.
    change = draw(stock.changes) if draw(one_in(4 if state.baseline else 10)) else {}
    usual = stock.scenarios.visit(seen, {**well, **change})
    if seen.phase in TREATED and draw(one_in(30)):
        usual = evolve(usual, stopped=draw(WORDS))
    # At most visits nothing else is shown, at some one field is anything, at a few all are.
    loose = draw(_loose)
    return (
        evolve(usual, **{field: draw(_anything(day)[field]) for field in loose}) if loose else usual
    )


_any_first_day = st.dates(date(1990, 1, 1), date(2050, 12, 31))


def _any_day_after(day: date) -> st.SearchStrategy[date]:
    longest = min(400, (_LATEST - day).days)
    return st.integers(1, longest).map(lambda days: day + timedelta(days=days))


def _likely_days(protocol: Protocol, state: State) -> list[date]:
    """Return the days after the visit before on which it is due or a clock changes."""
    assert state.previous is not None
    tomorrow = state.previous.on + timedelta(days=1)
    longest = min(tomorrow + timedelta(days=400), _LATEST)
    planned = state.previous.next_visit
    due = planned.due if planned else tomorrow + timedelta(days=27)
    clocks = [
        day
        for change in _clocks(protocol, state)
        for day in (change, change, change - timedelta(days=1))
    ]
    return [day for day in (due, due, tomorrow, *clocks) if tomorrow <= day <= longest] or [
        tomorrow
    ]


def _clocks(protocol: Protocol, state: State) -> Iterator[date]:
    """Yield the days on which the interval, the trial, a gap or the time to resume is over."""
    dose, start = state.treatment.dose, state.baseline
    if dose is None or start is None:
        return
    intervals = protocol.intervals
    if state.treatment.phase in ON_TREATMENT:
        yield interval_end(protocol, state.treatment.phase, dose)
        gain = intervals.trial.value.after(state.treatment.responded_on or start.on)
        yield max(gain, intervals.trial_at_level.value.after(dose.since))
        yield from (day + timedelta(days=1) for day in gap_days(protocol, state))
    if state.treatment.interrupted_on is not None:
        yield intervals.resumable.value.after(state.treatment.interrupted_on) + timedelta(days=1)


def _scores(seen: Observation) -> st.SearchStrategy[int]:
    """Draw a score: each response about as often as the others, and often at its edges."""
    start = seen.baseline.activity if seen.baseline else None
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
    scores: dict[Response, list[int]] = {}
    for score in range(ACTIVITY[0], ACTIVITY[1] + 1):
        shown = seen.protocol.response.of(seen.phase, score, start, nadir, None)
        scores.setdefault(shown, []).append(score)
    each = [st.sampled_from([found[0], found[-1], *found]) for found in scores.values()]
    return (
        st.one_of(each)
        if start is not None
        else st.one_of([st.sampled_from([11, 20, 9, 4]), *each])
    )


def _dosages_taken(protocol: Protocol) -> st.SearchStrategy[DosageTaken]:
    """Draw a dosage taken: a level of the ladder, nothing at all, or any other dosage."""
    levels = [
        DosageTaken(each.dosage.mg, each.dosage.every_days) for each in protocol.ladder.levels
    ]
    often = st.integers(*EVERY_DAYS)
    return st.one_of(
        st.sampled_from(levels),
        st.builds(DosageTaken, st.just(Decimal(0)), st.none() | often),
        st.builds(DosageTaken, _amounts(Decimal(MG[1])), st.sampled_from([1, 2]) | often),
    )


def _amounts(largest: Decimal) -> st.SearchStrategy[Decimal]:
    """Draw an amount above 0, as it is written: with up to three decimals."""
    return st.integers(1, int(largest * 1000)).map(lambda thousandths: Decimal(thousandths) / 1000)


def _days_before(day: date) -> st.SearchStrategy[date | None]:
    """Draw a day of a result: that of the visit, said or not, or one of the year before it."""
    days = st.integers(0, 40) | st.integers(0, 400)
    return st.none() | days.map(lambda age: max(day - timedelta(days=age), _EARLIEST))


def _measurements(quantity: Quantity, day: date) -> st.SearchStrategy[Measurement]:
    """Draw any value that a patient can have, in any unit."""

    def written(amount: Decimal, unit: str, on: date | None) -> Measurement:
        return evolve(measured_in(quantity, amount, unit), date=on)

    # Small values are where the limits are.
    amounts = (
        _amounts(Decimal(3))
        | _amounts(min(quantity.largest, Decimal(100)))
        | _amounts(quantity.largest)
    )
    return st.builds(
        written,
        amounts | st.just(Decimal(0)),
        st.sampled_from([*quantity.factors]),
        _days_before(day),
    )


def _is_other_term(term: str) -> bool:
    return term_fault(term) is None and term.strip().lower() not in UNGRADED


def _as_written(term: str) -> st.SearchStrategy[str]:
    """Draw a term in small or large letters, with blanks around it or not."""
    return st.sampled_from([term, term.capitalize(), term.upper(), f" {term} "])


_editions = st.sampled_from(CTCAE_EDITIONS)
_grades = st.integers(*GRADE)
_other_terms = st.one_of(
    st.sampled_from(
        ["insomnia", "fatigue", *(each for each in KNOWN_TERMS if each not in UNGRADED)]
    ).flatmap(_as_written),
    WORDS.filter(_is_other_term),
)
_events = st.one_of(
    st.builds(AdverseEvent, _other_terms, _grades, _editions, st.sampled_from([None, False])),
    st.builds(
        AdverseEvent,
        st.sampled_from(UNGRADED).flatmap(_as_written),
        or_missing(_grades),
        or_missing(_editions),
        st.sampled_from([None, False]),
    ),
    st.builds(
        AdverseEvent,
        st.sampled_from(RESOLVABLE).flatmap(_as_written),
        or_missing(_grades),
        or_missing(_editions),
        st.just(True),
    ),
)


def _without_contradiction(events: list[AdverseEvent]) -> tuple[AdverseEvent, ...]:
    """Leave out what is listed both as present and as resolved; resolved is kept."""
    over = {each.name for each in events if each.resolved}
    return tuple(each for each in events if each.resolved or each.name not in over)


def _tests(day: date) -> st.SearchStrategy[tuple[PregnancyTest, ...]]:
    return st.lists(
        st.builds(PregnancyTest, st.sampled_from(TestResult), _days_before(day)), max_size=3
    ).map(tuple)


@lru_cache(maxsize=1024)
def _anything(day: date) -> dict[str, st.SearchStrategy[Any]]:
    """Return for each field of a visit all that can be recorded on a day, missing included."""
    return {
        "clasi_activity": or_missing(st.integers(*ACTIVITY)),
        "adverse_events": or_missing(st.lists(_events, max_size=3).map(_without_contradiction)),
        "pregnancy_tests": or_missing(_tests(day)),
        "neutrophils": or_missing(_measurements(NEUTROPHILS, day)),
        "platelets": or_missing(_measurements(PLATELETS, day)),
        "creatinine_clearance": or_missing(_measurements(CREATININE_CLEARANCE, day)),
        "clasi_damage": or_missing(st.integers(*DAMAGE)),
        "judgement": or_missing(st.builds(Judgement, st.sampled_from(JudgedResponse), WORDS)),
    }


_loose = st.sampled_from(
    [()] * 12 + [(field,) for field in _anything(DAY0)] + [tuple(_anything(DAY0))]
)
