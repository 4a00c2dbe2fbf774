"""What the exchange keeps of a case: its newest state, the stub of an old one, and contents to hand on."""

from casework.messages.base import Message
from casework.messages.facts import ActionDetails, Deadlines, Parked


class Origin(Message, frozen=True, kw_only=True):
    """What a case keeps of one origin hotline.

    Attributes:
        member: Member id of the origin.
        first_event_id: Event id of its first report in this case.
        first_at: When that was admitted; milliseconds since the epoch, UTC.
        last_event_id: Event id of its latest report.
        last_at: When that was admitted; milliseconds since the epoch, UTC.
        count: Number of its reports.
        content_digest: Digest of the content of its latest report, as in its statement.
    """

    member: str
    first_event_id: str
    first_at: int
    last_event_id: str
    last_at: int
    count: int
    content_digest: bytes | None = None


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
        details: What only some actions say.
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
    details: ActionDetails | None = None


class Hold(Message, frozen=True, kw_only=True):
    """Police ask that the provider is not told yet.

    Attributes:
        until: When it expires; milliseconds since the epoch, UTC.
        since: When it was set; milliseconds since the epoch, UTC.
        by: Member that set it: the hosting country's liaison, or the responsible hotline on its behalf.
        liaison: Member id of the liaison of the hosting country.
        asked_by: Member whose request it grants.
        warned: How many warnings before its expiry were sent.
        fact_number: Number of the fact that set it or renewed it last.
        askers: Members whose earlier requests it grants too, at most 7, the newest.
    """

    until: int
    since: int
    by: str
    liaison: str
    asked_by: str | None = None
    warned: int
    fact_number: int
    askers: tuple[str, ...] = ()


class HoldRequest(Message, frozen=True, kw_only=True):
    """A hold that waits for the consent of the hosting country's liaison.

    Attributes:
        by: Member that asks.
        until: Expiry it asks for; milliseconds since the epoch, UTC.
        liaison: Member id of the liaison that is to consent.
        asked_at: When it was asked; milliseconds since the epoch, UTC.
        fact_number: Number of the fact of the request.
    """

    by: str
    until: int
    liaison: str
    asked_at: int
    fact_number: int


class Lease(Message, frozen=True, kw_only=True):
    """A claim that ends unless its hotline acts.

    Attributes:
        until: When it ends; milliseconds since the epoch, UTC.
        queue: Where the case returns to: desk-orphans, or offered for the hotlines of its country.
    """

    until: int
    queue: str


class HostDoubt(Message, frozen=True, kw_only=True):
    """A newer word on the hosting country that the responsible hotline has not answered.

    Attributes:
        hosting_country: Country it names; canonical.
        by: Member that says so.
        report_event_id: Event id of the report that says so; null for an observation.
        observed_at: When the host was observed; milliseconds since the epoch, UTC.
        due_at: Until when the responsible hotline may answer; milliseconds since the epoch, UTC.
        fact_number: Number of the fact that raised it.
    """

    hosting_country: str
    by: str
    report_event_id: str | None = None
    observed_at: int
    due_at: int
    fact_number: int


class OpenEscalation(Message, frozen=True, kw_only=True):
    """An escalation that no liaison has acknowledged.

    Attributes:
        recipient: Code of the escalation topic it went to last.
        reason_code: Why.
        report_event_id: Event id of the report.
        origin: Origin of that report.
        due_at: When it is repeated to the next contact; milliseconds since the epoch, UTC.
        attempt: How often it was sent, from 1.
    """

    recipient: str
    reason_code: str
    report_event_id: str
    origin: str
    due_at: int
    attempt: int


class Asked(Message, frozen=True, kw_only=True):
    """Members that have not confirmed what they were asked for.

    Attributes:
        fact_number: Number of the fact they were told: a correction or an erasure.
        kind: correction or erasure.
        members: Members that have not confirmed.
        due_at: Until when they should; milliseconds since the epoch, UTC.
    """

    fact_number: int
    kind: str
    members: tuple[str, ...] = ()
    due_at: int


class Stated(Message, frozen=True, kw_only=True):
    """What a member stated of a case and may correct.

    Attributes:
        number: Number of the fact, or of the correction that stands in its place.
        fact: Kind of the fact, for example removed, or opened for a report that came with an assessment.
        by: Member that stated it.
        at: When the fact was admitted; milliseconds since the epoch, UTC.
        round: Round it belongs to.
        leg: Leg it belongs to.
        counts: True when it changed the case, false when a rule kept it from that.
        recipient_role: Role of the provider informed.
        classification: Assessment it made.
        law_country: Country whose law was applied in it.
    """

    number: int
    fact: str
    by: str
    at: int
    round: int
    leg: int
    counts: bool = True
    recipient_role: str | None = None
    classification: str | None = None
    law_country: str | None = None


class Preservation(Message, frozen=True, kw_only=True):
    """Until when one member of police asks that a case is kept.

    Attributes:
        by: Member that asks.
        until: Until when; milliseconds since the epoch, UTC.
    """

    by: str
    until: int


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
        readers: Beginnings, 8 bytes each, of the ids of the keys that open at least one content of this
            round, sorted; null when one is clear.
        rewrap_due_at: Until when the content is to be re-wrapped for those responsible; milliseconds since
            the epoch, UTC; null when they can open one.
        site_type: Site type of the report that opened the round.
        content_type: Content type of the report that opened the round.
        hosting_status: Whether the hosting country is provisional or confirmed.
        moves: How often the content moved in this round.
        chain: Hosting countries of the round in their order, at most 32.
        pool: Hotlines the case is offered to; empty unless its state is offered.
        unclaimed_due_at: Until when an offered or orphaned case may lie unclaimed; milliseconds since the
            epoch, UTC.
        lease: Claim by which the responsible hotline has the case; null when it has it for good.
        declined: Members that gave the case back in this round; no rule assigns it to them again.
        doubt: Disagreement about the host that waits for an answer.
        hold: Hold in force.
        hold_requests: Holds that wait for consent, at most 8.
        paused_ms: How long ended holds paused the clock of this leg, milliseconds.
        open_escalations: Escalations nobody has acknowledged, at most 16.
        told: Stages of overdue steps that were told beyond the responsible hotline, as step and stage.
        asked: Confirmations that are waited for, at most 16.
        references: Members that attached a police reference and have not closed it.
        preserve_until: Until when police ask that everything is kept; milliseconds since the epoch, UTC.
        priority: Priority: low, normal or high; null when nobody set it.
        related: Case ids that belong together with this one, at most 16.
        erase_at: When the contents are to be erased; milliseconds since the epoch, UTC; null while open and
            once erased.
        closed_in: Number of the fact that closed the round.
        stated: What members stated and may correct, at most 32.
        preservations: Who of police asks that everything is kept, and until when; preserve_until is the
            latest.
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
    readers: bytes | None = None
    rewrap_due_at: int | None = None
    site_type: str | None = None
    content_type: str | None = None
    hosting_status: str | None = None
    moves: int = 0
    chain: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    unclaimed_due_at: int | None = None
    lease: Lease | None = None
    declined: tuple[str, ...] = ()
    doubt: HostDoubt | None = None
    hold: Hold | None = None
    hold_requests: tuple[HoldRequest, ...] = ()
    paused_ms: int = 0
    open_escalations: tuple[OpenEscalation, ...] = ()
    told: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    references: tuple[str, ...] = ()
    preserve_until: int | None = None
    priority: str | None = None
    related: tuple[str, ...] = ()
    erase_at: int | None = None
    closed_in: int | None = None
    stated: tuple[Stated, ...] = ()
    preservations: tuple[Preservation, ...] = ()


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
