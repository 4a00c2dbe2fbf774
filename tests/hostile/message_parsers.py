"""Parsers of messages of the exchange: their headers, the headers of dead letters, and deliveries."""

from contextlib import suppress

import msgspec
from parser_promises import Parser
from sound_messages import DIRECTORY, EQUIPMENT, MESSAGE, NOW, READER

from agents import dead_letters
from casework.errors import BadInputError, HotlineExchangeError
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, signed_message
from casework.messages import Delivery
from connectors.opening import Opener
from connectors.provenance import Record, check_record
from schemas.errors import UnreadableError
from streams import wire
from streams.key_rings import Signer


def _headers(data: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """Answer hostile headers: names and values between line ends; an empty value is none at all."""
    found = []
    for line in data.split(b"\n", 100_000):
        name, _, value = line.partition(b"=")
        found.append((name.decode("utf-8", "replace"), value or None))
    return tuple(found)


def _letter_headers(data: bytes) -> object:
    headers = _headers(data)
    attempts = dead_letters.attempts_before(headers)
    assert 0 <= attempts <= 1_000_000
    with suppress(msgspec.ValidationError):
        dead_letters.original_headers(headers)
    with suppress(msgspec.ValidationError):
        dead_letters.replayed_headers(headers)
    return dead_letters.from_headers(headers)


PROVENANCE = dead_letters.DeadLetterHeaders(
    topic="reports.submitted",
    partition=1,
    offset=2,
    timestamp=3,
    error_class="unreadable",
    rule="r",
    field="f",
    message="m",
    software_version="1",
    group="g",
    attempts=1,
    failed_at=4,
)
LETTER = b"\n".join(
    name.encode() + b"=" + value
    for name, value in (("x", b"y"), ("hx-attempts", b"2"), *dead_letters.to_headers(PROVENANCE))
)
_EXCHANGE = Signer(next(iter(EQUIPMENT.exchange.keys)))
EXCHANGE_HEADERS = (
    SIGNATURE_HEADER.encode()
    + b"="
    + _EXCHANGE.sign(signed_message("inbox.x", MESSAGE)).hex().encode()
    + b"\n"
    + KEY_ID_HEADER.encode()
    + b"="
    + _EXCHANGE.key_id.encode()
)


def _provenance(data: bytes) -> bool:
    headers = []
    for name, value in _headers(data):
        raw = value or b""
        with suppress(ValueError):
            raw = bytes.fromhex(raw.decode()) if name == SIGNATURE_HEADER else raw
        headers.append((name, raw))
    record = Record("inbox.x", 0, 1, NOW, MESSAGE, tuple(headers))
    return check_record(DIRECTORY, "", record) is None


def _provenance_holds(data: bytes, proven: bool) -> None:
    names = [name for name, _ in _headers(data)]
    assert not proven or (names.count(SIGNATURE_HEADER), names.count(KEY_ID_HEADER)) == (1, 1)


def _open_delivery(data: bytes) -> object:
    return Opener(EQUIPMENT.rings[READER], None, lambda: DIRECTORY).open(wire.decode_as(Delivery, data))


PARSERS = (
    Parser("message headers", (EXCHANGE_HEADERS,), _provenance, (), _provenance_holds),
    Parser("dead-letter headers", (LETTER,), _letter_headers, (msgspec.ValidationError,)),
    Parser("deliveries", (MESSAGE,), _open_delivery, (UnreadableError, BadInputError, HotlineExchangeError)),
)
