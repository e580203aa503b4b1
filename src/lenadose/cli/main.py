# PYTHON_ARGCOMPLETE_OK
"""The command line: the parser, and what every command shares.

Exit 0: done; 1: a check failed; 2: the input or the call is wrong, with one line per fault on
standard error; 130: interrupted; 141: the reader of the output had seen enough.

The parser imports nothing else of the library, and each command imports only what it uses, because
the imports are most of what a person waits for.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from lenadose.cli.streams import complain, leave_stdout, use_utf8

TYPE_CHECKING = False  # importing typing for it would take longer than the parser
if TYPE_CHECKING:
    from typing import NoReturn

    from _typeshed import SupportsWrite

INTERRUPTED, BROKEN_PIPE = 130, 141
"""As a shell reports a command that the signal has ended."""

COURSE = "a course file, or - for standard input"
SEVERAL = (
    ". Of several, --json prints a list, in which each begins with its course; one that is refused "
    "does not hide the others, but the exit code is 2."
)
PROTOCOL = "the id of a built-in protocol, or the path of a .toml or .json file"
INSTEAD = f"use this instead of the one the course names: {PROTOCOL}"


IMPORT = """\
Read tables (CSV, Parquet, SAS transport) or FHIR R4 (a Bundle, NDJSON, a folder of resources), each
file by its content, and write a course for each patient.

CDISC SDTM (LB, AE, EX, VS and DM, given together) and the table of `lenadose cohort` are read as
they are; other tables need a mapping file. A visit is a day with a CLASI score, or one that a row
or an encounter calls a visit; a dangerous result or event on another day is a visit of its own;
other results keep their dates and are given at the next visit. Nothing is inferred: what is missing
stays missing, and what cannot be read makes unknown what it would have changed.

COURSES is a folder, new or empty, for one .json file a patient; or a .json file, if there is one
patient. Exit 0: everything that is needed was used; 1: something was not, or a patient was refused;
2: nothing could be written. Research and education software, not a medical device.
"""

SERVE = """\
Serve CDS Hooks 2.0.1: patient-view, order-select and order-sign for lenalidomide. GET /cds-services
lists the services; GET /health says that it runs. It does not authenticate: put it behind a gateway
that does. Research and education software, not a medical device.
"""


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


class _Version(argparse.Action):
    """Print the version, which is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> "NoReturn":
        import lenadose

        print(f"{parser.prog} {lenadose.__version__}", flush=True)
        parser.exit()


def _built_in(**_: object) -> tuple[str, ...]:
    """Return the ids that a shell completes."""
    from lenadose.protocol.builtin import BUILT_IN

    return tuple(BUILT_IN)


def _protocols(prefix: str, **_: object) -> tuple[str, ...]:
    """Return the ids and files that a shell completes."""
    from argcomplete.completers import FilesCompleter

    return *_built_in(), *FilesCompleter(("toml", "json"))(prefix)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lenadose",
        description="Work out the next dosing action from a course of visits, with the reason. "
        "Research and education software, not a medical device.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, words: str, has_data: bool = True, words_more: str = ""
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=f"{words}{words_more}")
        if has_data:
            added.add_argument("--json", action="store_true", help="print data instead of words")
        return added

    def with_protocol(
        added: argparse.ArgumentParser, name: str, words: str = PROTOCOL, nargs: str | None = None
    ) -> None:
        action = added.add_argument(name, metavar="PROTOCOL", help=words, nargs=nargs)
        action.completer = _protocols  # type: ignore[attr-defined]  # which argcomplete looks for

    def of_course(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
        added.add_argument("course", metavar="COURSE", help=COURSE)
        with_protocol(added, "--protocol", INSTEAD)
        return added

    def of_courses(name: str, words: str) -> argparse.ArgumentParser:
        added = command(name, words, words_more=SEVERAL)
        added.add_argument("courses", metavar="COURSE", nargs="+", help=COURSE)
        added.add_argument(
            "--as",
            dest="form",
            choices=("fhir",),
            help="print the course and the proposals as a FHIR R4 Bundle; of several, one a line",
        )
        with_protocol(added, "--protocol", INSTEAD)
        return added

    of_courses("replay", "the decision at every visit of each course")
    last = of_courses("next", "the card of the last visit of each course: one screen")
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
    plot = command("plot", "a course on one screen, or several as the rows of one picture", False)
    plot.add_argument("courses", metavar="COURSE", nargs="+", help=COURSE)
    with_protocol(plot, "--protocol", INSTEAD)
    plot.add_argument(
        "--size",
        choices=("screen", "a5"),
        default="screen",
        help="1200 by 700 pixels, or A5 landscape to print",
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
    base = new.add_argument(
        "--from", dest="base", metavar="PROTOCOL", help="the id of the built-in protocol it is from"
    )
    base.completer = _built_in  # type: ignore[attr-defined]  # as above
    assumptions = command(
        "assumptions", "the page a clinician signs: everything that the trial does not state"
    )
    verify = command(
        "verify",
        "check the laws on a protocol; exit 1 with the shortest course that breaks each broken one",
    )
    for added in (show, assumptions, verify):
        with_protocol(added, "protocol", nargs="?")
    verify.add_argument("--full", action="store_true", help="print every law with its counts")
    diff = command(
        "diff",
        "compare two protocols, with the shortest course to each difference; exit 1 if they differ",
    )
    for name in ("one", "other"):
        with_protocol(diff, name)
    diff.add_argument(
        "--full", action="store_true", help="print every kind of disagreement with its course"
    )
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
    with_protocol(cohort, "--protocol")
    imports = command("import", "courses from tables or FHIR R4, with an account of every record")
    imports.description = IMPORT
    imports.formatter_class = argparse.RawDescriptionHelpFormatter
    imports.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="a table, FHIR resources, or a folder of them; all are read together",
    )
    imports.add_argument(
        "--map", metavar="MAP", help="a .toml file: which columns, codes, units and words mean what"
    )
    imports.add_argument(
        "-o", "--out", metavar="COURSES", required=True, help="the folder or .json file to write"
    )
    imports.add_argument(
        "--explain",
        action="store_true",
        help="print for every row and resource how it was used, or why it was left out",
    )
    served = command("serve", "serve CDS Hooks: the card in an electronic health record", False)
    served.description = SERVE
    served.formatter_class = argparse.RawDescriptionHelpFormatter
    served.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    served.add_argument("--port", type=int, default=8000, help="the port (default: %(default)s)")
    served.add_argument(
        "--workers", metavar="N", type=int, default=1, help="processes (default: %(default)s)"
    )
    served.add_argument(
        "--feedback", metavar="FILE", help="keep what users did with cards in this SQLite file"
    )
    served.add_argument(
        "--allow-origin",
        dest="origins",
        metavar="URL",
        action="append",
        default=[],
        help="an origin whose pages a browser lets call; may be given several times",
    )
    command("feedback", "print the feedback that `lenadose serve` kept, as CSV").add_argument(
        "file", metavar="FILE", help="the SQLite file of --feedback"
    )
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
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # which a shell sets to ask for completions
        from argcomplete import autocomplete

        autocomplete(parser, always_complete_options=False)
    call = parser.parse_args(arguments)
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
