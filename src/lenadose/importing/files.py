"""Files by their content: rows of CSV, Parquet or SAS transport, and FHIR resources of JSON."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from attrs import frozen

from lenadose.formats.files import format_path, load
from lenadose.formats.reader import parse
from lenadose.importing.findings import LeftOut, unneeded
from lenadose.terms.errors import DocumentError, Fault, describe, fault

LARGEST_INPUT = 400_000_000
"""The largest file that is read, in bytes."""

_XPT = b"HEADER RECORD*******"
_PARQUET = b"PAR1"
_OTHERS = (
    (b"<", "is XML", "give FHIR as JSON, and tables as CSV"),
    (b"PK\x03\x04", "is a workbook or an archive", "save each sheet as CSV, or unpack it"),
    (b"\x1f\x8b", "is compressed", "unpack it"),
)
"""How files begin of which the name of a format says more than that they are no CSV."""
_DIVIDERS = (";", "\t", "|", ",")
_NAME = re.compile(r"[A-Z][A-Za-z]{1,40}(/[A-Za-z0-9\-.]{1,64})?")


@frozen
class Row:
    """A row of a table: its place, its file, and its cells as text, without the blank ones.

    A row with a `fault` cannot be told into cells.
    """

    place: str
    file: str
    cells: Mapping[str, str]
    fault: Fault | None = None


@frozen
class Document:
    """A JSON object that may be a FHIR resource, with its place and its fullUrl in a Bundle.

    `holder` is the one that it is contained in.
    """

    place: str
    data: Mapping[str, object]
    url: str | None = None
    holder: "Document | None" = None


@frozen
class Contents:
    """The rows and documents of files, and notes of files that cannot be read.

    `columns` are those of each table, by the name of its file.
    """

    rows: tuple[Row, ...]
    documents: tuple[Document, ...]
    unreadable: tuple[LeftOut, ...]
    columns: Mapping[str, tuple[str, ...]]


def read_files(paths: Iterable[str], delimiter: str = ",") -> Contents:
    """Read files, and every file of a folder that is not hidden; folders in it are not searched.

    A file that cannot be read, or a folder in a folder, is noted. Raises CallError for a path that
    is given twice, and DocumentError where there is nothing to read.
    """
    rows: list[Row] = []
    documents: list[Document] = []
    unreadable: list[LeftOut] = []
    columns: dict[str, tuple[str, ...]] = {}
    seen: set[Path] = set()
    for path in _files(paths):
        place = format_path(path)
        resolved = Path(path).resolve()
        if resolved in seen:
            raise fault(place, "is given twice", "give each file once")
        seen.add(resolved)
        try:
            if Path(path).is_dir():
                raise _refusal("is a folder in a folder", "give that folder too")
            content = load(path, "input", LARGEST_INPUT)
            if len(content) > LARGEST_INPUT:
                raise _refusal(f"more than {LARGEST_INPUT} bytes", "give it in several files")
            start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
            if not start:
                raise _refusal("is empty", "leave it out")
            for begin, reason, fix in _OTHERS:
                if start.startswith(begin):
                    raise _refusal(reason, fix)
            if start[:1] in (b"{", b"["):
                documents += _json(content, place)
            else:
                names, found = _table(content, path, place, delimiter)
                columns[place] = names
                rows += found
                if not found:
                    reason = "has no rows, which does not say that there was nothing"
                    unreadable.append(unneeded(place, reason))
        except DocumentError as error:
            each = error.faults[0]
            is_of_file = each.place in ("", place)
            reason = each.reason if is_of_file else f"{each.place}: {each.reason}"
            unreadable.append(LeftOut(Fault(place, reason, each.fix)))
    return Contents(tuple(rows), tuple(documents), tuple(unreadable), columns)


def given(resources: Mapping[str, object]) -> Contents:
    """Return resources and Bundles that were read already, by their places."""
    documents = [
        each for place, data in resources.items() for each in _expanded(_document(data, place))
    ]
    return Contents((), tuple(documents), (), {})


def _files(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            is_folder = Path(path).is_dir()
            inside = sorted(Path(path).iterdir()) if is_folder else []
        except (OSError, ValueError):
            is_folder, inside = False, []
        if not is_folder:
            yield path
            continue
        inside = [each for each in inside if not each.name.startswith(".")]
        if not any(each.is_file() for each in inside):
            place = format_path(path)
            raise DocumentError((Fault(place, "a folder without files", "give the files"),))
        yield from map(str, inside)


# Tables


def _table(
    content: bytes, path: str, place: str, delimiter: str
) -> tuple[tuple[str, ...], list[Row]]:
    if content.startswith(_XPT):
        return _of_columns(_read_xpt(path), place)
    if content.startswith(_PARQUET):
        return _of_columns(_read_parquet(path), place)
    return _csv(content, place, delimiter)


def _csv(content: bytes, place: str, delimiter: str) -> tuple[tuple[str, ...], list[Row]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"byte {error.start} is not UTF-8", "save it as UTF-8") from None
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[list[str]] = []
    begins = 1
    try:
        for line in reader:
            lines += [line] if line else []
            begins = reader.line_num + 1
    except csv.Error as error:
        if "limit" in str(error):
            raise _refusal(f"line {begins}: {error}", "divide the cell") from None
        reason = f"line {begins}: the quotes of a cell do not end with it"
        fix = "close them there, and write a quote inside a cell twice"
        raise _refusal(reason, fix) from None
    names = tuple(name.strip() for name in lines[0]) if lines else ()
    _check_names(names)
    mark = next((mark for mark in _DIVIDERS if len(names) == 1 and mark in names[0]), None)
    if mark is not None and mark != delimiter:
        fix = f"if {json.dumps(mark)} divides its cells, write delimiter = {json.dumps(mark)}"
        raise _refusal("its header is one cell", f"{fix} into a mapping file, in values")
    for number, line in enumerate(lines[1:], 1):
        at = f"{place}: row {number}"
        if len(line) == len(names):
            cells = {
                name: cell.strip() for name, cell in zip(names, line, strict=True) if cell.strip()
            }
            rows.append(Row(at, place, cells))
        else:
            count = "1 cell" if len(line) == 1 else f"{len(line)} cells"
            reason = f"has {count}, and the header {len(names)}"
            rows.append(
                Row(at, place, {}, Fault(at, reason, "give every row a cell for each column"))
            )
    return names, rows


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        if not twice:
            raise _refusal("several columns have no name", "name them, or delete the blank ones")
        raise _refusal(f"the column {describe(twice)} is there twice", "keep one of the two")


def _of_columns(
    table: tuple[Sequence[str], Iterable[Sequence[object]]], place: str
) -> tuple[tuple[str, ...], list[Row]]:
    names, lines = table
    _check_names(names)
    rows = []
    for number, line in enumerate(lines, 1):
        cells = {name: _cell(value) for name, value in zip(names, line, strict=True)}
        rows.append(
            Row(f"{place}: row {number}", place, {key: cell for key, cell in cells.items() if cell})
        )
    return tuple(names), rows


def _cell(value: object) -> str:
    """Return a value of a table as text: 5.0 is 5, nothing is blank."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return "" if value != value else repr(value).removesuffix(".0")
        case Decimal():
            return f"{value:f}" if value.is_finite() else str(value)
        case dt.date():
            return value.isoformat().removesuffix("T00:00:00")
        case list() | dict():
            return json.dumps(value, default=str)
        case bytes():
            return value.decode("utf-8", "replace").strip()
    return str(value).strip()


def _read_xpt(path: str) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    try:
        import pyreadstat
    except ModuleNotFoundError:
        raise _refusal(
            "SAS transport needs pyreadstat, which is not installed", "install lenadose[import]"
        ) from None
    try:
        table, _ = pyreadstat.read_xport(path, output_format="dict")
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _refusal(f"is not SAS transport: {reason}", "give a whole .xpt file") from None
    return list(table), list(zip(*table.values(), strict=True))


def _read_parquet(path: str) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    try:
        from lenadose.cohort.files import read_rows
    except ModuleNotFoundError as error:
        reason = f"Parquet needs {error.name}, which is not installed"
        raise _refusal(reason, "install lenadose[cohort]") from None
    rows = read_rows(path)
    return list(rows[0]) if rows else [], [list(row.values()) for row in rows]


# JSON


def _json(content: bytes, place: str) -> list[Document]:
    """Return the resources of a JSON file, of a Bundle in it, or of NDJSON."""
    try:
        document = parse(content, "resource", LARGEST_INPUT)
    except DocumentError:
        lines = [
            (number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()
        ]
        if len(lines) < 2 or not _is_json(lines[0][1]):
            raise
        return [
            each
            for number, line in lines
            for each in _expanded(_line(line, f"{place}: line {number}"))
        ]
    return list(_expanded(_document(document, place)))


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(parse(line, "resource", LARGEST_INPUT), dict)
    except DocumentError:
        return False


def _line(line: bytes, place: str) -> Document:
    try:
        return _named(parse(line, "resource", LARGEST_INPUT), place)
    except DocumentError as error:
        return Document(place, {"resourceType": error.faults[0]})


def _document(document: object, place: str, url: str | None = None) -> Document:
    if isinstance(document, dict):
        return Document(place, document, url)
    fix = "give a resource, a Bundle, or a resource a line"
    return Document(place, {"resourceType": Fault("", f"{describe(document)} is not FHIR", fix)})


def _expanded(document: Document) -> Iterator[Document]:
    """Yield the resources of a Bundle, and the Observations that a resource contains."""
    # A list, not recursion: a Bundle may hold Bundles to any depth.
    waiting = [document]
    while waiting:
        each = waiting.pop()
        data = each.data
        entries = data.get("entry")
        if data.get("resourceType") == "Bundle" and isinstance(entries, list):
            inside = [
                _entry(entry, f"{each.place}: entry {n}") for n, entry in enumerate(entries, 1)
            ]
            waiting += reversed(inside)
            if not inside:
                yield each
            continue
        yield each
        contained = data.get("contained")
        if data.get("resourceType") != "Observation" and isinstance(contained, list):
            for number, part in enumerate(contained, 1):
                if isinstance(part, dict) and part.get("resourceType") == "Observation":
                    yield Document(f"{each.place}, contained {number}", part, holder=each)


def _entry(entry: object, place: str) -> Document:
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        fix = "nothing to do if the entry is a deletion"
        return Document(place, {"resourceType": Fault("", "an entry without a resource", fix)})
    url = entry.get("fullUrl")
    return _named(entry["resource"], place, url if isinstance(url, str) else None)


def _named(document: object, place: str, url: str | None = None) -> Document:
    """Return a document with its type and id in its place."""
    if isinstance(document, dict):
        kind, id = document.get("resourceType"), document.get("id")
        name = f"{kind}/{id}" if isinstance(id, str) else kind
        if isinstance(name, str) and isinstance(kind, str) and _NAME.fullmatch(name):
            place = f"{place} ({name})"
    return _document(document, place, url)


def _refusal(reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault("", reason, fix),))
