"""The units in which a result may be given, each converted once and exactly, in decimal.

Units are UCUM. Of other spellings those are read that can only mean one thing.
"""

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from functools import lru_cache
from types import MappingProxyType

from attrs import field, frozen


def _unchangeable(factors: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return MappingProxyType(dict(factors))


# Longer than any product of a value and a factor, whatever precision a program has set.
_EXACT = Context(prec=60)


@frozen
class Quantity:
    """A quantity that is measured at a visit, and the units in which it is accepted.

    `unit` is the one used inside, `factors` convert the accepted ones to it, and `largest` is the
    greatest value that a patient has, in `unit`.
    """

    name: str
    unit: str
    factors: Mapping[str, Decimal] = field(hash=False, converter=_unchangeable)
    largest: Decimal

    def __reduce__(self) -> tuple[type["Quantity"], tuple[object, ...]]:
        # A mapping that cannot be changed cannot be pickled either.
        return Quantity, (self.name, self.unit, dict(self.factors), self.largest)

    def factor(self, unit: str) -> Decimal | None:
        """Return what converts a unit, in any spelling, to the one used inside; None if nothing."""
        return self.factors.get(ucum(unit))

    def amount(self, value: Decimal, unit: str) -> Decimal:
        """Return a value in an accepted unit in the one used inside, exactly."""
        return _EXACT.multiply(value, self.factors[ucum(unit)])


_PER_LITRE = MappingProxyType(
    {"10*9/L": Decimal(1), "10*3/uL": Decimal(1), "/uL": Decimal("0.001")}
)

NEUTROPHILS = Quantity("neutrophils", "10*9/L", _PER_LITRE, Decimal(100))
PLATELETS = Quantity("platelets", "10*9/L", _PER_LITRE, Decimal(3000))
CREATININE_CLEARANCE = Quantity(
    "creatinine_clearance", "mL/min", {"mL/min": Decimal(1)}, Decimal(300)
)

QUANTITIES = MappingProxyType(
    {quantity.name: quantity for quantity in (NEUTROPHILS, PLATELETS, CREATININE_CLEARANCE)}
)
"""The quantities that are measured at a visit, by their names."""

PRINTED = MappingProxyType(
    {"10*9/L": "× 10⁹/L", "10*3/uL": "× 10³/µL", "/uL": "/µL", "mL/min": "mL/min"}
)
"""How each unit is printed for people."""

PER_MICROLITRE = "/uL"


def _power_of_ten(exponent: str, superscript: str) -> str:
    return rf"(?:[xX×]\s*)?10(?:\s*[*^]\s*{exponent}|{superscript})"


_MICROLITRE = r"(?:[uµμ][lL]|mm(?:\^?3|³))"

SPELLINGS = MappingProxyType(
    {
        "10*9/L": rf"{_power_of_ten('9', '⁹')}\s*/\s*[lL]|GI/[lL]|/n[lL]",
        "10*3/uL": rf"(?:{_power_of_ten('3', '³')}|[kK]|THOU|thou)\s*/\s*{_MICROLITRE}",
        PER_MICROLITRE: rf"(?:cells)?\s*/\s*{_MICROLITRE}",
        "mL/min": r"m[lL]\s*/\s*min",
    }
)
"""Every spelling of each unit, as a regular expression; outer blanks are allowed too."""

_TWO_MEANINGS = re.compile(rf"10\s*[eE]\+?([0-9]{{1,2}})\s*/\s*([lL]|{_MICROLITRE})")
_PER_BODY_SURFACE = re.compile(r"m[lL]\s*/\s*min\s*(?:/|per|\*|\().*1[.,]73.*")


@lru_cache(maxsize=256)
def ucum(unit: str) -> str:
    """Return the UCUM unit that a unit in another spelling means; an unknown one as it is."""
    text = unit.strip()
    return next((name for name, words in SPELLINGS.items() if re.fullmatch(words, text)), unit)


def two_meanings(unit: str) -> tuple[str, str] | None:
    """Return both meanings of a unit that could mean two things, or None."""
    text = unit.strip()
    if text.lower() == "g/l":
        return "giga per litre (10*9/L)", "grams per litre"
    if power := _TWO_MEANINGS.fullmatch(text):
        exponent, per = int(power[1]), "L" if power[2] in "lL" else "uL"
        return f"10*{exponent}/{per}", f"10*{exponent + 1}/{per}"
    return None


def is_per_body_surface(unit: str) -> bool:
    """Return whether a unit is of a clearance per body surface: mL/min/1.73 m2."""
    return _PER_BODY_SURFACE.fullmatch(unit.strip()) is not None
