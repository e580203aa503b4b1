"""Frozen values made in about half the time; nothing else about them differs."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from attrs import AttrsInstance, field, fields, make_class

P = ParamSpec("P")
T = TypeVar("T", bound=AttrsInstance)


def quick(kind: Callable[P, T]) -> Callable[P, T]:
    """Give what makes the values of a frozen class that has slots and no weak references, only faster.

    A frozen class sets each of its fields by a call, past its own guard: that would be half of the time of a decision.
    Here the fields are set on a class of the same slots that has no guard, and the value then takes its own class.
    """
    own = cast(type[T], kind)
    named = {each.name: field(default=each.default) for each in fields(own)}
    # A property that is worked out once has a slot too.
    lazy = {name: field(init=False) for name in vars(own)["__slots__"] if name not in named}

    def seal(value: T) -> None:
        value.__class__ = own

    made = make_class(
        own.__name__, {**named, **lazy}, slots=True, weakref_slot=False, class_body={"__attrs_post_init__": seal}
    )
    return cast(Callable[P, T], made)
