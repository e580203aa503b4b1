"""What it costs to import the library, as whole processes, beside attrs, which it is built on."""

import subprocess
import sys
from time import perf_counter

import measure


def process(code: str) -> measure.Contender:
    """Run a line of Python in a process of its own."""

    def seconds(loops: int) -> float:
        began = perf_counter()
        for _ in range(loops):
            subprocess.run([sys.executable, "-c", code], check=True)
        return perf_counter() - began

    name = "lenadose" if code == "import lenadose" else code
    return measure.Contender(name, f"`python -c '{code}'`", lambda: None, seconds=seconds)


WORDS = """\
Whole processes, from their start to their end; nothing is taken off: what Python takes is in all of them. `import
lenadose` brings in a name when it is first asked for: the third line is what deciding needs, attrs included."""


def part(quick: bool) -> measure.Part:
    """Time the import."""
    contenders = [
        process(each)
        for each in ("import lenadose", "import attrs", "from lenadose import step", "pass")
    ]
    laps = measure.race(contenders, rounds=3 if quick else 41)
    figure = measure.ratio(laps, "lenadose", "import attrs")
    return measure.Part(
        "Import",
        WORDS,
        [measure.table("A process that imports", "process", contenders, laps)],
        [measure.at_most("`import lenadose`", "`import attrs`", figure, 1.6)],
        measure.versions("lenadose", "attrs"),
    )


if __name__ == "__main__":
    measure.tell(part)
