"""What tests of holds share: setting one, and reading who was told what."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casework.kept import Kept
    from tests.casework.conftest import Story

HOUR = 3_600_000
DAY = 24 * HOUR


def answer(kept: "Kept") -> tuple[str, str | None, str | None]:
    """Return outcome, rule and field of the one receipt."""
    receipt = kept.postings[-1].body
    return receipt.outcome, receipt.rule, receipt.field


def told(kept: "Kept") -> dict[str, str]:
    """Return who got a delivery, and of which fact."""
    return {
        posting.recipient: posting.body.fact for posting in kept.postings if hasattr(posting.body, "number")
    }


def held(story: "Story", days: int = 10, **fields: object) -> "Kept":
    """Let the liaison of the hosting country set a hold."""
    return story.act("nl-police", "hold", hold_until=story.now + days * DAY, **fields)
