from types import SimpleNamespace

from casekeeper_bench import KEY, T
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sealed_samples import sealed_for

from agents.kept_contents import content_key, submission_at, version_of, with_rewrap
from casework.kept import Rewrap
from casework.messages import CaseContent, Submission
from casework.public_keys import to_text
from casework.sealed_content import SealedContent, parse, to_bytes
from streams import wire
from streams.newest_wins import NewestWins, deletion_headers
from streams.state_stores import DictStore

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
        rewrap = Rewrap("r", to_bytes(true), by_origin, 2)
        stored = with_rewrap(kept(wrapped([*names, "nl-offlimits"], b"0")), rewrap, 1)
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
        stored = with_rewrap(stored, order, order.number, decided if order.number > decided else 0)
        told.append(content_at(stored, order.number))
    open_ones = orders[decided:]
    for order in open_ones:
        stored = with_rewrap(stored, order, order.number, decided)
        assert content_at(stored, order.number) == told[order.number - 1]
    if open_ones:
        assert [one.number for one in stored.rewraps] == [one.number for one in open_ones]
    if told:
        assert content_at(stored) == told[-1]
        assert stored.source_offset == orders[-1].number


def test_rewraps_of_one_batch_stay_below_what_the_topic_takes() -> None:
    """An origin may re-wrap as often as it likes: no batch of it makes a record that stops the partition."""
    large = replace(wrapped(["gb-iwf"], b"0"), ciphertext=to_text(bytes(180_000)))
    stored, told = kept(large), large
    for number in range(1, 26):
        told = replace(large, recipients=wrapped(MEMBERS[: 1 + number % 6], bytes([64 + number])).recipients)
        stored = with_rewrap(stored, Rewrap("r", to_bytes(told), by_origin=True, number=number), number)
        assert content_at(stored).recipients[0] == told.recipients[0]
    assert len(wire.encode(stored)) < 2 * 1024 * 1024 - 64 * 1024
    assert len(stored.rewraps) == 4


def test_how_new_a_content_is_stands_in_it() -> None:
    """The record that changed it last says it; bytes that are no content of the key say nothing."""
    stored = kept(wrapped(["gb-iwf"], b"0"))
    key, rewrap = (
        content_key(KEY, "r"),
        Rewrap("r", to_bytes(wrapped(MEMBERS, b"1")), by_origin=False, number=2),
    )
    changed = with_rewrap(replace(stored, source_offset=4), rewrap, 9)
    assert version_of(key, wire.encode(stored)) == 0
    assert version_of(key, wire.encode(changed)) == 9
    assert version_of(key + b"x", wire.encode(changed)) is None
    assert version_of(key, b"no content") is None


def test_an_erasure_by_an_older_version_stays() -> None:
    """It did not say of contents and erasures how new they are; what a newer one wrote it does not erase."""
    key, store = content_key(KEY, "r"), DictStore()
    newest = NewestWins(store, version_of, is_empty=True)
    old = wire.encode(kept(wrapped(["gb-iwf"], b"0")))
    store.write(newest.take([SimpleNamespace(key=key, value=value, headers=()) for value in (old, None)]))
    assert store.get(key) is None
    assert newest.repairs == {}
    late = wire.encode(replace(kept(wrapped(["gb-iwf"], b"0")), source_offset=4))
    for value in (late, None):
        store.write(newest.take([SimpleNamespace(key=key, value=value, headers=())]))
    assert newest.repairs == {key: late}


def test_a_late_writer_raises_no_erased_content() -> None:
    """A content of an older record behind its erasure does not count, and the erasure is written again."""
    key, store = content_key(KEY, "r"), DictStore()
    newest = NewestWins(store, version_of, is_empty=False)
    late = wire.encode(replace(kept(wrapped(["gb-iwf"], b"0")), source_offset=4))
    for value, headers in ((late, ()), (None, deletion_headers(9)), (late, ())):
        store.write(newest.take([SimpleNamespace(key=key, value=value, headers=headers)]))
    assert store.get(key) is None
    assert newest.repairs == {key: None}
