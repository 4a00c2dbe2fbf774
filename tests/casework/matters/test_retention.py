from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.due import due_times
from casework.evolution import fold
from casework.ids import new_event_id
from casework.messages import Case, Hold
from casework.preservations import is_protected, with_preservation, without_members
from casework.stubs import may_shrink
from operations.directory.document import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.casework.conftest import Story

LIMITS = build(environment="test", published_at=0, candidates="admit").casework
DAY = 86_400_000
POLICE, HOTLINE, SECRETARIAT = "nl-police", "nl-offlimits", "inhope"
PROTECTIONS = {
    "a preservation": {"preserve_until": 200 * DAY},
    "a police reference": {"has_police_reference": True},
}
"""What police say, with times from now on."""


def said(story: "Story", fields: dict[str, int]) -> dict[str, int]:
    """Answer the fields of an action with `preserve_until` at the story's time."""
    return {name: story.now + value if name == "preserve_until" else value for name, value in fields.items()}


@pytest.fixture
def closed(opened: "Story") -> "Story":
    """Return a story whose case was closed by a removal."""
    opened.act(HOTLINE, "removed")
    return opened


def due(story: "Story", step: str = "erase") -> list[int]:
    """Answer when a step of the case is due."""
    assert story.case is not None
    return [one.at for one in due_times(story.case) if one.step == step]


def test_a_preservation_that_has_passed_keeps_no_case_from_becoming_a_stub(closed: "Story") -> None:
    """It ends without a fact; once the contents are erased nothing is left of it."""
    closed.act(POLICE, "preserve", preserve_until=closed.now + 200 * DAY)
    closed.later(201 * DAY).wake("erase")
    closed.later(LIMITS.confirm_ms + DAY).wake("confirm")
    assert [fact.fact for fact in closed.facts[-2:]] == ["erased", "unconfirmed"]
    assert may_shrink(closed.case)


def test_contents_are_erased_a_time_after_the_closing(closed: "Story") -> None:
    """The time is fixed at the closing; once it has passed one fact erases all that is stored."""
    assert closed.case is not None
    assert closed.case.erase_at == closed.facts[-1].admitted_at + LIMITS.erase_ms
    assert due(closed) == [closed.case.erase_at]
    assert not closed.later(LIMITS.erase_ms - 2 * closed.minute).wake("erase").erases_contents
    kept = closed.later(2 * closed.minute).wake("erase")
    assert [fact.fact for fact in kept.facts] == ["erased"]
    assert kept.erases_contents
    assert kept.facts[0].due_at == kept.facts[0].admitted_at + LIMITS.confirm_ms
    assert closed.case.erase_at is None
    assert due(closed) == []
    assert closed.case == fold(closed.facts)


def test_whoever_was_handed_content_is_asked_to_erase_it(story: "Story") -> None:
    """Hotlines of all legs and police with an escalation get a request; origins keep what is theirs."""
    story.report("gb-iwf", "NL", urgency=("possible_new_victim",))
    story.report("de-eco", "NL")
    story.act(HOTLINE, "removed")
    story.later(LIMITS.erase_ms).wake("erase")
    asked = [delivery for delivery in story.deliveries() if delivery.kind == "erasure_request"]
    assert {delivery.recipient for delivery in asked} == {HOTLINE, POLICE}
    assert all(delivery.needs_confirmation and delivery.content is None for delivery in asked)
    assert all(delivery.report_event_id is None and delivery.statement is None for delivery in asked)
    assert story.case is not None
    assert story.case.asked[0].members == story.facts[-1].members
    story.act(POLICE, "confirmed", fact_number=asked[0].fact_number)
    assert story.case.asked[0].members == (HOTLINE,)


def test_who_reads_the_orphan_desk_is_asked_there(story: "Story") -> None:
    """The desk was handed the content too: the request lies there, and waits for nobody by name."""
    story.report("gb-iwf", "HK")
    story.act("ie-hotline", "claim")
    story.act("ie-hotline", "removed")
    story.later(100 * 24 * story.hour).wake()
    [asked] = [one for one in story.deliveries("desk-orphans") if one.fact == "erased"]
    assert (asked.kind, asked.needs_confirmation, asked.content) == ("erasure_request", False, None)


def test_an_erasure_that_nobody_confirms_is_told_to_the_secretariat(closed: "Story") -> None:
    """After the time to confirm the secretariat is told once; then the case may become a stub."""
    closed.later(LIMITS.erase_ms).wake("erase")
    assert closed.case is not None
    assert not may_shrink(closed.case)
    closed.later(LIMITS.confirm_ms).wake("confirm")
    assert closed.kinds()[-1] == "unconfirmed"
    assert closed.deliveries(SECRETARIAT)[-1].fact == "unconfirmed"
    assert due_times(closed.case) == ()
    assert may_shrink(closed.case)


@pytest.mark.parametrize("why", PROTECTIONS)
def test_nothing_is_erased_as_long_as_police_keep_it(closed: "Story", why: str) -> None:
    """Neither the timer nor the secretariat erases, and the case becomes no stub, until police end it."""
    closed.act(POLICE, "preserve", **said(closed, PROTECTIONS[why]))
    assert closed.kinds()[-1] == "preserved"
    assert closed.case is not None
    assert due(closed) == ([closed.case.preserve_until] if "until" in str(PROTECTIONS[why]) else [])
    assert closed.later(LIMITS.erase_ms).wake("erase").facts == ()
    closed.act(SECRETARIAT, "erase", reason_code="data_protection")
    assert (closed.receipts()[-1].outcome, closed.receipts()[-1].rule) == ("refused", "preserved")
    assert not may_shrink(closed.case)
    closed.act(POLICE, "preserve", preserve_until=closed.now)
    assert closed.kinds()[-1] == "preservation_ended"
    assert closed.wake("erase").erases_contents
    assert closed.case == fold(closed.facts)


def test_a_preservation_that_runs_out_ends_by_itself(closed: "Story") -> None:
    """Contents kept past their time are erased when the last preservation ends, without a word of anybody."""
    until = closed.now + 200 * DAY
    closed.act(POLICE, "preserve", preserve_until=until)
    assert due(closed) == [until]
    assert closed.later(200 * DAY).wake("erase").erases_contents


def test_each_member_ends_only_what_it_asked_for_itself(story: "Story") -> None:
    """One liaison's preservation outlives that of another, whoever ends its own first."""
    story.report("gb-iwf", "NL", urgency=("possible_new_victim",))
    assert story.case is not None
    story.case = msgspec.structs.replace(story.case, liaisons=("nl", "interpol"))
    near, far = story.now + 10 * DAY, story.now + 20 * DAY
    story.act(POLICE, "preserve", preserve_until=far)
    story.act("interpol", "preserve", preserve_until=near, has_police_reference=True)
    assert story.case.preserve_until == far
    story.act(POLICE, "preserve", preserve_until=story.now)
    assert (story.case.preserve_until, story.case.references) == (near, ("interpol",))
    story.act(POLICE, "preserve", preserve_until=story.now)
    assert (story.receipts()[-1].outcome, story.receipts()[-1].rule) == ("not_applicable", "nothing_to_end")


def test_what_a_member_that_left_kept_can_be_ended_by_other_police(opened: "Story") -> None:
    """A reference of a member that is not active any more does not keep contents for ever."""
    assert opened.case is not None
    opened.case = msgspec.structs.replace(opened.case, references=("xx-police",))
    opened.act(POLICE, "preserve", preserve_until=opened.now)
    assert opened.facts[-1].members == ("xx-police",)
    assert opened.case.references == ()


def test_police_can_end_what_they_asked_for_when_the_host_has_moved_away(opened: "Story") -> None:
    """Who keeps a case stays its party for that, or nobody could ever have it erased."""
    opened.act(POLICE, "preserve", has_police_reference=True)
    assert opened.case is not None
    opened.case = msgspec.structs.replace(opened.case, hosting_country="BE")
    opened.act(POLICE, "preserve", preserve_until=opened.now)
    assert opened.kinds()[-1] == "preservation_ended"
    assert opened.case.references == ()


def test_police_are_told_what_is_wrong_with_a_preservation(opened: "Story", closed: "Story") -> None:
    """Too long, without a time, or of contents that are gone: the answer names field and rule."""
    opened.act(POLICE, "preserve", preserve_until=opened.now + LIMITS.preserve_ms + DAY)
    receipt = opened.receipts()[-1]
    assert (receipt.outcome, receipt.rule, receipt.field) == (
        "refused",
        "preserve_too_long",
        "preserve_until",
    )
    opened.act(POLICE, "preserve")
    assert (opened.receipts()[-1].rule, opened.receipts()[-1].field) == ("required", "preserve_until")
    closed.later(LIMITS.erase_ms).wake("erase")
    closed.act(POLICE, "preserve", preserve_until=closed.now + DAY)
    assert (closed.receipts()[-1].outcome, closed.receipts()[-1].rule) == ("not_applicable", "already_done")


def test_a_preservation_is_told_to_those_who_hold_the_case(opened: "Story") -> None:
    """Responsible hotline and origins learn until when to keep everything; why is for the hotline."""
    until = opened.now + DAY
    opened.act(POLICE, "preserve", preserve_until=until)
    told = [delivery for delivery in opened.deliveries() if delivery.fact == "preserved"]
    assert [delivery.recipient for delivery in told] == [HOTLINE, "gb-iwf"]
    assert all(delivery.until == until for delivery in told)
    assert [delivery.content for delivery in told] == [b"note", None]


def test_the_secretariat_may_erase_an_open_case_which_goes_on_without(opened: "Story") -> None:
    """State and clocks stay; the responsible hotline is asked to erase, and origins are told."""
    assert opened.case is not None
    before = opened.case
    kept = opened.act(SECRETARIAT, "erase", reason_code="data_protection")
    assert kept.erases_contents
    assert (opened.case.state, opened.case.deadlines) == (before.state, before.deadlines)
    assert opened.deliveries(HOTLINE)[-1].kind == "erasure_request"
    assert (opened.deliveries("gb-iwf")[-1].kind, opened.deliveries("gb-iwf")[-1].fact) == (
        "update",
        "erased",
    )
    assert opened.facts[-1].reason_code == "data_protection"
    opened.act(HOTLINE, "removed")
    assert due(opened) == [opened.facts[-1].admitted_at + LIMITS.erase_ms]


def test_an_erasure_needs_a_reason_and_the_secretariat(opened: "Story") -> None:
    """Nobody erases without saying why, no hotline erases, and none keeps a case for police."""
    opened.act(SECRETARIAT, "erase")
    assert opened.receipts()[-1].rule == "reason_required"
    assert not opened.act(HOTLINE, "erase", reason_code="data_protection").erases_contents
    assert opened.receipts()[-1].rule == "may_not_act"
    opened.act(HOTLINE, "preserve", preserve_until=opened.now + DAY)
    assert opened.receipts()[-1].rule == "may_not_act"


def test_what_is_erased_is_not_erased_again(closed: "Story") -> None:
    """A second erasure of a closed case asks nobody once more."""
    closed.later(LIMITS.erase_ms).wake("erase")
    closed.act(SECRETARIAT, "erase", reason_code="agreement")
    assert (closed.receipts()[-1].outcome, closed.receipts()[-1].rule) == ("not_applicable", "already_done")


def test_nobody_is_asked_to_re_wrap_what_was_erased(sealing_story: "Story") -> None:
    """A case that waited for a re-wrap goes on, and its next leg asks for none."""
    sealing_story.report("gb-iwf", "NL", readers=["gb-iwf"])
    assert sealing_story.case is not None
    assert sealing_story.case.state == "awaiting_rewrap"
    sealing_story.act(SECRETARIAT, "erase", reason_code="data_protection")
    assert (sealing_story.case.state, sealing_story.case.rewrap_due_at) == ("assigned", None)
    assert sealing_story.case.leg_started_at == sealing_story.facts[-1].admitted_at
    assert due(sealing_story, "rewrap") == []
    assert sealing_story.case == fold(sealing_story.facts)


def test_a_late_report_that_comes_as_contents_are_due_keeps_its_own(closed: "Story") -> None:
    """Its content is stored after the erasure and handed on; the earlier ones are gone by then."""
    kept = closed.later(LIMITS.erase_ms).report("de-eco", "NL")
    assert [fact.fact for fact in kept.facts] == ["erased", "linked"]
    assert kept.erases_contents
    assert [content.sender for content in kept.contents] == ["de-eco"]
    assert closed.case is not None
    assert closed.case.erase_at == kept.facts[-1].admitted_at + LIMITS.erase_ms
    assert closed.case == fold(closed.facts)


def test_a_new_round_is_handed_nothing_that_was_erased_before_it(story: "Story") -> None:
    """The report that reopens brings its own content; that of another origin is not looked for any more."""
    story.report("gb-iwf", "NL")
    story.report("de-eco", "NL")
    story.act(HOTLINE, "removed")
    kept = story.later(LIMITS.erase_ms).report("de-eco", "NL", observed_at=story.now)
    assert [fact.fact for fact in kept.facts][:2] == ["erased", "reopened"]
    handed = {posting.content_of for posting in kept.postings}
    assert handed <= {None, *(content.report_event_id for content in kept.contents)}


def test_a_hold_keeps_contents(closed: "Story") -> None:
    """While a hold is in force nothing is due and the secretariat is refused."""
    assert closed.case is not None
    hold = Hold(until=closed.now + DAY, since=closed.now, by=POLICE, liaison=POLICE, warned=0, fact_number=1)
    closed.case = msgspec.structs.replace(closed.case, hold=hold)
    assert due(closed) == []
    assert is_protected(closed.case, closed.now)


ASKED = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.one_of(st.none(), st.integers(1, 1000))), max_size=12
)


@given(ASKED, st.integers(0, 1000))
def test_a_case_is_kept_until_the_latest_time_that_anybody_still_asks_for(
    asked: list[tuple[str, int | None]], now: int
) -> None:
    """In whatever order they ask and end, a case is kept by the newest word of each member, and no longer."""
    case, newest = bare(), dict[str, int]()
    for member, until in asked:
        if until is None:
            case = msgspec.structs.replace(case, **without_members(case, (member,), 0))
            newest.pop(member, None)
        else:
            case = msgspec.structs.replace(case, **with_preservation(case, member, until, 0))
            newest[member] = until
    assert {one.by: one.until for one in case.preservations} == newest
    assert case.preserve_until == max(newest.values(), default=None)
    assert is_protected(case, now) == any(until > now for until in newest.values())


def bare() -> Case:
    """Answer a case in which nothing has happened."""
    return Case(
        url_key=b"\x01" + bytes(32), case_id=new_event_id(1, bytes(10)), source_offset=1, environment="test",
        number=1, state="closed", round=1, leg=1, hosting_country="NL", received_at=1, opened_at=1,
        leg_started_at=1, last_now=1, directory_version=1, rules_version=1,
    )  # fmt: skip


def test_a_row_of_retention_counts_from_every_state(new_story: "Callable[[], Story]") -> None:
    """Police and secretariat may act on an orphaned case as on one with a hotline."""
    for country in ("NL", "ZZ"):
        story = new_story()
        story.report("gb-iwf", country)
        assert story.case is not None
        story.case = msgspec.structs.replace(story.case, liaisons=("nl",))
        story.act(POLICE, "preserve", preserve_until=story.now + DAY)
        story.act(POLICE, "preserve", preserve_until=story.now)
        story.act(SECRETARIAT, "erase", reason_code="agreement")
        assert story.kinds()[-3:] == ["preserved", "preservation_ended", "erased"]


def test_an_erasure_that_lets_a_leg_begin_lets_all_its_clocks_begin(sealing_story: "Story") -> None:
    """A hold that ended before shifts no deadline of a leg whose clock starts with the erasure."""
    sealing_story.report(readers=["gb-iwf"])
    sealing_story.act(POLICE, "hold", hold_until=sealing_story.now + 3 * DAY)
    sealing_story.later(2 * DAY).act(POLICE, "release")
    sealing_story.act(SECRETARIAT, "erase", reason_code="data_protection")
    case = sealing_story.case
    assert case.state == "assigned"
    assert due(sealing_story, "inform_provider") == [case.leg_started_at + case.deadlines.inform_provider_ms]
