"""A case told as a story: members send, time passes, and everything that came out is kept."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from sealed_samples import sealed_for, sealing_key_of

from casework.casekeeping import ActionEvent, Event, Kept, ReportEvent, Source, WakeUp, keep
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import (
    ActionStatement,
    Admitted,
    Case,
    Delivery,
    Escalation,
    Fact,
    Receipt,
    ReportStatement,
    Submission,
)
from casework.postings import Posting
from casework.sealed_content import SealedContent, binding, to_bytes
from operations.directory.document import build

START = 1_760_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
KEY = b"\x01" + bytes(range(32))
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
SEALING_DIRECTORY = msgspec.structs.replace(
    DIRECTORY,
    members=tuple(msgspec.structs.replace(m, keys=(sealing_key_of(m.id),)) for m in DIRECTORY.members),
)
"""The network, each member with a sealing key."""


def claiming(directory: Directory = DIRECTORY) -> Directory:
    """Answer a network in which the hotlines of DE claim what is hosted there."""
    rules = tuple(
        msgspec.structs.replace(rule, routing="claim") if rule.code == "DE" else rule
        for rule in directory.countries
    )
    return msgspec.structs.replace(directory, countries=rules)


def sealed_report(readers: Iterable[str], event_id: str) -> SealedContent:
    """Answer the sealed content of the report of an event id."""
    return sealed_for(readers, binding("test", "gb-iwf", event_id, KEY))


def _encoded(statement: ReportStatement | ActionStatement) -> bytes:
    """Answer bytes that stand for a statement: its fields without those that say nothing."""
    said = {name: value for name, value in msgspec.structs.asdict(statement).items() if value}
    return msgspec.msgpack.encode(said)


class Story:
    """One url key and all that happens to it; each step takes a minute unless `later` says otherwise.

    Members used: gb-iwf and de-eco report, nl-offlimits is responsible for hosts in NL.
    """

    minute, hour = MINUTE, HOUR

    def __init__(self, key: bytes = KEY, directory: Directory = DIRECTORY) -> None:
        self.key, self.directory = key, directory
        self.case: Case | None = None
        self.now = START
        self.offset = 0
        self.facts: list[Fact] = []
        self.postings: list[Posting] = []
        self.events: list[tuple[Event, Directory, Source]] = []
        self.ids = 0
        self.last = Kept(None)

    def report(self, sender: str = "gb-iwf", country: str = "NL", **fields: object) -> Kept:
        """Send a report."""
        return self.happen(self.report_event(sender, country, **fields))

    def act(self, sender: str, action: str, **fields: object) -> Kept:
        """Send an action on this case."""
        return self.happen(self.action_event(sender, action, **fields))

    def wake(self, step: str = "acknowledge") -> Kept:
        """Let the deadlines agent say that time has passed."""
        return self.happen(
            WakeUp(msgspec.structs.replace(self._admitted("wakeup", self.new_id(), "", "", None), step=step))
        )

    def later(self, duration_ms: int) -> "Story":
        """Let time pass."""
        self.now += duration_ms
        return self

    def report_event(
        self, sender: str, country: str = "NL", readers: Iterable[str] = (), **fields: object
    ) -> ReportEvent:
        """Answer an admitted report, sealed for `readers` where there are any."""
        values: dict[str, Any] = {
            "event_id": self.new_id(),
            "environment": "test",
            "sender": sender,
            "url_key": self.key,
            "hosting_country": country,
            "sent_at": self.now,
            "directory_version": self.directory.version,
            "occurred_at": self.now,
            "received_at": self.now - HOUR,
            "reference": f"ref-{self.ids}",
            "content_type": "media",
        }
        content = b"content of " + sender.encode()
        if readers:
            sealed = sealed_report(readers, values["event_id"])
            content = to_bytes(sealed)
            values |= {"content_protection": "jwe", "content_digest": sealed.digest}
        statement = ReportStatement(**{**values, **fields})
        submission = Submission(statement=_encoded(statement), content=content)
        return ReportEvent(self._admit("report", statement, submission), submission, statement)

    def claimable(self) -> "Story":
        """Let the hotlines of DE claim what is hosted there."""
        self.directory = claiming(self.directory)
        return self

    def rewrap(self, sender: str, report: str, readers: Iterable[str], **fields: object) -> Kept:
        """Send a re-wrap of the report of an event id that `report_event` sealed."""
        sealed = sealed_report(readers, report)
        values = {
            "report_event_id": report,
            "case_id": self.case.case_id if self.case is not None else self.new_id(),
            "content_protection": "jwe",
            "content_digest": sealed.digest,
        }
        event = self.action_event(sender, "rewrap", **{**values, **fields})
        submission = msgspec.structs.replace(event.submission, content=to_bytes(sealed))
        return self.happen(msgspec.structs.replace(event, submission=submission))

    def action_event(
        self, sender: str, action: str, content: bytes = b"note", **fields: object
    ) -> ActionEvent:
        """Answer an admitted action; it names the case where there is one."""
        values: dict[str, Any] = {
            "event_id": self.new_id(),
            "environment": "test",
            "sender": sender,
            "url_key": self.key,
            "hosting_country": "NL",
            "sent_at": self.now,
            "directory_version": self.directory.version,
            "action": action,
            "occurred_at": self.now,
        }
        if self.case is not None and self.case.round and "report_event_id" not in fields:
            values["case_id"] = self.case.case_id
        statement = ActionStatement(**{**values, **fields})
        submission = Submission(statement=_encoded(statement), content=content)
        return ActionEvent(self._admit("action", statement, submission), submission, statement)

    def happen(self, event: Event) -> Kept:
        """Hand an event to the rules at the next offset; keep what comes out."""
        self.offset += 1
        self.now += MINUTE
        admitted = msgspec.structs.replace(
            event.admitted, admitted_at=max(self.now, event.admitted.admitted_at)
        )
        return self.repeat(
            msgspec.structs.replace(event, admitted=admitted), Source("cases.admitted", 3, self.offset)
        )

    def repeat(self, event: Event, source: Source) -> Kept:
        """Hand an event to the rules as it stands."""
        self.events.append((event, self.directory, source))
        kept = keep(self.case, event, self.directory, source)
        self.case, self.last = kept.case, kept
        self.facts.extend(kept.facts)
        self.postings.extend(kept.postings)
        return kept

    def new_id(self) -> str:
        """Answer the next event id of this story."""
        self.ids += 1
        return new_event_id(START, self.ids.to_bytes(10, "big"))

    def _admit(
        self, kind: str, statement: ReportStatement | ActionStatement, submission: Submission
    ) -> Admitted:
        framed = msgspec.msgpack.encode(submission)
        return self._admitted(kind, statement.event_id, statement.sender, statement.hosting_country, framed)

    def _admitted(
        self, kind: str, event_id: str, sender: str, country: str, submission: bytes | None
    ) -> Admitted:
        return Admitted(
            url_key=self.key,
            kind=kind,
            event_id=event_id,
            environment="test",
            sender=sender,
            hosting_country=country,
            admitted_at=self.now,
            submitted_at=self.now - 5,
            directory_version=self.directory.version,
            rules_version=1,
            source_topic=f"{kind}s.submitted",
            source_partition=1,
            source_offset=self.ids,
            submission=submission,
        )

    def kinds(self) -> list[str]:
        """Answer the kinds of all facts so far."""
        return [fact.fact for fact in self.facts]

    def deliveries(self, recipient: str | None = None) -> list[Delivery]:
        """Answer the deliveries so far, to one recipient or to all."""
        bodies = [posting.body for posting in self.postings if isinstance(posting.body, Delivery)]
        return [body for body in bodies if recipient in {None, body.recipient}]

    def receipts(self) -> list[Receipt]:
        """Answer the receipts so far."""
        return [posting.body for posting in self.postings if isinstance(posting.body, Receipt)]

    def escalations(self) -> list[Escalation]:
        """Answer the escalations so far."""
        return [posting.body for posting in self.postings if isinstance(posting.body, Escalation)]


@pytest.fixture(scope="session")
def new_story() -> Callable[..., Story]:
    """Return the maker of stories."""
    return Story


@pytest.fixture
def story() -> Story:
    """Return a story that has not begun."""
    return Story()


@pytest.fixture
def opened() -> Story:
    """Return a story in which gb-iwf reported a host in NL, so that nl-offlimits is responsible."""
    told = Story()
    told.report()
    return told


@pytest.fixture
def sealing_story() -> Story:
    """Return a story in a network whose members have sealing keys."""
    return Story(directory=SEALING_DIRECTORY)


@pytest.fixture(scope="session")
def network() -> Directory:
    """Return the shipped network with all candidates admitted and no keys."""
    return DIRECTORY
