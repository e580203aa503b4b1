"""Documents are read strictly and completely, written back unchanged, and fit their schemas."""

import copy
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL

from lenadose import (
    Course,
    DocumentError,
    LenadoseError,
    course_data,
    decision_data,
    load_course,
    parse_course,
    read_course,
    replay,
)
from lenadose.formats.decision_json import ledger_data
from lenadose.formats.files import LARGEST
from lenadose.formats.schema import SCHEMAS
from lenadose.terms.errors import Fault
from lenadose.testing import courses

EXAMPLES = sorted((ROOT / "examples" / "courses").glob("*.json"))
SCHEMA = Draft202012Validator(SCHEMAS["course"](), format_checker=FormatChecker())
DECISION = Draft202012Validator(SCHEMAS["decision"](), format_checker=FormatChecker())

WHOLE = {
    "protocol": "cortes-hernandez-2012",
    "patient": {
        "id": "p-01",
        "age": 40,
        "able_to_become_pregnant": True,
        "regular_cycles": True,
        "subtype": "discoid",
        "antiphospholipid": "negative",
    },
    "visits": [
        {
            "date": "2026-01-05",
            "clasi_activity": 11,
            "clasi_damage": 3,
            "neutrophils": {"value": 3.2, "unit": "10*9/L"},
            "platelets": {"value": 240, "unit": "10*9/L"},
            "creatinine_clearance": {"value": 95, "unit": "mL/min"},
            "pregnancy_tests": [
                {"result": "negative", "date": "2025-12-24"},
                {"result": "negative", "date": "2026-01-05"},
            ],
            "adverse_events": [],
        },
        {
            "date": "2026-02-02",
            "clasi_activity": 10,
            "neutrophils": {"value": 2900, "unit": "/uL", "date": "2026-01-31"},
            "platelets": {"value": 231, "unit": "10*3/uL"},
            "pregnancy_tests": [{"result": "negative", "date": "2026-02-02"}],
            "adverse_events": [{"term": "insomnia", "grade": 1, "ctcae": "5.0"}],
            "dosage_taken": {"mg": 5, "every_days": 1},
            "doses_missed": 1,
            "judgement": {"response": "not improved", "reason": "new lesions on the scalp"},
        },
    ],
}
"""The course of the design, whole."""


def describe_change(path: str, value: object) -> dict:
    """The whole course with one thing put in another's place, or left out (...)."""
    document = copy.deepcopy(WHOLE)
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = document
    for key in way:
        place = place[key]  # type: ignore[index]
    if value is ...:
        del place[last]  # type: ignore[arg-type]
    else:
        place[last] = value  # type: ignore[index,call-overload]
    return document


def faults(document: object) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read_course(document)
    return [str(fault) for fault in refused.value.faults]


def test_what_json_calls_its_errors_is_said_without_the_place() -> None:
    for text, words in (
        ('{"a', "unterminated string"),
        ('{"a\n"}', "invalid control character"),
        ("[1", "expecting ',' delimiter"),
    ):
        with pytest.raises(DocumentError, match=f": is not JSON: {words}; fix the JSON at line 1$"):
            parse_course(text)


def test_dates_and_tuples_of_a_program_are_read() -> None:
    visit = {"date": dt.date(2026, 1, 5), "adverse_events": ({"term": "pregnancy"},)}
    results = ({"value": 3.2, "unit": "10*9/L", "date": dt.date(2026, 1, 4)},)
    course = read_course({"visits": ({**visit, "neutrophils": results},)})
    assert read_course(course_data(course)) == course
    with pytest.raises(DocumentError, match=r"^visits\[0\].date: a datetime is not a date; "):
        read_course({"visits": [{"date": dt.datetime(2026, 1, 5)}]})  # noqa: DTZ001


def test_the_course_of_the_design_is_read_and_decided() -> None:
    decisions = replay(read_course(WHOLE))
    assert [each.rule.id for each in decisions] == ["start", "escalate"]
    assert course_data(read_course(WHOLE)) == WHOLE


@given(courses(PROTOCOL))
def test_a_course_is_written_and_read_back_the_same(course) -> None:
    data = json.loads(json.dumps(course_data(course)))
    assert read_course(data) == course
    assert SCHEMA.is_valid(data)
    assert course_data(parse_course(json.dumps(data))) == data


@settings(max_examples=50)
@given(courses(PROTOCOL))
def test_every_decision_is_whole_and_fits_its_schema(course) -> None:
    for decision in replay(course):
        data = decision_data(decision)
        DECISION.validate(data)
        assert json.loads(json.dumps(data)) == data


def test_the_schemas_are_valid_schemas() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema())


def test_a_decision_that_is_not_whole_does_not_fit_its_schema() -> None:
    data = decision_data(replay(read_course(WHOLE))[0])
    for key in data:
        assert not DECISION.is_valid({name: value for name, value in data.items() if name != key})
    assert not DECISION.is_valid({**data, "more": 1})
    assert not DECISION.is_valid({**data, "action": "hold"})


# One thing wrong: the place, and the same verdict from the schema

WRONG = [
    ("protocol", 5, "protocol"),
    ("protocol", " ", "protocol"),
    ("patient", [], "patient"),
    ("patient.age", 17, "patient.age"),
    ("patient.age", 121, "patient.age"),
    ("patient.age", True, "patient.age"),
    ("patient.age", 40.5, "patient.age"),
    ("patient.id", 1, "patient.id"),
    ("patient.id", "a\u001b[31m", "patient.id"),
    ("patient.id", "\ud800", "patient.id"),
    ("patient.able_to_become_pregnant", 1, "patient.able_to_become_pregnant"),
    ("patient.regular_cycles", "yes", "patient.regular_cycles"),
    ("patient.antiphospholipid", "unknown", "patient.antiphospholipid"),
    ("patient.subtype", "", "patient.subtype"),
    ("visits", [], "visits"),
    ("visits", {}, "visits"),
    ("visits", ..., "visits"),
    ("visits.0", 5, "visits[0]"),
    ("visits.0.date", ..., "visits[0].date"),
    ("visits.0.date", "2026-02-30", "visits[0].date"),
    ("visits.0.date", "2026-1-5", "visits[0].date"),
    ("visits.0.date", "20260105", "visits[0].date"),
    ("visits.0.date", "0026-01-05", "visits[0].date"),
    ("visits.0.date", "2026-13-01", "visits[0].date"),
    ("visits.0.date", "2026-01-05\n", "visits[0].date"),
    ("patient.id", "a\n", "patient.id"),
    ("patient.id", "\u202eb", "patient.id"),
    ("visits.0.date", "2026-01-05T00:00", "visits[0].date"),
    ("visits.0.date", 20260105, "visits[0].date"),
    ("visits.0.date", None, "visits[0].date"),
    ("visits.0.clasi_activity", 71, "visits[0].clasi_activity"),
    ("visits.0.clasi_activity", -1, "visits[0].clasi_activity"),
    ("visits.0.clasi_activity", 10.5, "visits[0].clasi_activity"),
    ("visits.0.clasi_activity", "11", "visits[0].clasi_activity"),
    ("visits.0.clasi_activity", True, "visits[0].clasi_activity"),
    ("visits.0.clasi_damage", 57, "visits[0].clasi_damage"),
    ("visits.0.neutrophils", 3.2, "visits[0].neutrophils"),
    ("visits.0.neutrophils", "3.2", "visits[0].neutrophils"),
    ("visits.0.neutrophils.unit", ..., "visits[0].neutrophils.unit"),
    ("visits.0.neutrophils.unit", "G/L", "visits[0].neutrophils"),
    ("visits.0.neutrophils.unit", "mL/min", "visits[0].neutrophils"),
    ("visits.0.neutrophils.unit", "10e9/L", "visits[0].neutrophils"),
    ("visits.0.neutrophils", {"value": 3.2, "unit": "/uL"}, "visits[0].neutrophils"),
    ("visits.0.neutrophils.comparator", "~", "visits[0].neutrophils.comparator"),
    (
        "visits.0.neutrophils",
        {"value": 0, "unit": "/uL", "comparator": "<"},
        "visits[0].neutrophils.value",
    ),
    (
        "visits.0.neutrophils",
        [{"value": 3, "unit": "/uL"}, {"value": 3, "unit": "%"}],
        "visits[0].neutrophils[1]",
    ),
    ("visits.0.neutrophils", [[]], "visits[0].neutrophils[0]"),
    ("visits.0.neutrophils.unit", None, "visits[0].neutrophils.unit"),
    ("visits.1.adverse_events.0.grade", None, "visits[1].adverse_events[0].grade"),
    ("visits.1.adverse_events.0", None, "visits[1].adverse_events[0]"),
    ("visits.1.dosage_taken.every_days", None, "visits[1].dosage_taken.every_days"),
    ("visits.0.neutrophils.value", -1, "visits[0].neutrophils"),
    ("visits.0.neutrophils.value", 1500, "visits[0].neutrophils"),
    ("visits.0.neutrophils.value", "3", "visits[0].neutrophils.value"),
    ("visits.0.neutrophils.value", False, "visits[0].neutrophils.value"),
    ("visits.0.platelets.value", 3001, "visits[0].platelets"),
    ("visits.0.creatinine_clearance.value", 301, "visits[0].creatinine_clearance"),
    ("visits.1.neutrophils.date", "yesterday", "visits[1].neutrophils.date"),
    ("visits.0.pregnancy_tests.0.result", "weak", "visits[0].pregnancy_tests[0].result"),
    ("visits.0.pregnancy_tests.0", "negative", "visits[0].pregnancy_tests[0]"),
    ("visits.0.adverse_events", "none", "visits[0].adverse_events"),
    ("visits.1.adverse_events.0.term", "Neutropenia ", "visits[1].adverse_events[0].term"),
    ("visits.1.adverse_events.0.term", "thrombocytopenia", "visits[1].adverse_events[0].term"),
    ("visits.1.adverse_events.0.term", "Deep Vein Thrombosis", "visits[1].adverse_events[0].term"),
    ("visits.1.adverse_events.0.term", ..., "visits[1].adverse_events[0].term"),
    ("visits.1.adverse_events.0.grade", ..., "visits[1].adverse_events[0].grade"),
    ("visits.1.adverse_events.0.grade", 0, "visits[1].adverse_events[0].grade"),
    ("visits.1.adverse_events.0.grade", 6, "visits[1].adverse_events[0].grade"),
    ("visits.1.adverse_events.0.ctcae", ..., "visits[1].adverse_events[0].ctcae"),
    ("visits.1.adverse_events.0.ctcae", "9.0", "visits[1].adverse_events[0].ctcae"),
    ("visits.1.adverse_events.0.ctcae", 5.0, "visits[1].adverse_events[0].ctcae"),
    ("visits.1.adverse_events.0.resolved", True, "visits[1].adverse_events[0].resolved"),
    ("visits.1.dosage_taken.mg", -1, "visits[1].dosage_taken.mg"),
    ("visits.1.dosage_taken.mg", 101, "visits[1].dosage_taken.mg"),
    ("visits.1.dosage_taken.every_days", ..., "visits[1].dosage_taken.every_days"),
    ("visits.1.dosage_taken.every_days", 0, "visits[1].dosage_taken.every_days"),
    ("visits.1.doses_missed", -1, "visits[1].doses_missed"),
    ("visits.1.judgement.response", "better", "visits[1].judgement.response"),
    ("visits.1.judgement.reason", " ", "visits[1].judgement.reason"),
    ("visits.1.judgement.reason", ..., "visits[1].judgement.reason"),
    ("visits.0.dosage_taken", {"mg": 5, "every_days": 1}, "visits[0].dosage_taken"),
    ("visits.0.doses_missed", 1, "visits[0].doses_missed"),
    ("visits.0.rclasi", 5, "visits[0].rclasi"),
    ("patent", {}, "patent"),
]


@pytest.mark.parametrize(("path", "value", "place"), WRONG)
def test_one_wrong_thing_is_refused_at_its_place_by_reader_and_schema(
    path: str, value: object, place: str
) -> None:
    document = describe_change(path, value)
    (only,) = faults(document)
    assert only.startswith(f"{place}: ")
    assert "; " in only
    assert not SCHEMA.is_valid(document)


RIGHT = [
    ("visits.0.clasi_activity", 11.0),
    ("visits.0.clasi_activity", 70),
    ("visits.0.neutrophils", {"value": 0, "unit": "/uL"}),
    ("visits.0.neutrophils", {"value": 100000, "unit": "/uL"}),
    ("visits.0.adverse_events", [{"term": " Venous Thromboembolism"}]),
    ("visits.0.adverse_events", [{"term": "missed period", "resolved": True}]),
    ("visits.1.adverse_events.0.resolved", False),
    ("visits.1.dosage_taken", {"mg": 0}),
    ("visits.1.dosage_taken", {"mg": 7.5, "every_days": 1}),
    ("visits.0.pregnancy_tests", []),
    ("visits.0.pregnancy_tests", [{"result": "negative"}]),
    ("visits.0.neutrophils", {"value": 3, "unit": "x10⁹/l"}),
    ("visits.0.neutrophils", {"value": 2.5, "unit": "10*9/L", "comparator": ">="}),
    ("visits.0.neutrophils", []),
    (
        "visits.0.neutrophils",
        [
            {"value": 3, "unit": "/mm3", "date": "2026-01-02"},
            {"value": 3.5, "unit": "K/uL", "comparator": ">"},
        ],
    ),
    ("visits.1.judgement.reason", "new\nlesions"),
    ("visits.1.adverse_events.0.term", "Peripheral  sensory\u2010neuralgia"),
    ("patient", {}),
    ("patient", ...),
    ("protocol", ...),
]


@pytest.mark.parametrize(("path", "value"), RIGHT)
def test_what_is_right_is_read_by_reader_and_schema_and_written_back(
    path: str, value: object
) -> None:
    document = describe_change(path, value)
    assert course_data(read_course(document)) == document
    assert SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    "path",
    [
        "protocol",
        "patient",
        "patient.id",
        "patient.regular_cycles",
        "visits.0.clasi_activity",
        "visits.0.neutrophils",
        "visits.0.adverse_events",
        "visits.0.dosage_taken",
        "visits.0.doses_missed",
        "visits.0.pregnancy_tests.0.date",
        "visits.1.neutrophils.date",
        "visits.1.neutrophils.comparator",
        "visits.1.adverse_events.0.resolved",
        "visits.1.judgement",
    ],
)
def test_null_is_the_same_as_a_key_left_out(path: str) -> None:
    document = describe_change(path, None)
    del_document = copy.deepcopy(document)
    place: object = del_document
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in way:
        place = place[key]  # type: ignore[index]
    del place[last]  # type: ignore[attr-defined]
    assert SCHEMA.is_valid(document)
    assert course_data(read_course(document)) == course_data(read_course(del_document))


# What only the reader can see


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("visits.0.date", "2026-02-02", "visits[1].date: two visits on 2026-02-02"),
        (
            "visits.0.date",
            "2026-02-03",
            "visits[1].date: 2026-02-02 is before the visit of 2026-02-03",
        ),
        (
            "visits.1.neutrophils.date",
            "2026-02-03",
            "visits[1].neutrophils.date: 2026-02-03 is after the visit",
        ),
        (
            "visits.0.pregnancy_tests.1.date",
            "2026-01-06",
            "visits[0].pregnancy_tests[1].date: 2026-01-06 is after",
        ),
        ("visits.1.doses_missed", 29, "visits[1].doses_missed: 29 missed of 28"),
        (
            "visits.1.adverse_events",
            [{"term": "Pregnancy"}, {"term": "pregnancy", "resolved": True}],
            "visits[1].adverse_events[0]: 'pregnancy' is also listed as resolved",
        ),
        ("visits.0.clasi_activity", 10**40, "visits[0].clasi_activity: "),
        (
            "visits.0.neutrophils.value",
            Decimal("1.0000000000000001"),
            "visits[0].neutrophils.value: 1.0000000000000001 is not the same number",
        ),
        (
            "visits.0.neutrophils.value",
            float("nan"),
            "visits[0].neutrophils.value: NaN is not a finite number",
        ),
    ],
)
def test_what_relates_two_parts_is_refused_by_the_reader(
    path: str, value: object, said: str
) -> None:
    told = faults(describe_change(path, value))
    assert any(each.startswith(said) for each in told), told


def test_all_faults_are_told_at_once() -> None:
    document = copy.deepcopy(WHOLE)
    document["patient"]["age"] = 17
    document["visits"][0].update(clasi_activity=71, neutrophils=3, more=1)
    document["visits"][1].update(date="2026-01-01", doses_missed=-1, platelets={"value": 5})
    document["visits"].append({"clasi_activity": 3})
    assert {each.split(": ")[0] for each in faults(document)} == {
        "patient.age",
        "visits[0].clasi_activity",
        "visits[0].neutrophils",
        "visits[0].more",
        "visits[1].doses_missed",
        "visits[1].platelets.unit",
        "visits[2].date",
    }


def test_a_sound_part_is_reported_with_its_contradictions_beside_the_faults_of_others() -> None:
    document = copy.deepcopy(WHOLE)
    document["visits"][0].update(
        clasi_activity=71,
        neutrophils={"value": "x", "unit": "10*9/L", "date": "2030-01-01"},
        platelets={"value": -5, "unit": "zz"},
        adverse_events=[
            {"term": "x"},
            {"term": "pregnancy"},
            {"term": "pregnancy", "resolved": True},
        ],
        dosage_taken={"mg": 5},
    )
    document["visits"][1].update(
        neutrophils={"value": 3, "unit": "10*9/L", "date": "2030-01-01"},
        adverse_events=[{"term": "pregnancy"}, {"term": "pregnancy", "resolved": True}],
    )
    assert [each.split(": ")[0] for each in faults(document)] == [
        "visits[0].clasi_activity",
        "visits[0].neutrophils.value",
        "visits[0].platelets",
        "visits[0].platelets",
        "visits[0].adverse_events[0].grade",
        "visits[0].adverse_events[0].ctcae",
        "visits[0].dosage_taken.every_days",
        "visits[1].neutrophils.date",
        "visits[1].adverse_events[0]",
    ]


def test_the_contradictions_of_a_course_are_all_reported() -> None:
    document = copy.deepcopy(WHOLE)
    document["visits"][0].update(dosage_taken={"mg": 5, "every_days": 1}, doses_missed=2)
    document["visits"][1].update(doses_missed=500)
    assert [each.split(": ")[0] for each in faults(document)] == [
        "visits[0].dosage_taken",
        "visits[0].doses_missed",
        "visits[1].doses_missed",
    ]


def test_after_a_thousand_faults_the_rest_of_a_list_is_not_looked_at() -> None:
    told = faults({"visits": [[]] * 5000})
    assert len(told) == 1002
    assert told[-1] == "visits[1001]: not read any further; fix the faults before it"


@pytest.mark.parametrize(
    "term",
    [
        "angio-edema",
        "Angioedema.",
        "mised period",
        "Deep Venous Thrombosis",
        "neutropaenia",
        "Stevens Johnson Syndrome",
    ],
)
def test_a_grave_event_under_a_slip_of_the_pen_is_refused(term: str) -> None:
    (told,) = faults(describe_change("visits.1.adverse_events.0.term", term))
    assert told.startswith("visits[1].adverse_events[0].term: ")
    assert any(fix in told for fix in ("; did you mean", '; write "', "; give the result"))


@pytest.mark.parametrize("term", ["peripheral motor neuropathy", "thrombocytosis", "facial rash"])
def test_another_event_keeps_its_own_name(term: str) -> None:
    assert (
        read_course(describe_change("visits.1.adverse_events.0.term", term))
        .visits[1]
        .adverse_events[0]
        .term
        == term
    )


def test_numbers_as_programs_write_them_are_read() -> None:
    for number in ("84.72222222222223", "0.30000000000000004", "3.3000000000000000"):
        text = json.dumps(WHOLE).replace('"value": 95', f'"value": {number}')
        assert course_data(parse_course(text)) == json.loads(text)


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    (told,) = faults(describe_change("visits.0.clasi_actvity", 3))
    assert told == "visits[0].clasi_actvity: unknown key; did you mean clasi_activity?"
    (told,) = faults(describe_change("visits.0.zzz", 3))
    assert "known: date, clasi_activity" in told


def test_the_protocols_that_are_known_can_be_asked_for() -> None:
    document = describe_change("protocol", "cortes-hernandez-2021")
    assert read_course(document).protocol == "cortes-hernandez-2021"
    with pytest.raises(
        DocumentError, match="protocol: 'cortes-hernandez-2021' is not known; did you mean"
    ):
        read_course(document, protocols=("cortes-hernandez-2012",))


# Text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: is not JSON"),
        ('{"visits": [}', "line 1, column 13: is not JSON"),
        (b"\xff", "byte 0: is not UTF-8"),
        ("[" * 200_000, "course: is nested too deeply"),
        ('{"visits": ' * 200_000, "course: is nested too deeply"),
        ("NaN", "course: NaN is not a finite number"),
        ("[]", "course: a list is not an object"),
        ('{"visits": [], "visits": []}', "visits: is there twice"),
        (
            '{"visits": [{"date": "2026-01-05", "clasi_activity": Infinity}]}',
            "visits[0].clasi_activity: Infinity",
        ),
        (
            '{"visits": [{"date": "2026-01-05", "clasi_activity": ' + "9" * 5000 + "}]}",
            "visits[0].clasi_activity: a number",
        ),
        (
            '{"visits": [{"date": "2026-01-05", "neutrophils": {"value": 1e400, "unit": "/uL"}}]}',
            "visits[0].neutrophils",
        ),
        ('{"visits": [NaN]}', "visits[0]: NaN"),
        (
            '{"visits": [{"date": "2026-01-05", "clasi_activity": 1e1000000}]}',
            "visits[0].clasi_activity: a number",
        ),
        (
            '{"visits": [{"date": "2026-01-05", "clasi_activity": 1e99999999999999999999}]}',
            "visits[0].clasi_activity",
        ),
        (" " * (LARGEST + 1), f"course: more than {LARGEST} bytes"),
    ],
)
def test_text_that_is_no_course_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_course(text)
    assert str(refused.value).startswith(said), str(refused.value)


def test_a_byte_order_mark_is_read_over() -> None:
    assert course_data(parse_course(b"\xef\xbb\xbf" + json.dumps(WHOLE).encode())) == WHOLE


def test_numbers_are_read_exactly() -> None:
    text = json.dumps(WHOLE).replace("3.2", "0.1")
    given = parse_course(text).visits[0].neutrophils
    assert given is not None
    assert given.value == Decimal("0.1")
    counted = parse_course(json.dumps(WHOLE).replace("2900", "1000")).visits[1].counted[0]
    assert counted is not None
    assert counted.amount == Decimal(1)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "is a directory"),
        (tmp_path / "none.json", "no such file"),
        ("a\0b", "is not a path"),
        ("", '"": no'),
    ):
        with pytest.raises(DocumentError, match=said):
            load_course(path)


KINDS: list[object] = [
    *(
        {"value": value, "unit": unit, **more}
        for value in (0, 0.5, 1.2, 3.2, 950, 3200)
        for unit in ("10*9/L", "x10⁹/l", "K/µL", "/mm3", "G/L", "10e9/L", "ml/min", None)
        for more in ({}, {"date": None}, {"date": "2025-12-30"}, {"comparator": "<"})
    ),
    [{"value": 0.4, "unit": "10*9/L", "date": "2025-12-30"}, {"value": 3, "unit": "GI/L"}],
    [{"value": 3, "unit": "GI/L"}, None],
    {"value": 1.5, "unit": "10*9/L", "comparator": ">="},
    {"value": 90, "unit": "mL/min", "comparator": ">"},
    *({"term": term, "grade": 3, "ctcae": "5.0"} for term in ("MI", "insomnia", "in\u00adsomnia")),
    *([{"term": term}] for term in ("Missed\u00a0period", "DVT", "Stevens–Johnson syndrome")),
    "new lesions\n on the scalp",
    "neutrophil count increased",
    0.30000000000000004,
]
"""Values of the kinds that laboratories and programs write, right and wrong."""

JSON = st.sampled_from(KINDS) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [path for path, *_ in WRONG] + [path for path, _ in RIGHT]


@settings(max_examples=3000, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_no_document_breaks_the_reader(changes) -> None:
    document = copy.deepcopy(WHOLE)
    for path, value in changes:
        place: object = document
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            place = (
                place.get(key)
                if isinstance(place, dict)
                else place[key]
                if isinstance(place, list) and key in range(len(place))
                else None
            )
        if isinstance(place, dict):
            place[last] = value
    course, told = read_or_refuse(document)
    assert all(fault.place and fault.reason and fault.fix for fault in told)
    assert (course is None) == bool(told)
    if course is not None:
        assert SCHEMA.is_valid(document)
        assert course_data(course) == without_nulls(document)
        assert read_course(course_data(course)) == course


def without_nulls(document: object) -> object:
    """A document without the keys that are null."""
    if isinstance(document, dict):
        return {key: without_nulls(value) for key, value in document.items() if value is not None}
    return [without_nulls(value) for value in document] if isinstance(document, list) else document


def read_or_refuse(document: object) -> tuple[Course | None, tuple[Fault, ...]]:
    """Read and replay a document, or give the faults for which it is refused."""
    try:
        course = read_course(document)
        replay(course, by=PROTOCOL)
    except LenadoseError as error:
        return None, error.faults
    return course, ()


def test_the_ledger_is_written_whole() -> None:
    data = ledger_data(PROTOCOL)
    told = data["assumptions"]
    assert isinstance(told, list)
    assert len(told) > 60
    assert all(each["tag"] != "stated" for each in told)  # type: ignore[index,call-overload]


def test_a_bare_number_is_asked_for_its_unit() -> None:
    with pytest.raises(DocumentError, match=r"neutrophils: a bare number, 3\.2; .* with its unit"):
        parse_course('{"visits": [{"date": "2026-01-05", "neutrophils": 3.2}]}')
