"""What wants to know which partitions are here: lanes, states, whatever an application adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from faust.types import TP


class PartitionListener(Protocol):
    """Called in the app's loop; must not block it. Register in ``app.transport.listeners``."""

    def suspended(self) -> None:
        """Start nothing new; release what was not started. Comes before a revocation and before a stop."""

    def abandoned(self) -> None:
        """The bound is over: drop the work that is still going on."""

    def revoked(self, partitions: Iterable[TP]) -> None:
        """These partitions are gone; what was acknowledged is committed."""

    def assigned(self, partitions: Iterable[TP]) -> None:
        """These partitions, and no others, are here from now on. Return at once: heartbeats stand still."""
