from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
DAY = 24 * 60 * 60_000


def without(story: "Story", *gone: str) -> None:
    """Publish a directory version in which these members are suspended."""
    directory = story.directory
    members = tuple(replace(m, status="suspended") if m.id in gone else m for m in directory.members)
    story.directory = replace(directory, version=directory.version + 1, members=members)


def test_missed_deadlines_are_facts_at_their_own_time(opened: "Story") -> None:
    """Whatever record comes first after them, deadlines fire in due order, each stamped with its due time."""
    assigned = opened.case.leg_started_at
    opened.later(4 * DAY).act("nl-offlimits", "acknowledged")
    overdue = [fact for fact in opened.facts if fact.fact == "overdue"]
    assert [(f.step, f.due_at - assigned, f.admitted_at - assigned) for f in overdue] == [
        ("acknowledge", DAY, DAY), ("inform_police", DAY, DAY), ("inform_provider", 3 * DAY, 3 * DAY),
    ]  # fmt: skip
    assert [d.step for d in opened.deliveries("gb-iwf") if d.fact == "overdue"] == list(opened.case.overdue)
    assert [d.fact for d in opened.deliveries("nl-offlimits")] == ["assigned", *["overdue"] * 3]
    assert opened.facts[-1].breaches == ("late",), "a step after its deadline counts, and says so"
    assert opened.case.state == "acknowledged"


def test_a_deadline_fires_once_in_a_leg(opened: "Story") -> None:
    """A second wake-up for the same deadline changes nothing at all."""
    opened.later(DAY).wake()
    kept = opened.wake()
    assert opened.case.overdue == ("acknowledge", "inform_police")
    assert (kept.facts, kept.postings) == ((), ())
    assert kept.case is opened.case


def test_a_deadline_passes_with_its_millisecond(opened: "Story") -> None:
    """One millisecond before the due time nothing fires; at the due time it does."""
    due_at = opened.case.leg_started_at + DAY
    opened.now = due_at - 1 - opened.minute
    assert opened.wake().facts == ()
    opened.now = due_at - opened.minute
    assert [fact.step for fact in opened.wake().facts] == ["acknowledge", "inform_police"]


def test_a_step_in_time_stops_its_clock(opened: "Story") -> None:
    """What was done in time is never overdue, and a closed case has no deadlines."""
    opened.act("nl-offlimits", "acknowledged")
    opened.act("nl-offlimits", "removed")
    assert opened.later(60 * DAY).wake().facts == ()


def test_time_never_runs_backwards(opened: "Story") -> None:
    """A record admitted by a slower clock is decided at the case's last time."""
    last = opened.case.last_now
    event = opened.action_event("nl-offlimits", "acknowledged")
    early = replace(event, admitted=replace(event.admitted, admitted_at=last - DAY))
    opened.now = last - DAY
    opened.happen(early)
    assert (opened.facts[-1].admitted_at, opened.case.last_now) == (last, last)


def test_an_action_whose_report_never_came_is_refused_after_an_hour(story: "Story") -> None:
    """Exactly one refusal after an hour, then nothing is left of the case."""
    story.act("nl-offlimits", "removed", case_id=story.new_id())
    due_at = story.case.waiting[0].due_at
    assert due_at == story.now + story.hour
    kept = story.later(2 * story.hour).wake("waiting")
    (receipt,) = story.receipts()
    assert (receipt.outcome, receipt.rule, receipt.admitted_at) == ("refused", "unknown_case", due_at)
    assert kept.case is None
    assert story.kinds() == ["awaited", "refused"]


def test_a_report_after_the_hour_does_not_revive_the_action(story: "Story") -> None:
    """The timer counts before the report that came with it."""
    own = story.new_id()
    story.act("nl-offlimits", "removed", report_event_id=own)
    story.later(2 * story.hour).report("nl-offlimits", event_id=own)
    assert story.kinds() == ["awaited", "refused", "opened", "assigned", "acknowledged"]
    assert [r.outcome for r in story.receipts()] == ["refused", "accepted"]


def test_a_hotline_that_left_hands_its_case_over(story: "Story") -> None:
    """A new leg begins at the hotline next in rule, which gets every origin's last report with content."""
    story.report("gb-iwf", "DE")
    story.report("nl-offlimits", "DE")
    first = story.case.assigned_hotline
    story.act(first, "acknowledged", reference="old")
    without(story, first)
    kept = story.wake("reassign")
    case = story.case
    assert [(f.fact, f.leg, f.reason_code) for f in kept.facts] == [("assigned", 2, "member_left")]
    assert case.assigned_hotline.startswith("de-")
    assert case.assigned_hotline != first
    assert (case.former, case.state, case.acknowledged_at, case.reference) == (
        (first,),
        "assigned",
        None,
        None,
    )
    assert case.leg_started_at == story.now
    new = [p for p in kept.postings if p.recipient == case.assigned_hotline]
    ids = [origin.last_event_id for origin in case.origins]
    assert [(p.body.kind, p.content_of, p.body.statement) for p in new] == [
        ("assignment", ids[0], None), ("linked_report", ids[1], None),
    ]  # fmt: skip
    assert {p.recipient for p in kept.postings} == {case.assigned_hotline, first, "gb-iwf", "nl-offlimits"}
    story.act(first, "removed")
    assert story.facts[-1].breaches == ("not_responsible",)


def test_a_report_of_a_closed_case_whose_hotline_left_goes_to_whoever_serves_the_country_now(
    story: "Story",
) -> None:
    """Nobody is at the old hotline to look at it: a new round begins, and the content goes past it."""
    story.report("gb-iwf", "DE")
    first = story.case.assigned_hotline
    for action in ("acknowledged", "police_informed", "provider_informed", "removed"):
        story.act(first, action)
    without(story, first)
    kept = story.report("nl-offlimits", "DE")
    assert [fact.fact for fact in kept.facts] == ["reopened", "assigned"]
    assert (story.case.round, story.case.assigned_hotline != first) == (2, True)
    with_content = {p.recipient for p in kept.postings if getattr(p.body, "content", None)}
    assert with_content == {story.case.assigned_hotline}


def test_a_country_left_without_hotline_sends_its_cases_to_the_desk(opened: "Story") -> None:
    """With no other hotline the case is orphaned, police are told once, and its clock stops."""
    without(opened, "nl-offlimits")
    kept = opened.wake("reassign")
    assert [fact.fact for fact in kept.facts] == ["orphaned", "escalated"]
    assert (opened.case.state, opened.case.leg, opened.case.deadlines) == ("orphaned", 2, None)
    (escalation,) = opened.escalations()
    assert (escalation.recipient, escalation.reason_code, escalation.content) == ("nl", "no_hotline", None)
    assert {p.content_of for p in kept.postings if p.inbox in {"desk", "escalations"}} == {
        opened.case.origins[0].last_event_id
    }


def test_an_orphaned_case_goes_to_a_hotline_that_becomes_active(opened: "Story") -> None:
    """A case that nobody has goes to a hotline of its country as soon as there is one."""
    full = opened.directory
    without(opened, "nl-offlimits")
    opened.wake("reassign")
    assert opened.wake("reassign").facts == (), "there is still nobody"
    opened.directory = replace(full, version=opened.directory.version + 1)
    kept = opened.wake("reassign")
    assert [(f.fact, f.leg, f.reason_code) for f in kept.facts] == [("assigned", 3, "member_joined")]
    assert (opened.case.assigned_hotline, opened.case.deadlines is None) == ("nl-offlimits", False)
    assert {p.recipient for p in kept.postings} == {"nl-offlimits", "desk-orphans", "gb-iwf"}
    assert opened.wake("reassign").facts == ()


def test_several_hotlines_that_become_active_are_offered_it(story: "Story") -> None:
    """Where the rule of the country is to claim, the case is offered and not given."""
    full = story.claimable().directory
    without(story, *(share.member for share in full.country("DE").hotlines))
    story.report("gb-iwf", "DE")
    story.directory = replace(full, version=story.directory.version + 1)
    story.wake("reassign")
    assert (story.facts[-1].fact, story.facts[-1].reason_code) == ("offered", "member_joined")


def test_who_has_claimed_an_orphaned_case_keeps_it(opened: "Story") -> None:
    """A hotline of the country that comes later takes nothing away from the claimer."""
    full = opened.directory
    without(opened, "nl-offlimits")
    opened.wake("reassign")
    claimer = next(m.id for m in full.active_members("hotline") if "orphans" in m.mandates)
    opened.act(claimer, "claim")
    assert opened.case.assigned_hotline == claimer
    opened.directory = replace(full, version=opened.directory.version + 1)
    assert opened.wake("reassign").facts == ()


def test_an_origin_that_takes_over_is_told_so(story: "Story") -> None:
    """Without a submission there is no receipt, so even the origin itself gets an assignment."""
    story.report("gb-iwf", "DE")
    first = story.case.assigned_hotline
    other = next(s.member for s in story.directory.country("DE").hotlines if s.member != first)
    story.report(other, "DE")
    without(story, first, *(s.member for s in story.directory.country("DE").hotlines if s.member != other))
    story.wake("reassign")
    assert story.case.assigned_hotline == other
    assert [d.kind for d in story.deliveries(other)] == ["assignment"]


def test_a_wake_up_to_reassign_that_is_wrong_changes_nothing(opened: "Story") -> None:
    """An active hotline keeps its case, a closed case stays, and an older directory is not believed."""
    assert opened.wake("reassign").facts == ()
    directory = opened.directory
    without(opened, "nl-offlimits")
    opened.directory = replace(opened.directory, version=directory.version - 1)
    assert opened.wake("reassign").facts == ()
    opened.directory = directory
    opened.act("nl-offlimits", "removed")
    without(opened, "nl-offlimits")
    assert opened.wake("reassign").facts == ()


def test_a_wake_up_without_a_case_is_nothing(story: "Story") -> None:
    """A timer that outlived its case leaves no trace."""
    kept = story.wake()
    assert (kept.case, kept.facts, kept.postings) == (None, (), ())
