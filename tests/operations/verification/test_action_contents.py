"""What members write with their actions is stored like reports, so it can be proven and sent again."""

import pytest
from paper_exchange import PaperExchange

from casework.messages import CaseContent, Delivery
from operations.inbox_rebuild import rebuild
from operations.invariants import check
from operations.verification.run import Scope, verify
from streams import wire

URL = "https://material.example.test/noted"
LATER = "https://material.example.test/later"
NEVER = "https://material.example.test/never"


@pytest.fixture(scope="module")
def noted() -> PaperExchange:
    """Return an exchange with a note, one that waited for its report, and one that waited in vain."""
    paper = PaperExchange()
    paper.report(URL)
    paper.act(URL, "nl-offlimits", "note", note="seen")
    report = paper.new_id()
    paper.act(LATER, "gb-iwf", "observed", note="waited", is_online=True, report_event_id=report)
    paper.report(LATER, event_id=report)
    paper.act(NEVER, "gb-iwf", "observed", note="in vain", is_online=True, report_event_id=paper.new_id())
    paper.wake(NEVER, hours=2)
    return paper


def notes(paper: PaperExchange, member: str) -> list[bytes]:
    """Return the contents of the updates in an inbox."""
    found = [
        wire.decode(record.value or b"")
        for record in paper.records
        if record.topic == paper.topics.inbox(member)
    ]
    return [
        body.content
        for body in found
        if isinstance(body, Delivery) and body.kind == "update" and body.content
    ]


def test_what_was_written_is_delivered_also_after_waiting(noted: PaperExchange) -> None:
    """The origin reads the note, the responsible hotline the observation that had waited."""
    assert [b"seen" in one for one in notes(noted, "gb-iwf")] == [True]
    assert [b"waited" in one for one in notes(noted, "nl-offlimits")] == [True]


def test_what_waited_in_vain_is_erased(noted: PaperExchange) -> None:
    """Of an action that was refused nothing stays in the store of contents."""
    newest = {r.key: r.value for r in noted.records if r.topic == noted.topics.cases_contents}
    stored = [wire.decode_as(CaseContent, value).submission for value in newest.values() if value is not None]
    assert not any(b"in vain" in submission for submission in stored)
    assert None in newest.values()


def test_contents_of_actions_are_whole_for_the_proof(noted: PaperExchange) -> None:
    """Deciding all again gives the same stored contents and the same deliveries."""
    assert check(noted.history()) == ()


def test_they_are_made_again_from_facts_alone(noted: PaperExchange) -> None:
    """Without the admitted records the same deliveries follow from facts and stored contents."""
    records = [r for r in noted.records if r.topic != noted.topics.cases_admitted]
    topics = {r.value for r in noted.records}
    for member in ("gb-iwf", "nl-offlimits"):
        made = list(rebuild(noted.history(records).log, noted.topics, member, 0))
        assert made
        assert {each.framed for each in made} <= topics
        assert not any(each.is_erased for each in made)


def test_lost_contents_of_actions_are_noticed(noted: PaperExchange) -> None:
    """A stored note that is missing without an erasure is a finding."""
    for index, lost in enumerate(noted.records):
        if lost.topic == noted.topics.cases_contents and lost.value is not None and b"seen" in lost.value:
            records = noted.records[:index] + noted.records[index + 1 :]
            outcome = verify(noted.history(records).log, Scope(noted.topics, "test", noted.clock))
            assert {finding.rule for finding in outcome.findings} == {"content_missing"}
