"""The machine, written a second time from the protocol sheet: from visits to decisions.

It keeps dates and numbers in plain sets and names, and shares no code with the library but the
words of the facts and the record.
"""

from copy import copy, deepcopy
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from attrs import evolve
from tests.support import second_reading as again

from lenadose import Patient, Visit
from lenadose.record.visit import JudgedResponse, TestResult
from lenadose.terms.facts import (
    Action,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)

OK = (Safety.ACCEPTABLE, Safety.CAUTION)
GAIN = (Response.COMPLETE, Response.PARTIAL)
ON = (Phase.TITRATION, Phase.TAPER)
TREATED = (*ON, Phase.INTERRUPTED)
JUDGED = {
    JudgedResponse.IMPROVED: Response.PARTIAL,
    JudgedResponse.NOT_IMPROVED: Response.NONE,
    JudgedResponse.WORSE: Response.WORSE,
}
TERMS = {
    "peripheral sensory neuropathy": "sensory neuropathy",
    "abnormal vaginal bleeding": "abnormal bleeding",
    "systemic lupus flare": "systemic flare",
    "alanine aminotransferase increased": "liver enzymes",
    "blood bilirubin increased": "bilirubin",
}
UNTIL_RESOLVED = ("pregnancy", "missed period", "abnormal bleeding", "suspected thromboembolism")
EVALUATIONS = UNTIL_RESOLVED[1:]
TESTS_VOIDED = UNTIL_RESOLVED[1:3]
QUANTITIES = ("neutrophils", "platelets", "creatinine_clearance")

Dosage = tuple[Decimal, int]
Days = tuple[date, date, date]


class Answer(NamedTuple):
    """What the sheet settles at a visit."""

    facts: Facts
    rule: str
    action: Action
    dosage: Dosage | None
    next_visit: Days | None
    phase_after: Phase
    missing: frozenset[str]


class Held:
    """The dosage held, the lowest score since, and what has counted from when."""

    def __init__(self, level: int, on: date) -> None:
        self.level, self.off_ladder = level, None  # type: int, Dosage | None
        self.since = self.interval_from = self.watched_from = self.tests_from = on
        self.days_missed = 0

    @property
    def dosage(self) -> Dosage:
        return self.off_ladder or dosage_of(self.level)


def dosage_of(level: int) -> Dosage:
    mg, every_days = again.LADDER[level]
    return Decimal(mg), every_days


def level_of(dosage: Dosage) -> int | None:
    return again.LADDER.index(dosage) if dosage in again.LADDER else None


def daily(dosage: Dosage) -> Decimal:
    return dosage[0] / dosage[1]


class Record:
    """A patient's record: give it the visits in order."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.phase, self.held, self.ceiling = Phase.BEFORE_START, None, 2
        self.held: Held | None
        self.b: int | None = None
        self.m: int | None = None
        self.begun: date | None = None
        self.responded: date | None = None
        self.no_drug_since: date | None = None
        self.ended: date | None = None
        self.finished: date | None = None
        self.neuropathy: int | None = None
        self.results: dict[str, tuple[date, Decimal]] = {}
        self.negative: set[date] = set()
        self.count_from = self.pregnancy_over = date.min
        self.positive = False
        self.events: list[tuple[str, int | None, int]] = []
        self.previous: dict[str, Any] = {}

    # What was taken.

    def take(self, visit: Visit) -> bool:
        """Follow the patient; return whether drug was taken in a phase without it."""
        on, before, unadvised = visit.date, self.previous, False
        taken = visit.dosage_taken
        dosage = (taken.mg, taken.every_days) if taken and taken.mg and taken.every_days else None
        if before and self.phase in ON:
            self._take_on_treatment(visit, dosage)
        elif before and dosage:
            level = level_of(dosage)
            if self.phase is Phase.INTERRUPTED and before["handed_over"] and level is not None:
                self._switch(dosage, visit.doses_missed or 0, resumes=True)
                self.phase, self.no_drug_since = Phase.TITRATION, None
            else:
                unadvised = True
                self.ended = on if self.ended else None
        if visit.stopped:
            self.phase, self.no_drug_since, self.ended = Phase.DISCONTINUED, None, on
        return unadvised

    def _take_on_treatment(self, visit: Visit, dosage: Dosage | None) -> None:
        assert self.held is not None
        before, missed = self.previous, visit.doses_missed
        if visit.dosage_taken is None:
            if missed is not None and before["level"] is not None:
                self.held.days_missed += missed * dosage_of(before["level"])[1]
            elif not self.held.off_ladder:
                until, days = again.days_without_drug(
                    before["on"], before["level"] is not None, before["latest"], visit.date, False
                )
                first = self.no_drug_since or until
                if days and (visit.date - first).days > again.GAP_DAYS:
                    self._interrupt(first)
                elif days:
                    self.held.days_missed += days
                    self.no_drug_since = first
            return
        if dosage is None:
            # What was advised at the visit before has not been held.
            held, m, since = before["came_with"]
            self.held, self.m = held or self.held, m if held else self.m
            self._interrupt(since or before["on"])
            return
        self.no_drug_since = None
        if dosage == self.held.dosage:
            self.held.days_missed += (missed or 0) * dosage[1]
        else:
            self._switch(dosage, missed or 0, resumes=False)

    def _interrupt(self, since: date) -> None:
        assert self.held is not None
        self.phase, self.no_drug_since = Phase.INTERRUPTED, since
        self.held.off_ladder = None

    def _switch(self, dosage: Dosage, missed: int, resumes: bool) -> None:
        on = self.previous["on"]
        held, m, _ = self.previous["came_with"]
        self.held, self.m = held or self.held, m if held else self.m
        assert self.held is not None
        rose = daily(dosage) > daily(self.held.dosage)
        same = dosage == self.held.dosage
        if rose:
            self.m = self.previous["activity"]
        if rose or resumes:
            self.held.watched_from = on
        if resumes and self.no_drug_since and again.tests_begin_anew(self.no_drug_since, on):
            self.held.tests_from = on
        level = level_of(dosage)
        if level is None:
            self.held.off_ladder = dosage
            self.held.days_missed += missed * dosage[1]
            return
        self.held.level, self.held.off_ladder = level, None
        self.held.interval_from = on
        self.held.since = self.held.since if resumes and same else on
        self.held.days_missed = missed * dosage[1]

    # What was found.

    def find(self, visit: Visit) -> bool:
        """Keep what was found; return whether something asks for the same day."""
        stops = {name for name, grade, _ in self.events if self.is_stop(name, grade)}
        stops |= {"pregnancy"} if self.positive else set()
        for name in QUANTITIES:
            for result in visit.results(name):
                known = self.results.get(name)
                if known is None or (result.on, -result.amount) > (known[0], -known[1]):
                    self.results[name] = (result.on, result.amount)
        if visit.adverse_events is not None:
            self._events(visit)
        for on, result in visit.tests:
            if result is TestResult.POSITIVE:
                self.positive = self.positive or on >= self.pregnancy_over
            elif on >= self.count_from:
                self.negative.add(on)
        now = {name for name, grade, _ in self.events if self.is_stop(name, grade)}
        now |= {"pregnancy"} if self.positive else set()
        low = "neutrophils" in self.results and self.results["neutrophils"][1] < Decimal("0.5")
        return bool(now - stops) or low or any(e[0] in again.SAME_DAY for e in self.events)

    def is_stop(self, name: str, grade: int | None) -> bool:
        return again.event_safety(name, grade) is Safety.STOP

    def _events(self, visit: Visit) -> None:
        reported = [
            (TERMS.get(e.name, e.name), e.grade, e.resolved) for e in visit.adverse_events or ()
        ]
        over = {name for name, _, resolved in reported if resolved}
        kept = [
            (name, grade, start)
            for name, grade, start in self.events
            if (name not in over and (name in UNTIL_RESOLVED or self.is_stop(name, grade)))
            or (name in over and name not in UNTIL_RESOLVED and self.is_stop(name, grade))
        ]
        if "pregnancy" in over:
            self.positive, self.pregnancy_over = False, visit.date
        known = {name for name, *_ in kept}
        at_start = 9 if self.neuropathy is None else self.neuropathy
        for name, grade, resolved in reported:
            if resolved or (name in known and name in UNTIL_RESOLVED):
                continue
            if name in TESTS_VOIDED:
                self.count_from = visit.date
                self.negative = {on for on in self.negative if on >= visit.date}
            kept.append((name, grade, at_start))
        self.events = kept

    def safety(self, visit: Visit) -> tuple[Safety, frozenset[str], bool, int]:
        """Return the safety, what is missing, whether harm was found, and the ceiling now."""
        on, shown = visit.date, [Safety.ACCEPTABLE]
        shown += [again.event_safety(*each) for each in self.events]
        harm = any(
            again.event_safety(*each) is Safety.INTERRUPT and each[0] not in EVALUATIONS
            for each in self.events
        )
        shown += [Safety.STOP] if self.positive else []
        missing = set()
        standing = any(
            s in (Safety.STOP, Safety.INTERRUPT) for s in shown[1 : 1 + len(self.events)]
        )
        if visit.adverse_events is None and not standing:
            missing.add("adverse_events")
        plenty, ceiling = Decimal(1000), self.ceiling
        since = (on - self.held.watched_from).days if self.held else None
        for name in QUANTITIES:
            if name not in self.results:
                missing.add(name)
                continue
            when, value = self.results[name]
            if name == "creatinine_clearance":
                interrupts, lowers = again.clearance(value)
                old = again.clearance_too_old(when, on)
                ceiling = min(ceiling, 1) if lowers or interrupts else ceiling
                shown += [Safety.INTERRUPT] if interrupts else []
            else:
                counts = {"neutrophils": plenty, "platelets": plenty, name: value}
                band = again.count_safety(counts["neutrophils"], counts["platelets"])
                interrupts, old = (
                    band is Safety.INTERRUPT,
                    again.counts_too_old(since, (on - when).days),
                )
                harm = harm or interrupts
                shown.append(band)
            if old and not interrupts:
                missing.add(name)
        if self._tests_missing(on):
            missing.add("pregnancy_tests")
        order = (Safety.STOP, Safety.INTERRUPT, Safety.NOT_ASSESSED, Safety.CAUTION)
        shown += [Safety.NOT_ASSESSED] if missing else []
        worst = next((each for each in order if each in shown), Safety.ACCEPTABLE)
        return worst, frozenset(missing), harm, ceiling

    def _needs_two_tests(self, on: date) -> bool:
        if self.phase is Phase.INTERRUPTED:
            assert self.no_drug_since is not None
            return again.tests_begin_anew(self.no_drug_since, on)
        return self.phase in (Phase.BEFORE_START, Phase.OFF_TREATMENT)

    def _tests_missing(self, on: date) -> bool:
        pregnant = self.positive or any(name == "pregnancy" for name, *_ in self.events)
        if (
            self.patient.able_to_become_pregnant is False
            or self.phase is Phase.DISCONTINUED
            or pregnant
        ):
            return False
        ages = [(on - each).days for each in self.negative]
        if self._needs_two_tests(on):
            return not again.tests_suffice_at_start(ages)
        assert self.held is not None
        regular = self.patient.regular_cycles is True
        number = (on - self.held.tests_from).days
        return not ages or not again.tests_suffice_in_course(number, min(ages), regular)

    # What follows.

    def response(self, visit: Visit) -> Response:
        a = visit.clasi_activity
        m = a if self.m is None or a is None else min(self.m, a)
        shown = again.response(self.phase, a, self.b or 0, m or 0)
        if visit.judgement is None:
            return shown
        judged = JUDGED[visit.judgement.response]
        return again.response_as_judged(self.phase, a, shown, judged)

    def facts(self, visit: Visit, safety: Safety, ceiling: int, response: Response) -> Facts:
        timing, trial, position = Timing.DUE, TherapeuticTrial.RUNNING, Position.NONE
        if self.held and self.phase in TREATED:
            held = self.held
            assert self.begun is not None
            if self.phase is Phase.INTERRUPTED:
                assert self.no_drug_since is not None
                late = again.interruption_too_long(self.no_drug_since, visit.date)
                timing = Timing.DUE if late else Timing.BEFORE_DUE
            else:
                timing = again.timing(self.due(), visit.date)
            if again.trial_exhausted(visit.date, self.begun, self.responded, held.since):
                trial = TherapeuticTrial.EXHAUSTED
            position = self._position(ceiling)
        return Facts(self.phase, response, safety, timing, trial, position)

    def due(self) -> date:
        assert self.held is not None
        return again.interval_end(self.held.interval_from, self.phase, self.held.days_missed)

    def _position(self, ceiling: int) -> Position:
        assert self.held is not None
        level = self.held.level
        if self.phase is Phase.INTERRUPTED:
            level = min(level, ceiling)
        elif self.held.off_ladder:
            return Position.OFF_LADDER
        if level < 0:
            return Position.NONE
        if level > ceiling:
            return Position.ABOVE_CEILING
        if level == ceiling:
            return Position.HIGHEST if level else Position.ONLY
        return Position.MIDDLE if level else Position.LOWEST

    def decide(self, visit: Visit) -> Answer:
        """Return the decision at the next visit."""
        on, a = visit.date, visit.clasi_activity
        unadvised = self.take(visit)
        same_day = self.find(visit)
        safety, missing, harm, ceiling = self.safety(visit)
        response = self.response(visit)
        if response in GAIN and self.phase in TREATED:
            self.responded = on
        if a is not None and (self.m is None or a < self.m):
            self.m = a
        facts = self.facts(visit, safety, ceiling, response)
        rule, action = again.row(facts)
        came_with = (copy(self.held), self.m, self.no_drug_since)
        if rule == "relapse-off-drug" or rule == "start":
            came_with = (None, self.m, None)
        phase_before, due = self.phase, self.due() if self.phase in ON else None
        two_tests = "pregnancy_tests" in missing and self._needs_two_tests(on)
        level = self._act(visit, facts, rule, action, ceiling)
        if rule == "relapse-in-taper":
            came_with = (came_with[0], a, came_with[2])
        if self.phase is Phase.INTERRUPTED and harm and self.held:
            self.ceiling = min(self.ceiling, self.held.level - 1)
        planned = self._next_visit(visit, facts, rule, action, due, same_day or unadvised)
        if action is Action.REQUEST_DATA and two_tests and not (same_day or unadvised):
            planned = again.window_for_tests(on, self.negative)
        waits = action is Action.REQUEST_DATA and self.previous.get("handed_over", False)
        self.previous = {
            "on": on,
            "activity": a,
            "level": level,
            "latest": planned and planned[2],
            "came_with": came_with,
            "handed_over": self.phase is Phase.INTERRUPTED
            and (rule == "interruption-too-long" or waits)
            and min(self.ceiling, ceiling) >= 0,
        }
        if response is Response.NOT_ASSESSED:
            missing |= {"clasi_activity"}
        dosage = None if level is None else dosage_of(level)
        assert facts.phase is phase_before
        if facts.phase is Phase.DISCONTINUED:
            facts = evolve(facts, response=Response.NOT_ASSESSED)
        return Answer(facts, rule, action, dosage, planned, self.phase, missing)

    def _act(
        self, visit: Visit, facts: Facts, rule: str, action: Action, ceiling: int
    ) -> int | None:
        """Do what the row says; return the level until the next visit."""
        on, a, held, level = visit.date, visit.clasi_activity, self.held, None
        if action is Action.START:
            level = min(again.STARTING_LEVEL, ceiling)
            self.held, self.phase = Held(level, on), Phase.TITRATION
            self._set_baseline(on, a)
            self.neuropathy = max(
                [
                    e.grade or 0
                    for e in visit.adverse_events or ()
                    if e.name == "peripheral sensory neuropathy" and not e.resolved
                ],
                default=0,
            )
            self.ended = self.finished = self.no_drug_since = None
            return level
        if held is None:
            return None
        match action:
            case Action.CONTINUE:
                level = held.level
                if facts.timing is Timing.DUE:
                    held.interval_from, held.days_missed = on, 0
            case Action.ESCALATE | Action.REDUCE | Action.RESUME:
                level = held.level + 1
                if action is Action.REDUCE:
                    level = min(held.level - 1, ceiling)
                elif action is Action.RESUME:
                    level = min(held.level, ceiling)
                held.since = on if level != held.level else held.since
                held.level, held.interval_from, held.days_missed = level, on, 0
                if action is not Action.REDUCE:
                    held.watched_from = on
                if action is Action.ESCALATE:
                    self.m = a
                if rule == "relapse-in-taper":
                    self._set_baseline(on, a)
                if rule in ("begin-taper", "taper-step"):
                    self.phase = Phase.TAPER
                elif action is not Action.REDUCE:
                    self.phase = Phase.TITRATION
            case Action.REQUEST_DATA | Action.PRESCRIBER_DECIDES:
                on_ladder = facts.position not in (Position.OFF_LADDER, Position.ABOVE_CEILING)
                if facts.phase in ON and facts.safety in OK and on_ladder:
                    level = held.level
            case Action.INTERRUPT:
                if facts.phase in ON:
                    self._interrupt(on)
            case Action.FINISH:
                self.phase, self.finished, self.ended = Phase.OFF_TREATMENT, on, on
            case Action.DISCONTINUE:
                self.phase, self.ended = Phase.DISCONTINUED, on
        if level is not None or self.phase not in TREATED:
            self.no_drug_since = None
        else:
            self.no_drug_since = self.no_drug_since or on
        return level

    def _set_baseline(self, on: date, a: int | None) -> None:
        self.b = self.m = a
        self.begun, self.responded = on, None

    def _next_visit(
        self, visit: Visit, facts: Facts, rule: str, action: Action, due: date | None, soon: bool
    ) -> Days | None:
        on = visit.date
        asks = action in (Action.INTERRUPT, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
        watched = facts.safety is Safety.CAUTION and self.phase in ON
        if soon or asks or watched or rule == "stop-for-harm":
            since = self.no_drug_since if self.phase is Phase.INTERRUPTED else None
            return again.window_soon(on, since)
        planned: date | None = None
        if self.phase in ON:
            waits = action is Action.CONTINUE and facts.timing is Timing.BEFORE_DUE
            planned = due if waits else again.interval_end(on, self.phase)
        elif self.phase is Phase.DISCONTINUED and self.ended:
            planned = again.visit_after_the_end(self.ended, on)
        elif self.phase is Phase.OFF_TREATMENT and self.finished:
            planned = again.next_surveillance(self.finished, on)
        return None if planned is None else (planned, planned, planned + timedelta(days=7))


def decisions(patient: Patient, visits: tuple[Visit, ...]) -> list[Answer]:
    """Return the decisions at all visits of a course."""
    record = Record(deepcopy(patient))
    return [record.decide(visit) for visit in visits]
