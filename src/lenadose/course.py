"""What was recorded of a patient: the patient, the visits, and the course that they make.

All but the date of a visit may be missing, and missing is never normal. Each value is checked when it is made; a
value that no patient has, or that contradicts another one, raises CallError with its place.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from attrs import Attribute, field, frozen

from .dosing import EVERY_DAYS, MG, Dosage, plain
from .errors import DIGITS, PRINTABLE, CallError, Fault, fault, shown
from .sound import Consistent
from .units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS, PRINTED, Quantity
from .vocabulary import W, Word

Check = Callable[[Any, "Attribute[Any]", Any], None]

ACTIVITY = (0, 70)
DAMAGE = (0, 56)
AGE = (18, 120)
GRADE = (1, 5)
MISSED = (0, 36525)
YEARS = (1900, 2199)

CTCAE_EDITIONS = ("2.0", "3.0", "4.0", "4.01", "4.02", "4.03", "5.0", "6.0")

PREGNANCY = "pregnancy"
SENSORY_NEUROPATHY = "peripheral sensory neuropathy"
RESOLVABLE = (PREGNANCY, "missed period", "abnormal vaginal bleeding")
"""Events that count until they are reported resolved."""

UNGRADED = (
    *RESOLVABLE,
    "angioedema",
    "anaphylaxis",
    "stevens-johnson syndrome",
    "toxic epidermal necrolysis",
    "drug reaction with eosinophilia and systemic symptoms",
    "bullous rash",
    "exfoliative rash",
    "venous thromboembolism",
    "arterial thromboembolism",
    "febrile neutropenia",
    "systemic lupus flare",
)
"""The terms that the criteria know and that need neither grade nor edition."""

COUNT_TERMS = {
    "neutropenia": "neutrophils",
    "neutrophil count decreased": "neutrophils",
    "thrombocytopenia": "platelets",
    "platelet count decreased": "platelets",
    "low neutrophils": "neutrophils",
    "low platelets": "platelets",
}
"""Grades of a count, refused: editions grade the same count differently, so the count itself is needed."""

OTHER_NAMES = {
    "deep vein thrombosis": "venous thromboembolism",
    "deep venous thrombosis": "venous thromboembolism",
    "thromboembolism": "venous thromboembolism",
    "thromboembolic event": "venous thromboembolism",
    "venous thrombosis": "venous thromboembolism",
    "thrombosis": "venous thromboembolism",
    "vte": "venous thromboembolism",
    "pe": "venous thromboembolism",
    "dvt": "venous thromboembolism",
    "pulmonary embolism": "venous thromboembolism",
    "myocardial infarction": "arterial thromboembolism",
    "heart attack": "arterial thromboembolism",
    "stroke": "arterial thromboembolism",
    "cerebral infarction": "arterial thromboembolism",
    "anaphylactic reaction": "anaphylaxis",
    "anaphylactic shock": "anaphylaxis",
    "sjs": "stevens-johnson syndrome",
    "ten": "toxic epidermal necrolysis",
    "dress": "drug reaction with eosinophilia and systemic symptoms",
    "pregnant": PREGNANCY,
    "positive pregnancy test": PREGNANCY,
    "late period": "missed period",
    "missed menstrual period": "missed period",
    "amenorrhea": "missed period",
    "irregular menstruation": "missed period",
    "vaginal bleeding": "abnormal vaginal bleeding",
    "vaginal hemorrhage": "abnormal vaginal bleeding",
    "abnormal bleeding": "abnormal vaginal bleeding",
    "sensory neuropathy": SENSORY_NEUROPATHY,
    "peripheral neuropathy": SENSORY_NEUROPATHY,
    "lupus flare": "systemic lupus flare",
    "lupus nephritis": "systemic lupus flare",
}
"""Grave events by another name, refused with the known one: under a name that no criterion knows they would count
by their grade alone."""

KNOWN_TERMS = (*UNGRADED, SENSORY_NEUROPATHY, "rash")
"""The terms that mean more than their grade; any other event is judged by its grade alone."""

CLOSE = 0.9
"""How alike a term and a known one are, as difflib counts, for the term to be refused as a slip of the pen."""


class Judged(Word):
    """The clinician's own judgement of the response."""

    IMPROVED = "improved"
    NOT_IMPROVED = "not improved"
    WORSE = "worse"


class TestResult(Word):
    """What a pregnancy test showed."""

    __test__ = False  # a result of a test, not a test of this library

    NEGATIVE = "negative"
    POSITIVE = "positive"


class Antiphospholipid(Word):
    """Whether antiphospholipid antibodies were found."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


def decimal(value: object, place: str = "") -> Decimal:
    """Read a number exactly as it is written.

    Raises CallError for what is not a finite number, and for one that other programs would change: a number is
    written back unchanged, so it must be the same as a float.
    """
    mend = f"write it with at most {DIGITS} digits"
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**DIGITS:
            raise fault(place, f"a whole number of more than {DIGITS} digits", mend)
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise fault(place, f"{shown(value)} is not a number", "give a number")
    if not value.is_finite():
        raise fault(place, f"{value} is not a finite number", "give a number, or leave the entry out")
    if value and (abs(value.adjusted()) > DIGITS or Decimal(repr(float(value))) != value):
        raise fault(place, f"{shown(value)} is not the same number in other programs", mend)
    return value


def _value(given: Decimal | float) -> Decimal:
    return decimal(given, "value")


def _amount(given: Decimal | float) -> Decimal:
    return decimal(given, "mg")


def one_of(kind: type[W], given: object) -> W | None:
    """Give the word of a list that is said so, or None."""
    return next((word for word in kind if given is word or (isinstance(given, str) and given == word.said)), None)


def _range(what: str, least: object, most: object) -> str:
    return f"{what} from {least} to {most}"


def _required(kind: type, said: str) -> Check:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        # A datetime is a date and a bool an int to Python, but not to a reader of the record.
        if not isinstance(value, kind) or (isinstance(value, bool | dt.datetime) and kind is not bool):
            raise fault(attribute.name, f"{shown(value)} is not {said}", f"give {said}")

    return check


def _optional(check: Check) -> Check:
    def unless_missing(instance: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None:
            check(instance, attribute, value)

    return unless_missing


def _is(kind: type, said: str) -> Check:
    return _optional(_required(kind, said))


def _whole(least: int, most: int, what: str) -> Check:
    mend = f"give {_range(f'{what}, a whole number', least, most)}"

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise fault(attribute.name, f"{shown(value)} is not a whole number", mend)
        if not least <= value <= most:
            raise fault(attribute.name, f"{shown(value)} is outside its range", mend)

    return _optional(check)


def _many(kind: type, said: str) -> Check:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, tuple):
            raise fault(attribute.name, f"{shown(value)} is not a tuple", "give a tuple, empty if there were none")
        for index, each in enumerate(value):
            if not isinstance(each, kind):
                raise fault(f"{attribute.name}[{index}]", f"{shown(each)} is not {said}", f"give {said}")

    return _optional(check)


def _text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, str):
        raise fault(attribute.name, f"{shown(value)} is not a text", "give a text, between quotes")
    if not PRINTABLE.match(value):
        raise fault(attribute.name, f"{shown(value)} holds a character that cannot be shown", "take it out")


def _words(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    _text(instance, attribute, value)
    if not str(value).strip():
        raise fault(attribute.name, "is empty", "write it in words, or leave the whole entry out")


def _day(instance: object, attribute: "Attribute[Any]", value: dt.date) -> None:
    _required(dt.date, "a date")(instance, attribute, value)
    if not YEARS[0] <= value.year <= YEARS[1]:
        raise fault(attribute.name, f"{value} is no date of a record", _range("give a year", *YEARS))


# A word may be given as it is said; anything else is left for the check that names its place, which is why the types of
# what is returned are switched off here.


def _antiphospholipid(given: Antiphospholipid | str | None) -> Antiphospholipid | None:
    return one_of(Antiphospholipid, given) or given  # type: ignore[return-value]


def _result(given: TestResult | str) -> TestResult:
    return one_of(TestResult, given) or given  # type: ignore[return-value]


def _judged(given: Judged | str) -> Judged:
    return one_of(Judged, given) or given  # type: ignore[return-value]


@frozen
class Recorded(Consistent):
    """A part of a record: what is unknown is left out of it, and its faults are the caller's."""

    error = CallError


@frozen
class Patient(Recorded):
    """Who the patient is, as far as it matters here; what is None is unknown.

    `age` in whole years: under 18 is outside the protocol and refused. An unknown ability to become pregnant
    counts as able, unknown cycles as irregular.
    """

    id: str | None = field(default=None, validator=_optional(_text))
    age: int | None = field(
        default=None, validator=_whole(*AGE, "the age in years of an adult (others are outside the protocol)")
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
class Measurement(Recorded):
    """A measured value in its UCUM unit, with a date of its own; without one it was taken at the visit."""

    value: Decimal = field(converter=_value)
    unit: str = field(validator=_text)
    date: dt.date | None = field(default=None, validator=_optional(_day))

    def __str__(self) -> str:
        return f"{plain(self.value)} {PRINTED.get(self.unit, self.unit)}"


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
            raise fault(attribute.name, f"a bare number, {shown(value)}", f"give the unit with it: {accepted}")
        is_measurement(instance, attribute, value)
        factor = quantity.factors.get(value.unit)
        faults = []
        if factor is None:
            reason = f"{shown(value.unit)} is not a unit accepted here"
            faults.append(Fault(attribute.name, reason, f"give {accepted}"))
        if value.value < 0:
            faults.append(Fault(attribute.name, f"{value.value} is negative", "give the value as it was reported"))
        if factor is not None and value.value * factor > quantity.largest:
            hint = '; a count per µL has the unit "/uL"' if "/uL" in quantity.factors and factor == 1 else ""
            limit = f"{quantity.largest} {PRINTED[quantity.unit]}"
            reason = f"no patient has {value} (at most {limit})"
            faults.append(Fault(attribute.name, reason, f"check the value and its unit{hint}"))
        if faults:
            raise CallError(faults)

    return _optional(check)


@frozen
class PregnancyTest(Recorded):
    """The result of a pregnancy test, with a date of its own; without one it was done at the visit."""

    result: TestResult = field(converter=_result, validator=_required(TestResult, "one of negative, positive"))
    date: dt.date | None = field(default=None, validator=_optional(_day))


def _edition(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if value not in CTCAE_EDITIONS:
        raise fault(
            attribute.name,
            f"{shown(value)} is not an edition of CTCAE",
            f'give one of {", ".join(CTCAE_EDITIONS)}, as a text: "5.0"',
        )


@frozen
class AdverseEvent(Recorded):
    """An adverse event: its term, its CTCAE grade (1 to 5) with the edition, and whether it is over.

    `UNGRADED` terms need neither grade nor edition; a grade for a blood count is refused. `resolved` ends a
    pregnancy, a missed period and an abnormal bleeding, the events that count until their end is reported.
    """

    term: str = field(validator=_words)
    grade: int | None = field(default=None, validator=_whole(*GRADE, "the grade"))
    ctcae: str | None = field(default=None, validator=_optional(_edition))
    resolved: bool | None = field(default=None, validator=_is(bool, "true or false"))

    @property
    def name(self) -> str:
        """The term as the criteria know it: without regard to case and outer blanks."""
        return event_name(self.term)

    def __str__(self) -> str:
        grade = f", grade {self.grade}" if self.grade is not None else ""
        edition = f" (CTCAE {self.ctcae})" if self.ctcae else ""
        return f"{self.term.strip()}{grade}{edition}{', resolved' if self.resolved else ''}"

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse a graded count, a grave event by another name, and a grade or an edition that is missing."""
        term = known.get("term")
        if not isinstance(term, str):
            return
        name = event_name(term)
        if name in COUNT_TERMS:
            count = COUNT_TERMS[name]
            yield Fault("term", f"{name} is graded differently by each edition", f"give the count, as {count}")
            return
        if name in OTHER_NAMES:
            yield Fault("term", f"{name} is known here by another name", f'write "{OTHER_NAMES[name]}"')
            return
        if name not in UNGRADED:
            near = get_close_matches(name, (*UNGRADED, *COUNT_TERMS, *OTHER_NAMES), 1, CLOSE)
            if near:
                yield Fault("term", f"{shown(name)} is not known, but close to a term that is", f'write "{near[0]}"')
                return
            if "grade" in known and known["grade"] is None:
                yield Fault("grade", f"is missing for {shown(name)}", _range("give the CTCAE grade", *GRADE))
            if "ctcae" in known and known["ctcae"] is None:
                reason = "is missing" if known.get("grade") is None else "a grade without its edition"
                yield Fault("ctcae", reason, 'give the edition of CTCAE: "5.0"')
        if known.get("resolved") and name not in RESOLVABLE:
            reason = f"{shown(name)} is not followed to its end"
            yield Fault("resolved", reason, "leave an event that is over out of the list")


def event_name(term: str) -> str:
    """Give a term as the criteria know it: without regard to case and outer blanks."""
    name = term.strip()
    # The known terms are ASCII; the lower case of other letters can be ASCII too (the Kelvin sign's is k).
    return name.lower() if name.isascii() else name


@frozen
class DosageTaken(Recorded):
    """What the patient took since the visit before: an amount in mg (0 to 100) and how often; 0 mg is nothing."""

    mg: Decimal = field(converter=_amount)
    every_days: int | None = field(default=None, validator=_whole(*EVERY_DAYS, "the days from one dose to the next"))
    # Worked out once, when it is recorded.
    dosage: Dosage | None = field(init=False, eq=False, repr=False)
    """The dosage taken, or None if nothing was."""

    @mg.validator
    def _mg(self, attribute: "Attribute[Decimal]", value: Decimal) -> None:
        if not MG[0] <= value <= MG[1]:
            raise fault("mg", f"{plain(value)} is outside its range", _range("give an amount in mg", *MG))

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse an amount without its frequency."""
        if known.get("mg") and "every_days" in known and known["every_days"] is None:
            yield Fault("every_days", "an amount without its frequency", "give 1 for daily, 2 for every other day")

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        taken = Dosage(self.mg, self.every_days) if self.mg and self.every_days else None
        object.__setattr__(self, "dosage", taken)


@frozen
class Judgement(Recorded):
    """The clinician's own judgement of the response, with the reason for it."""

    response: Judged = field(converter=_judged, validator=_required(Judged, "one of improved, not improved, worse"))
    reason: str = field(validator=_words)


def _dated(measurement: Measurement | None, day: dt.date, quantity: Quantity) -> Result | None:
    if measurement is None:
        return None
    return Result(measurement.value * quantity.factors[measurement.unit], measurement.date or day, measurement)


@frozen
class Visit(Recorded):
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
    creatinine_clearance: Measurement | None = field(default=None, validator=_measured(CREATININE_CLEARANCE))
    pregnancy_tests: tuple[PregnancyTest, ...] | None = field(
        default=None, validator=_many(PregnancyTest, "a pregnancy test")
    )
    adverse_events: tuple[AdverseEvent, ...] | None = field(
        default=None, validator=_many(AdverseEvent, "an adverse event")
    )
    dosage_taken: DosageTaken | None = field(default=None, validator=_is(DosageTaken, "a dosage taken"))
    doses_missed: int | None = field(default=None, validator=_whole(*MISSED, "doses missed"))
    judgement: Judgement | None = field(default=None, validator=_is(Judgement, "a judgement"))
    # The results as they count, each on its day: worked out once, when the visit is recorded.
    counted: tuple[Result | None, Result | None, Result | None] = field(init=False, eq=False, repr=False)
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
                (name, known.get(name)) for name in ("neutrophils", "platelets", "creatinine_clearance")
            ]
            dated += [(f"pregnancy_tests[{index}]", test) for index, test in _each(known.get("pregnancy_tests"))]
            for place, each in dated:
                on = getattr(each, "date", None)
                if isinstance(on, dt.date) and on > day:
                    reason = f"{on} is after the visit of {day}"
                    yield Fault(f"{place}.date", reason, "give it with the visit after it")
        events = _each(known.get("adverse_events"))
        named = [(index, event_name(str(getattr(event, "term", ""))), event) for index, event in events]
        over = {name for _, name, event in named if getattr(event, "resolved", None) is True}
        for index, name, event in named:
            if name in over and not getattr(event, "resolved", None):
                reason = f"{shown(name)} is also listed as resolved"
                yield Fault(f"adverse_events[{index}]", reason, "keep the one that is true")


def _each(entries: object) -> Iterator[tuple[int, object]]:
    """Give the entries of a list with their places; a reader may know only some, or parts of them."""
    return enumerate(entries if isinstance(entries, tuple) else ())


def out_of_order(dates: Sequence[dt.date | None]) -> Iterator[Fault]:
    """Give a fault for each visit that is not after the one before; an unreadable date (None) is passed over."""
    last: dt.date | None = None
    for index, day in enumerate(dates):
        if day is None:
            continue
        if last is not None and day <= last:
            reason = f"two visits on {day}" if day == last else f"{day} is before the visit of {last}"
            yield Fault(f"visits[{index}].date", reason, "give the visits in order, one a day")
        last = max(day, last or day)


def doses_between(earlier: dt.date, later: dt.date, dosage: Dosage | None) -> int:
    """Give how many doses there were between two visits; none without a dosage."""
    return 0 if dosage is None else -(-(later - earlier).days // dosage.every_days)


def too_many_missed(missed: int, there_were: int) -> Fault:
    """Say that more doses were missed than there were."""
    return Fault("doses_missed", f"{missed} missed of {there_were} since the visit before", "count them again")


@frozen
class Course(Recorded):
    """A record: the protocol it is read by, the patient, and one visit or more in order of their dates.

    Raises CallError for no visits, dates that do not increase, a dosage taken before the first visit, and more
    doses missed than there were days.
    """

    visits: tuple[Visit, ...] = field(validator=_many(Visit, "a visit"))
    patient: Patient | None = field(default=None, validator=_is(Patient, "a patient"))
    protocol: str | None = field(default=None, validator=_optional(_words))

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse visits that cannot have followed one another."""
        visits = known.get("visits")
        if visits == ():
            yield Fault("visits", "there are none", "give at least one visit, with its date")
        dates: list[dt.date | None] = []
        for index, visit in _each(visits):
            day = getattr(visit, "date", None)
            before = dates[-1] if dates else None
            dates.append(day if isinstance(day, dt.date) else None)
            taken, missed = getattr(visit, "dosage_taken", None), getattr(visit, "doses_missed", None)
            place = f"visits[{index}]"
            if index == 0:
                for name, given in (("dosage_taken", taken is not None), ("doses_missed", missed)):
                    if given:
                        yield before_treatment(name).within(place)
            elif isinstance(missed, int) and before is not None and isinstance(day, dt.date) and before < day:
                # What was advised is not known here: the machine counts against that, this only against the days.
                dosage = taken.dosage if isinstance(taken, DosageTaken) else None
                there_were = doses_between(before, day, dosage or Dosage(Decimal(1)))
                if missed > there_were:
                    yield too_many_missed(missed, there_were).within(place)
        yield from out_of_order(dates)


def before_treatment(field: str) -> Fault:
    """Say that nothing can have been taken or missed before the first visit."""
    return Fault(field, "nothing comes before the first visit", "leave it out: a record begins before treatment")
