"""The response criteria: from CLASI activity to one word.

The criteria are an ordered list of comparisons, and the first that is met decides. The fact, the
lines "met" and "not met" of a page and the arrays of a cohort all come from this list.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType

from attrs import Factory, field, frozen

from lenadose.record.visit import ACTIVITY, JudgedResponse
from lenadose.terms.facts import Phase, Response
from lenadose.terms.provenance import Sourced, sourced_number, within

JUDGED = MappingProxyType(
    {
        JudgedResponse.IMPROVED: Response.PARTIAL,
        JudgedResponse.NOT_IMPROVED: Response.NONE,
        JudgedResponse.WORSE: Response.WORSE,
    }
)
"""The response that a clinician's judgement stands for."""


@frozen
class Scores:
    """CLASI activity now (*A*), at the start (*B*) and the lowest since, this visit included (*M*).

    Each is a whole number from 0 to 70; a cohort has arrays of them instead.
    """

    activity: int
    baseline: int
    nadir: int

    @property
    def rise(self) -> int:
        """The points above the lowest."""
        return self.activity - self.nadir

    @property
    def fall(self) -> int:
        """The points below the start."""
        return self.baseline - self.activity

    @property
    def gain(self) -> int:
        """The points from the start to the lowest."""
        return self.baseline - self.nadir


MEASURES = MappingProxyType(
    {"activity": "A", "baseline": "B", "rise": "A - M", "fall": "B - A", "gain": "B - M"}
)
"""The measures, attributes of `Scores`, and how each is written for people."""


Relation = Callable[[int, int], bool]

RELATIONS: Mapping[Relation, str] = MappingProxyType(
    {
        operator.ge: "at least",
        operator.le: "at most",
        operator.lt: "below",
    }
)
"""How a measure is compared with its threshold, and how that is written for people."""


@frozen
class Comparison:
    """A measure compared with a threshold: `limit` points, or a share of another measure.

    `number` names the number of the protocol that the limit comes from.
    """

    number: str
    measure: str
    relation: Relation
    limit: Fraction
    share_of: str | None = None

    def threshold(self, scores: Scores) -> Fraction:
        """Return the threshold in points."""
        return self.limit * (getattr(scores, self.share_of) if self.share_of else 1)

    def is_met(self, scores: Scores) -> bool:
        """Return whether the comparison is met; for arrays of scores, an array of the answers."""
        # Multiplied instead of divided, so that nothing is rounded and arrays stay whole numbers.
        times, parts = self.limit.as_integer_ratio()
        value = getattr(scores, self.measure)
        whole = getattr(scores, self.share_of) if self.share_of else 1
        return self.relation(value * parts, whole * times)


@frozen
class ResponseCriterion:
    """One way to a response, in some phases: all comparisons are met."""

    response: Response
    phases: frozenset[Phase]
    comparisons: tuple[Comparison, ...]

    def is_met(self, scores: Scores) -> bool:
        """Return whether all comparisons are met."""
        return all(comparison.is_met(scores) for comparison in self.comparisons)


_STARTED = frozenset(Phase) - {Phase.BEFORE_START}
_GAIN_COUNTS = frozenset({Phase.TITRATION, Phase.INTERRUPTED})
"""The phases in which worse is a share of the gain."""
_RELAPSE_COUNTS = frozenset({Phase.TAPER, Phase.OFF_TREATMENT})
"""The phases in which worse is a relapse; what follows from it needs the score of the visit."""

_points, _share = within(*ACTIVITY), within(0, 1)


@frozen
class ResponseCriteria:
    """When the response counts as complete, mild, worse or partial."""

    complete_at: Sourced[int] = field(
        validator=_points,
        metadata=sourced_number("points", "CLASI activity of a complete response"),
    )
    mild_below: Sourced[int] = field(
        validator=_points,
        metadata=sourced_number("points", "before a start, CLASI activity that is mild below"),
    )
    worse_points: Sourced[int] = field(
        validator=_points,
        metadata=sourced_number(
            "points",
            "least rise above the lowest that is worse, and least activity that can be a relapse",
        ),
    )
    worse_share: Sourced[Fraction] = field(
        validator=_share,
        metadata=sourced_number(
            "of the gain",
            "least share of the gain lost that is worse, in titration and interrupted",
        ),
    )
    partial_points: Sourced[int] = field(
        validator=_points,
        metadata=sourced_number("points", "least fall that is a partial response"),
    )
    partial_share: Sourced[Fraction] = field(
        validator=_share,
        metadata=sourced_number(
            "of the start", "least fall, as a share, that is a partial response"
        ),
    )
    partial_below: Sourced[int] = field(
        validator=_points,
        metadata=sourced_number(
            "points", "CLASI activity below which the response is partial, whatever the fall"
        ),
    )
    reduction_needs: Sourced[Response] = field(
        metadata=sourced_number("", "least response for which the dose is reduced")
    )
    """Used by a law that checks the rows; the rows themselves decide."""

    criteria: tuple[ResponseCriterion, ...] = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda self: tuple(self._criteria()), takes_self=True),
    )
    """The criteria in order; the first met decides, and `none` is what is left."""

    def _criteria(self) -> Iterator[ResponseCriterion]:
        def compare(
            number: str, measure: str, relation: Relation, share_of: str | None = None
        ) -> Comparison:
            limit = Fraction(getattr(self, number).value)
            return Comparison(number, measure, relation, limit, share_of)

        at_least, below = operator.ge, operator.lt
        complete = compare("complete_at", "activity", operator.le)
        yield ResponseCriterion(Response.COMPLETE, frozenset(Phase), (complete,))
        mild = compare("mild_below", "activity", below)
        yield ResponseCriterion(Response.MILD, frozenset({Phase.BEFORE_START}), (mild,))
        rise = compare("worse_points", "rise", at_least)
        lost = compare("worse_share", "rise", at_least, "gain")
        yield ResponseCriterion(Response.WORSE, _GAIN_COUNTS, (rise, lost))
        yield ResponseCriterion(Response.WORSE, _RELAPSE_COUNTS, (rise,))
        back = Comparison("worse_points", "activity", at_least, Fraction(1), "baseline")
        enough = compare("worse_points", "activity", at_least)
        yield ResponseCriterion(Response.WORSE, _RELAPSE_COUNTS, (back, enough))
        points = compare("partial_points", "fall", at_least)
        share = compare("partial_share", "fall", at_least, "baseline")
        both = (points, share) if share.limit else (points,)
        yield ResponseCriterion(Response.PARTIAL, _STARTED, both)
        low = compare("partial_below", "activity", below)
        if low.limit:
            yield ResponseCriterion(Response.PARTIAL, _STARTED, (low,))

    def scored(self, phase: Phase, scores: Scores) -> Response:
        """Return the response that the scores show, without a judgement."""
        for criterion in self.criteria:
            if phase in criterion.phases and criterion.is_met(scores):
                return criterion.response
        return Response.NONE

    def of(
        self,
        phase: Phase,
        now: int | None,
        start: int | None,
        nadir: int | None,
        judged: JudgedResponse | None,
    ) -> Response:
        """Return the response: the first that applies of complete, mild, worse, partial and none.

        *nadir* is the lowest activity before this visit. A judgement replaces worse, partial and
        none, and stands in for a missing score; not where a start or a relapse would follow,
        because both need the score of the visit. Off treatment a judgement of worse counts only
        with enough activity for a relapse.
        """
        relapse = judged is JudgedResponse.WORSE and phase in _RELAPSE_COUNTS
        if now is None:
            if judged is None or phase is Phase.BEFORE_START or relapse:
                return Response.NOT_ASSESSED
            return JUDGED[judged]
        known_start = now if start is None else start
        scores = Scores(now, known_start, now if nadir is None else min(nadir, now))
        response = self.scored(phase, scores)
        if response in (Response.COMPLETE, Response.MILD):
            return response
        too_low = phase is Phase.OFF_TREATMENT and relapse and now < self.worse_points.value
        if judged is not None and not too_low:
            return JUDGED[judged]
        # Without a start there is nothing to compare with.
        return Response.NONE if start is None else response
