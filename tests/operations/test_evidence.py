"""What a bundle proves, and what it says that it does not; on paper, without Kafka."""

import io
import zipfile
from collections.abc import Callable

import evidence_world
import msgspec
import pytest
from evidence_world import MAKER, World
from paper_exchange import PaperExchange, lived, troubled

from casework.messages import DirectoryDocument, Fact
from casework.public_keys import thumbprint, to_text
from operations.evidence.building import Maker, build, owner_of
from operations.evidence.checking import check
from operations.evidence.container import unpack
from operations.evidence.sources import from_exchange, topics_of
from operations.evidence.verdicts import FAILED, NOT_PROVEN
from operations.logs import MemoryLog
from streams import wire
from streams.key_rings import KeyRing, PrivateKey

world = evidence_world.world


def test_a_bundle_proves_all_that_the_exchange_keeps(world: World) -> None:
    """Nothing fails and nothing stays open: contents of reports and of actions are in it and proven."""
    found = check(world.bundle, world.anchor)
    assert [one for one in found if one.verdict == FAILED] == []
    assert [one for one in found if one.verdict == NOT_PROVEN] == []
    proven = {(one.part, one.rule) for one in found}
    for event_id in (world.first, world.second):
        assert {
            (f"statement {event_id}", "signed"),
            (f"content {event_id}", "belongs"),
            (f"clear content {event_id}", "opened"),
        } <= proven
    assert {("directories", "anchored"), ("manifest.json", "signed"), ("facts.json", "facts")} <= proven


def test_a_sighting_that_took_a_case_along_proves_its_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """The move that followed by rule has no statement of its own: that of the sighting stands for it."""
    seen, url = World(monkeypatch), "https://moved.example.test/1"
    seen.first = seen.paper.sealed_report(url=url, country="HK")
    seen.paper.clock.advance(120_000)
    where = {"observation": "moved", "observed_at": seen.paper.now, "is_online": True}
    seen.paper.sealed_action("gb-iwf", "observed", url=url, new_hosting_country="NL", **where)
    facts = [wire.decode_as(Fact, one.value) for one in seen.material().facts]
    number = next(fact.number for fact in facts if fact.fact == "moved")
    assert seen.failures(seen.build()) == set()
    elsewhere = msgspec.structs.replace(facts[number - 1].details, new_hosting_country="DE")
    forged = seen.build(seen.with_fact(number, details=elsewhere))
    assert (f"fact {number}", "no_statement") in seen.failures(forged)


def test_equal_material_gives_equal_bytes(world: World) -> None:
    """The same evidence at the same time is the same file, so two people can compare theirs by a hash."""
    assert world.build() == world.bundle


def test_any_zip_tool_reads_a_bundle(world: World) -> None:
    """The file is an ordinary ZIP: names, bytes and checksums are those of the parts."""
    with zipfile.ZipFile(io.BytesIO(world.bundle)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == unpack(world.bundle)


def test_without_a_content_key_the_clear_text_is_the_makers_word(world: World) -> None:
    """No key is disclosed unasked, and then the verifier says so, or opens the content with its own ring."""
    bundle = world.build(discloses_content_keys=False)
    assert "content-keys.json" not in unpack(bundle)
    part = f"clear content {world.first}"
    rules = {one.part: (one.verdict, one.rule) for one in check(bundle, world.anchor)}
    assert rules[part] == (NOT_PROVEN, "not_disclosed")
    own = {one.part: one.rule for one in check(bundle, world.anchor, world.paper.ring("gb-iwf"))}
    assert own[part] == "opened"


def test_who_opens_nothing_gets_ciphertext_and_says_so(world: World) -> None:
    """A maker whose ring opens no content hands over the sealed ones, and each is named."""
    bundle = world.build(ring=KeyRing(), signs=False, discloses_content_keys=False)
    assert not world.failures(bundle)
    assert not [name for name in unpack(bundle) if name.startswith("opened/")]
    open_questions = {one.part for one in check(bundle) if one.verdict == NOT_PROVEN}
    assert f"clear content {world.first}" in open_questions
    assert "manifest.json" in open_questions


def test_without_an_anchor_the_chain_is_checked_only_against_itself(world: World) -> None:
    """Nothing fails, and one line says that whoever made the file may have made its directories too."""
    found = check(world.bundle)
    assert not [one for one in found if one.verdict == FAILED]
    assert [one.rule for one in found if one.part == "directories"] == ["no_anchor"]


def test_erased_content_leaves_digest_and_signature_provable(world: World) -> None:
    """After erasure the statement is proven as before, and the bundle says that its content was erased."""
    paper = world.paper
    stored = [r for r in paper.records if r.topic == paper.topics.cases_contents]
    erased = [record._replace(value=None, offset=99 + number) for number, record in enumerate(stored)]
    log = MemoryLog([*paper.records, *erased], paper.partitions())
    bundle = world.build(from_exchange(log, paper.topics, world.case_id, published=paper.published))
    assert not world.failures(bundle)
    told = {one.part: (one.verdict, one.text) for one in check(bundle, world.anchor)}
    assert told[f"content {world.first}"] == (
        NOT_PROVEN,
        "not here: erased; digest and signature stay provable",
    )
    assert told[f"statement {world.first}"][0] == "ok"
    assert "erased" in unpack(bundle)["timeline.md"].decode()


def test_content_with_appended_recipients_is_still_what_was_signed(world: World) -> None:
    """A re-wrap changes the recipients and no digest: whoever was added opens what the origin signed."""
    bundle = world.build(ring=world.paper.ring("ie-hotline"), name="ie-hotline")
    told = {one.part: one.rule for one in check(bundle, world.anchor)}
    assert (told[f"content {world.first}"], told[f"clear content {world.first}"]) == ("belongs", "opened")


def test_the_makers_key_is_the_one_of_the_directory(world: World) -> None:
    """A ring signs for the member whose key the newest directory lists, and for nobody when it lists none."""
    material = world.material()
    assert owner_of(material, world.ring, world.paper.now) == MAKER
    assert owner_of(material, world.paper.equipment.exchange, world.paper.now) == "exchange"
    assert owner_of(material, KeyRing([PrivateKey.new("sign")]), world.paper.now) is None


def test_keys_in_the_bundle_are_those_that_count(world: World) -> None:
    """Each signer's key stands there with its holder, its public bytes and the time from which it counts."""
    keys = msgspec.json.decode(unpack(world.bundle)["keys.json"])
    own = next(key for key in keys if key["owner"] == "gb-iwf")
    signer = world.paper.ring("gb-iwf").keys[0]
    assert own["key_id"] == thumbprint("sign", signer.public)
    assert own["public"] == to_text(signer.public)
    assert own["valid_from"].endswith("UTC")


@pytest.mark.parametrize("life", [lived, troubled])
def test_every_case_of_a_long_life_passes(life: Callable[[], PaperExchange]) -> None:
    """Parked, linked, reopened, refused, erased: whatever an exchange has decided passes the check."""
    paper = life()
    log = MemoryLog(paper.records, paper.partitions())
    published = [
        wire.decode_as(DirectoryDocument, record.value or b"")
        for record in paper.records
        if record.topic == paper.topics.directory
    ]
    facts = [
        wire.decode_as(Fact, record.value or b"")
        for record in paper.records
        if record.topic == paper.topics.cases_events
    ]
    cases = {fact.case_id for fact in facts}
    assert len(cases) > 3
    for case_id in cases:
        names = topics_of(paper.topics, MAKER, None)
        material = from_exchange(log, paper.topics, case_id, names, published=published)
        found = check(build(material, Maker("somebody", paper.now, "0.1.0")))
        assert [one for one in found if one.verdict == FAILED] == []
