"""What is known at each visit whatever was advised before: the newest results and tests, and which are too old.

Worked out for all visits of a block at once and put into one number for each, so that the steps from visit to visit
carry only what depends on a decision.
"""

from typing import Any, NamedTuple

import numpy as np

from lenadose.cohort.lookup import DANGER, FIRST_DAY, LOW, Flags, Ints, ProtocolArrays
from lenadose.cohort.machine import (
    CLEARANCE_LOW,
    COUNT_DANGER,
    COUNT_GAPS,
    POSITIVE,
    TEST_GAPS,
    Lists,
    first_within,
    where,
)

_Small = Any
"""Arrays of numbers from 0 to 255."""


class Results(NamedTuple):
    """What each visit showed that is known later on, a result by its day and band; see `packed`."""

    day: Ints
    neutrophils: Ints
    platelets: Ints
    clearance: Ints
    negative_test: Ints
    positive_test: Ints
    first_test: Flags
    """Whether a negative test known by now was done in the days before a start when the first one is asked for."""
    events: Ints


def carry_forward(
    packed: ProtocolArrays,
    lists: Lists,
    results: Results,
    patient: Ints,
    tested: Flags,
    regular: Flags,
) -> Ints:
    """Give what is known at visits that lie patient by patient, as one number each; see `stepping.COUNT_DANGER`.

    `tested` are the visits of patients who need pregnancy tests, `regular` those of patients with regular cycles.
    """
    place, day = patient.astype(np.int64) << 32, np.maximum(results.day, FIRST_DAY)
    counts = [_newest(place, each) for each in (results.neutrophils, results.platelets)]
    clearance = _newest(place, results.clearance)
    neutrophil_band, platelet_band, clearance_band = (
        _small(each & 3) for each in (*counts, clearance)
    )
    seen = neutrophil_band | platelet_band << 2 | _bit(clearance_band == DANGER, 4)
    seen |= _bit(clearance_band >= LOW, CLEARANCE_LOW)
    seen |= _bit((neutrophil_band == DANGER) | (platelet_band == DANGER), COUNT_DANGER)
    seen |= _bit(_positive(lists, place, results), POSITIVE)
    count_gaps = [
        _gap(each, first_within(age, day))
        for age in (packed.counts_age, packed.counts_age_early)
        for each in counts
    ]
    others = _gap(clearance, first_within(packed.clearance_age, day)) << 6
    if tested.any():
        negative = _newest(place, results.negative_test)
        others |= _tests(packed, day, negative, results.first_test, regular) * tested
    return (
        seen
        | _side_by_side(count_gaps).astype(np.int32) << COUNT_GAPS
        | others.astype(np.int32) << TEST_GAPS
    )


def _newest(place: Any, results: Ints) -> Ints:
    """Give the newest result of each patient until each visit."""
    return np.maximum.accumulate(place | results).astype(np.int32)


def _small(numbers: Ints) -> _Small:
    return numbers.astype(np.uint8)


def _bit(condition: Flags, shift: int) -> _Small:
    return condition.view(np.uint8) << shift


def _side_by_side(gaps: list[_Small]) -> _Small:
    """Put gaps into one number, two bits for each."""
    return sum(gap << 2 * index for index, gap in enumerate(gaps))


def _gap(result: Ints, first_fresh: Ints) -> _Small:
    """Tell why a result is missing, 1 for absent and 2 for stale; a danger counts however old it is."""
    missing = (result < first_fresh << 2) & ((result & 3) != DANGER)
    return missing.view(np.uint8) << (result > 0)


def _tests(
    packed: ProtocolArrays, day: Ints, negative: Ints, first_test: Flags, regular: Flags
) -> _Small:
    """Tell why a pregnancy test is missing: at a usual visit, early in a course, before a start."""
    usual = where(
        regular, first_within(packed.test_age, day), first_within(packed.test_age_irregular, day)
    )
    early, second = (
        first_within(packed.test_age_early, day),
        first_within(packed.second_test_age, day),
    )
    known = negative > 0

    def gap(missing: Flags, stale: Flags) -> _Small:
        return missing.view(np.uint8) << (stale & known)

    # Stale is a test that was done and is too old; the first of two that was never done is absent.
    old = negative < second
    return _side_by_side(
        [
            *(gap(each, each) for each in (negative < usual, negative < early)),
            gap(old | ~first_test, old),
        ]
    )


def _positive(lists: Lists, place: Any, results: Results) -> Flags:
    """Tell at which visits a positive test counts: one that was done since a pregnancy was last reported ended."""
    found = results.positive_test > 0
    if found.any():
        ended = _newest(place, results.day * lists.ends_pregnancy.take(results.events))
        found &= results.positive_test >= ended
    return found
