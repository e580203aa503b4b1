"""The built-in protocols by id; each is built, and its table checked, on first use."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from lenadose.protocol.builtin.cortes_hernandez import cortes_hernandez_2012
from lenadose.protocol.builtin.penn import penn_2012
from lenadose.protocol.protocol import Protocol
from lenadose.terms.errors import CallError, Fault, describe

BUILT_IN: Mapping[str, Callable[[], Protocol]] = MappingProxyType(
    {
        "cortes-hernandez-2012": cortes_hernandez_2012,
        "penn-2012": penn_2012,
    }
)
DEFAULT = "cortes-hernandez-2012"


def get_protocol(id: str = DEFAULT) -> Protocol:
    """Return a built-in protocol by its id, `cortes-hernandez-2012` by default.

    Raises CallError for an unknown id, with the known ones.
    """
    if not isinstance(id, str) or id not in BUILT_IN:
        raise CallError((unknown_protocol(id),))
    return _build(id)


def protocol_of(given: Protocol | str) -> Protocol:
    """Return a protocol, or the built-in one of an id.

    Raises CallError for an unknown id, with the known ones, and for anything else.
    """
    if isinstance(given, Protocol):
        return given
    if not isinstance(given, str):
        fix = f"give a Protocol, or the id of a built-in one: {', '.join(BUILT_IN)}"
        raise CallError((Fault("protocol", f"{describe(given)} is not a protocol", fix),))
    if given.endswith((".toml", ".json")):
        fix = "read the file with load_protocol, and give what it returns"
        raise CallError((Fault("protocol", f"{describe(given)} is a path, not an id", fix),))
    return get_protocol(given)


@cache
def _build(id: str) -> Protocol:
    return BUILT_IN[id]()


def unknown_protocol(id: str) -> Fault:
    """Return the fault of an unknown id, with the known ones."""
    near = get_close_matches(str(id), BUILT_IN, 1)
    known = f"known: {', '.join(BUILT_IN)}"
    return Fault(
        "protocol",
        f"{describe(id)} is not known",
        f"did you mean {near[0]}? {known}" if near else known,
    )
