import hashlib
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.judgement import Admit, Bench, GiveUp, Refuse, judge
from casework.messages import ReportContent, ReportStatement, Submission
from operations.directory.document import build
from streams import wire
from streams.topics import Topics

NOW = 1_760_000_000_000
TOPICS = Topics("t.")
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
BENCH = Bench(DIRECTORY, "test", NOW, TOPICS)
KEY = b"\x01" + bytes(range(32))


def submission(**changes: Any) -> Submission:  # noqa: ANN401 - fields
    """Answer a sound report as a member sends it."""
    content = wire.encode(ReportContent(url="https://example.test/a"))
    values: dict[str, Any] = {
        "event_id": "0199c82a-0000-7000-8000-000000000001",
        "environment": "test",
        "sender": "gb-iwf",
        "url_key": KEY,
        "hosting_country": "NL",
        "sent_at": NOW,
        "directory_version": 1,
        "occurred_at": NOW,
        "received_at": NOW,
        "reference": "r-1",
        "content_type": "media",
        "content_digest": hashlib.sha256(content).digest(),
    }
    return Submission(statement=wire.encode(ReportStatement(**{**values, **changes})), content=content)


def record(value: bytes | None, **changes: Any) -> Any:  # noqa: ANN401 - a Kafka record
    """Answer a record at the slot of NL, or elsewhere."""
    place = {"topic": TOPICS.reports_submitted, "partition": DIRECTORY.slot("NL", KEY), "offset": 7}
    return SimpleNamespace(
        **{"key": KEY, "value": value, "timestamp": NOW, "headers": (), **place, **changes}
    )


def test_a_sound_report_is_admitted_with_stamps_and_untouched() -> None:
    """What casekeeper gets is the submission byte for byte, with time, versions and position."""
    value = wire.encode(submission())
    verdict = judge(record(value), BENCH)
    assert isinstance(verdict, Admit)
    admitted = verdict.admitted
    assert (admitted.submission, admitted.admitted_at, admitted.directory_version) == (value, NOW, 1)
    assert (admitted.source_topic, admitted.source_offset) == (TOPICS.reports_submitted, 7)
    assert (admitted.clock_skew, admitted.is_misplaced, verdict.escalations) == (False, False, ())


def test_an_alias_travels_as_its_country_and_the_statement_as_it_was_signed() -> None:
    """UK is GB to everybody who routes, and still UK in the statement."""
    verdict = judge(record(wire.encode(submission(hosting_country="UK"))), BENCH)
    assert isinstance(verdict, Admit)
    assert verdict.admitted.hosting_country == "GB"
    sent = wire.statement_of(wire.decode_as(Submission, verdict.admitted.submission or b""))
    assert sent.hosting_country == "UK"


def test_a_report_in_a_foreign_slot_is_admitted_and_marked() -> None:
    """A wrong slot is counted, never a loss."""
    elsewhere = (DIRECTORY.slot("NL", KEY) + 1) % DIRECTORY.slot_count
    verdict = judge(record(wire.encode(submission()), partition=elsewhere), BENCH)
    assert isinstance(verdict, Admit)
    assert verdict.admitted.is_misplaced


def test_a_time_ahead_is_flagged() -> None:
    """Fourteen hours ahead is admitted with the flag that casekeeper clamps by."""
    verdict = judge(record(wire.encode(submission(occurred_at=NOW + 3_600_000))), BENCH)
    assert isinstance(verdict, Admit)
    assert verdict.admitted.clock_skew


def test_urgent_codes_escalate_with_ids_that_do_not_change() -> None:
    """One escalation per code and liaison; judging the record again gives the very same ones."""
    value = wire.encode(submission(urgency=("abuse_in_progress", "possible_new_victim", "abuse_in_progress")))
    first, again = judge(record(value), BENCH), judge(record(value, offset=8), BENCH)
    assert isinstance(first, Admit)
    assert isinstance(again, Admit)
    assert [e.reason_code for e in first.escalations] == ["abuse_in_progress", "possible_new_victim"]
    assert {e.recipient for e in first.escalations} == {"nl"}
    assert [e.escalation_id for e in first.escalations] == [e.escalation_id for e in again.escalations]


def test_one_event_id_for_two_urls_escalates_both() -> None:
    """Police must not drop the second victim's escalation as a copy because a sender reused an event id."""
    ids = set()
    for key in (KEY, KEY[:-1] + b"?"):
        verdict = judge(record(wire.encode(submission(urgency=("abuse_in_progress",), url_key=key))), BENCH)
        assert isinstance(verdict, Admit)
        ids.update(escalation.escalation_id for escalation in verdict.escalations)
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (None, "empty"),
        (b"", "not_framed"),
        (b"\x00\x7f\xff\xff\xff" + bytes(9), "unknown_schema_id"),
        (wire.encode(submission()) + b"?", "undecodable"),
        (wire.encode(Submission(statement=b"x")), "not_framed"),
        (wire.encode(Submission(statement=wire.encode(ReportContent(url="")))), "unexpected_message"),
    ],
)
def test_what_cannot_be_read_is_given_up(value: bytes | None, rule: str) -> None:
    """Nobody can be answered, so nobody is: the record is kept with the rule."""
    verdict = judge(record(value), BENCH)
    assert isinstance(verdict, GiveUp)
    assert (verdict.failure.error_class, verdict.failure.rule) == ("unreadable", rule)


def test_an_unknown_sender_is_not_answered() -> None:
    """A name that the directory does not list gets no receipt: anybody could have written it."""
    verdict = judge(record(wire.encode(submission(sender="xx-nobody"))), BENCH)
    assert isinstance(verdict, GiveUp)
    assert verdict.failure.error_class == "unattributable"


def test_a_refusal_names_the_first_rule_and_counts_the_others() -> None:
    """The receipt says field, rule and how many more, and goes to the sender."""
    verdict = judge(
        record(wire.encode(submission(environment="demo", content_type="film", reference=""))), BENCH
    )
    assert isinstance(verdict, Refuse)
    receipt = verdict.receipt
    assert (receipt.recipient, receipt.outcome) == ("gb-iwf", "refused")
    assert (receipt.field, receipt.rule) == ("environment", "wrong_environment")
    assert (receipt.message or "").endswith("; 2 more")


def test_refusals_of_different_bytes_under_one_id_differ() -> None:
    """A second refusal under the same event id is no copy of the first, and none of an acceptance."""
    ids = set()
    for changes in ({"reference": ""}, {"content_type": "film"}):
        verdict = judge(record(wire.encode(submission(**changes))), BENCH)
        assert isinstance(verdict, Refuse)
        ids.add(verdict.receipt.receipt_id)
    assert len(ids) == 2


def test_statements_and_contents_that_cannot_be_read_are_refused_to_a_known_sender() -> None:
    """Where the routing fields are readable the sender learns which part is not."""
    sound = submission()
    for part, value in (
        ("statement", msgspec.structs.replace(sound, statement=sound.statement + b"?")),
        ("content", msgspec.structs.replace(sound, content=b"no frame")),
    ):
        verdict = judge(record(wire.encode(value)), BENCH)
        assert isinstance(verdict, Refuse)
        assert verdict.receipt.field == part


def test_a_report_among_actions_is_refused() -> None:
    """Kinds have topics of their own; a report elsewhere would miss its country's slot."""
    verdict = judge(record(wire.encode(submission()), topic=TOPICS.actions_submitted), BENCH)
    assert isinstance(verdict, Refuse)
    assert verdict.rule == "wrong_topic"


def test_no_verdict_repeats_an_address() -> None:
    """Whatever is wrong with the address, neither receipt nor failure repeats it."""
    content = wire.encode(ReportContent(url="https://secret place.test/", note="jo@secret.example"))
    value = submission(content_digest=hashlib.sha256(content).digest())
    verdict = judge(record(wire.encode(msgspec.structs.replace(value, content=content))), BENCH)
    assert isinstance(verdict, Refuse)
    assert "secret" not in str(verdict)


@given(st.binary(max_size=600))
def test_no_bytes_make_the_judge_fail(value: bytes) -> None:
    """Whatever arrives is given up with a rule; nothing raises."""
    assert isinstance(judge(record(value), BENCH), GiveUp)


@given(position=st.integers(0, 600), byte=st.integers(0, 255), cut=st.integers(0, 600))
def test_no_damage_to_a_sound_submission_makes_the_judge_fail(position: int, byte: int, cut: int) -> None:
    """One byte changed and the end cut off: admitted, refused or given up, and never an exception."""
    value = bytearray(wire.encode(submission()))
    value[position % len(value)] = byte
    verdict = judge(record(bytes(value[: len(value) - cut % 3])), BENCH)
    assert isinstance(verdict, Admit | Refuse | GiveUp)
    if isinstance(verdict, GiveUp):
        assert verdict.failure.error_class != "bug"
