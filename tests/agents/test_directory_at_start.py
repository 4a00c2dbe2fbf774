"""With which directories a worker starts, on the real broker; each refusal is for a person to cure."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from signed_directories import ANCHOR, signed

from streams.directory_feed import publish
from streams.directory_trust import MEMORY_DIRECTORY
from streams.transport_errors import ConfigurationError

pytestmark = pytest.mark.kafka
replace = msgspec.structs.replace


def pin(exchange: Any, tmp_path: Path) -> None:  # noqa: ANN401 - conftest
    """Give the worker the anchor."""
    path = tmp_path / "trust.json"
    path.write_bytes(msgspec.json.encode(ANCHOR))
    exchange.settings = replace(exchange.settings, directory_trust=path)


async def test_a_worker_with_an_anchor_starts_with_signed_versions_only(
    exchange: Any,  # noqa: ANN401 - conftest
    tmp_path: Path,
) -> None:
    """What nobody signed is not believed; a signed version is, and is remembered for the next start."""
    pin(exchange, tmp_path)
    with pytest.raises(ConfigurationError, match="no directory that may be used here"):
        await exchange.start()
    directory = replace(exchange.small_directory(2), valid_from=1, signers=ANCHOR)
    document = signed(directory, "anna", "carla")
    await publish(exchange.client, exchange.topics.directory, document, clock=exchange.clock, anchor=ANCHOR)
    await exchange.start()
    event_id = await exchange.send(exchange.report("https://signed.example.test/"))
    receipt = await exchange.receipt("gb-iwf", event_id)
    assert (receipt.outcome, receipt.directory_version) == ("accepted", 2)
    await exchange.stop()
    (memory,) = (exchange.settings.data_dir / MEMORY_DIRECTORY).iterdir()
    memory.write_text(memory.read_text().replace('"version": 2', '"version": 3'))
    with pytest.raises(ConfigurationError, match="version 3 was believed here"):
        await exchange.start()


async def test_no_worker_starts_with_an_expired_directory(exchange: Any) -> None:  # noqa: ANN401 - conftest
    """The version before it, which never expires, does not take its place."""
    await exchange.publish(replace(exchange.small_directory(2), expires_at=exchange.clock.real_ms() - 1))
    with pytest.raises(ConfigurationError, match="version 2 expired"):
        await exchange.start()
