"""The course of a hold: warnings, expiry, the provider's clock, and what ends it or hands it on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from held_cases import DAY, HOUR, answer, held, told

from casework.due import due_times
from casework.evolution import fold
from casework.secrecy import name_for

if TYPE_CHECKING:
    from casework.directory import Directory
    from tests.casework.conftest import Story


def test_a_request_nobody_answers_lapses(opened: "Story") -> None:
    """At the time that a request asks for it is refused by rule, and asker and liaison are told."""
    opened.act("fr-police", "hold", hold_until=opened.now + HOUR)
    kept = opened.later(HOUR).wake("hold_asked")
    assert opened.facts[-1].fact == "hold_refused"
    assert opened.facts[-1].reason_code == "expired"
    assert told(kept) == {"nl-police": "hold_refused", "fr-police": "hold_refused"}


def test_warnings_come_three_days_and_one_day_before_the_end(opened: "Story") -> None:
    """Liaison, hotline and asker are warned 72 h and 24 h before; the end itself sends no notice."""
    opened.act("fr-police", "hold", hold_until=opened.now + 10 * DAY)
    opened.act("nl-police", "hold", fact_number=opened.case.number)
    until = opened.case.hold.until
    opened.later(30 * DAY).wake("hold")
    course = [f for f in opened.facts if f.fact in {"hold_warned", "hold_expired"}]
    assert [(f.fact, until - f.due_at) for f in course] == [
        ("hold_warned", 72 * HOUR),
        ("hold_warned", 24 * HOUR),
        ("hold_expired", 0),
    ]
    for member in ("nl-police", "nl-offlimits", "fr-police"):
        heard = [d.fact for d in opened.deliveries(member) if d.fact in {"hold_warned", "hold_expired"}]
        assert heard == ["hold_warned", "hold_warned", "hold_expired"]
    assert opened.deliveries("gb-iwf")[-1].fact in {"resumed", "overdue"}
    assert "provider_informed" not in opened.kinds()


def test_a_short_hold_is_not_warned_of_in_retrospect(opened: "Story") -> None:
    """Of a hold for two days only the warning of the last day comes, of one for an hour none."""
    held(opened, days=2)
    opened.later(3 * DAY).wake("hold")
    assert opened.kinds().count("hold_warned") == 1
    opened.act("nl-police", "hold", hold_until=opened.now + 2 * HOUR)
    opened.later(DAY).wake("hold")
    assert opened.kinds().count("hold_warned") == 1
    assert opened.case.hold is None


def test_only_the_providers_clock_stands_still(opened: "Story") -> None:
    """Nothing of the provider is due in a hold; its deadlines move by as long as the hold lasted."""
    before = {due.step: due.at for due in due_times(opened.case)}
    held(opened, days=5)
    assert {"inform_provider", "confirm_removal"}.isdisjoint(due.step for due in due_times(opened.case))
    assert {due.step: due.at for due in due_times(opened.case)}["inform_police"] == before["inform_police"]
    since = opened.now
    opened.later(2 * DAY).act("nl-police", "release")
    after = {due.step: due.at for due in due_times(opened.case)}
    lasted = opened.now - since
    assert opened.case.paused_ms == lasted
    assert after["inform_provider"] == before["inform_provider"] + lasted
    assert after["confirm_removal"] == before["confirm_removal"] + lasted
    assert fold(opened.facts) == opened.case


def test_a_hold_during_the_wait_for_content_pauses_the_leg_from_its_start(sealing_story: "Story") -> None:
    """What passed before the hotline could open anything is no pause of the clock that starts then."""
    story = sealing_story
    report = story.report_event("gb-iwf", readers=["gb-iwf"])
    story.happen(report)
    story.act("nl-police", "hold")
    story.later(HOUR).rewrap("gb-iwf", report.admitted.event_id, ["gb-iwf", "nl-offlimits"])
    assert story.case.state == "assigned"
    started = story.case.leg_started_at
    story.later(HOUR).act("nl-police", "release")
    assert story.case.paused_ms == story.now - started


def test_a_hold_comes_too_late_once_the_host_knows(opened: "Story") -> None:
    """Who asks after the host was told hears at once that there is nothing left to hold."""
    opened.act("fr-police", "hold")
    kept = opened.act("nl-offlimits", "provider_informed")
    assert told(kept)["fr-police"] == "hold_refused"
    for member in ("fr-police", "nl-police", "nl-offlimits"):
        assert answer(opened.act(member, "hold"))[:2] == ("not_applicable", "provider_informed")


def test_what_closes_a_case_ends_its_hold(opened: "Story") -> None:
    """After a final action no hold is left and police know; a new one has nothing to act on."""
    held(opened)
    opened.act("fr-police", "hold")
    kept = opened.act("nl-offlimits", "removed")
    assert [f.fact for f in kept.facts] == ["removed", "closed", "hold_ended", "hold_refused"]
    assert (opened.case.hold, opened.case.hold_requests) == (None, ())
    assert {f.reason_code for f in kept.facts[2:]} == {"closed"}
    assert answer(opened.act("nl-police", "hold"))[:2] == ("not_applicable", "case_closed")


def test_the_next_hotline_of_the_country_takes_the_hold_over(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """A hold goes on when its hotline leaves; the next one learns of it, the earlier one only of its end."""
    story = new_story(directory=network)
    story.report("gb-iwf", "DE")
    first = story.case.assigned_hotline
    story.act("de-police", "hold")
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == first else m for m in network.members
    )
    story.directory = msgspec.structs.replace(network, members=members, version=network.version + 1)
    kept = story.wake("reassign")
    second = story.case.assigned_hotline
    assert second not in {None, first}
    assert [f.fact for f in kept.facts] == ["assigned", "held"]
    assert (story.case.hold.by, story.case.hold.liaison) == ("de-police", "de-police")
    assert [d.fact for d in story.deliveries(second)] == ["assigned", "held"]
    story.act("de-police", "release")
    assert story.deliveries(first)[-1].fact == "resumed"


def test_a_move_ends_a_hold_and_the_next_country_s_liaison_alone_learns_that(opened: "Story") -> None:
    """Police there may set their own; its hotline hears of no hold, and nobody of reason or unit."""
    held(opened)
    kept = opened.act(
        "nl-offlimits", "moved", new_hosting_country="FR", hosting_method="geoip", observed_at=opened.now
    )
    kinds = [fact.fact for fact in kept.facts]
    assert kinds.index("hold_ended") < kinds.index("assigned")
    assert opened.case.hold is None
    assert opened.deliveries("nl-police")[-1].reason_code == "moved"
    assert {d.fact for d in opened.deliveries(opened.case.assigned_hotline)} == {"assigned"}
    [told] = opened.deliveries("fr-police")
    assert (told.fact, told.details.new_hosting_country, told.content) == ("hold_ended", "FR", None)
    assert opened.act("fr-police", "hold").case.hold.liaison == "fr-police"


def test_who_claims_a_held_case_learns_of_the_hold(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """An offer says nothing of a hold but that the case is paused; the assignment to the claimer does."""
    rules = tuple(
        msgspec.structs.replace(rule, routing="claim") if rule.code == "DE" else rule
        for rule in network.countries
    )
    story = new_story(directory=msgspec.structs.replace(network, countries=rules))
    story.report("gb-iwf", "DE")
    assert story.case.state == "offered"
    kept = story.act("de-police", "hold")
    assert set(told(kept).values()) == {"paused"}
    assert {"de-eco", "de-fsm", "de-jugendschutz"} <= set(told(kept))
    story.act("de-eco", "claim")
    assert [d.fact for d in story.deliveries("de-eco")][-2:] == ["assigned", "held"]
    assert story.deliveries("de-eco")[-1].until == story.case.hold.until
    story.act("de-eco", "transfer", to_member="de-fsm", reason_code="capacity")
    assert story.deliveries("de-fsm")[-1].fact == "held"
    assert story.deliveries("de-eco")[-1].fact != "held"


def test_who_joins_a_held_case_learns_that_nothing_happens_now(opened: "Story") -> None:
    """A later origin gets one `paused` with its first report, of the hold nothing, and one `resumed`."""
    held(opened, days=5)
    kept = opened.report("de-eco", "DE", observed_at=opened.now - DAY)
    assert told(kept) == {"nl-offlimits": "linked", "de-eco": "paused"}
    [paused] = opened.deliveries("de-eco")
    assert (paused.kind, paused.by, paused.hosting_country) == ("update", "exchange", "NL")
    assert paused.report_event_id == kept.facts[0].report_event_id
    said = (paused.statement, paused.content, paused.until, paused.reason_code, paused.reference)
    assert said == (None,) * 5
    assert name_for(opened.case, kept.facts[0], "de-eco") == "paused"
    assert told(opened.report("de-eco", "DE", observed_at=opened.now - DAY)) == {"nl-offlimits": "linked"}
    opened.act("nl-police", "release")
    assert [d.fact for d in opened.deliveries("de-eco")] == ["paused", "resumed"]


@pytest.mark.parametrize("state", ["not held", "knows", "was told"])
def test_who_needs_no_word_of_a_pause_gets_none(opened: "Story", state: str) -> None:
    """Without a hold there is no pause; the responsible and earlier hotlines have heard of it already."""
    joining = {"not held": "de-eco", "knows": "nl-offlimits", "was told": "fr-point-de-contact"}[state]
    if state == "was told":
        opened.act("nl-offlimits", "moved", new_hosting_country="FR", observed_at=opened.now)
        opened.act("fr-point-de-contact", "moved", new_hosting_country="NL", observed_at=opened.now)
    if state != "not held":
        held(opened)
    kept = opened.report(joining, "NL")
    assert kept.facts[0].fact == "linked"
    assert joining not in told(kept)


def test_where_a_held_case_waits_again_the_queue_sees_the_pause(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """A desk, and hotlines a held case is offered to later, learn that it is paused before it resumes."""
    story = new_story(directory=network).claimable()
    without(story, "de-eco")
    story.report("gb-iwf", "DE")
    story.act("de-police", "hold", hold_until=story.now + 30 * DAY)
    story.act("de-fsm", "claim")
    without(story, restored="de-eco")
    kept = story.later(DAY + HOUR).wake("claim")
    assert story.case.state == "offered"
    assert [fact.fact for fact in kept.facts if fact.fact in {"offered", "held"}] == ["offered", "held"]
    assert [d.fact for d in story.deliveries("de-eco")] == ["offered", "paused"]
    assert "paused" not in {d.fact for d in story.deliveries("de-fsm")[-2:]}, "it knew of the hold"
    without(story, "de-eco", "de-fsm", "de-jugendschutz")
    story.wake("reassign")
    assert [d.fact for d in story.deliveries("desk-orphans")] == ["orphaned", "paused"]
    story.act("de-police", "release")
    assert story.deliveries("desk-orphans")[-1].fact == "resumed"


def without(story: "Story", *members: str, restored: str | None = None) -> None:
    """Publish a directory in which members are suspended, and perhaps one is back."""
    status = dict.fromkeys(members, "suspended") | ({} if restored is None else {restored: "active"})
    changed = tuple(
        msgspec.structs.replace(m, status=status.get(m.id, m.status)) for m in story.directory.members
    )
    version = story.directory.version + 1
    story.directory = msgspec.structs.replace(story.directory, members=changed, version=version)
