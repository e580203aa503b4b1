"""The card: what now, why, when next and what follows, on one screen for every decision."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import Phase, given, settings
from tests.support.paths import EXAMPLES
from tests.support.patients import PROTOCOL, STERILE, count, event, judged, seen, took, walk
from tests.support.rows import courses_to_rows
from tests.support.verified import state_space

import lenadose
from lenadose import Card, Decision, Patient, apply, card, load_course, replay
from lenadose.explanation.headlines import HEADLINES, QUESTIONS, headline
from lenadose.explanation.outlook import ends_of_danger, next_steps
from lenadose.explanation.why import clauses
from lenadose.protocol.builtin import BUILT_IN
from lenadose.report.card_formats import (
    HYPOTHETICAL,
    LINES,
    WIDTH,
    card_html,
    card_markdown,
    card_text,
)
from lenadose.terms.facts import Action, Response
from lenadose.testing import courses


def is_one_screen(decision: Decision) -> None:
    shown = card(decision)
    lines = str(shown).splitlines()
    assert len(lines) <= LINES, str(shown)
    assert max(map(len, lines)) <= WIDTH
    head = " ".join(" ".join(lines[:9]).split())
    # Where very much was reported, the ends of the cause and of a warning are left to the page.
    for part in (shown.headline, shown.why[:60], *(said[:60] for said in shown.warnings)):
        assert part.rsplit(" ", 1)[0] in head
    assert HYPOTHETICAL in lines[0]
    labels = [line.label for line in (*shown.lines, *shown.origin)]
    for label in ("Next visit", "Source", "Not checked", "Row", "Limits"):
        assert labels.count(label) == 1
    # Only a dosage that the protocol chose stands in the headline as chosen.
    if decision.action in QUESTIONS:
        assert "; " in shown.headline
    else:
        words = str(decision.level) if decision.level else "no drug"
        assert shown.headline.endswith(words)


def by_rows(name: str) -> dict[str, Decision]:
    """A decision for each case of each row that is reached."""
    space = state_space(name)
    found = {}
    for witness in space.explored:
        for showing, _ in space.scenarios.effects(witness.place):
            seen_there = space.realize(witness, showing)
            if seen_there is not None:
                decision = lenadose.recommend(seen_there)
                found.setdefault(decision.rule.id, decision)
    return found


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_card_of_every_row_is_one_screen(name: str) -> None:
    found = by_rows(name)
    assert found.keys() == {row.id for row in lenadose.get_protocol(name).table.rules}
    for decision in found.values():
        is_one_screen(decision)
        assert set(clauses(decision)) <= set(decision.case.conditions)


def test_the_cards_of_the_examples_are_one_screen() -> None:
    for path in sorted((EXAMPLES / "courses").glob("*.json")):
        for decision in replay(load_course(path)):
            is_one_screen(decision)


@settings(max_examples=25, phases=set(Phase) - {Phase.shrink})  # a card takes milliseconds
@given(courses())
def test_the_card_of_any_decision_is_one_screen_and_says_the_same_in_every_form(course) -> None:
    for decision in replay(course):
        is_one_screen(decision)
        shown = card(decision)
        said = [shown.headline, shown.why, *shown.warnings]
        said += [line.words for line in (*shown.lines, *shown.changes, *shown.origin)]
        read = text_of(card_html(shown))
        unescaped = re.sub(r"\\(.)", r"\1", card_markdown(shown))
        for words in said:
            assert words in read
            assert words in unescaped


def test_nothing_is_cut_where_there_is_room() -> None:
    cut = []
    for course in (course for name in BUILT_IN for course in courses_to_rows(name).values()):
        shown = card(replay(course)[-1])
        whole = card_text(shown, lines=1000)
        assert "…" not in whole
        cut.append(len(whole.splitlines()) > LINES)
        assert cut[-1] or card_text(shown) == whole
    assert any(cut)
    assert not all(cut)


def text_of(html: str) -> str:
    pieces: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    Reader().feed(html)
    return "".join(pieces)


def test_every_action_has_a_headline_of_its_own() -> None:
    assert HEADLINES.keys() == set(Action)
    assert len({head.words for head in HEADLINES.values()}) == len(Action)


def test_what_a_record_says_is_no_markup() -> None:
    patient = Patient(id="<script>*x*", able_to_become_pregnant=False)
    shown = card(walk([seen(0, 11)], patient)[-1])
    assert "<script>" not in card_html(shown)
    assert "\\<script\\>\\*x\\*" in card_markdown(shown)


def test_an_interruption_says_what_ends_it_and_until_when() -> None:
    decision = walk([seen(0, 11), seen(28, 11), seen(40, 11, neutrophils=count(0.9))])[-1]
    (after,) = [line.words for line in card(decision).lines if line.label == "After that"]
    assert after == (
        "resume at 5 mg once daily, once neutrophils are 1.0 × 10⁹/L or more; "
        "after 14 Mar 2026 (28 days) the prescriber decides"
    )
    assert card(decision).changes[0].label == "neutrophils 1.0 × 10⁹/L or more"
    assert card(decision).changes[0].words == "continue 10 mg once daily"


def test_several_dangers_are_all_named_as_ends() -> None:
    visit = seen(14, 11, neutrophils=count(0.9), adverse_events=(event("missed period"),))
    assert ends_of_danger(walk([seen(0, 11), visit], STERILE)[-1]) == (
        "neutrophils are 1.0 × 10⁹/L or more",
        "pregnancy is excluded (recorded as resolved)",
    )


@settings(max_examples=25)
@given(courses())
def test_what_follows_is_what_the_next_visit_is_advised(course) -> None:
    """A patient who does as is said, with the score of a response, gets the advice foretold."""
    for decision in replay(course):
        for step in next_steps(decision):
            assert decision.next_visit is not None
            for response in step.responses:
                assert response is not Response.NOT_ASSESSED
    start = walk([seen(0, 11)])[0]
    due, state = start.next_visit.due, apply(start)
    for score, label in ((0, Response.COMPLETE), (6, Response.PARTIAL), (11, Response.NONE)):
        days = (due - start.visit.date).days
        visit = seen(days, score, doses_missed=0)
        after, _ = lenadose.step(PROTOCOL, state, visit)
        assert after.facts.response is label
        (step,) = [each for each in next_steps(start) if label in each.responses]
        assert headline(after).lower().endswith(step.advice)


def test_a_question_says_what_each_answer_leads_to() -> None:
    asked = card(walk([seen(0, None)])[-1])
    assert [(line.label, line.words) for line in asked.changes] == [
        ("CLASI activity 0", "observe"),
        ("CLASI activity 1 to 3", "prescriber decides"),
        ("CLASI activity 4 or more", "start at 5 mg once daily"),
    ]
    assert " Answers " in str(asked)


def test_what_is_out_of_the_ordinary_is_noted() -> None:
    notes = {
        "was taken": seen(28, 11, dosage_taken=took(10)),
        "judged": seen(28, 5, judgement=judged("not improved")),
    }
    for words, visit in notes.items():
        (note,) = [
            line.words
            for line in card(walk([seen(0, 11), visit])[-1]).lines
            if line.label == "Note"
        ]
        assert words in note


def test_a_card_with_more_to_say_gives_way_in_order() -> None:
    shown = card(walk([seen(0, 11), seen(28, 10)])[-1])
    whole = card_text(shown, lines=100).splitlines()
    assert isinstance(shown, Card)
    for lines in range(LINES, len(whole)):
        short = card_text(shown, lines=lines).splitlines()
        assert short[:8] == whole[:8]
        assert len(short) <= lines
        assert short[-2:] == whole[-2:]  # the limits
