"""The protocol sheet, read a second time without looking at the rows: the oracle for the table
and its numbers.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from lenadose.terms.facts import (
    Action,
    EvidenceLevel,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)

LADDER = ((5, 2), (5, 1), (10, 1))
"""The levels from the lowest: mg, and every how many days."""

STARTING_LEVEL = 1
CEILING_OF_LOW_CLEARANCE = 1
ASSESSMENT_DAYS = 28
TAPER_MONTHS = 1
SUPPLY_DAYS = 28
LATE_DAYS = 7
SOON_DAYS = 7
GAP_DAYS = 7
RESUMABLE_DAYS = 28
WEEKS_AFTER_THE_END = 4


def row(facts: Facts) -> tuple[str, Action]:
    """Section 5: the row and its action."""
    match (facts.phase, facts.safety, facts.timing, facts.position, facts.response, facts.trial):
        # Before start.
        case (Phase.BEFORE_START, Safety.STOP | Safety.INTERRUPT, _, _, _, _):
            return "unfit-to-start", Action.PRESCRIBER_DECIDES
        case (Phase.BEFORE_START, _, _, _, Response.MILD, _):
            return "too-mild-to-start", Action.PRESCRIBER_DECIDES
        case (Phase.BEFORE_START, Safety.NOT_ASSESSED, _, _, _, _):
            return "ask-before-start", Action.REQUEST_DATA
        case (Phase.BEFORE_START, _, _, _, Response.NOT_ASSESSED, _):
            return "ask-before-start", Action.REQUEST_DATA
        case (Phase.BEFORE_START, _, _, _, Response.COMPLETE, _):
            return "nothing-to-treat", Action.OBSERVE
        case (Phase.BEFORE_START, _, _, _, Response.NONE | Response.PARTIAL | Response.WORSE, _):
            return "start", Action.START

        # Dangers, and the unknown, on treatment.
        case (Phase.TITRATION | Phase.TAPER | Phase.INTERRUPTED, Safety.STOP, _, _, _, _):
            return "stop-for-harm", Action.DISCONTINUE
        case (Phase.TITRATION | Phase.TAPER, Safety.INTERRUPT, _, _, _, _):
            return "interrupt-for-harm", Action.INTERRUPT
        case (Phase.TITRATION | Phase.TAPER, Safety.NOT_ASSESSED, _, _, _, _):
            return "ask-safety", Action.REQUEST_DATA

        # From here to the interruption safety is OK: acceptable or caution.
        case (Phase.TITRATION | Phase.TAPER, _, _, Position.OFF_LADDER, _, _):
            return "dosage-off-ladder", Action.PRESCRIBER_DECIDES
        case (Phase.TITRATION | Phase.TAPER, _, _, Position.ABOVE_CEILING, _, _):
            return "lower-to-ceiling", Action.REDUCE

        # Titration, on the ladder: lowest, middle, highest or only.
        case (Phase.TITRATION, _, Timing.BEFORE_DUE, _, _, _):
            return "await-assessment", Action.CONTINUE
        case (Phase.TITRATION, _, Timing.DUE, _, Response.NOT_ASSESSED, _):
            return "ask-response", Action.REQUEST_DATA
        case (
            Phase.TITRATION,
            Safety.ACCEPTABLE,
            Timing.DUE,
            Position.LOWEST | Position.MIDDLE,
            Response.NONE | Response.WORSE,
            _,
        ):
            return "escalate", Action.ESCALATE
        case (
            Phase.TITRATION,
            Safety.CAUTION,
            Timing.DUE,
            Position.LOWEST | Position.MIDDLE,
            Response.NONE,
            TherapeuticTrial.RUNNING,
        ):
            return "escalation-waits", Action.CONTINUE
        case (
            Phase.TITRATION,
            _,
            Timing.DUE,
            Position.HIGHEST | Position.ONLY,
            Response.NONE,
            TherapeuticTrial.RUNNING,
        ):
            return "persist", Action.CONTINUE
        case (
            Phase.TITRATION,
            _,
            Timing.DUE,
            Position.HIGHEST | Position.ONLY,
            Response.NONE,
            TherapeuticTrial.EXHAUSTED,
        ):
            return "no-benefit", Action.DISCONTINUE
        case (
            Phase.TITRATION,
            Safety.CAUTION,
            Timing.DUE,
            Position.LOWEST | Position.MIDDLE,
            Response.NONE,
            TherapeuticTrial.EXHAUSTED,
        ):
            return "no-benefit-not-to-raise", Action.PRESCRIBER_DECIDES
        case (Phase.TITRATION, _, Timing.DUE, Position.HIGHEST | Position.ONLY, Response.WORSE, _):
            return "loss-not-to-raise", Action.PRESCRIBER_DECIDES
        case (
            Phase.TITRATION,
            Safety.CAUTION,
            Timing.DUE,
            Position.LOWEST | Position.MIDDLE,
            Response.WORSE,
            _,
        ):
            return "loss-not-to-raise", Action.PRESCRIBER_DECIDES
        case (Phase.TITRATION, _, Timing.DUE, _, Response.PARTIAL, _):
            return "sustain", Action.CONTINUE
        case (
            Phase.TITRATION,
            _,
            Timing.DUE,
            Position.MIDDLE | Position.HIGHEST,
            Response.COMPLETE,
            _,
        ):
            return "begin-taper", Action.REDUCE
        case (
            Phase.TITRATION | Phase.TAPER,
            _,
            Timing.DUE,
            Position.LOWEST | Position.ONLY,
            Response.COMPLETE,
            _,
        ):
            return "taper-end", Action.FINISH

        # Taper, on the ladder; a relapse does not wait for the month.
        case (Phase.TAPER, _, Timing.DUE, Position.MIDDLE | Position.HIGHEST, Response.COMPLETE, _):
            return "taper-step", Action.REDUCE
        case (
            Phase.TAPER,
            _,
            Timing.BEFORE_DUE,
            _,
            Response.COMPLETE | Response.PARTIAL | Response.NONE,
            _,
        ):
            return "await-month", Action.CONTINUE
        case (Phase.TAPER, _, Timing.DUE, _, Response.PARTIAL | Response.NONE, _):
            return "pause-taper", Action.CONTINUE
        case (Phase.TAPER, _, _, _, Response.NOT_ASSESSED, _):
            return "ask-relapse", Action.REQUEST_DATA
        case (
            Phase.TAPER,
            Safety.ACCEPTABLE,
            _,
            Position.LOWEST | Position.MIDDLE,
            Response.WORSE,
            _,
        ):
            return "relapse-in-taper", Action.ESCALATE
        case (Phase.TAPER, _, _, Position.HIGHEST | Position.ONLY, Response.WORSE, _):
            return "relapse-not-to-raise", Action.PRESCRIBER_DECIDES
        case (Phase.TAPER, Safety.CAUTION, _, Position.LOWEST | Position.MIDDLE, Response.WORSE, _):
            return "relapse-not-to-raise", Action.PRESCRIBER_DECIDES

        # Interrupted.
        case (Phase.INTERRUPTED, Safety.INTERRUPT, _, _, _, _):
            return "remain-interrupted", Action.INTERRUPT
        case (Phase.INTERRUPTED, Safety.NOT_ASSESSED, _, _, _, _):
            return "ask-before-resuming", Action.REQUEST_DATA
        case (Phase.INTERRUPTED, _, Timing.BEFORE_DUE, Position.NONE, _, _):
            return "no-level-left", Action.DISCONTINUE
        case (Phase.INTERRUPTED, _, Timing.BEFORE_DUE, _, _, _):
            return "resume", Action.RESUME
        case (Phase.INTERRUPTED, _, Timing.DUE, _, _, _):
            return "interruption-too-long", Action.PRESCRIBER_DECIDES

        # Off treatment, and after it.
        case (Phase.OFF_TREATMENT, Safety.CAUTION | Safety.ACCEPTABLE, _, _, Response.WORSE, _):
            return "relapse-off-drug", Action.START
        case (Phase.OFF_TREATMENT, Safety.NOT_ASSESSED, _, _, Response.WORSE, _):
            return "ask-before-restart", Action.REQUEST_DATA
        case (Phase.OFF_TREATMENT, _, _, _, Response.NOT_ASSESSED, _):
            return "ask-before-restart", Action.REQUEST_DATA
        case (Phase.OFF_TREATMENT, Safety.STOP | Safety.INTERRUPT, _, _, Response.WORSE, _):
            return "unfit-to-restart", Action.PRESCRIBER_DECIDES
        case (
            Phase.OFF_TREATMENT,
            _,
            _,
            _,
            Response.COMPLETE | Response.PARTIAL | Response.NONE,
            _,
        ):
            return "surveillance", Action.OBSERVE
        case (Phase.DISCONTINUED, _, _, _, _, _):
            return "ended", Action.OBSERVE
    raise ValueError(f"the sheet has no row for {facts}")


ADAPTED_ROWS = frozenset({"lower-to-ceiling", "persist", "resume", "surveillance"})


def tag(facts: Facts) -> EvidenceLevel:
    """Section 5: the tag of the case that applies."""
    name, _ = row(facts)
    if name in ADAPTED_ROWS:
        return EvidenceLevel.ADAPTED
    well = facts.safety is Safety.ACCEPTABLE
    match name:
        case "start" | "taper-step":
            stated = well
        case "begin-taper":
            stated = well and facts.position is Position.MIDDLE
        case "await-month":
            stated = well and facts.response is Response.COMPLETE
        case _:
            stated = False
    return EvidenceLevel.STATED if stated else EvidenceLevel.ASSUMED


STATED_NUMBERS = frozenset(
    {
        "ladder.1",
        "ladder.2",
        "safety.highest_daily_dose",
        "intervals.taper_step",
        "response.complete_at",
        "response.reduction_needs",
    }
)
LABEL_NUMBERS = frozenset(
    {
        "intervals.after_discontinuation",
        "intervals.supply",
        "safety.counts_age",
        "safety.counts_age_early",
        "safety.counts_early",
        "safety.first_test",
        "safety.second_test_age",
        "safety.test_age",
        "safety.test_age_early",
        "safety.test_age_irregular",
        "safety.tests_early",
        "event.grade-3",
        "event.hypersensitivity",
        "event.positive-test",
        "event.possible-pregnancy",
        "event.pregnancy",
        "event.rash-grade-4",
    }
)
ADAPTED_NUMBERS = frozenset(
    {
        "ladder.0",
        "intervals.surveillance",
        "intervals.trial",
        "intervals.trial_at_level",
        "response.partial_points",
        "response.partial_share",
        "safety.clearance_ceiling",
        "safety.clearance_lowers_below",
        "safety.neutrophils.interrupt_below",
        "safety.platelets.interrupt_below",
    }
)


def number_tag(name: str) -> EvidenceLevel:
    """Sections 2 and 4: the tag of a level, a number or an event, by its name in the ledger."""
    if name in STATED_NUMBERS:
        return EvidenceLevel.STATED
    if name in LABEL_NUMBERS:
        return EvidenceLevel.LABEL
    return EvidenceLevel.ADAPTED if name in ADAPTED_NUMBERS else EvidenceLevel.ASSUMED


def response(phase: Phase, a: int | None, b: int, m: int) -> Response:
    """Section 4: the response by the score alone; before the first start there is nothing to
    compare with.
    """
    if a is None:
        return Response.NOT_ASSESSED
    if a == 0:
        return Response.COMPLETE
    if phase is Phase.BEFORE_START:
        return Response.MILD if a < 4 else Response.NONE
    if phase in (Phase.TITRATION, Phase.INTERRUPTED):
        worse = a - m >= 4 and a - m >= Fraction(b - m, 2)
    else:
        worse = a - m >= 4 or (a >= b and a >= 4)
    if worse:
        return Response.WORSE
    partial = (b - a >= 4 and b - a >= Fraction(b, 5)) or a < 4
    return Response.PARTIAL if partial else Response.NONE


def response_as_judged(phase: Phase, a: int | None, shown: Response, judged: Response) -> Response:
    """Section 4: what a judgement (partial, none or worse) makes of the response that the score
    *a* shows.
    """
    if shown in (Response.COMPLETE, Response.MILD):
        return shown
    relapse = judged is Response.WORSE and phase in (Phase.TAPER, Phase.OFF_TREATMENT)
    if a is None:
        return shown if phase is Phase.BEFORE_START or relapse else judged
    if relapse and phase is Phase.OFF_TREATMENT and a < 4:
        return shown
    return judged


def count_safety(neutrophils: Decimal, platelets: Decimal) -> Safety:
    """Section 4: what two counts, both in 10*9/L, allow."""
    if neutrophils < Decimal("1.0") or platelets < 50:
        return Safety.INTERRUPT
    if neutrophils < Decimal("1.5") or platelets < 75:
        return Safety.CAUTION
    return Safety.ACCEPTABLE


def clearance(value: Decimal) -> tuple[bool, bool]:
    """Section 4: whether a clearance in mL/min interrupts, and whether it lowers the ceiling."""
    return value < 30, 30 <= value < 60


STOPS_FOR_GOOD = frozenset(
    {
        "angioedema",
        "anaphylaxis",
        "SJS/TEN",
        "DRESS",
        "bullous rash",
        "exfoliative rash",
        "venous thromboembolism",
        "arterial thromboembolism",
    }
)
STOPS_WHILE_IT_LASTS = frozenset({"pregnancy"})
INTERRUPTS = frozenset(
    {
        "febrile neutropenia",
        "missed period",
        "abnormal bleeding",
        "suspected thromboembolism",
        "systemic flare",
    }
)
INTERRUPTS_FROM_GRADE_2 = frozenset({"liver enzymes", "bilirubin"})
SAME_DAY = frozenset({"febrile neutropenia", "suspected thromboembolism"})


def event_safety(term: str, grade: int | None = None, grade_at_start: int = 0) -> Safety:
    """Section 4: what one event allows, where it has just been reported; no grade where the word
    alone decides.
    """
    if term in STOPS_FOR_GOOD or term in STOPS_WHILE_IT_LASTS:
        return Safety.STOP
    if grade is not None and grade >= 4:
        return Safety.STOP
    if term in INTERRUPTS or grade == 3:
        return Safety.INTERRUPT
    if grade == 2 and term in INTERRUPTS_FROM_GRADE_2:
        return Safety.INTERRUPT
    if grade == 2:
        newly = term == "sensory neuropathy" and grade > grade_at_start
        return Safety.INTERRUPT if newly else Safety.CAUTION
    return Safety.ACCEPTABLE


def same_day(term: str, grade: int | None = None) -> bool:
    """Section 4: whether an event that was not there before asks for a same-day assessment."""
    return term in SAME_DAY or event_safety(term, grade) is Safety.STOP


def counts_too_old(days_since_watched_from: int | None, age_days: int) -> bool:
    """Section 4: the calendar of counts, from the last start, resumption or rise; None where there
    was none.
    """
    closely = days_since_watched_from is not None and days_since_watched_from <= 56
    return age_days > (7 if closely else 28)


def clearance_too_old(measured: date, on: date) -> bool:
    """Section 4: no clearance in 6 months."""
    return on > months_after(measured, 6)


def tests_suffice_at_start(days_before: Iterable[int]) -> bool:
    """Section 4: negative pregnancy tests, given as days before the start."""
    ages = set(days_before)
    return bool(ages & {10, 11, 12, 13, 14}) and bool(ages & {0, 1})


def tests_suffice_in_course(day_of_course: int, age_days: int, regular_cycles: bool) -> bool:
    """Section 4: the newest negative pregnancy test in a course, interrupted or not."""
    if day_of_course <= 28:
        return age_days <= 7
    return age_days <= (28 if regular_cycles else 14)


def tests_begin_anew(no_drug_since: date, on: date) -> bool:
    """Section 4: the two tests of a start and the weekly ones, after 28 days without drug."""
    return (on - no_drug_since).days > 28


def window_for_tests(on: date, negative: Iterable[date]) -> tuple[date, date, date]:
    """Section 5: earliest, due and latest day at which both tests of a start can be there."""
    first = min((each for each in negative if (on - each).days < 14), default=on)
    earliest = max(first + timedelta(days=10), on + timedelta(days=1))
    latest = first + timedelta(days=14)
    return earliest, latest, latest


def window_soon(on: date, no_drug_since: date | None = None) -> tuple[date, date, date]:
    """Section 5: within 7 days; in an interruption not past the last day of simple resumption,
    while that lies ahead.
    """
    due = on + timedelta(days=SOON_DAYS)
    if no_drug_since is not None:
        last = no_drug_since + timedelta(days=RESUMABLE_DAYS)
        if last > on:
            due = min(due, last)
    return on + timedelta(days=1), due, due


def visit_after_the_end(ended: date, on: date) -> date | None:
    """Section 5: in the phase `discontinued`, four weeks after the end until that is past."""
    end = ended + timedelta(weeks=WEEKS_AFTER_THE_END)
    return end if end > on else None


def days_without_drug(
    seen: date, advised: bool, latest: date | None, on: date, said: bool
) -> tuple[date, int]:
    """Section 2: the day after which there was no drug, and how many days that are: after a
    decision without a dosage, or beyond both the latest day of the visit and one prescription.
    """
    until = max(seen + timedelta(days=SUPPLY_DAYS), latest or seen) if advised else seen
    return until, 0 if said else max(0, (on - until).days)


def interrupted_by_absence(days: Sequence[int]) -> bool:
    """Section 2: whether so many days without drug, in a row over one or more visits, interrupt."""
    return sum(days) > GAP_DAYS


def months_after(day: date, months: int) -> date:
    """Section 2: one addition of calendar months; where the month is too short, its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    first_of_next = date(day.year + years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(day.year + years, month + 1, min(day.day, last))


def interval_end(begun: date, phase: Phase, doses_missed: int = 0, every_days: int = 1) -> date:
    """Section 2: when the interval has run out: 4 weeks, in taper a month, and the days missed
    once over a fifth.
    """
    end = (
        months_after(begun, TAPER_MONTHS)
        if phase is Phase.TAPER
        else begun + timedelta(days=ASSESSMENT_DAYS)
    )
    doses = Fraction((end - begun).days, every_days)
    if doses_missed > doses / 5:
        end += timedelta(days=doses_missed * every_days)
    return end


def timing(end: date, on: date) -> Timing:
    """Section 2: no tolerance for an early visit."""
    return Timing.DUE if on >= end else Timing.BEFORE_DUE


def late(due: date, on: date) -> bool:
    """Section 2: when a visit is late."""
    return (on - due).days > LATE_DAYS


def trial_exhausted(
    on: date, started: date, last_response: date | None, at_level_since: date
) -> bool:
    """Section 2: 12 weeks since the start or the last partial or complete response, 8 of them at
    this level.
    """
    since = started if last_response is None else max(started, last_response)
    return (on - since).days >= 84 and (on - at_level_since).days >= 56


def interruption_too_long(interrupted_on: date, on: date) -> bool:
    """Section 2: the longest interruption that may simply be resumed is 28 days."""
    return (on - interrupted_on).days > RESUMABLE_DAYS


def surveillance_dates(finished: date) -> list[date]:
    """Section 2: the visits after the finish."""
    weeks = [finished + timedelta(weeks=each) for each in (2, 4, 8)]
    return weeks + [months_after(finished, each) for each in (3, 6, 9, 12)]


def next_surveillance(finished: date, on: date) -> date | None:
    """Section 2: the first visit after a day, if one is left."""
    return next((each for each in surveillance_dates(finished) if each > on), None)
