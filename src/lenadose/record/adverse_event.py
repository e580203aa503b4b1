"""Adverse events: the terms that the criteria know, and an event as it was reported."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from attrs import Attribute, field, frozen

from lenadose.record.fields import RecordPart, _is, _optional, _range, _whole, _words
from lenadose.terms.errors import Fault, describe, fault

GRADE = (1, 5)

CTCAE_EDITIONS = ("2.0", "3.0", "4.0", "4.01", "4.02", "4.03", "5.0", "6.0")

PREGNANCY = "pregnancy"
SENSORY_NEUROPATHY = "peripheral sensory neuropathy"
RESOLVABLE = (PREGNANCY, "missed period", "abnormal vaginal bleeding")
"""Events that count until they are reported resolved."""

UNGRADED = (
    *RESOLVABLE,
    "angioedema",
    "anaphylaxis",
    "stevens-johnson syndrome",
    "toxic epidermal necrolysis",
    "drug reaction with eosinophilia and systemic symptoms",
    "bullous rash",
    "exfoliative rash",
    "venous thromboembolism",
    "arterial thromboembolism",
    "febrile neutropenia",
    "systemic lupus flare",
)
"""The terms that the criteria know and that need neither grade nor edition."""

COUNT_TERMS = {
    "neutropenia": "neutrophils",
    "neutrophil count decreased": "neutrophils",
    "thrombocytopenia": "platelets",
    "platelet count decreased": "platelets",
    "low neutrophils": "neutrophils",
    "low platelets": "platelets",
}
"""Grades of a count, refused: editions grade the same count differently, so the count itself is needed."""

OTHER_NAMES = {
    "deep vein thrombosis": "venous thromboembolism",
    "deep venous thrombosis": "venous thromboembolism",
    "thromboembolism": "venous thromboembolism",
    "thromboembolic event": "venous thromboembolism",
    "venous thrombosis": "venous thromboembolism",
    "thrombosis": "venous thromboembolism",
    "vte": "venous thromboembolism",
    "pe": "venous thromboembolism",
    "dvt": "venous thromboembolism",
    "pulmonary embolism": "venous thromboembolism",
    "myocardial infarction": "arterial thromboembolism",
    "heart attack": "arterial thromboembolism",
    "stroke": "arterial thromboembolism",
    "cerebral infarction": "arterial thromboembolism",
    "anaphylactic reaction": "anaphylaxis",
    "anaphylactic shock": "anaphylaxis",
    "sjs": "stevens-johnson syndrome",
    "ten": "toxic epidermal necrolysis",
    "dress": "drug reaction with eosinophilia and systemic symptoms",
    "pregnant": PREGNANCY,
    "positive pregnancy test": PREGNANCY,
    "late period": "missed period",
    "missed menstrual period": "missed period",
    "amenorrhea": "missed period",
    "irregular menstruation": "missed period",
    "vaginal bleeding": "abnormal vaginal bleeding",
    "vaginal hemorrhage": "abnormal vaginal bleeding",
    "abnormal bleeding": "abnormal vaginal bleeding",
    "sensory neuropathy": SENSORY_NEUROPATHY,
    "peripheral neuropathy": SENSORY_NEUROPATHY,
    "lupus flare": "systemic lupus flare",
    "lupus nephritis": "systemic lupus flare",
}
"""Grave events by another name, refused with the known one: under a name that no criterion knows they would count
by their grade alone."""

KNOWN_TERMS = (*UNGRADED, SENSORY_NEUROPATHY, "rash")
"""The terms that mean more than their grade; any other event is judged by its grade alone."""

CLOSE = 0.9
"""How alike a term and a known one are, as difflib counts, for the term to be refused as a slip of the pen."""


def _edition(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if value not in CTCAE_EDITIONS:
        raise fault(
            attribute.name,
            f"{describe(value)} is not an edition of CTCAE",
            f'give one of {", ".join(CTCAE_EDITIONS)}, as a text: "5.0"',
        )


@frozen
class AdverseEvent(RecordPart):
    """An adverse event: its term, its CTCAE grade (1 to 5) with the edition, and whether it is over.

    `UNGRADED` terms need neither grade nor edition; a grade for a blood count is refused. `resolved` ends a
    pregnancy, a missed period and an abnormal bleeding, the events that count until their end is reported.
    """

    term: str = field(validator=_words)
    grade: int | None = field(default=None, validator=_whole(*GRADE, "the grade"))
    ctcae: str | None = field(default=None, validator=_optional(_edition))
    resolved: bool | None = field(default=None, validator=_is(bool, "true or false"))

    @property
    def name(self) -> str:
        """The term as the criteria know it: without regard to case and outer blanks."""
        return event_name(self.term)

    def __str__(self) -> str:
        grade = f", grade {self.grade}" if self.grade is not None else ""
        edition = f" (CTCAE {self.ctcae})" if self.ctcae else ""
        return f"{self.term.strip()}{grade}{edition}{', resolved' if self.resolved else ''}"

    @classmethod
    def contradictions(cls, known: Mapping[str, object]) -> Iterator[Fault]:
        """Refuse a graded count, a grave event by another name, and a grade or an edition that is missing."""
        term = known.get("term")
        if not isinstance(term, str):
            return
        name = event_name(term)
        if name in COUNT_TERMS:
            count = COUNT_TERMS[name]
            yield Fault(
                "term",
                f"{name} is graded differently by each edition",
                f"give the count, as {count}",
            )
            return
        if name in OTHER_NAMES:
            yield Fault(
                "term", f"{name} is known here by another name", f'write "{OTHER_NAMES[name]}"'
            )
            return
        if name not in UNGRADED:
            near = get_close_matches(name, (*UNGRADED, *COUNT_TERMS, *OTHER_NAMES), 1, CLOSE)
            if near:
                yield Fault(
                    "term",
                    f"{describe(name)} is not known, but close to a term that is",
                    f'write "{near[0]}"',
                )
                return
            if "grade" in known and known["grade"] is None:
                yield Fault(
                    "grade",
                    f"is missing for {describe(name)}",
                    _range("give the CTCAE grade", *GRADE),
                )
            if "ctcae" in known and known["ctcae"] is None:
                reason = (
                    "is missing" if known.get("grade") is None else "a grade without its edition"
                )
                yield Fault("ctcae", reason, 'give the edition of CTCAE: "5.0"')
        if known.get("resolved") and name not in RESOLVABLE:
            reason = f"{describe(name)} is not followed to its end"
            yield Fault("resolved", reason, "leave an event that is over out of the list")


def event_name(term: str) -> str:
    """Give a term as the criteria know it: without regard to case and outer blanks."""
    name = term.strip()
    # The known terms are ASCII; the lower case of other letters can be ASCII too (the Kelvin sign's is k).
    return name.lower() if name.isascii() else name
