"""lenadose: from a course of visits to the next dosing action, with its reason.

A published trial's lenalidomide protocol as a pure state machine. Research and education software, not a medical
device.

    course = lenadose.load_course("course.json")
    decision = lenadose.replay(course)[-1]
    print(lenadose.explain(decision))

Every name is loaded when it is first used, so that importing the library costs next to nothing. No module has the
name of a function, or loading the one would hide the other.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import protocols as protocols
    from .adapters.jsonable import course_data, decision_data, load_course, parse_course, read_course
    from .adapters.sheets import load_protocol, read_protocol
    from .contrast import Alternative, alternatives
    from .course import AdverseEvent, Course, DosageTaken, Judgement, Measurement, Patient, PregnancyTest, Visit
    from .dosing import Dosage
    from .errors import CallError, DocumentError, Fault, LenadoseError, ProtocolError
    from .machine import Decision, apply, recommend, replay, step
    from .observation import observe
    from .protocol import Protocol
    from .protocols import get_protocol
    from .reasons import Rationale, rationale
    from .render import explain
    from .state import State, begin
    from .vocabulary import Action, Facts, Phase
    from .weighing import for_and_against

_HOME = {
    "adapters.jsonable": ("course_data", "decision_data", "load_course", "parse_course", "read_course"),
    "adapters.sheets": ("load_protocol", "read_protocol"),
    "contrast": ("Alternative", "alternatives"),
    "course": (
        "AdverseEvent",
        "Course",
        "DosageTaken",
        "Judgement",
        "Measurement",
        "Patient",
        "PregnancyTest",
        "Visit",
    ),
    "dosing": ("Dosage",),
    "errors": ("CallError", "DocumentError", "Fault", "LenadoseError", "ProtocolError"),
    "machine": ("Decision", "apply", "recommend", "replay", "step"),
    "observation": ("observe",),
    "protocol": ("Protocol",),
    "protocols": ("get_protocol",),
    "reasons": ("Rationale", "rationale"),
    "render": ("explain",),
    "state": ("State", "begin"),
    "vocabulary": ("Action", "Facts", "Phase"),
    "weighing": ("for_and_against",),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__version__ = "0.1.0"

__all__ = [
    "Action",
    "AdverseEvent",
    "Alternative",
    "CallError",
    "Course",
    "Decision",
    "DocumentError",
    "Dosage",
    "DosageTaken",
    "Facts",
    "Fault",
    "Judgement",
    "LenadoseError",
    "Measurement",
    "Patient",
    "Phase",
    "PregnancyTest",
    "Protocol",
    "ProtocolError",
    "Rationale",
    "State",
    "Visit",
    "alternatives",
    "apply",
    "begin",
    "course_data",
    "decision_data",
    "explain",
    "for_and_against",
    "get_protocol",
    "load_course",
    "load_protocol",
    "observe",
    "parse_course",
    "rationale",
    "read_course",
    "read_protocol",
    "recommend",
    "replay",
    "step",
]


def __getattr__(name: str) -> object:
    if name == "protocols":
        return import_module(".protocols", __name__)
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
