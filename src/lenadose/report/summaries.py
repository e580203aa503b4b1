"""A certificate and a comparison on one screen, as plain text of at most 80 columns."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import advice
from lenadose.report.verification import likeness, outcome
from lenadose.terms.disclaimer import NOT_A_DEVICE
from lenadose.verification.certificate import Certificate
from lenadose.verification.compare import Comparison, Difference
from lenadose.verification.disagreements import Disagreement

_WIDTH = 80
_MOST_NUMBERS = 8
"""More numbers that differ are counted, and listed with `--full`."""


def certificate_summary(certificate: Certificate) -> str:
    """Return whether the laws hold, on how much they were checked, and which are broken."""
    protocol = certificate.protocol
    lines = [f"{protocol.name}: {outcome(certificate)}"]
    broken = [
        f"{each.law.number} {each.law.name}" for each in certificate.verdicts if not each.holds
    ]
    full = "--full adds every law in words, with its counts"
    if broken:
        lines.append(f"Broken: {', '.join(broken)}. The shortest course to each follows.")
        full += ", and each course as a file"
    lines.append(
        f"Checked: every state that some course of visits leads to ({certificate.states}) and all "
        f"that a visit can show there ({certificate.transitions} answers, in "
        f"{certificate.situations} of the {sum(1 for _ in protocol.table.situations())} situations "
        "of the table), none sampled."
    )
    if certificate.absent:
        lines.append(
            f"No law speaks of what the protocol does not have: {'; '.join(certificate.absent)}."
        )
    lines += [
        f"sha256 {protocol.hash}",
        NOT_A_DEVICE,
        f"{full}.",
    ]
    return _wrapped(lines)


def comparison_summary(comparison: Comparison) -> str:
    """Return how two protocols differ, by what a patient notices, with an example of each."""
    lines = [
        f"{comparison.one.name} (A) and {comparison.other.name} (B): {likeness(comparison)}",
        *_numbers(comparison.numbers),
    ]
    if comparison.disagreements:
        lines += _groups(comparison.disagreements)
    elif comparison.numbers:
        lines += ["", "No course of visits was found on which the two decide differently."]
    wording = _counted(len(comparison.wording), "place") if comparison.wording else "none"
    lines += ["", f"Only other words: {wording}", ""]
    lines += [
        "--full lists every place that differs, and every kind with a course of visits to it."
    ]
    lines.append(NOT_A_DEVICE)
    return _wrapped(lines)


def _groups(disagreements: tuple[Disagreement, ...]) -> Iterator[str]:
    """Yield the kinds of disagreement, grouped, with an example of the fewest visits in each."""
    groups: dict[str, dict[str, list[Disagreement]]] = {}
    for each in disagreements:
        heading, words = _group(each)
        groups.setdefault(heading, {}).setdefault(words, []).append(each)
    for heading in (_DOSED, _ANSWERED, _SEEN):
        found = groups.get(heading, {})
        count = sum(map(len, found.values()))
        yield ""
        yield f"{heading}: {_counted(count, 'kind') if count else 'none'}"
        for words, kinds in sorted(found.items(), key=lambda group: -len(group[1])):
            yield from _example(words, kinds)
    yield ""
    yield (
        "A kind is a row of each protocol that answer the same visit; the example has the fewest "
        "visits."
    )


def _numbers(numbers: tuple[Difference, ...]) -> Iterator[str]:
    if not numbers:
        return
    yield ""
    yield f"Numbers and rows that differ (A | B): {len(numbers)}"
    listed = numbers if len(numbers) <= _MOST_NUMBERS + 1 else numbers[:_MOST_NUMBERS]
    for each in listed:
        yield f"  {each.place}: {each.one} | {each.other}"
    if len(listed) < len(numbers):
        yield f"  and {len(numbers) - len(listed)} more"


_DOSED = "Dosed otherwise"
_ANSWERED = "Answered otherwise, with the same dosage or none"
_SEEN = "Only seen otherwise"


def _group(each: Disagreement) -> tuple[str, str]:
    """Return what a patient notices of a disagreement, and which of the two does it."""
    a, b = each.one, each.other
    if each.about == "next visit":
        return _SEEN, _sooner(a, b)
    if a.dosage == b.dosage:
        return _ANSWERED, "another action"
    if a.dosage is None or b.dosage is None:
        return _DOSED, f"only by {'B' if a.dosage is None else 'A'}"
    return _DOSED, f"more by {'A' if a.dosage.daily_mg > b.dosage.daily_mg else 'B'}"


def _sooner(a: Decision, b: Decision) -> str:
    if a.next_visit is None or b.next_visit is None:
        return f"only by {'B' if a.next_visit is None else 'A'}"
    # Of two on the same day, the one that must not be later is sooner.
    ends = [(visit.due, visit.latest, visit.earliest) for visit in (a.next_visit, b.next_visit)]
    return f"sooner by {'A' if ends[0] < ends[1] else 'B'}"


def _example(words: str, kinds: list[Disagreement]) -> Iterator[str]:
    """Yield a group with its number of kinds, and both decisions of a shortest course to one."""
    shown = min(kinds, key=lambda each: len(each.course.visits))
    visits = len(shown.course.visits)
    starts = (f"{len(kinds):5}  {words}", f"       (visit {visits})")
    for name, start, decision in zip("AB", starts, (shown.one, shown.other), strict=True):
        said = advice(decision)
        if shown.about == "next visit":
            said = f"{said}, {_days_ahead(decision)}"
        yield from wrap(
            f"{start:<23}{name}  {said}",
            _WIDTH,
            subsequent_indent=" " * 26,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _days_ahead(decision: Decision) -> str:
    """Return when the patient is seen next, in days from the visit."""
    window = decision.next_visit
    if window is None:
        return "no next visit"
    first, last = (day - decision.visit.date for day in (window.earliest, window.latest))
    return f"seen in {first.days} to {last.days} days"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _wrapped(lines: Iterable[str]) -> str:
    """Return lines wrapped at the width, as a text."""
    return "".join(
        f"{part}\n"
        for line in lines
        for part in wrap(
            line,
            _WIDTH,
            subsequent_indent=_indent(line),
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
    )


def _indent(line: str) -> str:
    """Return the blanks that a line begins with, and two more for a line that is indented."""
    blanks = line[: len(line) - len(line.lstrip())]
    return f"{blanks}  " if blanks else ""
