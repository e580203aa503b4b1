"""The safety criteria: thresholds of counts, clearance, events and tests, each with its provenance.

Counts decide, not their grades: editions of CTCAE grade the same count differently.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import Attribute, Factory, evolve, field, frozen
from attrs.validators import optional

from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.record.event_names import event_name, term_fault
from lenadose.record.event_terms import RESOLVABLE, SENSORY_NEUROPATHY
from lenadose.record.visit import Patient
from lenadose.terms.dosage import MG, Level
from lenadose.terms.errors import Fault, ProtocolError, describe
from lenadose.terms.facts import Position, Safety, Term
from lenadose.terms.interval import Interval
from lenadose.terms.provenance import Provenance, Sourced, sourced_number, within
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS
from lenadose.terms.validation import Validated, duplicates, is_identifier, refused, whole


class Lasts(Term):
    """How long a reported event counts."""

    NEWER_LIST = "until a newer list replaces it"
    RESOLVED = "until reported resolved"
    FOR_GOOD = "for good"


def _not_recordable(term: str) -> Fault | None:
    """Return why no course can show an event under this term, or None where one can."""
    fault = term_fault(term)
    if fault is not None:
        return Fault("", f"never recorded: {fault.reason}", fault.fix)
    if not term or term != event_name(term):
        return Fault(
            "",
            f"{describe(term)} is never met: terms are compared in lower case",
            "write it in lower case, without outer blanks",
        )
    return None


def _terms(_: object, attribute: "Attribute[Any]", value: tuple[str, ...]) -> None:
    told = ((index, _not_recordable(term)) for index, term in enumerate(value))
    faults = [each.within(f"{attribute.name}[{index}]") for index, each in told if each is not None]
    faults += duplicates(attribute.name, value, "keep one of the two")
    if faults:
        raise ProtocolError(faults)


def _danger(_: object, attribute: "Attribute[Any]", value: Safety) -> None:
    if value in (Safety.NOT_ASSESSED, Safety.ACCEPTABLE):
        reason = f"an event that was reported is never {value.label}"
        raise refused(attribute.name, reason, "write stop, interrupt or caution")


@frozen
class EventCriterion(Validated):
    """Which adverse events count (by term, by grade, or both), what follows, and for how long.

    `above_start` asks for a grade above that at the start; `harm` says that the level at which it
    interrupts treatment is not given again, `voids_tests` that pregnancy tests from before it no
    longer count.
    """

    id: str = field(validator=is_identifier)
    safety: Safety = field(validator=_danger)
    lasts: Lasts
    provenance: Provenance
    terms: tuple[str, ...] = field(default=(), validator=_terms)
    least_grade: int | None = field(default=None, validator=optional(whole(*GRADE, "the grade")))
    above_start: bool = False
    harm: bool = False
    voids_tests: bool = False

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a criterion that every event meets, and for parts that conflict."""
        if not self.terms and self.least_grade is None:
            yield Fault("terms", "criterion matches every event", "add terms or a least_grade")
        if self.lasts is Lasts.RESOLVED and not (self.terms and set(self.terms) <= set(RESOLVABLE)):
            fix = f"give terms only of {', '.join(RESOLVABLE)}"
            yield Fault("lasts", "no course can report it resolved", fix)
        if self.above_start and self.terms != (SENSORY_NEUROPATHY,):
            fix = f'give "{SENSORY_NEUROPATHY}" as its only term'
            yield Fault("above_start", "the grade at the start is known of one event only", fix)
        if self.voids_tests and self.lasts is not Lasts.RESOLVED:
            fix = "let it last until reported resolved, or leave voids_tests out"
            yield Fault("voids_tests", "it is not followed to its end", fix)
        if self.harm and self.safety is not Safety.INTERRUPT:
            yield Fault("harm", "it does not interrupt treatment", "leave harm to what interrupts")

    @property
    def words(self) -> str:
        """Which events meet the criterion: "rash of grade 4 or more"."""
        which = ", ".join(self.terms) or "any event"
        grade = f" of grade {self.least_grade} or more" if self.least_grade else ""
        return which + grade + (", above the grade at the start" if self.above_start else "")

    def applies(self, event: AdverseEvent, neuropathy_at_start: int | None) -> bool:
        """Return whether an event meets the criterion.

        Before a first start no grade is above that at the start.
        """
        if self.terms and event.name not in self.terms:
            return False
        if self.least_grade is not None and (event.grade or 0) < self.least_grade:
            return False
        if self.above_start:
            return neuropathy_at_start is not None and (event.grade or 0) > neuropathy_at_start
        return True


def _inverted(low: str, high: str, criteria: object) -> Iterator[Fault]:
    """Yield a fault for a graver limit above the milder one."""
    lower, upper = getattr(criteria, low).value, getattr(criteria, high).value
    if lower > upper:
        reason = f"{lower} is above {high}, {upper}"
        yield Fault(f"{low}.value", reason, "the graver limit is the lower one")


@frozen
class CountLimits(Validated):
    """The limits of a blood count, in 10⁹/L: below each of them the count is in the worse band."""

    interrupt_below: Sourced[Decimal] = field(
        validator=within(0, PLATELETS.largest),
        metadata=sourced_number("× 10⁹/L", "treatment is interrupted below"),
    )
    caution_below: Sourced[Decimal] = field(
        validator=within(0, PLATELETS.largest), metadata=sourced_number("× 10⁹/L", "caution below")
    )

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for limits the wrong way round."""
        return _inverted("interrupt_below", "caution_below", self)


def _in_tenths(limit: Sourced[Decimal]) -> Sourced[Decimal]:
    """Return a limit of neutrophils as it is printed: 1.0, never the 1 of data."""
    value = limit.value
    is_whole = value == value.to_integral_value() and value != 0
    return evolve(limit, value=value.quantize(Decimal("0.1"))) if is_whole else limit


@frozen
class Limit:
    """A limit of a result: below it, in the unit of the quantity, the result `shows` something.

    `id` names the number of the protocol. `limits_dose` says that the level at which it interrupts
    treatment is not given again, `same_day` that a same-day assessment is due.
    """

    id: str
    quantity: str
    shows: Safety | Position | None
    words: str
    below: Sourced[Decimal]
    limits_dose: bool = False
    same_day: bool = False

    def is_met(self, amount: Decimal) -> bool:
        """Return whether an amount is below the limit."""
        return amount < self.below.value


@frozen
class SafetyCriteria(Validated):
    """The limits and ages of counts, clearance and pregnancy tests, and the events that count."""

    neutrophils: CountLimits
    platelets: CountLimits
    neutrophils_same_day_below: Sourced[Decimal] = field(
        validator=within(0, NEUTROPHILS.largest),
        metadata=sourced_number("× 10⁹/L", "neutrophils: same-day assessment below"),
    )
    clearance_interrupt_below: Sourced[Decimal] = field(
        validator=within(0, CREATININE_CLEARANCE.largest),
        metadata=sourced_number("mL/min", "creatinine clearance: treatment is interrupted below"),
    )
    clearance_lowers_below: Sourced[Decimal] = field(
        validator=within(0, CREATININE_CLEARANCE.largest),
        metadata=sourced_number("mL/min", "creatinine clearance: the ceiling is lowered below"),
    )
    clearance_ceiling: Sourced[Level] = field(metadata=sourced_number("", "the lowered ceiling"))
    clearance_age: Sourced[Interval] = field(
        metadata=sourced_number("", "greatest age of a creatinine clearance")
    )
    counts_age_early: Sourced[Interval] = field(
        metadata=sourced_number(
            "", "greatest age of a count early after a start, a resumption or a rise"
        )
    )
    counts_early: Sourced[Interval] = field(
        metadata=sourced_number(
            "", "how long after a start, a resumption or a rise is early, last day included"
        )
    )
    counts_age: Sourced[Interval] = field(
        metadata=sourced_number("", "greatest age of a count otherwise")
    )
    first_test: Sourced[tuple[Interval, Interval]] = field(
        metadata=sourced_number("", "age of the first pregnancy test at a start")
    )
    second_test_age: Sourced[Interval] = field(
        metadata=sourced_number("", "greatest age of the second pregnancy test at a start")
    )
    test_age_early: Sourced[Interval] = field(
        metadata=sourced_number("", "greatest age of a pregnancy test early in a course")
    )
    tests_early: Sourced[Interval] = field(
        metadata=sourced_number(
            "",
            "how long after the start of a course is early for pregnancy tests, last day included",
        )
    )
    test_age: Sourced[Interval] = field(
        metadata=sourced_number(
            "", "greatest age of a pregnancy test afterwards, with regular cycles"
        )
    )
    test_age_irregular: Sourced[Interval] = field(
        metadata=sourced_number(
            "", "greatest age of a pregnancy test afterwards, with irregular cycles"
        )
    )
    tests_anew_after: Sourced[Interval] = field(
        metadata=sourced_number(
            "",
            "days without drug after which the two pregnancy tests of a start, and the early "
            "ones after it, begin anew",
        )
    )
    highest_daily_dose: Sourced[Decimal] = field(
        validator=within(0, MG[1]),
        metadata=sourced_number(
            "mg a day", "highest dose that a decision may advise; law 1 limits the ladder to it"
        ),
    )
    positive_test: EventCriterion
    not_asked: Provenance
    events: tuple[EventCriterion, ...]
    same_day_terms: tuple[str, ...] = field(validator=_terms)

    def contradictions(self) -> Iterator[Fault]:
        """Yield faults for limits and ages in the wrong order, and for duplicate names."""
        yield from _inverted("clearance_interrupt_below", "clearance_lowers_below", self)
        # A limit of 1500 is a count per µL: the limits themselves only know the range of platelets.
        for limit in ("interrupt_below", "caution_below"):
            value = getattr(self.neutrophils, limit).value
            if value > NEUTROPHILS.largest:
                fix = f"give a number from 0 to {NEUTROPHILS.largest}, in 10⁹/L"
                yield Fault(f"neutrophils.{limit}.value", f"{value} is outside its range", fix)
        earliest, latest = self.first_test.value
        if earliest.usual_days > latest.usual_days:
            reason = f"{earliest} is more than {latest}"
            yield Fault("first_test.value", reason, "give the lesser age first")
        ids = [event.id for event in self.events]
        yield from duplicates("events", ids)
        if self.positive_test.id in ids:
            fix = "give each a name of its own"
            yield Fault("positive_test.id", "an event has this name", fix)

    limits: tuple[Limit, ...] = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda self: tuple(self._limits()), takes_self=True),
    )
    """Every limit of a result: of one quantity the graver before the milder."""

    def _limits(self) -> Iterator[Limit]:
        for name, limits in (
            (NEUTROPHILS.name, self.neutrophils),
            (PLATELETS.name, self.platelets),
        ):
            danger, caution = limits.interrupt_below, limits.caution_below
            if name == NEUTROPHILS.name:
                danger, caution = _in_tenths(danger), _in_tenths(caution)
            yield Limit(
                f"{name}.interrupt_below", name, Safety.INTERRUPT, "interrupt", danger, True
            )
            yield Limit(f"{name}.caution_below", name, Safety.CAUTION, "caution", caution)
        yield Limit(
            "neutrophils_same_day_below",
            NEUTROPHILS.name,
            None,
            "same-day assessment",
            self.neutrophils_same_day_below,
            same_day=True,
        )
        for id, shows, words in (
            ("clearance_interrupt_below", Safety.INTERRUPT, "interrupt"),
            ("clearance_lowers_below", Position.ABOVE_CEILING, "lower ceiling"),
        ):
            yield Limit(id, CREATININE_CLEARANCE.name, shows, words, getattr(self, id))

    def limits_of(self, quantity: str) -> tuple[Decimal, Decimal]:
        """Return the graver and the milder limit of a quantity, in the unit used inside."""
        graver, milder = (
            limit.below.value
            for limit in self.limits
            if limit.quantity == quantity and limit.shows is not None
        )
        return graver, milder

    def counts_age_on(self, day: date, watched_from: date | None) -> Interval:
        """Return the greatest age of a count on a day."""
        if watched_from is None or self.counts_early.value.is_over(watched_from, day):
            return self.counts_age.value
        return self.counts_age_early.value

    def test_age_on(self, day: date, early_from: date, patient: Patient) -> Interval:
        """Return the greatest age of the newest negative pregnancy test on a day of a course.

        Tests are early from *early_from* on: the start, or a resumption after so long a pause that
        they began anew.
        """
        if not self.tests_early.value.is_over(early_from, day):
            return self.test_age_early.value
        return (self.test_age if patient.regular_cycles else self.test_age_irregular).value
