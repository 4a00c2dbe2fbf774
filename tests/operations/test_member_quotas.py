"""Quotas on a broker that does not know who connects: by client id, after directory and settings."""

from collections.abc import Callable

import msgspec
import pytest

from casework.directory import Directory
from operations.embedded_kafka import EmbeddedKafka
from operations.provisioning import plan_cluster, provision_cluster
from operations.setting_up import read_directory
from streams.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
def network(kafka: EmbeddedKafka, topic_prefix: str) -> Callable[..., tuple[Settings, Directory]]:
    """Return settings and a directory of a few members, whose ids no other test uses."""
    settings = Settings(
        environment="test",
        bootstrap=kafka.bootstrap,
        kafka_security="none",
        topic_prefix=topic_prefix,
        partitions=1,
    )
    shipped = read_directory(settings, 0)

    def of(*names: str, rate: int) -> tuple[Settings, Directory]:
        members = tuple(
            msgspec.structs.replace(member, id=topic_prefix.replace(".", "-") + name, liaison=None)
            for name, member in zip(names, shipped.members, strict=False)
        )
        chosen = msgspec.structs.replace(settings, member_bytes_per_s=rate, member_read_bytes_per_s=2 * rate)
        return chosen, msgspec.structs.replace(shipped, members=members)

    return of


def test_quotas_follow_the_directory_and_the_settings(
    network: Callable[..., tuple[Settings, Directory]],
) -> None:
    """Members get the rate, a former member loses it, rate 0 takes all away; the plan says so each time."""

    def changes(settings: Settings, directory: Directory) -> list[tuple[str, int | None, int | None]]:
        planned = plan_cluster(settings, directory)
        assert provision_cluster(settings, directory).rates == planned.rates
        again = plan_cluster(settings, directory)
        assert again.is_empty
        for change in planned.rates:
            assert f"quota      {change}" in planned.to_text()
            assert change.quota.entity == "client-id"
        assert planned.access is None
        reads = {c.quota.name: c.after for c in planned.rates if c.quota.rate == "consumer_byte_rate"}
        sends = [change for change in planned.rates if change.quota.rate == "producer_byte_rate"]
        assert reads == {c.quota.name: c.after and 2 * c.after for c in sends}
        return [(c.quota.name.rpartition("-")[2], c.before, c.after) for c in sends]

    assert changes(*network("a", "b", "c", rate=7000)) == [
        ("a", None, 7000),
        ("b", None, 7000),
        ("c", None, 7000),
    ]
    assert changes(*network("a", "b", rate=7000)) == [("c", 7000, None)]
    assert changes(*network("a", "b", rate=8000)) == [("a", 7000, 8000), ("b", 7000, 8000)]
    assert changes(*network("a", "b", rate=0)) == [("a", 8000, None), ("b", 8000, None)]
