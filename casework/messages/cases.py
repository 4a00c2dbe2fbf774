"""What the exchange keeps: admitted records, facts, the state of a case and its contents."""

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


class Parked(Message, frozen=True, kw_only=True):
    """Records of a case that wait because one could not be decided.

    Attributes:
        offsets: Offsets in cases.admitted that wait, in order, at most 256.
        more_from: Offset from which further records of the case wait unlisted; null when all are listed.
        count: Number of records that wait.
        since: When the case was parked; milliseconds since the epoch, UTC.
        error_class: bug: the program failed; temporary: something did not come in time.
        rule: Name of the error or code of the rule; never a value.
        attempts: How often deciding the first record has failed.
    """

    offsets: tuple[int, ...] = ()
    more_from: int | None = None
    count: int
    since: int
    error_class: str
    rule: str
    attempts: int


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


class Deadlines(Message, frozen=True, kw_only=True):
    """Limits of the current leg, elapsed time.

    Attributes:
        acknowledge_ms: From assignment to acknowledgement, milliseconds.
        inform_police_ms: From assignment to police informed, milliseconds.
        inform_provider_ms: From assignment to provider informed, milliseconds.
        confirm_removal_ms: From assignment to a final action, milliseconds.
    """

    acknowledge_ms: int
    inform_police_ms: int
    inform_provider_ms: int
    confirm_removal_ms: int


class Fact(Message, frozen=True, kw_only=True):
    """A decided fact of a case; the numbered facts are the truth from which any state is rebuilt.

    Attributes:
        case_id: Case id.
        url_key: Url key; decides the partition.
        number: Number of the fact in its case, from 1 without gap.
        fact: Kind of the fact, for example opened, linked or removed.
        round: Round of the case, from 1; of a waiting action the round it names, 0 when it names none.
        leg: Leg of the round, from 1; of a waiting action the leg it names, 0 when it names none.
        fact_id: Identifier of the fact, a UUIDv8 of SHA-256 over the input id, the kind and number of the
            fact, and the case id.
        input_id: Event id of the submission or wake-up that caused the fact.
        environment: Environment.
        by: Member id of the actor; 'exchange' for what follows from a rule.
        occurred_at: When it happened, as claimed and clamped to admitted_at; milliseconds since the epoch,
            UTC.
        admitted_at: Time of the decision, by the exchange's clock; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        breaches: Rules the fact breaks: despite_hold, late, not_responsible, out_of_order.
        clock_skew: True when a claimed time lay ahead and was clamped.
        directory_version: Directory version the decision was made with.
        rules_version: Version of the rules.
        hosting_country: Hosting country after this fact; of a linked report, as its origin sees it.
        assigned_country: Country whose hotlines the case is assigned to.
        assigned_hotline: Member id of the responsible hotline; null when the case waits at the orphan desk.
        origin: Member id of the origin hotline of the report concerned.
        report_event_id: Event id of the report concerned.
        outcome: Final action that closed the round: removed, unavailable or not_illegal.
        step: Step that is overdue: acknowledge, inform_police, inform_provider or confirm_removal.
        due_at: Due time of a timer that caused this; milliseconds since the epoch, UTC.
        reason_code: Reason code of the action, by ICCAM's list.
        recipient_role: Role of the provider informed: host, site_owner, registrar or upstream.
        reference: Reference in the acting member's own system.
        is_online: Whether the content was seen online, for an observation.
        observed_at: When the content was last seen online; milliseconds since the epoch, UTC.
        classification: Assessment after this fact.
        law_country: Country whose law was applied in the assessment.
        received_at: When the public reported to the hotline; milliseconds since the epoch, UTC.
        content_topic: Content topic of the report that opened the round; routing may depend on it.
        recipient: Queue at which an orphaned case waits, or code of the escalation topic of an escalation.
        action: Action of a submission that waits, was refused or was not applicable.
        named_case_id: Case id that a waiting action names.
        rule: Rule by which a submission was refused or not applicable.
        deadlines: Limits of the leg that begins; null where no takedown clock runs.
        input_digest: SHA-256 of the submission's statement.
        input_position: Topic, partition and offset of the submission, as topic/partition/offset.
        source_topic: Topic of the admitted record that the decision was made on.
        source_partition: Partition of that record.
        source_offset: Offset of that record.
        statement: The statement untouched, where a submission caused the fact.
        signature: Its signature.
        key_id: Key id of the signature.
        parked: Of the fact parked: what waits after it.
        unparking: Of a fact that an unpark caused: what the operator wanted.
    """

    case_id: str
    url_key: bytes
    number: int
    fact: str
    round: int
    leg: int
    fact_id: str
    input_id: str
    environment: str
    by: str
    occurred_at: int
    admitted_at: int
    submitted_at: int
    breaches: tuple[str, ...] = ()
    clock_skew: bool = False
    directory_version: int
    rules_version: int
    hosting_country: str | None = None
    assigned_country: str | None = None
    assigned_hotline: str | None = None
    origin: str | None = None
    report_event_id: str | None = None
    outcome: str | None = None
    step: str | None = None
    due_at: int | None = None
    reason_code: str | None = None
    recipient_role: str | None = None
    reference: str | None = None
    is_online: bool | None = None
    observed_at: int | None = None
    classification: str | None = None
    law_country: str | None = None
    received_at: int | None = None
    content_topic: str | None = None
    recipient: str | None = None
    action: str | None = None
    named_case_id: str | None = None
    rule: str | None = None
    deadlines: Deadlines | None = None
    input_digest: bytes | None = None
    input_position: str | None = None
    source_topic: str
    source_partition: int
    source_offset: int
    statement: bytes | None = None
    signature: bytes | None = None
    key_id: str | None = None
    parked: Parked | None = None
    unparking: Unparking | None = None


class Origin(Message, frozen=True, kw_only=True):
    """What a case keeps of one origin hotline.

    Attributes:
        member: Member id of the origin.
        first_event_id: Event id of its first report in this case.
        first_at: When that was admitted; milliseconds since the epoch, UTC.
        last_event_id: Event id of its latest report.
        last_at: When that was admitted; milliseconds since the epoch, UTC.
        count: Number of its reports.
    """

    member: str
    first_event_id: str
    first_at: int
    last_event_id: str
    last_at: int
    count: int


class Seen(Message, frozen=True, kw_only=True):
    """A submission the case has taken, kept to recognise copies.

    Attributes:
        event_id: Event id, 16 bytes.
        digest: First 8 bytes of the statement's SHA-256.
        position: First 4 bytes of SHA-256 of the submission's position.
        sender: First 2 bytes of SHA-256 of the sender's member id.
    """

    event_id: bytes
    digest: bytes
    position: bytes
    sender: bytes


class DeliveryCount(Message, frozen=True, kw_only=True):
    """How many deliveries a recipient has had of a case.

    Attributes:
        recipient: Member id of the recipient.
        number: Number of the last delivery.
    """

    recipient: str
    number: int


class Waiting(Message, frozen=True, kw_only=True):
    """An action that came before the report it is about.

    Attributes:
        event_id: Event id of the action.
        sender: Member id of its sender.
        due_at: When it is refused if its report has not come; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        clock_skew: True when a claimed time lay ahead and was clamped.
        action: Code of the action, for example acknowledged or removed.
        case_id: Case the action is about; this or report_event_id is given.
        report_event_id: Event id of the sender's own report, in place of the case id.
        round: Round of the case the sender means; null for the current one.
        leg: Leg of the case the sender means; null for the current one.
        occurred_at: When it happened, as claimed and clamped to admitted_at; milliseconds since the epoch,
            UTC.
        reference: Reference of the case in the sender's own system.
        reason_code: Reason code, by ICCAM's list; required where the table of transitions says so.
        recipient_role: Role of the provider informed: host, site_owner, registrar or upstream.
        is_online: Whether the content was seen online, for an observation.
        observed_at: When the content was observed; milliseconds since the epoch, UTC.
        classification: Assessment: unassessed, baseline, national, doubtful or not_illegal.
        law_country: Country whose law was applied in the assessment; ISO 3166-1 alpha-2.
        input_digest: SHA-256 of the submission's statement.
        input_position: Topic, partition and offset of the submission, as topic/partition/offset.
        statement: The statement untouched.
        signature: Its signature.
        key_id: Key id of the signature.
    """

    event_id: str
    sender: str
    due_at: int
    submitted_at: int
    clock_skew: bool = False
    action: str
    case_id: str | None = None
    report_event_id: str | None = None
    round: int | None = None
    leg: int | None = None
    occurred_at: int
    reference: str | None = None
    reason_code: str | None = None
    recipient_role: str | None = None
    is_online: bool | None = None
    observed_at: int | None = None
    classification: str | None = None
    law_country: str | None = None
    input_digest: bytes
    input_position: str
    statement: bytes
    signature: bytes | None = None
    key_id: str | None = None


class Case(Message, frozen=True, kw_only=True):
    """Newest state of a case: small, without content; the changelog of casekeeper's state.

    Attributes:
        url_key: Url key.
        case_id: Case id.
        source_offset: Offset in cases.admitted of the newest record applied.
        environment: Environment.
        number: Number of the last fact.
        state: State by the table of transitions.
        round: Round, from 1; 0 while only actions wait.
        leg: Leg of the round, from 1; 0 while only actions wait.
        hosting_country: Hosting country.
        assigned_country: Country whose hotlines the case is assigned to.
        assigned_hotline: Responsible hotline; null at the orphan desk.
        received_at: Start of the clock of the case; milliseconds since the epoch, UTC.
        opened_at: When the round was opened; milliseconds since the epoch, UTC.
        leg_started_at: When the leg was assigned; milliseconds since the epoch, UTC.
        last_now: Time of the last decision; milliseconds since the epoch, UTC.
        acknowledged_at: In this leg; milliseconds since the epoch, UTC.
        assessed_at: In this round; milliseconds since the epoch, UTC.
        police_informed_at: In this leg; milliseconds since the epoch, UTC.
        provider_informed_at: First to a host in this leg; milliseconds since the epoch, UTC.
        closed_at: When the round was closed; milliseconds since the epoch, UTC.
        outcome: Final action that closed the round.
        last_observed_at: When the content was last seen online; milliseconds since the epoch, UTC.
        classification: Newest valid assessment.
        classified_by: Member that made it.
        law_country: Country whose law was applied.
        reference: Reference of the responsible hotline.
        desk: Queue at which the case waits; null when a hotline is responsible or police alone were told.
        content_topic: Content topic of the report that opened the round.
        done: Actions already taken in this leg; with the recipient role after a colon for
            provider_informed.
        overdue: Steps of this leg whose deadline has fired.
        deadlines: Limits of the current leg; null where no takedown clock runs.
        origins: Origin hotlines, at most one entry each.
        former: Members responsible in earlier legs.
        liaisons: Codes of the liaisons that had an escalation of this case.
        escalated: Reason codes escalated in this round.
        deliveries: Delivery numbers, one entry for each recipient.
        earlier_deliveries: Delivery numbers from before the case was a stub, 6 bytes for each recipient: 4 of
            the SHA-256 of its name and the number; null when there were none.
        seen: Newest submissions taken, at most 32 for each sender and 512 in all.
        waiting: Actions that came before the report they are about, at most 16.
        directory_version: Directory version of the last decision.
        rules_version: Version of the rules of the last decision.
        parked: What waits while the case is parked; null when it is not.
    """

    url_key: bytes
    case_id: str
    source_offset: int
    environment: str
    number: int
    state: str
    round: int
    leg: int
    hosting_country: str
    assigned_country: str | None = None
    assigned_hotline: str | None = None
    received_at: int
    opened_at: int
    leg_started_at: int
    last_now: int
    acknowledged_at: int | None = None
    assessed_at: int | None = None
    police_informed_at: int | None = None
    provider_informed_at: int | None = None
    closed_at: int | None = None
    outcome: str | None = None
    last_observed_at: int | None = None
    classification: str | None = None
    classified_by: str | None = None
    law_country: str | None = None
    reference: str | None = None
    desk: str | None = None
    content_topic: str | None = None
    done: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    deadlines: Deadlines | None = None
    origins: tuple[Origin, ...] = ()
    former: tuple[str, ...] = ()
    liaisons: tuple[str, ...] = ()
    escalated: tuple[str, ...] = ()
    deliveries: tuple[DeliveryCount, ...] = ()
    earlier_deliveries: bytes | None = None
    seen: tuple[Seen, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    directory_version: int
    rules_version: int
    parked: Parked | None = None


class CaseStub(Message, frozen=True, kw_only=True):
    """What is left of a case that has been closed for long; stands in place of its CaseStatus.

    Attributes:
        url_key: Url key.
        case_id: Case id, its 16 bytes.
        source_offset: Offset in cases.admitted of the newest record applied.
        environment: Environment.
        number: Number of the last fact.
        round: Round, from 1.
        leg: Leg of the round, from 1.
        hosting_country: Hosting country.
        assigned_hotline: Hotline that was responsible last; null when there was none.
        last_now: Time of the last decision; milliseconds since the epoch, UTC.
        earlier_deliveries: Delivery numbers, 6 bytes for each recipient: 4 of the SHA-256 of its name and the
            number; null when there were none.
        directory_version: Directory version of the last decision.
        rules_version: Version of the rules of the last decision.
    """

    url_key: bytes
    case_id: bytes
    source_offset: int
    environment: str
    number: int
    round: int
    leg: int
    hosting_country: str
    assigned_hotline: str | None = None
    last_now: int
    earlier_deliveries: bytes | None = None
    directory_version: int
    rules_version: int


class CaseContent(Message, frozen=True, kw_only=True):
    """A report's submission kept by casekeeper to hand it on; erased by a tombstone.

    Attributes:
        report_event_id: Event id of the report; the record's key.
        case_id: Case id.
        url_key: Url key; decides the partition.
        sender: Member id of the origin.
        stored_at: Time of the decision; milliseconds since the epoch, UTC.
        submission: The framed Submission.
    """

    report_event_id: str
    case_id: str
    url_key: bytes
    sender: str
    stored_at: int
    submission: bytes
