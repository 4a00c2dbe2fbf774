"""What every simulated member does: read, confirm what it is asked to, send, act on a case."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from casework.messages import Delivery, Escalation, Receipt
from connectors.client import MemberClient
from connectors.drafts import ActionDraft
from connectors.errors import NoReceiptError, NotConfirmedError
from connectors.inbox_messages import InboxMessage
from connectors.inbox_reader import InboxReader
from connectors.preparing import Prepared
from operations.simulator import constants
from operations.simulator.marks import marked_action
from operations.simulator.world import Held, World

Action = tuple[str, int, Mapping[str, Any]]
"""Code, time in milliseconds since epoch UTC, and further fields of an action."""

_SENDS: Final = 10


class Player:
    """A member that is played.

    Args:
        client: Its client, started.
        world: What all members share.
    """

    SEALS: ClassVar = True
    """Whether it has a key to seal with, so that its actions may carry a note."""

    def __init__(self, client: MemberClient, world: World) -> None:
        self.client = client
        self.member = client.membership.member
        self.world = world
        self.last_prepared: Prepared | None = None

    async def read(self) -> None:
        """Read the inbox until cancelled."""
        await self.follow(self.client.inbox())

    async def follow(self, reader: InboxReader) -> None:
        """Read a topic until cancelled."""
        async for message in reader:
            self.take(message)
            await message.done()

    def take(self, message: InboxMessage) -> None:
        """Take in one message, and plan what follows from it."""
        body, ledger = message.body, self.world.ledger
        if isinstance(body, Receipt):
            ledger.got_receipt(body)
            self.answered(body)
        elif isinstance(body, Delivery):
            ledger.opens(message)
            ledger.got_delivery(body, self.world.country_of(body.origin or ""))
            self._confirm(body)
            self.told(body)
        elif isinstance(body, Escalation):
            ledger.opens(message)
            ledger.got_escalation(body)
            self.escalated(body)
        else:
            ledger.unreadable += 1

    def answered(self, receipt: Receipt) -> None:
        """Take in the answer to an own submission."""

    def told(self, delivery: Delivery) -> None:
        """Take in a delivery."""

    def escalated(self, escalation: Escalation) -> None:
        """Take in an escalation."""

    async def send(self, prepared: Prepared) -> None:
        """Send until Kafka confirms, and enter it in the ledger; what must come first is waited for.

        Raises:
            NotConfirmedError: Kafka did not confirm ten times.
            NoReceiptError: What must come first was not answered ten times.
        """
        for attempt in range(1, _SENDS + 1):
            try:
                await self.client.send(prepared)
            except (NotConfirmedError, NoReceiptError):
                if attempt == _SENDS:
                    raise
            else:
                action = getattr(prepared.statement, "action", None)
                self.world.ledger.sent(prepared.event_id, prepared.kind, self.member, action)
                return

    async def act(self, held: Held, action: str, occurred_at: int, **fields: Any) -> str:  # noqa: ANN401 - those of a draft
        """Send one action on a case and answer its event id."""
        prepared = self.prepare(held, action, occurred_at, **fields)
        await self.send(prepared)
        return prepared.event_id

    def prepare(self, held: Held, action: str, occurred_at: int, **fields: Any) -> Prepared:  # noqa: ANN401 - those of a draft
        """Make the submission of one action on a case."""
        draft = ActionDraft(
            **{
                "action": action,
                "case_id": held.case_id,
                "url_key": held.url_key,
                "hosting_country": held.hosting_country,
                "occurred_at": occurred_at,
                **fields,
            }
        )
        if self.world.mark and self.SEALS:
            draft = marked_action(draft, self.world.mark)
        self.last_prepared = self.client.prepare(draft)
        return self.last_prepared

    def answer(self, delivery: Delivery, action: str, *, after_ms: int = 0, **fields: Any) -> None:  # noqa: ANN401 - those of a draft
        """Plan an action that answers a delivery."""
        at, held = delivery.admitted_at + after_ms, Held.of(delivery)

        async def act() -> None:
            await self.act(held, action, max(at, self.world.clock.now_ms()), **fields)

        self.world.schedule.at(at, act)

    def _confirm(self, delivery: Delivery) -> None:
        if delivery.needs_confirmation and self.world.draws.happens(constants.CONFIRMED_SHARE):
            self.answer(delivery, "confirmed", fact_number=delivery.fact_number)
