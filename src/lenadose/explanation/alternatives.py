"""For every other action the least that would have to be otherwise at a visit, in numbers and dates, found exactly.

The search is over facts: each value that a field of the visit can take is told by what it does to the facts, and of
those that do the same the nearest is kept. The fields are then put together, the nearest way to each situation first,
and what is found goes back to the machine as a visit: only what the machine says to that visit is given out.

The least is, in this order: the fewest fields changed; what comes about most easily (what can be waited for until the
next visit, or obtained; then what the patient may show; then a judgement; last what lies in the past, or beyond the
next visit); the fields in the order of `FIELDS`; the nearest values. The values looked at are all scores, a count and a
clearance of that day on either side of each limit, events that meet each criterion (or none, or not asked), tests of
that day (and one in the days before a start), each judgement, each level, nothing or a dosage off the ladder, any
number of doses missed, and each date after the visit before, at most a year from the visit.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain, combinations

from attrs import evolve, field, frozen

from lenadose.engine.machine import Decision
from lenadose.engine.observe import (
    Observation,
    ceiling_of,
    interval_end,
    limits_met,
    observe,
    position_of,
    safety_of,
    tests_missing,
    worse_of,
)
from lenadose.engine.state import CurrentLevel, Findings, update_findings
from lenadose.explanation.change_cost import (
    AS_IT_IS,
    FIELDS,
    Cost,
    Feasibility,
    both,
    change,
    keep,
    together,
)
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.safety import EventCriterion
from lenadose.record.adverse_event import GRADE, PREGNANCY, RESOLVABLE, UNGRADED, AdverseEvent
from lenadose.record.course import doses_between
from lenadose.record.fields import YEARS
from lenadose.record.visit import (
    ACTIVITY,
    DosageTaken,
    JudgedResponse,
    Judgement,
    Measurement,
    PregnancyTest,
    Result,
    TestResult,
    Visit,
)
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, DoseLadder, Level, lower_of
from lenadose.terms.facts import (
    GAIN,
    ON_TREATMENT,
    TREATED,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval, at_most_days
from lenadose.terms.units import NEUTROPHILS, PLATELETS, QUANTITIES

FieldValue = (
    date
    | int
    | Measurement
    | tuple[PregnancyTest, ...]
    | tuple[AdverseEvent, ...]
    | DosageTaken
    | Judgement
    | None
)
"""What a field of a visit can hold; None where it is left out."""

HORIZON = timedelta(days=366)
"""How far from the visit a date is looked for."""


@frozen
class Change:
    """One field of the visit: what it held, what it would have to hold, and how that can come about."""

    field: str
    before: FieldValue
    after: FieldValue
    means: Feasibility


@frozen
class Alternative:
    """Another action and the least that would have to be otherwise for it; no changes where it cannot be reached.

    `seen` is what the visit shows with the changes made, None where the action is not reachable.
    """

    action: Action
    changes: tuple[Change, ...]
    seen: Observation | None = field(repr=False)

    @property
    def reachable(self) -> bool:
        """Whether some change of what was recorded at this visit leads to the action."""
        return self.seen is not None


def alternatives(decision: Decision) -> tuple[Alternative, ...]:
    """Give every other action with the least that would have to change for it, the nearest first.

    The changes are to the visit that was decided on; what came before it stays. Actions that no change leads to come
    last.
    """
    search = _search(decision)
    ways = search.ways()
    reached = sorted(
        (way[0], action.rank, action)
        for action, way in ways.items()
        if action is not decision.action
    )
    unreached = (
        action for action in Action if action not in ways and action is not decision.action
    )
    return (
        *(search.alternative(action, ways[action]) for _, _, action in reached),
        *(Alternative(action, (), None) for action in unreached),
    )


def _search(decision: Decision) -> "_Search":
    return _Search(decision.seen, decision.next_visit.latest if decision.next_visit else None)


Allowed = tuple[Safety, Level | None]
"""What a visit allows: its safety, and the ceiling."""


def _also(allowed: Allowed, found: Safety) -> Allowed:
    return worse_of(allowed[0], found), allowed[1]


def _lower(allowed: Allowed, found: Allowed) -> Allowed:
    return worse_of(allowed[0], found[0]), lower_of(allowed[1], found[1])


@frozen
class _Listed:
    """What a list of events, or none, comes to.

    The safety of the events that stand, whether that nobody asked leaves it open, whether a pregnancy is known of,
    and whether the list ends one.
    """

    safety: Safety
    unknown: bool
    pregnant: bool
    ends_pregnancy: bool


@frozen
class _Tested:
    """What tests come to: whether a required one is missing, and whether a positive one counts.

    A pregnancy that is reported ended at the visit ends the positive tests before that day.
    """

    missing: bool
    positive: bool
    positive_after_end: bool


@frozen(cache_hash=True)
class _Findings:
    """What results and tests come to on a day.

    For each result what it allows as it is (None: it was taken after that day) and left out; for each option of the
    tests whether a required one is missing; whether the first of two tests would have been due before the visit;
    whether the tests of the visit were known on that day, and whether a positive one among them counts, without a
    pregnancy reported ended at the visit and with one.
    """

    results: tuple[tuple[Allowed | None, Allowed], ...]
    tests_missing: tuple[bool, ...]
    first_test_is_past: bool
    tests_known: bool
    positive: bool
    positive_after_end: bool


_RESULTS = {
    "neutrophils": "neutrophils",
    "platelets": "platelets",
    "creatinine_clearance": "clearance",
}
"""The results of a visit, each with its name among what is known."""

_DAY = timedelta(days=1)
_PAIR, _POSITIVE, _NO_TEST = 3, 4, 5  # their places among the tests that are looked at


@frozen(slots=False)
class _Search:
    """The visit that was decided on, and the options that each of its fields has, its own value first."""

    seen: Observation
    next_visit: date | None
    # What was worked out once, by what it depends on.
    _answered: dict[tuple[object, ...], dict[Action, Cost]] = field(init=False, factory=dict)
    _responded: dict[tuple[Phase, int | None], dict[Response, Cost]] = field(
        init=False, factory=dict
    )
    _allowing: dict[_Findings, dict[Allowed, Cost]] = field(init=False, factory=dict)

    @cached_property
    def visit(self) -> Visit:
        """The visit that was decided on."""
        return self.seen.visit

    @cached_property
    def known(self) -> Findings:
        """What was known before the visit."""
        return self.seen.before.findings

    def ways(self) -> dict[Action, Cost]:
        """Give the nearest way to each action that can be reached."""
        best: dict[Action, Cost] = {}
        for took, taken in zip(
            self._steps("dosage_taken", self.dosages), self.dosages, strict=True
        ):
            for moved, day in zip(self._steps("date", self.days), self.days, strict=True):
                bare = observe(self.seen.protocol, self.seen.before, Visit(day, dosage_taken=taken))
                for timing, missed in self._timings(bare).items():
                    clocks = both(both(took, moved), missed)
                    for action, rest in self._answers(bare, timing).items():
                        keep(best, action, both(clocks, rest))
        return best

    def alternative(self, action: Action, way: Cost) -> Alternative:
        """Turn a way back into values, and let the machine say what they lead to."""
        visit, steps = self.visit, dict(way[1])
        day = self.days[steps.get("date", 0)]
        values = {name: self._value(name, steps[name], day) for name in FIELDS if name in steps}
        # Fields by their names: the visit checks each value, the type checker cannot.
        seen = observe(self.seen.protocol, self.seen.before, evolve(visit, **values))  # type: ignore[arg-type]
        assert seen.match.rule.action is action, (
            f"the machine does not say {action.label} to {values}"
        )
        changes = (
            Change(name, getattr(visit, name), each, self._means(name, each))
            for name, each in values.items()
        )
        return Alternative(action, tuple(changes), seen)

    def _value(self, name: str, option: int, day: date) -> FieldValue:
        match name:
            case "date":
                return day
            case "clasi_activity":
                return self.scores[option]
            case "neutrophils" | "platelets" | "creatinine_clearance":
                return self.results[name][option]
            case "adverse_events":
                return self.lists[option]
            case "pregnancy_tests":
                return self.tests(day)[option]
            case "judgement":
                return self.judgements[option]
            case "dosage_taken":
                return self.dosages[option]
            case _:
                return option

    def _means(self, name: str, after: FieldValue) -> Feasibility:
        if name == "date":
            return (
                Feasibility.WAIT
                if isinstance(after, date) and after > self.visit.date
                else Feasibility.PAST
            )
        if name in ("doses_missed", "dosage_taken") or after is None:
            return Feasibility.PAST
        if name == "judgement":
            return Feasibility.JUDGE
        if (
            name == "pregnancy_tests"
            and isinstance(after, tuple)
            and any(map(self._is_past, after))
        ):
            return Feasibility.PAST
        return (
            Feasibility.OBTAIN
            if any(gap.field == name for gap in self.seen.missing_fields)
            else Feasibility.SHOWN
        )

    def _is_past(self, test: PregnancyTest | AdverseEvent) -> bool:
        """Tell whether a test would have had to be made before the visit."""
        day = getattr(test, "date", None)
        return (
            day is not None
            and day < self.visit.date
            and test not in (self.visit.pregnancy_tests or ())
        )

    def _steps(self, name: str, options: Sequence[FieldValue]) -> Iterator[Cost]:
        """Give the way to each option of a field; the first is the visit's own value, the others come by nearness."""
        yield AS_IT_IS
        for number, value in enumerate(options[1:], 1):
            beyond = (
                isinstance(value, date) and self.next_visit is not None and value > self.next_visit
            )
            yield change(
                name, number, number, Feasibility.PAST if beyond else self._means(name, value)
            )

    # What each field can hold

    @cached_property
    def scores(self) -> tuple[int | None, ...]:
        """Every CLASI activity, the nearest to the last one known first, and none."""
        here, before = self.visit.clasi_activity, self.seen.before
        known = (
            here,
            before.previous.activity if before.previous else None,
            before.baseline.activity if before.baseline else None,
        )
        near = next((each for each in known if each is not None), ACTIVITY[0])
        others = sorted(
            range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda each: (abs(each - near), each)
        )
        return (here, *(each for each in (*others, None) if each != here))

    @cached_property
    def results(self) -> dict[str, tuple[Measurement | None, ...]]:
        """For each result one of the day of the visit on either side of each limit, and none."""
        return {name: self._either_side(name, known) for name, known in _RESULTS.items()}

    def _either_side(self, name: str, known_as: str) -> tuple[Measurement | None, ...]:
        quantity, limits = QUANTITIES[name], self.seen.protocol.safety.limits_of(name)
        here: Measurement | None = getattr(self.visit, name)
        known: Result | None = getattr(self.seen.findings, known_as)
        unit = here.unit if here else quantity.unit
        near = known.amount if known else limits[1]
        amounts = {Decimal(0), quantity.largest, *limits, *map(_just_below, limits)}
        ordered = sorted(
            (each for each in amounts if each <= quantity.largest),
            key=lambda each: (abs(each - near), each),
        )
        measured = (Measurement(each / quantity.factors[unit], unit) for each in ordered)
        return (here, *measured, *(() if here is None else (None,)))

    @cached_property
    def lists(self) -> tuple[tuple[AdverseEvent, ...] | None, ...]:
        """No events, one that meets each criterion, each also with some of those that stand resolved, and not asked."""
        here = self.visit.adverse_events
        start = self.seen.before.baseline
        criteria = sorted(self.seen.protocol.safety.events, key=lambda each: bool(each.terms))
        events = [
            event for each in criteria for event in _meeting(each, start.neuropathy if start else 0)
        ]
        open_ones = [
            name for name in RESOLVABLE if any(each.name == name for each in self.known.ongoing)
        ]
        found: list[tuple[AdverseEvent, ...] | None] = []
        for over in chain.from_iterable(
            combinations(open_ones, size) for size in range(len(open_ones) + 1)
        ):
            resolved = tuple(AdverseEvent(name, resolved=True) for name in over)
            found += (resolved, *((*resolved, event) for event in events if event.name not in over))
        return (here, *found, *(() if here is None else (None,)))

    def tests(self, day: date) -> tuple[tuple[PregnancyTest, ...] | None, ...]:
        """A negative test beside those of the visit, alone, or after one in time for a start; a positive one; none."""
        here = self.visit.pregnancy_tests
        negative, positive = PregnancyTest(TestResult.NEGATIVE), PregnancyTest(TestResult.POSITIVE)
        beside = tuple(
            each
            for each in here or ()
            if each.result is TestResult.NEGATIVE and not (each.date and each.date > day)
        )
        first = PregnancyTest(
            TestResult.NEGATIVE, _first_test(self.seen.protocol.safety.first_test.value, day)
        )
        return (here, (*beside, negative), (negative,), (first, negative), (positive,), None)

    @cached_property
    def judgements(self) -> tuple[Judgement | None, ...]:
        """Each judgement, and none."""
        here = self.visit.judgement
        others = (
            Judgement(each, "judged at the visit")
            for each in JudgedResponse
            if here is None or each is not here.response
        )
        return (here, *others, *(() if here is None else (None,)))

    @cached_property
    def dosages(self) -> tuple[DosageTaken | None, ...]:
        """What can have been taken, where it can matter: not said, each level, nothing, or off the ladder."""
        here, before, ladder = self.visit.dosage_taken, self.seen.before, self.seen.protocol.ladder
        dose, last = before.treatment.dose, before.previous
        if (
            last is None
            or dose is None
            or not (before.treatment.phase in ON_TREATMENT or last.advice.hands_over)
        ):
            return (here,)
        levels = [DosageTaken(each.dosage.mg, each.dosage.every_days) for each in ladder.levels]
        held = last.came_with.dose or dose
        off = _off_ladder(ladder, held.off_ladder or held.level.dosage)
        others = (None, *levels, DosageTaken(Decimal(0)), *off)
        return (here, *(each for each in others if each != here))

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Every day on which a clock changes, with the days beside it: later ones first, each by nearness."""
        here, last = self.visit.date, self.seen.before.previous
        earliest = max(
            here - HORIZON, last.on + _DAY if last else here - HORIZON, date(YEARS[0], 1, 1)
        )
        latest = min(here + HORIZON, date(YEARS[1], 12, 31))
        days = {day + beside for day in self._changes() for beside in (-_DAY, timedelta(0), _DAY)}
        within = sorted(
            (each for each in days if earliest <= each <= latest), key=lambda each: abs(each - here)
        )
        return (
            here,
            *(each for each in within if each > here),
            *(each for each in within if each < here),
        )

    def _changes(self) -> Iterator[date]:
        """Give the days on which a clock of the protocol can change, whatever was taken and missed."""
        safety, before, known, visit = (
            self.seen.protocol.safety,
            self.seen.before,
            self.known,
            self.visit,
        )
        counts = [
            each.on for each in (known.neutrophils, known.platelets, *visit.counted[:2]) if each
        ]
        ages: list[tuple[Sequence[date], tuple[Interval, ...]]] = [
            (counts, (safety.counts_age_early.value, safety.counts_age.value)),
            (
                [each.on for each in (known.clearance, visit.counted[2]) if each],
                (safety.clearance_age.value,),
            ),
        ]
        tests = {*(on for on, _ in visit.tests), *known.negative_tests}
        recent = [each for each in tests if abs(visit.date - each) <= 2 * HORIZON]
        limits = (
            safety.second_test_age,
            safety.test_age_early,
            safety.test_age,
            safety.test_age_irregular,
        )
        ages.append((recent, (*safety.first_test.value, *(each.value for each in limits))))
        yield from recent
        for since, spans in ages:
            yield from (span.after(on) for on in since for span in spans)
        if before.baseline is not None:
            yield safety.tests_early.value.after(before.baseline.on)
        for taken in self.dosages:
            yield from self._clocks(
                observe(self.seen.protocol, before, Visit(visit.date, dosage_taken=taken))
            )

    def _clocks(self, bare: Observation) -> Iterator[date]:
        """Give the days on which a clock changes for a dose, with the doses that were missed and with others."""
        protocol, dose, last, start = (
            bare.protocol,
            bare.treatment.dose,
            bare.before.previous,
            bare.baseline,
        )
        if dose is None or last is None or start is None:
            return
        intervals, safety = protocol.intervals, protocol.safety
        yield safety.counts_early.value.after(dose.watched_from)
        yield intervals.trial.value.after(bare.treatment.responded_on or start.on)
        yield intervals.trial_at_level.value.after(dose.since)
        if bare.treatment.interrupted_on is not None:
            yield intervals.resumable.value.after(bare.treatment.interrupted_on)
        missed, dosage = self.visit.doses_missed or 0, self._dosage(bare.visit.dosage_taken)
        every = dosage.every_days if dosage else 0
        if missed and every:
            yield last.on + timedelta(days=(missed - 1) * every + 1)
        if bare.phase not in ON_TREATMENT:
            return
        # With no dosage to take or to miss, every day counts as missed: those up to this visit are taken off again.
        already = (
            dose.days_missed
            if every
            else bare.before.treatment.dose.days_missed
            if bare.before.treatment.dose
            else 0
        )
        end = _end(protocol, bare.phase, dose, 0)
        yield end
        yield _end(protocol, bare.phase, dose, already)
        yield _end(protocol, bare.phase, dose, already + missed * every)
        # The first day on which more doses can have been missed than their share of the interval.
        share = intervals.missed_share.value * (end - dose.interval_from).days
        more = max(0, int(share) - already) // (every or 1)
        yield last.on + timedelta(days=more * (every or 1) + 1)

    def _dosage(self, taken: DosageTaken | None) -> Dosage | None:
        """Give the dosage that doses missed are counted by: the one taken, else the one advised."""
        last = self.seen.before.previous
        return (taken.dosage if taken else None) or (
            last.advised.dosage if last and last.advised else None
        )

    # What they come to

    def _timings(self, bare: Observation) -> dict[Timing, Cost]:
        """Give the timings that doses missed can come to on a day, each with the nearest number of them."""
        here, last, dose = (
            self.visit.doses_missed or 0,
            self.seen.before.previous,
            bare.treatment.dose,
        )
        dosage = self._dosage(bare.visit.dosage_taken)
        most = doses_between(last.on, bare.visit.date, dosage) if last else 0

        def way(missed: int) -> Cost:
            return (
                AS_IT_IS
                if missed == here
                else change("doses_missed", missed, abs(missed - here), Feasibility.PAST)
            )

        if dose is None or dosage is None or bare.phase not in ON_TREATMENT:
            return {bare.facts.timing: way(min(here, most))}

        def is_not_due(missed: int) -> bool:
            missed = dose.days_missed + missed * dosage.every_days
            return bare.visit.date < _end(bare.protocol, bare.phase, dose, missed)

        # More doses missed never bring the end of an interval forward.
        due = bisect_left(range(most + 1), True, key=is_not_due)
        found = {}
        if due:
            found[Timing.DUE] = way(min(here, due - 1))
        if due <= most:
            found[Timing.BEFORE_DUE] = way(min(max(here, due), most))
        return found

    def _answers(self, bare: Observation, timing: Timing) -> dict[Action, Cost]:
        """Give the actions that follow from all that can be found on a day, each with the nearest findings."""
        dose, nadir, findings = (
            bare.treatment.dose,
            bare.treatment.nadir.activity if bare.treatment.nadir else None,
            self._findings(bare),
        )
        held = (
            (dose.level, dose.off_ladder is None)
            if dose and bare.baseline and bare.phase in TREATED
            else None
        )
        key = (bare.phase, held, nadir, bare.facts.trial, timing, findings)
        if key not in self._answered:
            self._answered[key] = self._answer(bare, timing, held, nadir, findings)
        return self._answered[key]

    def _answer(
        self,
        bare: Observation,
        timing: Timing,
        held: tuple[Level, bool] | None,
        nadir: int | None,
        findings: _Findings,
    ) -> dict[Action, Cost]:
        phase, trial, table = bare.phase, bare.facts.trial, bare.protocol.table

        def action(allowed: Allowed, response: Response) -> Action:
            safety, ceiling = allowed
            position = position_of(phase, *held, ceiling) if held else Position.NONE
            still = TherapeuticTrial.RUNNING if response in GAIN else trial
            return table.match(phase, response, safety, timing, still, position).rule.action

        return together(self._allowed(findings), self._responses(phase, nadir), action)

    def _responses(self, phase: Phase, nadir: int | None) -> dict[Response, Cost]:
        """Give the responses that a score and a judgement can come to, each with the nearest ones."""
        key = (phase, nadir)
        if key not in self._responded:
            criteria, start = self.seen.protocol.response, self.seen.before.baseline

            def response(activity: int | None, judgement: Judgement | None) -> Response:
                least = (
                    activity
                    if nadir is None
                    else nadir
                    if activity is None
                    else min(nadir, activity)
                )
                judged = judgement.response if judgement else None
                return criteria.of(
                    phase, activity, start.activity if start else None, least, judged
                )

            scores = dict(zip(self.scores, self._steps("clasi_activity", self.scores), strict=True))
            judged = dict(
                zip(self.judgements, self._steps("judgement", self.judgements), strict=True)
            )
            self._responded[key] = together(scores, judged, response)
        return self._responded[key]

    def _findings(self, bare: Observation) -> _Findings:
        """Tell what the results and tests of the visit, and those before it, still come to on a day."""
        visit, day, safety, protocol = (
            self.visit,
            bare.visit.date,
            bare.protocol.safety,
            bare.protocol,
        )
        measured = {each: getattr(visit, each) for each in _RESULTS}
        kept = {
            name: each
            for name, each in measured.items()
            if each and not (each.date and each.date > day)
        }
        listed = visit.pregnancy_tests
        tests = (
            None
            if listed is None
            else tuple(each for each in listed if not (each.date and each.date > day))
        )
        taken = bare.visit.dosage_taken
        shown = observe(
            protocol, bare.before, Visit(day, dosage_taken=taken, pregnancy_tests=tests, **kept)
        )
        stale, left_out = ({gap.field for gap in each.missing_fields} for each in (shown, bare))

        def allows(seen: Observation, name: str, gaps: set[str]) -> Allowed:
            known = _known(name, getattr(seen.findings, _RESULTS[name]))
            met = limits_met(safety, known)
            return safety_of(met, known.ongoing, name in gaps), ceiling_of(
                safety, bare.before.ceiling, met
            )

        before, negative = self.known.negative_tests, shown.findings.negative_tests
        first = _first_test(safety.first_test.value, day)
        # In the order of the tests that are looked at.
        known_then = (
            negative,
            _with(negative, day),
            _with(before, day),
            _with(before, first, day),
            before,
            before,
        )
        missing = tuple(
            tests_missing(
                safety, bare.patient, bare.phase, bare.baseline, Findings(negative_tests=each), day
            )
            is not None
            for each in known_then
        )
        ended = self.known.pregnancy_ended or date.min
        positive = [each.date or day for each in tests or () if each.result is TestResult.POSITIVE]
        return _Findings(
            tuple(
                (
                    allows(shown, name, stale) if name in kept or not measured[name] else None,
                    allows(bare, name, left_out),
                )
                for name in _RESULTS
            ),
            missing,
            first < visit.date,
            tests == listed,
            any(on >= ended for on in positive),
            any(on >= day for on in positive),
        )

    def _allowed(self, findings: _Findings) -> dict[Allowed, Cost]:
        """Give all that results, events and tests can come to together, each with the nearest ones."""
        if findings not in self._allowing:
            found = {(Safety.ACCEPTABLE, self.seen.before.ceiling): AS_IT_IS}
            for name, (as_it_is, left_out) in zip(_RESULTS, findings.results, strict=True):
                found = together(found, self._result(name, as_it_is, left_out), _lower)
            self._allowing[findings] = together(found, self._told(findings), _also)
        return self._allowing[findings]

    def _result(
        self, name: str, as_it_is: Allowed | None, left_out: Allowed
    ) -> dict[Allowed, Cost]:
        """Give what a result can allow, each with the nearest value."""
        safety, ceiling, quantity = (
            self.seen.protocol.safety,
            self.seen.before.ceiling,
            QUANTITIES[name],
        )
        best: dict[Allowed, Cost] = {}
        options = self.results[name]
        for number, (value, way) in enumerate(
            zip(options, self._steps(name, options), strict=True)
        ):
            if not number or value is None:
                allowed = left_out if number else as_it_is
            else:
                amount = value.value * quantity.factors[value.unit]
                known = _known(name, Result(amount, self.visit.date, value))
                met = limits_met(safety, known)
                allowed = safety_of(met, known.ongoing, False), ceiling_of(safety, ceiling, met)
            if allowed is not None:
                keep(best, allowed, way)
        return best

    def _told(self, findings: _Findings) -> dict[Safety, Cost]:
        """Give what events and tests can allow together, each with the nearest lists."""
        positive_test = self.seen.protocol.safety.positive_test.safety
        asked_for = any(gap.field == "pregnancy_tests" for gap in self.seen.missing_fields)
        tested: dict[_Tested, Cost] = {}
        for number, missing in enumerate(findings.tests_missing):
            past = number == _NO_TEST or (number == _PAIR and findings.first_test_is_past)
            means = (
                Feasibility.PAST if past else Feasibility.OBTAIN if asked_for else Feasibility.SHOWN
            )
            way = change("pregnancy_tests", number, number, means) if number else AS_IT_IS
            if number or findings.tests_known:
                positive = number == _POSITIVE or (not number and findings.positive)
                still = number == _POSITIVE or (not number and findings.positive_after_end)
                keep(tested, _Tested(missing, positive, still), way)

        def allows(listed: _Listed, tests: _Tested) -> Safety:
            positive = tests.positive_after_end if listed.ends_pregnancy else tests.positive
            known = listed.pregnant or positive
            found = worse_of(listed.safety, positive_test) if positive else listed.safety
            unknown = listed.unknown or (tests.missing and not known)
            return worse_of(found, Safety.NOT_ASSESSED) if unknown else found

        return together(self.listed, tested, allows)

    @cached_property
    def listed(self) -> dict[_Listed, Cost]:
        """What a list of events, or none, can come to, each with the nearest list."""
        safety, start = self.seen.protocol.safety, self.seen.before.baseline
        best: dict[_Listed, Cost] = {}
        for events, way in zip(self.lists, self._steps("adverse_events", self.lists), strict=True):
            visit = Visit(self.visit.date, adverse_events=events)
            ongoing = update_findings(
                safety, self.known, visit, start.neuropathy if start else None
            ).ongoing
            danger = any(each.is_danger and each.event for each in ongoing)
            come_to = _Listed(
                safety_of((), ongoing, False),
                events is None and not danger,
                any(each.name == PREGNANCY for each in ongoing),
                any(each.resolved and each.name == PREGNANCY for each in events or ()),
            )
            keep(best, come_to, way)
        return best


def _just_below(limit: Decimal) -> Decimal:
    """Give a readable amount a little below a limit: 0.9 below 1.0, 49 below 50."""
    return max(limit - (Decimal(1) if limit >= 10 else Decimal("0.1")), Decimal(0))


def _meeting(criterion: EventCriterion, neuropathy_at_start: int) -> Iterator[AdverseEvent]:
    """Give the least event under each of its terms that meets a criterion."""
    least = criterion.least_grade
    if criterion.above_start:
        least = max(least or GRADE[0], neuropathy_at_start + 1)
        if least > GRADE[1]:
            return
    for term in criterion.terms or ("nausea",):
        grade = least or (None if term in UNGRADED else GRADE[0])
        yield AdverseEvent(term, grade, None if grade is None else "5.0")


def _off_ladder(ladder: DoseLadder, held: Dosage) -> Iterator[DosageTaken]:
    """Give a dosage that is no level below the one held, and one above it."""
    step = Decimal("2.5")
    amounts = [Dosage(step * each) for each in range(1, int(MG[1] / step) + 1)]
    less = [each for each in amounts if each.daily_mg < held.daily_mg] or [
        Dosage(step, days) for days in range(2, EVERY_DAYS[1] + 1) if step / days < held.daily_mg
    ]
    for among in (reversed(less), (each for each in amounts if each.daily_mg > held.daily_mg)):
        found = next((each for each in among if ladder.level_of(each) is None), None)
        if found is not None:
            yield DosageTaken(found.mg, found.every_days)


def _first_test(window: tuple[Interval, Interval], day: date) -> date:
    """Give the last day on which a first pregnancy test is in time for a start on this day."""
    ages = (day - timedelta(days=age) for age in range(at_most_days(window[0]) + 1))
    return next((on for on in ages if window[0].after(on) <= day), day)


def _with(days: tuple[date, ...], *more: date) -> tuple[date, ...]:
    return tuple(sorted({*days, *more}))


def _known(name: str, result: Result | None) -> Findings:
    """Give what is known where nothing but one result is."""
    match name:
        case NEUTROPHILS.name:
            return Findings(neutrophils=result)
        case PLATELETS.name:
            return Findings(platelets=result)
        case _:
            return Findings(clearance=result)


def _end(protocol: Protocol, phase: Phase, dose: CurrentLevel, days_missed: int) -> date:
    """Give the day on which the interval would be over with so many days missed."""
    return interval_end(protocol, phase, evolve(dose, days_missed=days_missed))


def phases(decision: Decision) -> tuple[Phase, ...]:
    """Give the phases that a visit can be met in, whatever was taken since the one before."""
    search = _search(decision)
    day, protocol, before = decision.visit.date, decision.protocol, decision.seen.before
    found = {
        observe(protocol, before, Visit(day, dosage_taken=taken)).phase for taken in search.dosages
    }
    return tuple(phase for phase in Phase if phase in found)
