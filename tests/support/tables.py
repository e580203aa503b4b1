"""Courses as tables with one row for each visit, and decisions as the rows of a cohort's result."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from tests.support.patients import STERILE, seen

from lenadose import Course, Decision, Patient, Protocol, Visit
from lenadose.cohort import decide
from lenadose.engine.observe import MissingReason
from lenadose.engine.unused import unused_events, unused_results
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.terms.facts import DIMENSIONS

QUANTITIES = ("neutrophils", "platelets", "creatinine_clearance")
MISSING_FIELDS = ("adverse_events", "pregnancy_tests", *QUANTITIES, "clasi_activity")
FOLLOWS = "patient: the earlier visit of {} was refused; fix that one first"


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
        else [{"result": test.result.label, "date": test.date} for test in visit.pregnancy_tests]
    )
    row["adverse_events"] = (
        None
        if visit.adverse_events is None
        else [
            {name: getattr(event, name) for name in ("term", "grade", "ctcae", "resolved")}
            for event in visit.adverse_events
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
        "stopped": visit.stopped,
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


def table(courses: Iterable[Course]) -> pa.Table:
    """All visits of courses as a table."""
    return pa.Table.from_pylist(course_rows(courses))


def three_patients() -> list[Course]:
    """Three patients alike, of four visits each."""
    return [Course(tuple(seen(28 * visit, 11) for visit in range(4)), STERILE)] * 3


def rows_with(row: int, **cells: Any) -> list[dict[str, Any]]:
    """The visits of three patients, with other cells in one row."""
    rows = course_rows(three_patients())
    rows[row].update(cells)
    return rows


def answers(visits: pa.Table, protocol: Protocol | None = None) -> list[dict[str, Any]]:
    """The decisions of a cohort as rows, without patient and date."""
    return decide(visits, protocol).drop_columns(["patient", "date"]).to_pylist()


def refusals(rows: list[dict[str, Any]]) -> list[str | None]:
    """Why each row is refused; one that is has no decision, and one with a decision is not."""
    decided = answers(pa.Table.from_pylist(rows))
    for row in decided:
        assert (row["action"] is None) == (row["refused"] is not None)
        if row["refused"] is not None:
            kept = {"protocol", "limits", "refused"}
            assert {value for name, value in row.items() if name not in kept} == {None}
    return [row["refused"] for row in decided]


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision as a row of the result, without patient and date."""
    dosage, window = decision.dosage, decision.next_visit
    reasons: dict[str, MissingReason] = {gap.field: gap.why for gap in decision.missing}
    return {
        "action": decision.action.code,
        "dosage": None if dosage is None else str(dosage),
        "dosage_mg": None if dosage is None else float(dosage.mg),
        "dosage_every_days": None if dosage is None else dosage.every_days,
        "rule": decision.rule.id,
        "next_visit_earliest": window and window.earliest,
        "next_visit_due": window and window.due,
        "next_visit_latest": window and window.latest,
        **{name: getattr(decision.facts, name).code for name, _ in DIMENSIONS},
        "phase_after": decision.phase_after.code,
        **{
            f"missing_{field}": reasons[field].code if field in reasons else None
            for field in MISSING_FIELDS
        },
        "not_used": "; ".join(
            [unused.quantity for unused in unused_results(decision.seen)]
            + [str(event) for event in unused_events(decision.seen)]
        )
        or None,
        "protocol": f"{decision.protocol.id} {decision.protocol.version} {decision.protocol.hash}",
        "limits": f"{decision.protocol.evidence} {NOT_A_DEVICE}",
        "refused": None,
    }
