"""A bundle proves what it says, and every change to it is found by name; on paper, without Kafka."""

import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_exchange import PaperExchange, lived, troubled
from sealed_paper import URL, SealedExchange

from casework.directory_keys import Signers
from casework.dsse import signed_statement
from casework.ids import derived_id
from casework.messages import DirectoryDocument, Fact, ReportContent
from casework.public_keys import thumbprint, to_text
from operations.directory.equipping import equip
from operations.evidence.building import Maker, build, owner_of
from operations.evidence.checking import check
from operations.evidence.container import MAX_BYTES, pack, unpack
from operations.evidence.directories import Versions
from operations.evidence.errors import BundleRefusedError, NoEvidenceError
from operations.evidence.material import Material
from operations.evidence.parts import Kept, Manifest, to_json
from operations.evidence.sources import AmbiguousCaseError, from_exchange, from_inbox, topics_of
from operations.evidence.verdicts import FAILED, NOT_PROVEN
from operations.logs import MemoryLog
from streams import wire
from streams.key_rings import KeyRing, PrivateKey, Signer

MAKER = "nl-offlimits"
Finding = tuple[str, str]


class World:
    """A case with two reports, a re-wrap, actions, breaches and an end; and its bundle."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.paper = paper = SealedExchange(patch, "x.")
        self.first = paper.sealed_report()
        paper.clock.advance(1_000)
        self.second = paper.sealed_report(sender="de-eco")
        paper.sealed_action(MAKER, "acknowledged")
        paper.sealed_action("gb-iwf", "removed")
        paper.rewrap("gb-iwf", self.first, ["ie-hotline"])
        paper.wake(URL, hours=100)
        paper.sealed_action(MAKER, "police_informed")
        paper.sealed_action(MAKER, "removed")
        self.ring = paper.ring(MAKER)
        self.anchor = paper.equipment.anchor
        self.case_id = self.material().case_id
        self.bundle = self.build()

    def material(self, **changes: Any) -> Material:  # noqa: ANN401 - fields
        """Answer what the topics say of the case, with changes."""
        paper = self.paper
        names = topics_of(paper.topics, MAKER, None)
        found = from_exchange(
            MemoryLog(paper.records, paper.partitions()),
            paper.topics,
            self.first,
            names,
            published=paper.published,
        )
        return msgspec.structs.replace(found, **changes)

    def build(self, material: Material | None = None, **changes: Any) -> bytes:  # noqa: ANN401 - fields
        """Answer a bundle, by default signed and with content keys."""
        maker = Maker(MAKER, self.paper.now, "0.1.0", self.ring, signs=True, discloses_content_keys=True)
        return build(material or self.material(), msgspec.structs.replace(maker, **changes))

    def unsigned(self, material: Material) -> bytes:
        """Answer the bundle of somebody who changed evidence and has no key of the maker."""
        return self.build(material, signs=False)

    def failures(self, bundle: bytes, anchor: Signers | None = None) -> set[Finding]:
        """Answer part and rule of whatever failed."""
        found = check(bundle, anchor or self.anchor)
        return {(one.part, one.rule) for one in found if one.verdict == FAILED}

    def fact(self, number: int) -> tuple[int, Fact]:
        """Answer the place and the value of a fact."""
        facts = [wire.decode_as(Fact, one.value) for one in self.material().facts]
        return number - 1, facts[number - 1]

    def with_fact(self, number: int, **changes: Any) -> Material:  # noqa: ANN401 - fields
        """Answer the material with one fact changed."""
        index, fact = self.fact(number)
        facts = list(self.material().facts)
        changed = wire.encode(msgspec.structs.replace(fact, **changes))
        facts[index] = msgspec.structs.replace(facts[index], value=changed)
        return self.material(facts=tuple(facts))


@pytest.fixture(scope="module")
def world() -> World:
    """Return the case; no test changes it."""
    with pytest.MonkeyPatch.context() as patch:
        return World(patch)


def reheaded(bundle: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return a bundle with changed parts whose manifest lists them, as somebody without keys can make it."""
    parts = unpack(bundle)
    change(parts)
    parts.pop("manifest.signature.json", None)
    manifest = msgspec.json.decode(parts.pop("manifest.json"), type=Manifest)
    entries = {
        name: {"sha256": hashlib.sha256(part).hexdigest(), "size": len(part)}
        for name, part in sorted(parts.items())
    }
    fields = msgspec.to_builtins(manifest) | {"parts": entries}
    return pack(parts | {"manifest.json": to_json(msgspec.convert(fields, Manifest))})


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


def test_equal_material_gives_equal_bytes(world: World) -> None:
    """The same evidence at the same time is the same file, so two people can compare theirs by a hash."""
    assert world.build() == world.bundle


def test_the_timeline_tells_the_case(world: World) -> None:
    """Whoever reads the timeline learns who did what, what was late, and against which rule."""
    text = unpack(world.bundle)["timeline.md"].decode()
    for words in (
        "gb-iwf reported the address; the case was opened",
        "nl-offlimits told police",
        "**breach: after its deadline**",
        "**breach: by a party that was not responsible then**",
        "the time to tell police ran out",
        "made a report readable for further members",
        "UTC",
    ):
        assert words in text


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


def _other_anchor(_: World) -> Signers:
    key = PrivateKey.new("sign")
    return Signers(1, {"somebody": key.entry(0)})


def test_another_anchor_is_refused(world: World) -> None:
    """A chain that does not begin with the signers whom the verifier trusts fails at its first directory."""
    assert world.failures(world.bundle, _other_anchor(world)) == {("directory 1", "too_few_signatures")}


def test_a_whole_forged_network_fails_at_the_anchor(world: World) -> None:
    """Somebody who makes own keys for everybody is consistent in itself and fails only at the anchor."""
    forged = equip(world.paper.equipment.directory, at=0)
    versions = Versions.of([forged.signed()])
    index, fact = world.fact(1)
    signer = forged.rings["gb-iwf"].signer(forged.directory, "gb-iwf", world.paper.now)
    signature = signer.sign(signed_statement("report", fact.statement or b""))
    material = world.with_fact(1, signature=signature, key_id=signer.key_id)
    bundle = world.unsigned(msgspec.structs.replace(material, versions=versions, messages=()))
    assert index == 0
    assert ("directory 1", "too_few_signatures") in world.failures(bundle)
    assert f"statement {world.first}" not in {part for part, _ in world.failures(bundle)}


def _altered_statement(world: World) -> Material:
    _, fact = world.fact(1)
    statement = wire.decode(fact.statement or b"")
    changed = wire.encode(msgspec.structs.replace(statement, reference="r-2"))
    return world.with_fact(1, statement=changed, input_digest=hashlib.sha256(changed).digest())


def _foreign_key(world: World) -> Material:
    _, fact = world.fact(1)
    signer = world.paper.signer("de-eco")
    signature = signer.sign(signed_statement("report", fact.statement or b""))
    return world.with_fact(1, signature=signature, key_id=signer.key_id)


def _unknown_key(world: World) -> Material:
    _, fact = world.fact(1)
    key = PrivateKey.new("sign")
    signature = Signer(key).sign(signed_statement("report", fact.statement or b""))
    return world.with_fact(1, signature=signature, key_id=key.id)


def _stripped(world: World) -> Material:
    return world.with_fact(1, signature=None, key_id=None)


def _other_type(world: World) -> Material:
    _, fact = world.fact(1)
    signer = world.paper.signer("gb-iwf")
    return world.with_fact(1, signature=signer.sign(signed_statement("action", fact.statement or b"")))


def _swapped(world: World) -> Material:
    contents = world.material().contents
    return world.material(contents={world.first: contents[world.second], world.second: contents[world.first]})


def _later(world: World) -> Material:
    return world.with_fact(1, submitted_at=world.fact(1)[1].submitted_at + 8 * 24 * 3_600_000)


def _earlier_than_its_key(world: World) -> Material:
    return world.with_fact(1, submitted_at=world.fact(1)[1].submitted_at - 3_600_000)


def _removed_fact(world: World) -> Material:
    facts = world.material().facts
    return world.material(facts=(*facts[:2], *facts[3:]))


def _renamed(world: World) -> Material:
    return world.with_fact(2, fact="orphaned")


def _other_case(world: World) -> Material:
    return world.with_fact(2, case_id="0" * 36)


def _disagrees(world: World) -> Material:
    return world.with_fact(1, by="de-eco")


def _put_into_a_mouth(world: World) -> Material:
    return world.with_fact(3, statement=None, signature=None, key_id=None, input_id=world.paper.new_id())


def _said_otherwise(world: World, number: int, **changes: Any) -> Material:  # noqa: ANN401 - fields
    """Answer the material in which a fact, with its true statement, says something else."""
    _, fact = world.fact(number)
    kind = changes.get("fact", fact.fact)
    made = derived_id(fact.input_id, f"fact.{kind}.{number}", fact.case_id)
    return world.with_fact(number, fact_id=made, **changes)


def _another_action(world: World) -> Material:
    return _said_otherwise(world, 11, fact="not_illegal", reason_code="adult")


def _another_judgement(world: World) -> Material:
    return _said_otherwise(world, 4, fact="assessed", classification="baseline", law_country="NL")


def _another_reporter(world: World) -> Material:
    return _said_otherwise(world, 3, origin=MAKER)


def _without_its_statement(world: World) -> Material:
    return _said_otherwise(world, 11, fact="not_illegal", statement=None, signature=None, key_id=None)


def _by_a_rule(world: World) -> Material:
    return _said_otherwise(world, 11, by="exchange", statement=None, signature=None, key_id=None)


def _reordered(world: World) -> Material:
    facts = world.material().facts
    return world.material(facts=(facts[1], facts[0], *facts[2:]))


def _message_of_another_inbox(world: World) -> Material:
    first, *rest = world.material().messages
    return world.material(messages=(msgspec.structs.replace(first, topic="inbox.gb-iwf"), *rest))


def _message_altered(world: World) -> Material:
    first, *rest = world.material().messages
    message = wire.decode(first.value)
    changed = wire.encode(msgspec.structs.replace(message, is_repeat=True))  # type: ignore[type-var] # a delivery
    return world.material(messages=(msgspec.structs.replace(first, value=changed), *rest))


def _directory_left_out(world: World) -> Material:
    return world.material(versions=Versions.of([]))


@pytest.mark.parametrize(
    ("change", "part", "rule"),
    [
        (_altered_statement, "statement {first}", "signature_mismatch"),
        (_foreign_key, "statement {first}", "foreign_key"),
        (_unknown_key, "statement {first}", "unknown_key"),
        (_stripped, "statement {first}", "signature_missing"),
        (_other_type, "statement {first}", "signature_mismatch"),
        (_swapped, "content {first}", "digest_mismatch"),
        (_later, "statement {first}", "replay_window"),
        (_earlier_than_its_key, "statement {first}", "key_not_yet_valid"),
        (_removed_fact, "facts.json", "gap"),
        (_renamed, "fact 2", "wrong_id"),
        (_other_case, "fact 2", "foreign_fact"),
        (_disagrees, "fact 1 by", "disagrees"),
        (_reordered, "facts.json", "gap"),
        (_put_into_a_mouth, "fact 3", "no_statement"),
        (_another_action, "fact 11 fact", "disagrees"),
        (_another_judgement, "fact 4 fact", "disagrees"),
        (_another_reporter, "fact 3 origin", "disagrees"),
        (_without_its_statement, "fact 11", "no_statement"),
        (_by_a_rule, "fact 11", "no_statement"),
        (_message_of_another_inbox, "message inbox.gb-iwf/0/0", "wrong_topic"),
        (_message_of_another_inbox, "message inbox.gb-iwf/0/0", "signature_mismatch"),
        (_message_altered, "message inbox.nl-offlimits/0/0", "signature_mismatch"),
    ],
)
def test_a_change_to_the_evidence_is_found_though_all_else_was_made_again(
    world: World, change: Callable[[World], Material], part: str, rule: str
) -> None:
    """Whoever changes evidence and makes manifest, timeline and all lists anew is found by part and rule."""
    failures = world.failures(world.unsigned(change(world)))
    assert (part.format(first=world.first), rule) in failures


def test_a_bundle_without_its_directory_proves_nothing_and_says_so(world: World) -> None:
    """A directory that is gone is named, and no statement counts as proven without it."""
    found = check(world.unsigned(_directory_left_out(world)), world.anchor)
    named = {(one.part, one.rule) for one in found if one.verdict == NOT_PROVEN}
    assert {("directory 1", "missing"), (f"statement {world.first}", "no_directory")} <= named
    assert not {one.part for one in found if one.rule == "signed"}


def test_a_key_that_was_revoked_since_is_believed_before_and_not_after(world: World) -> None:
    """A later directory says from when on a key is not believed: what it signed before that stays proven."""
    directory = world.paper.equipment.directory
    _, fact = world.fact(1)
    for after_ms, fails in ((0, True), (1, False)):
        member = directory.member("gb-iwf")
        revoked = fact.submitted_at + after_ms
        old = tuple(msgspec.structs.replace(key, revoked_at=revoked) for key in member.keys)
        keys = (*old, PrivateKey.new("sign").entry(0), PrivateKey.new("seal").entry(0))
        members = tuple(
            msgspec.structs.replace(one, keys=keys) if one.id == member.id else one
            for one in directory.members
        )
        later = msgspec.structs.replace(
            directory, version=2, members=members, valid_from=fact.submitted_at + 9
        )
        equipment = world.paper.equipment
        versions = Versions.of([equipment.signed(), equipment.signed(later)])
        failures = world.failures(world.build(world.material(versions=versions)))
        assert ((f"statement {world.first}", "key_revoked") in failures) == fails


Change = Callable[[dict[str, bytes], World], None]


def _timeline(parts: dict[str, bytes], _: World) -> None:
    parts["timeline.md"] = parts["timeline.md"].replace(b"after its deadline", b"in good time")


def _statements(parts: dict[str, bytes], _: World) -> None:
    parts["statements.json"] = parts["statements.json"].replace(b"gb-iwf", b"de-eco")


def _keys(parts: dict[str, bytes], _: World) -> None:
    parts["keys.json"] = parts["keys.json"].replace(b"Ed25519", b"Ed448")


def _clear_text(parts: dict[str, bytes], world: World) -> None:
    clear = wire.encode(ReportContent(url="https://other.example.test/"))
    parts[f"opened/{world.first}.avro"] = clear
    parts[f"opened/{world.first}.json"] = to_json(
        {"event_id": world.first, "content": {"url": "https://other.example.test/"}}
    )


def _content_key(parts: dict[str, bytes], world: World) -> None:
    parts["content-keys.json"] = to_json({world.first: bytes(64), world.second: bytes(64)})


def _content_gone(parts: dict[str, bytes], world: World) -> None:
    for name in [name for name in parts if world.first in name]:
        del parts[name]
    parts["content-keys.json"] = to_json({})


def _extra(parts: dict[str, bytes], _: World) -> None:
    parts["note.txt"] = b"not from the exchange"


def _no_facts(parts: dict[str, bytes], _: World) -> None:
    del parts["facts.json"]


def _spaced(parts: dict[str, bytes], _: World) -> None:
    parts["facts.json"] += b" "


def _deep(parts: dict[str, bytes], _: World) -> None:
    parts["messages.json"] = b"[" * 200_000


def _directory_altered(parts: dict[str, bytes], _: World) -> None:
    envelope = msgspec.json.decode(parts["directories/1.json"])
    document = msgspec.json.decode(msgspec.convert(envelope["payload"], bytes, strict=True))
    document["published_at"] += 1
    envelope["payload"] = msgspec.to_builtins(msgspec.json.encode(document))
    parts["directories/1.json"] = to_json(envelope)


@pytest.mark.parametrize(
    ("change", "part", "rule"),
    [
        (_timeline, "timeline.md", "altered"),
        (_statements, "statements.json", "altered"),
        (_keys, "keys.json", "altered"),
        (_clear_text, "clear content {first}", "altered"),
        (_content_key, "clear content {first}", "wrong_content_key"),
        (_content_gone, "content {first}", "missing"),
        (_extra, "note.txt", "unexpected"),
        (_no_facts, "facts.json", "missing"),
        (_spaced, "facts.json", "not_canonical"),
        (_deep, "messages.json", "unreadable"),
        (_directory_altered, "directory 1", "too_few_signatures"),
    ],
)
def test_a_changed_part_is_found_by_name(world: World, change: Change, part: str, rule: str) -> None:
    """A part that does not follow from the evidence is named, with and without a new manifest around it."""
    failures = world.failures(reheaded(world.bundle, lambda parts: change(parts, world)))
    assert (part.format(first=world.first), rule) in failures
    parts = unpack(world.bundle)
    change(parts, world)
    assert world.failures(pack(parts))


def test_a_manifest_that_was_changed_breaks_its_makers_signature(world: World) -> None:
    """What rests on the maker alone, such as why something is missing, cannot be changed by others."""
    parts = unpack(world.bundle)
    manifest = msgspec.json.decode(parts["manifest.json"], type=Manifest)
    changed = msgspec.structs.replace(manifest, software_version="9.9.9")
    bundle = pack(parts | {"manifest.json": to_json(changed)})
    assert world.failures(bundle) == {("manifest.signature.json", "signature_mismatch")}


def test_somebody_else_cannot_sign_for_the_maker(world: World) -> None:
    """The key must be the maker's own by the newest directory."""
    parts = unpack(world.build(ring=world.paper.ring("gb-iwf"), name="gb-iwf"))
    manifest = msgspec.json.decode(parts["manifest.json"], type=Manifest)
    changed = msgspec.structs.replace(manifest, made_by=MAKER)
    bundle = pack(parts | {"manifest.json": to_json(changed)})
    assert ("manifest.signature.json", "foreign_key") in world.failures(bundle)


@settings(max_examples=150)
@given(data=st.data())
def test_no_changed_byte_passes(world: World, data: st.DataObject) -> None:
    """Whichever byte is changed, removed or added, something fails and nothing is raised."""
    at = data.draw(st.integers(0, len(world.bundle) - 1))
    bit = data.draw(st.sampled_from([1 << n for n in range(8)]))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    bundle = bytearray(world.bundle)
    if kind == "flip":
        bundle[at] ^= bit
    elif kind == "cut":
        del bundle[at:]
    else:
        bundle[at:at] = bytes([bit])
    assert world.failures(bytes(bundle))


@settings(max_examples=200)
@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"PK\x03\x04" + tail))
def test_any_bytes_are_answered(hostile: bytes) -> None:
    """Bytes that are no bundle are refused by name, whatever they are."""
    assert [one.verdict for one in check(hostile)][:1] == [FAILED]


def _zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, part in entries.items():
            opened.writestr(zipfile.ZipInfo(name), part, method)
    return file.getvalue()


def _doubled(bundle: bytes) -> bytes:
    parts = unpack(bundle)
    local = pack({"facts.json": parts["facts.json"]})
    return local[: local.index(b"PK\x01\x02")] + bundle


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda _: b"", "not_a_bundle"),
        (lambda bundle: bundle[:-5], "not_canonical"),
        (lambda bundle: bundle[: len(bundle) // 2], "truncated"),
        (_doubled, "repeated_name"),
        (lambda bundle: bundle + b"\0", "not_canonical"),
        (lambda _: _zipped({"../manifest.json": b"{}"}), "bad_name"),
        (lambda _: _zipped({"/etc/passwd": b"x"}), "bad_name"),
        (lambda _: _zipped({"a\\b.json": b"x"}), "bad_name"),
        (lambda _: _zipped({"manifest.json": bytes(1 << 20)}, zipfile.ZIP_DEFLATED), "compressed"),
        (lambda _: _zipped({"manifest.json": b"{}"}), "not_canonical"),
    ],
)
def test_hostile_files_are_refused_before_anything_in_them_is_read(
    world: World, make: Callable[[bytes], bytes], rule: str
) -> None:
    """Bombs, climbing and repeated names, cut and longer files are refused by the rule they break."""
    assert ("bundle", rule) in world.failures(make(world.bundle))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}(/[a-zA-Z0-9_-]{1,8})?\.[a-z]{2,6}", fullmatch=True).filter(
            str.isascii
        ),
        st.binary(max_size=64),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_packed_is_unpacked(parts: dict[str, bytes]) -> None:
    """Any parts with sound names come back as they were, and in the same bytes whatever their order."""
    assert unpack(pack(parts)) == parts
    assert pack(dict(reversed(parts.items()))) == pack(parts)


@given(st.text(max_size=20).filter(lambda name: not name.isascii() or not name[:1].isalnum() or ".." in name))
def test_no_bundle_is_made_with_a_name_that_leads_elsewhere(name: str) -> None:
    """Names that climb, begin with a slash or are not ASCII are refused when writing too."""
    with pytest.raises(BundleRefusedError, match="bad_name"):
        pack({name: b""})


def test_a_file_beyond_the_limit_is_not_looked_into() -> None:
    """The size is looked at first, and a bundle that would be too large is not made."""
    with pytest.raises(BundleRefusedError, match="too_large"):
        unpack(bytes(MAX_BYTES + 1))


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


@pytest.mark.parametrize("wanted", ["case", "first", "beginning"])
def test_a_member_makes_its_bundle_from_its_inbox_alone(world: World, wanted: str) -> None:
    """What a member was sent is proven by the exchange's and the origin's signatures, without any fact."""
    paper = world.paper
    names = topics_of(paper.topics, MAKER, None)
    log = MemoryLog([r for r in paper.records if r.topic in {*names, paper.topics.directory}])
    asked = {"case": world.case_id, "first": world.first, "beginning": world.case_id[:13]}[wanted]
    bundle = world.build(from_inbox(log, paper.topics, asked, names, published=paper.published))
    found = check(bundle, world.anchor)
    assert not [one for one in found if one.verdict == FAILED]
    told = {one.part: one.rule for one in found}
    assert told[f"statement {world.first}"] == "signed"
    assert told[f"clear content {world.first}"] == "opened"
    assert told["message inbox.nl-offlimits/0/0"] == "signed"
    assert unpack(bundle)["facts.json"] == b"[]\n"


def test_police_make_their_bundle_from_an_urgent_escalation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A liaison proves who reported what and opens it, though its message names no case yet."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report(urgency=("abuse_in_progress",))
    liaison = paper.equipment.directory.liaison("nl")
    assert liaison is not None
    names = topics_of(paper.topics, liaison.id, "nl")
    log = MemoryLog([r for r in paper.records if r.topic in {*names, paper.topics.directory}])
    ring = paper.ring(liaison.id)
    maker = Maker(liaison.id, paper.now, "0.1.0", ring, signs=True, discloses_content_keys=True)
    bundle = build(from_inbox(log, paper.topics, event_id, names, published=paper.published), maker)
    told = {one.part: (one.verdict, one.rule) for one in check(bundle, paper.equipment.anchor)}
    assert FAILED not in {verdict for verdict, _ in told.values()}
    assert told[f"statement {event_id}"] == ("ok", "signed")
    assert told[f"clear content {event_id}"] == ("ok", "opened")
    assert "were told of the report of gb-iwf: abuse" in unpack(bundle)["timeline.md"].decode()


def test_a_delivery_that_is_missing_is_named(world: World) -> None:
    """A gap in the numbers of deliveries is told by whoever makes the bundle, and found where it was not."""
    paper = world.paper
    names = topics_of(paper.topics, MAKER, None)
    whole = from_inbox(
        MemoryLog(paper.records), paper.topics, world.case_id, names, published=paper.published
    )
    first, *rest = whole.messages
    bundle = world.build(msgspec.structs.replace(whole, messages=tuple(rest)))
    told = {one.part: one.verdict for one in check(bundle, world.anchor)}
    assert told["deliveries nl-offlimits 1-1"] == NOT_PROVEN
    assert isinstance(first, Kept)

    def unnamed(parts: dict[str, bytes]) -> None:
        manifest = msgspec.json.decode(parts["manifest.json"], type=Manifest)
        missing = tuple(one for one in manifest.missing if not one.what.startswith("deliveries"))
        parts["manifest.json"] = to_json(msgspec.structs.replace(manifest, missing=missing))

    assert ("deliveries nl-offlimits 1-1", "missing") in world.failures(reheaded(bundle, unnamed))


def test_a_case_that_is_not_there_and_one_that_is_not_clear_are_refused(world: World) -> None:
    """Nothing is guessed: an unknown id has no evidence, and a beginning of several cases means none."""
    paper = world.paper
    log = MemoryLog(paper.records, paper.partitions())
    with pytest.raises(NoEvidenceError):
        from_exchange(log, paper.topics, "ffffffff-none", published=paper.published)
    with pytest.raises(NoEvidenceError):
        from_inbox(log, paper.topics, "ffffffff-none", topics_of(paper.topics, MAKER, None), published=())


def test_ids_that_begin_alike_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cases of one minute have event ids that begin alike."""
    paper = SealedExchange(monkeypatch)
    event_id = paper.sealed_report()
    paper.sealed_report(URL + "/other")
    with pytest.raises(AmbiguousCaseError):
        from_exchange(
            MemoryLog(paper.records, paper.partitions()),
            paper.topics,
            event_id[:8],
            published=paper.published,
        )


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


def test_the_page_for_courts_checks_a_bundle_without_our_software(world: World, tmp_path: Path) -> None:
    """The program on the page proves a bundle with one known library, and finds a changed one."""
    page = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
    program = tmp_path / "check.py"
    program.write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")

    def run(bundle: bytes) -> tuple[int, str]:
        file = tmp_path / "case.zip"
        file.write_bytes(bundle)
        done = subprocess.run(
            [sys.executable, str(program), str(file)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    code, told = run(world.bundle)
    assert code == 0, told
    assert f"signed: {world.first} by gb-iwf" in told
    assert f"opened: {world.first}" in told
    forged = world.unsigned(_foreign_signature(world))
    assert f"NOT signed: {world.first}" in run(forged)[1]
    changed = reheaded(world.bundle, lambda parts: _clear_text(parts, world))
    assert f"NOT what was sealed: {world.first}" in run(changed)[1]


def _foreign_signature(world: World) -> Material:
    _, fact = world.fact(1)
    signer = world.paper.signer("de-eco")
    return world.with_fact(1, signature=signer.sign(signed_statement("report", fact.statement or b"")))


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
