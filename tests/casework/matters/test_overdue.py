import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.directory import Deadlines
from casework.due import due_times
from casework.matters.overdue import next_digest

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
HOUR = 3_600_000
DAY = 24 * HOUR
STEPS = ["acknowledge", "inform_police", "inform_provider", "confirm_removal"]


def with_members(story: "Story", **changes: dict[str, object]) -> None:
    """Change members of the directory; underscores stand for the hyphens of their ids."""
    by_id = {name.replace("_", "-"): fields for name, fields in changes.items()}
    members = tuple(replace(m, **by_id.get(m.id, {})) for m in story.directory.members)
    story.directory = replace(story.directory, version=story.directory.version + 1, members=members)


def told(story: "Story", *kinds: str) -> list[tuple[str, str | None, str | None]]:
    """Answer kind, step and recipient of the facts of some kinds, in their order."""
    return [(fact.fact, fact.step, fact.recipient) for fact in story.facts if fact.fact in kinds]


def test_the_secretariat_learns_of_what_is_still_unanswered_once(opened: "Story") -> None:
    """A day after each deadline the secretariat is told of the step, unless it was taken meanwhile."""
    opened.later(DAY).wake()
    opened.act("nl-offlimits", "police_informed")
    opened.later(DAY).wake()
    opened.later(DAY).wake()
    assert told(opened, "reminded") == [], "an acknowledgement is implied by a later step"
    opened.later(DAY).wake()
    opened.later(2 * DAY).wake()
    assert told(opened, "reminded") == [("reminded", "inform_provider", "inhope")]
    update = opened.deliveries("inhope")[-1]
    assert (update.kind, update.fact, update.step, update.content) == (
        "update", "reminded", "inform_provider", None,
    )  # fmt: skip


def test_a_network_without_secretariat_goes_on(opened: "Story") -> None:
    """Where no secretariat is active the stage is noted and nobody is told, once."""
    with_members(opened, inhope={"status": "suspended"})
    opened.later(20 * DAY).wake()
    assert told(opened, "reminded") == [("reminded", step, None) for step in STEPS]
    assert due_times(opened.case) == ()


def test_a_provider_that_does_not_remove_goes_to_the_authority_at_once(opened: "Story") -> None:
    """The country's authority is told with the first stage, of the case and without the address."""
    opened.act("nl-offlimits", "provider_informed")
    opened.later(7 * DAY).wake()
    removal = opened.case.leg_started_at + 7 * DAY
    (fact,) = (fact for fact in opened.facts if fact.fact == "provider_overdue")
    assert (fact.recipient, fact.due_at, fact.rule) == ("nl-atkm", removal, "authority")
    (delivery,) = opened.deliveries("nl-atkm")
    assert (delivery.kind, delivery.fact, delivery.due_at, delivery.content) == (
        "update", "provider_overdue", removal, None,
    )  # fmt: skip
    opened.act("nl-atkm", "observed", is_online=True)
    assert opened.receipts()[-1].outcome == "accepted", "who was told of a case may speak about it"


def test_without_authority_all_of_a_day_go_to_police_together(story: "Story") -> None:
    """The digest goes out at the hour that the directory names, into the feed of the country's police."""
    story.report("gb-iwf", "DE")
    story.act(str(story.case.assigned_hotline), "provider_informed")
    removal = story.case.leg_started_at + 7 * DAY
    story.now = removal
    story.wake()
    assert told(story, "provider_overdue") == []
    digest = next_digest(removal, 6)
    assert digest in {due.at for due in due_times(story.case)}
    story.now = digest - story.minute
    story.wake()
    (posting,) = (one for one in story.postings if one.inbox == "feed")
    body = posting.body
    assert (posting.recipient, body.kind, body.number) == ("feed.de-police", "digest_item", 1)
    assert (body.due_at, body.step) == (removal, "confirm_removal")
    assert posting.content_of == story.case.origins[0].last_event_id
    story.later(2 * DAY).wake()
    assert told(story, "provider_overdue") == [("provider_overdue", "confirm_removal", "de-police")]


@pytest.mark.parametrize("ends", ["removed", "no provider was told"])
def test_who_removed_or_was_never_told_is_in_no_digest(story: "Story", ends: str) -> None:
    """A provider that removed before the digest went out, or was not told by then, is not named in it."""
    story.report("gb-iwf", "DE")
    hotline = str(story.case.assigned_hotline)
    if ends == "removed":
        story.act(hotline, "provider_informed")
    story.now = story.case.leg_started_at + 7 * DAY
    story.wake()
    if ends == "removed":
        story.act(hotline, "removed")
    story.later(9 * DAY).wake()
    assert told(story, "provider_overdue") == []


def test_a_hold_stops_the_later_stages_of_what_it_pauses(opened: "Story") -> None:
    """While police ask to wait nobody is reminded of the provider; afterwards what is missing is told."""
    opened.act("nl-offlimits", "police_informed")
    opened.later(3 * DAY).wake()
    assert told(opened, "overdue") == [("overdue", "inform_provider", None)]
    opened.act("nl-police", "hold", hold_until=opened.now + 20 * DAY)
    opened.later(10 * DAY).wake()
    assert told(opened, "reminded") == []
    opened.act("nl-police", "release")
    opened.wake()
    assert told(opened, "reminded") == [("reminded", "inform_provider", "inhope")]


@given(st.integers(0, 10**13), st.integers(0, 23))
def test_the_digest_is_within_the_next_day_at_its_hour(at: int, hour: int) -> None:
    """The next digest is later than its cause, by a day at most, and at the hour of the directory."""
    found = next_digest(at, hour)
    assert at < found <= at + DAY
    assert found % DAY == hour * HOUR


@settings(max_examples=40)
@given(
    acts=st.lists(
        st.sampled_from(["acknowledged", "police_informed", "provider_informed", "removed"]), max_size=3
    ),
    pauses=st.lists(st.integers(0, 12 * DAY), max_size=6),
)
def test_what_fell_due_in_a_downtime_fires_once_each_and_in_due_order(
    new_story: "Callable[[], Story]", acts: list[str], pauses: list[int]
) -> None:
    """However long nobody wakes a case, each stage is told once, at its due time, and none is left out."""
    woken, slept = new_story(), new_story()
    for story in (woken, slept):
        story.report("gb-iwf", "DE")
        for action in acts:
            story.act(str(story.case.assigned_hotline), action)
    end = woken.now + 30 * DAY
    for pause in itertools.chain(pauses, (HOUR,) * 20):
        woken.later(pause).wake()
    for story in (woken, slept):
        story.now = max(end, story.now)
        story.wake()
    stages = [
        [(fact.fact, fact.step, fact.due_at, fact.admitted_at) for fact in story.facts if fact.due_at]
        for story in (woken, slept)
    ]
    assert stages[0] == stages[1]
    assert len(stages[0]) == len({stage[:2] for stage in stages[0]})
    times = [stage[3] for stage in stages[0]]
    assert times == sorted(times)
    assert not [due for due in due_times(slept.case) if due.at <= slept.now]


def test_a_hotline_s_own_deadlines_stand_over_its_country_s(story: "Story") -> None:
    """Member over country over network, step by step."""
    with_members(story, nl_offlimits={"deadlines": Deadlines(acknowledge_ms=HOUR)})
    rules = tuple(
        replace(rule, deadlines=Deadlines(acknowledge_ms=2 * HOUR, inform_police_ms=3 * HOUR))
        if rule.code == "NL"
        else rule
        for rule in story.directory.countries
    )
    story.directory = replace(story.directory, countries=rules)
    story.report()
    limits = story.case.deadlines
    assert (limits.acknowledge_ms, limits.inform_police_ms, limits.inform_provider_ms) == (
        HOUR, 3 * HOUR, 3 * DAY,
    )  # fmt: skip


def test_changed_deadlines_hold_for_legs_that_begin_later(opened: "Story", story: "Story") -> None:
    """A leg keeps the limits it began with; one that begins under the new directory has the new ones."""
    for each in (opened, story):
        with_members(each, nl_offlimits={"deadlines": Deadlines(acknowledge_ms=HOUR)})
    story.report()
    opened.later(2 * HOUR).wake()
    story.later(2 * HOUR).wake()
    assert told(opened, "overdue") == []
    assert told(story, "overdue") == [("overdue", "acknowledge", None)]
