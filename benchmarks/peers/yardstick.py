"""The work every contestant of the routing yardstick does, and the records it does it on.

A record has 25 fields and 227 bytes of Avro in Confluent framing. Routing means: choose one of 50
destinations by the hosting country, write its name into the record, send the record on with its key.
`route_full` decodes and encodes all fields, as people usually do; `route_prefix` only the four it needs, and
passes the other bytes on untouched. Both give the same bytes. Only the standard library and fastavro are used
here, because contestants with an environment of their own import this module too.
"""

import io
import random
import uuid
from typing import Any, Final

from fastavro import parse_schema, schemaless_reader, schemaless_writer

_CODES: Final = (
    "AD AL AM AT AU AZ BA BE BG BR CA CH CL CO CY CZ DE DK EE ES FI FR GB GE GR HR HU IE IL IS IT JP KR LT "
    "LU LV MD ME MK MT MX NL NO NZ PL PT RO RS SE US"
)
COUNTRIES: Final = tuple(_CODES.split())
"""One destination each."""

HEADER: Final = b"\0\0\0\0\7"
"""Confluent framing with schema id 7; there is no registry, every contestant knows the schema."""

_PREFIX_FIELDS: Final = (
    ("event_id", "string"),
    ("kind", "string"),
    ("hosting_country", "string"),
    ("routed_to", "string"),
)
_TEXTS: Final = ("sender", "environment", "site_type", "content_type", "commerciality", "classification")
_LONGS: Final = ("sent_at", "received_at", "occurred_at", "assessed_at", "size", "number")
_OPTIONALS: Final = ("law_country", "age_group", "gender", "reference", "analyst")
_FLAGS: Final = ("is_virtual", "is_known", "is_cdn")

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Routed",
    "namespace": "benchmarks",
    "fields": [
        *({"name": name, "type": kind} for name, kind in _PREFIX_FIELDS),
        *({"name": name, "type": "string"} for name in _TEXTS),
        *({"name": name, "type": "long"} for name in _LONGS),
        *({"name": name, "type": ["null", "string"], "default": None} for name in _OPTIONALS),
        *({"name": name, "type": "boolean"} for name in _FLAGS),
        {"name": "digest", "type": "bytes"},
    ],
}
_FULL: Final = parse_schema(SCHEMA)
_PREFIX: Final = parse_schema(
    SCHEMA | {"name": "RoutedPrefix", "fields": SCHEMA["fields"][: len(_PREFIX_FIELDS)]}
)
_NOW: Final = 1_790_000_000_000
_SIZE: Final = 227


def destination(prefix: str, country: str) -> str:
    """The topic of a country's records."""
    return prefix + country.lower()


def destinations(prefix: str) -> dict[str, str]:
    """Country to topic, for all 50."""
    return {country: destination(prefix, country) for country in COUNTRIES}


def decode(framed: bytes) -> dict[str, Any]:
    """All fields of a framed record."""
    buffer = io.BytesIO(framed)
    buffer.seek(len(HEADER))
    record: dict[str, Any] = schemaless_reader(buffer, _FULL, None)
    return record


def encode(record: dict[str, Any]) -> bytes:
    """A record with its frame."""
    buffer = io.BytesIO(HEADER)
    buffer.seek(len(HEADER))
    schemaless_writer(buffer, _FULL, record)
    return buffer.getvalue()


def route_full(framed: bytes, topics: dict[str, str]) -> tuple[str, bytes]:
    """Destination and new value, by all fields."""
    record = decode(framed)
    topic = topics[record["hosting_country"]]
    record["routed_to"] = topic
    return topic, encode(record)


def route_prefix(framed: bytes, topics: dict[str, str]) -> tuple[str, bytes]:
    """Destination and new value, by the first fields; the rest stays as it is."""
    buffer = io.BytesIO(framed)
    buffer.seek(len(HEADER))
    record: dict[str, Any] = schemaless_reader(buffer, _PREFIX, None)
    rest = buffer.tell()
    topic = topics[record["hosting_country"]]
    record["routed_to"] = topic
    out = io.BytesIO(HEADER)
    out.seek(len(HEADER))
    schemaless_writer(out, _PREFIX, record)
    return topic, out.getvalue() + framed[rest:]


ROUTES: Final = {"full": route_full, "prefix": route_prefix}


def records(count: int, seed: int = 1) -> list[tuple[bytes, bytes]]:
    """Keys and values to route, the same for the same seed; every key once."""
    chance = random.Random(seed)  # noqa: S311 - test data
    made = []
    for number in range(count):
        event_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        record = {
            "event_id": event_id,
            "kind": "report",
            "hosting_country": COUNTRIES[chance.randrange(len(COUNTRIES))],
            "routed_to": "",
            "sender": "ie-hotline",
            "environment": "test",
            "site_type": "image_host",
            "content_type": "media",
            "commerciality": "not_determined",
            "classification": "baseline",
            "sent_at": _NOW + number,
            "received_at": _NOW - 60_000,
            "occurred_at": _NOW - 30_000,
            "assessed_at": _NOW - 20_000,
            "size": chance.randrange(1 << 20, 1 << 26),
            "number": number,
            "law_country": "IE",
            "age_group": None,
            "gender": None,
            "reference": f"bench-{number:08d}",
            "analyst": None,
            "is_virtual": False,
            "is_known": bool(number & 1),
            "is_cdn": False,
            "digest": b"",
        }
        empty = len(encode(record))
        record["digest"] = chance.randbytes(_SIZE - empty)
        made.append((event_id.encode(), encode(record)))
    return made
