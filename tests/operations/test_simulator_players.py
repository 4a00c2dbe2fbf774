from types import SimpleNamespace
from typing import Any

import pytest

from connectors.errors import ClientError, NoReceiptError, NotConfirmedError
from operations.simulator.ledger import Ledger
from operations.simulator.players import Player

PREPARED: Any = SimpleNamespace(event_id="e-1", kind="action", statement=SimpleNamespace(action="withdraw"))


class Busy:
    """A client of an exchange that is slow: it answers only after a few tries."""

    def __init__(self, *failures: ClientError) -> None:
        self.membership = SimpleNamespace(member="gb-iwf")
        self.failures = list(failures)

    async def send(self, _prepared: object) -> None:
        """Fail, or take it."""
        if self.failures:
            raise self.failures.pop(0)


def player(client: Busy, ledger: Ledger) -> Player:
    """Answer a player of this client."""
    return Player(client, SimpleNamespace(ledger=ledger))  # type: ignore[arg-type] # all it needs to send


async def test_what_a_slow_exchange_did_not_answer_yet_is_sent_again() -> None:
    """Neither a missing confirmation nor an answer that must come first ends a member's work."""
    ledger = Ledger()
    client = Busy(NotConfirmedError("slow", PREPARED), NoReceiptError("slow"))
    await player(client, ledger).send(PREPARED)
    assert list(ledger.confirmed) == ["e-1"]


async def test_a_member_that_is_never_answered_says_so() -> None:
    """After ten tries the play ends with what was wrong."""
    with pytest.raises(NoReceiptError, match="never"):
        await player(Busy(*[NoReceiptError("never")] * 10), Ledger()).send(PREPARED)
