"""lenadose: from a course of visits to the next dosing action, with its reason.

A published trial's lenalidomide protocol as a pure state machine. Research and education software,
not a medical device.

    course = lenadose.load_course("course.json")
    decision = lenadose.replay(course)[-1]
    print(lenadose.explain(decision))

Each public name is loaded when it is first used, so that importing the library costs little.
"""

from types import MappingProxyType

TYPE_CHECKING = False  # importing typing for it would take most of the time of this module

if TYPE_CHECKING:
    from lenadose.engine.machine import Decision as Decision
    from lenadose.engine.machine import apply as apply
    from lenadose.engine.machine import recommend as recommend
    from lenadose.engine.machine import replay as replay
    from lenadose.engine.machine import step as step
    from lenadose.engine.observe import observe as observe
    from lenadose.engine.state import State as State
    from lenadose.engine.state import begin as begin
    from lenadose.explanation.alternatives import Alternative as Alternative
    from lenadose.explanation.alternatives import alternatives as alternatives
    from lenadose.explanation.arguments import for_and_against as for_and_against
    from lenadose.explanation.bands import Band as Band
    from lenadose.explanation.bands import bands as bands
    from lenadose.explanation.rationale import Rationale as Rationale
    from lenadose.explanation.rationale import rationale as rationale
    from lenadose.formats.course_json import course_data as course_data
    from lenadose.formats.course_json import load_course as load_course
    from lenadose.formats.course_json import parse_course as parse_course
    from lenadose.formats.course_json import read_course as read_course
    from lenadose.formats.decision_json import decision_data as decision_data
    from lenadose.formats.protocol_file import load_protocol as load_protocol
    from lenadose.formats.protocol_file import read_protocol as read_protocol
    from lenadose.formats.state_json import read_state as read_state
    from lenadose.formats.state_json import state_data as state_data
    from lenadose.formats.stored_decision import read_decision as read_decision
    from lenadose.formats.stored_decision import same_advice as same_advice
    from lenadose.protocol.builtin import get_protocol as get_protocol
    from lenadose.protocol.protocol import Protocol as Protocol
    from lenadose.record.adverse_event import AdverseEvent as AdverseEvent
    from lenadose.record.course import Course as Course
    from lenadose.record.measurement import Measurement as Measurement
    from lenadose.record.visit import DosageTaken as DosageTaken
    from lenadose.record.visit import Judgement as Judgement
    from lenadose.record.visit import Patient as Patient
    from lenadose.record.visit import PregnancyTest as PregnancyTest
    from lenadose.record.visit import Visit as Visit
    from lenadose.report.card import Card as Card
    from lenadose.report.card import card as card
    from lenadose.report.decision import explain as explain
    from lenadose.terms.dosage import Dosage as Dosage
    from lenadose.terms.errors import CallError as CallError
    from lenadose.terms.errors import DocumentError as DocumentError
    from lenadose.terms.errors import Fault as Fault
    from lenadose.terms.errors import LenadoseError as LenadoseError
    from lenadose.terms.errors import ProtocolError as ProtocolError
    from lenadose.terms.facts import Action as Action
    from lenadose.terms.facts import Facts as Facts
    from lenadose.terms.facts import Phase as Phase

    __version__: str

_MODULES = MappingProxyType(
    {
        "engine.machine": ("Decision", "apply", "recommend", "replay", "step"),
        "engine.observe": ("observe",),
        "engine.state": ("State", "begin"),
        "explanation.alternatives": ("Alternative", "alternatives"),
        "explanation.arguments": ("for_and_against",),
        "explanation.bands": ("Band", "bands"),
        "explanation.rationale": ("Rationale", "rationale"),
        "formats.course_json": ("course_data", "load_course", "parse_course", "read_course"),
        "formats.decision_json": ("decision_data",),
        "formats.protocol_file": ("load_protocol", "read_protocol"),
        "formats.state_json": ("read_state", "state_data"),
        "formats.stored_decision": ("read_decision", "same_advice"),
        "protocol.builtin": ("get_protocol",),
        "protocol.protocol": ("Protocol",),
        "record.adverse_event": ("AdverseEvent",),
        "record.course": ("Course",),
        "record.measurement": ("Measurement",),
        "record.visit": (
            "DosageTaken",
            "Judgement",
            "Patient",
            "PregnancyTest",
            "Visit",
        ),
        "report.card": ("Card", "card"),
        "report.decision": ("explain",),
        "terms.dosage": ("Dosage",),
        "terms.errors": ("CallError", "DocumentError", "Fault", "LenadoseError", "ProtocolError"),
        "terms.facts": ("Action", "Facts", "Phase"),
    }
)
_MODULE_OF = MappingProxyType(
    {name: module for module, names in _MODULES.items() for name in names}
)

__all__ = sorted(_MODULE_OF)

# Hidden from type checkers: to them, a module with a `__getattr__` has every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            return version("lenadose")
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

    def __dir__() -> list[str]:
        return __all__
