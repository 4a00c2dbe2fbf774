"""Judging, measuring, setting right and keeping: what law and practice expect (6 of the domain research)."""

import pytest

from casework.directory import DAY_MS, HOUR_MS
from tests.agents import everyday
from tests.agents.everyday import Desk

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]
desk = everyday.desk


async def test_a_report_nobody_has_judged_is_judged_by_the_receiving_side(desk: Desk) -> None:
    """A hotline that may not view forwards unassessed; the responsible hotline assesses under its own law."""
    here = desk.at("unassessed")
    await here.report("bg-safenet", classification="unassessed")
    await here.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert (await here.told("bg-safenet", "assessed")).classification == "national"


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


@pytest.mark.last
async def test_all_that_happened_is_rebuilt_from_the_facts_alone(desk: Desk) -> None:
    """Every record is decided once more, every state folded from its facts: nothing differs or lacks."""
    await everyday.all_is_decided_once_more(desk)
