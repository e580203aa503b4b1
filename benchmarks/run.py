"""Measure what a user waits for, in turn with another checkout; write docs/benchmarks.md.

    git clone . ../before && git -C ../before checkout 182feaf
    pip install -r benchmarks/requirements.txt
    python benchmarks/run.py --baseline ../before [--quick]

Both checkouts run under this Python. Times are processor times, medians of the rounds; a ratio is
taken round by round, and given with the smallest and the largest.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
COURSE = str(ROOT / "examples" / "courses" / "neutropenia-at-10-mg.json")
PROTOCOLS = ("cortes-hernandez-2012", "penn-2012")

PROCESSES = {
    "import lenadose": (["-c", "import lenadose"], ""),
    "lenadose --help": (["-m", "lenadose", "--help"], "0.25 of the old `next`"),
    "lenadose next COURSE": (["-m", "lenadose", "next", COURSE], "0.52"),
    "lenadose verify": (["-m", "lenadose", "verify"], "0.56"),
    "lenadose diff of the two": (["-m", "lenadose", "diff", *PROTOCOLS], "0.24"),
}
"""Whole processes: what is run, and the goal."""

WORKS = {
    "explain": ("`explain` of a decision", "0.15"),
    "json": ("a decision with its rationale as JSON", "0.38"),
    "read": ("reading one visit from JSON", "0.39"),
    "step": ("`step`", "at most 2"),
    "replay": ("`replay`, then `seen` of each decision", "0.85"),
    "cohort-pandas": ("a visit of a cohort of 10⁵, pandas", ""),
    "cohort-arrow": ("a visit of a cohort of 10⁵, Arrow", ""),
}
"""Work in a warm process, and the goal."""

PEERS = ("transitions", "python-statemachine", "zen-engine")

BOUNDS = {
    "lenadose next COURSE": "the classes that a decision needs are made at import, half of the "
    "time; Python's own start and the proof of the table are the rest",
    "lenadose verify": "every outcome is decided by the machine itself, step by step",
    "lenadose diff of the two": "scores are compared pair by pair, each through the criteria",
    "a decision with its rationale as JSON": "a line for every criterion looked at",
    "reading one visit from JSON": "each field is read, checked and named with its place",
    "`replay`, then `seen` of each decision": "the bound of `step`",
    "`step`": "some thirty frozen values a visit, and criteria that are data instead of code; "
    "docs/decisions/0004-speed-budget.md says why",
    "a visit of a cohort": "plain numpy in the place of packed bits and compiled code",
}
"""The bound of each figure that misses its goal as a ratio."""


def environment(checkout: Path) -> dict[str, str]:
    """Return the environment in which the sources of a checkout are imported."""
    # Compiled once for both, wherever the sources lie and whatever this machine forbids.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **own,
        "PYTHONPATH": str(checkout / "src"),
        "PYTHONPYCACHEPREFIX": tempfile.gettempdir() + "/lenadose-benchmarks",
        "COLUMNS": "80",
    }


def process_time(arguments: list[str], checkout: Path) -> float:
    """Return the processor time of a whole process in seconds."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment(checkout), stdout=subprocess.DEVNULL
    )
    used = os.wait4(process.pid, 0)[2]
    process.returncode = 0  # reaped above
    return used.ru_utime + used.ru_stime


class Worker:
    """A warm process with the sources of one checkout."""

    def __init__(self, checkout: Path) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py"))],
            env=environment(checkout),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.works = self._answer().split()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a worker ended; its error stands above")
        return line

    def time(self, work: str) -> float:
        """Return the processor time of one unit of a piece of work in microseconds."""
        assert self.process.stdin is not None
        print(work, file=self.process.stdin, flush=True)
        return float(self._answer())


def written(seconds: float) -> str:
    """Return a time for people."""
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def row(name: str, pairs: list[tuple[float, float]], goal: str) -> str:
    """Return a line of the table: medians of before and now, and the ratio round by round."""
    before, now = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [new / old for old, new in pairs]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"| {name} | {written(before)} | {written(now)} | {spread} | {goal} |"


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", type=Path, required=True, help="the checkout to compare with")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it runs")
    call = parser.parse_args()
    rounds = 1 if call.quick else 7
    lines = [
        "| what | before | now | ratio | goal |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, (arguments, goal) in PROCESSES.items():
        slow = "verify" in name or "diff" in name
        pairs = [
            (process_time(arguments, call.baseline), process_time(arguments, ROOT))
            for _ in range(min(rounds, 3) if slow else rounds)
        ]
        lines.append(row(name, pairs, goal))
    before, now = Worker(call.baseline), Worker(ROOT)
    for work, (name, goal) in WORKS.items():
        if work in now.works:
            pairs = [(before.time(work) / 1e6, now.time(work) / 1e6) for _ in range(min(rounds, 5))]
            lines.append(row(name, pairs, goal))
    peers = ["| peer, given the same whole visit | it takes | `step` takes | ratio |"]
    peers += ["| --- | ---: | ---: | ---: |"]
    for peer in PEERS:
        if peer in now.works:
            times = [(now.time(peer) / 1e6, now.time("step") / 1e6) for _ in range(min(rounds, 5))]
            theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
            ratios = statistics.median(their / our for their, our in times)
            peers.append(f"| {peer} | {written(theirs)} | {written(ours)} | {ratios:.1f} |")
    page = PAGE.format(
        table="\n".join(lines),
        peers="\n".join(peers),
        bounds="\n".join(f"- {name}: {words}" for name, words in BOUNDS.items()),
        machine=f"{platform.machine()}, {os.cpu_count()} processors, Python "
        f"{platform.python_version()}",
    )
    if call.quick:
        print(page)
    else:
        (ROOT / "docs" / "benchmarks.md").write_text(page, "utf-8")


PAGE = """# Benchmarks

What a user waits for, measured against the commit before the packages (182feaf), both in turn in
one run of `benchmarks/run.py`. Times are processor times, medians; ratios are taken round by
round, with the smallest and the largest behind them. Ratios hold on other machines, times do not.

{table}

The goals are ratios: those of the times that were asked for to the times that were measured then.

{bounds}

## Peers

Each peer looks up the row with the same table; it is given lenadose's own observation, and the
state after the visit is lenadose's too, because none of them has either. So the ratio is that of
a whole visit.

{peers}

Measured on {machine}.
"""

if __name__ == "__main__":
    main()
