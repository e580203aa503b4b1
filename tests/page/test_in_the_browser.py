"""The page in a real browser: what it decides, shows, keeps, refuses, and does not send."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from scripts.page import BEGINNING, download, unpack
from tests.support.browser import open_browser
from tests.support.built_page import build_page, serve
from tests.support.paths import ROOT

from lenadose.walk import begin_walk, change, shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NOTICE = "Hypothetical patients only; research and education software, not a medical device"
VECTORS = ROOT / "tests" / "verification" / "vectors"
READY = "#walk:not([inert])"
WAIT = 60_000
"""How long a step may take on a machine that is busy, in milliseconds."""

BLIND = """\
based_on = "cortes-hernandez-2012"
id = "blind"
version = "0.1"
title = "Raises without a response"

[[rules]]
id = "ask-response"
action = "escalate"
[[rules.cases]]
when.phase = ["titration"]
when.response = ["not-assessed"]
when.safety = ["caution", "acceptable"]
when.timing = ["due"]
when.position = ["lowest", "middle", "highest", "only"]
provenance = { tag = "assumed", source = "decided here", words = "raise anyway" }
"""
"""A protocol that breaks a law."""


class Walked:
    """An opened page, and every request that it made."""

    def __init__(self, context: "BrowserContext", address: str) -> None:
        self.address = address
        self.requests: list[str] = []
        self.errors: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.page.locator(READY).wait_for()

    def answers(self) -> int:
        """Count the answers so far."""
        return self.page.evaluate("performance.getEntriesByName('answer').length")

    def after(self, act: Callable[[], object], answers: int = 1) -> None:
        """Do something, and wait for its answers."""
        before = self.answers()
        act()
        wait_for(lambda: self.answers() >= before + answers)

    def slide(self, field: str, value: str) -> None:
        """Move a slider, and wait for the answer."""
        slider = self.page.locator(f"input[data-field={field}]")
        self.after(lambda: slider.fill(value))

    def choose(self, key: str, value: str) -> None:
        """Choose of a list at the top, and wait for the answer."""
        self.after(lambda: self.page.locator(f"[data-key={key}]").select_option(value))

    def drop(self, name: str, text: str) -> None:
        """Drop a file on the page."""
        files = self.page.evaluate_handle(
            """([name, text]) => {
                const data = new DataTransfer();
                data.items.add(new File([text], name));
                return data;
            }""",
            [name, text],
        )
        self.page.dispatch_event("body", "drop", {"dataTransfer": files})

    def text(self, place: str) -> str:
        """Return the text at a place, without its layout."""
        return " ".join(self.page.locator(place).inner_text().split())

    def headline(self) -> str:
        """Return the headline of the decision."""
        return self.page.locator(".lw-card .lw-head").first.inner_text()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    until = monotonic() + WAIT / 1000
    while not condition():
        assert monotonic() < until, "waited in vain"
        sleep(0.02)


def said(*messages: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Python says after the beginning and some messages."""
    return shown(reduce(change, (*BEGINNING, *messages), begin_walk()))


def set_to(field: str, value: object) -> dict[str, Any]:
    return {"set": {"field": field, "value": value}}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def built(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built page; it is built only where there is a browser."""
    return build_page(tmp_path_factory.mktemp("page") / "built")


@pytest.fixture(scope="module")
def origin(built: Path) -> Iterator[str]:
    with serve(built) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser: "Browser", origin: str) -> Iterator[Walked]:
    """A page that the tests share: a page takes some seconds to start."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Walked(context, origin)
    context.close()


@pytest.fixture
def walked(opened: Walked) -> Iterator[Walked]:
    """The shared page at its beginning; no script of it failed, nothing left its origin."""
    for message in ({"units": "per-litre"}, {"compare": ""}):
        ((key, value),) = message.items()
        if opened.page.locator(f"[data-key={key}]").input_value() != value:
            opened.choose(key, value)
    opened.choose("protocol", "penn-2012")  # an example decides by its own
    opened.after(lambda: opened.page.locator("[data-key=begin]").click())
    opened.choose("example", BEGINNING[0]["example"])
    opened.after(lambda: opened.page.locator("[data-key='visit 2']").click())
    assert opened.headline() == said()["card"]["headline"]
    yield opened
    assert opened.errors == []
    assert {urlsplit(url).netloc for url in opened.requests if not url.startswith("blob:")} == {
        urlsplit(opened.address).netloc
    }


def test_another_origin_is_forbidden_to_the_page_and_python_came_from_its_own(
    walked: Walked,
) -> None:
    refused = "() => fetch('http://localhost:1/').then(() => false, () => true)"
    assert walked.page.evaluate(refused)
    names = [urlsplit(url).path for url in walked.requests]
    assert "/pyodide/pyodide.asm.wasm" in names  # what a worker asks for is counted too
    assert len(names) < 100


# What it decides


PARITY = """
import { loadPyodide } from "./pyodide/pyodide.mjs";
const text = async (name) => (await fetch(name)).text();
const python = await loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href });
for (const name of JSON.parse(await text("built.json")).wheels)
  python.unpackArchive(await (await fetch(`wheels/${name}`)).arrayBuffer(), "wheel");
python.runPython(await text("parity.py"));
const differing = python.globals.get("differing");
onmessage = async ({ data }) => postMessage(differing(await text(data)));
postMessage("ready");
"""

DIFFERING = """
import json
from lenadose import read_course, replay
from lenadose.terms.facts import DIMENSIONS, Action

def said(decision):
    dosage, window = decision.dosage, decision.next_visit
    return {
        "visit": str(decision.visit.date),
        "action": decision.action.code,
        "rule": decision.rule.id,
        "dosage": dosage and {
            "mg": float(dosage.mg), "every_days": dosage.every_days, "text": str(dosage)
        },
        "next_visit": window and {
            name: str(getattr(window, name)) for name in ("earliest", "due", "latest")
        },
        "facts": {name: getattr(decision.facts, name).code for name, _ in DIMENSIONS},
        "phase_after": decision.phase_after.code,
        "missing": [{"field": gap.field, "why": gap.why.code} for gap in decision.missing],
        "possible_actions": [a.code for a in Action if a in decision.possible_actions],
        "obtain_first": decision.obtain_first,
    }

def differing(text):
    document = json.loads(text)
    found, decisions = [], 0
    for vector in document["vectors"]:
        answers = list(map(said, replay(read_course(vector["course"]), document["protocol"]["id"])))
        decisions += len(answers)
        if answers != vector["decisions"]:
            found.append(vector["name"])
    return json.dumps({"decisions": decisions, "differing": found})
"""


def _fulfil(text: str, kind: str, route: "Route") -> None:
    route.fulfill(body=text, content_type=kind)


def differing(browser: "Browser", origin: str, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Decide vectors by the page's own Python in the browser; return what differs of each file."""
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    served = {"parity.js": PARITY, "parity.py": DIFFERING, **files}
    for name, text in served.items():
        kind = "text/javascript" if name.endswith(".js") else "text/plain"
        page.route(f"**/{name}", partial(_fulfil, text, kind))
    page.goto(f"{origin}licences.txt")
    page.evaluate(
        """() => new Promise((resolve, reject) => {
            window.parity = new Worker("parity.js", { type: "module" });
            parity.onmessage = resolve;
            parity.onerror = (event) => reject(event.message);
        })"""
    )
    answers = [
        page.evaluate(
            """(name) => new Promise((resolve, reject) => {
                parity.onmessage = ({ data }) => resolve(data);
                parity.onerror = (event) => reject(event.message);
                parity.postMessage(name);
            })""",
            name,
        )
        for name in files
    ]
    page.close()
    return [json.loads(answer) for answer in answers]


def test_every_vector_is_decided_in_the_browser_as_by_python(
    browser: "Browser", origin: str
) -> None:
    files = {path.name: path.read_text("utf-8") for path in sorted(VECTORS.glob("*.json"))}
    documents = list(map(json.loads, files.values()))
    assert len(documents) == 2
    # A vector that is wrong on purpose shows that the comparison can fail.
    wrong = {**documents[0], "vectors": documents[0]["vectors"][:1]}
    files["wrong.json"] = json.dumps(wrong).replace('"action": "start"', '"action": "escalate"')
    *right, spoilt = differing(browser, origin, files)
    for document, answer in zip(documents, right, strict=True):
        decisions = sum(len(vector["decisions"]) for vector in document["vectors"])
        assert answer == {"decisions": decisions, "differing": []}
        assert decisions > 1000
    assert spoilt["differing"] == [wrong["vectors"][0]["name"]]


# What is changed


def test_a_slider_that_is_moved_shows_the_answer_of_python(walked: Walked) -> None:
    walked.slide("neutrophils", "1.9")
    after = said(set_to("neutrophils", 1.9))
    assert after["card"]["headline"] != said()["card"]["headline"]
    assert walked.headline() == after["card"]["headline"]
    lit = next(row for row in after["rows"] if row["lit"])
    assert walked.text("[data-lit=true] summary").startswith(f"Applies: {lit['when']}")


def test_the_source_of_the_lit_row_is_one_click_away(walked: Walked) -> None:
    lit = next(row for row in said()["rows"] if row["lit"])
    walked.page.locator("[data-lit=true] summary").click()
    assert lit["words"] in walked.text("[data-lit=true]")


def test_a_visit_is_added_and_taken_back(walked: Walked) -> None:
    walked.page.locator("[data-key='next date']").fill("2025-08-01")
    walked.after(lambda: walked.page.locator("[data-key=add]").click())
    after = said({"add": "2025-08-01"})
    assert walked.page.locator(".lw-timeline li").count() == len(after["timeline"]) == 9
    assert walked.headline() == after["card"]["headline"]
    walked.after(lambda: walked.page.locator("[data-key=back]").click())
    assert walked.page.locator(".lw-timeline li").count() == 8


def test_both_protocols_stand_side_by_side_on_the_same_patient(walked: Walked) -> None:
    walked.choose("compare", "penn-2012")
    after = said({"compare": "penn-2012"})
    heads = walked.page.locator(".lw-card .lw-head").all_inner_texts()
    assert heads == [after["card"]["headline"], after["compared"]["card"]["headline"]]


def test_a_missing_fact_is_shown_with_what_each_answer_leads_to(walked: Walked) -> None:
    walked.after(lambda: walked.page.locator("[data-key='neutrophils not measured']").click())
    (gap,) = said(set_to("neutrophils", None))["missing"]
    missing = walked.text("[aria-label=Missing]")
    assert len(gap["answers"]) > 1
    for answer in gap["answers"]:
        assert " ".join(f"{answer['words']} → {answer['answer']}".split()) in missing


def test_counts_are_in_the_units_of_the_reader_everywhere(walked: Walked) -> None:
    assert "× 10⁹/L" in walked.text("main .lw-body")
    walked.choose("units", "per-microlitre")
    # A quotation of a source and the row of the table keep the units that they were written in.
    for place in (".lw-card .lw-why", ".lw-facts", ".lw-changes"):
        text = walked.text(place)
        assert "10⁹" not in text, place
    assert "/µL" in walked.text(".lw-facts")


def test_a_patient_is_begun_of_whom_nothing_is_known(walked: Walked) -> None:
    walked.after(lambda: walked.page.locator("[data-key=begin]").click())
    assert walked.headline() == said({"begin": None})["card"]["headline"]
    assert walked.page.locator(".lw-timeline li").count() == 1


# What is kept


def test_a_link_holds_the_whole_patient(walked: Walked, browser: "Browser") -> None:
    walked.choose("compare", "penn-2012")
    walked.slide("platelets", "45")
    walked.choose("units", "per-microlitre")
    walked.page.locator("#link").click()
    walked.page.locator("#address").wait_for()
    link = walked.page.locator("#address").input_value()
    walked.page.evaluate("history.replaceState(null, '', location.pathname)")
    assert link.startswith(f"{walked.address}#")
    with_link = Walked(browser.new_context(), link)
    wait_for(lambda: with_link.page.locator(".lw-card").count() == 2)
    assert with_link.text("main .lw-body") == walked.text("main .lw-body")
    assert not any("#" in url for url in with_link.requests)  # nor is it sent


def test_a_link_that_was_cut_is_refused_in_one_line(walked: Walked) -> None:
    walked.page.evaluate("location.hash = 'q1YqSy0q'")
    wait_for(lambda: walked.text("#fault") != "")
    assert walked.text("#fault") == "the link: contains no whole patient; copy all of it"
    assert walked.headline() == said()["card"]["headline"]


def test_the_exported_course_is_one_that_python_reads(walked: Walked, tmp_path: Path) -> None:
    walked.slide("platelets", "45")
    with walked.page.expect_download() as caught:
        walked.page.locator("[data-key=export]").click()
    caught.value.save_as(tmp_path / "course.json")
    kept = json.loads((tmp_path / "course.json").read_text("utf-8"))
    assert kept == said(set_to("platelets", 45))["course"]
    walked.choose("example", "deep-vein-thrombosis")
    walked.after(lambda: walked.drop("course.json", json.dumps(kept)))
    walked.after(lambda: walked.page.locator("[data-key='visit 2']").click())
    assert walked.headline() == said(set_to("platelets", 45))["card"]["headline"]


@pytest.mark.parametrize(
    ("name", "text", "place", "words"),
    [
        ("a.json", '{"visits": [{"date": "2026-02-30"}]}', ".lw-fault", "there is no 2026-02-30"),
        ("a.csv", "date", "#fault", "a.csv: is neither a .json nor a .toml file"),
        ("a.toml", "id = x", "#findings", "a.toml: line 1, column 6: is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    walked: Walked, name: str, text: str, place: str, words: str
) -> None:
    walked.drop(name, text)
    wait_for(lambda: words in walked.text(place))
    assert walked.headline() == said()["card"]["headline"]


def in_sight(walked: Walked, place: str) -> bool:
    """Whether nothing covers an element, and it is in the window."""
    return walked.page.locator(place).evaluate(
        """(each) => {
            const { left, top, width, height } = each.getBoundingClientRect();
            return each.contains(document.elementFromPoint(left + width / 2, top + height / 2));
        }"""
    )


def test_a_fault_is_in_sight_wherever_the_reader_is(walked: Walked) -> None:
    age = walked.page.locator("[data-key=age]")
    age.fill("400")
    walked.after(lambda: age.press("Enter"))
    assert "400 is outside its range" in walked.text(".lw-fault")
    assert in_sight(walked, ".lw-fault")
    walked.page.locator("footer").scroll_into_view_if_needed()
    walked.drop("a.csv", "date")
    wait_for(lambda: walked.text("#fault") != "")
    assert in_sight(walked, "#fault")
    assert in_sight(walked, ".notice")
    walked.slide("platelets", "45")
    assert walked.text("#fault") == walked.text(".lw-fault") == ""


def test_a_link_is_not_shown_beside_another_patient(walked: Walked) -> None:
    walked.page.locator("#link").click()
    walked.page.locator("#address").wait_for()
    walked.page.evaluate("history.replaceState(null, '', location.pathname)")
    walked.slide("platelets", "45")
    assert not walked.page.locator("#address").is_visible()
    assert "holds the whole patient" not in walked.text("#status")


# A protocol of one's own


def test_a_broken_law_is_shown_as_a_course_that_can_be_walked(walked: Walked) -> None:
    walked.after(lambda: walked.drop("blind.toml", BLIND))
    assert walked.page.locator("[data-key=protocol]").input_value() == "blind"
    walked.page.locator("#findings table").first.wait_for()
    found = walked.text("#findings")
    assert re.search(r"\d+ of 15 laws broken", found)
    assert "Law 3, known-before-more, is broken" in found
    walked.page.get_by_text("Compared with cortes-hernandez-2012 2.0.0").wait_for()
    assert "neutrophils 3 × 10⁹/L" in found
    walked.choose("units", "per-microlitre")
    found = walked.text("#findings")
    assert "neutrophils 3000 /µL" in found
    assert "10⁹" not in found
    walked.choose("units", "per-litre")
    walked.after(lambda: walked.page.get_by_text("Walk this course").first.click(), 2)
    assert walked.page.evaluate("document.activeElement.id") == "walk"
    assert walked.text("[data-lit=true]").startswith("Applies")
    assert walked.page.locator("[data-key=protocol]").input_value() == "blind"


# Whom it serves


def test_axe_finds_nothing_serious(walked: Walked, tmp_path: Path) -> None:
    unpack("axe-core", ("axe.min.js",), tmp_path)
    axe = (tmp_path / "axe.min.js").read_text("utf-8")
    for scheme in ("light", "dark"):
        walked.page.emulate_media(color_scheme=scheme)
        walked.page.evaluate(axe)
        found = walked.page.evaluate("axe.run()")
        assert found["passes"]
        serious = [
            (each["id"], node["target"], node["failureSummary"])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
        assert serious == [], scheme
    walked.page.emulate_media(color_scheme="light")


def test_axe_sees_a_control_without_a_name(walked: Walked, tmp_path: Path) -> None:
    unpack("axe-core", ("axe.min.js",), tmp_path)
    walked.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button id=x></button>')")
    walked.page.evaluate((tmp_path / "axe.min.js").read_text("utf-8"))
    found = walked.page.evaluate("axe.run()")
    assert [each["id"] for each in found["violations"]] == ["button-name"]
    walked.page.evaluate("document.getElementById('x').remove()")


@pytest.mark.parametrize("width", [360, 1200, 2560, 3840])
def test_the_page_fits_its_width_and_the_notice_stays_in_view(walked: Walked, width: int) -> None:
    walked.page.set_viewport_size({"width": width, "height": 800})
    assert walked.page.evaluate("document.documentElement.scrollWidth") <= width
    for height in (0, 700, 100_000):
        walked.page.evaluate(f"scrollTo(0, {height})")
        notice = walked.page.get_by_text(NOTICE, exact=True)
        box = notice.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] < 80
        assert box["x"] == 0
        assert box["width"] == walked.page.evaluate("document.documentElement.clientWidth")
        seen = "([x, y]) => document.elementFromPoint(x, y).textContent"
        assert walked.page.evaluate(seen, [box["x"] + 20, box["y"] + box["height"] / 2]) == NOTICE
    walked.page.set_viewport_size({"width": 1200, "height": 900})


def test_the_walk_is_as_large_as_the_page_around_it(walked: Walked) -> None:
    heights = """() => ["#link", "[data-key=begin]"].map(
        (each) => document.querySelector(each).getBoundingClientRect().height)"""
    found = []
    for width in (1200, 2560, 3840):
        walked.page.set_viewport_size({"width": width, "height": 900})
        around, inside = walked.page.evaluate(heights)
        found.append(round(inside / around, 1))
    assert len(set(found)) == 1
    walked.page.set_viewport_size({"width": 1200, "height": 900})


def test_a_walk_can_be_made_by_keyboard(walked: Walked) -> None:
    slider = walked.page.locator("input[data-field=neutrophils]")
    slider.focus()
    walked.after(lambda: walked.page.keyboard.press("ArrowRight"))
    assert walked.headline() == said(set_to("neutrophils", 1))["card"]["headline"]
    assert walked.headline() != said()["card"]["headline"]
    assert walked.page.evaluate("document.activeElement.dataset.field") == "neutrophils"
    walked.page.keyboard.press("Tab")
    assert walked.page.evaluate("document.activeElement.dataset.key").startswith("neutrophils")
    walked.after(lambda: walked.page.keyboard.press("Enter"))
    assert walked.page.evaluate("document.activeElement.dataset.key").startswith("neutrophils")


def test_what_has_the_focus_is_not_under_what_stays_in_view(walked: Walked) -> None:
    walked.page.locator("footer a").focus()
    hidden = """() => {
        const { left, top, width, height } = document.activeElement.getBoundingClientRect();
        const seen = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 20));
        return seen?.closest(".notice, .lw-now") ? document.activeElement.outerHTML : "";
    }"""
    for _ in range(70):
        walked.page.keyboard.press("Shift+Tab")
        assert walked.page.evaluate(hidden) == ""


def test_nothing_moves_for_who_wants_no_motion(walked: Walked) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((each) => {
        const style = getComputedStyle(each);
        return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }).length"""
    walked.page.emulate_media(reduced_motion="reduce")
    assert walked.page.evaluate(moving) == 0
    walked.page.emulate_media(reduced_motion="no-preference")


def test_it_prints_on_one_page_with_the_notice(walked: Walked) -> None:
    pdf = walked.page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    walked.page.emulate_media(media="print")
    assert walked.page.get_by_text(NOTICE, exact=True).is_visible()
    assert walked.page.locator(".lw-card").first.is_visible()
    assert not walked.page.locator("#own").is_visible()
    walked.page.emulate_media(media="screen")


# How large, and how fast


def test_the_page_is_as_large_as_is_documented(built: Path) -> None:
    sizes: Counter[str] = Counter()
    for path in built.rglob("*"):
        if path.is_file():
            sizes[path.relative_to(built).parts[0]] += path.stat().st_size
    rest = sum(size for name, size in sizes.items() if name not in ("pyodide", "wheels"))
    text = (ROOT / "docs" / "howto" / "page.md").read_text("utf-8")
    told = [float(each) for each in re.findall(r"\| ([0-9.]+) MB \|", text)]
    for size, megabytes in zip((sizes["pyodide"], sizes["wheels"], rest), told, strict=False):
        assert abs(size / 1e6 - megabytes) < 0.1
    assert len(told) == 4


def at_most(what: str, measured: float, limit: float, unit: str) -> None:
    """Print a time, and check it on request, where nothing else takes the processor."""
    print(f"{what} {measured:.1f} {unit}, at most {limit} {unit}")
    if os.environ.get("LENADOSE_TIMES") == "checked":
        assert measured < limit, what


def test_it_shows_a_patient_at_once_says_what_it_does_and_is_soon_ready(
    browser: "Browser", origin: str
) -> None:
    context = browser.new_context()
    Walked(context, origin).page.close()  # into the cache
    page = context.new_page()
    began = monotonic()
    page.goto(origin)
    page.locator(".lw-card").wait_for()
    at_once = monotonic() - began
    assert page.locator("#status").inner_text().startswith(("Loading", "Ready"))
    page.locator(READY).wait_for()
    ready = page.evaluate("performance.getEntriesByName('ready')[0].startTime / 1000")
    context.close()
    at_most("a patient is shown after", at_once, 2, "s")
    at_most("the page is ready after", ready, 8, "s")


def test_a_change_is_answered_in_a_tenth_of_a_second(walked: Walked) -> None:
    for value in range(12, 42, 2):
        walked.slide("neutrophils", str(value / 10))
    took = walked.page.evaluate(
        "performance.getEntriesByName('answer').slice(-15).map((each) => each.duration)"
    )
    # The median: another program may take the processor now and then.
    at_most("a change is answered in", median(took), 100, "ms")


def test_pins_of_the_tests_are_downloaded_as_pinned() -> None:
    assert download("axe-core").suffix == ".tgz"
