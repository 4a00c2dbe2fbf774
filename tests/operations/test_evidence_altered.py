"""Somebody changes parts of a bundle, its manifest or any byte: found by name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import evidence_world
import msgspec
import pytest
from evidence_world import MAKER, World, reheaded
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.dsse import signed_statement
from casework.messages import ReportContent
from operations.evidence.container import pack, unpack
from operations.evidence.material import Material
from operations.evidence.parts import Manifest, to_json
from streams import wire

pytestmark = pytest.mark.slow

world = evidence_world.world
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
