"""Two protocols compared: whether they decide alike, and where their data differ.

Differences of wording are kept apart from differences of behaviour.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from attrs import frozen

from lenadose.protocol.builtin import protocol_of
from lenadose.protocol.protocol import Protocol
from lenadose.verification.disagreements import Disagreement, disagreements
from lenadose.verification.explore import Progress


@frozen
class Difference:
    """A place in the data where two protocols differ, with both values as written."""

    place: str
    one: str
    other: str


@frozen(slots=False)
class Comparison:
    """Two protocols side by side: their disagreements, and differences in numbers and words."""

    one: Protocol
    other: Protocol
    disagreements: tuple[Disagreement, ...]
    numbers: tuple[Difference, ...]
    """Where a number, a criterion or the action for a situation differs."""
    wording: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the two decide alike; with equal numbers and rows they cannot differ."""
        return not self.disagreements and not self.numbers


def compare(
    one: Protocol | str, other: Protocol | str, progress: Progress | None = None
) -> Comparison:
    """Compare two protocols; where their numbers and rows are equal no search is needed.

    Each may be the id of a built-in one. *progress* is called during the search with the number of
    pairs of states looked at and the number known so far. Raises CallError for an unknown id.
    """
    one, other = protocol_of(one), protocol_of(other)
    numbers, wording = differences(one, other)
    disagreeing = tuple(disagreements(one, other, progress)) if numbers else ()
    return Comparison(one, other, disagreeing, numbers, wording)


# Differences in the data


def differences(
    one: Protocol, other: Protocol
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return where the data of two protocols differ: in numbers and rows, and in wording."""
    numbers = (*_differences(_behaviour(one), _behaviour(other)), *_rows(one, other))
    return numbers, tuple(_differences(_wording(one), _wording(other)))


def _flat(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of the data with its place; entries with an id are named by it."""
    match value:
        case dict():
            for key, part in value.items():
                # A number with its source stands at the place of the number.
                yield from _flat(part, place if key == "value" else f"{place}.{key}".lstrip("."))
        case list() if value and all(isinstance(entry, dict) and "id" in entry for entry in value):
            for entry in value:
                yield from _flat(
                    {key: part for key, part in entry.items() if key != "id"},
                    f"{place}.{entry['id']}",
                )
        case list():
            for index, entry in enumerate(value):
                yield from _flat(entry, f"{place}[{index}]")
        case _:
            yield place, str(value)


_SAID = frozenset(
    {"id", "version", "title", "sources", "evidence", "unchecked", "notes", "notices", "rules"}
)


def _is_wording(place: str) -> bool:
    """Return whether a place only describes the protocol; rows are compared by decisions."""
    head = place.partition(".")[0].partition("[")[0]
    return head in _SAID or ".provenance." in place or place == "response.reduction_needs"


def _behaviour(protocol: Protocol) -> dict[str, str]:
    return {place: value for place, value in _flat(protocol.data) if not _is_wording(place)}


def _wording(protocol: Protocol) -> dict[str, str]:
    return {place: value for place, value in _flat(protocol.data) if _is_wording(place)}


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[Difference]:
    for place in dict.fromkeys((*one, *other)):
        a, b = one.get(place, "–"), other.get(place, "–")
        if a != b:
            yield Difference(place, a, b)


def _rows(one: Protocol, other: Protocol) -> Iterator[Difference]:
    """Yield each pair of rows that name another action for the same situations."""
    pairs = Counter(
        ((a.rule.id, a.rule.action.label), (b.rule.id, b.rule.action.label))
        for a, b in zip(one.table.situations(), other.table.situations(), strict=True)
        if a.rule.action is not b.rule.action
    )
    for ((row, action), (other_row, other_action)), number in pairs.items():
        situations = f"{number} situation{'s' if number > 1 else ''}"
        yield Difference(
            f"rules.{row}", f"{action} in {situations}", f"{other_action} ({other_row})"
        )
