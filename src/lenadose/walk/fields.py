"""The fields of a visit as sliders and chips, each value with the action that it would lead to."""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType

from attrs import evolve

from lenadose.engine.machine import Decision, replay
from lenadose.explanation.bands import Band, bands, outcome
from lenadose.explanation.calculations import in_days, printed_date
from lenadose.explanation.headlines import HEADLINES, brief
from lenadose.explanation.options import FieldValue, Options
from lenadose.explanation.phrases import describe_value
from lenadose.explanation.why import field_words
from lenadose.formats.course_json import Json, number, plain_record
from lenadose.record.adverse_event import GRADE
from lenadose.record.event_terms import KNOWN_TERMS, RESOLVABLE, UNGRADED
from lenadose.record.visit import ACTIVITY, AGE, DAMAGE, Antiphospholipid
from lenadose.terms.errors import LenadoseError
from lenadose.terms.facts import Action
from lenadose.terms.units import CREATININE_CLEARANCE, PRINTED, QUANTITIES
from lenadose.walk.session import Walk

_MOST = MappingProxyType({"neutrophils": 6, "platelets": 400, "creatinine_clearance": 150})
_STEP = MappingProxyType(
    {"neutrophils": Decimal("0.1"), "platelets": Decimal(5), "creatinine_clearance": Decimal(1)}
)
"""How far the slider of each quantity goes, and its step, in the quantity's own unit."""

_DAYS = 28
"""How far beyond the last day of the visit window the slider of the date goes, in days."""


def answer(decision: Decision) -> str:
    """Return what a decision advises, in the fewest words, and what cannot wait."""
    words = brief(decision)
    if decision.action is Action.REQUEST_DATA and decision.obtain_first:
        words += f": {field_words(decision.obtain_first)}"
    return f"{words}, same-day assessment" if outcome(decision)[2] else words


def _answered(decision: Decision | None, now: Decision) -> dict[str, Json]:
    """Return what a decision advises, and whether it is what is advised now.

    With neither sign nor colour where there can be no such visit.
    """
    if decision is None:
        return {"answer": "", "same": True, "sign": "", "colour": ""}
    head, words = HEADLINES[decision.action], answer(decision)
    same = words == answer(now)
    return {"answer": words, "same": same, "sign": head.sign, "colour": head.colour}


def visit_fields(walk: Walk) -> list[Json]:
    """Return the fields of the visit that is shown, in the order in which they are asked."""
    return [
        *_date(walk),
        _activity(walk),
        *(_quantity(walk, name) for name in QUANTITIES),
        _events(walk),
        *_tests(walk),
        *_intake(walk),
        _judgement(walk),
        _stopped(walk),
        _damage(walk),
    ]


def _plain(value: object) -> Json:
    return None if value is None else plain_record(value)


def _field(walk: Walk, name: str, kind: str, words: str, label: str = "") -> dict[str, Json]:
    label = label or field_words(name)
    value = _plain(getattr(walk.decision.visit, name))
    return {
        "field": name,
        "label": f"{label[:1].upper()}{label[1:]}",
        "kind": kind,
        "value": value,
        "words": words,
        "before": "",
        "unit": "",
        "bands": [],
        "chips": [],
    }


def _chips(walk: Walk, name: str, values: Iterable[tuple[object, str]]) -> list[Json]:
    """Return the values of a field that can be chosen, each once."""
    decision, here = walk.decision, getattr(walk.decision.visit, name)
    chips: dict[str, Json] = {}
    for value, words in values:
        if words not in chips:
            chips[words] = {
                "value": _plain(value),
                "words": words,
                "holds": value == here,
                **_answered(_what_if(decision, name, value), decision),
            }
    return list(chips.values())


def _what_if(decision: Decision, name: str, value: object) -> Decision | None:
    """Return the decision with another value of a field, None if there can be no such visit."""
    try:
        return decision.what_if(**{name: value})
    except LenadoseError:
        return None


def _date(walk: Walk) -> Iterator[Json]:
    """Yield the date: on a slider of the days since the visit before, if there is one."""
    day = walk.decision.visit.date
    date = _field(walk, "date", "date", printed_date(day))
    if not walk.visit:
        yield date
        return
    before = walk.decisions[walk.visit - 1]
    window, since = before.next_visit, before.visit.date
    last = max(day, window.latest if window else day) + dt.timedelta(days=_DAYS)
    after = walk.course.visits[walk.visit + 1 :]
    if after:
        last = min(last, after[0].date - dt.timedelta(days=1))
    count = (last - since).days
    # Of a long time without a visit every day cannot be decided at once.
    step = 1 + count // 200
    days = range(1, count + 1, step)
    decided = (
        (days_after, other)
        for days_after in days
        if (other := _what_if(walk.decision, "date", since + dt.timedelta(days=days_after)))
    )
    here = (day - since).days
    found: list[Json] = []
    for _, group in groupby(decided, key=lambda each: outcome(each[1])):
        run = list(group)
        first, most = run[0][0], min(run[-1][0] + step - 1, count)
        begins = printed_date(since + dt.timedelta(days=first))
        ends = printed_date(since + dt.timedelta(days=most))
        found.append(
            {
                "from": first,
                "to": most + 1,
                "words": begins if first == most else f"{begins} to {ends}",
                "holds": first <= here <= most,
                **_answered(run[0][1], walk.decision),
            }
        )
    yield date | {
        "kind": "slider",
        "value": here,
        "words": f"{printed_date(day)}, {in_days(here)} after the visit before",
        "unit": "days",
        "least": 1,
        "most": count,
        "step": 1,
        "number": here,
        "bands": found,
    }


def _before(walk: Walk, words: list[str]) -> str:
    """Return what the last visit with a value showed, with its date."""
    for index in range(walk.visit - 1, -1, -1):
        if words[index]:
            return f"was {words[index]} on {printed_date(walk.course.visits[index].date)}"
    return ""


def _as_before(last: object, now: object) -> Iterator[tuple[object, str]]:
    """Yield the value of the last visit with one, where it is not what the visit shows."""
    if last is not None and last != now:
        yield last, f"{last} as before"


def _activity(walk: Walk) -> Json:
    now = walk.decision.visit.clasi_activity
    scores = [visit.clasi_activity for visit in walk.course.visits]
    found = bands(walk.decision, "clasi_activity")
    last = next((score for score in reversed(scores[: walk.visit]) if score is not None), None)
    return _field(walk, "clasi_activity", "slider", "not scored" if now is None else str(now)) | {
        "before": _before(walk, ["" if score is None else str(score) for score in scores]),
        "unit": "of 70",
        "least": ACTIVITY[0],
        "most": ACTIVITY[1],
        "step": 1,
        "number": now,
        "start": 0 if last is None else last,
        "bands": _slices(walk.decision, found, Decimal(1), ACTIVITY[1] + 1),
        "chips": _chips(walk, "clasi_activity", [(None, "not scored"), *_as_before(last, now)]),
    }


def _slices(
    now: Decision, found: tuple[Band, ...], factor: Decimal, end: int | float
) -> list[Json]:
    """Return bands as parts of a slider, in the unit that the reader sees."""
    begins = [number(Decimal(band.least or 0) / factor) for band in found]
    slices: list[Json] = []
    for place, band in enumerate(found):
        slices.append(
            {
                "from": begins[place],
                "to": begins[place + 1] if place + 1 < len(found) else end,
                "words": band.words,
                "holds": band.holds,
                **_answered(band.decision, now),
            }
        )
    return slices


def _quantity(walk: Walk, name: str) -> Json:
    quantity, visit = QUANTITIES[name], walk.decision.visit
    unit = quantity.unit if name == CREATININE_CLEARANCE.name else walk.count_unit
    factor = quantity.factors[unit]
    place = [*QUANTITIES].index(name)
    result, known = visit.counted[place], walk.decision.seen.findings.result(name)
    if result is not None:
        words = str(result.given)
        if result.on != visit.date:
            words += f" on {printed_date(result.on)}"
    else:
        words = "not readable" if visit.is_unreadable(name) else "not measured"
        if known is not None:
            words += f"; {known.given} on {printed_date(known.on)}"
    earlier = [each.counted[place] for each in walk.course.visits]
    amount = None if result is None else result.amount
    highest = max(Decimal(_MOST[name]), amount or Decimal(0))
    most = number(highest / factor)
    last = next((each for each in reversed(earlier[: walk.visit]) if each), None)
    start = highest / 2 if last is None else last.amount
    again = None if last is None else evolve(last.given, date=None)
    return _field(walk, name, "slider", words) | {
        "before": _before(walk, [str(each.given) if each else "" for each in earlier]),
        "unit": PRINTED[unit],
        "least": 0,
        "most": most,
        "step": number(_STEP[name] / factor),
        "number": None if amount is None else number(amount / factor),
        "start": number(start / factor),
        "bands": _slices(walk.decision, bands(walk.decision, name), factor, most),
        "chips": _chips(
            walk, name, [(None, "not measured"), *_as_before(again, getattr(visit, name))]
        ),
    }


def _events(walk: Walk) -> Json:
    now = walk.decision.visit.adverse_events
    found = bands(walk.decision, "adverse_events")
    values: list[tuple[object, str]] = [((), "none"), (None, "nobody asked")]
    if now:
        values.append((now, describe_value(now)))
    values += ((band.value, band.words) for band in found)
    words = _or("nobody asked", now)
    return _field(walk, "adverse_events", "chips", words) | {
        "chips": _chips(walk, "adverse_events", values),
        "terms": [
            {"term": term, "graded": term not in UNGRADED, "resolvable": term in RESOLVABLE}
            for term in KNOWN_TERMS
        ],
        "grades": list(range(GRADE[0], GRADE[1] + 1)),
    }


def _tests(walk: Walk) -> Iterator[Json]:
    if walk.decision.seen.patient.able_to_become_pregnant is False:
        return
    now = walk.decision.visit.pregnancy_tests
    options = [each.value for each in Options(walk.decision).tests(walk.decision.visit.date)]
    tests = [(each, _or("not tested", each)) for each in (None, now, *options)]
    yield _field(walk, "pregnancy_tests", "chips", _or("not tested", now)) | {
        "chips": _chips(walk, "pregnancy_tests", tests),
    }


def _or(absent: str, value: FieldValue) -> str:
    return absent if value is None else describe_value(value)


def _intake(walk: Walk) -> Iterator[Json]:
    """Yield what was taken since the visit before, where there was something to take."""
    visit, options = walk.decision.visit, Options(walk.decision)
    taken = [None, visit.dosage_taken, *(each.value for each in options.dosages)]
    if walk.visit and (visit.dosage_taken is not None or options.dosages):
        words = ((each, _or("not reported", each)) for each in taken)
        yield _field(
            walk, "dosage_taken", "chips", _or("not reported", visit.dosage_taken), "taken since"
        ) | {"chips": _chips(walk, "dosage_taken", words)}
    missed = [None, visit.doses_missed, 0, *(each.value for each in options.missed(()))]
    if walk.visit and (visit.doses_missed is not None or len(missed) > 3):
        counts = sorted({each for each in missed if isinstance(each, int)})
        yield _field(walk, "doses_missed", "chips", _missed_words(visit.doses_missed)) | {
            "chips": _chips(
                walk, "doses_missed", ((each, _missed_words(each)) for each in (None, *counts))
            )
        }


def _missed_words(missed: object) -> str:
    return "not reported" if missed is None else f"{missed or 'none'} missed"


def _judgement(walk: Walk) -> Json:
    now = walk.decision.visit.judgement
    values: list[tuple[object, str]] = [(None, "not judged")]
    for band in bands(walk.decision, "judgement"):
        holds = now is not None and band.holds
        values.append((now if holds else band.value, band.words))
    words = "not judged" if now is None else f"{now.response.label}: {now.words}"
    label = "the clinician's own judgement"
    return _field(walk, "judgement", "chips", words, label) | {
        "chips": _chips(walk, "judgement", values)
    }


def _stopped(walk: Walk) -> Json:
    now = walk.decision.visit.stopped
    values: list[tuple[object, str]] = [(None, "no"), (now or "wish of the patient", "yes")]
    return _field(walk, "stopped", "chips", now or "no", "treatment was ended") | {
        "chips": _chips(walk, "stopped", values)
    }


def _damage(walk: Walk) -> Json:
    now = walk.decision.visit.clasi_damage
    return _field(walk, "clasi_damage", "slider", "not scored" if now is None else str(now)) | {
        "unit": "of 56, recorded only",
        "least": DAMAGE[0],
        "most": DAMAGE[1],
        "step": 1,
        "number": now,
        "start": 0,
        "chips": _chips(walk, "clasi_damage", [(None, "not scored")]),
    }


def patient_fields(walk: Walk) -> list[Json]:
    """Return the facts of the patient, those that decide with what each would lead to."""
    patient = walk.decision.seen.patient
    able = [(False, "cannot"), (True, "can"), (None, "not known")]
    found: list[Json] = [
        _fact(walk, "able_to_become_pregnant", able, "able to become pregnant", decides=True)
    ]
    if patient.able_to_become_pregnant is not False:
        regular = [(True, "regular"), (False, "irregular"), (None, "not known")]
        found.append(_fact(walk, "regular_cycles", regular, "cycles", decides=True))
    antibodies = [*((each, each.label) for each in Antiphospholipid), (None, "not known")]
    found.append(_fact(walk, "antiphospholipid", antibodies, "antiphospholipid antibodies"))
    age = patient.age
    found.append(
        {
            "field": "age",
            "label": "Age",
            "kind": "number",
            "value": age,
            "words": "not known" if age is None else f"{age} years",
            "unit": "years",
            "least": AGE[0],
            "most": AGE[1],
        }
    )
    return found


def _fact(
    walk: Walk,
    name: str,
    values: Iterable[tuple[object, str]],
    label: str,
    decides: bool = False,
) -> Json:
    here = getattr(walk.decision.seen.patient, name)
    chips: list[Json] = []
    for value, words in values:
        other = _with_patient(walk, name, value) if decides else None
        chips.append(
            {
                "value": _plain(value),
                "words": words,
                "holds": value == here,
                **_answered(other, walk.decision),
            }
        )
    words = next((words for value, words in values if value == here), "")
    return {
        "field": name,
        "label": f"{label[:1].upper()}{label[1:]}",
        "kind": "chips",
        "value": _plain(here),
        "words": words,
        "chips": chips,
    }


def _with_patient(walk: Walk, name: str, value: object) -> Decision | None:
    try:
        patient = evolve(walk.decision.seen.patient, **{name: value})  # type: ignore[arg-type]
        course = evolve(walk.course, patient=patient)
        return replay(course, walk.protocol)[walk.visit]
    except LenadoseError:
        return None
