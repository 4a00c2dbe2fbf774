from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from casework.directory import Directory
from casework.exchange_signatures import KEY_ID_HEADER, SIGNATURE_HEADER, signed_message
from casework.messages import Delivery, Escalation, Message, Receipt, Submission
from connectors.delivery_order import CaseKey, HoldLimits
from connectors.errors import MisuseError, PositionsError
from connectors.inbox_book import InboxBook, Provenance
from connectors.inbox_messages import InboxMessage, Unreadable
from connectors.opening import Opener
from connectors.positions import Change, MemoryPositions, Positions, SqlitePositions
from connectors.provenance import Record
from operations.directory.equipping import Equipment
from streams import wire
from streams.clock import ManualClock
from streams.key_rings import KeyRing, Signer

URGENT, NORMAL = "inbox.nl-offlimits.urgent", "inbox.nl-offlimits"
CLOCK = ManualClock(1_000, 5_000)


def unsigned() -> Directory:
    """Return a directory without keys of the exchange."""
    return Directory(1, "test", 0, 0, (), (), (), 1, {}, (0,), {})


UNSIGNED = Provenance(unsigned, "", Opener(None, None, unsigned))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file of positions."""
    return tmp_path / "positions.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlitePositions]:
    """Return an empty store."""
    with SqlitePositions(path) as made:
        yield made


def book(
    store: Positions, limits: HoldLimits | None = None, provenance: Provenance | None = None
) -> InboxBook:
    """Return the bookkeeping of an inbox that is read from this store's positions."""
    return InboxBook(
        (URGENT, NORMAL), store, CLOCK, "test", limits or HoldLimits(), provenance=provenance or UNSIGNED
    )


def record(offset: int, body: Message | bytes, topic: str = NORMAL) -> Record:
    """Return a record of partition 0."""
    return Record(topic, 0, offset, 9, body if isinstance(body, bytes) else wire.encode(body))


def numbers(messages: tuple[InboxMessage, ...] | None) -> list[int]:
    """Return the delivery numbers of messages."""
    assert messages is not None
    return [message.body.number for message in messages if isinstance(message.body, Delivery)]


async def test_a_restart_goes_on_after_the_last_message_done(
    path: Path, delivery: Callable[..., Delivery]
) -> None:
    """Done messages are behind the saved position and number; what was not done comes again."""
    with SqlitePositions(path) as store:
        first = book(store)
        one = first.take(record(4, delivery(1)))
        two = first.take(record(5, delivery(2)))
        assert one is not None
        assert two is not None
        await one[0].done()
        assert first.in_flight == 1
    with SqlitePositions(path) as store:
        assert store.position(NORMAL, 0) == 5
        again = book(store)
        assert numbers(again.take(record(4, delivery(1)))) == []
        assert numbers(again.take(record(5, delivery(2)))) == [2]


async def test_messages_done_out_of_order_do_not_move_the_position_past_the_first(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """With several messages in hand the position is that of the first one not done."""
    open_book = book(store)
    messages = [open_book.take(record(n, delivery(1, case=f"c{n}"))) for n in range(3)]
    assert all(messages)
    for index, position in ((2, None), (0, 1), (1, 3)):
        taken = messages[index]
        assert taken is not None
        await taken[0].done()
        assert store.position(NORMAL, 0) == position


async def test_a_held_delivery_survives_a_restart(path: Path, delivery: Callable[..., Delivery]) -> None:
    """What waits for a missing number is kept while the position moves on, until the filler frees it."""
    with SqlitePositions(path) as store:
        assert numbers(book(store).take(record(0, delivery(2, is_urgent=True), URGENT))) == []
        assert store.position(URGENT, 0) == 1
    with SqlitePositions(path) as store:
        again = book(store)
        assert again.restore() == ()
        gap = again.gaps()[0]
        assert (gap.case_id, gap.recipient, gap.missing, gap.since_ms) == (
            "case-1", "nl-offlimits", ((1, 1),), 5_000,
        )  # fmt: skip
        ready = again.take(record(0, delivery(1)))
        assert numbers(ready) == [1, 2]
        assert ready is not None
        for message in ready:
            await message.done()
        assert store.held([URGENT]) == ()
        assert store.first_not_done(CaseKey("nl-offlimits", "case-1")) == 3
        assert again.gaps() == ()


async def test_a_filler_done_before_a_crash_frees_the_held_one_at_the_restart(
    path: Path, delivery: Callable[..., Delivery]
) -> None:
    """A held delivery that was handed out but not done is handed out again first thing."""
    with SqlitePositions(path) as store:
        before = book(store)
        before.take(record(0, delivery(2), URGENT))
        ready = before.take(record(0, delivery(1)))
        assert ready is not None
        await ready[0].done()
    with SqlitePositions(path) as store:
        assert numbers(book(store).restore()) == [2]


def test_a_held_delivery_that_is_done_by_now_is_let_go(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """A held copy of what came another way does not come again."""
    book(store).take(record(0, delivery(2), URGENT))
    store.save(Change(first_not_done={CaseKey("nl-offlimits", "case-1"): 3}))
    assert book(store).restore() == ()
    assert store.held([URGENT]) == ()


async def test_duplicates_are_dropped_and_the_position_passes_them(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """Neither a repeated delivery nor its offset comes back."""
    open_book = book(store)
    first = open_book.take(record(0, delivery(1)))
    assert first is not None
    assert open_book.take(record(1, delivery(1))) == ()
    await first[0].done()
    assert open_book.take(record(2, delivery(1))) == ()
    open_book.flush()
    assert open_book.duplicates == 2
    assert store.position(NORMAL, 0) == 3


async def test_receipts_come_once_even_after_a_restart(path: Path, receipt: Callable[..., Receipt]) -> None:
    """A receipt has no number; its id keeps copies away, in hand, done and restarted."""
    with SqlitePositions(path) as store:
        open_book = book(store)
        taken = open_book.take(record(0, receipt("e1")))
        assert taken is not None
        assert open_book.take(record(1, receipt("e1"))) == ()
        await taken[0].done()
        assert open_book.take(record(2, receipt("e1"))) == ()
    with SqlitePositions(path) as store:
        assert book(store).take(record(3, receipt("e1"))) == ()


async def test_an_escalation_comes_once(store: SqlitePositions) -> None:
    """Intake and casekeeper may both send an urgent escalation; the liaison sees it once."""
    escalation = Escalation(
        escalation_id="x", recipient="nl", reason_code="abuse_in_progress", is_urgent=True,
        environment="test", event_id="e", url_key=b"", hosting_country="NL", origin="be", admitted_at=1,
        submitted_at=1,
    )  # fmt: skip
    open_book = book(store)
    assert open_book.take(record(0, escalation))
    assert open_book.take(record(1, escalation)) == ()


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (b"", "not_framed"),
        (b"\x00\xff\xff\xff\xff", "unknown_schema_id"),
        (wire.encode(Submission(statement=b"")), "unexpected_message"),
    ],
)
async def test_what_cannot_be_read_is_shown_and_not_skipped(
    store: SqlitePositions, value: bytes, rule: str
) -> None:
    """A record of a newer version, or none at all, reaches the member's program with its bytes."""
    taken = book(store).take(record(0, value))
    assert taken is not None
    assert taken[0].body == Unreadable(rule, value)
    await taken[0].done()
    assert store.position(NORMAL, 0) == 1


def test_another_environment_is_not_taken_for_real(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """A delivery of production in a test inbox is shown as unreadable and uses up no number."""
    open_book = book(store)
    taken = open_book.take(record(0, delivery(1, environment="production")))
    assert taken is not None
    assert isinstance(taken[0].body, Unreadable)
    assert taken[0].body.rule == "wrong_environment"
    assert numbers(open_book.take(record(1, delivery(1)))) == [1]


def test_at_the_limit_nothing_more_is_taken_and_nothing_lost(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """Beyond the limit a record is neither held nor passed; it is taken once the gap is filled elsewhere."""
    open_book = book(store, HoldLimits(per_case=1, in_total=1))
    assert open_book.take(record(0, delivery(2), URGENT)) == ()
    assert open_book.take(record(1, delivery(3), URGENT)) is None
    assert store.position(URGENT, 0) == 1
    assert numbers(open_book.take(record(0, delivery(1)))) == [1, 2]
    assert numbers(open_book.take(record(1, delivery(3), URGENT))) == [3]


def test_an_accepted_gap_hands_out_what_waited(
    store: SqlitePositions, delivery: Callable[..., Delivery]
) -> None:
    """A person may give up what will not come."""
    open_book = book(store)
    open_book.take(record(0, delivery(3)))
    assert numbers(open_book.accept_gap(CaseKey("nl-offlimits", "case-1"))) == [3]


async def test_done_twice_is_a_mistake_of_the_program(delivery: Callable[..., Delivery]) -> None:
    """The second time is an error, not a silent pass."""
    taken = book(MemoryPositions()).take(record(0, delivery(1)))
    assert taken is not None
    await taken[0].done()
    with pytest.raises(MisuseError, match="done before"):
        await taken[0].done()


async def test_after_a_failed_save_nothing_more_is_saved(delivery: Callable[..., Delivery]) -> None:
    """A store that failed once cannot be passed over by the next message."""

    class Full(MemoryPositions):
        is_full = False

        def save(self, change: Change) -> None:
            if self.is_full:
                raise PositionsError("disk full")
            super().save(change)

    store = Full()
    open_book = book(store)
    taken = [open_book.take(record(n, delivery(1, case=f"c{n}"))) for n in range(2)]
    store.is_full = True
    assert taken[0] is not None
    assert taken[1] is not None
    with pytest.raises(PositionsError, match="disk full"):
        await taken[0][0].done()
    store.is_full = False
    with pytest.raises(PositionsError, match="start it again"):
        await taken[1][0].done()
    assert store.position(NORMAL, 0) is None


def signed(ring: KeyRing, topic: str, value: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the headers by which the exchange signs a value for a topic."""
    signer = Signer(ring.keys[0])
    return (
        (SIGNATURE_HEADER, signer.sign(signed_message(topic, value))),
        (KEY_ID_HEADER, signer.key_id.encode()),
    )


def test_only_what_the_exchange_has_signed_is_handed_out(
    store: SqlitePositions,
    delivery: Callable[..., Delivery],
    equipment: Equipment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Unsigned, for another inbox, altered, by another key, or signed twice: passed over, and told."""
    one = wire.encode(delivery(1))
    mine = signed(equipment.exchange, NORMAL, one)
    wrong = {
        0: (),
        1: signed(equipment.exchange, URGENT, one),
        2: signed(equipment.exchange, NORMAL, one + b"."),
        3: signed(equipment.rings["be-childfocus"], NORMAL, one),
        4: (*mine, *mine),
        5: (mine[0], (KEY_ID_HEADER, b"\xff")),
        6: mine[:1],
    }
    current = equipment.directory
    opener = Opener(None, None, lambda: current)
    inbox = book(store, provenance=Provenance(lambda: current, "demo.", opener))
    there = f"demo.{NORMAL}"
    for offset, headers in wrong.items():
        assert inbox.take(Record(there, 0, offset, 9, one, headers)) == ()
    assert numbers(inbox.take(Record(there, 0, 7, 9, one, mine))) == [1]
    assert inbox.refusals == 7
    assert [(refused.offset, refused.rule) for refused in inbox.refused] == [
        (0, "signature_missing"), (1, "signature_mismatch"), (2, "signature_mismatch"),
        (3, "foreign_key"), (4, "repeated_header"), (5, "unknown_key"), (6, "signature_missing"),
    ]  # fmt: skip
    assert f"{there}/0/3 is not by the exchange" in caplog.text
    inbox.flush()
    assert store.position(there, 0) == 7


def test_a_key_of_the_exchange_counts_by_the_time_of_the_append(
    store: SqlitePositions, delivery: Callable[..., Delivery], equipment: Equipment
) -> None:
    """What was written before a key was revoked stays good, what was written after it is passed over."""
    one, two = wire.encode(delivery(1)), wire.encode(delivery(2))
    (key,) = equipment.directory.exchange_keys
    revoked = msgspec.structs.replace(key, revoked_at=100)
    current = msgspec.structs.replace(equipment.directory, exchange_keys=(revoked,))
    inbox = book(store, provenance=Provenance(lambda: current, "", Opener(None, None, lambda: current)))
    assert numbers(inbox.take(Record(NORMAL, 0, 0, 99, one, signed(equipment.exchange, NORMAL, one)))) == [1]
    assert inbox.take(Record(NORMAL, 0, 1, 100, two, signed(equipment.exchange, NORMAL, two))) == ()
    assert inbox.refused[0].rule == "key_revoked"
