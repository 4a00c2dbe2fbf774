"""What every simulated member does: send until Kafka confirms, and act on a case."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.client import MemberClient
from connectors.drafts import ActionDraft
from connectors.errors import NotConfirmedError
from connectors.preparing import Prepared
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

    def __init__(self, client: MemberClient, world: World) -> None:
        self.client = client
        self.member = client.membership.member
        self.world = world
        self.last_prepared: Prepared | None = None

    async def send(self, prepared: Prepared) -> None:
        """Send until Kafka confirms, and enter it in the ledger.

        Raises:
            NotConfirmedError: Kafka did not confirm ten times.
        """
        for attempt in range(1, _SENDS + 1):
            try:
                await self.client.send(prepared)
            except NotConfirmedError:
                if attempt == _SENDS:
                    raise
            else:
                self.world.ledger.sent(prepared.event_id, prepared.kind)
                return

    async def act(self, held: Held, action: str, occurred_at: int, **fields: Any) -> str:  # noqa: ANN401 - those of a draft
        """Send one action on a case and answer its event id."""
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
        prepared = self.client.prepare(marked_action(draft, self.world.mark) if self.world.mark else draft)
        self.last_prepared = prepared
        await self.send(prepared)
        return prepared.event_id
