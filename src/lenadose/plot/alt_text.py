"""A picture in words: the reason of a decision, and the text alternative of a course."""

from collections.abc import Iterator, Sequence

from lenadose.engine.machine import Decision
from lenadose.explanation.fact_phrases import safety_cause
from lenadose.report.decision import advice
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import Phase, Position, Response, Safety

_SKIN = {
    Response.COMPLETE: "complete response",
    Response.PARTIAL: "partial response",
    Response.NONE: "no response",
    Response.WORSE: "worse",
    Response.NOT_ASSESSED: "skin not assessed",
}


def why(decision: Decision) -> str:
    """Return a decision and its cause in a few words: "interrupt: neutrophils 0.8 × 10⁹/L"."""
    facts, conditions = decision.facts, decision.case.conditions
    if facts.safety is not Safety.ACCEPTABLE and (
        "safety" in conditions or facts.safety is Safety.CAUTION
    ):
        unknown = [gap for gap in decision.seen.missing_fields if gap.field != "clasi_activity"]
        many = facts.safety is Safety.NOT_ASSESSED and len(unknown) > 1
        cause = f"{len(unknown)} facts missing" if many else safety_cause(decision.seen)
    elif "response" in conditions:
        cause = "relapse" if is_relapse(decision) else _SKIN[facts.response]
    elif "timing" in conditions and decision.seen.due_on is not None:
        cause = facts.timing.label
    elif (
        facts.position in (Position.ABOVE_CEILING, Position.OFF_LADDER, Position.NONE)
        and "position" in conditions
    ):
        cause = f"level {facts.position.label}"
    else:
        cause = ""
    return f"{decision.action.label}: {cause}" if cause else decision.action.label


def is_relapse(decision: Decision) -> bool:
    """Return whether the disease came back in the taper or after the finish."""
    return decision.facts.response is Response.WORSE and decision.facts.phase in (
        Phase.TAPER,
        Phase.OFF_TREATMENT,
    )


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
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            result = getattr(visit, name)
            if result is not None:
                findings.append(f"{name.replace('_', ' ')} {result}")
        findings += [
            f"{gap.field.replace('_', ' ')} {gap.why.label}"
            for gap in decision.missing
            if gap.field != "clasi_activity"
        ]
        if visit.dosage_taken is not None:
            findings.append(f"took {visit.dosage_taken.dosage or 'nothing'}")
        if visit.doses_missed:
            findings.append(f"{visit.doses_missed} doses missed")
        decided = f"{advice(decision)} ({why(decision)}); then {decision.phase_after.label}"
        yield f"{visit.date}: {', '.join(findings)}. Decision: {decided}."
    yield NOT_A_DEVICE
