"""The table below the panels: what each visit brought, in a column under the visit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from heapq import heapify, heappop, heappush
from itertools import pairwise
from types import MappingProxyType

from attrs import frozen

from lenadose.engine.machine import Decision
from lenadose.engine.observe import MissingReason
from lenadose.picture.layout import CAUTION, DANGER, GREY, INK, RULE, Item, Line, Text
from lenadose.picture.placing import Calendar, short_date, spread
from lenadose.picture.text_width import text_width
from lenadose.picture.words import brief_dosage, decides, is_danger
from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.measurement import Result
from lenadose.record.visit import TestResult
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import ON_TREATMENT, Action, Phase, Safety
from lenadose.terms.units import CREATININE_CLEARANCE, PRINTED, QUANTITIES, Quantity

ROW, HEADER, LEADERS = 11.0, 10.0, 11.0
"""The heights of a row, of a line of the header, and of the lines from the visits to it."""

TESTS, EVENTS, DOSES = "Pregnancy test", "Adverse events", "Doses taken"

# Points from its visit beyond which a visit has no column: one without news, where all visits can
# have one and where some cannot, and one that decided. A danger always has one.
_FAR, _NEAR, _FARTHEST = 100.0, 45.0, 180.0
_GAP = 6.0


@frozen
class Cell:
    """The words of one visit for one row, from the longest to the shortest."""

    forms: tuple[str, ...]
    colour: str = INK
    bold: bool = False

    @property
    def shortest(self) -> float:
        """The least width, in points."""
        return text_width(self.forms[-1], 8, bold=self.bold)


@frozen
class Column:
    """A visit of the table, or the next visit due: its day, its place, and its cells by row."""

    day: date
    visit_at: float
    header: tuple[str, ...]
    cells: Mapping[str, Cell]
    middle: float = 0
    room: float = 0


NOT_REPORTED, NOT_MEASURED = Cell(("–",), GREY), Cell(("",))


def row_names(decisions: Sequence[Decision]) -> list[str]:
    """Return the names of the rows; without pregnancy tests where none is needed or recorded."""
    able = decisions[-1].seen.patient.able_to_become_pregnant
    tested = any(decision.visit.tests for decision in decisions)
    names = [
        f"{_SHORT_NAMES.get(name, name.capitalize())} {PRINTED[quantity.unit]}"
        for name, quantity in QUANTITIES.items()
    ]
    tests = [] if able is False and not tested else [TESTS]
    return [*names, *tests, EVENTS, DOSES]


_SHORT_NAMES = MappingProxyType({CREATININE_CLEARANCE.name: "Clearance"})


def cells_of(decisions: Sequence[Decision]) -> list[dict[str, Cell]]:
    """Return for each visit the cell of each row."""
    names = row_names(decisions)
    columns = []
    for before, decision in pairwise((None, *decisions)):
        assert decision is not None
        missing = {gap.field: gap.why for gap in decision.seen.missing_fields}
        cells = {
            name: _count(decision, place, quantity, missing)
            for place, (name, quantity) in enumerate(zip(names, QUANTITIES.values(), strict=False))
        }
        if TESTS in names:
            cells[TESTS] = _tests(decision, missing)
        cells[EVENTS] = _events(decision, missing)
        cells[DOSES] = _doses(before, decision)
        columns.append(cells)
    return columns


def _gap(decision: Decision, field: str, missing: Mapping[str, MissingReason]) -> Cell:
    """Return the cell of what was not reported; in bold where it is asked for."""
    reason = missing.get(field)
    if reason is None:
        return NOT_REPORTED
    forms = ("?",) if reason is MissingReason.ABSENT else ("? too old", "? old")
    asked = decision.action is Action.REQUEST_DATA
    return Cell(forms, INK if asked else GREY, asked)


def _count(
    decision: Decision, place: int, quantity: Quantity, missing: Mapping[str, MissingReason]
) -> Cell:
    given = decision.visit.counted[place]
    if given is None:
        return _gap(decision, quantity.name, missing)
    graver, milder = decision.protocol.safety.limits_of(quantity.name)
    known = decision.seen.findings.result(quantity.name)
    counts = known is not None and (known.on, known.given) == (given.on, given.given)
    # What a bound means is settled when it is carried forward.
    amount = known.amount if known and counts else given.amount
    value = _value(given, quantity)
    if not counts:
        return Cell((f"({value}), an older one", f"({value})"), GREY)
    lower = min(decision.visit.results(quantity.name), key=lambda result: result.amount)
    if lower.amount < graver <= amount:
        value = f"{_value(lower, quantity)}→{value}"
    if min(lower.amount, amount) < graver:
        return Cell((f"■ {value}",), DANGER, True)
    if amount < milder:
        return Cell((f"▲ {value}",), CAUTION, True)
    return Cell((value,))


def _value(result: Result, quantity: Quantity) -> str:
    value = result.value_in(quantity)
    return value if isinstance(value, str) else format_decimal(value)


def _tests(decision: Decision, missing: Mapping[str, MissingReason]) -> Cell:
    tests = decision.visit.tests
    if not tests:
        return _gap(decision, "pregnancy_tests", missing)
    if any(result is TestResult.POSITIVE for _, result in tests):
        return Cell(("■ positive", "■ pos"), DANGER, True)
    times = f" ×{len(tests)}" if len(tests) > 1 else ""
    if "pregnancy_tests" in missing:
        asked = decision.action is Action.REQUEST_DATA
        return Cell((f"negative{times}, not enough", f"neg{times} ?"), INK, asked)
    return Cell((f"negative{times}", f"neg{times}"))


def _events(decision: Decision, missing: Mapping[str, MissingReason]) -> Cell:
    events = decision.visit.adverse_events
    if events is None:
        return _gap(decision, "adverse_events", missing)
    if not events:
        return Cell(("none",), GREY)
    found = [
        ongoing.criterion.safety
        for ongoing in decision.seen.findings.ongoing
        if ongoing.event in events
    ]
    worst = min(found, key=lambda safety: safety.rank, default=Safety.ACCEPTABLE)
    grade = max((event.grade or 0 for event in events), default=0)
    short = f"gr {grade}" if grade else "yes"
    if all(event.resolved for event in events):
        short = "over"
    more = len(events) - 1
    mid = f"{len(events)} events{f', {short}' if grade else ''}" if more else _event(events[0])
    forms = ("; ".join(map(_event, events)), mid, f"{short} +{more}" if more else short)
    if worst in (Safety.STOP, Safety.INTERRUPT):
        return Cell(tuple(f"■ {form}" for form in forms), DANGER, True)
    if worst is Safety.CAUTION:
        return Cell(tuple(f"▲ {form}" for form in forms), CAUTION, True)
    return Cell(forms)


def _event(event: AdverseEvent) -> str:
    grade = f" gr {event.grade}" if event.grade is not None else ""
    return f"{event.name}{grade}{' over' if event.resolved else ''}"


def _doses(before: Decision | None, decision: Decision) -> Cell:
    visit = decision.visit
    missed = visit.doses_missed
    taken: tuple[str, ...] = ()
    if visit.dosage_taken is not None:
        dosage = visit.dosage_taken.dosage
        taken = (str(dosage), brief_dosage(dosage)) if dosage else ("none",)
    if missed:
        words = f"{missed} missed"
        return Cell((*(f"{form}, {words}" for form in taken), words))
    if taken:
        return Cell(taken)
    if missed is not None:
        return Cell(("all",))
    had_drug = before is not None and (before.level is not None or _treated(decision))
    return NOT_REPORTED if had_drug else NOT_MEASURED


def _treated(decision: Decision) -> bool:
    return decision.facts.phase in ON_TREATMENT


def _importance(decisions: Sequence[Decision], index: int) -> int:
    """Return how much a visit needs a column: 0 the most."""
    decision = decisions[index]
    if index == len(decisions) - 1:
        return 0
    if is_danger(decision) and decision.facts.phase is not Phase.DISCONTINUED:
        return 1
    before = decisions[index - 1] if index else None
    if decides(before, decision) and (before is None or before.action is not decision.action):
        return 2
    return 3 if is_danger(decision) or decision.facts.safety is Safety.CAUTION else 4


def choose_columns(calendar: Calendar, decisions: Sequence[Decision], edge: float) -> list[Column]:
    """Return the columns that fit, in order, with the next visit as the last one if it fits.

    Dangers and what decided come first; of the rest those farthest from what is shown.
    """
    cells = cells_of(decisions)
    at = [calendar.at(decision.visit.date) for decision in decisions]
    widths = [
        max(
            text_width(short_date(decision.visit.date), 8, bold=True),
            *(c.shortest for c in row.values()),
        )
        + _GAP
        for decision, row in zip(decisions, cells, strict=True)
    ]
    low, high = calendar.edge - 10, edge
    rest = sorted(range(len(decisions)), key=lambda index: (_importance(decisions, index), index))
    chosen: list[int] = []
    moved: dict[int, float] = {}

    def fits(indices: Sequence[int], furthest: float) -> bool:
        own = [widths[index] for index in indices]
        if sum(own) > high - low:
            return False
        places = spread([at[index] for index in indices], own, low, high)
        # What stands far from its visit already does not keep others out.
        return all(
            abs(place - at[index]) <= max(furthest, moved.get(index, 0) + 1)
            for place, index in zip(places, indices, strict=True)
        )

    def choose(index: int, furthest: float) -> None:
        indices = sorted([*chosen, index])
        if fits(indices, furthest):
            chosen.append(index)
            own = [widths[each] for each in indices]
            places = spread([at[each] for each in indices], own, low, high)
            for each, place in zip(indices, places, strict=True):
                moved[each] = abs(place - at[each])

    for index in [each for each in rest if _importance(decisions, each) < 4]:
        furthest = high if _importance(decisions, index) < 2 else _FARTHEST
        choose(index, furthest)
    far_off = _FAR if sum(widths) <= high - low else _NEAR
    ordinary = [index for index in rest if _importance(decisions, index) == 4]
    if fits(sorted([*chosen, *ordinary]), _FAR):
        chosen += ordinary
        ordinary = []

    def apart(index: int) -> float:
        return min((abs(at[index] - at[each]) for each in chosen), default=high)

    # The farthest comes first. What is chosen can only bring others nearer: each is looked at again
    # when its turn comes.
    turns = [(-apart(index), place, index) for place, index in enumerate(ordinary)]
    heapify(turns)
    while turns:
        before, place, index = heappop(turns)
        if apart(index) < -before:
            heappush(turns, (-apart(index), place, index))
        else:
            choose(index, far_off)
    chosen.sort()
    columns = [Column(decisions[index].visit.date, at[index], (), cells[index]) for index in chosen]
    own = [widths[index] for index in chosen]
    due = decisions[-1].next_visit
    if due is not None:
        words = f"due {short_date(due.due)}"
        width = text_width(words, 8) + _GAP
        # The next visit takes no place from a visit.
        shown = spread([at[index] for index in chosen], own, low, high)
        after = max(calendar.at(due.due), shown[-1] + own[-1] / 2 + width / 2)
        if after + width / 2 <= high:
            columns.append(Column(due.due, calendar.at(due.due), (words,), {}))
            own.append(width)
    return _placed(columns, own, low, high)


def _placed(
    columns: Sequence[Column], widths: Sequence[float], low: float, high: float
) -> list[Column]:
    """Return the columns with their places, their headers, and the room for their words."""
    places = spread([column.visit_at for column in columns], widths, low, high)
    edges = [low, *((one + other) / 2 for one, other in pairwise(places)), high]
    found = []
    year = None
    for index, (column, middle, width) in enumerate(zip(columns, places, widths, strict=True)):
        room = max(2 * min(middle - edges[index], edges[index + 1] - middle), width) - _GAP
        words = column.header or (short_date(column.day),)
        header = words if column.day.year == year else (*words, str(column.day.year))
        year = column.day.year
        found.append(Column(column.day, column.visit_at, header, column.cells, middle, room))
    return found


def draw_table(
    columns: Sequence[Column], names: Sequence[str], calendar: Calendar, top: float, edge: float
) -> Iterator[Item]:
    """Yield the header, the rows and their cells, below lines from the visits."""
    head = top + LEADERS
    for column in columns:
        x, middle = column.visit_at, column.middle
        bend = ((x, top + 3), (middle, head - 3)) if abs(x - middle) > 6 else ()
        points = ((x, top), *bend, (middle, head))
        is_visit = bool(column.cells)
        yield Line("column", points, GREY, 0.6, "solid" if is_visit else "dotted")
        for index, words in enumerate(column.header):
            y = head + 8 + HEADER * index
            yield Text("date", middle, y, words, anchor="middle", bold=is_visit and not index)
    lines = 2
    y = head + HEADER * lines + 2
    for name in names:
        yield Line("row", ((8, y), (edge, y)), RULE, 0.5)
        yield Text("row", calendar.edge - 16, y + 8.5, name, anchor="end")
        row = [(column, cell) for column in columns if (cell := column.cells.get(name))]
        # All say it as briefly as the one with the least room, save events, which have names.
        brevity = 0 if name == EVENTS else max((_brevity(*each) for each in row), default=0)
        for column, cell in row:
            words = cell.forms[min(max(brevity, _brevity(column, cell)), len(cell.forms) - 1)]
            if not words:
                continue
            yield Text("cell", column.middle, y + 8.5, words, 8, "middle", cell.bold, cell.colour)
        y += ROW


def _brevity(column: Column, cell: Cell) -> int:
    """Return which of the forms of a cell is the first to fit, or the last."""
    fitting = (
        index
        for index, form in enumerate(cell.forms)
        if text_width(form, 8, bold=cell.bold) <= column.room
    )
    return next(fitting, len(cell.forms) - 1)


def table_height(names: Sequence[str]) -> float:
    """Return the height of the table, from the lines of the visits to the last row."""
    return LEADERS + 2 * HEADER + 2 + ROW * len(names)
