"""`lenadose serve`: what it is called with, and what it hands to the server."""

import os
from typing import Any

import pytest
import uvicorn

from lenadose.cli.main import main
from lenadose.serve.app import FEEDBACK, ORIGINS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "--port: 99999 is not a port"),
        (["--port", "0"], "--port: 0 is not a port"),
        (["--workers", "0"], "--workers: 0 processes"),
        (["--allow-origin", "*"], "--allow-origin: '*' is not an origin"),
        (["--allow-origin", "ehr.example"], "'ehr.example' is not an origin"),
        (["--allow-origin", "https://ehr.example/"], "'https://ehr.example/' is not an origin"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_the_server_is_given_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda name, **more: given.update(more, name=name))
    for name in (FEEDBACK, ORIGINS):
        monkeypatch.setenv(name, "")
    file = tmp_path / "feedback"
    origins = ["--allow-origin", "https://a.example", "--allow-origin", "http://[::1]:9000"]
    call = ["serve", "--workers", "2", "--port", "81", "--feedback", str(file), *origins]
    assert main(call) == 0
    assert given["name"] == "lenadose.serve.app:from_environment"
    assert (given["factory"], given["workers"], given["port"]) == (True, 2, 81)
    assert given["host"] == "127.0.0.1"
    assert given["access_log"] is False
    assert given["log_config"]["loggers"]["lenadose.serve"]["level"] == "INFO"
    assert "lenadose.serve" not in uvicorn.config.LOGGING_CONFIG["loggers"]
    assert os.environ[ORIGINS] == "https://a.example http://[::1]:9000"
    assert os.environ[FEEDBACK] == str(file)
    assert file.exists()
