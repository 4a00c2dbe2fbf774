"""Parked cases, stubs, records held back and ends of cases: no false findings, and no blind spots."""

import pytest
from paper_exchange import PaperExchange, lived, troubled

from casework.messages import Admitted, Case, Fact
from operations.invariants import check, examine
from operations.reading import Record
from streams import wire
from streams.newest_wins import deletion_headers
from streams.topics import Topics

pytestmark = pytest.mark.slow

TOPICS = Topics()


@pytest.fixture(scope="module")
def trouble() -> PaperExchange:
    """Return an exchange with parked cases, one set aside, stubs, and a delivery that its inbox refused."""
    return troubled()


@pytest.fixture(scope="module")
def life() -> PaperExchange:
    """Return an exchange in which everything else that leaves a trace has happened."""
    return lived()


def found(paper: PaperExchange, records: list[Record]) -> set[str]:
    """Return the names of what is broken."""
    return {violation.rule for violation in check(paper.history(records))}


def fact_of(record: Record) -> Fact:
    """Return the fact in a record."""
    return wire.decode_as(Fact, record.value or b"")


def test_parked_cases_and_stubs_are_whole(trouble: PaperExchange) -> None:
    """What waited, went on, was set aside, shrank or was refused by a topic is no loss, and has its lines."""
    outcome = examine(trouble.history())
    assert outcome.violations == ()
    assert outcome.verification.unchecked == {"answer_of_undecided": 6, "parked": 13}
    assert outcome.verification.counts["contents_erased"] == 2
    assert (outcome.account.dead_lettered, outcome.account.undeliverable) == (2, 1)


def test_every_single_loss_around_parked_cases_and_stubs_is_noticed(trouble: PaperExchange) -> None:
    """Whichever record is missing, something is found; older states and what a stub erased need not stay."""
    records = trouble.records
    erased = {r.key for r in records if r.topic == TOPICS.cases_contents and r.value is None}
    newest = {r.key: r for r in records if r.topic == TOPICS.cases_status}
    unnoticed = []
    for index, lost in enumerate(records):
        may_go = (
            newest[lost.key] is not lost
            if lost.topic == TOPICS.cases_status
            else lost.topic == TOPICS.cases_contents and lost.value is not None and lost.key in erased
        )
        if not may_go and not found(trouble, records[:index] + records[index + 1 :]):
            unnoticed.append(lost)
    # The second order for a case that went on already means nothing, and neither does its loss.
    (needless,) = unnoticed
    assert wire.decode_as(Admitted, needless.value or b"").kind == "unpark"


def test_compaction_of_what_a_stub_erased_is_no_loss(trouble: PaperExchange) -> None:
    """Content and tombstone may both be gone; content that is still there is named."""
    erased = {r.key for r in trouble.records if r.topic == TOPICS.cases_contents and r.value is None}
    contents = [r for r in trouble.records if r.topic == TOPICS.cases_contents and r.key in erased]
    assert len(contents) == 4
    assert found(trouble, [r for r in trouble.records if r not in contents]) == set()
    kept = [r for r in trouble.records if r not in contents or r.value is not None]
    assert found(trouble, kept) == {"content_left"}


def test_credentials_that_the_closing_erased_are_no_loss_and_what_is_left_of_them_is_found() -> None:
    """Contents go on without credentials; a content that still has them counts as altered."""
    paper, url = PaperExchange(), "https://gated.example.test/"
    paper.report(url, credentials=b"locked")
    paper.report(url, sender="de-eco", credentials=b"locked too")
    before = [record for record in paper.records if record.topic == TOPICS.cases_contents]
    assert check(paper.history()) == ()
    paper.act(url, "nl-offlimits", "removed")
    paper.report(url, sender="ie-hotline", credentials=b"late")
    assert check(paper.history()) == ()
    late = paper.records[-1]
    left = [record._replace(offset=late.offset + 100 + n) for n, record in enumerate(before)]
    assert found(paper, [*paper.records, *left]) == {"content_altered"}


def test_facts_of_a_record_that_was_held_back_may_follow_those_of_later_ones(life: PaperExchange) -> None:
    """Casekeeper confirms the other cases of its call first; that is no change of order within a case."""
    events = [r for r in life.records if (r.topic, r.partition) == (TOPICS.cases_events, 1)]
    held = fact_of(events[0])
    of_record = [r for r in events if fact_of(r).source_offset == held.source_offset]
    others = [r for r in events if r not in of_record and fact_of(r).case_id != held.case_id]
    later = [r for r in events if r not in of_record and r not in others]
    placed = [r._replace(offset=n) for n, r in enumerate([*others, *of_record, *later])]
    assert others
    assert found(life, [r for r in life.records if r not in events] + placed) == set()


def test_a_case_that_ended_stays_ended(life: PaperExchange) -> None:
    """An older state behind the tombstone, one without its offset, or one of another record is named."""
    place = next(n for n, r in enumerate(life.records) if r.topic == TOPICS.cases_status and r.value is None)
    tombstone = life.records[place]
    states = [r for r in life.records if r.topic == TOPICS.cases_status and r.key == tombstone.key]
    assert len(states) > 1
    assert found(life, [*life.records, states[0]._replace(offset=1000)]) == {"state_not_newest"}
    records = list(life.records)
    records[place] = tombstone._replace(headers=())
    assert found(life, records) >= {"state_unknown", "state_not_newest"}
    early = wire.decode_as(Case, states[0].value or b"")
    records[place] = tombstone._replace(headers=deletion_headers(early.source_offset))
    assert "state_altered" in found(life, records)
