"""The commands: each reads, calls the library, prints, and returns its exit code.

Every command imports what it uses inside its function.
"""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from lenadose.cli.streams import complain
from lenadose.terms.errors import CallError, describe, fault

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import AbstractContextManager
    from types import ModuleType

    from lenadose.engine.machine import Decision
    from lenadose.protocol.protocol import Protocol
    from lenadose.report.card import Card
    from lenadose.terms.facts import Action

_MAX_LISTED = 20
"""Refused rows listed one by one; all of them are in the result."""


def _replay(call: "Namespace") -> int:
    decisions = _decisions(call)
    protocol = decisions[-1].protocol
    if call.json:
        from lenadose.formats.decision_json import replay_data

        _print_data(replay_data(protocol, decisions))
    else:
        _terminal().print_decisions(protocol, decisions)
    return 0


def _next(call: "Namespace") -> int:
    last = _decisions(call)[-1]
    if call.json:
        from lenadose.formats.decision_json import decision_data

        _print_data(decision_data(last))
    elif call.full:
        from lenadose.report.decision import explain

        _print_page(explain(last))
    else:
        from lenadose.report.card import card

        _print_card(card(last))
    return 0


def _explain(call: "Namespace") -> int:
    decisions = _decisions(call)
    decision = decisions[-1] if call.visit is None else _decision_on(decisions, call.visit)
    action = None if call.why_not is None else _action(call.why_not)
    if call.json:
        from lenadose.formats.decision_json import contrast_data

        _print_data(contrast_data(decision, action))
    else:
        from lenadose.report.why_not import explain_contrast, explain_why_not

        _print_page(
            explain_contrast(decision) if action is None else explain_why_not(decision, action)
        )
    return 0


def _plot(call: "Namespace") -> int:
    from lenadose.formats.files import check_output

    try:
        from lenadose import plot
    except ModuleNotFoundError:
        raise fault(
            "matplotlib", "is not installed, and pictures need it", "install lenadose[plot]"
        ) from None
    check_output(call.picture, call.course, call.protocol)
    plot.save(plot.draw_course(_decisions(call)), call.picture)
    return 0


def _show(call: "Namespace") -> int:
    protocol = protocol_named(call.protocol)
    match "json" if call.json else call.form:
        case "json":
            _print_data(protocol.data)
        case "mermaid":
            from lenadose.report.protocol import diagram

            print(diagram(protocol), end="")
        case "toml":
            try:
                from lenadose.cli.toml import protocol_toml
            except ModuleNotFoundError:
                raise fault(
                    "tomli-w",
                    "is not installed, and writing TOML needs it",
                    "install lenadose[cli], or print --as json",
                ) from None
            print(protocol_toml(protocol), end="")
        case _:
            from lenadose.report.protocol import protocol_page

            _print_page(protocol_page(protocol))
    return 0


def _new(call: "Namespace") -> int:
    """Write the beginning of a protocol file; one that is there is never written over."""
    from pathlib import Path

    from lenadose.cli.new_protocol import new_protocol
    from lenadose.formats.files import format_path, open_output
    from lenadose.protocol.builtin import BUILT_IN, get_protocol, unknown_protocol

    place = format_path(call.file)
    if call.base is not None and call.base not in BUILT_IN:
        fix = f"{unknown_protocol(call.base).fix}; a file cannot be based on another, copy it"
        raise fault("--from", f"{describe(call.base)} is not a built-in protocol", fix)
    base = get_protocol() if call.base is None else get_protocol(call.base)
    if not call.file.lower().endswith(".toml"):
        raise fault(place, "is not named .toml", "name the file by what is written in it, .toml")
    if os.path.lexists(call.file):
        raise fault(place, "is there already", "give another path; the file is kept as it is")
    try:
        with open_output(call.file) as file:
            file.write(new_protocol(Path(call.file), base).encode())
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "is not a path").lower()
        raise fault(place, reason, "give a path that can be written") from None
    print(f"{place}: based on {base.name}; edit it, then run lenadose verify {place}")
    return 0


def _assumptions(call: "Namespace") -> int:
    protocol = protocol_named(call.protocol)
    if call.json:
        from lenadose.formats.decision_json import ledger_data

        _print_data(ledger_data(protocol))
    else:
        from lenadose.report.protocol import assumptions

        _print_page(assumptions(protocol))
    return 0


def _verify(call: "Namespace") -> int:
    from lenadose.report.verification import certificate_data, certificate_page
    from lenadose.verification.certificate import verify

    protocol, began = protocol_named(call.protocol), perf_counter()
    certificate = verify(protocol)
    if sys.stderr.isatty():  # not on the page, which is the same each time
        print(f"checked in {perf_counter() - began:.1f} seconds", file=sys.stderr)
    if call.json:
        _print_data(certificate_data(certificate))
    else:
        _print_page(certificate_page(certificate))
    return 0 if certificate.holds else 1


def _diff(call: "Namespace") -> int:
    from lenadose.report.verification import comparison_data, comparison_page
    from lenadose.verification.compare import compare

    comparison = compare(protocol_named(call.one), protocol_named(call.other))
    if call.json:
        _print_data(comparison_data(comparison))
    else:
        _print_page(comparison_page(comparison))
    return 0 if comparison.same else 1


def _cohort(call: "Namespace") -> int:
    """Decide for a table of visits and list the rows refused; return 1 if there are any."""
    try:
        from lenadose.cohort import decide
        from lenadose.cohort.files import kind_of, read_table, write_table
        from lenadose.cohort.frames import row_of
    except ModuleNotFoundError as error:
        raise fault(
            str(error.name), "is not installed, and a cohort needs it", "install lenadose[cohort]"
        ) from None
    from lenadose.formats.decision_json import identity
    from lenadose.formats.files import check_output, faults_in
    from lenadose.terms.disclaimer import NOT_A_DEVICE

    kind_of(call.out)
    check_output(call.out, call.visits, call.protocol)
    protocol = protocol_named(call.protocol)
    visits = read_table(call.visits)
    with faults_in(call.visits), _progress("visits") as progress:
        decisions = decide(visits, protocol, progress)
    write_table(decisions, call.out)
    reasons = decisions.column("refused")
    refused = reasons.length() - reasons.null_count
    if call.json:
        _print_data(
            {
                **identity(protocol),
                "visits": len(decisions),
                "refused": refused,
                "limits": protocol.evidence,
                "notice": NOT_A_DEVICE,
            }
        )
    else:
        by = f"{protocol.id} {protocol.version}, sha256 {protocol.hash}"
        print(f"{len(decisions)} visits, {refused} refused, by {by}")
        print(f"{protocol.evidence}\n{NOT_A_DEVICE}")
    listed = decisions.select(["patient", "date", "refused"]).filter(reasons.is_valid())
    for number in range(min(refused, _MAX_LISTED)):
        row = row_of(listed, number)
        complain(f"{describe(row['patient'])}, {row['date']}: {row['refused']}")
    if refused > _MAX_LISTED:
        complain(f"{refused - _MAX_LISTED} more are in the column refused")
    return 1 if refused else 0


def _schema(call: "Namespace") -> int:
    from lenadose.formats.schema import SCHEMAS

    _print_data(SCHEMAS[call.document]())
    return 0


COMMANDS: "dict[str, Callable[[Namespace], int]]" = {
    "replay": _replay,
    "next": _next,
    "explain": _explain,
    "plot": _plot,
    "show": _show,
    "new": _new,
    "assumptions": _assumptions,
    "verify": _verify,
    "diff": _diff,
    "cohort": _cohort,
    "schema": _schema,
}


# Reading


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


def _decisions(call: "Namespace") -> "tuple[Decision, ...]":
    from lenadose.engine.machine import replay
    from lenadose.formats.course_json import parse_course
    from lenadose.formats.files import faults_in
    from lenadose.protocol.builtin import BUILT_IN

    # Under another protocol, the one that the course names need not be built in.
    protocol = None if call.protocol is None else protocol_named(call.protocol)
    content = _content(call.course)
    with faults_in(call.course):
        course = parse_course(content, BUILT_IN if protocol is None else None)
        return replay(course, protocol)


def _content(path: str) -> bytes:
    from lenadose.formats.files import LARGEST, load

    if path != "-":
        return load(path, "course")
    if sys.stdin is None:
        raise fault("-", "standard input is closed", "give the path of a course file")
    return sys.stdin.buffer.read(LARGEST + 1)


def _decision_on(decisions: "tuple[Decision, ...]", day: str) -> "Decision":
    """Return the decision at the visit of a day."""
    for decision in decisions:
        if str(decision.visit.date) == day:
            return decision
    known = ", ".join(str(decision.visit.date) for decision in decisions[-8:])
    last = "the last ones are" if len(decisions) > 8 else "there are"
    raise fault(
        "--visit", f"there is no visit on {describe(day)}", f"give the date of one: {last} {known}"
    )


def _action(code: str) -> "Action":
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


# Printing


def _print_data(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _print_page(markdown: str) -> None:
    """Print Markdown: formatted in a terminal, unchanged into a file or a pipe."""
    if sys.stdout.isatty():
        _terminal().print_page(markdown)
    else:
        print(markdown, end="")


def _print_card(card: "Card") -> None:
    """Print a card: its headline underlined by colour in a terminal, plain text elsewhere."""
    if sys.stdout.isatty():
        _terminal().print_card(card)
    else:
        print(card)


def _terminal() -> "ModuleType":
    try:
        from lenadose.cli import terminal
    except ModuleNotFoundError:
        raise fault(
            "rich", "is not installed, and tables need it", "install lenadose[cli], or add --json"
        ) from None
    return terminal


def _progress(words: str) -> "AbstractContextManager[Callable[[int, int], None] | None]":
    """Show progress if standard error is a terminal and rich is installed."""
    from contextlib import nullcontext, suppress

    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(CallError):
            return _terminal().progress_of(words)  # type: ignore[no-any-return]  # of a module
    return nullcontext()
