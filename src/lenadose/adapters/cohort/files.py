"""Tables of visits as files: read from Parquet or CSV, the decisions written as either."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ...errors import DocumentError, Fault
from ..reading import said_path
from .columns import NAMES

KINDS = (".parquet", ".csv")


def kind_of(path: str) -> str:
    """Tell the kind of a file from its name; raises DocumentError for another one."""
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        raise _refusal(path, "is no Parquet or CSV file by its name", f"name it {' or '.join(KINDS)}")
    return kind


def read_table(path: str) -> pa.Table:
    """Read a table of visits; raises DocumentError for what cannot be read as one."""
    kind = kind_of(path)
    try:
        if kind == ".parquet":
            return pyarrow.parquet.read_table(path)
        # Each cell as it is written: what it says is read later, and a cell that says nothing known loses its row only.
        as_written = pa.dictionary(pa.int32(), pa.string())
        options = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() if name == "patient" else as_written for name in NAMES},
            strings_can_be_null=True,
            null_values=[""],
        )
        return pyarrow.csv.read_csv(path, convert_options=options)
    except OSError as error:
        if isinstance(error, pa.ArrowException):
            raise _refusal(path, _first_line(error), "give a whole file") from None
        reason = (error.strerror or _first_line(error)).lower()
        raise _refusal(path, reason, "give the path of a table of visits") from None
    except pa.ArrowException as error:
        # A row that is cut short could be any patient's: the file is refused.
        raise _refusal(path, _first_line(error), "mend the file: every row has a cell for every column") from None


def write_table(table: pa.Table, path: str) -> None:
    """Write decisions; raises DocumentError where they cannot be written."""
    try:
        if kind_of(path) == ".parquet":
            pyarrow.parquet.write_table(table, path)
        else:
            plain = pa.schema(
                pa.field(each.name, pa.string() if pa.types.is_dictionary(each.type) else each.type)
                for each in table.schema
            )
            with pyarrow.csv.CSVWriter(path, plain) as writer:
                for batch in table.to_batches(max_chunksize=100_000):
                    writer.write_table(pa.Table.from_batches([batch]).cast(plain))
    except OSError as error:
        raise _refusal(path, (error.strerror or _first_line(error)).lower(), "give another path") from None


def _refusal(path: str, reason: str, mend: str) -> DocumentError:
    return DocumentError((Fault(said_path(path), reason, mend),))


def _first_line(error: Exception) -> str:
    words = "".join(each if each.isprintable() else "?" for each in (str(error).splitlines() or ["cannot be read"])[0])
    return words if len(words) <= 200 else f"{words[:197]}..."
