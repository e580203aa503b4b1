"""The values that each field of a visit could have had, the cheapest of those that do the same."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain, combinations
from types import MappingProxyType

from attrs import evolve, frozen

from lenadose.engine.machine import Decision
from lenadose.engine.observe import Observation, interval_end, observe, safety_of
from lenadose.engine.state import update_findings
from lenadose.explanation.change_cost import Feasibility, change_cost
from lenadose.explanation.criteria_met import drug_until
from lenadose.protocol.safety import EventCriterion
from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.record.course import doses_between
from lenadose.record.event_terms import (
    EXAMPLE_TERM,
    PREGNANCY,
    RESOLVABLE,
    SENSORY_NEUROPATHY,
    UNGRADED,
)
from lenadose.record.fields import YEARS
from lenadose.record.measurement import Measurement, measured_in
from lenadose.record.visit import (
    ACTIVITY,
    DosageTaken,
    JudgedResponse,
    Judgement,
    PregnancyTest,
    TestResult,
    Visit,
)
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, DoseLadder
from lenadose.terms.errors import CallError
from lenadose.terms.facts import ON_TREATMENT
from lenadose.terms.interval import Interval, at_most_days
from lenadose.terms.units import QUANTITIES

FieldValue = (
    date
    | int
    | Measurement
    | tuple[Measurement, ...]
    | tuple[PregnancyTest, ...]
    | tuple[AdverseEvent, ...]
    | DosageTaken
    | Judgement
    | None
)
"""A value of a field of a visit; None where it is left out."""

HORIZON = timedelta(days=366)
"""How far from the visit other dates are looked at."""

_EDITION = "5.0"
HIGHEST_GRADES = MappingProxyType(
    {
        SENSORY_NEUROPATHY: 4,
        "alanine aminotransferase increased": 4,
        "aspartate aminotransferase increased": 4,
        "blood bilirubin increased": 4,
    }
)
"""The known terms that CTCAE 5.0 has in fewer than five grades, each with its highest."""

_DAY = timedelta(days=1)
_NEGATIVE, _POSITIVE = PregnancyTest(TestResult.NEGATIVE), PregnancyTest(TestResult.POSITIVE)


@frozen
class Option:
    """Another value for a field of the visit, how it can come about, and its cost."""

    field: str
    value: FieldValue
    means: Feasibility
    cost: int


@frozen(slots=False)
class Options:
    """The options of each field of the visit of a decision, cheapest first."""

    decision: Decision

    @property
    def seen(self) -> Observation:
        """The visit that was decided on."""
        return self.decision.seen

    @property
    def visit(self) -> Visit:
        """The visit that was decided on."""
        return self.decision.seen.visit

    def observe(self, options: Iterable[Option]) -> Observation | None:
        """Return what the visit with some options shows, None if there can be no such visit."""
        values = {option.field: option.value for option in options}
        try:
            # Fields by their names: the visit checks each value, the type checker cannot.
            visit = evolve(self.visit, **values)  # type: ignore[arg-type]
            return observe(self.seen.protocol, self.seen.before, visit)
        except CallError:
            return None

    def _make(self, name: str, values: Iterable[FieldValue]) -> tuple[Option, ...]:
        """Return the options for values in the order of their nearness."""
        here = getattr(self.visit, name)
        options = (
            self._option(name, value, distance)
            for distance, value in enumerate(values, 1)
            if value != here
        )
        return tuple(sorted(options, key=lambda option: option.cost))

    def _option(
        self, name: str, value: FieldValue, distance: int, means: Feasibility | None = None
    ) -> Option:
        means = means or self._means(name, value)
        return Option(name, value, means, change_cost(name, distance, means))

    def _means(self, name: str, value: FieldValue) -> Feasibility:
        if name in ("doses_missed", "dosage_taken") or value is None:
            return Feasibility.PAST
        if name == "judgement":
            return Feasibility.JUDGE
        if name == "pregnancy_tests" and isinstance(value, tuple):
            recorded = self.visit.pregnancy_tests or ()
            for test in value:
                day = getattr(test, "date", None)
                if day and day < self.visit.date and test not in recorded:
                    return Feasibility.PAST
        if any(missing.field == name for missing in self.seen.missing_fields):
            return Feasibility.OBTAIN
        return Feasibility.SHOWN

    @cached_property
    def fields(self) -> dict[str, tuple[Option, ...]]:
        """The options of every field."""
        return {name: tuple(options) for name, options in self.streams().items()}

    def streams(self) -> dict[str, Iterator[Option]]:
        """Return the options of every field, each worked out when it is asked for."""
        return {
            "date": iter(self.dates(self.days)),
            "clasi_activity": self._scores(),
            **{name: iter(self._make(name, self._results(name))) for name in QUANTITIES},
            "adverse_events": self._events(),
            "pregnancy_tests": iter(self.tests(self.visit.date)),
            "judgement": iter(self._judgements()),
            "doses_missed": iter(self.missed(())),
            "dosage_taken": iter(self.dosages),
        }

    @cached_property
    def dosages(self) -> tuple[Option, ...]:
        """Dosages taken, where they matter: not reported, each level, nothing, off the ladder."""
        before, ladder = self.seen.before, self.seen.protocol.ladder
        dose, previous = before.treatment.dose, before.previous
        if previous is None or dose is None:
            return ()
        if before.treatment.phase not in ON_TREATMENT and not previous.handed_over:
            return ()
        held = previous.came_with.dose or dose
        levels = [DosageTaken(each.dosage.mg, each.dosage.every_days) for each in ladder.levels]
        off_ladder = _off_ladder(ladder, held.off_ladder or held.level.dosage)
        return self._make("dosage_taken", (None, *levels, DosageTaken(Decimal(0)), *off_ladder))

    @cached_property
    def intakes(self) -> tuple[Observation, ...]:
        """The visit as it is, and with each dosage that could have been taken instead.

        Silence about the doses, and a word on them, tell days without drug from others.
        """
        recorded = self.visit.doses_missed
        words = tuple(self._option("doses_missed", said, 0) for said in {None, 0} - {recorded})
        others = (self.observe([option]) for option in (*self.dosages, *words))
        return self.seen, *(seen for seen in others if seen)

    def _scores(self) -> Iterator[Option]:
        before, criteria = self.seen.before, self.seen.protocol.response
        start = before.baseline.activity if before.baseline else None
        known = (
            self.visit.clasi_activity,
            before.previous.activity if before.previous else None,
            start,
            ACTIVITY[0],
        )
        near = next(score for score in known if score is not None)
        scores = sorted(
            range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda score: (abs(score - near), score)
        )
        # The lowest score before the visit, and the phase, depend on what was taken.
        contexts = {(seen.phase, self.nadir_before(seen)) for seen in self.intakes}

        def effect(option: Option) -> Hashable:
            score = option.value
            if not isinstance(score, int):
                return None
            return tuple(
                criteria.of(phase, score, start, nadir, judged)
                for phase, nadir in contexts
                for judged in (None, JudgedResponse.IMPROVED)
            )

        return _cheapest(self._make("clasi_activity", (*scores, None)), effect)

    def nadir_before(self, seen: Observation) -> int | None:
        """Return the lowest activity before a visit, after what was taken."""
        unscored = evolve(seen.visit, clasi_activity=None)
        nadir = observe(seen.protocol, seen.before, unscored).treatment.nadir
        return nadir.activity if nadir else None

    def _results(self, name: str) -> tuple[FieldValue, ...]:
        """Return a result of the day of the visit in each band between two limits, and none."""
        quantity, limits = QUANTITIES[name], self.seen.protocol.safety.limits_of(name)
        recorded = self.visit.results(name)
        findings = self.seen.findings
        newest = {
            "neutrophils": findings.neutrophils,
            "platelets": findings.platelets,
            "creatinine_clearance": findings.creatinine_clearance,
        }[name]
        unit = recorded[-1].given.unit if recorded else quantity.unit
        near = newest.amount if newest else limits[1]
        amounts = {Decimal(0), quantity.largest, *limits, *map(_just_below, limits)}
        nearest: dict[int, Decimal] = {}
        for amount in sorted(amounts, key=lambda amount: (abs(amount - near), amount)):
            if amount <= quantity.largest:
                nearest.setdefault(sum(amount >= limit for limit in limits), amount)
        return (*(measured_in(quantity, amount, unit) for amount in nearest.values()), None)

    def _events(self) -> Iterator[Option]:
        """Yield no events, one for each criterion, each with events resolved; not asked about."""
        safety, before = self.seen.protocol.safety, self.seen.before
        neuropathy = before.baseline.neuropathy if before.baseline else None
        # An event that any term could name comes first: it is the plainer example.
        criteria = sorted(safety.events, key=lambda criterion: bool(criterion.terms))
        events = [event for each in criteria for event in _meeting(each, neuropathy or 0)]
        ongoing = {event.name for event in before.findings.ongoing}
        unresolved = [name for name in RESOLVABLE if name in ongoing]
        lists: list[FieldValue] = []
        for names in chain.from_iterable(
            combinations(unresolved, size) for size in range(len(unresolved) + 1)
        ):
            resolved = tuple(AdverseEvent(name, resolved=True) for name in names)
            lists += (resolved, *((*resolved, each) for each in events if each.name not in names))

        def effect(option: Option) -> Hashable:
            # An option of this field holds events, which the type checker cannot know.
            visit = Visit(self.visit.date, adverse_events=option.value)  # type: ignore[arg-type]
            after = update_findings(safety, before.findings, visit, neuropathy)
            return (
                option.value is None,
                safety_of((), after.ongoing, unknown=False),
                any(event.name == PREGNANCY for event in after.ongoing),
                after.pregnancy_ended,
                after.tests_count_from,
            )

        return _cheapest(self._make("adverse_events", (*lists, None)), effect)

    def tests(self, day: date) -> tuple[Option, ...]:
        """Return a negative test: beside the others, alone, after one in time; a positive; none."""
        recorded = self.visit.pregnancy_tests or ()
        beside = tuple(
            test
            for test in recorded
            if test.result is TestResult.NEGATIVE and not (test.date and test.date > day)
        )
        window = self.seen.protocol.safety.first_test.value
        first = PregnancyTest(TestResult.NEGATIVE, _first_test(window, day))
        negative = ((*beside, _NEGATIVE), (_NEGATIVE,), (first, _NEGATIVE))
        return self._make("pregnancy_tests", (*dict.fromkeys(negative), (_POSITIVE,), None))

    def without_later(self, day: date) -> tuple[Option, ...]:
        """Return the options that leave out the results and tests of days after *day*."""
        visit = self.visit
        tests = visit.pregnancy_tests or ()
        made = tuple(test for test in tests if not (test.date and test.date > day))
        left_out: list[tuple[str, FieldValue]] = (
            [("pregnancy_tests", made)] if made != tests else []
        )
        for name in QUANTITIES:
            results = visit.results(name)
            earlier = tuple(each.given for each in results if (each.given.date or day) <= day)
            if len(earlier) < len(results):
                left_out.append((name, earlier or None))
        return tuple(self._option(name, value, 0, Feasibility.PAST) for name, value in left_out)

    def _judgements(self) -> tuple[Option, ...]:
        recorded = self.visit.judgement
        others = (
            Judgement(response, "judged at the visit")
            for response in JudgedResponse
            if recorded is None or response is not recorded.response
        )
        return self._make("judgement", (*others, None))

    def missed(self, options: Iterable[Option]) -> tuple[Option, ...]:
        """Return the nearest numbers of doses missed for each timing, beside other options."""
        silent, told = (
            self.observe((*options, self._option("doses_missed", said, 0))) for said in (None, 0)
        )
        if silent is None or told is None or told.before.previous is None:
            return ()
        recorded, day = self.visit.doses_missed, told.visit.date
        here = recorded or 0
        dosage, dose, phase = self._dosage(told), told.treatment.dose, told.phase
        most = doses_between(told.before.previous.on, day, dosage)
        numbers = {min(here, most)}
        if dose and dosage and phase in ON_TREATMENT:

            def is_not_due(number: int) -> bool:
                missed = evolve(dose, days_missed=dose.days_missed + number * dosage.every_days)
                return day < interval_end(told.protocol, phase, missed)

            # More doses missed never bring the end of an interval forward.
            first = bisect_left(range(most + 1), True, key=is_not_due)
            numbers = {min(here, first - 1)} if first else set()
            if first <= most:
                numbers.add(min(max(here, first), most))
        nearest = sorted(numbers, key=lambda number: abs(number - here))
        options = [self._option("doses_missed", number, abs(number - here)) for number in nearest]
        if recorded is not None:
            options.append(self._option("doses_missed", None, most + 1))
        # Of a visit that lies within the supply, silence means that no dose was missed.
        same = {
            recorded,
            *((None, 0) if not recorded and silent.treatment == told.treatment else ()),
        }
        return tuple(option for option in options if option.value not in same)

    def _dosage(self, seen: Observation) -> Dosage | None:
        """Return the dosage by which missed doses are counted: the one taken, else advised."""
        taken, previous = seen.visit.dosage_taken, seen.before.previous
        advised = previous.advised.dosage if previous and previous.advised else None
        return (taken.dosage if taken else None) or advised

    def dates(self, days: Iterable[date]) -> tuple[Option, ...]:
        """Return the options to move the visit to some days."""
        here, previous, next_visit = (
            self.visit.date,
            self.seen.before.previous,
            self.decision.next_visit,
        )
        until = drug_until(self.seen)
        earliest = max(here - HORIZON, date(YEARS[0], 1, 1))
        if previous:
            earliest = max(earliest, previous.on + _DAY)
        latest = min(here + HORIZON, date(YEARS[1], 12, 31))
        options = []
        for day in days:
            if earliest <= day <= latest and day != here:
                beyond = next_visit is not None and day > next_visit.latest
                runs_out = until is not None and here <= until < day
                means = Feasibility.WAIT if day > here else Feasibility.PAST
                cost = change_cost("date", abs(day - here).days, means, beyond or runs_out)
                options.append(Option("date", day, means, cost))
        return tuple(sorted(options, key=lambda option: option.cost))

    @cached_property
    def days(self) -> frozenset[date]:
        """The days on which a clock changes, whatever was taken, with the days beside them."""
        return frozenset().union(*map(self.turning_days, self.intakes))

    def turning_days(self, seen: Observation) -> frozenset[date]:
        """Return the days on which a clock changes after an intake, with the days beside them."""
        days = set(self._clocks(seen)) | self._ages
        return frozenset(day + beside for day in days for beside in (-_DAY, timedelta(0), _DAY))

    @cached_property
    def _ages(self) -> set[date]:
        """The days on which a result or a test is made, or becomes too old."""
        visit, known, safety = self.visit, self.seen.before.findings, self.seen.protocol.safety
        counts = (known.neutrophils, known.platelets, *visit.counted[:2])
        clearances = (known.creatinine_clearance, visit.counted[2])
        tests = {*known.negative_tests, *(day for day, _ in visit.tests)}
        test_ages = (
            *safety.first_test.value,
            safety.second_test_age.value,
            safety.test_age_early.value,
            safety.test_age.value,
            safety.test_age_irregular.value,
        )
        count_days = {result.on for result in counts if result}
        clearance_days = {result.on for result in clearances if result}
        test_days = {day for day in tests if abs(visit.date - day) <= 2 * HORIZON}
        days = count_days | clearance_days | test_days
        for since, ages in (
            (count_days, (safety.counts_age_early.value, safety.counts_age.value)),
            (clearance_days, (safety.clearance_age.value,)),
            (test_days, test_ages),
        ):
            days = days | {age.after(day) for day in since for age in ages}
        return days

    def _clocks(self, seen: Observation) -> Iterator[date]:
        protocol, dose, start = seen.protocol, seen.treatment.dose, seen.baseline
        previous = seen.before.previous
        if dose is None or previous is None or start is None:
            return
        intervals, treatment, phase = protocol.intervals, seen.treatment, seen.phase
        yield protocol.safety.tests_early.value.after(dose.tests_from)
        yield protocol.safety.counts_early.value.after(dose.watched_from)
        # What this visit itself gains may be changed.
        for responded_on in (treatment.responded_on, seen.before.treatment.responded_on):
            yield intervals.trial.value.after(responded_on or start.on)
        yield intervals.trial_at_level.value.after(dose.since)
        until, off = drug_until(seen), treatment.no_drug_since
        if until is not None:
            off = seen.before.treatment.no_drug_since or until
            yield until
            yield intervals.longest_gap.value.after(off)
        if treatment.interrupted_on is not None:
            yield intervals.resumable.value.after(treatment.interrupted_on)
        if off is not None:
            yield intervals.resumable.value.after(off)
            yield protocol.safety.tests_anew_after.value.after(off)
        missed, dosage = self.visit.doses_missed or 0, self._dosage(seen)
        every = dosage.every_days if dosage else 1
        if missed:
            yield previous.on + timedelta(days=(missed - 1) * every + 1)
        already = max(0, dose.days_missed - (seen.visit.doses_missed or 0) * every)
        if until is not None and seen.before.treatment.dose is not None:
            # As long as there was drug to take, treatment went on.
            phase, dose = seen.before.treatment.phase, seen.before.treatment.dose
            already = dose.days_missed
        if phase not in ON_TREATMENT:
            return
        for days_missed in (0, already, already + missed * every):
            yield interval_end(protocol, phase, evolve(dose, days_missed=days_missed))
        # The first day on which more can have been missed than their share of the interval.
        end = interval_end(protocol, phase, evolve(dose, days_missed=0))
        share = intervals.missed_share.value * (end - dose.interval_from).days
        number = max(0, int(share) - already)
        yield previous.on + timedelta(days=number // every * every + 1)
        if until is not None:
            yield until + timedelta(days=number + 1)


def _cheapest(options: Iterable[Option], effect: Callable[[Option], Hashable]) -> Iterator[Option]:
    """Yield the cheapest of the options that have the same effect; they come cheapest first."""
    effects: set[Hashable] = set()
    for option in options:
        if (shown := effect(option)) not in effects:
            effects.add(shown)
            yield option


def _just_below(limit: Decimal) -> Decimal:
    """Return a readable amount a little below a limit: 0.9 below 1.0, 49 below 50."""
    return max(limit - (Decimal(1) if limit >= 10 else Decimal("0.1")), Decimal(0))


def _meeting(criterion: EventCriterion, neuropathy_at_start: int) -> Iterator[AdverseEvent]:
    """Yield the least event under each of its terms that meets a criterion."""
    least = criterion.least_grade
    if criterion.above_start:
        least = max(least or GRADE[0], neuropathy_at_start + 1)
    for term in criterion.terms or (EXAMPLE_TERM,):
        grade = least or (None if term in UNGRADED else GRADE[0])
        if grade is None or grade <= HIGHEST_GRADES.get(term, GRADE[1]):
            yield AdverseEvent(term, grade, None if grade is None else _EDITION)


def _off_ladder(ladder: DoseLadder, held: Dosage) -> Iterator[DosageTaken]:
    """Yield a dosage off the ladder below the one held, and one above it."""
    step = Decimal("2.5")
    amounts = [Dosage(step * count) for count in range(1, int(MG[1] / step) + 1)]
    less = [dosage for dosage in reversed(amounts) if dosage.daily_mg < held.daily_mg] or [
        Dosage(step, days) for days in range(2, EVERY_DAYS[1] + 1) if step / days < held.daily_mg
    ]
    more = [dosage for dosage in amounts if dosage.daily_mg > held.daily_mg]
    for dosages in (less, more):
        dosage = next((each for each in dosages if ladder.level_of(each) is None), None)
        if dosage is not None:
            yield DosageTaken(dosage.mg, dosage.every_days)


def _first_test(window: tuple[Interval, Interval], day: date) -> date:
    """Return the last day on which a first pregnancy test is in time for a start on this day."""
    days = (day - timedelta(days=age) for age in range(at_most_days(window[0]) + 1))
    return next((on for on in days if window[0].after(on) <= day), day)
