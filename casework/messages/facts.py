"""The facts of a case, and what they share with its state."""

from casework.messages.admitted import Unparking
from casework.messages.base import Message


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


class Deadlines(Message, frozen=True, kw_only=True):
    """Limits of the current leg, elapsed time.

    Attributes:
        acknowledge_ms: From assignment to acknowledgement, milliseconds.
        inform_police_ms: From assignment to police informed, milliseconds.
        inform_provider_ms: From assignment to provider informed, milliseconds.
        confirm_removal_ms: From assignment to a final action, milliseconds.
        remind_ms: From a passed deadline until the secretariat is told, milliseconds.
    """

    acknowledge_ms: int
    inform_police_ms: int
    inform_provider_ms: int
    confirm_removal_ms: int
    remind_ms: int = 86_400_000


class ActionDetails(Message, frozen=True, kw_only=True):
    """What only some actions say beside the common fields.

    Attributes:
        observation: What an observation saw: online, offline, moved or geo_blocked.
        observed_from: Country from where it was observed; ISO 3166-1 alpha-2.
        new_hosting_country: Country the content is hosted in now; canonical.
        hosting_status: Whether that country is provisional or confirmed.
        hosting_method: How that country was found.
        to_member: Member id that a transfer names, or that a hold is asked on behalf of.
        until: Expiry that is asked for, of a hold or of a preservation; milliseconds since the epoch, UTC.
        fact_number: Number of the fact that the action corrects, confirms or answers.
        corrected_action: Action that a correction puts in place of the one it corrects; null when that never
            happened.
        has_police_reference: True when the sealed content carries a police reference.
        is_second_analyst: True when the action names a second analyst.
        priority: Priority of the case: low, normal or high.
        related_case_ids: Cases that belong together with this one.
    """

    observation: str | None = None
    observed_from: str | None = None
    new_hosting_country: str | None = None
    hosting_status: str | None = None
    hosting_method: str | None = None
    to_member: str | None = None
    until: int | None = None
    fact_number: int | None = None
    corrected_action: str | None = None
    has_police_reference: bool = False
    is_second_analyst: bool = False
    priority: str | None = None
    related_case_ids: tuple[str, ...] = ()


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
        step: Step that is overdue: acknowledge, inform_police, inform_provider, confirm_removal or rewrap.
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
        content_digest: Digest of the content of a report, or of a word on where it is hosted, as in its
            statement; null when the fact brings none.
        readers: Beginnings, 8 bytes each, of the ids of the keys that open the report's content, sorted; null
            when it is clear or the fact brings none.
        details: What only some actions say.
        members: Members that the fact concerns: offered the case, asked to confirm, or whose reports are left
            out.
        until: Expiry of what the fact begins: a hold, a lease, a preservation; milliseconds since the epoch,
            UTC.
        fact_ref: Number of the earlier fact that this one replaces, confirms or answers.
        attempt: How often an escalation was sent, from 1.
        site_type: Site type of the report that opened the round; routing may depend on it.
        content_type: Content type of the report that opened the round; routing may depend on it.
        hosting_status: Whether the hosting country is provisional or confirmed.
        erase_at: When the contents of a round that ends are to be erased; milliseconds since the epoch, UTC.
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
    content_digest: bytes | None = None
    readers: bytes | None = None
    details: ActionDetails | None = None
    members: tuple[str, ...] = ()
    until: int | None = None
    fact_ref: int | None = None
    attempt: int | None = None
    site_type: str | None = None
    content_type: str | None = None
    hosting_status: str | None = None
    erase_at: int | None = None
