"""The patient and the visits, as they were recorded.

Only the date of a visit is required, and missing is never normal. Each value is checked when it is
made; one that no patient has, or that contradicts another, raises CallError with its place.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from attrs import field, frozen
from attrs.validators import and_, ge, le, optional

from lenadose.record.adverse_event import AdverseEvent
from lenadose.record.fields import (
    RecordPart,
    day,
    day_or_none,
    explains_calls,
    is_day,
    is_flag,
    is_id,
    is_name,
    is_part,
    is_reason,
    is_term,
    list_of,
    one_of,
    part,
    parts,
    terms_of,
    truth,
)
from lenadose.record.measurement import IsMeasured, Measurement, Result, measured
from lenadose.terms.dosage import EVERY_DAYS, MG, Dosage, amount_in_mg
from lenadose.terms.errors import Fault, describe
from lenadose.terms.facts import Term
from lenadose.terms.numbers import Number, plain, whole_number
from lenadose.terms.units import (
    CREATININE_CLEARANCE,
    NEUTROPHILS,
    PLATELETS,
    QUANTITIES,
    Quantity,
)
from lenadose.terms.validation import Check, whole

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
    """The result of a pregnancy test."""

    __test__ = False  # a result of a test, not a test of this library

    NEGATIVE = "negative"
    POSITIVE = "positive"


class ResultField(Term):
    """A field of a visit that holds results."""

    NEUTROPHILS = "neutrophils"
    PLATELETS = "platelets"
    CREATININE_CLEARANCE = "creatinine_clearance"
    PREGNANCY_TESTS = "pregnancy_tests"


class Antiphospholipid(Term):
    """Whether antiphospholipid antibodies were found."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


# A term may be given by its label. A converter returns anything else as it is, of whatever type:
# the validator of the field refuses it and names its place ("validated next").


def _antiphospholipid(value: Antiphospholipid | str | None) -> Antiphospholipid | None:
    return one_of(Antiphospholipid, value) or value  # type: ignore[return-value]  # validated next


def _result(value: TestResult | str) -> TestResult:
    return one_of(TestResult, value) or value  # type: ignore[return-value]  # validated next


def _fields(value: Sequence[ResultField | str] | None) -> tuple[ResultField, ...] | None:
    if not isinstance(value, list | tuple):
        return value  # type: ignore[return-value]  # validated next
    return tuple(one_of(ResultField, each) or each for each in value)


def _judged(value: JudgedResponse | str) -> JudgedResponse:
    return one_of(JudgedResponse, value) or value  # type: ignore[return-value]  # validated next


@explains_calls
@frozen
class Patient(RecordPart):
    """The patient, as far as it matters here; None is unknown.

    `age` in whole years: under 18 is outside the protocol and refused. An unknown ability to become
    pregnant counts as able, unknown cycles as irregular.
    """

    noun = "a patient"
    example = "Patient(age=55)"

    id: str | None = field(default=None, validator=optional(is_id))
    age: int | None = field(
        default=None,
        converter=whole_number,
        validator=optional(
            whole(*AGE, "the age in years of an adult (others are outside the protocol)")
        ),
    )
    able_to_become_pregnant: bool | None = field(
        default=None, converter=truth, validator=optional(is_flag)
    )
    regular_cycles: bool | None = field(default=None, converter=truth, validator=optional(is_flag))
    subtype: str | None = field(default=None, validator=optional(is_name))
    antiphospholipid: Antiphospholipid | None = field(
        default=None,
        converter=_antiphospholipid,
        validator=optional(is_term(Antiphospholipid)),
    )


@explains_calls
@frozen
class PregnancyTest(RecordPart):
    """The result of a pregnancy test; without a date it was done at the visit.

    Its short forms are ("negative", "2026-01-05"), and "negative" at the visit.
    """

    noun = "a pregnancy test"
    example = '("negative", "2026-01-05")'

    result: TestResult = field(converter=_result, validator=is_term(TestResult))
    date: dt.date | None = field(default=None, converter=day_or_none, validator=optional(is_day))

    @classmethod
    def arguments(cls, value: object) -> tuple[object, ...] | None:
        """Return the arguments for a result, or for (result, date)."""
        match value:
            case str() | TestResult():
                return (value,)
            case (str() | TestResult(), dt.date() | None):
                return (*value,)
            case (str() | TestResult(), str(text)) if any(map(str.isdigit, text)):
                return (*value,)
        return None


_in_range = Check(
    (
        and_(ge(MG[0]), le(MG[1])),
        "{} is outside its range",
        f"give an amount in mg from {MG[0]} to {MG[1]}",
    ),
    type="number",
    minimum=MG[0],
    maximum=MG[1],
)


@explains_calls
@frozen
class DosageTaken(RecordPart):
    """The dosage taken since the visit before: mg (0 to 100) and how often; 0 mg is nothing.

    Its short forms are (5, 2), which is 5 mg every 2 days, a Dosage, and 0 for nothing.
    """

    noun = "a dosage in mg and days, or 0 for nothing"
    example = "(5, 1) for 5 mg once daily"

    mg: Decimal = field(converter=amount_in_mg, validator=_in_range)
    every_days: int | None = field(
        default=None,
        converter=whole_number,
        validator=optional(whole(*EVERY_DAYS, "the days from one dose to the next")),
    )
    # Worked out once, when it is recorded.
    dosage: Dosage | None = field(init=False, eq=False, repr=False)
    """The dosage taken, or None if nothing was."""

    @classmethod
    def arguments(cls, value: object) -> tuple[object, ...] | None:
        """Return the arguments for (mg, every_days), for a dosage, or for an amount."""
        match plain(value):
            case Dosage(mg=mg, every_days=every_days):
                return (mg, every_days)
            case bool() | str():
                return None
            case int() | float() | Decimal() as mg:
                return (mg,)
            case (mg, every_days):
                return (mg, every_days)
        return None

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for an amount without its frequency."""
        if self.mg and self.every_days is None:
            fix = "give 1 for daily, 2 for every other day"
            yield Fault("every_days", "an amount without its frequency", fix)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        taken = Dosage(self.mg, self.every_days) if self.mg and self.every_days else None
        object.__setattr__(self, "dosage", taken)


@explains_calls
@frozen
class Judgement(RecordPart):
    """The clinician's own judgement of the response, with the reason for it.

    Its short form is ("improved", "fewer lesions").
    """

    noun = "a judgement"
    example = '("improved", "fewer lesions")'

    response: JudgedResponse = field(
        converter=_judged,
        validator=is_term(JudgedResponse),
    )
    reason: str = field(validator=is_reason)

    @classmethod
    def arguments(cls, value: object) -> tuple[object, ...] | None:
        """Return the arguments for (response, reason), or for a response alone."""
        match value:
            case str() | JudgedResponse():
                return (value,)
            case (str() | JudgedResponse(), str()):
                return (*value,)
        return None

    @property
    def words(self) -> str:
        """The reason on one line."""
        return " ".join(self.reason.split())


def _dated(
    given: Measurement | tuple[Measurement, ...] | None, day: dt.date, quantity: Quantity
) -> tuple[Result, ...]:
    measurements = (given,) if isinstance(given, Measurement) else given or ()
    return tuple(
        Result(quantity.amount(each.value, each.unit), each.date or day, each)
        for each in measurements
    )


def _newest(results: tuple[Result, ...]) -> Result | None:
    """Return the newest result; of those of one day the lowest."""
    return min(results, key=lambda result: (-result.on.toordinal(), result.amount), default=None)


# A short form is a sequence to a type checker, and a text is one too.


def _tests(
    value: Sequence[PregnancyTest | TestResult | Sequence[object]] | None,
) -> tuple[PregnancyTest, ...] | None:
    return None if value is None else parts(PregnancyTest, value)


def _events(
    value: Sequence[AdverseEvent | Sequence[object]] | None,
) -> tuple[AdverseEvent, ...] | None:
    return None if value is None else parts(AdverseEvent, value)


def _taken(value: DosageTaken | Dosage | Number | Sequence[Number] | None) -> DosageTaken | None:
    return None if value is None else part(DosageTaken, value)


def _judgement(value: Judgement | Sequence[object] | None) -> Judgement | None:
    return None if value is None else part(Judgement, value)


@explains_calls
@frozen
class Visit(RecordPart):
    """The findings of one visit. Only the date is required, and missing is never normal.

    CLASI activity 0 to 70 drives dosing, CLASI damage 0 to 56 is recorded only. `adverse_events=()`
    says that there were none, None that nobody asked. `dosage_taken` and `doses_missed` are about
    the time since the visit before. `stopped` says, with its reason, that the patient or the
    prescriber ended treatment. `unreadable` names the fields with a result that cannot be read:
    what was known of them before the visit no longer counts, unless it is a danger. Raises
    CallError for a value outside its range and for a result from after the visit.

    A result may be given as (3.2, "10*9/L"), and a list of dated results in place of one: the
    newest counts, and of two of one day the lower. Tests, events, the dosage and the judgement may
    be given in their short forms: pregnancy_tests=["negative"], adverse_events=[("rash", 3,
    "5.0")], dosage_taken=(5, 1), judgement=("improved", "fewer lesions").
    """

    noun = "a visit"
    example = 'Visit("2026-01-05", clasi_activity=11)'

    date: dt.date = field(converter=day, validator=is_day)
    clasi_activity: int | None = field(
        default=None, converter=whole_number, validator=optional(whole(*ACTIVITY, "CLASI activity"))
    )
    clasi_damage: int | None = field(
        default=None, converter=whole_number, validator=optional(whole(*DAMAGE, "CLASI damage"))
    )
    neutrophils: Measurement | tuple[Measurement, ...] | None = field(
        default=None, converter=measured, validator=optional(IsMeasured(NEUTROPHILS))
    )
    platelets: Measurement | tuple[Measurement, ...] | None = field(
        default=None, converter=measured, validator=optional(IsMeasured(PLATELETS))
    )
    creatinine_clearance: Measurement | tuple[Measurement, ...] | None = field(
        default=None, converter=measured, validator=optional(IsMeasured(CREATININE_CLEARANCE))
    )
    pregnancy_tests: tuple[PregnancyTest, ...] | None = field(
        default=None, converter=_tests, validator=list_of(PregnancyTest)
    )
    adverse_events: tuple[AdverseEvent, ...] | None = field(
        default=None, converter=_events, validator=list_of(AdverseEvent)
    )
    dosage_taken: DosageTaken | None = field(
        default=None, converter=_taken, validator=is_part(DosageTaken)
    )
    doses_missed: int | None = field(
        default=None, converter=whole_number, validator=optional(whole(*MISSED, "doses missed"))
    )
    judgement: Judgement | None = field(
        default=None, converter=_judgement, validator=is_part(Judgement)
    )
    stopped: str | None = field(default=None, validator=optional(is_reason))
    unreadable: tuple[ResultField, ...] | None = field(
        default=None, converter=_fields, validator=terms_of(ResultField)
    )
    # The results, each on its day: worked out once, when the visit is recorded.
    _results: tuple[tuple[Result, ...], ...] = field(init=False, eq=False, repr=False)
    counted: tuple[Result | None, Result | None, Result | None] = field(
        init=False, eq=False, repr=False
    )
    """The newest neutrophils, platelets and creatinine clearance, in the unit used inside."""
    tests: tuple[tuple[dt.date, TestResult], ...] = field(init=False, eq=False, repr=False)
    """The pregnancy tests, each on its day."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        day = self.date
        results = tuple(
            _dated(getattr(self, name), day, quantity) for name, quantity in QUANTITIES.items()
        )
        object.__setattr__(self, "_results", results)
        object.__setattr__(self, "counted", tuple(map(_newest, results)))
        tests = tuple((test.date or day, test.result) for test in self.pregnancy_tests or ())
        object.__setattr__(self, "tests", tests)

    def results(self, quantity: str) -> tuple[Result, ...]:
        """Return every result of a quantity that was given at the visit, by its name."""
        return self._results[[*QUANTITIES].index(quantity)]

    def is_unreadable(self, field: str) -> bool:
        """Return whether there is a result of a field, by its name, that cannot be read."""
        return any(each.label == field for each in self.unreadable or ())

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a result from after the visit, and for an event listed as both."""
        dated: list[tuple[str, Measurement | PregnancyTest]] = []
        for name in QUANTITIES:
            given = getattr(self, name)
            if isinstance(given, Measurement):
                dated.append((name, given))
            else:
                dated += ((f"{name}[{index}]", each) for index, each in enumerate(given or ()))
        dated += (
            (f"pregnancy_tests[{index}]", test)
            for index, test in enumerate(self.pregnancy_tests or ())
        )
        for place, result in dated:
            if result.date is not None and result.date > self.date:
                reason = f"{result.date} is after the visit of {self.date}"
                yield Fault(f"{place}.date", reason, "give it with the visit after it")
        yield from event_contradictions(self.adverse_events or ())


def event_contradictions(events: tuple[AdverseEvent, ...]) -> Iterator[Fault]:
    """Yield a fault for each event that is listed both as present and as resolved."""
    resolved = {event.name for event in events if event.resolved}
    for index, event in enumerate(events):
        if not event.resolved and event.name in resolved:
            reason = f"{describe(event.name)} is also listed as resolved"
            yield Fault(f"adverse_events[{index}]", reason, "keep the one that is true")
