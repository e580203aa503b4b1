"""Findings, which a record says of a patient, and notes: used, or left out and why.

A record is a row of a table or a FHIR resource. It is read into findings, findings are assembled
into courses, and each step leaves notes; every record ends with one note or more.
"""

import datetime as dt
from collections.abc import Iterable

from attrs import field as attribute
from attrs import frozen

from lenadose.formats.course_json import Json
from lenadose.terms.errors import PRINTABLE, Fault, describe


def printable(words: str) -> str:
    """Return words of a record on one line, what cannot be shown as escapes."""
    return words if PRINTABLE.match(words) else ascii(words)[1:-1]


@frozen
class Used:
    """A note that a record, or a part of one, was used, and how."""

    place: str
    words: str = attribute(converter=printable)

    def __str__(self) -> str:
        return f"{self.place}: used: {self.words}"


@frozen
class LeftOut:
    """A note that a record, or a part of one, was left out, why, and what would make it usable.

    `needed` is whether it says something that a course asks for: a count without its unit is
    needed, a result of cholesterol is not.
    """

    fault: Fault
    needed: bool = True

    @property
    def place(self) -> str:
        """The record."""
        return self.fault.place

    def __str__(self) -> str:
        return f"{self.place}: left out: {self.fault.reason}; {self.fault.fix}"


Note = Used | LeftOut


def unneeded(place: str, reason: str, fix: str = "nothing to do") -> LeftOut:
    """Return the note of a record of which a course needs nothing."""
    return LeftOut(Fault(place, reason, fix), needed=False)


def unusable(place: str, reason: str, fix: str) -> LeftOut:
    """Return the note of a record that a course needs and that cannot be used."""
    return LeftOut(Fault(place, reason, fix))


@frozen
class Finding:
    """One thing that a record says of a patient.

    `field` is a field of a visit, `patient.` and a field of the patient, `protocol`, or one of
    those below. `value` is as in a course file; with a `fault` it cannot be read. `on` is its day;
    None for a fact of the patient, and for an event whose day is not known. `until` is the last
    day of an event or a dosage, and `ongoing` says that it has none yet. `visit` is the day of
    the visit that the record says it belongs to.
    """

    place: str
    patient: str
    field: str
    words: str = attribute(converter=printable)
    value: Json = None
    on: dt.date | None = None
    until: dt.date | None = None
    ongoing: bool = False
    visit: dt.date | None = None
    fault: Fault | None = None

    def used(self, how: str = "") -> Used:
        """Return the note that it was used."""
        return Used(self.place, f"{self.words}{how}")

    def left_out(self, reason: str = "", fix: str = "", needed: bool = True) -> LeftOut:
        """Return the note that it was left out, by default because it cannot be read."""
        if self.fault is not None and not reason:
            reason, fix = self.fault.reason, self.fault.fix
        return LeftOut(Fault(self.place, f"{self.words}: {reason}", fix), needed)


VISIT = "visit"
"""The field of a finding that there was a visit on a day."""
NO_EVENTS = "no adverse events"
"""The field of a finding that adverse events were asked about and there were none."""
UNREADABLE = "unreadable"
"""The field of a finding that a result of the field that is its value cannot be read."""
DOSE = "dose"
"""The field of a finding that a single dose was taken on a day."""
BIRTH_DATE, SEX, WEIGHT, CREATININE = "birth date", "sex", "weight", "creatinine"
"""The fields from which the age and the creatinine clearance are worked out."""


@frozen
class Account:
    """The notes of one record."""

    place: str
    notes: tuple[Note, ...]

    @property
    def used(self) -> bool:
        """Whether any part of it was used."""
        return any(isinstance(note, Used) for note in self.notes)

    @property
    def faulty(self) -> bool:
        """Whether something that is needed was left out."""
        return any(isinstance(note, LeftOut) and note.needed for note in self.notes)


def of_refused(note: Note, patient: str) -> Note:
    """Return a note of a patient of whom there is no course: nothing was used."""
    if isinstance(note, LeftOut):
        return note
    reason = f"{note.words}; but there is no course of patient {describe(patient)}"
    return unneeded(note.place, reason, "see the faults of the patient")


def accounts(places: Iterable[str], notes: Iterable[Note]) -> tuple[Account, ...]:
    """Return the account of each record, in their order."""
    by_place: dict[str, list[Note]] = {place: [] for place in places}
    for note in notes:
        by_place[note.place].append(note)
    return tuple(Account(place, tuple(dict.fromkeys(each))) for place, each in by_place.items())
