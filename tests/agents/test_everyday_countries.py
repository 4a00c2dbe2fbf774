"""Countries without a hotline, and several hotlines in one (1.8 of the domain research)."""

import msgspec
import pytest

from casework.directory import DAY_MS, HOUR_MS
from tests.agents import everyday
from tests.agents.everyday import Desk

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]
desk = everyday.desk


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


@pytest.mark.last
async def test_all_that_happened_is_rebuilt_from_the_facts_alone(desk: Desk) -> None:
    """Every record is decided once more, every state folded from its facts: nothing differs or lacks."""
    await everyday.all_is_decided_once_more(desk)
