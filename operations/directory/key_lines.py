"""Public keys as the lines that people put into the directory file."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from casework.public_keys import PublicKey

_TIMES: Final = ("valid_from", "valid_until", "revoked_at")
SECOND_MS: Final = 1000


def yaml_list(name: str, keys: Iterable[PublicKey], indent: int = 0) -> str:
    """Answer a field of the directory file that lists keys, with all its lines indented."""
    lines = [f"{name}:"]
    for key in keys:
        first, *others = _fields(key)
        lines += [f"  - {first}", *(f"    {other}" for other in others)]
    return "\n".join(" " * indent + line for line in lines)


def yaml_signer(name: str, key: PublicKey, indent: int = 0) -> str:
    """Answer the lines of one signer."""
    lines = [f"{name}:", *(f"  {field}" for field in _fields(key))]
    return "\n".join(" " * indent + line for line in lines)


def whole_second(at_ms: int) -> int:
    """Answer a time without its milliseconds, as it stands in the file."""
    return at_ms // SECOND_MS * SECOND_MS


def time_text(at_ms: int) -> str:
    """Answer a time as the directory file has it, to the second."""
    return dt.datetime.fromtimestamp(at_ms / SECOND_MS, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fields(key: PublicKey) -> Iterator[str]:
    for field in ("id", "use", "public"):
        yield f"{field}: {getattr(key, field)}" if field == "use" else f'{field}: "{getattr(key, field)}"'
    for field in _TIMES:
        at = getattr(key, field)
        if at is not None:
            yield f"{field}: {time_text(at)}"
