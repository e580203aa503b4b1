"""Units in every spelling that can only mean one thing; the others are refused with a reason."""

from decimal import Decimal, localcontext

import pytest
from tests.support.patients import DAY0

from lenadose import CallError, Measurement, Visit
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, ucum


@pytest.mark.parametrize(
    ("unit", "means"),
    [
        ("10*9/L", "10*9/L"),
        ("10^9/L", "10*9/L"),
        ("10^9/l", "10*9/L"),
        ("x10^9/L", "10*9/L"),
        ("x 10^9 / L", "10*9/L"),
        ("× 10⁹/L", "10*9/L"),
        ("10⁹/L", "10*9/L"),
        ("GI/L", "10*9/L"),
        ("/nL", "10*9/L"),
        ("/nl", "10*9/L"),
        ("10*3/uL", "10*3/uL"),
        ("10^3/uL", "10*3/uL"),
        ("10³/µL", "10*3/uL"),
        ("10^3/μl", "10*3/uL"),
        ("K/uL", "10*3/uL"),
        ("k/µL", "10*3/uL"),
        ("THOU/uL", "10*3/uL"),
        ("10*3/mm3", "10*3/uL"),
        ("10^3/mm^3", "10*3/uL"),
        ("/uL", "/uL"),
        ("/µl", "/uL"),
        ("/mm3", "/uL"),
        ("/mm³", "/uL"),
        ("cells/uL", "/uL"),
        ("cells/mm3", "/uL"),
        ("mL/min", "mL/min"),
        (" ml/min ", "mL/min"),
    ],
)
def test_a_spelling_that_can_only_mean_one_thing_is_read_and_kept(unit: str, means: str) -> None:
    assert ucum(unit) == means
    name = "creatinine_clearance" if means == "mL/min" else "neutrophils"
    visit = Visit(DAY0, **{name: Measurement(60, unit)})
    assert getattr(visit, name).unit == unit
    (result,) = (result for result in visit.counted if result)
    assert result.amount == (Decimal("0.06") if means == "/uL" else 60)


@pytest.mark.parametrize(
    ("name", "value", "unit", "said"),
    [
        ("neutrophils", 3, "G/L", "'G/L' could mean giga per litre (10*9/L) or grams per litre"),
        ("neutrophils", 3, "g/L", "'g/L' could mean giga per litre (10*9/L) or grams per litre"),
        ("platelets", 3, "10e9/L", "'10e9/L' could mean 10*9/L or 10*10/L; give 10*9/L or"),
        ("platelets", 3, "10E3/µL", "'10E3/µL' could mean 10*3/uL or 10*4/uL"),
        ("neutrophils", 3, "109/L", "'109/L' is not a unit accepted here; give 10*9/L"),
        ("neutrophils", 3, "M/uL", "'M/uL' is not a unit accepted here"),
        ("neutrophils", 3, "%", "'%' is not a unit accepted here"),
        ("neutrophils", 3, "mL/min", "'mL/min' is not a unit accepted here"),
        ("creatinine_clearance", 60, "10*9/L", "'10*9/L' is not a unit accepted here"),
        ("neutrophils", 3.2, "/uL", "3.2 /µL is a count per µL with a fraction; did you mean 10*3"),
        ("platelets", 231.5, "cells/mm3", "231.5 cells/mm3 is a count per µL with a fraction"),
        ("neutrophils", 1500, "GI/L", "no patient has 1500 GI/L (at most 100 × 10⁹/L)"),
        (
            "creatinine_clearance",
            60,
            "mL/min/1.73 m2",
            "'mL/min/1.73 m2' is a rate per body surface, another quantity; give the clearance",
        ),
        ("creatinine_clearance", 60, "mL/min/{1.73_m2}", "'mL/min/{1.73_m2}' is a rate per body"),
        ("creatinine_clearance", 60, "ml/min/1,73m²", "'ml/min/1,73m²' is a rate per body"),
    ],
)
def test_a_unit_that_is_not_sure_is_refused_with_its_reason(
    name: str, value: float, unit: str, said: str
) -> None:
    with pytest.raises(CallError) as refused:
        Visit(DAY0, **{name: Measurement(value, unit)})
    assert str(refused.value).startswith(f"{name}: {said}")


def test_a_unit_is_converted_exactly_whatever_precision_is_set() -> None:
    with localcontext(prec=2):
        assert NEUTROPHILS.amount(Decimal(1234), "/uL") == Decimal("1.234")
    assert Visit(DAY0, neutrophils=Measurement(3000, "/uL")).neutrophils is not None
    assert CREATININE_CLEARANCE.factor("L/min") is None
