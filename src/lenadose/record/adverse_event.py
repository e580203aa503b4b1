"""An adverse event as it was reported."""

from collections.abc import Iterator

from attrs import field, frozen
from attrs.validators import in_, optional

from lenadose.record.event_names import event_name, term_fault
from lenadose.record.event_terms import RESOLVABLE, UNGRADED
from lenadose.record.fields import (
    RecordPart,
    explains_calls,
    is_flag,
    is_name,
    truth,
)
from lenadose.terms.errors import Fault, describe
from lenadose.terms.numbers import plain, whole_number
from lenadose.terms.validation import Check, whole

GRADE = (1, 5)

CTCAE_EDITIONS = ("2.0", "3.0", "4.0", "4.01", "4.02", "4.03", "5.0", "6.0")

_is_edition = Check(
    (
        in_(CTCAE_EDITIONS),
        "{} is not an edition of CTCAE",
        f'give one of {", ".join(CTCAE_EDITIONS)}, as a text: "5.0"',
    ),
    enum=list(CTCAE_EDITIONS),
)


@explains_calls
@frozen
class AdverseEvent(RecordPart):
    """An adverse event: its term, its CTCAE grade (1 to 5) and edition, and whether it is over.

    `UNGRADED` terms need neither grade nor edition; a grade for a blood count is refused.
    `resolved` ends a pregnancy, a missed period, an abnormal bleeding and a suspicion, which count
    until then.

    Its short forms are (term, grade, edition), ("rash", 3, "5.0"), and the term alone where it
    needs neither.
    """

    noun = "an adverse event"
    example = '("rash", 3, "5.0")'

    term: str = field(validator=is_name)
    grade: int | None = field(
        default=None, converter=whole_number, validator=optional(whole(*GRADE, "the grade"))
    )
    ctcae: str | None = field(default=None, validator=optional(_is_edition))
    resolved: bool | None = field(default=None, converter=truth, validator=optional(is_flag))

    @classmethod
    def arguments(cls, value: object) -> tuple[object, ...] | None:
        """Return the arguments for (term, grade, edition), or for a term."""
        match value:
            case str():
                return (value,)
            case (str(), grade, *edition) if len(edition) <= 1:
                number = plain(grade)
                is_text = isinstance(number, str) and number.isdigit()
                if is_text or isinstance(number, int | float):
                    return (*value,)
        return None

    @property
    def name(self) -> str:
        """The term as the criteria know it: without regard to case, blanks and kinds of dashes."""
        return event_name(self.term)

    def __str__(self) -> str:
        grade = f", grade {self.grade}" if self.grade is not None else ""
        edition = f" (CTCAE {self.ctcae})" if self.ctcae else ""
        return f"{self.term.strip()}{grade}{edition}{', resolved' if self.resolved else ''}"

    def contradictions(self) -> Iterator[Fault]:
        """Yield a fault for a term that is not usable, and for a missing grade or edition."""
        name = self.name
        fault = term_fault(name)
        if fault is not None:
            yield fault
            return
        if name not in UNGRADED:
            if self.grade is None:
                reason = f"is missing for {describe(name)}"
                yield Fault("grade", reason, f"give the CTCAE grade from {GRADE[0]} to {GRADE[1]}")
            if self.ctcae is None:
                reason = "is missing" if self.grade is None else "a grade without its edition"
                yield Fault("ctcae", reason, 'give the edition of CTCAE: "5.0"')
        if self.resolved and name not in RESOLVABLE:
            reason = f"{describe(name)} is not followed to its end"
            yield Fault("resolved", reason, "leave an event that is over out of the list")
