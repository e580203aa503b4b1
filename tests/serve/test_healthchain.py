"""healthchain, a CDS Hooks client of others, accepts every answer, and its sandbox gets a card."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.support.asgi import call
from tests.support.cds import SIGN, VIEW, order, prefetched, with_course
from tests.support.paths import EXAMPLES
from tests.support.rows import courses_to_rows

from lenadose import load_course, replay
from lenadose.protocol.builtin import BUILT_IN
from lenadose.serve.app import application

models = pytest.importorskip("healthchain.models", reason="needs healthchain")
discovery = pytest.importorskip("healthchain.models.responses.cdsdiscovery")
sandbox = pytest.importorskip("healthchain.sandbox.sandboxclient")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", BUILT_IN)
def test_its_models_accept_the_answer_for_every_row(name: str) -> None:
    app = application()
    summaries = set()
    for course in courses_to_rows(name).values():
        for path, orders in ((VIEW, []), (SIGN, [order(5)]), (SIGN, [order(2.5, 2)])):
            answer = call(app, "POST", path, with_course(path, course, orders))
            found = models.CDSResponse.model_validate(answer.data)
            summaries |= {each.summary for each in found.cards}
    assert len(summaries) > 30


def test_its_models_accept_the_services() -> None:
    answer = call(application(), "GET", "/cds-services")
    found = discovery.CDSServiceInformation.model_validate(answer.data)
    assert {each.hook for each in found.services} == {"patient-view", "order-select", "order-sign"}


def test_its_models_refuse_a_card_without_a_source() -> None:
    with pytest.raises(ValueError, match="source"):
        models.CDSResponse.model_validate({"cards": [{"summary": "a", "indicator": "info"}]})


@contextmanager
def served() -> Iterator[str]:
    """Run the service on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "lenadose", "serve", "--port", address.rpartition(":")[2]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                try:
                    urlopen(f"{address}/health").close()
                    break
                except URLError:
                    assert server.poll() is None, "the service ended"
                    time.sleep(0.05)
            yield address
        finally:
            server.terminate()


def test_its_sandbox_is_shown_the_card() -> None:
    course = load_course(Path(EXAMPLES, "courses", "neutropenia-at-10-mg.json"))
    with served() as address:
        client = sandbox.SandboxClient(f"{address}{VIEW}", "patient-view")
        request = models.CDSRequest(
            hook="patient-view",
            context={"userId": "Practitioner/1", "patientId": "p"},
            prefetch=prefetched(course),
        )
        client.requests.append(request)
        (response,) = client.send_requests()
    (card,) = response["cards"]
    assert card["summary"].startswith(str(replay(course)[-1].visit.date))
