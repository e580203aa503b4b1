"""The cause of a decision in words of the clinic: the facts its case restricts, with numbers.

What the case does not restrict is no cause, and is not named.
"""

from collections.abc import Iterator
from types import MappingProxyType

from lenadose.engine.machine import Decision
from lenadose.engine.observe import MissingReason, Observation, interval_name, limits_met
from lenadose.explanation.calculations import (
    ceiling_cause,
    in_days,
    origin,
    percent,
    printed_date,
)
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import (
    BOTTOM,
    TOP,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval
from lenadose.terms.units import PRINTED, QUANTITIES

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
        case Response() if len(admitted) > 1:
            # Between the responses that it admits, the case does not choose.
            return "" if Response.NOT_ASSESSED in admitted else _not_worse(seen, set(admitted))
        case Response():
            return _skin(seen, fact)
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
            return _trial(seen, fact)


def _not_worse(seen: Observation, admitted: set[Term]) -> str:
    """Return the clause for several responses that a case admits alike."""
    if seen.phase not in (Phase.TAPER, Phase.OFF_TREATMENT) or Response.WORSE in admitted:
        return _skin(seen, seen.facts.response)
    clear = "" if Response.COMPLETE in admitted else "the skin is not clear, and "
    return f"{clear}there is no relapse{_scores(seen)}"


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
    if seen.facts.response is Response.WORSE and nadir is not None and nadir < now:
        at_start = "" if start is None else f"; {start} at {origin(seen)}"
        parts.append(f"up {now - nadir} from the lowest, {nadir}{at_start}")
        nadir = None
    elif start is not None:
        change = abs(start - now)
        direction = "down" if now < start else "up"
        share = f", {percent(change, start)}," if start and change else ""
        moved = f"{direction} {change}{share} from {start}" if change else "as"
        parts.append(f"{moved} at {origin(seen)}")
    if nadir is not None and nadir < now and nadir != start:
        parts.append(f"lowest {nadir}")
    return f" ({', '.join([*parts, *([judged] if judged else [])])})"


def _safety(seen: Observation, safety: Safety) -> str:
    if safety is Safety.ACCEPTABLE:
        return f"safety is acceptable{_counts(seen)}"
    if safety is Safety.NOT_ASSESSED:
        gaps = [gap for gap in seen.missing_fields if gap.field != "clasi_activity"]
        words = (
            "adverse events (not asked about)"
            if gap.field == "adverse_events"
            else f"{field_words(gap.field)}{' (too old)' if gap.why is MissingReason.STALE else ''}"
            for gap in gaps
        )
        return f"missing: {_listed(list(words))}"
    return f"{_listed(list(_dangers(seen, safety)))}: {_REASON_TO[safety]}"


def _counts(seen: Observation) -> str:
    """Return the counts behind an acceptable safety, in the unit used inside."""
    known = (("neutrophils", seen.findings.neutrophils), ("platelets", seen.findings.platelets))
    counts = [f"{name} {format_decimal(result.amount)}" for name, result in known if result]
    return f" ({', '.join(counts)} {PRINTED['10*9/L']})" if counts else ""


def _dangers(seen: Observation, safety: Safety) -> Iterator[str]:
    """Yield the results and events that make safety what it is."""
    day = seen.visit.date
    for limit in limits_met(seen.protocol.safety, seen.findings):
        result = seen.findings.result(limit.quantity)
        if limit.shows is safety and result is not None:
            dated = "" if result.on == day else f" on {printed_date(result.on)}"
            name = limit.quantity.replace("_", " ")
            unit = PRINTED[QUANTITIES[limit.quantity].unit]
            yield f"{name} {result.given}{dated}, below {limit.below.value} {unit}"
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
    dose = seen.treatment.dose
    if seen.due_on is None or dose is None:
        return ""
    if timing is Timing.BEFORE_DUE:
        return f"the interval runs until {printed_date(seen.due_on)}"
    interval: Interval = getattr(seen.protocol.intervals, interval_name(seen.phase, dose)).value
    began = printed_date(dose.interval_from)
    if interval.after(dose.interval_from) != seen.due_on:
        return f"the interval from {began} is over, with the days missed"
    verb = "is" if str(interval).startswith("1 ") else "are"
    return f"{interval} since {began} {verb} over"


def _trial(seen: Observation, trial: Term) -> str:
    """Return how the trial of therapy stands: the part without response, and at the level."""
    dose, start, intervals = seen.treatment.dose, seen.baseline, seen.protocol.intervals
    if dose is None or start is None:
        return f"the trial of therapy is {trial.label}"
    whole, at_level = intervals.trial.value, intervals.trial_at_level.value
    if trial is TherapeuticTrial.EXHAUSTED:
        return f"the trial is over: {whole} without a response, {at_level} at this level"
    ends = max(whole.after(seen.treatment.responded_on or start.on), at_level.after(dose.since))
    return f"the trial of therapy runs until {printed_date(ends)}"


def _position(seen: Observation, position: Position, admitted: frozenset[Term]) -> str:
    dose = seen.treatment.dose
    lowered = seen.ceiling != seen.protocol.ladder.top
    because = f" ({ceiling_cause(seen)})" if lowered else ""
    if position is Position.NONE:
        return f"no level is left{because}" if dose else ""
    if dose is None:
        return ""
    if position is Position.OFF_LADDER:
        return f"{dose.off_ladder} is no level of this protocol"
    if position is Position.ABOVE_CEILING:
        return f"{dose.level} is more than allowed now, {seen.ceiling or 'no drug'}{because}"
    if admitted <= TOP:
        return f"{dose.level} is the highest level allowed{because}"
    if admitted <= BOTTOM:
        return f"{dose.level} is the lowest level"
    return ""


def _phase(seen: Observation) -> str:
    if seen.visit.stopped is not None:
        return f"treatment was ended ({seen.visit.stopped})"
    match seen.phase:
        case Phase.DISCONTINUED:
            ended = seen.treatment.ended_on
            return f"treatment ended for good{f' on {printed_date(ended)}' if ended else ''}"
        case Phase.OFF_TREATMENT:
            ended = seen.treatment.ended_on
            return f"off treatment{f' since {printed_date(ended)}' if ended else ''}"
        case _:
            return ""


def field_words(field: str) -> str:
    """Return the name of a field of the visit for people: "CLASI activity", "pregnancy test"."""
    if field == "pregnancy_tests":
        return "pregnancy test"
    return field.replace("_", " ").replace("clasi", "CLASI")
