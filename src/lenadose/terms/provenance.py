"""Where a rule or a number comes from, so that silence never looks like evidence."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Generic, TypeVar

from attrs import Attribute, field, frozen

from lenadose.terms.errors import Fault
from lenadose.terms.facts import EvidenceLevel
from lenadose.terms.validation import Validated, is_single_line, refused

T = TypeVar("T")

ASSUMED_BY = "decided here"
THIS_RECORD = "this record"
UNLISTED = frozenset({ASSUMED_BY, THIS_RECORD})
"""Cited without being listed among the sources."""


@frozen
class Provenance(Validated):
    """How well something is founded (`tag`), who says so (`source`) and in which `words`."""

    tag: EvidenceLevel
    source: str = field(validator=is_single_line)
    words: str = field(validator=is_single_line)

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a decision made here that is tagged as somebody else's."""
        if self.tag is not EvidenceLevel.ASSUMED and self.source == ASSUMED_BY:
            yield Fault(
                "source",
                f"what was {ASSUMED_BY} is not {self.tag.label}",
                "name the source, or tag it assumed",
            )


def stated(source: str, words: str) -> Provenance:
    """Return the provenance of what the trial states."""
    return Provenance(EvidenceLevel.STATED, source, words)


def label(words: str, source: str = "label") -> Provenance:
    """Return the provenance of what the drug's label or risk programme states, for other uses."""
    return Provenance(EvidenceLevel.LABEL, source, words)


def adapted(source: str, why: str) -> Provenance:
    """Return the provenance of what another study or population, named in `source`, shows."""
    return Provenance(EvidenceLevel.ADAPTED, source, why)


def assumed(why: str) -> Provenance:
    """Return the provenance of what nobody states: it was decided here, and can be locally."""
    return Provenance(EvidenceLevel.ASSUMED, ASSUMED_BY, why)


@frozen
class Sourced(Generic[T]):
    """A number of the protocol with its provenance."""

    value: T
    provenance: Provenance


@frozen
class within:
    """A validator of the range of a sourced number."""

    least: int
    most: int | Decimal

    @property
    def keywords(self) -> dict[str, float]:
        """The range as JSON Schema describes it."""
        return {"minimum": self.least, "maximum": float(self.most)}

    def __call__(self, _: object, attribute: "Attribute[Any]", sourced: Sourced[Any]) -> None:
        """Check the number; raise ProtocolError outside the range."""
        if not self.least <= sourced.value <= self.most:
            reason = f"{sourced.value} is outside its range"
            fix = f"give a number from {self.least} to {self.most}"
            raise refused(f"{attribute.name}.value", reason, fix)


def sourced_number(unit: str, words: str) -> dict[str, str]:
    """Return the metadata of a number: its unit and its words in the ledger."""
    return {"unit": unit, "words": words}
