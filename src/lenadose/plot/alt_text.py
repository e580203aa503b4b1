"""What a picture says in words: why a decision was made, and the text alternative of a course."""

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
    """Say a decision in a few words, with what led to it: "interrupt: neutrophils 0.8 × 10⁹/L"."""
    facts, asked = decision.facts, decision.case.conditions
    if facts.safety is not Safety.ACCEPTABLE and (
        "safety" in asked or facts.safety is Safety.CAUTION
    ):
        unknown = [gap for gap in decision.seen.missing_fields if gap.field != "clasi_activity"]
        many = facts.safety is Safety.NOT_ASSESSED and len(unknown) > 1
        cause = f"{len(unknown)} facts missing" if many else safety_cause(decision.seen)
    elif "response" in asked:
        cause = "relapse" if is_relapse(decision) else _SKIN[facts.response]
    elif "timing" in asked and decision.seen.due_on is not None:
        cause = facts.timing.label
    elif (
        facts.position in (Position.ABOVE_CEILING, Position.OFF_LADDER, Position.NONE)
        and "position" in asked
    ):
        cause = f"level {facts.position.label}"
    else:
        cause = ""
    return f"{decision.action.label}: {cause}" if cause else decision.action.label


def is_relapse(decision: Decision) -> bool:
    """Tell whether the disease came back in the taper or after the finish."""
    return decision.facts.response is Response.WORSE and decision.facts.phase in (
        Phase.TAPER,
        Phase.OFF_TREATMENT,
    )


def course_in_words(decisions: Sequence[Decision]) -> Iterator[str]:
    """Tell a course in lines, one for each visit: what it showed, and what was decided."""
    protocol, patient = decisions[-1].protocol, decisions[-1].seen.patient.id
    yield f"The course of {patient or 'a patient'} by the protocol {protocol.id} {protocol.version}, visit by visit."
    for each in decisions:
        visit = each.visit
        shown = [
            f"CLASI activity {'missing' if visit.clasi_activity is None else visit.clasi_activity}"
        ]
        shown.append(
            f"response {each.facts.response.label}{' (relapse)' if is_relapse(each) else ''}"
        )
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            given = getattr(visit, name)
            if given is not None:
                shown.append(f"{name.replace('_', ' ')} {given}")
        shown += [
            f"{gap.field.replace('_', ' ')} {gap.why.label}"
            for gap in each.missing
            if gap.field != "clasi_activity"
        ]
        if visit.dosage_taken is not None:
            shown.append(f"took {visit.dosage_taken.dosage or 'nothing'}")
        if visit.doses_missed:
            shown.append(f"{visit.doses_missed} doses missed")
        yield f"{visit.date}: {', '.join(shown)}. Decision: {advice(each)} ({why(each)}); then {each.phase_after.label}."
    yield NOT_A_DEVICE
