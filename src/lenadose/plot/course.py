"""One course as a picture: decisions, dosage, skin and counts, on one calendar."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from lenadose.engine.machine import Decision
from lenadose.plot.activity import draw_skin
from lenadose.plot.alt_text import course_in_words, why
from lenadose.plot.dosage import draw_dosage
from lenadose.plot.labs import draw_count
from lenadose.plot.layout import (
    LABEL,
    Axis,
    date_ticks,
    draw_labels,
    draw_time,
    lay_panels,
    name_phases,
)
from lenadose.plot.segments import end_of, segments_of
from lenadose.plot.style import GREY, Picture, draw_legend, drawable, in_style, inches, notes_of

LEFT, _RIGHT, _PLOT = 1.45, 1.3, 5.25  # inches: beside the plots, and their usual width


def draw_course(decisions: Sequence[Decision]) -> Picture:
    """Draw the course of a patient, from the decisions that `replay` returns.

    On one calendar: every decision with its action and cause, the dosage as steps, CLASI activity
    with the score at the start and the limits of the response, and neutrophils, platelets and
    creatinine clearance with their limits.
    """
    with in_style():
        return _course(decisions)


def _course(decisions: Sequence[Decision]) -> Picture:
    last, protocol = decisions[-1], decisions[-1].protocol
    # A result can be older than the first visit.
    days = [
        result.on
        for decision in decisions
        for result in decision.visit.counted
        if result is not None
    ]
    first = min([decisions[0].visit.date, *days])
    width = max(_PLOT, (len(decisions) + 1) * LABEL)
    axis = Axis(first, max((end_of(last) - first).days, 14), width)
    labels = [drawable(why(decision), 80) for decision in decisions]
    strip = 0.45 + max(inches(label, 7.5) for label in labels)
    heights = (strip, 0.3 + 0.3 * len(protocol.ladder.levels), 2.1, 0.85, 0.85, 0.85)
    notes = notes_of(protocol, int((LEFT + width + _RIGHT) * 18))
    foot = 1.45 + 0.11 * notes.count("\n")
    total = 0.5 + sum(heights) + 0.14 * len(heights) + foot
    figure = Figure(figsize=(LEFT + width + _RIGHT, total))
    patient = last.seen.patient.id
    visits = f"{len(decisions)} visit{'s' * (len(decisions) > 1)}"
    title = f"{patient or 'A patient'}: {visits} from {decisions[0].visit.date}"
    figure.text(0.01, 1 - 0.1 / total, drawable(title, 80), size=11, weight="bold", va="top")
    panels = lay_panels(figure, axis, heights, total, LEFT, total - 0.42)
    strip_of, dosage, skin, *counts = panels
    draw_labels(strip_of, axis, decisions, labels, strip)
    segments = tuple(segments_of(decisions))
    used = draw_dosage(dosage, axis, protocol, segments)
    used |= draw_skin(skin, axis, decisions, segments)
    for place, panel in enumerate(counts):
        used |= draw_count(panel, axis, decisions, place)
    for panel in panels:
        used |= draw_time(panel, axis, decisions, segments)
    name_phases(dosage, axis, segments)
    date_ticks(panels, axis)
    draw_legend(figure, used, foot - 0.5, total, LEFT + width + _RIGHT)
    figure.text(0.01, 0.06 / total, notes, size=6.5, va="bottom", color=GREY)
    return Picture(figure, title, "\n".join(course_in_words(decisions)))
