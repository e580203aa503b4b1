"""Every reason for leaving a record out has an input that triggers it."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.imports import (
    PATIENT,
    Data,
    bundle,
    imported_from,
    observation,
    quantity,
    told,
)

from lenadose.formats import fhir_codes as codes
from lenadose.formats.fhir_codes import Code
from lenadose.importing.findings import LeftOut

VISITS = "patient,date,clasi_activity,"
SCORE = observation(codes.CLASI_ACTIVITY.key, "2026-01-05", valueInteger=12)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("neutrophils", "3.2", "a number without its unit"),
        ("pregnancy_tests", "{}", "is not a list"),
        ("pregnancy_tests", "[", "is not JSON"),
        ("pregnancy_tests", '[{""result"": ""maybe""}]', "'maybe'"),
        ("pregnancy_tests", '[{""result"": ""negative"", ""date"": ""x""}]', "is not a date"),
        (
            "pregnancy_tests",
            '[{""result"": ""negative"", ""date"": ""2026-03-01""}]',
            "after the visit",
        ),
        ("pregnancy_tests", "[1.5]", "is not an object"),
        ("adverse_events", '[{""term"": ""DVT""}]', "known here by another name"),
        ("dosage_taken_mg", "500", "outside its range"),
        ("dosage_taken_mg", "5", "an amount without its frequency"),
        ("judgement", "worse", "reason"),
        ("able_to_become_pregnant", "perhaps", "is not yes or no"),
        ("age", "forty", "is not a whole number"),
        ("antiphospholipid", "maybe", "'maybe'"),
        ("doses_missed", "1.5", "is not a whole number"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    rows = f'{VISITS}{column}\n1,2026-01-05,12,\n1,2026-02-05,12,"{cell}"\n'
    imported = imported_from(tmp_path, {"v.csv": rows})
    left_out = [note for note in told(imported)["v.csv: row 2"] if note.startswith("left out")]
    assert any(reason in note for note in left_out), told(imported)
    (course,) = imported.courses.values()
    assert course.visits[1].clasi_activity == 12


@pytest.mark.parametrize(("age", "unit"), [("12", "YEARS"), ("30", "MONTHS"), ("130", "YEARS")])
def test_a_patient_outside_the_protocol_is_refused(tmp_path: Path, age: str, unit: str) -> None:
    files: dict[str, Any] = {
        "dm.csv": f"DOMAIN,USUBJID,AGE,AGEU\nDM,1,{age},{unit}\n",
        "v.csv": f"{VISITS}stopped\n1,2026-01-05,12,\n2,2026-01-05,12,\n",
    }
    imported = imported_from(tmp_path, files)
    assert [*imported.courses] == ["2"]
    assert "patient '1': patient.age" in imported.faults[0].place


@pytest.mark.parametrize(
    ("start", "end", "dose", "unit", "often", "reason"),
    [
        ("2026-01-05", "2026-02-04", "5", "g", "QD", "the unit is 'g'"),
        ("2026-01-05", "2026-02-04", "5", "mg", "BID", "frequency 'BID' is not known"),
        ("2026-01-05", "2026-02-04", "5", "mg", "", "frequency null is not known"),
        ("2026-01-05", "2026-02", "5", "mg", "QD", "not a whole date"),
        ("2026-01-05", "2026-01-20", "5", "mg", "QD", "15 days are without a record"),
        ("2025-12-05", "2026-02-04", "5", "mg", "QD", "a record begins before treatment"),
        ("2026-02-06", "2026-02-28", "5", "mg", "QD", "no visit follows it"),
        ("", "2026-02-04", "5", "mg", "QD", "no date"),
    ],
)
def test_a_dosage_that_is_not_plain_says_why(
    tmp_path: Path, start: str, end: str, dose: str, unit: str, often: str, reason: str
) -> None:
    exposure = (
        "DOMAIN,USUBJID,EXTRT,EXDOSE,EXDOSU,EXDOSFRQ,EXSTDTC,EXENDTC\n"
        f"EX,1,Lenalidomide,{dose},{unit},{often},{start},{end}\nEX,1,Placebo,5,mg,QD,,\n"
    )
    visits = f"{VISITS}stopped\n1,2026-01-05,12,\n1,2026-02-05,12,\n"
    imported = imported_from(tmp_path, {"ex.csv": exposure, "v.csv": visits})
    assert any(reason in note for note in told(imported)["ex.csv: row 1"]), told(imported)
    assert "not lenalidomide" in told(imported)["ex.csv: row 2"][0]


def test_an_event_in_an_empty_list_is_a_contradiction(tmp_path: Path) -> None:
    events = "DOMAIN,USUBJID,AEDECOD,AESTDTC,AEENDTC\nAE,1,angioedema,2026-01-05,2026-01-06\n"
    visits = f"{VISITS}adverse_events\n1,2026-01-05,12,[]\n"
    imported = imported_from(tmp_path, {"ae.csv": events, "v.csv": visits})
    assert not imported.courses
    assert "none were reported, but" in imported.faults[0].reason


@pytest.mark.parametrize(
    ("term", "start", "end", "reason"),
    [
        ("", "2026-01-05", "", "without a term"),
        ("angioedema", "2026-01-05", "2026-01", "end: "),
        ("angioedema", "2026-01-05", "2026-01-01", "before it began"),
        ("rash", "2025-01-05", "2025-02-01", "is missing"),
    ],
)
def test_an_event_that_cannot_be_read_says_why(
    tmp_path: Path, term: str, start: str, end: str, reason: str
) -> None:
    events = f"DOMAIN,USUBJID,AEDECOD,AESTDTC,AEENDTC\nAE,1,{term},{start},{end}\n"
    visits = f"{VISITS}stopped\n1,2026-01-05,12,\n"
    imported = imported_from(tmp_path, {"ae.csv": events, "v.csv": visits})
    assert any(reason in note for note in told(imported)["ae.csv: row 1"]), told(imported)
    assert not imported.is_whole


def of(code: Code, **value: Any) -> Data:
    return observation(code.key, "2026-01-05", **value)


def statement(**more: Any) -> Data:
    dose = {"doseQuantity": {"value": 5, "unit": "mg"}}
    dosage = {
        "timing": {"code": {"coding": [{"system": "s", "code": "QD"}]}},
        "doseAndRate": [dose],
    }
    return {
        "resourceType": "MedicationStatement",
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": codes.RXNORM, "code": "602910"}]},
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": "2026-01-05", "end": "2026-02-01"},
        "dosage": [dosage],
        **more,
    }


def visit(**more: Any) -> Data:
    return {
        "resourceType": "Encounter",
        "type": [{"coding": [{"system": codes.OWN, "code": "visit"}]}],
        "subject": {"reference": "Patient/p"},
        **more,
    }


COUNT = codes.RESULT_CODES["neutrophils"][0]
PERIOD = {"start": "2026-01-05", "end": "2026-01-06"}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (of(codes.JUDGEMENT), "it has no value|is missing"),
        (of(codes.DOSES_MISSED, valueString="2"), "is not a number"),
        (of(codes.CLASI_DAMAGE, **quantity(3, "cm")), "is not the unit of a score"),
        (of(codes.CLASI_DAMAGE, **quantity(3, "{score}", comparator="<")), "only a bound"),
        (of(codes.TREATMENT_ENDED), "no value that can be read"),
        (of(codes.ADVERSE_EVENTS, valueString="some"), "with an answer that is not none"),
        (of(codes.SUBTYPE), "it has no value"),
        (of(codes.AGE), "it has no value"),
        (of(codes.PROTOCOL), "no text"),
        (of(COUNT, valueString="3.2 10*9/L"), "valueString holds no number"),
        (of(COUNT, **quantity(3.2, "10*9/L", comparator=1)), "comparator"),
        (of(COUNT), "it has no value"),
        (of(COUNT) | {"effectivePeriod": PERIOD, "effectiveDateTime": None}, "is not one day"),
        (of(COUNT) | {"effectiveTiming": {}, "effectiveDateTime": None}, "is not one day"),
        (of(COUNT) | {"subject": None}, "no reference to a patient"),
        (of(COUNT) | {"subject": {"reference": "urn:uuid:x"}}, "names no resource"),
        (of(COUNT) | {"subject": {"reference": "Group/1"}}, "of a Group"),
        (observation(codes.CLASI_ACTIVITY.key, None, valueInteger=3), "no date"),
        (visit(), "a visit without a date"),
        (visit(period={"start": "2026"}), "not a whole date"),
        (visit(period={"start": "2026-01-05"}, status="cancelled"), "cancelled"),
        (visit(type=[]), "by itself it is no visit"),
        (statement(status="on-hold"), "does not say that it was taken"),
        (statement(effectivePeriod={"start": "2026-01-05"}), "no end of the time"),
        (statement(effectivePeriod={}), "no date"),
        (statement(dosage=[{"asNeededBoolean": True, "doseAndRate": [{}]}]), "as needed"),
        (statement(dosage=[{"doseAndRate": []}]), "0 doses"),
        (statement(dosage=[{"doseAndRate": [{}]}]), "no dose"),
        ({"resourceType": "Practitioner"}, "needs nothing of a Practitioner"),
        ({"resourceType": "Immunization"}, "needs nothing of an Immunization"),
        (of(COUNT) | {"subject": {"reference": "Organization/1"}}, "of an Organization"),
        ({"resourceType": "DiagnosticReport"}, "read from their Observations"),
        (statement(resourceType="AdverseEvent", status=None, actuality="potential"), "potential"),
        (statement(resourceType="Condition", code={"text": "Asthma"}), "no CTCAE grade"),
        (
            {
                "resourceType": "Condition",
                "subject": SCORE["subject"],
                "code": {"text": "Angioedema"},
                "onsetDateTime": "2026-01-05",
                "verificationStatus": {"coding": [{"system": "s", "code": "provisional"}]},
            },
            "is only provisional",
        ),
        ({"resourceType": "MedicationRequest"}, "an order does not say"),
    ],
)  # fmt: skip
def test_a_resource_that_cannot_be_used_is_named(
    tmp_path: Path, resource: Data, reason: str
) -> None:
    resource = {key: value for key, value in resource.items() if value is not None}
    second = observation(codes.CLASI_ACTIVITY.key, "2026-02-02", valueInteger=9)
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, second, resource)})
    notes = [*told(imported).values()][-1]
    assert any(part in note for note in notes for part in reason.split("|")), notes
    assert all(note.startswith("left out") for note in notes)
    assert len(imported.courses) == 1


def test_the_words_of_a_timing_are_read_by_the_mapping(tmp_path: Path) -> None:
    second = observation(codes.CLASI_ACTIVITY.key, "2026-02-02", valueInteger=9)
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, second, statement())})
    (course,) = imported.courses.values()
    taken = course.visits[1].dosage_taken
    assert taken is not None
    assert str(taken.dosage) == "5 mg once daily"


def test_a_code_with_two_meanings_is_left_out(tmp_path: Path) -> None:
    both = of(COUNT, **quantity(3.2, "10*9/L"))
    both["code"]["coding"].append({"system": codes.LOINC, "code": "777-3"})
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, both)})
    assert "its codes mean neutrophils and platelets" in str(told(imported))


def test_an_age_of_our_own_code_that_is_a_childs_refuses_the_patient(tmp_path: Path) -> None:
    age = observation(codes.AGE.key, None, valueInteger=12)
    imported = imported_from(
        tmp_path, {"in.json": bundle({**PATIENT, "birthDate": None}, SCORE, age)}
    )
    assert not imported.courses


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([], "weight is missing"),
        ([of(codes.BODY_WEIGHT, **quantity(60, "stone"))], "cannot be read"),
        ([observation(codes.BODY_WEIGHT.key, "2025-01-05", **quantity(60, "kg"))], "is missing"),
        ([of(codes.BODY_WEIGHT, **quantity(7, "kg"))], "outside"),
    ],
)
def test_a_clearance_that_cannot_be_worked_out_says_why(
    tmp_path: Path, more: list[Data], reason: str
) -> None:
    creatinine = of(codes.CREATININE, **quantity(0.9, "mg/dL"))
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, creatinine, *more)})
    assert reason in [*told(imported).values()][2][0]
    (course,) = imported.courses.values()
    assert course.visits[0].creatinine_clearance is None


@pytest.mark.parametrize("missing", ["birthDate", "gender"])
def test_a_clearance_needs_the_age_and_the_sex(tmp_path: Path, missing: str) -> None:
    patient = {key: value for key, value in PATIENT.items() if key != missing}
    results = (
        of(codes.CREATININE, **quantity(0.9, "mg/dL")),
        of(codes.BODY_WEIGHT, **quantity(60, "kg")),
    )
    imported = imported_from(tmp_path, {"in.json": bundle(patient, SCORE, *results)})
    (course,) = imported.courses.values()
    assert course.visits[0].creatinine_clearance is None


def test_a_creatinine_that_cannot_be_read_makes_the_clearance_unknown(tmp_path: Path) -> None:
    clearance = observation(("http://loinc.org", "35591-7"), "2026-01-03", **quantity(90, "mL/min"))
    creatinine = of(codes.CREATININE, **quantity(0.9, "mg"))
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, clearance, creatinine)})
    (course,) = imported.courses.values()
    assert course.visits[0].creatinine_clearance is None


def test_two_patients_with_one_id_are_refused(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "in.json": bundle(PATIENT, SCORE),
        "v.csv": f"{VISITS}stopped\np,2026-01-05,12,\n",
    }
    imported = imported_from(tmp_path, files)
    assert not imported.courses
    assert imported.refused == 2
    assert imported.used == 0


def test_an_observation_contained_in_a_report_is_read(tmp_path: Path) -> None:
    count = of(COUNT, **quantity(3.2, "10*9/L")) | {"id": "n"}
    del count["effectiveDateTime"]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-04",
        "contained": [count],
        "result": [{"reference": "#n"}],
    }
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, report)})
    assert "in.json: entry 3 (DiagnosticReport/r), contained 1" in told(imported)
    (course,) = imported.courses.values()
    assert str(course.visits[0].counted[0].on) == "2026-01-04"  # type: ignore[union-attr]


def test_an_estimated_rate_is_known_by_its_name(tmp_path: Path) -> None:
    rate = observation(("urn:local", "x"), "2026-01-05", **quantity(80, "mL/min"))
    rate["code"]["text"] = "eGFR (CKD-EPI)"
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, rate)})
    assert "not a clearance after Cockcroft and Gault" in str(told(imported))


def test_a_grade_of_another_extension_is_read_under_a_mapping(tmp_path: Path) -> None:
    event = {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "event": {"text": "diarrhea"},
        "subject": {"reference": "Patient/p"},
        "date": "2026-01-05",
        "extension": [
            {"url": "urn:grade", "valueCodeableConcept": {"coding": [{"system": "s", "code": "2"}]}}
        ],
    }
    mapping = '[fhir]\ngrade = "urn:grade"\n[values]\nctcae = "5.0"\n'
    imported = imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, event)}, mapping)
    (course,) = imported.courses.values()
    assert [event.grade for event in course.visits[0].adverse_events or ()] == [2]


def fixes(imported: Any) -> list[str]:
    notes = [note for record in imported.records for note in record.notes]
    return [str(note) for note in notes if isinstance(note, LeftOut)]


@pytest.mark.parametrize(
    ("resource", "fix"),
    [
        (of(COUNT, **quantity(3.2, "x10E3/uL")), "or translate the unit in a mapping file"),
        (of(COUNT, **quantity(3.2, "")), "for a table"),
        (of(COUNT) | {"effectiveDateTime": "2026-01"}, "whole date; give the day too"),
        (of(COUNT) | {"effectiveDateTime": "5.1.2026"}, "is not a date; write it as 2026-01-05"),
        (statement(resourceType="Condition", code={"text": "Angioedema"}), "give onsetDateTime"),
    ],
)
def test_a_fix_is_one_that_helps(tmp_path: Path, resource: Data, fix: str) -> None:
    (told_of,) = fixes(imported_from(tmp_path, {"in.json": bundle(PATIENT, SCORE, resource)}))
    assert fix in told_of
    assert "values.dates" not in told_of


def test_what_was_not_read_is_not_said_to_be_no(tmp_path: Path) -> None:
    rows = f"{VISITS}able_to_become_pregnant\n1,2026-01-05,12,perhaps\n"
    (told_of,) = fixes(imported_from(tmp_path, {"v.csv": rows}))
    assert "left out: able to become pregnant: 'perhaps' is not yes or no; give yes" in told_of
