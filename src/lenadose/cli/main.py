"""The command line: thin, it reads, calls the library and prints.

Exit 0: done; 1: a check found a fault; 2: the input or the call is wrong, with one line a fault on standard error.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from attrs import evolve

from lenadose.engine.machine import replay
from lenadose.formats.course_json import load_course, parse_course
from lenadose.formats.decision_json import (
    contrast_data,
    decision_data,
    identity,
    ledger_data,
    replay_data,
)
from lenadose.formats.protocol_file import load_protocol
from lenadose.formats.reader import LARGEST
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN, DEFAULT, get_protocol
from lenadose.report.decision import explain, explain_contrast, explain_why_not
from lenadose.report.protocol import assumptions, diagram, sheet
from lenadose.report.verification import (
    certificate_data,
    certificate_page,
    comparison_data,
    comparison_page,
)
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.errors import CallError, LenadoseError, describe, fault
from lenadose.terms.facts import Action
from lenadose.verification.certificate import verify
from lenadose.verification.compare import compare

if TYPE_CHECKING:
    from lenadose.engine.machine import Decision
    from lenadose.protocol.protocol import Protocol
    from lenadose.record.course import Course

ACTIONS = ", ".join(each.code for each in Action)
PROTOCOL = f"{', '.join(BUILT_IN)}, or the path of a .toml or .json file"

MOST_TOLD = 20
"""Refused rows that are told one by one; all are in the result."""


class _Parser(argparse.ArgumentParser):
    """A parser whose own faults are told like any other: one line, exit 2."""

    def error(self, message: str) -> NoReturn:
        words = "".join(each if each.isprintable() else "?" for each in message)
        raise fault(
            "call", words if len(words) <= 300 else f"{words[:300]}...", f"see {self.prog} --help"
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lenadose",
        description="From a course of visits to the next dosing action, with its reason. "
        "Research and education software, not a medical device.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        if name not in ("schema", "plot"):
            added.add_argument("--json", action="store_true", help="data instead of words")
        return added

    for name, words in (
        ("replay", "the decision at every visit of a course"),
        ("next", "the decision at the last visit of a course, in full"),
        (
            "explain",
            "a decision, the arguments, and the least that would have to change for every other action",
        ),
    ):
        added = command(name, words)
        added.add_argument(
            "course", metavar="COURSE", help="a course file, or - for standard input"
        )
        added.add_argument(
            "--protocol",
            metavar="PROTOCOL",
            help=f"instead of the one the course names: {PROTOCOL}",
        )
        if name == "explain":
            added.add_argument(
                "--visit", metavar="DATE", help="the date of a visit, instead of the last one"
            )
            added.add_argument(
                "--why-not", metavar="ACTION", help=f"of one other action alone: {ACTIONS}"
            )
    added = command(
        "plot", "the course of a patient as a picture: dosage, CLASI activity, counts, decisions"
    )
    added.add_argument("course", metavar="COURSE", help="a course file, or - for standard input")
    added.add_argument(
        "-o",
        dest="picture",
        metavar="FILE",
        required=True,
        help="where to draw it, a .svg or .png file",
    )
    added.add_argument(
        "--protocol", metavar="PROTOCOL", help=f"instead of the one the course names: {PROTOCOL}"
    )
    for name, words in (
        ("show", "a protocol: its sheet with the decision table, its diagram, or its data"),
        ("assumptions", "the page a clinician signs: all that the trial does not state"),
        (
            "verify",
            "the laws held against a protocol; exit 1 with the shortest course for each that is broken",
        ),
    ):
        added = command(name, words)
        added.add_argument(
            "protocol", metavar="PROTOCOL", nargs="?", default=DEFAULT, help=PROTOCOL
        )
        if name == "show":
            added.add_argument(
                "--as", dest="form", choices=("markdown", "mermaid", "json"), default="markdown"
            )
    added = command(
        "diff",
        "two protocols compared, with the shortest course for each disagreement; exit 1 if they differ",
    )
    for name in ("one", "other"):
        added.add_argument(name, metavar="PROTOCOL", help=PROTOCOL)
    added = command(
        "cohort",
        "the decision at every visit of many patients, from a table; exit 1 if rows are refused",
    )
    added.add_argument(
        "visits", metavar="VISITS", help="a .parquet or .csv file with one row for each visit"
    )
    added.add_argument(
        "-o", "--out", metavar="OUT", required=True, help="where the decisions go: .parquet or .csv"
    )
    added.add_argument("--protocol", metavar="PROTOCOL", default=DEFAULT, help=PROTOCOL)
    command("schema", "the JSON Schema of a document").add_argument(
        "document", choices=tuple(SCHEMAS)
    )
    return parser


def protocol_named(given: str) -> "Protocol":
    """Give the protocol that a command names: a built-in one by its id, or one from a file by its path."""
    if given.lower().endswith((".json", ".toml")) or any(
        each in given for each in (os.sep, os.altsep) if each
    ):
        return load_protocol(given)
    try:
        return get_protocol(given)
    except CallError as error:
        fix = ", or give the path of a .toml or .json file"
        raise CallError(evolve(each, fix=each.fix + fix) for each in error.faults) from None


def _course(path: str, protocols: Container[str] | None) -> "Course":
    if path == "-":
        if sys.stdin is None:
            raise fault("-", "standard input is closed", "give the path of a course file")
        return parse_course(sys.stdin.buffer.read(LARGEST + 1), protocols)
    return load_course(path, protocols)


def _print_data(data: object) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _print_page(markdown: str) -> None:
    """Print Markdown: formatted in a terminal, as it is into a file or a pipe."""
    if not sys.stdout.isatty():
        print(markdown, end="")
        return
    _terminal().print_page(markdown)


def _terminal() -> ModuleType:
    try:
        from lenadose.cli import terminal
    except ModuleNotFoundError:
        raise fault(
            "rich", "is not installed, and tables need it", "install lenadose[cli], or add --json"
        ) from None
    return terminal


def _plot() -> ModuleType:
    try:
        from lenadose import plot
    except ModuleNotFoundError:
        raise fault(
            "matplotlib", "is not installed, and pictures need it", "install lenadose[plot]"
        ) from None
    return plot


def _run(call: argparse.Namespace) -> int:
    """Run one command; give 1 where a check found a fault, else 0."""
    match call.command:
        case "schema":
            _print_data(SCHEMAS[call.document]())
        case "show":
            _show(protocol_named(call.protocol), "json" if call.json else call.form)
        case "assumptions":
            by = protocol_named(call.protocol)
            _print_data(ledger_data(by)) if call.json else _print_page(assumptions(by))
        case "verify":
            certificate = verify(protocol_named(call.protocol))
            _print_data(certificate_data(certificate)) if call.json else _print_page(
                certificate_page(certificate)
            )
            return 0 if certificate.holds else 1
        case "diff":
            found = compare(protocol_named(call.one), protocol_named(call.other))
            _print_data(comparison_data(found)) if call.json else _print_page(
                comparison_page(found)
            )
            return 0 if found.same else 1
        case "cohort":
            return _decide_cohort(call)
        case _:
            _decide(call)
    return 0


def _decide_cohort(call: argparse.Namespace) -> int:
    """Decide on a table of visits; tell the rows that were refused, and give 1 if there are any."""
    try:
        from lenadose.cohort import decide
        from lenadose.cohort.files import kind_of, read_table, write_table
    except ModuleNotFoundError as error:
        raise fault(
            str(error.name), "is not installed, and a cohort needs it", "install lenadose[cohort]"
        ) from None
    by = protocol_named(call.protocol)
    kind_of(call.out)
    visits = read_table(call.visits)
    with _progress("visits") as progress:
        decisions = decide(visits, by, progress)
    write_table(decisions, call.out)
    reasons = decisions.column("refused")
    refused = reasons.length() - reasons.null_count
    if call.json:
        _print_data(
            {
                **identity(by),
                "visits": len(decisions),
                "refused": refused,
                "limits": by.evidence,
                "notice": NOT_A_DEVICE,
            }
        )
    else:
        print(
            f"{len(decisions)} visits, {refused} refused, by {by.id} {by.version}, sha256 {by.hash}"
        )
        print(f"{by.evidence}\n{NOT_A_DEVICE}")
    told = (
        decisions.select(["patient", "date", "refused"])
        .filter(reasons.is_valid())
        .slice(0, MOST_TOLD)
        .to_pylist()
    )
    for each in told:
        _complain(f"{describe(each['patient'])}, {each['date']}: {each['refused']}")
    if refused > len(told):
        _complain(f"{refused - len(told)} more are in the column refused")
    return 1 if refused else 0


def _progress(words: str) -> AbstractContextManager[Callable[[int, int], None] | None]:
    """Show progress where somebody looks, and something can show it."""
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(CallError):
            return _terminal().progress_of(words)  # type: ignore[no-any-return]  # a module loaded when needed
    return nullcontext()


def _show(by: "Protocol", form: str) -> None:
    match form:
        case "json":
            _print_data(by.data)
        case "mermaid":
            print(diagram(by), end="")
        case _:
            _print_page(sheet(by))


def _decide(call: argparse.Namespace) -> None:
    other = protocol_named(call.protocol) if call.protocol is not None else None
    # Read by another protocol, a course may name any.
    decisions = replay(_course(call.course, None if other else BUILT_IN), other)
    by, last = decisions[-1].protocol, decisions[-1]
    match call.command:
        case "replay":
            _print_data(replay_data(by, decisions)) if call.json else _terminal().print_decisions(
                by, decisions
            )
        case "next":
            _print_data(decision_data(last)) if call.json else _print_page(explain(last))
        case "plot":
            _plot().save(_plot().draw_course(decisions), call.picture)
        case _:
            _explain(
                last if call.visit is None else _visit(decisions, call.visit),
                call.why_not,
                call.json,
            )


def _explain(decision: "Decision", why_not: str | None, as_data: bool) -> None:
    action = (
        None if why_not is None else next((each for each in Action if each.code == why_not), None)
    )
    if why_not is not None and action is None:
        near = get_close_matches(why_not, [each.code for each in Action], 1)
        fix = f"did you mean {near[0]}? known: {ACTIONS}" if near else f"known: {ACTIONS}"
        raise fault("--why-not", f"{describe(why_not)} is no action", fix)
    if as_data:
        _print_data(contrast_data(decision, action))
    else:
        _print_page(
            explain_contrast(decision) if action is None else explain_why_not(decision, action)
        )


def _visit(decisions: "tuple[Decision, ...]", day: str) -> "Decision":
    """Give the decision at the visit of a day."""
    for each in decisions:
        if str(each.visit.date) == day:
            return each
    known = ", ".join(str(each.visit.date) for each in decisions[-8:])
    last = "the last ones are" if len(decisions) > 8 else "there are"
    raise fault(
        "--visit", f"there is no visit on {describe(day)}", f"give the date of one: {last} {known}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="replace"
            )  # a terminal that cannot show ≥ shows ? instead of failing
    try:
        call = _parser().parse_args(arguments)
        if sys.stdout is None:
            raise fault("standard output", "is closed", "open it: the answer is printed there")
        code = _run(call)
        sys.stdout.flush()
    except LenadoseError as error:
        _complain(str(error))
        return 2
    except BrokenPipeError:
        _leave_stdout()  # the reader has seen enough
        return 0
    except OSError as error:
        _leave_stdout()
        _complain(
            f"standard output: {(error.strerror or str(error)).lower()}; give the answer another place to go"
        )
        return 2
    return code


def _complain(words: str) -> None:
    # With standard error closed, print would turn to standard output, where only answers go.
    if sys.stderr is not None:
        with suppress(OSError):
            print(words, file=sys.stderr, flush=True)


def _leave_stdout() -> None:
    """Let Python close standard output at exit without complaining once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
