"""FHIR R4 in: which resources are used, and how."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.imports import (
    PATIENT,
    Data,
    bundle,
    imported_from,
    observation,
    only_course,
    quantity,
    told,
)

from lenadose import replay
from lenadose.formats import fhir_codes as codes
from lenadose.importing.courses import import_courses

NEUTROPHILS, PLATELETS = ("http://loinc.org", "751-8"), ("http://loinc.org", "777-3")
CLASI = codes.CLASI_ACTIVITY.key
HCG = ("http://loinc.org", "2106-3")
MODIFIED: Data = {
    "modifierExtension": [{"url": "http://hospital.example/not", "valueBoolean": True}]
}


def read(tmp_path: Path, *resources: Data, mapping: str | None = None) -> Any:
    return imported_from(tmp_path, {"in.json": bundle(PATIENT, *resources)}, mapping)


def notes_of(tmp_path: Path, resource: Data, mapping: str | None = None) -> list[str]:
    """Return the notes of a resource beside a score of 2026-01-05."""
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    return [*told(read(tmp_path, score, resource, mapping=mapping)).values()][-1]


def visit_of(tmp_path: Path, *resources: Data, mapping: str | None = None) -> Data:
    """Return the one visit of resources beside a score of 2026-01-05."""
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    (visit,) = only_course(read(tmp_path, score, *resources, mapping=mapping))["visits"]
    return visit


def test_a_result_is_known_by_system_and_code(tmp_path: Path) -> None:
    count = quantity(3.2, "x10*9/L", system=codes.UCUM, code="10*9/L")
    found = visit_of(tmp_path, observation(NEUTROPHILS, "2026-01-03", **count))
    assert found["neutrophils"] == {"value": 3.2, "unit": "x10*9/L", "date": "2026-01-03"}
    other = observation(("http://hospital.example", "751-8"), "2026-01-03", **count)
    assert "neutrophils" not in visit_of(tmp_path, other)


def test_the_code_of_a_quantity_counts_before_its_unit(tmp_path: Path) -> None:
    count = quantity(3200, "10*9/L", system=codes.UCUM, code="/uL")
    found = visit_of(tmp_path, observation(NEUTROPHILS, "2026-01-05", **count))
    assert found["neutrophils"] == {"value": 3200, "unit": "/uL"}
    of_another_system = quantity(3.2, "10*9/L", system="urn:local", code="/uL")
    found = visit_of(tmp_path, observation(NEUTROPHILS, "2026-01-05", **of_another_system))
    assert found["neutrophils"]["unit"] == "10*9/L"


def test_a_comparator_makes_a_bound_and_one_that_leaves_a_limit_open_is_not_used(
    tmp_path: Path,
) -> None:
    below = observation(NEUTROPHILS, "2026-01-05", **quantity(0.5, "10*9/L", comparator="<"))
    assert visit_of(tmp_path, below)["neutrophils"]["comparator"] == "<"
    (note,) = notes_of(
        tmp_path, observation(PLATELETS, "2026-01-05", **quantity(60, "10*9/L", comparator=">"))
    )
    assert "leaves open" in note


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "unknown", None])
def test_only_results_that_are_there_count(tmp_path: Path, status: str | None) -> None:
    count = observation(NEUTROPHILS, "2026-01-05", **quantity(3.2, "10*9/L"))
    count["status"] = status
    assert "neutrophils" not in visit_of(tmp_path, count)


def test_an_absent_value_is_unknown_and_makes_an_older_one_unknown(tmp_path: Path) -> None:
    older = observation(NEUTROPHILS, "2026-01-03", **quantity(3.2, "10*9/L"))
    reason = {"dataAbsentReason": {"coding": [{"system": "s", "code": "error"}]}}
    lost = observation(NEUTROPHILS, "2026-01-05", **reason)
    assert "neutrophils" not in visit_of(tmp_path, older, lost)
    reason["dataAbsentReason"]["coding"][0]["code"] = "not-performed"
    not_done = observation(NEUTROPHILS, "2026-01-05", **reason)
    assert visit_of(tmp_path, older, not_done)["neutrophils"]["value"] == 3.2


def test_a_late_report_that_cannot_be_read_leaves_a_newer_result_known(tmp_path: Path) -> None:
    """It belongs to the second visit, but the result of the first is newer."""
    encounter = {
        "resourceType": "Encounter",
        "id": "second",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": PATIENT,
        "period": {"start": "2026-02-02"},
    }
    known = observation(NEUTROPHILS, "2026-01-05", **quantity(3.2, "10*9/L"))
    first = observation(CLASI, "2026-01-05", valueInteger=12)
    score = observation(CLASI, "2026-02-02", valueInteger=9)
    at_second = {"encounter": {"reference": "Encounter/second"}}
    for day, unreadable in (("2026-01-03", None), ("2026-01-05", ["neutrophils"])):
        lost = observation(NEUTROPHILS, day, **quantity(3.2, "furlongs"), **at_second)
        visits = only_course(read(tmp_path, encounter, known, first, score, lost))["visits"]
        assert visits[1].get("unreadable") == unreadable, day


def test_an_undated_result_has_the_day_of_its_report_or_is_left_out(tmp_path: Path) -> None:
    count = observation(NEUTROPHILS, None, **quantity(3.2, "10*9/L"), id="n")
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-04T23:30:00+02:00",
        "result": [{"reference": "Observation/n"}],
    }
    found = visit_of(tmp_path, count, report)
    assert found["neutrophils"]["date"] == "2026-01-04"
    assert "undated; its day is that of DiagnosticReport/r" in str(
        told(read(tmp_path, count, report))
    )
    (note,) = notes_of(tmp_path, count)
    assert "neither it nor one report that lists it has a date" in note


def test_a_report_in_error_gives_no_date(tmp_path: Path) -> None:
    count = observation(NEUTROPHILS, None, **quantity(3.2, "10*9/L")) | {"id": "n"}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-04",
        "result": [{"reference": "Observation/n"}],
    }
    assert "neutrophils" in visit_of(tmp_path, count, report)
    for unclear in ({"status": "entered-in-error"}, MODIFIED):
        assert "neutrophils" not in visit_of(tmp_path, count, {**report, **unclear})


def test_components_are_read_each_by_its_code(tmp_path: Path) -> None:
    panel = observation(("http://loinc.org", "58410-2"), "2026-01-05")
    panel["component"] = [
        {"code": {"coding": [{"system": system, "code": code}]}, **quantity(value, "10*9/L")}
        for (system, code), value in ((NEUTROPHILS, 3.2), (PLATELETS, 240))
    ]
    found = visit_of(tmp_path, panel)
    assert (found["neutrophils"]["value"], found["platelets"]["value"]) == (3.2, 240)


def test_a_pregnancy_test_is_read_by_its_coded_result_and_never_by_a_number(
    tmp_path: Path,
) -> None:
    coded = {"valueCodeableConcept": {"coding": [{"system": codes.SNOMED, "code": "260385009"}]}}
    found = visit_of(tmp_path, observation(HCG, "2026-01-05", **coded))
    assert found["pregnancy_tests"] == [{"result": "negative"}]
    (note,) = notes_of(tmp_path, observation(HCG, "2026-01-05", **quantity(3, "m[IU]/mL")))
    assert "a number is never read" in note
    elsewhere = observation(("http://snomed.info/sct", "2106-3"), "2026-01-05", **coded)
    assert "pregnancy_tests" not in visit_of(tmp_path, elsewhere)


def test_a_pregnancy_test_of_both_results_is_not_read_by_its_text(tmp_path: Path) -> None:
    coding = [
        {"system": "http://snomed.info/sct", "code": code} for code in ("10828004", "260385009")
    ]
    both = {"coding": coding, "text": "Negative"}
    (note,) = notes_of(tmp_path, observation(HCG, "2026-01-05", valueCodeableConcept=both))
    assert "its codes mean positive and negative" in note


def test_the_day_of_a_condition_without_an_onset_is_named(tmp_path: Path) -> None:
    clot = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Venous thromboembolism"},
        "recordedDate": "2026-01-04",
    }
    assert "the day is that on which it was recorded" in notes_of(tmp_path, clot)[0]
    assert "recorded" not in notes_of(tmp_path, clot | {"onsetDateTime": "2026-01-04"})[0]


def test_a_negative_test_is_unknown_beside_one_of_that_day_that_cannot_be_read(
    tmp_path: Path,
) -> None:
    coded = {"valueCodeableConcept": {"coding": [{"system": codes.SNOMED, "code": "260385009"}]}}
    negative = observation(HCG, "2026-01-05", **coded)
    unclear = observation(HCG, "2026-01-05", valueCodeableConcept={"text": "indeterminate"})
    assert "pregnancy_tests" not in visit_of(tmp_path, negative, unclear)


@pytest.mark.parametrize(("code", "words"), [("2164-2", "urine"), ("33914-3", "MDRD")])
def test_other_clearances_are_named_and_left_out(tmp_path: Path, code: str, words: str) -> None:
    result = observation(("http://loinc.org", code), "2026-01-05", **quantity(80, "mL/min"))
    (note,) = notes_of(tmp_path, result)
    assert words in note
    assert "Cockcroft and Gault" in note


def test_a_clearance_is_worked_out_and_says_from_what(tmp_path: Path) -> None:
    creatinine = observation(codes.CREATININE.key, "2026-01-05", **quantity(0.9, "mg/dL"))
    weight = observation(codes.BODY_WEIGHT.key, "2025-12-01", **quantity(60, "kg"))
    found = visit_of(tmp_path, creatinine, weight)
    # (140 - 45) * 60 * 0.85 / (72 * 0.9) = 74.77
    assert found["creatinine_clearance"] == {"value": 74.7, "unit": "mL/min"}
    (note,) = notes_of(tmp_path, creatinine)
    assert "no clearance can be worked out: weight is missing" in note


def test_a_reported_clearance_is_not_worked_out_again(tmp_path: Path) -> None:
    reported = observation(("http://loinc.org", "35591-7"), "2026-01-05", **quantity(66, "mL/min"))
    creatinine = observation(codes.CREATININE.key, "2026-01-05", **quantity(0.9, "mg/dL"))
    weight = observation(codes.BODY_WEIGHT.key, "2025-12-01", **quantity(60, "kg"))
    found = visit_of(tmp_path, reported, creatinine, weight)
    assert found["creatinine_clearance"] == {"value": 66, "unit": "mL/min"}


def test_the_day_of_a_score_is_that_of_its_encounter(tmp_path: Path) -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:00:00Z"},
    }
    score = observation(CLASI, "2026-01-07", valueInteger=12)
    score["encounter"] = {"reference": "Encounter/e"}
    (visit,) = only_course(read(tmp_path, encounter, score))["visits"]
    assert visit["date"] == "2026-01-05"


def test_the_official_laboratory_example_is_used_by_the_date_of_its_report() -> None:
    imported = import_courses([str(Path(__file__).with_name("data") / "Bundle-101.json")])
    assert len(imported.records) == 18
    assert imported.used == 3
    (visit,) = only_course(imported)["visits"]
    assert visit == {
        "date": "2011-03-04",
        "neutrophils": {"value": 0.9, "unit": "x10*9/L"},
        "platelets": {"value": 444, "unit": "x10*9/L"},
    }
    named = [notes for place, notes in told(imported).items() if "Observation/r9" in place]
    assert "undated; its day is that of DiagnosticReport/101" in str(named)


def test_nothing_of_a_refused_patient_is_used(tmp_path: Path) -> None:
    scores = [observation(CLASI, "2026-01-05", valueInteger=value) for value in (12, 13)]
    imported = read(tmp_path, *scores)
    assert imported.used == 0
    assert "there is no course of patient 'Patient/p'" in str(told(imported))


def event(day: str | None, grade: int | None = 2, **more: Any) -> Data:
    extensions = [{"url": codes.EDITION, "valueString": "5.0"}]
    if grade is not None:
        extensions.append({"url": codes.GRADE, "valueInteger": grade})  # type: ignore[dict-item]
    return {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "event": {"text": "diarrhea"},
        "subject": {"reference": "Patient/p"},
        "extension": extensions,
        **({} if day is None else {"date": day}),
        **more,
    }


def test_an_event_needs_a_grade_and_its_severity_is_none(tmp_path: Path) -> None:
    assert visit_of(tmp_path, event("2026-01-05"))["adverse_events"] == [
        {"term": "diarrhea", "grade": 2, "ctcae": "5.0"}
    ]
    severe = event("2026-01-05", None, severity={"coding": [{"system": "s", "code": "severe"}]})
    assert "adverse_events" not in visit_of(tmp_path, event("2026-01-05"), severe)


@pytest.mark.parametrize("day", [None, "2026", "soon"])
def test_an_event_without_a_day_leaves_every_visit_without_a_list(
    tmp_path: Path, day: str | None
) -> None:
    none = {"valueCodeableConcept": {"coding": [{"system": codes.OWN, "code": "none"}]}}
    asked = observation(codes.ADVERSE_EVENTS.key, "2026-01-05", **none)
    assert visit_of(tmp_path, asked)["adverse_events"] == []
    assert "adverse_events" not in visit_of(tmp_path, asked, event(day))


def test_a_condition_is_an_event_until_it_abates(tmp_path: Path) -> None:
    condition = event(None)
    del condition["event"]
    condition |= {
        "resourceType": "Condition",
        "code": {"text": "diarrhea"},
        "onsetDateTime": "2026-01-10",
        "abatementDateTime": "2026-02-10",
    }
    scores = [observation(CLASI, f"2026-0{month}-05", valueInteger=12) for month in (1, 2, 3)]
    visits = only_course(read(tmp_path, *scores, condition))["visits"]
    assert ["adverse_events" in visit for visit in visits] == [False, True, False]


@pytest.mark.parametrize(
    "end",
    [
        {"abatementDateTime": "2026-02"},
        {
            "abatementString": "in spring",
            "clinicalStatus": {"coding": [{"system": "s", "code": "resolved"}]},
        },
    ],
)
def test_of_a_condition_with_an_unknown_end_only_a_danger_is_listed(
    tmp_path: Path, end: Data
) -> None:
    def visits(term: str) -> list[Data]:
        condition = {
            "resourceType": "Condition",
            "subject": {"reference": "Patient/p"},
            "code": {"text": term},
            "onsetDateTime": "2026-01-05",
            "extension": [
                {"url": codes.GRADE, "valueInteger": 2},
                {"url": codes.EDITION, "valueString": "5.0"},
            ],
            **end,
        }
        scores = [observation(CLASI, f"2026-0{month}-05", valueInteger=12) for month in (1, 2)]
        imported = read(tmp_path, *scores, condition)
        assert not imported.is_whole
        found: list[Data] = only_course(imported)["visits"]
        return found

    assert not any("adverse_events" in visit for visit in visits("diarrhea"))
    first, second = visits("venous thromboembolism")
    assert [each["term"] for each in first["adverse_events"]] == ["venous thromboembolism"]
    assert "adverse_events" not in second


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_condition_that_is_not_there_is_left_out(tmp_path: Path, status: str) -> None:
    condition = {
        "resourceType": "Condition",
        "code": {"text": "Angioedema"},
        "subject": {"reference": "Patient/p"},
        "onsetDateTime": "2026-01-05",
    }
    assert visit_of(tmp_path, condition)["adverse_events"] == [{"term": "Angioedema"}]
    condition["verificationStatus"] = {"coding": [{"system": "s", "code": status}]}
    assert "adverse_events" not in visit_of(tmp_path, condition)


def test_a_known_event_under_another_name_is_translated_by_the_mapping_only(
    tmp_path: Path,
) -> None:
    clot = event("2026-01-05", 3, event={"text": "Deep vein thrombosis"})
    assert "adverse_events" not in visit_of(tmp_path, clot)
    mapping = '[values.terms]\n"deep vein thrombosis" = "venous thromboembolism"\n'
    (found,) = visit_of(tmp_path, clot, mapping=mapping)["adverse_events"]
    assert found["term"] == "venous thromboembolism"
    words = "translated by the mapping to 'venous thromboembolism'"
    assert f"{words}, grade 3, from 2026-01-05" in notes_of(tmp_path, clot, mapping)[0]
    clot = event("2026-01-05", None, event={"text": "Deep vein thrombosis"})
    assert f"{words}, from 2026-01-05" in notes_of(tmp_path, clot, mapping)[0]


def statement(dose: Data | None = None, **more: Any) -> Data:
    dose = dose or {"value": 5, "unit": "mg", "system": codes.UCUM, "code": "mg"}
    repeat = {"frequency": 1, "period": 2, "periodUnit": "d"}
    return {
        "resourceType": "MedicationStatement",
        "status": "completed",
        "medicationCodeableConcept": {"text": "Lenalidomide 5 mg capsule"},
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": "2026-01-05", "end": "2026-02-01"},
        "dosage": [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}],
        **more,
    }


def second_visit(tmp_path: Path, *resources: Data) -> Data:
    scores = [observation(CLASI, f"2026-0{month}-05", valueInteger=12) for month in (1, 2)]
    visit: Data = only_course(read(tmp_path, *scores, *resources))["visits"][1]
    return visit


def test_a_plain_dosage_is_what_was_taken(tmp_path: Path) -> None:
    assert second_visit(tmp_path, statement())["dosage_taken"] == {"mg": 5, "every_days": 2}
    nothing = statement(status="not-taken")
    assert second_visit(tmp_path, nothing)["dosage_taken"] == {"mg": 0}


@pytest.mark.parametrize(
    "name", ["REVLIMID 5 mg hard capsules", "Lenalidomid Hartkapseln", "Lénalidomide 5 mg"]
)
def test_the_drug_is_known_by_its_names(tmp_path: Path, name: str) -> None:
    taken = second_visit(tmp_path, statement(medicationCodeableConcept={"text": name}))
    assert taken["dosage_taken"] == {"mg": 5, "every_days": 2}


@pytest.mark.parametrize(
    "other",
    [
        statement({"value": 1, "unit": "capsule"}),
        statement(dosage=[]),
        statement(effectivePeriod={"start": "2026-01-20", "end": "2026-02-01"}),
        statement(status="intended"),
        statement(medicationCodeableConcept={"text": "Pomalidomide"}),
        statement(resourceType="MedicationRequest"),
    ],
)
def test_a_dosage_that_is_not_plain_is_unknown(tmp_path: Path, other: Data) -> None:
    assert "dosage_taken" not in second_visit(tmp_path, other)


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
QD = {
    "coding": [{"code": "QD", "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"}]
}


def timed(**timing: Any) -> Data:
    return statement(dosage=[{**statement()["dosage"][0], "timing": timing}])


@pytest.mark.parametrize(
    "timing",
    [
        {"code": QD, "repeat": {**DAILY, "frequency": 2}},
        {"code": QD, "repeat": {**DAILY, "period": 2}},
        {"code": QD, "repeat": {"count": 21}},
        {"event": ["2026-01-05"], "repeat": DAILY},
        {"repeat": {**DAILY, "boundsPeriod": {"start": "2026-01-05", "end": "2026-01-11"}}},
        {"repeat": {**DAILY, "boundsPeriod": {"start": "2026-01-12"}}},
        {"repeat": {**DAILY, "boundsDuration": {"value": 2, "code": "wk"}}},
        {"repeat": {**DAILY, "boundsDuration": {"value": 600, "code": "h"}}},
        {"repeat": {**DAILY, "boundsDuration": {"value": 10**9, "code": "wk"}}},
    ],
)
def test_a_timing_that_contradicts_itself_or_ends_before_is_not_plain(
    tmp_path: Path, timing: Data
) -> None:
    assert "dosage_taken" not in second_visit(tmp_path, timed(**timing))


@pytest.mark.parametrize(
    "timing",
    [
        {"code": QD},
        {"code": QD, "repeat": DAILY},
        {"code": QD, "repeat": {"boundsDuration": {"value": 4, "code": "wk"}}},
        {"repeat": {**DAILY, "boundsPeriod": {"start": "2026-01-05", "end": "2026-02-01"}}},
    ],
)
def test_a_timing_may_be_said_twice_and_bounded(tmp_path: Path, timing: Data) -> None:
    taken = second_visit(tmp_path, timed(**timing))["dosage_taken"]
    assert taken == {"mg": 5, "every_days": 1}


def test_two_dosages_of_one_time_are_unknown(tmp_path: Path) -> None:
    ten = statement({"value": 10, "unit": "mg", "system": codes.UCUM, "code": "mg"})
    assert "dosage_taken" not in second_visit(tmp_path, statement(), ten)


def test_doses_given_at_equal_intervals_are_a_dosage(tmp_path: Path) -> None:
    given = [
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": {"text": "lenalidomide"},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": f"2026-01-{day:02}",
            "dosage": {"dose": {"value": 5, "unit": "mg"}},
        }
        for day in range(5, 32)
    ]
    assert second_visit(tmp_path, *given)["dosage_taken"] == {"mg": 5, "every_days": 1}
    assert "dosage_taken" not in second_visit(tmp_path, *given[:5], *given[7:])


def test_a_dispense_is_the_dosage_of_its_days(tmp_path: Path) -> None:
    handed = statement(
        resourceType="MedicationDispense",
        whenHandedOver="2026-01-05",
        daysSupply={"value": 28, "unit": "d"},
        dosageInstruction=statement()["dosage"],
    )
    assert second_visit(tmp_path, handed)["dosage_taken"] == {"mg": 5, "every_days": 2}
    del handed["daysSupply"]
    assert "dosage_taken" not in second_visit(tmp_path, handed)


def test_two_scores_of_one_day_that_differ_refuse_that_patient_alone(tmp_path: Path) -> None:
    other = {**PATIENT, "id": "q"}
    of_other = observation(CLASI, "2026-01-05", valueInteger=9)
    of_other["subject"] = {"reference": "Patient/q"}
    scores = [observation(CLASI, "2026-01-05", valueInteger=value) for value in (12, 13)]
    imported = read(tmp_path, *scores, other, of_other)
    assert [*imported.courses] == ["q"]
    assert "contradicts" in imported.faults[0].reason
    assert imported.refused == 1


def test_of_two_results_of_one_day_both_are_kept_and_the_lower_counts(tmp_path: Path) -> None:
    counts = [observation(NEUTROPHILS, "2026-01-05", **quantity(v, "10*9/L")) for v in (3.2, 1.2)]
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    imported = read(tmp_path, score, *counts)
    (course,) = imported.courses.values()
    assert [each["value"] for each in only_course(imported)["visits"][0]["neutrophils"]] == [
        3.2,
        1.2,
    ]
    counted = course.visits[0].counted[0]
    assert counted is not None
    assert counted.amount == Decimal("1.2")
    assert str(told(imported)).count("one of 2 of 2026-01-05") == 2


def test_two_resources_with_one_id_that_differ_refuse_the_patient(tmp_path: Path) -> None:
    one = observation(CLASI, "2026-01-05", valueInteger=12, id="a")
    imported = read(tmp_path, one, {**one, "valueInteger": 3})
    assert not imported.courses
    assert "differ" in imported.faults[0].reason
    again = {**one, "meta": {"versionId": "2"}, "text": {"status": "generated"}}
    assert only_course(read(tmp_path, one, again))


def test_a_resource_of_two_patients_refuses_both(tmp_path: Path) -> None:
    other = {**PATIENT, "id": "q"}
    encounter = {
        "resourceType": "Encounter",
        "id": "e",
        "subject": {"reference": "Patient/q"},
        "period": {"start": "2026-01-05"},
    }
    score = observation(
        CLASI, "2026-01-05", valueInteger=12, encounter={"reference": "Encounter/e"}
    )
    imported = read(tmp_path, other, encounter, score)
    assert not imported.courses
    assert imported.refused == 2


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"resourceType": "MedicationStatement", "medication": {}}, "FHIR R5"),
        ({"resourceType": "AdverseEvent", "status": "entered-in-error"}, "FHIR R5"),
        ({"resourceType": "Observation", "context": {}}, "FHIR STU3"),
        ({"resourceType": "MedicationDispense", "notDone": True}, "FHIR STU3"),
        ({"resourceType": "Condition", "verificationStatus": "refuted"}, "FHIR STU3"),
        ({"visits": []}, "a course of this library"),
        ({"name": "x"}, "no resourceType"),
    ],
)
def test_what_is_not_fhir_r4_is_named(tmp_path: Path, resource: Data, reason: str) -> None:
    imported = imported_from(tmp_path, {"in.json": bundle(resource)})
    ((note,),) = told(imported).values()
    assert reason in note
    assert not imported.is_whole


@pytest.mark.parametrize("unclear", [MODIFIED, {"implicitRules": "http://hospital.example/rules"}])
def test_a_resource_whose_meaning_may_be_changed_is_not_used(tmp_path: Path, unclear: Data) -> None:
    older = observation(NEUTROPHILS, "2026-01-03", **quantity(3.1, "10*9/L"))
    newer = observation(NEUTROPHILS, "2026-01-05", **quantity(3.3, "10*9/L"))
    asked = observation(
        codes.ADVERSE_EVENTS.key,
        "2026-01-05",
        valueCodeableConcept={"coding": [{"system": codes.NONE.system, "code": codes.NONE.code}]},
    )
    assert {"neutrophils", "adverse_events"} <= {*visit_of(tmp_path, older, newer, asked)}
    found = visit_of(tmp_path, older, {**newer, **unclear}, {**asked, **unclear})
    assert {*found} == {"date", "clasi_activity", "unreadable"}
    assert "dosage_taken" not in second_visit(tmp_path, {**statement(), **unclear})
    imported = imported_from(tmp_path, {"in.json": bundle({**PATIENT, **unclear}, older)})
    assert "age" not in only_course(imported).get("patient", {})


def test_a_modifier_inside_a_resource_counts_too(tmp_path: Path) -> None:
    (dosage,) = statement()["dosage"]
    assert "dosage_taken" not in second_visit(tmp_path, statement(dosage=[{**dosage, **MODIFIED}]))


def test_the_same_id_on_another_server_is_another_patient(tmp_path: Path) -> None:
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    count = observation(NEUTROPHILS, "2026-01-05", **quantity(0.4, "10*9/L"))
    absolute = {**count, "subject": {"reference": "http://other.example/fhir/Patient/p"}}

    def given(of_count: Data, at: str) -> Any:
        entries = [("Patient/p", PATIENT), ("Observation/s", score)]
        entry = [
            {"fullUrl": f"https://ehr.example/fhir/{name}", "resource": each}
            for name, each in entries
        ]
        entry.append({"fullUrl": f"{at}/Observation/n", "resource": of_count})
        data = {"resourceType": "Bundle", "type": "searchset", "entry": entry}
        return imported_from(tmp_path, {"in.json": data})

    for of_count, at in ((absolute, "https://ehr.example/fhir"), (count, "http://other.example")):
        imported = given(of_count, at)
        assert "neutrophils" not in only_course(imported)["visits"][0]
        assert "names no resource that was given" in [*told(imported).values()][-1][0]
        assert not imported.is_whole
    of_one = given(count, "http://ehr.example/fhir")
    assert "neutrophils" in only_course(of_one)["visits"][0]


@pytest.mark.parametrize("patient", ["Patient/p", "urn:uuid:1"])
def test_a_resource_of_another_version_refuses_its_patient(tmp_path: Path, patient: str) -> None:
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    clot = {"resourceType": "Condition", "clinicalStatus": "active"}
    about = {"subject": {"reference": patient}}
    entry: list[Data] = [{"resource": {**each, **about}} for each in (score, clot)]
    entry.append({"fullUrl": "urn:uuid:1", "resource": PATIENT})
    data = {"resourceType": "Bundle", "type": "collection", "entry": entry}
    imported = imported_from(tmp_path, {"in.json": data})
    assert not imported.courses
    assert "is FHIR STU3" in str(imported.faults)


def test_a_child_is_refused(tmp_path: Path) -> None:
    child = {**PATIENT, "birthDate": "2012-01-01"}
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    imported = imported_from(tmp_path, {"in.json": bundle(child, score)})
    assert not imported.courses
    assert "age" in imported.faults[0].place


def test_a_record_without_neutrophils_is_answered_with_what_is_missing(tmp_path: Path) -> None:
    # As Synthea makes them: platelets in 10*3/uL, no neutrophils, no CLASI.
    count = quantity(245.2, "10*3/uL", system=codes.UCUM, code="10*3/uL")
    creatinine = observation(codes.CREATININE.key, "2025-11-30", **quantity(0.9, "mg/dL"))
    platelets = observation(PLATELETS, "2025-12-01T10:00:00-05:00", **count)
    for more in ([], [observation(CLASI, "2026-01-05", valueInteger=12)]):
        imported = read(tmp_path, platelets, creatinine, *more)
        (course,) = imported.courses.values()
        decision = replay(course)[-1]
        assert decision.action.code == "request-data"
        assert "neutrophils" in [missing.field for missing in decision.missing]


def test_ndjson_and_a_folder_are_read_like_a_bundle(tmp_path: Path) -> None:
    import json

    score = observation(CLASI, "2026-01-05", valueInteger=12)
    lines = "\n".join(json.dumps(each) for each in (PATIENT, score))
    of_lines = only_course(imported_from(tmp_path, {"in.ndjson": lines}))
    files: dict[str, Any] = {"patient.json": PATIENT, "score.json": score}
    assert only_course(imported_from(tmp_path, files)) == of_lines
    assert of_lines == only_course(read(tmp_path, score))
    broken = imported_from(tmp_path, {"in.ndjson": lines + "\n{"})
    assert only_course(broken) == of_lines
    assert "line 3" in [*told(broken)][-1]
    other = imported_from(tmp_path, {"in.ndjson": lines + '\n{"id": "x"}'})
    assert [*told(other)][-1] == "in.ndjson: line 3"


def test_a_local_code_is_read_under_a_mapping(tmp_path: Path) -> None:
    mapping = """
    [[fhir.codes]]
    system = "http://hospital.example"
    code = "CLASI-A"
    field = "clasi_activity"
    """
    score = observation(("http://hospital.example", "CLASI-A"), "2026-02-05", valueInteger=7)
    visits = only_course(
        read(tmp_path, observation(CLASI, "2026-01-05", valueInteger=12), score, mapping=mapping)
    )["visits"]
    assert [visit["clasi_activity"] for visit in visits] == [12, 7]


def test_the_unit_of_a_score_is_translated_by_the_mapping(tmp_path: Path) -> None:
    score = observation(codes.CLASI_DAMAGE.key, "2026-01-05", **quantity(3, "Punkte"))
    assert "clasi_damage" not in visit_of(tmp_path, score)
    mapping = '[values]\nunits = { Punkte = "{score}" }\n'
    assert visit_of(tmp_path, score, mapping=mapping)["clasi_damage"] == 3


def test_a_diagnosis_is_the_subtype(tmp_path: Path) -> None:
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": codes.SNOMED, "code": "239888002"}]},
    }
    score = observation(CLASI, "2026-01-05", valueInteger=12)
    assert only_course(read(tmp_path, score, condition))["patient"]["subtype"] == "panniculitis"
