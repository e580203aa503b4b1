"""Several courses on one page: a row each, the fill is the state, the marks are decisions."""

import pytest
from tests.picture.test_course import PAGES, covered, hard, words
from tests.support.picture_courses import HARD, example

from lenadose import CallError
from lenadose.picture import SCREEN, courses_layout
from lenadose.picture.segments import segments_of
from lenadose.terms.facts import Phase

NAMES = ("relapse-after-withdrawal", "neutropenia-at-10-mg", "deep-vein-thrombosis")


@pytest.mark.parametrize("size", PAGES)
def test_no_words_lie_on_others_or_leave_the_page(size: str) -> None:
    everything = {name: hard(name) for name in HARD}
    for courses in (everything, {name: example(name) for name in NAMES}, {"one": hard("one")}):
        drawn = courses_layout(courses, PAGES[size])
        assert covered(drawn) == []
        assert min(text.size for text in drawn.texts) >= 8


def test_each_course_has_a_row_with_its_name_and_what_holds_now() -> None:
    drawn = courses_layout({name: example(name) for name in NAMES})
    assert words(drawn, "name") == list(NAMES)
    assert drawn.title == "3 courses: 1 on the drug, 2 discontinued."
    states = [text.words for text in drawn.texts if text.x > 700 and text.role == "now"]
    assert states == ["5 mg every other day", "discontinued", "discontinued"]
    for name in NAMES:
        assert any(line.startswith(f"{name}: ") for line in drawn.alt.splitlines())


def test_every_state_and_every_decision_that_occurs_is_in_the_key() -> None:
    drawn = courses_layout({name: example(name) for name in NAMES})
    states = {
        segment.phase.label
        for name in NAMES
        for segment in segments_of(example(name))
        if segment.taken is None and not segment.is_open
    }
    assert states == {
        phase.label for phase in (Phase.INTERRUPTED, Phase.OFF_TREATMENT, Phase.DISCONTINUED)
    }
    key = set(words(drawn, "key"))
    assert states <= key
    assert {"5 mg once daily", "10 mg once daily", "open: no dosage advised until answered"} <= key
    assert {"start", "raise", "lower", "finish", "interrupt", "resume"} <= key
    assert "discontinue for good" in key


def test_a_danger_of_the_same_day_is_said_beside_its_row() -> None:
    drawn = courses_layout({"all dangers": hard("all-dangers")})
    assert words(drawn, "now")[0].startswith("same-day: suspected thromboembolism")


def test_the_page_is_as_high_as_its_rows_need() -> None:
    few = courses_layout({str(number): hard("two") for number in range(5)})
    many = courses_layout({str(number): hard("two") for number in range(40)})
    some = courses_layout({str(number): hard("two") for number in range(12)})
    assert few.height < SCREEN.height < many.height
    assert some.height == pytest.approx(SCREEN.height)
    assert covered(many) == []


def test_no_course_is_refused() -> None:
    with pytest.raises(CallError, match="courses: there are none"):
        courses_layout({})
