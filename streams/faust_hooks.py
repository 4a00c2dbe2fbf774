"""Checks that Faust, mode and aiokafka are still what this transport was written for.

The packages are pinned exactly because these pieces may change in any release. At start the versions are
checked; a test compares the source of every piece with the fingerprint below, so a new upstream version
fails there, by name, before it can lose a record.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import textwrap
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from mode.services import ServiceTask

from streams.hook_table import PIECES
from streams.transport_errors import ConfigurationError

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}


@dataclass(frozen=True)
class Hook:
    """One private function that is overridden, called or relied on.

    Attributes:
        module: where it lives.
        name: qualified name inside the module.
        fingerprint: first 12 hex digits of the SHA-256 of its source, dedented.
        why: what breaks when it changes.
    """

    module: str
    name: str
    fingerprint: str
    why: str

    def source_fingerprint(self) -> str:
        """Return the fingerprint of the installed source."""
        target: object = importlib.import_module(self.module)
        for part in self.name.split("."):
            target = inspect.getattr_static(target, part)
        if isinstance(target, property):
            target = target.fget
        if isinstance(target, ServiceTask):
            target = target.fun
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(target)))  # type: ignore[arg-type]
        return hashlib.sha256(source.encode()).hexdigest()[:12]


HOOKS = tuple(
    Hook(module, name, fingerprint, why)
    for module, pieces in PIECES.items()
    for name, (fingerprint, why) in pieces.items()
)


def check_versions() -> None:
    """Check that the installed packages are the ones these hooks were written for.

    Raises:
        ConfigurationError: another version, or Faust without its compiled parts (whose pure-Python twin
            acknowledges events of an old generation).
    """
    for package, wanted in PINNED.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "none"
        if found != wanted:
            raise ConfigurationError(f"{package} {wanted} is needed, {found} is installed")
    for module in ("faust._cython.streams", "faust.transport._cython.conductor"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigurationError(f"faust-streaming lacks its compiled module {module}") from error
    streams = importlib.import_module("faust.streams")
    if getattr(streams, "_CStreamIterator", None) is None:
        raise ConfigurationError("faust-streaming runs without its compiled parts; unset NO_CYTHON")
