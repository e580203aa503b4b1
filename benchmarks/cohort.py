"""A cohort: many courses at once from a table, against the ways in which a user would otherwise do it."""

import gc
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import measure
import numpy as np
import pyarrow as pa
from cohort_peers import NEVER, OUTPUTS, Numbers, by_numpy, by_polars
from cohort_rows import by_pandas, by_pandas_numbers

from lenadose import Course, get_protocol, replay
from lenadose import cohort as adapter
from lenadose.cohort import decide
from lenadose.engine.observe import MissingReason
from lenadose.testing import cohorts

PROTOCOL = get_protocol()
NUMBERS = Numbers(PROTOCOL)
PART = 1_000_000
SAMPLE = 20_000
"""Visits of a large cohort that are decided by `step` too, to hold every answer against."""

WORDS = f"""\
A cohort made up at random. What the peers are given is as in most tables: CLASI activity, counts and clearance of the
day, whether adverse events were asked about, patients who cannot become pregnant. Each gives for every visit the
action, the level, the row, the next visit, the six facts, the phase after it and what is missing.

lenadose reads and checks every cell, would have refused a row that no record can hold, and gives a table in words that
says also which protocol decided and the limits of its evidence. The peer in pandas to which the target belongs is
given the same frame and does the same work in the way of a script: it sorts, takes each patient by `groupby.apply`,
reads and checks the cells of one row after another (dates, units, ranges, the list as JSON), decides, and gives the
same columns in the same words; they were compared column by column. Beside it stands the same script without that
work: given clean numbers, nothing read or checked, numbers given back; both ratios stand in the first table, and that
against the lighter work sets the whole work of lenadose against a part of it. The peers by numpy and by polars have
only that lighter work: clean numbers in, numbers out.

lenadose runs on one core, polars on all. The rows and numbers of the peers are made from the protocol. Every answer
that is timed was compared with the others, and with `step` on the first {SAMPLE:,} visits."""


def simple(visits: int) -> pa.Table:
    """Make up a cohort of so many visits that shows what the peers know."""
    made_up = cohorts.cohort(min(visits, PART), seed=1, protocol=PROTOCOL)
    parts = [_simple(made_up.slice(0, visits - first), first) for first in range(0, visits, PART)]
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _simple(made_up: pa.Table, first: int) -> pa.Table:
    kept = ["date", "clasi_activity"]
    for name in ("neutrophils", "platelets", "creatinine_clearance"):
        kept += [name, f"{name}_unit"]
    asked = made_up["adverse_events"].combine_chunks().is_valid()
    none = pa.ListArray.from_arrays(
        pa.array(np.zeros(len(made_up) + 1, np.int32)),
        pa.array([], cohorts_events()),
        mask=pa.compute.invert(asked),
    )
    return pa.table(
        {
            "patient": pa.compute.add(made_up["patient"], first),
            **{name: made_up[name] for name in kept},
            "adverse_events": none,
            "able_to_become_pregnant": pa.array(np.zeros(len(made_up), bool)),
        }
    )


def cohorts_events() -> pa.DataType:
    """Give the type of an adverse event in a table."""
    return pa.struct(
        [
            ("term", pa.string()),
            ("grade", pa.int64()),
            ("ctcae", pa.string()),
            ("resolved", pa.bool_()),
        ]
    )


def format_decimal(visits: pa.Table) -> dict[str, Any]:
    """Give a cohort as the peers take it: plain numbers, each count in the unit of the protocol."""

    def amount(name: str) -> Any:
        values = visits[name].combine_chunks().fill_null(np.nan).to_numpy(zero_copy_only=False)
        per_microlitre = pa.compute.equal(
            visits[f"{name}_unit"].cast(pa.string()), "/uL"
        ).fill_null(False)
        # Exact in these cohorts: a count per µL is a whole number.
        return np.where(per_microlitre.to_numpy(), values / 1000, values)

    return {
        "patient": visits["patient"].to_numpy(),
        "day": visits["date"].combine_chunks().cast(pa.int32()).to_numpy().astype(np.int64),
        "score": visits["clasi_activity"].combine_chunks().fill_null(-1).to_numpy(),
        "asked": visits["adverse_events"]
        .combine_chunks()
        .is_valid()
        .to_numpy(zero_copy_only=False),
        "n": amount("neutrophils"),
        "p": amount("platelets"),
        "k": amount("creatinine_clearance"),
    }


def for_pandas(visits: pa.Table) -> Any:
    """Give a cohort as a pandas frame, its lists as JSON text."""
    asked = visits["adverse_events"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    lists = pa.array(np.where(asked, "[]", None), pa.string()).dictionary_encode()
    column = visits.column_names.index("adverse_events")
    return visits.set_column(column, "adverse_events", lists).to_pandas(date_as_object=False)


# Answers


def numbered(decisions: pa.Table) -> dict[str, Any]:
    """Give what lenadose said as the numbers that the peers give."""

    def coded(name: str, missing: int) -> Any:
        cells = decisions[name].combine_chunks()
        return cells.indices.cast(pa.int64()).fill_null(missing).to_numpy()

    def days(name: str) -> Any:
        cells = decisions[f"next_visit_{name}"].combine_chunks().cast(pa.date32()).cast(pa.int32())
        return cells.cast(pa.int64()).fill_null(NEVER).to_numpy()

    facts = ("response", "safety", "timing", "trial", "position")
    gaps = {"not_asked": "adverse_events", "no_score": "clasi_activity"}
    gaps |= {
        "no_neutrophils": "neutrophils",
        "no_platelets": "platelets",
        "no_clearance": "creatinine_clearance",
    }
    return {
        "rule": coded("rule", -1),
        "action": coded("action", -1),
        "dosage": coded("dosage", -1),
        **{name: days(name) for name in ("earliest", "due", "latest")},
        "phase_before": coded("phase", -1),
        **{name: coded(name, -1) for name in facts},
        "phase": coded("phase_after", -1),
        **{name: coded(f"missing_{field}", -1) + 1 for name, field in gaps.items()},
    }


def by_step(visits: pa.Table) -> dict[str, Any]:
    """Give what `step` says, as the numbers that the peers give."""
    ids = [row.id for row in PROTOCOL.table.rules]
    found: dict[str, list[int]] = {name: [] for name in OUTPUTS}
    epoch = np.datetime64("1970-01-01", "D")
    for course in courses(visits):
        for decision in replay(course, PROTOCOL):
            after, facts, why = (
                decision.next_visit,
                decision.facts,
                {gap.field: gap.why for gap in decision.missing},
            )

            def gap(field: str, why: dict[str, MissingReason] = why) -> int:
                return 0 if field not in why else 1 + why[field].rank

            told = {
                "rule": ids.index(decision.rule.id),
                "action": decision.action.rank,
                "dosage": -1 if decision.level is None else decision.level.rank,
                **{
                    name: NEVER
                    if after is None
                    else int((np.datetime64(getattr(after, name), "D") - epoch).astype(int))
                    for name in ("earliest", "due", "latest")
                },
                "phase_before": facts.phase.rank,
                **{
                    name: getattr(facts, name).rank
                    for name in ("response", "safety", "timing", "trial", "position")
                },
                "phase": decision.phase_after.rank,
                "not_asked": gap("adverse_events"),
                "no_neutrophils": gap("neutrophils"),
                "no_platelets": gap("platelets"),
                "no_clearance": gap("creatinine_clearance"),
                "no_score": gap("clasi_activity"),
            }
            for name in OUTPUTS:
                found[name].append(told[name])
    return {name: np.array(values) for name, values in found.items()}


def courses(visits: pa.Table) -> Iterable[Course]:
    """Give a cohort that shows what the peers know as courses."""
    nothing = pa.nulls(len(visits))
    others = [each.name for each in adapter.COLUMNS if each.name not in visits.column_names]
    return cohorts.records(
        pa.table(
            {
                **{name: visits[name] for name in visits.column_names},
                **dict.fromkeys(others, nothing),
            }
        )
    )


def same(name: str, answers: dict[str, Any], expected: dict[str, Any]) -> None:
    """Stop the run unless the answers are those expected, as far as there are any expected."""
    for column, right in expected.items():
        given = np.asarray(answers[column])[: len(right)]
        if len(given) != len(right) or (given != right).any():
            row = int(np.flatnonzero(given != right)[0])
            raise SystemExit(f"{name}: {column} of visit {row} is {given[row]}, not {right[row]}")


def whole_patients(visits: pa.Table, least: int) -> pa.Table:
    """Give the first so many visits, or some more: all of each patient."""
    patient = visits["patient"].to_numpy()
    rows = np.flatnonzero(patient[least:] != patient[least - 1])
    return visits.slice(0, least + int(rows[0]) if len(rows) else len(visits))


# Memory


def memory(path: str) -> dict[str, float]:
    """Give the most memory that the cohort in a file takes beyond input and output, and the output's, in bytes."""
    visits = pa.ipc.open_file(path).read_all().combine_chunks()
    by_arrays(visits.slice(0, 1000))
    gc.collect()
    before = measure.resident()
    peak, decisions = measure.peak_beyond(lambda: by_arrays(visits))
    gc.collect()
    pa.default_memory_pool().release_unused()
    output = measure.resident() - before
    return {"beyond": peak - output, "output": output, "rows": len(decisions)}


def _memory(visits: pa.Table) -> float:
    """Give the megabytes beyond input and output that a cohort takes, in a process of its own."""
    with TemporaryDirectory() as place:
        path = str(Path(place) / "visits.arrow")
        with pa.ipc.new_file(path, visits.schema) as file:
            file.write_table(visits)
        return float(measure.in_child(__file__, "memory", path)["beyond"]) / 1e6


# Parts


def part(quick: bool) -> measure.Part:
    """Time cohorts of several sizes; that of the largest is made once."""
    small, middle, large = (2_000, 4_000, 8_000) if quick else (100_000, 1_000_000, 10_000_000)
    tables, targets = [], []
    visits = simple(large)
    for found in (_small(small), _middle(middle), _large(visits)):
        tables.append(found[0])
        targets += found[1]
    grown, slope = _growth(visits, (small // 10, small, middle, large))
    tables.append(grown)
    targets.append(
        measure.at_most(f"growth {small:,} → {large:,}", "–", slope, 1.1, unit="exponent")
    )
    what = f"memory, {large:,} visits beyond input and output"
    targets.append(measure.at_most(what, "–", _memory(visits), 200, unit="MB"))
    versions = measure.versions(
        "lenadose", "numpy", "pyarrow", "narwhals", "pandas", "polars", "numba"
    )
    return measure.Part("A cohort", WORDS, tables, targets, versions)


def _growth(visits: pa.Table, sizes: Sequence[int]) -> tuple[measure.Table, float]:
    """Time cohorts of growing size by numpy alone, and tell the exponent by which their cost grows.

    The smallest is not counted: what does not depend on size would make the exponent look better.
    """

    def contender(size: int) -> measure.Contender:
        some = visits.slice(0, size)
        return measure.Contender(
            f"{size:,} visits", "`decide`, by numpy", lambda: by_arrays(some), size
        )

    contenders = [contender(size) for size in sizes]
    laps = measure.race(contenders, rounds=3)
    table = measure.table("Growth", "visit", contenders, laps)
    seconds = [each.seconds.median * size for each, size in zip(table.timings, sizes, strict=True)]
    return table, measure.exponent(sizes[1:], seconds[1:])


class Field:
    """Contenders that decide on the same visits; what each said when it was last timed is kept."""

    def __init__(self, visits: int) -> None:
        """Begin with none."""
        self.visits = visits
        self.contenders: list[measure.Contender] = []
        self.label: dict[str, Any] = {}

    def add(self, name: str, words: str, run: Callable[[], Any], times: int = 1) -> None:
        """Add a contender, whose laps are its work done so many times."""

        def kept() -> None:
            for _ in range(times):
                # What was said before is let go first: two answers at once would crowd the memory.
                self.label.pop(name, None)
                self.label[name] = run()

        self.contenders.append(measure.Contender(name, words, kept, self.visits * times))

    def race(self) -> dict[str, list[float]]:
        """Time them in turn, three laps each."""
        return measure.race(self.contenders, rounds=3, least_lap=0)


def by_arrays(visits: Any) -> Any:
    """Decide by numpy alone."""
    kept, adapter.ENOUGH = adapter.ENOUGH, 1 << 62
    try:
        return decide(visits, PROTOCOL)
    finally:
        adapter.ENOUGH = kept


def by_numba(visits: Any) -> Any:
    """Decide by what numba compiles."""
    kept, adapter.ENOUGH = adapter.ENOUGH, 0
    try:
        return decide(visits, PROTOCOL)
    finally:
        adapter.ENOUGH = kept


def _small(size: int) -> tuple[measure.Table, list[measure.Target]]:
    visits = whole_patients(simple(2 * size), size)
    frame = for_pandas(visits)
    field = Field(len(visits))
    by_arrays(frame)
    field.add(
        "lenadose",
        "`decide`, by numpy, from a pandas frame and to one",
        lambda: by_arrays(frame),
        times=10,
    )
    field.add(
        "lenadose again",
        "the same once more: what differs is noise",
        lambda: by_arrays(frame),
        times=10,
    )
    what, against = f"a cohort of {size:,} visits, numpy", "pandas groupby.apply, row by row"
    if not find_spec("pandas"):
        laps = field.race()
        target = measure.not_measured(what, against, "pandas is not there", least=500)
        return measure.table(f"{size:,} visits", "visit", field.contenders, laps), [target]
    import pandas as pd

    numbers = pd.DataFrame(format_decimal(visits))
    words = "groupby.apply, row by row: the same frame, the same checks, the same table in words"
    field.add("pandas", words, lambda: by_pandas(NUMBERS, frame))
    words = "groupby.apply, row by row: less work, from clean numbers to numbers, nothing checked or said"
    field.add("pandas, numbers only", words, lambda: by_pandas_numbers(NUMBERS, numbers))
    if find_spec("numba"):
        by_numba(frame)
        field.add("numba", "`decide`, compiled", lambda: by_numba(frame), times=10)
    laps = field.race()
    answers = numbered(pa.Table.from_pandas(field.label["lenadose"], preserve_index=False))
    same("lenadose", answers, by_step(whole_patients(visits, min(size // 2, SAMPLE))))
    same("pandas, numbers only", field.label["pandas, numbers only"], answers)
    for name in field.label.keys() & {"pandas", "numba"}:
        same_words(name, field.label[name], field.label["lenadose"])
    target = measure.at_least(what, against, measure.ratio(laps, "pandas"), 500, note=PANDAS_BOUND)
    return measure.table(f"{size:,} visits", "visit", field.contenders, laps), [target]


def same_words(name: str, answers: Any, expected: Any) -> None:
    """Stop the run unless two frames say the same in every column."""
    if list(answers.columns) != list(expected.columns):
        raise SystemExit(f"{name}: the columns are {list(answers.columns)}")
    for column in expected.columns:
        given, right = (
            each[column].astype(object).where(each[column].notna(), None)
            for each in (answers, expected)
        )
        wrong = np.flatnonzero((given != right) & ~(given.isna() & right.isna()))
        if len(wrong):
            row = int(wrong[0])
            raise SystemExit(
                f"{name}: {column} of visit {row} is {given.iloc[row]}, not {right.iloc[row]}"
            )


def _middle(size: int) -> tuple[measure.Table, list[measure.Target]]:
    visits = cohorts.cohort(size, seed=3, protocol=PROTOCOL)
    objects = list(cohorts.records(visits))
    field = Field(len(visits))
    by_arrays(visits)
    field.add("lenadose", "`decide`, by numpy, every kind of column", lambda: by_arrays(visits))
    field.add(
        "replay",
        "`replay` over courses that are made already",
        lambda: [replay(course, PROTOCOL) for course in objects],
    )
    if find_spec("numba"):
        by_numba(visits)
        field.add("numba", "`decide`, compiled", lambda: by_numba(visits))
    laps = field.race()
    rules = [each.rule.id for decisions in field.label["replay"] for each in decisions]
    for name in field.label.keys() - {"replay"}:
        if field.label[name]["rule"].to_pylist() != rules:
            raise SystemExit(f"{name}: not the rows of replay")
    target = measure.at_least(
        f"a cohort, {size:,} visits, numpy",
        "own `replay`",
        measure.ratio(laps, "replay"),
        30,
        note=BOUND,
    )
    return measure.table(
        f"{size:,} visits with all that a record holds", "visit", field.contenders, laps
    ), [target]


def _large(visits: pa.Table) -> tuple[measure.Table, list[measure.Target]]:
    size, numbers = len(visits), format_decimal(visits)
    field = Field(size)
    by_arrays(visits)
    field.add(
        "lenadose", "`decide`, by numpy, from an Arrow table and to one", lambda: by_arrays(visits)
    )
    words = "visit by visit, by numpy.select; from clean numbers to numbers"
    field.add("numpy.select", words, lambda: by_numpy(NUMBERS, numbers))
    if find_spec("polars"):
        import polars as pl

        frame = pl.DataFrame(numbers)
        words = "visit by visit, by expressions; from clean numbers to numbers"
        field.add("polars", words, lambda: by_polars(NUMBERS, frame))
    if find_spec("numba"):
        by_numba(visits)
        field.add("numba", "`decide`, compiled", lambda: by_numba(visits))
    copied = [*numbers.values(), *(np.zeros(size, np.int64) for _ in OUTPUTS)]
    words = "the limit: as much as input and output of the peers copied"
    field.add("copy", words, lambda: [each.copy() for each in copied])
    laps = field.race()
    answers = numbered(field.label.pop("lenadose"))
    same("lenadose", answers, by_step(whole_patients(visits, min(size // 2, SAMPLE))))
    for name in ("numpy.select", "polars"):
        if name in field.label:
            same(name, field.label.pop(name), answers)
    if "numba" in field.label:
        same("numba", numbered(field.label.pop("numba")), answers)
    what = f"a cohort of {size:,} visits, numpy"
    targets = [
        measure.at_least(
            what, "numpy.select stepping", measure.ratio(laps, "numpy.select"), 4, note=BOUND
        )
    ]
    if find_spec("polars"):
        targets.append(
            measure.at_least(
                what, "polars stepping", measure.ratio(laps, "polars"), 6, note=POLARS_BOUND
            )
        )
    return measure.table(f"{size:,} visits", "visit", field.contenders, laps), targets


BOUND = """\
About half of the time of lenadose goes into reading and checking the cells and writing the result in words; the rest \
are steps from visit to visit, a few hundred passes over arrays each, which numba makes faster, as the table tells."""
POLARS_BOUND = """\
polars works on all cores and lenadose on one, and of the work of lenadose it does a part: no cell is read or checked, \
nothing is said in words, which is about half of the time of lenadose. Its share of that work, or more cores for \
lenadose, would move it; the cores not under Python 3.11, where a pass over an array is shorter than the handing over \
of the interpreter's lock."""
PANDAS_BOUND = """\
At this size a third of the time of lenadose does not depend on the number of visits: each of the 24 steps from visit \
to visit is a few hundred calls of numpy, here for some 4,000 visits at most times, and a call costs as much as a \
thousand numbers. More visits would move it."""

if __name__ == "__main__":
    measure.tell(part)
