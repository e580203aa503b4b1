"""The built-in protocols explored, verified and compared: once in a run of the tests."""

from functools import cache

from lenadose import get_protocol
from lenadose.record.course import Course
from lenadose.verification.certificate import Certificate, verify
from lenadose.verification.compare import Comparison, compare
from lenadose.verification.explore import StateSpace, reach
from lenadose.verification.vectors import Pair, pairs


@cache
def state_space(name: str) -> StateSpace:
    return reach(get_protocol(name))


@cache
def certificate(name: str) -> Certificate:
    return verify(get_protocol(name))


@cache
def shortest_pairs(name: str) -> dict[Pair, Course]:
    return pairs(state_space(name))


@cache
def comparison() -> Comparison:
    return compare(get_protocol("cortes-hernandez-2012"), get_protocol("penn-2012"))
