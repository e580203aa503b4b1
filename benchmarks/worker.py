"""One side of a benchmark: runs named pieces of work in a warm process.

`run.py` starts a worker with the sources of each checkout. A line on standard input names the work;
the answer is the processor time of one unit in microseconds. It runs under both layouts: today's
packages, and the flat modules before them.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lenadose import (
    apply,
    begin,
    course_data,
    decision_data,
    explain,
    get_protocol,
    observe,
    parse_course,
    recommend,
    replay,
    step,
)

EXAMPLES = sorted((Path(__file__).parents[1] / "examples" / "courses").glob("*.json"))


def _works() -> dict[str, tuple[int, Callable[[], object]]]:
    """Return each piece of work with the number of its units."""
    texts = [path.read_text("utf-8") for path in EXAMPLES]
    courses = [parse_course(text) for text in texts]
    protocols = [get_protocol(course.protocol) for course in courses]
    decisions = [decision for course in courses for decision in replay(course)]
    visits = len(decisions)

    def decide() -> None:
        for course, protocol in zip(courses, protocols, strict=True):
            state = begin(protocol, course.patient)
            for visit in course.visits:
                _, state = step(protocol, state, visit)

    def replay_and_look() -> None:
        for course in courses:
            for decision in replay(course):
                assert decision.seen

    few = decisions[::10]
    works: dict[str, tuple[int, Callable[[], object]]] = {
        "read": (visits, lambda: [parse_course(text) for text in texts]),
        "step": (visits, decide),
        "replay": (visits, replay_and_look),
        "json": (visits, lambda: [decision_data(decision) for decision in decisions]),
        "explain": (len(few), lambda: [explain(decision) for decision in few]),
    }
    works.update(_cohorts(courses[0]))
    works.update(_peers(courses, protocols))
    return works


def _cohorts(course: object) -> dict[str, tuple[int, Callable[[], object]]]:
    try:
        import pandas as pd
        import pyarrow as pa
    except ImportError:
        return {}
    try:
        from lenadose.cohort import decide
    except ImportError:
        from lenadose.adapters.cohort import decide
    rows = []
    for visit in course_data(course)["visits"]:
        row = {"date": visit["date"], "clasi_activity": visit.get("clasi_activity")}
        for name in ("neutrophils", "platelets", "creatinine_clearance"):
            row[name] = visit.get(name, {}).get("value")
            row[f"{name}_unit"] = visit.get(name, {}).get("unit")
        rows.append(row)
    times = 100_000 // len(rows)
    many = [{"patient": str(n), **row} for n in range(times) for row in rows]
    table = pa.Table.from_pylist(many)
    frame = pd.DataFrame(many)
    return {
        "cohort-arrow": (len(many), lambda: decide(table)),
        "cohort-pandas": (len(many), lambda: decide(frame)),
    }


def _peers(courses: list, protocols: list) -> dict[str, tuple[int, Callable[[], object]]]:
    try:
        import peers
    except ImportError:
        return {}
    works = {}
    for name, build in peers.PEERS.items():
        try:
            decides = {protocol.id: build(protocol) for protocol in protocols}
        except ImportError:
            continue

        def decide(decides: dict = decides) -> None:
            for course, protocol in zip(courses, protocols, strict=True):
                state, peer = begin(protocol, course.patient), decides[protocol.id]
                for visit in course.visits:
                    seen = observe(protocol, state, visit)
                    assert peer(seen.facts) == seen.match.rule.id
                    state = apply(recommend(seen))

        works[name] = (sum(len(course.visits) for course in courses), decide)
    return works


def main() -> None:
    """Answer each line of standard input."""
    works = _works()
    print(" ".join(works), flush=True)
    for line in sys.stdin:
        units, work = works[line.strip()]
        work()
        repeats, spent = 0, 0.0
        begun = time.process_time()
        while spent < 0.3:
            work()
            repeats += 1
            spent = time.process_time() - begun
        print(spent / repeats / units * 1e6, flush=True)


if __name__ == "__main__":
    main()
