"""What the exchange keeps of a case: its newest state, the stub of an old one, and contents to hand on."""

from casework.messages.base import Message
from casework.messages.case_parts import (
    Asked,
    DeliveryCount,
    Hold,
    HoldRequest,
    HostDoubt,
    KeptRewrap,
    Lease,
    Move,
    OpenEscalation,
    Origin,
    Preservation,
    Seen,
    Stated,
    Waiting,
)
from casework.messages.facts import Deadlines, Parked


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
        move: The newest word that names a hosting country and came with content; null when there is none.
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
    move: Move | None = None


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
        rewraps: Re-wraps that may have to be told apart from what was stored before, in the order of their
            facts; the others are part of the submission.
        source_offset: Offset in cases.admitted of the newest record that changed it: which of two is newer.
    """

    report_event_id: str
    case_id: str
    url_key: bytes
    sender: str
    stored_at: int
    submission: bytes
    rewraps: tuple[KeptRewrap, ...] = ()
    source_offset: int = 0
