"""The package as published: a complete source distribution that installs and passes a test."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_source_distribution_is_complete_and_installs(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="the package is built with build")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="data")
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    for part in ("tests", "scripts", ".ci/run", "examples", "docs", "README.md", "CONTRIBUTING.md"):
        assert (source / part).exists(), part
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", archive, "pytest", "hypothesis", cwd=tmp_path)
    smoke = ("tests/engine/test_examples.py", "tests/terms")
    output = run(python, "-m", "pytest", "-p", "no:cacheprovider", *smoke, cwd=source)
    assert "100%" in output
