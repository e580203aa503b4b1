"""The notices of a protocol that apply to a decision."""

from lenadose.engine.machine import Decision, same_day_dangers
from lenadose.engine.state import OngoingEvent
from lenadose.protocol.notices import Notice, Occasion
from lenadose.record.event_names import event_name
from lenadose.record.event_terms import PREGNANCY
from lenadose.terms.facts import TREATED, Action, Phase, Safety

PUBLISHED_RELAPSE = 2
"""The rise in points that a published definition calls a relapse."""


def notices_of(decision: Decision) -> tuple[Notice, ...]:
    """Return the notices that apply to a decision, in the order of the protocol."""
    occasions = {occasion for occasion in Occasion if _is_given(decision, occasion)}
    return tuple(notice for notice in decision.protocol.notices if notice.when in occasions)


def _is_before_first_capsule(decision: Decision) -> bool:
    """Return whether a course starts, or the prescriber decides on a start or a resumption."""
    after = decision.phase_after
    waits = after in (Phase.BEFORE_START, Phase.INTERRUPTED, Phase.OFF_TREATMENT)
    in_danger = decision.facts.safety in (Safety.STOP, Safety.INTERRUPT)
    asks = decision.action is Action.PRESCRIBER_DECIDES
    return decision.action is Action.START or (asks and waits and not in_danger)


def _is_given(decision: Decision, occasion: Occasion) -> bool:
    """Return whether an occasion is given at a decision."""
    seen, patient = decision.seen, decision.seen.patient
    match occasion:
        case Occasion.FIRST_CAPSULE:
            return _is_before_first_capsule(decision)
        case Occasion.LOW_PLATELETS:
            platelets = seen.findings.platelets
            caution = decision.protocol.safety.platelets.caution_below.value
            is_start = decision.action is Action.START
            return is_start and platelets is not None and platelets.amount < caution
        case Occasion.PANNICULITIS:
            subtype = event_name(patient.subtype or "")
            return "panniculitis" in subtype or "profundus" in subtype
        case Occasion.PREGNANCY_TESTS:
            asked = any(missing.field == "pregnancy_tests" for missing in decision.missing)
            return asked or (
                patient.able_to_become_pregnant is not False and decision.phase_after in TREATED
            )
        case Occasion.SMALL_RISE:
            return _rises_a_little(decision)
        case Occasion.TAPER:
            begins = seen.phase is Phase.TITRATION and decision.phase_after is Phase.TAPER
            return begins or decision.action is Action.FINISH
        case Occasion.PREGNANCY:
            return _is_newly_pregnant(decision)
        case Occasion.EXPOSURE:
            return _is_newly_pregnant(decision) and seen.baseline is not None
        case Occasion.PREGNANT_THOUGH_UNABLE:
            unable = patient.able_to_become_pregnant is False
            return unable and any(event.name == PREGNANCY for event in seen.findings.ongoing)
        # The type checker knows that this is the last.
        case Occasion.TAKEN_THOUGH_NONE_ADVISED:  # pragma: no branch
            taken, previous = seen.visit.dosage_taken, seen.before.previous
            # Where the prescriber was to decide on a resumption, a dosage is the answer.
            none = previous is not None and not (previous.advised or previous.handed_over)
            return none and taken is not None and taken.dosage is not None


def _rises_a_little(decision: Decision) -> bool:
    """Return whether the score rose, in the taper or after, by less than counts as worse here."""
    seen, nadir = decision.seen, decision.seen.treatment.nadir
    if seen.phase not in (Phase.TAPER, Phase.OFF_TREATMENT):
        return False
    if seen.visit.clasi_activity is None or nadir is None:
        return False
    rise = seen.visit.clasi_activity - nadir.activity
    return PUBLISHED_RELAPSE <= rise < decision.protocol.response.worse_points.value


def _is_newly_pregnant(decision: Decision) -> bool:
    dangers = same_day_dangers(decision.seen)
    return any(isinstance(danger, OngoingEvent) and danger.name == PREGNANCY for danger in dangers)
