"""The one file of a bundle: a ZIP that every tool opens, in the only form that is accepted back.

A ZIP and not one JSON, because people must be able to read the timeline and to hash each part with the tools
they have. Parts are stored, sorted by name and dated 1980-01-01, so equal parts give equal bytes. A reader
takes a file only if writing its parts again gives the same bytes: a bomb, a repeated or climbing name, or
bytes hidden between parts have no place to be (APPNOTE.TXT 6.3.10 sections 4.3.7, 4.3.12 and 4.3.16).
"""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from operations.evidence.errors import BundleRefusedError

MAX_BYTES: Final = 256 << 20
"""Of a whole bundle: a thousand reports of the largest size intake takes; a real case has some kilobytes."""
MAX_PARTS: Final = 20_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(?:/[a-zA-Z0-9_-]{1,64})?(?:\.[a-z]{2,9}){1,2}", re.ASCII)
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_VERSION: Final = 20
_UNIX: Final = (3 << 8) | _VERSION
_STORED: Final = 0
_TIME: Final = 0
_DATE: Final = (1 << 5) | 1
_MODE: Final = 0o100644 << 16


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Answer the file that holds parts under their names.

    Raises:
        BundleRefusedError: A name has another form, or there is too much.
    """
    _require(len(parts) <= MAX_PARTS, "too_many_parts", f"at most {MAX_PARTS}")
    body, directory = bytearray(), bytearray()
    for name, part in sorted(parts.items()):
        _require(_NAME.fullmatch(name) is not None, "bad_name", "lower-case names, at most one folder deep")
        encoded = name.encode()
        shared = (0, _STORED, _TIME, _DATE, zlib.crc32(part), len(part), len(part), len(encoded), 0)
        place = len(body)
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, *shared) + encoded + part
        _require(len(body) <= MAX_BYTES, "too_large", f"at most {MAX_BYTES >> 20} MiB")
        directory += _CENTRAL.pack(b"PK\x01\x02", _UNIX, _VERSION, *shared, 0, 0, 0, _MODE, place) + encoded
    end = _END.pack(b"PK\x05\x06", 0, 0, len(parts), len(parts), len(directory), len(body), 0)
    return bytes(body + directory) + end


def unpack(bundle: bytes) -> dict[str, bytes]:
    """Read a file that `pack` made; time and memory are bounded by its own size.

    Raises:
        BundleRefusedError: It is not such a file; the rule says how.
    """
    _require(len(bundle) <= MAX_BYTES, "too_large", f"at most {MAX_BYTES >> 20} MiB")
    parts: dict[str, bytes] = {}
    at = 0
    while bundle.startswith(b"PK\x03\x04", at):
        head = bundle[at : at + _LOCAL.size]
        _require(len(head) == _LOCAL.size, "truncated", "the file ends in the middle of a part")
        *_, method, _, _, _, packed, size, name_length, _ = _LOCAL.unpack(head)
        _require(method == _STORED and packed == size, "compressed", "parts are stored as they are")
        start = at + _LOCAL.size + name_length
        at = start + size
        _require(at <= len(bundle), "truncated", "the file ends in the middle of a part")
        name = bundle[start - name_length : start].decode("ascii", "replace")
        _require(_NAME.fullmatch(name) is not None, "bad_name", "lower-case names, at most one folder deep")
        _require(name not in parts, "repeated_name", "each part once")
        parts[name] = bundle[start:at]
        _require(len(parts) <= MAX_PARTS, "too_many_parts", f"at most {MAX_PARTS}")
    _require(bool(parts), "not_a_bundle", "a ZIP file as 'hx evidence' writes it")
    _require(len(bundle) - at >= _END.size, "truncated", "the file has no end")
    _require(pack(parts) == bundle, "not_canonical", "byte for byte as 'hx evidence' writes it")
    return parts


def _require(holds: bool, rule: str, expected: str) -> None:
    if not holds:
        raise BundleRefusedError(rule, expected)
