"""Hypothesis is deterministic by default; `HYPOTHESIS_PROFILE=long pytest` searches longer and at
random.
"""

import os

from hypothesis import HealthCheck, settings

# Drawing whole courses is slow at first, and no fault: that health check is switched off.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
