"""Small inputs for the tests of importing."""

import json
from pathlib import Path
from typing import Any

from lenadose import course_data
from lenadose.importing.courses import Imported, import_courses
from lenadose.importing.findings import LeftOut
from lenadose.importing.mapping import ImportMapping
from lenadose.importing.mapping import load_mapping as load_mapping

Data = dict[str, Any]


def imported_from(
    folder: Path, files: dict[str, str | bytes | Data], mapping: str | None = None
) -> Imported:
    """Write files into a folder, and import them."""
    paths = []
    for name, content in files.items():
        path = folder / name
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(str(path))
    return import_courses(paths, mapping_of(folder, mapping))


def mapping_of(folder: Path, text: str | None) -> ImportMapping:
    if text is None:
        return load_mapping()
    path = folder / "map.toml"
    path.write_text(text, "utf-8")
    return load_mapping(path)


def only_course(imported: Imported) -> Data:
    """Return the one course as data."""
    assert not imported.faults, imported.faults
    (course,) = imported.courses.values()
    return course_data(course)  # type: ignore[return-value]  # an object


def told(imported: Imported) -> dict[str, list[str]]:
    """Return the notes of each record as text, by what follows the name of the file."""
    return {
        "".join((Path(record.place.partition(": ")[0]).name, *record.place.partition(": ")[1:])): [
            f"left out: {note.fault.reason}" if isinstance(note, LeftOut) else f"used: {note.words}"
            for note in record.notes
        ]
        for record in imported.records
    }


PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-05-01"}


def bundle(*resources: Data) -> Data:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in resources],
    }


def observation(code: tuple[str, str], day: str | None, **value: Any) -> Data:
    """Return a final Observation of the patient p."""
    system, coded = code
    when = {} if day is None else {"effectiveDateTime": day}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": coded}]},
        "subject": {"reference": "Patient/p"},
        **when,
        **value,
    }


def quantity(value: float, unit: str, **more: Any) -> Data:
    return {"valueQuantity": {"value": value, "unit": unit, **more}}
