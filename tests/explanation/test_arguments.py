"""An argument for an action is a fact that its row requires, and there are no others."""

from attrs import evolve
from hypothesis import given, settings
from tests.support.patients import count, seen, walk

from lenadose import replay
from lenadose.explanation.arguments import for_and_against
from lenadose.explanation.phrases import describe_argument
from lenadose.record.course import Course
from lenadose.terms.facts import Action, possible_terms
from lenadose.testing import courses


@settings(max_examples=60)
@given(courses(longest=5))
def test_nothing_speaks_against_what_is_advised_and_something_against_all_else(
    course: Course,
) -> None:
    decision = replay(course)[-1]
    candidates = for_and_against(decision)
    assert [each.action for each in candidates if not each.against] == [decision.action]
    assert candidates[0].rule is decision.rule
    of_phase = {
        row.action
        for row in decision.protocol.table.rules
        for case in row.cases
        if decision.facts.phase in case.phase
    }
    assert {each.action for each in candidates} == of_phase


@settings(max_examples=60)
@given(courses(longest=5))
def test_with_all_that_speaks_against_it_otherwise_an_action_would_be_advised(
    course: Course,
) -> None:
    decision = replay(course)[-1]
    possible = possible_terms(decision.facts.phase)
    for each in for_and_against(decision):
        facts = decision.facts
        for argument in each.against:
            assert argument.shown not in argument.admitted
            word = next(word for word in argument.admitted if word in possible[argument.fact])
            facts = evolve(facts, **{argument.fact: word})
        assert decision.protocol.table.rule_for(facts) is each.rule


@settings(max_examples=60)
@given(courses(longest=5))
def test_the_criteria_behind_an_argument_are_those_of_its_fact(course: Course) -> None:
    decision = replay(course)[-1]
    for each in for_and_against(decision):
        for argument in each.arguments:
            for criterion in argument.criteria:
                assert isinstance(criterion.word, type(argument.shown))
                # A term of several criteria can lack one of them; the one shown lacks none.
                assert criterion.makes_its_word or criterion.word is not argument.shown


def test_a_low_count_speaks_against_a_rise_and_names_its_limit() -> None:
    decision = walk([seen(0, 11), seen(28, 11, neutrophils=count(1.2))])[-1]
    rise = next(each for each in for_and_against(decision) if each.action is Action.ESCALATE)
    assert [each.fact for each in rise.in_favour] == ["response", "timing", "position"]
    (against,) = rise.against
    assert (
        describe_argument(against)
        == "safety caution (neutrophils 1.2 × 10⁹/L); it would have to be acceptable"
    )
    assert [(each.id, each.value, each.met) for each in against.criteria] == [
        ("safety.neutrophils.caution_below", decision.seen.findings.neutrophils.amount, True)  # type: ignore[union-attr]
    ]
