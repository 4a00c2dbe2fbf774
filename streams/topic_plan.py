"""The difference between the topics of the table and those of a cluster, as a plan that can be shown; pure.

Nothing shrinks, and nothing that is fixed for ever grows: such a difference is refused. Configuration keys
that the table does not name are left as operators set them.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from streams.topics import Topic


class Existing(msgspec.Struct, frozen=True):
    """A topic as the cluster has it; ``config`` holds the values in force, defaults included."""

    partitions: int
    replication: int
    config: dict[str, str]


class Change(msgspec.Struct, frozen=True):
    """One difference between table and cluster, in words of Kafka; ``reason`` only for a refusal."""

    topic: str
    what: str
    before: str
    after: str
    reason: str = ""

    def __str__(self) -> str:
        text = f"{self.topic}: {self.what} {self.before} -> {self.after}"
        return f"{text} ({self.reason})" if self.reason else text


class Plan(msgspec.Struct, frozen=True):
    """What provisioning would do.

    Attributes:
        create: topics that are missing.
        grow: topics that get more partitions.
        configure: configuration values that change.
        refused: differences that are never resolved by us.
        unchanged: names of topics that are as wanted.
        replication: copies of each partition of a new topic.
    """

    create: tuple[Topic, ...]
    grow: tuple[Change, ...]
    configure: tuple[Change, ...]
    refused: tuple[Change, ...]
    unchanged: tuple[str, ...]
    replication: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing to refuse."""
        return not (self.create or self.grow or self.configure or self.refused)

    def sums(self, *, is_applied: bool = False) -> str:
        """How much there is to do, or was done, in one line."""
        create, grow, change = (
            ("created", "grown", "changed") if is_applied else ("to create", "to grow", "to change")
        )
        return (
            f"topics: {len(self.create)} {create}, {len(self.grow)} {grow}, {len(self.unchanged)} unchanged, "
            f"{len(self.refused)} refused; values: {len(self.configure)} {change}"
        )

    def lines(self) -> list[str]:
        """One line per change."""
        return [
            *(
                f"create     {t.name}: partitions {t.partitions}, cleanup.policy={t.config['cleanup.policy']}"
                for t in self.create
            ),
            *(f"grow       {change}" for change in self.grow),
            *(f"configure  {change}" for change in self.configure),
            *(f"REFUSED    {change}" for change in self.refused),
        ]


def plan(
    cluster: Mapping[str, Existing], wanted: Iterable[Topic], *, replication: int, min_insync: int
) -> Plan:
    """Compare the cluster with the table; pure."""
    create: list[Topic] = []
    changes: dict[str, list[Change]] = {"grow": [], "configure": [], "refused": []}
    unchanged: list[str] = []
    for bare in wanted:
        config = bare.config | {"min.insync.replicas": str(min_insync)}
        topic = msgspec.structs.replace(bare, config=config)
        there = cluster.get(topic.name)
        if there is None:
            create.append(topic)
            continue
        found = list(_differences(topic, there, replication))
        for kind, change in found:
            changes[kind].append(change)
        if not found:
            unchanged.append(topic.name)
    return Plan(
        create=tuple(create),
        grow=tuple(changes["grow"]),
        configure=tuple(changes["configure"]),
        refused=tuple(changes["refused"]),
        unchanged=tuple(unchanged),
        replication=replication,
    )


def _differences(topic: Topic, there: Existing, replication: int) -> Iterator[tuple[str, Change]]:
    if topic.partitions != there.partitions:
        change = Change(topic.name, "partitions", str(there.partitions), str(topic.partitions))
        reason = ""
        if topic.partitions < there.partitions:
            reason = "partitions cannot be taken away"
        elif not topic.may_grow:
            reason = "fixed for ever: a url key would change its partition; fill a new topic set by replay"
        yield ("refused" if reason else "grow"), msgspec.structs.replace(change, reason=reason)
    if there.replication != replication:
        reason = "replicas are moved by the cluster's own reassignment"
        yield "refused", Change(topic.name, "replication", str(there.replication), str(replication), reason)
    for key, value in sorted(topic.config.items()):
        if there.config.get(key) != value:
            yield "configure", Change(topic.name, key, there.config.get(key, "unset"), value)
