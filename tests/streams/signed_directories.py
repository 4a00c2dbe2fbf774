"""Four people who sign directories, and a directory topic on paper, for tests of what processes believe."""

from typing import Any, NamedTuple

import msgspec

from casework.directory import Directory
from casework.directory_checks import LEAD_MS
from casework.directory_keys import Signers
from casework.directory_signing import sign
from casework.messages import DirectoryDocument
from operations.directory.document import build
from streams import wire
from streams.clock import ManualClock
from streams.directory_versions import DirectoryVersions, document_of
from streams.key_rings import PrivateKey, Signer

T = 1_760_000_000_000
WHOLE = build(environment="test", published_at=T, candidates="admit")
PEOPLE = {name: PrivateKey.of("sign", name[0].encode() * 32) for name in ("anna", "bert", "carla", "dora")}
replace = msgspec.structs.replace


class Appended(NamedTuple):
    """A record as the broker has it."""

    offset: int
    timestamp: int
    value: bytes | None


def role(threshold: int, *names: str) -> Signers:
    """Answer a role of some people."""
    return Signers(threshold, {name: PEOPLE[name].entry(1) for name in names})


ANCHOR = role(2, "anna", "bert", "carla")


def version(number: int, **fields: Any) -> Directory:  # noqa: ANN401 - fields
    """Answer a directory version that takes effect exactly a minute after T, the first one at once."""
    start = T if number == 1 else T + LEAD_MS
    return replace(WHOLE, **{"version": number, "valid_from": start, **fields})


def signed(directory: Directory, *names: str) -> DirectoryDocument:
    """Answer the envelope with signatures of these people."""
    return sign(document_of(directory), (Signer(PEOPLE[name]) for name in names))


class Topic:
    """What a process makes of the records of the topic."""

    def __init__(self, anchor: Signers | None = None, clock: Any = None) -> None:  # noqa: ANN401 - a clock
        self.clock = clock or ManualClock(T)
        self.versions = DirectoryVersions("test", self.clock, anchor)
        self.offset = 0

    def append(self, directory: Directory, *names: str, at: int = T) -> bool:
        """Append a version; answer whether it is believed."""
        value = wire.encode(signed(directory, *names))
        self.offset += 1
        return self.versions.take(Appended(self.offset, at, value)) is not None
