from casekeeper_bench import KEY, T
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sealed_samples import sealed_for

from agents.kept_contents import submission_at, with_rewrap
from casework.kept import Rewrap
from casework.messages import CaseContent, Submission
from casework.public_keys import to_text
from casework.sealed_content import SealedContent, parse, to_bytes
from streams import wire

BOUND = b"a report"
MEMBERS = [f"member-{number}" for number in range(6)]


def wrapped(readers: list[str], byte: bytes) -> SealedContent:
    """Answer the content, its keys wrapped in a way that shows who did it."""
    found = sealed_for(readers, BOUND)
    key = to_text(byte * 72)
    return replace(found, recipients=tuple(replace(one, encrypted_key=key) for one in found.recipients))


def kept(content: SealedContent) -> CaseContent:
    """Answer a content as it was stored first."""
    submission = wire.encode(Submission(statement=b"s", content=to_bytes(content)))
    return CaseContent(
        report_event_id="r", case_id="c", url_key=KEY, sender="gb-iwf", stored_at=T, submission=submission
    )


def content_at(stored: CaseContent, number: int | None = None) -> SealedContent:
    """Answer the content as of a fact."""
    return parse(submission_at(stored, number).content or b"")


def test_the_origin_alone_replaces_what_others_wrapped() -> None:
    """A key that another member claims to have wrapped for, or 64 of them, does not shut out the true one."""
    names = [f"member-{number}" for number in range(63)]
    true = wrapped(["nl-offlimits"], b"1")
    for by_origin in (True, False):
        stored = with_rewrap(
            kept(wrapped([*names, "nl-offlimits"], b"0")), Rewrap("r", to_bytes(true), by_origin, 2)
        )
        found = content_at(stored)
        assert len(found.recipients) == 64
        assert (found.recipients[0] == true.recipients[0]) == by_origin


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(MEMBERS), min_size=1, unique=True), st.booleans()), max_size=5
    ),
    st.integers(0, 5),
)
def test_later_rewraps_and_repeats_leave_what_was_told_before(
    rewraps: list[tuple[list[str], bool]], decided: int
) -> None:
    """As of a fact a content stays the same: while a batch goes on, after a crash in it, and once joined."""
    orders = [
        Rewrap("r", to_bytes(wrapped(readers, bytes([48 + number]))), by_origin, number)
        for number, (readers, by_origin) in enumerate(rewraps, start=1)
    ]
    stored, told = kept(wrapped(["gb-iwf"], b"0")), []
    for order in orders:
        stored = with_rewrap(stored, order, decided if order.number > decided else 0)
        told.append(content_at(stored, order.number))
    open_ones = orders[decided:]
    for order in open_ones:
        stored = with_rewrap(stored, order, decided)
        assert content_at(stored, order.number) == told[order.number - 1]
    if open_ones:
        assert [one.number for one in stored.rewraps] == [one.number for one in open_ones]
    if told:
        assert content_at(stored) == told[-1]
