"""The notices of a protocol: they change no action, and are printed where they apply."""

from attrs import field, frozen

from lenadose.terms.facts import Term
from lenadose.terms.validation import is_identifier, is_single_line


class Occasion(Term):
    """When a notice applies to a decision.

    Before the first capsule of a course: at every start and restart, and where the prescriber
    decides on one or on a resumption.
    """

    FIRST_CAPSULE = "before the first capsule"
    LOW_PLATELETS = "at a start with platelets that call for caution"
    PANNICULITIS = "where the subtype is panniculitis"
    PREGNANCY_TESTS = "where pregnancy tests are required"
    SMALL_RISE = "at a rise above the lowest that is not yet worse"
    TAPER = "at the beginning and the end of a taper"
    PREGNANCY = "at a new pregnancy or positive test"
    EXPOSURE = "at a new pregnancy or positive test after a start"
    PREGNANT_THOUGH_UNABLE = "where a pregnancy contradicts the record"
    TAKEN_THOUGH_NONE_ADVISED = "where a dosage was taken and none advised"


class Confidence(Term):
    """How sure a fact is: seen in the primary document, elsewhere, remembered, or worked out."""

    READ = "read"
    RESTATED = "restated"
    MEMORY = "memory"
    DERIVED = "derived"


@frozen
class Notice:
    """A fact for the reader of a decision, with its source and how sure it is."""

    id: str = field(validator=is_identifier)
    when: Occasion
    words: str = field(validator=is_single_line)
    source: str = field(validator=is_single_line)
    confidence: Confidence
