"""Write what is made from data: parts of README.md and docs/cohort.md, docs/comparison.md, pages of the examples.

python scripts/pages.py          write them
python scripts/pages.py --check  exit 1 if one of them is not what the data says
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lenadose import get_protocol, load_course, replay
from lenadose.cohort import decide
from lenadose.cohort.columns import COLUMNS
from lenadose.cohort.files import read_table, write_table
from lenadose.cohort.results import RESULTS
from lenadose.protocol.builtin import BUILT_IN
from lenadose.report.decision import course_rows
from lenadose.report.protocol import decision_table, diagram
from lenadose.report.verification import comparison_page
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.verification.compare import compare

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- made by scripts/pages.py -->\n", "<!-- end -->\n"


def readme() -> str:
    """README.md with the decision table and the diagram as they are now."""
    text = (ROOT / "README.md").read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    sheet = get_protocol()
    return (
        f"{before}{BEGIN}\n{decision_table(sheet)}\n```mermaid\n{diagram(sheet)}```\n\n{END}{after}"
    )


def examples() -> str:
    """The page of the patients: each told in a few words, with the decisions and their reasons."""
    return "\n".join(_examples()) + "\n"


def _examples() -> Iterator[str]:
    yield "# Patients\n"
    yield (
        f"Each course in `courses/` is a hypothetical patient, but for Shah 2009, case 1. {NOT_A_DEVICE} The decisions "
        "in `decisions/` were worked out by hand from the protocol sheet; a test compares them with what the library "
        "says. Each course names the protocol that it is decided by. This page is made by `scripts/pages.py`."
    )
    for path in sorted((ROOT / "examples" / "courses").glob("*.json")):
        told = json.loads((ROOT / "examples" / "decisions" / path.name).read_text("utf-8"))
        yield f"\n## {told['title']}\n"
        course = load_course(path)
        yield f"[`{path.stem}`](courses/{path.name}), by `{course.protocol}`. {told['story']}\n"
        yield from course_rows(replay(course))


def comparison() -> str:
    """The two built-in protocols compared."""
    head, _, rest = comparison_page(compare(*map(get_protocol, BUILT_IN))).partition("\n")
    return f"{head}\n\n*`lenadose diff {' '.join(BUILT_IN)}`; written by scripts/pages.py.*\n{rest}"


def cohort() -> str:
    """docs/cohort.md with the columns as they are now."""
    given = ["| column | holds | what |", "| --- | --- | --- |"]
    given += [f"| `{each.name}` | {each.holds} | {each.words} |" for each in COLUMNS]
    told = ["| column | what |", "| --- | --- |"]
    told += [f"| `{each.name}` | {each.words} |" for each in RESULTS]
    text = (ROOT / "docs" / "cohort.md").read_text("utf-8")
    for name, lines in (("columns", given), ("results", told)):
        begin = f"<!-- {name}: made by scripts/pages.py -->\n"
        before, rest = text.split(begin)
        table = "\n".join(lines)
        text = f"{before}{begin}\n{table}\n\n{END}{rest.split(END, 1)[1]}"
    return text


def decisions() -> str:
    """What the command makes of the visits in examples/cohort."""
    with TemporaryDirectory() as place:
        out = Path(place) / "decisions.csv"
        write_table(decide(read_table(str(ROOT / "examples" / "cohort" / "visits.csv"))), str(out))
        return out.read_text("utf-8")


PAGES = {
    "README.md": readme,
    "examples/README.md": examples,
    "examples/cohort/decisions.csv": decisions,
    "docs/cohort.md": cohort,
    "docs/comparison.md": comparison,
}


def main() -> int:
    """Write every page, or with --check only compare."""
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for name, page in PAGES.items():
        path, text = ROOT / name, page()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if check:
            print(
                f"{name}: is not what the data says; run python scripts/pages.py", file=sys.stderr
            )
            stale = 1
        else:
            path.write_text(text, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
