"""Courses as pictures: one course over time, or several side by side.

Every picture can be read without colour, because differences also show in shape, line or hatching.
It carries its text alternative, and the same decisions give the same file, byte for byte.
"""

from lenadose.plot.alt_text import is_relapse, why
from lenadose.plot.course import draw_course
from lenadose.plot.courses import draw_courses
from lenadose.plot.layout import HATCHES, MARKS
from lenadose.plot.style import Picture, save, spread_out

__all__ = [
    "HATCHES",
    "MARKS",
    "Picture",
    "draw_course",
    "draw_courses",
    "is_relapse",
    "save",
    "spread_out",
    "why",
]
