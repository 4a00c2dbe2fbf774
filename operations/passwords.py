"""New users' passwords: one file for each in a directory of the operator's choice, for its owner alone.

They are random, written before the cluster knows them, and never printed. A file that is there already is
taken as given, so an operator may bring passwords along, and a repeated run changes none.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from casework.errors import SetupError
from streams.secret_sources import Secret

# 256 bits: no guess succeeds, however fast the hash of SCRAM is.
_RANDOM_BYTES: Final = 32
_SHORTEST: Final = 24
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class PasswordFileError(SetupError):
    """A password file or its directory cannot be used; the text names it and never its contents."""


class Passwords:
    """The passwords in a directory, which is made where it is missing.

    Args:
        directory: Where the files are: `NAME.password`, so that the setting `kafka_password` can be
            `file:DIRECTORY/{user}.password` for all of them.

    Raises:
        PasswordFileError: It cannot be made, or others than its owner can write to it or read it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = directory.stat().st_mode
        except OSError as error:
            raise PasswordFileError(f"{directory}: {error.strerror}") from error
        if mode & _OTHERS:
            raise PasswordFileError(f"{directory}: others have access to it: chmod 700")

    def of(self, user: str) -> Secret:
        """Answer a user's password: that of its file, or a new one that is in its file from now on.

        Raises:
            PasswordFileError: The file cannot be written, is open to others, or holds a short password.
        """
        path = self._directory / f"{user}.password"
        try:
            return self._given(path) if path.exists() else self._new(path)
        except OSError as error:
            raise PasswordFileError(f"{path}: {error.strerror}") from error

    @staticmethod
    def _new(path: Path) -> Secret:
        text = secrets.token_urlsafe(_RANDOM_BYTES)
        unfinished = path.with_suffix(".unfinished")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            # The cluster must not know a password that a crash has taken from us.
            os.fsync(file.fileno())
        unfinished.rename(path)
        return Secret(text.encode())

    @staticmethod
    def _given(path: Path) -> Secret:
        if path.stat().st_mode & _OTHERS:
            raise PasswordFileError(f"{path}: others can read it: chmod 600")
        given = path.read_bytes().strip()
        if len(given) < _SHORTEST:
            raise PasswordFileError(f"{path}: at least {_SHORTEST} characters are expected")
        return Secret(given)
