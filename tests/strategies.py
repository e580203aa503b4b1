"""Courses drawn at random: valid by construction, and biased to what moves a patient through every phase."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from lenadose import AdverseEvent, Course, DosageTaken, Judgement, Measurement, Patient, PregnancyTest, Visit
from lenadose.course import CTCAE_EDITIONS, RESOLVABLE, UNGRADED, Antiphospholipid, Judged, TestResult
from patients import DAY0

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(str.strip)
UNKNOWN = ("insomnia", "rash", "Peripheral Sensory Neuropathy ", "diarrhoea")


def maybe(strategy: st.SearchStrategy[Any], often: int = 3) -> st.SearchStrategy[Any]:
    """The value, or now and then None."""
    return st.integers(0, often).flatmap(lambda n: strategy if n else st.none())


patients = st.builds(
    Patient,
    id=maybe(WORDS),
    age=maybe(st.integers(18, 120)),
    able_to_become_pregnant=st.sampled_from([None, True, False, False, False]),
    regular_cycles=maybe(st.booleans()),
    subtype=maybe(st.sampled_from(["discoid", "lupus panniculitis"])),
    antiphospholipid=maybe(st.sampled_from(Antiphospholipid)),
)

events = st.one_of(
    st.builds(AdverseEvent, st.sampled_from(UNKNOWN), st.integers(1, 3), st.sampled_from(CTCAE_EDITIONS)),
    st.builds(
        AdverseEvent, st.sampled_from(UNGRADED), maybe(st.integers(1, 5)), maybe(st.sampled_from(CTCAE_EDITIONS))
    ),
    st.builds(AdverseEvent, st.sampled_from(RESOLVABLE), resolved=st.just(True)),
)


def event_lists() -> st.SearchStrategy[tuple[AdverseEvent, ...]]:
    """Mostly no event at all; never one event both present and resolved."""
    some = st.lists(events, min_size=1, max_size=3, unique_by=lambda each: each.name).map(tuple)
    return st.integers(0, 5).flatmap(lambda n: some if n == 0 else st.just(()))


def counts(low: float, danger: float, caution: float, well: float) -> st.SearchStrategy[Any]:
    return st.sampled_from([low, danger, caution, well, well, well, well])


@st.composite
def visits(draw: st.DrawFn, day: date, days: int, first: bool) -> Visit:
    """A visit on a day, so many days after the one before."""

    def when() -> date | None:
        return draw(st.one_of(st.none(), st.none(), st.integers(0, 40).map(lambda age: day - timedelta(days=age))))

    def result(values: st.SearchStrategy[Any], unit: str) -> Any:
        return maybe(values.map(lambda value: Measurement(value, unit, when())), often=9)

    taken: DosageTaken | None = None
    missed: int | None = None
    if not first:
        dosages = [(5, 2), (5, 1), (10, 1), (0, None), (7.5, 1)]
        chosen = draw(st.sampled_from([None] * 12 + dosages))
        taken = DosageTaken(*chosen) if chosen else None
        if taken is not None and taken.dosage is not None:
            missed = draw(maybe(st.integers(0, -(-days // taken.dosage.every_days)), often=1))
    tests = st.one_of(
        st.just((PregnancyTest(TestResult.NEGATIVE, day - timedelta(days=12)), PregnancyTest(TestResult.NEGATIVE))),
        st.lists(st.builds(PregnancyTest, st.just(TestResult.NEGATIVE), st.just(None)), max_size=1).map(tuple),
        st.just((PregnancyTest(TestResult.POSITIVE, day),)),
    )
    return Visit(
        day,
        clasi_activity=draw(maybe(st.sampled_from([0, 0, 1, 3, 4, 5, 7, 8, 9, 11, 11, 14, 20, 70]), often=9)),
        clasi_damage=draw(maybe(st.integers(0, 56))),
        neutrophils=draw(result(counts(0.4, 0.999, 1.0, 3), "10*9/L")),
        platelets=draw(result(counts(20, 49, 50, 240), "10*3/uL")),
        creatinine_clearance=draw(result(st.sampled_from([29, 30, 59, 60, 95, 95, 95]), "mL/min")),
        pregnancy_tests=draw(maybe(tests)),
        adverse_events=draw(maybe(event_lists(), often=9)),
        dosage_taken=taken,
        doses_missed=missed,
        judgement=draw(st.sampled_from([None] * 6 + [Judgement(each, "seen") for each in Judged])),
    )


@st.composite
def courses(draw: st.DrawFn, longest: int = 8) -> Course:
    """A course of one visit or more."""
    day, shown = DAY0, []
    for index in range(draw(st.integers(1, longest))):
        days = draw(st.sampled_from([28, 28, 28, 28, 31, 7, 7, 27, 29, 1, 57, 90, 200])) if index else 0
        day += timedelta(days=days)
        shown.append(draw(visits(day, days, index == 0)))
    return Course(tuple(shown), draw(maybe(patients)), draw(st.sampled_from([None, "cortes-hernandez-2012"])))
