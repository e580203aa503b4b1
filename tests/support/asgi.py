"""Calls of an ASGI application without a server."""

import asyncio
import json
from typing import Any

from attrs import frozen

JSON = {"content-type": "application/json"}


@frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def call(
    app: Any,
    method: str,
    path: str,
    body: bytes | Any = b"",
    headers: dict[str, str] | None = None,
    stalls: bool = False,
) -> Answer:
    """Return the answer to one request; data is sent as JSON, and never ends where it stalls."""
    return asyncio.run(acall(app, method, path, body, headers, stalls))


async def acall(
    app: Any,
    method: str,
    path: str,
    body: bytes | Any = b"",
    headers: dict[str, str] | None = None,
    stalls: bool = False,
) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = 65536
    parts = [content[at : at + size] for at in range(0, len(content), size)] or [b""]
    given = JSON if headers is None else headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "headers": [(name.encode("latin-1"), given[name].encode("latin-1")) for name in given],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    waiting = [
        {"type": "http.request", "body": part, "more_body": stalls or place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if stalls and not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )
