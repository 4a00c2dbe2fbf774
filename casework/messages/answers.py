"""What the exchange sends: deliveries, receipts and escalations."""

from casework.messages.base import Message
from casework.messages.facts import ActionDetails


class Delivery(Message, frozen=True, kw_only=True):
    """What a member learns of a case, numbered for each case and recipient.

    Attributes:
        case_id: Case id.
        url_key: Url key.
        recipient: Member id of the recipient.
        number: Delivery number of this case and recipient, from 1: lower is a duplicate, a gap waits.
        kind: assignment: you are responsible; linked_report: a further report of your case; rewrap_request:
            re-wrap this report's content for those responsible; rewrapped_report: you can open this report's
            content now; offer: you may claim this case; hold_request: consent to a hold, or refuse it;
            erasure_request: erase what you hold of this case, and confirm; feed_item: a case of your feed;
            digest_item: a provider that is overdue; update: a fact.
        delivery_id: Identifier, a UUIDv8 of SHA-256 over the input id, the kind of effect and the
            recipient.
        environment: Environment.
        is_urgent: True when it travels in the urgent inbox.
        round: Round of the case.
        leg: Leg of the round.
        state: State of the case after this.
        is_repeat: True when the URL was met before; informs only.
        fact: Kind of the fact that caused the delivery.
        fact_number: Number of that fact.
        by: Member id of the actor, or 'exchange'.
        occurred_at: When it happened; milliseconds since the epoch, UTC.
        admitted_at: Time of the decision; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        received_at: When the public reported to the hotline; milliseconds since the epoch, UTC.
        breaches: Rules the fact breaks.
        hosting_country: Hosting country after this fact.
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
        statement: The member's statement untouched.
        signature: Its signature.
        key_id: Key id of the signature.
        content: Content as submitted; only for those entitled.
        details: What only some actions say; null where the recipient may not know it.
        until: Expiry of what the fact begins; milliseconds since the epoch, UTC.
        fact_ref: Number of the earlier fact that this one replaces, confirms or answers, or that is told
            again in it.
        chain: Hosting countries of the round in their order, once the content has moved.
        hosting_status: Whether the hosting country is provisional or confirmed.
        needs_confirmation: True when the recipient is asked to confirm by the action confirmed with this fact
            number.
        priority: Priority of the case: low, normal or high.
        credentials: Encrypted credentials as submitted, as long as the exchange has them; only for those
            entitled.
    """

    case_id: str
    url_key: bytes
    recipient: str
    number: int
    kind: str
    delivery_id: str
    environment: str
    is_urgent: bool = False
    round: int
    leg: int
    state: str
    is_repeat: bool = False
    fact: str
    fact_number: int
    by: str
    occurred_at: int
    admitted_at: int
    submitted_at: int
    received_at: int | None = None
    breaches: tuple[str, ...] = ()
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
    statement: bytes | None = None
    signature: bytes | None = None
    key_id: str | None = None
    content: bytes | None = None
    details: ActionDetails | None = None
    until: int | None = None
    fact_ref: int | None = None
    chain: tuple[str, ...] = ()
    hosting_status: str | None = None
    needs_confirmation: bool = False
    priority: str | None = None
    credentials: bytes | None = None


class Receipt(Message, frozen=True, kw_only=True):
    """The exchange's answer to a sender.

    Attributes:
        event_id: Event id of the submission answered.
        recipient: Member id of the sender answered.
        outcome: accepted, duplicate, refused or not_applicable.
        receipt_id: Identifier, a UUIDv8 of SHA-256 over the event id, the kind of receipt and the
            recipient.
        environment: Environment.
        rule: Rule that was broken.
        field: Field that broke it.
        message: One sentence naming field and rule; never the value of a sensitive field.
        breaches: Breaches with which an accepted fact was recorded.
        case_id: Case the submission became part of.
        url_key: Url key of the submission.
        fact_number: Number of the first fact the submission caused.
        round: Round of the case.
        leg: Leg of the round.
        state: State of the case after the submission.
        outcome_of_case: Final action of a closed case that answers the report.
        hosting_country: Hosting country of the case.
        assigned_country: Country the case is assigned to.
        assigned_hotline: Responsible hotline.
        police_contact: Police contact of the country, where the exchange is not the way.
        admitted_at: Time of the answer, by the exchange's clock; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        directory_version: Directory version of the answer.
    """

    event_id: str
    recipient: str
    outcome: str
    receipt_id: str
    environment: str
    rule: str | None = None
    field: str | None = None
    message: str | None = None
    breaches: tuple[str, ...] = ()
    case_id: str | None = None
    url_key: bytes | None = None
    fact_number: int | None = None
    round: int | None = None
    leg: int | None = None
    state: str | None = None
    outcome_of_case: str | None = None
    hosting_country: str | None = None
    assigned_country: str | None = None
    assigned_hotline: str | None = None
    police_contact: str | None = None
    admitted_at: int
    submitted_at: int
    directory_version: int = 0


class Escalation(Message, frozen=True, kw_only=True):
    """A message to a police liaison with a reason code.

    Attributes:
        escalation_id: Identifier, a UUIDv8 of SHA-256 over the input id, the kind of effect and the
            recipient.
        recipient: Code of the escalation topic: a country, interpol or europol.
        reason_code: Why: possible_new_victim, abuse_in_progress, tor, unknown_host, no_hotline or unreadable.
        is_urgent: True for the urgency codes.
        environment: Environment.
        event_id: Event id of the submission that caused it.
        case_id: Exchange case; null when intake sent it before the case existed.
        url_key: Url key.
        hosting_country: Hosting country.
        origin: Member id of the origin hotline.
        assigned_hotline: Responsible hotline, where there is one.
        admitted_at: By the exchange's clock; milliseconds since the epoch, UTC.
        submitted_at: Log-append time of the submission, real time; milliseconds since the epoch, UTC.
        statement: The origin's statement untouched.
        signature: Its signature.
        key_id: Key id of the signature.
        content: Content as submitted.
        attempt: How often it was sent, from 1; later ones go to the next contact.
        due_at: When it goes to the next contact unless it is acknowledged; milliseconds since the epoch, UTC.
        credentials: Encrypted credentials as submitted, as long as the exchange has them; only for those
            entitled.
    """

    escalation_id: str
    recipient: str
    reason_code: str
    is_urgent: bool
    environment: str
    event_id: str
    case_id: str | None = None
    url_key: bytes
    hosting_country: str
    origin: str
    assigned_hotline: str | None = None
    admitted_at: int
    submitted_at: int
    statement: bytes | None = None
    signature: bytes | None = None
    key_id: str | None = None
    content: bytes | None = None
    attempt: int = 1
    due_at: int | None = None
    credentials: bytes | None = None
