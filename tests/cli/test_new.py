"""Protocols of one's own on the command line: `show --as toml`, and `new`."""

import sys
from pathlib import Path

import pytest
from tests.support.patients import PROTOCOL

from lenadose import get_protocol, load_protocol
from lenadose.cli.main import main
from lenadose.formats.protocol_file import parse_protocol
from lenadose.protocol.builtin import BUILT_IN
from lenadose.verification.certificate import verify


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def uncommented(text: str) -> str:
    """Return the text with its examples made active, and its explanations left comments."""
    lines = (line.removeprefix("# ") for line in text.splitlines())
    return "\n".join(
        line if line.startswith("[") or " = " in line else f"# {line}" for line in lines
    )


@pytest.mark.parametrize("id", BUILT_IN)
def test_a_protocol_shown_as_toml_is_read_back_equal(capsys, id: str, tmp_path: Path) -> None:
    protocol = get_protocol(id)
    text = output(capsys, "show", id, "--as", "toml")
    path = tmp_path / "whole.toml"
    path.write_text(text, "utf-8")
    for read in (load_protocol(path), parse_protocol(text, toml=True)):
        assert read == protocol
        assert read.hash == protocol.hash
    assert output(capsys, "show", str(path), "--as", "toml") == text


def test_toml_needs_its_writer(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    monkeypatch.delitem(sys.modules, "lenadose.cli.toml", raising=False)
    line = refusal(capsys, "show", "--as", "toml")
    assert line.startswith("tomli-w: is not installed, and writing TOML needs it; install lenadose")
    assert output(capsys, "show", "--as", "json")


@pytest.mark.parametrize("id", [None, *BUILT_IN])
def test_a_new_file_is_its_base_under_a_name_of_its_own(
    capsys, id: str | None, tmp_path: Path
) -> None:
    path, base = tmp_path / "Skin clinic.toml", get_protocol(*([] if id is None else [id]))
    said = output(capsys, "new", str(path), *([] if id is None else ["--from", id]))
    assert said.startswith(f"{path}: based on {base.name}; edit it, then run lenadose verify")
    protocol = load_protocol(path)
    assert (protocol.id, protocol.version) == ("skin-clinic", "0.1")
    assert protocol.title == f"skin-clinic, based on {base.name}"
    assert protocol.decision_hash == base.decision_hash


@pytest.mark.parametrize("id", BUILT_IN)
def test_the_examples_of_a_new_file_work_as_they_stand(capsys, id: str, tmp_path: Path) -> None:
    path, base = tmp_path / "mine.toml", get_protocol(id)
    output(capsys, "new", str(path), "--from", id)
    path.write_text(uncommented(path.read_text("utf-8")), "utf-8")
    protocol = load_protocol(path)
    assert protocol.decision_hash != base.decision_hash
    assert str(protocol.intervals.review.value) == "3 weeks"
    assert str(protocol.safety.neutrophils.caution_below.value) == "2.0"
    assert len(protocol.notices) == len(base.notices) - 1
    assert protocol.sources[-1].id == "our meeting"
    assert verify(protocol).holds


@pytest.mark.parametrize("name", ["penn-2012.toml", "_.toml", "ζ.toml"])
def test_a_name_that_is_no_id_or_a_built_in_one_is_not_taken(
    capsys, name: str, tmp_path: Path
) -> None:
    output(capsys, "new", str(tmp_path / name))
    assert load_protocol(tmp_path / name).id == "my-protocol"


def test_a_file_that_cannot_be_begun_is_refused(capsys, tmp_path: Path) -> None:
    there = tmp_path / "there.toml"
    there.write_text("kept", "utf-8")
    line = refusal(capsys, "new", str(there))
    assert line == f"{there}: is there already; give another path; the file is kept as it is"
    assert there.read_text("utf-8") == "kept"
    away = str(tmp_path / "none" / "mine.toml")
    line = refusal(capsys, "new", away)
    assert line == f"{away}: no such file or directory; give a path that can be written"
    assert refusal(capsys, "new", "a\0.toml").startswith(r"a\x00.toml: is not a path; give a path")
    other = str(tmp_path / "mine.json")
    assert refusal(capsys, "new", other).startswith(f"{other}: is not named .toml; name the file")
    mine = str(tmp_path / "mine.toml")
    line = refusal(capsys, "new", mine, "--from", "penn")
    assert line.startswith("--from: 'penn' is not a built-in protocol; did you mean penn-2012?")
    line = refusal(capsys, "new", mine, "--from", str(there))
    assert "a file cannot be based on another, copy it" in line
    assert [path.name for path in tmp_path.iterdir()] == ["there.toml"]
    assert output(capsys, "new", mine, "--from", PROTOCOL.id)
