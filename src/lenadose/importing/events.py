"""The list of adverse events of each visit.

An event is listed at the visit after it began, and again at each visit until its end. One that
cannot be read leaves the visits that it may belong to without a list: an empty one would say that
there were none.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from attrs import frozen

from lenadose.formats.course_json import Json
from lenadose.importing.dangers import is_danger
from lenadose.importing.findings import Finding, Note
from lenadose.record.event_names import event_name
from lenadose.record.event_terms import RESOLVABLE
from lenadose.terms.errors import Fault


@frozen
class EventList:
    """The events of a visit as data, None where they are not known, and the notes."""

    events: list[Json] | None
    notes: tuple[Note, ...]


def lists(
    findings: Sequence[Finding],
    days: Sequence[dt.date],
    none_at: Collection[dt.date],
    faults: list[Fault],
) -> dict[dt.date, EventList]:
    """Return the list of each visit; add a fault where events were denied that are recorded."""
    readable = [finding for finding in findings if finding.fault is None]
    unreadable = [finding for finding in findings if finding.fault is not None]
    listed: dict[dt.date, EventList] = {}
    before: dt.date | None = None
    for day in days:
        found = [each for each in readable if _belongs(each, before, day)]
        unknown = [each for each in unreadable if _belongs(each, before, day)]
        if day in none_at:
            present = [each for each in found if _is_present(each, day)]
            faults += (
                Fault(
                    f"visit of {day}: adverse_events",
                    f"none were reported, but {each.words} ({each.place}) was there",
                    "keep the one that is true",
                )
                for each in present
            )
        ended = [] if before is None else _ended(readable, found, before, day)
        listed[day] = _list(found, unknown, ended, day in none_at)
        before = day
    return listed


def _list(
    found: Sequence[Finding],
    unknown: Sequence[Finding],
    ended: Sequence[Finding],
    is_none: bool,
) -> EventList:
    notes: list[Note] = [each.left_out() for each in unknown]
    if unknown and not any(map(is_danger, found)):
        reason = f"{unknown[0].place} cannot be read, so the list of events is unknown"
        notes += (each.left_out(reason, f"fix {unknown[0].place}") for each in (*found, *ended))
        return EventList(None, tuple(notes))
    notes += (each.used() for each in found)
    notes += (each.used(", reported resolved") for each in ended)
    events = [each.value for each in found]
    events += [{"term": _term(each), "resolved": True} for each in ended]
    # A danger among events of which others cannot be read is kept: it is acted on by itself.
    return EventList(events if events or (is_none and not unknown) else None, tuple(notes))


def never_listed(
    findings: Sequence[Finding], days: Sequence[dt.date], notes: Sequence[Note]
) -> list[Note]:
    """Return a note for each event that belongs to no visit."""
    noted = {note.place for note in notes}
    told: list[Note] = []
    for finding in findings:
        if finding.place in noted:
            continue
        if finding.fault is not None:
            told.append(finding.left_out())
        elif finding.on is not None and finding.on < days[0]:
            reason = (
                f"it is from before the first visit, {days[0]}, and not recorded as going on then"
            )
            told.append(finding.left_out(reason, "nothing to do", False))
        else:
            reason = f"it is from after the last visit, {days[-1]}"
            told.append(finding.left_out(reason, "give the visit after it"))
    return told


def _belongs(event: Finding, before: dt.date | None, day: dt.date) -> bool:
    """Return whether an event began since the visit before, or still goes on at a visit."""
    if event.visit is not None:
        return event.visit == day
    if event.on is None:
        return event.fault is not None  # it may belong to any visit
    if event.on > day:
        return False
    return (before is not None and event.on > before) or _is_present(event, day)


def _is_present(event: Finding, day: dt.date) -> bool:
    if event.visit is not None:
        return event.visit == day and not _is_resolved(event)
    last = event.until or event.on
    return event.ongoing or (last is not None and last >= day)


def _ended(
    events: Sequence[Finding], listed: Sequence[Finding], before: dt.date, day: dt.date
) -> list[Finding]:
    """Return the events listed before that are followed to their end, and ended since."""
    names = {_name(event) for event in listed}
    ended: dict[str, Finding] = {}
    for event in events:
        on, until, name = event.on, event.until, _name(event)
        if event.visit is not None or on is None or until is None:
            continue
        if name in RESOLVABLE and name not in names and on <= before <= until < day:
            ended.setdefault(name, event)
    return [*ended.values()]


def _term(event: Finding) -> str:
    assert isinstance(event.value, dict)
    return str(event.value["term"])


def _name(event: Finding) -> str:
    return event_name(_term(event))


def _is_resolved(event: Finding) -> bool:
    return isinstance(event.value, dict) and event.value.get("resolved") is True
