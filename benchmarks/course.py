"""A course: every visit of a patient in turn, by `replay`, by `step` called by hand, and by a peer."""

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec

import measure
import peers
from courses import PROTOCOL, courses

from lenadose import Course, State, apply, begin, observe, recommend, replay, step
from lenadose.engine.machine import Decision
from lenadose.engine.observe import Observation, make_observation
from lenadose.engine.state import close, open_again

Decided = tuple[str, Decision]


def by_replay(all_courses: list[Course]) -> list[Decided]:
    """Decide on each course by `replay`."""
    return [(each.rule.id, each) for course in all_courses for each in replay(course, PROTOCOL)]


def by_step(all_courses: list[Course]) -> list[Decided]:
    """Decide on each course by `step`, called by hand."""
    found = []
    for course in all_courses:
        state = begin(PROTOCOL, course.patient)
        for visit in course.visits:
            decision, state = step(PROTOCOL, state, visit)
            found.append((decision.rule.id, decision))
    return found


def by_peer(find: peers.Decide, all_courses: list[Course]) -> list[Decided]:
    """Let a peer find the rows; all else is done as `step` does it."""
    found = []
    for course in all_courses:
        state = begin(PROTOCOL, course.patient)
        for visit in course.visits:
            seen = observe(PROTOCOL, state, visit)
            rule = find(seen.facts)
            decision = recommend(seen)
            state = apply(decision)
            found.append((rule, decision))
    return found


def only_states(seen: list[Observation]) -> list[State]:
    """Do what `step` does and `replay` does not: keep what a visit showed, open a record again and close it."""
    found = []
    for each in seen:
        shown = make_observation(
            PROTOCOL,
            each.before,
            each.visit,
            each.match,
            each.dose,
            each.findings,
            each.nadir,
            each.responded_on,
            each.interrupted_on,
            each.ceiling,
            each.due_on,
            each.missing_fields,
        )
        found.append(close(open_again(shown.before)))
    return found


WORDS = """\
Every patient in `examples/`, from the first visit to the last. `replay` keeps a loop of its own on one record that is
still being written; `step` gives a state that is closed at every visit. Both observe, decide and write by the same
functions. transitions finds the rows, and is given all else as in *The whole visit*. Every decision that is timed was
first compared with `step`."""


def part(quick: bool) -> measure.Part:
    """Time whole courses."""
    all_courses = courses()
    expected = by_step(all_courses)
    seen = [each.seen for _, each in expected]
    times = partial(measure.Contender, units=len(expected))
    contenders = [
        times("lenadose", "`replay`", lambda: by_replay(all_courses)),
        times(
            "lenadose again",
            "the same once more: what differs is noise",
            lambda: by_replay(all_courses),
        ),
        times("step by hand", "`step`, its state given to the next", lambda: by_step(all_courses)),
    ]
    peer = not quick and find_spec("transitions") is not None
    if peer:
        find = peers.with_transitions(PROTOCOL)
        contenders.append(
            times("transitions", "finds the rows", partial(by_peer, find, all_courses))
        )
    measure.check(contenders, expected)
    contenders.append(
        times("states alone", "what `step` does and `replay` does not", lambda: only_states(seen))
    )
    laps = measure.race(contenders, rounds=3 if quick else 31)
    bound = _bound(laps)
    targets = [
        measure.at_least(
            "a course", "`step` by hand", measure.ratio(laps, "step by hand"), 1.5, note=bound
        ),
        measure.at_least(
            "a course", "transitions", measure.ratio(laps, "transitions"), 15, note=SHARED
        )
        if peer
        else measure.not_measured("a course", "transitions", "not installed", least=15),
    ]
    table = measure.table("The courses of the examples", "visit", contenders, laps)
    return measure.Part(
        "A course", WORDS, [table], targets, measure.versions("lenadose", "attrs", "transitions")
    )


def _bound(laps: Mapping[str, list[float]]) -> str:
    """Say what `replay` can save at most, as it was measured."""
    share = measure.ratio(laps, "states alone", "step by hand").median
    return (
        f"What `replay` leaves out takes {share:.0%} of `step` by itself; the rest, observing, deciding and writing, "
        "is the same functions in both, so that there is one place where each thing is decided. A loop that does "
        "these once more in its own way would move it."
    )


SHARED = """\
Observing, deciding and the state are lenadose's own code on both sides, so the peer's finding of the row is set \
against all of them; a faster observation would move it."""

if __name__ == "__main__":
    measure.tell(part)
