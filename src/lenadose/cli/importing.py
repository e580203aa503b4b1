"""The command that imports: courses from tables and FHIR, with an account of every record."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from lenadose.cli.streams import complain
from lenadose.terms.errors import fault

if TYPE_CHECKING:
    from argparse import Namespace

    from lenadose.importing.courses import Imported

_MAX_LISTED = 20
"""Faults listed one by one without --explain."""

_LONGEST_NAME = 150


def run(call: "Namespace") -> int:
    """Import files, write the courses, print what became of the records; return the exit code."""
    from lenadose.formats.course_json import course_data
    from lenadose.formats.files import check_output, format_path, open_output, write_folder
    from lenadose.importing.courses import import_courses
    from lenadose.importing.mapping import load_mapping

    check_output(call.out, *call.inputs, call.map)
    imported = import_courses(call.inputs, load_mapping(call.map))
    files = {
        name: (json.dumps(course_data(course), indent=1, ensure_ascii=False) + "\n").encode()
        for name, course in zip(
            file_names(imported.courses), imported.courses.values(), strict=True
        )
    }
    place = format_path(call.out)
    if call.out.lower().endswith(".json") and files:
        if len(files) > 1:
            reason = f"is one file, and there are {len(files)} courses"
            raise fault(place, reason, "give the path of a folder")
        try:
            with open_output(call.out) as file:
                file.writelines(files.values())
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "is not a path").lower()
            raise fault(place, reason, "give a path that can be written") from None
    elif files:
        write_folder(call.out, files)
    if call.json:
        print(json.dumps(_data(imported, call.explain), indent=2, ensure_ascii=False))
    else:
        _print(imported, place, call.explain)
    _complain(imported, call.explain)
    if not files:
        complain(f"{place}: no course could be made, and nothing was written; see the faults above")
        return 2
    return 0 if imported.is_whole else 1


def file_names(ids: Iterable[str]) -> list[str]:
    """Return a name of a file for each id, on any file system: escaped, and no two alike."""
    names: list[str] = []
    taken: set[str] = set()
    for id in ids:
        # Lone halves of surrogate pairs are refused in an id, so that each can be encoded.
        name = quote(id, safe="").replace(".", "%2E") if id.startswith(".") else quote(id, safe="")
        if len(name) > _LONGEST_NAME:
            name = f"{name[:_LONGEST_NAME]}-{sha256(id.encode()).hexdigest()[:12]}"
        unique, number = name, 1
        # Some file systems do not tell capitals from small letters.
        while unique.casefold() in taken:
            number += 1
            unique = f"{name}-{number}"
        taken.add(unique.casefold())
        names.append(f"{unique}.json")
    return names


def _counts(imported: "Imported") -> Mapping[str, int]:
    return {
        "records": len(imported.records),
        "used": imported.used,
        "left_out": len(imported.records) - imported.used,
        "courses": len(imported.courses),
        "refused": imported.refused,
    }


def _print(imported: "Imported", place: str, in_full: bool) -> None:
    from lenadose.terms.disclaimer import NOT_A_DEVICE

    if in_full:
        for record in imported.records:
            for note in record.notes:
                print(note)
    counts = _counts(imported)
    records, courses = _number(counts["records"], "record"), _number(counts["courses"], "course")
    print(f"{records}: {counts['used']} used, {counts['left_out']} left out")
    print(f"{courses} in {place}, {counts['refused']} refused")
    print(NOT_A_DEVICE)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _complain(imported: "Imported", in_full: bool) -> None:
    """Print the faults of patients, and those of records unless they are printed already."""
    from lenadose.importing.findings import LeftOut

    for each in imported.faults:
        complain(str(each))
    if in_full:
        return
    needed = [
        note
        for record in imported.records
        for note in record.notes
        if isinstance(note, LeftOut) and note.needed
    ]
    for note in needed[:_MAX_LISTED]:
        complain(str(note))
    if len(needed) > _MAX_LISTED:
        complain(f"{len(needed) - _MAX_LISTED} more cannot be used; --explain names each")


def _data(imported: "Imported", in_full: bool) -> Mapping[str, object]:
    from lenadose.importing.findings import LeftOut, Used
    from lenadose.terms.disclaimer import NOT_A_DEVICE

    data: dict[str, object] = {
        **_counts(imported),
        "patients": dict(zip(imported.courses, file_names(imported.courses), strict=True)),
        "faults": [
            {"place": each.place, "reason": each.reason, "fix": each.fix}
            for each in imported.faults
        ],
        "notice": NOT_A_DEVICE,
    }
    if in_full:
        data["accounts"] = [
            {
                "place": record.place,
                "used": [note.words for note in record.notes if isinstance(note, Used)],
                "left_out": [
                    {"reason": note.fault.reason, "fix": note.fault.fix, "needed": note.needed}
                    for note in record.notes
                    if isinstance(note, LeftOut)
                ],
            }
            for record in imported.records
        ]
    return data
