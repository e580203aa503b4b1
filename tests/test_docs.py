"""The code of the pages in docs/ runs as printed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.patients import PROTOCOL


def blocks(page: str) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(
        r"^```python\n(.+?)^```",
        (ROOT / "docs" / page).read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )


@pytest.mark.parametrize("index", range(len(blocks("testing.md"))))
def test_the_tests_of_the_testing_page_pass(index: int, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(PROTOCOL.data), "utf-8")
    (tmp_path / "courses").mkdir()
    for path in (ROOT / "examples" / "courses").glob("*.json"):
        if not path.name.startswith("penn"):
            shutil.copy(path, tmp_path / "courses")
    (tmp_path / "conftest.py").write_text(
        "from hypothesis import settings\n"
        "settings.register_profile('few', derandomize=True, deadline=None, max_examples=20)\n"
        "settings.load_profile('few')\n",
        "utf-8",
    )
    (tmp_path / "test_page.py").write_text(blocks("testing.md")[index], "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_check_of_the_vectors_page_runs() -> None:
    (code,) = blocks("vectors.md")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("equal") == 2


def test_the_code_of_the_protocol_page_prints_what_stands_below_it(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "protocol.md").read_text("utf-8")
    code = "\n".join(blocks("howto/protocol.md"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "".join(re.findall(r"```text\n(.*?)```", page, re.DOTALL))
