"""Random cohorts, large and fast: patients who respond, relapse, are harmed, miss doses and visits.

The patients are invented. They go through every phase and show what the rules distinguish, so every
row of a protocol applies somewhere; needs `lenadose[cohort,testing]`.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from lenadose.cohort import decide
from lenadose.protocol.protocol import Protocol
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.course import Course
from lenadose.record.measurement import Measurement
from lenadose.record.visit import (
    DosageTaken,
    JudgedResponse,
    Judgement,
    Patient,
    PregnancyTest,
    TestResult,
    Visit,
)

_PART = 1_000_000
_EPOCH = dt.date(1970, 1, 1)

# Term, grade, resolved, and how often.
_EVENTS: tuple[tuple[str, int | None, bool | None, float], ...] = (
    ("insomnia", 1, None, 30),
    ("fatigue", 2, None, 14),
    ("rash", 2, None, 5),
    ("rash", 3, None, 4),
    ("rash", 4, None, 0.6),
    ("peripheral sensory neuropathy", 1, None, 6),
    ("peripheral sensory neuropathy", 2, None, 4),
    ("peripheral sensory neuropathy", 3, None, 2),
    ("Diarrhoea", 3, None, 5),
    ("dizziness", 4, None, 0.6),
    ("missed period", None, None, 2),
    ("missed period", None, True, 3),
    ("abnormal vaginal bleeding", None, None, 1),
    ("abnormal vaginal bleeding", None, True, 2),
    ("pregnancy", None, None, 0.3),
    ("pregnancy", None, True, 1),
    ("venous thromboembolism", None, None, 0.4),
    ("suspected thromboembolism", None, None, 1.5),
    ("suspected thromboembolism", None, True, 2),
    ("alanine aminotransferase increased", 2, None, 2),
    ("angioedema", None, None, 0.3),
    ("febrile neutropenia", None, None, 1),
    ("systemic lupus flare", None, None, 2),
)
_TAKEN = ((5.0, 1), (10.0, 1), (5.0, 2), (0.0, None), (7.5, 1))
_GAPS = np.array([28, 28, 28, 28, 28, 28, 31, 30, 7, 7, 14, 35, 56, 91, 1, 200])


def cohort(visits: int, seed: int = 0, protocol: Protocol | None = None) -> pa.Table:
    """A cohort of so many visits, the same for the same seed; every visit can be decided."""
    parts = [
        _part(np.random.default_rng([seed, first]), min(_PART, visits - first), first, protocol)
        for first in range(0, visits, _PART)
    ]
    return pa.concat_tables(parts).combine_chunks()


def _part(rng: np.random.Generator, count: int, first: int, protocol: Protocol | None) -> pa.Table:
    """So many visits of patients, numbered from *first*."""
    longest = rng.integers(1, 25, count)
    ends = np.cumsum(longest)
    people = int(np.searchsorted(ends, count)) + 1
    counts = longest[:people].copy()
    counts[-1] -= ends[people - 1] - count
    patient = np.repeat(np.arange(people), counts)
    number = np.arange(count) - np.repeat(np.cumsum(counts) - counts, counts)

    def some(share: float) -> Any:
        return rng.random(count) < share

    gap = np.where(number == 0, 0, _GAPS[rng.integers(0, len(_GAPS), count)])
    total = np.cumsum(gap)
    begin = rng.integers(12_000, 20_000, people)
    day = (begin[patient] + total - total[number == 0][patient]).astype(np.int32)

    able = rng.choice([1, 0, -1], people, p=[0.4, 0.5, 0.1])[patient]
    regular = rng.choice([1, 0, -1], people, p=[0.7, 0.2, 0.1])[patient]
    columns: dict[str, Any] = {
        "patient": patient + first,
        "date": pa.array(day).cast(pa.date32()),
        "clasi_activity": _scores(rng, patient, number, people, some),
        **_results(
            rng,
            "neutrophils",
            day,
            _counts(rng, patient, people, some),
            some,
            0.03,
            ("10*9/L", "/uL"),
        ),
        **_results(
            rng,
            "platelets",
            day,
            _platelets(rng, patient, people, some),
            some,
            0.03,
            ("10*9/L", "10*3/uL"),
        ),
        **_results(
            rng,
            "creatinine_clearance",
            day,
            _clearances(rng, patient, people),
            some,
            0.3,
            ("mL/min",),
        ),
        "pregnancy_tests": _tests(rng, day, number, able, some),
        "adverse_events": _events(rng, some),
    }
    taken = np.where(some(0.06) & (number > 0), rng.integers(0, len(_TAKEN), count), -1)
    columns["dosage_taken_mg"] = _looked_up([mg for mg, _ in _TAKEN], taken, pa.float64())
    columns["dosage_taken_every_days"] = _looked_up(
        [often for _, often in _TAKEN], taken, pa.int64()
    )
    judged = np.where(some(0.05), rng.integers(0, len(JudgedResponse), count), -1)
    columns["judgement"] = _coded([response.label for response in JudgedResponse], judged)
    columns["judgement_reason"] = _coded(["as seen by the clinician"], np.minimum(judged, 0))
    columns["able_to_become_pregnant"] = pa.array(able > 0, mask=able < 0)
    columns["regular_cycles"] = pa.array(regular > 0, mask=regular < 0)
    missed = np.where(some(0.1) & (number > 0), np.minimum(rng.geometric(0.25, count), gap), 0)
    missed = np.where((missed > 0) | some(0.5), missed, -1)
    stopped = np.where(some(0.01), 0, -1)
    # Where no drug was advised, more doses may be missed than scheduled: there none is missed. Nor
    # can treatment be ended where there is none.
    while True:
        changing = {
            "doses_missed": pa.array(missed, mask=missed < 0),
            "stopped": _coded(["wish of the patient"], stopped),
        }
        table = pa.table({**columns, **changing})
        refused = decide(table, protocol).column("refused").is_valid().to_numpy()
        if not refused.any():
            return table
        first = np.flatnonzero(refused)[np.unique(patient[refused], return_index=True)[1]]
        missed[first] = stopped[first] = -1


def _scores(
    rng: np.random.Generator, patient: Any, number: Any, people: int, some: Any
) -> pa.Array:
    """CLASI activity: some clear and relapse, some improve, some do not, some get worse."""
    start = rng.integers(3, 40, people)[patient]
    kind = rng.choice(4, people, p=[0.5, 0.2, 0.2, 0.1])[patient]
    clears = rng.integers(1, 7, people)[patient]
    share = np.select(
        [kind == 0, kind == 1, kind == 2],
        [np.maximum(0, 1 - number / clears), np.maximum(0.5, 1 - 0.15 * number), 1.0],
        1 + 0.08 * number,
    )
    noise = np.where((share == 0) | (number == 0), 0, rng.integers(-2, 3, len(number)))
    relapse = some(0.12) & (number > 1)
    score = np.where(relapse, start * rng.random(len(number)) * 1.4, start * share + noise)
    return pa.array(np.clip(score, 0, 70).astype(np.int64), mask=some(0.05))


def _counts(rng: np.random.Generator, patient: Any, people: int, some: Any) -> Any:
    usual = rng.normal(3.4, 0.7, people)[patient] + rng.normal(0, 0.4, len(patient))
    low = rng.random(len(patient)) * 1.5
    return np.round(np.where(some(0.05), low, np.clip(usual, 1.5, 20)), 2)


def _platelets(rng: np.random.Generator, patient: Any, people: int, some: Any) -> Any:
    usual = rng.normal(240, 45, people)[patient] + rng.normal(0, 15, len(patient))
    return np.round(np.where(some(0.02), rng.random(len(patient)) * 90, np.clip(usual, 75, 900)))


def _clearances(rng: np.random.Generator, patient: Any, people: int) -> Any:
    usual = np.where(
        rng.random(people) < 0.2, rng.normal(48, 10, people), rng.normal(95, 12, people)
    )
    return np.round(np.clip(usual[patient] + rng.normal(0, 4, len(patient)), 5, 200))


def _results(
    rng: np.random.Generator,
    name: str,
    day: Any,
    values: Any,
    some: Any,
    missing: float,
    units: tuple[str, ...],
) -> dict[str, Any]:
    unit = (
        rng.choice(len(units), len(day), p=[0.95, 0.05])
        if len(units) == 2
        else np.zeros(len(day), np.int64)
    )
    if "/uL" in units:
        values = np.where(unit == units.index("/uL"), np.round(values * 1000), values)
    gone = some(missing)
    age = np.where(
        some(0.2),
        rng.integers(1, 5, len(day)),
        np.where(some(0.02), rng.integers(5, 60, len(day)), 0),
    )
    return {
        name: pa.array(values, mask=gone),
        f"{name}_unit": _coded(units, np.where(gone, -1, unit)),
        f"{name}_date": pa.array((day - age).astype(np.int32), mask=gone | (age == 0)).cast(
            pa.date32()
        ),
    }


def _tests(rng: np.random.Generator, day: Any, number: Any, able: Any, some: Any) -> pa.Array:
    """Pregnancy tests: one at most visits, a second one before a start, seldom a positive one."""
    count = len(day)
    now = (able != 0) & some(0.93)
    before = (able != 0) & some(0.95) & ((number == 0) | some(0.08))
    lengths = now.astype(np.int32) + before
    rows = np.repeat(np.arange(count), lengths)
    # The first of two is the one from before the visit.
    first = np.append(True, rows[1:] != rows[:-1]) if len(rows) else np.zeros(0, bool)
    early = first & before[rows]
    age = np.where(
        early, rng.integers(9, 16, len(rows)), np.where(rng.random(len(rows)) < 0.1, 1, 0)
    )
    entries = pa.StructArray.from_arrays(
        [
            _coded(
                [result.label for result in TestResult],
                (rng.random(len(rows)) < 0.002).astype(np.int64),
            ),
            pa.array((day[rows] - age).astype(np.int32), mask=age == 0).cast(pa.date32()),
        ],
        ["result", "date"],
    )
    return _listed(lengths, entries, (able == 0) | some(0.01))


def _events(rng: np.random.Generator, some: Any) -> pa.Array:
    asked = ~some(0.04)
    lengths = np.where(asked & some(0.12), 1, 0) + np.where(asked & some(0.01), 1, 0)
    often = np.array([weight for *_, weight in _EVENTS])
    kinds = rng.choice(len(_EVENTS), int(lengths.sum()), p=often / often.sum())
    # An event is not both present and resolved: of two at a visit, the first is like the second.
    ends = np.cumsum(lengths)[lengths == 2]
    kinds[ends - 1] = kinds[ends - 2]
    entries = pa.StructArray.from_arrays(
        [
            _coded([term for term, *_ in _EVENTS], kinds),
            _looked_up([grade for _, grade, *_ in _EVENTS], kinds, pa.int64()),
            _coded(
                ["5.0"],
                np.where(np.array([grade is None for _, grade, *_ in _EVENTS])[kinds], -1, 0),
            ),
            _looked_up([resolved for *_, resolved, _ in _EVENTS], kinds, pa.bool_()),
        ],
        ["term", "grade", "ctcae", "resolved"],
    )
    return _listed(lengths, entries, ~asked)


def _listed(lengths: Any, entries: pa.Array, missing: Any) -> pa.Array:
    offsets = pa.array(
        np.append(0, np.cumsum(lengths)).astype(np.int32),
        mask=np.append(missing & (lengths == 0), False),
    )
    return pa.ListArray.from_arrays(offsets, entries)


def _coded(words: Any, numbers: Any) -> pa.Array:
    """Words by their numbers, missing for -1."""
    return pa.DictionaryArray.from_arrays(
        pa.array(numbers.astype(np.int8), mask=numbers < 0), pa.array(list(words))
    )


def _looked_up(values: Any, numbers: Any, kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind).take(pa.array(numbers, mask=numbers < 0))


# As records


def records(table: pa.Table) -> Iterator[Course]:
    """The courses of a random cohort, one for each patient, in order."""
    visits: list[Visit] = []
    last: Any = None
    for batch in table.to_batches(max_chunksize=20_000):
        for row in batch.to_pylist():
            if visits and row["patient"] != last["patient"]:
                yield _course(visits, last)
                visits = []
            visits.append(_visit(row))
            last = row
    if visits:
        yield _course(visits, last)


def _course(visits: list[Visit], row: Any) -> Course:
    patient = Patient(
        able_to_become_pregnant=row["able_to_become_pregnant"], regular_cycles=row["regular_cycles"]
    )
    return Course(tuple(visits), patient)


def _visit(row: Any) -> Visit:
    def measured(name: str) -> Measurement | None:
        value = row[name]
        return (
            None if value is None else Measurement(value, row[f"{name}_unit"], row[f"{name}_date"])
        )

    tests, events, mg = row["pregnancy_tests"], row["adverse_events"], row["dosage_taken_mg"]
    judged = row["judgement"]
    return Visit(
        row["date"],
        clasi_activity=row["clasi_activity"],
        neutrophils=measured("neutrophils"),
        platelets=measured("platelets"),
        creatinine_clearance=measured("creatinine_clearance"),
        pregnancy_tests=None if tests is None else tuple(PregnancyTest(**test) for test in tests),
        adverse_events=None if events is None else tuple(AdverseEvent(**event) for event in events),
        dosage_taken=None if mg is None else DosageTaken(mg, row["dosage_taken_every_days"]),
        doses_missed=row["doses_missed"],
        stopped=row["stopped"],
        judgement=None if judged is None else Judgement(judged, row["judgement_reason"]),
    )
