"""A course that is written as FHIR with the codes of the library is read back equal."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.fhir_writer import bundle
from tests.support.paths import ROOT

from lenadose import course_data, load_course
from lenadose.formats import fhir_codes
from lenadose.importing.courses import import_courses

EXAMPLES = sorted((ROOT / "examples" / "courses").glob("*.json"))


def without_own_dates(data: Any) -> Any:
    """Return a course without the dates of results that are those of their visits: the same."""
    for visit in data["visits"]:
        for name in ("neutrophils", "platelets", "creatinine_clearance", "pregnancy_tests"):
            results = visit.get(name, [])
            for each in results if isinstance(results, list) else [results]:
                if each.get("date") == visit["date"]:
                    del each["date"]
    return data


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_course_is_read_back_equal(path: Path, tmp_path: Path) -> None:
    course = load_course(path)
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle(course)), "utf-8")
    imported = import_courses([str(file)])
    assert imported.is_whole, (imported.faults, imported.records)
    assert imported.used == len(imported.records)
    (read,) = imported.courses.values()
    assert without_own_dates(course_data(read)) == without_own_dates(course_data(course))


def test_no_two_codes_of_our_own_are_alike() -> None:
    codes = [code.code for code in fhir_codes.OWN_CODES]
    assert len(set(codes)) == len(codes)
