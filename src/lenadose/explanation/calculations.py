"""The arithmetic behind a decision: what the criteria are compared with, and how it comes about."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from attrs import frozen

from lenadose.engine.machine import Decision, awaits_two_tests, same_day_dangers
from lenadose.engine.observe import Observation, interval_name, limits_met
from lenadose.engine.state import CurrentLevel, OngoingEvent
from lenadose.explanation.criteria_met import Value, drug_until
from lenadose.protocol.advice import FollowUp
from lenadose.protocol.safety import Limit
from lenadose.terms.dosage import lower_of
from lenadose.terms.facts import ON_TREATMENT, TREATED, Phase, Position
from lenadose.terms.interval import Interval

CLASI_LEVELS = (20, 50, 70)
"""The falls, in percent of the start, that publications count."""


@frozen
class Calculation:
    """A step of the arithmetic: what it is, its value, and how it comes about."""

    name: str
    value: Value
    unit: str
    working: str


def calculations(decision: Decision) -> Iterator[Calculation]:
    """Yield each step of the arithmetic."""
    seen, before, day = decision.seen, decision.seen.before, decision.visit.date
    intervals = decision.protocol.intervals
    now, start, nadir = seen.visit.clasi_activity, seen.baseline, seen.treatment.nadir
    if now is not None:
        yield Calculation("A, now", now, "points", f"CLASI activity at this visit, {day}")
    if start is not None and start.activity is not None:
        yield Calculation(
            "B, baseline", start.activity, "points", f"CLASI activity at {origin(seen)}, {start.on}"
        )
    if start is not None and nadir is not None:
        yield Calculation(
            "M, best",
            nadir.activity,
            "points",
            f"lowest since {origin(seen)} or the last rise in dose, {nadir.on}",
        )
    if now is not None and start is not None and start.activity is not None:
        yield from _change_since_start(now, start.activity, origin(seen))
        if nadir is not None:
            rise, gain = now - nadir.activity, start.activity - nadir.activity
            share = (
                f": {percent(rise, gain)} of the gain B - M, {gain}" if rise and gain > 0 else ""
            )
            yield Calculation("A - M", rise, "points", f"rise above the lowest{share}")
    if start is not None:
        yield Calculation(
            "day of the course",
            (day - start.on).days,
            "days",
            f"since {origin(seen)} on {start.on}",
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
    yield from _supplied(seen)
    if dose is not None and start is not None and seen.phase in (*ON_TREATMENT, Phase.INTERRUPTED):
        since = seen.treatment.responded_on or start.on
        which = "the last response" if seen.treatment.responded_on else origin(seen)
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
        since = seen.treatment.no_drug_since or seen.treatment.interrupted_on
        other = f"; no drug since {since}" if since != seen.treatment.interrupted_on else ""
        yield Calculation(
            "days interrupted", off, "days", f"since {seen.treatment.interrupted_on}{other}"
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
    yield from _end_of_treatment(decision)
    yield Calculation("ceiling", str(seen.ceiling or "no level"), "", ceiling_cause(seen))
    for limiting in before.limiting_events:
        yield Calculation(
            "earlier harm", ", ".join(limiting.causes), "", f"on {limiting.on}, at {limiting.level}"
        )
    last = before.previous
    if last is not None and last.next_visit is not None:
        due = last.next_visit.due
        after = (day - due).days
        late = ", late" if intervals.late_after.value.is_over(due, day) else ""
        verdict = (
            f"{in_days(after)} after it was due{late}"
            if after > 0
            else f"{in_days(-after)} early"
            if after
            else "on time"
        )
        yield Calculation("this visit was due", due, "", verdict)
    if decision.next_visit is not None:
        yield Calculation("next visit due", decision.next_visit.due, "", _next_due(decision))


def _change_since_start(now: int, start: int, origin: str) -> Iterator[Calculation]:
    """Yield the fall since the baseline with the published limits that it reaches, or the rise."""
    name, change = ("B - A", start - now) if now <= start else ("A - B", now - start)
    share = f": {percent(change, start)} of B" if start else ""
    direction = "fall since" if now <= start else "rise since"
    yield Calculation(name, change, "points", f"{direction} {origin}{share}")
    reached = [level for level in CLASI_LEVELS if start and (start - now) * 100 >= start * level]
    yield Calculation(
        "CLASI-20, CLASI-50, CLASI-70",
        f"{' and '.join(f'CLASI-{level}' for level in reached) or 'none'} reached",
        "",
        "a fall of at least 20, 50 and 70 % of B; the first two are outcomes of a guideline "
        "(British, 2021; restated), and a series of 40 calls more than 20 % minimal and more than "
        "50 % partial (FRENCH40; restated)",
    )


def _supplied(seen: Observation) -> Iterator[Calculation]:
    """Yield until when there was drug to take, and the days without, of a visit silent on it."""
    day, intervals, previous = seen.visit.date, seen.protocol.intervals, seen.before.previous
    until = drug_until(seen)
    if until is None or previous is None:
        return
    working = f"no drug was advised on {previous.on}"
    if previous.advised is not None:
        supply = intervals.supply.value
        latest = previous.next_visit.latest if previous.next_visit else supply.after(previous.on)
        working = (
            f"the later of {supply} from {previous.on} and the latest day of the next visit "
            f"planned then, {latest}"
        )
    yield Calculation("drug to take until", until, "", working)
    if day > until:
        since = seen.before.treatment.no_drug_since or until
        longest = intervals.longest_gap.value
        verdict = (
            f"more than {longest}: interrupted"
            if longest.is_over(since, day)
            else f"not more than {longest}: missed days"
        )
        yield Calculation(
            "days without drug", (day - since).days, "days", f"since {since}, {verdict}"
        )


def _end_of_treatment(decision: Decision) -> Iterator[Calculation]:
    """Yield the end of treatment, and of the pregnancy prevention that is counted from it."""
    seen, day = decision.seen, decision.visit.date
    ends = decision.advice.effects.ends or seen.visit.stopped is not None
    ended_on = day if ends else seen.treatment.ended_on
    if ended_on is None or decision.phase_after in TREATED:
        return
    how = (
        "at this visit"
        if ends
        else f"moved to this visit: {seen.unadvised} was taken"
        if seen.unadvised
        else "as of an earlier visit"
    )
    yield Calculation("end of treatment", ended_on, "", how)
    if seen.patient.able_to_become_pregnant is not False:
        after = decision.protocol.intervals.after_discontinuation.value
        yield Calculation(
            "end of pregnancy prevention",
            after.after(ended_on),
            "",
            f"{after} from the end of treatment, {ended_on}",
        )


def follow_up_intervals(decision: Decision) -> Iterator[str]:
    """Yield the intervals of the protocol that set the next visit, also where they leave none."""
    follow_up, dose = decision.follow_up, decision.seen.treatment.dose
    if follow_up is FollowUp.WHEN_DUE and dose is not None:
        yield f"intervals.{interval_name(decision.phase_after, dose)}"
    elif follow_up is not FollowUp.NEVER:
        yield f"intervals.{follow_up.name.lower()}"
    if follow_up is not FollowUp.SOON and decision.next_visit is not None:
        yield "intervals.late_after"


def _next_due(decision: Decision) -> str:
    """Describe how the day of the next visit comes about."""
    day, due = decision.visit.date, decision.next_visit.due if decision.next_visit else None
    name = next(iter(follow_up_intervals(decision))).removeprefix("intervals.")
    if name == "surveillance":
        finished_on = decision.seen.before.finished_on or day
        planned: tuple[Interval, ...] = decision.protocol.intervals.surveillance.value
        return next(
            f"{interval} from the finish on {finished_on}"
            for interval in planned
            if interval.after(finished_on) == due
        )
    interval: Interval = getattr(decision.protocol.intervals, name).value
    ledger = decision.protocol.ledger
    which = next(entry.words for entry in ledger if entry.id == f"intervals.{name}")
    if decision.follow_up is FollowUp.WHEN_DUE:
        return f"when the interval that runs is over: {which}"
    since, ended_on = day, decision.seen.treatment.ended_on
    if decision.follow_up is FollowUp.AFTER_DISCONTINUATION and ended_on:
        since = ended_on
    which += _why_sooner(decision)
    if decision.follow_up is FollowUp.SOON and awaits_two_tests(decision.seen, decision.advice):
        interval = decision.protocol.safety.first_test.value[1]
        tests = decision.seen.findings.negative_tests
        since = next((on for on in tests if interval.after(on) > day), day)
        which = f"both pregnancy tests can have been done by then, the first of them on {since}"
    if interval.after(since) == due:
        return f"{interval} from {since}: {which}"
    # Only in an interruption is a visit brought forward.
    resumable = decision.protocol.intervals.resumable.value
    interrupts = decision.advice.effects.interrupts
    off = day if interrupts else decision.seen.treatment.interrupted_on or day
    return (
        f"{resumable} from {off}, the last day on which the interruption may simply be resumed; "
        f"without that {interval.after(since)}: {which}"
    )


def _why_sooner(decision: Decision) -> str:
    """Describe why the next visit is sooner than the action alone would have it."""
    if decision.follow_up is decision.advice.follow_up:
        return ""
    dangers = [danger_name(decision.seen, danger) for danger in same_day_dangers(decision.seen)]
    causes = ", ".join(dangers) or f"{decision.seen.unadvised} taken, not advised"
    return f"; sooner because of {causes}"


def danger_name(seen: Observation, danger: OngoingEvent | Limit) -> str:
    """Return a danger as it is named for people: the event, or the count with its value."""
    if isinstance(danger, OngoingEvent):
        return danger.name if danger.event else "positive pregnancy test"
    result = seen.findings.result(danger.quantity)
    return f"{danger.quantity} {result.given if result else ''}".strip()


def _lengthened(interval: Interval, dose: CurrentLevel, due_on: date) -> str:
    if interval.after(dose.interval_from) == due_on:
        return ""
    were = "was" if dose.days_missed == 1 else "were"
    return f" and {in_days(dose.days_missed)} that {were} missed"


def ceiling_cause(seen: Observation) -> str:
    """Name what lowers the ceiling."""
    safety, left = seen.protocol.safety, seen.before.ceiling
    causes = []
    if left != seen.protocol.ladder.top:
        causes += [
            f"{', '.join(limiting.causes)} at {limiting.level}"
            for limiting in seen.before.limiting_events
        ]
    for limit in limits_met(safety, seen.findings):
        result = seen.findings.result(limit.quantity)
        if result and limit.shows is Position.ABOVE_CEILING:
            causes.append(f"creatinine clearance {result.given}, below {limit.below.value} mL/min")
    return "; ".join(causes) or "the highest level"


def origin(seen: Observation) -> str:
    """Name what the baseline dates from: the start, or a relapse in taper."""
    dose, baseline = seen.treatment.dose, seen.baseline
    if dose is None or baseline is None or dose.tests_from == baseline.on:
        return "the start"
    # Tests that began anew after a long pause no longer tell when the course started.
    return (
        "the relapse in taper"
        if dose.tests_from < baseline.on
        else "the start or a relapse in taper"
    )


def in_days(count: int) -> str:
    """Format a number of days: "1 day", "3 days"."""
    return f"{count} day{'' if count == 1 else 's'}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def printed_date(day: date) -> str:
    """Format a day for people, whatever the locale: "21 Mar 2025"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def in_doses(count: int) -> str:
    """Format a number of doses: "1 dose", "3 doses"."""
    return f"{count} dose{'' if count == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """Format a share of a number above 0 in percent, with one decimal, rounded half up."""
    share = Decimal(100 * part) / whole
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)} %"
