"""For each entry of a ledger, the situations in which a different value would change the action.

A number is a threshold between two terms of a fact: 1.0 × 10⁹/L between interrupt and caution. A
situation counts if a patient on the other side of the threshold, all else equal, gets another
action. A row counts the situations that it alone decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from attrs import evolve, field, frozen

from lenadose.engine.observe import position_of, worse_of
from lenadose.explanation.rationale import GAPS
from lenadose.protocol.protocol import LedgerEntry, Protocol, case_id
from lenadose.protocol.rules import MatchedRule
from lenadose.protocol.safety import EventCriterion
from lenadose.record.adverse_event import GRADE, AdverseEvent
from lenadose.record.event_terms import EXAMPLE_TERM, UNGRADED
from lenadose.terms.dosage import lower_of
from lenadose.terms.facts import (
    DIMENSIONS,
    GAIN,
    ON_TREATMENT,
    TREATED,
    Action,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
)

HOW_COUNTED = (
    "Situations are counted out of the {situations} that the decision table distinguishes. For a "
    "row (`rule`): those that it alone decides. For a number or an adverse event: those in which a "
    "patient on the other side of its threshold, all else equal, would get another action (for an "
    "event: under the other criteria alone). An entry that changes no action states its other "
    "effect; a choice of how to read a record, or an absence, is not counted."
)
"""How the figures were counted, for the page."""


@frozen
class Sensitivity:
    """The effect of an entry of the ledger: the situations with another action, and in words.

    `situations` is 0 where no action depends on it, None where it is not counted.
    """

    entry: LedgerEntry
    situations: int | None
    words: str


def stakes(protocol: Protocol) -> tuple[Sensitivity, ...]:
    """Return the effect of each entry of the ledger, in the order of the ledger."""
    counted = {
        **_decided_by_rows(protocol),
        **{id: _crossings(protocol, threshold) for id, threshold in _thresholds(protocol).items()},
    }
    return tuple(
        Sensitivity(
            entry,
            counted[entry.id],
            "the action" if counted[entry.id] else "nothing alone: another line says the same",
        )
        if entry.id in counted
        else Sensitivity(entry, None if _is_reading(entry.id) else 0, _instead(entry.id))
        for entry in protocol.ledger
    )


def _is_reading(id: str) -> bool:
    """Return whether an entry says how a record is read, which is not counted."""
    return id.startswith("note.") or id in GAPS


def _instead(id: str) -> str:
    """Describe the effect of an entry that changes no action."""
    match id.partition(".")[0], id:
        case "ladder", _:
            return "the dosage"
        case "note", _:
            return "how a record is read"
        case _, "intervals.longest_gap":
            return "whether an absence is an interruption"
        case _, "intervals.supply":
            return "the supply on one prescription, and whether an absence is an interruption"
        case _, "intervals.late_after":
            return "the latest date of the next visit, and whether an absence is an interruption"
        case "intervals", _:
            return "the date of the next visit"
        case _, "response.reduction_needs" | "safety.highest_daily_dose":
            return "what a law holds the rows against"
        case _, "safety.neutrophils_same_day_below":
            return "whether an assessment on the same day is asked for"
    raise ValueError(id)


def _decided_by_rows(protocol: Protocol) -> dict[str, int]:
    counts = {case_id(row, case): 0 for row in protocol.table.rules for case in row.cases}
    for match in protocol.table.situations():
        counts[case_id(match.rule, match.case)] += 1
    return counts


# Thresholds

Pairs = frozenset[tuple[Term, Term]]


@frozen
class Threshold:
    """A number, as the pairs of terms on either side of it, for each phase in which it counts.

    `positions` are those that a level can have, and `timings` the terms of the timing, for the
    phases in which not all are possible.
    """

    pairs: Mapping[Phase, Pairs]
    positions: Mapping[Phase, frozenset[Position]] = field(factory=dict)
    timings: Mapping[Phase, frozenset[Timing]] = field(factory=dict)


_COURSE = frozenset({*TREATED, Phase.OFF_TREATMENT, Phase.DISCONTINUED})
_ALWAYS = frozenset(Phase)
_EVERY_POSITION = frozenset(Position)
_EVERY_TIMING = frozenset(Timing)
_TWO_TESTS = frozenset({Phase.BEFORE_START, Phase.OFF_TREATMENT, Phase.INTERRUPTED})


def _threshold(phases: Iterable[Phase], pairs: Pairs) -> Threshold:
    return Threshold(dict.fromkeys(phases, pairs))


def _between(some: Iterable[Term], others: Iterable[Term]) -> Pairs:
    return frozenset(product(some, others))


def _safety(one: Safety, *others: Safety) -> Pairs:
    """Return the safety on either side of a threshold, the worse of it and any other finding."""
    sides = ((worse_of(one, also), worse_of(other, also)) for other in others for also in Safety)
    return frozenset((here, there) for here, there in sides if here is not there)


def _thresholds(protocol: Protocol) -> dict[str, Threshold]:
    """Return the threshold of each number that can change an action."""
    safety, ranks = protocol.safety, {level.rank for level in protocol.ladder.levels}
    timing, trial = (
        _between({Timing.BEFORE_DUE}, {Timing.DUE}),
        _between({TherapeuticTrial.RUNNING}, {TherapeuticTrial.EXHAUSTED}),
    )
    # The first of complete, worse, partial and none applies: each differs from all after it.
    partial = _between({Response.PARTIAL}, {Response.NONE})
    worse = _between({Response.WORSE}, {Response.PARTIAL, Response.NONE})
    lesser = {Response.WORSE, Response.PARTIAL, Response.NONE}
    complete = _between({Response.COMPLETE}, lesser)
    mild = _between({Response.MILD}, lesser)
    unknown = _safety(Safety.NOT_ASSESSED, Safety.ACCEPTABLE)
    count_unknown = _safety(Safety.NOT_ASSESSED, Safety.CAUTION, Safety.ACCEPTABLE)
    thresholds: dict[str, Threshold] = {
        "intervals.first_assessment": _threshold({Phase.TITRATION}, timing),
        "intervals.review": _threshold({Phase.TITRATION}, timing),
        "intervals.taper_step": _threshold({Phase.TAPER}, timing),
        "intervals.missed_share": _threshold(ON_TREATMENT, timing),
        "intervals.resumable": _threshold({Phase.INTERRUPTED}, timing),
        "intervals.trial": _threshold(TREATED, trial),
        "intervals.trial_at_level": _threshold(TREATED, trial),
        "response.complete_at": Threshold(
            {
                **dict.fromkeys(_COURSE, complete),
                Phase.BEFORE_START: complete | _between({Response.COMPLETE}, {Response.MILD}),
            }
        ),
        "response.mild_below": _threshold({Phase.BEFORE_START}, mild),
        "response.worse_points": _threshold(_COURSE, worse),
        "response.worse_share": _threshold({Phase.TITRATION, Phase.INTERRUPTED}, worse),
        **{f"response.{each}": _threshold(_COURSE, partial) for each in _PARTIAL},
        # Such a clearance lowers the ceiling on both sides of the threshold.
        "safety.clearance_interrupt_below": Threshold(
            dict.fromkeys(Phase, _safety(Safety.INTERRUPT, Safety.ACCEPTABLE)),
            {
                phase: frozenset(here for here, _ in _positions(protocol, phase, {None}))
                for phase in TREATED
            },
        ),
        "safety.clearance_lowers_below": Threshold(
            {phase: _apart(_positions(protocol, phase, {None})) for phase in TREATED}
        ),
        "safety.clearance_ceiling": Threshold(
            {phase: _apart(_positions(protocol, phase, ranks)) for phase in TREATED}
        ),
        "safety.clearance_age": _threshold(_ALWAYS, unknown),
        "safety.counts_age": _threshold(_ALWAYS, count_unknown),
        **{
            f"safety.{each}": _threshold(_COURSE, count_unknown)
            for each in ("counts_age_early", "counts_early")
        },
        **{
            f"safety.{each}": Threshold(
                dict.fromkeys(_TWO_TESTS, unknown),
                timings={Phase.INTERRUPTED: _timings_of_pauses(protocol, with_two_tests=True)},
            )
            for each in ("first_test", "second_test_age")
        },
        **{
            f"safety.{each}": Threshold(
                dict.fromkeys(TREATED, unknown),
                timings={Phase.INTERRUPTED: _timings_of_pauses(protocol, with_two_tests=False)},
            )
            for each in _TESTS
        },
        "safety.tests_anew_after": _threshold(TREATED, unknown),
        "safety.not_asked": _threshold(_ALWAYS, unknown),
        f"event.{safety.positive_test.id}": _threshold(
            _ALWAYS, _safety(safety.positive_test.safety, Safety.ACCEPTABLE)
        ),
    }
    for name, limits in (("neutrophils", safety.neutrophils), ("platelets", safety.platelets)):
        above = (
            Safety.CAUTION
            if limits.interrupt_below.value < limits.caution_below.value
            else Safety.ACCEPTABLE
        )
        below = (
            Safety.CAUTION
            if limits.interrupt_below.value < limits.caution_below.value
            else Safety.INTERRUPT
        )
        thresholds[f"safety.{name}.interrupt_below"] = _threshold(
            _ALWAYS, _safety(Safety.INTERRUPT, above)
        )
        thresholds[f"safety.{name}.caution_below"] = _threshold(
            _ALWAYS, _safety(below, Safety.ACCEPTABLE)
        )
    for criterion in safety.events:
        thresholds[f"event.{criterion.id}"] = _threshold(
            _ALWAYS, _with_and_without(protocol, criterion.id)
        )
    return thresholds


_PARTIAL = ("partial_points", "partial_share", "partial_below")
_TESTS = ("test_age_early", "tests_early", "test_age", "test_age_irregular")


def _timings_of_pauses(protocol: Protocol, *, with_two_tests: bool) -> frozenset[Timing]:
    """Return the timings of an interruption before tests begin anew, or of one after it."""
    anew = protocol.safety.tests_anew_after.value.usual_days
    resumable = protocol.intervals.resumable.value.usual_days
    always, other = (
        (Timing.DUE, Timing.BEFORE_DUE) if with_two_tests else (Timing.BEFORE_DUE, Timing.DUE)
    )
    meets_other = anew < resumable if with_two_tests else anew > resumable
    return frozenset({always, other} if meets_other else {always})


def _with_and_without(protocol: Protocol, id: str) -> Pairs:
    """Return the safety of each event that meets a criterion, with the criterion and without."""
    criteria = protocol.safety.events
    terms = {EXAMPLE_TERM, *(term for each in criteria for term in each.terms)}
    pairs: Pairs = frozenset()
    for term, grade in product(sorted(terms), (None, *range(GRADE[0], GRADE[1] + 1))):
        if grade is None and term not in UNGRADED:
            continue
        event = AdverseEvent(term, grade, None if grade is None else "5.0")
        met = [each for each in criteria if each.applies(event, neuropathy_at_start=0)]
        if any(each.id == id for each in met):
            pairs |= _safety(_worst(met), _worst(each for each in met if each.id != id))
    return pairs


def _worst(criteria: Iterable[EventCriterion]) -> Safety:
    return min(
        (each.safety for each in criteria), key=lambda each: each.rank, default=Safety.ACCEPTABLE
    )


def _positions(
    protocol: Protocol, phase: Phase, others: Iterable[int | None]
) -> Iterator[tuple[Position, Position]]:
    """Yield the position of each level under the ceiling lowered by clearance, and under others.

    Another ceiling is the rank of a level, or None: as dose-limiting events have left it.
    """
    levels, lowered = protocol.ladder.levels, protocol.safety.clearance_ceiling.value
    for held, left, on_ladder, other in product(levels, (*levels, None), (True, False), others):
        ceiling = left if other is None else lower_of(left, levels[other])
        here = position_of(phase, held, on_ladder, lower_of(left, lowered))
        yield here, position_of(phase, held, on_ladder, ceiling)


def _apart(positions: Iterable[tuple[Position, Position]]) -> Pairs:
    return frozenset((here, there) for here, there in positions if here is not there)


def _crossings(protocol: Protocol, threshold: Threshold) -> int:
    """Count the situations in which crossing the threshold leads to another action."""
    table, count = protocol.table, 0
    for match in table.situations():
        facts = match.facts
        if facts.response in GAIN and facts.trial is TherapeuticTrial.EXHAUSTED:
            continue  # impossible: a gain restarts the trial of therapy
        if facts.position not in threshold.positions.get(facts.phase, _EVERY_POSITION):
            continue
        if facts.timing not in threshold.timings.get(facts.phase, _EVERY_TIMING):
            continue
        others = (
            (match, here, there, trial)
            for one, other in threshold.pairs.get(facts.phase, ())
            for here, there in ((one, other), (other, one))
            if here in (facts.response, facts.safety, facts.timing, facts.trial, facts.position)
            for trial in _trials(facts, here, there)
        )
        count += any(_crossed(protocol, *each) is not match.rule.action for each in others)
    return count


def _crossed(
    protocol: Protocol, match: MatchedRule, here: Term, there: Term, trial: TherapeuticTrial
) -> Action:
    """Return the action of a situation with one term and the trial of therapy replaced."""
    changed = {
        name: there for name, kind in DIMENSIONS if isinstance(here, kind) and name != "trial"
    }
    facts = evolve(match.facts, **{**changed, "trial": trial})  # type: ignore[arg-type]  # by name
    return protocol.table.rule_for(facts).action


def _trials(facts: Facts, here: Term, there: Term) -> Iterator[TherapeuticTrial]:
    """Yield the states of the trial of therapy on the other side; a gain restarts it."""
    if isinstance(there, TherapeuticTrial):
        if facts.response not in GAIN:
            yield there
    elif there in GAIN:
        yield TherapeuticTrial.RUNNING
    else:
        yield facts.trial
        if here in GAIN and facts.phase in TREATED:
            yield TherapeuticTrial.EXHAUSTED
