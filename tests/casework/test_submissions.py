import hashlib
from typing import Any

import msgspec
import pytest

from casework import codes
from casework.directory import Directory
from casework.errors import RuleViolation
from casework.limits import ITEM_LIMITS, TEXT_LIMITS
from casework.messages import (
    ActionContent,
    ActionStatement,
    Label,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.submissions import Admission, check_action, check_report, claims_ahead, police_contact
from casework.texts import list_fields, text_fields
from operations.directory.document import build

NOW = 1_760_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
ID = "0199c82a-0000-7000-8000-000000000001"
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
URL = "https://example.test/a"
POLICE = next(member.id for member in DIRECTORY.members if member.liaison == "nl")
SECRETARIAT = next(member.id for member in DIRECTORY.members if member.kind == "secretariat")


def with_status(member_id: str, status: str) -> Directory:
    """Answer the directory with another status of one member."""
    members = tuple(
        msgspec.structs.replace(member, status=status) if member.id == member_id else member
        for member in DIRECTORY.members
    )
    return msgspec.structs.replace(DIRECTORY, members=members)


def admission(**changes: Any) -> Admission:  # noqa: ANN401 - fields
    """Answer ordinary circumstances with some changed."""
    values = {
        "directory": DIRECTORY,
        "environment": "test",
        "admitted_at": NOW,
        "submitted_at": NOW,
        "size": 900,
    }
    return Admission(**{**values, **changes})


def report(**changes: Any) -> tuple[ReportStatement, ReportContent, Submission]:  # noqa: ANN401 - fields
    """Answer a sound report; `content` changes its content, everything else the statement."""
    content = ReportContent(**{"url": URL, **changes.pop("content", {})})
    body = msgspec.json.encode(content)
    values: dict[str, Any] = {
        "event_id": ID,
        "environment": "test",
        "sender": "gb-iwf",
        "url_key": b"\x01" + bytes(32),
        "hosting_country": "NL",
        "sent_at": NOW,
        "directory_version": 1,
        "occurred_at": NOW,
        "received_at": NOW,
        "reference": "r-1",
        "content_type": "media",
        "content_digest": hashlib.sha256(body).digest(),
    }
    statement = ReportStatement(**{**values, **changes})
    return statement, content, Submission(statement=b"framed", content=body)


def action(**changes: Any) -> tuple[ActionStatement, ActionContent, Submission]:  # noqa: ANN401 - fields
    """Answer a sound action; `content` changes its content, everything else the statement."""
    content = ActionContent(**changes.pop("content", {}))
    body = msgspec.json.encode(content)
    values: dict[str, Any] = {
        "event_id": ID,
        "environment": "test",
        "sender": "nl-offlimits",
        "url_key": b"\x01" + bytes(32),
        "hosting_country": "NL",
        "sent_at": NOW,
        "directory_version": 1,
        "action": "removed",
        "case_id": "0199c82a-0000-8000-8000-000000000001",
        "occurred_at": NOW,
        "content_digest": hashlib.sha256(body).digest(),
    }
    statement = ActionStatement(**{**values, **changes})
    return statement, content, Submission(statement=b"framed", content=body)


def broken(violations: tuple[RuleViolation, ...]) -> list[tuple[str, str]]:
    """Answer field and rule of each violation."""
    return [(violation.field, violation.rule) for violation in violations]


def test_a_sound_report_and_a_sound_action_break_no_rule() -> None:
    """What the tests below change is accepted as it is."""
    assert check_report(*report(), admission()) == ()
    assert check_action(*action(), admission()) == ()


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"environment": "production"}, "environment", "wrong_environment"),
        ({"event_id": "0199c82a-0000-4000-8000-000000000001"}, "event_id", "not_a_uuidv7"),
        ({"event_id": ID.upper()}, "event_id", "not_a_uuidv7"),
        ({"url_key": bytes(33)}, "url_key", "not_a_url_key"),
        ({"url_key": b"\x01short"}, "url_key", "not_a_url_key"),
        ({"url_key_next": b""}, "url_key_next", "not_a_url_key"),
        ({"hosting_country": "XX"}, "hosting_country", "unknown_country"),
        ({"hosting_country": "nl"}, "hosting_country", "unknown_country"),
        ({"law_country": "Q1"}, "law_country", "unknown_country"),
        ({"reference": ""}, "reference", "required"),
        ({"reference": "r" * 129}, "reference", "too_long"),
        ({"reference": "r\x00"}, "reference", "control_character"),
        ({"reference": URL}, "reference", "address_in_clear"),
        ({"complaint_id": "see ftp://a.test"}, "complaint_id", "address_in_clear"),
        ({"complaint_id": "a\u202eb"}, "complaint_id", "control_character"),
        ({"content_type": "film"}, "content_type", "unknown_code"),
        ({"site_type": "shop"}, "site_type", "unknown_code"),
        ({"classification": "bad"}, "classification", "unknown_code"),
        ({"age_category": "adult"}, "age_category", "unknown_code"),
        ({"content_protection": "pgp"}, "content_protection", "unknown_code"),
        ({"urgency": ("soon",)}, "urgency[0]", "unknown_code"),
        ({"urgency": ("abuse_in_progress",) * 9}, "urgency", "too_many"),
        ({"payment_methods": ("visa", "gold")}, "payment_methods[1]", "unknown_code"),
        ({"labels": (Label(scheme="ucs", scheme_version="1", label="l" * 65),)}, "labels[0]", "too_long"),
        ({"analyst": "Jane Doe"}, "analyst", "not_opaque"),
        ({"occurred_at": NOW + 14 * HOUR + 1}, "occurred_at", "too_far_ahead"),
        ({"received_at": NOW // 1000}, "received_at", "not_milliseconds"),
        ({"observed_at": NOW + 15 * HOUR}, "observed_at", "too_far_ahead"),
        ({"sent_at": NOW - 7 * DAY - 1}, "sent_at", "replay_window"),
        ({"sent_at": NOW + 7 * DAY + 1}, "sent_at", "replay_window"),
        ({"content_digest": bytes(32)}, "content_digest", "digest_mismatch"),
        ({"content_digest": None}, "content_digest", "digest_mismatch"),
        ({"sender": POLICE}, "sender", "not_a_hotline"),
        ({"sender": "nobody"}, "sender", "unknown_member"),
        ({"content": {"url": "https://exa mple.test/"}}, "content.url", "malformed"),
        ({"content": {"url": "https://example.test/\x07"}}, "content.url", "control_character"),
        ({"content": {"url": "gopher://example.test/"}}, "content.url", "unknown_scheme"),
        ({"content": {"url": "https://example.test/" + "a" * 8192}}, "content.url", "too_long"),
        ({"content": {"source_page": "nowhere"}}, "content.source_page", "not_an_address"),
        ({"content": {"sibling_items": (URL, "http://")}}, "content.sibling_items[1]", "no_host"),
        ({"content": {"sibling_items": (URL,) * 201}}, "content.sibling_items", "too_many"),
        ({"content": {"hosting_ip": "300.1.1.1"}}, "content.hosting_ip", "not_an_ip"),
        ({"content": {"hosting_asn": -1}}, "content.hosting_asn", "out_of_range"),
        ({"content": {"note": "n" * (1 << 20)}}, "content.note", "too_long"),
        ({"content": {"note": "bell \x07"}}, "content.note", "control_character"),
        ({"content": {"note": "told by jo.doe@mail.example"}}, "content.note", "mail_address"),
        ({"content": {"note": "call +31 6 1234 5678"}}, "content.note", "phone_number"),
        ({"content": {"note": "call 020 555 12 34"}}, "content.note", "phone_number"),
        ({"content": {"page_title": "a\nb"}}, "content.page_title", "control_character"),
    ],
)
def test_a_bad_report_is_refused_by_field_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    """Each bad input names the field and the rule, first, and never the value."""
    violations = check_report(*report(**changes), admission())
    assert broken(violations)[0] == (field, rule)
    values = [value for value in changes.values() if isinstance(value, str) and len(value) > 3]
    assert not any(value in violation.message for violation in violations for value in values)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"action": "erased"}, "action", "unknown_code"),
        ({"case_id": None}, "case_id", "required"),
        ({"case_id": "17"}, "case_id", "not_a_uuid"),
        ({"case_id": None, "report_event_id": "17"}, "report_event_id", "not_a_uuidv7"),
        ({"reason_code": "because"}, "reason_code", "unknown_code"),
        ({"recipient_role": "everybody"}, "recipient_role", "unknown_code"),
        ({"round": 0}, "round", "out_of_range"),
        ({"action": "assessed"}, "classification", "required"),
        ({"action": "assessed", "classification": "baseline"}, "law_country", "required"),
        ({"action": "observed"}, "observation", "required"),
        ({"action": "observed", "observation": "seen"}, "observation", "unknown_code"),
        ({"action": "observed", "observation": "moved"}, "new_hosting_country", "required"),
        (
            {"action": "observed", "is_online": True, "observed_from": "QQ"},
            "observed_from",
            "unknown_country",
        ),
        ({"action": "moved"}, "new_hosting_country", "required"),
        ({"action": "moved", "new_hosting_country": "DE"}, "hosting_method", "required"),
        ({"action": "note", "new_hosting_country": "XX"}, "new_hosting_country", "unknown_country"),
        ({"action": "transfer"}, "to_member", "required"),
        ({"action": "transfer", "to_member": "xx-nobody"}, "to_member", "unknown_member"),
        ({"action": "decline", "reason_code": "nudism_or_not_sexualized"}, "reason_code", "unknown_code"),
        ({"action": "hand_back", "reason_code": "virtual_material"}, "reason_code", "unknown_code"),
        ({"action": "withdraw", "reason_code": "capacity"}, "reason_code", "unknown_code"),
        ({"action": "corrected", "reason_code": "virtual_material"}, "reason_code", "unknown_code"),
        (
            {"action": "corrected", "corrected_action": "not_illegal", "reason_code": "capacity"},
            "reason_code",
            "unknown_code",
        ),
        ({"action": "corrected"}, "fact_number", "required"),
        ({"action": "confirmed", "fact_number": 0}, "fact_number", "out_of_range"),
        (
            {"action": "corrected", "fact_number": 1, "corrected_action": "undone"},
            "corrected_action",
            "unknown_code",
        ),
        ({"second_analyst": "Jane Doe"}, "second_analyst", "not_opaque"),
        ({"analyst": "a-1", "second_analyst": "a-1"}, "second_analyst", "same_person"),
        ({"action": "note", "priority": "at once"}, "priority", "unknown_code"),
        ({"action": "note", "related_case_ids": ("17",)}, "related_case_ids[0]", "not_a_uuid"),
        ({"sender": SECRETARIAT}, "sender", "may_not_act"),
        ({"action": "erase"}, "sender", "may_not_act"),
        ({"action": "preserve"}, "sender", "may_not_act"),
        ({"content": {"note": "n" * 8193}}, "content.note", "too_long"),
        ({"content": {"new_url": "moved away"}}, "content.new_url", "not_an_address"),
    ],
)
def test_a_bad_action_is_refused_by_field_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    """Each bad input names the field and the rule first."""
    assert broken(check_action(*action(**changes), admission()))[0] == (field, rule)


@pytest.mark.parametrize(
    ("action_code", "reason_code"),
    [("decline", "capacity"), ("hand_back", "capacity"), ("withdraw", "wrong_item"), ("erase", "agreement")],
)
def test_a_reason_is_from_the_list_of_its_action(action_code: str, reason_code: str) -> None:
    """Who gives a case back says why it cannot have it; who takes its word back, what was wrong with it."""
    assert ("reason_code", "unknown_code") not in broken(
        check_action(*action(action=action_code, reason_code=reason_code), admission())
    )


@pytest.mark.parametrize("reason_code", ["wrong_entry", "virtual_material"])
@pytest.mark.parametrize("put", [{"corrected_action": "not_illegal"}, {"classification": "not_illegal"}])
def test_a_correction_says_why_it_was_wrong_or_the_reason_of_what_stands(
    put: dict[str, str], reason_code: str
) -> None:
    """Where another fact stands instead of the wrong one the reason may be that fact's, of ICCAM's list."""
    said = {"action": "corrected", "fact_number": 1, "law_country": "NL", "reason_code": reason_code, **put}
    assert broken(check_action(*action(**said), admission())) == []
    assert not codes.REASONS.codes.keys() & codes.CORRECTION_REASONS.codes.keys()


@pytest.mark.parametrize("status", ["candidate", "suspended", "left"])
def test_only_active_members_may_speak(status: str) -> None:
    """A known member that is not active is refused with its status, for reports and for actions."""
    for check, submission, member in (
        (check_report, report(), "gb-iwf"),
        (check_action, action(), "nl-offlimits"),
    ):
        violations = check(*submission, admission(directory=with_status(member, status)))  # type: ignore[operator]
        assert broken(violations) == [("sender", "sender_not_active")]
        assert status in violations[0].message


@pytest.mark.parametrize("alias", ["UK", "EL", "T1", "XT", "ZZ"])
def test_aliases_and_pseudo_countries_are_accepted_as_sent(alias: str) -> None:
    """An alias of a country or a host without one is no error; the statement stays as it was signed."""
    assert check_report(*report(hosting_country=alias), admission()) == ()


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        ("", {}),
        ("user child_1999 on some app", {"content_topic": "grooming"}),
        ("skype:somebody", {"content_topic": "sexual_extortion"}),
        ("tel:0", {"urgency": ("abuse_in_progress",)}),
    ],
)
def test_a_child_in_danger_without_an_address_is_a_matter_for_the_police(
    url: str, changes: dict[str, Any]
) -> None:
    """Grooming, extortion and live abuse without URL are refused by `no_address`, first of all rules."""
    statement, content, submission = report(content={"url": url}, **changes)
    assert broken(check_report(statement, content, submission, admission())) == [
        ("content.url", "no_address")
    ]


def test_a_report_without_content_is_refused() -> None:
    """A report carries its address in its content; without it nobody could act."""
    statement, _, submission = report(content_digest=None)
    bare = msgspec.structs.replace(submission, content=None)
    assert broken(check_report(statement, None, bare, admission())) == [("content", "required")]
    live = msgspec.structs.replace(statement, urgency=("abuse_in_progress",))
    assert broken(check_report(live, None, bare, admission())) == [("content.url", "no_address")]


def test_the_police_contact_is_that_of_the_host_else_of_the_sender() -> None:
    """For a host without a country the sender's own police are named."""
    own = DIRECTORY.police_contact("GB")
    assert police_contact(report(hosting_country="ZZ")[0], DIRECTORY) == own
    assert police_contact(report(hosting_country="not one")[0], DIRECTORY) == own
    assert police_contact(report(hosting_country="NL")[0], DIRECTORY) == DIRECTORY.police_contact("NL")


def test_times_up_to_14_hours_ahead_are_accepted_and_flagged() -> None:
    """Local time stamped as UTC is taken with the flag; the present is taken without."""
    statement, content, submission = report(occurred_at=NOW + 14 * HOUR)
    assert check_report(statement, content, submission, admission()) == ()
    assert claims_ahead(statement, NOW)
    assert not claims_ahead(report()[0], NOW)


def test_the_replay_window_is_judged_on_real_time() -> None:
    """In a compressed year the exchange's clock is elsewhere; only the log-append time counts."""
    statement, content, submission = report(sent_at=NOW + 400 * DAY)
    real = admission(submitted_at=NOW + 400 * DAY)
    assert check_report(statement, content, submission, real) == ()


def test_a_submission_over_256_kib_is_refused() -> None:
    """Size is a rule of its own, told after the field that caused it."""
    assert broken(check_report(*report(), admission(size=256 * 1024 + 1))) == [("submission", "too_large")]


@pytest.mark.parametrize(
    "note",
    [
        "see https://192.0.2.17/0031612345678/page",
        "seen 2026-11-22 13:37, case 20261122-004711",
        "hosted at 2001:db8::1 and 198.51.100.7",
        "first line\nsecond\tline",
        "price 1,000,000; ref 00-17",
    ],
)
def test_notes_without_persons_pass(note: str) -> None:
    """Addresses of hosts, dates, references and line ends never stop a report."""
    assert check_report(*report(content={"note": note}), admission()) == ()


@pytest.mark.parametrize("message", [ReportStatement, ActionStatement, ReportContent, ActionContent])
def test_every_text_field_has_a_limit(message: type[Any]) -> None:
    """A field that is added to a message and forgotten in the table of limits fails here."""
    assert set(text_fields(message)) | set(list_fields(message)) <= set(TEXT_LIMITS)
    assert set(list_fields(message)) <= set(ITEM_LIMITS)
    others = {"url_key", "url_key_next", "content_digest", "credentials_digest", "credentials_key"}
    rest = set(message.__struct_fields__) - set(text_fields(message)) - set(list_fields(message)) - others
    types = {field.name: field.type for field in msgspec.structs.fields(message)}
    assert {types[name] for name in rest} <= {int, bool, int | None, bool | None}
