"""Protocols as files: read back equal, refused at the place, checked as strictly as built ones."""

import copy
import json
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL

import lenadose
from lenadose import (
    DocumentError,
    Fault,
    Protocol,
    ProtocolError,
    get_protocol,
    load_protocol,
    read_protocol,
    replay,
)
from lenadose.cli.commands import protocol_named
from lenadose.cli.main import main
from lenadose.formats.files import LARGEST
from lenadose.formats.protocol_file import parse_protocol
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.rules import rule
from lenadose.protocol.safety import EventCriterion, Lasts
from lenadose.terms.dosage import Dosage, DoseLadder, Level
from lenadose.terms.facts import Action, EvidenceLevel, Safety
from lenadose.terms.interval import days, months, weeks
from lenadose.terms.provenance import Provenance, Sourced, assumed

COURSE = ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json"
OWN = evolve(PROTOCOL, version="0 of the tests")
DATA = json.loads(json.dumps(OWN.data))
SCHEMA = Draft202012Validator(SCHEMAS["protocol"]())


def toml(data: dict[str, Any]) -> str:
    """The data as TOML: each row a section, all else on one line; TOML has no null."""
    lines = [f"{key} = {inline(value)}" for key, value in data.items() if key != "rules"]
    for row in data["rules"]:
        lines += [
            "",
            "[[rules]]",
            *(f"{key} = {inline(value)}" for key, value in row.items() if key != "cases"),
        ]
        for case in row["cases"]:
            lines += [
                "[[rules.cases]]",
                *(f"{key} = {inline(value)}" for key, value in case.items()),
            ]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    match value:
        case dict():
            return (
                "{"
                + ", ".join(
                    f"{key} = {inline(each)}" for key, each in value.items() if each is not None
                )
                + "}"
            )
        case list():
            return "[" + ", ".join(map(inline, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def find(document: Any, path: str) -> tuple[Any, Any]:
    """The part that holds the end of a path, and the key; a member may be named by its id."""
    place, key = None, document
    for step in path.split("."):
        place = document if place is None else place[key]
        if isinstance(place, list):
            key = (
                int(step)
                if step.isdigit()
                else next(i for i, each in enumerate(place) if each["id"] == step)
            )
        else:
            key = step
    return place, key


def describe_change(path: str, value: object) -> Any:
    """A protocol as data with one thing put in another's place, or left out (...)."""
    document = copy.deepcopy(DATA)
    place, key = find(document, path)
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return document


def faults(document: object) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read_protocol(document)
    assert all(each.place and each.reason and each.fix for each in refused.value.faults)
    return [str(fault) for fault in refused.value.faults]


# What is printed is read back


@pytest.mark.parametrize("id", BUILT_IN)
def test_what_is_printed_is_read_back_equal_with_the_same_hash(id: str, tmp_path: Path) -> None:
    built = get_protocol(id)
    data = json.loads(json.dumps(built.data))
    for name, text in (
        ("p.json", json.dumps(data, indent=2)),
        ("p.toml", toml(data)),
        ("P.TOML", "\ufeff" + toml(data)),
    ):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        for read in (load_protocol(path), load_protocol(str(path))):
            assert read == built
            assert read.hash == built.hash
    assert read_protocol(built.data) == built
    SCHEMA.validate(data)


def test_a_protocol_from_a_file_decides_as_the_built_in_one() -> None:
    course = lenadose.load_course(COURSE)
    read = parse_protocol(toml(DATA), toml=True)
    assert [each.rule for each in replay(course, read)] == [each.rule for each in replay(course)]


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("safety.neutrophils.caution_below.value", 1.5, Decimal("1.5")),
        ("safety.neutrophils.caution_below.value", "1.50", Decimal("1.5")),
        ("safety.platelets.caution_below.value", 75, Decimal(75)),
        ("intervals.missed_share.value", 0.2, Fraction(1, 5)),
        ("intervals.missed_share.value", "0.2", Fraction(1, 5)),
        ("intervals.missed_share.value", "2/10", Fraction(1, 5)),
        ("intervals.missed_share.value", 1, Fraction(1)),
        ("intervals.missed_share.value", 0, Fraction(0)),
        ("response.worse_points.value", 4.0, 4),
        ("ladder.start", {"mg": 5, "every_days": 2}, PROTOCOL.ladder.levels[0]),
        ("ladder.levels.0.dosage.mg", 2.5, Decimal("2.5")),
        ("safety.events.grade-4.least_grade", 5, 5),
    ],
)
def test_numbers_are_read_exactly(path: str, value: object, read: object) -> None:
    document = describe_change(path, value)
    assert SCHEMA.is_valid(document)
    for protocol in (
        read_protocol(document),
        parse_protocol(json.dumps(document)),
        parse_protocol(toml(document), toml=True),
    ):
        place: Any = protocol
        for step in path.split("."):
            if isinstance(place, tuple):
                place = (
                    place[int(step)]
                    if step.isdigit()
                    else next(each for each in place if each.id == step)
                )
            else:
                place = getattr(place, step)
        assert place == read


def test_a_fact_that_is_left_out_admits_any_word() -> None:
    whole = describe_change(
        "rules.ended.cases.0.when.safety",
        ["stop", "interrupt", "not-assessed", "caution", "acceptable"],
    )
    assert read_protocol(whole) == OWN
    assert read_protocol(whole).hash == OWN.hash


def test_what_is_not_said_of_an_event_may_be_left_out() -> None:
    document = copy.deepcopy(DATA)
    for event in document["safety"]["events"]:
        for key in [key for key, value in event.items() if value in (None, False, [])]:
            del event[key]
    assert read_protocol(document).hash == OWN.hash
    assert SCHEMA.is_valid(document)


# One thing wrong: the place, and where it can see it the same verdict from the schema

WRONG = [
    ("id", ..., "id: is missing; give it"),
    ("id", "Mine", "id: 'Mine' is not a name; write it in small letters, digits and hyphens"),
    ("id", "", "id: '' is not a name"),
    ("id", "a|b", "id: 'a|b' is not a name"),
    ("id", "mine\n", "id: 'mine\\n' is not a name"),
    ("version", "", "version: '' says nothing"),
    ("version", 1, "version: 1 is not a text; give a text, between quotes"),
    ("version", None, "version: null is not a value"),
    ("title", " ", "title: ' ' says nothing"),
    ("title", "a\nb", "title: holds a character that breaks a table"),
    ("evidence", "a\u001b[31m", "evidence: holds a character that breaks a table"),
    ("unchecked", "thyroid", "unchecked: 'thyroid' is not a list"),
    ("unchecked.1", "", "unchecked[1]: '' says nothing"),
    ("unchecked.1", None, "unchecked[1]: null is not a text"),
    ("tittle", "x", "tittle: unknown key; did you mean title?"),
    ("table", [], "table: unknown key"),
    ("sources", {}, "sources: an object is not a list"),
    (
        "sources.0",
        "CH12",
        "sources[0]: 'CH12' is not an object; give an object with id, citation, confidence",
    ),
    ("sources.0.citation", ..., "sources[0].citation: is missing"),
    ("sources.0.id", "", "sources[0].id: '' says nothing"),
    ("sources.0.id", "a|b", "sources[0].id: holds a character"),
    ("ladder", [], "ladder: a list is not an object"),
    ("ladder.levels", [], "ladder.levels: there are none; give at least one"),
    (
        "ladder.levels.0.dosage",
        5,
        "ladder.levels[0].dosage: 5 is not an object; give an object with mg, every_days",
    ),
    ("ladder.levels.0.dosage.mg", 0, "ladder.levels[0].dosage.mg: 0 is outside its range"),
    ("ladder.levels.2.dosage.mg", 101, "ladder.levels[2].dosage.mg: 101 is outside its range"),
    (
        "ladder.levels.0.dosage.mg",
        "5 mg",
        "ladder.levels[0].dosage.mg: '5 mg' is not a number; write it as \"1.5\"",
    ),
    ("ladder.levels.0.dosage.mg", "-5", "ladder.levels[0].dosage.mg: '-5' is not a number"),
    ("ladder.levels.0.dosage.mg", "1e1", "ladder.levels[0].dosage.mg: '1e1' is not a number"),
    ("ladder.levels.0.dosage.mg", "2+3", "ladder.levels[0].dosage.mg: '2+3' is not a number"),
    ("ladder.levels.0.dosage.mg", True, "ladder.levels[0].dosage.mg: true is not a number"),
    ("ladder.levels.0.dosage.every_days", ..., "ladder.levels[0].dosage.every_days: is missing"),
    (
        "ladder.levels.0.dosage.every_days",
        0,
        "ladder.levels[0].dosage.every_days: 0 is outside its range",
    ),
    (
        "ladder.levels.0.dosage.every_days",
        366,
        "ladder.levels[0].dosage.every_days: 366 is outside its range",
    ),
    (
        "ladder.levels.0.dosage.every_days",
        1.5,
        "ladder.levels[0].dosage.every_days: 1.5 is not a whole number",
    ),
    (
        "ladder.levels.0.dosage.every_days",
        "2",
        "ladder.levels[0].dosage.every_days: '2' is not a whole number",
    ),
    (
        "ladder.levels.0.provenance.tag",
        "guessed",
        "ladder.levels[0].provenance.tag: 'guessed' is not known",
    ),
    (
        "ladder.levels.0.provenance.source",
        "",
        "ladder.levels[0].provenance.source: '' says nothing",
    ),
    ("ladder.levels.0.provenance.words", "", "ladder.levels[0].provenance.words: '' says nothing"),
    ("ladder.levels.0.provenance", ..., "ladder.levels[0].provenance: is missing"),
    ("ladder.levels.0.rank", 0, "ladder.levels[0].rank: unknown key"),
    ("ladder.start", 1, "ladder.start: 1 is not an object; give an object with mg, every_days"),
    ("ladder.start", {"mg": 5}, "ladder.start.every_days: is missing"),
    ("ladder.start", {"mg": 0, "every_days": 1}, "ladder.start.mg: 0 is outside its range"),
    ("intervals.review", ..., "intervals.review: is missing"),
    ("intervals.reviews", {}, "intervals.reviews: unknown key; did you mean review?"),
    ("intervals.review", {"weeks": 4}, "intervals.review.weeks: unknown key"),
    (
        "intervals.review.value",
        "4 weeks",
        "intervals.review.value: '4 weeks' is not an interval; give a number of one unit",
    ),
    ("intervals.review.value", {}, "intervals.review.value: an interval of 0 units"),
    (
        "intervals.review.value",
        {"weeks": 4, "days": 1},
        "intervals.review.value: an interval of 2 units",
    ),
    (
        "intervals.review.value",
        {"week": 4},
        "intervals.review.value.week: unknown key; did you mean weeks?",
    ),
    (
        "intervals.review.value",
        {"weeks": 0},
        "intervals.review.value.weeks: interval length must be 1 to 1000, got 0",
    ),
    (
        "intervals.review.value",
        {"weeks": 1001},
        "intervals.review.value.weeks: interval length must be 1 to 1000, got 1001",
    ),
    (
        "intervals.review.value",
        {"weeks": 1.5},
        "intervals.review.value.weeks: 1.5 is not a whole number",
    ),
    (
        "intervals.review.value",
        {"weeks": True},
        "intervals.review.value.weeks: true is not a number",
    ),
    (
        "intervals.review.value",
        {"weeks": None},
        "intervals.review.value.weeks: null is not a value",
    ),
    (
        "intervals.surveillance.value",
        {"weeks": 4},
        "intervals.surveillance.value: an object is not a list",
    ),
    (
        "intervals.missed_share.value",
        "one fifth",
        "intervals.missed_share.value: 'one fifth' is not a fraction",
    ),
    (
        "intervals.missed_share.value",
        "1/0",
        "intervals.missed_share.value: '1/0' is not a fraction",
    ),
    ("intervals.missed_share.value", 1.5, "intervals.missed_share.value: 3/2 is outside its range"),
    (
        "intervals.missed_share.value",
        -0.5,
        "intervals.missed_share.value: -1/2 is outside its range",
    ),
    (
        "response.complete_at.value",
        -1,
        "response.complete_at.value: -1 is outside its range; give a number from 0 to 70",
    ),
    ("response.worse_points.value", 71, "response.worse_points.value: 71 is outside its range"),
    ("response.worse_share.value", 2, "response.worse_share.value: 2 is outside its range"),
    ("response.mild_below.value", 71, "response.mild_below.value: 71 is outside its range"),
    ("response.partial_below.value", -1, "response.partial_below.value: -1 is outside its range"),
    ("response.low_start", 10, "response.low_start: unknown key"),
    (
        "intervals.longest_gap.value",
        {"weeks": 0},
        "intervals.longest_gap.value.weeks: interval length must be 1 to 1000, got 0",
    ),
    (
        "safety.tests_anew_after.value",
        28,
        "safety.tests_anew_after.value: 28 is not an interval; give a number of one unit",
    ),
    (
        "safety.events.possible-pregnancy.voids_tests",
        "yes",
        "safety.events.possible-pregnancy.voids_tests: 'yes' is not true or false",
    ),
    ("notices", ..., "notices: is missing"),
    ("notices.obstetrician.when", "always", "notices.obstetrician.when: 'always' is not known"),
    ("notices.obstetrician.words", "", "notices.obstetrician.words: '' says nothing"),
    ("notices.obstetrician.source", ..., "notices.obstetrician.source: is missing"),
    (
        "notices.obstetrician.confidence",
        "reed",
        "notices.obstetrician.confidence: 'reed' is not known; did you mean read?",
    ),
    (
        "response.reduction_needs.value",
        "completed",
        "response.reduction_needs.value: 'completed' is not known; did you",
    ),
    (
        "safety.neutrophils.caution_below.value",
        -1,
        "safety.neutrophils.caution_below.value: -1 is outside its range",
    ),
    (
        "safety.highest_daily_dose.value",
        101,
        "safety.highest_daily_dose.value: 101 is outside its range; give a number from 0 to 100",
    ),
    ("safety.highest_daily_dose", ..., "safety.highest_daily_dose: is missing"),
    ("safety.clearance_ceiling.value", 1, "safety.clearance_ceiling.value: 1 is not an object"),
    (
        "safety.first_test.value",
        [{"days": 10}],
        "safety.first_test.value: a list of 1; give a list of 2",
    ),
    ("safety.events.grade-3.id", "Grade 3", "safety.events[5].id: 'Grade 3' is not a name"),
    (
        "safety.events.grade-3.least_grade",
        0,
        "safety.events.grade-3.least_grade: 0 is outside its range",
    ),
    (
        "safety.events.grade-3.least_grade",
        6,
        "safety.events.grade-3.least_grade: 6 is outside its range",
    ),
    (
        "safety.events.grade-3.least_grade",
        10**20,
        "safety.events.grade-3.least_grade: a whole number of more than",
    ),
    (
        "safety.events.grade-3.lasts",
        "for good",
        "safety.events.grade-3.lasts: 'for good' is not known; did you mean for",
    ),
    ("safety.events.grade-3.harm", "yes", "safety.events.grade-3.harm: 'yes' is not true or false"),
    ("safety.events.grade-3.harm", None, "safety.events.grade-3.harm: null is not a value"),
    ("safety.events.grade-3.terms", "rash", "safety.events.grade-3.terms: 'rash' is not a list"),
    ("safety.same_day_terms.0", 5, "safety.same_day_terms[0]: 5 is not a text"),
    ("notes.judgement.id", "", "notes[11].id: '' is not a name"),
    ("notes.judgement.words", "", "notes.judgement.words: '' says nothing"),
    ("rules", {}, "rules: an object is not a list"),
    ("rules", [], "rules: no row applies to: phase before start"),
    ("rules.escalate", "continue", "rules[12]: 'continue' is not an object"),
    ("rules.escalate.id", "up|", "rules[12].id: 'up|' is not a name"),
    ("rules.escalate.id", 5, "rules[12].id: 5 is not a text"),
    ("rules.escalate.id", ..., "rules[12].id: is missing"),
    (
        "rules.escalate.action",
        "hold",
        "rules.escalate.action: 'hold' is not known; known: start, continue",
    ),
    (
        "rules.escalate.action",
        "__import__('os')",
        "rules.escalate.action: \"__import__('os')\" is not known",
    ),
    ("rules.escalate.priority", 1, "rules.escalate.priority: unknown key"),
    ("rules.escalate.cases.0.when", ..., "rules.escalate.cases[0].when: is missing"),
    (
        "rules.escalate.cases.0.when",
        "always",
        "rules.escalate.cases[0].when: 'always' is not an object",
    ),
    (
        "rules.escalate.cases.0.when.safty",
        [],
        "rules.escalate.cases[0].when.safty: unknown key; did you mean safety?",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        [],
        "rules.escalate.cases[0].when.safety: nothing would fit an empty list",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        "stop",
        "rules.escalate.cases[0].when.safety: 'stop' is not a list",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        None,
        "rules.escalate.cases[0].when.safety: null is not a value",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        ["acceptable", "acceptible"],
        "rules.escalate.cases[0].when.safety[1]: 'acceptible' is not known; "
        "did you mean acceptable?",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        ["acceptable", "acceptable"],
        "rules.escalate.cases[0].when.safety[1]: 'acceptable' is there twice; keep one of the two",
    ),
    (
        "rules.ask-safety.cases.0.when.safety",
        ["not assessed"],
        "rules.ask-safety.cases[0].when.safety[0]: 'not assessed' is not known; "
        "did you mean not-assessed?",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        [None],
        "rules.escalate.cases[0].when.safety[0]: null is not known",
    ),
    ("rules.escalate.cases.0.provenance", ..., "rules.escalate.cases[0].provenance: is missing"),
    (
        "rules.escalate.cases.0.provenance.words",
        "a|b",
        "rules.escalate.cases[0].provenance.words: holds a character",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_one_wrong_thing_is_refused_at_its_place_by_reader_and_schema(
    path: str, value: object, said: str
) -> None:
    document = describe_change(path, value)
    told = faults(document)
    assert any(each.startswith(said) for each in told), told
    assert len(told) == 1 or path == "intervals.review"
    assert not SCHEMA.is_valid(document)


ONLY_READ = [
    (
        "ladder.start",
        {"mg": "2.5", "every_days": 1},
        "ladder.start: 2.5 mg once daily is not a level; "
        "give the dosage of a level: 5 mg every other",
    ),
    (
        "ladder.levels.2.dosage.mg",
        "5",
        "ladder.levels[2]: 5 mg once daily is as much a day as 5 mg once daily",
    ),
    ("ladder.levels.2.dosage.mg", "1000", "ladder.levels[2].dosage.mg: 1000 is outside its range"),
    (
        "ladder.levels.1.provenance.source",
        "decided here",
        "ladder.levels[1].provenance.source: what was decided here is ",
    ),
    (
        "safety.clearance_ceiling.value",
        {"mg": 15, "every_days": 1},
        "safety.clearance_ceiling.value: 15 mg once daily is not a level",
    ),
    (
        "intervals.missed_share.value",
        "3/2",
        "intervals.missed_share.value: 3/2 is outside its range",
    ),
    (
        "intervals.surveillance.value.1",
        {"weeks": 2},
        "intervals.surveillance.value[1]: 2 weeks is not later than 2 weeks",
    ),
    (
        "intervals.surveillance.value.4",
        {"days": 56},
        "intervals.surveillance.value[4]: 56 days is not later than 3 months",
    ),
    (
        "safety.neutrophils.interrupt_below.value",
        "1.6",
        "safety.neutrophils.interrupt_below.value: 1.6 is above caution_",
    ),
    (
        "safety.platelets.caution_below.value",
        "3001",
        "safety.platelets.caution_below.value: 3001 is outside its range",
    ),
    (
        "safety.neutrophils.caution_below.value",
        "1500",
        "safety.neutrophils.caution_below.value: 1500 is outside its range; "
        "give a number from 0 to 100, in 10⁹/L",
    ),
    (
        "safety.neutrophils_same_day_below.value",
        "101",
        "safety.neutrophils_same_day_below.value: 101 is outside",
    ),
    (
        "safety.clearance_lowers_below.value",
        "301",
        "safety.clearance_lowers_below.value: 301 is outside its range",
    ),
    (
        "safety.clearance_lowers_below.value",
        "29",
        "safety.clearance_interrupt_below.value: 30 is above clearance_lowers_",
    ),
    (
        "safety.first_test.value.0",
        {"days": 15},
        "safety.first_test.value: 15 days is more than 14 days",
    ),
    ("safety.events.grade-3.id", "grade-2", "safety.events[12]: 'grade-2' is there twice"),
    (
        "safety.events.grade-3.id",
        "positive-test",
        "safety.positive_test.id: an event has this name",
    ),
    (
        "safety.events.grade-3.safety",
        "not-assessed",
        "safety.events.grade-3.safety: an event that was reported is never not a",
    ),
    (
        "safety.events.grade-2.safety",
        "acceptable",
        "safety.events.grade-2.safety: an event that was reported is never acc",
    ),
    (
        "safety.events.grade-2.least_grade",
        None,
        "safety.events.grade-2.terms: criterion matches every event",
    ),
    (
        "safety.events.grade-2.lasts",
        "until-reported-resolved",
        "safety.events.grade-2.lasts: no course can report it",
    ),
    (
        "safety.events.grade-2.above_start",
        True,
        "safety.events.grade-2.above_start: the grade at the start is known of",
    ),
    (
        "safety.events.grade-2.harm",
        True,
        "safety.events.grade-2.harm: it does not interrupt treatment",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "DVT",
        "safety.events.thromboembolism.terms[1]: never recorded: 'dvt'",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "neutropenia",
        "safety.events.thromboembolism.terms[1]: never recorded",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "angio-edema",
        "safety.events.thromboembolism.terms[1]: never recorded",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "Rash",
        "safety.events.thromboembolism.terms[1]: 'Rash' is never met",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "",
        "safety.events.thromboembolism.terms[1]: '' is never met",
    ),
    (
        "safety.events.thromboembolism.terms.1",
        "venous thromboembolism",
        "safety.events.thromboembolism.terms[1]: 'venous thromboembolism' is there twice",
    ),
    (
        "safety.same_day_terms.0",
        "stroke",
        "safety.same_day_terms[0]: never recorded: 'stroke' is known here by anot",
    ),
    ("safety.positive_test.terms", [], "safety.positive_test.terms: criterion matches every event"),
    (
        "safety.events.grade-2.voids_tests",
        True,
        "safety.events.grade-2.voids_tests: it is not followed to its end",
    ),
    (
        "response.worse_points.provenance.source",
        "KLIEN11",
        "response.worse_points.provenance.source: 'KLIEN11' is not among the sources; "
        "did you mean KLEIN11?",
    ),
    (
        "response.worse_points.provenance.source",
        "CH12,, KLEIN11",
        "response.worse_points.provenance.source: '' is not among the sources",
    ),
    (
        "notices.condoms.source",
        "label, lable",
        "notices.condoms.source: 'lable' is not among the sources; did you mean label?",
    ),
    (
        "rules.start.cases.0.provenance.source",
        "CH 12",
        "rules.start.cases[0].provenance.source: 'CH 12' is not among",
    ),
    ("sources.1.id", "CH12", "sources[1]: 'CH12' is there twice"),
    (
        "notices.obstetrician.id",
        "condoms",
        "notices[16]: 'condoms' is there twice",
    ),
    ("notes.judgement.id", "early-visit", "notes[11]: 'early-visit' is there twice"),
    (
        "rules.escalate",
        ...,
        "rules: no row applies to: phase titration, response none, safety acceptable",
    ),
    ("rules.escalate.id", "start", "rules.start: two rows have this name"),
    ("rules.escalate.cases", [], "rules.escalate: the row has no case"),
    (
        "rules.escalate.cases.0.when.trial",
        ["running"],
        "rules: no row applies to: phase titration, response none",
    ),
    (
        "rules.escalate.cases.0.when.safety",
        ["acceptable", "caution"],
        "rules.escalate.cases[0]: rules.escalation-waits.cases[0] applies as well to: "
        "phase titration",
    ),
    (
        "rules.escalate.cases.0.when",
        {"phase": ["before-start"], "position": ["lowest"]},
        "rules.escalate.cases[0]: no possible situation fits it",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), ONLY_READ)
def test_what_a_schema_cannot_see_is_refused_by_the_reader(
    path: str, value: object, said: str
) -> None:
    told = faults(describe_change(path, value))
    assert any(each.startswith(said) for each in told), told


def test_all_faults_are_told_at_once() -> None:
    document = describe_change("rules.start.cases.0.when.safety", ["acceptible"])
    document["rules"][0]["action"] = "begin"
    document["ladder"]["start"] = {"mg": 9, "every_days": 1}
    document["safety"]["neutrophils"]["interrupt_below"]["value"] = 9
    document["safety"]["clearance_ceiling"]["value"] = {"mg": 9, "every_days": 1}
    document["safety"]["events"][4]["least_grade"] = 7
    document["intervals"]["soon"]["value"] = {"hours": 7}
    document["more"] = 1
    assert {each.split(": ")[0] for each in faults(document)} == {
        "more",
        "ladder.start",
        "intervals.soon.value.hours",
        "safety.clearance_ceiling.value",
        "safety.events.grade-4.least_grade",
        "safety.neutrophils.interrupt_below.value",
        "rules.unfit-to-start.action",
        "rules.start.cases[0].when.safety[0]",
    }


def test_a_ceiling_is_not_looked_up_in_a_ladder_that_cannot_be_read() -> None:
    assert [
        each.split(": ")[0] for each in faults(describe_change("ladder.levels.0.dosage.mg", "x"))
    ] == ["ladder.levels[0].dosage.mg"]


def test_a_table_of_more_cases_than_situations_is_not_looked_through() -> None:
    document = copy.deepcopy(DATA)
    document["rules"] = [{**DATA["rules"][0], "id": f"row-{number}"} for number in range(4201)]
    assert faults(document) == ["rules: more cases than there are situations; take some out"]
    document["rules"] = document["rules"][:100]
    assert len(faults(document)) == 1000


def test_a_level_added_at_the_bottom_moves_nothing() -> None:
    document = copy.deepcopy(DATA)
    lowest = copy.deepcopy(document["ladder"]["levels"][0])
    lowest["dosage"]["mg"] = "2.5"
    document["ladder"]["levels"].insert(0, lowest)
    protocol = read_protocol(document)
    assert protocol.ladder.start.dosage == PROTOCOL.ladder.start.dosage
    ceiling = protocol.safety.clearance_ceiling.value
    assert ceiling.dosage == PROTOCOL.safety.clearance_ceiling.value.dosage
    assert (protocol.ladder.start.rank, ceiling.rank) == (2, 2)


# Text and files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: is not JSON"),
        ("[]", "protocol: a list is not an object; give an object with id, version"),
        ("NaN", "protocol: NaN is not a finite number"),
        (b"\xff", "byte 0: is not UTF-8"),
        ("[" * 200_000, "protocol: is nested too deeply"),
        ('{"id": ' * 200_000, "protocol: is nested too deeply"),
        ('{"id": "a", "id": "b"}', "id: is there twice; keep one of the two"),
        (
            '{"rules": [{"id": "a", "cases": [{"when": {"safety": [NaN]}}]}]}',
            "rules.a.cases[0].when.safety[0]: NaN",
        ),
        (
            '{"ladder": {"start": ' + "9" * 5000 + "}}",
            "ladder.start: a number that other programs would change",
        ),
        ('{"ladder": {"start": 1e400}}', "ladder.start: a number that other programs would change"),
        ('{"unchecked": [Infinity]}', "unchecked[0]: Infinity is not a finite number"),
        (" " * (LARGEST + 1), f"protocol: more than {LARGEST} bytes; give one protocol per file"),
    ],
)
def test_json_that_is_no_protocol_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_protocol(text)
    told = [str(each) for each in refused.value.faults]
    assert any(each.startswith(said) for each in told), told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "id: is missing"),
        ("id = ", "end of document: is not TOML: invalid value; fix the TOML there"),
        ("id = 'a'\nid = 'b'\n", "line 2, column 9: is not TOML: cannot overwrite a value"),
        ("[ladder]\n[ladder]\n", "line 2, column 8: is not TOML: cannot declare ('ladder',) twice"),
        ('id = "', "end of document: is not TOML: "),
        ('id = "\x00"', "line 1, column 7: is not TOML: illegal character '\\x00'"),
        (b"\xff", "byte 0: is not UTF-8"),
        ("id = " + "[" * 200_000, "protocol: is nested too deeply"),
        ("a." * 100_000 + "b = 1", "protocol: is nested too deeply"),
        ('"a" . ' * 100_000 + "b = 1", "protocol: is nested too deeply"),
        ("a = " + "9" * 5000, "protocol: holds a number of thousands of digits"),
        (
            "[ladder.start]\nmg = " + "9" * 50,
            "ladder.start.mg: a whole number of more than 17 digits",
        ),
        ("[ladder]\nstart = nan", "ladder.start: nan is not a finite number"),
        ("[ladder]\nstart = -inf", "ladder.start: -inf is not a finite number"),
        ("[ladder.start]\nmg = 1979-05-27", "ladder.start.mg: a date is not a number"),
        ("id = 1979-05-27T07:32:00Z", "id: a datetime is not a text"),
        ("id = 07:32:00", "id: a time is not a text"),
        ("unchecked = [1979-05-27]", "unchecked[0]: a date is not a text"),
        ("1979-05-27 = 1", "1979-05-27: unknown key"),
        ("[[rules]]\nid = 'a'\nwhen = {safety = ['stop']}", "rules.a.when: unknown key"),
        (" " * (LARGEST + 1), f"protocol: more than {LARGEST} bytes"),
    ],
)
def test_toml_that_is_no_protocol_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_protocol(text, toml=True)
    told = [str(each) for each in refused.value.faults]
    assert any(each.startswith(said) for each in told), told
    assert all("\n" not in each for each in told)


def test_the_file_stands_in_front_of_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for document in (
        describe_change("rules.escalate.cases.0.when.safety", ["caution", "acceptible"]),
        describe_change("rules.escalate", ...),
        describe_change("title", 5),
    ):
        path.write_text(toml(document), "utf-8")
        with pytest.raises(DocumentError) as refused:
            load_protocol(path)
        assert [str(each) for each in refused.value.faults] == [
            f"{path}: {each}" for each in faults(document)
        ]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dir.json").mkdir()
    for path, said in (
        (
            "mine.yaml",
            "mine.yaml: is neither a .toml nor a .json file; "
            "name the file by what is written in it",
        ),
        ("mine", "mine: is neither"),
        ("", '"": is neither'),
        ("none.json", "none.json: no such file or directory; give the path of a protocol file"),
        ("a\0b.toml", r"a\x00b.toml: is not a path"),
        (tmp_path / "dir.json", f"{tmp_path / 'dir.json'}: is a directory"),
    ):
        with pytest.raises(DocumentError) as refused:
            load_protocol(path)
        assert str(refused.value).startswith(said)


# What is built meets the same checks as what is read

EVENT = PROTOCOL.safety.events[0]
WHY = assumed("a test")


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Provenance(EvidenceLevel.STATED, "", "words"), "source: '' says nothing"),
        (
            lambda: Provenance(EvidenceLevel.STATED, "decided here", "words"),
            "source: what was decided here is not stated",
        ),
        (lambda: assumed(""), "words: '' says nothing"),
        (lambda: Level(0, Dosage(Decimal(0)), WHY), r"dosage\.mg: 0 is outside its range"),
        (
            lambda: Level(0, Dosage(Decimal(5), 0), WHY),
            r"dosage\.every_days: 0 is outside its range",
        ),
        (lambda: DoseLadder((), PROTOCOL.ladder.start), "levels: there are none"),
        (lambda: days(0), "count: interval length must be 1 to 1000, got 0"),
        (lambda: rule("Up", Action.ESCALATE), "id: 'Up' is not a name"),
        (lambda: evolve(EVENT, least_grade=6), "least_grade: 6 is outside its range"),
        (lambda: evolve(EVENT, terms=()), "terms: criterion matches every event"),
        (lambda: evolve(EVENT, terms=("stroke",)), r"terms\[0\]: never recorded"),
        (
            lambda: EventCriterion("x", Safety.ACCEPTABLE, Lasts.FOR_GOOD, WHY, ("rash",)),
            "safety: an event that was reported",
        ),
        (
            lambda: evolve(PROTOCOL.intervals, surveillance=Sourced((months(2), weeks(8)), WHY)),
            r"surveillance\.value\[1\]: 8 weeks is not later than 2 months",
        ),
        (
            lambda: evolve(PROTOCOL.response, partial_share=Sourced(Fraction(2), WHY)),
            r"partial_share\.value: 2 is outside",
        ),
        (
            lambda: evolve(PROTOCOL.safety, clearance_interrupt_below=Sourced(Decimal(61), WHY)),
            r"clearance_interrupt_below\.value: 61 is above clearance_lowers_below, 60",
        ),
        (
            lambda: evolve(
                PROTOCOL, ladder=DoseLadder(PROTOCOL.ladder.levels[:1], PROTOCOL.ladder.levels[0])
            ),
            r"safety\.clearance_ceiling\.value: 5 mg once daily is not a level",
        ),
        (lambda: evolve(PROTOCOL, version=""), "version: '' says nothing"),
        (
            lambda: evolve(PROTOCOL, notes=PROTOCOL.notes[:1] * 2),
            r"notes\[1\]: 'harm-lowers-ceiling' is there twice",
        ),
    ],
)
def test_a_built_protocol_meets_the_same_checks(build: Any, said: str) -> None:
    with pytest.raises(ProtocolError, match=f"^{said}"):
        build()


def test_another_may_have_assumed_it_and_is_listed() -> None:
    document = describe_change("ladder.levels.0.provenance.source", "skin clinic 2026, CH12")
    (line,) = faults(document)
    assert line == (
        "ladder.levels[0].provenance.source: 'skin clinic 2026' is not among the sources; "
        "list it among the sources, or cite one of them"
    )
    document["sources"].append(
        {"id": "skin clinic 2026", "citation": "minutes of 3 March", "confidence": "read"}
    )
    assert read_protocol(document)


@pytest.mark.parametrize("id", ["CH12, DEL5Q", " CH12", "decided here", "this record"])
def test_a_source_that_cannot_be_cited_is_refused(id: str) -> None:
    document = copy.deepcopy(DATA)
    document["sources"].append({"id": id, "citation": "x", "confidence": "read"})
    (line,) = faults(document)
    assert line.startswith(f"sources[{len(DATA['sources'])}].id: {id!r} cannot be cited; give a ")


@pytest.mark.parametrize("id", BUILT_IN)
def test_every_source_that_is_cited_must_be_listed(id: str) -> None:
    protocol = get_protocol(id)
    cited = {entry.provenance.source for entry in protocol.ledger}
    cited |= {notice.source for notice in protocol.notices}
    names = {name for several in cited for name in several.split(", ")}
    for source in protocol.sources:
        fewer = tuple(other for other in protocol.sources if other is not source)
        if source.id in names:
            with pytest.raises(ProtocolError, match=f"'{source.id}' is not among the sources"):
                evolve(protocol, sources=fewer)
        else:
            assert evolve(protocol, sources=fewer)


# Nothing breaks the reader

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(
        [
            "stop",
            "titration",
            "1/5",
            "1.5",
            "decided here",
            "start",
            "rash",
            {"weeks": 4},
            {"value": 1},
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document below the whole of it."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [each for key, part in inner for each in ((*way, key), *places(part, (*way, key)))]


PLACES = sorted(places(DATA), key=len)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PLACES), st.sampled_from(["delete", "replace", "repeat", "add"]), JUNK
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_document_breaks_the_reader(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    document = copy.deepcopy(DATA)
    for way, how, junk in changes:
        place: Any = document
        try:
            for key in way[:-1]:
                place = place[key]
            match how:
                case "delete":
                    del place[way[-1]]
                case "replace":
                    place[way[-1]] = junk
                case "repeat":
                    place[way[-1]] = [place[way[-1]]] * 2
                    if isinstance(place, list):
                        place += [place[way[-1]]]
                case "add" if isinstance(place[way[-1]], dict):
                    place[way[-1]][str(junk)] = junk
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change has taken the place away
    protocol, told = read_or_refuse(document)
    assert (protocol is None) == bool(told)
    assert all(each.place and each.reason and each.fix and "\n" not in str(each) for each in told)
    if protocol is not None:
        assert SCHEMA.is_valid(document)
        assert SCHEMA.is_valid(json.loads(json.dumps(protocol.data)))
        assert read_protocol(protocol.data).hash == protocol.hash


def read_or_refuse(document: object) -> tuple[Protocol | None, tuple[Fault, ...]]:
    """Read a protocol, or give the faults for which it is refused."""
    try:
        return read_protocol(document), ()
    except DocumentError as error:
        return None, error.faults


@given(st.text(max_size=40) | st.binary(max_size=40), st.booleans())
def test_no_text_breaks_the_reader(text: str | bytes, toml: bool) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_protocol(text, toml=toml)
    assert all(each.place for each in refused.value.faults)


# The command line


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    data = {**DATA, "id": "mine", "version": "0.1"}
    data["intervals"] = {
        **data["intervals"],
        "review": {**data["intervals"]["review"], "value": {"weeks": 5}},
    }
    path.write_text(toml(data), "utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_show_and_assumptions_take_a_path(capsys, mine: str) -> None:
    data = json.loads(told(capsys, "show", mine, "--json"))
    assert data["id"] == "mine"
    assert data["intervals"]["review"]["value"] == {"weeks": 5}
    assert "Protocol `mine` 0.1" in told(capsys, "show", mine)
    assert told(capsys, "show", mine, "--as", "mermaid").startswith("stateDiagram")
    assert (
        json.loads(told(capsys, "assumptions", mine, "--json"))["protocol"]["hash"]
        == load_protocol(mine).hash
    )


def test_a_course_is_read_by_another_protocol_and_may_name_any(
    capsys, mine: str, tmp_path: Path
) -> None:
    course = tmp_path / "course.json"
    course.write_text(
        json.dumps({**json.loads(COURSE.read_text("utf-8")), "protocol": "mine"}), "utf-8"
    )
    (line,) = refused(capsys, "next", str(course))
    assert line.startswith(f"{course}: protocol: 'mine' is not known")
    for by, id in ((mine, "mine"), ("penn-2012", "penn-2012")):
        data = json.loads(told(capsys, "replay", str(course), "--protocol", by, "--json"))
        assert data["protocol"]["id"] == id
        last = json.loads(told(capsys, "next", str(course), "--protocol", by, "--json"))
        assert last == data["decisions"][-1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "mine",
            "protocol: 'mine' is not known; known: cortes-hernandez-2012, penn-2012, "
            "or give the path of a .toml or",
        ),
        ("mine.json", "mine.json: no such file or directory; give the path of a protocol file"),
        ("MINE.TOML", "MINE.TOML: no such file or directory"),
        ("./mine", "./mine: is neither a .toml nor a .json file"),
    ],
)
def test_a_protocol_is_named_by_its_id_or_by_its_path(capsys, given: str, said: str) -> None:
    for call in (
        ["show", given],
        ["assumptions", given],
        ["replay", str(COURSE), "--protocol", given],
    ):
        (line,) = refused(capsys, *call)
        assert line.startswith(said)
    assert protocol_named("penn-2012") is get_protocol("penn-2012")


def test_every_fault_of_a_protocol_is_a_line_with_its_file(capsys, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        json.dumps({**describe_change("rules.start.action", "begin"), "version": ""}), "utf-8"
    )
    assert [
        line.removeprefix(f"{path}: ").split(": ")[0] for line in refused(capsys, "show", str(path))
    ] == [
        "version",
        "rules.start.action",
    ]


def test_the_built_in_protocols_are_reached_from_the_library() -> None:
    code = "import lenadose.protocol.builtin as b; print(*b.BUILT_IN)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.split() == list(BUILT_IN)
