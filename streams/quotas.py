"""Quotas: how many bytes a second the brokers take from a member, and give it, before they slow it down.

The broker delays its answers to whoever is above its rate; nothing is refused and nothing lost. Where brokers
know who connects, a quota is tied to the user. Where they do not, it is tied to the client id, which a client
states itself: that protects against mistakes and not against intent.
"""

import time
from collections.abc import Collection, Mapping
from typing import Final, Literal

import msgspec
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest, DescribeClientQuotasRequest

from casework.errors import TemporaryError

Entity = Literal["user", "client-id"]
Rate = Literal["producer_byte_rate", "consumer_byte_rate"]

_ENTITIES: Final[tuple[Entity, ...]] = ("client-id", "user")
_RATES: Final = frozenset({"producer_byte_rate", "consumer_byte_rate"})
_ANY_NAME: Final = 2
# A broker answers from its own copy of the metadata: after many new topics it was 30 s behind the controller.
_VISIBLE_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.1


class Quota(msgspec.Struct, frozen=True, order=True):
    """What is limited: one rate of one user, or of one client id.

    Attributes:
        name: Of the user or client id.
        entity: Which of both.
        rate: What it sends or what it reads, by Kafka's name.
    """

    name: str
    entity: Entity
    rate: Rate


class RateChange(msgspec.Struct, frozen=True):
    """One quota that changes: bytes a second; None is without limit."""

    quota: Quota
    before: int | None
    after: int | None

    def __str__(self) -> str:
        before = "unlimited" if self.before is None else self.before
        after = "unlimited" if self.after is None else self.after
        return f"{self.quota.entity} {self.quota.name}: {self.quota.rate} {before} -> {after}"


def wanted_rates(members: Collection[str], entity: Entity, *, sends: int, reads: int) -> dict[Quota, int]:
    """Return the rates there are to be: bytes a second of each member, 0 for none."""
    rates: tuple[tuple[Rate, int], ...] = (("producer_byte_rate", sends), ("consumer_byte_rate", reads))
    return {Quota(member, entity, rate): limit for member in members for rate, limit in rates if limit}


def plan_rates(
    found: Mapping[Quota, int], wanted: Mapping[Quota, int], former: Collection[str]
) -> tuple[RateChange, ...]:
    """Return what must change so that each quota is as wanted; pure.

    Args:
        found: rates of the cluster.
        wanted: rates there are to be; others stay as they are,
        former: except those of these names, which lose what is not wanted.
    """
    names = frozenset(former)
    quotas = sorted({*wanted, *(quota for quota in found if quota.name in names)})
    changes = (RateChange(quota, found.get(quota), wanted.get(quota)) for quota in quotas)
    return tuple(change for change in changes if change.before != change.after)


def set_rates(admin: KafkaAdminClient, changes: Collection[RateChange]) -> None:
    """Make these changes and wait, 10 s at most, until a broker shows them; then it is only slow to follow.

    Raises:
        TemporaryError: the cluster refused a quota, or did not answer; repeating is harmless.
    """
    if not changes:
        return
    entry = AlterClientQuotasRequest.EntryData
    by_owner: dict[tuple[Entity, str], list[RateChange]] = {}
    for change in changes:
        by_owner.setdefault((change.quota.entity, change.quota.name), []).append(change)
    request = AlterClientQuotasRequest(
        entries=[
            entry(
                entity=[entry.EntityData(entity_type=entity, entity_name=name)],
                ops=[
                    entry.OpData(
                        key=change.quota.rate, value=float(change.after or 0), remove=change.after is None
                    )
                    for change in of_owner
                ],
            )
            for (entity, name), of_owner in by_owner.items()
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
        if all(found.get(change.quota) == change.after for change in changes):
            return
        time.sleep(_POLL_S)


def read_rates(admin: KafkaAdminClient) -> dict[Quota, int]:
    """Return the rates of all users and client ids that have one, bytes a second."""
    return {quota: rate for entity in _ENTITIES for quota, rate in _rates_of(admin, entity).items()}


def _rates_of(admin: KafkaAdminClient, entity: Entity) -> dict[Quota, int]:
    part = DescribeClientQuotasRequest.ComponentData
    request = DescribeClientQuotasRequest(
        components=[part(entity_type=entity, match_type=_ANY_NAME, match=None)], strict=True
    )
    answer = admin._manager.run(admin._manager.send, request)  # noqa: SLF001 - no public call reads quotas
    return {
        Quota(found.entity[0].entity_name, entity, value.key): int(value.value)
        for found in answer.entries or ()
        if found.entity[0].entity_name is not None
        for value in found.values
        if value.key in _RATES
    }
