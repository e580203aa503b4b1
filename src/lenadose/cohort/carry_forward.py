"""The newest results and tests at each visit, and which of them are missing or too old.

Last observation carried forward: it does not depend on what was advised, so it is worked out for
all visits of a block at once.
"""

import numpy as np

from lenadose.cohort.calendar import FIRST_DAY, Flags, Ints, after, first_within
from lenadose.cohort.events import EventEffects
from lenadose.cohort.lookup import DANGER, LOW
from lenadose.cohort.reader import Rows
from lenadose.cohort.state import Findings
from lenadose.protocol.safety import SafetyCriteria


def carry_forward(
    safety: SafetyCriteria,
    effects: EventEffects,
    rows: Rows,
    patient: Ints,
    tested: Flags,
    regular: Flags,
) -> Findings:
    """Return the findings at visits that lie patient by patient.

    *tested* are the visits of patients who need pregnancy tests, *regular* those of patients with
    regular cycles.
    """
    place, day = patient.astype(np.int64) << 32, np.maximum(rows.day, FIRST_DAY)
    neutrophils, platelets, clearance, negative = (
        _newest(place, results)
        for results in (rows.neutrophils, rows.platelets, rows.clearance, rows.negative_test)
    )
    danger = [(result & 3) == DANGER for result in (neutrophils, platelets, clearance)]
    early = first_within(safety.counts_age_early.value, day)
    usual = first_within(safety.counts_age.value, day)

    usual_test = np.where(
        regular,
        first_within(safety.test_age.value, day),
        first_within(safety.test_age_irregular.value, day),
    )
    early_test = first_within(safety.test_age_early.value, day)
    # Two tests come before a start: a first one that was never done is absent, not stale.
    stale = negative < first_within(safety.second_test_age.value, day)
    no_first = ~_first_tests(safety, rows, place)
    return Findings(
        results=(neutrophils & 3) | (platelets & 3) << 2 | danger[2] << 4,
        clearance_low=(clearance & 3) >= LOW,
        count_danger=danger[0] | danger[1],
        positive_test=_positive_tests(effects, rows, place),
        neutrophils=_missing(neutrophils, usual),
        neutrophils_early=_missing(neutrophils, early),
        platelets=_missing(platelets, usual),
        platelets_early=_missing(platelets, early),
        creatinine_clearance=_missing(clearance, first_within(safety.clearance_age.value, day)),
        tests=_reason(negative < usual_test, negative) * tested,
        tests_early=_reason(negative < early_test, negative) * tested,
        tests_before_start=np.where(stale, _reason(stale, negative), no_first) * tested,
    )


def _newest(place: Ints, results: Ints) -> Ints:
    """Return the newest result of each patient until each visit."""
    return np.maximum.accumulate(place | results).astype(np.int32)


def _missing(result: Ints, first_fresh: Ints) -> Ints:
    """Return why a result is missing; a danger counts however old it is."""
    return _reason((result >> 2 < first_fresh) & ((result & 3) != DANGER), result)


def _reason(missing: Flags, newest: Ints) -> Ints:
    """Return 1 for absent and 2 for stale where something is missing, 0 elsewhere."""
    return missing.astype(np.int8) << (newest > 0)


def _first_tests(safety: SafetyCriteria, rows: Rows, place: Ints) -> Flags:
    """Return whether a negative test known by each visit was done when the first one is due."""
    earliest, latest = safety.first_test.value
    key, patient = place | rows.day, place[rows.test_rows]
    # A test is in time at the visits from `begins` to before `ends`, in the rows of the patient.
    begins = np.searchsorted(key, patient | after(earliest, rows.tests))
    begins = np.maximum(begins, rows.test_rows)
    ends = np.searchsorted(key, patient | after(latest, rows.tests), "right")
    within, total = begins < ends, len(key) + 1
    tests = np.bincount(begins[within], minlength=total) - np.bincount(
        ends[within], minlength=total
    )
    return np.cumsum(tests)[:-1] > 0


def _positive_tests(effects: EventEffects, rows: Rows, place: Ints) -> Flags:
    """Return whether a positive test counts at each visit.

    It counts at its own visit, unless it was done before a pregnancy was last reported ended.
    """
    ended = _newest(place, rows.day * effects.ends_pregnancy[rows.events])
    return (rows.positive_test > 0) & (rows.positive_test >= ended)
