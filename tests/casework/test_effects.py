from typing import TYPE_CHECKING

import msgspec

from casework.ids import derived_id

if TYPE_CHECKING:
    from tests.casework.conftest import Story


def test_an_assignment_brings_the_report_untouched(opened: "Story") -> None:
    """The responsible hotline gets statement and content byte for byte, so that a signature still holds."""
    posting = opened.postings[0]
    submission = opened.events[0][0].submission
    body = posting.body
    assert (body.statement, body.content, posting.content_of) == (
        submission.statement,
        submission.content,
        None,
    )
    assert (body.report_event_id, body.origin, body.is_repeat) == (
        opened.events[0][0].admitted.event_id, "gb-iwf", False,
    )  # fmt: skip
    assert body.delivery_id == derived_id(opened.facts[1].fact_id, "delivery.assignment.1", "nl-offlimits")


def test_an_update_brings_the_action_with_its_content(opened: "Story") -> None:
    """Origins get what happened, the signed statement of it with its note, and their own report's id."""
    opened.act("nl-offlimits", "police_informed", reference="nl-9")
    told = opened.deliveries("gb-iwf")[-1]
    assert (told.kind, told.fact, told.by, told.state, told.reference) == (
        "update", "police_informed", "nl-offlimits", "police_informed", "nl-9",
    )  # fmt: skip
    assert (told.origin, told.report_event_id) == ("gb-iwf", opened.events[0][0].admitted.event_id)
    assert told.statement == opened.events[1][0].submission.statement
    assert told.content == opened.events[1][0].submission.content


def test_the_message_of_an_end_is_complete(opened: "Story") -> None:
    """The one message of a removal already says that the case is closed, and how."""
    opened.act("nl-offlimits", "unavailable", reason_code="link_expired")
    told = opened.deliveries("gb-iwf")
    assert [(d.fact, d.state, d.outcome, d.reason_code) for d in told] == [
        ("unavailable", "closed", "unavailable", "link_expired")
    ]


def test_all_origins_learn_each_step_and_nothing_of_each_other(opened: "Story") -> None:
    """Every origin gets the same steps under its own report; none sees another's name or id."""
    opened.report("de-eco")
    opened.act("nl-offlimits", "acknowledged")
    opened.act("nl-offlimits", "removed")
    for origin in ("gb-iwf", "de-eco"):
        told = opened.deliveries(origin)
        assert [d.fact for d in told] == ["acknowledged", "removed"]
        assert {d.origin for d in told} == {origin}
    other = msgspec.msgpack.encode(opened.deliveries("de-eco"))
    assert b"gb-iwf" not in other
    assert opened.case.origins[0].first_event_id.encode() not in other


def test_the_actor_is_answered_by_its_receipt_alone(opened: "Story") -> None:
    """Whoever did something gets no delivery of its own deed."""
    opened.act("nl-offlimits", "acknowledged")
    opened.act("gb-iwf", "observed", is_online=True)
    assert all(delivery.by != delivery.recipient for delivery in opened.deliveries())
