"""The terms of adverse events that the criteria know, and what is a kind of one or reads like one.

A criterion knows a term by one name. The same thing under another name would count by its grade
alone, so other names, kinds and near misses of a known term are refused with the known one. What
names another thing is accepted, however alike it looks, and counts by its grade:
a superficial thrombophlebitis or a haemorrhagic stroke is no thromboembolism, a paraesthesia no
neuropathy, a swollen face no angioedema. Only English names and abbreviations are known.
"""

from collections.abc import Mapping
from types import MappingProxyType

PREGNANCY = "pregnancy"
SENSORY_NEUROPATHY = "peripheral sensory neuropathy"

MISSED_PERIOD = "missed period"
BLEEDING = "abnormal vaginal bleeding"
SUSPECTED = "suspected thromboembolism"
ANGIOEDEMA = "angioedema"
ANAPHYLAXIS = "anaphylaxis"
SJS = "stevens-johnson syndrome"
TEN = "toxic epidermal necrolysis"
DRESS = "drug reaction with eosinophilia and systemic symptoms"
BULLOUS = "bullous rash"
EXFOLIATIVE = "exfoliative rash"
VENOUS = "venous thromboembolism"
ARTERIAL = "arterial thromboembolism"
FEBRILE = "febrile neutropenia"
FLARE = "systemic lupus flare"
RASH = "rash"
ALT = "alanine aminotransferase increased"
AST = "aspartate aminotransferase increased"
BILIRUBIN = "blood bilirubin increased"

RESOLVABLE = (PREGNANCY, MISSED_PERIOD, BLEEDING, SUSPECTED)
"""Events that count until they are reported resolved."""

UNGRADED = (
    *RESOLVABLE,
    ANGIOEDEMA,
    ANAPHYLAXIS,
    SJS,
    TEN,
    DRESS,
    BULLOUS,
    EXFOLIATIVE,
    VENOUS,
    ARTERIAL,
    FEBRILE,
    FLARE,
)
"""The terms that the criteria know and that need neither grade nor edition."""

KNOWN_TERMS = (*UNGRADED, SENSORY_NEUROPATHY, RASH, ALT, AST, BILIRUBIN)
"""The terms that mean more than their grade; any other event is judged by its grade alone."""

EXAMPLE_TERM = "diarrhea"
"""An event of which no criterion knows the term; CTCAE 5.0 has it in all five grades."""

MEASURED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "neutrophils": (
            "neutropenia",
            "afebrile neutropenia",
            "non-febrile neutropenia",
            "granulocytopenia",
            "agranulocytosis",
            "neutrophil count decreased",
            "neutrophils decreased",
            "decreased neutrophil count",
            "absolute neutrophil count decreased",
            "neutrophil count low",
            "neutrophils low",
            "anc decreased",
            "anc low",
            "neutrophils/granulocytes (anc/agc)",
        ),
        "platelets": (
            "thrombocytopenia",
            "thrombopenia",
            "platelet count decreased",
            "platelets decreased",
            "platelet count low",
            "platelets low",
            "thrombocyte count decreased",
        ),
        "creatinine_clearance": (
            "creatinine clearance decreased",
            "creatinine renal clearance decreased",
            "renal creatinine clearance decreased",
            "creatinine clearance low",
            "creatinine clearance abnormal",
            "crcl decreased",
            "crcl low",
        ),
    }
)
"""Names of a low result, which are refused: editions grade it differently, the result decides."""

NAMES_OF_KINDS = (
    "pulmonary artery embolism",
    "pulmonary artery thrombosis",
    "vein thrombosis",
    "venous thrombosis",
    "sinus thrombosis",
    "pulmonary embolism",
    "retinal vein occlusion",
    "dvt",
    "vte",
    "venous thromboembolism",
    "arterial thromboembolism",
    "myocardial infarction",
    "cerebral infarction",
    "ischemic stroke",
    "artery thrombosis",
    "arterial thrombosis",
    "artery embolism",
    "arterial embolism",
    "artery occlusion",
    "arterial occlusion",
    "stevens-johnson",
    "toxic epidermal necrolysis",
    "drug rash with eosinophilia and systemic symptoms",
    "angioedema",
    "anaphylaxis",
    "febrile neutropenia",
    "vaginal bleeding",
    "vaginal hemorrhage",
    "lupus nephritis",
    "sensory neuropathy",
)
"""Names that more words make a kind of: a "left iliac vein thrombosis"."""

OTHER_THINGS = (
    "superficial vein thrombosis",
    "superficial venous thrombosis",
    "thrombolysis",
    "hypobilirubinemia",
)
"""Names of other things that read like a name of a known term."""

OTHER_WORDS = frozenset(
    {"infection", "nephropathy", "uropathy", "granulocytosis", "thrombocythemia", "thrombolysis"}
)
"""Words of other things that read like a word of a known name with a letter or two wrong."""
