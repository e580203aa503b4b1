"""The examples of protocol files load, verify, and meet the schema."""

import json
import tomllib

import pytest
from jsonschema import Draft202012Validator
from tests.support.paths import EXAMPLES
from tests.support.patients import STERILE, seen, walk

from lenadose import get_protocol, load_protocol
from lenadose.formats.schema import SCHEMAS
from lenadose.protocol.builtin import BUILT_IN
from lenadose.verification.certificate import verify

SCHEMA = Draft202012Validator(SCHEMAS["protocol"]())
PROTOCOLS = sorted((EXAMPLES / "protocols").glob("*.toml"))


@pytest.mark.parametrize("path", PROTOCOLS, ids=lambda path: path.stem)
def test_an_example_loads_and_keeps_the_laws(path) -> None:
    SCHEMA.validate(tomllib.loads(path.read_text("utf-8")))
    certificate = verify(load_protocol(path))
    assert certificate.holds
    assert certificate.absent == ()


@pytest.mark.parametrize("id", BUILT_IN)
def test_the_schema_accepts_the_built_in_protocols(id: str) -> None:
    SCHEMA.validate(json.loads(json.dumps(get_protocol(id).data)))


def test_methotrexate_is_given_once_a_week() -> None:
    protocol = load_protocol(EXAMPLES / "protocols" / "methotrexate.toml")
    visits = [seen(0, 12), seen(28, 12), seen(56, 12)]
    decisions = walk(visits, STERILE, protocol)
    assert [str(decision.dosage) for decision in decisions] == [
        "15 mg every 7 days",
        "15 mg every 7 days",
        "20 mg every 7 days",
    ]
    assert all("lenalidomide" not in notice.words.lower() for notice in protocol.notices)
