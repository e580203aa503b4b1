"""A bound counts where it tells a fact and is refused where not; the newest result counts."""

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from tests.support.patients import DAY0, PROTOCOL, clearance, count, event, seen

from lenadose import CallError, Course, Measurement, Patient, replay
from lenadose.engine.bounds import bound_as_amount
from lenadose.engine.machine import Decision
from lenadose.engine.observe import limits_met
from lenadose.engine.unused import unused_events, unused_results
from lenadose.record.measurement import Comparator, Result
from lenadose.terms.facts import Safety
from lenadose.terms.units import QUANTITIES


def bound(comparator: str, value: Any, unit: str = "10*9/L") -> Measurement:
    return Measurement(Decimal(str(value)), unit, comparator=comparator)


def last(*visits: Any) -> Decision:
    return replay(Course(visits, Patient(able_to_become_pregnant=False)), PROTOCOL)[-1]


@pytest.mark.parametrize(
    ("field", "given", "safety", "same_day"),
    [
        ("neutrophils", bound("<", "0.5"), Safety.INTERRUPT, True),
        ("neutrophils", bound("<", "1.0"), Safety.INTERRUPT, True),
        ("neutrophils", bound("<=", "0.9"), Safety.INTERRUPT, True),
        ("neutrophils", bound("<", 1000, "/uL"), Safety.INTERRUPT, True),
        ("neutrophils", bound(">", "1.5"), Safety.ACCEPTABLE, False),
        ("neutrophils", bound(">=", "1.5"), Safety.ACCEPTABLE, False),
        ("neutrophils", bound(">=", 100), Safety.ACCEPTABLE, False),
        ("platelets", bound("<", "50"), Safety.INTERRUPT, False),
        ("platelets", bound(">", "75"), Safety.ACCEPTABLE, False),
        ("creatinine_clearance", bound(">", "60", "mL/min"), Safety.ACCEPTABLE, False),
        ("creatinine_clearance", bound("<", "30", "mL/min"), Safety.INTERRUPT, False),
    ],
)
def test_a_bound_that_tells_counts(
    field: str, given: Measurement, safety: Safety, same_day: bool
) -> None:
    decision = last(seen(0, 11), seen(28, 11, **{field: given}))
    assert decision.facts.safety is safety
    result = decision.seen.findings.result(field)
    assert result is not None
    assert result.given == given
    met = limits_met(PROTOCOL.safety, decision.seen.findings)
    assert any(limit.same_day for limit in met) is same_day


@pytest.mark.parametrize(
    ("field", "given", "limit"),
    [
        ("neutrophils", bound("<", "1.2"), "1.0 × 10⁹/L (interrupt)"),
        ("neutrophils", bound("<=", "1.0"), "1.0 × 10⁹/L (interrupt)"),
        (
            "neutrophils",
            bound("<", 2000, "/uL"),
            "1.0 × 10⁹/L (interrupt) and 1.5 × 10⁹/L (caution)",
        ),
        ("neutrophils", bound(">", "1.0"), "1.5 × 10⁹/L (caution)"),
        ("neutrophils", bound(">=", "1.4"), "1.5 × 10⁹/L (caution)"),
        ("neutrophils", bound(">", 0), "1.0 × 10⁹/L (interrupt) and 1.5 × 10⁹/L (caution)"),
        ("platelets", bound("<", "75"), "50 × 10⁹/L (interrupt)"),
        ("creatinine_clearance", bound(">", "30", "mL/min"), "60 mL/min (lower ceiling)"),
        ("creatinine_clearance", bound("<", "60", "mL/min"), "30 mL/min (interrupt)"),
    ],
)
def test_a_bound_that_leaves_a_limit_open_is_refused_with_it(
    field: str, given: Measurement, limit: str
) -> None:
    with pytest.raises(CallError) as refused:
        last(seen(0, 11), seen(28, 11, **{field: given}))
    (fault,) = refused.value.faults
    assert fault.place == f"visits[1].{field}"
    assert fault.reason == f"{given} leaves open on which side of {limit} it lies"
    with pytest.raises(CallError) as refused:
        last(seen(0, 11), seen(28, 11, **{field: (given,)}))
    assert refused.value.faults[0].place == f"visits[1].{field}[0]"


def test_a_bound_shows_what_every_amount_that_it_allows_shows() -> None:
    for name, quantity in QUANTITIES.items():
        limits = [limit for limit in PROTOCOL.safety.limits if limit.quantity == name]
        values = sorted({limit.below.value for limit in limits})
        step = Decimal("0.1")
        grid = sorted({value + shift for value in (0, *values) for shift in (-step, 0, step)})
        grid = [value for value in grid if value >= 0]
        for comparator, value in product(Comparator, grid):
            if comparator is Comparator.BELOW and value == 0:
                continue
            given = Measurement(value, quantity.unit, comparator=comparator)
            compare = {
                Comparator.BELOW: Decimal.__lt__,
                Comparator.AT_MOST: Decimal.__le__,
                Comparator.ABOVE: Decimal.__gt__,
                Comparator.AT_LEAST: Decimal.__ge__,
            }[comparator]
            fine = [Decimal(n) / 20 for n in range(int(max(values) * 20) + 40)]
            allowed = [amount for amount in fine if compare(amount, value)]

            def shows(amount: Decimal, limits: Any = limits) -> tuple[bool, ...]:
                return tuple(limit.is_met(amount) for limit in limits if limit.shows is not None)

            facts = {shows(amount) for amount in allowed}
            interrupts = all(shows(amount)[0] for amount in allowed)
            result = Result(value, DAY0, given)
            if len(facts) == 1 or interrupts:
                amount = bound_as_amount(limits, result, name).amount
                assert shows(amount) in facts
                assert all(
                    limit.is_met(amount)
                    for limit in limits
                    if limit.same_day and any(map(limit.is_met, allowed))
                )
            else:
                with pytest.raises(CallError):
                    bound_as_amount(limits, result, name)


def test_a_bound_that_is_older_than_the_newest_result_changes_nothing() -> None:
    old = Measurement(Decimal("1.2"), "10*9/L", DAY0 - timedelta(days=1), "<")
    decision = last(seen(0, 11), seen(28, 11, neutrophils=(old, count(3))))
    assert decision.facts.safety is Safety.ACCEPTABLE
    (unused,) = unused_results(decision.seen)
    assert (unused.quantity, unused.result.given) == ("neutrophils", old)
    assert unused.used.given == count(3)


def test_results_older_than_the_newest_known_are_reported_and_a_dangerous_one_is_marked() -> None:
    low = Measurement(Decimal("0.4"), "10*9/L", DAY0 - timedelta(days=2))
    well = Measurement(Decimal("2.5"), "10*9/L", DAY0 - timedelta(days=1))
    decision = last(seen(0, 11), seen(28, 11, neutrophils=[low, well], platelets=[count(240)]))
    newest = decision.seen.findings.neutrophils
    assert newest is not None
    assert newest.on == DAY0
    unused = unused_results(decision.seen)
    assert [each.result.given for each in unused] == [low, well]
    assert [len(each.dangers) for each in unused] == [2, 0]
    assert unused_results(last(seen(0, 11)).seen) == ()


def test_of_two_results_of_a_day_the_lower_counts_and_the_other_is_not_used() -> None:
    decision = last(seen(0, 11), seen(28, 11, creatinine_clearance=[clearance(95), clearance(45)]))
    counts = decision.seen.findings.creatinine_clearance
    assert counts is not None
    assert counts.amount == 45
    assert [each.result.amount for each in unused_results(decision.seen)] == [95]


def test_events_that_no_criterion_meets_are_reported() -> None:
    mild, grave = event("insomnia", 1), event("insomnia", 3)
    decision = last(seen(0, 11), seen(28, 11, adverse_events=(mild, grave)))
    assert unused_events(decision.seen) == (mild,)
