"""A shortest course to each case of each row of a protocol."""

from collections.abc import Iterator
from functools import cache

from tests.support.verified import state_space

from lenadose import Course, get_protocol
from lenadose.protocol.protocol import case_id
from lenadose.verification.places import course_of


@cache
def courses_to_rows(name: str) -> dict[str, Course]:
    """Return the courses by the ids of the cases, which their last visits meet."""
    return dict(_courses(name))


def _courses(name: str) -> Iterator[tuple[str, Course]]:
    space = state_space(name)
    for (row, case), answer in space.reached.items():
        witness = space.witnesses[answer.place]
        seen = space.realize(witness, answer.showing)
        assert seen is not None
        course = course_of(witness, seen.visit)
        yield case_id(row, case), Course(course.visits, course.patient, get_protocol(name).id)
