"""The patients of examples/, as the benchmarks use them: each visit with the state in which the patient came to it."""

from pathlib import Path

from attrs import frozen

from lenadose import Course, State, Visit, begin, get_protocol, load_course, step
from lenadose.protocol.protocol import Protocol

ROOT = Path(__file__).parents[1]
PROTOCOL: Protocol = get_protocol()


@frozen
class Witness:
    """A visit, and the state in which the patient came to it."""

    state: State
    visit: Visit


def courses() -> list[Course]:
    """Give every example that is decided by the protocol."""
    found = map(load_course, sorted((ROOT / "examples" / "courses").glob("*.json")))
    return [each for each in found if each.protocol in (None, PROTOCOL.id)]


def meetings() -> list[Witness]:
    """Give every visit of the examples with the state before it."""
    found = []
    for course in courses():
        state = begin(PROTOCOL, course.patient)
        for visit in course.visits:
            found.append(Witness(state, visit))
            state = step(PROTOCOL, state, visit)[1]
    return found
