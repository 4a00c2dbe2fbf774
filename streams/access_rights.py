"""Who may do what on the cluster: every right of every principal, made from directory and topic table; pure.

One principal per member, named by its id, and one per kind of process, named `hx-...`. A right names one
topic or one group literally: a pattern would also cover what is created later. Kafka gives `describe` with
`read` and with `write`, and a producer its idempotence with any `write`, so neither is listed.

A member that is suspended goes on reading its inbox and the directory, and writes nothing: it must still
learn what became of its reports, and nobody may act in its name. Candidates and those who left have no right.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from casework.directory import ORPHAN_DESK, Directory, Member
from streams import groups
from streams.principals import CASEKEEPER, INTAKE, METRICS, OPERATOR, OWN, SECRETARIAT
from streams.read_marks import reader_group
from streams.topics import Topics

Resource = Literal["topic", "group", "cluster", "transactional_id", "delegation_token", "user"]
Pattern = Literal["literal", "prefixed"]
Permission = Literal["allow", "deny"]

#: Kafka's own name for the one cluster resource.
CLUSTER: Final = "kafka-cluster"
_USER: Final = "User:"


class Right(msgspec.Struct, frozen=True, order=True):
    """One access control entry, as Kafka keeps it.

    Attributes:
        principal: Who, as `User:nl-offlimits`.
        resource: What kind of thing it is about.
        name: Its name.
        operation: Kafka's word in lower case, as `read`, `write`, `describe`.
        pattern: Whether the name is meant literally; ours always are.
        permission: Ours always allow.
        host: From where; ours say everywhere.
    """

    principal: str
    resource: Resource
    name: str
    operation: str
    pattern: Pattern = "literal"
    permission: Permission = "allow"
    host: str = "*"

    @property
    def user(self) -> str | None:
        """The name of the user, or None where the principal is of another kind."""
        return self.principal.removeprefix(_USER) if self.principal.startswith(_USER) else None

    def __str__(self) -> str:
        name = f"{self.name}*" if self.pattern == "prefixed" else self.name
        unusual = ("" if self.permission == "allow" else " DENY") + (
            "" if self.host == "*" else f" from {self.host}"
        )
        return f"{self.principal} {self.operation} {self.resource} {name}{unusual}"


def rights(directory: Directory, topics: Topics) -> frozenset[Right]:
    """Answer all rights there are to be.

    Args:
        directory: Who the members are.
        topics: The topic table.
    """
    table = _Table(directory, topics)
    found: set[Right] = set()
    for user, part in _PROCESS_RIGHTS.items():
        found.update(_right(user, *row) for row in part(table))
    for member in directory.members:
        found.update(_right(member.id, *row) for row in _of_member(member, topics))
    return frozenset(found)


def users(directory: Directory) -> frozenset[str]:
    """Answer the names of all users there are to be, without the super user."""
    return frozenset(member.id for member in directory.members if has_access(member)) | frozenset(OWN)


def has_access(member: Member) -> bool:
    """Answer whether a member may connect at all."""
    return member.status in {"active", "suspended"}


_Row = tuple[Resource, str, str]


def _right(user: str, resource: Resource, name: str, operation: str) -> Right:
    return Right(f"{_USER}{user}", resource, name, operation)


class _Table:
    """The topics by what they are for."""

    def __init__(self, directory: Directory, topics: Topics) -> None:
        ids = sorted({*(member.id for member in directory.members), ORPHAN_DESK})
        self.topics = topics
        self.inboxes = [name(member) for member in ids for name in (topics.inbox, topics.inbox_urgent)]
        self.escalations = [topics.escalations(code) for code in directory.liaison_codes()]
        self.feeds = [topics.feed(liaison) for liaison in directory.police()]
        self.reader_groups = [reader_group(topics.prefix, member) for member in ids]
        self.cases = (topics.cases_events, topics.cases_status, topics.cases_contents)
        self.every = [
            *topics.submissions,
            topics.cases_admitted,
            *self.cases,
            *self.inboxes,
            *self.escalations,
            *self.feeds,
            topics.dead_letters,
            topics.directory,
            topics.journal,
        ]

    def group(self, name: str) -> str:
        return f"{self.topics.prefix}{name}"


def _intake(table: _Table) -> Iterator[_Row]:
    topics = table.topics
    yield from _reads(*topics.submissions, topics.directory)
    yield from _writes(topics.cases_admitted, topics.dead_letters, *table.inboxes, *table.escalations)
    yield from (("group", table.group(name), "read") for name in (groups.INTAKE, groups.INTAKE_URGENT))
    # It waits while casekeeper is far behind.
    yield "group", table.group(groups.CASEKEEPER), "describe"


def _casekeeper(table: _Table) -> Iterator[_Row]:
    topics = table.topics
    yield from _reads(topics.cases_admitted, topics.cases_status, topics.cases_contents, topics.directory)
    yield from _writes(topics.cases_admitted, *table.cases, topics.dead_letters)
    yield from _writes(*table.inboxes, *table.escalations, *table.feeds)
    yield "group", table.group(groups.CASEKEEPER), "read"
    # It measures how far each member has read.
    yield from (("group", name, "describe") for name in table.reader_groups)


def _operator(table: _Table) -> Iterator[_Row]:
    topics = table.topics
    yield from _reads(*table.every)
    # What is replayed, sent again or ordered goes where it came from; facts, states and contents are never.
    yield from _writes(*topics.submissions, topics.cases_admitted, topics.journal)
    yield from _writes(*table.inboxes, *table.escalations, *table.feeds)
    names = (groups.INTAKE, groups.INTAKE_URGENT, groups.CASEKEEPER)
    yield from (("group", table.group(name), "describe") for name in names)


def _secretariat(table: _Table) -> Iterator[_Row]:
    yield from _reads(table.topics.directory)
    yield from _writes(table.topics.directory)


def _metrics(table: _Table) -> Iterator[_Row]:
    for name in table.every:
        yield "topic", name, "describe"
        yield "topic", name, "describe_configs"
    yield "cluster", CLUSTER, "describe"
    yield "cluster", CLUSTER, "describe_configs"


_PROCESS_RIGHTS: Final = MappingProxyType(
    {
        INTAKE: _intake,
        CASEKEEPER: _casekeeper,
        OPERATOR: _operator,
        SECRETARIAT: _secretariat,
        METRICS: _metrics,
    }
)


def _of_member(member: Member, topics: Topics) -> Iterator[_Row]:
    if not has_access(member):
        return
    yield from _reads(topics.directory, topics.inbox(member.id), topics.inbox_urgent(member.id))
    yield "group", reader_group(topics.prefix, member.id), "read"
    if not member.active:
        return
    if member.kind == "hotline":
        yield from _writes(topics.reports_submitted, topics.reports_urgent)
    yield from _writes(topics.actions_submitted)
    if member.liaison is not None:
        yield from _reads(topics.escalations(member.liaison), topics.feed(member.id))
    if "orphans" in member.mandates:
        yield from _reads(topics.inbox(ORPHAN_DESK), topics.inbox_urgent(ORPHAN_DESK))


def _reads(*names: str) -> Iterator[_Row]:
    return (("topic", name, "read") for name in names)


def _writes(*names: str) -> Iterator[_Row]:
    return (("topic", name, "write") for name in names)
