"""How values check themselves: each field when the value is made, then the value as a whole."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from attrs import Attribute, frozen
from attrs.validators import and_, ge, instance_of, le, matches_re, min_len, not_

from lenadose.terms.errors import TEXT, Fault, LenadoseError, ProtocolError, describe

NAME = r"^[a-z0-9][a-z0-9-]*$(?!\n)"
"""An identifier: it stands in tables, diagrams and places, and case never tells two apart."""

# A bar would begin another cell of the table in which the words are printed.
PROSE = TEXT.replace("[^", r"(?=.*\S)[^|", 1)
"""Words of a protocol: not blank, on one line, and fit for a cell of a table."""


@frozen
class Validated:
    """A value that checks itself whole: making it raises its `error` with every contradiction."""

    error: ClassVar[type[LenadoseError]] = ProtocolError

    def contradictions(self) -> Iterator[Fault]:
        """Yield each contradiction between fields that are sound by themselves."""
        return iter(())

    def __attrs_post_init__(self) -> None:
        faults = tuple(self.contradictions())
        if faults:
            raise self.error(faults)


Validator = Callable[[Any, "Attribute[Any]", Any], Any]
"""A validator as attrs calls it."""


class Check:
    """Validators of attrs whose failure is a fault: each with the reason and the fix it reports.

    `keywords` describe the accepted values as JSON Schema does.
    """

    def __init__(self, *tests: tuple[Validator, str, str], **keywords: Any) -> None:
        self.tests = tests
        self.keywords = keywords

    def __call__(self, instance: object, attribute: "Attribute[Any]", value: object) -> None:
        """Check a value; raise the error of the class that has the field, at the first failure."""
        for validator, reason, fix in self.tests:
            try:
                validator(instance, attribute, value)
            except (TypeError, ValueError):
                error: type[LenadoseError] = getattr(instance, "error", ProtocolError)
                raise error((Fault(attribute.name, reason.format(describe(value)), fix),)) from None


# Python counts True among the integers; a reader of the record does not.
is_whole: Validator = and_(instance_of(int), not_(instance_of(bool)))


def whole(least: int, most: int, what: str) -> Check:
    """Check that a value is a whole number in its range."""
    fix = f"give {what}, a whole number from {least} to {most}"
    return Check(
        (is_whole, "{} is not a whole number", fix),
        (and_(ge(least), le(most)), "{} is outside its range", fix),
        type="integer",
        minimum=least,
        maximum=most,
        description=what,
    )


is_identifier = Check(
    (
        matches_re(NAME),
        "{} is not a name",
        "write it in small letters, digits and hyphens: grade-3",
    ),
    type="string",
    pattern=NAME,
)
"""Check that a value is an identifier."""

is_single_line = Check(
    (matches_re(r"(?s).*\S.*"), "{} says nothing", "write it in words"),
    (
        matches_re(PROSE),
        "holds a character that breaks a table",
        "write it on one line, without | and what cannot be shown",
    ),
    type="string",
    pattern=PROSE,
)
"""Check that words are not empty and fit the table in which they are printed."""

not_empty = Check((min_len(1), "there are none", "give at least one"), minItems=1)
"""Check that a list is not empty."""


def members(check: Validator) -> Validator:
    """Return a validator of every member of a tuple, which reports each fault at its index.

    `deep_iterable` of attrs stops at the first and does not say which member it was.
    """

    def check_members(instance: object, attribute: "Attribute[Any]", value: Any) -> None:
        faults: list[Fault] = []
        for index, member in enumerate(value):
            try:
                check(instance, attribute, member)
            except LenadoseError as error:
                faults += [
                    Fault(f"{fault.place}[{index}]", fault.reason, fault.fix)
                    for fault in error.faults
                ]
        if faults:
            raise getattr(instance, "error", ProtocolError)(faults)

    return check_members


def refused(place: str, reason: str, fix: str) -> ProtocolError:
    """Return the error of a single fault of the author."""
    return ProtocolError((Fault(place, reason, fix),))


def duplicates(
    place: str, names: Iterable[str], fix: str = "give each a name of its own"
) -> Iterator[Fault]:
    """Yield a fault for each name of a list that was there before."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Fault(f"{place}[{index}]", f"{describe(name)} is there twice", fix)
        seen.add(name)
