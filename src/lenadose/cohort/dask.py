"""A cohort larger than one machine's memory: the same function over the partitions of a Dask data frame.

Patients are independent of each other, so that a partition which holds all visits of its patients is a cohort.
"""

from typing import Any

import dask.dataframe as dd

from lenadose.cohort import decide as decide_part
from lenadose.protocol.protocol import Protocol
from lenadose.terms.errors import fault


def decide(visits: Any, protocol: Protocol | None = None) -> Any:
    """Give the decision at every visit of a Dask data frame with the columns of a cohort, as another, lazily.

    The visits are first brought together by patient, so that the rows of the result lie in another order; their index
    is kept. Raises DocumentError for columns that are not known or are missing.
    """
    if not isinstance(visits, dd.DataFrame):
        raise fault(
            "visits",
            f"a {type(visits).__name__} is no Dask data frame",
            "give one, or call cohort.decide",
        )
    whole = visits.shuffle("patient")
    # The kinds of the columns are those of a result without rows: each has all its categories.
    return whole.map_partitions(decide_part, protocol, meta=decide_part(visits._meta, protocol))
