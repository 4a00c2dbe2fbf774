"""What intake, deadlines and operators put before casekeeper: one admitted record each."""

from casework.messages.base import Message


class Unparking(Message, frozen=True, kw_only=True):
    """What an operator wants with a parked case.

    Attributes:
        operator: Who wants it.
        reason: Why, in the operator's words; never an address.
        skip: True to set the first waiting record aside undecided.
    """

    operator: str
    reason: str
    skip: bool = False


class Admitted(Message, frozen=True, kw_only=True):
    """What casekeeper decides: a checked submission with its stamps, a wake-up, or an operator's unpark.

    Attributes:
        url_key: Url key; decides the partition.
        kind: Kind of what is admitted.
        event_id: Event id of the submission, or of the wake-up.
        environment: Environment of the exchange.
        sender: Member id of the sender; empty for a wake-up.
        hosting_country: Hosting country of the submission; empty for a wake-up.
        admitted_at: When intake admitted it, by the exchange's clock; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        directory_version: Directory version the decision is made with.
        rules_version: Version of the rules the decision is made with.
        clock_skew: True when a claimed time lay up to 14 h ahead and was clamped to admitted_at.
        is_misplaced: True when the report came in a slot of another country.
        source_topic: Topic of the record that caused this one.
        source_partition: Partition of that record.
        source_offset: Offset of that record.
        due_at: For a wake-up: the due time of the timer; milliseconds since the epoch, UTC.
        step: For a wake-up: what is due.
        submission: The framed Submission, untouched; null for a wake-up and for an unpark.
        unparking: For an unpark: what the operator wants.
    """

    url_key: bytes
    kind: str
    event_id: str
    environment: str
    sender: str
    hosting_country: str
    admitted_at: int
    submitted_at: int
    directory_version: int
    rules_version: int
    clock_skew: bool = False
    is_misplaced: bool = False
    source_topic: str
    source_partition: int
    source_offset: int
    due_at: int | None = None
    step: str | None = None
    submission: bytes | None = None
    unparking: Unparking | None = None
