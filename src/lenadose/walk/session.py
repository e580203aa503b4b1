"""A walk and the messages that change it: each gives another walk, or the same with a fault."""

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from attrs import evolve, field, frozen

from lenadose.engine.machine import Decision, replay
from lenadose.explanation.calculations import printed_date
from lenadose.explanation.why import field_words
from lenadose.formats.course_json import Json, course_data, parse_course, read_course
from lenadose.formats.protocol_file import parse_protocol
from lenadose.formats.reader import exact, unknown_key
from lenadose.protocol.builtin import BUILT_IN, DEFAULT, get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.visit import Patient, Visit
from lenadose.terms.errors import LenadoseError, describe, fault
from lenadose.terms.numbers import is_integral
from lenadose.terms.units import CREATININE_CLEARANCE, PER_MICROLITRE, QUANTITIES
from lenadose.walk.examples import example

FIRST_DAY = dt.date(2026, 1, 5)
"""The day of the first visit of a patient who is begun here: there is no clock to ask."""

COUNT_UNITS = MappingProxyType({"per-litre": "10*9/L", "per-microlitre": PER_MICROLITRE})
"""The units in which a reader can have counts, by their names in a message."""


@frozen
class Walk:
    """A hypothetical patient, and what is looked at.

    `decisions` are those of `protocol` at every visit of `course`; `visit` is the index of the
    visit that is shown and changed. `compared` is a second protocol on the same course, and `own`
    one that the reader brought. `units` is a key of `COUNT_UNITS`. `fault` says in one line why the
    last message could not be followed, `notice` what it did.
    """

    course: Course
    protocol: Protocol
    decisions: tuple[Decision, ...] = field(repr=False)
    visit: int
    compared: Protocol | None = None
    own: Protocol | None = None
    units: str = "per-litre"
    fault: str = ""
    notice: str = ""

    @property
    def decision(self) -> Decision:
        """The decision at the visit that is shown."""
        return self.decisions[self.visit]

    @property
    def count_unit(self) -> str:
        """The unit of counts that the reader chose."""
        return COUNT_UNITS[self.units]


def begin_walk(course: Course | str | None = None, protocol: Protocol | str | None = None) -> Walk:
    """Return a walk at the last visit of a course, of an example by its name, or of a new patient.

    The protocol is the one given, by itself or by id, else the one that the course names. Raises
    CallError for an unknown example or protocol, and for a course that cannot be replayed.
    """
    own = protocol if isinstance(protocol, Protocol) and protocol.id not in BUILT_IN else None
    if isinstance(course, str):
        course = example(course)
    course = course or Course((Visit(FIRST_DAY),), Patient())
    named = protocol or course.protocol or DEFAULT
    by = named if isinstance(named, Protocol) else get_protocol(named)
    return _walk_on(course, by, own=own)


def _walk_on(course: Course, by: Protocol, own: Protocol | None = None) -> Walk:
    # The course names the protocol that decides, so that it can be replayed elsewhere.
    course = evolve(course, protocol=by.id)
    decisions = replay(course, by)
    return Walk(course, by, decisions, len(decisions) - 1, own=own)


def change(walk: Walk, message: Mapping[str, object]) -> Walk:
    """Return the walk after a message: an object with one key, of `MESSAGES`.

    A message that cannot be followed leaves the walk as it was, with the fault; nothing is raised.
    """
    try:
        if not isinstance(message, Mapping) or len(message) != 1:
            reason, known = "not an object with one key", ", ".join(MESSAGES)
            raise fault("message", reason, f"give one of {known}")
        ((key, value),) = message.items()
        if key not in MESSAGES:
            raise LenadoseError((unknown_key(key, MESSAGES).within("message"),))
        return MESSAGES[key](evolve(walk, fault="", notice=""), value)
    except LenadoseError as error:
        more = len(error.faults) - 1
        words = f"{error.faults[0]}{f' (and {more} more)' if more else ''}"
        return evolve(walk, fault=" ".join(words.split()), notice="")


def _edited(walk: Walk, document: dict[str, Json], visit: int, notice: str) -> Walk:
    """Return a walk with another document for its course: read as strictly as a file."""
    course = read_course(document)
    decisions = replay(course, walk.protocol)
    return evolve(walk, course=course, decisions=decisions, visit=visit, notice=notice)


def _visits(document: dict[str, Json]) -> list[dict[str, Json]]:
    return cast(list[dict[str, Json]], document["visits"])


def _set(walk: Walk, value: object) -> Walk:
    """Change one field of the visit that is shown; None leaves it out."""
    if not isinstance(value, dict) or set(value) != {"field", "value"}:
        raise fault("set", f"{describe(value)} is not a change", "give field and value")
    name, given = value["field"], value["value"]
    if not isinstance(name, str):
        raise fault("set.field", f"{describe(name)} is not a field", "give its name")
    if name == "date":
        return _date(walk, given)
    document = course_data(walk.course)
    visit = _visits(document)[walk.visit]
    if name in QUANTITIES and isinstance(given, str | int | float):
        given = _measurement(walk, name, given)
    visit[name] = cast(Json, given)
    done = "left out" if given is None else "changed"
    return _edited(walk, document, walk.visit, f"{field_words(name)} {done}")


def _measurement(walk: Walk, name: str, given: str | float) -> dict[str, object]:
    """Return a bare number as a result, in the unit that the reader sees."""
    unit = QUANTITIES[name].unit if name == CREATININE_CLEARANCE.name else walk.count_unit
    try:
        amount = exact(given)
    except LenadoseError as error:
        raise LenadoseError(fault.within(name) for fault in error.faults) from None
    return {"value": int(amount) if is_integral(amount) else amount, "unit": unit}


def _date(walk: Walk, value: object) -> Walk:
    """Move the visit that is shown to a date, or to a number of days after the visit before."""
    if isinstance(value, int) and not isinstance(value, bool) and walk.visit:
        before = walk.course.visits[walk.visit - 1].date
        if not 0 < value <= 36525:
            raise fault("date", f"{describe(value)} days after the visit before", "give 1 or more")
        value = _later(before, value)
    document = course_data(walk.course)
    _visits(document)[walk.visit]["date"] = cast(Json, value)
    return _edited(walk, document, walk.visit, "date changed")


def _later(day: dt.date, days: int) -> str:
    try:
        return (day + dt.timedelta(days=days)).isoformat()
    except OverflowError:
        raise fault("date", "is beyond the calendar", "give fewer days") from None


def _patient(walk: Walk, value: object) -> Walk:
    """Change facts of the patient; None leaves one out."""
    document = course_data(walk.course)
    known = cast(dict[str, Json], document.get("patient") or {})
    document["patient"] = {**known, **_object("patient", value)}
    return _edited(walk, document, walk.visit, "patient changed")


def _object(key: str, value: object) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise fault(key, f"{describe(value)} is not an object", "give an object")
    return value


def _add(walk: Walk, value: object) -> Walk:
    """Add the next visit, on a date, or on the planned one; nothing is known of it yet."""
    if value is None:
        planned = walk.decisions[-1].next_visit
        if planned is None:
            raise fault("add", "no next visit is planned", "give the date of the visit")
        value = planned.due.isoformat()
    document = course_data(walk.course)
    visits = _visits(document)
    visits.append({"date": cast(Json, value)})
    walk = _edited(walk, document, len(visits) - 1, "")
    return evolve(walk, notice=f"visit of {printed_date(walk.decision.visit.date)} added")


def _back(walk: Walk, value: object) -> Walk:
    """Take the last visit back."""
    if value is not True:
        raise fault("back", f"{describe(value)} is not true", "give true")
    document = course_data(walk.course)
    visits = _visits(document)
    if len(visits) == 1:
        raise fault("back", "a patient has at least one visit", "change it, or begin another")
    day = walk.course.visits[-1].date
    visits.pop()
    last = len(visits) - 1
    return _edited(
        walk, document, min(walk.visit, last), f"visit of {printed_date(day)} taken back"
    )


def _visit(walk: Walk, value: object) -> Walk:
    """Show a visit by its index, from 0."""
    count = len(walk.decisions)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise fault("visit", f"{describe(value)} is not a visit", f"give 0 to {count - 1}")
    return evolve(walk, visit=value)


def _course(walk: Walk, value: object) -> Walk:
    """Open a course, as the text of its file or as its data."""
    course = parse_course(value) if isinstance(value, str) else read_course(value)
    return _opened(walk, course, "course opened")


def _example(walk: Walk, value: object) -> Walk:
    """Open an example by its name."""
    return _opened(walk, example(value), f"example {value} opened")


def _begin(walk: Walk, value: object) -> Walk:
    """Begin a new patient, of whom nothing is known, on a date; None for a date of no meaning."""
    day = FIRST_DAY.isoformat() if value is None else value
    document: dict[str, Json] = {"patient": {}, "visits": [{"date": cast(Json, day)}]}
    return _opened(walk, evolve(read_course(document), protocol=walk.protocol.id), "patient begun")


def _opened(walk: Walk, course: Course, notice: str) -> Walk:
    by = _protocol_of(walk, course.protocol or walk.protocol.id)
    opened = _walk_on(course, by, walk.own)
    return evolve(opened, compared=walk.compared, units=walk.units, notice=notice)


def _protocol_of(walk: Walk, id: object) -> Protocol:
    if walk.own is not None and id == walk.own.id:
        return walk.own
    return get_protocol(id)  # type: ignore[arg-type]  # it refuses what is not an id


def _protocol(walk: Walk, value: object) -> Walk:
    """Decide by another protocol, by its id."""
    return _by(walk, _protocol_of(walk, value), walk.own)


def _by(walk: Walk, by: Protocol, own: Protocol | None) -> Walk:
    other = _walk_on(walk.course, by, own)
    compared = None if walk.compared == by else walk.compared
    return evolve(
        other, visit=walk.visit, compared=compared, units=walk.units, notice=f"decided by {by.id}"
    )


def _protocol_file(walk: Walk, value: object) -> Walk:
    """Decide by a protocol of the reader's own, given as the text of a TOML file."""
    if not isinstance(value, str):
        raise fault("protocol_file", f"{describe(value)} is not text", "give the text of the file")
    own = parse_protocol(value, toml=True)
    if own.id in BUILT_IN:
        raise fault("protocol_file.id", f"{own.id} is built in", "give the file an id of its own")
    return _by(walk, own, own)


def _compare(walk: Walk, value: object) -> Walk:
    """Show what another protocol says of the same course; None for none."""
    if value is None:
        return evolve(walk, compared=None)
    other = _protocol_of(walk, value)
    if other == walk.protocol:
        raise fault("compare", f"{other.id} decides already", "name another protocol")
    replay(walk.course, other)
    return evolve(walk, compared=other, notice=f"compared with {other.id}")


def _units(walk: Walk, value: object) -> Walk:
    """Show counts in another unit."""
    if not isinstance(value, str) or value not in COUNT_UNITS:
        raise fault("units", f"{describe(value)} is not known", f"give {' or '.join(COUNT_UNITS)}")
    return evolve(walk, units=value)


MESSAGES: Mapping[str, Callable[[Walk, object], Walk]] = MappingProxyType(
    {
        "set": _set,
        "date": _date,
        "patient": _patient,
        "add": _add,
        "back": _back,
        "visit": _visit,
        "course": _course,
        "example": _example,
        "begin": _begin,
        "protocol": _protocol,
        "protocol_file": _protocol_file,
        "compare": _compare,
        "units": _units,
    }
)
"""The function that follows each message, by its key."""
