"""What every benchmark shares: contenders timed in turn, ratios with quartiles, peak memory, and how cost grows.

A part of the benchmarks is a file of its own, run by `run.py` in a process of its own with the peers installed. It
makes contenders that do the same work, the first of them lenadose, and tells what came of it as one `Part`:

    import measure

    def part(quick: bool) -> measure.Part:
        ours = measure.Contender("lenadose", "one pass over the arrays", lambda: recommend(frame), units=len(frame))
        peer = measure.Contender("pandas", "groupby.apply, row by row", lambda: by_rows(frame), units=len(frame))
        measure.check([ours, peer], expected)           # every answer that is timed is compared first
        laps = measure.race([ours, peer], rounds=3 if quick else 15)
        return measure.Part(
            title="A cohort",
            words="What each was given, in a few sentences.",
            tables=[measure.table("100 000 visits", "visit", [ours, peer], laps)],
            targets=[measure.at_least("a cohort of 10⁵ visits", "pandas", measure.ratio(laps, "pandas"), 500)],
        )

    if __name__ == "__main__":
        measure.tell(part)                              # `python cohort.py --quick` prints the Part as JSON

`race` goes A B A B...: what slows the machine down slows all contenders down, and `ratio` is taken lap by lap. Give
the same work twice, under a second name, to see how noisy the machine is. `in_child` runs a function of a file in a
new process; inside it, `peak_beyond` gives the most memory that a call took on top of what there was before it.
`exponent` tells how cost grows. A target that was not measured is told by `not_measured`, with its reason.
"""

import gc
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import cattrs
from attrs import Factory, frozen

LEAST_LAP = 0.02
"""Seconds: a lap lasts at least so long, so that the clock's grain and a single interruption do not count."""


@frozen
class Spread:
    """A median between its quartiles."""

    lower_of: float
    median: float
    upper: float


@frozen
class Timing:
    """How long a contender took for one unit of work, in seconds, and as a multiple of the first of its table."""

    name: str
    words: str
    seconds: Spread
    times: Spread


@frozen
class Table:
    """Contenders side by side: what was done, and what the time is of."""

    title: str
    unit: str
    timings: list[Timing]


@frozen
class Target:
    """A figure that must be reached: at least `least`, or at most `most`; without a figure it was not measured."""

    what: str
    against: str
    figure: Spread | None
    unit: str = "×"
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches it; None where it was not measured."""
        if self.figure is None:
            return None
        if self.least is not None:
            return self.figure.median >= self.least
        return self.most is not None and self.figure.median <= self.most


@frozen
class Part:
    """What one part of the benchmarks found; `words` say what each contender was given and does."""

    title: str
    words: str
    tables: list[Table]
    targets: list[Target]
    versions: dict[str, str] = Factory(dict)


@frozen
class Contender:
    """One way of doing the work: `run` does all of it once and gives the answers, for so many units.

    `seconds`, for work done in another process, runs it so many times and gives the time that the process took by
    its own clock.
    """

    name: str
    words: str
    run: Callable[[], Any]
    units: int = 1
    seconds: Callable[[int], float] | None = None


def spread(values: Iterable[float]) -> Spread:
    """Give the median of values with its quartiles."""
    found = sorted(values)
    if len(found) == 1:
        return Spread(found[0], found[0], found[0])
    lower_of, median, upper = statistics.quantiles(found, n=4, method="inclusive")
    return Spread(lower_of, median, upper)


def check(contenders: Iterable[Contender], expected: Sequence[Any]) -> None:
    """Stop the run unless every contender gives exactly the answers expected."""
    for each in contenders:
        answers = each.run()
        if len(answers) != len(expected):
            raise SystemExit(f"{each.name}: {len(answers)} answers, not {len(expected)}")
        for index, (answer, right) in enumerate(zip(answers, expected, strict=True)):
            if answer != right:
                raise SystemExit(f"{each.name}: answer {index} is {answer!r}, not {right!r}")


def race(
    contenders: Sequence[Contender], rounds: int, least_lap: float = LEAST_LAP
) -> dict[str, list[float]]:
    """Time contenders in turn, forth and back again; give each one's seconds for one unit, lap by lap.

    With a `least_lap` of 0 each lap is the work done once, and none is run beforehand: for work that lasts.
    """
    loops = {each.name: _loops(each, least_lap) if least_lap else 1 for each in contenders}
    laps: dict[str, list[float]] = {each.name: [] for each in contenders}
    for number in range(rounds):
        for each in contenders if number % 2 == 0 else reversed(contenders):
            times = loops[each.name]
            laps[each.name].append(_seconds(each, times) / (times * each.units))
    return laps


def _loops(contender: Contender, least_lap: float) -> int:
    """Find how often the work has to be done to last a lap; the runs that find it are not counted."""
    loops = 1
    while (took := _seconds(contender, loops)) < least_lap:
        loops = max(loops + 1, math.ceil(loops * min(10, 1.2 * least_lap / max(took, 1e-9))))
    return loops


def _seconds(contender: Contender, loops: int) -> float:
    if contender.seconds is not None:
        return contender.seconds(loops)
    run = contender.run
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        for _ in range(loops):
            run()
        return perf_counter() - began
    finally:
        gc.enable()


def ratio(laps: Mapping[str, Sequence[float]], of: str, to: str = "lenadose") -> Spread:
    """Tell how many times as long the one takes as the other, lap by lap."""
    return spread(one / other for one, other in zip(laps[of], laps[to], strict=True))


def table(
    title: str, unit: str, contenders: Sequence[Contender], laps: Mapping[str, Sequence[float]]
) -> Table:
    """Put contenders side by side; the multiples are of the first."""
    first = contenders[0].name
    return Table(
        title,
        unit,
        [
            Timing(each.name, each.words, spread(laps[each.name]), ratio(laps, each.name, first))
            for each in contenders
        ],
    )


def at_least(
    what: str, against: str, figure: Spread | float, least: float, unit: str = "×", note: str = ""
) -> Target:
    """Say what a figure must at least be."""
    return Target(what, against, _figure(figure), unit, least=least, note=note)


def at_most(
    what: str, against: str, figure: Spread | float, most: float, unit: str = "×", note: str = ""
) -> Target:
    """Say what a figure must at most be."""
    return Target(what, against, _figure(figure), unit, most=most, note=note)


def not_measured(
    what: str,
    against: str,
    note: str,
    least: float | None = None,
    most: float | None = None,
    unit: str = "×",
) -> Target:
    """Say that a figure was not measured, and why."""
    return Target(what, against, None, unit, least, most, note)


def _figure(figure: Spread | float) -> Spread:
    return figure if isinstance(figure, Spread) else Spread(figure, figure, figure)


def versions(*distributions: str) -> dict[str, str]:
    """Give the versions of those that are installed here."""
    found = {}
    for name in distributions:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Tell how cost grows with size: 1 is in proportion, 2 with its square; the slope on logarithmic scales."""
    return statistics.linear_regression([*map(math.log, sizes)], [*map(math.log, seconds)]).slope


def in_child(file: str | Path, function: str, *arguments: Any) -> Any:
    """Call a function of a file in a process of its own; arguments and answer are plain data."""
    file = Path(file).resolve()
    code = (
        "import json, runpy, sys; sys.path.insert(0, sys.argv[1]);"
        "print(json.dumps(runpy.run_path(sys.argv[2])[sys.argv[3]](*json.loads(sys.argv[4]))))"
    )
    field_label = [
        sys.executable,
        "-c",
        code,
        str(file.parent),
        str(file),
        function,
        json.dumps(arguments),
    ]
    return json.loads(
        subprocess.run(field_label, check=True, capture_output=True, text=True).stdout.splitlines()[
            -1
        ]
    )


def peak_beyond(run: Callable[[], Any]) -> tuple[int, Any]:
    """Give the bytes of memory that a call took at its peak beyond those in use before it, and what it returned.

    Linux alone can start the count again; elsewhere the call is refused.
    """
    if not Path("/proc/self/clear_refs").exists():
        raise SystemExit("peak memory is measured on Linux only")
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    returned = run()
    return max(0, _status("VmHWM") - before), returned


def resident() -> int:
    """Give the bytes of memory that this process holds."""
    return _status("VmRSS")


def _status(name: str) -> int:
    """Read one of the kernel's figures on this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def tell(part: Callable[[bool], Part]) -> None:
    """Run a part and print what it found as JSON, in its own process; `--quick` proves only that it runs."""
    # What a peer prints must not end up among the data.
    out, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)
    found = cattrs.unstructure(part("--quick" in sys.argv[1:]))
    print(json.dumps(found, ensure_ascii=False), file=out)
