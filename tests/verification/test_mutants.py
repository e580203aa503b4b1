"""The page of broken protocols: a sample of them is noticed as it says."""

import subprocess
import sys

from tests.support.paths import ROOT


def test_a_sample_of_broken_protocols_is_noticed_as_the_page_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "mutants.py", "--every", "400"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
