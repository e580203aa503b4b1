"""Visits that show everything a protocol distinguishes."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from attrs import field, frozen

from lenadose.engine.machine import dose_limiting_causes
from lenadose.engine.observe import Observation, needs_two_tests, observe, worse_of
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import JUDGED
from lenadose.protocol.safety import EventCriterion, Lasts
from lenadose.record.adverse_event import CTCAE_EDITIONS, AdverseEvent
from lenadose.record.event_terms import EXAMPLE_TERM, RESOLVABLE, UNGRADED
from lenadose.record.measurement import Measurement
from lenadose.record.visit import ACTIVITY, Judgement, PregnancyTest, TestResult, Visit
from lenadose.terms.dosage import Level
from lenadose.terms.facts import GAIN, Phase, Response, Safety, possible_terms
from lenadose.terms.interval import at_most_days
from lenadose.verification.places import (
    ABSTRACT_VISITS,
    AbstractDecision,
    AbstractState,
    AbstractVisit,
    Witness,
    decide,
    worst_for_good,
)

Change = dict[str, object]

Effect = tuple[str, Phase, Level | None, bool, Safety | None]
"""The row, the phase and the level after it, whether there is a gain, and the mark left."""


def _effect(decision: AbstractDecision) -> Effect:
    showing = decision.showing
    # One row can answer to a harm and to a danger that counts for good: each leaves a mark
    # of its own.
    mark = showing.safety if showing.mark else None
    return (
        decision.match.rule.id,
        decision.phase_after,
        decision.level,
        showing.response in GAIN,
        mark,
    )


@frozen(eq=False)
class Scenarios:
    """The visits of a protocol, made of its own thresholds and events."""

    protocol: Protocol
    well: Change
    changes: dict[tuple[Safety, bool, bool], list[Change]] = field(repr=False)
    """Changes to a well visit by safety, lowered ceiling and mark; the plainest first."""
    # What was worked out once, by what it depends on.
    _answers: dict[AbstractState, dict[AbstractVisit, AbstractDecision]] = field(
        init=False, repr=False, factory=dict
    )
    _effects: dict[AbstractState, tuple[tuple[AbstractVisit, Effect], ...]] = field(
        init=False, repr=False, factory=dict
    )
    _skins: dict[tuple[object, ...], Change] = field(init=False, repr=False, factory=dict)

    def decide(self, place: AbstractState, showing: AbstractVisit) -> AbstractDecision:
        """Return the decision in a state, worked out once."""
        answers = self._answers.setdefault(place, {})
        decision = answers.get(showing)
        if decision is None:
            decision = answers[showing] = decide(self.protocol, place, showing)
        return decision

    def effects(self, place: AbstractState) -> tuple[tuple[AbstractVisit, Effect], ...]:
        """Return all that can be shown in a state, each with its effect on the patient."""
        if place not in self._effects:
            self._effects[place] = tuple(
                (visit, _effect(self.decide(place, visit)))
                for visit in ABSTRACT_VISITS
                if self.can_show(place, visit)
            )
        return self._effects[place]

    def of(self, showing: AbstractVisit) -> list[Change]:
        """Return the changes to a well visit that may show it."""
        return self.changes.get((showing.safety, showing.lowered, showing.mark), [])

    def can_show(self, place: AbstractState, showing: AbstractVisit) -> bool:
        """Return whether a visit can show it: at least the worst event that counts for good."""
        if showing.response not in possible_terms(place.phase)["response"]:
            return False
        if not self.of(showing) or worse_of(place.ongoing, showing.safety) is not showing.safety:
            return False
        return showing.mark or place.ongoing is not Safety.STOP

    def realize(self, witness: Witness, showing: AbstractVisit) -> Observation | None:
        """Return a visit that shows it, or None where no visit can."""
        decision = self.decide(witness.place, showing)
        skin = self._skin(witness.seen, showing.response)
        for change in self.of(showing):
            visit = self.visit(witness.seen, {**self.well, **change, **skin})
            seen = observe(self.protocol, witness.seen.before, visit)
            if (
                seen.facts == decision.match.facts
                and seen.ceiling == decision.ceiling
                and leaves_mark(seen) == showing.mark
            ):
                return seen
        return None

    def visit(self, seen: Observation, fields: Change) -> Visit:
        """Return a visit with these fields on the day of an empty one; old events resolve."""
        over = tuple(
            AdverseEvent(event.name, resolved=True)
            for event in seen.findings.ongoing
            if event.criterion.lasts is Lasts.RESOLVED and event.name in RESOLVABLE
        )
        events = fields["adverse_events"]
        if isinstance(events, tuple):
            named = {event.name for event in events}
            fields["adverse_events"] = (
                *(event for event in over if event.name not in named),
                *events,
            )
        if "pregnancy_tests" not in fields:
            fields["pregnancy_tests"] = self._tests(seen)
        taken, missed, stopped = (
            seen.visit.dosage_taken,
            seen.visit.doses_missed,
            seen.visit.stopped,
        )
        # Fields by their names: the visit checks each value, the type checker cannot.
        return Visit(
            seen.visit.date,
            dosage_taken=taken,
            doses_missed=missed,
            stopped=stopped,
            **fields,  # type: ignore[arg-type]
        )

    def _tests(self, seen: Observation) -> tuple[PregnancyTest, ...]:
        now, day = PregnancyTest(TestResult.NEGATIVE), seen.visit.date
        if not needs_two_tests(self.protocol.safety, seen.treatment, day):
            return (now,)
        earliest = self.protocol.safety.first_test.value[0]
        return (
            PregnancyTest(TestResult.NEGATIVE, day - timedelta(days=at_most_days(earliest))),
            now,
        )

    def _skin(self, seen: Observation, response: Response) -> Change:
        """Return the nearest score that shows the response, or a score with a judgement."""
        start = (
            seen.baseline.activity
            if seen.baseline and seen.phase is not Phase.BEFORE_START
            else None
        )
        last = seen.before.previous.activity if seen.before.previous else None
        nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None
        key = (seen.phase, start, last, nadir, response)
        if key not in self._skins:
            self._skins[key] = _skin(self.protocol, *key)
        return self._skins[key]


def _skin(
    protocol: Protocol,
    phase: Phase,
    start: int | None,
    last: int | None,
    nadir: int | None,
    response: Response,
) -> Change:
    if response is Response.NOT_ASSESSED:
        return {}
    near = 11 if last is None else last
    scores = sorted(
        range(ACTIVITY[0], ACTIVITY[1] + 1), key=lambda score: (abs(score - near), score)
    )
    for judged in (None, *(word for word, stands_for in JUDGED.items() if stands_for is response)):
        for score in scores:
            result = protocol.response.of(phase, score, start, nadir, judged)
            if result is response:
                if judged is None:
                    return {"clasi_activity": score}
                return {
                    "clasi_activity": score,
                    "judgement": Judgement(judged, "judged at the visit"),
                }
    return {}


def scenarios(protocol: Protocol) -> Scenarios:
    """Collect the visits that the thresholds and events of a protocol call for."""
    safety = protocol.safety
    well: Change = {
        "neutrophils": blood_count(max(safety.neutrophils.caution_below.value, Decimal(3))),
        "platelets": blood_count(max(safety.platelets.caution_below.value, Decimal(240))),
        "creatinine_clearance": _clearance(max(safety.clearance_lowers_below.value, Decimal(95))),
        "adverse_events": (),
    }
    low = _clearance(safety.clearance_interrupt_below.value)
    can_lower = safety.clearance_lowers_below.value > safety.clearance_interrupt_below.value
    changes: dict[tuple[Safety, bool, bool], list[Change]] = {}
    for kind, lowered, mark, change in _kinds(protocol):
        changes.setdefault((kind, lowered, mark), []).append(change)
        if can_lower and "creatinine_clearance" not in change:
            changes.setdefault((kind, True, mark), []).append(
                {**change, "creatinine_clearance": low}
            )
    return Scenarios(protocol, well, changes)


def _kinds(protocol: Protocol) -> Iterator[tuple[Safety, bool, bool, Change]]:
    """Yield each band of each count, each event and each gap, with the safety it stands for."""
    safety = protocol.safety
    yield Safety.ACCEPTABLE, False, False, {}
    counts = (("neutrophils", safety.neutrophils), ("platelets", safety.platelets))
    for name, limits in counts:
        if limits.interrupt_below.value < limits.caution_below.value:
            yield Safety.CAUTION, False, False, {name: blood_count(limits.interrupt_below.value)}
            yield (
                Safety.CAUTION,
                False,
                False,
                {name: blood_count(_just_below(limits.caution_below.value))},
            )
        yield Safety.ACCEPTABLE, False, False, {name: blood_count(limits.caution_below.value)}
        if limits.interrupt_below.value:
            yield (
                Safety.INTERRUPT,
                False,
                True,
                {name: blood_count(_just_below(limits.interrupt_below.value))},
            )
    same_day = safety.neutrophils_same_day_below.value
    if 0 < same_day <= safety.neutrophils.interrupt_below.value:
        low = _just_below(same_day)
        yield Safety.INTERRUPT, False, True, {"neutrophils": blood_count(low)}
    # What follows an event after which earlier tests no longer count is harder to reach.
    for criterion in sorted(safety.events, key=lambda criterion: criterion.voids_tests):
        mark = (
            criterion.lasts is Lasts.FOR_GOOD if criterion.safety is Safety.STOP else criterion.harm
        )
        yield criterion.safety, False, mark, {"adverse_events": (_event(criterion),)}
    positive = PregnancyTest(TestResult.POSITIVE)
    yield safety.positive_test.safety, False, False, {"pregnancy_tests": (positive,)}
    lowers_below, interrupt_below = (
        safety.clearance_lowers_below.value,
        safety.clearance_interrupt_below.value,
    )
    yield Safety.ACCEPTABLE, False, False, {"creatinine_clearance": _clearance(lowers_below)}
    if interrupt_below < lowers_below:
        yield (
            Safety.ACCEPTABLE,
            True,
            False,
            {"creatinine_clearance": _clearance(_just_below(lowers_below))},
        )
    if interrupt_below:
        low = _just_below(interrupt_below)
        yield Safety.INTERRUPT, low < lowers_below, False, {"creatinine_clearance": _clearance(low)}
    for field_name in (
        "adverse_events",
        "pregnancy_tests",
        "neutrophils",
        "platelets",
        "creatinine_clearance",
    ):
        yield Safety.NOT_ASSESSED, False, False, {field_name: None}


def leaves_mark(seen: Observation) -> bool:
    """Return whether a visit shows a dose-limiting event, or a danger that counts for good."""
    if seen.facts.safety is Safety.STOP:
        return worst_for_good(seen) is Safety.STOP
    return seen.facts.safety is Safety.INTERRUPT and bool(dose_limiting_causes(seen))


def _event(criterion: EventCriterion) -> AdverseEvent:
    """Return an event that meets a criterion."""
    term = criterion.terms[0] if criterion.terms else EXAMPLE_TERM
    grade = criterion.least_grade or (None if term in UNGRADED else 1)
    return AdverseEvent(term, grade, None if grade is None else CTCAE_EDITIONS[-2])


def _just_below(limit: Decimal) -> Decimal:
    """Return a readable number a little below a limit: 0.9 below 1.0, 49 below 50."""
    step = Decimal(1) if limit >= 10 else Decimal("0.1")
    return limit - step if limit > step else limit / 2


def blood_count(amount: Decimal, on: date | None = None) -> Measurement:
    """Return a blood count in 10⁹/L."""
    return Measurement(amount, "10*9/L", on)


def _clearance(amount: Decimal) -> Measurement:
    return Measurement(amount, "mL/min")
