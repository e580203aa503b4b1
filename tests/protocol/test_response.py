"""The response, over all scores: against a second reading of the sheet, in fractions."""

from itertools import product

import pytest
from tests.support.patients import PROTOCOL
from tests.support.second_reading import response as read_again

from lenadose.record.visit import JudgedResponse
from lenadose.terms.facts import Phase, Response

SCORES = (*range(25), 30, 40, 69, 70)


@pytest.mark.parametrize(
    "phase", [Phase.TITRATION, Phase.TAPER, Phase.INTERRUPTED, Phase.OFF_TREATMENT]
)
def test_the_response_is_that_of_the_sheet_for_all_scores(phase: Phase) -> None:
    for a, b, m in product(SCORES, SCORES, SCORES):
        if m <= a and b > 0:
            assert PROTOCOL.response.of(phase, a, b, m, None) is read_again(phase, a, b, m), (
                a,
                b,
                m,
            )


@pytest.mark.parametrize(
    ("a", "b", "response"),
    [
        (9, 12, Response.NONE),  # a fall of 3 points
        (8, 12, Response.PARTIAL),  # a fall of 4 points
        (17, 21, Response.NONE),  # 4 points, but 19.0 %
        (16, 20, Response.PARTIAL),  # 4 points and 20 %
        (4, 7, Response.NONE),  # 3 points, 43 %
        (4, 8, Response.PARTIAL),
        (4, 4, Response.NONE),
        (3, 4, Response.PARTIAL),  # too little to start for is too little to raise for
        (5, 8, Response.NONE),
        (0, 1, Response.COMPLETE),
    ],
)
def test_the_edges_of_a_partial_response(a: int, b: int, response: Response) -> None:
    assert PROTOCOL.response.of(Phase.TITRATION, a, b, a, None) is response


@pytest.mark.parametrize(
    ("phase", "a", "b", "m", "response"),
    [
        (Phase.TITRATION, 8, 11, 5, Response.NONE),  # 3 points above the lowest
        (
            Phase.TITRATION,
            9,
            11,
            5,
            Response.WORSE,
        ),  # 4 points, and more than half of the gain of 6
        (
            Phase.TITRATION,
            9,
            14,
            5,
            Response.PARTIAL,
        ),  # 4 points, but less than half of the gain of 9
        (Phase.TAPER, 4, 14, 0, Response.WORSE),
        (Phase.TAPER, 3, 14, 0, Response.PARTIAL),
        (Phase.OFF_TREATMENT, 5, 5, 2, Response.WORSE),  # back at the start
        (Phase.OFF_TREATMENT, 4, 5, 2, Response.NONE),
        (Phase.OFF_TREATMENT, 4, 4, 1, Response.WORSE),
        (Phase.OFF_TREATMENT, 3, 3, 0, Response.PARTIAL),  # too little to start for
        (Phase.TITRATION, 4, 4, 0, Response.WORSE),
        (Phase.TITRATION, 3, 4, 0, Response.PARTIAL),
    ],
)
def test_the_edges_of_worse(phase: Phase, a: int, b: int, m: int, response: Response) -> None:
    assert PROTOCOL.response.of(phase, a, b, m, None) is response


def test_a_judgement_replaces_all_but_a_complete_response() -> None:
    responses = {
        JudgedResponse.IMPROVED: Response.PARTIAL,
        JudgedResponse.NOT_IMPROVED: Response.NONE,
        JudgedResponse.WORSE: Response.WORSE,
    }
    for judged, response in responses.items():
        for a in range(1, 20):
            assert PROTOCOL.response.of(Phase.TITRATION, a, 11, 5, judged) is response
        assert PROTOCOL.response.of(Phase.TITRATION, 0, 11, 5, judged) is Response.COMPLETE
        assert PROTOCOL.response.of(Phase.TITRATION, None, 11, 5, judged) is response


def test_a_judgement_does_not_stand_in_where_a_start_would_follow() -> None:
    of = PROTOCOL.response.of
    for judged in JudgedResponse:
        assert of(Phase.BEFORE_START, None, None, None, judged) is Response.NOT_ASSESSED
    for phase in (Phase.TAPER, Phase.OFF_TREATMENT):
        assert of(phase, None, 11, 0, JudgedResponse.WORSE) is Response.NOT_ASSESSED
        assert of(phase, None, 11, 0, JudgedResponse.NOT_IMPROVED) is Response.NONE
        assert of(phase, None, 11, 0, None) is Response.NOT_ASSESSED
    assert of(Phase.TITRATION, None, 11, 0, JudgedResponse.WORSE) is Response.WORSE


def test_off_treatment_a_judgement_of_worse_counts_only_with_a_score_of_4() -> None:
    of = PROTOCOL.response.of
    assert of(Phase.OFF_TREATMENT, 3, 11, 2, JudgedResponse.WORSE) is Response.PARTIAL
    assert of(Phase.OFF_TREATMENT, 4, 11, 2, JudgedResponse.WORSE) is Response.WORSE
    assert of(Phase.TAPER, 3, 11, 2, JudgedResponse.WORSE) is Response.WORSE


def test_before_the_first_start_a_score_is_complete_mild_or_none() -> None:
    of = PROTOCOL.response.of
    for judged in (None, *JudgedResponse):
        for activity, response in (
            (0, Response.COMPLETE),
            (1, Response.MILD),
            (3, Response.MILD),
        ):
            assert of(Phase.BEFORE_START, activity, None, activity, judged) is response
    for activity in (4, 11):
        assert of(Phase.BEFORE_START, activity, None, activity, None) is Response.NONE


def test_mild_is_shown_before_a_start_only() -> None:
    for phase in set(Phase) - {Phase.BEFORE_START}:
        for activity in range(71):
            assert PROTOCOL.response.of(phase, activity, 11, 0, None) is not Response.MILD


def test_after_a_rise_without_a_score_the_lowest_is_the_score_now() -> None:
    assert PROTOCOL.response.of(Phase.TITRATION, 20, 11, None, None) is Response.NONE
