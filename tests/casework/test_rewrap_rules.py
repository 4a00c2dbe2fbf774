from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.due import REASSIGN, REWRAP, due_times
from casework.evolution import fold
from casework.rewrap_rules import REWRAP_MS
from casework.states import OPEN_STATES

if TYPE_CHECKING:
    from tests.casework.conftest import Story

MEMBERS = ("gb-iwf", "de-eco", "nl-offlimits", "ie-hotline")


def with_status(story: "Story", member_id: str, status: str) -> None:
    """Let the story go on under a directory in which a member has another status."""
    members = tuple(
        msgspec.structs.replace(m, status=status) if m.id == member_id else m for m in story.directory.members
    )
    story.directory = msgspec.structs.replace(
        story.directory, members=members, version=story.directory.version + 1
    )


def told(story: "Story", kind: str) -> list[tuple[str, str | None]]:
    """Answer recipient and report of the deliveries of a kind."""
    return [(d.recipient, d.report_event_id) for d in story.deliveries() if d.kind == kind]


def first_report(story: "Story") -> str:
    """Answer the event id of the story's first report."""
    return story.case.origins[0].first_event_id


def test_content_that_its_hotline_can_open_waits_for_nothing(sealing_story: "Story") -> None:
    """A report sealed for the responsible hotline opens its case as a clear one does."""
    sealing_story.report(readers=["nl-offlimits", "gb-iwf"])
    assert sealing_story.kinds() == ["opened", "assigned"]
    assert sealing_story.case.state == "assigned"


def test_content_that_its_hotline_cannot_open_waits_for_its_origin(sealing_story: "Story") -> None:
    """The hotline learns of the case at once, the origin is asked, and no deadline of the leg runs."""
    sealing_story.report(readers=["gb-iwf"])
    case = sealing_story.case
    assert sealing_story.kinds() == ["opened", "assigned", "rewrap_asked"]
    assert case.state == "awaiting_rewrap"
    assert told(sealing_story, "assignment") == [("nl-offlimits", first_report(sealing_story))]
    assert told(sealing_story, "rewrap_request") == [("gb-iwf", first_report(sealing_story))]
    assert [(due.step, due.at) for due in due_times(case)] == [("rewrap", case.opened_at + REWRAP_MS)]


def test_a_rewrap_lets_the_leg_begin(sealing_story: "Story") -> None:
    """With the hotline among the recipients the case is assigned, the clock starts, it gets the content."""
    sealing_story.report(readers=["gb-iwf"])
    report = first_report(sealing_story)
    kept = sealing_story.later(sealing_story.hour).rewrap("gb-iwf", report, ["gb-iwf", "nl-offlimits"])
    case = sealing_story.case
    assert sealing_story.kinds()[-2:] == ["rewrapped", "readable"]
    assert (case.state, case.leg_started_at, case.rewrap_due_at) == ("assigned", case.last_now, None)
    assert told(sealing_story, "rewrapped_report") == [("nl-offlimits", report)]
    assert kept.rewrap is not None
    assert kept.rewrap.report_event_id == report
    assert [p.content_of for p in kept.postings if p.recipient == "nl-offlimits"] == [report]
    assert min(due.at for due in due_times(case)) == case.last_now + 24 * sealing_story.hour
    assert fold(sealing_story.facts) == case


@pytest.mark.parametrize("state", [state for state in OPEN_STATES if state != "orphaned"])
def test_a_rewrap_comes_in_any_open_state(sealing_story: "Story", state: str) -> None:
    """A step that the hotline takes before it can open anything stands, and the content still reaches it."""
    sealing_story.report(readers=["gb-iwf"])
    if state not in {"assigned", "awaiting_rewrap"}:
        sealing_story.act("nl-offlimits", state, classification="national", law_country="NL")
    before = sealing_story.case.state
    sealing_story.rewrap("gb-iwf", first_report(sealing_story), ["nl-offlimits"])
    after = sealing_story.case.state
    assert after == ("assigned" if before == "awaiting_rewrap" else before)
    assert told(sealing_story, "rewrapped_report")
    assert sealing_story.case.rewrap_due_at is None


def test_nobody_in_time_means_that_the_liaison_is_told(sealing_story: "Story") -> None:
    """With hotline and origin silent the police liaison of the hosting country gets the report itself."""
    sealing_story.report(readers=["gb-iwf", "interpol"])
    report = first_report(sealing_story)
    kept = sealing_story.later(REWRAP_MS).wake("rewrap")
    assert [fact.fact for fact in kept.facts] == ["overdue", "escalated"]
    escalation = sealing_story.escalations()[-1]
    assert (escalation.recipient, escalation.reason_code) == ("nl", "unreadable")
    assert [p.content_of for p in kept.postings if p.inbox == "escalations"] == [report]
    assert REWRAP not in {due.step for due in due_times(sealing_story.case)}
    sealing_story.act("nl-police", "acknowledged")
    assert due_times(sealing_story.case) == (), "police have it"
    assert sealing_story.later(REWRAP_MS).wake("rewrap").facts == ()


def test_a_readable_linked_report_ends_the_wait(sealing_story: "Story") -> None:
    """Another origin's report that the hotline can open is enough; no re-wrap is needed any more."""
    sealing_story.report(readers=["gb-iwf"])
    sealing_story.report("de-eco", readers=["nl-offlimits"])
    assert sealing_story.kinds()[-2:] == ["linked", "readable"]
    assert sealing_story.case.state == "assigned"


def test_an_unreadable_linked_report_asks_for_nothing(sealing_story: "Story") -> None:
    """While the hotline holds something readable, a further report that it cannot open is linked alone."""
    sealing_story.report(readers=["nl-offlimits"])
    sealing_story.report("de-eco", readers=["de-eco"])
    assert sealing_story.kinds() == ["opened", "assigned", "linked"]


def test_a_case_handed_on_asks_origin_and_former_hotline(sealing_story: "Story") -> None:
    """When a hotline gives a case back, content sealed for it and its origin is re-wrapped by either one."""
    sealing_story.report("at-stopline", "DE", readers=["at-stopline"])
    first, report = sealing_story.case.assigned_hotline, first_report(sealing_story)
    sealing_story.rewrap("at-stopline", report, ["at-stopline", first])
    assert sealing_story.case.state == "assigned"
    sealing_story.act(first, "decline", reason_code="capacity")
    following = sealing_story.case.assigned_hotline
    assert (following != first, sealing_story.case.state) == (True, "awaiting_rewrap")
    assert told(sealing_story, "rewrap_request")[1:] == [("at-stopline", report), (first, report)]
    sealing_story.rewrap(first, report, [following])
    assert told(sealing_story, "rewrapped_report")[1:] == [(following, report)]
    assert (sealing_story.case.state, sealing_story.case.rewrap_due_at) == ("assigned", None)


def test_a_suspended_holder_is_not_asked(sealing_story: "Story") -> None:
    """A suspended hotline sends nothing: the origin alone is asked, and the fact names who is not."""
    sealing_story.report("at-stopline", "NL", readers=["at-stopline", "nl-offlimits"])
    with_status(sealing_story, "nl-offlimits", "suspended")
    sealing_story.wake(REASSIGN)
    [asked] = [fact for fact in sealing_story.facts if fact.fact == "rewrap_asked"]
    assert (asked.origin, asked.members) == ("at-stopline", ("nl-offlimits",))
    assert told(sealing_story, "rewrap_request") == [("at-stopline", first_report(sealing_story))]


def test_another_origin_is_asked_where_nobody_else_is_there(sealing_story: "Story") -> None:
    """Any one content lets those responsible begin: that of an origin that is there is asked for then."""
    sealing_story.report("at-stopline", "NL", readers=["at-stopline", "nl-offlimits"])
    sealing_story.report("cz-stoponline", "NL", readers=["cz-stoponline", "nl-offlimits"])
    other = sealing_story.case.origins[1].last_event_id
    for member in ("at-stopline", "nl-offlimits"):
        with_status(sealing_story, member, "suspended")
    sealing_story.wake(REASSIGN)
    assert told(sealing_story, "rewrap_request") == [("cz-stoponline", other)]
    mandated = [m.id for m in sealing_story.directory.members if "orphans" in m.mandates and m.active]
    sealing_story.rewrap("cz-stoponline", other, [mandated[0]])
    assert (sealing_story.kinds()[-1], sealing_story.case.rewrap_due_at) == ("readable", None)


def test_where_no_holder_is_there_nobody_is_asked_and_police_are_told(sealing_story: "Story") -> None:
    """The wait for content stands, for the time when a holder is back, and after it police get the report."""
    sealing_story.report("at-stopline", "NL", readers=["at-stopline", "nl-offlimits"])
    for member in ("at-stopline", "nl-offlimits"):
        with_status(sealing_story, member, "suspended")
    sealing_story.wake(REASSIGN)
    assert sealing_story.case.rewrap_due_at is not None
    assert told(sealing_story, "rewrap_request") == []
    kept = sealing_story.later(REWRAP_MS).wake("rewrap")
    assert [fact.fact for fact in kept.facts][-2:] == ["overdue", "escalated"]


def test_a_revoked_key_opens_nothing(sealing_story: "Story") -> None:
    """Content for a key that the directory has as revoked is content that its holder cannot open."""
    key_of = {m.id: m.keys[0] for m in sealing_story.directory.members}
    revoked = msgspec.structs.replace(key_of["nl-offlimits"], revoked_at=1)
    members = tuple(
        msgspec.structs.replace(m, keys=(revoked,)) if m.id == "nl-offlimits" else m
        for m in sealing_story.directory.members
    )
    sealing_story.directory = msgspec.structs.replace(sealing_story.directory, members=members)
    sealing_story.report(readers=["gb-iwf", "nl-offlimits"])
    assert sealing_story.case.state == "awaiting_rewrap"


@pytest.mark.parametrize(
    ("sender", "fields", "outcome", "rule"),
    [
        ("de-eco", {}, "refused", "not_a_party"),
        ("gb-iwf", {"case_id": "0199c82a-0000-8000-8000-000000000001"}, "refused", "wrong_case"),
        ("gb-iwf", {"content_digest": bytes(32)}, "refused", "content_swapped"),
        ("gb-iwf", {"content_protection": "none"}, "refused", "clear_content"),
        ("gb-iwf", {"report_event_id": "x"}, "not_applicable", "other_report"),
    ],
)
def test_a_rewrap_that_is_none_is_answered_by_its_rule(
    sealing_story: "Story", sender: str, fields: dict[str, object], outcome: str, rule: str
) -> None:
    """Strangers, other cases, other content and clear content change nothing, and each is named."""
    sealing_story.report(readers=["gb-iwf"])
    before = sealing_story.case
    report = first_report(sealing_story)
    kept = sealing_story.rewrap(sender, report, ["nl-offlimits"], **fields)
    receipt = sealing_story.receipts()[-1]
    assert (receipt.outcome, receipt.rule) == (outcome, rule)
    assert kept.rewrap is None
    assert (sealing_story.case.state, sealing_story.case.readers) == (before.state, before.readers)


def test_who_can_open_it_already_needs_no_rewrap(sealing_story: "Story") -> None:
    """The same recipients again are answered as done; after the closing nobody needs any."""
    sealing_story.report(readers=["gb-iwf", "nl-offlimits"])
    report = first_report(sealing_story)
    sealing_story.rewrap("nl-offlimits", report, ["nl-offlimits"])
    assert sealing_story.receipts()[-1].rule == "already_done"
    sealing_story.act("nl-offlimits", "removed")
    sealing_story.rewrap("gb-iwf", report, ["de-eco"])
    assert sealing_story.receipts()[-1].rule == "case_closed"


def test_a_later_origin_does_not_keep_the_first_one_from_answering(sealing_story: "Story") -> None:
    """A report that only names the hotline's key ends the wait; the re-wrap of the first one still counts."""
    sealing_story.report(readers=["gb-iwf"])
    report = first_report(sealing_story)
    sealing_story.report("de-eco", readers=["nl-offlimits"])
    kept = sealing_story.rewrap("gb-iwf", report, ["gb-iwf", "nl-offlimits"])
    assert sealing_story.receipts()[-1].outcome == "accepted"
    assert kept.rewrap is not None
    assert kept.rewrap.by_origin
    assert told(sealing_story, "rewrapped_report") == [("nl-offlimits", report)]


def test_one_origin_wraps_nothing_for_another(sealing_story: "Story") -> None:
    """Whoever reports the same address becomes a party, and appends no readers to a report it never held."""
    sealing_story.report(readers=["gb-iwf"])
    report = first_report(sealing_story)
    sealing_story.report("de-eco", readers=["de-eco"])
    kept = sealing_story.rewrap("de-eco", report, ["nl-offlimits"])
    assert sealing_story.receipts()[-1].rule == "not_a_holder"
    assert kept.rewrap is None
    assert sealing_story.case.state == "awaiting_rewrap"


def test_a_rewrap_waits_for_no_report(sealing_story: "Story") -> None:
    """Without a case a re-wrap is refused at once, because its content could not wait with it."""
    sealing_story.rewrap("gb-iwf", sealing_story.new_id(), ["nl-offlimits"])
    assert sealing_story.case is None
    assert sealing_story.receipts()[-1].rule == "unknown_case"


def test_keys_that_nobody_has_leave_no_trace(sealing_story: "Story") -> None:
    """A case keeps keys of the directory only, so a sender who names unknown ones cannot make it grow."""
    stranger = msgspec.structs.replace(sealing_story.directory, members=sealing_story.directory.members[:-1])
    left_out = sealing_story.directory.members[-1].id
    sealing_story.directory = stranger
    sealing_story.report(readers=["nl-offlimits", left_out])
    assert sealing_story.case.readers is not None
    assert len(sealing_story.case.readers) == 8


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sets(st.sampled_from(MEMBERS), min_size=1)), max_size=8)
)
def test_whoever_can_open_something_is_never_waited_for(steps: list[tuple[str, set[str]]]) -> None:
    """After any reports and re-wraps a case waits exactly while its hotline can open none of its contents."""
    from tests.casework.conftest import SEALING_DIRECTORY, Story  # noqa: PLC0415 - stories are made per example

    story = Story(directory=SEALING_DIRECTORY)
    can_open = False
    for sender, readers in steps:
        is_rewrap = story.case is not None and any(o.member == sender for o in story.case.origins)
        if is_rewrap:
            origin = next(o for o in story.case.origins if o.member == sender)
            story.rewrap(sender, origin.last_event_id, sorted(readers))
        else:
            story.report(sender, readers=sorted(readers))
        can_open = can_open or "nl-offlimits" in readers or sender == "nl-offlimits"
        if story.case.origins[0].member == "nl-offlimits":
            return
        assert (story.case.rewrap_due_at is None) == can_open
        assert (story.case.state == "awaiting_rewrap") == (not can_open)
        assert fold(story.facts) == story.case
