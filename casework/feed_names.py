"""The recipient that a liaison's feed is: beside its inbox, with delivery numbers of its own."""

from typing import Final

FEED: Final = "feed."
"""Begins the name of a feed; the rest is the member id of its liaison, and ids of members have no dot."""


def feed_of(liaison: str) -> str:
    """Answer the name of a liaison's feed."""
    return FEED + liaison


def is_feed(recipient: str) -> bool:
    """Answer whether a recipient is a liaison's feed."""
    return recipient.startswith(FEED)
