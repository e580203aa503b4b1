"""What was recorded of a patient: the patient, the visits, and the course that they make.

All but the date of a visit may be missing, and missing is never normal. Each value is checked when it is made; a
value that no patient has, or that contradicts another one, raises CallError with its place.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from lenadose.record.adverse_event import AdverseEvent, event_name
from lenadose.record.fields import (
    Check,
    RecordPart,
    _amount,
    _day,
    _each,
    _is,
    _many,
    _optional,
    _range,
    _required,
    _text,
    _value,
    _whole,
    _words,
    one_of,
)
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, format_decimal
from lenadose.terms.errors import CallError, Fault, describe, fault
from lenadose.terms.facts import Term
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, PRINTED, Quantity

ACTIVITY = (0, 70)
DAMAGE = (0, 56)
AGE = (18, 120)
MISSED = (0, 36525)


class JudgedResponse(Term):
    """The clinician's own judgement of the response."""

    IMPROVED = "improved"
    NOT_IMPROVED = "not improved"
    WORSE = "worse"


class TestResult(Term):
    """What a pregnancy test showed."""

    __test__ = False  # a result of a test, not a test of this library

    NEGATIVE = "negative"
    POSITIVE = "positive"


class Antiphospholipid(Term):
    """Whether antiphospholipid antibodies were found."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


# A word may be given as it is said; anything else is left for the check that names its place, which is why the types of
# what is returned are switched off here.


def _antiphospholipid(given: Antiphospholipid | str | None) -> Antiphospholipid | None:
    return one_of(Antiphospholipid, given) or given  # type: ignore[return-value]


def _result(given: TestResult | str) -> TestResult:
    return one_of(TestResult, given) or given  # type: ignore[return-value]


def _judged(given: JudgedResponse | str) -> JudgedResponse:
    return one_of(JudgedResponse, given) or given  # type: ignore[return-value]


@frozen
class Patient(RecordPart):
    """Who the patient is, as far as it matters here; what is None is unknown.

    `age` in whole years: under 18 is outside the protocol and refused. An unknown ability to become pregnant
    counts as able, unknown cycles as irregular.
    """

    id: str | None = field(default=None, validator=_optional(_text))
    age: int | None = field(
        default=None,
        validator=_whole(*AGE, "the age in years of an adult (others are outside the protocol)"),
    )
    able_to_become_pregnant: bool | None = field(default=None, validator=_is(bool, "true or false"))
    regular_cycles: bool | None = field(default=None, validator=_is(bool, "true or false"))
    subtype: str | None = field(default=None, validator=_optional(_words))
    antiphospholipid: Antiphospholipid | None = field(
        default=None,
        converter=_antiphospholipid,
        validator=_is(Antiphospholipid, "one of negative, positive"),
    )


@frozen
class Measurement(RecordPart):
    """A measured value in its UCUM unit, with a date of its own; without one it was taken at the visit."""

    value: Decimal = field(converter=_value)
    unit: str = field(validator=_text)
    date: dt.date | None = field(default=None, validator=_optional(_day))

    def __str__(self) -> str:
        return f"{format_decimal(self.value)} {PRINTED.get(self.unit, self.unit)}"


@frozen
class Result:
    """A measured value as it counts: in the unit used inside, on its day, with what was given."""

    amount: Decimal
    on: dt.date
    given: Measurement


def _measured(quantity: Quantity) -> Check:
    is_measurement = _required(Measurement, "a value with its unit")
    accepted = " or ".join(quantity.factors)

    def check(instance: object, attribute: "Attribute[Any]", value: Measurement) -> None:
        if not isinstance(value, Measurement) and isinstance(value, int | float | Decimal):
            raise fault(
                attribute.name,
                f"a bare number, {describe(value)}",
                f"give the unit with it: {accepted}",
            )
        is_measurement(instance, attribute, value)
        factor = quantity.factors.get(value.unit)
        faults = []
        if factor is None:
            reason = f"{describe(value.unit)} is not a unit accepted here"
            faults.append(Fault(attribute.name, reason, f"give {accepted}"))
        if value.value < 0:
            faults.append(
                Fault(
                    attribute.name,
                    f"{value.value} is negative",
                    "give the value as it was reported",
                )
            )
        if factor is not None and value.value * factor > quantity.largest:
            hint = (
                '; a count per µL has the unit "/uL"'
                if "/uL" in quantity.factors and factor == 1
                else ""
            )
            limit = f"{quantity.largest} {PRINTED[quantity.unit]}"
            reason = f"no patient has {value} (at most {limit})"
            faults.append(Fault(attribute.name, reason, f"check the value and its unit{hint}"))
        if faults:
            raise CallError(faults)

    return _optional(check)


@frozen
class PregnancyTest(RecordPart):
    """The result of a pregnancy test, with a date of its own; without one it was done at the visit."""

    result: TestResult = field(
        converter=_result, validator=_required(TestResult, "one of negative, positive")
    )
    date: dt.date | None = field(default=None, validator=_optional(_day))


@frozen
class DosageTaken(RecordPart):
    """What the patient took since the visit before: an amount in mg (0 to 100) and how often; 0 mg is nothing."""

    mg: Decimal = field(converter=_amount)
    every_days: int | None = field(
        default=None, validator=_whole(*EVERY_DAYS, "the days from one dose to the next")
    )
    # Worked out once, when it is recorded.
    dosage: Dosage | None = field(init=False, eq=False, repr=False)
    """The dosage taken, or None if nothing was."""

    @mg.validator
    def _mg(self, attribute: "Attribute[Decimal]", value: Decimal) -> None:
        if not MG[0] <= value <= MG[1]:
            raise fault(
                "mg",
                f"{format_decimal(value)} is outside its range",
                _range("give an amount in mg", *MG),
            )

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse an amount without its frequency."""
        if known.get("mg") and "every_days" in known and known["every_days"] is None:
            yield Fault(
                "every_days",
                "an amount without its frequency",
                "give 1 for daily, 2 for every other day",
            )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        taken = Dosage(self.mg, self.every_days) if self.mg and self.every_days else None
        object.__setattr__(self, "dosage", taken)


@frozen
class Judgement(RecordPart):
    """The clinician's own judgement of the response, with the reason for it."""

    response: JudgedResponse = field(
        converter=_judged,
        validator=_required(JudgedResponse, "one of improved, not improved, worse"),
    )
    reason: str = field(validator=_words)


def _dated(measurement: Measurement | None, day: dt.date, quantity: Quantity) -> Result | None:
    if measurement is None:
        return None
    return Result(
        measurement.value * quantity.factors[measurement.unit], measurement.date or day, measurement
    )


@frozen
class Visit(RecordPart):
    """What one visit showed. All but the date may be missing, and missing is never normal.

    CLASI activity 0 to 70 drives dosing, CLASI damage 0 to 56 is recorded only. `adverse_events=()` says that
    there were none, None that nobody asked. `dosage_taken` and `doses_missed` speak of the time since the visit
    before. Raises CallError for a value outside its range and for a result from after the visit.
    """

    date: dt.date = field(validator=_day)
    clasi_activity: int | None = field(default=None, validator=_whole(*ACTIVITY, "CLASI activity"))
    clasi_damage: int | None = field(default=None, validator=_whole(*DAMAGE, "CLASI damage"))
    neutrophils: Measurement | None = field(default=None, validator=_measured(NEUTROPHILS))
    platelets: Measurement | None = field(default=None, validator=_measured(PLATELETS))
    creatinine_clearance: Measurement | None = field(
        default=None, validator=_measured(CREATININE_CLEARANCE)
    )
    pregnancy_tests: tuple[PregnancyTest, ...] | None = field(
        default=None, validator=_many(PregnancyTest, "a pregnancy test")
    )
    adverse_events: tuple[AdverseEvent, ...] | None = field(
        default=None, validator=_many(AdverseEvent, "an adverse event")
    )
    dosage_taken: DosageTaken | None = field(
        default=None, validator=_is(DosageTaken, "a dosage taken")
    )
    doses_missed: int | None = field(default=None, validator=_whole(*MISSED, "doses missed"))
    judgement: Judgement | None = field(default=None, validator=_is(Judgement, "a judgement"))
    # The results as they count, each on its day: worked out once, when the visit is recorded.
    counted: tuple[Result | None, Result | None, Result | None] = field(
        init=False, eq=False, repr=False
    )
    """Neutrophils, platelets and creatinine clearance, in the unit used inside, each on its day."""
    tests: tuple[tuple[dt.date, TestResult], ...] = field(init=False, eq=False, repr=False)
    """The pregnancy tests, each on its day."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        day = self.date
        counted = (
            _dated(self.neutrophils, day, NEUTROPHILS),
            _dated(self.platelets, day, PLATELETS),
            _dated(self.creatinine_clearance, day, CREATININE_CLEARANCE),
        )
        object.__setattr__(self, "counted", counted)
        tests = tuple((test.date or day, test.result) for test in self.pregnancy_tests or ())
        object.__setattr__(self, "tests", tests)

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse a result from after the visit, and an event listed both as present and as resolved."""
        day = known.get("date")
        if isinstance(day, dt.date):
            dated: list[tuple[str, object]] = [
                (name, known.get(name))
                for name in ("neutrophils", "platelets", "creatinine_clearance")
            ]
            dated += [
                (f"pregnancy_tests[{index}]", test)
                for index, test in _each(known.get("pregnancy_tests"))
            ]
            for place, each in dated:
                on = getattr(each, "date", None)
                if isinstance(on, dt.date) and on > day:
                    reason = f"{on} is after the visit of {day}"
                    yield Fault(f"{place}.date", reason, "give it with the visit after it")
        events = _each(known.get("adverse_events"))
        named = [
            (index, event_name(str(getattr(event, "term", ""))), event) for index, event in events
        ]
        over = {name for _, name, event in named if getattr(event, "resolved", None) is True}
        for index, name, event in named:
            if name in over and not getattr(event, "resolved", None):
                reason = f"{describe(name)} is also listed as resolved"
                yield Fault(f"adverse_events[{index}]", reason, "keep the one that is true")
