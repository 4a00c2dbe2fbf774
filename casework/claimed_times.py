"""How far a time that a member claims may lie from the exchange's own.

Systems in use stamp local time as UTC, which puts honest records up to 14 h ahead (UTC+14 is the furthest
zone); those are taken, clamped to the time of admission and flagged. What lies further ahead is a mistake.
The replay window compares two real times: the sender's and the log-append time of the broker, never a
worker's clock.
"""

from typing import Final

from casework.errors import RuleViolation

HOUR_MS: Final = 3_600_000
MAX_AHEAD_MS: Final = 14 * HOUR_MS
REPLAY_WINDOW_MS: Final = 7 * 24 * HOUR_MS
EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01, before the first hotline systems: an earlier time was given in seconds, or is a default."""


def check_time(path: str, claimed: int, admitted_at: int) -> RuleViolation | None:
    """Answer the violation that a claimed time is, or None; both in milliseconds since the epoch, UTC."""
    if claimed > admitted_at + MAX_AHEAD_MS:
        return RuleViolation(path, "too_far_ahead", "at most 14 hours ahead of the exchange's clock")
    if claimed < EARLIEST_MS:
        return RuleViolation(path, "not_milliseconds", "milliseconds since the epoch, after the year 2000")
    return None


def check_sent_at(sent_at: int, submitted_at: int) -> RuleViolation | None:
    """Answer the violation of a submission outside the replay window, or None; both are real times."""
    if abs(submitted_at - sent_at) <= REPLAY_WINDOW_MS:
        return None
    return RuleViolation("sent_at", "replay_window", "within 7 days of the time it reached the exchange")


def clamped(claimed: int, admitted_at: int) -> int:
    """Answer a claimed time as statistics use it: never after its admission."""
    return min(claimed, admitted_at)
