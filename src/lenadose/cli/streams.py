"""Standard output and error when one of them is closed."""

import os
import sys
from contextlib import suppress


def complain(words: str) -> None:
    """Print a line on standard error, if it is open."""
    # With standard error closed, print would turn to standard output, where only answers go.
    if sys.stderr is not None:
        with suppress(OSError):
            print(words, file=sys.stderr, flush=True)


def leave_stdout() -> None:
    """Let Python close standard output at exit without another complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
