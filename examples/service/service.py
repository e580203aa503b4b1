"""A small service: visits come in as JSON, decisions go out, and SQLite keeps both.

    python service.py visits.db    serve http://127.0.0.1:8000

POST /visits     {"patient": {...}, "visit": {...}}: the decision, or why the visit is refused
GET  /recheck    the visits where the protocol advises otherwise than was stored

Research and education software, not a medical device. It knows no users and no passwords.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from lenadose import (
    CallError,
    Course,
    Decision,
    Fault,
    LenadoseError,
    Protocol,
    decision_data,
    get_protocol,
    read_course,
    replay,
    same_advice,
)

Sent = dict[str, dict[str, object]]
"""The body of a request: the patient as known on that day and the visit, as in a course file."""

TABLE = """CREATE TABLE IF NOT EXISTS visits (
    patient  TEXT NOT NULL,  -- the id of the patient
    date     TEXT NOT NULL,  -- the day of the visit
    sent     TEXT NOT NULL,  -- the patient as known that day and the visit, as JSON
    decision TEXT NOT NULL,  -- the decision of that day, as JSON; it is never changed
    PRIMARY KEY (patient, date))"""


def open_store(path: str) -> sqlite3.Connection:
    """Open the store, and make its table if there is none."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute(TABLE)
    return store


def stored_until(store: sqlite3.Connection, patient: str, date: str) -> list[Sent]:
    """Return what was stored of a patient up to a day, in order."""
    query = "SELECT sent FROM visits WHERE patient = ? AND date <= ? ORDER BY date"
    return [json.loads(text) for (text,) in store.execute(query, (patient, date))]


def course_of(parts: list[Sent]) -> Course:
    """Return all visits as a course, with the patient as known at the last of them."""
    visits = [part["visit"] for part in parts]
    return read_course({"patient": parts[-1]["patient"], "visits": visits})


def read_body(body: bytes) -> Sent:
    """Read what was sent, as far as it takes to look up the patient; `course_of` reads the rest."""
    fix = 'send {"patient": {"id": ...}, "visit": {"date": ...}}'
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise CallError([Fault("body", "is not JSON", fix)]) from None
    if not isinstance(sent, dict) or set(sent) != {"patient", "visit"}:
        raise CallError([Fault("body", "is not a patient and a visit", fix)])
    patient = sent["patient"]
    if not isinstance(patient, dict) or not isinstance(patient.get("id"), str):
        raise CallError([Fault("patient.id", "is missing", fix)])
    return sent


def add_visit(store: sqlite3.Connection, sent: Sent, protocol: Protocol) -> Decision:
    """Decide on a new visit and store both; raise LenadoseError, and store neither, if wrong."""
    patient = str(sent["patient"]["id"])
    with store:
        store.execute("BEGIN IMMEDIATE")  # nobody adds a visit between the reading and the writing
        course = course_of([*stored_until(store, patient, "9999"), sent])
        decision = replay(course, protocol)[-1]
        date = decision.visit.date.isoformat()
        texts = json.dumps(sent), json.dumps(decision_data(decision))
        store.execute("INSERT INTO visits VALUES (?, ?, ?, ?)", (patient, date, *texts))
    return decision


def recheck(store: sqlite3.Connection, protocol: Protocol) -> Iterator[dict[str, object]]:
    """Yield each stored visit at which a protocol advises otherwise, or cannot decide."""
    rows = store.execute("SELECT patient, date, decision FROM visits ORDER BY patient, date")
    for patient, date, text in rows.fetchall():
        stored = json.loads(text)
        found = {"patient": patient, "date": date, "stored": advice(stored)}
        try:
            decision = replay(course_of(stored_until(store, patient, date)), protocol)[-1]
        except LenadoseError as error:
            yield {**found, "faults": faults(error)}
            continue
        if not same_advice(stored, decision):
            yield {**found, "now": advice(decision_data(decision))}


def advice(decision: Mapping[str, object]) -> dict[str, object]:
    """Return what a list shows of a decision."""
    return {key: decision[key] for key in ("action", "dosage", "next_visit", "protocol")}


def faults(error: LenadoseError) -> list[dict[str, str]]:
    """Return the faults of an error as data: show them to whoever entered it."""
    return [{"place": f.place, "reason": f.reason, "fix": f.fix} for f in error.faults]


def answer(
    store: sqlite3.Connection, protocol: Protocol, call: str, body: bytes
) -> tuple[str, object]:
    """Return the status and the data that answer a call."""
    if call == "GET /recheck":
        return "200 OK", list(recheck(store, protocol))
    if call == "POST /visits":
        try:
            return "201 Created", decision_data(add_visit(store, read_body(body), protocol))
        except LenadoseError as error:
            return "422 Unprocessable Content", faults(error)
    return "404 Not Found", []


def app(store: sqlite3.Connection, protocol: Protocol) -> WSGIApplication:
    """Return the service as any WSGI server runs it."""

    def respond(request: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        body = request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
        call = f"{request['REQUEST_METHOD']} {request['PATH_INFO']}"
        status, data = answer(store, protocol, call, body)
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(data).encode()]

    return respond


if __name__ == "__main__":
    store = open_store(sys.argv[1])
    make_server("127.0.0.1", 8000, app(store, get_protocol())).serve_forever()
