"""The visits on which two protocols are compared, each with other consequences."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from attrs import frozen

from lenadose.engine.machine import Decision, recommend, same_day_dangers
from lenadose.engine.observe import Observation, hypothetical, limits_met, observe
from lenadose.engine.state import State
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import JUDGED
from lenadose.record.visit import ACTIVITY, Judgement, PregnancyTest, TestResult, Visit
from lenadose.terms.dosage import Level
from lenadose.terms.facts import GAIN, TREATED, Phase, Response, Safety
from lenadose.terms.interval import Interval, at_most_days
from lenadose.verification.places import worst_for_good
from lenadose.verification.scenarios import Change, Scenarios, blood_count, leaves_mark, scenarios

USUAL = 11
"""The usual score at a start, the mean of the trial; from others only scores are varied."""


@frozen(eq=False)
class Pair:
    """The same patient before the same visit, under both protocols, and the visits until then.

    `only_scores`: the course began at an unusual score, and nothing but scores is varied.
    """

    one: State
    other: State
    empty: Visit
    visits: tuple[Visit, ...]
    only_scores: bool = False


Both = tuple[Observation, Observation]
"""The observations of the same visit under both protocols."""


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
    dangers: tuple["_Danger", "_Danger"]


_Danger = tuple[Safety, Level | None, bool, Safety, bool]
"""Safety, ceiling, whether the visit leaves a mark, the worst event that counts for good, and
whether a same-day assessment is due."""


class PairedVisits:
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

    def decisions(self, pair: Pair) -> Iterator[tuple[Decision, Decision]]:
        """Yield both decisions on each kind of visit that has other consequences."""
        empty = _observe_both(self.both, pair, pair.empty)
        # A score counts as such at a start, and where only scores are varied.
        keeps_score = pair.only_scores or any(seen.phase not in TREATED for seen in empty)
        done = set()
        for safety in self.safeties(pair, empty):
            for score in self.scores(empty):
                key = tuple(
                    _consequence(seen, response, danger, score.activity if keeps_score else None)
                    for seen, response, danger in zip(
                        empty, score.responses, safety.dangers, strict=True
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

    def safeties(self, pair: Pair, empty: Both) -> Iterator[_SafetyShown]:
        """Yield a change for each pair of safeties that a visit can show."""
        if pair.only_scores:
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
            known_dangers = {safety.dangers for safety in known}
            for safety in self._distinct(pair, empty, dated):
                if safety.dangers not in known_dangers:
                    yield safety

    def _distinct(
        self, pair: Pair, empty: Both, changes: Iterable[Change]
    ) -> tuple[_SafetyShown, ...]:
        distinct: dict[tuple[_Danger, _Danger], _SafetyShown] = {}
        for change in changes:
            for of_one in self.sources:
                safety = self._show(pair, empty, of_one, change)
                distinct.setdefault(safety.dangers, safety)
        return tuple(distinct.values())

    def _show(self, pair: Pair, empty: Both, of_one: Scenarios, change: Change) -> _SafetyShown:
        visit = of_one.visit(empty[0], {**of_one.well, **change})
        one, other = _observe_both(self.both, pair, visit)
        return _SafetyShown(of_one, change, (_danger(one), _danger(other)))

    def scores(self, empty: Both) -> tuple[_Score, ...]:
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


def _observe_both(both: tuple[Scenarios, Scenarios], pair: Pair, visit: Visit) -> Both:
    one, other = both
    return observe(one.protocol, pair.one, visit), observe(other.protocol, pair.other, visit)


def _danger(seen: Observation) -> _Danger:
    return (
        seen.facts.safety,
        seen.ceiling,
        leaves_mark(seen),
        worst_for_good(seen),
        bool(same_day_dangers(seen)),
    )


def _consequence(
    empty: Observation, response: Response, danger: _Danger, score: int | None
) -> tuple[object, ...]:
    """Return all that a response, safety facts and a score change for the visits after this one."""
    safety, ceiling, mark, for_good, same_day = danger
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
        same_day,
        score,
    )


def _carried_forward(empty: Observation) -> tuple[object, ...]:
    """Return what decides how safety facts of today are taken, whatever the dates."""
    findings, baseline, day = empty.findings, empty.baseline, empty.visit.date
    ended, count_from = findings.pregnancy_ended, findings.tests_count_from
    return (
        empty.phase,
        empty.before.ceiling,
        baseline.neuropathy if baseline else None,
        tuple((event.criterion.id, event.name) for event in findings.ongoing),
        limits_met(empty.protocol.safety, findings),
        empty.missing_fields,
        (day - ended).days if ended else None,
        (day - count_from).days if count_from else None,
    )


def _tests(both: tuple[Scenarios, Scenarios], pair: Pair) -> Iterator[Change]:
    """Yield pregnancy tests of the ages that the two judge differently before a start."""
    criteria = [of_one.protocol.safety for of_one in both]
    firsts, seconds = (
        {criteria_of_one.first_test.value for criteria_of_one in criteria},
        {criteria_of_one.second_test_age.value for criteria_of_one in criteria},
    )
    if pair.visits or len(firsts) == len(seconds) == 1:
        return
    day, (earliest, _) = pair.empty.date, criteria[0].first_test.value
    for first in sorted(
        {on for bounds in firsts for age in bounds for on in days_around(day, age)}
    ):
        yield {"pregnancy_tests": (_negative(first), _negative(day))}
    for second in sorted({on for age in seconds for on in days_around(day, age)}):
        yield {
            "pregnancy_tests": (
                _negative(day - timedelta(days=at_most_days(earliest))),
                _negative(second),
            )
        }


def _old_results(both: tuple[Scenarios, Scenarios], pair: Pair) -> Iterator[Change]:
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
        for age in {
            getattr(criteria, name).value: None for criteria in (one, other) for name in ages
        }:
            for on in days_around(pair.empty.date, age):
                if early == "counts_early":
                    yield {"neutrophils": blood_count(Decimal(3), on)}
                else:
                    yield {"pregnancy_tests": (_negative(on),)}


def days_around(day: date, age: Interval) -> tuple[date, date, date]:
    """Return the days on which a result is a day too young, just as old, and a day too old."""
    exact = day - timedelta(days=at_most_days(age))
    return exact + timedelta(days=1), exact, exact - timedelta(days=1)


def _negative(day: date) -> PregnancyTest:
    return PregnancyTest(TestResult.NEGATIVE, day)


def _scores(
    empty: Both, start_scores: tuple[int, ...], near: int
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
    empty: Both, activity: int | None, judgement: Judgement | None
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


def _start_scores(one: Protocol, other: Protocol) -> tuple[int, ...]:
    """Return the scores at a start: one, unless the response criteria differ."""
    if one.response == other.response:
        return (USUAL,)
    limits = {
        limit.value
        for criteria in (one.response, other.response)
        for limit in (criteria.mild_below, criteria.partial_below)
    }
    low = limits | {score - 1 for score in limits if score > 1}
    return tuple(dict.fromkeys((USUAL, *sorted(low), 40)))
