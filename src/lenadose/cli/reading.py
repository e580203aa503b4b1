"""The arguments of a command read: protocols, courses, the date of a visit, an action."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from lenadose.cli.streams import complain
from lenadose.terms.errors import CallError, LenadoseError, describe, fault

if TYPE_CHECKING:
    from lenadose.engine.machine import Decision
    from lenadose.protocol.protocol import Protocol
    from lenadose.record.course import Course
    from lenadose.terms.facts import Action


def protocol_named(name: str | None) -> "Protocol":
    """Return a protocol by its id, or from a file by its path; the default one for None."""
    from lenadose.protocol.builtin import get_protocol

    if name is None:
        return get_protocol()
    separators = (os.sep, os.altsep or os.sep)
    if name.lower().endswith((".json", ".toml")) or any(sign in name for sign in separators):
        from lenadose.formats.protocol_file import load_protocol

        return load_protocol(name)
    try:
        return get_protocol(name)
    except CallError as error:
        from attrs import evolve

        or_path = ", or give the path of a .toml or .json file"
        raise CallError(evolve(known, fix=known.fix + or_path) for known in error.faults) from None


def decisions_on(path: str, protocol: "Protocol | None") -> "tuple[Decision, ...]":
    """Return the decisions on a course, under *protocol* or the one that the course names."""
    return replayed(path, protocol)[1]


def replayed(path: str, protocol: "Protocol | None") -> "tuple[Course, tuple[Decision, ...]]":
    """Return a course and the decisions on it, as `decisions_on`."""
    from lenadose.engine.machine import replay
    from lenadose.formats.course_json import parse_course
    from lenadose.formats.files import faults_in
    from lenadose.protocol.builtin import BUILT_IN

    content = _content(path)
    with faults_in(path):
        # Under another protocol, the one that the course names need not be built in.
        course = parse_course(content, BUILT_IN if protocol is None else None)
        return course, replay(course, protocol)


def for_each_course(
    paths: list[str],
    protocol_name: str | None,
    show: "Callable[[str, tuple[Decision, ...]], None]",
) -> int:
    """Show the decisions on each course; complain of one that cannot be read, and return 2."""
    return for_each(
        paths, protocol_name, lambda path, protocol: show(path, decisions_on(path, protocol))
    )


def for_each(
    paths: list[str],
    protocol_name: str | None,
    show: "Callable[[str, Protocol | None], None]",
) -> int:
    """Read and show each course; complain of one that is refused, and return 2."""
    if paths.count("-") > 1:
        raise fault(
            "-", "is given more than once", "give files: standard input can be read only once"
        )
    protocol = None if protocol_name is None else protocol_named(protocol_name)
    code = 0
    for path in paths:
        try:
            show(path, protocol)
        except LenadoseError as error:
            sys.stdout.flush()  # so that in a terminal the fault stands in its place
            complain(str(error))
            code = 2
    return code


def _content(path: str) -> bytes:
    from lenadose.formats.files import LARGEST, load

    if path != "-":
        return load(path, "course")
    if sys.stdin is None:
        raise fault("-", "standard input is closed", "give the path of a course file")
    return sys.stdin.buffer.read(LARGEST + 1)


def decision_at(decisions: "tuple[Decision, ...]", day: str) -> "Decision":
    """Return the decision at the visit of a day."""
    for decision in decisions:
        if str(decision.visit.date) == day:
            return decision
    known = ", ".join(str(decision.visit.date) for decision in decisions[-8:])
    last = "the last ones are" if len(decisions) > 8 else "there are"
    raise fault(
        "--visit", f"there is no visit on {describe(day)}", f"give the date of one: {last} {known}"
    )


def action_named(code: str) -> "Action":
    """Return an action by its word in data."""
    from difflib import get_close_matches

    from lenadose.terms.facts import Action

    actions = {action.code: action for action in Action}
    if code in actions:
        return actions[code]
    known = f"known: {', '.join(actions)}"
    near = get_close_matches(code, actions, 1)
    raise fault(
        "--why-not",
        f"unknown action {describe(code)}",
        f"did you mean {near[0]}? {known}" if near else known,
    )
