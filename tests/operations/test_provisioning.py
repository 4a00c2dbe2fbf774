"""Provisioning of a secured cluster: rights and users come, are kept in force, and go in the right order."""

import asyncio
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from kafka.admin import KafkaAdminClient

from casework.directory import Directory, MemberStatus
from operations import provisioning
from operations.drift import DriftMetrics, look_once, watch_drift
from operations.embedded_kafka import EmbeddedKafka
from operations.embedded_kafka.process import free_port
from operations.provisioning import PasswordsMissingError, local_passwords, plan_cluster, provision_cluster
from operations.setting_up import read_directory
from streams import access_control, provision
from streams.access_rights import Right
from streams.clock import SystemClock
from streams.kafka_settings import access_of
from streams.principals import ADMIN, OWN
from streams.provision import PlanRefusedError
from streams.settings import Settings
from streams.topics import Topics

pytestmark = pytest.mark.kafka

MEMBERS = ("gb-iwf", "nl-offlimits", "interpol")
DONE = {"topic": 0, "config": 0, "user": 0, "acl": 0, "quota": 0}


class Ground:
    """A secured cluster with topics of this test, and its directory."""

    def __init__(self, kafka: EmbeddedKafka, prefix: str) -> None:
        base = Settings(environment="test", topic_prefix=prefix, partitions=1)
        self.admin = kafka.local_access.admin_settings(base)
        self.topics = Topics(prefix)
        self.passwords = local_passwords(kafka.local_access)
        self.users = kafka.local_access.settings(base)
        self.directory = self.with_status()

    def with_status(self, **changed: MemberStatus) -> Directory:
        """Answer the directory with the status of some members changed; NL is `nl_offlimits`."""
        whole = read_directory(self.admin, 1, candidates="admit")
        status = {name.replace("_", "-"): value for name, value in changed.items()}
        members = tuple(
            msgspec.structs.replace(member, status=status.get(member.id, member.status))
            for member in whole.members
            if member.id in MEMBERS
        )
        return msgspec.structs.replace(whole, members=members, slot_count=1, slots={}, rest_slots=(0,))

    def drift(self, directory: Directory | None = None) -> dict[str, int]:
        """Answer how many differences there are, by kind."""
        return dict(plan_cluster(self.admin, directory or self.directory).drift())

    def apply(self, directory: Directory | None = None) -> None:
        """Provision."""
        provision_cluster(self.admin, directory or self.directory, passwords=self.passwords)

    def client(self, user: str) -> dict[str, Any]:
        """Answer a user's arguments of plain clients."""
        return access_of(self.users, user).client_settings()

    def right(self, user: str, topic: str, operation: str, **options: Any) -> Right:  # noqa: ANN401 - fields
        """Answer a right on a topic."""
        return Right(f"User:{user}", "topic", topic, operation, **options)


@pytest.fixture
def ground(secured_kafka: EmbeddedKafka, topic_prefix: str) -> Ground:
    """Return a cluster on which nothing of this exchange is there yet but users of other tests' members."""
    made = Ground(secured_kafka, topic_prefix)
    with provision.connect(access_of(made.admin, ADMIN)) as admin:
        access_control.delete_passwords(admin, access_control.read_access(admin).users)
    return made


@pytest.fixture
def admin(ground: Ground) -> Iterator[KafkaAdminClient]:
    """Return a connection that changes things past provisioning."""
    with provision.connect(access_of(ground.admin, ADMIN)) as connected:
        yield connected


def test_applying_once_leaves_no_difference(ground: Ground) -> None:
    """A plan names everything, nobody is added without a password to hand over, and after it all is there."""
    first = plan_cluster(ground.admin, ground.directory)
    members = len(MEMBERS)
    of_police = 2 * len({"interpol"})  # escalations and the feed
    table = 10 + 2 * (members + 1) + of_police
    assert first.access is not None
    assert (len(first.topics.create), len(first.access.add)) == (table, members + len(OWN))
    assert {right.user for right in first.access.grant} == {*MEMBERS, *OWN}
    with pytest.raises(PasswordsMissingError, match="--passwords"):
        provision_cluster(ground.admin, ground.directory)
    assert ground.drift() == first.drift()
    ground.apply()
    assert ground.drift() == DONE


def test_what_was_changed_by_hand_is_drift_and_is_put_right(
    ground: Ground, admin: KafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights too many and too few and a missing user count, seen as hx-metrics; one apply cures them all."""
    ground.apply()
    metrics = DriftMetrics()
    monkeypatch.setattr("operations.drift.read_directory", lambda *_, **__: ground.directory)

    def shown() -> dict[str, float | None]:
        assert look_once(ground.users, SystemClock(), metrics) is None
        name = "hotline_exchange_provision_drift"
        return {kind: metrics.registry.get_sample_value(name, {"kind": kind}) for kind in DONE}

    assert shown() == DONE
    surplus = [
        ground.right("gb-iwf", ground.topics.inbox("nl-offlimits"), "read"),
        ground.right("stranger", ground.topics.cases_status, "read"),
        ground.right("gb-iwf", f"{ground.topics.prefix}inbox.", "read", pattern="prefixed"),
        ground.right("nl-offlimits", ground.topics.directory, "read", permission="deny"),
    ]
    access_control.grant(admin, surplus)
    access_control.revoke(admin, [ground.right("gb-iwf", ground.topics.directory, "read")])
    access_control.delete_passwords(admin, ["interpol"])
    assert shown() == DONE | {"acl": 5, "user": 1}
    made = plan_cluster(ground.admin, ground.directory)
    assert made.access is not None
    assert made.access.revoke == tuple(sorted(surplus))
    ground.apply()
    assert shown() == DONE


def test_a_wide_right_of_somebody_else_is_shown_and_left(ground: Ground, admin: KafkaAdminClient) -> None:
    """Another system's pattern over our topics is a difference that a person removes."""
    ground.apply()
    wide = ground.right("stranger", ground.topics.prefix, "read", pattern="prefixed")
    access_control.grant(admin, [wide])
    ground.apply()
    made = plan_cluster(ground.admin, ground.directory)
    assert made.access is not None
    assert (made.access.strange, made.needs_a_person) == ((wide,), True)
    access_control.revoke(admin, [wide])


def test_rights_are_taken_away_although_a_topic_is_refused(ground: Ground) -> None:
    """Who left is out at once; a difference of topics that is never resolved does not delay that."""
    ground.apply()
    later = ground.with_status(nl_offlimits="left")
    other_p = msgspec.structs.replace(ground.admin, partitions=2)
    with pytest.raises(PlanRefusedError, match="fixed for ever"):
        provision_cluster(other_p, later, passwords=ground.passwords)
    made = plan_cluster(ground.admin, later)
    assert made.access is not None
    assert (made.access.revoke, made.access.drop) == ((), ())


async def test_who_is_put_out_is_refused_on_open_connections(ground: Ground) -> None:
    """After the first step, with the password still there, an open producer and consumer get no more."""
    ground.apply()
    topic, inbox = ground.topics.reports_submitted, ground.topics.inbox("nl-offlimits")
    client = ground.client("nl-offlimits")
    place = TopicPartition(inbox, 0)
    seen: list[str] = []

    async def step(name: str) -> None:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(topic, b"after", partition=0)
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.getone()
        seen.append(name)

    async with (
        AIOKafkaProducer(**client) as producer,
        AIOKafkaConsumer(auto_offset_reset="earliest", enable_auto_commit=False, **client) as consumer,
        AIOKafkaProducer(**ground.client("hx-casekeeper")) as casekeeper,
    ):
        consumer.assign([place])
        await casekeeper.send_and_wait(inbox, b"before", partition=0)
        await producer.send_and_wait(topic, b"before", partition=0)
        assert (await consumer.getone()).value == b"before"
        later = ground.with_status(nl_offlimits="left")
        with provision.connect(access_of(ground.admin, ADMIN)) as admin:
            made = plan_cluster(ground.admin, later)
            assert made.access is not None
            access_control.revoke(admin, made.access.revoke)
            # The password still works: rights alone decide on what is open.
            async with AIOKafkaProducer(**client):
                await step("rights")
            provision_cluster(ground.admin, later, passwords=ground.passwords)
        await step("password")
    assert seen == ["rights", "password"]
    with pytest.raises(KafkaConnectionError):
        async with AIOKafkaProducer(**client):
            pass
    assert ground.drift(later) == DONE


async def test_who_is_suspended_reads_on_and_writes_no_more(ground: Ground) -> None:
    """The inbox stays open, on the same connection, and a submission is refused."""
    ground.apply()
    inbox, client = ground.topics.inbox("gb-iwf"), ground.client("gb-iwf")
    async with (
        AIOKafkaProducer(**client) as producer,
        AIOKafkaConsumer(auto_offset_reset="earliest", enable_auto_commit=False, **client) as consumer,
        AIOKafkaProducer(**ground.client("hx-casekeeper")) as casekeeper,
    ):
        consumer.assign([TopicPartition(inbox, 0)])
        await producer.send_and_wait(ground.topics.actions_submitted, b"before", partition=0)
        ground.apply(ground.with_status(gb_iwf="suspended"))
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(ground.topics.actions_submitted, b"after", partition=0)
        await casekeeper.send_and_wait(inbox, b"a receipt", partition=0)
        assert (await consumer.getone()).value == b"a receipt"


def test_the_order_is_the_promised_one(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken away: right, password. Given: topic, quota, right, password."""
    order: list[str] = []
    for module, name in (
        (access_control, "revoke"),
        (access_control, "delete_passwords"),
        (provision, "apply"),
        (provisioning.quotas, "set_rates"),
        (access_control, "grant"),
        (access_control, "set_passwords"),
    ):
        monkeypatch.setattr(module, name, _noting(order, getattr(module, name)))
    ground.apply()
    assert order == ["revoke", "delete_passwords", "apply", "set_rates", "grant", "set_passwords"]


def _noting(order: list[str], call: Any) -> Any:  # noqa: ANN401 - any function
    def noted(*arguments: object, **options: object) -> object:
        order.append(call.__name__)
        return call(*arguments, **options)

    noted.__name__ = call.__name__
    return noted


async def test_the_watch_offers_what_it_sees(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """As hx-metrics, with no other right, it counts differences and days, is ready, and ends when told."""
    ground.apply()
    monkeypatch.setattr("operations.drift.read_directory", lambda *_, **__: ground.directory)
    settings = msgspec.structs.replace(ground.users, provision_metrics_port=0)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    watching = asyncio.create_task(
        watch_drift(settings, SystemClock(), every_s=0.2, stop=stop, on_ready=ready.set_result)
    )
    address: str = await ready

    def page() -> str:
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
            text: str = answer.read().decode()
            return text

    async with asyncio.timeout(30):
        while 'provision_drift{kind="acl"} 0.0' not in (text := await asyncio.to_thread(page)):
            continue
        while 'certificate_days_left{name="broker"}' not in (text := await asyncio.to_thread(page)):
            continue
    assert "provision_looked_at_timestamp_seconds 1." in text
    stop.set()
    await watching


def test_what_cannot_be_compared_shows_no_old_figures(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without brokers the differences seen before are gone, and the reason is answered."""
    ground.apply()
    monkeypatch.setattr("operations.drift.read_directory", lambda *_, **__: ground.directory)
    metrics, clock = DriftMetrics(), SystemClock()
    name, kind = "hotline_exchange_provision_drift", {"kind": "acl"}
    assert look_once(ground.users, clock, metrics) is None
    assert metrics.registry.get_sample_value(name, kind) == 0
    nowhere = msgspec.structs.replace(ground.users, bootstrap=f"127.0.0.1:{free_port()}")
    assert "127.0.0.1" in (look_once(nowhere, clock, metrics) or "")
    assert metrics.registry.get_sample_value(name, kind) is None
