"""Counts in the unit that the reader chose, in every text that is shown."""

import re
from decimal import Decimal

from lenadose.formats.course_json import Json
from lenadose.terms.dosage import format_decimal
from lenadose.terms.units import PER_MICROLITRE, PRINTED

# Numbers can share a unit: a range, the counts behind an acceptable safety, and a limit with the
# graver one beside it.
_NUMBER = r"\d+(?:\.\d+)?"
_COUNT = re.compile(
    rf"({_NUMBER})(?:( to below |, platelets )({_NUMBER}))? ?"
    rf"({'|'.join(re.escape(PRINTED[unit]) for unit in ('10*9/L', '10*3/uL', '/uL'))})"
    rf"(?:( \(below )({_NUMBER})(?= the same day))?"
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

    def amount(group: int) -> str:
        return format_decimal(Decimal(found[group]) * factor)

    rest = f"{found[2]}{amount(3)}" if found[3] else ""
    graver = f"{found[5]}{amount(6)}" if found[6] else ""
    return f"{amount(1)}{rest} {PRINTED[unit]}{graver}"
