"""A picture in words: the reason of a decision, and the text alternative of a course."""

from collections.abc import Iterator, Sequence

from lenadose.engine.machine import Decision
from lenadose.explanation.calculations import in_doses
from lenadose.explanation.fact_phrases import cause, is_relapse, why_missing
from lenadose.explanation.headlines import advice
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.units import QUANTITIES


def why(decision: Decision) -> str:
    """Return a decision and its cause in a few words: "interrupt: neutrophils 0.8 × 10⁹/L"."""
    brief = cause(decision)
    return f"{decision.action.label}: {brief}" if brief else decision.action.label


def course_in_words(decisions: Sequence[Decision]) -> Iterator[str]:
    """Yield a course in lines, one for each visit with its findings and its decision."""
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    by = f"{protocol.id} {protocol.version}"
    yield f"The course of {patient or 'a patient'} by the protocol {by}, visit by visit."
    for decision in decisions:
        visit = decision.visit
        activity = "missing" if visit.clasi_activity is None else visit.clasi_activity
        relapse = " (relapse)" if is_relapse(decision) else ""
        findings = [
            f"CLASI activity {activity}",
            f"response {decision.facts.response.label}{relapse}",
        ]
        for name in QUANTITIES:
            results = ", ".join(
                f"{each.given}{f' of {each.on}' if each.on != visit.date else ''}"
                for each in visit.results(name)
            )
            if results:
                findings.append(f"{name.replace('_', ' ')} {results}")
        if visit.tests:
            findings.append(f"pregnancy tests {', '.join(test.label for _, test in visit.tests)}")
        if visit.adverse_events is not None:
            events = "; ".join(map(str, visit.adverse_events))
            findings.append(f"adverse events {events or 'none'}")
        findings += [
            f"{gap.field.replace('_', ' ')} {why_missing(visit, gap)}"
            for gap in decision.missing
            if gap.field != "clasi_activity"
        ]
        if visit.dosage_taken is not None:
            findings.append(f"took {visit.dosage_taken.dosage or 'nothing'}")
        if visit.doses_missed:
            findings.append(f"{in_doses(visit.doses_missed)} missed")
        decided = f"{advice(decision)} ({why(decision)}); then {decision.phase_after.label}"
        yield f"{visit.date}: {', '.join(findings)}. Decision: {decided}."
    yield NOT_A_DEVICE
