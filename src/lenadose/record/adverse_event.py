"""Adverse events: the terms that the criteria know, and an event as it was reported."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from attrs import field, frozen
from attrs.validators import in_, optional

from lenadose.record.fields import RecordPart, is_flag, is_wording
from lenadose.terms.errors import Fault, describe
from lenadose.terms.validation import Check, whole

GRADE = (1, 5)

CTCAE_EDITIONS = ("2.0", "3.0", "4.0", "4.01", "4.02", "4.03", "5.0", "6.0")

PREGNANCY = "pregnancy"
SENSORY_NEUROPATHY = "peripheral sensory neuropathy"
RESOLVABLE = (
    PREGNANCY,
    "missed period",
    "abnormal vaginal bleeding",
    "suspected thromboembolism",
)
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
"""Grades of a count, which are refused: editions grade a count differently."""

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
"""Other names of grave events, which are refused.

No criterion knows them, so the events would count by their grade alone.
"""

KNOWN_TERMS = (*UNGRADED, SENSORY_NEUROPATHY, "rash")
"""The terms that mean more than their grade; any other event is judged by its grade alone."""

CLOSE = 0.9
"""How alike, as difflib counts, a term is to a known one to be refused as a typing error."""


_is_edition = Check(
    (
        in_(CTCAE_EDITIONS),
        "{} is not an edition of CTCAE",
        f'give one of {", ".join(CTCAE_EDITIONS)}, as a text: "5.0"',
    ),
    enum=list(CTCAE_EDITIONS),
)


@frozen
class AdverseEvent(RecordPart):
    """An adverse event: its term, its CTCAE grade (1 to 5) and edition, and whether it is over.

    `UNGRADED` terms need neither grade nor edition; a grade for a blood count is refused.
    `resolved` ends a pregnancy, a missed period and an abnormal bleeding, which count until then.
    """

    term: str = field(validator=is_wording)
    grade: int | None = field(default=None, validator=optional(whole(*GRADE, "the grade")))
    ctcae: str | None = field(default=None, validator=optional(_is_edition))
    resolved: bool | None = field(default=None, validator=optional(is_flag))

    @property
    def name(self) -> str:
        """The term as the criteria know it: without regard to case and outer blanks."""
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


# Comparing a term with all known ones takes as long as reading the rest of a visit.
@lru_cache(maxsize=1024)
def term_fault(term: str) -> Fault | None:
    """Return why no event can be recorded under a term, or None if one can.

    Refused are grades of a blood count, known events under another name, and near misses of them.
    """
    name = event_name(term)
    if name in COUNT_TERMS:
        fix = f"give the count, as {COUNT_TERMS[name]}"
        return Fault("term", f"{name} is graded differently by each edition", fix)
    if name in OTHER_NAMES:
        return Fault(
            "term", f"{name} is known here by another name", f'write "{OTHER_NAMES[name]}"'
        )
    if name not in UNGRADED:
        near = get_close_matches(name, (*UNGRADED, *COUNT_TERMS, *OTHER_NAMES), 1, CLOSE)
        if near:
            return Fault("term", f"unknown term {describe(name)}", f"did you mean '{near[0]}'?")
    return None


def event_name(term: str) -> str:
    """Return a term as the criteria know it: without regard to case and outer blanks."""
    name = term.strip()
    # The known terms are ASCII, but the lower case of other letters can be ASCII too: the Kelvin
    # sign's is k.
    return name.lower() if name.isascii() else name
