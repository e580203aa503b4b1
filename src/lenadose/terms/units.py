"""The UCUM units in which a result may be given, each converted once and exactly, in decimal."""

from decimal import Decimal

from attrs import frozen


@frozen
class Quantity:
    """What is measured: its name, the unit used inside, the units accepted with their factors, and the largest
    value that a patient has, in the unit used inside."""

    name: str
    unit: str
    factors: dict[str, Decimal]
    largest: Decimal


_PER_LITRE = {"10*9/L": Decimal(1), "10*3/uL": Decimal(1), "/uL": Decimal("0.001")}

NEUTROPHILS = Quantity("neutrophils", "10*9/L", _PER_LITRE, Decimal(100))
PLATELETS = Quantity("platelets", "10*9/L", _PER_LITRE, Decimal(3000))
CREATININE_CLEARANCE = Quantity(
    "creatinine_clearance", "mL/min", {"mL/min": Decimal(1)}, Decimal(300)
)

QUANTITIES = {each.name: each for each in (NEUTROPHILS, PLATELETS, CREATININE_CLEARANCE)}
"""What is measured at a visit, by its name."""

PRINTED = {"10*9/L": "× 10⁹/L", "10*3/uL": "× 10³/µL", "/uL": "/µL", "mL/min": "mL/min"}
"""How a unit is printed for people."""
