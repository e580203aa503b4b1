"""Two protocols compared: whether they decide alike, and where their data differ.

Both are walked side by side on the same visits, at the thresholds and on the boundary days of both, until their advice
parts. Differences of wording are told apart from differences of behaviour.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import product

from attrs import evolve, frozen

from lenadose.engine.machine import Decision, apply, recommend
from lenadose.engine.observe import Observation, hypothetical, limits_met, observe
from lenadose.engine.state import State, begin
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import JUDGED
from lenadose.record.course import Course
from lenadose.record.visit import ACTIVITY, DosageTaken, Judgement, PregnancyTest, TestResult, Visit
from lenadose.terms.dosage import Level
from lenadose.terms.errors import CallError
from lenadose.terms.facts import GAIN, TREATED, Phase, Response, Safety
from lenadose.terms.interval import Interval, at_most_days
from lenadose.verification.explore import (
    boundary_days,
    change_days,
    clock_signature,
    what_can_be_taken,
)
from lenadose.verification.places import DAY0, PATIENT, AbstractState, abstract, worst_for_good
from lenadose.verification.scenarios import Change, Scenarios, blood_count, leaves_mark, scenarios


@frozen
class Disagreement:
    """A kind of disagreement: a shortest course to it, and both decisions on its last visit.

    `about` is what differs first: the action, the dosage, or the next visit.
    """

    about: str
    course: Course
    one: Decision
    other: Decision


@frozen
class Difference:
    """A place in the data where two protocols differ, with both values as written."""

    place: str
    one: str
    other: str


@frozen(slots=False)
class Comparison:
    """Two protocols side by side: their disagreements, and differences in numbers and words."""

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
    """Yield every value of the data with its place; entries with an id are named by it."""
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
    """Return whether a place only describes the protocol; rows are compared by decisions."""
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
    """Yield each pair of rows that name another action for the same situations."""
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
"""The usual score at a start, the mean of the trial; from others only scores are varied."""


@frozen(eq=False)
class _Pair:
    """The same patient before the same visit, under both protocols, and the visits until then."""

    one: State
    other: State
    empty: Visit
    visits: tuple[Visit, ...]


_Both = tuple[Observation, Observation]
"""What the same visit shows under both protocols."""


def disagreements(one: Protocol, other: Protocol) -> Iterator[Disagreement]:
    """Walk both side by side, breadth first, until their advice differs."""
    search = _Search(one, other)
    told: set[tuple[object, ...]] = set()
    patients = [PATIENT]
    if one.safety.test_age_irregular.value != other.safety.test_age_irregular.value:
        patients.append(evolve(PATIENT, regular_cycles=False))
    ahead = deque(_Pair(begin(one, each), begin(other, each), Visit(DAY0), ()) for each in patients)
    known: set[tuple[object, ...]] = set()
    effects = set()
    while ahead:
        pair = ahead.popleft()
        for a, b in search.decisions(pair):
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
                clock_signature(one, states[0]),
                clock_signature(other, states[1]),
                *_scored(states[0]),
            )
            if effect in effects:
                continue
            effects.add(effect)
            ahead.extend(_following((one, other), (a, b), states, visits, known))


def _parted(a: Decision, b: Decision) -> str | None:
    """Return in what two decisions on the same visit differ first, or None."""
    if a.action is not b.action:
        return "action"
    if a.dosage != b.dosage:
        return "dosage"
    return "next visit" if a.next_visit != b.next_visit else None


def _scored(state: State) -> tuple[int | None, ...]:
    """Return the score at the start, and the nadir where only scores are varied."""
    start, nadir = state.baseline, state.treatment.nadir
    if start is None or nadir is None or start.activity == USUAL:
        return (start.activity if start else None,)
    return (start.activity, nadir.activity)


def _start_scores(one: Protocol, other: Protocol) -> tuple[int, ...]:
    """Return the scores at a start: one, unless the response criteria differ."""
    if one.response == other.response:
        return (USUAL,)
    low = {each.response.low_start.value for each in (one, other)}
    return tuple(dict.fromkeys((USUAL, *sorted(low | {each - 1 for each in low if each > 1}), 40)))


@frozen
class _Score:
    """A score and a judgement of a visit, and the response that each protocol takes them for."""

    activity: int | None
    judgement: Judgement | None
    responses: tuple[Response, Response]


@frozen
class _SafetyShown:
    """A change to a well visit of `scenarios`, and what it shows under each protocol."""

    scenarios: Scenarios
    change: Change
    shown: tuple["_Danger", "_Danger"]


_Danger = tuple[Safety, Level | None, bool, Safety]
"""Safety, ceiling, whether the visit leaves a mark, and the worst event that counts for good."""


class _Search:
    """The visits on which two protocols are compared; each kind is worked out once."""

    def __init__(self, one: Protocol, other: Protocol) -> None:
        self.both = (scenarios(one), scenarios(other))
        # With the same safety criteria both make the same visits.
        self.sources = self.both[:1] if one.safety == other.safety else self.both
        self.start_scores = _start_scores(one, other)
        self.changes = tuple(
            dict(items)
            for items in dict.fromkeys(
                tuple(change.items())
                for of_one in self.both
                for changes in of_one.changes.values()
                for change in changes
            )
        )
        self._safeties: dict[tuple[object, ...], tuple[_SafetyShown, ...]] = {}
        self._scores: dict[tuple[object, ...], tuple[_Score, ...]] = {}

    def decisions(self, pair: _Pair) -> Iterator[tuple[Decision, Decision]]:
        """Yield both decisions on each kind of visit that has other consequences."""
        empty = _observe_both(self.both, pair, pair.empty)
        # A score counts as such at a start, and where only scores are varied.
        keeps_score = _only_scores(pair) or any(seen.phase not in TREATED for seen in empty)
        done = set()
        for safety in self.safeties(pair, empty):
            for score in self.scores(empty):
                key = tuple(
                    _consequence(seen, response, shown, score.activity if keeps_score else None)
                    for seen, response, shown in zip(
                        empty, score.responses, safety.shown, strict=True
                    )
                )
                if key in done:
                    continue
                done.add(key)
                fields = {"clasi_activity": score.activity, "judgement": score.judgement}
                change = {**safety.scenarios.well, **safety.change, **fields}
                one, other = _observe_both(
                    self.both, pair, safety.scenarios.visit(empty[0], change)
                )
                yield recommend(one), recommend(other)

    def safeties(self, pair: _Pair, empty: _Both) -> Iterator[_SafetyShown]:
        """Yield a change for each pair of safeties that a visit can show."""
        if _only_scores(pair):
            yield self._show(pair, empty, self.both[0], {})
            return
        # The changes are dated today: how they are taken depends on what is carried forward alone.
        key = tuple(_carried_forward(seen) for seen in empty)
        if key not in self._safeties:
            self._safeties[key] = self._distinct(pair, empty, self.changes)
        known = self._safeties[key]
        yield from known
        dated = (*_tests(self.both, pair), *_old_results(self.both, pair))
        if dated:
            shown = {safety.shown for safety in known}
            for safety in self._distinct(pair, empty, dated):
                if safety.shown not in shown:
                    yield safety

    def _distinct(
        self, pair: _Pair, empty: _Both, changes: Iterable[Change]
    ) -> tuple[_SafetyShown, ...]:
        found: dict[tuple[_Danger, _Danger], _SafetyShown] = {}
        for change in changes:
            for of_one in self.sources:
                safety = self._show(pair, empty, of_one, change)
                found.setdefault(safety.shown, safety)
        return tuple(found.values())

    def _show(self, pair: _Pair, empty: _Both, of_one: Scenarios, change: Change) -> _SafetyShown:
        visit = of_one.visit(empty[0], {**of_one.well, **change})
        one, other = _observe_both(self.both, pair, visit)
        return _SafetyShown(of_one, change, (_danger(one), _danger(other)))

    def scores(self, empty: _Both) -> tuple[_Score, ...]:
        """Return a score or a judgement for every pair of responses that a visit can show."""
        previous = empty[0].before.previous
        last = previous.activity if previous else None
        key = (last, *map(_scores_before, empty))
        if key not in self._scores:
            near = 11 if last is None else last
            self._scores[key] = tuple(
                _Score(activity, judgement, _responses(empty, activity, judgement))
                for activity, judgement in _scores(empty, self.start_scores, near)
            )
        return self._scores[key]


def _observe_both(both: tuple[Scenarios, Scenarios], pair: _Pair, visit: Visit) -> _Both:
    one, other = both
    return observe(one.protocol, pair.one, visit), observe(other.protocol, pair.other, visit)


def _danger(seen: Observation) -> _Danger:
    return seen.facts.safety, seen.ceiling, leaves_mark(seen), worst_for_good(seen)


def _consequence(
    empty: Observation, response: Response, shown: _Danger, score: int | None
) -> tuple[object, ...]:
    """Return all that a response, safety facts and a score change for the visits after this one."""
    safety, ceiling, mark, for_good = shown
    match = hypothetical(empty, response, safety, ceiling)
    held = empty.treatment.dose.level if empty.treatment.dose else None
    advice = empty.protocol.advise(match, held, ceiling)
    nadir = empty.treatment.nadir
    if score is not None and nadir is not None and not advice.effects.new_nadir:
        score = min(score, nadir.activity)
    return (
        match.rule.id,
        advice.level,
        advice.phase_after,
        advice.follow_up,
        response in GAIN,
        safety if mark else None,
        for_good,
        score,
    )


def _carried_forward(empty: Observation) -> tuple[object, ...]:
    """Return what decides how safety facts of today are taken, whatever the dates."""
    findings, baseline = empty.findings, empty.baseline
    ended = findings.pregnancy_ended
    return (
        empty.phase,
        empty.before.ceiling,
        baseline.neuropathy if baseline else None,
        tuple((event.criterion.id, event.name) for event in findings.ongoing),
        limits_met(empty.protocol.safety, findings),
        empty.missing_fields,
        (empty.visit.date - ended).days if ended else None,
    )


def _tests(both: tuple[Scenarios, Scenarios], pair: _Pair) -> Iterator[Change]:
    """Yield pregnancy tests of the ages that the two judge differently before a start."""
    criteria = [of_one.protocol.safety for of_one in both]
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


def _old_results(both: tuple[Scenarios, Scenarios], pair: _Pair) -> Iterator[Change]:
    """Yield counts and tests of the ages that the two judge differently."""
    one, other = (of_one.protocol.safety for of_one in both)
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
                    yield {"neutrophils": blood_count(Decimal(3), on)}
                else:
                    yield {"pregnancy_tests": (_negative(on),)}


def _around(day: date, age: Interval) -> tuple[date, date, date]:
    """Return the days on which a result is a day too young, just as old, and a day too old."""
    exact = day - timedelta(days=at_most_days(age))
    return exact + timedelta(days=1), exact, exact - timedelta(days=1)


def _negative(day: date) -> PregnancyTest:
    return PregnancyTest(TestResult.NEGATIVE, day)


def _only_scores(pair: _Pair) -> bool:
    """Return whether only scores are varied on this walk."""
    return pair.one.baseline is not None and pair.one.baseline.activity != USUAL


def _scores(
    empty: _Both, start_scores: tuple[int, ...], near: int
) -> Iterator[tuple[int | None, Judgement | None]]:
    """Yield the nearest and the farthest score for each pair of responses, then judgements."""
    yield None, None
    baseline = empty[0].baseline
    if empty[0].phase not in TREATED and baseline is None:
        yield from ((score, None) for score in (*start_scores, 0))
        return
    by_responses: dict[tuple[Response, Response], list[int]] = {}
    lowest, highest = ACTIVITY
    for score in sorted(range(lowest, highest + 1), key=lambda score: (abs(score - near), score)):
        by_responses.setdefault(_responses(empty, score, None), []).append(score)
    usual = baseline is None or baseline.activity == USUAL
    for scores in by_responses.values():
        farthest = scores[0] if usual else scores[-1]
        yield from ((score, None) for score in dict.fromkeys((scores[0], farthest)))
    for judged, response in JUDGED.items():
        if (response, response) not in by_responses:
            yield max(1, near), Judgement(judged, "judged at the visit")


def _responses(
    empty: _Both, activity: int | None, judgement: Judgement | None
) -> tuple[Response, Response]:
    judged = judgement.response if judgement else None
    one, other = (
        seen.protocol.response.of(seen.phase, activity, *_scores_before(seen)[1:], judged)
        for seen in empty
    )
    return one, other


def _scores_before(empty: Observation) -> tuple[Phase, int | None, int | None]:
    """Return the phase, the score at the start and the lowest since."""
    baseline, nadir = empty.baseline, empty.treatment.nadir
    return (
        empty.phase,
        baseline.activity if baseline else None,
        nadir.activity if nadir else None,
    )


def _following(
    protocols: tuple[Protocol, Protocol],
    decisions: tuple[Decision, Decision],
    states: tuple[State, State],
    visits: tuple[Visit, ...],
    known: set[tuple[object, ...]],
) -> Iterator[_Pair]:
    """Yield the next visit on each day on which a clock of either protocol changes.

    Only where the two then stand as in no pair *known*; those are added to it.
    """
    last, baseline = decisions[0].visit.date, states[0].baseline
    tomorrow = last + timedelta(days=1)
    can_take: list[DosageTaken | None] = [None]
    if baseline is None or baseline.activity == USUAL:
        for protocol, decision, state in zip(protocols, decisions, states, strict=True):
            can_take += what_can_be_taken(protocol, decision, state)
    # What ends on such a day no abstract state says: it is told apart by its name.
    endings = (*_ages(*protocols, last), *_ends_since(*protocols, states))
    due = [decision.next_visit.due for decision in decisions if decision.next_visit]
    for taken, missed in (
        *((dosage, None) for dosage in dict.fromkeys(can_take)),
        *((None, doses) for doses in _can_miss(*protocols)),
    ):
        visit_on = cache(partial(Visit, dosage_taken=taken, doses_missed=missed))
        ahead = [
            _Ahead(protocol, state, Visit(tomorrow, dosage_taken=taken), visit_on)
            for protocol, state in zip(protocols, states, strict=True)
        ]
        days: dict[date, list[object]] = {tomorrow: []}
        for of_one in ahead:
            days |= {day: [] for day in boundary_days(of_one.first)}
        days |= {day: [] for day in due}
        for name, day in endings:
            days.setdefault(day, []).append(name)
        for day in sorted(day for day in days if day >= tomorrow):
            try:
                places = [of_one.place(day) for of_one in ahead]
            except CallError:
                continue  # more doses missed than there were
            key = (states[0].patient, missed, *places, *days[day], *_scored(states[0]))
            if key not in known:
                known.add(key)
                yield _Pair(*states, visit_on(day), visits)


class _Ahead:
    """Where a patient stands on the days after a visit, under one protocol."""

    def __init__(
        self,
        protocol: Protocol,
        state: State,
        first: Visit,
        visit_on: Callable[[date], Visit],
    ) -> None:
        self.protocol, self.state, self.visit_on = protocol, state, visit_on
        self.first = observe(protocol, state, first)
        self.changes = sorted({first.date, *change_days(self.first)})
        self.places: dict[date, AbstractState] = {}

    def place(self, day: date) -> AbstractState:
        """Return where the patient stands on a day."""
        visit, previous = self.visit_on(day), self.state.previous
        # With nothing advised and nothing said to be taken, each further day is a day missed;
        # otherwise nothing changes between two changes of a clock.
        if not visit.doses_missed and (visit.dosage_taken or (previous and previous.advised)):
            day = max(change for change in self.changes if change <= day)
        if day not in self.places:
            seen = observe(self.protocol, self.state, self.visit_on(day))
            self.places[day] = abstract(seen).place
        return self.places[day]


def _can_miss(one: Protocol, other: Protocol) -> Iterator[int]:
    """Yield the numbers of missed doses on both sides of a line that the two draw differently."""
    shares = {each.intervals.missed_share.value for each in (one, other)}
    lengths = {at_most_days(each.intervals.first_assessment.value) for each in (one, other)}
    if len(shares) > 1:
        for share, length in product(shares, lengths):
            yield int(share * length)
            yield int(share * length) + 1


Ending = tuple[tuple[str, Interval, int], date]
"""The name of a period, its length, the days since its last day; and the day."""


_AGES = (
    "counts_age_early",
    "counts_age",
    "clearance_age",
    "test_age_early",
    "test_age",
    "test_age_irregular",
)


def _ages(one: Protocol, other: Protocol, day: date) -> Iterator[Ending]:
    """Yield the days around which results of *day* expire, where the two differ in that."""
    for name in _AGES:
        yield from _ends(name, {getattr(each.safety, name).value for each in (one, other)}, day)


def _ends_since(one: Protocol, other: Protocol, states: tuple[State, State]) -> Iterator[Ending]:
    """Yield the days around the ends of close watch and surveillance, where the two differ."""
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
