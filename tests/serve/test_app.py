"""The HTTP of CDS Hooks: what is refused, how, and what is never told."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.support.asgi import JSON, Answer, call
from tests.support.cds import SIGN, VIEW, order, prefetched, request, with_course
from tests.support.paths import EXAMPLES

from lenadose import Course, Patient, Visit, load_course
from lenadose.serve import app as app_module
from lenadose.serve.app import LARGEST_BODY, application, from_environment
from lenadose.serve.cards import SERVICES
from lenadose.serve.feedback import FeedbackFile
from lenadose.serve.hooks import EXTENSION

APP = application()
COURSE = Course([Visit("2026-01-05", clasi_activity=11)], Patient(id="p"))


def refused(answer: Answer, status: int, words: str) -> None:
    """Check that an answer is a refusal with an OperationOutcome, and that no dose is in it."""
    assert answer.status == status, answer.body
    assert answer.data["resourceType"] == "OperationOutcome"
    told = [issue["diagnostics"] for issue in answer.data["issue"]]
    assert any(words in each for each in told), told
    assert all(each["severity"] == "error" and each["code"] for each in answer.data["issue"])
    text = answer.body.decode()
    assert '"cards"' not in text
    assert " mg " not in text
    assert "Traceback" not in text


def test_discovery_lists_the_services_with_their_queries() -> None:
    answer = call(APP, "GET", "/cds-services")
    services = answer.data["services"]
    assert [each["id"] for each in services] == [*SERVICES]
    assert {each["hook"] for each in services} == {"patient-view", "order-select", "order-sign"}
    for service in services:
        assert "not a medical device" in service["description"]
        assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert "http://loinc.org|751-8" in service["prefetch"]["observations"]


def test_health_says_that_it_runs() -> None:
    assert call(APP, "GET", "/health").data == {"status": "ok"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hook": "order-sign"}, "is not the hook of this service"),
        ({"hookInstance": "1"}, "hookInstance: '1' is not a UUID"),
        ({"hookInstance": None}, "hookInstance: is missing"),
        ({"context": None}, "context: is missing"),
        ({"context": []}, "context: a list is not an object"),
        ({"context": {"patientId": "p/../q"}}, "is not the id of a Patient"),
        ({"context": {"patientId": "p", "encounterId": 3}}, "context.encounterId: 3"),
        ({"prefetch": 4}, "prefetch: 4 is not an object"),
        ({"extension": "x"}, "extension: 'x' is not an object"),
    ],
)
def test_a_request_that_is_none_is_refused(change: dict[str, Any], words: str) -> None:
    refused(call(APP, "POST", VIEW, {**with_course(VIEW, COURSE), **change}), 400, words)


def test_text_that_is_no_json_is_refused() -> None:
    for body, words in (
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"hook": 1, "hook": 2}', "hook: is there twice"),
        (b'{"hookInstance": NaN}', "hookInstance: NaN is not a finite number"),
        (b'{"context": {}, "context": {}}', "context: is there twice"),
        (b"NaN", "request: NaN is not a finite number"),
        (b"[]", "a list is not an object"),
    ):
        refused(call(APP, "POST", VIEW, body), 400, words)


def test_another_type_of_content_is_refused() -> None:
    for kind in ("text/plain", "application/xml", ""):
        refused(call(APP, "POST", VIEW, b"{}", {"content-type": kind}), 415, "send JSON")
    charset = {"content-type": "Application/JSON; charset=utf-8"}
    assert call(APP, "POST", VIEW, with_course(VIEW, COURSE), charset).status == 200


def test_a_body_that_is_too_long_is_refused_before_it_is_read_whole() -> None:
    refused(call(APP, "POST", VIEW, b" " * (LARGEST_BODY + 1)), 413, "bytes")


def test_an_unknown_service_path_or_method_is_refused() -> None:
    refused(call(APP, "POST", "/cds-services/other", {}), 404, "is not known")
    refused(call(APP, "GET", "/other"), 404, "not found")
    refused(call(APP, "GET", VIEW), 405, "method not allowed")
    refused(call(APP, "POST", f"{VIEW}/feedback", {}), 404, "not found")


def test_a_request_without_a_record_is_refused() -> None:
    refused(call(APP, "POST", VIEW, request(VIEW, "p")), 412, "there is no Patient")
    given = prefetched(COURSE)
    failed = {**given, "observations": {"resourceType": "OperationOutcome"}}
    refused(call(APP, "POST", VIEW, request(VIEW, "p", prefetch=failed)), 412, "the query failed")
    given["observations"]["link"] = [{"relation": "next", "url": "http://ehr.example/2"}]
    refused(call(APP, "POST", VIEW, request(VIEW, "p", prefetch=given)), 412, "one page of several")


def test_a_record_of_another_patient_is_refused() -> None:
    answer = call(APP, "POST", VIEW, request(VIEW, "q", prefetch=prefetched(COURSE)))
    refused(answer, 422, "is not the patient of the context")
    document = with_course(VIEW, COURSE)
    document["context"]["patientId"] = "q"
    refused(call(APP, "POST", VIEW, document), 422, "is not the patient of the context")
    other = prefetched(COURSE, "q")["observations"]["entry"]
    both = prefetched(COURSE)
    both["observations"]["entry"] += [
        {"resource": {**each["resource"], "id": f"q{place}", "encounter": None}}
        for place, each in enumerate(other)
    ]
    refused(call(APP, "POST", VIEW, request(VIEW, "p", prefetch=both)), 422, "2 patients")
    draft = order(5, patient="q")
    refused(call(APP, "POST", SIGN, with_course(SIGN, COURSE, [draft])), 400, "is not the patient")


def test_a_record_that_is_refused_gets_no_card() -> None:
    document = with_course(VIEW, COURSE)
    document["extension"][EXTENSION]["visits"][0]["clasi_activity"] = 71
    refused(call(APP, "POST", VIEW, document), 422, f"{EXTENSION}.visits[0].clasi_activity")
    given = prefetched(COURSE)
    again = json.loads(json.dumps(given["observations"]["entry"][0]))
    again["resource"]["id"] = "other"
    again["resource"]["valueInteger"] = 3
    given["observations"]["entry"].append(again)
    answer = call(APP, "POST", VIEW, request(VIEW, "p", prefetch=given))
    refused(answer, 422, "contradicts")


def test_orders_that_are_none_are_refused() -> None:
    document = with_course(SIGN, COURSE)
    document["context"]["draftOrders"] = []
    refused(call(APP, "POST", SIGN, document), 400, "context.draftOrders")


def test_only_allowed_origins_are_let_in() -> None:
    app = application(origins=["https://ehr.example"])
    for origin, is_allowed in (("https://ehr.example", True), ("https://other.example", False)):
        asked = {"origin": origin, "access-control-request-method": "POST"}
        before = call(app, "OPTIONS", VIEW, b"", asked)
        assert (before.status == 200) is is_allowed
        answer = call(app, "POST", VIEW, with_course(VIEW, COURSE), {**JSON, "origin": origin})
        allowed = answer.headers.get("access-control-allow-origin")
        assert (allowed == origin) is is_allowed
    answer = call(APP, "POST", VIEW, with_course(VIEW, COURSE), {**JSON, "origin": "https://a.b"})
    assert "access-control-allow-origin" not in answer.headers


def test_no_log_and_no_error_holds_what_a_record_holds(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    course = Course([Visit("2026-01-05", clasi_activity=11)], Patient(id="secret-p"))
    assert call(APP, "POST", VIEW, with_course(VIEW, course)).status == 200

    def fail(*_: object) -> None:
        raise ValueError("secret-p has a score")

    monkeypatch.setattr(app_module, "respond", fail)
    refused(call(APP, "POST", VIEW, with_course(VIEW, course)), 500, "an error of the service")
    assert "ValueError in /cds-services/{id}" in caplog.text
    assert "POST /cds-services/{id} 200" in caplog.text
    assert "secret-p" not in caplog.text


def test_an_answer_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    done = Event()
    monkeypatch.setattr(app_module, "SECONDS", 0.05)
    monkeypatch.setattr(app_module, "respond", lambda *_: done.wait(0.3) and {})
    answer = call(APP, "POST", VIEW, with_course(VIEW, COURSE))
    refused(answer, 503, "took more than")
    assert answer.headers["retry-after"] == "60"


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "SECONDS", 0.05)
    refused(call(APP, "POST", VIEW, b'{"hook": 1', stalls=True), 408, "did not arrive")


def test_answers_are_the_same_each_time_and_are_not_kept() -> None:
    first, second = (call(APP, "POST", VIEW, with_course(VIEW, COURSE)) for _ in range(2))
    assert first.body == second.body
    assert first.headers["cache-control"] == "no-store"


def test_feedback_is_kept_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lenadose.cli.main import main

    file = tmp_path / "feedback.sqlite"
    monkeypatch.setenv("LENADOSE_FEEDBACK", str(file))
    apps = [from_environment(), from_environment()]  # as two workers
    accepted = {
        "card": "c1",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}],
        "outcomeTimestamp": "2026-01-05T09:00:00Z",
    }
    overridden = {
        "card": "c2",
        "outcome": "overridden",
        "overrideReason": {"reason": {"system": "s", "code": "r"}, "userComment": "=1+1, \ud800"},
        "outcomeTimestamp": "2026-01-05T09:01:00Z",
    }
    for app, told in zip(apps, (accepted, overridden), strict=True):
        assert call(app, "POST", f"{VIEW}/feedback", {"feedback": [told]}).status == 200
    rows = list(FeedbackFile(str(file)).rows())
    assert [(row["card"], row["outcome"], row["accepted"]) for row in rows] == [
        ("c1", "accepted", "s1 s2"),
        ("c2", "overridden", ""),
    ]
    assert (rows[1]["reason_code"], rows[1]["comment"]) == ("r", "=1+1, \ufffd")
    assert file.stat().st_mode & 0o077 == 0
    assert main(["feedback", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("lenadose-patient-view,c1,accepted")
    assert main(["feedback", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == rows


def test_feedback_that_is_none_is_refused_whole(tmp_path: Path) -> None:
    file = FeedbackFile(str(tmp_path / "f"))
    app = application(file)
    good = {"card": "c1", "outcome": "accepted"}
    for bad in ({}, {"feedback": []}, [], {"feedback": [good, {"card": 3, "outcome": "maybe"}]}):
        answer = call(app, "POST", f"{VIEW}/feedback", bad)
        refused(answer, 400, "feedback")
    long = {"feedback": [{**good, "overrideReason": {"userComment": "x" * 10_001}}]}
    refused(call(app, "POST", f"{VIEW}/feedback", long), 400, "has more than 10000 characters")
    twice = b'{"feedback": [{"card": "a", "card": "b", "outcome": "accepted"}]}'
    refused(call(app, "POST", f"{VIEW}/feedback", twice), 400, "card: is there twice")
    assert list(file.rows()) == []
    refused(call(app, "POST", "/cds-services/other/feedback", {"feedback": [good]}), 404, "known")


def test_a_file_that_cannot_hold_feedback_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lenadose.cli.main import main

    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"not SQLite" * 100)
    for path in (wrong, tmp_path / "none" / "f", tmp_path):
        assert main(["serve", "--feedback", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["feedback", str(tmp_path / "none")]) == 2
    assert wrong.read_bytes() == b"not SQLite" * 100


def test_every_example_is_answered_with_its_prefetch() -> None:
    for path in sorted((EXAMPLES / "courses").glob("*.json")):
        given = prefetched(load_course(path))
        assert call(APP, "POST", VIEW, request(VIEW, "p", prefetch=given)).status == 200
