"""Certificates and comparisons as data and as pages, each finding as a patient."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain

from lenadose.engine.machine import Decision, replay
from lenadose.explanation.headlines import advice
from lenadose.formats.course_json import Json, course_data
from lenadose.formats.decision_json import decision_data, identity
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.record.visit import TestResult, Visit
from lenadose.report.course import next_visit
from lenadose.report.markdown import cite, escape, escape_line, markdown_table
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.verification.certificate import Certificate, Counterexample, Verdict
from lenadose.verification.compare import Comparison, Difference
from lenadose.verification.disagreements import Disagreement


def certificate_data(certificate: Certificate) -> dict[str, Json]:
    """Return a certificate as plain data; the courses in it are course files."""
    return {
        **identity(certificate.protocol),
        "holds": certificate.holds,
        "situations": certificate.situations,
        "states": certificate.states,
        "transitions": certificate.transitions,
        "absent": list(certificate.absent),
        "laws": [_verdict(certificate.protocol, each) for each in certificate.verdicts],
        "notice": NOT_A_DEVICE,
    }


def _verdict(protocol: Protocol, verdict: Verdict) -> Json:
    shown = verdict.counterexample
    return {
        "number": verdict.law.number,
        "name": verdict.law.name,
        "words": verdict.law.words_for(protocol),
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
    """Return a certificate in Markdown: the laws, then each violated one as a patient."""
    return "\n".join(_certificate(certificate)) + "\n"


def _certificate(certificate: Certificate) -> Iterator[str]:
    protocol = certificate.protocol
    yield f"# {escape(protocol.name)}: {outcome(certificate)}"
    yield ""
    yield f"{escape_line(protocol.title)}. sha256 `{protocol.hash}`. {NOT_A_DEVICE}"
    yield ""
    yield (
        f"Checked over every state that some course of visits leads to ({certificate.states}) "
        f"and all that a visit can "
        f"show there ({certificate.transitions} answers, in {certificate.situations} of the "
        f"{sum(1 for _ in protocol.table.situations())} situations of the table), none "
        "sampled."
    )
    yield ""
    yield from markdown_table(
        ("law", "words", "holds", "situations", "states", "checks"),
        (
            (
                f"{each.law.number} {each.law.name}",
                each.law.words_for(protocol),
                "yes" if each.holds else "**no**",
                str(each.situations),
                str(each.states),
                str(each.transitions),
            )
            for each in certificate.verdicts
        ),
    )
    if certificate.absent:
        yield ""
        yield "## What the protocol does not have"
        yield ""
        yield "The laws do not ask for it; whether it can be done without is for a reader to judge."
        yield ""
        for words in certificate.absent:
            yield f"- {words}"
    yield from broken_laws(certificate)


def broken_laws(certificate: Certificate, *, with_files: bool = True) -> Iterator[str]:
    """Write every broken law as a patient, in Markdown; nothing where all laws hold.

    *with_files* adds each course as a course file.
    """
    for verdict in certificate.verdicts:
        shown = verdict.counterexample
        if shown is not None:
            yield ""
            yield from _counterexample(certificate.protocol, verdict, shown)
            if with_files and shown.course is not None:
                yield ""
                yield "The course, as a file for `lenadose replay COURSE --protocol PROTOCOL`:"
                yield ""
                yield from course_block(shown.course)


def outcome(certificate: Certificate) -> str:
    """Return in a few words whether the laws hold."""
    broken = sum(1 for each in certificate.verdicts if not each.holds)
    laws = len(certificate.verdicts)
    return f"all {laws} laws hold" if not broken else f"{broken} of {laws} laws broken"


def _counterexample(protocol: Protocol, verdict: Verdict, shown: Counterexample) -> Iterator[str]:
    rows = ", ".join(f"`{each}`" for each in shown.rules)
    yield f"## Law {verdict.law.number}, {verdict.law.name}, is broken"
    yield ""
    law = verdict.law.words_for(protocol)
    yield f"{law} Here: **{escape(shown.words)}**. Rows involved: {rows}."
    if shown.course is not None:
        yield ""
        yield from course_table(protocol, shown.course)
    if shown.other is not None:
        yield ""
        yield "Compared with the same patient, with another last visit:"
        yield ""
        yield from course_table(protocol, shown.other)


def course_table(protocol: Protocol, course: Course) -> Iterator[str]:
    """Yield a course as a table: what each visit showed, and the decision on it."""
    first = course.visits[0]
    yield from markdown_table(
        ("visit", "shown", "facts", "decision", "rule"),
        (
            (
                str(each.visit.date),
                escape(visit_in_words(each.visit, None if each.visit is first else first)),
                f"response {each.facts.response.label}, safety {each.facts.safety.label}, "
                f"{each.facts.timing.label}, "
                f"position {each.facts.position.label}",
                advice(each),
                f"`{each.rule.id}`",
            )
            for each in replay(course, protocol)
        ),
    )


def course_block(course: Course) -> Iterator[str]:
    """Write a course as the JSON of a course file, each visit on a line."""
    data = course_data(course)
    visits = data.pop("visits")
    assert isinstance(visits, list)
    head = json.dumps({**data, "visits": []}, ensure_ascii=False)
    yield "```json"
    yield head.removesuffix("]}")
    yield ",\n".join(f" {json.dumps(visit, ensure_ascii=False)}" for visit in visits)
    yield "]}"
    yield "```"


def comparison_data(comparison: Comparison) -> dict[str, Json]:
    """Return a comparison as plain data, with course files and whole decisions."""
    return {
        "protocols": [identity(each)["protocol"] for each in (comparison.one, comparison.other)],
        "same": comparison.same,
        "disagreements": [
            {
                "about": each.about,
                "course": course_data(each.course),
                "decisions": [decision_data(each.one), decision_data(each.other)],
            }
            for each in comparison.disagreements
        ],
        "differences": [_difference(each) for each in comparison.numbers],
        "wording": [_difference(each) for each in comparison.wording],
        "notice": NOT_A_DEVICE,
    }


def _difference(each: Difference) -> Json:
    return {"place": each.place, "values": [each.one, each.other]}


def comparison_tables(comparison: Comparison) -> str:
    """Return a comparison in Markdown: the numbers, the kinds of disagreement and the wording."""
    return "\n".join(_tables(comparison)) + "\n"


def comparison_page(comparison: Comparison) -> str:
    """Return a comparison in Markdown, with a course for each kind of disagreement."""
    lines = chain(_tables(comparison), _courses(comparison))
    return "\n".join(lines) + "\n"


def _tables(comparison: Comparison) -> Iterator[str]:
    one, other, found = comparison.one, comparison.other, comparison.disagreements
    names = (escape(one.name), escape(other.name))
    yield f"# {' and '.join(names)}: {likeness(comparison)}"
    yield ""
    yield f"sha256 `{one.hash}` and `{other.hash}`. {NOT_A_DEVICE}"
    if comparison.numbers:
        yield ""
        yield f"## Numbers and rows that differ ({len(comparison.numbers)})"
        yield ""
        rows = (
            (f"`{each.place}`", escape(each.one), escape(each.other)) for each in comparison.numbers
        )
        yield from markdown_table(("place", *names), rows)
        yield ""
        yield f"## Kinds of disagreement ({len(found)})"
        yield ""
        if found:
            yield "`visits` counts the visits of a shortest course that shows the disagreement."
            yield ""
            yield from markdown_table(("kind", "what differs", *names, "visits"), _kinds(found))
        else:
            yield (
                "No course of visits was found on which the two decide differently: "
                "what differs is printed only."
            )
    if comparison.wording:
        yield ""
        yield f"## Wording that differs ({len(comparison.wording)})"
        yield ""
        rows = (
            (f"`{each.place}`", escape(each.one), escape(each.other)) for each in comparison.wording
        )
        yield from markdown_table(("place", *names), rows)


def _courses(comparison: Comparison) -> Iterator[str]:
    if comparison.disagreements:
        yield ""
        yield "## Courses"
        yield ""
        yield "A shortest one for each kind, with both decisions on its last visit."
    for number, each in enumerate(comparison.disagreements, 1):
        yield ""
        yield from _disagreement(comparison, number, each)


def _kinds(found: Sequence[Disagreement]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each kind of disagreement."""
    for number, each in enumerate(found, 1):
        answers = (
            f"{advice(decision)} (`{decision.rule.id}`)" for decision in (each.one, each.other)
        )
        yield str(number), each.about, *answers, str(len(each.course.visits))


def likeness(comparison: Comparison) -> str:
    """Return in a few words how far two protocols are alike."""
    if not comparison.same:
        return "they decide differently" if comparison.disagreements else "their numbers differ"
    return "the same in behaviour, not in wording" if comparison.wording else "the same"


def _disagreement(comparison: Comparison, number: int, each: Disagreement) -> Iterator[str]:
    a, b = each.one, each.other
    if each.about == "next visit":
        yield f"### {number}. The next visit after `{a.rule.id}` and `{b.rule.id}`"
    else:
        answers = " or ".join(
            f"{decision.action.label} (`{decision.rule.id}`)" for decision in (a, b)
        )
        yield f"### {number}. {each.about.capitalize()}: {answers}"
    yield ""
    yield from disagreement_lines(comparison, each)


def disagreement_lines(comparison: Comparison, each: Disagreement) -> Iterator[str]:
    """Write the course of a disagreement, and both decisions on its last visit."""
    a, b = each.one, each.other
    visits = each.course.visits
    shown = "; ".join(
        f"{visit.date} {visit_in_words(visit, visits[0] if index else None)}"
        for index, visit in enumerate(visits)
    )
    yield f"{len(visits)} visit{'s' if len(visits) > 1 else ''}: {escape(shown)}."
    yield ""
    yield from markdown_table(
        ("protocol", "decision", "next visit", "source"),
        (
            _said(protocol, decision)
            for protocol, decision in ((comparison.one, a), (comparison.other, b))
        ),
    )


def _said(protocol: Protocol, decision: Decision) -> tuple[str, ...]:
    row = f"{advice(decision)} (`{decision.rule.id}`)"
    return escape(protocol.name), row, next_visit(decision), cite(decision.case.provenance)


def visit_in_words(visit: Visit, first: Visit | None) -> str:
    """Return in a few words what a visit showed; of measurements only what differs."""
    parts = ["no score" if visit.clasi_activity is None else f"CLASI {visit.clasi_activity}"]
    if visit.judgement is not None:
        parts.append(f"judged {visit.judgement.response.label}")
    for name, field_label in (
        ("neutrophils", "neutrophils"),
        ("platelets", "platelets"),
        ("creatinine_clearance", "clearance"),
    ):
        values = ", ".join(str(result.given) for result in visit.results(name))
        if first is None or getattr(visit, name) != getattr(first, name):
            parts.append(f"{field_label} {values or 'not measured'}")
    if visit.adverse_events is None:
        parts.append("events not asked about")
    parts += [str(each) for each in visit.adverse_events or ()]
    if any(test.result is TestResult.POSITIVE for test in visit.pregnancy_tests or ()):
        parts.append("positive pregnancy test")
    if visit.dosage_taken is not None:
        parts.append(f"took {visit.dosage_taken.dosage or 'nothing'}")
    if visit.doses_missed is not None:
        missed = visit.doses_missed or "no"
        parts.append(f"{missed} dose{'' if missed == 1 else 's'} missed")
    if visit.stopped is not None:
        parts.append("treatment stopped")
    return ", ".join(parts)
