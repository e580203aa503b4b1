"""Which findings are dangers by the default protocol, so that each is a visit of its own."""

import datetime as dt
from decimal import Decimal
from functools import cache

from lenadose.engine.bounds import bound_as_amount
from lenadose.formats.course_json import Json, read_course
from lenadose.importing.findings import Finding
from lenadose.protocol.builtin import get_protocol
from lenadose.protocol.safety import Limit, SafetyCriteria
from lenadose.record.fields import YEARS
from lenadose.record.visit import TestResult, Visit
from lenadose.terms.errors import Fault, LenadoseError
from lenadose.terms.facts import Safety
from lenadose.terms.units import QUANTITIES

LISTS = ("pregnancy_tests", "adverse_events")
"""The fields of a visit of which a finding is one entry."""

_SINCE_BEFORE = ("dosage_taken", "doses_missed")
_DANGERS = (Safety.STOP, Safety.INTERRUPT)


@cache
def _safety() -> SafetyCriteria:
    return get_protocol().safety


def fault_of(field: str, value: Json, on: dt.date) -> Fault | None:
    """Return why a course cannot hold a value of a field of a visit; None if it can.

    A bound of a result that leaves a limit of the default protocol open is such a fault.
    """
    try:
        visit = _visit(field, value, on)
        if field in QUANTITIES:
            for result in visit.results(field):
                bound_as_amount(_limits(field), result, "")
    except LenadoseError as error:
        first = error.faults[0]
        part = first.place.rpartition(".")[2] if "]." in first.place else ""
        known = (field, "", "[0]", f"{field}[0]")
        words = "" if part in known or part.startswith(field) else f"{part}: "
        return Fault("", f"{words}{first.reason}", first.fix)
    return None


def is_danger(finding: Finding) -> bool:
    """Return whether a finding by itself stops or interrupts treatment."""
    if finding.fault is not None or finding.on is None:
        return False
    if finding.field in QUANTITIES:
        (result,) = _visit(finding.field, finding.value, finding.on).results(finding.field)
        amount: Decimal = bound_as_amount(_limits(finding.field), result, "").amount
        return amount < _safety().limits_of(finding.field)[0]
    if finding.field == "pregnancy_tests":
        ((_, tested),) = _visit(finding.field, finding.value, finding.on).tests
        return tested is TestResult.POSITIVE
    if finding.field == "adverse_events":
        (event,) = _visit(finding.field, finding.value, finding.on).adverse_events or ()
        # Of a neuropathy the grade at the start is not known here: any grade may be above it.
        return not event.resolved and any(
            criterion.safety in _DANGERS and criterion.applies(event, 0)
            for criterion in _safety().events
        )
    return False


def _limits(quantity: str) -> list[Limit]:
    return [limit for limit in _safety().limits if limit.quantity == quantity]


def _visit(field: str, value: Json, on: dt.date) -> Visit:
    entry: Json = [value] if field in LISTS else value
    visits: list[Json] = [{"date": on.isoformat(), field: entry}]
    if field in _SINCE_BEFORE:
        visits.insert(0, {"date": f"{YEARS[0]}-01-01"})
    return read_course({"visits": visits}).visits[-1]
