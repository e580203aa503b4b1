"""Bands of the values of a field of the visit: those that would lead to the same advice."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby

from attrs import frozen

from lenadose.engine.machine import Decision, recommend, same_day_dangers
from lenadose.explanation.change_cost import Feasibility
from lenadose.explanation.options import FieldValue, Option, Options
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.measurement import measured_in
from lenadose.record.visit import (
    ACTIVITY,
    JudgedResponse,
    Judgement,
    PregnancyTest,
    TestResult,
)
from lenadose.terms.dosage import Level
from lenadose.terms.facts import Action
from lenadose.terms.units import PRINTED, QUANTITIES

SHOWN_AT_A_VISIT = (
    "clasi_activity",
    *QUANTITIES,
    "pregnancy_tests",
    "adverse_events",
    "judgement",
)
"""The fields that the patient or the clinic can show or obtain at a visit."""


@frozen
class Band:
    """Values of one field that lead to the same advice, with all else at the visit as it is.

    `least` is the first of the values, `most` the last of scores and the limit that results stay
    below, None where there is none; `value` is one of them. `words` say which they are:
    "8 to 12", "below 1.0 × 10⁹/L", "negative". `decision` is the one on the visit with `value`, and
    `holds` says whether the visit shows such a value.
    """

    field: str
    least: int | Decimal | None
    most: int | Decimal | None
    value: FieldValue
    words: str
    decision: Decision
    holds: bool


Outcome = tuple[Action, Level | None, bool]
"""The action, the level, and whether an assessment on the same day is due."""


def outcome(decision: Decision) -> Outcome:
    """Return the outcome of a decision."""
    return decision.action, decision.level, bool(same_day_dangers(decision.seen))


def bands(decision: Decision, field: str) -> tuple[Band, ...]:
    """Return the bands of a field of `SHOWN_AT_A_VISIT`, in the order of its values.

    Without bands for a field that cannot be shown, as a pregnancy test of somebody who cannot
    become pregnant.
    """
    match field:
        case "clasi_activity":
            found = _scores(decision)
        case "pregnancy_tests":
            found = _tests(decision)
        case "adverse_events":
            found = _events(decision)
        case "judgement":
            found = _judgements(decision)
        case _:
            found = _results(decision, field)
    return tuple(found)


def _decide(decision: Decision, field: str, value: FieldValue) -> Decision | None:
    """Return the decision on the visit with another value, None if there can be no such visit."""
    option = Option(field, value, Feasibility.SHOWN, 0)
    seen = Options(decision).observe([option])
    return recommend(seen) if seen else None


def _scores(decision: Decision) -> Iterator[Band]:
    now = decision.visit.clasi_activity
    decided = (
        (score, other)
        for score in range(ACTIVITY[0], ACTIVITY[1] + 1)
        if (other := _decide(decision, "clasi_activity", score))
    )
    for _, group in groupby(decided, key=lambda each: outcome(each[1])):
        run = list(group)
        (least, first), most = run[0], run[-1][0]
        words = _run(least, most)
        holds = now is not None and least <= now <= most
        yield Band("clasi_activity", least, most, least, words, first, holds)


def _run(least: int, most: int) -> str:
    if (least, most) == ACTIVITY:
        return "any score"
    if least == most:
        return str(least)
    if least == ACTIVITY[0]:
        return f"{most} or less"
    return f"{least} or more" if most == ACTIVITY[1] else f"{least} to {most}"


def _results(decision: Decision, field: str) -> Iterator[Band]:
    quantity, safety = QUANTITIES[field], decision.protocol.safety
    limits = {limit.below.value for limit in safety.limits if limit.quantity == field}
    edges = sorted({Decimal(0), *limits})
    recorded = decision.visit.results(field)
    unit = recorded[-1].given.unit if recorded else quantity.unit
    known = decision.seen.findings.result(field)
    missing = {gap.field for gap in decision.missing}
    amount = None if known is None or field in missing else known.amount
    decided = (
        (number, value, other)
        for number, edge in enumerate(edges)
        if (other := _decide(decision, field, value := measured_in(quantity, edge, unit)))
    )
    for _, group in groupby(decided, key=lambda each: outcome(each[2])):
        run = list(group)
        (first, value, other), last = run[0], run[-1][0]
        least, most = edges[first], edges[last + 1] if last + 1 < len(edges) else None
        holds = amount is not None and least <= amount and (most is None or amount < most)
        words = span(least, most, PRINTED[quantity.unit])
        yield Band(field, least, most, value, words, other, holds)


def span(least: Decimal, most: Decimal | None, unit: str) -> str:
    """Return the words for the results from one limit to below another."""
    # As the protocol writes its limits: 1.0, not 1.
    if most is None:
        return f"{least:f} {unit} or more" if least else "any value"
    return f"{least:f} to below {most:f} {unit}" if least else f"below {most:f} {unit}"


def _tests(decision: Decision) -> Iterator[Band]:
    if decision.seen.patient.able_to_become_pregnant is False:
        return
    results = {test.result for test in decision.visit.pregnancy_tests or ()}
    recorded = decision.visit.pregnancy_tests or ()
    for result in TestResult:
        others = tuple(test for test in recorded if test.result is TestResult.NEGATIVE)
        kept = others if result is TestResult.NEGATIVE else ()
        value = (*kept, PregnancyTest(result))
        other = _decide(decision, "pregnancy_tests", value)
        if other is not None:
            missing = any(gap.field == "pregnancy_tests" for gap in decision.missing)
            holds = result in results and not missing
            yield Band("pregnancy_tests", None, None, value, result.label, other, holds)


def _events(decision: Decision) -> Iterator[Band]:
    """Yield no events, and the plainest event for every other outcome."""
    now = decision.visit.adverse_events
    options = [each.value for each in Options(decision).streams()["adverse_events"]]
    lists = [value for value in ((), now, *options) if isinstance(value, tuple)]
    seen = set()
    for value in dict.fromkeys(lists):
        other = _decide(decision, "adverse_events", value)
        if other is not None and (shown := outcome(other)) not in seen:
            seen.add(shown)
            holds = now is not None and shown == outcome(decision)
            yield Band("adverse_events", None, None, value, _event_words(value), other, holds)


def _event_words(events: Iterable[object]) -> str:
    listed = [event for event in events if isinstance(event, AdverseEvent)]
    return ", ".join(map(str, listed)) or "none"


def _judgements(decision: Decision) -> Iterator[Band]:
    now = decision.visit.judgement
    for response in JudgedResponse:
        holds = now is not None and now.response is response
        value = now if holds else Judgement(response, "judged at the visit")
        other = _decide(decision, "judgement", value)
        if other is not None:
            yield Band("judgement", None, None, value, response.label, other, holds)
