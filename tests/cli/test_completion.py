"""The version, and what a shell completes: commands, options, protocols and files."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.support.paths import EXAMPLES, ROOT

from lenadose.cli.commands import COMMANDS
from lenadose.cli.main import main
from lenadose.protocol.builtin import BUILT_IN

pytest.importorskip("argcomplete", reason="needs lenadose[cli]")

_ASK = """\
eval "$({python} -m argcomplete.scripts.register_python_argcomplete lenadose)"
COMP_LINE='{line}' COMP_POINT={point} COMP_TYPE=9 COMP_WORDS=({line}) COMP_CWORD={word}
_python_argcomplete lenadose
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completions(line: str, folder: Path) -> list[str]:
    """Return what bash completes at the end of a line, by the script that users switch on."""
    command = folder / "lenadose"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m lenadose "$@"\n', "utf-8")
    command.chmod(0o755)
    script = _ASK.format(
        python=sys.executable, line=line, point=len(line), word=len(line.split(" ")) - 1
    )
    done = subprocess.run(
        ["/bin/bash", "-c", f'PATH="{folder}:$PATH"\n{script}'],
        capture_output=True,
        text=True,
        check=True,
        cwd=EXAMPLES,
    )
    assert done.stderr == ""
    return [word.strip() for word in done.stdout.splitlines() if word.strip()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lenadose ", [*COMMANDS]),
        ("lenadose re", ["replay"]),
        ("lenadose show c", ["cortes-hernandez-2012", "courses/"]),
        ("lenadose verify p", ["penn-2012", "protocols/"]),
        ("lenadose diff penn-2012 cor", ["cortes-hernandez-2012"]),
        ("lenadose replay --protocol pe", ["penn-2012"]),
        ("lenadose new mine.toml --from ", [*BUILT_IN]),
        ("lenadose replay courses/neutro", ["courses/neutropenia-at-10-mg.json"]),
        ("lenadose show --as m", ["markdown", "mermaid"]),
        ("lenadose diff --f", ["--full"]),
    ],
)
def test_bash_completes(line: str, expected: list[str], tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    found = completions(line, tmp_path)
    assert [word for word in expected if word not in found] == []
    if line.rpartition(" ")[2]:
        assert all(word.startswith(line.rpartition(" ")[2]) for word in found)


def test_the_version_is_that_of_the_project(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert capsys.readouterr() == (f"lenadose {version}\n", "")
