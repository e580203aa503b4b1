"""A course on one page: all that matters is shown, in its place, and no words cover others."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from time import process_time

import pytest
from attrs import asdict, evolve
from hypothesis import given, settings
from tests.support.paths import EXAMPLES
from tests.support.patients import count, day, event, judged, seen, took, walk
from tests.support.picture_courses import HARD, example

from lenadose import Course, Decision, PregnancyTest, Visit, replay
from lenadose.explanation.fact_phrases import is_relapse
from lenadose.explanation.headlines import HEADLINES, advice
from lenadose.picture import A5, SCREEN, Layout, Page, Text, course_layout
from lenadose.picture.alt_text import course_in_words, why
from lenadose.picture.layout import overlap
from lenadose.picture.marks import ACTIONS, action_mark
from lenadose.picture.placing import Calendar, long_date, short_date
from lenadose.picture.segments import segments_of
from lenadose.picture.table import choose_columns
from lenadose.picture.words import labels_of, title_of
from lenadose.terms.facts import Action, Phase, Safety
from lenadose.testing import courses

EXAMPLE = EXAMPLES / "courses" / "neutropenia-at-10-mg.json"
PAGES = {"screen": SCREEN, "a5": A5}


@cache
def hard(name: str) -> Sequence[Decision]:
    return HARD[name]()


@cache
def layout(name: str, size: str) -> Layout:
    return course_layout(hard(name), PAGES[size])


def words(drawn: Layout, role: str) -> list[str]:
    return [text.words for text in drawn.texts if text.role == role]


def covered(drawn: Layout) -> list[tuple[str, str]]:
    """Return the texts that lie on one another, and those that leave the page with ""."""
    found = []
    for index, text in enumerate(drawn.texts):
        left, top, right, bottom = text.box
        if left < 0 or top < 0 or right > drawn.width or bottom > drawn.height:
            found.append((text.words, ""))
        found += [
            (text.words, other.words)
            for other in drawn.texts[index + 1 :]
            if overlap(text.box, other.box, -1)
        ]
    return found


every = pytest.mark.parametrize(("name", "size"), [(name, size) for name in HARD for size in PAGES])


@every
def test_no_words_lie_on_others_or_leave_the_page(name: str, size: str) -> None:
    assert covered(layout(name, size)) == []


def test_words_on_others_and_off_the_page_would_be_found() -> None:
    drawn = layout("eight", "screen")
    title = drawn.texts[0]
    over = Text("title", title.x + 5, title.y, "over")
    off = Text("title", drawn.width - 5, 200, "off the page")
    found = covered(evolve(drawn, texts=(title, over, off)))
    assert found == [(title.words, "over"), ("off the page", "")]


@every
def test_everything_is_on_the_page_and_no_letter_is_small(name: str, size: str) -> None:
    drawn = layout(name, size)
    places = [(area.left, area.top) for area in drawn.areas]
    places += [(area.right, area.bottom) for area in drawn.areas]
    places += [point for line in drawn.lines for point in line.points]
    places += [corner for mark in drawn.marks for corner in mark.corners]
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in places)
    assert all(area.left <= area.right and area.top <= area.bottom for area in drawn.areas)
    assert min(text.size for text in drawn.texts) >= 8


@every
def test_no_line_of_a_label_crosses_a_label(name: str, size: str) -> None:
    drawn = layout(name, size)
    labels = [text.box for text in drawn.texts if text.role == "label"]
    leaders = [line.points for line in drawn.lines if line.role == "leader"]
    assert leaders
    for (x, top), (_, bottom) in leaders:
        assert not [box for box in labels if overlap(box, (x, top + 1, x, bottom))]


@every
def test_every_visit_is_marked_and_every_danger_on_the_drug_has_a_column(
    name: str, size: str
) -> None:
    decisions, drawn = hard(name), layout(name, size)
    corners = {round(x) for mark in drawn.marks if mark.role == "decision" for x, _ in mark.corners}
    ticks = {round(line.points[0][0]) for line in drawn.lines if line.role in ("visit", "decision")}
    asked = {round(text.x) for text in drawn.texts if text.role == "decision"}
    dates = {text.words for text in drawn.texts if text.role == "date"}
    visits = sorted({line.points[0][0] for line in drawn.lines if line.role == "visit"})
    assert len(visits) >= len({decision.visit.date for decision in decisions}) - 1
    assert all(round(x) in corners | ticks | asked for x in visits)
    for decision in decisions:
        dangerous = decision.facts.safety in (Safety.STOP, Safety.INTERRUPT)
        if dangerous and decision.facts.phase is not Phase.DISCONTINUED:
            assert short_date(decision.visit.date) in dates


@pytest.mark.parametrize("name", [name for name in HARD if "sixty" not in name])
def test_on_a_screen_every_decision_that_changes_something_is_labelled(name: str) -> None:
    headlines = [
        text for text in words(layout(name, "screen"), "label") if re.match(r"\d\d \w{3}: ", text)
    ]
    made = [label.first for label in labels_of(hard(name), brief=False)]
    assert [text[:6] for text in headlines] == [short_date(first.visit.date) for first in made]
    for text, first in zip(headlines, made, strict=True):
        assert first.visit.stopped or HEADLINES[first.action].words in text


def test_what_finds_no_room_is_said_and_explained_in_the_key() -> None:
    drawn = layout("sixty", "a5")
    (subtitle,) = words(drawn, "subtitle")
    assert "of the 60 visits" in subtitle
    assert "decisions marked only" in subtitle
    assert {"ask first", "prescriber decides"} <= set(words(drawn, "key"))
    assert "marked only" not in words(layout("eight", "a5"), "subtitle")[0]


def test_the_title_says_what_holds_now_and_why() -> None:
    assert title_of(example("relapse-after-withdrawal")) == (
        "Now 5 mg every other day. Lowered 29 Jul 2025: complete response."
    )
    assert title_of(example("neutropenia-at-10-mg")[:4]) == (
        "Now no drug. Interrupted since 21 Mar 2025: neutrophils 0.8 × 10⁹/L."
    )
    asked = walk([seen(0, 11), seen(28, 11, adverse_events=None)])
    assert title_of(asked).startswith(
        "No dosage advised until answered. Data requested 02 Feb 2026: "
    )
    unsaid = walk([seen(0, 11), seen(28, None)])
    assert title_of(unsaid).startswith("5 mg once daily, unchanged until answered. Data requested ")
    other = walk([seen(0, 11), seen(28, 5, dosage_taken=took(10))])
    assert title_of(other) == (
        "Now 10 mg once daily. Continued 02 Feb 2026: the dosage that was taken."
    )
    ended = walk([seen(0, 11), seen(28, 5, stopped="wish of the patient")])
    assert title_of(ended) == "Now no drug. Treatment ended 02 Feb 2026: wish of the patient."


def test_a_danger_of_the_same_day_comes_first_in_the_title() -> None:
    low = walk([seen(0, 11), seen(28, 11, neutrophils=count(0))])
    assert title_of(low) == (
        "Same-day assessment. Now no drug. Interrupted 02 Feb 2026: neutrophils 0 × 10⁹/L."
    )
    late = hard("all-dangers")
    assert title_of(late).startswith(
        "Same-day assessment: suspected thromboembolism, stevens-johnson"
    )
    assert title_of(late).endswith("Discontinued 02 Mar 2026: positive pregnancy test.")


def test_repeats_are_counted_but_a_new_danger_has_its_own_label() -> None:
    found = [label.headline for label in labels_of(hard("crowded"), brief=True)]
    assert "Interrupt ×4" in found
    dangers = [label.headline for label in labels_of(hard("all-dangers"), brief=True)]
    assert dangers.count("Interrupt") == 7


def test_open_is_shown_as_open_and_unreported_as_not_reported() -> None:
    asked = course_layout(walk([seen(0, 11), seen(28, 11, adverse_events=None)]))
    assert [area.role for area in asked.areas if area.role == "open"] == ["open"]
    assert "open: no dosage advised until answered" in words(asked, "key")
    assert "advised, intake not reported" in words(asked, "key")
    assert "–" in words(asked, "cell")
    told = course_layout(walk([seen(0, 11), seen(28, 11, dosage_taken=took(5))]))
    assert [area.role for area in told.areas if area.role in ("reported", "unreported")] == [
        "reported"
    ]
    assert "– not reported" not in words(told, "key")


def test_a_dosage_that_was_not_taken_as_advised_is_shown_beside_what_was() -> None:
    drawn = course_layout(walk([seen(0, 11), seen(28, 11, dosage_taken=took(0), doses_missed=4)]))
    assert "advised, not taken" in words(drawn, "key")
    assert any(line.role == "advised" for line in drawn.lines)
    assert "none, 4 missed" in words(drawn, "cell")


def test_the_dosage_stands_inside_its_step_and_every_phase_has_its_name() -> None:
    for name in HARD:
        drawn = layout(name, "screen")
        phases = {segment.phase.label for segment in segments_of(hard(name))}
        assert phases <= set(words(drawn, "phase")), name
    assert words(layout("eight", "screen"), "dosage") == [
        "5 mg once daily",
        "10 mg",
        "5 mg once daily",
    ]
    assert words(layout("eight", "screen"), "ceiling") == ["not above 5 mg once daily"]


def test_the_bands_name_their_limits() -> None:
    assert words(layout("eight", "screen"), "band") == ["worse: 18 or more", "partial: 12 or less"]
    bands = [area for area in layout("eight", "screen").areas if area.role == "worse"]
    assert len(bands) == 3  # the limit falls with the lowest score


def test_a_relapse_is_named() -> None:
    made = example("relapse-after-withdrawal")
    relapsed = [decision for decision in made if is_relapse(decision)]
    assert [str(decision.visit.date) for decision in relapsed] == ["2025-05-22", "2025-06-03"]
    assert "relapse 8" in words(course_layout(made), "score")
    assert why(relapsed[-1]) == "start: relapse"


def cells(visit: Visit) -> list[str]:
    """Return the cells of a second visit, by row."""
    found = choose_columns(Calendar(day(0), 60, 100, 800), walk([seen(0, 11), visit]), 800)
    return [cell.forms[0] for cell in found[1].cells.values()]


def test_the_table_says_what_a_visit_brought() -> None:
    assert cells(seen(28, 11)) == ["3", "240", "95", "none", "–"]
    low = seen(28, 11, neutrophils=count(0), adverse_events=(event("rash", 2),), doses_missed=2)
    assert cells(low) == ["■ 0", "240", "95", "▲ rash gr 2", "2 missed"]
    silent = Visit(day(28))
    assert cells(silent) == ["? too old", "? too old", "–", "?", "–"]
    older = seen(28, 11, neutrophils=(count(0, day(20)), count(3, day(27))))
    assert cells(older)[0] == "■ 0→3"


def test_a_gap_is_bold_only_where_it_is_asked_for() -> None:
    asked = course_layout(walk([seen(0, 11), seen(28, 11, adverse_events=None)]))
    assert [text.bold for text in asked.texts if text.words == "?" and text.role == "cell"] == [
        True
    ]
    finished = example("complete-response-and-taper")
    gaps = [text for text in course_layout(finished).texts if text.words == "? old"]
    assert gaps
    assert not any(text.bold for text in gaps)


def test_a_test_that_is_not_enough_and_a_positive_one_are_told_apart() -> None:
    drawn = layout("all-dangers", "screen")
    assert {"neg ×2", "neg ?", "■ pos"} <= set(words(drawn, "cell"))
    sterile = course_layout(walk([seen(0, 11)]))
    assert "Pregnancy test" not in words(sterile, "row")
    recorded = walk([seen(0, 11, pregnancy_tests=(PregnancyTest("negative"),))])
    assert "Pregnancy test" in words(course_layout(recorded), "row")


def test_a_missing_score_and_a_judgement_are_written() -> None:
    drawn = course_layout(walk([seen(0, 11), seen(28, None, judgement=judged("worse"))]))
    assert words(drawn, "missing") == ["? judged worse"]


def test_the_alternative_text_names_each_dated_result_and_what_cannot_be_read() -> None:
    results = [(1.2, "10*9/L", "2026-01-02"), (1800, "/uL")]
    visit = Visit("2026-01-05", neutrophils=results, unreadable=["platelets"])
    alt = "\n".join(course_in_words(replay(Course([visit]))))
    assert "neutrophils 1.2 × 10⁹/L of 2026-01-02, 1800 /µL" in alt
    assert "platelets not readable" in alt


def test_the_alternative_text_tells_every_visit_and_begins_with_the_title() -> None:
    for name in HARD:
        drawn, decisions = layout(name, "screen"), hard(name)
        lines = drawn.alt.splitlines()
        assert lines[0] == drawn.title
        assert lines[-1].startswith("Research and education software, not a medical device")
        told = [line for line in lines if re.match(r"\d{4}-", line)]
        assert len(told) == len(decisions)
        for line, decision in zip(told, decisions, strict=True):
            assert line.startswith(f"{decision.visit.date}: ")
            assert advice(decision) in line
            for each in decision.visit.adverse_events or ():
                assert each.term in line


def test_the_limits_of_the_evidence_stand_on_the_page() -> None:
    for size in PAGES:
        notes = " ".join(words(layout("eight", size), "note"))
        assert "not a medical device" in notes
        assert notes.endswith("off-label.")


def test_a_layout_is_plain_data() -> None:
    for name in HARD:
        text = json.dumps(asdict(layout(name, "screen")), allow_nan=False)
        assert json.loads(text)["title"] == layout(name, "screen").title


def test_a_layout_needs_no_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None;"
        "from lenadose import load_course, replay; from lenadose.picture import course_layout;"
        f"print(course_layout(replay(load_course({str(EXAMPLE)!r}))).title)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == title_of(example("neutropenia-at-10-mg"))


def test_every_action_has_a_mark_that_is_told_apart_without_colour() -> None:
    assert set(ACTIONS) == set(Action)
    marks = [(known.shape, known.is_filled) for known in ACTIONS.values()]
    assert len(set(marks)) == len(Action)
    assert isinstance(action_mark("", Action.REQUEST_DATA, 0, 0, 4), Text)


def test_dates_are_in_english_on_every_machine() -> None:
    assert (short_date(day(0)), long_date(day(0))) == ("05 Jan", "05 Jan 2026")


@settings(max_examples=30, deadline=None)
@given(courses())
def test_every_course_can_be_laid_out_on_both_pages(course) -> None:
    decisions = replay(course)
    for page in PAGES.values():
        assert covered(course_layout(decisions, page)) == []


def test_a_page_of_another_size_is_filled_too() -> None:
    drawn = course_layout(hard("eight"), Page(1200, 800, 96))
    assert covered(drawn) == []
    assert max(area.right for area in drawn.areas) > 1150


def test_a_course_of_thousands_of_visits_is_laid_out_in_seconds() -> None:
    decisions = replay(Course([Visit(day(number), clasi_activity=10) for number in range(4000)]))
    started = process_time()
    course_layout(decisions)
    assert process_time() - started < 8
