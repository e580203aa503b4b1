"""lenadose: from a course of visits to the next dosing action, with its reason.

A published trial's lenalidomide protocol as a pure state machine. Research and education software,
not a medical device.

    course = lenadose.load_course("course.json")
    decision = lenadose.replay(course)[-1]
    print(lenadose.explain(decision))

Each public name is loaded when it is first used, so that importing the library costs little.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lenadose.engine.machine import Decision, apply, recommend, replay, step
    from lenadose.engine.observe import observe
    from lenadose.engine.state import State, begin
    from lenadose.explanation.alternatives import Alternative, alternatives
    from lenadose.explanation.arguments import for_and_against
    from lenadose.explanation.rationale import Rationale, rationale
    from lenadose.formats.course_json import course_data, load_course, parse_course, read_course
    from lenadose.formats.decision_json import decision_data
    from lenadose.formats.protocol_file import load_protocol, read_protocol
    from lenadose.protocol.builtin import get_protocol
    from lenadose.protocol.protocol import Protocol
    from lenadose.record.adverse_event import AdverseEvent
    from lenadose.record.course import Course
    from lenadose.record.visit import (
        DosageTaken,
        Judgement,
        Measurement,
        Patient,
        PregnancyTest,
        Visit,
    )
    from lenadose.report.decision import explain
    from lenadose.terms.dosage import Dosage
    from lenadose.terms.errors import CallError, DocumentError, Fault, LenadoseError, ProtocolError
    from lenadose.terms.facts import Action, Facts, Phase

_MODULES = {
    "engine.machine": ("Decision", "apply", "recommend", "replay", "step"),
    "engine.observe": ("observe",),
    "engine.state": ("State", "begin"),
    "explanation.alternatives": ("Alternative", "alternatives"),
    "explanation.arguments": ("for_and_against",),
    "explanation.rationale": ("Rationale", "rationale"),
    "formats.course_json": ("course_data", "load_course", "parse_course", "read_course"),
    "formats.decision_json": ("decision_data",),
    "formats.protocol_file": ("load_protocol", "read_protocol"),
    "protocol.builtin": ("get_protocol",),
    "protocol.protocol": ("Protocol",),
    "record.adverse_event": ("AdverseEvent",),
    "record.course": ("Course",),
    "record.visit": (
        "DosageTaken",
        "Judgement",
        "Measurement",
        "Patient",
        "PregnancyTest",
        "Visit",
    ),
    "report.decision": ("explain",),
    "terms.dosage": ("Dosage",),
    "terms.errors": ("CallError", "DocumentError", "Fault", "LenadoseError", "ProtocolError"),
    "terms.facts": ("Action", "Facts", "Phase"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)

# Hidden from type checkers, for which a module with a `__getattr__` has every name.
if not TYPE_CHECKING:

    def __getattr__(name):
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            return version("lenadose")
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

    def __dir__():
        return __all__
