"""The commands: each reads, calls the library, prints, and returns its exit code.

Every command imports what it uses inside its function.
"""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lenadose.cli.printing import course_lines, print_card, print_data, print_page, progress_of
from lenadose.cli.reading import (
    action_named,
    decision_at,
    decisions_on,
    for_each_course,
    protocol_named,
)
from lenadose.cli.streams import complain
from lenadose.terms.errors import describe, fault

if TYPE_CHECKING:
    from argparse import Namespace

    from lenadose.engine.machine import Decision
    from lenadose.formats.course_json import Json
    from lenadose.protocol.protocol import Protocol

_MAX_LISTED = 20
"""Refused rows listed one by one; all of them are in the result."""


def _replay(call: "Namespace") -> int:
    if call.form == "fhir":
        from lenadose.cli.fhir import print_bundles

        return print_bundles(call, lambda decisions: decisions)
    if call.json:
        from lenadose.formats.decision_json import replay_data

        return _print_each(call, lambda decisions: replay_data(decisions[-1].protocol, decisions))
    lines, several = course_lines(), len(call.courses) > 1
    protocols: list[Protocol] = []

    def show(path: str, decisions: "tuple[Decision, ...]") -> None:
        lines.print_decisions(decisions, path if several else None)
        protocols.append(decisions[-1].protocol)

    code = for_each_course(call.courses, call.protocol, show)
    lines.print_limits(protocols)
    return code


def _next(call: "Namespace") -> int:
    if call.form == "fhir":
        from lenadose.cli.fhir import print_bundles

        return print_bundles(call, lambda decisions: decisions[-1:])
    if call.json:
        from lenadose.formats.decision_json import decision_data

        return _print_each(call, lambda decisions: decision_data(decisions[-1]))
    from lenadose.formats.files import format_path
    from lenadose.report.card import card
    from lenadose.report.decision import explain

    def show(path: str, decisions: "tuple[Decision, ...]") -> None:
        if len(call.courses) > 1:
            print(f"{format_path(path)}:\n")
        if call.full:
            print_page(explain(decisions[-1]))
        else:
            print_card(card(decisions[-1]))
        if len(call.courses) > 1:
            print()

    return for_each_course(call.courses, call.protocol, show)


def _print_each(
    call: "Namespace", data_of: "Callable[[tuple[Decision, ...]], dict[str, Json]]"
) -> int:
    """Print the data of a course; of several a list, in which each begins with its course."""
    read: list[tuple[str, dict[str, Json]]] = []
    code = for_each_course(
        call.courses,
        call.protocol,
        lambda path, decisions: read.append((path, data_of(decisions))),
    )
    if len(call.courses) > 1:
        print_data([{"course": path, **data} for path, data in read])
    elif read:
        print_data(read[0][1])
    return code


def _explain(call: "Namespace") -> int:
    decisions = _decisions(call)
    decision = decisions[-1] if call.visit is None else decision_at(decisions, call.visit)
    action = None if call.why_not is None else action_named(call.why_not)
    if call.json:
        from lenadose.formats.decision_json import contrast_data

        print_data(contrast_data(decision, action))
    else:
        from lenadose.report.why_not import explain_contrast, explain_why_not

        print_page(
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
    check_output(call.picture, *call.courses, call.protocol)
    protocol = None if call.protocol is None else protocol_named(call.protocol)
    page = plot.A5 if call.size == "a5" else plot.SCREEN
    if len(call.courses) == 1:
        picture = plot.draw_course(decisions_on(call.courses[0], protocol), page)
    else:
        drawn = {
            name: decisions_on(path, protocol) for name, path in _names_of(call.courses).items()
        }
        picture = plot.draw_courses(drawn, page)
    plot.save(picture, call.picture)
    return 0


def _names_of(paths: list[str]) -> dict[str, str]:
    """Return the courses by the names of their files, or by their paths where two share a name."""
    from pathlib import Path

    for path in paths:
        if paths.count(path) > 1:
            raise fault(path, "is given more than once", "give each course once")
    names = {Path(path).stem: path for path in paths}
    return names if len(names) == len(paths) else {path: path for path in paths}


def _show(call: "Namespace") -> int:
    protocol = protocol_named(call.protocol)
    match "json" if call.json else call.form:
        case "json":
            print_data(protocol.data)
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

            print_page(protocol_page(protocol))
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

        print_data(ledger_data(protocol))
    else:
        from lenadose.report.protocol import assumptions

        print_page(assumptions(protocol))
    return 0


def _verify(call: "Namespace") -> int:
    from lenadose.report.summaries import certificate_summary
    from lenadose.report.verification import broken_laws, certificate_data, certificate_page
    from lenadose.verification.certificate import verify

    protocol = protocol_named(call.protocol)
    with progress_of("states looked at, of those known", is_search=True) as progress:
        certificate = verify(protocol, progress)
    if call.json:
        print_data(certificate_data(certificate))
    elif call.full:
        print_page(certificate_page(certificate))
    else:
        print(certificate_summary(certificate), end="")
        if not certificate.holds:
            print_page("\n".join(broken_laws(certificate, with_files=False)) + "\n")
    return 0 if certificate.holds else 1


def _diff(call: "Namespace") -> int:
    from lenadose.report.summaries import comparison_summary
    from lenadose.report.verification import comparison_data, comparison_page
    from lenadose.verification.compare import compare

    one, other = protocol_named(call.one), protocol_named(call.other)
    with progress_of("states looked at, of those known", is_search=True) as progress:
        comparison = compare(one, other, progress)
    if call.json:
        print_data(comparison_data(comparison))
    elif call.full:
        print_page(comparison_page(comparison))
    else:
        print(comparison_summary(comparison), end="")
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
    with faults_in(call.visits), progress_of("visits", is_search=False) as progress:
        decisions = decide(visits, protocol, progress)
    write_table(decisions, call.out)
    reasons = decisions.column("refused")
    refused = reasons.length() - reasons.null_count
    if call.json:
        print_data(
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


def _import(call: "Namespace") -> int:
    from lenadose.cli.importing import run

    return run(call)


def _serve(call: "Namespace") -> int:
    from lenadose.cli.serving import serve

    return serve(call)


def _feedback(call: "Namespace") -> int:
    from lenadose.cli.serving import feedback

    return feedback(call)


def _schema(call: "Namespace") -> int:
    from lenadose.formats.schema import SCHEMAS

    print_data(SCHEMAS[call.document]())
    return 0


def _decisions(call: "Namespace") -> "tuple[Decision, ...]":
    protocol = None if call.protocol is None else protocol_named(call.protocol)
    return decisions_on(call.course, protocol)


COMMANDS: "Mapping[str, Callable[[Namespace], int]]" = MappingProxyType(
    {
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
        "import": _import,
        "serve": _serve,
        "feedback": _feedback,
        "schema": _schema,
    }
)
