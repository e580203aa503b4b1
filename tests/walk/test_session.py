"""A walk: every message changes it, or leaves it as it was and says why in one line."""

import datetime as dt
import json
import re
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.paths import ROOT

from lenadose import (
    CallError,
    Course,
    Measurement,
    Visit,
    course_data,
    get_protocol,
    load_course,
    read_course,
    replay,
)
from lenadose.protocol.builtin import BUILT_IN
from lenadose.testing import courses
from lenadose.walk import Walk, begin_walk, change, shown
from lenadose.walk.examples import examples
from lenadose.walk.session import COUNT_UNITS, FIRST_DAY, MESSAGES

EXAMPLE = "neutropenia-at-10-mg"


def example_walk(visit=None) -> Walk:
    walk = begin_walk(EXAMPLE)
    return walk if visit is None else change(walk, {"visit": visit})


def own_protocol(id="my-own") -> str:
    return f'based_on = "cortes-hernandez-2012"\nid = "{id}"\nversion = "1.0.0"\ntitle = "Mine"\n'


def follows(walk, message):
    """Return the walk after a message that can be followed."""
    after = change(walk, message)
    assert after.fault == ""
    return after


def refused(walk, message):
    """Return the fault of a message that cannot be followed; nothing else has changed."""
    after = change(walk, message)
    assert after.fault
    assert "\n" not in after.fault
    assert evolve(after, fault="", notice="") == evolve(walk, fault="", notice="")
    assert shown(after)["fault"] == after.fault
    return after.fault


def test_every_example_can_be_walked_and_shows_the_decision_of_its_last_visit():
    for name in examples():
        walk = begin_walk(name)
        assert walk.course == load_course(ROOT / "examples" / "courses" / f"{name}.json")
        assert walk.decisions == replay(walk.course)
        data = shown(walk)
        assert data["timeline"][-1]["selected"]
        assert [row["lit"] for row in data["rows"]].count(True) == 1


def test_a_patient_who_is_begun_is_unknown_and_is_asked_about_first():
    walk = begin_walk()
    assert walk.course.visits == (Visit(FIRST_DAY),)
    assert walk.decision.action.code == "request-data"
    assert begin_walk(protocol="penn-2012").protocol.id == "penn-2012"


def test_a_walk_by_another_protocol_than_the_course_names_exports_that_protocol():
    walk = begin_walk(EXAMPLE, "penn-2012")
    assert walk.course.protocol == "penn-2012"
    assert walk.decisions == replay(walk.course)


@pytest.mark.parametrize(
    ("course", "protocol", "words"),
    [("nobody", None, "'nobody' is not known"), (None, "penn", "did you mean penn-2012?")],
)
def test_what_is_not_known_cannot_be_begun(course, protocol, words):
    with pytest.raises(CallError, match=words.replace("?", r"\?")):
        begin_walk(course, protocol)


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("clasi_activity", 12, 12),
        ("clasi_damage", 3, 3),
        ("neutrophils", "0.9", Measurement(Decimal("0.9"), "10*9/L")),
        ("neutrophils", 0.9, Measurement(Decimal("0.9"), "10*9/L")),
        ("platelets", 70, Measurement(Decimal(70), "10*9/L")),
        ("creatinine_clearance", 55, Measurement(Decimal(55), "mL/min")),
        ("platelets", {"value": 70, "unit": "10*9/L"}, Measurement(Decimal(70), "10*9/L")),
        ("doses_missed", 2, 2),
        ("stopped", "wish of the patient", "wish of the patient"),
        ("clasi_activity", None, None),
        ("neutrophils", None, None),
        ("adverse_events", [], ()),
        ("adverse_events", None, None),
    ],
)
def test_a_field_of_the_visit_that_is_shown_is_set_or_left_out(field, given, expected):
    before = example_walk(1)
    walk = follows(before, {"set": {"field": field, "value": given}})
    assert getattr(walk.decision.visit, field) == expected
    assert walk.decisions == replay(walk.course)
    others = [each for index, each in enumerate(walk.course.visits) if index != 1]
    assert others == [each for index, each in enumerate(before.course.visits) if index != 1]


def test_a_count_is_read_in_the_unit_that_the_reader_sees():
    walk = follows(example_walk(1), {"units": "per-microlitre"})
    walk = follows(walk, {"set": {"field": "neutrophils", "value": "900"}})
    assert walk.decision.visit.neutrophils == Measurement(Decimal(900), "/uL")
    assert walk.decision.action.code == "interrupt"
    clearance = follows(walk, {"set": {"field": "creatinine_clearance", "value": 90}})
    assert clearance.decision.visit.creatinine_clearance == Measurement(Decimal(90), "mL/min")


def test_the_visit_is_moved_to_a_date_or_to_days_after_the_visit_before():
    walk = example_walk(1)
    for message in ({"date": "2025-03-12"}, {"date": 30}, {"set": {"field": "date", "value": 30}}):
        assert follows(walk, message).decision.visit.date == dt.date(2025, 3, 12)


def test_facts_of_the_patient_are_changed_and_left_out_and_the_others_kept():
    walk = follows(example_walk(1), {"patient": {"able_to_become_pregnant": True}})
    assert walk.decision.action.code == "request-data"
    assert walk.course.patient.age == 55
    walk = follows(walk, {"patient": {"age": None, "id": "p-2"}})
    assert (walk.course.patient.age, walk.course.patient.id) == (None, "p-2")


def test_the_next_visit_is_added_on_the_planned_day_or_on_a_date_and_taken_back():
    walk = follows(follows(example_walk(7), {"back": True}), {"back": True})
    planned = walk.decisions[-1].next_visit.due
    assert follows(walk, {"add": None}).decision.visit == Visit(planned)
    added = follows(walk, {"add": "2025-06-01"})
    assert added.decision.visit == Visit("2025-06-01")
    assert (added.visit, len(added.decisions)) == (6, 7)
    back = follows(added, {"back": True})
    assert (back.course, back.visit) == (walk.course, 5)


def test_an_earlier_visit_stays_in_view_when_the_last_is_taken_back():
    assert follows(example_walk(2), {"back": True}).visit == 2


def test_an_exported_course_opens_as_the_same_walk_as_text_and_as_data():
    walk = example_walk(7)
    data = shown(walk)["course"]
    for form in (data, json.dumps(data)):
        opened = follows(begin_walk(), {"course": form})
        assert (opened.course, opened.decisions) == (walk.course, walk.decisions)


def test_another_patient_is_opened_or_begun_and_the_units_are_kept():
    walk = follows(example_walk(), {"units": "per-microlitre"})
    for message in ({"example": "penn-low-start"}, {"begin": None}, {"begin": "2026-03-01"}):
        assert follows(walk, message).units == "per-microlitre"
    assert follows(walk, {"example": "penn-low-start"}).protocol.id == "penn-2012"
    assert follows(walk, {"begin": "2026-03-01"}).course.visits == (Visit("2026-03-01"),)


def test_another_protocol_decides_the_same_visits_or_is_shown_beside():
    walk = example_walk(2)
    by_penn = follows(walk, {"protocol": "penn-2012"})
    assert (by_penn.visit, by_penn.course.visits) == (2, walk.course.visits)
    assert by_penn.decisions == replay(walk.course, get_protocol("penn-2012"))
    beside = follows(walk, {"compare": "penn-2012"})
    assert beside.decisions == walk.decisions
    other = shown(beside)["compared"]
    assert other["protocol"]["id"] == "penn-2012"
    assert other["card"]["headline"] == shown(by_penn)["card"]["headline"]
    assert shown(follows(beside, {"compare": None}))["compared"] is None
    assert follows(beside, {"protocol": "penn-2012"}).compared is None


def test_a_protocol_of_ones_own_decides_and_is_then_known_by_its_id():
    walk = follows(example_walk(2), {"protocol_file": own_protocol()})
    assert walk.protocol.id == "my-own"
    assert [each["id"] for each in shown(walk)["protocols"]] == [*BUILT_IN, "my-own"]
    back = follows(walk, {"protocol": "penn-2012"})
    assert follows(back, {"compare": "my-own"}).compared == walk.protocol
    assert follows(back, {"protocol": "my-own"}).protocol == walk.protocol
    # It is known to the courses that are opened, too.
    assert follows(back, {"course": shown(walk)["course"]}).protocol == walk.protocol
    assert begin_walk(EXAMPLE, walk.protocol).own == walk.protocol


FAULTS = [
    (None, "message: not an object with one key"),
    ({}, "message: not an object with one key"),
    ({"back": True, "visit": 0}, "message: not an object with one key"),
    ({"sett": 1}, "message.sett: unknown key; did you mean set?"),
    ({3: 1}, "message.3: unknown key"),
    ({"set": 3}, "set: 3 is not a change; give field and value"),
    ({"set": {"field": "neutrophils"}}, "set: an object is not a change"),
    ({"set": {"field": 3, "value": 1}}, "set.field: 3 is not a field"),
    ({"set": {"field": "neutrophil", "value": 1}}, "visits[7].neutrophil: unknown key"),
    ({"set": {"field": "neutrophils", "value": "low"}}, "neutrophils: 'low' is not a number"),
    ({"set": {"field": "neutrophils", "value": True}}, "neutrophils: true is not a number"),
    ({"set": {"field": "neutrophils", "value": -1}}, "visits[7].neutrophils: -1 is negative"),
    ({"set": {"field": "neutrophils", "value": 3000}}, "no patient has 3000"),
    ({"set": {"field": "clasi_activity", "value": 71}}, "visits[7].clasi_activity: 71"),
    ({"set": {"field": "clasi_activity", "value": 1.5}}, "visits[7].clasi_activity: 1.5"),
    ({"set": {"field": "adverse_events", "value": [{"term": "rash"}]}}, "(and 1 more)"),
    ({"set": {"field": "doses_missed", "value": 99}}, "99 missed of 28"),
    ({"date": None}, "visits[7].date: is missing"),
    ({"date": "2025-02-30"}, "visits[7].date: there is no 2025-02-30"),
    ({"date": "2025-05-30"}, "two visits on 2025-05-30"),
    ({"date": 0}, "date: 0 days after the visit before"),
    ({"date": True}, "visits[7].date: true is not a date"),
    ({"date": 10**9}, "date: 1000000000 days after"),
    ({"patient": 3}, "patient: 3 is not an object"),
    ({"patient": {"age": 3}}, "patient.age: 3 is outside its range"),
    ({"patient": {"name": "x"}}, "patient.name: unknown key"),
    ({"add": "2025-01-01"}, "visits[8].date: 2025-01-01 is before the visit of 2025-06-27"),
    ({"add": 3}, "visits[8].date: 3 is not a date"),
    ({"add": None}, "add: no next visit is planned"),
    ({"back": False}, "back: false is not true"),
    ({"visit": 8}, "visit: 8 is not a visit; give 0 to 7"),
    ({"visit": -1}, "visit: -1 is not a visit"),
    ({"visit": True}, "visit: true is not a visit"),
    ({"course": "{"}, "is not JSON"),
    ({"course": 3}, "course: 3 is not an object"),
    ({"course": {"visits": []}}, "visits: there are none"),
    ({"course": {"protocol": "mine", "visits": [{"date": "2026-01-05"}]}}, "'mine' is not known"),
    ({"example": "neutropenia"}, "example: 'neutropenia' is not known; did you mean"),
    ({"example": 3}, "example: 3 is not known"),
    ({"begin": "soon"}, "visits[0].date: 'soon' is not a date"),
    ({"protocol": "penn"}, "protocol: 'penn' is not known; did you mean penn-2012?"),
    ({"protocol": None}, "protocol: null is not known"),
    ({"protocol_file": 3}, "protocol_file: 3 is not text"),
    ({"protocol_file": "a ="}, "is not TOML"),
    ({"protocol_file": own_protocol("penn-2012")}, "penn-2012 is built in"),
    ({"compare": "cortes-hernandez-2012"}, "decides already"),
    ({"compare": "mine"}, "'mine' is not known"),
    ({"units": "g/L"}, "units: 'g/L' is not known; give per-litre or per-microlitre"),
]


@pytest.mark.parametrize(("message", "words"), FAULTS, ids=lambda each: str(each)[:40])
def test_a_message_that_cannot_be_followed_leaves_the_walk_and_says_why(message, words):
    assert words in refused(example_walk(7), message)


def test_the_first_visit_has_no_days_before_it_and_the_only_one_is_not_taken_back():
    assert "is not a date" in refused(example_walk(0), {"date": 3})
    assert "at least one visit" in refused(begin_walk(), {"back": True})


def test_an_earlier_visit_cannot_be_changed_so_that_a_later_one_is_impossible():
    assert "is before the visit of" in refused(example_walk(1), {"date": "2025-03-30"})


def test_the_last_word_is_on_the_last_message_only():
    walk = change(example_walk(7), {"visit": 9})
    assert walk.fault
    assert follows(walk, {"visit": 0}).fault == ""


# Any message at all

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.sampled_from([name.name for name in Visit.__attrs_attrs__ if name.init])
known_values = st.sampled_from(
    [
        *(None, 0, 5, 40, "0.7", "2.5", "900", [], "wish of the patient"),
        [{"term": "rash", "grade": 3, "ctcae": "5.0"}],
        [{"result": "positive"}],
        [{"result": "negative"}],
        {"mg": 0},
        {"mg": 5, "every_days": 1},
        {"response": "worse", "reason": "judged"},
    ]
)
days = st.dates(dt.date(2025, 1, 1), dt.date(2026, 12, 31)).map(str)
messages = st.one_of(
    st.fixed_dictionaries({"set": st.fixed_dictionaries({"field": fields, "value": known_values})}),
    st.fixed_dictionaries({"set": st.fixed_dictionaries({"field": fields, "value": json_values})}),
    st.fixed_dictionaries({"date": days | st.integers(-5, 200)}),
    st.fixed_dictionaries({"add": days | st.none()}),
    st.just({"back": True}),
    st.fixed_dictionaries({"visit": st.integers(-1, 9)}),
    st.fixed_dictionaries({"example": st.sampled_from(sorted(examples()))}),
    st.fixed_dictionaries({"protocol": st.sampled_from(sorted(BUILT_IN))}),
    st.fixed_dictionaries({"compare": st.sampled_from([None, *BUILT_IN])}),
    st.fixed_dictionaries({"units": st.sampled_from(sorted(COUNT_UNITS))}),
    st.fixed_dictionaries(
        {"patient": st.dictionaries(st.sampled_from(["age", "able_to_become_pregnant"]), scalars)}
    ),
    st.dictionaries(st.sampled_from(sorted(MESSAGES)), json_values, max_size=2),
    json_values,
)


@settings(max_examples=60, deadline=None)
@given(courses() | st.none(), st.lists(messages, max_size=6))
def test_whatever_the_messages_the_decisions_are_those_of_the_exported_course(course, sent):
    walk = begin_walk(course)
    for message in sent:
        walk = change(walk, message)
    data = json.loads(json.dumps(shown(walk), allow_nan=False))
    course = read_course(data["course"])
    assert walk.decisions == replay(course)
    assert course_data(course) == data["course"]
    assert data["visit"] == walk.visit
    assert [each["date"] for each in data["timeline"]] == [
        str(decision.visit.date) for decision in replay(course)
    ]


def test_a_course_given_in_python_is_walked_as_it_is():
    course = Course((Visit("2026-01-05", clasi_activity=11),))
    assert begin_walk(course).decisions == replay(course)


PAGE = (ROOT / "docs" / "howto" / "walk.md").read_text("utf-8")


def test_the_page_about_the_walk_names_every_message_and_no_other():
    named = re.findall(r'`\{"([a-z_]+)": ', PAGE)
    assert set(named) == {*MESSAGES}


def test_the_code_of_the_page_about_the_walk_prints_what_stands_below_it(capsys):
    (code,) = re.findall(r"```python\n(from lenadose.walk import .*?)```", PAGE, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out == re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
