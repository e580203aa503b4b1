"""Dosages and the ladder of dose levels, on which a patient moves by bounded steps."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from attrs import field, frozen

from lenadose.terms.errors import CallError, Fault, LenadoseError
from lenadose.terms.numbers import Number, decimal, whole_number
from lenadose.terms.provenance import Provenance
from lenadose.terms.validation import Check, Validated, is_whole, not_empty

MG = (0, 100)
EVERY_DAYS = (1, 365)


def format_decimal(amount: Decimal) -> str:
    """Return a number as a nurse writes it: 5, never 5.0; 2.5; never an exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_in_mg(mg: Number) -> Decimal:
    """Read the amount of a dosage."""
    return decimal(mg, "mg")


def _days(every: Number) -> int:
    return whole_number(every)  # type: ignore[return-value]  # validated next


@frozen
class Dosage:
    """An amount in mg, by mouth, and how often: every 1 day, every 2 days..."""

    error: ClassVar[type[LenadoseError]] = CallError

    mg: Decimal = field(converter=amount_in_mg)
    every_days: int = field(
        default=1,
        converter=_days,
        validator=Check((is_whole, "{} is not a whole number", "give the days between two doses")),
    )

    @property
    def daily_mg(self) -> Decimal:
        """The mean amount in mg a day."""
        return self.mg / self.every_days

    def __str__(self) -> str:
        match self.every_days:
            case 1:
                often = "once daily"
            case 2:
                often = "every other day"
            case n:
                often = f"every {n} days"
        return f"{format_decimal(self.mg)} mg {often}"


def out_of_range(dosage: Dosage) -> Iterator[Fault]:
    """Yield a fault for each part of a dosage that no level can have."""
    if not MG[0] < dosage.mg <= MG[1]:
        yield Fault(
            "mg",
            f"{format_decimal(dosage.mg)} is outside its range",
            f"give more than {MG[0]} mg, at most {MG[1]}",
        )
    if not EVERY_DAYS[0] <= dosage.every_days <= EVERY_DAYS[1]:
        fix = f"give the days from one dose to the next, from {EVERY_DAYS[0]} to {EVERY_DAYS[1]}"
        yield Fault("every_days", f"{dosage.every_days} is outside its range", fix)


@frozen(cache_hash=True)
class Level(Validated):
    """A rung of the ladder: its rank (0 is the lowest), its dosage, and where it comes from."""

    rank: int
    dosage: Dosage
    provenance: Provenance = field(eq=False, repr=False)

    def __str__(self) -> str:
        return str(self.dosage)

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a dosage that nobody takes."""
        return (fault.within("dosage") for fault in out_of_range(self.dosage))


def lower_of(a: Level | None, b: Level | None) -> Level | None:
    """Return the lower of two levels; None, no level at all, is the lowest."""
    if a is None or b is None:
        return None
    return a if a.rank <= b.rank else b


@frozen
class DoseLadder(Validated):
    """The dose levels from the lowest to the highest, and the one a course starts at.

    Raises ProtocolError unless the mean daily amount rises from level to level and `start` is one
    of them.
    """

    levels: tuple[Level, ...] = field(validator=not_empty)
    start: Level

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for levels that do not rise, and for a start that is none of them."""
        for below, above in pairwise(self.levels):
            if above.dosage.daily_mg == below.dosage.daily_mg:
                yield Fault(
                    f"levels[{above.rank}]",
                    f"{above} is as much a day as {below}",
                    "leave out one of the two",
                )
            elif above.dosage.daily_mg < below.dosage.daily_mg:
                yield Fault(
                    f"levels[{above.rank}]",
                    f"{above} is less than {below}",
                    "order the levels by dose",
                )
        if [level.rank for level in self.levels] != list(range(len(self.levels))):
            yield Fault("levels", "the ranks do not count up from 0", "number them 0, 1, 2...")
        if self.start not in self.levels:
            yield Fault("start", f"{self.start} is not a level", "start at a level of the ladder")

    @property
    def top(self) -> Level:
        """The highest level."""
        return self.levels[-1]

    def level_of(self, dosage: Dosage) -> Level | None:
        """Return the level of a dosage, or None: 2.5 mg daily is not 5 mg every other day."""
        return next((level for level in self.levels if level.dosage == dosage), None)

    def above(self, level: Level) -> Level:
        """Return the next level up; the highest stays."""
        return self.levels[min(level.rank + 1, self.top.rank)]

    def below(self, level: Level) -> Level | None:
        """Return the next level down; None below the lowest."""
        return self.levels[level.rank - 1] if level.rank else None
