"""The decision table: rows that name an action, and the proof that exactly one fits each situation.

A row has one to three cases. A case is a box: for each of the six facts the set of words it
admits. Boxes that are pairwise disjoint and whose volumes add up to the whole cover every situation
exactly once; situations are listed one by one only to name a fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, islice, product
from math import prod
from types import MappingProxyType

from attrs import Factory, field, frozen

from lenadose.terms.errors import Fault, ProtocolError
from lenadose.terms.facts import (
    DIMENSIONS,
    Action,
    Facts,
    Phase,
    Position,
    Response,
    Safety,
    Term,
    TherapeuticTrial,
    Timing,
    W,
    possible_terms,
)
from lenadose.terms.provenance import Provenance
from lenadose.terms.validation import is_identifier

Situation = tuple[Phase, Response, Safety, Timing, TherapeuticTrial, Position]
"""The six facts of a situation, as the table looks them up."""

Box = tuple[int, ...]
"""For each of the six facts a mask: the bit of a word's rank is set where the word is admitted."""


def _mask(words: Iterable[Term]) -> int:
    return sum(1 << word.rank for word in words)


MOST_FAULTS = 1000
"""With more faults than this in a table the rest of the table is not examined."""

_WHOLE: tuple[Box, ...] = tuple(
    tuple(map(_mask, possible_terms(phase).values())) for phase in Phase
)


def _words(kind: type[W], cell: W | Iterable[W] | None) -> frozenset[W]:
    if cell is None:
        return frozenset(kind)
    return frozenset({cell}) if isinstance(cell, Term) else frozenset(cell)


@frozen
class Case:
    """The situations a row applies to, as a set of words for each fact, with their provenance."""

    provenance: Provenance
    phase: frozenset[Phase]
    response: frozenset[Response]
    safety: frozenset[Safety]
    timing: frozenset[Timing]
    trial: frozenset[TherapeuticTrial]
    position: frozenset[Position]

    @property
    def words(self) -> tuple[frozenset[Term], ...]:
        """The six sets of words, in the order of the table."""
        return (self.phase, self.response, self.safety, self.timing, self.trial, self.position)

    @property
    def conditions(self) -> dict[str, tuple[Term, ...]]:
        """The facts that the case restricts, each with the words it admits, in order."""
        return {
            name: tuple(word for word in kind if word in words)
            for (name, kind), words in zip(DIMENSIONS, self.words, strict=True)
            if len(words) < len(kind)
        }


def case(
    provenance: Provenance,
    phase: Phase | Iterable[Phase] | None = None,
    *,
    response: Response | Iterable[Response] | None = None,
    safety: Safety | Iterable[Safety] | None = None,
    timing: Timing | Iterable[Timing] | None = None,
    trial: TherapeuticTrial | Iterable[TherapeuticTrial] | None = None,
    position: Position | Iterable[Position] | None = None,
) -> Case:
    """Return a case: for each fact one word or several; a fact that is not named admits any."""
    return Case(
        provenance,
        _words(Phase, phase),
        _words(Response, response),
        _words(Safety, safety),
        _words(Timing, timing),
        _words(TherapeuticTrial, trial),
        _words(Position, position),
    )


@frozen
class Rule:
    """A row of the table: its name, the action it advises, and its cases."""

    id: str = field(validator=is_identifier)
    action: Action
    cases: tuple[Case, ...]


def rule(id: str, action: Action, *cases: Case) -> Rule:
    """Return a row."""
    return Rule(id, action, cases)


@frozen(cache_hash=True)
class MatchedRule:
    """The row and the case that apply to one situation, and the phase that the row leads to."""

    facts: Facts
    rule: Rule
    case: Case
    leads_to: Phase


def leads_to(action: Action, phase: Phase, position: Position) -> Phase:
    """Return the phase that an action leads to; coming down to a ceiling is not a taper."""
    match action:
        case Action.START | Action.RESUME | Action.ESCALATE:
            return Phase.TITRATION
        case Action.REDUCE:
            return phase if position is Position.ABOVE_CEILING else Phase.TAPER
        case Action.FINISH:
            return Phase.OFF_TREATMENT
        case Action.INTERRUPT:
            return Phase.INTERRUPTED
        case Action.DISCONTINUE:
            return Phase.DISCONTINUED
        # The type checker knows that these are the rest.
        case (
            Action.CONTINUE | Action.OBSERVE | Action.REQUEST_DATA | Action.PRESCRIBER_DECIDES
        ):  # pragma: no branch
            return phase


@frozen
class RuleTable:
    """Rows of which exactly one applies to every possible situation; their order means nothing.

    Raises ProtocolError for rows that leave a gap, overlap, share a name or can never apply; each
    fault names a situation and the rows.
    """

    rules: tuple[Rule, ...]
    _matches: Mapping[Situation, MatchedRule] = field(
        init=False,
        eq=False,
        repr=False,
        default=Factory(lambda self: _lay_out(self.rules), takes_self=True),
    )

    def match(
        self,
        phase: Phase,
        response: Response,
        safety: Safety,
        timing: Timing,
        trial: TherapeuticTrial,
        position: Position,
    ) -> MatchedRule:
        """Return the one row that applies; raises KeyError for an impossible situation."""
        return self._matches[phase, response, safety, timing, trial, position]

    def __reduce__(self) -> tuple[type["RuleTable"], tuple[tuple[Rule, ...]]]:
        # A copy proves its table anew; the look-up cannot be pickled.
        return RuleTable, (self.rules,)

    def rule_for(self, facts: Facts) -> Rule:
        """Return the one row that applies; raises KeyError for contradictory facts."""
        return self._matches[
            facts.phase, facts.response, facts.safety, facts.timing, facts.trial, facts.position
        ].rule

    def situations(self) -> Iterator[MatchedRule]:
        """Yield every possible situation with its row, in the order of the words of the facts."""
        return iter(self._matches.values())


def _volume(box: Box) -> int:
    return prod(map(int.bit_count, box))


def _common(a: Box, b: Box) -> Box:
    return tuple(x & y for x, y in zip(a, b, strict=True))


def _situations(box: Box) -> Iterator[tuple[Term, ...]]:
    """Yield the situations of a box, the words of each fact in order."""
    return product(
        *([w for w in kind if box[i] >> w.rank & 1] for i, (_, kind) in enumerate(DIMENSIONS))
    )


def _say(situation: tuple[Term, ...]) -> str:
    return ", ".join(
        f"{name} {word.label}" for (name, _), word in zip(DIMENSIONS, situation, strict=True)
    )


def _faults(rules: tuple[Rule, ...]) -> Iterator[Fault]:
    if sum(max(1, len(row.cases)) for row in rules) > sum(map(_volume, _WHOLE)):
        yield Fault("rules", "more cases than there are situations", "take some out")
        return
    for one, other in combinations(rules, 2):
        if one.id == other.id:
            yield Fault(
                f"rules.{one.id}", "two rows have this name", "give each row a name of its own"
            )
    pieces: list[tuple[str, Box]] = []
    for row in rules:
        if not row.cases:
            yield Fault(f"rules.{row.id}", "the row has no case", "give it a case or take it out")
        for index, case in enumerate(row.cases):
            place = f"rules.{row.id}.cases[{index}]"
            box = tuple(map(_mask, case.words))
            parts = [(place, part) for whole in _WHOLE if _volume(part := _common(box, whole))]
            if not parts:
                yield Fault(place, "no possible situation fits it", "take it out or widen it")
            pieces += parts
    overlap = False
    for (place, box), (other_place, other_box) in combinations(pieces, 2):
        common = _common(box, other_box)
        if _volume(common):
            overlap = True
            yield Fault(
                place,
                f"{other_place} applies as well to: {_say(next(_situations(common)))}",
                "narrow one of them",
            )
    if overlap or sum(_volume(box) for _, box in pieces) < sum(map(_volume, _WHOLE)):
        covered = {situation for _, box in pieces for situation in _situations(box)}
        gap = next((s for whole in _WHOLE for s in _situations(whole) if s not in covered), None)
        if gap is not None:
            yield Fault("rules", f"no row applies to: {_say(gap)}", "add a row or widen one")


def _lay_out(rules: tuple[Rule, ...]) -> Mapping[Situation, MatchedRule]:
    """Prove that exactly one row applies to each situation, and return the row of each."""
    faults = tuple(islice(_faults(rules), MOST_FAULTS))
    if faults:
        raise ProtocolError(faults)
    matches: dict[Situation, MatchedRule] = {}
    for row in rules:
        for case in row.cases:
            for phase in case.phase:
                possible = possible_terms(phase)
                for response, safety, timing, trial, position in product(
                    case.response & possible["response"],
                    case.safety,
                    case.timing & possible["timing"],
                    case.trial & possible["trial"],
                    case.position & possible["position"],
                ):
                    facts = Facts(phase, response, safety, timing, trial, position)
                    matches[phase, response, safety, timing, trial, position] = MatchedRule(
                        facts, row, case, leads_to(row.action, phase, position)
                    )
    in_order = sorted(matches, key=lambda situation: [term.rank for term in situation])
    return MappingProxyType({situation: matches[situation] for situation in in_order})
