"""Files that are whole or not there: written beside their place, then moved into it at once."""

import os
import tempfile
from pathlib import Path
from typing import Final

from casework.errors import SetupError

PRIVATE: Final = 0o600
READABLE: Final = 0o644


def write_whole(path: Path, content: bytes, *, is_new: bool, mode: int = READABLE) -> None:
    """Write a file and see it on the disk before it takes its name.

    Args:
        path: The file.
        content: Its bytes.
        is_new: Whether there must be none yet; else one that is there is replaced.
        mode: Its access rights; as long as it is being written, only its owner has any.

    Raises:
        SetupError: It cannot be written, or is to be new and is there already.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(mode)
            if is_new:
                os.link(draft, path)
            else:
                draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise SetupError(f"{path}: is there already, and is not overwritten") from error
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
