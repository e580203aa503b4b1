"""Courses and the decisions on them printed as FHIR R4."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from lenadose.cli.printing import print_data
from lenadose.cli.reading import for_each, replayed
from lenadose.fhir.decision import decision_bundle
from lenadose.formats.files import faults_in
from lenadose.terms.errors import fault

if TYPE_CHECKING:
    from argparse import Namespace

    from lenadose.engine.machine import Decision
    from lenadose.protocol.protocol import Protocol


def print_bundles(
    call: "Namespace", shown: "Callable[[tuple[Decision, ...]], tuple[Decision, ...]]"
) -> int:
    """Print the Bundle of a course with the decisions that are shown; of several, one a line."""
    for name in ("json", "full"):
        if getattr(call, name, False):
            raise fault("--as fhir", f"is another form than --{name}", "give one of the two")

    def show(path: str, protocol: "Protocol | None") -> None:
        course, decisions = replayed(path, protocol)
        with faults_in(path):
            bundle = decision_bundle(course, shown(decisions))
        if len(call.courses) > 1:
            print(json.dumps(bundle, ensure_ascii=False))
        else:
            print_data(bundle)

    return for_each(call.courses, call.protocol, show)
