"""Who a client is and where its exchange is; the same for the asynchronous and the synchronous one."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from casework.directory import Directory, Member
from casework.errors import UnknownMemberError
from casework.ids import RANDOM_BYTES, new_event_id
from casework.submissions import Admission
from connectors.drafts import ActionDraft, Prepared, ReportDraft, Sender, build_action, build_report
from connectors.errors import StaleDirectoryError
from connectors.limits import ClientLimits
from streams.clock import Clock
from streams.secret_sources import Secret
from streams.settings import Settings


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A member's place in an exchange.

    Attributes:
        member: Member id.
        environment: demo, test or production; everything sent carries it.
        network_key: Secret of the url keys.
        kafka: Settings of all Kafka clients, as keyword arguments: `bootstrap_servers`, `security_protocol`,
            `ssl_context`. aiokafka and kafka-python share the names.
        topic_prefix: Prefix of all topics and groups.
        key_version: Version of `network_key`.
        next_network_key: Secret of the next version, while a key rotation runs.
        limits: Bounds.
    """

    member: str
    environment: str
    network_key: Secret
    kafka: Mapping[str, Any]
    topic_prefix: str = ""
    key_version: int = 1
    next_network_key: Secret | None = None
    limits: ClientLimits = ClientLimits()

    @classmethod
    def from_settings(cls, settings: Settings, member: str, limits: ClientLimits | None = None) -> Self:
        """Answer the place of a member in the exchange of a process's settings."""
        return cls(
            member=member,
            environment=settings.environment,
            network_key=settings.network_key,
            # The brokers' quotas go by the client id.
            kafka={"bootstrap_servers": settings.bootstrap, "client_id": member},
            topic_prefix=settings.topic_prefix,
            limits=limits or ClientLimits(),
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
        """
        sender = Sender(
            member=self.member,
            environment=self.environment,
            network_key=self.network_key,
            new_id=new_id,
            key_version=self.key_version,
            next_network_key=self.next_network_key,
        )
        admission = Admission(
            directory=directory,
            environment=self.environment,
            admitted_at=clock.now_ms(),
            submitted_at=clock.real_ms(),
            size=0,
        )
        if isinstance(draft, ReportDraft):
            return build_report(draft, sender, admission)
        return build_action(draft, sender, admission)


def event_id_at(now_ms: int) -> str:
    """Make an event id for a time in milliseconds since the epoch, UTC."""
    return new_event_id(now_ms, secrets.token_bytes(RANDOM_BYTES))


def positions_file(settings: Settings, member: str) -> Path:
    """Answer where a member's positions are kept by default."""
    return settings.data_dir / "positions" / f"{settings.topic_prefix}{member}.db"
