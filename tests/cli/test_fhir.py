"""`lenadose next` and `replay` as FHIR."""

import json
from pathlib import Path

import pytest
from tests.support.fhir import as_fhir_holds, check_bundle, read_back, resources_of
from tests.support.paths import EXAMPLES

from lenadose import load_course
from lenadose.cli.main import main

COURSE = str(EXAMPLES / "courses" / "missed-doses.json")
OTHER = str(EXAMPLES / "courses" / "penn-low-start.json")


def test_one_course_is_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    for command, count in (("next", 1), ("replay", 3)):
        assert main([command, COURSE, "--as", "fhir"]) == 0
        bundle = json.loads(capsys.readouterr().out)
        check_bundle(bundle)
        assert len(resources_of(bundle, "GuidanceResponse")) == count
        assert read_back(bundle) == as_fhir_holds(load_course(COURSE))


def test_several_courses_are_a_bundle_a_line_and_a_refused_one_hides_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"visits": []}', "utf-8")
    assert main(["next", COURSE, str(wrong), OTHER, "--as", "fhir"]) == 2
    said = capsys.readouterr()
    bundles = [json.loads(line) for line in said.out.splitlines()]
    assert [bundle["resourceType"] for bundle in bundles] == ["Bundle", "Bundle"]
    assert "wrong.json" in said.err


def test_two_forms_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for command, other in (("next", "--json"), ("next", "--full"), ("replay", "--json")):
        assert main([command, COURSE, "--as", "fhir", other]) == 2
        said = capsys.readouterr()
        assert not said.out
        assert said.err == f"--as fhir: is another form than {other}; give one of the two\n"


def test_a_protocol_that_names_no_drug_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    protocol = str(EXAMPLES / "protocols" / "methotrexate.toml")
    assert main(["next", COURSE, "--protocol", protocol, "--as", "fhir"]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert "does not say of what drug it is" in said.err
