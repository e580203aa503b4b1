"""Certificates in other formats: as data, and as a page that shows each broken law as a patient."""

import json
from collections.abc import Iterator

from ..course import Course
from ..machine import replay
from ..proof import Certificate, Counterexample, Verdict
from ..protocol import Protocol
from ..render import NOT_A_DEVICE, advice, table, verbatim
from .jsonable import Json, course_data, identity


def certificate_data(certificate: Certificate) -> dict[str, Json]:
    """Give a certificate as plain data; the courses in it are course files."""
    return {
        **identity(certificate.protocol),
        "holds": certificate.holds,
        "situations": certificate.situations,
        "states": certificate.states,
        "transitions": certificate.transitions,
        "seconds": round(certificate.seconds, 3),
        "laws": [_verdict(each) for each in certificate.verdicts],
        "notice": NOT_A_DEVICE,
    }


def _verdict(verdict: Verdict) -> Json:
    shown = verdict.counterexample
    return {
        "number": verdict.law.number,
        "name": verdict.law.name,
        "words": verdict.law.words,
        "holds": verdict.holds,
        "situations": verdict.situations,
        "states": verdict.states,
        "transitions": verdict.transitions,
        "counterexample": None
        if shown is None
        else {
            "words": shown.words,
            "rules": list(shown.rules),
            "course": None if shown.course is None else course_data(shown.course),
            "other": None if shown.other is None else course_data(shown.other),
        },
    }


def certificate_page(certificate: Certificate) -> str:
    """Write a certificate in Markdown: the laws and over what each was checked, then every broken one as a patient."""
    return "\n".join(_certificate(certificate)) + "\n"


def _certificate(certificate: Certificate) -> Iterator[str]:
    protocol = certificate.protocol
    broken = [each for each in certificate.verdicts if not each.holds]
    yield f"# {protocol.id} {protocol.version}: {_outcome(certificate)}"
    yield ""
    yield f"{protocol.title}. sha256 `{protocol.hash}`. {NOT_A_DEVICE}"
    yield ""
    yield (
        f"Checked over every state that some course of visits leads to ({certificate.states}) and all that a visit can "
        f"show there ({certificate.transitions} answers, in {certificate.situations} of the "
        f"{sum(1 for _ in protocol.table.situations())} situations of the table), none sampled, in "
        f"{certificate.seconds:.1f} seconds."
    )
    yield ""
    yield from table(
        ("law", "words", "holds", "situations", "states", "checks"),
        (
            (
                f"{each.law.number} {each.law.name}",
                each.law.words,
                "yes" if each.holds else "**no**",
                str(each.situations),
                str(each.states),
                str(each.transitions),
            )
            for each in certificate.verdicts
        ),
    )
    for verdict in broken:
        shown = verdict.counterexample
        assert shown is not None
        yield ""
        yield from _counterexample(protocol, verdict, shown)


def _outcome(certificate: Certificate) -> str:
    broken = sum(1 for each in certificate.verdicts if not each.holds)
    laws = len(certificate.verdicts)
    return f"all {laws} laws hold" if not broken else f"{broken} of {laws} laws broken"


def _counterexample(protocol: Protocol, verdict: Verdict, shown: Counterexample) -> Iterator[str]:
    rows = ", ".join(f"`{each}`" for each in shown.rules)
    yield f"## Law {verdict.law.number}, {verdict.law.name}, is broken"
    yield ""
    yield f"{verdict.law.words} Here: **{verbatim(shown.words)}**. Rows involved: {rows}."
    if shown.course is not None:
        yield ""
        yield from course_table(protocol, shown.course)
    if shown.other is not None:
        yield ""
        yield "Compared with the same patient, shown otherwise at the last visit:"
        yield ""
        yield from course_table(protocol, shown.other)
    if shown.course is not None:
        yield ""
        yield "The course, as a file for `lenadose replay COURSE --protocol PROTOCOL`:"
        yield ""
        yield from course_block(shown.course)


def course_table(protocol: Protocol, course: Course) -> Iterator[str]:
    """Write a course as it is decided by a protocol: what each visit showed, and what was said to it."""
    yield from table(
        ("visit", "shown", "decision", "rule"),
        (
            (
                str(each.visit.date),
                verbatim(
                    f"CLASI activity {'not known' if each.visit.clasi_activity is None else each.visit.clasi_activity}"
                    f"{f', judged {each.visit.judgement.response.said}' if each.visit.judgement else ''}; "
                    f"response {each.facts.response.said}, safety {each.facts.safety.said}, {each.facts.timing.said}, "
                    f"position {each.facts.position.said}"
                ),
                advice(each),
                f"`{each.rule.id}`",
            )
            for each in replay(course, protocol)
        ),
    )


def course_block(course: Course) -> Iterator[str]:
    """Write a course as the JSON of a course file."""
    yield "```json"
    yield json.dumps(course_data(course), indent=1, ensure_ascii=False)
    yield "```"
