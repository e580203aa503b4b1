"""Assemble the findings of a patient into a course: visits, and what belongs to each.

A visit is a day on which the patient was assessed (a CLASI score, a judgement, the question about
adverse events) or that a record calls a visit. A danger on another day is a visit of its own. Other
results keep their dates and are given at the next visit. Nothing is inferred: what cannot be read
makes unknown what it would have changed.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from lenadose.formats.course_json import Json, read_course
from lenadose.importing import dosages, events
from lenadose.importing.dangers import is_danger
from lenadose.importing.findings import (
    BIRTH_DATE,
    DOSE,
    NO_EVENTS,
    SEX,
    UNREADABLE,
    VISIT,
    Finding,
    Note,
    Used,
)
from lenadose.importing.worked_out import age_on, clearances
from lenadose.record.course import Course
from lenadose.record.visit import ResultField
from lenadose.terms.errors import Fault, LenadoseError, describe
from lenadose.terms.units import QUANTITIES

OF_A_VISIT = ("clasi_activity", "clasi_damage", "judgement", "doses_missed", "stopped")
"""Fields of which a visit has one value; whoever recorded one saw the patient that day."""
RESULTS = tuple(each.label for each in ResultField)
_ASSESSED = (*OF_A_VISIT, NO_EVENTS, VISIT)
_DATED = (*RESULTS, "adverse_events")


@frozen
class Assembled:
    """A patient with the course, or with the faults for which there is none."""

    patient: str
    course: Course | None
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]


def assemble(
    patient: str, findings: Sequence[Finding], id: str | None, known: Sequence[Fault] = ()
) -> Assembled:
    """Return the course of a patient from all findings of it; `id` is its id in the course.

    Of a patient with a fault, whether `known` before or found here, there is no course.
    """
    made, notes = clearances(findings)
    findings = [*findings, *made]
    faults = [*known, *_contradictions(findings)]
    visits = _visit_days(findings)
    document: dict[str, Json] = {}
    if visits:
        days = [*visits]
        facts, of_facts = _facts(findings, days[0], id)
        by_day, of_visits = _visits(findings, visits, faults)
        document = {**facts, "visits": [*by_day]}
        notes += [*of_facts, *of_visits]
    else:
        reason = "no visit, and no result or event with a date"
        faults.append(Fault("", reason, "give the CLASI scores with their dates"))
        notes += [
            finding.left_out("the patient has no visit", "see the patient", False)
            for finding in findings
        ]
    course = None
    if not faults:
        try:
            course = read_course(document)
        except LenadoseError as error:
            faults += error.faults
    place = f"patient {describe(patient)}"
    return Assembled(
        patient,
        course,
        tuple(
            Fault(f"{place}: {each.place}" if each.place else place, each.reason, each.fix)
            for each in faults
        ),
        tuple(notes),
    )


# Visits


def _visit_days(findings: Sequence[Finding]) -> dict[dt.date, str]:
    """Return the day of each visit in order, with what to say of one that nobody recorded."""
    days: dict[dt.date, str] = {}
    for finding in findings:
        day = finding.visit or finding.on
        if finding.field in _ASSESSED and day is not None:
            days[day] = ""
    for finding in findings:
        day = finding.on
        is_placed = finding.visit in days and (
            day is None or _place(finding, days) == finding.visit
        )
        if day is not None and day not in days and not is_placed and is_danger(finding):
            days[day] = " (a visit because of a danger that day)"
    if not days:
        dated = [
            each.on for each in findings if each.field in _DATED and not each.fault and each.on
        ]
        if dated:
            days[max(dated)] = " (a visit because no other was recorded)"
    return dict(sorted(days.items()))


def _place(finding: Finding, days: Mapping[dt.date, str]) -> dt.date | None:
    """Return the visit that a finding belongs to: its own, else the next; None after the last."""
    on = finding.on
    if finding.visit in days and (on is None or (finding.visit and on <= finding.visit)):
        return finding.visit
    return min((day for day in days if on is not None and day >= on), default=None)


def _visits(
    findings: Sequence[Finding], days: Mapping[dt.date, str], faults: list[Fault]
) -> tuple[list[Json], list[Note]]:
    """Return the visits as data, and the notes; add the contradictions to the faults."""
    notes: list[Note] = []
    visits: dict[dt.date, dict[str, Json]] = {day: {"date": day.isoformat()} for day in days}
    placed: dict[tuple[dt.date, str], list[Finding]] = defaultdict(list)
    ordered = [*days]
    for finding in findings:
        if finding.field not in (*OF_A_VISIT, *RESULTS, NO_EVENTS, UNREADABLE, VISIT):
            continue
        day = _nearest(finding, ordered)
        if day is None:
            reason = f"it is from after the last visit, {ordered[-1]}"
            notes.append(finding.left_out(reason, "give the visit after it", bool(finding.fault)))
        else:
            placed[day, finding.field].append(finding)
    known = _known_before(placed)
    unreadable: dict[dt.date, list[Json]] = defaultdict(list)
    for (day, field), group in placed.items():
        at = f", at the visit of {day}{days[day]}"
        if field in (VISIT, NO_EVENTS):
            notes += (finding.used(at if field == NO_EVENTS else "") for finding in group)
        elif field == UNREADABLE:
            notes += (each.left_out() if each.fault else each.used(at) for each in group)
            unreadable[day] += (each.value for each in group if not each.fault)
        elif field in OF_A_VISIT:
            value, told = _one(field, group, day, faults)
            notes += (_at(note, at) for note in told)
            if value is not None:
                visits[day][field] = value
        else:
            values, is_unreadable, told = _results(group, day, known[day, field])
            notes += (_at(note, at) for note in told)
            if values:
                is_one = field in QUANTITIES and len(values) == 1
                visits[day][field] = values[0] if is_one else values
            if is_unreadable:
                unreadable[day].append(field)
    for day, names in unreadable.items():
        visits[day]["unreadable"] = [*dict.fromkeys(names)]
    none_at = {day for day, field in placed if field == NO_EVENTS}
    of_events = [finding for finding in findings if finding.field == "adverse_events"]
    for day, listed in events.lists(of_events, ordered, none_at, faults).items():
        if listed.events is not None:
            visits[day]["adverse_events"] = listed.events
        notes += (_at(note, f", at the visit of {day}{days[day]}") for note in listed.notes)
    notes += events.never_listed(of_events, ordered, notes)
    intake = [finding for finding in findings if finding.field in ("dosage_taken", DOSE)]
    taken, told = dosages.taken(intake, ordered)
    notes += told
    for day, dosage in taken.items():
        visits[day]["dosage_taken"] = dosage
    return [*visits.values()], notes


def _nearest(finding: Finding, days: Sequence[dt.date]) -> dt.date | None:
    return _place(finding, dict.fromkeys(days, ""))


def _at(note: Note, where: str) -> Note:
    return evolve(note, words=note.words + where) if isinstance(note, Used) else note


def _one(
    field: str, group: Sequence[Finding], day: dt.date, faults: list[Fault]
) -> tuple[Json, list[Note]]:
    """Return the one value of a field of a visit; None where one of several cannot be read."""
    readable = [finding for finding in group if finding.fault is None]
    unreadable = [finding for finding in group if finding.fault is not None]
    notes: list[Note] = [finding.left_out() for finding in unreadable]
    if unreadable and readable:
        reason = f"{unreadable[0].place} of the same day cannot be read, so the field is unknown"
        notes += (finding.left_out(reason, "fix that record") for finding in readable)
        return None, notes
    for finding in readable[1:]:
        if finding.value != readable[0].value:
            faults.append(contradiction(f"visit of {day}: {field}", readable[0], finding))
    notes += (finding.used() for finding in readable)
    return (readable[0].value if readable else None), notes


def contradiction(place: str, one: Finding, other: Finding) -> Fault:
    """Return the fault of two findings of which only one can be true."""
    reason = f"{one.words} ({one.place}) contradicts {other.words} ({other.place})"
    return Fault(place, reason, "keep the one that is true")


def _known_before(
    placed: Mapping[tuple[dt.date, str], Sequence[Finding]],
) -> Mapping[tuple[dt.date, str], dt.date | None]:
    """Return the day of the newest readable finding of each field before each visit."""
    before: dict[tuple[dt.date, str], dt.date | None] = {}
    newest: dict[str, dt.date | None] = defaultdict(lambda: None)
    for day, field in sorted(placed):
        known = before[day, field] = newest[field]
        readable = [each.on or day for each in placed[day, field] if each.fault is None]
        newest[field] = max((on for on in (known, *readable) if on), default=None)
    return before


def _results(
    group: Sequence[Finding], day: dt.date, known: dt.date | None
) -> tuple[list[Json], bool, list[Note]]:
    """Return the results of one field that are given at a visit, whether it is unknown, and notes.

    One that cannot be read and is not older than the newest of the others makes the field unknown,
    unless that one is a danger, which stands until a newer result replaces it. *known* is the day
    of the newest result of the visits before.
    """
    readable = [finding for finding in group if finding.fault is None]
    unreadable = [finding for finding in group if finding.fault is not None]
    notes: list[Note] = [finding.left_out() for finding in unreadable]
    days = (known, *(finding.on or day for finding in readable))
    newest = max((on for on in days if on), default=None)
    newer = [each for each in unreadable if newest is None or (each.on or day) >= newest]
    if newer and not any(is_danger(each) for each in readable if (each.on or day) == newest):
        reason = f"{newer[0].place} is not older and cannot be read, so the field is unknown"
        notes += (finding.left_out(reason, f"fix {newer[0].place}") for finding in readable)
        return [], True, notes
    values: list[Json] = []
    first: dict[str, Finding] = {}
    of_day: dict[dt.date, list[Finding]] = defaultdict(list)
    for finding in readable:
        on = finding.on or day
        assert isinstance(finding.value, dict)
        value: dict[str, Json] = {**finding.value}
        if on != day:
            value["date"] = on.isoformat()
        key = f"{on} {value}"
        if key in first and finding.place != first[key].place:
            reason = f"the same result as {first[key].place}"
            notes.append(finding.left_out(reason, "nothing to do", False))
            continue
        first.setdefault(key, finding)
        of_day[on].append(finding)
        values.append(value)
    for on, same_day in of_day.items():
        several = f", one of {len(same_day)} of {on}, of which the worst counts"
        notes += (
            finding.used(several if len(same_day) > 1 else f" of {on}") for finding in same_day
        )
    return values, False, notes


# The patient


def _contradictions(findings: Sequence[Finding]) -> Iterator[Fault]:
    """Yield a fault for each fact of the patient of which two records say different things."""
    first: dict[str, Finding] = {}
    for finding in findings:
        is_fact = finding.field.startswith("patient.") or finding.field in (
            "protocol",
            BIRTH_DATE,
            SEX,
        )
        if is_fact and finding.fault is None:
            known = first.setdefault(finding.field, finding)
            if known.value != finding.value:
                yield contradiction(finding.field, known, finding)


def _facts(
    findings: Sequence[Finding], first_visit: dt.date, id: str | None
) -> tuple[dict[str, Json], list[Note]]:
    """Return what a course says of the patient, and the notes."""
    patient: dict[str, Json] = {} if id is None else {"id": id}
    document: dict[str, Json] = {}
    notes: list[Note] = []
    for finding in findings:
        if finding.field.startswith("patient."):
            if finding.fault is None:
                patient[finding.field.removeprefix("patient.")] = finding.value
                notes.append(finding.used())
            else:
                notes.append(finding.left_out())
        elif finding.field == "protocol":
            if finding.fault is None:
                document["protocol"] = finding.value
            notes.append(finding.left_out() if finding.fault else finding.used())
    for finding in findings:
        if finding.field == BIRTH_DATE:
            if finding.fault is not None:
                notes.append(finding.left_out())
            elif "age" in patient:
                notes.append(finding.left_out("the age is known already", "nothing to do", False))
            else:
                age = age_on(dt.date.fromisoformat(str(finding.value)), first_visit)
                patient["age"] = age
                notes.append(finding.used(f", {age} years at the first visit"))
        elif finding.field == SEX:
            words = ", for the creatinine clearance only: it does not say who can become pregnant"
            notes.append(finding.used(words))
    return {**document, **({"patient": patient} if patient else {})}, notes
