"""Standard output and error: always UTF-8, and what to do when one of them is closed."""

import os
import sys
from contextlib import suppress


def use_utf8() -> None:
    """Print in UTF-8 whatever the locale is: data must not depend on it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Half of a surrogate pair, as in a path, cannot be written: it is shown as an escape.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def complain(words: str) -> None:
    """Print a line on standard error, if it is open."""
    # With standard error closed, print would turn to standard output, where only answers go.
    if sys.stderr is not None:
        with suppress(OSError):
            print(words, file=sys.stderr, flush=True)


def leave_stdout() -> None:
    """Let Python close standard output at exit without another complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
