"""The code of the tutorial and the how-to pages runs in order, with the output shown."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from tests.support.paths import ROOT

from lenadose.cli.main import main

BLOCK = re.compile(r"^(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = ("tutorial.md", "howto/rationale.md", "howto/import.md", "howto/protocol.md")


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The blocks of a page: the file that one is, or nothing; its language; its text."""
    return BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))


def says(shown: str, said: str) -> bool:
    """Return whether a page shows an output; dots stand for anything, the end may be left out."""
    pattern = ".*".join(map(re.escape, shown.strip().split("...")))
    return re.match(pattern, said.strip(), re.DOTALL) is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_and_says_what_the_page_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # a page imports the files that it shows
    names: dict[str, object] = {"__name__": "page"}
    said, compared = "", 0
    for file, language, text in blocks(page):
        match language:
            case _ if file:
                Path(file).write_text(text, "utf-8")
            case "python":
                exec(compile(text, page, "exec"), names)
                said = capsys.readouterr().out
            case "console":
                for line in text.splitlines():
                    program, *arguments = shlex.split(line)
                    assert program == "lenadose"
                    assert main(arguments) == 0, line
                said = capsys.readouterr().out
            case "text":
                assert says(text, said), said
                compared += 1
            case "toml":
                assert tomllib.loads(text)
            case _:
                raise AssertionError(f"{page}: a block of {language} that nothing looks at")
    assert compared


def test_what_a_page_does_not_say_is_found():
    assert says("start ...\nmore", "start 5 mg\nmore, and more")
    assert not says("start 5 mg", "continue 5 mg")


def test_every_page_of_the_documentation_is_run_or_holds_no_code():
    # Five have tests of their own; the index shows the README's.
    own = {"cohort.md", "howto/fhir.md", "howto/walk.md", "testing.md", "vectors.md", "index.md"}
    for path in (ROOT / "docs").rglob("*.md"):
        page = str(path.relative_to(ROOT / "docs"))
        assert page in {*PAGES, *own} or "```python" not in path.read_text("utf-8"), page


def test_the_commands_of_the_first_page_are_those_of_the_readme():
    commands = re.findall(r"```console\n(.+?)\n```", (ROOT / "README.md").read_text("utf-8"))
    shown = re.search(
        r"```console\n(.+?)\n```", (ROOT / "docs" / "index.md").read_text("utf-8"), re.DOTALL
    )
    assert shown is not None
    assert shown[1].splitlines() == [f"$ {each}" for each in commands]


NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[tuple[str, str]]:
    """The cells of a notebook: kind and text."""
    return [
        (cell["cell_type"], "".join(cell["source"]))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_story_asks_a_question_says_what_it_is_and_holds_its_outputs(path):
    first = cells(path)[0]
    assert first[0] == "markdown"
    assert re.match("# .+[?]\n", first[1])
    assert re.search(
        "hypothetical.*not for clinical use.*not a medical device",
        first[1],
        re.DOTALL | re.IGNORECASE,
    )
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert outputs
    assert all(output["output_type"] in ("execute_result", "stream") for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    for _, text in cells(path)[1:]:
        assert len(text.splitlines()) <= 12


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_story_holds_the_cells_of_its_source(path):
    source = (path.parent / "source" / f"{path.stem}.md").read_text("utf-8")
    for _, text in cells(path):
        assert text.strip() in source


def test_every_source_has_its_story():
    sources = (ROOT / "examples" / "notebooks" / "source").glob("*.md")
    assert sorted(each.stem for each in sources) == [path.stem for path in NOTEBOOKS]
    assert len(NOTEBOOKS) == 7
