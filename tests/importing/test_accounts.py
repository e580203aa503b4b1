"""Whatever the input, every record is accounted for once, and every course is one that is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.imports import mapping_of
from tests.support.paths import ROOT

from lenadose import course_data, load_course, read_course
from lenadose.formats import fhir_codes as codes
from lenadose.importing import mapping as mappings
from lenadose.importing.courses import Imported, import_courses
from lenadose.terms.errors import PRINTABLE

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(
    max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(imported: Imported, records: int) -> None:
    assert len(imported.records) == records
    places = [record.place for record in imported.records]
    assert len({*places}) == len(places)
    left_out = [record for record in imported.records if not record.used]
    assert imported.used + len(left_out) == records
    for record in imported.records:
        assert record.notes, record.place
        assert all(PRINTABLE.match(str(note)) for note in record.notes), record
    for course in imported.courses.values():
        assert read_course(json.loads(json.dumps(course_data(course)))) == course
    assert all(PRINTABLE.match(str(fault)) for fault in imported.faults)


# Tables

days = st.dates().map(str) | st.sampled_from(
    ["2026-01-05", "2026-01-05T08:00", "2026-02-02", "2026-03", "", "31/12/2026", "2026-02-30"]
)
numbers = st.sampled_from(
    ["3.2", "0.4", "<0.5", ">60", "-99", "1e400", "NaN", "0", "12", "71", "3,2", "≤1", "9" * 50]
)
units = st.sampled_from(["10*9/L", "/uL", "G/L", "", "mg/dL", "kg", "mL/min", "umol/L", "mg"])
oddities = st.text(max_size=8) | st.sampled_from(["NOT DONE", "yes", "[]", "{}", "null", "QD"])
tests = st.sampled_from(["NEUT", "PLAT", "CREAT", "HCG", "WEIGHT", "CLASI", "DAMAGE", "ALT", ""])
terms = st.sampled_from(
    ["diarrhea", "angioedema", "pregnancy", "DVT", "missed period", "rash", "neutropenia", ""]
)
grades = st.sampled_from(["1", "2", "3", "4", "6", "", "mild", "2.0"])
lists = st.sampled_from(
    ["[]", '[{"term": "rash", "grade": 2, "ctcae": "5.0"}]', '[{"result": "negative"}]', "[1]", "{"]
)
patients = st.sampled_from(["1", "2", "", " 1 "])


def table(domain: str, **columns: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    cells = {
        name: values | oddities if name != "USUBJID" else values for name, values in columns.items()
    }
    rows = st.lists(st.fixed_dictionaries({"DOMAIN": st.just(domain), **cells}), max_size=6)
    return rows.map(lambda each: {"names": ["DOMAIN", *columns], "rows": each})


SDTM = st.tuples(
    table("LB", USUBJID=patients, LBDTC=days, LBTESTCD=tests, LBORRES=numbers, LBORRESU=units),
    table("VS", USUBJID=patients, VSDTC=days, VSTESTCD=tests, VSORRES=numbers, VSORRESU=units),
    table("AE", USUBJID=patients, AESTDTC=days, AEENDTC=days, AEDECOD=terms, AETOXGR=grades),
    table(
        "EX",
        USUBJID=patients,
        EXSTDTC=days,
        EXENDTC=days,
        EXTRT=st.just("LENALIDOMIDE"),
        EXDOSE=numbers,
        EXDOSU=units,
        EXDOSFRQ=st.sampled_from(["QD", "QOD", "BID"]),
    ),
    table("DM", USUBJID=patients, AGE=st.sampled_from(["44", "12"]), SEX=st.sampled_from("FMU")),
)
VISITS = st.lists(
    st.fixed_dictionaries(
        {
            "patient": patients,
            "date": days,
            "clasi_activity": numbers | oddities,
            "neutrophils": numbers,
            "neutrophils_unit": units,
            "neutrophils_date": days,
            "pregnancy_tests": lists | oddities,
            "adverse_events": lists | oddities,
            "dosage_taken_mg": numbers,
            "dosage_taken_every_days": numbers | oddities,
            "doses_missed": numbers,
            "judgement": st.sampled_from(["worse", "", "fine"]),
            "judgement_reason": oddities,
            "stopped": oddities,
            "age": numbers,
            "able_to_become_pregnant": oddities,
        }
    ),
    max_size=6,
)


def as_csv(names: list[str], rows: list[dict[str, str]]) -> str:
    lines = [names, *([row[name] for name in names] for row in rows)]
    quoted = (
        [f'"{cell}"' for cell in (each.replace('"', '""') for each in line)] for line in lines
    )
    return "".join(",".join(line) + "\r\n" for line in quoted)


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_bytes(text.encode("utf-8", "replace"))
    return str(path)


MAP = """
[[table]]
rows = "results"
where = { DOMAIN = "LB" }
lenient = true
columns = { patient = "USUBJID", date = "LBDTC", test = "LBTESTCD", value = "LBORRES", unit = "LBORRESU" }
tests = { CLASI = "clasi_activity", DAMAGE = "clasi_damage", NEUT = "neutrophils", CREAT = "creatinine", HCG = "pregnancy_tests" }
[values]
ctcae = "5.0"
missing = ["-99"]
terms = { DVT = "venous thromboembolism" }
"""  # noqa: E501  # as in a mapping file


def rows_are_accounted_for(folder: Path, tables: tuple[dict[str, Any], ...]) -> None:
    paths, count = [], 0
    for number, each in enumerate(tables):
        paths.append(write(folder, f"{number}.csv", as_csv(each["names"], each["rows"])))
        # A table without rows is named itself: it does not say that there was nothing.
        count += len(each["rows"]) or 1
    for text in (None, MAP):
        check(import_courses(paths, mapping_of(folder, text)), count)


@FEW
@given(tables=SDTM)
def test_hostile_rows_of_a_trial_are_accounted_for(
    tmp_path: Path, tables: tuple[dict[str, Any], ...]
) -> None:
    rows_are_accounted_for(tmp_path, tables)


@FEW
@given(rows=VISITS)
def test_hostile_rows_of_visits_are_accounted_for(
    tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    visits_are_accounted_for(tmp_path, rows)


def visits_are_accounted_for(folder: Path, rows: list[dict[str, str]]) -> None:
    names = [*rows[0]] if rows else ["patient", "date"]
    path = write(folder, "visits.csv", as_csv(names, rows))
    check(import_courses([path], mappings.load_mapping()), len(rows) or 1)


# FHIR

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 4000) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
coded = st.sampled_from(
    (
        *codes.OWN_CODES,
        *(each for known in codes.RESULT_CODES.values() for each in known),
        *codes.PREGNANCY_TEST_CODES,
        codes.CREATININE,
        codes.BODY_WEIGHT,
        codes.POSITIVE,
        codes.NEGATIVE,
    )
).map(lambda code: {"coding": [{"system": code.system, "code": code.code}]})
concepts = coded | st.builds(lambda text: {"text": text}, terms) | json_values
references = st.sampled_from(
    ["Patient/p", "Patient/q", "urn:uuid:p", "#p", "Encounter/e", "Group/g", "Observation/a", ""]
).map(lambda text: {"reference": text})
periods = st.fixed_dictionaries({}, optional={"start": days, "end": days}) | json_values
quantities = st.fixed_dictionaries(
    {},
    optional={
        "value": st.sampled_from([3.2, 0.4, 5, 0, -1, 1e300, "3"]) | json_values,
        "unit": units,
        "system": st.just(codes.UCUM) | oddities,
        "code": units,
        "comparator": st.sampled_from(["<", ">=", "about"]),
    },
)
timings = st.fixed_dictionaries(
    {},
    optional={
        "repeat": st.fixed_dictionaries(
            {},
            optional={
                "frequency": st.integers(0, 2),
                "period": st.integers(0, 3),
                "periodUnit": st.sampled_from(["d", "wk", "h"]),
            },
        )
        | json_values
    },
)
dosages = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "timing": timings,
            "doseAndRate": st.lists(
                st.fixed_dictionaries({"doseQuantity": quantities}), max_size=2
            ),
        },
    ),
    max_size=2,
)
extensions = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from([codes.GRADE, codes.EDITION])},
        optional={"valueInteger": st.integers(0, 6), "valueString": st.sampled_from(["5.0", "x"])},
    ),
    max_size=2,
)
ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["a", "b", "e", "p", "q"]) | json_values,
    "status": st.sampled_from(["final", "completed", "active", "not-taken", "entered-in-error"]),
    "subject": references,
    "encounter": references,
    "context": references,
    "code": concepts,
    "type": st.lists(coded, max_size=2),
    "valueQuantity": quantities,
    "valueInteger": st.integers(-1, 80) | json_values,
    "valueCodeableConcept": concepts,
    "valueBoolean": st.booleans(),
    "valueString": oddities,
    "effectiveDateTime": days | json_values,
    "effectivePeriod": periods,
    "period": periods,
    "component": st.lists(
        st.fixed_dictionaries({"code": coded, "valueQuantity": quantities}), max_size=2
    ),
    "result": st.lists(references, max_size=2),
    "dataAbsentReason": concepts,
    "event": concepts,
    "date": days,
    "onsetDateTime": days,
    "abatementDateTime": days,
    "extension": extensions,
    "outcome": concepts,
    "birthDate": days,
    "gender": st.sampled_from(["female", "male", "x"]),
    "medicationCodeableConcept": coded | st.just({"text": "lenalidomide"}),
    "medicationReference": references,
    "dosage": dosages | st.fixed_dictionaries({"dose": quantities}),
    "dosageInstruction": dosages,
    "whenHandedOver": days,
    "daysSupply": quantities,
    "identifier": st.lists(
        st.fixed_dictionaries({"system": st.just(codes.PATIENT_ID), "value": oddities}), max_size=1
    ),
    "contained": st.lists(
        st.fixed_dictionaries({"resourceType": st.just("Patient"), "id": st.just("p")}), max_size=1
    ),
}
TYPES = [
    "Patient", "Encounter", "Observation", "Observation", "Observation", "DiagnosticReport",
    "Condition", "AdverseEvent", "MedicationStatement", "MedicationAdministration",
    "MedicationDispense", "Medication", "Practitioner",
]  # fmt: skip
resources = st.fixed_dictionaries({"resourceType": st.sampled_from(TYPES)}, optional=ELEMENTS)
entries = st.lists(
    st.fixed_dictionaries(
        {"resource": resources | json_values}, optional={"fullUrl": st.just("urn:uuid:p")}
    )
    | json_values,
    min_size=1,
    max_size=8,
)


def entries_are_accounted_for(folder: Path, found: list[Any]) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": found}
    path = write(folder, "in.json", json.dumps(bundle))
    check(import_courses([path]), len(found))


@FEW
@given(found=entries)
def test_hostile_resources_are_accounted_for(tmp_path: Path, found: list[Any]) -> None:
    entries_are_accounted_for(tmp_path, found)


@pytest.mark.slow
@MANY
@given(tables=SDTM, rows=VISITS, found=entries)
def test_many_hostile_records_are_accounted_for(
    tmp_path: Path,
    tables: tuple[dict[str, Any], ...],
    rows: list[dict[str, str]],
    found: list[Any],
) -> None:
    rows_are_accounted_for(tmp_path, tables)
    visits_are_accounted_for(tmp_path, rows)
    entries_are_accounted_for(tmp_path, found)


@FEW
@given(text=st.binary(max_size=200))
def test_any_bytes_are_named_or_read(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(text)
    imported = import_courses([str(path)])
    assert not imported.courses


def test_a_course_of_this_library_is_not_taken_for_fhir() -> None:
    path = ROOT / "examples" / "courses" / "missed-doses.json"
    assert load_course(path)
    imported = import_courses([str(path)])
    assert not imported.courses
    assert "a course of this library" in str(imported.records[0].notes[0])
