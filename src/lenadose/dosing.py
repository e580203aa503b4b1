"""Dosages and the ladder of dose levels: the patient stands on a level and moves by bounded steps."""

from decimal import Decimal

from attrs import field, frozen

from .errors import Fault, ProtocolError
from .provenance import Provenance


def plain(amount: Decimal) -> str:
    """Write a number as a nurse would: 5, never 5.0; 2.5; never an exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@frozen
class Dosage:
    """An amount in mg, by mouth, and how often: every 1 day, every 2 days..."""

    mg: Decimal
    every_days: int = 1

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
        return f"{plain(self.mg)} mg {often}"


@frozen
class Level:
    """A rung of the ladder: its rank (0 is the lowest), its dosage, and where it comes from."""

    rank: int
    dosage: Dosage
    provenance: Provenance = field(eq=False, repr=False)

    def __str__(self) -> str:
        return str(self.dosage)


def lower(a: Level | None, b: Level | None) -> Level | None:
    """Give the lower of two levels; None, no level at all, is the lowest."""
    if a is None or b is None:
        return None
    return a if a.rank <= b.rank else b


@frozen
class DoseLadder:
    """The dose levels from the lowest to the highest, and the one a course starts at.

    Raises ProtocolError unless the mean daily amount rises from level to level and `start` is one of them.
    """

    levels: tuple[Level, ...]
    start: Level

    def __attrs_post_init__(self) -> None:
        faults = [
            Fault(
                f"ladder.levels[{above.rank}]",
                f"{above} is not more than {below}",
                "order the levels by dose",
            )
            for below, above in zip(self.levels, self.levels[1:], strict=False)
            if above.dosage.daily_mg <= below.dosage.daily_mg
        ]
        if [level.rank for level in self.levels] != list(range(len(self.levels))):
            faults.append(Fault("ladder.levels", "the ranks do not count up from 0", "number them 0, 1, 2..."))
        if self.start not in self.levels:
            faults.append(Fault("ladder.start", f"{self.start} is not a level", "start at a level of the ladder"))
        if faults:
            raise ProtocolError(faults)

    @property
    def top(self) -> Level:
        """The highest level."""
        return self.levels[-1]

    def level_of(self, dosage: Dosage) -> Level | None:
        """Give the level with this dosage, or None: 2.5 mg daily is not 5 mg every other day."""
        return next((level for level in self.levels if level.dosage == dosage), None)

    def above(self, level: Level) -> Level:
        """Give the next level up; the highest stays."""
        return self.levels[min(level.rank + 1, self.top.rank)]

    def below(self, level: Level) -> Level | None:
        """Give the next level down; None below the lowest."""
        return self.levels[level.rank - 1] if level.rank else None
