"""The example service decides, stores, refuses, and finds what an upgrade decides otherwise."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from tests.support.paths import ROOT

from lenadose import (
    Course,
    Protocol,
    course_data,
    get_protocol,
    load_course,
    load_protocol,
    rationale,
    read_decision,
    replay,
)

SOURCE = ROOT / "examples" / "service" / "service.py"
COURSES = sorted((ROOT / "examples" / "courses").glob("*.json"))
PROTOCOL = get_protocol()

_spec = spec_from_file_location("service", SOURCE)
assert _spec is not None
assert _spec.loader is not None
service: Any = module_from_spec(_spec)
_spec.loader.exec_module(service)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = service.open_store(str(tmp_path / "visits.db"))
    yield opened
    opened.close()


def call(
    store: sqlite3.Connection, method: str, path: str, body: bytes = b"", by: Protocol = PROTOCOL
) -> tuple[str, Any]:
    """Return the status and the data of a call, through a server that checks the application."""
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
    }
    setup_testing_defaults(request)
    request |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    statuses: list[str] = []
    response = validator(service.app(store, by))(
        request, lambda status, headers, error=None: statuses.append(status)
    )
    content = b"".join(response)
    response.close()
    return statuses[0], json.loads(content)


def post(store: sqlite3.Connection, sent: object) -> tuple[str, Any]:
    return call(store, "POST", "/visits", json.dumps(sent).encode())


def parts(course: Course) -> list[Any]:
    """Return what is sent for each visit of a course."""
    data: Any = course_data(course)
    return [{"patient": data["patient"], "visit": visit} for visit in data["visits"]]


def post_all(store: sqlite3.Connection, course: Course) -> list[Any]:
    answers = [post(store, part) for part in parts(course)]
    assert {status for status, _ in answers} == {"201 Created"}
    return [data for _, data in answers]


def rows(store: sqlite3.Connection) -> int:
    (count,) = store.execute("SELECT count(*) FROM visits").fetchone()
    return int(count)


EXAMPLES = [course for course in map(load_course, COURSES) if course.protocol == PROTOCOL.id]


def test_visits_sent_one_by_one_are_decided_as_the_whole_course(store: sqlite3.Connection) -> None:
    for course in EXAMPLES[::4]:
        decisions = replay(course)
        assert tuple(map(read_decision, post_all(store, course))) == decisions
    assert rows(store) == sum(len(course.visits) for course in EXAMPLES[::4])
    assert call(store, "GET", "/recheck") == ("200 OK", [])


def test_another_process_finds_what_was_stored(tmp_path: Path) -> None:
    course = EXAMPLES[0]
    path = str(tmp_path / "visits.db")
    first = service.open_store(path)
    post(first, parts(course)[0])
    first.close()
    second = service.open_store(path)
    assert post(second, parts(course)[1])[0] == "201 Created"
    assert rows(second) == 2
    second.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sent: sent["visit"].pop("date"), "visits[1].date: is missing; give it"),
        (lambda sent: sent["visit"].update(clasi=3), "visits[1].clasi: unknown key; did you mean"),
        (lambda sent: sent["visit"].update(date="2020-01-01"), "visits[1].date: 2020-01-01 is be"),
        (lambda sent: sent["visit"].update(doses_missed=99), "visits[1].doses_missed: 99 missed"),
        (lambda sent: sent["patient"].pop("id"), "patient.id: is missing; send "),
        (lambda sent: sent["patient"].update(age=9), "patient.age: 9 is outside its range; give"),
        (lambda sent: sent.update(more=1), "body: is not a patient and a visit; send "),
        (lambda sent: sent.update(patient=1), "patient.id: is missing; send "),
    ],
)
def test_a_visit_that_cannot_be_is_refused_and_not_stored(
    change: Callable[[Any], object], said: str, store: sqlite3.Connection
) -> None:
    first, second = parts(EXAMPLES[0])[:2]
    post(store, first)
    change(second)
    status, found = post(store, second)
    assert status == "422 Unprocessable Content"
    assert f"{found[0]['place']}: {found[0]['reason']}; {found[0]['fix']}".startswith(said), found
    assert rows(store) == 1


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b"[" * 100_000, b"[]"])
def test_a_body_that_cannot_be_read_is_refused(body: bytes, store: sqlite3.Connection) -> None:
    status, (found,) = call(store, "POST", "/visits", body)
    assert (status, found["place"]) == ("422 Unprocessable Content", "body")


def test_another_call_is_not_found(store: sqlite3.Connection) -> None:
    assert call(store, "GET", "/visits") == ("404 Not Found", [])


def test_an_upgrade_lists_the_visits_that_it_decides_otherwise(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    for course in EXAMPLES:
        post_all(store, course)
    file = tmp_path / "changed.toml"
    page = (ROOT / "docs" / "howto" / "import.md").read_text("utf-8")
    file.write_text(
        page.split("<!-- file: changed.toml -->\n```toml\n")[1].split("```")[0], "utf-8"
    )
    changed = load_protocol(file)
    _, found = call(store, "GET", "/recheck", by=changed)
    expected = {
        (course.patient.id, day)
        for course in EXAMPLES
        for day in days_advised_otherwise(course, changed)
        if course.patient
    }
    assert {(each["patient"], each["date"]) for each in found} == expected
    assert 0 < len(expected) < rows(store)
    for each in found:
        assert each["stored"]["protocol"]["hash"] == PROTOCOL.hash
        assert each["now"]["protocol"]["hash"] == changed.hash


def days_advised_otherwise(course: Course, by: Protocol) -> Iterator[str]:
    for old, new in zip(replay(course, PROTOCOL), replay(course, by), strict=True):
        one, other = (
            (
                each.action,
                each.dosage,
                each.next_visit,
                each.obtain_first,
                rationale(each).monitoring_due,
            )
            for each in (old, new)
        )
        if one != other:
            yield old.visit.date.isoformat()


def test_a_visit_that_another_protocol_cannot_decide_is_listed_with_the_fault(
    store: sqlite3.Connection,
) -> None:
    post_all(store, EXAMPLES[0])
    store.execute("UPDATE visits SET sent = replace(sent, '\"clasi_activity\"', '\"clasi\"')")
    _, found = call(store, "GET", "/recheck")
    assert found[0]["faults"][0]["reason"] == "unknown key"


def test_the_page_shows_the_service_as_it_is() -> None:
    page = (ROOT / "docs" / "howto" / "import.md").read_text("utf-8")
    assert f"```python\n{SOURCE.read_text('utf-8')}```\n" in page
