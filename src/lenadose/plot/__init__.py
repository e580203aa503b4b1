"""Pictures of courses as files: one course on one screen, or several as rows of one plot.

Every picture can be read without colour, because differences also show in shape, line or hatching.
It carries its text alternative, and the same decisions give the same file, byte for byte.
"""

from collections.abc import Mapping, Sequence

from lenadose.engine.machine import Decision
from lenadose.picture import A5, SCREEN, Page, course_layout, courses_layout
from lenadose.plot.style import Picture, picture_of, save

__all__ = ["A5", "SCREEN", "Page", "Picture", "draw_course", "draw_courses", "save"]


def draw_course(decisions: Sequence[Decision], page: Page = SCREEN) -> Picture:
    """Draw the course of a patient, from the decisions that `replay` returns.

    The title says what holds now and why. On one calendar: every decision, the dosage as steps, the
    phases, and CLASI activity with the limits of the responses; below, what each visit brought.
    """
    return picture_of(course_layout(decisions, page))


def draw_courses(courses: Mapping[str, Sequence[Decision]], page: Page = SCREEN) -> Picture:
    """Draw several courses as a swimmer plot, a row each, under their names.

    The fill of a row is the state (the dosage, or why there is none), its marks are decisions. The
    page is as high as its rows need. Raises CallError if there is no course.
    """
    return picture_of(courses_layout(courses, page))
