"""A walk as plain JSON, all that a view shows of it: the view decides nothing."""

from collections.abc import Iterator
from itertools import chain

from attrs import asdict, evolve

from lenadose.engine.machine import Decision, replay
from lenadose.engine.observe import MissingField
from lenadose.explanation.bands import bands
from lenadose.explanation.calculations import printed_date
from lenadose.explanation.fact_phrases import why_missing
from lenadose.explanation.headlines import HEADLINES, headline
from lenadose.explanation.rationale import rationale
from lenadose.explanation.why import field_words
from lenadose.formats.course_json import Json, course_data, plain_record
from lenadose.picture import A5, course_layout
from lenadose.picture.layout import Point
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import Protocol, case_id, conditions
from lenadose.report.card import ELSEWHERE, MORE, Card, CardLine, card
from lenadose.report.card_formats import HYPOTHETICAL
from lenadose.report.markdown import cite, sentence
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.walk.counts import in_unit, text_in_unit
from lenadose.walk.examples import examples
from lenadose.walk.fields import answer, patient_fields, visit_fields
from lenadose.walk.session import Walk

DISCLAIMER = f"Hypothetical patients only. {NOT_A_DEVICE.partition('. ')[0]}."
"""The notice that is always in view."""


def shown(walk: Walk) -> dict[str, Json]:
    """Return all that a view shows of a walk, as JSON; the same walk gives the same data."""
    decision = walk.decision
    first_screen = card(decision)
    data: dict[str, Json] = {
        "fault": walk.fault,
        "notice": walk.notice,
        "disclaimer": DISCLAIMER,
        "units": walk.units,
        "visit": walk.visit,
        "next": _next(walk),
        "protocol": _protocol(walk.protocol),
        "protocols": [
            {"id": id, "decides": id == walk.protocol.id, "compared": id == _id(walk.compared)}
            for id in dict.fromkeys(chain(BUILT_IN, [walk.own.id] if walk.own else ()))
        ],
        "patient": {
            "id": decision.seen.patient.id or "",
            "fields": patient_fields(walk),
        },
        "timeline": [_on_timeline(walk, index) for index in range(len(walk.decisions))],
        "fields": visit_fields(walk),
        "card": _card(decision, first_screen),
        "changes": [_line(change) for change in first_screen.changes],
        "notes": list(_notes(decision)),
        "missing": [_missing(decision, gap) for gap in decision.missing],
        "compared": _compared(walk),
    }
    # What a source says is quoted, in its own units; what the patient has is in the reader's.
    inside = in_unit(data, walk.count_unit)
    assert isinstance(inside, dict)
    return {
        **inside,
        "origin": [_line(line) for line in map(_without_command, first_screen.origin)],
        "rows": list(_rows(decision)),
        "picture": _picture(walk),
        "course": course_data(walk.course),
        "examples": [
            {"id": id, "title": example["title"], "story": example["story"]}
            for id, example in examples().items()
        ],
    }


def _id(protocol: Protocol | None) -> str | None:
    return None if protocol is None else protocol.id


def _protocol(protocol: Protocol) -> Json:
    return {
        "id": protocol.id,
        "version": protocol.version,
        "hash": protocol.hash,
        "title": protocol.title,
        "evidence": protocol.evidence,
    }


def _next(walk: Walk) -> Json:
    """Return when the visit after the last one is planned, None for never."""
    window = walk.decisions[-1].next_visit
    return None if window is None else plain_record(window)


def _on_timeline(walk: Walk, index: int) -> Json:
    decision = walk.decisions[index]
    head = HEADLINES[decision.action]
    return {
        "date": decision.visit.date.isoformat(),
        "day": printed_date(decision.visit.date),
        "headline": answer(decision),
        "sign": head.sign,
        "colour": head.colour,
        "selected": index == walk.visit,
    }


def _line(line: CardLine) -> Json:
    return {"label": line.label, "words": line.words}


def _without_command(line: CardLine) -> CardLine:
    """Leave out where a command line says more: here the row says it."""
    return evolve(line, words=line.words.removesuffix(MORE))


def _with_notes_below(line: CardLine) -> CardLine:
    """Return a line of a card that names the place of more notes in a view: below."""
    words = line.words
    for place in ELSEWHERE:
        words = words.replace(place, " below")
    return evolve(line, words=words)


def _notes(decision: Decision) -> Iterator[Json]:
    """Yield the notes on what was recorded, and the notices; the card has the others."""
    grounds = rationale(decision)
    on_the_card = ("not-checked", "same-day-assessment")
    for message in grounds.messages:
        if message.id not in on_the_card:
            yield sentence(message.words)
    for notice in grounds.notices:
        yield sentence(notice.words)


def _card(decision: Decision, held: Card) -> dict[str, Json]:
    """Return the card of a decision, without what would change it and where it comes from."""
    return {
        "day": printed_date(held.date),
        "patient": held.patient,
        "action": held.action.code,
        "headline": headline(decision),
        "colour": HEADLINES[held.action].colour,
        "before": held.before,
        "warnings": list(held.warnings),
        "why": held.why,
        "lines": [_line(_with_notes_below(line)) for line in held.lines],
        "hypothetical": HYPOTHETICAL,
    }


def _missing(decision: Decision, gap: MissingField) -> Json:
    """Return a missing fact, with what each answer leads to."""
    return {
        "field": gap.field,
        "label": field_words(gap.field),
        "why": why_missing(decision.visit, gap),
        "answers": [
            {"words": band.words, "answer": answer(band.decision)}
            for band in bands(decision, gap.field)
        ],
    }


def _rows(decision: Decision) -> Iterator[Json]:
    """Yield the rows for the phase of the visit; the one that applies is lit."""
    for row in decision.protocol.table.rules:
        for case in row.cases:
            if decision.facts.phase in case.phase:
                head = HEADLINES[row.action]
                yield {
                    "id": case_id(row, case).removeprefix("rule."),
                    "when": conditions(case),
                    "action": head.words.removesuffix(" at").removesuffix(" to"),
                    "sign": head.sign,
                    "colour": head.colour,
                    "tag": case.provenance.tag.label,
                    "source": case.provenance.source,
                    "words": cite(case.provenance).replace("\\", ""),
                    "lit": case == decision.case and row == decision.rule,
                }


def _compared(walk: Walk) -> Json:
    """Return the card of the other protocol for the visit that is shown, None without one."""
    if walk.compared is None:
        return None
    other = replay(walk.course, walk.compared)[walk.visit]
    return {"protocol": _protocol(walk.compared), "card": _card(other, card(other))}


def _picture(walk: Walk) -> Json:
    """Return the picture of the course as data: its layout, each text with its width."""
    # In a column beside the facts a larger page would have letters too small to read.
    layout = course_layout(walk.decisions, A5)
    unit = walk.count_unit
    texts = (evolve(text, words=text_in_unit(text.words, unit)) for text in layout.texts)
    return {
        "width": layout.width,
        "height": layout.height,
        "title": text_in_unit(layout.title, unit),
        "alt": text_in_unit(layout.alt, unit),
        "areas": [asdict(area) for area in layout.areas],
        "lines": [asdict(line) | {"points": _points(line.points)} for line in layout.lines],
        "marks": [asdict(mark) | {"corners": _points(mark.corners)} for mark in layout.marks],
        # A font of other widths is fitted to the room that the layout left.
        "texts": [asdict(text) | {"width": text.box[2] - text.box[0]} for text in texts],
    }


def _points(points: tuple[Point, ...]) -> Json:
    return [list(point) for point in points]
