import hashlib
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
import pytest

from casework.directory import ORPHAN_DESK
from casework.messages import (
    Case,
    Delivery,
    DeliveryCount,
    Escalation,
    Fact,
    Parked,
    Receipt,
    ReportStatement,
)
from operations.accounting import account
from operations.books import Books, Place, Submitted, read_books
from operations.reading import Record
from streams import wire
from streams.topics import Topics

CASE = "case-1"
KEY = b"\1" + bytes(32)


def fact(number: int, kind: str, input_id: str, **fields: object) -> Fact:
    """Return a fact of the case with what accounting looks at."""
    common = {"url_key": KEY, "round": 1, "leg": 1, "environment": "test", "by": "nl-a", "occurred_at": 1}
    stamps = {"admitted_at": 1, "submitted_at": 1, "directory_version": 1, "rules_version": 1}
    source = {"source_topic": "cases.admitted", "source_partition": 0, "source_offset": number}
    given = {"case_id": CASE, "number": number, "fact": kind, "fact_id": f"f{number}", "input_id": input_id}
    return msgspec.convert({**common, **stamps, **source, **given, **fields}, Fact, strict=False)


def delivery(number: int, recipient: str, identifier: str, report: str | None) -> Delivery:
    """Return a delivery of the case."""
    return Delivery(
        case_id=CASE, url_key=KEY, recipient=recipient, number=number, kind="update", delivery_id=identifier,
        environment="test", round=1, leg=1, state="assigned", fact="opened", fact_number=1, by="nl-a",
        occurred_at=1, admitted_at=1, submitted_at=1, report_event_id=report,
    )  # fmt: skip


SENDERS = {"report-2": "gb-b", "action-1": "de-c", "action-2": "de-c"}


def receipt(event_id: str, outcome: str = "accepted", receipt_id: str | None = None) -> Receipt:
    """Return a receipt."""
    return Receipt(
        event_id=event_id, recipient=SENDERS.get(event_id, "nl-a"), outcome=outcome,
        receipt_id=receipt_id or f"r-{event_id}", url_key=KEY, environment="test", admitted_at=1,
        submitted_at=1,
    )  # fmt: skip


def submitted(place: Place, kind: Literal["report", "action"], event_id: str) -> Submitted:
    """Return a record of the submission topics."""
    return Submitted(place, kind, event_id, SENDERS.get(event_id, "nl-a"), KEY)


def statement(event_id: str, content: bytes | None = None) -> bytes:
    """Return the statement of a report."""
    return wire.encode(
        ReportStatement(
            event_id=event_id, environment="test", sender="nl-a", url_key=KEY, hosting_country="DE",
            sent_at=1, directory_version=1, occurred_at=1, received_at=1, reference="r", content_type="media",
            content_digest=None if content is None else hashlib.sha256(content).digest(),
        )
    )  # fmt: skip


def escalation(event_id: str) -> Escalation:
    """Return an escalation of a report."""
    return Escalation(
        escalation_id=f"e-{event_id}", recipient="nl", reason_code="abuse_in_progress", is_urgent=True,
        environment="test", event_id=event_id, url_key=KEY, hosting_country="NL", origin="nl-a",
        admitted_at=1, submitted_at=1, statement=statement(event_id),
    )  # fmt: skip


def case(number: int, *deliveries: DeliveryCount) -> Case:
    """Return the newest state of the case."""
    return Case(
        url_key=KEY, case_id=CASE, source_offset=9, environment="test", number=number, state="closed",
        round=1, leg=1, hosting_country="DE", received_at=1, opened_at=1, leg_started_at=1, last_now=1,
        deliveries=deliveries, directory_version=1, rules_version=1,
    )  # fmt: skip


@pytest.fixture
def books() -> Books:
    """Return books in which everything is there: two reports, an action, a refusal, a dead letter."""
    return Books(
        submissions=[
            submitted(("reports.submitted", 0, 0), "report", "report-1"),
            submitted(("reports.submitted", 0, 1), "report", "report-2"),
            submitted(("reports.submitted", 0, 2), "report", "report-1"),
            Submitted(("reports.submitted", 0, 3), "unreadable"),
            submitted(("actions.submitted", 0, 0), "action", "action-1"),
            submitted(("actions.submitted", 0, 1), "action", "action-2"),
        ],
        receipts=[
            receipt("report-1"),
            receipt("report-1", "duplicate", "r2"),
            receipt("report-2"),
            receipt("action-1"),
            receipt("action-2", "refused"),
        ],
        deliveries=[
            delivery(1, "de-c", "d1", "report-1"),
            delivery(2, "de-c", "d2", "report-2"),
            delivery(2, "de-c", "d2", "report-2"),
            delivery(1, "nl-a", "d3", "report-1"),
        ],
        facts=[
            fact(1, "opened", "report-1", origin="nl-a", assigned_hotline="de-c", report_event_id="report-1"),
            fact(2, "assigned", "report-1", assigned_hotline="de-c"),
            fact(3, "escalated", "report-1", report_event_id="report-1", recipient="nl",
                 reason_code="abuse_in_progress"),
            fact(4, "linked", "report-2", origin="gb-b", assigned_hotline="de-c", report_event_id="report-2"),
            fact(5, "removed", "action-1"),
        ],
        dead_letters=[("reports.submitted", 0, 3)],
        escalations=[escalation("report-1")],
        cases=[case(5, DeliveryCount(recipient="de-c", number=2), DeliveryCount(recipient="nl-a", number=1))],
        confirmed=["report-1", "report-2", "action-1"],
        read={"de-c": {"d1", "d2"}, "nl-a": {"d3"}},
    )  # fmt: skip


def test_nothing_is_lost_where_everything_is_there(books: Books) -> None:
    """Complete books have no loss and no conflict, and each thing is counted once."""
    found = account(books)
    assert (found.lost, found.conflicts) == ((), ())
    assert found.is_whole
    assert (found.submitted, found.reports, found.actions) == (5, 2, 2)
    assert (found.accepted, found.refused, found.duplicates, found.dead_lettered) == (3, 1, 1, 1)
    assert (found.delivered, found.repeated, found.escalated, found.removed) == (3, 1, 1, 1)


def without(field: str, drop: Callable[[object], bool]) -> Callable[[Books], Books]:
    """Return a thief that takes something out of the books."""
    return lambda books: msgspec.structs.replace(
        books, **{field: [each for each in getattr(books, field) if not drop(each)]}
    )


@pytest.mark.parametrize(
    ("steal", "what", "name"),
    [
        (without("receipts", lambda each: each.event_id == "report-2"), "report", "report-2"),
        (without("receipts", lambda each: each.event_id == "action-2"), "action", "action-2"),
        (without("dead_letters", lambda _: True), "unreadable", "reports.submitted/0/3"),
        (without("submissions", lambda each: each.event_id == "report-2"), "submission", "report-2"),
        (without("facts", lambda each: each.number == 5), "submission", "action-1"),
        (without("facts", lambda each: each.number == 5), "fact", f"{CASE}/5"),
        (without("facts", lambda each: each.number == 2), "fact", f"{CASE}/2"),
        (without("deliveries", lambda each: each.delivery_id == "d1"), "report", "report-1"),
        (without("deliveries", lambda each: each.delivery_id == "d1"), "delivery", f"{CASE}/1"),
        (without("deliveries", lambda each: each.delivery_id == "d2"), "delivery", f"{CASE}/2"),
        (without("deliveries", lambda each: each.delivery_id == "d3"), "delivery", f"{CASE}/1"),
        (without("escalations", lambda _: True), "escalation", f"{CASE}/3"),
        (without("cases", lambda _: True), "state", CASE),
        (lambda books: msgspec.structs.replace(books, read={"de-c": {"d1"}}), "delivery", "d2"),
    ],
)
def test_whatever_is_taken_away_is_noticed_by_its_id(
    books: Books, steal: Callable[[Books], Books], what: str, name: str
) -> None:
    """Each kind of record that vanishes is named as lost."""
    found = account(steal(books))
    assert (what, name) in [(loss.what, loss.id) for loss in found.lost]
    assert not found.is_whole


def test_an_altered_id_is_a_loss(books: Books) -> None:
    """A receipt under another event id leaves its submission unanswered."""
    receipts = [msgspec.structs.replace(each, event_id=each.event_id + "x") for each in books.receipts]
    found = account(msgspec.structs.replace(books, receipts=receipts))
    assert {loss.id for loss in found.lost} >= {"report-1", "report-2", "action-1", "action-2"}


@pytest.mark.parametrize(
    ("field", "copy"),
    [
        ("deliveries", {"delivery_id": "other"}),
        ("facts", {"fact_id": "other"}),
        ("receipts", {"outcome": "refused"}),
    ],
)
def test_two_different_messages_in_one_place_are_a_conflict(
    books: Books, field: str, copy: dict[str, str]
) -> None:
    """The same delivery number, fact number or receipt id with other contents took effect twice."""
    there = list(getattr(books, field))
    found = account(
        msgspec.structs.replace(books, **{field: [*there, msgspec.structs.replace(there[0], **copy)]})
    )
    assert len(found.conflicts) == 1
    assert not found.is_whole


def test_an_orphan_is_delivered_to_its_desk_or_to_police_alone(books: Books) -> None:
    """A report without a hotline is not lost when the desk has it, or police alone where there is no desk."""
    orphan = [
        fact(1, "opened", "report-1", origin="nl-a", report_event_id="report-1"),
        fact(2, "orphaned", "report-1", report_event_id="report-1", recipient=ORPHAN_DESK),
    ]
    there = Books(
        submissions=[books.submissions[0]],  # type: ignore[index] - a list here
        receipts=[receipt("report-1")],
        facts=orphan,
        cases=[case(2)],
        deliveries=[delivery(1, ORPHAN_DESK, "d1", "report-1")],
    )
    assert account(there).is_whole
    lost = account(msgspec.structs.replace(there, deliveries=[]))
    assert [loss.what for loss in lost.lost] == ["report"]
    police = msgspec.structs.replace(there, deliveries=[], escalations=[escalation("report-1")])
    assert account(police).is_whole


def test_an_offer_goes_to_all_who_may_claim(books: Books) -> None:
    """A report is not lost while each of the pool has the offer; one that joins waits for the claim."""
    offered = [
        fact(1, "opened", "report-1", origin="nl-a", report_event_id="report-1"),
        fact(2, "offered", "report-1", report_event_id="report-1", members=("de-a", "de-b")),
        fact(3, "linked", "report-2", origin="nl-b", report_event_id="report-2"),
    ]
    there = Books(
        submissions=[books.submissions[0]],  # type: ignore[index] - a list here
        receipts=[receipt("report-1")],
        facts=offered,
        cases=[case(3)],
        deliveries=[delivery(1, "de-a", "d1", "report-1"), delivery(1, "de-b", "d2", "report-1")],
    )
    assert account(there).is_whole
    lost = account(msgspec.structs.replace(there, deliveries=list(there.deliveries)[:1]))
    assert [loss.what for loss in lost.lost] == ["report"]


def test_an_origin_that_is_responsible_itself_needs_no_delivery(books: Books) -> None:
    """A hotline that reports what is hosted in its own country is answered by the receipt."""
    own = fact(1, "opened", "report-1", origin="nl-a", assigned_hotline="nl-a", report_event_id="report-1")
    there = Books(
        submissions=[books.submissions[0]],  # type: ignore[index] - a list here
        receipts=[receipt("report-1")],
        facts=[own],
        cases=[case(1)],
    )
    assert account(there).is_whole


def test_an_action_that_waited_in_vain_leaves_no_case_and_no_loss(books: Books) -> None:
    """An action refused after its hour leaves two facts and no state, and nothing of that is lost."""
    waited = [
        fact(1, "awaited", "action-2", case_id="case-2", fact_id="w1"),
        fact(2, "refused", "action-2", case_id="case-2", fact_id="w2", rule="unknown_case"),
    ]
    found = account(msgspec.structs.replace(books, facts=[*books.facts, *waited]))
    assert found.is_whole
    assert not account(msgspec.structs.replace(books, facts=[*books.facts, waited[1]])).is_whole


@pytest.mark.parametrize(
    ("holds", "content"),
    [
        (None, None),
        (statement("report-2"), None),
        (statement("report-1", b"page"), b"another page"),
        (b"?", None),
    ],
)
def test_a_report_that_is_handed_over_empty_or_as_another_one_is_lost(
    books: Books, holds: bytes | None, content: bytes | None
) -> None:
    """A delivery or escalation that should hold a report holds that report, with its own content."""
    sound = msgspec.structs.replace(
        delivery(1, "de-c", "d1", "report-1"),
        kind="assignment", statement=statement("report-1", b"page"), content=b"page",
    )  # fmt: skip
    others = [each for each in books.deliveries if each.delivery_id != "d1"]
    assert account(msgspec.structs.replace(books, deliveries=[*others, sound])).is_whole
    empty = msgspec.structs.replace(sound, statement=holds, content=content)
    found = account(msgspec.structs.replace(books, deliveries=[*others, empty]))
    assert [(loss.what, loss.id) for loss in found.lost] == [("content", "d1")]
    police = [msgspec.structs.replace(escalation("report-1"), statement=holds, content=content)]
    found = account(msgspec.structs.replace(books, escalations=police))
    assert [(loss.what, loss.id) for loss in found.lost] == [("content", "e-report-1")]


@pytest.mark.parametrize("other", [{"url_key": b"\2" + bytes(32)}, {"sender": "de-c"}])
def test_an_event_id_used_twice_does_not_hide_a_loss(books: Books, other: dict[str, object]) -> None:
    """A second submission under an id in use, for another URL or by another sender, needs its own answer."""
    again = msgspec.structs.replace(submitted(("reports.submitted", 0, 9), "report", "report-1"), **other)
    found = account(msgspec.structs.replace(books, submissions=[*books.submissions, again]))
    assert [(loss.what, loss.id) for loss in found.lost] == [("report", "report-1")]


def test_a_refusal_that_cuts_an_endless_id_is_still_its_answer() -> None:
    """An id beyond any limit is refused with its beginning, and that is no loss."""
    long = Submitted(("reports.submitted", 0, 0), "report", "x" * 90, "nl-a", KEY)
    assert account(Books(submissions=[long], receipts=[receipt("x" * 64, "refused")])).is_whole


def test_records_that_nobody_can_read_are_named_and_hide_no_other() -> None:
    """Garbage in a topic that the exchange alone writes is a loss at its place; the rest is compared."""
    topics = Topics()
    inbox = topics.inbox("nl-a")
    there = {
        inbox: (b"garbage", wire.encode(receipt("report-1", "refused"))),
        topics.cases_status: (b"",),
        topics.cases_events: (wire.encode(receipt("report-1"))[:9],),
        topics.dead_letters: (b"without provenance",),
    }

    class Reader:
        """Topics that hold what is above."""

        def topics(self) -> frozenset[str]:
            return frozenset(there)

        def whole(self, *names: str) -> Iterator[Record]:
            for name in names:
                for offset, value in enumerate(there.get(name, ())):
                    yield Record(name, 0, offset, 1, None, value, ())

    books = read_books(Reader(), topics)  # type: ignore[arg-type]
    assert [each.event_id for each in books.receipts] == ["report-1"]
    lost = {loss.id for loss in account(books).lost}
    assert lost == {f"{inbox}/0/0", "cases.status/0/0", "cases.events/0/0", "dead-letters/0/0"}


def test_what_waits_in_a_parked_case_is_not_lost_until_the_case_goes_on() -> None:
    """A parked submission is accounted for by its fact; once its case goes on it needs a receipt."""
    parked = Parked(offsets=(1,), count=1, since=1, error_class="bug", rule="KeyError", attempts=1)
    waits = Books(
        submissions=[submitted(("reports.submitted", 0, 0), "report", "report-1")],
        facts=[fact(1, "parked", "report-1")],
        cases=[msgspec.structs.replace(case(1), parked=parked)],
    )
    assert account(waits).lost == ()
    goes_on = msgspec.structs.replace(
        waits, facts=[*waits.facts, fact(2, "unparked", "order")], cases=[case(2)]
    )
    assert [loss.id for loss in account(goes_on).lost] == ["report-1"]
