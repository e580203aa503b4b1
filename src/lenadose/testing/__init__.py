"""Strategies and checks for the tests of those who use the library, with pytest and Hypothesis (extra `testing`).

from lenadose import load_protocol
from lenadose.testing import check_protocol

def test_mine():
    check_protocol(load_protocol("mine.toml"))
"""

from .checks import Coverage as Coverage
from .checks import check_protocol as check_protocol
from .checks import coverage as coverage
from .checks import walks as walks
from .courses import courses as courses
from .courses import facts as facts
from .courses import patients as patients
from .courses import visits as visits
from .documents import hostile_documents as hostile_documents
from .protocols import protocols as protocols
from .protocols import tables as tables

__all__ = [
    "Coverage",
    "check_protocol",
    "courses",
    "coverage",
    "facts",
    "hostile_documents",
    "patients",
    "protocols",
    "tables",
    "visits",
    "walks",
]
