"""Where a rule or a number comes from, so that silence never looks like evidence."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

from attrs import Attribute, field, frozen

from lenadose.terms.errors import Fault
from lenadose.terms.facts import EvidenceLevel
from lenadose.terms.validation import Validated, is_single_line, refused

T = TypeVar("T")

ASSUMED_BY = "decided here"


@frozen
class Provenance(Validated):
    """How well something is founded (`tag`), who says so (`source`), and what is said or why it was chosen."""

    tag: EvidenceLevel
    source: str = field(validator=is_single_line)
    words: str = field(validator=is_single_line)

    @classmethod
    def contradictions(cls, known: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse a decision of our own that is passed off as another's; who else assumed something may be named."""
        tag = known.get("tag")
        if tag not in (None, EvidenceLevel.ASSUMED) and known.get("source") == ASSUMED_BY:
            yield Fault(
                "source",
                f"what was {ASSUMED_BY} is not {tag.label}",
                "name the source, or tag it assumed",
            )


def stated(source: str, words: str) -> Provenance:
    """Say that the trial states it."""
    return Provenance(EvidenceLevel.STATED, source, words)


def label(words: str, source: str = "label") -> Provenance:
    """Say that the drug's label or risk-management programme states it, for other indications."""
    return Provenance(EvidenceLevel.LABEL, source, words)


def adapted(source: str, why: str) -> Provenance:
    """Say that it is taken over from another study or population, named in `source`."""
    return Provenance(EvidenceLevel.ADAPTED, source, why)


def assumed(why: str) -> Provenance:
    """Say that nobody states it: it was decided here and may be decided otherwise locally."""
    return Provenance(EvidenceLevel.ASSUMED, ASSUMED_BY, why)


@frozen
class Sourced(Generic[T]):
    """A number of the protocol together with where it comes from."""

    value: T
    provenance: Provenance


def within(
    least: int, most: int | Decimal
) -> Callable[[object, "Attribute[Any]", Sourced[Any]], None]:
    """Make the check that a sourced number is in its range."""

    def check(_: object, attribute: "Attribute[Any]", given: Sourced[Any]) -> None:
        if not least <= given.value <= most:
            fix = f"give a number from {least} to {most}"
            raise refused(f"{attribute.name}.value", f"{given.value} is outside its range", fix)

    return check


def _number(unit: str, words: str) -> dict[str, str]:
    return {"unit": unit, "words": words}
