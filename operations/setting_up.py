"""From settings and directory to a cluster that is ready: its topics and its published directory."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from kafka.admin import KafkaAdminClient

from casework.directory import Directory
from operations.directory import document
from operations.directory.files import NETWORK_FILE, Candidates
from streams import provision, quotas
from streams.directory_feed import document_of, publish
from streams.settings import Settings
from streams.topic_plan import Plan
from streams.topics import Topic, Topics


def directory_file(settings: Settings) -> Path:
    """The directory file in use: that of the settings, else the shipped one."""
    return settings.directory or NETWORK_FILE


def candidates_by_default(settings: Settings) -> Candidates:
    """Demo and test play with every candidate; production routes to nobody who was not admitted."""
    return "keep" if settings.environment == "production" else "admit"


def read_directory(settings: Settings, at_ms: int, *, candidates: Candidates | None = None) -> Directory:
    """The directory of the file as it would be published at `at_ms` (milliseconds since the epoch).

    Raises:
        SetupError: The file cannot be opened, or breaks rules; each is named with its line.
    """
    return document.build(
        directory_file(settings),
        environment=settings.environment,
        published_at=at_ms,
        candidates=candidates or candidates_by_default(settings),
    )


def wanted_topics(settings: Settings, directory: Directory) -> tuple[Topic, ...]:
    """The whole topic table for a directory."""
    return Topics(settings.topic_prefix).all_for(
        (member.id for member in directory.members),
        directory.liaison_codes(),
        slot_count=directory.slot_count,
        partitions=settings.partitions,
        erasure_days=settings.erasure_days,
        topic_max_bytes=settings.topic_max_bytes,
    )


def plan_topics(settings: Settings, directory: Directory) -> Plan:
    """What provisioning would change on the cluster, quotas included; nothing is changed.

    Raises:
        TemporaryError: No broker answers.
    """
    table = wanted_topics(settings, directory)
    with provision.connect(settings.bootstrap) as admin:
        cluster = provision.read_cluster(admin, (topic.name for topic in table))
        rates = _plan_rates(admin, settings, directory)
    made = provision.plan(cluster, table, replication=settings.replication, min_insync=settings.min_insync)
    return msgspec.structs.replace(made, rates=rates)


def provision_topics(
    settings: Settings, directory: Directory, *, on_plan: Callable[[Plan], object] | None = None
) -> Plan:
    """Bring the cluster to the table, then the members' quotas; answer the plan that was applied.

    Args:
        settings: The settings.
        directory: The directory.
        on_plan: Told the plan before it is applied.

    Raises:
        PlanRefusedError: A change is never made; nothing was changed.
        TemporaryError: No broker answers.
    """
    made = plan_topics(settings, directory)
    if on_plan is not None:
        on_plan(made)
    with provision.connect(settings.bootstrap) as admin:
        provision.apply(admin, made)
        quotas.set_rates(admin, made.rates)
    return made


def _plan_rates(
    admin: KafkaAdminClient, settings: Settings, directory: Directory
) -> tuple[quotas.RateChange, ...]:
    """Each member has the rate of the settings; whoever else has an inbox was a member and has none."""
    topics = Topics(settings.topic_prefix)
    members = {member.id for member in directory.members}
    once_members = {found for name in admin.list_topics() if (found := topics.member_of_inbox(name))}
    rate = settings.member_bytes_per_s
    wanted = dict.fromkeys(members, rate) if rate else {}
    return quotas.plan_rates(quotas.read_rates(admin), wanted, members | once_members)


async def publish_directory(settings: Settings, directory: Directory) -> int:
    """Publish a directory on its topic and answer the offset; repeating the same bytes is harmless."""
    return await publish(
        {"bootstrap_servers": settings.bootstrap},
        Topics(settings.topic_prefix).directory,
        document_of(directory),
    )
