"""The walk in a notebook: the kernel follows each message of the view and answers it."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.support.browser import open_browser, skip_or_fail

from lenadose import CallError, course_data, get_protocol, load_course, replay
from lenadose.walk import begin_walk, shown

pytest.importorskip("anywidget")

from lenadose.walk.widget import walk

EXAMPLE = "neutropenia-at-10-mg"


def test_a_walk_shows_what_the_session_shows():
    widget = walk(EXAMPLE)
    state = widget.get_state()["_shown"]
    del state["answers"]
    assert state == shown(begin_walk(EXAMPLE))
    assert json.loads(json.dumps(state)) == state
    assert "export function mount" in widget.get_state()["_esm"]


def test_a_message_of_the_view_is_followed_and_answered_even_if_nothing_changes():
    widget, answers = walk(EXAMPLE), []
    widget.observe(lambda change: answers.append(change["new"]), "_shown")
    messages = ({"visit": 2}, {"visit": 2}, {"set": {"field": "neutrophils", "value": 2}}, "?")
    for message in messages:
        widget._handle_custom_msg(message, [])
    assert [answer["answers"] for answer in answers] == [1, 2, 3, 4]
    assert [bool(answer["fault"]) for answer in answers] == [False, False, False, True]
    assert widget.decisions == replay(widget.course)
    assert widget.decisions[2].action.code == "continue"
    assert course_data(widget.course) == answers[-1]["course"]


def test_a_walk_begins_with_a_course_an_example_or_nothing_and_by_a_protocol():
    course = begin_walk(EXAMPLE).course
    assert walk(course).course == course
    assert len(walk().decisions) == 1
    assert walk(course, "penn-2012").decisions == replay(course, get_protocol("penn-2012"))
    with pytest.raises(CallError, match="is not known"):
        walk("nobody")


NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "walk",
            "metadata": {},
            "outputs": [],
            "source": "from lenadose.walk.widget import walk\n"
            f"w = walk('{EXAMPLE}')\nw.send_message({{'visit': 1}})\nw",
        },
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "course",
            "metadata": {},
            "outputs": [],
            "source": "import json, lenadose\n"
            "json.dump(lenadose.course_data(w.course), open('walked.json', 'w'))",
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab in a folder with the notebook; yield its address."""
    pytest.importorskip("anywidget")
    try:
        import jupyterlab  # noqa: F401
    except ImportError:
        skip_or_fail("no JupyterLab: pip install jupyterlab")
    (tmp_path / "walk.ipynb").write_text(json.dumps(NOTEBOOK), "utf-8")
    log = tmp_path / "log"
    home = {name: str(tmp_path / "home") for name in ("HOME", "JUPYTER_CONFIG_DIR")}
    with log.open("w") as errors:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"),
                *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.ip=127.0.0.1"),
            ],
            cwd=tmp_path,
            env={**os.environ, **home, "JUPYTER_PREFER_ENV_PATH": "1"},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        yield _address(log)
    finally:
        server.terminate()
        server.wait(30)


def _address(log):
    """Return the address of a server as soon as it answers."""
    for _ in range(240):
        found = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text("utf-8"))
        if found:
            # JupyterLab prints its address a little before it listens there.
            with suppress(URLError):
                urlopen(f"{found[0]}api").close()
                return found[0]
        time.sleep(0.25)
    raise AssertionError(log.read_text("utf-8"))


@pytest.mark.slow
def test_a_slider_is_moved_in_jupyterlab_and_the_card_is_read(lab, tmp_path):
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"{lab}lab/tree/walk.ipynb?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.locator(".jp-CodeCell").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_selector(".lw-card", timeout=60_000)
        assert "RAISE TO 10 mg" in page.inner_text(".lw-head")
        page.locator('input[data-field="neutrophils"]').fill("0.9")
        page.wait_for_function(
            "document.querySelector('.lw-head').textContent.includes('INTERRUPT')"
        )
        if picture := os.environ.get("LENADOSE_SCREENSHOT"):
            page.screenshot(path=picture)
        # What was walked is in the kernel.
        page.locator(".jp-CodeCell").nth(1).click()
        page.keyboard.press("Shift+Enter")
        walked = tmp_path / "walked.json"
        for _ in range(100):
            if walked.exists() and walked.stat().st_size:
                break
            page.wait_for_timeout(100)
        course = load_course(walked)
        assert str(course.visits[1].neutrophils) == "0.9 × 10⁹/L"
        assert replay(course)[1].action.code == "interrupt"
