"""The cause of a decision in words of the clinic: the facts its case restricts, with numbers.

What the case does not restrict is no cause, and is not named.
"""

from collections.abc import Iterator
from types import MappingProxyType

from lenadose.engine.machine import Decision
from lenadose.engine.observe import MissingReason, Observation, limits_met
from lenadose.explanation.calculations import in_days, origin, percent, printed_date
from lenadose.terms.facts import BOTTOM, TOP, Phase, Position, Response, Safety, Term, Timing

_ORDER = ("response", "phase", "trial", "timing", "position", "safety")
_MOST = 3
"""More events or gaps than these are counted, not listed; the full page lists all."""

_REASON_TO = MappingProxyType(
    {
        Safety.STOP: "a reason to stop for good",
        Safety.INTERRUPT: "a reason to interrupt",
        Safety.CAUTION: "a reason for caution",
    }
)


def why(decision: Decision) -> str:
    """Return the cause of a decision as one sentence, with the numbers that decide.

    "There is no response (CLASI 15, down 1, 6.3 %, from 16 at the start); the interval is over."
    """
    words = "; ".join(clauses(decision).values()) or f"the phase is {decision.facts.phase.label}"
    return f"{words[:1].upper()}{words[1:]}."


def clauses(decision: Decision) -> dict[str, str]:
    """Return the restricted facts as clauses, by their names; the ordinary ones are left out."""
    asked = decision.case.conditions
    names = [name for name in _ORDER if name in asked]
    if decision.facts.safety is not Safety.ACCEPTABLE:
        names.sort(key=lambda name: name != "safety")  # a danger, or what is missing, comes first
    return {name: clause for name in names if (clause := _clause(decision, name))}


def _clause(decision: Decision, name: str) -> str:
    """Return a restricted fact as a clause; empty for the ordinary ones."""
    seen, admitted = decision.seen, decision.case.conditions[name]
    fact: Term = getattr(decision.facts, name)
    match fact:
        case Response():
            ordinary = Response.NOT_ASSESSED in admitted and len(admitted) > 1
            return "" if ordinary else _skin(seen, fact)
        case Safety():
            # Between two facts that it admits, the case does not choose.
            ordinary = Safety.ACCEPTABLE in admitted and len(admitted) > 1
            return "" if ordinary else _safety(seen, fact)
        case Timing():
            return _timing(seen, fact)
        case Position():
            return _position(seen, fact, frozenset(admitted))
        case Phase():
            return _phase(seen)
        case _:
            return f"the trial of therapy is {fact.label}"


def _skin(seen: Observation, response: Response) -> str:
    scores = _scores(seen)
    match response:
        case Response.NOT_ASSESSED:
            return "the skin was not assessed"
        case _ if seen.phase is Phase.BEFORE_START:
            mild = ", too mild to start for" if response is Response.MILD else ""
            return f"CLASI activity is {seen.visit.clasi_activity}{mild}"
        case Response.NONE:
            return f"there is no response{scores}"
        case Response.WORSE:
            return f"the skin is worse{scores}"
        case _:
            return f"the response is {response.label}{scores}"


def _scores(seen: Observation) -> str:
    """Return the scores behind a response: now, the change since the baseline, the nadir."""
    now, judgement = seen.visit.clasi_activity, seen.visit.judgement
    judged = f"judged {judgement.response.label}" if judgement else ""
    if now is None:
        return f" ({judged})" if judged else ""
    parts = [f"CLASI {now}"]
    start = seen.baseline.activity if seen.baseline else None
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
    if start is not None:
        change = abs(start - now)
        direction = "down" if now < start else "up"
        share = f", {percent(change, start)}," if start and change else ""
        moved = f"{direction} {change}{share} from {start}" if change else f"unchanged from {start}"
        parts.append(f"{moved} at {origin(seen)}")
    if nadir is not None and nadir < now and nadir != start:
        parts.append(f"lowest {nadir}")
    return f" ({', '.join([*parts, *([judged] if judged else [])])})"


def _safety(seen: Observation, safety: Safety) -> str:
    if safety is Safety.ACCEPTABLE:
        return "no safety criterion is met"
    if safety is Safety.NOT_ASSESSED:
        gaps = [gap for gap in seen.missing_fields if gap.field != "clasi_activity"]
        words = (
            f"{field_words(gap.field)}{' (too old)' if gap.why is MissingReason.STALE else ''}"
            for gap in gaps
        )
        return f"missing: {_listed(list(words))}"
    return f"{_listed(list(_dangers(seen, safety)))}: {_REASON_TO[safety]}"


def _dangers(seen: Observation, safety: Safety) -> Iterator[str]:
    """Yield the results and events that make safety what it is."""
    day = seen.visit.date
    for limit in limits_met(seen.protocol.safety, seen.findings):
        result = seen.findings.result(limit.quantity)
        if limit.shows is safety and result is not None:
            dated = "" if result.on == day else f" on {printed_date(result.on)}"
            name = limit.quantity.replace("_", " ")
            yield f"{name} {result.given}{dated}, below {limit.below.value}"
    named = set()
    for ongoing in seen.findings.ongoing:
        event = ongoing.event
        name = str(event) if event else "positive pregnancy test"
        if ongoing.criterion.safety is safety and name not in named:
            named.add(name)
            since = "" if ongoing.since == day else f" since {printed_date(ongoing.since)}"
            yield f"{name}{since}"


def _listed(words: list[str]) -> str:
    more = len(words) - _MOST
    return ", ".join([*words[:_MOST], *([f"and {more} more"] if more > 0 else [])])


def _timing(seen: Observation, timing: Timing) -> str:
    since = seen.treatment.interrupted_on
    if since is not None:
        longest = seen.protocol.intervals.resumable.value
        many = "more than" if timing is Timing.DUE else "not more than"
        return f"interrupted for {in_days((seen.visit.date - since).days)}, {many} {longest}"
    if seen.due_on is None:
        return ""
    if timing is Timing.DUE:
        return "the interval is over"
    return f"the interval runs until {printed_date(seen.due_on)}"


def _position(seen: Observation, position: Position, admitted: frozenset[Term]) -> str:
    dose = seen.treatment.dose
    if position is Position.NONE:
        return "no level is left" if dose else ""
    if dose is None:
        return ""
    if position is Position.OFF_LADDER:
        return f"{dose.off_ladder} is no level of this protocol"
    if position is Position.ABOVE_CEILING:
        return f"{dose.level} is more than allowed now, {seen.ceiling or 'no drug'}"
    if admitted <= TOP:
        return f"{dose.level} is the highest level allowed"
    if admitted <= BOTTOM:
        return f"{dose.level} is the lowest level"
    return ""


def _phase(seen: Observation) -> str:
    if seen.visit.stopped is not None:
        return f"treatment was ended ({seen.visit.stopped})"
    match seen.phase:
        case Phase.DISCONTINUED:
            return "treatment has ended for good"
        case Phase.OFF_TREATMENT:
            return "treatment is finished"
        case _:
            return ""


def field_words(field: str) -> str:
    """Return the name of a field of the visit for people: "CLASI activity"."""
    return field.replace("_", " ").replace("clasi", "CLASI")
