"""Pictures as data: what is drawn where, made without a drawing library.

`lenadose.plot` draws them with matplotlib; another program can draw the same in its own way.
"""

from lenadose.picture.course import course_layout
from lenadose.picture.layout import A5, SCREEN, Area, Layout, Line, Mark, Page, Text
from lenadose.picture.swimmer import courses_layout

__all__ = [
    "A5",
    "SCREEN",
    "Area",
    "Layout",
    "Line",
    "Mark",
    "Page",
    "Text",
    "course_layout",
    "courses_layout",
]
