"""The response criteria: from CLASI activity to one word."""

from fractions import Fraction

from attrs import field, frozen

from lenadose.record.visit import ACTIVITY, JudgedResponse
from lenadose.terms.facts import Phase, Response
from lenadose.terms.provenance import Sourced, _number, within

JUDGED = {
    JudgedResponse.IMPROVED: Response.PARTIAL,
    JudgedResponse.NOT_IMPROVED: Response.NONE,
    JudgedResponse.WORSE: Response.WORSE,
}
"""What a clinician's judgement stands for."""


_points, _share = within(*ACTIVITY), within(0, 1)


@frozen
class ResponseCriteria:
    """When the skin counts as worse or as partly better; complete is an activity of 0."""

    complete_at: Sourced[int] = field(
        validator=_points, metadata=_number("points", "CLASI activity of a complete response")
    )
    worse_points: Sourced[int] = field(
        validator=_points, metadata=_number("points", "least rise above the lowest that is worse")
    )
    worse_share: Sourced[Fraction] = field(
        validator=_share,
        metadata=_number(
            "of the gain",
            "least share of the gain lost that is worse, in titration and interrupted",
        ),
    )
    partial_points: Sourced[int] = field(
        validator=_points, metadata=_number("points", "least fall that is a partial response")
    )
    partial_share: Sourced[Fraction] = field(
        validator=_share,
        metadata=_number("of the start", "least fall, as a share, that is a partial response"),
    )
    low_start: Sourced[int] = field(
        validator=_points,
        metadata=_number("points", "activity at the start below which only the share counts"),
    )
    low_share: Sourced[Fraction] = field(
        validator=_share,
        metadata=_number(
            "of the start", "least fall, as a share, from a low start that is a partial response"
        ),
    )
    reduction_needs: Sourced[Response] = field(
        metadata=_number("", "least response for which the dose is reduced")
    )
    """What the rows are held against, by a law; the rows themselves decide."""

    def is_worse(self, phase: Phase, now: int, start: int, nadir: int) -> bool:
        """Tell whether *A* counts as worse in this phase; the lowest may lie above the start."""
        rise = now - nadir
        if phase is Phase.TITRATION or phase is Phase.INTERRUPTED:
            share = self.worse_share.value
            return rise >= self.worse_points.value and (
                rise * share.denominator >= (start - nadir) * share.numerator
            )
        return rise >= self.worse_points.value or now >= start

    def is_partial(self, now: int, start: int) -> bool:
        """Tell whether the fall from *B* to *A* is a partial response."""
        fall = start - now
        if start < self.low_start.value:
            share = self.low_share.value
            return fall * share.denominator >= start * share.numerator
        share = self.partial_share.value
        return (
            fall >= self.partial_points.value
            and fall * share.denominator >= start * share.numerator
        )

    def of(
        self,
        phase: Phase,
        now: int | None,
        start: int | None,
        nadir: int | None,
        judged: JudgedResponse | None,
    ) -> Response:
        """Return the response: the first that applies of complete, worse, partial and none.

        *nadir* is the lowest activity before this visit.

        A judgement replaces all but complete, and stands in for a missing score; not where a start would follow,
        because a course needs its score at the start.
        """
        if now is None:
            if judged is None or phase is Phase.BEFORE_START:
                return Response.NOT_ASSESSED
            if phase is Phase.OFF_TREATMENT and judged is JudgedResponse.WORSE:
                return Response.NOT_ASSESSED
            return JUDGED[judged]
        if now <= self.complete_at.value:
            return Response.COMPLETE
        if judged is not None:
            return JUDGED[judged]
        if start is None:
            return Response.NONE
        if self.is_worse(phase, now, start, now if nadir is None else min(nadir, now)):
            return Response.WORSE
        return Response.PARTIAL if self.is_partial(now, start) else Response.NONE
