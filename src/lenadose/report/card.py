"""The card of a decision: the first screen, as data."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from attrs import evolve, frozen

from lenadose.engine.machine import Decision
from lenadose.engine.observe import limits_met
from lenadose.explanation.bands import SHOWN_AT_A_VISIT, Band, bands, outcome, span
from lenadose.explanation.calculations import in_days, printed_date
from lenadose.explanation.headlines import QUESTIONS, brief, headline
from lenadose.explanation.outlook import ends_of_danger, last_day_to_resume, next_steps
from lenadose.explanation.rationale import Rationale, rationale
from lenadose.explanation.why import field_words, why
from lenadose.protocol.advice import FollowUp
from lenadose.protocol.notices import Occasion
from lenadose.record.adverse_event import AdverseEvent
from lenadose.report.card_formats import card_html, card_markdown, card_text
from lenadose.report.markdown import cite, sentence
from lenadose.terms.facts import (
    ON_TREATMENT,
    Action,
    EvidenceLevel,
    Phase,
    Position,
    Response,
    Safety,
)
from lenadose.terms.units import CREATININE_CLEARANCE, PRINTED, QUANTITIES

_MOST_CHANGES = 6
MORE = " · more: explain"
"""Where all reasons are to be had on a command line, at the end of the row."""
ELSEWHERE = (": see all reasons", " on the full page")
"""Where a card says that more of its notes and notices are to be had."""


@frozen
class CardLine:
    """A line of a card: what it is about, and what it says."""

    label: str
    words: str


@frozen
class Card:
    """The first screen of a decision: what now, why, when next, what follows.

    `headline` is the action in sign and words, `before` the dosage that it changes. `warnings` are
    what cannot wait; `why` is one sentence; `lines` come in the order of `DESIGN`: next visit, what
    falls due, what follows, what would change the decision, and where it comes from.
    """

    date: date
    patient: str
    action: Action
    headline: str
    before: str
    warnings: tuple[str, ...]
    why: str
    lines: tuple[CardLine, ...]
    changes: tuple[CardLine, ...]
    origin: tuple[CardLine, ...]

    def __str__(self) -> str:
        """Return the card as text."""
        return card_text(self)

    def _repr_html_(self) -> str:
        return card_html(self)

    def _repr_markdown_(self) -> str:
        return card_markdown(self)


def card(decision: Decision) -> Card:
    """Return the card of a decision."""
    grounds = rationale(decision)
    return Card(
        decision.visit.date,
        decision.seen.patient.id or "",
        decision.action,
        headline(decision),
        _before(decision),
        tuple(_warnings(grounds)),
        why(decision),
        tuple(_lines(grounds)),
        tuple(islice(_changes(decision), _MOST_CHANGES)),
        tuple(_origin(grounds)),
    )


def _before(decision: Decision) -> str:
    """Return what was taken up to the visit."""
    now, phase = decision.seen.treatment, decision.seen.phase
    if now.dose is None or phase is Phase.BEFORE_START:
        return "not begun"
    if phase not in ON_TREATMENT:
        since = now.interrupted_on or now.ended_on
        is_known = since is not None and since < decision.visit.date
        return f"off the drug since {printed_date(since)}" if since and is_known else "off the drug"
    held = now.dose.off_ladder or now.dose.level.dosage
    if held != decision.dosage:
        return f"was {held}"
    return "" if decision.action in QUESTIONS else "unchanged"


def _warnings(grounds: Rationale) -> Iterator[str]:
    if grounds.urgent:
        yield sentence("; ".join(grounds.urgent))
    supply = grounds.supply
    if supply is not None and supply.shortfall:
        ends = grounds.decision.visit.date + timedelta(days=supply.days)
        yield (
            f"One prescription lasts until {printed_date(ends)} at most, "
            f"{in_days(supply.shortfall)} before the next visit is due."
        )


def _lines(grounds: Rationale) -> Iterator[CardLine]:
    decision = grounds.decision
    yield CardLine("Next visit", _next_visit(decision))
    fields: dict[tuple[date, ...], list[str]] = {}
    for monitoring in grounds.monitoring_due:
        fields.setdefault(monitoring.days, []).append(field_words(monitoring.field))
    if fields:
        falls_due = (f"{', '.join(names)} on {_days(on)}" for on, names in fields.items())
        yield CardLine("Falls due", "; ".join(falls_due))
    if len(decision.possible_actions) > 1 and decision.obtain_first:
        yield CardLine("Obtain first", _to_obtain(decision, decision.obtain_first))
    if decision.action is Action.PRESCRIBER_DECIDES:
        yield from _to_answer(decision)
    follows = "; ".join(_follows(decision))
    if follows:
        yield CardLine("After that", follows)
    told = [message.words for message in grounds.messages if message.id in _UNUSUAL]
    if told:
        more = f" (and {len(told) - 1} more{ELSEWHERE[0]})" if len(told) > 1 else ""
        yield CardLine("Note", f"{told[0]}{more}")
    taper = [notice for notice in grounds.notices if notice.when is Occasion.TAPER]
    if taper:
        yield CardLine("Note", sentence(taper[0].words))
    if any(notice.when is Occasion.FIRST_CAPSULE for notice in grounds.notices):
        antibodies = decision.seen.patient.antiphospholipid
        status = antibodies.label if antibodies else "unknown"
        risk = "" if status == "negative" else f"antiphospholipid antibodies {status}; "
        notices = f"{len(grounds.notices)} notices{ELSEWHERE[1]}"
        yield CardLine("Before it", f"{risk}{notices}")


def _next_visit(decision: Decision) -> str:
    """Return when the next visit is, and which counts to bring to it."""
    visit = decision.next_visit
    if visit is None:
        return "none planned"
    due, latest = printed_date(visit.due), printed_date(visit.latest)
    if visit.earliest == visit.due:
        words = due if latest == due else f"{due}, at the latest {latest}"
    elif visit.earliest == decision.visit.date + timedelta(days=1):
        words = f"by {latest}"
    else:
        words = f"from {printed_date(visit.earliest)}, by {latest}"
    if decision.follow_up is not FollowUp.SOON:
        return words
    met = limits_met(decision.protocol.safety, decision.seen.findings)
    counts = dict.fromkeys(limit.quantity for limit in met if isinstance(limit.shows, Safety))
    names = [field_words(quantity) for quantity in counts if quantity != CREATININE_CLEARANCE.name]
    return f"{words}, with new {' and '.join(names)}" if names else words


def _to_answer(decision: Decision) -> Iterator[CardLine]:
    """Yield how the answer of the prescriber is recorded, where a record can hold it."""
    held = decision.seen.treatment.dose is not None
    if held and (decision.advice.hands_over or decision.facts.position is Position.OFF_LADDER):
        words = "record at the next visit the level taken, or that treatment was stopped"
        yield CardLine("To answer", words)


def _to_obtain(decision: Decision, field: str) -> str:
    """Return the field to obtain first, with what there is of it already."""
    if field == "adverse_events":
        return "ask about adverse events"
    findings, day = decision.seen.findings, decision.visit.date
    known = ""
    if decision.visit.is_unreadable(field):
        known = " (one was reported that cannot be read)"
    elif field in QUANTITIES and (result := findings.result(field)):
        age = in_days((day - result.on).days)
        known = f" ({result.given} on {printed_date(result.on)}, {age} old)"
    elif field == "pregnancy_tests" and findings.negative_tests:
        known = f" (there is a negative one of {printed_date(findings.negative_tests[-1])})"
    return f"{field_words(field)}{known}"


_UNUSUAL = ("not-advised", "judgement", "handed-over", "not-used", "unknown-terms")
"""The messages of what is out of the ordinary."""


def _days(days: tuple[date, ...]) -> str:
    """Return days in order, each month named once: "12, 19, 26 May, 2 Jun 2025"."""
    words = []
    for place, day in enumerate(days):
        following = days[place + 1] if place + 1 < len(days) else None
        number, month, year = printed_date(day).split(" ")
        if following is None or following.year != day.year:
            words.append(f"{number} {month} {year}")
        else:
            words.append(number if following.month == day.month else f"{number} {month}")
    return ", ".join(words)


def _follows(decision: Decision) -> Iterator[str]:
    steps, ends = next_steps(decision), ends_of_danger(decision)
    after = decision.phase_after
    if after is Phase.DISCONTINUED and steps:
        yield "not given again by this protocol"
        return
    for number, step in enumerate(steps):
        if step.responses:
            needs = "" if number else f"{_needs(decision)}, "
            yield f"{needs}{' or '.join(map(_response, step.responses))}: {step.advice}"
        elif after is Phase.INTERRUPTED and ends and decision.facts.safety is Safety.INTERRUPT:
            yield f"{step.advice}, once {' and '.join(ends)}"
        else:
            yield f"{_needs(decision)}: {step.advice}"
    last = last_day_to_resume(decision) if after is Phase.INTERRUPTED and steps else None
    if last:
        yield last


def _needs(decision: Decision) -> str:
    """Return what the advice foretold takes for granted."""
    able = decision.seen.patient.able_to_become_pregnant is not False
    tests = decision.phase_after is Phase.OFF_TREATMENT and able
    return "with safety acceptable" + (" and both pregnancy tests negative" if tests else "")


def _response(response: Response) -> str:
    return "no response" if response is Response.NONE else response.label


def _changes(decision: Decision) -> Iterator[CardLine]:
    """Yield what would change the decision at this visit, each with its answer.

    For a question every answer of the fact to obtain first; else the nearest values of the fields
    that decide, and then of the others.
    """
    asked = decision.obtain_first if decision.action is Action.REQUEST_DATA else None
    if asked is not None:
        found = [band for band in bands(decision, asked) if not band.holds]
        yield from map(_change, found)
        return
    deciding = _deciding_fields(decision)
    for field in deciding:
        yield from map(_change, _nearest(decision, bands(decision, field)))
    # Of the other fields those that lead to the same share a line.
    others: dict[str, list[str]] = {}
    for field in SHOWN_AT_A_VISIT:
        if field not in (*deciding, "judgement"):
            for band in _nearest(decision, bands(decision, field)):
                change = _change(band)
                others.setdefault(change.words, []).append(change.label)
    for words, labels in others.items():
        yield CardLine(", ".join(labels), words)


def _deciding_fields(decision: Decision) -> tuple[str, ...]:
    """Return the fields behind the facts that the case restricts."""
    asked, seen, facts = decision.case.conditions, decision.seen, decision.facts
    fields: list[str] = []
    met = limits_met(decision.protocol.safety, seen.findings)
    if "safety" in asked and facts.safety is not Safety.ACCEPTABLE:
        fields += [limit.quantity for limit in met if isinstance(limit.shows, Safety)]
        if seen.findings.ongoing:
            fields += ["adverse_events", "pregnancy_tests"]
    if "position" in asked:
        fields += [limit.quantity for limit in met if limit.shows is Position.ABOVE_CEILING]
    if "response" in asked:
        judged = decision.visit.clasi_activity is None and decision.visit.judgement
        fields.append("judgement" if judged else "clasi_activity")
    return tuple(dict.fromkeys(fields))


def _nearest(decision: Decision, found: tuple[Band, ...]) -> Iterator[Band]:
    """Yield the bands with another action or level, and those with a danger of the same day.

    The nearest come first. Left out are an event of no particular name, a danger that is over, and
    the absence of a danger that was reported: the patient does not show them at this visit.
    """
    found = _joined(found)
    here = next((place for place, band in enumerate(found) if band.holds), 0)
    by_distance = sorted(range(len(found)), key=lambda place: (abs(place - here), -place))
    known = {event.name for event in decision.visit.adverse_events or ()}
    known |= {ongoing.name for ongoing in decision.seen.before.findings.ongoing}
    in_danger = any(ongoing.is_danger for ongoing in decision.seen.findings.ongoing)
    *now, same_day = outcome(decision)
    for band in (found[place] for place in by_distance):
        *then, soon = outcome(band.decision)
        if then == now and (same_day or not soon):
            continue
        value = band.value if isinstance(band.value, tuple) else ()
        new = {each.name for each in value if isinstance(each, AdverseEvent)} - known
        if not new and not (band.field == "adverse_events" and not value and in_danger):
            yield band


def _joined(found: tuple[Band, ...]) -> tuple[Band, ...]:
    """Return results with those joined that lead to the same action and level.

    The same day is said of the lowest of them.
    """
    joined: list[Band] = []
    for band in found:
        last = joined[-1] if joined else None
        if (
            last is not None
            and outcome(last.decision)[:2] == outcome(band.decision)[:2]
            and not (last.holds or band.holds)
            and isinstance(last.least, Decimal)
            and isinstance(band.most, Decimal)
        ):
            words = span(last.least, band.most, PRINTED[QUANTITIES[band.field].unit])
            if outcome(last.decision)[2] and not outcome(band.decision)[2]:
                words += f" (below {band.least:f} the same day)"
            joined[-1] = evolve(band, least=last.least, words=words)
        else:
            joined.append(band)
    return tuple(joined)


def _change(band: Band) -> CardLine:
    """Return a band as a line: the values, and the answer in few words."""
    what = f"{field_words(band.field)} {band.words}"
    if band.field == "adverse_events" and isinstance(band.value, tuple):
        resolved = all(getattr(event, "resolved", None) for event in band.value)
        what = band.words if resolved else f"an event such as {band.words}"
        what = what if band.value else "no adverse events"
    after = band.decision
    answer = brief(after)
    if after.action is Action.REQUEST_DATA and after.obtain_first:
        answer += f": {field_words(after.obtain_first)}"
    return CardLine(what, f"{answer}, same-day assessment" if outcome(after)[2] else answer)


def _origin(grounds: Rationale) -> Iterator[CardLine]:
    decision = grounds.decision
    protocol, level = decision.protocol, decision.level
    source = cite(decision.case.provenance).replace("\\", "")
    if level is not None and level.provenance.tag is not EvidenceLevel.STATED:
        source += f"; {level}: {level.provenance.tag.label}"
    yield CardLine("Source", source)
    yield CardLine("Not checked", " · ".join(map(_without_brackets, protocol.unchecked)))
    yield CardLine("Row", f"{decision.rule.id} · {protocol.id} {protocol.version}{MORE}")
    yield CardLine("Limits", _brief_evidence(protocol.evidence))


def _brief_evidence(evidence: str) -> str:
    """Return the first clause of the evidence, which names the study, and its last sentence."""
    study, _, rest = evidence.partition(";")
    last = rest.rstrip(".").rpartition(". ")[2]
    return _without_brackets(f"{study.rstrip('.')}. {last}." if last else study)


def _without_brackets(words: str) -> str:
    """Return words without what stands in brackets, such as a source; the full page has it."""
    return re.sub(r" \([^()]*\)", "", words)
