"""The words of a picture: what holds now and why, and the label of each decision."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from lenadose.engine.machine import Decision, same_day_dangers
from lenadose.engine.observe import limits_met
from lenadose.explanation.calculations import danger_name
from lenadose.explanation.fact_phrases import cause
from lenadose.explanation.headlines import HEADLINES, OPEN, QUESTIONS
from lenadose.picture.marks import ACTIONS, ORDINARY
from lenadose.picture.placing import long_date
from lenadose.terms.dosage import Dosage, format_decimal
from lenadose.terms.facts import Action, Safety

_SAME_DAY = "same-day assessment"


@frozen
class Label:
    """A decision to be labelled, with the ones after it that repeat it, and how much it matters."""

    decisions: tuple[Decision, ...]
    headline: str
    why: str
    weight: int

    @property
    def first(self) -> Decision:
        """The first of the decisions."""
        return self.decisions[0]


def brief_dosage(dosage: Dosage) -> str:
    """Return a dosage in few letters: "5 mg" for once daily, "5 mg / 2 days" otherwise."""
    often = "" if dosage.every_days == 1 else f" / {dosage.every_days} days"
    return f"{format_decimal(dosage.mg)} mg{often}"


def danger_words(decision: Decision) -> str:
    """Return the dangers for which a same-day assessment is due, in words; empty without one."""
    seen = decision.seen
    return ", ".join(danger_name(seen, danger) for danger in same_day_dangers(seen))


def is_danger(decision: Decision) -> bool:
    """Return whether a danger was known at the visit, or needs an assessment on the same day."""
    dangerous = decision.facts.safety in (Safety.STOP, Safety.INTERRUPT)
    return dangerous or bool(same_day_dangers(decision.seen))


def decides(before: Decision | None, decision: Decision) -> bool:
    """Return whether a decision is the first, changes the dosage, asks, or meets a new danger."""
    return (
        before is None
        or decision.action not in ORDINARY
        or decision.visit.stopped is not None
        or bool(same_day_dangers(decision.seen))
        or decision.level != before.level
    )


def why(decision: Decision, before: Decision | None) -> str:
    """Return the cause of a decision in a few words, as a label and the title give it."""
    danger = danger_words(decision)
    if decision.visit.stopped is not None:
        return " ".join(decision.visit.stopped.split())
    if danger and decision.action in ORDINARY:
        return f"{_SAME_DAY}: {danger}"
    if before and decision.action is Action.CONTINUE and decision.level != before.level:
        return "the dosage that was taken"
    return cause(decision).replace("CLASI activity", "CLASI")


def labels_of(decisions: Sequence[Decision], *, brief: bool) -> Iterator[Label]:
    """Yield a label for each decision that is labelled; repeats of one are counted: "×4"."""
    run: list[Decision] = []
    before: Decision | None = None
    for previous, decision in pairwise((None, *decisions)):
        assert decision is not None
        repeats = bool(run) and decision is not None and _is_repeat(run[-1], previous, decision)
        if run and not repeats:
            yield _label(run, before, brief=brief)
            run = []
        if repeats or decides(previous, decision):
            if not run:
                before = previous
            run.append(decision)
    if run:
        yield _label(run, before, brief=brief)


def _is_repeat(last: Decision, previous: Decision | None, decision: Decision) -> bool:
    """Return whether a decision repeats the last labelled one, for no other danger."""
    return (
        last is previous
        and decision.action is last.action
        and decision.level == last.level
        and decides(previous, decision)
        and _dangers(decision) <= _dangers(last)
    )


def _dangers(decision: Decision) -> frozenset[str]:
    seen = decision.seen
    limits = limits_met(seen.protocol.safety, seen.findings)
    return frozenset(
        [limit.id for limit in limits if limit.shows is Safety.INTERRUPT or limit.same_day]
        + [ongoing.name for ongoing in seen.findings.ongoing if ongoing.is_danger]
    )


def _label(run: Sequence[Decision], before: Decision | None, *, brief: bool) -> Label:
    first = run[0]
    words = HEADLINES[first.action].words
    if first.visit.stopped is not None:
        words = "Treatment ended"
    elif first.dosage is not None and first.action not in QUESTIONS:
        words = f"{words} {brief_dosage(first.dosage) if brief else first.dosage}"
    times = f" ×{len(run)}" if len(run) > 1 else ""
    weight = 0
    if first.action is Action.DISCONTINUE or first.visit.stopped is not None:
        weight = 4
    elif any(map(is_danger, run)):
        weight = 3
    elif first.action in QUESTIONS:
        weight = 1
    elif first.action not in ORDINARY:
        weight = 2
    return Label(tuple(run), f"{words}{times}", why(first, before), weight)


def title_of(decisions: Sequence[Decision]) -> str:
    """Return what holds after the last visit, and the decision that it goes back to."""
    last = decisions[-1]
    reason, line = _reason(decisions)
    danger = danger_words(last)
    urgent = ""
    if danger:
        urgent = "Same-day assessment. " if danger == reason else f"Same-day assessment: {danger}. "
    return f"{urgent}{_standing(last)}. {line}"


def _standing(last: Decision) -> str:
    if last.action in QUESTIONS:
        if last.dosage is None:
            return f"{OPEN[0].upper()}{OPEN[1:]}"
        return f"{last.dosage}, unchanged {QUESTIONS[last.action]}"
    return f"Now {last.dosage or 'no drug'}"


def _reason(decisions: Sequence[Decision]) -> tuple[str, str]:
    """Return the cause of the last decision that changed something, and a line about it."""
    before_each = (None, *decisions)
    place = len(decisions) - 1
    while place and (
        not decides(before_each[place], decisions[place])
        or why(decisions[place], before_each[place]).startswith(_SAME_DAY)
    ):
        place -= 1
    decision = decisions[place]
    begin = place
    # A run of equal decisions is dated by its first, and gives the newest cause.
    while begin and _is_repeat(decisions[begin - 1], before_each[begin], decisions[begin]):
        begin -= 1
    words = (
        "Treatment ended" if decision.visit.stopped is not None else ACTIONS[decision.action].past
    )
    since = "since " if begin < place else ""
    reason = why(decision, before_each[place])
    line = f"{words} {since}{long_date(decisions[begin].visit.date)}"
    return reason, f"{line}: {reason}." if reason else f"{line}."
