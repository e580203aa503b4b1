"""Protocol files that are based on a built-in protocol and state only what differs from it."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from lenadose.formats.reader import exact
from lenadose.protocol.builtin import BUILT_IN, get_protocol, unknown_protocol
from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, out_of_range
from lenadose.terms.errors import DocumentError, Fault, LenadoseError, describe

IDENTITY = ("id", "version", "title")
"""Never taken from the base."""

WHOLE = frozenset({"value", "provenance", "start", "positive_test", "not_asked"})
"""Given whole or not at all: half an interval or half a provenance says nothing."""

BY_NAME = ("sources", "ladder.levels", "safety.events", "notes", "notices", "rules")
"""The lists whose members are replaced one by one: levels by their dosage, the others by id."""

_KEYS = ("based_on", "without")


def base_of(document: object) -> Protocol | None:
    """Return the built-in protocol that a document is based on, or None."""
    if not isinstance(document, dict) or "based_on" not in document:
        return None
    id = document["based_on"]
    if isinstance(id, Fault):
        raise DocumentError((id.within("based_on"),))
    if not isinstance(id, str) or id not in BUILT_IN:
        unknown = unknown_protocol(id) if isinstance(id, str) else None
        fix = unknown.fix if unknown else f"give the id of one: {', '.join(BUILT_IN)}"
        reason = f"{describe(id)} is not a built-in protocol"
        raise DocumentError((Fault("based_on", reason, fix),))
    return get_protocol(id)


def whole_document(document: Mapping[str, Any], base: Protocol) -> object:
    """Return a document with all that it does not say taken from its base."""
    data = {key: value for key, value in base.data.items() if key not in IDENTITY}
    own = {key: value for key, value in document.items() if key not in _KEYS}
    faults = [
        *_without_names(own),
        *_unknown_parts(document.get("without", []), data, own),
    ]
    if faults:
        raise DocumentError(faults)
    return _merged(data, own, document.get("without", []), "")


def inherited(own: Mapping[str, object], base: Mapping[str, object], place: str) -> Iterator[Fault]:
    """Yield a fault for each number that differs from its base and has the provenance of that.

    Both are data of whole protocols.
    """
    for key, value in own.items():
        other, at = base.get(key), f"{place}.{key}" if place else key
        if isinstance(value, dict) and isinstance(other, dict):
            if "value" not in value:
                yield from inherited(value, other, at)
            elif value["value"] != other["value"] and value["provenance"] == other["provenance"]:
                yield Fault(
                    f"{at}.provenance",
                    "is that of another number, the one of the base",
                    "give this number a tag, a source and words of its own",
                )


def _merged(base: Any, own: Any, without: Iterable[str], place: str) -> Any:
    """Return an object or a list with all that it does not say taken from its base."""
    if place in BY_NAME and isinstance(own, list):
        return _merged_members(base, own, without, place)
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    merged = {**base, **own}
    for key, value in base.items():
        at = f"{place}.{key}" if place else key
        if key not in WHOLE:
            # A list that the file does not speak of may still lose members.
            said = own.get(key, [] if at in BY_NAME else {} if isinstance(value, dict) else value)
            merged[key] = _merged(value, said, without, at)
    return merged


def _merged_members(
    base: list[Any], own: list[Any], without: Iterable[str], place: str
) -> list[Any]:
    replaced: dict[str | None, Any] = {}
    added = []
    names = [_name(member) for member in base]
    for member in own:
        name = _name(member)
        if name in names and name not in replaced:
            replaced[name] = member
        else:
            added.append(member)  # a name given twice stays twice, to be refused
    kept = [
        replaced.get(name, member)
        for name, member in zip(names, base, strict=True)
        if f"{place}.{name}" not in without
    ]
    members = kept + added
    if place == "ladder.levels":
        members.sort(key=_daily_mg)
    return members


def _without_names(own: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a fault for each member of a list that nothing names."""
    for place in BY_NAME:
        members = _at(own, place)
        for index, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, Fault):
                yield member.within(f"{place}[{index}]")
            elif _name(member) is None and place == "ladder.levels":
                fix = f"give mg, more than {MG[0]} and at most {MG[1]}, and every_days, from "
                fix += f"{EVERY_DAYS[0]} to {EVERY_DAYS[1]}"
                yield Fault(f"{place}[{index}]", "has no dosage that can be given", fix)
            elif _name(member) is None:
                fix = "give it the id of what it replaces, or a new one"
                yield Fault(f"{place}[{index}]", "has no id", fix)


def _unknown_parts(without: object, base: Any, own: Any) -> Iterator[Fault]:
    """Yield a fault for each part left out that the base has not, or that the file gives too."""
    if isinstance(without, Fault):
        yield without.within("without")
        return
    if not isinstance(without, list):
        fix = 'give a list of parts: ["rules.escalate"]'
        yield Fault("without", f"{describe(without)} is not a list", fix)
        return
    known = [f"{place}.{_name(member)}" for place in BY_NAME for member in _at(base, place)]
    given = {
        f"{place}.{_name(member)}"
        for place in BY_NAME
        for member in (_at(own, place) if isinstance(_at(own, place), list) else ())
    }
    for index, name in enumerate(without):
        at = f"without[{index}]"
        if isinstance(name, Fault):
            yield name.within(at)
        elif name not in known:
            near = get_close_matches(name[:80], known, 1) if isinstance(name, str) else ()
            fix = f"did you mean {near[0]}?" if near else "name a list and a part: rules.escalate"
            yield Fault(at, f"{describe(name)} is no part of the base", fix)
        elif name in given:
            fix = "leave it out here: what is given replaces the part of the base"
            yield Fault(at, f"{name} is given as well", fix)


def _at(document: Any, place: str) -> Any:
    for key in place.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _name(member: Any) -> str | None:
    """Return the id of a member, or the dosage of a level in words; None without either."""
    if not isinstance(member, dict):
        return None
    if "dosage" in member:
        dosage = _dosage(member["dosage"])
        return None if dosage is None else str(dosage)
    id = member.get("id")
    return id if isinstance(id, str) else None


def _daily_mg(level: Any) -> Decimal:
    dosage = _dosage(level["dosage"])
    assert dosage is not None  # one without a name was refused
    return dosage.daily_mg


def _dosage(document: Any) -> Dosage | None:
    """Return a dosage that a level can have, or None."""
    try:
        dosage = Dosage(exact(document["mg"]), int(exact(document["every_days"])))
    except (LookupError, TypeError, LenadoseError):
        return None
    return None if any(out_of_range(dosage)) else dosage
