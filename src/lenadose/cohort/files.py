"""Tables of visits as files: read from Parquet or CSV, the decisions written as either."""

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lenadose.cohort.reader import NAMES
from lenadose.formats.reader import format_path
from lenadose.terms.errors import DocumentError, Fault

KINDS = (".parquet", ".csv")


def kind_of(path: str) -> str:
    """Tell the kind of a file from its name; raises DocumentError for another one."""
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        raise _refusal(
            path, "is no Parquet or CSV file by its name", f"name it {' or '.join(KINDS)}"
        )
    return kind


def read_table(path: str) -> pa.Table:
    """Read a table of visits; raises DocumentError for what cannot be read as one."""
    kind = kind_of(path)
    try:
        with open(path, "rb") as file:
            return _read(file, kind)
    except pa.ArrowException as error:
        # A row that is cut short could be any patient's: the file is refused.
        fix = (
            "mend the file: every row has a cell for every column"
            if kind == ".csv"
            else "give a whole file"
        )
        raise _refusal(path, _first_line(error), fix) from None
    except OSError as error:
        reason = (error.strerror or _first_line(error)).lower()
        raise _refusal(path, reason, "give the path of a table of visits") from None


def _read(file: BinaryIO, kind: str) -> pa.Table:
    if kind == ".parquet":
        return pyarrow.parquet.read_table(file)
    # Each cell as it is written: what it says is read later, and a cell that says nothing known loses its row only.
    as_written = pa.dictionary(pa.int32(), pa.string())
    options = pyarrow.csv.ConvertOptions(
        column_types={name: pa.string() if name == "patient" else as_written for name in NAMES},
        strings_can_be_null=True,
        null_values=[""],
    )
    return pyarrow.csv.read_csv(file, convert_options=options)


def write_table(table: pa.Table, path: str) -> None:
    """Write decisions; raises DocumentError where they cannot be written."""
    try:
        with open(path, "wb") as file:
            if kind_of(path) == ".parquet":
                pyarrow.parquet.write_table(table, file)
            else:
                _write_csv(table, file)
    except OSError as error:
        raise _refusal(
            path, (error.strerror or _first_line(error)).lower(), "give another path"
        ) from None


def _write_csv(table: pa.Table, file: BinaryIO) -> None:
    format_decimal = pa.schema(
        pa.field(each.name, pa.string() if pa.types.is_dictionary(each.type) else each.type)
        for each in table.schema
    )
    with pyarrow.csv.CSVWriter(file, format_decimal) as writer:
        for batch in table.to_batches(max_chunksize=100_000):
            writer.write_table(pa.Table.from_batches([batch]).cast(format_decimal))


def _refusal(path: str, reason: str, fix: str) -> DocumentError:
    return DocumentError((Fault(format_path(path), reason, fix),))


def _first_line(error: Exception) -> str:
    words = "".join(
        each if each.isprintable() else "?"
        for each in (str(error).splitlines() or ["cannot be read"])[0]
    )
    return words if len(words) <= 200 else f"{words[:197]}..."
