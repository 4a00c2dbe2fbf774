"""What a case is made of: its origins, what waits, holds, leases and whatever else is open."""

from casework.messages.base import Message
from casework.messages.facts import ActionDetails


class KnownReport(Message, frozen=True, kw_only=True):
    """A report between the oldest and the latest that a case knows of its origin.

    Attributes:
        event_id: Event id, 16 bytes.
        at: When it was admitted; milliseconds since the epoch, UTC.
    """

    event_id: bytes
    at: int


class Origin(Message, frozen=True, kw_only=True):
    """What a case keeps of one origin hotline.

    Attributes:
        member: Member id of the origin.
        first_event_id: Event id of the oldest of its reports that the case knows.
        first_at: When that was admitted; milliseconds since the epoch, UTC.
        last_event_id: Event id of its latest report.
        last_at: When that was admitted; milliseconds since the epoch, UTC.
        count: Number of its reports.
        content_digest: Digest of the content of its latest report, as in its statement.
        between: Its newest reports between these two, oldest first, at most 14.
    """

    member: str
    first_event_id: str
    first_at: int
    last_event_id: str
    last_at: int
    count: int
    content_digest: bytes | None = None
    between: tuple[KnownReport, ...] = ()


class KeptRewrap(Message, frozen=True, kw_only=True):
    """A re-wrap of a stored content, which counts for what is told from its fact on.

    Attributes:
        number: Number of the fact that records it.
        by_origin: Whether the report's own origin sent it: its recipients stand before those stored.
        content: The sealed content as it came.
    """

    number: int
    by_origin: bool
    content: bytes


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


class Move(Message, frozen=True, kw_only=True):
    """A member's word by which the case came to its hosting country; the hotlines there are handed it.

    Attributes:
        hosting_country: Country it names.
        event_id: Event id of the action; its content is stored under it.
        by: Member that said it.
        action: Code of the action: moved, hosting_confirmed or observed.
        fact_number: Number of its fact.
    """

    hosting_country: str
    event_id: str
    by: str
    action: str
    fact_number: int


class Preservation(Message, frozen=True, kw_only=True):
    """Until when one member of police asks that a case is kept.

    Attributes:
        by: Member that asks.
        until: Until when; milliseconds since the epoch, UTC.
    """

    by: str
    until: int
