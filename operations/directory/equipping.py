"""Fresh keys for a whole network at once, where one person plays everybody: demo, chaos, simulator and tests.

In production nobody ever holds all these rings: each member makes its own (docs/key-ceremony.md).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from casework.directory import EXCHANGE, Directory, Member
from casework.directory_keys import NetworkKeys, Signers
from casework.directory_signing import TrustAnchor, sign
from casework.messages import DirectoryDocument
from casework.network_keys import NETWORK_KEY_BYTES, holders
from casework.public_keys import PublicKey
from operations.atomic_files import write_whole
from operations.directory.network_keys import new_keys, seal_network_key, shared
from operations.key_files import create_ring, read_ring, ring_file
from streams.directory_versions import document_of
from streams.key_rings import KeyRing, PrivateKey, Signer
from streams.secret_sources import Secret
from streams.settings import Settings

ANCHOR_FILE: Final = "directory-trust.json"
SECRETARIAT: Final = "secretariat"
"""Name of the one signer of an equipped directory."""


class Equipment(msgspec.Struct, frozen=True):
    """A directory in which everybody has keys, and all their private parts.

    Attributes:
        directory: The directory with public keys, signers and the sealed network key; protection is required.
        rings: Ring by member id, for each active member: one key to sign, and one to seal but for the
            secretariat, which opens no content.
        exchange: The ring of the exchange: one key to sign.
        signers: Ring by name of a signer of directories.
        anchor: What workers and connectors pin.
        network_key: The network key, version 1; 32 bytes.
    """

    directory: Directory
    rings: Mapping[str, KeyRing]
    exchange: KeyRing
    signers: Mapping[str, KeyRing]
    anchor: TrustAnchor
    network_key: Secret

    def signed(self, directory: Directory | None = None) -> DirectoryDocument:
        """Answer the signed message that publishes this directory, or a later version of it."""
        return sign(
            document_of(self.directory if directory is None else directory),
            (Signer(key) for ring in self.signers.values() for key in ring.keys if key.use == "sign"),
        )


def keep(equipment: Equipment, settings: Settings, home: Path) -> Settings:
    """Write the rings and the anchor under a directory; answer the settings that name them.

    Raises:
        SetupError: A file is there already, or cannot be written.
    """
    for name, ring in (*equipment.rings.items(), (EXCHANGE, equipment.exchange)):
        create_ring(ring_file(home, name), ring)
    for name, ring in equipment.signers.items():
        create_ring(ring_file(home, f"signer-{name}"), ring)
    anchor = home / ANCHOR_FILE
    write_whole(anchor, msgspec.json.format(msgspec.json.encode(equipment.anchor)), is_new=True)
    return msgspec.structs.replace(
        settings, directory_trust=anchor, keys=f"file:{ring_file(home, '{member}')}"
    )


def equip(directory: Directory, *, at: int, expires_at: int | None = None) -> Equipment:
    """Give every active member, the exchange and one signer fresh keys, and require protection.

    Keys a directory has already are replaced.

    Args:
        directory: Who there is.
        at: From when the keys count, real time; milliseconds since the epoch, UTC.
        expires_at: When the directory expires, real time; None leaves it as it is.
    """
    rings = {member.id: _ring_of(member) for member in _holders(directory)}
    exchange, signer = _signing_ring(), _signing_ring()
    equipped = _with_keys(directory, rings, exchange, signer, at)
    if expires_at is not None:
        equipped = msgspec.structs.replace(equipped, expires_at=expires_at)
    network_key = Secret(os.urandom(NETWORK_KEY_BYTES))
    sealed = seal_network_key(network_key, equipped.environment, 1, holders(equipped, at))
    equipped = msgspec.structs.replace(equipped, network_keys=NetworkKeys(1, (sealed,)))
    return Equipment(equipped, rings, exchange, {SECRETARIAT: signer}, _signers(signer, at), network_key)


def equip_here(directory: Directory, home: Path, previous: Directory | None, at: int) -> DirectoryDocument:
    """Answer the signed document of a directory whose members all live on this machine.

    Rings that are there are used and others made, so that the same directory gives the same document, and a
    later version keeps everybody's keys. They count from the beginning of time.

    Args:
        directory: Who there is.
        home: Where rings and anchor are kept.
        previous: The version before, whose network key goes on; None for the first.
        at: Real time; milliseconds since the epoch, UTC.

    Raises:
        SetupError: A ring cannot be read or written.
    """
    rings = {
        member.id: _ring_here(home, member.id, partial(_ring_of, member)) for member in _holders(directory)
    }
    exchange = _ring_here(home, EXCHANGE, _signing_ring)
    signer = _ring_here(home, f"signer-{SECRETARIAT}", _signing_ring)
    equipped = _with_keys(directory, rings, exchange, signer, 0)
    if previous is None or previous.network_keys is None:
        keys = new_keys(equipped, at)
    else:
        everybody = KeyRing(key for ring in rings.values() for key in ring.keys)
        keys, _ = shared(previous.network_keys, equipped, everybody, at)
    equipped = msgspec.structs.replace(equipped, network_keys=keys)
    anchor = home / ANCHOR_FILE
    if not anchor.exists():
        write_whole(anchor, msgspec.json.format(msgspec.json.encode(_signers(signer, 0))), is_new=True)
    return sign(document_of(equipped), (Signer(key) for key in signer.keys))


def settings_here(settings: Settings, home: Path) -> Settings:
    """Answer settings that name rings and anchor kept here; the same where there is no anchor yet.

    What processes remember of this exchange stays with it too, unless the settings say where.
    """
    anchor = home / ANCHOR_FILE
    if settings.directory_trust is not None or not anchor.exists():
        return settings
    keys = settings.keys or f"file:{ring_file(home, '{member}')}"
    data = home / "data" if settings.data_dir == Settings().data_dir else settings.data_dir
    return msgspec.structs.replace(settings, directory_trust=anchor, keys=keys, data_dir=data)


def _holders(directory: Directory) -> Iterator[Member]:
    return (member for member in directory.members if member.active)


def _with_keys(
    directory: Directory, rings: Mapping[str, KeyRing], exchange: KeyRing, signer: KeyRing, at: int
) -> Directory:
    return msgspec.structs.replace(
        directory,
        members=tuple(
            msgspec.structs.replace(member, keys=_entries(rings.get(member.id), at))
            for member in directory.members
        ),
        exchange_keys=_entries(exchange, at),
        signers=_signers(signer, at),
        protection="required",
    )


def _signers(signer: KeyRing, at: int) -> Signers:
    return Signers(1, {SECRETARIAT: signer.keys[0].entry(at)})


def _ring_here(home: Path, name: str, make: Callable[[], KeyRing]) -> KeyRing:
    path = ring_file(home, name)
    if not path.exists():
        create_ring(path, make())
    return read_ring(path, name)


def _signing_ring() -> KeyRing:
    return KeyRing([PrivateKey.new("sign")])


def _ring_of(member: Member) -> KeyRing:
    if member.kind == "secretariat":
        return _signing_ring()
    return KeyRing([PrivateKey.new("sign"), PrivateKey.new("seal")])


def _entries(ring: KeyRing | None, at: int) -> tuple[PublicKey, ...]:
    return () if ring is None else tuple(key.entry(at) for key in ring.keys)
