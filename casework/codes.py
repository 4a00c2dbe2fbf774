"""Code lists: the strings that members may send, what they mean and where they come from.

Names follow ICCAM v3 and X-ARF v4 in snake_case; the numeric ICCAM v3 ids are kept beside them for connectors
that must speak them. Sources name the sections of the domain research.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from casework.code_list import CodeList
from casework.countries import ALL_COUNTRIES

ICCAM_LISTS: Final = "ICCAM v3 code lists (domain 1.4)"
DESIGN_WORDS: Final = "design 2, words of the exchange"


CODE_LISTS: dict[str, CodeList] = {}


def _list(
    name: str,
    source: str,
    codes: Mapping[str, str] = MappingProxyType({}),
    *,
    numbered: Mapping[str, tuple[int, str]] = MappingProxyType({}),
) -> CodeList:
    """Register a list; `numbered` codes carry their ICCAM v3 id before the meaning."""
    meanings = {**{code: meaning for code, (_, meaning) in numbered.items()}, **codes}
    iccam = {code: number for code, (number, _) in numbered.items()}
    code_list = CodeList(name, MappingProxyType(meanings), source, MappingProxyType(iccam))
    CODE_LISTS[name] = code_list
    return code_list


SITE_TYPES = _list(
    "site type",
    ICCAM_LISTS + "; not_determined from v2",
    numbered={
        "not_determined": (1, "nobody has looked yet"),
        "website": (2, "ordinary website"),
        "file_host": (3, "file host"),
        "image_store": (4, "image store"),
        "image_board": (5, "image board"),
        "forum": (6, "forum"),
        "banner_site": (7, "banner site"),
        "link_site": (8, "site that lists links"),
        "social_networking": (9, "social network"),
        "redirector": (10, "redirects elsewhere"),
        "web_archive": (11, "archive of the web"),
        "search_provider": (18, "search engine"),
        "image_host": (20, "image host"),
        "blog": (22, "blog"),
        "webpage": (23, "single page (v2)"),
        "not_applicable": (24, "no site type applies"),
    },
)

COMMERCIALITIES = _list(
    "commerciality",
    ICCAM_LISTS,
    numbered={
        "not_determined": (1, "nobody has looked yet"),
        "commercial": (2, "money is asked for"),
        "non_commercial": (3, "no money is asked for"),
    },
)

PAYMENT_METHODS = _list(
    "payment method",
    ICCAM_LISTS,
    numbered={
        "not_determined": (1, "nobody has looked yet"),
        "amex": (2, "American Express"),
        "diners": (3, "Diners Club"),
        "mastercard": (4, "Mastercard"),
        "paypal": (5, "PayPal"),
        "visa": (6, "Visa"),
        "western_union": (7, "Western Union"),
        "other": (8, "another method"),
        "none": (9, "no payment"),
        "sms": (10, "premium text message"),
        "email": (11, "arranged by e-mail"),
        "liberty_reserve": (12, "Liberty Reserve (historical)"),
        "bitcoin": (13, "Bitcoin"),
    },
)

CONTENT_TYPES = _list(
    "content type",
    ICCAM_LISTS,
    numbered={
        "media": (1, "image or video"),
        "website": (2, "page that shows or links media"),
    },
)

CLASSIFICATIONS = _list(
    "classification",
    "ICCAM classifications (domain 1.4, 5.1)",
    {"unassessed": "no analyst has judged it"},
    numbered={
        "baseline": (1, "illegal everywhere by INTERPOL's criteria"),
        "national": (2, "illegal under the law of the assessing country"),
        "doubtful": (3, "undecided (ICCAM v2 only)"),
        "not_illegal": (4, "not illegal (ICCAM: ignore)"),
    },
)

AGE_GROUPS = _list(
    "age group",
    ICCAM_LISTS,
    numbered={
        "not_determined": (1, "not determined"),
        "infant": (2, "infant"),
        "pre_pubescent": (3, "pre-pubescent"),
        "pubescent": (4, "pubescent"),
    },
)

GENDERS = _list(
    "gender",
    ICCAM_LISTS,
    numbered={
        "not_determined": (1, "not determined"),
        "female": (2, "female"),
        "male": (3, "male"),
        "both": (4, "both"),
    },
)

REASONS = _list(
    "reason",
    "ICCAM v3 actionReasons (domain 1.3)",
    numbered={
        "other": (1, "another reason, told in the note"),
        "content_not_found": (2, "content not found"),
        "referrer_not_known_or_incorrect": (3, "referrer not known or incorrect"),
        "unable_to_access": (4, "unable to access"),
        "password_protected": (5, "password protected"),
        "account_disabled": (6, "account disabled"),
        "legally_unable_to_access": (7, "the law forbids access"),
        "link_expired": (8, "link expired"),
        "error_404_not_found_or_site_down": (9, "error 404 or site down"),
        "error_503_or_content_temporarily_unavailable": (10, "error 503 or temporarily unavailable"),
        "premium_account_necessary": (11, "premium account necessary"),
        "missing_parts_to_open_file": (12, "parts missing to open the file"),
        "content_removed_before_assessment": (13, "removed before assessment"),
        "adult_pornography": (14, "adults only"),
        "nudism_or_not_sexualized": (15, "nudism or not sexualised"),
        "does_not_meet_threshold_for_illegality": (16, "below the threshold of illegality"),
        "images_too_small": (17, "images too small to judge"),
        "virtual_material": (18, "virtual material"),
        "linking_or_linklists_not_illegal": (19, "linking is not illegal there"),
        "age_unclear_or_not_assessable": (20, "age unclear"),
        "age_over_national_threshold": (21, "age over the national threshold"),
    },
)

DECLINE_REASONS = _list(
    "reason to decline",
    "queues and errors of ICCAM and SCART (domain 1.3, 1.7)",
    {
        "not_in_remit": "not in the remit of this hotline",
        "legally_unable_to_view": "its law does not let this hotline view it",
        "wrong_country": "hosted in another country",
        "not_reachable": "the content cannot be reached from here",
        "key_mismatch": "the address has another url key",
        "capacity": "no analyst is free in time",
        "conflict_of_interest": "this hotline must not handle it",
    },
)
CORRECTION_REASONS = _list(
    "reason to correct or erase",
    "MISP's and ThreatExchange's lessons (domain 8)",
    {
        "wrong_entry": "entered by mistake",
        "new_evidence": "something was learnt since",
        "wrong_item": "it was about another item",
        "second_opinion": "a second analyst judged otherwise",
        "law_changed": "the law or a court decided otherwise",
        "data_protection": "data that must not be kept",
        "agreement": "members agreed on it",
    },
)
OBSERVATIONS = _list(
    "observation",
    "re-checks of SCART (domain 1.7); geo-blocking as providers use it",
    {
        "online": "it could be reached",
        "offline": "it could not be reached",
        "moved": "it is hosted in another country",
        "geo_blocked": "it cannot be reached from the country it was observed from",
    },
)
PRIORITIES = _list(
    "priority",
    DESIGN_WORDS,
    {"low": "when there is time", "normal": "in turn", "high": "before others"},
)

RECIPIENT_ROLES = _list(
    "recipient role",
    "SCART notice recipients (domain 1.7); design 5",
    {
        "host": "hosting provider",
        "site_owner": "owner of the site",
        "registrar": "registrar of the domain",
        "upstream": "network that carries the host",
    },
)

URGENCIES = _list(
    "urgency",
    "SCART priority reasons and NCMEC high priority (domain 1.7, 2.2)",
    {
        "possible_new_victim": "a victim not known before may be shown",
        "abuse_in_progress": "abuse may be happening now",
    },
)

ESCALATION_REASONS = _list(
    "escalation reason",
    "SCART police reasons (domain 1.7, 6)",
    {
        **URGENCIES.codes,
        "tor": "hosted as an onion service, no country can be told",
        "unknown_host": "the host could not be traced to a country",
        "no_hotline": "the hosting country has no active hotline",
        "unclaimed": "no hotline claimed the case in time",
        "unreadable": "nobody re-wrapped the content for the responsible hotline in time",
    },
)

ACTIONS = _list(
    "action",
    "ICCAM v3 action types (domain 1.3); design 2 for the others",
    {
        "acknowledged": "the receiving system stored the report and gave its reference; police have it",
        "assessed": "an analyst judged it",
        "observed": "somebody saw it: online, offline, moved or geo-blocked",
        "moved": "the content is hosted elsewhere now",
        "hosting_confirmed": "the host is where the case says; answers a provisional or disputed host",
        "reappeared": "the content is back",
        "corrected": "an earlier fact was wrong",
        "confirmed": "a correction or an erasure was carried out in the sender's own system",
        "note": "a note, labels, a priority or related cases for those entitled",
        "rewrap": "content can be opened by further recipients now",
        "key_mismatch": "the address in a report's content has another url key",
        "claim": "asks to become responsible",
        "hand_back": "gives a claimed case back to its queue",
        "decline": "asks not to be responsible",
        "transfer": "asks that another hotline of the country be responsible",
        "hold": "police ask that the provider is not told yet",
        "release": "police end a hold, or refuse one that was asked for",
        "preserve": "police ask that everything about the case is kept until a time, or end it",
        "withdraw": "the origin asks to take its report back",
        "erase": "the secretariat asks that the contents of a case are erased",
    },
    numbered={
        "police_informed": (1, "police have been told"),
        "provider_informed": (2, "a provider has been told"),
        "removed": (3, "the content is gone"),
        "unavailable": (4, "the content cannot be reached"),
        "not_illegal": (6, "the content is not illegal under the named law"),
    },
)
REQUESTS: Final = frozenset(
    {"claim", "hand_back", "decline", "transfer", "hold", "release", "preserve", "withdraw", "erase"}
)
"""What a member asks for; all other actions are facts."""
FINAL_ACTIONS: Final = frozenset({"removed", "unavailable", "not_illegal"})
ACTIONS_NEEDING_REASON: Final = frozenset(
    {"unavailable", "not_illegal", "decline", "transfer", "corrected", "erase"}
)

BREACHES = _list(
    "breach",
    "design 5.6",
    {
        "despite_hold": "the provider was told during a hold",
        "before_police": "the provider was told before police were, or before they had their time",
        "without_consent": "the provider was told without the consent of police",
        "late": "after the deadline",
        "not_responsible": "by a member that is not responsible",
        "out_of_order": "not possible in this state",
    },
)

RECEIPT_OUTCOMES = _list(
    "receipt outcome",
    DESIGN_WORDS,
    {
        "accepted": "took effect or was recorded",
        "duplicate": "the same submission was answered before",
        "refused": "breaks a rule that the receipt names",
        "not_applicable": "valid, but there is nothing it could change",
    },
)

CONTENT_PROTECTIONS = _list(
    "content protection",
    "design 4, wire",
    {"none": "clear, demo and test only", "jwe": "sealed for the recipients"},
)

ENVIRONMENTS = _list(
    "environment",
    "design 5.7",
    {"demo": "simulated members", "test": "test data", "production": "real reports"},
)

MEMBER_KINDS = _list(
    "member kind",
    DESIGN_WORDS,
    {
        "hotline": "takes and handles reports",
        "law_enforcement": "police liaison",
        "authority": "may sanction providers",
        "secretariat": "keeps the directory and the statistics",
    },
)

MEMBER_STATUSES = _list(
    "member status",
    DESIGN_WORDS,
    {
        "candidate": "known, not admitted yet",
        "active": "admitted; the only status that is routed to",
        "suspended": "admitted, nothing is routed to it for now",
        "left": "no longer a member",
    },
)

HOSTING_STATUSES = _list(
    "hosting status",
    "CDN origin lookup (domain 6)",
    {"provisional": "may be the edge of a delivery network", "confirmed": "the origin server is known"},
)

CONTENT_TOPICS = _list(
    "content topic",
    "EC hotline topics, Better Internet for Kids (domain 5.3)",
    {
        "csam_self_generated": "self-generated (never implies consent)",
        "csam_non_self_generated": "not self-generated",
        "csam_sexualised_posing": "sexualised posing or modelling",
        "csam_computer_generated": "computer-generated or virtual",
        "csam_textual": "text",
        "child_nudism": "child nudism",
        "grooming": "solicitation of children for sexual purposes",
        "sexual_extortion": "sexual extortion of children",
        "sexual_harassment": "sexual harassment",
        "hate_speech": "hate speech",
        "spam": "spam",
        "query": "question to the hotline",
    },
)

DETECTION_METHODS = _list(
    "detection method",
    "X-ARF v4 content/csam (domain 5.3)",
    {
        "hash_match": "known by its hash",
        "ai_detection": "found by a classifier",
        "manual_review": "found by an analyst",
        "user_report": "reported by the public",
        "automated_scan": "found by a crawler",
    },
)

ROUTING_RULES = _list(
    "routing rule",
    "design 4, routing",
    {
        "single": "the country has one hotline",
        "weights": "shared by weight, decided by the url key",
        "remit": "by content topic, then by weight",
        "claim": "offered to all; the first that claims it is responsible",
    },
)

NOTICE_RULES = _list(
    "notice rule",
    "order of steps differs by country (domain 8)",
    {
        "any": "police and provider in any order",
        "police_first": "police before the provider, and time for them to ask for a hold",
        "police_consent": "the provider only once police agree",
    },
)

MANDATES = _list(
    "mandate",
    "ICCAM orphaned queue (domain 1.3)",
    {"orphans": "may claim reports hosted where no hotline is"},
)

COUNTRIES = _list(
    "country",
    "ISO 3166-1 alpha-2, XK as the European Commission uses it; pseudo-countries for hosts without one",
    ALL_COUNTRIES,
)
