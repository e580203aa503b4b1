"""The time between visits, with its phase, dosage advised and taken, ceiling and limits."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from attrs import evolve, frozen

from lenadose.engine.machine import Decision, apply
from lenadose.engine.state import State
from lenadose.explanation.criteria_met import drug_until
from lenadose.record.visit import ACTIVITY
from lenadose.terms.dosage import Dosage, Level
from lenadose.terms.facts import Action, Phase, Response


@frozen
class Segment:
    """The time from a visit to the next one; after the last, until the next one is due.

    After a question it is open, or the dosage goes on unchanged until the answer.
    """

    begin: date
    end: date
    phase: Phase
    level: Level | None
    is_open: bool
    is_unchanged: bool
    taken: Dosage | None
    is_reported: bool
    missed: int
    ceiling: Level | None
    start: int | None
    worse_from: int | None
    partial_to: int | None


def segments_of(decisions: Sequence[Decision]) -> Iterator[Segment]:
    """Yield the segments of a course, one for each visit, and one where the supply ended."""
    for decision, following in pairwise(decisions):
        seen = following.seen
        reported = following.visit.dosage_taken
        until = drug_until(seen)
        if until is not None and decision.visit.date < until < following.visit.date:
            # What was supplied did not last to the next visit.
            yield _segment(
                decision, seen.before, decision.phase_after, until, decision.dosage, False, 0
            )
            rest = _segment(decision, seen.before, seen.phase, following.visit.date, None, False, 0)
            yield evolve(rest, begin=until, level=None, is_open=False, is_unchanged=False)
            continue
        taken = reported.dosage if reported else decision.dosage
        yield _segment(
            decision,
            seen.before,
            seen.phase,
            following.visit.date,
            taken,
            reported is not None or following.visit.doses_missed is not None,
            following.visit.doses_missed or 0,
        )
    last = decisions[-1]
    yield _segment(last, apply(last), last.phase_after, end_of(last), last.dosage, False, 0)


def _segment(
    decision: Decision,
    after: State,
    phase: Phase,
    end: date,
    taken: Dosage | None,
    is_reported: bool,
    missed: int,
) -> Segment:
    protocol = decision.protocol
    start = after.baseline.activity if after.baseline else None
    nadir = after.treatment.nadir.activity if after.treatment.nadir else None

    def response(activity: int) -> Response:
        return protocol.response.of(phase, activity, start, nadir, None)

    scores = (
        range(ACTIVITY[0], ACTIVITY[1] + 1)
        if after.baseline and phase is not Phase.DISCONTINUED
        else ()
    )
    worse = next((score for score in scores if response(score) is Response.WORSE), None)
    partial = next(
        (score for score in reversed(scores) if response(score) is Response.PARTIAL), None
    )
    asks = decision.action in (Action.REQUEST_DATA, Action.PRESCRIBER_DECIDES)
    return Segment(
        decision.visit.date,
        end,
        phase,
        decision.level,
        asks and decision.level is None,
        asks and decision.level is not None,
        taken,
        is_reported,
        missed,
        after.ceiling if after.treatment.dose else protocol.ladder.top,
        start,
        worse,
        partial,
    )


def end_of(last: Decision) -> date:
    """Return the day on which the next visit is due; without one, the day two weeks later."""
    return last.next_visit.due if last.next_visit else last.visit.date + timedelta(days=14)
