"""Beyond one machine: partitions of a Dask data frame are cohorts."""

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

from lenadose import DocumentError, LenadoseError
from lenadose.cohort import decide


def test_over_partitions_a_cohort_is_decided_the_same(visits) -> None:
    pytest.importorskip("dask.dataframe", reason="needs lenadose[dask]")
    import dask
    import dask.dataframe as dd
    import pandas as pd

    from lenadose.cohort import dask as cohort_dask

    frame = visits.to_pandas(date_as_object=False)
    with dask.config.set({"dataframe.convert-string": False, "scheduler": "threads"}):
        parts = cohort_dask.decide(
            dd.from_pandas(frame.sample(frac=1, random_state=1), npartitions=3, sort=False)
        )
        assert parts.npartitions == 3
        pd.testing.assert_frame_equal(parts.compute().sort_index(), decide(frame))
        with pytest.raises(LenadoseError, match="is not a Dask data frame"):
            cohort_dask.decide(frame)
        with pytest.raises(DocumentError, match="neutrofils: unknown column"):
            cohort_dask.decide(
                dd.from_pandas(frame.rename(columns={"neutrophils": "neutrofils"}), npartitions=2)
            )
