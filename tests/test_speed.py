"""What was made fast is still the same: a course replayed, a value made; and the benchmarks run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given

from lenadose import CallError, Course, Decision, State, begin, decision_data, observe, recommend, replay, step
from lenadose.machine import make_decision
from lenadose.observation import Observation, make_observation
from lenadose.protocols import BUILT_IN, get_protocol
from lenadose.state import Dose, Known, Last, Score, close, make_dose, make_known, make_last, make_score, open_again
from lenadose.testing import courses
from patients import DAY0, PROTOCOL, STERILE, seen

ROOT = Path(__file__).parents[1]
FIVE = PROTOCOL.ladder.start


def by_hand(course: Course, name: str) -> list[Decision]:
    protocol = get_protocol(name)
    state, found = begin(protocol, course.patient), []
    for visit in course.visits:
        decision, state = step(protocol, state, visit)
        found.append(decision)
    return found


@pytest.mark.parametrize("name", BUILT_IN)
@given(course=courses(PROTOCOL))
def test_to_replay_a_course_is_to_step_through_it(name: str, course: Course) -> None:
    try:
        expected = by_hand(course, name)
    except CallError:
        with pytest.raises(CallError, match="visits"):
            replay(course, get_protocol(name))
        return
    decisions = replay(course, get_protocol(name))
    assert list(decisions) == expected
    assert [each.seen for each in decisions] == [each.seen for each in expected]
    assert [decision_data(each) for each in decisions] == [decision_data(each) for each in expected]


MADE: list[tuple[Any, type, tuple[object, ...]]] = [
    (make_known, Known, ()),
    (make_dose, Dose, (FIVE, DAY0, DAY0, DAY0)),
    (make_score, Score, (11, DAY0)),
    (make_last, Last, (DAY0, 11, FIVE, DAY0, False, None, None, None)),
    (
        make_observation,
        Observation,
        (PROTOCOL, begin(PROTOCOL), seen(0, 11), None, None, Known(), None, None, None, FIVE, None, ()),
    ),
    (make_decision, Decision, (seen(0, 11), None, None, None)),
]


@pytest.mark.parametrize(("make", "kind", "values"), MADE, ids=lambda each: getattr(each, "__name__", ""))
def test_a_value_made_quickly_is_the_value(make: Any, kind: type, values: tuple[object, ...]) -> None:
    quick, value = make(*values), kind(*values)
    assert type(quick) is kind
    assert quick == value
    assert repr(quick) == repr(value)
    with pytest.raises(FrozenInstanceError):
        quick.visit = None


def test_a_record_that_is_closed_is_the_state_and_cannot_be_written_on() -> None:
    state = step(PROTOCOL, begin(PROTOCOL, STERILE), seen(0, 11))[1]
    again = close(open_again(state))
    assert type(again) is State
    assert again == state
    with pytest.raises(FrozenInstanceError):
        again.phase = state.phase


def test_what_is_advised_is_made_once_and_what_shows_nothing_new_leaves_what_is_known() -> None:
    state = step(PROTOCOL, begin(PROTOCOL, STERILE), seen(0, 11))[1]
    shown = seen(14, 11)
    decisions = [recommend(observe(PROTOCOL, state, shown)) for _ in range(2)]
    assert decisions[0].advice is decisions[1].advice
    assert decisions[0].next_visit is decisions[1].next_visit
    nothing = dict.fromkeys(("neutrophils", "platelets", "creatinine_clearance"))
    assert observe(PROTOCOL, state, seen(14, 11, **nothing)).known is state.known


def test_the_benchmarks_run_and_their_page_is_what_was_measured() -> None:
    benchmarks = ROOT / "benchmarks"
    done = subprocess.run(
        [sys.executable, benchmarks / "run.py", "--quick", "decision", "course"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "one decision" in done.stdout
    assert "a course" in done.stdout
    subprocess.run([sys.executable, benchmarks / "page.py", "--check"], check=True)


def test_the_peers_are_given_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import peers

    for name in BUILT_IN:
        table = get_protocol(name).table
        decide = peers.by_hand(get_protocol(name))
        assert all(decide(each.facts) == each.rule.id for each in table.situations())
