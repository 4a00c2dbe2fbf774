"""Who a client is and where its exchange is; the same for the asynchronous and the synchronous one."""

import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from casework.directory import Directory, Member
from casework.directory_signing import TrustAnchor
from casework.errors import UnknownMemberError
from casework.ids import RANDOM_BYTES, new_event_id
from casework.submissions import Admission
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import StaleDirectoryError
from connectors.limits import ClientLimits
from connectors.network_secrets import NetworkKeyHolder, NetworkSecrets
from connectors.preparing import Prepared, Sender, build_action, build_report
from streams.clock import Clock
from streams.directory_trust import TrustMemory, anchor_of, memory_of
from streams.kafka_settings import access_of
from streams.key_rings import KeyRing
from streams.secret_sources import Secret
from streams.settings import Settings
from streams.topics import Topics

NAME_IN_KEYS: Final = "{member}"
"""Stands for the member id in `settings.keys`, where one machine plays several members, as in a demo."""


class Membership(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A member's place in an exchange.

    Attributes:
        member: Member id.
        environment: demo, test or production; everything sent carries it.
        network_key: Secret of the url keys.
        kafka: Settings of all Kafka clients, as keyword arguments, see `KafkaAccess.client_settings`.
        topic_prefix: Prefix of all topics and groups.
        key_version: Version of `network_key`.
        next_network_key: Secret of the next version, while a key rotation runs.
        keys: The member's key ring; None signs and seals nothing, which the directory may refuse.
        limits: Bounds.
        anchor: The signers whom the first directory must be signed by; None believes an unsigned one.
        memory: Where the newest directory that was believed is remembered over restarts; None remembers none.
    """

    member: str
    environment: str
    network_key: Secret
    kafka: Mapping[str, Any]
    topic_prefix: str = ""
    key_version: int = 1
    next_network_key: Secret | None = None
    keys: KeyRing | None = None
    limits: ClientLimits = ClientLimits()
    anchor: TrustAnchor | None = None
    memory: TrustMemory | None = None

    def __repr__(self) -> str:
        # The settings of the Kafka clients hold a password.
        return f"Membership(member={self.member!r}, environment={self.environment!r})"

    @classmethod
    def from_settings(cls, settings: Settings, member: str, limits: ClientLimits | None = None) -> Self:
        """Answer the place of a member in the exchange of a process's settings.

        Raises:
            SetupError: A setting of the connection to Kafka is missing, or names a file that cannot be used.
            SecretSourceError: The address of the ring, `settings.keys`, leads to nothing.
            KeyRingError: What lies there is no ring.
        """
        return cls(
            member=member,
            environment=settings.environment,
            network_key=settings.network_key,
            # The brokers' quotas go by the client id.
            kafka=access_of(settings, member).client_settings() | {"client_id": member},
            topic_prefix=settings.topic_prefix,
            keys=ring_of(settings, member),
            limits=limits or ClientLimits(),
            anchor=anchor_of(settings),
            memory=memory_of(settings, f"{member}.{Topics(settings.topic_prefix).directory}"),
        )

    def entry_in(self, directory: Directory) -> Member:
        """Answer the member's own entry in a directory.

        Raises:
            StaleDirectoryError: The directory is for another environment, or does not list the member.
        """
        if directory.environment != self.environment:
            raise StaleDirectoryError(f"the directory is not for {self.environment}")
        try:
            return directory.member(self.member)
        except UnknownMemberError as error:
            version = directory.version
            raise StaleDirectoryError(
                f"directory version {version} does not list {self.member}: 'hx members list' names all"
            ) from error

    def prepare(
        self,
        draft: ReportDraft | ActionDraft,
        directory: Directory,
        clock: Clock,
        new_id: Callable[[int], str],
    ) -> Prepared:
        """Check a draft by the rules of the exchange and make its submission.

        Raises:
            DraftRefusedError: The draft breaks rules; field and rule are named.
            SealError: It cannot be signed or sealed with the ring at hand.
        """
        sender = self.sender(directory, new_id)
        admission = self.admission(directory, clock)
        if isinstance(draft, ReportDraft):
            return build_report(draft, sender, admission)
        return build_action(draft, sender, admission)

    def sender(self, directory: Directory, new_id: Callable[[int], str]) -> Sender:
        """Answer who drafts and with what, under a directory.

        Raises:
            SealError: The ring does not open the network key that the directory carries.
        """
        if self.entry_in(directory).kind == "secretariat" and directory.network_keys is not None:
            return Sender(self.member, self.environment, None, new_id, keys=self.keys)
        network = self.network_keys.under(directory)
        return Sender(
            member=self.member,
            environment=self.environment,
            network_key=network.current,
            new_id=new_id,
            key_version=network.version,
            next_network_key=network.next,
            keys=self.keys,
        )

    def admission(self, directory: Directory, clock: Clock) -> Admission:
        """Answer how intake would judge a submission now, apart from its size."""
        return Admission(
            directory=directory,
            environment=self.environment,
            admitted_at=clock.now_ms(),
            submitted_at=clock.real_ms(),
            size=0,
        )

    @cached_property
    def network_keys(self) -> NetworkKeyHolder:
        """The network's keys, as the directory in use carries them."""
        given = NetworkSecrets(self.network_key, self.key_version, self.next_network_key)
        return NetworkKeyHolder(self.keys, given)


def ring_of(settings: Settings, member: str | None) -> KeyRing | None:
    """Answer the ring that `settings.keys` names, `NAME_IN_KEYS` in it replaced; None where it names none.

    Raises:
        SecretSourceError: The address leads to nothing.
        KeyRingError: What lies there is no ring.
    """
    if not settings.keys:
        return None
    return KeyRing.read(settings.keys.replace(NAME_IN_KEYS, member or ""), "keys")


def event_id_at(now_ms: int) -> str:
    """Make an event id for a time in milliseconds since the epoch, UTC."""
    return new_event_id(now_ms, secrets.token_bytes(RANDOM_BYTES))


def positions_file(settings: Settings, member: str) -> Path:
    """Answer where a member's positions are kept by default."""
    return settings.data_dir / "positions" / f"{settings.topic_prefix}{member}.db"
