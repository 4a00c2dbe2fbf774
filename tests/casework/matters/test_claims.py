"""Claims: who may take a case from a queue, how long it lasts, and what becomes of what nobody takes."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.due import due_times

if TYPE_CHECKING:
    from casework.messages import Receipt
    from tests.casework.conftest import Story

replace = msgspec.structs.replace
POOL = ("de-eco", "de-fsm", "de-jugendschutz")
DESK = "desk-orphans"
HOUR = 3_600_000
DAY = 24 * HOUR
STEP = {"classification": "national", "law_country": "DE", "reason_code": "other"}


@pytest.fixture
def offered(story: "Story") -> "Story":
    """Return a story in which gb-iwf reported a host in DE, whose hotlines claim."""
    story.claimable().report("gb-iwf", "DE")
    return story


@pytest.fixture
def orphaned(story: "Story") -> "Story":
    """Return a story in which de-fsm reported a host in HK, where no hotline is."""
    story.report("de-fsm", "HK")
    return story


def last(story: "Story") -> "Receipt":
    """Answer the newest receipt."""
    return story.receipts()[-1]


def answer(story: "Story", sender: str, action: str, **fields: object) -> tuple[str, str | None, str | None]:
    """Answer outcome, rule and field of what the sender is told about an action."""
    story.act(sender, action, **fields)
    return last(story).outcome, last(story).rule, last(story).field


def test_an_offer_tells_the_pool_and_hands_over_nothing(offered: "Story") -> None:
    """Each hotline of the pool learns of the offer and its end; no statement and no content goes out."""
    offers = [delivery for delivery in offered.deliveries() if delivery.kind == "offer"]
    assert tuple(offer.recipient for offer in offers) == POOL
    assert {(o.statement, o.content, o.until) for o in offers} == {
        (None, None, offered.case.unclaimed_due_at)
    }
    assert not [p for p in offered.postings if getattr(p, "content_of", None)]
    assert (offered.case.state, offered.case.pool, offered.case.assigned_hotline) == ("offered", POOL, None)
    assert offered.case.deadlines is None, "nobody is late before somebody has it"


def test_one_available_hotline_gets_the_case_at_once(story: "Story") -> None:
    """Where only one of those who share a country is active, there is nothing to claim."""
    story.claimable()
    members = tuple(
        replace(m, status="suspended") if m.id in POOL[1:] else m for m in story.directory.members
    )
    story.directory = replace(story.directory, members=members)
    story.report("gb-iwf", "DE")
    assert (story.case.state, story.case.assigned_hotline, story.case.lease) == ("assigned", "de-eco", None)


def test_the_finder_keeps_its_own_report(story: "Story") -> None:
    """A hotline that found the content in its own country is responsible without a claim."""
    story.claimable().report("de-fsm", "DE")
    assert (story.case.state, story.case.assigned_hotline) == ("acknowledged", "de-fsm")


def test_the_first_claim_wins(offered: "Story") -> None:
    """It gets the report with its content, the others of the pool and the origin learn who has it."""
    kept = offered.act("de-fsm", "claim")
    assert [fact.fact for fact in kept.facts] == ["claimed", "assigned"]
    case = offered.case
    assert (case.state, case.assigned_hotline, case.leg, case.pool) == ("assigned", "de-fsm", 2, ())
    assert case.lease.until == offered.now + DAY
    assert (case.hosting_country, case.assigned_country) == ("DE", "DE")
    told = {d.recipient: d.kind for d in offered.deliveries() if d.fact == "assigned"}
    assert told == {
        "de-fsm": "assignment", "gb-iwf": "update", "de-eco": "update", "de-jugendschutz": "update",
    }  # fmt: skip
    assert "acknowledge" in {due.step for due in due_times(case)}, "its clock runs from the claim"


def test_later_claims_come_too_late(offered: "Story") -> None:
    """The rest of the pool is answered that the case is taken, its holder that it has it."""
    offered.act("de-fsm", "claim")
    assert answer(offered, "de-eco", "claim") == ("not_applicable", "claimed_already", "action")
    assert last(offered).assigned_hotline == "de-fsm"
    assert answer(offered, "de-fsm", "claim") == ("not_applicable", "already_done", "action")
    assert answer(offered, "gb-iwf", "claim") == ("refused", "not_in_pool", "sender")
    assert answer(offered, "fr-point-de-contact", "claim") == ("refused", "not_a_party", "sender")
    assert offered.case.assigned_hotline == "de-fsm"
    offered.act("de-fsm", "removed")
    assert answer(offered, "de-fsm", "claim") == ("not_applicable", "case_closed", "case_id")


def test_a_claim_of_an_earlier_leg_takes_nothing(offered: "Story") -> None:
    """A claim that names another leg does not apply: what was offered then is not what is offered now."""
    offered.act("de-fsm", "claim")
    offered.act("de-fsm", "hand_back")
    assert answer(offered, "de-eco", "claim", leg=1) == ("not_applicable", "other_leg", "leg")
    assert answer(offered, "de-eco", "claim", leg=3)[0] == "accepted"


def test_only_the_pool_claims(offered: "Story") -> None:
    """An origin is a party and yet not one of those the case is offered to."""
    assert answer(offered, "gb-iwf", "claim") == ("refused", "not_in_pool", "sender")
    assert offered.case.state == "offered"


def test_a_report_on_an_offered_case_waits_with_it(offered: "Story") -> None:
    """It is linked and told to nobody; who claims the case gets it with its content."""
    before = len(offered.deliveries())
    offered.report("nl-offlimits", "DE")
    assert (offered.facts[-1].fact, len(offered.deliveries())) == ("linked", before)
    offered.act("de-eco", "claim")
    handed = [(d.kind, d.origin) for d in offered.deliveries("de-eco") if d.fact == "assigned"]
    assert handed == [("assignment", "gb-iwf"), ("linked_report", "nl-offlimits")]


@pytest.mark.parametrize("step", ["assessed", "police_informed", "provider_informed", "removed"])
def test_a_step_makes_a_claim_good(offered: "Story", step: str) -> None:
    """After a step of its people the hotline has the case for good, and cannot hand it back."""
    offered.act("de-fsm", "claim")
    offered.act("de-fsm", step, **STEP)
    assert offered.case.lease is None
    if step != "removed":
        assert answer(offered, "de-fsm", "hand_back") == ("not_applicable", "no_lease", "action")
    assert "lease" not in {due.step for due in due_times(offered.case)}


def test_an_acknowledgement_makes_no_claim_good(offered: "Story") -> None:
    """A system may acknowledge by itself, so an acknowledged claim still ends and can be handed back."""
    offered.act("de-fsm", "claim")
    offered.act("de-fsm", "acknowledged")
    assert offered.case.lease is not None
    assert answer(offered, "de-fsm", "hand_back")[0] == "accepted"


def test_an_unused_claim_ends(offered: "Story") -> None:
    """At the end of the lease the case is offered again to all of the pool, and its holder learns why."""
    offered.act("de-fsm", "claim")
    until = offered.case.lease.until
    kept = offered.later(2 * DAY - HOUR).wake("lease")
    facts = [fact for fact in kept.facts if fact.fact != "overdue"]
    assert [(fact.fact, fact.admitted_at) for fact in facts] == [("lease_expired", until), ("offered", until)]
    assert (offered.case.state, offered.case.leg, offered.case.pool) == ("offered", 3, POOL)
    told = {
        d.recipient: (d.kind, d.reason_code) for d in offered.deliveries() if d.fact_number == facts[1].number
    }
    assert told["gb-iwf"] == ("update", "lease_expired")
    assert {told[member][0] for member in POOL} == {"offer"}


def test_the_pool_learns_that_an_offer_is_over(offered: "Story") -> None:
    """When the origin withdraws its report, nobody goes on looking for a case that is closed."""
    offered.act("gb-iwf", "withdraw", reason_code="wrong_entry")
    assert offered.case.state == "closed"
    assert {d.recipient for d in offered.deliveries() if d.fact == "closed"} == set(POOL)


def test_handing_back_opens_the_queue_again(offered: "Story") -> None:
    """Only the holder hands back; the case is offered again, to it too."""
    offered.act("de-fsm", "claim")
    assert answer(offered, "de-eco", "hand_back") == ("refused", "not_a_party", "sender")
    assert answer(offered, "gb-iwf", "hand_back") == ("refused", "not_responsible", "sender")
    kept = offered.act("de-fsm", "hand_back")
    assert [fact.fact for fact in kept.facts] == ["handed_back", "offered"]
    assert (offered.case.lease, offered.case.pool) == (None, POOL)


def test_what_nobody_claims_is_given_out_by_weight(offered: "Story") -> None:
    """After a day the rule chooses one of the pool; it has the case for good, the others are told."""
    due_at = offered.case.unclaimed_due_at
    kept = offered.later(DAY).wake("unclaimed")
    assert [(f.fact, f.admitted_at) for f in kept.facts] == [("unclaimed", due_at), ("assigned", due_at)]
    case = offered.case
    assert case.assigned_hotline in POOL
    assert (case.state, case.lease, case.unclaimed_due_at) == ("assigned", None, None)
    told = {d.recipient for d in offered.deliveries() if d.fact == "assigned"}
    assert told == {*POOL, "gb-iwf"}


def test_a_hotline_that_leaves_the_pool_changes_the_offer(offered: "Story") -> None:
    """A new leg offers the case to those who are left; when one is left, it has it."""
    for gone, state in (("de-fsm", "offered"), ("de-eco", "assigned")):
        members = tuple(
            replace(m, status="suspended") if m.id == gone else m for m in offered.directory.members
        )
        offered.directory = replace(offered.directory, version=offered.directory.version + 1, members=members)
        offered.wake("reassign")
        assert (offered.case.state, offered.facts[-1].reason_code) == (state, "member_left")
    assert (offered.case.leg, offered.case.assigned_hotline) == (3, "de-jugendschutz")
    assert offered.wake("reassign").facts == ()


def test_a_mandated_hotline_claims_from_the_desk(orphaned: "Story") -> None:
    """The host stays where it is, the rules and the deadlines are those of the claimer's country."""
    kept = orphaned.act("nl-offlimits", "claim")
    assert [fact.fact for fact in kept.facts] == ["claimed", "assigned"]
    case = orphaned.case
    assert (case.hosting_country, case.assigned_country) == ("HK", "NL")
    assert (case.assigned_hotline, case.desk, case.lease.queue) == ("nl-offlimits", None, DESK)
    assert case.deadlines is not None
    told = {d.recipient: d.kind for d in orphaned.deliveries() if d.fact == "assigned"}
    assert told == {"nl-offlimits": "assignment", "de-fsm": "update", DESK: "update"}
    assert answer(orphaned, "gb-iwf", "claim") == ("not_applicable", "claimed_already", "action")


def test_only_a_mandate_claims_from_the_desk(orphaned: "Story") -> None:
    """A hotline without the mandate may not, not even the origin."""
    assert answer(orphaned, "de-fsm", "claim") == ("refused", "not_in_pool", "sender")
    assert answer(orphaned, "fr-point-de-contact", "claim") == ("refused", "not_a_party", "sender")


def test_who_may_not_receive_does_not_claim(orphaned: "Story") -> None:
    """A rule about transfers of personal data stands over a mandate."""
    members = tuple(
        replace(m, may_receive_from=("FR",)) if m.id == "nl-offlimits" else m
        for m in orphaned.directory.members
    )
    orphaned.directory = replace(orphaned.directory, members=members)
    assert answer(orphaned, "nl-offlimits", "claim") == ("refused", "not_in_pool", "sender")


def test_a_claim_from_the_desk_ends_there(orphaned: "Story") -> None:
    """What is not used or handed back lies at the desk again, with a new time."""
    orphaned.act("nl-offlimits", "claim")
    orphaned.later(DAY).wake("lease")
    assert (orphaned.case.state, orphaned.case.desk, orphaned.case.leg) == ("orphaned", DESK, 3)
    assert orphaned.case.unclaimed_due_at == orphaned.case.leg_started_at + DAY


def test_an_unknown_host_carries_no_clock_even_when_claimed(story: "Story") -> None:
    """There is no country whose deadlines could apply; the claim itself must still be used."""
    story.report("de-fsm", "ZZ")
    story.act("nl-offlimits", "claim")
    assert (story.case.assigned_hotline, story.case.deadlines) == ("nl-offlimits", None)
    assert "lease" in {due.step for due in due_times(story.case)}


def test_what_lies_at_the_desk_goes_to_police_once(orphaned: "Story") -> None:
    """After a day police are told, the desk and the origin learn it, and the case can still be claimed."""
    kept = orphaned.later(DAY).wake("unclaimed")
    facts = [f for f in kept.facts if f.fact != "escalation_unanswered" and f.attempt in {None, 1}]
    assert [fact.fact for fact in facts] == ["unclaimed", "escalated"]
    assert (facts[1].reason_code, facts[1].recipient) == ("unclaimed", "hk")
    assert [e.reason_code for e in orphaned.escalations() if e.attempt == 1] == ["no_hotline", "unclaimed"]
    assert [d.recipient for d in orphaned.deliveries() if d.fact == "unclaimed"] == [DESK, "de-fsm"]
    assert (orphaned.case.state, orphaned.case.unclaimed_due_at) == ("orphaned", None)
    orphaned.later(30 * DAY).wake("unclaimed")
    assert orphaned.kinds().count("unclaimed") == 1
    assert answer(orphaned, "nl-offlimits", "claim")[0] == "accepted"


def test_the_same_report_goes_unclaimed_in_two_legs_under_two_ids(orphaned: "Story") -> None:
    """Police must not take the second escalation of a report for a copy of the first."""
    orphaned.later(DAY).wake("unclaimed")
    orphaned.act("nl-offlimits", "claim")
    orphaned.later(DAY).wake("lease")
    orphaned.later(DAY).wake("unclaimed")
    found = [
        e.escalation_id for e in orphaned.escalations() if e.reason_code == "unclaimed" and e.attempt == 1
    ]
    assert len(found) == len(set(found)) == 2


def test_tor_goes_to_police_and_to_no_desk(story: "Story") -> None:
    """Police alone have it: nobody can claim it, and it is never unclaimed."""
    story.report("gb-iwf", "XT")
    assert (story.case.desk, story.case.unclaimed_due_at) == (None, None)
    assert answer(story, "nl-offlimits", "claim") == ("refused", "not_in_pool", "sender")
