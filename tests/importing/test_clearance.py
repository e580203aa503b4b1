"""The creatinine clearance after Cockcroft and Gault."""

from decimal import Decimal, localcontext

import pytest

from lenadose import CallError
from lenadose.importing.clearance import cockcroft_gault, kilograms, milligrams_per_decilitre


def test_the_formula_is_that_of_the_paper() -> None:
    # (140 - age) * weight / (72 * creatinine), and 15 % less for a woman.
    assert cockcroft_gault(Decimal(1), 40, Decimal(72), female=False) == 100
    assert cockcroft_gault(Decimal(1), 40, Decimal(72), female=True) == 85
    assert cockcroft_gault(Decimal("2"), 68, Decimal(60), female=False) == 30


def test_it_is_rounded_down_so_that_no_limit_is_reached_by_rounding() -> None:
    # 29.99...: a clearance below 30 interrupts treatment.
    assert cockcroft_gault(Decimal("1.001"), 80, Decimal("36"), female=False) == Decimal("29.9")


def test_the_precision_of_a_program_does_not_change_it() -> None:
    with localcontext(prec=2):
        clearance = cockcroft_gault(Decimal("0.93"), 47, Decimal("61.5"), female=True)
        creatinine = milligrams_per_decilitre(Decimal("82.3"), "umol/L")
    assert clearance == Decimal("72.6")
    assert creatinine == milligrams_per_decilitre(Decimal("82.3"), "umol/L")


@pytest.mark.parametrize(
    ("creatinine", "age", "weight", "place"),
    [
        ("0.01", 40, 70, "creatinine"),
        ("71", 40, 70, "creatinine"),
        ("1", 17, 70, "age"),
        ("1", 40, 7, "weight"),
    ],
)
def test_a_value_that_no_adult_has_is_refused(
    creatinine: str, age: int, weight: int, place: str
) -> None:
    with pytest.raises(CallError) as error:
        cockcroft_gault(Decimal(creatinine), age, Decimal(weight), female=True)
    assert [fault.place for fault in error.value.faults] == [place]


def test_units_are_converted_by_the_molar_mass_and_the_pound() -> None:
    assert milligrams_per_decilitre(Decimal("88.4"), "umol/L") == 1
    assert milligrams_per_decilitre(Decimal("0.0884"), "mmol/L") == 1
    assert kilograms(Decimal(100), "[lb_av]") == Decimal("45.359237")
