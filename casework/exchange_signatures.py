"""How the exchange signs what it sends: topic and value together, so that no message can be shown elsewhere.

The signature travels in two headers of the record, because the value keeps its schema and its bytes. Ed25519
is deterministic: what is sent again after a crash has the same headers.
"""

from collections.abc import Mapping
from typing import Final

from casework.directory import EXCHANGE, Directory
from casework.dsse import EXCHANGE_MESSAGE, pae
from casework.errors import RuleViolation
from casework.signatures import check_signature

SIGNATURE_HEADER: Final = "hx-signature"
"""Ed25519 signature, 64 bytes."""
KEY_ID_HEADER: Final = "hx-key-id"
"""Id of the exchange's key in the directory, ASCII."""


def signed_message(topic: str, value: bytes) -> bytes:
    """Answer what the exchange signs: the topic's name without prefix, a zero byte, the value."""
    return pae(EXCHANGE_MESSAGE, topic.encode() + b"\0" + value)


def check_message(
    directory: Directory, topic: str, value: bytes, headers: Mapping[str, bytes], sent_at: int
) -> RuleViolation | None:
    """Answer why a message is not proven to be the exchange's, or None when it is.

    Where the directory lists no keys of the exchange, nothing can be proven and nothing is asked; nor,
    outside of production, of what was sent before the first of its keys counted. Production signs from its
    first message on, and the time of a record is the word of whoever runs the brokers.

    Args:
        directory: The version in use.
        topic: Name of its topic without the prefix of the settings.
        value: The record's value.
        headers: The record's headers, each name once.
        sent_at: Log-append time of the record; milliseconds since the epoch, UTC.
    """
    if not directory.exchange_keys:
        return None
    signature, key_id = headers.get(SIGNATURE_HEADER), headers.get(KEY_ID_HEADER)
    if (
        signature is None
        and key_id is None
        and directory.environment != "production"
        and sent_at < min(key.valid_from for key in directory.exchange_keys)
    ):
        return None
    if signature is None or key_id is None:
        return RuleViolation(SIGNATURE_HEADER, "signature_missing", "the exchange signs what it sends")
    return check_signature(
        directory,
        EXCHANGE,
        message=signed_message(topic, value),
        signature=signature,
        key_id=key_id.decode("ascii", "replace"),
        signed_at=sent_at,
    )
