"""Every criterion that a decision looked at, met or not, with its value and threshold."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from attrs import frozen

from lenadose.engine.intake import supplied_until
from lenadose.engine.observe import Observation, interval_name, needs_two_tests
from lenadose.protocol.response import MEASURES, RELATIONS, Comparison, ResponseCriteria, Scores
from lenadose.record.measurement import Result
from lenadose.terms.dosage import format_decimal
from lenadose.terms.facts import (
    ON_TREATMENT,
    Phase,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import Interval, months_between
from lenadose.terms.provenance import Provenance, Sourced
from lenadose.terms.units import PRINTED, QUANTITIES

Value = int | str | bool | Decimal | Fraction | date | None
"""The kinds of value that a reason can hold."""


@frozen
class EvaluatedCriterion:
    """A criterion looked at: its id in the ledger, value, threshold, and whether it was met.

    `met` is None where the value is not known. `working` shows how a threshold that depends on the
    patient was worked out ("1/5 of B"), or an age in months where the threshold is in months.
    `word` is the fact that the criterion establishes when it is met; "not assessed" when it is not.
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
        """Return whether the criterion establishes its word at this visit."""
        return self.met is not True if self.word is Safety.NOT_ASSESSED else self.met is True


def drug_until(seen: Observation) -> date | None:
    """Return the last day on which there was drug to take, None unless the visit is silent on it.

    A visit is silent that does not say what was taken since the one before, on the ladder.
    """
    visit, previous, before = seen.visit, seen.before.previous, seen.before.treatment
    if previous is None or before.phase not in ON_TREATMENT or visit.stopped is not None:
        return None
    told = visit.dosage_taken is not None or (visit.doses_missed is not None and previous.advised)
    if told or before.dose is None or before.dose.off_ladder is not None:
        return None
    return supplied_until(seen.protocol, previous)


def pause_before_tests(seen: Observation) -> tuple[date, date] | None:
    """Return the days between which there was no drug, where that can make tests begin anew.

    It is the interruption up to this visit, or up to the resumption that the prescriber decided on.
    """
    before, since = seen.before, seen.treatment.no_drug_since
    if seen.phase is Phase.INTERRUPTED:
        return None if since is None else (since, seen.visit.date)
    was_off = before.treatment.no_drug_since
    resumed = before.treatment.phase is Phase.INTERRUPTED and seen.phase in ON_TREATMENT
    if not resumed or was_off is None or before.previous is None:
        return None
    return was_off, before.previous.on


def checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Yield every criterion looked at: of the response, of safety, and of the clocks."""
    yield from _response_checks(seen)
    yield from _safety_checks(seen)
    yield from _clocks(seen)


def _response_checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Yield the comparisons of the response criteria that apply to this visit."""
    numbers, now = seen.protocol.response, seen.visit.clasi_activity
    start = seen.baseline.activity if seen.baseline else None
    nadir = seen.treatment.nadir.activity if seen.treatment.nadir else start
    scores = {"activity": now, "baseline": start, "nadir": nadir}
    last: Response | None = None
    for criterion in numbers.criteria:
        if seen.phase not in criterion.phases:
            continue
        if start is None and criterion.response not in (Response.COMPLETE, Response.MILD):
            return
        word, label = criterion.response, criterion.response.label
        for index, comparison in enumerate(criterion.comparisons):
            if _is_idle(comparison, scores):
                continue
            joined = " and" if index else " or" if word is last else ""
            yield _compared(numbers, comparison, scores, f"{label}:{joined}", word)
        last = word


def _is_idle(comparison: Comparison, scores: Mapping[str, int | None]) -> bool:
    """Return whether a share is compared with that of a gain where nothing was gained."""
    start, nadir = scores["baseline"], scores["nadir"]
    return comparison.share_of == "gain" and (start or 0) <= (nadir or 0)


def _compared(
    numbers: ResponseCriteria,
    comparison: Comparison,
    scores: Mapping[str, int | None],
    words: str,
    word: Response,
) -> EvaluatedCriterion:
    """Return a comparison with its value, None where the score of this visit is not known."""
    known = Scores(**{name: score or 0 for name, score in scores.items()})
    unknown = scores["activity"] is None and comparison.measure != "baseline"
    threshold, working = comparison.threshold(known), ""
    if comparison.share_of is not None:
        share = "all" if comparison.limit == 1 else comparison.limit
        whole = getattr(known, comparison.share_of)
        working = f"{share} of {MEASURES[comparison.share_of]}, {whole}"
    return EvaluatedCriterion(
        f"response.{comparison.number}",
        f"{words} {MEASURES[comparison.measure]} {RELATIONS[comparison.relation]}",
        None if unknown else getattr(known, comparison.measure),
        format_decimal(Decimal(threshold.numerator) / threshold.denominator),
        "points",
        None if unknown else comparison.is_met(known),
        getattr(numbers, comparison.number).provenance,
        working,
        word,
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
    for limit in safety.limits:
        quantity, result = QUANTITIES[limit.quantity], known.result(limit.quantity)
        yield EvaluatedCriterion(
            f"safety.{limit.id}",
            f"{limit.words}: {quantity.name.replace('_', ' ')} below",
            result.value_in(quantity) if result else None,
            str(limit.below.value),
            PRINTED[quantity.unit],
            limit.is_met(result.amount) if result else None,
            limit.below.provenance,
            word=limit.shows,
        )
    yield from _age_checks(seen)


def _on(known: Result | None) -> date | None:
    return None if known is None else known.on


def _age_checks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Yield the ages compared with their limits; met means recent enough."""
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
        # Days cannot be compared with months by hand, so the age is given in months too.
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
    clearance = _on(known.creatinine_clearance)
    yield age(
        "clearance_age",
        "creatinine clearance recent enough: age at most",
        clearance,
        safety.clearance_age,
    )
    if seen.patient.able_to_become_pregnant is False or seen.phase is Phase.DISCONTINUED:
        return
    newest = known.negative_tests[-1] if known.negative_tests else None
    dose, pause = seen.treatment.dose, pause_before_tests(seen)
    if pause is not None:
        off, until = pause
        yield EvaluatedCriterion(
            "safety.tests_anew_after",
            "pregnancy tests begin anew: days off the drug more than",
            (until - off).days,
            str(safety.tests_anew_after.value),
            "days",
            safety.tests_anew_after.value.is_over(off, until),
            safety.tests_anew_after.provenance,
        )
    if dose is None or needs_two_tests(safety, seen.treatment, day):
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
        dose.tests_from,
        safety.tests_early,
        None,
    )
    if not safety.tests_early.value.is_over(dose.tests_from, day):
        name, limit = "test_age_early", safety.test_age_early
    elif seen.patient.regular_cycles:
        name, limit = "test_age", safety.test_age
    else:
        name, limit = "test_age_irregular", safety.test_age_irregular
    yield age(name, "negative pregnancy test recent enough: age at most", newest, limit)


def _clocks(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Yield the dates compared with the day of the visit."""
    day = seen.visit.date
    intervals, dose, last = seen.protocol.intervals, seen.treatment.dose, seen.before.previous
    if last is not None and last.next_visit is not None:
        due = last.next_visit.due
        late = intervals.late_after
        yield EvaluatedCriterion(
            "intervals.late_after",
            "late: days after this visit was due more than",
            max(0, (day - due).days),
            str(late.value),
            "days",
            late.value.is_over(due, day),
            late.provenance,
        )
    yield from _supply(seen)
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
            "too long to be simply resumed: days interrupted more than",
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


def _supply(seen: Observation) -> Iterator[EvaluatedCriterion]:
    """Yield what tells days without drug, where the visit does not say what was taken."""
    day, intervals, previous = seen.visit.date, seen.protocol.intervals, seen.before.previous
    until = drug_until(seen)
    if until is None or previous is None:
        return
    if previous.advised is not None:
        yield EvaluatedCriterion(
            "intervals.supply",
            "drug to take: on or before",
            day,
            str(until),
            "",
            day <= until,
            intervals.supply.provenance,
        )
    since = until if day <= until else seen.before.treatment.no_drug_since or until
    yield EvaluatedCriterion(
        "intervals.longest_gap",
        "interrupted: days without drug more than",
        max(0, (day - since).days),
        str(intervals.longest_gap.value),
        "days",
        day > until and intervals.longest_gap.value.is_over(since, day),
        intervals.longest_gap.provenance,
    )
