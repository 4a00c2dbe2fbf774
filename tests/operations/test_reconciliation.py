"""Reconciliation names what is missing, late or doubled in its window, and brings back what it can."""

import msgspec
import pytest
from paper_exchange import HOUR_MS, PaperExchange, T, lived, network

from agents.exchange_seal import ExchangeSeal
from casework.exchange_signatures import check_message
from casework.messages import Admitted, Delivery, Escalation, Fact, Receipt, Submission
from operations.reading import Record
from operations.reconciliation import Reconciled, Window, reconcile
from operations.reinjection import plan
from streams import wire
from streams.key_rings import KeyRing, KeyRingError, PrivateKey
from streams.topics import Topics

TOPICS = Topics()
ALL = Window(T, T + 1000 * HOUR_MS)


@pytest.fixture(scope="module")
def paper() -> PaperExchange:
    """Return an exchange in which everything that leaves a trace has happened."""
    return lived()


def looked_at(paper: PaperExchange, records: list[Record], window: Window = ALL) -> Reconciled:
    """Return what reconciliation finds in records."""
    return reconcile(paper.history(records).log, TOPICS, window)


def kinds(found: Reconciled) -> set[tuple[str, str]]:
    """Return what is wrong, by name and kind."""
    return {(item.what, item.kind) for item in found.items}


def is_a(record: Record, kind: type, /, **fields: object) -> bool:
    """Return whether a record is a message of a kind with these fields."""
    if record.topic == TOPICS.dead_letters or record.value in {None, b"no kafka frame"}:
        return False
    message = wire.decode(record.value or b"")
    return isinstance(message, kind) and all(getattr(message, k) == v for k, v in fields.items())


def test_a_whole_exchange_has_nothing_to_look_after(paper: PaperExchange) -> None:
    """Nothing is missing, late or doubled where everything is there, copies of senders included."""
    found = looked_at(paper, paper.records)
    assert (found.items, found.doubled, found.resend) == ((), {}, ())
    assert found.counts["submissions"] == sum(r.topic in TOPICS.submissions for r in paper.records)


def test_a_window_leaves_out_what_was_submitted_before_and_after(paper: PaperExchange) -> None:
    """Losses outside the window are not looked for, and its end is not part of it."""
    bare = [r for r in paper.records if not r.topic.startswith("inbox.")]
    assert looked_at(paper, bare, Window(T - HOUR_MS, T)).items == ()
    assert ("missing", "receipt") in kinds(looked_at(paper, bare, Window(T, T + 1)))


def test_a_lost_admission_brings_its_submission_again_byte_for_byte(paper: PaperExchange) -> None:
    """A submission of which nothing is known goes back to its own place with key, value and headers."""
    sent = next(r for r in paper.records if r.topic == TOPICS.reports_submitted)
    event_id = wire.prefix_of(_statement(sent)).event_id
    rest = [
        r for r in paper.records if r.topic in TOPICS.submissions or event_id.encode() not in (r.value or b"")
    ]
    found = looked_at(paper, rest)
    assert ("missing", "admission") in kinds(found)
    assert sent in found.resend


def test_a_lost_decision_brings_the_admitted_record_again(paper: PaperExchange) -> None:
    """An admitted record without fact and receipt goes into cases.admitted again, and not its submission."""
    admitted = next(r for r in paper.records if r.topic == TOPICS.cases_admitted)
    event_id = wire.prefix_of(_statement(_source_of(paper, admitted))).event_id
    rest = [
        r for r in paper.records
        if not (is_a(r, Fact, input_id=event_id) or is_a(r, Receipt, event_id=event_id))
    ]  # fmt: skip
    found = looked_at(paper, rest)
    assert {("missing", "decision"), ("missing", "receipt")} <= kinds(found)
    assert found.resend == (admitted,)


def test_a_lost_receipt_brings_its_submission_again(paper: PaperExchange) -> None:
    """An admitted and decided submission without receipt is asked again, so that its sender is answered."""
    lost = next(r for r in paper.records if is_a(r, Receipt, outcome="accepted"))
    found = looked_at(paper, [r for r in paper.records if r is not lost])
    assert kinds(found) == {("missing", "receipt")}
    assert [r.topic for r in found.resend] == [TOPICS.reports_submitted]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Delivery, {"kind": "assignment"}),
        (Delivery, {"kind": "linked_report"}),
        (Delivery, {"kind": "update"}),
        (Escalation, {"reason_code": "tor"}),
    ],
)
def test_a_lost_message_is_made_again_with_the_same_bytes(
    paper: PaperExchange, kind: type, fields: dict[str, str]
) -> None:
    """Deliveries and escalations come again from facts and contents, the very bytes, into the very topic."""
    lost = next(r for r in paper.records if is_a(r, kind, **fields))
    rest = [r for r in paper.records if r is not lost]
    found = looked_at(paper, rest)
    assert kinds(found) == {("missing", kind.__name__.lower())}
    key = PrivateKey.new("sign")
    directory = msgspec.structs.replace(network(), exchange_keys=(key.entry(0),))
    seal = ExchangeSeal(KeyRing([key]), lambda: directory, paper.clock.real_ms, TOPICS.prefix)
    (again,) = plan(paper.history(rest).log, TOPICS, found, seal)
    assert (again.topic, again.key, again.value) == (lost.topic, lost.key, lost.value)
    proof = check_message(
        directory, again.topic, again.value or b"", dict(again.headers), paper.clock.real_ms()
    )
    assert proof is None, "what is sent again is signed as what was sent"
    keyless = ExchangeSeal(KeyRing(), lambda: directory, paper.clock.real_ms, TOPICS.prefix)
    with pytest.raises(KeyRingError):
        list(plan(paper.history(rest).log, TOPICS, found, keyless))


def test_a_lost_urgent_escalation_comes_again_with_its_report(paper: PaperExchange) -> None:
    """What intake escalates is sent again by intake, when the report is."""
    lost = next(r for r in paper.records if is_a(r, Escalation, is_urgent=True))
    found = looked_at(paper, [r for r in paper.records if r is not lost])
    assert kinds(found) == {("missing", "escalation")}
    assert [r.topic for r in found.resend] == [TOPICS.reports_urgent]


def test_a_missing_state_is_named_and_nothing_is_sent(paper: PaperExchange) -> None:
    """A case whose state is gone is named; sending records again would not bring it back."""
    found = looked_at(paper, [r for r in paper.records if r.topic != TOPICS.cases_status])
    assert kinds(found) == {("missing", "state")}
    assert found.resend == ()


def test_late_doubled_and_conflicting_messages_have_their_names(paper: PaperExchange) -> None:
    """The same bytes again are counted, other bytes under an id are a conflict, a slow answer is late."""
    late = next(r for r in paper.records if is_a(r, Delivery, kind="assignment"))
    slow = [r._replace(timestamp=r.timestamp + 61_000) if r is late else r for r in paper.records]
    assert kinds(looked_at(paper, slow)) == {("late", "delivery")}
    twice = looked_at(paper, [*paper.records, late._replace(offset=99)])
    assert (twice.items, twice.doubled) == ((), {"delivery": 1})
    other = msgspec.structs.replace(wire.decode_as(Delivery, late.value or b""), state="closed")
    forged = looked_at(paper, [*paper.records, late._replace(offset=99, value=wire.encode(other))])
    assert kinds(forged) == {("conflict", "delivery")}


def _statement(record: Record) -> bytes:
    return wire.decode_as(Submission, record.value or b"").statement


def _source_of(paper: PaperExchange, record: Record) -> Record:
    told = wire.decode_as(Admitted, record.value or b"")
    place = (told.source_topic, told.source_partition, told.source_offset)
    return next(r for r in paper.records if (r.topic, r.partition, r.offset) == place)
