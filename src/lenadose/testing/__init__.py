"""Strategies and checks for the tests of those who use the library, with pytest and Hypothesis (extra `testing`)."""

from .courses import courses as courses
from .courses import facts as facts
from .courses import patients as patients
from .courses import visits as visits
