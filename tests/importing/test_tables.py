"""Tables in: CDISC SDTM as it is, other tables by a mapping, every row accounted for."""

import csv
import io
import re
from pathlib import Path

import pytest
from tests.support.imports import imported_from, only_course, told
from tests.support.paths import ROOT

from lenadose import DocumentError, LenadoseError, course_data, replay
from lenadose.cohort.columns import NAMES
from lenadose.importing.courses import import_courses
from lenadose.importing.mapping import load_mapping

EXAMPLES = ROOT / "examples" / "import"

LONG = """
[[table]]
rows = "results"
[table.columns]
patient = "subject"
date = "day"
test = "test"
value = "result"
unit = "unit"
comparator = "sign"
[table.tests]
ANC = "neutrophils"
PLT = "platelets"
CLASI = "clasi_activity"
HCG = "pregnancy_tests"
"""
HEADER = "subject,day,test,sign,result,unit\n"


def visits_of(tmp_path: Path, rows: str, mapping: str = LONG) -> list[dict[str, object]]:
    score = "1,2026-01-05,CLASI,,12,\n"
    files: dict[str, str | bytes | dict[str, object]] = {"lab.csv": HEADER + score + rows}
    visits: list[dict[str, object]] = only_course(imported_from(tmp_path, files, mapping))["visits"]
    return visits


def note_of(tmp_path: Path, row: str, mapping: str = LONG) -> str:
    rows = HEADER + "1,2026-01-05,CLASI,,12,\n" + row
    (note,) = told(imported_from(tmp_path, {"lab.csv": rows}, mapping))["lab.csv: row 2"]
    return note


def test_sdtm_needs_no_line_of_glue() -> None:
    paths = [str(EXAMPLES / "sdtm" / f"{domain}.csv") for domain in ("lb", "ae", "ex", "vs", "dm")]
    imported = import_courses(paths)
    assert {*imported.courses} == {"EX-01-001", "EX-01-002"}
    assert imported.used + sum(not record.used for record in imported.records) == 27
    dangers = [visit.date.isoformat() for visit in imported.courses["EX-01-001"].visits]
    assert dangers == ["2026-01-19"]


def test_the_example_of_a_trial_gives_the_courses_of_the_page() -> None:
    mapping = load_mapping(EXAMPLES / "sdtm.toml")
    imported = import_courses([str(EXAMPLES / "sdtm")], mapping)
    assert not imported.refused
    one, other = imported.courses.values()
    assert [str(visit.date) for visit in one.visits] == ["2026-01-05", "2026-01-19", "2026-02-02"]
    assert one.visits[2].neutrophils is None  # G/L could mean two things
    assert [event.term for event in one.visits[2].adverse_events or ()] == ["Insomnia"]
    assert [event.term for event in other.visits[-1].adverse_events or ()] == [
        "venous thromboembolism"
    ]
    # Never asked about before: no rows of events is not none, so that treatment cannot begin.
    assert [decision.action.code for decision in replay(other)] == [
        "request-data",
        "request-data",
        "prescriber-decides",
    ]


def test_the_redcap_example_is_read_whole() -> None:
    mapping = load_mapping(EXAMPLES / "redcap.toml")
    imported = import_courses([str(EXAMPLES / "redcap.csv")], mapping)
    assert imported.is_whole
    assert imported.used == len(imported.records) == 4
    data = course_data(imported.courses["1"])
    second = data["visits"][1]  # type: ignore[index,call-overload]
    assert second["neutrophils"] == {"value": 2.4, "unit": "10*9/L", "date": "2026-01-30"}
    assert second["adverse_events"] == [{"term": "Headache", "grade": 2, "ctcae": "5.0"}]


def test_the_table_of_a_cohort_is_built_in_with_every_column() -> None:
    (table,) = (table for table in load_mapping().table if table.rows == "visits")
    assert {*table.columns} == {*NAMES}
    assert all(name == column for name, column in table.columns.items())


def pilot_rows(subjects: int) -> str:
    """Return LB as the CDISC pilot has it: 23 columns, 35 tests a visit, no neutrophils."""
    names = [
        "STUDYID",
        "DOMAIN",
        "USUBJID",
        "LBSEQ",
        "LBTESTCD",
        "LBTEST",
        "LBCAT",
        "LBORRES",
        "LBORRESU",
        "LBORNRLO",
        "LBORNRHI",
        "LBSTRESC",
        "LBSTRESN",
        "LBSTRESU",
        "LBSTNRLO",
        "LBSTNRHI",
        "LBNRIND",
        "LBBLFL",
        "VISITNUM",
        "VISIT",
        "VISITDY",
        "LBDTC",
        "LBDY",
    ]
    tests = ["PLAT", "CREAT", *(f"T{number}" for number in range(33))]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    for subject in range(subjects):
        for visit in range(4):
            for number, test in enumerate(tests):
                value, unit = {"PLAT": ("245", "THOU/uL"), "CREAT": ("88", "umol/L")}.get(
                    test, ("POSITIVE" if number % 2 else "4.2", "")
                )
                if test == "PLAT" and visit == 3:
                    value = ""
                writer.writerow(
                    {
                        "STUDYID": "CDISCPILOT01",
                        "DOMAIN": "LB",
                        "USUBJID": f"01-701-{1000 + subject}",
                        "LBTESTCD": test,
                        "LBORRES": value,
                        "LBORRESU": unit,
                        "LBDTC": f"2014-0{visit + 1}-02T11:45",
                    }
                )
    return out.getvalue()


def test_the_laboratory_table_of_a_pilot_is_accounted_for(tmp_path: Path) -> None:
    imported = imported_from(tmp_path, {"lb.csv": pilot_rows(6)})
    assert len(imported.records) == 6 * 4 * 35
    assert len(imported.courses) == 6
    assert imported.used == 6 * 3  # the platelets
    assert all(record.notes for record in imported.records)
    for course in imported.courses.values():
        (decision,) = replay(course)
        assert decision.action.code == "request-data"


def test_a_date_time_counts_as_its_day_as_written(tmp_path: Path) -> None:
    (visit,) = visits_of(tmp_path, "1,2026-01-04T23:59:00-08:00,ANC,,3.2,10*9/L\n")
    assert visit["neutrophils"] == {"value": 3.2, "unit": "10*9/L", "date": "2026-01-04"}


@pytest.mark.parametrize("day", ["2026-01", "2026", "", "05/01/2026", "2026-02-30", "0026-01-01"])
def test_a_result_without_a_whole_date_is_left_out(tmp_path: Path, day: str) -> None:
    note = note_of(tmp_path, f"1,{day},ANC,,3.2,10*9/L\n")
    assert note.startswith("left out: neutrophils: ")


def test_a_pattern_of_dates_is_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = LONG + '[values]\ndates = ["%d.%m.%Y"]\n'
    (visit,) = visits_of(tmp_path, "1,04.01.2026,ANC,,3.2,10*9/L\n", mapping)
    assert visit["neutrophils"]["date"] == "2026-01-04"  # type: ignore[index]


@pytest.mark.parametrize(("sign", "value"), [("", "<0.5"), ("<", "0.5"), ("", "≤ 0.5")])
def test_a_bound_is_read_in_the_value_or_beside_it(tmp_path: Path, sign: str, value: str) -> None:
    (visit,) = visits_of(tmp_path, f"1,2026-01-05,ANC,{sign},{value},10*9/L\n")
    assert visit["neutrophils"]["value"] == 0.5  # type: ignore[index]
    assert visit["neutrophils"]["comparator"] in ("<", "<=")  # type: ignore[index]


@pytest.mark.parametrize("missing", ["-99", "999", "NK"])
def test_a_missing_code_is_no_result_where_the_mapping_says_so(
    tmp_path: Path, missing: str
) -> None:
    mapping = LONG + '[values]\nmissing = ["-99", "999", "nk"]\n'
    row = f"1,2026-01-05,PLT,,{missing},10*9/L\n"
    assert note_of(tmp_path, row, mapping) == "left out: platelets: there is no result"
    assert "platelets" not in visits_of(tmp_path, row)[0] or missing == "999"


def test_a_unit_is_translated_by_the_mapping_and_says_so(tmp_path: Path) -> None:
    row = "1,2026-01-05,ANC,,3.2,giga\n"
    assert "not a unit accepted here" in note_of(tmp_path, row)
    mapping = LONG + '[values.units]\ngiga = "10*9/L"\n'
    assert "(read as 10*9/L)" in note_of(tmp_path, row, mapping)


def test_a_result_that_cannot_be_read_makes_an_older_one_unknown(tmp_path: Path) -> None:
    older, newer = "1,2026-01-03,ANC,,3.2,10*9/L\n", "1,2026-01-05,ANC,,3.2,g/L\n"
    assert "neutrophils" not in visits_of(tmp_path, older + newer)[0]
    newer_fine = newer.replace("g/L", "10*9/L")
    before = older.replace("10*9/L", "g/L")
    assert "neutrophils" in visits_of(tmp_path, before + newer_fine)[0]


def test_a_result_that_cannot_be_read_makes_one_of_a_visit_before_unknown(tmp_path: Path) -> None:
    before = "1,2026-01-05,ANC,,3.2,10*9/L\n"
    lost, visit = "1,2026-02-01,ANC,,3.2,g/L\n", "1,2026-02-02,CLASI,,9,\n"
    visits = visits_of(tmp_path, before + lost + visit)
    assert visits[0]["neutrophils"] == {"value": 3.2, "unit": "10*9/L"}
    assert visits[1]["unreadable"] == ["neutrophils"]
    newer = "1,2026-02-02,ANC,,3.1,10*9/L\n"
    assert "unreadable" not in visits_of(tmp_path, before + lost + newer + visit)[1]


def test_a_danger_is_kept_beside_a_result_of_that_day_that_cannot_be_read(
    tmp_path: Path,
) -> None:
    rows = "1,2026-01-05,ANC,,0.4,10*9/L\n1,2026-01-05,ANC,,3.2,g/L\n"
    assert visits_of(tmp_path, rows)[0]["neutrophils"] == {"value": 0.4, "unit": "10*9/L"}


def test_a_result_of_another_specimen_is_not_one_of_blood(tmp_path: Path) -> None:
    header = "DOMAIN,USUBJID,LBTESTCD,LBORRES,LBORRESU,LBSPEC,LBDTC\n"
    rows = (
        "LB,1,NEUT,3.2,10^9/L,VENOUS BLOOD,2026-01-05\n"
        "LB,1,CREAT,0.9,mg/dL,SERUM OR PLASMA,2026-01-05\n"
        "LB,1,CREAT,25,mg/dL,URINE,2026-01-12\n"
        "LB,1,HCG,Negative,,URINE,2026-01-05\n"
    )
    more = (
        "DOMAIN,USUBJID,AGE,SEX\nDM,1,40,F\n",
        "DOMAIN,USUBJID,VSTESTCD,VSORRES,VSORRESU,VSDTC\nVS,1,WEIGHT,70,kg,2026-01-05\n",
    )
    files = {"lb.csv": header + rows, "dm.csv": more[0], "vs.csv": more[1]}
    imported = imported_from(tmp_path, {**files})
    assert told(imported)["lb.csv: row 3"] == ["left out: creatinine of 'URINE', not of blood"]
    assert imported.is_whole
    (visit,) = only_course(imported)["visits"]
    assert {"neutrophils", "creatinine_clearance", "pregnancy_tests"} <= {*visit}
    files["lb.csv"] = files["lb.csv"].replace("SERUM OR PLASMA", "Vene")
    imported = imported_from(tmp_path, {**files}, '[values]\nblood = ["Vene"]\n')
    assert "creatinine_clearance" in only_course(imported)["visits"][0]


def test_a_danger_between_visits_is_a_visit_of_its_own(tmp_path: Path) -> None:
    rows = "1,2026-01-19,ANC,,0.8,10*9/L\n1,2026-01-20,PLT,,180,10*9/L\n1,2026-02-02,CLASI,,9,\n"
    visits = visits_of(tmp_path, rows)
    assert [visit["date"] for visit in visits] == ["2026-01-05", "2026-01-19", "2026-02-02"]
    assert visits[2]["platelets"] == {"value": 180, "unit": "10*9/L", "date": "2026-01-20"}


def test_a_result_after_the_last_visit_is_left_out_and_named(tmp_path: Path) -> None:
    assert "after the last visit" in note_of(tmp_path, "1,2026-03-01,ANC,,3.2,10*9/L\n")


@pytest.mark.parametrize("score", ["71", "1.5", "<3", "twelve"])
def test_a_score_that_cannot_be_read_is_unknown_and_the_visit_stays(
    tmp_path: Path, score: str
) -> None:
    visits = visits_of(tmp_path, f"1,2026-02-02,CLASI,,{score},\n")
    assert visits[1] == {"date": "2026-02-02"}


def test_a_pregnancy_test_is_never_read_by_a_number(tmp_path: Path) -> None:
    assert "a number is never read" not in note_of(tmp_path, "1,2026-01-05,HCG,,Negative,\n")
    assert note_of(tmp_path, "1,2026-01-05,HCG,,2,\n").startswith("left out")


def test_a_row_without_its_cells_or_its_patient_is_named(tmp_path: Path) -> None:
    rows = HEADER + "1,2026-01-05,CLASI,,12,\n1,2026-01-05\n,2026-01-05,ANC,,3.2,10*9/L\n"
    imported = imported_from(tmp_path, {"lab.csv": rows}, LONG)
    notes = told(imported)
    assert notes["lab.csv: row 2"] == ["left out: has 2 cells, and the header 6"]
    assert notes["lab.csv: row 3"] == ["left out: no patient in the column 'subject'"]
    assert not imported.is_whole
    assert imported.courses


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "twice"),
        (b"a,b,,\n1,2,,\n", "several columns have no name"),
        (b"\xff\xfea,b\n", "not UTF-8"),
        (b'a,b\n"1,2\n3,4\n', "line 2: the quotes of a cell do not end with it"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", "line 2: field larger than field limit"),
        (b"PAR1 and nothing", "arquet"),
        (b"id;day;anc\n1;2026-01-05;3,2\n", "its header is one cell"),
        (b'<?xml version="1.0"?>\n<Bundle/>\n', "is XML"),
        (b"PK\x03\x04and more", "is a workbook or an archive"),
        (b"\x1f\x8b\x08", "is compressed"),
        (b"{", "not JSON"),
        (b"[1]", "not FHIR"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_used(
    tmp_path: Path, content: bytes, words: str
) -> None:
    good = HEADER + "1,2026-01-05,CLASI,,12,\n"
    imported = imported_from(tmp_path, {"bad.parquet": content, "lab.csv": good}, LONG)
    assert len(imported.courses) == 1
    assert not imported.is_whole
    ((note,),) = (notes for place, notes in told(imported).items() if place.startswith("bad"))
    assert words in note


def test_a_folder_in_a_folder_and_a_table_without_rows_are_named(tmp_path: Path) -> None:
    (tmp_path / "in" / "more").mkdir(parents=True)
    (tmp_path / "in" / "ae.csv").write_text("DOMAIN,USUBJID,AETERM,AEDECOD,AESTDTC\n")
    (tmp_path / "in" / "vs.csv").write_text("patient,date,clasi_activity\n1,2026-01-05,12\n")
    imported = import_courses([str(tmp_path / "in")])
    notes = {Path(place).name: note for place, note in told(imported).items()}
    assert notes["ae.csv"] == ["left out: has no rows, which does not say that there was nothing"]
    assert notes["more"] == ["left out: is a folder in a folder"]
    assert "adverse_events" not in only_course(imported)["visits"][0]
    assert not imported.is_whole


def test_parquet_and_sas_transport_are_read_like_csv(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    text = HEADER + "1,2026-01-05,CLASI,,12,\n1,2026-01-04,ANC,,3.2,10*9/L\n"
    frame = pandas.read_csv(io.StringIO(text))
    frame.to_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    expected = only_course(imported_from(tmp_path, {"lab.csv": text}, LONG))
    assert only_course(imported_from(tmp_path, {"lab.parquet": content}, LONG)) == expected
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pandas.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    pyreadstat.write_xport(frame, str(tmp_path / "t.xpt"), table_name="LAB")
    content = (tmp_path / "t.xpt").read_bytes()
    assert only_course(imported_from(tmp_path, {"lab.xpt": content}, LONG)) == expected


def test_a_path_is_given_once(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_text(HEADER)
    with pytest.raises(LenadoseError, match="is given twice"):
        import_courses([str(tmp_path), str(tmp_path / "lab.csv")])


def event_rows(tmp_path: Path, rows: str, more: str = "") -> list[dict[str, object]]:
    mapping = LONG + (
        '[[table]]\nrows = "events"\nfile = "ae.csv"\n'
        'columns = { patient = "id", date = "from", end = "to", term = "what", grade = "grade" }\n'
        '[values]\nctcae = "5.0"\n'
    )
    scores = "".join(f"1,2026-0{month}-05,CLASI,,12,\n" for month in (1, 2, 3, 4))
    files: dict[str, str | bytes | dict[str, object]] = {
        "lab.csv": HEADER + scores + more,
        "ae.csv": "id,from,to,what,grade\n" + rows,
    }
    visits: list[dict[str, object]] = only_course(imported_from(tmp_path, files, mapping))["visits"]
    return visits


def test_an_event_is_listed_when_it_began_and_until_its_end(tmp_path: Path) -> None:
    visits = event_rows(tmp_path, "1,2026-01-20,2026-03-05,diarrhea,2\n")
    assert ["adverse_events" in visit for visit in visits] == [False, True, True, False]
    visits = event_rows(tmp_path, "1,2026-01-20,,diarrhea,2\n")
    assert ["adverse_events" in visit for visit in visits] == [False, True, True, True]


def test_a_visit_with_an_event_that_cannot_be_read_has_no_list(tmp_path: Path) -> None:
    fine, other = "1,2026-01-20,2026-01-22,diarrhea,2\n", "1,2026-01-25,2026-01-26,headache,\n"
    visits = event_rows(tmp_path, fine + other)
    assert not any("adverse_events" in visit for visit in visits)


def test_a_danger_is_listed_also_beside_an_event_that_cannot_be_read(tmp_path: Path) -> None:
    rows = "1,2026-02-05,2026-02-06,angioedema,\n1,2026-02-04,2026-02-06,headache,\n"
    visits = event_rows(tmp_path, rows)
    assert visits[1]["adverse_events"] == [{"term": "angioedema"}]


def test_a_danger_is_listed_also_where_its_end_cannot_be_read(tmp_path: Path) -> None:
    visits = event_rows(tmp_path, "1,2026-02-05,2026-04,venous thromboembolism,\n")
    assert visits[1]["adverse_events"] == [{"term": "venous thromboembolism"}]
    assert all("adverse_events" not in visits[place] for place in (0, 2, 3))
    visits = event_rows(tmp_path, "1,2026-01-20,2026-04,diarrhea,2\n")
    assert not any("adverse_events" in visit for visit in visits)


def test_the_end_of_a_missed_period_is_reported(tmp_path: Path) -> None:
    visits = event_rows(tmp_path, "1,2026-01-20,2026-02-10,Missed period,\n")
    assert [visit["date"] for visit in visits][1] == "2026-01-20"
    assert [visit.get("adverse_events") for visit in visits] == [
        None,
        [{"term": "Missed period"}],
        [{"term": "Missed period"}],
        [{"term": "Missed period", "resolved": True}],
        None,
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tables = 1", "tables"),
        ('[[table]]\nrows = "rows"\ncolumns = {}', "table[0].rows"),
        ('[[table]]\nrows = "patients"\ncolumns = { age = "a" }', "table[0].columns.patient"),
        ('[[table]]\nrows = "patients"\ncolumns = { patient = "p", ages = "a" }', "columns.ages"),
        ('[values]\nyes = ["1"]\nno = ["1"]', "values.no[0]"),
        ("[values]\nmissing = [-99]", "values.missing[0]"),
        ('[values]\ndates = ["%d/%m/%y"]', "values.dates[0]"),
        ('[values]\nctcae = "5"', "values.ctcae"),
        ("[values]\nevery_days = { BID = 0 }", "values.every_days.BID"),
        ('[[fhir.codes]]\nsystem = "s"\ncode = "c"\nfield = "wbc"', "fhir.codes[0].field"),
        ("not toml", "line 1"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(DocumentError) as error:
        load_mapping(tmp_path / "map.toml")
    assert any(place in fault.place for fault in error.value.faults), error.value


def test_a_column_that_the_file_named_by_the_mapping_does_not_have_is_refused(
    tmp_path: Path,
) -> None:
    mapping = LONG.replace('rows = "results"', 'rows = "results"\nfile = "lab*"')
    with pytest.raises(DocumentError, match="no column 'sign'"):
        imported_from(tmp_path, {"lab.csv": HEADER.replace("sign", "bound")}, mapping)


@pytest.mark.parametrize("page", ["tables", "fhir"])
def test_the_mappings_of_the_pages_are_read(tmp_path: Path, page: str) -> None:
    text = (ROOT / "docs" / "howto" / f"{page}.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "map.toml").write_text(block, "utf-8")
        assert load_mapping(tmp_path / "map.toml") != load_mapping()
