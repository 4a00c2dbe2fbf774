import datetime as dt
import hashlib
import re
from collections.abc import Callable

import msgspec
import pytest

from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.submissions import Admission
from casework.url_keys import url_key
from casework.urls import canonical_url
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import DraftRefusedError
from connectors.preparing import Sender, build_action, build_report
from streams import wire
from streams.secret_sources import Secret

NOW_MS = 1_700_000_000_123
KEY = bytes(range(32))
SENDER = Sender("nl-offlimits", "test", Secret(KEY), lambda ms: new_event_id(ms, bytes(10)))


@pytest.fixture
def admission(directory: Directory) -> Admission:
    """Return the circumstances of a report at a fixed time."""
    return Admission(directory=directory, environment="test", admitted_at=NOW_MS, submitted_at=NOW_MS, size=0)


def report(**changes: object) -> ReportDraft:
    """Return a complete draft with some fields changed."""
    fields: dict[str, object] = {
        "url": "https://Images.Example.com:443/a?b=1#:~:text=x", "hosting_country": "BE",
        "received_at": dt.datetime(2023, 11, 14, 10, 30, 59, tzinfo=dt.UTC), "reference": "2023-1",
        "content_type": "media",
    }  # fmt: skip
    return ReportDraft(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def action(**changes: object) -> ActionDraft:
    """Return a complete draft with some fields changed."""
    fields: dict[str, object] = {
        "action": "acknowledged", "hosting_country": "NL", "url_key": b"\x01" + bytes(32),
        "case_id": "018bcfe5-687b-8000-8000-000000000000",
    }  # fmt: skip
    return ActionDraft(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def test_a_report_is_complete_and_its_digest_covers_its_content(admission: Admission) -> None:
    """Ids, key, times and digest are filled in; the literal URL is only in the content."""
    built = build_report(report(note="seen twice"), SENDER, admission)
    submission = wire.decode_as(Submission, built.value)
    statement = wire.decode_as(ReportStatement, submission.statement)
    assert submission.content is not None
    assert statement == built.statement
    assert statement.content_digest == hashlib.sha256(submission.content).digest()
    assert wire.decode_as(ReportContent, submission.content) == ReportContent(
        url="https://Images.Example.com:443/a?b=1#:~:text=x", note="seen twice"
    )
    assert statement.url_key == url_key(canonical_url("https://images.example.com/a?b=1"), KEY)
    assert statement.event_id == new_event_id(NOW_MS, bytes(10))
    assert (statement.sent_at, statement.occurred_at, statement.directory_version) == (NOW_MS, NOW_MS, 3)
    assert b"example" not in submission.statement


def test_the_time_of_the_public_report_is_cut_to_the_minute(admission: Admission) -> None:
    """Seconds, by which a web server's log could name the person who reported, do not leave the hotline."""
    built = build_report(report(), SENDER, admission)
    assert isinstance(built.statement, ReportStatement)
    assert built.statement.received_at == 1_699_957_800_000


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"hosting_country": "nl"}, "hosting_country", "unknown_country"),
        ({"content_type": "video"}, "content_type", "unknown_code"),
        ({"urgency": ("soon",)}, "urgency[0]", "unknown_code"),
        ({"url": "ftp//x"}, "content.url", "no_address"),
        ({"url": "http://exa mple.com/"}, "content.url", "malformed"),
        ({"note": "call her: +31 20 555 01 23"}, "content.note", "phone_number"),
        ({"note": "wrote to someone@example.com"}, "content.note", "mail_address"),
        ({"note": "x" * 10_000}, "content.note", "too_long"),
        ({"reference": ""}, "reference", "required"),
        ({"sibling_items": ("https://example.com/" + "x" * 2000,) * 140}, "submission", "too_large"),
        ({"received_at": dt.datetime(2023, 1, 1)}, "received_at", "no_time_zone"),  # noqa: DTZ001 - the point
        ({"received_at": NOW_MS + 15 * 3_600_000}, "received_at", "too_far_ahead"),
        ({"received_at": "2023-01-01T00:00:00Z"}, "received_at", "wrong_type"),
        ({"url": None}, "url", "wrong_type"),
        ({"page_title": "half \ud800"}, "draft", "unwritable"),
        ({"hosting_asn": 2**70}, "draft", "unwritable"),
    ],
)
def test_a_broken_report_names_field_and_rule_before_sending(
    admission: Admission, changes: dict[str, object], field: str, rule: str
) -> None:
    """What intake would refuse is refused here, by the same field and rule, without the value."""
    with pytest.raises(DraftRefusedError) as refused:
        build_report(report(**changes), SENDER, admission)
    assert (field, rule) in {(violation.field, violation.rule) for violation in refused.value.violations}
    for value in changes.values():
        assert str(value) not in str(refused.value) or not value


def test_a_time_without_zone_is_told_with_an_example(admission: Admission) -> None:
    """Who forgot the zone reads how a time with one is written."""
    with pytest.raises(
        DraftRefusedError, match=re.escape("received_at: must be a time with its zone, as 2026-")
    ):
        build_report(report(received_at=dt.datetime(2023, 1, 1)), SENDER, admission)  # noqa: DTZ001 - the point


def test_a_report_without_address_names_the_police_of_the_country(admission: Admission) -> None:
    """A child in danger without a URL is told where to turn to, not only that a field is wrong."""
    with pytest.raises(DraftRefusedError, match="112") as refused:
        build_report(report(url="", content_topic="grooming", hosting_country="NL"), SENDER, admission)
    assert refused.value.police_contact == "112"


def test_a_member_that_left_cannot_draft(admission: Admission) -> None:
    """A sender that the directory does not know as active is told before sending."""
    with pytest.raises(DraftRefusedError, match="sender_not_active"):
        build_report(report(), msgspec.structs.replace(SENDER, member="gone"), admission)


def test_a_key_rotation_puts_both_keys_into_the_statement(admission: Admission) -> None:
    """While the network changes its secret, a report is found under the old and the new key."""
    rotating = msgspec.structs.replace(SENDER, next_network_key=Secret(bytes(32)))
    statement = build_report(report(), rotating, admission).statement
    assert statement.url_key[0] == 1
    assert statement.url_key_next == url_key(canonical_url("https://images.example.com/a?b=1"), bytes(32), 2)


def test_an_action_about_a_delivery_names_its_case_round_and_leg(
    admission: Admission, delivery: Callable[..., Delivery]
) -> None:
    """Everything that the delivery says is taken over, and an action without texts has no content."""
    case = "018bcfe5-687b-8000-8000-000000000001"
    draft = ActionDraft.about(delivery(1, case=case, round=2, leg=3), "removed")
    built = build_action(draft, SENDER, admission)
    statement = built.statement
    assert isinstance(statement, ActionStatement)
    assert (statement.case_id, statement.round, statement.leg, statement.action) == (case, 2, 3, "removed")
    assert wire.decode_as(Submission, built.value).content is None
    assert statement.content_digest is None


def test_the_texts_of_an_action_go_into_its_content(admission: Admission) -> None:
    """A note and a police reference are content, which is what will be sealed."""
    built = build_action(action(note="asked twice", police_reference="P-1"), SENDER, admission)
    content = wire.decode_as(Submission, built.value).content
    assert content is not None
    assert wire.decode_as(ActionContent, content) == ActionContent(note="asked twice", police_reference="P-1")


def test_an_action_by_address_has_the_key_of_the_report(admission: Admission) -> None:
    """A script that knows only the URL and its own report reaches the same case; the URL is not sent."""
    built = build_action(
        action(url_key=None, case_id=None, url="https://images.example.com/a?b=1",
               report_event_id=new_event_id(NOW_MS, bytes(10))), SENDER, admission
    )  # fmt: skip
    assert built.url_key == build_report(report(), SENDER, admission).url_key
    assert built.after == new_event_id(NOW_MS, bytes(10))
    assert b"example" not in built.value


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"action": "deleted"}, "action", "unknown_code"),
        ({"url_key": None}, "url_key", "required"),
        ({"url_key": b"short"}, "url_key", "not_a_url_key"),
        ({"case_id": None}, "case_id", "required"),
        ({"action": "assessed"}, "classification", "required"),
        ({"url": "nowhere"}, "url", "not_an_address"),
        ({"hosting_country": None}, "hosting_country", "wrong_type"),
        ({"note": "mail to a.b@example.org"}, "content.note", "mail_address"),
    ],
)
def test_a_broken_action_names_field_and_rule_before_sending(
    admission: Admission, changes: dict[str, object], field: str, rule: str
) -> None:
    """What an action lacks is told before sending."""
    with pytest.raises(DraftRefusedError) as refused:
        build_action(action(**changes), SENDER, admission)
    assert (field, rule) in {(violation.field, violation.rule) for violation in refused.value.violations}


def test_every_field_of_a_draft_reaches_a_message() -> None:
    """No field can be given and then silently left out."""
    pairs = ((ReportDraft, ReportStatement, ReportContent), (ActionDraft, ActionStatement, ActionContent))
    for draft, statement, content in pairs:
        known = {*statement.__struct_fields__, *content.__struct_fields__}
        assert set(draft.__struct_fields__) - known <= {"url", "readers", "parties"}
