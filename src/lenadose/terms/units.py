"""The UCUM units in which a result may be given, each converted once and exactly, in decimal."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from attrs import field, frozen


def _unchangeable(factors: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return MappingProxyType(dict(factors))


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


_PER_LITRE = {"10*9/L": Decimal(1), "10*3/uL": Decimal(1), "/uL": Decimal("0.001")}

NEUTROPHILS = Quantity("neutrophils", "10*9/L", _PER_LITRE, Decimal(100))
PLATELETS = Quantity("platelets", "10*9/L", _PER_LITRE, Decimal(3000))
CREATININE_CLEARANCE = Quantity(
    "creatinine_clearance", "mL/min", {"mL/min": Decimal(1)}, Decimal(300)
)

QUANTITIES = {
    quantity.name: quantity for quantity in (NEUTROPHILS, PLATELETS, CREATININE_CLEARANCE)
}
"""The quantities that are measured at a visit, by their names."""

PRINTED = {"10*9/L": "× 10⁹/L", "10*3/uL": "× 10³/µL", "/uL": "/µL", "mL/min": "mL/min"}
"""How each unit is printed for people."""
