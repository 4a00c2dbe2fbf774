import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from agents.exchange_seal import ExchangeSeal
from casework.directory import Directory
from casework.messages import Receipt
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import (
    DraftRefusedError,
    MisuseError,
    NoReceiptError,
    ReportRefusedError,
    StaleDirectoryError,
    TopicMissingError,
)
from connectors.membership import Membership
from connectors.sync_client import SyncClient
from operations.directory.equipping import Equipment
from operations.embedded_kafka import EmbeddedKafka
from streams import wire
from streams.clock import SystemClock
from streams.directory_feed import document_of
from streams.settings import DEMO_NETWORK_KEY
from streams.topics import Topics

pytestmark = pytest.mark.kafka

ME = "nl-offlimits"


@pytest.fixture
def membership(kafka: EmbeddedKafka, topic_prefix: str) -> Membership:
    """Return the Dutch hotline's place in an exchange of this test alone, with its topics made."""
    topics = Topics(topic_prefix)
    counts = {
        topics.reports_submitted: 3, topics.actions_submitted: 4, topics.directory: 1,
        topics.inbox(ME): 2, topics.inbox_urgent(ME): 1,
    }  # fmt: skip
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics([NewTopic(name, count, 1) for name, count in counts.items()])
    end = time.monotonic() + 20
    while not counts.keys() <= set(admin.list_topics()):
        assert time.monotonic() < end
    admin.close()
    return Membership(
        member=ME,
        environment="test",
        network_key=DEMO_NETWORK_KEY,
        kafka={"bootstrap_servers": kafka.bootstrap},
        topic_prefix=topic_prefix,
    )


@pytest.fixture
def write(kafka: EmbeddedKafka, topic_prefix: str) -> Iterator[Callable[[str, bytes], None]]:
    """Return a function that writes to a topic, as the exchange would."""
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    yield lambda topic, value: producer.send(f"{topic_prefix}{topic}", value, partition=0).get(20)
    producer.close()


def report() -> ReportDraft:
    """Return a draft of a report hosted in the Netherlands."""
    return ReportDraft(
        url="https://images.example.com/1", hosting_country="NL", received_at=SystemClock().now_ms(),
        reference="r-1", content_type="media",
    )  # fmt: skip


def test_a_script_submits_and_gets_its_receipt(
    membership: Membership,
    directory: Directory,
    write: Callable[[str, bytes], None],
    receipt: Callable[..., Receipt],
) -> None:
    """The directory is read from its topic, the report lies in its country's slot, the receipt is found."""
    write("directory", wire.encode(document_of(directory)))
    with SyncClient(membership, clock=SystemClock()) as client:
        outcome = client.submit(report(), wait=False)
        assert outcome.submitted.partition == 1
        assert outcome.receipt is None
        with pytest.raises(NoReceiptError, match=outcome.submitted.event_id):
            client.wait_for_receipt(outcome.submitted.event_id, timeout_s=0)
        write(f"inbox.{ME}.urgent", wire.encode(receipt("of another")))
        write(f"inbox.{ME}", wire.encode(receipt(outcome.submitted.event_id)))
        assert client.wait_for_receipt(outcome.submitted.event_id).outcome == "accepted"
        write(f"inbox.{ME}", wire.encode(receipt("later")))
        assert "later" in {found.event_id for found in client.receipts()}
        with pytest.raises(DraftRefusedError, match="unknown_code"):
            client.act(ActionDraft(action="gone", hosting_country="NL", url_key=outcome.submitted.url_key))


def test_an_action_of_a_script_follows_the_receipt_of_its_report(
    membership: Membership,
    directory: Directory,
    write: Callable[[str, bytes], None],
    receipt: Callable[..., Receipt],
) -> None:
    """After an acceptance the action is sent; after a refusal it is not."""
    with SyncClient(membership, clock=SystemClock(), directory=directory) as client:
        one, two = (client.submit(report(), wait=False).submitted for _ in range(2))
        write(f"inbox.{ME}", wire.encode(receipt(one.event_id)))
        write(f"inbox.{ME}", wire.encode(receipt(two.event_id, "refused", rule="unknown_code")))
        drafts = [
            ActionDraft(
                action="removed", hosting_country="NL", report_event_id=sent.event_id, url_key=sent.url_key
            )
            for sent in (one, two)
        ]
        acted = client.act(drafts[0], wait=False).submitted
        assert acted.topic == client.topics.actions_submitted
        assert acted.partition == int.from_bytes(one.url_key[1:9], "big") % 4
        with pytest.raises(ReportRefusedError):
            client.act(drafts[1], wait=False)
    with pytest.raises(MisuseError):
        client.submit(report())


def test_what_a_script_lacks_is_told_at_once(membership: Membership, directory: Directory) -> None:
    """No directory and no inbox are errors of the opening."""
    with pytest.raises(StaleDirectoryError, match="no directory that may be used here"):
        SyncClient(membership, clock=SystemClock()).__enter__()
    other = Membership(
        member="be-childfocus",
        environment="test",
        network_key=DEMO_NETWORK_KEY,
        kafka=membership.kafka,
        topic_prefix=membership.topic_prefix,
    )
    with pytest.raises(TopicMissingError, match=r"inbox\.be-childfocus"):
        SyncClient(other, clock=SystemClock(), directory=directory).__enter__()


def test_a_script_with_a_ring_seals_and_believes_signed_receipts_only(
    membership: Membership, equipment: Equipment, kafka: EmbeddedKafka, receipt: Callable[..., Receipt]
) -> None:
    """A receipt without the exchange's signature is passed over, and the signed one after it is found."""
    place = msgspec.structs.replace(membership, keys=equipment.rings[ME])
    exchange = ExchangeSeal(
        equipment.exchange, lambda: equipment.directory, SystemClock().real_ms, membership.topic_prefix
    )
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    with SyncClient(place, clock=SystemClock(), directory=equipment.directory) as client:
        sent = client.submit(report(), wait=False).submitted
        topic = client.topics.inbox(ME)
        forged, true = (wire.encode(receipt(sent.event_id, outcome)) for outcome in ("refused", "accepted"))
        producer.send(topic, forged, partition=0).get(20)
        producer.send(topic, true, partition=0, headers=list(exchange.headers(topic, true))).get(20)
        assert client.wait_for_receipt(sent.event_id).outcome == "accepted"
    producer.close()


def test_an_expired_directory_seals_nothing(membership: Membership, directory: Directory) -> None:
    """A script that stayed open too long does not seal for those whom the network may have left behind."""
    draft = ReportDraft(
        url="https://a.example/", hosting_country="NL", received_at=1, reference="r-1", content_type="media"
    )
    expired = msgspec.structs.replace(directory, expires_at=SystemClock().real_ms())
    client = SyncClient(membership, clock=SystemClock(), directory=expired)
    with client, pytest.raises(StaleDirectoryError, match="expired"):
        client.prepare(draft)
