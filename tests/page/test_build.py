"""The page is built from pinned files, and the same every time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import page
from tests.support.paths import ROOT

from lenadose.walk import begin_walk, change, shown

NAME = "attrs"


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of downloads of its own, with a file that stands for the pinned one."""
    monkeypatch.setattr(page, "DOWNLOADS", tmp_path)
    folder = tmp_path / f"{NAME}-{page.pins()[NAME]['version']}"
    folder.mkdir()
    (folder / "attrs.whl").write_bytes(b"another content")
    return folder


def test_a_file_with_another_hash_is_refused_by_name(downloads: Path) -> None:
    with pytest.raises(page.Refused, match=r"attrs: attrs\.whl has the SHA-256 .* page/pins.toml"):
        page.download(NAME)


def test_a_folder_that_holds_other_files_is_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(page.Refused, match="holds other files"):
        page.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_without_a_folder_the_script_says_how_it_is_called() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "page.py"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, "usage: python scripts/page.py FOLDER\n")


def test_every_pin_says_version_hash_and_licence() -> None:
    for name, pin in page.pins().items():
        assert len(pin["sha256"]) == 64, name
        assert pin["version"], name
        assert pin["licence"], name


@pytest.mark.slow
def test_the_wheel_of_this_tree_is_the_same_every_time(tmp_path: Path) -> None:
    one, other = (page.own_wheel(tmp_path / each) for each in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_what_is_shown_first_is_what_python_says_of_that_visit() -> None:
    walk = begin_walk()
    for message in page.BEGINNING:
        walk = change(walk, message)
        assert not walk.fault
    assert json.loads(json.dumps(shown(walk))) == shown(walk)
    assert walk.decision.action.code == "interrupt"
