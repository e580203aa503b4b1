"""One course on one screen: what holds now and why, dosage, skin, and what each visit brought."""

from collections.abc import Iterator, Sequence
from itertools import chain

from lenadose.engine.machine import Decision
from lenadose.explanation.headlines import OPEN
from lenadose.picture.alt_text import course_in_words
from lenadose.picture.dosage import (
    MARKS,
    PLANNED,
    REPORTED,
    STRIP,
    UNREPORTED,
    Steps,
    draw_ceiling,
    draw_phases,
    draw_scale,
    draw_steps,
    is_advised_only,
    narrow_phases,
    rungs,
)
from lenadose.picture.key import KEY_LINE, KeyEntry, Swatch, draw_key, on_lines
from lenadose.picture.labels import draw_labels, place_labels
from lenadose.picture.layout import (
    DANGER,
    GREY,
    INK,
    SCREEN,
    WHITE,
    Item,
    Layout,
    Line,
    Page,
    Text,
    lay_out,
)
from lenadose.picture.marks import action_name, draw_marks
from lenadose.picture.placing import Calendar, long_date
from lenadose.picture.segments import Segment, end_of, segments_of
from lenadose.picture.skin import Scale, draw_bands, draw_grid, draw_scores, highest_score
from lenadose.picture.table import (
    Column,
    choose_columns,
    draw_table,
    row_names,
    table_height,
)
from lenadose.picture.text_width import cut, text_width, wrap
from lenadose.picture.words import Label, title_of
from lenadose.protocol.protocol import Protocol
from lenadose.terms.disclaimer import NOT_A_DEVICE

MARGIN = 8.0
NOTE = 9.4
_SKIN = 50.0  # the least height of the panel of the skin
_MONTHS = 12.5


def course_layout(decisions: Sequence[Decision], page: Page = SCREEN) -> Layout:
    """Return the picture of a course as data, from the decisions that `replay` returns.

    On one calendar: every decision, the dosage as steps, the phases, CLASI activity with the limits
    of the responses, and in a table the counts, pregnancy tests, adverse events and doses taken.
    """
    last, protocol = decisions[-1], decisions[-1].protocol
    segments = tuple(segments_of(decisions))
    names = row_names(decisions)
    levels = [str(level) for level in protocol.ladder.levels]
    left = MARGIN + max(
        [text_width(level, 8) + 8 for level in levels]
        + [text_width(name, 8) + 28 for name in names]
    )
    edge = page.width - MARGIN
    first = decisions[0].visit.date
    days = max((end_of(last) - first).days, 7)
    calendar = Calendar(first, days, left, edge - 14)

    # From the top and from the bottom towards the middle, which takes what is left.
    title = title_of(decisions)
    is_small = page.height < 480
    size = 11.0 if is_small else 14.0
    heading = wrap(title, edge - MARGIN, size, 2, bold=True)
    y = MARGIN + 2 + size * 1.2 * len(heading)
    top = y + 13
    columns = choose_columns(calendar, decisions, edge)
    foot = notes_of([protocol], edge - MARGIN)
    notes = page.height - MARGIN / 2 - NOTE * len(foot)
    step = 15.5 if is_small else 21.0
    highest = max(rungs(protocol, segment.taken) for segment in segments)
    above = max(highest - len(levels), 0) * step
    below = MARKS + STRIP + (11 if narrow_phases(calendar, segments) else 0)
    fixed = step * len(levels) + above + 6 + below + 10 + _MONTHS
    hidden: list[Label] = []
    for _ in range(2):
        # Labels that find no room are explained in the key, which may then take another line.
        key = on_lines(_key(decisions, segments, columns, hidden), MARGIN, edge)
        keys = notes - 3 - KEY_LINE * len(key)
        table = keys - 4 - table_height(names)
        room = table - top - fixed - _SKIN
        placed, hidden = place_labels(calendar, decisions, room)
    lanes = max((each.height for each in placed), default=0)
    steps = Steps(protocol, calendar, top + lanes + 6 + above + step * len(levels), step, above)
    skin_top = steps.base + below + 10
    skin = Scale(calendar, skin_top, table - _MONTHS, highest_score(decisions, segments))

    visits = [calendar.at(decision.visit.date) for decision in decisions]
    items = chain(
        _heading(heading, size, decisions, y, edge, hidden, columns),
        draw_grid(calendar, decisions, steps.top - 4, steps.base),
        draw_grid(calendar, decisions, skin_top, skin.base),
        draw_scale(steps),
        draw_ceiling(steps, segments),
        draw_steps(steps, segments, [each.x for each in placed]),
        draw_labels(placed, steps.top - 6, steps.base),
        draw_marks(decisions, visits, steps.base, 4),
        draw_phases(calendar, segments, steps.base + MARKS),
        _names(skin),
        draw_bands(skin, decisions, segments),
        draw_scores(skin, decisions, segments),
        _months(skin, table),
        draw_table(columns, names, calendar, table, edge),
        draw_key(key, keys),
        draw_notes(foot, notes),
    )
    return lay_out(page, title, "\n".join([title, *course_in_words(decisions)]), items)


def _heading(
    heading: Sequence[str],
    size: float,
    decisions: Sequence[Decision],
    y: float,
    edge: float,
    hidden: Sequence[Label],
    columns: Sequence[Column],
) -> Iterator[Item]:
    for index, line in enumerate(heading):
        below = size * 1.2 * (len(heading) - 1 - index)
        yield Text("title", MARGIN, y - 4 - below, line, size, bold=True)
    last = decisions[-1]
    begin, end = decisions[0].visit.date, last.visit.date
    many = f"{len(decisions)} visits, {long_date(begin)} to {long_date(end)}"
    parts = [
        many if len(decisions) > 1 else f"1 visit, {long_date(begin)}",
        f"phase: {last.phase_after.label}",
        f"next visit: due {long_date(last.next_visit.due)}" if last.next_visit else "no next visit",
    ]
    shown = sum(bool(column.cells) for column in columns)
    if shown < len(decisions):
        parts.append(f"below: {shown} of the {len(decisions)} visits")
    if hidden:
        count = len(hidden)
        parts.append(f"{count} {'decision' if count == 1 else 'decisions'} marked only")
    rest = " · ".join(parts)
    name = last.seen.patient.id or "A patient"
    room = edge - MARGIN - text_width(f" · {rest}", 8)
    line = f"{cut(name, max(room, 40), 8)} · {rest}"
    yield Text("subtitle", MARGIN, y + 8, cut(line, edge - MARGIN, 8), colour=GREY)


def _names(skin: Scale) -> Iterator[Item]:
    yield Text("panel", MARGIN, skin.top + 7, "CLASI activity", bold=True)
    yield Text("panel", MARGIN, skin.top + 17, "0 (clear) to 70", colour=GREY)


def _months(skin: Scale, bottom: float) -> Iterator[Item]:
    """Yield the months below the panels, with the year at the first and at each January."""
    calendar = skin.calendar
    months = calendar.months(text_width("Sep 2026", 8) + 8)
    for index, day in enumerate(months):
        x = calendar.at(day)
        name = long_date(day)[3:] if index == 0 or day.month == 1 else long_date(day)[3:6]
        text = Text("month", x, bottom - 2, name, anchor="middle", colour=GREY)
        yield Line("month", ((x, skin.base), (x, skin.base + 2.5)), GREY, 0.6)
        if calendar.edge + 1 <= text.box[0] and text.box[2] <= calendar.right + 14:
            yield text


def _key(
    decisions: Sequence[Decision],
    segments: Sequence[Segment],
    columns: Sequence[Column],
    hidden: Sequence[Label],
) -> Iterator[KeyEntry]:
    """Yield what the fills and signs in use mean, and the marks of decisions without a label."""
    cells = [cell.forms[-1] for column in columns for cell in column.cells.values()]
    drugged = [
        (segment.is_reported, index == len(segments) - 1)
        for index, segment in enumerate(segments)
        if segment.taken is not None and (segment.is_reported or not segment.is_open)
    ]
    if any(reported for reported, _ in drugged):
        yield KeyEntry("taken, as reported", Swatch(REPORTED))
    if any(not reported and not planned for reported, planned in drugged):
        yield KeyEntry("advised, intake not reported", Swatch(UNREPORTED))
    if any(planned for _, planned in drugged):
        yield KeyEntry("advised until the next visit", Swatch(PLANNED, INK, "dashed"))
    if any(map(is_advised_only, segments)):
        yield KeyEntry("advised, not taken", Swatch(WHITE, DANGER, "dashed"))
    if any(segment.is_open for segment in segments):
        yield KeyEntry(f"open: {OPEN}", Swatch(WHITE, INK, "dotted"))
    if any(form.startswith("■") for form in cells):
        yield KeyEntry("■ interrupts or stops")
    if any(form.startswith("▲") for form in cells):
        yield KeyEntry("▲ caution or lower ceiling")
    scores = [decision.visit.clasi_activity for decision in decisions]
    if any("?" in form for form in cells) or None in scores:
        yield KeyEntry("? missing")
    if "–" in cells:
        yield KeyEntry("– not reported")
    for action in dict.fromkeys(label.first.action for label in hidden):
        yield KeyEntry(action_name(action), action)


def notes_of(protocols: Sequence[Protocol], width: float) -> Sequence[str]:
    """Return the notes below a picture: the disclaimer, and each protocol with its evidence."""
    about = (
        f"{protocol.id} {protocol.version}, sha256 {protocol.hash[:12]}. {protocol.evidence}"
        for protocol in protocols
    )
    return wrap(" ".join((NOT_A_DEVICE, *about)), width, 8, 4 * len(protocols))


def draw_notes(lines: Sequence[str], top: float) -> Iterator[Item]:
    """Yield the notes."""
    for index, line in enumerate(lines):
        yield Text("note", MARGIN, top + NOTE * (index + 0.8), line, colour=GREY)
