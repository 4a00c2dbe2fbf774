"""How long certificates are still valid, for metrics and for renewal in time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

_DAY_S: Final = 86_400
_MARK: Final = b"-----BEGIN CERTIFICATE-----"


def days_left(pem: bytes, now: datetime) -> float:
    """Days until the first certificate of a PEM text expires; negative when it has.

    Raises:
        ValueError: there is no certificate in it.
    """
    start = pem.find(_MARK)
    if start < 0:
        raise ValueError("no certificate in PEM form")
    ends = x509.load_pem_x509_certificate(pem[start:]).not_valid_after_utc
    return (ends - now).total_seconds() / _DAY_S


def days_left_in(path: Path) -> float:
    """Days until the first certificate of a file expires; not a number where the file cannot be read."""
    try:
        return days_left(path.read_bytes(), datetime.now(UTC))
    except (OSError, ValueError):
        return float("nan")
