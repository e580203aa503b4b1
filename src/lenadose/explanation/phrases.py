"""The arguments for an action, and the changes that lead to it, in words."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from lenadose.engine.intake import supplied_until
from lenadose.engine.machine import Decision
from lenadose.explanation.alternatives import Alternative, Change, phases
from lenadose.explanation.arguments import Argument
from lenadose.explanation.calculations import in_days
from lenadose.explanation.change_cost import Feasibility
from lenadose.explanation.change_range import value_range
from lenadose.explanation.options import HORIZON, FieldValue
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.measurement import Measurement
from lenadose.record.visit import DosageTaken, Judgement, PregnancyTest
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import ON_TREATMENT, Action, Phase
from lenadose.terms.units import PRINTED, QUANTITIES

MEANS = MappingProxyType(
    {
        Feasibility.WAIT: "to wait for",
        Feasibility.OBTAIN: "to obtain; what it shows is open",
        Feasibility.JUDGE: "for the clinician to judge",
        Feasibility.SHOWN: "what the patient shows",
        Feasibility.PAST: "past",
    }
)
"""How a change can come about, in words."""

_UNITS = MappingProxyType(
    {quantity.name: PRINTED[quantity.unit] for quantity in QUANTITIES.values()}
)
_NAMES = MappingProxyType(
    {"clasi_activity": "CLASI activity", "creatinine_clearance": "creatinine clearance"}
)


def smallest_changes(decision: Decision, alternative: Alternative) -> str:
    """Describe the smallest change that leads to an action, or why none does."""
    if not alternative.reachable:
        return f"not reachable from here: {describe_unreachable(decision, alternative.action)}"
    return "; and ".join(
        f"{describe_change(decision, alternative, change)} [{MEANS[change.means]}]"
        for change in alternative.changes
    )


def describe_change(decision: Decision, alternative: Alternative, change: Change) -> str:
    """Describe one change: "CLASI activity 8 or less instead of 9"."""
    return f"{_after(decision, alternative, change)}{_before(decision, change)}"


def describe_unreachable(decision: Decision, action: Action) -> str:
    """Describe why no change at this visit leads to an action."""
    here = phases(decision)
    rows = decision.protocol.table.rules
    there = {
        phase for row in rows if row.action is action for case in row.cases for phase in case.phase
    }
    now = _either(phase.label for phase in here)
    if not there:
        return "the protocol never advises it"
    if there.isdisjoint(here):
        belongs = " and ".join(phase.label for phase in Phase if phase in there)
        return f"the phase is {now}; the action belongs to {belongs}"
    return (
        "nothing that this visit could have shown leads to it, "
        f"on no day up to {HORIZON.days} days from it"
    )


def describe_argument(argument: Argument) -> str:
    """Describe an argument; against an action also the terms that its row admits."""
    if argument.speaks_for:
        return argument.words
    return (
        f"{argument.words}; it would have to be {_either(word.label for word in argument.admitted)}"
    )


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)


def _after(decision: Decision, alternative: Alternative, change: Change) -> str:
    name, value = _NAMES.get(change.field, change.field), change.after
    match value:
        case None:
            return _left_out(decision, change.field)
        case Measurement():
            return f"{name} {_limits(alternative, change)}"
        case Judgement():
            return f"judged {value.response.label}"
        case DosageTaken():
            return f"{value.dosage or 'nothing'} taken since the visit before"
        case int():
            run = value_range(alternative, change)
            assert run is not None
            values = _run(value, run.least, run.most)
            return (
                f"{name} {values}"
                if change.field == "clasi_activity"
                else f"doses missed since the visit before: {values}"
            )
        case date():
            return _day(decision.visit.date, alternative, change, value)
        case tuple() if change.field in QUANTITIES:
            return f"{name} {describe_value(value)}"
        case tuple() if change.field == "pregnancy_tests":
            return _tests(value)
        case tuple():
            return _events(value)
    raise TypeError(value)


def _left_out(decision: Decision, field: str) -> str:
    match field:
        case "adverse_events":
            return "adverse events not asked about"
        case "judgement":
            return "no judgement"
        case "doses_missed":
            return "doses missed not reported"
        case "dosage_taken" if _is_silence_read(decision):
            return "dosage taken not reported"
        case "dosage_taken":
            last = decision.seen.before.previous
            return (
                f"the dosage advised ({last.advised if last and last.advised else 'no drug'}) taken"
            )
        case _:
            return f"{_NAMES.get(field, field.replace('_', ' '))} not known at this visit"


def _is_silence_read(decision: Decision) -> bool:
    """Return whether silence on what was taken would mean days without drug."""
    previous = decision.seen.before.previous
    if previous is None or decision.seen.before.treatment.phase not in ON_TREATMENT:
        return False
    return decision.visit.date > supplied_until(decision.protocol, previous)


def _run(value: int, least: object, most: object) -> str:
    if least is None and most is None:
        return "of any value"
    if least is None:
        return f"{most} or less" if most else "0"
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least != most else str(value)


def _limits(alternative: Alternative, change: Change) -> str:
    run, unit = value_range(alternative, change), _UNITS[change.field]
    assert run is not None
    bounds = []
    if isinstance(run.least, Decimal):
        bounds.append(f"at least {format_decimal(run.least)}")
    if isinstance(run.most, Decimal):
        bounds.append(f"below {format_decimal(run.most)}")
    return f"{' and '.join(bounds)} {unit}" if bounds else "of any value"


def _day(here: date, alternative: Alternative, change: Change, day: date) -> str:
    run = value_range(alternative, change)
    assert run is not None
    if day > here:
        until = f" and not after {run.most}" if run.most is not None and run.most != day else ""
        when = f"on {day}" if run.most == day else f"not before {day}"
        return f"{when} ({in_days((day - here).days)} from now){until}"
    since = f" and not before {run.least}" if run.least is not None and run.least != day else ""
    when = f"on {day}" if run.least == day else f"not after {day}"
    return f"{when} ({in_days((here - day).days)} earlier){since}"


def _tests(tests: tuple[object, ...]) -> str:
    results = [
        f"{test.result.label} {f'of {test.date}' if test.date else 'at the visit'}"
        for test in tests
        if isinstance(test, PregnancyTest)
    ]
    return (
        f"pregnancy test{'s' if len(results) > 1 else ''} {' and '.join(results)}"
        if results
        else "no pregnancy test"
    )


def _events(events: tuple[object, ...]) -> str:
    listed = [event for event in events if isinstance(event, AdverseEvent)]
    resolved = [str(event) for event in listed if event.resolved]
    new = [f"an adverse event such as {event}" for event in listed if not event.resolved]
    return " and ".join([*resolved, *(new or ["no adverse events"])])


def _before(decision: Decision, change: Change) -> str:
    """Describe what the change replaces."""
    match change.field, change.before:
        case "date", _:
            return ""
        case (("clasi_activity" | "pregnancy_tests"), None):
            return ", not known now"
        case "adverse_events", None:
            return ", not asked about now"
        case "doses_missed", None:
            return ", not reported now" if _is_silence_read(decision) else " instead of none"
        case _, None:
            known = {
                "neutrophils": decision.seen.findings.neutrophils,
                "platelets": decision.seen.findings.platelets,
                "creatinine_clearance": decision.seen.findings.creatinine_clearance,
            }
            if change.field not in known:
                return ""
            old = known[change.field]
            return f" instead of {old.given} of {old.on}" if old else ", not known now"
    return f" instead of {describe_value(change.before)}"


def describe_value(value: FieldValue) -> str:
    """Return a value of a field of the visit for people; "none" where it is left out or empty."""
    match value:
        case None:
            return "none"
        case Judgement():
            return value.response.label
        case DosageTaken():
            return str(value.dosage or "nothing")
        case tuple():
            return (
                ", ".join(
                    f"{entry.result.label if isinstance(entry, PregnancyTest) else entry}"
                    f"{f' of {entry.date}' if entry.date else ''}"
                    if isinstance(entry, PregnancyTest | Measurement)
                    else str(entry)
                    for entry in value
                )
                or "none"
            )
        case Measurement():
            return f"{value}{f' of {value.date}' if value.date else ''}"
        case _:
            return str(value)
