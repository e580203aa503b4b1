"""Messages for the reader of a decision about what was recorded, whatever was decided."""

from collections.abc import Iterator

from attrs import frozen

from lenadose.engine.machine import Decision, same_day_dangers
from lenadose.engine.observe import Observation
from lenadose.engine.unused import UnusedResult, unused_events, unused_results
from lenadose.explanation.calculations import danger_name
from lenadose.explanation.criteria_met import drug_until
from lenadose.record.event_terms import KNOWN_TERMS
from lenadose.record.visit import ResultField
from lenadose.terms.facts import ON_TREATMENT
from lenadose.terms.units import PRINTED, QUANTITIES


@frozen
class Message:
    """A message for the reader, whatever was decided."""

    id: str
    words: str


def _not_used(unused: UnusedResult) -> str:
    """Return the words for a result that was reported and does not count, with its dangers."""
    name = unused.quantity.replace("_", " ")
    given, used = unused.result, unused.used
    below = " and ".join(
        f"{limit.below.value} {PRINTED[QUANTITIES[limit.quantity].unit]} ({limit.words})"
        for limit in unused.dangers
    )
    return (
        f"reported, not used: {name} {given.given} of {given.on}"
        f"{f', below {below}' if below else ''}; {used.given} of {used.on} counts"
    )


def _unreadable(seen: Observation, field: ResultField) -> str:
    """Return the words for a result that cannot be read, with what no longer counts for it."""
    name = field.label.replace("_", " ")
    words = f"reported, cannot be read: {name}"
    before, now = seen.before.findings, seen.findings
    if field is ResultField.PREGNANCY_TESTS:
        known = f"the negative one of {before.negative_tests[-1]}" if before.negative_tests else ""
    else:
        result = before.result(field.label)
        if result is not None and result is now.result(field.label):
            return f"{words}; {result.given} of {result.on}, a danger, still counts"
        known = f"{result.given} of {result.on}" if result else ""
    return f"{words}; {known} no longer counts" if known else words


def messages_of(decision: Decision) -> Iterator[Message]:
    """Yield the messages about a visit that change nothing that was decided."""
    seen, patient, visit = decision.seen, decision.seen.patient, decision.visit
    urgent = [danger_name(seen, danger) for danger in same_day_dangers(seen)]
    if urgent:
        yield Message("same-day-assessment", f"same-day assessment: {', '.join(urgent)}")
    taken = decision.visit.dosage_taken
    advised = seen.before.previous.advised if seen.before.previous else None
    if taken is not None and taken.dosage != (advised.dosage if advised else None):
        yield Message(
            "not-advised",
            f"{taken.dosage or 'nothing'} was taken since the visit before; "
            f"advised was {advised or 'no drug'}",
        )
    judgement = decision.visit.judgement
    if judgement is not None and decision.visit.clasi_activity is not None:
        scored = seen.protocol.response.of(
            seen.phase,
            decision.visit.clasi_activity,
            seen.baseline.activity if seen.baseline else None,
            seen.treatment.nadir.activity if seen.treatment.nadir else None,
            None,
        )
        yield Message(
            "judgement",
            f"judged {judgement.response.label} ({judgement.words}); "
            f"by the scores alone the response would be {scored.label}",
        )
    if seen.before.previous is not None and seen.before.previous.handed_over:
        yield Message(
            "handed-over",
            f"since the visit of {seen.before.previous.on} or before it the prescriber was to "
            "decide whether to resume",
        )
    until = drug_until(seen)
    if until is not None and until < decision.visit.date:
        yield Message(
            "silence-about-doses", f"what was taken was not reported; no drug since {until}"
        )
    elif seen.phase in ON_TREATMENT and decision.visit.doses_missed is None:
        yield Message("silence-about-doses", "missed doses were not reported and count as none")
    for field in visit.unreadable or ():
        yield Message("unreadable", _unreadable(seen, field))
    for unused in unused_results(seen):
        yield Message("not-used", _not_used(unused))
    slight = "; ".join(map(str, unused_events(seen)))
    if slight:
        yield Message("not-used", f"reported, changes no fact: {slight}")
    unknown = [
        str(event) for event in decision.visit.adverse_events or () if event.name not in KNOWN_TERMS
    ]
    if unknown:
        yield Message(
            "unknown-terms",
            f"judged by the grade alone, the term being unknown here: {'; '.join(unknown)}",
        )
    antibodies = patient.antiphospholipid.label if patient.antiphospholipid else "unknown"
    yield Message(
        "antiphospholipid",
        f"antiphospholipid antibodies: {antibodies}; thrombosis is a risk of the drug",
    )
    yield Message("not-checked", f"not checked here: {'; '.join(seen.protocol.unchecked)}")
