"""Courses as pictures: a patient's way in time and several courses side by side.

Every picture can be read without colour: what differs, differs in shape, line or hatching too. It carries its text
alternative, and the same decisions give the same file, byte for byte.
"""

from lenadose.plot.alt_text import is_relapse, why
from lenadose.plot.course import draw_course
from lenadose.plot.courses import draw_courses
from lenadose.plot.layout import HATCHES, MARKS
from lenadose.plot.style import Picture, save, spread

__all__ = [
    "HATCHES",
    "MARKS",
    "Picture",
    "draw_course",
    "draw_courses",
    "is_relapse",
    "save",
    "spread",
    "why",
]
