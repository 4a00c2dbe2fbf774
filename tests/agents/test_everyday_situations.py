"""What everyday work between hotlines, police and providers asks of the exchange, over the real Kafka.

The situations are those of the domain research: how a client of the present system polls, maps and fails
(1.6), countries without a hotline (1.8), and what law and practice expect (6). One exchange plays them all,
each at an address of its own, so time leaps for all of them and never back; at the end everything that came
of them is decided once more.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from agents import casekeeper, intake
from casework.directory import DAY_MS, HOUR_MS
from casework.messages import ActionContent
from operations.embedded_kafka import EmbeddedKafka
from operations.reading import TopicReader
from operations.verification.run import Scope, Verification, verify
from streams import wire
from tests.agents.conftest import Exchange, settings_on
from tests.agents.everyday import Desk, Mail, everyday_directory

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One exchange for all situations, with everybody's mail."""
    home = tmp_path_factory.mktemp("everyday")
    exchange = Exchange(settings_on(kafka, "everyday.", home), kafka.local_access)
    exchange.directory = everyday_directory()
    async with exchange:
        await exchange.start()
        mail = Mail(exchange.topics.cases_contents)
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=2000,
            **exchange.client,
        )
        consumer.subscribe(pattern=r"^everyday\.(inbox|escalations|feed|cases)\..*")
        await consumer.start()
        collecting = asyncio.create_task(mail.collect(consumer))
        yield Desk(exchange, mail)
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)
        await consumer.stop()


# 1.6: what polling clients get wrong -------------------------------------------------------------------


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


# 1.8: countries without a hotline, several hotlines in one ----------------------------------------------


async def test_an_orphan_is_claimed_with_a_lease_and_comes_back_unless_somebody_acts(desk: Desk) -> None:
    """A mandated hotline claims, the second is too late; without a step the case returns to the desk."""
    here = desk.at("orphan")
    receipt = await here.report("bg-safenet", "HK")
    assert receipt.state == "orphaned"
    assert (await here.act("ie-hotline", "claim")).outcome == "accepted"
    assert (await here.told("ie-hotline", "assigned")).content is not None
    assert (await here.act("gb-iwf", "claim")).rule == "claimed_already"
    desk.later(25 * HOUR_MS)
    await here.told("bg-safenet", "orphaned")
    assert (await here.act("gb-iwf", "claim")).outcome == "accepted"
    assert (await here.act("gb-iwf", "police_informed")).outcome == "accepted"
    assert (await here.state()).lease is None


async def test_an_orphan_nobody_claims_goes_to_police(desk: Desk) -> None:
    """After the limit the police of the country get it, or INTERPOL where there are none."""
    here = desk.at("unclaimed")
    await here.report("bg-safenet", "HK")
    desk.later(25 * HOUR_MS)
    assert (await here.escalated("interpol", reason_code="unclaimed")).case_id == here.case_id


async def test_hotlines_of_one_country_are_offered_a_case_and_the_first_claim_wins(desk: Desk) -> None:
    """All three are offered it without content; who claims gets the content and may pass it on."""
    here = desk.at("offered")
    receipt = await here.report("bg-safenet", "DE")
    assert receipt.state == "offered"
    for hotline in ("de-eco", "de-fsm", "de-jugendschutz"):
        assert (await here.told(hotline, "offered")).content is None
    assert (await here.act("de-fsm", "claim")).outcome == "accepted"
    assert (await here.told("de-fsm", "assigned")).content is not None
    passed = await here.act("de-fsm", "transfer", to_member="de-eco", reason_code="not_in_remit")
    assert passed.assigned_hotline == "de-eco"


async def test_who_may_not_view_declines_and_somebody_else_takes_over(desk: Desk) -> None:
    """The law forbids viewing: with no other hotline in the country the case goes to the orphan desk."""
    here = desk.at("declined")
    await here.report("bg-safenet")
    declined = await here.act("nl-offlimits", "decline", reason_code="legally_unable_to_view")
    assert declined.state == "orphaned"
    assert (await here.told("bg-safenet", "orphaned")).assigned_hotline is None


async def test_onion_services_go_to_international_police_and_carry_no_clock(desk: Desk) -> None:
    """Tor cannot be attributed to a country: INTERPOL and Europol are told, no takedown deadline runs."""
    here = desk.at("onion")
    await here.report("bg-safenet", "XT")
    await here.escalated("interpol", reason_code="tor")
    await here.escalated("europol", reason_code="tor")
    assert (await here.state()).deadlines is None


async def test_without_a_hotline_the_police_of_the_country_are_told_else_interpol(desk: Desk) -> None:
    """US police get what no hotline has; of Hong Kong nobody is listed, so INTERPOL relays it."""
    known = desk.at("no-hotline")
    await known.report("bg-safenet", "US")
    assert (await known.escalated("us", reason_code="no_hotline")).hosting_country == "US"
    unknown = desk.at("no-hotline-no-police")
    await unknown.report("bg-safenet", "HK")
    assert (await unknown.escalated("interpol", reason_code="no_hotline")).hosting_country == "HK"


async def test_only_hotlines_with_a_mandate_take_orphans_and_may_hand_them_back(desk: Desk) -> None:
    """A hotline without the mandate is refused and learns nothing; who took one gives it back at once."""
    here = desk.at("mandate")
    await here.report("gb-iwf", "HK")
    refused = await here.act("bg-safenet", "claim")
    assert (refused.outcome, refused.rule) == ("refused", "not_a_party")
    assert here.seen_by("bg-safenet") == []
    await here.act("nl-offlimits", "claim")
    handed = await here.act("nl-offlimits", "hand_back")
    assert (handed.outcome, handed.state) == ("accepted", "orphaned")


async def test_an_orphan_gets_its_hotline_when_a_later_report_finds_the_host(desk: Desk) -> None:
    """Nobody knew where it is hosted; a second hotline does: the case leaves the desk with both contents."""
    here = desk.at("found-host")
    await here.report("bg-safenet", "HK", content={"referrer": "https://first.example.test/"})
    found = await here.report("ie-hotline", "NL", content={"referrer": "https://second.example.test/"})
    assert (found.state, found.assigned_hotline) == ("assigned", "nl-offlimits")
    contents = [
        (await here.told("nl-offlimits", "assigned", origin=origin)).content or b""
        for origin in ("ie-hotline", "bg-safenet")
    ]
    assert b"https://second.example.test/" in contents[0]
    assert b"https://first.example.test/" in contents[1]


async def test_a_host_that_cannot_be_found_waits_at_the_desk_without_a_clock(desk: Desk) -> None:
    """Unknown host: international police are told, a hotline may claim it, and no takedown deadline runs."""
    here = desk.at("unknown-host")
    assert (await here.report("bg-safenet", "ZZ")).state == "orphaned"
    await here.escalated("interpol", reason_code="unknown_host")
    await here.escalated("europol", reason_code="unknown_host")
    assert (await here.act("ie-hotline", "claim")).outcome == "accepted"
    assert (await here.state()).deadlines is None


async def test_police_may_hold_what_no_hotline_has(desk: Desk) -> None:
    """Where a country has neither hotline nor police INTERPOL holds the case, before anybody claims it."""
    here = desk.at("held-orphan")
    await here.report("bg-safenet", "HK")
    assert (await here.act("interpol", "hold", hold_until=desk.now + DAY_MS)).outcome == "accepted"
    await here.act("gb-iwf", "claim")
    told = await here.act("gb-iwf", "provider_informed", recipient_role="host")
    assert told.breaches == ("despite_hold",)


async def test_what_no_hotline_of_the_country_claims_goes_to_one_by_weight(desk: Desk) -> None:
    """After a day the offer ends: one of the three has the case for good, and the others know it."""
    here = desk.at("offered-and-left")
    await here.report("bg-safenet", "DE")
    await here.told("de-eco", "offered")
    desk.later(25 * HOUR_MS)
    given = await here.told("bg-safenet", "assigned")
    pool = {"de-eco", "de-fsm", "de-jugendschutz"}
    assert given.assigned_hotline in pool
    for hotline in sorted(pool - {given.assigned_hotline}):
        assert (await here.told(hotline, "assigned")).content is None
    state = await here.state()
    assert (state.state, state.lease, state.unclaimed_due_at) == ("assigned", None, None)


async def test_what_a_hotline_finds_in_its_own_country_it_keeps(desk: Desk) -> None:
    """Own find where three might claim: acknowledged at once with its own reference, offered to nobody."""
    here = desk.at("own-find")
    receipt = await here.report("de-eco", "DE", reference="DE-3")
    assert (receipt.state, receipt.assigned_hotline) == ("acknowledged", "de-eco")
    assert [fact.fact for fact in await here.facts()] == ["opened", "assigned", "acknowledged"]
    assert (await here.state()).reference == "DE-3"


async def test_a_wrong_country_is_given_back_with_the_right_one(desk: Desk) -> None:
    """The receiving side knows better where it is hosted: the case is placed there and counts as no move."""
    here = desk.at("wrong-country")
    await here.report("bg-safenet")
    declined = {"reason_code": "wrong_country", "new_hosting_country": "IE", "hosting_method": "whois"}
    assert (await here.act("nl-offlimits", "decline", **declined)).assigned_hotline == "ie-hotline"
    assert (await here.told("ie-hotline", "assigned")).content is not None
    assert (await here.state()).moves == 0


async def test_a_suspended_hotline_hands_on_what_it_had(desk: Desk) -> None:
    """The other hotline of its country gets the case with its content, and the origin knows."""
    here = desk.at("suspended")
    suspended = (await here.report("bg-safenet", "IT")).assigned_hotline
    (other,) = {"it-save-the-children", "it-telefono-azzurro"} - {suspended}
    before = desk.exchange.directory
    members = tuple(
        msgspec.structs.replace(member, status="suspended") if member.id == suspended else member
        for member in before.members
    )
    desk.exchange.directory = msgspec.structs.replace(before, version=2, members=members)
    await desk.exchange.publish(desk.exchange.directory)
    handed = await here.told(other, "assigned")
    assert (handed.kind, handed.content is not None) == ("assignment", True)
    assert (await here.told("bg-safenet", "assigned", assigned_hotline=other)).leg == 2
    assert (await here.act(other, "police_informed")).outcome == "accepted"


# 6: what law and practice expect ------------------------------------------------------------------------


async def test_a_report_nobody_has_judged_is_judged_by_the_receiving_side(desk: Desk) -> None:
    """A hotline that may not view forwards unassessed; the responsible hotline assesses under its own law."""
    here = desk.at("unassessed")
    await here.report("bg-safenet", classification="unassessed")
    await here.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert (await here.told("bg-safenet", "assessed")).classification == "national"


async def test_a_notice_before_police_had_their_time_is_recorded_and_told(desk: Desk) -> None:
    """Police first: the notice counts, carries its breach, and the country's liaison hears of it."""
    here = desk.at("notice-order")
    await here.report()
    told = await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    assert (told.outcome, told.breaches) == ("accepted", ("before_police",))
    await here.told("nl-police", "breach_reported")


async def test_a_hold_pauses_is_secret_and_expires_without_sending_anything(desk: Desk) -> None:
    """Origins see `paused` and no more; the liaison is warned; expiry permits the notice and sends none."""
    here = desk.at("held")
    await here.report("bg-safenet")
    until = desk.now + 5 * DAY_MS
    await here.act("nl-police", "hold", hold_until=until, content={"police_reference": "PR-1"})
    held = await here.told("nl-offlimits", "held")
    assert wire.decode_as(ActionContent, held.content or b"").police_reference == "PR-1"
    paused = await here.told("bg-safenet", "paused")
    assert (paused.by, paused.until, paused.statement, paused.content) == ("exchange", None, None, None)
    desk.later(3 * DAY_MS)
    await here.told("nl-police", "hold_warned")
    desk.later(2 * DAY_MS + HOUR_MS)
    await here.told("nl-offlimits", "hold_expired")
    await here.told("bg-safenet", "resumed")
    assert (await here.state()).provider_informed_at is None


async def test_foreign_police_ask_and_the_hosting_country_decides(desk: Desk) -> None:
    """Another country's request goes to the hosting liaison; with its consent the hold stands."""
    here = desk.at("foreign-hold")
    await here.report("bg-safenet")
    await here.act("de-police", "hold", hold_until=desk.now + DAY_MS)
    asked = await here.told("nl-police", "hold_asked")
    assert asked.kind == "hold_request"
    await here.act("nl-police", "hold", fact_number=asked.fact_number)
    await here.told("de-police", "held")


async def test_an_overdue_provider_is_told_to_the_authority_of_the_country(desk: Desk) -> None:
    """The provider did nothing for a week: the authority that may sanction it hears of it, once."""
    here = desk.at("overdue-provider")
    await here.report("bg-safenet")
    await here.act("nl-offlimits", "police_informed")
    desk.later(2 * HOUR_MS)
    await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    desk.later(8 * DAY_MS)
    assert (await here.told("nl-atkm", "provider_overdue")).hosting_country == "NL"


async def test_an_urgent_escalation_without_answer_goes_to_the_second_contact(desk: Desk) -> None:
    """A possible new victim: NL police do not answer, the second contact the directory names gets it."""
    here = desk.at("urgent")
    await here.report("bg-safenet", urgency=("possible_new_victim",))
    first = await here.escalated("nl", reason_code="possible_new_victim")
    assert first.is_urgent
    desk.later(5 * HOUR_MS)
    second = await here.escalated("europol", reason_code="possible_new_victim")
    assert second.attempt == 2
    answer = await here.act("europol", "acknowledged")
    assert answer.outcome == "accepted"
    await here.told("nl-offlimits", "escalation_acknowledged")


async def test_interpol_gets_what_is_confirmed_as_it_pulls_it_today(desk: Desk) -> None:
    """A national assessment becomes a feed item; an unassessed report does not."""
    here = desk.at("feed")
    await here.report("bg-safenet", classification="unassessed")
    await here.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    item = await here.fed("interpol")
    assert (item.kind, item.classification) == ("feed_item", "national")


async def test_a_wrong_removal_is_corrected_and_everybody_who_was_told_confirms(desk: Desk) -> None:
    """The removal never happened: the case is open again, and the origin confirms that it knows."""
    here = desk.at("corrected")
    await here.report("bg-safenet")
    wrong = await here.act("nl-offlimits", "removed")
    await here.act("nl-offlimits", "corrected", fact_number=wrong.fact_number, reason_code="wrong_item")
    told = await here.told("bg-safenet", "corrected")
    assert (told.fact_ref, told.needs_confirmation) == (wrong.fact_number, True)
    assert (await here.act("bg-safenet", "confirmed", fact_number=told.fact_number)).outcome == "accepted"
    assert (await here.state()).state != "closed"


async def test_an_origin_takes_its_own_report_back_and_the_case_stays_with_the_others(desk: Desk) -> None:
    """One of two origins withdraws: the case goes on; when the last does, it ends."""
    here = desk.at("withdrawn")
    await here.report("bg-safenet")
    await here.report("ie-hotline")
    assert (await here.act("bg-safenet", "withdraw", reason_code="wrong_entry")).state != "closed"
    assert (await here.act("ie-hotline", "withdraw", reason_code="wrong_entry")).state == "closed"


async def test_preserved_content_is_kept_and_erased_when_police_have_done(desk: Desk) -> None:
    """Contents go three months after the closing, later where police ask; recipients are asked too."""
    here = desk.at("preserved")
    await here.report("bg-safenet")
    now = desk.now
    await here.act("nl-police", "preserve", preserve_until=now + 120 * DAY_MS)
    await here.act("nl-offlimits", "removed")
    desk.later(100 * DAY_MS)
    assert all(one.fact != "erased" for one in here.seen_by("nl-offlimits"))
    desk.later(21 * DAY_MS)
    assert (await here.told("nl-offlimits", "erased")).kind == "erasure_request"


async def test_the_three_legs_that_hotlines_measure_are_told_to_the_origin(desk: Desk) -> None:
    """Police, provider, removal: each step reaches the origin; the last names outcome and country."""
    here = desk.at("measured")
    await here.report("bg-safenet")
    await here.act("nl-offlimits", "acknowledged")
    await here.act("nl-offlimits", "police_informed")
    desk.later(2 * HOUR_MS)
    await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    desk.later(HOUR_MS)
    await here.act("nl-offlimits", "removed")
    removed = await here.told("bg-safenet", "removed")
    assert (removed.outcome, removed.hosting_country, removed.breaches) == ("removed", "NL", ())
    told = [one.fact for one in here.seen_by("bg-safenet")]
    assert told == ["acknowledged", "police_informed", "provider_informed", "removed"]
    state = await here.state()
    times = (state.police_informed_at, state.provider_informed_at, state.closed_at)
    hours = [(at - state.leg_started_at) // HOUR_MS for at in times if at is not None]
    assert hours == [0, 2, 3]


async def test_a_step_not_taken_is_reminded_and_then_told_to_the_secretariat(desk: Desk) -> None:
    """A day without an acknowledgement: hotline and origin are told; another day: the secretariat."""
    here = desk.at("reminded")
    await here.report("bg-safenet", "IE")
    desk.later(25 * HOUR_MS)
    await here.told("ie-hotline", "overdue", step="acknowledge")
    await here.told("bg-safenet", "overdue", step="acknowledge")
    assert here.seen_by("inhope") == []
    desk.later(24 * HOUR_MS)
    await here.told("inhope", "reminded", step="acknowledge")
    assert (await here.act("ie-hotline", "acknowledged")).breaches == ("late",)


async def test_where_no_authority_is_the_police_get_overdue_providers_by_digest(desk: Desk) -> None:
    """BG has no authority for providers: its police find the overdue one in their feed, with the report."""
    here = desk.at("digest")
    await here.report("gb-iwf", "BG")
    await here.act("bg-safenet", "police_informed")
    await here.act("bg-safenet", "provider_informed", recipient_role="host")
    desk.later(8 * DAY_MS + HOUR_MS)
    item = await here.fed("bg-police", kind="digest_item")
    assert (item.fact, item.step, item.hosting_country) == ("provider_overdue", "confirm_removal", "BG")
    assert item.statement is not None
    assert item.occurred_at % DAY_MS == 6 * HOUR_MS, "the digest goes out at its hour"


async def test_a_notice_repeats_by_role_and_only_the_host_counts(desk: Desk) -> None:
    """Owner, host and registrar are told one after the other; the clock begins with the host."""
    here = desk.at("roles")
    await here.report("bg-safenet")
    await here.act("nl-offlimits", "police_informed")
    desk.later(2 * HOUR_MS)
    await here.act("nl-offlimits", "provider_informed", recipient_role="site_owner")
    assert (await here.state()).provider_informed_at is None
    host = await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    desk.later(HOUR_MS)
    assert (await here.act("nl-offlimits", "provider_informed", recipient_role="host")).rule == "already_done"
    await here.act("nl-offlimits", "provider_informed", recipient_role="registrar")
    for role in ("site_owner", "host", "registrar"):
        await here.told("bg-safenet", "provider_informed", recipient_role=role)
    first = next(fact for fact in await here.facts() if fact.number == host.fact_number)
    assert (await here.state()).provider_informed_at == first.admitted_at


async def test_where_police_must_consent_the_notice_waits_for_their_word(desk: Desk) -> None:
    """IE: a notice without consent carries its breach; with the release of police it carries none."""
    without, asked = desk.at("no-consent"), desk.at("consent")
    await without.report("bg-safenet", "IE")
    told = await without.act("ie-hotline", "provider_informed", recipient_role="host")
    assert told.breaches == ("without_consent",)
    await without.told("ie-police", "breach_reported", reason_code="without_consent")
    await asked.report("bg-safenet", "IE")
    await asked.act("ie-police", "release")
    assert (await asked.act("ie-hotline", "provider_informed", recipient_role="host")).breaches == ()


async def test_a_hold_has_a_limit_and_is_renewed(desk: Desk) -> None:
    """More than six weeks at once is refused; asked again before it ends, a hold goes on."""
    here = desk.at("renewed")
    await here.report("bg-safenet")
    refused = await here.act("nl-police", "hold", hold_until=desk.now + 43 * DAY_MS)
    assert (refused.rule, refused.field) == ("hold_too_long", "hold_until")
    first = await here.act("nl-police", "hold", hold_until=desk.now + 2 * DAY_MS)
    until = desk.now + 40 * DAY_MS
    await here.act("nl-police", "hold", hold_until=until)
    again = await here.told("nl-offlimits", "held", until=until)
    assert again.fact_ref == first.fact_number
    desk.later(3 * DAY_MS)
    released = await here.act("nl-police", "release")
    assert released.outcome == "accepted"
    assert "hold_expired" not in [fact.fact for fact in await here.facts()]


async def test_why_police_hold_is_never_said_in_the_open(desk: Desk) -> None:
    """A reference or reason in the statement, which many read, is refused: both belong into the content."""
    here = desk.at("sealed-only")
    await here.report("bg-safenet")
    for field, value in (("reference", "PR-1"), ("reason_code", "other")):
        refused = await here.act("nl-police", "hold", hold_until=desk.now + DAY_MS, **{field: value})
        assert (refused.outcome, refused.rule) == ("refused", "sealed_only")
    assert (await here.state()).hold is None


async def test_a_hold_stops_the_providers_clock_and_not_that_of_police(desk: Desk) -> None:
    """Four days on hold: the notice, due after three, is not late; telling police was due all along."""
    here = desk.at("paused-clock")
    await here.report("bg-safenet", "GB")
    await here.act("gb-iwf", "acknowledged")
    await here.act("gb-police", "hold", hold_until=desk.now + 10 * DAY_MS)
    desk.later(4 * DAY_MS)
    await here.told("gb-iwf", "overdue", step="inform_police")
    await here.act("gb-police", "release")
    assert [fact.step for fact in await here.facts() if fact.fact == "overdue"] == ["inform_police"]
    assert (await here.state()).paused_ms // DAY_MS == 4
    assert (await here.act("gb-iwf", "provider_informed", recipient_role="host")).breaches == ()


async def test_a_notice_during_a_hold_counts_and_police_know(desk: Desk) -> None:
    """The provider knows now: the hold ends; the origin sees the notice and never the breach."""
    here = desk.at("despite-hold")
    await here.report("bg-safenet", "GB")
    await here.act("gb-police", "hold", hold_until=desk.now + DAY_MS)
    told = await here.act("gb-iwf", "provider_informed", recipient_role="host")
    assert (told.outcome, told.breaches) == ("accepted", ("despite_hold",))
    await here.told("gb-police", "hold_ended", reason_code="provider_informed")
    assert (await here.told("bg-safenet", "provider_informed")).breaches == ()
    await here.told("bg-safenet", "resumed")


async def test_who_asks_for_a_hold_too_late_is_told_at_once(desk: Desk) -> None:
    """The provider knows already: a new request does not apply, one that waits is refused for it."""
    here = desk.at("too-late")
    await here.report("bg-safenet")
    until = desk.now + DAY_MS
    await here.act("de-police", "hold", hold_until=until)
    await here.told("nl-police", "hold_asked")
    await here.act("nl-offlimits", "provider_informed", recipient_role="host")
    assert (await here.told("de-police", "hold_refused")).reason_code == "provider_informed"
    late = await here.act("gb-police", "hold", hold_until=until)
    assert (late.outcome, late.rule) == ("not_applicable", "provider_informed")


async def test_a_case_seen_offline_is_not_closed_before_its_hotline_says_so(desk: Desk) -> None:
    """A re-check from one country sees nothing, another is blocked: both are told, the hotline decides."""
    here = desk.at("re-checked")
    await here.report("bg-safenet")
    seen = {"observed_at": desk.now}
    await here.act("bg-safenet", "observed", observation="offline", observed_from="BG", **seen)
    assert (await here.told("nl-offlimits", "observed")).is_online is False
    blocked = await here.act("bg-safenet", "observed", observation="geo_blocked", observed_from="BG", **seen)
    assert blocked.state == "assigned"
    ended = await here.act("nl-offlimits", "unavailable", reason_code="error_404_not_found_or_site_down")
    assert ended.state == "closed"


async def test_a_later_report_that_knows_the_origin_server_takes_the_case_there(desk: Desk) -> None:
    """The first saw the edge of a delivery network; the second confirms a host in IE: no day is lost."""
    here = desk.at("origin-server")
    await here.report(hosting_status="provisional", hosting_is_cdn=True)
    found = await here.report("bg-safenet", "IE", hosting_status="confirmed")
    assert found.assigned_hotline == "ie-hotline"
    assert (await here.told("nl-offlimits", "assigned", hosting_country="IE")).content is None


async def test_what_is_hosted_in_a_country_reaches_its_police_as_they_wish(desk: Desk) -> None:
    """GB police read all that is hosted there; their acknowledgement takes the step for the hotline."""
    here = desk.at("all-hosted")
    await here.report("bg-safenet", "GB")
    item = await here.fed("gb-police", kind="feed_item")
    assert item.content is not None
    await here.act("gb-police", "acknowledged", fact_number=item.fact_number)
    informed = await here.told("gb-iwf", "police_informed")
    assert informed.by == "exchange"
    assert (await here.state()).police_informed_at is not None


async def test_a_baseline_assessment_is_changed_by_two_of_its_makers_and_by_nobody_else(desk: Desk) -> None:
    """Others' judgements are recorded; the maker's correction needs two analysts and is told."""
    here = desk.at("baseline")
    made = await here.report("gb-iwf", classification="baseline", law_country="GB")
    other = await here.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert other.breaches == ("not_responsible",)
    change = {
        "fact_number": made.fact_number,
        "reason_code": "second_opinion",
        "classification": "national",
        "law_country": "GB",
        "analyst": "a-1",
    }
    assert (await here.act("gb-iwf", "corrected", **change)).rule == "two_persons_required"
    assert (await here.state()).classification == "baseline"
    await here.act("gb-iwf", "corrected", second_analyst="a-2", **change)
    assert (await here.told("nl-offlimits", "corrected")).classification == "national"


async def test_countries_may_disagree_and_the_maker_of_the_baseline_knows(desk: Desk) -> None:
    """Not illegal where it is hosted, baseline for who reported it: the case ends, the assessment stays."""
    here = desk.at("disagreement")
    await here.report("gb-iwf", classification="baseline", law_country="GB")
    await here.act("nl-offlimits", "not_illegal", reason_code="age_over_national_threshold")
    await here.told("gb-iwf", "disagreement")
    state = await here.state()
    assert (state.outcome, state.classification) == ("not_illegal", "baseline")


async def test_who_does_not_confirm_a_correction_is_named_to_the_secretariat(desk: Desk) -> None:
    """A week after the correction one system is still silent: the secretariat learns which."""
    here = desk.at("unconfirmed")
    await here.report("bg-safenet")
    await here.report("ie-hotline")
    wrong = await here.act("nl-offlimits", "removed")
    await here.act("nl-offlimits", "corrected", fact_number=wrong.fact_number, reason_code="wrong_item")
    told = await here.told("ie-hotline", "corrected")
    await here.act("ie-hotline", "confirmed", fact_number=told.fact_number)
    desk.later(8 * DAY_MS)
    silent = await here.told("inhope", "unconfirmed")
    assert silent.fact_ref == told.fact_number
    named = next(fact for fact in await here.facts() if fact.fact == "unconfirmed")
    assert named.members == ("bg-safenet",)


async def test_user_names_and_passwords_are_gone_with_the_closing(desk: Desk) -> None:
    """Credentials reach those who need them and are not stored once the case is closed; the rest stays."""
    here = desk.at("gated")
    await here.report("bg-safenet", credentials=b"locked")
    assert (await here.told("nl-offlimits", "assigned")).credentials == b"locked"
    await here.stored(lambda kept: [one.credentials for one in kept] == [b"locked"])
    await here.act("nl-offlimits", "removed")
    await here.stored(
        lambda kept: [(one.credentials, one.content is None) for one in kept] == [(None, False)]
    )
    desk.later(HOUR_MS)
    await here.act("bg-safenet", "reappeared", observed_at=desk.now)
    again = await here.told("nl-offlimits", "assigned", round=2)
    assert (again.credentials, again.content is None) == (None, False)


async def test_the_secretariat_erases_unless_police_keep_the_case(desk: Desk) -> None:
    """Contents that must not be kept go at once, who has them is asked; the open case goes on."""
    here = desk.at("erased")
    await here.report("bg-safenet")
    await here.act("nl-police", "preserve", preserve_until=desk.now + 10 * DAY_MS)
    kept = await here.act("inhope", "erase", reason_code="data_protection")
    assert (kept.outcome, kept.rule) == ("refused", "preserved")
    await here.act("nl-police", "preserve", preserve_until=desk.now - 1)
    assert (await here.act("inhope", "erase", reason_code="data_protection")).outcome == "accepted"
    asked = await here.told("nl-offlimits", "erased")
    assert (asked.kind, asked.needs_confirmation) == ("erasure_request", True)
    await here.stored(lambda left: left == [])
    await here.act("nl-offlimits", "confirmed", fact_number=asked.fact_number)
    assert (await here.act("nl-offlimits", "police_informed")).outcome == "accepted"


# At the end --------------------------------------------------------------------------------------------


@pytest.mark.last
async def test_all_that_happened_is_rebuilt_from_the_facts_alone(desk: Desk) -> None:
    """Every record is decided once more, every state folded from its facts: nothing differs or lacks."""
    here = desk.at("last-of-all")
    await here.report()
    exchange = desk.exchange
    await exchange.stop()

    def again() -> Verification:
        prefix, topics = exchange.settings.topic_prefix, exchange.topics
        with TopicReader(exchange.access.admin()) as reader:
            submitted = {
                name: reader.committed(f"{prefix}{group}", name)
                for group, names in intake.read_by(topics).items()
                for name in names
            }
            decided = reader.committed(f"{prefix}{casekeeper.GROUP}", topics.cases_admitted)
            scope = Scope(topics, "test", exchange.clock, bounds=decided, submitted=submitted)
            return verify(reader, scope)

    outcome = await asyncio.to_thread(again)
    assert outcome.findings == ()
    assert outcome.counts["facts"] == outcome.counts["facts_decided"] > 0
    assert outcome.unchecked.keys() <= {"content_erased", "in_flight"}
