from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.ids import derived_id_for_url

if TYPE_CHECKING:
    from tests.casework.conftest import Story

WAY = ("acknowledged", "police_informed", "provider_informed", "removed")


def closed(story: "Story") -> "Story":
    """Let the responsible hotline close the case."""
    for action in WAY:
        story.act("nl-offlimits", action)
    return story


def test_a_report_to_oneself_is_answered_by_its_receipt(story: "Story") -> None:
    """The commonest case: origin and host are one hotline, acknowledged at once, and nothing is delivered."""
    story.report("nl-offlimits", reference="own-7")
    assert story.kinds() == ["opened", "assigned", "acknowledged"]
    assert (story.case.state, story.case.reference) == ("acknowledged", "own-7")
    assert story.deliveries() == []
    assert [(r.outcome, r.state, r.assigned_hotline) for r in story.receipts()] == [
        ("accepted", "acknowledged", "nl-offlimits")
    ]


def test_the_origins_judgement_is_the_first_assessment(story: "Story") -> None:
    """A report's classification counts as made by its origin; `unassessed` is no assessment."""
    story.report(classification="unassessed")
    assert (story.case.classification, story.case.classified_by) == (None, None)
    story.report("de-eco", classification="baseline")
    assert story.case.classification is None, "only the report that opens a round assesses"
    other = type(story)(b"\x01" + bytes(32))
    other.report(classification="national", law_country="UK")
    assert (other.case.classification, other.case.classified_by, other.case.law_country) == (
        "national", "gb-iwf", "GB",
    )  # fmt: skip


def test_every_further_report_is_delivered_with_its_own_content(opened: "Story") -> None:
    """Later reports of one URL go to the responsible hotline; other origins learn nothing of them."""
    kept = opened.report("de-eco", "BG", observed_at=opened.now)
    assert [fact.fact for fact in kept.facts] == ["linked"]
    delivered = opened.deliveries("nl-offlimits")[-1]
    assert (delivered.kind, delivered.origin, delivered.content) == (
        "linked_report", "de-eco", b"content of de-eco",
    )  # fmt: skip
    assert delivered.is_repeat
    assert delivered.hosting_country == "BG", "the disagreement about the host is told"
    assert opened.case.hosting_country == "NL"
    assert opened.deliveries("gb-iwf") == []
    assert [(o.member, o.count) for o in opened.case.origins] == [("gb-iwf", 1), ("de-eco", 1)]
    assert [content.sender for content in kept.contents] == ["de-eco"]


def test_a_report_of_the_responsible_hotline_itself_is_linked_and_answered(opened: "Story") -> None:
    """The responsible hotline's own later report is counted and delivered to nobody."""
    before = len(opened.deliveries())
    opened.report("nl-offlimits")
    assert opened.receipts()[-1].outcome == "accepted"
    assert len(opened.deliveries()) == before


def test_a_host_without_hotline_waits_at_the_desk_and_is_told_to_police(story: "Story") -> None:
    """No hotline: the desk gets the report with content, the liaison one escalation, and no clock runs."""
    story.report("gb-iwf", "HK")
    story.report("de-eco", "HK")
    assert story.kinds() == ["opened", "orphaned", "escalated", "linked"]
    assert (story.case.state, story.case.desk, story.case.deadlines) == ("orphaned", "desk-orphans", None)
    desk = [posting for posting in story.postings if posting.inbox == "desk"]
    assert [(p.recipient, p.body.kind, p.body.content) for p in desk] == [
        ("desk-orphans", "assignment", b"content of gb-iwf"),
        ("desk-orphans", "linked_report", b"content of de-eco"),
    ]
    (escalation,) = story.escalations()
    first = story.events[0][0].admitted.event_id
    assert (escalation.recipient, escalation.reason_code, escalation.content) == (
        "hk", "no_hotline", b"content of gb-iwf",
    )  # fmt: skip
    kind = f"escalation.no_hotline.1.1.1.{escalation.admitted_at}"
    assert escalation.escalation_id == derived_id_for_url(first, kind, "hk", story.key)
    assert story.facts[1].reason_code == "no_hotline"


def test_tor_is_told_to_police_alone_and_no_report_of_it_is_lost(story: "Story") -> None:
    """A host on Tor has no desk: each report, the later ones too, reaches the international liaisons."""
    story.report("gb-iwf", "XT")
    story.report("de-eco", "T1")
    assert (story.case.state, story.case.desk, story.case.liaisons) == (
        "orphaned",
        None,
        ("interpol", "europol"),
    )
    assert [(e.recipient, e.origin) for e in story.escalations()] == [
        ("interpol", "gb-iwf"), ("europol", "gb-iwf"), ("interpol", "de-eco"), ("europol", "de-eco"),
    ]  # fmt: skip
    assert story.deliveries() == []


def test_an_orphan_finds_its_hotline_when_a_report_names_the_country(story: "Story") -> None:
    """A report that knows the country gives an orphaned case to its hotline, with all reports so far."""
    story.report("gb-iwf", "ZZ")
    story.report("de-eco", "NL")
    assert story.kinds()[-2:] == ["linked", "assigned"]
    assert (story.case.state, story.case.leg, story.case.hosting_country, story.case.desk) == (
        "assigned", 2, "NL", None,
    )  # fmt: skip
    got = story.deliveries("nl-offlimits")
    assert [(d.kind, d.origin) for d in got] == [("assignment", "de-eco"), ("linked_report", "gb-iwf")]
    handed_on = [p.content_of for p in story.postings if p.recipient == "nl-offlimits"]
    assert handed_on == [None, story.case.origins[0].last_event_id]
    assert [(d.kind, d.fact) for d in story.deliveries("desk-orphans")][-1] == ("update", "assigned")
    assert [d.fact for d in story.deliveries("gb-iwf")] == ["assigned"]
    assert story.case.deadlines is not None


def test_urgency_is_recorded_but_was_sent_by_intake(story: "Story") -> None:
    """Urgency codes become facts and make deliveries urgent; the escalation is not sent again."""
    story.report(urgency=("possible_new_victim", "possible_new_victim", "abuse_in_progress"))
    assert story.kinds() == ["opened", "assigned", "escalated", "escalated"]
    assert [(f.reason_code, f.recipient) for f in story.facts[2:]] == [
        ("possible_new_victim", "nl"), ("abuse_in_progress", "nl"),
    ]  # fmt: skip
    assert story.escalations() == []
    assert story.postings[0].is_urgent
    assert story.postings[0].body.is_urgent


@pytest.mark.parametrize("final", ["removed", "unavailable", "not_illegal"])
def test_a_report_seen_after_the_closing_opens_a_new_round(story: "Story", final: str) -> None:
    """Content seen again is never suppressed by an earlier end, whichever it was."""
    story.report()
    story.act("nl-offlimits", final, reason_code="other")
    story.later(story.minute)
    story.report("de-eco", "NL", observed_at=story.now)
    assert story.kinds()[-2:] == ["reopened", "assigned"]
    case = story.case
    assert (case.state, case.round, case.leg, case.outcome, case.closed_at) == ("assigned", 2, 1, None, None)
    assert case.done == ()
    got = story.deliveries("nl-offlimits")[-1]
    assert (got.kind, got.round, got.is_repeat, got.content) == ("assignment", 2, True, b"content of de-eco")
    told = story.deliveries("gb-iwf")[-1]
    assert (told.kind, told.fact, told.content, told.statement, told.reference) == (
        "update", "reopened", None, None, None,
    )  # fmt: skip
    story.act("nl-offlimits", final, reason_code="other")
    assert (story.case.state, story.case.outcome) == ("closed", final)


@pytest.mark.parametrize("observed", [None, 0])
def test_a_report_of_a_closed_case_is_answered_by_its_outcome(opened: "Story", observed: int | None) -> None:
    """A report not seen since the closing is linked and delivered, and its receipt carries the outcome."""
    seen_at = None if observed is None else opened.now
    closed(opened).report("de-eco", observed_at=seen_at)
    receipt = opened.receipts()[-1]
    assert (receipt.outcome, receipt.state, receipt.outcome_of_case) == ("accepted", "closed", "removed")
    assert opened.kinds()[-1] == "linked"
    assert opened.deliveries("nl-offlimits")[-1].kind == "linked_report"


def test_a_reopened_case_follows_the_new_host(opened: "Story") -> None:
    """The new round is routed by the new report; the hotline responsible before is told and stays a party."""
    closed(opened).later(opened.minute)
    opened.report("gb-iwf", "DE", observed_at=opened.now)
    responsible = opened.case.assigned_hotline
    assert responsible.startswith("de-")
    assert opened.case.former == ("nl-offlimits",)
    assert opened.deliveries("nl-offlimits")[-1].fact == "reopened"
    opened.act(responsible, "removed")
    assert opened.deliveries("nl-offlimits")[-1].fact == "closed"


def test_a_claimed_time_ahead_counts_as_now(opened: "Story") -> None:
    """Times ahead are clamped to the decision, so that no local clock moves a case into the future."""
    opened.report("de-eco", observed_at=opened.now + 5 * opened.hour)
    assert opened.case.last_observed_at == opened.now


def test_receipts_have_ids_that_senders_can_compute(opened: "Story") -> None:
    """A receipt's id follows from event id, url key and sender alone."""
    receipt = opened.receipts()[0]
    assert receipt.receipt_id == derived_id_for_url(receipt.event_id, "receipt", "gb-iwf", opened.key)
    assert (receipt.fact_number, receipt.round, receipt.leg, receipt.hosting_country) == (1, 1, 1, "NL")


def test_a_report_that_came_twice_under_one_id_is_no_second_report(opened: "Story") -> None:
    """Another statement under an id in use is refused and leaves the case and its first receipt alone."""
    event = opened.events[0][0]
    other = msgspec.structs.replace(event.submission, statement=b"other")
    before = opened.case
    kept = opened.happen(msgspec.structs.replace(event, submission=other))
    assert (kept.case, kept.facts) == (before, ())
    (answer,) = [posting.body for posting in kept.postings]
    assert (answer.outcome, answer.rule, answer.field) == ("refused", "id_reused", "event_id")
    assert answer.receipt_id != opened.receipts()[0].receipt_id
    assert answer.case_id is None
