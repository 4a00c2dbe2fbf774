"""What a process must remember to believe the directory: whose signatures it began with, and how far it came.

The anchor is a file that people give it. The memory is a small file of its own: without it, whoever holds the
topic could show a process that starts again an older directory, in which a member is still trusted.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final, Self

import msgspec

from casework.directory_signing import TrustAnchor, read_anchor
from casework.errors import BROKEN_JSON, DirectoryRefusedError, SetupError
from streams.directory_versions import DirectoryVersions, NoDirectoryError, PublishedVersion
from streams.settings import Settings

MEMORY_DIRECTORY: Final = "directory"
_MAX_BYTES: Final = 1 << 20


class RolledBackError(NoDirectoryError):
    """The topic holds less than this process has believed already, or something else in its place."""


class _Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    digest: str


def load_anchor(path: Path) -> TrustAnchor:
    """Read the trust anchor in a file.

    Raises:
        SetupError: It cannot be read, or is none; the file is named.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise SetupError(f"directory_trust: {path}: {error.strerror}") from error
    try:
        return read_anchor(text)
    except DirectoryRefusedError as error:
        raise SetupError(f"directory_trust: {path}: {error}") from error


def anchor_of(settings: Settings) -> TrustAnchor | None:
    """Answer the anchor that settings name, or None.

    Raises:
        SetupError: Its file cannot be read, or is none; production names none.
    """
    settings.with_trust()
    return None if settings.directory_trust is None else load_anchor(settings.directory_trust)


class TrustMemory:
    """The highest version this machine has believed, over restarts.

    Args:
        path: Its file; it is made when there is something to remember.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, data_dir: Path, topic: str) -> Self:
        """Answer the memory of a directory topic under a process's data directory."""
        return cls(data_dir / MEMORY_DIRECTORY / f"{topic}.json")

    def check(self, versions: DirectoryVersions) -> None:
        """Compare what was read with what is remembered.

        Raises:
            RolledBackError: The version that is remembered is missing, or has other bytes.
        """
        known = self._read()
        if known is None:
            return
        found = versions.published(known.version)
        if found is None:
            raise RolledBackError(
                f"directory version {known.version} was believed here, the topic holds up to "
                f"{versions.newest_version}: somebody rolled it back, or {self._path} is of another exchange"
            )
        if _digest(found) != known.digest:
            raise RolledBackError(
                f"directory version {known.version} is not the one that was believed here; "
                f"if the exchange was made anew, remove {self._path}"
            )

    def note(self, newest: PublishedVersion | None) -> None:
        """Remember the newest version, when it is higher than what is remembered; the write is atomic.

        Raises:
            SetupError: The file cannot be written.
        """
        known = self._read()
        if newest is None or (known is not None and known.version >= newest.directory.version):
            return
        text = json.dumps({"version": newest.directory.version, "digest": _digest(newest)})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self._path)
        except OSError as error:
            raise SetupError(f"{self._path}: {error.strerror}") from error

    def _read(self) -> _Remembered | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Remembered)
        except FileNotFoundError:
            return None
        except (OSError, *BROKEN_JSON) as error:
            raise RolledBackError(
                f"{self._path} cannot be read: which directory was believed here is unknown"
            ) from error


def memory_of(settings: Settings, topic: str) -> TrustMemory | None:
    """Answer the memory of a process; None where directories are not signed, and so may be made anew."""
    return None if settings.directory_trust is None else TrustMemory.of(settings.data_dir, topic)


def _digest(version: PublishedVersion) -> str:
    return hashlib.sha256(version.document.document).hexdigest()
