import msgspec
import pytest

from casework.errors import TemporaryError
from operations.embedded_kafka import EmbeddedKafka
from operations.embedded_kafka.process import free_port
from streams.kafka_access import plaintext
from streams.provision import Existing, PlanRefusedError, apply, connect, plan, provision, read_cluster
from streams.topics import Topic, Topics


def _table(
    prefix: str = "", *, slots: int = 3, partitions: int = 2, erasure_days: int = 90
) -> tuple[Topic, ...]:
    return Topics(prefix).all_for(
        ["nl-offlimits"], ["nl"], slot_count=slots, partitions=partitions, erasure_days=erasure_days
    )


def _as_made(topics: tuple[Topic, ...]) -> dict[str, Existing]:
    return {t.name: Existing(t.partitions, 3, t.config | {"min.insync.replicas": "2"}) for t in topics}


def test_an_empty_cluster_gets_every_topic_and_a_complete_one_none() -> None:
    """The plan creates what is missing and is empty when all is as wanted."""
    first = plan({}, _table(), replication=3, min_insync=2)
    assert [topic.name for topic in first.create] == [topic.name for topic in _table()]
    again = plan(_as_made(_table()), _table(), replication=3, min_insync=2)
    assert again.is_empty
    assert len(again.unchanged) == len(_table())


def test_what_was_done_is_not_told_as_still_to_do() -> None:
    """After it was applied the sums of a plan say created, grown and changed."""
    made = plan({}, _table(), replication=3, min_insync=2)
    assert made.sums() == (
        f"topics: {len(_table())} to create, 0 to grow, 0 unchanged, 0 refused; values: 0 to change"
    )
    assert made.sums(is_applied=True) == (
        f"topics: {len(_table())} created, 0 grown, 0 unchanged, 0 refused; values: 0 changed"
    )


def test_slots_grow_but_nothing_shrinks_and_p_stays() -> None:
    """More slots are a growth; fewer slots, another P and another replication are refused with a reason."""
    more = plan(_as_made(_table()), _table(slots=5), replication=3, min_insync=2)
    assert {(c.topic, c.before, c.after) for c in more.grow} == {
        ("reports.submitted", "3", "5"),
        ("reports.urgent", "3", "5"),
    }
    assert not more.refused
    less = plan(_as_made(_table()), _table(slots=2), replication=3, min_insync=2)
    assert {c.reason for c in less.refused} == {"partitions cannot be taken away"}
    other_p = plan(_as_made(_table()), _table(partitions=4), replication=3, min_insync=2)
    assert len(other_p.refused) == 5
    assert all("fixed for ever" in change.reason for change in other_p.refused)
    copies = plan(_as_made(_table()), _table(), replication=1, min_insync=1)
    assert {change.what for change in copies.refused} == {"replication"}


def test_a_plan_names_topic_and_value_before_and_after() -> None:
    """One line for each change says what it was and what it will be."""
    made = plan(_as_made(_table()), _table(slots=5, erasure_days=60), replication=3, min_insync=2)
    lines = made.lines()
    assert "grow       reports.urgent: partitions 3 -> 5" in lines
    assert "configure  dead-letters: retention.ms 7689600000 -> 5097600000" in lines


def test_no_broker_is_a_temporary_error() -> None:
    """An address where nothing listens is named, to be tried again."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(TemporaryError, match=address), connect(plaintext(address), timeout_ms=500):
        pass


@pytest.mark.kafka
def test_provisioning_is_idempotent_and_grows_on_the_real_cluster(
    kafka: EmbeddedKafka, topic_prefix: str
) -> None:
    """A second run finds nothing to do; a later table grows slots and changes retention, at once visible."""
    first = provision(kafka.access, _table(topic_prefix), replication=1, min_insync=1)
    assert len(first.create) == len(_table(topic_prefix))
    assert provision(kafka.access, _table(topic_prefix), replication=1, min_insync=1).is_empty
    later = _table(topic_prefix, slots=5, erasure_days=60)
    changed = provision(kafka.access, later, replication=1, min_insync=1)
    assert (len(changed.grow), len(changed.create)) == (2, 0)
    assert changed.configure
    with connect(kafka.access) as admin:
        cluster = read_cluster(admin, [topic.name for topic in later])
    assert plan(cluster, later, replication=1, min_insync=1).is_empty


@pytest.mark.kafka
def test_a_refused_plan_changes_nothing(kafka: EmbeddedKafka, topic_prefix: str) -> None:
    """One refused difference stops the whole plan before the first change."""
    provision(kafka.access, _table(topic_prefix), replication=1, min_insync=1)
    with pytest.raises(PlanRefusedError, match="fixed for ever"):
        provision(kafka.access, _table(topic_prefix, slots=5, partitions=4), replication=1, min_insync=1)
    with connect(kafka.access) as admin:
        cluster = read_cluster(admin, [Topics(topic_prefix).reports_urgent])
    assert cluster[Topics(topic_prefix).reports_urgent].partitions == 3


@pytest.mark.kafka
def test_what_the_cluster_refuses_is_named(kafka: EmbeddedKafka, topic_prefix: str) -> None:
    """A topic the broker does not accept stops provisioning with its name and the broker's reason."""
    bad = msgspec.structs.replace(_table(topic_prefix)[0], config={"cleanup.policy": "sometimes"})
    made = plan({}, [bad], replication=1, min_insync=1)
    with connect(kafka.access) as admin, pytest.raises(PlanRefusedError, match=rf"{bad.name}.*sometimes"):
        apply(admin, made)
