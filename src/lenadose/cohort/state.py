"""The values that the machine works with: named tuples of arrays, one entry for each patient.

In an array of days 0 is no day, in one of levels -1 is no level.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.lookup import NO_SCORE
from lenadose.protocol.protocol import Protocol
from lenadose.terms.facts import Phase

Arrays = TypeVar("Arrays", bound=tuple[object, ...])
"""A named tuple of arrays, or of such tuples."""


MISSING_FIELDS = (
    "adverse_events",
    "pregnancy_tests",
    "neutrophils",
    "platelets",
    "creatinine_clearance",
    "clasi_activity",
)
"""The fields that can be missing. Why one is: 0 for not missing, 1 for absent, 2 for stale."""


class Findings(NamedTuple):
    """The newest results and tests at each visit, whatever was advised; see `carry_forward`.

    `results` are the bands of neutrophils (times 1) and platelets (times 4), and whether clearance
    interrupts (times 16). What is missing is as in `MISSING_FIELDS`; which of the entries for a
    count applies depends on the treatment. `negative_test` is the day of the newest negative test,
    `tested` and `regular` are true of patients who need tests and who have regular cycles.
    `same_day` says that a count calls for a same-day assessment, `new_stop` that an event that
    stops treatment is new.
    """

    results: Ints
    clearance_low: Flags
    count_danger: Flags
    same_day: Flags
    new_stop: Flags
    positive_test: Flags
    neutrophils: Ints
    neutrophils_early: Ints
    platelets: Ints
    platelets_early: Ints
    creatinine_clearance: Ints
    negative_test: Ints
    tested: Flags
    regular: Flags


class Visits(NamedTuple):
    """One visit of each patient; `events`, `judged` and `taken` are numbers of what was reported.

    `judged` is 0 without a judgement, otherwise its rank plus 1; `missed` is -1 where nothing was
    said. `row` is the place of the visit in its block.
    """

    row: Ints
    day: Ints
    activity: Ints
    events: Ints
    judged: Ints
    taken: Ints
    missed: Ints
    stopped: Flags
    findings: Findings


class Treatment(NamedTuple):
    """The phase and the dose with its clocks; `off_ladder` is a dosage that is not a level, or -1.

    `nadir` is `NO_SCORE` where none is known.
    """

    phase: Ints
    level: Ints
    since: Ints
    interval_from: Ints
    watched_from: Ints
    tests_from: Ints
    reviewed: Flags
    days_missed: Ints
    off_ladder: Ints
    nadir: Ints
    no_drug_since: Ints
    interrupted_on: Ints
    ended_on: Ints


class Baseline(NamedTuple):
    """The baseline, at a start or a relapse; `neuropathy` is -1 before the first start."""

    on: Ints
    activity: Ints
    neuropathy: Ints


class PreviousVisit(NamedTuple):
    """The visit before, with the treatment that the patient came with then."""

    on: Ints
    activity: Ints
    advised: Ints
    latest: Ints
    handed_over: Flags
    came_with: Treatment


class State(NamedTuple):
    """All that the next decision needs of the past; `ongoing` are the events that count, as bits.

    The trial of therapy runs from `gain_on`: the last response, or the baseline. Pregnancy tests
    from before `tests_count_from` no longer count.
    """

    treatment: Treatment
    ceiling: Ints
    ongoing: Ints
    baseline: Baseline
    gain_on: Ints
    finished_on: Ints
    tests_count_from: Ints
    previous: PreviousVisit


class Observation(NamedTuple):
    """A visit as observed: the number of its situation, and what it rests on.

    `two_tests`: the two pregnancy tests of a start are required. `same_day`: a same-day assessment
    is due. `unadvised`: drug was taken in a phase without drug.
    """

    situation: Ints
    treatment: Treatment
    ongoing: Ints
    tests_count_from: Ints
    gain_on: Ints
    ceiling: Ints
    due_on: Ints
    missing: Ints
    two_tests: Flags
    same_day: Flags
    unadvised: Flags


class Decisions(NamedTuple):
    """The decision at each visit: its situation, and its advice by the place in `AdviceArrays`.

    `next_visit` are the earliest day, the day due and the latest day, 0 for never. `scheduled` are
    the doses since the visit before, `untreated` patients who are not treated. `missing` has a row
    for each of `MISSING_FIELDS`. `ongoing` and `neuropathy` (at the start) are as of before.
    """

    situation: Ints
    advice: Ints
    next_visit: Ints
    scheduled: Ints
    untreated: Flags
    missing: Ints
    ongoing: Ints
    neuropathy: Ints


def map_arrays(function: Callable[[Any], Any], values: Arrays) -> Arrays:
    """Return a nest of named tuples with a function applied to each array."""
    return type(values)(
        *(
            map_arrays(function, part) if isinstance(part, tuple) else function(part)
            for part in values
        )
    )


def take_rows(values: Arrays, rows: Ints) -> Arrays:
    """Return some rows of each array."""
    return map_arrays(lambda array: array.take(rows), values)  # twice as fast as array[rows]


def choose(condition: Flags, one: Treatment, other: Treatment) -> Treatment:
    """Return one treatment where a condition holds, and another where it does not."""
    pairs = zip(one, other, strict=True)
    return Treatment(*(np.where(condition, this, that) for this, that in pairs))


def begin(protocol: Protocol, count: int) -> State:
    """Return the state of *count* patients before their first visits."""
    none, no_day = np.full(count, -1, np.int32), np.zeros(count, np.int32)
    no_score, no = np.full(count, NO_SCORE, np.int32), np.zeros(count, bool)
    phase = np.full(count, Phase.BEFORE_START.rank, np.int32)
    treatment = Treatment(
        phase,
        none,
        no_day,
        no_day,
        no_day,
        no_day,
        no,
        no_day,
        none,
        no_score,
        no_day,
        no_day,
        no_day,
    )
    return State(
        treatment,
        ceiling=np.full(count, protocol.ladder.top.rank, np.int32),
        ongoing=np.zeros(count, np.int64),
        baseline=Baseline(no_day, no_score, none),
        gain_on=no_day,
        finished_on=no_day,
        tests_count_from=no_day,
        previous=PreviousVisit(no_day, no_score, none, no_day, no, treatment),
    )
