"""A cohort for the tests of frames, blocks and files."""

import pytest


@pytest.fixture(scope="session")
def visits():
    from tests.support import random_cohorts

    return random_cohorts.cohort(600, seed=1)
