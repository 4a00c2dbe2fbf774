"""Making network keys and changing them: each version is sealed to every member that takes part.

The secretariat makes a key, seals it and forgets it; only members can open it afterwards. So whoever joins
later, or has a new sealing key, is given the key by a member, or gets the next one when it is changed.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from casework import sealed_content
from casework.directory import Directory
from casework.directory_keys import NetworkKeys, SealedNetworkKey
from casework.errors import EditRefusedError, RuleViolation, SetupError
from casework.network_keys import NETWORK_KEY_BYTES, holders, network_binding, parts, sealed_for
from casework.public_keys import PublicKey
from casework.url_keys import MAX_VERSION
from connectors.sealing import open_sealed, seal
from operations.atomic_files import write_whole
from operations.directory.files import DirectoryFile
from streams.key_rings import KeyRing
from streams.secret_sources import Secret

_DEFAULT_SUFFIX: Final = ".network-keys.json"


def network_keys_file(file: DirectoryFile) -> Path:
    """Answer where the sealed keys of a directory file are: as it says, else under its own name beside it."""
    return file.path.with_name(file.data.get("network_keys") or f"{file.path.stem}{_DEFAULT_SUFFIX}")


def load(path: Path) -> NetworkKeys:
    """Read sealed network keys.

    Raises:
        SetupError: There are none, or the file holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=NetworkKeys)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}: 'hx keys network new' makes it") from error
    except msgspec.DecodeError as error:
        raise SetupError(f"{path}: holds no sealed network keys") from error


def save(path: Path, keys: NetworkKeys, *, is_new: bool = False) -> None:
    """Write sealed network keys at once.

    Raises:
        SetupError: The file cannot be written, or is to be new and is there already.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(keys)) + b"\n", is_new=is_new)


def new_keys(directory: Directory, at: int) -> NetworkKeys:
    """Answer a first network key, sealed to all who hold a sealing key at a moment of real time."""
    return NetworkKeys(1, (_fresh(directory, 1, at),))


def rotated(keys: NetworkKeys, directory: Directory, at: int) -> NetworkKeys:
    """Answer the keys with the next version beside the one in use: reports carry both url keys from then on.

    Raises:
        EditRefusedError: A change of keys runs already, or there were 255.
    """
    version = keys.current + 1
    if keys.next is not None:
        raise _refused("not_finished", f"version {keys.next} is coming already: finish that change first")
    if version > MAX_VERSION:
        raise _refused("out_of_range", f"at most {MAX_VERSION} versions")
    return NetworkKeys(keys.current, (*keys.sealed, _fresh(directory, version, at)))


def finished(keys: NetworkKeys) -> NetworkKeys:
    """Answer the keys with the next version in use and the old one gone.

    Raises:
        EditRefusedError: No change of keys runs.
    """
    if keys.next is None:
        raise _refused("not_started", "no change of keys runs: 'hx keys network rotate' begins one")
    return NetworkKeys(keys.next, tuple(key for key in keys.sealed if key.version == keys.next))


def shared(keys: NetworkKeys, directory: Directory, ring: KeyRing, at: int) -> tuple[NetworkKeys, int]:
    """Answer the keys sealed also to those who lack them, and how many sealing keys that were.

    Args:
        keys: What there is.
        directory: Who takes part.
        ring: The ring of a member that opens them.
        at: Real time; milliseconds since the epoch, UTC.

    Raises:
        EditRefusedError: The ring opens none of them.
        UnreadableContentError: They were altered.
    """
    mine = {key.id for key in ring.keys if key.use == "seal"}
    made, added = [], 0
    for one in keys.sealed:
        there = {key_id for part in one.parts for key_id in sealed_content.parse(part.encode()).key_ids}
        lacking = [key for key in holders(directory, at) if key.id not in there]
        if lacking:
            sealed = sealed_for(keys, directory.environment, one.version, mine)
            if sealed is None:
                raise _refused("not_a_recipient", "a member's ring that opens the key is needed")
            bound = network_binding(directory.environment, one.version)
            secret = Secret(open_sealed(sealed, ring, bound))
            more = seal_network_key(secret, directory.environment, one.version, lacking)
            one = SealedNetworkKey(one.version, (*one.parts, *more.parts))  # noqa: PLW2901 - the same, grown
            added += len(lacking)
        made.append(one)
    return NetworkKeys(keys.current, tuple(made)), added


def seal_network_key(
    key: Secret, environment: str, version: int, readers: Sequence[PublicKey]
) -> SealedNetworkKey:
    """Answer a network key sealed to these keys, in as many parts as are needed."""
    bound = network_binding(environment, version)
    sealed = (seal(key.reveal(), part, bound) for part in parts(readers))
    return SealedNetworkKey(version, tuple(sealed_content.to_bytes(part).decode() for part in sealed))


def _fresh(directory: Directory, version: int, at: int) -> SealedNetworkKey:
    readers = holders(directory, at)
    if not readers:
        raise _refused("missing", "no active member has a sealing key yet")
    return seal_network_key(Secret(os.urandom(NETWORK_KEY_BYTES)), directory.environment, version, readers)


def _refused(rule: str, message: str) -> EditRefusedError:
    return EditRefusedError(RuleViolation("network_keys", rule, message))
