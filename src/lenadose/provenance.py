"""Where a rule or a number comes from, so that silence never looks like evidence."""

from typing import Generic, TypeVar

from attrs import frozen

from .vocabulary import Tag

T = TypeVar("T")

ASSUMED_BY = "decided here"


@frozen
class Provenance:
    """How well something is founded (`tag`), who says so (`source`), and what is said or why it was chosen."""

    tag: Tag
    source: str
    words: str


def stated(source: str, words: str) -> Provenance:
    """Say that the trial states it."""
    return Provenance(Tag.STATED, source, words)


def label(words: str, source: str = "label") -> Provenance:
    """Say that the drug's label or risk-management programme states it, for other indications."""
    return Provenance(Tag.LABEL, source, words)


def adapted(source: str, why: str) -> Provenance:
    """Say that it is taken over from another study or population, named in `source`."""
    return Provenance(Tag.ADAPTED, source, why)


def assumed(why: str) -> Provenance:
    """Say that nobody states it: it was decided here and may be decided otherwise locally."""
    return Provenance(Tag.ASSUMED, ASSUMED_BY, why)


@frozen
class Sourced(Generic[T]):
    """A number of the protocol together with where it comes from."""

    value: T
    provenance: Provenance
