"""The notices of the built-in protocols, in the order in which they are printed."""

from lenadose.protocol.notices import Confidence, Notice, Occasion
from lenadose.terms.provenance import THIS_RECORD

NOTICES = (
    Notice(
        "obstetrician",
        Occasion.PREGNANCY,
        "refer to an obstetrician",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "report-exposure",
        Occasion.EXPOSURE,
        "report the exposure if drug was taken",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "pregnant-though-unable",
        Occasion.PREGNANT_THOUGH_UNABLE,
        "the record contradicts itself: not able to become pregnant, yet a pregnancy or a positive "
        "test",
        THIS_RECORD,
        Confidence.DERIVED,
    ),
    Notice(
        "taken-though-none-advised",
        Occasion.TAKEN_THOUGH_NONE_ADVISED,
        "the record contradicts the advice: a dosage was taken where none was advised",
        THIS_RECORD,
        Confidence.DERIVED,
    ),
    Notice(
        "published-relapse",
        Occasion.SMALL_RISE,
        "a series of 40 calls a rise of 2 points a relapse, above what was not seen; an earlier "
        "visit may be wise",
        "FRENCH40",
        Confidence.RESTATED,
    ),
    Notice(
        "relapse-in-trial",
        Occasion.TAPER,
        "9 of 12 complete responders relapsed in the trial, usually 2 to 8 weeks after withdrawal",
        "CH12",
        Confidence.READ,
    ),
    Notice(
        "could-stop",
        Occasion.TAPER,
        "in another series 3 (8 %) could stop",
        "FRENCH40",
        Confidence.RESTATED,
    ),
    Notice(
        "lowest-level-kept",
        Occasion.TAPER,
        "the responders of a series of 5 went down to 5 mg every other day",
        "PENN12",
        Confidence.READ,
    ),
    Notice(
        "platelet-gates",
        Occasion.LOW_PLATELETS,
        "most published start gates for platelets are above this count",
        "label, label EU",
        Confidence.RESTATED,
    ),
    Notice(
        "prophylaxis-bleeding",
        Occasion.LOW_PLATELETS,
        "thromboprophylaxis adds a risk of bleeding",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "thromboembolism",
        Occasion.FIRST_CAPSULE,
        "the label has a boxed warning of thromboembolism",
        "label",
        Confidence.READ,
    ),
    Notice(
        "prophylaxis-in-series",
        Occasion.FIRST_CAPSULE,
        "two series of cutaneous lupus, possibly overlapping, report thromboprophylaxis as part of "
        "the regimen",
        "REYMANN, FRENCH40",
        Confidence.RESTATED,
    ),
    Notice(
        "hormonal-contraception",
        Occasion.FIRST_CAPSULE,
        "combined hormonal contraception adds to the risk of thromboembolism",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "contraception",
        Occasion.FIRST_CAPSULE,
        "where pregnancy is possible, two methods of contraception from 4 weeks before to 4 weeks "
        "after",
        "label",
        Confidence.READ,
    ),
    Notice(
        "contraception-fails",
        Occasion.FIRST_CAPSULE,
        "when contraception fails: stop, test, and call the same day",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "breast-milk-and-blood",
        Occasion.FIRST_CAPSULE,
        "no breastfeeding, and no donation of blood until 4 weeks after",
        "label",
        Confidence.READ,
    ),
    Notice("condoms", Occasion.FIRST_CAPSULE, "condoms for men", "label", Confidence.READ),
    Notice(
        "never-shared",
        Occasion.FIRST_CAPSULE,
        "capsules are never shared",
        "label",
        Confidence.READ,
    ),
    Notice(
        "liver-and-thyroid",
        Occasion.FIRST_CAPSULE,
        "test liver enzymes and thyroid function",
        "label",
        Confidence.MEMORY,
    ),
    Notice(
        "hepatitis-b",
        Occasion.FIRST_CAPSULE,
        "hepatitis B: see the European label",
        "label EU",
        Confidence.MEMORY,
    ),
    Notice(
        "second-cancers",
        Occasion.FIRST_CAPSULE,
        "second cancers are the title of a warning",
        "label",
        Confidence.READ,
    ),
    Notice(
        "panniculitis",
        Occasion.PANNICULITIS,
        "lupus panniculitis: 2 of 2 did not respond",
        "KINDLE16",
        Confidence.READ,
    ),
    Notice(
        "panniculitis-slower",
        Occasion.PANNICULITIS,
        "lupus panniculitis: a review reports a slower response, not none",
        "YUKI21",
        Confidence.READ,
    ),
    Notice(
        "pregnancy-calendar",
        Occasion.PREGNANCY_TESTS,
        "the calendar of pregnancy tests is that of the United States",
        "label",
        Confidence.READ,
    ),
)
