"""The exchange's signature on what it sends to members and liaisons: they can tell it from anybody else's.

Topic and value are signed together (`casework.exchange_signatures`). Which key signs, the newest valid
version of the directory says; a worker without such a key does not start where the directory lists keys.
"""

from collections.abc import Callable
from typing import Final, Self

from casework.directory import EXCHANGE, Directory
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, signed_message
from streams.key_rings import KeyRing
from streams.settings import PREFIX, Settings

Headers = tuple[tuple[str, bytes], ...]
_UNSIGNED: Final[Headers] = ()


class ExchangeSeal:
    """Signs messages by the key of the exchange that counts now.

    Args:
        ring: The exchange's private keys.
        directory: Answers the directory valid now.
        real_ms: Real time, milliseconds since the epoch, UTC.
        prefix: Prefix of the settings before every topic's name.
    """

    def __init__(
        self, ring: KeyRing, directory: Callable[[], Directory], real_ms: Callable[[], int], prefix: str
    ) -> None:
        self._ring = ring
        self._directory = directory
        self._real_ms = real_ms
        self._prefix = prefix

    @classmethod
    def from_settings(
        cls, settings: Settings, directory: Callable[[], Directory], real_ms: Callable[[], int]
    ) -> Self:
        """Answer the seal of a process whose settings name the exchange's ring.

        Raises:
            SetupError: The ring cannot be read.
        """
        address = settings.keys.replace("{member}", EXCHANGE)
        ring = KeyRing.read(address, f"{PREFIX}KEYS") if address else KeyRing()
        return cls(ring, directory, real_ms, settings.topic_prefix)

    def headers(self, topic: str, value: bytes) -> Headers:
        """Answer the headers that prove a message; none where the directory lists no keys of the exchange.

        Args:
            topic: Name of the topic, with the prefix.
            value: The record's value.

        Raises:
            KeyRingError: The directory lists keys, and none in the ring may sign now.
        """
        directory = self._directory()
        if not directory.exchange_keys:
            return _UNSIGNED
        signer = self._ring.signer(directory, EXCHANGE, self._real_ms())
        message = signed_message(topic.removeprefix(self._prefix), value)
        return ((SIGNATURE_HEADER, signer.sign(message)), (KEY_ID_HEADER, signer.key_id.encode()))

    def check(self) -> None:
        """Sign nothing in particular.

        Raises:
            KeyRingError: Messages could not be signed now.
        """
        self.headers("", b"")
