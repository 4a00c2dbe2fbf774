"""The topics: the only place where they are named, and what each is for.

Keys are url keys unless said otherwise. Every topic stamps records with the broker's clock (LogAppendTime):
the replay window is judged against it, and with senders' times a simulated year 2022 would expire on arrival.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from casework.directory import ORPHAN_DESK
from casework.errors import BugError
from casework.feed_names import FEED, is_feed

Rule = Literal["slots", "url_key", "few"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_YEAR_DAYS: Final = 365
_INBOX_PARTITIONS: Final = 2
_DEAD_LETTER_PARTITIONS: Final = 3
# The largest record of any topic still fits when headers say where it came from and why.
_PROVENANCE_BYTES: Final = 64 * 1024
# The broker deletes whole closed segments: one a day keeps retention true to a day.
_SEGMENT_MS: Final = _DAY_MS
# Longer than the longest outage, so that intake finds what came meanwhile.
_SUBMISSIONS_DAYS: Final = 30
_INBOX_DAYS: Final = 90
_FACTS_DAYS: Final = 10 * _YEAR_DAYS
_ESCALATIONS_DAYS: Final = 2 * _YEAR_DAYS
# A reader of a compacted topic that was away longer would miss a deletion.
_TOMBSTONE_MS: Final = 7 * _DAY_MS
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class Topic(msgspec.Struct, frozen=True):
    """One topic as it is to be.

    Attributes:
        name: full name with prefix.
        key: what the record key is.
        rule: ``slots``: a partition belongs to a country, may grow; ``url_key``: by url key over P, fixed for
            ever; ``few``: by key, may grow.
        partitions: number of partitions.
        config: topic configuration that provisioning keeps in force.
        writers: who writes.
        readers: who reads.
    """

    name: str
    key: str
    rule: Rule
    partitions: int
    config: dict[str, str]
    writers: str
    readers: str

    @property
    def may_grow(self) -> bool:
        """Whether partitions may be added; with ``url_key`` a key would change its partition."""
        return self.rule != "url_key"


class Topics:
    """Names and table of all topics under one prefix."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.reports_submitted = f"{prefix}reports.submitted"
        self.reports_urgent = f"{prefix}reports.urgent"
        self.actions_submitted = f"{prefix}actions.submitted"
        self.cases_admitted = f"{prefix}cases.admitted"
        self.cases_events = f"{prefix}cases.events"
        self.cases_status = f"{prefix}cases.status"
        self.cases_contents = f"{prefix}cases.contents"
        self.dead_letters = f"{prefix}dead-letters"
        self.directory = f"{prefix}directory"
        self.journal = f"{prefix}operations.journal"

    def inbox(self, member: str) -> str:
        """The normal inbox of a member."""
        return f"{self.prefix}inbox.{_checked(member)}"

    def inbox_urgent(self, member: str) -> str:
        """The inbox of a member that is read first."""
        return f"{self.inbox(member)}.urgent"

    def escalations(self, code: str) -> str:
        """The escalations of a country's police, or of ``interpol`` or ``europol``; NL is nl."""
        return f"{self.prefix}escalations.{_checked(code.lower())}"

    def feed(self, liaison: str) -> str:
        """What a liaison subscribed to beyond escalations, and its digests."""
        return f"{self.prefix}feed.{_checked(liaison)}"

    def delivered(self, recipient: str, *, is_urgent: bool = False) -> str:
        """The topic of a delivery: an inbox of a member or desk, or a liaison's feed."""
        if is_feed(recipient):
            return self.feed(recipient.removeprefix(FEED))
        return self.inbox_urgent(recipient) if is_urgent else self.inbox(recipient)

    def read_by(self, recipient: str) -> tuple[str, ...]:
        """All topics in which a recipient of deliveries finds them, least urgent first."""
        return tuple(dict.fromkeys(self.delivered(recipient, is_urgent=urgent) for urgent in (False, True)))

    @property
    def submissions(self) -> tuple[str, str, str]:
        """What intake reads, most urgent first."""
        return (self.reports_urgent, self.actions_submitted, self.reports_submitted)

    def member_of_inbox(self, topic: str) -> str | None:
        """The member whose inbox a topic is; None if it is no inbox."""
        head = f"{self.prefix}inbox."
        return topic.removeprefix(head).removesuffix(".urgent") if topic.startswith(head) else None

    def liaison_of_escalations(self, topic: str) -> str | None:
        """The code of the liaison whose escalations a topic holds; None if it holds none."""
        head = f"{self.prefix}escalations."
        return topic.removeprefix(head) if topic.startswith(head) else None

    def liaison_of_feed(self, topic: str) -> str | None:
        """The member id of the liaison whose feed a topic is; None if it is none."""
        head = f"{self.prefix}{FEED}"
        return topic.removeprefix(head) if topic.startswith(head) else None

    def is_for_members(self, topic: str) -> bool:
        """Whether members or liaisons read a topic, so that its messages are signed."""
        bare = topic.removeprefix(self.prefix)
        return bare.startswith(("inbox.", "escalations.", "feed."))

    def all_for(  # noqa: PLR0913 - the table depends on these and on nothing else
        self,
        members: Iterable[str],
        escalation_codes: Iterable[str],
        *,
        slot_count: int,
        partitions: int,
        feeds: Iterable[str] = (),
        erasure_days: int = 90,
        topic_max_bytes: int = 2 * 1024 * 1024,
    ) -> tuple[Topic, ...]:
        """The whole table, by name.

        Args:
            members: ids of everybody with an inbox; the orphan desk is added.
            escalation_codes: country codes with a police liaison, and ``interpol``, ``europol``.
            slot_count: partitions of the report topics.
            partitions: P.
            feeds: ids of the police liaisons: each may subscribe, and gets digests.
            erasure_days: days after which content is gone.
            topic_max_bytes: largest record of any topic.
        """
        limit = erasure_days
        by_case = _Shape("url_key", partitions, topic_max_bytes)
        few = _Shape("few", _INBOX_PARTITIONS, topic_max_bytes)
        one = _Shape("few", 1, topic_max_bytes)
        slots = _Shape("slots", slot_count, topic_max_bytes)
        brief = _deleted(min(_SUBMISSIONS_DAYS, limit))
        table = [
            slots.topic(self.reports_submitted, brief, "hotlines", "intake"),
            slots.topic(self.reports_urgent, brief, "hotlines", "intake"),
            by_case.topic(self.actions_submitted, brief, "members", "intake"),
            by_case.topic(self.cases_admitted, _deleted(limit), "intake, deadlines", "casekeeper"),
            by_case.topic(self.cases_events, _deleted(_FACTS_DAYS), "casekeeper", "statistics, audit, desk"),
            by_case.topic(
                self.cases_status, _compacted(_DAY_MS), "casekeeper", "casekeeper, reconcile, desk"
            ),
            by_case.topic(
                self.cases_contents,
                _compacted(0),
                "casekeeper",
                "casekeeper",
                key="url key and report event id",
            ),
            _Shape("few", _DEAD_LETTER_PARTITIONS, topic_max_bytes + _PROVENANCE_BYTES).topic(
                self.dead_letters,
                _deleted(limit),
                "intake, casekeeper",
                "operators",
                key="source topic",
            ),
            one.topic(self.directory, _compacted(0), "secretariat", "everyone", key="version"),
            one.topic(self.journal, _deleted(_FACTS_DAYS), "operators", "operators, audit", key="entry id"),
        ]
        kept = _deleted(min(_INBOX_DAYS, limit))
        writers = "casekeeper, intake (refusals)"
        for member in sorted({*members, ORPHAN_DESK}):
            table.append(few.topic(self.inbox(member), kept, writers, member))
            table.append(one.topic(self.inbox_urgent(member), kept, writers, member))
        long = _deleted(min(_ESCALATIONS_DAYS, limit))
        for code in sorted({code.lower() for code in escalation_codes}):
            reader = f"police liaison of {code}"
            table.append(one.topic(self.escalations(code), long, "casekeeper, intake (urgent)", reader))
        table.extend(
            one.topic(self.feed(liaison), long, "casekeeper", liaison) for liaison in sorted(set(feeds))
        )
        return tuple(sorted(table, key=lambda topic: topic.name))


class _Shape(msgspec.Struct, frozen=True):
    """How the partitions of a topic are meant, and how large its records get."""

    rule: Rule
    partitions: int
    max_bytes: int

    def topic(
        self, name: str, config: dict[str, str], writers: str, readers: str, key: str = "url key"
    ) -> Topic:
        common = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(self.max_bytes)}
        return Topic(name, key, self.rule, self.partitions, common | config, writers, readers)


def _deleted(days: int) -> dict[str, str]:
    """Gone ``days`` after the write at the latest: a record lives until its whole segment has expired."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * _DAY_MS - _SEGMENT_MS),
        "segment.ms": str(_SEGMENT_MS),
    }


def _compacted(lag_ms: int) -> dict[str, str]:
    """The newest record of each key; what is older or erased vanishes within days."""
    return {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(lag_ms),
        "max.compaction.lag.ms": str(2 * _DAY_MS),
        "delete.retention.ms": str(_TOMBSTONE_MS),
        "segment.ms": str(_SEGMENT_MS),
    }


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BugError(f"{name!r} cannot be part of a topic name")
    return name
