"""Every state in which a patient can be met, each with a shortest course of visits to it.

A place is what matters of a patient's past when the next visit begins; what a visit then shows is
one of a few kinds. Both are finite. The search is breadth first, and each of its steps is a real
step of the machine on a real visit: on the first and the last day on which a clock stands so, with
counts at the thresholds. So a place that is found comes with a course that leads there, and no
shorter one does.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property, partial

from attrs import evolve, field, frozen

from lenadose.engine.intake import supplied_until
from lenadose.engine.machine import Decision, apply, recommend
from lenadose.engine.observe import Observation, interval_end, interval_name, observe
from lenadose.engine.state import CurrentLevel, State, begin
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.rules import Case, Rule
from lenadose.protocol.safety import Lasts
from lenadose.record.course import doses_between
from lenadose.record.visit import DosageTaken, Visit
from lenadose.terms.dosage import Dosage
from lenadose.terms.facts import ON_TREATMENT, TREATED, Phase, TherapeuticTrial, Timing
from lenadose.terms.interval import Interval
from lenadose.verification.places import (
    ABSTRACT_VISITS,
    DAY0,
    PATIENT,
    AbstractDecision,
    AbstractState,
    AbstractVisit,
    Witness,
    abstract,
)
from lenadose.verification.scenarios import Scenarios, scenarios

_FOUR_WEEKS = timedelta(days=28)
STOPPED = "wish of the patient"

EmptyVisit = Callable[..., Visit]
"""A function that builds a visit from its day, the dosage taken and the doses missed."""


@frozen(eq=False)
class Step:
    """A decision on a visit of a witness, and the states that can follow, without repetition."""

    witness: Witness
    decision: Decision
    following: tuple[AbstractState, ...]


@frozen(eq=False, slots=False)
class StateSpace:
    """The reachable states of a protocol, with what can be shown and what can follow in each."""

    protocol: Protocol
    witnesses: dict[AbstractState, Witness]
    """Each place with the shortest course of visits to it, in the order of their length."""
    explored: tuple[Witness, ...]
    """Every witness the search went on from: the clocks of one state can stand in several ways."""
    steps: tuple[Step, ...] = field(repr=False)
    """The steps of the search, in order: one for each rule and what can follow it."""
    successors: dict[AbstractState, set[AbstractState]]
    """The places that can follow each place."""
    exits: frozenset[AbstractState]
    """The places from which one visit leads off treatment, or that are off treatment."""
    scenarios: Scenarios = field(repr=False)
    """The visits by which all of it can be shown."""

    @cached_property
    def decisions(self) -> dict[AbstractState, dict[AbstractVisit, AbstractDecision]]:
        """The decision on everything that can be shown in each state."""
        return {
            place: {
                showing: self.decide(place, showing)
                for showing in ABSTRACT_VISITS
                if self.scenarios.can_show(place, showing)
            }
            for place in self.witnesses
        }

    def decide(self, place: AbstractState, showing: AbstractVisit) -> AbstractDecision:
        """Return the decision in a state on what a visit shows."""
        return self.scenarios.decide(place, showing)

    def realize(self, witness: Witness, showing: AbstractVisit) -> Observation | None:
        """Return a visit that shows it, or None where no visit can."""
        return self.scenarios.realize(witness, showing)

    def meet_when_due(self, decision: Decision, witness: Witness) -> Witness:
        """Return the next meeting: on treatment when the interval is over, else the next visit."""
        state, day = apply(decision), decision.visit.date
        due = decision.next_visit.due if decision.next_visit else day + _FOUR_WEEKS
        if state.treatment.dose is not None and state.treatment.phase in ON_TREATMENT:
            due = max(
                interval_end(self.protocol, state.treatment.phase, state.treatment.dose),
                day + timedelta(days=1),
            )
        # Seen when due is also: taken as advised until then.
        visit = Visit(due, doses_missed=0 if decision.level else None)
        return abstract(observe(self.protocol, state, visit), witness, decision.visit)

    @cached_property
    def reached(self) -> dict[tuple[Rule, Case], AbstractDecision]:
        """The first decision for each case that is reached."""
        first: dict[tuple[str, int], AbstractDecision] = {}
        for decisions in self.decisions.values():
            for decision in decisions.values():
                key = (decision.match.rule.id, decision.match.rule.cases.index(decision.match.case))
                first.setdefault(key, decision)
        return {(decision.match.rule, decision.match.case): decision for decision in first.values()}


Progress = Callable[[int, int], None]
"""A callback for progress: the number of states looked at, and the number known so far."""


def reach(protocol: Protocol, progress: Progress | None = None) -> StateSpace:
    """Return every state that some course of visits leads to.

    *progress* is called after each one with the number looked at and the number known so far.
    """
    first = abstract(observe(protocol, begin(protocol, PATIENT), Visit(DAY0)))
    witnesses, successors = {first.place: first}, {first.place: set[AbstractState]()}
    exits: set[AbstractState] = set()
    visits = scenarios(protocol)
    empty = cache(Visit)  # the same days come again and again
    after: dict[tuple[object, ...], tuple[AbstractState, ...]] = {}
    steps: dict[tuple[str, tuple[object, ...]], Step] = {}
    known: set[tuple[object, ...]] = set()
    explored: list[Witness] = []
    queue = deque([first])
    while queue:
        witness = queue.popleft()
        explored.append(witness)
        for decision in decisions_at(visits, witness):
            state = apply(decision)
            if state.treatment.phase not in TREATED:
                exits.add(witness.place)
            key = clock_signature(protocol, state)
            if key not in after:
                places = []
                for last_day, day, alike in next_visits(protocol, decision, state, empty):
                    place = abstract(alike).place
                    places.append(place)
                    kind = (place, last_day, _outlasts_trial(alike))
                    if kind not in known:
                        known.add(kind)
                        seen = observe(protocol, state, evolve(alike.visit, date=day))
                        upcoming = abstract(seen, witness, decision.visit)
                        witnesses.setdefault(place, upcoming)
                        successors.setdefault(place, set())
                        queue.append(upcoming)
                after[key] = tuple(dict.fromkeys(places))
            if (decision.rule.id, key) not in steps:
                steps[decision.rule.id, key] = Step(witness, decision, after[key])
            successors[witness.place].update(after[key])
        if progress is not None:
            progress(len(explored), len(explored) + len(queue))
    return StateSpace(
        protocol,
        witnesses,
        tuple(explored),
        tuple(steps.values()),
        successors,
        frozenset(exits),
        visits,
    )


def decisions_at(scenarios: Scenarios, witness: Witness) -> Iterator[Decision]:
    """Yield one real decision for each row and each kind of effect it can have in a state."""
    done = set()
    for showing, effect in scenarios.effects(witness.place):
        if effect not in done:
            seen = scenarios.realize(witness, showing)
            if seen is not None:
                done.add(effect)
                yield recommend(seen)


def clock_signature(protocol: Protocol, state: State) -> tuple[object, ...]:
    """Return what decides where the patient can be met next: the dose and the clocks.

    The clocks count in days from the last visit.
    """
    last, dose = state.previous, state.treatment.dose
    assert last is not None
    for_good = frozenset(
        event.criterion.safety
        for event in state.findings.ongoing
        if event.criterion.lasts is Lasts.FOR_GOOD
    )
    key: tuple[object, ...] = (
        state.treatment.phase,
        state.ceiling,
        for_good,
        last.handed_over,
    )
    if dose is None or state.baseline is None or state.treatment.phase not in TREATED:
        return key
    held, gain = last.came_with.dose or dose, state.treatment.responded_on or state.baseline.on
    soon = last.on + timedelta(days=1)

    def order(phase: Phase, dose: CurrentLevel, interrupted_on: date | None) -> tuple[bool, ...]:
        # Which of the two clocks changes first, and whether it can still be seen before
        # it does: no more is needed.
        trial = _trial_end(protocol, dose, gain)
        if phase is Phase.INTERRUPTED:
            changes = _too_long(protocol, interrupted_on or last.on)
            # The prescriber may have resumed it, as of the last visit.
            resumed = protocol.intervals.first_assessment.value.after(last.on)
            return (
                trial > soon,
                changes > soon,
                trial > changes,
                trial < changes,
                last.handed_over and trial > resumed,
            )
        changes = interval_end(protocol, phase, dose)
        every_days = dict.fromkeys((1, dose.level.dosage.every_days))
        lengthened = (
            trial > _lengthened_from(protocol, phase, dose, last.on, days) for days in every_days
        )
        return (
            trial > soon,
            changes > soon,
            trial > changes,
            trial < changes,
            changes > last.on,
            _end_if_lengthened(protocol, phase, dose) > last.on,
            *lengthened,
            state.treatment.no_drug_since is None,
            *(trial > day for day in gap_days(protocol, state)),
            *(day > soon for day in gap_days(protocol, state)),
        )

    as_advised = order(state.treatment.phase, dose, state.treatment.interrupted_on)
    if state.treatment.phase is Phase.INTERRUPTED:
        return (*key, dose.level, held.level, as_advised)
    # Off the ladder, or with nothing taken, the clocks of the dose that was held before run on.
    not_followed = (
        order(state.treatment.phase, held, None),
        order(
            Phase.INTERRUPTED,
            held,
            last.came_with.interrupted_on or last.came_with.no_drug_since,
        ),
    )
    return (*key, dose.level, dose.off_ladder, held.level, last.advised, as_advised, not_followed)


def _trial_end(protocol: Protocol, dose: CurrentLevel, last_gain: date) -> date:
    """Return the day from which the trial of therapy is exhausted, unless there is a response."""
    intervals = protocol.intervals
    return max(
        intervals.trial.value.after(last_gain), intervals.trial_at_level.value.after(dose.since)
    )


def _outlasts_trial(seen: Observation) -> bool:
    """Return whether the interval that runs ends only after the trial of therapy."""
    if seen.due_on is None or seen.treatment.dose is None or seen.baseline is None:
        return False
    return seen.due_on > _trial_end(
        seen.protocol, seen.treatment.dose, seen.treatment.responded_on or seen.baseline.on
    )


def _lengthened_from(
    protocol: Protocol, phase: Phase, dose: CurrentLevel, last: date, every_days: int
) -> date:
    """Return the first day of a dose on which the interval is lengthened if none was taken."""
    share = protocol.intervals.missed_share.value
    length = (_unlengthened_end(protocol, phase, dose) - dose.interval_from).days
    return _day_of_a_dose(last, int(share * length) + 1 - dose.days_missed, every_days)


def _end_if_lengthened(protocol: Protocol, phase: Phase, dose: CurrentLevel) -> date:
    """Return the day on which the interval is over once the days missed so far count."""
    return _unlengthened_end(protocol, phase, dose) + timedelta(days=dose.days_missed)


def _unlengthened_end(protocol: Protocol, phase: Phase, dose: CurrentLevel) -> date:
    """Return the day on which the interval is over if no days were missed."""
    interval: Interval = getattr(protocol.intervals, interval_name(phase, dose)).value
    return interval.after(dose.interval_from)


def _day_of_a_dose(last: date, days: int, every_days: int) -> date:
    """Return the first day at least *days* after *last* that is a whole number of doses later."""
    return last + timedelta(days=max(1, -(-days // every_days)) * every_days)


def _too_long(protocol: Protocol, interrupted_on: date) -> date:
    """Return the day from which an interruption is too long to be simply resumed."""
    return protocol.intervals.resumable.value.after(interrupted_on) + timedelta(days=1)


def next_visits(
    protocol: Protocol, decision: Decision, state: State, empty: EmptyVisit = Visit
) -> Iterator[tuple[bool, date, Observation]]:
    """Yield the empty next visit for all that can be taken, on each day a clock changes.

    Each comes as whether the next day is one of them too, its day, and an observation that differs
    from the one of that day in its date at most.
    """
    last = decision.visit.date
    if state.treatment.phase not in TREATED:
        due = decision.next_visit.due if decision.next_visit else last + _FOUR_WEEKS
        yield False, due, observe(protocol, state, Visit(due))
        return
    tomorrow = last + timedelta(days=1)
    gaps = tuple(day_and_next(gap_days(protocol, state)))
    for taken in what_can_be_taken(protocol, decision, state):
        ahead = DaysAhead(protocol, state, tomorrow, taken, empty=empty)
        days = {tomorrow, *boundary_days(ahead.first), *(() if taken else gaps)}
        for day in sorted(day for day in days if day > last):
            yield day + timedelta(days=1) in days, day, ahead.seen_on(day)
        for seen in _with_doses_missed(ahead.first, state, taken):
            yield False, seen.visit.date, seen
    if state.treatment.phase in ON_TREATMENT and decision.level:
        # Beyond what was supplied, drug was taken only if the visit says so.
        ahead = DaysAhead(protocol, state, tomorrow, None, 0, empty)
        for day in sorted(day for day in boundary_days(ahead.first) if day > gaps[0]):
            yield False, day, ahead.seen_on(day)
    yield False, tomorrow, observe(protocol, state, Visit(tomorrow, stopped=STOPPED))


class DaysAhead:
    """The days after a visit, up to the next one: what an empty visit on each of them shows."""

    def __init__(
        self,
        protocol: Protocol,
        state: State,
        tomorrow: date,
        taken: DosageTaken | None,
        missed: int | None = None,
        empty: EmptyVisit = Visit,
    ) -> None:
        self.protocol, self.state = protocol, state
        self.first = observe(protocol, state, empty(tomorrow, dosage_taken=taken))
        self._visit_on = partial(empty, dosage_taken=taken, doses_missed=missed)
        # With no drug to take and nothing said to be taken, each further day is a day missed;
        # in all other cases nothing changes between two changes of a clock.
        assert state.previous is not None
        self._steady_until = supplied_until(protocol, state.previous)
        if taken or missed is not None:
            self._steady_until = state.previous.on if missed else date.max
        self._changes = {tomorrow, *change_days(self.first)}
        self._seen = {tomorrow: self.first} if missed is None else {}

    def seen_on(self, day: date) -> Observation:
        """Return what a visit shows that is like one on this day, but for its date."""
        if day <= self._steady_until:
            day = max(change for change in self._changes if change <= day)
        if day not in self._seen:
            self._seen[day] = observe(self.protocol, self.state, self._visit_on(day))
        return self._seen[day]


def _with_doses_missed(
    seen: Observation, state: State, taken: DosageTaken | None
) -> Iterator[Observation]:
    """Yield the next visits with all doses missed: the interval is then not over for long."""
    protocol, last, dose, start = seen.protocol, state.previous, seen.treatment.dose, seen.baseline
    assert last is not None
    advised = last.advised.dosage if last.advised else None
    dosage = taken.dosage if taken else advised
    if dosage is None or seen.due_on is None or dose is None or start is None:
        return
    lengthened = _lengthened_from(protocol, seen.phase, dose, last.on, dosage.every_days)
    exhausted = _trial_end(protocol, dose, seen.treatment.responded_on or start.on)
    later = _day_of_a_dose(last.on, (max(lengthened, exhausted) - last.on).days, dosage.every_days)
    # Where the interval is not over tomorrow, and the trial still runs, nothing is gained by
    # making it longer so far.
    same = (
        seen.facts.timing is Timing.BEFORE_DUE
        and seen.facts.trial is TherapeuticTrial.RUNNING
        and lengthened < exhausted
    )
    for day in dict.fromkeys((later,) if same else (lengthened, later)):
        missed = doses_between(last.on, day, dosage)
        yield observe(protocol, state, Visit(day, dosage_taken=taken, doses_missed=missed))


def boundary_days(seen: Observation) -> Iterator[date]:
    """Yield the last day before each clock changes, and the day on which it does."""
    for day in change_days(seen):
        yield day - timedelta(days=1)
        yield day


def gap_days(protocol: Protocol, state: State) -> tuple[date, ...]:
    """Return the last day with drug to take, with a gap, and of an interruption to be resumed.

    As they are if the visits after the last one do not say what was taken.
    """
    if state.previous is None or state.treatment.phase not in ON_TREATMENT:
        return ()
    until, intervals = supplied_until(protocol, state.previous), protocol.intervals
    since = state.treatment.no_drug_since or until
    return (until, intervals.longest_gap.value.after(since), intervals.resumable.value.after(since))


def day_and_next(days: Iterable[date]) -> Iterator[date]:
    """Yield each day and the one after it."""
    for day in days:
        yield day
        yield day + timedelta(days=1)


def change_days(seen: Observation) -> Iterator[date]:
    """Yield the day on which each clock changes."""
    dose, baseline = seen.treatment.dose, seen.baseline
    if dose is None or baseline is None:
        return
    yield _trial_end(seen.protocol, dose, seen.treatment.responded_on or baseline.on)
    if seen.due_on is not None:
        yield seen.due_on
    if seen.treatment.interrupted_on is not None:
        yield _too_long(seen.protocol, seen.treatment.interrupted_on)


def what_can_be_taken(
    protocol: Protocol, decision: Decision, state: State
) -> Iterator[DosageTaken | None]:
    """Yield what can be taken after a visit: the dosage advised, another level, none, nothing."""
    yield None
    if state.treatment.phase is Phase.INTERRUPTED and not (
        state.previous and state.previous.handed_over
    ):
        return
    for level in protocol.ladder.levels:
        if level != decision.level:
            yield DosageTaken(level.dosage.mg, level.dosage.every_days)
    if state.treatment.phase is not Phase.INTERRUPTED:
        off = Decimal("7.5")
        while protocol.ladder.level_of(Dosage(off)) is not None:
            off += Decimal("2.5")
        yield DosageTaken(off, 1)
        yield DosageTaken(Decimal(0))
