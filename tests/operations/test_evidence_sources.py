"""Where a bundle is made from: the exchange, or the inbox of one member; and how its timeline reads."""

import evidence_world
import msgspec
import pytest
from evidence_world import MAKER, World, reheaded
from sealed_paper import URL, SealedExchange

from operations.evidence.building import Maker, build
from operations.evidence.checking import check
from operations.evidence.container import unpack
from operations.evidence.errors import NoEvidenceError
from operations.evidence.parts import Kept, Manifest, to_json
from operations.evidence.sources import AmbiguousCaseError, from_exchange, from_inbox, topics_of
from operations.evidence.verdicts import FAILED, NOT_PROVEN
from operations.logs import MemoryLog

world = evidence_world.world


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
