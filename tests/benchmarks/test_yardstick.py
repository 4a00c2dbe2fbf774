"""The work of the routing yardstick is the same for all contestants, however they do it."""

import re

from benchmarks.peers import environment, yardstick


def test_both_codecs_give_the_same_bytes() -> None:
    """Routing by the first fields alone gives what decoding and encoding everything gives."""
    places = yardstick.destinations("out.")
    for _, value in yardstick.records(500):
        assert yardstick.route_prefix(value, places) == yardstick.route_full(value, places)


def test_the_record_is_the_one_the_table_tells_of() -> None:
    """25 fields, 227 bytes, 50 destinations, and the destination is written into the record."""
    places = yardstick.destinations("out.")
    (_, value), *_ = yardstick.records(1)
    assert (len(yardstick.SCHEMA["fields"]), len(value), len(set(places.values()))) == (25, 227, 50)
    topic, routed = yardstick.route_full(value, places)
    before, after = yardstick.decode(value), yardstick.decode(routed)
    assert after == before | {"routed_to": topic}


def test_the_peers_are_locked_without_addresses() -> None:
    """Every peer has a checksum, and no lock file says from where to fetch it."""
    archives = environment.STREAMS.lock.read_text(encoding="ascii").splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.-]+\.jar", line) for line in archives)
    pins = (environment.HERE / "requirements.txt").read_text(encoding="utf-8")
    assert "quixstreams==" in pins
    assert "://" not in pins
    assert all("==" in line or "--hash=sha256:" in line for line in pins.splitlines() if line.strip())
