"""The terms of adverse events: those that the criteria know, and their other names.

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

_MISSED_PERIOD = "missed period"
_BLEEDING = "abnormal vaginal bleeding"
SUSPECTED = "suspected thromboembolism"
_ANGIOEDEMA = "angioedema"
_ANAPHYLAXIS = "anaphylaxis"
_SJS = "stevens-johnson syndrome"
_TEN = "toxic epidermal necrolysis"
_DRESS = "drug reaction with eosinophilia and systemic symptoms"
_BULLOUS = "bullous rash"
_EXFOLIATIVE = "exfoliative rash"
_VENOUS = "venous thromboembolism"
_ARTERIAL = "arterial thromboembolism"
_FEBRILE = "febrile neutropenia"
_FLARE = "systemic lupus flare"
_RASH = "rash"
_ALT = "alanine aminotransferase increased"
_AST = "aspartate aminotransferase increased"
_BILIRUBIN = "blood bilirubin increased"

RESOLVABLE = (PREGNANCY, _MISSED_PERIOD, _BLEEDING, SUSPECTED)
"""Events that count until they are reported resolved."""

UNGRADED = (
    *RESOLVABLE,
    _ANGIOEDEMA,
    _ANAPHYLAXIS,
    _SJS,
    _TEN,
    _DRESS,
    _BULLOUS,
    _EXFOLIATIVE,
    _VENOUS,
    _ARTERIAL,
    _FEBRILE,
    _FLARE,
)
"""The terms that the criteria know and that need neither grade nor edition."""

KNOWN_TERMS = (*UNGRADED, SENSORY_NEUROPATHY, _RASH, _ALT, _AST, _BILIRUBIN)
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

Names = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
"""Known terms, any of which may be meant, beside their other names."""

THROMBOSES: Names = (
    (
        (_VENOUS,),
        (
            "dvt",
            "vte",
            "pe",
            "pte",
            "deep vein thrombosis",
            "deep venous thrombosis",
            "deep thrombophlebitis",
            "thrombophlebitis deep",
            "phlebothrombosis",
            "venous thrombosis",
            "vein thrombosis",
            "venous embolism",
            "venous thromboembolic event",
            "sinus thrombosis",
            "sinus venous thrombosis",
            "pulmonary embolism",
            "pulmonary embolus",
            "pulmonary thromboembolism",
            "pulmonary thrombosis",
            "pulmonary infarction",
            "lung embolism",
            "blood clot in the leg",
            "blood clot in the lung",
            "leg clot",
            "budd-chiari syndrome",
            "retinal vein occlusion",
        ),
    ),
    (
        (_ARTERIAL,),
        (
            "mi",
            "ami",
            "stemi",
            "nstemi",
            "myocardial infarction",
            "heart attack",
            "heart infarction",
            "acute coronary syndrome",
            "acs",
            "coronary artery thrombosis",
            "stroke",
            "ischemic stroke",
            "ischaemic stroke",
            "embolic stroke",
            "thrombotic stroke",
            "cva",
            "cerebrovascular accident",
            "cerebral infarction",
            "cerebral infarct",
            "cerebral ischemia",
            "ischemia cerebrovascular",
            "cns cerebrovascular ischemia",
            "brain infarction",
            "tia",
            "transient ischemic attack",
            "transient ischemic attacks",
            "transient ischaemic attack",
            "arterial thrombosis",
            "artery thrombosis",
            "arterial embolism",
            "artery embolism",
            "arterial occlusion",
            "artery occlusion",
            "arterial thromboembolic event",
            "acute limb ischemia",
        ),
    ),
    (
        (_VENOUS, _ARTERIAL),
        (
            "thrombosis",
            "thrombus",
            "embolism",
            "embolus",
            "embolism and thrombosis",
            "thromboembolism",
            "thromboembolic event",
            "thrombotic event",
            "thrombosis/embolism",
            "thrombosis/thrombus/embolism",
            "blood clot",
            "clot",
        ),
    ),
)
"""Other names of thromboembolism, which may be suspected too."""

OTHER_NAMES: Names = (
    *THROMBOSES,
    (
        (PREGNANCY,),
        (
            "pregnant",
            "gestation",
            "unintended pregnancy",
            "unplanned pregnancy",
            "intrauterine pregnancy",
            "ectopic pregnancy",
            "positive pregnancy test",
            "pregnancy positive",
            "human chorionic gonadotropin positive",
            "hcg positive",
            "exposure during pregnancy",
            "maternal exposure during pregnancy",
            "drug exposure during pregnancy",
        ),
    ),
    (
        (_MISSED_PERIOD,),
        (
            "missed menstrual period",
            "missed menses",
            "missed menstruation",
            "late period",
            "late menses",
            "delayed period",
            "delayed menses",
            "delayed menstruation",
            "period overdue",
            "absent period",
            "no period",
            "amenorrhea",
            "oligomenorrhea",
            "irregular menstruation",
            "irregular menses",
            "irregular period",
        ),
    ),
    (
        (_BLEEDING,),
        (
            "vaginal bleeding",
            "vaginal hemorrhage",
            "abnormal bleeding",
            "abnormal menstrual bleeding",
            "abnormal uterine bleeding",
            "dysfunctional uterine bleeding",
            "uterine hemorrhage",
            "uterine bleeding",
            "genital hemorrhage",
            "genital bleeding",
            "intermenstrual bleeding",
            "breakthrough bleeding",
            "spotting",
            "vaginal spotting",
            "metrorrhagia",
            "menorrhagia",
            "menometrorrhagia",
            "heavy menstrual bleeding",
            "heavy period",
            "postmenopausal bleeding",
            "postmenopausal hemorrhage",
        ),
    ),
    (
        (_ANGIOEDEMA,),
        ("angioneurotic edema", "quincke edema", "quincke's edema", "quincke's disease"),
    ),
    (
        (_ANAPHYLAXIS,),
        (
            "anaphylactic reaction",
            "anaphylactic shock",
            "anaphylactoid reaction",
            "anaphylactoid shock",
        ),
    ),
    ((_SJS,), ("sjs", "stevens-johnson", "stevens-johnson reaction")),
    (
        (_TEN,),
        (
            "ten",
            "lyell syndrome",
            "lyell's syndrome",
            "toxic epidermolysis",
            "epidermal necrolysis",
        ),
    ),
    (
        (_SJS, _TEN),
        ("sjs/ten", "sjs-ten overlap", "stevens-johnson syndrome/toxic epidermal necrolysis"),
    ),
    (
        (_DRESS,),
        (
            "dress",
            "dress syndrome",
            "drug rash with eosinophilia and systemic symptoms",
            "drug hypersensitivity syndrome",
            "drug-induced hypersensitivity syndrome",
            "dihs",
        ),
    ),
    (
        (_BULLOUS,),
        (
            "bullous dermatitis",
            "bullous eruption",
            "bullous drug eruption",
            "blistering rash",
            "blistering eruption",
        ),
    ),
    (
        (_EXFOLIATIVE,),
        (
            "exfoliative dermatitis",
            "dermatitis exfoliative generalized",
            "erythroderma",
            "exfoliative erythroderma",
            "erythrodermic rash",
        ),
    ),
    ((_FEBRILE,), ("neutropenic fever", "neutropenic sepsis", "neutropenia with fever")),
    (
        (_FLARE,),
        (
            "lupus flare",
            "sle",
            "sle flare",
            "flare of lupus",
            "flare of sle",
            "systemic flare",
            "systemic lupus erythematosus",
            "systemic lupus erythematosus flare",
            "systemic lupus erythematosus aggravated",
            "lupus nephritis",
            "lupus nephritis flare",
        ),
    ),
    (
        (SENSORY_NEUROPATHY,),
        (
            "neuropathy",
            "sensory neuropathy",
            "peripheral neuropathy",
            "polyneuropathy",
            "sensory polyneuropathy",
            "peripheral polyneuropathy",
            "sensorimotor neuropathy",
            "peripheral sensorimotor neuropathy",
        ),
    ),
    (
        (_RASH,),
        (
            "skin rash",
            "drug rash",
            "drug eruption",
            "toxic skin eruption",
            "skin eruption",
            "exanthem",
            "exanthema",
            "rash/desquamation",
            "rash maculo-papular",
            "rash maculopapular",
            "rash macular",
            "rash papular",
            "rash morbilliform",
            "rash acneiform",
            "rash acne/acneiform",
            "rash pustular",
            "papulopustular rash",
            "rash erythematous",
            "rash follicular",
            "rash generalized",
            "rash pruritic",
            "rash vesicular",
        ),
    ),
    (
        (_ALT,),
        (
            "alt",
            "alat",
            "sgpt",
            "gpt",
            "alanine aminotransferase",
            "alanine transaminase",
            "alanine aminotransferase abnormal",
            "alanine transaminase increased",
            "alt increased",
            "alt elevated",
            "alt elevation",
            "alt raised",
            "alt high",
            "alat increased",
            "sgpt increased",
            "gpt increased",
            "alanine aminotransferase elevated",
            "alanine aminotransferase high",
        ),
    ),
    (
        (_AST,),
        (
            "ast",
            "asat",
            "sgot",
            "got",
            "aspartate aminotransferase",
            "aspartate transaminase",
            "aspartate aminotransferase abnormal",
            "aspartate transaminase increased",
            "ast increased",
            "ast elevated",
            "ast elevation",
            "ast raised",
            "ast high",
            "asat increased",
            "sgot increased",
            "got increased",
            "aspartate aminotransferase elevated",
            "aspartate aminotransferase high",
        ),
    ),
    (
        (_ALT, _AST),
        (
            "transaminases increased",
            "transaminases elevated",
            "elevated transaminases",
            "aminotransferases increased",
            "hypertransaminasemia",
            "transaminitis",
            "hepatic enzyme increased",
            "hepatic enzymes increased",
            "liver enzymes increased",
            "liver enzymes elevated",
            "liver function test increased",
            "liver function test abnormal",
            "liver function tests abnormal",
            "lfts elevated",
            "ast/alt increased",
        ),
    ),
    (
        (_BILIRUBIN,),
        (
            "bilirubin",
            "bilirubin increased",
            "bilirubin elevated",
            "bilirubin high",
            "bilirubin (hyperbilirubinemia)",
            "total bilirubin increased",
            "serum bilirubin increased",
            "blood bilirubin elevated",
            "hyperbilirubinemia",
            "jaundice",
        ),
    ),
)
"""Other names of known terms, and names of what is a kind of them."""

NAMES_OF_KINDS = (
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
