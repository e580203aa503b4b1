"""The README: its Python prints what it says, and its two commands are the ones that CI runs."""

import os
import re
import subprocess
import sys

from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", README, re.DOTALL)


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
    )
    return done.stdout


def test_the_python_prints_what_follows_it() -> None:
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    output, expected = run("-c", code), blocks("text")[1]
    assert output.startswith(expected.removesuffix("...\n"))
    assert "not a medical device" in output


def test_the_example_prints_the_decisions_shown() -> None:
    main_job = blocks("console")[0]
    arguments = main_job.split(".venv/bin/lenadose ")[1].split()
    assert blocks("text")[0] in run("-m", "lenadose", *arguments)


def test_there_are_two_commands_that_set_up_a_fresh_machine() -> None:
    commands = [command.strip() for command in blocks("console")]
    assert len(commands) == 2
    for command in commands:
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && ")
    assert "README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_it_fits_three_screens_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) <= 120
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if not link.startswith("https:"):
            assert (ROOT / link).exists(), link
