"""For every other action, the smallest change to the visit that leads to it.

The search goes through the machine: each set of changes is a visit, and the machine decides on it.
One changed field is tried with every option, two with every pair of options, so that an action
given with one or two changes is given with the fewest. Three and more are put together from what
the clocks, the skin and the safety criteria need, less what turns out not to be needed.

Of equal numbers the nearer set is given: first the one that comes about more easily (see
`Feasibility`), then the one in the earlier fields of `FIELDS`, then the one with nearer values.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from heapq import merge
from itertools import combinations, product
from typing import TypeVar

from attrs import field, frozen

from lenadose.engine.machine import Decision, require_decision
from lenadose.engine.observe import (
    Observation,
    hypothetical,
    limits_met,
    safety_of,
    tests_missing,
    worse_of,
)
from lenadose.engine.state import Findings
from lenadose.explanation.change_cost import FIELDS, Feasibility
from lenadose.explanation.options import FieldValue, Option, Options
from lenadose.record.visit import Judgement
from lenadose.terms.dosage import Level, lower_of
from lenadose.terms.facts import Action, Facts, Phase, Response, Safety
from lenadose.terms.units import QUANTITIES

Changes = tuple[Option, ...]
K = TypeVar("K")

_SAFETY_FIELDS = (*QUANTITIES, "adverse_events", "pregnancy_tests")


@frozen
class Change:
    """One field of the visit: its value, the value it would need, and how that can come about."""

    field: str
    before: FieldValue
    after: FieldValue
    means: Feasibility


@frozen
class Alternative:
    """Another action and the smallest change that leads to it; no changes where there is none.

    `seen` is the visit with the changes made, None where the action cannot be reached.
    """

    action: Action
    changes: tuple[Change, ...]
    seen: Observation | None = field(repr=False)

    @property
    def reachable(self) -> bool:
        """Whether some change to this visit leads to the action."""
        return self.seen is not None


def alternatives(decision: Decision) -> tuple[Alternative, ...]:
    """Return every other action with the smallest change that leads to it, the nearest first.

    Only the visit that was decided on is changed. Actions that no change leads to come last.
    """
    require_decision(decision)
    search = _Search(Options(decision))
    found = search.cheapest(search.actions)
    others = [action for action in Action if action is not decision.action]
    reached = sorted(
        (each for each in others if each in found), key=lambda each: _cost(found[each])
    )
    return (
        *(search.alternative(action, found[action]) for action in reached),
        *(Alternative(action, (), None) for action in others if action not in found),
    )


def alternative(decision: Decision, action: Action) -> Alternative:
    """Return another action with the smallest change that leads to it."""
    search = _Search(Options(decision))
    found = search.cheapest(search.actions & {action})
    return search.alternative(action, found[action]) if found else Alternative(action, (), None)


def phases(decision: Decision) -> tuple[Phase, ...]:
    """Return the phases that the visit could have been in, depending on what was taken."""
    phases = {seen.phase for seen in Options(decision).intakes}
    return tuple(phase for phase in Phase if phase in phases)


def _cost(changes: Changes) -> int:
    return sum(option.cost for option in changes)


@frozen(slots=False)
class _Search:
    options: Options

    @property
    def seen(self) -> Observation:
        return self.options.seen

    @cached_property
    def actions(self) -> frozenset[Action]:
        """The other actions of the rows for the phases that the visit could have been in."""
        phases = {seen.phase for seen in self.options.intakes}
        return frozenset(
            row.action
            for row in self.seen.protocol.table.rules
            for case in row.cases
            if not phases.isdisjoint(case.phase)
        ) - {self.seen.match.rule.action}

    def action(self, changes: Changes) -> Action | None:
        """Return the action on the visit with changes, None if there can be no such visit."""
        seen = self.options.observe(changes)
        return seen.match.rule.action if seen else None

    def alternative(self, action: Action, changes: Changes) -> Alternative:
        """Return an action with the changes that lead to it."""
        ordered = sorted(changes, key=lambda option: FIELDS.index(option.field))
        return Alternative(
            action,
            tuple(
                Change(
                    option.field,
                    getattr(self.seen.visit, option.field),
                    option.value,
                    option.means,
                )
                for option in ordered
            ),
            self.options.observe(changes),
        )

    def cheapest(self, actions: frozenset[Action]) -> dict[Action, Changes]:
        """Return the smallest changes that lead to each of some actions, where any do."""
        found: dict[Action, Changes] = {}
        for search in (self.singly, self.in_pairs):
            for changes in search():
                if found.keys() == actions:
                    return found
                action = self.action(changes)
                if action in actions:
                    found.setdefault(action, changes)
        for action, candidates in self.combined(actions - found.keys()).items():
            smallest = [self._smallest(action, changes) for changes in candidates]
            reached = [changes for changes in smallest if changes]
            if reached:
                found[action] = min(reached, key=_cost)
        return found

    def _smallest(self, action: Action, changes: Changes) -> Changes:
        """Return the smallest part of some changes that leads to an action; empty if none does."""
        parts = (combinations(changes, size) for size in range(1, len(changes) + 1))
        return next((part for size in parts for part in size if self.action(part) is action), ())

    # One field and two

    def singly(self) -> Iterator[Changes]:
        """Yield each option alone, the cheapest first."""
        streams = self.options.streams().values()
        yield from ((option,) for option in merge(*streams, key=lambda option: option.cost))

    def in_pairs(self) -> Iterator[Changes]:
        """Yield each pair of options of two fields, the cheapest first."""
        pairs = [pair for names in combinations(FIELDS, 2) for pair in self._pairs(*names)]
        yield from sorted(pairs, key=_cost)

    def _pairs(self, one: str, other: str) -> Iterator[tuple[Option, Option]]:
        fields = self.options.fields
        match one, other:
            case "date", "dosage_taken":
                # Clocks run differently after another intake.
                for intake in fields[other]:
                    seen = self.options.observe([intake])
                    days = self.options.turning_days(seen) if seen else self.options.days
                    yield from ((day, intake) for day in self.options.dates(days))
            case "date", "pregnancy_tests":
                for day in self.dates:
                    yield from ((day, tests) for tests in self.options.tests(self._day((day,))))
            case "date" | "dosage_taken", "doses_missed":
                for first in fields[one]:
                    yield from ((first, missed) for missed in self.options.missed([first]))
            case "doses_missed", "dosage_taken":
                for intake in fields[other]:
                    yield from ((missed, intake) for missed in self.options.missed([intake]))
            case "date", _:
                yield from product(self.dates, fields[other])
            case _:
                yield from product(fields[one], fields[other])

    @cached_property
    def dates(self) -> Changes:
        """The nearest of the days that do the same, whatever else is changed."""
        nearest: dict[object, Option] = {}
        for option in self.options.fields["date"]:
            nearest.setdefault(self._effect_of_day(option), option)
        return tuple(nearest.values())

    def _effect_of_day(self, option: Option) -> object:
        observe = self.options.observe
        # A result of a later day, and more doses missed than there were by then, must be replaced.
        later = self.options.without_later(self._day((option,)))
        kept = (option, *later)
        own = observe(kept)
        seen = own or observe([*kept, _without("doses_missed")])
        bare = observe([option, *map(_without, (*_SAFETY_FIELDS, "doses_missed"))])
        if seen is None or bare is None:
            return option
        known = (seen.findings, bare.findings)
        return (
            later,
            own is None,
            *self._clocks(seen),
            seen.missing_fields,
            bare.missing_fields,
            *(self._tests_missing(seen, findings) for findings in known),
        )

    def _clocks(self, seen: Observation) -> tuple[Facts, Facts]:
        """Return the facts with a gain at this visit, and without one."""
        safety, ceiling = seen.facts.safety, seen.ceiling
        return (
            hypothetical(seen, Response.COMPLETE, safety, ceiling).facts,
            hypothetical(seen, Response.NONE, safety, ceiling).facts,
        )

    def _tests_missing(self, seen: Observation, findings: Findings) -> object:
        """Return why a test is missing that one of the day of the visit does not make good."""
        protocol, day = seen.protocol, seen.visit.date
        tested = Findings(negative_tests=(*findings.negative_tests, day))
        return tests_missing(protocol.safety, seen.patient, seen.treatment, tested, day)

    # Three fields and more

    def combined(self, actions: frozenset[Action]) -> dict[Action, list[Changes]]:
        """Return changes to three fields and more that can lead to each of some actions."""
        found: dict[Action, dict[object, Changes]] = {action: {} for action in actions}
        for clocks, seen in self._contexts() if actions else ():
            responses, safeties = self._responses(seen), self._safeties(clocks, seen)
            for response, (safety, ceiling) in product(responses, safeties):
                match = hypothetical(seen, response, safety, ceiling)
                if match.rule.action in found:
                    changes = (*clocks, *responses[response], *safeties[safety, ceiling])
                    # What is left out on an earlier day can have been replaced.
                    by_field = {option.field: option for option in changes}
                    _keep(found[match.rule.action], match.case, tuple(by_field.values()))
        return {action: list(candidates.values()) for action, candidates in found.items()}

    def _contexts(self) -> list[tuple[Changes, Observation]]:
        """Return the cheapest changes of day, intake and doses missed that do the same."""
        clocks = ("date", "doses_missed", "dosage_taken")
        some: list[Changes] = [
            (),
            *((option,) for option in (*self.dates, *self.options.fields["doses_missed"])),
            *((option,) for option in self.options.fields["dosage_taken"]),
            *(pair for names in combinations(clocks, 2) for pair in self._pairs(*names)),
        ]
        contexts: dict[object, tuple[Changes, Observation]] = {}
        for changes in sorted(some, key=_cost):
            changes = (*self.options.without_later(self._day(changes)), *changes)
            seen = self.options.observe(changes)
            if seen is not None:
                nadir = self.options.nadir_before(seen)
                effect = (*self._clocks(seen), seen.missing_fields, nadir)
                contexts.setdefault(effect, (changes, seen))
        return list(contexts.values())

    def _day(self, changes: Changes) -> date:
        days = (each.value for each in changes if isinstance(each.value, date))
        return next(days, self.seen.visit.date)

    def _responses(self, seen: Observation) -> dict[Response, Changes]:
        """Return the responses that a score and a judgement can show."""
        fields, criteria = self.options.fields, seen.protocol.response
        start, visit = seen.baseline, seen.visit
        nadir = self.options.nadir_before(seen)
        responses: dict[Response, Changes] = {}
        for score, judged in product(
            (None, *fields["clasi_activity"]), (None, *fields["judgement"])
        ):
            judgement = judged.value if judged else visit.judgement
            # An option of this field holds a score, which the type checker cannot know.
            response = criteria.of(
                seen.phase,
                score.value if score else visit.clasi_activity,  # type: ignore[arg-type]
                start.activity if start else None,
                nadir,
                judgement.response if isinstance(judgement, Judgement) else None,
            )
            _keep(responses, response, tuple(each for each in (score, judged) if each))
        return responses

    def _safeties(
        self, clocks: Changes, seen: Observation
    ) -> dict[tuple[Safety, Level | None], Changes]:
        """Return the safety, with the ceiling, that results, events and tests can show."""
        tests = self.options.tests(seen.visit.date)
        fields = {**self.options.fields, "pregnancy_tests": tests}
        every = [option for name in _SAFETY_FIELDS for option in fields[name]]
        nothing: dict[str, Option] = {}
        complete = self._complete(clocks, every)
        safeties: dict[tuple[Safety, Level | None], Changes] = {}
        alone: dict[tuple[str, Safety, Level | None], Option] = {}
        for start in (nothing, complete):
            for option in (None, *every):
                options = {**start, option.field: option} if option else start
                changed = self.options.observe((*clocks, *options.values()))
                if changed:
                    safety, ceiling = changed.facts.safety, changed.ceiling
                    _keep(safeties, (safety, ceiling), tuple(options.values()))
                    if option and start is complete:
                        alone.setdefault((option.field, safety, ceiling), option)
        for (one, first), (other, second) in combinations(alone.items(), 2):
            if first.field != second.field:
                options = {**complete, first.field: first, second.field: second}
                both = worse_of(one[1], other[1]), lower_of(one[2], other[2])
                _keep(safeties, both, tuple(options.values()))
        return safeties

    def _complete(self, clocks: Changes, every: list[Option]) -> dict[str, Option]:
        """Return the options that leave the least danger and nothing missing, field by field."""
        complete: dict[str, Option] = {}
        best = self.options.observe(clocks)
        for option in every:
            options = {**complete, option.field: option}
            changed = self.options.observe((*clocks, *options.values()))
            if changed and (best is None or _safety_rank(changed) > _safety_rank(best)):
                best, complete = changed, options
        return complete


def _without(name: str) -> Option:
    return Option(name, None, Feasibility.PAST, 0)


def _safety_rank(seen: Observation) -> tuple[int, int, int]:
    """Return how little danger there is, then how little is missing, then how high the ceiling.

    A danger must not hide another, and a pregnancy needs no test: each finding counts alone.
    """
    safety, known = seen.protocol.safety, seen.findings
    parts = (
        Findings(neutrophils=known.neutrophils),
        Findings(platelets=known.platelets),
        Findings(creatinine_clearance=known.creatinine_clearance),
        *(Findings(ongoing=(event,)) for event in known.ongoing),
    )
    danger = sum(
        Safety.ACCEPTABLE.rank
        - safety_of(limits_met(safety, part), part.ongoing, unknown=False).rank
        for part in parts
    )
    missing = sum(each.field != "clasi_activity" for each in seen.missing_fields)
    return -danger, -missing, seen.ceiling.rank if seen.ceiling else -1


def _keep(best: dict[K, Changes], key: K, changes: Changes) -> None:
    """Keep changes if they are the cheapest so far."""
    if key not in best or _cost(changes) < _cost(best[key]):
        best[key] = changes
