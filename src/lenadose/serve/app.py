"""The ASGI application: CDS Hooks over HTTP, for any server.

It keeps nothing but feedback, so any number of processes may serve. It does not authenticate: put
it behind a gateway that does. No body is ever logged, and no error tells of one.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lenadose.formats.course_json import Json
from lenadose.formats.reader import parse
from lenadose.serve.cards import SERVICES, Refused, discovery, respond
from lenadose.serve.feedback import FeedbackFile, read_feedback
from lenadose.serve.hooks import NotObtained
from lenadose.terms.errors import Fault, LenadoseError

LARGEST_BODY = 2_000_000
"""The largest request that is read, in bytes."""
SECONDS = 10
"""So long a request may take to arrive, and so long to be answered."""

FEEDBACK, ORIGINS = "LENADOSE_FEEDBACK", "LENADOSE_ORIGINS"
"""The variables of the environment that `from_environment` reads; origins divided by blanks."""

_LOG = logging.getLogger("lenadose.serve")

_ISSUES = MappingProxyType(
    {
        404: "not-found",
        405: "not-supported",
        408: "timeout",
        412: "incomplete",
        413: "too-long",
        415: "not-supported",
        422: "business-rule",
        500: "exception",
        503: "timeout",
    }
)
"""The issue type of FHIR for each status; `invalid` for others."""


class _Answer(Exception):
    """An answer that is an OperationOutcome."""

    def __init__(
        self, status: int, faults: Iterable[Fault], headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.faults, self.headers = status, tuple(faults), headers


def application(feedback: FeedbackFile | None = None, origins: Iterable[str] = ()) -> Starlette:
    """Return the application.

    *feedback* is where feedback is kept; without it there is no endpoint for it. *origins* are
    those whose pages a browser lets call. Raises DocumentError for a file that cannot be opened.
    """
    if feedback is not None:
        feedback.open()
    routes = [
        Route("/health", _guarded(_health), methods=["GET"]),
        Route("/cds-services", _guarded(_discovery), methods=["GET"]),
        Route("/cds-services/{id}", _guarded(_call), methods=["POST"]),
    ]
    if feedback is not None:
        answer = _guarded(partial(_feedback, feedback))
        routes.append(Route("/cds-services/{id}/feedback", answer, methods=["POST"]))
    allowed = Middleware(
        CORSMiddleware,
        allow_origins=[*origins],
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "Authorization"],
    )
    return Starlette(
        routes=routes, middleware=[allowed], exception_handlers={HTTPException: _no_route}
    )


def from_environment() -> Starlette:
    """Return the application as the environment describes it: for servers that make it themselves.

    `LENADOSE_FEEDBACK` names the file of feedback, `LENADOSE_ORIGINS` the origins allowed.
    """
    path = os.environ.get(FEEDBACK)
    origins = os.environ.get(ORIGINS, "").split()
    return application(FeedbackFile(path) if path else None, origins)


def _guarded(endpoint: "Callable[[Request], object]") -> "Callable[[Request], object]":
    """Return an endpoint that answers every error, and logs what was called, never with what."""

    async def answer(request: Request) -> Response:
        began = perf_counter()
        try:
            response = await endpoint(request)  # type: ignore[misc]  # every endpoint is a coroutine
        except _Answer as told:
            response = _outcome(told.status, told.faults, told.headers)
        except ClientDisconnect:
            response = _outcome(400, (Fault("request", "ended early", "send it whole"),))
        except Exception as error:
            # The words of an error may hold what a patient's record holds: only its kind is logged.
            _LOG.error("%s in %s", type(error).__name__, request.scope["route"].path)
            fault = Fault("service", "an error of the service", "report how it came about")
            response = _outcome(500, (fault,))
        took = 1000 * (perf_counter() - began)
        path, status = request.scope["route"].path, response.status_code
        _LOG.info("%s %s %d %.0f ms", request.method, path, status, took)
        return response  # type: ignore[no-any-return]  # of a coroutine of any kind

    return answer


async def _health(_: Request) -> Response:
    return _json(200, {"status": "ok"})


async def _discovery(_: Request) -> Response:
    return _json(200, discovery())


async def _call(request: Request) -> Response:
    service = SERVICES.get(_service(request))
    assert service is not None
    document = await _document(request)
    return _json(200, await _worked_out(partial(respond, service, document)))


async def _feedback(file: FeedbackFile, request: Request) -> Response:
    id = _service(request)
    document = await _document(request)

    def keep() -> dict[str, Json]:
        file.add(read_feedback(id, document))
        return {}

    return _json(200, await _worked_out(keep))


def _service(request: Request) -> str:
    """Return the id of the service that is called; raise an answer for an unknown one."""
    id: str = request.path_params["id"]
    if id not in SERVICES:
        raise _Answer(404, (Fault("service", "is not known", f"call {', '.join(SERVICES)}"),))
    return id


async def _document(request: Request) -> object:
    """Return the body as data; raise an answer for one that is too long, late, or no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _Answer(415, (Fault("Content-Type", "is not application/json", "send JSON"),))
    try:
        body = await asyncio.wait_for(_body(request), SECONDS)
    except TimeoutError:
        fault = Fault("request", f"did not arrive in {SECONDS} s", "send it again")
        raise _Answer(408, (fault,)) from None
    try:
        return parse(body, "request", LARGEST_BODY)
    except LenadoseError as error:
        raise _Answer(400, error.faults) from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            reason = f"is more than {LARGEST_BODY} bytes"
            raise _Answer(413, (Fault("request", reason, "prefetch less"),))
    return bytes(body)


async def _worked_out(work: "Callable[[], dict[str, Json]]") -> dict[str, Json]:
    """Return what a thread works out; raise an answer for what is refused, or takes too long."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), SECONDS)
    except NotObtained as error:
        _refuse(412, error)
    except Refused as error:
        _refuse(422, error)
    except LenadoseError as error:
        _refuse(400, error)
    except RecursionError:
        raise _Answer(400, (Fault("request", "is nested too deeply", "send less"),)) from None
    except TimeoutError:
        fault = Fault("request", f"took more than {SECONDS} s", "prefetch less")
        raise _Answer(503, (fault,), {"Retry-After": "60"}) from None


def _refuse(status: int, error: LenadoseError) -> NoReturn:
    raise _Answer(status, error.faults) from None


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    fault = Fault("request", error.detail.lower(), "see GET /cds-services")
    return _outcome(error.status_code, (fault,), dict(error.headers or {}))


def _outcome(
    status: int, faults: Iterable[Fault], headers: dict[str, str] | None = None
) -> Response:
    """Return an OperationOutcome of FHIR."""
    code = _ISSUES.get(status, "invalid")
    issues: list[Json] = [
        {"severity": "error", "code": code, "diagnostics": str(fault)} for fault in faults
    ]
    return _json(status, {"resourceType": "OperationOutcome", "issue": issues}, headers)


def _json(status: int, data: dict[str, Json], headers: dict[str, str] | None = None) -> Response:
    # Escaped: half of a surrogate pair, which JSON can hold, cannot be written as UTF-8.
    content = json.dumps(data).encode("ascii")
    made = {"Cache-Control": "no-store", **(headers or {})}
    return Response(content, status, made, "application/json")
