"""What everyday work between hotlines, police and providers asks of the exchange, over the real Kafka.

The situations are those of the domain research: how a client of the present system polls, maps and fails
(1.6), countries without a hotline (1.8), and what law and practice expect (6). One exchange plays them all,
each at an address of its own, so time leaps for all of them and never back.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from casework.directory import DAY_MS, HOUR_MS, Directory, HotlineShare
from casework.messages import ActionContent, Case, Delivery, Escalation, Message, Receipt
from operations.directory.document import build
from operations.embedded_kafka import EmbeddedKafka
from streams import wire
from tests.agents.conftest import WAIT_S, Exchange, settings_on

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

HOTLINES = ("nl-offlimits", "gb-iwf", "de-eco", "de-fsm", "de-jugendschutz", "ie-hotline", "bg-safenet")
OTHERS = ("nl-atkm", "nl-police", "de-police", "gb-police", "interpol", "europol")


def everyday_directory() -> Directory:
    """Answer a small network: police first in NL, claims in DE, one of each kind of member around them."""
    whole = build(environment="test", published_at=1, candidates="admit")
    secretariat = next(member.id for member in whole.active_members("secretariat"))
    feeds = {"interpol": "all_confirmed"}
    members = tuple(
        msgspec.structs.replace(member, feed=feeds.get(member.id, "none"))
        for member in whole.members
        if member.id in {*HOTLINES, *OTHERS, secretariat}
    )
    ids = {member.id for member in members}
    rules = []
    for rule in whole.countries:
        changes: dict[str, Any] = {
            "hotlines": tuple(share for share in rule.hotlines if share.member in ids),
            "second_liaison": None,
        }
        if rule.code == "NL":
            changes |= {"notice_rule": "police_first", "police_wait_ms": HOUR_MS, "second_liaison": "europol"}
        if rule.code == "DE":
            shares = tuple(HotlineShare(one) for one in ("de-eco", "de-fsm", "de-jugendschutz"))
            changes |= {"routing": "claim", "hotlines": shares, "own_reports": "keep"}
        rules.append(msgspec.structs.replace(rule, **changes))
    return msgspec.structs.replace(
        whole,
        valid_from=1,
        members=members,
        countries=tuple(rules),
        slot_count=4,
        slots={"NL": (0, 1), "DE": (2,)},
        rest_slots=(3,),
    )


class Mail:
    """All that members and police get, kept as it arrives."""

    def __init__(self) -> None:
        self.by_topic: defaultdict[str, list[Message]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def collect(self, consumer: Any) -> None:  # noqa: ANN401 - an untyped aiokafka consumer
        """Take what comes until cancelled."""
        async for record in consumer:
            if record.value is None:
                continue
            async with self._news:
                self.by_topic[record.topic].append(wire.decode(record.value))
                self._news.notify_all()

    async def first(self, topic: str, wanted: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - any message
        """Wait for the first message of a topic that is wanted."""
        async with asyncio.timeout(WAIT_S), self._news:
            while True:
                for message in self.by_topic[topic]:
                    if wanted(message):
                        return message
                await self._news.wait()


class Desk:
    """The exchange as members see it."""

    def __init__(self, exchange: Exchange, mail: Mail) -> None:
        self.exchange, self.mail = exchange, mail

    def at(self, name: str) -> "Situation":
        """Begin a situation at an address of its own."""
        return Situation(self, f"https://{name}.example.test/")

    def later(self, ms: int) -> None:
        """Let time pass, for everybody."""
        self.exchange.clock.ahead_ms += ms


class Situation:
    """One address and what happens to it."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk, self.url = desk, url
        self.exchange = desk.exchange
        self.key = self.exchange.key(url)
        self.case_id: str | None = None
        self.country = "NL"

    async def report(self, sender: str = "gb-iwf", country: str = "NL", **fields: Any) -> Receipt:  # noqa: ANN401 - fields
        """Send a report and answer its receipt."""
        now = self.exchange.clock.now_ms()
        given = {"occurred_at": now, "received_at": now // 60_000 * 60_000, **fields}
        receipt = await self._answer(
            sender, self.exchange.report(self.url, sender=sender, country=country, **given)
        )
        self.case_id, self.country = receipt.case_id or self.case_id, country
        return receipt

    async def act(self, sender: str, action: str, **fields: Any) -> Receipt:  # noqa: ANN401 - fields
        """Send an action on the case and answer its receipt."""
        now = self.exchange.clock.now_ms()
        given = {"case_id": self.case_id, "occurred_at": now, "hosting_country": self.country, **fields}
        return await self._answer(sender, self.exchange.action(self.url, sender, action, **given))

    async def told(self, member: str, fact: str, **expected: object) -> Delivery:
        """Wait until a member is told a fact of this case."""

        def is_it(message: Message) -> bool:
            return (
                isinstance(message, Delivery)
                and message.url_key == self.key
                and message.fact == fact
                and all(getattr(message, name) == value for name, value in expected.items())
            )

        found = await self.desk.mail.first(self.exchange.topics.inbox(member), is_it)
        assert isinstance(found, Delivery)
        return found

    async def escalated(self, code: str, **expected: object) -> Escalation:
        """Wait for an escalation of this case."""

        def is_it(message: Message) -> bool:
            return (
                isinstance(message, Escalation)
                and message.url_key == self.key
                and all(getattr(message, name) == value for name, value in expected.items())
            )

        found = await self.desk.mail.first(self.exchange.topics.escalations(code), is_it)
        assert isinstance(found, Escalation)
        return found

    def seen_by(self, member: str) -> list[Delivery]:
        """Answer what a member has been told of this case by now."""
        inbox = self.desk.mail.by_topic[self.exchange.topics.inbox(member)]
        return [m for m in inbox if isinstance(m, Delivery) and m.url_key == self.key]

    async def state(self) -> Case:
        """Answer the newest state of the case."""
        records = await self.exchange.until(
            self.exchange.topics.cases_status, lambda found: any(one.key == self.key for one in found)
        )
        return wire.decode_as(Case, [one.value for one in records if one.key == self.key][-1])

    async def _answer(self, sender: str, submission: Any) -> Receipt:  # noqa: ANN401 - conftest
        event_id = await self.exchange.send(submission)
        found = await self.desk.mail.first(
            self.exchange.topics.inbox(sender),
            lambda message: isinstance(message, Receipt) and message.event_id == event_id,
        )
        assert isinstance(found, Receipt)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One exchange for all situations, with everybody's mail."""
    home = tmp_path_factory.mktemp("everyday")
    exchange = Exchange(settings_on(kafka, "everyday.", home), kafka.local_access)
    exchange.directory = everyday_directory()
    async with exchange:
        await exchange.start()
        mail = Mail()
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=2000,
            **exchange.client,
        )
        consumer.subscribe(pattern=r"^everyday\.(inbox|escalations|feed)\..*")
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
    receipt = await here.report(occurred_at=desk.exchange.clock.now_ms() + 2 * HOUR_MS)
    assert receipt.outcome == "accepted"
    assert (await here.told("nl-offlimits", "assigned")).occurred_at <= desk.exchange.clock.now_ms()


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
    moved = {"hosting_method": "whois", "observed_at": desk.exchange.clock.now_ms()}
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
    moved = {"hosting_method": "whois", "observed_at": desk.exchange.clock.now_ms()}
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
    receipt = await desk.mail.first(
        exchange.topics.inbox("nl-offlimits"),
        lambda message: isinstance(message, Receipt) and message.event_id == event_id,
    )
    assert receipt.outcome == "accepted"


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
    now = desk.exchange.clock.now_ms()
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
    before = desk.exchange.clock.now_ms()
    await here.act("nl-offlimits", "not_illegal", reason_code="age_unclear_or_not_assessable")
    old = await here.report("ie-hotline", observed_at=before - HOUR_MS)
    assert (old.state, old.outcome_of_case) == ("closed", "not_illegal")
    desk.later(HOUR_MS)
    new = await here.report("bg-safenet", observed_at=desk.exchange.clock.now_ms())
    assert (new.round, new.state) == (2, "assigned")


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
    until = desk.exchange.clock.now_ms() + 5 * DAY_MS
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
    await here.act("de-police", "hold", hold_until=desk.exchange.clock.now_ms() + DAY_MS)
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
    item = await desk.mail.first(
        desk.exchange.topics.feed("interpol"),
        lambda message: isinstance(message, Delivery) and message.url_key == here.key,
    )
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
    now = desk.exchange.clock.now_ms()
    await here.act("nl-police", "preserve", preserve_until=now + 120 * DAY_MS)
    await here.act("nl-offlimits", "removed")
    desk.later(100 * DAY_MS)
    assert all(one.fact != "erased" for one in here.seen_by("nl-offlimits"))
    desk.later(21 * DAY_MS)
    assert (await here.told("nl-offlimits", "erased")).kind == "erasure_request"
