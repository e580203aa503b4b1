"""A cohort beyond one machine's memory: the same function over the partitions of a Dask data frame.

Patients are independent of each other, so a partition that holds all visits of its patients is a
cohort.
"""

from typing import Any

import dask.dataframe as dd

from lenadose.cohort import decide as decide_partition
from lenadose.protocol.protocol import Protocol
from lenadose.terms.errors import fault


def decide(visits: dd.DataFrame, protocol: Protocol | None = None) -> dd.DataFrame:
    """Return the decision at every visit of a Dask data frame with the columns of a cohort, lazily.

    The visits are first brought together by patient, so the rows of the result lie in another
    order; their index is kept. Raises DocumentError for columns that are unknown or missing.
    """
    if not isinstance(visits, dd.DataFrame):
        reason = f"a {type(visits).__name__} is not a Dask data frame"
        raise fault("visits", reason, "give one, or call cohort.decide")
    # The result without rows has the types of the columns, each with all its categories.
    meta = decide_partition(visits._meta, protocol)
    whole: Any = visits.shuffle("patient")
    decisions: dd.DataFrame = whole.map_partitions(decide_partition, protocol, meta=meta)
    return decisions
