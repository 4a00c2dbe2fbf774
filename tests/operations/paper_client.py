"""A member's client whose exchange is on paper: what it prepares is real, and sent without a broker."""

from types import TracebackType
from typing import Any, Self

import pytest
from paper_exchange import PaperExchange
from sealed_paper import SealedExchange

from casework.messages import Receipt
from connectors.client import MemberClient
from connectors.membership import Membership, event_id_at
from connectors.positions import MemoryPositions
from connectors.preparing import Prepared
from connectors.sending import Submitted, topic_of
from operations.command_line import submitting
from streams import wire
from streams.settings import DEMO_NETWORK_KEY


class PaperClient(MemberClient):
    """A client that is open from the start.

    Attributes:
        sent: What was sent.
    """

    paper: PaperExchange
    sent: list[Prepared]

    @classmethod
    def from_settings(cls, _settings: Any, member: str, **_rest: Any) -> Self:  # noqa: ANN401 - as of the client
        """Make the client of a member of the paper exchange, with its ring where it has one."""
        rings = cls.paper.equipment.rings if isinstance(cls.paper, SealedExchange) else {}
        membership = Membership(
            member=member, environment="test", network_key=DEMO_NETWORK_KEY, kafka={}, keys=rings.get(member)
        )
        return cls(
            membership,
            clock=cls.paper.clock,
            positions=MemoryPositions(),
            directory=lambda _now: cls.paper.directory,
            new_id=event_id_at,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def send(self, prepared: Prepared) -> Submitted:
        """Let the paper exchange judge it at once."""
        self.sent.append(prepared)
        topic = topic_of(prepared, self.topics)
        self.paper.send(topic, prepared.url_key, prepared.value)
        return Submitted(prepared.event_id, prepared.url_key, topic, 0, 0, self.paper.now)

    async def wait_for_receipt(self, event_id: str, _timeout_s: float = 0.0) -> Receipt:
        """Answer the newest receipt of a submission."""
        topics = self.topics
        inbox = {topics.inbox(self.membership.member), topics.inbox_urgent(self.membership.member)}
        messages = [
            wire.decode(record.value or b"") for record in self.paper.records if record.topic in inbox
        ]
        return [one for one in messages if isinstance(one, Receipt) and one.event_id == event_id][-1]


def clients_of(paper: PaperExchange, monkeypatch: pytest.MonkeyPatch) -> list[Prepared]:
    """Let commands send to an exchange on paper; answer the list of what is sent."""
    sent: list[Prepared] = []
    client = type("Client", (PaperClient,), {"paper": paper, "sent": sent})
    monkeypatch.setattr(submitting, "MemberClient", client)
    monkeypatch.setenv("HX_BOOTSTRAP", "127.0.0.1:9")
    return sent
