"""Courses from files: tables and FHIR resources of any number of patients, fully accounted for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from lenadose.importing.assembly import Assembled, assemble
from lenadose.importing.fhir import read_resources
from lenadose.importing.files import Contents, given, read_files
from lenadose.importing.findings import Account, Finding, Note, accounts, of_refused
from lenadose.importing.mapping import ImportMapping, load_mapping
from lenadose.importing.tables import check_mapping, read_rows
from lenadose.record.course import Course
from lenadose.terms.errors import Fault, describe


@frozen
class Imported:
    """The courses of patients by their ids, the faults of those without, and every record."""

    courses: Mapping[str, Course]
    faults: tuple[Fault, ...]
    refused: int
    records: tuple[Account, ...]

    @property
    def used(self) -> int:
        """How many records were used; all others were left out."""
        return sum(record.used for record in self.records)

    @property
    def is_whole(self) -> bool:
        """Whether there is a course of every patient, and nothing that is needed was left out."""
        return not self.refused and not any(record.faulty for record in self.records)


def import_courses(paths: Iterable[str], mapping: ImportMapping | None = None) -> Imported:
    """Return the courses of the patients in files, and what became of each record.

    `mapping` is what `load_mapping` returns; without it what is built in. Raises LenadoseError for
    a call or a mapping that cannot be used; what is wrong with a record or with a patient is in the
    result.
    """
    mapping = load_mapping() if mapping is None else mapping
    return _imported(read_files(paths, mapping.values.delimiter), mapping)


def import_resources(
    resources: Mapping[str, object], mapping: ImportMapping | None = None
) -> Imported:
    """Return the courses of the patients in FHIR resources, and what became of each.

    *resources* are Bundles and single resources as `parse` returns them, by the place that messages
    name. Otherwise as `import_courses`.
    """
    return _imported(given(resources), load_mapping() if mapping is None else mapping)


def _imported(contents: Contents, mapping: ImportMapping) -> Imported:
    check_mapping(mapping, contents.columns)
    notes: list[Note] = [*contents.unreadable]
    by_patient: dict[str, list[Finding]] = defaultdict(list)
    ids: dict[str, str | None] = {}
    for found in read_rows(contents.rows, contents.columns, mapping):
        if isinstance(found, Finding):
            by_patient[found.patient].append(found)
            ids[found.patient] = found.patient
        else:
            notes.append(found)
    fhir = read_resources(contents.documents, mapping)
    notes += fhir.notes
    for finding in fhir.findings:
        by_patient[finding.patient].append(finding)
    ids |= fhir.ids
    patients = [
        assemble(patient, by_patient[patient], ids[patient], fhir.faults.get(patient, ()))
        for patient in ids
    ]
    places = [
        *(note.place for note in contents.unreadable),
        *(row.place for row in contents.rows),
        *(document.place for document in contents.documents),
    ]
    courses, doubled = _by_id(patients, ids)
    without = {
        each.patient for each in patients if (ids[each.patient] or each.patient) not in courses
    }
    of_patients = [
        *((fhir.owners.get(note.place), note) for note in notes),
        *((patient.patient, note) for patient in patients for note in patient.notes),
    ]
    notes = [
        of_refused(note, patient) if patient is not None and patient in without else note
        for patient, note in of_patients
    ]
    return Imported(
        courses,
        (*(fault for patient in patients for fault in patient.faults), *doubled),
        len(patients) - len(courses),
        accounts(places, notes),
    )


def _by_id(
    patients: Sequence[Assembled], ids: Mapping[str, str | None]
) -> tuple[dict[str, Course], list[Fault]]:
    """Return courses by the ids of the patients; two with one id are refused."""
    found: dict[str, list[Assembled]] = defaultdict(list)
    for patient in patients:
        found[ids[patient.patient] or patient.patient].append(patient)
    courses: dict[str, Course] = {}
    faults: list[Fault] = []
    for id, several in found.items():
        if len(several) > 1:
            keys = " and ".join(describe(each.patient) for each in several)
            reason = f"the id of {len(several)} patients, {keys}"
            faults.append(Fault(f"patient {describe(id)}", reason, "import them one by one"))
        elif several[0].course is not None:
            courses[id] = several[0].course
    return courses, faults
