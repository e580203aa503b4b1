"""The arguments for an action and what would have to change for it, in words: numbers with units, dates with days."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from lenadose.engine.machine import Decision
from lenadose.explanation.alternatives import Alternative, Change, phases
from lenadose.explanation.arguments import Argument
from lenadose.explanation.change_cost import Feasibility
from lenadose.explanation.change_range import span
from lenadose.explanation.options import HORIZON, FieldValue
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.visit import DosageTaken, Judgement, Measurement, PregnancyTest
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import Action, Phase
from lenadose.terms.units import PRINTED, QUANTITIES

MEANS = {
    Feasibility.WAIT: "to wait for",
    Feasibility.OBTAIN: "to obtain; what it shows is open",
    Feasibility.JUDGE: "for the clinician to judge",
    Feasibility.SHOWN: "what the patient shows",
    Feasibility.PAST: "past",
}
"""Whose hands a change is in."""

_UNITS = {each.name: PRINTED[each.unit] for each in QUANTITIES.values()}
_NAMES = {"clasi_activity": "CLASI activity", "creatinine_clearance": "creatinine clearance"}


def in_days(count: int) -> str:
    """Say a number of days: "1 day", "3 days"."""
    return f"{count} day{'' if count == 1 else 's'}"


def smallest_changes(decision: Decision, alternative: Alternative) -> str:
    """Say the least that would have to change for an action, or why it cannot be reached."""
    if not alternative.reachable:
        return f"not reachable from here: {describe_unreachable(decision, alternative.action)}"
    return "; and ".join(
        f"{describe_change(decision, alternative, each)} [{MEANS[each.means]}]"
        for each in alternative.changes
    )


def describe_change(decision: Decision, alternative: Alternative, change: Change) -> str:
    """Say one change: "CLASI activity 8 or less instead of 9"."""
    return f"{_after(decision, alternative, change)}{_before(decision, change)}"


def describe_unreachable(decision: Decision, action: Action) -> str:
    """Say why no change at this visit leads to an action."""
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
    return f"nothing that this visit could have shown leads to it, on no day up to {HORIZON.days} days from it"


def describe_argument(argument: Argument) -> str:
    """Say an argument; against an action also what its row asks for: "before due: ..., not due"."""
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
            run = span(alternative, change)
            assert run is not None
            said = f"{_run(value, run.least, run.most)}"
            return (
                f"{name} {said}"
                if change.field == "clasi_activity"
                else f"doses missed since the visit before: {said}"
            )
        case date():
            return _day(decision.visit.date, alternative, change, value)
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
        case "dosage_taken":
            last = decision.seen.before.previous
            return (
                f"the dosage advised ({last.advised if last and last.advised else 'no drug'}) taken"
            )
        case _:
            return f"{_NAMES.get(field, field.replace('_', ' '))} not known at this visit"


def _run(value: int, least: object, most: object) -> str:
    if least is None and most is None:
        return "of any value"
    if least is None:
        return f"{most} or less" if most else "0"
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least != most else str(value)


def _limits(alternative: Alternative, change: Change) -> str:
    run, unit = span(alternative, change), _UNITS[change.field]
    assert run is not None
    said = []
    if isinstance(run.least, Decimal):
        said.append(f"at least {format_decimal(run.least)}")
    if isinstance(run.most, Decimal):
        said.append(f"below {format_decimal(run.most)}")
    return f"{' and '.join(said)} {unit}" if said else "of any value"


def _day(here: date, alternative: Alternative, change: Change, day: date) -> str:
    run = span(alternative, change)
    assert run is not None
    if day > here:
        until = f" and not after {run.most}" if run.most is not None and run.most != day else ""
        when = f"on {day}" if run.most == day else f"not before {day}"
        return f"{when} ({in_days((day - here).days)} from now){until}"
    since = f" and not before {run.least}" if run.least is not None and run.least != day else ""
    when = f"on {day}" if run.least == day else f"not after {day}"
    return f"{when} ({in_days((here - day).days)} earlier){since}"


def _tests(tests: tuple[PregnancyTest | AdverseEvent, ...]) -> str:
    said = [
        f"{each.result.label} {f'of {each.date}' if each.date else 'at the visit'}"
        for each in tests
        if isinstance(each, PregnancyTest)
    ]
    return (
        f"pregnancy test{'s' if len(said) > 1 else ''} {' and '.join(said)}"
        if said
        else "no pregnancy test"
    )


def _events(events: tuple[PregnancyTest | AdverseEvent, ...]) -> str:
    over = [str(each) for each in events if isinstance(each, AdverseEvent) and each.resolved]
    new = [str(each) for each in events if isinstance(each, AdverseEvent) and not each.resolved]
    said = [*over, *(f"an adverse event such as {each}" for each in new)]
    return " and ".join(said) if new else " and ".join([*over, "no adverse events"])


def _before(decision: Decision, change: Change) -> str:
    """Say what it would be instead of."""
    match change.field, change.before:
        case "date", _:
            return ""
        case (("clasi_activity" | "pregnancy_tests"), None):
            return ", not known now"
        case "adverse_events", None:
            return ", not asked about now"
        case "doses_missed", None:
            return " instead of none"
        case _, None:
            known = {
                "neutrophils": decision.seen.findings.neutrophils,
                "platelets": decision.seen.findings.platelets,
                "creatinine_clearance": decision.seen.findings.clearance,
            }
            if change.field not in known:
                return ""
            old = known[change.field]
            return f" instead of {old.given} of {old.on}" if old else ", not known now"
    return f" instead of {_said(change.before)}"


def _said(value: FieldValue) -> str:
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
                    f"{each.result.label}{f' of {each.date}' if each.date else ''}"
                    if isinstance(each, PregnancyTest)
                    else str(each)
                    for each in value
                )
                or "none"
            )
        case Measurement():
            return f"{value}{f' of {value.date}' if value.date else ''}"
        case _:
            return str(value)
