"""The page of what changed from version 1.0.0 of the first protocol, grouped for a clinician.

What is data comes from comparing the two versions; what is not stands beside it in words.
"""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from lenadose import get_protocol, load_protocol
from lenadose.report.markdown import escape, markdown_table
from lenadose.report.verification import disagreement_lines
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.verification.compare import Comparison, compare

BEFORE = (
    Path(__file__).parents[1]
    / "tests"
    / "verification"
    / "protocols"
    / "cortes-hernandez-2012-1.0.0.json"
)


@frozen
class Change:
    """A change of the data: why, where in the data, and the rules of a course that shows it."""

    title: str
    why: str
    places: tuple[str, ...]
    rules: tuple[str, str]


CHANGES = (
    Change(
        "A score below 4 is too mild to start",
        "A fall of 4 points cannot be seen below a score of 4. Version 1.0.0 began a course at a "
        "score of 1.",
        ("response.mild_below", "rules.start", "rules.ask-before-start"),
        ("start", "too-mild-to-start"),
    ),
    Change(
        "A score below 4 is a partial response, never a reason to raise the dose",
        "Too little to start for is too little to raise the dose for. Version 1.0.0 raised the "
        "dose at a score of 3 after a fall from 5, and for a rise from 0 to 1. Its rule for a "
        "start below 8 (half of the score) is superfluous and gone; the file of version 1.0.0 "
        "cannot say it any more.",
        ("response.partial_below",),
        ("escalate", "sustain"),
    ),
    Change(
        "More than 7 days without drug are an interruption",
        "After a decision without a dosage, or past a visit that was not kept and one "
        "prescription, there is no drug to take unless the visit says so. Version 1.0.0 raised the "
        "dose after 29 days without drug, and after half a year of silence.",
        ("intervals.longest_gap",),
        ("escalate", "ask-before-resuming"),
    ),
    Change(
        "A suspected thromboembolism and liver enzymes interrupt",
        "A swollen leg went on at the same dosage; the label stops on raised liver enzymes.",
        ("safety.events.suspected-thromboembolism", "safety.events.liver"),
        ("escalate", "interrupt-for-harm"),
    ),
    Change(
        "Pregnancy tests begin anew",
        "Tests from before a missed period or an abnormal bleeding say nothing of what happened "
        "since, and after more than 28 days without drug a resumption is like a start.",
        ("safety.tests_anew_after", "safety.events.possible-pregnancy.voids_tests"),
        ("interruption-too-long", "ask-before-resuming"),
    ),
    Change(
        "Every new fact that stops treatment asks for an assessment on the same day",
        "In every phase, and the next visit is within 7 days. In version 1.0.0 a positive test in "
        "surveillance waited for weeks. The list names what calls for it without stopping "
        "treatment.",
        ("safety.same_day_terms",),
        ("surveillance", "surveillance"),
    ),
    Change(
        "Without benefit and with caution the prescriber decides",
        "The trial of therapy was exhausted before the higher dosage had been tried; version 1.0.0 "
        "gave the drug up.",
        ("rules.no-benefit",),
        ("no-benefit", "no-benefit-not-to-raise"),
    ),
)

NOT_DATA = (
    (
        "Treatment that was ended can be recorded",
        '`"stopped": "wish of the patient"` discontinues at that visit; pregnancy prevention is '
        "counted from it.",
    ),
    (
        "A relapse in taper is the new baseline",
        "Score, lowest score and trial of therapy begin anew. Against the old baseline a score of "
        "7 after 0 was called a partial response for good.",
    ),
    (
        "The next visit",
        "Within 7 days after treatment was stopped for harm (four weeks before); four weeks after "
        "any other end, also in the visits until then; where pregnancy tests are missing before a "
        "start, when both can have been done; in an interruption not later than the last day on "
        "which it may simply be resumed; within 7 days where drug was taken that was not advised.",
    ),
    (
        "Records",
        "Results may be bounds (`<0.5`) and lists of dated results, more spellings of units are "
        "read, `null` is a key left out, and terms are compared without regard to typography.",
    ),
    (
        "Sources",
        "What the trial states is a case of its own; rows about harm are assumed as a whole, "
        "level 0 is adapted, the limit of a prescription is the label's. Notices carry their "
        "source and their confidence.",
    ),
)


def changes_page() -> str:
    """Return the page, or raise ValueError for a difference that no group names."""
    comparison = compare(load_protocol(BEFORE), get_protocol())
    unnamed = [
        difference.place
        for difference in comparison.numbers
        if not any(difference.place.startswith(change.places) for change in CHANGES)
    ]
    if unnamed:
        raise ValueError(f"name in scripts/changes.py: {', '.join(unnamed)}")
    return "\n".join(_page(comparison))


def _page(comparison: Comparison) -> Iterator[str]:
    one, other = comparison.one, comparison.other
    yield "# What version 2.0.0 decides differently\n"
    yield (
        f"`{one.name}` against `{other.name}`, and why. The tables and courses are those of "
        "`lenadose diff --full` (`scripts/changes.py`); `penn-2012` changes likewise. "
        f"{NOT_A_DEVICE}\n"
    )
    for change in CHANGES:
        yield f"## {change.title}\n"
        yield f"{change.why}\n"
        numbers = [
            difference
            for difference in comparison.numbers
            if difference.place.startswith(change.places)
        ]
        yield from markdown_table(
            ("in the protocol file", one.name, other.name),
            (
                (f"`{difference.place}`", escape(difference.one), escape(difference.other))
                for difference in numbers
            ),
        )
        shown = next(
            each
            for each in comparison.disagreements
            if (each.one.rule.id, each.other.rule.id) == change.rules
        )
        yield "\nA shortest course that shows it:\n"
        yield from disagreement_lines(comparison, shown)
        yield ""
    yield "## What is not data of a protocol file\n"
    for title, words in NOT_DATA:
        yield f"- **{title}.** {words}"
    yield ""
