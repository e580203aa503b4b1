"""Findings that are worked out from others: the age, and the creatinine clearance."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal

from lenadose.formats.course_json import Json, number
from lenadose.importing.clearance import (
    SOURCE,
    cockcroft_gault,
    kilograms,
    milligrams_per_decilitre,
)
from lenadose.importing.dangers import fault_of
from lenadose.importing.findings import (
    BIRTH_DATE,
    CREATININE,
    SEX,
    WEIGHT,
    Finding,
    Note,
    unneeded,
)
from lenadose.terms.errors import Fault, LenadoseError
from lenadose.terms.units import CREATININE_CLEARANCE

OLDEST_WEIGHT = 183
"""The greatest age of a weight, in days; that of a clearance in the protocols, half a year."""


def age_on(birth: dt.date, day: dt.date) -> int:
    """Return the age in whole years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def clearances(findings: Sequence[Finding]) -> tuple[list[Finding], list[Note]]:
    """Return a clearance for each creatinine from which one can be worked out, and the notes.

    None is worked out for a day on which a clearance was reported.
    """
    reported = {finding.on for finding in findings if finding.field == CREATININE_CLEARANCE.name}
    weights = [finding for finding in findings if finding.field == WEIGHT]
    made: list[Finding] = []
    notes: list[Note] = []
    weighed: set[str] = set()
    for finding in findings:
        if finding.field != CREATININE:
            continue
        assert finding.on is not None
        if finding.on in reported:
            notes.append(
                finding.left_out("a clearance was reported that day", "nothing to do", False)
            )
        elif finding.fault is not None:
            made.append(_clearance(finding, fault=finding.fault))
        else:
            weight = _weight_on(weights, finding.on)
            try:
                made.append(_worked_out(finding, weight, findings))
            except LenadoseError as error:
                fault = error.faults[0]
                reason = f"no clearance can be worked out: {fault.place} {fault.reason}"
                notes.append(finding.left_out(reason, fault.fix, False))
            else:
                assert weight is not None
                weighed.add(weight.place)
                notes.append(weight.used(f", for the clearance of {finding.on}"))
    for weight in weights:
        if weight.place not in weighed:
            notes.append(
                unneeded(weight.place, f"{weight.words}: no clearance is worked out with it")
            )
    return made, notes


def _weight_on(weights: Sequence[Finding], day: dt.date) -> Finding | None:
    """Return the newest weight on a day or before it."""
    known = [weight for weight in weights if weight.on is not None and weight.on <= day]
    return max(known, key=lambda weight: weight.on or day, default=None)


def _worked_out(
    creatinine: Finding, weight: Finding | None, findings: Sequence[Finding]
) -> Finding:
    """Return the clearance of a creatinine; raises CallError for what is missing."""
    on = creatinine.on
    assert on is not None
    if weight is None or weight.on is None or (on - weight.on).days > OLDEST_WEIGHT:
        reason = f"is missing on {on} and in the {OLDEST_WEIGHT} days before"
        raise _missing("weight", reason)
    if weight.fault is not None:
        raise _missing("weight", f"cannot be read: {weight.fault.reason}")
    age = _age(findings, on)
    sex = next((finding.value for finding in findings if finding.field == SEX), None)
    if age is None:
        raise _missing("age", "is missing")
    if sex not in ("female", "male"):
        raise _missing("sex", "is not recorded as female or male")
    amount = cockcroft_gault(
        _amount(creatinine, milligrams_per_decilitre),
        age,
        _amount(weight, kilograms),
        sex == "female",
    )
    words = (
        f"creatinine clearance {amount} mL/min (worked out after {SOURCE}, from "
        f"{creatinine.words}, age {age}, {weight.words} of {weight.on}, {sex})"
    )
    value: Json = {"value": number(amount), "unit": CREATININE_CLEARANCE.unit}
    return _clearance(creatinine, words, value, fault_of(CREATININE_CLEARANCE.name, value, on))


def _clearance(
    creatinine: Finding, words: str = "", value: Json = None, fault: Fault | None = None
) -> Finding:
    return Finding(
        creatinine.place,
        creatinine.patient,
        CREATININE_CLEARANCE.name,
        words or creatinine.words,
        value=None if fault else value,
        on=creatinine.on,
        visit=creatinine.visit,
        fault=fault,
    )


def _age(findings: Sequence[Finding], day: dt.date) -> int | None:
    for finding in findings:
        if finding.field == BIRTH_DATE and isinstance(finding.value, str):
            return age_on(dt.date.fromisoformat(finding.value), day)
    for finding in findings:
        if finding.field == "patient.age" and isinstance(finding.value, int):
            return finding.value
    return None


def _amount(finding: Finding, converted: Callable[[Decimal, str], Decimal]) -> Decimal:
    assert isinstance(finding.value, dict)
    return converted(Decimal(str(finding.value["value"])), str(finding.value["unit"]))


def _missing(what: str, reason: str) -> LenadoseError:
    return LenadoseError((Fault(what, reason, f"give the {what}"),))
