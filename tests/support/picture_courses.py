"""Twelve courses that are hard to draw, from one visit to sixty."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from attrs import evolve
from tests.support.paths import EXAMPLES
from tests.support.patients import (
    FERTILE,
    STERILE,
    clearance,
    count,
    day,
    event,
    judged,
    negative,
    seen,
    took,
    walk,
)

from lenadose import Decision, Patient, PregnancyTest, Visit, get_protocol, load_course, replay

LOW = {
    "neutrophils": count(Decimal("0.4")),
    "platelets": count(30),
    "creatinine_clearance": clearance(20),
}


def example(name: str) -> Sequence[Decision]:
    return replay(load_course(EXAMPLES / "courses" / f"{name}.json"))


def two_visits() -> Sequence[Decision]:
    return walk([seen(0, 12), seen(28, 11, dosage_taken=took(5))], evolve(STERILE, id="two visits"))


def two_visits_a_day_apart() -> Sequence[Decision]:
    return walk([seen(0, 12), seen(1, 11)], evolve(STERILE, id="two days"))


def thirty_six() -> Sequence[Decision]:
    scores = [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1] + [0] * 22
    visits = [seen(28 * index, score) for index, score in enumerate(scores)]
    return walk(visits, evolve(STERILE, id="thirty-six visits"))


def sixty() -> Sequence[Decision]:
    """Five years: responses, tapers, relapses, interruptions and questions."""
    scores = [14, 13, 8, 4, 0, 0, 0, 1, 9, 9, 5, 0, 0, 0, 0]
    visits = []
    for index in range(60):
        changes: dict[str, object] = {"pregnancy_tests": negative(28 * index)}
        if index == 0:
            changes["pregnancy_tests"] = negative(-11, 0)
        if index in (9, 22, 40):
            changes["neutrophils"] = count(Decimal("0.9"))
        if index in (10, 30):
            changes["adverse_events"] = None
        if index == 45:
            changes["adverse_events"] = (event("diarrhoea", 3),)
        if index % 7 == 5:
            changes |= {"dosage_taken": took(5), "doses_missed": 2}
        visits.append(seen(28 * index, scores[index % 15], **changes))
    return walk(visits, evolve(FERTILE, id="sixty visits"))


def crowded() -> Sequence[Decision]:
    """Visits a few days apart within a year, and some far away."""
    scores = [14, 13, 12, 12, 13, 12, 12, 11, 11, 10, 9, 8]
    days = [0, 28, 56, 58, 60, 61, 63, 66, 69, 90, 180, 365]
    neutrophils = [3, "2.5", "0.9", "0.8", "0.8", "0.9", "1.2", "1.4", "1.7", 2, "2.2", "2.4"]
    visits = [
        seen(on, score, neutrophils=count(Decimal(value)))
        for on, score, value in zip(days, scores, neutrophils, strict=True)
    ]
    return walk(visits, evolve(STERILE, id="crowded"))


def nothing_known() -> Sequence[Decision]:
    return walk([Visit(day(21 * index)) for index in range(9)], Patient())


def all_dangers() -> Sequence[Decision]:
    """A danger at every visit, the last two of them for good."""
    dangers: Sequence[dict[str, object]] = (
        {},
        {"neutrophils": count(Decimal("0.4"))},
        {"platelets": count(20)},
        {"creatinine_clearance": clearance(25)},
        {"adverse_events": (event("febrile neutropenia"), event("rash", 3), event("nausea", 2))},
        {"adverse_events": (event("missed period"), event("suspected thromboembolism"))},
        {"adverse_events": (event("alanine aminotransferase increased", 2),)},
        LOW,
        {"pregnancy_tests": (PregnancyTest("positive"),)},
        {"adverse_events": (event("stevens-johnson syndrome"), event("angioedema"))},
    )
    visits = [
        seen(7 * index, 12, **{"pregnancy_tests": negative(7 * index), **danger})
        for index, danger in enumerate(dangers)
    ]
    visits[0] = seen(0, 12, pregnancy_tests=negative(-11, 0))
    return walk(visits, evolve(FERTILE, id="all dangers"))


def sixty_dangers() -> Sequence[Decision]:
    visits = [seen(0, 12)] + [
        seen(5 * index, 12, neutrophils=count(Decimal("0.9" if index % 3 else "1.6")))
        for index in range(1, 60)
    ]
    return walk(visits, evolve(STERILE, id="sixty dangers"))


def other_dosages() -> Sequence[Decision]:
    """Dosages off the ladder, taken without advice and missed; judgements; a long name."""
    visits = [
        seen(0, 30),
        seen(28, None, judgement=judged("not improved"), dosage_taken=took(5), doses_missed=3),
        seen(56, 29, dosage_taken=took(15), adverse_events=(event("fatigue", 2),)),
        seen(60, 31, dosage_taken=took(Decimal("2.5"))),
        seen(88, None, judgement=judged("worse"), dosage_taken=took(10)),
        seen(116, 70, dosage_taken=took(0), creatinine_clearance=clearance(45)),
        seen(
            120,
            None,
            adverse_events=None,
            neutrophils=(count(Decimal("0.7"), day(117)), count(Decimal("1.8"), day(119))),
        ),
    ]
    name = "a patient with a name of more than a hundred letters, " * 3
    return walk(visits, evolve(STERILE, id=name))


def decades() -> Sequence[Decision]:
    """Twelve years between two visits, and a treatment that the patient ended."""
    long_after = timedelta(days=4400).days
    reason = "the patient has moved to another country and does not wish to be treated further"
    visits = [seen(0, 12), seen(28, 3), seen(42, 4, stopped=reason), seen(long_after, 9)]
    return walk(visits, evolve(STERILE, id="decades"))


def penn() -> Sequence[Decision]:
    return replay(load_course(EXAMPLES / "courses" / "penn-responder-kept.json"))


def to_penn(decisions: Sequence[Decision]) -> Sequence[Decision]:
    return walk(
        [decision.visit for decision in decisions],
        decisions[0].seen.patient,
        get_protocol("penn-2012"),
    )


HARD: dict[str, Callable[[], Sequence[Decision]]] = {
    "one": lambda: example("nothing-to-treat"),
    "two": two_visits,
    "two-days": two_visits_a_day_apart,
    "eight": lambda: example("neutropenia-at-10-mg"),
    "thirty-six": thirty_six,
    "sixty": sixty,
    "crowded": crowded,
    "nothing-known": nothing_known,
    "all-dangers": all_dangers,
    "sixty-dangers": sixty_dangers,
    "other-dosages": other_dosages,
    "decades": decades,
    "penn": penn,
    "penn-sixty": lambda: to_penn(sixty()),
}
"""Courses by name, each made when it is asked for."""
