"""Measure `lenadose serve`: requests a second on one core, and how long each takes.

    pip install '.[serve]'
    python benchmarks/serve.py [--seconds 10]

The server runs with one worker, on one core where the system can pin it; the client, in this
process, sends one request after the other over one connection, with the record in the prefetch.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.support.cds import SIGN, VIEW, order, prefetched, request  # noqa: E402  # of the checkout

from lenadose import load_course  # noqa: E402  # as above

PORT = 8765


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="how long each hook is called")
    seconds = parser.parse_args().seconds
    given = prefetched(load_course(ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json"))
    calls = {
        VIEW: request(VIEW, "p", prefetch=given),
        SIGN: request(SIGN, "p", [order(5)], prefetch=given),
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "lenadose", "serve", "--port", str(PORT)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        if hasattr(os, "sched_setaffinity"):
            first, *others = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(server.pid, {first})
            os.sched_setaffinity(0, set(others) or {first})
        connection = connect()
        print("| hook | requests a second | median | 99 % | bytes sent |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for path, document in calls.items():
            print(row(connection, path, json.dumps(document).encode(), seconds))
    finally:
        server.terminate()
        server.wait()


def connect() -> HTTPConnection:
    """Return a connection to the server as soon as it answers."""
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", PORT)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
            return connection
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def row(connection: HTTPConnection, path: str, body: bytes, seconds: float) -> str:
    """Return the figures of one service."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        times.append(1000 * (time.perf_counter() - began))
        assert answer.status == 200, content
    slow = sorted(times)[int(len(times) * 0.99)]
    name = path.rpartition("lenadose-")[2]
    rate = len(times) / seconds
    middle = statistics.median(times)
    return f"| {name} | {rate:.0f} | {middle:.1f} ms | {slow:.1f} ms | {len(body)} |"


if __name__ == "__main__":
    main()
