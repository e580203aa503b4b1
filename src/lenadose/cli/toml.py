"""A protocol as TOML, whole."""

import tomli_w

from lenadose.protocol.protocol import Protocol


def protocol_toml(protocol: Protocol) -> str:
    """Return the whole protocol as TOML, which is read back as an equal one."""
    return tomli_w.dumps({key: _without_null(value) for key, value in protocol.data.items()})


def _without_null(value: object) -> object:
    """Leave out what is null: TOML cannot write it, and a reader takes it for left out."""
    match value:
        case dict():
            return {key: _without_null(part) for key, part in value.items() if part is not None}
        case list():
            return [_without_null(member) for member in value]
    return value
