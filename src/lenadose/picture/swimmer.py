"""Several courses as a swimmer plot: a row each; the fill is the state, the marks are decisions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, groupby

from attrs import evolve, frozen

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import OPEN, QUESTIONS
from lenadose.picture.alt_text import course_in_words
from lenadose.picture.course import MARGIN, NOTE, draw_notes, notes_of
from lenadose.picture.dosage import PHASES
from lenadose.picture.key import KEY_LINE, KeyEntry, Swatch, draw_key, on_lines
from lenadose.picture.layout import (
    GREY,
    INK,
    RULE,
    SCREEN,
    WHITE,
    Area,
    Hatch,
    Item,
    Layout,
    Line,
    Page,
    Text,
    lay_out,
)
from lenadose.picture.marks import ORDINARY, action_name, draw_marks
from lenadose.picture.segments import Segment, end_of, segments_of
from lenadose.picture.text_width import cut, text_width, wrap
from lenadose.picture.words import brief_dosage, danger_words
from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import fault
from lenadose.terms.facts import Action, Phase

_DOSES = ("#E3EFF9", "#BCD8EF", "#8FBDE3", "#5E9FD3")
"""The fills of the levels, from the lowest to the highest; more levels share the last."""

_AFTER = "After the last visit"
_LEAST, _MOST = 26.0, 46.0  # points: the height of a row


@frozen
class _Row:
    """A course in the plot: its name, its decisions, and the time between them."""

    name: str
    decisions: tuple[Decision, ...]
    segments: tuple[Segment, ...]

    @property
    def first(self) -> date:
        """The day of the first visit, from which weeks are counted."""
        return self.decisions[0].visit.date


def courses_layout(courses: Mapping[str, Sequence[Decision]], page: Page = SCREEN) -> Layout:
    """Return several courses as a swimmer plot, each in a row under its name.

    All begin at their first visit. The page is as high as its rows need: lower than *page* for a
    few courses, higher for more than fit. Raises
    CallError if there is no course.
    """
    if not courses:
        raise fault("courses", "there are none", "give at least one, under its name")
    rows = [
        _Row(name, tuple(decisions), tuple(segments_of(decisions)))
        for name, decisions in courses.items()
    ]
    edge = page.width - MARGIN
    names = [cut(row.name, page.width * 0.26, 8, bold=True) for row in rows]
    left = MARGIN + max(text_width(name, 8, bold=True) for name in names) + 10
    states = [_state(row.decisions[-1]) for row in rows]
    states = [cut(state, page.width * 0.3, 8) for state in states]
    right = edge - max(text_width(state, 8) for state in [*states, _AFTER]) - 10
    days = max(max((end_of(row.decisions[-1]) - row.first).days for row in rows), 14)

    protocols = {row.decisions[-1].protocol.hash: row.decisions[-1].protocol for row in rows}
    notes = notes_of([*protocols.values()], edge - MARGIN)
    key = on_lines(_key(rows), MARGIN, edge)
    title = f"{len(rows)} course{'s' * (len(rows) > 1)}: {_summary(rows)}."
    is_small = page.height < 480
    size = 11.0 if is_small else 14.0
    heading = wrap(title, edge - MARGIN, size, 2, bold=True)
    top = MARGIN + size * 1.2 * len(heading) + 22
    foot = 28 + KEY_LINE * len(key) + 6 + NOTE * len(notes) + MARGIN / 2
    height = min(max((page.height - top - foot) / len(rows), _LEAST), _MOST)
    page = evolve(page, height=top + height * len(rows) + foot)
    bottom = top + height * len(rows)

    def at(row: _Row, day: date) -> float:
        return left + (day - row.first).days / days * (right - left)

    below = page.height - MARGIN / 2 - NOTE * len(notes)
    items = chain(
        (
            Text("title", MARGIN, MARGIN + 2 + size * (1.2 * index + 0.9), line, size, bold=True)
            for index, line in enumerate(heading)
        ),
        (
            Text("heading", MARGIN, top - 4, "Patient", colour=GREY),
            Text("heading", right + 8, top - 4, _AFTER, colour=GREY),
        ),
        _weeks(left, right, days, top, bottom),
        chain.from_iterable(
            _draw_row(
                evolve(row, name=names[index]),
                states[index],
                [(at(row, part.begin), at(row, part.end)) for part in row.segments],
                [at(row, decision.visit.date) for decision in row.decisions],
                top + height * index,
                height,
                right,
            )
            for index, row in enumerate(rows)
        ),
        draw_key(key, below - 4 - KEY_LINE * len(key)),
        draw_notes(notes, below),
    )
    alt = chain.from_iterable(
        (f"{row.name}: {_state(row.decisions[-1])}.", *course_in_words(row.decisions))
        for row in rows
    )
    return lay_out(page, title, "\n".join([title, *alt]), items)


def _state(last: Decision) -> str:
    """Return what holds after the last visit, in few words."""
    danger = danger_words(last)
    urgent = f"same-day: {danger}; " if danger else ""
    if last.action in QUESTIONS:
        asked = action_name(last.action)
        until = (
            f"{brief_dosage(last.dosage)} {QUESTIONS[last.action]}" if last.dosage else "no dosage"
        )
        return f"{urgent}{asked}, {until}"
    return f"{urgent}{last.dosage or last.phase_after.label}"


def _summary(rows: Sequence[_Row]) -> str:
    """Return how many patients take the drug, and how many do not, by their state."""
    counted: dict[str, int] = {}
    for row in rows:
        last = row.decisions[-1]
        state = "on the drug" if last.dosage else last.phase_after.label
        if last.action in QUESTIONS:
            state = "with a question open"
        counted[state] = counted.get(state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in counted.items())


def _fill(segment: Segment, protocol: Protocol) -> tuple[str, Hatch, str]:
    """Return the fill of a state, its hatching, and the colour of that."""
    if segment.taken is not None:
        level = protocol.ladder.level_of(segment.taken)
        rank = level.rank if level else 0
        return _DOSES[min(rank, len(_DOSES) - 1)], "", ""
    if segment.phase in (Phase.TITRATION, Phase.TAPER):
        return WHITE, "", ""
    return PHASES[segment.phase]


def _draw_row(
    row: _Row,
    state: str,
    spans: Sequence[tuple[float, float]],
    visits: Sequence[float],
    top: float,
    height: float,
    right: float,
) -> Iterator[Item]:
    middle = top + height / 2
    low, high = top + height * 0.14, top + height * 0.5
    yield Line("row", ((MARGIN, top), (right, top)), RULE, 0.5)
    yield Text("name", MARGIN, middle - 1, row.name, bold=True)
    yield Text("now", right + 8, middle - 1, state)
    protocol = row.decisions[-1].protocol
    joined = groupby(
        zip(row.segments, spans, strict=True),
        lambda pair: (
            pair[0].taken,
            pair[0].phase,
            pair[0].is_open,
            pair[0].taken is not None and pair[0] is row.segments[-1],
        ),
    )
    for (taken, phase, is_open, is_planned), run in joined:
        parts = list(run)
        begin, end = parts[0][1][0], parts[-1][1][1]
        fill, hatch, colour = _fill(parts[0][0], protocol)
        if is_open and taken is None:
            yield Area("open", begin, low, end, high, WHITE, INK, "dotted")
        elif is_planned:
            yield Area("planned", begin, low, end, high, WHITE, INK, "dashed")
        else:
            yield Area("state", begin, low, end, high, fill, GREY, "solid", hatch, colour)
        for words in _names(taken, phase, is_open):
            if text_width(words, 8, bold=taken is not None) + 4 < end - begin:
                y = (low + high) / 2 + 3
                bold = taken is not None
                yield Text("state", (begin + end) / 2, y, words, 8, "middle", bold, halo=not bold)
                break
    yield from draw_marks(row.decisions, visits, top + height * 0.76, 3.6)


def _names(taken: Dosage | None, phase: Phase, is_open: bool) -> Iterable[str]:
    if taken is not None:
        amount = brief_dosage(taken)
        return str(taken), amount, amount.replace(" mg", "").replace(" days", "d")
    return ("?",) if is_open else (phase.label,)


def _weeks(left: float, right: float, days: int, top: float, bottom: float) -> Iterator[Item]:
    """Yield the weeks since the first visit, below the rows."""
    most = (right - left) / 34
    step = next(
        each for each in (1, 2, 4, 8, 13, 26, *range(52, 5200, 52)) if days / 7 / each < most
    )
    for week in range(0, days // 7 + 1, step):
        x = left + 7 * week / days * (right - left)
        # Areas, because those lie below the rows.
        yield Area("week", x - 0.25, top, x + 0.25, bottom, RULE)
        yield Text("week", x, bottom + 9, str(week), anchor="middle")
    yield Line("axis", ((left, bottom), (right, bottom)), GREY, 0.7)
    yield Text("axis", (left + right) / 2, bottom + 19, "weeks since the first visit", 8, "middle")


def _key(rows: Sequence[_Row]) -> Iterator[KeyEntry]:
    """Yield the states and the marks that occur."""
    protocols = [row.decisions[-1].protocol for row in rows]
    taken = {
        (level.rank, str(level))
        for row, protocol in zip(rows, protocols, strict=True)
        for segment in row.segments[:-1]
        if segment.taken is not None and (level := protocol.ladder.level_of(segment.taken))
    }
    for rank, name in sorted(taken):
        yield KeyEntry(name, Swatch(_DOSES[min(rank, len(_DOSES) - 1)], GREY))
    segments = [segment for row in rows for segment in row.segments]
    if any(row.decisions[-1].dosage for row in rows):
        yield KeyEntry("advised until the next visit", Swatch(WHITE, INK, "dashed"))
    if any(segment.is_open for segment in segments):
        yield KeyEntry(f"open: {OPEN}", Swatch(WHITE, INK, "dotted"))
    idle = {each.phase for each in segments if each.taken is None and not each.is_open}
    for phase in Phase:
        if phase in idle:
            fill, hatch, colour = PHASES[phase]
            yield KeyEntry(phase.label, Swatch(fill, GREY, "solid", hatch, colour))
    made = {decision.action for row in rows for decision in row.decisions}
    for action in Action:
        if action in made and action not in ORDINARY:
            yield KeyEntry(action_name(action), action)
