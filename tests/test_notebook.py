"""In a notebook: values become HTML without scripts, and text from a record stays text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from IPython.core.interactiveshell import InteractiveShell

from lenadose import (
    Course,
    Patient,
    alternatives,
    apply,
    explain,
    get_protocol,
    rationale,
    replay,
)
from lenadose.notebook import STYLE, show_course, show_decision
from lenadose.plot import draw_course
from lenadose.report.card import card
from lenadose.report.course import course_page
from lenadose.report.protocol import protocol_page
from lenadose.testing import courses
from lenadose.verification.certificate import Certificate
from lenadose.verification.compare import Comparison
from tests.support.browser import open_browser
from tests.support.patients import PROTOCOL, STERILE, event, judged, seen

HOSTILE = (
    "</div><script>alert(1)</script><img src=x onerror=alert(1)> "
    "[a](javascript:alert(1)) `\"' & | *b*"
)
RECORD = Course((seen(0, 11), seen(28, 10)), STERILE)


class Page(HTMLParser):
    """The elements, the text, and what would be run or fetched."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open, self.active, self.inside = [], "", [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("img", "br"):
            self.open.append(tag)
        for name, value in attributes:
            if name.startswith("on") or (
                name in ("src", "href") and not value.startswith("data:image/png;base64,")
            ):
                self.active.append((tag, name, value))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def page(text):
    read = Page(text)
    assert read.open == []
    assert read.active == []
    assert not {"script", "iframe", "link", "object"} & set(read.tags)
    return read


@pytest.fixture(scope="module")
def display():
    """Return the function by which a notebook displays the last value of a cell."""
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "lenadose.notebook")
    return lambda value: shell.display_formatter.format(value)[0]


def values():
    decisions = replay(RECORD)
    return {
        "decision": (decisions[1], str(card(decisions[1]))),
        "course": (RECORD, course_page(decisions)),
        "protocol": (PROTOCOL, protocol_page(PROTOCOL)),
        "certificate": (Certificate(PROTOCOL, (), 1, 2, 3, ()), "all 0 laws hold"),
        "comparison": (Comparison(PROTOCOL, get_protocol("penn-2012"), (), (), ()), "the same"),
        "picture": (draw_course(decisions), draw_course(decisions).alt),
        "replay": (decisions, course_page(decisions)),
        "alternatives": (alternatives(decisions[1]), "CLASI activity: 10 → "),
        "rationale": (rationale(decisions[1]), explain(decisions[1])),
        "visit": (RECORD.visits[1], "CLASI activity | 10"),
        "patient": (STERILE, "able to become pregnant | no"),
        "state": (apply(decisions[1]), "10 mg once daily since 2026-02-02"),
    }


@pytest.mark.parametrize("name", values())
def test_a_value_shows_itself_as_html_and_as_plain_text(name, display):
    value, words = values()[name]
    formats = display(value)
    assert set(formats) == {"text/html", "text/plain"}
    assert words in formats["text/plain"]
    read = page(formats["text/html"])
    element = {"picture": "img", "decision": "table", "rationale": "table"}.get(name, "h1")
    assert element in read.tags
    if name in ("replay", "alternatives", "visit", "patient", "state"):
        assert "table" in read.tags


def test_other_values_are_shown_as_before(display):
    assert display(3) == {"text/plain": "3"}
    assert display((1, "a")) == {"text/plain": "(1, 'a')"}
    assert display(()) == {"text/plain": "()"}
    mixed = (replay(RECORD)[0], 3)
    assert set(display(mixed)) == {"text/plain"}
    by_two = (replay(RECORD)[0], replay(RECORD, "penn-2012")[0])
    assert set(display(by_two)) == {"text/plain"}


DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2} [A-Z][a-z]{2} \d{4}")


@pytest.mark.parametrize("name", values())
def test_no_date_is_broken_over_two_lines(name, display):
    body = display(values()[name][0])["text/html"]
    text = re.sub(
        r"<style>.*?</style>|<[^>]*(alt|src)=[^>]*>|<code[^>]*>.*?</code>", "", body, flags=re.S
    )
    unbroken = re.findall(r'<span style="white-space:nowrap">([^<]*)</span>', text)
    assert DAY.findall(re.sub("<[^>]*>", "", text)) == unbroken


def test_a_decision_shows_its_advice_first_and_folds_the_evidence():
    decision = replay(RECORD)[1]
    text = show_decision(decision)
    read = page(text)
    assert read.tags.count("details") == 11
    assert "▲ RAISE TO 10 mg once daily" in read.text
    open_part = text.split("<details>")[0]
    assert "not a medical device" in open_part
    assert "escalate" in open_part
    assert "Arithmetic" in text
    assert "Arithmetic" not in page(open_part).text


def test_a_course_shows_every_visit_with_its_decision():
    read = page(show_course(RECORD))
    for decision in replay(RECORD):
        assert str(decision.visit.date) in read.text
        assert decision.rule.id in read.text
    assert "15 women" in read.text


def test_a_course_of_an_unknown_protocol_is_shown_as_it_was_recorded():
    read = page(show_course(Course(RECORD.visits, STERILE, HOSTILE)))
    assert "is not known" in read.text
    assert '"clasi_activity": 11' in read.text


def test_what_a_record_says_is_text_and_nothing_else(display):
    patient = Patient(id=HOSTILE, able_to_become_pregnant=False, subtype=HOSTILE)
    visit = seen(0, 11, adverse_events=(event(HOSTILE, 2),), judgement=judged("worse"))
    course = Course((visit,), patient)
    for value in (course, replay(course)[0], draw_course(replay(course))):
        read = page(display(value)["text/html"])
        assert not {"a", "b"} & set(read.tags)
    assert HOSTILE in page(show_course(course)).text
    assert HOSTILE in page(show_decision(replay(course)[0])).text


@settings(max_examples=10)
@given(courses())
def test_every_course_and_its_decisions_show_themselves_without_anything_that_runs(course):
    page(show_course(course))
    page(show_decision(replay(course)[-1]))


def test_the_page_keeps_the_colours_around_it():
    colours = {line.strip() for line in STYLE.splitlines() if "color:" in line}
    assert colours
    assert all("color: inherit" in line for line in colours)


@pytest.mark.slow
def test_tables_are_aligned_to_the_left_in_a_page_of_nbconvert():
    nbformat = pytest.importorskip("nbformat")
    exporter = pytest.importorskip("nbconvert").HTMLExporter()
    data = {"text/html": show_course(RECORD)}
    output = nbformat.v4.new_output("execute_result", data, execution_count=1)
    cell = nbformat.v4.new_code_cell("course", outputs=[output], execution_count=1)
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    with open_browser() as browser:
        page = browser.new_page()
        page.route("http*://**/*", lambda route: route.abort())
        page.set_content(body, wait_until="domcontentloaded")
        styles = page.evaluate(
            "[...document.querySelectorAll('.lenadose td')].map("
            "each => getComputedStyle(each).textAlign)"
        )
    assert set(styles) == {"left"}
