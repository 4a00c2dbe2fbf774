"""A worker whose rights are not whole says which one is missing, where Faust would wait in silence."""

import pytest
from kafka.admin import NewTopic

from operations.embedded_kafka import EmbeddedKafka
from operations.passwords import Passwords
from streams import access_control, provision
from streams.access_rights import Right
from streams.kafka_access import KafkaAccess
from streams.probing import probe
from streams.transport_errors import ConfigurationError
from streams.worker import WorkerOptions

pytestmark = pytest.mark.kafka

USER = "xx-half-entitled"


@pytest.fixture
def access(secured_kafka: EmbeddedKafka, topic_prefix: str) -> KafkaAccess:
    """Return the access of a user who may read one topic, `in`, in the group `its`, but not `out`."""
    local = secured_kafka.local_access
    assert local.trust is not None
    with provision.connect(secured_kafka.access) as admin:
        names = [f"{topic_prefix}in", f"{topic_prefix}out"]
        admin.create_topics([NewTopic(name, 1, 1) for name in names])
        admin.wait_for_topics(names, timeout_ms=30_000)
        entitled = (("topic", f"{topic_prefix}in"), ("group", f"{topic_prefix}its"))
        access_control.grant(admin, [Right(f"User:{USER}", kind, name, "read") for kind, name in entitled])
        access_control.set_passwords(admin, {USER: Passwords(local.trust.passwords).of(USER)})
    return local.of(USER)


async def test_a_missing_right_is_named(access: KafkaAccess, topic_prefix: str) -> None:
    """A group or a topic that is not ours ends the start with one sentence; what is ours lets it pass."""
    options = WorkerOptions(access, metadata_patience=1.0)
    reads, group = [f"{topic_prefix}in"], f"{topic_prefix}its"
    await probe(options, group, reads)
    with pytest.raises(ConfigurationError, match=rf"use the consumer group {topic_prefix}no"):
        await probe(options, f"{topic_prefix}no", reads)
    with pytest.raises(ConfigurationError, match=rf"not to be described by us: {topic_prefix}out"):
        await probe(options, group, [*reads, f"{topic_prefix}out"])
