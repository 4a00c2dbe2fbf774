"""Whether anything that members seal can be found in what the operator holds: marks, in every spelling.

A run carries marks: a name in every address and note, and the network key itself. Afterwards all files,
topics and metrics of the operator are searched for them as they are, in base64 at each alignment, in
hexadecimal, escaped for URLs, for JSON and for Python, in UTF-16, and backwards. Record batches are searched
as the broker stored them and as a client reads them, because they may be compressed.
"""

import base64
import contextlib
import errno
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from operations.reading import TopicReader

_MARK_BYTES: Final = 8
_CHUNK: Final = 8 << 20
_MIN_BYTES: Final = 8
_URL_KEY_BYTES: Final = 33


class Hit(NamedTuple):
    """A mark that was found.

    Attributes:
        place: File, or topic with partition and offset.
        mark: Name of the mark; never the mark itself.
        form: How it was written.
    """

    place: str
    mark: str
    form: str


def new_mark() -> str:
    """Answer a mark that stands nowhere by chance, made of what host names are made of."""
    return f"canary-{secrets.token_hex(_MARK_BYTES)}"


def forms(secret: bytes) -> Mapping[str, bytes]:
    """Answer the spellings of a secret by their names; those that begin with `any case` are in lower case.

    Raises:
        ValueError: It is too short to be found by anything but chance.
    """
    if len(secret) < _MIN_BYTES:
        raise ValueError(f"a mark has at least {_MIN_BYTES} bytes")
    found = {
        "hex": secret.hex().encode(),
        "escaped for URLs": b"".join(b"%%%02x" % byte for byte in secret),
        "escaped for JSON": b"".join(b"\\u%04x" % byte for byte in secret),
        "escaped for Python": b"".join(b"\\x%02x" % byte for byte in secret),
        "hex with spaces": secret.hex(" ").encode(),
        "hex with colons": secret.hex(":").encode(),
        "plain": secret.lower(),
        "UTF-16": b"".join(bytes([byte, 0]) for byte in secret.lower())[:-1],
        "backwards": secret[::-1].lower(),
    }
    spelt = {f"any case: {name}": text for name, text in found.items()}
    # As Python shows bytes, which for a text is the text.
    spelt["as Python shows it"] = repr(secret)[2:-1].encode()
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            spelt[f"{name}, shifted by {shift}"] = _inside(encode(bytes(shift) + secret), shift, len(secret))
        # Of the text in hexadecimal inside base64, as the data a JWE is bound to is written.
        whole = secret.hex().encode()
        spelt[f"hex in base64, shifted by {shift}"] = _inside(
            base64.urlsafe_b64encode(bytes(shift) + whole), shift, len(whole)
        )
    return spelt


class Canary:
    """Searches for marks.

    Args:
        marks: The marks by their names, which is what hits are told by.
    """

    def __init__(self, marks: Mapping[str, bytes]) -> None:
        self._forms = [
            (name, form, text, form.startswith("any case"))
            for name, mark in marks.items()
            for form, text in forms(mark).items()
        ]
        self._overlap = max(len(text) for _, _, text, _ in self._forms) - 1
        self.searched_bytes = 0

    def search(self, data: bytes, place: str) -> Iterator[Hit]:
        """Yield the marks in some bytes."""
        self.searched_bytes += len(data)
        lowered = data.lower()
        for name, form, text, is_any_case in self._forms:
            if text in (lowered if is_any_case else data):
                yield Hit(place, name, form)

    def search_files(self, *folders: Path) -> Iterator[Hit]:
        """Yield the marks in all files under folders, and in their names; files may come and go meanwhile."""
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                yield from self.search(str(path).encode(), f"name of {path}")
                if path.is_file() and not path.is_symlink():
                    yield from self._search_file(path)

    def search_topics(self, reader: TopicReader, *topics: str) -> Iterator[Hit]:
        """Yield the marks in keys, values and headers of records; of all topics when none is named."""
        for record in reader.whole(*(topics or sorted(reader.topics()))):
            place = f"{record.topic}[{record.partition}]@{record.offset}"
            headers = [part or b"" for name, value in record.headers for part in (name.encode(), value)]
            yield from self.search(b"\0".join((record.key or b"", record.value or b"", *headers)), place)

    def search_process(self, pid: int) -> Iterator[Hit]:
        """Yield the marks in the arguments and the environment of a process, as far as we may read them."""
        for what in ("cmdline", "environ"):
            with contextlib.suppress(PermissionError):
                yield from self.search(Path(f"/proc/{pid}/{what}").read_bytes(), f"{what} of a process")

    def _search_file(self, path: Path) -> Iterator[Hit]:
        seen: set[Hit] = set()
        try:
            with path.open("rb", buffering=0) as file:
                for begin, end in _written(file.fileno()):
                    file.seek(begin)
                    last, left = b"", end - begin
                    while chunk := file.read(min(_CHUNK, left)):
                        left -= len(chunk)
                        seen.update(self.search(last + chunk, str(path)))
                        last = chunk[-self._overlap :]
        except FileNotFoundError:
            return
        yield from sorted(seen)


def _written(descriptor: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of what was written into a file: a broker's indexes are mostly holes."""
    at, size = 0, os.fstat(descriptor).st_size
    while at < size:
        try:
            begin = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        at = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, at


class Attack(msgspec.Struct, frozen=True):
    """A dictionary attack on url keys.

    Attributes:
        url_keys: How many url keys it had.
        guesses: How many it made.
        found: How many url keys it gave an address to.
    """

    url_keys: int
    guesses: int
    found: int


def url_keys_in(reader: TopicReader) -> frozenset[bytes]:
    """Answer all url keys that topics show: keys of records, the partitioning of everything about a case."""
    return frozenset(
        record.key
        for record in reader.whole(*sorted(reader.topics()))
        if record.key is not None and len(record.key) == _URL_KEY_BYTES
    )


def attack(url_keys: Iterable[bytes], addresses: Iterable[str], keys: Iterable[bytes]) -> Attack:
    """Try to name the places of url keys with a list of addresses, as whoever has no network key would.

    Args:
        url_keys: The url keys, 33 bytes each.
        addresses: Canonical addresses, among them the true ones.
        keys: Everything that may serve as the key; plain hashes are tried as well.
    """
    wanted = {key[1:] for key in url_keys}
    candidates = [address.encode() for address in addresses]
    tried = tuple(dict.fromkeys(keys))
    found: set[bytes] = set()
    for candidate in candidates:
        found |= wanted & {hashlib.sha256(candidate).digest(), hashlib.sha3_256(candidate).digest()}
        found |= wanted & {hmac.digest(key, candidate, "sha256") for key in tried}
    return Attack(len(wanted), len(candidates) * (len(tried) + 2), len(found))


def _inside(encoded: bytes, shift: int, length: int) -> bytes:
    """Answer the characters of base64 that the bytes behind a shift decide alone."""
    return encoded[-(-shift * 8 // 6) : (shift + length) * 8 // 6]
