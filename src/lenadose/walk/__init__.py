"""The walk: a hypothetical patient whom a reader moves through visits.

The session is plain Python: a walk is changed by messages and shown as JSON. One view in JavaScript
draws it, in a notebook (`lenadose.walk.widget`) and on a page.
"""

from lenadose.walk.session import Walk, begin_walk, change
from lenadose.walk.shown import shown

__all__ = ["Walk", "begin_walk", "change", "shown"]
