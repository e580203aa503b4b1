"""The commands of CDS Hooks: serve them, and export what users did with the cards."""

import csv
import os
import re
import sys
from typing import TYPE_CHECKING

from lenadose.cli.printing import print_data
from lenadose.serve.feedback import COLUMNS, FeedbackFile
from lenadose.terms.errors import describe, fault

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?"
)


def serve(call: "Namespace") -> int:
    """Serve CDS Hooks until it is interrupted."""
    if not 1 <= call.port <= 65535:
        raise fault("--port", f"{describe(call.port)} is not a port", "give 1 to 65535")
    if not 1 <= call.workers <= 256:
        raise fault("--workers", f"{describe(call.workers)} processes", "give 1 to 256")
    for origin in call.origins:
        if not _ORIGIN.fullmatch(origin):
            fix = "give scheme and host of each, such as https://ehr.example"
            raise fault("--allow-origin", f"{describe(origin)} is not an origin", fix)
    try:
        import uvicorn

        from lenadose.serve import app
    except ModuleNotFoundError as error:
        raise fault(
            str(error.name), "is not installed, and serving needs it", "install lenadose[serve]"
        ) from None
    if call.feedback is not None:
        FeedbackFile(call.feedback).open()
        os.environ[app.FEEDBACK] = os.path.abspath(call.feedback)
    os.environ[app.ORIGINS] = " ".join(call.origins)
    uvicorn.run(
        "lenadose.serve.app:from_environment",
        factory=True,
        host=call.host,
        port=call.port,
        workers=call.workers,
        # The path of a call could hold what a patient's record holds.
        access_log=False,
        log_config=_logged(uvicorn.config.LOGGING_CONFIG),
        server_header=False,
        timeout_keep_alive=5,
    )
    return 0


def _logged(config: "dict[str, Any]") -> "dict[str, Any]":
    """Return what a server logs, with the lines of the application, in each of its processes."""
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return {**config, "loggers": {**config["loggers"], "lenadose.serve": ours}}


def feedback(call: "Namespace") -> int:
    """Print the feedback that was kept, as CSV or as JSON."""
    rows = list(FeedbackFile(call.file).rows())
    if call.json:
        print_data(rows)
        return 0
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0
