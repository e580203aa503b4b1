"""A course: every visit of a patient in turn, by `replay`, by `step` called by hand, and by a peer."""

from functools import partial
from importlib.util import find_spec

import measure
import peers
from courses import PROTOCOL, courses

from lenadose import Course, apply, begin, observe, recommend, replay, step
from lenadose.machine import Decision

Answer = tuple[object, ...]


def answer(decision: Decision, rule: str) -> Answer:
    """Give what every contender must give: the row, the action, the dosage and the next visit."""
    return rule, decision.action, decision.dosage, decision.next_visit


def by_replay(all_courses: list[Course]) -> list[Answer]:
    """Decide on each course by `replay`."""
    return [answer(each, each.rule.id) for course in all_courses for each in replay(course, PROTOCOL)]


def by_step(all_courses: list[Course]) -> list[Answer]:
    """Decide on each course by `step`, called by hand."""
    found = []
    for course in all_courses:
        state = begin(PROTOCOL, course.patient)
        decisions = []
        for visit in course.visits:
            decision, state = step(PROTOCOL, state, visit)
            decisions.append(decision)
        found += [answer(each, each.rule.id) for each in decisions]
    return found


def by_peer(decide: peers.Decide, all_courses: list[Course]) -> list[Answer]:
    """Let a peer find the rows; all else is done as `step` does it."""
    found = []
    for course in all_courses:
        state = begin(PROTOCOL, course.patient)
        for visit in course.visits:
            seen = observe(PROTOCOL, state, visit)
            rule = decide(seen.facts)
            decision = recommend(seen)
            state = apply(decision)
            found.append(answer(decision, rule))
    return found


WORDS = """\
Every patient in `examples/`, from the first visit to the last. `replay` keeps a loop of its own on one record that is
still being written; `step` gives a state that is closed at every visit. Both write on the record by the same
functions. transitions finds the rows, and is given all else as in *One decision*. Every answer that is timed was first
compared with `step`."""


def part(quick: bool) -> measure.Part:
    """Time whole courses."""
    all_courses = courses()
    expected = by_step(all_courses)
    times = partial(measure.Contender, units=len(expected))
    contenders = [
        times("lenadose", "`replay`", lambda: by_replay(all_courses)),
        times("lenadose again", "the same once more: what differs is noise", lambda: by_replay(all_courses)),
        times("step by hand", "`step`, its state given to the next", lambda: by_step(all_courses)),
    ]
    peer = not quick and find_spec("transitions") is not None
    if peer:
        decide = peers.with_transitions(PROTOCOL)
        contenders.append(times("transitions", "finds the rows", partial(by_peer, decide, all_courses)))
    measure.check(contenders, expected)
    laps = measure.race(contenders, rounds=3 if quick else 41)
    targets = [
        measure.at_least("a course", "`step` by hand", measure.ratio(laps, "step by hand"), 1.5, note=BOUND),
        measure.at_least("a course", "transitions", measure.ratio(laps, "transitions"), 15)
        if peer
        else measure.not_measured("a course", "transitions", "not installed", least=15),
    ]
    table = measure.table("The courses of the examples", "visit", contenders, laps)
    return measure.Part("A course", WORDS, [table], targets, measure.versions("lenadose", "attrs", "transitions"))


BOUND = """\
Both do the same work on a visit and differ by what only a state needs: the observation kept beside the decision, a \
record opened and a state closed. The faster the rest becomes, the more that counts."""

if __name__ == "__main__":
    measure.tell(part)
