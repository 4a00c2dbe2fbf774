"""A case on paper with its bundle, and how somebody without keys changes it: for the tests of evidence."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sealed_paper import URL, SealedExchange

from casework.directory_keys import Signers
from casework.messages import Fact
from operations.evidence.building import Maker, build
from operations.evidence.checking import check
from operations.evidence.container import pack, unpack
from operations.evidence.material import Material
from operations.evidence.parts import Manifest, to_json
from operations.evidence.sources import from_exchange, topics_of
from operations.evidence.verdicts import FAILED
from operations.logs import MemoryLog
from streams import wire

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
