"""Write tests/verification/vectors: courses with the decisions of each protocol.

python scripts/vectors.py          write them (some minutes)
python scripts/vectors.py --check  exit 1 if the courses for every pair of rules differ
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from attrs import evolve

from lenadose import Course, Decision, Protocol, course_data, decision_data, get_protocol, replay
from lenadose.formats.course_json import Json
from lenadose.formats.decision_json import identity
from lenadose.protocol.builtin import BUILT_IN
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.verification.disagreements import disagreements
from lenadose.verification.explore import reach
from lenadose.verification.vectors import covering

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# After the path is set, or the tests are not found.
from tests.support.mutation import is_refused, moved_thresholds  # noqa: E402, RUF100

FOLDER = ROOT / "tests" / "verification" / "vectors"
KEPT = (
    "visit",
    "action",
    "rule",
    "dosage",
    "next_visit",
    "facts",
    "phase_after",
    "missing",
    "possible_actions",
    "obtain_first",
)
"""The keys that another implementation must reproduce; its words are its own."""


def vector(name: str, course: Course, decisions: tuple[Decision, ...]) -> dict[str, Json]:
    """Return a course with the decision at each of its visits."""
    said = [
        {key: value for key, value in decision_data(each).items() if key in KEPT}
        for each in decisions
    ]
    return {"name": name, "course": course_data(course), "decisions": list(said)}


def of_pairs(protocol: Protocol) -> Iterator[dict[str, Json]]:
    """Yield courses that contain every pair of rules that can follow each other."""
    for course, decisions in covering(reach(protocol)):
        yield vector(", ".join(each.rule.id for each in decisions), course, decisions)


def of_boundaries(protocol: Protocol) -> Iterator[dict[str, Json]]:
    """Yield, for each number of the protocol, a shortest course that notices it moved."""
    for mutant in moved_thresholds(protocol):
        if is_refused(mutant):
            continue
        found = next(iter(disagreements(protocol, mutant.build())), None)
        if found is None:
            print(f"{protocol.id}: no course shows {mutant.words}", file=sys.stderr)
        else:
            course = evolve(found.course, protocol=protocol.id)
            yield vector(f"not {mutant.words}", course, replay(course))


def written(protocol: Protocol, vectors: list[dict[str, Json]]) -> str:
    """Write vectors, one on a line."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in vectors)
    head = json.dumps({**identity(protocol), "notice": NOT_A_DEVICE}, ensure_ascii=False)
    return f'{head[:-1]},\n"vectors": [\n{lines}\n]}}\n'


def main() -> int:
    """Write the vectors of every built-in protocol, or with --check compare the quick ones."""
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for name in BUILT_IN:
        protocol = get_protocol(name)
        path = FOLDER / f"{name}.json"
        vectors = list(of_pairs(protocol))
        if not check:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(written(protocol, [*vectors, *of_boundaries(protocol)]), "utf-8")
        else:
            there = json.loads(path.read_text("utf-8")) if path.exists() else {"vectors": []}
            if (
                list(islice(there["vectors"], len(vectors))) != vectors
                or there["protocol"]["hash"] != protocol.hash
            ):
                print(
                    f"{path.name}: differs from the table; run python scripts/vectors.py",
                    file=sys.stderr,
                )
                stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
