"""A walk as JSON: every value is coloured by the decision that it would give."""

import re
from decimal import Decimal

import pytest

from lenadose import Course, Visit, card
from lenadose.explanation.headlines import HEADLINES
from lenadose.explanation.rationale import rationale
from lenadose.report.card_formats import card_text
from lenadose.report.markdown import sentence
from lenadose.walk import begin_walk, change, shown
from lenadose.walk.examples import examples
from lenadose.walk.fields import answer
from lenadose.walk.session import COUNT_UNITS

NAMES = sorted(examples())


def texts(data):
    """Yield every text of what is shown."""
    match data:
        case str():
            yield data
        case list():
            for each in data:
                yield from texts(each)
        case dict():
            # A value is data of the course, not a text.
            for key, each in data.items():
                if key != "value":
                    yield from texts(each)


def visits(name):
    """Yield the walk of an example at its last visits: of many courses, every kind of visit."""
    walk = begin_walk(name)
    for index in range(len(walk.decisions))[-2:]:
        yield change(walk, {"visit": index})


@pytest.mark.parametrize("name", NAMES)
def test_every_chip_gives_the_answer_that_it_promises(name):
    for walk in visits(name):
        for field in shown(walk)["fields"]:
            for chip in field["chips"]:
                message = {"set": {"field": field["field"], "value": chip["value"]}}
                after = change(walk, message)
                # A value that no later visit could follow is refused.
                if chip["answer"] and not after.fault:
                    assert answer(after.decision) == chip["answer"]
                    head = HEADLINES[after.decision.action]
                    assert (chip["sign"], chip["colour"]) == (head.sign, head.colour)
                    assert chip["same"] == (answer(walk.decision) == chip["answer"])


@pytest.mark.parametrize("name", ["neutropenia-at-10-mg", "penn-low-start", "falling-clearance"])
def test_every_band_of_a_slider_gives_the_answer_that_it_promises(name):
    for walk in visits(name):
        for field in shown(walk)["fields"]:
            for place, band in enumerate(field["bands"]):
                whole = field["step"] == 1 and field["field"] in ("date", "clasi_activity")
                step = Decimal(1) if whole else Decimal(str(field["step"])) / 100
                last = Decimal(str(band["to"])) - step
                for value in (band["from"], float(last)):
                    value = int(value) if whole else value
                    after = change(walk, {"set": {"field": field["field"], "value": value}})
                    if not after.fault:
                        assert answer(after.decision) == band["answer"]
                if place:
                    assert field["bands"][place - 1]["to"] == band["from"]


@pytest.mark.parametrize("name", NAMES)
def test_the_band_and_the_chip_that_hold_give_the_decision_of_the_visit(name):
    for walk in visits(name):
        data = shown(walk)
        now = answer(walk.decision)
        for field in [*data["fields"], *data["patient"]["fields"]]:
            held = [each for each in field.get("chips", []) if each["holds"]]
            held += [each for each in field.get("bands", []) if each["holds"]]
            assert {each["answer"] for each in held} <= {now, ""}
        assert [row["lit"] for row in data["rows"]].count(True) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_that_of_the_library(name):
    for walk in visits(name):
        data, held = shown(walk), card(walk.decision)
        assert data["card"]["headline"] == held.headline
        assert data["card"]["why"] == held.why
        lines = [
            x.words.replace(": see all reasons", " below").replace(" on the full page", " below")
            for x in held.lines
        ]
        assert [line["words"] for line in data["card"]["lines"]] == lines
        assert [line["words"] for line in data["origin"]] == [
            x.words.removesuffix(" · more: explain") for x in held.origin
        ]
        assert card_text(held).startswith(f" {data['card']['day']}")


MICROLITRE = re.compile("(?<!10³)/µL")
LITRE = re.compile(
    r"10⁹/L|\(below \d\.\d|(?i:neutrophils (are )?\d+\.\d|platelets (are )?\d{1,3}\b)"
)
"""A unit per litre, and a count that can only be one per litre."""


@pytest.mark.parametrize("name", NAMES)
def test_the_readers_unit_is_everywhere_at_once(name):
    for walk in visits(name):
        for unit, absent in (("per-litre", MICROLITRE), ("per-microlitre", LITRE)):
            data = shown(change(walk, {"units": unit}))
            for quoted in ("origin", "rows", "course", "examples"):
                del data[quoted]
            del data["protocol"]
            for text in texts(data):
                assert not absent.search(text), text


def test_a_count_is_the_same_amount_in_either_unit():
    walk = change(begin_walk("neutropenia-at-10-mg"), {"visit": 2})
    assert "Neutrophils 0.9 × 10⁹/L, below 1.0 × 10⁹/L" in shown(walk)["card"]["why"]
    data = shown(change(walk, {"units": "per-microlitre"}))
    assert "Neutrophils 900 /µL, below 1000 /µL" in data["card"]["why"]
    field = next(each for each in data["fields"] if each["field"] == "neutrophils")
    assert (field["number"], field["most"], field["step"]) == (900, 6000, 100)
    assert [band["from"] for band in field["bands"]] == [0, 500, 1000]


def test_a_limit_beside_another_is_in_the_unit_of_both():
    walk = change(begin_walk("neutropenia-at-10-mg"), {"visit": 1})
    labels = [shown(change(walk, {"units": unit}))["changes"] for unit in COUNT_UNITS]
    litre, microlitre = (" ".join(line["label"] for line in lines) for lines in labels)
    assert "neutrophils below 1.0 × 10⁹/L (below 0.5 the same day)" in litre
    assert "neutrophils below 1000 /µL (below 500 the same day)" in microlitre


def test_a_missing_fact_shows_what_each_answer_leads_to():
    (gap, *_) = [gap for gap in shown(begin_walk())["missing"] if gap["field"] == "clasi_activity"]
    assert gap["why"] == "absent"
    assert all(each["words"] and each["answer"] for each in gap["answers"])


def test_missing_events_are_not_said_to_be_absent():
    data = shown(begin_walk())
    (gap,) = [gap for gap in data["missing"] if gap["field"] == "adverse_events"]
    assert gap["why"] == "not asked about"
    assert "adverse events not asked about" in data["picture"]["alt"]


def test_a_row_says_its_action_without_a_dosage_to_come():
    actions = {row["action"] for row in shown(begin_walk("penn-low-start"))["rows"]}
    assert {"Raise", "Lower"} & actions
    assert not [each for each in actions if each.endswith((" to", " at"))]


def test_the_same_walk_shows_the_same():
    walk = begin_walk("penn-low-start")
    assert shown(walk) == shown(walk)


def test_what_a_reader_entered_is_not_put_into_another_unit():
    reason = "platelets 30 × 10⁹/L"
    walk = change(begin_walk("neutropenia-at-10-mg"), {"visit": 1})
    walk = change(walk, {"set": {"field": "stopped", "value": reason}})
    data = shown(change(walk, {"units": "per-microlitre"}))
    field = next(each for each in data["fields"] if each["field"] == "stopped")
    assert field["value"] == reason
    assert [chip["value"] for chip in field["chips"]] == [None, reason]


def test_a_result_that_cannot_be_read_is_said_to_be_one():
    course = Course([Visit("2026-01-05", clasi_activity=11, unreadable=["platelets"])])
    words = {each["field"]: each["words"] for each in shown(begin_walk(course))["fields"]}
    assert words["platelets"] == "not readable"
    assert words["neutrophils"] == "not measured"


@pytest.mark.parametrize("name", NAMES)
def test_what_the_card_leaves_out_stands_below_it(name):
    walk = begin_walk(name)
    for index, decision in enumerate(walk.decisions):
        data = shown(change(walk, {"visit": index}))
        words = " ".join(texts(data["card"]))
        assert "full page" not in words
        assert "see all reasons" not in words
        grounds = rationale(decision)
        assert len(data["notes"]) >= len(grounds.notices)
        if "notices below" in words:
            assert all(sentence(each.words) in data["notes"] for each in grounds.notices)
        assert not any("not checked here" in each for each in data["notes"])
