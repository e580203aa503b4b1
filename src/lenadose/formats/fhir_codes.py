"""The codes by which FHIR resources say what a course holds; the reader and the writer use them.

LOINC, SNOMED CT and UCUM codes are those of the public lists. What has none (CLASI, the judgement
of the response, doses missed, and whether adverse events were asked about) has a code of the
project's own, in the system `OWN`. Its URL is a name and resolves to nothing: `.example` is
reserved, so that nobody owns it.

How each part of a course is written, with `encounter` (`context` in a MedicationStatement) naming
the visit:

- a visit: an Encounter of the type `VISIT`, whose `period.start` is its date;
- a result: an Observation of the first code of `RESULT_CODES`, with a valueQuantity, on its day;
- CLASI, doses missed, age: an Observation with a valueInteger;
- a pregnancy test: an Observation of the code `PREGNANCY_TEST`, coded `POSITIVE` or `NEGATIVE`;
- an adverse event: an AdverseEvent whose `event.text` is the term, with the extensions `GRADE`
  (valueInteger) and `EDITION` (valueString), and the outcome `RESOLVED` where it was reported
  resolved;
- an empty list of adverse events: an Observation of the code `ADVERSE_EVENTS`, coded `NONE`;
- the dosage taken: a MedicationStatement of `LENALIDOMIDE`, of the status not-taken for 0 mg;
- the judgement: an Observation of the code `JUDGEMENT`, coded one of `JUDGEMENTS`, with the reason
  as the valueString of a component of the code `REASON`;
- the end of treatment, the protocol, and each field of which a result cannot be read: an
  Observation with a valueString;
- facts of the patient: an Observation without an encounter, with a valueBoolean, a valueString or
  a code; the id of a course is the identifier in the system `PATIENT_ID`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from lenadose.record.visit import JudgedResponse, TestResult
from lenadose.terms.units import CREATININE_CLEARANCE, NEUTROPHILS, PLATELETS

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

_BASE = "https://lenadose.example/fhir"
OWN = f"{_BASE}/CodeSystem/course"
"""The code system of what has no code elsewhere."""
PATIENT_ID = f"{_BASE}/NamingSystem/patient"
"""The system of the identifier that is the id of a patient in a course."""
GRADE = f"{_BASE}/StructureDefinition/ctcae-grade"
EDITION = f"{_BASE}/StructureDefinition/ctcae-edition"
"""The extensions of an AdverseEvent or a Condition: its CTCAE grade and the edition of CTCAE."""
ACTIONS = f"{_BASE}/CodeSystem/action"
"""The code system of the actions that a decision can have."""
ROWS = f"{_BASE}/CodeSystem/row"
"""The code systems of the rows of protocols, each followed by `/` and the id of the protocol."""
PROTOCOLS = f"{_BASE}/PlanDefinition"
"""The canonical URLs of protocols, each followed by `/`, the id, `|` and the version."""
PROTOCOL_HASH = f"{_BASE}/NamingSystem/protocol-hash"
"""The system of the identifier that is the SHA-256 of a protocol."""
OVERRIDE_REASONS = f"{_BASE}/CodeSystem/override-reason"
"""The code system of the reasons for which a card is overridden."""


@frozen
class Code:
    """A code in its system, with its name for people."""

    system: str
    code: str
    display: str

    @property
    def key(self) -> tuple[str, str]:
        """The system and the code, which identify it."""
        return self.system, self.code


def _own(code: str, display: str) -> Code:
    return Code(OWN, code, display)


VISIT = _own("visit", "Visit of a course")
CLASI_ACTIVITY = _own("clasi-activity", "CLASI activity score")
CLASI_DAMAGE = _own("clasi-damage", "CLASI damage score")
PREGNANCY_TEST = _own("pregnancy-test", "Pregnancy test")
ADVERSE_EVENTS = _own("adverse-events", "Adverse events asked about")
NONE = _own("none", "None")
RESOLVED = _own("resolved", "Reported resolved at this visit")
DOSES_MISSED = _own("doses-missed", "Doses missed since the visit before")
JUDGEMENT = _own("judgement", "Clinician's judgement of the response")
REASON = _own("judgement-reason", "Reason for the judgement")
TREATMENT_ENDED = _own("treatment-ended", "Treatment was ended, with the reason")
UNREADABLE = _own("unreadable", "Field of which a result cannot be read")
PROTOCOL = _own("protocol", "Protocol that the course is read by")
AGE = _own("age", "Age in years")
ABLE_TO_BECOME_PREGNANT = _own("able-to-become-pregnant", "Able to become pregnant")
REGULAR_CYCLES = _own("regular-cycles", "Regular cycles")
SUBTYPE = _own("subtype", "Subtype of cutaneous lupus")
ANTIPHOSPHOLIPID = _own("antiphospholipid", "Antiphospholipid antibodies")
LENALIDOMIDE = _own("lenalidomide", "Lenalidomide")

JUDGEMENTS: Mapping[JudgedResponse, Code] = MappingProxyType(
    {
        JudgedResponse.IMPROVED: _own("improved", "Improved"),
        JudgedResponse.NOT_IMPROVED: _own("not-improved", "Not improved"),
        JudgedResponse.WORSE: _own("worse", "Worse"),
    }
)
"""The codes of a judgement."""

POSITIVE = Code(SNOMED, "10828004", "Positive")
NEGATIVE = Code(SNOMED, "260385009", "Negative")
TEST_RESULTS: Mapping[TestResult, Code] = MappingProxyType(
    {TestResult.POSITIVE: POSITIVE, TestResult.NEGATIVE: NEGATIVE}
)
"""The codes of a result that is positive or negative."""

OWN_CODES = (
    VISIT,
    CLASI_ACTIVITY,
    CLASI_DAMAGE,
    PREGNANCY_TEST,
    ADVERSE_EVENTS,
    NONE,
    RESOLVED,
    DOSES_MISSED,
    JUDGEMENT,
    *JUDGEMENTS.values(),
    REASON,
    TREATMENT_ENDED,
    UNREADABLE,
    PROTOCOL,
    AGE,
    ABLE_TO_BECOME_PREGNANT,
    REGULAR_CYCLES,
    SUBTYPE,
    ANTIPHOSPHOLIPID,
    LENALIDOMIDE,
)
"""Every code of the project's own system."""

_NEUTROPHILS = "Neutrophils [#/volume] in Blood"
_PLATELETS = "Platelets [#/volume] in Blood"

RESULT_CODES: Mapping[str, tuple[Code, ...]] = MappingProxyType(
    {
        NEUTROPHILS.name: (
            Code(LOINC, "26499-4", _NEUTROPHILS),
            Code(LOINC, "751-8", f"{_NEUTROPHILS} by Automated count"),
            Code(LOINC, "753-4", f"{_NEUTROPHILS} by Manual count"),
        ),
        PLATELETS.name: (
            Code(LOINC, "26515-7", _PLATELETS),
            Code(LOINC, "777-3", f"{_PLATELETS} by Automated count"),
        ),
        CREATININE_CLEARANCE.name: (
            Code(
                LOINC,
                "35591-7",
                "Creatinine renal clearance predicted by Cockcroft-Gault formula",
            ),
        ),
    }
)
"""The codes of each quantity of a visit; the first names no method, and is the one written."""

PREGNANCY_TEST_CODES = (
    PREGNANCY_TEST,
    Code(LOINC, "2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine"),
    Code(LOINC, "2118-8", "Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma"),
)
CREATININE = Code(LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma")
BODY_WEIGHT = Code(LOINC, "29463-7", "Body weight")

NOT_COCKCROFT_GAULT: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (LOINC, "2164-2"): "a clearance measured in urine",
        (LOINC, "33914-3"): "an estimate by the MDRD formula",
    }
)
"""Codes that look like a clearance by Cockcroft and Gault, and what they are."""

LENALIDOMIDE_CODES = (
    LENALIDOMIDE,
    # Capsules; which of the last two is 5 mg and which 10 mg is not needed to know the drug.
    Code(RXNORM, "1242231", "lenalidomide 2.5 MG Oral Capsule"),
    Code(RXNORM, "602910", "lenalidomide Oral Capsule"),
    Code(RXNORM, "602912", "lenalidomide Oral Capsule"),
)
"""Codes by which lenalidomide is recognised; none of them says a dose."""

SUBTYPES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (SNOMED, "200938002"): "discoid",
        (SNOMED, "239891002"): "subacute",
        (SNOMED, "239888002"): "panniculitis",
    }
)
"""Diagnoses that name the subtype of cutaneous lupus."""
