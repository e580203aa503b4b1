"""Words about decisions are true and whole: of every example, and of patients drawn at random."""

import io
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given, settings
from rich.console import Console
from tests.support.paths import EXAMPLES
from tests.support.patients import clearance, count, event, seen, walk

from lenadose import Decision, Visit, apply, explain, load_course, observe, rationale, replay
from lenadose.cli.course_lines import print_decisions
from lenadose.explanation.calculations import percent
from lenadose.explanation.fact_phrases import cause, safety_cause
from lenadose.explanation.headlines import HEADLINES, OPEN, QUESTIONS, advice, headline
from lenadose.explanation.options import HIGHEST_GRADES, Options
from lenadose.explanation.why import clauses
from lenadose.explanation.why import why as because
from lenadose.notebook import show_decision
from lenadose.picture.alt_text import course_in_words, why
from lenadose.picture.segments import segments_of
from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.report.card import card
from lenadose.report.course import course_page
from lenadose.terms.facts import TREATED, Action, Phase, Safety
from lenadose.testing import courses

Decisions = Sequence[Decision]


@cache
def examples() -> tuple[tuple[Decision, ...], ...]:
    """The decisions on every example course."""
    return tuple(replay(load_course(path)) for path in sorted((EXAMPLES / "courses").glob("*")))


@cache
def page(decision: Decision) -> str:
    """The page of a decision."""
    return explain(decision)


def table(decisions: Decisions) -> str:
    """The decisions in a terminal, as wide as need be."""
    out = io.StringIO()
    print_decisions(tuple(decisions), console=Console(file=out, width=4000))
    return out.getvalue()


def the_cause_is_what_the_row_restricts(decisions: Decisions) -> None:
    for decision in decisions:
        restricted = decision.case.conditions
        said, brief = clauses(decision), cause(decision)
        assert said.keys() <= set(restricted)
        rest = because(decision).removesuffix(".").lower()
        for words in sorted(said.values(), key=len, reverse=True):
            rest = rest.replace(words.lower(), "")
        assert rest.strip("; ") == "" or not said
        danger = safety_cause(decision.seen)
        is_ordinary = Safety.ACCEPTABLE in restricted.get("safety", tuple(Safety))
        assert not (danger and is_ordinary and danger in brief), (danger, brief)
        assert not (is_ordinary and "a reason" in because(decision))


def the_same_cause_stands_everywhere(decisions: Decisions) -> None:
    of_course = course_page(decisions).replace("\\", "")
    shown = " ".join(table(decisions).split())
    for decision in decisions:
        reason = because(decision)
        assert reason == rationale(decision).reason == card(decision).why
        assert reason.replace("\\", "") in of_course
        assert reason.replace("\\", "") in page(decision).replace("\\", "")
        assert " ".join(cause(decision).split()) in shown


def what_is_allowed_is_said_for_after_the_decision(decisions: Decisions) -> None:
    for decision in decisions:
        (line,) = [line for line in page(decision).splitlines() if line.startswith("- Levels: ")]
        allowed = re.search("allowed from now on: up to (.+)$", line)
        if decision.phase_after not in TREATED:
            assert allowed is None
            continue
        after = observe(
            decision.protocol,
            apply(decision),
            Visit(decision.visit.date.replace(year=decision.visit.date.year + 1)),
        )
        assert (allowed and allowed[1]) == (after.ceiling and str(after.ceiling))
        if decision.level is not None and decision.action not in QUESTIONS:
            assert after.ceiling is not None
            assert decision.level.rank <= after.ceiling.rank


def a_question_is_not_put_as_if_the_protocol_had_chosen(decisions: Decisions) -> None:
    everywhere = (course_page(decisions), "\n".join(course_in_words(decisions)))
    in_terminal = table(decisions)
    for decision in decisions:
        said = advice(decision)
        goes_on = decision.action is Action.INTERRUPT and decision.seen.phase is Phase.INTERRUPTED
        words = "Stay interrupted" if goes_on else HEADLINES[decision.action].words
        assert said.startswith(words)
        assert headline(decision).startswith(f"{HEADLINES[decision.action].sign} {words.upper()}")
        if decision.action not in QUESTIONS:
            continue
        held = decision.level
        assert said.endswith(OPEN) if held is None else f" unchanged, {held}" in said
        assert ": " not in said
        assert "no drug" not in said
        assert headline(decision) in in_terminal
        for text in everywhere:
            assert said in text
        assert headline(decision) in page(decision)
        if held is not None:
            assert held == (decision.seen.treatment.dose and decision.seen.treatment.dose.level)


def what_is_open_is_drawn_as_open(decisions: Decisions) -> None:
    # A segment more begins where a supply ended before the next visit.
    segments = {segment.begin: segment for segment in segments_of(decisions)}
    for decision in decisions:
        segment = segments[decision.visit.date]
        assert segment.is_open == (OPEN in advice(decision))
        assert segment.is_unchanged == (" unchanged, " in advice(decision))


def only_grades_that_ctcae_has_are_named(decisions: Decisions) -> None:
    for decision in decisions[-3:]:
        for option in Options(decision).streams()["adverse_events"]:
            for each in option.value if isinstance(option.value, tuple) else ():
                assert isinstance(each, AdverseEvent)
                assert (each.grade or 0) <= HIGHEST_GRADES.get(each.name, GRADE[1])
                assert each.name != "nausea"


SILLY = {
    "a plural of one": r"(?<![\d.,])1 (days|doses|points|weeks|months|years|visits|facts)\b",
    "a negative number": r"(?<![\w\d])[-−]\d",
    "a share of nothing": r"no percentage|of the gain B - M, 0",
    "a threshold of nothing": r"at least \| [^|]* \| 0 points",
    "a unit without a value": r"\| unknown \| (?:years|days|doses|points|mL|×)[^|]*\| (?:–|\d{4}-)",
    "no dose as a dose": r"(?<![\d.])0 mg",
    "an empty part": r"\(\)|: ;|; ;|, ,|: \n|; \.",
}
"""Words that say nothing, each as a pattern."""


def nothing_silly_is_said(decisions: Decisions) -> None:
    texts = [course_page(decisions), "\n".join(course_in_words(decisions))]
    texts += [page(decision) for decision in decisions]
    for text in texts:
        # What a record says is its own affair.
        for word in re.findall(r"^- Note: judged .*$|judged .*$", text, re.MULTILINE):
            text = text.replace(word, "")
        for kind, pattern in SILLY.items():
            found = re.search(f".*(?:{pattern}).*", text)
            assert found is None, (kind, found[0] if found else "")


CHECKS: tuple[Callable[[Decisions], None], ...] = (
    the_cause_is_what_the_row_restricts,
    the_same_cause_stands_everywhere,
    what_is_allowed_is_said_for_after_the_decision,
    a_question_is_not_put_as_if_the_protocol_had_chosen,
    what_is_open_is_drawn_as_open,
    only_grades_that_ctcae_has_are_named,
    nothing_silly_is_said,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_words_about_the_examples(check: Callable[[Decisions], None]) -> None:
    for decisions in examples():
        check(decisions)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_words_about_any_patient(check: Callable[[Decisions], None]) -> None:
    @settings(max_examples=25)
    @given(courses())
    def holds(course) -> None:
        check(replay(course))

    holds()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a plural of one", "1 days short"),
        ("a negative number", "late: -21 days"),
        ("a share of nothing", "rise above the lowest: no percentage of 0"),
        (
            "a threshold of nothing",
            "| worse: and A - M at least | 3 | 0 points (1/2 of B - M, 0) |",
        ),
        ("a unit without a value", "| age | unknown | years | – | – |"),
        ("no dose as a dose", "0 mg once daily"),
        ("an empty part", "safety caution (); due"),
    ],
)
def test_silly_words_would_be_found(kind: str, text: str) -> None:
    assert re.search(SILLY[kind], text)
    assert not any(re.search(pattern, "2 days, 11 points, 10 mg") for pattern in SILLY.values())


def test_shares_are_rounded_half_up() -> None:
    assert percent(1, 16) == "6.3 %"
    assert percent(11, 16) == "68.8 %"
    for whole in range(1, 71):
        for part in range(4 * whole + 1):
            tenths = int(Fraction(1000 * part, whole) + Fraction(1, 2))
            assert percent(part, whole) == f"{tenths // 10}.{tenths % 10} %"


def test_a_caution_is_no_cause_of_giving_up_the_drug() -> None:
    visits = [seen(28 * number, 11) for number in range(3)]
    given_up = walk([*visits, seen(84, 11, neutrophils=count(1.2))])[-1]
    assert given_up.rule.id == "no-benefit"
    assert why(given_up) == "discontinue: no response, trial of therapy over, highest level allowed"


def test_what_is_allowed_after_an_interruption_for_a_low_count_is_the_level_below() -> None:
    at_ten = walk([seen(0, 11), seen(28, 11), seen(40, 11, neutrophils=count(0.9))])[-1]
    assert "; allowed from now on: up to 5 mg once daily\n" in explain(at_ten)
    (kidneys,) = walk([seen(0, 11, creatinine_clearance=clearance(45))])
    assert "allowed from now on: up to 5 mg once daily" in explain(kidneys)
    ended = walk([seen(0, 11), seen(7, 11, adverse_events=(event("rash", 4),))])[-1]
    assert "allowed" not in explain(ended)


def test_a_course_starts_where_it_starts() -> None:
    assert "; this course starts at 5 mg once daily; allowed" in explain(walk([seen(0, 11)])[0])
    harmed = (count(0.9), count(3), count(0.9), count(3))
    visits = [
        seen(7 * number + 7, 11, neutrophils=neutrophils)
        for number, neutrophils in enumerate(harmed[:2])
    ]
    low = walk([seen(0, 11), *visits, seen(42, 0), seen(70, 0), seen(84, 9)])
    assert low[-1].rule.id == "relapse-off-drug"
    assert "this course starts at 5 mg every other day" in explain(low[-1])
    assert "starts at 5 mg once daily" not in explain(low[-1])


@pytest.mark.parametrize(
    ("now", "reached"),
    [
        (18, "none reached"),
        (16, "CLASI-20 reached"),
        (10, "CLASI-20 and CLASI-50 reached"),
        (6, "CLASI-20 and CLASI-50 and CLASI-70 reached"),
        (25, "none reached"),
    ],
)
def test_the_published_falls_that_are_reached_stand_beside_points_and_percent(
    now: int, reached: str
) -> None:
    decision = walk([seen(0, 20), seen(28, now)])[-1]
    assert f"| CLASI-20, CLASI-50, CLASI-70 | {reached} |" in explain(decision)


def test_a_rise_since_the_start_is_called_one() -> None:
    decision = walk([seen(0, 11), seen(28, 55)])[-1]
    assert "| A - B | 44 points | rise since the start: 400.0 % of B |" in explain(decision)
    assert "| partial: B - A at least | below 0 | 4 points |" in explain(decision)


def test_the_baseline_after_a_relapse_is_called_one() -> None:
    relapse = walk([seen(0, 11), seen(28, 0), seen(58, 7), seen(86, 7)])
    assert relapse[2].rule.id == "relapse-in-taper"
    assert (
        "| B, baseline | 7 points | CLASI activity at the relapse in taper, 2026-03-04 |"
        in explain(relapse[3])
    )


def test_a_neuropathy_above_the_highest_grade_is_not_invented() -> None:
    worst = event("peripheral sensory neuropathy", 3)
    visits = [seen(0, 11, adverse_events=()), seen(28, 11, adverse_events=(worst,))]
    for decision in walk(visits):
        only_grades_that_ctcae_has_are_named([decision])


def test_what_ended_treatment_is_its_cause() -> None:
    stopped = walk([seen(0, 11), seen(28, 11, stopped="wish of the patient")])[-1]
    assert rationale(stopped).reason == "Treatment was ended (wish of the patient)."
    assert why(stopped) == "observe: treatment ended, wish of the patient"


def test_a_notebook_says_a_question_like_a_page() -> None:
    asked = walk([seen(0, 11), seen(28, None)])[-1]
    assert "ASK FIRST; until answered unchanged, 5 mg once daily" in show_decision(asked)
