"""What is kept of a case that has been closed for long, and that everything goes on from it."""

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casework.casekeeping import Kept
from casework.events import WakeUp
from casework.evolution import fold
from casework.messages import Case, DeliveryCount, Fact
from casework.stubs import SHRINK, case_of, is_stub, last_number, may_shrink, shrunk, stub_of
from operations.directory.document import build
from streams import wire

if TYPE_CHECKING:
    from tests.casework.conftest import Story

DIRECTORY = build(environment="test", published_at=0, candidates="admit")


def wake(story: "Story", source_offset: int | None = None) -> Kept:
    """Say that the case has been closed for long, as it was seen at an offset; now when None is given."""
    assert story.case is not None
    seen = story.case.source_offset if source_offset is None else source_offset
    admitted = story._admitted("wakeup", story.new_id(), "", "", None)
    return story.happen(WakeUp(msgspec.structs.replace(admitted, step=SHRINK, source_offset=seen)))


def erased(story: "Story") -> None:
    """Let the contents of a closed case be erased, and the time pass in which members may confirm."""
    story.later(DIRECTORY.casework.erase_ms).wake("erase")
    story.later(DIRECTORY.casework.confirm_ms).wake("confirm")


def shrunk_story(story: "Story") -> Kept:
    """Close a case of two origins and let it become a stub."""
    story.report("gb-iwf", "NL")
    story.report("de-eco", "NL")
    story.act("nl-offlimits", "removed")
    erased(story)
    return wake(story)


def test_a_closed_case_becomes_a_stub_and_its_contents_are_erased(story: "Story") -> None:
    """One fact makes the stub; what was stored of its reports goes."""
    kept = shrunk_story(story)
    assert [fact.fact for fact in kept.facts] == ["shrunk"]
    assert kept.erases_contents
    assert kept.postings == ()
    assert story.case is not None
    assert is_stub(story.case)
    assert not may_shrink(story.case)


def test_a_stub_is_rebuilt_from_facts_and_from_its_bytes(story: "Story") -> None:
    """Facts and stored bytes give the same case, and the bytes are at most 150."""
    case = shrunk_story(story).case
    assert case is not None
    framed = wire.encode_case(case)
    assert len(framed) <= 150
    assert wire.decode_as(Case, framed) == case == fold(story.facts)


def test_a_report_after_it_opens_a_new_round_and_all_numbers_go_on(story: "Story") -> None:
    """Neither a fact nor a delivery has a number twice, and none is left out."""
    shrunk_story(story)
    story.report("gb-iwf", "NL")
    story.report("de-eco", "NL")
    assert story.case is not None
    assert (story.case.round, story.case.state) == (2, "assigned")
    assert [fact.number for fact in story.facts] == list(range(1, len(story.facts) + 1))
    for member in ("nl-offlimits", "gb-iwf", "de-eco"):
        numbers = [delivery.number for delivery in story.deliveries(member)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert story.case == fold(story.facts)


def test_a_wake_up_that_was_overtaken_shrinks_nothing(story: "Story") -> None:
    """What has happened since it was sent counts: the case waits its time again."""
    story.report("gb-iwf", "NL")
    story.act("nl-offlimits", "removed")
    assert wake(story, source_offset=1).facts == ()


def test_an_open_case_never_shrinks(story: "Story") -> None:
    """Whatever a wake-up says, only a closed case becomes a stub."""
    story.report("gb-iwf", "NL")
    assert wake(story).facts == ()


def closed(counts: dict[str, int], earlier: bytes | None = None) -> Case:
    """Answer a closed case with deliveries."""
    return Case(
        url_key=b"\x01" + bytes(32),
        case_id="0199c1b2-0000-8000-8000-000000000001",
        source_offset=3_000_000_000,
        environment="production",
        number=40,
        state="closed",
        round=1,
        leg=1,
        hosting_country="NL",
        assigned_hotline="nl-offlimits",
        received_at=1,
        opened_at=1,
        leg_started_at=1,
        last_now=1_790_000_000_000,
        closed_at=2,
        outcome="removed",
        deliveries=tuple(DeliveryCount(recipient=name, number=number) for name, number in counts.items()),
        earlier_deliveries=earlier,
        directory_version=200,
        rules_version=1,
    )


@given(
    st.dictionaries(st.text("abcdefgh-", min_size=1, max_size=20), st.integers(1, 65_535), max_size=6),
    st.dictionaries(st.text("abcdefgh-", min_size=1, max_size=20), st.integers(1, 65_535), max_size=3),
)
def test_no_number_is_lost_however_often_a_case_shrinks(first: dict[str, int], more: dict[str, int]) -> None:
    """Numbers of two rounds are found again under the names of their recipients, the newer ones first."""
    once = shrink(closed(first))
    again = shrink(closed(more, once.earlier_deliveries))
    assert all(last_number(again, name) == number for name, number in (first | more).items())
    assert last_number(again, "somebody else") == 0
    stub = stub_of(once)
    assert stub is not None
    assert case_of(stub) == once
    assert len(wire.encode(stub)) <= 150


def shrink(case: Case) -> Case:
    """Answer a closed case as a stub."""
    assert may_shrink(case)
    place = {"number": case.number + 1, "source_offset": case.source_offset + 1}
    bare = shrunk(case, Fact(case_id=case.case_id, **place, **FACT))
    assert not may_shrink(bare)
    return bare


FACT: dict[str, Any] = {
    "url_key": b"\x01" + bytes(32),
    "fact": "shrunk",
    "round": 1,
    "leg": 1,
    "fact_id": "f",
    "input_id": "i",
    "environment": "production",
    "by": "exchange",
    "occurred_at": 1_790_000_000_000,
    "admitted_at": 1_790_000_000_000,
    "submitted_at": 1_790_000_000_000,
    "directory_version": 200,
    "rules_version": 1,
    "source_topic": "cases.admitted",
    "source_partition": 1,
}
