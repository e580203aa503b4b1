"""Creatinine clearance after Cockcroft and Gault, from creatinine, age, weight and sex."""

from decimal import ROUND_FLOOR, Context, Decimal
from types import MappingProxyType

from lenadose.terms.errors import fault

SOURCE = "Cockcroft and Gault, Nephron 1976;16:31–41"

_CONTEXT = Context(prec=30)

CREATININE_UNITS = MappingProxyType(
    {"mg/dL": Decimal(1), "umol/L": Decimal("88.4"), "mmol/L": Decimal("0.0884")}
)
"""How many of each unit are 1 mg/dL of creatinine, whose molar mass is 113.12 g/mol."""

WEIGHT_UNITS = MappingProxyType({"kg": Decimal(1), "[lb_av]": Decimal("0.45359237")})
"""How many kg one of each unit of weight is."""


def cockcroft_gault(creatinine: Decimal, age: int, weight: Decimal, female: bool) -> Decimal:
    """Return the creatinine clearance in mL/min, rounded down to 0.1.

    `creatinine` in mg/dL (serum), `age` in whole years (18 to 120), `weight` in kg. It is rounded
    down, so that no limit is reached by rounding. Source: `SOURCE`. Raises CallError for a value
    that no adult has.
    """
    for name, value, least, most, unit in (
        ("creatinine", creatinine, Decimal("0.1"), Decimal(30), "mg/dL"),
        ("age", Decimal(age), Decimal(18), Decimal(120), "years"),
        ("weight", weight, Decimal(20), Decimal(350), "kg"),
    ):
        if not least <= value <= most:
            reason = f"{value} {unit} is outside {least} to {most} {unit}"
            raise fault(name, reason, "check the value and its unit")
    numerator = _CONTEXT.multiply(Decimal(140 - age), weight)
    clearance = _CONTEXT.divide(numerator, _CONTEXT.multiply(Decimal(72), creatinine))
    if female:
        clearance = _CONTEXT.multiply(clearance, Decimal("0.85"))
    return clearance.quantize(Decimal("0.1"), ROUND_FLOOR, _CONTEXT)


def milligrams_per_decilitre(value: Decimal, unit: str) -> Decimal:
    """Return a creatinine in one of `CREATININE_UNITS` in mg/dL."""
    return _CONTEXT.divide(value, CREATININE_UNITS[unit])


def kilograms(value: Decimal, unit: str) -> Decimal:
    """Return a weight in one of `WEIGHT_UNITS` in kg."""
    return _CONTEXT.multiply(value, WEIGHT_UNITS[unit])
