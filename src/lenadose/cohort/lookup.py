"""A protocol laid out in arrays: the row for every situation, and what follows from it.

Nothing here decides. Each array is filled by the protocol's own rows and criteria, one entry for
each of the finitely many things that can be asked, so that a cohort is looked up and the rows stay
the only source.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, cast

import numpy as np
from attrs import fields_dict

from lenadose.cohort.calendar import Flags, Ints
from lenadose.cohort.events import EventMasks, event_masks
from lenadose.engine.observe import position_of
from lenadose.protocol.advice import Advice, Effects, advise
from lenadose.protocol.protocol import Protocol
from lenadose.protocol.response import ResponseCriteria, ResponseCriterion, Scores
from lenadose.protocol.safety import SafetyCriteria
from lenadose.record.visit import ACTIVITY, JudgedResponse
from lenadose.terms.dosage import Dosage
from lenadose.terms.errors import fault
from lenadose.terms.facts import DIMENSIONS, Action, Phase, Response, Safety, Term
from lenadose.terms.units import Quantity


def _units() -> tuple[Mapping[type[Term], int], int]:
    """Return what a rank of each fact adds to a number, and how many numbers there are."""
    units: dict[type[Term], int] = {}
    unit = 1
    for _, kind in reversed(DIMENSIONS):
        units[kind] = unit
        unit *= len(kind)
    return MappingProxyType(units), unit


UNITS, SITUATION_NUMBERS = _units()
"""Situations are numbered in mixed radix over the ranks of their six terms."""

WEIGHTS = MappingProxyType(
    {term: term.rank * UNITS[kind] for _, kind in DIMENSIONS for term in kind}
)
"""The number that each term adds to that of a situation."""

NO_SCORE = ACTIVITY[1] + 1
"""The code of a missing score: above every score, so that the nadir is the one that is known."""
SCORES = NO_SCORE + 1

UNKNOWN, DANGER, LOW, WELL = 0, 3, 2, 1
"""Bands of a result; for clearance, `LOW` lowers the ceiling.

A result is one number: its day times eight, its band times two, and 1 if a same-day assessment is
due. So the greater of two is the newer one, and on one day the lower value.
"""

NOT_GIVEN, NOTHING = -1, -2
"""The codes of a dosage taken that was not reported, and of nothing taken."""


class AdviceArrays(NamedTuple):
    """Each distinct advice of a protocol, and its effects by their names in `Effects`.

    `level` is -1 for no drug; `phase_after` and `follow_up` are ranks.
    """

    level: Ints
    phase_after: Ints
    follow_up: Ints
    hands_over: Flags
    asks: Flags
    resumes: Flags
    starts: Flags
    new_baseline: Flags
    new_level: Flags
    new_since: Flags
    new_interval: Flags
    new_watch: Flags
    new_nadir: Flags
    reviews: Flags
    interrupts: Flags
    limits_dose: Flags
    finishes: Flags
    ends: Flags


class ProtocolArrays(NamedTuple):
    """Everything that is looked up in a protocol, as arrays."""

    protocol: Protocol
    events: EventMasks
    rules: Ints
    """The place of the rule in the table, by situation."""
    answers: Ints
    """The place in `advice`, by situation, level held and ceiling (none first)."""
    advice: AdviceArrays
    positions: Ints
    """The weight of the position, by interrupted or not, off the ladder or on it, level held and
    ceiling (none first)."""
    responses: Ints
    """The response without a judgement; see `_responses`."""
    judged: Ints
    """The response, by phase, judgement (none first) and response without it."""
    safeties: Ints
    """The weight of safety; see `_safeties`."""


_ONE_BY_ONE = "decide its courses one by one, with replay"


@lru_cache(maxsize=8)
def protocol_arrays(protocol: Protocol) -> ProtocolArrays:
    """Lay a protocol out in arrays.

    Raises CallError for a window of pregnancy tests that reaches back over a year, and for an event
    that stops treatment only above its grade at the start.
    """
    if protocol.safety.first_test.value[1].usual_days > 365:
        # The machine keeps a year of tests; here a window is looked up among all of them.
        raise fault("protocol", "the first pregnancy test may be more than a year old", _ONE_BY_ONE)
    if any(event.above_start and event.safety is Safety.STOP for event in protocol.safety.events):
        # Whether such an event is new depends on what was advised before.
        raise fault(
            "protocol", "an event above its grade at the start stops treatment", _ONE_BY_ONE
        )
    rules, answers, advice = _answers(protocol)
    return ProtocolArrays(
        protocol,
        event_masks(protocol.safety),
        rules,
        answers,
        advice,
        _positions(protocol),
        _responses(protocol.response),
        _judged(protocol.response),
        _safeties(),
    )


# Rows


def _answers(protocol: Protocol) -> tuple[Ints, Ints, AdviceArrays]:
    """Return the rule and the advice that each situation leads to, and each distinct advice."""
    levels = (None, *protocol.ladder.levels)
    places = {rule.id: place for place, rule in enumerate(protocol.table.rules)}
    rules = np.full(SITUATION_NUMBERS, -1, np.int16)
    answers = np.full((SITUATION_NUMBERS, len(levels), len(levels)), -1, np.int32)
    numbers: dict[tuple[int, ...], int] = {}
    for match in protocol.table.situations():
        situation = sum(WEIGHTS[getattr(match.facts, name)] for name, _ in DIMENSIONS)
        rules[situation] = places[match.rule.id]
        for i, held in enumerate(levels):
            for j, ceiling in enumerate(levels):
                values = _advice_values(advise(protocol.ladder, match, held, ceiling))
                answers[situation, i, j] = numbers.setdefault(values, len(numbers))
    columns = dict(zip(AdviceArrays._fields, np.array(list(numbers), np.int32).T, strict=True))
    of_action = ("hands_over", "asks", "resumes")
    flags = {name: columns[name].astype(bool) for name in (*of_action, *_EFFECTS)}
    return rules, answers, AdviceArrays(**columns | flags)


_EFFECTS = tuple(name for name in AdviceArrays._fields if name in fields_dict(Effects))


def _advice_values(advice: Advice) -> tuple[int, ...]:
    """Return the values of an advice in the order of `AdviceArrays`."""
    level = -1 if advice.level is None else advice.level.rank
    action = advice.match.rule.action
    effects = (getattr(advice.effects, name) for name in _EFFECTS)
    return (
        level,
        advice.phase_after.rank,
        advice.follow_up.rank,
        advice.hands_over,
        action is Action.REQUEST_DATA,
        action is Action.RESUME,
        *effects,
    )


def _positions(protocol: Protocol) -> Ints:
    levels = protocol.ladder.levels
    return np.array(
        [
            [
                [
                    [
                        WEIGHTS[position_of(phase, held, on_ladder, ceiling)]
                        for ceiling in (None, *levels)
                    ]
                    for held in levels
                ]
                for on_ladder in (True, False)
            ]
            for phase in (Phase.TITRATION, Phase.INTERRUPTED)
        ],
        np.int32,
    )


# Criteria


@lru_cache(maxsize=8)
def _responses(criteria: ResponseCriteria) -> Ints:
    """Return the response without a judgement, by phase, score, baseline score and nadir.

    The nadir includes the score itself. Where the baseline is not known, a score shows a complete
    response or none.
    """
    table = np.full((len(Phase), SCORES, SCORES, SCORES), Response.NOT_ASSESSED.rank, np.int8)
    now, start, nadir = np.ogrid[:NO_SCORE, :NO_SCORE, :NO_SCORE]
    scores = Scores(*cast(tuple[int, int, int], (now, start, np.minimum(nadir, now))))
    for phase in Phase:
        applying = [criterion for criterion in criteria.criteria if phase in criterion.phases]
        met = [_all_met(criterion, scores) for criterion in applying]
        ranks = [criterion.response.rank for criterion in applying]
        of_phase = table[phase.rank]
        of_phase[:NO_SCORE, :NO_SCORE, :NO_SCORE] = np.select(met, ranks, Response.NONE.rank)
        for score in range(NO_SCORE):
            alone = criteria.of(phase, score, None, None, None).rank
            of_phase[score, NO_SCORE:] = of_phase[score, :, NO_SCORE:] = alone
    return table.ravel()


def _all_met(criterion: ResponseCriterion, scores: Scores) -> Flags:
    """Return where all comparisons are met."""
    met = [comparison.is_met(scores) for comparison in criterion.comparisons]
    shape = (NO_SCORE, NO_SCORE, NO_SCORE)
    return np.broadcast_to(np.logical_and.reduce(np.broadcast_arrays(*met)), shape)


def _judged(criteria: ResponseCriteria) -> Ints:
    def of(phase: Phase, judgement: JudgedResponse | None, shown: Response) -> Response:
        if shown in (Response.COMPLETE, Response.MILD) or (
            judgement is None and shown is not Response.NOT_ASSESSED
        ):
            return shown
        # A judgement replaces any other response: the one at the highest score stands for all.
        now = None if shown is Response.NOT_ASSESSED else ACTIVITY[1]
        return criteria.of(phase, now, None, now, judgement)

    return np.array(
        [
            [
                [of(phase, judgement, shown).rank for shown in Response]
                for judgement in (None, *JudgedResponse)
            ]
            for phase in Phase
        ],
        np.int32,
    )


_BANDS = MappingProxyType(
    {
        UNKNOWN: Safety.ACCEPTABLE,
        WELL: Safety.ACCEPTABLE,
        LOW: Safety.CAUTION,
        DANGER: Safety.INTERRUPT,
    }
)
GRAVEST = (Safety.ACCEPTABLE, Safety.CAUTION, Safety.INTERRUPT, Safety.STOP)
"""The safety that the events allow, by the number that stands for it."""


def _safeties() -> Ints:
    """Return the weight of safety by worst event, missing field, clearance, and both counts."""
    return np.array(
        [
            WEIGHTS[
                min(
                    event,
                    Safety.NOT_ASSESSED if unknown else Safety.ACCEPTABLE,
                    Safety.INTERRUPT if clearance else Safety.ACCEPTABLE,
                    _BANDS[platelets],
                    _BANDS[neutrophils],
                    key=lambda safety: safety.rank,
                )
            ]
            for event in GRAVEST
            for unknown in (False, True)
            for clearance in (False, True)
            for platelets in range(4)
            for neutrophils in range(4)
        ],
        np.int32,
    )


def bands(safety: SafetyCriteria, quantity: Quantity, unit: str) -> tuple[float, ...]:
    """Return the limits of a quantity, and the largest value of a patient, in the unit of a result.

    The limits are those of a same-day assessment (0 without one), of danger, and of the milder
    band.
    """
    same_day = max(
        (
            limit.below.value
            for limit in safety.limits
            if limit.same_day and limit.quantity == quantity.name
        ),
        default=Decimal(0),
    )
    factor = quantity.factors[unit]
    limits = (same_day, *safety.limits_of(quantity.name), quantity.largest)
    return tuple(float(limit / factor) for limit in limits)


# Dosages


class DosageTable(NamedTuple):
    """For each dosage its level (-1: none), its days between doses and its rank by daily amount."""

    level: Ints
    every_days: Ints
    daily_rank: Ints


def dosage_numbers(protocol: Protocol) -> dict[Dosage, int]:
    """Return the numbers of dosages, to be extended as others are met; a level's is its rank."""
    return {level.dosage: level.rank for level in protocol.ladder.levels}


def dosage_table(protocol: Protocol, numbers: Mapping[Dosage, int]) -> DosageTable:
    """Return what the machine asks of dosages, in the order of their numbers."""
    levels = dosage_numbers(protocol)
    ranks = {mg: rank for rank, mg in enumerate(sorted({dose.daily_mg for dose in numbers}))}
    return DosageTable(
        np.array([levels.get(dosage, -1) for dosage in numbers], np.int32),
        np.array([dosage.every_days for dosage in numbers], np.int32),
        np.array([ranks[dosage.daily_mg] for dosage in numbers], np.int32),
    )
