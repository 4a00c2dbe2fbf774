from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casework.casekeeping import CASE_LIMIT_BYTES, ActionEvent, ReportEvent, Source, keep
from casework.codes import ACTIONS as ALL_ACTIONS
from casework.errors import BugError
from casework.evolution import fold
from casework.ids import id_bytes, new_event_id
from casework.known_reports import BETWEEN_OF_CASE
from casework.messages import Case, Delivery
from casework.secrecy import HOLD_FACTS
from casework.transitions import FINAL_ACTIONS
from streams import wire

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace

MEMBERS = ("gb-iwf", "de-eco", "nl-offlimits", "hr-csi")
LIAISONS = ("nl", "gb")
STEPS = (
    "acknowledged",
    "assessed",
    "police_informed",
    "provider_informed",
    *sorted(FINAL_ACTIONS),
    "observed",
)

reports = st.tuples(
    st.just("report"),
    st.sampled_from(MEMBERS[:3]),
    st.sampled_from(["NL", "NL", "NL", "UK", "HK", "XT", "ZZ"]),
    st.sampled_from([None, None, 0]),
    st.sampled_from([(), (), ("possible_new_victim",)]),
    st.sampled_from([None, "baseline", "national"]),
)
steps = st.tuples(
    st.just("act"),
    st.sampled_from(["responsible", "responsible", "responsible", *MEMBERS, "police"]),
    st.sampled_from([*STEPS, *STEPS, *sorted(ALL_ACTIONS.codes)]),
    st.sampled_from(["case", "case", "case", "own", "other", "old leg"]),
    st.booleans(),
)
copies = st.tuples(
    st.sampled_from(["replayed", "repeated", "resent", "altered"]), st.integers(min_value=0, max_value=40)
)
times = st.tuples(st.just("later"), st.sampled_from([1, 30, 61, 24 * 60, 24 * 60 * 8]))
others = st.sampled_from([("wake", ""), ("reassign", ""), ("suspend", "")])
stories = st.lists(st.one_of(reports, steps, steps, copies, times, others), max_size=30)


def tell(story: "Story", lines: list[tuple]) -> "Story":
    """Let all of it happen."""
    for line in lines:
        match line:
            case ("report", sender, country, observed, urgency, classification):
                seen_at = None if observed is None else story.now
                story.report(
                    sender, country, observed_at=seen_at, urgency=urgency, classification=classification
                )
            case ("act", sender, action, aim, full):
                act(story, sender, action, aim, full=full)
            case ("later", minutes):
                story.later(minutes * story.minute)
            case ("wake", _):
                story.wake()
            case ("reassign", _):
                story.wake("reassign")
            case ("suspend", _):
                suspend(story)
            case (kind, index):
                copy(story, kind, index)
    return story


def act(story: "Story", sender: str, action: str, aim: str, *, full: bool) -> None:
    """Send an action with or without all that it may need, aimed well or badly."""
    case = story.case
    if sender == "responsible":
        sender = (case and case.assigned_hotline) or "nl-offlimits"
    elif sender == "police":
        sender = story.directory.liaison("nl").id
    needed = {"reason_code": "other", "classification": "national", "law_country": "NL", "is_online": True}
    fields: dict[str, object] = needed if full else {"recipient_role": "registrar"}
    if aim == "own":
        fields |= {"case_id": None, "report_event_id": next(iter(reported_by(story, sender)), story.new_id())}
    elif aim == "other":
        fields |= {"case_id": story.new_id()}
    elif aim == "old leg":
        fields |= {"leg": 7}
    story.act(sender, action, **fields)


def reported_by(story: "Story", sender: str) -> list[str]:
    """Answer the ids of a member's reports."""
    return [
        e.admitted.event_id
        for e, _, _ in story.events
        if isinstance(e, ReportEvent) and e.admitted.sender == sender
    ]


def suspend(story: "Story") -> None:
    """Publish a directory version without the hotline that is responsible now."""
    directory, gone = story.directory, story.case and story.case.assigned_hotline
    members = tuple(replace(m, status="suspended") if m.id == gone else m for m in directory.members)
    story.directory = replace(directory, version=directory.version + 1, members=members)


def copy(story: "Story", kind: str, index: int) -> None:
    """Let an earlier record come again: read again, admitted again, sent again, or with other bytes."""
    if not story.events:
        return
    event, directory, source = story.events[index % len(story.events)]
    if kind == "replayed":
        if story.case is not None:
            assert keep(story.case, event, directory, source).case == story.case
        return
    if kind == "repeated" or not isinstance(event, ReportEvent | ActionEvent):
        story.happen(event)
        return
    submission = event.submission
    if kind == "altered":
        submission = replace(submission, statement=submission.statement + b" ")
    admitted = replace(event.admitted, source_offset=10_000 + story.offset)
    story.happen(replace(event, admitted=admitted, submission=submission))


@given(stories)
def test_facts_rebuild_the_state(new_story: "Callable[[], Story]", lines: list[tuple]) -> None:
    """Folding the facts of a case gives its state exactly, delivery numbers and copies included."""
    story = tell(new_story(), lines)
    by_case: dict[str, list] = {}
    for fact in story.facts:
        by_case.setdefault(fact.case_id, []).append(fact)
    for facts in by_case.values():
        assert [fact.number for fact in facts] == list(range(1, len(facts) + 1))
        assert len({fact.fact_id for fact in facts}) == len(facts)
        assert [fact.admitted_at for fact in facts] == sorted(fact.admitted_at for fact in facts)
    if story.case is not None:
        assert fold(by_case[story.case.case_id]) == story.case


@given(stories)
def test_a_second_copy_of_any_record_changes_nothing(
    new_story: "Callable[[], Story]", lines: list[tuple]
) -> None:
    """No record takes effect twice: not when read again, admitted again or sent again."""
    story = tell(new_story(), lines)
    settled = story.wake().case
    if settled is None:
        return
    sent = {receipt.receipt_id for receipt in story.receipts()}
    for event, directory, source in list(story.events):
        again = keep(settled, event, directory, source)
        assert (again.case, again.facts) == (settled, ())
        assert {posting.body.receipt_id for posting in again.postings} <= sent
        if not isinstance(event, ReportEvent | ActionEvent) or not is_seen(settled, event):
            continue
        later = Source(source.topic, source.partition, story.offset + 1)
        resent = replace(event, admitted=replace(event.admitted, source_offset=99_999, admitted_at=0))
        kept = keep(settled, resent, story.directory, later)
        assert (kept.case, kept.facts) == (settled, ())
        assert [posting.body.outcome for posting in kept.postings] in (["duplicate"], ["refused"])


def is_seen(case: Case, event: ReportEvent | ActionEvent) -> bool:
    """Answer whether a case has taken the submission; malformed ones without a case leave no trace."""
    return id_bytes(event.admitted.event_id) in {seen.event_id for seen in case.seen}


@given(stories)
@example(
    [("report", "nl-offlimits", "NL", None, (), None), ("act", "responsible", "key_mismatch", "own", False)]
)
def test_no_round_has_two_final_actions(new_story: "Callable[[], Story]", lines: list[tuple]) -> None:
    """However members act, a round ends once: by an action that took effect, or without any report."""
    story = tell(new_story(), lines)
    ends = Counter(
        (fact.case_id, fact.round)
        for fact in story.facts
        if fact.fact in FINAL_ACTIONS and not {"not_responsible", "out_of_order"} & set(fact.breaches)
    )
    closed = [fact for fact in story.facts if fact.fact == "closed"]
    assert all(count == 1 for count in Counter((f.case_id, f.round) for f in closed).values())
    by_action = [fact for fact in closed if fact.outcome not in {"withdrawn", "key_mismatch"}]
    assert Counter((f.case_id, f.round) for f in by_action) == ends


@given(stories)
@example([("act", "responsible", "removed", "own", True), ("later", 61), ("wake", "")])
def test_every_submission_has_exactly_one_deciding_receipt(
    new_story: "Callable[[], Story]", lines: list[tuple]
) -> None:
    """Each submission is answered once, copies only as copies, one that waits within the hour."""
    story = tell(new_story(), lines)
    story.later(2 * story.hour).wake()
    sent = {e.admitted.event_id for e, _, _ in story.events if isinstance(e, ReportEvent | ActionEvent)}
    deciding = [r for r in story.receipts() if r.outcome != "duplicate" and r.rule != "id_reused"]
    assert {r.event_id for r in deciding} == sent
    # Nothing is kept of what no case was there for: a copy is decided anew.
    gone = {receipt.event_id for receipt in deciding if receipt.rule == "unknown_case"}
    taken = {fact.input_id for fact in story.facts} - gone
    answers = Counter(event_id for event_id, _ in {(r.event_id, r.receipt_id) for r in deciding})
    assert all(answers[event_id] == 1 for event_id in sent & taken)
    effective = Counter(r.event_id for r in deciding if r.outcome != "refused")
    assert all(count == 1 for count in effective.values())
    meanings: dict[str, set[tuple]] = {}
    for answer in story.receipts():
        meanings.setdefault(answer.receipt_id, set()).add((answer.outcome == "refused", answer.recipient))
    assert all(len(found) == 1 for found in meanings.values())


@given(stories)
def test_delivery_numbers_have_no_gap(new_story: "Callable[[], Story]", lines: list[tuple]) -> None:
    """Each recipient of a case gets the numbers 1, 2, 3 and so on, under ids that no other delivery has."""
    story = tell(new_story(), lines)
    numbers: dict[tuple[str, str], list[int]] = {}
    for delivery in story.deliveries():
        numbers.setdefault((delivery.case_id, delivery.recipient), []).append(delivery.number)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    ids = [delivery.delivery_id for delivery in story.deliveries()]
    assert len(set(ids)) == len(ids)
    if story.case is not None:
        kept = {count.recipient: count.number for count in story.case.deliveries}
        assert kept == {r: max(n) for (case, r), n in numbers.items() if case == story.case.case_id}


@given(stories)
def test_the_same_log_gives_the_same_bytes(new_story: "Callable[[], Story]", lines: list[tuple]) -> None:
    """Replaying a log from any state in it gives the same facts, messages and states, byte for byte."""
    story = tell(new_story(), lines)
    case, facts, postings = None, [], []
    for event, directory, source in story.events:
        kept = keep(case, event, directory, source)
        case = kept.case
        facts.extend(kept.facts)
        postings.extend(kept.postings)
    encode = msgspec.msgpack.encode
    assert [wire.encode(f) for f in facts] == [wire.encode(f) for f in story.facts]
    assert [encode(p.body) for p in postings] == [encode(p.body) for p in story.postings]
    assert case == story.case
    if case is not None:
        assert wire.decode(wire.encode(case)) == case


@given(stories)
@example([("report", "nl-offlimits", "HK", None, (), None), ("act", "responsible", "withdraw", "own", False)])
def test_content_goes_to_nobody_else(new_story: "Callable[[], Story]", lines: list[tuple]) -> None:
    """Content of a report travels only as assignment or linked report, never to another origin or a stranger.

    What an action says goes with the news of it, to those who are told.
    """
    story = tell(new_story(), lines)
    for posting in story.postings:
        body = posting.body
        if isinstance(body, Delivery) and body.fact in HOLD_FACTS and body.content is not None:
            assert body.recipient == body.assigned_hotline or body.recipient.endswith("-police")
        elif isinstance(body, Delivery) and body.kind == "update":
            assert body.content in {None, b"note"}
            assert posting.content_of not in {origin.last_event_id for origin in story.case.origins}
            assert body.origin in {None, body.recipient}
        elif isinstance(body, Delivery) and body.kind == "erasure_request":
            assert (body.content, posting.content_of) == (None, None)
        elif isinstance(body, Delivery):
            assert body.recipient in {body.assigned_hotline, "desk-orphans"}
            assert (body.content is None) == (posting.content_of == body.report_event_id)


def test_a_report_goes_its_whole_way(story: "Story") -> None:
    """A report is delivered with its content, acted on, closed, and every step is told to its origin."""
    story.report()
    way = ["acknowledged", "assessed", "police_informed", "provider_informed", "removed"]
    for action in way:
        story.act("nl-offlimits", action, classification="baseline" if action == "assessed" else None)
    assert story.kinds() == ["opened", "assigned", *way, "closed"]
    assert [d.kind for d in story.deliveries("nl-offlimits")] == ["assignment"]
    assert story.deliveries("nl-offlimits")[0].content == b"content of gb-iwf"
    assert [d.fact for d in story.deliveries("gb-iwf")] == way
    assert [d.number for d in story.deliveries("gb-iwf")] == [1, 2, 3, 4, 5]
    assert [r.outcome for r in story.receipts()] == ["accepted"] * 6
    assert (story.case.state, story.case.outcome) == ("closed", "removed")


def test_a_case_stays_small_whatever_members_send(new_story: "Callable[[], Story]") -> None:
    """State never outgrows its limit: 100 origins, each with 40 reports, a full queue of waiting actions."""
    story = new_story()
    hotlines = [m.id for m in story.directory.active_members("hotline")]
    names = [*hotlines, *(f"xx-invented-hotline-{n:03}" for n in range(100 - len(hotlines)))]
    for name in names:
        for _ in range(40 if name in hotlines[:20] else 2):
            story.report(name)
    for n in range(20):
        story.act(
            "xx-late-origin", "removed", case_id=None, report_event_id=story.new_id(), reference="x" * n
        )
    assert len(story.case.waiting) == 16
    assert sum(len(origin.between) for origin in story.case.origins) == BETWEEN_OF_CASE
    assert max(Counter(seen.sender for seen in story.case.seen).values()) <= 32
    assert len(wire.encode(story.case)) <= CASE_LIMIT_BYTES


def test_large_waiting_actions_are_bounded_by_size(story: "Story") -> None:
    """Actions that wait take 16 KiB together; the one beyond is refused at once, by name."""
    for n in range(6):
        story.act("nl-offlimits", "acknowledged", case_id=new_event_id(n, bytes(10)), reference="é" * 2000)
    assert len(story.case.waiting) == 3
    assert {r.rule for r in story.receipts()} == {"too_many_waiting"}
    assert len(wire.encode(story.case)) <= CASE_LIMIT_BYTES


def test_a_case_stays_small_with_all_that_it_keeps_at_once(new_story: "Callable[[], Story]") -> None:
    """Not even origins, references, copies, confirmations and a full queue together outgrow the limit."""
    story = new_story()
    story.report()
    members = story.directory.members
    for hotline in (m.id for m in members if m.kind == "hotline"):
        story.report(hotline, reference="r" * 128)
        for _ in range(8):
            story.act(hotline, "observed", is_online=True)
    for police in (m.id for m in members if m.kind == "law_enforcement"):
        story.act(police, "hold", has_police_reference=True)
        story.act("nl-police", "release", fact_number=story.case.number)
    related = tuple(story.new_id() for _ in range(16))
    for _ in range(16):
        story.act("gb-iwf", "note", labels=("a",), related_case_ids=related)
        number = story.case.number
        story.act(
            "gb-iwf", "corrected", fact_number=number, corrected_action="note", reason_code="wrong_entry"
        )
    for n in range(16):
        aim = {"report_event_id": story.new_id(), "related_case_ids": related}
        story.act(f"xx-{n}", "note", labels=("a",), reference="r" * 128, **aim)
    assert len(story.case.asked) == 16
    assert story.receipts()[-1].rule == "too_many_waiting"
    assert len(wire.encode(story.case)) <= CASE_LIMIT_BYTES - 8 * 1024


def test_a_record_of_another_url_key_is_a_bug(opened: "Story", new_story: "Callable[..., Story]") -> None:
    """A case is never changed by a record of another url key; the mistake is named."""
    other = new_story(b"\x01" + bytes(32))
    with pytest.raises(BugError, match="another url key"):
        opened.happen(other.report_event("gb-iwf"))
