"""What can go wrong between Kafka and an agent, sorted by what the caller must do.

::

    TransportError
    ├── ConfigurationError       a person must change something   -> the process exits with 78
    ├── UndeliverableError       set these records aside, go on
    ├── PartitionRevokedError    drop the work in hand, acknowledge nothing
    ├── DoubtfulCopyError        delete the local copy and build it anew
    └── FatalTransportError      stop without a commit            -> the process exits with 70
        ├── UnconfirmedError     a send was not confirmed in time
        ├── SendFailedError      the broker or the client refused a send for another reason
        ├── StateLoadError       the state of a partition could not be loaded
        └── StoreError           the disk under a state failed
"""

from __future__ import annotations


class TransportError(Exception):
    """Base of everything this transport raises."""


class ConfigurationError(TransportError):
    """Something outside the process is set up wrongly; trying again does not help."""


class PartitionRevokedError(TransportError):
    """The partition belongs to somebody else now; its unfinished work must be dropped."""


class DoubtfulCopyError(TransportError):
    """A local copy of a partition may not be what its topic holds; nothing of it must be used."""


class UndeliverableError(TransportError):
    """No retry can deliver these records; everything else of the same call is confirmed.

    Attributes:
        refused: ``(record, reason)`` pairs in the order of the call. The reason is one of
            ``unknown_topic``, ``unknown_partition``, ``not_authorised``, ``too_large``, ``invalid``.
        confirmation: what the same call did deliver.
    """

    def __init__(self, refused: list[tuple[object, str]], confirmation: object = None) -> None:
        reasons = sorted({reason for _, reason in refused})
        super().__init__(f"{len(refused)} record(s) cannot be delivered: {', '.join(reasons)}")
        self.refused = refused
        self.confirmation = confirmation


class FatalTransportError(TransportError):
    """The process must stop without committing; the next owner repeats the work."""


class UnconfirmedError(FatalTransportError):
    """A send was not confirmed in time, so nobody knows whether it happened."""


class SendFailedError(FatalTransportError):
    """A send failed for a reason that says nothing about the record itself."""


class StateLoadError(FatalTransportError):
    """The state of a partition could not be read back from its topic."""


class StoreError(FatalTransportError):
    """The disk that a partition's state is kept on failed; the next owner loads it again."""
