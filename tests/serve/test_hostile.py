"""Hostile requests: none leads to an error of the service, and none that is refused to a dose.

Quickly 500, in CI 1500, and 10 000 in a long search (`HYPOTHESIS_PROFILE=long`).
"""

import asyncio
import copy
import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.asgi import acall
from tests.support.cds import SELECT, SIGN, VIEW, order, prefetched, request, with_course
from tests.support.paths import EXAMPLES

from lenadose import load_course
from lenadose.serve.app import application
from lenadose.serve.feedback import FeedbackFile

REFUSED = {400, 412, 415, 422}
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    0.1,
    "",
    " ",
    "\0",
    "\ud800",
    "\u202e",
    "x" * 5000,
    "<script>alert(1)</script>",
    "'; DROP TABLE feedback; --",
    "../../etc/passwd",
    "{{context.patientId}}",
    "2026-02-30",
    "9999-12-31",
    "0001-01-01",
    "Patient/other",
    "#p",
    "urn:uuid:p",
    [],
    {},
    [[]],
    [None],
    {"resourceType": "Bundle", "entry": [None, 1, {"resource": 3}]},
    {"resourceType": "Patient", "id": "other"},
    {"reference": "Patient/other"},
    {"coding": [{"system": 1, "code": []}]},
)


def seeds() -> list[tuple[str, Any]]:
    """Return requests that are answered, from which hostile ones are made."""
    found: list[tuple[str, Any]] = []
    for name in ("missed-doses", "a-swollen-leg", "falling-clearance", "the-clinician-judges"):
        course = load_course(EXAMPLES / "courses" / f"{name}.json")
        patient = course.patient.id if course.patient and course.patient.id else "p"
        drafts = [order(5, patient=patient)]
        found += [
            (VIEW, with_course(VIEW, course)),
            (VIEW, request(VIEW, "p", prefetch=prefetched(course))),
            (SIGN, with_course(SIGN, course, drafts)),
            (SELECT, request(SELECT, "p", [order(5)], prefetch=prefetched(course))),
        ]
    told = {"card": "c", "outcome": "overridden", "overrideReason": {"userComment": "no"}}
    return [*found, (f"{VIEW}/feedback", {"feedback": [told]})]


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container of a document with each of its keys."""
    members = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(members):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


def hostile(number: int, requests: list[tuple[str, str]]) -> tuple[str, bytes]:
    """Return a hostile request, the same for the same number."""
    draw = random.Random(number)
    path, text = draw.choice(requests)
    document = json.loads(text)
    for _ in range(draw.randint(1, 4)):
        found = list(places(document))
        if not found:
            break
        holder, key = draw.choice(found)
        kind = draw.random()
        if kind < 0.6:
            holder[key] = copy.deepcopy(draw.choice(VALUES))
        elif kind < 0.75:
            del holder[key]
        elif kind < 0.9:
            holder[key] = json.loads(json.dumps(draw.choice(found)[0]))
        elif isinstance(holder, dict):
            holder[draw.choice(["resourceType", "id", "extension", "entry", "x", ""])] = holder.pop(
                key
            )
        else:
            holder.append(json.loads(json.dumps(holder[key])))
    body = json.dumps(document).encode()
    if draw.random() < 0.1:
        cut = draw.randrange(len(body))
        body = body[:cut] + draw.randbytes(draw.randint(0, 3)) + body[cut + draw.randint(0, 3) :]
    return path, body


async def _all(numbers: range, app: Any) -> dict[int, int]:
    requests = [(path, json.dumps(document)) for path, document in seeds()]
    statuses: dict[int, int] = {}
    for number in numbers:
        path, body = hostile(number, requests)
        answer = await acall(app, "POST", path, body)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if answer.status != 200:
            assert answer.status in REFUSED, (number, answer)
            assert answer.data["resourceType"] == "OperationOutcome", number
            assert b'"cards"' not in answer.body, number
            # A message may say how a dosage is written, and names none.
            assert not re.search(rb"[0-9] mg (once|every)", answer.body), number
        else:
            assert set(answer.data) in ({"cards"}, set()), number
    return statuses


def check(numbers: range, folder: Any) -> None:
    app = application(FeedbackFile(str(folder / "feedback")))
    statuses = asyncio.run(_all(numbers, app))
    assert min(statuses[200], statuses[400], statuses[422]) > len(numbers) // 50, statuses


def test_500_hostile_requests_are_answered_or_refused(tmp_path: Any) -> None:
    check(range(500), tmp_path)


@pytest.mark.slow
def test_more_hostile_requests_are_answered_or_refused(tmp_path: Any) -> None:
    is_long = os.environ.get("HYPOTHESIS_PROFILE") == "long"
    check(range(500, 10_000 if is_long else 1500), tmp_path)
