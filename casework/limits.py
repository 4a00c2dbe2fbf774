"""How long each text of a submission may be, and why: one table for intake, for clients and for the docs.

Lengths are characters. A text that is too long is refused by name, before anything else looks at it, so
that no member can fill another one's inbox or slow down a worker with a single field.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from casework.errors import RuleViolation

MAX_SUBMISSION_BYTES: Final = 256 * 1024
"""Design 4, wire: a whole submission; topics take 2 MiB so that an over-long one can still be answered."""
URL_KEY_BYTES: Final = 33
SIGNATURE_BYTES: Final = 64
DIGEST_BYTES: Final = 32


class TextLimit(msgspec.Struct, frozen=True):
    """The longest text of a field, in characters, and where the figure comes from."""

    characters: int
    reason: str


_CODE = "longest code of any list is 45"
_URL = "RFC 9110 4.1: recipients should take at least 8,000 octets; more is no address people use"
_NOTE = "two printed pages; a longer text is an attachment, which the exchange does not carry"
_NAME = "names in use stay under 200"
_REFERENCE = "case references of systems in use are numbers or UUIDs"
_UUID = "text form of a UUID"

TEXT_LIMITS: Final[Mapping[str, TextLimit]] = MappingProxyType(
    {
        "event_id": TextLimit(36, _UUID),
        "case_id": TextLimit(36, _UUID),
        "report_event_id": TextLimit(36, _UUID),
        "environment": TextLimit(16, _CODE),
        "sender": TextLimit(64, "longest member id is 30"),
        "hosting_country": TextLimit(2, "ISO 3166-1 alpha-2"),
        "new_hosting_country": TextLimit(2, "ISO 3166-1 alpha-2"),
        "law_country": TextLimit(2, "ISO 3166-1 alpha-2"),
        "reference": TextLimit(128, _REFERENCE),
        "complaint_id": TextLimit(64, _REFERENCE),
        "analyst": TextLimit(64, "an opaque id, no name"),
        "action": TextLimit(64, _CODE),
        "content_type": TextLimit(64, _CODE),
        "site_type": TextLimit(64, _CODE),
        "commerciality": TextLimit(64, _CODE),
        "content_topic": TextLimit(64, _CODE),
        "hosting_status": TextLimit(64, _CODE),
        "hosting_method": TextLimit(64, _CODE),
        "detection_method": TextLimit(64, _CODE),
        "classification": TextLimit(64, _CODE),
        "age_category": TextLimit(64, _CODE),
        "gender_category": TextLimit(64, _CODE),
        "reason_code": TextLimit(64, _CODE),
        "recipient_role": TextLimit(64, _CODE),
        "observation": TextLimit(64, _CODE),
        "observed_from": TextLimit(2, "ISO 3166-1 alpha-2"),
        "to_member": TextLimit(64, "longest member id is 30"),
        "corrected_action": TextLimit(64, _CODE),
        "second_analyst": TextLimit(64, "an opaque id, no name"),
        "priority": TextLimit(64, _CODE),
        "related_case_ids": TextLimit(36, _UUID),
        "content_protection": TextLimit(16, _CODE),
        "payment_methods": TextLimit(64, _CODE),
        "urgency": TextLimit(64, _CODE),
        "labels": TextLimit(64, "labels of the Universal Classification Schema stay under 50"),
        "url": TextLimit(8192, _URL),
        "referrer": TextLimit(8192, _URL),
        "source_page": TextLimit(8192, _URL),
        "sibling_items": TextLimit(8192, _URL),
        "new_url": TextLimit(8192, _URL),
        "hosting_ip": TextLimit(45, "longest text form of an IPv6 address"),
        "hosting_provider": TextLimit(256, _NAME),
        "username": TextLimit(256, _NAME),
        "password": TextLimit(256, _NAME),
        "website_name": TextLimit(512, _NAME),
        "page_title": TextLimit(512, "browsers cut titles far earlier"),
        "note": TextLimit(8192, _NOTE),
        "note_language": TextLimit(35, "RFC 5646 4.4.1"),
        "police_reference": TextLimit(128, _REFERENCE),
        "police_unit": TextLimit(256, _NAME),
    }
)

ITEM_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {"payment_methods": 16, "urgency": 8, "labels": 64, "sibling_items": 200, "related_case_ids": 16}
)
"""Most entries of a list: code lists are shorter, and a complaint of more than 200 items is sent as
several."""


def too_long(path: str, field: str) -> RuleViolation:
    """Answer the violation of a text in `field` beyond its limit; `path` is how the sender sees the field."""
    return RuleViolation(path, "too_long", f"at most {TEXT_LIMITS[field].characters:,} characters")
