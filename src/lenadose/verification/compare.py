"""Two protocols compared: whether they decide alike, and if not, the shortest course of visits for each difference.

Both are walked side by side on the same visits, at the thresholds and on the boundary days of both, until their advice
parts. Differences of wording are told apart from differences of behaviour.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from attrs import evolve, frozen

from lenadose.engine.machine import Decision, apply, recommend
from lenadose.engine.observe import Observation, observe
from lenadose.engine.state import State, begin
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import JUDGED
from lenadose.record.course import Course
from lenadose.record.visit import ACTIVITY, Judgement, PregnancyTest, TestResult, Visit
from lenadose.terms.errors import CallError
from lenadose.terms.facts import TREATED
from lenadose.terms.interval import Interval, at_most_days
from lenadose.verification.explore import boundaries, clocks, what_can_be_taken
from lenadose.verification.places import DAY0, PATIENT, meet
from lenadose.verification.scenarios import Change, Scenarios, count, marks, scenarios


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
    found = tuple(disagreements(one, other)) if numbers else ()
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
                yield from _flat(
                    {key: part for key, part in each.items() if key != "id"},
                    f"{place}.{each['id']}",
                )
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
        ((a.rule.id, a.rule.action.label), (b.rule.id, b.rule.action.label))
        for a, b in zip(one.table.situations(), other.table.situations(), strict=True)
        if a.rule.action is not b.rule.action
    )
    for ((row, action), (other_row, other_action)), number in pairs.items():
        situations = f"{number} situation{'s' if number > 1 else ''}"
        yield Difference(
            f"rules.{row}", f"{action} in {situations}", f"{other_action} ({other_row})"
        )


# Side by side on the same visits

USUAL = 11
"""The score with which a course begins, the mean of the first trial; from other scores only the scores are varied."""


@frozen(eq=False)
class _Pair:
    """The same patient before the same visit, under both protocols, and the visits until then."""

    one: State
    other: State
    empty: Visit
    visits: tuple[Visit, ...]


def disagreements(one: Protocol, other: Protocol) -> Iterator[Disagreement]:
    """Walk both side by side, breadth first; where the advice has parted the walk goes no further."""
    shows = (scenarios(one), scenarios(other))
    scores = _starts(one, other)
    told: set[tuple[object, ...]] = set()
    patients = [PATIENT]
    if one.safety.test_age_irregular.value != other.safety.test_age_irregular.value:
        patients.append(evolve(PATIENT, regular_cycles=False))
    ahead = deque(_Pair(begin(one, each), begin(other, each), Visit(DAY0), ()) for each in patients)
    known, effects = set(), set()
    while ahead:
        pair = ahead.popleft()
        for a, b in _decisions(shows, scores, pair):
            visits = (*pair.visits, a.visit)
            about = _parted(a, b)
            if about is not None and (kind := (about, a.rule.id, b.rule.id)) not in told:
                told.add(kind)
                yield Disagreement(about, Course(visits, pair.one.patient), a, b)
            if about is not None and about != "next visit":
                continue
            states = apply(a), apply(b)
            effect = (
                pair.one.patient,
                *(clocks(show.protocol, each) for show, each in zip(shows, states, strict=True)),
                *_scored(states[0]),
            )
            if effect in effects:
                continue
            effects.add(effect)
            for key, following in _following(one, other, a, b, states, visits):
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
    start, nadir = state.baseline, state.treatment.nadir
    if start is None or nadir is None or start.activity == USUAL:
        return (start.activity if start else None,)
    return (start.activity, nadir.activity)


def _starts(one: Protocol, other: Protocol) -> tuple[int, ...]:
    """Give the scores with which a course begins: one will do unless the criteria of the response differ."""
    if one.response == other.response:
        return (USUAL,)
    low = {each.response.low_start.value for each in (one, other)}
    return tuple(dict.fromkeys((USUAL, *sorted(low | {each - 1 for each in low if each > 1}), 40)))


def _decisions(
    shows: tuple[Scenarios, Scenarios], scores: tuple[int, ...], pair: _Pair
) -> Iterator[tuple[Decision, Decision]]:
    """Give both decisions on each kind of visit that either protocol tells apart."""
    seen = (
        observe(shows[0].protocol, pair.one, pair.empty),
        observe(shows[1].protocol, pair.other, pair.empty),
    )
    skins = list(_skins(seen, scores))
    shown_safely = _safeties(shows, pair, seen)
    for visit, (score, judgement) in product(shown_safely, skins):
        shown = evolve(visit, clasi_activity=score, judgement=judgement)
        yield (
            recommend(observe(shows[0].protocol, pair.one, shown)),
            recommend(observe(shows[1].protocol, pair.other, shown)),
        )


def _safeties(
    shows: tuple[Scenarios, Scenarios], pair: _Pair, seen: tuple[Observation, Observation]
) -> Collection[Visit]:
    """Give a visit for each pair of safeties that it can show; where only scores are varied, the well one alone."""
    if _only_scores(pair):
        return (shows[0].visit(seen[0], shows[0].well.copy()),)
    changes = dict.fromkeys(
        _key(change) for show in shows for each in show.changes.values() for change in each
    )
    changes |= dict.fromkeys(map(_key, (*_tests(shows, pair), *_old_results(shows, pair))))
    safeties: dict[tuple[object, ...], Visit] = {}
    for change in changes:
        for visit in dict.fromkeys(
            show.visit(seen[0], {**show.well, **dict(change)}) for show in shows
        ):
            both = (
                observe(shows[0].protocol, pair.one, visit),
                observe(shows[1].protocol, pair.other, visit),
            )
            key = tuple((each.facts.safety, each.ceiling, marks(each)) for each in both)
            safeties.setdefault(key, visit)
    return safeties.values()


def _tests(shows: tuple[Scenarios, Scenarios], pair: _Pair) -> Iterator[Change]:
    """Give pregnancy tests of the ages between which the two draw the line differently before a start."""
    criteria = [show.protocol.safety for show in shows]
    firsts, seconds = (
        {each.first_test.value for each in criteria},
        {each.second_test_age.value for each in criteria},
    )
    if pair.visits or len(firsts) == len(seconds) == 1:
        return
    day, (earliest, _) = pair.empty.date, criteria[0].first_test.value
    for first in sorted({on for bounds in firsts for each in bounds for on in _around(day, each)}):
        yield {"pregnancy_tests": (_negative(first), _negative(day))}
    for second in sorted({on for each in seconds for on in _around(day, each)}):
        yield {
            "pregnancy_tests": (
                _negative(day - timedelta(days=at_most_days(earliest))),
                _negative(second),
            )
        }


def _old_results(shows: tuple[Scenarios, Scenarios], pair: _Pair) -> Iterator[Change]:
    """Give counts and tests of the ages between which the two draw the line differently."""
    one, other = (show.protocol.safety for show in shows)
    if not pair.visits:
        return
    for ages, early in (
        (("counts_age_early", "counts_age"), "counts_early"),
        (("test_age_early", "test_age", "test_age_irregular"), "tests_early"),
    ):
        if all(getattr(one, name).value == getattr(other, name).value for name in (*ages, early)):
            continue
        for age in {getattr(each, name).value: None for each in (one, other) for name in ages}:
            for on in _around(pair.empty.date, age):
                if early == "counts_early":
                    yield {"neutrophils": count(Decimal(3), on)}
                else:
                    yield {"pregnancy_tests": (_negative(on),)}


def _around(day: date, age: Interval) -> tuple[date, date, date]:
    """Give the days on which a result is a day too young, just as old as this, and a day too old."""
    exact = day - timedelta(days=at_most_days(age))
    return exact + timedelta(days=1), exact, exact - timedelta(days=1)


def _negative(day: date) -> PregnancyTest:
    return PregnancyTest(TestResult.NEGATIVE, day)


def _only_scores(pair: _Pair) -> bool:
    """Tell whether only scores are varied on this walk."""
    return pair.one.baseline is not None and pair.one.baseline.activity != USUAL


def _key(change: Change) -> tuple[tuple[str, object], ...]:
    return tuple(change.items())


def _skins(
    seen: tuple[Observation, Observation], scores: tuple[int, ...]
) -> Iterator[tuple[int | None, Judgement | None]]:
    """Give scores and judgements for every pair of responses: the score nearest to the one before, and the farthest."""
    yield None, None
    before = seen[0].before
    off_drug = seen[0].phase not in TREATED
    if off_drug and before.baseline is None:
        yield from ((score, None) for score in (*scores, 0))
        return
    near = (
        before.previous.activity if before.previous and before.previous.activity is not None else 11
    )
    found: dict[tuple[object, ...], list[int]] = {}
    for score in sorted(
        range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda each: (abs(each - near), each)
    ):
        found.setdefault(tuple(_response(each, score) for each in seen), []).append(score)
    usual = before.baseline is None or before.baseline.activity == USUAL
    for each in found.values():
        yield from (
            (score, None) for score in dict.fromkeys((each[0], each[0] if usual else each[-1]))
        )
    for judged, response in JUDGED.items():
        if (response, response) not in found:
            yield max(1, near), Judgement(judged, "judged at the visit")


def _response(seen: Observation, score: int) -> object:
    start = seen.baseline.activity if seen.baseline else None
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
    return seen.protocol.response.of(
        seen.phase, score, start, score if nadir is None else min(nadir, score), None
    )


def _following(
    one: Protocol,
    other: Protocol,
    a: Decision,
    b: Decision,
    states: tuple[State, State],
    visits: tuple[Visit, ...],
) -> Iterator[tuple[tuple[object, ...], _Pair]]:
    """Give the next visit on each day on which a clock of either protocol changes, and where both then stand."""
    tomorrow = a.visit.date + timedelta(days=1)
    can_take = (*what_can_be_taken(one, a, states[0]), *what_can_be_taken(other, b, states[1]))
    start = states[0].baseline
    can_take = tuple(
        dict.fromkeys(can_take if start is None or start.activity == USUAL else (None,))
    )
    for taken, missed in (
        *((each, None) for each in can_take),
        *((None, each) for each in _can_miss(one, other)),
    ):
        days: dict[date, list[object]] = {tomorrow: []}
        for protocol, decision, state in ((one, a, states[0]), (other, b, states[1])):
            for day in boundaries(
                protocol, observe(protocol, state, Visit(tomorrow, dosage_taken=taken))
            ):
                days.setdefault(day, [])
            if decision.next_visit:
                days.setdefault(decision.next_visit.due, [])
        # What ends on such a day no place tells: it is told apart by its name.
        for name, day in (*_ages(one, other, a.visit.date), *_ends_since(one, other, states)):
            days.setdefault(day, []).append(name)
        for day in sorted(each for each in days if each >= tomorrow):
            empty = Visit(day, dosage_taken=taken, doses_missed=missed)
            try:
                met = observe(one, states[0], empty), observe(other, states[1], empty)
            except CallError:
                continue  # more doses missed than there were
            places = tuple(meet(each).place for each in met)
            key = (
                states[0].patient,
                missed,
                *places,
                *days[day],
                *_scored(states[0]),
            )
            yield key, _Pair(*states, empty, visits)


def _can_miss(one: Protocol, other: Protocol) -> Iterator[int]:
    """Give how many doses of an interval can be missed on both sides of the line that the two draw differently."""
    shares = {each.intervals.missed_share.value for each in (one, other)}
    lengths = {at_most_days(each.intervals.first_assessment.value) for each in (one, other)}
    if len(shares) > 1:
        for share, length in product(shares, lengths):
            yield int(share * length)
            yield int(share * length) + 1


Ending = tuple[tuple[str, Interval, int], date]
"""What ends, after how long, how many days from its last day; and the day."""


_AGES = (
    "counts_age_early",
    "counts_age",
    "clearance_age",
    "test_age_early",
    "test_age",
    "test_age_irregular",
)


def _ages(one: Protocol, other: Protocol, day: date) -> Iterator[Ending]:
    """Give the days around those on which results of this day are too old, where the two differ in that."""
    for name in _AGES:
        yield from _ends(name, {getattr(each.safety, name).value for each in (one, other)}, day)


def _ends_since(one: Protocol, other: Protocol, states: tuple[State, State]) -> Iterator[Ending]:
    """Give the days around the ends of close watching, and those of surveillance, where the two differ in that."""
    for state in states:
        if state.treatment.dose is not None and state.baseline is not None:
            for name, since in (
                ("counts_early", state.treatment.dose.watched_from),
                ("tests_early", state.baseline.on),
            ):
                yield from _ends(
                    name, {getattr(each.safety, name).value for each in (one, other)}, since
                )
        if state.finished_on is not None:
            planned = [set(each.intervals.surveillance.value) for each in (one, other)]
            if planned[0] != planned[1]:
                yield from _ends("surveillance", planned[0] | planned[1], state.finished_on)


def _ends(name: str, spans: Collection[Interval], since: date) -> Iterator[Ending]:
    for span, late in product(spans if len(spans) > 1 else (), (0, 1)):
        yield (name, span, late), span.after(since) + timedelta(days=late)
