"""The types of the public API, as mypy and pyright see them in a user's program."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lenadose
from tests.support.paths import ROOT

API = ROOT / "tests" / "typing" / "api.py"
MISSPELT = "from lenadose import replai\n\nreplai\n"

MYPY = (sys.executable, "-m", "mypy", "--strict")
# basedpyright is pyright with its own Node.js, so that nothing else has to be installed.
PYRIGHT = shutil.which("basedpyright", path=str(Path(sys.executable).parent))


def check(checker: tuple[str, ...], path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*checker, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def pyright() -> tuple[str, ...]:
    if PYRIGHT is None:
        pytest.skip("basedpyright is not installed")
    return (PYRIGHT, "--level", "error", "--pythonpath", sys.executable)


def test_the_program_uses_every_public_name() -> None:
    tree = ast.parse(API.read_text("utf-8"))
    (imported,) = (
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "lenadose"
    )
    assert [alias.name for alias in imported.names] == lenadose.__all__


def test_mypy_accepts_a_program_with_the_whole_api() -> None:
    done = check(MYPY, API)
    assert done.returncode == 0, done.stdout


def test_mypy_finds_a_name_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MISSPELT, "utf-8")
    done = check(MYPY, tmp_path / "program.py")
    assert done.returncode == 1
    assert 'Module "lenadose" has no attribute "replai"' in done.stdout


def test_pyright_accepts_a_program_with_the_whole_api() -> None:
    done = check(pyright(), API)
    assert done.returncode == 0, done.stdout


def test_pyright_finds_a_name_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MISSPELT, "utf-8")
    done = check(pyright(), tmp_path / "program.py")
    assert done.returncode == 1
    assert '"replai" is unknown import symbol' in done.stdout
