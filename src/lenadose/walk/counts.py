"""Counts in the unit that the reader chose, in every text that is shown."""

import re
from decimal import Decimal

from lenadose.formats.course_json import Json
from lenadose.terms.dosage import format_decimal
from lenadose.terms.units import PER_MICROLITRE, PRINTED

# Two numbers can share a unit: a range, and the counts behind an acceptable safety.
_NUMBER = r"\d+(?:\.\d+)?"
_COUNT = re.compile(
    rf"({_NUMBER})(?:( to below |, platelets )({_NUMBER}))? ?"
    rf"({'|'.join(re.escape(PRINTED[unit]) for unit in ('10*9/L', '10*3/uL', '/uL'))})"
)
_ROW_UNIT = re.compile(re.escape(PRINTED["10*9/L"]))


def in_unit(data: Json, unit: str) -> Json:
    """Return data with the counts in every text in one unit; 1 × 10⁹/L is 1000/µL.

    What stands under the key `value` is what a reader entered, and stays.
    """
    match data:
        case str():
            return text_in_unit(data, unit)
        case list():
            return [in_unit(each, unit) for each in data]
        case dict():
            return {
                key: each if key == "value" else in_unit(each, unit) for key, each in data.items()
            }
        case _:
            return data


def text_in_unit(text: str, unit: str) -> str:
    """Return a text with the counts in it in one unit."""
    text = _COUNT.sub(lambda found: _converted(found, unit), text)
    # A unit without a number is that of a row of numbers, which stay: 10⁹/L is 10³/µL.
    return _ROW_UNIT.sub(PRINTED["10*3/uL"], text) if unit == PER_MICROLITRE else text


def _converted(found: re.Match[str], unit: str) -> str:
    is_per_microlitre = found[4] == PRINTED[PER_MICROLITRE]
    if is_per_microlitre == (unit == PER_MICROLITRE):
        factor = Decimal(1)
    else:
        factor = Decimal("0.001") if is_per_microlitre else Decimal(1000)
    if factor == 1 and found[4] == PRINTED[unit]:
        return found[0]
    first = format_decimal(Decimal(found[1]) * factor)
    rest = f"{found[2]}{format_decimal(Decimal(found[3]) * factor)}" if found[3] else ""
    return f"{first}{rest} {PRINTED[unit]}"
