"""The panel of the dosage: filled steps, the ceiling, the decisions and the phases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from types import MappingProxyType

from attrs import frozen

from lenadose.picture.layout import (
    DANGER,
    GREY,
    INK,
    RULE,
    Area,
    Hatch,
    Item,
    Line,
    Text,
)
from lenadose.picture.placing import Calendar, spread
from lenadose.picture.segments import Segment
from lenadose.picture.text_width import text_width
from lenadose.picture.words import brief_dosage
from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import Dosage
from lenadose.terms.facts import Phase

REPORTED, UNREPORTED, PLANNED = "#7DB1DC", "#BCD8EF", "#EDF4FA"
"""The fill of a dosage that was taken as reported, that was advised, and that is planned."""

PHASES: Mapping[Phase, tuple[str, Hatch, str]] = MappingProxyType(
    {
        Phase.BEFORE_START: ("#FFFFFF", "", ""),
        Phase.TITRATION: ("#C9DFF2", "", ""),
        Phase.TAPER: ("#D3EADF", "dots", "#7FB79F"),
        Phase.INTERRUPTED: ("#F6DDA6", "diagonal", "#B98A1E"),
        Phase.OFF_TREATMENT: ("#F4F4F4", "", ""),
        Phase.DISCONTINUED: ("#CFCFCF", "cross", "#9A9A9A"),
    }
)
"""The fill of each phase, its hatching, and the colour of that."""

STRIP, MARKS = 11.0, 6.5
"""The height of the strip of phases, and of the marks between it and the steps."""


@frozen
class Steps:
    """The dosages on a page: the protocol, the calendar, the baseline and the height of a step.

    `above` is the height of a dosage that was taken above the highest level.
    """

    protocol: Protocol
    calendar: Calendar
    base: float
    step: float
    above: float

    @property
    def top(self) -> float:
        """The height of the highest level on the page."""
        return self.base - len(self.protocol.ladder.levels) * self.step - self.above

    def height(self, dosage: Dosage | None) -> float:
        """Return the place of a dosage: of a level, or between two levels."""
        return self.base - rungs(self.protocol, dosage) * self.step


def rungs(protocol: Protocol, dosage: Dosage | None) -> float:
    """Return 0 for no drug, 1 and up for the levels, and for other dosages a place between two."""
    if dosage is None:
        return 0.0
    level = protocol.ladder.level_of(dosage)
    if level is not None:
        return level.rank + 1.0
    amounts = [Decimal(0), *(level.dosage.daily_mg for level in protocol.ladder.levels)]
    for rank, (low, high) in enumerate(pairwise(amounts)):
        if dosage.daily_mg < high:
            return rank + float((dosage.daily_mg - low) / (high - low))
    return len(amounts) - 0.5


def draw_scale(steps: Steps) -> Iterator[Item]:
    """Yield the names of the levels and their lines."""
    left, right = steps.calendar.edge, steps.calendar.right
    for name, dosage in (
        ("no drug", None),
        *((str(level), level.dosage) for level in steps.protocol.ladder.levels),
    ):
        y = steps.height(dosage)
        yield Text("level", left - 5, y + 3, name, anchor="end")
        if dosage is not None:
            yield Line("level", ((left, y), (right, y)), RULE, 0.5)
    yield Line("baseline", ((left, steps.base), (right, steps.base)), INK, 1)


def draw_steps(
    steps: Steps, segments: Sequence[Segment], leaders: Iterable[float]
) -> Iterator[Item]:
    """Yield the dosages as filled steps with the dosage inside, clear of the leaders of labels."""
    at = steps.calendar.at
    for (taken, kind), run in groupby(_parts(segments), lambda part: part[:2]):
        parts = [segment for _, _, segment in run]
        left, right = at(parts[0].begin), at(parts[-1].end)
        if kind == "open":
            top = steps.base - steps.step * 0.62
            yield Area("open", left, top, right, steps.base, "#FFFFFF", INK, "dotted")
            # The sign stands between two visits, whose decisions have signs of their own.
            begin, end = max(
                ((at(part.begin), at(part.end)) for part in parts),
                key=lambda pair: pair[1] - pair[0],
            )
            if end - begin > 20:
                yield Text("open", (begin + end) / 2, top + 8.6, "?", anchor="middle", bold=True)
            continue
        if taken is None:
            if kind == "reported":
                yield Line("taken", ((left, steps.base), (right, steps.base)), INK, 2)
            continue
        top = steps.height(taken)
        fill = {"reported": REPORTED, "unreported": UNREPORTED}.get(kind, PLANNED)
        planned = kind in ("planned", "unchanged")
        edge = INK if planned else ""
        yield Area(kind, left, top, right, steps.base, fill, edge, "dashed" if planned else "solid")
        if not planned:
            corners = ((left, steps.base), (left, top), (right, top), (right, steps.base))
            width = 1.6 if kind == "reported" else 0.7
            yield Line("taken", corners[1:3], INK, width)
            yield Line("taken", corners, GREY, 0.5)
        yield from _dosage_inside(taken, kind, left, top, right, leaders)
    for segment in segments:
        advised = segment.level.dosage if segment.level else None
        if is_advised_only(segment):
            y, left, right = steps.height(advised), at(segment.begin), at(segment.end)
            yield Line("advised", ((left, y), (right, y)), DANGER, 1.4, "dashed")


def is_advised_only(segment: Segment) -> bool:
    """Return whether a dosage was advised, and another or none was taken, as reported."""
    advised = segment.level.dosage if segment.level else None
    return segment.is_reported and advised not in (None, segment.taken)


def _parts(segments: Sequence[Segment]) -> Iterator[tuple[Dosage | None, str, Segment]]:
    """Yield what was taken in each segment, and how that is known."""
    for index, segment in enumerate(segments):
        kind = "unreported"
        if segment.is_reported:
            kind = "reported"
        elif segment.is_open:
            kind = "open"
        elif index == len(segments) - 1:
            kind = "unchanged" if segment.is_unchanged else "planned"
        yield segment.taken, kind, segment


def _dosage_inside(
    taken: Dosage, kind: str, left: float, top: float, right: float, leaders: Iterable[float]
) -> Iterator[Text]:
    """Yield the longest words for a dosage that fit beside the leaders."""
    edges = [left, *sorted(x for x in leaders if left < x < right), right]
    free = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
    amount = brief_dosage(taken)
    names = [str(taken), amount, amount.replace(" mg", "").replace(" days", "d")]
    if kind == "unchanged":
        names.insert(0, f"{taken}, unchanged until answered")
    for name in names:
        if text_width(name, 8, bold=True) + 4 <= free[1] - free[0]:
            yield Text("dosage", sum(free) / 2, top + 9.4, name, anchor="middle", bold=True)
            return


def draw_ceiling(steps: Steps, segments: Sequence[Segment]) -> Iterator[Item]:
    """Yield what the ceiling forbids, where it is lowered."""
    highest = steps.protocol.ladder.top
    runs = groupby(
        segments,
        lambda each: (each.ceiling, each.ceiling != highest and each.phase != Phase.DISCONTINUED),
    )
    for (ceiling, is_lowered), run in runs:
        parts = list(run)
        left, right = steps.calendar.at(parts[0].begin), steps.calendar.at(parts[-1].end)
        if not is_lowered or right <= left:
            continue
        low = steps.height(ceiling.dosage if ceiling else None) - 1.5
        top = steps.top - 4
        yield Area("ceiling", left, top, right, low, "#F8E3D9", "", "solid", "diagonal", "#D9A48C")
        yield Line("ceiling", ((left, low), (right, low)), DANGER, 1.2)
        taken = min(
            (steps.height(part.taken) for part in parts if part.taken is not None), default=low
        )
        words = [f"not above {ceiling}" if ceiling else "no level left"]
        words.append(f"at most {brief_dosage(ceiling.dosage)}" if ceiling else "none left")
        for name in words if taken >= low else ():
            if text_width(name, 8, bold=True) + 6 < right - left:
                yield Text("ceiling", right - 3, top + 9, name, 8, "end", True, DANGER, halo=True)
                break


def phase_runs(segments: Sequence[Segment]) -> list[tuple[Phase, Segment, Segment]]:
    """Return the phases one after another, each with its first and its last segment."""
    runs = groupby(segments, lambda segment: segment.phase)
    return [(phase, parts[0], parts[-1]) for phase, run in runs if (parts := list(run))]


def narrow_phases(calendar: Calendar, segments: Sequence[Segment]) -> list[tuple[Phase, float]]:
    """Return the phases too short for their names, with their middles; each name at most once
    where the name does not stand in the strip."""
    wide: set[Phase] = set()
    narrow: dict[Phase, float] = {}
    for phase, first, last in phase_runs(segments):
        left, right = calendar.at(first.begin), calendar.at(last.end)
        if text_width(phase.label, 8) + 3 <= right - left:
            wide.add(phase)
        else:
            narrow.setdefault(phase, (left + right) / 2)
    return [(phase, middle) for phase, middle in narrow.items() if phase not in wide]


def draw_phases(calendar: Calendar, segments: Sequence[Segment], top: float) -> Iterator[Item]:
    """Yield the strip of the phases with their names; the names of short ones stand below it."""
    for phase, first, last in phase_runs(segments):
        fill, hatch, colour = PHASES[phase]
        left, right = calendar.at(first.begin), calendar.at(last.end)
        yield Area("phase", left, top, right, top + STRIP, fill, GREY, "solid", hatch, colour)
        if text_width(phase.label, 8) + 3 <= right - left:
            middle = (left + right) / 2
            yield Text("phase", middle, top + 8.5, phase.label, anchor="middle", halo=bool(hatch))
    narrow = narrow_phases(calendar, segments)
    widths = [text_width(phase.label, 8) + 6 for phase, _ in narrow]
    places = spread([middle for _, middle in narrow], widths, calendar.left, calendar.right)
    for (phase, middle), place in zip(narrow, places, strict=True):
        yield Line("phase", ((middle, top + STRIP), (place, top + STRIP + 3)), GREY, 0.6)
        yield Text("phase", place, top + STRIP + 10.5, phase.label, anchor="middle")
