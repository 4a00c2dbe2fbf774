"""From the directory file to the document that is published.

The document is a function of the file, the environment and the moment of publication: the same again gives
the same bytes, so publishing twice is harmless.
"""

from pathlib import Path

from casework import directory_checks
from casework.directory import Directory, Environment, to_bytes
from operations.directory.errors import DirectoryFileError
from operations.directory.files import NETWORK_FILE, Candidates, parse, read


def build(  # noqa: PLR0913 - one keyword per choice of a publication
    path: Path = NETWORK_FILE,
    *,
    environment: Environment,
    published_at: int,
    valid_from: int | None = None,
    candidates: Candidates = "keep",
    previous: Directory | None = None,
) -> Directory:
    """Answer the checked directory of a file.

    Args:
        path: The directory file.
        environment: Where the document will be used.
        published_at: Milliseconds since epoch UTC.
        valid_from: Milliseconds since epoch UTC; `published_at` when None.
        candidates: See `files.parse`: `keep`, `leave_out`, or `admit` (demo and test only).
        previous: The version in use, which the new one must be able to follow.

    Raises:
        SetupError: The file cannot be opened.
        DirectoryFileError: It breaks rules; every one is named with its line.
    """
    file = read(path)
    directory = parse(
        file,
        environment=environment,
        published_at=published_at,
        valid_from=valid_from,
        candidates=candidates,
    )
    if previous is not None:
        violations = directory_checks.check_successor(previous, directory)
        if violations:
            raise DirectoryFileError(file.problems(violations))
    return directory


def document_bytes(directory: Directory) -> bytes:
    """Answer the bytes to publish and to sign."""
    return to_bytes(directory)
