"""The Java archives of Apache Kafka: where they are kept, how they are fetched and checked.

They live flat in one folder, named by the lock file's digest, so the folder can be kept by a build cache or
filled by hand on a machine without network. Every start compares each file with the committed SHA-256.
Other sets of Java archives (the benchmarks have one) are kept in the same way, with a lock file of their own.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from operations.embedded_kafka.errors import ArchivesAlteredError, ArchivesMissingError

LOCK_FILE = Path(__file__).with_name("archives.lock")

# "!" keeps each archive's own dependency versions; without it jgo puts kafka-clients 3.9.1 under Kafka 4.2.0.
COORDINATES = (
    "org.apache.kafka:kafka_2.13:4.2.0!"
    "+org.apache.logging.log4j:log4j-core:2.25.3!"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.3!"
)


class ArchiveSet(NamedTuple):
    """A set of Java archives that belong together.

    Attributes:
        name: begins the name of their folder.
        lock: file with their names and SHA-256.
        coordinates: what jgo resolves to exactly these.
        title: what they are and how large, for people.
    """

    name: str
    lock: Path
    coordinates: str
    title: str


def broker_set() -> ArchiveSet:
    """The archives of the broker."""
    return ArchiveSet("kafka", LOCK_FILE, COORDINATES, "Apache Kafka 4.2.0 (43 MB, Maven Central)")


def archives_home() -> Path:
    """The folder all archives are kept under: ``HX_ARCHIVES`` or the user's cache."""
    given = os.environ.get("HX_ARCHIVES")
    return Path(given) if given else Path.home() / ".cache" / "hotline-exchange" / "archives"


def class_path(home: Path | None = None, archives: ArchiveSet | None = None) -> str:
    """Return the verified class path of a set, by default the broker's, downloading what is not there.

    Raises:
        ArchivesMissingError: not in the cache and not to be had.
        ArchivesAlteredError: a file differs from the lock.
    """
    chosen = archives or broker_set()
    wanted = read_lock(chosen.lock)
    folder = archives_folder(home or archives_home(), chosen)
    if not all((folder / name).is_file() for name in wanted):
        with _one_at_a_time(folder):
            if not all((folder / name).is_file() for name in wanted):
                _download(wanted, folder, chosen)
    _verify(wanted, folder)
    return ":".join(str(folder / name) for name in wanted)


def are_here(home: Path | None = None) -> bool:
    """Whether a start needs no download; what lies there is checked at the start."""
    folder = archives_folder(home or archives_home())
    return all((folder / name).is_file() for name in read_lock(LOCK_FILE))


def archives_folder(home: Path, archives: ArchiveSet | None = None) -> Path:
    """The folder for exactly the archives of a committed lock file, by default the broker's."""
    chosen = archives or broker_set()
    return home / f"{chosen.name}-{hashlib.sha256(chosen.lock.read_bytes()).hexdigest()[:16]}"


def read_lock(path: Path) -> dict[str, str]:
    """Read a lock file in the format of sha256sum: file name to SHA-256 in hex."""
    pairs = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {name: digest for digest, name in pairs}


def write_lock(archives: ArchiveSet | None = None) -> None:
    """Resolve the coordinates anew and write their checksums: only for a change of a version."""
    chosen = archives or broker_set()
    with tempfile.TemporaryDirectory() as scratch:
        got = sorted(_resolve(Path(scratch), chosen.lock.parent, chosen), key=lambda archive: archive.name)
        chosen.lock.write_text("".join(f"{_sha256(a)}  {a.name}\n" for a in got), encoding="ascii")


def _verify(wanted: dict[str, str], folder: Path) -> None:
    altered = [name for name, digest in wanted.items() if _sha256(folder / name) != digest]
    if altered:
        raise ArchivesAlteredError(
            f"{', '.join(altered)} in {folder} differ from the committed checksums: "
            "delete that folder and the same files in the local Maven repository, then repeat"
        )


def _download(wanted: dict[str, str], folder: Path, chosen: ArchiveSet) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        got = {archive.name: archive for archive in _resolve(Path(scratch) / "jgo", folder, chosen)}
        if set(got) != set(wanted):
            difference = sorted(set(got) ^ set(wanted))
            raise ArchivesAlteredError(
                f"the archives resolved for {chosen.title} differ from the lock file: {difference}"
            )
        # Copies, not links: a later change in the Maven repository must not reach verified files.
        fresh = Path(scratch) / "complete"
        fresh.mkdir()
        for name, archive in got.items():
            shutil.copyfile(archive, fresh / name)
        _verify(wanted, fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def _resolve(cache: Path, folder: Path, chosen: ArchiveSet) -> list[Path]:
    # Imported here: a start with a warm cache does without jgo and its import time.
    import jgo  # noqa: PLC0415

    try:
        return list(jgo.build(chosen.coordinates, cache_dir=cache).all_jars)
    except (OSError, RuntimeError, ValueError) as error:
        raise ArchivesMissingError(
            f"the Java archives of {chosen.title} could not be downloaded: "
            f"repeat with a network, or copy the files named in {chosen.lock} to {folder}"
        ) from error


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".downloading").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
