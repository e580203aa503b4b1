"""The same rules as a user would write them for many patients, by expressions in numpy and in polars.

The peers know what most cohorts show: CLASI activity, counts and clearance of the day, whether adverse events were
asked about. They do not know lists of events, pregnancy tests, results of other days, dosages taken, doses missed,
judgements, or rows that are wrong. Rows, thresholds and intervals are read from the protocol; words are small numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import peers
from attrs import frozen

from lenadose.protocol.protocol import Protocol
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    Timing,
    TherapeuticTrial,
)

OUTPUTS = (
    *(
        "rule",
        "action",
        "dosage",
        "earliest",
        "due",
        "latest",
        "phase_before",
        "response",
        "safety",
        "timing",
        "trial",
    ),
    *(
        "position",
        "phase",
        "not_asked",
        "no_neutrophils",
        "no_platelets",
        "no_clearance",
        "no_score",
    ),
)
"""What each peer gives for each visit; `phase` is that after it, a missing fact is 1 where absent and 2 where stale."""

RANKS = {name: {word.code: word.rank for word in kind} for name, kind in DIMENSIONS}
NEVER = -1


@frozen
class Numbers:
    """What the peers need of a protocol; intervals in days, but for the taper step and the age of clearance."""

    protocol: Protocol

    def days(self, group: str, name: str) -> int:
        """Give an interval in days."""
        found = getattr(getattr(self.protocol, group), name).value.days
        assert found is not None
        return found

    @property
    def cases(self) -> list[tuple[int, dict[str, list[int]]]]:
        """Give each case of each row: the number of the row, and the words that it admits, as numbers."""
        ids = [row.id for row in self.protocol.table.rules]
        return [
            (
                ids.index(rule),
                {name: [RANKS[name][word] for word in words] for name, words in when.items()},
            )
            for rule, when in peers.cases(self.protocol)
        ]

    @property
    def actions(self) -> list[int]:
        """Give the action of each row."""
        return [row.action.rank for row in self.protocol.table.rules]


P, R, S, T, E, L, A = Phase, Response, Safety, Timing, TherapeuticTrial, Position, Action

BEFORE: dict[str, Any] = {
    "phase": P.BEFORE_START.rank,
    "ceiling": 2,
    "level": -1,
    "since": 0,
    "begun": 0,
    "watched": 0,
    "reviewed": False,
    "lost": 0,
    "lowest": 99,
    "start": -1,
    "gain": 0,
    "paused": 0,
    "finished": 0,
    "advised": -1,
    "last": 0,
    "neutrophils": np.nan,
    "neutrophils_on": 0,
    "platelets": np.nan,
    "platelets_on": 0,
    "clearance": np.nan,
    "clearance_on": 0,
}
"""The state of a patient before the first visit."""

SHOWN = ("day", "score", "asked", "n", "p", "k")
"""What a visit shows: day, CLASI activity (-1: missing), whether events were asked about, and three results."""


def expressions(numbers: Numbers, e: Any, c: Any) -> None:
    """Decide on one visit of each patient, by expressions over the columns `c`; `e` knows how to choose."""
    safety, response, days = numbers.protocol.safety, numbers.protocol.response, numbers.days
    treated = (c["phase"] == P.TITRATION.rank) | (c["phase"] == P.TAPER.rank)
    waiting = c["phase"] == P.INTERRUPTED.rank
    c["phase_before"] = c["phase"] + 0
    c["lost"] = e.where(treated & (c["advised"] < 0), c["lost"] + c["day"] - c["last"], c["lost"])
    for name, new in (("neutrophils", "n"), ("platelets", "p"), ("clearance", "k")):
        c[f"{name}_on"] = e.where(e.is_nan(c[new]), c[f"{name}_on"], c["day"])
        c[name] = e.where(e.is_nan(c[new]), c[name], c[new])
    lowered = c["clearance"] < float(safety.clearance_lowers_below.value)
    c["allowed"] = e.where(
        lowered, e.least(c["ceiling"], safety.clearance_ceiling.value.rank), c["ceiling"]
    )
    c["lowest"] = e.where(c["score"] < 0, c["lowest"], e.least(c["lowest"], c["score"]))
    _response(response, e, c, waiting)

    early = (c["watched"] > 0) & (c["day"] <= c["watched"] + days("safety", "counts_early"))
    c["age"] = e.where(early, days("safety", "counts_age_early"), days("safety", "counts_age"))
    limits = {
        "neutrophils": float(safety.neutrophils.interrupt_below.value),
        "platelets": float(safety.platelets.interrupt_below.value),
        "clearance": float(safety.clearance_interrupt_below.value),
    }
    for name, limit in limits.items():
        fresh_until = (
            e.months(c[f"{name}_on"], safety.clearance_age.value.count)
            if name == "clearance"
            else c[f"{name}_on"] + c["age"]
        )
        never = e.is_nan(c[name])
        c[f"no_{name}"] = e.select(
            [never, (c["day"] > fresh_until) & (c[name] >= limit)], [1, 2], 0
        )
    c["not_asked"] = e.where(c["asked"], 0, 1)
    unknown = (c["not_asked"] + c["no_neutrophils"] + c["no_platelets"] + c["no_clearance"]) > 0
    danger = c["neutrophils"] < limits["neutrophils"]
    danger = danger | (c["platelets"] < limits["platelets"])
    low = c["neutrophils"] < float(safety.neutrophils.caution_below.value)
    low = low | (c["platelets"] < float(safety.platelets.caution_below.value))
    c["safety"] = e.select(
        [danger | (c["clearance"] < limits["clearance"]), unknown, low],
        [S.INTERRUPT.rank, S.NOT_ASSESSED.rank, S.CAUTION.rank],
        S.ACCEPTABLE.rank,
    )

    c["gain"] = e.where(
        (c["response"] <= R.PARTIAL.rank) & (treated | waiting), c["day"], c["gain"]
    )
    first, review = days("intervals", "first_assessment"), days("intervals", "review")
    step = e.months(c["begun"], numbers.protocol.intervals.taper_step.value.count)
    c["end"] = e.where(
        c["phase"] == P.TAPER.rank, step, c["begun"] + e.where(c["reviewed"], review, first)
    )
    share = numbers.protocol.intervals.missed_share.value
    much = c["lost"] * share.denominator > (c["end"] - c["begun"]) * share.numerator
    c["end"] = c["end"] + e.where(much, c["lost"], 0)
    long = (c["paused"] > 0) & (c["day"] > c["paused"] + days("intervals", "resumable"))
    c["timing"] = e.where(
        (treated & (c["day"] < c["end"])) | (waiting & ~long), T.BEFORE_DUE.rank, T.DUE.rank
    )
    over = (c["gain"] + days("intervals", "trial") <= c["day"]) & (
        c["since"] + days("intervals", "trial_at_level") <= c["day"]
    )
    c["trial"] = e.where((treated | waiting) & over, E.EXHAUSTED.rank, E.RUNNING.rank)
    level, top = e.where(waiting, e.least(c["level"], c["allowed"]), c["level"]), c["allowed"]
    c["position"] = e.select(
        [
            ~(treated | waiting) | (level < 0),
            (top < 0) | (level > top),
            (level == top) & (level > 0),
            level == top,
            level > 0,
        ],
        [L.NONE.rank, L.ABOVE_CEILING.rank, L.HIGHEST.rank, L.ONLY.rank, L.MIDDLE.rank],
        L.LOWEST.rank,
    )
    facts = {"phase": c["phase"], **{name: c[name] for name, _ in DIMENSIONS if name != "phase"}}
    tests, rows = [], []
    for row, when in numbers.cases:
        test: Any = None
        for name, words in when.items():
            one = e.one_of(facts[name], words)
            test = one if test is None else test & one
        tests.append(test)
        rows.append(row)
    c["rule"] = e.select(tests, rows, -1)
    c["action"] = e.look_up(numbers.actions, c["rule"])
    _advise(numbers, e, c)


def _response(criteria: Any, e: Any, c: Any, waiting: Any) -> None:
    rise, gain, fall = c["score"] - c["lowest"], c["start"] - c["lowest"], c["start"] - c["score"]
    points, share = criteria.worse_points.value, criteria.worse_share.value
    lost = (rise >= points) & (rise * share.denominator >= gain * share.numerator)
    back = (rise >= points) | (c["score"] >= c["start"])
    worse = e.where((c["phase"] == P.TITRATION.rank) | waiting, lost, back)
    low, part = criteria.low_share.value, criteria.partial_share.value
    partial = e.where(
        c["start"] < criteria.low_start.value,
        fall * low.denominator >= c["start"] * low.numerator,
        (fall >= criteria.partial_points.value)
        & (fall * part.denominator >= c["start"] * part.numerator),
    )
    c["response"] = e.select(
        [c["score"] < 0, c["score"] <= criteria.complete_at.value, c["start"] < 0, worse, partial],
        [R.NOT_ASSESSED.rank, R.COMPLETE.rank, R.NONE.rank, R.WORSE.rank, R.PARTIAL.rank],
        R.NONE.rank,
    )
    c["no_score"] = e.where(c["score"] < 0, 1, 0)


def _advise(numbers: Numbers, e: Any, c: Any) -> None:
    """Give level, phase and next visit, and the state after them."""
    ladder, intervals, days = numbers.protocol.ladder, numbers.protocol.intervals, numbers.days
    action, phase, level, day = c["action"], c["phase"], c["level"], c["day"]
    treated = (phase == P.TITRATION.rank) | (phase == P.TAPER.rank)
    asks = (action == A.REQUEST_DATA.rank) | (action == A.PRESCRIBER_DECIDES.rank)
    fine = (c["safety"] >= S.CAUTION.rank) & (c["position"] <= L.ONLY.rank)
    c["new"] = e.select(
        [
            action == A.START.rank,
            (action == A.CONTINUE.rank) | (asks & treated & fine),
            action == A.ESCALATE.rank,
            action == A.REDUCE.rank,
            action == A.RESUME.rank,
        ],
        [
            e.least(c["allowed"], ladder.start.rank),
            level,
            e.least(level + 1, ladder.top.rank),
            e.least(level - 1, c["allowed"]),
            e.least(level, c["allowed"]),
        ],
        -1,
    )
    down = (action == A.REDUCE.rank) & (c["position"] != L.ABOVE_CEILING.rank)
    begins = (action == A.START.rank) | (action == A.RESUME.rank) | (action == A.ESCALATE.rank)
    c["after"] = e.select(
        [
            begins & (c["new"] >= 0),
            down & (c["new"] >= 0),
            (action == A.FINISH.rank) & (level >= 0),
            (action == A.INTERRUPT.rank) & (level >= 0),
            (action == A.DISCONTINUE.rank) & (level >= 0),
        ],
        [
            P.TITRATION.rank,
            P.TAPER.rank,
            P.OFF_TREATMENT.rank,
            P.INTERRUPTED.rank,
            P.DISCONTINUED.rank,
        ],
        phase,
    )
    on = (c["after"] == P.TITRATION.rank) | (c["after"] == P.TAPER.rank)
    soon = (action == A.INTERRUPT.rank) | asks | (on & (c["safety"] == S.CAUTION.rank))
    waits = (action == A.CONTINUE.rank) & (c["timing"] == T.BEFORE_DUE.rank)
    off = c["after"] == P.OFF_TREATMENT.rank
    c["finish"] = e.where(c["finished"] > 0, c["finished"], day)
    visits = [
        e.months(c["finish"], each.count) if each.days is None else c["finish"] + each.days
        for each in intervals.surveillance.value
    ]
    c["watch"] = e.select([each > day for each in visits], visits, NEVER)
    first = e.where(
        action == A.CONTINUE.rank,
        days("intervals", "review"),
        days("intervals", "first_assessment"),
    )
    c["due"] = e.select(
        [
            soon,
            on & waits,
            on & (c["after"] == P.TAPER.rank),
            on,
            action == A.DISCONTINUE.rank,
            off,
        ],
        [
            day + days("intervals", "soon"),
            c["end"],
            e.months(day, intervals.taper_step.value.count),
            day + first,
            day + days("intervals", "after_discontinuation"),
            c["watch"],
        ],
        NEVER,
    )
    c["earliest"] = e.where(soon, day + 1, c["due"])
    late = c["due"] + days("intervals", "late_after")
    c["latest"] = e.where(soon | (c["due"] == NEVER), c["due"], late)
    c["dosage"] = c["new"] + 0

    gives = (c["new"] >= 0) & ~asks
    starts = action == A.START.rank
    rises = starts | (action == A.ESCALATE.rank)
    reviewed = (action == A.CONTINUE.rank) & (c["timing"] == T.DUE.rank)
    moves = gives & (action != A.CONTINUE.rank)
    stops = ~gives & (level >= 0) & (c["after"] == P.INTERRUPTED.rank)
    enters = stops & (phase != P.INTERRUPTED.rank)
    safety = numbers.protocol.safety
    harm = c["neutrophils"] < float(safety.neutrophils.interrupt_below.value)
    harm = harm | (c["platelets"] < float(safety.platelets.interrupt_below.value))
    finishes = ~gives & ~stops & off & (phase != P.OFF_TREATMENT.rank)
    c["ceiling"] = e.where(stops & harm, e.least(c["ceiling"], level - 1), c["ceiling"])
    c["since"] = e.where(moves & (starts | (c["new"] != level)), day, c["since"])
    c["watched"] = e.where(moves & (action != A.REDUCE.rank), day, c["watched"])
    c["begun"] = e.where(moves | (gives & reviewed), day, c["begun"])
    c["reviewed"] = (gives & reviewed) | (c["reviewed"] & ~moves & ~enters)
    c["lost"] = e.where(moves | (gives & reviewed) | enters, 0, c["lost"])
    c["start"] = e.where(gives & starts, c["score"], c["start"])
    c["gain"] = e.where(gives & starts, day, c["gain"])
    c["lowest"] = e.where(gives & rises, e.where(c["score"] < 0, 99, c["score"]), c["lowest"])
    c["paused"] = e.where(gives, 0, e.where(enters, day, c["paused"]))
    c["finished"] = e.where(gives & starts, 0, e.where(finishes, day, c["finished"]))
    c["level"] = e.where(moves, c["new"], level)
    c["phase"] = c["after"] + 0
    c["advised"] = c["new"] + 0
    c["last"] = day + 0


# numpy


class Arrays:
    """How numpy chooses."""

    where = staticmethod(np.where)
    select = staticmethod(np.select)
    least = staticmethod(np.minimum)
    is_nan = staticmethod(np.isnan)

    @staticmethod
    def one_of(column: Any, words: list[int]) -> Any:
        """Tell where a column holds one of some words."""
        found = column == words[0]
        for each in words[1:]:
            found = found | (column == each)
        return found

    @staticmethod
    def look_up(table: list[int], index: Any) -> Any:
        """Look up in a table."""
        return np.array(table)[index]

    @staticmethod
    def months(days: Any, months: int) -> Any:
        """Add calendar months to days since 1970."""
        dates = days.astype("datetime64[D]")
        month = dates.astype("datetime64[M]")
        begins = (month + months).astype("datetime64[D]")
        last = (month + (months + 1)).astype("datetime64[D]") - begins - np.timedelta64(1, "D")
        return (begins + np.minimum(dates - month.astype("datetime64[D]"), last)).astype(np.int64)


def by_numpy(numbers: Numbers, visits: dict[str, Any]) -> dict[str, Any]:
    """Decide on all visits, the first of each patient, then the second, and so on: numpy.select stepping."""
    patient = visits["patient"]
    begins = np.flatnonzero(np.append(True, patient[1:] != patient[:-1]))
    counts = np.diff(np.append(begins, len(patient)))
    found = {name: np.empty(len(patient), np.int64) for name in OUTPUTS}
    state = {name: np.full(len(begins), value) for name, value in BEFORE.items()}
    for number in range(int(counts.max())):
        having = counts > number
        rows = begins[having] + number
        columns = {name: values[having] for name, values in state.items()}
        columns.update({name: visits[name][rows] for name in SHOWN})
        expressions(numbers, Arrays, columns)
        for name in state:
            state[name][having] = columns[name]
        for name in OUTPUTS:
            found[name][rows] = columns[name]
    return found


# polars


class Columns:
    """The columns of a lazy frame: what is assigned is a column from then on."""

    def __init__(self, frame: Any) -> None:
        """Begin with a frame."""
        self.frame = frame

    def __getitem__(self, name: str) -> Any:
        """Give a column."""
        import polars as pl

        return pl.col(name)

    def __setitem__(self, name: str, value: Any) -> None:
        """Add a column."""
        self.frame = self.frame.with_columns(value.alias(name))


class Expressions:
    """How polars chooses."""

    @staticmethod
    def where(condition: Any, this: Any, other: Any) -> Any:
        """Give the one or the other."""
        import polars as pl

        return pl.when(condition).then(this).otherwise(other)

    @staticmethod
    def select(conditions: list[Any], values: list[Any], default: Any) -> Any:
        """Give the value of the first condition that holds."""
        import polars as pl

        chain: Any = pl
        for condition, value in zip(conditions, values, strict=True):
            chain = chain.when(condition).then(value)
        return chain.otherwise(default)

    @staticmethod
    def least(this: Any, other: Any) -> Any:
        """Give the lesser."""
        import polars as pl

        return pl.min_horizontal(this, pl.lit(other) if isinstance(other, int) else other)

    @staticmethod
    def is_nan(column: Any) -> Any:
        """Tell where a column is missing."""
        return column.is_nan()

    @staticmethod
    def one_of(column: Any, words: list[int]) -> Any:
        """Tell where a column holds one of some words."""
        return column.is_in(words) if len(words) > 1 else column == words[0]

    @staticmethod
    def look_up(table: list[int], index: Any) -> Any:
        """Look up in a table."""
        return index.replace_strict(list(range(len(table))), table)

    @staticmethod
    def months(days: Any, months: int) -> Any:
        """Add calendar months to days since 1970."""
        import polars as pl

        return (
            days.cast(pl.Int32)
            .cast(pl.Date)
            .dt.offset_by(f"{months}mo")
            .cast(pl.Int32)
            .cast(pl.Int64)
        )


def by_polars(numbers: Numbers, visits: Any) -> dict[str, Any]:
    """Decide on all visits of a polars frame, the first of each patient, then the second, and so on."""
    import polars as pl

    visits = visits.with_row_index("row").with_columns(
        number=pl.int_range(pl.len()).over("patient")
    )
    parts = visits.partition_by("number", maintain_order=True)
    state = (
        parts[0]
        .select("patient")
        .with_columns(**{name: pl.lit(value) for name, value in BEFORE.items()})
    )
    found = []
    for part in parts:
        columns = Columns(
            part.lazy().join(state.lazy(), on="patient", how="left", maintain_order="left")
        )
        expressions(numbers, Expressions, columns)
        decided = columns.frame.select(
            "row", "patient", *dict.fromkeys((*BEFORE, *OUTPUTS))
        ).collect()
        state = decided.select("patient", *BEFORE)
        found.append(decided.select("row", *OUTPUTS))
    whole = pl.concat(found).sort("row")
    return {name: whole[name].to_numpy() for name in OUTPUTS}


# pandas, row by row


def rule_finder(numbers: Numbers) -> Callable[..., int]:
    """Write the function that one would write by hand: the phase first, then one `if` after another."""
    code = ["def find(phase, response, safety, timing, trial, position):"]
    for phase in Phase:
        code.append(f"    if phase == {phase.rank}:")
        for rule, when in numbers.cases:
            if phase.rank in when.get("phase", [phase.rank]):
                tests = [
                    f"{name} in {tuple(words)!r}" for name, words in when.items() if name != "phase"
                ]
                code += [
                    f"        if {' and '.join(tests) or 'True'}:",
                    f"            return {rule}",
                ]
    names: dict[str, Any] = {}
    exec("\n".join(code), names)
    found: Callable[..., int] = names["find"]
    return found
