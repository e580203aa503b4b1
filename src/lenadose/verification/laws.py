"""The fifteen laws that hold for a protocol in every reachable state."""

from collections.abc import Callable

from attrs import frozen

from lenadose.protocol.protocol import Protocol
from lenadose.terms.dosage import format_decimal
from lenadose.verification.course_laws import (
    all_reachable,
    no_benefit_ends,
    some_way_off,
    taper_ends,
)
from lenadose.verification.explore import StateSpace
from lenadose.verification.situation_laws import (
    asks_exactly_when_it_matters,
    caution_monotone,
    danger_acted_on,
    each_decision,
    in_its_phase,
    known_before_more,
    no_drug_unassessed,
    on_ladder_within_limits,
    one_step,
    reduction_needs_response,
    response_monotone,
    rise_after_interval,
)
from lenadose.verification.violation import Checks


@frozen
class Law:
    """A law of the protocol sheet, and the function that checks it."""

    number: int
    name: str
    words: str
    check: Callable[[StateSpace], Checks]

    def words_for(self, protocol: Protocol) -> str:
        """Return the words of the law with the number that this protocol states."""
        highest = format_decimal(protocol.safety.highest_daily_dose.value)
        return self.words.replace(_HIGHEST, f"{_HIGHEST}, {highest} mg a day")


_HIGHEST = "the highest daily dose that the protocol states"

LAWS = (
    Law(
        1,
        "on-ladder",
        f"The dosage after any decision is on the ladder, at most the ceiling, at most {_HIGHEST}; "
        "an action that gives drug has a level to give.",
        on_ladder_within_limits,
    ),
    Law(
        2,
        "one-step",
        "On treatment a decision moves the level by at most one; stopping, withholding and "
        "coming down to a ceiling "
        "aside; to finish is one step below the lowest. Resumption is never above the level "
        "before.",
        each_decision(one_step),
    ),
    Law(
        3,
        "known-before-more",
        "Escalate needs a known response and known, acceptable safety; start and resume need "
        "safety known and free of "
        "danger.",
        each_decision(known_before_more),
    ),
    Law(
        4,
        "full-interval",
        "The dose rises for lack of response only, and only after the full interval at the "
        "level; sooner only back "
        "from a relapse in taper.",
        each_decision(rise_after_interval),
    ),
    Law(
        5,
        "danger-first",
        "On treatment a known stop fact discontinues and a known interrupt fact interrupts; "
        "off it neither lets "
        "treatment start.",
        each_decision(danger_acted_on),
    ),
    Law(
        6,
        "no-blind-supply",
        "With safety not assessed no dosage is recommended.",
        each_decision(no_drug_unassessed),
    ),
    Law(
        7,
        "caution-monotone",
        "All else equal, worse safety never means more drug; a missing fact never means more "
        "drug than the most that "
        "some completion of it gives.",
        caution_monotone,
    ),
    Law(
        8,
        "response-monotone",
        "All else equal, a better response never means more drug, save where lack of benefit "
        "ends treatment.",
        response_monotone,
    ),
    Law(
        9,
        "reduction-needs-response",
        "A reduction, the last one to no drug included, needs the response that the protocol "
        "names for it, or a "
        "ceiling below the dose.",
        reduction_needs_response,
    ),
    Law(
        10,
        "taper-ends",
        "Always complete and safe, seen when due, on the ladder, from titration or taper: off "
        "treatment within as many "
        "decisions as there are levels.",
        taper_ends,
    ),
    Law(
        11,
        "no-benefit-ends",
        "From a start, with safety OK and the ceiling unchanged, response none or worse at every "
        "due visit: discontinued or with the prescriber within a bounded number of visits; with "
        "acceptable safety none discontinues.",
        no_benefit_ends,
    ),
    Law(
        12,
        "some-way-off",
        "From every place some course of visits leads off treatment, without the patient's "
        "ending it.",
        some_way_off,
    ),
    Law(
        13,
        "asks-when-it-matters",
        "Data is requested exactly when some completion of the missing inputs would change the "
        "action; save that a "
        "known danger is acted on at once, a judgement leaves no score missing, and on "
        "treatment or interrupted "
        "unassessed safety is always asked about.",
        asks_exactly_when_it_matters,
    ),
    Law(
        14,
        "all-reachable",
        "Every row and every case is reachable; each carries its tag and its source.",
        all_reachable,
    ),
    Law(15, "in-its-phase", "An action occurs only in its phases.", each_decision(in_its_phase)),
)
"""The laws in order of their numbers."""
