"""The small parts: intervals, dosages, the ladder, protocols by name."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle

import pytest
from attrs import evolve
from dateutil.relativedelta import relativedelta
from tests.support.patients import PROTOCOL

from lenadose import CallError, ProtocolError, get_protocol
from lenadose.engine.observe import interval_name
from lenadose.engine.state import CurrentLevel
from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import say
from lenadose.record.fields import YEARS
from lenadose.terms.dosage import Dosage, DoseLadder, Level, format_decimal, lower_of
from lenadose.terms.errors import Fault
from lenadose.terms.facts import Phase
from lenadose.terms.interval import days, months, months_between, weeks
from lenadose.terms.provenance import assumed

LADDER = PROTOCOL.ladder
LOWEST, FIVE, TEN = LADDER.levels


def test_months_are_added_forward_to_a_real_date_on_every_day_that_a_record_can_hold() -> None:
    count = cycle(
        (1, 3, 6, 11, 12, 13, 24, 1000)
    )  # eight lengths on turn, so that each meets every day of the year
    day, last = date(YEARS[0], 1, 1), date(YEARS[1], 12, 31)
    while day <= last:
        for each in (1, next(count)):
            assert months(each).after(day) == day + relativedelta(months=each)
        day += timedelta(days=1)


def test_three_single_months_are_not_three_months() -> None:
    eve = date(2025, 12, 31)
    assert months(1).after(months(1).after(months(1).after(eve))) == date(2026, 3, 28)
    assert months(3).after(eve) == date(2026, 3, 31)


def test_an_age_in_months_adds_up_to_its_days() -> None:
    early = date(2024, 1, 31)
    for age in range(800):
        day = early + timedelta(days=age)
        whole, _, rest, _ = months_between(early, day).split()
        assert early + relativedelta(months=int(whole)) + timedelta(days=int(rest)) == day
    assert months_between(early, date(2024, 3, 1)) == "1 month 1 day"


def test_the_interval_that_runs_has_a_name() -> None:
    begun = date(2026, 1, 5)
    dose = CurrentLevel(FIVE, begun, begun, begun, begun)
    assert interval_name(Phase.TITRATION, dose) == "first_assessment"
    assert interval_name(Phase.TITRATION, evolve(dose, reviewed=True)) == "review"
    assert interval_name(Phase.TAPER, dose) == "taper_step"


def test_weeks_and_months_do_not_convert() -> None:
    assert weeks(4).days == 28 == days(28).days
    assert months(1).days is None
    assert weeks(4).after(date(2026, 2, 28)) == date(2026, 3, 28)
    assert weeks(4) != days(28)


def test_an_interval_is_over_only_after_its_last_day() -> None:
    assert not days(7).is_over(date(2026, 1, 1), date(2026, 1, 8))
    assert days(7).is_over(date(2026, 1, 1), date(2026, 1, 9))
    for since in (date(2023, 12, 1) + timedelta(days=each) for each in range(500)):
        for span in map(months, (1, 2, 3, 6, 12, 13)):
            last = since + relativedelta(months=span.count)
            assert not span.is_over(since, last)
            assert span.is_over(since, last + timedelta(days=1))


def test_an_interval_says_its_length() -> None:
    assert [str(weeks(4)), str(months(1)), str(days(1)), say((days(10), days(14)))] == [
        "4 weeks",
        "1 month",
        "1 day",
        "10 days to 14 days",
    ]


@pytest.mark.parametrize("count", [0, -1])
def test_an_interval_is_at_least_one(count: int) -> None:
    with pytest.raises(
        ProtocolError,
        match=f"count: interval length must be 1 to 1000, got {count}; give a whole number",
    ):
        weeks(count)


def test_a_dosage_is_an_amount_and_a_frequency() -> None:
    assert [
        str(Dosage(Decimal("2.5"))),
        str(Dosage(Decimal("5.0"), 2)),
        str(Dosage(Decimal(10), 3)),
    ] == [
        "2.5 mg once daily",
        "5 mg every other day",
        "10 mg every 3 days",
    ]
    assert Dosage(Decimal("2.5")).daily_mg == Dosage(Decimal(5), 2).daily_mg
    assert Dosage(Decimal("2.5")) != Dosage(Decimal(5), 2)
    assert [format_decimal(Decimal(each)) for each in ("100", "1E+2", "0.10")] == [
        "100",
        "100",
        "0.1",
    ]


def test_the_ladder_moves_by_one_and_stays_within_its_ends() -> None:
    assert [LADDER.above(level) for level in LADDER.levels] == [FIVE, TEN, TEN]
    assert [LADDER.below(level) for level in LADDER.levels] == [None, LOWEST, FIVE]
    assert [str(level) for level in LADDER.levels] == [
        "5 mg every other day",
        "5 mg once daily",
        "10 mg once daily",
    ]
    assert LADDER.start == FIVE
    assert LADDER.level_of(Dosage(Decimal("5.0"), 1)) == FIVE
    assert LADDER.level_of(Dosage(Decimal("2.5"), 1)) is None


def test_no_level_is_lower_than_any_level() -> None:
    assert lower_of(FIVE, TEN) == lower_of(TEN, FIVE) == FIVE
    assert lower_of(None, TEN) is None
    assert lower_of(TEN, None) is None


def test_two_levels_of_the_same_daily_dose_are_refused_in_words_that_can_be_obeyed() -> None:
    daily = Level(0, Dosage(Decimal(5), 1), FIVE.provenance)
    alternate = Level(1, Dosage(Decimal(10), 2), FIVE.provenance)
    more = Level(1, Dosage(Decimal(10), 1), FIVE.provenance)
    with pytest.raises(ProtocolError, match=r"levels\[1\]: .* is as much a day as .*leave out one"):
        DoseLadder((daily, alternate), daily)
    assert DoseLadder((daily, more), daily).top == more


def test_a_ladder_that_does_not_rise_is_refused() -> None:
    why = assumed("a test")
    low, high = Level(0, Dosage(Decimal(5)), why), Level(1, Dosage(Decimal(5), 2), why)
    with pytest.raises(
        ProtocolError, match=r"^levels\[1\]: 5 mg every other day is less than 5 mg once daily"
    ):
        DoseLadder((low, high), low)
    with pytest.raises(ProtocolError, match="the ranks do not count up from 0"):
        DoseLadder((high,), high)
    with pytest.raises(ProtocolError, match=r"^start: 10 mg once daily is not a level"):
        DoseLadder((low,), TEN)


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CallError, match="did you mean cortes-hernandez-2012"):
        get_protocol("cortes-hernandez-2021")
    with pytest.raises(CallError, match="'x' is not known; known: cortes-hernandez-2012"):
        get_protocol("x")


def test_a_fault_is_seen_from_one_floor_up() -> None:
    inner = Fault("", "is wrong", "fix it")
    assert str(inner) == "is wrong; fix it"
    assert inner.within("[3]").within("visits").place == "visits[3]"
    assert inner.within("date").within("[3]").within("visits").place == "visits[3].date"


def test_a_word_is_said_aloud_and_written_in_data() -> None:
    assert (Phase.OFF_TREATMENT.label, Phase.OFF_TREATMENT.code) == (
        "off treatment",
        "off-treatment",
    )


def test_the_hash_names_the_content_of_the_protocol() -> None:
    from attrs import evolve

    again = BUILT_IN[PROTOCOL.id]()
    assert again is not PROTOCOL
    assert again.hash == PROTOCOL.hash
    assert evolve(PROTOCOL, version="1.0.1").hash != PROTOCOL.hash
    sourced = PROTOCOL.intervals.review
    other = evolve(
        PROTOCOL, intervals=evolve(PROTOCOL.intervals, review=evolve(sourced, value=weeks(5)))
    )
    assert other.hash != PROTOCOL.hash


def test_every_line_of_the_ledger_has_a_name_of_its_own_and_a_source() -> None:
    names = [each.id for each in PROTOCOL.ledger]
    assert len(names) == len(set(names))
    assert all(each.provenance.source and each.provenance.words for each in PROTOCOL.ledger)
