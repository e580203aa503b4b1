"""The cause of a decision: the facts that its case restricts, with the figures behind them."""

from collections.abc import Mapping
from types import MappingProxyType

from lenadose.engine.machine import Decision
from lenadose.engine.observe import MissingField, MissingReason, Observation, limits_met
from lenadose.explanation.calculations import ceiling_cause, in_days, origin, percent
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.visit import Visit
from lenadose.terms.facts import (
    BOTTOM,
    TOP,
    EvidenceLevel,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)

_ORDER = ("response", "safety", "timing", "phase", "trial", "position")
"""The facts in the order in which a cause names them."""

_BRIEF_ORDER = ("response", "trial", "safety", "timing", "phase", "position")

_SHORT: Mapping[Term, str] = MappingProxyType(
    {
        Response.COMPLETE: "complete response",
        Response.PARTIAL: "partial response",
        Response.NONE: "no response",
        Response.WORSE: "worse",
        Response.NOT_ASSESSED: "skin not assessed",
        TherapeuticTrial.EXHAUSTED: "trial of therapy over",
        Timing.BEFORE_DUE: "before due",
        Position.ABOVE_CEILING: "level above ceiling",
        Position.OFF_LADDER: "level off ladder",
        Position.NONE: "no level left",
    }
)
"""The words of a cause in brief."""


def cause(decision: Decision) -> str:
    """Return the cause in a few words: "no response, trial of therapy over"; empty without one.

    Of what the case restricts, only what is out of the ordinary is named: a caution is no cause
    where the case admits acceptable safety as well.
    """
    names = sorted(_restricted(decision), key=_BRIEF_ORDER.index)
    return ", ".join(part for name in names if (part := _brief(decision, name)))


def is_relapse(decision: Decision) -> bool:
    """Return whether the disease came back in the taper or after the finish."""
    return decision.facts.response is Response.WORSE and decision.facts.phase in (
        Phase.TAPER,
        Phase.OFF_TREATMENT,
    )


def _restricted(decision: Decision) -> tuple[str, ...]:
    """Return the facts that the case restricts, less those without meaning at this visit.

    The phase is named where it is all there is, and where it has a date of its own.
    """
    seen, asked = decision.seen, decision.case.conditions
    dated = seen.phase is Phase.INTERRUPTED
    shown = {name for name in asked if name != "phase" or dated or asked.keys() == {"phase"}}
    if seen.due_on is None and not dated:
        shown.discard("timing")
    return tuple(name for name in _ORDER if name in shown)


def _brief(decision: Decision, name: str) -> str:
    """Return a fact as a cause in brief, empty where it is the ordinary one."""
    seen, admitted = decision.seen, decision.case.conditions[name]
    fact: Term = getattr(decision.facts, name)
    match fact:
        case Safety():
            if Safety.ACCEPTABLE in admitted:
                return ""
            gaps = [gap for gap in seen.missing_fields if gap.field != "clasi_activity"]
            many = fact is Safety.NOT_ASSESSED and len(gaps) > 1
            return f"{len(gaps)} facts missing" if many else _safety_cause(seen, brief=True)
        case Response() if Response.NOT_ASSESSED in admitted and len(admitted) > 1:
            return ""
        case Response() if seen.phase is Phase.BEFORE_START and fact is not Response.NOT_ASSESSED:
            # Before a start there is nothing to respond to.
            return f"CLASI activity {seen.visit.clasi_activity}"
        case Response.WORSE if is_relapse(decision):
            return "relapse"
        case Timing() if seen.phase is Phase.INTERRUPTED:
            return _interruption(seen)
        case Phase():
            return f"treatment ended, {seen.visit.stopped}" if seen.visit.stopped else ""
        case Position.HIGHEST | Position.ONLY if set(admitted) <= TOP:
            return "highest level allowed"
        case Position.LOWEST | Position.ONLY if set(admitted) <= BOTTOM:
            return "lowest level"
    return _SHORT.get(fact, "")


def _interruption(seen: Observation) -> str:
    since = seen.treatment.interrupted_on
    return f"{in_days((seen.visit.date - since).days)} of interruption" if since else ""


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
        case "timing" if seen.phase is Phase.INTERRUPTED:
            longest = seen.protocol.intervals.resumable.value
            many = "more than" if facts.timing is Timing.DUE else "not more than"
            return f"{_interruption(seen)}, {many} {longest}"
        case "phase" if seen.phase is Phase.INTERRUPTED:
            return f"interrupted since {seen.treatment.interrupted_on}"
        case "phase" if seen.visit.stopped is not None:
            return f"{facts.phase.label}: treatment was ended ({seen.visit.stopped})"
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
    moved = f"{direction} {abs(fall)} from " if fall else ""
    change = f"{moved}{start} at {origin(seen)}"
    if fall and start:
        change += f", {percent(abs(fall), start)}"
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
    return _safety_cause(seen, brief=False)


def _safety_cause(seen: Observation, *, brief: bool) -> str:
    """Name it with the edition and the evidence level of each event, or in brief without them."""
    safety, known, fact = seen.protocol.safety, seen.findings, seen.facts.safety
    if fact is Safety.NOT_ASSESSED:
        return ", ".join(
            f"{gap.field.replace('_', ' ')} {why_missing(seen.visit, gap)}"
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
            name = _event_name(event.event, brief)
            tag = event.criterion.provenance.tag
            tags[name] = min(tag, tags.get(name, tag), key=lambda tag: tag.rank)
    events = (name if brief else f"{name} [{tag.label}]" for name, tag in tags.items())
    return ", ".join([*causes, *events])


def why_missing(visit: Visit, gap: MissingField) -> str:
    """Return why a field is missing: "stale"; events "absent" would read as if there were none."""
    if gap.why is MissingReason.ABSENT and visit.is_unreadable(gap.field):
        return "not readable"
    if gap.field == "adverse_events" and gap.why is MissingReason.ABSENT:
        return "not asked about"
    return gap.why.label


def _event_name(event: AdverseEvent | None, brief: bool) -> str:
    if event is None:
        return "positive pregnancy test"
    if not brief:
        return str(event)
    return event.name if event.grade is None else f"{event.name}, grade {event.grade}"
