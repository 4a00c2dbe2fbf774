"""A version that was published with another content is never replaced: what to do in its place."""

from pathlib import Path

from casework.errors import EditRefusedError, RuleViolation
from casework.messages import DirectoryDocument
from operations.directory.files import NETWORK_FILE
from streams.directory_versions import DirectoryVersions


def require_same(
    versions: DirectoryVersions, document: DirectoryDocument, file: Path | None, local: Path | None
) -> None:
    """Check that a version is not published yet, or with the same bytes.

    Decisions were made and stamped with what is published, so other content needs another number. It happens
    after an edit without one, and on a Kafka that has outlived an upgrade, which brings another shipped file.

    Args:
        versions: What is published.
        document: What is to be published.
        file: The directory file it was made of; None: a signed document.
        local: Where the embedded Kafka has its data, if one runs here.

    Raises:
        EditRefusedError: It is published with other bytes; the text says what to do.
    """
    there = versions.published(document.version)
    if there is None or there.document.document == document.document:
        return
    following = (versions.newest_version or 0) + 1
    if file is None:
        todo = f"draft, sign and publish version {following}"
    elif file == NETWORK_FILE:
        todo = (
            f"copy {file}, name the copy in HX_DIRECTORY, raise its version to {following} and publish that"
        )
    else:
        todo = f"raise the version in {file} to {following} and publish again"
    if local is not None:
        todo += f"; or begin anew: 'hx kafka stop', delete {local}, 'hx kafka start'"
    text = f"version {document.version} was published with another content, which stays: {todo}"
    raise EditRefusedError(RuleViolation("version", "exists", text))
