"""The protocol of Cortés-Hernández 2012, as a clinician would review and sign it.

The trial leaves most of the protocol unspecified; the rest is tagged label, adapted or assumed. The
rows follow the order of a course: before the start, titration, taper, interruption, and after the
treatment.
"""

from decimal import Decimal
from fractions import Fraction

from lenadose.protocol.builtin.notices import NOTICES
from lenadose.protocol.protocol import Intervals, Note, Protocol, Source
from lenadose.protocol.response import ResponseCriteria
from lenadose.protocol.rules import RuleTable, case, rule
from lenadose.protocol.safety import CountLimits, EventCriterion, Lasts, SafetyCriteria
from lenadose.terms.dosage import Dosage, DoseLadder, Level
from lenadose.terms.facts import (
    ABOVE_BOTTOM,
    BELOW_TOP,
    BOTTOM,
    OK,
    ON_LADDER,
    ON_TREATMENT,
    TOP,
    Action,
    Phase,
    Position,
    Response,
    Safety,
    TherapeuticTrial,
    Timing,
)
from lenadose.terms.interval import days, months, weeks
from lenadose.terms.provenance import Sourced, adapted, assumed, label, stated

SOURCES = (
    Source(
        "CH12",
        "Cortés-Hernández J, Ávila G, Vilardell-Tarrés M, Ordi-Ros J. Efficacy and safety of lenalidomide for "
        "refractory cutaneous lupus erythematosus. Arthritis Res Ther 2012;14:R265. doi 10.1186/ar4111. NCT01408199",
        "abstract, registry entries and a news summary read; the full text was not available",
    ),
    Source(
        "SHAH09",
        "Shah A, et al. Arch Dermatol 2009;145:303-6. doi 10.1001/archdermatol.2009.30. N = 2",
        "read",
    ),
    Source(
        "PENN12",
        "Braunstein I, et al. J Am Acad Dermatol 2012;66:571-82. doi 10.1016/j.jaad.2011.01.015. N = 5",
        "read",
    ),
    Source(
        "KINDLE16",
        "Kindle, et al. Int J Dermatol 2016;55:e431-9. doi 10.1111/ijd.13226. N = 9",
        "read",
    ),
    Source(
        "REYMANN",
        "Reymann, et al. Open series of 19, 5 mg/day",
        "restated: seen only in another's restatement",
    ),
    Source(
        "FRENCH40",
        "Retrospective French series of 40. Figures cross-checked against Lupus Sci Med 2021;8(Suppl 1):A19.1",
        "restated: the abstract was seen as a third party's copy",
    ),
    Source(
        "DEL5Q",
        "Lenalidomide in del(5q) syndromes, registration study",
        "read on the manufacturer's page",
    ),
    Source("YUKI21", "Yuki, et al. J Clin Rheumatol 2021;27:248-59. Review", "read"),
    Source(
        "KLEIN11",
        "Klein, et al. Arch Dermatol 2011;147:203-8. doi 10.1001/archdermatol.2010.435",
        "read",
    ),
    Source(
        "label",
        "Lenalidomide, United States label and risk-management programme, for other indications",
        "parts read, parts from memory: the line says which; confirm before a clinical release",
    ),
    Source("label EU", "Lenalidomide, European label, for other indications", "restated"),
)

_EVIDENCE = (
    "One uncontrolled, open-label pilot trial of 15 women at one centre (Cortés-Hernández 2012); 12 of 14 had a "
    "complete response and 9 of those 12 relapsed, usually 2 to 8 weeks after withdrawal. Its full text was not read. "
    "Use of lenalidomide in cutaneous lupus is off-label."
)

UNCHECKED = (
    "two methods of contraception from 4 weeks before to 4 weeks after treatment (label)",
    "thromboprophylaxis",
    "liver enzymes",
    "thyroid function",
)

_EVERY_OTHER_DAY = Level(
    0,
    Dosage(Decimal(5), 2),
    adapted(
        "PENN12, DEL5Q",
        "Penn gave this dosage, and the registration study reduced 10 mg to 5 mg daily to 5 mg every other day; that "
        "the trial used this step is not known",
    ),
)
_FIVE = Level(1, Dosage(Decimal(5)), stated("CH12", "5 mg/day at the start"))
_TEN = Level(2, Dosage(Decimal(10)), stated("CH12", "10 mg/day without clinical improvement"))
_LADDER = DoseLadder((_EVERY_OTHER_DAY, _FIVE, _TEN), start=_FIVE)

INTERVALS = Intervals(
    first_assessment=Sourced(
        weeks(4), assumed("stated (CH12) for the first, at 5 mg; assumed at the other levels")
    ),
    review=Sourced(weeks(4), assumed("the rhythm of the first assessment kept up")),
    taper_step=Sourced(months(1), stated("CH12", "dose reduced progressively, monthly")),
    trial=Sourced(
        weeks(12),
        adapted(
            "KINDLE16, REYMANN",
            "median 3 months to a complete (KINDLE16) or the best response (REYMANN)",
        ),
    ),
    trial_at_level=Sourced(
        weeks(8),
        adapted(
            "KINDLE16, REYMANN",
            "most of those 3 months at the level that is judged; it runs on in an interruption",
        ),
    ),
    resumable=Sourced(
        days(28), assumed("longer than one interval off the drug is for the prescriber to judge")
    ),
    surveillance=Sourced(
        (weeks(2), weeks(4), weeks(8), months(3), months(6), months(9), months(12)),
        adapted(
            "YUKI21",
            "relapse usually 2 to 8 weeks after withdrawal (CH12), up to 10 months (YUKI21)",
        ),
    ),
    soon=Sourced(
        days(7), assumed("a question, an interruption and caution do not wait a whole interval")
    ),
    longest_gap=Sourced(
        days(7), assumed("a longer absence is neither exposure nor failure of the drug")
    ),
    after_discontinuation=Sourced(
        weeks(4), label("pregnancy prevention ends 4 weeks after the last dose (read)")
    ),
    late_after=Sourced(days(7), assumed("reported; changes no action")),
    supply=Sourced(days(28), label("at most 28 days on one prescription (read)")),
    missed_share=Sourced(Fraction(1, 5), assumed("a dose that was not taken has not failed")),
)

RESPONSE = ResponseCriteria(
    complete_at=Sourced(0, stated("CH12", "complete response: CLASI activity score 0")),
    mild_below=Sourced(
        4,
        assumed(
            "a fall of 4 points cannot be seen below it; trials of the field ask for 8 or 10 to enter"
        ),
    ),
    worse_points=Sourced(4, assumed("mirrors the 4 points of improvement of KLEIN11")),
    worse_share=Sourced(Fraction(1, 2), assumed("at least half of what was gained is lost again")),
    partial_points=Sourced(4, adapted("KLEIN11", "4 points: sensitivity 39 %, specificity 93 %")),
    partial_share=Sourced(
        Fraction(1, 5),
        adapted("KLEIN11", "20 %: sensitivity 46 %, specificity 78 %; asking for both is assumed"),
    ),
    partial_below=Sourced(
        4, assumed("too little to start for is too little to raise the dose for")
    ),
    reduction_needs=Sourced(
        Response.COMPLETE, stated("CH12", "complete response: dose reduced progressively")
    ),
)

SAFETY = SafetyCriteria(
    neutrophils=CountLimits(
        Sourced(
            Decimal("1.0"),
            adapted(
                "label EU, label",
                "EU: not started below in myeloma with dexamethasone; US: interrupted below in myeloma",
            ),
        ),
        Sourced(
            Decimal("1.5"),
            assumed("in the trial grade 2 neutropenia resolved when the drug was stopped"),
        ),
    ),
    platelets=CountLimits(
        Sourced(
            Decimal(50),
            adapted(
                "label EU, label",
                "EU: not started below in myeloma with dexamethasone; US: the rule of myeloma",
            ),
        ),
        Sourced(Decimal(75), assumed("the band of a grade 2 count")),
    ),
    neutrophils_same_day_below=Sourced(Decimal("0.5"), assumed("a grade 4 count in CTCAE 5.0")),
    clearance_interrupt_below=Sourced(
        Decimal(30), assumed("no dose of the ladder is that low (label, memory: 2.5 mg)")
    ),
    clearance_lowers_below=Sourced(
        Decimal(60), adapted("label", "the dose for 30 to 60 where 10 mg is usual (memory)")
    ),
    clearance_ceiling=Sourced(
        _FIVE, adapted("label", "5 mg daily for 30 to 60 where 10 mg is usual (memory)")
    ),
    clearance_age=Sourced(months(6), assumed("no source gives an age")),
    counts_age_early=Sourced(
        days(7), label("counts weekly for 8 weeks (read; SHAH09: weekly for 2 months)")
    ),
    counts_early=Sourced(
        weeks(8), label("counts weekly for 8 weeks (read; SHAH09: weekly for 2 months)")
    ),
    counts_age=Sourced(days(28), label("counts monthly afterwards (read; SHAH09: monthly)")),
    first_test=Sourced(
        (days(10), days(14)), label("a negative test 10 to 14 days before the start (read)")
    ),
    second_test_age=Sourced(days(1), label("a negative test within 24 hours of the start (read)")),
    test_age_early=Sourced(days(7), label("a test every week for 4 weeks (read)")),
    tests_early=Sourced(days(28), label("a test every week for 4 weeks (read)")),
    test_age=Sourced(days(28), label("a test every 4 weeks afterwards (read)")),
    test_age_irregular=Sourced(
        days(14), label("a test every 2 weeks if cycles are irregular (read)")
    ),
    tests_anew_after=Sourced(
        days(28), assumed("so long without drug, a resumption is like a start")
    ),
    highest_daily_dose=Sourced(
        Decimal(10), stated("CH12", "10 mg/day without clinical improvement")
    ),
    positive_test=EventCriterion(
        "positive-test",
        Safety.STOP,
        Lasts.RESOLVED,
        label("contraindicated in pregnancy (read); counts until its end is reported"),
        terms=("pregnancy",),
    ),
    not_asked=assumed("a visit without a list of adverse events is a visit at which nobody asked"),
    events=(
        EventCriterion(
            "pregnancy",
            Safety.STOP,
            Lasts.RESOLVED,
            label("contraindicated in pregnancy (read)"),
            terms=("pregnancy",),
        ),
        EventCriterion(
            "hypersensitivity",
            Safety.STOP,
            Lasts.FOR_GOOD,
            label(
                "never resume (read; DRESS and anaphylaxis: stop, read in the EU leaflet; never resume, memory)"
            ),
            terms=(
                "angioedema",
                "anaphylaxis",
                "stevens-johnson syndrome",
                "toxic epidermal necrolysis",
                "drug reaction with eosinophilia and systemic symptoms",
                "bullous rash",
                "exfoliative rash",
            ),
        ),
        EventCriterion(
            "rash-grade-4",
            Safety.STOP,
            Lasts.FOR_GOOD,
            label("never resume after a grade 4 rash (read); an unexplained rash is a drug rash"),
            terms=("rash",),
            least_grade=4,
        ),
        EventCriterion(
            "thromboembolism",
            Safety.STOP,
            Lasts.FOR_GOOD,
            assumed("boxed warning (label, read); that it ends treatment is decided here"),
            terms=("venous thromboembolism", "arterial thromboembolism"),
        ),
        EventCriterion(
            "grade-4",
            Safety.STOP,
            Lasts.FOR_GOOD,
            assumed("any other grade 4 event ends treatment"),
            least_grade=4,
        ),
        EventCriterion(
            "grade-3",
            Safety.INTERRUPT,
            Lasts.NEWER_LIST,
            label("withhold for grade 3 toxicity, restart one level lower (read)"),
            least_grade=3,
            harm=True,
        ),
        EventCriterion(
            "febrile-neutropenia",
            Safety.INTERRUPT,
            Lasts.NEWER_LIST,
            assumed("fever with neutrophils below 1.0 × 10⁹/L"),
            terms=("febrile neutropenia",),
            harm=True,
        ),
        EventCriterion(
            "possible-pregnancy",
            Safety.INTERRUPT,
            Lasts.RESOLVED,
            label("a missed period or abnormal bleeding stops treatment until evaluated (read)"),
            terms=("missed period", "abnormal vaginal bleeding"),
            voids_tests=True,
        ),
        EventCriterion(
            "suspected-thromboembolism",
            Safety.INTERRUPT,
            Lasts.RESOLVED,
            assumed("no drug while a thromboembolism is neither found nor excluded"),
            terms=("suspected thromboembolism",),
        ),
        EventCriterion(
            "liver",
            Safety.INTERRUPT,
            Lasts.NEWER_LIST,
            assumed("the label stops on elevation (memory); the grade is decided here"),
            terms=(
                "alanine aminotransferase increased",
                "aspartate aminotransferase increased",
                "blood bilirubin increased",
            ),
            least_grade=2,
            harm=True,
        ),
        EventCriterion(
            "neuropathy",
            Safety.INTERRUPT,
            Lasts.NEWER_LIST,
            assumed("new or worsening sensory neuropathy of grade 2 or more"),
            terms=("peripheral sensory neuropathy",),
            least_grade=2,
            above_start=True,
            harm=True,
        ),
        EventCriterion(
            "systemic-flare",
            Safety.INTERRUPT,
            Lasts.NEWER_LIST,
            assumed(
                "SLEDAI newly 6 or more without its skin and mouth items, or new proteinuria; a Penn subject "
                "(PENN12) was withdrawn for the latter"
            ),
            terms=("systemic lupus flare",),
            harm=True,
        ),
        EventCriterion(
            "grade-2",
            Safety.CAUTION,
            Lasts.NEWER_LIST,
            assumed("any grade 2 event calls for caution"),
            least_grade=2,
        ),
    ),
    same_day_terms=("febrile neutropenia", "suspected thromboembolism"),
)

NOTES = (
    Note(
        "harm-lowers-ceiling",
        "a level at which a count or an event interrupted treatment, or was found while interrupted, is not given "
        "again",
        adapted(
            "label", "the label resumes one level lower (read); that it is for good is assumed"
        ),
    ),
    Note(
        "resumption-interval",
        "a resumption begins a new interval; the trial of therapy runs on",
        assumed("a dose that was not taken has not failed"),
    ),
    Note(
        "early-visit",
        "a visit on any day before it is due is early: no tolerance",
        assumed("the simplest reading of an interval"),
    ),
    Note(
        "silence-about-doses",
        "missed doses that nobody reported count as none, as long as there was drug to take",
        assumed("the one place where silence is read as normal"),
    ),
    Note(
        "days-without-drug",
        "days after a decision without a dosage, and days beyond both the latest day of the visit that was due and one "
        "prescription, are days without drug unless the visit says what was taken",
        assumed("nobody had drug to take; counted from the last day with drug"),
    ),
    Note(
        "stopped",
        "a visit that reports that treatment was ended discontinues at that visit; a new course is a new record",
        assumed("the state follows the patient"),
    ),
    Note(
        "relapse-baseline",
        "a relapse in taper is the new baseline: score, lowest score and trial of therapy begin anew",
        assumed("against the old baseline the relapse would be called a partial response"),
    ),
    Note(
        "tests-before-missed-period",
        "pregnancy tests from before a missed period or an abnormal bleeding no longer count",
        assumed("they say nothing of what happened since"),
    ),
    Note(
        "clearance-age",
        "a creatinine clearance counts for 6 months however low it was; from 30 to 60 mL/min a course still starts at 5 "
        "mg once daily",
        assumed("known, and left as it is"),
    ),
    Note(
        "single-count",
        "a single neutrophil count below 1.0 lowers the ceiling for good, also where a repeat or lupus explains it",
        assumed("known, and left as it is"),
    ),
    Note(
        "sustained-without-end",
        "a partial response is sustained without end; there is no maintenance dose",
        assumed("the trial describes none"),
    ),
    Note(
        "judgement",
        "a clinician's judgement with a reason replaces worse, partial and none, never complete or mild; not improved "
        "raises the dose below a score of 4 too",
        assumed("the person who sees the patient outweighs a difference of scores"),
    ),
    Note(
        "judgement-of-relapse",
        "in taper and off treatment a judgement of worse does not stand in for a missing score, and off treatment it "
        "counts only from a score of 4 on",
        assumed("what follows needs its score: a relapse is a new baseline"),
    ),
    Note(
        "nothing-taken",
        "a patient on treatment who took nothing is interrupted since the visit before, whatever was advised",
        assumed(
            "the state follows the patient; a change that was advised and not made has not taken place"
        ),
    ),
    Note(
        "same-day-results",
        "of two results of one day the lower one counts",
        assumed("the more cautious one"),
    ),
    Note(
        "pregnancy-ended",
        "a pregnancy reported ended at a visit ends the positive tests before that day",
        assumed("later ones tell of another pregnancy"),
    ),
    Note(
        "unknown-patient",
        "unknown ability to become pregnant counts as able, unknown cycles as irregular",
        assumed("the more cautious one"),
    ),
    Note(
        "neuropathy-at-restart",
        "before a second course a neuropathy is compared with that at the start of the course before",
        assumed("the more cautious one"),
    ),
    Note(
        "off-ladder",
        "after a dosage that is no level, the last level counts for resuming and for harm",
        assumed("the nearest dosage that the protocol knows"),
    ),
)

NO_GAIN = frozenset({Response.NONE, Response.WORSE})
_SOME_GAIN = frozenset({Response.PARTIAL, Response.NONE})
_NOT_MILD = frozenset(Response) - {Response.MILD}
HELD = frozenset({Response.COMPLETE, Response.PARTIAL, Response.NONE})
_DANGER = frozenset({Safety.STOP, Safety.INTERRUPT})
_TREATED = ON_TREATMENT | {Phase.INTERRUPTED}


def cortes_hernandez_2012() -> Protocol:
    """Return the protocol, after a check that its table decides every situation exactly once."""
    return Protocol(
        id="cortes-hernandez-2012",
        version="2.0.0",
        title="Lenalidomide for refractory cutaneous lupus erythematosus, after Cortés-Hernández 2012",
        sources=SOURCES,
        evidence=_EVIDENCE,
        unchecked=UNCHECKED,
        ladder=_LADDER,
        intervals=INTERVALS,
        response=RESPONSE,
        safety=SAFETY,
        notes=NOTES,
        notices=NOTICES,
        table=RuleTable(ROWS),
    )


_BEFORE_START = (
    rule(
        "unfit-to-start",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed(
                "not to be started in pregnancy or with a known danger; from the label for most"
            ),
            Phase.BEFORE_START,
            safety=_DANGER,
        ),
    ),
    rule(
        "ask-before-start",
        Action.REQUEST_DATA,
        case(
            assumed(
                "tests and counts come before a start (label); clearance and events are asked as well"
            ),
            Phase.BEFORE_START,
            safety=Safety.NOT_ASSESSED,
            response=_NOT_MILD,
        ),
        case(
            assumed("a course needs its score at the start"),
            Phase.BEFORE_START,
            safety=OK,
            response=Response.NOT_ASSESSED,
        ),
    ),
    rule(
        "nothing-to-treat",
        Action.OBSERVE,
        case(
            assumed("without activity there is nothing to improve"),
            Phase.BEFORE_START,
            safety=OK,
            response=Response.COMPLETE,
        ),
    ),
    rule(
        "too-mild-to-start",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed("a fall of 4 points cannot be seen below a score of 4"),
            Phase.BEFORE_START,
            safety=OK | {Safety.NOT_ASSESSED},
            response=Response.MILD,
        ),
    ),
    rule(
        "start",
        Action.START,
        case(
            stated("CH12", "treatment begins at 5 mg/day"),
            Phase.BEFORE_START,
            safety=Safety.ACCEPTABLE,
            response=NO_GAIN | {Response.PARTIAL},
        ),
        case(
            assumed("caution is watched, and does not forbid a start"),
            Phase.BEFORE_START,
            safety=Safety.CAUTION,
            response=NO_GAIN | {Response.PARTIAL},
        ),
    ),
)

_ON_TREATMENT = (
    rule(
        "stop-for-harm",
        Action.DISCONTINUE,
        case(
            assumed("contraindicated, or never to be resumed; from the label for most"),
            _TREATED,
            safety=Safety.STOP,
        ),
    ),
    rule(
        "interrupt-for-harm",
        Action.INTERRUPT,
        case(
            assumed("withheld for such a danger; from the label for counts and grade 3"),
            ON_TREATMENT,
            safety=Safety.INTERRUPT,
        ),
    ),
    rule(
        "ask-safety",
        Action.REQUEST_DATA,
        case(
            assumed(
                "no supply without pregnancy tests and counts (label), nor without a question about harm"
            ),
            ON_TREATMENT,
            safety=Safety.NOT_ASSESSED,
        ),
    ),
    rule(
        "dosage-off-ladder",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed("the protocol knows no next step from a dosage that is no level"),
            ON_TREATMENT,
            safety=OK,
            position=Position.OFF_LADDER,
        ),
    ),
    rule(
        "lower-to-ceiling",
        Action.REDUCE,
        case(
            adapted("label", "the dose is lowered with the clearance; down to the ceiling at once"),
            ON_TREATMENT,
            safety=OK,
            position=Position.ABOVE_CEILING,
        ),
    ),
)

_TITRATION = (
    rule(
        "await-assessment",
        Action.CONTINUE,
        case(
            assumed(
                "stated (CH12) for the first 4 weeks at 5 mg; every other interval is decided here"
            ),
            Phase.TITRATION,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
        ),
    ),
    rule(
        "ask-response",
        Action.REQUEST_DATA,
        case(
            assumed("without a score or a judgement no response is known"),
            Phase.TITRATION,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.DUE,
            response=Response.NOT_ASSESSED,
        ),
    ),
    rule(
        "escalate",
        Action.ESCALATE,
        case(
            assumed(
                "stated (CH12) for no improvement at the first assessment at 5 mg; after worsening later: one patient "
                "of SHAH09; decided here for the rest"
            ),
            Phase.TITRATION,
            safety=Safety.ACCEPTABLE,
            position=BELOW_TOP,
            timing=Timing.DUE,
            response=NO_GAIN,
        ),
    ),
    rule(
        "escalation-waits",
        Action.CONTINUE,
        case(
            assumed("no rise with caution"),
            Phase.TITRATION,
            safety=Safety.CAUTION,
            position=BELOW_TOP,
            timing=Timing.DUE,
            response=Response.NONE,
            trial=TherapeuticTrial.RUNNING,
        ),
    ),
    rule(
        "persist",
        Action.CONTINUE,
        case(
            adapted(
                "KINDLE16, REYMANN",
                "median 3 months to a response: one month without it is not the end",
            ),
            Phase.TITRATION,
            safety=OK,
            position=TOP,
            timing=Timing.DUE,
            response=Response.NONE,
            trial=TherapeuticTrial.RUNNING,
        ),
    ),
    rule(
        "no-benefit",
        Action.DISCONTINUE,
        case(
            assumed("the trial of therapy is exhausted at the highest level allowed"),
            Phase.TITRATION,
            safety=OK,
            position=TOP,
            timing=Timing.DUE,
            response=Response.NONE,
            trial=TherapeuticTrial.EXHAUSTED,
        ),
    ),
    rule(
        "no-benefit-not-to-raise",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed(
                "the trial of therapy is exhausted, and caution forbids the rise that was not tried"
            ),
            Phase.TITRATION,
            safety=Safety.CAUTION,
            position=BELOW_TOP,
            timing=Timing.DUE,
            response=Response.NONE,
            trial=TherapeuticTrial.EXHAUSTED,
        ),
    ),
    rule(
        "loss-not-to-raise",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed("worse at the highest level allowed: the protocol gives no answer"),
            Phase.TITRATION,
            safety=OK,
            position=TOP,
            timing=Timing.DUE,
            response=Response.WORSE,
        ),
        case(
            assumed("worse, and caution forbids a rise: the protocol gives no answer"),
            Phase.TITRATION,
            safety=Safety.CAUTION,
            position=BELOW_TOP,
            timing=Timing.DUE,
            response=Response.WORSE,
        ),
    ),
    rule(
        "sustain",
        Action.CONTINUE,
        case(
            assumed(
                "stated (CH12) at 5 mg: partial response, same dose; decided here for the other levels"
            ),
            Phase.TITRATION,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.DUE,
            response=Response.PARTIAL,
        ),
    ),
    rule(
        "begin-taper",
        Action.REDUCE,
        case(
            stated("CH12", "complete response: dose reduced progressively, monthly"),
            Phase.TITRATION,
            safety=Safety.ACCEPTABLE,
            position=Position.MIDDLE,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
        case(
            assumed("caution does not forbid to lower the dose"),
            Phase.TITRATION,
            safety=Safety.CAUTION,
            position=Position.MIDDLE,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
        case(
            assumed("stated (CH12) after 5 mg; from the highest level allowed it is decided here"),
            Phase.TITRATION,
            safety=OK,
            position=Position.HIGHEST,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
    ),
)

_TAPER = (
    rule(
        "taper-step",
        Action.REDUCE,
        case(
            stated("CH12", "complete response: dose reduced progressively, monthly"),
            Phase.TAPER,
            safety=Safety.ACCEPTABLE,
            position=ABOVE_BOTTOM,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
        case(
            assumed("caution does not forbid to lower the dose"),
            Phase.TAPER,
            safety=Safety.CAUTION,
            position=ABOVE_BOTTOM,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
    ),
    rule(
        "taper-end",
        Action.FINISH,
        case(
            assumed("below the lowest level there is no drug; the last level is not stated"),
            ON_TREATMENT,
            safety=OK,
            position=BOTTOM,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
    ),
    rule(
        "await-month",
        Action.CONTINUE,
        case(
            stated("CH12", "monthly steps"),
            Phase.TAPER,
            safety=Safety.ACCEPTABLE,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
            response=Response.COMPLETE,
        ),
        case(
            assumed("less than a complete response, and no relapse, waits for the step as well"),
            Phase.TAPER,
            safety=Safety.ACCEPTABLE,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
            response=_SOME_GAIN,
        ),
        case(
            assumed("caution does not bring the step forward"),
            Phase.TAPER,
            safety=Safety.CAUTION,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
            response=HELD,
        ),
    ),
    rule(
        "pause-taper",
        Action.CONTINUE,
        case(
            assumed("no further step while the skin is not clear"),
            Phase.TAPER,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.DUE,
            response=_SOME_GAIN,
        ),
    ),
    rule(
        "ask-relapse",
        Action.REQUEST_DATA,
        case(
            assumed("in a taper a relapse must not pass unseen"),
            Phase.TAPER,
            safety=OK,
            position=ON_LADDER,
            response=Response.NOT_ASSESSED,
        ),
    ),
    rule(
        "relapse-in-taper",
        Action.ESCALATE,
        case(
            assumed(
                "back to the level that held the response; the dose after a relapse is not stated"
            ),
            Phase.TAPER,
            safety=Safety.ACCEPTABLE,
            position=BELOW_TOP,
            response=Response.WORSE,
        ),
    ),
    rule(
        "relapse-not-to-raise",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed("worse at the highest level allowed: the protocol gives no answer"),
            Phase.TAPER,
            safety=OK,
            position=TOP,
            response=Response.WORSE,
        ),
        case(
            assumed("worse, and caution forbids a rise: the protocol gives no answer"),
            Phase.TAPER,
            safety=Safety.CAUTION,
            position=BELOW_TOP,
            response=Response.WORSE,
        ),
    ),
)

_INTERRUPTED = (
    rule(
        "remain-interrupted",
        Action.INTERRUPT,
        case(
            assumed("not resumed before the danger has passed; from the label for some dangers"),
            Phase.INTERRUPTED,
            safety=Safety.INTERRUPT,
        ),
    ),
    rule(
        "ask-before-resuming",
        Action.REQUEST_DATA,
        case(
            assumed(
                "not resumed before the danger is known to have passed; from the label for some dangers"
            ),
            Phase.INTERRUPTED,
            safety=Safety.NOT_ASSESSED,
        ),
    ),
    rule(
        "resume",
        Action.RESUME,
        case(
            adapted("label", "resumed when the danger has passed; one level lower after harm"),
            Phase.INTERRUPTED,
            safety=OK,
            timing=Timing.BEFORE_DUE,
            position=ON_LADDER,
        ),
    ),
    rule(
        "no-level-left",
        Action.DISCONTINUE,
        case(
            assumed("harm at the lowest level leaves none to resume at"),
            Phase.INTERRUPTED,
            safety=OK,
            timing=Timing.BEFORE_DUE,
            position=Position.NONE,
        ),
    ),
    rule(
        "interruption-too-long",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed("after so long off the drug the protocol gives no answer"),
            Phase.INTERRUPTED,
            safety=OK,
            timing=Timing.DUE,
        ),
    ),
)

_AFTERWARDS = (
    rule(
        "relapse-off-drug",
        Action.START,
        case(
            assumed("a second course as the first; the dose after a relapse is not stated"),
            Phase.OFF_TREATMENT,
            safety=OK,
            response=Response.WORSE,
        ),
    ),
    rule(
        "ask-before-restart",
        Action.REQUEST_DATA,
        case(
            assumed("a second course needs what the first one needed"),
            Phase.OFF_TREATMENT,
            response=Response.WORSE,
            safety=Safety.NOT_ASSESSED,
        ),
        case(
            assumed("after withdrawal a relapse must not pass unseen"),
            Phase.OFF_TREATMENT,
            response=Response.NOT_ASSESSED,
        ),
    ),
    rule(
        "unfit-to-restart",
        Action.PRESCRIBER_DECIDES,
        case(
            assumed(
                "not to be started in pregnancy or with a known danger; from the label for most"
            ),
            Phase.OFF_TREATMENT,
            response=Response.WORSE,
            safety=_DANGER,
        ),
    ),
    rule(
        "surveillance",
        Action.OBSERVE,
        case(
            adapted("YUKI21", "relapse is looked for when it usually comes"),
            Phase.OFF_TREATMENT,
            response=HELD,
        ),
    ),
    rule(
        "ended",
        Action.OBSERVE,
        case(
            assumed("a discontinued drug is not given again by this protocol"), Phase.DISCONTINUED
        ),
    ),
)

ROWS = _BEFORE_START + _ON_TREATMENT + _TITRATION + _TAPER + _INTERRUPTED + _AFTERWARDS
