"""The panel of the skin: scores of CLASI activity, and the limits of the responses as bands."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.explanation.fact_phrases import is_relapse
from lenadose.picture.layout import (
    DANGER,
    GOOD,
    GREY,
    INK,
    RULE,
    WHITE,
    Area,
    Box,
    Boxes,
    Item,
    Line,
    Point,
    Text,
    mark,
)
from lenadose.picture.placing import Calendar
from lenadose.picture.segments import Segment
from lenadose.record.visit import ACTIVITY
from lenadose.terms.facts import Phase, Response


@frozen
class Scale:
    """The scores on a page: the calendar, the places of 0 and of the top, and the score there."""

    calendar: Calendar
    top: float
    base: float
    highest: float

    def y(self, score: float) -> float:
        """Return the place of a score."""
        return self.base - min(score, self.highest) / self.highest * (self.base - self.top)


_POINT = MappingProxyType({True: 3.6, False: 2.4})
"""Half the width of the point of a score, by whether it is worse."""


def highest_score(decisions: Sequence[Decision], segments: Sequence[Segment]) -> float:
    """Return the score at the top of the panel, with room for words above the highest."""
    scores = [decision.visit.clasi_activity for decision in decisions]
    heights = [*scores, *(segment.worse_from for segment in segments)]
    top = max([8, *(height for height in heights if height is not None)])
    return min(top * 1.28, ACTIVITY[1] * 1.1)


def draw_bands(
    scale: Scale, decisions: Sequence[Decision], segments: Sequence[Segment]
) -> Iterator[Item]:
    """Yield the bands of the responses, which hold from one visit to the next."""
    at, left, right = scale.calendar.at, scale.calendar.edge, scale.calendar.right
    for (worse, partial), run in groupby(
        segments, lambda segment: (segment.worse_from, segment.partial_to)
    ):
        parts = list(run)
        begin, end = at(parts[0].begin), at(parts[-1].end)
        if worse is not None:
            y = scale.y(worse - 0.5)
            yield Area(
                "worse", begin, scale.top, end, y, "#F6D8CA", "", "solid", "diagonal", "#E3B19A"
            )
            yield Line("worse", ((begin, y), (end, y)), DANGER, 1.1)
        if partial is not None:
            y = scale.y(partial + 0.5)
            yield Area("partial", begin, y, end, scale.base, "#DCEFE6")
            yield Line("partial", ((begin, y), (end, y)), GOOD, 1.1, "dashed")
    for phase, run in groupby(segments, lambda segment: segment.phase):
        parts = list(run)
        if phase is Phase.DISCONTINUED:
            begin, end = at(parts[0].begin), at(parts[-1].end)
            yield Area("no-response", begin, scale.top, end, scale.base, "#F2F2F2")
    step = next((each for each in (1, 2, 5, 10) if scale.highest / each <= 4), 20)
    for score in range(0, int(min(scale.highest, ACTIVITY[1])) + 1, step):
        y = scale.y(score)
        yield Text("tick", left - 5, y + 3, str(score), anchor="end")
        yield Line("tick", ((left - 3, y), (left, y)), GREY, 0.6)
    clear = scale.y(decisions[-1].protocol.response.complete_at.value)
    yield Line("complete", ((left, clear), (right, clear)), GOOD, 1.6)
    yield Line("axis", ((left, scale.top), (left, scale.base)), GREY, 0.6)


def draw_grid(
    calendar: Calendar, decisions: Sequence[Decision], top: float, base: float
) -> Iterator[Item]:
    """Yield a line at every visit."""
    for decision in decisions:
        x = calendar.at(decision.visit.date)
        yield Line("visit", ((x, top), (x, base)), RULE, 0.5)


def draw_scores(
    scale: Scale, decisions: Sequence[Decision], segments: Sequence[Segment]
) -> Iterator[Item]:
    """Yield the scores, those that are missing as "?", and the names of the bands."""
    at = scale.calendar.at
    points: list[tuple[float, float, Decision]] = [
        (at(decision.visit.date), scale.y(decision.visit.clasi_activity), decision)
        for decision in decisions
        if decision.visit.clasi_activity is not None
    ]
    missing = [decision for decision in decisions if decision.visit.clasi_activity is None]
    gaps = [gap.visit.date for gap in missing]
    for (x0, y0, before), (x1, y1, after) in pairwise(points):
        # No two visits are on one day.
        between = bisect(gaps, before.visit.date) < bisect(gaps, after.visit.date)
        yield Line("score", ((x0, y0), (x1, y1)), INK, 1, "dotted" if between else "solid")
    taken: list[Box] = []
    for x, y, decision in points:
        worse = _is_worse(decision)
        size = _POINT[worse]
        if worse:
            yield mark("score", "diamond", x, y, size, DANGER, WHITE)
        else:
            yield mark("score", "circle", x, y, size, INK)
        taken.append((x - size, y - size, x + size, y + size))
    texts = [*_missing_scores(scale, missing, taken)]
    taken += [text.box for text in texts]
    texts += _written_scores(scale, points, taken)
    taken += [text.box for text in texts]
    yield from texts
    path = [box for pair in pairwise(points) for box in _boxes_along(pair[0][:2], pair[1][:2])]
    yield from _band_names(scale, segments, [*taken, *path])


def _is_worse(decision: Decision) -> bool:
    ended = decision.facts.phase is Phase.DISCONTINUED
    return decision.facts.response is Response.WORSE and not ended


def _missing_scores(
    scale: Scale, missing: Sequence[Decision], taken: Sequence[Box]
) -> Iterator[Text]:
    written = Boxes(taken)
    for decision in missing:
        x = scale.calendar.at(decision.visit.date)
        judged = decision.visit.judgement
        for words in (*((f"? judged {judged.response.label}",) if judged else ()), "?"):
            for y in (scale.base - 4, scale.base - 14):
                text = Text("missing", x - 2, y, words, 8, "start", True, INK, halo=True)
                inside = text.box[2] <= scale.calendar.right
                if inside and not written.overlap(text.box, 1):
                    break
            else:
                continue
            written.add(text.box)
            yield text
            break


def _written_scores(
    scale: Scale, points: Sequence[tuple[float, float, Decision]], taken: Sequence[Box]
) -> Iterator[Text]:
    """Yield the scores as numbers: those that became worse first, then the ends, then the rest."""
    written = Boxes(taken)
    last = len(points) - 1

    def weight(index: int) -> tuple[int, int]:
        decision = points[index][2]
        if _is_worse(decision):
            return 0, index
        return (1, -index) if index in (0, last) else (2, index)

    was_worse = {index for index in range(1, last + 1) if _is_worse(points[index - 1][2])}
    for index in sorted(range(len(points)), key=weight):
        x, y, decision = points[index]
        worse, score = _is_worse(decision), str(decision.visit.clasi_activity)
        names = [score]
        if worse and index not in was_worse:
            names.insert(0, f"{'relapse' if is_relapse(decision) else 'worse'} {score}")
        colour = DANGER if worse else INK
        size = _POINT[worse]
        places = [(name, height) for name in names for height in (y - size - 2.6, y + size + 9)]
        for name, height in places:
            text = Text("score", x, height, name, 8, "middle", worse, colour, halo=True)
            left, top, right, bottom = text.box
            if right > scale.calendar.right + 8 or left < scale.calendar.edge:
                continue
            if top < scale.top or bottom > scale.base + 2:
                continue
            if not written.overlap(text.box, 0.5):
                written.add(text.box)
                yield text
                break


def _boxes_along(one: Point, other: Point) -> Iterator[Box]:
    """Yield small boxes along a line, which words keep clear of."""
    (x0, y0), (x1, y1) = one, other
    count = max(1, round(max(abs(x1 - x0), abs(y1 - y0)) / 5))
    for index in range(count + 1):
        x, y = x0 + (x1 - x0) * index / count, y0 + (y1 - y0) * index / count
        yield x - 2, y - 2, x + 2, y + 2


def _band_names(scale: Scale, segments: Sequence[Segment], taken: Sequence[Box]) -> Iterator[Text]:
    """Yield the name and the limit of each band, once or where it has changed at the end."""
    written = Boxes(taken)
    for field, name, words, colour in (
        ("worse_from", "worse", "{} or more", DANGER),
        ("partial_to", "partial", "{} or less", GOOD),
    ):
        runs = [
            (value, parts[0], parts[-1])
            for value, run in groupby(segments, attrgetter(field))
            if value is not None and (parts := list(run))
        ]
        # The run that holds now comes first, then the longest.
        ordered = [*runs[-1:], *sorted(runs[:-1], key=lambda run: run[1].begin - run[2].end)]
        found: Text | None = None
        for full in (True, False):
            for value, first, last in ordered:
                label = f"{name}: {words.format(value)}" if full else name
                left, right = scale.calendar.at(first.begin), scale.calendar.at(last.end)
                if field == "worse_from":
                    heights = (scale.top + 9.0, scale.y(value - 0.5) - 3.5)
                else:
                    heights = (scale.y(value + 0.5) + 9.0, scale.base - 3.5)
                for y in heights:
                    found = found or _free_place(scale, label, left, right, y, colour, written)
        if found is not None:
            written.add(found.box)
            yield found


def _free_place(
    scale: Scale,
    label: str,
    left: float,
    right: float,
    y: float,
    colour: str,
    written: Boxes,
) -> Text | None:
    """Return a label in a stretch of the panel where nothing is in its way, or None."""
    text = Text("band", right - 3, y, label, 8, "end", True, colour, halo=True)
    wide = text.box[2] - text.box[0]
    x = right - 3
    while x - wide >= left + 2:
        text = Text("band", x, y, label, 8, "end", True, colour, halo=True)
        inside = text.box[1] >= scale.top - 1 and text.box[3] <= scale.base + 1
        if inside and not written.overlap(text.box, 1):
            return text
        x -= 6
    return None
