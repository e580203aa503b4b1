"""Hostile documents: course files that must not lead to a decision, each spoiled in one way."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from itertools import chain
from typing import Any

from hypothesis import event
from hypothesis import strategies as st

from lenadose.formats.course_json import course_data
from lenadose.formats.files import LARGEST
from lenadose.protocol.protocol import Protocol
from lenadose.record.adverse_event import GRADE
from lenadose.record.event_terms import MEASURED, RESOLVABLE
from lenadose.record.fields import YEARS
from lenadose.record.other_names import OTHER_NAMES
from lenadose.record.visit import ACTIVITY, AGE, DAMAGE
from lenadose.testing.courses import courses

Data = dict[str, Any]

_COUNTS = ("neutrophils", "platelets")
_MEASURED = (*_COUNTS, "creatinine_clearance")
_JUNK: st.SearchStrategy[Any] = st.sampled_from([True, "11", "", [], {}, 10.5, -1, 10**30])


@st.composite
def hostile_documents(draw: st.DrawFn, protocol: Protocol | None = None) -> str | bytes:
    """Draw the text of a course file that must be refused.

    Each is a course that is valid under the protocol (without one, under a built-in one), spoiled
    in one way, which is a Hypothesis event. `replay` refuses an unknown protocol, `parse_course`
    all else.
    """
    document = course_data(draw(courses(protocol, longest=3)))
    way = draw(st.sampled_from([*SPOILED, *GARBLED]))
    event(way.replace("_", " "))
    if way in GARBLED:
        return GARBLED[way](draw, json.dumps(document))
    SPOILED[way](draw, document)
    return json.dumps(document, ensure_ascii=draw(st.booleans()))


def _visit(draw: st.DrawFn, document: Data, least: int = 0) -> Data:
    """Choose a visit; where there are too few, one more is made, four weeks after the last."""
    visits = document["visits"]
    while len(visits) <= least:
        last = date.fromisoformat(visits[-1]["date"])
        visits.append({"date": str(last + timedelta(days=28))})
    visit: Data = visits[draw(st.integers(least, len(visits) - 1))]
    return visit


def _measurement(
    draw: st.DrawFn, document: Data, names: tuple[str, ...] = _MEASURED
) -> tuple[Data, str]:
    visit, name = _visit(draw, document), draw(st.sampled_from(names))
    visit[name] = {"value": 3, "unit": "mL/min" if name == "creatinine_clearance" else "10*9/L"}
    return visit, name


_UNITS = ("G/L", "g/l", "10e9/L", "109/L", "10^6/L", "mL/min/1.73 m2", "mg/dL", "%", "10\u00ad*9/L")


def _wrong_unit(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    visit[name]["unit"] = draw(
        st.sampled_from(
            [*_UNITS, "", None, 9],
        )
    )


def _a_fraction_of_a_cell(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document, _COUNTS)
    unit = draw(st.sampled_from(["/uL", "/mm3", "cells/µl"]))
    visit[name] = {"value": draw(st.integers(0, 99)) + 0.2, "unit": unit}


def _open_bound(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    below, above, unit = {
        "neutrophils": ("1.2", "0.2", "10*9/L"),
        "platelets": ("60", "60", "GI/L"),
        "creatinine_clearance": ("45", "45", "ml/min"),
    }[name]
    comparator = draw(st.sampled_from(["<", "<=", ">", ">=", "~", "=", 5]))
    value = float(above if str(comparator).startswith(">") else below)
    visit[name] = {"value": value, "unit": unit, "comparator": comparator}
    if draw(st.booleans()):
        visit[name] = [visit[name]]


def _bad_list_of_results(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    bad = draw(st.sampled_from([None, 3, [], "3", {}, {**visit[name], "unit": "%"}]))
    visit[name] = draw(st.permutations([visit[name], bad]))


def _no_unit(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    if draw(st.booleans()):
        del visit[name]["unit"]
    else:
        visit[name] = draw(st.sampled_from([3, 3.2, "3.2", "3.2 10*9/L", True]))


def _impossible_value(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    visit[name]["value"] = draw(
        st.sampled_from([-1, -0.001, 3000.5, 100000, 1e14, "3", None, True, [3]])
    )


def _out_of_range(draw: st.DrawFn, document: Data) -> None:
    field, (least, most) = draw(
        st.sampled_from([("clasi_activity", ACTIVITY), ("clasi_damage", DAMAGE)])
    )
    outside = st.integers(max_value=least - 1) | st.integers(min_value=most + 1)
    _visit(draw, document)[field] = draw(outside | st.just(least + 0.5))


def _wrong_type(draw: st.DrawFn, document: Data) -> None:
    fields = [
        "clasi_activity",
        "neutrophils",
        "adverse_events",
        "pregnancy_tests",
        "dosage_taken",
        "judgement",
        "date",
    ]
    field = draw(st.sampled_from(fields))
    is_list = field in ("adverse_events", "pregnancy_tests", "neutrophils")
    _visit(draw, document)[field] = draw(_JUNK.filter(lambda junk: junk != [] or not is_list))


def _no_adult(draw: st.DrawFn, document: Data) -> None:
    ages = (
        st.integers(max_value=AGE[0] - 1)
        | st.integers(min_value=AGE[1] + 1)
        | st.sampled_from([True, "40", 40.5])
    )
    document.setdefault("patient", {})["age"] = draw(ages)


def _hidden_in_an_id(draw: st.DrawFn, document: Data) -> None:
    document.setdefault("patient", {})["id"] = draw(st.sampled_from(_HIDDEN))


def _out_of_order(draw: st.DrawFn, document: Data) -> None:
    visits = document["visits"]
    first = date.fromisoformat(visits[0]["date"])
    early = max(first - timedelta(days=draw(st.integers(0, 400))), date(YEARS[0], 1, 1))
    visits.append({"date": str(early)})


def _no_date(draw: st.DrawFn, document: Data) -> None:
    wrong = [
        "2026-02-30",
        "2026-1-5",
        "05.01.2026",
        "20260105",
        "2026-01-05T00:00",
        "yesterday",
        "",
        20260105,
        None,
        0,
    ]
    visit = _visit(draw, document)
    if draw(st.booleans()):
        del visit["date"]
    else:
        visit["date"] = draw(st.sampled_from(wrong))


def _no_visits(draw: st.DrawFn, document: Data) -> None:
    document["visits"] = draw(st.sampled_from([[], {}, None, "none", [[]], [None]]))


def _from_the_future(draw: st.DrawFn, document: Data) -> None:
    visit, name = _measurement(draw, document)
    later = str(date.fromisoformat(visit["date"]) + timedelta(days=draw(st.integers(1, 400))))
    if draw(st.booleans()):
        visit[name]["date"] = later
    else:
        visit["pregnancy_tests"] = [{"result": "negative", "date": later}]


def _present_and_over(draw: st.DrawFn, document: Data) -> None:
    term = draw(st.sampled_from(RESOLVABLE))
    _visit(draw, document)["adverse_events"] = draw(
        st.permutations([{"term": term}, {"term": f" {term.upper()}", "resolved": True}])
    )


def _graded_count(draw: st.DrawFn, document: Data) -> None:
    term, grade = draw(st.sampled_from([*chain(*MEASURED.values())])), draw(st.integers(*GRADE))
    _visit(draw, document)["adverse_events"] = [{"term": term, "grade": grade, "ctcae": "5.0"}]


_OTHER_NAMES = [name.upper() for _, names in OTHER_NAMES for name in names] + [
    "deep\u00a0vein thrombosis",
    "angio\u2010edema",
    "Stevens Johnson syndrome",
    "peripheral sensory neuropaty",
    "suspected DVT",
    "left iliac vein thrombosis",
]
_HIDDEN = [f"in{character}somnia" for character in "\u00ad\u200b\u200d\u202e\u2066\u3164\ufeff\t\n"]


def _half_an_event(draw: st.DrawFn, document: Data) -> None:
    whole = {"term": "insomnia", "grade": 2, "ctcae": "5.0"}
    wrong = {
        "term": ["", " ", 5, None, *_OTHER_NAMES, *_HIDDEN],
        "grade": [0, 6, "2", True, None],
        "ctcae": ["9", 5, None],
    }
    field = draw(st.sampled_from([*whole]))
    if draw(st.booleans()):
        del whole[field]
    else:
        whole[field] = draw(st.sampled_from(wrong[field]))
    _visit(draw, document)["adverse_events"] = [whole]


def _taken_before_treatment(draw: st.DrawFn, document: Data) -> None:
    taken = draw(
        st.sampled_from([{"dosage_taken": {"mg": 5, "every_days": 1}}, {"doses_missed": 1}])
    )
    document["visits"][0].update(taken)


def _more_missed_than_there_were(draw: st.DrawFn, document: Data) -> None:
    visit = _visit(draw, document, least=1)
    before = document["visits"][document["visits"].index(visit) - 1]
    days = (date.fromisoformat(visit["date"]) - date.fromisoformat(before["date"])).days
    visit["doses_missed"] = days + draw(st.integers(1, 400))


def _half_a_dosage(draw: st.DrawFn, document: Data) -> None:
    wrong = [
        {"mg": 5},
        {"every_days": 1},
        {"mg": -5, "every_days": 1},
        {"mg": 5, "every_days": 0},
        {"mg": "5 mg"},
        5,
    ]
    _visit(draw, document, least=1)["dosage_taken"] = draw(st.sampled_from(wrong))


def _judged_without_reason(draw: st.DrawFn, document: Data) -> None:
    wrong = [
        {"response": "improved"},
        {"response": "better", "reason": "seen"},
        {"response": "worse", "reason": " "},
    ]
    _visit(draw, document)["judgement"] = draw(st.sampled_from(wrong))


def _unknown_key(draw: st.DrawFn, document: Data) -> None:
    place = draw(
        st.sampled_from([document, document.setdefault("patient", {}), document["visits"][0]])
    )
    keys = ["clasi_actvity", "rclasi", "neutrophil", "DATE", "dose", "", "__class__", "visits "]
    place[draw(st.sampled_from(keys))] = 11


def _unknown_protocol(draw: st.DrawFn, document: Data) -> None:
    document["protocol"] = draw(
        st.sampled_from(["cortes-hernandez-2021", "penn", " ", 5, "../penn-2012.json"])
    )


def _deeply_nested(draw: st.DrawFn, document: Data) -> None:
    inner: Any = []
    for _ in range(draw(st.integers(1, 50))):
        inner = [inner]
    _visit(draw, document)["adverse_events"] = [inner]


SPOILED: dict[str, Callable[[st.DrawFn, Data], None]] = {
    spoil.__name__.strip("_"): spoil
    for spoil in (
        _wrong_unit,
        _a_fraction_of_a_cell,
        _open_bound,
        _bad_list_of_results,
        _no_unit,
        _impossible_value,
        _out_of_range,
        _wrong_type,
        _no_adult,
        _hidden_in_an_id,
        _out_of_order,
        _no_date,
        _no_visits,
        _from_the_future,
        _present_and_over,
        _graded_count,
        _half_an_event,
        _taken_before_treatment,
        _more_missed_than_there_were,
        _half_a_dosage,
        _judged_without_reason,
        _unknown_key,
        _unknown_protocol,
        _deeply_nested,
    )
}
"""Each way to spoil the data of a course."""


def _truncated(draw: st.DrawFn, text: str) -> str | bytes:
    return text[: draw(st.integers(0, len(text) - 1))]


def _followed_by_more(draw: st.DrawFn, text: str) -> str | bytes:
    return text + draw(st.sampled_from([text, "}", "[]", ",", "null", "\0"]))


def _given_twice(draw: st.DrawFn, text: str) -> str | bytes:
    document = json.loads(text)
    key = draw(st.sampled_from([*document]))
    return f'{{"{key}": {json.dumps(document[key])}, {text[1:]}'


def _no_number(draw: st.DrawFn, text: str) -> str | bytes:
    number = draw(
        st.sampled_from(
            ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "0." + "3" * 5000, "1e-9999"]
        )
    )
    return text.replace('"visits": [{', f'"visits": [{{"clasi_damage": {number}, ', 1)


def _not_utf_8(draw: st.DrawFn, text: str) -> str | bytes:
    place = draw(st.integers(0, len(text)))
    return (
        text[:place].encode()
        + draw(st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80"]))
        + text[place:].encode()
    )


def _another_format(draw: st.DrawFn, text: str) -> str | bytes:
    others = [
        "",
        " ",
        "null",
        "[]",
        "5",
        '"course"',
        "visits: []",
        "<course/>",
        "\x00",
        "[[visits]]",
        "{'visits': []}",
    ]
    return draw(st.sampled_from(others) | st.text(max_size=20).filter(lambda text: "{" not in text))


def _huge(draw: st.DrawFn, text: str) -> str | bytes:
    return draw(st.sampled_from([_TOO_LONG, _TOO_DEEP, _TOO_MANY]))


_TOO_LONG = " " * (LARGEST + 1)
_TOO_DEEP = '{"visits": ' * 100_000
_TOO_MANY = json.dumps({"visits": [{}] * 5000})

GARBLED: dict[str, Callable[[st.DrawFn, str], str | bytes]] = {
    spoil.__name__.strip("_"): spoil
    for spoil in (
        _truncated,
        _followed_by_more,
        _given_twice,
        _no_number,
        _not_utf_8,
        _another_format,
        _huge,
    )
}
"""Each way to spoil the text of a course."""
