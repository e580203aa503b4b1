"""The walk in a notebook: sliders and chips for every fact, card, picture and rows beside them.

from lenadose.walk.widget import walk

walk("neutropenia-at-10-mg")
"""

from collections.abc import Mapping
from importlib.resources import files

import anywidget
import traitlets

from lenadose.engine.machine import Decision
from lenadose.protocol.protocol import Protocol
from lenadose.record.course import Course
from lenadose.walk.session import begin_walk, change
from lenadose.walk.shown import shown


class WalkWidget(anywidget.AnyWidget):
    """A walk that a notebook shows: `course` and `decisions` are what the reader made of it."""

    _esm = files("lenadose.walk").joinpath("view.js").read_text("utf-8")
    _shown = traitlets.Dict().tag(sync=True)

    def __init__(
        self, course: Course | str | None = None, protocol: Protocol | str | None = None
    ) -> None:
        self._walk, self._answers = begin_walk(course, protocol), 0
        super().__init__(_shown=self._data())
        self.on_msg(self._receive)

    def _data(self) -> dict[str, object]:
        # The view waits for an answer to each message, even to one that changes nothing.
        return {**shown(self._walk), "answers": self._answers}

    def _receive(self, _: object, message: object, __: object) -> None:
        self.send_message(message)  # type: ignore[arg-type]  # what is no message is refused

    def send_message(self, message: Mapping[str, object]) -> None:
        """Change the walk by a message of the session, as the view does."""
        self._walk = change(self._walk, message)
        self._answers += 1
        self._shown = self._data()

    @property
    def course(self) -> Course:
        """The course so far; `course_data` makes it JSON."""
        return self._walk.course

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decision at every visit of the course."""
        return self._walk.decisions


def walk(course: Course | str | None = None, protocol: Protocol | str | None = None) -> WalkWidget:
    """Return a walk for a notebook: of a course, of an example by its name, or of a new patient.

    Raises CallError for an unknown example or protocol, and for a course that cannot be replayed.
    """
    return WalkWidget(course, protocol)
