"""What a client of the present system does wrong: polling, mapping, failing (1.6 of the domain research)."""

from collections import Counter

import pytest

from casework.directory import DAY_MS, HOUR_MS
from streams import wire
from tests.agents import everyday
from tests.agents.everyday import Desk

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]
desk = everyday.desk


async def test_local_time_stamped_as_utc_is_flagged_and_not_lost(desk: Desk) -> None:
    """A report from another time zone is flagged, not missed, and its clock is not in the future."""
    here = desk.at("time-zone")
    receipt = await here.report(occurred_at=desk.now + 2 * HOUR_MS)
    assert receipt.outcome == "accepted"
    assert (await here.told("nl-offlimits", "assigned")).occurred_at <= desk.now


async def test_an_address_in_work_is_linked_with_its_own_content_and_loses_no_action(desk: Desk) -> None:
    """A second report of a case in work is handed on with its own content; what was done stays done."""
    here = desk.at("in-work")
    await here.report(content={"referrer": "https://one.example.test/"})
    await here.act("nl-offlimits", "police_informed")
    receipt = await here.report("ie-hotline", content={"referrer": "https://two.example.test/"})
    assert receipt.state == "police_informed"
    linked = await here.told("nl-offlimits", "linked")
    assert linked.is_repeat
    assert b"https://two.example.test/" in (linked.content or b"")


async def test_a_second_move_counts_like_the_first(desk: Desk) -> None:
    """NL, then GB, then IE: each hotline gets the case once; all see the chain; the case's clock runs on."""
    here = desk.at("moved-twice")
    first = await here.report("bg-safenet")
    moved = {"hosting_method": "whois", "observed_at": desk.now}
    await here.act("nl-offlimits", "moved", new_hosting_country="GB", **moved)
    at_gb = await here.told("gb-iwf", "assigned", kind="assignment")
    await here.act("gb-iwf", "moved", new_hosting_country="IE", **moved)
    at_ie = await here.told("ie-hotline", "assigned", kind="assignment")
    assert (first.leg, at_gb.leg, at_ie.leg) == (1, 2, 3)
    assert at_ie.chain == ("NL", "GB", "IE")
    assert at_gb.received_at == at_ie.received_at
    assert (await here.told("bg-safenet", "assigned", hosting_country="IE")).chain == ("NL", "GB", "IE")
    assert (await here.told("nl-offlimits", "assigned", hosting_country="IE")).content is None


async def test_content_that_comes_back_to_a_country_is_a_new_leg(desk: Desk) -> None:
    """NL, GB, NL: the first hotline gets the case again, and its steps count anew."""
    here = desk.at("there-and-back")
    await here.report("bg-safenet")
    await here.act("nl-offlimits", "police_informed")
    moved = {"hosting_method": "whois", "observed_at": desk.now}
    await here.act("nl-offlimits", "moved", new_hosting_country="GB", **moved)
    await here.act("gb-iwf", "moved", new_hosting_country="NL", **moved)
    again = await here.told("nl-offlimits", "assigned", leg=3)
    assert again.kind == "assignment"
    assert (await here.act("nl-offlimits", "police_informed")).outcome == "accepted"


async def test_an_action_sent_at_once_waits_for_its_report(desk: Desk) -> None:
    """A client that acts in the same run as it reports is answered, in the right order."""
    here = desk.at("at-once")
    exchange = desk.exchange
    report = exchange.report(here.url, sender="nl-offlimits")
    report_id = wire.statement_of(report).event_id
    action = exchange.action(here.url, "nl-offlimits", "police_informed", report_event_id=report_id)
    event_id = await exchange.send(action)
    await exchange.send(report)
    assert (await here.receipt("nl-offlimits", event_id)).outcome == "accepted"


async def test_two_systems_that_act_on_one_case_are_told_apart(desk: Desk) -> None:
    """Done twice is not applicable; after the end it is out of order; nothing is swallowed without a word."""
    here = desk.at("two-systems")
    await here.report()
    assert (await here.act("nl-offlimits", "police_informed")).outcome == "accepted"
    assert (await here.act("nl-offlimits", "police_informed")).rule == "already_done"
    await here.act("nl-offlimits", "removed")
    assert (await here.act("nl-offlimits", "provider_informed")).breaches == ("out_of_order",)


async def test_a_host_that_others_see_elsewhere_is_told_and_then_followed(desk: Desk) -> None:
    """A newer report names another host: its hotline is asked; a day without answer, and the case goes on."""
    here = desk.at("disputed-host")
    await here.report()
    now = desk.now
    await here.report("bg-safenet", "IE", observed_at=now, hosting_observed_at=now)
    assert (await here.told("nl-offlimits", "host_disputed")).hosting_country == "IE"
    desk.later(25 * HOUR_MS)
    assert (await here.told("ie-hotline", "assigned")).kind == "assignment"


async def test_an_edge_server_is_found_out_and_the_origin_server_gets_the_case(desk: Desk) -> None:
    """A provisional host is confirmed elsewhere: a new leg begins, and no move is counted."""
    here = desk.at("edge-server")
    await here.report(hosting_status="provisional", hosting_is_cdn=True)
    await here.act("nl-offlimits", "hosting_confirmed", new_hosting_country="IE", hosting_method="cdn_lookup")
    assert (await here.told("ie-hotline", "assigned")).kind == "assignment"
    assert (await here.state()).moves == 0


async def test_what_is_seen_after_the_end_begins_again_whatever_the_end_was(desk: Desk) -> None:
    """Not illegal, then seen again: a new round; an older sighting is answered with the outcome."""
    here = desk.at("seen-again")
    await here.report()
    before = desk.now
    await here.act("nl-offlimits", "not_illegal", reason_code="age_unclear_or_not_assessable")
    old = await here.report("ie-hotline", observed_at=before - HOUR_MS)
    assert (old.state, old.outcome_of_case) == ("closed", "not_illegal")
    desk.later(HOUR_MS)
    new = await here.report("bg-safenet", observed_at=desk.now)
    assert (new.round, new.state) == (2, "assigned")


async def test_a_report_sent_again_after_a_lost_answer_opens_nothing(desk: Desk) -> None:
    """A client that got no answer posts again: a duplicate, of the same case, without any fact."""
    here = desk.at("posted-again")
    report = here.a_report("bg-safenet")
    event_id = await desk.exchange.send(report)
    first = await here.receipt("bg-safenet", event_id, "accepted")
    await desk.exchange.send(report)
    again = await here.receipt("bg-safenet", event_id, "duplicate")
    assert again.case_id == first.case_id
    assert [fact.fact for fact in await here.facts()] == ["opened", "assigned"]


async def test_a_file_number_written_back_is_the_acknowledgement(desk: Desk) -> None:
    """The receiving system writes its own reference into the case; the origin learns it."""
    here = desk.at("file-number")
    await here.report("bg-safenet")
    await here.act("nl-offlimits", "acknowledged", reference="NL-2026-0017")
    assert (await here.told("bg-safenet", "acknowledged")).reference == "NL-2026-0017"
    state = await here.state()
    assert (state.state, state.reference) == ("acknowledged", "NL-2026-0017")


async def test_a_further_report_overwrites_neither_reference_nor_assessment(desk: Desk) -> None:
    """Another hotline judges the same address otherwise: what those responsible wrote stays."""
    here = desk.at("overwritten")
    await here.report("bg-safenet", classification="unassessed")
    await here.act("nl-offlimits", "assessed", classification="national", law_country="NL", reference="NL-7")
    await here.report("ie-hotline", classification="not_illegal", law_country="IE", reference="IE-9")
    state = await here.state()
    assert (state.state, state.reference) == ("assessed", "NL-7")
    assert (state.classification, state.classified_by) == ("national", "nl-offlimits")


async def test_an_action_whose_report_never_comes_is_answered_after_an_hour(desk: Desk) -> None:
    """A client that lost its report does not wait for ever: the action is refused by name."""
    here = desk.at("never-came")
    lost = wire.statement_of(here.a_report("nl-offlimits")).event_id
    action = desk.exchange.action(here.url, "nl-offlimits", "police_informed", report_event_id=lost)
    event_id = await desk.exchange.send(action)
    await here.happened("awaited")
    desk.later(HOUR_MS + 60_000)
    receipt = await here.receipt("nl-offlimits", event_id)
    assert (receipt.outcome, receipt.rule) == ("refused", "unknown_case")


async def test_content_that_moves_after_the_notice_is_worked_on_anew_over_there(desk: Desk) -> None:
    """Provider told, content gone abroad: the next hotline tells its own provider, on its own leg's clock."""
    here = desk.at("moved-after-notice")
    await here.report("bg-safenet", "GB")
    assert (await here.act("gb-iwf", "provider_informed", recipient_role="host")).outcome == "accepted"
    desk.later(2 * DAY_MS)
    moved = {"hosting_method": "whois", "observed_at": desk.now}
    await here.act("gb-iwf", "moved", new_hosting_country="NL", **moved)
    there = await here.told("nl-offlimits", "assigned")
    state = await here.state()
    assert state.provider_informed_at is None
    assert state.leg_started_at == there.admitted_at > state.received_at + DAY_MS
    assert (await here.act("nl-offlimits", "police_informed")).outcome == "accepted"
    desk.later(2 * HOUR_MS)
    told = await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    assert (told.outcome, told.breaches) == ("accepted", ())


async def test_a_day_without_a_worker_loses_no_time_that_passed(desk: Desk) -> None:
    """What fell due while nothing ran is done once each, in the order it fell due, each at its own time."""
    here = desk.at("downtime")
    await here.report("bg-safenet", urgency=("possible_new_victim",))
    before = await here.state()
    await desk.exchange.stop()
    desk.later(25 * HOUR_MS)
    await desk.exchange.start()
    await here.told("nl-offlimits", "overdue", step="inform_police")
    fired = [fact for fact in await here.facts() if fact.number > before.number]
    assert [(fact.fact, fact.step) for fact in fired] == [
        ("escalated", None),
        ("escalation_unanswered", None),
        ("overdue", "acknowledge"),
        ("overdue", "inform_police"),
    ]
    hours = [(fact.occurred_at - before.leg_started_at) // HOUR_MS for fact in fired]
    assert hours == [4, 8, 24, 24]
    assert (await here.escalated("europol", attempt=2)).case_id == here.case_id
    seen = Counter((told.fact, told.step) for told in here.seen_by("nl-offlimits"))
    assert seen["overdue", "acknowledge"] == seen["overdue", "inform_police"] == 1


@pytest.mark.last
async def test_all_that_happened_is_rebuilt_from_the_facts_alone(desk: Desk) -> None:
    """Every record is decided once more, every state folded from its facts: nothing differs or lacks."""
    await everyday.all_is_decided_once_more(desk)
