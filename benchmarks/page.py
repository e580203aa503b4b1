"""The page of the benchmarks, made from results.json; no figure on it is typed by hand.

python benchmarks/page.py          write docs/benchmarks.md
python benchmarks/page.py --check  exit 1 if it is not what results.json says
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"

PARTS = ("decision", "course", "imports", "cohort")
"""The parts, in the order in which they run and stand on the page."""

INTRODUCTION = """\
<!-- made by benchmarks/page.py from benchmarks/results.json -->

# Benchmarks

What lenadose takes beside what a user would otherwise pick. `python benchmarks/run.py` installs the peers into an
environment of its own, runs everything and writes this page; no figure here is typed by hand.

Contenders run in turn, A B A B, forth and back, in one process where they are Python; a ratio is taken lap by lap, and
is given as its median with its quartiles. So what slows the machine down slows all of them down. The same work done
twice shows how noisy the machine was. Every answer that is timed was compared first.
"""


def read() -> dict[str, Any]:
    """Give what the parts found when they last ran."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return found


def write(results: dict[str, Any]) -> None:
    """Keep what the parts found, and write the page."""
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(results), "utf-8")


def page(results: dict[str, Any]) -> str:
    """Give the whole page."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: dict[str, Any]) -> Iterator[str]:
    yield INTRODUCTION
    yield "## What must be reached\n"
    yield "| what | against | at least or most | measured, median (quartiles) | reached |"
    yield "| --- | --- | ---: | ---: | --- |"
    for name in PARTS:
        for target in results.get(name, {}).get("targets", ()):
            yield _target(target)
    notes = _notes(target for name in PARTS for target in results.get(name, {}).get("targets", ()))
    if notes:
        yield "\nWhat bounds the figures that are not reached, and what would move them:\n"
        yield from (f"- {', '.join(whose)}: {note}" for note, whose in notes.items())
    for name in PARTS:
        if name not in results:
            yield f"\n## {name.capitalize()}\n\nNot run."
            continue
        part = results[name]
        yield f"\n## {part['title']}\n\n{part['words']}"
        for table in part["tables"]:
            yield f"\n### {table['title']}\n"
            yield f"| contender | one {table['unit']}, median (quartiles) | times the first | what it does |"
            yield "| --- | ---: | ---: | --- |"
            for each in table["timings"]:
                seconds, times = each["seconds"], each["times"]
                yield f"| {each['name']} | {_time(seconds)} | {_spread(times, ' ×')} | {each['words']} |"
        versions = ", ".join(
            f"{name} {version}" for name, version in sorted(part["versions"].items())
        )
        yield f"\nRun on {part['on']}. {part['machine']}. {versions}."


def _notes(targets: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Give what bounds the figures that are not reached, each note once, with the figures that it is on."""
    notes: dict[str, list[str]] = {}
    for each in targets:
        if each["note"] and each["figure"] is not None and not _reached(each):
            notes.setdefault(each["note"], []).append(f"{each['what']} against {each['against']}")
    return notes


def brief(part: dict[str, Any]) -> str:
    """Give the targets of a part in a few lines, for a terminal."""
    said = [
        f"  {t['what']} against {t['against']}: {_figure(t)}, {_wanted(t)}: {_verdict(t)}"
        for t in part["targets"]
    ]
    return "\n".join(said)


def _target(target: dict[str, Any]) -> str:
    cells = (target["what"], target["against"], _wanted(target), _figure(target), _verdict(target))
    return f"| {' | '.join(cells)} |"


def _wanted(target: dict[str, Any]) -> str:
    least = target["least"] is not None
    return f"{'at least' if least else 'at most'} {_number(target['least' if least else 'most'])} {target['unit']}".strip()


def _figure(target: dict[str, Any]) -> str:
    return "–" if target["figure"] is None else _spread(target["figure"], f" {target['unit']}")


def _reached(target: dict[str, Any]) -> bool:
    median = target["figure"]["median"]
    return bool(
        median >= target["least"] if target["least"] is not None else median <= target["most"]
    )


def _verdict(target: dict[str, Any]) -> str:
    if target["figure"] is None:
        return f"not measured: {target['note']}"
    return "yes" if _reached(target) else "**no**"


def _number(value: float) -> str:
    """Give a figure to three digits: 0.52, 7.31, 18.4, 1234."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _spread(spread: dict[str, float], unit: str) -> str:
    lower_of, median, upper = (_number(spread[each]) for each in ("lower", "median", "upper"))
    return f"{median}{unit}" if lower_of == upper else f"{median}{unit} ({lower_of} to {upper})"


def _time(seconds: dict[str, float]) -> str:
    unit, factor = next(
        (unit, factor)
        for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9))
        if seconds["median"] * factor >= 1 or unit == "ns"
    )
    return _spread({each: value * factor for each, value in seconds.items()}, f" {unit}")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if PAGE.read_text("utf-8") != page(read()):
            raise SystemExit(
                "docs/benchmarks.md is not what results.json says: run python benchmarks/page.py"
            )
    else:
        write(read())
