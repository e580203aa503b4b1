"""`python -m lenadose` is the command `lenadose`."""

import sys

from lenadose.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
