"""Courses as a table with one row for each visit, and decisions as the rows of what a cohort gives."""

from collections.abc import Iterable
from typing import Any

from lenadose import Course, Decision, Patient, Visit
from lenadose.engine.observe import MissingReason
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS

QUANTITIES = ("neutrophils", "platelets", "creatinine_clearance")
MISSING_FIELDS = ("adverse_events", "pregnancy_tests", *QUANTITIES, "clasi_activity")


def visit_row(visit: Visit, id: object, patient: Patient | None = None) -> dict[str, Any]:
    """A visit as a row."""
    who = patient or Patient()
    row: dict[str, Any] = {
        "patient": id,
        "date": visit.date,
        "clasi_activity": visit.clasi_activity,
        "clasi_damage": visit.clasi_damage,
    }
    for name in QUANTITIES:
        measured = getattr(visit, name)
        row[name] = None if measured is None else float(measured.value)
        row[f"{name}_unit"] = None if measured is None else measured.unit
        row[f"{name}_date"] = None if measured is None else measured.date
    row["pregnancy_tests"] = (
        None
        if visit.pregnancy_tests is None
        else [{"result": each.result.label, "date": each.date} for each in visit.pregnancy_tests]
    )
    row["adverse_events"] = (
        None
        if visit.adverse_events is None
        else [
            {"term": each.term, "grade": each.grade, "ctcae": each.ctcae, "resolved": each.resolved}
            for each in visit.adverse_events
        ]
    )
    taken, judged = visit.dosage_taken, visit.judgement
    return {
        **row,
        "dosage_taken_mg": None if taken is None else float(taken.mg),
        "dosage_taken_every_days": None if taken is None else taken.every_days,
        "doses_missed": visit.doses_missed,
        "judgement": None if judged is None else judged.response.label,
        "judgement_reason": None if judged is None else judged.reason,
        "age": who.age,
        "able_to_become_pregnant": who.able_to_become_pregnant,
        "regular_cycles": who.regular_cycles,
        "subtype": who.subtype,
        "antiphospholipid": None if who.antiphospholipid is None else who.antiphospholipid.label,
    }


def course_rows(courses: Iterable[Course]) -> list[dict[str, Any]]:
    """All visits of courses as rows; the patients are numbered."""
    return [
        visit_row(visit, number, course.patient)
        for number, course in enumerate(courses)
        for visit in course.visits
    ]


def told(decision: Decision) -> dict[str, Any]:
    """A decision as a row of the result, but for patient and date."""
    dosage, after = decision.dosage, decision.next_visit
    why: dict[str, MissingReason] = {gap.field: gap.why for gap in decision.missing}
    return {
        "action": decision.action.code,
        "dosage": None if dosage is None else str(dosage),
        "dosage_mg": None if dosage is None else float(dosage.mg),
        "dosage_every_days": None if dosage is None else dosage.every_days,
        "rule": decision.rule.id,
        "next_visit_earliest": after and after.earliest,
        "next_visit_due": after and after.due,
        "next_visit_latest": after and after.latest,
        **{name: getattr(decision.facts, name).code for name, _ in DIMENSIONS},
        "phase_after": decision.phase_after.code,
        **{
            f"missing_{field}": why[field].code if field in why else None
            for field in MISSING_FIELDS
        },
        "protocol": f"{decision.protocol.id} {decision.protocol.version} {decision.protocol.hash}",
        "limits": f"{decision.protocol.evidence} {NOT_A_DEVICE}",
        "refused": None,
    }
