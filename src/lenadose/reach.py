"""Every place in which a patient can be met, each with a shortest course of visits that leads there.

A place is what matters of a patient's past when the next visit begins; what a visit then shows is one of a few kinds.
Both are finite. The search is breadth first, and each of its steps is a real step of the machine on a real visit: on
the first and the last day on which a clock stands so, with counts at the thresholds. So a place that is found comes
with a course that leads there, and no shorter one does.
"""

from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import product

from attrs import field, frozen

from .course import (
    ACTIVITY,
    CTCAE_EDITIONS,
    RESOLVABLE,
    UNGRADED,
    AdverseEvent,
    Course,
    DosageTaken,
    Judgement,
    Measurement,
    Patient,
    PregnancyTest,
    TestResult,
    Visit,
    doses_between,
)
from .criteria import JUDGED, EventCriterion, Lasts
from .dosing import Dosage, Level, lower
from .intervals import Interval
from .machine import Decision, apply, harm_in, level_after, phase_after_advice, recommend
from .observation import Observation, graver, interval_end, interval_name, observe, position_of
from .protocol import Protocol
from .rules import Case, Match, Rule
from .state import Dose, State, begin
from .vocabulary import ON_TREATMENT, Action, Phase, Position, Response, Safety, Timing, Trial, situation_number

DAY0 = date(2026, 1, 5)
PATIENT = Patient("counterexample", age=40, able_to_become_pregnant=True, regular_cycles=True)
"""The patient of every course that is made here; what she is changes no fact but the pregnancy tests asked for."""

TREATED = frozenset({Phase.TITRATION, Phase.TAPER, Phase.INTERRUPTED})
GAIN = frozenset({Response.COMPLETE, Response.PARTIAL})
_FOUR_WEEKS = timedelta(days=28)


@frozen(cache_hash=True)
class Place:
    """Where a patient stands when the next visit begins.

    `level` is the one held (in an interruption the one before), `ceiling` the highest that harm has left, `standing`
    the gravest of the events that count for good. `trial` is how it stands unless the visit shows a response.
    """

    phase: Phase
    level: Level | None
    on_ladder: bool
    ceiling: Level | None
    standing: Safety
    timing: Timing
    trial: Trial


@frozen(cache_hash=True)
class Showing:
    """What a visit shows: the response, safety, whether clearance lowers the ceiling, and whether it leaves a mark.

    A danger leaves a mark when it counts for good, or when it is a harm that lowers the ceiling for good.
    """

    response: Response
    safety: Safety
    lowered: bool = False
    mark: bool = False


_DANGER = (Safety.STOP, Safety.INTERRUPT)
# Before a start only a judgement can show partial or worse: what a score alone can show comes first.
_PLAIN_FIRST = (Response.NONE, Response.PARTIAL, Response.COMPLETE, Response.WORSE, Response.NOT_ASSESSED)
SHOWINGS = tuple(
    Showing(response, safety, lowered, mark)
    for response, safety, lowered in product(_PLAIN_FIRST, reversed(Safety), (False, True))
    for mark in ((False, True) if safety in _DANGER else (False,))
)
"""All that a visit can show, what is plain and well before what is not."""


@frozen
class Answer:
    """What the table says in a place to what a visit shows."""

    place: "Place"
    showing: Showing
    match: Match
    ceiling: Level | None
    level: Level | None
    phase_after: Phase

    @property
    def action(self) -> Action:
        """The action of the row."""
        return self.match.rule.action


def answer(protocol: Protocol, place: Place, showing: Showing) -> Answer:
    """Give what the table says in a place to what a visit shows; numbers and dates are out of sight here."""
    ceiling = lower(place.ceiling, protocol.safety.clearance_ceiling.value) if showing.lowered else place.ceiling
    position, trial = Position.NONE, place.trial
    if place.phase in TREATED and place.level is not None:
        position = position_of(place.phase, place.level, place.on_ladder, ceiling)
        if showing.response in GAIN:
            trial = Trial.RUNNING
    number = situation_number(place.phase, showing.response, showing.safety, place.timing, trial, position)
    match = protocol.table.match(number)
    level = level_after(protocol.ladder, match, place.level, ceiling)
    return Answer(place, showing, match, ceiling, level, phase_after_advice(match, place.level, level))


@frozen(eq=False)
class Meeting:
    """A place on a certain day, after certain visits; `seen` is a visit on that day that shows nothing."""

    place: Place
    seen: Observation
    before: "Meeting | None" = None
    visit_before: Visit | None = None

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits that lead here."""
        if self.before is None or self.visit_before is None:
            return ()
        return (*self.before.visits, self.visit_before)


@frozen(eq=False, slots=False)
class Reach:
    """All that can be reached under a protocol: each place, what can be shown there, and the places that follow."""

    protocol: Protocol
    meetings: dict[Place, Meeting]
    """Each place with the shortest course of visits to it, in the order of their length."""
    walked: tuple[Meeting, ...]
    """Every meeting that was walked on from: one place can be met with its clocks standing in several ways."""
    leads: dict[Place, set[Place]]
    """The places that can follow each place."""
    ends: frozenset[Place]
    """The places from which one visit leads off treatment, or that are off treatment."""
    shows: "Repertoire" = field(repr=False)
    """The visits by which all of it can be shown."""

    @cached_property
    def answers(self) -> dict[Place, dict[Showing, Answer]]:
        """What the table says to everything that can be shown in each place."""
        return {
            place: {showing: self.answer(place, showing) for showing in SHOWINGS if self.shows.can_show(place, showing)}
            for place in self.meetings
        }

    def answer(self, place: Place, showing: Showing) -> Answer:
        """Give what the table says in a place to what a visit shows."""
        return self.shows.answer(place, showing)

    def realize(self, meeting: Meeting, showing: Showing) -> Observation | None:
        """Make a visit that shows it, or give None where no visit can."""
        return self.shows.realize(meeting, showing)

    def meet_when_due(self, decision: Decision, meeting: Meeting) -> Meeting:
        """Meet the patient again: on treatment when the interval is over, else at the next visit."""
        state, day = apply(decision), decision.visit.date
        due = decision.next_visit.due if decision.next_visit else day + _FOUR_WEEKS
        if state.dose is not None and state.phase in ON_TREATMENT:
            due = max(interval_end(self.protocol, state.phase, state.dose), day + timedelta(days=1))
        return meet(observe(self.protocol, state, Visit(due)), meeting, decision.visit)

    @cached_property
    def reached(self) -> dict[tuple[Rule, Case], Answer]:
        """The first answer for each case that is reached."""
        found: dict[tuple[str, int], Answer] = {}
        for answers in self.answers.values():
            for each in answers.values():
                key = (each.match.rule.id, each.match.rule.cases.index(each.match.case))
                found.setdefault(key, each)
        return {(each.match.rule, each.match.case): each for each in found.values()}


def reach(protocol: Protocol) -> Reach:
    """Find every place that some course of visits leads to."""
    first = meet(observe(protocol, begin(protocol, PATIENT), Visit(DAY0)))
    meetings, leads = {first.place: first}, {first.place: set[Place]()}
    ends: set[Place] = set()
    shows = repertoire(protocol)
    after: dict[tuple[object, ...], frozenset[Place]] = {}
    known: set[tuple[object, ...]] = set()
    walked: list[Meeting] = []
    queue = deque([first])
    while queue:
        meeting = queue.popleft()
        walked.append(meeting)
        for decision in decisions_at(shows, meeting):
            state = apply(decision)
            if state.phase not in TREATED:
                ends.add(meeting.place)
            key = clocks(protocol, state)
            if key not in after:
                places = []
                for last_day, seen in next_visits(protocol, decision, state):
                    next_meeting = meet(seen, meeting, decision.visit)
                    places.append(next_meeting.place)
                    kind = (next_meeting.place, last_day, _outlasts_trial(seen))
                    if kind not in known:
                        known.add(kind)
                        meetings.setdefault(next_meeting.place, next_meeting)
                        leads.setdefault(next_meeting.place, set())
                        queue.append(next_meeting)
                after[key] = frozenset(places)
            leads[meeting.place].update(after[key])
    return Reach(protocol, meetings, tuple(walked), leads, frozenset(ends), shows)


def meet(seen: Observation, before: Meeting | None = None, visit_before: Visit | None = None) -> Meeting:
    """Give the place of a patient who is met at a visit that shows nothing yet."""
    dose, facts = seen.dose, seen.facts
    place = Place(
        seen.phase,
        dose.level if dose and seen.phase in TREATED else None,
        dose is None or seen.phase not in TREATED or dose.off_ladder is None,
        seen.before.ceiling,
        _for_good(seen),
        facts.timing,
        facts.trial,
    )
    return Meeting(place, seen, before, visit_before)


def _for_good(seen: Observation) -> Safety:
    """Give the gravest of the events on record that count for good."""
    found = Safety.ACCEPTABLE
    for each in seen.known.standing:
        if each.criterion.lasts is Lasts.FOR_GOOD:
            found = graver(found, each.criterion.safety)
    return found


def decisions_at(shows: "Repertoire", meeting: Meeting) -> Iterator[Decision]:
    """Give one real decision for each row that can apply in a place, and each kind of effect that it can have there."""
    done = set()
    for showing, effect in shows.effects(meeting.place):
        if effect not in done:
            seen = shows.realize(meeting, showing)
            if seen is not None:
                done.add(effect)
                yield recommend(seen)


def clocks(protocol: Protocol, state: State) -> tuple[object, ...]:
    """Give all that tells where the patient can be met next: the dose and the clocks, in days from the last visit."""
    last, dose = state.last, state.dose
    assert last is not None
    for_good = frozenset(
        each.criterion.safety for each in state.known.standing if each.criterion.lasts is Lasts.FOR_GOOD
    )
    key: tuple[object, ...] = (state.phase, state.ceiling, for_good, last.handed_over)
    if dose is None or state.start is None or state.phase not in TREATED:
        return key
    held, gain = last.dose or dose, state.responded_on or state.start.on
    soon = last.on + timedelta(days=1)

    def order(phase: Phase, dose: Dose, interrupted_on: date | None) -> tuple[bool, ...]:
        # Which of the two clocks changes first, and whether it can still be seen before it does: no more is needed.
        trial = _trial_end(protocol, dose, gain)
        if phase is Phase.INTERRUPTED:
            changes = _too_long(protocol, interrupted_on or last.on)
            return (trial > soon, changes > soon, trial > changes, trial < changes)
        changes = interval_end(protocol, phase, dose)
        every_days = dict.fromkeys((1, dose.level.dosage.every_days))
        lengthened = (trial > _lengthened_from(protocol, phase, dose, last.on, each) for each in every_days)
        return (trial > soon, changes > soon, trial > changes, trial < changes, changes > last.on, *lengthened)

    as_advised = order(state.phase, dose, state.interrupted_on)
    if state.phase is Phase.INTERRUPTED:
        return (*key, dose.level, held.level, as_advised)
    # Off the ladder, or with nothing taken, the clocks of the dose that was held before run on.
    otherwise = order(state.phase, held, None), order(Phase.INTERRUPTED, held, last.interrupted_on)
    return (*key, dose.level, dose.off_ladder, held.level, last.advised, as_advised, otherwise)


def _trial_end(protocol: Protocol, dose: Dose, last_gain: date) -> date:
    """Give the day from which the trial of therapy is exhausted, unless there is a response."""
    intervals = protocol.intervals
    return max(intervals.trial.value.after(last_gain), intervals.trial_at_level.value.after(dose.since))


def _outlasts_trial(seen: Observation) -> bool:
    """Tell whether the interval that runs ends only after the trial of therapy."""
    if seen.due_on is None or seen.dose is None or seen.start is None:
        return False
    return seen.due_on > _trial_end(seen.protocol, seen.dose, seen.responded_on or seen.start.on)


def _lengthened_from(protocol: Protocol, phase: Phase, dose: Dose, last: date, every_days: int) -> date:
    """Give the first day of a dose after a visit on which the interval is lengthened, if none was taken since."""
    interval: Interval = getattr(protocol.intervals, interval_name(phase, dose)).value
    share = protocol.intervals.missed_share.value
    length = (interval.after(dose.interval_from) - dose.interval_from).days
    return _day_of_a_dose(last, int(share * length) + 1 - dose.days_missed, every_days)


def _day_of_a_dose(last: date, days: int, every_days: int) -> date:
    """Give the first day, so many days or more after another one, that is a whole number of doses after it."""
    return last + timedelta(days=max(1, -(-days // every_days)) * every_days)


def _too_long(protocol: Protocol, interrupted_on: date) -> date:
    """Give the day from which an interruption has lasted too long to be simply resumed."""
    return protocol.intervals.resumable.value.after(interrupted_on) + timedelta(days=1)


def next_visits(protocol: Protocol, decision: Decision, state: State) -> Iterator[tuple[bool, Observation]]:
    """Give the next visit, still empty, on each day on which a clock changes and for all that can have been taken."""
    last = decision.visit.date
    if state.phase not in TREATED:
        due = decision.next_visit.due if decision.next_visit else last + _FOUR_WEEKS
        yield False, observe(protocol, state, _empty(due))
        return
    tomorrow = last + timedelta(days=1)
    for taken in what_can_be_taken(protocol, decision, state):
        seen = observe(protocol, state, _empty(tomorrow, taken))
        days = {tomorrow, *boundaries(protocol, seen)}
        for day in sorted(each for each in days if each > last):
            met = seen if day == tomorrow else observe(protocol, state, _empty(day, taken))
            yield day + timedelta(days=1) in days, met
        yield from ((False, each) for each in _with_doses_missed(seen, state, taken))


@lru_cache(maxsize=16384)
def _empty(day: date, taken: DosageTaken | None = None, missed: int | None = None) -> Visit:
    """Give a visit that shows nothing; the same ones come again and again."""
    return Visit(day, dosage_taken=taken, doses_missed=missed)


def _with_doses_missed(seen: Observation, state: State, taken: DosageTaken | None) -> Iterator[Observation]:
    """Give the next visit where all doses since the last one were missed: the interval is then not over for long."""
    protocol, last, dose, start = seen.protocol, state.last, seen.dose, seen.start
    assert last is not None
    advised = last.advised.dosage if last.advised else None
    dosage = taken.dosage if taken else advised
    if dosage is None or seen.due_on is None or dose is None or start is None:
        return
    lengthened = _lengthened_from(protocol, seen.phase, dose, last.on, dosage.every_days)
    exhausted = _trial_end(protocol, dose, seen.responded_on or start.on)
    later = _day_of_a_dose(last.on, (max(lengthened, exhausted) - last.on).days, dosage.every_days)
    # Where the interval is not over tomorrow, and the trial still runs, nothing is gained by making it longer so far.
    same = seen.facts.timing is Timing.BEFORE_DUE and seen.facts.trial is Trial.RUNNING and lengthened < exhausted
    for day in dict.fromkeys((later,) if same else (lengthened, later)):
        missed = doses_between(last.on, day, dosage)
        yield observe(protocol, state, _empty(day, taken, missed))


def boundaries(protocol: Protocol, seen: Observation) -> Iterator[date]:
    """Give the last day before each clock changes, and the day on which it does."""
    dose, start = seen.dose, seen.start
    if dose is None or start is None:
        return
    changes = [_trial_end(protocol, dose, seen.responded_on or start.on)]
    if seen.due_on is not None:
        changes.append(seen.due_on)
    if seen.interrupted_on is not None:
        changes.append(_too_long(protocol, seen.interrupted_on))
    for day in changes:
        yield day - timedelta(days=1)
        yield day


def what_can_be_taken(protocol: Protocol, decision: Decision, state: State) -> Iterator[DosageTaken | None]:
    """Give what can have been taken since a visit: what was advised, any other level, no level at all, nothing."""
    yield None
    if state.phase is Phase.INTERRUPTED and not (state.last and state.last.handed_over):
        return
    for level in protocol.ladder.levels:
        if level != decision.level:
            yield DosageTaken(level.dosage.mg, level.dosage.every_days)
    if state.phase is not Phase.INTERRUPTED:
        off = Decimal("7.5")
        while protocol.ladder.level_of(Dosage(off)) is not None:
            off += Decimal("2.5")
        yield DosageTaken(off, 1)
        yield DosageTaken(Decimal(0))


Change = dict[str, object]

Effect = tuple[str, Phase, Level | None, bool, Safety | None]
"""The row that applies, the phase and the level after it, whether there is a gain, and the mark that is left."""


def _effect(told: Answer) -> Effect:
    showing = told.showing
    # One row can answer to a harm and to a danger that counts for good: each leaves a mark of its own.
    mark = showing.safety if showing.mark else None
    return told.match.rule.id, told.phase_after, told.level, showing.response in GAIN, mark


@frozen(eq=False)
class Repertoire:
    """The visits by which all can be shown, made of a protocol's own thresholds and events."""

    protocol: Protocol
    well: Change
    changes: dict[tuple[Safety, bool, bool], list[Change]] = field(repr=False)
    """What makes a well visit show a safety, with or without a lowered ceiling and a mark; the plainest first."""
    # What was worked out once, by what it depends on.
    _answers: dict[Place, dict[Showing, Answer]] = field(init=False, repr=False, factory=dict)
    _effects: dict[Place, tuple[tuple[Showing, Effect], ...]] = field(init=False, repr=False, factory=dict)
    _skins: dict[tuple[object, ...], Change] = field(init=False, repr=False, factory=dict)

    def answer(self, place: Place, showing: Showing) -> Answer:
        """Give what the table says in a place to what a visit shows; it is worked out once."""
        answers = self._answers.setdefault(place, {})
        told = answers.get(showing)
        if told is None:
            told = answers[showing] = answer(self.protocol, place, showing)
        return told

    def effects(self, place: Place) -> tuple[tuple[Showing, Effect], ...]:
        """Give all that can be shown in a place, each with what comes of it for the patient."""
        if place not in self._effects:
            self._effects[place] = tuple(
                (each, _effect(self.answer(place, each))) for each in SHOWINGS if self.can_show(place, each)
            )
        return self._effects[place]

    def of(self, showing: Showing) -> list[Change]:
        """Give the changes to a well visit that may show it."""
        return self.changes.get((showing.safety, showing.lowered, showing.mark), [])

    def can_show(self, place: Place, showing: Showing) -> bool:
        """Tell whether a visit can show it: never less than the gravest of the events that count for good."""
        if not self.of(showing) or graver(place.standing, showing.safety) is not showing.safety:
            return False
        return showing.mark or place.standing is not Safety.STOP

    def realize(self, meeting: Meeting, showing: Showing) -> Observation | None:
        """Make a visit that shows it, or give None where no visit can."""
        told = self.answer(meeting.place, showing)
        skin = self._skin(meeting.seen, showing.response)
        for change in self.of(showing):
            visit = self.visit(meeting.seen, {**self.well, **change, **skin})
            seen = observe(self.protocol, meeting.seen.before, visit)
            if seen.facts == told.match.facts and seen.ceiling == told.ceiling and marks(seen) == showing.mark:
                return seen
        return None

    def visit(self, seen: Observation, shown: Change) -> Visit:
        """Make a visit that shows this, on the day of an empty one; what can be over is reported over."""
        day, phase = seen.visit.date, seen.phase
        over = tuple(
            AdverseEvent(each.name, resolved=True)
            for each in seen.known.standing
            if each.criterion.lasts is Lasts.RESOLVED and each.name in RESOLVABLE
        )
        events = shown["adverse_events"]
        if isinstance(events, tuple):
            named = {each.name for each in events}
            shown["adverse_events"] = (*(each for each in over if each.name not in named), *events)
        if "pregnancy_tests" not in shown:
            shown["pregnancy_tests"] = self._tests(day, phase)
        taken, missed = seen.visit.dosage_taken, seen.visit.doses_missed
        # Fields by their names: the visit checks each value, the type checker cannot.
        return Visit(day, dosage_taken=taken, doses_missed=missed, **shown)  # type: ignore[arg-type]

    def _tests(self, day: date, phase: Phase) -> tuple[PregnancyTest, ...]:
        now = PregnancyTest(TestResult.NEGATIVE)
        if phase in TREATED:
            return (now,)
        earliest = self.protocol.safety.first_test.value[0]
        return (PregnancyTest(TestResult.NEGATIVE, day - timedelta(days=at_most_days(earliest))), now)

    def _skin(self, seen: Observation, response: Response) -> Change:
        """Give the score nearest to the one before that shows the response, or else a score with a judgement."""
        start = seen.start.activity if seen.start and seen.phase is not Phase.BEFORE_START else None
        last = seen.before.last.activity if seen.before.last else None
        lowest = seen.lowest.activity if seen.lowest else None
        key = (seen.phase, start, last, lowest, response)
        if key not in self._skins:
            self._skins[key] = _skin(self.protocol, *key)
        return self._skins[key]


def _skin(
    protocol: Protocol, phase: Phase, start: int | None, last: int | None, lowest: int | None, response: Response
) -> Change:
    if response is Response.NOT_ASSESSED:
        return {}
    near = 11 if last is None else last
    scores = sorted(range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda each: (abs(each - near), each))
    for judged in (None, *(word for word, stands_for in JUDGED.items() if stands_for is response)):
        for score in scores:
            shown = protocol.response.of(phase, score, start, score if lowest is None else min(lowest, score), judged)
            if shown is response:
                if judged is None:
                    return {"clasi_activity": score}
                return {"clasi_activity": score, "judgement": Judgement(judged, "judged at the visit")}
    return {}


def repertoire(protocol: Protocol) -> Repertoire:
    """Collect the visits that a protocol's thresholds and events call for."""
    safety = protocol.safety
    well: Change = {
        "neutrophils": count(max(safety.neutrophils.caution_below.value, Decimal(3))),
        "platelets": count(max(safety.platelets.caution_below.value, Decimal(240))),
        "creatinine_clearance": _clearance(max(safety.clearance_lowers_below.value, Decimal(95))),
        "adverse_events": (),
    }
    low = _clearance(safety.clearance_interrupt_below.value)
    can_lower = safety.clearance_lowers_below.value > safety.clearance_interrupt_below.value
    changes: dict[tuple[Safety, bool, bool], list[Change]] = {}
    for kind, lowered, mark, change in _kinds(protocol):
        changes.setdefault((kind, lowered, mark), []).append(change)
        if can_lower and "creatinine_clearance" not in change:
            changes.setdefault((kind, True, mark), []).append({**change, "creatinine_clearance": low})
    return Repertoire(protocol, well, changes)


def _kinds(protocol: Protocol) -> Iterator[tuple[Safety, bool, bool, Change]]:
    """Give each band of each count, each event and each gap: the safety that it stands for, and how to show it."""
    safety = protocol.safety
    yield Safety.ACCEPTABLE, False, False, {}
    counts = (("neutrophils", safety.neutrophils), ("platelets", safety.platelets))
    for name, limits in counts:
        if limits.interrupt_below.value < limits.caution_below.value:
            yield Safety.CAUTION, False, False, {name: count(limits.interrupt_below.value)}
            yield Safety.CAUTION, False, False, {name: count(_just_below(limits.caution_below.value))}
        yield Safety.ACCEPTABLE, False, False, {name: count(limits.caution_below.value)}
        if limits.interrupt_below.value:
            yield Safety.INTERRUPT, False, True, {name: count(_just_below(limits.interrupt_below.value))}
    for each in safety.events:
        mark = each.lasts is Lasts.FOR_GOOD if each.safety is Safety.STOP else each.harm
        yield each.safety, False, mark, {"adverse_events": (_event(each),)}
    positive = PregnancyTest(TestResult.POSITIVE)
    yield safety.positive_test.safety, False, False, {"pregnancy_tests": (positive,)}
    lowers_below, interrupt_below = safety.clearance_lowers_below.value, safety.clearance_interrupt_below.value
    yield Safety.ACCEPTABLE, False, False, {"creatinine_clearance": _clearance(lowers_below)}
    if interrupt_below < lowers_below:
        yield Safety.ACCEPTABLE, True, False, {"creatinine_clearance": _clearance(_just_below(lowers_below))}
    if interrupt_below:
        low = _just_below(interrupt_below)
        yield Safety.INTERRUPT, low < lowers_below, False, {"creatinine_clearance": _clearance(low)}
    for field_name in ("adverse_events", "pregnancy_tests", "neutrophils", "platelets", "creatinine_clearance"):
        yield Safety.NOT_ASSESSED, False, False, {field_name: None}


def marks(seen: Observation) -> bool:
    """Tell whether what a visit shows is a danger that counts for good, or a harm."""
    if seen.facts.safety is Safety.STOP:
        return _for_good(seen) is Safety.STOP
    return seen.facts.safety is Safety.INTERRUPT and bool(harm_in(seen))


def _event(criterion: EventCriterion) -> AdverseEvent:
    """Give an event that meets a criterion."""
    term = criterion.terms[0] if criterion.terms else "nausea"
    grade = criterion.least_grade or (None if term in UNGRADED else 1)
    return AdverseEvent(term, grade, None if grade is None else CTCAE_EDITIONS[-2])


def _just_below(limit: Decimal) -> Decimal:
    """Give a readable number a little below a limit: 0.9 below 1.0, 49 below 50."""
    step = Decimal(1) if limit >= 10 else Decimal("0.1")
    return limit - step if limit > step else limit / 2


def count(amount: Decimal, on: date | None = None) -> Measurement:
    """Give a blood count in 10⁹/L."""
    return Measurement(amount, "10*9/L", on)


def _clearance(amount: Decimal) -> Measurement:
    return Measurement(amount, "mL/min")


def at_most_days(interval: Interval) -> int:
    """Give the greatest number of days that an interval can be."""
    return interval.days or 31 * interval.count


def course_of(meeting: Meeting, *last: Visit) -> Course:
    """Give the course of visits that leads to a meeting, and what is shown there and after it."""
    return Course((*meeting.visits, *last), PATIENT, meeting.seen.protocol.id)
