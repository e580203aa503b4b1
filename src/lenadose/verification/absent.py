"""List what a protocol does not have at all, since laws about it pass without testing anything."""

from collections.abc import Iterator

from lenadose.protocol.protocol import Protocol
from lenadose.terms.facts import Action, Phase, Safety
from lenadose.verification.explore import StateSpace


def absent(space: StateSpace) -> Iterator[str]:
    """Yield in words each kind of criterion, visit or action that the protocol does not have."""
    yield from _criteria(space.protocol)
    yield from _course(space)


def _criteria(protocol: Protocol) -> Iterator[str]:
    safety, response = protocol.safety, protocol.response
    if not safety.events:
        yield "no criterion for any adverse event: whatever is reported is acceptable"
    else:
        shown = {event.safety for event in safety.events}
        for fact, words in (
            (Safety.STOP, "stops treatment"),
            (Safety.INTERRUPT, "interrupts treatment"),
        ):
            if fact not in shown:
                yield f"no adverse event {words}"
    if safety.positive_test.safety is Safety.CAUTION:
        yield "a positive pregnancy test neither stops nor interrupts treatment"
    for name in ("neutrophils", "platelets"):
        limits = getattr(safety, name)
        if not limits.interrupt_below.value:
            yield f"no {name} interrupt treatment: the limit is 0"
        if not limits.caution_below.value:
            yield f"no {name} call for caution: the limit is 0"
    if not safety.neutrophils_same_day_below.value:
        yield "no neutrophils ask for an assessment on the same day: the limit is 0"
    if not safety.clearance_interrupt_below.value:
        yield "no creatinine clearance interrupts treatment: the limit is 0"
    if not safety.clearance_lowers_below.value:
        yield "no creatinine clearance lowers the ceiling: the limit is 0"
    if not response.mild_below.value:
        yield "no score is too mild to start for: the limit is 0"
    if not protocol.intervals.surveillance.value:
        yield "no visits after the end of treatment"
    if not protocol.unchecked:
        yield "no check that is left to the prescriber"
    if not protocol.notices:
        yield "no notice for the reader of a decision"


def _course(space: StateSpace) -> Iterator[str]:
    """Yield the actions that no course of visits leads to."""
    reached = {
        decision.action for by_visit in space.decisions.values() for decision in by_visit.values()
    }
    phases = {place.phase for place in space.decisions}
    for action, words in (
        (Action.START, "no start: the drug is never given"),
        (Action.ESCALATE, "no rise of the dose"),
        (Action.REDUCE, "no reduction of the dose"),
        (Action.INTERRUPT, "no interruption"),
        (Action.DISCONTINUE, "no end of treatment for harm or lack of benefit"),
        (Action.FINISH, "no end of treatment after a response"),
    ):
        if action not in reached:
            yield words
    if Phase.INTERRUPTED in phases and Action.RESUME not in reached:
        yield "no resumption after an interruption"
