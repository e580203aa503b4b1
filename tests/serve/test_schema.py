"""Requests that schemathesis makes from a description of the service lead to no error of it.

Slow: about a minute in CI, ten in a long search (`HYPOTHESIS_PROFILE=long`).
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.support.asgi import call
from tests.support.cds import HOOKS, VIEW

from lenadose.serve.app import application
from lenadose.serve.feedback import FeedbackFile

EXAMPLES = 5000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 500

ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
RESOURCE = {
    "type": "object",
    "properties": {
        "resourceType": {"enum": ["Patient", "Observation", "Bundle", "MedicationRequest"]},
        "id": ID,
        "status": {"type": "string"},
        "subject": {"type": "object", "properties": {"reference": {"type": "string"}}},
        "entry": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["resourceType"],
}


def operation(body: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": body}}
    statuses = ("200", "400", "412", "413", "415", "422")
    outcomes = {status: {"description": status} for status in statuses}
    return {"post": {"requestBody": {"required": True, "content": content}, "responses": outcomes}}


def description() -> dict[str, Any]:
    """Return the service as OpenAPI describes it."""
    paths: dict[str, Any] = {
        path: {"get": {"responses": {"200": {"description": "200"}}}}
        for path in ("/health", "/cds-services")
    }
    for path, hook in HOOKS.items():
        context: dict[str, Any] = {
            "type": "object",
            "properties": {
                "userId": {"type": "string"},
                "patientId": ID,
                "encounterId": ID,
                "draftOrders": RESOURCE,
                "selections": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["userId", "patientId"],
        }
        body = {
            "type": "object",
            "properties": {
                "hook": {"const": hook},
                "hookInstance": {"type": "string", "format": "uuid"},
                "context": context,
                "prefetch": {
                    "type": "object",
                    "properties": {"patient": RESOURCE, "observations": RESOURCE},
                },
                "extension": {"type": "object"},
            },
            "required": ["hook", "hookInstance", "context"],
        }
        paths[path] = operation(body)
    card = {
        "type": "object",
        "properties": {
            "card": {"type": "string", "minLength": 1},
            "outcome": {"enum": ["accepted", "overridden"]},
        },
        "required": ["card", "outcome"],
    }
    paths[f"{VIEW}/feedback"] = operation(
        {
            "type": "object",
            "properties": {"feedback": {"type": "array", "items": card, "minItems": 1}},
            "required": ["feedback"],
        }
    )
    return {"openapi": "3.1.0", "info": {"title": "CDS", "version": "1"}, "paths": paths}


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    app = application(FeedbackFile(str(tmp_path / "feedback")))
    made = []

    def check(case: Any) -> None:
        is_json = isinstance(case.body, dict | list | str | int | float | None)
        answer = call(app, case.method, case.path, case.body if is_json else b"")
        made.append(answer.status)
        assert answer.status in (200, 400, 412, 422), (answer, case.body)
        if answer.status != 200:
            assert answer.data["resourceType"] == "OperationOutcome"

    search = settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for found in schemathesis.openapi.from_dict(description()).get_all_operations():
        tried = found.ok()
        for mode in schemathesis.GenerationMode:
            # Without a body there is no wrong request.
            if tried.method.upper() == "POST" or mode.is_positive:
                search(given(case=tried.as_strategy(generation_mode=mode))(check))()
    assert len(made) >= 6 * EXAMPLES
    assert {200, 400, 412} <= set(made)
