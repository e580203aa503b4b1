"""The facts of a decision in words, with the figures behind them."""

from collections.abc import Iterator

from lenadose.engine.machine import Decision
from lenadose.engine.observe import Observation, limits_met
from lenadose.explanation.calculations import ceiling_cause, in_days, percent
from lenadose.terms.facts import EvidenceLevel, Phase, Safety


def reasons(decision: Decision) -> Iterator[str]:
    """Yield each fact that the case asks for, with the figures behind it."""
    seen, asked = decision.seen, decision.case.conditions
    if "response" in asked:
        yield describe_fact(decision, "response")
    if "safety" in asked or decision.facts.safety is Safety.CAUTION:
        yield describe_fact(decision, "safety")
    if "timing" in asked and seen.due_on is not None:
        yield describe_fact(decision, "timing")
    if seen.phase is Phase.INTERRUPTED and seen.treatment.no_drug_since is not None:
        yield f"interrupted since {seen.treatment.no_drug_since}"
    for name in ("trial", "position"):
        if name in asked:
            yield describe_fact(decision, name)
    if asked.keys() == {"phase"}:
        yield describe_fact(decision, "phase")


def describe_fact(decision: Decision, name: str) -> str:
    """Describe one of the six facts, with the figures behind it."""
    seen, facts = decision.seen, decision.facts
    match name:
        case "response":
            return f"response {facts.response.label}{_skin(seen)}"
        case "safety":
            cause = safety_cause(seen)
            return f"safety {facts.safety.label}{f' ({cause})' if cause else ''}"
        case "timing" if seen.due_on is not None:
            missed = (
                f" with {in_days(seen.treatment.dose.days_missed)} missed"
                if seen.treatment.dose and seen.treatment.dose.days_missed
                else ""
            )
            return f"{facts.timing.label}: the interval is over on {seen.due_on}{missed}"
        case "trial":
            return f"trial of therapy {facts.trial.label}"
        case "position":
            lowered = seen.ceiling != seen.protocol.ladder.top
            place = (
                f" (at most {seen.ceiling or 'no level'}: {ceiling_cause(seen)})" if lowered else ""
            )
            return f"level {facts.position.label}{place}"
    return str(getattr(facts, name).label)


def _skin(seen: Observation) -> str:
    visit = seen.visit
    if visit.clasi_activity is None:
        return f" (judged: {visit.judgement.response.label})" if visit.judgement else ""
    start = seen.baseline.activity if seen.baseline else None
    if start is None:
        return f" (CLASI activity {visit.clasi_activity})"
    fall = start - visit.clasi_activity
    direction = "down" if fall >= 0 else "up"
    change = f"{direction} {abs(fall)} from {start} at the start, {percent(abs(fall), start)}"
    rise = visit.clasi_activity - (
        seen.treatment.nadir.activity if seen.treatment.nadir else visit.clasi_activity
    )
    nadir = (
        f"; up {rise} from the lowest, {seen.treatment.nadir.activity}"
        if seen.treatment.nadir and rise
        else ""
    )
    judged = f"; judged: {visit.judgement.response.label}" if visit.judgement else ""
    return f" (CLASI activity {visit.clasi_activity}, {change}{nadir}{judged})"


def safety_cause(seen: Observation) -> str:
    """Name what makes safety what it is: the dangers, the cautions, or what is missing."""
    safety, known, fact = seen.protocol.safety, seen.findings, seen.facts.safety
    if fact is Safety.NOT_ASSESSED:
        return ", ".join(
            f"{gap.field.replace('_', ' ')} {gap.why.label}"
            for gap in seen.missing_fields
            if gap.field != "clasi_activity"
        )
    if fact is Safety.ACCEPTABLE:
        return ""
    causes = [
        f"{limit.quantity.replace('_', ' ')} {result.given}"
        for limit in limits_met(safety, known)
        if limit.shows is fact and (result := known.result(limit.quantity))
    ]
    # An event can meet several criteria; the best founded one is named.
    tags: dict[str, EvidenceLevel] = {}
    for event in known.ongoing:
        if event.criterion.safety is fact:
            name = str(event.event or "positive pregnancy test")
            tag = event.criterion.provenance.tag
            tags[name] = min(tag, tags.get(name, tag), key=lambda tag: tag.rank)
    return ", ".join([*causes, *(f"{name} [{tag.label}]" for name, tag in tags.items())])
