"""A cohort: the decision at every visit of many patients, from a table with one row for each visit.

    decisions = decide(visits)  # a pandas, polars or Arrow table, and the result is of its kind

The rules are those of the protocol, looked up in arrays, and the decisions are those of
`lenadose.replay`. A row that cannot be read comes back marked, with the reason, and so do the later
visits of that patient; other patients are not affected.
"""

from lenadose.cohort.columns import COLUMNS
from lenadose.cohort.decisions import decide
from lenadose.cohort.results import RESULTS

__all__ = ["COLUMNS", "RESULTS", "decide"]
