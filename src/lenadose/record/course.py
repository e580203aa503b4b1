"""A course: the visits of a patient in order."""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from attrs import evolve, field, frozen
from attrs.validators import optional

from lenadose.record.fields import (
    RecordPart,
    explains_calls,
    is_part,
    is_wording,
    list_of,
    parts,
)
from lenadose.record.visit import Patient, Visit
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import Fault

MOST_VISITS = 10_000
"""A record of more visits is not of one patient: a daily visit for 27 years."""


def too_many_visits(count: int) -> Fault:
    """Return the fault of a course, or of a patient in a table, of more visits than are read."""
    reason = f"{count} visits are too many for one patient (at most {MOST_VISITS})"
    return Fault("visits", reason, "give the visits of each patient by themselves")


def out_of_order(dates: Sequence[dt.date]) -> Iterator[Fault]:
    """Yield a fault for each visit that is not after all before it."""
    last: dt.date | None = None
    for index, day in enumerate(dates):
        if last is not None and day <= last:
            reason = (
                f"two visits on {day}" if day == last else f"{day} is before the visit of {last}"
            )
            yield Fault(f"visits[{index}].date", reason, "give the visits in order, one a day")
        last = day if last is None else max(day, last)


def doses_between(earlier: dt.date, later: dt.date, dosage: Dosage | None) -> int:
    """Count the doses scheduled between two visits; 0 without a dosage."""
    return 0 if dosage is None else -(-(later - earlier).days // dosage.every_days)


def too_many_missed(missed: int, there_were: int) -> Fault:
    """Return the fault of more doses missed than there were."""
    return Fault(
        "doses_missed",
        f"{missed} missed of {there_were} since the visit before",
        "count them again",
    )


def _visits(value: Sequence[Visit]) -> tuple[Visit, ...]:
    return parts(Visit, value)


@explains_calls
@frozen
class Course(RecordPart):
    """The protocol it is read by, the patient, and one visit or more in order of their dates.

    Raises CallError for no visits or more than 10,000, dates that do not increase, a dosage taken
    before the first visit, and more doses missed than were scheduled (one a day if no dosage was
    recorded).
    """

    noun = "a course"
    example = 'Course([Visit("2026-01-05", clasi_activity=11)], Patient(age=55))'

    visits: tuple[Visit, ...] = field(
        converter=_visits,
        validator=list_of(Visit),
        metadata={"minItems": 1, "maxItems": MOST_VISITS},
    )
    patient: Patient | None = field(default=None, validator=is_part(Patient))
    protocol: str | None = field(default=None, validator=optional(is_wording))

    def with_visit(self, visit: Visit) -> "Course":
        """Return the course with one more visit at its end.

        Raises CallError, with the place, for a visit that cannot follow the last one.
        """
        return evolve(self, visits=(*self.visits, visit))

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for visits that cannot have followed one another."""
        if not self.visits:
            yield Fault("visits", "there are none", "give at least one visit, with its date")
            return
        if len(self.visits) > MOST_VISITS:
            yield too_many_visits(len(self.visits))
            return
        first = self.visits[0]
        if first.dosage_taken is not None:
            yield before_treatment("dosage_taken").within("visits[0]")
        if first.doses_missed:
            yield before_treatment("doses_missed").within("visits[0]")
        for index, (before, visit) in enumerate(pairwise(self.visits), 1):
            missed, taken = visit.doses_missed, visit.dosage_taken
            if missed is None or before.date >= visit.date:
                continue
            # The dosage advised is not known here: the machine counts by it, this only by the days.
            dosage = (taken and taken.dosage) or Dosage(Decimal(1))
            there_were = doses_between(before.date, visit.date, dosage)
            if missed > there_were:
                yield too_many_missed(missed, there_were).within(f"visits[{index}]")
        yield from out_of_order([visit.date for visit in self.visits])


def nothing_to_stop() -> Fault:
    """Return the fault of an end of treatment where nothing is being treated."""
    return Fault("stopped", "nothing is being treated", "leave it out")


def before_treatment(field: str) -> Fault:
    """Return the fault of a dose taken or missed before the first visit."""
    return Fault(
        field,
        "nothing comes before the first visit",
        "leave it out: a record begins before treatment",
    )
