"""The command line: the parser, and what every command shares.

Exit 0: done; 1: a check failed; 2: the input or the call is wrong, with one line per fault on
standard error; 130: interrupted; 141: the reader of the output had seen enough.

The parser imports nothing else of the library, and each command imports only what it uses, because
the imports are most of what a person waits for.
"""

import argparse
import sys
from collections.abc import Sequence

from lenadose.cli.streams import complain, leave_stdout, use_utf8

TYPE_CHECKING = False  # importing typing for it would take longer than the parser
if TYPE_CHECKING:
    from typing import NoReturn

    from _typeshed import SupportsWrite

INTERRUPTED, BROKEN_PIPE = 130, 141
"""As a shell reports a command that the signal has ended."""

PROTOCOL = "the id of a built-in protocol, or the path of a .toml or .json file"


class _WrongCall(Exception):
    """A call that the parser cannot read."""


class _Parser(argparse.ArgumentParser):
    """A parser that reports its errors like all others: one line, exit 2."""

    def error(self, message: str) -> "NoReturn":
        words = "".join(sign if sign.isprintable() else "?" for sign in message)
        words = words if len(words) <= 300 else f"{words[:300]}..."
        raise _WrongCall(f"call: {words}; see {self.prog} --help")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        # The parser's own way says nothing of a place that is closed or full.
        print(self.format_help(), end="", file=file, flush=True)  # type: ignore[arg-type]  # typed without flush


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lenadose",
        description="Work out the next dosing action from a course of visits, with the reason. "
        "Research and education software, not a medical device.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str, has_data: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        if has_data:
            added.add_argument("--json", action="store_true", help="print data instead of words")
        return added

    def of_course(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
        added.add_argument(
            "course", metavar="COURSE", help="a course file, or - for standard input"
        )
        added.add_argument(
            "--protocol",
            metavar="PROTOCOL",
            help=f"use this instead of the one the course names: {PROTOCOL}",
        )
        return added

    of_course(command("replay", "the decision at every visit of a course"))
    last = of_course(command("next", "the card of the last visit of a course: one screen"))
    last.add_argument("--full", action="store_true", help="the full page, with all reasons")
    explain = of_course(
        command(
            "explain",
            "a decision, the arguments, and the smallest change that leads to each other action",
        )
    )
    explain.add_argument(
        "--visit", metavar="DATE", help="the date of a visit, instead of the last one"
    )
    explain.add_argument("--why-not", metavar="ACTION", help="explain one other action only")
    plot = of_course(
        command("plot", "a course as a picture: dosage, CLASI activity, counts, decisions", False)
    )
    plot.add_argument(
        "-o", dest="picture", metavar="FILE", required=True, help="the .svg or .png file to write"
    )
    show = command("show", "a protocol: its page with the decision table, its diagram, or its data")
    show.add_argument(
        "--as", dest="form", choices=("markdown", "mermaid", "json", "toml"), default="markdown"
    )
    new = command("new", "begin a protocol file that holds only what differs from another", False)
    new.add_argument("file", metavar="FILE", help="the .toml file to write; never written over")
    new.add_argument(
        "--from", dest="base", metavar="PROTOCOL", help="the id of the built-in protocol it is from"
    )
    assumptions = command(
        "assumptions", "the page a clinician signs: everything that the trial does not state"
    )
    verify = command(
        "verify",
        "check the laws on a protocol; exit 1 with the shortest course that breaks each broken one",
    )
    for added in (show, assumptions, verify):
        added.add_argument("protocol", metavar="PROTOCOL", nargs="?", help=PROTOCOL)
    diff = command(
        "diff",
        "compare two protocols, with the shortest course to each difference; exit 1 if they differ",
    )
    for name in ("one", "other"):
        diff.add_argument(name, metavar="PROTOCOL", help=PROTOCOL)
    cohort = command(
        "cohort",
        "the decision at every visit of many patients, from a table; exit 1 if rows are refused",
    )
    cohort.add_argument(
        "visits", metavar="VISITS", help="a .parquet or .csv file with one row for each visit"
    )
    cohort.add_argument(
        "-o", "--out", metavar="OUT", required=True, help="the .parquet or .csv file to write"
    )
    cohort.add_argument("--protocol", metavar="PROTOCOL", help=PROTOCOL)
    command("schema", "the JSON Schema of a document", False).add_argument(
        "document", choices=("course", "decision", "state", "protocol")
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        use_utf8()
        return _run(arguments)
    except _WrongCall as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        complain("interrupted: the command did not finish; run it again")
        return INTERRUPTED
    except BrokenPipeError:
        leave_stdout()  # the reader has seen enough
        return BROKEN_PIPE
    except OSError as error:
        leave_stdout()
        reason = (error.strerror or str(error)).lower()
        complain(f"standard output: {reason}; write the answer to another place")
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    call = _parser().parse_args(arguments)
    if sys.stdout is None:
        complain("standard output: is closed; open it, because the answer is printed there")
        return 2

    from lenadose.cli.commands import COMMANDS
    from lenadose.terms.errors import LenadoseError

    try:
        code = COMMANDS[call.command](call)
    except LenadoseError as error:
        complain(str(error))
        return 2
    sys.stdout.flush()
    return code
