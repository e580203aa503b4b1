"""Courses as pictures: one course over time, or several side by side.

Every picture can be read without colour, because differences also show in shape, line or hatching.
It carries its text alternative, and the same decisions give the same file, byte for byte.
"""

from lenadose.plot.course import draw_course
from lenadose.plot.courses import draw_courses
from lenadose.plot.style import Picture, save

__all__ = ["Picture", "draw_course", "draw_courses", "save"]
