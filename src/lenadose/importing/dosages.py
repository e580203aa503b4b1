"""The dosage taken since the visit before, where dose and timing are plain."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from attrs import evolve

from lenadose.formats.course_json import Json
from lenadose.importing.findings import DOSE, Finding, Note
from lenadose.terms.errors import Fault

GAP = 7
"""The days of the time between two visits that may be without a record of the dosage."""


def taken(
    findings: Sequence[Finding], days: Sequence[dt.date]
) -> tuple[dict[dt.date, Json], list[Note]]:
    """Return the dosage taken before each visit, and the notes.

    A dosage is plain where all records of the time between two visits say the same one, and no more
    than `GAP` days of it are without a record.
    """
    notes: list[Note] = []
    dosages: dict[dt.date, Json] = {}
    unplaced = {finding.place: finding for finding in findings}
    for before, day in pairwise(days):
        at = f"before the visit of {day}"
        bound = [each for each in findings if each.visit == day]
        found = bound or [
            each for each in findings if not each.visit and _overlaps(each, before, day)
        ]
        for each in found:
            unplaced.pop(each.place, None)
        whole = _periods(found)
        unreadable = [each for each in whole if each.fault is not None]
        reason, fix = "", "give one dosage with the days on which it was taken"
        if unreadable:
            fault = unreadable[0].fault
            reason = f"the dosage {at} is unknown: {unreadable[0].place}: {fault and fault.reason}"
        elif len({str(each.value) for each in whole}) > 1:
            reason = f"the dosage {at} is unknown: the records say different ones"
        elif whole and not bound and (gap := _uncovered(whole, before, day)) > GAP:
            reason = f"the dosage {at} is unknown: {gap} days are without a record"
        if reason:
            notes += (
                each.left_out() if each.fault else each.left_out(reason, fix) for each in found
            )
        elif whole:
            dosages[day] = whole[0].value
            notes += (each.used(f", {at}") for each in found)
    for finding in findings:
        if finding.visit is None and finding.on is not None and finding.on < days[0]:
            reason = f"from before the first visit, {days[0]}, and a record begins before treatment"
            notes.append(finding.left_out(reason, "give the visits before it too"))
        elif finding.place in unplaced:
            told = finding.left_out("no visit follows it", "give the visit after it", False)
            notes.append(finding.left_out() if finding.fault else told)
    return dosages, notes


def _overlaps(finding: Finding, before: dt.date, day: dt.date) -> bool:
    """Return whether a dosage was taken on a day from one visit up to the day before the next."""
    if finding.on is None:
        return finding.fault is not None
    last = finding.until or (None if finding.ongoing else finding.on)
    return finding.on < day and (last is None or last >= before)


def _uncovered(findings: Sequence[Finding], before: dt.date, day: dt.date) -> int:
    """Count the days from one visit up to the day before the next without a record."""
    covered: set[int] = set()
    for finding in findings:
        assert finding.on is not None
        last = day if finding.ongoing else finding.until or finding.on
        covered.update(
            range(max(finding.on, before).toordinal(), min(last.toordinal() + 1, day.toordinal()))
        )
    return (day - before).days - len(covered)


def _periods(findings: Sequence[Finding]) -> list[Finding]:
    """Return dosages over time: single doses at equal intervals are one."""
    doses = sorted(
        (each for each in findings if each.field == DOSE and not each.fault),
        key=lambda dose: dose.on or dt.date.min,
    )
    others = [each for each in findings if each.field != DOSE or each.fault]
    if not doses:
        return others
    on = sorted({dose.on for dose in doses if dose.on})
    intervals = {(later - earlier).days for earlier, later in pairwise(on)}
    amounts = {str(dose.value) for dose in doses}
    first = doses[0]
    if len(on) < len(doses) or len(intervals) != 1 or len(amounts) != 1:
        reason = "single doses are not alike, or not at equal intervals"
        fault = Fault("", reason, "give the dosage with its first and last day")
        return [*others, evolve(first, field="dosage_taken", fault=fault)]
    assert isinstance(first.value, dict)
    (every,) = intervals
    last = on[-1] + dt.timedelta(every - 1)
    dosage: Json = {"mg": first.value["mg"], "every_days": every}
    return [*others, evolve(first, field="dosage_taken", value=dosage, until=last)]
