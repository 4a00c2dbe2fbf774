"""Provisioning: topics come to be by a plan, applied by a call of its own, never by Faust or by accident.

A plan with a refused change is refused as a whole, before anything changes. Applying twice changes nothing.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, KafkaTimeoutError

from casework.errors import SetupError, TemporaryError
from streams.kafka_access import KafkaAccess
from streams.refusals import check_access
from streams.topic_plan import Existing, Plan, plan
from streams.topics import Topic

__all__ = ["Existing", "Plan", "PlanRefusedError", "apply", "connect", "plan", "provision", "read_cluster"]

# The controller answers before the brokers have applied a change: up to 4.7 s were seen after 80 topics.
_VISIBLE_WITHIN_S: Final = 30.0
_POLL_S: Final = 0.1
_CONNECT_MS: Final = 10_000
_EXISTS_ALREADY: Final = 36


class PlanRefusedError(SetupError):
    """The plan holds a change that is never made, or the cluster refused one; the text names it."""


@contextmanager
def connect(access: KafkaAccess, timeout_ms: int = _CONNECT_MS) -> Iterator[KafkaAdminClient]:
    """An admin connection; gives up after ``timeout_ms``.

    Raises:
        BrokersRefuseError: the brokers do not let this principal in.
        TemporaryError: no broker answers.
    """
    client = access.client_settings()
    check_access(client)
    try:
        admin = KafkaAdminClient(**client, bootstrap_timeout_ms=timeout_ms)
    except (KafkaError, OSError) as error:
        raise TemporaryError(
            f"no Kafka answers at {access.bootstrap}: start one with 'hx kafka start' or set HX_BOOTSTRAP"
        ) from error
    try:
        yield admin
    finally:
        admin.close()


def read_cluster(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Existing]:
    """What the cluster has of the named topics."""
    there = set(admin.list_topics()) & set(names)
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(there)]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        topic["name"]: Existing(
            partitions=len(topic["partitions"]),
            replication=max(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            config={
                key: data["value"]
                for key, data in configs[topic["name"]].items()
                if data["value"] is not None
            },
        )
        for topic in admin.describe_topics(sorted(there))
        if topic["partitions"]
    }


def apply(admin: KafkaAdminClient, to_do: Plan) -> None:
    """Make the changes of a plan and wait until they are visible.

    Raises:
        PlanRefusedError: a change is refused, by the plan (then nothing was changed) or by the cluster.
        TemporaryError: the changes were accepted but are not visible after 30 s, or no broker answers.
    """
    if to_do.refused:
        raise PlanRefusedError("; ".join(map(str, to_do.refused)))
    try:
        _create(admin, to_do)
        _grow(admin, to_do)
        _configure(admin, to_do)
        _wait_until_visible(admin, to_do)
    except (KafkaError, OSError) as error:
        raise TemporaryError(f"provisioning was interrupted, repeat it: {type(error).__name__}") from error


def provision(access: KafkaAccess, wanted: Iterable[Topic], *, replication: int, min_insync: int) -> Plan:
    """Bring a cluster to the table and return the plan that was applied."""
    table = tuple(wanted)
    with connect(access) as admin:
        cluster = read_cluster(admin, (topic.name for topic in table))
        made = plan(cluster, table, replication=replication, min_insync=min_insync)
        apply(admin, made)
    return made


def _create(admin: KafkaAdminClient, to_do: Plan) -> None:
    if not to_do.create:
        return
    new = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": to_do.replication,
            "configs": topic.config,
        }
        for topic in to_do.create
    }
    for answer in admin.create_topics(new, raise_errors=False)["topics"]:
        # Somebody else may provision at the same time; the next plan compares what they made.
        if answer["error_code"] not in (0, _EXISTS_ALREADY):
            raise PlanRefusedError(f"{answer['name']} was not created: {answer['error_message']}")


def _grow(admin: KafkaAdminClient, to_do: Plan) -> None:
    if not to_do.grow:
        return
    counts = {change.topic: int(change.after) for change in to_do.grow}
    for answer in admin.create_partitions(counts, raise_errors=False).results:
        if answer.error_code:
            raise PlanRefusedError(f"{answer.name} did not grow: {answer.error_message}")


def _configure(admin: KafkaAdminClient, to_do: Plan) -> None:
    values: dict[str, dict[str, str]] = {}
    for change in to_do.configure:
        values.setdefault(change.topic, {})[change.what] = change.after
    if not values:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, config) for name, config in values.items()]
    for name, answer in admin.alter_configs(resources)["topic"].items():
        if answer != "OK":
            raise PlanRefusedError(f"{name} was not configured: {answer}")


def _wait_until_visible(admin: KafkaAdminClient, to_do: Plan) -> None:
    created = [topic.name for topic in to_do.create]
    try:
        admin.wait_for_topics(created, timeout_ms=int(_VISIBLE_WITHIN_S * 1000))
    except KafkaTimeoutError as error:
        raise TemporaryError(f"new topics have no leader after {_VISIBLE_WITHIN_S:.0f} s") from error
    until = time.monotonic() + _VISIBLE_WITHIN_S
    while waiting := _not_yet_visible(admin, to_do):
        if time.monotonic() > until:
            raise TemporaryError(f"not visible after {_VISIBLE_WITHIN_S:.0f} s: {', '.join(waiting)}")
        time.sleep(_POLL_S)


def _not_yet_visible(admin: KafkaAdminClient, to_do: Plan) -> list[str]:
    changes = (*to_do.grow, *to_do.configure)
    if not changes:
        return []
    cluster = read_cluster(admin, {change.topic for change in changes})
    grown = [
        c.topic for c in to_do.grow if c.topic not in cluster or str(cluster[c.topic].partitions) != c.after
    ]
    return grown + [
        f"{c.topic} {c.what}"
        for c in to_do.configure
        if c.topic not in cluster or cluster[c.topic].config.get(c.what) != c.after
    ]
