"""The house: imports go down only, the core is light, no clock ticks, and the pages are what the data says."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lenadose

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "lenadose"

FLOORS = (
    "vocabulary",
    "errors",
    "sound",
    "quick",
    "intervals",
    "units",
    "provenance",
    "dosing",
    "rules",
    "course",
    "criteria",
    "advice",
    "protocol",
    "protocols.cortes_hernandez",
    "protocols.penn",
    "protocols",
    "state",
    "observation",
    "missing",
    "machine",
    "reach",
    "laws",
    "proof",
    "comparison",
    "mutants",
    "vectors",
    "checks",
    "reasons",
    "ways",
    "contrast",
    "spans",
    "weighing",
    "wording",
    "stakes",
    "render",
    "adapters",
    "adapters.reading",
    "adapters.jsonable",
    "adapters.sheets",
    "adapters.schema",
    "adapters.proofs",
    "testing.courses",
    "testing.protocols",
    "testing.documents",
    "testing.checks",
    "testing",
    "adapters.terminal",
    "adapters.plot.words",
    "adapters.plot.between",
    "adapters.plot.paper",
    "adapters.plot.panels",
    "adapters.plot.dosage",
    "adapters.plot.skin",
    "adapters.plot.counts",
    "adapters.plot.course",
    "adapters.plot.courses",
    "adapters.plot.phases",
    "adapters.plot",
    "adapters.notebook",
    "adapters.cohort.packed",
    "adapters.cohort.stepping",
    "adapters.cohort.knowing",
    "adapters.cohort.walking",
    "adapters.cohort.compiled",
    "adapters.cohort.columns",
    "adapters.cohort.tables",
    "adapters.cohort.answers",
    "adapters.cohort",
    "adapters.cohort.files",
    "adapters.cohort_dask",
    "testing.cohorts",
    "__main__",
)
"""From the ground up: a module imports only from floors below its own."""

EXTRAS = {"rich", "cattrs", "hypothesis", "jsonschema", "matplotlib", "IPython", "markdown_it"} | {
    "numpy",
    "narwhals",
    "pyarrow",
    "numba",
    "dask",
}


def module(path: Path) -> str:
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """The modules of the library that a file imports, wherever in the file."""
    package = path.relative_to(SOURCE).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            found |= {name} if name else {alias.name for alias in node.names}
            if name == "adapters":
                found |= {f"adapters.{alias.name}" for alias in node.names}
    return found


def climbs(floors: tuple[str, ...]) -> list[str]:
    """The imports that go up, or sideways."""
    return [
        f"{module(path)} imports {other}"
        for path in SOURCE.rglob("*.py")
        if module(path) != "__init__"
        for other in imported(path)
        if floors.index(other) >= floors.index(module(path))
    ]


def test_imports_go_down_only() -> None:
    assert climbs(FLOORS) == []


def test_an_import_that_goes_up_is_found() -> None:
    raised = ("machine", *(floor for floor in FLOORS if floor != "machine"))
    assert "machine imports observation" in climbs(raised)


def test_every_module_has_its_floor() -> None:
    assert {module(path) for path in SOURCE.rglob("*.py")} - {"__init__"} == set(FLOORS)


def test_only_intervals_imports_dateutil_and_only_adapters_an_extra() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert ("dateutil" in text) == (module(path) == "intervals"), path
        if not module(path).startswith("adapters"):
            extras = r"^\s*(from|import) (cattrs|rich|matplotlib|IPython|markdown_it)"
            assert not re.search(extras, text, re.MULTILINE), path
            if module(path) != "testing.cohorts":
                assert not re.search(r"^\s*(from|import) (numpy|pyarrow|narwhals|numba|dask)", text, re.MULTILINE), path
        if not module(path).startswith("testing"):
            assert not re.search(r"^\s*(from|import) (hypothesis|pytest)", text, re.MULTILINE), path


def test_no_clock_ticks_in_the_source() -> None:
    for path in SOURCE.rglob("*.py"):
        assert not re.search(r"today\(|now\(|time\(\)", path.read_text("utf-8")), path


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_library_loads_no_extra_and_nothing_before_it_is_used() -> None:
    loaded = json.loads(run("import json, sys, lenadose; print(json.dumps(sorted(sys.modules)))"))
    assert not {*EXTRAS, "lenadose.machine"} & set(loaded)
    decided = json.loads(run("import json, sys, lenadose; lenadose.replay; print(json.dumps(sorted(sys.modules)))"))
    assert "lenadose.machine" in decided
    assert not EXTRAS & set(decided)


def test_every_promised_name_is_there_and_no_other() -> None:
    assert sorted(lenadose.__all__) == lenadose.__all__ == dir(lenadose)
    for name in lenadose.__all__:
        assert callable(getattr(lenadose, name)), name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        lenadose.nothing  # noqa: B018  # the look-up itself is the test


def test_no_module_hides_a_promised_name() -> None:
    assert not {path.stem for path in SOURCE.glob("*.py")} & set(lenadose.__all__)


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert project["version"] == lenadose.__version__ == newest[1]
    assert {each.split(">")[0] for each in project["dependencies"]} == {"attrs", "cattrs", "python-dateutil"}
    assert all(
        ">=" in each for group in project["optional-dependencies"].values() for each in group if "lenadose" not in each
    )


def test_the_pages_are_what_the_data_says() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "pages.py", "--check"], check=True)


def test_the_python_of_the_readme_runs() -> None:
    code = re.search(r"```python\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 8
    done = subprocess.run(
        [sys.executable, "-c", code[1]],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    shown = re.search(r"```text\n(.+?)\.\.\.\n```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert done.stdout.startswith(shown[1])
    assert "not a medical device" in done.stdout


def test_the_course_of_the_readme_is_a_course() -> None:
    text = re.search(r"```json\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert text is not None
    decisions = lenadose.replay(lenadose.parse_course(text[1]))
    assert [each.action.said for each in decisions] == ["start", "escalate"]


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    commands = re.findall(r"```console\n(.+?)\n```", (ROOT / "README.md").read_text("utf-8"))
    assert len(commands) == 2
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "README.md" in script
