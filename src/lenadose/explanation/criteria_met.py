"""Every criterion that a decision looked at, met or not: value, threshold, and where the threshold comes from."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from attrs import frozen

from lenadose.engine.observe import Observation, interval_name
from lenadose.record.visit import Result
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import (
    ON_TREATMENT,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval, months_between
from lenadose.terms.provenance import Provenance, Sourced
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, PRINTED, Quantity

Value = int | str | bool | Decimal | Fraction | date | None
"""What a reason can hold."""


@frozen
class EvaluatedCriterion:
    """A criterion looked at: its id in the ledger, value, threshold, and whether it was met (None: not known).

    `working` says where a threshold that depends on the patient comes from, "1/5 of B", or an age in months where the
    threshold is one. `word` is the word of a fact that it makes for: where it is met, but "not assessed" where it is
    not.
    """

    id: str
    words: str
    value: Value
    threshold: str
    unit: str
    met: bool | None
    provenance: Provenance
    working: str = ""
    word: Term | None = None

    @property
    def makes_its_word(self) -> bool:
        """Whether the criterion makes for its word here."""
        return self.met is not True if self.word is Safety.NOT_ASSESSED else self.met is True


def checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Give every criterion looked at: of the response, of safety, and of the clocks."""
    yield from _response_checks(seen)
    yield from _safety_checks(seen)
    yield from _clocks(seen)


def _response_checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    criteria, now = seen.protocol.response, seen.visit.clasi_activity
    at = criteria.complete_at
    met = None if now is None else now <= at.value
    words, threshold, complete = "complete: A at most", str(at.value), Response.COMPLETE
    yield EvaluatedCriterion(
        "response.complete_at", words, now, threshold, "points", met, at.provenance, word=complete
    )
    start = seen.baseline.activity if seen.baseline else None
    if start is None:
        return
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else None

    def check(
        name: str,
        word: Response | None,
        words: str,
        value: int | None,
        least: Fraction | int,
        working: str = "",
    ) -> EvaluatedCriterion:
        met = None if value is None else value >= least
        shown = format_decimal(Decimal(least.numerator) / least.denominator)
        source = getattr(criteria, name).provenance
        return EvaluatedCriterion(
            f"response.{name}", words, value, shown, "points", met, source, working, word
        )

    rise = None if now is None or nadir is None else now - nadir
    points = criteria.worse_points.value
    yield check("worse_points", Response.WORSE, "worse: A - M at least", rise, points)
    if seen.phase in (Phase.TITRATION, Phase.INTERRUPTED):
        share = criteria.worse_share.value
        gain = start - (start if nadir is None else nadir)
        yield check(
            "worse_share",
            Response.WORSE,
            "worse: and A - M at least",
            rise,
            share * gain,
            f"{share} of B - M, {gain}",
        )
    else:
        yield check("worse_points", Response.WORSE, "worse: or A at least B", now, start)
    fall = None if now is None else start - now
    low = criteria.low_start.value
    yield check("low_start", None, "B at least (else its share alone counts)", start, low)
    if start < low:
        share = criteria.low_share.value
        part = "all" if share == 1 else share
        yield check(
            "low_share",
            Response.PARTIAL,
            "partial: B - A at least",
            fall,
            share * start,
            f"{part} of B, {start}",
        )
    else:
        points, share = criteria.partial_points.value, criteria.partial_share.value
        yield check("partial_points", Response.PARTIAL, "partial: B - A at least", fall, points)
        if share:
            yield check(
                "partial_share",
                Response.PARTIAL,
                "partial: and B - A at least",
                fall,
                share * start,
                f"{share} of B, {start}",
            )


def _safety_checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    safety, known = seen.protocol.safety, seen.findings
    asked = seen.visit.adverse_events is not None
    for criterion in (safety.positive_test, *safety.events):
        met = [each for each in known.ongoing if each.criterion is criterion]
        named = "; ".join(
            str(each.event) if each.event else f"test of {each.since}" for each in met
        )
        unknown = not asked and not met and criterion is not safety.positive_test
        which = (
            "a positive pregnancy test" if criterion is safety.positive_test else criterion.words
        )
        yield EvaluatedCriterion(
            f"event.{criterion.id}",
            f"{criterion.safety.label}: {which}",
            named or (None if unknown else "none"),
            criterion.lasts.label,
            "",
            None if unknown else bool(met),
            criterion.provenance,
            word=criterion.safety,
        )
    words, unasked = "adverse events asked about", Safety.NOT_ASSESSED
    yield EvaluatedCriterion(
        "safety.not_asked", words, asked, "at this visit", "", asked, safety.not_asked, word=unasked
    )
    for quantity, count, limits in (
        (NEUTROPHILS, known.neutrophils, safety.neutrophils),
        (PLATELETS, known.platelets, safety.platelets),
    ):
        for name, verdict in (
            ("interrupt_below", Safety.INTERRUPT),
            ("caution_below", Safety.CAUTION),
        ):
            limit: Sourced[Decimal] = getattr(limits, name)
            words = f"{verdict.label}: {quantity.name} below"
            yield _below(f"safety.{quantity.name}.{name}", words, count, limit, quantity, verdict)
    yield _below(
        "safety.neutrophils_same_day_below",
        "same-day assessment: neutrophils below",
        known.neutrophils,
        safety.neutrophils_same_day_below,
        NEUTROPHILS,
    )
    for name, words, word in (
        ("clearance_interrupt_below", "interrupt: creatinine clearance below", Safety.INTERRUPT),
        (
            "clearance_lowers_below",
            "lower ceiling: creatinine clearance below",
            Position.ABOVE_CEILING,
        ),
    ):
        yield _below(
            f"safety.{name}",
            words,
            known.clearance,
            getattr(safety, name),
            CREATININE_CLEARANCE,
            word,
        )
    yield from _age_checks(seen)


def _below(
    id: str,
    words: str,
    known: Result | None,
    limit: Sourced[Decimal],
    quantity: Quantity,
    word: Term | None = None,
) -> EvaluatedCriterion:
    value = known.amount if known else None
    met = None if value is None else value < limit.value
    return EvaluatedCriterion(
        id, words, value, str(limit.value), PRINTED[quantity.unit], met, limit.provenance, word=word
    )


def _on(known: Result | None) -> date | None:
    return None if known is None else known.on


def _age_checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Give the ages that were held against their limits; met means recent enough."""
    safety, known, day = seen.protocol.safety, seen.findings, seen.visit.date

    def age(
        id: str,
        words: str,
        on: date | None,
        limit: Sourced[Interval],
        word: Safety | None = Safety.NOT_ASSESSED,
    ) -> EvaluatedCriterion:
        days = None if on is None else (day - on).days
        recent = None if on is None else not limit.value.is_over(on, day)
        # Days cannot be held against months by hand: the age is said in months too.
        old = limit.value.days is None and days is not None and days > 31
        months = f"the age is {months_between(on, day)}" if on is not None and old else ""
        return EvaluatedCriterion(
            f"safety.{id}",
            words,
            days,
            str(limit.value),
            "days",
            recent,
            limit.provenance,
            months,
            word,
        )

    early = seen.treatment.dose is not None and not safety.counts_early.value.is_over(
        seen.treatment.dose.watched_from, day
    )
    if seen.treatment.dose is not None:
        yield age(
            "counts_early",
            "early after the last start, resumption or rise",
            seen.treatment.dose.watched_from,
            safety.counts_early,
            None,
        )
    name, limit = (
        ("counts_age_early", safety.counts_age_early)
        if early
        else ("counts_age", safety.counts_age)
    )
    yield age(name, "neutrophils recent enough: age at most", _on(known.neutrophils), limit)
    yield age(name, "platelets recent enough: age at most", _on(known.platelets), limit)
    clearance = _on(known.clearance)
    yield age(
        "clearance_age",
        "creatinine clearance recent enough: age at most",
        clearance,
        safety.clearance_age,
    )
    if seen.patient.able_to_become_pregnant is False or seen.phase is Phase.DISCONTINUED:
        return
    newest = known.negative_tests[-1] if known.negative_tests else None
    if seen.baseline is None or seen.phase is Phase.OFF_TREATMENT:
        earliest, latest = safety.first_test.value
        first = [
            on
            for on in known.negative_tests
            if earliest.after(on) <= day and not latest.is_over(on, day)
        ]
        window = f"{earliest.count} to {latest.count} days before"
        yield EvaluatedCriterion(
            "safety.first_test",
            "first negative pregnancy test before a start",
            str(first[-1]) if first else None,
            window,
            "",
            bool(first),
            safety.first_test.provenance,
            word=Safety.NOT_ASSESSED,
        )
        yield age(
            "second_test_age",
            "second negative pregnancy test: age at most",
            newest,
            safety.second_test_age,
        )
        return
    yield age(
        "tests_early",
        "early in the course, for pregnancy tests",
        seen.baseline.on,
        safety.tests_early,
        None,
    )
    if not safety.tests_early.value.is_over(seen.baseline.on, day):
        name, limit = "test_age_early", safety.test_age_early
    elif seen.patient.regular_cycles:
        name, limit = "test_age", safety.test_age
    else:
        name, limit = "test_age_irregular", safety.test_age_irregular
    yield age(name, "negative pregnancy test recent enough: age at most", newest, limit)


def _clocks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Give the dates that were held against the day of the visit."""
    day = seen.visit.date
    intervals, dose, last = seen.protocol.intervals, seen.treatment.dose, seen.before.previous
    if last is not None and last.due is not None:
        late = intervals.late_after
        yield EvaluatedCriterion(
            "intervals.late_after",
            "late: days after this visit was due more than",
            (day - last.due).days,
            str(late.value),
            "days",
            late.value.is_over(last.due, day),
            late.provenance,
        )
    if dose is None or seen.baseline is None:
        return
    if seen.phase in ON_TREATMENT and seen.due_on is not None:
        name = interval_name(seen.phase, dose)
        interval: Sourced[Interval] = getattr(intervals, name)
        runs = (interval.value.after(dose.interval_from) - dose.interval_from).days
        share = intervals.missed_share
        yield EvaluatedCriterion(
            "intervals.missed_share",
            "interval lengthened: days missed more than",
            dose.days_missed,
            format_decimal(
                Decimal((share.value * runs).numerator) / (share.value * runs).denominator
            ),
            "days",
            dose.days_missed > share.value * runs,
            share.provenance,
            f"{share.value} of {runs}",
        )
        yield EvaluatedCriterion(
            f"intervals.{name}",
            "due: on or after",
            day,
            str(seen.due_on),
            "",
            day >= seen.due_on,
            interval.provenance,
            word=Timing.DUE,
        )
    if seen.phase is Phase.INTERRUPTED and seen.treatment.interrupted_on is not None:
        longest = intervals.resumable
        yield EvaluatedCriterion(
            "intervals.resumable",
            "too long to be simply resumed: days off the drug more than",
            (day - seen.treatment.interrupted_on).days,
            str(longest.value),
            "days",
            longest.value.is_over(seen.treatment.interrupted_on, day),
            longest.provenance,
            word=Timing.DUE,
        )
    if seen.phase in (*ON_TREATMENT, Phase.INTERRUPTED):
        for name, since, words in (
            (
                "trial",
                seen.treatment.responded_on or seen.baseline.on,
                "the later of the start and the last response",
            ),
            ("trial_at_level", dose.since, "the last change of level"),
        ):
            part: Sourced[Interval] = getattr(intervals, name)
            over = part.value.after(since)
            yield EvaluatedCriterion(
                f"intervals.{name}",
                f"trial exhausted: {part.value} since {words}, on or after",
                day,
                str(over),
                "",
                day >= over,
                part.provenance,
                word=TherapeuticTrial.EXHAUSTED,
            )
