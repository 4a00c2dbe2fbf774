"""What a member sends: the envelope, its two kinds of statement and their contents."""

from casework.messages.base import Message


class Label(Message, frozen=True, kw_only=True):
    """A label of a versioned classification schema.

    Attributes:
        scheme: Name of the schema, for example ucs.
        scheme_version: Version of the schema.
        section: Section of the schema the label belongs to.
        label: The label itself.
    """

    scheme: str
    scheme_version: str
    section: str = ""
    label: str


class Submission(Message, frozen=True, kw_only=True):
    """What a member sends: a signed statement and its content.

    Attributes:
        statement: A framed ReportStatement or ActionStatement; travels untouched to the end and is what the
            signature covers.
        signature: Ed25519 signature over the statement bytes and their type; absent only in demo and test.
        key_id: Key id of the signing key in the directory.
        content: What could identify material: a framed ReportContent or ActionContent when
            content_protection is none, else a JWE.
        credentials: User name and password, encrypted apart from the content under a key that the content
            holds: the exchange erases them when the case is closed.
    """

    statement: bytes
    signature: bytes | None = None
    key_id: str | None = None
    content: bytes | None = None
    credentials: bytes | None = None


class ReportStatement(Message, frozen=True, kw_only=True):
    """One content item (one URL) that an origin hotline reports; routing fields first.

    Attributes:
        event_id: Identifier of this submission, a UUIDv7 in lower-case text form (36 characters), chosen by
            the sender.
        environment: Environment the sender means: demo, test or production. A mismatch is refused.
        sender: Member id of the sender, for example nl-offlimits.
        url_key: Keyed hash of the canonical URL: one version byte, then 32 bytes of HMAC-SHA256 under the
            network key.
        hosting_country: Country where the content is hosted as the sender sees it: ISO 3166-1 alpha-2, or a
            pseudo-country for Tor and unknown hosts.
        sent_at: When the sender's client sent this statement; milliseconds since the epoch, UTC, real time.
        url_key_next: Url key under the next network key while a key rotation runs.
        directory_version: Version of the directory that the sender's client used.
        occurred_at: When the sender released the report; milliseconds since the epoch, UTC.
        received_at: When the public reported to the hotline, to the minute; milliseconds since the epoch,
            UTC. Starts the clock of the case.
        observed_at: When the sender last saw the content online; null when not observed. Milliseconds since
            the epoch, UTC.
        reference: The report's reference in the sender's own system.
        complaint_id: Identifier shared by the reports of one public complaint of this sender.
        is_source_page: True when the URL is the source page of the complaint, false for an item on it.
        content_type: Content type by ICCAM's list: media or website.
        site_type: Site type by ICCAM's list.
        commerciality: Commerciality by ICCAM's list.
        payment_methods: Payment methods by ICCAM's list.
        content_topic: Topic by the list of the EC co-funded hotlines.
        hosting_status: Whether the hosting country is provisional (behind a content delivery network, say)
            or confirmed.
        hosting_method: How the hosting country was found.
        hosting_observed_at: When the hosting country was observed; milliseconds since the epoch, UTC.
        hosting_is_cdn: True when the address belongs to a content delivery network.
        detection_method: Detection method by X-ARF v4.
        urgency: Urgency codes: possible_new_victim, abuse_in_progress.
        previously_known: True when the sender has met the content before.
        analyst: Opaque analyst id that only the sender can resolve.
        classification: Assessment: unassessed, baseline, national, doubtful or not_illegal.
        assessed_at: When the assessment was made; milliseconds since the epoch, UTC.
        law_country: Country whose law was applied in the assessment; ISO 3166-1 alpha-2.
        age_category: Age category of the youngest child, by ICCAM's list.
        gender_category: Gender category, by ICCAM's list.
        is_virtual: True when the material is computer-generated or drawn.
        is_user_generated: True when the material is self-generated; never implies consent.
        is_child_modelling: True when the material is sexualised posing or modelling.
        labels: Labels of classification schemas such as the Universal Classification Schema.
        content_digest: SHA-256 over the content bytes (over ciphertext and tag when sealed); null when
            there is no content.
        content_protection: How the content is protected: none (demo and test) or jwe.
        credentials_digest: SHA-256 over the encrypted credentials; null when there are none.
    """

    event_id: str
    environment: str
    sender: str
    url_key: bytes
    hosting_country: str
    sent_at: int
    url_key_next: bytes | None = None
    directory_version: int
    occurred_at: int
    received_at: int
    observed_at: int | None = None
    reference: str
    complaint_id: str | None = None
    is_source_page: bool = False
    content_type: str
    site_type: str = "not_determined"
    commerciality: str = "not_determined"
    payment_methods: tuple[str, ...] = ()
    content_topic: str | None = None
    hosting_status: str = "confirmed"
    hosting_method: str | None = None
    hosting_observed_at: int | None = None
    hosting_is_cdn: bool = False
    detection_method: str | None = None
    urgency: tuple[str, ...] = ()
    previously_known: bool = False
    analyst: str | None = None
    classification: str | None = None
    assessed_at: int | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    content_digest: bytes | None = None
    content_protection: str = "none"
    credentials_digest: bytes | None = None


class ActionStatement(Message, frozen=True, kw_only=True):
    """What a member says happened to a case, or asks for; routing fields first.

    Attributes:
        event_id: Identifier of this submission, a UUIDv7 in lower-case text form (36 characters), chosen by
            the sender.
        environment: Environment the sender means: demo, test or production. A mismatch is refused.
        sender: Member id of the sender, for example nl-offlimits.
        url_key: Keyed hash of the canonical URL: one version byte, then 32 bytes of HMAC-SHA256 under the
            network key.
        hosting_country: Country where the content is hosted as the sender sees it: ISO 3166-1 alpha-2, or a
            pseudo-country for Tor and unknown hosts.
        sent_at: When the sender's client sent this statement; milliseconds since the epoch, UTC, real time.
        url_key_next: Url key under the next network key while a key rotation runs.
        directory_version: Version of the directory that the sender's client used.
        action: Code of the action, for example acknowledged or removed.
        case_id: Case the action is about; this or report_event_id is given.
        report_event_id: Event id of the sender's own report, in place of the case id.
        round: Round of the case the sender means; null for the current one.
        leg: Leg of the case the sender means; null for the current one.
        occurred_at: When it happened, as the sender claims; milliseconds since the epoch, UTC.
        reference: Reference of the case in the sender's own system.
        reason_code: Reason code, by ICCAM's list; required where the table of transitions says so.
        recipient_role: Role of the provider informed: host, site_owner, registrar or upstream.
        is_online: Whether the content was seen online, for an observation.
        observed_at: When the content was observed; milliseconds since the epoch, UTC.
        new_hosting_country: Country the content has moved to.
        hosting_method: How the new hosting country was found.
        hold_until: Expiry of the hold asked for; milliseconds since the epoch, UTC.
        analyst: Opaque analyst id that only the sender can resolve.
        classification: Assessment: unassessed, baseline, national, doubtful or not_illegal.
        assessed_at: When the assessment was made; milliseconds since the epoch, UTC.
        law_country: Country whose law was applied in the assessment; ISO 3166-1 alpha-2.
        age_category: Age category of the youngest child, by ICCAM's list.
        gender_category: Gender category, by ICCAM's list.
        is_virtual: True when the material is computer-generated or drawn.
        is_user_generated: True when the material is self-generated; never implies consent.
        is_child_modelling: True when the material is sexualised posing or modelling.
        labels: Labels of classification schemas such as the Universal Classification Schema.
        content_digest: SHA-256 over the content bytes (over ciphertext and tag when sealed); null when
            there is no content.
        content_protection: How the content is protected: none (demo and test) or jwe.
        observation: What an observation saw: online, offline, moved or geo_blocked.
        observed_from: Country from where it was observed; ISO 3166-1 alpha-2.
        hosting_status: Whether the new hosting country is provisional or confirmed.
        to_member: Member a transfer goes to; of a hold the liaison it is set for.
        preserve_until: Until when police ask that everything about the case is kept; milliseconds since the
            epoch, UTC.
        fact_number: Number of the fact that the action corrects, confirms or answers.
        corrected_action: Action that a correction puts in place of the one it corrects; null when that never
            happened.
        second_analyst: Opaque id of the second analyst, where a rule asks for two persons.
        has_police_reference: True when the content carries a police reference: the case is kept until police
            close it.
        priority: Priority of the case: low, normal or high.
        related_case_ids: Cases that belong together with this one.
    """

    event_id: str
    environment: str
    sender: str
    url_key: bytes
    hosting_country: str
    sent_at: int
    url_key_next: bytes | None = None
    directory_version: int
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
    new_hosting_country: str | None = None
    hosting_method: str | None = None
    hold_until: int | None = None
    analyst: str | None = None
    classification: str | None = None
    assessed_at: int | None = None
    law_country: str | None = None
    age_category: str | None = None
    gender_category: str | None = None
    is_virtual: bool | None = None
    is_user_generated: bool | None = None
    is_child_modelling: bool | None = None
    labels: tuple[Label, ...] = ()
    content_digest: bytes | None = None
    content_protection: str = "none"
    observation: str | None = None
    observed_from: str | None = None
    hosting_status: str | None = None
    to_member: str | None = None
    preserve_until: int | None = None
    fact_number: int | None = None
    corrected_action: str | None = None
    second_analyst: str | None = None
    has_police_reference: bool = False
    priority: str | None = None
    related_case_ids: tuple[str, ...] = ()


class ReportContent(Message, frozen=True, kw_only=True):
    """What of a report could identify material; sealed outside demo and test.

    Attributes:
        url: The URL literally as submitted.
        hosting_ip: IP address of the host.
        hosting_provider: Name of the hosting organisation.
        hosting_asn: Autonomous system number of the host.
        referrer: Referrer needed to reach the content.
        username: User name needed to reach gated content.
        password: Password needed to reach gated content.
        website_name: Name of the website.
        page_title: Title of the page.
        note: Free text for the receiving analyst; no reporter or analyst names.
        note_language: Language of the note, BCP 47.
        source_page: Source page of the complaint, as context without right to act.
        sibling_items: Other items of the complaint, as context without right to act.
        credentials_key: Key of the credentials, which travel apart; 64 bytes.
    """

    url: str
    hosting_ip: str | None = None
    hosting_provider: str | None = None
    hosting_asn: int | None = None
    referrer: str | None = None
    username: str | None = None
    password: str | None = None
    website_name: str | None = None
    page_title: str | None = None
    note: str | None = None
    note_language: str | None = None
    source_page: str | None = None
    sibling_items: tuple[str, ...] = ()
    credentials_key: bytes | None = None


class ReportCredentials(Message, frozen=True, kw_only=True):
    """What opens gated content; encrypted apart from the content of its report.

    Attributes:
        username: User name needed to reach gated content.
        password: Password needed to reach gated content.
    """

    username: str | None = None
    password: str | None = None


class ActionContent(Message, frozen=True, kw_only=True):
    """What of an action could identify material or an investigation; sealed outside demo and test.

    Attributes:
        note: Free text for the other parties; no reporter or analyst names.
        note_language: Language of the note, BCP 47.
        police_reference: Reference of the police.
        police_unit: Police unit.
        new_url: New URL of moved content.
    """

    note: str | None = None
    note_language: str | None = None
    police_reference: str | None = None
    police_unit: str | None = None
    new_url: str | None = None
