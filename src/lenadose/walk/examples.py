"""The example patients that a walk can begin with."""

import json
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TypedDict, cast

from lenadose.formats.course_json import Json, read_course
from lenadose.record.course import Course
from lenadose.terms.errors import describe, fault


class Example(TypedDict):
    """An example: what it is about, its story, and its course as data."""

    title: str
    story: str
    course: dict[str, Json]


@cache
def examples() -> dict[str, Example]:
    """Return the examples by their names; scripts/pages.py makes them from examples/."""
    text = files("lenadose.walk").joinpath("examples.json").read_text("utf-8")
    return cast(dict[str, Example], json.loads(text))


def example(name: object) -> Course:
    """Return the course of an example; raises CallError for an unknown name, with the nearest."""
    known = examples()
    if not isinstance(name, str) or name not in known:
        near = get_close_matches(str(name)[:60], known, 1)
        fix = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise fault("example", f"{describe(name)} is not known", fix)
    return read_course(known[name]["course"])
