"""Courses as pictures: a patient's way in time, several courses side by side, and the way through the phases.

Every picture can be read without colour: what differs, differs in shape, line or hatching too. It carries its text
alternative, and the same decisions give the same file, byte for byte.
"""

from .course import draw_course
from .courses import draw_courses
from .panels import HATCHES, MARKS
from .paper import Picture, save, spread
from .phases import draw_phases
from .words import is_relapse, why

__all__ = [
    "HATCHES",
    "MARKS",
    "Picture",
    "draw_course",
    "draw_courses",
    "draw_phases",
    "is_relapse",
    "save",
    "spread",
    "why",
]
