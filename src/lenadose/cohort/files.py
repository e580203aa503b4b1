"""Tables of visits in Parquet or CSV files, and the decisions written as either."""

import codecs
import csv
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from lenadose.cohort.columns import NAMES
from lenadose.formats.files import format_path, open_output
from lenadose.terms.errors import DocumentError, Fault

KINDS = (".parquet", ".csv")

_NOT_UTF8 = ("is not UTF-8", "save it as UTF-8")


def kind_of(path: str) -> str:
    """Return the kind of a file by its name; raises DocumentError for another one."""
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        raise _error(path, "not named as a Parquet or CSV file", f"name it {' or '.join(KINDS)}")
    return kind


def read_table(path: str) -> pa.Table:
    """Read a table of visits; raises DocumentError for a file that does not hold one."""
    kind = kind_of(path)
    try:
        with open(path, "rb") as file:
            table = pyarrow.parquet.read_table(file) if kind == ".parquet" else _read_csv(file)
            table.column_names  # noqa: B018  # decoded here, where a name may not be UTF-8
        wrong = _wrong_quotes(path) if kind == ".csv" and _has_line_breaks(table) else None
    except UnicodeDecodeError:
        raise _error(path, *_NOT_UTF8) from None
    except pa.ArrowException as error:
        # A row that is cut short could be any patient's: the file is refused.
        csv = kind == ".csv"
        if csv and "UTF8" in str(error):
            raise _error(path, *_NOT_UTF8) from None
        fix = "fix the file: every row has a cell for every column" if csv else "give a whole file"
        raise _error(path, _first_line(error), fix) from None
    except OSError as error:
        raise _error(path, _reason(error), "give the path of a table of visits") from None
    if wrong is not None:
        reason = f"line {wrong}: the quotes of a cell do not end with it"
        raise _error(path, reason, "close them there, and write a quote inside a cell twice")
    return table


def read_rows(path: str) -> list[dict[str, object]]:
    """Return the rows of a Parquet file as Python's own values.

    Raises DocumentError for a file that does not hold a table, or a value that Python cannot hold.
    """
    table = read_table(path)
    try:
        rows: list[dict[str, object]] = table.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise _error(path, _first_line(error), "write the column as text") from None
    return rows


def _read_csv(file: BufferedReader) -> pa.Table:
    # Cells are read later: one that cannot be read loses its row only.
    as_written = pa.dictionary(pa.int32(), pa.string())
    options = pyarrow.csv.ConvertOptions(
        column_types={name: pa.string() if name == "patient" else as_written for name in NAMES},
        strings_can_be_null=True,
        null_values=[""],
    )
    if file.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "UTF-16")
    # A quoted cell may hold a line break, at the border of a block too.
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    return pyarrow.csv.read_csv(file, parse_options=parse, convert_options=options)


def _has_line_breaks(table: pa.Table) -> bool:
    """Return whether some cell holds a line break, and may hold rows that follow its own."""
    return any(
        pyarrow.compute.any(pyarrow.compute.match_substring_regex(texts, r"[\r\n]")).as_py()
        for column in table.columns
        for chunk in column.chunks
        if pa.types.is_string(
            (texts := chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk).type
        )
    )


def _wrong_quotes(path: str) -> int | None:
    """Return the line of the first row with a cell whose quotes do not end with it, if any.

    Arrow would read on, over the rows that follow, up to the next quote or the end of the file.
    """
    line = 1
    # A limit of the module, not of the reader: a list as JSON text may be longer.
    limit = csv.field_size_limit(2**31 - 1)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            for _ in rows:
                line = rows.line_num + 1
    except csv.Error:
        return line
    finally:
        csv.field_size_limit(limit)
    return None


def write_table(table: pa.Table, path: str) -> None:
    """Write decisions; raises DocumentError where they cannot be written."""
    kind = kind_of(path)
    try:
        with open_output(path) as file:
            if kind == ".parquet":
                pyarrow.parquet.write_table(table, file)
            else:
                _write_csv(table, file)
    except OSError as error:
        raise _error(path, _reason(error), "give another path") from None


def _write_csv(table: pa.Table, file: BinaryIO) -> None:
    plain = pa.schema(
        field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    )
    with pyarrow.csv.CSVWriter(file, plain) as writer:
        for batch in table.to_batches(max_chunksize=100_000):
            cells = pa.Table.from_batches([batch]).cast(plain)
            for place, field in enumerate(plain):
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                    cells = cells.set_column(place, field, _unrun(_in_utf8(cells.column(place))))
            writer.write_table(cells)


def _in_utf8(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts with a sign in the place of each byte that is not UTF-8."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        cells = texts.cast("large_binary").to_pylist()
        read = [cell and cell.decode("utf-8", "replace") for cell in cells]
        texts = pa.chunked_array([read], texts.type)
    return texts


def _unrun(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts with an apostrophe before those that a spreadsheet would run.

    So that each text can be told from what is written, one that begins with an apostrophe gets
    another.
    """
    return pyarrow.compute.replace_substring_regex(texts, r"\A([=+\-@\t\r\n'])", r"'\1")


def _error(path: str, reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault(format_path(path), reason, fix),))


def _reason(error: OSError) -> str:
    return (error.strerror or _first_line(error)).lower()


def _first_line(error: Exception) -> str:
    line = (str(error).splitlines() or ["cannot be read"])[0]
    text = "".join(letter if letter.isprintable() else "?" for letter in line)
    return text if len(text) <= 200 else f"{text[:197]}..."
