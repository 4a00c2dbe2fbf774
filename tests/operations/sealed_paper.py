"""The exchange on paper where everybody has keys: statements and messages are signed, contents sealed."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import paper_exchange
import pytest
from paper_exchange import PaperExchange, T, network

from agents.exchange_seal import ExchangeSeal
from casework.content_readers import readers_of, sealing_key
from casework.directory import Directory
from casework.dsse import signed_statement
from casework.messages import (
    ActionContent,
    ActionStatement,
    DirectoryDocument,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.protection import binding_of
from casework.sealed_content import parse, to_bytes
from connectors.sealing import rewrap, seal
from operations.directory.equipping import Equipment, equip
from operations.reading import Record
from streams import wire
from streams.key_rings import KeyRing, Signer

URL = "https://evidence.example.test/1"


@cache
def equipped() -> Equipment:
    """Answer everybody's keys, made once: making them takes longer than what most tests do."""
    return equip(network(), at=T - 1_000)


class SealedExchange(PaperExchange):
    """A paper exchange under an equipped directory.

    Attributes:
        equipment: Everybody's keys.
    """

    def __init__(self, patch: pytest.MonkeyPatch, prefix: str = "") -> None:
        self.equipment = equipped()
        directory: Directory = self.equipment.directory
        patch.setattr(paper_exchange, "network", lambda: directory)
        super().__init__(prefix)
        self.records = [self.records[0]._replace(value=wire.encode(self.equipment.signed()))]

    @property
    def published(self) -> list[DirectoryDocument]:
        """The directories on the topic."""
        framed = [record.value or b"" for record in self.records if record.topic == self.topics.directory]
        return [wire.decode_as(DirectoryDocument, value) for value in framed]

    def publish(self, directory: Directory) -> None:
        """Publish a later version, signed; decisions stay with the first."""
        framed = wire.encode(self.equipment.signed(directory))
        self._append(self.topics.directory, 0, str(directory.version).encode(), framed)

    def sealed_report(
        self,
        url: str = URL,
        sender: str = "gb-iwf",
        urgency: tuple[str, ...] = (),
        country: str = "NL",
        readers: Sequence[str] | None = None,
    ) -> str:
        """Send a signed report, sealed for whom the rule names or for others, and answer its event id."""
        statement = ReportStatement(
            event_id=self.new_id(), environment="test", sender=sender, url_key=self.key(url),
            hosting_country=country, sent_at=self.now, directory_version=1, occurred_at=self.now,
            received_at=self.now // 60_000 * 60_000, reference="r-1", content_type="media",
            content_protection="jwe", urgency=urgency,
        )  # fmt: skip
        content = wire.encode(ReportContent(url=url, note="a | note"))
        return self._send(statement, content, readers or readers_of(self.directory, country, sender))

    def sealed_action(self, sender: str, action: str, url: str = URL, **changes: Any) -> str:  # noqa: ANN401 - fields
        """Send a signed action with sealed content and answer its event id."""
        case = self.case(url)
        values: dict[str, Any] = {
            "event_id": self.new_id(), "environment": "test", "sender": sender, "url_key": self.key(url),
            "hosting_country": "NL", "sent_at": self.now, "directory_version": 1, "action": action,
            "occurred_at": self.now, "case_id": None if case is None else case.case_id,
            "content_protection": "jwe",
        }  # fmt: skip
        statement = ActionStatement(**{**values, **changes})
        content = wire.encode(ActionContent(note="done"))
        return self._send(statement, content, ("gb-iwf", "nl-offlimits"))

    def rewrap(self, sender: str, event_id: str, readers: Sequence[str], url: str = URL) -> str:
        """Append readers to the content of a report, as its sender's client does."""
        directory = self.equipment.directory
        stored = next(r for r in self.records if r.topic == self.topics.reports_submitted)
        submission = wire.decode_as(Submission, stored.value or b"")
        report = wire.statement_of(submission)
        assert report.event_id == event_id
        sealed = paper_sealed(submission)
        keys = [sealing_key(directory, reader, self.now) for reader in readers]
        content = to_bytes(rewrap(sealed, self.equipment.rings[sender], keys))
        case = self.case(url)
        assert case is not None
        statement = ActionStatement(
            event_id=self.new_id(), environment="test", sender=sender, url_key=self.key(url),
            hosting_country="NL", sent_at=self.now, directory_version=1, action="rewrap",
            case_id=case.case_id, report_event_id=event_id, occurred_at=self.now, content_protection="jwe",
            content_digest=report.content_digest,
        )  # fmt: skip
        return self._signed(statement, content)

    def ring(self, member: str) -> KeyRing:
        """Answer a member's ring."""
        return self.equipment.exchange if member == "exchange" else self.equipment.rings[member]

    def _send(
        self, statement: ReportStatement | ActionStatement, content: bytes, readers: Sequence[str]
    ) -> str:
        directory = self.equipment.directory
        keys = [
            sealing_key(directory, reader, self.now) for reader in readers if reader in self.equipment.rings
        ]
        sealed = seal(content, keys, binding_of(statement))
        named = msgspec.structs.replace(statement, content_digest=sealed.digest)
        return self._signed(named, to_bytes(sealed))

    def _signed(self, statement: ReportStatement | ActionStatement, content: bytes) -> str:
        kind = "report" if isinstance(statement, ReportStatement) else "action"
        signer = self.signer(statement.sender)
        framed = wire.encode(statement)
        submission = Submission(
            statement=framed,
            signature=signer.sign(signed_statement(kind, framed)),
            key_id=signer.key_id,
            content=content,
        )
        topic = self.topics.reports_submitted if kind == "report" else self.topics.actions_submitted
        return self.submit(topic, submission)

    def signer(self, member: str) -> Signer:
        """Answer what a member signs with."""
        return self.ring(member).signer(self.equipment.directory, member, self.now)

    def _append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Record:
        if self.topics.is_for_members(topic):
            exchange = ExchangeSeal(
                self.equipment.exchange,
                lambda: self.equipment.directory,
                lambda: self.now,
                self.topics.prefix,
            )
            headers = exchange.headers(topic, value or b"")
        return super()._append(topic, partition, key, value, headers)


def paper_sealed(submission: Submission) -> Any:  # noqa: ANN401 - the sealed content
    """Answer the sealed content of a submission."""
    return parse(submission.content or b"")
