import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from casework.url_keys import url_key
from casework.urls import canonical_url
from connectors.drafts import ActionDraft, ReportDraft
from operations.canary import Canary, attack, forms, new_mark, url_keys_in
from operations.demo import Demo, DemoOptions
from operations.embedded_kafka import EmbeddedKafka
from operations.log_file import logging_to
from operations.reading import TopicReader
from operations.simulator.marks import marked_action, marked_report
from operations.simulator.run import LiveSimulation
from streams.settings import DEMO_NETWORK_KEY

pytestmark = pytest.mark.slow

MARK = "canary-0123456789abcdef"
NOISE = st.binary(max_size=40)
SPELLINGS = {
    "plain": lambda raw: raw,
    "capitals": lambda raw: raw.upper(),
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    "escaped": lambda raw: "".join(f"%{byte:02X}" for byte in raw).encode(),
    "quoted": lambda raw: quote(raw).encode(),
    "JSON": lambda raw: json.dumps(raw.decode("latin-1")).encode(),
    "\\u": lambda raw: "".join(f"\\u{byte:04X}" for byte in raw).encode(),
    "Python": lambda raw: repr(raw).encode(),
    "UTF-16-LE": lambda raw: raw.decode("latin-1").encode("utf-16-le"),
    "UTF-16-BE": lambda raw: raw.decode("latin-1").encode("utf-16-be"),
    "backwards": lambda raw: raw[::-1],
    "bound": lambda raw: base64.urlsafe_b64encode(b'["test","' + raw.hex().encode() + b'"]'),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(before=NOISE, after=NOISE)
def test_a_mark_is_found_in_every_spelling(spelling: str, before: bytes, after: bytes) -> None:
    """Whatever bytes stand around a mark before it is encoded, and around it afterwards, it is found."""
    canary = Canary({"mark": MARK.encode()})
    spelt = SPELLINGS[spelling](before + MARK.encode() + after)
    assert {hit.mark for hit in canary.search(before + spelt + after, "here")} == {"mark"}
    assert not list(canary.search(SPELLINGS[spelling](before + after), "here"))


@given(key=st.binary(min_size=32, max_size=32), before=NOISE, after=NOISE)
def test_a_key_is_found_in_every_spelling_of_bytes(key: bytes, before: bytes, after: bytes) -> None:
    """The network key is no text, and is found raw, in base64, in hexadecimal and as Python shows it."""
    canary = Canary({"key": key})
    for spell in ("plain", "base64", "base64url", "hex", "HEX", "escaped", "Python", "bound", "backwards"):
        if spell == "Python":
            assert list(canary.search(repr(key).encode(), "here"))
        else:
            assert list(canary.search(SPELLINGS[spell](before + key + after), "here"))


def test_a_mark_must_be_long_and_is_new_each_time() -> None:
    """A short mark would be found by chance; two runs never share one."""
    with pytest.raises(ValueError, match="at least 8"):
        forms(b"short")
    assert new_mark() != new_mark()


def test_files_and_their_names_are_searched(tmp_path: Path) -> None:
    """A mark across the border of two reads is found, and one in a name; a clean folder has no hit."""
    canary = Canary({"mark": MARK.encode()})
    (tmp_path / "clean").write_bytes(os.urandom(100_000))
    assert not list(canary.search_files(tmp_path))
    border = 8 << 20
    (tmp_path / "large").write_bytes(bytes(border - 5) + MARK.encode() + bytes(100))
    (tmp_path / MARK).mkdir()
    hits = list(canary.search_files(tmp_path))
    assert {hit.form for hit in hits} == {"any case: plain", "as Python shows it"}
    assert {Path(hit.place).name for hit in hits} == {"large", MARK}


def test_what_members_seal_is_marked() -> None:
    """Every address and note of a draft carries the mark, and nothing that travels in the clear does."""
    draft = ReportDraft(
        url="https://h1.example/a",
        hosting_country="NL",
        received_at=0,
        reference="r",
        content_type="media",
        referrer="http://h2.example/",
        source_page="https://h1.example/",
        sibling_items=("https://h1.example/b",),
    )
    marked = marked_report(draft, MARK)
    texts = (marked.url, marked.referrer, marked.source_page, *marked.sibling_items, marked.note)
    assert all(text is not None and MARK in text for text in texts)
    assert (marked.reference, marked.hosting_country) == ("r", "NL")
    assert canonical_url(marked.url).startswith(f"https://{MARK}.h1.example")
    assert MARK in str(marked_action(ActionDraft(action="removed", hosting_country="NL"), MARK).note)


def test_a_dictionary_names_places_with_the_network_key_only() -> None:
    """A list of addresses gives away a plain hash, and one whose key is known; without the key nothing."""
    key = secrets.token_bytes(32)
    addresses = [f"https://h{number}.example/" for number in range(50)]
    keys = [url_key(address, key) for address in addresses[:10]]
    assert attack(keys, addresses, [DEMO_NETWORK_KEY.reveal(), bytes(32)]).found == 0
    assert attack(keys, addresses, [bytes(32), key]).found == 10
    plain = [b"\1" + hashlib.sha256(address.encode()).digest() for address in addresses[:3]]
    assert attack(plain, addresses, []).found == 3


class WatchedDemo(Demo):
    """A demo that keeps what its members know, for the attack, and looks at its worker's process."""

    addresses: frozenset[str] = frozenset()
    in_process: tuple[Any, ...] = ()
    hopeless = 0

    @property
    def mark(self) -> str:
        """The mark of this run."""
        return self._mark

    async def _play(self, simulation: LiveSimulation) -> bool:
        canary = Canary({"mark": self._mark.encode(), "network key": self.network_key})
        process = self._worker._process
        assert process is not None
        self.in_process = tuple(canary.search_process(process.pid))
        return await super()._play(simulation)

    def _examine(self, simulation: LiveSimulation) -> Any:  # noqa: ANN401 - what was found
        drafts = (
            marked_report(report.draft("NL"), self._mark) for report in simulation.world.reports.values()
        )
        self.addresses = frozenset(canonical_url(draft.url) for draft in drafts)
        self.hopeless = simulation.ledger.hopeless
        # Whether anything was lost is what the tests of the demo ask.
        return SimpleNamespace(account=None, violations=())

    def held_keys(self) -> Iterator[bytes]:
        """Yield everything the operator holds that may serve as a key: its own, public ones, sealed parts."""
        directory = self.directory
        yield DEMO_NETWORK_KEY.reveal()
        for key in self._equipment.exchange.keys:
            yield from (key.secret.reveal(), key.public)
        for member in directory.members:
            for key in member.keys:
                yield from (key.raw, key.id.encode(), key.public.encode())
        networks = () if directory.network_keys is None else directory.network_keys.parts_of(1)
        for part in networks:
            sealed = json.loads(part)
            texts = [sealed["ciphertext"], sealed["tag"], sealed["iv"]]
            texts += [each["encrypted_key"] for each in sealed["recipients"]]
            texts += [each["header"]["epk"]["x"] for each in sealed["recipients"]]
            for text in texts:
                raw = base64.urlsafe_b64decode(text + "==")
                yield from (raw, *(raw[at : at + 32] for at in range(0, max(1, len(raw) - 31), 8)))


@pytest.mark.kafka
async def test_nothing_that_members_seal_can_be_read_at_the_operator(tmp_path: Path) -> None:
    """After a demo, with crash, no mark and no network key is in any file, topic, log, metric or process.

    The control shows that the search would see one: a mark in a compressed record, and in the members' own
    sealed content opened by a member. And no url key gives its place away, but with the network key all do.
    """
    home = tmp_path / "demo"
    home.mkdir()
    options = DemoOptions(seconds=10, days=20, reports_per_second=6, kill_worker=True, plain=True)
    with (
        logging_to(home / "demo.log"),
        EmbeddedKafka.start(home / "kafka", heap_mb=320, quick=True, dies_with_parent=True) as kafka,
    ):
        demo = WatchedDemo(options, kafka.local_access, home)
        outcome = await demo.play()
        assert outcome.is_drained
        assert outcome.searched_bytes > 1_000_000
        assert outcome.leaks == ()
        assert demo.in_process == ()
        assert {path.name for path in home.iterdir()} >= {"kafka", "worker.log", "demo.log", "data"}

        with TopicReader(kafka.local_access.admin()) as reader:
            seen = url_keys_in(reader)
        assert len(demo.addresses) > 20
        assert _found(seen, demo.addresses, demo.held_keys()) == 0
        assert _found(seen, demo.addresses, [demo.network_key]) == len(demo.addresses)

        topic = "dead-letters"
        with_mark = f"https://{demo.mark}.example/ ".encode() * 50
        producer: Any = KafkaProducer(**kafka.local_access.admin().client_settings(), compression_type="lz4")
        producer.send(topic, with_mark).get(20)
        producer.close()
        canary = Canary({"mark": demo.mark.encode()})
        with TopicReader(kafka.local_access.admin()) as reader:
            assert [hit.place.partition("[")[0] for hit in canary.search_topics(reader)][:1] == [topic]


def _found(seen: Iterable[bytes], addresses: Iterable[str], keys: Iterable[bytes]) -> int:
    return attack(seen, addresses, keys).found
