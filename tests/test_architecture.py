"""The architecture: imports go down only, the core is light, and no clock ticks in the source."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lenadose
from tests.support.paths import ROOT

SOURCE = ROOT / "src" / "lenadose"

HOMES = {
    "dateutil": "terms/interval.py",
    "argcomplete": "cli/main.py",
    "rich": "cli/",
    "tomli_w": "cli/toml.py",
    "matplotlib": "plot/",
    "IPython": "notebook.py",
    "anywidget": "walk/widget.py",
    "traitlets": "walk/widget.py",
    "markdown_it": "notebook.py",
    "numpy": "cohort/",
    "narwhals": "cohort/",
    "pyarrow": "cohort/",
    "dask": "cohort/",
    "hypothesis": "testing/",
    "pyreadstat": "importing/files.py",
    "starlette": "serve/app.py",
    "uvicorn": "cli/serving.py",
}
"""The one place where each third-party library is imported."""


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, wherever in the file."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            packages.add((node.module or "").split(".")[0])
    return packages


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_down_only() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_an_import_that_goes_up_is_found(tmp_path: Path) -> None:
    config = (ROOT / "pyproject.toml").read_text("utf-8")
    upside_down = config.replace('"lenadose.terms",', "").replace(
        "layers = [", 'layers = ["lenadose.terms",', 1
    )
    assert upside_down != config
    (tmp_path / "pyproject.toml").write_text(upside_down, "utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "lenadose.record" in done.stdout


def test_each_library_is_imported_in_one_place() -> None:
    places = dict.fromkeys(HOMES, 0)
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        for package in imported(path) & set(HOMES):
            assert place.startswith(HOMES[package]), f"{place} imports {package}"
            places[package] += 1
    assert all(places.values()), places


def test_only_the_built_in_protocols_are_longer_than_500_lines() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.parent.name != "builtin":
            assert len(path.read_text("utf-8").splitlines()) <= 500, path


def test_no_clock_ticks_in_the_source() -> None:
    for path in SOURCE.rglob("*.py"):
        assert not re.search(r"today\(|now\(|time\(\)", path.read_text("utf-8")), path


def test_docstrings_are_plain_english() -> None:
    for path in SOURCE.rglob("*.py"):
        riddles = re.findall(r'"""(?:Give|Tell|Refuse|What|Say) .*', path.read_text("utf-8"))
        assert not riddles, f"{path}: {riddles[0]}"


def modules_after(code: str) -> set[str]:
    """Return the modules that are loaded after some code has run in a fresh Python."""
    code = f"import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_library_loads_no_extra_and_nothing_before_it_is_used() -> None:
    extras = set(HOMES) - {"dateutil"}
    assert not {*extras, "lenadose.engine"} & modules_after("import lenadose")
    decided = modules_after("import lenadose; lenadose.replay")
    assert "lenadose.engine.machine" in decided
    assert not extras & decided


def test_every_public_name_is_there_and_no_other() -> None:
    assert sorted(lenadose.__all__) == lenadose.__all__ == dir(lenadose)
    for name in lenadose.__all__:
        assert callable(getattr(lenadose, name)), name
    with pytest.raises(AttributeError, match="has no attribute 'replai'"):
        lenadose.replai  # type: ignore[attr-defined]  # noqa: B018  # the look-up is the test


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == lenadose.__version__


def test_the_core_depends_on_two_packages_and_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = {dependency.split(">")[0] for dependency in project["dependencies"]}
    assert core == {"attrs", "python-dateutil"}
    for extra in project["optional-dependencies"].values():
        assert all(">=" in dependency for dependency in extra if "lenadose" not in dependency)
