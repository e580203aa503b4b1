"""A criterion is written once: the fact, the page and the arrays of a cohort all follow it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from attrs import evolve
from tests.support.patients import PROTOCOL, STERILE, count, seen, walk

from lenadose import Protocol, decision_data
from lenadose.protocol.response import ResponseCriteria, Scores
from lenadose.terms.facts import Phase, Response, Safety


def changed(**numbers: object) -> Protocol:
    """Return the protocol with other numbers of its response criteria."""
    response = PROTOCOL.response
    others = {name: evolve(getattr(response, name), value=value) for name, value in numbers.items()}
    return evolve(PROTOCOL, response=evolve(response, **others))


def lines(protocol: Protocol, visits: tuple, id: str) -> list[bool | None]:
    """Return whether the page says "met" for a criterion at the last visit."""
    reasons = decision_data(walk(visits, protocol=protocol)[-1])["reasons"]
    return [reason["met"] for reason in reasons if reason.get("id") == id]


def cohort_facts(protocol: Protocol, visits: tuple) -> dict:
    """Return what the cohort says of the last visit."""
    pa = pytest.importorskip("pyarrow", reason="the cohort needs pyarrow")
    from tests.support.tables import visit_row

    from lenadose.cohort import decide

    rows = [visit_row(visit, "p-01", STERILE) for visit in visits]
    return decide(pa.Table.from_pylist(rows), protocol).to_pylist()[-1]


def test_a_changed_response_criterion_changes_the_fact_the_page_and_the_cohort() -> None:
    visits = (seen(0, 11), seen(28, 7))
    stricter = changed(partial_points=5)
    for protocol, response, met in (
        (PROTOCOL, Response.PARTIAL, True),
        (stricter, Response.NONE, False),
    ):
        assert walk(visits, protocol=protocol)[-1].facts.response is response
        assert lines(protocol, visits, "response.partial_points") == [met]
        assert cohort_facts(protocol, visits)["response"] == response.code


def test_a_changed_limit_changes_the_fact_the_page_and_the_cohort() -> None:
    visits = (seen(0, 11), seen(28, 7, neutrophils=count(Decimal("1.2"))))
    limits = PROTOCOL.safety.neutrophils
    raised = evolve(limits, interrupt_below=evolve(limits.interrupt_below, value=Decimal("1.3")))
    stricter = evolve(PROTOCOL, safety=evolve(PROTOCOL.safety, neutrophils=raised))
    for protocol, safety, met in (
        (PROTOCOL, Safety.CAUTION, False),
        (stricter, Safety.INTERRUPT, True),
    ):
        assert walk(visits, protocol=protocol)[-1].facts.safety is safety
        assert lines(protocol, visits, "safety.neutrophils.interrupt_below") == [met]
        assert cohort_facts(protocol, visits)["safety"] == safety.code


def by_hand(criteria: ResponseCriteria, phase: Phase, a: int, b: int, m: int) -> Response:
    """Return the response as the protocol sheet words it."""
    if a <= criteria.complete_at.value:
        return Response.COMPLETE
    points = a - m >= criteria.worse_points.value
    if phase in (Phase.TITRATION, Phase.INTERRUPTED):
        worse = points and a - m >= criteria.worse_share.value * (b - m)
    else:
        worse = points or (a >= b and a >= criteria.worse_points.value)
    if worse:
        return Response.WORSE
    fallen = (
        b - a >= criteria.partial_points.value
        and b - a >= Fraction(criteria.partial_share.value) * b
    )
    partial = fallen or a < criteria.partial_below.value
    return Response.PARTIAL if partial else Response.NONE


def test_the_comparisons_say_what_the_sheet_words() -> None:
    for phase in (Phase.TITRATION, Phase.TAPER):
        for a in range(0, 71, 3):
            for b in range(71):
                for m in range(a + 1):
                    scores = Scores(a, b, m)
                    expected = by_hand(PROTOCOL.response, phase, a, b, m)
                    assert PROTOCOL.response.scored(phase, scores) is expected, (phase, scores)
