"""Courses at the boundaries of the sheet, each with a decision worked out by hand from its words.

Day 0 is 2026-01-05, a Monday; no expectation was made by running a machine. A case is a name, a
course, and what its last decision must hold.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

JSON = dict[str, Any]
Case = tuple[str, JSON, JSON]

CH12, PENN = "cortes-hernandez-2012", "penn-2012"
EOD, DAILY, TEN = (
    {"mg": 5, "every_days": 2},
    {"mg": 5, "every_days": 1},
    {"mg": 10, "every_days": 1},
)
SUSPECTED = {"term": "suspected thromboembolism"}
CLOT = {"term": "venous thromboembolism"}
PERIOD = {"term": "missed period"}


def date(day: int) -> str:
    return (dt.date(2026, 1, 5) + dt.timedelta(days=day)).isoformat()


def window(earliest: int, due: int, latest: int) -> JSON:
    return {"earliest": date(earliest), "due": date(due), "latest": date(latest)}


def week(day: int) -> JSON:
    return window(day + 1, day + 7, day + 7)


def on(due: int) -> JSON:
    return window(due, due, due + 7)


def seen(day: int, score: int | None, taken: JSON | None = None, **more: Any) -> JSON:
    """A visit at which all was asked and nothing is wrong, but for what is said."""
    visit: JSON = {
        "date": date(day),
        "clasi_activity": score,
        "neutrophils": {"value": 3.0, "unit": "10*9/L"},
        "platelets": {"value": 240, "unit": "10*9/L"},
        "adverse_events": [],
        "dosage_taken": taken,
    }
    return visit | more


def begun(score: int, **more: Any) -> JSON:
    clearance = {"value": 95, "unit": "mL/min"}
    return seen(0, score, creatinine_clearance=clearance, **more)


def judged(response: str) -> JSON:
    return {"response": response, "reason": "seen at the visit"}


def neutrophils(value: float) -> JSON:
    return {"value": value, "unit": "10*9/L"}


def tests(*days: int) -> list[JSON]:
    return [{"result": "negative", "date": date(day)} for day in days]


def course(*visits: JSON, able: bool = False, protocol: str = CH12) -> JSON:
    patient = {"age": 40, "able_to_become_pregnant": able, "regular_cycles": True}
    return {"protocol": protocol, "patient": patient, "visits": list(visits)}


def row(rule: str, action: str, dosage: JSON | None, following: JSON | None, **more: Any) -> JSON:
    return {"rule": rule, "action": action, "dosage": dosage, "next_visit": following} | more


def scores() -> Iterator[Case]:
    mild = row("too-mild-to-start", "prescriber-decides", None, week(0), phase_after="before-start")
    yield "3 at the first visit", course(begun(3)), mild
    judgement = judged("worse")
    yield "3 at the first visit, judged worse", course(begun(3, judgement=judgement)), mild
    yield "3 at the first visit at Penn", course(begun(3), protocol=PENN), mild
    yield "4 at the first visit", course(begun(4)), row("start", "start", DAILY, on(28))
    sustained = row("sustain", "continue", DAILY, on(56))
    raised = row("escalate", "escalate", TEN, on(56), ceiling=TEN)
    for baseline, score, answer in (
        (5, 3, sustained),
        (5, 4, raised),
        (7, 4, raised),
        (8, 4, sustained),
        (20, 16, sustained),
        (21, 17, raised),
    ):
        name = f"{score} at the due visit, after {baseline}"
        yield name, course(begun(baseline), seen(28, score, DAILY)), answer
    yield (
        "a fall of 8 at Penn",
        course(begun(11), seen(42, 3, DAILY), protocol=PENN),
        row("begin-taper", "reduce", EOD, on(84)),
    )
    yield (
        "a fall of 7 at Penn, to 3",
        course(begun(10), seen(42, 3, DAILY), protocol=PENN),
        row("escalate", "escalate", TEN, on(84)),
    )
    yield (
        "caution at a start",
        course(begun(11, neutrophils=neutrophils(1.2))),
        row("start", "start", DAILY, week(0), tag="assumed"),
    )


def days_without_drug() -> Iterator[Case]:
    asked = (begun(11), seen(28, 11, DAILY, adverse_events=None))
    yield (
        "nobody asked",
        course(*asked),
        row("ask-safety", "request-data", None, week(28), phase_after="titration"),
    )
    yield (
        "7 days after a decision without a dosage",
        course(*asked, seen(35, 11)),
        row("escalate", "escalate", TEN, on(63)),
    )
    resumed = row("resume", "resume", DAILY, on(64), ceiling=TEN)
    yield "8 days after a decision without a dosage", course(*asked, seen(36, 11)), resumed
    yield (
        "8 days after it, the drug taken",
        course(*asked, seen(36, 11, DAILY)),
        row("escalate", "escalate", TEN, on(64)),
    )
    yield (
        "2 days after it, nothing taken",
        course(*asked, seen(30, 11, {"mg": 0})),
        row("resume", "resume", DAILY, on(58), ceiling=TEN),
    )
    raised = row("escalate", "escalate", TEN, on(71))
    yield (
        "7 days past the latest day",
        course(begun(11), seen(42, 11)),
        row("escalate", "escalate", TEN, on(70)),
    )
    yield (
        "8 days past the latest day",
        course(begun(11), seen(43, 11)),
        row("resume", "resume", DAILY, on(71), ceiling=TEN),
    )
    yield (
        "8 days past it, with a word about doses",
        course(begun(11), seen(43, 11, doses_missed=0)),
        raised,
    )
    yield (
        "8 days past it, with a word about the dosage",
        course(begun(11), seen(43, 11, DAILY)),
        raised,
    )
    half_year = seen(182, 11, creatinine_clearance={"value": 95, "unit": "mL/min"})
    too_long = row("interruption-too-long", "prescriber-decides", None, week(182))
    yield (
        "half a year of silence",
        course(begun(11), half_year),
        too_long | {"phase_after": "interrupted", "ceiling": TEN},
    )
    yield (
        "half a year of silence, able to become pregnant, one test",
        course(
            begun(11, pregnancy_tests=tests(-12, 0)),
            half_year | {"pregnancy_tests": tests(182)},
            able=True,
        ),
        row(
            "ask-before-resuming",
            "request-data",
            None,
            window(192, 196, 196),
            missing=[{"field": "pregnancy_tests", "why": "stale"}],
        ),
    )


def relapses() -> Iterator[Case]:
    tapering = (begun(8), seen(28, 0, DAILY))
    begin = row("begin-taper", "reduce", EOD, on(56), tag="stated", phase_after="taper")
    yield "complete at the first assessment", course(*tapering), begin
    waits = row("await-month", "continue", EOD, on(56), tag="assumed")
    back = row("relapse-in-taper", "escalate", DAILY, on(70), phase_after="titration")
    for rise, judgement, answer in (
        (1, None, waits),
        (2, None, waits),
        (3, None, waits),
        (4, None, back),
        (4, "improved", waits),
        (4, "not improved", waits),
        (2, "worse", back),
        (0, "worse", waits | {"tag": "stated"}),
    ):
        visit = seen(42, rise, EOD, judgement=judgement and judged(judgement))
        yield f"a rise of {rise} in taper, judged {judgement}", course(*tapering, visit), answer
    yield (
        "a rise of 1 in taper, at the due day",
        course(*tapering, seen(56, 1, EOD)),
        row("pause-taper", "continue", EOD, window(87, 87, 94)),
    )
    finished = (*tapering, seen(56, 0, EOD))
    yield (
        "the taper has run out",
        course(*finished),
        row("taper-end", "finish", None, on(70), phase_after="off-treatment"),
    )
    watched = row("surveillance", "observe", None, on(84), tag="adapted")
    again = row("relapse-off-drug", "start", DAILY, on(98), phase_after="titration")
    for rise, judgement, answer in (
        (1, None, watched),
        (2, None, watched),
        (3, None, watched),
        (4, None, again),
        (3, "worse", watched),
        (4, "worse", again),
        (4, "improved", watched),
        (4, "not improved", watched),
    ):
        visit = seen(70, rise, judgement=judgement and judged(judgement))
        name = f"a rise of {rise} off treatment, judged {judgement}"
        yield name, course(*finished, visit), answer
    relapsed = (*tapering, seen(42, 5, EOD))
    raised = row("escalate", "escalate", TEN, on(98))
    for score, answer in (
        (1, row("sustain", "continue", DAILY, on(98))),
        (4, raised),
        (5, raised),
        (9, raised),
    ):
        name = f"{score} at the visit after a relapse in taper at 5"
        yield name, course(*relapsed, seen(70, score, DAILY)), answer


def evaluations() -> Iterator[Case]:
    suspected = (begun(11), seen(28, 11, DAILY, adverse_events=[SUSPECTED]))
    stopped = row("interrupt-for-harm", "interrupt", None, week(28), same_day=True, ceiling=TEN)
    yield "a suspicion", course(*suspected), stopped
    yield (
        "a suspicion, no more said after 5 days",
        course(*suspected, seen(33, 11)),
        row("remain-interrupted", "interrupt", None, week(33), same_day=True),
    )
    excluded = [SUSPECTED | {"resolved": True}]
    yield (
        "a suspicion excluded after 5 days",
        course(*suspected, seen(33, 11, adverse_events=excluded)),
        row("resume", "resume", DAILY, on(61), same_day=False, ceiling=TEN),
    )
    yield (
        "a suspicion excluded after 40 days",
        course(*suspected, seen(68, 11, adverse_events=excluded)),
        row("interruption-too-long", "prescriber-decides", None, week(68), same_day=False),
    )
    begin = begun(11, pregnancy_tests=tests(-12, 0))
    older = seen(28, 11, DAILY, pregnancy_tests=tests(27), adverse_events=[PERIOD])
    stale = [{"field": "pregnancy_tests", "why": "stale"}]
    yield (
        "a missed period",
        course(begin, older, able=True),
        row("interrupt-for-harm", "interrupt", None, week(28), missing=stale, same_day=False),
    )
    resolved = [PERIOD | {"resolved": True}]
    yield (
        "a missed period resolved, with an older test",
        course(begin, older, seen(30, 11, adverse_events=resolved), able=True),
        row("ask-before-resuming", "request-data", None, week(30), missing=stale),
    )
    newer = seen(30, 11, adverse_events=resolved, pregnancy_tests=tests(30))
    yield (
        "a missed period resolved, with a newer test",
        course(begin, older, newer, able=True),
        row("resume", "resume", DAILY, on(58), missing=[]),
    )


def endings() -> Iterator[Case]:
    wish = {"stopped": "wish of the patient"}
    tapering = (begun(8), seen(28, 0, DAILY))
    suspected = (begun(11), seen(28, 11, DAILY, adverse_events=[SUSPECTED]))
    for name, visits, day in (
        ("titration", (begun(11), seen(28, 11, DAILY) | wish), 28),
        ("taper", (*tapering, seen(42, 0, EOD) | wish), 42),
    ):
        ended = row("ended", "observe", None, on(day + 28), phase_after="discontinued")
        yield f"stopped in {name}", course(*visits), ended
    yield (
        "stopped in an interruption, the suspicion excluded",
        course(*suspected, seen(33, 11, adverse_events=[SUSPECTED | {"resolved": True}]) | wish),
        row("ended", "observe", None, on(61), phase_after="discontinued"),
    )
    yield (
        "stopped in an interruption, still suspected",
        course(*suspected, seen(33, 11) | wish),
        row("ended", "observe", None, week(33), same_day=True),
    )
    clot = (begun(11), seen(28, 11, DAILY, adverse_events=[CLOT]))
    yield (
        "a clot",
        course(*clot),
        row("stop-for-harm", "discontinue", None, week(28), same_day=True, tag="assumed"),
    )
    for day, following in ((35, on(56)), (55, on(56)), (56, None), (57, None), (70, None)):
        yield (
            f"day {day - 28} after a stop",
            course(*clot, seen(day, 11)),
            row("ended", "observe", None, following, same_day=False),
        )
    taken = (*clot, seen(35, 11, DAILY))
    yield "drug taken after a stop", course(*taken), row("ended", "observe", None, week(35))
    yield (
        "the visit after drug taken after a stop",
        course(*taken, seen(42, 11)),
        row("ended", "observe", None, on(63)),
    )
    never = (begun(11), seen(28, 11, DAILY), seen(56, 11, TEN))
    yield "no benefit yet", course(*never), row("persist", "continue", TEN, on(84), tag="adapted")
    yield (
        "no benefit in 12 weeks",
        course(*never, seen(84, 11, TEN)),
        row("no-benefit", "discontinue", None, on(112), phase_after="discontinued"),
    )


def interruptions() -> Iterator[Case]:
    low, unasked = {"neutrophils": neutrophils(0.9)}, {"adverse_events": None}
    harmed = (begun(11), seen(28, 11, DAILY) | low)
    yield (
        "neutrophils 0.9 at 5 mg once daily",
        course(*harmed),
        row("interrupt-for-harm", "interrupt", None, week(28), ceiling=EOD, same_day=False),
    )
    remain = row("remain-interrupted", "interrupt", None, None, ceiling=EOD)
    ask = row("ask-before-resuming", "request-data", None, None)
    too_long = row("interruption-too-long", "prescriber-decides", None, week(57))
    for day, more, answer in (
        (20, low, remain | {"next_visit": week(48)}),
        (20, {}, row("resume", "resume", EOD, on(76), ceiling=EOD)),
        (27, low, remain | {"next_visit": window(56, 56, 56)}),
        (27, unasked, ask | {"next_visit": window(56, 56, 56)}),
        (28, unasked, ask | {"next_visit": week(56)}),
        (28, {}, row("resume", "resume", EOD, on(84), ceiling=EOD)),
        (29, {}, too_long),
    ):
        name = f"day {day} of an interruption, {' '.join(more) or 'all well'}"
        yield name, course(*harmed, seen(28 + day, 11) | more), answer
    below = {"neutrophils": {"value": 1.0, "unit": "10*9/L", "comparator": "<"}}
    yield (
        "neutrophils below 1.0",
        course(begun(11), seen(28, 11, DAILY) | below),
        row("interrupt-for-harm", "interrupt", None, week(28), ceiling=EOD, same_day=True),
    )


def first_tests() -> Iterator[Case]:
    start = row("start", "start", DAILY, on(28), missing=[])
    for days, following in (
        ((), window(10, 14, 14)),
        ((-5,), window(5, 9, 9)),
        ((-9,), window(1, 5, 5)),
        ((-10,), window(1, 4, 4)),
        ((-14,), window(10, 14, 14)),
        ((-15,), window(10, 14, 14)),
        ((-9, 0), window(1, 5, 5)),
        ((-15, 0), window(10, 14, 14)),
        ((-10, 0), None),
        ((-14, 0), None),
        ((-10, -1), None),
        ((-14, -1), None),
    ):
        why = "stale" if days else "absent"
        ask = row(
            "ask-before-start",
            "request-data",
            None,
            following,
            missing=[{"field": "pregnancy_tests", "why": why}],
        )
        visit = begun(11, pregnancy_tests=tests(*days))
        name = f"a start with tests on days {days}"
        yield name, course(visit, able=True), ask if following else start


def cases() -> Iterator[Case]:
    for chapter in (
        scores,
        days_without_drug,
        relapses,
        evaluations,
        endings,
        interruptions,
        first_tests,
    ):
        yield from chapter()
