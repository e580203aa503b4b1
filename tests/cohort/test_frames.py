"""A table of any kind is read, and the result is of the same kind."""

import pytest

pytest.importorskip("pyarrow", reason="needs lenadose[cohort]")

import numpy as np
import pyarrow as pa
from tests.support.patients import DAY0
from tests.support.tables import answers

from lenadose import DocumentError, LenadoseError
from lenadose.cohort import decide
from lenadose.cohort.results import RESULTS


def test_a_result_is_of_the_kind_of_table_that_was_given(visits) -> None:
    expected = answers(visits)
    assert decide(visits).column_names == [each.name for each in RESULTS]
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(visits)
    decided = decide(frame)
    assert isinstance(decided, polars.DataFrame)
    assert decided.drop("patient", "date").to_dicts() == expected
    assert decided["patient"].equals(frame["patient"])


def test_a_pandas_frame_keeps_its_index(visits) -> None:
    pandas = pytest.importorskip("pandas")
    frame = visits.to_pandas(date_as_object=False)
    frame.index = [f"row {each}" for each in range(len(frame))]
    decided = decide(frame)
    assert list(decided.index) == list(frame.index)
    for row, right in zip(
        decided.drop(columns=["patient", "date"]).to_dict("records"), answers(visits), strict=True
    ):
        plain = {name: None if pandas.isna(value) else value for name, value in row.items()}
        days = {
            name: value and value.date()
            for name, value in plain.items()
            if name.startswith("next_visit")
        }
        assert {**plain, **days} == right
    assert decide(frame.iloc[:0]).dtypes.equals(decided.dtypes)
    assert list(frame.columns) == visits.column_names


@pytest.mark.parametrize("index", [[0, 1], [1, 0], ["x", "y"], [7, 8], [0, 0], [1, 1]])
def test_a_refused_row_of_pandas_is_marked_whatever_the_index(index) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"patient": ["a", "b"], "date": ["2026-01-05"] * 2, "clasi_activity": [99, 10]}, index
    )
    decided = decide(frame)
    assert decided["refused"].notna().tolist() == [True, False]
    assert decided["action"].isna().tolist() == [True, False]
    assert list(decided.index) == index


def test_what_arrow_cannot_hold_is_refused_in_one_line() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"patient": ["a", "b"], "date": ["2026-01-05"] * 2})
    for odd in (
        {"patient": [(1, 2), (3, 4)]},
        {"patient": [True, False]},
    ):
        with pytest.raises(DocumentError, match=f"^{next(iter(odd))}: ") as refused:
            decide(frame.assign(**odd))
        assert "\n" not in str(refused.value)
    view = pa.table(
        {"patient": ["a", "b", "a"], "subtype": pa.array(list("xyz"), pa.string_view())}
    )
    days = pa.array(["2026-01-05", "2026-01-05", "2026-02-05"])
    with pytest.raises(DocumentError, match="columns"):
        decide(view.append_column("date", days))


def test_a_pandas_frame_may_hold_its_columns_in_any_of_its_ways(visits) -> None:
    pandas = pytest.importorskip("pandas")
    frame = visits.to_pandas(date_as_object=False)
    numbers = ["clasi_activity", "neutrophils", "platelets", "creatinine_clearance"]
    # Columns that do not lie in one piece, other types of pandas, and columns without any value.
    array = np.ascontiguousarray(frame[numbers].to_numpy(np.float64))
    strided = pandas.DataFrame(array, columns=numbers, copy=False)
    assert not strided["platelets"].to_numpy().flags.c_contiguous
    ways = {
        **{name: strided[name] for name in numbers},
        "neutrophils_unit": frame["neutrophils_unit"].astype("string"),
        "platelets_unit": frame["platelets_unit"].astype(object),
        "doses_missed": frame["doses_missed"].astype("Int64"),
        "date": frame["date"].astype("datetime64[ns]"),
        "judgement": pandas.Categorical([None] * len(frame)),
        "judgement_reason": pandas.Series([None] * len(frame), dtype=object),
    }
    plain = visits
    for name in ("judgement", "judgement_reason"):
        plain = plain.set_column(plain.column_names.index(name), name, pa.nulls(len(plain)))
    decided = decide(frame.assign(**ways))
    assert decided.drop(columns=["patient", "date"]).equals(
        decide(plain.to_pandas(date_as_object=False)).drop(columns=["patient", "date"])
    )
    assert decided["rule"].tolist() == decide(plain)["rule"].to_pylist()


def test_a_column_that_is_there_twice_is_refused() -> None:
    duplicates = pa.table(
        [pa.array(["p"]), pa.array([DAY0]), pa.array([DAY0])], ["patient", "date", "date"]
    )
    with pytest.raises(DocumentError, match="columns: two have the same name; keep one of the two"):
        decide(duplicates)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DocumentError, match="columns: two have the same name"):
        decide(pandas.DataFrame([["p", DAY0, DAY0]], columns=["patient", "date", "date"]))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(
        LenadoseError, match="a dict is not a table; give a pandas, polars or Arrow table"
    ):
        decide({"patient": ["p"]})
