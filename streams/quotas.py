"""Client quotas: how many bytes a second the brokers take from one client before they slow it down.

The broker delays its answers to a client above its rate; nothing is refused and nothing lost. A quota is
tied to the client id, which a client states itself: until brokers know who connects, this protects against
mistakes and not against intent.
"""

from collections.abc import Mapping
from typing import Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest, DescribeClientQuotasRequest

from casework.errors import TemporaryError

_CLIENT_ID: Final = "client-id"
_RATE: Final = "producer_byte_rate"
_ANY_NAME: Final = 2


def set_rates(admin: KafkaAdminClient, rates: Mapping[str, int]) -> None:
    """Set how many bytes a second each client id may produce; others keep what they have.

    Raises:
        TemporaryError: the cluster refused a quota, or did not answer; repeating is harmless.
    """
    entry = AlterClientQuotasRequest.EntryData
    request = AlterClientQuotasRequest(
        entries=[
            entry(
                entity=[entry.EntityData(entity_type=_CLIENT_ID, entity_name=client)],
                ops=[entry.OpData(key=_RATE, value=float(rate), remove=False)],
            )
            for client, rate in sorted(rates.items())
        ],
        validate_only=False,
    )
    if not rates:
        return
    try:
        answer = admin._manager.run(admin._manager.send, request)  # noqa: SLF001 - no public call sets quotas
    except (KafkaError, OSError) as error:
        raise TemporaryError(f"quotas were not set, repeat it: {type(error).__name__}") from error
    for found in answer.entries:
        if found.error_code:
            raise TemporaryError(
                f"the quota of {found.entity[0].entity_name} was not set: {found.error_message}"
            )


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
