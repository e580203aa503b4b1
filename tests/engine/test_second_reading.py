"""The table and the numbers of the protocol against a second reading of the sheet, on both sides
of every threshold.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import pytest
from attrs import evolve
from tests.support import second_reading as again
from tests.support.patients import (
    DAY0,
    FERTILE,
    PROTOCOL,
    STERILE,
    clearance,
    count,
    day,
    event,
    negative,
    seen,
    walk,
)

from lenadose import AdverseEvent, Patient, begin, observe, step
from lenadose.engine.observe import ceiling_of, interval_end, limits_met, safety_of
from lenadose.engine.observe import tests_missing as why_tests_are_missing
from lenadose.engine.state import (
    CurrentLevel,
    Findings,
    State,
    Treatment,
    update_findings,
)
from lenadose.record.visit import JudgedResponse
from lenadose.terms.dosage import Level
from lenadose.terms.facts import Phase, Response, Safety, TherapeuticTrial, Timing
from lenadose.terms.interval import add_months

SAFETY = PROTOCOL.safety
LEVELS = PROTOCOL.ladder.levels
IN_COURSE = (Phase.TITRATION, Phase.TAPER, Phase.INTERRUPTED)
BACK_AT_WORK = (Phase.BEFORE_START, Phase.OFF_TREATMENT)
DAYS = [date(2023, 1, 1) + timedelta(days=each) for each in range(4 * 365 + 367)]
JUDGED = {
    JudgedResponse.IMPROVED: Response.PARTIAL,
    JudgedResponse.NOT_IMPROVED: Response.NONE,
    JudgedResponse.WORSE: Response.WORSE,
}

TERMS = {
    "angioedema": "angioedema",
    "anaphylaxis": "anaphylaxis",
    "stevens-johnson syndrome": "SJS/TEN",
    "toxic epidermal necrolysis": "SJS/TEN",
    "drug reaction with eosinophilia and systemic symptoms": "DRESS",
    "bullous rash": "bullous rash",
    "exfoliative rash": "exfoliative rash",
    "venous thromboembolism": "venous thromboembolism",
    "arterial thromboembolism": "arterial thromboembolism",
    "pregnancy": "pregnancy",
    "febrile neutropenia": "febrile neutropenia",
    "missed period": "missed period",
    "abnormal vaginal bleeding": "abnormal bleeding",
    "suspected thromboembolism": "suspected thromboembolism",
    "systemic lupus flare": "systemic flare",
    "alanine aminotransferase increased": "liver enzymes",
    "aspartate aminotransferase increased": "liver enzymes",
    "blood bilirubin increased": "bilirubin",
    "peripheral sensory neuropathy": "sensory neuropathy",
    "rash": "rash",
    "fatigue": "fatigue",
}
"""The library's terms, and the sheet's."""
GRADED_ONLY = (
    "peripheral sensory neuropathy",
    "rash",
    "fatigue",
    "alanine aminotransferase increased",
    "aspartate aminotransferase increased",
    "blood bilirubin increased",
)


def compare(
    cases: Iterable[tuple[Any, ...]], library: Callable[..., object], sheet: Callable[..., object]
) -> int:
    """Assert that the library and the sheet agree on every case; return the number of cases."""
    compared = 0
    for case in cases:
        assert library(*case) == sheet(*case), case
        compared += 1
    assert compared
    return compared


def started(patient: Patient = STERILE) -> State:
    """The state after a start on day 0."""
    tests = None if patient is STERILE else negative(-10, 0)
    _, state = step(PROTOCOL, begin(PROTOCOL, patient), seen(0, 20, pregnancy_tests=tests))
    assert state.treatment.phase is Phase.TITRATION
    return state


def treated(phase: Phase, days: int) -> Treatment:
    """The treatment on day 0, in a course of so many days at the starting level."""
    if phase is Phase.BEFORE_START:
        return Treatment()
    begun = day(-days)
    return Treatment(phase, CurrentLevel(LEVELS[1], begun, begun, begun, begun))


def known(**results: Any) -> Findings:
    """What one visit on day 0 makes known, without neuropathy at the start."""
    return update_findings(SAFETY, Findings(), seen(0, 10, **results), 0)


def safety_shown(findings: Findings, unknown: bool) -> Safety:
    return safety_of(limits_met(SAFETY, findings), findings.ongoing, unknown)


def ceiling_shown(findings: Findings) -> Level | None:
    return ceiling_of(SAFETY, LEVELS[-1], limits_met(SAFETY, findings))


def test_every_situation_has_the_row_of_the_sheet() -> None:
    situations = list(PROTOCOL.table.situations())
    compare(
        ((each,) for each in situations),
        lambda it: (it.rule.id, it.rule.action),
        lambda it: again.row(it.facts),
    )
    assert len({each.facts for each in situations}) == len(situations) == 1780


def test_every_situation_has_the_tag_of_the_sheet() -> None:
    compare(
        ((each,) for each in PROTOCOL.table.situations()),
        lambda it: it.case.provenance.tag,
        lambda it: again.tag(it.facts),
    )


def test_every_number_has_the_tag_of_the_sheet() -> None:
    numbers = {
        entry.id: entry.provenance.tag
        for entry in PROTOCOL.ledger
        if entry.id.split(".")[0] in ("ladder", "intervals", "response", "safety", "event")
    }
    assert set(numbers) >= again.STATED_NUMBERS | again.LABEL_NUMBERS | again.ADAPTED_NUMBERS
    compare(numbers.items(), lambda _, tag: tag, lambda name, _: again.number_tag(name))


def test_the_ladder_and_the_plain_spans() -> None:
    assert tuple((each.dosage.mg, each.dosage.every_days) for each in LEVELS) == again.LADDER
    assert PROTOCOL.ladder.start is LEVELS[again.STARTING_LEVEL]
    intervals = PROTOCOL.intervals
    assert intervals.first_assessment.value.after(DAY0) == day(again.ASSESSMENT_DAYS)
    assert intervals.review.value.after(DAY0) == day(again.ASSESSMENT_DAYS)
    assert intervals.supply.value.after(DAY0) == day(again.SUPPLY_DAYS)
    late_after = intervals.late_after.value
    compare(
        ((day(n),) for n in range(-10, 20)),
        lambda on: late_after.is_over(DAY0, on),
        lambda on: again.late(DAY0, on),
    )


def test_counts_alone_and_together() -> None:
    neutrophils = [Decimal(n) / 100 for n in (*range(201), 10000)]
    platelets = [Decimal(n) / 2 for n in (*range(201), 6000)]
    neutrophils += [
        each + side
        for each in (Decimal(1), Decimal("1.5"))
        for side in (Decimal("1e-9"), Decimal("-1e-9"))
    ]
    platelets += [each + side for each in (50, 75) for side in (Decimal("1e-9"), Decimal("-1e-9"))]
    plenty = Decimal(100)
    compare(
        ((n, plenty) for n in neutrophils),
        lambda n, _: safety_shown(known(neutrophils=count(n)), False),
        again.count_safety,
    )
    compare(
        ((plenty, p) for p in platelets),
        lambda _, p: safety_shown(known(platelets=count(p)), False),
        again.count_safety,
    )
    compare(
        product(neutrophils[::10] + neutrophils[-4:], platelets[::10] + platelets[-4:]),
        lambda n, p: safety_shown(known(neutrophils=count(n), platelets=count(p)), False),
        again.count_safety,
    )


def test_clearance() -> None:
    values = [Decimal(n) / 2 for n in range(601)]
    values += [each + side for each in (30, 60) for side in (Decimal("1e-9"), Decimal("-1e-9"))]

    def library(value: Decimal) -> tuple[bool, bool]:
        found = known(creatinine_clearance=clearance(value))
        interrupts = safety_shown(found, False) is Safety.INTERRUPT
        ceiling = ceiling_shown(found)
        assert ceiling in (LEVELS[again.CEILING_OF_LOW_CLEARANCE], LEVELS[-1])
        return interrupts, ceiling is not LEVELS[-1]

    compare(
        ((each,) for each in values), lambda it: library(it)[0], lambda it: again.clearance(it)[0]
    )
    # Below 30 nothing is given, so that the ceiling decides nothing there.
    banded = [(each,) for each in values if each >= 30]
    compare(banded, lambda it: library(it)[1], lambda it: again.clearance(it)[1])


def test_clearance_below_30_keeps_the_ceiling_that_30_to_60_sets() -> None:
    # The sheet names the band 30 to < 60. Below 30 treatment is interrupted whatever the ceiling:
    # no action depends on
    # it, and a ceiling that rose again as the kidneys fail would read as a mistake.
    ceiling = ceiling_shown(known(creatinine_clearance=clearance(Decimal("29.9"))))
    assert ceiling == LEVELS[1]
    assert again.clearance(Decimal("29.9")) == (True, False)


def grades_of(term: str) -> tuple[int | None, ...]:
    return (1, 2, 3, 4, 5) if term in GRADED_ONLY else (None, 1, 2, 3, 4, 5)


def test_events() -> None:
    def library(term: str, grade: int | None, grade_at_start: int) -> Safety:
        found = update_findings(
            SAFETY, Findings(), seen(0, 10, adverse_events=(event(term, grade),)), grade_at_start
        )
        return safety_shown(found, False)

    cases = [
        (term, grade, at_start)
        for term in TERMS
        for grade in grades_of(term)
        for at_start in range(6)
    ]
    compare(cases, library, lambda term, *grades: again.event_safety(TERMS[term], *grades))


def test_what_stops_for_good_outlasts_the_list() -> None:
    """An event that the sheet records for good still stops when nobody reports it any more;
    another one does not.
    """

    def library(term: str, grade: int | None) -> bool:
        first = seen(0, 10, adverse_events=(event(term, grade),))
        found = update_findings(
            SAFETY, update_findings(SAFETY, Findings(), first, 0), seen(1, 10), 0
        )
        return safety_shown(found, False) is Safety.STOP

    def sheet(term: str, grade: int | None) -> bool:
        return again.event_safety(TERMS[term], grade) is Safety.STOP

    compare(((term, grade) for term in TERMS for grade in grades_of(term)), library, sheet)


@pytest.mark.parametrize(
    "term",
    ["pregnancy", "missed period", "abnormal vaginal bleeding", "suspected thromboembolism"],
)
def test_what_lasts_until_its_end_is_reported(term: str) -> None:
    found = update_findings(SAFETY, Findings(), seen(0, 10, adverse_events=(event(term),)), 0)
    found = update_findings(SAFETY, found, seen(1, 10), 0)
    assert safety_shown(found, False) is again.event_safety(TERMS[term])
    ended = seen(2, 10, adverse_events=(AdverseEvent(term, resolved=True),))
    assert safety_shown(update_findings(SAFETY, found, ended, 0), False) is Safety.ACCEPTABLE


def test_the_age_of_counts() -> None:
    def library(since: int | None, age: int) -> bool:
        watched_from = None if since is None else day(-since)
        return SAFETY.counts_age_on(DAY0, watched_from).is_over(day(-age), DAY0)

    compare(product((None, *range(120)), range(60)), library, again.counts_too_old)


def test_the_age_of_counts_at_a_visit() -> None:
    """Through the whole of `observe`; a count older than that of the start is not the newest."""
    state = started()

    def library(number: int, age: int) -> bool:
        on = day(number - age)
        counts = {"neutrophils": count(3, on), "platelets": count(240, on)}
        visit = seen(number, 20, doses_missed=0, **counts)
        return observe(PROTOCOL, state, visit).facts.safety is Safety.NOT_ASSESSED

    compare(
        product(range(1, 100), range(40)),
        library,
        lambda number, age: again.counts_too_old(number, min(number, age)),
    )


@pytest.mark.parametrize("age", range(41))
def test_the_age_of_counts_before_a_start(age: int) -> None:
    visit = seen(0, 20, neutrophils=count(3, day(-age)), platelets=count(240, day(-age)))
    facts = observe(PROTOCOL, begin(PROTOCOL, STERILE), visit).facts
    assert (facts.safety is Safety.NOT_ASSESSED) == again.counts_too_old(None, age)


def test_the_age_of_clearance() -> None:
    age = SAFETY.clearance_age.value
    cases = [
        (measured, measured + timedelta(days=n))
        for measured in DAYS
        for n in (0, 1, *range(177, 190))
    ]
    compare(cases, age.is_over, again.clearance_too_old)


@pytest.mark.parametrize("measured", [date(2025, 7, 4), date(2025, 7, 5), date(2025, 7, 6), DAY0])
def test_the_age_of_clearance_at_a_visit(measured: date) -> None:
    visit = seen(0, 20, creatinine_clearance=clearance(95, measured))
    facts = observe(PROTOCOL, begin(PROTOCOL, STERILE), visit).facts
    assert (facts.safety is Safety.NOT_ASSESSED) == again.clearance_too_old(measured, DAY0)


def test_pregnancy_tests_at_a_start() -> None:
    ages = range(18)
    cases = [
        (phase, tests)
        for phase in BACK_AT_WORK
        for n in range(4)
        for tests in combinations(ages, n)
    ]

    def library(phase: Phase, tests: tuple[int, ...]) -> bool:
        found = Findings(negative_tests=tuple(day(-each) for each in sorted(tests, reverse=True)))
        return why_tests_are_missing(SAFETY, FERTILE, treated(phase, 400), found, DAY0) is None

    compare(cases, library, lambda _, tests: again.tests_suffice_at_start(tests))


def test_pregnancy_tests_at_a_first_visit() -> None:
    cases = [(tests,) for n in range(3) for tests in combinations(range(18), n)]

    def library(tests: tuple[int, ...]) -> bool:
        visit = seen(0, 20, pregnancy_tests=negative(*(-each for each in tests)))
        return (
            observe(PROTOCOL, begin(PROTOCOL, FERTILE), visit).facts.safety
            is not Safety.NOT_ASSESSED
        )

    compare(cases, library, again.tests_suffice_at_start)


@pytest.mark.parametrize("phase", IN_COURSE)
@pytest.mark.parametrize("regular", [True, False, None])
def test_pregnancy_tests_in_a_course(phase: Phase, regular: bool | None) -> None:
    patient = Patient(age=30, able_to_become_pregnant=True, regular_cycles=regular)

    def library(day_of_course: int, age: int) -> bool:
        found = Findings(negative_tests=(day(-age),))
        return (
            why_tests_are_missing(SAFETY, patient, treated(phase, day_of_course), found, DAY0)
            is None
        )

    compare(
        product(range(1, 80), range(40)),
        library,
        lambda number, age: again.tests_suffice_in_course(number, age, regular is True),
    )


@pytest.mark.parametrize("able", [True, False, None])
def test_who_needs_a_pregnancy_test(able: bool | None) -> None:
    patient = Patient(age=30, able_to_become_pregnant=able)
    for phase in (*BACK_AT_WORK, *IN_COURSE):
        missing = why_tests_are_missing(SAFETY, patient, treated(phase, 40), Findings(), DAY0)
        assert (missing is None) == (able is False)


def test_tests_begin_anew_after_28_days_without_drug() -> None:
    """In an interruption as many days long, of a course of a year, with the tests of a start or
    with the newest alone.
    """

    def library(days: int, tests: tuple[int, ...]) -> bool:
        interrupted = evolve(treated(Phase.INTERRUPTED, 400), no_drug_since=day(-days))
        found = Findings(negative_tests=tuple(day(-each) for each in tests))
        return why_tests_are_missing(SAFETY, FERTILE, interrupted, found, DAY0) is None

    def sheet(days: int, tests: tuple[int, ...]) -> bool:
        if again.tests_begin_anew(day(-days), DAY0):
            return again.tests_suffice_at_start(tests)
        return again.tests_suffice_in_course(400, tests[-1], True)

    compare(
        product((1, 27, 28, 29, 30, 200), ((0,), (1,), (2,), (28,), (29,), (10, 0), (15, 0))),
        library,
        sheet,
    )


def test_calendar_months() -> None:
    compare(product(DAYS, range(1, 26)), add_months, again.months_after)


@pytest.mark.parametrize("phase", [Phase.TITRATION, Phase.TAPER])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("reviewed", [False, True])
def test_the_end_of_an_interval(phase: Phase, level: Any, reviewed: bool) -> None:
    every = level.dosage.every_days

    def library(begun: date, doses_missed: int) -> date:
        dose = CurrentLevel(
            level, begun, begun, begun, begun, reviewed, days_missed=doses_missed * every
        )
        return interval_end(PROTOCOL, phase, dose)

    compare(
        product(DAYS, range(12)),
        library,
        lambda begun, n: again.interval_end(begun, phase, n, every),
    )


def test_an_interval_at_a_visit() -> None:
    state = started()
    cases = [(number, missed) for number in range(20, 70) for missed in range(min(number, 29))]

    def library(number: int, missed: int) -> Timing:
        return observe(PROTOCOL, state, seen(number, 20, doses_missed=missed)).facts.timing

    def sheet(number: int, missed: int) -> Timing:
        return again.timing(again.interval_end(DAY0, Phase.TITRATION, missed), day(number))

    compare(cases, library, sheet)


def test_the_trial_of_therapy() -> None:
    """`on`, the last response and the level's begin, all in days after the start."""
    state = started()
    assert state.treatment.dose is not None
    dose = state.treatment.dose

    def library(on: int, last_response: int | None, level_since: int) -> bool:
        gained = None if last_response is None else day(last_response)
        moved = evolve(dose, since=day(level_since), interval_from=day(level_since))
        treatment = evolve(state.treatment, responded_on=gained, dose=moved)
        met = evolve(state, treatment=treatment)
        seen_now = observe(PROTOCOL, met, seen(on, 20, doses_missed=0))
        assert seen_now.facts.response is Response.NONE
        return seen_now.facts.trial is TherapeuticTrial.EXHAUSTED

    compare(
        (
            (on, last_response, level_since)
            for on in (*range(50, 62), *range(80, 90), *range(110, 118))
            for last_response in (None, 0, 1, *range(20, 34))
            for level_since in (0, 1, *range(20, 36), *range(54, 60))
            if level_since < on and (last_response or 0) < on
        ),
        library,
        lambda on, gain, since: again.trial_exhausted(
            day(on), DAY0, None if gain is None else day(gain), day(since)
        ),
    )


@pytest.mark.parametrize("responds", [False, True])
def test_a_response_seen_now_sets_the_clock_of_the_trial_back(responds: bool) -> None:
    facts = observe(PROTOCOL, started(), seen(200, 10 if responds else 20, doses_missed=0)).facts
    assert facts.response is (Response.PARTIAL if responds else Response.NONE)
    last_response = day(200) if responds else None
    assert (facts.trial is TherapeuticTrial.EXHAUSTED) == again.trial_exhausted(
        day(200), DAY0, last_response, DAY0
    )


def test_how_long_an_interruption_may_be() -> None:
    _, state = step(PROTOCOL, started(), seen(10, 20, neutrophils=count(Decimal("0.9"))))
    assert state.treatment.phase is Phase.INTERRUPTED
    compare(
        ((number,) for number in range(11, 80)),
        lambda number: observe(PROTOCOL, state, seen(number, 20)).facts.timing is Timing.DUE,
        lambda number: again.interruption_too_long(day(10), day(number)),
    )


def test_the_dates_of_surveillance() -> None:
    def library(finished: date) -> list[date]:
        return [each.after(finished) for each in PROTOCOL.intervals.surveillance.value]

    compare(((each,) for each in DAYS), library, again.surveillance_dates)


@pytest.mark.parametrize("moved", range(60))
def test_the_next_visit_in_surveillance(moved: int) -> None:
    """From a finish on each of sixty days, among them the ends of February, March and April."""
    *_, last = walk([seen(0, 12), seen(28, 0), seen(59, 0)])
    assert last.phase_after is Phase.OFF_TREATMENT
    assert last.next_visit is not None
    assert last.next_visit.due == again.next_surveillance(day(59), day(59))
    _, state = step(PROTOCOL, begin(PROTOCOL, STERILE), seen(0, 12))
    for visit in (seen(28, 0), seen(59, 0)):
        _, state = step(PROTOCOL, state, visit)
    assert state.previous is not None
    finished = day(59 + moved)
    state = evolve(state, finished_on=finished, previous=evolve(state.previous, on=finished))
    for number in range(1, 400):
        decision, _ = step(PROTOCOL, state, seen(59 + moved + number, 0))
        assert decision.rule.id == "surveillance"
        due = None if decision.next_visit is None else decision.next_visit.due
        assert due == again.next_surveillance(finished, day(59 + moved + number)), (
            finished,
            number,
        )


def test_the_response_before_the_first_start() -> None:
    compare(
        ((a,) for a in (None, *range(71))),
        lambda a: PROTOCOL.response.of(Phase.BEFORE_START, a, None, a, None),
        lambda a: again.response(Phase.BEFORE_START, a, 0, 0),
    )


@pytest.mark.parametrize("phase", [*IN_COURSE, *BACK_AT_WORK])
@pytest.mark.parametrize("judged", list(JudgedResponse))
def test_the_response_with_a_judgement(phase: Phase, judged: JudgedResponse) -> None:
    first = phase is Phase.BEFORE_START

    def library(a: int | None, b: int, m: int) -> Response:
        return PROTOCOL.response.of(phase, a, None if first else b, a if first else m, judged)

    def sheet(a: int | None, b: int, m: int) -> Response:
        shown = again.response(phase, a, b, m)
        return again.response_as_judged(phase, a, shown, JUDGED[judged])

    scores = (1, 3, 4, 5, 7, 8, 9, 12, 20, 70)
    compare(
        (
            (a, b, m)
            for a in (None, 0, *scores)
            for b in scores
            for m in (0, *scores)
            if a is None or m <= a
        ),
        library,
        sheet,
    )
