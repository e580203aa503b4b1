"""The reasons for a decision, as data: with them the decision can be redone by hand.

All of it is worked out on request; the pages of `lenadose.report` put it into words.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property

from attrs import frozen

from lenadose.engine.machine import Decision, apply, dose_limiting_causes, require_decision
from lenadose.engine.observe import Observation, ceiling_of, limits_met
from lenadose.explanation.calculations import (
    Calculation,
    calculations,
    follow_up_intervals,
    origin,
)
from lenadose.explanation.criteria_met import EvaluatedCriterion, Value, checks, drug_until
from lenadose.explanation.messages import Message, messages_of
from lenadose.explanation.notices import notices_of
from lenadose.explanation.why import why
from lenadose.protocol.notices import Notice, Occasion
from lenadose.protocol.protocol import LedgerEntry, case_id
from lenadose.record.event_terms import PREGNANCY, SENSORY_NEUROPATHY
from lenadose.record.measurement import Result
from lenadose.record.visit import JudgedResponse
from lenadose.terms.dosage import Level
from lenadose.terms.facts import (
    ON_TREATMENT,
    TREATED,
    Action,
    EvidenceLevel,
    Phase,
    Position,
    Response,
    Safety,
    Term,
)
from lenadose.terms.interval import Interval
from lenadose.terms.units import (
    CREATININE_CLEARANCE,
    NEUTROPHILS,
    PLATELETS,
)


@frozen
class InputUsed:
    """A fact that was used or recorded: value and unit as entered, date, and age at the visit."""

    field: str
    value: Value
    unit: str
    on: date
    age_days: int


@frozen
class Supply:
    """The longest supply on one prescription, and the days to the next visit."""

    days: int
    days_to_next_visit: int

    @property
    def shortfall(self) -> int:
        """The days that one prescription does not cover."""
        return max(0, self.days_to_next_visit - self.days)


@frozen
class MonitoringDue:
    """A field of the visit that falls due before the next one, and the days."""

    field: str
    days: tuple[date, ...]


@frozen(slots=False)
class Rationale:
    """All that a decision rests on; a clinician can redo the decision by hand from it."""

    decision: Decision

    @cached_property
    def inputs(self) -> tuple[InputUsed, ...]:
        """Every input used, with unit, date and age."""
        return tuple(_inputs(self.decision.seen))

    @cached_property
    def arithmetic(self) -> tuple[Calculation, ...]:
        """The figures that were compared with the criteria, and how each comes about."""
        return tuple(calculations(self.decision))

    @cached_property
    def criteria(self) -> tuple[EvaluatedCriterion, ...]:
        """Every criterion evaluated, met or not."""
        return tuple(checks(self.decision.seen))

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages for the reader about this visit."""
        return tuple(messages_of(self.decision))

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """The notices of the protocol that apply."""
        return notices_of(self.decision)

    @cached_property
    def relied_on(self) -> tuple[LedgerEntry, ...]:
        """The rules and numbers that the decision relies on, in the order of the ledger.

        With the same past, a different number changes the action, the dosage or the next visit
        only if it is one of these.
        """
        decision = self.decision
        ids = {criterion.id for criterion in self.criteria} | set(_relied_on(decision))
        ids.add(case_id(decision.rule, decision.case))
        return tuple(entry for entry in decision.protocol.ledger if entry.id in ids)

    @cached_property
    def assumptions(self) -> tuple[LedgerEntry, ...]:
        """Those relied on that the trial does not state, in the order of the ledger."""
        return tuple(
            entry for entry in self.relied_on if entry.provenance.tag is not EvidenceLevel.STATED
        )

    @cached_property
    def monitoring_due(self) -> tuple[MonitoringDue, ...]:
        """Blood counts and pregnancy tests that fall due up to the next visit."""
        return tuple(_monitoring_due(self.decision))

    @property
    def supply(self) -> Supply | None:
        """The supply on one prescription and the days to the next visit; None without a dosage."""
        decision = self.decision
        if decision.dosage is None or decision.next_visit is None:
            return None
        longest = decision.protocol.intervals.supply.value
        day = decision.visit.date
        return Supply((longest.after(day) - day).days, (decision.next_visit.due - day).days)

    @property
    def ceiling_after(self) -> Level | None:
        """The highest level allowed after the decision, None if none is."""
        decision = self.decision
        met = limits_met(decision.protocol.safety, decision.seen.findings)
        return ceiling_of(decision.protocol.safety, apply(decision).ceiling, met)

    @property
    def reason(self) -> str:
        """The cause in one sentence: the facts that the case restricts, with their figures."""
        return why(self.decision)

    @property
    def urgent(self) -> tuple[str, ...]:
        """The reasons for an assessment on the same day, and what else cannot wait."""
        same_day = (said.words for said in self.messages if said.id == "same-day-assessment")
        at_once = (notice for notice in self.notices if notice.when in AT_ONCE)
        said = (f"{each.words} ({each.source}; {each.confidence.label})" for each in at_once)
        return (*same_day, *said)

    @cached_property
    def deciding(self) -> tuple[EvaluatedCriterion, ...]:
        """The criteria behind the facts that the case restricts.

        Of a fact that a criterion made, those that made it; of a response that none made, all of
        the response; of acceptable safety, and of an ordinary level, none: all of them say no.
        """
        decision = self.decision
        return tuple(
            criterion
            for name in decision.case.conditions
            for criterion in _behind(getattr(decision.facts, name), self.criteria)
        )

    @cached_property
    def deciding_assumptions(self) -> tuple[LedgerEntry, ...]:
        """The assumptions whose change would alter this decision: row, level, date and criteria."""
        decision = self.decision
        ids = {criterion.id for criterion in self.deciding} | set(follow_up_intervals(decision))
        ids.add(case_id(decision.rule, decision.case))
        if decision.level is not None:
            ids.add(f"ladder.{decision.level.rank}")
        return tuple(entry for entry in self.assumptions if entry.id in ids)


AT_ONCE = (Occasion.PREGNANCY, Occasion.EXPOSURE)
"""The occasions of notices that stand beside a same-day assessment."""


def _behind(fact: Term, criteria: tuple[EvaluatedCriterion, ...]) -> tuple[EvaluatedCriterion, ...]:
    of_fact = tuple(each for each in criteria if isinstance(each.word, type(fact)))
    made = tuple(each for each in of_fact if each.word is fact and each.makes_its_word)
    return made or (() if isinstance(fact, Safety | Position) else of_fact)


def rationale(decision: Decision) -> Rationale:
    """Return the reasons for a decision."""
    require_decision(decision)
    return Rationale(decision)


def _inputs(seen: Observation) -> Iterator[InputUsed]:
    visit, day, patient = seen.visit, seen.visit.date, seen.patient

    def at_visit(field: str, value: Value, unit: str = "") -> InputUsed:
        return InputUsed(field, value, unit, day, 0)

    def result(field: str, known: Result) -> InputUsed:
        given = known.given
        bound = f"{given.comparator.label} {given.value}" if given.comparator else given.value
        return InputUsed(field, bound, given.unit, known.on, (day - known.on).days)

    if visit.clasi_activity is not None:
        yield at_visit("clasi_activity", visit.clasi_activity, "points")
    if visit.clasi_damage is not None:
        yield at_visit("clasi_damage", visit.clasi_damage, "points")
    if visit.judgement is not None:
        yield at_visit("judgement", f"{visit.judgement.response.label}: {visit.judgement.words}")
    for quantity, known in (
        (NEUTROPHILS, seen.findings.neutrophils),
        (PLATELETS, seen.findings.platelets),
        (CREATININE_CLEARANCE, seen.findings.creatinine_clearance),
    ):
        if known is not None:
            yield result(quantity.name, known)
    tests, oldest = seen.findings.negative_tests, seen.protocol.safety.first_test.value[1]
    for on in (on for on in tests if on is tests[-1] or not oldest.is_over(on, day)):
        yield InputUsed("pregnancy_tests", "negative", "", on, (day - on).days)
    # An event can meet several criteria; it is listed once.
    ongoing = seen.findings.ongoing
    for since, event in dict.fromkeys((event.since, event.event) for event in ongoing):
        if event is None:
            yield InputUsed("pregnancy_tests", "positive", "", since, (day - since).days)
        elif since < day:
            yield InputUsed("adverse_events", str(event), "", since, (day - since).days)
    if visit.adverse_events is not None:
        yield at_visit("adverse_events", "; ".join(map(str, visit.adverse_events)) or "none")
    if visit.dosage_taken is not None:
        yield at_visit("dosage_taken", str(visit.dosage_taken.dosage or "nothing"))
    if visit.doses_missed is not None:
        yield at_visit("doses_missed", visit.doses_missed, "doses")
    for field, value in (
        ("age", patient.age),
        ("able_to_become_pregnant", patient.able_to_become_pregnant),
        ("regular_cycles", patient.regular_cycles),
        ("subtype", patient.subtype),
        ("antiphospholipid", patient.antiphospholipid.label if patient.antiphospholipid else None),
    ):
        yield at_visit(
            f"patient.{field}",
            "unknown" if value is None else value,
            "years" if field == "age" and value is not None else "",
        )


def _relied_on(decision: Decision) -> Iterator[str]:
    """Yield what the decision relies on beside the criteria and the row that applied."""
    seen, action, before = decision.seen, decision.action, decision.seen.before
    facts = decision.facts
    if decision.level is not None:
        yield f"ladder.{decision.level.rank}"
        yield "intervals.supply"
    yield from follow_up_intervals(decision)
    yield from _relied_on_for_ceiling(decision)
    yield from _relied_on_for_gaps(decision)
    yield from _relied_on_for_tests(seen)
    if seen.visit.judgement is not None:
        yield "note.judgement"
    if seen.treatment.dose is not None and seen.phase in ON_TREATMENT:
        yield "note.early-visit"
        if seen.visit.doses_missed is None:
            yield "note.silence-about-doses"
    if (
        seen.phase in (Phase.TAPER, Phase.OFF_TREATMENT)
        and seen.visit.judgement is not None
        and seen.visit.judgement.response is JudgedResponse.WORSE
    ):
        yield "note.judgement-of-relapse"
    if seen.visit.dosage_taken is not None and seen.visit.dosage_taken.dosage is None:
        yield "note.nothing-taken"
    is_relapse = decision.advice.effects.new_baseline and action is not Action.START
    if is_relapse or origin(seen) != "the start":
        yield "note.relapse-baseline"
    if action is Action.CONTINUE and facts.response is Response.PARTIAL:
        yield "note.sustained-without-end"
    if seen.visit.stopped is not None:
        yield "note.stopped"
    known = (
        before.findings.neutrophils,
        before.findings.platelets,
        before.findings.creatinine_clearance,
    )
    if any(
        old and new and old.on == new.on for old, new in zip(known, seen.visit.counted, strict=True)
    ):
        yield "note.same-day-results"
    events = seen.visit.adverse_events or ()
    if seen.phase is Phase.OFF_TREATMENT and any(
        event.name == SENSORY_NEUROPATHY for event in events
    ):
        yield "note.neuropathy-at-restart"
    if action is Action.RESUME:
        yield "note.resumption-interval"
    if seen.treatment.dose is not None and seen.treatment.dose.off_ladder is not None:
        yield "note.off-ladder"


GAPS = ("intervals.longest_gap", "intervals.supply", "intervals.late_after")
"""The numbers that tell when an absence is an interruption."""


def _relied_on_for_gaps(decision: Decision) -> Iterator[str]:
    """Yield what tells days without drug from others, and what follows from a pause."""
    seen, dose = decision.seen, decision.seen.treatment.dose
    before, previous = seen.before.treatment, seen.before.previous
    since: list[date | None] = []
    if previous is not None and before.phase in TREATED:
        since = [before.no_drug_since, previous.came_with.no_drug_since]
        if dose is not None and seen.phase in ON_TREATMENT:
            since.append(dose.interval_from)
    # What began before the last visit may have been told by the silence of that visit.
    by_silence = previous is not None and any(day < previous.on for day in since if day)
    if by_silence or drug_until(seen) is not None:
        yield from GAPS
        yield "note.days-without-drug"
    if decision.phase_after is Phase.INTERRUPTED:
        yield "intervals.resumable"


def _relied_on_for_ceiling(decision: Decision) -> Iterator[str]:
    """Yield what lowers the ceiling, now and from now on."""
    seen, before = decision.seen, decision.seen.before
    met = limits_met(decision.protocol.safety, seen.findings)
    if any(limit.shows is Position.ABOVE_CEILING for limit in met):
        yield "safety.clearance_ceiling"
        yield "note.clearance-age"
    if before.ceiling != decision.protocol.ladder.top:
        yield "note.harm-lowers-ceiling"
    if decision.advice.effects.limits_dose and dose_limiting_causes(seen):
        yield "note.harm-lowers-ceiling"
        if any(limit.limits_dose and limit.quantity == NEUTROPHILS.name for limit in met):
            yield "note.single-count"


def _relied_on_for_tests(seen: Observation) -> Iterator[str]:
    """Yield what tells which pregnancy tests count, and when they begin anew."""
    dose, start, patient = seen.treatment.dose, seen.baseline, seen.patient
    if seen.findings.pregnancy_ended is not None:
        yield "note.pregnancy-ended"
    if patient.able_to_become_pregnant is False or seen.phase is Phase.DISCONTINUED:
        return
    if patient.able_to_become_pregnant is None or patient.regular_cycles is None:
        yield "note.unknown-patient"
    if seen.findings.tests_count_from is not None:
        yield "note.tests-before-missed-period"
    # After a resumption the early tests may have begun anew.
    early_from = (dose.tests_from, dose.watched_from) if dose else ()
    if start and seen.phase in TREATED and any(day != start.on for day in early_from):
        yield "safety.tests_anew_after"


def _monitoring_due(decision: Decision) -> Iterator[MonitoringDue]:
    """Yield the days of counts and tests up to the next visit, and of the test after the end."""
    seen, after, next_visit = decision.seen, apply(decision), decision.next_visit
    if next_visit is None or after.baseline is None or after.treatment.dose is None:
        return
    if decision.phase_after not in TREATED:
        last = _last_test_due(decision, after.treatment.ended_on, next_visit.due)
        yield from _on_days("pregnancy_tests", last)
        return
    safety, patient, dose = decision.protocol.safety, seen.patient, after.treatment.dose

    def due(last: date | None, until: date, limit: Callable[[date], Interval]) -> Iterator[date]:
        while last is not None:
            # The last day on which it is recent enough, which is later once an early phase ends.
            early = limit(last).after(last)
            last = max(early, limit(early + timedelta(days=1)).after(last), decision.visit.date)
            if last > until:
                return
            yield last

    for name, count in (
        ("neutrophils", seen.findings.neutrophils),
        ("platelets", seen.findings.platelets),
    ):
        days = due(
            None if count is None else count.on,
            next_visit.due,
            lambda day: safety.counts_age_on(day, dose.watched_from),
        )
        yield from _on_days(name, days)
    if patient.able_to_become_pregnant is not False:
        newest = seen.findings.negative_tests[-1] if seen.findings.negative_tests else None
        until, off = next_visit.due, after.treatment.no_drug_since
        if decision.phase_after is Phase.INTERRUPTED and off is not None:
            # Afterwards the two tests of a start are asked for instead.
            until = min(until, safety.tests_anew_after.value.after(off))
        days = due(newest, until, lambda day: safety.test_age_on(day, dose.tests_from, patient))
        last = _last_test_due(decision, off, next_visit.due)
        yield from _on_days("pregnancy_tests", {*days, *last})


def _on_days(field: str, days: Iterable[date]) -> Iterator[MonitoringDue]:
    if in_order := tuple(sorted(days)):
        yield MonitoringDue(field, in_order)


def _last_test_due(decision: Decision, last_dose: date | None, until: date) -> Iterator[date]:
    """Yield the day of the pregnancy test that follows the last dose, if that comes by then."""
    seen = decision.seen
    if last_dose is None or seen.patient.able_to_become_pregnant is False:
        return
    day = decision.protocol.intervals.after_discontinuation.value.after(last_dose)
    pregnant = any(event.name == PREGNANCY for event in seen.findings.ongoing)
    if decision.visit.date < day <= until and not pregnant:
        yield day
