"""What is known of a case before a bundle is made of it, from one source."""

from collections.abc import Mapping

import msgspec

from operations.evidence.directories import Versions
from operations.evidence.parts import Kept


class Material(msgspec.Struct, frozen=True):
    """The evidence of a case from one source.

    Attributes:
        source: `exchange` or `inbox`.
        case_id: The case; empty where no message names it.
        url_key: Its url key.
        environment: The exchange it is from.
        facts: Records of cases.events, in their order.
        messages: What one member or liaison was sent.
        contents: By event id each content that was found, the best last.
        versions: All directories that were published.
        reasons: Why a content is not there, by event id.
    """

    source: str
    case_id: str
    url_key: bytes
    environment: str
    facts: tuple[Kept, ...]
    messages: tuple[Kept, ...]
    contents: Mapping[str, tuple[bytes, ...]]
    versions: Versions
    reasons: Mapping[str, str]
