"""The protocol of the Penn series, as a clinician would review and sign it.

The series is Braunstein 2012 and Okon 2014. Its regimen is two sentences: 5 mg once daily for 6
weeks, then responders come down to 5 mg every other day and the others go up to 10 mg once daily.
Everything else is taken from the protocol of Cortés-Hernández 2012 in the file beside this one;
what that trial states is at best adapted here, never stated.
"""

from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from attrs import evolve

from lenadose.protocol.builtin.cortes_hernandez import (
    HELD,
    INTERVALS,
    NO_GAIN,
    NOTES,
    RESPONSE,
    ROWS,
    SAFETY,
    SOURCES,
    UNCHECKED,
)
from lenadose.protocol.builtin.notices import NOTICES
from lenadose.protocol.protocol import Note, Protocol, Source
from lenadose.protocol.response import ResponseCriteria
from lenadose.protocol.rules import RuleTable, case, rule
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
from lenadose.terms.interval import weeks
from lenadose.terms.provenance import Sourced, adapted, assumed, stated

_SOURCES = (
    *(source for source in SOURCES if source.id == "PENN12"),
    Source("OKON14", "Okon 2014. 52-week follow-up of PENN12. PMC4333148. N = 5", "read"),
    *(source for source in SOURCES if source.id != "PENN12"),
)

_EVIDENCE = (
    "One open series of 5 patients (Braunstein 2012) and its 52-week follow-up (Okon 2014); mean CLASI "
    "activity 21.4 at the start, 10.8 at week 6, 8.6 at week 12. That a fall of 8 points decided the dose is inferred "
    "from the published cases. Use of lenalidomide in cutaneous lupus is off-label."
)

_EVERY_OTHER_DAY = Level(
    0, Dosage(Decimal(5), 2), stated("PENN12", "5 mg every other day for responders")
)
_FIVE = Level(1, Dosage(Decimal(5)), stated("PENN12", "5 mg daily for 6 weeks"))
_TEN = Level(2, Dosage(Decimal(10)), stated("PENN12", "10 mg daily for the others"))
_LADDER = DoseLadder((_EVERY_OTHER_DAY, _FIVE, _TEN), start=_FIVE)

_INTERVALS = evolve(
    INTERVALS,
    first_assessment=Sourced(
        weeks(6),
        assumed("stated (PENN12) for the first, at 5 mg once daily; assumed at the other levels"),
    ),
    review=Sourced(
        weeks(6),
        assumed("mean activity was reported at weeks 6 and 12 (PENN12); the rhythm is kept up"),
    ),
    taper_step=Sourced(weeks(6), assumed("the reduced dose is reviewed in the same rhythm")),
    resumable=Sourced(
        INTERVALS.resumable.value,
        assumed(
            "as in cortes-hernandez-2012, where it is assumed too: longer is for the prescriber to judge"
        ),
    ),
)

_RESPONSE = ResponseCriteria(
    complete_at=Sourced(0, adapted("CH12", "complete response: CLASI activity score 0")),
    mild_below=Sourced(
        RESPONSE.mild_below.value,
        assumed("as in cortes-hernandez-2012; PENN12 gives no floor"),
    ),
    worse_points=RESPONSE.worse_points,
    worse_share=RESPONSE.worse_share,
    partial_points=Sourced(
        8,
        assumed(
            "PENN12 called a fall of 8 points or more a responder; that it decided the dose is inferred from the "
            "published cases; PENN12's own partial, a fall of 4 points, changes no dose"
        ),
    ),
    partial_share=Sourced(
        Fraction(0), assumed("no share of the start is asked for: the 8 points alone count")
    ),
    partial_below=Sourced(0, assumed("a low score alone makes no responder")),
    reduction_needs=Sourced(
        Response.PARTIAL,
        assumed(
            "stated (PENN12): the dose of responders was reduced; that 8 points make a responder is inferred"
        ),
    ),
)

_SAFETY = evolve(
    SAFETY,
    highest_daily_dose=Sourced(Decimal(10), stated("PENN12", "10 mg daily for the others")),
    neutrophils=evolve(
        SAFETY.neutrophils,
        caution_below=Sourced(
            SAFETY.neutrophils.caution_below.value,
            assumed(
                "in another trial (CH12) grade 2 neutropenia resolved when the drug was stopped"
            ),
        ),
    ),
    # The level of this ladder, because every level carries its own provenance.
    clearance_ceiling=Sourced(_FIVE, SAFETY.clearance_ceiling.provenance),
)

_NOTES = (
    Note(
        "partial-is-responder",
        "what is called partial here is Penn's responder, a fall of 8 points or more; Penn's own partial, a fall of 4 "
        "points, changes no dose",
        assumed(
            "stated (PENN12): the two names; that 8 points decided the dose is inferred from the published cases"
        ),
    ),
    Note(
        "judged-improved",
        "a clinician's judgement of improved counts as partial, so it reduces the dose as a fall of 8 points does",
        assumed("who judges here judges whether the patient is a responder"),
    ),
    Note(
        "taken-over",
        "safety, interruptions, the trial of therapy, relapse and surveillance are those of cortes-hernandez-2012",
        assumed(
            "the regimen says nothing of them; each rule and number taken over keeps where it comes from"
        ),
    ),
    *NOTES,
)

_GAIN = frozenset({Response.COMPLETE, Response.PARTIAL})

_SAME = MappingProxyType({row.id: row for row in ROWS})
"""The rows of cortes-hernandez-2012, for those that are the same here, word for word."""


def penn_2012() -> Protocol:
    """Return the protocol, after a check that its table decides every situation exactly once."""
    return Protocol(
        id="penn-2012",
        version="2.0.0",
        title="Lenalidomide for cutaneous lupus erythematosus, after Braunstein 2012 and Okon 2014 (Penn)",
        sources=_SOURCES,
        evidence=_EVIDENCE,
        unchecked=UNCHECKED,
        ladder=_LADDER,
        intervals=_INTERVALS,
        response=_RESPONSE,
        safety=_SAFETY,
        notes=_NOTES,
        notices=NOTICES,
        table=RuleTable(
            _BEFORE_START + _ON_TREATMENT + _TITRATION + _TAPER + _INTERRUPTED + _AFTERWARDS
        ),
    )


_BEFORE_START = (
    _SAME["unfit-to-start"],
    _SAME["ask-before-start"],
    _SAME["nothing-to-treat"],
    _SAME["too-mild-to-start"],
    rule(
        "start",
        Action.START,
        case(
            stated("PENN12", "treatment begins at 5 mg daily"),
            Phase.BEFORE_START,
            safety=Safety.ACCEPTABLE,
            response=NO_GAIN | {Response.PARTIAL},
        ),
        _SAME["start"].cases[1],
    ),
)

_ON_TREATMENT = (
    _SAME["stop-for-harm"],
    _SAME["interrupt-for-harm"],
    _SAME["ask-safety"],
    _SAME["dosage-off-ladder"],
    _SAME["lower-to-ceiling"],
)

_TITRATION = (
    rule(
        "await-assessment",
        Action.CONTINUE,
        case(
            assumed(
                "stated (PENN12) for the first 6 weeks at 5 mg; assumed for every other interval"
            ),
            Phase.TITRATION,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
        ),
    ),
    _SAME["ask-response"],
    rule(
        "escalate",
        Action.ESCALATE,
        case(
            assumed(
                "stated (PENN12) for those who are no responders after 6 weeks at 5 mg once daily: 10 mg daily; "
                "assumed otherwise"
            ),
            Phase.TITRATION,
            safety=Safety.ACCEPTABLE,
            position=BELOW_TOP,
            timing=Timing.DUE,
            response=NO_GAIN,
        ),
    ),
    _SAME["escalation-waits"],
    rule(
        "persist",
        Action.CONTINUE,
        case(
            adapted(
                "KINDLE16, REYMANN",
                "median 3 months to a response: six weeks without it are not the end",
            ),
            Phase.TITRATION,
            safety=OK,
            position=TOP,
            timing=Timing.DUE,
            response=Response.NONE,
            trial=TherapeuticTrial.RUNNING,
        ),
    ),
    _SAME["no-benefit"],
    _SAME["no-benefit-not-to-raise"],
    _SAME["loss-not-to-raise"],
    rule(
        "begin-taper",
        Action.REDUCE,
        case(
            assumed(
                "stated (PENN12) for responders at the first assessment at 5 mg once daily; that 8 points make a "
                "responder is inferred"
            ),
            Phase.TITRATION,
            safety=OK,
            position=Position.MIDDLE,
            timing=Timing.DUE,
            response=_GAIN,
        ),
        case(
            assumed(
                "stated (PENN12) after 5 mg once daily; assumed from the highest level allowed"
            ),
            Phase.TITRATION,
            safety=OK,
            position=Position.HIGHEST,
            timing=Timing.DUE,
            response=_GAIN,
        ),
    ),
)

_TAPER = (
    rule(
        "taper-step",
        Action.REDUCE,
        case(
            assumed(
                "as in titration: while the response lasts, down to the dose of PENN12's responders"
            ),
            Phase.TAPER,
            safety=OK,
            position=ABOVE_BOTTOM,
            timing=Timing.DUE,
            response=_GAIN,
        ),
    ),
    rule(
        "maintain",
        Action.CONTINUE,
        case(
            assumed(
                "the reduced dose is kept while the response lasts; OKON14 is a follow-up of 52 weeks"
            ),
            ON_TREATMENT,
            safety=OK,
            position=BOTTOM,
            timing=Timing.DUE,
            response=Response.PARTIAL,
        ),
    ),
    rule(
        "taper-end",
        Action.FINISH,
        case(
            assumed(
                "clear of activity at the lowest level: below it there is no drug; an end is not stated"
            ),
            ON_TREATMENT,
            safety=OK,
            position=BOTTOM,
            timing=Timing.DUE,
            response=Response.COMPLETE,
        ),
    ),
    rule(
        "await-review",
        Action.CONTINUE,
        case(
            assumed("the reduced dose is reviewed in the same rhythm"),
            Phase.TAPER,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.BEFORE_DUE,
            response=HELD,
        ),
    ),
    rule(
        "pause-taper",
        Action.CONTINUE,
        case(
            assumed("less than a responder and no relapse: no step down, none up"),
            Phase.TAPER,
            safety=OK,
            position=ON_LADDER,
            timing=Timing.DUE,
            response=Response.NONE,
        ),
    ),
    _SAME["ask-relapse"],
    _SAME["relapse-in-taper"],
    _SAME["relapse-not-to-raise"],
)

_INTERRUPTED = (
    _SAME["remain-interrupted"],
    _SAME["ask-before-resuming"],
    _SAME["resume"],
    _SAME["no-level-left"],
    _SAME["interruption-too-long"],
)

_AFTERWARDS = (
    _SAME["relapse-off-drug"],
    _SAME["ask-before-restart"],
    _SAME["unfit-to-restart"],
    _SAME["surveillance"],
    _SAME["ended"],
)
