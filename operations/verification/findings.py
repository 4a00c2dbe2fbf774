"""What verification can find, by name. A name says what is wrong, so that alerts and tests can rely on it."""

from collections import Counter
from typing import Final, Literal

import msgspec

Rule = Literal[
    "admission_altered",
    "admission_missing",
    "admission_unknown",
    "content_altered",
    "content_left",
    "content_missing",
    "content_unknown",
    "dead_letter_altered",
    "dead_letter_missing",
    "delivery_order",
    "effect_altered",
    "effect_conflict",
    "effect_misplaced",
    "effect_missing",
    "effect_unknown",
    "fact_altered",
    "fact_conflict",
    "fact_gap",
    "fact_misplaced",
    "fact_missing",
    "fact_order",
    "fact_unfit",
    "fact_unknown",
    "source_backwards",
    "source_missing",
    "state_altered",
    "state_differs",
    "state_missing",
    "state_not_newest",
    "state_unknown",
    "unreadable",
]

MEANINGS: Final[dict[Rule, str]] = {
    "admission_altered": "the admitted record of a submission has other bytes than intake would write",
    "admission_missing": "a submission that intake admits is not in cases.admitted",
    "admission_unknown": "an admitted record names a submission that is not there or that intake refuses",
    "content_altered": "a stored content is not what was submitted",
    "content_left": "a content is still stored although its case has become a stub",
    "content_missing": "a content that was to be stored is not there",
    "content_unknown": "a stored content belongs to no report",
    "dead_letter_altered": "a dead letter does not hold the bytes of the record it names",
    "dead_letter_missing": "a record that can neither be admitted nor decided was not set aside",
    "delivery_order": "deliveries of a case to a recipient first appear out of their order",
    "effect_altered": "a message has other bytes than the rules make",
    "effect_conflict": "one id stands over different bytes",
    "effect_misplaced": "a message lies in a topic, or under a key, where it does not belong",
    "effect_missing": "a message that the rules make is not there",
    "effect_unknown": "a message is there that nothing explains",
    "fact_altered": "a fact has other bytes than the rules decide",
    "fact_conflict": "one number of a case stands over different facts",
    "fact_gap": "a number is missing among the facts of a case",
    "fact_misplaced": "a fact lies in a partition or under a key that is not its case's",
    "fact_missing": "a fact that the rules decide is not there",
    "fact_order": "facts of a case first appear out of the order of their numbers",
    "fact_unfit": "a fact cannot follow the state before it",
    "fact_unknown": "a fact is there that no admitted record explains",
    "source_backwards": "facts of a case first appear behind those of a later admitted record",
    "source_missing": "the submission that a dead letter was made of is not there",
    "state_altered": "a state that was written is not the state after its admitted record",
    "state_differs": "the newest state is not the one that the facts make",
    "state_missing": "a case has facts and no state",
    "state_not_newest": "an older state lies behind the newest one, so compaction would keep the older",
    "state_unknown": "a state is there that no fact explains",
    "unreadable": "a record of the exchange's own cannot be read",
}

Unchecked = Literal[
    "admitted_record_deleted",
    "another_rules_version",
    "answer_of_undecided",
    "before_the_snapshot",
    "content_erased",
    "dead_letter_admissible",
    "directory_version_gone",
    "in_flight",
    "parked",
    "submission_deleted",
]

REASONS: Final[dict[Unchecked, str]] = {
    "admitted_record_deleted": "facts whose admitted record retention has deleted: folded, not decided again",
    "another_rules_version": "records admitted under another version of the rules: their facts were folded",
    "answer_of_undecided": "receipts of records that were not decided again",
    "before_the_snapshot": "messages of what happened before the snapshot",
    "content_erased": "messages made after their content was erased, or contents that were",
    "dead_letter_admissible": "submissions set aside that would be answered today: replay their dead letters",
    "directory_version_gone": "records whose directory version cannot be read: their facts were folded",
    "in_flight": "records that casekeeper has not committed yet",
    "parked": "records that were parked or unparked: their facts were folded, not decided again",
    "submission_deleted": "admitted records and receipts of submissions that retention has deleted",
}


class Finding(msgspec.Struct, frozen=True, order=True):
    """Something that is not as it must be.

    Attributes:
        rule: What is wrong; `MEANINGS` has the words.
        case_id: The case, or empty where none is known.
        id: Id of the message, number of the fact, or place of the record as topic/partition/offset.
        text: What is missing or differs; never a value of a submission.
    """

    rule: Rule
    case_id: str
    id: str
    text: str


class Tally:
    """What verification found and counted.

    Attributes:
        findings: What is wrong, each once.
        unchecked: What could not be decided again, counted by reason.
        counts: What was read and compared, by kind.
    """

    def __init__(self) -> None:
        self.findings: set[Finding] = set()
        self.unchecked: Counter[Unchecked] = Counter()
        self.counts: Counter[str] = Counter()

    def find(self, rule: Rule, case_id: str, what: str, text: str) -> None:
        """Note a finding."""
        self.findings.add(Finding(rule, case_id, what, text))
