"""The card of a decision: the first screen, as data, and from it as text, Markdown and HTML."""

import re
from collections.abc import Iterator
from datetime import date
from html import escape as escape_html
from textwrap import wrap

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.engine.observe import limits_met
from lenadose.explanation.bands import SHOWN_AT_A_VISIT, Band, bands, outcome
from lenadose.explanation.calculations import in_days, printed_date
from lenadose.explanation.headlines import HEADLINES, brief, headline
from lenadose.explanation.outlook import ends_of_danger, last_day_to_resume, next_steps
from lenadose.explanation.rationale import Rationale, rationale
from lenadose.explanation.why import field_words, why
from lenadose.record.adverse_event import AdverseEvent
from lenadose.report.markdown import cite, escape, sentence
from lenadose.terms.facts import ON_TREATMENT, Action, EvidenceLevel, Phase, Response, Safety
from lenadose.terms.units import QUANTITIES

WIDTH, LINES = 80, 18
"""The room of a card as text: columns, and lines at most."""

HYPOTHETICAL = "hypothetical; not a medical device"

_LABEL = 14
_MOST_CHANGES = 4


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
        tuple(_changes(decision)),
        tuple(_origin(grounds)),
    )


def _before(decision: Decision) -> str:
    """Return what was taken up to the visit."""
    dose, phase = decision.seen.treatment.dose, decision.seen.phase
    if dose is None or phase is Phase.BEFORE_START:
        return "not begun"
    if phase not in ON_TREATMENT:
        return "now off the drug"
    held = dose.off_ladder or dose.level.dosage
    return "unchanged" if held == decision.dosage else f"was {held}"


def _warnings(grounds: Rationale) -> Iterator[str]:
    if grounds.urgent:
        yield sentence("; ".join(grounds.urgent))
    supply = grounds.supply
    if supply is not None and supply.shortfall:
        yield (
            f"Supply: at most {in_days(supply.days)}; the next visit is in "
            f"{supply.days_to_next_visit}: {in_days(supply.shortfall)} short."
        )


def _lines(grounds: Rationale) -> Iterator[CardLine]:
    decision = grounds.decision
    visit = decision.next_visit
    if visit is None:
        yield CardLine("Next visit", "none planned")
    else:
        due, latest = printed_date(visit.due), printed_date(visit.latest)
        is_due = visit.earliest == visit.due
        words = due if is_due else f"by {due}, not before {printed_date(visit.earliest)}"
        yield CardLine("Next visit", words if latest == due else f"{words}, at the latest {latest}")
    fields: dict[tuple[date, ...], list[str]] = {}
    for monitoring in grounds.monitoring_due:
        fields.setdefault(monitoring.days, []).append(field_words(monitoring.field))
    if fields:
        falls_due = (f"{', '.join(names)} on {_days(on)}" for on, names in fields.items())
        yield CardLine("Falls due", "; ".join(falls_due))
    if len(decision.possible_actions) > 1 and decision.obtain_first:
        yield CardLine("Obtain first", _to_obtain(decision, decision.obtain_first))
    follows = "; ".join(_follows(decision))
    if follows:
        yield CardLine("After that", follows)
    told = [message.words for message in grounds.messages if message.id in _UNUSUAL]
    if told:
        more = f" (and {len(told) - 1} more: see all reasons)" if len(told) > 1 else ""
        yield CardLine("Note", f"{told[0]}{more}")
    count = len(grounds.notices)
    if count and decision.action is Action.START:
        yield CardLine("Before it", f"{count} notices to read before the first capsule")


def _to_obtain(decision: Decision, field: str) -> str:
    """Return the field to obtain first, with what there is of it already."""
    findings, day = decision.seen.findings, decision.visit.date
    known = ""
    if field in QUANTITIES and (result := findings.result(field)):
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
    interrupted = decision.phase_after is Phase.INTERRUPTED
    for step in steps:
        if step.responses:
            yield f"{' or '.join(map(_response, step.responses))}: {step.advice}"
        elif interrupted and ends and decision.facts.safety is Safety.INTERRUPT:
            yield f"{step.advice}, once {' and '.join(ends)}"
        else:
            yield step.advice
    last = last_day_to_resume(decision) if interrupted and steps else None
    if last:
        yield last


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
        yield from (_change(band) for band in found[:_MOST_CHANGES])
        return
    yielded, actions = 0, set()
    for field in _fields(decision):
        for band in _nearest(decision, bands(decision, field)):
            if yielded < _MOST_CHANGES and (said := outcome(band.decision)) not in actions:
                actions.add(said)
                yielded += 1
                yield _change(band)


def _fields(decision: Decision) -> tuple[str, ...]:
    """Return the fields that can be shown at a visit, those that decided first."""
    asked, seen = decision.case.conditions, decision.seen
    decides: list[str] = []
    if "safety" in asked and decision.facts.safety is not Safety.ACCEPTABLE:
        met = limits_met(decision.protocol.safety, seen.findings)
        decides += [limit.quantity for limit in met]
        if seen.findings.ongoing:
            decides += ["adverse_events", "pregnancy_tests"]
    if "response" in asked:
        judged = decision.visit.clasi_activity is None and decision.visit.judgement
        decides.append("judgement" if judged else "clasi_activity")
    others = [field for field in SHOWN_AT_A_VISIT if field != "judgement"]
    return tuple(dict.fromkeys([*decides, *others]))


def _nearest(decision: Decision, found: tuple[Band, ...]) -> Iterator[Band]:
    """Yield the bands with another outcome, those beside the one that holds first.

    A new event of no particular name is left out: any could come.
    """
    here = next((place for place, band in enumerate(found) if band.holds), 0)
    by_distance = sorted(range(len(found)), key=lambda place: (abs(place - here), -place))
    reported = {event.name for event in decision.visit.adverse_events or ()}
    reported |= {ongoing.name for ongoing in decision.seen.before.findings.ongoing}
    for band in (found[place] for place in by_distance):
        events = band.value if band.field == "adverse_events" else ()
        new = isinstance(events, tuple) and any(
            isinstance(event, AdverseEvent) and event.name not in reported for event in events
        )
        if outcome(band.decision) != outcome(decision) and not new:
            yield band


def _change(band: Band) -> CardLine:
    """Return a band as a line: the values, and the answer in few words."""
    what = f"{field_words(band.field)} {band.words}"
    if band.value == ():
        what = "no adverse events"
    elif band.field == "adverse_events" and isinstance(band.value, tuple):
        resolved = all(getattr(event, "resolved", None) for event in band.value)
        what = band.words if resolved else f"an event such as {band.words}"
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
    yield CardLine("Row", f"{decision.rule.id} · {protocol.id} {protocol.version}")
    yield CardLine("Limits", _brief_evidence(protocol.evidence))


def _brief_evidence(evidence: str) -> str:
    """Return the first clause of the evidence, which names the study, and its last sentence."""
    study, _, rest = evidence.partition(";")
    last = rest.rstrip(".").rpartition(". ")[2]
    return _without_brackets(f"{study.rstrip('.')}. {last}." if last else study)


def _without_brackets(words: str) -> str:
    """Return words without what stands in brackets, such as a source; the full page has it."""
    return re.sub(r" \([^()]*\)", "", words)


def card_text(card: Card, width: int = WIDTH, lines: int = LINES) -> str:
    """Return a card as text, each line at most *width* columns; at most *lines* where it can be.

    What would change the decision gives way first, and then the ends of the last lines.
    """
    changes, last = len(card.changes), 3
    while True:
        text = [line.rstrip() for line in _text(card, width, changes, last)]
        if len(text) <= lines or last == 0:
            return "\n".join(text)
        if changes > 2 or (changes > 1 and last < 2):
            changes -= 1
        else:
            last -= 1


def _text(card: Card, width: int, changes: int, last: int) -> Iterator[str]:
    """Yield the lines, with some of the changes and at most *last* lines for each source."""
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield from _two_sided(whose, HYPOTHETICAL, width)
    yield from _two_sided(card.headline, card.before, width)
    for warning in card.warnings:
        yield from _wrapped(f"! {warning}", width, 2)
    yield from _wrapped(card.why, width, 0)
    for line in card.lines:
        yield from _labelled(line, width)
    for number, change in enumerate(card.changes[:changes]):
        label = "" if number else _changes_label(card)
        yield from _labelled(CardLine(label, f"{change.label} → {change.words}"), width)
    for line in card.origin:
        yield from _labelled(line, width, max(1, last))


def _changes_label(card: Card) -> str:
    return "Answers" if card.action is Action.REQUEST_DATA else "Would change"


def _two_sided(left: str, right: str, width: int) -> Iterator[str]:
    gap = width - len(left) - len(right) - 1
    if gap > 1:
        yield f" {left}{' ' * gap}{right}"
    else:
        yield from _wrapped(left, width, 2)
        yield from _wrapped(right, width, 2)


def _wrapped(words: str, width: int, indent: int) -> Iterator[str]:
    yield from wrap(
        words,
        width,
        initial_indent=" ",
        subsequent_indent=" " * (1 + indent),
        break_on_hyphens=False,
    )


def _labelled(line: CardLine, width: int, most: int | None = None) -> Iterator[str]:
    yield from wrap(
        line.words,
        width,
        initial_indent=f" {line.label:<{_LABEL - 1}}",
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
        max_lines=most,
        placeholder=" …",
    )


def card_markdown(card: Card) -> str:
    """Return a card as Markdown."""
    return "\n".join(_markdown(card)) + "\n"


def _markdown(card: Card) -> Iterator[str]:
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield f"# {escape(card.headline)}"
    yield ""
    yield f"{escape(whose)} · {escape(card.before)} · *{HYPOTHETICAL}*"
    yield ""
    for warning in card.warnings:
        yield f"**! {escape(warning)}**"
        yield ""
    yield escape(card.why)
    yield ""
    for line in card.lines:
        yield f"- {line.label}: {escape(line.words)}"
    if card.changes:
        yield f"- {_changes_label(card)}:"
        for change in card.changes:
            yield f"  - {escape(change.label)} → {escape(change.words)}"
    for line in card.origin:
        yield f"- {line.label}: {escape(line.words)}"


def card_html(card: Card) -> str:
    """Return a card as HTML, without scripts, in the colours of the page around it."""
    return "".join(_html(card))


_CARD = "max-width:46em;padding:.4em .9em;border:1px solid #8886;line-height:1.4;text-align:left"
_CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;border:0;background:none"


def _html(card: Card) -> Iterator[str]:
    colour = HEADLINES[card.action].colour
    whose = f"{printed_date(card.date)}{f' · {card.patient}' if card.patient else ''}"
    yield f'<section class="lenadose-card" style="{_CARD};border-left:.5em solid {colour}">'
    yield f"<div><small>{escape_html(whose)} · {HYPOTHETICAL}</small></div>"
    yield (
        f'<div><strong style="font-size:1.25em">{escape_html(card.headline)}</strong>'
        f" <small>{escape_html(card.before)}</small></div>"
    )
    for warning in card.warnings:
        yield f"<div><strong>! {escape_html(warning)}</strong></div>"
    yield f"<div>{escape_html(card.why)}</div>"
    yield '<table style="border-collapse:collapse;margin:.4em 0;font-size:.93em">'
    changes = [f"{change.label} → {change.words}" for change in card.changes]
    rows = [(line.label, [line.words]) for line in card.lines]
    rows += [(_changes_label(card), changes)] if changes else []
    rows += [(line.label, [line.words]) for line in card.origin]
    for label, words in rows:
        cell = "<br>".join(map(escape_html, words))
        yield (
            f'<tr style="background:none"><th scope="row" style="{_CELL};white-space:nowrap">'
            f'{label}</th><td style="{_CELL}">{cell}</td></tr>'
        )
    yield "</table></section>"
