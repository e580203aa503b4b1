"""Check the checks: break the first protocol in every place, and see which check notices.

python scripts/mutants.py          write docs/mutants.md (some minutes, on all processors)
python scripts/mutants.py --every N    check every N-th broken protocol against the page
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from attrs import frozen

from lenadose import LenadoseError, get_protocol, parse_course, replay
from lenadose.protocol.protocol import Protocol
from lenadose.report.markdown import markdown_table
from lenadose.verification.certificate import check_law
from lenadose.verification.explore import reach
from lenadose.verification.laws import LAWS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# After the path is set, or the tests are not found.
from tests.support.mutation import mutants  # noqa: E402, RUF100

PAGE = ROOT / "docs" / "mutants.md"
KINDS = ("row deleted", "cell widened", "cell narrowed", "action replaced", "threshold moved")


@frozen
class Outcome:
    """The fate of a broken protocol: refused, or the laws it breaks and what else notices it."""

    kind: str
    words: str
    refused: bool
    laws: tuple[int, ...]
    second_reading: bool
    vectors: bool


def outcome(index: int) -> Outcome:
    """Check the broken protocol of this number in every way."""
    mutant = MUTANTS[index]
    try:
        broken = mutant.build()
    except LenadoseError:
        return Outcome(mutant.kind, mutant.words, True, (), False, False)
    space = reach(broken)
    laws = tuple(law.number for law in LAWS if not check_law(law, space).holds)
    return Outcome(
        mutant.kind, mutant.words, False, laws, _reads_otherwise(broken), _decides_otherwise(broken)
    )


def _reads_otherwise(broken: Protocol) -> bool:
    """Return whether the second reading gives another action in some situation."""
    from tests.support.second_reading import row

    return any(row(each.facts)[1] is not each.rule.action for each in broken.table.situations())


def _decides_otherwise(broken: Protocol) -> bool:
    """Return whether some vector is decided differently."""
    return any(_said(broken, course) != decisions for course, decisions in VECTORS)


def _said(protocol: Protocol, course: object) -> list[tuple[object, ...]]:
    return [(each.action, each.dosage, each.next_visit) for each in replay(course, protocol)]


PROTOCOL = get_protocol()
MUTANTS = tuple(mutants(PROTOCOL))
VECTORS: list[tuple[object, list[tuple[object, ...]]]] = []


def _read_vectors() -> None:
    import json

    there = json.loads(
        (ROOT / "tests" / "verification" / "vectors" / f"{PROTOCOL.id}.json").read_text("utf-8")
    )
    for each in there["vectors"]:
        course = parse_course(json.dumps(each["course"]))
        VECTORS.append((course, _said(PROTOCOL, course)))


def page(outcomes: Sequence[Outcome]) -> str:
    """Write what was found."""
    return "\n".join(_page(outcomes)) + "\n"


def _page(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "# The check of the checks\n"
    yield (
        f"`{PROTOCOL.id}` {PROTOCOL.version} broken in one place at a time by "
        "`tests/support/mutation.py`, and held against "
        "every check: the proof made when a table is built, the laws (`lenadose verify`), the "
        "second reading of the sheet (`tests/support/second_reading.py`) and the vectors "
        "(`tests/verification/vectors`). This page is made by `scripts/mutants.py`.\n"
    )
    head = ("broken", "made", "refused", "laws", "laws or reading", "vectors", "missed")
    yield from markdown_table(
        head, (_counts(kind, [each for each in outcomes if each.kind == kind]) for kind in KINDS)
    )
    yield "\n## Which law notices a replaced action\n"
    replaced = [each for each in outcomes if each.kind == "action replaced"]
    by_law = Counter(number for each in replaced for number in each.laws)
    alone = Counter(each.laws[0] for each in replaced if len(each.laws) == 1)
    rows = (
        (f"{each.number} {each.name}", str(by_law[each.number]), str(alone[each.number]))
        for each in LAWS
    )
    yield from markdown_table(("law", "notices", "alone"), rows)
    survivors = [each for each in replaced if not each.laws]
    share = 100 * (len(replaced) - len(survivors)) / len(replaced)
    noticed = len(replaced) - len(survivors)
    yield f"\nThe laws notice {noticed} of {len(replaced)} replaced actions ({share:.1f} %).\n"
    yield f"## Replaced actions that no law notices ({len(survivors)})\n"
    yield "The second reading notices every one of them. The laws forbid, they do not choose:\n"
    by_reason = defaultdict(list)
    for each in survivors:
        by_reason[_reason(each.words)].append(each.words)
    for reason, words in by_reason.items():
        yield f"- {reason}:"
        yield from (f"  - `{each.partition(': ')[0]}`: {each.partition(': ')[2]}" for each in words)
    yield "\n## Moved thresholds that nothing notices\n"
    yield "A number that only the page of a decision shows is compared by the tests of the page:\n"
    for each in outcomes:
        if each.kind == "threshold moved" and not (
            each.refused or each.laws or each.second_reading or each.vectors
        ):
            yield f"- {each.words}{_why_equal(each.words)}"


def _counts(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    refused = [each for each in outcomes if each.refused]
    built = [each for each in outcomes if not each.refused]
    by_laws = [each for each in built if each.laws]
    by_either = [each for each in built if each.laws or each.second_reading]
    by_vectors = [each for each in built if each.vectors]
    none = [each for each in built if not (each.laws or each.second_reading or each.vectors)]
    return (
        kind,
        *(str(len(each)) for each in (outcomes, refused, by_laws, by_either, by_vectors, none)),
    )


def _reason(words: str) -> str:
    action = words.rpartition(" becomes ")[2]
    if action == "prescriber-decides":
        return (
            "handed to the prescriber, with no more drug: "
            "no law says what a protocol must decide by itself"
        )
    return "treatment stopped or withheld where the sheet gives or waits: no law demands drug"


def _why_equal(words: str) -> str:
    if words.startswith("response.low_start"):
        return ": decides alike; at these scores half of *B* and 4 points are the same fall"
    if words.startswith("safety.events.rash-grade-4"):
        return ": decides alike; a rash of grade 4 is an event of grade 4"
    return ""


def main() -> int:
    """Write the page, or hold a part of the outcomes against it."""
    _read_vectors()
    every = int(sys.argv[2]) if sys.argv[1:2] == ["--every"] else 1
    with ProcessPoolExecutor() as pool:
        outcomes = list(pool.map(outcome, range(0, len(MUTANTS), every), chunksize=8))
    if every == 1:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(outcomes), "utf-8")
        return 0
    text = PAGE.read_text("utf-8")
    wrong = [each for each in outcomes if _listed(each, text) != _should_be_listed(each)]
    for each in wrong:
        print(
            f"{each.kind}, {each.words}: differs from docs/mutants.md; "
            "run python scripts/mutants.py"
        )
    return 1 if wrong else 0


def _listed(each: Outcome, text: str) -> bool:
    row, _, change = each.words.partition(": ")
    line = f"  - `{row}`: {change}" if each.kind == "action replaced" else f"- {each.words}"
    return any(other == line or other.startswith(f"{line}:") for other in text.splitlines())


def _should_be_listed(each: Outcome) -> bool:
    if each.kind == "action replaced":
        return not each.laws
    return not (each.refused or each.laws or each.second_reading or each.vectors)


if __name__ == "__main__":
    sys.exit(main())
