"""Secrets by address: settings say where a key or a password lies, never what it is.

Three kinds of address cover where members keep keys: `file:PATH` on a machine of one's own, `env:NAME` for
what a platform injects, `command:WORDS` for a vault or a hardware module whose own tool prints the secret.
"""

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from casework.errors import SetupError

SCHEMES: Final = ("file", "env", "command")
_COMMAND_LIMIT_S: Final = 30.0
_MAX_BYTES: Final = 64 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class SecretSourceError(SetupError):
    """A secret cannot be read; the text names what it is for and the rule, never a part of it."""


class Secret:
    """Bytes that never show in a representation, a log or an error; ``reveal`` is the only way to them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('****')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied into files or other processes")


def read_secret(address: str, what: str, env: Mapping[str, str] = os.environ) -> Secret:
    """Answer the secret at an address, without the white space around it.

    Args:
        address: `file:PATH` (a regular file that only its owner may read), `env:NAME`, or `command:WORDS`
            (split as a shell would, run without one; what it prints is the secret; 30 s at most).
        what: What the secret is for, as the error names it, such as `kafka_password`.
        env: The environment variables.

    Raises:
        SecretSourceError: The address is none of the three, or there is no secret to be had there.
    """
    scheme, colon, place = address.partition(":")
    if not colon or scheme not in SCHEMES or not place:
        # The address itself may be a secret that somebody put in the wrong place.
        raise SecretSourceError(f"{what}: expected file:PATH, env:NAME or command:WORDS")
    read = {"file": _from_file, "env": _from_environment, "command": _from_command}[scheme]
    value = read(place, what, env)
    if len(value) > _MAX_BYTES:
        raise SecretSourceError(f"{what}: more than {_MAX_BYTES // 1024} KiB are no secret")
    value = value.strip()
    if not value:
        raise SecretSourceError(f"{what}: the {scheme} holds nothing")
    return Secret(value)


def _from_file(place: str, what: str, _: Mapping[str, str]) -> bytes:
    path = Path(place).expanduser()
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SecretSourceError(f"{what}: {path} is no regular file")
            if found.st_mode & _OTHERS:
                raise SecretSourceError(f"{what}: others may read {path}; run: chmod 600 {path}")
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SecretSourceError(f"{what}: {path}: {error.strerror}") from error


def _from_environment(place: str, what: str, env: Mapping[str, str]) -> bytes:
    if place not in env:
        raise SecretSourceError(f"{what}: the variable {place} is not set")
    return env[place].encode()


def _from_command(place: str, what: str, env: Mapping[str, str]) -> bytes:
    try:
        words = shlex.split(place)
    except ValueError:
        raise SecretSourceError(f"{what}: the command cannot be split into words") from None
    try:
        done = subprocess.run(  # noqa: S603 - the operator names the command, and no shell reads it
            words, capture_output=True, timeout=_COMMAND_LIMIT_S, check=False, env=dict(env)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        # From None: the traceback of a time-out holds what the command has printed so far.
        raise SecretSourceError(f"{what}: the command did not run: {type(error).__name__}") from None
    if done.returncode:
        raise SecretSourceError(f"{what}: the command ended with {done.returncode}")
    return done.stdout
