"""The reasons for a decision, as data: what was seen, the arithmetic, every criterion looked at, what is leaned on.

All of it is worked out from the decision on request, and with it the decision can be redone by hand. Words are
rendered last, in `render`.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cached_property

from attrs import frozen

from lenadose.engine.machine import Decision, apply, dose_limiting_causes
from lenadose.engine.observe import Observation, interval_name, limits_met
from lenadose.engine.state import CurrentLevel
from lenadose.explanation.criteria_met import EvaluatedCriterion, Value, checks
from lenadose.protocol.protocol import LedgerEntry, case_id
from lenadose.record.adverse_event import KNOWN_TERMS, SENSORY_NEUROPATHY
from lenadose.record.visit import Result
from lenadose.terms.dosage import lower_of
from lenadose.terms.facts import (
    ON_TREATMENT,
    Action,
    EvidenceLevel,
    Phase,
    Position,
    Safety,
    Timing,
)
from lenadose.terms.interval import Interval
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS


@frozen
class InputUsed:
    """A fact that was used or recorded, as it was given: value, unit, date and age at the visit."""

    field: str
    value: Value
    unit: str
    on: date
    age_days: int


@frozen
class Calculation:
    """A step of the arithmetic: what it is, its value, and how it comes about."""

    name: str
    value: Value
    unit: str
    working: str


@frozen
class Notice:
    """Something the reader must be told, whatever was decided."""

    id: str
    words: str


@frozen
class Supply:
    """The longest supply on one prescription against the days to the next visit, in days."""

    days: int
    days_to_next_visit: int

    @property
    def shortfall(self) -> int:
        """The days that one prescription does not cover."""
        return max(0, self.days_to_next_visit - self.days)


@frozen
class MonitoringDue:
    """What falls due between this visit and the next one: a field of the visit, and the days."""

    field: str
    days: tuple[date, ...]


@frozen(slots=False)
class Rationale:
    """All that a decision rests on. A clinician can redo the decision by hand from what is in here."""

    decision: Decision

    @cached_property
    def inputs(self) -> tuple[InputUsed, ...]:
        """Every input used, with unit, date and age."""
        return tuple(_inputs(self.decision.seen))

    @cached_property
    def arithmetic(self) -> tuple[Calculation, ...]:
        """The figures that the criteria were held against, and how each comes about."""
        return tuple(_arithmetic(self.decision))

    @cached_property
    def criteria(self) -> tuple[EvaluatedCriterion, ...]:
        """Every criterion looked at, met or not."""
        return tuple(checks(self.decision.seen))

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What the reader must be told."""
        return tuple(_notices(self.decision))

    @cached_property
    def leaned_on(self) -> tuple[LedgerEntry, ...]:
        """The rules and numbers that the decision leans on, stated ones too, in the order of the ledger.

        With the same past, another number changes the action, the dosage or the next visit only where it is named here.
        """
        decision = self.decision
        leaned_on = {check.id for check in self.criteria} | set(_leaned_on(decision))
        leaned_on.add(case_id(decision.rule, decision.case))
        return tuple(each for each in decision.protocol.ledger if each.id in leaned_on)

    @cached_property
    def assumptions(self) -> tuple[LedgerEntry, ...]:
        """The rules and numbers leaned on that the trial does not state, in the order of the ledger."""
        return tuple(
            each for each in self.leaned_on if each.provenance.tag is not EvidenceLevel.STATED
        )

    @cached_property
    def monitoring_due(self) -> tuple[MonitoringDue, ...]:
        """Blood counts and pregnancy tests that fall due up to the next visit."""
        return tuple(_falls_due(self.decision))

    @property
    def supply(self) -> Supply | None:
        """The supply on one prescription against the days to the next visit; None without a dosage."""
        decision = self.decision
        if decision.dosage is None or decision.next_visit is None:
            return None
        longest = decision.protocol.intervals.supply.value
        day = decision.visit.date
        return Supply((longest.after(day) - day).days, (decision.next_visit.due - day).days)

    @property
    def reason(self) -> str:
        """The decision in one line: the facts that its case asks for, each with the figures behind it."""
        return "; ".join(_reason(self.decision))


def rationale(decision: Decision) -> Rationale:
    """Give the reasons for a decision."""
    return Rationale(decision)


# What was seen


def _inputs(seen: Observation) -> Iterator[InputUsed]:
    visit, day, patient = seen.visit, seen.visit.date, seen.patient

    def at_visit(field: str, value: Value, unit: str = "") -> InputUsed:
        return InputUsed(field, value, unit, day, 0)

    def result(field: str, known: Result) -> InputUsed:
        return InputUsed(
            field, known.given.value, known.given.unit, known.on, (day - known.on).days
        )

    if visit.clasi_activity is not None:
        yield at_visit("clasi_activity", visit.clasi_activity, "points")
    if visit.clasi_damage is not None:
        yield at_visit("clasi_damage", visit.clasi_damage, "points")
    if visit.judgement is not None:
        yield at_visit("judgement", f"{visit.judgement.response.label}: {visit.judgement.reason}")
    for quantity, known in (
        (NEUTROPHILS, seen.findings.neutrophils),
        (PLATELETS, seen.findings.platelets),
        (CREATININE_CLEARANCE, seen.findings.clearance),
    ):
        if known is not None:
            yield result(quantity.name, known)
    tests, oldest = seen.findings.negative_tests, seen.protocol.safety.first_test.value[1]
    for on in (on for on in tests if on is tests[-1] or not oldest.is_over(on, day)):
        yield InputUsed("pregnancy_tests", "negative", "", on, (day - on).days)
    # An event can stand under several criteria; it is told once.
    for since, event in dict.fromkeys((each.since, each.event) for each in seen.findings.ongoing):
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
            "years" if value == patient.age else "",
        )


# The arithmetic


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}".replace("%", " %") if whole else "no percentage of 0"


def _arithmetic(decision: Decision) -> Iterator[Calculation]:
    seen, before, day = decision.seen, decision.seen.before, decision.visit.date
    intervals = decision.protocol.intervals
    now, start, nadir = seen.visit.clasi_activity, seen.baseline, seen.treatment.nadir
    if now is not None:
        yield Calculation("A", now, "points", f"CLASI activity now, {day}")
    if start is not None and start.activity is not None:
        yield Calculation(
            "B", start.activity, "points", f"CLASI activity at the start of the course, {start.on}"
        )
    if start is not None and nadir is not None:
        yield Calculation(
            "M",
            nadir.activity,
            "points",
            f"lowest since the start or the last rise in dose, {nadir.on}",
        )
    if now is not None and start is not None and start.activity is not None:
        fall = start.activity - now
        yield Calculation(
            "B - A", fall, "points", f"fall since the start: {_percent(fall, start.activity)} of B"
        )
        if nadir is not None:
            rise, gain = now - nadir.activity, start.activity - nadir.activity
            yield Calculation(
                "A - M",
                rise,
                "points",
                f"rise above the lowest: {_percent(rise, gain)} of the gain B - M, {gain}",
            )
    if start is not None:
        yield Calculation(
            "day of the course", (day - start.on).days, "days", f"since the start on {start.on}"
        )
    dose = seen.treatment.dose
    if dose is not None and seen.phase in ON_TREATMENT and seen.due_on is not None:
        if dose.off_ladder is not None:
            yield Calculation(
                "taken",
                str(dose.off_ladder),
                "",
                "no level of the ladder; the last level held counts below",
            )
        yield Calculation(
            "days at this level",
            (day - dose.since).days,
            "days",
            f"{dose.level} since {dose.since}",
        )
        yield Calculation(
            "days missed",
            dose.days_missed,
            "days",
            f"of the interval that runs from {dose.interval_from}",
        )
        interval: Interval = getattr(intervals, interval_name(seen.phase, dose)).value
        lengthened = _lengthened(interval, dose, seen.due_on)
        yield Calculation(
            "due", seen.due_on, "", f"{interval} from {dose.interval_from}{lengthened}"
        )
    if dose is not None and start is not None and seen.phase in (*ON_TREATMENT, Phase.INTERRUPTED):
        since = seen.treatment.responded_on or start.on
        which = "the last response" if seen.treatment.responded_on else "the start"
        ends = (
            intervals.trial.value.after(since),
            intervals.trial_at_level.value.after(dose.since),
        )
        yield Calculation(
            "trial of therapy exhausted",
            max(ends),
            "",
            f"the later of {intervals.trial.value} from {which} on {since} and "
            f"{intervals.trial_at_level.value} from {dose.since}",
        )
    if seen.phase is Phase.INTERRUPTED and seen.treatment.interrupted_on is not None:
        off = (day - seen.treatment.interrupted_on).days
        yield Calculation(
            "days off the drug", off, "days", f"interrupted since {seen.treatment.interrupted_on}"
        )
        if dose is not None:
            resumed = lower_of(dose.level, seen.ceiling) or "no level"
            yield Calculation(
                "level before",
                str(dose.level),
                "",
                f"to resume at: {resumed}, the lower of it and the ceiling",
            )
    if before.finished_on is not None:
        yield Calculation(
            "days since the finish",
            (day - before.finished_on).days,
            "days",
            f"on {before.finished_on}",
        )
    yield Calculation("ceiling", str(seen.ceiling or "no level"), "", _ceiling_cause(seen))
    for harm in before.limiting_events:
        yield Calculation(
            "earlier harm", ", ".join(harm.causes), "", f"on {harm.on}, at {harm.level}"
        )
    last = before.previous
    if last is not None and last.due is not None:
        after = (day - last.due).days
        late = ", late" if intervals.late_after.value.is_over(last.due, day) else ""
        verdict = (
            f"{_days(after)} after it was due{late}"
            if after > 0
            else f"{_days(-after)} early"
            if after
            else "on time"
        )
        yield Calculation("this visit was due", last.due, "", verdict)
    if decision.next_visit is not None:
        yield Calculation("next visit due", decision.next_visit.due, "", _next_due(decision))


def _next_due(decision: Decision) -> str:
    """Say how the day of the next visit comes about."""
    day, due = decision.visit.date, decision.next_visit.due if decision.next_visit else None
    name = next(iter(_spans_leaned_on(decision))).removeprefix("intervals.")
    if name == "surveillance":
        finished_on = decision.seen.before.finished_on or day
        spans: tuple[Interval, ...] = decision.protocol.intervals.surveillance.value
        return next(
            f"{each} from the finish on {finished_on}"
            for each in spans
            if each.after(finished_on) == due
        )
    span: Interval = getattr(decision.protocol.intervals, name).value
    which = next(each.words for each in decision.protocol.ledger if each.id == f"intervals.{name}")
    return (
        f"{span} from {day}: {which}"
        if span.after(day) == due
        else f"when the interval that runs is over: {which}"
    )


def _lengthened(interval: Interval, dose: CurrentLevel, due_on: date) -> str:
    return (
        ""
        if interval.after(dose.interval_from) == due_on
        else f" and {dose.days_missed} days that were missed"
    )


def _ceiling_cause(seen: Observation) -> str:
    safety, left = seen.protocol.safety, seen.before.ceiling
    causes = []
    if left != seen.protocol.ladder.top:
        causes += [
            f"{', '.join(harm.causes)} at {harm.level}" for harm in seen.before.limiting_events
        ]
    causes += [
        f"creatinine clearance {result.given}, below {limit.below.value} mL/min"
        for limit in limits_met(safety, seen.findings)
        if limit.shows is Position.ABOVE_CEILING
        and (result := seen.findings.results[limit.quantity])
    ]
    return "; ".join(causes) or "the highest level"


# What was leaned on


def _leaned_on(decision: Decision) -> Iterator[str]:
    """Give what the decision leans on beside the criteria looked at and the row that applied."""
    seen, action, before = decision.seen, decision.action, decision.seen.before
    if decision.level is not None:
        yield f"ladder.{decision.level.rank}"
        yield "intervals.supply"
    yield from _spans_leaned_on(decision)
    if seen.ceiling != seen.protocol.ladder.top:
        yield (
            "safety.clearance_ceiling"
            if before.ceiling == seen.protocol.ladder.top
            else "note.harm-lowers-ceiling"
        )
    if seen.phase is Phase.INTERRUPTED and dose_limiting_causes(seen):
        yield "note.harm-lowers-ceiling"
    if seen.visit.judgement is not None:
        yield "note.judgement"
    if seen.treatment.dose is not None and seen.phase in ON_TREATMENT:
        yield "note.early-visit"
        if seen.visit.doses_missed is None:
            yield "note.silence-about-doses"
    if seen.phase is Phase.OFF_TREATMENT and seen.visit.judgement is not None:
        yield "note.judgement-off-treatment"
    if seen.visit.dosage_taken is not None and seen.visit.dosage_taken.dosage is None:
        yield "note.nothing-taken"
    if seen.patient.able_to_become_pregnant is None or seen.patient.regular_cycles is None:
        yield "note.unknown-patient"
    if seen.findings.pregnancy_ended is not None:
        yield "note.pregnancy-ended"
    known = before.findings.neutrophils, before.findings.platelets, before.findings.clearance
    if any(
        old and new and old.on == new.on for old, new in zip(known, seen.visit.counted, strict=True)
    ):
        yield "note.same-day-results"
    events = seen.visit.adverse_events or ()
    if seen.phase is Phase.OFF_TREATMENT and any(
        each.name == SENSORY_NEUROPATHY for each in events
    ):
        yield "note.neuropathy-at-restart"
    if action is Action.RESUME:
        yield "note.resumption-interval"
    if seen.treatment.dose is not None and seen.treatment.dose.off_ladder is not None:
        yield "note.off-ladder"


def _spans_leaned_on(decision: Decision) -> Iterator[str]:
    """Give the spans of time that the next visit leans on, also where they leave none."""
    action, goes_on = decision.action, decision.phase_after in ON_TREATMENT
    question = action in (Action.INTERRUPT, Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    if question or (goes_on and decision.facts.safety is Safety.CAUTION):
        yield "intervals.soon"
        return
    if decision.phase_after is Phase.TAPER:
        yield "intervals.taper_step"
    elif goes_on:
        dose = decision.seen.treatment.dose
        due = decision.facts.timing is Timing.DUE
        reviews = action is Action.CONTINUE and (due or (dose is not None and dose.reviewed))
        yield "intervals.review" if reviews else "intervals.first_assessment"
    elif action is Action.DISCONTINUE:
        yield "intervals.after_discontinuation"
    elif decision.phase_after is Phase.OFF_TREATMENT:
        yield "intervals.surveillance"
    if decision.next_visit is not None:
        yield "intervals.late_after"


# What the reader must be told


def _notices(decision: Decision) -> Iterator[Notice]:
    seen, patient, known, safety = (
        decision.seen,
        decision.seen.patient,
        decision.seen.findings,
        decision.protocol.safety,
    )
    day = decision.visit.date
    urgent = [
        each.name
        for each in known.ongoing
        if each.name in safety.same_day_terms and each.since == day
    ]
    urgent += [
        f"{limit.quantity} {result.given}"
        for limit in limits_met(safety, known)
        if limit.same_day and (result := known.results[limit.quantity])
    ]
    if urgent:
        yield Notice("same-day-assessment", f"same-day assessment: {', '.join(urgent)}")
    taken = decision.visit.dosage_taken
    advised = seen.before.previous.advised if seen.before.previous else None
    if taken is not None and taken.dosage != (advised.dosage if advised else None):
        yield Notice(
            "not-advised",
            f"{taken.dosage or 'nothing'} was taken since the visit before; advised was {advised or 'no drug'}",
        )
    judgement = decision.visit.judgement
    if judgement is not None and decision.visit.clasi_activity is not None:
        scored = seen.protocol.response.of(
            seen.phase,
            decision.visit.clasi_activity,
            seen.baseline.activity if seen.baseline else None,
            seen.treatment.nadir.activity if seen.treatment.nadir else None,
            None,
        )
        yield Notice(
            "judgement",
            f"judged {judgement.response.label} ({judgement.reason}); by the scores alone the response would be "
            f"{scored.label}",
        )
    if seen.phase in ON_TREATMENT and decision.visit.doses_missed is None:
        yield Notice("silence-about-doses", "missed doses were not reported and count as none")
    unknown = [
        str(each) for each in decision.visit.adverse_events or () if each.name not in KNOWN_TERMS
    ]
    if unknown:
        yield Notice(
            "unknown-terms",
            f"judged by the grade alone, the term being unknown here: {'; '.join(unknown)}",
        )
    subtype = (patient.subtype or "").lower()
    if "panniculitis" in subtype or "profundus" in subtype:
        yield Notice("panniculitis", "lupus panniculitis: 2 of 2 did not respond (KINDLE16)")
    antibodies = patient.antiphospholipid.label if patient.antiphospholipid else "unknown"
    yield Notice(
        "antiphospholipid",
        f"antiphospholipid antibodies: {antibodies}; thrombosis is a risk of the drug",
    )
    yield Notice("not-checked", f"not checked here: {'; '.join(seen.protocol.unchecked)}")


def _falls_due(decision: Decision) -> Iterator[MonitoringDue]:
    """List the days on which counts and tests come due while a course runs, the day of the next visit included."""
    seen, after, next_visit = decision.seen, apply(decision), decision.next_visit
    if next_visit is None or after.baseline is None or after.treatment.dose is None:
        return
    if decision.phase_after not in (*ON_TREATMENT, Phase.INTERRUPTED):
        return
    safety, patient, start, dose = (
        decision.protocol.safety,
        seen.patient,
        after.baseline,
        after.treatment.dose,
    )

    def due(
        field: str, last: date | None, limit: Callable[[date], Interval]
    ) -> Iterator[MonitoringDue]:
        days: tuple[date, ...] = ()
        while last is not None:
            # The last day on which it is recent enough: one not yet old when an early phase ends has longer.
            early = limit(last).after(last)
            last = max(early, limit(early + timedelta(days=1)).after(last), decision.visit.date)
            if last > next_visit.due:
                break
            days += (last,)
        if days:
            yield MonitoringDue(field, days)

    for name, count in (
        ("neutrophils", seen.findings.neutrophils),
        ("platelets", seen.findings.platelets),
    ):
        yield from due(
            name,
            None if count is None else count.on,
            lambda day: safety.counts_age_on(day, dose.watched_from),
        )
    if patient.able_to_become_pregnant is not False:
        newest = seen.findings.negative_tests[-1] if seen.findings.negative_tests else None
        yield from due(
            "pregnancy_tests", newest, lambda day: safety.test_age_on(day, start.on, patient)
        )


def _reason(decision: Decision) -> Iterator[str]:
    """Say each fact that the case asks for, with the figures behind it."""
    seen, asked = decision.seen, decision.case.conditions
    if "response" in asked:
        yield fact_said(decision, "response")
    if "safety" in asked or decision.facts.safety is Safety.CAUTION:
        yield fact_said(decision, "safety")
    if "timing" in asked and seen.due_on is not None:
        yield fact_said(decision, "timing")
    if seen.phase is Phase.INTERRUPTED and seen.treatment.interrupted_on is not None:
        yield f"interrupted since {seen.treatment.interrupted_on}"
    for name in ("trial", "position"):
        if name in asked:
            yield fact_said(decision, name)
    if asked.keys() == {"phase"}:
        yield fact_said(decision, "phase")


def fact_said(decision: Decision, name: str) -> str:
    """Say one of the six facts, with the figures behind it."""
    seen, facts = decision.seen, decision.facts
    match name:
        case "response":
            return f"response {facts.response.label}{_skin(seen)}"
        case "safety":
            cause = safety_cause(seen)
            return f"safety {facts.safety.label}{f' ({cause})' if cause else ''}"
        case "timing" if seen.due_on is not None:
            missed = (
                f" with {_days(seen.treatment.dose.days_missed)} missed"
                if seen.treatment.dose and seen.treatment.dose.days_missed
                else ""
            )
            return f"{facts.timing.label}: the interval is over on {seen.due_on}{missed}"
        case "trial":
            return f"trial of therapy {facts.trial.label}"
        case "position":
            lowered = seen.ceiling != seen.protocol.ladder.top
            place = (
                f" (at most {seen.ceiling or 'no level'}: {_ceiling_cause(seen)})"
                if lowered
                else ""
            )
            return f"level {facts.position.label}{place}"
    return str(getattr(facts, name).label)


def _skin(seen: Observation) -> str:
    visit = seen.visit
    if visit.clasi_activity is None:
        return f" (judged: {visit.judgement.response.label})" if visit.judgement else ""
    start = seen.baseline.activity if seen.baseline else None
    if start is None:
        return f" (CLASI activity {visit.clasi_activity})"
    fall = start - visit.clasi_activity
    way = "down" if fall >= 0 else "up"
    change = f"{way} {abs(fall)} from {start} at the start, {_percent(abs(fall), start)}"
    rise = visit.clasi_activity - (
        seen.treatment.nadir.activity if seen.treatment.nadir else visit.clasi_activity
    )
    nadir = (
        f"; up {rise} from the lowest, {seen.treatment.nadir.activity}"
        if seen.treatment.nadir and rise
        else ""
    )
    judged = f"; judged: {visit.judgement.response.label}" if visit.judgement else ""
    return f" (CLASI activity {visit.clasi_activity}, {change}{nadir}{judged})"


def safety_cause(seen: Observation) -> str:
    """Name what makes safety what it is: the dangers, the cautions, or what is missing."""
    safety, known, found = seen.protocol.safety, seen.findings, seen.facts.safety
    if found is Safety.NOT_ASSESSED:
        return ", ".join(
            f"{gap.field.replace('_', ' ')} {gap.why.label}"
            for gap in seen.missing_fields
            if gap.field != "clasi_activity"
        )
    if found is Safety.ACCEPTABLE:
        return ""
    causes = [
        f"{limit.quantity.replace('_', ' ')} {result.given}"
        for limit in limits_met(safety, known)
        if limit.shows is found and (result := known.results[limit.quantity])
    ]
    # An event can meet several criteria; the best founded one is named.
    tags: dict[str, EvidenceLevel] = {}
    for each in known.ongoing:
        if each.criterion.safety is found:
            name, tag = str(each.event or "positive pregnancy test"), each.criterion.provenance.tag
            tags[name] = min(tag, tags.get(name, tag), key=lambda tag: tag.rank)
    return ", ".join([*causes, *(f"{name} [{tag.label}]" for name, tag in tags.items())])
