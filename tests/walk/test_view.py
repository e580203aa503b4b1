"""The view in a real browser: what a reader does is decided by the library and read on the card."""

import json
from contextlib import contextmanager

import pytest
from tests.support.browser import open_browser
from tests.support.walk_host import serve

from lenadose import replay
from lenadose.walk import begin_walk, change, shown

EXAMPLE = "neutropenia-at-10-mg"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def opened(browser):
    @contextmanager
    def open_page(walk, width=1200, scheme="light"):
        errors = []
        with serve(walk) as host:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(host.address)
            page.wait_for_selector(".lw-card")
            try:
                yield page, host
            finally:
                page.close()
        assert errors == []

    return open_page


def at_visit(index):
    return change(begin_walk(EXAMPLE), {"visit": index})


def slider(page, name):
    return page.locator(f'input[type=range][data-field="{name}"]')


def chip(page, name, words):
    return page.locator(f'[data-name="{name}"] .lw-chips button', has_text=words).first


def wait_for_text(page, place, words):
    page.wait_for_function(
        "([place, words]) => document.querySelector(place).textContent.includes(words)",
        arg=[place, words],
    )


def wait_for_headline(page, words):
    wait_for_text(page, ".lw-head", words)


def test_a_slider_is_moved_and_the_card_the_row_and_the_picture_follow(opened):
    with opened(at_visit(1)) as (page, host):
        assert "RAISE TO 10 mg" in page.inner_text(".lw-head")
        before = page.inner_html(".lw-picture")
        slider(page, "neutrophils").fill("0.9")
        wait_for_headline(page, "INTERRUPT")
        assert "Neutrophils 0.9 × 10⁹/L, below 1.0 × 10⁹/L" in page.inner_text(".lw-why")
        assert "safety interrupt" in page.inner_text('[data-lit="true"] summary')
        assert page.inner_html(".lw-picture") != before
        assert host.walk.decisions == replay(host.walk.course)
        assert "INTERRUPT" in page.inner_text('[role="status"]')


def test_a_slider_is_dragged_without_losing_it(opened):
    with opened(at_visit(1)) as (page, host):
        box = slider(page, "clasi_activity").bounding_box()
        page.mouse.move(box["x"] + 0.214 * box["width"], box["y"] + box["height"] / 2)
        page.mouse.down()
        for step in range(20):
            page.mouse.move(box["x"] + (0.2 - step / 120) * box["width"], box["y"] + 17)
        page.mouse.up()
        page.wait_for_function(
            "document.querySelector('[data-name=clasi_activity] .lw-field-head').textContent"
            ".match(/activity\\d$/)"
        )
        assert host.walk.decision.visit.clasi_activity < 5
        assert "CONTINUE" in page.inner_text(".lw-head")


def test_everything_is_done_by_the_keyboard(opened):
    with opened(at_visit(1)) as (page, host):
        slider(page, "clasi_activity").focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        wait_for_headline(page, "CONTINUE")
        assert host.walk.decision.visit.clasi_activity == 12
        chip(page, "neutrophils", "not measured").focus()
        page.keyboard.press("Enter")
        wait_for_headline(page, "ASK FIRST")
        # The focus stays on what was pressed, though the chips are drawn anew.
        focused = page.evaluate("document.activeElement.textContent")
        assert focused.endswith("not measured")
        page.keyboard.press("Tab")
        assert "as before" in page.evaluate("document.activeElement.textContent")


def test_a_visit_is_added_filled_and_taken_back(opened):
    walk = change(change(begin_walk(EXAMPLE), {"back": True}), {"back": True})
    with opened(walk) as (page, host):
        planned = str(walk.decisions[-1].next_visit.due)
        assert page.input_value(".lw-next input") == planned
        page.get_by_role("button", name="Add this visit").click()
        wait_for_headline(page, "ASK FIRST")
        assert page.locator(".lw-timeline li").count() == len(walk.decisions) + 1
        for name in ("neutrophils", "platelets", "clasi_activity"):
            chip(page, name, "as before").click()
        chip(page, "adverse_events", "none").click()
        wait_for_headline(page, "DISCONTINUE")
        page.get_by_role("button", name="Take the last visit back").click()
        wait_for_headline(page, "= CONTINUE")  # not the DISCONTINUE before
        assert host.walk.course == walk.course


def test_another_visit_is_shown_and_another_example_opened(opened):
    with opened(at_visit(1)) as (page, host):
        page.locator(".lw-timeline button").nth(2).click()
        wait_for_headline(page, "INTERRUPT")
        assert page.locator(".lw-timeline [aria-current=step]").count() == 1
        page.get_by_label("Example patient").select_option("penn-low-start")
        page.wait_for_function("document.querySelector('.lw-card').textContent.includes('penn')")
        page.get_by_label("Beside it").select_option("cortes-hernandez-2012")
        page.wait_for_function("document.querySelectorAll('.lw-card').length === 2")
        assert host.walk.compared.id == "cortes-hernandez-2012"


def test_an_event_is_added_by_its_term_and_a_fault_is_said_in_one_line(opened):
    with opened(at_visit(1)) as (page, _):
        page.get_by_text("Another event").click()
        page.get_by_label("Term").fill("rash")
        page.get_by_role("button", name="Add the event").click()
        page.wait_for_selector('[role="alert"]:not(:empty)')
        assert "grade: is missing for 'rash'" in page.inner_text('[role="alert"]')
        assert "RAISE" in page.inner_text(".lw-head")
        page.get_by_label("CTCAE 5.0 grade").select_option("3")
        page.get_by_role("button", name="Add the event").click()
        wait_for_headline(page, "INTERRUPT")
        assert page.inner_text('[role="alert"]') == ""


def test_the_course_is_exported_and_opened_again(opened, tmp_path):
    with opened(at_visit(1)) as (page, host):
        with page.expect_download() as download:
            page.get_by_role("button", name="Export the course").click()
        path = tmp_path / "course.json"
        download.value.save_as(path)
        assert json.loads(path.read_text("utf-8")) == shown(host.walk)["course"]
        page.get_by_role("button", name="Begin a patient").click()
        wait_for_headline(page, "ASK FIRST")
        page.locator("input[type=file]").set_input_files(path)
        wait_for_headline(page, "OBSERVE")
        assert host.walk.course == at_visit(1).course


def test_what_a_course_says_is_text_and_nothing_else(opened):
    hostile = "<img src=x onerror=window.bad=1>"
    walk = change(begin_walk(), {"patient": {"id": hostile}})
    walk = change(walk, {"set": {"field": "stopped", "value": hostile}})
    with opened(walk) as (page, _):
        assert hostile in page.inner_text(".lw-card")
        assert page.locator(".lw img").count() == 0
        assert page.evaluate("window.bad") is None


@pytest.mark.parametrize("width", [360, 390, 820, 1200, 2560])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(width, scheme, opened):
    with opened(at_visit(1), width, scheme) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for box in page.evaluate(
            "[...document.querySelectorAll('.lw button, .lw input, .lw select')]"
            ".filter(each => !each.closest('.lw-hidden') && each.offsetParent)"
            ".map(each => each.getBoundingClientRect().right)"
        ):
            assert box <= width


def test_every_control_has_a_name_and_every_slider_says_its_answer(opened):
    with opened(at_visit(1)) as (page, _):
        snapshot = page.locator("body").aria_snapshot()
        for role in ("button", "slider", "combobox", "textbox", "spinbutton"):
            for line in snapshot.splitlines():
                bare = line.strip().removeprefix("- ").rstrip(":")
                assert bare != role, line
        words = slider(page, "neutrophils").get_attribute("aria-valuetext")
        assert words == "2.4 × 10⁹/L: raise to 10 mg once daily"


def test_a_date_is_typed_part_by_part_though_each_part_is_answered(opened):
    with opened(begin_walk()) as (page, host):
        page.locator('[data-name="date"] [type=date]').focus()
        for keys, day in (("02", "5 Feb 2026"), ("15", "15 Feb 2026"), ("2027", "15 Feb 2027")):
            page.keyboard.type(keys)
            wait_for_text(page, ".lw-card", day)
        assert str(host.walk.decision.visit.date) == "2027-02-15"
        assert page.input_value('[data-name="date"] [type=date]') == "2027-02-15"


def test_what_was_refused_does_not_stay_where_it_was_typed(opened):
    with opened(at_visit(1)) as (page, host):
        age = page.get_by_role("spinbutton", name="Age")
        age.fill("400")
        age.press("Enter")
        page.wait_for_selector('[role="alert"]:not(:empty)')
        assert age.input_value() == "400"  # to be corrected
        chip(page, "antiphospholipid", "positive").click()
        page.wait_for_selector('[role="alert"]:empty', state="attached")
        assert age.input_value() == str(host.walk.course.patient.age)


def test_the_focus_stays_in_the_field_whose_pressed_chip_is_gone(opened):
    with opened(at_visit(1)) as (page, _):
        chip(page, "neutrophils", "as before").focus()
        page.keyboard.press("Enter")
        wait_for_text(page, '[data-name="neutrophils"] .lw-field-head', "3 × 10⁹/L")
        assert page.evaluate("document.activeElement.dataset.field") == "neutrophils"
    with opened(change(begin_walk(), {"add": None})) as (page, _):
        page.get_by_role("button", name="Take the last visit back").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelectorAll('.lw-timeline li').length === 1")
        assert page.evaluate("document.activeElement.dataset.key") == "visit 0"


def test_no_result_is_broken_over_two_lines(opened):
    walk = change(at_visit(2), {"set": {"field": "platelets", "value": "1"}})
    with opened(walk, 360) as (page, _):
        whole = page.locator(".lw-why .lw-whole").all_inner_texts()
        assert whole == ["0.9 × 10⁹/L", "1.0 × 10⁹/L", "1 × 10⁹/L", "50 × 10⁹/L"]
        for each in page.locator(".lw-whole").all():
            assert each.evaluate("each => each.getClientRects().length") == 1


def test_the_colours_that_mean_an_action_stay_where_colours_are_forced(opened):
    with opened(at_visit(1)) as (page, _):
        page.emulate_media(forced_colors="active")
        places = ('[data-name="neutrophils"] .lw-track span', '[data-lit="true"] .lw-swatch')
        assert [
            page.locator(place).first.evaluate("each => getComputedStyle(each).backgroundColor")
            for place in places
        ] == ["rgb(213, 94, 0)", "rgb(0, 114, 178)"]
