"""Key rings as files of their owner: readable by nobody else, never half written, never overwritten.

A ring that is lost means content that nobody opens again, so a file is only ever made new, or replaced by one
that holds the same keys and more.
"""

from pathlib import Path
from typing import Final

from casework.errors import SetupError
from connectors.membership import NAME_IN_KEYS
from operations.atomic_files import PRIVATE, write_whole
from streams.key_rings import KeyRing
from streams.secret_sources import SCHEMES
from streams.settings import Settings

_DIRECTORY_MODE: Final = 0o700
SUFFIX: Final = ".jwks"


def ring_file(data_dir: Path, name: str) -> Path:
    """Answer where the ring of a name is kept by default: `keys/NAME.jwks` in the data directory."""
    return data_dir / "keys" / f"{name}{SUFFIX}"


def ring_address(text: str) -> str:
    """Answer the address of a ring as people give it: `file:PATH`, `env:NAME`, `command:WORDS`, or a path."""
    scheme, colon, _ = text.partition(":")
    return text if colon and scheme in SCHEMES else f"file:{text}"


def ring_path(settings: Settings, name: str, *, is_signer: bool = False) -> Path:
    """Answer in which file the ring of a name is: the one of `settings.keys`, else the default one.

    Args:
        settings: The settings; keys that are in no file leave the default.
        name: Member id, `exchange`, or the ring name of a signer.
        is_signer: Whether it is a signer of directories: keys of one owner are not theirs.
    """
    scheme, _, place = settings.keys.partition(":")
    if scheme != "file" or (is_signer and NAME_IN_KEYS not in place):
        return ring_file(settings.data_dir, name)
    return Path(place.replace(NAME_IN_KEYS, name)).expanduser()


def read_ring(path: Path, what: str) -> KeyRing:
    """Read a ring.

    Raises:
        SecretSourceError: There is none, or others may read it.
        KeyRingError: It is none.
    """
    return KeyRing.read(f"file:{path}", what)


def create_ring(path: Path, ring: KeyRing) -> None:
    """Write a ring where there is none, mode 0600.

    Raises:
        SetupError: There is a file already, or it cannot be written.
    """
    try:
        path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{path.parent}: {error.strerror}") from error
    write_whole(path, ring.to_key_set().reveal(), is_new=True, mode=PRIVATE)


def extend_ring(path: Path, ring: KeyRing) -> None:
    """Replace a ring by one with the same keys and more, at once.

    Raises:
        SetupError: A key would be lost, or the file cannot be written.
        SecretSourceError: There is no ring yet, or others may read it.
    """
    lost = [key for key in read_ring(path, "ring").keys if ring.key(key.id) is None]
    if lost:
        raise SetupError(f"{path}: {len(lost)} keys would be lost")
    write_whole(path, ring.to_key_set().reveal(), is_new=False, mode=PRIVATE)
