"""Strategies and checks for tests of protocols, with pytest and Hypothesis.

from lenadose import load_protocol
from lenadose.testing import check_protocol

def test_mine():
    check_protocol(load_protocol("mine.toml"))
"""

from lenadose.testing.checks import Coverage as Coverage
from lenadose.testing.checks import check_protocol as check_protocol
from lenadose.testing.checks import coverage as coverage
from lenadose.testing.checks import walks as walks
from lenadose.testing.courses import courses as courses
from lenadose.testing.courses import facts as facts
from lenadose.testing.courses import patients as patients
from lenadose.testing.courses import visits as visits
from lenadose.testing.protocols import protocols as protocols
from lenadose.testing.protocols import tables as tables

__all__ = [
    "Coverage",
    "check_protocol",
    "courses",
    "coverage",
    "facts",
    "patients",
    "protocols",
    "tables",
    "visits",
    "walks",
]
