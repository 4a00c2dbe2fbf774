import msgspec
import pytest
from exchange_by_hand import QUICK, Exchange, report

from connectors.errors import (
    AccessDeniedError,
    ExchangeUnreachableError,
    MisuseError,
    StaleDirectoryError,
    TopicMissingError,
)

pytestmark = pytest.mark.kafka


async def test_what_is_not_set_up_is_told_at_once(exchange: Exchange) -> None:
    """A foreign environment, an unknown member, a missing topic or mandate each have their error."""
    with pytest.raises(StaleDirectoryError, match="not for production"):
        await exchange.client(environment="production").__aenter__()
    with pytest.raises(StaleDirectoryError, match="does not list xx-nobody"):
        await exchange.client(member="xx-nobody").__aenter__()
    hasty = msgspec.structs.replace(QUICK, start_timeout_s=1.0)
    async with exchange.client(member="be-childfocus", limits=hasty) as client:
        with pytest.raises(TopicMissingError, match=r"inbox\.be-childfocus"):
            await anext(client.inbox())
        with pytest.raises(AccessDeniedError, match="mandate"):
            client.desk()
    with pytest.raises(MisuseError, match="async with"):
        await client.submit(report())


async def test_an_absent_broker_is_named_within_the_limit(exchange: Exchange) -> None:
    """Nobody waits for ever for a broker that is not there."""
    hasty = msgspec.structs.replace(QUICK, start_timeout_s=1.0)
    with pytest.raises(ExchangeUnreachableError):
        await exchange.client(kafka={"bootstrap_servers": "127.0.0.1:1"}, limits=hasty).__aenter__()
