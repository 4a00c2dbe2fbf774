"""Spliced reports and cases are what the exchange itself would take and write."""

import hashlib
from types import SimpleNamespace

import pytest

from agents.judgement import Admit, Bench, judge
from agents.kept_contents import content_key
from agents.stored_cases import version_of
from benchmarks.spliced import Splicer
from casework.casekeeping import Source, keep
from casework.messages import Case, CaseContent, Submission
from operations.setting_up import read_directory
from streams import wire
from streams.settings import Settings
from streams.topics import Topics

NOW = 1_795_000_000_000
SETTINGS = Settings()
DIRECTORY = read_directory(SETTINGS, NOW)
BENCH = Bench(DIRECTORY, SETTINGS.environment, NOW, Topics())


def judged(value: bytes, urgent: bool) -> object:
    """The verdict of intake on a submission appended now."""
    record = SimpleNamespace(
        value=value, key=None, topic="reports.submitted", partition=0, offset=0, timestamp=NOW, headers=()
    )
    verdict = judge(record, BENCH)
    assert isinstance(verdict, Admit)
    assert bool(verdict.escalations) == urgent
    return verdict.admitted


@pytest.mark.parametrize("urgency", [(), ("abuse_in_progress",)])
def test_a_spliced_report_is_admitted(urgency: tuple[str, ...]) -> None:
    """Intake admits it with the ids it was given, its digest is that of its content, and it opens a case."""
    splicer = Splicer(SETTINGS, DIRECTORY, NOW, urgency=urgency)
    for number in range(30):
        report = splicer.report(number)
        submission = wire.decode_as(Submission, report.value)
        statement = wire.statement_of(submission)
        assert submission.content is not None
        assert statement.content_digest == hashlib.sha256(submission.content).digest()
        admitted = judged(report.value, bool(urgency))
        assert (admitted.url_key, admitted.event_id) == (report.url_key, report.event_id)  # type: ignore[attr-defined]
        event = wire.decode_event(wire.encode(admitted))  # type: ignore[arg-type]
        kept = keep(None, event, DIRECTORY, Source("t", 0, 0))
        assert kept.case is not None
        assert kept.case.state == "assigned"


def test_a_spliced_case_takes_the_second_report_of_another_member() -> None:
    """State and content name the same report, and a report of the same address is linked and delivered."""
    numbers = range(24)
    first = Splicer(SETTINGS, DIRECTORY, NOW)
    second = Splicer(SETTINGS, DIRECTORY, NOW, origin="hu-nmhh")
    states, contents = list(first.placed_states(numbers)), list(first.placed_contents(numbers))
    for number, (_, key, value), (_, stored_key, stored) in zip(numbers, states, contents, strict=True):
        case, content = wire.decode_as(Case, value), wire.decode_as(CaseContent, stored)
        assert version_of(key, value) == 0, "else a worker would take it for no state"
        report = first.report(number)
        assert key == case.url_key == content.url_key == report.url_key
        assert stored_key == content_key(report.url_key, report.event_id)
        assert case.case_id == content.case_id
        event = wire.decode_event(wire.encode(judged(second.report(number).value, urgent=False)))  # type: ignore[arg-type]
        kept = keep(case, event, DIRECTORY, Source("t", 0, 1))
        assert [fact.fact for fact in kept.facts] == ["linked"]
        assert len(kept.postings) == 2


def test_numbers_and_salts_name_different_addresses() -> None:
    """A number has one url key under one salt, whoever reports it, and another under every other salt."""
    one, again = Splicer(SETTINGS, DIRECTORY, NOW), Splicer(SETTINGS, DIRECTORY, NOW, origin="hu-nmhh")
    other = Splicer(SETTINGS, DIRECTORY, NOW, salt=b"other")
    keys = {made.report(number).url_key for made in (one, again, other) for number in range(50)}
    assert len(keys) == 100
    assert len({made.report(7).event_id for made in (one, again, other)}) == 3


def test_the_beginning_of_a_partition_is_a_wake_up_of_no_case() -> None:
    """It takes the offset that the open cases name as theirs, and changes nothing."""
    beginnings = list(Splicer(SETTINGS, DIRECTORY, NOW).placed_beginnings())
    assert [partition for partition, _, _ in beginnings] == list(range(SETTINGS.partitions))
    for partition, key, value in beginnings:
        event = wire.decode_event(value)
        assert event.admitted.url_key == key
        kept = keep(None, event, DIRECTORY, Source("t", partition, 0))
        assert (kept.case, kept.facts, kept.postings) == (None, (), ())
