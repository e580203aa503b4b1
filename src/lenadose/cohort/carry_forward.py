"""The newest results and tests at each visit, and which of them are missing or too old.

Last observation carried forward: it does not depend on what was advised, so it is worked out for
all visits of a block at once.
"""

import numpy as np

from lenadose.cohort.calendar import FIRST_DAY, Flags, Ints, first_within
from lenadose.cohort.events import EventEffects, new_stops
from lenadose.cohort.lookup import DANGER, LOW
from lenadose.cohort.reader import Rows
from lenadose.cohort.state import Findings
from lenadose.protocol.safety import SafetyCriteria


class NegativeTests:
    """The negative pregnancy tests of a block, to be asked for the oldest known one."""

    def __init__(self, rows: Rows, patient: Ints) -> None:
        self._place = patient.astype(np.int64) << 32
        keys = self._place[rows.test_rows] | rows.tests
        order = np.argsort(keys, kind="stable")
        # After the last test there is none of any patient.
        self._keys = np.append(keys[order], np.int64(1) << 62)
        self._rows = np.append(rows.test_rows[order], 0)

    def oldest(self, row: Ints, since: Ints) -> Ints:
        """Return the day of the oldest test from *since* on that is known at a visit, or 0."""
        patient = self._place[row]
        at = np.searchsorted(self._keys, patient | np.maximum(since, 0))
        while True:
            unknown = (self._keys[at] >> 32 == patient >> 32) & (self._rows[at] > row)
            if not unknown.any():
                break
            at += unknown
        keys = self._keys[at]
        return np.where(keys >> 32 == patient >> 32, keys & 0xFFFFFFFF, 0)


def carry_forward(
    safety: SafetyCriteria,
    effects: EventEffects,
    rows: Rows,
    patient: Ints,
    begins: Ints,
    tested: Flags,
    regular: Flags,
) -> Findings:
    """Return the findings at visits that lie patient by patient, from *begins* on.

    *tested* are the visits of patients who need pregnancy tests, *regular* those of patients with
    regular cycles.
    """
    place, day = patient.astype(np.int64) << 32, np.maximum(rows.day, FIRST_DAY)
    neutrophils, platelets, clearance, negative = (
        _newest(place, results)
        for results in (rows.neutrophils, rows.platelets, rows.clearance, rows.negative_test)
    )
    danger = [_band(result) == DANGER for result in (neutrophils, platelets, clearance)]
    early = first_within(safety.counts_age_early.value, day)
    usual = first_within(safety.counts_age.value, day)
    return Findings(
        results=_band(neutrophils) | _band(platelets) << 2 | danger[2] << 4,
        clearance_low=_band(clearance) >= LOW,
        count_danger=danger[0] | danger[1],
        same_day=(neutrophils & 1) > 0,
        new_stop=new_stops(effects, rows.events, begins),
        positive_test=_positive_tests(effects, rows, place),
        neutrophils=_missing(neutrophils, usual),
        neutrophils_early=_missing(neutrophils, early),
        platelets=_missing(platelets, usual),
        platelets_early=_missing(platelets, early),
        creatinine_clearance=_missing(clearance, first_within(safety.clearance_age.value, day)),
        negative_test=negative,
        tested=tested,
        regular=regular,
    )


def _band(result: Ints) -> Ints:
    return result >> 1 & 3


def _newest(place: Ints, results: Ints) -> Ints:
    """Return the newest result of each patient until each visit."""
    return np.maximum.accumulate(place | results).astype(np.int32)


def _missing(result: Ints, first_fresh: Ints) -> Ints:
    """Return why a result is missing; a danger counts however old it is."""
    return missing_reason((result >> 3 < first_fresh) & (_band(result) != DANGER), result)


def missing_reason(missing: Flags, newest: Ints) -> Ints:
    """Return 1 for absent and 2 for stale where something is missing, 0 elsewhere."""
    return missing.astype(np.int8) << (newest > 0)


def _positive_tests(effects: EventEffects, rows: Rows, place: Ints) -> Flags:
    """Return whether a positive test counts at each visit.

    It counts at its own visit, unless it was done before a pregnancy was last reported ended.
    """
    ended = _newest(place, rows.day * effects.ends_pregnancy[rows.events])
    return (rows.positive_test > 0) & (rows.positive_test >= ended)
