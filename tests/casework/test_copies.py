from typing import TYPE_CHECKING

import msgspec

from casework.copies import SEEN_OF_CASE, SEEN_OF_SENDER, with_seen

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace


def test_the_same_statement_sent_again_is_a_duplicate(opened: "Story") -> None:
    """A sender that repeats itself gets a receipt that says so, of another id than the first."""
    event = opened.events[0][0]
    kept = opened.happen(replace(event, admitted=replace(event.admitted, source_offset=77)))
    (answer,) = [posting.body for posting in kept.postings]
    assert (answer.outcome, kept.facts) == ("duplicate", ())
    assert answer.receipt_id != opened.receipts()[0].receipt_id
    assert answer.case_id == opened.case.case_id


def test_the_same_record_admitted_again_is_nothing(opened: "Story") -> None:
    """When intake repeats its own work after a crash, nobody hears of it."""
    kept = opened.happen(opened.events[0][0])
    assert (kept.case, kept.facts, kept.postings) == (opened.case, (), ())


def test_the_same_record_read_again_is_nothing(opened: "Story") -> None:
    """A record at or below the case's offset was applied before."""
    event, _, source = opened.events[0]
    kept = opened.repeat(event, source)
    assert (kept.facts, kept.postings, kept.contents) == ((), (), ())


def test_a_record_read_again_is_nothing_even_when_its_id_is_forgotten(opened: "Story") -> None:
    """The offset alone guards a replay, however many submissions came since."""
    opened.act("nl-offlimits", "observed", is_online=True)
    event, _, source = opened.events[-1]
    for _ in range(SEEN_OF_SENDER + 1):
        opened.act("nl-offlimits", "observed", is_online=True)
    kept = opened.repeat(event, source)
    assert (kept.case, kept.facts, kept.postings) == (opened.case, (), ())


def test_a_refused_submission_stays_refused(opened: "Story") -> None:
    """A copy of a refused action is not judged anew, even when it would be accepted by now."""
    opened.act("de-eco", "observed", is_online=True)
    refused = opened.events[-1][0]
    assert opened.receipts()[-1].outcome == "refused"
    opened.report("de-eco")
    opened.happen(replace(refused, admitted=replace(refused.admitted, source_offset=5_555)))
    assert opened.receipts()[-1].outcome == "duplicate"
    assert "observed" not in opened.kinds()


def test_memory_is_bounded_for_each_sender_and_in_all(opened: "Story") -> None:
    """The newest ids stay: a busy sender pushes out its own first, and nobody the whole list."""
    case, fact = opened.case, opened.facts[0]
    for n in range(SEEN_OF_CASE + 100):
        taken = replace(fact, input_id=f"{n:032x}", by=f"member-{n % 40}")
        case = replace(case, seen=with_seen(case, taken))
    assert len(case.seen) == SEEN_OF_CASE
    assert case.seen[-1].event_id.hex() == f"{SEEN_OF_CASE + 99:032x}"
    first = case.seen[0]
    for n in range(SEEN_OF_SENDER + 5):
        case = replace(case, seen=with_seen(case, replace(fact, input_id=f"f{n:031x}", by="busy")))
    assert sum(seen.event_id.hex().startswith("f") for seen in case.seen) == SEEN_OF_SENDER
    assert first not in case.seen
