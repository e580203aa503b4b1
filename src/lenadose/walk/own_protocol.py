"""A protocol file of the reader's own, proved and compared with the protocol it is based on."""

from collections.abc import Iterator

from lenadose.engine.machine import Decision, replay
from lenadose.explanation.headlines import HEADLINES, advice
from lenadose.formats.based_on import base_of
from lenadose.formats.course_json import Json, course_data
from lenadose.formats.protocol_file import read_protocol
from lenadose.formats.reader import parse_toml
from lenadose.protocol.builtin import get_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.report.course import next_visit
from lenadose.report.verification import visit_in_words
from lenadose.terms.errors import LenadoseError
from lenadose.verification.certificate import Counterexample, Verdict, verify
from lenadose.verification.compare import Difference, differences
from lenadose.verification.disagreements import disagreements
from lenadose.walk.counts import in_unit
from lenadose.walk.session import COUNT_UNITS


def check_own_protocol(name: str, text: str) -> Iterator[dict[str, Json]]:
    """Yield what is found about a protocol file, each finding as soon as it is known.

    `name` is the name of the TOML file, and `text` its content. Each finding is plain JSON whose
    `step` says what it is:

    - `fault`: the file cannot be used; `faults` are the reasons, and nothing follows;
    - `read`: the identity of the protocol, and `base`, the built-in one to compare it with;
    - `laws`: every law, whether it holds, and for a broken one the shortest course;
    - `differences`: the numbers, rows and words that are not as in the base;
    - `disagreement`: a kind of disagreement on the same visits, with a shortest course to it;
    - `done`: nothing follows.
    """
    try:
        document = parse_toml(text, "protocol")
        base = base_of(document) or get_protocol()
        protocol = read_protocol(document)
    except LenadoseError as error:
        yield {"step": "fault", "faults": [f"{name}: {fault}" for fault in error.faults]}
        return
    yield {
        "step": "read",
        "id": protocol.id,
        "name": protocol.name,
        "title": protocol.title,
        "hash": protocol.hash,
        "base": base.name,
    }
    certificate = verify(protocol)
    yield {
        "step": "laws",
        "holds": certificate.holds,
        "states": certificate.states,
        "transitions": certificate.transitions,
        "absent": list(certificate.absent),
        "laws": [_law(protocol, verdict) for verdict in certificate.verdicts],
    }
    numbers, wording = differences(base, protocol)
    yield {
        "step": "differences",
        "numbers": list(map(_difference, numbers)),
        "wording": list(map(_difference, wording)),
    }
    for found in disagreements(base, protocol) if numbers else ():
        yield {
            "step": "disagreement",
            "about": found.about,
            "decisions": [_decision(found.one), _decision(found.other)],
            "course": course_data(found.course),
        }
    yield {"step": "done"}


def in_each_unit(finding: dict[str, Json]) -> dict[str, Json]:
    """Return a finding in each unit of counts, by the names of `COUNT_UNITS`.

    What the file and its base say stays as it is written.
    """
    decided = finding["step"] in ("laws", "disagreement")
    return {
        units: in_unit(finding, unit) if decided else finding for units, unit in COUNT_UNITS.items()
    }


def _law(protocol: Protocol, verdict: Verdict) -> Json:
    shown = verdict.counterexample
    return {
        "number": verdict.law.number,
        "name": verdict.law.name,
        "words": verdict.law.words_for(protocol),
        "holds": verdict.holds,
        "counterexample": None if shown is None else _counterexample(protocol, shown),
    }


def _counterexample(protocol: Protocol, shown: Counterexample) -> Json:
    return {
        "words": shown.words,
        "rules": list(shown.rules),
        "course": None if shown.course is None else course_data(shown.course),
        "visits": _visits(protocol, shown.course),
        "others": _visits(protocol, shown.other),
    }


def _visits(protocol: Protocol, course: Course | None) -> list[Json]:
    """Return what each visit of a course showed, and the decision on it."""
    if course is None:
        return []
    first = course.visits[0]
    return [
        {
            "date": decision.visit.date.isoformat(),
            "shown": visit_in_words(decision.visit, None if decision.visit is first else first),
            **_decision(decision),
        }
        for decision in replay(course, protocol)
    ]


def _decision(decision: Decision) -> dict[str, Json]:
    head = HEADLINES[decision.action]
    return {
        "sign": head.sign,
        "colour": head.colour,
        "advice": advice(decision),
        "rule": decision.rule.id,
        "next_visit": next_visit(decision),
    }


def _difference(found: Difference) -> Json:
    return {"place": found.place, "values": [found.one, found.other]}
