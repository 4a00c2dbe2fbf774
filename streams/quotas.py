"""Client quotas: how many bytes a second the brokers take from one client before they slow it down.

The broker delays its answers to a client above its rate; nothing is refused and nothing lost. A quota is
tied to the client id, which a client states itself: until brokers know who connects, this protects against
mistakes and not against intent.
"""

import time
from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest, DescribeClientQuotasRequest

from casework.errors import TemporaryError

_CLIENT_ID: Final = "client-id"
_RATE: Final = "producer_byte_rate"
_ANY_NAME: Final = 2
# A broker answers from its own copy of the metadata: after many new topics it was 30 s behind the controller.
_VISIBLE_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.1


class RateChange(msgspec.Struct, frozen=True):
    """One quota that changes: bytes a second that a client id may produce; None is without limit."""

    client: str
    before: int | None
    after: int | None

    def __str__(self) -> str:
        before = "unlimited" if self.before is None else self.before
        after = "unlimited" if self.after is None else self.after
        return f"{self.client}: {_RATE} {before} -> {after}"


def plan_rates(
    found: Mapping[str, int], wanted: Mapping[str, int], former: Collection[str]
) -> tuple[RateChange, ...]:
    """Return what must change so that each client id has its rate; pure.

    Args:
        found: rates of the cluster.
        wanted: rates by client id; others stay as they are,
        former: except these, which lose theirs.
    """
    ids = sorted({*wanted, *(client for client in former if client in found)})
    changes = (RateChange(client, found.get(client), wanted.get(client)) for client in ids)
    return tuple(change for change in changes if change.before != change.after)


def set_rates(admin: KafkaAdminClient, changes: Collection[RateChange]) -> None:
    """Make these changes and wait, 10 s at most, until a broker shows them; then it is only slow to follow.

    Raises:
        TemporaryError: the cluster refused a quota, or did not answer; repeating is harmless.
    """
    if not changes:
        return
    entry = AlterClientQuotasRequest.EntryData
    request = AlterClientQuotasRequest(
        entries=[
            entry(
                entity=[entry.EntityData(entity_type=_CLIENT_ID, entity_name=change.client)],
                ops=[entry.OpData(key=_RATE, value=float(change.after or 0), remove=change.after is None)],
            )
            for change in changes
        ],
        validate_only=False,
    )
    try:
        answer = admin._manager.run(admin._manager.send, request)  # noqa: SLF001 - no public call sets quotas
        for found in answer.entries:
            if found.error_code:
                raise TemporaryError(
                    f"the quota of {found.entity[0].entity_name} was not set: {found.error_message}"
                )
        _wait_until_visible(admin, changes)
    except (KafkaError, OSError) as error:
        raise TemporaryError(f"quotas were not set, repeat it: {type(error).__name__}") from error


def _wait_until_visible(admin: KafkaAdminClient, changes: Collection[RateChange]) -> None:
    until = time.monotonic() + _VISIBLE_WITHIN_S
    while time.monotonic() < until:
        found = read_rates(admin)
        if all(found.get(change.client) == change.after for change in changes):
            return
        time.sleep(_POLL_S)


def read_rates(admin: KafkaAdminClient) -> dict[str, int]:
    """Return the rates of all client ids that have one, bytes a second."""
    part = DescribeClientQuotasRequest.ComponentData
    request = DescribeClientQuotasRequest(
        components=[part(entity_type=_CLIENT_ID, match_type=_ANY_NAME, match=None)], strict=True
    )
    answer = admin._manager.run(admin._manager.send, request)  # noqa: SLF001 - no public call reads quotas
    return {
        found.entity[0].entity_name: int(value.value)
        for found in answer.entries or ()
        for value in found.values
        if value.key == _RATE
    }
