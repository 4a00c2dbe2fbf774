"""Parsers of what trust rests on: the anchor, the memory of directories, key sets and network keys."""

import msgspec
from parser_promises import MARK, Parser, in_file
from sound_messages import DIRECTORY, EQUIPMENT, READER, READERS

from casework.directory_keys import NetworkKeys, SealedNetworkKey
from casework.directory_signing import read_anchor
from casework.errors import BadInputError, DirectoryRefusedError
from casework.network_keys import sealed_for
from streams.directory_trust import RolledBackError, TrustMemory
from streams.key_rings import KeyRing, KeyRingError
from streams.secret_sources import Secret

RING = EQUIPMENT.rings[READER].to_key_set().reveal()
NETWORK = DIRECTORY.network_keys or NetworkKeys(1, ())


def _network_part(data: bytes) -> object:
    keys = NetworkKeys(1, (SealedNetworkKey(1, (data.decode("utf-8", "replace"),)),))
    return sealed_for(keys, "test", 1, {key.id for key in READERS})


ANCHOR = msgspec.json.encode(EQUIPMENT.anchor)


def _rebuilt_ring(data: bytes) -> KeyRing:
    return KeyRing.from_key_set(Secret(data), "keys")


def _ring_holds(_data: bytes, ring: KeyRing) -> None:
    for key in ring.keys:
        assert MARK not in repr(key)
        assert key.id == key.entry(0).id


PARSERS = (
    Parser("trust anchor", (ANCHOR,), read_anchor, (DirectoryRefusedError,)),
    Parser(
        "trust memory",
        (b'{"version":3,"digest":"00"}',),
        in_file("memory.json", lambda path: TrustMemory(path).note(None)),
        (RolledBackError,),
    ),
    Parser("key set", (RING,), _rebuilt_ring, (KeyRingError,), _ring_holds),
    Parser(
        "network key", tuple(part.encode() for part in NETWORK.parts_of(1)), _network_part, (BadInputError,)
    ),
)
