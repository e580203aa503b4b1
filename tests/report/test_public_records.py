"""The public records are as their sources published them, and the page says how they are read."""

import sys

import pytest
from tests.support.paths import ROOT

from lenadose.terms.facts import Action

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")
pytest.importorskip("pyreadstat", reason="needs lenadose[import]")

sys.path.insert(0, str(ROOT / "scripts"))

from public_records import (  # noqa: E402, RUF100
    FOLDER,
    answers,
    left_out,
    public_records,
    records,
    refused,
    sha256,
    used,
)

RECORDS = records()


@pytest.mark.parametrize("record", RECORDS, ids=[next(iter(each.files)) for each in RECORDS])
def test_each_record_is_as_it_was_published_and_accounted_for_in_single_lines(record) -> None:
    assert record.licence in {"CC0-1.0", "Apache-2.0", "BSD-3-Clause"}
    for name, hash in record.files.items():
        assert sha256(FOLDER / name) == hash
    imported = record.imported()
    assert all(each.notes for each in imported.records)
    for note in (*used(imported), *left_out(imported), *refused(imported)):
        assert "\n" not in note
        assert str(FOLDER) not in note
    for reason in (*left_out(imported), *refused(imported)):
        assert "; " in reason
    # None has a CLASI score, so none may lead to a first dose.
    advised = {each.split(":")[0] for each in answers(imported)}
    assert advised <= {Action.REQUEST_DATA.label, Action.PRESCRIBER_DECIDES.label}


def test_there_are_ten_files_and_every_one_is_listed_and_on_the_page() -> None:
    files = {path.name for path in FOLDER.iterdir() if path.suffix != ".toml"} - {"SOURCES.json"}
    assert files == {name for each in RECORDS for name in each.files}
    assert len(files) >= 10
    assert {path.name for path in FOLDER.glob("*.toml")} == {each.map for each in RECORDS} - {None}
    page = (ROOT / "docs" / "public-records.md").read_text("utf-8")
    assert page == public_records()
    assert all(f"`{name}`" in page for name in files)


def test_the_pilot_of_cdisc_is_read_without_a_line_of_glue() -> None:
    """306 patients of a real trial: its platelets are used, and what it does not say is named."""
    imported = RECORDS[0].imported()
    assert len(imported.records) == 23_785
    assert (len(imported.courses), imported.refused) == (253, 53)
    assert sum(": platelets " in each for each in used(imported)) == 1_788
    # It gives a severity, no grade of CTCAE, and counts no neutrophils.
    assert sum("grade: is missing" in each for each in left_out(imported)) == 912
    assert not any("neutrophils" in each for each in used(imported))
    assert set(answers(imported)) == {"request-data: obtain clasi_activity first"}
