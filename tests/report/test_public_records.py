"""The public records are as their sources published them, and the page says how they are read."""

import sys

import pytest
from tests.support.paths import ROOT

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

sys.path.insert(0, str(ROOT / "scripts"))

from public_records import FOLDER, public_records, reasons, sha256, sources  # noqa: E402, RUF100

RECORDS = sources()


@pytest.mark.parametrize("record", RECORDS, ids=[each["file"] for each in RECORDS])
def test_each_record_is_as_it_was_published_and_refused_in_single_lines(record) -> None:
    path = FOLDER / record["file"]
    assert sha256(path) == record["sha256"]
    assert record["licence"] in {"CC0-1.0", "Apache-2.0"}
    for reason in reasons(path):
        assert "\n" not in reason
        assert reason.count("; ") >= 1
        assert str(FOLDER) not in reason


def test_every_record_is_listed_and_the_page_is_up_to_date() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"SOURCES.json"}
    assert files == {each["file"] for each in RECORDS}
    page = (ROOT / "docs" / "public-records.md").read_text("utf-8")
    assert page == public_records()
    assert all(f"`{name}`" in page for name in files)
