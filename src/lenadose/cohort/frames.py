"""Tables of any kind as Arrow, and a result as a table of the caller's kind."""

from typing import Any

import narwhals as nw
import pyarrow as pa

from lenadose.terms.errors import DocumentError, Fault


def to_arrow(frame: nw.DataFrame[Any]) -> pa.Table:
    """Return a table as an Arrow table; raises DocumentError for a column that it cannot hold."""
    return pa.table({name: _column(frame, name) for name in frame.columns})


def _column(frame: nw.DataFrame[Any], name: str) -> pa.Array:
    try:
        return frame[name].to_arrow()
    except (pa.ArrowException, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise DocumentError((Fault(name, reason, "give a column of one kind of value"),)) from None


def beside(frame: nw.DataFrame[Any], result: pa.Table) -> Any:
    """Return patient and date of a table with a result beside them, as a table of the same kind."""
    own = frame.select("patient", "date")
    if not frame.implementation.is_pandas():
        columns = nw.from_arrow(result, backend=frame.implementation)
        return own.with_columns(*(columns[name] for name in result.column_names)).to_native()
    # Numbers of which some are missing are floats in pandas: so they always are.
    place = result.column_names.index("dosage_every_days")
    days = result.column(place).cast(pa.float64())
    result = result.set_column(place, "dosage_every_days", days)
    answers = result.to_pandas(date_as_object=False)
    return own.to_native().assign(**{name: answers[name].array for name in answers})
