"""Two protocols compared: whether they decide alike, and if not, the shortest course of visits for each difference.

Both are walked side by side on the same visits, at the thresholds and on the boundary days of both, until their advice
parts. Differences of wording are told apart from differences of behaviour.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import product

from attrs import evolve, frozen

from .course import ACTIVITY, Course, DosageTaken, Judgement, Visit
from .criteria import JUDGED
from .machine import Decision, apply, recommend
from .observation import Observation, observe
from .protocol import Protocol
from .reach import (
    DAY0,
    PATIENT,
    TREATED,
    Change,
    Repertoire,
    boundaries,
    clocks,
    marks,
    meet,
    repertoire,
    what_can_be_taken,
)
from .state import State, begin


@frozen
class Disagreement:
    """One kind of disagreement: the shortest course whose last visit shows it, and both answers there.

    `about` is what differs first: the action, the dosage, or the next visit.
    """

    about: str
    course: Course
    one: Decision
    other: Decision


@frozen
class Difference:
    """A place in the data of two protocols where they differ, with both values as they are written."""

    place: str
    one: str
    other: str


@frozen(slots=False)
class Comparison:
    """Two protocols side by side: how they disagree, and where they differ in numbers, rows or words."""

    one: Protocol
    other: Protocol
    disagreements: tuple[Disagreement, ...]
    numbers: tuple[Difference, ...]
    """Where a number, a criterion or the action for a situation differs."""
    wording: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the two decide alike; with equal numbers and rows they cannot do otherwise."""
        return not self.disagreements and not self.numbers


def compare(one: Protocol, other: Protocol) -> Comparison:
    """Compare two protocols; where their numbers and rows are equal no search is needed."""
    numbers = (*_differences(_behaviour(one), _behaviour(other)), *_rows(one, other))
    wording = tuple(_differences(_wording(one), _wording(other)))
    found = tuple(_disagreements(one, other)) if numbers else ()
    return Comparison(one, other, found, numbers, wording)


# What differs in the data


def _flat(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Give every end of the data with its place; a list whose entries have an id is read by id, whatever its order."""
    match value:
        case dict():
            for key, each in value.items():
                # A number with its source stands at the place of the number.
                yield from _flat(each, place if key == "value" else f"{place}.{key}".lstrip("."))
        case list() if value and all(isinstance(each, dict) and "id" in each for each in value):
            for each in value:
                yield from _flat({key: part for key, part in each.items() if key != "id"}, f"{place}.{each['id']}")
        case list():
            for index, each in enumerate(value):
                yield from _flat(each, f"{place}[{index}]")
        case _:
            yield place, str(value)


_SAID = frozenset({"id", "version", "title", "sources", "evidence", "unchecked", "notes", "rules"})


def _is_wording(place: str) -> bool:
    """Tell whether a place of the data only tells of the protocol; the rows are compared by what they decide."""
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
    """Give each pair of rows that name another action for the same situation, and for how many."""
    pairs = Counter(
        ((a.rule.id, a.rule.action.said), (b.rule.id, b.rule.action.said))
        for a, b in zip(one.table.situations(), other.table.situations(), strict=True)
        if a.rule.action is not b.rule.action
    )
    for ((row, action), (other_row, other_action)), count in pairs.items():
        situations = f"{count} situation{'s' if count > 1 else ''}"
        yield Difference(f"rules.{row}", f"{action} in {situations}", f"{other_action} ({other_row})")


# Side by side on the same visits

USUAL = 11
"""The score with which a course begins, the mean of the first trial; from other scores only the scores are varied."""


@frozen(eq=False)
class _Pair:
    """The same patient before the same visit, under both protocols, and the visits until then."""

    one: State
    other: State
    on: date
    taken: DosageTaken | None
    visits: tuple[Visit, ...]


def _disagreements(one: Protocol, other: Protocol) -> Iterator[Disagreement]:
    """Walk both side by side, breadth first; where the advice has parted the walk goes no further."""
    shows = (repertoire(one), repertoire(other))
    scores = _starts(one, other)
    told: set[tuple[object, ...]] = set()
    first = _Pair(begin(one, PATIENT), begin(other, PATIENT), DAY0, None, ())
    ahead, known, effects = deque([first]), set(), set()
    while ahead:
        pair = ahead.popleft()
        for a, b in _decisions(shows, scores, pair):
            course = Course((*pair.visits, a.visit), PATIENT)
            about = _parted(a, b)
            if about is not None and (kind := (about, a.rule.id, b.rule.id)) not in told:
                told.add(kind)
                yield Disagreement(about, course, a, b)
            if about is not None and about != "next visit":
                continue
            states = apply(a), apply(b)
            effect = (
                *(clocks(show.protocol, each) for show, each in zip(shows, states, strict=True)),
                *_scored(states[0]),
            )
            if effect in effects:
                continue
            effects.add(effect)
            for key, following in _following(one, other, a, b, states, course.visits):
                if key not in known:
                    known.add(key)
                    ahead.append(following)


def _parted(a: Decision, b: Decision) -> str | None:
    """Tell in what two decisions on the same visit differ first, or None."""
    if a.action is not b.action:
        return "action"
    if a.dosage != b.dosage:
        return "dosage"
    return "next visit" if a.next_visit != b.next_visit else None


def _scored(state: State) -> tuple[int | None, ...]:
    """Give the score at the start, and the lowest since where only scores are looked at."""
    start, lowest = state.start, state.lowest
    if start is None or lowest is None or start.activity == USUAL:
        return (start.activity if start else None,)
    return (start.activity, lowest.activity)


def _starts(one: Protocol, other: Protocol) -> tuple[int, ...]:
    """Give the scores with which a course begins: one will do unless the criteria of the response differ."""
    if one.response == other.response:
        return (USUAL,)
    low = {each.response.low_start.value for each in (one, other)}
    return tuple(dict.fromkeys((USUAL, *sorted(low | {each - 1 for each in low if each > 1}), 40)))


def _decisions(
    shows: tuple[Repertoire, Repertoire], scores: tuple[int, ...], pair: _Pair
) -> Iterator[tuple[Decision, Decision]]:
    """Give both decisions on each kind of visit that either protocol tells apart."""
    empty = Visit(pair.on, dosage_taken=pair.taken)
    seen = observe(shows[0].protocol, pair.one, empty), observe(shows[1].protocol, pair.other, empty)
    changes = dict.fromkeys(_key(change) for show in shows for each in show.changes.values() for change in each)
    skins = list(_skins(seen, scores))
    safeties: dict[tuple[object, ...], Visit] = {}
    for change in changes:
        for show in shows:
            visit = show.visit(seen[0], {**show.well, **dict(change)})
            both = observe(shows[0].protocol, pair.one, visit), observe(shows[1].protocol, pair.other, visit)
            key = tuple((each.facts.safety, each.ceiling, marks(each)) for each in both)
            safeties.setdefault(key, visit)
    shown_safely = list(safeties.values())[: 1 if _only_scores(pair) else None]
    for visit, (score, judgement) in product(shown_safely, skins):
        shown = evolve(visit, clasi_activity=score, judgement=judgement)
        yield (
            recommend(observe(shows[0].protocol, pair.one, shown)),
            recommend(observe(shows[1].protocol, pair.other, shown)),
        )


def _only_scores(pair: _Pair) -> bool:
    """Tell whether only scores are varied on this walk."""
    return pair.one.start is not None and pair.one.start.activity != USUAL


def _key(change: Change) -> tuple[tuple[str, object], ...]:
    return tuple(change.items())


def _skins(
    seen: tuple[Observation, Observation], scores: tuple[int, ...]
) -> Iterator[tuple[int | None, Judgement | None]]:
    """Give scores and judgements for every pair of responses: the score nearest to the one before, and the farthest."""
    yield None, None
    before = seen[0].before
    off_drug = seen[0].phase not in TREATED
    if off_drug and before.start is None:
        yield from ((score, None) for score in (*scores, 0))
        return
    near = before.last.activity if before.last and before.last.activity is not None else 11
    found: dict[tuple[object, ...], list[int]] = {}
    for score in sorted(range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda each: (abs(each - near), each)):
        found.setdefault(tuple(_response(each, score) for each in seen), []).append(score)
    usual = before.start is None or before.start.activity == USUAL
    for each in found.values():
        yield from ((score, None) for score in dict.fromkeys((each[0], each[0] if usual else each[-1])))
    for judged, response in JUDGED.items():
        if (response, response) not in found:
            yield max(1, near), Judgement(judged, "judged at the visit")


def _response(seen: Observation, score: int) -> object:
    start = seen.start.activity if seen.start else None
    lowest = seen.lowest.activity if seen.lowest else None
    return seen.protocol.response.of(seen.phase, score, start, score if lowest is None else min(lowest, score), None)


def _following(
    one: Protocol, other: Protocol, a: Decision, b: Decision, states: tuple[State, State], visits: tuple[Visit, ...]
) -> Iterator[tuple[tuple[object, ...], _Pair]]:
    """Give the next visit on each day on which a clock of either protocol changes, and where both then stand."""
    tomorrow = a.visit.date + timedelta(days=1)
    can_take = (*what_can_be_taken(one, a, states[0]), *what_can_be_taken(other, b, states[1]))
    start = states[0].start
    for taken in dict.fromkeys(can_take if start is None or start.activity == USUAL else (None,)):
        days = set()
        for protocol, decision, state in ((one, a, states[0]), (other, b, states[1])):
            seen = observe(protocol, state, Visit(tomorrow, dosage_taken=taken))
            days |= {tomorrow, *boundaries(protocol, seen), *_ages(one, other, a.visit.date)}
            if decision.next_visit:
                days.add(decision.next_visit.due)
        for day in sorted(each for each in days if each >= tomorrow):
            empty = Visit(day, dosage_taken=taken)
            met = observe(one, states[0], empty), observe(other, states[1], empty)
            places = tuple(meet(each).place for each in met)
            key = (*places, *_scored(states[0]))
            yield key, _Pair(*states, day, taken, visits)


def _ages(one: Protocol, other: Protocol, day: date) -> Iterator[date]:
    """Give the last day on which a result of this day still counts, and the day after, where the two differ in that."""
    for name in ("clearance_age", "counts_age_early", "counts_age", "test_age_early", "test_age"):
        ages = {getattr(each.safety, name).value for each in (one, other)}
        if len(ages) > 1:
            for age in ages:
                yield age.after(day)
                yield age.after(day) + timedelta(days=1)
