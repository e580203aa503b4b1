"""A course: the visits of a patient in order."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from attrs import field, frozen

from lenadose.record.fields import RecordPart, _each, _is, _many, _optional, _words
from lenadose.record.visit import DosageTaken, Patient, Visit
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import Fault


def out_of_order(dates: Sequence[dt.date | None]) -> Iterator[Fault]:
    """Give a fault for each visit that is not after the one before; an unreadable date (None) is passed over."""
    last: dt.date | None = None
    for index, day in enumerate(dates):
        if day is None:
            continue
        if last is not None and day <= last:
            reason = (
                f"two visits on {day}" if day == last else f"{day} is before the visit of {last}"
            )
            yield Fault(f"visits[{index}].date", reason, "give the visits in order, one a day")
        last = max(day, last or day)


def doses_between(earlier: dt.date, later: dt.date, dosage: Dosage | None) -> int:
    """Give how many doses there were between two visits; none without a dosage."""
    return 0 if dosage is None else -(-(later - earlier).days // dosage.every_days)


def too_many_missed(missed: int, there_were: int) -> Fault:
    """Say that more doses were missed than there were."""
    return Fault(
        "doses_missed",
        f"{missed} missed of {there_were} since the visit before",
        "count them again",
    )


@frozen
class Course(RecordPart):
    """A record: the protocol it is read by, the patient, and one visit or more in order of their dates.

    Raises CallError for no visits, dates that do not increase, a dosage taken before the first visit, and more
    doses missed than there were days.
    """

    visits: tuple[Visit, ...] = field(validator=_many(Visit, "a visit"))
    patient: Patient | None = field(default=None, validator=_is(Patient, "a patient"))
    protocol: str | None = field(default=None, validator=_optional(_words))

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse visits that cannot have followed one another."""
        visits = known.get("visits")
        if visits == ():
            yield Fault("visits", "there are none", "give at least one visit, with its date")
        dates: list[dt.date | None] = []
        for index, visit in _each(visits):
            day = getattr(visit, "date", None)
            before = dates[-1] if dates else None
            dates.append(day if isinstance(day, dt.date) else None)
            taken, missed = (
                getattr(visit, "dosage_taken", None),
                getattr(visit, "doses_missed", None),
            )
            place = f"visits[{index}]"
            if index == 0:
                for name, given in (("dosage_taken", taken is not None), ("doses_missed", missed)):
                    if given:
                        yield before_treatment(name).within(place)
            elif (
                isinstance(missed, int)
                and before is not None
                and isinstance(day, dt.date)
                and before < day
            ):
                # What was advised is not known here: the machine counts against that, this only against the days.
                dosage = taken.dosage if isinstance(taken, DosageTaken) else None
                there_were = doses_between(before, day, dosage or Dosage(Decimal(1)))
                if missed > there_were:
                    yield too_many_missed(missed, there_were).within(place)
        yield from out_of_order(dates)


def before_treatment(field: str) -> Fault:
    """Say that nothing can have been taken or missed before the first visit."""
    return Fault(
        field,
        "nothing comes before the first visit",
        "leave it out: a record begins before treatment",
    )
