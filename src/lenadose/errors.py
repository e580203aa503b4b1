"""What is said when something given cannot be used: the place, the reason and the mend, never a guess."""

from collections.abc import Iterable

from attrs import evolve, frozen


@frozen
class Fault:
    """One thing wrong: where it is, why it cannot be used, and what to write instead."""

    place: str
    reason: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.reason}; {self.mend}"

    def within(self, outer: str) -> "Fault":
        """Give the same fault as seen from one floor up: `neutrophils` in `visits[3]` is `visits[3].neutrophils`."""
        if not self.place:
            return evolve(self, place=outer)
        return evolve(self, place=f"{outer}{'' if self.place.startswith('[') else '.'}{self.place}")


class LenadoseError(ValueError):
    """Something given cannot be used; `faults` holds each fault with its place, as data."""

    faults: tuple[Fault, ...]

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class ProtocolError(LenadoseError):
    """The author's fault: a protocol that does not decide every situation exactly once."""


class CallError(LenadoseError):
    """The caller's fault: a value, a visit or a call that cannot be used."""


class DocumentError(LenadoseError):
    """The document's fault: a file or text that cannot be read as what it should be."""


def fault(place: str, reason: str, mend: str) -> CallError:
    """Make the error for a single fault of the caller."""
    return CallError((Fault(place, reason, mend),))
