"""Police, holds, and notices to providers: what law and practice expect (6 of the domain research)."""

import pytest

from casework.directory import DAY_MS, HOUR_MS
from casework.messages import ActionContent
from streams import wire
from tests.agents import everyday
from tests.agents.everyday import Desk

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]
desk = everyday.desk


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


@pytest.mark.last
async def test_all_that_happened_is_rebuilt_from_the_facts_alone(desk: Desk) -> None:
    """Every record is decided once more, every state folded from its facts: nothing differs or lacks."""
    await everyday.all_is_decided_once_more(desk)
